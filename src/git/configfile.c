/* SPDX-License-Identifier: MIT */
/*
 * The syntax of git's configuration files (git-config(1), "Syntax"; git's config.c decides where it is vague).
 *
 * Read here and not by libgit2 because settings are needed by every command, and libgit2's start costs more than all
 * the rest of a command. tests/git/config.t compares the result with `git config --list` over odd files.
 */
#include "config.h"
#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "killick/base/file.h"
#include "git.h"

#define CONFIG_FILE_MAX (64u << 20)

struct parser {
	const char *p, *end;
	unsigned line;
	bool eof;
	struct buf name;    /* "section.sub." and then the variable */
	struct buf value;
};

/* The next byte; CRLF is one newline, the end is a newline too, with eof set. */
static int next(struct parser *c)
{
	int ch;

	if (c->p == c->end) {
		c->eof = true;
		return '\n';
	}
	ch = (unsigned char)*c->p++;
	if (ch == '\r' && c->p < c->end && *c->p == '\n') {
		c->p++;
		ch = '\n';
	}
	if (ch == '\n')
		c->line++;
	return ch;
}

static bool key_char(int c)
{
	return isalnum(c) || c == '-';
}

/* After "[section ": the quoted part, kept as written. */
static bool parse_subsection(struct parser *c, int ch)
{
	do {
		if (ch == '\n')
			return false;
		ch = next(c);
	} while (isspace(ch) && !(ch == '\n' && c->eof));
	if (ch != '"')
		return false;
	buf_addch(&c->name, '.');
	while ((ch = next(c)) != '"') {
		if (ch == '\\')
			ch = next(c);
		if (ch == '\n' || !ch)
			return false;
		buf_addch(&c->name, ch);
	}
	return next(c) == ']';
}

static bool parse_section(struct parser *c)
{
	int ch;

	buf_reset(&c->name);
	for (;;) {
		ch = next(c);
		if (c->eof)
			return false;
		if (ch == ']')
			break;
		if (isspace(ch)) {
			if (!parse_subsection(c, ch))
				return false;
			break;
		}
		if (!key_char(ch) && ch != '.')
			return false;
		buf_addch(&c->name, tolower(ch));
	}
	buf_addch(&c->name, '.');
	return true;
}

/* What follows a backslash in a value; -1 is an error, 0 a continued line. */
static int escaped(int ch)
{
	static const char from[] = "tbn\\\"", to[] = "\t\b\n\\\"";
	const char *at = ch ? strchr(from, ch) : NULL;

	if (ch == '\n')
		return 0;
	return at ? to[at - from] : -1;
}

static bool parse_value(struct parser *c)
{
	bool quoted = false, comment = false;
	size_t keep = 0;   /* length without the white space that ends it */
	int ch;

	buf_reset(&c->value);
	for (;;) {
		ch = next(c);
		if (ch == '\n') {
			buf_setlen(&c->value, keep);
			return !quoted;
		}
		if (comment || !ch) {
			if (!comment)
				return false;
			continue;
		}
		if (isspace(ch) && !quoted) {
			if (c->value.len)
				buf_addch(&c->value, ch);
			continue;
		}
		if (!quoted && (ch == ';' || ch == '#')) {
			comment = true;
			continue;
		}
		if (ch == '"') {
			quoted = !quoted;
			keep = c->value.len;
			continue;
		}
		if (ch == '\\') {
			ch = escaped(next(c));
			if (ch < 0)
				return false;
			if (!ch) {
				keep = c->value.len;
				continue;
			}
		}
		buf_addch(&c->value, ch);
		keep = c->value.len;
	}
}

/* A variable, its first letter read: the rest of its name and its value. *bare: it has no value. */
static bool parse_variable(struct parser *c, int ch, bool *bare)
{
	for (; key_char(ch); ch = next(c))
		buf_addch(&c->name, tolower(ch));
	while (ch == ' ' || ch == '\t')
		ch = next(c);
	*bare = ch == '\n';
	if (*bare)
		return true;
	return ch == '=' && parse_value(c);
}

static int give(struct parser *c, bool bare, const char *origin, struct arena *a, config_fn *fn, void *ctx)
{
	const char *key = arena_memdup(a, c->name.ptr, c->name.len);

	return fn(ctx, key, bare ? "true" : arena_memdup(a, c->value.ptr, c->value.len), origin);
}

static int parse_all(struct parser *c, const char *origin, struct arena *a, config_fn *fn, void *ctx, bool *bad)
{
	bool comment = false, bare;
	size_t base = 0;
	int ch, rc;

	for (;;) {
		ch = next(c);
		if (ch == '\n') {
			if (c->eof)
				return 0;
			comment = false;
		} else if (comment || isspace(ch)) {
			;
		} else if (ch == '#' || ch == ';') {
			comment = true;
		} else if (ch == '[' && parse_section(c)) {
			base = c->name.len;
		} else if (ch != '[' && base && isalpha(ch)) {
			buf_setlen(&c->name, base);
			if (!parse_variable(c, ch, &bare))
				break;
			rc = give(c, bare, origin, a, fn, ctx);
			if (rc)
				return rc;
			if (c->eof)
				return 0;
		} else {
			break;
		}
	}
	*bad = true;
	return -1;
}

int config_parse(const char *text, size_t n, const char *origin, struct arena *a, config_fn *fn, void *ctx,
    struct err *e)
{
	struct parser c = { .p = text, .end = text + n, .line = 1, .name = BUF_INIT, .value = BUF_INIT };
	bool bad = false;
	int rc;

	if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		c.p += 3;
	rc = parse_all(&c, origin, a, fn, ctx, &bad);
	if (bad)
		err_set(e, ERR_BAD_DATA, "bad configuration line %u in '%s'", c.line - (!c.eof && c.p > text && c.p[-1] == '\n'),
		    origin);
	buf_release(&c.name);
	buf_release(&c.value);
	return rc;
}

int config_file_each(const char *path, struct arena *a, config_fn *fn, void *ctx, struct err *e)
{
	struct buf text = BUF_INIT;
	struct stat st;
	int rc;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	rc = file_read(path, CONFIG_FILE_MAX, &text, e);
	if (!rc)
		rc = config_parse(text.ptr, text.len, arena_strdup(a, path), a, fn, ctx, e);
	buf_release(&text);
	return rc;
}

bool git_bool(const char *value, bool def)
{
	static const char *const yes[] = { "true", "yes", "on", NULL }, *const no[] = { "false", "no", "off", "", NULL };
	char *end;
	long n;

	if (!value)
		return def;
	for (size_t i = 0; yes[i]; i++)
		if (!strcasecmp(value, yes[i]))
			return true;
	for (size_t i = 0; no[i]; i++)
		if (!strcasecmp(value, no[i]))
			return false;
	n = strtol(value, &end, 10);
	return *end ? def : n != 0;
}

bool config_path(struct buf *out, const char *value)
{
	const char *rest = value + strcspn(value, "/");
	char *user = NULL;
	const char *home = NULL;
	struct passwd *pw;

	buf_reset(out);
	if (*value != '~') {
		buf_addstr(out, value);
		return true;
	}
	if (rest == value + 1) {
		home = getenv("HOME");
	} else {
		user = xstrndup(value + 1, (size_t)(rest - value) - 1);
		pw = getpwnam(user);
		home = pw ? pw->pw_dir : NULL;
		free(user);
	}
	if (!home)
		return false;
	buf_addstr(out, home);
	buf_addstr(out, rest);
	return true;
}

static int fold(int c, bool fold_case)
{
	return fold_case ? tolower((unsigned char)c) : (unsigned char)c;
}

/* "[a-z]" and "[!a-z]"; *end is behind it. A bracket that does not close matches itself. */
static bool match_class(const char *p, int c, bool fold_case, const char **end)
{
	bool negate = p[1] == '!' || p[1] == '^', hit = false;
	const char *q = p + 1 + negate, *first = q;
	int lo, hi;

	for (; *q && (*q != ']' || q == first); q++) {
		if (*q == '\\' && q[1])
			q++;
		lo = hi = fold(*q, fold_case);
		if (q[1] == '-' && q[2] && q[2] != ']') {
			q += 2;
			hi = fold(*q, fold_case);
		}
		hit |= lo <= c && c <= hi;
	}
	if (*q != ']') {
		*end = p + 1;
		return c == '[';
	}
	*end = q + 1;
	return hit != negate && c != '/';
}

/* steps bounds the work, since a pattern may come from a repository and "*a*a*a*b" is exponential. */
static bool match_here(const char *p, const char *t, bool fold_case, unsigned *steps)
{
	const char *end;

	for (; *p; p++, t++) {
		if (!*steps || !--*steps)
			return false;
		if (p[0] == '*' && p[1] == '*') {
			for (p += 2; *p == '*'; p++)
				;
			if (*p == '/' && match_here(p + 1, t, fold_case, steps))
				return true;
			for (; !match_here(p, t, fold_case, steps); t++)
				if (!*t)
					return false;
			return true;
		}
		if (*p == '*') {
			for (; !match_here(p + 1, t, fold_case, steps); t++)
				if (!*t || *t == '/')
					return false;
			return true;
		}
		if (!*t)
			return false;
		if (*p == '[') {
			if (!match_class(p, fold(*t, fold_case), fold_case, &end))
				return false;
			p = end - 1;
		} else if (*p == '?') {
			if (*t == '/')
				return false;
		} else {
			if (*p == '\\' && p[1])
				p++;
			if (fold(*p, fold_case) != fold(*t, fold_case))
				return false;
		}
	}
	return !*t;
}

bool wild_match(const char *pattern, const char *text, bool fold_case)
{
	unsigned steps = 1000000;

	return match_here(pattern, text, fold_case, &steps);
}
