/* SPDX-License-Identifier: MIT */
/* task.c's other half: what the commands on a task do where the task is a tracker's. */
#ifndef KILLICK_SRC_CMD_TASK_H
#define KILLICK_SRC_CMD_TASK_H

#include "killick/cmd/act.h"

struct task_ref {
	struct task t;
	char entity[SHA256_HEX];
	enum audience audience;
	struct there there;
};


/* What the tracker calls a person: "me", "ana", "Ana <ana@example.org> (ana)"; NULL: e is set. */
const char *task_login(struct cmd *c, const struct source *s, const char *word, struct err *e);
/* Each queues one op and reports it. as: the tracker's word for how it ends, or NULL. */
int task_set_state(struct cmd *c, struct task_ref *r, enum task_state to, const char *as, const char *done, struct err *e);
/* The words behind the id: labels, or people. */
int task_set_words(struct cmd *c, struct task_ref *r, bool people, bool remove, const char *done, struct err *e);
int task_take(struct cmd *c, struct task_ref *r, struct err *e);
/* name NULL: none. */
int task_set_milestone(struct cmd *c, struct task_ref *r, const char *name, struct err *e);

#endif
