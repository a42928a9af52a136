/* SPDX-License-Identifier: MIT */
/* Byte strings: growth, the limit, cutting; and the small string helpers. */
#include "unit.h"

static void an_empty_one_is_a_string(void **state UNUSED)
{
	struct buf b = BUF_INIT;

	assert_buf(&b, "");
	buf_reset(&b);
	buf_setlen(&b, 0);
	buf_trim(&b);
	buf_add(&b, NULL, 0);
	buf_addstr(&b, "");
	buf_addbuf(&b, &b);
	assert_int_equal(b.alloc, 0);
	buf_release(&b);
	buf_release(NULL);
	assert_buf(&b, "");
}

static void it_grows_and_holds_any_byte(void **state UNUSED)
{
	struct buf b = BUF_INIT, c = BUF_INIT;

	buf_init(&c);
	for (int i = 0; i < 10000; i++)
		buf_addch(&b, i & 255);
	assert_int_equal(b.len, 10000);
	for (int i = 0; i < 10000; i++)
		assert_int_equal((unsigned char)b.ptr[i], i & 255);
	assert_int_equal(b.ptr[10000], 0);
	buf_addbuf(&c, &b);
	buf_addbuf(&c, &c);
	assert_int_equal(c.len, 20000);
	assert_memory_equal(c.ptr + 10000, b.ptr, 10000);
	buf_reset(&c);
	buf_addchn(&c, '-', 5);
	buf_addf(&c, "%s/%d", "x", 5);
	assert_buf(&c, "-----x/5");
	buf_addf(&c, "%1000s", "");
	assert_int_equal(c.len, 1008);
	buf_setlen(&c, 2);
	assert_buf(&c, "--");
	buf_release(&b);
	buf_release(&c);
}

static void past_max_it_drops_and_tells(void **state UNUSED)
{
	struct buf b = { buf_empty, .max = 10 };

	buf_addstr(&b, "1234567890");
	assert_false(b.over);
	buf_addch(&b, 'x');
	assert_true(b.over);
	assert_buf(&b, "1234567890");
	buf_addf(&b, "%500s", "");
	buf_addchn(&b, 'x', SIZE_MAX / 4);
	assert_int_equal(b.len, 10);
	assert_true(b.alloc < 1000);
	buf_reset(&b);
	assert_false(b.over);
	buf_addstr(&b, "123456789012");
	assert_buf(&b, "1234567890");
	assert_true(b.over);
	buf_release(&b);
	assert_int_equal(b.max, 10);
}

static void trimming(void **state UNUSED)
{
	static const struct { const char *in, *right, *both; } t[] = {
		{ "", "", "" }, { " ", "", "" }, { " \t\r\n\v\f", "", "" }, { " a ", " a", "a" }, { "\na b\n", "\na b", "a b" },
		{ "a", "a", "a" }, { "\xc2\xa0", "\xc2\xa0", "\xc2\xa0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct buf b = BUF_INIT;
		buf_addstr(&b, t[i].in);
		buf_rtrim(&b);
		assert_buf(&b, t[i].right);
		buf_trim(&b);
		assert_buf(&b, t[i].both);
		buf_release(&b);
	}
}

static void detaching(void **state UNUSED)
{
	struct buf b = BUF_INIT;
	char *s = buf_detach(&b);

	assert_string_equal(s, "");
	free(s);
	buf_addstr(&b, "mine");
	s = buf_detach(&b);
	assert_string_equal(s, "mine");
	assert_buf(&b, "");
	free(s);
	buf_release(&b);
}

static void beginnings_and_ends(void **state UNUSED)
{
	assert_true(str_starts("abc", "ab"));
	assert_true(str_starts("abc", ""));
	assert_false(str_starts("ab", "abc"));
	assert_true(str_ends("abc", "bc"));
	assert_true(str_ends("abc", ""));
	assert_false(str_ends("c", "bc"));
}

static void numbers(void **state UNUSED)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1.0", "18446744073709551616", "99999999999999999999",
					   "\xd9\xa1" };
	uint64_t v = 7;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(str_to_u64(bad[i], UINT64_MAX, &v));
	assert_int_equal(v, 7);
	assert_true(str_to_u64("18446744073709551615", UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_true(str_to_u64("000", 0, &v));
	assert_int_equal(v, 0);
	assert_true(str_to_u64("255", 255, &v));
	assert_false(str_to_u64("256", 255, &v));
	assert_int_equal(v, 255);
}

static void hex(void **state UNUSED)
{
	unsigned char all[256], back[256];
	char out[513];

	for (int i = 0; i < 256; i++)
		all[i] = (unsigned char)i;
	hex_encode(out, all, 256);
	assert_int_equal(strlen(out), 512);
	assert_memory_equal(out, "000102", 6);
	assert_true(hex_decode(back, 256, out));
	assert_memory_equal(all, back, 256);
	assert_true(hex_decode(back, 2, "aBcD"));
	assert_memory_equal(back, "\xab\xcd", 2);
	assert_true(hex_decode(back, 0, ""));
	assert_false(hex_decode(back, 2, "abc"));
	assert_false(hex_decode(back, 2, "abcde"));
	assert_false(hex_decode(back, 2, "abcg"));
	assert_false(hex_decode(back, 2, "ab d"));
	assert_false(hex_decode(back, 0, "a"));
	hex_encode(out, all, 0);
	assert_string_equal(out, "");
	assert_true(str_is_hex("12xyz", 2));
	assert_false(str_is_hex("12xyz", 3));
	assert_false(str_is_hex("12", 3));
}

static void distances(void **state UNUSED)
{
	static const struct { const char *a, *b; unsigned d; } t[] = {
		{ "", "", 0 }, { "", "abc", 3 }, { "abc", "", 3 }, { "abc", "abc", 0 }, { "abc", "acb", 1 },
		{ "kitten", "sitting", 3 }, { "ca", "abc", 3 }, { "threads", "thraeds", 1 }, { "a", "b", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(str_distance(t[i].a, t[i].b), t[i].d);
		assert_int_equal(str_distance(t[i].b, t[i].a), t[i].d);
	}
}

static void shell_words(void **state UNUSED)
{
	struct buf b = BUF_INIT;

	buf_add_shell_word(&b, "");
	assert_string_equal(b.ptr, "''");
	buf_reset(&b);
	buf_add_shell_word(&b, "it's $HOME; `x` \"!\" \\");
	assert_string_equal(b.ptr, "'it'\\''s $HOME; `x` \"!\" \\'");
	buf_release(&b);
}

static void nearest_words(void **state UNUSED)
{
	static const char *const words[] = { "ask", "at", "reply", "resolve", "retract", "reopen", "show", "threads", "sync", NULL };
	static const struct { const char *in, *out; } t[] = {
		{ "thread", "threads" }, { "thraeds", "threads" }, { "thr", "threads" }, { "repyl", "reply" },
		{ "resovle", "resolve" }, { "Show", "show" }, { "ak", "ask" }, { "zzz", NULL }, { "", NULL },
		{ "x", NULL }, { "completely-different", NULL }, { "sny", "sync" },
	};
	char *huge = xmalloc(100001);

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const char *got = str_nearest(t[i].in, words);
		if (t[i].out)
			assert_string_equal(got ? got : "(none)", t[i].out);
		else
			assert_null(got);
	}
	memset(huge, 'a', 100000);
	huge[100000] = '\0';
	assert_null(str_nearest(huge, words));
	free(huge);
}

static void numbers_in_bytes(void **state UNUSED)
{
	static const uint32_t n[] = { 0, 1, 127, 128, 16383, 16384, 268435455, 268435456, UINT32_MAX };
	static const char over[] = "\xff\xff\xff\xff\x10", endless[] = "\xff\xff\xff\xff\x8f\x01";
	struct buf b = BUF_INIT;
	uint32_t v;

	for (size_t i = 0; i < ARRAY_SIZE(n); i++) {
		buf_reset(&b);
		buf_addnum(&b, n[i]);
		const char *p = b.ptr, *end = p + b.len;
		assert_true(num_take(&p, end, &v));
		assert_int_equal(v, n[i]);
		assert_ptr_equal(p, end);
		p = b.ptr;
		assert_false(num_take(&p, end - 1, &v));
	}
	const char *p = over;
	assert_false(num_take(&p, over + sizeof(over) - 1, &v));
	p = endless;
	assert_false(num_take(&p, endless + sizeof(endless) - 1, &v));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_is_a_string),
		cmocka_unit_test(it_grows_and_holds_any_byte),
		cmocka_unit_test(past_max_it_drops_and_tells),
		cmocka_unit_test(trimming),
		cmocka_unit_test(detaching),
		cmocka_unit_test(beginnings_and_ends),
		cmocka_unit_test(numbers),
		cmocka_unit_test(numbers_in_bytes),
		cmocka_unit_test(hex),
		cmocka_unit_test(distances),
		cmocka_unit_test(shell_words),
		cmocka_unit_test(nearest_words),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
