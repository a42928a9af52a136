/* SPDX-License-Identifier: MIT */
/*
 * One line being typed: text, cursor, the usual keys (arrows, Home, End, Ctrl-A E B F K U W D T, Alt-B F D, Backspace).
 * The cursor moves by grapheme clusters. Pure: no terminal, no history.
 */
#ifndef KILLICK_TUI_LINEEDIT_H
#define KILLICK_TUI_LINEEDIT_H

#include "key.h"

struct lineedit {
	struct buf text;
	size_t cursor;          /* byte */
	struct buf killed;      /* what Ctrl-K, U, W took, for Ctrl-Y */
};
void lineedit_init(struct lineedit *l, const char *text);
void lineedit_release(struct lineedit *l);
void lineedit_set(struct lineedit *l, const char *text);
/* Puts text at the cursor; line breaks and tabs become blanks, other controls are left out. */
void lineedit_insert(struct lineedit *l, const char *p, size_t n);
/* Replaces the bytes from `start` to the cursor. */
void lineedit_replace(struct lineedit *l, size_t start, const char *text);
/* true: the key was for the line. *changed: the text is another. */
bool lineedit_key(struct lineedit *l, uint32_t code, bool *changed);

#endif
