/* SPDX-License-Identifier: MIT */
/*
 * Fetch: what the remote has goes to refs/killick/remote/<remote>/, without '+' or depth: git itself refuses a log that
 * was rewound or replaced there. What stands there then moves a log of ours, only forward, under store.lock; this
 * device's own log is in no fetch's destination.
 *
 * A refused log is looked at once more, forced, in the same place: then it is either behind what we have (the next push
 * puts it right, any holder may) or it parts from ours: a fork, which stays there, out of the log, and is told.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "exchange.h"

/* What a git that was killed left behind is taken away when it is this old. */
enum { LOCK_TRIES = 13 };

static int fetch_specs(struct ex *x, bool prune, const char *const *specs, size_t n, struct git_run *g, struct err *e)
{
	const char **args = arena_alloc(&x->arena, (n + 10) * sizeof(*args)), *pack = ex_pack_program(x, "uploadpack", "upload-pack");
	size_t k = 0;

	args[k++] = "fetch";
	args[k++] = "--progress";
	args[k++] = "--no-tags";
	args[k++] = "--no-write-fetch-head";
	args[k++] = "--no-recurse-submodules";
	if (prune)
		args[k++] = "--prune";
	if (pack)
		args[k++] = pack;
	args[k++] = "--";
	args[k++] = x->t.url;
	for (size_t i = 0; i < n; i++)
		args[k++] = specs[i];
	args[k] = NULL;
	return ex_git(x, args, g, e);
}

struct name_list { const char **items; size_t len, alloc; };

/* " ! [rejected]  refs/killick/log/W -> refs/killick/remote/H/W  (non-fast-forward)": the writers. */
static void refused_writers(struct ex *x, const char *said, struct name_list *out)
{
	for (const char *p = said; (p = strstr(p, "! [rejected]")); p += 12) {
		const char *line_end = p + strcspn(p, "\n"), *at = strstr(p, " -> ");
		char *copy;
		if (!at || at > line_end)
			continue;
		at += 4;
		copy = arena_memdup(&x->arena, at, strcspn(at, " \n"));
		if (strrchr(copy, '/') && leaf_writer(copy))
			*array_add(out) = leaf_writer(copy);
	}
}

/* What git refused is fetched once more to be looked at; it stays out of the log unless it continues it. */
static int fetch_refused(struct ex *x, const struct name_list *refused, struct err *e)
{
	const char **specs = arena_alloc(&x->arena, (refused->len + 1) * sizeof(*specs));
	struct git_run g = GIT_RUN_INIT;
	int rc;

	for (size_t i = 0; i < refused->len; i++)
		specs[i] = arena_printf(&x->arena, "+%s/%s:%s/%s", x->t.ns, refused->items[i], x->folder,
					refused->items[i]);
	rc = fetch_specs(x, false, specs, refused->len, &g, e);
	if (!rc && g.status)
		rc = transport_fail(&x->t, x->r, &g, "cannot fetch from", e);
	git_run_release(&g);
	return rc;
}

/* "<oid>\t<ns>/<writer>" of a listing; false for every other line. */
static bool listed_log(const char *line, size_t n, const char *ns, char writer[OP_WRITER_HEX], struct oid *o)
{
	size_t len = strlen(ns);
	char hex[GIT_OID_HEX];

	if (n != GIT_OID_HEX + len + OP_WRITER_HEX || line[GIT_OID_HEX - 1] != '\t' || line[GIT_OID_HEX + len] != '/' ||
	    memcmp(line + GIT_OID_HEX, ns, len) != 0)
		return false;
	memcpy(hex, line, GIT_OID_HEX - 1);
	hex[GIT_OID_HEX - 1] = '\0';
	memcpy(writer, line + GIT_OID_HEX + len + 1, OP_WRITER_HEX - 1);
	writer[OP_WRITER_HEX - 1] = '\0';
	return is_writer_id(writer) && oid_parse(hex, o);
}

/* Is each log of the listing what was seen before, and was none more seen? */
static bool listing_is_seen(struct ex *x, const char *said)
{
	char writer[OP_WRITER_HEX];
	struct oid o;
	size_t n = 0;

	while (*said) {
		size_t line = strcspn(said, "\n");
		if (listed_log(said, line, x->t.ns, writer, &o)) {
			const struct oid *had = logs_find(&x->seen, writer);
			if (!had || !oid_equal(had, &o))
				return false;
			n++;
		}
		said += line + (said[line] != '\0');
	}
	return n == x->seen.n;
}

/* The repository's folder, of a remote on this machine that is served as usual; NULL: ask git. */
static const char *folder_here(struct ex *x)
{
	const char *path = x->t.url + (str_starts(x->t.url, "file://") ? strlen("file://") : 0), *inner;

	if (*path != '/' || (path != x->t.url && strchr(path, '%')) || ex_pack_program(x, "uploadpack", "upload-pack"))
		return NULL;
	inner = arena_printf(&x->arena, "%s/.git", path);
	return path_exists(inner) ? inner : path;
}

/* The same by reading its refs as files. What differs, or cannot be read so, is git's to say. */
static bool folder_is_seen(struct ex *x)
{
	struct nlog there = { .path = (char *)folder_here(x) };
	struct err unused = ERR_INIT;
	struct logref *refs;
	size_t n, logs = 0, len = strlen(x->t.ns);

	if (!there.path || logref_list(&there, x->t.ns, &x->arena, &refs, &n, &unused))
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *writer = refs[i].name + len + 1;
		const struct oid *had = is_writer_id(writer) ? logs_find(&x->seen, writer) : NULL;
		if (!is_writer_id(writer))
			continue;
		if (!had || refs[i].broken || !oid_equal(had, &refs[i].oid))
			return false;
		logs++;
	}
	return logs == x->seen.n && logs > 0;
}

/*
 * Of a remote on this machine the refs can be read in less time than git takes to start; if they were seen before, there
 * is nothing to ask. Else a listing costs a third of a fetch (9 ms and 31 ms with 200 logs). Elsewhere the connection is
 * what costs, and a fetch asks for our refs alone, where a listing brings them all.
 */
static int nothing_new(struct ex *x, bool *yes, struct err *e)
{
	const char *pack = ex_pack_program(x, "uploadpack", "upload-pack");
	const char *args[] = { "ls-remote", "--refs", pack ? pack : "--", pack ? "--" : x->t.url, pack ? x->t.url : NULL, NULL };
	struct git_run g = GIT_RUN_INIT;
	int rc = 0;

	*yes = folder_is_seen(x);
	if (!*yes && (*x->t.url == '/' || str_starts(x->t.url, "file://"))) {
		rc = ex_git(x, args, &g, e);
		if (!rc && g.status)
			rc = transport_fail(&x->t, x->r, &g, "cannot fetch from", e);
		*yes = !rc && listing_is_seen(x, g.out.ptr);
	}
	git_run_release(&g);
	return rc;
}

/* A lock file that a killed git left behind: it goes when it is old enough not to be a living one's. */
static bool lock_in_the_way(const struct git_run *g)
{
	return g->status && strstr(g->err.ptr, ".lock'") && strstr(g->err.ptr, "File exists");
}

static int fetch_once(struct ex *x, struct git_run *g, struct err *e)
{
	const char *spec = arena_printf(&x->arena, "%s/*:%s/*", x->t.ns, x->folder);

	for (int i = 0; i < LOCK_TRIES; i++) {
		buf_reset(&g->out);
		buf_reset(&g->err);
		if (fetch_specs(x, true, &spec, 1, g, e))
			return -1;
		if (!lock_in_the_way(g) || nlog_scrub(x->l, NULL, NULL, e))
			break;
		nanosleep(&(struct timespec){ .tv_sec = i > 0 }, NULL);
	}
	return 0;
}

static int fetch_all(struct ex *x, struct err *e)
{
	struct name_list refused = ARRAY_INIT;
	struct git_run g = GIT_RUN_INIT;
	int rc = fetch_once(x, &g, e);

	if (!rc && g.status) {
		refused_writers(x, g.err.ptr, &refused);
		rc = refused.len ? fetch_refused(x, &refused, e) : transport_fail(&x->t, x->r, &g, "cannot fetch from", e);
	}
	array_release(&refused);
	git_run_release(&g);
	return rc;
}

/* ---- moving the logs on ---- */

static int take_ahead(struct ex *x, const char *name, const struct oid *ours, const struct oid *theirs, struct err *e)
{
	struct tail t;

	if (logref_write(x->l, name, ours, theirs, e))
		return -1;
	x->x->logs_fetched++;
	x->x->ops_fetched += ops_between(x->l, ours, theirs);
	if (!tail_read(x->l, theirs, &t, NULL) && t.any && !nlog_accepts(x->l, t.repo))
		x->x->foreign++;
	return 0;
}

/* The same ops in other commits, as an import makes them: one chain of commits is as good as the other, so everybody
 * takes the remote's, with what only we have behind it. */
static int take_grafted(struct ex *x, const char *name, const struct oid *ours, const struct oid *joined,
    const struct oid *theirs, struct err *e)
{
	if (logref_write(x->l, name, ours, joined, e))
		return -1;
	x->x->logs_fetched++;
	x->x->ops_fetched += ops_between(x->l, ours, theirs);
	return 0;
}

static int follow_log(struct ex *x, const char *writer, const struct oid *theirs, const struct oid *before, struct err *e)
{
	const struct oid *found = logs_find(&x->logs, writer);
	bool own = !strcmp(writer, x->l->id.writer), is_new = !before || !oid_equal(before, theirs);
	struct oid ours = found ? *found : OID_ZERO;
	enum relation rel = AHEAD;
	struct oid joined;
	char name[REF_NAME_MAX];
	bool met;
	int same;

	logref_name(name, LOG_REFS, NULL, writer);
	if (found && relate(x->l, theirs, &ours, &rel, e))
		return -1;
	/* A log that is new here is walked whole, as relate does with one that goes on: nothing missing, nothing huge. */
	if (!found && chain_walk(x->l, theirs, &OID_ZERO, NULL, &met, e))
		return -1;
	if (rel == SAME || rel == BEHIND)
		return 0;
	if (rel == FORKED && (same = log_graft(x->l, theirs, &ours, &joined, e)))
		return same < 0 ? -1 : take_grafted(x, name, &ours, &joined, theirs, e);
	if (own)
		return own_log_moved(x, &ours, theirs, rel, e);
	if (rel == AHEAD || was_rescued(x->l, writer, &ours))
		return take_ahead(x, name, &ours, theirs, e);
	ex_tell_fork(x, writer, is_new);
	return 0;
}

/* What the remote had and has no more, although nobody here took it back. */
static int tell_lost(struct ex *x, const struct logs *before, struct err *e)
{
	for (size_t i = 0; i < before->n; i++) {
		const char *writer = leaf_writer(before->refs[i].name);
		const struct oid *theirs = writer ? logs_find(&x->seen, writer) : NULL;
		enum relation rel = BEHIND;
		if (!writer || before->refs[i].broken)
			continue;
		if (theirs && relate(x->l, theirs, &before->refs[i].oid, &rel, e))
			return -1;
		if (rel != BEHIND)
			continue;
		x->x->rewound++;
		x->told++;
		ex_note(x, "the log of writer %.8s on '%s' lost what it had: nothing was lost here, and the next push puts it "
			"back", writer, x->t.label);
	}
	return 0;
}

/* A store that has said nothing yet takes the repository id of the logs it finds, if none has its own. */
static int adopt_repo_id(struct ex *x, struct err *e)
{
	const struct logs *now = &x->seen;
	const char *best = NULL;
	size_t votes = 0;
	struct tail own, *tails = arena_alloc(&x->arena, (now->n + 1) * sizeof(*tails));

	if (!x->x->logs_fetched)
		return 0;
	if (tail_of(x->l, x->l->id.writer, &own, NULL) || own.any)
		return 0;
	for (size_t i = 0; i < now->n; i++)
		if (!leaf_writer(now->refs[i].name) || tail_read(x->l, &now->refs[i].oid, &tails[i], NULL))
			tails[i].any = false;
	for (size_t i = 0; i < now->n; i++) {
		size_t n = 0;
		if (!tails[i].any)
			continue;
		if (nlog_accepts(x->l, tails[i].repo))
			return 0;
		for (size_t k = 0; k < now->n; k++)
			n += tails[k].any && !strcmp(tails[k].repo, tails[i].repo);
		if (n > votes || (n == votes && strcmp(tails[i].repo, best) < 0)) {
			votes = n;
			best = tails[i].repo;
		}
	}
	if (!best)
		return 0;
	if (store_set_repo_id(x->l, best, e))
		return -1;
	x->x->adopted = true;
	x->x->foreign = 0;
	for (size_t i = 0; i < now->n; i++)
		x->x->foreign += tails[i].any && !nlog_accepts(x->l, tails[i].repo);
	return 0;
}

/* A log that cannot be read does not keep the others out. */
static int follow_or_note(struct ex *x, const char *writer, const struct oid *theirs, const struct oid *before, struct err *e)
{
	struct err why = ERR_INIT;

	if (!follow_log(x, writer, theirs, before, &why))
		return 0;
	if (why.code != ERR_BAD_DATA && why.code != ERR_NOT_FOUND)
		return err_set(e, why.code, "%s", why.msg);
	ex_note(x, "the log of writer %.8s cannot be read: %s", writer, why.msg);
	return 0;
}

static int apply_locked(struct ex *x, const struct logs *before, struct err *e)
{
	int rc = ex_load(x, e);

	rc = rc ? rc : tell_lost(x, before, e);
	for (size_t i = 0; i < x->seen.n && !rc; i++) {
		const struct logref *r = &x->seen.refs[i];
		const char *writer = leaf_writer(r->name);
		if (writer && !r->broken)
			rc = follow_or_note(x, writer, &r->oid, logs_find(before, writer), e);
	}
	return rc ? rc : adopt_repo_id(x, e);
}

static int apply_seen(struct ex *x, const struct logs *before, struct err *e)
{
	struct lock lk = LOCK_INIT;
	int rc;

	if (store_lock(x->l, &lk, STORE_WAIT_MS, e))
		return -1;
	rc = bulk_read_begin(x->l, e);
	if (!rc) {
		logref_many(x->l, true);
		rc = apply_locked(x, before, e);
		logref_many(x->l, false);
		bulk_read_end();
	}
	lock_release(&lk);
	return rc;
}

/* Does every log here hold exactly what the remote has? Then there is nothing to compare, and libgit2 can sleep. */
static bool logs_are_seen(const struct ex *x)
{
	for (size_t i = 0; i < x->seen.n; i++) {
		const char *writer = leaf_writer(x->seen.refs[i].name);
		const struct oid *ours = writer ? logs_find(&x->logs, writer) : NULL;
		if (writer && (!ours || !oid_equal(ours, &x->seen.refs[i].oid)))
			return false;
	}
	return true;
}

int nlog_fetch(struct nlog *l, struct repo *r, const char *remote, int timeout_ms, int idle_ms, struct exchange *out,
    struct err *e)
{
	struct logs before;
	struct ex x;
	bool same = false;
	int rc = ex_init(&x, l, r, remote, false, timeout_ms, idle_ms, out, e);

	before = x.seen;
	rc = rc ? rc : nothing_new(&x, &same, e);
	if (!rc && !same)
		rc = fetch_all(&x, e);
	if (!rc && (!same || !logs_are_seen(&x)))
		rc = apply_seen(&x, &before, e);
	if (!rc && out->foreign)
		ex_note(&x, "%u logs were written for another repository and are kept out: 'killick doctor' names them, 'killick "
			"init --join' takes them", out->foreign);
	if (!rc && x.told)
		rc = err_set(e, ERR_CONFLICT, "%s", x.note.ptr);
	ex_release(&x);
	return rc;
}
