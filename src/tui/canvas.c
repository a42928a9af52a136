/* SPDX-License-Identifier: MIT */
/*
 * The grid of cells. Everything that a screen shows comes through canvas_putn, which is therefore the one place where
 * text from outside is cleaned for the screen: views clean what they keep so that widths agree, this is the net below.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "canvas.h"
#include "killick/text/sanitize.h"
#include "killick/text/width.h"

static void cell_blank(struct cell *cell, enum style st)
{
	memset(cell, 0, sizeof(*cell));
	cell->text[0] = ' ';
	cell->style = st;
	cell->width = 1;
}

void canvas_clear(struct canvas *c)
{
	canvas_fill(c, (struct rect){ 0, 0, c->rows, c->cols }, STYLE_NORMAL);
	c->cursor_y = c->cursor_x = -1;
}

void canvas_resize(struct canvas *c, int rows, int cols)
{
	c->rows = rows < 1 ? 1 : rows;
	c->cols = cols < 1 ? 1 : cols;
	c->cells = xreallocarray(c->cells, (size_t)c->rows * c->cols, sizeof(*c->cells));
	canvas_clear(c);
}

void canvas_release(struct canvas *c)
{
	free(c->cells);
	memset(c, 0, sizeof(*c));
}

struct cell *canvas_at(const struct canvas *c, int y, int x)
{
	if (y < 0 || x < 0 || y >= c->rows || x >= c->cols)
		return NULL;
	return &c->cells[(size_t)y * c->cols + x];
}

/* What is drawn over a half of a wide cluster leaves no other half behind. */
static void cell_unlink(struct canvas *c, int y, int x)
{
	struct cell *cell = canvas_at(c, y, x), *other;

	if (!cell)
		return;
	other = cell->width == 2 ? canvas_at(c, y, x + 1) : cell->width == 0 ? canvas_at(c, y, x - 1) : NULL;
	if (other)
		cell_blank(other, other->style);
}

static size_t cluster_cut(const char *p, size_t n)
{
	if (n < CELL_TEXT)
		return n;
	n = CELL_TEXT - 1;
	while (n > 0 && ((unsigned char)p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void cell_set(struct canvas *c, int y, int x, enum style st, const char *p, size_t n, int width)
{
	struct cell *cell = canvas_at(c, y, x);

	for (int i = 0; i < width; i++) {
		cell_unlink(c, y, x + i);
		cell_blank(cell + i, st);
	}
	n = cluster_cut(p, n);
	memcpy(cell->text, p, n);
	cell->text[n] = '\0';
	cell->width = (uint8_t)width;
	if (width == 2) {
		cell[1].text[0] = '\0';
		cell[1].width = 0;
	}
}

/* ASCII next to ASCII is a cluster of its own: most text never reaches the table of clusters. */
static size_t next_cluster(const char *p, size_t n, int *cells)
{
	if ((unsigned char)p[0] < 0x80 && (n < 2 || (unsigned char)p[1] < 0x80)) {
		*cells = 1;
		return 1;
	}
	return text_cluster(p, n, cells);
}

static int put_clean(struct canvas *c, int y, int x, int limit, enum style st, const char *p, size_t n)
{
	int used = 0, cells;

	if (y < 0 || y >= c->rows || x < 0)
		return 0;
	if (limit > c->cols - x)
		limit = c->cols - x;
	while (n > 0) {
		size_t len = next_cluster(p, n, &cells);

		if (len == 0 || used + cells > limit)
			break;
		if (cells > 0)
			cell_set(c, y, x + used, st, p, len, cells > 2 ? 2 : cells);
		used += cells > 2 ? 2 : cells;
		p += len;
		n -= len;
	}
	return used;
}

int canvas_putn(struct canvas *c, int y, int x, int limit, enum style st, const char *p, size_t n)
{
	struct buf b = BUF_INIT;
	int used;

	if (limit <= 0 || text_is_clean(p, n, TEXT_PROSE))
		return put_clean(c, y, x, limit, st, p, n);
	text_sanitize(&b, p, n, TEXT_PROSE);
	used = put_clean(c, y, x, limit, st, b.ptr, b.len);
	buf_release(&b);
	return used;
}

int canvas_put(struct canvas *c, int y, int x, int limit, enum style st, const char *s)
{
	return canvas_putn(c, y, x, limit, st, s, strlen(s));
}

int canvas_put_right(struct canvas *c, int y, int x, int limit, enum style st, const char *s)
{
	int w = text_width(s);

	if (w > limit)
		w = limit;
	return canvas_put(c, y, x - w, w, st, s);
}

void canvas_flag(struct canvas *c, int y, int x, int w, unsigned flags)
{
	for (int i = 0; i < w; i++) {
		struct cell *cell = canvas_at(c, y, x + i);

		if (cell)
			cell->flags |= flags;
	}
}

void canvas_fill(struct canvas *c, struct rect r, enum style st)
{
	for (int y = r.y; y < r.y + r.h; y++)
		for (int x = r.x; x < r.x + r.w; x++)
			if (canvas_at(c, y, x))
				cell_blank(canvas_at(c, y, x), st);
}

void canvas_row_text(const struct canvas *c, int y, struct buf *b)
{
	size_t start = b->len;

	for (int x = 0; x < c->cols; x++)
		buf_addstr(b, canvas_at(c, y, x)->text);
	while (b->len > start && b->ptr[b->len - 1] == ' ')
		buf_setlen(b, b->len - 1);
}
