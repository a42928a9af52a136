/* SPDX-License-Identifier: MIT */
/* What a thread means to those who use this index; see index-box.c. */
#ifndef KILLICK_STORE_INDEX_BOX_H
#define KILLICK_STORE_INDEX_BOX_H

#include "index-private.h"

/* A row of `part`; of `person` and `who` for a post. */
struct part_row { int64_t who, n; unsigned roles; bool old; };
struct author { int64_t person, who; };

struct boxed {
	int64_t thread, source, updated, n_posts;
	const char *entity;
	struct wait_facts facts;
	struct person *asked;
	size_t n_asked;
	bool is_new;      /* the thread was just made: it has no rows yet */
	const struct post *posts;   /* n_posts of them, in order; NULL: they are in the table */
	const struct author *by;    /* where there are posts: of each */
	const struct part_row *parts; size_t n_parts;   /* and all parts; else they are in the table too */
};
/* Fills ix->identities. */
int box_identities(struct index *ix, int64_t source, struct err *e);
int box_update(struct index *ix, const struct boxed *t, const struct identity *id, struct err *e);
int box_drop(struct index *ix, int64_t thread, int64_t source, struct err *e);

#endif
