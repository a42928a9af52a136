/* SPDX-License-Identifier: MIT */
/*
 * What servers may answer: each adapter, with the whole of http.h under it, reads, looks, probes, writes and finds while the
 * answers of an honest server (adapters.json, recorded) are changed on their way: members of other types, null or missing,
 * numbers beyond all bounds, times that are none, lists that repeat themselves, answers of other questions, other statuses,
 * headers that lie. libcurl's transfers are replaced by ours; there is no network.
 *
 * The input is a tape: what is asked, how often an answer is changed, then how; behind its end it goes on by itself.
 *
 * What must hold: no crash, no endless asking, no unbounded memory; a failure has a code and words of one line; every line
 * that goes to killick is one that it takes; the cursor that a hostile pull left behind is one from which an honest pull
 * goes well, and that does not lie in the future; what a server said it did is never called unsent or refused; what no
 * server took is never called landed.
 */
#define CURL_DISABLE_TYPECHECK
#include "config.h"
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "fuzz.h"
#include "killick/base/file.h"
#include "remote/remote.h"

/* AddressSanitizer takes terabytes of addresses for itself; gcc and clang say so each in a way of its own. */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_SHADOW
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SHADOW
#endif
#endif

enum { KINDS = 3, ASKED_MAX = 30000, REPEAT = 300 };

/* ---- the tape ---- */

static struct { const uint8_t *p; size_t n, at; uint64_t state; } tape;

static void tape_set(const uint8_t *p, size_t n)
{
	tape.p = p;
	tape.n = n;
	tape.at = 0;
	tape.state = 0x9e3779b97f4a7c15u;
	for (size_t i = 0; i < n; i++)
		tape.state = (tape.state ^ p[i]) * 0x100000001b3u;
	tape.state |= 1;
}

static unsigned draw_byte(void)
{
	if (tape.at < tape.n)
		return tape.p[tape.at++];
	tape.state ^= tape.state << 13;
	tape.state ^= tape.state >> 7;
	tape.state ^= tape.state << 17;
	return (unsigned)(tape.state >> 24 & 0xff);
}

static size_t draw(size_t below)
{
	size_t v = draw_byte();

	if (below > 256)
		v = v << 8 | draw_byte();
	return below ? v % below : 0;
}

/* ---- the honest server ---- */

struct server {
	const char *kind;
	json_t *doc;                 /* its part of adapters.json */
	const json_t *bodies;
	const json_t *first;         /* exchanges that belong to what is asked just now, in order; or NULL */
	size_t used;
};

/* What happens in a run. */
static struct {
	struct server servers[KINDS], *server;
	unsigned rate;               /* of 256 answers so many are changed */
	size_t asked, acted;         /* requests; writes that were said to be done */
	bool clock_lies;             /* every answer is of the year 9999 */
	bool future;                 /* somebody asked for what changed since a time to come */
} run;

static bool same_path(const char *a, const char *b, bool query, bool numbers)
{
	for (; *a && *b; a++, b++) {
		if (!query && *a == '?' && *b == '?')
			return true;
		if (numbers && strchr("0123456789", *a) && strchr("0123456789", *b)) {
			a += strspn(a, "0123456789abcdef") - 1;
			b += strspn(b, "0123456789abcdef") - 1;
		} else if (*a != *b) {
			return false;
		}
	}
	return query ? !*a && !*b : (!*a || *a == '?') && (!*b || *b == '?');
}

static bool same_query(const json_t *x, const char *query)
{
	const char *q = json_get_str(x, "q");

	return !q || (query && !strncmp(q, query, strlen(q)));
}

static const json_t *find_in(const json_t *list, size_t from, const char *method, const char *path, const char *query, int loose)
{
	for (size_t i = from; i < json_array_size(list); i++) {
		const json_t *x = json_array_get(list, i);
		if (!strcmp(json_get_str(x, "m"), method) && same_query(x, query) &&
		    same_path(path, json_get_str(x, "p"), loose == 0, loose == 2)) {
			if (list == run.server->first)
				run.server->used = i + 1;
			return x;
		}
	}
	return NULL;
}

static const json_t *exchange_find(const char *method, const char *path, const char *query)
{
	const json_t *x = find_in(run.server->first, run.server->used, method, path, query, 0);

	for (int loose = 0; !x && loose < 3; loose++) {
		x = find_in(run.server->first, 0, method, path, query, loose);
		if (!x)
			x = find_in(json_get_arr(run.server->doc, "answers"), 0, method, path, query, loose);
	}
	return x;
}

/* A page that nobody recorded is behind the last one: empty. */
static bool is_beyond(const char *path)
{
	const char *page = strstr(path, "page=");

	while (page && page[-1] != '?' && page[-1] != '&')
		page = strstr(page + 1, "page=");
	return (page && strcmp(page, "page=1") && strncmp(page, "page=1&", 7)) ||
		(strstr(path, "offset=") && !strstr(path, "offset=0"));
}

static json_t *emptied(const json_t *body)
{
	json_t *out = json_is_array(body) ? json_array() : json_copy((json_t *)(uintptr_t)body), *v;
	const char *key;

	json_object_foreach(out, key, v)
		if (json_is_array(v))
			json_object_set_new(out, key, json_array());
	return out;
}

/* ---- answers, and how they are changed ---- */

struct answer { long status; json_t *headers, *body; struct buf text; };

/* In the place of a member; what begins with '=' is written as it stands, which no tree can hold. */
static const char *const instead[] = {
	"null", "true", "false", "0", "-1", "1", "9223372036854775807", "-9223372036854775808", "0.5", "1e300", "\"\"", "\"x\"",
	"\"../../../etc/passwd\"", "\"-\"", "\"2026-13-45T99:99:99Z\"", "\"0001-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59Z\"",
	"\"2026-03-01\"", "\"12\"", "\"99999999999999999999\"", "\"https://forge.example/repos/acme/widget/issues/0\"",
	"\"https://forge.example/repos/acme/widget/pulls/99999999999\"", "\"a\\u001b[2Jb\\u009b\\u202ec\\nd\"", "\"<!-- killick:"
	"00000000000000000000000000000001 -->\"", "[]", "{}", "[null]", "[[]]", "[0]", "[\"x\"]", "[{}]", "{\"id\":1}",
	"=9223372036854775808", "=123456789012345678901234567890", "=1e999", "=\"\\u0000\"", "=\"\\ud800\"", "=\"\xff\xfe\"", "=nul",
	"={\"a\":1,\"a\":2}",
};

static json_t *nested(void)
{
	json_t *j = json_array();

	for (int i = 0; i < 80; i++) {
		json_t *outer = json_array();
		json_array_append_new(outer, j);
		j = outer;
	}
	return j;
}

static json_t *long_text(void)
{
	struct buf b = BUF_INIT;
	json_t *j;

	for (size_t i = 0, n = draw(256) * 300; i < n; i++)
		buf_addch(&b, "aZ /\n@#-<>`*_.:"[i % 15]);
	j = json_stringn(b.ptr, b.len);
	buf_release(&b);
	return j;
}

static size_t nodes(const json_t *j)
{
	size_t n = 1;
	const json_t *v;
	const char *key;

	for (size_t i = 0; i < json_array_size(j); i++)
		n += nodes(json_array_get(j, i));
	json_object_foreach((json_t *)(uintptr_t)j, key, v)
		n += nodes(v);
	return n;
}

static json_t *node_at(json_t *j, size_t *k)
{
	json_t *v, *got = NULL;
	const char *key;

	if ((*k)-- == 0)
		return j;
	for (size_t i = 0; !got && i < json_array_size(j); i++)
		got = node_at(json_array_get(j, i), k);
	json_object_foreach(j, key, v)
		if (!got)
			got = node_at(v, k);
	return got;
}

static json_t *other_body(void)
{
	const json_t *bodies = run.servers[draw(8) ? (size_t)(run.server - run.servers) : draw(KINDS)].bodies;

	return json_deep_copy(json_array_get(bodies, draw(json_array_size(bodies))));
}

static json_t *new_value(json_t *body)
{
	size_t what = draw(ARRAY_SIZE(instead) + 6), k;
	const char *s = what < ARRAY_SIZE(instead) ? instead[what] : NULL;
	json_t *other, *got;

	if (s && *s == '=')   /* a mark that the text gets this for: a tree cannot hold it */
		return json_sprintf("@%zu@", what);
	if (s)
		return json_loads(s, JSON_DECODE_ANY, NULL);
	switch (what - ARRAY_SIZE(instead)) {
	case 0:
		return nested();
	case 1:
		return long_text();
	case 2:
		other = other_body();
		k = draw(nodes(other));
		got = json_deep_copy(node_at(other, &k));
		json_decref(other);
		return got;
	default:
		k = draw(nodes(body));
		return json_deep_copy(node_at(body, &k));
	}
}

/* One member or item is another, is gone, or comes again and again. */
static void change_member(json_t *body)
{
	size_t k = draw(nodes(body)), at, i = 0, copies;
	json_t *in = node_at(body, &k), *v;
	const char *key;

	if (json_is_array(in) && json_array_size(in)) {
		at = draw(json_array_size(in));
		copies = draw(16) ? 1 : REPEAT;
		switch (draw(3)) {
		case 0:
			json_array_set_new(in, at, new_value(body));
			break;
		case 1:
			json_array_remove(in, at);
			break;
		default:
			while (copies--)
				json_array_append_new(in, json_deep_copy(json_array_get(in, at)));
		}
		return;
	}
	at = draw(json_object_size(in));
	json_object_foreach(in, key, v) {
		if (i++ != at)
			continue;
		if (draw(5) == 0)
			json_object_del(in, key);
		else
			json_object_set_new(in, key, new_value(body));
		return;
	}
}

static void change_text(struct buf *b)
{
	size_t at = draw(b->len ? b->len : 1);

	switch (draw(5)) {
	case 0:
		buf_setlen(b, at);
		break;
	case 1:
		if (b->len)
			b->ptr[at] = (char)draw_byte();
		break;
	case 2:
		buf_reset(b);
		break;
	case 3:
		buf_reset(b);
		buf_addstr(b, draw(2) ? "<html>sorry</html>" : "null");
		break;
	default:
		buf_addstr(b, draw(2) ? "}" : "\n[]");
	}
}

static const struct { const char *name, *value; } odd_headers[] = {
	{ "link", "<https://forge.example%s>; rel=\"next\"" }, { "link", "<https://evil.example/x>; rel=\"next\"" },
	{ "link", "<https://forge.example/repos/acme/widget/issues?page=2>; rel=\"next\", "
	  "<https://forge.example/repos/acme/widget/issues?page=18446744073709551615>; rel=\"last\"" },
	{ "link", "<https://forge.example%s&page=2>; rel=\"next\", <https://forge.example%s&page=9>; rel=\"last\"" },
	{ "link", "<<>>;;;rel=next" }, { "link", "" },
	{ "x-total-count", "9223372036854775807" }, { "x-total-count", "-5" }, { "x-total-count", "500" }, { "x-total-count", "1" },
	{ "x-total-count", "x" }, { "date", "Fri, 31 Dec 9999 23:59:59 GMT" }, { "date", "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ "date", "yesterday" }, { "content-type", "text/html" }, { "content-type", "" }, { "retry-after", "99999999999999999999" },
	{ "retry-after", "-1" }, { "x-ratelimit-remaining", "0" }, { "x-ratelimit-reset", "99999999999999999999" },
	{ "location", "https://evil.example/" }, { "location", "https://forge.example%s" }, { "x-oauth-scopes", ",,, ,repo2," },
	{ "x-github-sso", "required; url=https://evil.example/\x1b[2J" },
};
static const long statuses[] = { 200, 201, 202, 204, 205, 206, 301, 302, 307, 304, 400, 401, 403, 404, 405, 409, 410, 412, 422, 429, 500,
	502, 503, 504, 599 };

static void change_header(struct answer *a, const char *path)
{
	size_t i = draw(ARRAY_SIZE(odd_headers));
	struct buf v = BUF_INIT;

	for (const char *p = odd_headers[i].value; *p; p++) {
		if (*p == '%' && p[1] == 's') {
			buf_addstr(&v, path);
			p++;
		} else {
			buf_addch(&v, *p);
		}
	}
	json_object_set_new(a->headers, odd_headers[i].name, json_string(v.ptr));
	buf_release(&v);
}

static void put_raw(struct buf *b, const char *from)
{
	for (const char *p = from, *at; *p; p = at) {
		at = strstr(p, "\"@");
		if (!at) {
			buf_addstr(b, p);
			return;
		}
		buf_add(b, p, (size_t)(at - p));
		char *end;
		size_t i = strtoul(at + 2, &end, 10);
		if (end > at + 2 && str_starts(end, "@\"") && i < ARRAY_SIZE(instead)) {
			buf_addstr(b, instead[i] + 1);
			at = end + 2;
		} else {
			buf_addch(b, *at++);
		}
	}
}

static void answer_text(struct answer *a)
{
	char *s = a->body ? json_dumps(a->body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	buf_init(&a->text);
	if (s)
		put_raw(&a->text, s);
	free(s);
}

static void answer_change(struct answer *a, const char *path)
{
	size_t what = draw(12);

	if (what < 7)
		for (size_t k = draw(4) + 1; k && a->body; k--)
			change_member(a->body);
	if (what == 7) {
		json_decref(a->body);
		a->body = draw(3) ? other_body() : new_value(a->body);
	}
	if (what == 8 || (what == 9 && draw(2)))
		a->status = statuses[draw(ARRAY_SIZE(statuses))];
	if (what == 9 || what == 10)
		change_header(a, path);
	answer_text(a);
	if (what == 11)
		change_text(&a->text);
}

/* Does it make something that others see? Of the steps of GitHub's reviews only what sends them does. */
static bool is_change(const char *method, const char *path, const char *query, const char *fields)
{
	if (strcmp(method, "POST") && strcmp(method, "PUT") && strcmp(method, "PATCH"))
		return false;
	if (strcmp(run.server->kind, "github") != 0)
		return true;
	return query ? str_starts(query, "mutation") && !strstr(query, "addPullRequestReview") :
		!str_ends(path, "/reviews") || strstr(fields, "\"event\"");
}

/* Time that a request counts from: "since=2026-…", ">=2026-…". */
static void look_for_future(const char *path)
{
	const char *p = strstr(path, "since=");

	p = p ? p + 6 : strstr(path, "%3E%3D") ? strstr(path, "%3E%3D") + 6 : NULL;
	if (p && strcmp(p, "2027-06") > 0 && strspn(p, "0123456789") >= 4)
		run.future = true;
}

static void answer_make(struct answer *a, const char *method, const char *path, const char *query, const char *fields)
{
	const json_t *x = exchange_find(method, path, query), *b = json_object_get(x, "b");

	*a = (struct answer){ .status = x ? (long)json_get_int(x, "s", 200) : 404, .headers = json_object() };
	json_object_update(a->headers, json_get_obj(x, "h"));
	if (!x)
		json_put_str(a->headers, "content-type", "application/json");
	a->body = b ? json_deep_copy(json_array_get(run.server->bodies, (size_t)json_integer_value(b))) :
		x ? NULL : json_pack("{ss}", "message", "Not Found");
	if (x && a->body && is_beyond(path) && !find_in(json_get_arr(run.server->doc, "answers"), 0, method, path, query, 0)) {
		json_t *none = emptied(a->body);
		json_decref(a->body);
		a->body = none;
		json_object_del(a->headers, "link");
	}
	if (run.clock_lies)
		json_put_str(a->headers, "date", "Fri, 31 Dec 9999 23:59:59 GMT");
	if (draw_byte() < run.rate)
		answer_change(a, path);
	else
		answer_text(a);
	if (is_change(method, path, query, fields) && a->status >= 200 && a->status < 300)
		run.acted++;
}

static void answer_free(struct answer *a)
{
	json_decref(a->headers);
	json_decref(a->body);
	buf_release(&a->text);
}

/* ---- libcurl ---- */

typedef size_t take_fn(char *p, size_t size, size_t n, void *ctx);
struct fake {
	struct fake *next;
	const char *url, *method, *fields;
	take_fn *body, *header;
	void *body_ctx, *header_ctx, *private_;
	long status;
	bool multi, done;
	CURLMsg msg;
};
static struct fake *fakes;

CURLcode curl_global_init_mem(long flags UNUSED, curl_malloc_callback m UNUSED, curl_free_callback f UNUSED, curl_realloc_callback r UNUSED,
    curl_strdup_callback s UNUSED, curl_calloc_callback c UNUSED)
{
	return CURLE_OK;
}

void curl_global_cleanup(void)
{
}

CURL *curl_easy_init(void)
{
	return xcalloc(1, sizeof(struct fake));
}

void curl_easy_cleanup(CURL *easy)
{
	free(easy);
}

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	struct fake *f = easy;
	va_list ap;

	va_start(ap, option);
	switch ((int)option) {
	case CURLOPT_URL:
		f->url = va_arg(ap, const char *);
		break;
	case CURLOPT_CUSTOMREQUEST:
		f->method = va_arg(ap, const char *);
		break;
	case CURLOPT_POSTFIELDS:
		f->fields = va_arg(ap, const char *);
		break;
	case CURLOPT_WRITEFUNCTION:
		f->body = va_arg(ap, take_fn *);
		break;
	case CURLOPT_WRITEDATA:
		f->body_ctx = va_arg(ap, void *);
		break;
	case CURLOPT_HEADERFUNCTION:
		f->header = va_arg(ap, take_fn *);
		break;
	case CURLOPT_HEADERDATA:
		f->header_ctx = va_arg(ap, void *);
		break;
	case CURLOPT_PRIVATE:
		f->private_ = va_arg(ap, void *);
		break;
	}
	va_end(ap);
	return CURLE_OK;
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	struct fake *f = easy;
	va_list ap;

	va_start(ap, info);
	switch ((int)info) {
	case CURLINFO_PRIVATE:
		*va_arg(ap, void **) = f->private_;
		break;
	case CURLINFO_RESPONSE_CODE:
		*va_arg(ap, long *) = f->status;
		break;
	case CURLINFO_REQUEST_SIZE:
		*va_arg(ap, long *) = 1;
		break;
	case CURLINFO_PRETRANSFER_TIME:
		*va_arg(ap, double *) = 1;
		break;
	case CURLINFO_SIZE_DOWNLOAD_T:
		*va_arg(ap, curl_off_t *) = 1 << 20;
		break;
	}
	va_end(ap);
	return CURLE_OK;
}

CURLM *curl_multi_init(void)
{
	return &fakes;
}

CURLMcode curl_multi_cleanup(CURLM *m UNUSED)
{
	return CURLM_OK;
}

CURLMcode curl_multi_setopt(CURLM *m UNUSED, CURLMoption option UNUSED, ...)
{
	return CURLM_OK;
}

CURLMcode curl_multi_add_handle(CURLM *m UNUSED, CURL *easy)
{
	struct fake *f = easy, **at = &fakes;

	while (*at)
		at = &(*at)->next;
	*at = f;
	f->next = NULL;
	f->multi = true;
	return CURLM_OK;
}

CURLMcode curl_multi_remove_handle(CURLM *m UNUSED, CURL *easy)
{
	for (struct fake **at = &fakes; *at; at = &(*at)->next)
		if (*at == easy) {
			*at = (*at)->next;
			break;
		}
	return CURLM_OK;
}

static void put_header(struct fake *f, const char *name, const char *value)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s: %s\r\n", name, value);
	f->header(b.ptr, 1, b.len, f->header_ctx);
	buf_release(&b);
}

static CURLcode serve(struct fake *f)
{
	const char *method = f->method ? f->method : "GET", *path = strstr(f->url, "://") + 3, *query = NULL, *key;
	json_t *asked = NULL, *v;
	struct answer a;
	CURLcode rc = CURLE_OK;

	FUZZ_CHECK(!strncmp(path, "forge.example/", 14));   /* never to anybody else */
	path = strchr(path, '/');
	run.asked++;
	FUZZ_CHECK(run.asked < ASKED_MAX);
	look_for_future(path);
	if (str_ends(path, "graphql")) {
		asked = json_loads(f->fields ? f->fields : "", 0, NULL);
		query = json_get_str(asked, "query");
	}
	answer_make(&a, method, path, query, f->fields ? f->fields : "");
	f->status = a.status;
	put_header(f, "HTTP/2 200", "");
	json_object_foreach(a.headers, key, v)
		put_header(f, key, json_string_value(v));
	if (a.text.len && a.status != 204 && a.status != 304 && f->body(a.text.ptr, 1, a.text.len, f->body_ctx) != a.text.len)
		rc = CURLE_WRITE_ERROR;
	if (run.rate && draw_byte() == 0 && draw_byte() < run.rate)
		rc = draw(2) ? CURLE_RECV_ERROR : CURLE_PARTIAL_FILE;
	answer_free(&a);
	json_decref(asked);
	return rc;
}

CURLMcode curl_multi_perform(CURLM *m UNUSED, int *running)
{
	for (struct fake *f = fakes; f; f = f->next)
		if (!f->done) {
			f->msg = (CURLMsg){ .msg = CURLMSG_DONE, .easy_handle = f, .data.result = serve(f) };
			f->done = true;
		}
	*running = 0;
	return CURLM_OK;
}

CURLMsg *curl_multi_info_read(CURLM *m UNUSED, int *left)
{
	*left = 0;
	for (struct fake *f = fakes; f; f = f->next)
		if (f->done && f->msg.msg == CURLMSG_DONE) {
			CURLMsg *got = &f->msg;
			static CURLMsg out;
			out = *got;
			f->msg.msg = CURLMSG_NONE;
			return &out;
		}
	return NULL;
}

CURLMcode curl_multi_poll(CURLM *m UNUSED, struct curl_waitfd *fds UNUSED, unsigned n UNUSED, int ms UNUSED, int *got UNUSED)
{
	return CURLM_OK;
}

/* ---- killick-remote, as it is ---- */

static int out_fd = -1, real_out = -1;

static void load(void)
{
	static const char *const kinds[KINDS] = { "github", "gitea", "redmine" };
	const char *src = getenv("KILLICK_TEST_SRC");
	struct buf text = BUF_INIT, path = BUF_INIT;
	struct err e = ERR_INIT;
	json_t *doc;

	buf_addf(&path, "%s/tests/fuzz/adapters.json", src ? src : ".");
	if (file_read(path.ptr, 0, &text, &e) || !(doc = json_read(text.ptr, text.len, path.ptr, &e)))
		BUG("%s", e.msg);
	for (size_t i = 0; i < KINDS; i++) {
		struct server *s = &run.servers[i];
		s->kind = kinds[i];
		s->doc = json_incref(json_get_obj(doc, kinds[i]));
		s->bodies = json_get_arr(s->doc, "bodies");
	}
	json_decref(doc);
	buf_release(&text);
	buf_release(&path);
#ifndef HAS_SHADOW
	setrlimit(RLIMIT_AS, &(struct rlimit){ (rlim_t)1 << 30, (rlim_t)1 << 30 });
#endif
	out_fd = memfd_create("out", MFD_CLOEXEC);
	real_out = dup(STDOUT_FILENO);
	FUZZ_CHECK(out_fd >= 0 && real_out >= 0);
}

static void remote_start(struct remote *r, bool sniffing, bool token)
{
	const json_t *src = json_get_obj(run.server->doc, "source");
	struct err e = ERR_INIT;

	*r = (struct remote){ .in = BUF_INIT, .out = BUF_INIT, .tried = BUF_INIT };
	if (source_desc_parse(&r->life, src, &r->src, &e))
		BUG("%s", e.msg);
	r->ad = adapter_find(run.server->kind);
	if (token)
		r->cred.secret = arena_strdup(&r->life, "t");
	struct http_options o = { .base = sniffing ? "https://forge.example/" : r->src.api };
	o.headers = r->ad->headers;
	if (r->ad->manners)
		r->ad->manners(&r->src, &o);
	o.backoff_ms = 1;
	o.write_gap_ms = o.per_minute = o.max_wait_ms = 0;
	if (http_open(&o, &r->http, &e))
		BUG("%s", e.msg);
	if (sniffing)
		r->src.web = arena_printf(&r->life, "https://forge.example/%s", !strcmp(run.server->kind, "redmine") ? "projects/demo" : r->src.project);
	FUZZ_CHECK(!ftruncate(out_fd, 0) && !lseek(out_fd, 0, SEEK_SET));
	dup2(out_fd, STDOUT_FILENO);
}

/* Every line is one that killick takes. *cursor: the last page's, a new string. How many records? */
static size_t check_lines(struct remote *r, char **cursor)
{
	struct arena a = ARENA_INIT;
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	char chunk[65536];
	size_t records = 0;
	ssize_t n;

	FUZZ_CHECK(!lseek(out_fd, 0, SEEK_SET));
	while ((n = read(out_fd, chunk, sizeof(chunk))) > 0)
		buf_add(&text, chunk, (size_t)n);
	buf_addbuf(&text, &r->out);
	for (char *p = text.ptr, *end; (end = strchr(p, '\n')); p = end + 1) {
		json_t *j = json_read(p, (size_t)(end - p), "a line", &e);
		struct record rec;
		if (!j)
			BUG("%s: %.*s", e.msg, (int)(end - p), p);
		records += json_object_get(j, "record") != NULL;
		if (json_object_get(j, "record") && record_parse(&a, p, (size_t)(end - p), &rec, &e))
			BUG("%s: %.*s", e.msg, (int)(end - p), p);
		if (json_get_str(j, "page")) {
			free(*cursor);
			*cursor = xstrdup(json_get_str(j, "page"));
		}
		json_decref(j);
	}
	buf_release(&text);
	arena_release(&a);
	return records;
}

static size_t remote_end(struct remote *r, char **cursor)
{
	char *mine = NULL;
	size_t records;

	dup2(real_out, STDOUT_FILENO);
	records = check_lines(r, cursor ? cursor : &mine);
	free(mine);
	http_close(r->http);
	FUZZ_CHECK(!fakes);
	arena_release(&r->arena);
	arena_release(&r->keep);
	arena_release(&r->life);
	buf_release(&r->out);
	buf_release(&r->in);
	buf_release(&r->tried);
	return records;
}

static void check_failure(int rc, const struct err *e)
{
	if (!rc)
		return;
	FUZZ_CHECK(e->code && e->msg[0]);
	for (const char *p = e->msg; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			BUG("no line of words: %s", e->msg);
}

/* Goes on from there, among honest people; *cursor moves on. How many records came? */
static size_t honest_pull(char **cursor)
{
	struct err e = ERR_INIT;
	struct remote r;

	run.rate = 0;
	run.clock_lies = false;
	run.asked = 0;
	run.future = false;
	remote_start(&r, false, true);
	if (r.ad->pull(&r, *cursor, false, &e))
		BUG("an honest pull from %s: %s", *cursor, e.msg);
	return remote_end(&r, cursor);
}

/* A cursor in the future is seen through, once. */
static void check_cursor(char **cursor)
{
	char *was = xstrdup(*cursor);

	if (!honest_pull(cursor) && run.future)
		BUG("the cursor %s hides everything that comes", was);
	honest_pull(cursor);
	if (run.future)
		BUG("the cursor %s comes of %s, and lies in the future", *cursor, was);
	free(was);
}

static void try_pull(bool full)
{
	const char *from = full || draw(2) ? json_get_str(run.server->doc, "cursor") : "";
	char *cursor = NULL;
	struct err e = ERR_INIT;
	struct remote r;
	int rc;

	remote_start(&r, false, draw(8) != 0);
	rc = r.ad->pull(&r, from, full, &e);
	check_failure(rc, &e);
	FUZZ_CHECK(!rc || run.rate);
	remote_end(&r, &cursor);
	if (cursor)
		check_cursor(&cursor);
	free(cursor);
}

static void try_look(void)
{
	static const char *const tasks[] = { "2", "1", "7", "99999999999", "x" };
	struct err e = ERR_INIT;
	struct remote r;

	remote_start(&r, false, true);
	check_failure(r.ad->look(&r, tasks[draw(8) ? draw(2) : draw(ARRAY_SIZE(tasks))], &e), &e);
	remote_end(&r, NULL);
}

static void try_probe(void)
{
	struct remote_probe p = { .version = NULL };
	struct err e = ERR_INIT;
	struct remote r;

	remote_start(&r, false, draw(4) != 0);
	check_failure(r.ad->probe(&r, &p, &e), &e);
	remote_end(&r, NULL);
}

static void try_sniff(void)
{
	struct source_desc out = { .name = NULL };
	struct err e = ERR_INIT;
	struct remote r;
	int rc;

	remote_start(&r, true, false);
	rc = r.ad->sniff(&r, &out, &e);
	check_failure(rc, &e);
	FUZZ_CHECK(rc || (str_starts(out.api, "https://forge.example/") && out.project));
	remote_end(&r, NULL);
}

static void check_outcome(struct remote *r, const struct wire_op *op, const struct wire_outcome *o, bool pushed)
{
	bool makes = !wire_verb_idempotent(op->verb), redmine = r->ad == adapter_find("redmine");
	json_t *j = wire_outcome_json(o);
	struct wire_outcome back;
	struct err e = ERR_INIT;

	if (wire_outcome_parse(&r->life, j, &back, &e))
		BUG("%s", e.msg);
	json_decref(j);
	FUZZ_CHECK(o->is == WIRE_LANDED || o->is == WIRE_ABSENT || (o->message && *o->message));
	if (!pushed || !makes || redmine)   /* Redmine says 204 to what it does not do: what it did is read there */
		return;
	if (run.acted && o->is != WIRE_LANDED && o->is != WIRE_UNKNOWN)
		BUG("%s was done, and is told as %d: %s", wire_verb_name(op->verb), (int)o->is, o->message ? o->message : "");
	FUZZ_CHECK(run.acted || o->is != WIRE_LANDED);
}

static bool is_told(const json_t *x, const struct wire_outcome *o)
{
	json_t *j = wire_outcome_json(o);
	bool same = !strcmp(json_get_str(j, "is"), json_get_str(x, "is"));

	json_decref(j);
	return same;
}

static void try_send(size_t step)
{
	static const char *const steps[] = { "mark", "push", "find" };
	const json_t *ops = json_get_arr(run.server->doc, "ops"), *x = json_array_get(ops, draw(json_array_size(ops)));
	struct wire_outcome o = { .is = WIRE_UNKNOWN };
	struct err e = ERR_INIT, failed = ERR_INIT;
	struct wire_op op;
	struct remote r;
	const char *mark = "";

	remote_start(&r, false, true);
	if (wire_op_parse(&r.life, json_get_obj(x, "op"), &op, &e))
		BUG("%s", e.msg);
	run.server->first = json_get_arr(x, steps[step]);
	run.server->used = 0;
	if (step == 0) {
		check_failure(r.ad->mark(&r, &op, &mark, &e), &e);
	} else if (step == 1) {
		if (r.ad->push(&r, &op, &o, &failed)) {
			check_failure(-1, &failed);
			remote_outcome(&r, false, &failed, &o);
		}
		check_outcome(&r, &op, &o, true);
		if (!run.rate && !is_told(x, &o))
			BUG("an honest %s: %d %s", wire_verb_name(op.verb), (int)o.is, o.message ? o.message : "");
	} else {
		int rc = r.ad->find(&r, &op, &o, &e);
		check_failure(rc, &e);
		if (!rc)
			check_outcome(&r, &op, &o, false);
	}
	run.server->first = NULL;
	remote_end(&r, NULL);
}

static void try_one(size_t what)
{
	static const size_t step[] = { 0, 1, 1, 1, 2 };

	switch (what) {
	case 0:
	case 1:
	case 2:
		try_pull(what == 2);
		break;
	case 3:
		try_look();
		break;
	case 4:
		try_probe();
		break;
	case 5:
		try_sniff();
		break;
	default:
		try_send(step[what - 6]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (out_fd < 0)
		load();
	tape_set(data, n);
	run.server = &run.servers[draw(KINDS)];
	run.asked = run.acted = 0;
	run.future = false;
	size_t what = draw(11);
	run.rate = (unsigned)draw(4) * 40;
	run.clock_lies = draw(16) == 0;
	try_one(what);
	return 0;
}
