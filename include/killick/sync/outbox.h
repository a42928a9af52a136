/* SPDX-License-Identifier: MIT */
/*
 * The outbox: what was sent by the user and is not yet confirmed by its source. Rows live in the desk (durable before a
 * call returns); this room has the state machine as a pure step function, and its executor, which talks to killick-remote.
 *
 *	queued ──> sending ──> done (kept until the pull brings the post, then dropped)
 *	  │ ^         ├──────> refused (shown, with the tracker's words; edit, retry or discard)
 *	  │ └─ again ─┤        (nothing was sent, or a limit: waits by itself until retry_at)
 *	  v           └──────> unknown ──> found: done │ not found, twice, spaced: queued once more │ a second time: asks
 *	held (somebody replied, the task was closed, the line vanished, the right went: shown, not sent)
 *
 * Each arrow is one committed transaction; `sending` is committed before "push" is written to the child; a crash in
 * `sending` is `unknown` for the next run. Payload and target are frozen at queueing: an edit is a discard and a new op.
 * Order within a thread is kept: an op waits for all before it. One sender at a time a source (flock).
 * Sources: trust.md 1.8 and architecture.md, "The outbox".
 */
#ifndef KILLICK_SYNC_OUTBOX_H
#define KILLICK_SYNC_OUTBOX_H

#include "killick/remote/wire.h"
#include "killick/sync/native.h"

enum out_state { OUT_QUEUED, OUT_SENDING, OUT_UNKNOWN, OUT_HELD, OUT_REFUSED, OUT_ASKS, OUT_DONE, OUT_STATES };
const char *out_state_name(enum out_state s);

struct out_row {
	const char *id;             /* 32 hex digits */
	const char *source;         /* name; source_kind and source_key are its identity */
	const char *source_kind, *source_key, *repo;
	enum out_state state;
	const char *op;             /* JSON of the wire_op, frozen */
	const char *thread;         /* canonical id of the thread or task it belongs to: order is kept within it */
	const char *what;           /* a line for lists: "reply  k3f9c2  github !58  Three is what ops allows" */
	int64_t created, not_before;   /* created + post.delay: recallable until then */
	int64_t seen;               /* the thread's newest post when the user wrote: held when there is a newer one */
	int attempts, looks;
	int64_t sent_at, retry_at;
	const char *mark, *key, *url, *problem;
	int64_t seq;
};

/* The pure step: what happened, what the row becomes. false: nothing changes. */
enum out_event {
	EV_DUE, EV_MARKED, EV_LANDED, EV_REFUSED, EV_UNKNOWN, EV_UNSENT, EV_ABSENT, EV_FOUND, EV_CHANGED /* reason to hold */,
	EV_CRASHED /* found in sending at start */, EV_RELEASE, EV_HOLD, EV_RETRY, EV_DISCARD,
};
bool out_step(struct out_row *r, enum out_event ev, const struct wire_outcome *o, int64_t now, struct err *e);

#endif
