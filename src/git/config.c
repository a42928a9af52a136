/* SPDX-License-Identifier: MIT */
/*
 * Configuration in force: the files and scopes of git-config(1) in their order, with includes, read once a repository.
 *
 * system < global (XDG, then ~/.gitconfig) < local < worktree < command line (git -c, GIT_CONFIG_COUNT); the last value
 * wins. An included file has the scope of the file that includes it, so nothing that a repository brings along ever
 * counts as the user's own. Writing is left to git itself, which keeps comments, locks and modes right.
 */
#include "config.h"
#include <stdlib.h>
#include <sys/stat.h>
#include "killick/base/proc.h"
#include "git.h"

#define INCLUDE_DEPTH 10

enum level { LEVEL_SYSTEM, LEVEL_GLOBAL, LEVEL_LOCAL, LEVEL_WORKTREE, LEVEL_COMMAND };

struct entry {
	const char *key, *value, *origin;
	enum level level;
};

struct config {
	struct arena arena;
	ARRAY(struct entry) entries;
	struct repo *repo;         /* NULL outside */
	enum level level;          /* of the file being read */
	unsigned depth;
	bool wants_urls;           /* an includeIf.hasconfig was met */
	bool urls_known;           /* second round: decide them by `urls` */
	ARRAY(const char *) urls;
	struct err bad;            /* the first fault; the entries before it count */
};

static void read_file(struct config *c, const char *path);

static bool user_level(enum level l)
{
	return l == LEVEL_SYSTEM || l == LEVEL_GLOBAL || l == LEVEL_COMMAND;
}

/* --- includes --- */

/* A gitdir or onbranch pattern made whole as git does: "~/", "./", "**\/" in front, "**" behind. */
static bool whole_pattern(struct buf *out, const char *pattern, const char *origin)
{
	const char *slash = strrchr(origin, '/');

	if (!config_path(out, pattern))
		return false;
	if (str_starts(pattern, "./") && slash) {
		buf_reset(out);
		buf_add(out, origin, (size_t)(slash - origin));
		buf_addstr(out, pattern + 1);
	} else if (out->ptr[0] != '/') {
		buf_reset(out);
		buf_addf(out, "**/%s", pattern);
	}
	if (out->ptr[out->len - 1] == '/')
		buf_addstr(out, "**");
	return true;
}

static bool include_gitdir(struct config *c, const char *pattern, const char *origin, bool fold_case)
{
	struct buf whole = BUF_INIT;
	bool hit;

	hit = c->repo && whole_pattern(&whole, pattern, origin) && wild_match(whole.ptr, c->repo->gitdir, fold_case);
	buf_release(&whole);
	return hit;
}

static bool include_branch(struct config *c, const char *pattern)
{
	struct buf branch = BUF_INIT, whole = BUF_INIT;
	struct oid at;
	bool hit = false;

	if (c->repo) {
		repo_head(c->repo, &at, &branch);
		buf_addstr(&whole, pattern);
		if (whole.len && whole.ptr[whole.len - 1] == '/')
			buf_addstr(&whole, "**");
		hit = branch.len && wild_match(whole.ptr, branch.ptr, false);
	}
	buf_release(&branch);
	buf_release(&whole);
	return hit;
}

static bool include_url(struct config *c, const char *pattern)
{
	c->wants_urls = true;
	for (size_t i = 0; c->urls_known && i < c->urls.len; i++)
		if (wild_match(pattern, c->urls.items[i], false))
			return true;
	return false;
}

/* key is "includeif.CONDITION.path". */
static bool include_holds(struct config *c, const char *key, const char *origin)
{
	struct buf cond = BUF_INIT;
	bool hit = false;

	buf_addstr(&cond, key + strlen("includeif."));
	buf_setlen(&cond, cond.len - strlen(".path"));
	if (str_starts(cond.ptr, "gitdir:"))
		hit = include_gitdir(c, cond.ptr + 7, origin, false);
	else if (str_starts(cond.ptr, "gitdir/i:"))
		hit = include_gitdir(c, cond.ptr + 9, origin, true);
	else if (str_starts(cond.ptr, "onbranch:"))
		hit = include_branch(c, cond.ptr + 9);
	else if (str_starts(cond.ptr, "hasconfig:remote.*.url:"))
		hit = include_url(c, cond.ptr + 23);
	buf_release(&cond);
	return hit;
}

static void include(struct config *c, const char *path, const char *origin)
{
	const char *slash = strrchr(origin, '/');
	struct buf whole = BUF_INIT, joined = BUF_INIT;

	if (!config_path(&whole, path))
		goto out;
	if (whole.ptr[0] != '/' && !slash)
		goto out;   /* relative from the command line: git refuses it too */
	buf_add(&joined, origin, slash ? (size_t)(slash - origin) + 1 : 0);
	if (whole.ptr[0] == '/')
		buf_reset(&joined);
	buf_addbuf(&joined, &whole);
	if (++c->depth <= INCLUDE_DEPTH)
		read_file(c, joined.ptr);
	else if (!c->bad.code)
		err_set(&c->bad, ERR_BAD_DATA, "configuration files include each other too deeply, at '%s'", joined.ptr);
	c->depth--;
out:
	buf_release(&whole);
	buf_release(&joined);
}

static int add(void *ctx, const char *key, const char *value, const char *origin)
{
	struct config *c = ctx;

	*array_add(&c->entries) = (struct entry){ key, value, origin, c->level };
	if (!strcmp(key, "include.path"))
		include(c, value, origin);
	else if (str_starts(key, "includeif.") && str_ends(key, ".path") && strlen(key) > 15 && include_holds(c, key, origin))
		include(c, value, origin);
	return 0;
}

/* --- files and the environment --- */

static void read_file(struct config *c, const char *path)
{
	struct err e = ERR_INIT;

	if (config_file_each(path, &c->arena, add, c, &e) && !c->bad.code) {
		c->bad = e;
		trace("git", "%s", e.msg);
	}
}

static void read_system(struct config *c)
{
	const char *env = getenv("GIT_CONFIG_SYSTEM");

	c->level = LEVEL_SYSTEM;
	if (!git_bool(getenv("GIT_CONFIG_NOSYSTEM"), false))
		read_file(c, env ? env : "/etc/gitconfig");
}

static void read_global(struct config *c)
{
	const char *env = getenv("GIT_CONFIG_GLOBAL"), *xdg = getenv("XDG_CONFIG_HOME");
	struct buf path = BUF_INIT;

	c->level = LEVEL_GLOBAL;
	if (env) {
		read_file(c, env);
		return;
	}
	if (xdg && *xdg) {
		path_join(&path, xdg, "git/config");
		read_file(c, path.ptr);
	} else if (config_path(&path, "~/.config/git/config")) {
		read_file(c, path.ptr);
	}
	if (config_path(&path, "~/.gitconfig"))
		read_file(c, path.ptr);
	buf_release(&path);
}

/* A key from the environment with its section and name in lower case; NULL: not "section.name". */
static const char *canonical_key(struct arena *a, const char *key, size_t n)
{
	char *k = arena_memdup(a, key, n);
	char *first = strchr(k, '.'), *last = strrchr(k, '.');

	if (!first || first == k || !last[1])
		return NULL;
	for (char *p = k; *p; p++)
		if ((p < first || p > last) && *p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return k;
}

static void add_from_env(struct config *c, const char *key, size_t n, const char *value)
{
	const char *k = canonical_key(&c->arena, key, n);

	if (k)
		add(c, k, arena_strdup(&c->arena, value), "command line");
}

static void read_counted(struct config *c)
{
	const char *env = getenv("GIT_CONFIG_COUNT"), *key, *value;
	char name[64];
	uint64_t n;

	if (!env || !str_to_u64(env, 100000, &n))
		return;
	for (uint64_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "GIT_CONFIG_KEY_%llu", (unsigned long long)i);
		key = getenv(name);
		snprintf(name, sizeof(name), "GIT_CONFIG_VALUE_%llu", (unsigned long long)i);
		value = getenv(name);
		if (key && value)
			add_from_env(c, key, strlen(key), value);
	}
}

/* One word quoted as git quotes for a shell: 'it'\''s'. The place behind it, NULL when malformed. */
static const char *unquote(const char *p, struct buf *out)
{
	buf_reset(out);
	if (*p != '\'')
		return NULL;
	for (p++;;) {
		size_t n = strcspn(p, "'");

		buf_add(out, p, n);
		p += n;
		if (!*p++)
			return NULL;
		if (p[0] != '\\' || !strchr("'!", p[1]) || !p[1] || p[2] != '\'')
			return p;
		buf_addch(out, p[1]);
		p += 3;
	}
}

/* git -c: 'key=value' (old) or 'key'='value' or 'key'= each, apart by blanks. */
static void read_parameters(struct config *c)
{
	const char *p = getenv("GIT_CONFIG_PARAMETERS"), *eq;
	struct buf key = BUF_INIT, value = BUF_INIT;

	while (p && *p) {
		if (*p == ' ') {
			p++;
			continue;
		}
		p = unquote(p, &key);
		if (p && *p == '=' && p[1] == '\'') {
			p = unquote(p + 1, &value);
			if (p)
				add_from_env(c, key.ptr, key.len, value.ptr);
		} else if (p && *p == '=') {
			p++;
			add_from_env(c, key.ptr, key.len, "true");
		} else if (p) {
			eq = strchr(key.ptr, '=');
			add_from_env(c, key.ptr, eq ? (size_t)(eq - key.ptr) : key.len, eq ? eq + 1 : "true");
		}
	}
	buf_release(&key);
	buf_release(&value);
}

static void read_local(struct config *c)
{
	struct buf path = BUF_INIT;

	c->level = LEVEL_LOCAL;
	path_join(&path, c->repo->commondir, "config");
	read_file(c, path.ptr);
	if (c->repo->worktree_config) {
		c->level = LEVEL_WORKTREE;
		path_join(&path, c->repo->gitdir, "config.worktree");
		read_file(c, path.ptr);
	}
	buf_release(&path);
}

static void read_all(struct config *c)
{
	read_system(c);
	read_global(c);
	if (c->repo)
		read_local(c);
	c->level = LEVEL_COMMAND;
	read_counted(c);
	read_parameters(c);
}

static void collect_urls(struct config *c)
{
	for (size_t i = 0; i < c->entries.len; i++)
		if (str_starts(c->entries.items[i].key, "remote.") && str_ends(c->entries.items[i].key, ".url"))
			*array_add(&c->urls) = c->entries.items[i].value;
}

static struct config *config_load(struct repo *r)
{
	struct config *c = xcalloc(1, sizeof(*c));

	c->repo = r;
	read_all(c);
	if (c->wants_urls) {   /* once more, now that all remotes are known */
		collect_urls(c);
		c->urls_known = true;
		c->entries.len = 0;
		read_all(c);
	}
	return c;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	array_release(&c->entries);
	array_release(&c->urls);
	arena_release(&c->arena);
	free(c);
}

static struct config *config_of(struct repo *r)
{
	if (!r)
		return config_load(NULL);
	if (!r->config)
		r->config = config_load(r);
	return r->config;
}

static void config_done(struct repo *r, struct config *c)
{
	if (!r)
		config_free(c);
}

/* --- the public side --- */

bool repo_config(struct repo *r, enum config_scope s, const char *key, struct arena *a, const char **out)
{
	struct config *c = config_of(r);
	const char *k = canonical_key(a, key, strlen(key));
	const struct entry *hit = NULL;

	for (size_t i = c->entries.len; k && !hit && i-- > 0;) {
		const struct entry *en = &c->entries.items[i];

		if ((s == CONFIG_ANY || user_level(en->level)) && !strcmp(en->key, k))
			hit = en;
	}
	if (hit)
		*out = arena_strdup(a, hit->value);
	config_done(r, c);
	return hit != NULL;
}

int repo_config_each(struct repo *r, const char *prefix, int (*fn)(void *ctx, const char *key, const char *value,
    const char *origin), void *ctx, struct err *e)
{
	struct config *c = config_of(r);
	int rc = 0;

	for (size_t i = 0; !rc && i < c->entries.len; i++) {
		const struct entry *en = &c->entries.items[i];

		if (str_starts(en->key, prefix))
			rc = fn(ctx, en->key, en->value, en->origin);
	}
	if (!rc && c->bad.code) {
		*e = c->bad;
		rc = -1;
	}
	config_done(r, c);
	return rc;
}

void config_user_each(const char *prefix, config_fn *fn, void *ctx)
{
	struct config *c = config_load(NULL);

	for (size_t i = 0; i < c->entries.len; i++)
		if (str_starts(c->entries.items[i].key, prefix))
			fn(ctx, c->entries.items[i].key, c->entries.items[i].value, c->entries.items[i].origin);
	config_free(c);
}

static int set_result(const struct proc *p, const char *key, bool unset, const struct buf *said, struct err *e)
{
	if (p->status == 0 || (unset && p->status == 5))   /* 5: it was not set */
		return 0;
	if (strstr(said->ptr, "could not lock"))
		return err_set(e, strstr(said->ptr, "File exists") ? ERR_BUSY : ERR_IO, "cannot set %s: %s", key, said->ptr);
	return err_set(e, ERR_FAILED, "cannot set %s: %s", key, said->len ? said->ptr : "git config failed");
}

int repo_config_set(struct repo *r, bool global, const char *key, const char *value, struct err *e)
{
	struct buf file = BUF_INIT, said = BUF_INIT;
	const char *argv[9];
	struct proc p = { .argv = argv, .errout = &said };
	size_t n = 0;
	int rc;

	if (!strchr(key, '.') || !((*key >= 'a' && *key <= 'z') || (*key >= 'A' && *key <= 'Z')))
		return err_set(e, ERR_USAGE, "'%s' is not a configuration key (section.name)", key);
	if (!global && !r)
		return err_set(e, ERR_USAGE, "there is no repository here to set %s in; use --global", key);
	argv[n++] = "git";
	argv[n++] = "config";
	if (global) {
		argv[n++] = "--global";
	} else {
		path_join(&file, r->commondir, "config");
		argv[n++] = "--file";
		argv[n++] = file.ptr;
	}
	argv[n++] = value ? "--replace-all" : "--unset-all";
	argv[n++] = key;
	if (value)
		argv[n++] = value;
	argv[n] = NULL;
	rc = proc_run(&p, e);
	buf_rtrim(&said);
	if (!rc)
		rc = set_result(&p, key, !value, &said, e);
	if (r) {
		config_free(r->config);
		r->config = NULL;
	}
	buf_release(&file);
	buf_release(&said);
	return rc;
}
