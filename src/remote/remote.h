/* SPDX-License-Identifier: MIT */
/* Inside src/remote: one source at work. */
#ifndef KILLICK_SRC_REMOTE_REMOTE_H
#define KILLICK_SRC_REMOTE_REMOTE_H

#include "killick/remote/adapter.h"
#include "killick/remote/cred.h"

struct remote {
	const struct adapter *ad;
	struct source_desc src;
	struct arena arena, keep, life;   /* a page's, a call's, the process's */
	struct http *http;          /* NULL: a local adapter */
	struct buf in, out;         /* lines not yet taken, lines not yet written */
	size_t taken;               /* bytes of in that are */
	int64_t last_progress;
	int64_t retry_at;           /* of the last limit, where the adapter speaks no HTTP */
	bool cut;                   /* nobody reads our answers any more */
};

/* The whole program; returns its exit status. */
int remote_main(int argc, char **argv);

extern const struct adapter adapter_dir;

#endif
