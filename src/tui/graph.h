/* SPDX-License-Identifier: MIT */
/*
 * The log's graph: one cell a lane, drawn from newest to oldest. A lane waits for a commit; a commit stands in the first
 * lane that waits for it, ends the others that do ("╯"), goes on to its first parent, and opens a lane for each further
 * one ("╮"). The state between two rows is all there is to know, so a caller can keep it every so many rows and begin
 * again from there.
 */
#ifndef KILLICK_TUI_GRAPH_H
#define KILLICK_TUI_GRAPH_H

#include "killick/git/repo.h"

#define GRAPH_SHOWN 12          /* lanes that are drawn; more are hinted at */
struct graph { ARRAY(struct oid) lanes; };  /* zero: free */

void graph_copy(struct graph *to, const struct graph *from);
void graph_release(struct graph *g);
/* Adds the row of a commit to out and steps on. */
void graph_row(struct graph *g, const struct oid *commit, const struct oid *parents, size_t n_parents, bool ascii,
    struct buf *out);

#endif
