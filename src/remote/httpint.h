/* SPDX-License-Identifier: MIT */
/* Inside http: what its files share. No other file of src/remote includes libcurl. */
#ifndef KILLICK_SRC_REMOTE_HTTPINT_H
#define KILLICK_SRC_REMOTE_HTTPINT_H

#include <curl/curl.h>
#include "killick/base/clock.h"
#include "killick/remote/http.h"

enum { MAX_TRIES = 4, MAX_REDIRECTS = 5, MAX_LIMIT_WAITS = 20, HEADERS_MAX = 128 << 10 };

/* One request from its making to its answer. */
struct call {
	struct call *next;            /* in http's list of those that run or wait */
	bool soon;                    /* asked for before anybody wants it */
	struct http *h;
	char *url, *etag_path;        /* etag_path: its file in the cache, NULL: not remembered */
	const char *method;
	bool reads;                   /* may be repeated */
	char *body; size_t body_len;
	CURL *easy;
	struct curl_slist *headers;
	char errbuf[CURL_ERROR_SIZE];
	struct buf in;
	json_t *headers_in;
	size_t header_bytes;
	bool too_big, bomb, too_many_headers;
	json_t *cached; struct buf cached_body;
	CURLcode rc;
	long status;
	bool running, done;
	int tries, redirects, waits;
	int64_t not_before, started_us;
	bool sent;                    /* the server may have acted on it */
	struct err failed;            /* code 0: 2xx */
	bool fresh;
};

struct origin { char *scheme, *host, *port; };

struct http {
	struct http_options o;        /* strings are ours */
	struct arena arena;
	struct origin origin;
	const char *where;            /* "api.github.com" or "127.0.0.1:8080": for messages */
	CURLM *multi;
	struct call *calls;
	int running;
	char *auth; size_t auth_size; /* locked; NULL: none */
	int64_t pause_until, last_write;   /* monotonic */
	double tokens; int64_t tokens_at;
	int limit_steps;              /* limits without a time in a row */
	int64_t retry_at, last_sign, pumped_us;
	struct http_count count;
	bool cancelled;
};

/* httpurl.c: addresses. */
int origin_of(const char *url, bool allow_http, struct origin *out, struct err *e);
void origin_release(struct origin *o);
/* path made absolute; ERR_REFUSED when it is not of h's origin, in words about `what` ("the next page"). A new string. */
char *url_resolve(const struct http *h, const char *path, const char *what, struct err *e);
/* The address without secrets in its query, for the trace and messages; added to b. */
void url_redact(struct buf *b, const char *url);
/* The target with this rel in a Link header (RFC 8288), a new string or NULL. */
char *link_find(const char *header, const char *rel);
/* The number of the query's "page", 0: none. And the address with another number; a new string. */
uint64_t url_page(const char *url);
char *url_with_page(const char *url, uint64_t page);

/* httpcall.c: one transfer. */
struct call *call_new(struct http *h, const char *method, char *url /* taken */, const json_t *body, bool reads);
void call_free(struct call *c);
void call_remember(struct call *c);   /* by ETag */
/* Starts and advances what may run, until c is done. */
void call_wait(struct call *c);
void calls_turn(struct http *h, int64_t wait_ms);

/* httpgrade.c: what an answer means. Sets c->failed and c->sent; true: it is to be tried once more, at c->not_before. */
bool call_grade(struct call *c);
const char *call_header(const struct call *c, const char *name);
/* Where a 3xx leads, NULL: nowhere. */
const char *call_location(const struct call *c);
int64_t http_date(const char *s);     /* 0: none */

/* httpcache.c: bodies by ETag. */
void etag_save(const struct call *c);

/* httpmend.c: bytes that only just are not JSON; false: nothing was mended. */
bool json_mend(struct buf *out, const char *p, size_t n);

/* httpslim.c: without the members whose keys are to be dropped, added to out; false: it does not work out. */
bool json_slim(struct buf *out, const char *p, size_t n, bool (*drop)(const char *key, size_t len));

#endif
