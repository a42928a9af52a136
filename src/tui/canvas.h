/* SPDX-License-Identifier: MIT */
/*
 * A grid of cells: what the screen shall show. Screens draw here and nowhere else; term.c carries it to the terminal.
 * Each cell holds one grapheme cluster as text/width.h counts it, so a column is a column whatever the C library or
 * curses think of a character's width. Text is made safe on its way in: nothing unclean can be put here.
 */
#ifndef KILLICK_TUI_CANVAS_H
#define KILLICK_TUI_CANVAS_H

#include "killick/text/styled.h"

/* A family of four is 25 bytes, a flag of tags 28; a longer cluster is cut between code points. */
#define CELL_TEXT 29
enum cell_flags {
	CELL_CURSOR = 1 << 0,   /* the chosen row */
	CELL_AWAY = 1 << 1,     /* the chosen row of the pane without the focus */
	CELL_MATCH = 1 << 2,    /* found by the search */
	CELL_RANGE = 1 << 3,    /* in the marked range */
	CELL_BAND = 1 << 4,     /* the top and the bottom line */
	CELL_FLAGS = 1 << 5,
};
struct cell {
	char text[CELL_TEXT];   /* NUL-terminated; "" is the right part of a wide cluster */
	uint8_t style, flags, width;
};
struct rect { int y, x, h, w; };
struct canvas {
	int rows, cols;
	struct cell *cells;
	int cursor_y, cursor_x; /* where the terminal's cursor shall stand; -1: hidden */
};

void canvas_resize(struct canvas *c, int rows, int cols);
void canvas_release(struct canvas *c);
void canvas_clear(struct canvas *c);
struct cell *canvas_at(const struct canvas *c, int y, int x);
/* Draws n bytes (or a string) into at most `limit` cells, whole clusters only; returns the cells used. Outside the grid
 * nothing is drawn. */
int canvas_putn(struct canvas *c, int y, int x, int limit, enum style st, const char *p, size_t n);
int canvas_put(struct canvas *c, int y, int x, int limit, enum style st, const char *s);
/* The same ended at the right edge x (exclusive); returns the cells used. */
int canvas_put_right(struct canvas *c, int y, int x, int limit, enum style st, const char *s);
void canvas_flag(struct canvas *c, int y, int x, int w, unsigned flags);
/* Blanks in a style. */
void canvas_fill(struct canvas *c, struct rect r, enum style st);
/* A row's text with blanks at the end cut, for dumps. */
void canvas_row_text(const struct canvas *c, int y, struct buf *b);

#endif
