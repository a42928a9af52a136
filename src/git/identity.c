/* SPDX-License-Identifier: MIT */
/* Who the user is, and which remotes the repository has: both from the configuration alone. */
#include "config.h"
#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>
#include "killick/git/permalink.h"
#include "git.h"

/* --- the user --- */

/* git's "crud": it is cut from both ends of names and addresses (ident.c). */
static bool is_crud(char c)
{
	return (unsigned char)c <= ' ' || strchr(".,:;<>\"\\'", c);
}

static const char *without_crud(struct arena *a, const char *s)
{
	size_t n;
	char *out, *to;

	if (!s)
		return NULL;
	while (*s && is_crud(*s))
		s++;
	for (n = strlen(s); n && is_crud(s[n - 1]); n--)
		;
	out = to = arena_memdup(a, s, n);
	for (const char *p = out; *p; p++)
		if (*p != '<' && *p != '>' && *p != '\n')
			*to++ = *p;
	*to = 0;
	return *out ? out : NULL;
}

static const char *from_env(struct arena *a, const char *name)
{
	return without_crud(a, getenv(name));
}

static const char *from_config(struct repo *r, struct arena *a, const char *key)
{
	const char *v;

	return repo_config(r, CONFIG_ANY, key, a, &v) ? without_crud(a, v) : NULL;
}

/* The password file's full name, '&' standing for the capitalised login (ident.c). */
static const char *from_passwd(struct arena *a)
{
	struct passwd *pw = getpwuid(getuid());
	struct buf b = BUF_INIT;
	const char *name;

	if (!pw || !pw->pw_gecos)
		return NULL;
	for (const char *p = pw->pw_gecos; *p && *p != ','; p++) {
		if (*p != '&') {
			buf_addch(&b, *p);
		} else {
			buf_addch(&b, toupper((unsigned char)*pw->pw_name));
			buf_addstr(&b, pw->pw_name + (*pw->pw_name != 0));
		}
	}
	name = without_crud(a, b.ptr);
	buf_release(&b);
	return name;
}

static const char *first_of(struct repo *r, struct arena *a, const char *env, const char *key, const char *key2)
{
	const char *v = from_env(a, env);

	v = v ? v : from_config(r, a, key);
	return v ? v : from_config(r, a, key2);
}

int repo_identity(struct repo *r, struct arena *a, struct person *out, struct err *e)
{
	*out = (struct person){ .name = first_of(r, a, "GIT_AUTHOR_NAME", "author.name", "user.name") };
	out->email = first_of(r, a, "GIT_AUTHOR_EMAIL", "author.email", "user.email");
	if (!out->email)
		out->email = from_env(a, "EMAIL");
	if (!out->name && !git_bool(from_config(r, a, "user.useConfigOnly"), false))
		out->name = from_passwd(a);
	if (!out->email)
		return err_set(e, ERR_USAGE, "git does not know your mail address yet; tell it: git config --global user.email "
		    "you@example.org");
	if (!out->name)
		return err_set(e, ERR_USAGE, "git does not know your name yet; tell it: git config --global user.name \"Your "
		    "Name\"");
	return 0;
}

/* --- remotes --- */

struct remotes {
	struct arena *a;
	ARRAY(struct remote_info) all;
	ARRAY(struct remote_info) rewrites;   /* name: what stands there (insteadOf), url: what is put there */
};

static int collect(void *ctx, const char *key, const char *value, const char *origin)
{
	struct remotes *rs = ctx;
	size_t n = strlen(key);

	(void)origin;
	if (str_starts(key, "remote.") && str_ends(key, ".url") && n > 11) {
		const char *name = arena_memdup(rs->a, key + 7, n - 11);

		for (size_t i = 0; i < rs->all.len; i++)
			if (!strcmp(rs->all.items[i].name, name))
				return 0;   /* the first URL is the one that is fetched from */
		*array_add(&rs->all) = (struct remote_info){ name, arena_strdup(rs->a, value) };
	} else if (str_starts(key, "url.") && str_ends(key, ".insteadof") && n > 14) {
		*array_add(&rs->rewrites) = (struct remote_info){ arena_strdup(rs->a, value),
			arena_memdup(rs->a, key + 4, n - 14) };
	}
	return 0;
}

/* url.<base>.insteadOf: the longest match wins (git-config(1)). */
static const char *rewritten(struct remotes *rs, const char *url)
{
	const struct remote_info *best = NULL;

	for (size_t i = 0; i < rs->rewrites.len; i++) {
		const struct remote_info *w = &rs->rewrites.items[i];

		if (*w->name && str_starts(url, w->name) && (!best || strlen(w->name) > strlen(best->name)))
			best = w;
	}
	return best ? arena_printf(rs->a, "%s%s", best->url, url + strlen(best->name)) : url;
}

static const char *upstream_remote(struct repo *r, struct arena *a)
{
	struct buf branch = BUF_INIT;
	const char *v = NULL;
	struct oid at;

	repo_head(r, &at, &branch);
	if (!branch.len || !repo_config(r, CONFIG_ANY, arena_printf(a, "branch.%s.remote", branch.ptr), a, &v))
		v = NULL;
	buf_release(&branch);
	return v;
}

size_t repo_remotes(struct repo *r, struct arena *a, struct remote_info **out)
{
	struct remotes rs = { .a = a };
	const char *upstream = upstream_remote(r, a);
	struct remote_info *list;
	struct err e = ERR_INIT;
	size_t n = 0;

	repo_config_each(r, "remote.", collect, &rs, &e);
	repo_config_each(r, "url.", collect, &rs, &e);
	list = arena_alloc(a, (rs.all.len + 1) * sizeof(*list));
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < rs.all.len; i++)
			if ((upstream && !strcmp(rs.all.items[i].name, upstream)) == !round)
				list[n++] = (struct remote_info){ rs.all.items[i].name, rewritten(&rs, rs.all.items[i].url) };
	array_release(&rs.all);
	array_release(&rs.rewrites);
	*out = list;
	return n;
}

static char *folder_name(const struct repo *r)
{
	const char *path = r->top ? r->top : r->gitdir, *slash;
	char *name, *end;

	slash = strrchr(path, '/');
	/* a bare repository in "x/.git" is x's */
	if (!r->top && slash && slash > path && !strcmp(slash, "/.git")) {
		name = xstrndup(path, (size_t)(slash - path));
		end = strrchr(name, '/');
		memmove(name, end + 1, strlen(end));
		return name;
	}
	name = xstrdup(slash && slash[1] ? slash + 1 : path);
	if (!r->top && str_ends(name, ".git") && strlen(name) > 4)
		name[strlen(name) - 4] = 0;
	return name;
}

const char *repo_name(struct repo *r)
{
	struct arena a = ARENA_INIT;
	struct remote_info *list;
	struct remote_url u;
	size_t n;

	if (r->name)
		return r->name;
	n = repo_remotes(r, &a, &list);
	for (int round = 0; round < 2 && !r->name; round++)
		for (size_t i = 0; i < n && !r->name; i++)
			if ((round || !strcmp(list[i].name, "origin")) && remote_url_parse(&a, list[i].url, &u))
				r->name = xstrdup(u.project);
	if (!r->name)
		r->name = folder_name(r);
	arena_release(&a);
	return r->name;
}
