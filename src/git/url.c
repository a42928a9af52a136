/* SPDX-License-Identifier: MIT */
/*
 * Remote URLs (git-clone(1), "GIT URLS") and percent-encoding. Strict: what has control bytes, no host or no project is no
 * URL of a forge, and a host is compared whole, so that "github.com.example" or "github.com@example" are what they are.
 */
#include "config.h"
#include <ctype.h>
#include "url.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *url_decode(struct arena *a, const char *p, size_t n)
{
	char *out = arena_alloc(a, n + 1), *to = out;

	for (size_t i = 0; i < n; i++) {
		int hi, lo;

		if (p[i] == '%' && i + 2 < n && (hi = hex_value(p[i + 1])) >= 0 && (lo = hex_value(p[i + 2])) >= 0) {
			if (!hi && !lo)
				return NULL;   /* a NUL is in no path */
			*to++ = (char)(hi << 4 | lo);
			i += 2;
		} else {
			*to++ = p[i];
		}
	}
	*to = 0;
	return out;
}

void url_encode(struct buf *b, const char *path)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (isalnum(c) || strchr("/-._~", c))
			buf_addch(b, c);
		else
			buf_addf(b, "%%%02X", c);
	}
}

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return true;
	return false;
}

/* Lower case, without the dot of the root; NULL where it is no host's name or address. */
static const char *clean_host(struct arena *a, const char *p, size_t n)
{
	char *h;

	if (n && p[n - 1] == '.')
		n--;
	if (!n || n > 253 || *p == '-')
		return NULL;
	h = arena_memdup(a, p, n);
	for (char *c = h; *c; c++) {
		*c = (char)tolower((unsigned char)*c);
		if (!isalnum((unsigned char)*c) && !strchr("-._:[]", *c) && (unsigned char)*c < 0x80)
			return NULL;
	}
	return h;
}

static uint16_t default_port(const char *scheme)
{
	static const struct { const char *scheme; uint16_t port; } defaults[] = {
		{ "https", 443 }, { "git+https", 443 }, { "http", 80 }, { "ssh", 22 }, { "git", 9418 }, { "ftp", 21 }, { "ftps", 990 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (!strcmp(scheme, defaults[i].scheme))
			return defaults[i].port;
	return 0;
}

/* "user:pw@host:port", n bytes. */
static bool parse_authority(struct arena *a, const char *p, size_t n, struct url *out)
{
	const char *end = p + n, *host = p, *colon;
	uint64_t port;

	for (const char *c = p; c < end; c++)
		if (*c == '@')
			host = c + 1;   /* the last one: everything before it is user and password */
	colon = host;
	if (host < end && *host == '[') {
		colon = memchr(host, ']', (size_t)(end - host));
		if (!colon)
			return false;
	}
	colon = memchr(colon, ':', (size_t)(end - colon));
	out->host = clean_host(a, host, (size_t)((colon ? colon : end) - host));
	if (!out->host)
		return false;
	if (colon && colon + 1 < end) {
		if (!str_to_u64(arena_memdup(a, colon + 1, (size_t)(end - colon) - 1), UINT16_MAX, &port))
			return false;
		out->port = port == default_port(out->scheme) ? 0 : (uint16_t)port;
	}
	return true;
}

bool url_parse(struct arena *a, const char *text, struct url *out)
{
	const char *sep = strstr(text, "://"), *rest;
	size_t n;
	char *scheme;

	*out = (struct url){ .query = NULL };
	if (!sep || sep == text || has_control(text) || strlen(text) > URL_MAX)
		return false;
	scheme = arena_memdup(a, text, (size_t)(sep - text));
	for (char *c = scheme; *c; c++) {
		*c = (char)tolower((unsigned char)*c);
		if (!isalnum((unsigned char)*c) && !strchr("+-.", *c))
			return false;
	}
	out->scheme = scheme;
	rest = sep + 3;
	n = strcspn(rest, "/?#");
	if (memchr(rest, '\\', n) || !parse_authority(a, rest, n, out))
		return false;
	rest += n;
	n = strcspn(rest, "?#");
	out->path = arena_memdup(a, rest, n);
	rest += n;
	if (*rest == '?') {
		n = strcspn(rest, "#");
		out->query = arena_memdup(a, rest + 1, n - 1);
		rest += n;
	}
	out->fragment = *rest == '#' ? arena_strdup(a, rest + 1) : NULL;
	return true;
}

/* "acme/widget" of "/acme/widget.git/"; NULL where nothing is left, or it climbs. */
static const char *clean_project(struct arena *a, const char *path, size_t n)
{
	char *p = url_decode(a, path, n), *end;

	if (!p || has_control(p) || strchr(p, '\\'))
		return NULL;
	p += strspn(p, "/");
	if (*p == '~' && strchr(p, '/')) {
		p = strchr(p, '/');   /* ssh://host/~ana/x.git: below her home */
		p += strspn(p, "/");
	}
	for (end = p + strlen(p); end > p && end[-1] == '/'; end--)
		;
	*end = 0;
	if (end - p > 4 && !strcmp(end - 4, ".git"))
		end[-4] = 0;
	for (char *c = p; c; c = strchr(c, '/')) {
		c += *c == '/';
		if (!strncmp(c, "../", 3) || !strcmp(c, "..") || *c == '/')
			return NULL;
	}
	return *p ? p : NULL;
}

/* In brackets: an IPv6 address (kept so) or "host:port". *authority is what the URL form would say. */
static const char *bracketed(struct arena *a, const char *host, size_t *n)
{
	const char *close = strchr(host, ']');
	const char *inner;

	if (!close || close[1] != ':')
		return NULL;
	*n = (size_t)(close - host) + 1;
	inner = arena_memdup(a, host + 1, *n - 2);
	return strchr(inner, ':') == strrchr(inner, ':') ? inner : arena_memdup(a, host, *n);
}

/* "git@host:acme/widget.git", "host:x", "[host:2222]:x", "[::1]:x": a colon before any slash (git's connect.c). */
static bool parse_scp(struct arena *a, const char *text, struct remote_url *out)
{
	const char *host = text, *at = memchr(text, '@', strcspn(text, "/:[")), *authority;
	struct url u = { .scheme = "ssh" };
	size_t n;

	if (at)
		host = at + 1;
	n = strcspn(host, ":/");
	authority = *host == '[' ? bracketed(a, host, &n) : arena_memdup(a, host, n);
	if (!authority || host[n] != ':' || !n)
		return false;
	if (n == 1 && !at && host[2] == '/')
		return false;   /* "C:/x": a drive of Windows */
	if (host[n + 1] == ':')
		return false;   /* "ext::…": a remote helper, never a place */
	if (!parse_authority(a, authority, strlen(authority), &u))
		return false;
	*out = (struct remote_url){ "ssh", u.host, clean_project(a, host + n + 1, strlen(host + n + 1)), u.port };
	return out->project != NULL;
}

bool remote_url_parse(struct arena *a, const char *url, struct remote_url *out)
{
	static const char *const schemes[] = { "https", "http", "ssh", "git", "git+ssh", "ssh+git", "git+https", "ftp", "ftps" };
	struct url u;

	if (!*url || *url == '-' || has_control(url) || strlen(url) > URL_MAX)
		return false;
	if (!strstr(url, "://"))
		return *url != '/' && *url != '.' && parse_scp(a, url, out);
	if (!url_parse(a, url, &u))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		if (strcmp(u.scheme, schemes[i]) != 0)
			continue;
		*out = (struct remote_url){ strcmp(u.scheme, "git+https") ? u.scheme : "https", u.host, clean_project(a, u.path, strlen(u.path)), u.port };
		return out->project != NULL;
	}
	return false;
}
