/* SPDX-License-Identifier: MIT */
#ifndef KILLICK_SYNC_CARRY_H
#define KILLICK_SYNC_CARRY_H

#include "killick/anchor/place.h"
#include "killick/model/thread.h"

/*
 * Where threads are in `to` (NULL: the work tree), given that their places hold in the commit `from` (back: which is the
 * later one): out[i] is thread i's; what the step does not tell is worked out anew, which may take seconds, or without `whole` left pending. Strings in
 * the arena. -1 only for faults of the repository itself.
 */
int carry_places(struct placer *p, struct repo *r, const char *from, const struct oid *to, bool back, const struct thread *t,
    size_t n, bool whole, struct place *out, struct arena *a, struct err *e);
/* Does one of the two commits lie behind the other, not far, by first parents? Else a step between them tells little. */
enum carry_way { CARRY_NOT, CARRY_ON, CARRY_BACK };
enum carry_way carry_way(struct repo *r, const struct oid *from, const struct oid *to);

#endif
