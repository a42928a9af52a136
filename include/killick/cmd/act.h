/* SPDX-License-Identifier: MIT */
/*
 * What the commands that write have in common: finding what a word means, making ops, writing them so that a signal
 * cannot cut the write in two, and saying what was done.
 */
#ifndef KILLICK_CMD_ACT_H
#define KILLICK_CMD_ACT_H

#include "killick/cmd/compose.h"
#include "killick/cmd/out.h"

/* An anchor as typed, against this repository and its tasks. */
int act_anchor(struct cmd *c, const char *text, struct anchor *out, struct err *e);

/*
 * What a task is called in an anchor that is written: the log keeps it for good, and few digits of a native task may
 * mean two tasks later.
 */
#define TASK_DIGITS "10"
const char *act_task_name(struct cmd *c, const struct task *t);

/* A thread by id or prefix, or by a post's id; with what its ops need. */
struct subject {
	struct thread t;
	const struct post *post;     /* NULL: the thread was named */
	char entity[SHA256_HEX];     /* of the thread */
	enum audience audience;      /* where its ops go */
};
int act_subject(struct cmd *c, const char *id, struct subject *out, struct err *e);
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

#endif
