/* SPDX-License-Identifier: MIT */
/*
 * The fold: a set of ops of one entity, in any order, to the thread or task they make. Pure: no disk, no clock.
 * Sorted by stamp, then each field is last-writer-wins, posts only grow, edit and redact count only from the post's
 * author (same mail address), a redaction hides its post for good, also when it sorts first. Everything that does not
 * apply (no such post, wrong author, unknown type) is ignored, so that every replica gets the same.
 */
#ifndef KILLICK_MODEL_FOLD_H
#define KILLICK_MODEL_FOLD_H

#include "killick/model/op.h"
#include "killick/model/thread.h"

struct fold {
	bool task;               /* else a thread */
	struct thread t;         /* with posts; ids are full here: "k" + 64 hex digits, "p" + 64 */
	struct task k;
	const char *trailer;     /* commit whose message opened it, or NULL */
	const char *resolved_by; /* commit, or NULL */
	struct person closer;    /* who set the state last */
};

/* ops: decoded, of one entity, any order, duplicates allowed; sorted in place. false: no opening op among them.
 * Strings of *out live in the arena. */
bool fold_entity(struct arena *a, struct op **ops, size_t n, struct fold *out);

#endif
