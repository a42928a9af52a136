/* SPDX-License-Identifier: MIT */
/* Names, people, the JSON documents of the manual, and titles. */
#include "config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "killick/base/utf8.h"
#include "killick/model/thread.h"

static void test_names_come_back(void **state)
{
	static const char *const kinds[] = { "question", "remark", "decision", "note" };
	static const char *const states[] = { "open", "answered", "resolved" };
	static const char *const task_states[] = { "open", "closed", "merged" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		enum thread_kind k = KIND_NOTE;

		assert_string_equal(thread_kind_name((enum thread_kind)i), kinds[i]);
		assert_true(thread_kind_parse(kinds[i], &k));
		assert_int_equal(k, i);
	}
	for (int i = 0; i < 3; i++) {
		enum thread_state s;
		enum task_state t;

		assert_string_equal(thread_state_name((enum thread_state)i), states[i]);
		assert_true(thread_state_parse(states[i], &s));
		assert_int_equal(s, i);
		assert_string_equal(task_state_name((enum task_state)i), task_states[i]);
		assert_true(task_state_parse(task_states[i], &t));
		assert_int_equal(t, i);
	}
	assert_string_equal(audience_name(AUDIENCE_PRIVATE), "private");
	assert_string_equal(post_state_name(POST_RETRACTED), "retracted");
	assert_string_equal(place_state_name(PLACE_EDITED), "edited");
}

static void test_no_such_name(void **state)
{
	static const char *const bad[] = { "", "Open", "open ", "opened", "o", NULL };
	enum thread_kind k = KIND_DECISION;
	enum thread_state s = STATE_ANSWERED;
	enum task_state t = TASK_MERGED;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(thread_kind_parse(bad[i], &k));
		assert_false(thread_state_parse(bad[i], &s));
		assert_false(task_state_parse(bad[i], &t));
	}
	assert_int_equal(k, KIND_DECISION);
	assert_int_equal(s, STATE_ANSWERED);
	assert_int_equal(t, TASK_MERGED);
}

static void test_glyphs(void **state)
{
	static const char *const want[] = { "?", "!", "#", "\xc2\xb7" }, *const plain[] = { "?", "!", "#", "-" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_string_equal(thread_kind_glyph((enum thread_kind)i, false), want[i]);
		assert_string_equal(thread_kind_glyph((enum thread_kind)i, true), plain[i]);
	}
}

static void check_json(json_t *j, const char *want)
{
	struct buf b = BUF_INIT;

	json_write(&b, j);
	assert_string_equal(b.ptr, want);
	json_decref(j);
	buf_release(&b);
}

#define ANA "{\"name\":\"Ana\",\"email\":\"ana@x\",\"login\":null}"
static const struct person ana = { .name = "Ana", .email = "ana@x" };

/* Scripts rely on every key, also where there is nothing to say. */
static void test_thread_document(void **state)
{
	struct person one = ana;
	struct reaction reactions[] = { { .emoji = "+", .n = 1, .mine = true, .by = &one }, { .emoji = "-", .n = 7 } };
	struct post posts[] = {
		{ .id = "p1", .author = ana, .time = 1000, .body = "Why?" },
		{ .id = "p2", .author = ana, .time = 2000, .state = POST_RETRACTED, .edited = 3000, .accepted = true,
			.reactions = reactions, .n_reactions = 2 },
	};
	struct person asked[] = { ana };
	const char *labels[] = { "net" }, *links[] = { "HEAD" };
	struct thread t = {
		.id = "k3f9c2a", .source = "native", .kind = KIND_QUESTION, .state = STATE_ANSWERED, .title = "Why?",
		.author = ana, .posts = posts, .n_posts = 2, .asked = asked, .n_asked = 1, .labels = labels, .n_labels = 1,
		.links = links, .n_links = 1, .created = 1000, .updated = 2000,
		.anchor = { .type = ANCHOR_LINES, .path = "src/a.c", .line = 3, .end = 5, .side = SIDE_OLD },
		.place = { .state = PLACE_MOVED, .path = "src/b.c", .line = 7, .end = 9, .confidence = 0.93 },
	};

	(void)state;
	check_json(thread_json(&t), "{\"id\":\"k3f9c2a\",\"source\":\"native\",\"kind\":\"question\",\"state\":\"answered\","
	    "\"title\":\"Why?\",\"audience\":\"everyone\","
	    "\"anchor\":{\"type\":\"lines\",\"text\":\"src/a.c:3-5~\",\"path\":\"src/a.c\",\"line\":3,\"end\":5,"
	    "\"side\":\"old\",\"commit\":null,\"section\":null,\"task\":null},"
	    "\"place\":{\"state\":\"moved\",\"path\":\"src/b.c\",\"line\":7,\"end\":9,\"confidence\":0.93,\"commit\":null,"
	    "\"last\":null,\"why\":null},"
	    "\"posts\":[{\"id\":\"p1\",\"author\":" ANA ",\"time\":\"1970-01-01T00:00:01Z\",\"body\":\"Why?\","
	    "\"state\":\"sent\",\"edited\":null,\"accepted\":false,\"reactions\":[]},{\"id\":\"p2\",\"author\":" ANA ",\"time\":\"1970-01-01T00:00:02Z\",\"body\":null,"
	    "\"state\":\"retracted\",\"edited\":\"1970-01-01T00:00:03Z\",\"accepted\":true,\"reactions\":[{\"emoji\":\"+\","
	    "\"n\":1,\"mine\":true,\"by\":[" ANA "]},{\"emoji\":\"-\",\"n\":7,\"mine\":false,\"by\":null}]}],\"url\":null,\"author\":" ANA ","
	    "\"asked\":[" ANA "],\"labels\":[\"net\"],\"links\":[\"HEAD\"],\"created\":\"1970-01-01T00:00:01Z\","
	    "\"updated\":\"1970-01-01T00:00:02Z\"}");
	t = (struct thread){ .id = "k1", .n_posts = 4 };
	check_json(thread_json(&t), "{\"id\":\"k1\",\"source\":null,\"kind\":\"question\",\"state\":\"open\",\"title\":null,"
	    "\"audience\":\"everyone\",\"anchor\":{\"type\":\"project\",\"text\":\".\",\"path\":null,\"line\":null,"
	    "\"end\":null,\"side\":null,\"commit\":null,\"section\":null,\"task\":null},"
	    "\"place\":{\"state\":\"unknown\",\"path\":null,\"line\":null,\"end\":null,\"confidence\":null,"
	    "\"commit\":null,\"last\":null,\"why\":null},\"posts\":null,\"url\":null,\"author\":{\"name\":null,\"email\":null,\"login\":null},"
	    "\"asked\":[],\"labels\":[],\"links\":[],\"created\":null,\"updated\":null}");
}

static void test_task_document(void **state)
{
	const char *labels[] = { "bug" };
	struct person people[] = { ana };
	struct task k = {
		.id = "GH-58", .source = "github", .change = true, .state = TASK_MERGED, .title = "Cap it", .author = ana,
		.assignees = people, .n_assignees = 1, .labels = labels, .n_labels = 1, .milestone = "2.0", .created = 1000, .updated = 2000,
		.url = "https://x/58", .n_threads = 3,
	};

	(void)state;
	check_json(task_json(&k), "{\"id\":\"GH-58\",\"source\":\"github\",\"kind\":\"change\",\"state\":\"merged\","
	    "\"title\":\"Cap it\",\"author\":" ANA ",\"assignees\":[" ANA "],\"labels\":[\"bug\"],\"milestone\":\"2.0\","
	    "\"created\":\"1970-01-01T00:00:01Z\",\"updated\":\"1970-01-01T00:00:02Z\",\"url\":\"https://x/58\","
	    "\"threads\":3}");
	k = (struct task){ .id = "T-1" };
	check_json(task_json(&k), "{\"id\":\"T-1\",\"source\":null,\"kind\":\"task\",\"state\":\"open\",\"title\":null,"
	    "\"author\":{\"name\":null,\"email\":null,\"login\":null},\"assignees\":[],\"labels\":[],\"milestone\":null,\"created\":null,"
	    "\"updated\":null,\"url\":null,\"threads\":0}");
}

static const struct { const char *text, *name, *email, *login, *label; } people_texts[] = {
	{ "Ana <ana@x>", "Ana", "ana@x", NULL, "Ana" },
	{ "  Ana Bo  < ana@x > ", "Ana Bo", "ana@x", NULL, "Ana Bo" },
	{ "<ana@x>", NULL, "ana@x", NULL, "ana@x" },
	{ "ana@x", NULL, "ana@x", NULL, "ana@x" },
	{ "ana", NULL, NULL, "ana", "ana" },
	{ "@ana", NULL, NULL, "ana", "ana" },
	{ "Ana Bo", "Ana Bo", NULL, NULL, "Ana Bo" },
	{ "Ana <>", "Ana", NULL, NULL, "Ana" },
	{ "Ana <ana@x", "Ana <ana@x", NULL, NULL, "Ana <ana@x" },
	{ "", NULL, NULL, NULL, "?" },
	{ "  ", NULL, NULL, NULL, "?" },
	{ "@", NULL, NULL, NULL, "?" },
	{ "<>", NULL, NULL, NULL, "?" },
};

static void check_str(const char *got, const char *want)
{
	if (!want)
		assert_null(got);
	else if (!got)
		fail_msg("nothing, wanted '%s'", want);
	else
		assert_string_equal(got, want);
}

static void test_person_texts(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(people_texts); i++) {
		struct person p, back;
		json_t *j;

		person_parse(&a, people_texts[i].text, &p);
		check_str(p.name, people_texts[i].name);
		check_str(p.email, people_texts[i].email);
		check_str(p.login, people_texts[i].login);
		assert_string_equal(person_label(&p), people_texts[i].label);
		j = person_json(&p);
		person_from_json(&a, j, &back);
		check_str(back.name, p.name);
		check_str(back.email, p.email);
		check_str(back.login, p.login);
		json_decref(j);
	}
	arena_release(&a);
}

static void test_who_is_who(void **state)
{
	struct person nobody = { .name = "Ana" }, mail = { .email = "Ana@X.org" }, other = { .email = "bo@x.org" };
	struct person same = { .name = "A", .email = "ana@x.ORG", .login = "ana" }, login = { .login = "ANA" };
	struct person empty = { .email = "", .login = "" }, turkish = { .email = "ana@\xc4\xb0.org" };

	(void)state;
	assert_true(person_same(&mail, &same));
	assert_true(person_same(&same, &login));
	assert_false(person_same(&mail, &login));
	assert_false(person_same(&mail, &other));
	assert_false(person_same(&nobody, &nobody));
	assert_false(person_same(&empty, &empty));
	assert_false(person_same(&turkish, &(struct person){ .email = "ana@i.org" }));
	assert_true(person_same_email(&mail, &same));
	assert_false(person_same_email(&same, &login));
	assert_false(person_same_email(&empty, &empty));
}

static const struct { const char *body, *title; } titles[] = {
	{ "Why three retries?", "Why three retries?" },
	{ "\n\n  \t\nWhy?\nBecause.", "Why?" },
	{ "# Heading #", "Heading" },
	{ "###### Six", "Six" },
	{ "#hash stays", "#hash stays" },
	{ "C#", "C#" },
	{ "# C#", "C#" },
	{ "- [ ] **Do** it", "Do it" },
	{ "1. first", "first" },
	{ "12) twelfth", "twelfth" },
	{ "2026 was a year", "2026 was a year" },
	{ "> quoted\n\nasked", "asked" },
	{ "> only **quoted**\n> more", "only quoted" },
	{ "```c\nint x;\n```\nWhy x?", "Why x?" },
	{ "```c\nint x;\n```", "int x;" },
	{ "```\nint x;", "int x;" },
	{ "<!-- killick:1 -->\nWhy?", "Why?" },
	{ "<!-- a\nb -->rest\nWhy?", "rest" },
	{ "<!-- never closed\nWhy?", "(no text)" },
	{ "---\nTitle\n===", "Title" },
	{ "* * *\nx", "x" },
	{ "See [limits](ops/limits.md) and ![dot](x.png)", "See limits and dot" },
	{ "See [limits][1] and [this] or [that](", "See limits and [this] or [that](" },
	{ "Use `a * b * c` and ``x`y``", "Use a * b * c and x`y" },
	{ "a * b * c and 2*3*4", "a * b * c and 234" },
	{ "snake_case_name stays, _this_ goes", "snake_case_name stays, this goes" },
	{ "*one **two** three* ~~four~~ ~five~", "one two three four ~five~" },
	{ "**unclosed and `open", "**unclosed and `open" },
	{ "\\*not\\* \\a", "*not* \\a" },
	{ "<https://x.org/a> <b@x.org> <b> vector<int>", "https://x.org/a b@x.org <b> vector<int>" },
	{ "a\tb \x01 c\x7f" "d", "a b c d" },
	{ "tab\r\nnext", "tab" },
	{ "", "(no text)" },
	{ " \n \n", "(no text)" },
	{ "***", "(no text)" },
	{ "#", "(no text)" },
	{ "> ", "(no text)" },
	{ "[](x)", "[](x)" },
};

static void test_titles(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(titles); i++) {
		struct buf b = BUF_INIT;

		buf_addstr(&b, "x ");
		title_from_body(&b, titles[i].body);
		assert_memory_equal(b.ptr, "x ", 2);
		assert_string_equal(b.ptr + 2, titles[i].title);
		buf_release(&b);
	}
}

/* A family of four is one cluster of 25 bytes. */
#define FAMILY "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7\xe2\x80\x8d\xf0\x9f\x91\xa6"

static void test_titles_are_cut_between_clusters(void **state)
{
	struct buf body = BUF_INIT, b = BUF_INIT;

	(void)state;
	buf_addchn(&body, 'x', TITLE_MAX);
	title_from_body(&b, body.ptr);
	assert_int_equal(b.len, TITLE_MAX);
	buf_addch(&body, 'y');
	buf_reset(&b);
	title_from_body(&b, body.ptr);
	assert_int_equal(b.len, TITLE_MAX);
	assert_string_equal(b.ptr + b.len - 4, "x\xe2\x80\xa6");

	for (size_t lead = 0; lead < 26; lead++) {
		buf_reset(&body);
		buf_reset(&b);
		buf_addchn(&body, 'x', lead);
		for (int i = 0; i < 40; i++)
			buf_addstr(&body, FAMILY);
		title_from_body(&b, body.ptr);
		assert_true(b.len <= TITLE_MAX);
		assert_int_equal((b.len - lead - 3) % strlen(FAMILY), 0);
		assert_true(str_ends(b.ptr, "\xe2\x80\xa6"));
	}
	/* One cluster longer than a title. */
	buf_reset(&body);
	buf_reset(&b);
	buf_addch(&body, 'e');
	for (int i = 0; i < 500; i++)
		buf_addstr(&body, "\xcc\x81");
	title_from_body(&b, body.ptr);
	assert_true(b.len <= TITLE_MAX && b.len > 100);
	assert_true(utf8_valid(b.ptr, b.len));
	buf_release(&body);
	buf_release(&b);
}

/* Lines made to be slow: the work must stay in proportion. Under valgrind and sanitizers this is the test that hangs. */
static void test_hostile_titles(void **state)
{
	static const char *const bits[] = { "*a", "_a ", "[", "](", "`", "``a`", "~~", "<", "\\", "[a](", "**a*", "\xff", "![" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		struct buf body = BUF_INIT, b = BUF_INIT;

		while (body.len < 200000)
			buf_addstr(&body, bits[i]);
		title_from_body(&b, body.ptr);
		assert_true(b.len <= TITLE_MAX);
		buf_reset(&b);
		buf_reset(&body);
		while (body.len < 200000)
			buf_addf(&body, "%s\n", bits[i]);
		title_from_body(&b, body.ptr);
		assert_true(b.len <= TITLE_MAX);
		buf_release(&body);
		buf_release(&b);
	}
}

static void test_one_line(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	title_one_line(&b, " a\n\tb\x1b[31m  c ");
	assert_string_equal(b.ptr, "a b [31m c");
	buf_reset(&b);
	title_one_line(&b, " \n ");
	assert_string_equal(b.ptr, "");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_come_back),
		cmocka_unit_test(test_no_such_name),
		cmocka_unit_test(test_glyphs),
		cmocka_unit_test(test_thread_document),
		cmocka_unit_test(test_task_document),
		cmocka_unit_test(test_person_texts),
		cmocka_unit_test(test_who_is_who),
		cmocka_unit_test(test_titles),
		cmocka_unit_test(test_titles_are_cut_between_clusters),
		cmocka_unit_test(test_hostile_titles),
		cmocka_unit_test(test_one_line),
	};

	return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
