/* SPDX-License-Identifier: MIT */
/*
 * Line by line: lines of code, fenced or indented behind an empty line, are copied; in the others runs of backticks are skipped
 * to their like within the paragraph, and an @ before a name that no word leads into is put into backticks with it.
 */
#include "config.h"
#include <ctype.h>
#include <string.h>
#include "killick/text/mention.h"

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_.-", c)) || (unsigned char)c >= 0x80;
}

/* How long the name behind the @ is, with "/team"; 0: it calls nobody. What stands before may be anything but a word's end. */
static size_t name_len(const char *start, const char *at)
{
	size_t n = 1;

	if (at > start && (isalnum((unsigned char)at[-1]) || at[-1] == '_'))
		return 0;
	while (is_word(at[n]) || (at[n] == '/' && n > 1 && is_word(at[n + 1])))
		n++;
	while (n > 1 && strchr(".-", at[n - 1]))
		n--;
	return n - 1;
}

/* Behind the code span that begins here, NULL: it is none. */
static const char *span_end(const char *p)
{
	size_t n = strspn(p, "`"), run;

	for (const char *q = p + n; *q && strncmp(q, "\n\n", 2) != 0; q += run ? run : 1) {
		run = strspn(q, "`");
		if (run == n)
			return q + run;
	}
	return NULL;
}

/* A line of prose, and of a span that goes on behind it; returns behind what was taken. */
static const char *add_prose(struct buf *out, const char *start, const char *p)
{
	while (*p && *p != '\n') {
		const char *at = p + (*p == '\\');   /* "\@name" calls as well */
		size_t n = *at == '@' ? name_len(at > p ? at : start, at) : 0;
		const char *end = *p == '`' ? span_end(p) : NULL;

		if (n) {
			buf_addch(out, '`');
			buf_add(out, at, n + 1);
			buf_addch(out, '`');
			p = at + n + 1;
		} else {
			end = end ? end : p + (*p == '`' ? strspn(p, "`") : 1);
			buf_add(out, p, (size_t)(end - p));
			p = end;
		}
	}
	return p;
}

void mentions_defuse(struct buf *out, const char *markdown)
{
	bool fenced = false, code = true;   /* code: this line is, if it is indented */

	for (const char *p = markdown; *p;) {
		size_t blanks = strspn(p, " "), n = strcspn(p, "\n");
		bool fence = blanks < 4 && (!strncmp(p + blanks, "```", 3) || !strncmp(p + blanks, "~~~", 3));
		bool empty = strspn(p, " \t\r") >= n;

		code = empty || (code && (blanks >= 4 || *p == '\t'));
		if (fenced || fence || code) {
			buf_add(out, p, n);
			p += n;
		} else {
			p = add_prose(out, markdown, p);
		}
		fenced = fenced != fence;
		if (*p == '\n')
			buf_addch(out, *p++);
	}
}
