/* SPDX-License-Identifier: MIT */
/* The inbox: what waits for me, what I wait for, what is new in what I touch; three paged lists under their headings. */
#include "config.h"
#include <string.h>
#include "rows.h"
#include "views.h"

struct inbox;
struct section { struct inbox *in; enum inbox_section which; struct pager pager; };
struct inbox { struct view v; struct section sections[INBOX_SECTIONS]; };

static int fetch(void *ctx, struct thread_find *f, struct arena *a, struct thread_list *out, uint64_t *total, struct err *e)
{
	struct section *s = ctx;
	struct work *w = s->in->v.t->work;

	f->query = s->in->v.query;
	return index_inbox_page(w->index, &w->scope, s->which, f, a, out, total, e);
}

static int inbox_init(struct view *v, int argc, const char *const *argv, struct err *e)
{
	struct inbox *in = (struct inbox *)v;

	for (int i = 0; i < INBOX_SECTIONS; i++)
		in->sections[i] = (struct section){ in, (enum inbox_section)i, { .fetch = fetch, .ctx = &in->sections[i],
			.by_time = true, .view = v } };
	return argc ? view_set_filter(v, argv[0], e) : 0;
}

static void inbox_close(struct view *v)
{
	for (int i = 0; i < INBOX_SECTIONS; i++)
		pager_release(&((struct inbox *)v)->sections[i].pager);
}

/* A section takes a heading and its rows; an empty one takes nothing. */
static size_t rows_of(const struct section *s)
{
	return s->pager.total ? s->pager.total + 1 : 0;
}

static struct section *at(struct view *v, size_t row, size_t *inside)
{
	struct inbox *in = (struct inbox *)v;

	for (int i = 0; i < INBOX_SECTIONS; i++) {
		size_t n = rows_of(&in->sections[i]);

		if (row < n) {
			*inside = row;
			return &in->sections[i];
		}
		row -= n;
	}
	return NULL;
}

static int inbox_load(struct view *v, struct err *e)
{
	struct inbox *in = (struct inbox *)v;
	size_t row = v->cursor;

	for (int i = 0; i < INBOX_SECTIONS; i++) {
		size_t n = rows_of(&in->sections[i]), near = row < n && row > 0 ? row - 1 : 0;

		row = row < n ? SIZE_MAX : row - n;
		if (pager_load(&in->sections[i].pager, near, e) < 0)
			return -1;
	}
	return 0;
}

static bool inbox_idle(struct view *v, int64_t until)
{
	struct inbox *in = (struct inbox *)v;
	bool more = false;

	(void)until;
	for (int i = 0; i < INBOX_SECTIONS; i++)
		if ((in->sections[i].pager.total || pager_reading(&in->sections[i].pager)) && pager_idle(&in->sections[i].pager))
			more = v->t->dirty = true;
	return more;
}

static void inbox_moved(struct view *v)
{
	v->busy = true;
}

static size_t inbox_count(struct view *v)
{
	struct inbox *in = (struct inbox *)v;
	size_t n = 0;

	for (int i = 0; i < INBOX_SECTIONS; i++)
		n += rows_of(&in->sections[i]);
	return n;
}

static bool inbox_heading(struct view *v, size_t row)
{
	size_t inside;

	return at(v, row, &inside) && inside == 0;
}

static const struct thread *thread_at(struct view *v, size_t row)
{
	size_t inside;
	struct section *s = at(v, row, &inside);

	return s && inside ? pager_row(&s->pager, inside - 1) : NULL;
}

static bool inbox_growing(struct view *v)
{
	struct inbox *in = (struct inbox *)v;
	bool growing = false;

	for (int i = 0; i < INBOX_SECTIONS; i++)
		growing = growing || pager_growing(&in->sections[i].pager);
	return growing;
}

static bool inbox_coming(struct view *v, size_t row)
{
	size_t inside;
	struct section *s = at(v, row, &inside);

	return s && inside && pager_coming(&s->pager, inside - 1);
}

static void inbox_cells(struct view *v, size_t row, struct cellv *out)
{
	static const char *const names[] = { "waiting for me", "waiting for others", "new in what I touch" };
	size_t inside;
	struct section *s = at(v, row, &inside);
	const struct thread *th = thread_at(v, row);

	if (s && inside == 0) {
		out[0] = (struct cellv){ names[s->which], STYLE_HEADING };
		out[1] = (struct cellv){ arena_printf(&v->t->frame, "%zu", s->pager.total), STYLE_DIM };
	} else if (th) {
		thread_cells(v->t, th, s->which == INBOX_FOR_OTHERS, out);
	}
}

static const char *inbox_identity(struct view *v, size_t row)
{
	const struct thread *th = thread_at(v, row);

	return th ? th->id : NULL;
}

static size_t inbox_find_identity(struct view *v, const char *id, size_t hint)
{
	struct inbox *in = (struct inbox *)v;
	size_t before = 0;

	(void)hint;
	for (int i = 0; i < INBOX_SECTIONS; before += rows_of(&in->sections[i++])) {
		size_t row = pager_find(&in->sections[i].pager, id);

		if (row != SIZE_MAX)
			return before + 1 + row;
	}
	return SIZE_MAX;
}

static void inbox_target(struct view *v, size_t row, struct target *t)
{
	const struct thread *th = thread_at(v, row);

	if (th)
		thread_target(v->t, th, t);
}

static void inbox_title(struct view *v, struct buf *left, struct buf *right)
{
	buf_addf(left, "%s %s inbox", repo_name(v->t->work->repo), glyph(v->t, "·", "-"));
	buf_addstr(right, v->filter);
}

static void inbox_empty(struct view *v, struct styled *out)
{
	for (int i = 0; i < INBOX_SECTIONS; i++)
		if (say_searching(&((struct inbox *)v)->sections[i].pager, out, v->area.w))
			return;
	if (*v->filter)
		say_empty(out, v->area.w, "Nothing in the inbox fits this filter.", "Esc takes the filter away, S searches all threads.");
	else if (say_reading(v->t, out, v->area.w))
		return;
	else if (!start_is_over(v->t))
		say_empty(out, v->area.w, "There are no threads yet.",
			"F lists the files: Enter opens one, a asks about its line. \":start\" shows what else can be done.");
	else
		say_empty(out, v->area.w, "Nothing waits for you, and you wait for nobody.",
			"S lists all threads, F the files (Enter, then a asks about a line), s fetches what others wrote.");
}

const struct view_ops inbox_view = {
	.name = "inbox", .args = "[QUERY]", .help = "what waits for me, what I wait for, what is new", .complete = "query",
	.kind = VIEW_LIST, .flags = VIEW_QUERY, .size = sizeof(struct inbox), .columns = thread_columns,
	.hints = "open=open\nreply-here=reply\ntoggle-resolved=resolve\nedit-code=edit code\nask-here=ask\nkeys=keys\nfiles=files\n"
		"search=all threads\nsync-now=sync",
	.open = inbox_init, .close = inbox_close, .load = inbox_load, .idle = inbox_idle, .growing = inbox_growing, .coming = inbox_coming,
	.moved = inbox_moved, .count = inbox_count, .heading = inbox_heading,
	.cells = inbox_cells, .identity = inbox_identity, .find_identity = inbox_find_identity, .target = inbox_target, .title = inbox_title, .empty = inbox_empty,
};
