/* SPDX-License-Identifier: MIT */
/* The manual's anchors and queries are read by the parsers that it describes: an example that does not work fails here. */
#include "config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "killick/base/file.h"
#include "killick/model/anchor.h"
#include "killick/model/query.h"

static const char *read_page(struct buf *b, const char *page)
{
	const char *src = getenv("KILLICK_TEST_SRC");
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;

	buf_addf(&path, "%s/man/%s", src ? src : ".", page);
	if (file_read(path.ptr, 0, b, &e))
		fail_msg("%s", e.msg);
	buf_release(&path);
	return b->ptr;
}

/* The line at *p without its roff escapes; *p moves to the next. false at the end. */
static bool next_line(const char **p, struct buf *line)
{
	static const struct { const char *roff, *text; } escapes[] = { { "\\(dq", "\"" }, { "\\e", "\\" }, { "\\&", "" } };
	const char *end = strchr(*p, '\n');

	buf_reset(line);
	if (!end)
		return false;
	while (*p < end) {
		size_t i = 0;

		while (i < ARRAY_SIZE(escapes) && !str_starts(*p, escapes[i].roff))
			i++;
		if (i < ARRAY_SIZE(escapes)) {
			buf_addstr(line, escapes[i].text);
			*p += strlen(escapes[i].roff);
		} else {
			buf_addch(line, *(*p)++);
		}
	}
	*p = end + 1;
	return true;
}

static void test_anchors(void **state)
{
	struct buf page = BUF_INIT, line = BUF_INIT;
	int n = 0;

	(void)state;
	for (const char *p = read_page(&page, "killick-anchors.7"); next_line(&p, &line); ) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		struct anchor an;

		if (!str_starts(line.ptr, ".It Li "))
			continue;
		n++;
		if (anchor_parse(&a, line.ptr + strlen(".It Li "), NULL, &an, &e))
			fail_msg("'%s': %s", line.ptr, e.msg);
		arena_release(&a);
	}
	assert_true(n > 20);
	buf_release(&page);
	buf_release(&line);
}

/* What the message says must be what is said. */
static void test_anchor_messages(void **state)
{
	static const char *const texts[] = { "src/x.c:0", "src/x.c:9-7", "src/x.c:120-", "src/x.c:12:5" };
	struct buf page = BUF_INIT, line = BUF_INIT;
	int n = 0;

	(void)state;
	for (const char *p = read_page(&page, "killick-anchors.7"); next_line(&p, &line); ) {
		for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
			struct arena a = ARENA_INIT;
			struct err e = ERR_INIT;
			struct anchor an;

			assert_int_equal(anchor_parse(&a, texts[i], NULL, &an, &e), -1);
			n += str_starts(line.ptr, ".It ") && !strcmp(line.ptr + 4, e.msg);
			arena_release(&a);
		}
	}
	assert_int_equal(n, ARRAY_SIZE(texts));
	buf_release(&page);
	buf_release(&line);
}

/* A query from a line of a literal block: what stands between single quotes, or all of it. */
static const char *query_of(struct buf *line)
{
	char *quote = strchr(line->ptr, '\''), *end = strrchr(line->ptr, '\'');

	if (!quote || end == quote)
		return line->ptr;
	*end = '\0';
	return quote + 1;
}

static void test_queries(void **state)
{
	struct buf page = BUF_INIT, line = BUF_INIT;
	bool literal = false;
	int n = 0;

	(void)state;
	for (const char *p = read_page(&page, "killick-query.7"); next_line(&p, &line); ) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		struct query *q;

		if (str_starts(line.ptr, ".Bd -literal") || str_starts(line.ptr, ".Ed")) {
			literal = line.ptr[1] == 'B';
		} else if (literal) {
			n++;
			if (query_parse(&a, query_of(&line), INT64_C(1767322800000), &q, &e))
				fail_msg("'%s': %s", line.ptr, e.msg);
		}
		arena_release(&a);
	}
	assert_true(n > 15);
	buf_release(&page);
	buf_release(&line);
}

static bool page_has(const char *page, const char *before, const char *word)
{
	struct buf b = BUF_INIT;
	bool found;

	buf_addf(&b, "%s%s", before, word);
	found = strstr(page, b.ptr) != NULL;
	buf_release(&b);
	return found;
}

/* Every key and every value that is offered is in the manual. */
static void test_query_words_are_documented(void **state)
{
	struct buf page = BUF_INIT;

	(void)state;
	read_page(&page, "killick-query.7");
	for (const char *const *k = query_words(""); *k; k++) {
		char key[32] = "";

		memcpy(key, *k, strcspn(*k, ":"));
		if (!page_has(page.ptr, "Cm ", key) && !page_has(page.ptr, " , ", key) && !page_has(page.ptr, ".Li ", key))
			fail_msg("the manual does not know the key %s", *k);
		for (const char *const *v = query_words(*k); str_ends(*k, ":") && *v; v++)
			if (**v != '<' && !page_has(page.ptr, ".Cm ", *v) && !page_has(page.ptr, ", ", *v))
				fail_msg("the manual does not know %s%s", *k, *v);
	}
	buf_release(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_anchors),
		cmocka_unit_test(test_anchor_messages),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_query_words_are_documented),
	};

	return cmocka_run_group_tests_name("manual", tests, NULL, NULL);
}
