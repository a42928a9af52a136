/* SPDX-License-Identifier: MIT */
/* Headings of the five formats: what is one, what only looks like one, levels, ends, paths, looking up. */
#include "unit.h"
#include "killick/anchor/section.h"

/* "path@line-end" of every section, one after another. */
static void outline(const char *name, const char *text, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct section *s;
	size_t n = sections_parse(&a, name, text, strlen(text), &s);

	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s%s@%u-%u", i ? " " : "", s[i].path, s[i].line, s[i].end);
	arena_release(&a);
}

static void outline_is(const char *name, const char *text, const char *wanted)
{
	struct buf b = BUF_INIT;

	outline(name, text, &b);
	assert_string_equal(b.ptr, wanted);
	buf_release(&b);
}

static void markdown(void **state UNUSED)
{
	outline_is("a.md", "# Guide\n\nhello\n\n## Install\n\n### Debian\n\napt\n\n## Use\n",
	    "guide@1-11 install@5-10 install/debian@7-10 use@11-11");
	outline_is("a.md", "Title\n=====\n\ntext\nmore\n----\n\nOther\n---\n", "title@1-9 more@5-7 other@8-9");
	outline_is("a.md", "# a\n```\n# no\n```\n~~~ x\n## no\n~~~\n    # code\n#no\n####### no\n# b ##\n",
	    "a@1-10 b@11-11");
	outline_is("a.md", "---\ntitle: x\n---\n# a\n<!--\n# no\n-->\n- item\n---\n| t |\n---\n> q\n===\n", "a@4-13");
	outline_is("a.md", "# a\r\n\r\nb\r\n-\r\n", "a@1-4 b@3-4");
	outline_is("a.md", "## x\n## x\n### y\n## x\n", "x@1-1 x-1@2-3 x/y@3-3 x-2@4-4");
	outline_is("a.md", "```\n# never closed\n", "");
	outline_is("a.md", "", "");
	outline_is("a.txt", "# a\n", "");
	outline_is("README", "# a\n", "");
}

static void asciidoc(void **state UNUSED)
{
	outline_is("a.adoc", "= Doc\n\n== One\n\ntext\n\n=== Two ===\n----\n== no\n----\n== Three\n",
	    "doc@1-11 one@3-10 one/two@7-10 three@11-11");
	outline_is("a.adoc", "tig(1)\n======\n\nNAME\n----\ntig\n\nSYNOPSIS\n--------\n", "tig1@1-9 name@4-7 synopsis@8-9");
	outline_is("a.adoc", "....\n== no\n....\n////\n== no\n////\n", "");
	/* What stands right above a title without parting it from itself; text does. */
	outline_is("a.adoc", "ifndef::x[]\nManual\n======\nendif::x[]\n\n[[one]]\n:toc:\n// note\nOne\n---\n", "manual@2-10 one@9-10");
	outline_is("a.adoc", "text:\nOne\n---\n", "");
	outline_is("a.adoc", "a listing\n----\nx = 1\n----\n", "");
}

static void rst(void **state UNUSED)
{
	outline_is("a.rst", "=====\nTitle\n=====\n\nOne\n===\n\nx\n\nTwo\n---\n\nThree\n=====\n",
	    "title@2-14 one@5-12 one/two@10-12 three@13-14");
	outline_is("a.rst", "text\nmore\n====\n\n  ind\n  ===\n\n====  ====\nA     B\n====  ====\n", "");
	outline_is("a.rst", "A\n*\n\nB\n*\n", "a@1-3 b@4-5");
}

static void org(void **state UNUSED)
{
	outline_is("a.org", "* TODO [#A] First :tag:x:\ntext\n** Sub\n*no\n* Second\n", "first@1-4 first/sub@3-4 second@5-5");
}

static void latex(void **state UNUSED)
{
	outline_is("a.tex", "\\section{One \\emph{x}}\n% \\section{no}\n\\subsection*{Two~a}\n\\begin{verbatim}\n\\section{no}\n"
	    "\\end{verbatim}\n\\section[s]{Thr{e}e}\n", "one-x@1-6 one-x/two-a@3-6 three@7-7");
	outline_is("a.tex", "\\section{never\nclosed\n\\sectionx{no}\n", "never@1-3");
}

static const struct section *find(struct section *s, size_t n, const char *name) { return section_find(s, n, name); }

static void finding(void **state UNUSED)
{
	static const char text[] = "# Guide\n## Install\n### Debian\n## Build\n### Debian\n### Fedora\n";
	struct arena a = ARENA_INIT;
	struct section *s;
	size_t n = sections_parse(&a, "g.md", text, strlen(text), &s);

	assert_int_equal(n, 6);
	assert_int_equal(find(s, n, "install/debian")->line, 3);
	assert_int_equal(find(s, n, "guide/install/debian")->line, 3);
	assert_int_equal(find(s, n, "fedora")->line, 6);
	assert_int_equal(find(s, n, "guide")->line, 1);
	assert_null(find(s, n, "debian"));
	assert_null(find(s, n, "nothing"));
	assert_null(find(s, n, ""));
	assert_null(find(s, 0, "x"));
	arena_release(&a);
}

static void bad_bytes(void **state UNUSED)
{
	static const char text[] = "# a\0b\n\xff\xfe\n# \xc3\x28\n## \n#\n";
	struct arena a = ARENA_INIT;
	struct section *s;

	assert_true(sections_parse(&a, "x.md", text, sizeof(text) - 1, &s) >= 2);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markdown), cmocka_unit_test(asciidoc), cmocka_unit_test(rst), cmocka_unit_test(org),
		cmocka_unit_test(latex), cmocka_unit_test(finding), cmocka_unit_test(bad_bytes),
	};

	return cmocka_run_group_tests_name("section", tests, NULL, NULL);
}
