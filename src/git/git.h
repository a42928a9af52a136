/* SPDX-License-Identifier: MIT */
/*
 * Inside src/git only: libgit2's life, errors and object ids, and what the rooms share of struct repo.
 *
 * libgit2 is started on first need, since its start costs 7 to 20 ms (measured: it reads the host's certificates), and
 * each start is paired with a stop. We never let it talk to a network: git itself, as a child, does that.
 */
#ifndef KILLICK_SRC_GIT_GIT_H
#define KILLICK_SRC_GIT_GIT_H

#include <git2.h>
#include <string.h>
#include "killick/git/repo.h"

/* Counted: every lib_start that returned 0 needs a lib_stop. */
int lib_start(struct err *e);
void lib_stop(void);
/*
 * Opens exactly this git directory (no walking up). trusted: the caller has checked its owner by git's rules, so
 * libgit2's own check, which knows fewer of them, is left out. The caller frees it before lib_stop.
 */
int lib_open(const char *gitdir, bool trusted, git_repository **out, struct err *e);
/* The repository's own handle, opened on first need and closed by repo_close. */
int repo_lib(struct repo *r, git_repository **out, struct err *e);
int repo_odb(struct repo *r, git_odb **out, struct err *e);

/* "what was tried: libgit2's words", its code mapped to ours; rc is what libgit2 returned. Returns -1. */
int err_git(struct err *e, int rc, const char *fmt, ...) PRINTF_LIKE(3, 4);

static inline git_oid oid_to_git(const struct oid *o)
{
	git_oid g;

	memcpy(g.id, o->id, sizeof(g.id));
	return g;
}

static inline struct oid oid_from_git(const git_oid *g)
{
	struct oid o;

	memcpy(o.id, g->id, sizeof(o.id));
	return o;
}

struct config;
struct commit_cache;
struct commit_graph;
struct oid_set;

struct repo {
	char *top, *gitdir, *commondir, *prefix, *name;
	char *cwd;              /* where the user stands, resolved */
	char *index_file;       /* GIT_INDEX_FILE, absolute, or NULL */
	bool partial;           /* extensions.partialClone: blobs may be missing on purpose */
	bool worktree_config;   /* extensions.worktreeConfig */
	bool lib_started;
	git_repository *lib;
	git_odb *odb;
	struct config *config;
	struct commit_cache *commits;
	struct commit_graph *graph;
	bool graph_tried;
	struct oid_set *shallow; /* the border's commits; NULL until asked for */
};

/* --- configfile.c: the syntax of git-config(1) --- */

/* Calls fn for every entry in order; key is "section.Sub.name" with section and name in lower case, a key without a
 * value has "true". key and value live in the arena. ERR_BAD_DATA names the line. A non-zero return of fn is returned. */
typedef int config_fn(void *ctx, const char *key, const char *value, const char *origin);
int config_parse(const char *text, size_t n, const char *origin, struct arena *a, config_fn *fn, void *ctx,
    struct err *e);
/* The same for a file; one that is not there, or not a regular file (/dev/null), has no entries. */
int config_file_each(const char *path, struct arena *a, config_fn *fn, void *ctx, struct err *e);
/* "true", "yes", "on", "1"… as git; NULL and what is no boolean give def. */
bool git_bool(const char *value, bool def);
/* A path of the configuration: "~/x", "~ana/x", as it is else; false where there is no such home. */
bool config_path(struct buf *out, const char *value);
/* git's glob with '/' apart: "*" and "?" stop at it, "**" does not. */
bool wild_match(const char *pattern, const char *text, bool fold_case);

/* --- config.c --- */

/* Entries of the user's own configuration (system, global, command line), outside of any repository. */
void config_user_each(const char *prefix, config_fn *fn, void *ctx);
void config_free(struct config *c);

/* --- discover.c --- */

/* dir/name, or name where it is absolute. */
void path_join(struct buf *out, const char *dir, const char *name);
/* The rest of path below dir, "" where they are equal, NULL where it is not below. Both absolute. */
const char *path_below(const char *dir, const char *path);

/* --- refs.c --- */

/* A full ref name to its id, through symbolic refs, without libgit2. */
bool ref_read(struct repo *r, const char *name, struct oid *out);

#endif
