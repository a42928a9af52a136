/* SPDX-License-Identifier: MIT */
/*
 * Forks: a remote's copy of a log that parts from the one here. It stands in refs/killick/remote/<remote>/, out of the log,
 * until one side gives way. For doctor, which shows what is kept out and who can end it: nothing is written.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "exchange.h"

/* Lines of one side, oldest first. */
struct lines { ARRAY(struct { const char *p; size_t n; }) v; struct arena a; };

static int keep_line(void *ctx, const char *line, size_t n, struct err *e)
{
	struct lines *to = ctx;

	(void)e;
	(void)array_add(&to->v);
	to->v.items[to->v.len - 1].p = arena_memdup(&to->a, line, n);
	to->v.items[to->v.len - 1].n = n;
	return 0;
}

static void lines_release(struct lines *l)
{
	array_release(&l->v);
	arena_release(&l->a);
}

static size_t common(const struct lines *a, const struct lines *b)
{
	size_t i = 0;

	while (i < a->v.len && i < b->v.len && a->v.items[i].n == b->v.items[i].n &&
	       !memcmp(a->v.items[i].p, b->v.items[i].p, a->v.items[i].n))
		i++;
	return i;
}

/* The remotes whose addresses a folder of refs may be named after. */
struct known { const char *name; char hash[17]; };
struct knowns { struct known *items; size_t len, alloc; };

static void know_remotes(struct repo *r, struct arena *a, struct knowns *out)
{
	struct remote_info *list;
	size_t n = repo_remotes(r, a, &list);

	for (size_t i = 0; i < 2 * n; i++) {
		struct target t;
		struct known *k;
		if (target_init(&t, r, list[i / 2].name, i % 2, NULL))
			continue;
		k = array_add(out);
		k->name = list[i / 2].name;
		memcpy(k->hash, t.hash, sizeof(k->hash));
		target_release(&t);
	}
}

struct finder {
	struct nlog *l;
	struct arena a;
	struct knowns remotes;
	int (*fork)(void *ctx, const struct nlog_fork *f);
	int (*op)(void *ctx, const struct nlog_fork *f, const char *line, size_t n);
	void *ctx;
};

static const char *remote_of(const struct finder *f, const char *hash)
{
	for (size_t i = 0; i < f->remotes.len; i++)
		if (!strncmp(f->remotes.items[i].hash, hash, 16))
			return f->remotes.items[i].name;
	return NULL;
}

/* Who writes here: the author of the last op before the parting, else of the first that is kept out. */
static void owner_of(struct finder *f, const struct lines *theirs, size_t both, struct nlog_fork *out)
{
	size_t at = both ? both - 1 : 0;
	struct op op;

	if (at >= theirs->v.len || op_decode(theirs->v.items[at].p, theirs->v.items[at].n, &op, NULL))
		return;
	person_copy(&f->a, &op.author, &out->author);
	op_release(&op);
}

static int tell(struct finder *f, struct nlog_fork *out, const struct lines *theirs, const struct lines *ours)
{
	size_t both = common(theirs, ours);
	int rc;

	if (both == theirs->v.len || both == ours->v.len)
		return 0; /* the same, cut otherwise, or one goes on: no fork */
	out->from = both;
	out->theirs = theirs->v.len - both;
	out->ours = ours->v.len - both;
	owner_of(f, theirs, both, out);
	rc = f->fork ? f->fork(f->ctx, out) : 0;
	for (size_t i = both; !rc && f->op && i < theirs->v.len; i++)
		rc = f->op(f->ctx, out, theirs->v.items[i].p, theirs->v.items[i].n);
	return rc;
}

static int look(struct finder *f, const struct logref *seen, struct err *e)
{
	struct lines a = { ARRAY_INIT, ARENA_INIT }, b = { ARRAY_INIT, ARENA_INIT };
	const char *writer = leaf_writer(seen->name), *hash = seen->name + sizeof(REMOTE_REFS);
	struct nlog_fork out = { .ref = seen->name };
	enum relation rel = SAME;
	char name[REF_NAME_MAX];
	struct oid ours;
	int rc = 0;

	if (!writer || seen->broken)
		return 0;
	logref_name(name, LOG_REFS, NULL, writer);
	if (logref_read(f->l, name, &ours, NULL) <= 0 || oid_equal(&ours, &seen->oid) || was_rescued(f->l, writer, &ours))
		return 0;
	memcpy(out.writer, writer, sizeof(out.writer));
	out.remote = remote_of(f, hash);
	out.own = !strcmp(writer, f->l->id.writer);
	if (relate(f->l, &seen->oid, &ours, &rel, e) || rel != FORKED)
		goto out;
	rc = log_each_line(f->l, &seen->oid, keep_line, &a, e);
	rc = rc ? rc : log_each_line(f->l, &ours, keep_line, &b, e);
	rc = rc ? rc : tell(f, &out, &a, &b);
out:
	lines_release(&a);
	lines_release(&b);
	return rel == FORKED ? rc : 0; /* what cannot be read is told where logs are read */
}

int nlog_each_fork(struct nlog *l, struct repo *r, int (*fork)(void *ctx, const struct nlog_fork *f),
    int (*op)(void *ctx, const struct nlog_fork *f, const char *line, size_t n), void *ctx, struct err *e)
{
	struct finder f = { .l = l, .fork = fork, .op = op, .ctx = ctx };
	struct logref *refs;
	size_t n;
	int rc = logref_list(l, REMOTE_REFS, &f.a, &refs, &n, e);

	if (!rc && n)
		know_remotes(r, &f.a, &f.remotes);
	for (size_t i = 0; !rc && i < n; i++)
		rc = look(&f, &refs[i], e);
	array_release(&f.remotes);
	arena_release(&f.a);
	return rc;
}
