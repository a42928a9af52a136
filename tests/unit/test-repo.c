/* SPDX-License-Identifier: MIT */
/* The pure parts of the repository's room: ids, globs, the configuration's syntax, trailers as values. */
#include "unit.h"
#include "../../src/git/git.h"

static void ids(void **state UNUSED)
{
	static const char hex[] = "0123456789abcdef0123456789abcdef01234567";
	char out[GIT_OID_HEX];
	struct oid o, z = OID_ZERO;

	assert_true(oid_parse(hex, &o));
	assert_string_equal(oid_hex(out, &o), hex);
	assert_false(oid_is_zero(&o));
	assert_true(oid_is_zero(&z));
	assert_true(oid_equal(&o, &o));
	assert_false(oid_equal(&o, &z));
	assert_true(oid_scan("0123456789abcdef0123456789abcdef01234567rest", &o));
	assert_false(oid_parse("0123456789abcdef0123456789abcdef0123456", &o));
	assert_false(oid_parse("0123456789abcdef0123456789abcdef012345678", &o));
	assert_false(oid_parse("0123456789abcdef0123456789abcdef0123456g", &o));
	assert_false(oid_parse("", &o));
	assert_false(oid_scan("", &o));
}

static const struct { const char *pattern, *text; bool match, folded; } globs[] = {
	{ "a", "a", true, true }, { "a", "A", false, true }, { "a*", "abc", true, true }, { "a*", "a/b", false, false },
	{ "**/b", "b", true, true }, { "**/b", "x/y/b", true, true }, { "/x/**", "/x/y/z", true, true },
	{ "/x/**/z", "/x/z", true, true }, { "/x/**/z", "/x/a/b/z", true, true }, { "?", "/", false, false },
	{ "[a-c]", "b", true, true }, { "[!a-c]", "b", false, false }, { "[^a]", "b", true, true }, { "[]]", "]", true, true },
	{ "[a", "[a", true, true }, { "\\*", "*", true, true }, { "\\*", "a", false, false }, { "", "", true, true },
	{ "*", "", true, true }, { "**", "a/b", true, true }, { "a/**", "a", false, false }, { "ab", "a", false, false },
};

static void wild_matches(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(globs); i++) {
		if (wild_match(globs[i].pattern, globs[i].text, false) != globs[i].match)
			fail_msg("'%s' on '%s'", globs[i].pattern, globs[i].text);
		if (wild_match(globs[i].pattern, globs[i].text, true) != globs[i].folded)
			fail_msg("'%s' on '%s', folded", globs[i].pattern, globs[i].text);
	}
	/* made to take for ever */
	assert_false(wild_match("a*a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false));
}

static int add_entry(void *ctx, const char *key, const char *value, const char *origin UNUSED)
{
	buf_addf(ctx, "%s=%s;", key, value);
	return 0;
}

static void syntax_is(const char *text, const char *wanted)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = config_parse(text, strlen(text), "f", &a, add_entry, &b, &e);

	if (rc)
		assert_int_equal(e.code, ERR_BAD_DATA);
	if ((rc ? "bad" : b.ptr)[0] != wanted[0] || (!rc && strcmp(b.ptr, wanted) != 0))
		fail_msg("%s: %s (%s)", text, b.ptr, e.msg);
	buf_release(&b);
	arena_release(&a);
}

static void configuration_syntax(void **state UNUSED)
{
	syntax_is("", "");
	syntax_is("\xef\xbb\xbf[a]b=c", "a.b=c;");
	syntax_is("[a]b", "a.b=true;");
	syntax_is("[a]b=", "a.b=;");
	syntax_is("[a] b = c d \t ; x\n", "a.b=c d;");
	syntax_is("[a \"B\\\"c\"]\nk=\"x ; y\"z\n", "a.B\"c.k=x ; yz;");
	syntax_is("[a]\r\nb = c\r\n", "a.b=c;");
	syntax_is("[a]b = one \\\n two", "a.b=one  two;");
	for (const char *const *bad = (const char *const[]){ "x", "b=c", "[a", "[a]=", "[a]b\"", "[a]b c", "[a]b=\"c", "[a]b=\\x",
	    "[a b]", "[a \"b]", "[a \"b\"x]", "[a_b]", "[a]b=c\n[", "[a]1b=c", NULL }; *bad; bad++)
		syntax_is(*bad, "bad");
}

static void booleans(void **state UNUSED)
{
	for (const char *const *s = (const char *const[]){ "true", "YES", "On", "1", "-1", "42", NULL }; *s; s++)
		assert_true(git_bool(*s, false));
	for (const char *const *s = (const char *const[]){ "false", "No", "off", "0", "", NULL }; *s; s++)
		assert_false(git_bool(*s, true));
	assert_true(git_bool(NULL, true));
	assert_true(git_bool("maybe", true));
	assert_false(git_bool("maybe", false));
}

static void trailers_are_values(void **state UNUSED)
{
	struct arena a = ARENA_INIT;
	struct trailer *t;

	assert_int_equal(message_trailers(&a, "s\n\nb\n\nResolves-thread: k3f9c2\nQuestion(src/a.c:3): why\n so?\n", &t), 2);
	assert_string_equal(t[0].key, "Resolves-thread");
	assert_string_equal(t[0].value, "k3f9c2");
	assert_string_equal(t[1].key, "Question(src/a.c:3)");
	assert_string_equal(t[1].value, "why so?");
	assert_int_equal(message_trailers(&a, "", &t), 0);
	assert_int_equal(message_trailers(&a, "\n\n\n", &t), 0);
	arena_release(&a);
}

static void paths_that_can_be_in_a_tree(void **state UNUSED)
{
	for (const char *const *s = (const char *const[]){ "a", "a/b", "-x", "a:1", ".gitignore", "..a", "a/.x", NULL }; *s; s++)
		assert_true(path_is_sound(*s));
	for (const char *const *s = (const char *const[]){ "", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", ".git", "a/.GIT/x",
	    NULL }; *s; s++)
		assert_false(path_is_sound(*s));
	assert_string_equal(path_below("/a/b", "/a/b/c"), "c");
	assert_string_equal(path_below("/a/b", "/a/b"), "");
	assert_null(path_below("/a/b", "/a/bc"));
	assert_string_equal(path_below("/", "/x"), "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids),
		cmocka_unit_test(wild_matches),
		cmocka_unit_test(configuration_syntax),
		cmocka_unit_test(booleans),
		cmocka_unit_test(trailers_are_values),
		cmocka_unit_test(paths_that_can_be_in_a_tree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
