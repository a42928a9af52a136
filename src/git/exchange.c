/* SPDX-License-Identifier: MIT */
/*
 * Fetch and push of logs.
 *
 * A fetch goes to refs/killick/remote/<remote>/, what this remote was last seen to have, without '+' or depth: git itself
 * refuses a log that was rewound or replaced there. What is there then moves a log of ours only forward, under
 * store.lock; this device's own log is never touched by it. Knowing what a remote has makes a push with nothing new free
 * of any connection, a fetch with nothing new one listing of one namespace (git fetch asks for that prefix alone,
 * ls-remote could not), and shows when the remote lost something.
 *
 * A refused log is looked at once more, forced, into the same place: then it is either behind what we have (the next
 * push puts it right, any holder may) or it parts from ours (a fork: kept there, kept out of the log, told).
 *
 * When the remote knows more of this device's own log than the device, the store was restored from a backup, or a copy of
 * it lives elsewhere. The device then takes a new writer id; ops that only it has are written again under that id, in
 * one step, with the clock values they had. The id is derived from the old one and the lost head, so that a process
 * that dies in between does not write them twice.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "killick/base/clock.h"
#include "nlog.h"

/* Hosts failed on pushes of many refs at once (trust.md 3.2). */
enum { PUSH_REFS_MAX = 100, BUSY_WAIT_MS = 10000, LOOSE_REFS_MAX = 64 };

struct ex {
	struct nlog *l;
	struct repo *r;
	struct exchange *x;
	struct target t;
	struct arena arena;
	struct lock busy;
	struct buf note;
	int64_t deadline;    /* 0: none */
	unsigned told;       /* forks and rewinds that were not known before */
};

static void ex_note(struct ex *x, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void ex_note(struct ex *x, const char *fmt, ...)
{
	va_list ap;

	if (x->note.len)
		buf_addstr(&x->note, "; ");
	va_start(ap, fmt);
	buf_vaddf(&x->note, fmt, ap);
	va_end(ap);
}

static int ex_init(struct ex *x, struct nlog *l, struct repo *r, const char *remote, bool push, int timeout_ms,
    struct exchange *out, struct err *e)
{
	struct buf path = BUF_INIT;
	int rc;

	*x = (struct ex){ .l = l, .r = r, .x = out, .busy = LOCK_INIT };
	buf_init(&x->note);
	*out = (struct exchange){ .logs_fetched = 0 };
	if (timeout_ms > 0)
		x->deadline = clock_mono() + timeout_ms;
	if (target_init(&x->t, l, r, remote, push, e))
		return -1;
	rc = lock_take(&x->busy, store_side(l, &path, "exchange.lock"), BUSY_WAIT_MS, e);
	buf_release(&path);
	return rc;
}

static void ex_release(struct ex *x)
{
	snprintf(x->x->note, sizeof(x->x->note), "%s", x->note.ptr);
	lock_release(&x->busy);
	buf_release(&x->note);
	target_release(&x->t);
	arena_release(&x->arena);
}

static int ex_git(struct ex *x, const char *const *args, struct git_run *g, struct err *e)
{
	int64_t left = x->deadline ? x->deadline - clock_mono() : 0;
	struct err why = ERR_INIT;

	g->network = true;
	g->url = x->t.url;
	g->remote = x->t.name;
	g->timeout_ms = !x->deadline ? 0 : left > 1 ? (int)left : 1;
	if (!store_git(x->l, x->r, args, g, &why))
		return 0;
	if (why.code == ERR_CANCELLED)
		return err_set(e, ERR_OFFLINE, "'%s' did not answer in time", x->t.label);
	return err_set(e, why.code, "%s", why.msg);
}

/* ---- how two states of one log stand to each other ---- */

enum relation { SAME, AHEAD, BEHIND, FORKED };

/* Of a to b. The end with the higher number is walked first: then the answer mostly costs what was added. */
static int relate(struct nlog *l, const struct oid *a, const struct oid *b, enum relation *out, struct err *e)
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

static uint64_t ops_between(struct nlog *l, const struct oid *older, const struct oid *newer)
{
	uint64_t a = ops_upto(l, older), b = ops_upto(l, newer);

	return b > a ? b - a : 0;
}

/* ---- what the remote has ---- */

static const char *seen_folder(struct ex *x)
{
	return arena_printf(&x->arena, "%s/%s", REMOTE_REFS, x->t.hash);
}

static const char *leaf_writer(const char *ref)
{
	const char *leaf = strrchr(ref, '/') + 1;

	return is_writer_id(leaf) ? leaf : NULL;
}

struct seen { struct logref *refs; size_t n; };

static int seen_load(struct ex *x, struct seen *s, struct err *e)
{
	return logref_list(x->l, seen_folder(x), &x->arena, &s->refs, &s->n, e);
}

static const struct oid *seen_find(const struct seen *s, const char *writer)
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

/* "<user's> remote.<name>.uploadpack": the program on the other side. */
static const char *pack_program(struct ex *x, const char *key, const char *opt)
{
	const char *v;

	if (!x->t.name || !repo_config(x->r, CONFIG_USER, arena_printf(&x->arena, "remote.%s.%s", x->t.name, key), &x->arena,
				       &v))
		return NULL;
	return arena_printf(&x->arena, "--%s=%s", opt, v);
}

static int fetch_specs(struct ex *x, bool prune, const char *const *specs, size_t n, struct git_run *g, struct err *e)
{
	const char **args = arena_alloc(&x->arena, (n + 10) * sizeof(*args)), *pack = pack_program(x, "uploadpack", "upload-pack");
	size_t k = 0;

	args[k++] = "fetch";
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
		specs[i] = arena_printf(&x->arena, "+%s/%s:%s/%s", x->t.ns, refused->items[i], seen_folder(x),
					refused->items[i]);
	rc = fetch_specs(x, false, specs, refused->len, &g, e);
	if (!rc && g.status)
		rc = transport_fail(&x->t, x->r, &g, "cannot fetch from", e);
	git_run_release(&g);
	return rc;
}

static int fetch_all(struct ex *x, struct err *e)
{
	const char *spec = arena_printf(&x->arena, "%s/*:%s/*", x->t.ns, seen_folder(x));
	struct name_list refused = ARRAY_INIT;
	struct git_run g = GIT_RUN_INIT;
	int rc = fetch_specs(x, true, &spec, 1, &g, e);

	if (!rc && g.status) {
		refused_writers(x, g.err.ptr, &refused);
		rc = refused.len ? fetch_refused(x, &refused, e) : transport_fail(&x->t, x->r, &g, "cannot fetch from", e);
	}
	array_release(&refused);
	git_run_release(&g);
	return rc;
}

/* ---- this device's own log, when the remote knows it better ---- */

/* The same for the same loss, wherever a process died. */
static void successor(const char *writer, const struct oid *head, char out[OP_WRITER_HEX])
{
	char text[128], hex[GIT_OID_HEX];
	uint8_t sum[SHA256_SIZE];

	snprintf(text, sizeof(text), "killick fork\n%s\n%s\n", writer, oid_hex(hex, head));
	hash_sha256(sum, text, strlen(text));
	hex_encode(out, sum, 16);
}

static int oid_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct oid));
}

/* The commits of mine that theirs does not have, newest first. */
static int only_mine(struct nlog *l, const struct oid *mine, const struct oid *theirs, struct oid_list *out, struct err *e)
{
	struct oid_list have = ARRAY_INIT, all = ARRAY_INIT;
	bool met;
	int rc = chain_walk(l, theirs, &OID_ZERO, &have, &met, e);

	rc = rc ? rc : chain_walk(l, mine, &OID_ZERO, &all, &met, e);
	if (!rc && have.len)
		qsort(have.items, have.len, sizeof(*have.items), oid_cmp);
	for (size_t i = 0; !rc && i < all.len; i++) {
		if (have.len && bsearch(&all.items[i], have.items, have.len, sizeof(*have.items), oid_cmp))
			break;
		*array_add(out) = all.items[i];
	}
	array_release(&have);
	array_release(&all);
	return rc;
}

/* Ids of ops that were written again. */
struct renamed { char from[SHA256_HEX], to[SHA256_HEX]; };
struct renames { struct renamed *items; size_t len, alloc; };

static const char *renamed_to(const struct renames *n, const char *id)
{
	for (size_t i = 0; id && i < n->len; i++)
		if (!strcmp(n->items[i].from, id))
			return n->items[i].to;
	return NULL;
}

/* One op again, as the next of the new writer's chain. Signatures are over the old chain and stay behind. */
static int rewrite_op(struct nlog *l, const char *writer, const char *line, size_t n, struct tail *t, struct renames *names,
    struct err *e)
{
	static const char *const refs[] = { "post", "reply_to" };
	struct renamed *one;
	struct op op;
	json_t *payload;
	const char *to;
	int rc;

	if (op_decode(line, n, &op, NULL))
		return 0;
	if (op.type == OP_SIGN) {
		op_release(&op);
		return 0;
	}
	payload = json_copy(op.payload);
	for (size_t i = 0; i < ARRAY_SIZE(refs); i++)
		if ((to = renamed_to(names, json_get_str(payload, refs[i]))))
			json_put_str(payload, refs[i], to);
	if ((to = renamed_to(names, op.entity)))
		memcpy(op.entity, to, sizeof(op.entity));
	op.payload = payload;
	one = array_add(names);
	memcpy(one->from, op.id, sizeof(one->from));
	rc = chain_extend(l, writer, t, &op, 1, "Written again under a new writer id", 0, true, NULL, e);
	memcpy(one->to, op.id, sizeof(one->to));
	json_decref(payload);
	op_release(&op);
	return rc;
}

static int rewrite_ops(struct nlog *l, const char *writer, struct oid_list *todo, struct tail *t, struct err *e)
{
	struct renames names = ARRAY_INIT;
	int rc = 0;

	while (!rc && todo->len) {
		const char *p, *line;
		struct entry en;
		size_t n;
		rc = entry_read(l, &todo->items[--todo->len], &en, e);
		if (rc)
			break;
		p = en.text;
		while (!rc && entry_line(&p, en.text + en.len, &line, &n))
			rc = rewrite_op(l, writer, line, n, t, &names, e);
		entry_release(&en);
	}
	array_release(&names);
	return rc;
}

/* Ops that only this device has go to a new writer's log; the old head stays reachable as refs/killick/fork/…. */
static int rescue_ops(struct nlog *l, const struct oid *mine, const struct oid *theirs, const char *writer, struct err *e)
{
	struct oid_list todo = ARRAY_INIT;
	struct tail t = { .any = false };
	char name[REF_NAME_MAX], hex[GIT_OID_HEX];
	struct oid there;
	int found, rc;

	logref_name(name, FORK_REFS, l->id.writer, oid_hex(hex, mine));
	if (logref_write(l, name, NULL, mine, e))
		return -1;
	logref_name(name, LOG_REFS, NULL, writer);
	found = logref_read(l, name, &there, e);
	if (found)
		return found < 0 ? -1 : 0;
	rc = only_mine(l, mine, theirs, &todo, e);
	rc = rc ? rc : rewrite_ops(l, writer, &todo, &t, e);
	if (!rc && t.any)
		rc = logref_write(l, name, &OID_ZERO, &t.head, e);
	array_release(&todo);
	return rc;
}

/* mine is zero when there is no own log. */
static int own_log_moved(struct ex *x, const struct oid *mine, const struct oid *theirs, enum relation theirs_is,
    struct err *e)
{
	static const char why[] = "this device's log was restored from a copy or a copy of it is in use elsewhere, so the "
				  "device writes under a new id from now on";
	char name[REF_NAME_MAX], writer[OP_WRITER_HEX];

	logref_name(name, LOG_REFS, NULL, x->l->id.writer);
	random_writer(writer);
	if (theirs_is == FORKED) {
		successor(x->l->id.writer, mine, writer);
		if (rescue_ops(x->l, mine, theirs, writer, e))
			return -1;
	}
	if (store_set_writer(x->l, writer, why, e) || logref_write(x->l, name, mine, theirs, e))
		return -1;
	x->x->new_writer = true;
	x->x->logs_fetched++;
	x->x->ops_fetched += ops_between(x->l, mine, theirs);
	ex_note(x, "%s", why);
	return 0;
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

/* A fork of ours that was rescued here before, when the process died before the last step. */
static bool was_rescued(struct nlog *l, const char *writer, const struct oid *ours)
{
	char name[REF_NAME_MAX], next[OP_WRITER_HEX];
	struct oid o;

	successor(writer, ours, next);
	logref_name(name, LOG_REFS, NULL, next);
	return logref_read(l, name, &o, NULL) > 0;
}

static void tell_fork(struct ex *x, const char *writer, bool is_new)
{
	x->x->forks++;
	x->told += is_new;
	ex_note(x, "the log of writer %.8s on '%s' parts from the one here (a restored backup, a copied folder, or somebody "
		"replaced it): it is kept out", writer, x->t.label);
}

static int follow_log(struct ex *x, const char *writer, const struct oid *theirs, const struct oid *before, struct err *e)
{
	bool own = !strcmp(writer, x->l->id.writer), is_new = !before || !oid_equal(before, theirs);
	struct oid ours = OID_ZERO;
	enum relation rel = AHEAD;
	char name[REF_NAME_MAX];
	bool met;
	int found;

	logref_name(name, LOG_REFS, NULL, writer);
	found = logref_read(x->l, name, &ours, e);
	if (found < 0 || (found && relate(x->l, theirs, &ours, &rel, e)))
		return -1;
	/* A log that is new here is walked whole, as relate does with one that goes on: nothing missing, nothing huge. */
	if (!found && chain_walk(x->l, theirs, &OID_ZERO, NULL, &met, e))
		return -1;
	if (rel == SAME || rel == BEHIND)
		return 0;
	if (own)
		return own_log_moved(x, &ours, theirs, rel, e);
	if (rel == AHEAD || was_rescued(x->l, writer, &ours))
		return take_ahead(x, name, &ours, theirs, e);
	tell_fork(x, writer, is_new);
	return 0;
}

/* What the remote had and has no more, although nobody here took it back. */
static int tell_lost(struct ex *x, const struct seen *before, const struct seen *now, struct err *e)
{
	for (size_t i = 0; i < before->n; i++) {
		const char *writer = leaf_writer(before->refs[i].name);
		const struct oid *theirs = writer ? seen_find(now, writer) : NULL;
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
static int adopt_repo_id(struct ex *x, const struct seen *now, struct err *e)
{
	const char *best = NULL;
	size_t votes = 0;
	struct tail own, *tails = arena_alloc(&x->arena, (now->n + 1) * sizeof(*tails));

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

static int apply_seen(struct ex *x, const struct seen *before, struct err *e)
{
	struct lock lk = LOCK_INIT;
	struct seen now;
	int rc;

	if (seen_load(x, &now, e) || store_lock(x->l, &lk, STORE_WAIT_MS, e))
		return -1;
	bulk_reading(true);
	rc = tell_lost(x, before, &now, e);
	for (size_t i = 0; i < now.n && !rc; i++) {
		const char *writer = leaf_writer(now.refs[i].name);
		struct err why = ERR_INIT;
		if (!writer || now.refs[i].broken)
			continue;
		rc = follow_log(x, writer, &now.refs[i].oid, seen_find(before, writer), &why);
		/* A log that cannot be read does not keep the others out. */
		if (rc && (why.code == ERR_BAD_DATA || why.code == ERR_NOT_FOUND)) {
			ex_note(x, "the log of writer %.8s cannot be read: %s", writer, why.msg);
			rc = 0;
		} else if (rc) {
			err_set(e, why.code, "%s", why.msg);
		}
	}
	if (!rc)
		rc = adopt_repo_id(x, &now, e);
	bulk_reading(false);
	lock_release(&lk);
	return rc;
}

static int mend_refs(struct nlog *l, struct err *e)
{
	struct lock lk = LOCK_INIT;
	int rc;

	if (store_lock(l, &lk, STORE_WAIT_MS, e))
		return -1;
	rc = scrub_locked(l, NULL, NULL, e);
	lock_release(&lk);
	return rc;
}

static int conflict(const struct ex *x, struct err *e)
{
	return err_set(e, ERR_CONFLICT, "%s", x->note.ptr);
}

int nlog_fetch(struct nlog *l, struct repo *r, const char *remote, int timeout_ms, struct exchange *out, struct err *e)
{
	struct seen before;
	struct ex x;
	int rc = ex_init(&x, l, r, remote, false, timeout_ms, out, e);

	rc = rc ? rc : mend_refs(l, e);
	rc = rc ? rc : seen_load(&x, &before, e);
	rc = rc ? rc : fetch_all(&x, e);
	rc = rc ? rc : apply_seen(&x, &before, e);
	if (!rc && out->foreign)
		ex_note(&x, "%u logs were written for another repository and are kept out: 'killick doctor' names them, 'killick "
			"init --join' takes them", out->foreign);
	if (!rc && x.told)
		rc = conflict(&x, e);
	ex_release(&x);
	return rc;
}

/* ---- push ---- */

/* One log to send. */
struct parcel {
	char writer[OP_WRITER_HEX];
	struct oid head, had;   /* had: what the remote was known to have, zero for nothing */
	bool own;
};
struct parcels { struct parcel *items; size_t len, alloc; };

/* Does this log belong to the remote, and has it not all of it? */
static int wants_push(struct ex *x, const struct nlog_head *h, const struct oid *had, bool *yes, struct err *e)
{
	enum relation rel = AHEAD;
	struct tail t;

	*yes = false;
	if (had && oid_equal(had, &h->commit))
		return 0;
	if (tail_read(x->l, &h->commit, &t, NULL) || !nlog_accepts(x->l, t.repo))
		return 0;
	if (had && relate(x->l, &h->commit, had, &rel, e))
		return -1;
	*yes = rel == AHEAD;
	return 0;
}

static int gather(struct ex *x, struct parcels *out, struct err *e)
{
	struct nlog_heads heads = NLOG_HEADS_INIT;
	struct seen seen;
	int rc = nlog_writers(x->l, &heads, e);

	rc = rc ? rc : seen_load(x, &seen, e);
	for (size_t i = 0; i < heads.len && !rc; i++) {
		const struct oid *had = seen_find(&seen, heads.items[i].writer);
		struct parcel *p;
		bool yes;
		rc = wants_push(x, &heads.items[i], had, &yes, e);
		if (rc || !yes)
			continue;
		p = array_add(out);
		memcpy(p->writer, heads.items[i].writer, sizeof(p->writer));
		p->head = heads.items[i].commit;
		p->had = had ? *had : OID_ZERO;
		p->own = !strcmp(p->writer, x->l->id.writer);
	}
	nlog_heads_release(&heads);
	return rc;
}

/* From here on the own head cannot be recalled: written before anything leaves. */
static int mark_pushed(struct ex *x, struct parcels *todo, struct err *e)
{
	struct lock lk = LOCK_INIT;
	char name[REF_NAME_MAX];
	int found, rc = 0;

	for (size_t i = 0; i < todo->len && !rc; i++) {
		struct parcel *p = &todo->items[i];
		if (!p->own)
			continue;
		if (store_lock(x->l, &lk, STORE_WAIT_MS, e))
			return -1;
		logref_name(name, LOG_REFS, NULL, p->writer);
		found = logref_read(x->l, name, &p->head, e);
		logref_name(name, PUSHED_REFS, x->t.hash, p->writer);
		if (found < 0)
			rc = -1;
		else if (found)
			rc = logref_write(x->l, name, NULL, &p->head, e);
		else
			*p = todo->items[--todo->len];  /* recalled, and it was all there was */
		lock_release(&lk);
		break;
	}
	return rc;
}

struct verdicts { size_t refused, raced; char reason[300]; };

static struct parcel *parcel_of(struct parcel *ps, size_t n, const char *writer, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (len == OP_WRITER_HEX - 1 && !memcmp(ps[i].writer, writer, len))
			return &ps[i];
	return NULL;
}

static int parcel_landed(struct ex *x, const struct parcel *p, bool news, struct err *e)
{
	char name[REF_NAME_MAX];

	if (news) {
		x->x->logs_pushed++;
		x->x->ops_pushed += ops_between(x->l, &p->had, &p->head);
	}
	logref_name(name, REMOTE_REFS, x->t.hash, p->writer);
	return logref_write(x->l, name, NULL, &p->head, e);
}

/* "[rejected] (fetch first)": somebody sent more of that log meanwhile. "(non-fast-forward)": it parts from ours. */
static void parcel_refused(struct ex *x, const struct parcel *p, const char *summary, size_t n, struct verdicts *v)
{
	char text[300];

	snprintf(text, sizeof(text), "%.*s", (int)n, summary);
	if (strstr(text, "fetch first") && !p->own)
		return;
	if (strstr(text, "fetch first") || strstr(text, "non-fast-forward")) {
		tell_fork(x, p->writer, true);
	} else if (strstr(text, "failed to update ref") || strstr(text, "cannot lock ref") || strstr(text, "stale info")) {
		v->raced++;
	} else if (!v->refused++) {
		snprintf(v->reason, sizeof(v->reason), "%s", text);
	}
}

/* Lines of --porcelain: flag, tab, from ":" to, tab, summary. */
static int read_verdicts(struct ex *x, const char *said, struct parcel *ps, size_t n, struct verdicts *v, size_t *seen,
    struct err *e)
{
	int rc = 0;

	while (*said && !rc) {
		size_t len = strcspn(said, "\n");
		const char *end = said + len, *tab = memchr(said, '\t', len);
		const char *tab2 = tab ? memchr(tab + 1, '\t', (size_t)(end - tab - 1)) : NULL;
		const char *slash = tab2 ? memrchr(tab, '/', (size_t)(tab2 - tab)) : NULL;
		struct parcel *p = slash ? parcel_of(ps, n, slash + 1, (size_t)(tab2 - slash - 1)) : NULL;
		if (p) {
			++*seen;
			if (*said == '!')
				parcel_refused(x, p, tab2 + 1, (size_t)(end - tab2 - 1), v);
			else
				rc = parcel_landed(x, p, *said != '=', e);
		}
		said = end + (*end != '\0');
	}
	return rc;
}

static int push_some(struct ex *x, struct parcel *ps, size_t n, struct verdicts *v, struct err *e)
{
	const char **args = arena_alloc(&x->arena, (n + 10) * sizeof(*args)), *pack = pack_program(x, "receivepack", "receive-pack");
	struct git_run g = GIT_RUN_INIT;
	char hex[GIT_OID_HEX];
	size_t k = 0, seen = 0;
	int rc;

	args[k++] = "push";
	args[k++] = "--porcelain";
	args[k++] = "--no-verify";
	args[k++] = "--no-signed";
	args[k++] = "--no-follow-tags";
	if (pack)
		args[k++] = pack;
	args[k++] = "--";
	args[k++] = x->t.url;
	for (size_t i = 0; i < n; i++)
		args[k++] = arena_printf(&x->arena, "%s:%s/%s", oid_hex(hex, &ps[i].head), x->t.ns, ps[i].writer);
	args[k] = NULL;
	rc = ex_git(x, args, &g, e);
	if (!rc)
		rc = read_verdicts(x, g.out.ptr, ps, n, v, &seen, e);
	if (!rc && g.status && !seen)
		rc = transport_fail(&x->t, x->r, &g, "cannot push to", e);
	if (!rc && v->refused && g.err.len) {
		char said[200];
		transport_words(g.err.ptr, said, sizeof(said));
		if (*said && !strstr(v->reason, said))
			snprintf(v->reason + strlen(v->reason), sizeof(v->reason) - strlen(v->reason), "; %s", said);
	}
	git_run_release(&g);
	return rc;
}

static int push_result(struct ex *x, const struct verdicts *v, struct err *e)
{
	if (v->refused && !x->x->logs_pushed && !strcmp(x->t.ns, LOG_REFS))
		return err_set(e, ERR_REFUSED,
			       "'%s' does not take %s/*: %s. A host that takes branches only can be given 'git config "
			       "killick.namespace refs/heads/killick' (its CI may start on them), or another remote can be "
			       "used", x->t.label, x->t.ns, v->reason);
	if (v->refused)
		return err_set(e, ERR_REFUSED, "'%s' refused %zu logs in %s: %s", x->t.label, v->refused, x->t.ns, v->reason);
	if (x->told)
		return conflict(x, e);
	if (v->raced)
		return err_set(e, ERR_BUSY, "'%s' was being written to by somebody else: try again", x->t.label);
	return 0;
}

int nlog_push(struct nlog *l, struct repo *r, const char *remote, int timeout_ms, struct exchange *out, struct err *e)
{
	struct parcels todo = ARRAY_INIT;
	struct verdicts v = { 0 };
	struct ex x;
	int rc = ex_init(&x, l, r, remote, true, timeout_ms, out, e);

	rc = rc ? rc : mend_refs(l, e);
	rc = rc ? rc : sign_log(l, &x.note, e);
	rc = rc ? rc : gather(&x, &todo, e);
	rc = rc ? rc : mark_pushed(&x, &todo, e);
	for (size_t i = 0; i < todo.len && !rc; i += PUSH_REFS_MAX)
		rc = push_some(&x, &todo.items[i], todo.len - i < PUSH_REFS_MAX ? todo.len - i : PUSH_REFS_MAX, &v, e);
	rc = rc ? rc : push_result(&x, &v, e);
	array_release(&todo);
	ex_release(&x);
	return rc;
}

/* ---- the rest ---- */

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
	struct buf path = BUF_INIT;
	struct lock busy = LOCK_INIT;
	int rc = lock_take(&busy, store_side(l, &path, "exchange.lock"), 0, e);

	buf_release(&path);
	rc = rc ? rc : mend_refs(l, e);
	rc = rc ? rc : store_git(l, l->repo, args, &g, e);
	if (!rc && g.status)
		rc = err_set(e, ERR_FAILED, "git gc in '%s': %.300s", l->path, g.err.ptr);
	git_run_release(&g);
	rc = rc ? rc : pack_refs(l, e);
	lock_release(&busy);
	return rc;
}
