/* SPDX-License-Identifier: MIT */
/*
 * The words and marks of the old line are aligned with those of the new lines, the heaviest common subsequence of them.
 * What the selection's own became is the selection; where none is left, what stands between its neighbours tells
 * whether it was renamed, taken out, or rewritten.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "selection.h"

enum { TOKENS_MOST = 600, NAMES_MOST = 2, NEAR_LINES = 10, NEAR_BYTES = 12 };
#define NOWHERE UINT32_MAX
/* Of a selection's weight: this much left makes it the same selection, and this little another text. */
static const float share_least = 0.45f, share_none = 0.2f;

struct token { const char *p; uint32_t len, line, col; float weight; };
struct tokens { struct token *items; size_t len, alloc; };

static bool is_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
}

static void tokens_cut(struct tokens *v, const struct text *t, uint32_t line)
{
	const char *p = text_at(t, line);
	for (uint32_t i = 0, len = t->lines[line].len; i < len && v->len < TOKENS_MOST;) {
		uint32_t start = i++;
		if ((unsigned char)p[start] <= ' ')
			continue;
		bool word = is_word((unsigned char)p[start]);
		while (word && i < len && is_word((unsigned char)p[i]))
			i++;
		uint32_t n = i - start;
		*array_add(v) = (struct token){ p + start, n, line, start + 1, !word ? 0.3f : n >= 9 ? 1.5f : 0.6f + 0.1f * (float)n };
	}
}

static bool same(const struct token *a, const struct token *b) { return a->len == b->len && !memcmp(a->p, b->p, a->len); }

/* For each old token the new one it became, or NOWHERE. */
static uint32_t *tokens_align(const struct tokens *x, const struct tokens *y)
{
	size_t w = y->len + 1;
	uint32_t *to = xmalloc((x->len + 1) * sizeof(*to));
	float *best = xcalloc((x->len + 1) * w, sizeof(*best));
	for (size_t i = x->len; i-- > 0;)
		for (size_t j = y->len; j-- > 0;) {
			float skip = best[(i + 1) * w + j] > best[i * w + j + 1] ? best[(i + 1) * w + j] : best[i * w + j + 1];
			float take = same(&x->items[i], &y->items[j]) ? best[(i + 1) * w + j + 1] + x->items[i].weight : 0;
			best[i * w + j] = take > skip ? take : skip;
		}
	for (size_t i = 0, j = 0; i < x->len;) {
		to[i] = NOWHERE;
		if (j < y->len && same(&x->items[i], &y->items[j]) &&
		    best[i * w + j] <= best[(i + 1) * w + j + 1] + x->items[i].weight + 1e-4f)
			to[i++] = (uint32_t)j++;
		else if (j < y->len && best[i * w + j + 1] >= best[(i + 1) * w + j])
			j++;
		else
			i++;
	}
	free(best);
	return to;
}

/* The tokens of the selection: [a, b) of x. */
static void selected(const struct tokens *x, uint32_t col, uint32_t col_end, size_t *a, size_t *b)
{
	*a = 0;
	while (*a < x->len && x->items[*a].col + x->items[*a].len <= col)
		++*a;
	for (*b = *a; *b < x->len && x->items[*b].col <= col_end;)
		++*b;
}

/* What stands between the neighbours of [a, b) that are left: [*c, *d) of the new tokens; false: no neighbour is left. */
static bool between(const struct tokens *x, const uint32_t *to, size_t a, size_t b, size_t new_n, size_t *c, size_t *d)
{
	bool left = false;
	*c = 0;
	*d = new_n;
	for (size_t i = a; i-- > 0 && !left;)
		if (to[i] != NOWHERE) {
			*c = to[i] + 1;
			left = true;
		}
	for (size_t i = b; i < x->len; i++)
		if (to[i] != NOWHERE) {
			*d = to[i];
			return true;
		}
	return left;
}

static bool wordy(const struct token *t) { return is_word((unsigned char)t->p[0]); }

/*
 * Rewritten evenly: between the neighbours that are left stand as many tokens as before, words for words and marks for
 * marks. Those of the selection are the ones at its places.
 */
static bool replaced_evenly(const struct tokens *x, const uint32_t *to, size_t a, const struct tokens *y, size_t c, size_t d,
    size_t *at)
{
	size_t from = a, end = a;
	while (from > 0 && to[from - 1] == NOWHERE)
		from--;
	while (end < x->len && to[end] == NOWHERE)
		end++;
	if (end - from != d - c)
		return false;
	for (size_t k = from; k < end; k++)
		if (wordy(&x->items[k]) != wordy(&y->items[c + k - from]))
			return false;
	*at = c + (a - from);
	return true;
}

static size_t words(const struct tokens *x, size_t a, size_t b)
{
	size_t n = 0;
	for (; a < b; a++)
		n += wordy(&x->items[a]);
	return n;
}

static void place_at(const struct tokens *y, size_t c, size_t d, struct selection *out)
{
	const struct token *first = &y->items[c], *last = &y->items[d];
	if (last->line != first->line)
		last = first;
	*out = (struct selection){ first->line, first->col, last->col + last->len - 1 };
}

static enum selection_fate fate(const struct tokens *x, const struct tokens *y, const uint32_t *to, size_t a, size_t b,
    struct selection *out)
{
	float all = 0, kept = 0, line = 0, line_kept = 0;
	size_t first = NOWHERE, last = 0, c, d;
	for (size_t i = 0; i < x->len; i++) {
		bool own = i >= a && i < b, has = to[i] != NOWHERE;
		*(own ? &all : &line) += x->items[i].weight;
		*(own ? &kept : &line_kept) += has ? x->items[i].weight : 0;
		if (own && has) {
			first = first == NOWHERE ? to[i] : first;
			last = to[i];
		}
	}
	if (kept >= share_least * all) {
		place_at(y, first, last, out);
		return SELECTION_THERE;
	}
	if (line_kept < 0.5f * line || !between(x, to, a, b, y->len, &c, &d))
		return SELECTION_UNSURE;
	/* A name or two may have been renamed; a text of which nothing is left was taken out. */
	if (c >= d || (words(x, a, b) > NAMES_MOST && kept < share_none * all))
		return SELECTION_DELETED;
	size_t at;
	if (words(x, a, b) <= NAMES_MOST && !kept && replaced_evenly(x, to, a, y, c, d, &at)) {
		place_at(y, at, at + (b - a) - 1, out);
		return SELECTION_RENAMED;
	}
	return SELECTION_UNSURE;
}

/* The same bytes, in the same columns first: they may occur twice. */
static bool bytes_there(const struct text *n, uint32_t i, const char *p, uint32_t len, uint32_t col, struct selection *out)
{
	const char *line = text_at(n, i), *at = memmem(line, n->lines[i].len, p, len);
	bool again = at && memmem(at + 1, (size_t)(line + n->lines[i].len - at - 1), p, len);
	if (again && (col + len - 1 > n->lines[i].len || memcmp(line + col - 1, p, len) != 0))
		return false;   /* which of them, the words around tell */
	if (at)
		*out = (struct selection){ i, again ? col : (uint32_t)(at - line) + 1, 0 };
	out->col_end = out->col + len - 1;
	return at;
}

/* How often the bytes stand in the lines around i; *at and *col: the last of them. */
static unsigned bytes_near(const struct text *t, uint32_t i, const char *p, uint32_t len, uint32_t *at, uint32_t *col)
{
	unsigned found = 0;
	uint32_t from = i > NEAR_LINES ? i - NEAR_LINES : 0, end = i + NEAR_LINES < t->n ? i + NEAR_LINES + 1 : t->n;
	for (uint32_t k = from; k < end; k++) {
		const char *line = text_at(t, k), *s = memmem(line, t->lines[k].len, p, len);
		if (!s)
			continue;
		found += memmem(s + 1, (size_t)(line + t->lines[k].len - s - 1), p, len) ? 2 : 1;
		*at = k;
		*col = (uint32_t)(s - line) + 1;
	}
	return found;
}

/* A text that went to a line near by when its own was wrapped or cut: as it was, and the only one there then and now. */
static bool went_near(const struct text *o, uint32_t i, uint32_t col, uint32_t len, const struct text *n, uint32_t lo,
    struct selection *out)
{
	uint32_t at, c;
	const char *p = text_at(o, i) + col - 1;
	if (len < NEAR_BYTES || bytes_near(o, i, p, len, &at, &c) != 1 || bytes_near(n, lo, p, len, &at, &c) != 1)
		return false;
	*out = (struct selection){ at, c, c + len - 1 };
	return true;
}

enum selection_fate selection_find(struct text *o, uint32_t i, uint32_t col, uint32_t col_end, struct text *n, uint32_t lo,
    uint32_t hi, struct selection *out)
{
	struct tokens x = { 0 }, y = { 0 };
	size_t a, b;
	*out = (struct selection){ 0 };
	tokens_cut(&x, o, i);
	selected(&x, col, col_end, &a, &b);
	/* Bytes within a longer word are other bytes: "i" is not in "if". */
	bool whole = b > a && x.items[a].col == col && x.items[b - 1].col + x.items[b - 1].len == col_end + 1;
	enum selection_fate f = SELECTION_UNSURE;
	if (o->lines[i].raw == n->lines[lo].raw && lo == hi) {
		*out = (struct selection){ lo, col, col_end };
		f = SELECTION_THERE;
	} else if (b == a || (!whole || col_end - col >= 8)) {
		for (uint32_t j = lo; j <= hi && f != SELECTION_THERE; j++)
			if (bytes_there(n, j, text_at(o, i) + col - 1, col_end - col + 1, col, out))
				f = SELECTION_THERE;
	}
	if (f != SELECTION_THERE && b > a) {
		for (uint32_t j = lo; j <= hi; j++)
			tokens_cut(&y, n, j);
		uint32_t *to = tokens_align(&x, &y);
		f = fate(&x, &y, to, a, b, out);
		free(to);
		bool lost = f == SELECTION_DELETED || f == SELECTION_UNSURE;
		if (lost && words(&x, a, b) > NAMES_MOST && went_near(o, i, col, col_end - col + 1, n, lo, out))
			f = SELECTION_THERE;
	}
	free(x.items);
	free(y.items);
	return f;
}
