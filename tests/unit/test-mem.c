/* SPDX-License-Identifier: MIT */
/* Arenas and arrays: alignment, zeroing, sizes from 0 to larger than a block, what is kept after clear. */
#include "unit.h"
#include <signal.h>
#include <stdalign.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "killick/base/mem.h"

static void arena_gives_aligned_zeroed_memory(void **state UNUSED)
{
	struct arena a = ARENA_INIT;
	static const size_t sizes[] = { 0, 1, 7, 16, 4000, 5000, 100000, 3, 2000000, 1 };

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			unsigned char *p = arena_alloc(&a, sizes[i]);
			assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
			for (size_t k = 0; k < sizes[i]; k++)
				assert_int_equal(p[k], 0);
			memset(p, 0xa5, sizes[i]);
		}
		arena_clear(&a);
		assert_int_equal(a.total, 0);
	}
	arena_release(&a);
	assert_null(a.head);
	arena_release(&a);
	arena_release(NULL);
}

static void arena_pieces_do_not_overlap(void **state UNUSED)
{
	struct arena a = ARENA_INIT;
	char *p[3000];

	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = arena_alloc(&a, i % 97 + 1);
		memset(p[i], (int)(i % 251), i % 97 + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		for (size_t k = 0; k < i % 97 + 1; k++)
			assert_int_equal((unsigned char)p[i][k], i % 251);
	assert_true(a.total >= 3000 * 48);
	arena_release(&a);
}

static void a_large_piece_does_not_waste_the_block(void **state UNUSED)
{
	struct arena a = ARENA_INIT;
	char *first = arena_alloc(&a, 16), *next;

	arena_alloc(&a, 1000000);
	next = arena_alloc(&a, 16);
	assert_ptr_equal(next, first + 16);
	arena_release(&a);
}

static void arena_strings(void **state UNUSED)
{
	struct arena a = ARENA_INIT;
	char *s;

	assert_null(arena_strdup(&a, NULL));
	assert_string_equal(arena_strdup(&a, ""), "");
	assert_string_equal(arena_strdup(&a, "word"), "word");
	s = arena_memdup(&a, "a\0b", 3);
	assert_memory_equal(s, "a\0b", 4);
	assert_string_equal(arena_memdup(&a, NULL, 0), "");
	assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
	s = arena_printf(&a, "%5000d", 1);
	assert_int_equal(strlen(s), 5000);
	arena_release(&a);
}

static void arrays_grow(void **state UNUSED)
{
	struct pair { int a, b; } *last;
	ARRAY(struct pair) v = ARRAY_INIT;

	for (int i = 0; i < 1000; i++) {
		last = array_add(&v);
		assert_int_equal(last->a, 0);
		assert_int_equal(last->b, 0);
		last->a = i;
		last->b = -i;
	}
	assert_int_equal(v.len, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v.items[i].b, -i);
	v.len = 0; /* reused memory comes zeroed as well */
	assert_int_equal(array_add(&v)->a, 0);
	array_release(&v);
	assert_null(v.items);
}

static void strings_and_zero_sizes(void **state UNUSED)
{
	char *s = xstrndup("abc", 2), *t = xstrndup("abc", 9), *u = xasprintf("%s%c", "x", 'y');

	assert_string_equal(s, "ab");
	assert_string_equal(t, "abc");
	assert_string_equal(u, "xy");
	free(s);
	free(t);
	free(u);
	s = xmalloc(0);
	assert_non_null(s);
	s = xrealloc(s, 0);
	assert_non_null(s);
	free(s);
}

/* Runs f in a child; its standard error goes to `said`. Returns the signal that ended it. */
static int dies(void (*f)(void), struct buf *said)
{
	int fd[2], st;
	char c[512];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		signal(SIGABRT, SIG_DFL); /* cmocka catches it */
		dup2(fd[1], 2);
		f();
		_exit(0);
	}
	close(fd[1]);
	while ((n = read(fd[0], c, sizeof(c))) > 0)
		buf_add(said, c, (size_t)n);
	close(fd[0]);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	return WIFSIGNALED(st) ? WTERMSIG(st) : 0;
}

static void overflow(void)
{
	free(xreallocarray(NULL, SIZE_MAX / 2, 3));
}

static void a_bug(void)
{
	BUG("odd value %s", "a\033[31m\nb");
}

static void the_impossible_aborts_with_one_line(void **state UNUSED)
{
	struct buf said = BUF_INIT;

	assert_int_equal(dies(overflow, &said), SIGABRT);
	assert_non_null(strstr(said.ptr, "killick: out of memory"));
	buf_reset(&said);
	assert_int_equal(dies(a_bug, &said), SIGABRT);
	assert_non_null(strstr(said.ptr, "internal error at"));
	assert_non_null(strstr(said.ptr, "odd value a?[31m?b\n"));
	assert_null(strchr(said.ptr, '\033'));
	buf_release(&said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_gives_aligned_zeroed_memory),
		cmocka_unit_test(arena_pieces_do_not_overlap),
		cmocka_unit_test(a_large_piece_does_not_waste_the_block),
		cmocka_unit_test(arena_strings),
		cmocka_unit_test(arrays_grow),
		cmocka_unit_test(strings_and_zero_sizes),
		cmocka_unit_test(the_impossible_aborts_with_one_line),
	};

	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
