/* SPDX-License-Identifier: MIT */
/* The query language: what reads as what, what is refused with which words, and that writing reads back the same. */
#include "config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "killick/base/clock.h"
#include "killick/model/query.h"

#define DAY INT64_C(86400000)

static int64_t at(const char *time)
{
	int64_t t;

	if (!time_parse(time, &t))
		fail_msg("the test's own time is wrong: %s", time);
	return t;
}

#define NOW at("2026-01-15T12:00:00Z")

/* The tree in brackets, so that no rule of precedence can hide. */
static void spell(struct buf *b, const struct query *q)
{
	static const char *const signs[] = { "=", "<", "<=", ">", ">=" };
	static const char *const ops[] = { "and", "or", "not" };
	char t[TIME_RFC3339_SIZE];

	if (q->op == Q_ALL) {
		buf_addstr(b, "all");
	} else if (q->op == Q_TEXT) {
		buf_addf(b, q->phrase ? "\"%s\"" : "'%s'", q->value);
	} else if (q->op == Q_TERM && (q->key == QK_CREATED || q->key == QK_UPDATED)) {
		buf_addf(b, "%d%s%s", (int)q->key, signs[q->cmp], time_rfc3339(t, q->time));
		if (q->cmp == QC_EQ)
			buf_addf(b, "..%s", time_rfc3339(t, q->time_end));
	} else if (q->op == Q_TERM) {
		buf_addf(b, "%d:%s", (int)q->key, q->value);
	} else {
		buf_addf(b, "(%s ", ops[q->op]);
		spell(b, q->left);
		if (q->right) {
			buf_addch(b, ' ');
			spell(b, q->right);
		}
		buf_addch(b, ')');
	}
}

static const struct { const char *text, *tree; } trees[] = {
	{ "", "all" },
	{ "  \t\n", "all" },
	{ "retry", "'retry'" },
	{ "\"retry budget\"", "\"retry budget\"" },
	{ "\"say \\\"hi\\\" \\\\ \\n\"", "\"say \"hi\" \\ \\n\"" },
	{ "is:open", "0:open" },
	{ "IS:Open", "0:open" },
	{ "is:\"open\"", "0:open" },
	{ "kind:question", "1:question" },
	{ "on:src/net", "2:src/net" },
	{ "on:src/net/http.c:120-131", "2:src/net/http.c:120-131" },
	{ "on:\"a b.c\"", "2:a b.c" },
	{ "on:*.[ch]", "2:*.[ch]" },
	{ "on:f(1).c", "2:f(1).c" },
	{ "by:ana with:bo waiting:me", "(and (and 3:ana 4:bo) 5:me)" },
	{ "source:gh task:GH-1 label:x assignee:me author:ana", "(and (and (and (and 6:gh 7:GH-1) 8:x) 9:me) 10:ana)" },
	{ "commit:HEAD~2 id:k3f9 place:gone", "(and (and 13:HEAD~2 14:k3f9) 15:gone)" },
	{ "a b c", "(and (and 'a' 'b') 'c')" },
	{ "a and b AND c", "(and (and 'a' 'b') 'c')" },
	{ "a or b or c", "(or (or 'a' 'b') 'c')" },
	{ "a b or c d", "(or (and 'a' 'b') (and 'c' 'd'))" },
	{ "a (b OR c) d", "(and (and 'a' (or 'b' 'c')) 'd')" },
	{ "(a)", "'a'" },
	{ "( ( a ) )", "'a'" },
	{ "not a b", "(and (not 'a') 'b')" },
	{ "-a -b", "(and (not 'a') (not 'b'))" },
	{ "-(a b)", "(not (and 'a' 'b'))" },
	{ "not(a)", "(not 'a')" },
	{ "NOT not a", "(not (not 'a'))" },
	{ "--a", "(not (not 'a'))" },
	{ "-is:open", "(not 0:open)" },
	{ "-\"or\"", "(not \"or\")" },
	{ "order notable android", "(and (and 'order' 'notable') 'android')" },
	{ "Or Not", "(and 'Or' 'Not')" },
	{ "std::move http://x/y a:", "!" },
	{ "std::move http://x/y", "(and 'std::move' 'http://x/y')" },
	{ "src/x.c:12 f() \"a\"", "(and (and 'src/x.c:12' 'f()') \"a\")" },
	{ "l'été 日本", "(and 'l'été' '日本')" },
	{ "a\"b", "'a\"b'" },
	{ "main( x", "(and \"main(\" 'x')" },
};

static void test_trees(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		struct buf b = BUF_INIT;
		struct query *q;

		if (query_parse(&a, trees[i].text, NOW, &q, &e))
			buf_addch(&b, '!');
		else
			spell(&b, q);
		if (strcmp(b.ptr, trees[i].tree))
			fail_msg("'%s' is %s, wanted %s (%s)", trees[i].text, b.ptr, trees[i].tree, e.msg);
		buf_release(&b);
		arena_release(&a);
	}
}

static const struct { const char *text, *tree; } times[] = {
	{ "updated:<2w", "12>2026-01-01T12:00:00Z" },
	{ "updated:<=2w", "12>=2026-01-01T12:00:00Z" },
	{ "updated:>1d", "12<2026-01-14T12:00:00Z" },
	{ "updated:>=1D", "12<=2026-01-14T12:00:00Z" },
	{ "updated:90s", "12>=2026-01-15T11:58:30Z" },
	{ "updated:<9999y", "12>1970-01-01T00:00:00Z" },
	{ "updated:<9999999y", "12>1970-01-01T00:00:00Z" },
	{ "created:2026-01-03", "11=2026-01-03T00:00:00Z..2026-01-04T00:00:00Z" },
	{ "created:>2026-01-03", "11>=2026-01-04T00:00:00Z" },
	{ "created:>=2026-01-03", "11>=2026-01-03T00:00:00Z" },
	{ "created:<2026-01-03", "11<2026-01-03T00:00:00Z" },
	{ "created:<=2026-01-03", "11<2026-01-04T00:00:00Z" },
	{ "created:2024-02", "11=2024-02-01T00:00:00Z..2024-03-01T00:00:00Z" },
	{ "created:2025-02", "11=2025-02-01T00:00:00Z..2025-03-01T00:00:00Z" },
	{ "created:2025-12", "11=2025-12-01T00:00:00Z..2026-01-01T00:00:00Z" },
	{ "created:<=2025-12", "11<2026-01-01T00:00:00Z" },
	{ "created:2025", "11=2025-01-01T00:00:00Z..2026-01-01T00:00:00Z" },
	{ "created:2025-12-31T23:59:59Z", "11=2025-12-31T23:59:59Z..2026-01-01T00:00:00Z" },
	{ "created:>\"2025-12-31 23:59:59+01:00\"", "!" },
	{ "created:\">2025-12-31 23:59:59+01:00\"", "11>=2025-12-31T23:00:00Z" },
	{ "created:today", "11=2026-01-15T00:00:00Z..2026-01-16T00:00:00Z" },
	{ "created:<yesterday", "11<2026-01-14T00:00:00Z" },
	{ "created:2026-02-30", "!" },
	{ "created:2026-13", "!" },
	{ "created:2026-00", "!" },
	{ "created:99", "!" },
	{ "created:<", "!" },
	{ "created:soon", "!" },
	{ "created:2x", "!" },
	{ "created:==2w", "!" },
};

static void test_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		struct buf b = BUF_INIT;
		struct query *q;

		if (query_parse(&a, times[i].text, NOW, &q, &e))
			buf_addch(&b, '!');
		else
			spell(&b, q);
		if (strcmp(b.ptr, times[i].tree))
			fail_msg("'%s' is %s, wanted %s (%s)", times[i].text, b.ptr, times[i].tree, e.msg);
		buf_release(&b);
		arena_release(&a);
	}
}

/* A day is the user's: it begins at his midnight, and is 23 hours long when the clocks change. */
static void test_days_are_local(void **state)
{
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	struct query *q;

	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	assert_int_equal(query_parse(&a, "created:2026-03-29", NOW, &q, &e), 0);
	assert_int_equal(q->time, at("2026-03-28T23:00:00Z"));
	assert_int_equal(q->time_end - q->time, DAY - 3600000);
	assert_int_equal(query_parse(&a, "created:today", at("2026-01-15T23:30:00Z"), &q, &e), 0);
	assert_int_equal(q->time, at("2026-01-15T23:00:00Z"));
	setenv("TZ", "UTC", 1);
	tzset();
	arena_release(&a);
}

static const struct { const char *text, *message; } mistakes[] = {
	{ "knid:question", "column 1: there is no key 'knid:', did you mean 'kind:'?" },
	{ "a frobnicate:x", "column 3: there is no key 'frobnicate:'. A text with a colon goes into quotes" },
	{ "is:opne", "column 4: 'is:' knows no 'opne', did you mean 'open'?" },
	{ "kind:xyzzy", "column 6: 'kind:' knows no 'xyzzy', but question, remark, decision, note" },
	{ "kind:", "column 6: 'kind:' needs a value: question, remark, decision, note" },
	{ "on: src", "column 4: 'on:' needs a value" },
	{ "(on:)", "column 5: 'on:' needs a value" },
	{ "updated:soon", "column 9: 'updated:' needs an age (<2w: younger" },
	{ "(a", "column 1: this bracket is not closed" },
	{ "a (b (c)", "column 3: this bracket is not closed" },
	{ "a)", "column 2: this bracket was never opened" },
	{ "()", "column 1: there is nothing in the brackets" },
	{ "a or", "column 5: a word or key:value is missing here" },
	{ "or a", "column 1: a word or key:value is missing here" },
	{ "a or or b", "column 6: a word" },
	{ "a and", "column 6: a word" },
	{ "(a or)", "column 6: a word" },
	{ "not", "column 4: a word" },
	{ "a -", "column 4: a word" },
	{ "- a", "column 2: a word" },
	{ "\"a", "column 1: the quotes are not closed" },
	{ "\"a\\\"", "column 1: the quotes are not closed" },
	{ "is:\"open", "column 4: the quotes are not closed" },
	{ "\"a\"b", "column 4: a blank must follow" },
	{ "\"\"", "column 1: there is nothing between the quotes" },
	{ "label:\"\"", "column 7: there is nothing between the quotes" },
	{ "\xc3\xa9\xc3\xa9 knid:x", "column 4: there is no key" },
};

static void test_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		struct query *q = NULL;

		assert_int_equal(query_parse(&a, mistakes[i].text, NOW, &q, &e), -1);
		assert_int_equal(e.code, ERR_USAGE);
		assert_null(q);
		if (!strstr(e.msg, mistakes[i].message))
			fail_msg("'%s': \"%s\", wanted \"%s\"", mistakes[i].text, e.msg, mistakes[i].message);
		arena_release(&a);
	}
}

static int depth(const struct query *q)
{
	int l = q->left ? depth(q->left) : 0, r = q->right ? depth(q->right) : 0;

	return 1 + (l > r ? l : r);
}

/* Whoever walks the tree recurses: it must stay shallow whatever is typed. */
static void test_size_is_limited(void **state)
{
	static const char *const bits[] = { "(", "-", "not ", "a ", "a or ", "-a ", "(a ", "is:open ", "\"", ")", "a:", "or " };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		struct buf b = BUF_INIT;
		struct query *q;

		while (b.len < 500000)
			buf_addstr(&b, bits[i]);
		assert_int_equal(query_parse(&a, b.ptr, NOW, &q, &e), -1);
		buf_reset(&b);
		for (int k = 0; k < 60; k++)
			buf_addstr(&b, bits[i]);
		buf_addstr(&b, "a");
		if (!query_parse(&a, b.ptr, NOW, &q, &e))
			assert_true(depth(q) < 300);
		buf_release(&b);
		arena_release(&a);
	}
}

static const struct { const char *text, *normal; } normals[] = {
	{ "", "" },
	{ "  is:Open   AND  kind:\"note\" ", "is:open kind:note" },
	{ "not a or not (b or c)", "-a or -(b or c)" },
	{ "(a or b) c", "(a or b) c" },
	{ "a (b c)", "a (b c)" },
	{ "((a b)) or c", "a b or c" },
	{ "\"retry\" retry \"or\"", "\"retry\" retry \"or\"" },
	{ "on:\"a b\" on:\"ab\"", "on:\"a b\" on:ab" },
	{ "on:\"a)b\" on:\"(ab)\" on:\"-x\"", "on:\"a)b\" on:(ab) on:-x" },
	{ "label:\"say \\\"hi\\\"\"", "label:\"say \\\"hi\\\"\"" },
	{ "updated:<2W", "updated:<2W" },
};

static void test_normal_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(normals); i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		struct buf b = BUF_INIT;
		struct query *q;

		assert_int_equal(query_parse(&a, normals[i].text, NOW, &q, &e), 0);
		query_format(&b, q);
		assert_string_equal(b.ptr, normals[i].normal);
		buf_release(&b);
		arena_release(&a);
	}
}

/* A face joins its own filter with "everything". */
static void test_all_vanishes_beside_and(void **state)
{
	struct query all = { .op = Q_ALL }, word = { .op = Q_TEXT, .value = "x" };
	struct query left = { .op = Q_AND, .left = &all, .right = &word }, right = { .op = Q_AND, .left = &left, .right = &all };
	struct buf b = BUF_INIT;

	(void)state;
	query_format(&b, &right);
	assert_string_equal(b.ptr, "x");
	buf_release(&b);
}

/* ---- properties ---- */

static uint64_t seed = 20260104;

static unsigned random_below(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static const char *const words[] = {
	"a", "retry", "or", "not", "AND", "-", "-a", "(", ")", "(a)", "a)b", "a b", "\"", "a\"b", "\\", "\\\"", "is:open", "knid:x",
	"std::move", "http://x", "src/x.c:12", "\xc3\xa9", "\xff", "\n", " lead", "trail ", "x:", ":", "f(1).c", "\t", "\x1b[0m",
};
static const char *const is_words[] = { "open", "answered", "resolved", "unread", "gone", "mine" };
static const char *const time_words[] = { "<2w", ">3mo", "2026-01-02", ">=2026-01", "today", "<2026", "5m" };

static struct query *random_leaf(struct arena *a)
{
	struct query *q = ARENA_NEW(a, struct query);

	if (random_below(2)) {
		q->op = Q_TEXT;
		q->value = words[random_below(ARRAY_SIZE(words))];
		q->phrase = true;
		return q;
	}
	q->op = Q_TERM;
	q->key = (enum query_key)random_below(QK_PLACE + 1);
	q->value = q->key == QK_IS ? is_words[random_below(ARRAY_SIZE(is_words))] : q->key == QK_KIND ? "note" :
	    q->key == QK_PLACE ? "moved" : q->key == QK_CREATED || q->key == QK_UPDATED ?
	    time_words[random_below(ARRAY_SIZE(time_words))] : words[random_below(ARRAY_SIZE(words))];
	return q;
}

static struct query *random_tree(struct arena *a, int levels)
{
	struct query *q;

	if (!levels || !random_below(4))
		return random_leaf(a);
	q = ARENA_NEW(a, struct query);
	q->op = (enum query_op)random_below(3);
	q->left = random_tree(a, levels - 1);
	q->right = q->op == Q_NOT ? NULL : random_tree(a, levels - 1);
	return q;
}

static bool same(const struct query *x, const struct query *y)
{
	if (x->op != y->op)
		return false;
	if (x->op == Q_TEXT)
		return x->phrase == y->phrase && !strcmp(x->value, y->value);
	if (x->op == Q_TERM)
		return x->key == y->key && !strcmp(x->value, y->value);
	return x->op == Q_ALL || (same(x->left, y->left) && (!x->right || same(x->right, y->right)));
}

static void test_trees_come_back(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		struct buf b = BUF_INIT;
		struct query *q = random_tree(&a, 5), *back;

		query_format(&b, q);
		if (query_parse(&a, b.ptr, NOW, &back, &e) || !same(q, back))
			fail_msg("'%s' came back otherwise: %s", b.ptr, e.msg);
		buf_release(&b);
		arena_release(&a);
	}
}

static void test_random_texts(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		struct buf b = BUF_INIT, again = BUF_INIT;
		struct query *q, *back;

		for (unsigned n = 1 + random_below(8); n; n--)
			buf_addf(&b, "%s%s", words[random_below(ARRAY_SIZE(words))], random_below(2) ? " " : "");
		if (!query_parse(&a, b.ptr, NOW, &q, &e)) {
			query_format(&again, q);
			if (query_parse(&a, again.ptr, NOW, &back, &e) || !same(q, back))
				fail_msg("'%s' became '%s': %s", b.ptr, again.ptr, e.msg);
		}
		buf_release(&b);
		buf_release(&again);
		arena_release(&a);
	}
}

/* ---- completion ---- */

static bool listed(const char *const *list, const char *word)
{
	for (; *list; list++)
		if (!strcmp(*list, word))
			return true;
	return false;
}

static void test_words(void **state)
{
	(void)state;
	assert_true(listed(query_words(""), "is:"));
	assert_true(listed(query_words("-w"), "waiting:"));
	assert_true(listed(query_words(""), "or"));
	assert_true(listed(query_words("is:"), "open"));
	assert_true(listed(query_words("-is:op"), "answered"));
	assert_true(listed(query_words("(kind:"), "decision"));
	assert_true(listed(query_words("by:"), "me"));
	assert_null(query_words("on:")[0]);
	assert_null(query_words("nope:x")[0]);
	/* Every key that is offered is one, and every value that is offered parses. */
	for (const char *const *k = query_words(""); *k; k++) {
		for (const char *const *v = query_words(*k); str_ends(*k, ":") && *v; v++) {
			struct arena a = ARENA_INIT;
			struct err e = ERR_INIT;
			struct buf b = BUF_INIT;
			struct query *q;

			buf_addf(&b, "%s%s", *k, *v);
			if (query_parse(&a, b.ptr, NOW, &q, &e))
				fail_msg("%s: %s", b.ptr, e.msg);
			buf_release(&b);
			arena_release(&a);
		}
	}
}

/* KILLICK_TEST_SEED=N runs the properties over other queries. */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_days_are_local),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_size_is_limited),
		cmocka_unit_test(test_normal_forms),
		cmocka_unit_test(test_all_vanishes_beside_and),
		cmocka_unit_test(test_trees_come_back),
		cmocka_unit_test(test_random_texts),
		cmocka_unit_test(test_words),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	if (getenv("KILLICK_TEST_SEED"))
		seed = strtoull(getenv("KILLICK_TEST_SEED"), NULL, 10);
	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
