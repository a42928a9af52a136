/* SPDX-License-Identifier: MIT */
/* A selection inside one line, in the lines that the line became. */
#ifndef KILLICK_SRC_ANCHOR_SELECTION_H
#define KILLICK_SRC_ANCHOR_SELECTION_H

#include "lines.h"

enum selection_fate {
	SELECTION_THERE,     /* its bytes, or most of its words */
	SELECTION_RENAMED,   /* one word became another where it stood */
	SELECTION_DELETED,   /* the line goes on without it, and nothing stands in its place */
	SELECTION_UNSURE,    /* other words stand there, or the line is another one */
};
struct selection { uint32_t line, col, col_end; };   /* line from 0; bytes from 1, the last included */

/* Bytes col to col_end of line i of o are looked for in lines lo to hi of n. *out is set for the first two. */
enum selection_fate selection_find(struct text *o, uint32_t i, uint32_t col, uint32_t col_end, struct text *n, uint32_t lo,
    uint32_t hi, struct selection *out);

#endif
