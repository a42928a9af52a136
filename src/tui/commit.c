/* SPDX-License-Identifier: MIT */
/*
 * A commit: its message, its threads, its diff with threads on their lines. The diff is kept as text and cut into lines
 * once; a hunk is styled when it comes to the screen. Rows are the message's lines, then the diff's, each thread's row
 * behind the line it is about. "a" asks on a line of either side, V marks a range.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/git/history.h"
#include "killick/text/difftext.h"
#include "killick/text/sanitize.h"
#include "killick/text/width.h"
#include "rows.h"
#include "views.h"

#define PATCH_MAX (8u << 20)
#define LINE_MAX_BYTES 20000u
#define THREADS_MAX 1000
#define MONTH (30 * 24 * 3600 * (int64_t)1000)

struct patch_line { uint32_t at, old, new_, file, chunk; };   /* at: byte; lines from 1, 0 none; chunk: its first line */
struct commit_row { enum { ROW_HEAD, ROW_PATCH, ROW_THREAD } kind; uint32_t i; };
struct commit_view {
	struct view v;
	char hex[GIT_OID_HEX];
	struct commit_info info;
	struct buf patch;
	bool cut, loaded;
	ARRAY(struct patch_line) lines;
	ARRAY(const char *) files;           /* new names, or old ones of what was removed; from 1 */
	ARRAY(const char *) old_files;
	struct thread_list threads;
	size_t carried;                      /* threads whose places are the work tree's */
	size_t n_threads;                    /* in all: the list may be cut */
	ARRAY(struct commit_row) rows;
	struct styled chunk;                 /* the hunk styled last */
	uint32_t chunk_first, chunk_n;
};

static struct commit_view *self(struct view *v)
{
	return (struct commit_view *)v;
}

static int commit_open(struct view *v, int argc, const char *const *argv, struct err *e)
{
	struct commit_view *c = self(v);
	struct oid id;

	c->chunk_first = UINT32_MAX;
	buf_init(&c->patch);
	if (repo_resolve(v->t->work->repo, argc ? argv[0] : "HEAD", &id, e) < 0)
		return -1;
	oid_hex(c->hex, &id);
	return 0;
}

static void commit_close(struct view *v)
{
	struct commit_view *c = self(v);

	buf_release(&c->patch);
	array_release(&c->lines);
	array_release(&c->files);
	array_release(&c->old_files);
	array_release(&c->rows);
	styled_release(&c->chunk);
}

/* ---- the diff's lines */

struct cursor { uint32_t old, new_, old_left, new_left, file, chunk; };

static bool parse_hunk(const char *p, struct cursor *at)
{
	unsigned old = 0, old_n = 1, new_ = 0, new_n = 1;
	char *end;

	if (!str_starts(p, "@@ -"))
		return false;
	old = (unsigned)strtoul(p + 4, &end, 10);
	if (*end == ',')
		old_n = (unsigned)strtoul(end + 1, &end, 10);
	if (end[0] != ' ' || end[1] != '+')
		return false;
	new_ = (unsigned)strtoul(end + 2, &end, 10);
	if (*end == ',')
		new_n = (unsigned)strtoul(end + 1, &end, 10);
	at->old = old;
	at->new_ = new_;
	at->old_left = old_n;
	at->new_left = new_n;
	return true;
}

/* The line's numbers on both sides, by its first character, as long as the hunk's counts go. */
static void number_line(const char *p, struct cursor *at, struct patch_line *l)
{
	if (*p != '+' && at->old_left && *p != '\\') {
		l->old = at->old++;
		at->old_left--;
	}
	if (*p != '-' && at->new_left && *p != '\\') {
		l->new_ = at->new_++;
		at->new_left--;
	}
}

static void split_patch(struct commit_view *c)
{
	struct cursor at = { 0 };
	const char *p = c->patch.ptr, *end = p + c->patch.len;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		uint32_t i = (uint32_t)c->lines.len;
		struct patch_line *l = array_add(&c->lines);

		l->at = (uint32_t)(p - c->patch.ptr);
		if (at.old_left || at.new_left) {
			number_line(p, &at, l);
		} else if (str_starts(p, "diff --git ")) {
			at.file++;
			at.chunk = i;
		} else if (parse_hunk(p, &at)) {
			at.chunk = i;
		}
		l->file = at.file;
		l->chunk = at.chunk;
		p = nl ? nl + 1 : end;
	}
}

static int name_files(struct commit_view *c, struct err *e)
{
	struct repo *r = c->v.t->work->repo;
	struct change *changes;
	struct oid id;
	size_t n;

	oid_parse(c->hex, &id);
	if (repo_changes(r, c->info.n_parents ? &c->info.parents[0] : NULL, &id, CHANGES_RENAMES, &c->v.arena, &changes, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		*array_add(&c->files) = changes[i].new_path ? changes[i].new_path : changes[i].old_path;
		*array_add(&c->old_files) = changes[i].old_path ? changes[i].old_path : changes[i].new_path;
	}
	return 0;
}

/* ---- rows */

static void add_row(struct commit_view *c, int kind, size_t i)
{
	struct commit_row *r = array_add(&c->rows);

	r->kind = kind;
	r->i = (uint32_t)i;
}

static bool stands_here(const struct commit_view *c, const struct thread *th, const struct patch_line *l)
{
	const struct anchor *an = &th->anchor;
	uint32_t end = an->end ? an->end : an->line;
	const char *file;

	if (!an->path || !an->line || !l->file || l->file > c->files.len)
		return false;
	file = an->side == SIDE_OLD ? c->old_files.items[l->file - 1] : c->files.items[l->file - 1];
	return (an->side == SIDE_OLD ? l->old : l->new_) == end && !strcmp(an->path, file);
}

static void add_patch_rows(struct commit_view *c, bool *placed)
{
	for (size_t i = 0; i < c->lines.len; i++) {
		add_row(c, ROW_PATCH, i);
		if (!c->lines.items[i].old && !c->lines.items[i].new_)
			continue;
		for (size_t k = 0; k < c->threads.len; k++)
			if (!placed[k] && stands_here(c, &c->threads.items[k], &c->lines.items[i])) {
				placed[k] = true;
				add_row(c, ROW_THREAD, k);
			}
	}
}

static bool in_patch(const struct commit_view *c, const struct thread *th)
{
	for (size_t i = 0; th->anchor.path && i < c->lines.len; i++)
		if ((c->lines.items[i].old || c->lines.items[i].new_) && stands_here(c, th, &c->lines.items[i]))
			return true;
	return false;
}

static void head_text(struct commit_view *c, int width)
{
	struct styled *s = &c->v.text;
	struct tui *t = c->v.t;
	char exact[TIME_RFC3339_SIZE];
	const char *facts, *subject = text_clean(&c->v.arena, c->info.subject ? c->info.subject : "", TEXT_PROSE);

	text_wrap(s, STYLE_STRONG, subject, width, 0);
	/* What is over a month old is given by its date alone: then the exact time says it. */
	facts = arena_printf(&c->v.arena, "%s  %s%s", text_clean(&c->v.arena, who(t, &c->info.author), TEXT_PROSE),
		clock_now() - c->info.time > MONTH ? time_rfc3339(exact, c->info.time) :
		arena_printf(&c->v.arena, "%s (%s)", tui_now_relative(t, c->info.time), time_rfc3339(exact, c->info.time)),
		c->info.n_parents > 1 ? "  a merge, shown against its first parent" : "");
	text_hang(s, STYLE_ID, arena_printf(&c->v.arena, "%.10s", c->hex), facts, width, 14);
	if (c->info.body && *c->info.body) {
		styled_newline(s);
		text_wrap(s, STYLE_NORMAL, c->info.body, width < 78 ? width : 78, 2);
	}
}

static void thread_line(struct commit_view *c, const struct thread *th, struct styled *out, int indent)
{
	struct tui *t = c->v.t;
	char age[TIME_RELATIVE_SIZE];
	enum style st = thread_glyph_style(th);

	styled_newline(out);
	styled_addf(out, STYLE_NORMAL, "%*s", indent, "");
	styled_addf(out, st, "%s ", thread_kind_glyph(th->kind, t->ascii));
	if (th->anchor.path && indent < 12)
		styled_addf(out, STYLE_DIM, "%s  ", text_clean(&t->frame, thread_anchor(&t->frame, th), 0));
	styled_add(out, th->state == STATE_OPEN ? STYLE_STRONG : STYLE_DIM, text_clean(&t->frame, th->title, TEXT_PROSE));
	styled_addf(out, STYLE_DIM, "  %s %s %s", text_clean(&t->frame, who(t, &th->author), TEXT_PROSE), glyph(t, "·", "-"),
		time_relative(age, th->updated, clock_now()));
	if (th->n_posts > 1)
		styled_addf(out, STYLE_DIM, " %s %u posts", glyph(t, "·", "-"), th->n_posts);
	if (th->state != STATE_OPEN)
		styled_addf(out, STYLE_DIM, " %s %s", glyph(t, "·", "-"), thread_state_name(th->state));
	styled_addf(out, STYLE_UNREAD, "%s", th->n_unread ? glyph(t, "  ●", "  *") : "");
}

static void build(struct commit_view *c)
{
	bool *placed = xcalloc(c->threads.len + 1, sizeof(*placed));

	c->rows.len = 0;
	for (size_t i = 0; i < c->v.text.lines.len; i++)
		add_row(c, ROW_HEAD, i);
	for (size_t k = 0; k < c->threads.len; k++)
		if (!in_patch(c, &c->threads.items[k])) {
			placed[k] = true;
			add_row(c, ROW_THREAD, k);
		}
	styled_newline(&c->v.text);
	if (c->n_threads > c->threads.len)
		styled_addf(&c->v.text, STYLE_WARN, "  the latest %zu of %zu threads; \":threads commit:%.10s\" lists them all",
			c->threads.len, c->n_threads, c->hex);
	add_row(c, ROW_HEAD, c->v.text.lines.len - 1);
	add_patch_rows(c, placed);
	if (c->cut || c->lines.len == 0) {
		styled_newline(&c->v.text);
		styled_add(&c->v.text, c->cut ? STYLE_WARN : STYLE_DIM, c->cut ?
			"The diff is longer: its first 8 MiB are shown. git show has all of it." : "No file was changed.");
		add_row(c, ROW_HEAD, c->v.text.lines.len - 1);
	}
	free(placed);
}

static void commit_layout(struct view *v, int width)
{
	if (!self(v)->loaded)
		return;
	head_text(self(v), width < 12 ? 12 : width);
	build(self(v));
}

/* A commit that thousands of threads name is shown with the latest of them. */
static int load_threads(struct commit_view *c, const struct oid *id, struct err *e)
{
	struct work *w = c->v.t->work;
	struct thread_find find = { .sort = SORT_UPDATED, .limit = THREADS_MAX };
	struct commit_count n;
	const char *query = arena_printf(&c->v.arena, "commit:%s", c->hex);

	c->n_threads = 0;
	if (index_commit_counts(w->index, &w->scope, id, 1, &n, e) < 0)
		return -1;
	c->n_threads = n.settled;
	for (size_t i = 0; i < ARRAY_SIZE(n.open); i++)
		c->n_threads += n.open[i];
	if (c->n_threads <= THREADS_MAX)
		return index_threads_on_commits(w->index, &w->scope, id, 1, &c->v.arena, &c->threads, e);
	if (query_parse(&c->v.arena, query, clock_now(), (struct query **)&find.query, e) < 0)
		return -1;
	return index_threads(w->index, &w->scope, &find, &c->v.arena, &c->threads, e);
}

static int commit_load(struct view *v, struct err *e)
{
	struct commit_view *c = self(v);
	struct work *w = v->t->work;
	struct oid id;

	c->loaded = false;
	buf_reset(&c->patch);
	c->lines.len = c->files.len = c->old_files.len = c->rows.len = 0;
	c->chunk_first = UINT32_MAX;
	c->threads = (struct thread_list){ 0 };
	c->carried = 0;
	oid_parse(c->hex, &id);
	if (repo_commit(w->repo, &id, &v->arena, &c->info, e) < 0 ||
	    repo_show(w->repo, &id, PATCH_MAX, &c->patch, &c->cut, e) < 0 || name_files(c, e) < 0 ||
	    load_threads(c, &id, e) < 0)
		return -1;
	split_patch(c);
	c->loaded = true;
	return 0;
}

static bool commit_idle(struct view *v, int64_t until)
{
	struct commit_view *c = self(v);

	(void)until;
	v->t->dirty = c->threads.len > 0 || v->t->dirty;
	return places_carry(v->t, &v->arena, c->threads.items, c->threads.len, &c->carried);
}

static size_t commit_count(struct view *v)
{
	return self(v)->rows.len;
}

static size_t line_length(const struct commit_view *c, uint32_t i)
{
	size_t end = i + 1 < c->lines.len ? c->lines.items[i + 1].at : c->patch.len;

	if (end > c->lines.items[i].at && c->patch.ptr[end - 1] == '\n')
		end--;
	return end - c->lines.items[i].at;
}

/* Styles a hunk whole, so that changed words are found, unless it is beyond all measure. */
static void style_chunk(struct commit_view *c, uint32_t i)
{
	uint32_t first = c->lines.items[i].chunk, last = i;
	size_t from, to;

	while (last + 1 < c->lines.len && c->lines.items[last + 1].chunk == first)
		last++;
	from = c->lines.items[first].at;
	to = last + 1 < c->lines.len ? c->lines.items[last + 1].at : c->patch.len;
	styled_release(&c->chunk);
	c->chunk = (struct styled)STYLED_INIT;
	c->chunk_first = first;
	c->chunk_n = 0;
	if (to - from > 512u << 10)
		return;
	difftext_style(&c->chunk, c->patch.ptr + from, to - from, c->v.t->tab);
	/* One line in, one line out; anything else would put words on wrong lines. */
	c->chunk_n = c->chunk.lines.len == last - first + 1 ? last - first + 1 : 0;
}

static enum style simple_style(char c)
{
	return c == '+' ? STYLE_ADD : c == '-' ? STYLE_DEL : c == '@' ? STYLE_HUNK : STYLE_NORMAL;
}

static void plain_line(const struct commit_view *c, uint32_t i, struct styled *out)
{
	struct buf clean = BUF_INIT, flat = BUF_INIT;
	const char *p = c->patch.ptr + c->lines.items[i].at;
	size_t n = line_length(c, i);

	text_sanitize(&clean, p, n > LINE_MAX_BYTES ? LINE_MAX_BYTES : n, TEXT_TABS);
	text_expand_tabs(&flat, clean.ptr, clean.len, 0, c->v.t->tab);
	styled_addn(out, simple_style(n ? *p : ' '), flat.ptr, flat.len);
	if (n > LINE_MAX_BYTES)
		styled_addf(out, STYLE_WARN, " [%zu more bytes]", n - LINE_MAX_BYTES);
	buf_release(&clean);
	buf_release(&flat);
}

static void patch_text(struct commit_view *c, uint32_t i, struct styled *out)
{
	const struct patch_line *l = &c->lines.items[i];
	const struct styled_line *s;

	styled_newline(out)->nowrap = true;
	if (l->old || l->new_)
		styled_addf(out, STYLE_LINENO, "%5s %5s ", l->old ? arena_printf(&c->v.t->frame, "%u", l->old) : "",
			l->new_ ? arena_printf(&c->v.t->frame, "%u", l->new_) : "");
	if (c->chunk_first != l->chunk)
		style_chunk(c, i);
	if (i - l->chunk >= c->chunk_n) {
		plain_line(c, i, out);
		return;
	}
	s = &c->chunk.lines.items[i - l->chunk];
	for (size_t k = 0; k < s->n; k++)
		styled_addn(out, s->spans[k].style, s->spans[k].text, s->spans[k].len);
}

static const struct patch_line *line_at(const struct commit_view *c, size_t row)
{
	const struct commit_row *r = row < c->rows.len ? &c->rows.items[row] : NULL;

	return r && r->kind == ROW_PATCH ? &c->lines.items[r->i] : NULL;
}

static void commit_line(struct view *v, size_t row, struct styled *out)
{
	struct commit_view *c = self(v);
	const struct commit_row *r = &c->rows.items[row];
	const struct styled_line *s;

	if (r->kind == ROW_THREAD) {
		thread_line(c, &c->threads.items[r->i], out, row > 0 && line_at(c, row - 1) ? 12 : 2);
		return;
	}
	if (r->kind == ROW_PATCH) {
		patch_text(c, r->i, out);
		return;
	}
	styled_newline(out);
	s = &v->text.lines.items[r->i];
	for (size_t k = 0; k < s->n; k++)
		styled_addn(out, s->spans[k].style, s->spans[k].text, s->spans[k].len);
}

/* ---- the target */

static bool lines_anchor(struct commit_view *c, size_t row, struct anchor *an)
{
	const struct patch_line *l = line_at(c, row), *m = c->v.mark == SIZE_MAX ? l : line_at(c, c->v.mark);
	uint32_t a, b;

	if (!l || !l->file || l->file > c->files.len || (!l->old && !l->new_))
		return false;
	an->type = ANCHOR_LINES;
	an->side = l->new_ ? SIDE_NEW : SIDE_OLD;
	an->path = an->side == SIDE_NEW ? c->files.items[l->file - 1] : c->old_files.items[l->file - 1];
	an->commit = c->hex;
	a = an->side == SIDE_NEW ? l->new_ : l->old;
	b = m && m->file == l->file ? (an->side == SIDE_NEW ? m->new_ : m->old) : a;
	b = b ? b : a;
	an->line = a < b ? a : b;
	an->end = a < b ? b : a;
	return true;
}

static void commit_target(struct view *v, size_t row, struct target *t)
{
	struct commit_view *c = self(v);
	const struct commit_row *r = row < c->rows.len ? &c->rows.items[row] : NULL;
	struct anchor an = { .type = ANCHOR_COMMIT, .commit = c->hex };
	struct buf b = BUF_INIT;

	if (!c->loaded)
		return;
	t->commit = c->hex;
	t->quote = c->info.subject;
	if (r && r->kind == ROW_THREAD) {
		thread_target(v->t, &c->threads.items[r->i], t);
		t->commit = c->hex;
		return;
	}
	if (lines_anchor(c, row, &an)) {
		anchor_format(&b, &an, ANCHOR_WITH_COMMIT);
		t->path = an.path;
		t->line = an.line;
		t->end = an.end;
		t->quote = arena_memdup(&v->t->frame, c->patch.ptr + c->lines.items[r->i].at, line_length(c, r->i));
	} else {
		buf_addf(&b, "commit:%s", c->hex);
	}
	t->anchor = arena_strdup(&v->t->frame, b.ptr);
	buf_release(&b);
}

/* ---- acts */

static unsigned commit_flags(struct view *v, size_t row)
{
	struct commit_view *c = self(v);

	if (c->v.mark == SIZE_MAX)
		return 0;
	return (row >= c->v.mark && row <= v->cursor) || (row <= c->v.mark && row >= v->cursor) ? CELL_RANGE : 0;
}

static void next_thread(struct commit_view *c, int dir)
{
	for (size_t row = c->v.cursor + (size_t)(long)dir; row < c->rows.len; row += (size_t)(long)dir)
		if (c->rows.items[row].kind == ROW_THREAD) {
			struct screen *s = tui_screen(c->v.t);

			view_show(&c->v, row);
			if (s->side && s->side->ops == &thread_view)
				thread_view_show(s->side, c->threads.items[c->rows.items[row].i].id);
			return;
		}
	tui_say(c->v.t, MSG_INFO, c->threads.len ? "no more threads on this commit" :
		"no threads on this commit: a asks about the line, or the commit from its head");
}

static bool commit_act(struct view *v, enum act a, const char *arg)
{
	struct commit_view *c = self(v);
	struct screen *s = tui_screen(v->t);
	struct target at;

	(void)arg;
	switch (a) {
	case ACT_OPEN:
		view_target(v, &at);
		if (at.thread || at.path)
			return false;
		tui_say(v->t, MSG_INFO, "Enter opens a thread, or the file on a line of the diff");
		return true;
	case ACT_NEXT_THREAD:
	case ACT_PREV_THREAD:
		if (s->side_first && s->side_focus)
			return false;
		next_thread(c, a == ACT_NEXT_THREAD ? 1 : -1);
		return true;
	case ACT_MARK:
		c->v.mark = c->v.mark == SIZE_MAX ? v->cursor : SIZE_MAX;
		return true;
	case ACT_CANCEL:
		if (c->v.mark == SIZE_MAX)
			return false;
		c->v.mark = SIZE_MAX;
		return true;
	default:
		return false;
	}
}

static void commit_title(struct view *v, struct buf *left, struct buf *right)
{
	struct commit_view *c = self(v);
	const char *dot = glyph(v->t, "·", "-");
	const struct patch_line *l = line_at(c, v->cursor);

	buf_addf(left, "%s %s commit %.10s", repo_name(v->t->work->repo), dot, c->hex);
	if (c->n_threads)
		buf_addf(left, " %s %zu thread%s", dot, c->n_threads, c->n_threads == 1 ? "" : "s");
	if (l && l->file && l->file <= c->files.len) {
		const char *name = c->files.items[l->file - 1];

		text_sanitize(right, name, strlen(name), 0);
	} else if (c->loaded) {
		buf_addf(right, "%zu file%s", c->files.len, c->files.len == 1 ? "" : "s");
	}
}

const struct view_ops commit_view = {
	.name = "commit", .args = "[REVISION]", .help = "a commit: its threads, its diff", .complete = "commit",
	.kind = VIEW_TEXT, .flags = VIEW_CODE, .size = sizeof(struct commit_view),
	.hints = "open=open\nask-here=ask\nmark=range\nnext-thread=next thread\nreply-here=reply\nedit-code=edit code\nkeys=keys\n"
		"back=back",
	.open = commit_open, .close = commit_close, .load = commit_load, .idle = commit_idle, .layout = commit_layout, .count = commit_count,
	.line = commit_line, .target = commit_target, .act = commit_act, .title = commit_title, .flags_of = commit_flags,
};
