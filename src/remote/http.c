/* SPDX-License-Identifier: MIT */
/*
 * HTTP for adapters: opening, the credential's memory, and the four ways to ask. Order and bounds live here: a window of calls is
 * kept under way, and their answers are handed out in the order asked. libcurl's memory is wiped when it is freed, because
 * it copies headers, the token among them, into buffers of its own.
 */
#include "config.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "httpint.h"
#include "killick/base/hash.h"

enum { MAX_PAGES = 20000, BODY_MAX = 16 << 20, PUMP_US = 2000 };

/* ---- memory that is wiped ---- */

static void wipe_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *wipe_realloc(void *p, size_t n)
{
	size_t had = p ? malloc_usable_size(p) : 0;
	void *q;

	if (p && n && n <= had)
		return p;
	q = malloc(n);
	if (!q)
		return NULL;
	if (p)
		memcpy(q, p, had < n ? had : n);
	wipe_free(p);
	return q;
}

static char *wipe_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = malloc(n);

	return p ? memcpy(p, s, n) : NULL;
}

static void *wipe_malloc(size_t n)
{
	return malloc(n);
}

static void *wipe_calloc(size_t n, size_t size)
{
	return calloc(n, size);
}

/* ---- opening ---- */

static const char *const accept_json[] = { "Accept: application/json", NULL };

static void options_take(struct http *h, const struct http_options *o)
{
	const char **texts[] = { &h->o.base, &h->o.cache_dir, &h->o.ca_file, &h->o.ca_dir, &h->o.proxy, &h->o.cert, &h->o.key };

	h->o = *o;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		*texts[i] = arena_strdup(&h->arena, *texts[i]);
	h->o.headers = o->headers ? o->headers : accept_json;
	h->o.max_body = o->max_body ? o->max_body : BODY_MAX;
	h->o.max_parallel = o->max_parallel > 0 ? o->max_parallel : 4;
	h->o.stall_ms = o->stall_ms > 0 ? o->stall_ms : 30000;
	h->o.connect_ms = o->connect_ms > 0 ? o->connect_ms : 15000;
	h->o.backoff_ms = o->backoff_ms > 0 ? o->backoff_ms : 500;
}

static bool is_usual_port(const struct origin *o)
{
	return !strcmp(o->port, !strcmp(o->scheme, "https") ? "443" : "80");
}

int http_open(const struct http_options *o, struct http **out, struct err *e)
{
	struct http *h = xcalloc(1, sizeof(*h));

	curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free, wipe_realloc, wipe_strdup, wipe_calloc);
	options_take(h, o);
	if (origin_of(h->o.base, o->allow_http, &h->origin, e)) {
		http_close(h);
		return -1;
	}
	h->where = is_usual_port(&h->origin) ? arena_strdup(&h->arena, h->origin.host) :
		arena_printf(&h->arena, "%s:%s", h->origin.host, h->origin.port);
	h->tokens = h->o.per_minute;
	h->tokens_at = clock_mono();
	h->multi = curl_multi_init();
	if (!h->multi)
		BUG("libcurl gives no handle");
	curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)h->o.max_parallel + 1);
	*out = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	while (h->calls)
		call_free(h->calls);
	http_credential(h, NULL);
	if (h->multi)
		curl_multi_cleanup(h->multi);
	origin_release(&h->origin);
	arena_release(&h->arena);
	free(h);
	curl_global_cleanup();
}

void http_credential(struct http *h, const char *header)
{
	size_t n = header ? strlen(header) + 1 : 0, page = (size_t)sysconf(_SC_PAGESIZE);
	char *p;

	if (h->auth) {
		explicit_bzero(h->auth, h->auth_size);
		munmap(h->auth, h->auth_size);
		h->auth = NULL;
	}
	for (const char *c = header; c && *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return;
	if (!n || !*header)
		return;
	h->auth_size = (n + page - 1) / page * page;
	p = mmap(NULL, h->auth_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		BUG("no memory for a credential");
	/* Where the limit of locked memory is used up, it is still not dumped. */
	if (mlock(p, h->auth_size))
		trace("http", "a credential's memory is not locked");
	madvise(p, h->auth_size, MADV_DONTDUMP);
	h->auth = memcpy(p, header, n);
}

/* ---- answers ---- */

void http_answer_release(struct http_answer *a)
{
	if (!a)
		return;
	json_decref(a->owned);
	json_decref(a->headers);
	*a = (struct http_answer){ .total = -1 };
}

const char *http_header(const struct http_answer *a, const char *name)
{
	return json_get_str(a->headers, name);
}

/* The type must say JSON before a byte is believed: a login page in front answers 200 too. */
static int check_type(const struct call *c, struct err *e)
{
	const char *type = call_header(c, "content-type");

	if (type && strcasestr(type, "json"))
		return 0;
	return err_set(e, ERR_BAD_DATA, "%s answers with %s where JSON was asked for: is its address right, or a login page in "
		       "front?", c->h->where, type ? type : "something unnamed");
}

/* Go's servers say "null" for a list of nothing: Gitea of a note's reactions, for one. */
static bool is_null(const char *p, size_t n)
{
	while (n > 0 && strchr(" \t\r\n", p[n - 1]))
		n--;
	return n == 4 && !memcmp(p, "null", 4);
}

static json_t *parse_body(const struct call *c, bool *mended, struct err *e)
{
	bool slim = c->h->o.drop && !strcmp(c->method, "GET");
	struct err first = ERR_INIT;
	struct buf b = BUF_INIT;
	char what[256];
	json_t *j;

	if (is_null(c->in.ptr, c->in.len))
		return json_array();
	snprintf(what, sizeof(what), "%s: the answer", c->h->where);
	if (slim && json_slim(&b, c->in.ptr, c->in.len, c->h->o.drop))
		j = json_read(b.ptr, b.len, what, &first);
	else
		j = json_read(c->in.ptr, c->in.len, what, &first);
	buf_reset(&b);
	if (!j && json_mend(&b, c->in.ptr, c->in.len)) {
		j = json_read(b.ptr, b.len, what, &first);
		*mended = j != NULL;
	}
	buf_release(&b);
	if (!j)
		err_set(e, first.code, "%s", first.msg);
	return j;
}

/* A next page elsewhere (a server that does not know its own address says so) matters to whoever would follow it. */
static int answer_next(const struct call *c, struct http_answer *a, bool follows, struct err *e)
{
	const char *link = http_header(a, "link");
	char *to = link ? link_find(link, "next") : NULL, *last = link ? link_find(link, "last") : NULL, *url;

	a->last_page = last ? url_page(last) : 0;
	free(last);
	if (!to)
		return 0;
	url = url_resolve(c->h, to, "the next page", follows ? e : NULL);
	if (url)
		json_object_set_new(a->headers, "(next)", json_string(url));
	a->next = url ? http_header(a, "(next)") : NULL;
	free(to);
	free(url);
	return a->next || !follows ? 0 : -1;
}

static int64_t header_count(const struct http_answer *a, const char *name)
{
	const char *s = http_header(a, name);
	uint64_t n;

	return s && str_to_u64(s, INT64_MAX, &n) ? (int64_t)n : -1;
}

/* What a call that is done says; the call goes away. */
static int answer_make(struct call *c, struct http_answer *a, bool follows, struct err *e)
{
	int rc = -1;

	*a = (struct http_answer){ .total = -1 };
	if (c->failed.code) {
		err_set(e, c->failed.code, "%s", c->failed.msg);
		goto out;
	}
	a->headers = json_incref(c->headers_in);
	json_put_str(a->headers, "(url)", c->url);
	a->url = http_header(a, "(url)");
	a->status = c->status;
	a->fresh = c->fresh;
	a->date = http_date(http_header(a, "date"));
	a->total = header_count(a, "x-total-count");
	if (c->in.len && (check_type(c, e) || !(a->owned = parse_body(c, &a->mended, e))))
		goto out;
	a->json = a->owned;
	rc = answer_next(c, a, follows, e);
out:
	call_free(c);
	if (rc)
		http_answer_release(a);
	return rc;
}

/* ---- asking ---- */

static struct call *ask(struct http *h, const char *method, const char *path, const json_t *body, bool reads, struct err *e)
{
	char *url = url_resolve(h, path, "the address", e);

	return url ? call_new(h, method, url, body, reads) : NULL;
}

int http_get(struct http *h, struct http_answer *out, struct err *e, const char *path_fmt, ...)
{
	struct buf path = BUF_INIT;
	struct call *c;
	va_list ap;

	va_start(ap, path_fmt);
	buf_vaddf(&path, path_fmt, ap);
	va_end(ap);
	*out = (struct http_answer){ .total = -1 };
	c = ask(h, "GET", path.ptr, NULL, true, e);
	buf_release(&path);
	if (!c)
		return -1;
	call_remember(c);
	call_wait(c);
	return answer_make(c, out, false, e);
}

int http_query(struct http *h, const char *path, const json_t *body, struct http_answer *out, struct err *e)
{
	struct call *c = ask(h, "POST", path, body, true, e);

	*out = (struct http_answer){ .total = -1 };
	if (!c)
		return -1;
	call_wait(c);
	return answer_make(c, out, false, e);
}

int http_write(struct http *h, const char *method, const char *path, const json_t *body, struct http_answer *out,
    bool *sent, struct err *e)
{
	struct call *c = ask(h, method, path, body, false, e);

	*out = (struct http_answer){ .total = -1 };
	*sent = false;
	if (!c)
		return -1;
	call_wait(c);
	*sent = c->sent;
	return answer_make(c, out, false, e);
}

/* ---- many ---- */

/* Calls under way, oldest first. */
struct window { ARRAY(struct call *) calls; size_t head; };

static void window_add(struct window *w, struct call *c)
{
	*array_add(&w->calls) = c;
}

static size_t window_len(const struct window *w)
{
	return w->calls.len - w->head;
}

static struct call *window_take(struct window *w)
{
	struct call *c = w->calls.items[w->head++];

	if (w->head == w->calls.len)
		w->head = w->calls.len = 0;
	call_wait(c);
	return c;
}

static void window_release(struct window *w)
{
	while (window_len(w))
		call_free(w->calls.items[w->head++]);
	array_release(&w->calls);
}

static size_t window_size(const struct http *h)
{
	return (size_t)h->o.max_parallel * 2;
}

int http_each(struct http *h, const char *const *paths, const json_t *const *bodies, size_t n, http_each_fn *fn, void *ctx,
    struct err *e)
{
	struct window w = { ARRAY_INIT };
	int rc = 0;

	for (size_t started = 0, i = 0; !rc && i < n; i++) {
		struct http_answer a;
		struct err failed = ERR_INIT;

		while (!rc && started < n && window_len(&w) < window_size(h)) {
			struct call *c = ask(h, bodies ? "POST" : "GET", paths[started], bodies ? bodies[started] : NULL, true, e);
			if (!c) {
				rc = -1;
				break;
			}
			if (!bodies)
				call_remember(c);
			window_add(&w, c);
			started++;
		}
		if (rc)
			break;
		answer_make(window_take(&w), &a, false, &failed);
		calls_turn(h, 0);
		rc = fn(ctx, i, &a, failed.code ? &failed : NULL, e);
		http_answer_release(&a);
	}
	window_release(&w);
	return rc > 0 ? 0 : rc;
}

/* ---- pages ---- */

struct pages {
	struct http *h;
	struct window w;
	bool all;
	size_t done, max;
	char *last_url;          /* of the page handed out last */
	uint64_t last_hash;
	uint64_t from, to;       /* numbered pages not asked for yet; from 0: pages follow next */
	char *pattern;
};

static void pages_ask(struct pages *p, char *url)
{
	window_add(&p->w, call_new(p->h, "GET", url, NULL, true));
}

/* The pages behind the first have numbers, and the last one's is known: side by side. */
static void pages_number(struct pages *p, const struct http_answer *a)
{
	char *last = link_find(http_header(a, "link"), "last"), *url = last ? url_resolve(p->h, last, "the last page", NULL) : NULL;
	uint64_t here = url_page(a->url), next = url_page(a->next), end = url ? url_page(url) : 0;

	here = here ? here : 1;
	if (next == here + 1 && end > next) {
		char *same = url_with_page(a->next, end);
		if (!strcmp(same, url)) {
			p->from = next;
			p->to = end;
			p->pattern = xstrdup(a->next);
		}
		free(same);
	}
	free(url);
	free(last);
}

static void pages_fill(struct pages *p, const struct http_answer *a)
{
	if (!a->next) {   /* fewer than were told: what was asked for beyond is not wanted */
		window_release(&p->w);
		p->w = (struct window){ ARRAY_INIT };
		p->from = 0;
		return;
	}
	if (p->all && !p->from && !window_len(&p->w))
		pages_number(p, a);
	while (p->from && p->from <= p->to && window_len(&p->w) < window_size(p->h))
		pages_ask(p, url_with_page(p->pattern, p->from++));
	if (p->from && p->from > p->to) {   /* the rest, if pages came meanwhile, follows one by one */
		p->all = false;
		p->from = 0;
	}
	if (!window_len(&p->w) && !p->from)
		pages_ask(p, xstrdup(a->next));
}

static int pages_guard(struct pages *p, const struct http_answer *a, uint64_t hash, struct err *e)
{
	if (++p->done > p->max)
		return err_set(e, ERR_BAD_DATA, "%s: the list does not end (more than %zu pages)", p->h->where, p->max);
	if (a->next && (!strcmp(a->next, a->url) || (p->last_url && hash && hash == p->last_hash)))
		return err_set(e, ERR_BAD_DATA, "%s: the list does not end (the same page again and again)", p->h->where);
	free(p->last_url);
	p->last_url = xstrdup(a->url);
	p->last_hash = hash;
	return 0;
}

static int pages_one(struct pages *p, http_page_fn *fn, void *ctx, struct err *e)
{
	struct call *c = window_take(&p->w);
	uint64_t hash = p->all ? 0 : hash64(c->in.ptr, c->in.len);   /* numbered pages end by themselves */
	struct http_answer a;
	int rc;

	if (answer_make(c, &a, true, e))
		return -1;
	rc = pages_guard(p, &a, hash, e);
	if (!rc) {
		pages_fill(p, &a);
		calls_turn(p->h, 0);
		rc = fn(ctx, &a, e);
	}
	http_answer_release(&a);
	return rc;
}

/* Perhaps it is on its way already. */
static struct call *first_page(struct http *h, const char *path, struct err *e)
{
	char *url = url_resolve(h, path, "the address", e);
	struct call *c = h->calls;

	while (url && c && (!c->soon || strcmp(c->url, url)))
		c = c->next;
	if (url && !c) {
		c = call_new(h, "GET", xstrdup(url), NULL, true);
		call_remember(c);
	}
	if (c)
		c->soon = false;
	free(url);
	return c;
}

void http_pages_soon(struct http *h, const char *path)
{
	struct call *c = first_page(h, path, NULL);

	if (c)
		c->soon = true;
}

static int pages_run(struct http *h, const char *path, size_t max, bool all, http_page_fn *fn, void *ctx, struct err *e)
{
	struct pages p = { .h = h, .all = all, .max = max ? max : MAX_PAGES };
	struct call *c = first_page(h, path, e);
	int rc = 0;

	if (!c)
		return -1;
	window_add(&p.w, c);
	while (!rc && window_len(&p.w))
		rc = pages_one(&p, fn, ctx, e);
	window_release(&p.w);
	free(p.last_url);
	free(p.pattern);
	return rc > 0 ? 0 : rc;
}

int http_pages(struct http *h, const char *path, size_t max_pages, http_page_fn *fn, void *ctx, struct err *e)
{
	return pages_run(h, path, max_pages, false, fn, ctx, e);
}

int http_pages_all(struct http *h, const char *path, size_t max_pages, http_page_fn *fn, void *ctx, struct err *e)
{
	return pages_run(h, path, max_pages, true, fn, ctx, e);
}

/* ---- the rest ---- */

void http_escape(struct buf *b, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-._~", c))
			buf_addch(b, c);
		else
			buf_addf(b, "%%%02X", c);
	}
}

const char *http_escaped(struct arena *a, const char *s)
{
	struct buf b = BUF_INIT;
	const char *out;

	http_escape(&b, s);
	out = arena_memdup(a, b.ptr, b.len);
	buf_release(&b);
	return out;
}

void http_pump(struct http *h)
{
	int64_t now = h && h->running ? clock_mono_us() : 0;

	if (now - (h ? h->pumped_us : 0) < PUMP_US)
		return;
	h->pumped_us = now;
	calls_turn(h, 0);
}

int64_t http_retry_at(const struct http *h)
{
	return h->retry_at;
}

struct http_count http_counts(const struct http *h)
{
	return h->count;
}
