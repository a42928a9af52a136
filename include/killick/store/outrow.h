/* SPDX-License-Identifier: MIT */
/*
 * The outbox as it lies in the desk: rows, durable before a call returns. What they mean and how they move is
 * sync/outbox.h's; here they are only kept.
 */
#ifndef KILLICK_STORE_OUTROW_H
#define KILLICK_STORE_OUTROW_H

#include "killick/store/desk.h"

enum out_state {
	OUT_QUEUED, OUT_SENDING, OUT_UNKNOWN, OUT_HELD, OUT_REFUSED, OUT_ASKS, OUT_DONE,
	OUT_STATES, OUT_DROPPED = OUT_STATES   /* thrown away: the row goes */
};
const char *out_state_name(enum out_state s);

struct out_row {
	const char *id;             /* 32 hex digits */
	const char *source;         /* name; source_kind and source_key are its identity */
	const char *source_kind, *source_key, *repo;
	enum out_state state;
	const char *op;             /* JSON of the wire_op, frozen */
	const char *thread;         /* entity (64 hex digits) of the thread or task it belongs to: order is kept within it */
	const char *what;           /* a line for lists: "reply  k3f9c2  github !58  Three is what ops allows" */
	const char *patch;          /* how it shows meanwhile: {"task","thread","patch":…} (model/record.h), or NULL */
	int64_t created, not_before;   /* created + post.delay: recallable until then */
	int64_t seen, seen_n;       /* newest post of the thread, and how many were others', when the user wrote */
	bool was_open;              /* its task was open then */
	bool forced;                /* the user wants it sent whatever has happened */
	int attempts, looks;
	int64_t sent_at, retry_at;
	const char *mark, *key, *url, *problem;
	const char *pushed;         /* a commit (full id) that a remote must have before it goes, or NULL */
	int64_t seq;                /* the order of writing */
	int64_t version;            /* counts its changes: who saves must have seen the last one */
};
struct out_list { struct out_row *items; size_t len, alloc; };

/* A new row at the end; the drafts whose text it has go in the same transaction. Sets seq. */
int desk_out_add(struct desk *d, struct out_row *r, const char *const *drafts, size_t n, struct err *e);
/* r in place of the row old, whose turn it takes: ERR_CONFLICT when old has changed since it was read. */
int desk_out_replace(struct desk *d, const struct out_row *old, struct out_row *r, struct err *e);
/* Saves what changes: state, times, counts, mark, key, url, problem. OUT_DROPPED: the row goes; to_drafts: becoming these
 * drafts in the same transaction, whose ids are set. ERR_CONFLICT when somebody else saved it meanwhile. */
int desk_out_save(struct desk *d, struct out_row *r, struct err *e);
int desk_out_to_drafts(struct desk *d, struct out_row *r, struct arena *a, struct draft *drafts, size_t n, struct err *e);
/* In the order of writing. repo NULL: of all; kind NULL: of all sources. */
int desk_outs(struct desk *d, const char *repo, const char *kind, const char *key, struct arena *a, struct out_list *out,
    struct err *e);
/* By the beginning of its id. ERR_NOT_FOUND, ERR_AMBIGUOUS. */
int desk_out(struct desk *d, const char *id_prefix, struct arena *a, struct out_row *out, struct err *e);

#endif
