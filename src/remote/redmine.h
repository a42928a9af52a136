/* SPDX-License-Identifier: MIT */
/* Inside the Redmine adapter: redmine.c (what it is, reading), redminepush.c (writing, finding). */
#ifndef KILLICK_SRC_REMOTE_REDMINE_H
#define KILLICK_SRC_REMOTE_REDMINE_H

#include "fields.h"
#include "remote.h"

/* One call at work; strings live as long as the call. */
struct redmine {
	struct remote *r;
	struct http *h;
	const char *project;     /* the identifier, escaped */
	const char *prefix, *web;
	bool textile;            /* what bodies are written in; else Markdown */
	int64_t me_id;           /* 0: nobody */
	bool admin;
	struct person me;
	json_t *statuses;        /* owned: [{"id","name","is_closed"}] */
};
int redmine_init(struct redmine *m, struct remote *r, struct err *e);
void redmine_release(struct redmine *m);
/* Whose key it is, asked of the server: a wrong one reads public pages as nobody. ERR_AUTH. memberships may be NULL. */
int redmine_know_me(struct redmine *m, json_t **memberships, struct err *e);
int redmine_know_statuses(struct redmine *m, struct err *e);
bool redmine_is_closed(const struct redmine *m, const json_t *status);
bool redmine_is_me(const struct redmine *m, const json_t *user);

/* What the roles that we have in the project allow. known: false where Redmine does not tell (not a member: it has a role
 * of its own that is in no list). */
struct redmine_rights { bool known, admin; ARRAY(const char *) names; };
int redmine_rights(struct redmine *m, struct redmine_rights *out, struct err *e);
bool redmine_may(const struct redmine_rights *x, const char *right);

/* A body as the server wants it. */
const char *redmine_encode(struct redmine *m, const char *markdown);

/* One issue with everything that killick reads; *issue is a new reference. */
int redmine_get_issue(struct redmine *m, const char *id, json_t **issue, struct err *e);
int redmine_emit_issue(struct redmine *m, const json_t *issue, struct err *e);

int redmine_mark(struct remote *r, const struct wire_op *op, const char **mark, struct err *e);
int redmine_push(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e);
int redmine_find(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e);

#endif
