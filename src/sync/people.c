/* SPDX-License-Identifier: MIT */
/*
 * One person over several addresses and sources. A .mailmap (gitmailmap(5)) says which mail addresses are one's; the
 * setting killick.person.NAME.is says so of addresses and of logins at sources ("ana@x.org, github:ana"). Both are joined
 * in the index by what a person is known by there: a mail address, or "login:host/name". When what they say has changed,
 * all that was joined is taken apart first.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "killick/base/file.h"
#include "killick/sync/source.h"
#include "people.h"

enum { MAILMAP_MAX = 4 << 20 };

static const char *mailmap_path(struct work *w, struct stat *st)
{
	const char *top = repo_top(w->repo), *path = top ? arena_printf(&w->arena, "%s/.mailmap", top) : NULL;

	return path && !lstat(path, st) && S_ISREG(st->st_mode) ? path : NULL;
}

static int add_setting(void *ctx, const char *key, const char *value, const char *origin UNUSED)
{
	buf_addf(ctx, "%s=%s\n", key, value ? value : "");
	return 0;
}

/* What a login means depends on where its source is, and a source may be connected after the setting was made. */
static int add_source(void *ctx, const char *key, const char *value, const char *origin)
{
	return str_ends(key, ".web") || str_ends(key, ".api") || str_ends(key, ".kind") ? add_setting(ctx, key, value, origin) : 0;
}

static int64_t signature(struct work *w)
{
	struct err unused = ERR_INIT;
	struct buf b = BUF_INIT;
	struct stat st;
	int64_t sig = 0;

	repo_config_each(w->repo, "killick.person.", add_setting, &b, &unused);
	if (b.len)
		repo_config_each(w->repo, "killick.source.", add_source, &b, &unused);
	if (mailmap_path(w, &st))
		buf_addf(&b, "%lld %lld %lld %lld", (long long)st.st_size, (long long)st.st_mtim.tv_sec,
			 (long long)st.st_mtim.tv_nsec, (long long)st.st_ino);
	if (b.len)
		sig = (int64_t)(hash64(b.ptr, b.len) >> 1);
	buf_release(&b);
	return sig;
}

bool people_known(struct work *w)
{
	return index_people_signature(w->index, w->scope.repo) == signature(w);
}

static char *lower(struct arena *a, const char *p, size_t n)
{
	char *s = arena_memdup(a, p, n);

	for (char *c = s; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	return s;
}

static bool is_mine(struct work *w, const char *key)
{
	for (const char *const *m = w->scope.me; m && *m; m++)
		if (!strcmp(*m, key))
			return true;
	return false;
}

/* My own keys are joined already (index_identity): whatever is one with them becomes mine, not they its. */
static int join(struct work *w, const char *key, const char *other, struct err *e)
{
	if (!strcmp(key, other) || (is_mine(w, key) && is_mine(w, other)))
		return 0;
	return is_mine(w, other) ? index_same_person(w->index, w->scope.me[0], key, e) : index_same_person(w->index, key, other, e);
}

/* "Proper <proper@x> Commit <commit@x>": the second address is the first's. One address alone says a name only. */
static int join_line(struct work *w, const char *line, size_t n, struct err *e)
{
	const char *hash = memchr(line, '#', n), *end = hash ? hash : line + n, *at = line, *close;
	const char *keys[2];
	int len = 0;

	while (len < 2 && (at = memchr(at, '<', (size_t)(end - at))) && (close = memchr(at, '>', (size_t)(end - at)))) {
		if (close > at + 1)
			keys[len++] = lower(&w->arena, at + 1, (size_t)(close - at - 1));
		at = close;
	}
	return len == 2 ? join(w, keys[0], keys[1], e) : 0;
}

static int take_mailmap(struct work *w, struct err *e)
{
	struct buf b = BUF_INIT;
	struct err unused = ERR_INIT;
	struct stat st;
	const char *path = mailmap_path(w, &st);
	int rc = 0;

	if (!path || file_read(path, MAILMAP_MAX, &b, &unused)) {
		buf_release(&b);
		return 0;
	}
	for (const char *line = b.ptr; !rc && *line;) {
		size_t n = strcspn(line, "\n");

		rc = join_line(w, line, n, e);
		line += n + (line[n] == '\n');
	}
	buf_release(&b);
	return rc;
}

struct joining { struct work *w; struct sources all; struct err *e; };

/* "github:ana" to "login:github.com/ana"; a mail address is itself. NULL: no such source. */
static const char *key_of(struct joining *j, const char *word, size_t n)
{
	const char *colon = memchr(word, ':', n);

	if (!colon)
		return lower(&j->w->arena, word, n);
	for (size_t i = 0; i < j->all.len; i++) {
		const struct source *s = &j->all.items[i];

		if (s->host && strlen(s->d.name) == (size_t)(colon - word) && !strncmp(s->d.name, word, (size_t)(colon - word)))
			return arena_printf(&j->w->arena, "login:%s/%s", s->host,
					    lower(&j->w->arena, colon + 1, n - (size_t)(colon + 1 - word)));
	}
	return NULL;
}

static int join_setting(void *ctx, const char *key, const char *value, const char *origin UNUSED)
{
	struct joining *j = ctx;
	const char *first = NULL;

	if (!str_ends(key, ".is") || !value)
		return 0;
	while (*value) {
		size_t n = strcspn(value, " ,;\t");
		const char *one = n ? key_of(j, value, n) : NULL;

		if (one && first && join(j->w, first, one, j->e))
			return -1;
		first = first ? first : one;
		value += n + (value[n] != '\0');
	}
	return 0;
}

/* What was said before may have been taken back. */
static int start_anew(struct work *w, struct err *e)
{
	if (!index_people_signature(w->index, w->scope.repo))
		return 0;
	return index_part_people(w->index, e) || index_identity(w->index, w->scope.repo, w->me.name, w->scope.me, e) ? -1 : 0;
}

int people_take(struct work *w, struct err *e)
{
	struct joining j = { .w = w, .e = e };
	int64_t sig = signature(w);
	int rc;

	if (index_people_signature(w->index, w->scope.repo) == sig)
		return 0;
	if (work_sources(w, &j.all, e))
		return -1;
	rc = start_anew(w, e) || take_mailmap(w, e) || repo_config_each(w->repo, "killick.person.", join_setting, &j, e) ||
		index_people_sign(w->index, w->scope.repo, sig, e) ? -1 : 0;
	sources_release(&j.all);
	return rc;
}
