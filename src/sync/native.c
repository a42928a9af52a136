/* SPDX-License-Identifier: MIT */
/*
 * Store, desk and index brought together: opening them, and what of the index is ours.
 *
 * What is true stands in the log and on the desk; the index follows (native-refresh.c). A write goes to the log or the
 * desk, durably, and only then to the index, by the same reading as everybody else's (native-write.c). Logs are exchanged
 * with a git remote in native-exchange.c.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/base/proc.h"
#include "killick/store/settings.h"
#include "native-private.h"

int work_open(const char *dir, struct work **out, struct err *e)
{
	struct work *w = xcalloc(1, sizeof(*w));

	if (repo_find(dir, &w->repo, e)) {
		free(w);
		return -1;
	}
	*out = w;
	return 0;
}

void work_close(struct work *w)
{
	if (!w)
		return;
	if (w->index)
		index_keep(w->index);
	index_close(w->index);
	desk_close(w->desk);
	nlog_close(w->log);
	repo_close(w->repo);
	arena_release(&w->arena);
	free(w);
}

bool work_is_set_up(struct work *w)
{
	return nlog_exists(w->repo, NULL);
}

int work_desk(struct work *w, struct err *e)
{
	return w->desk ? 0 : desk_open(&w->desk, e);
}

/* An op's id is its thread's and its post's, where it makes one; where it makes none nobody asks. */
static void remember_renamed(void *ctx, const char *was, const char *now)
{
	struct work *w = ctx;
	struct err e = ERR_INIT;

	if (work_desk(w, &e) || desk_alias_put(w->desk, 'k', was, now, &e) || desk_alias_put(w->desk, 'p', was, now, &e))
		trace("native", "%s", e.msg);
}

int work_log(struct work *w, bool create, struct err *e)
{
	if (w->log)
		return 0;
	if (nlog_open(w->repo, create, &w->log, e))
		return -1;
	nlog_ask_renamed(w->log, remember_renamed, w);
	return 0;
}

void work_say_problem(struct work *w, const char *fmt, const char *what)
{
	w->problem = arena_printf(&w->arena, fmt, what);
	trace("work", "%s", w->problem);
}

struct addresses { const char **items; size_t len, alloc; };

static void add_address(struct work *w, struct addresses *to, const char *p, size_t len)
{
	char *s = arena_memdup(&w->arena, p, len);

	for (char *c = s; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	for (size_t i = 0; i < to->len; i++)
		if (!strcmp(to->items[i], s))
			return;
	*array_add(to) = s;
}

/* What a tracker calls me, as the index knows people of it: "login:host/name". */
static void add_login(struct work *w, struct addresses *to, const struct source_row *s)
{
	struct err unused = ERR_INIT;
	json_t *j = s->heads && *s->heads == '{' ? json_read(s->heads, strlen(s->heads), "a source's state", &unused) : NULL;
	const char *login = json_get_str(json_get_obj(json_get_obj(j, "probe"), "me"), "login"), *key;

	if (login) {
		key = arena_printf(&w->arena, "login:%.*s/%s", (int)strcspn(s->key, "/"), s->key, login);
		add_address(w, to, key, strlen(key));
	}
	json_decref(j);
}

/* The addresses under which I write: git's, then those of killick.me, then my names at trackers. */
void work_find_me(struct work *w)
{
	struct err e = ERR_INIT;
	struct addresses list = ARRAY_INIT;
	const char **kept, *more;
	struct source_row *rows;
	size_t n;

	if (repo_identity(w->repo, &w->arena, &w->me, &e))
		w->me = (struct person){ 0 };
	if (w->me.email && *w->me.email)
		add_address(w, &list, w->me.email, strlen(w->me.email));
	more = setting_get(w->repo, &w->arena, "me");
	while (*more) {
		size_t len = strcspn(more, " ,;\t");
		if (len)
			add_address(w, &list, more, len);
		more += len + (more[len] != '\0');
	}
	n = index_source_rows(w->index, w->scope.repo, &w->arena, &rows);
	for (size_t i = 0; i < n; i++)
		add_login(w, &list, &rows[i]);
	kept = arena_alloc(&w->arena, (list.len + 1) * sizeof(*kept));
	for (size_t i = 0; i < list.len; i++)
		kept[i] = list.items[i];
	w->scope.me = list.len ? (const char *const *)kept : NULL;
	array_release(&list);
}

void work_find_rows(struct work *w)
{
	const char *key = repo_commondir(w->repo);
	struct buf store = BUF_INIT;
	struct view_row view;

	w->scope.repo = index_repo(w->index, key, false);
	w->native = w->private_ = w->scope.view = 0;
	nlog_exists(w->repo, &store);
	if (w->scope.repo) {
		w->native = index_source(w->index, w->scope.repo, "native", store.ptr, NULL, false);
		w->private_ = index_source(w->index, w->scope.repo, "private", key, NULL, false);
		if (index_view(w->index, w->scope.repo, repo_gitdir(w->repo), false, &view))
			w->scope.view = view.id;
	} else {
		w->scope.repo = -1; /* nobody's: not the 0 that means everything */
	}
	buf_release(&store);
}

static bool ask_desk(void *ctx, char letter, const char *digits, struct arena *a, const char **now)
{
	struct work *w = ctx;
	struct err unused = ERR_INIT;

	return !work_desk(w, &unused) && desk_alias(w->desk, letter, digits, a, now);
}

int work_index(struct work *w, struct err *e)
{
	struct err why = ERR_INIT;

	if (w->index)
		return 0;
	if (index_open(&w->index, &why)) {
		if (index_open_memory(&w->index, e))
			return -1;
		work_say_problem(w, "the index is built in memory for this run: %s", why.msg);
	}
	index_ask_alias(w->index, ask_desk, w);
	work_find_rows(w);
	work_find_me(w);
	return 0;
}

void work_tell(struct work *w, const char *what, uint64_t done, uint64_t total)
{
	if (w->progress)
		w->progress(w->progress_ctx, what, done, total);
}

/* ---- on its own ---- */

void work_start(struct work *w, const char *const *words)
{
	struct buf self = BUF_INIT;
	const char *dir = repo_top(w->repo) ? repo_top(w->repo) : repo_gitdir(w->repo);
	const char *argv[8] = { NULL, "-C", dir };
	struct proc p = { .argv = argv, .dir = "/", .flags = PROC_NEW_SESSION | PROC_STDERR_NULL };
	struct err e = ERR_INIT;
	pid_t pid;

	for (size_t i = 0; words[i] && i < ARRAY_SIZE(argv) - 4; i++)
		argv[i + 3] = words[i];
	if (!proc_self(&self))
		return;
	argv[0] = self.ptr;
	if (proc_start(&p, &pid, NULL, &e))
		trace("work", "no process for %s: %s", words[0], e.msg);
	buf_release(&self);
}
