/* SPDX-License-Identifier: MIT */
/*
 * The anchor room's engine: diffs turn the old into the new and never touch, whatever the texts; likeness; encoded maps
 * come back as they were and bad ones are refused; a million lines and texts made to be slow take bounded time.
 */
#include "unit.h"
#include "killick/base/clock.h"
#include "../../src/anchor/answers.h"
#include "../../src/anchor/ledger.h"
#include "../../src/anchor/pairs.h"

static struct text *text_of(const char *s)
{
	struct buf b = BUF_INIT;

	buf_addstr(&b, s);
	return text_new(&b);
}

static void splitting(void **state UNUSED)
{
	struct text *t = text_of("a\r\nb\n\n  c d \nlast");

	assert_int_equal(t->n, 5);
	assert_int_equal(t->lines[0].len, 1);
	assert_int_equal(text_line(t, 3)->indent, 2);
	assert_int_equal(text_line(t, 3)->letters, 2);
	assert_true(text_line(t, 2)->flags & LINE_BLANK);
	assert_true(text_trivial(t, 0));
	text_free(t);
	struct text *crlf = text_of("same line here\r\n"), *lf = text_of("  same line here");
	assert_true(crlf->lines[0].raw != lf->lines[0].raw);
	assert_true(crlf->lines[0].trim == lf->lines[0].trim);
	text_free(crlf);
	text_free(lf);
}

static void random_text(struct buf *b, uint64_t *seed, unsigned kinds)
{
	size_t lines = random_next(seed) % 60;

	for (size_t i = 0; i < lines; i++)
		buf_addf(b, "word %c%c;\n", (int)('a' + random_next(seed) % kinds), (int)('a' + random_next(seed) % 2));
}

static void gaps_hold(struct text *o, struct text *n)
{
	struct gaps g = { 0 };
	uint32_t i = 0, j = 0;

	diff_lines(o, n, gap_whole(o, n), DIFF_RAW, &g);
	for (size_t k = 0; k <= g.len; k++) {
		struct gap x = k < g.len ? g.items[k] : (struct gap){ o->n, o->n, n->n, n->n };

		assert_true(x.a >= i && x.a - i == x.c - j);
		assert_true(k == 0 || k == g.len || x.a > i);
		for (; i < x.a; i++, j++)
			assert_true(o->lines[i].raw == n->lines[j].raw);
		assert_true(k == g.len || x.b > x.a || x.d > x.c);
		i = x.b;
		j = x.d;
	}
	assert_int_equal(i, o->n);
	assert_int_equal(j, n->n);
	gaps_release(&g);
}

static void diffs_hold(void **state UNUSED)
{
	uint64_t seed = 7;

	for (int round = 0; round < 3000; round++) {
		struct buf a = BUF_INIT, b = BUF_INIT;

		random_text(&a, &seed, 1 + random_next(&seed) % 12);
		random_text(&b, &seed, 1 + random_next(&seed) % 12);
		struct text *o = text_new(&a), *n = text_new(&b);
		gaps_hold(o, n);
		text_free(o);
		text_free(n);
	}
}

static void likeness(void **state UNUSED)
{
	struct text *t = text_of("int count = list_length(items);\nint  count = list_length( items );\n"
	    "int count = list_length(items, true);\nreturn NULL;\nvoid other_thing(char *name)\n");

	assert_true(line_likeness(t, 0, t, 1) == 1);
	assert_true(line_likeness(t, 0, t, 2) > 0.7);
	assert_true(line_likeness(t, 0, t, 3) < 0.35);
	assert_true(line_likeness(t, 0, t, 4) < 0.35);
	assert_true(line_likeness(t, 0, t, 2) == line_likeness(t, 2, t, 0));
	text_free(t);
}

static void distances(void **state UNUSED)
{
	/* Lines of over 64 and over 256 characters: the blocks of the bit-parallel distance carry over. */
	struct buf b = BUF_INIT;

	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < 100; k++)
			buf_addf(&b, "x%d", k);
		buf_addf(&b, "%s\n", i ? "tail" : "");
	}
	for (int i = 0; i < 2; i++)
		buf_addf(&b, "%s%s\n", i ? "y" : "", "abcdefghij_klmnopqrst_uvwxyz0123_456789abc_defghijkl_mnopqrstu_vwxyz01234");
	struct text *t = text_new(&b);
	assert_true(line_likeness(t, 0, t, 1) > 0.45);
	double s = line_likeness(t, 2, t, 3);
	assert_true(s > 0.45 && s < 0.55);  /* no word shared, one character of 73 apart */
	text_free(t);
}

static void million_lines(void **state UNUSED)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	int64_t start = clock_mono();

	for (int i = 0; i < 1000000; i++) {
		buf_addf(&a, "line %d of many\n", i);
		buf_addf(&b, "line %d of many\n", i % 2 ? i : i + 5000000);
	}
	struct text *o = text_new(&a), *n = text_new(&b);
	gaps_hold(o, n);
	text_free(o);
	text_free(n);
	/* Every line the same: nothing is unique, nothing is rare. */
	for (int i = 0; i < 300000; i++)
		buf_addstr(&a, i % 3 ? "x\n" : "y\n");
	for (int i = 0; i < 300000; i++)
		buf_addstr(&b, i % 5 ? "x\n" : "y\n");
	o = text_new(&a);
	n = text_new(&b);
	gaps_hold(o, n);
	text_free(o);
	text_free(n);
	if (clock_mono() - start > 60000)
		fail_msg("a million lines took %d ms", (int)(clock_mono() - start));
}

static void blocks_bounded(void **state UNUSED)
{
	/* Many copies of the same few lines on both sides: as many seeds as there may be. */
	struct buf a = BUF_INIT;
	uint32_t n = 20000, *v = xcalloc(n, sizeof(*v));
	struct blocks found = { 0 };
	int64_t start = clock_mono();

	for (uint32_t i = 0; i < n; i++) {
		buf_addf(&a, "some repeated statement %u;\n", i % 2000);
		v[i] = i;
	}
	struct text *t = text_new(&a);
	blocks_find(t, v, n, t, v, n, 0.4, &found);
	blocks_release(&found);
	text_free(t);
	free(v);
	if (clock_mono() - start > 60000)
		fail_msg("blocks took %d ms", (int)(clock_mono() - start));
}

static void maps_come_back(void **state UNUSED)
{
	struct gap gaps[] = { { 2, 4, 2, 3 }, { 10, 10, 9, 300 } };
	struct doubt doubts[] = { { 5, 7 } };
	uint8_t trust[] = { 0x80, 0x49, 0 };
	struct pair x = { .old_n = 20, .new_n = 310, .gaps = { gaps, 2, 2 }, .trust = trust, .doubts = { doubts, 1, 1 } }, y = { 0 };
	struct buf b = BUF_INIT;

	pair_encode(&x, &b);
	assert_true(pair_decode(&y, b.ptr, b.len));
	assert_int_equal(y.gaps.len, 2);
	assert_memory_equal(y.gaps.items, gaps, sizeof(gaps));
	assert_memory_equal(y.trust, trust, sizeof(trust));
	assert_int_equal(y.doubts.len, 1);
	pair_clear(&y);
	for (size_t n = 0; n < b.len; n++) {
		struct pair bad = { 0 };

		/* Cut short: refused, or (doubts gone) still whole. */
		if (pair_decode(&bad, b.ptr, n))
			assert_int_equal(bad.gaps.len, 2);
		pair_clear(&bad);
	}
	buf_release(&b);
}

static void chunks_come_back(void **state UNUSED)
{
	struct event e[] = {
		{ .path = "src/a.c", .old_mode = 0x81a4, .new_mode = 0x81a4, .old_id = { { 1 } }, .new_id = { { 2 } } },
		{ .path = "src/b.c", .new_mode = 0x81a4, .new_id = { { 3 } } },
		{ .path = "x", .old_mode = 0x81a4, .old_id = { { 4 } } },
	};
	size_t counts[] = { 2, 0, 1 };
	struct oid commits[] = { { { 9 } }, { { 8 } }, { { 7 } } };
	struct buf b = BUF_INIT;
	struct arena a = ARENA_INIT;
	struct chunk c;

	chunk_encode(e, counts, commits, 3, &b);
	assert_true(chunk_decode(&a, b.ptr, b.len, &c));
	assert_int_equal(c.n, 3);
	assert_int_equal(c.n_events, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(c.events[i].path, e[i].path);
		assert_memory_equal(&c.events[i].new_id, &e[i].new_id, sizeof(struct oid));
		assert_int_equal(c.events[i].old_mode, e[i].old_mode);
	}
	for (size_t n = 0; n < b.len; n++)
		assert_false(chunk_decode(&a, b.ptr, n, &c));
	arena_release(&a);
	buf_release(&b);
}

/* A cache of one value. */
static bool one_get(void *ctx, const char *space UNUSED, const void *key UNUSED, size_t n UNUSED, struct buf *out)
{
	const struct buf *kept = ctx;

	buf_addbuf(out, kept);
	return kept->len > 0;
}

static void one_put(void *ctx, const char *space UNUSED, const void *key UNUSED, size_t n UNUSED, const void *p, size_t len)
{
	struct buf *kept = ctx;

	buf_reset(kept);
	buf_add(kept, p, len);
}

static void answers_come_back(void **state UNUSED)
{
	struct buf kept = BUF_INIT;
	struct map_cache cache = { &kept, one_get, one_put };
	struct oid target = { { 5 } };
	struct anchor an = { .type = ANCHOR_LINES, .path = "a.c", .line = 3, .end = 4, .commit = "c" }, other = an;
	struct place p = { .state = PLACE_GONE, .path = "b.c", .line = 7, .end = 9, .confidence = 0.75, .last_commit = "c",
		.last_path = "a.c", .last_line = 3, .last_end = 4, .near_before = 2, .why = why_words(WHY_WEAK) }, got;
	struct arena a = ARENA_INIT;

	other.line = 5;
	struct answers *s = answers_open(&cache, &target, 0.5);
	assert_false(answers_get(s, &an, &a, &got));
	answers_put(s, &an, &p);
	assert_true(answers_get(s, &an, &a, &got));
	answers_flush(s);
	assert_true(kept.len > 0);
	assert_true(answers_about(s, &target, 0.5) && !answers_about(s, &target, 0.6));
	answers_close(s);
	assert_true(bucket_check(kept.ptr, kept.len));
	s = answers_open(&cache, &target, 0.5);
	assert_true(answers_get(s, &an, &a, &got));
	assert_false(answers_get(s, &other, &a, &got));
	assert_string_equal(got.path, "b.c");
	assert_string_equal(got.last_path, "a.c");
	assert_ptr_equal(got.why, p.why);
	assert_int_equal(got.near_before, 2);
	assert_true(got.confidence == 0.75);
	answers_close(s);
	for (size_t n = 1; n < kept.len; n++)
		assert_false(bucket_check(kept.ptr, n));
	arena_release(&a);
	buf_release(&kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splitting), cmocka_unit_test(diffs_hold), cmocka_unit_test(likeness), cmocka_unit_test(distances),
		cmocka_unit_test(million_lines), cmocka_unit_test(blocks_bounded), cmocka_unit_test(maps_come_back),
		cmocka_unit_test(chunks_come_back), cmocka_unit_test(answers_come_back),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
