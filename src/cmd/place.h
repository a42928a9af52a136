/* SPDX-License-Identifier: MIT */
/* One anchor's place, for commands that need a single one; many go through place_batch. */
#ifndef KILLICK_SRC_CMD_PLACE_H
#define KILLICK_SRC_CMD_PLACE_H

#include "killick/anchor/place.h"
#include "killick/cmd/cmd.h"

/* A placer over this work, with the index's cache where there is one and the user's threshold. */
struct placer *place_open(struct cmd *c, bool fetch);
/* to NULL: the work tree. Strings in c->arena. */
int place_one(struct cmd *c, const struct anchor *an, const struct oid *to, struct place *out, struct err *e);
/* place --stdin (placestdin.c). */
int place_lines(struct cmd *c, bool fetch, struct err *e);

#endif
