/* SPDX-License-Identifier: MIT */
/* Talking with killick-remote; see child.h. */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "killick/base/clock.h"
#include "killick/base/file.h"
#include "killick/base/proc.h"
#include "child.h"

enum { LINE_MAX_BYTES = 32 << 20, PIPE_BYTES = 1 << 20, END_MS = 2000 };

/* From the build tree it stands beside us; installed it is in libexec. $KILLICK_REMOTE wins (tests). */
static char *program(void)
{
	const char *set = getenv("KILLICK_REMOTE");
	struct buf self = BUF_INIT;
	const char *slash;
	char *path;

	if (set && *set)
		return xstrdup(set);
	slash = proc_self(&self) ? strrchr(self.ptr, '/') : NULL;
	path = slash ? xasprintf("%.*s/killick-remote", (int)(slash - self.ptr), self.ptr) : NULL;
	buf_release(&self);
	if (path && !access(path, X_OK))
		return path;
	free(path);
	return xstrdup(remote_program());
}

int child_say(struct child *c, json_t *j, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	json_write(&b, j);
	buf_addch(&b, '\n');
	json_decref(j);
	rc = c->to < 0 || write_full(c->to, b.ptr, b.len) ? err_set(e, ERR_OFFLINE, "killick-remote is gone") : 0;
	buf_release(&b);
	return rc;
}

int child_start(struct child *c, json_t *request, struct err *e)
{
	char *path = program();
	const char *const argv[] = { path, NULL };
	struct proc p = { .argv = argv, .flags = PROC_STDERR_INHERIT };
	int rc;

	*c = (struct child)CHILD_INIT;
	c->in.max = LINE_MAX_BYTES;
	rc = proc_talk(&p, &c->pid, &c->to, &c->from, e);
	if (rc)
		err_prefix(e, "what talks to servers cannot be started");
	free(path);
	if (!rc)
		fcntl(c->from, F_SETPIPE_SZ, PIPE_BYTES);   /* or as much as there is */
	c->heard = clock_mono();
	json_put_int(request, "wire", 1);
	if (rc) {
		json_decref(request);
		c->pid = -1;
		return -1;
	}
	if (child_say(c, request, e)) {
		child_end(c);
		return -1;
	}
	return 0;
}

int child_read(struct child *c, struct err *e)
{
	char chunk[65536];
	ssize_t n = 1;

	if (c->taken) {
		memmove(c->in.ptr, c->in.ptr + c->taken, c->in.len - c->taken);
		buf_setlen(&c->in, c->in.len - c->taken);
		c->taken = 0;
	}
	for (int i = 0; i < 16 && n > 0; i++) {
		n = read(c->from, chunk, sizeof(chunk));
		if (n > 0) {
			c->heard = clock_mono();
			buf_add(&c->in, chunk, (size_t)n);
		}
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			c->eof = true;
		if (c->in.over)
			return err_set(e, ERR_BAD_DATA, "killick-remote said a line of more than %d MiB", LINE_MAX_BYTES >> 20);
	}
	return 0;
}

char *child_line(struct child *c, size_t *n)
{
	char *from = c->in.ptr + c->taken, *nl = memchr(from, '\n', c->in.len - c->taken);

	if (!nl)
		return NULL;
	*n = (size_t)(nl - from);
	*nl = '\0';
	c->taken += *n + 1;
	return from;
}

static json_t *read_object(const char *line, size_t n, struct err *e)
{
	json_t *j = json_read(line, n, "what killick-remote said", e);

	if (j && !json_is_object(j)) {
		json_decref(j);
		err_set(e, ERR_BAD_DATA, "what killick-remote said is no object");
		return NULL;
	}
	return j;
}

json_t *child_answer(struct child *c, int idle_ms, struct err *e)
{
	size_t n;
	char *line;

	while (!(line = child_line(c, &n))) {
		struct pollfd p = { .fd = c->from, .events = POLLIN };
		int64_t left = idle_ms ? c->heard + idle_ms - clock_mono() : -1;

		if (c->eof) {
			err_set(e, ERR_OFFLINE, "killick-remote ended before it answered");
			return NULL;
		}
		if (idle_ms && left <= 0) {
			err_set(e, ERR_OFFLINE, "nothing was heard for %d s", idle_ms / 1000);
			return NULL;
		}
		poll(&p, 1, (int)left);
		if (child_read(c, e))
			return NULL;
	}
	return read_object(line, n, e);
}

static bool reap(struct child *c, int flags, int *status)
{
	pid_t got;

	do
		got = waitpid(c->pid, status, flags);
	while (got < 0 && errno == EINTR);
	return got != 0;
}

int child_end(struct child *c)
{
	int64_t until = clock_mono() + END_MS;
	int status = 0;

	if (c->to >= 0)
		close(c->to);
	if (c->from >= 0)
		close(c->from);
	if (c->pid > 0) {
		/* Its standard input has ended: it stops by itself. */
		while (!reap(c, WNOHANG, &status)) {
			if (clock_mono() > until) {
				kill(c->pid, SIGKILL);
				reap(c, 0, &status);
				break;
			}
			poll(NULL, 0, 2);
		}
	}
	buf_release(&c->in);
	*c = (struct child)CHILD_INIT;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool answer_error(const json_t *j, struct err *e, int64_t *retry_at)
{
	const json_t *x = json_get_obj(j, "error");
	const char *message = json_get_str(x, "message"), *retry = json_get_str(x, "retry_at");
	enum err_code code = ERR_FAILED;

	if (!x)
		return false;
	err_code_parse(json_get_str(x, "code") ? json_get_str(x, "code") : "", &code);
	err_set(e, code == ERR_NONE ? ERR_FAILED : code, "%s", message ? message : "killick-remote failed without a word");
	if (retry_at && (!retry || !time_parse(retry, retry_at)))
		*retry_at = 0;
	return true;
}

json_t *request_new(const char *what, const struct source_desc *d)
{
	json_t *j = json_object();

	json_put_str(j, "do", what);
	json_object_set_new(j, "source", source_desc_json(d));
	return j;
}
