/* SPDX-License-Identifier: MIT */
/*
 * Fork and exec. All that can fail or allocate is prepared before fork (program path, environment, pipes); the child only
 * calls async-signal-safe functions and tells a failed chdir or exec through a pipe that closes itself at exec.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "launch.h"

extern char **environ;

enum { IO_NULL = -1, IO_OURS = -2 };

/* `git rev-parse --local-env-vars` of git 2.39 to 2.51, and the quarantine of a receiving repository. */
static const char *const git_vars[] = {
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT",
	"GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE", "GIT_INDEX_FILE",
	"GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_PREFIX", "GIT_INTERNAL_SUPER_PREFIX", "GIT_SHALLOW_FILE",
	"GIT_COMMON_DIR", "GIT_QUARANTINE_PATH",
};

static bool var_is(const char *entry, const char *name, size_t len)
{
	return !strncmp(entry, name, len) && (entry[len] == '=' || entry[len] == '\0');
}

static bool var_replaced(const struct proc *p, const char *entry)
{
	size_t len = strcspn(entry, "=");

	for (size_t i = 0; p->env && p->env[i]; i++)
		if (var_is(p->env[i], entry, len))
			return true;
	for (size_t i = 0; !(p->flags & PROC_KEEP_GIT_ENV) && i < ARRAY_SIZE(git_vars); i++)
		if (var_is(git_vars[i], entry, len))
			return true;
	return false;
}

static size_t list_len(const char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

static void launch_env(struct launch *l, const struct proc *p)
{
	size_t n = 0;

	l->env = arena_alloc(&l->arena, (list_len((const char *const *)environ) + list_len(p->env) + 1) * sizeof(*l->env));
	for (char **v = environ; *v; v++)
		if (!var_replaced(p, *v))
			l->env[n++] = *v;
	for (size_t i = 0; p->env && p->env[i]; i++)
		if (strchr(p->env[i], '='))
			l->env[n++] = p->env[i];
}

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* A name with a slash stands for itself, below the child's folder if it is relative. */
static int launch_find(struct launch *l, const struct proc *p, struct err *e)
{
	const char *dirs = "/usr/local/bin:/usr/bin:/bin", *name = p->argv[0];

	if (strchr(name, '/')) {
		l->path = name;
		return 0;
	}
	for (const char **v = l->env; *v; v++)
		if (str_starts(*v, "PATH="))
			dirs = *v + 5;
	while (*dirs && *name) {
		size_t n = strcspn(dirs, ":");
		if (*dirs == '/') {
			l->path = arena_printf(&l->arena, "%.*s/%s", (int)(n < INT_MAX ? n : INT_MAX), dirs, name);
			if (is_program(l->path))
				return 0;
		}
		dirs += n + (dirs[n] == ':');
	}
	return err_set(e, ERR_NOT_FOUND, "no program '%s' on PATH", name);
}

/* A pipe with both ends above 2, so that putting them on 0, 1, 2 never overwrites another of them. */
static int pipe_high(int fd[2])
{
	int low[2], no;

	if (pipe2(low, O_CLOEXEC))
		return -1;
	for (int i = 0; i < 2; i++)
		fd[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 3);
	no = errno;
	close(low[0]);
	close(low[1]);
	if (fd[0] >= 0 && fd[1] >= 0)
		return 0;
	for (int i = 0; i < 2; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	errno = no;
	return -1;
}

int launch_pipe(struct launch *l, int which, struct err *e)
{
	int fd[2], our = which == 0 ? 1 : 0;

	if (pipe_high(fd))
		return err_errno(e, "cannot make a pipe");
	l->io[which] = fd[!our];
	l->ours[which] = fd[our];
	fcntl(fd[our], F_SETFL, O_NONBLOCK);
	return 0;
}

void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void launch_release(struct launch *l)
{
	for (int i = 0; i < 3; i++) {
		fd_close(&l->io[i]);
		fd_close(&l->ours[i]);
	}
	fd_close(&l->life[0]);
	fd_close(&l->life[1]);
	arena_release(&l->arena);
}

void launch_dismiss(struct launch *l)
{
	if (l->life[1] >= 0 && write(l->life[1], "", 1) < 0)
		trace("proc", "a guard is gone: %s", strerror(errno));
}

int launch_init(struct launch *l, const struct proc *p, struct err *e)
{
	int other = p->flags & PROC_TTY ? IO_OURS : IO_NULL;

	*l = (struct launch){ .io = { other, other, other }, .ours = { -1, -1, -1 }, .life = { -1, -1 } };
	if (p->flags & PROC_STDERR_NULL)
		l->io[2] = IO_NULL;
	if (p->flags & PROC_STDERR_INHERIT)
		l->io[2] = IO_OURS;
	launch_env(l, p);
	return launch_find(l, p, e);
}

/* ---- in the child: async-signal-safe calls only ---- */

static void child_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_close_others(void)
{
#if defined(SYS_close_range) && defined(CLOSE_RANGE_CLOEXEC)
	if (!syscall(SYS_close_range, 3u, ~0u, (unsigned)CLOSE_RANGE_CLOEXEC))
		return;
#endif
	for (int fd = 3, end = (int)sysconf(_SC_OPEN_MAX); fd < end && fd < 65536; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static NORETURN void child_fail(int report, char where)
{
	int said[2] = { where, errno };
	ssize_t done = write(report, said, sizeof(said));

	_exit(done == sizeof(said) ? 127 : 126);
}

static NORETURN void guard_run(int life)
{
	char c;
	ssize_t n;

	for (int i = 0; i < 3; i++)
		if (i != life)
			close(i);
	dup2(life, 0);
#if defined(SYS_close_range)
	if (syscall(SYS_close_range, 1u, ~0u, 0u))
#endif
		for (int fd = 1, end = (int)sysconf(_SC_OPEN_MAX); fd < end && fd < 65536; fd++)
			close(fd);
	do
		n = read(0, &c, 1);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		kill(0, SIGTERM);
	_exit(0);
}

/*
 * A parent's death signal reaches the program alone, not what that has started: git ends, and its ssh goes on waiting for a
 * host that hangs. So a process in the program's group sees to the group when we vanish. It is nobody's child: a program may
 * wait for any of its own.
 */
static void guard_start(const struct launch *l)
{
	pid_t pid;

	close(l->life[1]);
	if (getpgrp() != getpid())
		return;
	pid = fork();
	if (pid == 0) {
		if (fork() == 0)
			guard_run(l->life[0]);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static NORETURN void child_run(const struct launch *l, const struct proc *p, int report, pid_t parent)
{
	int low = open("/dev/null", O_RDWR | O_CLOEXEC), null = fcntl(low, F_DUPFD_CLOEXEC, 3);

	if (p->flags & PROC_NEW_SESSION)
		setsid();
	else if (l->own_group)
		setpgid(0, 0);
#ifdef PR_SET_PDEATHSIG
	if (l->dies_with_us) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(127);
	}
#endif
	child_signals();
	if (l->life[0] >= 0)
		guard_start(l);
	for (int i = 0; i < 3; i++) {
		int fd = l->io[i] == IO_NULL ? null : l->io[i];
		if (fd == i)
			fcntl(fd, F_SETFD, 0);
		else if (fd != IO_OURS && dup2(fd, i) < 0)
			child_fail(report, 'p');
	}
	if (p->dir && chdir(p->dir))
		child_fail(report, 'd');
	child_close_others();
	execve(l->path, (char *const *)p->argv, (char *const *)l->env);
	child_fail(report, 'x');
}

/* ---- in the parent ---- */

static int launch_report(int fd, const struct proc *p, struct err *e)
{
	int said[2];
	ssize_t n;

	do
		n = read(fd, said, sizeof(said));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(said))
		return 0;
	errno = said[1];
	if (said[0] == 'd')
		return err_errno(e, "cannot enter folder '%s'", p->dir);
	return err_errno(e, "cannot run '%s'", p->argv[0]);
}

int launch_go(struct launch *l, const struct proc *p, pid_t *pid, struct err *e)
{
	pid_t parent = getpid();
	int report[2], rc;

	if (pipe_high(report))
		return err_errno(e, "cannot make a pipe");
	if (l->dies_with_us && pipe_high(l->life))
		trace("proc", "no guard for %s: %s", p->argv[0], strerror(errno));
	*pid = fork();
	if (*pid == 0)
		child_run(l, p, report[1], parent);
	close(report[1]);
	for (int i = 0; i < 3; i++)
		fd_close(&l->io[i]);
	fd_close(&l->life[0]);
	rc = *pid < 0 ? err_errno(e, "cannot start '%s'", p->argv[0]) : launch_report(report[0], p, e);
	close(report[0]);
	if (rc && *pid > 0)
		while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
			;
	return rc;
}
