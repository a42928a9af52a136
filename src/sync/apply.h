/* SPDX-License-Identifier: MIT */
/* Records into the index, by the page. */
#ifndef KILLICK_SYNC_APPLY_H
#define KILLICK_SYNC_APPLY_H

#include "killick/base/file.h"
#include "killick/sync/source.h"

struct page {
	struct buf lines;        /* records as they came, each with its newline */
	size_t n;                /* of them */
	uint64_t records, bad;   /* put, and those that could not be read */
	int64_t began;           /* when the pull began */
	size_t unfolded;         /* records put since the last fold */
	int64_t folded;          /* clock_mono of it */
};
void page_add(struct page *p, const char *line, size_t n);
/*
 * Puts the page into the index in one write, with the cursor behind it (NULL: none), and empties it. The first time of a
 * source, what was written before now counts as read. fold: fold now; else only when enough has come together.
 */
int page_apply(struct work *w, struct source *s, struct page *p, const char *cursor, bool fold, struct err *e);
/* Inside a write: the index's row, made as needed. */
int source_take_row(struct work *w, struct source *s, struct source_row *row, struct err *e);
/* What is known of the source as the row's "heads" has it (source.c); in the work's arena. */
const char *source_state(struct work *w, const struct source *s);
/* The end of a pull, or what stopped it (NULL: nothing). */
int source_note(struct work *w, struct source *s, bool full, const char *problem, struct err *e);
/* It said that we may not: what it can do is asked again at the next pull. */
void source_doubt(struct work *w, struct source *s);
/* What the index knows of it now, after another process was at it. */
void source_reload(struct work *w, struct source *s);
/* Whoever pulls, or sends (what: "pull", "send"). ERR_BUSY after wait_ms. */
int source_lock(struct lock *l, const struct source *s, const char *what, int wait_ms, struct err *e);

#endif
