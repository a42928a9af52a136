/* SPDX-License-Identifier: MIT */
/*
 * Trailers at the end of a commit message, by the rules of git's trailer.c (git-interpret-trailers(1)), compared with real
 * git by a test: the last paragraph, not the title, all of whose lines are trailers, or a quarter of them when one is
 * git's own; comments, an old "Conflicts:" list and what follows the scissors line are not part of the message.
 *
 * One thing more than git: "Question(src/a.c:3): why?", killick's own keys with a place in brackets, is a trailer.
 */
#include "config.h"
#include <ctype.h>
#include <stdlib.h>
#include "git.h"

static const char scissors[] = "# ------------------------ >8 ------------------------\n";

static const char *line_end(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	return nl ? nl + 1 : end;
}

static const char *line_before(const char *start, const char *p)
{
	if (p == start)
		return NULL;
	for (p--; p > start && p[-1] != '\n'; p--)
		;
	return p;
}

static bool blank_line(const char *p, const char *end)
{
	for (end = line_end(p, end); p < end && isspace((unsigned char)*p); p++)
		;
	return p == end;
}

/* "Question(…" up to its bracket, for killick's own keys. */
static const char *placed_key(const char *p, const char *eol)
{
	static const char *const keys[] = { "Question(", "Decision(", "Note(", "Remark(" };
	const char *close;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t n = strlen(keys[i]);

		if ((size_t)(eol - p) <= n || strncasecmp(p, keys[i], n) != 0)
			continue;
		for (close = p + n; close + 1 < eol; close++)
			if (close[0] == ')' && close[1] == ':')
				return close + 1;
	}
	return NULL;
}

/* The colon behind a trailer's key, or NULL. A key has letters, digits and '-'; blanks may stand before the colon. */
static const char *separator(const char *p, const char *eol)
{
	const char *c = p, *placed = placed_key(p, eol);
	bool blank = false;

	if (placed)
		return placed;
	for (; c < eol && *c != ':'; c++) {
		if (!blank && (isalnum((unsigned char)*c) || *c == '-'))
			continue;
		if (c == p || (*c != ' ' && *c != '\t'))
			return NULL;
		blank = true;
	}
	return c < eol && c > p ? c : NULL;
}

/* Where the message ends: before the scissors, trailing comments and an old list of conflicts. */
static const char *message_end(const char *p, const char *end)
{
	const char *cut = strncmp(p, scissors, sizeof(scissors) - 1) ? NULL : p, *at, *rest = NULL;
	bool conflicts = false;

	if (!cut) {
		for (at = p; (at = memchr(at, '\n', (size_t)(end - at))) && !cut; at++)
			if ((size_t)(end - at) >= sizeof(scissors) && !memcmp(at + 1, scissors, sizeof(scissors) - 1))
				cut = at + 1;
	}
	if (cut)
		end = cut;
	for (; p < end; p = line_end(p, end)) {
		if (*p == '#' || *p == '\n') {
			rest = rest ? rest : p;
		} else if ((size_t)(end - p) >= 11 && !memcmp(p, "Conflicts:\n", 11)) {
			conflicts = true;
			rest = rest ? rest : p;
		} else if (!(conflicts && *p == '\t')) {
			rest = NULL;
			conflicts = false;
		}
	}
	return rest ? rest : end;
}

struct count { unsigned trailers, others, indented; bool own; };

/* One line of the candidate paragraph, from the last one up. */
static void count_line(struct count *n, const char *p, const char *eol)
{
	static const char *const git_own[] = { "Signed-off-by: ", "(cherry picked from commit " };

	for (size_t i = 0; i < ARRAY_SIZE(git_own); i++) {
		if ((size_t)(eol - p) >= strlen(git_own[i]) && !memcmp(p, git_own[i], strlen(git_own[i]))) {
			n->trailers++;
			n->own = true;
			n->indented = 0;
			return;
		}
	}
	if (!isspace((unsigned char)*p) && separator(p, eol)) {
		n->trailers++;
		n->indented = 0;
	} else if (isspace((unsigned char)*p)) {
		n->indented++;
	} else {
		n->others += 1 + n->indented;
		n->indented = 0;
	}
}

static const char *block_start(const char *start, const char *end)
{
	struct count n = { .own = false };
	const char *title = start, *p;
	bool only_blank = true;

	for (; title < end && (*title == '#' || !blank_line(title, end)); title = line_end(title, end))
		;
	for (p = line_before(start, end); p && p >= title; p = line_before(start, p)) {
		if (*p == '#') {
			n.others += n.indented;
			n.indented = 0;
		} else if (!blank_line(p, end)) {
			only_blank = false;
			count_line(&n, p, line_end(p, end));
		} else if (!only_blank) {
			n.others += n.indented;
			if ((n.own && n.trailers * 3 >= n.others) || (n.trailers && !n.others))
				return line_end(p, end);
			return end;
		}
	}
	return end;
}

static void add_trimmed(struct buf *b, const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	if (b->len && p < end)
		buf_addch(b, ' ');
	buf_add(b, p, (size_t)(end - p));
}

/* A trailer and the indented lines that follow it; *at moves behind them. */
static struct trailer read_trailer(struct arena *a, const char **at, const char *colon, const char *end)
{
	struct buf key = BUF_INIT, value = BUF_INIT;
	struct trailer t;
	const char *p = *at;

	add_trimmed(&key, p, colon);
	p = line_end(p, end);
	add_trimmed(&value, colon + 1, p);
	for (; p < end && isspace((unsigned char)*p); p = line_end(p, end))
		add_trimmed(&value, p, line_end(p, end));
	t.key = arena_memdup(a, key.ptr, key.len);
	t.value = arena_memdup(a, value.ptr, value.len);
	*at = p;
	buf_release(&key);
	buf_release(&value);
	return t;
}

size_t message_trailers(struct arena *a, const char *message, struct trailer **out)
{
	const char *end = message_end(message, message + strlen(message)), *colon;
	ARRAY(struct trailer) found = ARRAY_INIT;
	size_t n;

	for (const char *p = block_start(message, end); p < end;) {
		colon = *p == '#' ? NULL : separator(p, line_end(p, end));
		if (colon) {
			struct trailer t = read_trailer(a, &p, colon, end);

			*array_add(&found) = t;
		} else {
			p = line_end(p, end);
		}
	}
	n = found.len;
	*out = (struct trailer *)(void *)arena_memdup(a, found.items, n * sizeof(struct trailer));
	array_release(&found);
	return n;
}
