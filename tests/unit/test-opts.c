/* SPDX-License-Identifier: MIT */
/* The option parser: every way of writing an option, what is no option, and what a mistake is answered with. */
#include "config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "killick/cmd/cmd.h"

struct values { bool all, brief; const char *message, *sort; struct strlist labels; int64_t limit, since; };

static const char *const sorts[] = { "updated", "place", NULL };
static const struct opt opts[] = {
	{ 'a', "all", OPT_FLAG, offsetof(struct values, all), NULL, "all", NULL },
	{ 'b', "brief", OPT_FLAG, offsetof(struct values, brief), NULL, "brief", NULL },
	{ 'm', "message", OPT_STR, offsetof(struct values, message), "TEXT", "text", NULL },
	{ 's', "sort", OPT_STR, offsetof(struct values, sort), "ORDER", "order", sorts },
	{ 'l', "label", OPT_LIST, offsetof(struct values, labels), "LABEL", "label", NULL },
	{ 'n', "limit", OPT_INT, offsetof(struct values, limit), "N", "limit", NULL },
	{ 0, "since", OPT_TIME, offsetof(struct values, since), "DATE", "since", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

struct parsed { struct arena arena; struct values v; struct opt_rest rest; struct err e; int rc; };

static struct parsed *parse(const char *first, ...)
{
	struct parsed *p = xcalloc(1, sizeof(*p));
	struct opt_set set = { opts, &p->v };
	const char *words[32];
	int n = 0;
	va_list ap;

	va_start(ap, first);
	for (const char *w = first; w; w = va_arg(ap, const char *))
		words[n++] = w;
	va_end(ap);
	p->rc = opts_parse(&set, 1, &p->arena, n, words, &p->rest, &p->e);
	return p;
}

static void done(struct parsed *p)
{
	array_release(&p->v.labels);
	arena_release(&p->arena);
	free(p);
}

static void test_forms(void **state)
{
	static const char *const forms[][4] = { { "-m", "x y", NULL }, { "-mx y", NULL }, { "--message", "x y", NULL },
		{ "--message=x y", NULL }, { "-am", "x y", NULL }, { "-abmx y", NULL } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct parsed *p = parse(forms[i][0], forms[i][1], NULL);
		assert_int_equal(p->rc, 0);
		assert_string_equal(p->v.message, "x y");
		assert_int_equal(p->rest.argc, 0);
		assert_true(p->v.all == (forms[i][0][1] == 'a'));
		done(p);
	}
}

static void test_words(void **state)
{
	struct parsed *p = parse("one", "-a", "two", "-", "-1", "--", "-b", "--sort", NULL);

	(void)state;
	assert_int_equal(p->rc, 0);
	assert_int_equal(p->rest.argc, 6);
	assert_string_equal(p->rest.argv[0], "one");
	assert_string_equal(p->rest.argv[1], "two");
	assert_string_equal(p->rest.argv[2], "-");
	assert_string_equal(p->rest.argv[3], "-1");
	assert_string_equal(p->rest.argv[4], "-b");
	assert_string_equal(p->rest.argv[5], "--sort");
	assert_null(p->rest.argv[6]);
	assert_int_equal(p->rest.dashes, 4);
	assert_true(p->v.all);
	assert_false(p->v.brief);
	done(p);
	p = parse("x", NULL);
	assert_int_equal(p->rest.dashes, -1);
	done(p);
}

static void test_types(void **state)
{
	struct parsed *p = parse("-n20", "--label=a", "-l", "b", "--sort=place", "--since=2026-01-02T03:04:05Z", "-m", "", NULL);

	(void)state;
	assert_int_equal(p->rc, 0);
	assert_int_equal(p->v.limit, 20);
	assert_int_equal(p->v.labels.len, 2);
	assert_string_equal(p->v.labels.items[1], "b");
	assert_string_equal(p->v.sort, "place");
	assert_string_equal(p->v.message, "");
	assert_int_equal(p->v.since, INT64_C(1767323045000));
	done(p);
	p = parse("--since=2w", NULL);
	assert_int_equal(p->rc, 0);
	assert_true(llabs(clock_now() - p->v.since - INT64_C(1209600000)) < 60000);
	done(p);
}

static void test_mistakes(void **state)
{
	static const struct { const char *words[3], *says; } bad[] = {
		{ { "--mesage=x" }, "did you mean --message" },
		{ { "--lim", "3" }, "did you mean --limit" },
		{ { "--zzzzzz" }, "unknown option --zzzzzz" },
		{ { "-x" }, "unknown option -x" },
		{ { "-ax" }, "unknown option -x in '-ax'" },
		{ { "--all=yes" }, "takes no value" },
		{ { "--message" }, "needs a value" },
		{ { "-m" }, "needs a value" },
		{ { "--limit=-3" }, "takes a number" },
		{ { "--limit=99999999999" }, "takes a number" },
		{ { "-n" , "many" }, "takes a number" },
		{ { "--sort=size" }, "takes updated, place, not 'size'" },
		{ { "--since=tomorrow" }, "takes a date" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct parsed *p = parse(bad[i].words[0], bad[i].words[1], NULL);
		assert_int_equal(p->rc, -1);
		assert_int_equal(p->e.code, ERR_USAGE);
		assert_non_null(strstr(p->e.msg, bad[i].says));
		done(p);
	}
}

static void test_statuses(void **state)
{
	(void)state;
	assert_int_equal(exit_status_of(ERR_NONE), 0);
	assert_int_equal(exit_status_of(ERR_FAILED), 1);
	assert_int_equal(exit_status_of(ERR_IO), 1);
	assert_int_equal(exit_status_of(ERR_REFUSED), 1);
	assert_int_equal(exit_status_of(ERR_CANCELLED), 1);
	assert_int_equal(exit_status_of(ERR_USAGE), 2);
	assert_int_equal(exit_status_of(ERR_NOT_FOUND), 3);
	assert_int_equal(exit_status_of(ERR_AMBIGUOUS), 3);
	assert_int_equal(exit_status_of(ERR_CONFLICT), 4);
	assert_int_equal(exit_status_of(ERR_AUTH), 5);
	assert_int_equal(exit_status_of(ERR_BAD_DATA), 6);
	assert_int_equal(exit_status_of(ERR_OFFLINE), 75);
	assert_int_equal(exit_status_of(ERR_RATE_LIMITED), 75);
	assert_int_equal(exit_status_of(ERR_BUSY), 75);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_statuses),
	};

	return cmocka_run_group_tests_name("opts", tests, NULL, NULL);
}
