/* SPDX-License-Identifier: MIT */
/*
 * The little that the index and the desk share over SQLite: opening a private file, statements prepared once and found
 * again by the address of their text (so that SQL stands where it is used), values bound by a format, and SQLite's
 * result codes turned into errors in words. Only src/store includes this.
 *
 * Formats: i int64_t, d double, t const char * (NULL binds NULL), b const void * with size_t, n NULL.
 */
#ifndef KILLICK_STORE_DB_H
#define KILLICK_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include "killick/base/buf.h"
#include "killick/base/err.h"

struct db_cached { const char *text; sqlite3_stmt *st; };
struct db {
	sqlite3 *sql;
	char *path;               /* NULL: in memory */
	const char *what;         /* "index" or "desk", for messages */
	bool broken;              /* a call met a damaged file */
	int room;                 /* db_room; 0: not set yet */
	struct db_cached *items;  /* prepared statements */
	size_t len, alloc;
};

/* Opens path (made 0600 whatever the umask; NULL: in memory), hardened (trust.md 20). */
int db_open(struct db *d, const char *what, const char *path, struct err *e);
void db_close(struct db *d);
/* The error of the last call in words, with its code. Returns -1. */
int db_fail(struct db *d, struct err *e);

/* The statement, reset, without values. NULL only when it cannot be prepared; the calls below take that as their fault. */
sqlite3_stmt *db_prep(struct db *d, const char *sql);
/* The same for a text built at run time: not kept, the caller finalizes. */
sqlite3_stmt *db_prep_once(struct db *d, const char *sql);
void db_bind(sqlite3_stmt *st, const char *fmt, ...);
/* 1: a row, 0: done, -1: failed. After 0 and -1 the statement is reset. */
int db_step(struct db *d, sqlite3_stmt *st, struct err *e);
void db_reset(sqlite3_stmt *st);
/* Prepare, bind, run to the end. */
int db_exec(struct db *d, struct err *e, const char *sql, const char *fmt, ...);
/* The first column of the first row: 1, or 0 without a row (*out is 0 then), or -1. */
int db_get_int(struct db *d, struct err *e, int64_t *out, const char *sql, const char *fmt, ...);
/* Several statements without values. */
int db_script(struct db *d, const char *sql, struct err *e);
/* Memory for pages: more of it for a write of thousands of rows, whose pages would go to the file and come back again and
 * again. Less of it gives back what there was. A handle that only read has little: what a command reads it mostly reads once,
 * and to read a page into memory that was used before takes 1 us from the kernel's cache, into fresh memory 3 or 4. */
enum { DB_ROOM_READ = 1024, DB_ROOM = 4096, DB_ROOM_MUCH = 65536 };
void db_room(struct db *d, int kb);
/* Rows changed by the last statement. */
int64_t db_changes(struct db *d);

/* Columns. Text and blobs are copied to the arena; NULL stays NULL. */
const char *col_text(struct arena *a, sqlite3_stmt *st, int i);
int64_t col_int(sqlite3_stmt *st, int i);
/* Columns one after the other. */
struct row { sqlite3_stmt *st; struct arena *a; int i; };
const char *row_text(struct row *r);
int64_t row_int(struct row *r);
double row_real(struct row *r);

/* Is the folder on a file system of another host, where WAL must not be used (wal.html)? */
bool db_on_network(const char *path);

#endif
