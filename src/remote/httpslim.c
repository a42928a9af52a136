/* SPDX-License-Identifier: MIT */
/*
 * JSON made small before it is parsed. Forges repeat a dozen addresses in every person and whole repositories in every change:
 * nine tenths of a page that nobody reads, and parsing is most of what a first pull costs (jansson: some 50 MB/s). Members that
 * the adapter names are cut out of the text, strings, numbers and whole objects, each with its comma. It only has to know strings and
 * brackets; a text where that does not work out is left as it is, for the parser to refuse.
 */
#include "config.h"
#include <string.h>
#include "httpint.h"

/* Behind the string that begins at s; NULL: it does not end. */
static const char *string_end(const char *s, const char *end)
{
	for (s++; (s = memchr(s, '"', (size_t)(end - s))); s++) {
		const char *b = s;
		while (b[-1] == '\\')
			b--;
		if ((s - b) % 2 == 0)
			return s + 1;
	}
	return NULL;
}

static const char *blanks_end(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\n' || *s == '\r' || *s == '\t'))
		s++;
	return s;
}

/* Behind an object or list. */
static const char *nest_end(const char *s, const char *end)
{
	int depth = 0;

	while (s && s < end) {
		if (*s == '"') {
			s = string_end(s, end);
			continue;
		}
		depth += (*s == '{' || *s == '[') - (*s == '}' || *s == ']');
		s++;
		if (depth == 0)
			return s;
	}
	return NULL;
}

static const char *value_end(const char *s, const char *end)
{
	if (s == end)
		return NULL;
	if (*s == '"')
		return string_end(s, end);
	if (*s == '{' || *s == '[')
		return nest_end(s, end);
	while (s < end && *s && !strchr(",}] \n\r\t", *s))
		s++;
	return s;
}

/* Ends the output where the last member that stays ended. */
static void trim_comma(struct buf *out)
{
	size_t n = out->len;

	while (n > 0 && strchr(" \n\r\t", out->ptr[n - 1]))
		n--;
	if (n > 0 && out->ptr[n - 1] == ',')
		buf_setlen(out, n - 1);
}

bool json_slim(struct buf *out, const char *p, size_t n, bool (*drop)(const char *key, size_t len))
{
	const char *end = p + n, *kept = p, *s = p;

	while ((s = memchr(s, '"', (size_t)(end - s)))) {
		const char *key = s, *after = string_end(s, end), *v;

		if (!after)
			return false;
		s = after;
		v = blanks_end(after, end);
		if (v == end || *v != ':' || !drop(key + 1, (size_t)(after - key) - 2))
			continue;
		v = value_end(blanks_end(v + 1, end), end);
		if (!v)
			return false;
		buf_add(out, kept, (size_t)(key - kept));
		v = blanks_end(v, end);
		if (v < end && *v == ',')
			v++;
		else
			trim_comma(out);
		kept = s = v;
	}
	buf_add(out, kept, (size_t)(end - kept));
	return true;
}
