/* SPDX-License-Identifier: MIT */
/*
 * HTTP for adapters: straight-line calls outside, curl multi inside (prefetch of pages, fan-out of many GETs, in order and
 * bounded). One struct http is one (origin, credential). What it promises, with the facts of trust.md section 2 and
 * rest-apis.md 1.3, 1.6:
 *
 * - https only; http where the host is loopback or the user's own configuration says so. TLS 1.2 up, names and
 *   certificates always checked. No automatic redirects: own rule, GET only, same origin, at most 5; a redirect to
 *   another origin is ERR_REFUSED and carries nothing there. `next` links elsewhere likewise.
 * - The token goes into one header, for this origin only. It is never in argv, a child's environment, a trace, a message or
 *   a core dump, and what libcurl frees is wiped.
 * - Bodies are capped after decoding (max_body, 16 MiB, and 200 times what was sent), JSON is read by base/json.h with
 *   depth 64; not-JSON with 200, a truncated body or a wrong content type is ERR_BAD_DATA and says which. Where a page is not
 *   sound JSON only for bytes that are not UTF-8, U+0000, half a surrogate pair or numbers beyond 64 bits, these are mended
 *   (U+FFFD; the number as a string), so that one odd comment does not hide a hundred others.
 * - GETs are repeated up to 3 times with backoff on 5xx, resets and timeouts; nothing else is ever repeated, not even by
 *   libcurl (it would re-send a POST when a kept connection turns out dead: writes always take a new one). Limits
 *   (429, 403 that is one, Retry-After in both forms, reset headers) pause everything of this (host, credential): up to
 *   max_wait_ms is waited out, beyond that ERR_RATE_LIMITED and retry_at. Writes are at least write_gap_ms apart.
 * - Answers to GET are remembered by ETag or Last-Modified (files in cache_dir): 304 gives the old body again.
 * - A stall (under 64 bytes/s for stall_ms), DNS, connect and TLS failures are ERR_OFFLINE in plain words.
 * - KILLICK_TRACE=http: a line a request: method, URL without query secrets, status, bytes, ms. Tokens never.
 */
#ifndef KILLICK_REMOTE_HTTP_H
#define KILLICK_REMOTE_HTTP_H

#include "killick/base/json.h"

struct http;

struct http_options {
	const char *base;            /* "https://api.github.com/": its origin is the only one ever spoken to */
	const char *const *headers;  /* sent with every request; NULL-terminated; NULL: "Accept: application/json" */
	const char *cache_dir;       /* for ETags, NULL: none */
	const char *ca_file, *ca_dir, *proxy;   /* the user's own; NULL: the system's, the environment's */
	const char *cert, *key;      /* of the user, NULL: none */
	size_t max_body;             /* 0: 16 MiB */
	int max_parallel;            /* fan-out, 0: 4 */
	int per_minute;              /* requests, in bursts up to that; 0: as many as there are */
	int write_gap_ms;            /* 0: none */
	int max_wait_ms;             /* for a limit, 0: not at all */
	int stall_ms, connect_ms, backoff_ms;   /* 0: 30 s, 15 s, 500 ms */
	/* Members of answers to GET that nobody reads, cut out before parsing (half of the time of a first pull): by key, with
	 * whatever they hold. NULL: none. */
	bool (*drop)(const char *key, size_t len);
	/* Called about every 5 s while nothing but waiting is done: for a limit that lasts another ms, or (0) for an answer. */
	void (*waiting)(void *ctx, int64_t ms);
	/* What the caller has to write goes on meanwhile: the descriptor it goes to, -1: nothing has to; and who writes it, called
	 * when that may take something. NULL: nothing ever has to. */
	int (*unwritten)(void *ctx);
	void (*write)(void *ctx);
	void *ctx;                   /* of these three */
	bool allow_http;             /* the user said so; loopback is always allowed */
	bool cancelled_by_stdin;     /* the parent is gone: stop */
};
/* ERR_USAGE for a base that is no address, has a name or password in it, or is not https. */
int http_open(const struct http_options *o, struct http **out, struct err *e);
void http_close(struct http *h);
/* header: "Authorization: Bearer …", kept in locked memory, wiped on close and when replaced. NULL: none. What has a control
 * character in it is not taken. */
void http_credential(struct http *h, const char *header);

struct http_answer {
	long status;
	const json_t *json;          /* owned by the answer; NULL for an empty body (204, 304 never shows) */
	const char *url;             /* what answered, after redirects: another path than asked for is another thing */
	const char *next;            /* of the Link header; NULL: the last page, or one that is of another origin */
	int64_t date;                /* the server's Date, 0: none */
	int64_t total;               /* X-Total-Count, -1 */
	uint64_t last_page;          /* the number of the last page, as the Link header has it; 0: not told */
	bool fresh;                  /* false: 304, the same as before */
	bool mended;                 /* something in it was not sound JSON */
	json_t *owned, *headers;
};
void http_answer_release(struct http_answer *a);
/* The last one of that name; NULL: none. */
const char *http_header(const struct http_answer *a, const char *name);

/* path is relative to base or absolute of the same origin. 2xx or a graded error; ERR_NOT_FOUND for 404 and 410. */
int http_get(struct http *h, struct http_answer *out, struct err *e, const char *path_fmt, ...) PRINTF_LIKE(4, 5);
/* What happened to a write: *sent is false when it is certain that the server did not act on it. body may be NULL. */
int http_write(struct http *h, const char *method, const char *path, const json_t *body, struct http_answer *out,
    bool *sent, struct err *e);
/* A POST that only asks (GraphQL): repeated as a GET is. */
int http_query(struct http *h, const char *path, const json_t *body, struct http_answer *out, struct err *e);

/* Something a page's or answer's reader returns: 0 go on, 1 enough (no error), -1 e is set. */
typedef int http_page_fn(void *ctx, struct http_answer *page, struct err *e);
/*
 * Pages: fetches path and follows next, the next page being on its way while fn works on this one. At most max_pages
 * (0: 20,000): endless paging is ERR_BAD_DATA, and so is a next page that is the same again.
 */
int http_pages(struct http *h, const char *path, size_t max_pages, http_page_fn *fn, void *ctx, struct err *e);
/* The same when every page is wanted: where the Link header numbers the last one, pages are fetched side by side. fn still
 * gets them in order. For lists that do not move while they are read. */
int http_pages_all(struct http *h, const char *path, size_t max_pages, http_page_fn *fn, void *ctx, struct err *e);

/* A list that http_pages_all will be asked for next: its first page is on its way from now on. */
void http_pages_soon(struct http *h, const char *path);

/* Many GETs (or queries, where bodies is not NULL: POSTed to paths[i]), answers in the order asked, several on their way. A
 * request that failed comes with `failed`, and its answer is empty: fn says whether that ends everything. */
typedef int http_each_fn(void *ctx, size_t i, struct http_answer *a, const struct err *failed, struct err *e);
int http_each(struct http *h, const char *const *paths, const json_t *const *bodies, size_t n, http_each_fn *fn, void *ctx,
    struct err *e);

/* A path segment or query value, percent-encoded: added to b, or in the arena. */
void http_escape(struct buf *b, const char *s);
const char *http_escaped(struct arena *a, const char *s);
/* Lets transfers go on while the caller is busy for long; never waits. Cheap to call often. */
void http_pump(struct http *h);
int64_t http_retry_at(const struct http *h);   /* of the last ERR_RATE_LIMITED or ERR_OFFLINE with Retry-After, 0 */
struct http_count { uint64_t requests, not_modified, bytes, retries, accepted /* 2xx with the credential */, denied /* 401 */; };
struct http_count http_counts(const struct http *h);

#endif
