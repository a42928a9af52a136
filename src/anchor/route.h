/* SPDX-License-Identifier: MIT */
/*
 * The way from one commit to another: a line of commits, and the versions of a path along it.
 *
 * A chain is a tip and its first parents, walked only as deep as somebody asks; a chain between an ancestor on a side
 * branch and a tip keeps to commits that reach the ancestor. What a path was in each commit of a chain is kept with it,
 * so that all anchors in a file share one walk.
 */
#ifndef KILLICK_SRC_ANCHOR_ROUTE_H
#define KILLICK_SRC_ANCHOR_ROUTE_H

#include "killick/anchor/place.h"
#include "killick/git/lineage.h"

struct chain;
struct chains;
struct chains *chains_new(struct lineage *l, const struct map_cache *cache);
void chains_free(struct chains *c);

/* Commit i of the chain, the tip being 0; NULL past its end. */
const struct lineage_commit *chain_at(struct chain *c, size_t i);
/* The history goes on, but is not here. True only after the walk has come to the end. */
bool chain_cut(const struct chain *c);

/*
 * Position 0 is the start, len - 1 the end; neighbours are parent and child (either way round).
 * The work tree, where wanted, is one position more.
 */
struct route {
	struct chain *chain;
	size_t first;     /* index in the chain of position 0 */
	bool forward;     /* towards the tip */
	size_t len;
	const char *worktree; /* not NULL: the last position is the work tree */
};
/* false: neither is the other's ancestor, or the history between them is not here. */
bool route_find(struct chains *c, const struct oid *from, const struct oid *to, struct route *out);
/* The commits of `to` behind the newest one that `from` shares, oldest first. false: no common history. */
bool route_from_base(struct chains *c, const struct oid *from, const struct oid *to, struct route *out);
/*
 * The way from base up to merge, entering it through its parent via; base may be via. Or, not forward, from merge
 * through via down to base. false: via does not reach base.
 */
bool route_through(struct chains *c, const struct oid *merge, const struct oid *via, const struct oid *base,
    bool forward, struct route *out);
/* From at most depth commits back on the first parents up to `to`. false: `to` is not here. */
bool route_back(struct chains *c, const struct oid *to, size_t depth, struct route *out);
/* NULL for the work tree's position. */
const struct lineage_commit *route_at(const struct route *r, size_t pos);

/* A stretch of positions [pos, end) in which path is the same blob (zero: there is nothing). */
struct version { size_t pos, end; struct oid id; unsigned mode; };
struct versions { struct version *items; size_t len, alloc; };
/* Versions of path from position pos (which is the first's) until the route ends or the path vanishes: then the last
 * version has a zero id. */
void route_versions(struct chains *c, const struct route *r, const char *path, size_t pos, struct versions *out);
/* All versions on the route, with stretches where there is nothing. */
void route_versions_all(struct chains *c, const struct route *r, const char *path, struct versions *out);
void versions_release(struct versions *v);

#endif
