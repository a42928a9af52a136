/* SPDX-License-Identifier: MIT */
/*
 * Where an anchor is now (facts/anchors.md; the method is described in src/anchor/place.c and killick(7)).
 * What was said is immutable; a place is a view, computed from the original through cached steps, never written back.
 * Answers are total: every query gets a state, a confidence and, when gone, since when and between which survivors.
 */
#ifndef KILLICK_ANCHOR_PLACE_H
#define KILLICK_ANCHOR_PLACE_H

#include "killick/git/history.h"
#include "killick/model/thread.h"

/* Where line maps are kept, keyed by the pair of blobs; both may be NULL. The store's index implements it. */
struct map_cache {
	void *ctx;
	/* true with the value added to out. space separates kinds of value ("hunks", "path", …). */
	bool (*get)(void *ctx, const char *space, const void *key, size_t key_len, struct buf *out);
	void (*put)(void *ctx, const char *space, const void *key, size_t key_len, const void *p, size_t n);
	/* Around many gets, which see one state then and cost less; may be NULL. */
	void (*hold)(void *ctx, bool on);
};

struct placer;
/* Both are borrowed and must outlive the placer; cache may be NULL. */
struct placer *placer_new(struct repo *r, const struct map_cache *cache);
void placer_free(struct placer *p);
/* Below it a thread is gone with its best guess offered (setting place.threshold, default 0.5). */
void placer_threshold(struct placer *p, double t);
/* Blobs that a partial clone lacks may be downloaded (place --fetch). */
void placer_allow_fetch(struct placer *p, bool yes);

/* How many threads share a batch of many files; 0, as it is at first: as many as there are processors, within reason. The
 * answers are the same. */
void placer_workers(struct placer *p, unsigned n);

/* Only what the same file or one diff of the two ends answers; the rest is left pending. */
void placer_quick(struct placer *p, bool yes);

struct place_query {
	const struct anchor *anchor;   /* file, lines or section; others are answered exact where their commit exists */
	struct place *out;             /* strings in the arena given to place_batch */
};
/*
 * Places every query in commit `to`, or in the work tree when to is NULL. Queries of one file share their work; the
 * order does not matter. An anchor that cannot be looked up (unknown commit without kept text, binary, submodule) is
 * PLACE_UNKNOWN with `why`. -1 only for faults of the repository itself.
 */
int place_batch(struct placer *p, const struct oid *to, struct place_query *q, size_t n, struct arena *a,
    struct err *e);

/* Fills blob, quote, before and after of a resolved anchor from its commit (or the work tree when dirty is wanted and
 * anchor->commit is NULL: then commit becomes HEAD). ERR_NOT_FOUND: no such path there; ERR_USAGE: line past the end
 * (the message says how many lines there are); binary files take file anchors only. */
int anchor_capture(struct repo *r, struct anchor *an, struct arena *a, struct err *e);

#endif
