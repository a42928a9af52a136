/* SPDX-License-Identifier: MIT */
/*
 * Events are kept in the order of the walk and sorted by path when somebody asks. A chunk is written when the walk
 * reaches its end (the next commit that begins one, or the root); read back, its commits are compared with the chain's.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "ledger.h"

enum { CHANGES_MOST = 200000, CHUNK_VERSION = 1 };
static const char space[] = "path";

struct ledger {
	struct lineage *l;
	const struct map_cache *cache;
	struct arena arena;
	struct { struct event *items; size_t len, alloc; } events, sorted;
	size_t depth;
	/* The chunk being collected: its commits and where its events begin; or the one being read. */
	struct { struct oid *items; size_t len, alloc; } commits;
	struct { size_t *items; size_t len, alloc; } counts;
	size_t chunk_from;
	bool collecting;
	struct chunk read;
	size_t read_at, read_event;
};

struct ledger *ledger_new(struct lineage *l, const struct map_cache *cache)
{
	struct ledger *g = xcalloc(1, sizeof(*g));
	g->l = l;
	g->cache = cache;
	arena_init(&g->arena);
	return g;
}

void ledger_free(struct ledger *g)
{
	if (!g)
		return;
	free(g->events.items);
	free(g->sorted.items);
	free(g->commits.items);
	free(g->counts.items);
	arena_release(&g->arena);
	free(g);
}

size_t ledger_depth(const struct ledger *g) { return g->depth; }

/* Chunks: the number of commits, then for each its id and its events: path (bytes shared with the one before, the rest),
 * modes and ids. */

void chunk_encode(const struct event *e, const size_t *counts, const struct oid *commits, size_t n, struct buf *out)
{
	const char *last = "";
	buf_addnum(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_add(out, commits[i].id, 20);
		buf_addnum(out, (uint32_t)counts[i]);
		for (size_t k = 0; k < counts[i]; k++, e++) {
			size_t same = 0;
			while (e->path[same] && e->path[same] == last[same])
				same++;
			buf_addnum(out, (uint32_t)same);
			buf_addnum(out, (uint32_t)strlen(e->path + same));
			buf_addstr(out, e->path + same);
			buf_addnum(out, e->old_mode);
			buf_addnum(out, e->new_mode);
			buf_add(out, e->old_id.id, 20);
			buf_add(out, e->new_id.id, 20);
			last = e->path;
		}
	}
}

static bool event_decode(struct arena *a, const char **p, const char *end, const char **last, struct event *e)
{
	uint32_t same, rest, old_mode, new_mode;
	if (!num_take(p, end, &same) || !num_take(p, end, &rest) || same > strlen(*last) || rest > (size_t)(end - *p))
		return false;
	char *path = arena_alloc(a, (size_t)same + rest + 1);
	memcpy(path, *last, same);
	memcpy(path + same, *p, rest);
	*p += rest;
	if (memchr(path, 0, (size_t)same + rest) || !num_take(p, end, &old_mode) || !num_take(p, end, &new_mode) ||
	    old_mode > 0177777 || new_mode > 0177777 || end - *p < 40)
		return false;
	*e = (struct event){ .path = path, .old_mode = (uint16_t)old_mode, .new_mode = (uint16_t)new_mode };
	memcpy(e->old_id.id, *p, 20);
	memcpy(e->new_id.id, *p + 20, 20);
	*p += 40;
	*last = path;
	return true;
}

bool chunk_decode(struct arena *a, const char *p, size_t n, struct chunk *out)
{
	const char *end = p + n, *last = "";
	uint32_t commits, events;
	*out = (struct chunk){ 0 };
	if (!num_take(&p, end, &commits) || !commits || commits > n / 21)
		return false;
	out->n = commits;
	out->commits = arena_alloc(a, out->n * sizeof(*out->commits));
	out->counts = arena_alloc(a, out->n * sizeof(*out->counts));
	out->events = arena_alloc(a, (n / 44 + 1) * sizeof(*out->events));
	for (size_t i = 0; i < out->n; i++) {
		if (end - p < 20)
			return false;
		memcpy(out->commits[i].id, p, 20);
		p += 20;
		if (!num_take(&p, end, &events) || events > n / 44)
			return false;
		out->counts[i] = events;
		for (size_t k = 0; k < out->counts[i]; k++)
			if (!event_decode(a, &p, end, &last, &out->events[out->n_events++]))
				return false;
	}
	return p == end;
}

static void chunk_key(uint8_t key[21], const struct oid *first)
{
	key[0] = CHUNK_VERSION;
	memcpy(key + 1, first->id, 20);
}

static void chunk_store(struct ledger *g)
{
	uint8_t key[21];
	struct buf b = BUF_INIT;
	if (!g->collecting || !g->commits.len || !g->cache)
		return;
	chunk_key(key, &g->commits.items[0]);
	chunk_encode(g->events.items + g->chunk_from, g->counts.items, g->commits.items, g->commits.len, &b);
	g->cache->put(g->cache->ctx, space, key, sizeof(key), b.ptr, b.len);
	buf_release(&b);
}

static bool chunk_recall(struct ledger *g, const struct oid *first)
{
	uint8_t key[21];
	struct buf b = BUF_INIT;
	if (!g->cache)
		return false;
	chunk_key(key, first);
	bool good = g->cache->get(g->cache->ctx, space, key, sizeof(key), &b) && chunk_decode(&g->arena, b.ptr, b.len, &g->read);
	buf_release(&b);
	g->read_at = g->read_event = 0;
	if (!good)
		g->read.n = 0;
	return good;
}

bool ledger_begins(const struct lineage_commit *c) { return c->id.id[0] == 0; }

bool ledger_kept(const struct map_cache *cache, const struct lineage_commit *c)
{
	uint8_t key[21];
	struct buf b = BUF_INIT;
	chunk_key(key, &c->id);
	bool kept = cache && cache->get(cache->ctx, space, key, sizeof(key), &b);
	buf_release(&b);
	return kept;
}

/* A merge changes much; what a tree that is not here hides is not known, and so not kept. */
static size_t events_compare(struct ledger *g, const struct lineage_commit *c, const struct lineage_commit *parent)
{
	struct lineage_changes found = { 0 };
	lineage_diff(g->l, parent ? &parent->tree : NULL, &c->tree, NULL, 0, CHANGES_MOST, &g->arena, &found);
	for (size_t i = 0; i < found.len; i++) {
		const struct lineage_change *x = &found.items[i];
		*array_add(&g->events) = (struct event){ .path = x->path, .at = (uint32_t)g->depth, .old_id = x->old_id,
			.new_id = x->new_id, .old_mode = (uint16_t)x->old_mode, .new_mode = (uint16_t)x->new_mode };
	}
	if (found.cut)
		g->collecting = false;
	size_t n = found.len;
	lineage_changes_release(&found);
	return n;
}

static size_t events_copy(struct ledger *g)
{
	size_t n = g->read.counts[g->read_at++];
	for (size_t i = 0; i < n; i++) {
		struct event *e = array_add(&g->events);
		*e = g->read.events[g->read_event++];
		e->at = (uint32_t)g->depth;
	}
	return n;
}

void ledger_add(struct ledger *g, const struct lineage_commit *c, const struct lineage_commit *parent)
{
	if (ledger_begins(c)) {
		chunk_store(g);
		g->commits.len = g->counts.len = 0;
		g->chunk_from = g->events.len;
		g->collecting = !chunk_recall(g, &c->id);
	}
	bool read = g->read_at < g->read.n && oid_equal(&g->read.commits[g->read_at], &c->id);
	if (!read)
		g->read.n = 0;
	size_t n = read ? events_copy(g) : events_compare(g, c, parent);
	g->depth++;
	g->sorted.len = 0;
	if (!g->collecting)
		return;
	*array_add(&g->commits) = c->id;
	*array_add(&g->counts) = n;
	if (!parent && !c->cut && !c->n_parents) {
		chunk_store(g);
		g->collecting = false;
	}
}

static int cmp_event(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	int c = strcmp(x->path, y->path);
	return c ? c : x->at < y->at ? -1 : x->at > y->at;
}

const struct event *ledger_find(struct ledger *g, const char *path, size_t *n)
{
	if (!g->sorted.len && g->events.len) {
		g->sorted.items = xreallocarray(g->sorted.items, g->events.len, sizeof(*g->sorted.items));
		memcpy(g->sorted.items, g->events.items, g->events.len * sizeof(*g->sorted.items));
		g->sorted.len = g->events.len;
		qsort(g->sorted.items, g->sorted.len, sizeof(*g->sorted.items), cmp_event);
	}
	size_t lo = 0, hi = g->sorted.len;
	while (lo < hi) {
		size_t m = lo + (hi - lo) / 2;
		if (strcmp(g->sorted.items[m].path, path) < 0)
			lo = m + 1;
		else
			hi = m;
	}
	for (*n = 0; lo + *n < g->sorted.len && !strcmp(g->sorted.items[lo + *n].path, path);)
		++*n;
	return g->sorted.items + lo;
}
