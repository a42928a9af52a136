/* SPDX-License-Identifier: MIT */
/*
 * The desk: $XDG_DATA_HOME/killick/desk.db, the only local thing that cannot be rebuilt: drafts, the outbox, private
 * threads (as ops, never sent), read marks, prompt history. Rollback journal, synchronous=EXTRA; every call is one
 * committed transaction (8 ms measured); BEGIN IMMEDIATE waits at most wait_ms. Migrated forward, never dropped: a
 * desk from a newer version is refused with words, a damaged one is moved aside only by the user.
 */
#ifndef KILLICK_STORE_DESK_H
#define KILLICK_STORE_DESK_H

#include "killick/base/buf.h"
#include "killick/base/err.h"
#include "killick/model/op.h"

struct desk;
int desk_open(struct desk **out, struct err *e);
void desk_close(struct desk *d);
const char *desk_path(const struct desk *d);
uint64_t desk_generation(struct desk *d);

/* A draft: a command that was not carried out. */
struct draft {
	const char *id;         /* "d" and 8 hex digits */
	const char *repo;       /* git common folder */
	const char *verb;       /* "ask" "remark" "decide" "note" "reply" "edit" "comment" "task" */
	const char *target;     /* anchor text, thread, post or task id */
	const char *anchor;     /* JSON of the captured anchor (anchor_to_op), or NULL */
	const char *audience, *to, *title;
	const char *body;
	int64_t created, updated;
	const char *problem;    /* why it could not be sent, or NULL */
	const char *extra;      /* JSON of what else the command was told (whom to ask, labels, a commit), or NULL */
};
struct draft_list { struct draft *items; size_t len, alloc; };
/* id NULL in *dr: a new one, its id goes to dr->id (arena). */
int desk_draft_put(struct desk *d, struct arena *a, struct draft *dr, struct err *e);
int desk_drafts(struct desk *d, const char *repo, struct arena *a, struct draft_list *out, struct err *e);
int desk_draft(struct desk *d, const char *id_prefix, struct arena *a, struct draft *out, struct err *e);
int desk_draft_drop(struct desk *d, const char *id, struct err *e);

/* Private threads: ops in the native log's own form, writer "private" zeros; seq and prev are kept by the desk. */
int desk_op_append(struct desk *d, const char *repo, struct op *ops, size_t n, struct buf *raw, struct err *e);
int desk_op_forget(struct desk *d, const char *repo, const char *id, struct err *e);
int desk_ops(struct desk *d, const char *repo, uint64_t after, int (*fn)(void *ctx, uint64_t n, const char *bytes,
    size_t len), void *ctx, struct err *e);

/* Read marks: everything in the entity up to this time was read. */
int desk_read_put(struct desk *d, const char *entity, int64_t upto, struct err *e);
int desk_reads(struct desk *d, int (*fn)(void *ctx, const char *entity, int64_t upto), void *ctx, struct err *e);

/* Prompt history (at most 500 lines a kind) and small remembered values ("first-start-seen", "last-screen"). */
int desk_history_add(struct desk *d, const char *kind, const char *line, struct err *e);
int desk_history(struct desk *d, const char *kind, struct arena *a, const char ***lines, size_t *n, struct err *e);
int desk_value_put(struct desk *d, const char *key, const char *value, struct err *e);
bool desk_value(struct desk *d, const char *key, struct arena *a, const char **out);

int desk_check(struct desk *d, struct buf *report, struct err *e);

#endif
