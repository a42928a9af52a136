/* SPDX-License-Identifier: MIT */
/* Errors: codes, context, cutting; the trace's switches and that nothing raw leaves through it. */
#include "unit.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "killick/base/file.h"
#include "killick/base/utf8.h"

static void set_prefix_clear(void **state UNUSED)
{
	struct err e = ERR_INIT;

	assert_int_equal(err_set(&e, ERR_NOT_FOUND, "no thread '%s'", "k3"), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(err_prefix(&e, "github %s", "acme"), -1);
	assert_string_equal(e.msg, "github acme: no thread 'k3'");
	assert_int_equal(e.code, ERR_NOT_FOUND);
	err_set(&e, ERR_FAILED, "again: %s", e.msg);
	assert_string_equal(e.msg, "again: github acme: no thread 'k3'");
	err_clear(&e);
	assert_int_equal(e.code, ERR_NONE);
	assert_string_equal(e.msg, "");
	assert_int_equal(err_set(NULL, ERR_FAILED, "x"), -1);
	assert_int_equal(err_errno(NULL, "x"), -1);
	assert_int_equal(err_prefix(NULL, "x"), -1);
}

static void codes_of_errno(void **state UNUSED)
{
	static const struct { int no; enum err_code code; } t[] = {
		{ ENOSPC, ERR_IO }, { EROFS, ERR_IO }, { EACCES, ERR_IO }, { EDQUOT, ERR_IO }, { EIO, ERR_IO },
		{ ENOENT, ERR_NOT_FOUND }, { EINVAL, ERR_FAILED }, { ENOTDIR, ERR_FAILED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct err e = ERR_INIT;
		char *want = xasprintf("cannot write 'f': %s", strerror(t[i].no));
		errno = t[i].no;
		assert_int_equal(err_errno(&e, "cannot write '%s'", "f"), -1);
		assert_int_equal(errno, t[i].no);
		assert_int_equal(e.code, t[i].code);
		assert_string_equal(e.msg, want);
		free(want);
	}
}

static void long_messages_are_cut_at_a_character(void **state UNUSED)
{
	struct buf b = BUF_INIT;

	for (int shift = 0; shift < 4; shift++) {
		struct err e = ERR_INIT;
		buf_reset(&b);
		buf_addchn(&b, 'x', (size_t)shift);
		for (int i = 0; i < 1000; i++)
			buf_addstr(&b, "\xf0\x9f\x91\x8d");
		err_set(&e, ERR_FAILED, "%s", b.ptr);
		assert_true(strlen(e.msg) > sizeof(e.msg) - 5);
		assert_true(utf8_valid(e.msg, strlen(e.msg)));
		err_prefix(&e, "ä");
		assert_true(utf8_valid(e.msg, strlen(e.msg)));
		assert_true(str_starts(e.msg, "ä: "));
		errno = ENOSPC;
		err_errno(&e, "cannot write '%s'", b.ptr);
		assert_true(utf8_valid(e.msg, strlen(e.msg)));
		assert_true(str_ends(e.msg, strerror(ENOSPC)));
	}
	buf_release(&b);
}

static void a_whole_last_character_stays(void **state UNUSED)
{
	struct err e = ERR_INIT;

	errno = ENOENT;
	err_errno(&e, "é");
	assert_true(str_starts(e.msg, "é: "));
}

static void trace_areas(void **state UNUSED)
{
	unsetenv("KILLICK_TRACE");
	assert_false(trace_on("git"));
	setenv("KILLICK_TRACE", "git,index", 1);
	assert_true(trace_on("git"));
	assert_true(trace_on("index"));
	assert_false(trace_on("gi"));
	assert_false(trace_on("gits"));
	setenv("KILLICK_TRACE", "all", 1);
	assert_true(trace_on("anything"));
	unsetenv("KILLICK_TRACE");
}

static void trace_lines_are_plain_ascii(void **state UNUSED)
{
	char *dir = scratch_make(), *path = xasprintf("%s/trace", dir);
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct stat st;

	setenv("KILLICK_TRACE", "git", 1);
	setenv("KILLICK_TRACE_FILE", path, 1);
	errno = 5;
	trace("git", "a\033]0;x\a %s\n", "\xc2\x9b\xff");
	trace("other", "unseen");
	assert_int_equal(errno, 5);
	assert_int_equal(file_read(path, 0, &b, &e), 0);
	assert_non_null(strstr(b.ptr, "git: a^[]0;x^G \\xc2\\x9b\\xff^J\n"));
	assert_null(strstr(b.ptr, "unseen"));
	for (size_t i = 0; i + 1 < b.len; i++)
		assert_true(b.ptr[i] >= 0x20 && b.ptr[i] < 0x7f);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* A trace that cannot be written must not stop anything. */
	setenv("KILLICK_TRACE_FILE", "/nonexistent/trace", 1);
	trace("git", "lost");
	unsetenv("KILLICK_TRACE");
	unsetenv("KILLICK_TRACE_FILE");
	buf_release(&b);
	free(path);
	scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_prefix_clear),
		cmocka_unit_test(codes_of_errno),
		cmocka_unit_test(long_messages_are_cut_at_a_character),
		cmocka_unit_test(a_whole_last_character_stays),
		cmocka_unit_test(trace_areas),
		cmocka_unit_test(trace_lines_are_plain_ascii),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
