/* SPDX-License-Identifier: MIT */
/*
 * Logs exchanged with a git remote, by git itself: first what others wrote is fetched, then ours is sent, then the index
 * follows.
 */
#include "config.h"
#include <string.h>
#include "killick/base/clock.h"
#include "killick/store/settings.h"
#include "native-private.h"

enum { SYNC_WAIT = 5000 };

static bool has_remote(const struct remote_info *r, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(r[i].name, name))
			return true;
	return false;
}

static const char *upstream_remote(struct work *w)
{
	struct buf branch = BUF_INIT, key = BUF_INIT;
	struct oid head;
	const char *name = NULL;

	repo_head(w->repo, &head, &branch);
	buf_addf(&key, "branch.%s.remote", branch.ptr);
	if (branch.len == 0 || !repo_config(w->repo, CONFIG_ANY, key.ptr, &w->arena, &name))
		name = NULL;
	buf_release(&branch);
	buf_release(&key);
	return name;
}

static const char *choose_remote(struct work *w, struct err *e)
{
	const char *set = setting_get(w->repo, &w->arena, "remote"), *up;
	struct remote_info *r;
	size_t n;

	if (*set)
		return set;
	n = repo_remotes(w->repo, &w->arena, &r);
	up = upstream_remote(w);
	if (up && has_remote(r, n, up))
		return up;
	if (has_remote(r, n, "origin"))
		return "origin";
	if (n == 1)
		return r[0].name;
	if (n)
		err_set(e, ERR_USAGE, "which remote? Name one, or: git config killick.remote NAME");
	else
		err_set(e, ERR_NOT_FOUND, "this repository has no remote to exchange with: git remote add NAME URL");
	return NULL;
}

struct teller { void (*fn)(void *ctx, const char *line); void *ctx; };

static void tell(const struct teller *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void tell(const struct teller *t, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	if (t->fn)
		t->fn(t->ctx, b.ptr);
	buf_release(&b);
}

/* When the last exchange was, and what went wrong; if the index is busy, that is no matter. */
static void note_exchange(struct work *w, const char *problem)
{
	const int64_t now = clock_now();
	struct source_row src;
	struct err e = ERR_INIT;

	if (!problem)
		nlog_exchanged_put(w->log, now);
	if (w->native <= 0 || index_begin(w->index, AFTER_WRITE_WAIT, &e))
		return;
	if (!index_source_get(w->index, w->native, &w->arena, &src)) {
		index_rollback(w->index);
		return;
	}
	src.problem = problem;
	src.synced = problem ? src.synced : now;
	if (index_source_set(w->index, &src, &e))
		index_rollback(w->index);
	else
		index_commit(w->index, &e);
}

int work_sync(struct work *w, const char *remote, void (*progress)(void *ctx, const char *line), void *ctx,
    struct exchange *x, struct err *e)
{
	struct err fetched = ERR_INIT, pushed = ERR_INIT, unused = ERR_INIT;
	const struct teller to = { progress, ctx };
	int idle = (int)setting_int(w->repo, "sync.timeout");
	const char *name;
	int rc;

	*x = (struct exchange){ 0 };
	if (work_index(w, e) || work_log(w, true, e))
		return -1;
	name = remote ? remote : choose_remote(w, e);
	if (!name)
		return -1;
	tell(&to, "%s: fetching", name);
	rc = nlog_fetch(w->log, w->repo, name, 0, idle, x, &fetched);
	if (!rc || fetched.code == ERR_CONFLICT) {
		tell(&to, "%s: %llu new, sending", name, (unsigned long long)x->ops_fetched);
		if (nlog_push(w->log, w->repo, name, 0, idle, x, &pushed))
			rc = -1;
		else
			tell(&to, "%s: %llu sent", name, (unsigned long long)x->ops_pushed);
	}
	work_refresh(w, SYNC_WAIT, &unused);
	if (rc)
		*e = pushed.code ? pushed : fetched;
	note_exchange(w, rc ? e->msg : NULL);
	/* What was written here since the last time has just been sent: else there is nothing new to be packed. */
	if (!rc && (x->logs_fetched || x->logs_pushed) && nlog_gc(w->log, &unused))
		trace("work", "%s", unused.msg);
	return rc;
}
