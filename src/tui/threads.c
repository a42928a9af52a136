/* SPDX-License-Identifier: MIT */
/*
 * Lists of threads by a query: "threads" as they were last touched, "search" over every word, best match first. The
 * rows are read page by page; they are counted when nothing else is to be done.
 */
#include "config.h"
#include <string.h>
#include "rows.h"
#include "views.h"

struct threads { struct view v; struct pager pager; };

static bool by_words(const struct query *q)
{
	return q && (q->op == Q_TEXT || by_words(q->left) || by_words(q->right));
}

static int fetch(void *ctx, struct thread_find *f, struct arena *a, struct thread_list *out, uint64_t *total, struct err *e)
{
	struct threads *th = ctx;
	struct work *w = th->v.t->work;

	(void)total;
	f->query = th->v.query;
	f->sort = th->pager.by_time ? SORT_UPDATED : SORT_MATCH;
	return index_threads(w->index, &w->scope, f, a, out, e);
}

static int count(void *ctx, uint64_t *total, struct err *e)
{
	struct threads *th = ctx;
	struct work *w = th->v.t->work;

	return index_count_threads(w->index, &w->scope, th->v.query, total, e);
}

static int threads_init(struct view *v, int argc, const char *const *argv, struct err *e)
{
	struct threads *th = (struct threads *)v;
	struct buf words = BUF_INIT;
	int rc;

	th->pager = (struct pager){ .fetch = fetch, .count = count, .ctx = th, .view = v };
	for (int i = 0; i < argc; i++)
		buf_addf(&words, "%s%s", i ? " " : "", argv[i]);
	rc = view_set_filter(v, words.ptr, e);
	buf_release(&words);
	return rc;
}

static void threads_close(struct view *v)
{
	pager_release(&((struct threads *)v)->pager);
}

static int threads_load(struct view *v, struct err *e)
{
	((struct threads *)v)->pager.by_time = !by_words(v->query);
	return pager_load(&((struct threads *)v)->pager, v->cursor, e);
}

static bool threads_idle(struct view *v, int64_t until)
{
	struct threads *th = (struct threads *)v;

	(void)until;
	if (!pager_idle(&th->pager))
		return !th->pager.counted && (pager_count(&th->pager), true);
	v->t->dirty = true;
	return true;
}

/* Who moves does not want to go to the end any more. */
static void threads_moved(struct view *v)
{
	((struct threads *)v)->pager.to_end = false;
	v->busy = true;
}

static size_t threads_count(struct view *v)
{
	return ((struct threads *)v)->pager.total;
}

static bool threads_growing(struct view *v)
{
	return pager_growing(&((struct threads *)v)->pager);
}

static bool threads_coming(struct view *v, size_t row)
{
	return pager_coming(&((struct threads *)v)->pager, row);
}

static bool threads_seeking(struct view *v)
{
	return ((struct threads *)v)->pager.to_end;
}

static const struct thread *thread_at(struct view *v, size_t row)
{
	return pager_row(&((struct threads *)v)->pager, row);
}

static void threads_cells(struct view *v, size_t row, struct cellv *out)
{
	const struct thread *th = thread_at(v, row);

	if (th)
		thread_cells(v->t, th, false, out);
}

static const char *threads_identity(struct view *v, size_t row)
{
	const struct thread *th = thread_at(v, row);

	return th ? th->id : NULL;
}

static size_t threads_find_identity(struct view *v, const char *id, size_t hint)
{
	(void)hint;
	return pager_find(&((struct threads *)v)->pager, id);
}

static void threads_target(struct view *v, size_t row, struct target *t)
{
	const struct thread *th = thread_at(v, row);

	if (th)
		thread_target(v->t, th, t);
}

static bool threads_act(struct view *v, enum act a, const char *arg)
{
	(void)arg;
	return a == ACT_LAST && pager_to_end(&((struct threads *)v)->pager);
}

static void threads_title(struct view *v, struct buf *left, struct buf *right)
{
	const struct pager *p = &((struct threads *)v)->pager;

	buf_addf(left, "%s %s %s", repo_name(v->t->work->repo), glyph(v->t, "·", "-"), v->ops->name);
	if (p->total)
		buf_addf(left, " %s %zu%s", glyph(v->t, "·", "-"), p->total, p->counted ? "" : "+");
	if (p->to_end)
		buf_addf(right, "to the end%s  ", glyph(v->t, "…", "..."));
	buf_addstr(right, v->filter);
}

static void threads_empty(struct view *v, struct styled *out)
{
	if (say_searching(&((struct threads *)v)->pager, out, v->area.w))
		return;
	if (*v->filter)
		say_empty(out, v->area.w, "No thread fits this query.",
			"/ changes it (is:open kind:question on:src by:ana updated:<2w \"two words\"; Tab completes), Esc shows all threads.");
	else if (!say_reading(v->t, out, v->area.w))
		say_empty(out, v->area.w, "There are no threads yet.", "F lists the files: Enter opens one, a asks about its line.");
}

static void search_typed(struct tui *t, const char *text)
{
	struct err e = ERR_INIT;

	if (view_set_filter(tui_view(t), text, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
}

static void search_changed(struct tui *t, const char *text)
{
	struct err e = ERR_INIT;

	if (view_set_filter(tui_view(t), text, &e) < 0)
		prompt_note(t, true, "%s", e.msg);
	else
		prompt_note(t, false, "%s", "");
}

static int search_init(struct view *v, int argc, const char *const *argv, struct err *e)
{
	static const struct prompt_ops ops = { .history = "filter", .changed = search_changed, .done = search_typed };

	if (threads_init(v, argc, argv, e) < 0)
		return -1;
	/* Opened by a key: the words are typed now, and the list follows. */
	if (!argc)
		prompt_open(v->t, &ops, "search: ", "");
	return 0;
}

#define COMMON \
	.args = "[QUERY]", .complete = "query", .kind = VIEW_LIST, .flags = VIEW_QUERY, .size = sizeof(struct threads), \
	.columns = thread_columns, .close = threads_close, .load = threads_load, .idle = threads_idle, .count = threads_count, \
	.growing = threads_growing, .coming = threads_coming, .seeking = threads_seeking, \
	.cells = threads_cells, .identity = threads_identity, .find_identity = threads_find_identity, .target = threads_target, \
	.act = threads_act, .moved = threads_moved, .title = threads_title, .empty = threads_empty, \
	.hints = "open=open\nfilter=filter\nreply-here=reply\ntoggle-resolved=resolve\nback=back\nkeys=keys\ninbox=inbox"

const struct view_ops threads_view = {
	.name = "threads", .help = "threads by a query, the latest first", .open = threads_init, COMMON,
};
const struct view_ops search_view = {
	.name = "search", .help = "search in every word that was written", .open = search_init, COMMON,
};
