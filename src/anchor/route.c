/* SPDX-License-Identifier: MIT */
/*
 * Chains and path logs. A path log keeps a mark wherever the path's blob changes along a chain and how deep it has
 * looked; asking for more extends it. Chains are found by their tip; a repository has few tips that matter at a time.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "ledger.h"
#include "route.h"

/* From index at on (older), until the next mark, the path is this blob. */
struct mark { size_t at; struct oid id; unsigned mode; };

struct pathlog {
	struct mark *marks;
	size_t len, alloc;
	size_t known;           /* indexes looked at */
	struct lineage_probe probe;
	struct pathlog *next;
};

enum { LOG_SLOTS = 1024 };

struct chain {
	struct lineage *l;
	struct oid tip, base;   /* base zero: first parents of the tip, without end */
	struct oid via;         /* the parent through which it enters its tip, or zero */
	struct lineage_list commits;
	const struct lineage_commit **known;  /* of commits, by address; open addressing, NULL: free */
	size_t *known_at, n_known, size;
	bool done, cut;
	struct pathlog *logs[LOG_SLOTS];
	struct ledger *ledger;
	size_t probed;          /* commits looked at for single paths */
	bool waits;             /* the ledger is in the cache */
	struct chain *next;
};

struct chains {
	struct lineage *l;
	const struct map_cache *cache;
	struct chain *first;
	struct arena arena;
};

struct chains *chains_new(struct lineage *l, const struct map_cache *cache)
{
	struct chains *c = xcalloc(1, sizeof(*c));
	c->l = l;
	c->cache = cache;
	arena_init(&c->arena);
	return c;
}

static void chain_free(struct chain *c)
{
	for (size_t i = 0; i < LOG_SLOTS; i++)
		for (struct pathlog *p = c->logs[i], *next; p; p = next) {
			next = p->next;
			free(p->marks);
			free(p);
		}
	ledger_free(c->ledger);
	free(c->commits.items);
	free(c->known);
	free(c->known_at);
	free(c);
}

void chains_free(struct chains *c)
{
	if (!c)
		return;
	for (struct chain *x = c->first, *next; x; x = next) {
		next = x->next;
		chain_free(x);
	}
	arena_release(&c->arena);
	free(c);
}

static struct chain *chain_known(struct chains *c, const struct oid *tip, const struct oid *base)
{
	for (struct chain *x = c->first; x; x = x->next)
		if (oid_equal(&x->tip, tip) && oid_equal(&x->base, base) && oid_is_zero(&x->via))
			return x;
	return NULL;
}

static struct chain *chain_new(struct chains *c, const struct oid *tip, const struct oid *base)
{
	struct chain *x = xcalloc(1, sizeof(*x));
	x->l = c->l;
	x->tip = *tip;
	x->base = *base;
	x->next = c->first;
	return c->first = x;
}

static struct chain *chain_of(struct chains *c, const struct oid *tip)
{
	struct oid none = OID_ZERO;
	struct chain *x = chain_known(c, tip, &none);
	return x ? x : chain_new(c, tip, &none);
}

const struct lineage_commit *chain_at(struct chain *c, size_t i)
{
	while (c->commits.len <= i && !c->done) {
		const struct lineage_commit *last = c->commits.len ? c->commits.items[c->commits.len - 1] : NULL;
		const struct lineage_commit *next = last ? lineage_parent(c->l, last) : lineage_commit(c->l, &c->tip);
		if (!next) {
			c->done = true;
			c->cut = !last || last->n_parents || last->cut;
			break;
		}
		*array_add(&c->commits) = next;
	}
	return i < c->commits.len ? c->commits.items[i] : NULL;
}

bool chain_cut(const struct chain *c) { return c->cut; }

static size_t known_slot(const struct chain *c, const struct lineage_commit *x)
{
	size_t i = (size_t)(((uintptr_t)x >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (c->size - 1);
	while (c->known[i] && c->known[i] != x)
		i = (i + 1) & (c->size - 1);
	return i;
}

/* Every commit of the chain so far has its place in the table: threads start at tens of thousands of commits. */
static void known_extend(struct chain *c)
{
	if (c->commits.len * 2 > c->size) {
		c->size = c->size ? c->size : 64;
		while (c->size < c->commits.len * 2)
			c->size *= 2;
		free(c->known);
		free(c->known_at);
		c->known = xcalloc(c->size, sizeof(*c->known));
		c->known_at = xcalloc(c->size, sizeof(*c->known_at));
		c->n_known = 0;
	}
	for (; c->n_known < c->commits.len; c->n_known++) {
		size_t i = known_slot(c, c->commits.items[c->n_known]);
		c->known[i] = c->commits.items[c->n_known];
		c->known_at[i] = c->n_known;
	}
}

/* Clocks of committers differ: past this many commits in a row that are a week older, it will not come. */
enum { OLDER_MOST = 64, OLDER_BY = 7 * 86400 };

static bool chain_index(struct chain *c, const struct lineage_commit *want, size_t *at)
{
	unsigned older = 0;
	const struct lineage_commit *x;
	known_extend(c);
	if (c->size && c->known[known_slot(c, want)]) {
		*at = c->known_at[known_slot(c, want)];
		return true;
	}
	size_t i = c->commits.len > OLDER_MOST ? c->commits.len - OLDER_MOST - 1 : 0;
	for (; (x = chain_at(c, i)); i++) {
		if (x == want) {
			*at = i;
			return true;
		}
		older = x->time < want->time - OLDER_BY ? older + 1 : 0;
		if (older > OLDER_MOST)
			return false;
	}
	return false;
}

static struct chain *chain_between(struct chains *c, const struct oid *base, const struct oid *tip)
{
	struct chain *x = chain_known(c, tip, base);
	if (x)
		return x;
	struct lineage_list list = { 0 };
	if (!lineage_path(c->l, base, tip, &list)) {
		free(list.items);
		return NULL;
	}
	x = chain_new(c, tip, base);
	x->commits = list;
	x->done = true;
	return x;
}

static bool route_one_way(struct chains *c, const struct lineage_commit *base, const struct lineage_commit *tip,
    bool forward, struct route *out)
{
	size_t at;
	struct chain *x = chain_of(c, &tip->id);
	if (!chain_index(x, base, &at))
		return false;
	*out = (struct route){ .chain = x, .first = forward ? at : 0, .forward = forward, .len = at + 1 };
	return true;
}

static bool route_by_side(struct chains *c, const struct lineage_commit *base, const struct lineage_commit *tip,
    bool forward, struct route *out)
{
	struct chain *x = chain_between(c, &base->id, &tip->id);
	if (!x)
		return false;
	size_t at = x->commits.len - 1;
	*out = (struct route){ .chain = x, .first = forward ? at : 0, .forward = forward, .len = at + 1 };
	return true;
}

bool route_find(struct chains *c, const struct oid *from, const struct oid *to, struct route *out)
{
	const struct lineage_commit *a = lineage_commit(c->l, from), *b = lineage_commit(c->l, to);
	if (!a || !b)
		return false;
	if (a->time <= b->time)
		return route_one_way(c, a, b, true, out) || route_one_way(c, b, a, false, out) ||
		    route_by_side(c, a, b, true, out) || route_by_side(c, b, a, false, out);
	return route_one_way(c, b, a, false, out) || route_one_way(c, a, b, true, out) ||
	    route_by_side(c, b, a, false, out) || route_by_side(c, a, b, true, out);
}

static struct chain *chain_through(struct chains *c, const struct lineage_commit *merge, const struct oid *via,
    const struct oid *base)
{
	struct lineage_list list = { 0 };
	for (struct chain *x = c->first; x; x = x->next)
		if (oid_equal(&x->tip, &merge->id) && oid_equal(&x->base, base) && oid_equal(&x->via, via))
			return x;
	const struct lineage_commit *p = lineage_commit(c->l, via);
	*array_add(&list) = merge;
	if (p && oid_equal(via, base))
		*array_add(&list) = p;
	else if (!p || !lineage_path(c->l, base, via, &list)) {
		free(list.items);
		return NULL;
	}
	struct chain *x = chain_new(c, &merge->id, base);
	x->via = *via;
	x->commits = list;
	x->done = true;
	return x;
}

bool route_through(struct chains *c, const struct oid *merge, const struct oid *via, const struct oid *base,
    bool forward, struct route *out)
{
	const struct lineage_commit *m = lineage_commit(c->l, merge);
	struct chain *x = m ? chain_through(c, m, via, base) : NULL;
	if (!x)
		return false;
	size_t at = x->commits.len - 1;
	*out = (struct route){ .chain = x, .first = forward ? at : 0, .forward = forward, .len = at + 1 };
	return true;
}

bool route_back(struct chains *c, const struct oid *to, size_t depth, struct route *out)
{
	struct chain *x = chain_of(c, to);
	size_t n = 0;
	while (n < depth && chain_at(x, n))
		n++;
	*out = (struct route){ .chain = x, .first = n ? n - 1 : 0, .forward = true, .len = n };
	return n > 0;
}

bool route_from_base(struct chains *c, const struct oid *from, const struct oid *to, struct route *out)
{
	struct oid base;
	return lineage_base(c->l, from, to, &base) && route_find(c, &base, to, out);
}

const struct lineage_commit *route_at(const struct route *r, size_t pos)
{
	if (r->worktree && pos + 1 == r->len)
		return NULL;
	return chain_at(r->chain, r->forward ? r->first - pos : r->first + pos);
}

static struct pathlog *pathlog_get(struct chain *c, struct chains *all, const char *path)
{
	struct pathlog **slot = &c->logs[hash64(path, strlen(path)) % LOG_SLOTS];
	for (struct pathlog *p = *slot; p; p = p->next)
		if (!strcmp(p->probe.path, path))
			return p;
	struct pathlog *p = xcalloc(1, sizeof(*p));
	p->probe.path = arena_strdup(&all->arena, path);
	p->next = *slot;
	return *slot = p;
}

static void mark_put(struct pathlog *p, size_t at, const struct oid *id, unsigned mode)
{
	struct mark *last = p->len ? &p->marks[p->len - 1] : NULL;
	if (last && last->mode == mode && oid_equal(&last->id, id))
		return;
	p->marks = array_grow(p->marks, p->len, &p->alloc, sizeof(*p->marks));
	p->marks[p->len++] = (struct mark){ at, *id, mode };
}

/* A path's way through a commit costs about a fifth of comparing all of its tree: beyond that the ledger pays. */
enum { LEDGER_FROM = 5, LEDGER_LEAST = 64 };

/* Another process walked here before: the ledger is in the cache from a commit on that is near. */
static bool ledger_waits(const struct chains *all, struct chain *c, size_t upto)
{
	const struct lineage_commit *x;
	for (size_t i = 0; !c->ledger && LEDGER_FROM * (i + LEDGER_LEAST) < upto && (x = chain_at(c, i)); i++)
		if (ledger_begins(x))
			return c->waits = ledger_kept(all->cache, x);
	return c->waits;
}

static bool ledger_pays(struct chains *all, struct chain *c, size_t upto)
{
	if (c->ledger && ledger_depth(c->ledger) > upto)
		return true;
	c->probed += upto + 1;
	if ((c->probed < LEDGER_FROM * (upto + 1) || c->probed < LEDGER_FROM * LEDGER_LEAST) && !ledger_waits(all, c, upto))
		return false;
	if (!c->ledger)
		c->ledger = ledger_new(c->l, all->cache);
	const struct lineage_commit *x;
	for (size_t i = ledger_depth(c->ledger); i <= upto && (x = chain_at(c, i)); i++)
		ledger_add(c->ledger, x, chain_at(c, i + 1));
	return ledger_depth(c->ledger) > upto;
}

/* At index i the path is what the last event at or behind i left; before (older than) an event, its old side. */
static void pathlog_from_ledger(struct chain *c, struct pathlog *p)
{
	size_t n;
	struct oid id = OID_ZERO;
	unsigned mode = 0;
	const struct event *e = ledger_find(c->ledger, p->probe.path, &n);
	p->len = 0;
	if (n) {
		mark_put(p, 0, &e[0].new_id, e[0].new_mode);
	} else {
		lineage_entry(c->l, &chain_at(c, 0)->tree, p->probe.path, &id, &mode);
		mark_put(p, 0, &id, mode);
	}
	for (size_t k = 0; k < n; k++)
		mark_put(p, (size_t)e[k].at + 1, &e[k].old_id, e[k].old_mode);
	p->known = ledger_depth(c->ledger);
}

static void pathlog_extend(struct chains *all, struct chain *c, struct pathlog *p, size_t upto)
{
	if (p->known > upto)
		return;
	if (ledger_pays(all, c, upto)) {
		pathlog_from_ledger(c, p);
		return;
	}
	for (const struct lineage_commit *x; p->known <= upto && (x = chain_at(c, p->known)); p->known++) {
		lineage_probe(c->l, &p->probe, &x->tree);
		mark_put(p, p->known, &p->probe.id, p->probe.mode);
	}
}

/* The mark that holds for index at. */
static size_t mark_at(const struct pathlog *p, size_t at)
{
	size_t lo = 0, hi = p->len;
	while (hi - lo > 1) {
		size_t m = lo + (hi - lo) / 2;
		if (p->marks[m].at <= at)
			lo = m;
		else
			hi = m;
	}
	return lo;
}

static void version_add(struct versions *v, size_t pos, size_t end, const struct mark *m)
{
	struct version *last = v->len ? &v->items[v->len - 1] : NULL;
	if (last && last->mode == m->mode && oid_equal(&last->id, &m->id)) {
		last->end = end;
		return;
	}
	*array_add(v) = (struct version){ pos, end, m->id, m->mode };
}

static bool vanished(const struct versions *v) { return v->len && oid_is_zero(&v->items[v->len - 1].id); }

static void versions_find(struct chains *c, const struct route *r, const char *path, size_t pos, bool all,
    struct versions *out)
{
	struct pathlog *p = pathlog_get(r->chain, c, path);
	size_t end = r->len - (r->worktree != NULL);
	if (r->forward) {
		size_t at = r->first - pos;
		pathlog_extend(c, r->chain, p, at);
		for (size_t k = mark_at(p, at) + 1; k-- > 0 && (all || !vanished(out));) {
			size_t oldest = k + 1 < p->len && p->marks[k + 1].at - 1 < at ? p->marks[k + 1].at - 1 : at;
			version_add(out, r->first - oldest, r->first - p->marks[k].at + 1, &p->marks[k]);
		}
	} else {
		size_t last = r->first + end - 1;
		pathlog_extend(c, r->chain, p, last);
		for (size_t k = mark_at(p, r->first + pos); k < p->len && p->marks[k].at <= last && (all || !vanished(out)); k++) {
			size_t start = p->marks[k].at > r->first + pos ? p->marks[k].at - r->first : pos;
			size_t stop = k + 1 < p->len && p->marks[k + 1].at <= last ? p->marks[k + 1].at - r->first : end;
			version_add(out, start, stop, &p->marks[k]);
		}
	}
}

void route_versions(struct chains *c, const struct route *r, const char *path, size_t pos, struct versions *out)
{
	versions_find(c, r, path, pos, false, out);
}

void route_versions_all(struct chains *c, const struct route *r, const char *path, struct versions *out)
{
	versions_find(c, r, path, 0, true, out);
}

void versions_release(struct versions *v)
{
	free(v->items);
	*v = (struct versions){ 0 };
}
