/* SPDX-License-Identifier: MIT */
/*
 * What fetch and push share. What a remote was last seen to have is kept in refs/killick/remote/<remote>/: it makes a
 * push with nothing new free of any connection, tells what a remote lost, and holds what is kept out of a log.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exchange.h"
#include "killick/base/clock.h"
#include "killick/base/file.h"

enum { BUSY_WAIT_MS = 10000, LOOSE_REFS_MAX = 64 };

void ex_note(struct ex *x, const char *fmt, ...)
{
	va_list ap;

	if (x->note.len)
		buf_addstr(&x->note, "; ");
	va_start(ap, fmt);
	buf_vaddf(&x->note, fmt, ap);
	va_end(ap);
}

/* The logs right in a folder, of a sorted list: other names, also deeper ones, are none that we would give. */
static struct logs logs_of(struct ex *x, const struct logref *refs, size_t n, const char *folder)
{
	struct logref *out = arena_alloc(&x->arena, (n + 1) * sizeof(*out));
	struct logs v = { out, 0 };
	size_t len = strlen(folder);

	for (size_t i = 0; i < n; i++)
		if (!strncmp(refs[i].name, folder, len) && refs[i].name[len] == '/' && is_writer_id(refs[i].name + len + 1))
			out[v.n++] = refs[i];
	return v;
}

static int load_refs(struct ex *x, bool *broken, struct err *e)
{
	struct logref *refs;
	size_t n;

	if (logref_list(x->l, "refs/killick", &x->arena, &refs, &n, e))
		return -1;
	x->seen = logs_of(x, refs, n, x->folder);
	x->logs = logs_of(x, refs, n, LOG_REFS);
	*broken = false;
	for (size_t i = 0; i < n; i++)
		*broken = *broken || refs[i].broken;
	return 0;
}

int ex_load(struct ex *x, struct err *e)
{
	bool broken;

	return load_refs(x, &broken, e);
}

/* Whoever holds the lock has written down who it is; its own last change is since when. */
static int say_busy(const char *path, struct err *e)
{
	struct buf text = BUF_INIT;
	struct err unused = ERR_INIT;
	struct stat st = { 0 };
	int64_t min;
	uint64_t pid;

	min = stat(path, &st) ? 0 : (clock_now() / 1000 - (int64_t)st.st_mtim.tv_sec) / 60;
	if (!file_read(path, 32, &text, &unused))
		buf_rtrim(&text);
	if (str_to_u64(text.ptr, INT32_MAX, &pid) && pid)
		err_set(e, ERR_BUSY, "another killick is exchanging with a remote (process %llu, for %lld min): try again when it is done;"
			" if it hangs, 'kill %llu' ends it and nothing is lost", (unsigned long long)pid, (long long)(min > 0 ? min : 0),
			(unsigned long long)pid);
	else
		err_set(e, ERR_BUSY, "another killick is exchanging with a remote: try again when it is done");
	buf_release(&text);
	return -1;
}

static int exchange_lock(struct nlog *l, struct lock *busy, int wait_ms, struct err *e)
{
	struct buf path = BUF_INIT;
	const int64_t now = clock_now();
	const struct timespec at = { .tv_sec = now / 1000, .tv_nsec = now % 1000 * 1000000 };
	int rc = lock_take(busy, store_side(l, &path, "exchange.lock"), wait_ms, e);

	if (rc && e->code == ERR_BUSY)
		rc = say_busy(path.ptr, e);
	/* A full disk keeps nobody from it. */
	if (!rc && (ftruncate(busy->fd, 0) || dprintf(busy->fd, "%ld\n", (long)getpid()) < 0 ||
	    futimens(busy->fd, (const struct timespec[]){ at, at })))
		trace("log", "%s: %s", path.ptr, strerror(errno));
	buf_release(&path);
	return rc;
}

int64_t nlog_exchanged(const char *store)
{
	const char *slash = strrchr(store, '/');
	char *path = xasprintf("%.*s/exchanged", slash ? (int)(slash - store) : 0, store);
	struct stat st;
	int64_t when = 0;

	if (!stat(path, &st))
		when = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	free(path);
	return when;
}

void nlog_exchanged_put(struct nlog *l, int64_t when)
{
	struct buf path = BUF_INIT;
	const struct timespec at = { .tv_sec = when / 1000, .tv_nsec = when % 1000 * 1000000 };
	int fd = open(store_side(l, &path, "exchanged"), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || futimens(fd, (const struct timespec[]){ at, at }))
		trace("log", "%s: %s", path.ptr, strerror(errno));
	if (fd >= 0)
		close(fd);
	buf_release(&path);
}

int ex_init(struct ex *x, struct nlog *l, struct repo *r, const char *remote, bool push, int timeout_ms,
    int idle_ms, struct exchange *out, struct err *e)
{
	bool broken = false;
	int rc;

	*x = (struct ex){ .l = l, .r = r, .x = out, .busy = LOCK_INIT, .idle_ms = idle_ms };
	buf_init(&x->note);
	if (timeout_ms > 0)
		x->deadline = clock_mono() + timeout_ms;
	if (target_init(&x->t, r, remote, push, e))
		return -1;
	x->folder = arena_printf(&x->arena, "%s/%s", REMOTE_REFS, x->t.hash);
	rc = exchange_lock(l, &x->busy, BUSY_WAIT_MS, e);
	rc = rc ? rc : load_refs(x, &broken, e);
	/* git gives up on every ref when one is damaged. */
	if (!rc && broken)
		rc = nlog_scrub(l, NULL, &x->note, e) || ex_load(x, e) ? -1 : 0;
	buf_rtrim(&x->note);
	return rc;
}

void ex_release(struct ex *x)
{
	size_t n = strlen(x->x->note);

	if (x->note.len)
		snprintf(x->x->note + n, sizeof(x->x->note) - n, "%s%s", n ? "; " : "", x->note.ptr);
	lock_release(&x->busy);
	buf_release(&x->note);
	target_release(&x->t);
	arena_release(&x->arena);
}

int ex_git(struct ex *x, const char *const *args, struct git_run *g, struct err *e)
{
	int64_t left = x->deadline ? x->deadline - clock_mono() : 0;
	struct err why = ERR_INIT;

	g->network = true;
	g->url = x->t.url;
	g->remote = x->t.name;
	g->timeout_ms = !x->deadline ? 0 : left > 1 ? (int)left : 1;
	g->idle_ms = x->idle_ms;
	if (!store_git(x->l, x->r, args, g, &why))
		return 0;
	if (why.code == ERR_CANCELLED && x->deadline && clock_mono() >= x->deadline)
		return err_set(e, ERR_OFFLINE, "'%s' did not answer in time", x->t.label);
	if (why.code == ERR_CANCELLED && x->idle_ms)
		return err_set(e, ERR_OFFLINE, "no answer from '%s' for %.3g s: try again later ('git config "
		    "killick.sync.timeout' sets how long to wait)", x->t.label, x->idle_ms / 1000.0);
	return err_set(e, why.code, "%s", why.msg);
}

/* ---- refs ---- */

const char *leaf_writer(const char *ref)
{
	const char *leaf = strrchr(ref, '/') + 1;

	return is_writer_id(leaf) ? leaf : NULL;
}

const struct oid *logs_find(const struct logs *s, const char *writer)
{
	for (size_t lo = 0, hi = s->n; lo < hi;) {
		size_t mid = (lo + hi) / 2;
		int c = strcmp(strrchr(s->refs[mid].name, '/') + 1, writer);
		if (!c)
			return s->refs[mid].broken ? NULL : &s->refs[mid].oid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const char *ex_pack_program(struct ex *x, const char *key, const char *opt)
{
	const char *v;

	if (!x->t.name || !repo_config(x->r, CONFIG_USER, arena_printf(&x->arena, "remote.%s.%s", x->t.name, key), &x->arena,
				       &v))
		return NULL;
	return arena_printf(&x->arena, "--%s=%s", opt, v);
}

void ex_tell_fork(struct ex *x, const char *writer, bool is_new)
{
	x->x->forks++;
	x->told += is_new;
	ex_note(x, "the log of writer %.8s on '%s' parts from the one here (a restored backup, a copied folder, or somebody "
		"replaced it): it is kept out; 'killick doctor' says more", writer, x->t.label);
}

/* ---- how two states of one log stand to each other ---- */

/* Of a to b. The end with the higher number is walked first: then the answer mostly costs what was added. */
int relate(struct nlog *l, const struct oid *a, const struct oid *b, enum relation *out, struct err *e)
{
	struct tail ta, tb;
	bool longer;
	int has;

	*out = SAME;
	if (oid_equal(a, b))
		return 0;
	longer = tail_read(l, a, &ta, NULL) || tail_read(l, b, &tb, NULL) || ta.seq > tb.seq;
	for (int i = 0; i < 2; i++, longer = !longer) {
		has = longer ? chain_has(l, a, b, e) : chain_has(l, b, a, e);
		if (has < 0)
			return -1;
		if (has) {
			*out = longer ? AHEAD : BEHIND;
			return 0;
		}
	}
	*out = FORKED;
	return 0;
}

/* Ops in the log up to this head, by its last op's number; 0 when that cannot be read. */
static uint64_t ops_upto(struct nlog *l, const struct oid *head)
{
	struct tail t;

	return oid_is_zero(head) || tail_read(l, head, &t, NULL) || !t.any ? 0 : t.seq + 1;
}

uint64_t ops_between(struct nlog *l, const struct oid *older, const struct oid *newer)
{
	uint64_t a = ops_upto(l, older), b = ops_upto(l, newer);

	return b > a ? b - a : 0;
}

/* ---- what needs no remote ---- */

uint64_t nlog_unpushed(struct nlog *l)
{
	struct arena a = ARENA_INIT;
	struct logref *refs;
	struct tail own;
	uint64_t best = 0;
	size_t n = 0;

	if (tail_of(l, l->id.writer, &own, NULL) || !own.any || logref_list(l, REMOTE_REFS, &a, &refs, &n, NULL))
		n = 0;
	for (size_t i = 0; i < n; i++) {
		const char *writer = leaf_writer(refs[i].name);
		uint64_t ops = writer && !strcmp(writer, l->id.writer) && !refs[i].broken ? ops_upto(l, &refs[i].oid) : 0;
		best = ops > best ? ops : best;
	}
	arena_release(&a);
	return own.any && own.seq + 1 > best ? own.seq + 1 - best : 0;
}

static int pack_refs(struct nlog *l, struct err *e)
{
	static const char *const args[] = { "pack-refs", "--all", "--prune", NULL };
	struct arena a = ARENA_INIT;
	struct git_run g = GIT_RUN_INIT;
	struct lock lk = LOCK_INIT;
	struct logref *refs;
	size_t n, loose = 0;
	int rc = logref_list(l, "refs", &a, &refs, &n, e);

	for (size_t i = 0; !rc && i < n; i++)
		loose += refs[i].loose;
	/* Nobody may write a log's ref while git takes the loose file away. */
	if (!rc && loose > LOOSE_REFS_MAX && !(rc = store_lock(l, &lk, STORE_WAIT_MS, e))) {
		rc = store_git(l, l->repo, args, &g, e);
		if (!rc && g.status)
			rc = err_set(e, ERR_FAILED, "git pack-refs in '%s': %.300s", l->path, g.err.ptr);
		lock_release(&lk);
	}
	git_run_release(&g);
	arena_release(&a);
	return rc;
}

int nlog_gc(struct nlog *l, struct err *e)
{
	static const char *const args[] = {
		"-c", "gc.auto=1000", "-c", "gc.autoDetach=false", "-c", "gc.packRefs=false", "gc", "--auto", "--quiet", NULL,
	};
	struct git_run g = GIT_RUN_INIT;
	struct lock busy = LOCK_INIT;
	int rc = exchange_lock(l, &busy, 0, e);

	rc = rc ? rc : nlog_scrub(l, NULL, NULL, e);
	rc = rc ? rc : store_git(l, l->repo, args, &g, e);
	if (!rc && g.status)
		rc = err_set(e, ERR_FAILED, "git gc in '%s': %.300s", l->path, g.err.ptr);
	git_run_release(&g);
	rc = rc ? rc : pack_refs(l, e);
	lock_release(&busy);
	return rc;
}
