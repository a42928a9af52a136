/* SPDX-License-Identifier: MIT */
/*
 * Children that work while the screens go on: a sync, the catching up of places, the list of files. The main loop waits
 * on their pipes with everything else; data() gets what came, done() the exit status once both the pipe and the child
 * have ended. A job that is dropped is killed and its results ignored.
 */
#include "config.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "killick/base/proc.h"
#include "ui.h"

struct job *job_start(struct tui *t, const char *name, const char *const *argv, const char *const *env,
    unsigned flags, const struct job_ops *ops, void *ctx, struct err *e)
{
	struct proc p = { .argv = argv, .env = env, .flags = PROC_NEW_SESSION | flags };
	struct job *j = xcalloc(1, sizeof(*j));

	*j = (struct job){ .ops = ops, .name = name, .fd = -1, .ctx = ctx, .line = BUF_INIT };
	if (proc_start(&p, &j->pid, &j->fd, e) < 0) {
		free(j);
		return NULL;
	}
	j->next = t->jobs;
	t->jobs = j;
	trace("tui", "job %s: %d", name, (int)j->pid);
	return j;
}

struct job *job_find(struct tui *t, const char *name)
{
	for (struct job *j = t->jobs; j; j = j->next)
		if (!strcmp(j->name, name) && !j->dropped)
			return j;
	return NULL;
}

void job_kill(struct job *j)
{
	if (!j->ended)
		kill(j->pid, SIGTERM);
	j->dropped = true;
}

static void read_some(struct tui *t, struct job *j)
{
	char chunk[16384];
	ssize_t n = 1;

	/* A bounded number of chunks: a flood from a child must not keep a key waiting. */
	for (int i = 0; i < 8 && !j->eof && n > 0; i++) {
		n = read(j->fd, chunk, sizeof(chunk));
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			j->eof = true;
		if (n > 0 && !j->dropped && j->ops->data)
			j->ops->data(t, j, chunk, (size_t)n);
	}
}

static void reap(struct job *j)
{
	int status;

	if (j->ended || waitpid(j->pid, &status, WNOHANG) != j->pid)
		return;
	j->ended = true;
	j->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void job_free(struct job *j)
{
	if (j->fd >= 0)
		close(j->fd);
	buf_release(&j->line);
	free(j);
}

void jobs_poll(struct tui *t)
{
	for (struct job **p = &t->jobs; *p;) {
		struct job *j = *p;

		read_some(t, j);
		reap(j);
		/* What a child left running may hold the pipe open: its own end is enough, once the pipe is dry. */
		if (!j->ended) {
			p = &j->next;
			continue;
		}
		if (!j->eof)
			read_some(t, j);
		/* Its last word is its own, not a message behind its end. */
		tui_read_stderr(t);
		*p = j->next;
		trace("tui", "job %s: ended with %d", j->name, j->status);
		if (!j->dropped && j->ops->done)
			j->ops->done(t, j, j->status);
		job_free(j);
	}
}

void jobs_release(struct tui *t)
{
	while (t->jobs) {
		struct job *j = t->jobs;

		/* A sync under way finishes by itself; everything else was for the screens. */
		if (!j->ended && strcmp(j->name, "sync"))
			kill(j->pid, SIGTERM);
		t->jobs = j->next;
		job_free(j);
	}
}
