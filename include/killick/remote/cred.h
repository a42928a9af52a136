/* SPDX-License-Identifier: MIT */
/*
 * Where a source's token is found, in the order that users expect (rest-apis.md 1.2): a helper named by the user's own
 * settings; the environment of killick and of the forge's command line program; that program's print-token command or its
 * configuration; `git credential fill`; netrc. Bound to scheme, host and port: never given to another. In memory that is
 * wiped, never written anywhere; git credential is told approve or reject afterwards.
 */
#ifndef KILLICK_REMOTE_CRED_H
#define KILLICK_REMOTE_CRED_H

#include "killick/remote/adapter.h"

struct cred {
	char *user, *secret;     /* wiped by cred_release */
	const char *from;        /* in words: "gh auth token", "GITHUB_TOKEN in the environment", "git credential" */
	bool from_git;           /* approve or reject it */
};
/* ERR_AUTH when there is none: the message lists where was looked. tried, if not NULL, gets a line for each place. */
int cred_find(const struct source_desc *s, bool may_prompt, struct cred *out, struct buf *tried, struct err *e);
void cred_release(struct cred *c);
void cred_approve(const struct source_desc *s, const struct cred *c, bool good);

#endif
