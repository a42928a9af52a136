/* SPDX-License-Identifier: MIT */
/*
 * Child processes. Never a shell: argv goes to execve as it is, the program is found on PATH (empty and relative
 * entries ignored). Children get no file descriptor but 0, 1 and 2, default signal handling, and an
 * environment without git's repository variables (GIT_DIR, GIT_INDEX_FILE, ...: `git rev-parse --local-env-vars`)
 * unless PROC_KEEP_GIT_ENV is set.
 *
 * A child with a timeout runs in a process group of its own, so that all it started can be ended with it; it therefore
 * cannot ask on the terminal. One without a timeout shares our group: Ctrl-C reaches it, and ssh may ask. A signal that
 * ends us while we wait for one of another group or session ends that group first.
 */
#ifndef KILLICK_BASE_PROC_H
#define KILLICK_BASE_PROC_H

#include <stdbool.h>
#include <sys/types.h>
#include "killick/base/buf.h"
#include "killick/base/err.h"

enum proc_flags {
	PROC_KEEP_GIT_ENV = 1 << 0,
	PROC_TTY = 1 << 1,      /* inherit 0, 1, 2: an editor, a pager; SIGINT and SIGQUIT ignored here meanwhile */
	PROC_STDERR_NULL = 1 << 2,
	PROC_NEW_SESSION = 1 << 3, /* setsid: survives the terminal */
	PROC_STDERR_INHERIT = 1 << 4,
};

struct proc {
	const char *const *argv;   /* NULL-terminated */
	const char *dir;           /* working folder, NULL: ours */
	const char *const *env;    /* "NAME=value" to set, "NAME" to unset; NULL-terminated; may be NULL */
	const void *in;            /* bytes for standard input, NULL: /dev/null (unless PROC_TTY) */
	size_t in_len;
	struct buf *out;           /* standard output is added here; NULL: /dev/null (PROC_TTY: ours). Past its max the
				    * pipe is closed, so that a flood ends */
	struct buf *errout;        /* standard error, likewise; NULL with neither flag: collected for the message */
	unsigned flags;
	int timeout_ms;            /* 0: none; past it the child's group is ended (SIGTERM, then SIGKILL) and the call
				    * is ERR_CANCELLED */
	int idle_ms;               /* 0: none; when for so long no byte has passed between us, and none of the child's
				    * processes asks on the terminal, it and all it started are ended: ERR_CANCELLED */
	int status;                /* out: exit status, 128 + signal */
};

/*
 * Runs to the end: until the program has ended and its pipes are read out; what it left running in the background
 * is not waited for. A program that is not there: ERR_NOT_FOUND. A non-zero status is no error here: see p->status.
 */
int proc_run(struct proc *p, struct err *e);
/*
 * Like proc_run, but a non-zero status is ERR_FAILED with the first lines of standard error in the message, and more
 * output than out's max ERR_BAD_DATA.
 */
int proc_run_ok(struct proc *p, struct err *e);
/*
 * Starts it and returns; *fd reads its standard output (non-blocking) if fd is not NULL. Reap with waitpid. `out`,
 * `errout`, `timeout_ms` and `idle_ms` are not used: standard error is /dev/null unless PROC_TTY or PROC_STDERR_INHERIT.
 */
int proc_start(struct proc *p, pid_t *pid, int *fd, struct err *e);
/* Starts a program that reads what is written to *fd (a pager). Its outputs as the flags say. Reap with waitpid. */
int proc_start_reader(struct proc *p, pid_t *pid, int *fd, struct err *e);
/* Starts a program to talk with: *to is written like a file (SIGPIPE is the caller's), *from is non-blocking. Outputs as
 * with proc_start. Reap with waitpid. */
int proc_talk(struct proc *p, pid_t *pid, int *to, int *from, struct err *e);
/* Adds the path of the program that runs, as the kernel knows it; false with errno. Replaced meanwhile by an upgrade, it
 * is the path where the new one stands. */
bool proc_self(struct buf *out);
/* Splits a command setting ("vim -u NONE", 'code --wait') into words: blanks, '…', "…" and backslash; no expansion.
 * false: unbalanced quotes. The words live in the arena, the array ends with NULL. */
bool proc_split(struct arena *a, const char *cmd, const char ***argv);

#endif
