/* SPDX-License-Identifier: MIT */
/* The decoder against the standard's own examples, every code point there and back, and every two bytes. */
#include "unit.h"
#include "killick/base/utf8.h"

static void every_code_point_there_and_back(void **state UNUSED)
{
	struct buf b = BUF_INIT;

	for (int32_t cp = 0; cp <= 0x10ffff; cp++) {
		int32_t back;
		if (cp >= 0xd800 && cp <= 0xdfff)
			continue;
		buf_reset(&b);
		buf_add_utf8(&b, cp);
		if (utf8_next(b.ptr, b.len, &back) != b.len || back != cp)
			fail_msg("U+%04X came back as %x", (unsigned)cp, (unsigned)back);
	}
	buf_release(&b);
}

static void no_scalar_value_becomes_the_replacement(void **state UNUSED)
{
	static const int32_t bad[] = { -1, 0xd800, 0xdfff, 0x110000, INT32_MAX, INT32_MIN };
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		buf_reset(&b);
		buf_add_utf8(&b, bad[i]);
		assert_buf(&b, UTF8_REPLACEMENT);
	}
	buf_release(&b);
}

/* The lengths of the pieces in turn: a digit for a character, x and a digit for a bad piece. */
static void pieces(const char *in, size_t n, const char *want)
{
	struct buf got = BUF_INIT;
	int32_t cp;

	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_next(in + i, n - i, &cp);
		assert_true(len > 0);
		buf_addf(&got, "%s%zu", cp == UTF8_BAD ? "x" : "", len);
	}
	assert_buf(&got, want);
	assert_int_equal(utf8_valid(in, n), !strchr(want, 'x'));
	buf_release(&got);
}

#define PIECES(in, want) pieces(in, sizeof(in) - 1, want)

static void malformed_input(void **state UNUSED)
{
	/* Unicode 15, table 3-8 to 3-11. */
	PIECES("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", "x1x1x1x1x1x1x1x11");
	PIECES("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", "x1x1x1x1x1x1x1x11");
	PIECES("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", "x1x1x1x1x11x1x11");
	PIECES("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", "x2x1x3x21");
	PIECES("\xe2\x82", "x2");
	PIECES("\xf0\x9f\x91", "x3");
	PIECES("\xf5\x80\x80\x80", "x1x1x1x1");
	PIECES("\xef\xbf\xbe\0a", "311");
	PIECES("", "");
}

static void every_two_bytes_are_taken_or_refused(void **state UNUSED)
{
	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++) {
			const char s[2] = { (char)a, (char)b };
			int32_t cp;
			size_t len = utf8_next(s, 2, &cp);
			bool pair = a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf;
			assert_true(a < 0x80 ? len == 1 && cp == a : pair ? len == 2 && cp >= 0x80 && cp < 0x800 : cp == UTF8_BAD);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_there_and_back),
		cmocka_unit_test(no_scalar_value_becomes_the_replacement),
		cmocka_unit_test(malformed_input),
		cmocka_unit_test(every_two_bytes_are_taken_or_refused),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
