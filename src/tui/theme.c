/* SPDX-License-Identifier: MIT */
/*
 * The looks' table. A hue has three spellings: one of the terminal's own 16 (which the user has chosen to be readable),
 * one of the fixed 256, and 24 bits. Grounds are only touched for the bands, the cursor and matches, and only where 256
 * colours make a quiet one possible; with fewer, the cursor is drawn in reverse.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "canvas.h"
#include "theme.h"

struct hue { int c16, c256, rgb; };
#define NONE { -1, -1, -1 }

enum hue_name { H_NONE, H_DIM, H_ACCENT, H_CODE, H_QUOTE, H_LINK, H_ADD, H_DEL, H_HUNK, H_ERROR, H_WARN, H_OK, H_ID, H_RULE,
	H_BAND, H_BAR, H_AWAY, H_MATCH, H_RANGE, H_INK };

static const struct hue dark[] = {
	[H_NONE] = NONE,
	[H_DIM] = { 8, 245, 0x8a8f98 }, [H_ACCENT] = { 6, 117, 0x7fc8f8 }, [H_CODE] = { 6, 180, 0xd7b98a },
	[H_QUOTE] = { 8, 247, 0x9aa0a8 }, [H_LINK] = { 4, 111, 0x87afff }, [H_ADD] = { 2, 114, 0x87d787 },
	[H_DEL] = { 1, 210, 0xff8787 }, [H_HUNK] = { 6, 73, 0x5fafaf }, [H_ERROR] = { 1, 203, 0xff5f5f },
	[H_WARN] = { 3, 215, 0xffaf5f }, [H_OK] = { 2, 114, 0x87d787 }, [H_ID] = { 3, 186, 0xd7d787 },
	[H_RULE] = { 8, 240, 0x585e68 }, [H_BAND] = { -1, 235, 0x24272d }, [H_BAR] = { -1, 238, 0x3a4150 },
	[H_AWAY] = { -1, 236, 0x2b2f38 }, [H_MATCH] = { 3, 222, 0xffd787 }, [H_RANGE] = { -1, 239, 0x45485c },
	[H_INK] = { 0, 16, 0x000000 },
};
static const struct hue light[] = {
	[H_NONE] = NONE,
	[H_DIM] = { 8, 243, 0x6e737c }, [H_ACCENT] = { 4, 25, 0x005faf }, [H_CODE] = { 6, 94, 0x875f00 },
	[H_QUOTE] = { 8, 241, 0x626870 }, [H_LINK] = { 4, 26, 0x005fd7 }, [H_ADD] = { 2, 28, 0x008700 },
	[H_DEL] = { 1, 124, 0xaf0000 }, [H_HUNK] = { 6, 30, 0x008787 }, [H_ERROR] = { 1, 160, 0xd70000 },
	[H_WARN] = { 3, 130, 0xaf5f00 }, [H_OK] = { 2, 28, 0x008700 }, [H_ID] = { 5, 90, 0x870087 },
	[H_RULE] = { 8, 250, 0xbcbcbc }, [H_BAND] = { -1, 254, 0xe6e8ec }, [H_BAR] = { -1, 252, 0xd0dcf0 },
	[H_AWAY] = { -1, 255, 0xeceef2 }, [H_MATCH] = { 3, 222, 0xffd787 }, [H_RANGE] = { -1, 189, 0xd7d7ff },
	[H_INK] = { 0, 16, 0x000000 },
};

static const struct { enum hue_name fg, bg; unsigned attrs, mono; } styles[STYLE_COUNT] = {
	[STYLE_NORMAL] = { H_NONE, H_NONE, 0, 0 },
	[STYLE_DIM] = { H_DIM, H_NONE, 0, LOOK_DIM },
	[STYLE_ACCENT] = { H_ACCENT, H_NONE, LOOK_BOLD, LOOK_BOLD },
	[STYLE_STRONG] = { H_NONE, H_NONE, LOOK_BOLD, LOOK_BOLD },
	[STYLE_EMPH] = { H_NONE, H_NONE, LOOK_ITALIC, LOOK_UNDERLINE },
	[STYLE_CODE] = { H_CODE, H_NONE, 0, 0 },
	[STYLE_QUOTE] = { H_QUOTE, H_NONE, LOOK_ITALIC, LOOK_DIM },
	[STYLE_HEADING] = { H_NONE, H_NONE, LOOK_BOLD, LOOK_BOLD },
	[STYLE_LINK] = { H_LINK, H_NONE, LOOK_UNDERLINE, LOOK_UNDERLINE },
	[STYLE_ADD] = { H_ADD, H_NONE, 0, 0 },
	[STYLE_DEL] = { H_DEL, H_NONE, 0, 0 },
	[STYLE_HUNK] = { H_HUNK, H_NONE, 0, LOOK_DIM },
	[STYLE_ERROR] = { H_ERROR, H_NONE, LOOK_BOLD, LOOK_BOLD },
	[STYLE_WARN] = { H_WARN, H_NONE, 0, LOOK_BOLD },
	[STYLE_OK] = { H_OK, H_NONE, 0, 0 },
	[STYLE_UNREAD] = { H_WARN, H_NONE, LOOK_BOLD, LOOK_BOLD },
	[STYLE_MATCH] = { H_INK, H_MATCH, 0, LOOK_REVERSE },
	[STYLE_RULE] = { H_RULE, H_NONE, 0, LOOK_DIM },
	[STYLE_AUTHOR] = { H_NONE, H_NONE, 0, 0 },
	[STYLE_ID] = { H_ID, H_NONE, 0, 0 },
	[STYLE_DATE] = { H_DIM, H_NONE, 0, LOOK_DIM },
	[STYLE_LINENO] = { H_DIM, H_NONE, 0, LOOK_DIM },
	[STYLE_MARGIN] = { H_ACCENT, H_NONE, LOOK_BOLD, LOOK_BOLD },
	[STYLE_STATUS] = { H_NONE, H_BAND, 0, 0 },
	[STYLE_CURSOR] = { H_ACCENT, H_NONE, LOOK_BOLD, LOOK_BOLD },
	[STYLE_ADD_WORD] = { H_ADD, H_NONE, LOOK_BOLD | LOOK_UNDERLINE, LOOK_BOLD },
	[STYLE_DEL_WORD] = { H_DEL, H_NONE, LOOK_BOLD | LOOK_UNDERLINE, LOOK_BOLD },
};

enum theme theme_parse(const char *name)
{
	static const char *const names[] = { "auto", "dark", "light", "plain" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return (enum theme)i;
	return THEME_AUTO;
}

enum theme theme_resolve(enum theme t)
{
	const char *env = getenv("COLORFGBG"), *ground = env ? strrchr(env, ';') : NULL;
	uint64_t n;

	if (t != THEME_AUTO)
		return t;
	if (ground && str_to_u64(ground + 1, 15, &n) && (n == 7 || n > 8))
		return THEME_LIGHT;
	return THEME_DARK;
}

static int spell(const struct hue *h, int colours)
{
	if (colours >= 1 << 24)
		return h->rgb;
	if (colours >= 256)
		return h->c256;
	/* Eight colours have no grey: dim stays an attribute. */
	return h->c16 >= colours ? COLOUR_DEFAULT : h->c16;
}

static void overlay(struct look *l, const struct hue *hues, int colours, unsigned flags)
{
	enum hue_name bg = flags & CELL_MATCH ? H_MATCH : flags & CELL_CURSOR ? H_BAR : flags & CELL_RANGE ? H_RANGE :
		flags & CELL_AWAY ? H_AWAY : flags & CELL_BAND ? H_BAND : H_NONE;

	if (bg == H_NONE)
		return;
	if (colours < 256) {
		if (flags & (CELL_CURSOR | CELL_RANGE | CELL_MATCH))
			l->attrs = (l->attrs & ~(unsigned)LOOK_DIM) | LOOK_REVERSE;
		return;
	}
	l->bg = spell(&hues[bg], colours);
	if (bg == H_MATCH)
		l->fg = spell(&hues[H_INK], colours);
}

struct look theme_look(enum theme t, int colours, enum style st, unsigned flags)
{
	const struct hue *hues = t == THEME_LIGHT ? light : dark;
	struct look l;

	if (t == THEME_MONO || colours < 8) {
		l = (struct look){ styles[st].mono, COLOUR_DEFAULT, COLOUR_DEFAULT };
		overlay(&l, hues, 0, flags);
		return l;
	}
	l.attrs = styles[st].attrs;
	l.fg = spell(&hues[styles[st].fg], colours);
	l.bg = spell(&hues[styles[st].bg], colours);
	if (l.fg == COLOUR_DEFAULT && styles[st].fg == H_DIM)
		l.attrs |= LOOK_DIM;
	overlay(&l, hues, colours, flags);
	return l;
}
