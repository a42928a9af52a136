/* SPDX-License-Identifier: MIT */
/*
 * Looks: what each style of text/styled.h is drawn with, for no colours, 8 or 16, 256 and 24 bits, on dark and on light
 * ground; a colours file of the user's changes single hues. Colour never carries meaning alone, so attributes only (NO_COLOR, theme "mono") lose nothing but beauty.
 */
#ifndef KILLICK_TUI_THEME_H
#define KILLICK_TUI_THEME_H

#include <stdbool.h>
#include <stdint.h>
#include "killick/base/err.h"
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

/* A hue's three spellings; COLOUR_DEFAULT: the terminal's own. */
struct hue { int c16, c256, rgb; };
#define HUES 20
struct palette { bool mono; struct hue hues[HUES]; };
void palette_init(struct palette *p, enum theme t);
/*
 * A line of a colours file: "base light" (all hues of that theme), or a hue's name and up to three spellings, each known by
 * its form: 0 to 15, 0 to 255, #rrggbb, or "default". "accent 6 117 #7fc8f8"; #rrggbb alone gives the nearest of the 256
 * as well. Empty lines and those that begin with "#" are passed over. ERR_USAGE.
 */
int palette_line(struct palette *p, const char *line, struct err *e);
/* colours: how many the terminal has. flags: CELL_CURSOR and the like lie over the style. */
struct look theme_look(const struct palette *p, int colours, enum style st, unsigned cell_flags);

#endif
