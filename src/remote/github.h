/* SPDX-License-Identifier: MIT */
/* Inside the GitHub adapter: github.c (what it is), githubrec.c (JSON to records), githubpull.c (reading),
 * githubfirst.c (reading whole lists), githubgraph.c (GraphQL), githubpush.c (writing), githubfind.c (did it land?). */
#ifndef KILLICK_SRC_REMOTE_GITHUB_H
#define KILLICK_SRC_REMOTE_GITHUB_H

#include "remote.h"

/* Kinds of notes have numbers of their own, which overlap: the letter keeps them apart. */
enum gh_kind { GH_COMMENT = 'c', GH_CODE = 'r', GH_REVIEW = 'v', GH_COMMIT = 'k' };

struct gh {
	struct remote *r;
	struct http *h;
	const char *owner, *name;    /* of the project, as it is */
	const char *repo;            /* "repos/acme/widget" */
	const char *graphql;         /* an address */
	const char *me;              /* login, NULL: nobody */
};
/* ERR_BAD_DATA for a project that is not OWNER/NAME. */
int gh_init(struct gh *g, struct remote *r, struct err *e);
/* The credential's login, asked for once; NULL without one. */
int gh_me(struct gh *g, struct err *e);
bool gh_may_graphql(const struct gh *g);

/* ---- githubrec.c: all strings in the page's arena; false: not one of these ---- */
bool gh_task(const struct gh *g, const json_t *j, struct record *out);    /* an issue's or a pull request's JSON */
bool gh_comment(const struct gh *g, const json_t *j, struct record *out);
bool gh_code(const struct gh *g, const json_t *j, struct record *out);
bool gh_review(const struct gh *g, const json_t *j, const char *task, struct record *out);
bool gh_commit_note(const struct gh *g, const json_t *j, struct record *out);
typedef bool gh_record_fn(const struct gh *g, const json_t *j, struct record *out);
/* "412" of ".../issues/412", NULL: no number there. */
const char *gh_tail(struct arena *a, const char *url);
bool gh_is_pull(const json_t *issue);
/* The interface's word for an emoji ("+1"); NULL: not one of its eight. */
const char *gh_reaction(const char *value);
/* Of a patch as the API gives it: where the line of that position is, and back (0: not in it). */
bool patch_line(const char *patch, int64_t position, uint32_t *line, enum anchor_side *side);
int64_t patch_position(const char *patch, uint32_t line, enum anchor_side side);

/* ---- githubgraph.c ---- */
/*
 * Emits reviews and the state of threads of these changes (keys), in batches side by side. Falls back to REST (no threads)
 * where GraphQL is not to be had.
 */
struct gh_talk {
	const char *const *tasks;
	size_t n;
	int64_t *counts;             /* out: how many code notes the threads of each count, -1: not known */
	bool lists;                  /* also say which reviews there are */
	int (*done)(void *ctx, size_t n, struct err *e);   /* the first n are told; may be NULL */
	void *ctx;
};
int gh_talk(struct gh *g, const struct gh_talk *t, struct err *e);
/* The handle of the thread that this note opened, in the call's arena; ERR_NOT_FOUND. */
int gh_thread_handle(struct gh *g, const char *task, const char *thread, const char **handle, struct err *e);
/* A question and a change; *data is borrowed from the answer. An answer with errors is a graded error. */
int gh_query(struct gh *g, const char *query, json_t *variables /* taken */, struct http_answer *out, const json_t **data,
    struct err *e);
int gh_mutate(struct gh *g, const char *query, json_t *variables /* taken */, struct http_answer *out, const json_t **data,
    bool *sent, struct err *e);

int gh_pull(struct remote *r, const char *cursor, bool full, struct err *e);
int gh_look(struct remote *r, const char *task, struct err *e);
int gh_mark(struct remote *r, const struct wire_op *op, const char **mark, struct err *e);
int gh_push(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e);
int gh_find(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e);

/* githubpush.c, for githubfind.c too. Where a note or task stands, for edits and reactions: "repos/o/n/issues/comments/7". */
/* The id of a pending review that this op left, NULL: none. ERR_CONFLICT: there is one of the user's own. */
int gh_pending_review(struct gh *g, const struct wire_op *op, const char **id, struct err *e);
const char *gh_note_path(struct gh *g, const struct wire_op *op, struct err *e);
/* Is one of this list's objects (by this field) or strings called so? */
bool gh_has_name(const json_t *list, const char *field, const char *name);
/* Is this JSON's author me? */
bool gh_is_mine(const struct gh *g, const json_t *j);

#endif
