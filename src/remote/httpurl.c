/* SPDX-License-Identifier: MIT */
/*
 * Addresses, taken apart by libcurl's own parser, so that what is checked is what is connected to. An origin is scheme, host
 * and port; two are the same when all three are, letters folded; whatever else looks alike (a dot at the end, another spelling of
 * an address) is another one: refused is better than told a token. Names and passwords in an address are never taken.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "httpint.h"

static char *part(CURLU *u, CURLUPart what, unsigned flags)
{
	char *s = NULL, *mine;

	if (curl_url_get(u, what, &s, flags) != CURLUE_OK || !s)
		return NULL;
	mine = xstrdup(s);
	curl_free(s);
	return mine;
}

static bool has_part(CURLU *u, CURLUPart what)
{
	char *s = part(u, what, 0);
	bool has = s != NULL;

	free(s);
	return has;
}

void origin_release(struct origin *o)
{
	free(o->scheme);
	free(o->host);
	free(o->port);
	*o = (struct origin){ .host = NULL };
}

static bool is_loopback(const char *host)
{
	size_t n = strlen(host);

	return !strcasecmp(host, "localhost") || (n > 10 && !strcasecmp(host + n - 10, ".localhost")) ||
		!strcmp(host, "[::1]") || !strcmp(host, "::1") ||
		(!strncmp(host, "127.", 4) && strspn(host, "0123456789.") == n);
}

static int origin_check(const char *url, bool allow_http, const struct origin *o, struct err *e)
{
	if (!o->scheme || !o->host || !*o->host)
		return err_set(e, ERR_USAGE, "'%s' is not a web address", url);
	if (strcmp(o->scheme, "https") && strcmp(o->scheme, "http"))
		return err_set(e, ERR_USAGE, "'%s' is neither https nor http", url);
	if (!strcmp(o->scheme, "http") && !allow_http && !is_loopback(o->host))
		return err_set(e, ERR_USAGE, "'%s' is not https: what is sent there could be read and changed on the way", url);
	return 0;
}

static int origin_from(CURLU *u, const char *url, bool allow_http, struct origin *out, struct err *e)
{
	if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
		return err_set(e, ERR_USAGE, "an address with a name or password in it is not taken");
	*out = (struct origin){
		.scheme = part(u, CURLUPART_SCHEME, 0), .host = part(u, CURLUPART_HOST, 0),
		.port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT),
	};
	if (!origin_check(url, allow_http, out, e))
		return 0;
	origin_release(out);
	return -1;
}

int origin_of(const char *url, bool allow_http, struct origin *out, struct err *e)
{
	CURLU *u = curl_url();
	int rc;

	if (curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER) != CURLUE_OK)
		rc = err_set(e, ERR_USAGE, strchr(url, '@') ? "an address with a name or password in it is not taken" :
			     "'%s' is not a web address", url);
	else
		rc = origin_from(u, url, allow_http, out, e);
	curl_url_cleanup(u);
	return rc;
}

static bool same(const char *a, const char *b)
{
	return a && b && !strcasecmp(a, b);
}

static bool is_clean(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

char *url_resolve(const struct http *h, const char *path, const char *what, struct err *e)
{
	CURLU *u = curl_url();
	struct origin o = { .host = NULL };
	char *url = NULL;
	bool ours;

	ours = is_clean(path) && curl_url_set(u, CURLUPART_URL, h->o.base, 0) == CURLUE_OK &&
		curl_url_set(u, CURLUPART_URL, path, 0) == CURLUE_OK &&
		!origin_from(u, path, h->o.allow_http, &o, NULL) && same(o.scheme, h->origin.scheme) &&
		same(o.host, h->origin.host) && same(o.port, h->origin.port);
	if (ours)
		url = part(u, CURLUPART_URL, 0);
	else
		err_set(e, ERR_REFUSED, "%s: %s is on another host, '%.*s': killick does not go there", h->where, what,
			(int)strcspn(path, "?#"), path);
	origin_release(&o);
	curl_url_cleanup(u);
	return url;
}

static bool is_secret(const char *name, size_t n)
{
	static const char *const names[] = { "token", "key", "secret", "password", "auth", "sig", "code" };
	char low[64];
	size_t k = n < sizeof(low) ? n : sizeof(low) - 1;

	memcpy(low, name, k);
	low[k] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasestr(low, names[i]))
			return true;
	return false;
}

void url_redact(struct buf *b, const char *url)
{
	size_t n = strcspn(url, "?");

	buf_add(b, url, n);
	url += n;
	while (*url) {
		size_t name;

		buf_addch(b, *url++);
		n = strcspn(url, "&");
		name = strcspn(url, "=");
		if (name < n && is_secret(url, name)) {
			buf_add(b, url, name + 1);
			buf_addstr(b, "…");
		} else {
			buf_add(b, url, n);
		}
		url += n;
	}
}

/* Is rel among the words of a link's parameters? */
static bool has_rel(const char *p, const char *end, const char *rel)
{
	size_t n = strlen(rel);

	while (p < end && (p = memchr(p, 'r', (size_t)(end - p)))) {
		if ((size_t)(end - p) > 4 && !strncmp(p, "rel=", 4)) {
			p += 4;
			p += *p == '"';
			return (size_t)(end - p) >= n && !strncmp(p, rel, n) && (p + n == end || strchr("\" ;,", p[n]));
		}
		p++;
	}
	return false;
}

char *link_find(const char *header, const char *rel)
{
	const char *p = header, *open, *close, *end;

	while (p && (open = strchr(p, '<')) && (close = strchr(open, '>'))) {
		end = strchr(close, '<');
		end = end ? end : close + strlen(close);
		if (has_rel(close, end, rel))
			return xstrndup(open + 1, (size_t)(close - open) - 1);
		p = close;
	}
	return NULL;
}

/* The value of the query's "page", or NULL. */
static const char *page_at(const char *url)
{
	for (const char *p = strchr(url, '?'); p; p = strchr(p + 1, '&'))
		if (!strncmp(p + 1, "page=", 5))
			return p + 6;
	return NULL;
}

uint64_t url_page(const char *url)
{
	const char *p = page_at(url);
	char num[24];
	uint64_t n;
	size_t len = p ? strspn(p, "0123456789") : 0;

	if (!len || len >= sizeof(num) || (p[len] && p[len] != '&'))
		return 0;
	memcpy(num, p, len);
	num[len] = '\0';
	return str_to_u64(num, UINT32_MAX, &n) ? n : 0;
}

char *url_with_page(const char *url, uint64_t page)
{
	const char *p = page_at(url);

	if (!p)
		return xasprintf("%s%cpage=%llu", url, strchr(url, '?') ? '&' : '?', (unsigned long long)page);
	return xasprintf("%.*s%llu%s", (int)(p - url), url, (unsigned long long)page, p + strspn(p, "0123456789"));
}
