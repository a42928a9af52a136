/* SPDX-License-Identifier: MIT */
/* What the outbox's files share. */
#ifndef KILLICK_SRC_SYNC_OUTBOX_H
#define KILLICK_SRC_SYNC_OUTBOX_H

#include "killick/sync/outbox.h"

/* How the row's op is retried. */
struct out_policy outbox_policy(struct work *w, const char *op);
/* Does nothing of the same thread stand before row i? */
bool out_is_first(const struct out_list *l, size_t i);
/* What a row that is done changed at the server, changed here too: land.c. Failures are traced: a pull brings most of it. */
void outbox_land(struct work *w, struct source *s, const struct out_row *r, struct arena *a);

#endif
