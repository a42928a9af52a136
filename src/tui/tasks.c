/* SPDX-License-Identifier: MIT */
/*
 * Tasks of every source, by a query. What is at hand is the numbers of their rows, which idle work brings to the end of the
 * list, and a few pages of what they say. What others write makes a far list anew behind the one that is shown.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/text/sanitize.h"
#include "rows.h"
#include "views.h"

#define ROWS 64
#define PAGES 6
#define WALK 1000          /* rows at a time */
#define NEAR 2000          /* rows that a load reads before it is seen */

struct taskpage { size_t start; unsigned used; struct arena arena; struct task_list list; };
struct tasks {
	struct view v;
	struct task_walk walk, next;
	bool renews, ready;       /* next is in the making; it is done */
	bool to_end;              /* the last task was asked for, and it is not known yet */
	char *shown;              /* the filter that walk is of */
	struct taskpage pages[PAGES];
	unsigned stamp;
};

static struct tasks *self(struct view *v)
{
	return (struct tasks *)v;
}

static int tasks_init(struct view *v, int argc, const char *const *argv, struct err *e)
{
	struct buf words = BUF_INIT;
	int rc;

	for (int i = 0; i < argc; i++)
		buf_addf(&words, "%s%s", i ? " " : "", argv[i]);
	rc = view_set_filter(v, words.ptr, e);
	buf_release(&words);
	return rc;
}

static void walk_reset(struct task_walk *w)
{
	array_release(&w->rows);
	*w = (struct task_walk){ ARRAY_INIT, 0, false };
}

static void tasks_close(struct view *v)
{
	struct tasks *ts = self(v);

	walk_reset(&ts->walk);
	walk_reset(&ts->next);
	for (size_t i = 0; i < PAGES; i++)
		arena_release(&ts->pages[i].arena);
	free(ts->shown);
}

/* ---- the list */

/* To n rows, if there are so many; what a key cannot wait for is left to idle work. */
static int walk_to(struct tasks *ts, struct task_walk *w, size_t n, bool idle, struct err *e)
{
	struct tui *t = ts->v.t;
	struct patience x;
	int rc;

	if (w->complete || w->rows.len >= n)
		return 0;
	rc = patience_begin(t, &x, idle, e);
	if (!rc) {
		rc = index_task_walk(t->work->index, &t->work->scope, ts->v.query, w, n - w->rows.len, e);
		patience_end(&x);
	}
	ts->v.busy = true;
	return rc && e->code == ERR_CANCELLED ? 0 : rc;
}

static void forget_pages(struct tasks *ts)
{
	for (size_t i = 0; i < PAGES; i++)
		ts->pages[i].used = 0;
}

static int begin(struct tasks *ts, struct err *e)
{
	walk_reset(&ts->walk);
	walk_reset(&ts->next);
	ts->renews = ts->ready = false;
	free(ts->shown);
	ts->shown = xstrdup(ts->v.filter);
	return walk_to(ts, &ts->walk, ts->v.cursor + PAGE_ROWS, false, e);
}

static int tasks_load(struct view *v, struct err *e)
{
	struct tasks *ts = self(v);

	forget_pages(ts);
	if (!ts->shown || strcmp(ts->shown, v->filter) || (!ts->ready && v->cursor < NEAR))
		return begin(ts, e);
	walk_reset(ts->ready ? &ts->walk : &ts->next);
	if (ts->ready) {
		ts->walk = ts->next;
		ts->next = (struct task_walk){ ARRAY_INIT, 0, false };
	}
	ts->renews = !ts->ready;
	ts->ready = false;
	return 0;
}

static void complain(struct tasks *ts, struct task_walk *w, const struct err *e)
{
	tui_say(ts->v.t, MSG_ERROR, "%s", e->msg);
	w->complete = true;
}

/* The new list is shown by a load of the view, which keeps the cursor where it is. */
static void renew(struct tasks *ts, int64_t until)
{
	struct err e = ERR_INIT;

	do {
		if (walk_to(ts, &ts->next, ts->next.rows.len + WALK, true, &e) < 0)
			complain(ts, &ts->next, &e);
		ts->ready = ts->next.complete || ts->next.rows.len > ts->v.cursor + PAGE_ROWS;
	} while (!ts->ready && !tui_time_over(ts->v.t, until));
	ts->renews = !ts->ready;
	if (ts->ready)
		ts->v.stale = ts->v.t->dirty = true;
}

static void walk_on(struct tasks *ts, int64_t until)
{
	struct err e = ERR_INIT;

	do {
		if (walk_to(ts, &ts->walk, ts->walk.rows.len + WALK, true, &e) < 0)
			complain(ts, &ts->walk, &e);
	} while (!ts->walk.complete && !tui_time_over(ts->v.t, until));
	if (ts->walk.complete || ts->to_end || ts->walk.rows.len <= WALK)
		ts->v.t->dirty = true;
	if (ts->walk.complete && ts->to_end && ts->walk.rows.len)
		view_goto(&ts->v, ts->walk.rows.len - 1);
}

/* ---- pages */

static struct taskpage *page_of(struct tasks *ts, size_t row)
{
	size_t start = row / ROWS * ROWS, n = ts->walk.rows.len - start;
	struct taskpage *p = &ts->pages[0];
	struct err e = ERR_INIT;

	n = n < ROWS ? n : ROWS;
	for (size_t i = 0; i < PAGES; i++) {
		if (ts->pages[i].used && ts->pages[i].start == start && ts->pages[i].list.len == n)
			return &ts->pages[i];
		if (ts->pages[i].used < p->used)
			p = &ts->pages[i];
	}
	arena_clear(&p->arena);
	p->start = start;
	p->used = ++ts->stamp;
	if (index_tasks_of(ts->v.t->work->index, &ts->walk.rows.items[start], n, &p->arena, &p->list, &e) < 0) {
		trace("tui", "tasks: %s", e.msg);
		p->used = 0;
		return NULL;
	}
	return p;
}

/* NULL: it is gone, or cannot be read. */
static const struct task *task_at(struct view *v, size_t row)
{
	struct tasks *ts = self(v);
	struct taskpage *p = row < ts->walk.rows.len ? page_of(ts, row) : NULL;

	if (!p)
		return NULL;
	p->used = ++ts->stamp;
	return p->list.items[row - p->start].row ? &p->list.items[row - p->start] : NULL;
}

/* What scrolling will want next. */
static void read_ahead(struct tasks *ts)
{
	size_t row = ts->v.cursor / ROWS * ROWS;

	if (row + ROWS < ts->walk.rows.len)
		page_of(ts, row + ROWS);
	if (row > 0 && row <= ts->walk.rows.len)
		page_of(ts, row - ROWS);
}

static bool tasks_idle(struct view *v, int64_t until)
{
	struct tasks *ts = self(v);

	if (ts->renews)
		renew(ts, until);
	else if (!ts->walk.complete)
		walk_on(ts, until);
	else
		read_ahead(ts);
	return ts->renews || !ts->walk.complete;
}

static void tasks_moved(struct view *v)
{
	self(v)->to_end = false;
	v->busy = true;
}

static size_t tasks_count(struct view *v)
{
	struct tasks *ts = self(v);
	struct err e = ERR_INIT;

	if (walk_to(ts, &ts->walk, v->cursor + PAGE_ROWS / 2, false, &e) < 0)
		complain(ts, &ts->walk, &e);
	return ts->walk.rows.len;
}

static bool tasks_growing(struct view *v)
{
	return !self(v)->walk.complete;
}

static bool tasks_seeking(struct view *v)
{
	return self(v)->to_end;
}

static const char *glyph_of(const struct tui *t, const struct task *k)
{
	if (k->state == TASK_OPEN)
		return k->change ? glyph(t, "◇", "o") : glyph(t, "○", "o");
	return k->state == TASK_MERGED ? glyph(t, "◆", "m") : glyph(t, "✓", "x");
}

static const char *joined(struct tui *t, const char **items, size_t n)
{
	const char *s = "";

	for (size_t i = 0; i < n; i++)
		s = arena_printf(&t->frame, "%s%s%s", s, i ? " " : "", items[i]);
	return s;
}

static void tasks_cells(struct view *v, size_t row, struct cellv *out)
{
	const struct task *k = task_at(v, row);
	struct tui *t = v->t;
	enum style st = k && k->state == TASK_OPEN ? STYLE_NORMAL : STYLE_DIM;

	if (!k)
		return;
	out[0] = (struct cellv){ glyph_of(t, k), k->state == TASK_OPEN ? STYLE_ACCENT : STYLE_DIM };
	out[1] = (struct cellv){ k->id, STYLE_ID };
	out[2] = (struct cellv){ k->title, st };
	out[3] = (struct cellv){ joined(t, k->labels, k->n_labels), STYLE_DIM };
	out[4] = (struct cellv){ k->n_threads ? arena_printf(&t->frame, "%u/%u", k->n_open, k->n_threads) : "", STYLE_DIM };
	out[5] = (struct cellv){ k->n_assignees ? who(t, &k->assignees[0]) : "", STYLE_AUTHOR };
	out[6] = (struct cellv){ k->status ? k->status : task_state_name(k->state), STYLE_DIM };
	out[7] = (struct cellv){ tui_now_relative(t, k->updated), STYLE_DATE };
	out[8] = (struct cellv){ k->source, STYLE_DIM };
}

static const char *tasks_identity(struct view *v, size_t row)
{
	const struct task *k = task_at(v, row);

	return k ? k->id : NULL;
}

static void tasks_target(struct view *v, size_t row, struct target *t)
{
	const struct task *k = task_at(v, row);

	if (!k)
		return;
	t->task = k->id;
	t->anchor = arena_printf(&v->t->frame, "task:%s", k->id);
	t->url = k->url;
	t->quote = k->title;
}

static bool tasks_act(struct view *v, enum act a, const char *arg UNUSED)
{
	struct tasks *ts = self(v);
	struct err e = ERR_INIT;

	if (a != ACT_LAST)
		return false;
	if (v->t->patience < 0 && walk_to(ts, &ts->walk, SIZE_MAX, false, &e) < 0)
		complain(ts, &ts->walk, &e);
	ts->to_end = !ts->walk.complete;
	v->busy = v->busy || ts->to_end;
	return ts->to_end;
}

static void tasks_title(struct view *v, struct buf *left, struct buf *right)
{
	struct tasks *ts = self(v);
	const char *dot = glyph(v->t, "·", "-");

	buf_addf(left, "%s %s tasks", repo_name(v->t->work->repo), dot);
	if (ts->walk.rows.len)
		buf_addf(left, " %s %zu%s", dot, ts->walk.rows.len, ts->walk.complete ? "" : "+");
	if (ts->to_end)
		buf_addf(right, "to the end%s  ", glyph(v->t, "…", "..."));
	buf_addstr(right, v->filter);
}

static void tasks_empty(struct view *v, struct styled *out)
{
	const char *kind, *remote;

	if (!self(v)->walk.complete)
		say_empty(out, v->area.w, "Searching\xe2\x80\xa6", "Keys are answered meanwhile.");
	else if (*v->filter)
		say_empty(out, v->area.w, "No task fits this query.", "/ changes it, Esc shows all tasks.");
	else if (job_find(v->t, "connect") || job_find(v->t, "pull"))
		say_empty(out, v->area.w, "The trackers are being asked.", "Their tasks stand here in a moment.");
	else if (tui_tracker(v->t, &v->t->frame, &kind, &remote))
		say_empty(out, v->area.w, "There are no tasks yet.", arena_printf(&v->t->frame, "\":connect\" connects %s (found in remote "
			"\"%s\"); \":task new\" makes a task of this repository's own.", kind, text_clean(&v->t->frame, remote, 0)));
	else
		say_empty(out, v->area.w, "There are no tasks yet.",
			"\":task new\" makes one, which every clone that syncs gets; \":source add URL\" connects a tracker.");
}

static const struct column columns[] = {
	{ .name = "state", .min = 1, .max = 1, .gap = 1 },
	{ .name = "id", .min = 6, .max = 16, .gap = 2 },
	{ .name = "title", .min = 14, .flex = true, .gap = 2 },
	{ .name = "labels", .max = 20, .from = 90, .gap = 2 },
	{ .name = "open threads", .max = 7, .from = 70, .align = COL_RIGHT, .gap = 2 },
	{ .name = "assignee", .max = 14, .from = 60, .gap = 2 },
	{ .name = "status", .max = 12, .from = 50, .gap = 2 },
	{ .name = "age", .min = 3, .max = 10, .align = COL_RIGHT, .gap = 1 },
	{ .name = "source", .max = 10, .from = 100, .gap = 1 },
	{ .name = NULL },
};

const struct view_ops tasks_view = {
	.name = "tasks", .args = "[QUERY]", .help = "tasks of every source", .complete = "query", .kind = VIEW_LIST,
	.flags = VIEW_QUERY, .size = sizeof(struct tasks), .columns = columns,
	.hints = "open=open\nfilter=filter\nask-here=ask\nback=back\nkeys=keys\ninbox=inbox",
	.open = tasks_init, .close = tasks_close, .load = tasks_load, .idle = tasks_idle, .moved = tasks_moved, .count = tasks_count,
	.growing = tasks_growing, .seeking = tasks_seeking,
	.cells = tasks_cells, .identity = tasks_identity, .target = tasks_target, .act = tasks_act, .title = tasks_title, .empty = tasks_empty,
};
