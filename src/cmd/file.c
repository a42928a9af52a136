/* SPDX-License-Identifier: MIT */
/*
 * file: a file with its threads in the margin. Lines are numbered as they are now; a thread's lines carry its mark, and
 * below the last of them stands what it is about. Threads on the whole file come first, those whose lines are gone last.
 */
#include "config.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "families.h"
#include "killick/cmd/act.h"
#include "place.h"

struct file_values { bool posts, only; };
static const struct opt file_opts[] = {
	{ 'p', "posts", OPT_FLAG, offsetof(struct file_values, posts), NULL, "with the posts, not only the titles", NULL },
	{ 'o', "only-threads", OPT_FLAG, offsetof(struct file_values, only), NULL,
		"only the lines with threads, and three around them", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

struct view {
	struct anchor an;
	struct buf text;
	bool binary;
	struct thread_list threads;  /* by line; the gone ones last */
};

static int load_text(struct cmd *c, struct view *v, struct err *e)
{
	struct repo *r = c->work->repo;
	struct oid commit, blob;
	unsigned mode;
	char hex[GIT_OID_HEX];

	if (!v->an.commit && repo_is_bare(r) && repo_head(r, &commit, NULL))
		v->an.commit = arena_strdup(c->arena, oid_hex(hex, &commit));
	if (!v->an.commit)
		return repo_worktree_file(r, v->an.path, 0, &v->text, NULL, e);
	if (!oid_parse(v->an.commit, &commit) || repo_tree_path(r, &commit, v->an.path, &blob, &mode, e))
		return -1;
	return repo_blob(r, &blob, 0, &v->text, e);
}

static int by_line(const void *a, const void *b)
{
	const struct place *x = &((const struct thread *)a)->place, *y = &((const struct thread *)b)->place;
	bool gx = x->state == PLACE_GONE, gy = y->state == PLACE_GONE;

	if (gx != gy)
		return gx - gy;
	return x->line != y->line ? (x->line < y->line ? -1 : 1) : (x->end > y->end) - (x->end < y->end);
}

/* A revision's places are not in the index: they are computed, and what is not in this file there is left out. */
static int place_at_revision(struct cmd *c, struct view *v, struct err *e)
{
	struct thread_list *l = &v->threads;
	struct place_query *q = arena_alloc(c->arena, sizeof(*q) * (l->len + 1));
	struct placer *p = place_open(c, false);
	struct oid to;
	size_t kept = 0;
	int rc;

	for (size_t i = 0; i < l->len; i++)
		q[i] = (struct place_query){ .anchor = &l->items[i].anchor, .out = &l->items[i].place };
	rc = oid_parse(v->an.commit, &to) ? place_batch(p, &to, q, l->len, c->arena, e) : -1;
	placer_free(p);
	for (size_t i = 0; i < l->len && !rc; i++) {
		const struct place *pl = &l->items[i].place;
		if (pl->path && !strcmp(pl->path, v->an.path) && pl->state != PLACE_GONE)
			l->items[kept++] = l->items[i];
	}
	l->len = kept;
	return rc;
}

/* Where the file of a revision is in the work tree now; its own path when that cannot be told. */
static const char *path_now(struct cmd *c, const struct view *v)
{
	struct anchor file = { .type = ANCHOR_FILE, .path = v->an.path, .commit = v->an.commit };
	struct err ignored = ERR_INIT;
	struct place p;

	return !place_one(c, &file, NULL, &p, &ignored) && p.path ? p.path : v->an.path;
}

static int load_threads(struct cmd *c, struct view *v, struct err *e)
{
	struct work *w = c->work;
	const char *paths[2] = { v->an.path, v->an.path };
	int64_t *rows;
	size_t n;
	int rc;

	if (!v->an.commit) {
		rc = cmd_file_places(c, v->an.path, e);
		rc = rc ? rc : index_threads_at(w->index, &w->scope, v->an.path, c->arena, &v->threads, e);
		rc = rc ? rc : work_places_dirty(w, c->arena, v->threads.items, v->threads.len, e);
	} else {
		paths[1] = path_now(c, v);
		rc = cmd_file_places(c, paths[0], e) || cmd_file_places(c, paths[1], e);
		rc = rc ? rc : index_touched(w->index, w->scope.repo, w->scope.view, paths, 2, c->arena, &rows, &n, e);
		rc = rc ? rc : index_rows(w->index, w->scope.repo, w->scope.view, rows, n, c->arena, &v->threads, e);
		rc = rc ? rc : place_at_revision(c, v, e);
	}
	for (size_t i = 0; i < v->threads.len; i++) {
		struct thread *t = &v->threads.items[i];
		if (t->place.state == PLACE_UNKNOWN && t->anchor.type == ANCHOR_LINES) {
			t->place.line = t->anchor.line;
			t->place.end = t->anchor.end;
		}
	}
	if (v->threads.len)
		qsort(v->threads.items, v->threads.len, sizeof(*v->threads.items), by_line);
	return rc;
}

static bool is_gone(const struct thread *t)
{
	return t->place.state == PLACE_GONE;
}

/* A thread's words between the lines, behind a rule that says which lines they are about. */
static void thread_below(struct cmd *c, const struct thread *t)
{
	struct file_values *v = c->values;
	struct thread full = *t;
	struct err ignored = ERR_INIT;
	char age[TIME_RELATIVE_SIZE];

	out_textf(c, STYLE_RULE, "      %s ", c->io->ascii ? "`-" : "╰─");
	out_textf(c, t->state == STATE_OPEN ? STYLE_ACCENT : STYLE_DIM, "%s ", thread_kind_glyph(t->kind, c->io->ascii));
	out_textf(c, STYLE_ID, "%s ", t->abbrev);
	out_prose(c, t->state == STATE_OPEN ? STYLE_NORMAL : STYLE_DIM, t->title);
	if (t->state != STATE_OPEN)
		out_textf(c, STYLE_DIM, " (%s)", thread_state_name(t->state));
	out_textf(c, STYLE_DIM, "  %s, %s", person_label(&t->author), time_relative(age, t->updated, clock_now()));
	if (t->n_posts > 1)
		out_textf(c, STYLE_DIM, ", %u posts", t->n_posts);
	out_line(c);
	if (!v->posts || index_thread(c->work->index, &c->work->scope, t->id, c->arena, &full, NULL, &ignored))
		return;
	for (unsigned i = 0; i < full.n_posts; i++) {
		struct styled s = STYLED_INIT;
		const char *body = full.posts[i].body ? full.posts[i].body : "(retracted)";

		out_textf(c, STYLE_AUTHOR, "         %s", person_label(&full.posts[i].author));
		out_line(c);
		styled_markdown(&s, body, strlen(body), out_prose_width(c), 10);
		out_styled(c, &s);
		styled_release(&s);
	}
}

/* The mark of a line: the first thread that begins here, or a bar while one goes on. */
static const char *mark_of(struct cmd *c, const struct view *v, uint32_t line)
{
	const char *bar = " ";

	for (size_t i = 0; i < v->threads.len; i++) {
		const struct thread *t = &v->threads.items[i];

		if (is_gone(t) || !t->place.line || t->place.line > line)
			continue;
		if (t->place.line == line)
			return thread_kind_glyph(t->kind, c->io->ascii);
		if (t->place.end >= line)
			bar = c->io->ascii ? "|" : "┃";
	}
	return bar;
}

static bool is_near(const struct view *v, uint32_t line)
{
	for (size_t i = 0; i < v->threads.len; i++) {
		const struct place *p = &v->threads.items[i].place;
		if (p->state != PLACE_GONE && p->line && line + 3 >= p->line && line <= (p->end ? p->end : p->line) + 3)
			return true;
	}
	return false;
}

static void print_lines(struct cmd *c, const struct view *v)
{
	struct file_values *opts = c->values;
	const char *p = v->text.ptr, *end = p + v->text.len;
	bool skipped = false;

	for (uint32_t n = 1; p < end && out_alive(c); n++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = nl ? (size_t)(nl - p) : (size_t)(end - p);
		bool inside = v->an.type != ANCHOR_LINES || (n >= v->an.line && n <= v->an.end);
		bool show = inside && (!opts->only || is_near(v, n));
		const char *mark = show ? mark_of(c, v, n) : NULL;

		if (show) {
			if (skipped && opts->only)
				out_line(c);
			out_textf(c, STYLE_LINENO, "%5u ", n);
			out_textf(c, *mark == ' ' ? STYLE_NORMAL : STYLE_MARGIN, "%s ", mark);
			out_code(c, STYLE_NORMAL, p, len && p[len - 1] == '\r' ? len - 1 : len);
			out_line(c);
		}
		skipped = !show;
		for (size_t i = 0; show && i < v->threads.len; i++) {
			const struct thread *t = &v->threads.items[i];
			if (!is_gone(t) && t->place.line && (t->place.end ? t->place.end : t->place.line) == n)
				thread_below(c, t);
		}
		p += len + (nl != NULL);
	}
}

static void print_file(struct cmd *c, const struct view *v)
{
	size_t gone = 0;

	for (size_t i = 0; i < v->threads.len; i++) {
		if (!is_gone(&v->threads.items[i]) && !v->threads.items[i].place.line)
			thread_below(c, &v->threads.items[i]);
	}
	if (v->binary) {
		out_textf(c, STYLE_DIM, "%s is binary (%zu bytes)", v->an.path, v->text.len);
		out_line(c);
	} else {
		print_lines(c, v);
	}
	for (size_t i = 0; i < v->threads.len; i++) {
		if (!is_gone(&v->threads.items[i]))
			continue;
		if (!gone++) {
			out_text(c, STYLE_WARN, "gone from here:");
			out_line(c);
		}
		thread_below(c, &v->threads.items[i]);
	}
}

static uint32_t line_count(const struct buf *b)
{
	uint32_t n = b->len && b->ptr[b->len - 1] != '\n';

	for (const char *p = b->ptr; (p = memchr(p, '\n', (size_t)(b->ptr + b->len - p))); p++)
		n++;
	return n;
}

static void print_json(struct cmd *c, const struct view *v)
{
	json_t *doc = json_object(), *list = json_array();

	for (size_t i = 0; i < v->threads.len; i++)
		json_array_append_new(list, thread_json(&v->threads.items[i]));
	json_put_str(doc, "path", v->an.path);
	json_put_str(doc, "commit", v->an.commit);
	json_object_set_new(doc, "binary", json_boolean(v->binary));
	if (v->binary)
		json_put_str(doc, "lines", NULL);
	else
		json_put_int(doc, "lines", line_count(&v->text));
	json_object_set_new(doc, "threads", list);
	json_object_set_new(doc, "complete", json_boolean(!c->places.missing));
	json_put_int(doc, "unplaced", (int64_t)c->places.missing);
	out_doc(c, "file", doc);
}

static int run_file(struct cmd *c, struct err *e)
{
	struct view v = { .text = BUF_INIT };
	int rc = -1;

	if (act_anchor(c, c->argv[0], &v.an, e))
		return -1;
	if (v.an.type < ANCHOR_FILE) {
		err_set(e, ERR_USAGE, "'%s' is no file", c->argv[0]);
		goto out;
	}
	if (load_text(c, &v, e) || load_threads(c, &v, e))
		goto out;
	v.binary = buf_is_binary(&v.text);
	if (v.an.type == ANCHOR_LINES && !v.an.end)
		v.an.end = v.an.line;
	if (out_json(c))
		print_json(c, &v);
	else
		print_file(c, &v);
	rc = 0;
out:
	buf_release(&v.text);
	return rc;
}

const struct cmd_entry file_commands[] = {
	{ .name = "file", .args = "PATH", .summary = "a file with its threads in the margin", .opts = file_opts,
		.values = sizeof(struct file_values), .min_args = 1, .max_args = 1,
		.needs = NEED_REPO | NEED_INDEX | NEED_PLACES, .flags = CMD_JSON | CMD_PAGE, .run = run_file,
		.complete = "anchor" },
	{ .name = NULL },
};
