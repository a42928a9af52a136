/* SPDX-License-Identifier: MIT */
/* The desk: desks of every earlier version carried forward with all that is in them, and the outbox's rows. */
#include <sqlite3.h>
#include <unistd.h>
#include "unit.h"
#include "killick/base/file.h"
#include "killick/store/outrow.h"

#define OK(call) do { \
	struct err ok_e = ERR_INIT; \
	err = &ok_e; \
	if (call) \
		fail_msg("%s: %s", #call, ok_e.msg); \
} while (0)
static struct err *err; /* of the OK() that runs */

struct fix { char *dir; struct arena a; struct desk *d; };

static int setup(void **state)
{
	struct fix *f = xcalloc(1, sizeof(*f));

	f->dir = scratch_make();
	setenv("XDG_DATA_HOME", f->dir, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	desk_close(f->d);
	arena_release(&f->a);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

static void make_desk(struct fix *f, const char *sql_path)
{
	char *dir = xasprintf("%s/killick", f->dir), *path = xasprintf("%s/desk.db", dir);
	struct buf sql = BUF_INIT;
	sqlite3 *db;

	OK(dir_make_private(dir, err));
	OK(file_read(sql_path, 0, &sql, err));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql.ptr, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	buf_release(&sql);
	free(dir);
	free(path);
}

static int count_op(void *ctx, uint64_t n, const char *bytes, size_t len)
{
	(void)n;
	assert_memory_equal(bytes, "{}", len);
	++*(int *)ctx;
	return 0;
}

static int count_mark(void *ctx, const struct read_mark *m)
{
	assert_int_equal(m->n, 3);
	++*(int *)ctx;
	return 0;
}

static void check_kept(struct fix *f)
{
	struct draft_list drafts;
	const char **lines, *v;
	size_t n;
	int ops = 0, marks = 0;

	OK(desk_drafts(f->d, "/r/.git", &f->a, &drafts, err));
	assert_int_equal(drafts.len, 1);
	assert_string_equal(drafts.items[0].body, "Why?");
	OK(desk_ops(f->d, "/r/.git", 0, count_op, &ops, err));
	OK(desk_reads(f->d, 0, count_mark, &marks, err));
	assert_int_equal(ops, 1);
	assert_int_equal(marks, 1);
	OK(desk_history(f->d, "command", &f->a, &lines, &n, err));
	assert_int_equal(n, 1);
	assert_true(desk_value(f->d, "last-screen", &f->a, &v));
	assert_string_equal(v, "inbox");
}

/* One file a version; the newest has all that there is. */
static void test_every_version(void **state)
{
	static const char *const names[] = { "desk-v1.sql", "desk-v2.sql" };
	const char *src = getenv("KILLICK_TEST_SRC");
	struct fix *f = *state;
	struct out_list l;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *path = xasprintf("%s/tests/store/%s", src ? src : ".", names[i]), *old = xasprintf("%s/killick/desk.db", f->dir);

		unlink(old);
		make_desk(f, path);
		OK(desk_open(&f->d, err));
		check_kept(f);
		OK(desk_outs(f->d, NULL, NULL, NULL, &f->a, &l, err));
		assert_int_equal(l.len, i > 0);
		if (i > 0)
			assert_string_equal(l.items[0].problem, "bo answered");
		desk_close(f->d);
		OK(desk_open(&f->d, err)); /* once carried forward it opens as it is */
		check_kept(f);
		desk_close(f->d);
		f->d = NULL;
		free(path);
		free(old);
	}
}

static struct out_row row_of(const char *id)
{
	return (struct out_row){ .id = id, .source = "gh", .source_kind = "github", .source_key = "k", .repo = "/r", .op = "{}",
		.thread = "t", .what = "w", .created = 1, .not_before = 2 };
}

static void test_rows(void **state)
{
	struct fix *f = *state;
	struct draft d = { .repo = "/r", .verb = "reply", .body = "words" }, second = d;
	struct draft back[] = { { .repo = "/r", .verb = "reply", .body = "words" }, { .repo = "/r", .verb = "remark", .body = "more" } };
	struct out_row a = row_of("aa000000000000000000000000000000"), b = row_of("ab000000000000000000000000000000"), other, c;
	struct draft_list drafts;
	struct out_list l;
	struct err e = ERR_INIT;

	OK(desk_open(&f->d, err));
	OK(desk_draft_put(f->d, &f->a, &d, err));
	OK(desk_draft_put(f->d, &f->a, &second, err));
	OK(desk_out_add(f->d, &a, (const char *const []){ d.id, second.id }, 2, err));
	OK(desk_drafts(f->d, NULL, &f->a, &drafts, err));
	assert_int_equal(drafts.len, 0); /* the text is in one place */
	OK(desk_out_add(f->d, &b, NULL, 0, err));
	assert_int_equal(desk_out_add(f->d, &b, NULL, 0, &e), -1);
	OK(desk_out(f->d, "aa", &f->a, &other, err));
	assert_int_equal(desk_out(f->d, "a", &f->a, &c, &e), -1);
	assert_int_equal(e.code, ERR_AMBIGUOUS);
	assert_int_equal(desk_out(f->d, "b", &f->a, &c, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);

	a.state = OUT_HELD;
	a.problem = "why";
	OK(desk_out_save(f->d, &a, err));
	other.state = OUT_SENDING; /* who has not seen that does not overwrite it */
	assert_int_equal(desk_out_save(f->d, &other, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	c = row_of("cc000000000000000000000000000000");
	OK(desk_out_replace(f->d, &a, &c, err));
	OK(desk_outs(f->d, "/r", "github", "k", &f->a, &l, err));
	assert_int_equal(l.len, 2);
	assert_string_equal(l.items[0].id, c.id); /* its turn is the old one's */
	OK(desk_out_to_drafts(f->d, &c, &f->a, back, 2, err));
	OK(desk_drafts(f->d, NULL, &f->a, &drafts, err));
	assert_int_equal(drafts.len, 2);
	b.state = OUT_DROPPED;
	OK(desk_out_save(f->d, &b, err));
	OK(desk_outs(f->d, NULL, NULL, NULL, &f->a, &l, err));
	assert_int_equal(l.len, 0);
}

static void test_alias(void **state)
{
	struct fix *f = *state;
	const char *now = NULL;

	OK(desk_open(&f->d, err));
	OK(desk_alias_put(f->d, 'k', "3f9c2a", "aaaa", err));
	OK(desk_alias_put(f->d, 'k', "3f9d", "bbbb", err));
	OK(desk_alias_put(f->d, 'k', "3fff", "bbbb", err));
	OK(desk_alias_put(f->d, 'p', "3f9c", "cccc", err));
	assert_true(desk_alias(f->d, 'k', "3f9c", &f->a, &now));
	assert_string_equal(now, "aaaa");
	assert_true(desk_alias(f->d, 'p', "3f9c", &f->a, &now));
	assert_string_equal(now, "cccc");
	assert_false(desk_alias(f->d, 'k', "3f", &f->a, &now)); /* which one? */
	assert_true(desk_alias(f->d, 'k', "3ff", &f->a, &now));
	assert_false(desk_alias(f->d, 'k', "4", &f->a, &now));
	assert_false(desk_alias(f->d, 'k', "3f9c2a0", &f->a, &now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_version, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alias, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
	};

	return cmocka_run_group_tests_name("desk", tests, NULL, NULL);
}
