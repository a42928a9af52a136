/* SPDX-License-Identifier: MIT */
/*
 * The fold: a set of ops of one entity, in any order, to the thread or task they make. Pure: no disk, no clock.
 * Sorted by stamp, then each field is last-writer-wins, posts only grow, edit and redact count only from the post's
 * author (same mail address), a redaction hides its post for good, also when it sorts first. Everything that does not
 * apply (no such post, wrong author, unknown type) is ignored, so that every replica gets the same. In detail:
 *
 * - The opener comes first whatever its clock; posts follow by stamp. A resolve's body is a post.
 * - state: resolve, reopen and accept, the last wins. accept of a post: answered; accept of null: takes the mark back,
 *   and an answered thread is open again. Accepting a redacted or unknown post does not apply.
 * - An edit that sorts before its post, or after which the post was redacted, does not apply. A redacted post keeps its
 *   place, author and time; body is NULL, state POST_RETRACTED, without reactions.
 * - labels, asked (changed by assign), links, reactions (one a person, post and emoji): the last op about an element
 *   tells; in one op removals come first. All come sorted by bytes. Elements with control characters do not apply.
 * - title: the explicit one on one line; none, null or blank: from the first post's text (title_from_body), or
 *   "(retracted)". An opener's unknown kind reads as note, its unsound anchor as the project: its words are not lost.
 * - updated: the wall time of the last op by stamp that applied (reactions aside), but not before created. Wall times
 *   decide nothing.
 * - A task's description is its first post (the author's edit, or anybody's task op, changes it); resolve closes it and
 *   reopen opens it; accept, kind and move do not apply to it, nor task ops to a thread.
 */
#ifndef KILLICK_MODEL_FOLD_H
#define KILLICK_MODEL_FOLD_H

#include "killick/model/op.h"
#include "killick/model/thread.h"

struct fold {
	bool task;               /* else a thread */
	struct thread t;         /* with posts; ids are full here: "k" + 64 hex digits, "p" + 64; abbrev is NULL */
	struct task k;           /* for tasks; id "T-" + 64 hex digits. t is filled too: posts, title, labels, times */
	const char *name;        /* a tracker's task: its name there, which is its id here; NULL: native */
	const char *resolved_by; /* commit, or NULL */
	struct person closer;    /* who set the state last, empty if nobody did */
};

/* ops: decoded, of one entity, any order, duplicates allowed; sorted in place. false: no opening op among them.
 * Strings of *out live in the arena. n log n: 5,000 posts take some milliseconds. */
bool fold_entity(struct arena *a, struct op **ops, size_t n, struct fold *out);

#endif
