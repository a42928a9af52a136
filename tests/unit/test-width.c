/* SPDX-License-Identifier: MIT */
/* Cells: of clusters that glibc counts wrongly, of cut and padded columns, of tab stops. */
#include "unit.h"
#include "killick/text/width.h"

static void clusters(void **state UNUSED)
{
	static const struct { const char *s; int cells; } t[] = {
		{ "a", 1 }, { " ", 1 }, { "\t", 0 }, { "é", 1 }, { "e\xcc\x81", 1 }, { "a\xcc\x81\xcc\xa7\xcd\x9c", 1 },
		{ "漢", 2 }, { "ｱ", 1 }, { "Ａ", 2 }, { "한", 2 }, { "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 2 },
		{ "ש", 1 }, { "ب", 1 }, { "ก็", 1 }, { "कि", 1 },
		{ "👍", 2 }, { "👍🏽", 2 }, { "👩‍👩‍👧‍👦", 2 }, { "👩🏽‍🚀", 2 }, { "🏳️‍🌈", 2 }, { "❤️", 2 }, { "❤", 1 }, { "☝🏽", 2 },
		{ "1️⃣", 2 }, { "🇩🇪", 2 }, { "🫨", 2 }, { "…", 1 }, { "─", 1 }, { "\xef\xbf\xbd", 1 }, { "\xff", 1 },
		{ "\xe2\x82", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		int cells;
		size_t len = text_cluster(t[i].s, strlen(t[i].s), &cells);
		if (len != strlen(t[i].s) || cells != t[i].cells)
			fail_msg("'%s': %zu bytes, %d cells", t[i].s, len, cells);
	}
}

static void where_clusters_end(void **state UNUSED)
{
	static const struct { const char *s; size_t first; } t[] = {
		{ "ab", 1 }, { "a\xcc\x81z", 3 }, { "漢字", 3 }, { "🇩🇪🇫🇷", 8 }, { "👍👍", 4 }, { "a\tb", 1 }, { "\ta", 1 },
		{ "\xff\xff", 1 }, { "a\xff", 1 }, { "a\n", 1 }, { "\n\xcc\x81", 1 },
	};
	int cells = 7;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(text_cluster(t[i].s, strlen(t[i].s), &cells), t[i].first);
	assert_int_equal(text_cluster("", 0, &cells), 0);
	assert_int_equal(cells, 0);
	assert_int_equal(text_cluster("a\0b", 3, &cells), 1);
}

static void an_endless_cluster_ends(void **state UNUSED)
{
	struct buf b = BUF_INIT;
	int cells;

	for (int i = 0; i < 100000; i++)
		buf_addstr(&b, "\xe1\x84\x80"); /* HANGUL CHOSEONG KIYEOK: one cluster to UAX #29 */
	assert_true(text_cluster(b.ptr, b.len, &cells) <= 64 * 4);
	assert_true(text_width(b.ptr) > 1000);
	buf_release(&b);
}

static void widths(void **state UNUSED)
{
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("ab漢👩‍👩‍👧‍👦 é"), 8);
	assert_int_equal(text_width_n("abc", 2), 2);
	assert_int_equal(text_width_n("a\0b", 3), 3);
}

static void fitting(void **state UNUSED)
{
	static const struct { const char *s; int cells; size_t bytes; int used; } t[] = {
		{ "abc", 2, 2, 2 }, { "abc", 3, 3, 3 }, { "abc", 9, 3, 3 }, { "abc", 0, 0, 0 }, { "abc", -1, 0, 0 },
		{ "漢字", 3, 3, 2 }, { "漢字", 1, 0, 0 }, { "e\xcc\x81x", 1, 3, 1 }, { "👩‍👩‍👧‍👦x", 2, 25, 2 }, { "👩‍👩‍👧‍👦x", 1, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		int used;
		assert_int_equal(text_fit(t[i].s, strlen(t[i].s), t[i].cells, &used), t[i].bytes);
		assert_int_equal(used, t[i].used);
	}
	assert_int_equal(text_fit("ab", 2, 1, NULL), 1);
}

static void padding(void **state UNUSED)
{
	static const struct { const char *s; int cells; enum text_align align; bool ascii; const char *out; } t[] = {
		{ "ab", 4, ALIGN_LEFT, false, "ab  " }, { "ab", 4, ALIGN_RIGHT, false, "  ab" }, { "ab", 2, ALIGN_LEFT, false, "ab" },
		{ "abc", 2, ALIGN_LEFT, false, "a…" }, { "abc", 2, ALIGN_RIGHT, false, "a…" }, { "abc", 2, ALIGN_LEFT, true, "a>" },
		{ "abc", 1, ALIGN_LEFT, false, "…" }, { "abc", 0, ALIGN_LEFT, false, "" }, { "abc", -5, ALIGN_LEFT, false, "" },
		{ "漢字", 4, ALIGN_LEFT, false, "漢字" }, { "漢字", 3, ALIGN_LEFT, false, "漢…" }, { "漢字", 2, ALIGN_LEFT, false, "… " },
		{ "漢字漢", 4, ALIGN_LEFT, false, "漢… " }, { "", 3, ALIGN_LEFT, false, "   " }, { "a\tb\nc", 5, ALIGN_LEFT, false, "a b c" },
		{ "e\xcc\x81", 1, ALIGN_LEFT, false, "e\xcc\x81" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct buf b = BUF_INIT;
		text_pad(&b, t[i].s, t[i].cells, t[i].align, t[i].ascii);
		assert_buf(&b, t[i].out);
		buf_release(&b);
	}
}

static void a_column_is_exactly_that_wide(void **state UNUSED)
{
	static const char *const bits[] = { "a", "b c", "漢", "é", "e\xcc\x81", "👩‍👩‍👧‍👦", "❤️", "🇩🇪", "한", "ש", "1️⃣", "\t", "…", "ก็", "\xff" };
	uint64_t seed = 5;

	for (int i = 0; i < 20000; i++) {
		struct buf s = BUF_INIT, out = BUF_INIT;
		int cells = (int)(random_next(&seed) % 25);
		for (uint64_t k = random_next(&seed) % 20; k > 0; k--)
			buf_addstr(&s, bits[random_next(&seed) % ARRAY_SIZE(bits)]);
		text_pad(&out, s.ptr, cells, random_next(&seed) & 1 ? ALIGN_LEFT : ALIGN_RIGHT, random_next(&seed) & 1);
		if (text_width(out.ptr) != cells)
			fail_msg("'%s' at %d cells gives '%s'", s.ptr, cells, out.ptr);
		buf_release(&s);
		buf_release(&out);
	}
}

static void tab_stops(void **state UNUSED)
{
	static const struct { const char *s; int col, tab; const char *out; } t[] = {
		{ "\tx", 0, 8, "        x" }, { "a\tx", 0, 4, "a   x" }, { "abcd\tx", 0, 4, "abcd    x" }, { "\tx", 3, 4, " x" },
		{ "漢\tx", 0, 4, "漢  x" }, { "\t\t", 0, 2, "    " }, { "a\tb", 0, 0, "a b" }, { "a\tb", 0, 1, "a b" }, { "", 0, 8, "" },
		{ "e\xcc\x81\tx", 0, 4, "e\xcc\x81   x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct buf b = BUF_INIT;
		text_expand_tabs(&b, t[i].s, strlen(t[i].s), t[i].col, t[i].tab);
		assert_buf(&b, t[i].out);
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clusters),
		cmocka_unit_test(where_clusters_end),
		cmocka_unit_test(an_endless_cluster_ends),
		cmocka_unit_test(widths),
		cmocka_unit_test(fitting),
		cmocka_unit_test(padding),
		cmocka_unit_test(a_column_is_exactly_that_wide),
		cmocka_unit_test(tab_stops),
	};

	return cmocka_run_group_tests_name("width", tests, NULL, NULL);
}
