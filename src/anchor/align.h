/* SPDX-License-Identifier: MIT */
/* Which changed lines are which: alignment inside a gap, and blocks of lines that went elsewhere. */
#ifndef KILLICK_SRC_ANCHOR_ALIGN_H
#define KILLICK_SRC_ANCHOR_ALIGN_H

#include "linediff.h"

enum hit_kind {
	HIT_NONE,
	HIT_SAME,   /* the same text, white space aside */
	HIT_EDIT,   /* likeness below 1 */
};
#define NO_LINE UINT32_MAX
/* Where an old line went: new lines [line, last], usually one; more when it was split. */
struct hit { uint32_t line, last; float like; uint8_t kind; bool moved; };

/*
 * Aligns old lines [a, b) with new lines [c, d) in order, maximising the sum of likenesses; pairs below floor do not
 * count. out[i - a] is filled. Lines with skip set (either may be NULL, indexed from a and c) take no part.
 * Over ALIGN_CELLS pairs only lines equal but for white space are paired, and lines between them where that is cheap.
 */
void align(struct text *o, struct text *n, struct gap g, const bool *skip_o, const bool *skip_n, double floor,
    struct hit *out);

/* Pairs that cross the order, for lines that align left over: the best likeness first, at least least. */
void align_crossing(struct text *o, struct text *n, struct gap g, const bool *skip_o, const bool *skip_n, double least,
    struct hit *out);

/*
 * The window of new lines [c, d) whose words are most like old lines [a, b); -> Dice 0 to 1. fix: the window must
 * start at c (WINDOW_HEAD) or end at d (WINDOW_TAIL). Empty windows are not considered.
 */
enum window_fix { WINDOW_HEAD = 1, WINDOW_TAIL = 2 };
double window_find(struct text *o, uint32_t a, uint32_t b, struct text *n, uint32_t c, uint32_t d, unsigned fix,
    uint32_t *lo, uint32_t *hi);
/* Dice of the words of two windows. */
double window_likeness(struct text *o, uint32_t a, uint32_t b, struct text *n, uint32_t c, uint32_t d);

/* A block of old lines [a, b) found again at new lines [c, d). */
struct block {
	uint32_t a, b, c, d;
	double weight;       /* of the equal lines that carry it: about one for each line of some length that is unique */
	double runner;       /* the weight of the best other place for the same lines */
	uint32_t equal;      /* how many equal lines with a name in them */
	struct hit *hits;    /* b - a of them */
};
struct blocks { struct block *items; size_t len, alloc; };
void blocks_release(struct blocks *b);
/*
 * Blocks of the old lines listed (ascending) among the new lines listed, heaviest first, none sharing a line. Lines
 * edited inside and at the edges of a block are aligned by likeness.
 */
void blocks_find(struct text *o, const uint32_t *old, uint32_t n_old, struct text *n, const uint32_t *new_,
    uint32_t n_new, double least, struct blocks *out);

#endif
