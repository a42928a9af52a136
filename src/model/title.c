/* SPDX-License-Identifier: MIT */
/*
 * The title of a text without one. Not a Markdown parser (md4c is a floor above and would be slow for 100,000 threads):
 * it looks for the first line that says something and takes off the marks that people really write. A mark without its
 * partner stays, since code is full of stars and underscores. Only the first LINE_LOOK bytes of a line are looked at, so
 * that the search for partners cannot be made slow by a hostile line.
 */
#include "config.h"
#include <string.h>
#include <utf8proc.h>
#include "killick/base/utf8.h"
#include "killick/model/thread.h"

#define LINE_LOOK 1024
#define ELLIPSIS "\xe2\x80\xa6"

struct span { const char *p, *end; };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool is_punct(char c)
{
	return c > ' ' && c < 0x7f && !is_alnum(c);
}

static void trim(struct span *s)
{
	while (s->p < s->end && is_blank(*s->p))
		s->p++;
	while (s->end > s->p && is_blank(s->end[-1]))
		s->end--;
}

static bool starts(struct span s, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(s.end - s.p) >= n && !memcmp(s.p, with, n);
}

static const char *find(struct span s, const char *what)
{
	for (size_t n = strlen(what); (size_t)(s.end - s.p) >= n; s.p++)
		if (!memcmp(s.p, what, n))
			return s.p;
	return NULL;
}

/* Adds one byte; blanks and control bytes become one blank, none at the start of the title. */
static void emit(struct buf *b, size_t start, char c)
{
	bool blank = (unsigned char)c <= ' ' || c == 0x7f;

	if (!blank)
		buf_addch(b, c);
	else if (b->len > start && b->ptr[b->len - 1] != ' ')
		buf_addch(b, ' ');
}

static void drop_end_blank(struct buf *b, size_t start)
{
	if (b->len > start && b->ptr[b->len - 1] == ' ')
		buf_setlen(b, b->len - 1);
}

static void strip_inline(struct buf *b, size_t start, struct span s);

static size_t run_length(struct span s)
{
	const char *p = s.p;

	while (p < s.end && *p == *s.p)
		p++;
	return (size_t)(p - s.p);
}

/* The start of the next run of exactly n bytes c in s, or NULL. */
static const char *find_run(struct span s, char c, size_t n)
{
	for (size_t len; s.p < s.end; s.p += len) {
		len = *s.p == c ? run_length(s) : 1;
		if (*s.p == c && len == n)
			return s.p;
	}
	return NULL;
}

static const char *strip_code(struct buf *b, size_t start, struct span s)
{
	size_t n = run_length(s);
	struct span in = { s.p + n, s.end };
	const char *close = find_run(in, '`', n);

	if (!close)
		return NULL;
	in.end = close;
	for (trim(&in); in.p < in.end; in.p++)
		emit(b, start, *in.p);
	return close + n;
}

/* "*x*", "**x**", "_x_", "~~x~~"; before is the byte before the run, or 0. */
static const char *strip_emphasis(struct buf *b, size_t start, struct span s, char before)
{
	char c = *s.p;
	size_t n = run_length(s);
	struct span in = { s.p + n, s.end }, rest = in;
	const char *close;

	if (n > 3 || in.p == in.end || is_blank(*in.p) || (c == '~' && n != 2) || (c == '_' && is_alnum(before)))
		return NULL;
	for (; (close = find_run(rest, c, n)); rest.p = close + n)
		if (!is_blank(close[-1]) && (c != '_' || close + n == s.end || !is_alnum(close[n])))
			break;
	if (!close)
		return NULL;
	in.end = close;
	strip_inline(b, start, in);
	return close + n;
}

/* The bracket that closes the one at s.p, or NULL. */
static const char *matching(struct span s, char open, char close)
{
	int depth = 0;

	for (; s.p < s.end; s.p++) {
		if (*s.p == '\\' && s.p + 1 < s.end)
			s.p++;
		else if (*s.p == open)
			depth++;
		else if (*s.p == close && --depth == 0)
			return s.p;
	}
	return NULL;
}

/* "[text](url)" and "[text][ref]" give the text. */
static const char *strip_link(struct buf *b, size_t start, struct span s)
{
	const char *close = matching(s, '[', ']'), *end = NULL;

	if (close && close + 1 < s.end && close[1] == '(')
		end = matching((struct span){ close + 1, s.end }, '(', ')');
	else if (close && close + 1 < s.end && close[1] == '[')
		end = matching((struct span){ close + 1, s.end }, '[', ']');
	if (!end || close == s.p + 1)
		return NULL;
	strip_inline(b, start, (struct span){ s.p + 1, close });
	return end + 1;
}

static const char *strip_autolink(struct buf *b, size_t start, struct span s)
{
	const char *close = memchr(s.p, '>', (size_t)(s.end - s.p));
	struct span in = { s.p + 1, close };

	if (!close || memchr(in.p, ' ', (size_t)(in.end - in.p)) || (!find(in, "://") && !find(in, "@")))
		return NULL;
	for (; in.p < in.end; in.p++)
		emit(b, start, *in.p);
	return close + 1;
}

/* Takes a construct at s.p off, adding what it says; where to go on, or NULL: there is none. */
static const char *strip_at(struct buf *b, size_t start, struct span s, char before)
{
	switch (*s.p) {
	case '\\':
		if (s.p + 1 == s.end || !is_punct(s.p[1]))
			return NULL;
		emit(b, start, s.p[1]);
		return s.p + 2;
	case '`':
		return strip_code(b, start, s);
	case '*': case '_': case '~':
		return strip_emphasis(b, start, s, before);
	case '!':
		return s.p + 1 < s.end && s.p[1] == '[' ? strip_link(b, start, (struct span){ s.p + 1, s.end }) : NULL;
	case '[':
		return strip_link(b, start, s);
	case '<':
		return strip_autolink(b, start, s);
	default:
		return NULL;
	}
}

static void strip_inline(struct buf *b, size_t start, struct span s)
{
	const char *next;
	char before = 0;

	while (s.p < s.end) {
		size_t n = *s.p == '*' || *s.p == '_' || *s.p == '~' || *s.p == '`' ? run_length(s) : 1;

		next = strip_at(b, start, s, before);
		if (!next)
			for (next = s.p + n; s.p < next; s.p++)
				emit(b, start, *s.p);
		before = next[-1];
		s.p = next;
	}
}

/* Takes one block mark off the front: "# ", "> ", "- ", "1. ", "[x] ". */
static bool strip_mark(struct span *s)
{
	const char *p = s->p;

	if (p < s->end && *p == '>') {
		s->p++;
		return true;
	}
	if (p < s->end && strchr("-*+", *p)) {
		p++;
	} else if (starts(*s, "[ ]") || starts(*s, "[x]") || starts(*s, "[X]")) {
		p += 3;
	} else if (p < s->end && *p == '#') {
		while (p < s->end && *p == '#' && p - s->p < 6)
			p++;
	} else {
		while (p < s->end && *p >= '0' && *p <= '9' && p - s->p < 9)
			p++;
		if (p == s->p || p == s->end || (*p != '.' && *p != ')'))
			return false;
		p++;
	}
	if (p < s->end && !is_blank(*p))
		return false;
	s->p = p;
	return true;
}

static void strip_line(struct buf *b, struct span s)
{
	size_t start = b->len;
	bool heading = starts(s, "#");

	do
		trim(&s);
	while (strip_mark(&s));
	if (s.end - s.p > LINE_LOOK) {
		s.end = s.p + LINE_LOOK;
		while (s.end > s.p && ((unsigned char)*s.end & 0xc0) == 0x80)
			s.end--;
	} else if (heading) {
		const char *end = s.end;

		while (end > s.p && end[-1] == '#')
			end--;
		if (end == s.p || is_blank(end[-1]))
			s.end = end;
	}
	trim(&s);
	strip_inline(b, start, s);
	drop_end_blank(b, start);
}

/* Cuts what stands in b from start to TITLE_MAX bytes with "…", between clusters; inside one that is longer. */
static void cut(struct buf *b, size_t start)
{
	const size_t room = TITLE_MAX - strlen(ELLIPSIS);
	const char *p = b->ptr + start;
	size_t n = b->len - start, cluster = 0, point = 0;
	int32_t c, last = UTF8_BAD, state = 0;

	if (n <= TITLE_MAX)
		return;
	for (size_t at = 0; at <= room; last = c) {
		size_t len = utf8_next(p + at, n - at, &c);

		c = c == UTF8_BAD ? 0xfffd : c;
		if (last != UTF8_BAD && utf8proc_grapheme_break_stateful(last, c, &state))
			cluster = at;
		point = at;
		at += len;
	}
	buf_setlen(b, start + (cluster ? cluster : point));
	drop_end_blank(b, start);
	buf_addstr(b, ELLIPSIS);
}

static struct span next_line(const char **p)
{
	const char *end = strchr(*p, '\n');
	struct span s = { *p, end ? end : *p + strlen(*p) };

	*p = end ? end + 1 : s.end;
	trim(&s);
	return s;
}

static bool is_rule(struct span s)
{
	char c = s.p < s.end ? *s.p : 0;
	int n = 0;

	if (!c || !strchr("-*_=", c))
		return false;
	for (; s.p < s.end; s.p++) {
		if (*s.p != c && !is_blank(*s.p))
			return false;
		n += *s.p == c;
	}
	return n >= 2;
}

/* Skips an HTML comment that begins at s; the rest of its last line stays in *s. */
static void skip_comment(struct span *s, const char **p)
{
	const char *end = strstr(s->p, "-->");

	if (!end) {
		s->p = s->end;
		*p += strlen(*p);
		return;
	}
	*p = end + 3;
	*s = next_line(p);
}

void title_from_body(struct buf *b, const char *body)
{
	struct span quote = { 0 }, code = { 0 }, s;
	size_t start = b->len;
	bool fence = false;

	while (*body && b->len == start) {
		s = next_line(&body);
		if (!fence && starts(s, "<!--"))
			skip_comment(&s, &body);
		if (starts(s, "```") || starts(s, "~~~"))
			fence = !fence;
		else if (s.p == s.end || (!fence && is_rule(s)))
			continue;
		else if (fence)
			code = code.p ? code : s;
		else if (*s.p == '>')
			quote = quote.p ? quote : s;
		else
			strip_line(b, s);
	}
	if (b->len == start && quote.p)
		strip_line(b, quote);
	if (b->len == start)
		for (; code.p < code.end; code.p++)
			emit(b, start, *code.p);
	if (b->len == start)
		buf_addstr(b, "(no text)");
	cut(b, start);
}

void title_one_line(struct buf *b, const char *s)
{
	size_t start = b->len;

	for (; *s; s++)
		emit(b, start, *s);
	drop_end_blank(b, start);
}
