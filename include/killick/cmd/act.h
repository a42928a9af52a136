/* SPDX-License-Identifier: MIT */
/*
 * What the commands that write have in common: finding what a word means, making ops, writing them so that a signal
 * cannot cut the write in two, and saying what was done.
 */
#ifndef KILLICK_CMD_ACT_H
#define KILLICK_CMD_ACT_H

#include "killick/cmd/compose.h"
#include "killick/cmd/out.h"
#include "killick/sync/outbox.h"

/* An anchor as typed, against this repository and its tasks. */
int act_anchor(struct cmd *c, const char *text, struct anchor *out, struct err *e);

/*
 * What a task is called in an anchor that is written: the log keeps it for good, and few digits of a native task may
 * mean two tasks later.
 */
#define TASK_DIGITS "10"
const char *act_task_name(struct cmd *c, const struct task *t);

/* The trackers of the repository, read once a run; NULL: e is set. */
struct sources *act_sources(struct cmd *c, struct err *e);
void act_release_sources(struct cmd *c);

/* What a thread or task is at its tracker. */
struct there {
	struct source *s;            /* NULL: native or private, and nothing of the rest */
	const char *task, *thread;   /* keys, "" for none */
	struct record_task k;        /* key NULL: there is no task */
	bool private_;               /* what is said there is for some only */
};
/* source: the index's row. ERR_NOT_FOUND: of a tracker that is not connected here any more. */
int act_there(struct cmd *c, int64_t source, const char *task, const char *thread, struct there *out, struct err *e);
/* Of a task row. */
int act_task_there(struct cmd *c, const struct task *t, struct there *out, struct err *e);

/* A thread by id or prefix, or by a post's id; with what its ops need. */
struct subject {
	struct thread t;
	const struct post *post;     /* NULL: the thread was named */
	char entity[SHA256_HEX];     /* of the thread */
	enum audience audience;      /* where its ops go */
	struct there there;          /* or they go to a tracker */
};
int act_subject(struct cmd *c, const char *id, struct subject *out, struct err *e);
/* Trackers have no such thing: ERR_REFUSED, with what they lack ("accepted answers"). 0 for a native subject. */
int act_native_only(const struct subject *s, const char *lack, struct err *e);
/* Is a post the user's own that is not sent yet? Its row of the outbox: of the post alone, or of the review it goes with. */
enum unsent_as { UNSENT_NOT, UNSENT_ITSELF, UNSENT_IN_REVIEW };
enum unsent_as act_unsent(struct cmd *c, const struct post *p, struct out_row *out);
/* This repository's row of the outbox that was queued last and has not arrived: 1, or 0 where there is none. */
int act_last_unsent(struct cmd *c, struct out_row *out, struct err *e);
/* Does the source do this? ERR_REFUSED with the reason. */
int act_can(struct cmd *c, const struct source *s, enum caps cap, struct err *e);
/* May this note, which is not ours, be changed and deleted there? */
bool act_moderates(const struct source *s, const struct record *rec);

/* The op id of a post of the subject; post NULL: the one named, else the first. */
int act_post_op(struct cmd *c, const struct subject *s, const struct post *post, char op[SHA256_HEX], struct err *e);
/* The identity posts are written under. */
int act_me(struct cmd *c, struct person *out, struct err *e);

/*
 * Ops under construction: payloads are owned by the batch. act_op adds one with its entity (NULL or "": none) and
 * returns its empty payload. act_write writes them all as one batch, by us and now unless an op says otherwise (import);
 * ids (batch.ids[i]) are set afterwards.
 */
#define ACT_MAX 8
struct batch {
	struct op ops[ACT_MAX];
	char ids[ACT_MAX][SHA256_HEX];
	size_t n;
};
#define BATCH_INIT { .n = 0 }
json_t *act_op(struct batch *b, enum op_type type, const char *entity);
int act_write(struct cmd *c, enum audience aud, struct batch *b, const char *subject, struct err *e);
/* The same for any number of ops whose author and time are set; ids may be NULL. */
int act_write_ops(struct cmd *c, enum audience aud, struct op *ops, size_t n, const char *subject,
    char (*ids)[SHA256_HEX], struct err *e);
void batch_release(struct batch *b);

/* The thread of an entity after a write, from the index; false when the index is behind (the write stands). */
bool act_thread(struct cmd *c, const char *entity, struct thread *out);
/* {"format":1,"thread":{…}} or "k3f9c2 <done> <anchor>; <who sees it>". entity: of the thread. */
void act_report(struct cmd *c, const char *entity, enum audience aud, const char *done);
/* The same for a task: {"format":1,"task":{…}} or "T-3f9c2a <done>; <who sees it>". */
void act_report_task(struct cmd *c, const char *entity, enum audience aud, const char *done);
/* --dry-run: says what would be done, to what, and who would see it. */
void act_dry_run(struct cmd *c, const struct compose *p, enum audience aud);
/* The thread's anchor now: its place where that is known, else as written. */
const char *act_anchor_text(struct cmd *c, const struct thread *t);

/*
 * A change at a tracker, queued: op with its id (act_new_id), the keys it belongs to, what it looks like until it is there
 * (stolen; NULL: nothing), a line for lists. Says nothing. draft: what its text stands in, or NULL.
 */
int act_queue(struct cmd *c, struct there *t, const struct thread *seen, const struct wire_op *op, json_t *patch,
    const char *what, const char *draft, struct out_row *row, struct err *e);
/*
 * What a commit says about a tracker's thread, queued until the commit is pushed: a reply, and the resolution. id: 32 hex
 * digits that are the same whenever the same is meant. follows: the commit was amended or rebased; what was sent stays.
 */
int act_commit_follows(struct cmd *c, const char *id, const char *body, const char *commit, struct err *e);
int act_commit_says(struct cmd *c, const struct subject *s, const char *id, const char *body, bool resolve,
    const char *commit, struct err *e);
const char *act_new_id(struct cmd *c);
/* "k3f9c2 <done> <anchor>; github !58: everyone …; sent in 10 s": entity of the thread, or NULL for the task alone. */
void act_report_queued(struct cmd *c, const struct there *t, const char *entity, const struct out_row *row, const char *done);
/* "!58, review thread; everyone who can see …; sent in 10 s unless recalled". */
void act_audience_there(struct cmd *c, const struct source *s, const char *where, bool private_, struct buf *b);

#endif
