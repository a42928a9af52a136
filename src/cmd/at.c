/* SPDX-License-Identifier: MIT */
/*
 * at: the threads on these lines, this file, this commit. The hot command of every editor, so it touches the index and
 * the file's stat data and nothing else: an anchor without a revision is what stands in the work tree now.
 */
#include "config.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "families.h"
#include "killick/anchor/section.h"
#include "killick/cmd/act.h"
#include "place.h"

static const char *const formats[] = { "line", "quickfix", "json", NULL };
struct at_values { const char *format; bool open; };
struct found { struct thread *items; size_t len, alloc; };
static const struct opt at_opts[] = {
	{ 'f', "format", OPT_STR, offsetof(struct at_values, format), "FORMAT", "line (default), quickfix or json", formats },
	{ 'o', "open", OPT_FLAG, offsetof(struct at_values, open), NULL, "leave out the resolved ones", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static void add_all(struct found *out, const struct thread_list *l)
{
	for (size_t i = 0; i < l->len; i++)
		*array_add(out) = l->items[i];
}

static int find_on(struct cmd *c, const struct anchor *an, struct found *out, struct err *e)
{
	struct thread_list l = { NULL, 0, 0, false };
	struct buf text = BUF_INIT;
	struct query q = { .op = Q_TERM, .key = QK_ON, .cmp = QC_EQ };
	struct thread_find f = { .query = &q, .sort = SORT_PLACE };
	int rc;

	if ((an->type == ANCHOR_FILE || an->type == ANCHOR_PROJECT) && cmd_all_places(c, e))
		return -1;
	anchor_format(&text, an, ANCHOR_FULL_OID);
	q.value = an->type == ANCHOR_FILE ? an->path : text.ptr;
	rc = index_threads(c->work->index, &c->work->scope, &f, c->arena, &l, e);
	buf_release(&text);
	add_all(out, &l);
	return rc;
}

static bool is_folder(struct cmd *c, const struct anchor *an)
{
	struct stat st;
	const char *top = repo_top(c->work->repo);

	return an->type == ANCHOR_FILE && !an->commit && top &&
	    !lstat(arena_printf(c->arena, "%s/%s", top, an->path), &st) && S_ISDIR(st.st_mode);
}

/* The lines of a section in the work tree; false: it is not there now. */
static bool section_lines(struct cmd *c, const struct anchor *an, uint32_t *line, uint32_t *end)
{
	struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct section *list;
	const struct section *s = NULL;
	size_t n;

	if (!repo_worktree_file(c->work->repo, an->path, 0, &text, NULL, &ignored)) {
		n = sections_parse(c->arena, an->path, text.ptr, text.len, &list);
		s = section_find(list, n, an->section);
		if (s) {
			*line = s->line;
			*end = s->end;
		}
	}
	buf_release(&text);
	return s != NULL;
}

/* An anchor with a revision is looked for in the work tree first: its threads are where it is now. */
static int bring_here(struct cmd *c, struct anchor *an, struct err *e)
{
	struct place p;

	if (!an->commit || an->type < ANCHOR_FILE)
		return 0;
	if (anchor_capture(c->work->repo, an, c->arena, e) || place_one(c, an, NULL, &p, e))
		return -1;
	if (p.state == PLACE_GONE || p.state == PLACE_UNKNOWN)
		return err_set(e, ERR_NOT_FOUND, "%s is not in the work tree%s%s", an->path, p.why ? ": " : " any more",
		    p.why ? p.why : "");
	an->path = p.path;
	an->line = p.line;
	an->end = p.end;
	an->commit = NULL;
	return 0;
}

static void place_of(const struct thread *t, const char **path, uint32_t *line, uint32_t *end)
{
	bool placed = t->place.state != PLACE_UNKNOWN && t->place.path;

	*path = placed ? t->place.path : t->anchor.path;
	*line = placed ? t->place.line : t->anchor.line;
	*end = placed ? t->place.end : t->anchor.end;
}

static bool is_here(const struct thread *t, const struct anchor *an, uint32_t first, uint32_t last)
{
	const char *path;
	uint32_t line, end;

	if (t->place.state == PLACE_GONE)
		return an->type == ANCHOR_FILE;
	place_of(t, &path, &line, &end);
	if (!path || strcmp(path, an->path))
		return false;
	if (an->type == ANCHOR_FILE)
		return true;
	return line && line <= last && (end ? end : line) >= first;
}

static int find_in_file(struct cmd *c, struct anchor *an, struct found *out, struct err *e)
{
	struct thread_list all = { NULL, 0, 0, false };
	uint32_t first = an->line, last = an->end ? an->end : an->line;

	if (bring_here(c, an, e))
		return -1;
	if (an->type == ANCHOR_SECTION && !section_lines(c, an, &first, &last))
		return err_set(e, ERR_NOT_FOUND, "no section '%s' in %s now", an->section, an->path);
	if (an->type == ANCHOR_LINES) {
		first = an->line;
		last = an->end ? an->end : an->line;
	}
	if (cmd_file_places(c, an->path, e) ||
	    index_threads_at(c->work->index, &c->work->scope, an->path, c->arena, &all, e) ||
	    work_places_dirty(c->work, c->arena, all.items, all.len, e))
		return -1;
	for (size_t i = 0; i < all.len; i++) {
		if (is_here(&all.items[i], an, first, last))
			*array_add(out) = all.items[i];
	}
	return 0;
}

static int find_at(struct cmd *c, struct anchor *an, struct found *out, struct err *e)
{
	struct thread_list l = { NULL, 0, 0, false };
	struct oid id;

	if (an->type == ANCHOR_COMMIT && oid_parse(an->commit, &id)) {
		if (index_threads_on_commits(c->work->index, &c->work->scope, &id, 1, c->arena, &l, e) ||
		    work_places_of(c->work, c->arena, l.items, l.len, e))
			return -1;
		add_all(out, &l);
		return 0;
	}
	if (an->type < ANCHOR_FILE || is_folder(c, an))
		return find_on(c, an, out, e);
	return find_in_file(c, an, out, e);
}

static int by_line(const void *a, const void *b)
{
	const struct thread *x = a, *y = b;
	const char *px, *py;
	uint32_t lx, ly, end;
	int d;

	place_of(x, &px, &lx, &end);
	place_of(y, &py, &ly, &end);
	d = strcmp(px ? px : "", py ? py : "");
	if (d)
		return d;
	return lx != ly ? (lx < ly ? -1 : 1) : strcmp(x->id, y->id);
}

static void quickfix_line(struct cmd *c, const struct thread *t)
{
	const char *path;
	uint32_t line, end;

	place_of(t, &path, &line, &end);
	out_textf(c, STYLE_NORMAL, "%s:%u: ", path ? path : ".", line ? line : 1);
	out_textf(c, STYLE_NORMAL, "%s %s: ", thread_kind_name(t->kind), t->abbrev);
	out_prose(c, STYLE_NORMAL, t->title);
	out_textf(c, STYLE_NORMAL, " (%s)", person_label(&t->last_author));
	out_line(c);
}

static void print(struct cmd *c, const struct found *f)
{
	struct at_values *v = c->values;
	bool quickfix = !out_json(c) && v->format && !strcmp(v->format, "quickfix");
	size_t shown = 0;

	out_list_begin(c, "threads");
	for (size_t i = 0; i < f->len && out_alive(c); i++) {
		const struct thread *t = &f->items[i];

		if ((i && t->row == t[-1].row) || (v->open && t->state == STATE_RESOLVED))
			continue;
		shown++;
		if (quickfix)
			quickfix_line(c, t);
		else
			out_thread(c, t);
	}
	out_list_end(c);
	if (!shown && c->io->tty && !out_json(c))
		out_note(c, "no thread here");
}

static int run_at(struct cmd *c, struct err *e)
{
	struct at_values *v = c->values;
	struct found all = ARRAY_INIT;
	struct anchor an;
	int rc = 0;

	if (v->format && !strcmp(v->format, "json"))
		out_set_json(c);
	c->work->scope.plain = out_json(c);
	for (int i = 0; i < c->argc && !rc; i++)
		rc = act_anchor(c, c->argv[i], &an, e) || find_at(c, &an, &all, e) ? -1 : 0;
	if (!rc && all.len)
		qsort(all.items, all.len, sizeof(*all.items), by_line);
	if (!rc)
		print(c, &all);
	c->work->scope.plain = false;
	array_release(&all);
	return rc;
}

const struct cmd_entry at_commands[] = {
	{ .name = "at", .args = "ANCHOR…", .summary = "the threads on these lines, files, sections, commits, tasks",
		.opts = at_opts, .values = sizeof(struct at_values), .min_args = 1, .max_args = -1,
		.needs = NEED_REPO | NEED_INDEX | NEED_PLACES, .flags = CMD_JSON | CMD_PAGE, .run = run_at,
		.complete = "anchor" },
	{ .name = NULL },
};
