/* SPDX-License-Identifier: MIT */
/*
 * Writing: from -m, -F, standard input or the editor to a text; a draft before anything else, so that no word is lost;
 * then ops. The editor's file begins with comment lines that say where the text goes and who will see it (screens.md).
 */
#ifndef KILLICK_CMD_COMPOSE_H
#define KILLICK_CMD_COMPOSE_H

#include "killick/cmd/cmd.h"

enum compose_flags {
	COMPOSE_OPTIONAL = 1 << 0,    /* no text is no error and opens no editor (resolve) */
	COMPOSE_EDITOR = 1 << 1,      /* a text left as it was is kept all the same (drafts edit) */
};
struct compose {
	const char *verb;             /* "ask", "reply", … as in drafts */
	const char *what;             /* "Question on src/x.c:12", shown in the head */
	const char *target;           /* for the draft */
	const struct anchor *anchor;  /* captured, or NULL */
	const struct thread *thread;  /* what is answered: quoted below as comment lines, or NULL */
	const char *start;            /* text to begin with (edit), or NULL */
	enum audience audience;       /* in and out: the head's audience line can narrow it */
	bool fixed_audience;          /* the thread decides: no audience line */
	struct source *to;            /* the tracker it goes to, or NULL: audience says where */
	const char *where;            /* at the tracker: "!58, review thread"; NULL: not known yet */
	const char *title;
	json_t *extra;                /* what else the command was told, kept with the draft (send.c); borrowed; may be NULL */
	json_t *with;                 /* a review's notes, for --dry-run: [{"draft","verb","on","body"}]; borrowed, may be NULL */
	unsigned flags;
	/* out */
	const char *body;             /* NULL: nothing was written, nothing is sent */
	const char *draft;            /* id of the draft that holds it until the write is durable, or NULL */
	bool stop;                    /* --draft or --dry-run: the command has said all and is done */
};
/*
 * Gets the text from -m, -F or the editor, in this order, and keeps it as a draft. ERR_USAGE: no text and no terminal,
 * an empty text from -m or -F. ERR_BAD_DATA: over 1 MiB (kept as a draft). The text is UTF-8 with LF, no NUL, trimmed.
 */
int compose(struct cmd *c, struct compose *p, struct err *e);
/* After the ops are durable: drops the draft. */
void compose_done(struct cmd *c, struct compose *p);
/* After they could not be written: the draft is told why, the user where it is. Returns -1. */
int compose_failed(struct cmd *c, struct compose *p, struct err *e);
/*
 * Makes the ops of p->verb from target, anchor, title, body and extra, writes them, drops the draft, reports. The one
 * way out for every text, from a command as from a draft that was kept. On failure the draft stays.
 */
int compose_send(struct cmd *c, struct compose *p, struct err *e);
/* The text of a body as stored: UTF-8, LF, no NUL, no blank lines around it. *lossy: something had to be replaced. */
void compose_normalise(struct buf *out, const char *p, size_t n, bool *lossy);
/* "native acme/widget; everyone who can fetch from origin" / "private; only you: it never leaves this machine" */
void compose_audience(struct cmd *c, enum audience aud, struct buf *b);
/* Where p goes: compose_audience, or the tracker. */
void compose_goes(struct cmd *c, const struct compose *p, struct buf *b);
/* The audience of --private and --to, or the tracker, where private is what it shows to some only; ERR_USAGE: both at odds,
 * ERR_REFUSED: the tracker has no private notes; ERR_NOT_FOUND: no such source (names those
 * known). */
int compose_to(struct cmd *c, enum audience *out, struct source **to, struct err *e);
/* compose_send for a tracker (sendto.c). */
int compose_send_to(struct cmd *c, struct compose *p, struct err *e);

/* The editor's file, pure parts: head and foot around a start text, and back. */
struct compose_text { const char *head, *foot; };
/* Cuts head and foot off what the editor left (len bytes); audience: as changed in the head. body in the arena, "" if
 * none. ERR_USAGE: an audience nobody knows. */
int compose_strip(struct arena *a, const struct compose_text *t, const char *text, size_t len, enum audience *audience,
    const char **body, struct err *e);
/* Texts in the editor's folder that belong to a draft nobody is editing (killick was killed): back into the desk. */
int compose_recover(struct cmd *c, struct err *e);

#endif
