/* SPDX-License-Identifier: MIT */
/*
 * The outbox: what was sent by the user and is not yet confirmed by its source. Rows live in the desk (store/outrow.h,
 * durable before a call returns); this room has the state machine as a pure step function, and its executor, which talks
 * to killick-remote.
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

#include "killick/store/outrow.h"
#include "killick/sync/source.h"

/* The pure step: what happened, what the row becomes. false: nothing changes. */
enum out_event {
	EV_DUE,        /* its turn: the next thing is to be written to the child */
	EV_MARKED,     /* r->mark was taken */
	EV_LANDED, EV_REFUSED, EV_UNKNOWN, EV_UNSENT, EV_ABSENT, EV_FOUND,   /* o has the outcome */
	EV_CHANGED,    /* o->message: why it is held */
	EV_CRASHED,    /* found in sending at the start */
	EV_RELEASE, EV_HOLD, EV_RETRY, EV_DISCARD,   /* the user */
	OUT_EVENTS
};
struct out_policy {
	int64_t settle;            /* ms an answer may be on its way: between two looks for what may have landed */
	int64_t again, again_max;  /* ms until the next try by itself, doubling */
	int attempts;              /* pushes before the user is asked */
	bool idempotent;           /* doing it twice is doing it once: one look is enough */
};
bool out_step(struct out_row *r, enum out_event ev, const struct wire_outcome *o, int64_t now, const struct out_policy *p);
/* When something is to be done about the row by itself: 0 never. */
int64_t out_next(const struct out_row *r);
/* What people see of it: queued, held, failed. */
enum post_state out_post_state(enum out_state s);

/* ---- writing ---- */

/* One of several notes that go as one op, a review. */
struct out_part {
	const char *id, *thread;     /* of its op; the key of its thread */
	const struct thread *seen;   /* with posts, as the user saw it; NULL: a new one */
	json_t *patch;               /* how it shows meanwhile; borrowed */
};
/* What is about to be queued. */
struct out_post {
	struct source *s;
	struct wire_op op;           /* id is set here */
	const char *task, *thread;   /* keys it belongs to, "" for none */
	const struct thread *seen;   /* with posts, as the user saw it; NULL: none */
	bool was_open;
	const char *what;            /* for lists */
	json_t *patch;               /* how it shows meanwhile, or NULL; borrowed */
	const char *const *drafts; size_t n_drafts;     /* those that have its text */
	const struct out_part *parts; size_t n_parts;   /* of a review, in the order of op.notes */
	const char *pushed;          /* not before a remote has this commit; NULL: whenever it is due */
};
/* Durable before it returns. *out in the work's arena. */
int outbox_queue(struct work *w, struct out_post *p, struct out_row *out, struct err *e);
/* The same text's new row in the old one's place. */
int outbox_rewrite(struct work *w, const struct out_row *old, const char *body, const char *title, struct out_row *out,
    struct err *e);
/* A row that waits for a commit follows it to another one (amend, rebase); what was sent stays. */
int outbox_follow(struct work *w, const char *id, const char *body, const char *commit, struct err *e);
/* The user's events, saved. ERR_CONFLICT in words when they do not fit the state. */
int outbox_act(struct work *w, struct out_row *r, enum out_event ev, struct err *e);
/* The words of a row that is thrown away go back to drafts: *ids, in the work's arena, is "d12ab34cd", several with ", "
 * between them, NULL for a row without words. */
int outbox_recall(struct work *w, struct out_row *r, const char **ids, struct err *e);

/* ---- sending ---- */

struct sent { unsigned done, waiting, held, refused, asks; int64_t retry_at; struct err fault; };
/* Sends what of the source is due, in order, looks after what is unknown; id: this row only (and what it waits for), due or
 * not. Never fails as a whole: the first fault that is the source's and not a row's is in `sent`. */
void outbox_send(struct work *w, struct source *s, const char *id, struct sent *out);
/* Drops rows that the index has as posts now; what was thought unknown and is there becomes done. */
void outbox_settle(struct work *w);
/* Does anything wait for a commit to be pushed? Looks, and lets go what has been. */
bool outbox_awaits_push(struct work *w);
/* When the next row of this repository is due: 0 none. */
int64_t outbox_next(struct work *w);
/* Starts a process that sends what is due soon, if there is none; killick.send says whether. */
void outbox_kick(struct work *w);
/* The same after a push: waits a while for the commits to arrive. */
void outbox_kick_pushed(struct work *w);
/* Inside a write of the index: what of the desk's outbox is to be seen in threads. */
int outbox_show(struct work *w, struct err *e);

#endif
