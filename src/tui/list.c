/* SPDX-License-Identifier: MIT */
/*
 * Draws lists: rows of columns. A column is as wide as its content on the screen, between its bounds, and only grows
 * while the list stands; one flexible column takes the rest. Where the screen is narrow, columns leave by their `from`,
 * and what does not fit is cut with a mark: at its end, or for paths at their head, whose end says more.
 */
#include "config.h"
#include <string.h>
#include "killick/text/sanitize.h"
#include "killick/text/width.h"
#include "ui.h"

struct drawn { struct view *v; struct rect area; int n; int width[MAX_COLUMNS]; };

static bool shown(const struct column *col, int w)
{
	return w >= col->from;
}

static int n_columns(const struct view *v)
{
	int n = 0;

	while (v->ops->columns[n].name)
		n++;
	return n;
}

static int mark_width(const struct rect *area)
{
	return area->w >= 60 ? 2 : 1;
}

static struct cellv *row_cells(struct view *v, size_t row)
{
	struct cellv *cells = arena_alloc(&v->t->frame, sizeof(*cells) * MAX_COLUMNS);

	v->ops->cells(v, row, cells);
	for (int i = 0; i < MAX_COLUMNS; i++)
		cells[i].text = cells[i].text ? text_clean(&v->t->frame, cells[i].text, TEXT_PROSE) : "";
	return cells;
}

static void grow(struct drawn *d, const struct cellv *cells)
{
	for (int i = 0; i < d->n; i++) {
		const struct column *col = &d->v->ops->columns[i];
		int w = text_width(cells[i].text);

		if (!col->flex && w > d->v->widths[i])
			d->v->widths[i] = w > col->max ? col->max : w;
	}
}

static int total(const struct drawn *d)
{
	int sum = mark_width(&d->area);

	for (int i = 0; i < d->n; i++)
		if (d->width[i] > 0)
			sum += d->width[i] + d->v->ops->columns[i].gap;
	return sum;
}

/* Takes cells from the widest column that is over its least width, until the flexible one has its own least. */
static void shrink(struct drawn *d, int flex)
{
	while (total(d) > d->area.w) {
		int widest = -1;

		for (int i = 0; i < d->n; i++)
			if (i != flex && d->width[i] > d->v->ops->columns[i].min &&
			    (widest < 0 || d->width[i] > d->width[widest]))
				widest = i;
		if (widest < 0)
			return;
		d->width[widest]--;
	}
}

static void fit_columns(struct drawn *d)
{
	int flex = -1, rest;

	for (int i = 0; i < d->n; i++) {
		const struct column *col = &d->v->ops->columns[i];

		if (col->flex)
			flex = i;
		d->width[i] = !shown(col, d->area.w) ? 0 : col->flex || d->v->widths[i] < col->min ? col->min : d->v->widths[i];
	}
	shrink(d, flex);
	rest = d->area.w - total(d);
	if (flex >= 0 && d->width[flex] + rest > 0)
		d->width[flex] += rest;
}

static const char *cut_head(struct tui *t, const char *s, int cells)
{
	int w = text_width(s), c;

	if (w <= cells)
		return s;
	while (*s && w > cells - 1) {
		s += text_cluster(s, strlen(s), &c);
		w -= c;
	}
	return arena_printf(&t->frame, "%s%s", glyph(t, "…", ">"), s);
}

static void draw_cell(struct drawn *d, int y, int x, int i, const struct cellv *cell)
{
	const struct column *col = &d->v->ops->columns[i];
	struct canvas *c = term_canvas(d->v->t->term);
	const char *s = cell->text;
	struct buf b = BUF_INIT;

	if (col->align == COL_HEAD)
		s = cut_head(d->v->t, s, d->width[i]);
	text_pad(&b, s, d->width[i], col->align == COL_RIGHT ? ALIGN_RIGHT : ALIGN_LEFT, d->v->t->ascii);
	canvas_put(c, y, x, d->width[i], cell->style, b.ptr);
	buf_release(&b);
}

static void draw_heading(struct drawn *d, int y, const struct cellv *cells)
{
	struct canvas *c = term_canvas(d->v->t->term);
	int right = canvas_put_right(c, y, d->area.x + d->area.w - 1, d->area.w / 2, STYLE_DIM, cells[1].text);

	canvas_put(c, y, d->area.x + mark_width(&d->area) - 1, d->area.w - right - 3, STYLE_HEADING, cells[0].text);
}

static void draw_row(struct drawn *d, int y, size_t row, const struct cellv *cells, bool focus)
{
	struct canvas *c = term_canvas(d->v->t->term);
	int x = d->area.x + mark_width(&d->area);

	if (view_heading(d->v, row)) {
		draw_heading(d, y, cells);
		return;
	}
	for (int i = 0; i < d->n; i++)
		if (d->width[i] > 0) {
			draw_cell(d, y, x, i, &cells[i]);
			x += d->width[i] + d->v->ops->columns[i].gap;
		}
	if (row != d->v->cursor)
		return;
	canvas_put(c, y, d->area.x + mark_width(&d->area) - 1, 1, STYLE_CURSOR, glyph(d->v->t, "▸", ">"));
	canvas_flag(c, y, d->area.x, d->area.w, focus ? CELL_CURSOR : CELL_AWAY);
}

void list_draw(struct view *v, struct rect area, bool focus)
{
	struct drawn d = { .v = v, .area = area, .n = n_columns(v) };
	size_t n = view_count(v);
	struct cellv **rows = arena_alloc(&v->t->frame, sizeof(*rows) * (size_t)(area.h + 1));

	for (int y = 0; y < area.h && v->top + (size_t)y < n; y++) {
		rows[y] = row_cells(v, v->top + (size_t)y);
		if (!view_heading(v, v->top + (size_t)y))
			grow(&d, rows[y]);
	}
	fit_columns(&d);
	for (int y = 0; y < area.h && rows[y]; y++)
		draw_row(&d, area.y + y, v->top + (size_t)y, rows[y], focus);
}

void list_row_text(struct view *v, size_t row, struct buf *out)
{
	struct cellv *cells = row_cells(v, row);
	size_t start = out->len;

	for (int i = 0; i < (view_heading(v, row) ? 2 : n_columns(v)); i++) {
		if (!*cells[i].text || !strcmp(cells[i].text, " "))
			continue;
		if (out->len > start)
			buf_addstr(out, "  ");
		buf_addstr(out, cells[i].text);
	}
}
