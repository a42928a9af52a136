/* SPDX-License-Identifier: MIT */
/* A text on its way to a tracker: sendto.c makes one op of it, submit.c one of many. */
#ifndef KILLICK_SRC_CMD_SENDTO_H
#define KILLICK_SRC_CMD_SENDTO_H

#include "killick/cmd/act.h"

/* What is being made. */
struct making {
	struct cmd *c;
	struct compose *p;
	struct there t;
	struct thread seen;
	bool has_seen;
	struct wire_op op;          /* its id is set before */
	struct anchor anchor;
	json_t *patch;              /* owned; how it shows until it is there */
	const char *done, *what;
	char entity[SHA256_HEX];    /* of the thread to report, "" for none */
	struct subject s;
};

/* The op of m->p, by its verb: a word for lists; NULL: it cannot be made, and nothing of it is left. */
const char *making_op(struct making *m, struct err *e);
/* The task or change it belongs to, into m->t: as said, as the anchor says, or the branch's. */
int making_task(struct making *m, struct err *e);
/* The task's conversation, as it is known here, into m->seen. */
void making_see_talk(struct making *m);
/* A note of ours as it will be there; a new reference. */
json_t *making_note(struct making *m, enum note_kind kind, const char *thread);
void making_set_entity(struct making *m);

/* What the command of a draft was (drafts.c): p.extra is owned. */
struct resumed { struct compose p; struct anchor an; };
int draft_resume(struct cmd *c, const struct draft *d, struct resumed *r, struct err *e);
/* "comment" and "task-edit" are verbs of ours, not words of the user's. */
const char *draft_words(const char *verb);

/* compose_send_to for a review (submit.c). */
int submit_send(struct cmd *c, struct compose *p, struct err *e);

#endif
