/* SPDX-License-Identifier: MIT */
/*
 * Where a source's token is found, in the order that users expect (rest-apis.md 1.2): a helper named by the user's own
 * settings (killick.source.NAME.helper, of user scope only); the environment (KILLICK_TOKEN_NAME, then what the forge's
 * command line program reads); that program's print-token command or its configuration; `git credential fill`; netrc.
 *
 * Bound to the origin of the source's api: each place is asked for that host and port, and a variable that names no host
 * (GH_TOKEN) counts only for the hosts for which its own program uses it. In memory that is wiped, never written anywhere; every
 * known token variable is wiped from this process's environment first, so that no child sees one. git credential is told
 * approve or reject afterwards.
 */
#ifndef KILLICK_REMOTE_CRED_H
#define KILLICK_REMOTE_CRED_H

#include "killick/remote/adapter.h"

struct cred {
	char *user, *secret;     /* wiped by cred_release */
	char *from;              /* in words: "gh auth token", "GITHUB_TOKEN in the environment", "git credential" */
	bool from_git;           /* approve or reject it */
};
#define CRED_INIT { NULL, NULL, NULL, false }
/* ERR_AUTH when there is none: the message lists where was looked. tried, if not NULL, gets a line for each place. */
int cred_find(const struct source_desc *s, bool may_prompt, struct cred *out, struct buf *tried, struct err *e);
/* Takes every known token variable out of this process's environment: before the first child. cred_find does it too. */
void cred_scrub_environment(void);
void cred_release(struct cred *c);
/* A setting of the user's own (never a repository's), trimmed, added to out; false: not set. Runs git. */
bool cred_setting(const char *key, struct buf *out);
void cred_approve(const struct source_desc *s, const struct cred *c, bool good);

#endif
