/* SPDX-License-Identifier: MIT */
/* Inside the Gitea adapter: gitea.c (what it is), giteapull.c (reading), giteapush.c (writing, finding). */
#ifndef KILLICK_SRC_REMOTE_GITEA_H
#define KILLICK_SRC_REMOTE_GITEA_H

#include "fields.h"
#include "remote.h"

/* One call at work; strings live as long as the call. */
struct gitea {
	struct remote *r;
	struct http *h;
	const char *repo;        /* "repos/acme/widget", escaped */
	const char *web;         /* "https://git.example.org/acme/widget" */
	const char *me;          /* our login, NULL: nobody's or not known */
	const char *prefix;
	unsigned caps;
	int reactions;           /* how many notes may still be asked for theirs */
};
int gitea_init(struct gitea *g, struct remote *r, struct err *e);

/* "15.0.0+gitea-1.22.0" is Forgejo's way of saying it. */
struct gitea_version { bool forgejo; unsigned major, minor; };
struct gitea_version gitea_version_parse(const char *s);
bool gitea_at_least(const struct gitea_version *v, unsigned major, unsigned minor);   /* Gitea's own line; false for Forgejo */

struct person gitea_person(const json_t *user);
bool gitea_is_me(const struct gitea *g, const json_t *user);
const char *gitea_digits(const char *key, struct err *e);   /* key, or NULL and ERR_BAD_DATA */

/*
 * The talk of one change on its code: reviews and the notes in them. A thread is what Gitea shows as one: path, side and line;
 * its key is a hash of these, so that it stays when its first note is deleted.
 */
struct gitea_note {
	json_t *json;            /* owned */
	size_t review;           /* index, of this change's reviews */
	int64_t id;
	const char *thread;
	const char *path;
	enum anchor_side side;
	int64_t line;
};
struct gitea_talk {
	int64_t number;
	json_t *pull;            /* owned; NULL: could not be had */
	ARRAY(json_t *) reviews; /* owned; our own pending one among them, nobody else's */
	ARRAY(struct gitea_note) notes;   /* by thread, then id */
	bool whole;
};
void gitea_talk_release(struct gitea_talk *t);
/* Several changes at once: pulls, reviews and notes, fanned out. */
int gitea_talks_load(struct gitea *g, struct gitea_talk *talks, size_t n, struct err *e);
/* The thread's first note by its key or, else, that of any of its notes. NULL: not there. */
const struct gitea_note *gitea_talk_root(const struct gitea_talk *t, const char *thread, const char *note);

int gitea_emit_task(struct gitea *g, const json_t *issue, const json_t *pull, struct err *e);
/* A review's text as a note. now: the answer to its edit, as Gitea's list of reviews goes on showing the text before it; or NULL. */
int gitea_emit_review(struct gitea *g, const char *task, const json_t *review, const json_t *now, const struct reaction *reactions,
    size_t n_reactions, bool known, struct err *e);
int64_t gitea_review_row(const json_t *review);   /* the number of its text among the comments, 0: it has none */
int gitea_emit_comments(struct gitea *g, const json_t *list, struct err *e);

int gitea_pull(struct remote *r, const char *cursor, bool full, struct err *e);
int gitea_look(struct remote *r, const char *task, struct err *e);
int gitea_mark(struct remote *r, const struct wire_op *op, const char **mark, struct err *e);
int gitea_push(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e);
int gitea_find(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e);

#endif
