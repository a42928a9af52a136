/* SPDX-License-Identifier: MIT */
/* The index: what comes out of what was put in; what becomes of its file; how the statements of the screens are run. */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "store.h"
#include "../../src/store/index-private.h"

struct fix {
	char *dir;
	struct index *ix;
	int64_t repo, source;
	struct scope s;
	struct arena a;
	struct maker m;
};

static const char *const ana_me[] = { "ana@x.org", NULL };

#define OK(call) do { \
	struct err ok_e = ERR_INIT; \
	err = &ok_e; \
	if (call) \
		fail_msg("%s: %s", #call, ok_e.msg); \
} while (0)
static struct err *err; /* of the OK() that runs */

static void begin(struct fix *f)
{
	OK(index_begin(f->ix, 1000, err));
}

static void commit(struct fix *f)
{
	OK(index_fold(f->ix, f->source, err));
	OK(index_commit(f->ix, err));
}

static void make_rows(struct fix *f)
{
	f->repo = index_repo(f->ix, "/r/.git", true);
	f->source = index_source(f->ix, f->repo, "native", "/r/.git/killick/store.git", "r", true);
	assert_true(f->repo > 0 && f->source > 0);
	OK(index_identity(f->ix, f->repo, "Ana Lim", ana_me, err));
	f->s = (struct scope){ .repo = f->repo, .me = ana_me };
}

static void open_index(struct fix *f)
{
	OK(index_open(&f->ix, err));
	begin(f);
	make_rows(f);
	commit(f);
}

/* An index that holds nothing, in a write that will hold much. */
static void begin_empty(struct fix *f)
{
	index_close(f->ix);
	scratch_remove(f->dir);
	f->dir = scratch_make();
	setenv("XDG_CACHE_HOME", f->dir, 1);
	OK(index_open(&f->ix, err));
	OK(index_begin_much(f->ix, 1000, err));
	make_rows(f);
}

static int setup(void **state)
{
	struct fix *f = xcalloc(1, sizeof(*f));

	f->dir = scratch_make();
	f->m = (struct maker)MAKER_INIT;
	setenv("XDG_CACHE_HOME", f->dir, 1);
	open_index(f);
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

/* One op, put and folded at once. Returns its id, in the arena. */
static const char *say_as(struct fix *f, unsigned writer, enum op_type type, const char *entity, const struct person *who,
    json_t *payload)
{
	struct made m = make_op(&f->m, writer, type, entity, who, payload);

	begin(f);
	put_made(f->ix, f->source, &m);
	commit(f);
	buf_release(&m.bytes);
	return arena_strdup(&f->a, m.id);
}

static const char *say(struct fix *f, enum op_type type, const char *entity, const struct person *who, json_t *payload)
{
	return say_as(f, (unsigned)(who->email[0] % 32), type, entity, who, payload);
}

static const char *open_thread(struct fix *f, const char *kind, const char *body, const char *path, unsigned line,
    const struct person *who)
{
	return say(f, OP_OPEN, NULL, who, opening(kind, body, anchor_of(path, line, line)));
}

static const char *reply(struct fix *f, const char *entity, const char *body, const struct person *who)
{
	return say(f, OP_POST, entity, who, json_pack("{s:s}", "body", body));
}

static struct thread thread_of(struct fix *f, const char *entity)
{
	struct thread t;
	struct err e = ERR_INIT;
	char *id = xasprintf("k%s", entity);

	if (index_thread(f->ix, &f->s, id, &f->a, &t, NULL, &e))
		fail_msg("%s", e.msg);
	free(id);
	return t;
}

/* Titles of a list, joined: "a b c". */
static const char *titles(struct fix *f, const struct thread_list *l)
{
	struct buf b = BUF_INIT;
	const char *out;

	for (size_t i = 0; i < l->len; i++)
		buf_addf(&b, "%s%s", i ? " " : "", l->items[i].title);
	out = arena_strdup(&f->a, b.ptr);
	buf_release(&b);
	return out;
}

static struct query *query_of(struct fix *f, const char *text)
{
	struct query *q;

	OK(query_parse(&f->a, text, f->m.now + SEC, &q, err));
	return q;
}

static const char *find(struct fix *f, const char *text)
{
	struct thread_find find = { .query = query_of(f, text) };
	struct thread_list l;
	uint64_t n;

	OK(index_threads(f->ix, &f->s, &find, &f->a, &l, err));
	OK(index_count_threads(f->ix, &f->s, find.query, &n, err));
	assert_int_equal(n, l.len);
	return titles(f, &l);
}

static const char *box(struct fix *f, enum inbox_section which)
{
	struct thread_list l;
	uint64_t total;

	OK(index_inbox(f->ix, &f->s, which, NULL, 0, 0, &f->a, &l, &total, err));
	assert_int_equal(total, l.len);
	return titles(f, &l);
}

/* ---- rows ---- */

static void shows_a_thread(void **state)
{
	struct fix *f = *state;
	const char *k = open_thread(f, "question", "Why *three* retries?\n\nNot five?", "src/a.c", 3, &bo), *p;
	const struct post *post;
	struct thread t;

	p = reply(f, k, "Measured.", &ana);
	say(f, OP_ACCEPT, k, &bo, json_pack("{s:s}", "post", p));
	say(f, OP_LABEL, k, &bo, json_pack("{s:[s,s]}", "add", "net", "Slow"));
	say(f, OP_LINK, k, &bo, json_pack("{s:s,s:b}", "to", "GH-412", "on", true));
	say(f, OP_REACT, k, &ana, json_pack("{s:s,s:s,s:b}", "post", k, "emoji", "+1", "on", true));
	say(f, OP_REACT, k, &bo, json_pack("{s:s,s:s,s:b}", "post", p, "emoji", "+1", "on", true));
	t = thread_of(f, k);
	assert_string_equal(t.title, "Why three retries?");
	assert_int_equal(t.kind, KIND_QUESTION);
	assert_int_equal(t.state, STATE_ANSWERED);
	assert_int_equal(t.n_posts, 2);
	assert_string_equal(t.source, "native");
	assert_string_equal(t.author.email, "bo@x.org");
	assert_string_equal(t.last_author.name, "Ana Lim");
	assert_string_equal(t.anchor.path, "src/a.c");
	assert_string_equal(t.anchor.quote, "int x;");
	assert_int_equal(t.place.state, PLACE_UNKNOWN);
	assert_int_equal(t.n_labels, 2);
	assert_string_equal(t.links[0], "GH-412");
	assert_int_equal(strlen(t.id), 13);
	assert_int_equal(strlen(t.abbrev), 7);
	assert_memory_equal(t.id + 1, k, 12);
	assert_string_equal(t.posts[1].body, "Measured.");
	assert_true(t.posts[1].accepted && t.posts[1].mine && !t.posts[0].mine);
	assert_true(t.posts[0].reactions[0].mine && !t.posts[1].reactions[0].mine);
	assert_memory_equal(t.posts[1].id + 1, p, 12);
	OK(index_thread(f->ix, &f->s, t.posts[1].id, &f->a, &t, &post, err));
	assert_ptr_equal(post, &t.posts[1]);
}

static void edits_and_redactions_reach_the_search(void **state)
{
	struct fix *f = *state;
	const char *k = open_thread(f, "note", "alpha", "a", 1, &bo), *p = reply(f, k, "secretword", &bo);

	assert_string_equal(find(f, "secretword"), "alpha");
	say(f, OP_EDIT, k, &bo, json_pack("{s:s,s:s}", "post", p, "body", "otherword"));
	assert_string_equal(find(f, "secretword"), "");
	assert_string_equal(find(f, "otherword"), "alpha");
	say(f, OP_REDACT, k, &bo, json_pack("{s:s}", "post", p));
	assert_string_equal(find(f, "otherword"), "");
	assert_null(thread_of(f, k).posts[1].body);
	assert_int_equal(thread_of(f, k).posts[1].state, POST_RETRACTED);
}

static void waits_for_the_opening_op(void **state)
{
	struct fix *f = *state;
	struct made k = make_op(&f->m, 1, OP_OPEN, NULL, &bo, opening("note", "late", anchor_of("a", 1, 1)));
	struct made p = make_op(&f->m, 2, OP_POST, k.id, &ana, json_pack("{s:s}", "body", "early"));
	struct err e = ERR_INIT;
	struct thread t;

	begin(f);
	put_made(f->ix, f->source, &p);
	commit(f);
	assert_int_equal(index_thread(f->ix, &f->s, k.id, &f->a, &t, NULL, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	begin(f);
	put_made(f->ix, f->source, &k);
	put_made(f->ix, f->source, &k);
	commit(f);
	assert_int_equal(thread_of(f, k.id).n_posts, 2);
	/* Taking the opening op out again takes the thread away, and all that was made of it. */
	begin(f);
	OK(index_forget_op(f->ix, f->source, k.id, err));
	commit(f);
	assert_int_equal(index_thread(f->ix, &f->s, k.id, &f->a, &t, NULL, &e), -1);
	assert_string_equal(find(f, "early"), "");
	buf_release(&k.bytes);
	buf_release(&p.bytes);
}

static void names_what_an_id_fits(void **state)
{
	struct fix *f = *state;
	struct err e = ERR_INIT;
	struct thread t;
	struct thread_list l;
	struct thread_find all = { 0 };

	for (int i = 0; i < 40; i++)
		open_thread(f, "note", "x", "a", 1, &bo);
	/* Forty ids share a first digit somewhere. */
	for (char c = '0'; c <= '9' && e.code != ERR_AMBIGUOUS; c++)
		index_thread(f->ix, &f->s, (char[]){ c, '\0' }, &f->a, &t, NULL, &e);
	assert_int_equal(e.code, ERR_AMBIGUOUS);
	assert_non_null(strstr(e.msg, " fits "));
	OK(index_threads(f->ix, &f->s, &all, &f->a, &l, err));
	for (size_t i = 0; i < l.len; i++) {
		OK(index_thread(f->ix, &f->s, l.items[i].abbrev, &f->a, &t, NULL, err));
		assert_string_equal(t.id, l.items[i].id);
		OK(index_thread(f->ix, &f->s, l.items[i].abbrev + 1, &f->a, &t, NULL, err));
		assert_string_equal(t.id, l.items[i].id);
	}
	for (const char *const *bad = (const char *const[]){ "", "k", "kx", "'", "kk1", "p", "../x", NULL }; *bad; bad++) {
		err_clear(&e);
		assert_int_equal(index_thread(f->ix, &f->s, *bad, &f->a, &t, NULL, &e), -1);
		assert_int_equal(e.code, ERR_NOT_FOUND);
	}
}

static void ids_are_numbers(void **state)
{
	int64_t lo, hi, a, b;

	(void)state;
	assert_true(hid_of("00000000000000001") < hid_of("7fffffffffffffff") && hid_of("7fffffffffffffff") <
		    hid_of("8000000000000000") && hid_of("8000000000000000") < hid_of("ffffffffffffffff"));
	hid_range("3f9", 3, &lo, &hi);
	assert_true(hid_of("3f90000000000000") == lo && hid_of("3f9fffffffffffff") == hi);
	hid_range("3f9000000000000012", 18, &lo, &hi);
	assert_true(lo == hi);
	a = hid_of("3f9c2a0000000000");
	b = hid_of("3f9c2b0000000000");
	assert_int_equal(hid_digits(a, NULL, &b, 4), 6);
	assert_int_equal(hid_digits(a, NULL, NULL, 6), 6);
	assert_int_equal(hid_digits(a, &b, NULL, 12), 12);
}

/* ---- queries ---- */

/* The ids of these two begin with the same twelve digits: found by trying 40 million bodies. */
static const char *open_twin(struct fix *f, const char *body)
{
	struct maker m = MAKER_INIT;
	struct made op = make_op(&m, 1, OP_OPEN, NULL, &bo, opening("note", body, anchor_of("src/twins.c", 1, 1)));

	begin(f);
	put_made(f->ix, f->source, &op);
	commit(f);
	buf_release(&op.bytes);
	return arena_strdup(&f->a, op.id);
}

static void ids_in_full_differ(void **state)
{
	struct fix *f = *state;
	const char *one = open_twin(f, "15834697"), *two = open_twin(f, "16375589");
	struct scope plain = f->s;
	struct thread_list l;

	assert_memory_equal(one, two, 12);
	assert_memory_not_equal(one, two, 13);
	plain.plain = true;
	for (int i = 0; i < 2; i++) {
		OK(index_threads_at(f->ix, i ? &plain : &f->s, "src/twins.c", &f->a, &l, err));
		assert_int_equal(l.len, 2);
		for (size_t k = 0; k < 2; k++) {
			assert_int_equal(strlen(l.items[k].id), 1 + 13);
			assert_memory_equal(l.items[k].id + 1, k ? two : one, 13);
		}
	}
}

static void answers_queries(void **state)
{
	struct fix *f = *state;
	const char *one = open_thread(f, "question", "one retry budget", "src/net/http.c", 120, &bo), *two, *four;
	static const struct { const char *query, *want; } rows[] = {
		{ "", "four three two one retry budget" },
		{ "is:open", "four three one retry budget" },
		{ "is:resolved", "two" }, { "is:closed", "two" }, { "-is:resolved", "four three one retry budget" },
		{ "is:answered", "" }, { "is:merged", "" }, { "is:draft", "" }, { "is:private", "" }, { "is:thread is:resolved", "two" },
		{ "is:task", "" }, { "is:mine", "three" }, { "kind:question", "one retry budget" }, { "kind:note or kind:remark", "four three" },
		{ "on:src/net", "one retry budget" }, { "on:src/net/", "one retry budget" }, { "on:src", "two one retry budget" },
		{ "on:src/net/http.c", "one retry budget" }, { "on:src/ne", "" }, { "on:*.c", "two one retry budget" },
		{ "on:src/*/http.?", "one retry budget" }, { "on:src/net/http.c:118-121", "one retry budget" },
		{ "on:src/net/http.c:1-20", "" }, { "on:[a]x", "four" }, { "on:*[a]*", "four" }, { "on:docs/guide.md#install", "three" },
		{ "on:docs/guide.md#inst", "" }, { "on:docs/guide.md#install/debian", "" },
		{ "by:bo", "four two one retry budget" }, { "by:BO@x.org", "four two one retry budget" }, { "by:ana", "three" },
		{ "by:lim", "three" }, { "by:me", "three" }, { "by:%", "" }, { "by:nobody", "" }, { "with:ana", "three one retry budget" },
		{ "author:chen", "" }, { "with:chen", "two" }, { "source:native", "four three two one retry budget" },
		{ "source:github", "" }, { "label:NET", "one retry budget" }, { "task:GH-412", "two" }, { "task:nope", "" },
		{ "commit:1111", "four two one retry budget" }, { "commit:111111112", "" }, { "place:unknown", "four three two one retry budget" },
		{ "place:exact", "" }, { "is:gone", "" }, { "created:<1h", "four three two one retry budget" }, { "updated:>1h", "" },
		{ "retry", "one retry budget" }, { "retry measured", "one retry budget" }, { "\"retry budget\"", "one retry budget" },
		{ "\"budget retry\"", "" }, { "retr*", "one retry budget" }, { "retr", "" }, { "RETRY", "one retry budget" },
		{ "-retry", "four three two" }, { "retry or guide", "three one retry budget" }, { "http.c", "one retry budget" },
		{ "\"main\\\" OR x\"", "" }, { "caf\u00e9", "four" }, { "cafe", "four" }, { "++", "four" }, { "'", "" },
		{ "NEAR", "" }, { "assignee:chen", "two" }, { "kind:question -label:net", "" },
	};

	reply(f, one, "measured by ops", &ana);
	say(f, OP_LABEL, one, &bo, json_pack("{s:[s]}", "add", "net"));
	two = say(f, OP_OPEN, NULL, &bo, json_pack("{s:s,s:s,s:o,s:[o]}", "kind", "decision", "body", "two", "anchor",
		  anchor_of("src/b.c", 2, 2), "asked", person_json(&chen)));
	say(f, OP_LINK, two, &bo, json_pack("{s:s,s:b}", "to", "GH-412", "on", true));
	say(f, OP_RESOLVE, two, &bo, json_object());
	say(f, OP_OPEN, NULL, &ana, json_pack("{s:s,s:s,s:o}", "kind", "note", "body", "three", "anchor",
	    json_pack("{s:s,s:s,s:s}", "type", "section", "path", "docs/guide.md", "section", "install")));
	four = open_thread(f, "remark", "four", "[a]x", 1, &bo);
	reply(f, four, "caf\u00e9 in c++", &bo);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *got = find(f, rows[i].query);
		if (strcmp(got, rows[i].want))
			fail_msg("%s: got '%s', wanted '%s'", rows[i].query, got, rows[i].want);
	}
	assert_string_equal(find(f, arena_printf(&f->a, "id:k%.8s", one)), "one retry budget");
}

static void ranks_and_cuts_out(void **state)
{
	struct fix *f = *state;
	const char *k = open_thread(f, "note", "Quiet", "a", 1, &bo);
	struct thread_find find = { .query = query_of(f, "gateway"), .sort = SORT_MATCH };
	struct thread_list l;

	reply(f, k, "long text where the gateway is named once among many other words that mean nothing at all here", &bo);
	open_thread(f, "note", "Gateway", "b", 1, &bo);
	OK(index_threads(f->ix, &f->s, &find, &f->a, &l, err));
	assert_string_equal(titles(f, &l), "Gateway Quiet");
	assert_non_null(strstr(l.items[1].match, "\1gateway\2"));
}

static void pages(void **state)
{
	struct fix *f = *state;
	struct thread_find all = { 0 }, some = { .limit = 7 };
	struct thread_list whole, page;
	size_t at = 0;

	begin(f);
	for (int i = 0; i < 50; i++) {
		struct made m;
		f->m.now -= i % 3 ? SEC : 0; /* equal times */
		m = make_op(&f->m, 3, OP_OPEN, NULL, &bo, opening("note", "x", anchor_of("a", 1, 1)));
		put_made(f->ix, f->source, &m);
		buf_release(&m.bytes);
	}
	commit(f);
	OK(index_threads(f->ix, &f->s, &all, &f->a, &whole, err));
	assert_int_equal(whole.len, 50);
	for (size_t i = 1; i < whole.len; i++)
		assert_true(whole.items[i].updated <= whole.items[i - 1].updated);
	for (bool by_key = false;; by_key = true) {
		for (at = 0, some.after = NULL, some.skip = 0;; some.skip = by_key ? 0 : at) {
			OK(index_threads(f->ix, &f->s, &some, &f->a, &page, err));
			for (size_t i = 0; i < page.len; i++)
				assert_int_equal(page.items[i].row, whole.items[at + i].row);
			at += page.len;
			some.after = by_key ? &page.items[page.len - 1] : NULL;
			if (!page.more)
				break;
		}
		assert_int_equal(at, 50);
		if (by_key)
			break;
	}
}

/* More sources than the lists make a branch each of: one more thread and task in each, newest first as ever. */
static void lists_many_sources(void **state)
{
	struct fix *f = *state;
	struct task_list tasks;
	const char *want = "";

	begin(f);
	for (int i = 0; i < 200; i++) {
		const char *url = arena_printf(&f->a, "/r/%d.git", i), *body = arena_printf(&f->a, "n%d", i);
		int64_t source = index_source(f->ix, f->repo, "native", url, body, true);
		struct made m = make_op(&f->m, 3, OP_OPEN, NULL, &bo, opening("question", body, anchor_of("a", 1, 1)));
		struct made k = make_op(&f->m, 4, OP_TASK, NULL, &bo, json_pack("{s:s,s:s}", "title", body, "body", body));
		assert_true(source > 0);
		put_made(f->ix, source, &m);
		put_made(f->ix, source, &k);
		OK(index_fold(f->ix, source, err));
		want = arena_printf(&f->a, "%s%s%s", body, *want ? " " : "", want);
		buf_release(&m.bytes);
		buf_release(&k.bytes);
	}
	commit(f);
	assert_string_equal(find(f, ""), want);
	assert_string_equal(box(f, INBOX_FOR_OTHERS), "");
	assert_string_equal(box(f, INBOX_NEW), want);
	OK(index_tasks(f->ix, &f->s, query_of(f, ""), 0, 0, &f->a, &tasks, err));
	assert_int_equal(tasks.len, 200);
	assert_string_equal(tasks.items[0].title, "n199");
}

/* ---- who waits ---- */

static void waits_as_the_rule_says(void **state)
{
	struct fix *f = *state;
	const char *k;

	k = open_thread(f, "question", "mine", "a", 1, &ana);
	assert_string_equal(box(f, INBOX_FOR_OTHERS), "mine");
	k = reply(f, k, "an answer", &bo) ? k : k;
	assert_string_equal(box(f, INBOX_FOR_ME), "mine");
	assert_string_equal(box(f, INBOX_FOR_OTHERS), "");
	reply(f, k, "not quite", &ana);
	assert_string_equal(box(f, INBOX_FOR_OTHERS), "mine");
	say(f, OP_ACCEPT, k, &ana, json_pack("{s:s}", "post", k));
	assert_string_equal(box(f, INBOX_FOR_OTHERS), "");
	say(f, OP_REOPEN, k, &bo, json_object());
	assert_string_equal(box(f, INBOX_FOR_OTHERS), "mine");
	say(f, OP_RESOLVE, k, &bo, json_object());
	assert_string_equal(box(f, INBOX_FOR_OTHERS), "");

	k = say(f, OP_OPEN, NULL, &bo, json_pack("{s:s,s:s,s:o,s:[o]}", "kind", "question", "body", "asked", "anchor",
		anchor_of("a", 1, 1), "asked", json_pack("{s:s}", "login", "ana")));
	assert_string_equal(box(f, INBOX_FOR_ME), "asked");
	k = open_thread(f, "remark", "others", "a", 1, &bo);
	assert_string_equal(box(f, INBOX_FOR_ME), "asked");
	reply(f, k, "I see", &ana);
	reply(f, k, "so?", &chen);
	assert_string_equal(box(f, INBOX_FOR_ME), "others asked");
	open_thread(f, "decision", "told", "a", 1, &ana);
	open_thread(f, "note", "noted", "a", 1, &ana);
	assert_string_equal(box(f, INBOX_FOR_OTHERS), "");
	assert_string_equal(find(f, "waiting:me"), "others asked");
	assert_string_equal(find(f, "waiting:chen"), "");
	assert_string_equal(find(f, "waiting:bo"), "others");
	assert_string_equal(find(f, "waiting:me kind:question"), "asked");
}

static void a_commit_waits_for_its_author(void **state)
{
	struct fix *f = *state;
	const char *k = say(f, OP_OPEN, NULL, &bo, opening("remark", "on it", json_pack("{s:s,s:s}", "type", "commit", "commit",
		"2222222222222222222222222222222222222222")));
	struct thread_list l;

	assert_string_equal(box(f, INBOX_FOR_ME), "");
	OK(index_ownerless(f->ix, f->repo, &f->a, &l, err));
	assert_int_equal(l.len, 1);
	begin(f);
	OK(index_owner_put(f->ix, l.items[0].row, &ana, err));
	commit(f);
	assert_string_equal(box(f, INBOX_FOR_ME), "on it");
	OK(index_ownerless(f->ix, f->repo, &f->a, &l, err));
	assert_int_equal(l.len, 0);
	say(f, OP_LABEL, k, &bo, json_pack("{s:[s]}", "add", "x"));
	assert_string_equal(box(f, INBOX_FOR_ME), "on it");
}

static void counts_what_is_unread(void **state)
{
	struct fix *f = *state;
	const char *k = open_thread(f, "note", "read", "a", 1, &bo);
	int64_t upto, others, unread;
	struct thread t = thread_of(f, k);

	assert_string_equal(box(f, INBOX_NEW), "read");
	assert_int_equal(t.n_unread, 1);
	assert_true(t.posts[0].unread);
	begin(f);
	OK(index_read_state(f->ix, &f->s, t.row, &upto, &others, &unread, err));
	assert_true(upto == t.posts[0].time && others == 1 && unread == 1);
	OK(index_read_put(f->ix, k, "ana@x.org", upto, others, err));
	commit(f);
	assert_string_equal(box(f, INBOX_NEW), "");
	assert_string_equal(find(f, "is:unread"), "");
	/* Written before the mark, offline, and here only now: its time is older than what was read. */
	f->m.now -= 10 * DAY;
	reply(f, k, "from the train", &chen);
	f->m.now += 10 * DAY;
	t = thread_of(f, k);
	assert_int_equal(t.n_unread, 1);
	assert_true(t.posts[1].unread && !t.posts[0].unread);
	assert_string_equal(find(f, "is:unread"), "read");
	/* My own words are never unread, and hide nobody else's. */
	reply(f, k, "mine", &ana);
	assert_int_equal(thread_of(f, k).n_unread, 1);
	assert_string_equal(find(f, "is:unread"), "read");
}

static void joins_two_addresses(void **state)
{
	static const char *const both[] = { "ana@x.org", "ana@home.example", NULL };
	const struct person home = { "Ana", "ana@home.example", NULL };
	struct fix *f = *state;
	const char *k = open_thread(f, "question", "from home", "a", 1, &home);

	assert_string_equal(find(f, "is:mine"), "");
	reply(f, k, "answer", &bo);
	begin(f);
	assert_false(index_identity_known(f->ix, f->repo, "Ana Lim", both));
	OK(index_identity(f->ix, f->repo, "Ana Lim", both, err));
	commit(f);
	assert_true(index_identity_known(f->ix, f->repo, "Ana Lim", both));
	assert_string_equal(find(f, "is:mine"), "from home");
	assert_string_equal(box(f, INBOX_FOR_ME), "from home");
	/* Another address in front: then it is the one that counts. */
	begin(f);
	OK(index_identity(f->ix, f->repo, "Ana Lim", (const char *const[]){ "ana@home.example", "ana@x.org", NULL }, err));
	commit(f);
	f->s.me = (const char *const[]){ "ana@home.example", NULL };
	assert_string_equal(find(f, "is:mine"), "from home");
}

/* ---- places ---- */

static int64_t make_view(struct fix *f)
{
	struct view_row v;

	begin(f);
	assert_true(index_view(f->ix, f->repo, "/r/.git", true, &v));
	commit(f);
	return v.id;
}

static void put_place(struct fix *f, const char *entity, const struct place *p)
{
	struct thread t = thread_of(f, entity);

	begin(f);
	OK(index_place_put(f->ix, f->s.view, t.row, p, err));
	commit(f);
}

static const char *at(struct fix *f, const char *path)
{
	struct thread_list l;

	OK(index_threads_at(f->ix, &f->s, path, &f->a, &l, err));
	return titles(f, &l);
}

static void lists_where_things_are_now(void **state)
{
	struct fix *f = *state;
	const char *k = open_thread(f, "note", "moves", "old.c", 7, &bo), *g = open_thread(f, "remark", "goes", "old.c", 9, &bo);
	struct thread_list l;
	struct path_count *pc;
	int64_t *rows;
	size_t n;

	assert_string_equal(at(f, "old.c"), "moves goes");
	f->s.view = make_view(f);
	assert_true(thread_of(f, k).place.pending);
	OK(index_unplaced(f->ix, f->repo, f->s.view, NULL, 0, &f->a, &rows, &n, err));
	assert_int_equal(n, 2);
	OK(index_rows(f->ix, f->repo, f->s.view, rows, n, &f->a, &l, err));
	assert_int_equal(l.len, 2);
	assert_string_equal(l.items[0].anchor.quote, "int x;");
	OK(index_unplaced(f->ix, f->repo, f->s.view, NULL, 1, &f->a, &rows, &n, err));
	assert_int_equal(n, 1);
	OK(index_unplaced(f->ix, f->repo, f->s.view, "old.c", 0, &f->a, &rows, &n, err));
	assert_int_equal(n, 2);
	OK(index_unplaced(f->ix, f->repo, f->s.view, "new.c", 0, &f->a, &rows, &n, err));
	assert_int_equal(n, 0);
	put_place(f, k, &(struct place){ .state = PLACE_MOVED, .path = "new.c", .line = 3, .end = 4, .confidence = 0.9 });
	put_place(f, g, &(struct place){ .state = PLACE_GONE, .path = "guess.c", .line = 1, .end = 1, .last_path = "old.c",
		  .last_line = 9, .last_end = 9, .why = "because" });
	assert_false(thread_of(f, k).place.pending);
	assert_string_equal(at(f, "old.c"), "goes");
	assert_string_equal(at(f, "new.c"), "moves");
	assert_string_equal(at(f, "guess.c"), "");
	assert_string_equal(find(f, "is:gone"), "goes");
	assert_string_equal(find(f, "is:moved on:new.c"), "moves");
	assert_string_equal(find(f, "on:new.c:4"), "moves");
	assert_string_equal(find(f, "on:new.c:5"), "");
	assert_string_equal(find(f, "on:old.c"), "goes");
	assert_int_equal(thread_of(f, k).place.line, 3);
	assert_string_equal(thread_of(f, g).place.why, "because");
	open_thread(f, "note", "fresh", "old.c", 1, &bo);
	assert_string_equal(at(f, "old.c"), "fresh goes");
	say(f, OP_RESOLVE, g, &bo, json_object());
	OK(index_path_counts(f->ix, &f->s, &f->a, &pc, &n, err));
	assert_int_equal(n, 2);
	assert_string_equal(pc[1].path, "old.c");
	assert_true(pc[1].open == 1 && pc[1].closed == 1);
	/* What changed between two HEADs: what is listed there, and gone ones that were written there. */
	OK(index_touched(f->ix, f->repo, f->s.view, (const char *const[]){ "old.c", "new.c" }, 2, &f->a, &rows, &n, err));
	assert_int_equal(n, 2);
	/* A moved anchor has no place any more. */
	say(f, OP_MOVE, k, &bo, json_pack("{s:o}", "anchor", anchor_of("third.c", 1, 1)));
	assert_string_equal(at(f, "third.c"), "moves");
	assert_string_equal(at(f, "new.c"), "");
}

static void follows_rewritten_commits(void **state)
{
	struct fix *f = *state;
	char sha[4][GIT_OID_HEX];
	struct oid o;
	struct thread_list l;

	for (int i = 0; i < 4; i++) {
		memset(sha[i], '1' + i, GIT_OID_HEX - 1);
		sha[i][GIT_OID_HEX - 1] = '\0';
	}
	open_thread(f, "note", "on one", "a", 1, &bo);
	/* A ring, as only somebody hostile would make one. */
	for (int i = 0; i < 4; i++)
		say(f, OP_REWRITE, NULL, &bo, json_pack("{s:s,s:s}", "from", sha[i], "to", sha[(i + 1) % 4]));
	assert_true(oid_parse(sha[2], &o));
	OK(index_threads_on_commits(f->ix, &f->s, &o, 1, &f->a, &l, err));
	assert_string_equal(titles(f, &l), "on one");
	assert_string_equal(l.items[0].place.commit, sha[2]);
	assert_string_equal(find(f, "commit:33333333"), "on one");
	assert_true(oid_parse("5555555555555555555555555555555555555555", &o));
	OK(index_threads_on_commits(f->ix, &f->s, &o, 1, &f->a, &l, err));
	assert_int_equal(l.len, 0);
}

static void knows_trailers(void **state)
{
	struct fix *f = *state;
	json_t *p = opening("note", "x", anchor_of("a", 1, 1));

	json_put_str(p, "trailer", "key-1");
	say(f, OP_OPEN, NULL, &bo, p);
	assert_true(index_trailer_seen(f->ix, f->repo, "any", "key-1"));
	assert_false(index_trailer_seen(f->ix, f->repo, "any", "key-2"));
	assert_false(index_trailer_seen(f->ix, f->repo + 1, "any", "key-1"));
}

static void remembers_file_ids(void **state)
{
	struct fix *f = *state;
	const char *id = "3333333333333333333333333333333333333333";
	char out[GIT_OID_HEX];
	struct stat st = { .st_size = 5, .st_ino = 9, .st_mode = 0100644, .st_mtim = { 1000, 5 }, .st_ctim = { 1000, 5 } };
	struct timespec now;

	index_file_id_put(f->ix, 1, "a", &st, id);
	assert_true(index_file_id(f->ix, 1, "a", &st, out));
	index_keep(f->ix);
	assert_true(index_file_id(f->ix, 1, "a", &st, out));
	assert_string_equal(out, id);
	assert_false(index_file_id(f->ix, 2, "a", &st, out));
	st.st_mtim.tv_nsec++;
	assert_false(index_file_id(f->ix, 1, "a", &st, out));
	/* Touched just now: not kept, since it may be touched again within the same tick. */
	clock_gettime(CLOCK_REALTIME, &now);
	st.st_mtim = now;
	index_file_id_put(f->ix, 1, "a", &st, id);
	assert_false(index_file_id(f->ix, 1, "a", &st, out));
}

static void bounds_its_maps(void **state)
{
	struct fix *f = *state;
	struct map_cache c = index_map_cache(f->ix);
	struct buf out = BUF_INIT;
	char *big = xcalloc(1, 1 << 20);
	int64_t size;

	for (int i = 0; i < 80; i++) {
		c.put(c.ctx, "x", &i, sizeof(i), big, 1 << 20);
		index_keep(f->ix);
	}
	OK(db_get_int(&f->ix->db, err, &size, "SELECT sum(length(value)) FROM map", "") < 0);
	assert_true(size <= 64 << 20 && size > 0);
	assert_true(c.get(c.ctx, "x", &(int){ 79 }, sizeof(int), &out));
	assert_int_equal(out.len, 1 << 20);
	assert_false(c.get(c.ctx, "x", &(int){ 0 }, sizeof(int), &out));
	assert_false(c.get(c.ctx, "y", &(int){ 79 }, sizeof(int), &out));
	buf_release(&out);
	free(big);
}

/* Answers about a commit grow: the value put last counts, and the sum of all sizes stays right. */
static void replaces_a_map(void **state)
{
	struct fix *f = *state;
	struct map_cache c = index_map_cache(f->ix);
	struct buf out = BUF_INIT;
	int64_t counted, size;

	c.put(c.ctx, "x", "k", 1, "one", 3);
	c.put(c.ctx, "x", "k", 1, "one, two", 8);
	index_keep(f->ix);
	c.put(c.ctx, "x", "k", 1, "one, two, three", 15);
	c.put(c.ctx, "x", "other", 5, "o", 1);
	index_keep(f->ix);
	c.put(c.ctx, "x", "k", 1, "one, two, three", 15);
	index_keep(f->ix);
	assert_true(c.get(c.ctx, "x", "k", 1, &out));
	assert_string_equal(out.ptr, "one, two, three");
	OK(db_get_int(&f->ix->db, err, &size, "SELECT sum(length(key)+length(value)) FROM map", "") < 0);
	OK(db_get_int(&f->ix->db, err, &counted, "SELECT value FROM counter WHERE name='map'", "") < 0);
	assert_int_equal(size, 22);
	assert_int_equal(counted, size);
	buf_release(&out);
}

/* ---- tasks ---- */

static void lists_tasks(void **state)
{
	struct fix *f = *state;
	const char *k = say(f, OP_TASK, NULL, &bo, json_pack("{s:s,s:s,s:[s]}", "title", "Cap retries", "body", "for the gateway",
		"labels", "net"));
	struct task_list l;
	struct task t;
	struct err e = ERR_INIT;
	char *name = xasprintf("T-%.6s", k);

	OK(index_task(f->ix, &f->s, name, &f->a, &t, err));
	assert_string_equal(t.id, name);
	assert_string_equal(t.title, "Cap retries");
	say(f, OP_OPEN, NULL, &ana, opening("question", "when?", json_pack("{s:s,s:s}", "type", "task", "task", name)));
	OK(index_task(f->ix, &f->s, arena_printf(&f->a, "t-%.10s", k), &f->a, &t, err));
	assert_true(t.n_threads == 1 && t.n_open == 1);
	assert_string_equal(find(f, arena_printf(&f->a, "task:%s", name)), "when?");
	assert_string_equal(find(f, arena_printf(&f->a, "task:T-%.12s", k)), "when?");
	say(f, OP_ASSIGN, k, &bo, json_pack("{s:[o]}", "add", person_json(&ana)));
	for (const char *const *q = (const char *const[]){ "is:open", "gateway", "label:net", "assignee:ana", "is:mine", "by:bo",
	     "is:task", "with:ana", NULL }; *q; q++) {
		OK(index_tasks(f->ix, &f->s, query_of(f, *q), 10, 0, &f->a, &l, err));
		if (l.len != 1)
			fail_msg("%s finds %zu tasks", *q, l.len);
	}
	say(f, OP_TASK, k, &chen, json_pack("{s:s}", "state", "closed"));
	OK(index_tasks(f->ix, &f->s, query_of(f, "is:open"), 0, 0, &f->a, &l, err));
	assert_int_equal(l.len, 0);
	assert_int_equal(index_task(f->ix, &f->s, "GH-1", &f->a, &t, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	free(name);
}

/* ---- one truth, whatever the order ---- */

struct lines { struct buf b; };

static int add_line(void *ctx, const char *p, size_t n)
{
	struct buf *b = ctx;

	buf_add(b, p, n);
	buf_addch(b, '\n');
	return 0;
}

/* Everything derived, without the numbers that differ. */
static void dump(struct fix *f, struct buf *out)
{
	static const char *const tables[] = {
		"SELECT t.entity, t.kind, t.state, t.updated, t.n_posts, t.n_people, t.title, t.path, a.email, l.email, t.labels FROM"
		" thread t JOIN person a ON a.id=t.author JOIN person l ON l.id=t.last ORDER BY t.entity",
		"SELECT t.entity, p.n, p.hid, p.body, p.title, p.state, p.edited, p.reactions, p.accepted FROM post p JOIN thread t ON"
		" t.id=p.thread ORDER BY t.entity, p.n",
		"SELECT t.entity, w.key, p.roles, p.n FROM part p JOIN thread t ON t.id=p.thread JOIN who w ON w.id=p.who ORDER BY 1, 2",
		"SELECT t.entity, w.key, b.waits, b.unread, b.updated FROM box b JOIN thread t ON t.id=b.thread JOIN who w ON w.id=b.who"
		" ORDER BY 1, 2",
		"SELECT w.key, c.waits, c.n FROM box_count c JOIN who w ON w.id=c.who WHERE c.n<>0 ORDER BY 1, 2",
		"SELECT l.name, t.entity FROM label l JOIN thread t ON t.id=l.thread ORDER BY 1, 2",
		"SELECT count(*) FROM fts WHERE fts MATCH 'word3'",
		"SELECT entity, state, title FROM task ORDER BY entity", "SELECT count(*) FROM dirty",
	};
	sqlite3_stmt *st;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		st = db_prep_once(&f->ix->db, tables[i]);
		while (db_step(&f->ix->db, st, &e) == 1) {
			for (int k = 0; k < sqlite3_column_count(st); k++)
				buf_addf(out, "%s|", sqlite3_column_text(st, k) ? (const char *)sqlite3_column_text(st, k) : "-");
			buf_addch(out, '\n');
		}
		sqlite3_finalize(st);
	}
	OK(index_export(f->ix, f->source, add_line, out, err));
}

enum { HISTORY = 120 };

/* Writers who know only some of what the others wrote, clocks years apart, ops about posts that do not exist. */
static size_t random_history(struct maker *m, uint64_t *seed, struct made *out)
{
	static const struct person *const people[] = { &ana, &bo, &chen };
	char entities[HISTORY][SHA256_HEX], posts[HISTORY][SHA256_HEX];
	size_t n_entities = 0, n_posts = 0, n = 0;

	while (n < HISTORY) {
		unsigned writer = (unsigned)(random_next(seed) % 4), what = (unsigned)(random_next(seed) % 16);
		const struct person *who = people[random_next(seed) % 3];
		const char *k = n_entities ? entities[random_next(seed) % n_entities] : NULL;
		const char *p = n_posts ? posts[random_next(seed) % n_posts] : NULL;
		char body[32];
		struct made op;
		snprintf(body, sizeof(body), "word%u text", (unsigned)(random_next(seed) % 9));
		m->lamport = random_next(seed) % 40;
		m->now = NOW + ((int64_t)(random_next(seed) % 7305) - 3652) * DAY;
		if (!k || what == 0)
			op = make_op(m, writer, OP_OPEN, NULL, who, opening("question", body, anchor_of("a", 1, 2)));
		else if (what == 1)
			op = make_op(m, writer, OP_TASK, NULL, who, json_pack("{s:s,s:s}", "title", body, "body", body));
		else if (what < 7)
			op = make_op(m, writer, OP_POST, k, who, json_pack("{s:s}", "body", body));
		else if (what < 9 && p)
			op = make_op(m, writer, OP_EDIT, k, who, json_pack("{s:s,s:s}", "post", p, "body", body));
		else if (what == 9 && p)
			op = make_op(m, writer, OP_REDACT, k, who, json_pack("{s:s}", "post", p));
		else if (what == 10 && p)
			op = make_op(m, writer, OP_ACCEPT, k, who, json_pack("{s:s}", "post", p));
		else if (what == 11 && p)
			op = make_op(m, writer, OP_REACT, k, who, json_pack("{s:s,s:s,s:b}", "post", p, "emoji", "+1", "on", what % 2));
		else if (what == 12)
			op = make_op(m, writer, OP_LABEL, k, who, json_pack("{s:[s]}", random_next(seed) % 2 ? "add" : "remove", "l"));
		else if (what == 13)
			op = make_op(m, writer, OP_RESOLVE, k, who, json_pack("{s:s}", "body", body));
		else if (what == 14)
			op = make_op(m, writer, OP_REOPEN, k, who, json_object());
		else
			op = make_op(m, writer, OP_TITLE, k, who, json_pack("{s:s}", "title", body));
		if (!k || what < 2)
			memcpy(entities[n_entities++], op.id, SHA256_HEX);
		if (!k || what < 7)
			memcpy(posts[n_posts++], op.id, SHA256_HEX);
		out[n++] = op;
	}
	return n;
}

static void shuffle(struct made *ops, size_t n, uint64_t *seed)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = random_next(seed) % i;
		struct made t = ops[i - 1];
		ops[i - 1] = ops[k];
		ops[k] = t;
	}
}

/* Put in the order of the array, folding now and then, some ops twice. */
static void replay(struct fix *f, const struct made *ops, size_t n, uint64_t *seed, unsigned often)
{
	begin(f);
	OK(index_forget(f->ix, f->source, err));
	for (size_t i = 0; i < n; i++) {
		put_made(f->ix, f->source, &ops[i]);
		if (often && random_next(seed) % often == 0) {
			put_made(f->ix, f->source, &ops[random_next(seed) % (i + 1)]);
			commit(f);
			begin(f);
		}
	}
	commit(f);
}

/* The same into an index that is filled for the first time, folded once at the end; often 0: with nothing put twice. */
static void fill(struct fix *f, const struct made *ops, size_t n, uint64_t *seed, unsigned often)
{
	begin_empty(f);
	for (size_t i = 0; i < n; i++) {
		put_made(f->ix, f->source, &ops[i]);
		if (often && random_next(seed) % often == 0)
			put_made(f->ix, f->source, &ops[random_next(seed) % (i + 1)]);
	}
	commit(f);
}

static void say_difference(uint64_t seed, unsigned often, const struct buf *got, const struct buf *want)
{
	size_t i = 0, line = 0;

	for (; got->ptr[i] && got->ptr[i] == want->ptr[i]; i++)
		line = got->ptr[i] == '\n' ? i + 1 : line;
	fail_msg("KILLICK_TEST_SEED=%llu: folding every %u ops gives\n%.*s\n---- instead of\n%.*s", (unsigned long long)seed, often,
		 (int)strcspn(got->ptr + line, "\n"), got->ptr + line, (int)strcspn(want->ptr + line, "\n"), want->ptr + line);
}

static void converges(void **state)
{
	struct fix *f = *state;
	const char *given = getenv("KILLICK_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 20261122;
	const char *rounds = getenv("KILLICK_TEST_ROUNDS");

	for (int round = rounds ? atoi(rounds) : 12; round > 0; round--) {
		struct maker m = MAKER_INIT;
		struct made ops[HISTORY];
		struct buf want = BUF_INIT;
		uint64_t began = seed;
		size_t n = random_history(&m, &seed, ops);

		replay(f, ops, n, &seed, 0);
		dump(f, &want);
		for (unsigned often = 1; often < 40; often = often * 3 + 1) {
			struct buf got = BUF_INIT;
			shuffle(ops, n, &seed);
			replay(f, ops, n, &seed, often);
			dump(f, &got);
			if (strcmp(got.ptr, want.ptr))
				say_difference(began, often, &got, &want);
			buf_reset(&got);
			shuffle(ops, n, &seed);
			fill(f, ops, n, &seed, often - 1);
			dump(f, &got);
			if (strcmp(got.ptr, want.ptr))
				say_difference(began, often, &got, &want);
			buf_release(&got);
		}
		buf_release(&want);
		for (size_t i = 0; i < n; i++)
			buf_release(&ops[i].bytes);
	}
}

static void exports_bytes_as_stored(void **state)
{
	struct fix *f = *state;
	struct made m = make_op(&f->m, 1, OP_OPEN, NULL, &bo, opening("note", "\u202e \x7f \"\\ tab\t", anchor_of("a", 1, 1)));
	struct buf b = BUF_INIT;
	const char *line;
	json_t *j;

	begin(f);
	put_made(f->ix, f->source, &m);
	commit(f);
	OK(index_export(f->ix, f->source, add_line, &b, err));
	assert_true(str_starts(b.ptr, "{\"format\":1,\"export\":\"killick\"}\n{\"op\":"));
	line = strchr(b.ptr, '\n') + 1;
	OK((j = json_read(line, strcspn(line, "\n"), "line", err)) == NULL);
	assert_string_equal(json_get_str(j, "op"), m.bytes.ptr);
	json_decref(j);
	assert_non_null(strstr(b.ptr, "\n{\"thread\":{\"id\":\"k"));
	assert_non_null(strstr(b.ptr, m.id));
	buf_release(&b);
	buf_release(&m.bytes);
}

/* ---- the file ---- */

static void is_private_whatever_the_umask(void **state)
{
	struct fix *f = *state;
	struct stat st;
	mode_t old = umask(0);

	index_close(f->ix);
	scratch_remove(f->dir);
	f->dir = scratch_make();
	setenv("XDG_CACHE_HOME", f->dir, 1);
	open_index(f);
	umask(old);
	for (const char *const *s = (const char *const[]){ "", "-wal", "-shm", NULL }; *s; s++) {
		char *path = xasprintf("%s%s", index_path(f->ix), *s);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		free(path);
	}
	assert_int_equal(stat(arena_printf(&f->a, "%s/killick", f->dir), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void overwrite(const char *path, off_t at_, const char *p, size_t n)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, p, n, at_), n);
	close(fd);
}

static bool has_file(struct fix *f, const char *part)
{
	char *cmd = xasprintf("ls '%s/killick' | grep -q '%s'", f->dir, part);
	FILE *p = popen(cmd, "r");
	int status = pclose(p);

	free(cmd);
	return status == 0;
}

static void closed(struct fix *f)
{
	index_close(f->ix);
	f->ix = NULL;
	unlink(arena_printf(&f->a, "%s/killick/index.db-wal", f->dir));
	unlink(arena_printf(&f->a, "%s/killick/index.db-shm", f->dir));
}

static void makes_way_for_what_does_not_fit(void **state)
{
	struct fix *f = *state;
	char *path = arena_printf(&f->a, "%s/killick/index.db", f->dir);
	sqlite3 *sql;

	static const struct { const char *sql, *aside; } rows[] = {
		{ "PRAGMA journal_mode=DELETE; PRAGMA user_version=0", NULL },
		{ "PRAGMA journal_mode=DELETE; PRAGMA user_version=999", "index.db.broken-" },
		{ "PRAGMA journal_mode=DELETE; PRAGMA application_id=5", "index.db.foreign-" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_thread(f, "note", "there", "a", 1, &bo);
		assert_string_equal(find(f, ""), "there");
		index_close(f->ix);
		assert_int_equal(sqlite3_open(path, &sql), SQLITE_OK);
		assert_int_equal(sqlite3_exec(sql, rows[i].sql, NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(sql);
		open_index(f);
		assert_string_equal(find(f, ""), "");
		if (rows[i].aside)
			assert_true(has_file(f, rows[i].aside));
	}
	open_thread(f, "note", "there", "a", 1, &bo);
	closed(f);
	overwrite(path, 0, "not a database, but some text of somebody's", 44);
	open_index(f);
	assert_string_equal(find(f, ""), "");
	closed(f);
	assert_int_equal(truncate(path, 5000), 0);
	open_index(f);
	closed(f);
	assert_int_equal(truncate(path, 0), 0);
	open_index(f);
}

static void gets_over_damage(void **state)
{
	struct fix *f = *state;
	struct thread_find all = { 0 };
	struct thread_list l;
	struct err e = ERR_INIT;
	char junk[4096];

	for (int i = 0; i < 60; i++)
		open_thread(f, "note", "there", "a", 1, &bo);
	OK(db_script(&f->ix->db, "PRAGMA wal_checkpoint(TRUNCATE)", err));
	index_close(f->ix);
	f->ix = NULL;
	memset(junk, 0xa5, sizeof(junk));
	for (int page = 1; page < 60; page++)
		overwrite(arena_printf(&f->a, "%s/killick/index.db", f->dir), page * 4096, junk, sizeof(junk));
	if (!index_open(&f->ix, &e)) {
		assert_int_equal(index_threads(f->ix, &f->s, &all, &f->a, &l, &e), -1);
		assert_int_equal(e.code, ERR_BAD_DATA);
		assert_true(index_stale(f->ix));
		assert_int_equal(index_begin(f->ix, 100, &e), -1);
		OK(index_recover(f->ix, err));
	}
	assert_false(index_stale(f->ix));
	assert_true(has_file(f, "index.db.broken-"));
	OK(index_threads(f->ix, NULL, &all, &f->a, &l, err));
	assert_int_equal(l.len, 0);
}

static void notices_that_it_was_taken_away(void **state)
{
	struct fix *f = *state;
	struct index *other;
	struct err e = ERR_INIT;

	open_thread(f, "note", "there", "a", 1, &bo);
	assert_false(index_stale(f->ix));
	unlink(index_path(f->ix));
	unlink(arena_printf(&f->a, "%s-wal", index_path(f->ix)));
	unlink(arena_printf(&f->a, "%s-shm", index_path(f->ix)));
	assert_true(index_stale(f->ix));
	assert_string_equal(find(f, ""), "there"); /* what we hold open is still there */
	assert_int_equal(index_begin(f->ix, 100, &e), -1);
	assert_int_equal(e.code, ERR_BAD_DATA);
	OK(index_open(&other, err));
	OK(index_recover(f->ix, err));
	assert_false(index_stale(f->ix));
	assert_false(index_stale(other));
	index_close(other);
}

static bool has_file(struct fix *f, const char *part);

static void is_filled_in_another_file(void **state)
{
	struct fix *f = *state;
	struct made k = make_op(&f->m, 1, OP_OPEN, NULL, &bo, opening("note", "there", anchor_of("a", 1, 1)));
	struct index *other;
	struct buf report = BUF_INIT;
	uint64_t g;
	int64_t second;
	struct err e = ERR_INIT;

	/* What was taken back leaves the empty one as it was. */
	begin_empty(f);
	put_made(f->ix, f->source, &k);
	assert_true(has_file(f, "index.db.new"));
	index_rollback(f->ix);
	assert_false(has_file(f, "index.db.new"));
	assert_int_equal(index_repo(f->ix, "/r/.git", false), 0);
	/* Readers have the empty one meanwhile, and writers wait. */
	OK(index_open(&other, err));
	g = index_generation(other);
	OK(index_begin_much(f->ix, 1000, err));
	make_rows(f);
	put_made(f->ix, f->source, &k);
	put_made(f->ix, f->source, &k);
	assert_int_equal(index_begin(other, 10, &e), -1);
	assert_int_equal(e.code, ERR_BUSY);
	assert_int_equal(index_repo(other, "/r/.git", false), 0);
	assert_int_equal(index_generation(other), g);
	commit(f);
	assert_false(has_file(f, "index.db.new"));
	assert_false(index_stale(f->ix));
	assert_string_equal(find(f, "there"), "there");
	/* And see that it is gone. */
	assert_true(index_stale(other) && index_generation(other) != g);
	OK(index_recover(other, err));
	assert_int_equal(index_repo(other, "/r/.git", false), f->repo);
	index_close(other);
	OK(index_check(f->ix, &report, err));
	assert_buf(&report, "");
	/* Ops of a second source, and a commit before they are folded. */
	begin_empty(f);
	second = index_source(f->ix, f->repo, "native", "/other", "o", true);
	put_made(f->ix, f->source, &k);
	put_made(f->ix, second, &k);
	put_made(f->ix, f->source, &k);
	OK(index_commit(f->ix, err));
	assert_string_equal(find(f, ""), "");
	begin_empty(f);
	second = index_source(f->ix, f->repo, "native", "/other", "o", true);
	put_made(f->ix, f->source, &k);
	OK(index_fold(f->ix, second, err));
	OK(index_commit(f->ix, err));
	assert_string_equal(find(f, ""), "");
	begin(f);
	commit(f);
	assert_string_equal(find(f, "there"), "there");
	/* One that holds something is not moved away. */
	OK(index_begin_much(f->ix, 1000, err));
	assert_false(has_file(f, "index.db.new"));
	index_rollback(f->ix);
	OK(index_check(f->ix, &report, err));
	assert_buf(&report, "");
	buf_release(&k.bytes);
}

/* Nothing is looked for through a whole table, once for each thread, while there are no indexes. */
static void is_filled_without_walks(void **state)
{
	enum { MANY = 400 };
	struct fix *f = *state;
	uint64_t steps = 0;

	begin_empty(f);
	for (unsigned i = 0; i < MANY; i++) {
		struct made k = make_op(&f->m, 1, OP_OPEN, NULL, i % 2 ? &bo : &ana, opening("question", "why?", anchor_of("a", 1, 1)));
		struct made p = make_op(&f->m, 2, OP_POST, k.id, &chen, json_pack("{s:s}", "body", "because"));
		put_made(f->ix, f->source, &k);
		put_made(f->ix, f->source, &p);
		buf_release(&k.bytes);
		buf_release(&p.bytes);
	}
	OK(index_fold(f->ix, f->source, err));
	for (size_t i = 0; i < f->ix->db.len; i++)
		steps += (uint64_t)sqlite3_stmt_status(f->ix->db.items[i].st, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
	OK(index_commit(f->ix, err));
	if (steps > 10 * MANY)
		fail_msg("%llu rows were walked for %d threads", (unsigned long long)steps, MANY);
}

/* Two thousand posts and more have the word: the newest come first, page after page, and each filter still holds. */
static void finds_the_newest_of_many(void **state)
{
	enum { MANY = 2100, PAGE = 7 };
	struct fix *f = *state;
	struct thread_find find_ = { .sort = SORT_MATCH, .limit = PAGE };
	struct made ops[MANY];
	struct thread_list l;
	struct index_found *all;
	struct buf got = BUF_INIT, want = BUF_INIT;
	char body[64];

	begin(f);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(body, sizeof(body), i % 50 ? "common %u" : "common rare %u", i);
		ops[i] = make_op(&f->m, 1, OP_OPEN, NULL, i % 3 ? &bo : &ana, opening("note", body, anchor_of("a", 1, 1)));
		put_made(f->ix, f->source, &ops[i]);
	}
	commit(f);
	/* A second word of an old thread stands in a newer post: it moves to the front. */
	reply(f, ops[10].id, "rare indeed, and common", &bo);
	buf_addstr(&want, "common 10|");
	for (unsigned i = MANY - 50; i < MANY; i -= 50)
		if (i % 3)
			buf_addf(&want, "common rare %u|", i);
	find_.query = query_of(f, "common rare author:bo");
	do {
		OK(index_threads(f->ix, &f->s, &find_, &f->a, &l, err));
		assert_true(l.len <= PAGE);
		for (size_t i = 0; i < l.len; i++) {
			buf_addf(&got, "%s|", l.items[i].title);
			assert_non_null(strstr(l.items[i].match, "\1"));
		}
		find_.skip += PAGE;
	} while (l.more);
	assert_string_equal(got.ptr, want.ptr);
	/* All at once, read in pages, are the same. */
	buf_reset(&got);
	find_ = (struct thread_find){ .sort = SORT_MATCH, .query = find_.query };
	OK(index_find(f->ix, &f->s, &find_, &all, err));
	do {
		OK(index_found_page(all, PAGE, &f->a, &l, err));
		assert_true(l.len <= PAGE);
		for (size_t i = 0; i < l.len; i++) {
			buf_addf(&got, "%s|", l.items[i].title);
			assert_non_null(strstr(l.items[i].match, "\1"));
		}
	} while (l.more);
	index_found_free(all);
	assert_string_equal(got.ptr, want.ptr);
	find_ = (struct thread_find){ .sort = SORT_MATCH, .query = query_of(f, "common") };
	OK(index_threads(f->ix, &f->s, &find_, &f->a, &l, err));
	assert_int_equal(l.len, MANY);
	assert_false(l.more);
	for (unsigned i = 0; i < MANY; i++)
		buf_release(&ops[i].bytes);
	buf_release(&got);
	buf_release(&want);
}

static void tells_of_others_writes(void **state)
{
	struct fix *f = *state;
	struct index *mine = f->ix, *other;
	uint64_t g;
	struct err e = ERR_INIT;

	OK(index_open(&other, err));
	g = index_generation(other);
	assert_int_equal(index_generation(other), g);
	open_thread(f, "note", "x", "a", 1, &bo);
	assert_true(index_generation(other) > g);
	g = index_generation(mine);
	open_thread(f, "note", "y", "a", 1, &bo);
	assert_true(index_generation(mine) > g);
	begin(f);
	assert_int_equal(index_begin(other, 30, &e), -1);
	assert_int_equal(e.code, ERR_BUSY);
	f->ix = other;
	assert_string_equal(find(f, ""), "y x"); /* readers do not wait */
	f->ix = mine;
	commit(f);
	index_close(other);
}

static void forgets_what_was_rolled_back(void **state)
{
	struct fix *f = *state;
	struct made m = make_op(&f->m, 1, OP_OPEN, NULL, &bo, opening("note", "x", anchor_of("a", 1, 1)));

	begin(f);
	put_made(f->ix, f->source, &m);
	OK(index_fold(f->ix, f->source, err));
	index_rollback(f->ix);
	assert_string_equal(find(f, ""), "");
	assert_string_equal(box(f, INBOX_NEW), "");
	buf_release(&m.bytes);
}

static void works_in_memory_and_with_a_rollback_journal(void **state)
{
	struct fix *f = *state;
	struct buf report = BUF_INIT;

	OK(index_check(f->ix, &report, err));
	assert_buf(&report, "");
	index_close(f->ix);
	OK(index_open_memory(&f->ix, err));
	assert_true(index_in_memory(f->ix));
	index_close(f->ix);
	setenv("KILLICK_INDEX_JOURNAL", "delete", 1);
	scratch_remove(f->dir);
	f->dir = scratch_make();
	setenv("XDG_CACHE_HOME", f->dir, 1);
	open_index(f);
	open_thread(f, "note", "x", "a", 1, &bo);
	assert_string_equal(find(f, ""), "x");
	assert_false(has_file(f, "index.db-wal"));
	unsetenv("KILLICK_INDEX_JOURNAL");
	buf_release(&report);
}

/* ---- plans ---- */

struct plans { struct index *ix; struct buf sql; ARRAY(char *) seen; };

static int on_statement(unsigned kind, void *ctx, void *p, void *x)
{
	struct plans *pl = ctx;

	(void)x;
	if (kind == SQLITE_TRACE_STMT && !sqlite3_stmt_isexplain(p) && sqlite3_stmt_readonly(p))
		*array_add(&pl->seen) = xstrdup(sqlite3_sql(p));
	return 0;
}

/* No statement of a screen walks a whole table, and none sorts more than its page (but for those told by `sorts`). */
static void check_plans(struct plans *pl, const char *what, bool sorts)
{
	sqlite3_trace_v2(pl->ix->db.sql, 0, NULL, NULL);
	assert_true(pl->seen.len > 0);
	for (size_t i = 0; i < pl->seen.len; i++) {
		char *sql = xasprintf("EXPLAIN QUERY PLAN %s", pl->seen.items[i]);
		sqlite3_stmt *st = db_prep_once(&pl->ix->db, sql);
		struct err e = ERR_INIT;
		while (db_step(&pl->ix->db, st, &e) == 1) {
			const char *d = (const char *)sqlite3_column_text(st, 3);
			bool scan = str_starts(d, "SCAN ") && !strstr(d, " USING ") && !strstr(d, "VIRTUAL TABLE") &&
				!strstr(d, "CONSTANT ROW") && !str_starts(d, "SCAN source") && !str_starts(d, "SCAN (subquery") &&
				!str_starts(d, "SCAN c") && !str_starts(d, "SCAN z") && !str_starts(d, "SCAN person") &&
				!str_starts(d, "SCAN m") && !str_starts(d, "SCAN x") && !str_starts(d, "SCAN r");
			bool sort = !sorts && !strcmp(d, "USE TEMP B-TREE FOR ORDER BY") && strstr(sql, "UNION ALL");
			if (scan || sort)
				fail_msg("%s: %s: %s", what, d, pl->seen.items[i]);
		}
		sqlite3_finalize(st);
		free(sql);
		free(pl->seen.items[i]);
	}
	array_release(&pl->seen);
}

static void watch(struct plans *pl, struct index *ix)
{
	*pl = (struct plans){ .ix = ix };
	sqlite3_trace_v2(ix->db.sql, SQLITE_TRACE_STMT, on_statement, pl);
}

static void walks_no_table(void **state)
{
	struct fix *f = *state;
	struct thread_list l;
	struct task_list tl;
	struct thread t;
	struct plans pl;
	struct path_count *pc;
	struct oid o = OID_ZERO;
	int64_t *rows;
	size_t n;
	uint64_t total;
	const char *k = open_thread(f, "question", "gateway", "src/a.c", 1, &bo);
	static const struct { const char *query; enum thread_sort sort; bool sorts; } shapes[] = {
		{ "" }, { "is:open" }, { "kind:question" }, { "is:open kind:question" }, { "waiting:me" }, { "waiting:others" },
		{ "is:unread" }, { "is:unread is:open" }, { "is:open waiting:me" }, { "by:me" }, { "is:mine" }, { "on:src" },
		{ "on:src/a.c" }, { "on:src/a.c:1-9" }, { "is:gone" }, { "gateway" }, { "gateway is:open" }, { "label:net" },
		{ "task:GH-412" }, { "commit:1111111" }, { "updated:<2w" }, { "source:native is:open" }, { "with:bo" },
		{ "gateway", SORT_MATCH, true }, { "on:src", SORT_PLACE, true },
	};

	begin(f);
	index_source(f->ix, f->repo, "private", "/r/.git", "private", true);
	commit(f);
	f->s.view = make_view(f);
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct thread_find find = { .query = query_of(f, shapes[i].query), .sort = shapes[i].sort, .limit = 50 };
		watch(&pl, f->ix);
		OK(index_threads(f->ix, &f->s, &find, &f->a, &l, err));
		check_plans(&pl, shapes[i].query, shapes[i].sorts);
	}
	for (enum inbox_section s = 0; s < INBOX_SECTIONS; s++) {
		watch(&pl, f->ix);
		OK(index_inbox(f->ix, &f->s, s, NULL, 50, 0, &f->a, &l, &total, err));
		check_plans(&pl, "inbox", false);
	}
	watch(&pl, f->ix);
	OK(index_thread(f->ix, &f->s, arena_printf(&f->a, "%.6s", k), &f->a, &t, NULL, err));
	OK(index_threads_at(f->ix, &f->s, "src/a.c", &f->a, &l, err));
	OK(index_threads_on_commits(f->ix, &f->s, &o, 1, &f->a, &l, err));
	OK(index_unplaced(f->ix, f->repo, f->s.view, NULL, 30, &f->a, &rows, &n, err));
	OK(index_unplaced(f->ix, f->repo, f->s.view, "a", 0, &f->a, &rows, &n, err));
	OK(index_touched(f->ix, f->repo, f->s.view, (const char *const[]){ "a" }, 1, &f->a, &rows, &n, err));
	OK(index_rows(f->ix, f->repo, f->s.view, rows, n, &f->a, &l, err));
	OK(index_ownerless(f->ix, f->repo, &f->a, &l, err));
	OK(index_unknown(f->ix, f->repo, f->s.view, &f->a, &l, err));
	OK(index_path_counts(f->ix, &f->s, &f->a, &pc, &n, err));
	assert_true(index_changes(f->ix, f->repo) > 0);
	index_trailer_seen(f->ix, f->repo, "x", "y");
	OK(index_tasks(f->ix, &f->s, query_of(f, "is:open"), 50, 0, &f->a, &tl, err));
	check_plans(&pl, "one by one", true);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(shows_a_thread), T(edits_and_redactions_reach_the_search), T(waits_for_the_opening_op), T(names_what_an_id_fits),
		cmocka_unit_test(ids_are_numbers), T(ids_in_full_differ), T(answers_queries), T(ranks_and_cuts_out), T(pages), T(lists_many_sources),
		T(waits_as_the_rule_says),
		T(a_commit_waits_for_its_author), T(counts_what_is_unread), T(joins_two_addresses), T(lists_where_things_are_now),
		T(follows_rewritten_commits), T(knows_trailers), T(remembers_file_ids), T(bounds_its_maps), T(replaces_a_map),
		T(lists_tasks),
		T(converges), T(exports_bytes_as_stored), T(is_private_whatever_the_umask), T(makes_way_for_what_does_not_fit),
		T(gets_over_damage), T(notices_that_it_was_taken_away), T(is_filled_in_another_file), T(is_filled_without_walks), T(finds_the_newest_of_many),
		T(tells_of_others_writes), T(forgets_what_was_rolled_back),
		T(works_in_memory_and_with_a_rollback_journal), T(walks_no_table),
	};

	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
