/* SPDX-License-Identifier: MIT */
/*
 * Rows of threads: a list that is read page by page from the index as it is scrolled, so that 100,000 threads cost what
 * a screen costs, and the columns every list of threads has.
 */
#ifndef KILLICK_TUI_ROWS_H
#define KILLICK_TUI_ROWS_H

#include "ui.h"

#define PAGER_ROWS 64
#define PAGER_PAGES 12
struct pager_page {
	size_t start;
	struct thread_list list;
	struct arena arena;
	size_t carried;          /* rows whose places are the work tree's */
	unsigned used;           /* stamp; 0: empty */
};
/*
 * Nothing here keeps a key waiting: what is not read within a few milliseconds is given up and read again when no key waits,
 * until another one does. Until then rows are missing (of a far page) or, when a load was given up, those of before are
 * shown; unless they were another query's.
 */
struct pager {
	/* The rows of f (limit, skip, after and oldest are set); *total, if the statement knows it anyway. */
	int (*fetch)(void *ctx, struct thread_find *f, struct arena *a, struct thread_list *out, uint64_t *total, struct err *e);
	/* Rows in all; NULL: fetch says it. */
	int (*count)(void *ctx, uint64_t *total, struct err *e);
	void *ctx;
	bool by_time;            /* newest first: pages can be had from either end and behind each other */
	struct view *view;       /* its idle work reads what is not at hand at once */
	struct pager_page pages[PAGER_PAGES];
	unsigned stamp;
	size_t total, last;      /* last: the row asked for last */
	size_t want;             /* start + 1 of a page that was asked for and takes longer; 0 none */
	bool counted;
	struct pager_page next;  /* of a load that is under way */
	enum { LOAD_NONE, LOAD_UNDER_WAY, LOAD_READY } load;
	size_t near;             /* the row it is for */
	uint64_t next_total;     /* UINT64_MAX: not known */
	char *shown;             /* the filter that the pages are of */
	bool to_end;             /* the last row was asked for, and it is not counted yet */
};
/* Reads the rows around `near`, in place of all the pages. */
int pager_load(struct pager *p, size_t near, struct err *e);
void pager_release(struct pager *p);
/* NULL beyond the end, when it cannot be read, and while a far page is being fetched. */
const struct thread *pager_row(struct pager *p, size_t i);
/* Reads a page that was asked for, or the one that scrolling will want next, and carries a slice of the rows at hand to the
 * work tree; true: there may be more to do. */
bool pager_idle(struct pager *p);
/* The row is there, but not at hand yet. */
bool pager_coming(struct pager *p, size_t i);
/* How many rows there are is not known yet. */
bool pager_growing(const struct pager *p);
/* Counts if that was not done; false: it was given up. */
bool pager_count(struct pager *p);
/* The last row was asked for. true: it is gone to when it is known which that is. */
bool pager_to_end(struct pager *p);
/* There is nothing to show yet. */
bool pager_reading(const struct pager *p);
/* The row of a thread's id among the pages at hand, or SIZE_MAX. */
size_t pager_find(const struct pager *p, const char *id);

/* Around a reading of the index: in an act or a paint no longer than a key may wait, in idle work until one does. It fails
 * with ERR_CANCELLED then, as does patience_begin where there is none. */
struct patience { struct tui *t; int64_t until; };
int patience_begin(struct tui *t, struct patience *x, bool idle, struct err *e);
void patience_end(struct patience *x);

extern const struct column thread_columns[];
/* waits: show whom it waits for instead of who wrote last. */
void thread_cells(struct tui *t, const struct thread *th, bool waits, struct cellv *out);
void thread_target(struct tui *t, const struct thread *th, struct target *out);
/* Carries the places of a few threads from *done on, which are HEAD's, to the work tree. true: there are more. */
bool places_carry(struct tui *t, struct arena *a, struct thread *items, size_t n, size_t *done);
/* Where it is now, else as written; in the arena. */
const char *thread_anchor(struct arena *a, const struct thread *th);
enum style thread_glyph_style(const struct thread *th);
bool is_me(const struct tui *t, const struct person *p);
/* "me", or the person's label. */
const char *who(const struct tui *t, const struct person *p);
/* A load that takes longer says so in the place of rows; false: none does. */
bool say_searching(const struct pager *p, struct styled *out, int width);
/* An empty list before the index is up to date says that, and no more; false: it is. */
bool say_reading(struct tui *t, struct styled *out, int width);
/* Adds a paragraph to an empty list's words. */
void say_empty(struct styled *out, int width, const char *first, const char *second);

#endif
