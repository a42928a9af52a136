/* SPDX-License-Identifier: MIT */
/*
 * Line breaking: greedy, at blanks and beside wide characters (which need no blank between words), never inside a grapheme
 * cluster, never before closing or after opening punctuation. A word longer than the line is broken between clusters. This
 * is the useful part of UAX #14 for a terminal; hyphens are no break, since `--option` and `x-y.c` must stay whole.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/text/sanitize.h"
#include "killick/text/width.h"
#include "flow.h"

void flow_release(struct flow *f)
{
	buf_release(&f->text);
	array_release(&f->runs);
}

void flow_reset(struct flow *f)
{
	buf_reset(&f->text);
	f->runs.len = 0;
}

void flow_add(struct flow *f, enum style st, const char *p, size_t n)
{
	if (!n)
		return;
	buf_add(&f->text, p, n);
	if (!f->runs.len || f->runs.items[f->runs.len - 1].style != st)
		array_add(&f->runs)->style = st;
	f->runs.items[f->runs.len - 1].end = f->text.len;
}

void flow_clean(struct flow *f)
{
	const unsigned flags = TEXT_PROSE | TEXT_LINES;
	struct flow dirty = *f;
	struct buf piece = BUF_INIT;
	size_t at = 0;

	if (text_is_clean(f->text.ptr, f->text.len, flags))
		return;
	*f = (struct flow)FLOW_INIT;
	for (size_t i = 0; i < dirty.runs.len; i++) {
		const struct flow_run *r = &dirty.runs.items[i];
		buf_reset(&piece);
		text_sanitize(&piece, dirty.text.ptr + at, r->end - at, flags);
		flow_add(f, r->style, piece.ptr, piece.len);
		at = r->end;
	}
	buf_release(&piece);
	flow_release(&dirty);
}

/* The run that holds the byte at `at`. */
static size_t run_at(const struct flow *f, size_t at)
{
	size_t lo = 0, hi = f->runs.len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (f->runs.items[mid].end > at)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

void flow_put(struct styled *s, const struct flow *f, size_t from, size_t to)
{
	for (size_t i = run_at(f, from); from < to && i < f->runs.len; i++) {
		size_t end = f->runs.items[i].end < to ? f->runs.items[i].end : to;
		styled_addn(s, f->runs.items[i].style, f->text.ptr + from, end - from);
		from = end;
	}
}

/* Is the cluster one of those in the list? All of them are a code point of one or three bytes. */
static bool one_of(const char *p, size_t n, const char *ascii, const char *wide)
{
	if (n == 1)
		return strchr(ascii, *p) != NULL;
	for (; n == 3 && *wide; wide += 3)
		if (!memcmp(p, wide, 3))
			return true;
	return false;
}

static bool closes(const char *p, size_t n)
{
	return one_of(p, n, ",.!?:;)]}'\"%", "、。，．！？：；）」』】〉》〕］｝ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ…”’");
}

static bool opens(const char *p, size_t n)
{
	return one_of(p, n, "([{'\"", "（「『【〈《〔［｛“‘");
}

struct cluster { const char *p; size_t len; int cells; };

static bool may_break(const struct cluster *before, const struct cluster *after)
{
	if (before->cells != 2 && after->cells != 2)
		return false;
	return !closes(after->p, after->len) && !opens(before->p, before->len);
}

static bool is_blank(const struct cluster *c)
{
	return c->len == 1 && *c->p == ' ';
}

/* The bytes of p's first line, without the blanks at its end; *next is where the line after it begins. */
static size_t break_line(const char *p, size_t n, int width, size_t *next)
{
	size_t stop = 0, resume = 0, i = 0; /* the last place to break: text ends at stop, goes on at resume */
	struct cluster prev = { .len = 0 }, c;
	bool word = false, after_word = false;
	int col = 0;

	for (; i < n; i += c.len, prev = c) {
		c.p = p + i;
		c.len = text_cluster(c.p, n - i, &c.cells);
		if (is_blank(&c)) {
			stop = word ? i : stop;
			after_word = after_word || word;
			word = false;
			resume = i + 1;
		} else {
			if (word && may_break(&prev, &c)) {
				stop = resume = i;
				after_word = true;
			}
			if (col + c.cells > width && i > 0)
				break;
			word = true;
		}
		col += c.cells;
	}
	if (i < n && after_word && stop > 0) {
		*next = resume;
		return stop;
	}
	*next = i;
	while (i > 0 && p[i - 1] == ' ')
		i--;
	return i;
}

/* Blanks before the first word that are kept: an indentation that leaves room for text. */
static size_t lead_cut(const char *p, size_t n, int width)
{
	size_t lead = 0;

	while (lead < n && p[lead] == ' ')
		lead++;
	if (lead > 0 && lead < n && (unsigned char)p[lead] >= 0x80)
		lead--; /* it may carry an accent */
	return lead + 2 > (size_t)width ? lead : 0;
}

void flow_wrap(struct styled *s, const struct flow *f, int width, void (*begin)(void *ctx), void *ctx)
{
	const char *p = f->text.ptr;
	size_t n = f->text.len, i = 0;

	width = width < 1 ? 1 : width;
	while (i < n) {
		const char *lf = memchr(p + i, '\n', n - i);
		size_t end = lf ? (size_t)(lf - p) : n, len, next;

		i += lead_cut(p + i, end - i, width);
		do {
			len = break_line(p + i, end - i, width, &next);
			begin(ctx);
			flow_put(s, f, i, i + len);
			i += next;
		} while (i < end);
		i = end + 1;
	}
}
