/* SPDX-License-Identifier: MIT */
/* What the files of the desk share; nobody else includes this. */
#ifndef KILLICK_STORE_DESK_PRIVATE_H
#define KILLICK_STORE_DESK_PRIVATE_H

#include "db.h"
#include "killick/base/file.h"
#include "killick/store/desk.h"

struct desk {
	struct db db;
	char *lock_path;
	struct lock lock;
	uint64_t generation;
	int64_t data_version;
	struct arena scratch;
};

/* One transaction a call: begin, statements, and finish with how they went (rc). */
int desk_begin(struct desk *d, struct err *e);
int desk_finish(struct desk *d, int rc, struct err *e);
void desk_rollback(struct desk *d);
/* A failure in words for the one file that must not be lost. */
int desk_fail(struct desk *d, struct err *e);
/* Inside a transaction: the statement of desk_draft_put, and a new id. */
const char *desk_new_draft_id(struct desk *d, struct arena *a, struct err *e);
int desk_write_draft(struct desk *d, const struct draft *dr, int64_t now, struct err *e);

#endif
