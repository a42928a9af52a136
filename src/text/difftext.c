/* SPDX-License-Identifier: MIT */
/*
 * A patch for the eye. Lines are told apart by counting what the hunk header announced, so that a removed line
 * "-- x" is not taken for a file header. Removed lines are kept back until the added ones after them are known; then
 * each is paired with the first added line that is like it, and in a pair the tokens outside the longest common
 * subsequence are marked. Lines that have less than 40 % in common are different lines and not changed ones: marks all
 * over them would say nothing. The work a pair takes is bounded; beyond that the differing middle is marked whole.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/base/buf.h"
#include "killick/text/difftext.h"
#include "killick/text/sanitize.h"
#include "killick/text/width.h"

enum {
	LCS_CELLS = 65536,  /* tokens times tokens */
	LOOK_AHEAD = 8,     /* added lines that a removed one is compared with */
	PAIRED_BLOCK = 200, /* longer blocks are rewritten, not edited */
	ALIKE = 40,         /* per cent */
};

struct token { const char *p; size_t len; bool blank, changed; };
struct line { char *text; size_t len; ARRAY(struct token) tokens; bool paired; };

struct diff {
	struct styled *s;
	int tab;
	uint64_t old_left, new_left; /* lines that the hunk still has */
	unsigned columns;            /* of marks: 1, or more in a merge */
	bool in_hunk;
	ARRAY(struct line) del, add;
};

/* ---- the changed words of a pair ---- */

static bool is_word(const char *p, size_t len)
{
	unsigned char c = (unsigned char)*p;

	return len > 1 || c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Words, runs of blanks, and everything else cluster by cluster. */
static void tokenize(struct line *l)
{
	size_t i = 0, len;
	int cells;

	while (i < l->len) {
		struct token *t = array_add(&l->tokens);
		bool word, blank = l->text[i] == ' ';
		len = text_cluster(l->text + i, l->len - i, &cells);
		word = is_word(l->text + i, len);
		*t = (struct token){ .p = l->text + i, .blank = blank && len == 1 };
		do {
			i += len;
			t->len += len;
			len = i < l->len ? text_cluster(l->text + i, l->len - i, &cells) : 0;
		} while (len && (t->blank ? len == 1 && l->text[i] == ' ' : word && is_word(l->text + i, len)));
	}
}

static bool same(const struct token *a, const struct token *b)
{
	return a->len == b->len && !memcmp(a->p, b->p, a->len);
}

static void mark(struct token *t, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		t[i].changed = true;
}

/* Marks what is not in the longest common subsequence; the table is walked from the front, so it is filled from the back. */
static void mark_lcs(struct token *a, size_t na, struct token *b, size_t nb)
{
	size_t w = nb + 1, i = 0, j = 0;
	unsigned short *t;

	if ((na + 1) * w > LCS_CELLS) {
		mark(a, 0, na);
		mark(b, 0, nb);
		return;
	}
	t = xcalloc((na + 1) * w, sizeof(*t));
	for (size_t x = na; x-- > 0;)
		for (size_t y = nb; y-- > 0;) {
			unsigned short skip_a = t[(x + 1) * w + y], skip_b = t[x * w + y + 1];
			if (same(&a[x], &b[y]))
				t[x * w + y] = (unsigned short)(t[(x + 1) * w + y + 1] + 1);
			else
				t[x * w + y] = skip_a > skip_b ? skip_a : skip_b;
		}
	while (i < na && j < nb) {
		if (same(&a[i], &b[j])) {
			i++;
			j++;
		} else if (t[(i + 1) * w + j] >= t[i * w + j + 1]) {
			a[i++].changed = true;
		} else {
			b[j++].changed = true;
		}
	}
	mark(a, i, na);
	mark(b, j, nb);
	free(t);
}

static void compare(struct line *a, struct line *b)
{
	struct token *x = a->tokens.items, *y = b->tokens.items;
	size_t nx = a->tokens.len, ny = b->tokens.len;

	for (size_t i = 0; i < nx; i++)
		x[i].changed = false;
	for (size_t i = 0; i < ny; i++)
		y[i].changed = false;
	for (; nx && ny && same(x, y); x++, y++)
		nx--, ny--;
	for (; nx && ny && same(&x[nx - 1], &y[ny - 1]); nx--)
		ny--;
	mark_lcs(x, nx, y, ny);
}

/* Bytes of l outside blanks; only the unchanged ones if asked for. */
static size_t weight(const struct line *l, bool unchanged)
{
	size_t sum = 0;

	for (size_t i = 0; i < l->tokens.len; i++) {
		const struct token *t = &l->tokens.items[i];
		if (!t->blank && !(unchanged && t->changed))
			sum += t->len;
	}
	return sum;
}

static bool alike(struct line *a, struct line *b)
{
	size_t all = weight(a, false) + weight(b, false);

	compare(a, b);
	return (weight(a, true) + weight(b, true)) * 100 >= all * ALIKE && all > 0;
}

static void pair_lines(struct diff *d)
{
	size_t next = 0;

	if (d->del.len > PAIRED_BLOCK || d->add.len > PAIRED_BLOCK)
		return;
	for (size_t i = 0; i < d->del.len; i++)
		for (size_t j = next; j < d->add.len && j < next + LOOK_AHEAD; j++)
			if (alike(&d->del.items[i], &d->add.items[j])) {
				d->del.items[i].paired = d->add.items[j].paired = true;
				next = j + 1;
				break;
			}
}

/* ---- lines ---- */

/* A line that was compared and found unlike keeps marks that mean nothing; only pairs are shown with theirs. */
static void put_changed(struct diff *d, const struct line *l, enum style st, enum style word, const char *sign)
{
	styled_newline(d->s)->nowrap = true;
	styled_add(d->s, st, sign);
	for (size_t i = 0; i < l->tokens.len;) {
		const struct token *t = &l->tokens.items[i];
		bool changed = l->paired && t->changed;
		size_t len = 0;
		for (; i < l->tokens.len && (l->paired && l->tokens.items[i].changed) == changed; i++)
			len += l->tokens.items[i].len;
		styled_addn(d->s, changed ? word : st, t->p, len);
	}
}

static void lines_clear(struct diff *d)
{
	for (size_t i = 0; i < d->del.len; i++) {
		free(d->del.items[i].text);
		array_release(&d->del.items[i].tokens);
	}
	for (size_t i = 0; i < d->add.len; i++) {
		free(d->add.items[i].text);
		array_release(&d->add.items[i].tokens);
	}
	d->del.len = d->add.len = 0;
}

static void flush(struct diff *d)
{
	pair_lines(d);
	for (size_t i = 0; i < d->del.len; i++)
		put_changed(d, &d->del.items[i], STYLE_DEL, STYLE_DEL_WORD, "-");
	for (size_t i = 0; i < d->add.len; i++)
		put_changed(d, &d->add.items[i], STYLE_ADD, STYLE_ADD_WORD, "+");
	lines_clear(d);
}

/* The line's text, clean, with tab stops counted from behind the marks. */
static struct line line_of(const struct diff *d, const char *p, size_t n)
{
	struct buf clean = BUF_INIT, b = BUF_INIT;
	struct line l = { .len = 0 };

	text_sanitize(&clean, p, n, TEXT_TABS);
	text_expand_tabs(&b, clean.ptr, clean.len, 0, d->tab);
	l.len = b.len;
	l.text = buf_detach(&b);
	buf_release(&clean);
	return l;
}

static void keep_line(struct diff *d, const char *p, size_t n)
{
	struct line l = line_of(d, p + 1, n - 1);

	if (*p == '-' && d->add.len)
		flush(d); /* an added block before a removed one: they are two changes */
	tokenize(&l);
	if (*p == '-')
		*array_add(&d->del) = l;
	else
		*array_add(&d->add) = l;
}

static void put_line(struct diff *d, enum style st, const char *p, size_t n, size_t marks)
{
	struct line l;

	flush(d);
	marks = marks < n ? marks : n;
	l = line_of(d, p + marks, n - marks);
	styled_newline(d->s)->nowrap = true;
	styled_addf(d->s, st, "%.*s%s", (int)marks, p, l.text);
	free(l.text);
}

/* "-12,3" or "+12": the count, 1 where there is none. */
static const char *range_count(const char *p, const char *end, uint64_t *count)
{
	*count = 1;
	for (p++; p < end && *p >= '0' && *p <= '9';)
		p++;
	if (p == end || *p != ',')
		return p;
	*count = 0;
	for (p++; p < end && *p >= '0' && *p <= '9'; p++)
		*count = *count > UINT64_MAX / 16 ? *count : *count * 10 + (uint64_t)(*p - '0');
	return p;
}

static void hunk_line(struct diff *d, const char *p, size_t n)
{
	const char *end = p + n, *q = p;

	while (q < end && *q == '@')
		q++;
	d->columns = (unsigned)(q - p) - 1;
	d->old_left = d->new_left = 0;
	while (q < end && *q == ' ') {
		if (end - q > 1 && q[1] == '-')
			q = range_count(q + 1, end, &d->old_left);
		else if (end - q > 1 && q[1] == '+')
			q = range_count(q + 1, end, &d->new_left);
		else
			break;
	}
	d->in_hunk = true;
	put_line(d, STYLE_HUNK, p, n, 0);
}

static enum style header_style(const char *p, size_t n)
{
	static const char *const strong[] = { "diff ", "--- ", "+++ ", "rename ", "copy ", "new file", "deleted file" };

	for (size_t i = 0; i < ARRAY_SIZE(strong); i++)
		if (n >= strlen(strong[i]) && !memcmp(p, strong[i], strlen(strong[i])))
			return STYLE_STRONG;
	return STYLE_DIM;
}

/* A line of a hunk of a plain diff; false: the hunk has no line left for it. */
static bool body_line(struct diff *d, const char *p, size_t n)
{
	char c = n ? *p : ' '; /* some programs cut the blank off an empty context line */

	if (c == '\\') {
		put_line(d, STYLE_DIM, p, n, 0);
		return true;
	}
	if (!strchr(" +-", c) || !(c == '+' ? d->new_left : c == '-' ? d->old_left : d->old_left && d->new_left))
		return false;
	d->old_left -= c != '+';
	d->new_left -= c != '-';
	if (c == ' ')
		put_line(d, STYLE_NORMAL, p, n, 1);
	else
		keep_line(d, p, n);
	return true;
}

/* A merge's diff has a column of marks for each parent; it is coloured by line, without pairs. */
static bool merge_line(struct diff *d, const char *p, size_t n)
{
	size_t marks = 0;

	while (marks < d->columns && marks < n && strchr(" +-", p[marks]))
		marks++;
	if (n >= 5 && !memcmp(p, "diff ", 5))
		return false;
	put_line(d, memchr(p, '+', marks) ? STYLE_ADD : memchr(p, '-', marks) ? STYLE_DEL : STYLE_NORMAL, p, n, marks);
	return true;
}

static void one_line(struct diff *d, const char *p, size_t n)
{
	if (n >= 3 && !memcmp(p, "@@", 2) && !(d->in_hunk && d->columns == 1 && (d->old_left || d->new_left))) {
		hunk_line(d, p, n);
		return;
	}
	if (d->in_hunk && (d->columns > 1 ? merge_line(d, p, n) : body_line(d, p, n)))
		return;
	d->in_hunk = false;
	put_line(d, header_style(p, n), p, n, 0);
}

void difftext_style(struct styled *s, const char *patch, size_t n, int tab)
{
	struct diff d = { .s = s, .tab = tab };

	for (size_t i = 0; i < n;) {
		const char *lf = memchr(patch + i, '\n', n - i);
		size_t len = lf ? (size_t)(lf - patch) - i : n - i, cut = len;
		if (cut && patch[i + cut - 1] == '\r' && lf)
			cut--;
		one_line(&d, patch + i, cut);
		i += len + 1;
	}
	flush(&d);
	array_release(&d.del);
	array_release(&d.add);
}
