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
	struct cred cred;           /* secret NULL: nobody's */
	struct buf tried;           /* where a credential was looked for, a line each */
	bool prompt;
	struct buf in, out;         /* lines not yet taken, lines not yet written */
	size_t taken, written;      /* bytes of them that are */
	int64_t last_progress;
	int64_t retry_at;           /* of the last limit, where the adapter speaks no HTTP */
	bool cut;                   /* nobody reads our answers any more */
};

/* The whole program; returns its exit status. */
int remote_main(int argc, char **argv);

/*
 * session.c: http for r->src at this base, with the user's network settings, the adapter's manners and the credential
 * (none when anonymous, nor where none is found: reading may do without). session_close tells git how its credential did.
 */
int session_open(struct remote *r, const char *base, bool anonymous, struct err *e);
void session_close(struct remote *r);

/* program.c: where lines go that could not be written yet, -1: there are none; what can be is, without waiting. ctx: the
 * struct remote. */
int out_unwritten(void *ctx);
void out_some(void *ctx);

extern const struct adapter adapter_dir, adapter_gitea, adapter_github, adapter_redmine;

#endif
