/* SPDX-License-Identifier: MIT */
/*
 * git as a child in the store. git, and not libgit2, talks to remotes: the user's ssh, proxies and credential helpers all
 * work, and it is patched where it matters (trust.md 0.6).
 *
 * Whose settings count (trust.md 7):
 * - The address comes from the user's repository: remote.<name>.url and pushurl, with every insteadOf, as
 *   "git remote get-url" says it; a relative path is resolved there.
 * - Everything that names a program, a proxy or a credential counts from the user's own configuration (system, global,
 *   the environment, also through includeIf "gitdir:"), as in any git command: http.*, credential.*, core.sshCommand,
 *   remote.<name>.proxy, .uploadpack, .receivepack.
 * - The repository's own .git/config does not, since it may have come with an archive: its core.sshCommand or
 *   credential.helper is not run. killick.trustRepositoryConfig=true, in the user's own configuration, includes it all;
 *   a failed log-in says so where the repository has such settings.
 * - The store's own config must hold nothing but what killick writes there.
 *
 * Prompts go to the terminal only when standard input and error are one; otherwise the child gets a session of its own,
 * so that neither git nor ssh can reach a terminal that a screen is drawn on.
 */
#include "config.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "killick/base/proc.h"
#include "nlog.h"

enum { OUT_MAX = 64 << 20, ERR_MAX = 1 << 20, URL_MAX = 4096 };
/* No file a fetch writes may be larger: what stops a hostile pack (trust.md 11). 100,000 ops are 30 MB. */
static const uint64_t file_max = (uint64_t)2 << 30;

struct words { struct arena a; ARRAY(const char *) w; };

static void word(struct words *v, const char *s)
{
	*array_add(&v->w) = s;
}

static void option(struct words *v, const char *setting)
{
	word(v, "-c");
	word(v, setting);
}

static void words_release(struct words *v)
{
	array_release(&v->w);
	arena_release(&v->a);
}

/* ---- the address ---- */

/* git's url_is_local_not_ssh, and no "helper::address". */
static bool url_is_path(const char *url)
{
	const char *colon = strchr(url, ':'), *slash = strchr(url, '/');

	return !strstr(url, "://") && (!colon || (slash && slash < colon));
}

/* Without the password, for messages and as identity. */
static const char *url_public(struct arena *a, const char *url)
{
	const char *host = strstr(url, "://"), *at, *colon;

	if (!host)
		return url;
	host += 3;
	at = memchr(host, '@', strcspn(host, "/"));
	colon = at ? memchr(host, ':', (size_t)(at - host)) : NULL;
	if (!colon)
		return url;
	return arena_printf(a, "%.*s%s", (int)(colon - url), url, at);
}

static bool url_is_safe(const char *url)
{
	if (!*url || *url == '-' || strlen(url) > URL_MAX)
		return false;
	for (; *url; url++)
		if ((unsigned char)*url < ' ' || *url == 0x7f)
			return false;
	return true;
}

/* remote.<name>.url and pushurl: the first of each, as git fetches from; an empty value begins the list anew. */
struct remote_urls { const char *name, *url, *pushurl; struct arena *a; };

static int take_remote_url(void *ctx, const char *key, const char *value, const char *origin)
{
	struct remote_urls *u = ctx;
	size_t n = strlen(u->name);
	const char **to = NULL;

	(void)origin;
	key += strlen("remote.");
	if (strncmp(key, u->name, n) != 0 || key[n] != '.')
		return 0;
	to = !strcmp(key + n, ".url") ? &u->url : !strcmp(key + n, ".pushurl") ? &u->pushurl : NULL;
	if (to && value && (!*to || !*value))
		*to = *value ? arena_strdup(u->a, value) : NULL;
	return 0;
}

/* url.<base>.insteadOf = <prefix>: the longest prefix wins (git-config(1)). */
struct rewrite { const char *url, *key; struct arena *a; size_t len; const char *out; };

static int take_rewrite(void *ctx, const char *key, const char *value, const char *origin)
{
	struct rewrite *w = ctx;
	const char *base = key + strlen("url.");
	size_t n = strlen(base);

	(void)origin;
	if (!value || !str_ends(base, w->key) || !str_starts(w->url, value) || strlen(value) < w->len || !*value ||
	    (w->out && strlen(value) == w->len))
		return 0;
	w->len = strlen(value);
	w->out = arena_printf(w->a, "%.*s%s", (int)(n - strlen(w->key)), base, w->url + w->len);
	return 0;
}

static const char *rewritten(struct repo *r, const char *url, const char *key, struct arena *a)
{
	struct rewrite w = { .url = url, .key = key, .a = a };
	struct err damaged = ERR_INIT; /* what was read before the fault still counts, as for every other setting */

	repo_config_each(r, "url.", take_rewrite, &w, &damaged);
	return w.out;
}

/* The address git itself would use for this name, or NULL: no such remote. As remote.c: pushInsteadOf counts only where
 * there is no pushurl, and then instead of insteadOf. (git remote get-url says the same in 4 ms.) */
static const char *remote_url(struct repo *r, const char *name, bool push, struct arena *a)
{
	struct remote_urls u = { .name = name, .a = a };
	struct err damaged = ERR_INIT;
	const char *to;

	repo_config_each(r, "remote.", take_remote_url, &u, &damaged);
	if (push && u.pushurl)
		return (to = rewritten(r, u.pushurl, ".insteadof", a)) ? to : u.pushurl;
	if (!u.url)
		return u.pushurl && !push ? NULL : u.pushurl;
	if (push && (to = rewritten(r, u.url, ".pushinsteadof", a)))
		return to;
	return (to = rewritten(r, u.url, ".insteadof", a)) ? to : u.url;
}

/* "refs/killick/log", or another place of the user's choice that git takes as one and that holds nothing else. */
static int target_namespace(struct target *t, struct repo *r, struct err *e)
{
	const char *ns;
	size_t slashes = 0;

	t->ns = LOG_REFS;
	if (!repo_config(r, CONFIG_ANY, "killick.namespace", &t->arena, &ns) || !*ns)
		return 0;
	for (const char *p = ns; *p; p++)
		slashes += *p == '/';
	if (!str_starts(ns, "refs/") || slashes < 2 || str_ends(ns, "/") || str_ends(ns, ".lock") || strstr(ns, "//") ||
	    strstr(ns, "..") || strstr(ns, "/.") || strstr(ns, "@{") || strlen(ns) > 60 ||
	    strspn(ns, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-.") != strlen(ns))
		return err_set(e, ERR_USAGE, "killick.namespace is '%s'; it must be like refs/heads/killick", ns);
	t->ns = ns;
	return 0;
}

int target_init(struct target *t, struct repo *r, const char *remote, bool push, struct err *e)
{
	uint8_t sum[SHA256_SIZE];
	const char *id;
	bool named;

	*t = (struct target){ .url = remote };
	if (!url_is_safe(remote))
		return err_set(e, ERR_USAGE, "no remote and no address: '%.100s'", remote);
	t->url = remote_url(r, remote, push, &t->arena);
	named = t->url != NULL;
	t->url = named ? t->url : remote;
	if (!url_is_safe(t->url)) {
		err_set(e, ERR_USAGE, "remote '%.100s' has no usable address", remote);
		goto fail;
	}
	if (url_is_path(t->url) && *t->url != '/' && *t->url != '~') {
		const char *from = repo_top(r) ? repo_top(r) : repo_gitdir(r);
		t->url = arena_printf(&t->arena, "%s/%s%s", from, named ? "" : repo_prefix(r), t->url);
	}
	if (!named && url_is_path(remote) && !path_exists(t->url)) {
		err_set(e, ERR_NOT_FOUND, "no remote '%s' in this repository, and no such folder", remote);
		goto fail;
	}
	id = url_public(&t->arena, t->url);
	t->name = named ? arena_strdup(&t->arena, remote) : NULL;
	t->label = named ? t->name : id;
	hash_sha256(sum, id, strlen(id));
	hex_encode(t->hash, sum, 8);
	if (target_namespace(t, r, e))
		goto fail;
	return 0;
fail:
	target_release(t);
	return -1;
}

void target_release(struct target *t)
{
	arena_release(&t->arena);
}

/* ---- the child ---- */

static bool trusts_repo_config(struct repo *r)
{
	struct arena a = ARENA_INIT;
	const char *v;
	bool yes = repo_config(r, CONFIG_USER, "killick.trustrepositoryconfig", &a, &v) &&
		   (!strcmp(v, "true") || !strcmp(v, "yes") || !strcmp(v, "on") || !strcmp(v, "1"));

	arena_release(&a);
	return yes;
}

/* git's order, but never the store's or (untrusted) the repository's core.sshCommand: GIT_SSH_COMMAND beats them. */
static void child_ssh(struct words *env, struct repo *r)
{
	const char *set = getenv("GIT_SSH_COMMAND"), *ssh = getenv("GIT_SSH");
	struct buf quoted = BUF_INIT;

	if (set && *set)
		return;
	if (!repo_config(r, trusts_repo_config(r) ? CONFIG_ANY : CONFIG_USER, "core.sshcommand", &env->a, &set) || !*set) {
		buf_add_shell_word(&quoted, ssh ? ssh : "");
		set = ssh && *ssh ? quoted.ptr : "ssh";
	}
	word(env, arena_printf(&env->a, "GIT_SSH_COMMAND=%s", set));
	buf_release(&quoted);
}

/* What the caller's own "git -c …" or environment set is the user's word; a child loses it with the repository's variables. */
static void child_config_env(struct words *env)
{
	const char *n = getenv("GIT_CONFIG_COUNT"), *v = getenv("GIT_CONFIG_PARAMETERS");
	uint64_t count;

	if (v)
		word(env, arena_printf(&env->a, "GIT_CONFIG_PARAMETERS=%s", v));
	if (n && str_to_u64(n, 10000, &count))
		word(env, arena_printf(&env->a, "GIT_CONFIG_COUNT=%s", n));
}

static void child_env(struct words *env, struct nlog *l, struct repo *r, bool network, bool tty)
{
	word(env, "LC_ALL=C");
	word(env, "LANGUAGE");
	word(env, "GIT_OPTIONAL_LOCKS=0");
	word(env, "GIT_NO_REPLACE_OBJECTS=1");
	word(env, "GIT_GRAFT_FILE=/dev/null");
	/* A "commondir" file in the store could lead elsewhere for its config. */
	word(env, arena_printf(&env->a, "GIT_COMMON_DIR=%s", l->path));
	if (!network)
		return;
	if (!tty)
		word(env, "GIT_TERMINAL_PROMPT=0");
	child_ssh(env, r);
	child_config_env(env);
}

static void child_args(struct words *v, struct nlog *l, struct repo *r, const struct git_run *g, const char *const *args)
{
	static const char *const settings[] = {
		"core.bare=true", "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat",
		"core.logAllRefUpdates=false", "protocol.ext.allow=never", "submodule.recurse=false", "color.ui=false",
		"color.push=false", "color.transport=false", "color.advice=false", "color.remote=false",
		"transfer.fsckObjects=true", "fetch.recurseSubmodules=false", "fetch.unpackLimit=1", "fetch.output=full",
		"fetch.writeCommitGraph=false", "fetch.prune=false", "fetch.pruneTags=false", "maintenance.auto=false",
		"push.followTags=false", "push.gpgSign=false", "push.recurseSubmodules=no", "push.default=nothing",
	};
	const char *v2;

	word(v, "git");
	word(v, arena_printf(&v->a, "--git-dir=%s", l->path));
	if (g->network && trusts_repo_config(r))
		option(v, arena_printf(&v->a, "include.path=%s/config", repo_commondir(r)));
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		option(v, settings[i]);
	/* What was seen of a remote may be lost in a crash: a damaged ref there is removed and seen again. */
	option(v, g->network ? "core.fsync=objects" : "core.fsync=all");
	if (g->network && !repo_config(r, CONFIG_USER, "http.lowspeedlimit", &v->a, &v2)) {
		option(v, "http.lowSpeedLimit=100");
		option(v, "http.lowSpeedTime=30");
	}
	/* The address has been rewritten already: an identity rule, the longest match of all, keeps it. */
	if (g->url && !strchr(g->url, '=')) {
		option(v, arena_printf(&v->a, "url.%s.insteadOf=%s", g->url, g->url));
		option(v, arena_printf(&v->a, "url.%s.pushInsteadOf=%s", g->url, g->url));
	}
	if (g->remote && repo_config(r, CONFIG_USER, arena_printf(&v->a, "remote.%s.proxy", g->remote), &v->a, &v2))
		option(v, arena_printf(&v->a, "http.proxy=%s", v2));
	while (*args)
		word(v, *args++);
	word(v, NULL);
}

/* The limit is inherited over fork; nothing of ours is written meanwhile. */
static void limit_files(struct rlimit *was)
{
	struct rlimit lim;

	getrlimit(RLIMIT_FSIZE, was);
	lim = *was;
	if (lim.rlim_cur == RLIM_INFINITY || lim.rlim_cur > file_max)
		lim.rlim_cur = file_max;
	setrlimit(RLIMIT_FSIZE, &lim);
}

int store_git(struct nlog *l, struct repo *r, const char *const *args, struct git_run *g, struct err *e)
{
	bool tty = g->network && isatty(0) && isatty(2);
	struct words argv = { ARENA_INIT, ARRAY_INIT }, env = { ARENA_INIT, ARRAY_INIT };
	struct rlimit was;
	struct proc p;
	int rc;

	if (store_reload(l, e))
		return -1;
	if (l->id.odd[0])
		return err_set(e, ERR_REFUSED, "'%s/config' holds a line that killick does not write (%s): remove it first",
			       l->path, l->id.odd);
	child_args(&argv, l, r, g, args);
	child_env(&env, l, r, g->network, tty);
	word(&env, NULL);
	g->out.max = OUT_MAX;
	g->err.max = ERR_MAX;
	p = (struct proc){
		.argv = argv.w.items, .env = env.w.items, .in = g->in, .in_len = g->in_len, .out = &g->out,
		.errout = &g->err, .timeout_ms = tty ? 0 : g->timeout_ms, .idle_ms = g->idle_ms,
		.flags = g->network && !tty ? PROC_NEW_SESSION : 0,
	};
	limit_files(&was);
	rc = proc_run(&p, e);
	setrlimit(RLIMIT_FSIZE, &was);
	g->status = p.status;
	if (!rc && g->out.over)
		rc = err_set(e, ERR_BAD_DATA, "git said more than %d MB", OUT_MAX >> 20);
	trace("git", "git %s in the store: %d: %s", args[0], g->status, g->err.ptr);
	words_release(&argv);
	words_release(&env);
	return rc;
}

void git_run_release(struct git_run *g)
{
	buf_release(&g->out);
	buf_release(&g->err);
}

/* ---- what a failure means ---- */

/* In this order: a server that refuses a log-in often says afterwards that it could not be read from. */
static const struct { const char *said; enum err_code code; } sayings[] = {
	{ "Permission denied", ERR_AUTH },
	{ "Authentication failed", ERR_AUTH },
	{ "could not read Username", ERR_AUTH },
	{ "could not read Password", ERR_AUTH },
	{ "terminal prompts disabled", ERR_AUTH },
	{ "Host key verification failed", ERR_AUTH },
	{ "returned error: 401", ERR_AUTH },
	{ "returned error: 403", ERR_AUTH },
	{ "returned error: 407", ERR_AUTH },
	{ "Too many authentication failures", ERR_AUTH },
	{ "No more authentication methods", ERR_AUTH },
	{ "Permission to ", ERR_AUTH },
	{ "ccess denied", ERR_AUTH },
	{ "not authorized", ERR_AUTH },
	{ "Unauthorized", ERR_AUTH },
	{ "You are not allowed to", ERR_AUTH },
	{ "Could not resolve host", ERR_OFFLINE },
	{ "name resolution", ERR_OFFLINE },
	{ "Name or service not known", ERR_OFFLINE },
	{ "Connection refused", ERR_OFFLINE },
	{ "Connection timed out", ERR_OFFLINE },
	{ "Connection reset", ERR_OFFLINE },
	{ "Connection closed", ERR_OFFLINE },
	{ "timed out", ERR_OFFLINE },
	{ "Network is unreachable", ERR_OFFLINE },
	{ "No route to host", ERR_OFFLINE },
	{ "Failed to connect", ERR_OFFLINE },
	{ "unable to connect", ERR_OFFLINE },
	{ "Operation too slow", ERR_OFFLINE },
	{ "returned error: 5", ERR_OFFLINE },
	{ "Empty reply from server", ERR_OFFLINE },
	{ "early EOF", ERR_OFFLINE },
	{ "unexpected disconnect", ERR_OFFLINE },
	{ "hung up unexpectedly", ERR_OFFLINE },
	{ "epository not found", ERR_NOT_FOUND },
	{ "does not appear to be a git repository", ERR_NOT_FOUND },
	{ "returned error: 404", ERR_NOT_FOUND },
	{ "' not found", ERR_NOT_FOUND },
	{ "returned error: 429", ERR_RATE_LIMITED },
	{ "unable to access", ERR_OFFLINE },
	{ "No space left on device", ERR_IO },
	{ "Disk quota exceeded", ERR_IO },
	{ "Read-only file system", ERR_IO },
	{ "File too large", ERR_IO },
	{ "shallow update not allowed", ERR_REFUSED },
	{ "transport '", ERR_REFUSED },
	{ "Could not read from remote repository", ERR_OFFLINE },
};

/* "Receiving objects:  42% (8/19)", "remote: Counting objects: 19, done.", "Delta compression using …", "Total 19 (…". */
static bool is_progress(const char *line, size_t n)
{
	const char *end = line + n, *p = line;

	if (n > 8 && !memcmp(p, "remote: ", 8))
		p += 8;
	if (!strncmp(p, "Delta compression using ", 24) || !strncmp(p, "Total ", 6))
		return true;
	while (p < end && ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || *p == ' '))
		p++;
	if (p == line || p >= end || *p != ':')
		return false;
	for (p++; p < end && *p == ' '; p++)
		;
	for (line = p; p < end && *p >= '0' && *p <= '9'; p++)
		;
	return p > line && (p == end || *p == '%' || *p == ',');
}

/* Lines that only repeat what another says better. */
static bool is_noise(const char *line, size_t n)
{
	static const char *const noise[] = {
		"fatal: Could not read from remote repository", "Please make sure you have", "and the repository exists",
		"error: failed to push some refs", "hint:", "To ", "From ", "warning: redirecting", " ! ", " * ", " = ", "   ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(noise); i++)
		if (n >= strlen(noise[i]) && !memcmp(line, noise[i], strlen(noise[i])))
			return true;
	return n == 0 || is_progress(line, n);
}

void transport_words(const char *said, char *out, size_t size)
{
	struct buf b = BUF_INIT;
	int taken = 0;

	for (const char *p = said; *p && taken < 2;) {
		size_t n = strcspn(p, "\r\n");
		if (!is_noise(p, n)) {
			buf_addf(&b, "%s%.*s", taken ? "; " : "", (int)(n < 240 ? n : 240), p);
			taken++;
		}
		p += n + (p[n] != '\0');
	}
	snprintf(out, size, "%s", b.ptr);
	buf_release(&b);
}

/* Does the repository's own configuration hold what would perhaps have logged us in? */
static const char *repo_scope_hint(struct repo *r)
{
	static const char *const keys[] = { "core.sshcommand", "credential.helper", "http.extraheader" };
	struct arena a = ARENA_INIT;
	const char *hint = "", *any, *user;

	for (size_t i = 0; r && i < ARRAY_SIZE(keys) && !*hint; i++)
		if (repo_config(r, CONFIG_ANY, keys[i], &a, &any) &&
		    (!repo_config(r, CONFIG_USER, keys[i], &a, &user) || strcmp(any, user) != 0) && !trusts_repo_config(r))
			hint = "; this repository's own log-in settings are not used: 'git config --global "
			       "killick.trustRepositoryConfig true' does";
	arena_release(&a);
	return hint;
}

int transport_fail(const struct target *t, struct repo *r, const struct git_run *g, const char *doing, struct err *e)
{
	enum err_code code = ERR_FAILED;
	char said[500];

	transport_words(g->err.ptr, said, sizeof(said));
	if (g->status == 128 + SIGXFSZ)
		return err_set(e, ERR_REFUSED, "%s '%s': it sent more than %u GB and was stopped", doing, t->label,
			       (unsigned)(file_max >> 30));
	for (size_t i = 0; i < ARRAY_SIZE(sayings) && code == ERR_FAILED; i++)
		if (strstr(g->err.ptr, sayings[i].said))
			code = sayings[i].code;
	return err_set(e, code, "%s '%s': %s%s", doing, t->label, *said ? said : "git said nothing about why",
		       code == ERR_AUTH ? repo_scope_hint(r) : "");
}
