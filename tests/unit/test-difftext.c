/* SPDX-License-Identifier: MIT */
/* Diffs for display: lines told apart by the hunk's counts, changed words marked, tabs, hostile patches. */
#include "styled-check.h"
#include "killick/text/difftext.h"

#define HEAD "--- a/x\n+++ b/x\n"
#define HEAD_OUT "{s:--- a/x}$\n{s:+++ b/x}$\n"

static const struct { const char *name, *in, *out; } examples[] = {
	{ "nothing", "", "" },
	{ "headers", "diff --git a/x b/x\nindex 1..2 100644\n" HEAD "@@ -1 +1 @@ fn\n-a\n+b\n",
	  "{s:diff --git a/x b/x}$\n{d:index 1..2 100644}$\n" HEAD_OUT "{H:@@ -1 +1 @@ fn}$\n{D:-}{D:a}$\n{A:+}{A:b}$\n" },
	{ "context", HEAD "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n", HEAD_OUT "{H:@@ -1,3 +1,3 @@}$\n one$\n{D:-}{D:two}$\n{A:+}{A:2}$\n three$\n" },
	{ "changed words", HEAD "@@ -1 +1 @@\n-int left = 3; /* tries */\n+int right = 3; /* tries */\n",
	  HEAD_OUT "{H:@@ -1 +1 @@}$\n{D:-}{D:int }{V:left}{D: = 3; /* tries */}$\n{A:+}{A:int }{W:right}{A: = 3; /* tries */}$\n" },
	{ "added word", HEAD "@@ -1 +1 @@\n-f(char *p)\n+f(const char *p)\n",
	  HEAD_OUT "{H:@@ -1 +1 @@}$\n{D:-}{D:f(char *p)}$\n{A:+}{A:f(}{W:const }{A:char *p)}$\n" },
	{ "accents stay whole", HEAD "@@ -1 +1 @@\n-say cafe now\n+say cafe\xcc\x81 now\n",
	  HEAD_OUT "{H:@@ -1 +1 @@}$\n{D:-}{D:say }{V:cafe}{D: now}$\n{A:+}{A:say }{W:cafe\xcc\x81}{A: now}$\n" },
	{ "the like line is the partner", HEAD "@@ -1 +1,2 @@\n-return left;\n+while (x)\n+return lefts;\n",
	  HEAD_OUT "{H:@@ -1 +1,2 @@}$\n{D:-}{D:return }{V:left}{D:;}$\n{A:+}{A:while (x)}$\n{A:+}{A:return }{W:lefts}{A:;}$\n" },
	{ "unlike lines have no marks", HEAD "@@ -1 +1 @@\n-alpha beta gamma\n+one two three\n",
	  HEAD_OUT "{H:@@ -1 +1 @@}$\n{D:-}{D:alpha beta gamma}$\n{A:+}{A:one two three}$\n" },
	{ "a removed line of dashes", HEAD "@@ -1,2 +1 @@\n--- old comment\n x\n", HEAD_OUT "{H:@@ -1,2 +1 @@}$\n{D:-}{D:-- old comment}$\n x$\n" },
	{ "an added line of pluses", HEAD "@@ -0,0 +1 @@\n+++ x\n", HEAD_OUT "{H:@@ -0,0 +1 @@}$\n{A:+}{A:++ x}$\n" },
	{ "a context line of @@", HEAD "@@ -1,2 +1,2 @@\n @@ -1 +1 @@\n x\n", HEAD_OUT "{H:@@ -1,2 +1,2 @@}$\n @@ -1 +1 @@$\n x$\n" },
	{ "no final newline", HEAD "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n",
	  HEAD_OUT "{H:@@ -1 +1 @@}$\n{D:-}{D:a}$\n{d:\\ No newline at end of file}$\n{A:+}{A:b}$\n" },
	{ "no newline at the patch's end", HEAD "@@ -1 +1 @@\n-a\n+b", HEAD_OUT "{H:@@ -1 +1 @@}$\n{D:-}{D:a}$\n{A:+}{A:b}$\n" },
	{ "empty context line without its blank", HEAD "@@ -1,2 +1,2 @@\n\n-a\n+b\n", HEAD_OUT "{H:@@ -1,2 +1,2 @@}$\n$\n{D:-}{D:a}$\n{A:+}{A:b}$\n" },
	{ "two hunks", "@@ -1 +0,0 @@\n-a\n@@ -9 +8 @@\n b\n", "{H:@@ -1 +0,0 @@}$\n{D:-}{D:a}$\n{H:@@ -9 +8 @@}$\n b$\n" },
	{ "tab stops behind the sign", "@@ -0,0 +1,2 @@\n+\tx\n+a\tx\n", "{H:@@ -0,0 +1,2 @@}$\n{A:+}{A:    x}$\n{A:+}{A:a   x}$\n" },
	{ "CRLF", "@@ -1 +1 @@\r\n-a\r\n+b\r\n", "{H:@@ -1 +1 @@}$\n{D:-}{D:a}$\n{A:+}{A:b}$\n" },
	{ "controls", "@@ -0,0 +1 @@ \033[31m\n+\033]0;x\a\xe2\x80\xae\xff\n",
	  "{H:@@ -0,0 +1 @@ ^[[31m}$\n{A:+}{A:^[]0;x^G<U+202E>\xef\xbf\xbd}$\n" },
	{ "a merge", "diff --cc x\n@@@ -1,2 -1,2 +1,2 @@@\n- a\n -b\n++c\n  d\n",
	  "{s:diff --cc x}$\n{H:@@@ -1,2 -1,2 +1,2 @@@}$\n{D:- a}$\n{D: -b}$\n{A:++c}$\n  d$\n" },
	{ "text before and after", "commit 1\n\n    message\n" HEAD "@@ -1 +1 @@\n-a\n+b\n-- \n2.39\n",
	  "{d:commit 1}$\n$\n{d:    message}$\n" HEAD_OUT "{H:@@ -1 +1 @@}$\n{D:-}{D:a}$\n{A:+}{A:b}$\n{d:-- }$\n{d:2.39}$\n" },
	{ "absurd counts", "@@ -1,99999999999999999999999 +1,99999999999999999999999 @@\n-a\n", "{H:@@ -1,99999999999999999999999 +1,99999999999999999999999 @@}$\n{D:-}{D:a}$\n" },
	{ "broken hunk header", "@@ nonsense\n-a\n+b\n", "{H:@@ nonsense}$\n{d:-a}$\n{d:+b}$\n" },
};

static void patches(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		struct styled s = STYLED_INIT;
		struct buf b = BUF_INIT;
		difftext_style(&s, examples[i].in, strlen(examples[i].in), 4);
		styled_show(&b, &s);
		if (strcmp(b.ptr, examples[i].out))
			fail_msg("%s: got\n%swanted\n%s", examples[i].name, b.ptr, examples[i].out);
		styled_check(&s, 1, examples[i].name);
		for (size_t k = 0; k < s.lines.len; k++)
			assert_null(s.lines.items[k].tag);
		buf_release(&b);
		styled_release(&s);
	}
}

static void one_line_for_each(void **state UNUSED)
{
	static const char *const bits[] = { "-", "+", " ", "@@ -1,5 +1,5 @@", "@@@ -1 -1 +1 @@@", "\\", "word", "\t", "é", "\033", "\xff", "漢", "diff ",
					    "--- a", "x y z", "\xcc\x81" };
	uint64_t seed = 31;

	for (int i = 0; i < 20000; i++) {
		struct buf in = BUF_INIT;
		struct styled s = STYLED_INIT;
		size_t lines = random_next(&seed) % 12;
		for (size_t k = 0; k < lines; k++) {
			for (uint64_t j = random_next(&seed) % 5; j > 0; j--)
				buf_addstr(&in, bits[random_next(&seed) % ARRAY_SIZE(bits)]);
			buf_addch(&in, '\n');
		}
		difftext_style(&s, in.ptr, in.len, 8);
		assert_int_equal(s.lines.len, lines);
		styled_check(&s, 1, in.ptr);
		styled_release(&s);
		buf_release(&in);
	}
}

/* Long lines and long blocks: the work for marks is bounded. */
static void large_patches(void **state UNUSED)
{
	struct buf in = BUF_INIT;
	struct styled s = STYLED_INIT;

	buf_addstr(&in, "@@ -1,2000 +1,2000 @@\n");
	for (int i = 0; i < 4000; i++)
		buf_addf(&in, "%cline %d of many with words in it\n", i < 2000 ? '-' : '+', i);
	buf_addstr(&in, "@@ -1 +1 @@\n-");
	for (int i = 0; i < 100000; i++)
		buf_addf(&in, "%d,", i);
	buf_addstr(&in, "\n+");
	for (int i = 0; i < 100000; i++)
		buf_addf(&in, "%d,", i * 2);
	buf_addstr(&in, "\n@@ -1,190 +1,190 @@\n");
	for (int i = 0; i < 380; i++) {
		buf_addch(&in, i < 190 ? '-' : '+');
		for (int k = 0; k < 60; k++)
			buf_addf(&in, "%d ", k + i);
		buf_addch(&in, '\n');
	}
	difftext_style(&s, in.ptr, in.len, 8);
	assert_int_equal(s.lines.len, 4000 + 2 + 380 + 3);
	styled_release(&s);
	buf_release(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patches),
		cmocka_unit_test(one_line_for_each),
		cmocka_unit_test(large_patches),
	};

	return cmocka_run_group_tests_name("difftext", tests, NULL, NULL);
}
