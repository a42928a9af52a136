/* SPDX-License-Identifier: MIT */
/*
 * One judge looks at one code point, the one before it as it went out and the one after it, and says whether it may
 * pass; the sanitiser and the question "is it clean?" both ask it. Because it sees what went out, not what came in, a
 * second pass sees the same as the first: that is why the sanitiser is idempotent.
 *
 * What is hidden: controls, everything of category Cf that draws nothing, the other default-ignorable code points
 * (Unicode 15, DerivedCoreProperties), line and paragraph separators, noncharacters. Joiners and variation selectors pass in
 * prose only where scripts and emoji use them: never twice, never after ASCII (but for keycaps), never dangling from an
 * emoji, so that they cannot carry hidden text. Marks pass as long as a cluster has at most 30 (the Stream-Safe Text Format
 * of UAX #15), and not at the start of a line, where they would fall on what stands before it.
 */
#include "config.h"
#include <string.h>
#include <utf8proc.h>
#include "killick/base/utf8.h"
#include "killick/text/sanitize.h"

enum { CLUSTER_EXTENDERS = 30 };

enum verdict {
	V_KEEP,
	V_DROP,    /* a CR before LF */
	V_BLANK,
	V_BAD,     /* U+FFFD */
	V_CARET,   /* ^X */
	V_HEX,     /* \x{9b} */
	V_NAME,    /* <U+202E> */
};

/* What went out last: its code point (-1: nothing yet) and how many marks, joiners and selectors stand on its base. */
struct trail { int32_t prev; unsigned extenders; };

static bool in(int32_t cp, int32_t first, int32_t last)
{
	return cp >= first && cp <= last;
}

/* Code points that draw nothing and are neither joiner nor selector, and those that turn the direction of writing. */
static bool is_invisible(int32_t cp, utf8proc_category_t cat)
{
	static const struct { int32_t first, last; } ignorable[] = {
		{ 0x034f, 0x034f }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180e, 0x180e }, { 0x2028, 0x2029 },
		{ 0x2065, 0x2065 }, { 0x3164, 0x3164 }, { 0xfdd0, 0xfdef }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb },
		{ 0xe0000, 0xe00ff }, { 0xe01f0, 0xe0fff },
	};
	static const int32_t drawn_cf[] = { 0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6dd, 0x70f, 0x890, 0x891, 0x8e2,
					    0x110bd, 0x110cd };

	if ((cp & 0xfffe) == 0xfffe)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(ignorable); i++)
		if (in(cp, ignorable[i].first, ignorable[i].last))
			return true;
	if (cat != UTF8PROC_CATEGORY_CF)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(drawn_cf); i++)
		if (cp == drawn_cf[i])
			return false;
	return true;
}

static bool is_joiner(int32_t cp)
{
	return cp == 0x200c || cp == 0x200d;
}

static bool is_mongolian_selector(int32_t cp)
{
	return in(cp, 0x180b, 0x180d) || cp == 0x180f;
}

static bool is_selector(int32_t cp)
{
	return in(cp, 0xfe00, 0xfe0f) || in(cp, 0xe0100, 0xe01ef) || is_mongolian_selector(cp);
}

static bool is_letter(utf8proc_category_t cat)
{
	return in((int32_t)cat, UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LO);
}

static bool is_mark(utf8proc_category_t cat)
{
	return in((int32_t)cat, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_ME);
}

static bool is_pictograph(int32_t cp)
{
	return cp >= 0x80 && utf8proc_get_property(cp)->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

/* Letters may be joined or kept apart anywhere; an emoji is only joined, with another emoji. */
static bool joiner_fits(const struct trail *t, int32_t cp, int32_t next)
{
	utf8proc_category_t cat = t->prev < 0x80 ? UTF8PROC_CATEGORY_CN : utf8proc_category(t->prev);

	if (is_letter(cat) || (is_mark(cat) && !is_selector(t->prev)))
		return true;
	if (cp != 0x200d)
		return false;
	return (is_pictograph(t->prev) || is_selector(t->prev) || cat == UTF8PROC_CATEGORY_SK) && is_pictograph(next);
}

static bool selector_fits(const struct trail *t, int32_t cp, int32_t next)
{
	utf8proc_category_t cat;

	if (t->prev < 0x80)
		return cp == 0xfe0f && next == 0x20e3 && t->prev > 0 && strchr("0123456789#*", t->prev);
	cat = utf8proc_category(t->prev);
	if (is_mongolian_selector(cp))
		return in(t->prev, 0x1800, 0x18af) && is_letter(cat);
	if (cp >= 0xe0100)
		return cat == UTF8PROC_CATEGORY_LO && utf8proc_charwidth(t->prev) == 2;
	return !is_selector(t->prev) && !is_joiner(t->prev) && !is_mark(cat);
}

static enum verdict judge_control(int32_t cp, int32_t next, unsigned flags)
{
	if (cp == '\n' && flags & TEXT_LINES)
		return V_KEEP;
	if (cp == '\r' && next == '\n' && flags & TEXT_LINES)
		return V_DROP;
	if (cp == '\t')
		return flags & TEXT_TABS ? V_KEEP : V_BLANK;
	return cp < 0x80 ? V_CARET : V_HEX;
}

static enum verdict judge_extender(const struct trail *t, int32_t cp, int32_t next, unsigned flags)
{
	bool fits = t->extenders < CLUSTER_EXTENDERS;

	if (is_joiner(cp))
		fits = fits && flags & TEXT_PROSE && joiner_fits(t, cp, next);
	else if (is_selector(cp))
		fits = fits && flags & TEXT_PROSE && selector_fits(t, cp, next);
	else if (utf8proc_category(cp) != UTF8PROC_CATEGORY_MC)
		fits = fits && t->prev >= ' ';
	return fits ? V_KEEP : V_NAME;
}

static enum verdict judge(const struct trail *t, int32_t cp, int32_t next, unsigned flags)
{
	utf8proc_category_t cat;

	if (cp == UTF8_BAD)
		return V_BAD;
	if (cp < 0x20 || in(cp, 0x7f, 0x9f))
		return judge_control(cp, next, flags);
	if (cp < 0x80)
		return V_KEEP;
	cat = utf8proc_category(cp);
	if (is_joiner(cp) || is_selector(cp) || (is_mark(cat) && !is_invisible(cp, cat)))
		return judge_extender(t, cp, next, flags);
	return is_invisible(cp, cat) ? V_NAME : V_KEEP;
}

static void trail_keep(struct trail *t, int32_t cp)
{
	if (cp >= 0x80 && (is_joiner(cp) || is_selector(cp) || is_mark(utf8proc_category(cp))))
		t->extenders++;
	else if (t->prev != 0x200d || cp < 0x80)
		t->extenders = 0;
	t->prev = cp;
}

/* What stands for a code point that may not pass, and the trail as a second pass over it would find it. */
static void put_verdict(struct buf *b, struct trail *t, enum verdict v, int32_t cp)
{
	static const char *const forms[] = { [V_CARET] = "^%c", [V_HEX] = "\\x{%02x}", [V_NAME] = "<U+%04X>" };

	if (v == V_KEEP || v == V_DROP)
		return;
	if (v == V_BLANK || v == V_BAD) {
		buf_addstr(b, v == V_BLANK ? " " : UTF8_REPLACEMENT);
		trail_keep(t, v == V_BLANK ? ' ' : 0xfffd);
		return;
	}
	buf_addf(b, forms[v], (unsigned)(v == V_CARET ? cp ^ 0x40 : cp));
	*t = (struct trail){ .prev = 'x' };
}

/* Passes over clean bytes from *i; returns the first verdict that is not V_KEEP (V_KEEP at the end), *i behind it. */
static enum verdict next_dirty(struct trail *t, const char *p, size_t n, size_t *i, size_t *at, int32_t *cp, unsigned flags)
{
	while (*i < n) {
		int32_t next = UTF8_BAD;
		enum verdict v;

		*at = *i;
		if (p[*i] >= 0x20 && p[*i] < 0x7f) { /* most text */
			trail_keep(t, p[(*i)++]);
			continue;
		}
		*i += utf8_next(p + *i, n - *i, cp);
		utf8_next(p + *i, n - *i, &next);
		v = judge(t, *cp, next, flags);
		if (v != V_KEEP)
			return v;
		trail_keep(t, *cp);
	}
	*at = n;
	return V_KEEP;
}

void text_sanitize(struct buf *b, const char *p, size_t n, unsigned flags)
{
	struct trail t = { .prev = -1 };
	size_t i = 0, start = 0, at;
	enum verdict v;
	int32_t cp = 0;

	do {
		v = next_dirty(&t, p, n, &i, &at, &cp, flags);
		buf_add(b, p + start, at - start);
		put_verdict(b, &t, v, cp);
		start = i;
	} while (v != V_KEEP);
}

bool text_is_clean(const char *p, size_t n, unsigned flags)
{
	struct trail t = { .prev = -1 };
	size_t i = 0, at;
	int32_t cp;

	return next_dirty(&t, p, n, &i, &at, &cp, flags) == V_KEEP;
}

const char *text_clean(struct arena *a, const char *s, unsigned flags)
{
	struct buf b = BUF_INIT;
	size_t n = strlen(s);

	if (text_is_clean(s, n, flags))
		return s;
	text_sanitize(&b, s, n, flags);
	s = arena_memdup(a, b.ptr, b.len);
	buf_release(&b);
	return s;
}

void text_to_utf8(struct buf *b, const char *p, size_t n)
{
	size_t start = 0;
	int32_t cp;

	for (size_t i = 0; i < n;) {
		size_t len = utf8_next(p + i, n - i, &cp);
		if (cp == UTF8_BAD) {
			buf_add(b, p + start, i - start);
			buf_addstr(b, UTF8_REPLACEMENT);
			start = i + len;
		}
		i += len;
	}
	buf_add(b, p + start, n - start);
}
