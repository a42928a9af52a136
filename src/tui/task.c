/* SPDX-License-Identifier: MIT */
/* A task: its words, then the threads about it, each a row that opens. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/text/sanitize.h"
#include "killick/text/width.h"
#include "rows.h"
#include "views.h"

struct task_view {
	struct view v;
	char *id;
	struct task task;
	struct thread_list threads;
	bool loaded;
};

static int task_open(struct view *v, int argc, const char *const *argv, struct err *e)
{
	struct task_view *tv = (struct task_view *)v;
	struct work *w = v->t->work;

	if (argc < 1)
		return err_set(e, ERR_USAGE, "task ID (t lists them)");
	if (index_task(w->index, &w->scope, argv[0], &v->arena, &tv->task, e) < 0)
		return -1;
	tv->id = xstrdup(tv->task.id);
	return 0;
}

static void task_close(struct view *v)
{
	free(((struct task_view *)v)->id);
}

static int task_load(struct view *v, struct err *e)
{
	struct task_view *tv = (struct task_view *)v;
	struct work *w = v->t->work;
	struct thread_find find = { .sort = SORT_CREATED, .posts = true };
	const char *query = arena_printf(&v->arena, "task:%s", tv->id);

	tv->threads = (struct thread_list){ 0 };
	tv->loaded = false;
	if (index_task(w->index, &w->scope, tv->id, &v->arena, &tv->task, e) < 0 ||
	    query_parse(&v->arena, query, clock_now(), (struct query **)&find.query, e) < 0 ||
	    index_threads(w->index, &w->scope, &find, &v->arena, &tv->threads, e) < 0)
		return -1;
	tv->loaded = true;
	return 0;
}

static const char *clean(struct task_view *tv, const char *s)
{
	return text_clean(&tv->v.arena, s ? s : "", TEXT_PROSE);
}

static void add_people(struct task_view *tv, struct buf *b)
{
	const struct task *k = &tv->task;
	const char *dot = glyph(tv->v.t, "·", "-");
	char text[TIME_RELATIVE_SIZE];

	buf_addf(b, "%s", k->status ? clean(tv, k->status) : task_state_name(k->state));
	buf_addf(b, " %s by %s %s", dot, clean(tv, who(tv->v.t, &k->author)), time_relative(text, k->created, clock_now()));
	for (size_t i = 0; i < k->n_assignees; i++)
		buf_addf(b, "%s%s", i ? ", " : arena_printf(&tv->v.arena, " %s assigned to ", dot), clean(tv, who(tv->v.t, &k->assignees[i])));
	for (size_t i = 0; i < k->n_labels; i++)
		buf_addf(b, "%s%s", i ? ", " : arena_printf(&tv->v.arena, " %s labels ", dot), clean(tv, k->labels[i]));
	buf_addf(b, " %s %s", dot, clean(tv, k->source));
}

static void tag_from(struct task_view *tv, size_t from, void *tag)
{
	for (size_t i = from; i < tv->v.text.lines.len; i++)
		tv->v.text.lines.items[i].tag = tag;
}

static void set_thread(struct task_view *tv, struct thread *th, int width)
{
	struct styled *s = &tv->v.text;
	struct tui *t = tv->v.t;
	size_t from;
	char text[TIME_RELATIVE_SIZE];

	styled_newline(s);
	from = s->lines.len;
	styled_newline(s);
	styled_add(s, thread_glyph_style(th), thread_kind_glyph(th->kind, t->ascii));
	styled_addf(s, STYLE_STRONG, " %s", clean(tv, th->title));
	styled_addf(s, STYLE_DIM, "  %s %s %s", clean(tv, th->abbrev), glyph(t, "·", "-"), thread_state_name(th->state));
	for (unsigned i = 0; i < th->n_posts && th->posts; i++) {
		const struct post *p = &th->posts[i];

		if (!p->body)
			continue;
		styled_newline(s);
		styled_addf(s, STYLE_STRONG, "    %s", clean(tv, who(t, &p->author)));
		styled_addf(s, STYLE_DATE, " %s %s", glyph(t, "·", "-"), time_relative(text, p->time, clock_now()));
		styled_markdown(s, p->body, strlen(p->body), width > 80 ? 80 : width, 4);
	}
	tag_from(tv, from, th);
}

static void task_layout(struct view *v, int width)
{
	struct task_view *tv = (struct task_view *)v;
	struct styled *s = &v->text;
	struct buf b = BUF_INIT;
	const char *title;

	if (!tv->loaded)
		return;
	width = width < 12 ? 12 : width;
	title = arena_printf(&v->arena, "%s  %s", clean(tv, tv->task.id), clean(tv, tv->task.title));
	text_wrap(s, STYLE_STRONG, title, width, 0);
	add_people(tv, &b);
	text_wrap(s, STYLE_DIM, b.ptr, width, 2);
	styled_newline(s);
	if (tv->task.body && *tv->task.body)
		styled_markdown(s, tv->task.body, strlen(tv->task.body), width > 78 ? 78 : width, 2);
	else
		text_wrap(s, STYLE_DIM, "no description", width, 2);
	for (size_t i = 0; i < tv->threads.len; i++)
		set_thread(tv, &tv->threads.items[i], width);
	if (tv->threads.len == 0) {
		styled_newline(s);
		text_wrap(s, STYLE_DIM, "No threads about this task yet: a asks about it, c writes another kind.", width, 2);
	}
	styled_newline(s);
	buf_release(&b);
}

static void task_target(struct view *v, size_t row, struct target *t)
{
	struct task_view *tv = (struct task_view *)v;
	struct thread *th = view_tag(v, row);

	if (!tv->loaded)
		return;
	if (th)
		thread_target(v->t, th, t);
	t->task = tv->task.id;
	t->anchor = arena_printf(&v->t->frame, "task:%s", tv->task.id);
	if (!th) {
		t->url = tv->task.url;
		t->quote = tv->task.body;
	}
}

/* From thread to thread: the next line that begins another one. */
static bool task_act(struct view *v, enum act a, const char *arg)
{
	size_t row = v->cursor, n = view_count(v);
	void *tag = view_tag(v, row);

	(void)arg;
	if (a != ACT_NEXT_THREAD && a != ACT_PREV_THREAD)
		return false;
	for (;;) {
		row += a == ACT_NEXT_THREAD ? (size_t)1 : SIZE_MAX;
		if (row >= n) {
			tui_say(v->t, MSG_INFO, "no more threads about this task");
			return true;
		}
		if (view_tag(v, row) && view_tag(v, row) != tag) {
			view_show(v, row);
			return true;
		}
	}
}

static void task_title(struct view *v, struct buf *left, struct buf *right)
{
	struct task_view *tv = (struct task_view *)v;

	buf_addf(left, "%s %s task %s", repo_name(v->t->work->repo), glyph(v->t, "·", "-"), tv->id);
	if (tv->loaded)
		buf_addf(right, "%zu thread%s", tv->threads.len, tv->threads.len == 1 ? "" : "s");
}

const struct view_ops task_view = {
	.name = "task", .args = "ID", .help = "a task with its threads", .complete = "task", .kind = VIEW_TEXT,
	.flags = VIEW_PROSE, .size = sizeof(struct task_view),
	.hints = "ask-here=ask\nopen=open thread\nreply-here=reply\nback=back\nnext-thread=next thread\nkeys=keys\nyank=copy",
	.open = task_open, .close = task_close, .load = task_load, .layout = task_layout, .target = task_target,
	.act = task_act, .title = task_title,
};
