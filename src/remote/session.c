/* SPDX-License-Identifier: MIT */
/*
 * A source's connection, made of what the user set: certificates and proxy as git and curl are told of them (in companies that
 * is where they stand already), the adapter's manners, the source's own options, the credential. Only the user's and the
 * system's configuration is read, never a repository's: git is asked from a folder that is none.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "killick/base/file.h"
#include "killick/base/hash.h"
#include "killick/base/proc.h"
#include "remote.h"

/* ---- the network ---- */

static const char *env_first(const char *const *names)
{
	for (; *names; names++) {
		const char *v = getenv(*names);
		if (v && *v)
			return v;
	}
	return NULL;
}

/* git's http.* for this address: one child says them all. */
static void git_network(struct remote *r, struct http_options *o)
{
	const struct { const char *key; const char **to; } wanted[] = {
		{ "http.sslcainfo ", &o->ca_file }, { "http.sslcapath ", &o->ca_dir }, { "http.proxy ", &o->proxy },
		{ "http.sslcert ", &o->cert }, { "http.sslkey ", &o->key },
	};
	const char *const argv[] = { "git", "config", "--includes", "--get-urlmatch", "http", o->base, NULL };
	struct buf out = { buf_empty, .max = 65536 };
	struct proc p = { .argv = argv, .dir = "/", .out = &out, .flags = PROC_STDERR_NULL, .timeout_ms = 10000 };

	if (proc_run(&p, NULL) || p.status)
		buf_reset(&out);
	for (char *s = out.ptr; *s;) {
		size_t n = strcspn(s, "\n");
		for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
			size_t k = strlen(wanted[i].key);
			if (n > k && !strncmp(s, wanted[i].key, k) && !*wanted[i].to)
				*wanted[i].to = arena_memdup(&r->life, s + k, n - k);
		}
		s += n + (s[n] == '\n');
	}
	buf_release(&out);
}

static void network_options(struct remote *r, struct http_options *o)
{
	static const char *const files[] = { "GIT_SSL_CAINFO", "CURL_CA_BUNDLE", "SSL_CERT_FILE", NULL };
	static const char *const dirs[] = { "GIT_SSL_CAPATH", "SSL_CERT_DIR", NULL };

	o->ca_file = env_first(files);
	o->ca_dir = env_first(dirs);
	git_network(r, o);
}

/* ---- the source's own options ---- */

/* Settings come as text. */
static int64_t option_int(const json_t *options, const char *name)
{
	const char *s = json_get_str(options, name);
	uint64_t n;

	return s && str_to_u64(s, INT32_MAX, &n) ? (int64_t)n : json_get_int(options, name, -1);
}

static void own_options(const struct remote *r, struct http_options *o)
{
	const struct { const char *name; int *to; int max; } ints[] = {
		{ "parallel", &o->max_parallel, 16 }, { "max-wait-ms", &o->max_wait_ms, 3600000 },
		{ "write-gap-ms", &o->write_gap_ms, 60000 }, { "stall-ms", &o->stall_ms, 600000 },
		{ "connect-ms", &o->connect_ms, 600000 }, { "backoff-ms", &o->backoff_ms, 60000 },
		{ "per-minute", &o->per_minute, 100000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ints); i++) {
		int64_t v = option_int(r->src.options, ints[i].name);
		if (v >= 0 && v <= ints[i].max)
			*ints[i].to = (int)v;
	}
}

static bool http_allowed(const struct remote *r, const char *base)
{
	struct buf v = BUF_INIT, key = BUF_INIT;
	bool yes = false;

	if (str_starts(base, "http://") && r->src.name) {
		buf_addf(&key, "killick.source.%s.allowHttp", r->src.name);
		yes = cred_setting(key.ptr, &v) && (!strcasecmp(v.ptr, "true") || !strcmp(v.ptr, "1") || !strcasecmp(v.ptr, "yes"));
	}
	buf_release(&key);
	buf_release(&v);
	return yes;
}

static const char *cache_dir(struct remote *r, const char *base)
{
	struct buf id = BUF_INIT, path = BUF_INIT;
	uint8_t sum[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	const char *dir = NULL;

	buf_addf(&id, "%s\n%s\n%s\n%s", r->src.kind ? r->src.kind : "", base, r->src.project ? r->src.project : "",
		 r->src.name ? r->src.name : "");
	hash_sha256(sum, id.ptr, id.len);
	hex_encode(hex, sum, sizeof(sum));
	if (!xdg_path(XDG_CACHE, "http", &path, NULL))
		dir = arena_printf(&r->life, "%s/%.16s", path.ptr, hex);
	buf_release(&id);
	buf_release(&path);
	return dir;
}

/* ---- the credential ---- */

static void session_credential(struct remote *r)
{
	struct buf header = BUF_INIT;

	if (!r->cred.secret)
		return;
	if (r->ad->authorize)
		r->ad->authorize(&r->src, &r->cred, &header);
	else
		buf_addf(&header, "Authorization: Bearer %s", r->cred.secret);
	http_credential(r->http, header.ptr);
	explicit_bzero(header.ptr, header.len);
	buf_release(&header);
}

static void session_waits(void *ctx, int64_t ms)
{
	struct remote *r = ctx;

	if (ms)
		remote_progress(r, "the server's limit", 0, ms / 1000);
	else
		remote_progress(r, "the server", 0, -1);
}

int session_open(struct remote *r, const char *base, bool anonymous, struct err *e)
{
	struct http_options o = { .base = base, .cancelled_by_stdin = true, .max_wait_ms = anonymous ? 0 : 60000,
		.waiting = session_waits, .unwritten = out_unwritten, .write = out_some, .ctx = r };

	/* First of all: it takes the tokens out of the environment that children get. */
	if (anonymous)
		cred_scrub_environment();
	else if (cred_find(&r->src, r->prompt, &r->cred, &r->tried, NULL))
		trace("cred", "none found");
	if (!anonymous)
		o.cache_dir = cache_dir(r, base);
	if (r->ad)
		o.headers = r->ad->headers;
	if (r->ad && r->ad->manners)
		r->ad->manners(&r->src, &o);
	own_options(r, &o);
	network_options(r, &o);
	if (http_open(&o, &r->http, e)) {   /* rare enough to ask git only then */
		o.allow_http = http_allowed(r, base);
		if (!o.allow_http || http_open(&o, &r->http, e))
			return -1;
		err_clear(e);
	}
	session_credential(r);
	return 0;
}

/* Only what the server said about it counts: neither a network that was down nor a request that needed none. */
void session_close(struct remote *r)
{
	struct http_count n = r->http ? http_counts(r->http) : (struct http_count){ 0 };

	if (r->cred.from_git && n.denied && !n.accepted)
		cred_approve(&r->src, &r->cred, false);
	else if (r->cred.from_git && n.accepted)
		cred_approve(&r->src, &r->cred, true);
	cred_release(&r->cred);
	buf_release(&r->tried);
	http_close(r->http);
	r->http = NULL;
}
