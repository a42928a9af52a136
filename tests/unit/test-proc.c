/* SPDX-License-Identifier: MIT */
/* Child processes: output, input, time, signals, descriptors, environment, and splitting a command into words. */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "killick/base/clock.h"
#include "killick/base/file.h"
#include "killick/base/proc.h"

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define SH(script) ARGV("sh", "-c", script)

static void status_and_outputs(void **state UNUSED)
{
	struct buf out = BUF_INIT, err = BUF_INIT;
	struct err e = ERR_INIT;
	struct proc p = { .argv = SH("echo out; echo err >&2; exit 3"), .out = &out, .errout = &err };

	assert_int_equal(proc_run(&p, &e), 0);
	assert_int_equal(p.status, 3);
	assert_buf(&out, "out\n");
	assert_buf(&err, "err\n");
	p.argv = SH("kill -9 $$");
	assert_int_equal(proc_run(&p, &e), 0);
	assert_int_equal(p.status, 128 + SIGKILL);
	p.argv = SH("cat; echo end");
	buf_reset(&out);
	assert_int_equal(proc_run(&p, &e), 0); /* no input is an empty one */
	assert_buf(&out, "end\n");
	buf_release(&out);
	buf_release(&err);
}

static void words_are_not_looked_at(void **state UNUSED)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct proc p = { .argv = ARGV("printf", "%s|", "$(id)", "a b", "*", "-x", "\n", ""), .out = &out };

	assert_int_equal(proc_run_ok(&p, &e), 0);
	assert_buf(&out, "$(id)|a b|*|-x|\n||");
	buf_release(&out);
}

static void big_input_and_output_at_once(void **state UNUSED)
{
	size_t n = 3 * 1024 * 1024;
	char *in = xmalloc(n);
	struct buf out = BUF_INIT, err = BUF_INIT;
	struct err e = ERR_INIT;
	struct proc p = { .argv = SH("tee /dev/stderr"), .in = in, .in_len = n, .out = &out, .errout = &err,
			  .timeout_ms = 60000 };

	for (size_t i = 0; i < n; i++)
		in[i] = (char)(i * 7 + i / 4096);
	assert_int_equal(proc_run_ok(&p, &e), 0);
	assert_int_equal(out.len, n);
	assert_int_equal(err.len, n);
	assert_memory_equal(out.ptr, in, n);
	assert_memory_equal(err.ptr, in, n);
	free(in);
	buf_release(&out);
	buf_release(&err);
}

static void input_that_nobody_reads(void **state UNUSED)
{
	size_t n = 1024 * 1024;
	char *in = xcalloc(1, n);
	struct err e = ERR_INIT;
	struct proc p = { .argv = ARGV("true"), .in = in, .in_len = n };

	assert_int_equal(proc_run_ok(&p, &e), 0);
	p.in_len = 0;
	p.argv = ARGV("cat");
	assert_int_equal(proc_run_ok(&p, &e), 0);
	free(in);
}

static void time_is_up(void **state UNUSED)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct proc p = { .argv = SH("sleep 100 & echo $!; wait"), .out = &out, .timeout_ms = 300 };
	int64_t start = clock_mono();
	struct buf stat = BUF_INIT;
	char *path;

	assert_int_equal(proc_run(&p, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_non_null(strstr(e.msg, "0.3 s"));
	assert_true(clock_mono() - start >= 300);
	assert_true(clock_mono() - start < 20000);
	assert_int_equal(p.status, 128 + SIGTERM);
	/* What it started is gone as well, or a zombie that init has not looked at yet. */
	path = xasprintf("/proc/%d/stat", atoi(out.ptr));
	usleep(50000);
	if (!file_read(path, 0, &stat, &e))
		assert_non_null(strstr(stat.ptr, ") Z "));
	free(path);
	buf_release(&stat);
	buf_release(&out);
}

static void silence(void **state UNUSED)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct proc p = { .argv = SH("for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done"), .out = &out, .idle_ms = 900 };

	assert_int_equal(proc_run(&p, &e), 0); /* longer than that in all, but never silent so long */
	buf_reset(&out);
	p = (struct proc){ .argv = SH("sleep 100 & echo $!; wait"), .out = &out, .idle_ms = 200 };
	assert_int_equal(proc_run(&p, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_non_null(strstr(e.msg, "said nothing for 0.2 s"));
	usleep(50000);
	if (kill(atoi(out.ptr), 0) == 0) { /* a zombie at most: what it started went with it, although the group is ours */
		char *path = xasprintf("/proc/%d/stat", atoi(out.ptr));
		struct buf stat = BUF_INIT;

		if (!file_read(path, 0, &stat, &e))
			assert_non_null(strstr(stat.ptr, ") Z "));
		buf_release(&stat);
		free(path);
	}
	buf_release(&out);
}

static void a_signal_ends_it_first(void **state UNUSED)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct proc p = { .argv = SH("kill -TERM $PPID; sleep 100"), .out = &out, .flags = PROC_NEW_SESSION };
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		proc_run(&p, &e);
		_exit(9);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	buf_release(&out);
}

static void one_that_will_not_go(void **state UNUSED)
{
	struct err e = ERR_INIT;
	struct proc p = { .argv = SH("trap '' TERM; while :; do sleep 0.05; done"), .timeout_ms = 100 };

	assert_int_equal(proc_run(&p, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_int_equal(p.status, 128 + SIGKILL);
}

static void a_flood_ends(void **state UNUSED)
{
	struct buf out = { buf_empty, .max = 100000 };
	struct err e = ERR_INIT;
	struct proc p = { .argv = ARGV("yes"), .out = &out };

	assert_int_equal(proc_run_ok(&p, &e), -1);
	assert_int_equal(e.code, ERR_BAD_DATA);
	assert_int_equal(out.len, 100000);
	assert_true(out.over);
	buf_reset(&out);
	out.max = 0;
	p = (struct proc){ .argv = SH("yes >&2"), .timeout_ms = 300 };
	assert_int_equal(proc_run(&p, &e), -1); /* and one on standard error, at its time */
	assert_int_equal(e.code, ERR_CANCELLED);
	buf_release(&out);
}

static void a_daemon_is_not_waited_for(void **state UNUSED)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct proc p = { .argv = SH("sleep 20 & echo $!"), .out = &out };
	int64_t start = clock_mono();

	assert_int_equal(proc_run_ok(&p, &e), 0);
	assert_true(clock_mono() - start < 10000);
	assert_true(atoi(out.ptr) > 1);
	kill(atoi(out.ptr), SIGKILL);
	buf_release(&out);
}

static void what_cannot_be_run(void **state UNUSED)
{
	char *dir = scratch_make(), *text = xasprintf("%s/text", dir), *script = xasprintf("%s/script", dir);
	struct err e = ERR_INIT;
	struct proc p = { .argv = ARGV("no-such-program-here") };

	assert_int_equal(proc_run(&p, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_string_equal(e.msg, "no program 'no-such-program-here' on PATH");
	p.argv = ARGV("");
	assert_int_equal(proc_run(&p, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	p.argv = ARGV("/no/such/file");
	assert_int_equal(proc_run(&p, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	file_write(text, "just text\n", 10, 0600, &e);
	p.argv = (const char *const[]){ text, NULL };
	assert_int_equal(proc_run(&p, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	/* Without "#!" it is not for us to guess a shell. */
	file_write(script, "echo hi\n", 8, 0700, &e);
	p.argv = (const char *const[]){ script, NULL };
	assert_int_equal(proc_run(&p, &e), -1);
	p = (struct proc){ .argv = ARGV("true"), .dir = "/no/such/folder" };
	assert_int_equal(proc_run(&p, &e), -1);
	assert_non_null(strstr(e.msg, "/no/such/folder"));
	free(text);
	free(script);
	scratch_remove(dir);
}

static void relative_path_entries_are_ignored(void **state UNUSED)
{
	char *dir = scratch_make(), *evil = xasprintf("%s/true", dir);
	int here = open(".", O_RDONLY);
	struct err e = ERR_INIT;
	struct proc p = { .argv = ARGV("true"), .env = ARGV("PATH=.::/usr/bin:/bin") };

	file_write(evil, "#!/bin/sh\nexit 9\n", 17, 0700, &e);
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(proc_run(&p, &e), 0);
	assert_int_equal(p.status, 0);
	p.env = ARGV("PATH=.:");
	assert_int_equal(proc_run(&p, &e), -1);
	assert_int_equal(fchdir(here), 0);
	close(here);
	free(evil);
	scratch_remove(dir);
}

static void folder_and_environment(void **state UNUSED)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct proc p = { .argv = SH("pwd; echo $A-$B-${C-unset}"), .dir = "/", .out = &out,
			  .env = ARGV("A=1", "B=x=y", "C") };

	setenv("A", "old", 1);
	setenv("C", "old", 1);
	assert_int_equal(proc_run_ok(&p, &e), 0);
	assert_buf(&out, "/\n1-x=y-unset\n");
	unsetenv("A");
	unsetenv("C");
	buf_release(&out);
}

/* git's own list of the variables that tie a process to a repository. */
static void git_variables_stay_here(void **state UNUSED)
{
	struct buf names = BUF_INIT, out = BUF_INIT;
	struct err e = ERR_INIT;
	struct proc p = { .argv = ARGV("git", "rev-parse", "--local-env-vars"), .out = &names };
	char *save, *list;

	if (proc_run_ok(&p, &e))
		skip();
	list = xstrdup(names.ptr);
	for (char *v = strtok_r(list, "\n", &save); v; v = strtok_r(NULL, "\n", &save))
		setenv(v, "leak", 1);
	setenv("GIT_AUTHOR_NAME", "stays", 1);
	p = (struct proc){ .argv = ARGV("env"), .out = &out };
	assert_int_equal(proc_run_ok(&p, &e), 0);
	assert_null(strstr(out.ptr, "=leak"));
	assert_non_null(strstr(out.ptr, "GIT_AUTHOR_NAME=stays"));
	buf_reset(&out);
	p.env = ARGV("GIT_DIR=mine");
	assert_int_equal(proc_run_ok(&p, &e), 0);
	assert_non_null(strstr(out.ptr, "GIT_DIR=mine"));
	buf_reset(&out);
	p.env = NULL;
	p.flags = PROC_KEEP_GIT_ENV;
	assert_int_equal(proc_run_ok(&p, &e), 0);
	assert_non_null(strstr(out.ptr, "GIT_INDEX_FILE=leak"));
	free(list);
	list = xstrdup(names.ptr);
	for (char *v = strtok_r(list, "\n", &save); v; v = strtok_r(NULL, "\n", &save))
		unsetenv(v);
	unsetenv("GIT_AUTHOR_NAME");
	free(list);
	buf_release(&names);
	buf_release(&out);
}

static void descriptors_stay_here(void **state UNUSED)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct proc p = { .argv = SH("for i in 3 4 5 6 7 8 9 57; do [ -e /proc/$$/fd/$i ] && echo leak $i; done; :"), .out = &out };

	assert_int_equal(dup2(1, 9), 9);
	assert_int_equal(dup2(1, 57), 57);
	assert_int_equal(proc_run_ok(&p, &e), 0);
	assert_buf(&out, "");
	close(9);
	close(57);
	buf_release(&out);
}

static void signals_are_as_new(void **state UNUSED)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct proc p = { .argv = ARGV("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"), .out = &out };
	unsigned long long blocked, ignored;
	struct sigaction was;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGHUP, SIG_IGN);
	assert_int_equal(proc_run_ok(&p, &e), 0);
	/* The low 31; glibc does not let its own two (32 and 33) be touched. */
	assert_int_equal(sscanf(out.ptr, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
	assert_int_equal(blocked, 0);
	assert_int_equal(ignored & 0x7fffffff, 0);
	sigaction(SIGPIPE, NULL, &was); /* and ours are as before */
	assert_ptr_equal(was.sa_handler, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	buf_release(&out);
}

/* Some parents leave SIGCHLD ignored, and then the kernel keeps no statuses. */
static void statuses_are_not_lost(void **state UNUSED)
{
	struct err e = ERR_INIT;
	struct proc p = { .argv = SH("exit 3") };
	struct sigaction was;

	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(proc_run(&p, &e), 0);
	assert_int_equal(p.status, 3);
	sigaction(SIGCHLD, NULL, &was);
	assert_ptr_equal(was.sa_handler, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
}

static void flags(void **state UNUSED)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct proc p = { .argv = SH("echo lost >&2; ps -o sid= -p $$ | tr -d ' '; echo $$"), .out = &out,
			  .flags = PROC_STDERR_NULL | PROC_NEW_SESSION };
	int sid, pid;

	assert_int_equal(proc_run_ok(&p, &e), 0);
	assert_int_equal(sscanf(out.ptr, "%d\n%d", &sid, &pid), 2);
	assert_int_equal(sid, pid);
	buf_reset(&out);
	/* A pager: our terminal for output, its text on standard input. */
	p = (struct proc){ .argv = SH("cat >&2; exit 4"), .in = "# paged\n", .in_len = 8, .flags = PROC_TTY };
	assert_int_equal(proc_run(&p, &e), 0);
	assert_int_equal(p.status, 4);
	buf_release(&out);
}

static void failures_say_why(void **state UNUSED)
{
	struct err e = ERR_INIT;
	struct proc p = { .argv = SH("echo out; printf '\\n  one\\r\\ntwo\\nthree\\nfour\\n' >&2; exit 5") };

	assert_int_equal(proc_run_ok(&p, &e), -1);
	assert_int_equal(e.code, ERR_FAILED);
	assert_string_equal(e.msg, "'sh' failed with status 5: one; two; three");
	assert_int_equal(p.status, 5);
	p.argv = SH("kill -11 $$");
	assert_int_equal(proc_run_ok(&p, &e), -1);
	assert_string_equal(e.msg, "'sh' was ended by signal 11");
	p.argv = SH("yes 'a long line of words' | head -c 10000000 >&2; exit 1");
	assert_int_equal(proc_run_ok(&p, &e), -1);
	assert_true(strlen(e.msg) < 1000);
}

static void started_and_left(void **state UNUSED)
{
	size_t n = 500000;
	char *in = xmalloc(n);
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	struct proc p = { .argv = ARGV("cat"), .in = in, .in_len = n };
	pid_t pid;
	int fd = -1, st;

	memset(in, 'q', n);
	assert_int_equal(proc_start(&p, &pid, &fd, &e), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(file_read_fd(fd, "child", 0, &out, &e), 0);
	assert_int_equal(out.len, n);
	assert_memory_equal(out.ptr, in, n);
	close(fd);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	p = (struct proc){ .argv = SH("exit 7") };
	assert_int_equal(proc_start(&p, &pid, NULL, &e), 0);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(WEXITSTATUS(st), 7);
	p.argv = ARGV("no-such-program-here");
	assert_int_equal(proc_start(&p, &pid, &fd, &e), -1);
	free(in);
	buf_release(&out);
}

/* A process without standard descriptors must not mix up the pipes it makes. */
static void with_closed_descriptors(void **state UNUSED)
{
	int st;

	if (fork() == 0) {
		struct buf out = BUF_INIT, err = BUF_INIT;
		struct err e = ERR_INIT;
		struct proc p = { .argv = SH("cat; echo x >&2"), .in = "abc", .in_len = 3, .out = &out, .errout = &err };
		for (int fd = 0; fd < 3; fd++)
			close(fd);
		if (proc_run_ok(&p, &e) || strcmp(out.ptr, "abc") || strcmp(err.ptr, "x\n"))
			_exit(1);
		p = (struct proc){ .argv = SH("echo lost; echo lost >&2; cat"), .out = NULL };
		_exit(proc_run_ok(&p, &e) ? 2 : 0);
	}
	wait(&st);
	assert_int_equal(st, 0);
}

static void splitting(void **state UNUSED)
{
	static const struct { const char *cmd, *words; } t[] = {
		{ "", "" }, { "  \t\n", "" }, { "vi", "[vi]" }, { " vim -u NONE ", "[vim][-u][NONE]" },
		{ "code --wait", "[code][--wait]" }, { "'a b' \"c d\"", "[a b][c d]" }, { "a\\ b", "[a b]" }, { "''", "[]" },
		{ "a''b\"\"c", "[abc]" }, { "'it'\\''s'", "[it's]" }, { "\"a\\\"b\\\\c\\$d\\e\"", "[a\"b\\c$d\\e]" },
		{ "'a\\b'", "[a\\b]" }, { "$HOME `id` ~ *", "[$HOME][`id`][~][*]" }, { "a\nb", "[a][b]" },
		{ "'a", NULL }, { "\"a", NULL }, { "a\\", NULL }, { "\"a\\", NULL }, { "é 'ü ß'", "[é][ü ß]" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct arena a = ARENA_INIT;
		struct buf got = BUF_INIT;
		const char **argv;
		bool ok = proc_split(&a, t[i].cmd, &argv);
		assert_int_equal(ok, t[i].words != NULL);
		for (size_t k = 0; ok && argv[k]; k++)
			buf_addf(&got, "[%s]", argv[k]);
		assert_buf(&got, t[i].words ? t[i].words : "");
		buf_release(&got);
		arena_release(&a);
	}
}

static void itself(void **state UNUSED)
{
	struct buf path = BUF_INIT;

	assert_true(proc_self(&path));
	assert_int_equal(path.ptr[0], '/');
	assert_int_equal(access(path.ptr, X_OK), 0);
	buf_release(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_and_outputs),
		cmocka_unit_test(words_are_not_looked_at),
		cmocka_unit_test(big_input_and_output_at_once),
		cmocka_unit_test(input_that_nobody_reads),
		cmocka_unit_test(time_is_up),
		cmocka_unit_test(silence), cmocka_unit_test(a_signal_ends_it_first),
		cmocka_unit_test(one_that_will_not_go),
		cmocka_unit_test(a_flood_ends),
		cmocka_unit_test(a_daemon_is_not_waited_for),
		cmocka_unit_test(what_cannot_be_run),
		cmocka_unit_test(relative_path_entries_are_ignored),
		cmocka_unit_test(folder_and_environment),
		cmocka_unit_test(git_variables_stay_here),
		cmocka_unit_test(descriptors_stay_here),
		cmocka_unit_test(signals_are_as_new),
		cmocka_unit_test(statuses_are_not_lost),
		cmocka_unit_test(flags),
		cmocka_unit_test(failures_say_why),
		cmocka_unit_test(started_and_left),
		cmocka_unit_test(with_closed_descriptors),
		cmocka_unit_test(splitting),
		cmocka_unit_test(itself),
	};

	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
