/* SPDX-License-Identifier: MIT */
/*
 * Writing: from -m, -F, standard input or the editor to a text; a draft before anything else, so that no word is lost;
 * then ops. The editor's file begins with comment lines that say where the text goes and who will see it (screens.md).
 */
#ifndef KILLICK_CMD_COMPOSE_H
#define KILLICK_CMD_COMPOSE_H

#include "killick/cmd/cmd.h"

struct compose {
	const char *verb;             /* "ask", "reply", … as in drafts */
	const char *what;             /* "Question on src/x.c:12", shown in the head */
	const char *target;           /* for the draft */
	const struct anchor *anchor;  /* captured, or NULL */
	const struct thread *thread;  /* what is answered: quoted below as comment lines, or NULL */
	const char *start;            /* text to begin with (edit), or NULL */
	enum audience audience;       /* in and out: the head's audience line can narrow it */
	const char *title;
	/* out */
	const char *body;             /* NULL: nothing was written, nothing is sent */
	const char *draft;            /* id of the draft that holds it until the write is durable, or NULL */
};
int compose(struct cmd *c, struct compose *p, struct err *e);
/* After the ops are durable. */
void compose_done(struct cmd *c, struct compose *p);
/* "native acme/widget; everyone who can fetch from origin" / "only you: it never leaves this machine" */
void compose_audience(struct cmd *c, enum audience aud, struct buf *b);

#endif
