/* SPDX-License-Identifier: MIT */
/*
 * Fast reading of history for following code: commits as headers only, one path through many trees, trees compared by
 * id. Nothing here looks up names or writes. Handles keep what they read (commits for good, trees and blobs a while).
 * Costs (facts/anchors.md 3.5): a commit walked 1 to 150 us, a path compared in two trees 0.1 ms cold.
 */
#ifndef KILLICK_GIT_LINEAGE_H
#define KILLICK_GIT_LINEAGE_H

#include "killick/git/repo.h"

struct lineage;
/* Borrows the repository, which must outlive it. */
int lineage_open(struct repo *r, struct lineage **out, struct err *e);
void lineage_close(struct lineage *l);
/* Another handle on the same repository, for another thread, with caches of its own, each the nth part of one's;
 * closed by itself, in any order. */
struct lineage *lineage_twin(struct lineage *l, unsigned n);
/* Held while anything else is asked of the repository that several threads share. Not around functions of this file. */
void lineage_lock(struct lineage *l);
void lineage_unlock(struct lineage *l);
/* Objects that a partial clone lacks are downloaded, by git as a child. Off at first. */
void lineage_allow_fetch(struct lineage *l, bool yes);

struct lineage_commit {
	struct oid id, tree;
	int64_t time;                /* committer's, seconds */
	uint32_t n_parents;
	const struct oid *parents;
	bool cut;                    /* the border of a shallow clone: there were parents */
};
/* NULL: not here (shallow, never fetched, corrupt) or no commit. Lives as long as the handle. */
const struct lineage_commit *lineage_commit(struct lineage *l, const struct oid *id);
/* Its first parent, or NULL at a root and where history ends. */
const struct lineage_commit *lineage_parent(struct lineage *l, const struct lineage_commit *c);
/* A best common ancestor; false: none here. Bounded by date order, as git before generation numbers. */
bool lineage_base(struct lineage *l, const struct oid *a, const struct oid *b, struct oid *out);

/* What stands at path in a tree: false when nothing does, or when a tree on the way is not here. */
bool lineage_entry(struct lineage *l, const struct oid *tree, const char *path, struct oid *out, unsigned *mode);

/*
 * A line of commits from tip down to base, both included, each the first parent of the one before it that still reaches
 * base. false: base is no ancestor of tip (or the history between is not here).
 */
struct lineage_list { const struct lineage_commit **items; size_t len, alloc; };
bool lineage_path(struct lineage *l, const struct oid *base, const struct oid *tip, struct lineage_list *out);

/*
 * The same for one path in many trees that are mostly alike: folders that did not change since the last tree are not
 * read again. Set path, zero the rest. false: nothing there; else id and mode.
 */
enum { LINEAGE_LEVELS = 64 };
struct lineage_probe {
	const char *path;
	struct oid id;
	unsigned mode, depth;
	bool found;
	struct oid levels[LINEAGE_LEVELS];
};
bool lineage_probe(struct lineage *l, struct lineage_probe *p, const struct oid *tree);

struct lineage_change {
	const char *path;
	struct oid old_id, new_id;   /* zero: not there */
	unsigned old_mode, new_mode;
};
struct lineage_changes { struct lineage_change *items; size_t len, alloc; bool cut; };
/*
 * Files (and links, submodules) that differ between two trees (NULL: the empty one), in path order, added to out; the
 * paths live in the arena. only: sorted paths to restrict to, NULL for all. Past max changes it stops and sets cut;
 * a tree that is not here sets cut too.
 */
void lineage_diff(struct lineage *l, const struct oid *old_tree, const struct oid *new_tree, const char *const *only,
    size_t n_only, size_t max, struct arena *a, struct lineage_changes *out);
void lineage_changes_release(struct lineage_changes *c);

/* The worst that reading trees and blobs met since it was cleared: one is not here (partial clone), or is damaged. */
enum lineage_fault { LINEAGE_FINE, LINEAGE_ABSENT, LINEAGE_DAMAGED };
enum lineage_fault lineage_fault(const struct lineage *l);
void lineage_fault_clear(struct lineage *l);

/* A blob's bytes, added to out. false: not here, no blob, or over max. *size is its size where known, else 0. */
bool lineage_blob(struct lineage *l, const struct oid *id, size_t max, struct buf *out, uint64_t *size);

#endif
