/* SPDX-License-Identifier: MIT */
/*
 * Clusters by utf8proc's state machine, with ASCII taken on a fast path. A cluster ends after 64 code points in any case
 * (rows of Hangul jamo or emoji joined for ever are one cluster to UAX #29), so that nothing downstream needs an unlimited
 * buffer for one cell. glibc's wcwidth is not asked: it adds a family of four emoji up to eight cells (trust.md 4).
 */
#include "config.h"
#include <string.h>
#include <utf8proc.h>
#include "killick/base/utf8.h"
#include "killick/text/width.h"

enum { CLUSTER_MAX = 64 };

static bool plain_ascii(unsigned char c)
{
	return c >= 0x20 && c < 0x7f;
}

static bool is_regional(int32_t cp)
{
	return cp >= 0x1f1e6 && cp <= 0x1f1ff;
}

static int cp_cells(int32_t cp)
{
	if (cp == UTF8_BAD)
		return 1;
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return cp != '\t' && cp != '\n';
	return utf8proc_charwidth(cp);
}

size_t text_cluster(const char *p, size_t n, int *cells)
{
	utf8proc_int32_t state = 0;
	int32_t cp, next;
	size_t len, more;
	int w;

	*cells = 0;
	if (!n)
		return 0;
	*cells = 1;
	if (plain_ascii((unsigned char)p[0]) && (n == 1 || (unsigned char)p[1] < 0x80))
		return 1;
	len = utf8_next(p, n, &cp);
	w = cp_cells(cp);
	for (int i = 1; i < CLUSTER_MAX && len < n && cp != UTF8_BAD; i++, cp = next, len += more) {
		more = utf8_next(p + len, n - len, &next);
		if (next == UTF8_BAD || utf8proc_grapheme_break_stateful(cp, next, &state))
			break;
		w = cp_cells(next) > w ? cp_cells(next) : w;
		if (next == 0xfe0f || (is_regional(cp) && is_regional(next)))
			w = 2;
	}
	*cells = w;
	return len;
}

int text_width_n(const char *p, size_t n)
{
	int sum = 0, cells;

	for (size_t i = 0; i < n; sum += cells)
		i += text_cluster(p + i, n - i, &cells);
	return sum;
}

int text_width(const char *s)
{
	return text_width_n(s, strlen(s));
}

size_t text_fit(const char *p, size_t n, int cells, int *used)
{
	size_t i = 0;
	int sum = 0, w;

	while (i < n) {
		size_t len = text_cluster(p + i, n - i, &w);
		if (sum + w > cells)
			break;
		sum += w;
		i += len;
	}
	if (used)
		*used = sum;
	return i;
}

/* A TAB or line feed has no cells of its own, but would move the cursor: in a column it is a blank. */
static void add_one_line(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addch(b, p[i] == '\t' || p[i] == '\n' ? ' ' : p[i]);
}

void text_pad(struct buf *b, const char *s, int cells, enum text_align align, bool ascii)
{
	struct buf line = BUF_INIT;
	size_t fit;
	int used;

	if (cells <= 0)
		return;
	add_one_line(&line, s, strlen(s));
	fit = text_fit(line.ptr, line.len, cells, &used);
	if (fit < line.len) {
		fit = text_fit(line.ptr, line.len, cells - 1, &used);
		buf_add(b, line.ptr, fit);
		buf_addstr(b, ascii ? ">" : "…");
		buf_addchn(b, ' ', (size_t)(cells - 1 - used));
	} else {
		buf_addchn(b, ' ', align == ALIGN_RIGHT ? (size_t)(cells - used) : 0);
		buf_add(b, line.ptr, line.len);
		buf_addchn(b, ' ', align == ALIGN_RIGHT ? 0 : (size_t)(cells - used));
	}
	buf_release(&line);
}

void text_expand_tabs(struct buf *b, const char *p, size_t n, int col, int tab)
{
	int w;

	tab = tab > 0 ? tab : 1;
	for (size_t i = 0, len; i < n; i += len) {
		len = text_cluster(p + i, n - i, &w);
		if (p[i] == '\t') {
			w = tab - col % tab;
			buf_addchn(b, ' ', (size_t)w);
		} else {
			buf_add(b, p + i, len);
		}
		col += w;
	}
}
