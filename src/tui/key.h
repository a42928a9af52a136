/* SPDX-License-Identifier: MIT */
/*
 * Keys as numbers and as names. A key is a Unicode code point, or KEY_NAMED and up; control characters are themselves
 * (Ctrl-A is 1), Alt is a flag. Names are those of the keys file: "j", "Enter", "Ctrl-P", "Alt-r", "F1", "PgDn".
 */
#ifndef KILLICK_TUI_KEY_H
#define KILLICK_TUI_KEY_H

#include "killick/base/buf.h"

enum key_named {
	KEY_NAMED = 0x110000, K_UP, K_DOWN, K_LEFT, K_RIGHT, K_HOME, K_END, K_PGUP, K_PGDN, K_INS, K_DEL, K_BTAB, K_F1,
	K_F12 = K_F1 + 11, K_SHIFT_UP, K_SHIFT_DOWN, K_SHIFT_LEFT, K_SHIFT_RIGHT,
	/* Not keys, but they come the same way. */
	K_MOUSE, K_RESIZE, K_PASTE_BEGIN, K_PASTE_END,
};
#define KEY_ALT 0x1000000u
#define KEY_CTRL(c) ((c) & 0x1f)
enum { K_TAB = 9, K_ENTER = 13, K_ESC = 27, K_SPACE = 32, K_BACKSPACE = 127 };

enum mouse_act { MOUSE_CLICK, MOUSE_DOUBLE, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };
struct key {
	uint32_t code;
	int y, x;               /* MOUSE */
	enum mouse_act mouse;
};

/* One name, the whole string; false: no such key. */
bool key_parse(const char *name, uint32_t *code);
void key_format(struct buf *b, uint32_t code);
/* A script's run of keys: characters stand for themselves, "<Enter>" for a name, "<lt>" for "<". Calls fn with each;
 * false where a name is unknown (its text goes to *bad, in b). */
bool keys_each(const char *text, void (*fn)(void *ctx, uint32_t code), void *ctx, struct buf *bad);
/* A character that can be typed into a line? */
bool key_is_text(uint32_t code);

#endif
