/* SPDX-License-Identifier: MIT */
/*
 * Rows of threads: a list that is read page by page from the index as it is scrolled, so that 100,000 threads cost what
 * a screen costs, and the columns every list of threads has.
 */
#ifndef KILLICK_TUI_ROWS_H
#define KILLICK_TUI_ROWS_H

#include "ui.h"

#define PAGER_PAGES 4
struct pager_page {
	size_t start;
	struct thread_list list;
	struct arena arena;
	unsigned used;           /* stamp; 0: empty */
};
struct pager {
	/* limit rows from skip on; *total, if the statement knows it anyway (else left alone). */
	int (*fetch)(void *ctx, size_t skip, size_t limit, struct arena *a, struct thread_list *out, uint64_t *total,
	    struct err *e);
	/* Rows in all; NULL: fetch says it. */
	int (*count)(void *ctx, uint64_t *total, struct err *e);
	void *ctx;
	struct pager_page pages[PAGER_PAGES];
	unsigned stamp;
	size_t total;
	bool counted;
};
/* Forgets the pages; the total stays as an estimate. Reads the first rows, or those around `near`. */
int pager_load(struct pager *p, size_t near, struct err *e);
void pager_release(struct pager *p);
/* NULL beyond the end, or when it cannot be read. */
const struct thread *pager_row(struct pager *p, size_t i);
/* Counts if that was not done. */
void pager_count(struct pager *p);
/* The row of a thread's id among the pages at hand, or SIZE_MAX. */
size_t pager_find(const struct pager *p, const char *id);

extern const struct column thread_columns[];
/* waits: show whom it waits for instead of who wrote last. */
void thread_cells(struct tui *t, const struct thread *th, bool waits, struct cellv *out);
void thread_target(struct tui *t, const struct thread *th, struct target *out);
/* Where it is now, else as written; in the arena. */
const char *thread_anchor(struct arena *a, const struct thread *th);
enum style thread_glyph_style(const struct thread *th);
bool is_me(const struct tui *t, const struct person *p);
/* "me", or the person's label. */
const char *who(const struct tui *t, const struct person *p);
/* Adds a paragraph to an empty list's words. */
void say_empty(struct styled *out, int width, const char *first, const char *second);

#endif
