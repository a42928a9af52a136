/* SPDX-License-Identifier: MIT */
/* Inside src/remote: the folder that plays a tracker. */
#ifndef KILLICK_SRC_REMOTE_DIR_H
#define KILLICK_SRC_REMOTE_DIR_H

#include "remote.h"

/* A name in the source's folder; lives as long as the call. */
const char *dir_path(struct remote *r, const char *name);

/* Where the adapter stands: what may go wrong here. */
struct fault_at {
	const char *on, *verb;
	int64_t page;         /* pull: pages written so far, 0: none yet */
	bool after;           /* push: it is on disk already */
	bool unknown;         /* out: the failure leaves open what happened */
	int64_t hide_ms;      /* out: the new note is to stay out of lists for so long */
};
/* The first fault of the file that fits happens now and is used up. -1 with e where it is a failure. */
int dir_fault(struct remote *r, struct fault_at *at, struct err *e);

#endif
