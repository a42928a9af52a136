/* SPDX-License-Identifier: MIT */
/*
 * Anchors to text. The short form is written first and read back by the parser itself, as if every path existed: where
 * that gives another anchor, the long form (path:"…", commit:, task:, change:) is written instead. So there is no second
 * list of what could be misread that must be kept in step with the parser.
 *
 * What the short form cannot know is a repository where both "a" and "a:12" are files. anchor_format_in asks.
 */
#include "config.h"
#include <string.h>
#include <utf8proc.h>
#include "anchortext.h"
#include "killick/base/hash.h"

/* The length of the code point at p if a terminal shows it as itself, else 0. */
static size_t shown_as_itself(const char *p, size_t n)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)p, (utf8proc_ssize_t)n, &c);

	if (len <= 0)
		return 0;
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_CC: case UTF8PROC_CATEGORY_CF: case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_ZL: case UTF8PROC_CATEGORY_ZP:
		return 0;
	case UTF8PROC_CATEGORY_ZS:
		return c == ' ' ? 1 : 0;
	default:
		return (size_t)len;
	}
}

static const char escapes[] = "a\ab\bt\tn\nv\vf\fr\r\"\"\\\\";

/* The letter behind the backslash for byte c, or 0. */
static char escape_of(char c)
{
	for (size_t i = 0; i + 1 < sizeof(escapes); i += 2)
		if (escapes[i + 1] == c)
			return escapes[i];
	return 0;
}

void anchor_quote_path(struct buf *b, const char *path)
{
	size_t n = strlen(path);

	buf_addch(b, '"');
	while (n) {
		char esc = escape_of(*path);
		size_t len = esc ? 0 : shown_as_itself(path, n);

		if (esc)
			buf_addf(b, "\\%c", esc);
		else if (len)
			buf_add(b, path, len);
		else
			buf_addf(b, "\\%03o", (unsigned)(unsigned char)*path);
		len = len ? len : 1;
		path += len;
		n -= len;
	}
	buf_addch(b, '"');
}

/* The byte of the escape behind a backslash at *s, which moves behind it; -1: none, or a NUL. */
static int unescape(const char **s)
{
	const char *p = *s;
	int c = 0;

	if (*p >= '0' && *p <= '3') {
		for (int i = 0; i < 3; i++, p++) {
			if (*p < '0' || *p > '7')
				return -1;
			c = c * 8 + (*p - '0');
		}
		*s = p;
		return c ? c : -1;
	}
	for (size_t i = 0; i + 1 < sizeof(escapes); i += 2) {
		if (escapes[i] == *p) {
			*s = p + 1;
			return (unsigned char)escapes[i + 1];
		}
	}
	return -1;
}

const char *anchor_unquote_path(struct arena *a, const char *s, const char **end)
{
	struct buf b = BUF_INIT;
	const char *out = NULL;
	int c;

	for (s++; *s && *s != '"'; ) {
		c = (unsigned char)*s++;
		if (c == '\\' && (c = unescape(&s)) < 0)
			goto done;
		buf_addch(&b, c);
	}
	if (*s != '"')
		goto done;
	*end = s + 1;
	out = arena_memdup(a, b.ptr, b.len);
done:
	buf_release(&b);
	return out;
}

static bool is_full_oid(const char *s)
{
	return strlen(s) == GIT_OID_HEX - 1 && strspn(s, "0123456789abcdefABCDEF") == GIT_OID_HEX - 1;
}

static void add_commit(struct buf *b, const char *commit, unsigned flags)
{
	if (!(flags & ANCHOR_FULL_OID) && is_full_oid(commit))
		buf_add(b, commit, 7);
	else
		buf_addstr(b, commit);
}

/* Would it be hard to see, to copy or to type after a command? */
static bool path_needs_quotes(const char *path)
{
	size_t n = strlen(path);

	if (!n || path[0] == '-' || path[0] == ' ' || path[n - 1] == ' ')
		return true;
	for (size_t len; n; path += len, n -= len) {
		len = shown_as_itself(path, n);
		if (!len || *path == '"' || *path == '\\')
			return true;
	}
	return false;
}

static void add_in_file(struct buf *b, const struct anchor *an, unsigned flags, bool quoted)
{
	if (quoted) {
		buf_addstr(b, "path:");
		anchor_quote_path(b, an->path);
	} else {
		buf_addstr(b, an->path);
	}
	if (an->type == ANCHOR_LINES) {
		buf_addf(b, ":%u", (unsigned)an->line);
		if (an->end != an->line)
			buf_addf(b, "-%u", (unsigned)an->end);
		if (an->side == SIDE_OLD)
			buf_addch(b, '~');
	} else if (an->type == ANCHOR_SECTION) {
		buf_addf(b, "#%s", an->section);
	}
	if (an->commit && (flags & ANCHOR_WITH_COMMIT)) {
		buf_addch(b, '@');
		add_commit(b, an->commit, flags);
	}
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static void add_form(struct buf *b, const struct anchor *an, unsigned flags, bool longer)
{
	switch (an->type) {
	case ANCHOR_PROJECT:
		buf_addch(b, '.');
		break;
	case ANCHOR_TASK:
		buf_addf(b, "%s%s", longer ? "task:" : "", or_empty(an->task));
		break;
	case ANCHOR_CHANGE:
		buf_addf(b, "%s%s", longer ? "change:" : "!", or_empty(an->task));
		break;
	case ANCHOR_COMMIT:
		buf_addstr(b, longer ? "commit:" : "");
		add_commit(b, or_empty(an->commit), flags);
		break;
	default:
		add_in_file(b, an, flags, longer);
	}
}

static bool in_file(const struct anchor *an)
{
	return an->type == ANCHOR_FILE || an->type == ANCHOR_LINES || an->type == ANCHOR_SECTION;
}

/* Does text say the same as an, as far as a text with these flags can? */
static bool reads_back(const char *text, const struct anchor *an, unsigned flags, const struct anchor_resolver *r)
{
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	struct anchor got, want = { .type = an->type, .path = an->path, .line = an->line, .end = an->end,
		.side = an->side, .section = an->section, .task = an->task };
	struct buf commit = BUF_INIT;
	bool same;

	if (an->commit && (an->type == ANCHOR_COMMIT || (in_file(an) && (flags & ANCHOR_WITH_COMMIT)))) {
		add_commit(&commit, an->commit, flags);
		want.commit = commit.ptr;
	}
	same = !anchor_parse(&a, text, r, &got, &e) && anchor_same(&got, &want);
	buf_release(&commit);
	arena_release(&a);
	return same;
}

static void format(struct buf *b, const struct anchor *an, unsigned flags, const struct anchor_resolver *r)
{
	size_t start = b->len;

	if (in_file(an) && (!an->path || (an->type == ANCHOR_SECTION && !an->section)))
		BUG("a %s anchor lacks its path or section", anchor_type_name(an->type));
	if (!in_file(an) || !path_needs_quotes(an->path)) {
		add_form(b, an, flags, false);
		if (reads_back(b->ptr + start, an, flags, NULL) && (!r || reads_back(b->ptr + start, an, flags, r)))
			return;
		buf_setlen(b, start);
	}
	add_form(b, an, flags, true);
}

void anchor_format(struct buf *b, const struct anchor *an, unsigned flags)
{
	format(b, an, flags, NULL);
}

void anchor_format_in(struct buf *b, const struct anchor *an, unsigned flags, const struct anchor_resolver *r)
{
	format(b, an, flags, r);
}
