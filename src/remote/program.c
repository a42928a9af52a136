/* SPDX-License-Identifier: MIT */
/*
 * killick-remote: reads a request, runs one adapter, writes answers (wire.h). Lines are kept in a buffer and leave it at the
 * end of a page, so that a page is one write. What could give a token away is closed before anything else is done: no core
 * dumps, no attaching, files for the user alone. A request that makes no sense is answered with an error like any other;
 * nothing is ever printed but lines of the protocol.
 */
#include "config.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "killick/base/file.h"
#include "remote.h"

enum { LINE_MAX_BYTES = 32 << 20, FLUSH_AT = 1 << 16, PROGRESS_MS = 150 };

struct request {
	const json_t *json;
	const char *cursor, *task;
	bool full, prompt;
};

/* ---- lines out ---- */

static void out_flush(struct remote *r)
{
	if (!r->cut && write_full(STDOUT_FILENO, r->out.ptr, r->out.len))
		r->cut = true;
	buf_reset(&r->out);
}

/* Takes the reference. */
static void out_json(struct remote *r, json_t *j)
{
	json_write(&r->out, j);
	buf_addch(&r->out, '\n');
	json_decref(j);
	if (r->out.len >= FLUSH_AT)
		out_flush(r);
}

static json_t *object1(const char *key, json_t *value)
{
	json_t *j = json_object();

	json_object_set_new(j, key, value);
	return j;
}

static int out_done(struct remote *r)
{
	out_json(r, object1("done", json_true()));
	out_flush(r);
	return 0;
}

static int64_t retry_at(const struct remote *r, const struct err *e)
{
	return e->code == ERR_RATE_LIMITED || e->code == ERR_OFFLINE ? r->retry_at : 0;
}

static void out_error(struct remote *r, const struct err *e)
{
	json_t *j = json_object();

	json_put_str(j, "code", err_code_name(e->code));
	json_put_str(j, "message", e->msg);
	if (retry_at(r, e))
		json_put_time(j, "retry_at", retry_at(r, e));
	out_json(r, object1("error", j));
	out_flush(r);
}

static int cut_check(const struct remote *r, struct err *e)
{
	return r->cut ? err_set(e, ERR_CANCELLED, "nobody reads the answers any more") : 0;
}

int remote_emit(struct remote *r, const struct record *rec, struct err *e)
{
	out_json(r, record_json(rec));
	return cut_check(r, e);
}

int remote_page(struct remote *r, const char *cursor, struct err *e)
{
	out_json(r, object1("page", json_string(cursor)));
	out_flush(r);
	arena_clear(&r->arena);
	return cut_check(r, e);
}

void remote_progress(struct remote *r, const char *what, int64_t done, int64_t total)
{
	int64_t now = clock_mono();
	json_t *j;

	if (now - r->last_progress < PROGRESS_MS && done != total)
		return;
	r->last_progress = now;
	j = json_object();
	json_put_str(j, "what", what);
	json_put_int(j, "done", done);
	if (total >= 0)
		json_put_int(j, "total", total);
	out_json(r, object1("progress", j));
	out_flush(r);
}

struct arena *remote_arena(struct remote *r)
{
	return &r->arena;
}

struct arena *remote_keep(struct remote *r)
{
	return &r->keep;
}

struct http *remote_http(struct remote *r)
{
	return r->http;
}

const struct source_desc *remote_source(const struct remote *r)
{
	return &r->src;
}

unsigned remote_caps(const struct remote *r)
{
	return r->src.caps;
}

/* ---- bodies and outcomes, for all adapters ---- */

void remote_body(struct remote *r, const struct wire_op *op, struct buf *out)
{
	const json_t *marks = json_object_get(r->src.options, "marks");

	buf_addstr(out, op->body ? op->body : "");
	if (remote_caps(r) & CAP_HIDDEN_MARK && !json_is_false(marks))
		op_mark_add(out, op->id);
}

bool remote_body_is(const char *body, const struct wire_op *op)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	char id[33];
	bool same;

	if (op_mark_find(body, id))
		return !strcmp(id, op->id);
	body_normalise(&a, body);
	body_normalise(&b, op->body ? op->body : "");
	same = a.len == b.len && !memcmp(a.ptr, b.ptr, a.len);
	buf_release(&a);
	buf_release(&b);
	return same;
}

int remote_outcome(struct remote *r, bool sent, const struct err *failed, struct wire_outcome *out)
{
	bool later = failed->code == ERR_OFFLINE || failed->code == ERR_RATE_LIMITED || failed->code == ERR_AUTH ||
		failed->code == ERR_CANCELLED || failed->code == ERR_IO;

	*out = (struct wire_outcome){
		.is = sent ? WIRE_UNKNOWN : later ? WIRE_UNSENT : WIRE_REFUSED,
		.code = failed->code,
		.message = arena_strdup(&r->keep, failed->msg),
		.retry_at = sent ? 0 : retry_at(r, failed),
	};
	return 0;
}

/* ---- lines in ---- */

/* The next line without its newline, NULL at the end. It lives until the next call. */
static char *in_line(struct remote *r, size_t *n, struct err *e)
{
	struct buf *b = &r->in;
	char chunk[8192], *nl;
	ssize_t got;

	memmove(b->ptr, b->ptr + r->taken, b->len - r->taken);
	buf_setlen(b, b->len - r->taken);
	r->taken = 0;
	b->max = LINE_MAX_BYTES;
	for (size_t seen = 0; !(nl = memchr(b->ptr + seen, '\n', b->len - seen));) {
		seen = b->len;
		got = read(STDIN_FILENO, chunk, sizeof(chunk));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return NULL;
		buf_add(b, chunk, (size_t)got);
		if (b->over) {
			err_set(e, ERR_BAD_DATA, "a line of the request is longer than %d MiB", LINE_MAX_BYTES >> 20);
			return NULL;
		}
	}
	*n = (size_t)(nl - b->ptr);
	r->taken = *n + 1;
	return b->ptr;
}

/* A new reference, NULL at the end of input (e untouched) and for what is no JSON. */
static json_t *in_json(struct remote *r, struct err *e)
{
	size_t n = 0;
	char *line = in_line(r, &n, e);

	return line ? json_read(line, n, "a line of the request", e) : NULL;
}

/* ---- the requests ---- */

static int do_pull(struct remote *r, const struct request *q, struct err *e)
{
	if (r->ad->pull(r, q->cursor ? q->cursor : "", q->full, e))
		return -1;
	return out_done(r);
}

static int do_look(struct remote *r, const struct request *q, struct err *e)
{
	if (!q->task)
		return err_set(e, ERR_BAD_DATA, "a request to look names no task");
	return r->ad->look(r, q->task, e) ? -1 : out_done(r);
}

static json_t *probe_json(const struct remote_probe *p)
{
	json_t *j = json_object(), *why = json_object();
	const struct person me = { .name = p->me_name, .email = p->me_email, .login = p->me_login };

	json_put_str(j, "version", p->version);
	json_object_set_new(j, "caps", caps_json(p->caps));
	for (size_t i = 0; i < p->n_why; i++)
		for (size_t k = 0; caps_names[k]; k++)
			if (p->why[i].cap == 1u << k)
				json_put_str(why, caps_names[k], p->why[i].why);
	json_object_set_new(j, "caps_why", why);
	json_object_set_new(j, "me", p->me_login ? person_json(&me) : json_null());
	json_put_str(j, "title", p->title);
	json_object_set_new(j, "public", json_boolean(p->public_));
	json_put_str(j, "missing", p->missing);
	json_put_str(j, "quirk", p->quirk);
	return j;
}

static int do_probe(struct remote *r, const struct request *q UNUSED, struct err *e)
{
	struct remote_probe p = { .version = NULL };

	if (r->ad->probe(r, &p, e))
		return -1;
	out_json(r, object1("probe", probe_json(&p)));
	return out_done(r);
}

static int send_mark(struct remote *r, const struct wire_op *op, struct err *e)
{
	const char *mark = "";

	if (r->ad->mark(r, op, &mark, e))
		return -1;
	out_json(r, object1("mark", json_str_or_null(mark ? mark : "")));
	out_flush(r);
	return 0;
}

static void out_outcome(struct remote *r, const struct wire_outcome *o)
{
	out_json(r, object1("outcome", wire_outcome_json(o)));
	out_flush(r);
}

static int send_push(struct remote *r, const struct wire_op *op, struct err *e)
{
	struct wire_outcome o = { .is = WIRE_UNKNOWN };
	struct err failed = ERR_INIT;

	if (r->ad->push(r, op, &o, &failed))
		remote_outcome(r, false, &failed, &o);
	out_outcome(r, &o);
	return cut_check(r, e);
}

static int send_find(struct remote *r, const struct wire_op *op, struct err *e)
{
	struct wire_outcome o = { .is = WIRE_ABSENT };

	if (r->ad->find(r, op, &o, e))
		return -1;
	out_outcome(r, &o);
	return cut_check(r, e);
}

static const struct { const char *what; int (*fn)(struct remote *r, const struct wire_op *op, struct err *e); } sends[] = {
	{ "mark", send_mark }, { "push", send_push }, { "find", send_find },
};

static int send_line(struct remote *r, const json_t *j, struct err *e)
{
	struct request look = { .task = json_get_str(j, "look") };
	struct wire_op op;

	if (look.task)
		return do_look(r, &look, e);
	for (size_t i = 0; i < ARRAY_SIZE(sends); i++) {
		const json_t *v = json_object_get(j, sends[i].what);
		if (v)
			return wire_op_parse(&r->keep, v, &op, e) ? -1 : sends[i].fn(r, &op, e);
	}
	return err_set(e, ERR_BAD_DATA, "a line of the request asks for nothing that is known here");
}

static int do_send(struct remote *r, const struct request *q UNUSED, struct err *e)
{
	struct err bad = ERR_INIT;
	json_t *j;
	int rc = 0;

	while (!rc && (j = in_json(r, &bad))) {
		rc = send_line(r, j, e);
		json_decref(j);
		arena_clear(&r->arena);
		arena_clear(&r->keep);
	}
	if (!rc && bad.code) {
		*e = bad;
		rc = -1;
	}
	return rc;
}

static const struct { const char *what; int (*fn)(struct remote *r, const struct request *q, struct err *e); } jobs[] = {
	{ "pull", do_pull }, { "look", do_look }, { "probe", do_probe }, { "send", do_send },
};

static int request_run(struct remote *r, const struct request *q, const char *what, struct err *e)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(jobs) && (!what || strcmp(jobs[i].what, what)))
		i++;
	if (i == ARRAY_SIZE(jobs))
		return err_set(e, ERR_BAD_DATA, "a request to '%s' is not known here", what ? what : "");
	r->ad = adapter_find(r->src.kind);
	if (!r->ad)
		return err_set(e, ERR_NOT_FOUND, "there is no adapter for '%s' sources", r->src.kind ? r->src.kind : "");
	if (!r->src.api)
		return err_set(e, ERR_BAD_DATA, "source '%s' has no address", r->src.name ? r->src.name : "");
	return jobs[i].fn(r, q, e);
}

static int request_read(struct remote *r, json_t **doc, struct request *q, struct err *e)
{
	*doc = in_json(r, e);
	if (!*doc)
		return e->code ? -1 : err_set(e, ERR_BAD_DATA, "there is no request");
	if (json_get_int(*doc, "wire", 0) != 1)
		return err_set(e, ERR_BAD_DATA, "the request is not of version 1: killick and killick-remote are of different age");
	*q = (struct request){
		.json = *doc, .cursor = json_get_str(*doc, "cursor"), .task = json_get_str(*doc, "task"),
		.full = json_get_bool(*doc, "full"), .prompt = json_get_bool(*doc, "prompt"),
	};
	return source_desc_parse(&r->life, json_object_get(*doc, "source"), &r->src, e);
}

/* Before a token can be in memory: it must not get out with a core dump or a debugger (trust.md 16). */
static void process_close(void)
{
	const struct rlimit none = { 0, 0 };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	umask(077);
	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__   /* the leak checker attaches to its own process */
	prctl(PR_SET_DUMPABLE, 0);
#endif
	sigaction(SIGPIPE, &ignore, NULL);
}

int remote_main(int argc, char **argv UNUSED)
{
	struct remote r = { .in = BUF_INIT, .out = BUF_INIT };
	struct err e = ERR_INIT;
	struct request q;
	json_t *doc = NULL;
	int rc;

	process_close();
	if (argc > 1) {
		stderr_line("killick-remote", "this is a part of killick, which starts it without arguments");
		return 2;
	}
	rc = request_read(&r, &doc, &q, &e);
	if (!rc)
		rc = request_run(&r, &q, json_get_str(doc, "do"), &e);
	if (rc)
		out_error(&r, &e);
	json_decref(doc);
	arena_release(&r.arena);
	arena_release(&r.keep);
	arena_release(&r.life);
	buf_release(&r.in);
	buf_release(&r.out);
	return rc ? 1 : 0;
}
