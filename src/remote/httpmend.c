/* SPDX-License-Identifier: MIT */
/*
 * Mending JSON. One comment with a NUL or a torn character in it must not hide the hundred others of its page (trust.md
 * 14): what cannot be a string in JSON as we read it becomes U+FFFD, and a number beyond 64 bits, which can only be an id,
 * becomes a string. Nothing else is touched: what is not JSON by its structure stays so and is refused.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "httpint.h"
#include "killick/base/utf8.h"

struct mend { const char *p; size_t n, at; struct buf *out; bool changed; };

static void take(struct mend *m, size_t n)
{
	buf_add(m->out, m->p + m->at, n);
	m->at += n;
}

static void replace(struct mend *m, size_t n, const char *by)
{
	buf_addstr(m->out, by);
	m->at += n;
	m->changed = true;
}

/* The number of a "\uXXXX" at this offset, -1: there is none. */
static int escape_at(const struct mend *m, size_t at)
{
	unsigned char v[2];

	if (at + 6 > m->n || m->p[at] != '\\' || m->p[at + 1] != 'u' || !str_is_hex(m->p + at + 2, 4))
		return -1;
	for (int i = 0; i < 2; i++) {
		char two[3] = { m->p[at + 2 + 2 * i], m->p[at + 3 + 2 * i], '\0' };
		hex_decode(&v[i], 1, two);
	}
	return v[0] << 8 | v[1];
}

static void mend_escape(struct mend *m)
{
	int c = escape_at(m, m->at), low;

	if (c < 0) {
		take(m, m->at + 1 < m->n ? 2 : 1);
		return;
	}
	low = escape_at(m, m->at + 6);
	if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000)
		take(m, 12);
	else if (c == 0 || (c >= 0xd800 && c < 0xe000))
		replace(m, 6, "\\ufffd");
	else
		take(m, 6);
}

static void mend_string(struct mend *m)
{
	take(m, 1);
	while (m->at < m->n && m->p[m->at] != '"') {
		int32_t cp;
		size_t n = utf8_next(m->p + m->at, m->n - m->at, &cp);

		if (cp == '\\')
			mend_escape(m);
		else if (cp == UTF8_BAD)
			replace(m, n, "\\ufffd");
		else if (cp == '\n' || cp == '\r' || cp == '\t')
			replace(m, n, cp == '\n' ? "\\n" : cp == '\r' ? "\\r" : "\\t");
		else if (cp < 0x20)
			replace(m, n, "\\ufffd");
		else
			take(m, n);
	}
	if (m->at < m->n)
		take(m, 1);
}

/* An integer with too many digits; anything else is for the parser to judge. */
static void mend_number(struct mend *m)
{
	size_t from = m->at, n = 1, digits;
	char text[24];

	while (from + n < m->n && strchr("0123456789", m->p[from + n]) && m->p[from + n])
		n++;
	digits = n - (m->p[from] == '-');
	if (digits < 19 || (from + n < m->n && strchr(".eE", m->p[from + n]))) {
		take(m, n);
		return;
	}
	if (digits == 19) {
		memcpy(text, m->p + from + n - digits, digits);
		text[digits] = '\0';
		if (strcmp(text, "9223372036854775807") <= 0) {
			take(m, n);
			return;
		}
	}
	buf_addch(m->out, '"');
	take(m, n);
	buf_addch(m->out, '"');
	m->changed = true;
}

bool json_mend(struct buf *out, const char *p, size_t n)
{
	struct mend m = { .p = p, .n = n, .out = out };

	if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		replace(&m, 3, "");
	while (m.at < n) {
		if (p[m.at] == '"')
			mend_string(&m);
		else if (p[m.at] == '-' || (p[m.at] >= '0' && p[m.at] <= '9'))
			mend_number(&m);
		else
			take(&m, 1);
	}
	return m.changed;
}
