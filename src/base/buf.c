/* SPDX-License-Identifier: MIT */
/*
 * Byte strings. An empty one points at a shared NUL, so that ptr is a string from the start and costs nothing. Growth is by
 * half. The limit is kept in one place, buf_room; what does not fit is dropped and `over` tells.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "killick/base/buf.h"

char buf_empty[1];

void buf_init(struct buf *b)
{
	*b = (struct buf)BUF_INIT;
}

void buf_release(struct buf *b)
{
	if (!b)
		return;
	if (b->alloc)
		free(b->ptr);
	*b = (struct buf){ .ptr = buf_empty, .max = b->max };
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->over = false;
	if (b->alloc)
		b->ptr[0] = '\0';
}

/* Makes room for up to n more bytes and the NUL; returns how many may be added. */
static size_t buf_room(struct buf *b, size_t n)
{
	size_t want;

	if (b->max && n > b->max - (b->len < b->max ? b->len : b->max)) {
		n = b->len < b->max ? b->max - b->len : 0;
		b->over = true;
	}
	if (n > SIZE_MAX / 2 - b->len)
		BUG("a string of %zu + %zu bytes", b->len, n);
	want = b->len + n + 1;
	if (want > b->alloc) {
		size_t alloc = b->alloc + b->alloc / 2;
		alloc = alloc < want ? want : alloc;
		alloc = alloc < 64 ? 64 : alloc;
		b->ptr = xrealloc(b->alloc ? b->ptr : NULL, alloc);
		b->alloc = alloc;
	}
	return n;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!n)
		return;
	n = buf_room(b, n);
	memcpy(b->ptr + b->len, p, n);
	b->len += n;
	b->ptr[b->len] = '\0';
}

void buf_addch(struct buf *b, int c)
{
	buf_addchn(b, c, 1);
}

void buf_addchn(struct buf *b, int c, size_t n)
{
	if (!n)
		return;
	n = buf_room(b, n);
	memset(b->ptr + b->len, c, n);
	b->len += n;
	b->ptr[b->len] = '\0';
}

void buf_addnum(struct buf *b, uint32_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_addch(b, (int)(v & 0x7f) | 0x80);
	buf_addch(b, (int)v);
}

bool num_take(const char **p, const char *end, uint32_t *v)
{
	*v = 0;
	for (unsigned shift = 0; *p < end && shift < 35; shift += 7) {
		unsigned char c = (unsigned char)*(*p)++;
		if (shift == 28 && c > 0x0f)
			return false;
		*v |= (uint32_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return true;
	}
	return false;
}

void buf_addstr(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addbuf(struct buf *b, const struct buf *other)
{
	size_t n = other->len; /* other may be b: room is made first, then the pointer is read */

	if (!n)
		return;
	n = buf_room(b, n);
	memcpy(b->ptr + b->len, other->ptr, n);
	b->len += n;
	b->ptr[b->len] = '\0';
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	char tmp[256], *p = tmp;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(tmp, sizeof(tmp), fmt, ap);
	if (n < 0)
		BUG("bad format '%s'", fmt);
	if ((size_t)n >= sizeof(tmp)) {
		p = xmalloc((size_t)n + 1);
		vsnprintf(p, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	buf_add(b, p, (size_t)n);
	if (p != tmp)
		free(p);
}

void buf_add_shell_word(struct buf *b, const char *s)
{
	buf_addch(b, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_addstr(b, "'\\''");
		else
			buf_addch(b, *s);
	}
	buf_addch(b, '\'');
}

void buf_setlen(struct buf *b, size_t n)
{
	if (n > b->len)
		BUG("cutting %zu bytes to %zu", b->len, n);
	b->len = n;
	if (b->alloc)
		b->ptr[n] = '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

void buf_rtrim(struct buf *b)
{
	size_t n = b->len;

	while (n > 0 && is_blank(b->ptr[n - 1]))
		n--;
	buf_setlen(b, n);
}

void buf_trim(struct buf *b)
{
	size_t n = 0;

	buf_rtrim(b);
	while (n < b->len && is_blank(b->ptr[n]))
		n++;
	if (n) {
		memmove(b->ptr, b->ptr + n, b->len - n);
		buf_setlen(b, b->len - n);
	}
}

char *buf_detach(struct buf *b)
{
	char *p = b->alloc ? b->ptr : xstrdup("");

	*b = (struct buf){ .ptr = buf_empty, .max = b->max };
	return p;
}

bool str_starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !memcmp(s + n - m, suffix, m);
}

bool str_to_u64(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		uint64_t d = (uint64_t)(*s - '0');
		if (*s < '0' || *s > '9' || v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

void hex_encode(char *out, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = "0123456789abcdef"[p[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[p[i] & 15];
	}
	out[2 * n] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(void *out, size_t n, const char *hex)
{
	unsigned char *p = out;

	if (strnlen(hex, 2 * n + 1) != 2 * n || !str_is_hex(hex, 2 * n))
		return false;
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
	return true;
}

bool str_is_hex(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (hex_value(s[i]) < 0)
			return false;
	return true;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* One row of the table of "optimal string alignment" distances; two rows before it are needed for transpositions. */
static void distance_row(unsigned *row, const unsigned *up, const unsigned *up2, const char *a, size_t i, const char *b,
			 size_t nb)
{
	row[0] = (unsigned)i;
	for (size_t j = 1; j <= nb; j++) {
		unsigned same = a[i - 1] == b[j - 1];
		row[j] = least(least(up[j], row[j - 1]) + 1, up[j - 1] + !same);
		if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
			row[j] = least(row[j], up2[j - 2] + 1);
	}
}

unsigned str_distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	unsigned *mem = xcalloc(nb + 1, 3 * sizeof(*mem)), *row[3], d;

	for (size_t i = 0; i < 3; i++)
		row[i] = mem + i * (nb + 1);
	for (size_t j = 0; j <= nb; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++)
		distance_row(row[i % 3], row[(i + 2) % 3], row[(i + 1) % 3], a, i, b, nb);
	d = row[na % 3][nb];
	free(mem);
	return d;
}

const char *str_nearest(const char *word, const char *const *words)
{
	size_t len = strlen(word);
	unsigned best = len < 3 ? 1 : len < 6 ? 2 : 3;
	const char *found = NULL;

	if (!len || len > 64)
		return NULL;
	for (; *words; words++) {
		/* The beginning of a word is nearer than any misspelling but the slightest. */
		unsigned d = len > 1 && str_starts(*words, word) ? 1 : str_distance(word, *words);
		/* Of a short word two wrong letters are half of it: then at least the first must be right. */
		if (d > 1 && len < 5 && **words != *word)
			continue;
		if (d < len && (found ? d < best : d <= best)) {
			best = d;
			found = *words;
		}
	}
	return found;
}
