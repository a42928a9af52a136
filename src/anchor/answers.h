/* SPDX-License-Identifier: MIT */
/*
 * Answers kept by target commit, so that asking again costs a look-up. What a commit holds never changes, so an answer
 * about it does not either. They lie in the cache of maps in buckets by path: a batch reads each bucket once.
 */
#ifndef KILLICK_SRC_ANCHOR_ANSWERS_H
#define KILLICK_SRC_ANCHOR_ANSWERS_H

#include "killick/anchor/place.h"

struct answers;
struct answers *answers_open(const struct map_cache *cache, const struct oid *target, double threshold);
/* Is it about this target? */
bool answers_about(const struct answers *s, const struct oid *target, double threshold);
/* Writes what is new. */
void answers_flush(struct answers *s);
void answers_close(struct answers *s);
bool answers_get(struct answers *s, const struct anchor *an, struct arena *a, struct place *out);
void answers_put(struct answers *s, const struct anchor *an, const struct place *p);

/* The words a place may carry; why is kept as its number. */
enum why {
	WHY_NONE, WHY_MISSING, WHY_BINARY, WHY_HUGE, WHY_NO_COMMIT, WHY_NO_PATH, WHY_LINE, WHY_SUBMODULE, WHY_SHALLOW,
	WHY_STUCK, WHY_SECTION, WHY_FOLDER, WHY_WEAK, WHY_SELECTION, WHY_NO_TARGET, WHY_DAMAGED,
};
const char *why_words(enum why w);

/* Encoded buckets, for the fuzzer: true if every entry holds together. */
bool bucket_check(const char *p, size_t n);

#endif
