/* SPDX-License-Identifier: MIT */
/* Ropes: the lines of a range on their way. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "step.h"

static double line_weight(uint8_t flags)
{
	return flags & LINE_BLANK ? 0.01 : flags & LINE_TRIVIAL ? 0.1 : 1;
}

void rope_init(struct rope *r, struct text *t, uint32_t lo, uint32_t hi)
{
	uint32_t first = NO_LINE, last = 0;
	*r = (struct rope){ .lines = hi - lo + 1, .items = xcalloc(hi - lo + 1, sizeof(*r->items)), .alloc = hi - lo + 1 };
	for (uint32_t i = lo; i <= hi; i++) {
		uint8_t f = text_line(t, i)->flags;
		r->items[r->len++] = (struct strand){ i, 1, (uint8_t)((f & LINE_TRIVIAL ? 0 : STRAND_NAMED) |
			(f & LINE_BLANK ? STRAND_BLANK : 0)) };
		r->weight += line_weight(f);
		if (f & LINE_TRIVIAL)
			continue;
		first = first == NO_LINE ? i : first;
		last = i;
	}
	if (first == NO_LINE) {
		first = lo;
		last = hi;
	}
	r->blank_first = r->items[0].flags & STRAND_BLANK;
	r->blank_last = r->items[hi - lo].flags & STRAND_BLANK;
	r->items[first - lo].flags |= STRAND_FIRST;
	r->items[last - lo].flags |= STRAND_LAST;
}

void rope_release(struct rope *r)
{
	free(r->items);
	*r = (struct rope){ 0 };
}

void rope_copy(struct rope *to, const struct rope *from)
{
	*to = *from;
	to->items = xmalloc((from->len + 1) * sizeof(*to->items));
	to->alloc = from->len + 1;
	memcpy(to->items, from->items, from->len * sizeof(*to->items));
}

uint32_t rope_lo(const struct rope *r)
{
	size_t k = 0;
	while (!r->blank_first && k + 1 < r->len && (r->items[k].flags & STRAND_BLANK))
		k++;
	return r->items[k].line;
}

uint32_t rope_hi(const struct rope *r)
{
	size_t k = r->len - 1;
	while (!r->blank_last && k > 0 && (r->items[k].flags & STRAND_BLANK))
		k--;
	return r->items[k].line;
}

double rope_conf(const struct rope *r)
{
	double first = 0, last = 0, share = 0;
	for (size_t k = 0; k < r->len; k++) {
		const struct strand *s = &r->items[k];
		if ((s->flags & STRAND_FIRST) && s->conf > first)
			first = s->conf;
		if ((s->flags & STRAND_LAST) && s->conf > last)
			last = s->conf;
		share += s->flags & STRAND_NAMED ? s->conf : 0.1 * s->conf;
	}
	if (r->lines == 1)
		return first;
	share = r->weight > 0 ? share / r->weight : 1;
	share = share > 1 ? 1 : share;
	first = r->sure_first > first ? (double)r->sure_first : first;
	last = r->sure_last > last ? (double)r->sure_last : last;
	/* An end that went leaves the hull too short or the range's frame rewritten. */
	first = first > 0 ? first : 0.6;
	last = last > 0 ? last : 0.6;
	return (first < last ? first : last) * (0.85 + 0.15 * share);
}

static int cmp_strand(const void *a, const void *b)
{
	const struct strand *x = a, *y = b;
	return x->line < y->line ? -1 : x->line > y->line;
}

void rope_order(struct rope *r)
{
	size_t kept = 0;
	if (r->len)
		qsort(r->items, r->len, sizeof(*r->items), cmp_strand);
	for (size_t k = 0; k < r->len; k++) {
		struct strand *last = kept ? &r->items[kept - 1] : NULL;
		if (!last || last->line != r->items[k].line) {
			r->items[kept++] = r->items[k];
			continue;
		}
		last->flags |= r->items[k].flags;
		last->conf = last->conf > r->items[k].conf ? last->conf : r->items[k].conf;
	}
	r->len = kept;
}
