/* SPDX-License-Identifier: MIT */
/* What a fold writes, whatever it was folded from: ops (index-op.c) or a tracker's records (index-record.c). */
#ifndef KILLICK_STORE_INDEX_FOLD_H
#define KILLICK_STORE_INDEX_FOLD_H

#include "index-box.h"
#include "index-private.h"
#include "killick/model/fold.h"

struct stored { struct op op; int64_t row; };
/* The record that a post is made from. */
struct post_record { int64_t hid, row; };
/* Their order, for qsort and bsearch. */
int post_record_cmp(const void *a, const void *b);

/* What one fold works on. */
struct folding {
	struct index *ix;
	int64_t source;
	const char *entity;
	struct stored *ops;        /* sorted by id */
	size_t n;
	const struct post_record *records;   /* of a tracker's thread; the first of a post counts */
	size_t n_records;
	const char *task, *thread; /* of a tracker: the keys, "" for none; NULL: native */
	int64_t of;                /* a place quoted by a post of this thread row; 0: a thread */
	struct fold f;
	struct author *by;         /* of each post */
	int64_t thread_row;        /* 0: not yet */
	bool is_new;
	struct boxed boxed;
	int64_t author, author_who, last, last_who, owner;
	struct err *e;
};

/* What the ops of w->entity make, to w->f; *made: a task or thread, else nothing yet. What is in w until ops_release. */
int ops_fold(struct folding *w, bool *made);
const struct stored *ops_find(const struct folding *w, const char *id);
void ops_release(struct folding *w);

/* Writes w->f: the rows of a task or a thread. */
int fold_write(struct folding *w);
/* Takes the rows of the entity away, if there are any. */
int fold_drop(struct folding *w);
/* Folds the marked records of a source (index-record.c). */
int index_fold_records(struct index *ix, int64_t source, struct err *e);

#endif
