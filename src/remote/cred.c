/* SPDX-License-Identifier: MIT */
/*
 * Credentials. A chain of places, each a function that says what it found or why not; the first that has one wins. Which
 * variables and programs a kind of forge knows stands in one table. The host is always that of the api, never of the web
 * address beside it: else a source that claims github.com as its web address could have its token sent elsewhere.
 */
#include "config.h"
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "killick/base/file.h"
#include "killick/base/proc.h"
#include "remote.h"

extern char **environ;

enum { SECRET_MAX = 8192, PATIENCE_MS = 20000 };

/* One search. */
struct quest {
	const struct source_desc *s;
	struct arena *a;
	const char *scheme, *host;   /* host with its port, as git credential takes it */
	bool may_prompt;
	struct cred *out;
	struct buf *tried;
};

/* ---- secrets ---- */

static void wipe(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
}

static void buf_wipe(struct buf *b)
{
	if (b->alloc)
		explicit_bzero(b->ptr, b->alloc);
	buf_release(b);
}

void cred_release(struct cred *c)
{
	if (!c)
		return;
	wipe(c->secret);
	wipe(c->user);
	free(c->secret);
	free(c->user);
	free(c->from);
	*c = (struct cred)CRED_INIT;
}

/* One place was looked at; `how` has nothing secret. */
static void tried(struct quest *q, const char *where, const char *how)
{
	if (q->tried)
		buf_addf(q->tried, "%s: %s\n", where, how);
	trace("cred", "%s: %s", where, how);
}

/* What can stand in a header: printable, not blank. */
static bool is_token(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] >= 0x7f)
			return false;
	return n > 0 && n <= SECRET_MAX;
}

/* Passwords may have blanks and other letters in them, but nothing that breaks a line. */
static bool is_password(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return n > 0 && n <= SECRET_MAX;
}

static bool take(struct quest *q, const char *where, const char *user, const char *secret, size_t n)
{
	if (!(user ? is_password(secret, n) : is_token(secret, n))) {
		tried(q, where, n ? "what it holds is no token" : "empty");
		return false;
	}
	cred_release(q->out);
	*q->out = (struct cred){
		.user = user ? xstrdup(user) : NULL, .secret = xstrndup(secret, n), .from = xstrdup(where),
	};
	tried(q, where, "found");
	return true;
}

/* ---- hosts ---- */

/* "https://api.github.com/x" to scheme and "api.github.com[:port]". */
static bool split_base(struct arena *a, const char *base, const char **scheme, const char **host)
{
	const char *sep = base ? strstr(base, "://") : NULL;
	size_t n;

	if (!sep)
		return false;
	*scheme = arena_memdup(a, base, (size_t)(sep - base));
	n = strcspn(sep + 3, "/?#");
	*host = arena_memdup(a, sep + 3, n);
	for (const char *c = *host; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '@')
			return false;
	return n > 0;
}

/* The api of github.com and of GHE.com stands on a host of its own. */
static const char *login_host(struct arena *a, const char *kind, const char *host)
{
	if (strcmp(kind ? kind : "", "github") || !str_starts(host, "api."))
		return host;
	return !strcmp(host, "api.github.com") || str_ends(host, ".ghe.com") ? arena_strdup(a, host + 4) : host;
}

/* Is this address (of another program's setting) on the source's host? */
static bool same_host(struct quest *q, const char *url)
{
	const char *scheme, *host;

	return url && split_base(q->a, url, &scheme, &host) && !strcasecmp(host, q->host) && !strcasecmp(scheme, q->scheme);
}

/* ---- the environment ---- */

enum whose { ANY_HOST, GITHUB_COM, NOT_GITHUB_COM };

static const struct variable { const char *kind, *name; enum whose whose; const char *url_var; } variables[] = {
	{ "github", "GH_TOKEN", GITHUB_COM, NULL }, { "github", "GITHUB_TOKEN", GITHUB_COM, NULL },
	{ "github", "GH_ENTERPRISE_TOKEN", NOT_GITHUB_COM, NULL }, { "github", "GITHUB_ENTERPRISE_TOKEN", NOT_GITHUB_COM, NULL },
	{ "gitea", "GITEA_SERVER_TOKEN", ANY_HOST, "GITEA_SERVER_URL" }, { "gitea", "GITEA_TOKEN", ANY_HOST, "GITEA_SERVER_URL" },
	{ "gitea", "FORGEJO_TOKEN", ANY_HOST, "FORGEJO_URL" },
	{ "redmine", "REDMINE_API_KEY", ANY_HOST, "REDMINE_URL" },
	/* Of other programs; here only so that no child gets them. */
	{ "-", "GITLAB_TOKEN", ANY_HOST, NULL }, { "-", "GITLAB_ACCESS_TOKEN", ANY_HOST, NULL },
	{ "-", "OAUTH_TOKEN", ANY_HOST, NULL }, { "-", "JIRA_API_TOKEN", ANY_HOST, NULL }, { "-", "GITHUB_PAT", ANY_HOST, NULL },
};

static bool is_github_com(const char *host)
{
	return !strcmp(host, "github.com") || str_ends(host, ".ghe.com");
}

static bool variable_counts(struct quest *q, const struct variable *v)
{
	const char *gh_host = getenv("GH_HOST");

	if (strcmp(v->kind, q->s->kind ? q->s->kind : ""))
		return false;
	if (v->url_var)
		return same_host(q, getenv(v->url_var));
	if (v->whose == GITHUB_COM)
		return is_github_com(q->host);
	return !is_github_com(q->host) && (!gh_host || !*gh_host || !strcasecmp(gh_host, q->host));
}

static bool env_one(struct quest *q, const char *name)
{
	const char *value = getenv(name);
	char where[128];

	snprintf(where, sizeof(where), "%.80s in the environment", name);
	if (!value || !*value) {
		tried(q, where, "not set");
		return false;
	}
	return take(q, where, NULL, value, strlen(value));
}

/* KILLICK_TOKEN_ and the source's name in capitals, what is no letter or digit as "_". */
static const char *own_variable(struct arena *a, const char *name)
{
	char *s = arena_printf(a, "KILLICK_TOKEN_%s", name ? name : "");

	for (char *c = s; *c; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - ('a' - 'A')) : (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ? *c : '_';
	return s;
}

static bool from_environment(struct quest *q)
{
	if (env_one(q, own_variable(q->a, q->s->name)))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		if (variable_counts(q, &variables[i]) && env_one(q, variables[i].name))
			return true;
	return false;
}

static void scrub_one(const char *entry)
{
	size_t n = strcspn(entry, "=");
	char *name = xstrndup(entry, n);

	if (entry[n])
		wipe((char *)(uintptr_t)entry + n + 1);
	unsetenv(name);
	free(name);
}

static bool is_token_variable(const char *entry)
{
	if (str_starts(entry, "KILLICK_TOKEN_"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		size_t n = strlen(variables[i].name);
		if (!strncmp(entry, variables[i].name, n) && entry[n] == '=')
			return true;
	}
	return false;
}

/* From here on neither a child nor /proc/PID/environ has a token. */
void cred_scrub_environment(void)
{
	for (size_t i = 0; environ && environ[i];) {
		if (is_token_variable(environ[i]))
			scrub_one(environ[i]);   /* the ones behind move up */
		else
			i++;
	}
}

/* ---- programs ---- */

/* Standard output of a program, in a folder that is no repository, so that nobody's configuration but the user's counts. */
static int ask_program(const char *const *argv, const char *in, bool tty, struct buf *out, struct err *e)
{
	static const char *const quiet[] = { "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=true", "SSH_ASKPASS=true", "GCM_INTERACTIVE=never",
		"GH_PROMPT_DISABLED=1", "GH_NO_UPDATE_NOTIFIER=1", NULL };
	struct proc p = {
		.argv = argv, .dir = "/", .in = in, .in_len = in ? strlen(in) : 0, .out = out,
		.env = tty ? NULL : quiet, .timeout_ms = tty ? 0 : PATIENCE_MS,
		.flags = tty ? PROC_STDERR_INHERIT : PROC_STDERR_NULL,
	};

	out->max = 65536;
	if (proc_run(&p, e))
		return -1;
	return p.status ? err_set(e, ERR_FAILED, "it failed with status %d", p.status) : 0;
}

bool cred_setting(const char *key, struct buf *out)
{
	const char *const argv[] = { "git", "config", "--includes", "--get", key, NULL };
	size_t was = out->len;

	if (ask_program(argv, NULL, false, out, NULL))
		return false;
	buf_rtrim(out);
	return out->len > was;
}

/* The value of "name=…" on a line of its own, or NULL; the text is cut up. */
static char *line_value(char *text, const char *name)
{
	size_t n = strlen(name);
	char *found = NULL;

	for (char *p = text; *p && !found;) {
		size_t len = strcspn(p, "\n");
		if (len > n && !strncmp(p, name, n) && p[n] == '=')
			found = p + n + 1;
		p += len + (p[len] == '\n');
	}
	return found;
}

/* What a helper prints: "username=…" and "password=…" lines, or the token alone. */
static bool take_printed(struct quest *q, const char *where, struct buf *b)
{
	char *secret = line_value(b->ptr, "password"), *user = line_value(b->ptr, "username"), *copy = NULL;
	bool ok;

	if (user)
		copy = xstrndup(user, strcspn(user, "\r\n"));
	if (!secret) {
		buf_trim(b);
		secret = b->ptr;
	}
	ok = take(q, where, copy, secret, strcspn(secret, "\r\n"));
	free(copy);
	return ok;
}

static bool from_helper(struct quest *q)
{
	const char *key = arena_printf(q->a, "killick.source.%s.helper", q->s->name ? q->s->name : "");
	struct buf cmd = BUF_INIT, out = BUF_INIT;
	struct err e = ERR_INIT;
	const char **argv;
	bool ok = false;

	if (!q->s->name || !cred_setting(key, &cmd))
		tried(q, key, "not set");
	else if (!proc_split(q->a, cmd.ptr, &argv) || !argv[0])
		tried(q, key, "not a command (quotes that do not end)");
	else if (ask_program(argv, NULL, q->may_prompt, &out, &e))
		tried(q, key, e.msg);
	else
		ok = take_printed(q, key, &out);
	buf_release(&cmd);
	buf_wipe(&out);
	return ok;
}

static bool from_gh(struct quest *q)
{
	const char *const argv[] = { "gh", "auth", "token", "--hostname", q->host, NULL };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	bool ok = false;

	if (*q->host == '-' || ask_program(argv, NULL, false, &out, &e))
		tried(q, "gh auth token", e.code == ERR_NOT_FOUND ? "gh is not installed" : "gh has none for this host");
	else
		ok = take_printed(q, "gh auth token", &out);
	buf_wipe(&out);
	return ok;
}

/* ---- other programs' files ---- */

static const char *config_file(struct quest *q, const char *dir_var, const char *name)
{
	const char *dir = dir_var ? getenv(dir_var) : NULL, *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	const struct passwd *pw = home ? NULL : getpwuid(getuid());

	home = home ? home : pw ? pw->pw_dir : "/";
	if (dir && *dir == '/')
		return arena_printf(q->a, "%s/%s", dir, strrchr(name, '/') + 1);
	if (xdg && *xdg == '/')
		return arena_printf(q->a, "%s/%s", xdg, name);
	return arena_printf(q->a, "%s/.config/%s", home, name);
}

/* One line of YAML as these programs write it: indentation, "- ", key, value without quotes. */
struct yaml { size_t indent; bool item; char key[128]; const char *value; size_t len; };

static bool yaml_line(const char **p, struct yaml *y)
{
	const char *s = *p, *end = s + strcspn(s, "\n"), *colon;

	if (!*s)
		return false;
	*p = *end ? end + 1 : end;
	*y = (struct yaml){ .indent = strspn(s, " ") };
	s += y->indent;
	while (end > s && strchr(" \r\t", end[-1]))
		end--;
	if (s + 1 < end && s[0] == '-' && s[1] == ' ') {
		y->item = true;
		s += 1 + strspn(s + 1, " ");
	}
	for (colon = s; colon < end && !(*colon == ':' && (colon + 1 == end || colon[1] == ' ')); colon++)
		;
	if (*s == '#' || colon == end || (size_t)(colon - s) >= sizeof(y->key))
		return true;
	if (colon - s > 1 && *s == '"' && colon[-1] == '"')
		snprintf(y->key, sizeof(y->key), "%.*s", (int)(colon - s - 2), s + 1);
	else
		snprintf(y->key, sizeof(y->key), "%.*s", (int)(colon - s), s);
	y->value = colon + 1 + strspn(colon + 1, " ");
	y->len = y->value < end ? (size_t)(end - y->value) : 0;
	if (y->len > 1 && strchr("\"'", *y->value) && y->value[y->len - 1] == *y->value) {
		y->value++;
		y->len -= 2;
	}
	return true;
}

/* hosts.yml: "HOST:" at the margin, "oauth_token:" on the first level below. */
static bool from_gh_file(struct quest *q)
{
	const char *path = config_file(q, "GH_CONFIG_DIR", "gh/hosts.yml");
	struct buf b = BUF_INIT;
	struct yaml y;
	size_t level = 0;
	bool here = false, ok = false;

	if (file_read(path, 1 << 20, &b, NULL))
		tried(q, path, "not there");
	for (const char *p = b.ptr; !ok && yaml_line(&p, &y);) {
		if (!y.indent && *y.key) {
			here = !strcasecmp(y.key, q->host);
			level = 0;
		} else if (here && *y.key) {
			level = level ? level : y.indent;
			if (y.indent == level && !strcmp(y.key, "oauth_token"))
				ok = take(q, path, NULL, y.value, y.len);
		}
	}
	if (b.len && !ok)
		tried(q, path, "has none for this host");
	buf_wipe(&b);
	return ok;
}

/* tea's config.yml: a list of logins, each with url and token in any order. */
static bool from_tea_file(struct quest *q)
{
	const char *path = config_file(q, NULL, "tea/config.yml");
	struct buf b = BUF_INIT;
	struct yaml y, token = { 0 };
	bool here = false, ok = false;

	if (file_read(path, 1 << 20, &b, NULL))
		tried(q, path, "not there");
	for (const char *p = b.ptr; !ok && yaml_line(&p, &y);) {
		if (y.item) {
			here = false;
			token.value = NULL;
		}
		if (!strcmp(y.key, "url"))
			here = same_host(q, arena_printf(q->a, "%.*s", (int)y.len, y.value));
		if (!strcmp(y.key, "token"))
			token = y;
		if (here && token.value)
			ok = take(q, path, NULL, token.value, token.len);
	}
	if (b.len && !ok)
		tried(q, path, "has none for this host");
	buf_wipe(&b);
	return ok;
}

static const struct { const char *kind; bool (*fn)(struct quest *q); } programs[] = {
	{ "github", from_gh }, { "github", from_gh_file }, { "gitea", from_tea_file },
};

static bool from_programs(struct quest *q)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (q->s->kind && !strcmp(programs[i].kind, q->s->kind) && programs[i].fn(q))
			return true;
	return false;
}

/* ---- git credential ---- */

/* Its protocol has no quoting: what could begin a line of its own is never put into it (CVE-2020-5260 and its kin). */
static bool git_clean(const char *s)
{
	for (; s && *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static bool git_ask(struct buf *in, const char *scheme, const char *host, const char *path)
{
	if (!*host || !git_clean(scheme) || !git_clean(host) || !git_clean(path))
		return false;
	buf_addf(in, "protocol=%s\nhost=%s\n", scheme, host);
	if (path && *path)
		buf_addf(in, "path=%s\n", path);
	return true;
}

static bool from_git(struct quest *q)
{
	const char *const argv[] = { "git", "credential", "fill", NULL };
	struct buf in = BUF_INIT, out = BUF_INIT;
	struct err e = ERR_INIT;
	char *secret;
	bool ok = false;

	if (!git_ask(&in, q->scheme, q->host, q->s->project))
		tried(q, "git credential", "the address cannot be asked for");
	else if (buf_addch(&in, '\n'), ask_program(argv, in.ptr, q->may_prompt, &out, &e))
		tried(q, "git credential", "has none");
	else if (!(secret = line_value(out.ptr, "password")) || strchr("\r\n", *secret))
		tried(q, "git credential", "has none");
	else
		ok = take_printed(q, "git credential", &out);
	if (ok)
		q->out->from_git = true;
	buf_release(&in);
	buf_wipe(&out);
	return ok;
}

void cred_approve(const struct source_desc *s, const struct cred *c, bool good)
{
	const char *const argv[] = { "git", "credential", good ? "approve" : "reject", NULL };
	struct arena a = ARENA_INIT;
	const char *scheme, *host;
	struct buf in = BUF_INIT, out = BUF_INIT;

	if (c->from_git && split_base(&a, s->api, &scheme, &host) && git_clean(c->user) && git_clean(c->secret) &&
	    git_ask(&in, scheme, login_host(&a, s->kind, host), s->project)) {
		buf_addf(&in, "username=%s\npassword=%s\n\n", c->user ? c->user : "", c->secret);
		ask_program(argv, in.ptr, false, &out, NULL);
	}
	buf_wipe(&in);
	buf_release(&out);
	arena_release(&a);
}

/* ---- netrc ---- */

static bool netrc_word(const char **p, char *word, size_t size)
{
	size_t n;

	*p += strspn(*p, " \t\r\n");
	n = strcspn(*p, " \t\r\n");
	snprintf(word, size, "%.*s", n < size ? (int)n : 0, *p);
	*p += n;
	return n > 0;
}

/* A host without a port stands for https on its usual port, as everywhere that netrc is read for the web. */
static bool netrc_is(struct quest *q, const char *machine)
{
	const char *scheme, *api;

	if (!strcasecmp(machine, q->host))
		return strchr(q->host, ':') || !strcmp(q->scheme, "https");
	return split_base(q->a, q->s->api, &scheme, &api) && !strcmp(scheme, "https") && !strcasecmp(machine, api);
}

/* "default" never counts: a token for every host is a token for nobody. Macros end at an empty line. */
static bool netrc_read(struct quest *q, const char *p, char *user, char *secret)
{
	char word[SECRET_MAX], *to;
	bool here = false;

	while (netrc_word(&p, word, sizeof(word))) {
		if (!strcmp(word, "machine") || !strcmp(word, "default")) {
			if (here && *secret)
				return true;
			here = !strcmp(word, "machine") && netrc_word(&p, word, sizeof(word)) && netrc_is(q, word);
			*user = *secret = '\0';
			continue;
		}
		if (!strcmp(word, "macdef")) {
			const char *end = strstr(p, "\n\n");
			p = end ? end : p + strlen(p);
			continue;
		}
		to = !strcmp(word, "login") ? user : !strcmp(word, "password") ? secret : NULL;
		netrc_word(&p, word, sizeof(word));
		if (here && to)
			snprintf(to, SECRET_MAX, "%s", word);
	}
	explicit_bzero(word, sizeof(word));
	return here && *secret;
}

static bool from_netrc(struct quest *q)
{
	const char *path = getenv("NETRC"), *home = getenv("HOME");
	char *user = xcalloc(2, SECRET_MAX), *secret = user + SECRET_MAX;
	struct buf b = BUF_INIT;
	bool ok = false;

	if (!path || !*path)
		path = arena_printf(q->a, "%s/.netrc", home ? home : "");
	if (file_read(path, 1 << 20, &b, NULL))
		tried(q, path, "not there");
	else if (!netrc_read(q, b.ptr, user, secret))
		tried(q, path, "has none for this host");
	else
		ok = take(q, path, *user ? user : NULL, secret, strlen(secret));
	explicit_bzero(user, 2 * (size_t)SECRET_MAX);
	free(user);
	buf_wipe(&b);
	return ok;
}

/* ---- the order ---- */

int cred_find(const struct source_desc *s, bool may_prompt, struct cred *out, struct buf *tried_lines, struct err *e)
{
	static bool (*const places[])(struct quest *q) = { from_programs, from_git, from_netrc };
	struct arena a = ARENA_INIT;
	struct buf lines = BUF_INIT;
	struct cred env = CRED_INIT, helper = CRED_INIT;
	struct quest q = { .s = s, .a = &a, .may_prompt = may_prompt, .out = &env, .tried = &lines };
	const char *host;
	int rc = -1;

	*out = (struct cred)CRED_INIT;
	if (!split_base(&a, s->api, &q.scheme, &host)) {
		err_set(e, ERR_USAGE, "source '%s' has no web address", s->name ? s->name : "");
		goto out;
	}
	q.host = login_host(&a, s->kind, host);
	from_environment(&q);
	cred_scrub_environment();   /* before the first child */
	q.out = &helper;
	if (from_helper(&q))
		*out = helper, helper = (struct cred)CRED_INIT;
	else if (env.secret)
		*out = env, env = (struct cred)CRED_INIT;
	q.out = out;
	for (size_t i = 0; !out->secret && i < ARRAY_SIZE(places); i++)
		places[i](&q);
	rc = out->secret ? 0 : err_set(e, ERR_AUTH, "no credential for %s was found (looked for a helper, in the environment, with "
				       "the forge's own program, git credential and netrc)", q.host);
out:
	cred_release(&env);
	cred_release(&helper);
	if (tried_lines)
		buf_addbuf(tried_lines, &lines);
	buf_release(&lines);
	arena_release(&a);
	return rc;
}
