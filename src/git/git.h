/* SPDX-License-Identifier: MIT */
/*
 * Inside src/git only: libgit2's life, errors and object ids, and what the rooms share of struct repo.
 *
 * libgit2 is opened (libgit2.c) and started on first need, since both cost milliseconds, and each start is paired with a
 * stop. We never let it talk to a network: git itself, as a child, does that.
 */
#ifndef KILLICK_SRC_GIT_GIT_H
#define KILLICK_SRC_GIT_GIT_H

#include <git2.h>
#include <string.h>
#include "killick/git/repo.h"

#define EMPTY_TREE "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

/* --- libgit2.c: its functions, under their own names; none but releasing ones may be called before lib_start --- */

int libgit2_open(struct err *e);
/* The one with "..." cannot be called on behalf of others: this is its address. */
typedef int git_opts_fn(int option, ...);
git_opts_fn *libgit2_opts(void);

/* --- lib.c --- */

/* Counted: every lib_start that returned 0 needs a lib_stop. */
int lib_start(struct err *e);
void lib_stop(void);
/* Small windows on packs, for the whole process; after lib_start. */
void lib_frugal(void);
/*
 * Opens exactly this git directory (no walking up). trusted: the caller has checked its owner by git's rules, so
 * libgit2's own check, which knows fewer of them, is left out. The caller frees it before lib_stop.
 */
int lib_open(const char *gitdir, bool trusted, git_repository **out, struct err *e);
/* The repository's own handle, opened on first need and closed by repo_close. */
int repo_lib(struct repo *r, git_repository **out, struct err *e);
int repo_odb(struct repo *r, git_odb **out, struct err *e);
/* The index (GIT_INDEX_FILE where set); libgit2's code. The caller frees it. */
int repo_index(struct repo *r, git_repository *lib, git_index **out);

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
struct names { const char **items; size_t len, alloc; };   /* ARRAYs */
struct oids { struct oid *items; size_t len, alloc; };

struct repo {
	char *top, *gitdir, *commondir, *prefix, *name;
	char *cwd;              /* where the user stands, resolved */
	char *index_file;       /* GIT_INDEX_FILE, absolute, or NULL */
	bool partial;           /* has a promisor remote: blobs may be missing on purpose */
	bool worktree_config;   /* extensions.worktreeConfig */
	bool lib_started, frugal;
	git_repository *lib;
	git_odb *odb;
	struct config *config;
	struct commit_cache *commits;
	struct commit_graph *graph;
	bool graph_tried;
	struct oids *shallow; /* the border's commits; NULL until asked for */
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

/* --- oid.c --- */

/* The 40 lower-case digits at p, whatever follows them. */
bool oid_scan(const char *p, struct oid *out);

/* --- graph.c --- */

/* From git's commit-graph file; false: not in it. parents is emptied and filled; out->parents is not set. */
bool graph_lookup(struct repo *r, const struct oid *o, struct commit_links *out, struct oids *parents);
void graph_free(struct commit_graph *g);

/* --- object.c --- */

void commit_cache_free(struct commit_cache *c);
/* Is this a commit of the shallow border? */
bool commit_is_border(struct repo *r, const struct oid *o);
/* An object of the user's repository. Hashing each again on reading would be a third of a walk and a quarter of a hook; git
 * does it in fsck, not here. zlib still checks. */
int odb_read(git_odb_object **out, git_odb *odb, const git_oid *id);
/* An object of the kind wanted; `what` is the kind's word for messages. Free it with git_odb_object_free. */
int read_object(struct repo *r, const struct oid *o, git_object_t type, const char *what, git_odb_object **out,
    struct err *e);
/* "…> 1700000000 +0100" at the end of an author or committer line, in milliseconds. */
int64_t line_time(const char *p, const char *end);
/* The entries of a raw tree, in its order; it ends where the tree is malformed. */
struct tree_iter { const char *p, *end; };
struct tree_item { const char *name; size_t len; unsigned mode; struct oid id; };
void tree_iter_init(struct tree_iter *it, git_odb_object *tree);
bool tree_next(struct tree_iter *it, struct tree_item *out);
/* 1 with what `name` is in this tree, 0 not there, -1. */
int tree_entry(struct repo *r, const struct oid *tree, const char *name, size_t len, struct oid *out, unsigned *mode,
    struct err *e);
/* The same for a path below a tree; "" is the tree itself. */
int tree_path(struct repo *r, const struct oid *tree, const char *path, struct oid *out, unsigned *mode, struct err *e);

/* The files below a tree, in its order, at most max; what cannot be read is left out. */
void tree_list(struct repo *r, const struct oid *tree, const char *prefix, size_t max, struct arena *a,
    struct names *names);

/* --- commit.c --- */

/* From any encoding that iconv knows to UTF-8, added to out; false: not this encoding, or an unknown one. */
bool recode(const char *from, const char *p, size_t n, struct buf *out);

/* --- revision.c --- */

/* Runs git on this repository, cut off from networks, hooks and file watchers. 1: it exited with an error. */
int git_child(struct repo *r, const char *const *args, const void *in, size_t in_len, struct buf *out, struct err *e);
/* Is there a ref of this short or full name? */
bool ref_exists(git_repository *lib, const char *name);

/* --- history.c --- */

/* Every ref below prefix ("refs/heads/") whose rest fits the glob (NULL: all), with its commit; others are left out. */
int refs_each(struct repo *r, const char *prefix, const char *glob, int (*fn)(void *ctx, const char *name,
    const struct oid *commit, struct err *e), void *ctx, struct err *e);

/* --- rename.c --- */

#define RENAME_FILE_MAX (8u << 20)   /* bigger files are compared by id alone */
/* Content of one side of a change for comparing; false: it cannot be had. */
struct change;
typedef bool content_fn(void *ctx, const char *path, const struct oid *id, struct buf *out);
/* Joins removed and added files of a list into renames, as git -M50% does. */
void find_renames(struct repo *r, struct change *c, size_t *n, content_fn *content, void *ctx);

/* --- path.c --- */

/* What can stand in a tree: relative, no empty part, no ".", "..", ".git". */
bool path_is_sound(const char *path);

/* --- worktree.c --- */

/* Does something stand at this path of the work tree? Links on the way are not followed. */
bool worktree_has(struct repo *r, const char *path);

/* --- refs.c --- */

/* A full ref name to its id, through symbolic refs, without libgit2. */
bool ref_read(struct repo *r, const char *name, struct oid *out);

#endif
