/* SPDX-License-Identifier: MIT */
/*
 * Looks: what each style of text/styled.h is drawn with, for no colours, 8 or 16, 256 and 24 bits, on dark and on light
 * ground. Colour never carries meaning alone, so attributes only (NO_COLOR, theme "mono") lose nothing but beauty.
 */
#ifndef KILLICK_TUI_THEME_H
#define KILLICK_TUI_THEME_H

#include <stdint.h>
#include "killick/text/styled.h"

enum look_attrs {
	LOOK_BOLD = 1 << 0, LOOK_DIM = 1 << 1, LOOK_ITALIC = 1 << 2, LOOK_UNDERLINE = 1 << 3, LOOK_REVERSE = 1 << 4,
};
#define COLOUR_DEFAULT (-1)
struct look { unsigned attrs; int fg, bg; };   /* colours in the depth's own numbers; 24 bits: 0xRRGGBB */

enum theme { THEME_AUTO, THEME_DARK, THEME_LIGHT, THEME_MONO };
enum theme theme_parse(const char *name);
/* AUTO resolved by COLORFGBG ("15;0": the last number is the ground); dark when nobody says. */
enum theme theme_resolve(enum theme t);
/* colours: how many the terminal has. flags: CELL_CURSOR and the like lie over the style. */
struct look theme_look(enum theme t, int colours, enum style st, unsigned cell_flags);

#endif
