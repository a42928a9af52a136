/* SPDX-License-Identifier: MIT */
/* What a list's second statement reads; see index-load.c. -1: the database's fault. */
#ifndef KILLICK_STORE_INDEX_LOAD_H
#define KILLICK_STORE_INDEX_LOAD_H

#include "index-private.h"

/* Numbers of rows. */
struct rows { int64_t *items; size_t len, alloc; };
/* As a JSON list, for json_each; the caller frees it. */
char *rows_json(const struct rows *r);
/* Runs a statement whose first column is a row; the second, if wanted, goes beside it. */
int rows_collect(struct index *ix, sqlite3_stmt *st, struct rows *out, struct rows *beside, struct err *e);

/* An id, of three columns: its number, the numbers before and after it. So many digits at least, more where a neighbour shares
 * them; abbrev (NULL: not wanted): at least SHORT_ID. */
enum { SHORT_ID = 6 };
void row_id(struct row *r, const char *head, unsigned digits, const char **id, const char **abbrev);

enum load { LOAD_LINES = 0, LOAD_QUOTES = 1, LOAD_POSTS = 3, LOAD_LONG_IDS = 7 };
/* The rows with these numbers, in their order; a number may come twice. All in the arena. */
int load_threads(struct index *ix, const struct scope *s, const struct rows *r, enum load what, struct arena *a,
    struct thread_list *out, struct err *e);
/* The rows that a statement yields. */
int load_collected(struct index *ix, const struct scope *s, sqlite3_stmt *st, enum load what, struct arena *a,
    struct thread_list *out, struct err *e);
/* Those of a file, by one statement: where every thread has its place they are neighbours. */
int load_placed(struct index *ix, const struct scope *s, const char *path, struct arena *a, struct thread_list *out,
    struct err *e);

#endif
