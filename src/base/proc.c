/* SPDX-License-Identifier: MIT */
/*
 * Child processes (launch.c starts them). One poll loop feeds standard input, reads the outputs and waits for the end
 * through a pidfd, so nothing can deadlock on a full pipe and no signal handler is needed. After the program has ended the
 * pipes are drained for a short while only: a daemon that it started may hold them open for ever (ssh's ControlPersist does).
 *
 * A child in a group or session of its own does not get the terminal's Ctrl-C: SIGINT, SIGTERM and SIGHUP are read from
 * a signalfd meanwhile, end the child's group first, and then do to us what they would have done.
 */
#include "config.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "killick/base/clock.h"
#include "killick/base/file.h"
#include "launch.h"

enum { GRACE_MS = 500, DRAIN_MS = 200, FLOOD_MS = 2000, STDERR_KEPT = 4096 };

/* One running child. */
struct run {
	struct launch *l;
	struct proc *p;
	struct buf *to[3];  /* where 1 and 2 are read to */
	size_t fed;         /* bytes of p->in written */
	pid_t pid, target;  /* target: what is killed when time is up, its group where it has one */
	int pidfd;          /* -1: a kernel without; then the end is looked for now and then */
	int sigfd;          /* -1: signals do to us what they always do */
	int caught;         /* a signal that came through sigfd, 0: none */
	bool ended;
	int64_t deadline;   /* 0: none */
	int64_t moved;      /* when a byte last passed between us */
	int64_t drain_end;  /* set when the program has ended */
};

static void run_reap(struct run *r, int options)
{
	int st = 0;
	pid_t got;

	while ((got = waitpid(r->pid, &st, options)) < 0 && errno == EINTR)
		;
	if (got == 0)
		return;
	r->ended = true;
	r->drain_end = clock_mono() + DRAIN_MS;
	/* ECHILD: somebody else reaped it; what is not known to be a success is none. */
	r->p->status = got < 0 ? 255 : WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
}

static void run_feed(struct run *r)
{
	ssize_t n = write(r->l->ours[0], (const char *)r->p->in + r->fed, r->p->in_len - r->fed);

	if (n > 0) {
		r->fed += (size_t)n;
		r->moved = clock_mono();
	}
	/* EPIPE: it does not want the rest, which is its own business. */
	if (r->fed == r->p->in_len || (n < 0 && errno != EAGAIN && errno != EINTR))
		fd_close(&r->l->ours[0]);
}

static void run_read(struct run *r, int which)
{
	struct buf *b = r->to[which];
	char chunk[65536];
	ssize_t n = read(r->l->ours[which], chunk, sizeof(chunk));

	if (n > 0) {
		r->moved = clock_mono();
		buf_add(b, chunk, (size_t)n);
		/* Our own collection of standard error is read on to the end; a caller's limit ends the flood. */
		if (b->over && !(which == 2 && !r->p->errout))
			fd_close(&r->l->ours[which]);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		fd_close(&r->l->ours[which]);
	}
}

/* ---- a child and what it started, where they have no group of their own ---- */

struct tree { pid_t *items; size_t len, alloc; };

/* The children of every process found so far, from /proc/PID/task/PID/children (proc(5), Linux 3.5). */
static void tree_of(pid_t pid, struct tree *t)
{
	*array_add(t) = pid;
	for (size_t i = 0; i < t->len && t->len < 256; i++) {
		struct arena a = ARENA_INIT;
		struct buf b = BUF_INIT;
		const char *path = arena_printf(&a, "/proc/%d/task/%d/children", (int)t->items[i], (int)t->items[i]);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		uint64_t n;

		if (fd >= 0 && !file_read_fd(fd, path, 1u << 16, &b, NULL)) {
			for (const char *p = b.ptr; *p; p += strcspn(p, " ") + (p[strcspn(p, " ")] != '\0')) {
				if (str_to_u64(arena_printf(&a, "%.*s", (int)strcspn(p, " "), p), INT_MAX, &n))
					*array_add(t) = (pid_t)n;
			}
		}
		if (fd >= 0)
			close(fd);
		buf_release(&b);
		arena_release(&a);
	}
}

static void kill_tree(pid_t pid, int sig)
{
	struct tree t = ARRAY_INIT;

	tree_of(pid, &t);
	for (size_t i = 0; i < t.len; i++)
		kill(t.items[i], sig);
	array_release(&t);
}

static bool has_terminal_open(pid_t pid)
{
	char path[64], link[32];
	struct dirent *d;
	bool yes = false;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	if (!(dir = opendir(path)))
		return false;
	while (!yes && (d = readdir(dir))) {
		n = readlinkat(dirfd(dir), d->d_name, link, sizeof(link));
		yes = n == (ssize_t)strlen("/dev/tty") && !memcmp(link, "/dev/tty", (size_t)n);
	}
	closedir(dir);
	return yes;
}

/* Does one of them ask the user? git and ssh open /dev/tty for a question and close it after the answer. */
static bool tree_asks(pid_t pid)
{
	struct tree t = ARRAY_INIT;
	bool yes = false;

	tree_of(pid, &t);
	for (size_t i = 0; i < t.len && !yes; i++)
		yes = has_terminal_open(t.items[i]);
	array_release(&t);
	return yes;
}

/* When nothing was said for too long; 0: never. A question to the user is no silence. */
static int64_t run_silence_end(struct run *r)
{
	if (r->p->idle_ms <= 0)
		return 0;
	if (r->target > 0 && clock_mono() >= r->moved + r->p->idle_ms && tree_asks(r->pid))
		r->moved = clock_mono();
	return r->moved + r->p->idle_ms;
}

/* Milliseconds that poll may sleep; 0: the time is up. */
static int run_patience(struct run *r)
{
	int64_t end = r->ended ? r->drain_end : r->deadline, silence = r->ended ? 0 : run_silence_end(r), left;

	if (silence && (!end || silence < end))
		end = silence;
	if (r->ended && r->deadline && r->deadline < end)
		end = r->deadline;
	left = end ? end - clock_mono() : INT_MAX;
	if (r->pidfd < 0 && !r->ended && left > 20)
		left = 20;
	return end && left <= 0 ? 0 : (int)(left > INT_MAX ? INT_MAX : left);
}

static bool run_open(const struct run *r)
{
	return r->l->ours[0] >= 0 || r->l->ours[1] >= 0 || r->l->ours[2] >= 0;
}

static bool run_signal(struct run *r)
{
	struct signalfd_siginfo si;

	if (read(r->sigfd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return false;
	r->caught = (int)si.ssi_signo;
	return true;
}

/* One turn of the loop; false: time is up, or a signal wants us to end. */
static bool run_turn(struct run *r)
{
	struct pollfd pfd[5];
	int wait = run_patience(r);

	for (int i = 0; i < 3; i++)
		pfd[i] = (struct pollfd){ .fd = r->l->ours[i], .events = i == 0 ? POLLOUT : POLLIN };
	pfd[3] = (struct pollfd){ .fd = r->ended ? -1 : r->pidfd, .events = POLLIN };
	pfd[4] = (struct pollfd){ .fd = r->sigfd, .events = POLLIN };
	if (wait == 0 && (!r->ended || clock_mono() > r->drain_end + FLOOD_MS))
		return false;
	if (poll(pfd, 5, wait) == 0 && wait == 0)
		return false;
	if (pfd[4].revents && run_signal(r))
		return false;
	if (pfd[0].revents)
		run_feed(r);
	for (int i = 1; i < 3; i++)
		if (pfd[i].revents)
			run_read(r, i);
	if (!r->ended && (pfd[3].revents || r->pidfd < 0))
		run_reap(r, WNOHANG);
	if (r->ended)
		fd_close(&r->l->ours[0]);
	return true;
}

static void run_kill(const struct run *r, int sig)
{
	if (r->target < 0)
		kill(r->target, sig);
	else if (!r->ended)
		kill_tree(r->pid, sig);
}

static int run_stopped(const struct run *r, struct err *e)
{
	const struct proc *p = r->p;

	if (r->caught)
		return err_set(e, ERR_CANCELLED, "'%s' was stopped by signal %d", p->argv[0], r->caught);
	if (p->idle_ms > 0 && clock_mono() >= r->moved + p->idle_ms)
		return err_set(e, ERR_CANCELLED, "'%s' said nothing for %.3g s and was stopped", p->argv[0], p->idle_ms / 1000.0);
	return err_set(e, ERR_CANCELLED, "'%s' did not end within %.3g s and was stopped", p->argv[0], p->timeout_ms / 1000.0);
}

/* Time is up: git takes its lock files away on SIGTERM, so that comes first. */
static void run_stop(struct run *r)
{
	int64_t end = clock_mono() + GRACE_MS;

	for (int i = 0; i < 3; i++)
		fd_close(&r->l->ours[i]);
	run_kill(r, SIGTERM);
	while (!r->ended && clock_mono() < end) {
		struct pollfd pfd = { .fd = r->pidfd, .events = POLLIN };
		poll(&pfd, 1, r->pidfd < 0 ? 10 : (int)(end - clock_mono()));
		run_reap(r, WNOHANG);
	}
	run_kill(r, SIGKILL);
	if (!r->ended)
		run_reap(r, 0);
}

static int run_loop(struct run *r, struct err *e)
{
	while (!r->ended || run_open(r)) {
		bool in_time = run_turn(r);
		if (!in_time && !r->ended) {
			run_stopped(r, e);
			run_stop(r);
			return -1;
		}
		if (!in_time)
			break;
	}
	return 0;
}

static int pid_open(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0u);
#else
	return pid > 0 ? -1 : -1;
#endif
}

static int run_pipes(struct run *r, struct err *e)
{
	const struct proc *p = r->p;

	if (p->in && launch_pipe(r->l, 0, e))
		return -1;
	if (r->to[1] && launch_pipe(r->l, 1, e))
		return -1;
	return r->to[2] ? launch_pipe(r->l, 2, e) : 0;
}

/* Signals that are set aside while a child runs, and what they did before. */
struct quiet { struct sigaction was[4]; int n; };

static const int quiet_sigs[] = { SIGCHLD, SIGPIPE, SIGINT, SIGQUIT };

static void quiet_begin(struct quiet *q, bool tty)
{
	const struct sigaction ign = { .sa_handler = SIG_IGN }, dfl = { .sa_handler = SIG_DFL };

	for (q->n = 0; q->n < (tty ? 4 : 2); q->n++) {
		sigaction(quiet_sigs[q->n], NULL, &q->was[q->n]);
		if (quiet_sigs[q->n] != SIGCHLD)
			sigaction(quiet_sigs[q->n], &ign, NULL);
		else if (q->was[q->n].sa_handler == SIG_IGN) /* inherited: the kernel would throw statuses away */
			sigaction(SIGCHLD, &dfl, NULL);
	}
}

static void quiet_end(struct quiet *q)
{
	while (q->n-- > 0)
		sigaction(quiet_sigs[q->n], &q->was[q->n], NULL);
}

/* Signals that end us are read from a descriptor while a child of another group runs; what is ignored or blocked stays so. */
struct hold { sigset_t was; int fd; };

static const int ending_sigs[] = { SIGINT, SIGTERM, SIGHUP };

static void hold_begin(struct hold *h)
{
	struct sigaction sa;
	sigset_t set;

	sigemptyset(&set);
	sigprocmask(SIG_BLOCK, NULL, &h->was);
	for (size_t i = 0; i < ARRAY_SIZE(ending_sigs); i++) {
		if (!sigaction(ending_sigs[i], NULL, &sa) && sa.sa_handler != SIG_IGN && !sigismember(&h->was, ending_sigs[i]))
			sigaddset(&set, ending_sigs[i]);
	}
	h->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (h->fd >= 0)
		sigprocmask(SIG_BLOCK, &set, NULL);
}

/* The signal that came does now what it would have done. */
static void hold_end(struct hold *h, int caught)
{
	if (h->fd < 0)
		return;
	fd_close(&h->fd);
	sigprocmask(SIG_SETMASK, &h->was, NULL);
	if (caught)
		raise(caught);
}

/* proc_run with the place for standard error given; NULL: wherever the flags say. */
static int run_with(struct proc *p, struct buf *errout, struct err *e)
{
	struct launch l;
	struct run r = { .l = &l, .p = p, .to = { NULL, p->out, errout }, .pidfd = -1, .sigfd = -1 };
	struct hold hold = { .fd = -1 };
	struct quiet q;
	int rc = -1;

	p->status = 0;
	quiet_begin(&q, p->flags & PROC_TTY);
	if (launch_init(&l, p, e) || run_pipes(&r, e))
		goto out;
	/* A program on the terminal must stay in the foreground group. */
	l.own_group = p->timeout_ms > 0 && !(p->flags & PROC_TTY);
	l.dies_with_us = (l.own_group || p->flags & PROC_NEW_SESSION) && !(p->flags & PROC_TTY);
	if (l.dies_with_us)
		hold_begin(&hold);
	if (launch_go(&l, p, &r.pid, e))
		goto out;
	r.target = l.own_group || p->flags & PROC_NEW_SESSION ? -r.pid : r.pid;
	r.pidfd = pid_open(r.pid);
	r.sigfd = hold.fd;
	r.moved = clock_mono();
	r.deadline = p->timeout_ms > 0 ? r.moved + p->timeout_ms : 0;
	rc = run_loop(&r, e);
	launch_dismiss(&l);
	fd_close(&r.pidfd);
	trace("proc", "%s ended with %d", p->argv[0], p->status);
out:
	quiet_end(&q);
	launch_release(&l);
	hold_end(&hold, r.caught);
	return rc;
}

static bool collects_stderr(const struct proc *p)
{
	return !p->errout && !(p->flags & (PROC_TTY | PROC_STDERR_NULL | PROC_STDERR_INHERIT));
}

int proc_run(struct proc *p, struct err *e)
{
	struct buf kept = { buf_empty, .max = STDERR_KEPT };
	int rc = run_with(p, collects_stderr(p) ? &kept : p->errout, e);

	buf_release(&kept);
	return rc;
}

/* The first three lines, as one. */
static void add_first_lines(struct buf *b, const char *s)
{
	for (int i = 0; i < 3; i++) {
		size_t n;
		s += strspn(s, " \t\r\n");
		n = strcspn(s, "\r\n");
		if (!n)
			break;
		buf_addstr(b, i ? "; " : ": ");
		buf_add(b, s, n < 300 ? n : 300);
		s += n;
	}
}

static int fail_status(const struct proc *p, const char *said, struct err *e)
{
	const char *slash = strrchr(p->argv[0], '/'), *name = slash && slash[1] ? slash + 1 : p->argv[0];
	struct buf why = BUF_INIT;

	if (p->status > 128 && p->status < 128 + NSIG)
		buf_addf(&why, "'%s' was ended by signal %d", name, p->status - 128);
	else
		buf_addf(&why, "'%s' failed with status %d", name, p->status);
	add_first_lines(&why, said);
	err_set(e, ERR_FAILED, "%s", why.ptr);
	buf_release(&why);
	return -1;
}

int proc_run_ok(struct proc *p, struct err *e)
{
	struct buf kept = { buf_empty, .max = STDERR_KEPT };
	struct buf *errout = collects_stderr(p) ? &kept : p->errout;
	size_t before = errout ? errout->len : 0;
	int rc = run_with(p, errout, e);

	if (!rc && p->out && p->out->over)
		rc = err_set(e, ERR_BAD_DATA, "'%s' wrote more than %zu bytes", p->argv[0], p->out->max);
	else if (!rc && p->status)
		rc = fail_status(p, errout ? errout->ptr + before : "", e);
	buf_release(&kept);
	return rc;
}

/* Standard input for a child that is not waited for: a file in memory, so that nobody has to feed it. */
static int input_file(const void *in, size_t n, struct err *e)
{
	int fd = memfd_create("killick-input", MFD_CLOEXEC), high;

	if (fd < 0)
		return err_errno(e, "cannot make a file in memory");
	high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
	if (high >= 0 && !write_full(high, in, n) && lseek(high, 0, SEEK_SET) == 0)
		return high;
	fd_close(&high);
	return err_errno(e, "cannot keep %zu bytes for a program", n);
}

int proc_start(struct proc *p, pid_t *pid, int *fd, struct err *e)
{
	struct launch l;
	int rc = -1;

	if (launch_init(&l, p, e) || (fd && launch_pipe(&l, 1, e)))
		goto out;
	if (p->in && (l.io[0] = input_file(p->in, p->in_len, e)) < 0)
		goto out;
	if (launch_go(&l, p, pid, e))
		goto out;
	if (fd) {
		*fd = l.ours[1];
		l.ours[1] = -1;
	}
	rc = 0;
out:
	launch_release(&l);
	return rc;
}

int proc_start_reader(struct proc *p, pid_t *pid, int *fd, struct err *e)
{
	struct launch l;
	int rc = -1;

	if (launch_init(&l, p, e) || launch_pipe(&l, 0, e) || launch_go(&l, p, pid, e))
		goto out;
	*fd = l.ours[0];
	l.ours[0] = -1;
	fcntl(*fd, F_SETFL, 0); /* blocking: it is written like a file */
	rc = 0;
out:
	launch_release(&l);
	return rc;
}

int proc_talk(struct proc *p, pid_t *pid, int *to, int *from, struct err *e)
{
	struct launch l;
	int rc = -1;

	if (launch_init(&l, p, e) || launch_pipe(&l, 0, e) || launch_pipe(&l, 1, e) || launch_go(&l, p, pid, e))
		goto out;
	*to = l.ours[0];
	*from = l.ours[1];
	l.ours[0] = l.ours[1] = -1;
	fcntl(*to, F_SETFL, 0);
	rc = 0;
out:
	launch_release(&l);
	return rc;
}

bool proc_self(struct buf *out)
{
	static const char deleted[] = " (deleted)";   /* proc(5): its file is another one now */
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return false;
	path[n] = '\0';
	if (str_ends(path, deleted))
		path[n - (ssize_t)strlen(deleted)] = '\0';
	buf_addstr(out, path);
	return true;
}

/* Takes one word off *s; false: a quote or a backslash without its end. */
static bool take_word(const char **s, struct buf *w)
{
	char quote = '\0';

	for (; **s && (quote || !strchr(" \t\r\n", **s)); ++*s) {
		char c = **s;
		if (c == '\\' && quote != '\'') {
			char next = (*s)[1];
			if (!next)
				return false;
			/* Inside "…" a backslash is itself before anything but these, as in a shell. */
			if (!quote || strchr("\"\\$`", next))
				c = *++*s;
			buf_addch(w, c);
		} else if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? '\0' : c;
		} else {
			buf_addch(w, c);
		}
	}
	return !quote;
}

bool proc_split(struct arena *a, const char *cmd, const char ***argv)
{
	ARRAY(const char *) words = ARRAY_INIT;
	struct buf w = BUF_INIT;
	bool ok = true;

	while (ok && *(cmd += strspn(cmd, " \t\r\n"))) {
		buf_reset(&w);
		ok = take_word(&cmd, &w);
		*array_add(&words) = arena_memdup(a, w.ptr, w.len);
	}
	if (ok) {
		*argv = arena_alloc(a, (words.len + 1) * sizeof(**argv));
		if (words.len)
			memcpy(*argv, words.items, words.len * sizeof(**argv));
	}
	array_release(&words);
	buf_release(&w);
	return ok;
}
