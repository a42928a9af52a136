/* SPDX-License-Identifier: MIT */
/* Hunks: over random texts they must turn the old into the new, be apart and in order; and a few by hand. */
#include "unit.h"
#include "killick/git/history.h"

/* The place behind n lines. */
static size_t lines_on(const char *p, size_t len, size_t at, size_t n)
{
	for (; n && at < len; n--) {
		const char *nl = memchr(p + at, '\n', len - at);

		at = nl ? (size_t)(nl - p) + 1 : len;
	}
	return at;
}

static void apply(const struct buf *old, const struct buf *new_, const struct hunk *h, size_t n, struct buf *out)
{
	size_t at = 0, line = 1, from, to;

	for (size_t i = 0; i < n; i++) {
		size_t start = h[i].old_lines ? h[i].old_start : h[i].old_start + 1;

		assert_true(start >= line);
		to = lines_on(old->ptr, old->len, at, start - line);
		buf_add(out, old->ptr + at, to - at);
		at = lines_on(old->ptr, old->len, to, h[i].old_lines);
		line = start + h[i].old_lines;
		from = lines_on(new_->ptr, new_->len, 0, (h[i].new_lines ? h[i].new_start : h[i].new_start + 1) - 1);
		to = lines_on(new_->ptr, new_->len, from, h[i].new_lines);
		buf_add(out, new_->ptr + from, to - from);
		assert_true(h[i].old_lines || h[i].new_lines);
	}
	buf_add(out, old->ptr + at, old->len - at);
}

static void random_text(struct buf *b, uint64_t *seed)
{
	size_t lines = random_next(seed) % 40;

	for (size_t i = 0; i < lines; i++)
		buf_addf(b, "%c%c\n", (int)('a' + random_next(seed) % 6), (int)('a' + random_next(seed) % 2));
	if (b->len && random_next(seed) % 4 == 0)
		buf_setlen(b, b->len - 1);
}

static void hunks_turn_old_into_new(void **state UNUSED)
{
	uint64_t seed = 42;

	for (int round = 0; round < 2000; round++) {
		struct buf old = BUF_INIT, new_ = BUF_INIT, out = BUF_INIT;
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		struct hunk *h;
		size_t n;

		random_text(&old, &seed);
		random_text(&new_, &seed);
		assert_int_equal(repo_hunks(old.ptr, old.len, new_.ptr, new_.len, &a, &h, &n, &e), 0);
		apply(&old, &new_, h, n, &out);
		assert_int_equal(out.len, new_.len);
		assert_memory_equal(out.ptr, new_.ptr, out.len);
		buf_release(&old);
		buf_release(&new_);
		buf_release(&out);
		arena_release(&a);
	}
}

static void equal_and_huge_texts(void **state UNUSED)
{
	struct buf old = BUF_INIT, new_ = BUF_INIT;
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	struct hunk *h;
	size_t n;

	assert_int_equal(repo_hunks(NULL, 0, NULL, 0, &a, &h, &n, &e), 0);
	assert_int_equal(n, 0);
	for (int i = 0; i < 200000; i++)
		buf_addf(&old, "line %d\n", i);
	buf_addbuf(&new_, &old);
	assert_int_equal(repo_hunks(old.ptr, old.len, new_.ptr, new_.len, &a, &h, &n, &e), 0);
	assert_int_equal(n, 0);
	new_.ptr[7 * 10 + 3] ^= 1;   /* in "line 10" */
	assert_int_equal(repo_hunks(old.ptr, old.len, new_.ptr, new_.len, &a, &h, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(h[0].old_start, 11);
	assert_int_equal(h[0].new_lines, 1);
	buf_release(&old);
	buf_release(&new_);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hunks_turn_old_into_new),
		cmocka_unit_test(equal_and_huge_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
