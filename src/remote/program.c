/* SPDX-License-Identifier: MIT */
/*
 * killick-remote: reads a request, runs one adapter, writes answers (wire.h). Lines are kept in a buffer that is written as far
 * as killick reads, and killick is busy writing for moments: while they wait, transfers go on. What could give a token away is closed before anything else is done: no core
 * dumps, no attaching, files for the user alone. A request that makes no sense is answered with an error like any other;
 * nothing is ever printed but lines of the protocol.
 */
#include "config.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "killick/base/file.h"
#include "fields.h"
#include "remote.h"

enum { LINE_MAX_BYTES = 32 << 20, FLUSH_AT = 1 << 14, UNWRITTEN_MAX = 4 << 20, PUMP_MS = 10, PROGRESS_MS = 150 };

struct request {
	const char *cursor, *task;
	bool full, prompt;
};

/* ---- lines out ---- */

static void out_forget(struct remote *r)
{
	buf_reset(&r->out);
	r->written = 0;
}

static void out_flush(struct remote *r)
{
	if (!r->cut && write_full(STDOUT_FILENO, r->out.ptr + r->written, r->out.len - r->written))
		r->cut = true;
	out_forget(r);
}

int out_unwritten(void *ctx)
{
	const struct remote *r = ctx;

	return r->out.len > r->written ? STDOUT_FILENO : -1;
}

static bool out_ready(int wait_ms)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&p, 1, wait_ms) > 0;
}

/* A pipe that is ready takes PIPE_BUF bytes without waiting (pipe(7)). */
void out_some(void *ctx)
{
	struct remote *r = ctx;

	while (!r->cut && r->written < r->out.len && out_ready(0)) {
		size_t n = r->out.len - r->written < PIPE_BUF ? r->out.len - r->written : PIPE_BUF;

		r->cut = write_full(STDOUT_FILENO, r->out.ptr + r->written, n) != 0;
		r->written += n;
	}
	if (r->cut || r->written == r->out.len)
		out_forget(r);
}

/* Whoever reads may be busy with what we said before: pages go on coming meanwhile, as far as we can keep what they say. */
static void out_keep_or_write(struct remote *r)
{
	out_some(r);
	while (!r->cut && r->out.len - r->written > UNWRITTEN_MAX) {
		out_ready(PUMP_MS);
		out_some(r);
		http_pump(r->http);
	}
	if (r->written > UNWRITTEN_MAX) {
		memmove(r->out.ptr, r->out.ptr + r->written, r->out.len - r->written);
		buf_setlen(&r->out, r->out.len - r->written);
		r->written = 0;
	}
}

/* Takes the reference. */
static void out_json(struct remote *r, json_t *j)
{
	json_write(&r->out, j);
	buf_addch(&r->out, '\n');
	json_decref(j);
	if (r->out.len - r->written >= FLUSH_AT)
		out_keep_or_write(r);
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
	if (e->code != ERR_RATE_LIMITED && e->code != ERR_OFFLINE)
		return 0;
	return r->http ? http_retry_at(r->http) : r->retry_at;
}

/* Under the source's web; NULL: not known. */
static const char *rights_page(const struct remote *r)
{
	return r->ad && r->ad->rights_page && r->src.web ? r->ad->rights_page(&r->cred) : NULL;
}

/* Whoever is told that a credential does not do must know which one it was. */
static void auth_words(const struct remote *r, struct err *e)
{
	/* No credential helps with a project that nobody may write to. */
	if (e->code != ERR_AUTH || !r->http || strstr(e->msg, "archived"))
		return;
	const char *page = rights_page(r), *at = page ? "; rights are given at " : "", *web = page ? r->src.web : "";

	if (r->cred.from)
		err_set(e, ERR_AUTH, "%s; the credential is from %s%s%s%s", e->msg, r->cred.from, at, web, page ? page : "");
	else
		err_set(e, ERR_AUTH, "%s; no credential for it was found%s%s%s", e->msg, at, web, page ? page : "");
}

static void out_error(struct remote *r, struct err *e)
{
	json_t *j = json_object();

	auth_words(r, e);

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
	struct record sound;

	if (record_tidy(&r->arena, rec, &sound))
		out_json(r, record_json(&sound));
	http_pump(r->http);
	return cut_check(r, e);
}

int remote_page(struct remote *r, const char *cursor, struct err *e)
{
	out_json(r, object1("page", json_string(cursor)));
	out_keep_or_write(r);
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
	out_keep_or_write(r);
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
	char id[33];
	size_t len;

	return record_mark(body, id, &len) ? !strcmp(id, op->id) : body_same(body, op->body);
}

int remote_outcome(struct remote *r, bool sent, const struct err *failed, struct wire_outcome *out)
{
	struct err e = *failed;
	bool later = failed->code == ERR_OFFLINE || failed->code == ERR_RATE_LIMITED || failed->code == ERR_AUTH ||
		failed->code == ERR_CANCELLED || failed->code == ERR_IO;

	*out = (struct wire_outcome){
		.is = sent ? WIRE_UNKNOWN : later ? WIRE_UNSENT : WIRE_REFUSED,
		.code = failed->code,
		.message = (auth_words(r, &e), arena_strdup(&r->keep, e.msg)),
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

/* Which credential it was, and where it was looked for: words, never the thing itself. */
static void put_credential(json_t *j, const struct remote *r)
{
	json_t *lines = json_array();

	for (const char *p = r->tried.ptr; *p;) {
		size_t n = strcspn(p, "\n");
		json_t *one = json_object();
		json_put_strn(one, "line", p, n);
		json_array_append(lines, json_object_get(one, "line"));
		json_decref(one);
		p += n + (p[n] == '\n');
	}
	json_put_str(j, "credential", r->cred.from);
	json_object_set_new(j, "tried", lines);
}

static json_t *probe_json(struct remote *r, const struct remote_probe *p)
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
	if (p->missing && rights_page(r))
		json_put_str(j, "rights_page", arena_printf(&r->keep, "%s%s", r->src.web, rights_page(r)));
	json_put_str(j, "quirk", p->quirk);
	put_credential(j, r);
	return j;
}

static int do_probe(struct remote *r, const struct request *q UNUSED, struct err *e)
{
	struct remote_probe p = { .version = NULL };

	if (r->ad->probe(r, &p, e))
		return -1;
	out_json(r, object1("probe", probe_json(r, &p)));
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

/* ---- whose is this address? ---- */

/* By its looks; then by asking each adapter that speaks HTTP, at the host's root, as nobody. */
static bool claim_by_looks(struct remote *r, const char *address, struct source_desc *out)
{
	struct remote_url url;

	if (!remote_url_parse(&r->keep, address, &url))
		return false;
	for (size_t i = 0; adapters[i]; i++) {
		if (!adapters[i]->claim(&r->keep, &url, out))
			continue;
		out->kind = adapters[i]->name;
		return true;
	}
	return false;
}

/* Where the web of a remote's host is: over ssh nothing says that it is not https on the usual port. */
static const char *web_root(struct remote *r, const char *address, struct err *e)
{
	struct remote_url url;
	bool web;

	if (!remote_url_parse(&r->keep, address, &url)) {
		err_set(e, ERR_USAGE, "'%s' is not the address of a project", address);
		return NULL;
	}
	web = !strcmp(url.scheme, "http") || !strcmp(url.scheme, "https");
	return url.port && web ? arena_printf(&r->keep, "%s://%s:%u/", url.scheme, url.host, url.port) :
		arena_printf(&r->keep, "%s://%s/", web ? url.scheme : "https", url.host);
}

static int sniff_all(struct remote *r, struct source_desc *out, struct err *e)
{
	struct err no = ERR_INIT;

	for (size_t i = 0; adapters[i]; i++) {
		if (adapters[i]->local)
			continue;
		r->ad = adapters[i];
		err_clear(&no);
		if (!r->ad->sniff(r, out, &no)) {
			out->kind = r->ad->name;
			return 0;
		}
		if (no.code != ERR_NOT_FOUND && no.code != ERR_REFUSED && no.code != ERR_AUTH && no.code != ERR_BAD_DATA)
			return err_set(e, no.code, "%s", no.msg);
	}
	return err_set(e, ERR_NOT_FOUND, "nothing known answers at '%s': name the kind of tracker and the address of its API",
		       r->src.web);
}

static int do_sniff(struct remote *r, struct err *e)
{
	struct source_desc out = r->src;
	const char *root;

	if (!r->src.web)
		return err_set(e, ERR_BAD_DATA, "a request to sniff names no address");
	if (!claim_by_looks(r, r->src.web, &out)) {
		root = web_root(r, r->src.web, e);
		if (!root || session_open(r, root, true, e) || sniff_all(r, &out, e))
			return -1;
	}
	out_json(r, object1("source", source_desc_json(&out)));
	return out_done(r);
}

static const struct { const char *what; int (*fn)(struct remote *r, const struct request *q, struct err *e); } jobs[] = {
	{ "pull", do_pull }, { "look", do_look }, { "probe", do_probe }, { "send", do_send },
};

static int request_run(struct remote *r, const struct request *q, const char *what, struct err *e)
{
	size_t i = 0;

	if (what && !strcmp(what, "sniff"))
		return do_sniff(r, e);
	while (i < ARRAY_SIZE(jobs) && (!what || strcmp(jobs[i].what, what)))
		i++;
	if (i == ARRAY_SIZE(jobs))
		return err_set(e, ERR_BAD_DATA, "a request to '%s' is not known here", what ? what : "");
	r->ad = adapter_find(r->src.kind);
	if (!r->ad)
		return err_set(e, ERR_NOT_FOUND, "there is no adapter for '%s' sources", r->src.kind ? r->src.kind : "");
	if (!r->src.api)
		return err_set(e, ERR_BAD_DATA, "source '%s' has no address", r->src.name ? r->src.name : "");
	if (!r->ad->local && session_open(r, r->src.api, false, e))
		return -1;
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
		.cursor = json_get_str(*doc, "cursor"), .task = json_get_str(*doc, "task"),
		.full = json_get_bool(*doc, "full"), .prompt = json_get_bool(*doc, "prompt"),
	};
	r->prompt = q->prompt;
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
	struct remote r = { .in = BUF_INIT, .out = BUF_INIT, .tried = BUF_INIT };
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
	session_close(&r);
	json_decref(doc);
	arena_release(&r.arena);
	arena_release(&r.keep);
	arena_release(&r.life);
	buf_release(&r.in);
	buf_release(&r.out);
	return rc ? 1 : 0;
}
