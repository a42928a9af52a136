/* SPDX-License-Identifier: MIT */
/*
 * The decoder is the well-formedness table of the Unicode standard (table 3-7) turned into rows: a first byte's range
 * gives the number of bytes that follow and the range of the second one; all later ones are 80..BF. That second range
 * is what keeps overlong forms, surrogates and values past U+10FFFF out.
 */
#include "config.h"
#include "killick/base/utf8.h"

static const struct lead {
	unsigned char first, last, more, lo, hi, mask;
} leads[] = {
	{ 0xc2, 0xdf, 1, 0x80, 0xbf, 0x1f },
	{ 0xe0, 0xe0, 2, 0xa0, 0xbf, 0x0f },
	{ 0xe1, 0xec, 2, 0x80, 0xbf, 0x0f },
	{ 0xed, 0xed, 2, 0x80, 0x9f, 0x0f },
	{ 0xee, 0xef, 2, 0x80, 0xbf, 0x0f },
	{ 0xf0, 0xf0, 3, 0x90, 0xbf, 0x07 },
	{ 0xf1, 0xf3, 3, 0x80, 0xbf, 0x07 },
	{ 0xf4, 0xf4, 3, 0x80, 0x8f, 0x07 },
};

static size_t utf8_tail(const struct lead *l, const unsigned char *u, size_t n, int32_t *cp)
{
	int32_t c = u[0] & l->mask;
	unsigned char lo = l->lo, hi = l->hi;

	for (size_t i = 1; i <= l->more; i++) {
		if (i >= n || u[i] < lo || u[i] > hi) {
			*cp = UTF8_BAD;
			return i;
		}
		c = c << 6 | (u[i] & 0x3f);
		lo = 0x80;
		hi = 0xbf;
	}
	*cp = c;
	return l->more + 1u;
}

size_t utf8_next(const char *p, size_t n, int32_t *cp)
{
	const unsigned char *u = (const unsigned char *)p;

	*cp = UTF8_BAD;
	if (!n)
		return 0;
	if (u[0] < 0x80) {
		*cp = u[0];
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(leads); i++)
		if (u[0] >= leads[i].first && u[0] <= leads[i].last)
			return utf8_tail(&leads[i], u, n, cp);
	return 1;
}

bool utf8_valid(const char *p, size_t n)
{
	int32_t cp;

	for (size_t i = 0; i < n;) {
		i += utf8_next(p + i, n - i, &cp);
		if (cp == UTF8_BAD)
			return false;
	}
	return true;
}

void buf_add_utf8(struct buf *b, int32_t cp)
{
	char s[4];

	if (cp < 0 || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff)) {
		buf_addstr(b, UTF8_REPLACEMENT);
	} else if (cp < 0x80) {
		buf_addch(b, cp);
	} else if (cp < 0x800) {
		s[0] = (char)(0xc0 | cp >> 6);
		s[1] = (char)(0x80 | (cp & 0x3f));
		buf_add(b, s, 2);
	} else if (cp < 0x10000) {
		s[0] = (char)(0xe0 | cp >> 12);
		s[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		s[2] = (char)(0x80 | (cp & 0x3f));
		buf_add(b, s, 3);
	} else {
		s[0] = (char)(0xf0 | cp >> 18);
		s[1] = (char)(0x80 | (cp >> 12 & 0x3f));
		s[2] = (char)(0x80 | (cp >> 6 & 0x3f));
		s[3] = (char)(0x80 | (cp & 0x3f));
		buf_add(b, s, 4);
	}
}
