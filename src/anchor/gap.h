/* SPDX-License-Identifier: MIT */
/* What became of the lines of one gap of a pair. */
#ifndef KILLICK_SRC_ANCHOR_GAP_H
#define KILLICK_SRC_ANCHOR_GAP_H

#include "pairs.h"

/* out has room for the old lines of the gap; the texts of the pair are there. */
void gap_solve(struct pair *x, const struct gap *g, struct hit *out);

/*
 * Where a line begins that new lines [a, b] are together: at the first, unless a scrap of it stands there that only leads
 * to the rest ("@Override", "throw new X("). What ends with a comma is the first of several.
 */
uint32_t pieces_start(struct text *t, uint32_t a, uint32_t b);

#endif
