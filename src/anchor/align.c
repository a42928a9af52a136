/* SPDX-License-Identifier: MIT */
/*
 * Alignment of two short runs of lines (Needleman-Wunsch over likeness), the best window of words, and blocks that were
 * moved: chains of equal lines on nearly one diagonal, with what lies between them aligned by likeness.
 * Lines without identity (braces, blanks) never carry a match; they follow their neighbours.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "align.h"

enum { ALIGN_CELLS = 400000, CELLS_USUAL = 60000, WINDOW_MOST = 400 };
/* Among very many lines some are alike by chance. */
static const double floor_many = 0.55;
enum { SEED_PLACES = 24, SEED_LOOK = 160, SEED_GAP = 16, SEEDS_MOST = 200000, EDGE_LINES = 8, WORK_MOST = 20000000 };

static double pair_score(struct text *o, uint32_t i, struct text *n, uint32_t j, double floor, float *like)
{
	const struct line *x = text_line(o, i), *y = text_line(n, j);
	*like = 0;
	if (text_norm(o, i) == text_norm(n, j)) {
		*like = 1;
		return x->flags & LINE_BLANK ? 0.02 : x->flags & LINE_TRIVIAL ? 0.25 : 1.2;
	}
	if ((x->flags | y->flags) & LINE_TRIVIAL)
		return 0;
	*like = (float)line_likeness(o, i, n, j);
	return *like >= floor ? *like - floor * 0.5 : 0;
}

struct grid { double *best; float *like; uint32_t w; };

static void align_grid(struct text *o, struct text *n, struct gap g, const bool *skip_o, const bool *skip_n,
    double floor, struct hit *out)
{
	uint32_t rows = g.b - g.a, cols = g.d - g.c;
	struct grid t = { xcalloc((size_t)(rows + 1) * (cols + 1), sizeof(double)),
		xmalloc(((size_t)rows * cols + 1) * sizeof(float)), cols + 1 };
	double *score = xmalloc(((size_t)rows * cols + 1) * sizeof(double));
	for (uint32_t i = rows; i-- > 0;)
		for (uint32_t j = cols; j-- > 0;) {
			size_t at = (size_t)i * cols + j;
			bool skip = (skip_o && skip_o[i]) || (skip_n && skip_n[j]);
			t.like[at] = 0;
			score[at] = skip ? 0 : pair_score(o, g.a + i, n, g.c + j, floor, &t.like[at]);
			/* Pairs that continue a pair are a little better: of equal choices the compact one. */
			double pair = score[at] > 0 ? score[at] + t.best[(size_t)(i + 1) * t.w + j + 1] +
			    (i + 1 < rows && j + 1 < cols && score[at + cols + 1] > 0 ? 0.01 : 0) : 0;
			double skip1 = t.best[(size_t)(i + 1) * t.w + j], skip2 = t.best[(size_t)i * t.w + j + 1];
			double best = skip1 > skip2 ? skip1 : skip2;
			t.best[(size_t)i * t.w + j] = pair > best ? pair : best;
		}
	for (uint32_t i = 0, j = 0; i < rows && j < cols;) {
		double here = t.best[(size_t)i * t.w + j];
		size_t at = (size_t)i * cols + j;
		if (here > t.best[(size_t)(i + 1) * t.w + j] && here > t.best[(size_t)i * t.w + j + 1]) {
			out[i] = (struct hit){ g.c + j, g.c + j, t.like[at], t.like[at] >= 1 ? HIT_SAME : HIT_EDIT, false };
			i++, j++;
		} else if (here == t.best[(size_t)(i + 1) * t.w + j]) {
			i++;
		} else {
			j++;
		}
	}
	free(t.best);
	free(t.like);
	free(score);
}

static bool affordable(struct gap g)
{
	return (uint64_t)(g.b - g.a) * (g.d - g.c) <= ALIGN_CELLS;
}

/* Too big for the grid: equal lines by diff, the grid in what remains between them. */
static void align_big(struct text *o, struct text *n, struct gap g, const bool *skip_o, const bool *skip_n,
    double floor, struct hit *out)
{
	struct gaps sub = { 0 };
	diff_lines(o, n, g, DIFF_NORM, &sub);
	uint32_t i = g.a, j = g.c;
	for (size_t k = 0; k <= sub.len; k++) {
		struct gap x = k < sub.len ? sub.items[k] : (struct gap){ g.b, g.b, g.d, g.d };
		for (; i < x.a; i++, j++)
			if (!(skip_o && skip_o[i - g.a]) && !(skip_n && skip_n[j - g.c]))
				out[i - g.a] = (struct hit){ j, j, 1, HIT_SAME, false };
		if (x.a < x.b && x.c < x.d && affordable(x))
			align_grid(o, n, x, skip_o ? skip_o + (x.a - g.a) : NULL, skip_n ? skip_n + (x.c - g.c) : NULL, floor,
			    out + (x.a - g.a));
		i = x.b;
		j = x.d;
	}
	gaps_release(&sub);
}

void align(struct text *o, struct text *n, struct gap g, const bool *skip_o, const bool *skip_n, double floor,
    struct hit *out)
{
	for (uint32_t i = g.a; i < g.b; i++)
		out[i - g.a] = (struct hit){ NO_LINE, NO_LINE, 0, HIT_NONE, false };
	if (g.a == g.b || g.c == g.d)
		return;
	if ((uint64_t)(g.b - g.a) * (g.d - g.c) > CELLS_USUAL && floor < floor_many)
		floor = floor_many;
	if (affordable(g))
		align_grid(o, n, g, skip_o, skip_n, floor, out);
	else
		align_big(o, n, g, skip_o, skip_n, floor, out);
}

static bool *lines_used(struct gap g, const bool *skip_n, const struct hit *hits)
{
	bool *used = xcalloc((size_t)(g.d - g.c) + 1, sizeof(*used));
	for (uint32_t j = 0; skip_n && j < g.d - g.c; j++)
		used[j] = skip_n[j];
	for (uint32_t i = 0; i < g.b - g.a; i++)
		for (uint32_t j = hits[i].line; hits[i].kind && j >= g.c && j < g.d && j <= hits[i].last; j++)
			used[j - g.c] = true;
	return used;
}

void align_crossing(struct text *o, struct text *n, struct gap g, const bool *skip_o, const bool *skip_n, double least,
    struct hit *out)
{
	bool *used = lines_used(g, skip_n, out);
	for (bool found = affordable(g); found;) {
		double best = least;
		uint32_t bi = 0, bj = 0;
		found = false;
		for (uint32_t i = g.a; i < g.b; i++) {
			if (out[i - g.a].kind || (skip_o && skip_o[i - g.a]) || text_trivial(o, i))
				continue;
			for (uint32_t j = g.c; j < g.d; j++) {
				double s = used[j - g.c] || text_trivial(n, j) ? 0 : line_likeness(o, i, n, j);
				if (s <= best)
					continue;
				best = s;
				bi = i;
				bj = j;
				found = true;
			}
		}
		if (!found)
			break;
		out[bi - g.a] = (struct hit){ bj, bj, (float)(0.9 * best), best >= 1 ? HIT_SAME : HIT_EDIT, false };
		used[bj - g.c] = true;
	}
	free(used);
}

/* Windows. common[k] counts how often item k of the old bag is in the window. */
static double window_dice(size_t common, size_t a, size_t b) { return a + b ? 2.0 * (double)common / (double)(a + b) : 0; }

static size_t bag_common(const struct bag *x, const struct bag *y)
{
	size_t n = 0;
	for (size_t i = 0, j = 0; i < x->len && j < y->len;) {
		if (x->items[i] < y->items[j])
			i++;
		else if (x->items[i] > y->items[j])
			j++;
		else
			n++, i++, j++;
	}
	return n;
}

double window_likeness(struct text *o, uint32_t a, uint32_t b, struct text *n, uint32_t c, uint32_t d)
{
	struct bag x = { 0 }, y = { 0 };
	for (; a < b; a++)
		bag_add(&x, o, a);
	for (; c < d; c++)
		bag_add(&y, n, c);
	bag_sort(&x);
	bag_sort(&y);
	double s = window_dice(bag_common(&x, &y), x.len, y.len);
	bag_release(&x);
	bag_release(&y);
	return s;
}

/* Items of a bag that are in the old one, as indexes of its distinct values. */
static void bag_index(struct bag *line, const uint32_t *values, size_t n)
{
	size_t kept = 0;
	for (size_t k = 0; k < line->len; k++) {
		size_t lo = 0, hi = n;
		while (lo < hi) {
			size_t m = (lo + hi) / 2;
			if (values[m] < line->items[k])
				lo = m + 1;
			else
				hi = m;
		}
		if (lo < n && values[lo] == line->items[k])
			line->items[kept++] = (uint32_t)lo;
	}
	line->len = kept;
}

struct window { const uint32_t *limit; size_t n_values, old_len; struct bag *lines; size_t *sizes; uint32_t n; };

static double windows_from(const struct window *w, uint32_t lo, unsigned fix, uint32_t most, uint32_t *used, uint32_t *hi)
{
	size_t common = 0, total = 0;
	double best = 0;
	memset(used, 0, w->n_values * sizeof(*used));
	for (uint32_t k = lo; k < w->n && k - lo < most; k++) {
		for (size_t i = 0; i < w->lines[k].len; i++) {
			uint32_t v = w->lines[k].items[i];
			common += used[v] < w->limit[v];
			used[v]++;
		}
		total += w->sizes[k];
		if ((fix & WINDOW_TAIL) && k + 1 != w->n)
			continue;
		double s = window_dice(common, w->old_len, total);
		if (s > best + 1e-9) {
			best = s;
			*hi = k;
		}
	}
	return best;
}

double window_find(struct text *o, uint32_t a, uint32_t b, struct text *n, uint32_t c, uint32_t d, unsigned fix,
    uint32_t *lo, uint32_t *hi)
{
	struct bag x = { 0 };
	double best = 0;
	if (d - c > WINDOW_MOST)
		fix & WINDOW_TAIL ? (c = d - WINDOW_MOST) : (d = c + WINDOW_MOST);
	for (uint32_t i = a; i < b && i - a < WINDOW_MOST; i++)
		bag_add(&x, o, i);
	bag_sort(&x);
	if (!x.len || c >= d)
		goto out;
	uint32_t *values = xmalloc(x.len * sizeof(*values)), *limit = xcalloc(x.len, sizeof(*limit));
	uint32_t *used = xmalloc(x.len * sizeof(*used));
	size_t n_values = 0;
	for (size_t k = 0; k < x.len; k++) {
		if (!k || x.items[k] != x.items[k - 1])
			values[n_values++] = x.items[k];
		limit[n_values - 1]++;
	}
	struct window w = { limit, n_values, x.len, xcalloc(d - c, sizeof(*w.lines)), xcalloc(d - c, sizeof(size_t)), d - c };
	for (uint32_t j = 0; j < w.n; j++) {
		bag_add(&w.lines[j], n, c + j);
		w.sizes[j] = w.lines[j].len;
		bag_index(&w.lines[j], values, n_values);
	}
	uint32_t most = 3 * (b - a) > 60 ? 3 * (b - a) : 60;
	for (uint32_t k = 0; k < (fix & WINDOW_HEAD ? 1 : w.n); k++) {
		uint32_t end = k;
		double s = windows_from(&w, k, fix, most, used, &end);
		if (s > best + 1e-9) {
			best = s;
			*lo = c + k;
			*hi = c + end;
		}
	}
	for (uint32_t j = 0; j < w.n; j++)
		bag_release(&w.lines[j]);
	free(w.lines);
	free(w.sizes);
	free(values);
	free(limit);
	free(used);
out:
	bag_release(&x);
	return best;
}

/* Blocks */

struct seed { uint32_t i, j; float weight; double score; int32_t prev; bool used; };

struct places { uint32_t *slot, *next; size_t size; };

/* New lines by norm: slot holds the first of the list, next the following one of the same slot. */
static struct places places_make(struct text *n, const uint32_t *v, uint32_t len)
{
	struct places p = { .size = 64 };
	while (p.size < (size_t)len * 2)
		p.size *= 2;
	p.slot = xmalloc(p.size * sizeof(*p.slot));
	p.next = xmalloc(((size_t)len + 1) * sizeof(*p.next));
	memset(p.slot, 0xff, p.size * sizeof(*p.slot));
	for (uint32_t k = len; k-- > 0;) {
		if (text_trivial(n, v[k]))
			continue;
		size_t h = (size_t)(text_norm(n, v[k]) >> 7) & (p.size - 1);
		p.next[k] = p.slot[h];
		p.slot[h] = k;
	}
	return p;
}

static uint32_t places_count(const struct places *p, struct text *n, const uint32_t *v, uint64_t norm, uint32_t most,
    uint32_t *at)
{
	uint32_t found = 0;
	for (uint32_t k = p->slot[(size_t)(norm >> 7) & (p->size - 1)]; k != NO_LINE && found <= most; k = p->next[k])
		if (text_norm(n, v[k]) == norm && found++ < most)
			at[found - 1] = v[k];
	return found;
}

/* A long line that is rare says most: rare among the lines that changed, and less so in the whole texts. */
static float seed_weight(struct text *o, struct text *n, const struct line *l, uint32_t olds, uint32_t news)
{
	float len = l->letters >= 14 ? 1 : (float)l->letters / 14;
	uint32_t many = olds > news ? olds : news, in_o = text_count(o, l), in_n = text_count(n, l);
	uint32_t most = in_o > in_n ? in_o : in_n, more = most > many ? most - many : 0;
	return len / ((float)many * (more ? 1 + 0.3f * (float)(more < 10 ? more : 10) : 1));
}

static struct seed *seeds_make(struct text *o, const uint32_t *old, uint32_t n_old, struct text *n, const uint32_t *new_,
    uint32_t n_new, uint32_t *len)
{
	struct places news = places_make(n, new_, n_new), olds = places_make(o, old, n_old);
	struct seed *s = NULL;
	size_t alloc = 0;
	*len = 0;
	for (uint32_t k = 0; k < n_old && *len < SEEDS_MOST; k++) {
		uint32_t at[SEED_PLACES], own[SEED_PLACES];
		const struct line *l = text_line(o, old[k]);
		if (l->flags & LINE_TRIVIAL)
			continue;
		uint64_t norm = text_norm(o, old[k]);
		uint32_t m = places_count(&news, n, new_, norm, SEED_PLACES, at);
		if (!m || m > SEED_PLACES)
			continue;
		float w = seed_weight(o, n, l, places_count(&olds, o, old, norm, SEED_PLACES, own), m);
		for (uint32_t x = 0; x < m; x++) {
			s = array_grow(s, *len, &alloc, sizeof(*s));
			s[(*len)++] = (struct seed){ .i = old[k], .j = at[x], .weight = w, .prev = -1 };
		}
	}
	free(news.slot);
	free(news.next);
	free(olds.slot);
	free(olds.next);
	return s;
}

static int cmp_seed(const void *a, const void *b)
{
	const struct seed *x = a, *y = b;
	return x->i != y->i ? (x->i < y->i ? -1 : 1) : x->j < y->j ? -1 : x->j > y->j;
}

/* The best chain that ends in each seed. */
static void seeds_chain(struct seed *s, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		s[k].score = s[k].weight;
		s[k].prev = -1;
		if (s[k].used)
			continue;
		for (uint32_t back = 1; back <= SEED_LOOK && back <= k; back++) {
			const struct seed *p = &s[k - back];
			uint32_t di = s[k].i - p->i, dj = s[k].j - p->j;
			if (di > SEED_GAP)
				break;
			if (p->used || p->i == s[k].i || s[k].j <= p->j || dj > SEED_GAP)
				continue;
			uint32_t drift = di > dj ? di - dj : dj - di;
			double score = s[k].weight + p->score - 0.01 * (di + dj - 2) - 0.04 * drift;
			if (score > s[k].score + 1e-9) {
				s[k].score = score;
				s[k].prev = (int32_t)(k - back);
			}
		}
	}
}

static int32_t seeds_best(const struct seed *s, uint32_t n, double least)
{
	int32_t best = -1;
	for (uint32_t k = 0; k < n; k++)
		if (!s[k].used && s[k].score >= least && (best < 0 || s[k].score > s[best].score + 1e-9))
			best = (int32_t)k;
	return best;
}

/* Lines that take part, ascending, and which of them a block holds already. */
struct listed { const uint32_t *v; uint32_t n; bool *taken; };

static uint32_t listed_at(const struct listed *l, uint32_t x)
{
	uint32_t lo = 0, hi = l->n;
	while (lo < hi) {
		uint32_t m = lo + (hi - lo) / 2;
		if (l->v[m] < x)
			lo = m + 1;
		else
			hi = m;
	}
	return lo;
}

static void listed_take(struct listed *l, uint32_t from, uint32_t to)
{
	for (uint32_t k = listed_at(l, from); k < l->n && l->v[k] < to; k++)
		l->taken[k] = true;
}

/* How many free listed lines follow x without a hole: downwards before x, else behind it. */
static uint32_t free_before(const struct listed *l, uint32_t x)
{
	uint32_t k = listed_at(l, x), n = 0;
	while (n < EDGE_LINES && k > n && l->v[k - 1 - n] == x - 1 - n && !l->taken[k - 1 - n])
		n++;
	return n;
}

static uint32_t free_behind(const struct listed *l, uint32_t x)
{
	uint32_t k = listed_at(l, x), n = 0;
	while (n < EDGE_LINES && k + n < l->n && l->v[k + n] == x + n && !l->taken[k + n])
		n++;
	return n;
}

/* Seeds of the chain become hits; what lies between comes with block_between. */
static void block_seeds(struct block *b, const struct seed *s, int32_t end)
{
	b->hits = xmalloc((b->b - b->a) * sizeof(*b->hits));
	for (uint32_t i = b->a; i < b->b; i++)
		b->hits[i - b->a] = (struct hit){ NO_LINE, NO_LINE, 0, HIT_NONE, true };
	for (int32_t k = end; k >= 0; k = s[k].prev)
		b->hits[s[k].i - b->a] = (struct hit){ s[k].j, s[k].j, 1, HIT_SAME, true };
}

static bool *taken_mask(const struct listed *l, uint32_t from, uint32_t to)
{
	bool *mask = xcalloc((size_t)(to - from) + 1, sizeof(*mask));
	for (uint32_t x = from, k = listed_at(l, from); x < to; x++) {
		while (k < l->n && l->v[k] < x)
			k++;
		mask[x - from] = k < l->n && l->v[k] == x && l->taken[k];
	}
	return mask;
}

/* Lines between two seeds of a block, those of other blocks left out. */
static void block_between(struct text *o, const struct listed *olds, struct text *n, const struct listed *news, struct block *b)
{
	uint32_t last = b->a;
	for (uint32_t i = b->a + 1; i < b->b; i++) {
		if (!b->hits[i - b->a].kind)
			continue;
		struct gap g = { last + 1, i, b->hits[last - b->a].line + 1, b->hits[i - b->a].line };
		last = i;
		if (g.a >= g.b || g.c >= g.d)
			continue;
		bool *skip_o = taken_mask(olds, g.a, g.b), *skip_n = taken_mask(news, g.c, g.d);
		align(o, n, g, skip_o, skip_n, 0.45, b->hits + (g.a - b->a));
		free(skip_o);
		free(skip_n);
	}
}

/* How many of n lines, counted away from the block, belong to it; at(k) is hits[k] or hits[n - 1 - k]. */
static uint32_t edge_length(struct text *o, uint32_t first, const struct hit *hits, uint32_t n, bool backwards)
{
	uint32_t len = 0, miss = 0;
	for (uint32_t k = 0; k < n && miss <= 2; k++) {
		uint32_t at = backwards ? n - 1 - k : k;
		bool trivial = text_trivial(o, first + at);
		if (hits[at].kind && (!trivial || !miss)) {
			len = k + 1;
			miss = 0;
		} else {
			miss++;
		}
	}
	return len;
}

/* Lines before the first and behind the last seed that still belong to the block: equal or alike, beside it. */
static void block_edges(struct text *o, struct listed *olds, struct text *n, struct listed *news, struct block *b)
{
	struct hit head[EDGE_LINES], tail[EDGE_LINES];
	uint32_t up = free_before(olds, b->a), down = free_behind(olds, b->b);
	struct gap above = { b->a - up, b->a, b->c - free_before(news, b->c), b->c };
	struct gap below = { b->b, b->b + down, b->d, b->d + free_behind(news, b->d) };
	align(o, n, above, NULL, NULL, 0.55, head);
	align(o, n, below, NULL, NULL, 0.55, tail);
	uint32_t more = edge_length(o, above.a, head, up, true), less = edge_length(o, below.a, tail, down, false);
	uint32_t len = b->b - b->a;
	b->hits = xreallocarray(b->hits, more + len + less, sizeof(*b->hits));
	memmove(b->hits + more, b->hits, len * sizeof(*b->hits));
	memcpy(b->hits, head + (up - more), more * sizeof(*b->hits));
	memcpy(b->hits + more + len, tail, less * sizeof(*b->hits));
	b->a -= more;
	b->b += less;
	for (uint32_t i = 0; i < b->b - b->a; i++) {
		b->hits[i].moved = true;
		if (!b->hits[i].kind)
			continue;
		listed_take(olds, b->a + i, b->a + i + 1);
		listed_take(news, b->hits[i].line, b->hits[i].line + 1);
		b->c = b->hits[i].line < b->c ? b->hits[i].line : b->c;
		b->d = b->hits[i].line >= b->d ? b->hits[i].line + 1 : b->d;
	}
}

/* Seeds fall into clusters that no chain joins; only those that lost a seed are chained again. */
struct cluster { uint32_t from, to; int32_t best; bool stale; };

static struct cluster *clusters_make(const struct seed *s, uint32_t n, uint32_t *len)
{
	struct cluster *v = NULL;
	size_t alloc = 0;
	*len = 0;
	for (uint32_t k = 0; k < n; k++) {
		if (!k || s[k].i - s[k - 1].i > SEED_GAP) {
			v = array_grow(v, *len, &alloc, sizeof(*v));
			v[(*len)++] = (struct cluster){ .from = k, .stale = true };
		}
		v[*len - 1].to = k + 1;
	}
	return v;
}

static void cluster_best(struct seed *s, struct cluster *c, double least)
{
	if (!c->stale)
		return;
	c->stale = false;
	seeds_chain(s + c->from, c->to - c->from);
	c->best = seeds_best(s + c->from, c->to - c->from, least);
	c->best += c->best < 0 ? 0 : (int32_t)c->from;
}

/* The seeds of the chain that ends at end are taken; prev counts from the cluster's first. */
static void block_take(struct seed *s, const struct cluster *c, struct block *b)
{
	struct seed *base = s + c->from;
	*b = (struct block){ .b = s[c->best].i + 1, .d = s[c->best].j + 1, .weight = s[c->best].score };
	for (int32_t k = c->best - (int32_t)c->from; k >= 0; k = base[k].prev) {
		b->a = base[k].i;
		b->c = base[k].j;
		b->equal++;
		base[k].used = true;
	}
}

/* The weight of the best chain among the seeds that are left for the same old lines. */
static double runner_up(const struct seed *s, const struct cluster *c, const struct block *b)
{
	uint32_t from = c->from, to = c->to;
	while (from < to && s[from].i < b->a)
		from++;
	while (to > from && s[to - 1].i >= b->b)
		to--;
	struct seed *left = xmalloc(((size_t)(to - from) + 1) * sizeof(*left));
	memcpy(left, s + from, (to - from) * sizeof(*left));
	seeds_chain(left, to - from);
	int32_t best = seeds_best(left, to - from, 0);
	double weight = best < 0 ? 0 : left[best].score;
	free(left);
	return weight;
}

/* The lines of a block's seeds are spoken for, on both sides. */
static void seeds_strike(struct seed *s, struct cluster *v, uint32_t n, const struct block *b)
{
	for (uint32_t c = 0; c < n; c++)
		for (uint32_t k = v[c].from; k < v[c].to; k++) {
			if (s[k].used)
				continue;
			bool old = s[k].i >= b->a && s[k].i < b->b && b->hits[s[k].i - b->a].kind, new_ = false;
			for (uint32_t i = b->a; !old && !new_ && s[k].j >= b->c && s[k].j < b->d && i < b->b; i++)
				new_ = b->hits[i - b->a].kind && b->hits[i - b->a].line == s[k].j;
			if (old || new_)
				v[c].stale = s[k].used = true;
		}
}

void blocks_find(struct text *o, const uint32_t *old, uint32_t n_old, struct text *n, const uint32_t *new_,
    uint32_t n_new, double least, struct blocks *out)
{
	uint32_t len, n_clusters;
	struct seed *s = seeds_make(o, old, n_old, n, new_, n_new, &len);
	if (len)
		qsort(s, len, sizeof(*s), cmp_seed);
	struct cluster *v = clusters_make(s, len, &n_clusters);
	struct listed olds = { old, n_old, xcalloc((size_t)n_old + 1, 1) }, news = { new_, n_new, xcalloc((size_t)n_new + 1, 1) };
	size_t first = out->len;
	/* Each round strikes a block; what is left behind very many is not worth the time. */
	for (uint64_t work = 0; work < WORK_MOST; work += len + 1000) {
		uint32_t best = NO_LINE;
		for (uint32_t c = 0; c < n_clusters; c++) {
			cluster_best(s, &v[c], least);
			if (v[c].best >= 0 && (best == NO_LINE || s[v[c].best].score > s[v[best].best].score + 1e-9))
				best = c;
		}
		if (best == NO_LINE)
			break;
		out->items = array_grow(out->items, out->len, &out->alloc, sizeof(*out->items));
		struct block *b = &out->items[out->len++];
		int32_t end = v[best].best - (int32_t)v[best].from;
		block_take(s, &v[best], b);
		b->runner = runner_up(s, &v[best], b);
		block_seeds(b, s + v[best].from, end);
		for (uint32_t i = b->a; i < b->b; i++) {
			if (!b->hits[i - b->a].kind)
				continue;
			listed_take(&olds, i, i + 1);
			listed_take(&news, b->hits[i - b->a].line, b->hits[i - b->a].line + 1);
		}
		seeds_strike(s, v, n_clusters, b);
		v[best].stale = true;
	}
	for (size_t k = first; k < out->len; k++) {
		block_between(o, &olds, n, &news, &out->items[k]);
		block_edges(o, &olds, n, &news, &out->items[k]);
	}
	free(olds.taken);
	free(news.taken);
	free(s);
	free(v);
}

void blocks_release(struct blocks *b)
{
	for (size_t i = 0; i < b->len; i++)
		free(b->items[i].hits);
	free(b->items);
	*b = (struct blocks){ 0 };
}
