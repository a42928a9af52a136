/* SPDX-License-Identifier: MIT */
/* Who is one person: what the repository's .mailmap and the user's settings say. */
#ifndef KILLICK_SYNC_PEOPLE_H
#define KILLICK_SYNC_PEOPLE_H

#include "killick/sync/native.h"

/* Are .mailmap and the settings as they were when the index last read them? Costs a stat. */
bool people_known(struct work *w);
/* Inside a write. */
int people_take(struct work *w, struct err *e);

#endif
