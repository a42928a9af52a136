/* SPDX-License-Identifier: MIT */
/*
 * Commits are their links (repo_links: the commit-graph where there is one), trees are raw objects compared entry by
 * entry: git_tree builds far more than a walk over 20,000 commits wants.
 * Packs are read by each handle on its own; what they do not have (and commits' links) comes from the repository, which
 * handles made of one another share under a lock: libgit2 never runs for two of them at once.
 * An object that is missing is looked for once with a refresh of the packs (another process may have repacked), then
 * without: a partial clone would otherwise rescan its packs for each blob it lacks.
 */
#include "config.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "killick/base/proc.h"
#include "killick/git/lineage.h"
#include "git.h"
#include "packs.h"

enum { TREE_SLOTS = 1024, TREE_BYTES = 64 << 20 };
enum { SEEN_A = 1, SEEN_B = 2, STALE = 4, QUEUED = 8 };

struct node {
	struct lineage_commit c;
	uint32_t epoch, flags;  /* of lineage_base */
};

/* A tree kept: big ones get an index of their names when they are asked for again. */
struct name { uint32_t hash, at; };
struct tree {
	struct oid id;
	char *ptr;
	size_t size;
	unsigned refs;          /* the slot that keeps it, and who reads it */
	struct name *names;     /* by hash */
	uint32_t n_names, asked;
};

struct gate { pthread_mutex_t lock; unsigned users; };

struct lineage {
	struct repo *repo;
	git_odb *odb;
	struct gate *gate;
	struct packs *packs;
	bool fetch, refreshed;
	enum lineage_fault fault;
	struct node **nodes;    /* open addressing by id; NULL: free */
	size_t n_nodes, size;
	struct arena arena;
	struct tree *trees[TREE_SLOTS];
	size_t tree_bytes, tree_most;
	uint32_t epoch;
};

static struct lineage *lineage_new(struct repo *r, git_odb *odb, struct gate *g)
{
	struct lineage *l = xcalloc(1, sizeof(*l));
	l->repo = r;
	l->odb = odb;
	l->gate = g;
	l->tree_most = TREE_BYTES;
	struct buf objects = BUF_INIT;
	buf_addf(&objects, "%s/objects", repo_commondir(r));
	l->packs = packs_open(objects.ptr);
	buf_release(&objects);
	arena_init(&l->arena);
	return l;
}

int lineage_open(struct repo *r, struct lineage **out, struct err *e)
{
	git_odb *odb;
	if (repo_odb(r, &odb, e) < 0)
		return -1;
	struct gate *g = xcalloc(1, sizeof(*g));
	g->users = 1;
	if (pthread_mutex_init(&g->lock, NULL))
		BUG("no mutex");
	*out = lineage_new(r, odb, g);
	return 0;
}

struct lineage *lineage_twin(struct lineage *l, unsigned n)
{
	lineage_lock(l);
	l->gate->users++;
	lineage_unlock(l);
	struct lineage *twin = lineage_new(l->repo, l->odb, l->gate);
	twin->tree_most = TREE_BYTES / (n ? n : 1);
	packs_share(twin->packs, n);
	return twin;
}

void lineage_lock(struct lineage *l)
{
	if (pthread_mutex_lock(&l->gate->lock))
		BUG("the lock of a lineage");
}

void lineage_unlock(struct lineage *l) { pthread_mutex_unlock(&l->gate->lock); }

static void gate_leave(struct lineage *l)
{
	struct gate *g = l->gate;
	lineage_lock(l);
	unsigned left = --g->users;
	lineage_unlock(l);
	if (left)
		return;
	pthread_mutex_destroy(&g->lock);
	free(g);
}

static void tree_put(struct tree *t)
{
	if (!t || --t->refs)
		return;
	free(t->ptr);
	free(t->names);
	free(t);
}

static void trees_drop(struct lineage *l)
{
	for (size_t i = 0; i < TREE_SLOTS; i++) {
		tree_put(l->trees[i]);
		l->trees[i] = NULL;
	}
	l->tree_bytes = 0;
}

void lineage_close(struct lineage *l)
{
	if (!l)
		return;
	trees_drop(l);
	packs_close(l->packs);
	gate_leave(l);
	free(l->nodes);
	arena_release(&l->arena);
	free(l);
}

void lineage_allow_fetch(struct lineage *l, bool yes) { l->fetch = yes; }

enum lineage_fault lineage_fault(const struct lineage *l) { return l->fault; }

void lineage_fault_clear(struct lineage *l) { l->fault = LINEAGE_FINE; }

/* A commit that is not here is a question of its own. */
static git_odb_object *object_fault(struct lineage *l, git_object_t type, enum lineage_fault fault)
{
	if (type != GIT_OBJECT_COMMIT && fault > l->fault)
		l->fault = fault;
	return NULL;
}

/* git itself knows how to download what a promisor remote keeps. */
static bool object_download(struct lineage *l, const struct oid *id)
{
	char hex[GIT_OID_HEX];
	const char *argv[] = { "git", "cat-file", "-e", oid_hex(hex, id), NULL };
	struct proc p = { .argv = argv, .dir = repo_gitdir(l->repo), .flags = PROC_STDERR_NULL, .timeout_ms = 120000 };
	struct err e = ERR_INIT;
	return l->fetch && proc_run_ok(&p, &e) == 0 && git_odb_refresh(l->odb) == 0;
}

/* With the lock held. */
static git_odb_object *object_get(struct lineage *l, const struct oid *id, git_object_t type)
{
	git_odb_object *o = NULL;
	git_oid g;
	memcpy(g.id, id->id, sizeof(g.id));
	if (!git_odb_exists_ext(l->odb, &g, GIT_ODB_LOOKUP_NO_REFRESH)) {
		if (!l->refreshed) {
			l->refreshed = true;
			git_odb_refresh(l->odb);
		}
		if (!git_odb_exists_ext(l->odb, &g, GIT_ODB_LOOKUP_NO_REFRESH) && !object_download(l, id))
			return object_fault(l, type, LINEAGE_ABSENT);
	}
	if (odb_read(&o, l->odb, &g) < 0)
		return object_fault(l, type, LINEAGE_DAMAGED);
	if (git_odb_object_type(o) == type)
		return o;
	git_odb_object_free(o);
	return object_fault(l, type, LINEAGE_DAMAGED);
}

/* Adds an object's bytes, at most max of them; *size is how many it has, 0 where that is not known. */
static bool object_read(struct lineage *l, const struct oid *id, git_object_t type, size_t max, struct buf *out, size_t *size)
{
	git_oid g = oid_to_git(id);
	git_object_t is;
	*size = 0;
	lineage_lock(l);
	bool huge = max && git_odb_exists_ext(l->odb, &g, GIT_ODB_LOOKUP_NO_REFRESH) &&
	    git_odb_read_header(size, &is, l->odb, &g) == 0 && *size > max;
	git_odb_object *o = huge ? NULL : object_get(l, id, type);
	if (!huge)
		*size = o ? git_odb_object_size(o) : 0;
	bool fits = o && (!max || *size <= max);
	if (fits)
		buf_add(out, git_odb_object_data(o), *size);
	git_odb_object_free(o);
	lineage_unlock(l);
	return fits;
}

/* Commits */

static size_t node_slot(const struct lineage *l, const struct oid *id)
{
	uint64_t h;
	memcpy(&h, id->id, sizeof(h));
	size_t k = (size_t)h & (l->size - 1);
	while (l->nodes[k] && !oid_equal(&l->nodes[k]->c.id, id))
		k = (k + 1) & (l->size - 1);
	return k;
}

static void nodes_grow(struct lineage *l)
{
	struct node **old = l->nodes;
	size_t old_size = l->size;
	l->size = old_size ? old_size * 2 : 1024;
	l->nodes = xcalloc(l->size, sizeof(*l->nodes));
	for (size_t i = 0; i < old_size; i++)
		if (old[i])
			l->nodes[node_slot(l, &old[i]->c.id)] = old[i];
	free(old);
}

static struct node *node_read(struct lineage *l, const struct oid *id)
{
	struct commit_links links;
	struct err e = ERR_INIT;
	struct node *n = NULL;
	lineage_lock(l);
	if (repo_links(l->repo, id, &links, &e) == 0) {
		n = ARENA_NEW(&l->arena, struct node);
		n->c = (struct lineage_commit){ .id = *id, .tree = links.tree, .time = links.time / 1000, .cut = links.cut,
			.n_parents = (uint32_t)links.n_parents };
		if (links.n_parents)
			n->c.parents = (const struct oid *)arena_memdup(&l->arena, links.parents, links.n_parents * sizeof(*links.parents));
	}
	lineage_unlock(l);
	return n;
}

static struct node *node_get(struct lineage *l, const struct oid *id)
{
	if (l->n_nodes * 2 >= l->size)
		nodes_grow(l);
	size_t k = node_slot(l, id);
	if (l->nodes[k])
		return l->nodes[k];
	struct node *n = node_read(l, id);
	if (!n)
		return NULL;
	l->nodes[k] = n;
	l->n_nodes++;
	return n;
}

const struct lineage_commit *lineage_commit(struct lineage *l, const struct oid *id)
{
	struct node *n = node_get(l, id);
	return n ? &n->c : NULL;
}

const struct lineage_commit *lineage_parent(struct lineage *l, const struct lineage_commit *c)
{
	return c->n_parents ? lineage_commit(l, &c->parents[0]) : NULL;
}

/* A heap of commits, newest first; equal times by id, so that answers do not depend on the order of asking. */
struct heap { struct node **items; size_t len, alloc; };

static bool newer(const struct node *a, const struct node *b)
{
	return a->c.time != b->c.time ? a->c.time > b->c.time : memcmp(a->c.id.id, b->c.id.id, 20) > 0;
}

static void heap_push(struct heap *h, struct node *n)
{
	h->items = array_grow(h->items, h->len, &h->alloc, sizeof(*h->items));
	size_t i = h->len++;
	for (; i && newer(n, h->items[(i - 1) / 2]); i = (i - 1) / 2)
		h->items[i] = h->items[(i - 1) / 2];
	h->items[i] = n;
}

static struct node *heap_pop(struct heap *h)
{
	struct node *top = h->items[0], *last = h->items[--h->len];
	size_t i = 0;
	for (size_t k = 1; k < h->len; i = k, k = 2 * i + 1) {
		if (k + 1 < h->len && newer(h->items[k + 1], h->items[k]))
			k++;
		if (!newer(h->items[k], last))
			break;
		h->items[i] = h->items[k];
	}
	if (h->len)
		h->items[i] = last;
	return top;
}

/* Adds flags to a commit; queues it when they are news. *fresh counts the queued ones that are not stale. */
static void paint(struct lineage *l, struct heap *h, struct node *n, uint32_t flags, size_t *fresh)
{
	if (n->epoch != l->epoch) {
		n->epoch = l->epoch;
		n->flags = 0;
	}
	if ((n->flags & flags) == flags)
		return;
	bool was_fresh = (n->flags & QUEUED) && !(n->flags & STALE);
	n->flags |= flags;
	if (!(n->flags & QUEUED)) {
		n->flags |= QUEUED;
		heap_push(h, n);
		*fresh += !(n->flags & STALE);
	} else if (was_fresh && (n->flags & STALE)) {
		--*fresh;
	}
}

bool lineage_base(struct lineage *l, const struct oid *a, const struct oid *b, struct oid *out)
{
	struct node *x = node_get(l, a), *y = node_get(l, b), *found = NULL;
	struct heap h = { 0 };
	size_t fresh = 0;
	if (!x || !y)
		return false;
	l->epoch++;
	paint(l, &h, x, SEEN_A, &fresh);
	paint(l, &h, y, SEEN_B, &fresh);
	while (h.len && fresh) {
		struct node *n = heap_pop(&h);
		fresh -= !(n->flags & STALE);
		n->flags &= ~(uint32_t)QUEUED;
		uint32_t flags = n->flags & (SEEN_A | SEEN_B | STALE);
		if ((flags & (SEEN_A | SEEN_B)) == (SEEN_A | SEEN_B) && !(flags & STALE)) {
			if (!found)
				found = n;
			flags |= STALE;
		}
		for (uint32_t i = 0; i < n->c.n_parents; i++) {
			struct node *p = node_get(l, &n->c.parents[i]);
			if (p)
				paint(l, &h, p, flags, &fresh);
		}
	}
	free(h.items);
	if (found)
		*out = found->c.id;
	return found != NULL;
}

/* Marks the commits of tip's history that are not in base's with the epoch, without STALE; true if base is met. */
static bool paint_between(struct lineage *l, struct node *base, struct node *tip)
{
	struct heap h = { 0 };
	size_t fresh = 0;
	l->epoch++;
	paint(l, &h, base, SEEN_A | STALE, &fresh);
	paint(l, &h, tip, SEEN_B, &fresh);
	while (h.len && fresh) {
		struct node *n = heap_pop(&h);
		fresh -= !(n->flags & STALE);
		n->flags &= ~(uint32_t)QUEUED;
		uint32_t flags = n->flags & (SEEN_A | SEEN_B | STALE);
		for (uint32_t i = 0; i < n->c.n_parents; i++) {
			struct node *p = node_get(l, &n->c.parents[i]);
			if (p)
				paint(l, &h, p, flags, &fresh);
		}
	}
	free(h.items);
	return base->flags & SEEN_B;
}

enum { REACHES = 16, REACHES_NOT = 32 };

/* Sets REACHES or REACHES_NOT on n and all below it that matter; no recursion, histories are deep. */
static bool node_reaches(struct lineage *l, struct node *n, const struct node *base, struct heap *stack)
{
	stack->len = 0;
	*array_add(stack) = n;
	while (stack->len) {
		struct node *x = stack->items[stack->len - 1], *open = NULL;
		bool yes = x == base, no = x->epoch != l->epoch || ((x->flags & STALE) && !yes);
		for (uint32_t i = 0; i < x->c.n_parents && !yes && !no && !open; i++) {
			struct node *p = node_get(l, &x->c.parents[i]);
			if (p && p->epoch == l->epoch && !(p->flags & (REACHES | REACHES_NOT)))
				open = p;
			yes |= p && p->epoch == l->epoch && (p->flags & REACHES);
		}
		if (open) {
			*array_add(stack) = open;
			continue;
		}
		if (x->epoch == l->epoch)
			x->flags |= yes ? REACHES : REACHES_NOT;
		stack->len--;
	}
	return n->flags & REACHES;
}

bool lineage_path(struct lineage *l, const struct oid *base, const struct oid *tip, struct lineage_list *out)
{
	struct node *a = node_get(l, base), *b = node_get(l, tip);
	struct heap stack = { 0 };
	bool found = false;
	if (!a || !b || a == b || !paint_between(l, a, b))
		goto out;
	found = node_reaches(l, b, a, &stack);
	for (struct node *n = b; found && n;) {
		*array_add(out) = &n->c;
		struct node *next = NULL;
		for (uint32_t i = 0; i < n->c.n_parents && !next && n != a; i++) {
			struct node *p = node_get(l, &n->c.parents[i]);
			if (p && p->epoch == l->epoch && node_reaches(l, p, a, &stack))
				next = p;
		}
		n = next;
	}
out:
	free(stack.items);
	return found;
}

/* Trees */

static struct tree **tree_slot(struct lineage *l, const struct oid *id)
{
	uint32_t h;
	memcpy(&h, id->id, sizeof(h));
	return &l->trees[h % TREE_SLOTS];
}

static struct tree *tree_read(struct lineage *l, const struct oid *id)
{
	struct buf b = BUF_INIT;
	size_t size;
	if (!packs_read(l->packs, id->id, PACK_TREE, SIZE_MAX / 4, &b) && !object_read(l, id, GIT_OBJECT_TREE, 0, &b, &size)) {
		buf_release(&b);
		return NULL;
	}
	struct tree *t = xcalloc(1, sizeof(*t));
	*t = (struct tree){ .id = *id, .size = b.len, .refs = 1 };
	t->ptr = buf_detach(&b);
	return t;
}

/* The caller lets go of it with tree_put. */
static struct tree *tree_get(struct lineage *l, const struct oid *id)
{
	struct tree **slot = tree_slot(l, id), *t = *slot;
	if (!t || !oid_equal(&t->id, id)) {
		t = tree_read(l, id);
		if (!t)
			return NULL;
		if (l->tree_bytes + t->size > l->tree_most)
			trees_drop(l);
		l->tree_bytes += t->size - (*slot ? (*slot)->size : 0);
		tree_put(*slot);
		*slot = t;
	}
	t->refs++;
	return t;
}

struct entry { const char *name; size_t len; unsigned mode; const uint8_t *id; };

/* The entry at *p, which moves behind it; false at the end or where the bytes are no tree. */
static bool entry_next(const char **p, const char *end, struct entry *out)
{
	const char *q = *p;
	out->mode = 0;
	while (q < end && *q >= '0' && *q <= '7' && out->mode < 01000000)
		out->mode = out->mode << 3 | (unsigned)(*q++ - '0');
	if (q >= end || *q++ != ' ')
		return false;
	const char *nul = memchr(q, 0, (size_t)(end - q));
	if (!nul || end - nul < 21)
		return false;
	out->name = q;
	out->len = (size_t)(nul - q);
	out->id = (const uint8_t *)nul + 1;
	*p = nul + 21;
	return true;
}

static bool is_dir(const struct entry *x) { return (x->mode & 0170000) == 0040000; }

enum { INDEX_FROM = 2048, INDEX_ASKED = 4 };

static int cmp_name(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : x->at < y->at ? -1 : x->at > y->at;
}

static void tree_index(struct tree *t)
{
	const char *start = t->ptr, *p = start, *end = p + t->size, *at = p;
	size_t alloc = 0;
	for (struct entry x; entry_next(&p, end, &x); at = p) {
		t->names = array_grow(t->names, t->n_names, &alloc, sizeof(*t->names));
		t->names[t->n_names++] = (struct name){ (uint32_t)hash64(x.name, x.len), (uint32_t)(at - start) };
	}
	if (t->n_names)
		qsort(t->names, t->n_names, sizeof(*t->names), cmp_name);
}

/* Where in the tree's bytes to look for a name: at its entry, where there is an index, else at the first. */
static const char *tree_hint(struct tree *t, const char *name, size_t len)
{
	const char *start = t->ptr;
	if (t->size < INDEX_FROM || ++t->asked < INDEX_ASKED)
		return start;
	if (!t->names)
		tree_index(t);
	uint32_t h = (uint32_t)hash64(name, len), lo = 0, hi = t->n_names;
	while (lo < hi) {
		uint32_t m = lo + (hi - lo) / 2;
		if (t->names[m].hash < h)
			lo = m + 1;
		else
			hi = m;
	}
	return lo < t->n_names && t->names[lo].hash == h ? start + t->names[lo].at : NULL;
}

static bool tree_find(struct lineage *l, const struct oid *tree, const char *name, size_t len, struct oid *out,
    unsigned *mode)
{
	struct tree *t = tree_get(l, tree);
	bool found = false;
	if (!t)
		return false;
	const char *p = tree_hint(t, name, len), *end = t->ptr + t->size;
	for (struct entry x; p && !found && entry_next(&p, end, &x);) {
		if (x.len != len || memcmp(x.name, name, len))
			continue;
		memcpy(out->id, x.id, 20);
		*mode = x.mode;
		found = true;
	}
	tree_put(t);
	return found;
}

static bool probe_set(struct lineage_probe *p, unsigned depth, const struct oid *id, unsigned mode)
{
	p->depth = depth;
	p->found = id != NULL;
	p->id = id ? *id : OID_ZERO;
	p->mode = mode;
	return p->found;
}

bool lineage_probe(struct lineage *l, struct lineage_probe *p, const struct oid *tree)
{
	struct oid at = *tree;
	const char *path = p->path;
	unsigned had = p->depth, mode = 0;
	for (unsigned k = 0; k < LINEAGE_LEVELS; k++) {
		if (k < had && oid_equal(&p->levels[k], &at))
			return p->found;
		p->levels[k] = at;
		if (k + 1 > p->depth)
			p->depth = k + 1;
		const char *slash = strchr(path, '/');
		size_t len = slash ? (size_t)(slash - path) : strlen(path);
		if (!tree_find(l, &at, path, len, &at, &mode))
			return probe_set(p, k + 1, NULL, 0);
		if (!slash)
			return probe_set(p, k + 1, &at, mode);
		if ((mode & 0170000) != 0040000)
			return probe_set(p, k + 1, NULL, 0);
		path = slash + 1;
	}
	bool found = lineage_entry(l, tree, p->path, &at, &mode);
	return probe_set(p, 0, found ? &at : NULL, mode);
}

bool lineage_entry(struct lineage *l, const struct oid *tree, const char *path, struct oid *out, unsigned *mode)
{
	struct oid at = *tree;
	for (;;) {
		const char *slash = strchr(path, '/');
		size_t len = slash ? (size_t)(slash - path) : strlen(path);
		if (!tree_find(l, &at, path, len, &at, mode))
			return false;
		if (!slash) {
			*out = at;
			return true;
		}
		if ((*mode & 0170000) != 0040000)
			return false;
		path = slash + 1;
	}
}

struct differ {
	struct lineage *l;
	const char *const *only;
	size_t n_only, max;
	struct arena *arena;
	struct lineage_changes *out;
	struct buf path;
};

static size_t first_not_below(const struct differ *d, const char *path)
{
	size_t lo = 0, hi = d->n_only;
	while (lo < hi) {
		size_t m = lo + (hi - lo) / 2;
		if (strcmp(d->only[m], path) < 0)
			lo = m + 1;
		else
			hi = m;
	}
	return lo;
}

/* Is the path in d->path asked for (dir: does anything below it)? */
static bool wanted(struct differ *d, bool dir)
{
	if (!d->only)
		return true;
	if (dir)
		buf_addch(&d->path, '/');
	size_t k = first_not_below(d, d->path.ptr);
	bool yes = k < d->n_only && (dir ? !strncmp(d->only[k], d->path.ptr, d->path.len) :
	    !strcmp(d->only[k], d->path.ptr));
	if (dir)
		buf_setlen(&d->path, d->path.len - 1);
	return yes;
}

static void diff_trees(struct differ *d, const struct oid *old_tree, const struct oid *new_tree, unsigned depth);

static void diff_entry(struct differ *d, const struct entry *x, const struct entry *y, unsigned depth)
{
	const struct entry *any = x ? x : y;
	size_t len = d->path.len;
	buf_add(&d->path, any->name, any->len);
	struct oid a = OID_ZERO, b = OID_ZERO;
	if (x)
		memcpy(a.id, x->id, 20);
	if (y)
		memcpy(b.id, y->id, 20);
	if (wanted(d, is_dir(any))) {
		if (is_dir(any)) {
			buf_addch(&d->path, '/');
			diff_trees(d, x ? &a : NULL, y ? &b : NULL, depth + 1);
		} else if (d->out->len >= d->max) {
			d->out->cut = true;
		} else {
			*array_add(d->out) = (struct lineage_change){ .path = arena_memdup(d->arena, d->path.ptr, d->path.len),
				.old_id = a, .new_id = b, .old_mode = x ? x->mode : 0, .new_mode = y ? y->mode : 0 };
		}
	}
	buf_setlen(&d->path, len);
}

/* git's order: a folder sorts as if its name ended with '/'. */
static int entry_cmp(const struct entry *x, const struct entry *y)
{
	size_t n = x->len < y->len ? x->len : y->len;
	int c = memcmp(x->name, y->name, n);
	if (c)
		return c;
	unsigned char a = n < x->len ? (unsigned char)x->name[n] : is_dir(x) ? '/' : 0;
	unsigned char b = n < y->len ? (unsigned char)y->name[n] : is_dir(y) ? '/' : 0;
	return (int)a - (int)b;
}

/* Most entries of most trees are the same: over them in one go. */
static void skip_same(const char **p, const char *p_end, const char **q, const char *q_end)
{
	const char *from = *p;
	size_t most = p_end - *p < q_end - *q ? (size_t)(p_end - *p) : (size_t)(q_end - *q), same = 0;
	while (same + 256 <= most && !memcmp(from + same, *q + same, 256))
		same += 256;
	while (same < most && from[same] == (*q)[same])
		same++;
	for (const char *end = from + same, *nul; (nul = memchr(*p, 0, (size_t)(end - *p))) && end - nul >= 21;)
		*p = nul + 21;
	*q += *p - from;
}

static void diff_merge(struct differ *d, const char *p, const char *p_end, const char *q, const char *q_end,
    unsigned depth)
{
	struct entry x, y;
	skip_same(&p, p_end, &q, q_end);
	bool have_x = entry_next(&p, p_end, &x), have_y = entry_next(&q, q_end, &y);
	while ((have_x || have_y) && !d->out->cut) {
		int c = !have_x ? 1 : !have_y ? -1 : entry_cmp(&x, &y);
		if (c || x.mode != y.mode || memcmp(x.id, y.id, 20))
			diff_entry(d, c <= 0 ? &x : NULL, c >= 0 ? &y : NULL, depth);
		if (!c)
			skip_same(&p, p_end, &q, q_end);
		if (c <= 0)
			have_x = entry_next(&p, p_end, &x);
		if (c >= 0)
			have_y = entry_next(&q, q_end, &y);
	}
}

static void diff_trees(struct differ *d, const struct oid *old_tree, const struct oid *new_tree, unsigned depth)
{
	struct tree *a = old_tree ? tree_get(d->l, old_tree) : NULL, *b = new_tree ? tree_get(d->l, new_tree) : NULL;
	if ((old_tree && !a) || (new_tree && !b) || depth > 512) {
		d->out->cut = true;
	} else {
		const char *p = a ? a->ptr : "", *q = b ? b->ptr : "";
		diff_merge(d, p, a ? p + a->size : p, q, b ? q + b->size : q, depth);
	}
	tree_put(a);
	tree_put(b);
}

void lineage_diff(struct lineage *l, const struct oid *old_tree, const struct oid *new_tree, const char *const *only,
    size_t n_only, size_t max, struct arena *a, struct lineage_changes *out)
{
	struct differ d = { .l = l, .only = only, .n_only = n_only, .max = max, .arena = a, .out = out, .path = BUF_INIT };
	if (old_tree && new_tree && oid_equal(old_tree, new_tree))
		return;
	diff_trees(&d, old_tree, new_tree, 0);
	buf_release(&d.path);
}

void lineage_changes_release(struct lineage_changes *c)
{
	free(c->items);
	*c = (struct lineage_changes){ 0 };
}

bool lineage_blob(struct lineage *l, const struct oid *id, size_t max, struct buf *out, uint64_t *size)
{
	size_t before = out->len;
	if (packs_read(l->packs, id->id, PACK_BLOB, max ? max : SIZE_MAX / 4, out)) {
		if (size)
			*size = out->len - before;
		return true;
	}
	size_t len;
	bool good = object_read(l, id, GIT_OBJECT_BLOB, max, out, &len);
	if (size)
		*size = len;
	return good;
}
