/* SPDX-License-Identifier: MIT */
/* Files: whole reads, writes that are all or nothing also when the disk is full, private folders, locks, XDG folders. */
#include "unit.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "killick/base/clock.h"
#include "killick/base/file.h"

struct fixture { char *dir; char *path; struct buf b; struct err e; };

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->dir = scratch_make();
	f->path = xasprintf("%s/file", f->dir);
	buf_init(&f->b);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	buf_release(&f->b);
	free(f->path);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

static int entries(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void reads_and_writes(void **state)
{
	struct fixture *f = *state;
	char *big = xmalloc(300000);
	struct stat st;

	memset(big, 'x', 300000);
	big[0] = big[299999] = '\0';
	assert_int_equal(file_write(f->path, big, 300000, 0600, &f->e), 0);
	buf_addstr(&f->b, "before ");
	assert_int_equal(file_read(f->path, 0, &f->b, &f->e), 0);
	assert_int_equal(f->b.len, 300007);
	assert_memory_equal(f->b.ptr + 7, big, 300000);
	assert_int_equal(file_write(f->path, NULL, 0, 0600, &f->e), 0);
	buf_reset(&f->b);
	assert_int_equal(file_read(f->path, 0, &f->b, &f->e), 0);
	assert_int_equal(f->b.len, 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(entries(f->dir), 1);
	free(big);
}

static void too_large_or_no_file(void **state)
{
	struct fixture *f = *state;
	char *fifo = xasprintf("%s/fifo", f->dir);

	assert_int_equal(file_read(f->path, 0, &f->b, &f->e), -1);
	assert_int_equal(f->e.code, ERR_NOT_FOUND);
	file_write(f->path, "12345", 5, 0600, &f->e);
	assert_int_equal(file_read(f->path, 5, &f->b, &f->e), 0);
	assert_int_equal(file_read(f->path, 4, &f->b, &f->e), -1);
	assert_int_equal(f->e.code, ERR_BAD_DATA);
	assert_buf(&f->b, "12345");
	assert_int_equal(file_read(f->dir, 0, &f->b, &f->e), -1);
	assert_int_equal(f->e.code, ERR_BAD_DATA);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(file_read(fifo, 0, &f->b, &f->e), -1); /* and does not wait for a writer */
	assert_int_equal(f->e.code, ERR_BAD_DATA);
	assert_int_equal(file_read("/dev/zero", 0, &f->b, &f->e), -1);
	free(fifo);
}

static void pipes_are_read_to_their_end(void **state)
{
	struct fixture *f = *state;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	assert_int_equal(write(fd[1], "abc", 3), 3);
	if (fork() == 0) {
		usleep(30000);
		_exit(write(fd[1], "def", 3) != 3);
	}
	close(fd[1]);
	assert_int_equal(file_read_fd(fd[0], "pipe", 6, &f->b, &f->e), 0);
	assert_buf(&f->b, "abcdef");
	close(fd[0]);
	wait(NULL);
}

static void names_up_to_the_limit(void **state)
{
	struct fixture *f = *state;
	struct buf p = BUF_INIT;

	buf_addf(&p, "%s/", f->dir);
	buf_addchn(&p, 'n', NAME_MAX);
	assert_int_equal(file_write(p.ptr, "x", 1, 0600, &f->e), 0);
	assert_int_equal(file_read(p.ptr, 0, &f->b, &f->e), 0);
	buf_addch(&p, 'n');
	assert_int_equal(file_write(p.ptr, "x", 1, 0600, &f->e), -1);
	assert_int_equal(entries(f->dir), 1);
	buf_reset(&p);
	buf_addf(&p, "%s/-odd\n'name\" \xff:1", f->dir);
	assert_int_equal(file_write(p.ptr, "x", 1, 0600, &f->e), 0);
	buf_addch(&p, '/');
	assert_int_equal(file_write(p.ptr, "x", 1, 0600, &f->e), -1);
	assert_int_equal(file_write("", "x", 1, 0600, &f->e), -1);
	buf_release(&p);
}

static void a_relative_name_works(void **state)
{
	struct fixture *f = *state;
	int here = open(".", O_RDONLY);

	assert_int_equal(chdir(f->dir), 0);
	assert_int_equal(file_write("plain", "x", 1, 0600, &f->e), 0);
	assert_int_equal(file_read("plain", 0, &f->b, &f->e), 0);
	assert_int_equal(dir_make_private("a/b/", &f->e), 0);
	assert_true(path_exists("a/b"));
	assert_int_equal(fchdir(here), 0);
	close(here);
}

static void a_link_is_replaced_not_followed(void **state)
{
	struct fixture *f = *state;
	char *victim = xasprintf("%s/victim", f->dir);
	struct stat st;

	file_write(victim, "keep", 4, 0600, &f->e);
	assert_int_equal(symlink(victim, f->path), 0);
	assert_int_equal(file_write(f->path, "new", 3, 0600, &f->e), 0);
	assert_int_equal(file_read(victim, 0, &f->b, &f->e), 0);
	assert_buf(&f->b, "keep");
	assert_int_equal(lstat(f->path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	free(victim);
}

/* In a child whose files may not grow past 4 KiB, which is a full disk to everything above write(2). */
static void a_full_disk_changes_nothing(void **state)
{
	static const char big[100000];
	struct fixture *f = *state;
	int st;

	file_write(f->path, "old", 3, 0600, &f->e);
	if (fork() == 0) {
		struct err e = ERR_INIT;
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 4096, 4096 });
		_exit(file_write(f->path, big, 100000, 0600, &e) == -1 && e.code == ERR_IO && strstr(e.msg, f->path) ? 0 : 1);
	}
	wait(&st);
	assert_int_equal(st, 0);
	assert_int_equal(file_read(f->path, 0, &f->b, &f->e), 0);
	assert_buf(&f->b, "old");
	assert_int_equal(entries(f->dir), 1);
}

static void write_full_reports_errors(void **state UNUSED)
{
	int fd = open("/dev/full", O_WRONLY);

	if (fd < 0)
		skip();
	assert_int_equal(write_full(fd, "x", 1), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(write_full(fd, NULL, 0), 0);
	close(fd);
}

static void where_nothing_can_be_written(void **state)
{
	struct fixture *f = *state;
	char *p = xasprintf("%s/missing/x", f->dir);

	assert_int_equal(file_write(p, "x", 1, 0600, &f->e), -1);
	assert_int_equal(f->e.code, ERR_NOT_FOUND);
	assert_int_equal(file_write(f->dir, "x", 1, 0600, &f->e), -1); /* a folder is there */
	free(p);
	if (geteuid() == 0)
		return; /* root may write everywhere */
	chmod(f->dir, 0500);
	assert_int_equal(file_write(f->path, "x", 1, 0600, &f->e), -1);
	assert_int_equal(f->e.code, ERR_IO);
	chmod(f->dir, 0700);
}

static void private_folders(void **state)
{
	struct fixture *f = *state;
	char *p = xasprintf("%s/a//b/c", f->dir), *file = xasprintf("%s/plain/x", f->dir);
	mode_t old = umask(0);
	struct stat st;

	assert_int_equal(dir_make_private(p, &f->e), 0);
	assert_int_equal(stat(p, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(dir_make_private(p, &f->e), 0);
	chmod(p, 0755);
	assert_int_equal(dir_make_private(p, &f->e), 0);
	chmod(p, 0770);
	assert_int_equal(dir_make_private(p, &f->e), -1);
	assert_int_equal(f->e.code, ERR_IO);
	chmod(p, 0707);
	assert_int_equal(dir_make_private(p, &f->e), -1);
	assert_int_equal(dir_make_private("", &f->e), -1);
	file[strlen(file) - 2] = '\0';
	file_write(file, "x", 1, 0600, &f->e);
	assert_int_equal(dir_make_private(file, &f->e), -1);
	file[strlen(file)] = '/';
	assert_int_equal(dir_make_private(file, &f->e), -1);
	if (geteuid() == 0 && !chmod(p, 0700) && !chown(p, 1, (gid_t)-1)) {
		assert_int_equal(dir_make_private(p, &f->e), -1);
		assert_non_null(strstr(f->e.msg, "another user"));
	}
	umask(old);
	free(file);
	free(p);
}

static void existing(void **state)
{
	struct fixture *f = *state;

	assert_true(path_exists(f->dir));
	assert_false(path_exists(f->path));
	assert_int_equal(symlink("nowhere", f->path), 0);
	assert_false(path_exists(f->path));
}

/* A child that takes the lock, says so, and holds it for hold_ms. */
static pid_t holder(const char *path, int hold_ms)
{
	int fd[2];
	pid_t pid;
	char c = 0;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (pid == 0) {
		struct lock l = LOCK_INIT;
		struct err e = ERR_INIT;
		c = lock_take(&l, path, 0, &e) ? 'x' : 'y';
		if (write(fd[1], &c, 1) == 1)
			usleep((useconds_t)hold_ms * 1000);
		_exit(0); /* without lock_release: the kernel does it */
	}
	close(fd[1]);
	assert_int_equal(read(fd[0], &c, 1), 1);
	assert_int_equal(c, 'y');
	close(fd[0]);
	return pid;
}

static void locks_between_processes(void **state)
{
	struct fixture *f = *state;
	struct lock l = LOCK_INIT;
	pid_t pid = holder(f->path, 10000);
	int64_t start = clock_mono();
	struct stat st;

	assert_int_equal(lock_take(&l, f->path, 0, &f->e), -1);
	assert_int_equal(f->e.code, ERR_BUSY);
	assert_int_equal(l.fd, -1);
	assert_true(clock_mono() - start < 5000);
	start = clock_mono();
	assert_int_equal(lock_take(&l, f->path, 120, &f->e), -1);
	assert_int_equal(f->e.code, ERR_BUSY);
	assert_true(clock_mono() - start >= 120);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(lock_take(&l, f->path, 0, &f->e), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(fcntl(l.fd, F_GETFD) & FD_CLOEXEC);
	lock_release(&l);
	lock_release(&l);
	pid = holder(f->path, 60);
	assert_int_equal(lock_take(&l, f->path, 30000, &f->e), 0); /* waits for its turn */
	lock_release(&l);
	waitpid(pid, NULL, 0);
}

static void a_lock_whose_file_went_away(void **state)
{
	struct fixture *f = *state;
	struct lock a = LOCK_INIT, b = LOCK_INIT, c = LOCK_INIT;

	assert_int_equal(lock_take(&a, f->path, 0, &f->e), 0);
	unlink(f->path);
	assert_int_equal(lock_take(&b, f->path, 0, &f->e), 0);
	assert_int_equal(lock_take(&c, f->path, 0, &f->e), -1);
	lock_release(&a);
	lock_release(&b);
	assert_int_equal(lock_take(&c, "/nonexistent/lock", 100, &f->e), -1);
	assert_int_equal(f->e.code, ERR_NOT_FOUND);
}

static void xdg(void **state)
{
	struct fixture *f = *state;
	static const struct { const char *var, *home; enum xdg_dir which; const char *name, *want; } t[] = {
		{ "/x/cache", "/h", XDG_CACHE, "index.db", "/x/cache/killick/index.db" },
		{ "/x/cache/", "/h", XDG_CACHE, NULL, "/x/cache/killick" },
		{ "", "/h", XDG_CACHE, NULL, "/h/.cache/killick" },
		{ "relative", "/h/", XDG_CACHE, "a/b", "/h/.cache/killick/a/b" },
		{ NULL, "/", XDG_CACHE, "x", "/.cache/killick/x" },
		{ NULL, "/h", XDG_DATA, NULL, "/h/.local/share/killick" },
		{ NULL, "/h", XDG_CONFIG, "", "/h/.config/killick" },
	};

	unsetenv("XDG_DATA_HOME");
	unsetenv("XDG_CONFIG_HOME");
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		if (t[i].var)
			setenv("XDG_CACHE_HOME", t[i].var, 1);
		else
			unsetenv("XDG_CACHE_HOME");
		setenv("HOME", t[i].home, 1);
		buf_reset(&f->b);
		assert_int_equal(xdg_path(t[i].which, t[i].name, &f->b, &f->e), 0);
		assert_buf(&f->b, t[i].want);
	}
	unsetenv("HOME");
	buf_reset(&f->b);
	if (!xdg_path(XDG_CACHE, NULL, &f->b, &f->e))
		assert_true(f->b.ptr[0] == '/' && str_ends(f->b.ptr, "/.cache/killick"));
	else
		assert_int_equal(f->e.code, ERR_NOT_FOUND);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(reads_and_writes),
		TEST(too_large_or_no_file),
		TEST(pipes_are_read_to_their_end),
		TEST(names_up_to_the_limit),
		TEST(a_relative_name_works),
		TEST(a_link_is_replaced_not_followed),
		TEST(a_full_disk_changes_nothing),
		TEST(write_full_reports_errors),
		TEST(where_nothing_can_be_written),
		TEST(private_folders),
		TEST(existing),
		TEST(locks_between_processes),
		TEST(a_lock_whose_file_went_away),
		TEST(xdg),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
