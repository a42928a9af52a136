/* SPDX-License-Identifier: MIT */
/* Textile and Markdown: each construct both ways, what is defused, what is told to be lost, and no end to nonsense. */
#include "config.h"
#include <string.h>
#include "../../src/remote/textile.h"
#include "unit.h"

struct pair { const char *textile, *markdown; };

/* Both ways the same. */
static const struct pair both[] = {
	{ "plain text", "plain text" },
	{ "h1. Title", "# Title" },
	{ "h3. A *bold* title", "### A **bold** title" },
	{ "*bold* and _slanted_ and -gone-", "**bold** and *slanted* and ~~gone~~" },
	{ "call @f(x)@ now", "call `f(x)` now" },
	{ "see \"the page\":https://example.org/a_b_c here", "see [the page](https://example.org/a_b_c) here" },
	{ "https://example.org/*x*_y_", "https://example.org/*x*_y_" },
	{ "!https://example.org/i.png(a cat)!", "![a cat](https://example.org/i.png)" },
	{ "* one\n* two\n** three\n* four", "- one\n- two\n   - three\n- four" },
	{ "# one\n# two", "1. one\n1. two" },
	{ "<pre><code class=\"c\">int x = 1 * 2;\n</code></pre>", "```c\nint x = 1 * 2;\n```" },
	{ "<pre>\n*not bold*\n</pre>", "```\n*not bold*\n```" },
	{ "|_. a |_. b |\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |" },
	{ "> quoted\n\nanswer", "> quoted\n\nanswer" },
	{ "snake_case_name and 2*3*4", "snake_case_name and 2\\*3\\*4" },
	{ "a\n\nb", "a\n\nb" },
	{ "#12 and commit:abc and [[Page]]", "#12 and commit:abc and [[Page]]" },
	{ "", "" },
};

static const struct pair to_markdown[] = {
	{ "one\ntwo", "one  \ntwo" },
	{ "bq. said\nso\n\nno", "> said\n> so\n\nno" },
	{ "bc. x = 1\ny = 2\n\nz", "```\nx = 1\ny = 2\n```\n\nz" },
	{ "1. not a list here", "1\\. not a list here" },
	{ "a <b> tag and `tick`", "a \\<b> tag and \\`tick\\`" },
	{ "<notextile>*as it is*</notextile>", "\\*as it is\\*" },
	{ "<pre>no end", "```\nno end\n```" },
	{ "|a|b|", "|  |  |\n|---|---|\n| a | b |" },
};

static const struct pair to_textile[] = {
	{ "h2. Under", "Under\n-----" },
	{ "*bold*", "__bold__" },
	{ "<code>a@b</code>", "`a@b`" },
	{ "<notextile>-x-</notextile> y", "-x- y" },
	{ "*literal", "\\*literal" },
	{ "<notextile>*literal*</notextile>", "\\*literal\\*" },
	{ "https://example.org", "<https://example.org>" },
	{ "<pre>\ncode\n</pre>", "    code" },
	{ "---", "* * *" },
};

static const struct pair lossy_textile[] = {
	{ "h2{color:red}. Red", "## Red" }, { "+under+", "+under+" }, { "p(note). text", "text" },
};

static char *turn(void (*fn)(struct buf *, const char *, bool *), const char *in, bool *lossy)
{
	struct buf b = BUF_INIT;

	*lossy = false;
	fn(&b, in, lossy);
	return buf_detach(&b);
}

static void check(void (*fn)(struct buf *, const char *, bool *), const char *in, const char *want)
{
	bool lossy;
	char *got = turn(fn, in, &lossy);

	assert_string_equal(got, want);
	assert_false(lossy);
	free(got);
}

static void test_both(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		check(textile_to_markdown, both[i].textile, both[i].markdown);
		check(markdown_to_textile, both[i].markdown, both[i].textile);
	}
}

static void test_one_way(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(to_markdown); i++)
		check(textile_to_markdown, to_markdown[i].textile, to_markdown[i].markdown);
	for (size_t i = 0; i < ARRAY_SIZE(to_textile); i++)
		check(markdown_to_textile, to_textile[i].markdown, to_textile[i].textile);
}

static void test_lossy(void **state UNUSED)
{
	bool lossy;

	for (size_t i = 0; i < ARRAY_SIZE(lossy_textile); i++) {
		char *got = turn(textile_to_markdown, lossy_textile[i].textile, &lossy);
		assert_string_equal(got, lossy_textile[i].markdown);
		assert_true(lossy);
		free(got);
	}
	free(turn(markdown_to_textile, "a <!-- hidden --> b", &lossy));
	assert_true(lossy);
	free(turn(markdown_to_textile, "```\n</pre>\n```", &lossy));
	assert_true(lossy);
}

/* Every word comes through, whatever the marks around it. */
static void test_nonsense(void **state UNUSED)
{
	static const char marks[] = "*_-+^~@%\"!:|<>#`[]()={}\\.\n h1q";
	uint64_t x = 1;
	bool lossy;

	for (int round = 0; round < 20000; round++) {
		char in[64];
		size_t n = 0, w = 0;
		while (n < sizeof(in) - 1) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			in[n++] = (x >> 40) % 3 ? marks[(x >> 33) % (sizeof(marks) - 1)] : (char)('W' + w++ % 3);
		}
		in[n] = '\0';
		for (int way = 0; way < 2; way++) {
			char *got = turn(way ? textile_to_markdown : markdown_to_textile, in, &lossy);
			assert_true(strlen(got) < 4096);
			free(got);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both), cmocka_unit_test(test_one_way), cmocka_unit_test(test_lossy), cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
