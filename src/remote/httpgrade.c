/* SPDX-License-Identifier: MIT */
/*
 * What an answer means: one place decides what is a limit, what is tried again, what may have been acted on, and in which words
 * it is told. Limits follow rest-apis.md 1.6; what a write may have done, trust.md 1.8: only what the server says with a 4xx, and
 * what never left, is certain not to have happened.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "httpint.h"
#include "killick/base/utf8.h"

enum { LIMIT_FIRST_MS = 60000, LIMIT_MAX_MS = 15 * 60000, WORDS_MAX = 300 };

const char *call_header(const struct call *c, const char *name)
{
	return json_get_str(c->headers_in, name);
}

const char *call_location(const struct call *c)
{
	static const long codes[] = { 301, 302, 303, 307, 308 };

	for (size_t i = 0; c->rc == CURLE_OK && i < ARRAY_SIZE(codes); i++)
		if (c->status == codes[i])
			return call_header(c, "location");
	return NULL;
}

int64_t http_date(const char *s)
{
	time_t t = s ? curl_getdate(s, NULL) : -1;

	return t < 0 ? 0 : (int64_t)t * 1000;
}

/* ---- what the server says ---- */

/* The first line, cut between characters, in what can stand in a line of ours. */
static void add_words(struct buf *b, const char *s)
{
	size_t n = strcspn(s, "\r\n"), step;
	int32_t c;

	if (!n)
		return;
	buf_addstr(b, b->len ? ", " : "");
	for (const char *end = s + (n < WORDS_MAX ? n : WORDS_MAX); s < end; s += step) {
		step = utf8_next(s, n, &c);
		n -= step;
		if (c < 0)
			buf_addch(b, '?');
		else if (c < ' ' || c == 0x7f)
			buf_addch(b, ' ');
		else
			buf_add(b, s, step);
	}
}

/* Strings wherever they are, two levels down: {"title":["can't be blank"]}, [{"message":"…"}]. */
static void add_json_words(struct buf *b, const json_t *j, int depth)
{
	const char *key, *message = json_get_str(j, "message"), *code = json_get_str(j, "code");
	const char *field = json_get_str(j, "field");
	json_t *v;

	if (json_is_string(j)) {
		add_words(b, json_string_value(j));
	} else if (message) {
		add_words(b, message);
	} else if (code && field) {
		struct buf both = BUF_INIT;
		buf_addf(&both, "%s: %s", field, code);
		add_words(b, both.ptr);
		buf_release(&both);
	} else if (json_is_array(j) && depth > 0) {
		for (size_t i = 0; i < json_array_size(j) && i < 5; i++)
			add_json_words(b, json_array_get(j, i), depth - 1);
	} else if (json_is_object(j) && depth > 0) {
		json_object_foreach((json_t *)(uintptr_t)j, key, v)
			if (!json_is_string(v))
				add_json_words(b, v, depth - 1);
	}
}

static void error_json_words(struct buf *b, const json_t *j)
{
	static const char *const names[] = { "message", "error", "error_description", "errors" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (json_object_get(j, names[i]))
			add_json_words(b, json_object_get(j, names[i]), 2);
}

static bool has_type(const struct call *c, const char *what)
{
	const char *type = call_header(c, "content-type");

	return type && strcasestr(type, what);
}

/* GitHub says which permission a request takes: a fine-grained token's, a classic one's scopes. */
static void permission_words(const struct call *c, struct buf *b)
{
	const char *permission = call_header(c, "x-accepted-github-permissions"), *scopes = call_header(c, "x-accepted-oauth-scopes");
	struct buf words = BUF_INIT;

	if (c->status != 403)
		return;
	if (permission && *permission)
		buf_addf(&words, "it takes the permission %s", permission);
	else if (scopes && *scopes && call_header(c, "x-oauth-scopes"))
		buf_addf(&words, "it takes one of the scopes %s", scopes);
	add_words(b, words.ptr);
	buf_release(&words);
}

static void error_words(const struct call *c, struct buf *b)
{
	json_t *j = has_type(c, "json") ? json_read(c->in.ptr, c->in.len, "an error", NULL) : NULL;

	if (j)
		error_json_words(b, j);
	else if (has_type(c, "text/plain"))
		add_words(b, c->in.ptr);
	json_decref(j);
	permission_words(c, b);
	if (!b->len && c->status == 404)
		buf_addstr(b, "Not Found");
	if (call_header(c, "x-github-sso"))
		add_words(b, "the organisation wants the token authorised for its single sign-on");
}

/* ---- limits ---- */

static int64_t seconds_ms(const char *s, bool *ok)
{
	uint64_t n;

	*ok = s && str_to_u64(s, UINT32_MAX, &n);
	return *ok ? (int64_t)n * 1000 : 0;
}

/* "120" or "Wed, 21 Oct 2026 07:28:00 GMT". */
static int64_t retry_after_ms(const struct call *c, int64_t now, bool *ok)
{
	const char *s = call_header(c, "retry-after");
	int64_t ms = seconds_ms(s, ok), at = *ok ? 0 : http_date(s);

	if (!*ok && at) {
		*ok = true;
		ms = at - now;
	}
	return ms;
}

/* Seconds since 1970, seconds from now, or (Jira) a time in words. */
static int64_t reset_ms(const struct call *c, int64_t now, bool *ok)
{
	static const char *const names[] = { "x-ratelimit-reset", "ratelimit-reset" };
	int64_t ms = 0, at;

	*ok = false;
	for (size_t i = 0; !*ok && i < ARRAY_SIZE(names); i++) {
		const char *s = call_header(c, names[i]);
		ms = seconds_ms(s, ok);
		if (*ok)
			ms = ms > INT64_C(1000000000000) ? ms - now : ms;
		else if (s && time_parse(s, &at))
			*ok = true, ms = at - now;
	}
	return ms;
}

static bool is_limit(const struct call *c)
{
	const char *left = call_header(c, "x-ratelimit-remaining");

	if (c->status == 429)
		return true;
	if (c->status == 503)
		return call_header(c, "retry-after") != NULL;
	return c->status == 403 && ((left && !strcmp(left, "0")) || call_header(c, "retry-after") ||
		strcasestr(c->in.ptr, "secondary rate limit") || strcasestr(c->in.ptr, "abuse detection"));
}

static int64_t limit_ms(struct call *c)
{
	struct http *h = c->h;
	int64_t now = http_date(call_header(c, "date")), ms;
	bool ok;

	now = now ? now : clock_now();
	ms = retry_after_ms(c, now, &ok);
	if (!ok)
		ms = reset_ms(c, now, &ok);
	if (!ok) {
		ms = (int64_t)LIMIT_FIRST_MS << (h->limit_steps < 4 ? h->limit_steps : 4);
		ms = ms > LIMIT_MAX_MS ? LIMIT_MAX_MS : ms;
		h->limit_steps++;
	}
	return ms < 0 ? 0 : ms;
}

/* Pauses everything; true: it is waited out and this call goes round. */
static bool grade_limit(struct call *c)
{
	struct http *h = c->h;
	int64_t ms = limit_ms(c) + 100;
	bool wait = ms <= h->o.max_wait_ms && c->reads && c->waits < MAX_LIMIT_WAITS;

	h->pause_until = clock_mono() + ms > h->pause_until ? clock_mono() + ms : h->pause_until;
	h->retry_at = clock_now() + ms;
	c->not_before = clock_mono() + ms;
	c->waits++;
	if (wait) {
		c->tries--;
		return true;
	}
	c->sent = c->sent && c->status == 503;
	err_set(&c->failed, c->status == 503 ? ERR_OFFLINE : ERR_RATE_LIMITED, c->status == 503 ?
		"%s is not available just now (503), for about %lld s" : "%s wants fewer requests: try again in about %lld s",
		h->where, (long long)(ms + 999) / 1000);
	return false;
}

/* ---- failures on the way ---- */

static const char *verify_words(const struct call *c)
{
	static const struct { const char *in; const char *words; } table[] = {
		{ "subject name", "its certificate is for another name" },
		{ "does not match", "its certificate is for another name" },
		{ "expired", "its certificate has expired" },
		{ "not yet valid", "its certificate is not valid yet" },
		{ "self-signed", "its certificate is signed by itself, nobody known vouches for it" },
		{ "self signed", "its certificate is signed by itself, nobody known vouches for it" },
		{ "unable to get local issuer", "nobody known vouches for its certificate" },
		{ "revoked", "its certificate was revoked" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcasestr(c->errbuf, table[i].in))
			return table[i].words;
	return "its certificate is not good";
}

static const struct failure { CURLcode rc; const char *words; bool never_sent; } failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, "its name is not known (no network?)", true },
	{ CURLE_COULDNT_RESOLVE_PROXY, "the proxy's name is not known", true },
	{ CURLE_COULDNT_CONNECT, "it does not answer", true },
	{ CURLE_SSL_CONNECT_ERROR, "no safe connection comes about", true },
	{ CURLE_SSL_CACERT_BADFILE, "the file of certificates cannot be read", true },
	{ CURLE_SSL_CERTPROBLEM, "the user's certificate cannot be used", true },
	{ CURLE_PEER_FAILED_VERIFICATION, NULL, true },
	{ CURLE_OPERATION_TIMEDOUT, "it takes too long", false },
	{ CURLE_GOT_NOTHING, "it closed the connection without an answer", false },
	{ CURLE_RECV_ERROR, "the connection broke", false },
	{ CURLE_SEND_ERROR, "the connection broke", false },
	{ CURLE_HTTP2, "the connection broke", false },
	{ CURLE_HTTP2_STREAM, "the connection broke", false },
	{ CURLE_PARTIAL_FILE, "the answer was cut off", false },
	{ CURLE_UNSUPPORTED_PROTOCOL, "it is neither https nor http", true },
	{ CURLE_WEIRD_SERVER_REPLY, "it does not speak HTTP", false },
};

static const struct failure *failure_find(CURLcode rc)
{
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
		if (failures[i].rc == rc)
			return &failures[i];
	return NULL;
}

/* 0.5, 1, 2 s and a little by chance, so that many do not come back at once. */
static bool try_again(struct call *c)
{
	int64_t ms = (int64_t)c->h->o.backoff_ms << (c->tries - 1);

	/* What took too long once is given one more chance, not three. */
	if (!c->reads || c->tries >= (c->rc == CURLE_OPERATION_TIMEDOUT ? 2 : MAX_TRIES))
		return false;
	c->not_before = clock_mono() + ms + clock_mono_us() % (ms / 4 + 1);
	return true;
}

static bool grade_too_much(struct call *c)
{
	if (c->too_big)
		err_set(&c->failed, ERR_BAD_DATA, "%s: the answer is larger than %zu MiB", c->h->where, c->in.max >> 20);
	else if (c->bomb)
		err_set(&c->failed, ERR_BAD_DATA, "%s: the answer unpacks to far more than was sent", c->h->where);
	else if (c->too_many_headers)
		err_set(&c->failed, ERR_BAD_DATA, "%s: the answer has more than %d KiB of headers", c->h->where, HEADERS_MAX >> 10);
	return c->failed.code;
}

static bool grade_failure(struct call *c)
{
	const struct failure *f = failure_find(c->rc);
	bool cut = c->rc == CURLE_PARTIAL_FILE || (c->status >= 200 && c->status < 300 && c->in.len);

	c->sent = c->sent && !(f && f->never_sent);
	if (grade_too_much(c))
		return false;
	if (c->rc == CURLE_BAD_CONTENT_ENCODING)
		return err_set(&c->failed, ERR_BAD_DATA, "%s: the answer does not unpack", c->h->where) > 0;
	if (!(f && f->never_sent && f->rc != CURLE_COULDNT_CONNECT) && try_again(c))
		return true;
	if (cut && c->rc != CURLE_OPERATION_TIMEDOUT)
		err_set(&c->failed, ERR_BAD_DATA, "%s: the answer was cut off after %zu bytes", c->h->where, c->in.len);
	else
		err_set(&c->failed, ERR_OFFLINE, "%s cannot be reached: %s", c->h->where, c->rc == CURLE_PEER_FAILED_VERIFICATION ?
			verify_words(c) : f && f->words ? f->words : curl_easy_strerror(c->rc));
	return false;
}

/* ---- answers that are no success ---- */

static const struct { long status; enum err_code code; const char *fmt; bool maybe_done; } grades[] = {
	{ 401, ERR_AUTH, "%s does not accept the credential (%ld%s%s)", false },
	{ 403, ERR_AUTH, "%s does not let you (%ld%s%s)", false },
	{ 404, ERR_NOT_FOUND, "%s: there is no such thing, or it may not be seen (%ld%s%s)", false },
	{ 405, ERR_REFUSED, "%s does not do this (%ld%s%s)", false },
	{ 408, ERR_OFFLINE, "%s waited too long for us (%ld%s%s)", true },
	{ 409, ERR_CONFLICT, "%s: somebody else changed it (%ld%s%s)", false },
	{ 410, ERR_NOT_FOUND, "%s: it was deleted or turned off (%ld%s%s)", false },
	{ 412, ERR_CONFLICT, "%s: somebody else changed it (%ld%s%s)", false },
	{ 413, ERR_REFUSED, "%s: it is too long (%ld%s%s)", false },
	{ 422, ERR_REFUSED, "%s refuses this (%ld%s%s)", false },
	{ 423, ERR_AUTH, "%s does not let you (%ld%s%s)", false },   /* Gitea: archived */
	{ 425, ERR_OFFLINE, "%s is not ready (%ld%s%s)", true },
};

static void grade_words(struct call *c, enum err_code code, const char *fmt)
{
	struct buf words = BUF_INIT;

	error_words(c, &words);
	err_set(&c->failed, code, fmt, c->h->where, c->status, words.len ? " " : "", words.ptr);
	buf_release(&words);
}

static void grade_client(struct call *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(grades); i++) {
		if (grades[i].status != c->status)
			continue;
		c->sent = grades[i].maybe_done;
		if (c->status == 401 && !c->h->auth)
			grade_words(c, ERR_AUTH, "%s wants a credential (%ld%s%s)");
		else
			grade_words(c, grades[i].code, grades[i].fmt);
		return;
	}
	c->sent = false;
	grade_words(c, ERR_REFUSED, "%s refuses this (%ld%s%s)");
}

/* A write does not go after it: what is to be written where is the user's to say. */
static void grade_moved(struct call *c)
{
	const char *to = call_location(c);
	struct buf url = BUF_INIT, where = BUF_INIT;

	if (to)
		url_redact(&url, to);
	url.len = strcspn(url.ptr, "?#");   /* whatever stands there, it may be a secret */
	if (url.len)
		url.ptr[url.len] = '\0';
	add_words(&where, url.len ? url.ptr : "");
	buf_release(&url);
	c->sent = false;
	err_set(&c->failed, ERR_REFUSED, "%s says that it moved%s%s (%ld): 'killick source test' tells what it is called now", c->h->where,
		where.len ? " to " : "", where.ptr, c->status);
	buf_release(&where);
}

static bool grade_status(struct call *c)
{
	if (is_limit(c))
		return grade_limit(c);
	if (c->status >= 500) {
		if (try_again(c))
			return true;
		grade_words(c, ERR_OFFLINE, "%s is in trouble (%ld%s%s)");
	} else if (c->status >= 400) {
		if ((c->status == 408 || c->status == 425) && try_again(c))
			return true;
		grade_client(c);
	} else {
		grade_moved(c);
	}
	return false;
}

static void grade_not_modified(struct call *c)
{
	static const char *const kept[][2] = { { "link", "link" }, { "type", "content-type" } };

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		json_put_str(c->headers_in, kept[i][1], json_get_str(c->cached, kept[i][0]));
	buf_reset(&c->in);
	buf_addbuf(&c->in, &c->cached_body);
	c->status = 200;
	c->rc = CURLE_OK;
	c->fresh = false;
	c->h->count.not_modified++;
}

bool call_grade(struct call *c)
{
	if (c->rc != CURLE_OK)
		return grade_failure(c);
	if (c->status == 401)
		c->h->count.denied += c->h->auth != NULL;
	if (c->status == 304 && c->cached)
		grade_not_modified(c);
	if (c->status < 200 || c->status >= 300)
		return grade_status(c);
	c->h->count.accepted += c->h->auth != NULL;
	c->h->limit_steps = 0;
	return false;
}
