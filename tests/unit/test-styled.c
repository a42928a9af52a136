/* SPDX-License-Identifier: MIT */
/* Styled lines: building, wrapping plain text, colours. */
#include "styled-check.h"

static void building(void **state UNUSED)
{
	struct styled s = STYLED_INIT;
	struct buf b = BUF_INIT;
	char text[] = "copied";

	styled_add(&s, STYLE_STRONG, text); /* without a line there is one */
	text[0] = 'X';
	styled_add(&s, STYLE_NORMAL, "");
	styled_addf(&s, STYLE_NORMAL, " %d", 7);
	styled_newline(&s)->nowrap = true;
	styled_newline(&s);
	styled_addn(&s, STYLE_CODE, "abc", 2);
	styled_show(&b, &s);
	assert_buf(&b, "{s:copied} 7\n$\n{c:ab}\n");
	buf_reset(&b);
	styled_plain(&b, &s);
	assert_buf(&b, "copied 7\n\nab\n");
	for (int i = 0; i < 1000; i++)
		styled_addf(&s, STYLE_NORMAL, "%d ", i);
	assert_int_equal(s.lines.items[2].n, 1001);
	assert_string_equal(s.lines.items[2].spans[1000].text, "999 ");
	assert_string_equal(s.lines.items[2].spans[0].text, "ab");
	buf_release(&b);
	styled_release(&s);
	styled_release(&s);
	styled_release(NULL);
}

static const struct { const char *in; int width, indent; const char *out; } wraps[] = {
	{ "", 10, 0, "" },
	{ "\n", 10, 0, "\n" },
	{ "one two three", 7, 0, "one two\nthree\n" },
	{ "one two three", 100, 2, "  one two three\n" },
	{ "one two", 7, 2, "  one\n  two\n" },
	{ "a  b   c", 3, 0, "a\nb\nc\n" },
	{ "a  b", 9, 0, "a  b\n" },
	{ "trailing   ", 20, 0, "trailing\n" },
	{ "abcdefghij", 4, 0, "abcd\nefgh\nij\n" },
	{ "ab abcdefgh cd", 4, 0, "ab\nabcd\nefgh\ncd\n" },
	{ "abc", 1, 0, "a\nb\nc\n" },
	{ "a b", 1, 0, "a\nb\n" },
	{ "a b", 0, 0, "a\nb\n" },
	{ "ab", -7, 3, "   a\n   b\n" },
	{ "漢字漢字", 4, 0, "漢字\n漢字\n" },
	{ "漢字漢字", 5, 0, "漢字\n漢字\n" },
	{ "漢字", 1, 0, "漢\n字\n" },
	{ "ab漢字", 3, 0, "ab\n漢\n字\n" },
	{ "漢字。漢", 4, 0, "漢\n字。\n漢\n" },
	{ "漢（字）", 4, 0, "漢\n（字\n）\n" },
	{ "e\xcc\x81" "e\xcc\x81", 1, 0, "e\xcc\x81\ne\xcc\x81\n" },
	{ "👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 3, 0, "👩‍👩‍👧‍👦\n👩‍👩‍👧‍👦\n" },
	{ "a\nb\n\nc", 9, 0, "a\nb\n\nc\n" },
	{ "a\r\nb", 9, 0, "a\nb\n" },
	{ "\tx", 20, 0, "        x\n" },
	{ "  indented text", 12, 0, "  indented\ntext\n" },
	{ "          x", 5, 0, "x\n" },
	{ "--option x-y", 8, 0, "--option\nx-y\n" },
	{ "a\033[31m", 20, 0, "a^[[31m\n" },
	{ "\xff", 9, 0, "\xef\xbf\xbd\n" },
};

static void wrapping(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(wraps); i++) {
		struct styled s = STYLED_INIT;
		struct buf b = BUF_INIT;
		styled_wrap(&s, STYLE_NORMAL, wraps[i].in, strlen(wraps[i].in), wraps[i].width, wraps[i].indent);
		styled_plain(&b, &s);
		if (strcmp(b.ptr, wraps[i].out))
			fail_msg("'%s' at %d: got\n%swanted\n%s", wraps[i].in, wraps[i].width, b.ptr, wraps[i].out);
		buf_release(&b);
		styled_release(&s);
	}
}

static void without_blanks(struct buf *b, const char *p)
{
	for (; *p; p++)
		if (*p != ' ' && *p != '\n')
			buf_addch(b, *p);
}

static void nothing_is_lost_and_nothing_too_wide(void **state UNUSED)
{
	static const char *const bits[] = { "word", " ", "  ", "漢字", "é", "e\xcc\x81", "👩‍👩‍👧‍👦", "longlonglonglonglonglong", "\n", "a,", "。", "（",
					    "❤️", "x", "-", "한", " ש " };
	uint64_t seed = 9;

	for (int i = 0; i < 5000; i++) {
		struct buf in = BUF_INIT, out = BUF_INIT, a = BUF_INIT, b = BUF_INIT;
		struct styled s = STYLED_INIT;
		int width = (int)(random_next(&seed) % 24) + 1;
		for (uint64_t k = random_next(&seed) % 30; k > 0; k--)
			buf_addstr(&in, bits[random_next(&seed) % ARRAY_SIZE(bits)]);
		styled_wrap(&s, STYLE_NORMAL, in.ptr, in.len, width, 0);
		styled_check(&s, width, in.ptr);
		styled_plain(&out, &s);
		without_blanks(&a, in.ptr);
		without_blanks(&b, out.ptr);
		assert_string_equal(a.ptr, b.ptr);
		styled_release(&s);
		buf_release(&in);
		buf_release(&out);
		buf_release(&a);
		buf_release(&b);
	}
}

static void one_huge_word(void **state UNUSED)
{
	struct buf in = BUF_INIT;
	struct styled s = STYLED_INIT;

	buf_addchn(&in, 'x', 1000000);
	styled_wrap(&s, STYLE_NORMAL, in.ptr, in.len, 76, 0);
	assert_int_equal(s.lines.len, 1000000 / 76 + 1);
	styled_release(&s);
	buf_release(&in);
}

static void colours(void **state UNUSED)
{
	assert_string_equal(style_sgr(STYLE_NORMAL), "");
	assert_string_equal(style_sgr(STYLE_COUNT), "");
	for (int st = STYLE_NORMAL + 1; st < STYLE_COUNT; st++) {
		const char *sgr = style_sgr((enum style)st);
		assert_true(str_starts(sgr, "\033[") && str_ends(sgr, "m"));
		assert_int_equal(strspn(sgr + 2, "0123456789;"), strlen(sgr) - 3);
	}
	assert_string_equal(style_sgr_end(), "\033[0m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(building),
		cmocka_unit_test(wrapping),
		cmocka_unit_test(nothing_is_lost_and_nothing_too_wide),
		cmocka_unit_test(one_huge_word),
		cmocka_unit_test(colours),
	};

	return cmocka_run_group_tests_name("styled", tests, NULL, NULL);
}
