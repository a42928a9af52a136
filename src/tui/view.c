/* SPDX-License-Identifier: MIT */
/*
 * The engine under every view: loading, the cursor, scrolling, filtering and searching over numbered rows of height one.
 * A load keeps the cursor with the row it was on (by the row's identity) and that row where it was on the screen, so
 * that nothing moves under the eyes when another process writes. Searching goes in slices: 100,000 rows or 100 MB are
 * looked through while keys are still answered.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/text/width.h"
#include "ui.h"

struct view *view_new(struct tui *t, const struct view_ops *ops, int argc, const char *const *argv, struct err *e)
{
	struct view *v = xcalloc(1, ops->size);

	v->ops = ops;
	v->t = t;
	v->filter = xstrdup("");
	v->mark = SIZE_MAX;
	if (ops->open && ops->open(v, argc, argv, e) < 0) {
		view_free(v);
		return NULL;
	}
	v->ready = true;
	view_load(v);
	return v;
}

void view_free(struct view *v)
{
	if (!v)
		return;
	if (v->ops->close)
		v->ops->close(v);
	arena_release(&v->arena);
	arena_release(&v->query_arena);
	styled_release(&v->text);
	free(v->filter);
	free(v->filter_before);
	free(v->find.text);
	free(v->problem);
	free(v);
}

const struct view_ops *view_ops_find(const char *name)
{
	for (size_t i = 0; view_table[i]; i++)
		if (!strcmp(view_table[i]->name, name))
			return view_table[i];
	return NULL;
}

static size_t height(const struct view *v)
{
	return v->area.h > 0 ? (size_t)v->area.h : 20;
}

/* As many rows of the text as are asked for, if it has them. */
static void reach(struct view *v, size_t rows)
{
	while (v->unfinished && v->text.lines.len < rows)
		v->unfinished = v->ops->layout_more(v);
}

void view_whole(struct view *v)
{
	reach(v, SIZE_MAX);
}

/* Of a long text: as far as the next few keys can go. */
size_t view_count(struct view *v)
{
	reach(v, v->cursor + 4 * height(v));
	return v->ops->count ? v->ops->count(v) : v->text.lines.len;
}

bool view_heading(struct view *v, size_t row)
{
	return v->ops->heading && v->ops->heading(v, row);
}

void *view_tag(struct view *v, size_t row)
{
	return row < v->text.lines.len ? v->text.lines.items[row].tag : NULL;
}

/* ---- loading */

static char *identity_of(struct view *v, size_t row)
{
	const char *id = v->ops->identity && row < view_count(v) ? v->ops->identity(v, row) : NULL;

	return id ? xstrdup(id) : NULL;
}

/* Looks near the old row first: what others write seldom moves a row far. */
static size_t find_identity(struct view *v, const char *id, size_t hint)
{
	size_t n = view_count(v);

	if (v->ops->find_identity)
		return v->ops->find_identity(v, id, hint);
	for (size_t d = 0; d < PAGE_ROWS; d++)
		for (int side = 0; side < 2; side++) {
			size_t row = side ? hint + d : hint - d;
			const char *other = row < n ? v->ops->identity(v, row) : NULL;

			if (other && !strcmp(other, id))
				return row;
		}
	return SIZE_MAX;
}

static void set_text(struct view *v)
{
	styled_release(&v->text);
	v->text = (struct styled)STYLED_INIT;
	v->unfinished = v->ops->layout_more != NULL;
	v->ops->layout(v, v->width);
	if (v->t->plain)
		view_whole(v);
}

void view_load(struct view *v)
{
	char *id = v->touched ? identity_of(v, v->cursor) : NULL;
	size_t offset = v->cursor - v->top;
	struct err e = ERR_INIT;

	v->stale = false;
	free(v->problem);
	v->problem = NULL;
	arena_clear(&v->arena);
	if (v->ops->load && v->ops->load(v, &e) < 0)
		v->problem = xstrdup(e.msg);
	if (v->ops->layout && v->width)
		set_text(v);
	if (id) {
		size_t row = find_identity(v, id, v->cursor);

		if (row != SIZE_MAX) {
			v->cursor = row;
			v->top = row > offset ? row - offset : 0;
		}
		free(id);
	}
	v->busy = v->ops->idle != NULL;
	v->t->dirty = true;
}

/* ---- what was asked for before it was known */

static bool find_slice(struct view *v);

static bool growing(struct view *v)
{
	return v->unfinished || (v->ops->growing && v->ops->growing(v));
}

static bool coming(struct view *v, size_t row)
{
	return v->ops->coming && v->ops->coming(v, row);
}

bool view_pending(struct view *v)
{
	if (v->problem)
		return false;
	return v->to_end || v->to_row || v->find.on || v->find.waits || (v->ops->seeking && v->ops->seeking(v)) ||
		(view_count(v) ? coming(v, v->cursor) : growing(v));
}

static void go_where_asked(struct view *v)
{
	size_t row = v->to_row - 1;

	if (v->to_row && (view_count(v) > row || !growing(v)))
		view_goto(v, row);
	if (v->to_end && !growing(v))
		view_goto(v, SIZE_MAX - 1);
}

static void set_more(struct view *v, int64_t until)
{
	trace("tui", "%s: %zu rows are set, the others follow", v->ops->name, v->text.lines.len);
	while (v->unfinished && !tui_time_over(v->t, until))
		v->unfinished = v->ops->layout_more(v);
	if (v->unfinished)
		return;
	if (v->find.waits)
		view_find_again(v, v->find.waits);
}

bool view_idle(struct view *v, int64_t until)
{
	bool more = false;

	if (v->unfinished) {
		set_more(v, until);
		go_where_asked(v);
		return true;
	}
	if (v->busy && v->ops->idle) {
		v->busy = v->ops->idle(v, until);
		more = v->busy;
	}
	go_where_asked(v);
	if (v->find.on)
		more = find_slice(v) || more;
	return more;
}

/* ---- the cursor */

static void moved(struct view *v, size_t before)
{
	v->touched = true;
	v->to_end = v->find.on = false;
	v->to_row = 0;
	v->find.waits = 0;
	if (v->cursor != before && v->ops->moved)
		v->ops->moved(v);
	v->t->dirty = true;
}

/* The nearest row at or after `row` (dir 1) or before it that the cursor may stand on; SIZE_MAX: none. */
static size_t choosable(struct view *v, size_t row, int dir)
{
	size_t n = view_count(v);

	while (row < n) {
		if (!view_heading(v, row))
			return row;
		if (dir < 0 && row == 0)
			break;
		row += (size_t)(long)dir;
	}
	return SIZE_MAX;
}

void view_fix(struct view *v)
{
	size_t n = view_count(v), h = height(v), row;

	if (n == 0) {
		v->cursor = v->top = 0;
		return;
	}
	if (v->cursor >= n)
		v->cursor = n - 1;
	row = choosable(v, v->cursor, 1);
	if (row == SIZE_MAX)
		row = choosable(v, v->cursor, -1);
	v->cursor = row == SIZE_MAX ? 0 : row;
	if (v->top > v->cursor)
		v->top = v->cursor;
	if (v->cursor >= v->top + h)
		v->top = v->cursor - h + 1;
	if (v->top + h > n)
		v->top = n > h ? n - h : 0;
	while (v->top > 0 && v->top == v->cursor && h > 1 && view_heading(v, v->top - 1))
		v->top--;
}

void view_move(struct view *v, long rows)
{
	size_t before = v->cursor, n = view_count(v), row;
	int dir = rows < 0 ? -1 : 1;

	for (long i = 0; i != rows; i += dir) {
		if (dir < 0 && v->cursor == 0)
			break;
		row = v->cursor + (size_t)(long)dir < n ? choosable(v, v->cursor + (size_t)(long)dir, dir) : SIZE_MAX;
		if (row == SIZE_MAX)
			break;
		v->cursor = row;
	}
	if (dir < 0 && v->cursor == before)
		v->top = 0;
	view_fix(v);
	moved(v, before);
}

void view_page(struct view *v, int halves)
{
	size_t before = v->cursor, n = view_count(v), h = height(v), step = h > 1 ? h - 1 : 1;
	long by = (long)(halves % 2 ? (h + 1) / 2 : step) * (halves < 0 ? -1 : 1);

	if (n == 0)
		return;
	v->cursor = by < 0 ? (v->cursor > (size_t)-by ? v->cursor - (size_t)-by : 0) :
		v->cursor + (size_t)by < n ? v->cursor + (size_t)by : n - 1;
	v->top = by < 0 ? (v->top > (size_t)-by ? v->top - (size_t)-by : 0) : v->top + (size_t)by;
	view_fix(v);
	moved(v, before);
}

void view_goto(struct view *v, size_t row)
{
	size_t before = v->cursor, n;

	reach(v, row + 1);
	n = view_count(v);
	if (n == 0)
		return;
	v->cursor = row < n ? row : n - 1;
	if (row == 0)
		v->top = 0;
	view_fix(v);
	moved(v, before);
}

void view_goto_known(struct view *v, size_t row)
{
	if (row >= view_count(v) && v->ops->growing && v->ops->growing(v))
		v->to_row = row + 1, v->t->dirty = true;
	else
		view_goto(v, row);
}

void view_last(struct view *v)
{
	if (v->t->patience < 0)
		view_whole(v);
	if (growing(v))
		v->to_end = v->t->dirty = true;
	else
		view_goto(v, SIZE_MAX - 1);
}

void view_show(struct view *v, size_t row)
{
	size_t h = height(v);

	if (row < v->top || row >= v->top + h)
		v->top = row > h / 2 ? row - h / 2 : 0;
	view_goto(v, row);
}

void view_scroll(struct view *v, long rows)
{
	size_t before = v->cursor, n = view_count(v), h = height(v);

	if (rows < 0)
		v->top = v->top > (size_t)-rows ? v->top - (size_t)-rows : 0;
	else if (v->top + h < n)
		v->top = v->top + (size_t)rows + h > n ? n - h : v->top + (size_t)rows;
	if (v->cursor < v->top)
		v->cursor = v->top;
	if (v->cursor >= v->top + h)
		v->cursor = v->top + h - 1;
	view_fix(v);
	moved(v, before);
}

void view_target(struct view *v, struct target *t)
{
	memset(t, 0, sizeof(*t));
	if (v->ops->target && !v->problem && (v->cursor < view_count(v) || view_count(v) == 0))
		v->ops->target(v, v->cursor, t);
}

/* ---- filtering and searching */

static const char *first_words(const struct query *q)
{
	const char *s;

	if (!q || q->op == Q_NOT)
		return NULL;
	if (q->op == Q_TEXT)
		return q->value;
	s = q->left ? first_words(q->left) : NULL;
	return s ? s : q->right ? first_words(q->right) : NULL;
}

static void find_set(struct view *v, const char *text)
{
	free(v->find.text);
	v->find = (struct find){ .text = text && *text ? xstrdup(text) : NULL, .fold = true };
	for (const char *p = text; p && *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			v->find.fold = false;
}

int view_set_filter(struct view *v, const char *text, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct query *q;

	if (query_parse(&a, text, clock_now(), &q, e) < 0) {
		arena_release(&a);
		return -1;
	}
	repo_query_anchors(v->t->work->repo, &a, q);
	arena_release(&v->query_arena);
	v->query_arena = a;
	v->query = q->op == Q_ALL ? NULL : q;
	if (strcmp(text, v->filter)) {
		char *copy = xstrdup(text);

		free(v->filter);
		v->filter = copy;
		find_set(v, first_words(v->query));
		v->find.fold = true;
		v->cursor = v->top = 0;
		v->touched = false;
		if (v->ready)
			view_load(v);
	}
	return 0;
}

static bool row_matches(struct view *v, size_t row, struct buf *b)
{
	buf_reset(b);
	view_row_text(v, row, b);
	return (v->find.fold ? strcasestr(b->ptr, v->find.text) : strstr(b->ptr, v->find.text)) != NULL;
}

/* false: what is next is not known yet. */
static bool find_step(struct view *v)
{
	size_t n = view_count(v);
	bool round = v->find.dir > 0 ? v->find.at + 1 >= n : v->find.at == 0;

	if (round && growing(v))
		return false;
	v->find.at = !round ? v->find.at + (size_t)(long)v->find.dir : v->find.dir > 0 ? 0 : n - 1;
	return true;
}

enum found { FOUND, FOUND_NOT, FOUND_LATER, FOUND_NOTHING };

/* One row: the next one to look at. */
static enum found find_row(struct view *v, struct buf *b)
{
	if (v->find.seen >= view_count(v) && !growing(v))
		return FOUND_NOTHING;
	if (!find_step(v))
		return FOUND_LATER;
	if (v->find.at < view_count(v) && !view_heading(v, v->find.at)) {
		if (row_matches(v, v->find.at, b))
			return FOUND;
		/* Its words are not at hand: it is looked at again. */
		if (coming(v, v->find.at)) {
			v->find.at -= (size_t)(long)v->find.dir;
			return FOUND_LATER;
		}
	}
	v->find.seen++;
	return FOUND_NOT;
}

/* true: goes on at once; what waits for rows goes on when they have come. */
static bool find_slice(struct view *v)
{
	int64_t until = clock_mono() + SLICE_MS;
	enum found got = FOUND_NOT;
	struct buf b = BUF_INIT;

	while (got == FOUND_NOT && clock_mono() <= until)
		for (int i = 0; i < 16 && got == FOUND_NOT; i++)
			got = find_row(v, &b);
	v->find.on = got == FOUND_NOT || got == FOUND_LATER;
	if (got == FOUND)
		view_show(v, v->find.at);
	else if (got == FOUND_NOTHING)
		tui_say(v->t, MSG_INFO, "\"%s\" is not here", v->find.text);
	buf_release(&b);
	return got == FOUND_NOT;
}

void view_find_again(struct view *v, int dir)
{
	if (!v->find.text) {
		tui_say(v->t, MSG_INFO, "nothing was searched for yet: / searches");
		return;
	}
	if (v->t->patience < 0)
		view_whole(v);
	v->find.waits = v->unfinished ? dir : 0;
	if (v->unfinished)
		return;
	v->find.dir = dir;
	v->find.at = v->cursor;
	v->find.seen = 0;
	v->busy = v->busy || v->ops->idle;
	find_slice(v);
}

void view_find(struct view *v, const char *text, int dir)
{
	find_set(v, text);
	if (v->find.text)
		view_find_again(v, dir);
}

/* ---- drawing */

void view_row_text(struct view *v, size_t row, struct buf *out)
{
	if (v->ops->kind == VIEW_LIST)
		list_row_text(v, row, out);
	else
		textview_row_text(v, row, out);
}

static void mark_matches(struct view *v, struct rect r)
{
	struct canvas *c = term_canvas(v->t->term);
	size_t len = strlen(v->find.text);
	struct buf b = BUF_INIT;
	int *at = xcalloc((size_t)r.w + 1, sizeof(*at));
	const char *p;

	for (int x = 0; x < r.w; x++) {
		at[x] = (int)b.len;
		buf_addstr(&b, canvas_at(c, r.y, r.x + x)->text);
	}
	for (p = b.ptr; (p = v->find.fold ? strcasestr(p, v->find.text) : strstr(p, v->find.text)) != NULL; p += len)
		for (int x = 0; x < r.w; x++)
			if (at[x] >= p - b.ptr && at[x] < p - b.ptr + (long)len)
				canvas_flag(c, r.y, r.x + x, 1, CELL_MATCH);
	buf_release(&b);
	free(at);
}

static void draw_lines(struct view *v, struct rect area, const struct styled *s)
{
	struct canvas *c = term_canvas(v->t->term);

	for (size_t i = 0; i < s->lines.len && (int)i < area.h; i++) {
		int x = area.x + 1;

		for (size_t j = 0; j < s->lines.items[i].n; j++) {
			const struct span *sp = &s->lines.items[i].spans[j];

			x += canvas_putn(c, area.y + (int)i, x, area.x + area.w - x, sp->style, sp->text, sp->len);
		}
	}
}

static void draw_problem(struct view *v, struct rect area)
{
	struct styled s = STYLED_INIT;

	styled_newline(&s);
	text_wrap(&s, STYLE_ERROR, v->problem, area.w - 2, 0);
	styled_newline(&s);
	text_wrap(&s, STYLE_DIM, "F5 tries again; \":doctor\" says what is wrong with the set-up.", area.w - 2, 0);
	draw_lines(v, area, &s);
	styled_release(&s);
}

static void draw_empty(struct view *v, struct rect area)
{
	struct styled s = STYLED_INIT;

	if (v->ops->empty)
		v->ops->empty(v, &s);
	draw_lines(v, area, &s);
	styled_release(&s);
}

size_t view_fit(struct view *v, int w)
{
	if (v->stale && !(prompt_holds_still(v->t) && view_count(v)))
		view_load(v);
	if (v->ops->layout && v->width != w - 1 - text_margin(v, w) && w > 2) {
		size_t n = v->text.lines.len, cursor = v->cursor;

		v->width = w - 1 - text_margin(v, w);
		set_text(v);
		/* The place in the text is kept in proportion: lines have no names. */
		if (n && v->text.lines.len != n && !v->ops->identity && !v->ops->layout_more)
			v->cursor = cursor * v->text.lines.len / n;
	}
	return view_count(v);
}

void view_draw(struct view *v, struct rect area, bool focus)
{
	v->area = area;
	view_fit(v, area.w);
	if (v->problem) {
		draw_problem(v, area);
		return;
	}
	view_fix(v);
	if (view_count(v) == 0) {
		draw_empty(v, area);
		return;
	}
	if (v->ops->kind == VIEW_LIST)
		list_draw(v, area, focus);
	else
		textview_draw(v, area, focus);
	for (int y = 0; v->find.text && y < area.h; y++)
		mark_matches(v, (struct rect){ area.y + y, area.x, 1, area.w });
}
