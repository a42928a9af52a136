/* SPDX-License-Identifier: MIT */
/*
 * What changed along a chain of commits, all paths together: for many paths one walk over all trees is cheaper than a
 * walk for each. Entries are looked up by path. Parts of it come from and go to the cache of maps: chunks that begin at
 * commits whose id starts with a zero byte, so that the same chunks are found from every tip.
 */
#ifndef KILLICK_SRC_ANCHOR_LEDGER_H
#define KILLICK_SRC_ANCHOR_LEDGER_H

#include "killick/anchor/place.h"
#include "killick/git/lineage.h"

struct event {
	const char *path;
	uint32_t at;             /* index in the chain of the commit that changed it (its parent is at + 1) */
	uint16_t old_mode, new_mode;
	struct oid old_id, new_id; /* zero: not there */
};

struct ledger;
struct ledger *ledger_new(struct lineage *l, const struct map_cache *cache);
void ledger_free(struct ledger *g);
/* How many commits of the chain it covers. */
size_t ledger_depth(const struct ledger *g);
/* Covers the next commit: its parent is NULL at the end of history. */
void ledger_add(struct ledger *g, const struct lineage_commit *c, const struct lineage_commit *parent);
/* Does a chunk begin at the commit, and is it in the cache? */
bool ledger_begins(const struct lineage_commit *c);
bool ledger_kept(const struct map_cache *cache, const struct lineage_commit *c);
/* Events of a path, newest first. */
const struct event *ledger_find(struct ledger *g, const char *path, size_t *n);

/* Encoded chunks, for the cache and its fuzzer. */
void chunk_encode(const struct event *e, const size_t *counts, const struct oid *commits, size_t n, struct buf *out);
struct chunk { struct oid *commits; size_t *counts; size_t n; struct event *events; size_t n_events; };
bool chunk_decode(struct arena *a, const char *p, size_t n, struct chunk *out);

#endif
