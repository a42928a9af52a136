/* SPDX-License-Identifier: MIT */
/*
 * Grapheme clusters and their cells, by utf8proc (Unicode 15). A cluster's width is the greatest of its code points',
 * 2 with an emoji variation selector or a flag pair. Input is clean UTF-8 (see sanitize.h); a stray byte counts 1.
 */
#ifndef KILLICK_TEXT_WIDTH_H
#define KILLICK_TEXT_WIDTH_H

#include "killick/base/buf.h"

/* The next cluster at p: its bytes are returned (0 at the end), its cells go to *cells. A TAB is 1 cluster, 0 cells. */
size_t text_cluster(const char *p, size_t n, int *cells);
/* Cells of a string without line breaks. */
int text_width(const char *s);
int text_width_n(const char *p, size_t n);
/* The bytes of p that fit into `cells` cells, whole clusters only; *used is their width. */
size_t text_fit(const char *p, size_t n, int cells, int *used);
/* Adds s cut to exactly `cells` cells: padded with blanks, or ended with "…" (ascii: ">"). */
enum text_align { ALIGN_LEFT, ALIGN_RIGHT };
void text_pad(struct buf *b, const char *s, int cells, enum text_align align, bool ascii);
/* Adds s with TABs turned into blanks up to stops of `tab` cells, from column `col`. */
void text_expand_tabs(struct buf *b, const char *p, size_t n, int col, int tab);

#endif
