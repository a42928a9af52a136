/* SPDX-License-Identifier: MIT */
/*
 * The key table. It is text, one binding a line:
 *
 *	bind WHERE KEY COMMAND…       unbind WHERE KEY
 *
 * WHERE is a screen's name, or "any" for all; KEY a name as in key.h; COMMAND a ":" line. The built-in table
 * (keymap_defaults) is read by the same parser as ~/.config/killick/keys and ":bind", so there is nothing a user could
 * not change. A screen's own binding wins over "any"; the later wins over the earlier; "unbind" in a screen hides the
 * key there. Lines that begin with '#' are comments.
 */
#ifndef KILLICK_TUI_KEYMAP_H
#define KILLICK_TUI_KEYMAP_H

#include "killick/base/err.h"
#include "key.h"

struct binding {
	const char *where;
	uint32_t key;
	const char *command;    /* NULL: unbound */
};
struct keymap {
	struct arena arena;
	ARRAY(struct binding) rows;
	ARRAY(const char *) places;     /* names of screens that may stand at WHERE */
};
#define KEYMAP_INIT { ARENA_INIT, ARRAY_INIT, ARRAY_INIT }

extern const char keymap_defaults[];
void keymap_release(struct keymap *m);
/* One line (not empty, no comment). ERR_USAGE names what is wrong. */
int keymap_line(struct keymap *m, const char *line, struct err *e);
/* A whole table; goes on after a bad line. Every fault is given to fault() with its line number. */
void keymap_text(struct keymap *m, const char *text, void (*fault)(void *ctx, unsigned line, const char *msg), void *ctx);
/* The command of a key, or NULL. */
const char *keymap_get(const struct keymap *m, const char *where, uint32_t key);
/* The first key that has this command in the screen, or 0: for hints. */
uint32_t keymap_key(const struct keymap *m, const char *where, const char *command);
/* Bindings in force in a screen, in the table's order: i counts from 0; false past the end. own: from the screen's rows. */
bool keymap_each(const struct keymap *m, const char *where, size_t *i, const struct binding **out);

#endif
