/* SPDX-License-Identifier: MIT */
/* Words drawn by a generator that gives the same ones for the same seed: what the measured texts are made of. */
#ifndef KILLICK_BENCH_WORDS_H
#define KILLICK_BENCH_WORDS_H

#include "killick/base/buf.h"

static const char *const words[] = {
	"retry", "budget", "socket", "pool", "gateway", "buffer", "limit", "queue", "worker", "parser", "header", "index", "cache",
	"lock", "thread", "anchor", "commit", "branch", "merge", "rebase", "path", "line", "range", "file", "stream", "token", "field",
	"value", "table", "column", "widget", "screen", "key", "event", "timer", "clock", "signal", "handle", "child", "parent", "count",
	"why", "because", "measured", "should", "three", "five", "never", "always", "when", "the", "a", "of", "is", "and", "not",
};

struct rng { uint64_t s; };

static inline uint64_t next(struct rng *r)
{
	r->s ^= r->s >> 12;
	r->s ^= r->s << 25;
	r->s ^= r->s >> 27;
	return r->s * UINT64_C(2685821657736338717);
}

static inline size_t below(struct rng *r, size_t n)
{
	return (size_t)(next(r) >> 11) % n;
}

static inline void add_words(struct rng *r, struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s%s", i ? " " : "", words[below(r, ARRAY_SIZE(words))]);
}

#endif
