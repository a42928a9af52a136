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
 *   a core dump.
 * - Bodies are capped after decoding (max_body, 32 MiB), JSON is read by base/json.h with depth 64; not-JSON with 200, a
 *   truncated body or a wrong content type is ERR_BAD_DATA and says which.
 * - GETs are repeated up to 3 times with backoff on 5xx, resets and timeouts; nothing else is ever repeated. Limits
 *   (429, 403 that is one, Retry-After in both forms, reset headers) pause everything of this (host, credential): up to
 *   max_wait_ms is waited out, beyond that ERR_RATE_LIMITED and retry_at. Writes are at least write_gap_ms apart.
 * - Answers to GET are remembered by ETag or Last-Modified (a cache file per source): 304 gives the old body again.
 * - A stall (under 1 byte/s for 30 s), DNS, connect and TLS failures are ERR_OFFLINE in plain words.
 * - KILLICK_TRACE=http: a line a request: method, URL without query secrets, status, bytes, ms. Tokens never.
 */
#ifndef KILLICK_REMOTE_HTTP_H
#define KILLICK_REMOTE_HTTP_H

#include "killick/base/json.h"

struct http;
struct http_auth;    /* cred.h */

struct http_options {
	const char *base;            /* "https://api.github.com/": its origin is the only one ever spoken to */
	const char *const *headers;  /* sent with every request, "Accept: …"; NULL-terminated */
	const char *cache_dir;       /* for ETags, NULL: none */
	size_t max_body;             /* 0: 32 MiB */
	int max_parallel;            /* fan-out, 0: 4 */
	int write_gap_ms, max_wait_ms;
	bool cancelled_by_stdin;     /* the parent is gone: stop */
};
int http_open(const struct http_options *o, struct http **out, struct err *e);
void http_close(struct http *h);
/* header: "Authorization: Bearer …", kept in locked memory, wiped on close. NULL: none. */
void http_credential(struct http *h, const char *header);

struct http_answer {
	long status;
	const json_t *json;          /* owned by the answer; NULL for an empty body (204, 304 never shows) */
	const char *next;            /* of the Link header, checked to be of this origin; NULL: the last page */
	int64_t date;                /* the server's Date, 0: none */
	int64_t total;               /* X-Total-Count and the like, -1 */
	bool fresh;                  /* false: 304, the same as before */
	json_t *owned; char *text; size_t text_len; json_t *headers;
};
void http_answer_release(struct http_answer *a);
const char *http_header(const struct http_answer *a, const char *name);

/* path is relative to base or absolute of the same origin. 2xx or a graded error; ERR_NOT_FOUND for 404 and 410. */
int http_get(struct http *h, struct http_answer *out, struct err *e, const char *path_fmt, ...) PRINTF_LIKE(4, 5);
/* What happened to a write: *sent is false when it is certain that the server did not act on it. */
int http_write(struct http *h, const char *method, const char *path, const json_t *body, struct http_answer *out,
    bool *sent, struct err *e);
/*
 * Pages: fetches path and follows next, the next page being on its way while fn works on this one. fn returns non-zero to
 * stop (1: enough, without error; -1: e is set). At most max_pages (0: 100,000): endless paging is ERR_BAD_DATA.
 */
int http_pages(struct http *h, const char *path, size_t max_pages, int (*fn)(void *ctx, struct http_answer *page,
    struct err *e), void *ctx, struct err *e);
/* Many GETs, answers in the order asked, several on their way. fn's err_code tells a single failure (NOT_FOUND). */
int http_each(struct http *h, const char *const *paths, size_t n, int (*fn)(void *ctx, size_t i, struct http_answer *a,
    const struct err *failed, struct err *e), void *ctx, struct err *e);

/* A path segment or query value, percent-encoded, added to b. */
void http_escape(struct buf *b, const char *s);
int64_t http_retry_at(const struct http *h);   /* of the last ERR_RATE_LIMITED or ERR_OFFLINE with Retry-After, 0 */
struct http_count { uint64_t requests, not_modified, bytes, retries; };
struct http_count http_counts(const struct http *h);

#endif
