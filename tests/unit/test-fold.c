/* SPDX-License-Identifier: MIT */
/*
 * The fold: each rule by itself, then the promise behind all of them, that a set of ops gives one result whatever the
 * order, the duplicates and the clocks.
 */
#include "config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "killick/base/clock.h"
#include "killick/model/fold.h"

#define NOW INT64_C(1767322800000)
#define SEC INT64_C(1000)
#define YEARS(n) ((n) * INT64_C(31557600000))

/* ---- ops, made from stored bytes as in life ---- */

struct log {
	struct op *ops[128];
	size_t n;
	char entity[SHA256_HEX];
};

static const struct person ana = { .name = "Ana", .email = "ana@x" }, bo = { .name = "Bo", .email = "bo@x" };

static struct op *stored(enum op_type type, unsigned writer, uint64_t lamport, const char *entity, const struct person *author,
    int64_t time, json_t *payload)
{
	struct op op = { .version = 1, .seq = lamport % 1000, .lamport = lamport, .type = type, .author = *author, .time = time,
		.payload = payload };
	struct op *out = xcalloc(1, sizeof(*out));
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (!payload)
		fail_msg("the test's own payload is wrong");
	snprintf(op.repo, sizeof(op.repo), "%032x", 7);
	snprintf(op.writer, sizeof(op.writer), "%032x", writer);
	memcpy(op.entity, entity, SHA256_HEX);
	if (op.seq)
		memset(op.prev, 'a', SHA256_HEX - 1);
	op_encode(&op, &b);
	json_decref(payload);
	if (op_decode(b.ptr, b.len, out, &e))
		fail_msg("%s: %s", e.msg, b.ptr);
	buf_release(&b);
	return out;
}

/* Adds an op of the log's entity; ops follow each other by a second. Returns its id. */
static const char *put(struct log *l, enum op_type type, uint64_t lamport, const struct person *author, json_t *payload)
{
	struct op *op = stored(type, 1, lamport, l->entity, author, NOW + (int64_t)l->n * SEC, payload);

	l->ops[l->n++] = op;
	return op->id;
}

static void open_with(struct log *l, enum op_type type, json_t *payload)
{
	l->n = 0;
	l->entity[0] = '\0';
	memcpy(l->entity, put(l, type, 10, &ana, payload), SHA256_HEX);
}

static void open_thread(struct log *l)
{
	open_with(l, OP_OPEN, json_pack("{s:s, s:s, s:{s:s, s:s, s:i, s:i}}", "kind", "question", "body", "Why *three*?\nMore.",
	    "anchor", "type", "lines", "path", "src/a.c", "line", 3, "end", 5));
}

static const char *put_post(struct log *l, uint64_t lamport, const struct person *author, const char *body)
{
	return put(l, OP_POST, lamport, author, json_pack("{s:s}", "body", body));
}

static const char *put_about(struct log *l, enum op_type type, uint64_t lamport, const struct person *author, const char *post)
{
	return put(l, type, lamport, author, json_pack("{s:s}", "post", post));
}

static void drop(struct log *l)
{
	for (size_t i = 0; i < l->n; i++) {
		op_release(l->ops[i]);
		free(l->ops[i]);
	}
	l->n = 0;
}

/* What each test gets: a log of its own and the arena that its folds live in. */
struct fixture {
	struct log log;
	struct arena a;
};

static int setup(void **state)
{
	*state = xcalloc(1, sizeof(struct fixture));
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	drop(&x->log);
	arena_release(&x->a);
	free(x);
	return 0;
}

/* The fold of l, which ends with the arena. */
static struct fold folded(struct log *l, struct arena *a)
{
	struct fold f;

	arena_clear(a);
	assert_true(fold_entity(a, l->ops, l->n, &f));
	return f;
}

/* ---- rules ---- */

static void test_opening(void **state)
{
	struct fixture *x = *state;
	struct fold f;

	open_with(&x->log, OP_OPEN, json_pack("{s:s, s:s, s:s, s:{s:s}, s:[{s:s, s:s, s:n}], s:s}", "kind", "decision", "body",
	    "one\r\ntwo\rthree", "title", " A \n title ", "anchor", "type", "project", "asked", "name", "Bo", "email", "bo@x", "login",
	    "trailer", "3f2a9c1d5b7e8f901234567890abcdef12345678"));
	f = folded(&x->log, &x->a);
	assert_false(f.task);
	assert_int_equal(f.t.id[0], 'k');
	assert_string_equal(f.t.id + 1, x->log.entity);
	assert_string_equal(f.t.source, "native");
	assert_int_equal(f.t.kind, KIND_DECISION);
	assert_int_equal(f.t.state, STATE_OPEN);
	assert_string_equal(f.t.title, "A title");
	assert_int_equal(f.t.n_posts, 1);
	assert_int_equal(f.t.posts[0].id[0], 'p');
	assert_string_equal(f.t.posts[0].id + 1, x->log.entity);
	assert_string_equal(f.t.posts[0].body, "one\ntwo\nthree");
	assert_string_equal(f.t.posts[0].author.name, "Ana");
	assert_int_equal(f.t.created, NOW);
	assert_int_equal(f.t.updated, NOW);
	assert_int_equal(f.t.n_asked, 1);
	assert_string_equal(f.t.asked[0].email, "bo@x");
	assert_null(f.resolved_by);
	assert_null(f.closer.email);
}

/* An opener that says too little or nonsense: its words are kept, the rest is the plainest there is. */
static void test_poor_openers(void **state)
{
	struct fixture *x = *state;
	static const char *const payloads[] = {
		"{}", ("{\"kind\":\"rant\",\"body\":7,\"anchor\":{\"type\":\"file\",\"path\":\"../../etc/passwd\"},\"asked\":\"bo\","
		    "\"trailer\":\"HEAD\",\"title\":[],\"labels\":{}}"),
		"{\"kind\":null,\"body\":null,\"anchor\":null,\"asked\":[null,7,{}],\"labels\":[\"\",\"a\\nb\",7,null]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(payloads); i++) {
		struct fold f;

		open_with(&x->log, OP_OPEN, json_loads(payloads[i], 0, NULL));
		f = folded(&x->log, &x->a);
		assert_int_equal(f.t.kind, KIND_NOTE);
		assert_int_equal(f.t.anchor.type, ANCHOR_PROJECT);
		assert_string_equal(f.t.posts[0].body, "");
		assert_string_equal(f.t.title, "(no text)");
		assert_int_equal(f.t.n_asked, 0);
		assert_int_equal(f.t.n_labels, 0);
		drop(&x->log);
	}
}

static void test_no_opener(void **state)
{
	struct fixture *x = *state;
	struct fold f;

	open_thread(&x->log);
	put_post(&x->log, 11, &bo, "x");
	assert_false(fold_entity(&x->a, x->log.ops + 1, 1, &f));
	assert_false(fold_entity(&x->a, x->log.ops, 0, &f));
}

static void test_posts_by_stamp(void **state)
{
	struct fixture *x = *state;
	struct fold f;

	open_thread(&x->log);
	put_post(&x->log, 13, &bo, "third");
	put_post(&x->log, 12, &ana, "second");
	put_post(&x->log, 1, &bo, "before the opener by its clock");
	put(&x->log, OP_RESOLVE, 14, &ana, json_pack("{s:s, s:s}", "body", "fourth", "commit",
	    "3f2a9c1d5b7e8f901234567890abcdef12345678"));
	put(&x->log, OP_POST, 15, &ana, json_pack("{s:i}", "body", 7));
	f = folded(&x->log, &x->a);
	assert_int_equal(f.t.n_posts, 5);
	assert_string_equal(f.t.posts[0].body, "Why *three*?\nMore.");
	assert_string_equal(f.t.posts[1].body, "before the opener by its clock");
	assert_string_equal(f.t.posts[2].body, "second");
	assert_string_equal(f.t.posts[3].body, "third");
	assert_string_equal(f.t.posts[4].body, "fourth");
	assert_string_equal(f.t.title, "Why three?");
	assert_int_equal(f.t.state, STATE_RESOLVED);
	assert_string_equal(f.resolved_by, "3f2a9c1d5b7e8f901234567890abcdef12345678");
	assert_string_equal(f.t.last_author.email, "ana@x");
}

static void test_edit_and_redact_by_the_author(void **state)
{
	struct fixture *x = *state;
	static const struct person shouting = { .name = "A", .email = "ANA@X" }, no_mail = { .name = "Ana" };
	struct fold f;
	const char *p;

	open_thread(&x->log);
	p = put_post(&x->log, 11, &ana, "first");
	put(&x->log, OP_EDIT, 12, &bo, json_pack("{s:s, s:s}", "post", p, "body", "not his"));
	put(&x->log, OP_EDIT, 13, &no_mail, json_pack("{s:s, s:s}", "post", p, "body", "nobody's"));
	put(&x->log, OP_EDIT, 9, &ana, json_pack("{s:s, s:s}", "post", p, "body", "before it was written"));
	put(&x->log, OP_EDIT, 14, &ana, json_pack("{s:s}", "post", p));
	put_about(&x->log, OP_REDACT, 15, &bo, p);
	f = folded(&x->log, &x->a);
	assert_string_equal(f.t.posts[1].body, "first");
	assert_int_equal(f.t.posts[1].edited, 0);
	assert_int_equal(f.t.updated, NOW + SEC);

	put(&x->log, OP_EDIT, 17, &shouting, json_pack("{s:s, s:s}", "post", p, "body", "later"));
	put(&x->log, OP_EDIT, 16, &ana, json_pack("{s:s, s:s}", "post", p, "body", "earlier"));
	f = folded(&x->log, &x->a);
	assert_string_equal(f.t.posts[1].body, "later");
	assert_int_equal(f.t.posts[1].edited, NOW + 7 * SEC);
	assert_int_equal(f.t.updated, NOW + 7 * SEC);

	put_about(&x->log, OP_REDACT, 18, &shouting, p);
	put(&x->log, OP_EDIT, 19, &ana, json_pack("{s:s, s:s}", "post", p, "body", "back again"));
	f = folded(&x->log, &x->a);
	assert_null(f.t.posts[1].body);
	assert_int_equal(f.t.posts[1].state, POST_RETRACTED);
	assert_int_equal(f.t.posts[1].edited, 0);
	assert_int_equal(f.t.n_posts, 2);
	assert_int_equal(f.t.updated, NOW + 9 * SEC);
}

/* A redaction hides its post for good, also when it sorts before it. */
static void test_redact_before_its_target(void **state)
{
	struct fixture *x = *state;
	struct fold f;
	const char *p;

	open_thread(&x->log);
	p = put_post(&x->log, 30, &ana, "secret");
	put(&x->log, OP_EDIT, 31, &ana, json_pack("{s:s, s:s}", "post", p, "body", "secret too"));
	put_about(&x->log, OP_REDACT, 5, &ana, p);
	put_about(&x->log, OP_REDACT, 6, &ana, x->log.entity);
	f = folded(&x->log, &x->a);
	assert_null(f.t.posts[0].body);
	assert_null(f.t.posts[1].body);
	assert_string_equal(f.t.title, "(retracted)");
	assert_string_equal(f.t.last_author.email, "ana@x");
}

static void check_state(struct log *l, struct arena *a, enum thread_state state, int accepted, const char *closer)
{
	struct fold f = folded(l, a);

	assert_int_equal(f.t.state, state);
	for (unsigned i = 0; i < f.t.n_posts; i++)
		assert_int_equal(f.t.posts[i].accepted, (int)i == accepted);
	assert_string_equal(f.closer.email ? f.closer.email : "", closer);
}

static void test_states(void **state)
{
	struct fixture *x = *state;
	const char *answer, *other;

	open_thread(&x->log);
	answer = put_post(&x->log, 11, &bo, "answer");
	other = put_post(&x->log, 12, &bo, "other");
	check_state(&x->log, &x->a, STATE_OPEN, -1, "");
	put_about(&x->log, OP_ACCEPT, 20, &ana, answer);
	check_state(&x->log, &x->a, STATE_ANSWERED, 1, "ana@x");
	put(&x->log, OP_ACCEPT, 21, &bo, json_pack("{s:n}", "post"));
	check_state(&x->log, &x->a, STATE_OPEN, -1, "bo@x");
	put_about(&x->log, OP_ACCEPT, 22, &ana, other);
	put(&x->log, OP_RESOLVE, 23, &bo, json_object());
	check_state(&x->log, &x->a, STATE_RESOLVED, 2, "bo@x");
	put(&x->log, OP_ACCEPT, 24, &ana, json_pack("{s:n}", "post"));
	check_state(&x->log, &x->a, STATE_RESOLVED, -1, "bo@x");
	put(&x->log, OP_REOPEN, 25, &ana, json_object());
	check_state(&x->log, &x->a, STATE_OPEN, -1, "ana@x");
	put_about(&x->log, OP_ACCEPT, 26, &ana, answer);
	put_about(&x->log, OP_ACCEPT, 27, &ana, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	put(&x->log, OP_ACCEPT, 28, &ana, json_object());
	check_state(&x->log, &x->a, STATE_ANSWERED, 1, "ana@x");
	put_about(&x->log, OP_REDACT, 29, &bo, answer);
	check_state(&x->log, &x->a, STATE_OPEN, -1, "ana@x");
	put(&x->log, OP_RESOLVE, 1, &bo, json_object());
	check_state(&x->log, &x->a, STATE_OPEN, -1, "ana@x");
}

static void test_kind_title_move(void **state)
{
	struct fixture *x = *state;
	struct fold f;

	open_thread(&x->log);
	put(&x->log, OP_KIND, 21, &bo, json_pack("{s:s}", "kind", "decision"));
	put(&x->log, OP_KIND, 20, &bo, json_pack("{s:s}", "kind", "note"));
	put(&x->log, OP_KIND, 22, &bo, json_pack("{s:s}", "kind", "rant"));
	put(&x->log, OP_TITLE, 20, &bo, json_pack("{s:s}", "title", "T1"));
	put(&x->log, OP_TITLE, 21, &bo, json_pack("{s:i}", "title", 7));
	put(&x->log, OP_MOVE, 20, &bo, json_pack("{s:{s:s, s:s}}", "anchor", "type", "file", "path", "b.c"));
	put(&x->log, OP_MOVE, 21, &bo, json_pack("{s:{s:s, s:s}}", "anchor", "type", "file", "path", "../b.c"));
	put(&x->log, OP_MOVE, 22, &bo, json_object());
	f = folded(&x->log, &x->a);
	assert_int_equal(f.t.kind, KIND_DECISION);
	assert_string_equal(f.t.title, "T1");
	assert_int_equal(f.t.anchor.type, ANCHOR_FILE);
	assert_string_equal(f.t.anchor.path, "b.c");
	put(&x->log, OP_TITLE, 22, &bo, json_pack("{s:s}", "title", " \n"));
	f = folded(&x->log, &x->a);
	assert_string_equal(f.t.title, "Why three?");
}

static json_t *strings(const char *key, const char *one, const char *two)
{
	return two ? json_pack("{s:[s,s]}", key, one, two) : json_pack("{s:[s]}", key, one);
}

static void test_labels_and_links(void **state)
{
	struct fixture *x = *state;
	struct fold f;

	open_thread(&x->log);
	put(&x->log, OP_LABEL, 20, &bo, strings("add", "net", "bug"));
	put(&x->log, OP_LABEL, 22, &bo, strings("remove", "net", NULL));
	put(&x->log, OP_LABEL, 21, &bo, strings("add", "net", "ui"));
	put(&x->log, OP_LABEL, 23, &bo, json_pack("{s:[s], s:[s]}", "add", "both", "remove", "both"));
	put(&x->log, OP_LABEL, 24, &bo, json_pack("{s:[s,s,i]}", "add", "", "two\nlines", 7));
	put(&x->log, OP_LINK, 20, &bo, json_pack("{s:s, s:b}", "to", "GH-1", "on", 1));
	put(&x->log, OP_LINK, 21, &bo, json_pack("{s:s, s:b}", "to", "GH-2", "on", 1));
	put(&x->log, OP_LINK, 22, &bo, json_pack("{s:s, s:b}", "to", "GH-1", "on", 0));
	put(&x->log, OP_LINK, 23, &bo, json_pack("{s:s}", "to", "GH-3"));
	f = folded(&x->log, &x->a);
	assert_int_equal(f.t.n_labels, 3);
	assert_string_equal(f.t.labels[0], "both");
	assert_string_equal(f.t.labels[1], "bug");
	assert_string_equal(f.t.labels[2], "ui");
	assert_int_equal(f.t.n_links, 1);
	assert_string_equal(f.t.links[0], "GH-2");
}

static json_t *people(const char *key, const char *name, const char *email)
{
	return json_pack("{s:[{s:s, s:s}]}", key, "name", name, "email", email);
}

static void test_people(void **state)
{
	struct fixture *x = *state;
	struct fold f;

	open_with(&x->log, OP_TASK, json_pack("{s:s, s:s}", "title", "t", "body", "b"));
	put(&x->log, OP_ASSIGN, 20, &ana, people("add", "Bo", "bo@x"));
	put(&x->log, OP_ASSIGN, 21, &ana, people("add", "Robert", "BO@X"));
	put(&x->log, OP_ASSIGN, 22, &ana, people("add", "Chen", "chen@x"));
	put(&x->log, OP_ASSIGN, 23, &ana, people("remove", "?", "Chen@X"));
	put(&x->log, OP_ASSIGN, 24, &ana, json_pack("{s:[{s:s}]}", "add", "login", "dee"));
	put(&x->log, OP_ASSIGN, 25, &ana, json_pack("{s:[{}]}", "add"));
	f = folded(&x->log, &x->a);
	assert_int_equal(f.k.n_assignees, 2);
	assert_string_equal(f.k.assignees[0].name, "Robert");
	assert_string_equal(f.k.assignees[1].login, "dee");
}

static json_t *reaction(const char *post, const char *emoji, bool on)
{
	return json_pack("{s:s, s:s, s:b}", "post", post, "emoji", emoji, "on", (int)on);
}

static void test_reactions(void **state)
{
	struct fixture *x = *state;
	static const struct person shouting = { .email = "ANA@x" };
	struct fold f;
	const char *p;

	open_thread(&x->log);
	p = put_post(&x->log, 11, &bo, "x");
	put(&x->log, OP_REACT, 20, &ana, reaction(p, "+1", true));
	put(&x->log, OP_REACT, 21, &shouting, reaction(p, "+1", true));
	put(&x->log, OP_REACT, 22, &bo, reaction(p, "+1", true));
	put(&x->log, OP_REACT, 23, &bo, reaction(p, "eyes", true));
	put(&x->log, OP_REACT, 25, &bo, reaction(x->log.entity, "eyes", false));
	put(&x->log, OP_REACT, 24, &bo, reaction(x->log.entity, "eyes", true));
	put(&x->log, OP_REACT, 26, &bo, reaction(p, "a\nb", true));
	put(&x->log, OP_REACT, 27, &(struct person){ .name = "?" }, json_pack("{s:s, s:s}", "post", p, "emoji", "x"));
	f = folded(&x->log, &x->a);
	assert_int_equal(f.t.posts[0].n_reactions, 0);
	assert_int_equal(f.t.posts[1].n_reactions, 2);
	assert_string_equal(f.t.posts[1].reactions[0].emoji, "+1");
	assert_int_equal(f.t.posts[1].reactions[0].n, 2);
	assert_string_equal(f.t.posts[1].reactions[0].by[0].email, "ANA@x");
	assert_string_equal(f.t.posts[1].reactions[0].by[1].email, "bo@x");
	assert_string_equal(f.t.posts[1].reactions[1].emoji, "eyes");
	assert_int_equal(f.t.posts[1].reactions[1].n, 1);
	assert_int_equal(f.t.updated, NOW + SEC);
	put_about(&x->log, OP_REDACT, 28, &bo, p);
	f = folded(&x->log, &x->a);
	assert_int_equal(f.t.posts[1].n_reactions, 0);
}

static void test_task(void **state)
{
	struct fixture *x = *state;
	struct fold f;

	open_with(&x->log, OP_TASK, json_pack("{s:s, s:s, s:[s]}", "title", "Cap retries", "body", "Please.", "labels", "net"));
	put_post(&x->log, 11, &bo, "a comment");
	put(&x->log, OP_TASK, 12, &bo, json_pack("{s:s, s:s}", "state", "merged", "body", "Pretty please."));
	put(&x->log, OP_KIND, 13, &bo, json_pack("{s:s}", "kind", "question"));
	put_about(&x->log, OP_ACCEPT, 14, &bo, x->log.ops[1]->id);
	f = folded(&x->log, &x->a);
	assert_true(f.task);
	assert_int_equal(f.k.id[0], 'T');
	assert_string_equal(f.k.id + 2, x->log.entity);
	assert_string_equal(f.k.title, "Cap retries");
	assert_string_equal(f.k.body, "Pretty please.");
	assert_int_equal(f.k.state, TASK_MERGED);
	assert_string_equal(f.k.author.email, "ana@x");
	assert_string_equal(f.k.labels[0], "net");
	assert_int_equal(f.k.updated, NOW + 2 * SEC);
	assert_int_equal(f.t.n_posts, 2);
	assert_string_equal(f.t.posts[1].body, "a comment");
	put(&x->log, OP_REOPEN, 20, &bo, json_object());
	assert_int_equal(folded(&x->log, &x->a).k.state, TASK_OPEN);
	put(&x->log, OP_RESOLVE, 21, &bo, json_object());
	assert_int_equal(folded(&x->log, &x->a).k.state, TASK_CLOSED);
	put_about(&x->log, OP_REDACT, 22, &ana, x->log.entity);
	put(&x->log, OP_TASK, 23, &bo, json_pack("{s:s, s:s}", "title", "Renamed", "body", "and again"));
	f = folded(&x->log, &x->a);
	assert_null(f.k.body);
	assert_string_equal(f.k.title, "Renamed");
	put(&x->log, OP_TASK, 24, &bo, json_pack("{s:s}", "state", "limbo"));
	assert_int_equal(folded(&x->log, &x->a).k.state, TASK_CLOSED);
}

static void test_task_ops_do_not_touch_threads(void **state)
{
	struct fixture *x = *state;
	struct fold f;

	open_thread(&x->log);
	put(&x->log, OP_TASK, 12, &ana, json_pack("{s:s, s:s, s:s}", "state", "closed", "title", "x", "body", "y"));
	f = folded(&x->log, &x->a);
	assert_int_equal(f.t.state, STATE_OPEN);
	assert_string_equal(f.t.title, "Why three?");
	assert_int_equal(f.t.updated, NOW);
}

/* Wall clocks decide nothing, and cannot make a thread older than itself. */
static void test_clocks_that_lie(void **state)
{
	struct fixture *x = *state;
	struct fold f;

	open_thread(&x->log);
	x->log.ops[x->log.n++] = stored(OP_TITLE, 2, 20, x->log.entity, &bo, NOW + YEARS(10), json_pack("{s:s}", "title", "from the future"));
	x->log.ops[x->log.n++] = stored(OP_TITLE, 2, INT64_MAX, x->log.entity, &bo, NOW - YEARS(10), json_pack("{s:s}", "title", "from the past"));
	f = folded(&x->log, &x->a);
	assert_string_equal(f.t.title, "from the past");
	assert_int_equal(f.t.updated, f.t.created);
}

/* ---- the promise ---- */

static uint64_t seed = 20260103;

static unsigned random_below(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static json_t *post_extra(const struct post *p)
{
	json_t *j = json_object(), *r = json_array();

	json_put_time(j, "edited", p->edited);
	json_object_set_new(j, "accepted", json_boolean(p->accepted));
	for (size_t i = 0; i < p->n_reactions; i++) {
		json_array_append_new(r, json_string(p->reactions[i].emoji));
		for (unsigned k = 0; k < p->reactions[i].n; k++)
			json_array_append_new(r, person_json(&p->reactions[i].by[k]));
	}
	json_object_set_new(j, "reactions", r);
	return j;
}

static json_t *list(const char **s, size_t n)
{
	json_t *j = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(j, json_string(s[i]));
	return j;
}

/* Everything that a fold says, as text. */
static void dump(const struct fold *f, struct buf *b)
{
	json_t *x = json_object(), *posts = json_array(), *asked = json_array();

	for (unsigned i = 0; i < f->t.n_posts; i++)
		json_array_append_new(posts, post_extra(&f->t.posts[i]));
	for (size_t i = 0; i < f->t.n_asked; i++)
		json_array_append_new(asked, person_json(&f->t.asked[i]));
	json_object_set_new(x, "thread", thread_json(&f->t));
	if (f->task)
		json_object_set_new(x, "task", task_json(&f->k));
	json_object_set_new(x, "op", anchor_to_op(&f->t.anchor));
	json_object_set_new(x, "posts", posts);
	json_object_set_new(x, "asked", asked);
	json_object_set_new(x, "labels", list(f->t.labels, f->t.n_labels));
	json_object_set_new(x, "links", list(f->t.links, f->t.n_links));
	json_object_set_new(x, "author", person_json(&f->t.author));
	json_object_set_new(x, "last", person_json(&f->t.last_author));
	json_object_set_new(x, "closer", person_json(&f->closer));
	json_put_int(x, "created", f->t.created);
	json_put_int(x, "updated", f->t.updated);
	json_put_str(x, "resolved_by", f->resolved_by);
	json_put_str(x, "body", f->k.body);
	json_write(b, x);
	json_decref(x);
}

static uint64_t random_lamport(void)
{
	static const uint64_t odd[] = { 0, 1, 10, INT64_MAX, INT64_MAX - 1, UINT64_C(1) << 32 };

	return random_below(4) ? random_below(30) : odd[random_below(ARRAY_SIZE(odd))];
}

/* A post of the log, mostly one that is there. */
static const char *random_post(const struct log *l)
{
	return random_below(20) ? l->ops[random_below((unsigned)l->n)]->id : "no such post";
}

static json_t *random_payload(const struct log *l, enum op_type t)
{
	static const char *const words[] = { "a", "b", "c", "A", "" };
	static const char *const states[] = { "open", "closed", "merged", "limbo" };
	static const char *const kinds[] = { "question", "note", "decision", "rant" };
	const char *w = words[random_below(ARRAY_SIZE(words))];

	switch (t) {
	case OP_POST: return json_pack("{s:s}", "body", w);
	case OP_EDIT: return json_pack("{s:s, s:s}", "post", random_post(l), "body", w);
	case OP_REDACT: return json_pack("{s:s}", "post", random_post(l));
	case OP_RESOLVE: return random_below(2) ? json_pack("{s:s}", "body", w) : json_object();
	case OP_ACCEPT: return random_below(3) ? json_pack("{s:s}", "post", random_post(l)) : json_pack("{s:n}", "post");
	case OP_KIND: return json_pack("{s:s}", "kind", kinds[random_below(4)]);
	case OP_TITLE: return random_below(3) ? json_pack("{s:s}", "title", w) : json_pack("{s:n}", "title");
	case OP_LABEL: return json_pack("{s:[s], s:[s]}", "add", w, "remove", words[random_below(5)]);
	case OP_ASSIGN: return people(random_below(2) ? "add" : "remove", w, words[random_below(5)]);
	case OP_REACT: return reaction(random_post(l), words[random_below(3)], random_below(2));
	case OP_MOVE: return json_pack("{s:{s:s, s:s}}", "anchor", "type", "file", "path", w);
	case OP_LINK: return json_pack("{s:s, s:b}", "to", w, "on", (int)random_below(2));
	case OP_TASK: return json_pack("{s:s, s:s}", "state", states[random_below(4)], "title", w);
	default: return json_object();
	}
}

static void random_log(struct log *l, unsigned n)
{
	static const struct person people_[] = {
		{ .name = "Ana", .email = "ana@x" }, { .name = "Bo", .email = "bo@x" }, { .name = "Ana B", .email = "Ana@X" },
		{ .name = "Nobody" },
	};

	/* The salt makes it another entity each time. */
	if (random_below(3))
		open_with(l, OP_OPEN, json_pack("{s:s, s:s, s:i}", "kind", "question", "body", "Why?", "salt", (int)random_below(1 << 30)));
	else
		open_with(l, OP_TASK, json_pack("{s:s, s:s, s:i}", "title", "t", "body", "b", "salt", (int)random_below(1 << 30)));
	while (l->n < n) {
		enum op_type t = (enum op_type)(OP_POST + random_below(OP_TASK - OP_POST + 1));

		l->ops[l->n] = stored(t, 1 + random_below(3), random_lamport(), l->entity, &people_[random_below(4)],
		    NOW + YEARS((int)random_below(21) - 10), random_payload(l, t));
		l->n++;
	}
}

static void check_dump(struct op **ops, size_t n, const char *want, struct arena *a)
{
	struct buf b = BUF_INIT;
	struct fold f;

	arena_clear(a);
	assert_true(fold_entity(a, ops, n, &f));
	dump(&f, &b);
	if (strcmp(b.ptr, want))
		fail_msg("%s\nwanted\n%s", b.ptr, want);
	buf_release(&b);
}

static void shuffle(struct op **ops, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = random_below((unsigned)i);
		struct op *x = ops[i - 1];

		ops[i - 1] = ops[k];
		ops[k] = x;
	}
}

static void first_dump(struct log *l, struct arena *a, struct buf *want)
{
	struct fold f = folded(l, a);

	dump(&f, want);
}

static void test_any_order_gives_the_same(void **state)
{
	struct arena a = ARENA_INIT;
	struct op *ops[128];

	(void)state;
	for (int round = 0; round < 400; round++) {
		struct log l, other;
		struct buf want = BUF_INIT;

		random_log(&l, 2 + random_below(40));
		random_log(&other, 2 + random_below(10));
		first_dump(&l, &a, &want);
		for (int i = 0; i < 10; i++) {
			size_t n = l.n;

			memcpy(ops, l.ops, n * sizeof(*ops));
			while (n < 100 && random_below(3))
				ops[n++] = l.ops[random_below((unsigned)l.n)];
			/* Ops of another entity, without its opener, do not matter. */
			for (size_t k = 1; k < other.n && n < 120; k++)
				ops[n++] = other.ops[k];
			shuffle(ops, n);
			check_dump(ops, n, want.ptr, &a);
		}
		buf_release(&want);
		drop(&l);
		drop(&other);
	}
	arena_release(&a);
}

/* Every order of few ops. */
static void permute(struct op **ops, size_t n, size_t from, const char *want, struct arena *a)
{
	if (from == n) {
		struct op *copy[8];

		memcpy(copy, ops, n * sizeof(*copy));
		check_dump(copy, n, want, a);
		return;
	}
	for (size_t i = from; i < n; i++) {
		struct op *x = ops[from];

		ops[from] = ops[i];
		ops[i] = x;
		permute(ops, n, from + 1, want, a);
		ops[i] = ops[from];
		ops[from] = x;
	}
}

static void test_every_permutation(void **state)
{
	struct fixture *x = *state;

	for (int round = 0; round < 30; round++) {
		struct buf want = BUF_INIT;
		struct op *ops[8];

		random_log(&x->log, 6);
		first_dump(&x->log, &x->a, &want);
		memcpy(ops, x->log.ops, x->log.n * sizeof(*ops));
		permute(ops, x->log.n, 0, want.ptr, &x->a);
		buf_release(&want);
		drop(&x->log);
	}
}

/* What does not apply changes nothing: types and versions of the future. */
static void test_unknown_ops_change_nothing(void **state)
{
	struct fixture *x = *state;

	for (int round = 0; round < 50; round++) {
		struct buf want = BUF_INIT;

		random_log(&x->log, 20);
		first_dump(&x->log, &x->a, &want);
		x->log.ops[x->log.n] = stored(OP_REOPEN, 3, random_lamport(), x->log.entity, &bo, NOW + YEARS(20), json_object());
		x->log.ops[x->log.n]->type = OP_UNKNOWN;
		x->log.n++;
		shuffle(x->log.ops, x->log.n);
		check_dump(x->log.ops, x->log.n, want.ptr, &x->a);
		buf_release(&want);
		drop(&x->log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_opening, setup, teardown),
		cmocka_unit_test_setup_teardown(test_poor_openers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_opener, setup, teardown),
		cmocka_unit_test_setup_teardown(test_posts_by_stamp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_edit_and_redact_by_the_author, setup, teardown),
		cmocka_unit_test_setup_teardown(test_redact_before_its_target, setup, teardown),
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kind_title_move, setup, teardown),
		cmocka_unit_test_setup_teardown(test_labels_and_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_people, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reactions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_task, setup, teardown),
		cmocka_unit_test_setup_teardown(test_task_ops_do_not_touch_threads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clocks_that_lie, setup, teardown),
		cmocka_unit_test(test_any_order_gives_the_same),
		cmocka_unit_test_setup_teardown(test_every_permutation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_ops_change_nothing, setup, teardown),
	};

	if (getenv("KILLICK_TEST_SEED"))
		seed = strtoull(getenv("KILLICK_TEST_SEED"), NULL, 10);
	return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
