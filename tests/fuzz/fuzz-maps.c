/* SPDX-License-Identifier: MIT */
/*
 * What the cache of maps may hold (another version's, damaged, planted): decoders refuse it or give values that hold
 * together. And the diff itself: the bytes, cut in two texts, are compared; gaps are in order and the rest is equal.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"
#include "../../src/anchor/answers.h"
#include "../../src/anchor/ledger.h"
#include "../../src/anchor/pairs.h"

static void check_pair(const char *p, size_t n)
{
	struct pair x = { 0 }, y = { 0 };
	struct buf b = BUF_INIT;
	uint32_t j;

	if (pair_decode(&x, p, n)) {
		for (uint32_t i = 0; i < x.old_n && i < 100; i++) {
			FUZZ_CHECK(!gaps_map(&x.gaps, i, &j, NULL) || j < x.new_n);
			pair_trusted(&x, i);
		}
		pair_encode(&x, &b);
		FUZZ_CHECK(pair_decode(&y, b.ptr, b.len) && y.gaps.len == x.gaps.len && y.doubts.len == x.doubts.len);
	}
	pair_clear(&x);
	pair_clear(&y);
	buf_release(&b);
}

static void check_chunk(const char *p, size_t n)
{
	struct arena a = ARENA_INIT;
	struct chunk c, d;
	struct buf b = BUF_INIT;

	if (chunk_decode(&a, p, n, &c)) {
		chunk_encode(c.events, c.counts, c.commits, c.n, &b);
		FUZZ_CHECK(chunk_decode(&a, b.ptr, b.len, &d) && d.n_events == c.n_events);
	}
	buf_release(&b);
	arena_release(&a);
}

static struct text *part(const uint8_t *p, size_t n)
{
	struct buf b = BUF_INIT;

	/* Few kinds of lines, so that some are equal. */
	for (size_t i = 0; i < n; i++)
		buf_addch(&b, p[i] < 0x20 || p[i] == 0x7f ? '\n' : p[i]);
	return text_new(&b);
}

static void check_diff(const uint8_t *p, size_t n)
{
	size_t cut = n ? p[0] * n / 256 : 0;
	struct text *o = part(p, cut), *t = part(p + cut, n - cut);
	struct gaps g = { 0 };
	struct blocks found = { 0 };
	uint32_t i = 0, j = 0, *v = xcalloc((size_t)o->n + t->n + 1, sizeof(*v));

	diff_lines(o, t, gap_whole(o, t), DIFF_RAW, &g);
	for (size_t k = 0; k <= g.len; k++) {
		struct gap x = k < g.len ? g.items[k] : (struct gap){ o->n, o->n, t->n, t->n };

		FUZZ_CHECK(x.a >= i && x.c >= j && x.a - i == x.c - j && x.b >= x.a && x.d >= x.c);
		for (; i < x.a; i++, j++)
			FUZZ_CHECK(o->lines[i].raw == t->lines[j].raw);
		i = x.b;
		j = x.d;
	}
	for (uint32_t k = 0; k < o->n || k < t->n; k++)
		v[k] = k;
	blocks_find(o, v, o->n, t, v, t->n, 0.4, &found);
	for (size_t k = 0; k < found.len; k++)
		FUZZ_CHECK(found.items[k].a < found.items[k].b && found.items[k].b <= o->n && found.items[k].d <= t->n);
	blocks_release(&found);
	gaps_release(&g);
	text_free(o);
	text_free(t);
	free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	check_pair((const char *)p, n);
	check_chunk((const char *)p, n);
	bucket_check((const char *)p, n);
	check_diff(p, n);
	return 0;
}
