/* SPDX-License-Identifier: MIT */
/*
 * The cache of texts and pairs, and which runs of a pair can be trusted.
 *
 * Trust: a run of equal lines between two gaps can be there by chance when all its lines occur elsewhere too. A run is
 * trusted when it holds a line with a name in it that occurs once in each version, or reaches an end of both files
 * with three such lines. Blanks and braces at its edges are not: another diff would give them to the gap.
 */
#include "config.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "gap.h"

enum { ISLAND_SHORE = 2, ISLAND_LINES = 4, TRUSTED = 0x80, CLEAN = 0x40, EDGE_MOST = 7, SLOTS = 4096, BYTES_MOST = 64 << 20, TEXT_MOST = 256 << 20 };

struct kept_text { struct oid id; struct text *t; enum text_fault why; bool pinned; unsigned used; struct kept_text *next; };
struct kept_pair { struct pair p; unsigned used; struct kept_pair *next; };

struct pairs {
	struct lineage *l;
	const struct map_cache *cache;
	struct kept_text *texts[SLOTS];
	struct kept_pair *pairs[SLOTS];
	size_t bytes, most;
	bool missed;
	unsigned turn;          /* raised by each trim; what was not used since the last one goes */
};

struct pairs *pairs_new(struct lineage *l, const struct map_cache *cache)
{
	struct pairs *p = xcalloc(1, sizeof(*p));
	p->l = l;
	p->cache = cache;
	p->most = BYTES_MOST;
	return p;
}

void pairs_share(struct pairs *p, unsigned n) { p->most = BYTES_MOST / (n ? n : 1); }

void pair_clear(struct pair *x)
{
	for (size_t k = 0; x->hits && k < x->gaps.len; k++)
		free(x->hits[k]);
	free(x->hits);
	free(x->trust);
	free(x->doubts.items);
	gaps_release(&x->gaps);
	blocks_release(&x->blocks);
}

static size_t text_bytes(const struct kept_text *t) { return t->t ? text_weight(t->t) + t->t->n * 8 : sizeof(*t); }

/* Drops what was last used before turn `since`. */
static void texts_drop(struct kept_text **slot, unsigned since, bool pinned_too, size_t *bytes)
{
	while (*slot) {
		struct kept_text *t = *slot;
		if (t->used >= since || (t->pinned && !pinned_too)) {
			*bytes += text_bytes(t);
			slot = &t->next;
			continue;
		}
		*slot = t->next;
		text_free(t->t);
		free(t);
	}
}

/* Pairs point to texts: one whose text may go, goes. */
static void pairs_drop(struct kept_pair **slot, unsigned since, size_t *bytes)
{
	while (*slot) {
		struct kept_pair *x = *slot;
		x->p.o = x->p.n = NULL;
		if (x->used >= since) {
			*bytes += sizeof(*x) + x->p.gaps.len * 64;
			slot = &x->next;
			continue;
		}
		*slot = x->next;
		pair_clear(&x->p);
		free(x);
	}
}

static void pairs_sweep(struct pairs *p, unsigned since, bool pinned_too)
{
	p->bytes = 0;
	for (size_t i = 0; i < SLOTS; i++) {
		pairs_drop(&p->pairs[i], since, &p->bytes);
		texts_drop(&p->texts[i], since, pinned_too, &p->bytes);
	}
}

void pairs_free(struct pairs *p)
{
	if (!p)
		return;
	pairs_sweep(p, UINT_MAX, true);
	free(p);
}

void pairs_begin(struct pairs *p)
{
	p->missed = false;
	lineage_fault_clear(p->l);
}

bool pairs_missed(const struct pairs *p) { return p->missed || lineage_fault(p->l); }

static bool not_here(enum text_fault why) { return why == TEXT_MISSING || why == TEXT_DAMAGED; }

/* Why a blob could not be read: lineage_blob just said no. */
static enum text_fault blob_fault(const struct pairs *p, uint64_t size)
{
	return size ? TEXT_HUGE : lineage_fault(p->l) == LINEAGE_DAMAGED ? TEXT_DAMAGED : TEXT_MISSING;
}

void pairs_trim(struct pairs *p)
{
	if (p->bytes <= p->most)
		return;
	trace("anchor", "texts and pairs: %zu bytes, dropping the old", p->bytes);
	pairs_sweep(p, p->turn, false);
	if (p->bytes > p->most)
		pairs_sweep(p, UINT_MAX, false);
	p->turn++;
}

void pairs_unpin(struct pairs *p)
{
	for (size_t i = 0; i < SLOTS; i++)
		for (struct kept_text *t = p->texts[i]; t; t = t->next)
			t->pinned = false;
}

static size_t slot_of(const struct oid *a, const struct oid *b)
{
	uint32_t x, y = 0;
	memcpy(&x, a->id, sizeof(x));
	if (b)
		memcpy(&y, b->id, sizeof(y));
	return (x ^ y * 0x9e3779b1u) % SLOTS;
}

static struct kept_text *text_kept(struct pairs *p, const struct oid *id)
{
	for (struct kept_text *t = p->texts[slot_of(id, NULL)]; t; t = t->next)
		if (oid_equal(&t->id, id)) {
			t->used = p->turn;
			p->missed |= not_here(t->why);
			return t;
		}
	return NULL;
}

static struct kept_text *text_keep(struct pairs *p, const struct oid *id, struct text *t, enum text_fault why)
{
	size_t slot = slot_of(id, NULL);
	struct kept_text *k = xcalloc(1, sizeof(*k));
	p->missed |= not_here(why);
	*k = (struct kept_text){ .id = *id, .t = t, .why = why, .used = p->turn, .next = p->texts[slot] };
	if (t)
		p->bytes += text_weight(t) + t->n * 24;  /* what is made when asked */
	return p->texts[slot] = k;
}

static struct kept_text *text_take(struct pairs *p, const struct oid *id, struct buf *content)
{
	struct text *t = text_new(content);
	if (!t->binary)
		return text_keep(p, id, t, TEXT_FINE);
	text_free(t);
	return text_keep(p, id, NULL, TEXT_BINARY);
}

struct text *pairs_put(struct pairs *p, const struct oid *id, struct buf *content)
{
	struct kept_text *k = text_kept(p, id);
	if (!k)
		k = text_take(p, id, content);
	k->pinned = true;
	return k->t;
}

struct text *pairs_text(struct pairs *p, const struct oid *blob, enum text_fault *why)
{
	struct kept_text *k = text_kept(p, blob);
	if (!k) {
		struct buf b = BUF_INIT;
		uint64_t size;
		if (lineage_blob(p->l, blob, TEXT_MOST, &b, &size))
			k = text_take(p, blob, &b);
		else
			k = text_keep(p, blob, NULL, blob_fault(p, size));
		buf_release(&b);
	}
	if (why)
		*why = k->why;
	return k->t;
}

bool pairs_lines(struct pairs *p, const struct oid *blob, uint32_t *n, enum text_fault *why)
{
	struct kept_text *k = text_kept(p, blob);
	struct buf b = BUF_INIT;
	uint64_t size;
	if (k) {
		*why = k->why;
		*n = k->t ? k->t->n : 0;
		return k->t;
	}
	if (!lineage_blob(p->l, blob, TEXT_MOST, &b, &size)) {
		*why = blob_fault(p, size);
		p->missed |= not_here(*why);
	} else
		*why = memchr(b.ptr, 0, b.len < 8000 ? b.len : 8000) ? TEXT_BINARY : TEXT_FINE;
	*n = b.len && b.ptr[b.len - 1] != '\n';
	for (const char *q = b.ptr, *end = q + b.len; *why == TEXT_FINE && (q = memchr(q, '\n', (size_t)(end - q))); q++)
		++*n;
	buf_release(&b);
	return *why == TEXT_FINE;
}

/* Encoding: number of old lines, of new lines, then for each gap the run before it, its trust, and its two sizes. */

void pair_encode(const struct pair *x, struct buf *out)
{
	uint32_t at = 0;
	buf_addnum(out, x->old_n);
	buf_addnum(out, x->new_n);
	buf_addnum(out, (uint32_t)x->gaps.len);
	for (size_t k = 0; k < x->gaps.len; k++) {
		const struct gap *g = &x->gaps.items[k];
		buf_addnum(out, g->a - at);
		buf_addch(out, x->trust[k]);
		buf_addnum(out, g->b - g->a);
		buf_addnum(out, g->d - g->c);
		at = g->b;
	}
	buf_addch(out, x->trust[x->gaps.len]);
	at = 0;
	for (size_t k = 0; k < x->doubts.len; k++) {
		buf_addnum(out, x->doubts.items[k].a - at);
		buf_addnum(out, x->doubts.items[k].b - x->doubts.items[k].a);
		at = x->doubts.items[k].b;
	}
}

static bool gap_decode(struct gap *g, const struct gap *before, uint8_t *trust, const char **p, const char *end)
{
	uint32_t run, del, ins;
	if (!num_take(p, end, &run) || *p == end)
		return false;
	*trust = (uint8_t)*(*p)++;
	if (!num_take(p, end, &del) || !num_take(p, end, &ins) || (!del && !ins) || (before && !run))
		return false;
	uint64_t a = (before ? before->b : 0) + (uint64_t)run, c = (before ? before->d : 0) + (uint64_t)run;
	if (a + del > UINT32_MAX - 1 || c + ins > UINT32_MAX - 1)
		return false;
	*g = (struct gap){ (uint32_t)a, (uint32_t)a + del, (uint32_t)c, (uint32_t)c + ins };
	return true;
}

static bool doubts_decode(struct pair *x, const char *p, const char *end)
{
	for (uint32_t at = 0, skip, len; p < end;) {
		if (!num_take(&p, end, &skip) || !num_take(&p, end, &len) || !len || (uint64_t)at + skip + len > x->old_n)
			return false;
		*array_add(&x->doubts) = (struct doubt){ at + skip, at + skip + len };
		at += skip + len;
	}
	return true;
}

bool pair_decode(struct pair *x, const char *p, size_t n)
{
	const char *end = p + n;
	uint32_t len;
	if (!num_take(&p, end, &x->old_n) || !num_take(&p, end, &x->new_n) || !num_take(&p, end, &len) || len > n / 3)
		return false;
	x->trust = xcalloc((size_t)len + 1, 1);
	x->gaps.items = xcalloc((size_t)len + 1, sizeof(*x->gaps.items));
	x->gaps.alloc = (size_t)len + 1;
	for (; x->gaps.len < len; x->gaps.len++) {
		size_t k = x->gaps.len;
		if (!gap_decode(&x->gaps.items[k], k ? &x->gaps.items[k - 1] : NULL, &x->trust[k], &p, end))
			return false;
	}
	struct gap last = len ? x->gaps.items[len - 1] : (struct gap){ 0 };
	if (p == end || last.b > x->old_n || last.d > x->new_n || x->old_n - last.b != x->new_n - last.d)
		return false;
	x->trust[len] = (uint8_t)*p++;
	return doubts_decode(x, p, end);
}

/* Trust */

static uint8_t run_trust(struct text *o, struct text *n, uint32_t i, uint32_t j, uint32_t len)
{
	uint32_t head = 0, tail = 0, named = 0;
	bool sure = false, edge = (i == 0 && j == 0) || (i + len == o->n && j + len == n->n);
	while (head < len && head < EDGE_MOST && text_trivial(o, i + head))
		head++;
	while (tail < len && tail < EDGE_MOST && text_trivial(o, i + len - 1 - tail))
		tail++;
	for (uint32_t k = head; k < len && !sure && k < head + 4000; k++) {
		if (text_trivial(o, i + k))
			continue;
		sure = text_once(o, i + k) && text_once(n, j + k);
		sure |= ++named >= 3 && edge;
	}
	if (i == 0 && j == 0)
		head = 0;
	if (i + len == o->n && j + len == n->n)
		tail = 0;
	return (uint8_t)((sure ? TRUSTED : 0) | head << 3 | tail);
}

static void run_doubts(struct pair *x, uint32_t i, uint32_t j, uint32_t len)
{
	for (uint32_t k = 0; k < len; k++) {
		if (text_once(x->n, j + k) || !text_once(x->o, i + k) || text_trivial(x->o, i + k))
			continue;
		struct doubt *last = x->doubts.len ? &x->doubts.items[x->doubts.len - 1] : NULL;
		if (last && last->b == i + k)
			last->b++;
		else
			*array_add(&x->doubts) = (struct doubt){ i + k, i + k + 1 };
	}
}

static bool gap_clean(struct pair *x, const struct gap *g)
{
	for (uint32_t i = g->a; i < g->b; i++)
		if (text_has(x->n, x->o->lines[i].raw) && !text_trivial(x->o, i))
			return false;
	return true;
}

bool pair_clean(const struct pair *x, size_t k) { return x->trust[k] & CLEAN; }

static void pair_trust(struct pair *x)
{
	x->trust = xcalloc(x->gaps.len + 1, 1);
	uint32_t i = 0, j = 0;
	for (size_t k = 0; k <= x->gaps.len; k++) {
		uint32_t end = k < x->gaps.len ? x->gaps.items[k].a : x->old_n;
		x->trust[k] = run_trust(x->o, x->n, i, j, end - i);
		run_doubts(x, i, j, end - i);
		if (k < x->gaps.len) {
			x->trust[k] |= gap_clean(x, &x->gaps.items[k]) ? CLEAN : 0;
			i = x->gaps.items[k].b;
			j = x->gaps.items[k].d;
		}
	}
}

static bool doubted(const struct pair *x, uint32_t i)
{
	size_t lo = 0, hi = x->doubts.len;
	while (lo < hi) {
		size_t m = lo + (hi - lo) / 2;
		if (x->doubts.items[m].b <= i)
			lo = m + 1;
		else
			hi = m;
	}
	return lo < x->doubts.len && x->doubts.items[lo].a <= i;
}

/* The run that old line i is in, or the one behind its gap. */
static size_t run_of(const struct pair *x, uint32_t i)
{
	size_t lo = 0, hi = x->gaps.len;
	while (lo < hi) {
		size_t m = lo + (hi - lo) / 2;
		if (x->gaps.items[m].b <= i)
			lo = m + 1;
		else
			hi = m;
	}
	return lo;
}

bool pair_island(const struct pair *x, uint32_t i)
{
	size_t k = run_of(x, i);
	if (!k || k == x->gaps.len)
		return false;
	const struct gap *above = &x->gaps.items[k - 1], *below = &x->gaps.items[k];
	uint32_t shore = above->b - above->a + below->b - below->a;
	return shore >= ISLAND_SHORE && below->a - above->b <= ISLAND_LINES * shore;
}

bool pair_trusted(const struct pair *x, uint32_t i)
{
	size_t k = run_of(x, i);
	uint32_t start = k ? x->gaps.items[k - 1].b : 0, end = k < x->gaps.len ? x->gaps.items[k].a : x->old_n;
	uint8_t t = x->trust[k];
	return i >= start && i < end && (t & TRUSTED) && !doubted(x, i) && i - start >= (uint32_t)(t >> 3 & EDGE_MOST) &&
	    end - i > (uint32_t)(t & EDGE_MOST);
}

/* Pairs */

static const char space_hunks[] = "hunks";

static void pair_key(uint8_t key[41], const struct oid *a, const struct oid *b)
{
	key[0] = 2;  /* version of the method: raise when diff_lines or trust change */
	memcpy(key + 1, a->id, 20);
	memcpy(key + 21, b->id, 20);
}

static bool pair_recall(struct pairs *p, struct pair *x)
{
	uint8_t key[41];
	struct buf b = BUF_INIT;
	if (!p->cache)
		return false;
	pair_key(key, &x->old_id, &x->new_id);
	bool good = p->cache->get(p->cache->ctx, space_hunks, key, sizeof(key), &b) && pair_decode(x, b.ptr, b.len);
	buf_release(&b);
	if (!good)
		pair_clear(x);
	if (!good)
		*x = (struct pair){ .old_id = x->old_id, .new_id = x->new_id };
	return good;
}

static void pair_store(struct pairs *p, const struct pair *x)
{
	uint8_t key[41];
	struct buf b = BUF_INIT;
	if (!p->cache)
		return;
	pair_key(key, &x->old_id, &x->new_id);
	pair_encode(x, &b);
	p->cache->put(p->cache->ctx, space_hunks, key, sizeof(key), b.ptr, b.len);
	buf_release(&b);
}

bool pair_texts(struct pairs *p, struct pair *x)
{
	enum text_fault why;
	if (!x->o && !(x->o = pairs_text(p, &x->old_id, &why)))
		x->fault = why;
	if (!x->n && !(x->n = pairs_text(p, &x->new_id, &why)))
		x->fault = why;
	/* A cache that lies (another version's, damaged) must not make us read past the end. */
	if (x->o && x->n && x->trust && (x->o->n != x->old_n || x->n->n != x->new_n))
		return false;
	return x->o && x->n;
}

static bool pair_make(struct pairs *p, struct pair *x)
{
	if (!pair_texts(p, x))
		return false;
	x->old_n = x->o->n;
	x->new_n = x->n->n;
	diff_lines(x->o, x->n, gap_whole(x->o, x->n), DIFF_RAW, &x->gaps);
	pair_trust(x);
	pair_store(p, x);
	return true;
}

struct pair *pairs_get(struct pairs *p, const struct oid *old_id, const struct oid *new_id, enum text_fault *why)
{
	size_t slot = slot_of(old_id, new_id);
	for (struct kept_pair *k = p->pairs[slot]; k; k = k->next)
		if (oid_equal(&k->p.old_id, old_id) && oid_equal(&k->p.new_id, new_id)) {
			k->used = p->turn;
			p->missed |= not_here(k->p.fault);
			if (why)
				*why = k->p.fault;
			return k->p.fault ? NULL : &k->p;
		}
	struct kept_pair *k = xcalloc(1, sizeof(*k));
	k->used = p->turn;
	k->p = (struct pair){ .old_id = *old_id, .new_id = *new_id };
	if (!pair_recall(p, &k->p) && !pair_make(p, &k->p) && !k->p.fault)
		k->p.fault = TEXT_MISSING;
	p->bytes += sizeof(*k) + k->p.gaps.len * 64;
	k->next = p->pairs[slot];
	p->pairs[slot] = k;
	if (why)
		*why = k->p.fault;
	return k->p.fault ? NULL : &k->p;
}

const struct hit *pair_hits(struct pair *x, size_t k)
{
	if (!x->hits)
		x->hits = xcalloc(x->gaps.len + 1, sizeof(*x->hits));
	if (!x->hits[k]) {
		const struct gap *g = &x->gaps.items[k];
		x->hits[k] = xcalloc((size_t)(g->b - g->a) + 1, sizeof(struct hit));
		gap_solve(x, g, x->hits[k]);
	}
	return x->hits[k];
}
