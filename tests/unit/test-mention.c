/* SPDX-License-Identifier: MIT */
/* Who is called by a text, and who no more. */
#include "unit.h"
#include "killick/text/mention.h"

static void defused(void **state UNUSED)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "", "" }, { "no one", "no one" }, { "@ana", "`@ana`" }, { "net: @Override it", "net: `@Override` it" },
		{ "(@ana, @bo-b.)", "(`@ana`, `@bo-b`.)" }, { "@acme/core-team/", "`@acme/core-team`/" },
		{ "a@b.example ana@host", "a@b.example ana@host" }, { "x/@scope", "x/`@scope`" }, { "\\@ana", "`@ana`" }, { "@ @@ana", "@ @`@ana`" },
		{ "say.@ana \xc3\xa9@bo", "say.`@ana` \xc3\xa9`@bo`" }, { "a\\@b", "a`@b`" },
		{ "`@ana` @bo", "`@ana` `@bo`" }, { "``a ` @ana`` @bo", "``a ` @ana`` `@bo`" }, { "a ` b @ana", "a ` b `@ana`" },
		{ "`a\n@b` @c", "`a\n@b` `@c`" }, { "`a\n\n@b` @c", "`a\n\n`@b`` `@c`" },
		{ "```\n@ana\n```\n@bo", "```\n@ana\n```\n`@bo`" }, { "~~~ c\n@ana\n~~~\n@bo\n", "~~~ c\n@ana\n~~~\n`@bo`\n" },
		{ "a:\n\n    @param x\n    @param y\n\n    @z\n@bo", "a:\n\n    @param x\n    @param y\n\n    @z\n`@bo`" },
		{ "a\n    @ana", "a\n    `@ana`" }, { "\t@ana", "\t@ana" }, { "> @ana said", "> `@ana` said" }, { "@\xc3\xa4", "`@\xc3\xa4`" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct buf b = BUF_INIT;

		mentions_defuse(&b, rows[i].in);
		assert_string_equal(b.ptr, rows[i].out);
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(defused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
