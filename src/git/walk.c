/* SPDX-License-Identifier: MIT */
/*
 * Walking commits by date, and the questions that need nothing more: is this an ancestor of that, where did two lines
 * part. The colouring is git's (paint_down_to_common in commit-reach.c): it is right whatever the clocks say.
 */
#include "config.h"
#include <stdlib.h>
#include "killick/git/history.h"
#include "walk.h"

void walk_init(struct walk *w, struct repo *r)
{
	*w = (struct walk){ .repo = r };
}

void walk_release(struct walk *w)
{
	array_release(&w->nodes);
	array_release(&w->heap);
	free(w->slots);
	w->slots = NULL;
}

static size_t slot_of(const struct walk *w, const struct oid *id)
{
	uint64_t h;
	size_t at;

	memcpy(&h, id->id, sizeof(h));
	for (at = h & (w->n_slots - 1); w->slots[at]; at = (at + 1) & (w->n_slots - 1))
		if (oid_equal(&w->nodes.items[w->slots[at] - 1].id, id))
			break;
	return at;
}

static void grow(struct walk *w)
{
	if (w->n_slots && w->nodes.len * 2 < w->n_slots)
		return;
	free(w->slots);
	w->n_slots = w->n_slots ? w->n_slots * 2 : 256;
	w->slots = xcalloc(w->n_slots, sizeof(*w->slots));
	for (size_t i = 0; i < w->nodes.len; i++)
		w->slots[slot_of(w, &w->nodes.items[i].id)] = (uint32_t)i + 1;
}

int walk_node(struct walk *w, const struct oid *id, uint32_t *out, bool *fresh, struct err *e)
{
	struct commit_links l;
	size_t at;

	grow(w);
	at = slot_of(w, id);
	*fresh = !w->slots[at];
	if (*fresh) {
		if (repo_links(w->repo, id, &l, e))
			return -1;
		*array_add(&w->nodes) = (struct walk_node){ *id, l.time, l.generation, 0 };
		w->slots[at] = (uint32_t)w->nodes.len;
	}
	*out = w->slots[at] - 1;
	return 0;
}

static bool before(const struct walk_item *a, const struct walk_item *b)
{
	return a->time != b->time ? a->time > b->time : a->seq < b->seq;
}

void walk_push(struct walk *w, uint32_t node)
{
	struct walk_item it = { w->nodes.items[node].time, w->seq++, node };
	size_t i;

	array_add(&w->heap);
	for (i = w->heap.len - 1; i && before(&it, &w->heap.items[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap.items[i] = w->heap.items[(i - 1) / 2];
	w->heap.items[i] = it;
}

bool walk_pop(struct walk *w, uint32_t *node)
{
	struct walk_item *h = w->heap.items, it;
	size_t i = 0, n;

	if (!w->heap.len)
		return false;
	*node = h[0].node;
	it = h[--w->heap.len];
	n = w->heap.len;
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < n && before(&h[child + 1], &h[child]))
			child++;
		if (child >= n || !before(&h[child], &it))
			break;
		h[i] = h[child];
		i = child;
	}
	if (n)
		h[i] = it;
	return true;
}

/* --- ancestry --- */

enum paint { PAINT_A = 1, PAINT_B = 2, PAINT_STALE = 4, PAINT_QUEUED = 8, PAINT_RESULT = 16 };

struct painting {
	struct walk w;
	size_t fresh;             /* queued and not stale */
	uint32_t least;           /* below this generation nothing is looked for; 0: no such bound */
};

static int paint(struct painting *p, const struct oid *id, uint32_t flags, struct err *e)
{
	struct walk_node *n;
	uint32_t at;
	bool is_new;

	if (walk_node(&p->w, id, &at, &is_new, e))
		return -1;
	n = &p->w.nodes.items[at];
	if ((n->flags & flags) == flags)
		return 0;
	if (n->generation && n->generation < p->least)
		return 0;
	if ((n->flags & PAINT_QUEUED) && !(n->flags & PAINT_STALE) && (flags & PAINT_STALE))
		p->fresh--;
	n->flags |= flags;
	if (n->flags & PAINT_QUEUED)
		return 0;
	n->flags |= PAINT_QUEUED;
	if (!(n->flags & PAINT_STALE))
		p->fresh++;
	walk_push(&p->w, at);
	return 0;
}

/* Paints downwards until only common commits are left, or `until` wears A. */
static int paint_down(struct painting *p, const struct oid *until, struct err *e)
{
	struct commit_links l;
	struct oid parent;
	uint32_t at, flags;

	while (p->fresh && walk_pop(&p->w, &at)) {
		struct walk_node *n = &p->w.nodes.items[at];
		struct oid id = n->id;

		n->flags &= ~(uint32_t)PAINT_QUEUED;
		if (!(n->flags & PAINT_STALE))
			p->fresh--;
		flags = n->flags & (PAINT_A | PAINT_B | PAINT_STALE);
		if (until && (flags & PAINT_A) && oid_equal(&id, until))
			return 0;
		if (flags == (PAINT_A | PAINT_B)) {
			n->flags |= PAINT_RESULT;
			flags |= PAINT_STALE;
		}
		for (size_t i = 0;; i++) {
			if (repo_links(p->w.repo, &id, &l, e))
				return -1;
			if (i >= l.n_parents)
				break;
			parent = l.parents[i];   /* the links' memory is reused by the next look-up */
			if (paint(p, &parent, flags, e))
				return -1;
		}
	}
	return 0;
}

bool repo_reaches_any(struct repo *r, const struct oid *commits, size_t n, const struct oid *ancestor)
{
	struct painting p = { .fresh = 0 };
	struct err e = ERR_INIT;
	bool fresh, hit = false;
	uint32_t at;

	walk_init(&p.w, r);
	if (walk_node(&p.w, ancestor, &at, &fresh, &e))
		goto out;
	p.least = p.w.nodes.items[at].generation;
	for (size_t i = 0; i < n; i++)
		if (paint(&p, &commits[i], PAINT_A, &e))
			err_clear(&e);   /* a tip that cannot be read reaches nothing */
	if (paint(&p, ancestor, PAINT_B, &e) || paint_down(&p, ancestor, &e))
		goto out;
	hit = p.w.nodes.items[at].flags & PAINT_A;
out:
	walk_release(&p.w);
	return hit;
}

bool repo_reaches(struct repo *r, const struct oid *commit, const struct oid *ancestor)
{
	return oid_equal(commit, ancestor) || repo_reaches_any(r, commit, 1, ancestor);
}

int repo_merge_bases(struct repo *r, const struct oid *a, const struct oid *b, struct arena *arena, struct oid **out,
    size_t *n, struct err *e)
{
	struct painting p = { .fresh = 0 };
	int rc = -1;

	*n = 0;
	walk_init(&p.w, r);
	if (paint(&p, a, PAINT_A, e) || paint(&p, b, PAINT_B, e) || paint_down(&p, NULL, e))
		goto out;
	*out = arena_alloc(arena, (p.w.nodes.len + 1) * sizeof(**out));
	for (size_t i = 0; i < p.w.nodes.len; i++)
		if ((p.w.nodes.items[i].flags & (PAINT_RESULT | PAINT_STALE)) == PAINT_RESULT)
			(*out)[(*n)++] = p.w.nodes.items[i].id;
	rc = 0;
out:
	walk_release(&p.w);
	return rc;
}
