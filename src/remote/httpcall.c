/* SPDX-License-Identifier: MIT */
/*
 * One transfer, and the turn that runs several. A call waits until it may start (limits, gaps, the minute's budget, how many
 * run), runs on the multi handle, is graded when it ends, and goes round again if the grade says so. A write gets a connection of
 * its own: libcurl sends a request again by itself when a kept connection turns out to be dead before an answer came, and a
 * server may have acted on the first (lib/transfer.c, Curl_retry_request).
 */
#include "config.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "httpint.h"

enum { SIGN_MS = 5000, RATIO = 200, RATIO_FROM = 4 << 20 };

static bool is_write(const struct call *c)
{
	return !c->reads;
}

/* ---- what arrives ---- */

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct call *c = ctx;
	curl_off_t raw = 0;

	n *= size;
	buf_add(&c->in, p, n);
	c->too_big = c->in.over;
	curl_easy_getinfo(c->easy, CURLINFO_SIZE_DOWNLOAD_T, &raw);
	c->bomb = c->in.len > RATIO_FROM && raw > 0 && c->in.len / (size_t)raw > RATIO;
	c->h->count.bytes += n;
	return c->too_big || c->bomb ? CURL_WRITEFUNC_ERROR : n;
}

static void header_add(struct call *c, char *line, size_t n)
{
	char *colon = memchr(line, ':', n), *value;

	if (!colon)
		return;
	for (char *p = line; p < colon; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + ('a' - 'A')) : *p;
	*colon = '\0';
	value = colon + 1;
	while (value < line + n && (*value == ' ' || *value == '\t'))
		value++;
	json_put_strn(c->headers_in, line, value, (size_t)(line + n - value));
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct call *c = ctx;
	size_t len = n *= size;
	char *line;

	c->header_bytes += n;
	c->too_many_headers = c->header_bytes > HEADERS_MAX;
	if (c->too_many_headers)
		return 0;
	if (n > 5 && !strncmp(p, "HTTP/", 5))   /* a new answer: 100 and the like came before */
		json_object_clear(c->headers_in);
	while (len > 0 && strchr("\r\n \t", p[len - 1]))
		len--;
	line = xstrndup(p, len);
	header_add(c, line, strlen(line));
	free(line);
	return n;
}

/* ---- making a transfer ---- */

static void add_header(struct call *c, const char *line)
{
	struct curl_slist *more = curl_slist_append(c->headers, line);

	if (!more)
		BUG("out of memory for a header");
	c->headers = more;
}

static void add_cache_headers(struct call *c)
{
	static const char *const names[][2] = { { "etag", "If-None-Match" }, { "modified", "If-Modified-Since" } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *v = json_get_str(c->cached, names[i][0]);
		char *line = v ? xasprintf("%s: %s", names[i][1], v) : NULL;
		if (line && !strpbrk(line, "\r\n"))
			add_header(c, line);
		free(line);
	}
}

static void call_headers(struct call *c)
{
	for (size_t i = 0; c->h->o.headers[i]; i++)
		add_header(c, c->h->o.headers[i]);
	if (c->h->auth)
		add_header(c, c->h->auth);   /* every url of a call went through url_resolve: it is of this origin */
	if (c->body)
		add_header(c, "Content-Type: application/json");
	add_header(c, "Expect:");
	add_cache_headers(c);
}

#define SET(opt, value) curl_easy_setopt(c->easy, opt, value)

static void set_network(struct call *c)
{
	const struct http_options *o = &c->h->o;
	bool plain = !strcmp(c->h->origin.scheme, "http");

	SET(CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (o->ca_file)
		SET(CURLOPT_CAINFO, o->ca_file);
	if (o->ca_dir)
		SET(CURLOPT_CAPATH, o->ca_dir);
	if (o->cert)
		SET(CURLOPT_SSLCERT, o->cert);
	if (o->key)
		SET(CURLOPT_SSLKEY, o->key);
	if (o->proxy)
		SET(CURLOPT_PROXY, o->proxy);
	if (plain)   /* loopback, or a network that the user called trusted */
		SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	/* Without TLS there is nothing to agree on: all would wait for the first one's answer. */
	SET(CURLOPT_PIPEWAIT, is_write(c) || plain ? 0L : 1L);
	SET(CURLOPT_FRESH_CONNECT, is_write(c) ? 1L : 0L);
}

static void set_patience(struct call *c)
{
	const struct http_options *o = &c->h->o;

	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
	SET(CURLOPT_LOW_SPEED_LIMIT, 64L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)(o->stall_ms + 999) / 1000);
	SET(CURLOPT_TIMEOUT_MS, (long)o->stall_ms * 10);
}

static void set_request(struct call *c)
{
	SET(CURLOPT_URL, c->url);
	SET(CURLOPT_USERAGENT, "killick/" PACKAGE_VERSION);
	SET(CURLOPT_ACCEPT_ENCODING, "gzip");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_HTTPHEADER, c->headers);
	SET(CURLOPT_ERRORBUFFER, c->errbuf);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, c);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, c);
	SET(CURLOPT_PRIVATE, c);
	if (!strcmp(c->method, "GET"))
		return;
	SET(CURLOPT_CUSTOMREQUEST, c->method);
	if (!c->body && !strcmp(c->method, "DELETE"))
		return;
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDS, c->body ? c->body : "");
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body_len);
}
#undef SET

static void call_start(struct call *c)
{
	int64_t now = clock_mono();

	json_object_clear(c->headers_in);
	buf_reset(&c->in);
	c->in.over = c->too_big = c->bomb = c->too_many_headers = false;
	c->header_bytes = 0;
	c->errbuf[0] = '\0';
	c->status = 0;
	curl_slist_free_all(c->headers);
	c->headers = NULL;
	call_headers(c);
	c->easy = curl_easy_init();
	if (!c->easy)
		BUG("libcurl gives no handle");
	set_request(c);
	set_network(c);
	set_patience(c);
	c->running = true;
	c->tries++;
	c->started_us = clock_mono_us();
	c->h->running++;
	c->h->count.requests++;
	c->h->tokens -= 1;
	if (is_write(c))
		c->h->last_write = now;
	curl_multi_add_handle(c->h->multi, c->easy);
}

struct call *call_new(struct http *h, const char *method, char *url, const json_t *body, bool reads)
{
	struct call *c = xcalloc(1, sizeof(*c)), **at = &h->calls;
	struct buf b = BUF_INIT;

	*c = (struct call){ .h = h, .url = url, .method = method, .reads = reads, .fresh = true };
	buf_init(&c->in);
	buf_init(&c->cached_body);
	c->in.max = h->o.max_body;
	c->headers_in = json_object();
	if (body) {
		json_write(&b, body);
		c->body_len = b.len;
		c->body = buf_detach(&b);
	}
	while (*at)
		at = &(*at)->next;
	*at = c;
	return c;
}

static void call_stop(struct call *c)
{
	if (!c->easy)
		return;
	curl_multi_remove_handle(c->h->multi, c->easy);
	curl_easy_cleanup(c->easy);
	c->easy = NULL;
	c->h->running -= c->running;
	c->running = false;
}

void call_free(struct call *c)
{
	struct call **at = &c->h->calls;

	call_stop(c);
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	curl_slist_free_all(c->headers);
	json_decref(c->headers_in);
	json_decref(c->cached);
	buf_release(&c->cached_body);
	buf_release(&c->in);
	free(c->body);
	free(c->etag_path);
	free(c->url);
	free(c);
}

/* ---- running ---- */

/* When this call may start, on the monotonic clock. */
static int64_t start_time(struct http *h, const struct call *c, int64_t now)
{
	int64_t t = h->pause_until > c->not_before ? h->pause_until : c->not_before;

	if (is_write(c) && h->last_write && h->last_write + h->o.write_gap_ms > t)
		t = h->last_write + h->o.write_gap_ms;
	if (h->o.per_minute > 0) {
		double rate = h->o.per_minute / 60000.0;
		h->tokens += (double)(now - h->tokens_at) * rate;
		h->tokens = h->tokens > h->o.per_minute ? h->o.per_minute : h->tokens;
		h->tokens_at = now;
		if (h->tokens < 1 && now + (int64_t)((1 - h->tokens) / rate) > t)
			t = now + (int64_t)((1 - h->tokens) / rate) + 1;
	}
	return t;
}

/* Starts what may; returns in how many ms the next may, at most max. */
static int64_t calls_start(struct http *h, int64_t max)
{
	for (struct call *c = h->calls; c; c = c->next) {
		int64_t now = clock_mono(), t;

		if (c->done || c->running)
			continue;
		if (h->running >= h->o.max_parallel)
			return max;
		if (h->pause_until - now > h->o.max_wait_ms) {   /* met by another: this one does not sit it out either */
			err_set(&c->failed, ERR_RATE_LIMITED, "%s wants fewer requests: try again in about %lld s", h->where,
				(long long)(h->pause_until - now + 999) / 1000);
			c->done = true;
			continue;
		}
		t = start_time(h, c, now);
		if (t > now)
			return t - now < max ? t - now : max;
		call_start(c);
	}
	return max;
}

static void trace_call(const struct call *c)
{
	struct buf url = BUF_INIT;

	if (!trace_on("http"))
		return;
	url_redact(&url, c->url);
	trace("http", "%s %s %ld %zu bytes %lld ms%s%s", c->method, url.ptr, c->status, c->in.len,
	      (long long)(clock_mono_us() - c->started_us) / 1000, c->rc ? " " : "", c->rc ? curl_easy_strerror(c->rc) : "");
	buf_release(&url);
}

/* GET only, this origin only. true: the call goes round with the new address. */
static bool call_redirect(struct call *c)
{
	const char *to = call_location(c);
	char *url;

	if (!to || !c->reads || strcmp(c->method, "GET") != 0)
		return false;
	if (++c->redirects > MAX_REDIRECTS) {
		err_set(&c->failed, ERR_BAD_DATA, "%s leads on and on (%d redirects)", c->h->where, MAX_REDIRECTS);
		return false;
	}
	url = url_resolve(c->h, to, "where it sends us", &c->failed);
	if (!url)
		return false;
	free(c->url);
	c->url = url;
	c->tries = 0;
	return true;
}

static void call_end(struct call *c, CURLcode rc)
{
	long size = 0;
	double ready = 0;

	c->rc = rc;
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &c->status);
	curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &size);
	curl_easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME, &ready);
	c->sent = size > 0 || ready > 0;
	trace_call(c);
	call_stop(c);
	err_clear(&c->failed);
	c->done = !call_redirect(c);
	if (!c->done || c->failed.code)
		return;
	c->done = !call_grade(c);
	if (!c->done)
		c->h->count.retries++;
	else if (c->rc == CURLE_OK && c->status == 200)
		etag_save(c);
}

/* true: one ended. */
static bool calls_reap(struct http *h)
{
	CURLMsg *m;
	bool any = false;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left))) {
		CURLcode rc = m->data.result;
		char *c = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
		call_end((struct call *)(void *)c, rc);
		any = true;
	}
	return any;
}

static void cancel_all(struct http *h)
{
	h->cancelled = true;
	for (struct call *c = h->calls; c; c = c->next) {
		if (c->done)
			continue;
		c->sent = c->running;
		call_stop(c);
		err_set(&c->failed, ERR_CANCELLED, "whoever asked is gone");
		c->done = true;
	}
}

/* Whoever waits for us wants to hear now and then that there is a reason. */
static void sign_of_life(struct http *h)
{
	int64_t now = clock_mono();

	if (!h->o.waiting || now - h->last_sign < SIGN_MS)
		return;
	h->last_sign = now;
	h->o.waiting(h->o.ctx, h->pause_until > now ? h->pause_until - now : 0);
}

void calls_turn(struct http *h, int64_t wait_ms)
{
	int unwritten = h->o.unwritten ? h->o.unwritten(h->o.ctx) : -1;
	struct curl_waitfd fds[] = { { .fd = STDIN_FILENO }, { .fd = unwritten, .events = CURL_WAIT_POLLOUT } };
	bool in = h->o.cancelled_by_stdin, out = unwritten >= 0;
	struct pollfd gone = { .fd = STDIN_FILENO };
	int64_t wait = calls_start(h, wait_ms);
	int running;

	curl_multi_perform(h->multi, &running);
	/* What ended may be what the caller waits for, or make room for the next: nothing else would end the waiting. */
	if (calls_reap(h) || wait_ms == 0)
		return;
	sign_of_life(h);
	/* libcurl passes POLLHUP of a foreign descriptor as an end of waiting, but not on: so it is asked for again. */
	curl_multi_poll(h->multi, in ? fds : fds + 1, (unsigned)in + out, (int)wait, NULL);
	if (out)
		h->o.write(h->o.ctx);
	if (in && poll(&gone, 1, 0) > 0 && gone.revents & (POLLHUP | POLLERR | POLLNVAL))
		cancel_all(h);
}

void call_wait(struct call *c)
{
	if (c->h->cancelled)
		cancel_all(c->h);
	c->h->last_sign = clock_mono();
	while (!c->done) {
		calls_turn(c->h, 0);
		if (!c->done)
			calls_turn(c->h, 1000);
	}
}
