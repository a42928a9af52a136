/* SPDX-License-Identifier: MIT */
/*
 * A line diff over dense line numbers: equal ends are trimmed, lines that occur once on both sides are the posts
 * (patience: their longest increasing chain), and between posts the rarest common run is taken first (histogram). Both
 * keep a diff on the lines that mean something; a plain shortest edit script pairs up braces.
 * Bounded everywhere: levels, occurrences a line (CHAIN_MAX) and work a region (region_budget); past a bound the
 * region stays one gap, which costs an answer its certainty and never its truth.
 * Gaps that could lie elsewhere (a repeated line at their edge) are slid to where the indentation says a block starts.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "linediff.h"

enum { LEVELS_MAX = 48, CHAIN_MAX = 64 };
#define NONE UINT32_MAX

struct work {
	const uint32_t *x, *y;  /* line numbers of old and new; x[i] is line a0 + i */
	uint32_t *head, *count, *count_y, *where_y; /* by line number; count, count_y are all 0 between uses */
	uint32_t *next;         /* by old line: the next of the same number in the region */
	uint64_t budget;        /* steps of histogram search left */
	struct gaps *out;
	uint32_t a0, c0;
};

void gaps_release(struct gaps *g)
{
	free(g->items);
	*g = (struct gaps){ 0 };
}

static void gaps_put(struct gaps *g, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	if (a == b && c == d)
		return;
	struct gap *last = g->len ? &g->items[g->len - 1] : NULL;
	if (last && last->b == a && last->d == c) {
		last->b = b;
		last->d = d;
		return;
	}
	g->items = array_grow(g->items, g->len, &g->alloc, sizeof(*g->items));
	g->items[g->len++] = (struct gap){ a, b, c, d };
}

/* Dense numbers for the hashes of both sides; returns how many there are. */
static uint32_t number_lines(const uint64_t *hash, uint32_t n, uint32_t *num)
{
	size_t size = 64;
	while (size < (size_t)n * 2)
		size *= 2;
	uint32_t *slot = xmalloc(size * sizeof(*slot)), *first = xmalloc(((size_t)n + 1) * sizeof(*first)), used = 0;
	memset(slot, 0xff, size * sizeof(*slot));
	for (uint32_t i = 0; i < n; i++) {
		size_t k = (size_t)(hash[i] ^ hash[i] >> 32) & (size - 1);
		while (slot[k] != NONE && hash[first[slot[k]]] != hash[i])
			k = (k + 1) & (size - 1);
		if (slot[k] == NONE) {
			first[used] = i;
			slot[k] = used++;
		}
		num[i] = slot[k];
	}
	free(slot);
	free(first);
	return used;
}

static bool trim(const struct work *w, struct gap *g)
{
	while (g->a < g->b && g->c < g->d && w->x[g->a] == w->y[g->c])
		g->a++, g->c++;
	while (g->a < g->b && g->c < g->d && w->x[g->b - 1] == w->y[g->d - 1])
		g->b--, g->d--;
	return g->a < g->b && g->c < g->d;
}

struct pair { uint32_t i, j; };

/* The longest chain of pairs (given by rising i) that also rises in j; returns its length, kept in front. */
static uint32_t longest_chain(struct pair *p, uint32_t n)
{
	uint32_t *tail = xmalloc((size_t)n * 2 * sizeof(*tail)), *prev = tail + n, len = 0;
	for (uint32_t k = 0; k < n; k++) {
		uint32_t lo = 0, hi = len;
		while (lo < hi) {
			uint32_t m = (lo + hi) / 2;
			if (p[tail[m]].j < p[k].j)
				lo = m + 1;
			else
				hi = m;
		}
		prev[k] = lo ? tail[lo - 1] : NONE;
		tail[lo] = k;
		if (lo == len)
			len++;
	}
	struct pair *chain = xmalloc(((size_t)len + 1) * sizeof(*chain));
	for (uint32_t k = len ? tail[len - 1] : NONE, at = len; k != NONE; k = prev[k])
		chain[--at] = p[k];
	memcpy(p, chain, len * sizeof(*p));
	free(chain);
	free(tail);
	return len;
}

/* Pairs of lines that occur once on each side of the region, as a chain. NULL if there are none. */
static struct pair *posts_find(struct work *w, struct gap g, uint32_t *n)
{
	struct pair *p = NULL;
	size_t alloc = 0;
	*n = 0;
	for (uint32_t i = g.a; i < g.b; i++)
		w->count[w->x[i]]++;
	for (uint32_t j = g.c; j < g.d; j++) {
		w->count_y[w->y[j]]++;
		w->where_y[w->y[j]] = j;
	}
	for (uint32_t i = g.a; i < g.b; i++) {
		if (w->count[w->x[i]] != 1 || w->count_y[w->x[i]] != 1)
			continue;
		p = array_grow(p, *n, &alloc, sizeof(*p));
		p[(*n)++] = (struct pair){ i, w->where_y[w->x[i]] };
	}
	for (uint32_t i = g.a; i < g.b; i++)
		w->count[w->x[i]] = 0;
	for (uint32_t j = g.c; j < g.d; j++)
		w->count_y[w->y[j]] = 0;
	if (p)
		*n = longest_chain(p, *n);
	return p;
}

struct common { uint32_t a, b, c, rare; };

/* The run of equal lines around (i, j) and how often its rarest line occurs in the old region. */
static struct common run_around(struct work *w, struct gap g, uint32_t i, uint32_t j)
{
	struct common r = { i, i + 1, j, w->count[w->x[i]] };
	for (; r.a > g.a && r.c > g.c && w->x[r.a - 1] == w->y[r.c - 1]; r.a--, r.c--)
		if (w->count[w->x[r.a - 1]] < r.rare)
			r.rare = w->count[w->x[r.a - 1]];
	for (; r.b < g.b && r.c + (r.b - r.a) < g.d && w->x[r.b] == w->y[r.c + (r.b - r.a)]; r.b++)
		if (w->count[w->x[r.b]] < r.rare)
			r.rare = w->count[w->x[r.b]];
	return r;
}

static void chains_make(struct work *w, struct gap g)
{
	for (uint32_t i = g.b; i-- > g.a;) {
		uint32_t k = w->x[i];
		w->next[i] = w->count[k]++ ? w->head[k] : NONE;
		w->head[k] = i;
	}
}

/* The common run of the rarest line, the longest among equals; rare is NONE if nothing is common or affordable. */
static struct common rarest_run(struct work *w, struct gap g)
{
	struct common best = { .rare = NONE };
	chains_make(w, g);
	for (uint32_t j = g.c; j < g.d && w->budget;) {
		uint32_t k = w->y[j], n = w->count[k], step = j + 1;
		w->budget--;
		if (n && n <= CHAIN_MAX && n <= best.rare) {
			for (uint32_t i = w->head[k]; i != NONE; i = w->next[i]) {
				struct common r = run_around(w, g, i, j);
				uint32_t len = r.b - r.a, best_len = best.b - best.a;
				w->budget = w->budget > len ? w->budget - len : 0;
				if (r.rare < best.rare || (r.rare == best.rare && len > best_len))
					best = r;
				if (r.c + len > step)
					step = r.c + len;
			}
		}
		j = step;
	}
	for (uint32_t i = g.a; i < g.b; i++)
		w->count[w->x[i]] = 0;
	return best;
}

static void region(struct work *w, struct gap g, unsigned level);

static void region_by_posts(struct work *w, struct gap g, const struct pair *p, uint32_t n, unsigned level)
{
	uint32_t i = g.a, j = g.c;
	for (uint32_t k = 0; k <= n; k++) {
		struct gap part = { i, k < n ? p[k].i : g.b, j, k < n ? p[k].j : g.d };
		region(w, part, level);
		if (k < n) {
			i = p[k].i + 1;
			j = p[k].j + 1;
		}
	}
}

static void gap_out(struct work *w, struct gap g)
{
	gaps_put(w->out, w->a0 + g.a, w->a0 + g.b, w->c0 + g.c, w->c0 + g.d);
}

static void region(struct work *w, struct gap g, unsigned level)
{
	if (!trim(w, &g) || level >= LEVELS_MAX) {
		gap_out(w, g);
		return;
	}
	uint32_t n;
	struct pair *p = posts_find(w, g, &n);
	if (p) {
		region_by_posts(w, g, p, n, level + 1);
		free(p);
		return;
	}
	struct common r = rarest_run(w, g);
	if (r.rare == NONE) {
		gap_out(w, g);
		return;
	}
	region(w, (struct gap){ g.a, r.a, g.c, r.c }, level + 1);
	region(w, (struct gap){ r.b, g.b, r.c + (r.b - r.a), g.d }, level + 1);
}

static uint64_t line_key(struct text *t, uint32_t i, enum diff_key key)
{
	return key == DIFF_RAW ? t->lines[i].raw : text_norm(t, i);
}

/* Sliding. A pure insertion [c, d) of n after old line a may be cut one line earlier when the line before it equals its
 * last one, and later likewise; deletions are the same with the sides exchanged. */
static int indent_near(struct text *t, uint32_t i, uint32_t end)
{
	for (uint32_t k = 0; i < end && k < 20; i++, k++)
		if (!(text_line(t, i)->flags & LINE_BLANK))
			return text_line(t, i)->indent;
	return 0;
}

/* Smaller is better: blocks start after a blank line, at little indentation, not with a closing brace. */
static int cut_cost(struct text *t, uint32_t at)
{
	if (at == 0 || at >= t->n)
		return 0;
	int cost = 4 * indent_near(t, at, t->n);
	if (text_line(t, at)->flags & LINE_BLANK)
		cost += 3;
	else if (text_line(t, at - 1)->flags & LINE_BLANK)
		cost -= 6;
	if (text_line(t, at)->flags & LINE_CLOSE)
		cost += 8;
	return cost;
}

static void slide(struct text *o, struct text *n, enum diff_key key, struct gap *g, uint32_t low, uint32_t high)
{
	bool ins = g->a == g->b;
	struct text *t = ins ? n : o;
	uint32_t s = ins ? g->c : g->a, e = ins ? g->d : g->b, len = e - s, up = 0, down = 0;
	while (up < low && line_key(t, s - 1 - up, key) == line_key(t, e - 1 - up, key))
		up++;
	while (down < high && line_key(t, s + down, key) == line_key(t, e + down, key))
		down++;
	if (!up && !down)
		return;
	uint32_t best = s + down;
	int best_cost = cut_cost(t, best) + cut_cost(t, best + len);
	for (uint32_t at = s + down; at > s - up && s + down - at < 200;) {
		at--;
		int cost = cut_cost(t, at) + cut_cost(t, at + len);
		if (cost < best_cost) {
			best_cost = cost;
			best = at;
		}
	}
	uint32_t shift = best - s;  /* modulo 2^32: may be negative */
	g->a += shift, g->b += shift, g->c += shift, g->d += shift;
}

static void slide_all(struct text *o, struct text *n, struct gap within, enum diff_key key, struct gaps *g, size_t from)
{
	for (size_t k = from; k < g->len; k++) {
		struct gap *x = &g->items[k];
		if (x->a != x->b && x->c != x->d)
			continue;
		uint32_t low = x->a - (k > from ? x[-1].b : within.a), high = (k + 1 < g->len ? x[1].a : within.b) - x->b;
		/* One equal line stays between neighbours: gaps never touch. */
		slide(o, n, key, x, k > from && low ? low - 1 : low, k + 1 < g->len && high ? high - 1 : high);
	}
}

void diff_lines(struct text *o, struct text *n, struct gap within, enum diff_key key, struct gaps *out)
{
	struct gap g = within;
	while (g.a < g.b && g.c < g.d && line_key(o, g.a, key) == line_key(n, g.c, key))
		g.a++, g.c++;
	while (g.a < g.b && g.c < g.d && line_key(o, g.b - 1, key) == line_key(n, g.d - 1, key))
		g.b--, g.d--;
	size_t from = out->len;
	uint32_t ox = g.b - g.a, ny = g.d - g.c, total = ox + ny;
	if (!ox || !ny) {
		gaps_put(out, g.a, g.b, g.c, g.d);
		slide_all(o, n, within, key, out, from);
		return;
	}
	uint64_t *hash = xreallocarray(NULL, total, sizeof(*hash));
	uint32_t *num = xreallocarray(NULL, total, 6 * sizeof(*num));
	for (uint32_t i = 0; i < ox; i++)
		hash[i] = line_key(o, g.a + i, key);
	for (uint32_t j = 0; j < ny; j++)
		hash[ox + j] = line_key(n, g.c + j, key);
	uint32_t used = number_lines(hash, total, num);
	struct work w = { .x = num, .y = num + ox, .head = num + total, .count = num + 2 * (size_t)total,
		.count_y = num + 3 * (size_t)total, .where_y = num + 4 * (size_t)total, .next = num + 5 * (size_t)total,
		.budget = 64 * (uint64_t)total + 100000, .out = out, .a0 = g.a, .c0 = g.c };
	memset(w.count, 0, used * sizeof(*w.count));
	memset(w.count_y, 0, used * sizeof(*w.count_y));
	region(&w, (struct gap){ 0, ox, 0, ny }, 0);
	free(hash);
	free(num);
	slide_all(o, n, within, key, out, from);
}

bool gaps_map(const struct gaps *g, uint32_t i, uint32_t *j, const struct gap **in)
{
	size_t lo = 0, hi = g->len;
	while (lo < hi) {
		size_t m = lo + (hi - lo) / 2;
		if (g->items[m].b <= i)
			lo = m + 1;
		else
			hi = m;
	}
	if (in)
		*in = NULL;
	if (lo < g->len && g->items[lo].a <= i) {
		if (in)
			*in = &g->items[lo];
		return false;
	}
	*j = lo ? i - g->items[lo - 1].b + g->items[lo - 1].d : i;
	return true;
}
