/* SPDX-License-Identifier: MIT */
/* Records: both ways through JSON, what is refused, ids, and what they fold to. */
#include "unit.h"
#include "killick/base/clock.h"
#include "killick/model/record.h"

#define T0 INT64_C(1767322800000)
#define SEC INT64_C(1000)

static const struct record_source github = { "github", "github.com/acme/widget", "github" };
static const struct person ana = { "Ana Lim", NULL, "ana" }, bo = { NULL, NULL, "bo" };

static int parse(struct arena *a, const char *line, struct record *r, struct buf *text)
{
	struct err e = ERR_INIT;
	int rc = record_parse(a, line, strlen(line), r, &e);
	json_t *j = rc ? NULL : record_json(r);

	if (rc)
		assert_int_equal(e.code, ERR_BAD_DATA);
	else
		json_write(text, j);
	json_decref(j);
	return rc;
}

/* There are two readers: a real, which is rare, sends the quick one away. Both read the same. */
static int read_into(struct arena *a, const char *line, struct record *r)
{
	struct buf quick = BUF_INIT, slow = BUF_INIT, real = BUF_INIT;
	struct record other;
	int rc = parse(a, line, r, &quick);

	if (str_ends(line, "}")) {
		buf_add(&real, line, strlen(line) - 1);
		buf_addstr(&real, str_ends(line, "{}") ? "\"z\":1.5}" : ",\"z\":1.5}");
		assert_int_equal(parse(a, real.ptr, &other, &slow), rc);
		assert_string_equal(quick.ptr, slow.ptr);
	}
	buf_release(&quick);
	buf_release(&slow);
	buf_release(&real);
	return rc;
}

/* Written, read, written again: the same text, and it says all that there is to say. */
static void check_both_ways(const struct record *r, const char *want)
{
	struct arena a = ARENA_INIT;
	struct buf one = BUF_INIT, two = BUF_INIT;
	struct record back;
	json_t *j = record_json(r);

	json_write(&one, j);
	json_decref(j);
	if (want)
		assert_string_equal(one.ptr, want);
	assert_int_equal(read_into(&a, one.ptr, &back), 0);
	j = record_json(&back);
	json_write(&two, j);
	json_decref(j);
	assert_string_equal(one.ptr, two.ptr);
	buf_release(&one);
	buf_release(&two);
	arena_release(&a);
}

static void test_both_ways(void **state)
{
	static const char *const labels[] = { "bug", "net" }, *const kinds[] = { "comment" }, *const keys[] = { "1", "2" };
	const struct anchor an = { .type = ANCHOR_LINES, .path = "src/x.c", .line = 3, .end = 5,
		.commit = "1111111111111111111111111111111111111111", .quote = "int x;" };
	const struct reaction re = { .emoji = "+1", .n = 2, .mine = true };

	(void)state;
	check_both_ways(&(struct record){ .type = RECORD_TASK, .task = { .key = "412", .name = "GH-412", .state = TASK_CLOSED,
		.title = "T", .body = "b", .author = ana, .assignees = &bo, .n_assignees = 1, .labels = labels, .n_labels = 2,
		.created = T0, .updated = T0 + SEC, .n_notes = 3, .url = "https://x/412", .milestone = "1.0", .locked = true } },
		"{\"record\":\"task\",\"key\":\"412\",\"name\":\"GH-412\",\"title\":\"T\",\"body\":\"b\",\"author\":{\"name\":\"Ana Lim\","
		"\"login\":\"ana\"},\"milestone\":\"1.0\",\"created\":\"2026-01-02T03:00:00Z\",\"updated\":\"2026-01-02T03:00:01Z\","
		"\"url\":\"https://x/412\",\"notes\":3,\"locked\":true,\"state\":\"closed\",\"assignees\":[{\"login\":\"bo\"}],"
		"\"labels\":[\"bug\",\"net\"]}");
	check_both_ways(&(struct record){ .type = RECORD_TASK, .task = { .key = "58", .name = "!58", .title = "", .change = true,
		.draft = true, .head = "a", .base = "b", .head_ref = "c", .base_ref = "d", .lossy = true, .private_ = true,
		.status = "WIP", .n_notes = -1 } }, NULL);
	check_both_ways(&(struct record){ .type = RECORD_NOTE, .note = { .key = "r9", .task = "58", .thread = "t1", .reply_to = "r8",
		.kind = NOTE_CODE, .author = bo, .created = T0, .updated = T0, .body = "x", .wire = "w", .url = "u", .anchor = &an,
		.hint = &an, .verdict = "approve", .private_ = true, .pending = true, .can_edit = true, .can_delete = true,
		.lossy = true, .reactions = &re, .n_reactions = 1 } }, NULL);
	check_both_ways(&(struct record){ .type = RECORD_THREAD, .thread = { .key = "t1", .task = "58", .handle = "PRRT_x",
		.resolved = 1, .by = ana, .can_resolve = true, .can_reply = true } }, NULL);
	check_both_ways(&(struct record){ .type = RECORD_THREAD, .thread = { .key = "t1", .task = "58", .resolved = -1 } },
		"{\"record\":\"thread\",\"key\":\"t1\",\"task\":\"58\"}");
	check_both_ways(&(struct record){ .type = RECORD_GONE, .gone = { RECORD_NOTE, "r9", "58", "deleted" } }, NULL);
	check_both_ways(&(struct record){ .type = RECORD_LIST, .list = { "58", kinds, 1, keys, 2 } },
		"{\"record\":\"list\",\"task\":\"58\",\"kinds\":[\"comment\"],\"keys\":[\"1\",\"2\"]}");
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"", "[]", "{}", "{\"record\":\"x\"}", "{\"record\":\"task\"}",
		"{\"record\":\"task\",\"key\":\"\",\"name\":\"A\",\"title\":\"t\",\"state\":\"open\"}",
		"{\"record\":\"task\",\"key\":\"1\",\"title\":\"t\",\"state\":\"open\"}",
		"{\"record\":\"task\",\"key\":1,\"name\":\"A\",\"title\":\"t\",\"state\":\"open\"}",
		"{\"record\":\"task\",\"key\":\"1\\u0001\",\"name\":\"A\",\"title\":\"t\",\"state\":\"open\"}",
		"{\"record\":\"task\",\"key\":\"1\",\"name\":\"A\",\"title\":\"t\",\"state\":\"shut\"}",
		"{\"record\":\"task\",\"key\":\"1\",\"name\":\"A\",\"title\":\"t\",\"state\":\"open\",\"created\":\"yesterday\"}",
		"{\"record\":\"task\",\"key\":\"1\",\"name\":\"A\",\"title\":\"t\",\"state\":\"open\",\"labels\":\"x\"}",
		"{\"record\":\"task\",\"key\":\"1\",\"name\":\"A\",\"title\":\"t\",\"state\":\"open\",\"labels\":[1]}",
		"{\"record\":\"task\",\"key\":\"1\",\"name\":\"A\",\"title\":\"t\",\"state\":\"open\",\"author\":\"x\"}",
		"{\"record\":\"task\",\"key\":\"1\",\"name\":\"A\",\"title\":\"t\",\"state\":\"open\",\"change\":1}",
		"{\"record\":\"note\",\"key\":\"1\",\"kind\":\"comment\"}",
		"{\"record\":\"note\",\"key\":\"1\",\"task\":\"1\",\"kind\":\"shout\"}",
		"{\"record\":\"note\",\"key\":\"1\",\"task\":\"1\",\"kind\":\"code\",\"anchor\":{\"type\":\"lines\",\"path\":\"../x\",\"line\":1}}",
		"{\"record\":\"note\",\"key\":\"1\",\"task\":\"1\",\"kind\":\"code\",\"reactions\":[[\"+1\",-1,false]]}",
		"{\"record\":\"thread\",\"key\":\"1\",\"resolved\":\"yes\"}",
		"{\"record\":\"gone\",\"key\":\"1\",\"of\":\"list\",\"why\":\"deleted\"}",
		"{\"record\":\"gone\",\"key\":\"1\",\"of\":\"note\",\"why\":\"lost\"}",
		"{\"record\":\"list\",\"task\":\"1\",\"kinds\":[\"comment\"],\"keys\":{}}",
		"{\"record\":\"thread\",\"key\":\"1\",\"key\":\"1\"}", "{\"record\":\"thread\",\"key\":\"1\",\"record\":\"thread\"}",
		"{\"record\":\"thread\",\"key\":\"1\",\"later\":1,\"later\":2}", "{\"record\":\"thread\",\"key\":\"1\",\"by\":null,\"by\":null}",
		"{\"record\":\"thread\",\"key\":\"1\",\"by\":{\"name\":\"a\",\"name\":\"b\"}}", "{\"record\":\"thread\",\"key\":null}",
		"{\"record\":\"thread\",\"key\":\"1\",\"later\":{\"a\":1,\"a\":2}}", "{\"record\":\"thread\",\"key\":\"1\"", "{\"record\":\"thread\",\"key\":\"1\"}}",
	};
	static const char *const good[] = {
		"{\"key\":\"1\",\"record\":\"thread\"}", "{\"record\":\"thread\",\"ke\\u0079\":\"1\"}", " { \"record\" : \"thread\" , \"key\" : \"1\" } ",
		"{\"record\":\"thread\",\"key\":\"1\",\"by\":null,\"later\":[{\"x\":[]},null]}",
		"{\"record\":\"thread\",\"key\":\"1\",\"by\":{\"login\":\"a\\\"\\u00e9\",\"name\":null,\"id\":7}}",
		"{\"by\":{\"email\":\"e\"},\"key\":\"1\",\"task\":\"\\ud83d\\ude00\",\"record\":\"thread\",\"resolved\":null}",
	};
	struct arena a = ARENA_INIT;
	struct record r;
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!read_into(&a, bad[i], &r))
			fail_msg("taken: %s", bad[i]);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (read_into(&a, good[i], &r))
			fail_msg("refused: %s", good[i]);
	buf_addstr(&b, "{\"record\":\"note\",\"task\":\"1\",\"kind\":\"comment\",\"key\":\"");
	buf_addchn(&b, 'k', 256);
	buf_addstr(&b, "\"}");
	assert_int_equal(read_into(&a, b.ptr, &r), -1);
	buf_reset(&b);
	buf_addstr(&b, "{\"record\":\"note\",\"task\":\"1\",\"kind\":\"comment\",\"key\":\"1\",\"body\":\"");
	buf_addchn(&b, 'x', (1 << 20) + 1);
	buf_addstr(&b, "\"}");
	assert_int_equal(read_into(&a, b.ptr, &r), -1);
	assert_int_equal(read_into(&a, "{\"record\":\"note\",\"key\":\"1\",\"task\":\"1\",\"kind\":\"comment\",\"later\":{}}", &r), 0);
	buf_release(&b);
	arena_release(&a);
}

static void test_ids(void **state)
{
	char a[SHA256_HEX], b[SHA256_HEX], c[SHA256_HEX];

	(void)state;
	record_entity("github", "github.com/acme/widget", RECORD_NOTE, NULL, "12", a);
	assert_string_equal(a, "7dcd4c3c912504f3629b08c57cb4d477e5fbc4cb84a78d856177293feb5b0e2e");
	record_entity("github", "github.com/acme/widget", RECORD_THREAD, "1", "2", b);
	record_entity("github", "github.com/acme/widget", RECORD_THREAD, "12", "", c);
	assert_string_not_equal(b, c);
	assert_int_equal(record_number("GH-412"), 412);
	assert_int_equal(record_number("!58"), 58);
	assert_int_equal(record_number("PROJ"), 0);
	assert_int_equal(record_number("X-99999999999"), 0);
}

static void test_marks(void **state)
{
	char id[33];
	size_t len;

	(void)state;
	assert_true(record_mark("hello\n\n<!-- killick:0123456789abcdef0123456789abcdef -->\n", id, &len));
	assert_string_equal(id, "0123456789abcdef0123456789abcdef");
	assert_int_equal(len, 5);
	assert_true(record_mark("<!-- killick:0123456789abcdef0123456789abcdef -->", id, &len));
	assert_int_equal(len, 0);
	assert_false(record_mark("x <!-- killick:0123456789abcdef0123456789abcdef -->", id, &len));
	assert_false(record_mark("<!-- killick:0123456789abcdef0123456789abcdeg -->", id, &len));
	assert_false(record_mark("<!-- killick:0123456789abcdef0123456789abcdef --> more", id, &len));
	assert_false(record_mark("", id, &len));
}

static struct record_note note(const char *key, const struct person *by, int64_t at, const char *body)
{
	return (struct record_note){ .key = key, .task = "412", .author = *by, .created = T0 + at * SEC,
		.updated = T0 + at * SEC, .body = body };
}

static void test_conversation(void **state)
{
	struct arena a = ARENA_INIT;
	static const char *const labels[] = { "bug" };
	struct record_task k = { .key = "412", .name = "GH-412", .title = "Which release?", .author = ana, .created = T0,
		.updated = T0, .assignees = &bo, .n_assignees = 1, .labels = labels, .n_labels = 1, .url = "https://x/412" };
	struct record_note n[] = { note("10", &bo, 5, "two\r\nlines\n\n<!-- killick:0123456789abcdef0123456789abcdef -->"),
		note("9", &ana, 5, "one"), note("11", &bo, 7, ""), note("12", &bo, 8, "closed this"), note("outbox:x", &ana, 1, "mine") };
	char hex[SHA256_HEX];
	struct fold f;

	(void)state;
	n[2].kind = NOTE_REVIEW;
	n[3].kind = NOTE_EVENT;
	n[4].unsent = POST_QUEUED;
	assert_true(record_fold_thread(&a, &github, &k, NULL, n, ARRAY_SIZE(n), false, &f));
	assert_int_equal(f.t.n_posts, 3);
	assert_string_equal(f.t.posts[0].body, "one");
	assert_string_equal(f.t.posts[1].body, "two\nlines");
	assert_string_equal(f.t.posts[2].body, "mine");
	assert_int_equal(f.t.posts[2].state, POST_QUEUED);
	assert_string_equal(f.t.title, "Which release?");
	assert_int_equal(f.t.kind, KIND_NOTE);
	assert_int_equal(f.t.state, STATE_OPEN);
	assert_int_equal(f.t.anchor.type, ANCHOR_TASK);
	assert_string_equal(f.t.anchor.task, "GH-412");
	assert_int_equal(f.t.updated, T0 + 5 * SEC);
	assert_string_equal(f.t.author.login, "ana");
	assert_int_equal(f.t.n_asked, 1);
	assert_string_equal(f.t.labels[0], "bug");
	record_entity(github.kind, github.key, RECORD_THREAD, "412", "", hex);
	assert_string_equal(f.t.id + 1, hex);
	k.state = TASK_MERGED;
	assert_true(record_fold_thread(&a, &github, &k, NULL, n, 1, false, &f));
	assert_int_equal(f.t.state, STATE_RESOLVED);
	assert_false(record_fold_thread(&a, &github, &k, NULL, n + 2, 2, false, &f));
	assert_false(record_fold_thread(&a, &github, NULL, NULL, n, 1, false, &f));
	assert_true(record_fold_thread(&a, &github, &k, NULL, n + 2, 2, true, &f));
	assert_int_equal(f.t.n_posts, 0);
	assert_string_equal(f.t.last_author.login, "ana");
	n[2].verdict = "approve";
	assert_true(record_fold_thread(&a, &github, &k, NULL, n + 2, 1, false, &f));
	assert_string_equal(f.t.posts[0].body, "*approved this change*");
	arena_release(&a);
}

static void test_code_thread(void **state)
{
	struct arena a = ARENA_INIT;
	const struct anchor an = { .type = ANCHOR_LINES, .path = "src/x.c", .line = 3, .end = 5,
		.commit = "1111111111111111111111111111111111111111" };
	struct record_task k = { .key = "58", .name = "!58", .title = "Change", .change = true, .author = ana, .created = T0 };
	struct record_thread th = { .key = "7", .task = "58", .resolved = 0, .by = bo };
	struct record_note n[] = { note("8", &ana, 2, "no"), note("7", &bo, 1, "**This** leaks") };
	struct fold f;

	(void)state;
	for (int i = 0; i < 2; i++) {
		n[i].kind = NOTE_CODE;
		n[i].task = "58";
		n[i].thread = "7";
		n[i].anchor = &an;
	}
	assert_true(record_fold_thread(&a, &github, &k, &th, n, 2, false, &f));
	assert_int_equal(f.t.kind, KIND_REMARK);
	assert_int_equal(f.t.state, STATE_OPEN);
	assert_string_equal(f.t.title, "This leaks");
	assert_string_equal(f.t.author.login, "bo");
	assert_string_equal(f.t.last_author.login, "ana");
	assert_int_equal(f.t.anchor.line, 3);
	assert_string_equal(f.t.links[0], "!58");
	assert_int_equal(f.t.n_asked, 1);
	assert_string_equal(f.t.asked[0].login, "ana");
	record_patch_thread(&th, json_null());
	th.resolved = 1;
	assert_true(record_fold_thread(&a, &github, &k, &th, n, 2, false, &f));
	assert_int_equal(f.t.state, STATE_RESOLVED);
	assert_string_equal(f.closer.login, "bo");
	th.resolved = -1;
	k.state = TASK_MERGED;
	assert_true(record_fold_thread(&a, &github, &k, NULL, n, 2, false, &f));
	assert_int_equal(f.t.state, STATE_RESOLVED);
	n[0].task = n[1].task = NULL;
	n[0].kind = n[1].kind = NOTE_COMMIT;
	assert_true(record_fold_thread(&a, &github, NULL, NULL, n, 2, false, &f));
	assert_int_equal(f.t.kind, KIND_NOTE);
	assert_int_equal(f.t.n_links, 0);
	arena_release(&a);
}

static void test_task_and_patches(void **state)
{
	struct arena a = ARENA_INIT;
	static const char *const labels[] = { "bug", "net" };
	struct record_task k = { .key = "412", .name = "GH-412", .title = " A\ntitle ", .body = "text", .author = ana, .created = T0,
		.labels = labels, .n_labels = 2, .assignees = &bo, .n_assignees = 1 };
	json_t *patch = json_pack("{s:s,s:s,s:[s,s],s:[s],s:[{s:s}],s:[{s:s}]}", "of", "task", "state", "closed", "add_labels",
		"ui", "net", "drop_labels", "bug", "add_people", "login", "ana", "drop_people", "login", "bo");
	struct fold f;

	(void)state;
	record_patch_task(&a, &k, patch);
	json_decref(patch);
	assert_true(record_fold_task(&a, &github, &k, &f));
	assert_true(f.task);
	assert_string_equal(f.name, "GH-412");
	assert_string_equal(f.k.title, "A title");
	assert_int_equal(f.k.state, TASK_CLOSED);
	assert_int_equal(f.k.n_labels, 2);
	assert_string_equal(f.k.labels[0], "ui");
	assert_string_equal(f.k.labels[1], "net");
	assert_int_equal(f.k.n_assignees, 1);
	assert_string_equal(f.k.assignees[0].login, "ana");
	assert_false(record_fold_task(&a, &github, NULL, &f));
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways), cmocka_unit_test(test_refused), cmocka_unit_test(test_ids),
		cmocka_unit_test(test_marks), cmocka_unit_test(test_conversation), cmocka_unit_test(test_code_thread),
		cmocka_unit_test(test_task_and_patches),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
