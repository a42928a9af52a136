/* SPDX-License-Identifier: MIT */
/* What the editor left, cut to what the user wrote: whatever was done to the head, the foot and the line ends. */
#include "config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "killick/cmd/compose.h"

#define HEAD "# Reply to ana\n# Goes to: native\n# audience: everyone\n" HEAD_MARK "\n"
#define HEAD_MARK "# ------ your text goes below this line; nothing above it is sent ------"
#define FOOT_MARK "# ------ from here on it is only for reading; nothing below is sent ------"
#define FOOT FOOT_MARK "\n# ana\n# > why?\n"

static void check(const char *text, size_t len, const char *wanted, enum audience audience)
{
	static const struct compose_text t = { HEAD, FOOT };
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	enum audience got = AUDIENCE_EVERYONE;
	const char *body = NULL;

	assert_int_equal(compose_strip(&a, &t, text, len, &got, &body, &e), 0);
	assert_string_equal(body, wanted);
	assert_int_equal(got, audience);
	arena_release(&a);
}

static void says(const char *text, const char *wanted)
{
	check(text, strlen(text), wanted, AUDIENCE_EVERYONE);
}

static void test_cut(void **state)
{
	(void)state;
	says(HEAD "Because.\n\n" FOOT, "Because.");
	says(HEAD "\n\nBecause.\n\nTwice.\n\n\n" FOOT, "Because.\n\nTwice.");
	says(HEAD "\n\n" FOOT, "");
	says(HEAD "  \n\t\n" FOOT, "");
	says("", "");
	says(HEAD, "");
	says(HEAD "  indented code\n" FOOT, "  indented code");
}

static void test_headings_stay(void **state)
{
	(void)state;
	says(HEAD "# A heading\n\n## Another\ntext\n" FOOT, "# A heading\n\n## Another\ntext");
	says("# A heading\n", "# A heading");
}

static void test_marks_deleted(void **state)
{
	(void)state;
	says("# Reply to ana\n# Goes to: native\n# audience: everyone\nBecause.\n" FOOT, "Because.");
	says("# audience: everyone\nBecause.\n", "Because.");
	says("Because.\n", "Because.");
	says("Because.\n\n# ana\n# > why?\n", "Because.");
	says(HEAD "Because.", "Because.");
}

static void test_bytes(void **state)
{
	static const char nul[] = HEAD "a\0b\n" FOOT;

	(void)state;
	says("\xef\xbb\xbf" HEAD "x\n" FOOT, "x");
	says("# Reply to ana\r\n" HEAD_MARK "\r\none\r\ntwo\r\n" FOOT_MARK "\r\n", "one\ntwo");
	check(nul, sizeof(nul) - 1, "a\xef\xbf\xbd" "b", AUDIENCE_EVERYONE);
	says(HEAD "caf\xe9\n" FOOT, "caf\xef\xbf\xbd");
}

static void test_audience(void **state)
{
	static const char text[] = "# audience: private \n" HEAD_MARK "\nx\n";
	static const char unknown[] = "# audience: nobody\n" HEAD_MARK "\nkept\n";
	static const struct compose_text t = { "", "" };
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	enum audience got = AUDIENCE_EVERYONE;
	const char *body = NULL;

	(void)state;
	check(text, sizeof(text) - 1, "x", AUDIENCE_PRIVATE);
	says("# audience: native\n" HEAD_MARK "\nx\n", "x");
	says(HEAD "# audience: private\n" FOOT, "# audience: private");
	assert_int_equal(compose_strip(&a, &t, unknown, strlen(unknown), &got, &body, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.msg, "nobody"));
	assert_string_equal(body, "kept");
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_headings_stay),
		cmocka_unit_test(test_marks_deleted),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_audience),
	};

	return cmocka_run_group_tests_name("compose", tests, NULL, NULL);
}
