/* SPDX-License-Identifier: MIT */
/* A tracker's records in the index: they come out as tasks and threads like any others. */
#include "store.h"
#include "killick/model/record.h"

#define T0 NOW
#define OK(call) do { \
	struct err ok_e = ERR_INIT; \
	err = &ok_e; \
	if (call) \
		fail_msg("%s: %s", #call, ok_e.msg); \
} while (0)
static struct err *err; /* of the OK() that runs */

struct fix { char *dir; struct index *ix; int64_t repo, source; struct scope s; struct arena a; };
static const char *const ana_me[] = { "ana@x.org", "login:github.com/ana", NULL };

static void begin(struct fix *f)
{
	OK(index_begin(f->ix, 1000, err));
}

static void commit(struct fix *f)
{
	OK(index_fold(f->ix, f->source, err));
	OK(index_commit(f->ix, err));
}

static int setup(void **state)
{
	struct fix *f = xcalloc(1, sizeof(*f));

	f->dir = scratch_make();
	setenv("XDG_CACHE_HOME", f->dir, 1);
	OK(index_open(&f->ix, err));
	begin(f);
	f->repo = index_repo(f->ix, "/r/.git", true);
	f->source = index_source(f->ix, f->repo, "github", "github.com/acme/widget", "gh", true);
	OK(index_identity(f->ix, f->repo, "Ana Lim", ana_me, err));
	commit(f);
	f->s = (struct scope){ .repo = f->repo, .me = ana_me };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	index_close(f->ix);
	arena_release(&f->a);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

static void put_with(struct fix *f, const char *line, const struct anchor *links, size_t n)
{
	struct record r;
	struct record_put p = { .r = &r, .bytes = line, .n = strlen(line), .links = links, .n_links = n, .began = INT64_MAX };

	OK(record_parse(&f->a, line, strlen(line), &r, err));
	begin(f);
	OK(index_put_record(f->ix, f->source, &p, err));
	commit(f);
}

static void put(struct fix *f, const char *line)
{
	put_with(f, line, NULL, 0);
}

#define AT(n) "\"created\":\"2026-01-02T03:00:0" #n "Z\",\"updated\":\"2026-01-02T03:00:0" #n "Z\""
#define TASK(key, name, title, state, more) "{\"record\":\"task\",\"key\":\"" key "\",\"name\":\"" name "\",\"title\":\"" title \
	"\",\"state\":\"" state "\",\"author\":{\"login\":\"bo\"}," more "\"created\":\"2026-01-02T03:00:00Z\"," \
	"\"updated\":\"2026-01-02T03:00:00Z\"}"
#define NOTE(key, task, kind, login, n, body, more) "{\"record\":\"note\",\"key\":\"" key "\",\"task\":\"" task "\",\"kind\":\"" kind \
	"\",\"author\":{\"login\":\"" login "\"}," more AT(n) ",\"body\":\"" body "\"}"

static struct query *query_of(struct fix *f, const char *text)
{
	struct query *q;

	OK(query_parse(&f->a, text, T0 + DAY, &q, err));
	return q;
}

static const char *threads(struct fix *f, const char *text)
{
	struct thread_find find = { .query = query_of(f, text) };
	struct thread_list l;
	struct buf b = BUF_INIT;
	const char *out;
	uint64_t n;

	OK(index_threads(f->ix, &f->s, &find, &f->a, &l, err));
	OK(index_count_threads(f->ix, &f->s, find.query, &n, err));
	assert_int_equal(n, l.len);
	for (size_t i = 0; i < l.len; i++)
		buf_addf(&b, "%s%s", i ? "|" : "", l.items[i].title);
	out = arena_strdup(&f->a, b.ptr);
	buf_release(&b);
	return out;
}

static const char *tasks(struct fix *f, const char *text)
{
	struct task_list l;
	struct buf b = BUF_INIT;
	const char *out;

	OK(index_tasks(f->ix, &f->s, query_of(f, text), 0, 0, &f->a, &l, err));
	for (size_t i = 0; i < l.len; i++)
		buf_addf(&b, "%s%s", i ? "|" : "", l.items[i].id);
	out = arena_strdup(&f->a, b.ptr);
	buf_release(&b);
	return out;
}

static struct thread thread_of(struct fix *f, const char *query)
{
	struct thread_find find = { .query = query_of(f, query), .posts = true };
	struct thread_list l;

	OK(index_threads(f->ix, &f->s, &find, &f->a, &l, err));
	assert_int_equal(l.len, 1);
	return l.items[0];
}

static void fill(struct fix *f)
{
	put(f, NOTE("10", "412", "comment", "bo", 5, "I think *soon* is best", ""));
	put(f, TASK("412", "GH-412", "Which release?", "open", "\"assignees\":[{\"login\":\"ana\"}],\"labels\":[\"bug\"],"));
	put(f, TASK("58", "!58", "Retry", "open", "\"change\":true,\"head\":\"2222222222222222222222222222222222222222\","));
	put(f, "{\"record\":\"thread\",\"key\":\"7\",\"task\":\"58\",\"resolved\":false,\"can_reply\":true}");
	put(f, NOTE("7", "58", "code", "chen", 6, "This leaks", "\"thread\":\"7\",\"anchor\":{\"type\":\"lines\",\"path\":\"src/x.c\","
		"\"line\":3,\"end\":5,\"commit\":\"1111111111111111111111111111111111111111\"},"));
}

static void shows_tasks_and_threads(void **state)
{
	struct fix *f = *state;
	struct task k;
	struct thread t;

	fill(f);
	assert_string_equal(tasks(f, ""), "!58|GH-412");
	assert_string_equal(tasks(f, "is:change"), "!58");
	assert_string_equal(tasks(f, "assignee:me"), "GH-412");
	assert_string_equal(tasks(f, "label:bug source:gh"), "GH-412");
	assert_string_equal(tasks(f, "author:bo release"), "GH-412");
	OK(index_task(f->ix, &f->s, "GH-412", &f->a, &k, err));
	assert_string_equal(k.title, "Which release?");
	assert_string_equal(k.source, "gh");
	assert_string_equal(k.author.login, "bo");
	assert_string_equal(k.assignees[0].login, "ana");
	assert_int_equal(k.n_threads, 1);
	OK(index_task(f->ix, &f->s, "#412", &f->a, &k, err));
	assert_string_equal(k.id, "GH-412");
	OK(index_task(f->ix, &f->s, "!58", &f->a, &k, err));
	assert_int_equal(k.n_threads, 1);
	assert_int_equal(k.n_open, 1);
	assert_int_equal(index_task(f->ix, &f->s, "!412", &f->a, &k, &(struct err)ERR_INIT), -1);
	assert_string_equal(threads(f, ""), "This leaks|Which release?");
	assert_string_equal(threads(f, "task:GH-412"), "Which release?");
	assert_string_equal(threads(f, "task:!58"), "This leaks");
	assert_string_equal(threads(f, "on:src"), "This leaks");
	assert_string_equal(threads(f, "soon"), "Which release?");
	assert_string_equal(threads(f, "by:chen"), "This leaks");
	t = thread_of(f, "task:58");
	assert_string_equal(t.source, "gh");
	assert_int_equal(t.anchor.line, 3);
	assert_string_equal(t.posts[0].author.login, "chen");
}

static void waits_and_unread(void **state)
{
	struct fix *f = *state;
	struct source_row row;

	fill(f);
	assert_string_equal(threads(f, "waiting:me"), "Which release?");
	assert_string_equal(threads(f, "is:unread"), "This leaks|Which release?");
	begin(f);
	index_source_get(f->ix, f->source, &f->a, &row);
	row.since = T0 + 6 * SEC;
	OK(index_source_set(f->ix, &row, err));
	commit(f);
	put(f, NOTE("11", "412", "comment", "bo", 7, "or now", ""));
	put(f, NOTE("8", "58", "code", "ana", 8, "no", "\"thread\":\"7\","));
	assert_string_equal(threads(f, "is:unread"), "Which release?");
	assert_int_equal(thread_of(f, "task:GH-412").n_unread, 1);
	assert_true(thread_of(f, "task:GH-412").posts[1].unread);
	assert_string_equal(threads(f, "waiting:others"), "This leaks");
	assert_true(thread_of(f, "task:!58").posts[1].mine);
}

/* A login that turns out to be mine: what I wrote under it is not what others wrote before the first pull. */
static void a_login_joins_later(void **state)
{
	struct fix *f = *state;
	static const char *me[] = { NULL, NULL, "login:github.com/lim", NULL };
	struct source_row row;

	me[0] = ana_me[0];
	me[1] = ana_me[1];
	put(f, TASK("412", "GH-412", "Which release?", "open", "\"assignees\":[{\"login\":\"ana\"}],"));
	put(f, NOTE("10", "412", "comment", "bo", 5, "soon", ""));
	put(f, NOTE("11", "412", "comment", "lim", 6, "mine, as it turns out", ""));
	begin(f);
	index_source_get(f->ix, f->source, &f->a, &row);
	row.since = T0 + 6 * SEC;
	OK(index_source_set(f->ix, &row, err));
	OK(index_identity(f->ix, f->repo, "Ana Lim", me, err));
	commit(f);
	put(f, NOTE("12", "412", "comment", "bo", 7, "or now", ""));
	assert_int_equal(thread_of(f, "task:GH-412").n_unread, 1);
}

static void newer_wins_and_gone_goes(void **state)
{
	struct fix *f = *state;
	struct record r;

	fill(f);
	put(f, NOTE("10", "412", "comment", "bo", 4, "older", ""));
	assert_string_equal(thread_of(f, "task:GH-412").posts[0].body, "I think *soon* is best");
	put(f, NOTE("10", "412", "comment", "bo", 6, "newer", ""));
	assert_string_equal(thread_of(f, "task:GH-412").posts[0].body, "newer");
	put(f, NOTE("12", "412", "comment", "bo", 7, "second", ""));
	put(f, "{\"record\":\"list\",\"task\":\"412\",\"kinds\":[\"comment\"],\"keys\":[\"12\"]}");
	assert_int_equal(thread_of(f, "task:GH-412").n_posts, 1);
	OK(index_record(f->ix, f->source, RECORD_NOTE, NULL, "12", &f->a, &r, err));
	assert_string_equal(r.note.body, "second");
	assert_int_equal(index_record(f->ix, f->source, RECORD_NOTE, NULL, "10", &f->a, &r, &(struct err)ERR_INIT), -1);
	put(f, "{\"record\":\"gone\",\"of\":\"task\",\"key\":\"58\",\"why\":\"hidden\"}");
	assert_string_equal(threads(f, "on:src"), "This leaks");
	put(f, "{\"record\":\"gone\",\"of\":\"task\",\"key\":\"58\",\"why\":\"deleted\"}");
	assert_string_equal(threads(f, ""), "Which release?");
	assert_string_equal(tasks(f, ""), "GH-412");
	put(f, "{\"record\":\"gone\",\"of\":\"note\",\"key\":\"12\",\"task\":\"412\",\"why\":\"deleted\"}");
	assert_string_equal(threads(f, ""), "");
	put(f, NOTE("12", "412", "comment", "bo", 7, "second", ""));
	assert_string_equal(threads(f, ""), "Which release?");
}

static void state_and_names_follow(void **state)
{
	struct fix *f = *state;

	fill(f);
	put(f, "{\"record\":\"thread\",\"key\":\"7\",\"task\":\"58\",\"resolved\":true,\"by\":{\"login\":\"ana\"}}");
	assert_string_equal(threads(f, "is:resolved"), "This leaks");
	put(f, "{\"record\":\"thread\",\"key\":\"7\",\"task\":\"58\",\"resolved\":false}");
	assert_string_equal(threads(f, "is:resolved"), "");
	put(f, TASK("58", "!58", "Retry", "merged", "\"change\":true,"));
	assert_string_equal(threads(f, "is:resolved"), "This leaks");
	assert_string_equal(tasks(f, "is:merged"), "!58");
	put(f, TASK("412", "GH-412", "When?", "closed", ""));
	assert_string_equal(threads(f, "is:resolved"), "This leaks|When?");
	put(f, TASK("412", "X-1", "When?", "closed", ""));
	assert_string_equal(threads(f, "task:X-1"), "When?");
}

static size_t at(struct fix *f, const char *path, struct thread *one)
{
	struct thread_list l;

	OK(index_threads_at(f->ix, &f->s, path, &f->a, &l, err));
	if (l.len)
		*one = l.items[0];
	return l.len;
}

static void permalinks_are_anchors(void **state)
{
	struct fix *f = *state;
	const struct anchor an = { .type = ANCHOR_LINES, .path = "src/y.c", .line = 10, .end = 20,
		.commit = "1111111111111111111111111111111111111111", .quote = "int y;" };
	struct thread t, whole;
	struct record r;

	fill(f);
	put_with(f, NOTE("13", "412", "comment", "bo", 7, "https://github.com/x\\n\\nWhy this?", ""), &an, 1);
	assert_int_equal(at(f, "src/y.c", &t), 1);
	assert_string_equal(t.title, "Why this?");
	assert_int_equal(t.anchor.line, 10);
	assert_string_equal(t.anchor.quote, "int y;");
	whole = thread_of(f, "task:GH-412");
	assert_string_equal(t.id, whole.id);
	assert_int_not_equal(t.row, whole.row);
	assert_int_equal(whole.n_posts, 2);
	assert_int_equal(t.n_posts, 2);
	assert_string_equal(threads(f, ""), "Which release?|This leaks");
	assert_string_equal(threads(f, "on:src/y.c"), "Which release?");
	OK(index_thread(f->ix, &f->s, t.id, &f->a, &t, NULL, err));
	assert_int_equal(t.n_posts, 2);
	OK(index_post_record(f->ix, t.row, t.posts[1].id, &f->a, &r, err));
	assert_string_equal(r.note.key, "13");
	put(f, NOTE("13", "412", "comment", "bo", 8, "Why?", ""));
	assert_int_equal(at(f, "src/y.c", &t), 0);
	put_with(f, NOTE("13", "412", "comment", "bo", 9, "Why?", ""), &an, 1);
	put(f, "{\"record\":\"gone\",\"of\":\"task\",\"key\":\"412\",\"why\":\"deleted\"}");
	assert_int_equal(at(f, "src/y.c", &t), 0);
	put_with(f, TASK("500", "GH-500", "From code", "open", ""), &an, 1);
	assert_int_equal(at(f, "src/y.c", &t), 1);
	assert_string_equal(t.title, "From code");
	assert_string_equal(threads(f, "task:GH-500"), "From code");
}

static void unsent_is_laid_over(void **state)
{
	struct fix *f = *state;
	struct unsent_row rows[] = {
		{ "op1", "github", "github.com/acme/widget", RECORD_NOTE, "412", "", POST_QUEUED, "{\"of\":\"note\",\"note\":{\"record\":"
			"\"note\",\"key\":\"outbox:op1\",\"task\":\"412\",\"kind\":\"comment\",\"author\":{\"login\":\"ana\"},\"created\":"
			"\"2026-01-02T02:00:00Z\",\"body\":\"mine\"}}" },
		{ "op2", "github", "github.com/acme/widget", RECORD_TASK, "412", "", POST_QUEUED,
			"{\"of\":\"task\",\"key\":\"412\",\"state\":\"closed\"}" },
		{ "op3", "github", "github.com/acme/widget", RECORD_THREAD, "58", "7", POST_HELD,
			"{\"of\":\"thread\",\"key\":\"7\",\"task\":\"58\",\"resolved\":true}" },
		{ "op4", "github", "nowhere", RECORD_THREAD, "58", "7", POST_QUEUED, "{}" },
	};
	struct thread t;

	fill(f);
	begin(f);
	OK(index_put_unsent(f->ix, rows, 4, err));
	commit(f);
	t = thread_of(f, "task:GH-412");
	assert_int_equal(t.n_posts, 2);
	assert_string_equal(t.posts[1].body, "mine");
	assert_int_equal(t.posts[1].state, POST_QUEUED);
	assert_true(t.posts[1].mine);
	assert_int_equal(t.state, STATE_RESOLVED);
	assert_string_equal(tasks(f, "is:closed"), "GH-412");
	assert_string_equal(threads(f, "is:resolved"), "Which release?");
	rows[2].state = POST_QUEUED;
	rows[0].state = POST_FAILED;
	begin(f);
	OK(index_put_unsent(f->ix, rows, 3, err));
	commit(f);
	assert_int_equal(thread_of(f, "task:GH-412").posts[1].state, POST_FAILED);
	assert_string_equal(threads(f, "on:src is:resolved"), "This leaks");
	/* It arrives with our mark: shown once, whatever the outbox still says. */
	put(f, NOTE("14", "412", "comment", "ana", 8, "hi\\n\\n<!-- killick:00000000000000000000000000000001 -->", ""));
	rows[0].id = "00000000000000000000000000000001";
	begin(f);
	OK(index_put_unsent(f->ix, rows, 1, err));
	commit(f);
	t = thread_of(f, "task:GH-412");
	assert_int_equal(t.n_posts, 2);
	assert_string_equal(t.posts[1].body, "hi");
	assert_int_equal(t.state, STATE_OPEN);
	begin(f);
	OK(index_put_unsent(f->ix, NULL, 0, err));
	commit(f);
	assert_string_equal(threads(f, "on:src is:open"), "This leaks");
}

static void people_are_one(void **state)
{
	struct fix *f = *state;
	static const char *const chen_me[] = { "chen@y.org", "login:github.com/chen", NULL };

	fill(f);
	put(f, "{\"record\":\"note\",\"key\":\"16\",\"task\":\"58\",\"kind\":\"comment\",\"author\":{\"login\":\"mallory\",\"email\":"
		"\"ana@x.org\"}," AT(8) ",\"body\":\"gotcha\"}");
	assert_string_equal(threads(f, "with:me"), "Which release?");
	put(f, "{\"record\":\"note\",\"key\":\"17\",\"task\":\"58\",\"kind\":\"comment\",\"author\":{\"name\":\"Ana\",\"email\":"
		"\"1+ana@users.noreply.github.com\"}," AT(9) ",\"body\":\"me\"}");
	assert_string_equal(threads(f, "with:me"), "Retry|Which release?");
	begin(f);
	OK(index_identity(f->ix, f->repo, "Chen", chen_me, err));
	commit(f);
	f->s.me = chen_me;
	assert_string_equal(threads(f, "by:me"), "This leaks");
	f->s.me = ana_me;
}

static void forgets_a_source(void **state)
{
	struct fix *f = *state;

	fill(f);
	begin(f);
	OK(index_source_drop(f->ix, f->source, err));
	OK(index_commit(f->ix, err));
	assert_string_equal(threads(f, ""), "");
	assert_string_equal(tasks(f, ""), "");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(shows_tasks_and_threads), TEST(waits_and_unread), TEST(a_login_joins_later), TEST(newer_wins_and_gone_goes), TEST(state_and_names_follow),
		TEST(permalinks_are_anchors), TEST(unsent_is_laid_over), TEST(people_are_one), TEST(forgets_a_source),
	};

	return cmocka_run_group_tests_name("index, records", tests, NULL, NULL);
}
