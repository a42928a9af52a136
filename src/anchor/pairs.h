/* SPDX-License-Identifier: MIT */
/*
 * Texts by blob id and diffs by pair of blobs, kept while there is room. Everything a placer reads goes through here.
 * Pointers live until pairs_trim, which is called only where nobody holds one.
 */
#ifndef KILLICK_SRC_ANCHOR_PAIRS_H
#define KILLICK_SRC_ANCHOR_PAIRS_H

#include "killick/anchor/place.h"
#include "killick/git/lineage.h"
#include "align.h"

enum text_fault { TEXT_FINE, TEXT_MISSING, TEXT_DAMAGED, TEXT_BINARY, TEXT_HUGE };

struct pairs;
struct pairs *pairs_new(struct lineage *l, const struct map_cache *cache);
void pairs_free(struct pairs *p);
/* It is one of n that are used at the same time: each keeps an nth of what one alone would. */
void pairs_share(struct pairs *p, unsigned n);
void pairs_trim(struct pairs *p);
/* Was there something that is not here or cannot be read, since pairs_begin? */
void pairs_begin(struct pairs *p);
bool pairs_missed(const struct pairs *p);

/* NULL with the reason in *why (may be NULL). Binary content is a fault. */
struct text *pairs_text(struct pairs *p, const struct oid *blob, enum text_fault *why);
/* How many lines a text has, without making it. false: it cannot be read. */
bool pairs_lines(struct pairs *p, const struct oid *blob, uint32_t *n, enum text_fault *why);
/* Puts content that is in no object database (the work tree, kept text) under an id. Takes the bytes; they stay
 * until pairs_unpin at least. */
struct text *pairs_put(struct pairs *p, const struct oid *id, struct buf *content);
void pairs_unpin(struct pairs *p);

/* Old lines [a, b) of a run that were unique and have copies now: which is the same is for the versions between. */
struct doubt { uint32_t a, b; };

/*
 * Two versions. The gaps and the trust in the runs between them come from the cache where it has them: then the texts
 * are not read until pair_texts.
 */
struct pair {
	struct oid old_id, new_id;
	struct gaps gaps;
	uint8_t *trust;          /* one a run, gaps.len + 1 of them: run k lies before gap k */
	struct { struct doubt *items; size_t len, alloc; } doubts;  /* in order */
	uint32_t old_n, new_n;
	/* The rest when pair_texts was called. */
	struct text *o, *n;
	bool blocks_done;
	struct blocks blocks;    /* moved inside the file */
	struct hit **hits;       /* of each gap, when asked */
	enum text_fault fault;
};
/* NULL: a text cannot be read. */
struct pair *pairs_get(struct pairs *p, const struct oid *old_id, const struct oid *new_id, enum text_fault *why);
bool pair_texts(struct pairs *p, struct pair *x);
/* Are the old lines of gap k gone for good (none that has a name stands anywhere in the new version)? */
bool pair_clean(const struct pair *x, size_t k);
/* Is old line i in a trusted run, not among the blanks and braces at its edge, and not copied since? */
bool pair_trusted(const struct pair *x, uint32_t i);
/*
 * Is old line i in a short run between two gaps that lost lines? Between distant versions it may be a copy that stayed when
 * what was copied went: the versions between tell.
 */
bool pair_island(const struct pair *x, uint32_t i);
/* Where the lines of gap k went, in order or as a moved block; an array over its old lines. */
const struct hit *pair_hits(struct pair *x, size_t k);

/* Frees what a pair holds. */
void pair_clear(struct pair *x);

/* Encoded gaps and trust, for the cache and its fuzzer. */
void pair_encode(const struct pair *x, struct buf *out);
bool pair_decode(struct pair *x, const char *p, size_t n);

#endif
