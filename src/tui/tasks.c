/* SPDX-License-Identifier: MIT */
/* Tasks of every source, by a query; read page by page. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/text/sanitize.h"
#include "rows.h"
#include "views.h"

/* What is at hand is a run of rows from the start: tasks are few beside threads, and a screen is some dozens. */
struct tasks {
	struct view v;
	struct task_list list;
	bool more;
};

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

static void tasks_close(struct view *v)
{
	array_release(&((struct tasks *)v)->list);
}

static int read_more(struct tasks *ts, size_t limit, struct err *e)
{
	struct work *w = ts->v.t->work;
	struct task_list page = { 0 };

	if (index_tasks(w->index, &w->scope, ts->v.query, limit, ts->list.len, &ts->v.arena, &page, e) < 0)
		return -1;
	for (size_t i = 0; i < page.len; i++)
		*array_add(&ts->list) = page.items[i];
	ts->more = page.more && page.len;
	return 0;
}

static int tasks_load(struct view *v, struct err *e)
{
	struct tasks *ts = (struct tasks *)v;

	array_release(&ts->list);
	return read_more(ts, v->cursor + PAGE_ROWS, e);
}

static void reach(struct tasks *ts, size_t row)
{
	struct err e = ERR_INIT;

	while (ts->more && ts->list.len <= row)
		if (read_more(ts, PAGE_ROWS * 4, &e) < 0)
			ts->more = false;
}

static size_t tasks_count(struct view *v)
{
	struct tasks *ts = (struct tasks *)v;

	if (ts->list.len < v->cursor + PAGE_ROWS / 2)
		reach(ts, v->cursor + PAGE_ROWS / 2);
	return ts->list.len;
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
	struct tasks *ts = (struct tasks *)v;
	const struct task *k = &ts->list.items[row];
	struct tui *t = v->t;
	enum style st = k->state == TASK_OPEN ? STYLE_NORMAL : STYLE_DIM;

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
	return ((struct tasks *)v)->list.items[row].id;
}

static void tasks_target(struct view *v, size_t row, struct target *t)
{
	struct tasks *ts = (struct tasks *)v;
	const struct task *k;

	if (row >= ts->list.len)
		return;
	k = &ts->list.items[row];
	t->task = k->id;
	t->anchor = arena_printf(&v->t->frame, "task:%s", k->id);
	t->url = k->url;
	t->quote = k->title;
}

static bool tasks_act(struct view *v, enum act a, const char *arg)
{
	(void)arg;
	if (a == ACT_LAST)
		reach((struct tasks *)v, SIZE_MAX);
	return false;
}

static void tasks_title(struct view *v, struct buf *left, struct buf *right)
{
	struct tasks *ts = (struct tasks *)v;
	const char *dot = glyph(v->t, "·", "-");

	buf_addf(left, "%s %s tasks", repo_name(v->t->work->repo), dot);
	if (ts->list.len)
		buf_addf(left, " %s %zu%s", dot, ts->list.len, ts->more ? "+" : "");
	buf_addstr(right, v->filter);
}

static void tasks_empty(struct view *v, struct styled *out)
{
	const char *kind, *remote;

	if (*v->filter)
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
	.open = tasks_init, .close = tasks_close, .load = tasks_load, .count = tasks_count, .cells = tasks_cells,
	.identity = tasks_identity, .target = tasks_target, .act = tasks_act, .title = tasks_title, .empty = tasks_empty,
};
