/* SPDX-License-Identifier: MIT */
/*
 * Heading slugs as GitHub makes them: lower-case, then everything but word characters, '-' and the blank goes, then
 * blanks become '-' (html-pipeline's TocFilter: downcase, gsub(/[^\p{Word}\- ]/u, ""), tr(" ", "-")). Ruby's \p{Word}
 * is letters, marks, decimal numbers, letter numbers, connectors and the few symbols that count as alphabetic; format
 * characters such as joiners go. Compared with the npm package github-slugger over all code points.
 */
#include "config.h"
#include <utf8proc.h>
#include "anchortext.h"

/* Circled and squared Latin letters: symbols by category, Alphabetic by property (PropList.txt, Other_Alphabetic). */
static bool is_letter_symbol(utf8proc_int32_t c)
{
	return (c >= 0x24b6 && c <= 0x24e9) || (c >= 0x1f130 && c <= 0x1f149) || (c >= 0x1f150 && c <= 0x1f169) ||
	    (c >= 0x1f170 && c <= 0x1f189);
}

static bool is_word(utf8proc_int32_t c)
{
	static const bool word[] = {
		[UTF8PROC_CATEGORY_LU] = true, [UTF8PROC_CATEGORY_LL] = true, [UTF8PROC_CATEGORY_LT] = true,
		[UTF8PROC_CATEGORY_LM] = true, [UTF8PROC_CATEGORY_LO] = true, [UTF8PROC_CATEGORY_MN] = true,
		[UTF8PROC_CATEGORY_MC] = true, [UTF8PROC_CATEGORY_ME] = true, [UTF8PROC_CATEGORY_ND] = true,
		[UTF8PROC_CATEGORY_NL] = true, [UTF8PROC_CATEGORY_PC] = true,
	};
	utf8proc_category_t cat = utf8proc_category(c);

	return ((size_t)cat < ARRAY_SIZE(word) && word[cat]) || is_letter_symbol(c);
}

static void add_point(struct buf *b, utf8proc_int32_t c)
{
	utf8proc_uint8_t out[4];

	buf_add(b, out, (size_t)utf8proc_encode_char(c, out));
}

static void add_lower(struct buf *b, utf8proc_int32_t c)
{
	if (c != 0x130) {
		add_point(b, utf8proc_tolower(c));
		return;
	}
	/* The only letter whose full lower case is two code points (SpecialCasing.txt). */
	add_point(b, 'i');
	add_point(b, 0x307);
}

/* keep: what this Unicode does not know stays, '/' parts headings. */
static void slug(struct buf *b, const char *p, size_t n, bool keep)
{
	for (size_t i = 0; i < n; ) {
		utf8proc_int32_t c;
		utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)p + i, (utf8proc_ssize_t)(n - i), &c);

		if (len <= 0) {
			i++;
			continue;
		}
		if (c == ' ')
			buf_addch(b, '-');
		else if (c == '-' || (keep && c == '/'))
			buf_addch(b, c);
		else if (is_word(c))
			add_lower(b, c);
		else if (keep && utf8proc_category(c) == UTF8PROC_CATEGORY_CN)
			add_point(b, c);
		i += (size_t)len;
	}
}

void anchor_slug(struct buf *b, const char *heading, size_t n)
{
	slug(b, heading, n, false);
}

void anchor_section_slug(struct buf *b, const char *section, size_t n)
{
	slug(b, section, n, true);
}
