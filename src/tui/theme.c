/* SPDX-License-Identifier: MIT */
/*
 * The looks' table. A hue has three spellings: one of the terminal's own 16 (which the user has chosen to be readable),
 * one of the fixed 256, and 24 bits. Grounds are only touched for the bands, the cursor and matches, and only where 256
 * colours make a quiet one possible; with fewer, the cursor is drawn in reverse.
 */
#include "config.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "canvas.h"
#include "theme.h"

#define NONE { -1, -1, -1 }

enum hue_name { H_NONE, H_DIM, H_ACCENT, H_CODE, H_QUOTE, H_LINK, H_ADD, H_DEL, H_HUNK, H_ERROR, H_WARN, H_OK, H_ID, H_RULE,
	H_BAND, H_BAR, H_AWAY, H_MATCH, H_RANGE, H_INK };
/* As a colours file says them; killick-keys(5) explains each. */
static const char *const hue_names[HUES] = {
	[H_NONE] = "", [H_DIM] = "dim", [H_ACCENT] = "accent", [H_CODE] = "code", [H_QUOTE] = "quote", [H_LINK] = "link",
	[H_ADD] = "added", [H_DEL] = "removed", [H_HUNK] = "hunk", [H_ERROR] = "error", [H_WARN] = "warning", [H_OK] = "ok",
	[H_ID] = "id", [H_RULE] = "rule", [H_BAND] = "band", [H_BAR] = "cursor", [H_AWAY] = "cursor-away", [H_MATCH] = "match",
	[H_RANGE] = "range", [H_INK] = "match-text",
};

static const struct hue dark[HUES] = {
	[H_NONE] = NONE,
	[H_DIM] = { 8, 245, 0x8a8f98 }, [H_ACCENT] = { 6, 117, 0x7fc8f8 }, [H_CODE] = { 6, 180, 0xd7b98a },
	[H_QUOTE] = { 8, 247, 0x9aa0a8 }, [H_LINK] = { 4, 111, 0x87afff }, [H_ADD] = { 2, 114, 0x87d787 },
	[H_DEL] = { 1, 210, 0xff8787 }, [H_HUNK] = { 6, 73, 0x5fafaf }, [H_ERROR] = { 1, 203, 0xff5f5f },
	[H_WARN] = { 3, 215, 0xffaf5f }, [H_OK] = { 2, 114, 0x87d787 }, [H_ID] = { 3, 186, 0xd7d787 },
	[H_RULE] = { 8, 240, 0x585e68 }, [H_BAND] = { -1, 235, 0x24272d }, [H_BAR] = { -1, 238, 0x3a4150 },
	[H_AWAY] = { -1, 236, 0x2b2f38 }, [H_MATCH] = { 3, 222, 0xffd787 }, [H_RANGE] = { -1, 239, 0x45485c },
	[H_INK] = { 0, 16, 0x000000 },
};
static const struct hue light[HUES] = {
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

/* ---- a palette */

void palette_init(struct palette *p, enum theme t)
{
	p->mono = t == THEME_MONO;
	memcpy(p->hues, t == THEME_LIGHT ? light : dark, sizeof(p->hues));
}

static int level(int step)
{
	return step ? 55 + 40 * step : 0;
}

static int distance(int rgb, int r, int g, int b)
{
	int dr = (rgb >> 16) - r, dg = (rgb >> 8 & 255) - g, db = (rgb & 255) - b;

	return dr * dr + dg * dg + db * db;
}

/* Of the cube of 6x6x6 and the ramp of 24 greys, which are the same in every terminal. */
static int nearest_256(int rgb)
{
	int best = 16, least = INT_MAX, d;

	for (int i = 16; i < 256; i++) {
		int n = i - 16, grey = 8 + 10 * (i - 232);

		d = i < 232 ? distance(rgb, level(n / 36), level(n / 6 % 6), level(n % 6)) : distance(rgb, grey, grey, grey);
		if (d < least) {
			least = d;
			best = i;
		}
	}
	return best;
}

static bool read_spelling(const char *word, struct hue *h, bool *given)
{
	uint64_t n;
	char *end;

	if (!strcmp(word, "default")) {
		*h = (struct hue)NONE;
		*given = true;
	} else if (word[0] == '#' && strlen(word) == 7 && strspn(word + 1, "0123456789abcdefABCDEF") == 6) {
		h->rgb = (int)strtol(word + 1, &end, 16);
		if (!*given)
			h->c256 = nearest_256(h->rgb);
	} else if (str_to_u64(word, 255, &n)) {
		if (n < 16 && !*given)
			h->c16 = (int)n;
		h->c256 = (int)n;
		*given = true;
	} else {
		return false;
	}
	return true;
}

static int find_hue(const char *name)
{
	for (int i = 1; i < HUES; i++)
		if (!strcmp(hue_names[i], name))
			return i;
	return -1;
}

static bool next_word(const char **line, char *word, size_t size)
{
	size_t n;

	*line += strspn(*line, " \t\r");
	n = strcspn(*line, " \t\r");
	snprintf(word, size, "%.*s", (int)n, *line);
	*line += n;
	return n > 0;
}

int palette_line(struct palette *p, const char *line, struct err *e)
{
	char word[32];
	bool given = false;
	struct hue h;
	int hue;

	if (!next_word(&line, word, sizeof(word)) || word[0] == '#')
		return 0;
	if (!strcmp(word, "base")) {
		next_word(&line, word, sizeof(word));
		if (strcmp(word, "dark") && strcmp(word, "light"))
			return err_set(e, ERR_USAGE, "base is dark or light, not '%s'", word);
		memcpy(p->hues, word[0] == 'l' ? light : dark, sizeof(p->hues));
		return 0;
	}
	hue = find_hue(word);
	if (hue < 0)
		return err_set(e, ERR_USAGE, "no colour is called '%s'", word);
	h = p->hues[hue];
	while (next_word(&line, word, sizeof(word)))
		if (!read_spelling(word, &h, &given))
			return err_set(e, ERR_USAGE, "'%s' is no colour: 0 to 255, #rrggbb or default", word);
	p->hues[hue] = h;
	return 0;
}

/* ---- a style's look */

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

struct look theme_look(const struct palette *p, int colours, enum style st, unsigned flags)
{
	const struct hue *hues = p->hues;
	struct look l;

	if (p->mono || colours < 8) {
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
