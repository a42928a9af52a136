/* SPDX-License-Identifier: MIT */
/* Which lines of one text are lines of another, in order: a diff, as gaps between equal runs. */
#ifndef KILLICK_SRC_ANCHOR_LINEDIFF_H
#define KILLICK_SRC_ANCHOR_LINEDIFF_H

#include "lines.h"

/* Old lines [a, b) were replaced by new lines [c, d), counted from 0; one side may be empty. */
struct gap { uint32_t a, b, c, d; };
struct gaps { struct gap *items; size_t len, alloc; };
void gaps_release(struct gaps *g);

enum diff_key { DIFF_RAW, DIFF_NORM };
/*
 * Compares old lines [a, b) with new lines [c, d); gaps are added in order, none touches the next.
 * Time is O(n log n) plus bounded searches in what has no unique line; the answer depends on the lines alone.
 */
void diff_lines(struct text *o, struct text *n, struct gap within, enum diff_key key, struct gaps *out);
static inline struct gap gap_whole(const struct text *o, const struct text *n)
{
	return (struct gap){ 0, o->n, 0, n->n };
}

/* Where old line i is: true with *j; false with the gap it lies in. */
bool gaps_map(const struct gaps *g, uint32_t i, uint32_t *j, const struct gap **in);

#endif
