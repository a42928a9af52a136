/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong in a folder that plays a tracker: the file "faults", JSON Lines, each
 *
 *	{"on":"pull|look|probe|mark|push|find","do":WHAT,"verb":"comment","page":1,"times":2,"ms":500,"message":"…"}
 *
 * happens at the first place that fits and is used up ("times" of them). WHAT: offline, limit (try again in ms), auth,
 * refused, conflict, not-found, bad-data: the call fails so, nothing was done. crash: the process ends; crash-after: it ends
 * when the op is on disk. unknown: the answer is lost and the op was not done; unknown-after: it was. hide: done, but lists
 * do not show it for ms. hang: nothing for ms (or for ever). garbage: a line that is no JSON.
 */
#include "config.h"
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "killick/base/file.h"
#include "dir.h"

static bool says(const json_t *j, const char *key, const char *value)
{
	const char *s = json_get_str(j, key);

	return !s || (value && !strcmp(s, value));
}

static bool is_after(const char *what)
{
	return str_ends(what, "-after");
}

static bool fits(const json_t *j, const struct fault_at *at)
{
	const char *what = json_get_str(j, "do");

	return what && json_get_str(j, "on") && says(j, "on", at->on) && says(j, "verb", at->verb) &&
		json_get_int(j, "page", 0) == at->page && is_after(what) == at->after;
}

/* Rewrites the file without the fault that happens now. */
static void use_up(struct remote *r, const json_t *lines, size_t at)
{
	json_t *one = json_array_get(lines, at);
	int64_t times = json_get_int(one, "times", 1);
	struct buf b = BUF_INIT;

	json_put_int(one, "times", times - 1);
	for (size_t i = 0; i < json_array_size(lines); i++) {
		if (i == at && times <= 1)
			continue;
		json_write(&b, json_array_get(lines, i));
		buf_addch(&b, '\n');
	}
	file_write(dir_path(r, "faults"), b.ptr, b.len, 0600, NULL);
	buf_release(&b);
}

static json_t *faults_read(struct remote *r)
{
	json_t *lines = json_array();
	struct buf b = BUF_INIT;

	if (file_read(dir_path(r, "faults"), 1 << 20, &b, NULL))
		buf_reset(&b);
	for (char *p = b.ptr; *p;) {
		size_t n = strcspn(p, "\n");
		json_t *j = json_read(p, n, "faults", NULL);
		if (j)
			json_array_append_new(lines, j);
		p += n + (p[n] == '\n');
	}
	buf_release(&b);
	return lines;
}

static int fault_hang(int64_t ms)
{
	struct pollfd in = { .fd = STDIN_FILENO };

	poll(&in, 1, ms > 0 ? (int)ms : -1);
	return in.revents & (POLLHUP | POLLERR) ? -1 : 0;
}

static int fault_happen(struct remote *r, const json_t *j, struct fault_at *at, struct err *e)
{
	const char *what = json_get_str(j, "do"), *said = json_get_str(j, "message");
	int64_t ms = json_get_int(j, "ms", 0);
	enum err_code code;

	if (str_starts(what, "crash"))
		_exit(9);
	if (!strcmp(what, "garbage"))
		return write_full(STDOUT_FILENO, "{\"garbage\n", 10);
	if (!strcmp(what, "hide")) {
		at->hide_ms = ms;
		return 0;
	}
	if (!strcmp(what, "hang"))
		return fault_hang(ms) ? err_set(e, ERR_CANCELLED, "the other end is gone") : 0;
	at->unknown = str_starts(what, "unknown");
	if (at->unknown)
		return err_set(e, ERR_OFFLINE, "%s", said ? said : "the answer was lost");
	r->retry_at = !strcmp(what, "limit") ? clock_now() + ms : 0;
	if (!strcmp(what, "limit"))
		return err_set(e, ERR_RATE_LIMITED, "%s", said ? said : "too many requests");
	err_code_parse(what, &code);
	return err_set(e, code, "%s", said ? said : "a fault as asked for");
}

int dir_fault(struct remote *r, struct fault_at *at, struct err *e)
{
	json_t *lines = faults_read(r);
	int rc = 0;

	for (size_t i = 0; i < json_array_size(lines); i++) {
		json_t *j = json_array_get(lines, i);
		if (!fits(j, at))
			continue;
		use_up(r, lines, i);
		rc = fault_happen(r, j, at, e);
		break;
	}
	json_decref(lines);
	return rc;
}
