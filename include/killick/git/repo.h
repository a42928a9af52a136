/* SPDX-License-Identifier: MIT */
/*
 * The user's repository: found without libgit2 (its start costs 8 ms, measured), opened with it on first need.
 *
 * repo_find walks up from a folder as git does: GIT_DIR, ".git" folders and files (worktrees, submodules), bare
 * repositories when inside one (unless safe.bareRepository is "explicit"), GIT_CEILING_DIRECTORIES, file-system borders.
 * A folder of somebody else's is refused unless safe.directory in the user's own configuration says so, by git's rules,
 * before anything in it is read. The extensions worktreeConfig, partialClone, preciousObjects and relativeWorktrees are
 * taken; SHA-256 and reftable repositories get a plain message (trust.md 7). Object ids are 20 bytes.
 * Only src/git includes git2.h.
 */
#ifndef KILLICK_GIT_REPO_H
#define KILLICK_GIT_REPO_H

#include <stdbool.h>
#include "killick/base/buf.h"
#include "killick/base/err.h"
#include "killick/base/hash.h"
#include "killick/model/anchor.h"
#include "killick/model/query.h"
#include "killick/model/person.h"

struct oid { uint8_t id[20]; };
#define OID_ZERO ((struct oid){ { 0 } })
bool oid_is_zero(const struct oid *o);
bool oid_equal(const struct oid *a, const struct oid *b);
bool oid_parse(const char *hex, struct oid *out);          /* exactly 40 hex digits */
char *oid_hex(char out[GIT_OID_HEX], const struct oid *o);

struct repo;
/* dir NULL: the working folder. ERR_NOT_FOUND: no repository here (the message says how to make one). */
int repo_find(const char *dir, struct repo **out, struct err *e);
void repo_close(struct repo *r);
/* Forgets what was read of the configuration, the shallow border and commits' links, for programs that live long and
 * want to see what other processes did: under a millisecond. HEAD, refs and the work tree are read anew every time. Ends
 * the validity of repo_name. Not during a walk. */
void repo_refresh(struct repo *r);
/* For programs that live long and are to stay small. Packs are mapped in smaller windows from now on (all packs of the
 * process), which costs a walk over all history some per cent. */
void repo_frugal(struct repo *r);
/* Lets go of mapped packs and of the objects kept for reading others (up to 24 MB a pack): under a millisecond, what is
 * needed again is opened again. Not during a diff, nor while a placer or lineage of this repository lives; a history may. */
void repo_trim(struct repo *r);
/* Absolute, symbolic links resolved, no slash at the end. top is NULL in a bare repository. */
const char *repo_top(const struct repo *r);
const char *repo_gitdir(const struct repo *r);     /* of this worktree */
const char *repo_commondir(const struct repo *r);  /* shared by worktrees: killick/ lies in it */
const char *repo_name(struct repo *r);       /* for the top line: "owner/name" of origin, else the folder's name */
bool repo_is_bare(const struct repo *r);
bool repo_is_shallow(const struct repo *r);
/* A partial clone: blobs may be missing on purpose. They are never downloaded on the way. */
bool repo_is_partial(const struct repo *r);
/* The folder that relative paths of the user start from, below top ("" at the top, else "src/net/"). */
const char *repo_prefix(const struct repo *r);
/* git config core.filemode and the like do not matter here; killick.* does: see store/settings.h. */

/* HEAD's commit without libgit2 where it can (loose and packed refs). false: unborn. branch may be NULL, else it gets the
 * branch's short name (also of an unborn one), empty when HEAD is detached. */
bool repo_head(struct repo *r, struct oid *out, struct buf *branch);
/* Any revision git understands, to its commit. ERR_NOT_FOUND, ERR_AMBIGUOUS. Never starts with '-'. */
int repo_resolve(struct repo *r, const char *rev, struct oid *out, struct err *e);
bool repo_has_object(struct repo *r, const struct oid *o);
/* The resolver for anchor_parse; ctx is r. Paths are relative to repo_prefix. is_task is NULL. */
struct anchor_resolver repo_anchor_resolver(struct repo *r);
/* The on: terms of a query as the index knows places: paths from the user's folder become paths from the top, revisions and
 * permalinks what they name. What is nothing here stays as it was typed. */
void repo_query_anchors(struct repo *r, struct arena *a, struct query *q);
/* A path of the user's ("../x", absolute inside the tree) to one from the top; ERR_USAGE outside. */
int repo_path(struct repo *r, const char *user_path, struct arena *a, const char **out, struct err *e);

/* A commit's links, cheap (the commit-graph, a cache of the last thousands): for walking. parents are valid until the
 * next call. At the border of a shallow clone there are no parents and `cut` says that there were some. */
struct commit_links {
	struct oid tree;
	const struct oid *parents;
	size_t n_parents;
	int64_t time;              /* the committer's, milliseconds */
	uint32_t generation;       /* of the commit-graph: greater than all parents'; 0 unknown */
	bool cut;
};
int repo_links(struct repo *r, const struct oid *commit, struct commit_links *out, struct err *e);

/* What stands at path in a commit. ERR_NOT_FOUND when nothing does. mode is git's (0100644, 0120000, 0160000). */
int repo_tree_path(struct repo *r, const struct oid *commit, const char *path, struct oid *out, unsigned *mode,
    struct err *e);
/* Content of a blob; over max (0: none) ERR_BAD_DATA. A blob that a partial clone lacks: ERR_NOT_FOUND, nothing is
 * downloaded. */
int repo_blob(struct repo *r, const struct oid *blob, size_t max, struct buf *out, struct err *e);
bool repo_blob_size(struct repo *r, const struct oid *blob, uint64_t *size);
/* The file in the work tree as git would store it (filters of .gitattributes and core.autocrlf applied), and its id.
 * Symbolic links give their target, as git. Looks it up below the top without following links on the way (trust.md 9).
 * ERR_NOT_FOUND when it is not there. out may be NULL for the id alone. */
int repo_worktree_file(struct repo *r, const char *path, size_t max, struct buf *out, struct oid *id, struct err *e);
bool buf_is_binary(const struct buf *b);   /* a NUL in the first 8000 bytes, git's rule */

struct commit_info {
	struct oid id;
	struct person author, committer;
	int64_t time;              /* author's */
	int64_t commit_time;
	const char *subject, *body; /* UTF-8, lossy; body NULL if none */
	const char *message;        /* all of it, as message_trailers wants it */
	struct oid *parents;
	size_t n_parents;
};
int repo_commit(struct repo *r, const struct oid *id, struct arena *a, struct commit_info *out, struct err *e);
/* Trailers at the end of a message, git's rules (a last paragraph of "Key: value" lines, folded lines joined). */
struct trailer { const char *key, *value; };
size_t message_trailers(struct arena *a, const char *message, struct trailer **out);

/* The user's identity as git would commit with it (env GIT_AUTHOR_*, author.*, user.*, EMAIL); ERR_USAGE with the command
 * to set it. Unlike git no mail address is made up from the host's name. r may be NULL. */
int repo_identity(struct repo *r, struct arena *a, struct person *out, struct err *e);

/* Configuration. Scopes: the repository's own files are not trusted to name programs, URLs or credentials. */
enum config_scope { CONFIG_ANY, CONFIG_USER /* system, XDG, global, and the command line (git -c, GIT_CONFIG_COUNT) */ };
/* r may be NULL (outside a repository). false: not set. The value lives in the arena. */
bool repo_config(struct repo *r, enum config_scope s, const char *key, struct arena *a, const char **out);
/* By git itself. ERR_BUSY: the file is locked; ERR_IO. Unsetting what is not set is no error. */
int repo_config_set(struct repo *r, bool global, const char *key, const char *value /* NULL: unset */, struct err *e);
/* Every entry whose key starts so ("" all), in git's order; key is "section.Sub.name" with section and name in lower case,
 * origin the file's path or "command line". A file that does not parse: what was read is given, then ERR_BAD_DATA. */
int repo_config_each(struct repo *r, const char *prefix, int (*fn)(void *ctx, const char *key, const char *value,
    const char *origin), void *ctx, struct err *e);

/* Remotes in the order of the configuration, the current branch's upstream first; the URL that is fetched from, rewritten as
 * url.*.insteadOf says. */
struct remote_info { const char *name, *url; };
size_t repo_remotes(struct repo *r, struct arena *a, struct remote_info **out);

#endif
