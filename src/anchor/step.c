/* SPDX-License-Identifier: MIT */
/*
 * One step. Each line of the range says where it went (a run of equal lines, an aligned or moved line); lines with a
 * name in them vote, braces and blanks only follow. The places voted for are gathered (in order in this part of the
 * file, or as a block elsewhere), the heaviest wins, and its ends are then put where the range's ends belong: at the
 * rewritten lines that are most like the lost ones, and at the bracket that closes the block which the range was.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "step.h"

enum { FILES_MOST = 400, BYTES_MOST = 32 << 20, CLUSTER_GAP = 24 };

bool step_pass(const struct pair *x, uint32_t lo, uint32_t hi, uint32_t *new_lo, uint32_t *new_hi, double *changed)
{
	if (!pair_trusted(x, lo) || (hi != lo && !pair_trusted(x, hi)))
		return false;
	if (!gaps_map(&x->gaps, lo, new_lo, NULL) || !gaps_map(&x->gaps, hi, new_hi, NULL))
		return false;
	if (*new_hi - *new_lo > 3 * (hi - lo + 1) + 5)
		return false;
	uint32_t lost = 0, ins = 0;
	for (size_t k = 0; lo != hi && k < x->gaps.len; k++) {
		const struct gap *g = &x->gaps.items[k];
		if (g->a <= lo || g->b > hi)
			continue;
		lost += g->b - g->a;
		ins += g->d - g->c;
	}
	*changed = (double)(lost > ins ? lost : ins) / (hi - lo + 1);
	return true;
}

/* What the lines of a range say. */

struct votes { struct hit *hits; uint32_t n; };

static void vote_line(struct pair *x, uint32_t i, struct hit *out)
{
	const struct gap *g;
	uint32_t j;
	if (gaps_map(&x->gaps, i, &j, &g))
		*out = (struct hit){ j, j, 1, HIT_SAME, false };
	else
		*out = pair_hits(x, (size_t)(g - x->gaps.items))[i - g->a];
}

static double line_weight(struct text *t, uint32_t i)
{
	uint8_t f = text_line(t, i)->flags;
	return f & LINE_BLANK ? 0.01 : f & LINE_TRIVIAL ? 0.1 : 1;
}

/* A place voted for: lines that stayed in order, or those of one block elsewhere. */
struct place_group { bool moved; uint32_t lo, hi, first, last; double weight, like; };

static void group_add(struct place_group *g, const struct hit *h, uint32_t i, double w)
{
	if (g->weight == 0 && g->like == 0) {
		*g = (struct place_group){ h->moved, h->line, h->last, i, i, 0, 0 };
	} else {
		g->lo = h->line < g->lo ? h->line : g->lo;
		g->hi = h->last > g->hi ? h->last : g->hi;
		g->last = i;
	}
	g->weight += w;
	g->like += w * (double)h->like;
}

static bool group_fits(const struct place_group *g, const struct hit *h)
{
	if (g->moved != h->moved)
		return false;
	return !h->moved || (h->line + CLUSTER_GAP > g->lo && h->line < g->hi + CLUSTER_GAP);
}

enum { GROUPS_MOST = 12 };

static struct place_group group_best(struct text *o, uint32_t lo, const struct hit *hits, uint32_t n)
{
	struct place_group g[GROUPS_MOST] = { 0 };
	unsigned len = 0, best = 0;
	for (uint32_t k = 0; k < n; k++) {
		if (!hits[k].kind)
			continue;
		unsigned at = 0;
		while (at < len && !group_fits(&g[at], &hits[k]))
			at++;
		if (at == GROUPS_MOST)
			continue;
		len += at == len;
		group_add(&g[at], &hits[k], k, line_weight(o, lo + k));
	}
	for (unsigned k = 1; k < len; k++)
		if (g[k].like > g[best].like)
			best = k;
	return g[best];
}

/* A block: its first line is less indented than what follows, its last line closes it. */
static bool is_block(struct text *t, uint32_t lo, uint32_t hi)
{
	if (hi < lo + 2 || hi - lo > 5000 || !(text_line(t, hi)->flags & LINE_CLOSE) ||
	    text_line(t, hi)->indent != text_line(t, lo)->indent)
		return false;
	bool deeper = false;
	for (uint32_t i = lo + 1; i < hi; i++) {
		const struct line *l = text_line(t, i);
		if (l->flags & LINE_BLANK)
			continue;
		if (l->indent < text_line(t, lo)->indent)
			return false;
		if (l->indent == text_line(t, lo)->indent && (l->flags & LINE_CLOSE))
			return false;
		deeper |= l->indent > text_line(t, lo)->indent;
	}
	return deeper;
}

/* The line that closes a block which starts at lo: the first one of its indentation that closes. */
static uint32_t block_end(struct text *t, uint32_t lo, uint32_t from, uint64_t norm)
{
	for (uint32_t i = from; i < t->n && i - lo < 10000; i++) {
		const struct line *l = text_line(t, i);
		if (l->flags & LINE_BLANK)
			continue;
		if (l->indent < text_line(t, lo)->indent)
			return NO_LINE;
		if (l->indent == text_line(t, lo)->indent && (l->flags & LINE_CLOSE))
			return l->norm == norm ? i : NO_LINE;
	}
	return NO_LINE;
}

/* The new lines that take the place of lost ones at the head of a range: [c, until) is free before its first survivor. */
static uint32_t head_place(struct text *o, uint32_t lo, uint32_t first, struct text *n, uint32_t c, uint32_t until, bool whole)
{
	uint32_t a, b;
	if (c >= until)
		return until;
	if (window_find(o, lo, first, n, c, until, WINDOW_TAIL, &a, &b) >= 0.25)
		return a;
	return whole && until - c <= 3 * (first - lo) ? c : until;
}

static uint32_t tail_place(struct text *o, uint32_t last, uint32_t hi, struct text *n, uint32_t from, uint32_t d, bool whole)
{
	uint32_t a, b;
	if (from >= d)
		return from - 1;
	if (window_find(o, last + 1, hi + 1, n, from, d, WINDOW_HEAD, &a, &b) >= 0.25)
		return b;
	return whole && d - from <= 3 * (hi - last) ? d - 1 : from - 1;
}

static const struct gap *gap_of(const struct pair *x, uint32_t i)
{
	const struct gap *g = NULL;
	uint32_t j;
	gaps_map(&x->gaps, i, &j, &g);
	return g;
}

/* Puts the ends of a range whose first or last lines have no vote of their own. */
static void ends_in_file(struct pair *x, uint32_t lo, uint32_t hi, const struct hit *hits, struct place_group *g)
{
	if (g->moved)
		return;
	const struct gap *first = g->first ? gap_of(x, lo + g->first - 1) : NULL;
	if (first && first->d >= first->c) {
		uint32_t until = g->lo < first->d ? g->lo : first->d;
		bool touches = g->lo <= first->d;
		if (touches)
			g->lo = head_place(x->o, lo, lo + g->first, x->n, first->c, until, first->a >= lo);
	}
	const struct gap *last = lo + g->last < hi ? gap_of(x, lo + g->last + 1) : NULL;
	if (last && g->hi + 1 >= last->c) {
		uint32_t from = g->hi + 1 > last->c ? g->hi + 1 : last->c;
		g->hi = tail_place(x->o, lo + g->last, hi, x->n, from, last->d, last->b <= hi + 1);
	}
	(void)hits;
}

static void block_close(struct text *o, uint32_t lo, uint32_t hi, struct text *n, struct place_group *g)
{
	if (!is_block(o, lo, hi) || g->lo >= n->n || g->hi >= n->n)
		return;
	const struct line *end = text_line(n, g->hi);
	if (end->indent == text_line(n, g->lo)->indent && (end->flags & LINE_CLOSE) && is_block(n, g->lo, g->hi))
		return;
	uint32_t at = block_end(n, g->lo, g->lo + 1, text_norm(o, hi));
	if (at != NO_LINE && at - g->lo <= 3 * (hi - lo + 1) + 12)
		g->hi = at;
}

static double range_conf(struct text *o, uint32_t lo, uint32_t hi, const struct place_group *g)
{
	double all = 0;
	for (uint32_t i = lo; i <= hi; i++)
		all += line_weight(o, i);
	double share = all > 0 ? g->like / all : 0;
	return lo == hi ? share : share >= 1 ? 1 : 0.5 + 0.5 * share;
}

static void survivors_around(struct pair *x, uint32_t lo, uint32_t hi, struct step *out)
{
	out->before = out->after = NO_LINE;
	for (uint32_t i = lo; i-- > 0 && lo - i < 2000;)
		if (!text_trivial(x->o, i) && gaps_map(&x->gaps, i, &out->before, NULL))
			break;
	for (uint32_t i = hi + 1; i < x->o->n && i - hi < 2000; i++)
		if (!text_trivial(x->o, i) && gaps_map(&x->gaps, i, &out->after, NULL))
			break;
}

static uint32_t window_letters(struct text *t, uint32_t a, uint32_t b)
{
	uint32_t n = 0;
	for (; a <= b; a++)
		n += text_line(t, a)->letters;
	return n;
}

/* A line alone that was cut in several, or whose best window is clearly better than its best line. */
static void line_split(struct pair *x, uint32_t i, struct place_group *g)
{
	const struct gap *in = gap_of(x, i);
	uint32_t a, b;
	if (!in || in->d - in->c < 2 || in->d - in->c > 60 || g->moved || g->like > 0.93 * g->weight)
		return;
	double one = window_likeness(x->o, i, i + 1, x->n, g->lo, g->lo + 1);
	double s = window_find(x->o, i, i + 1, x->n, in->c, in->d, 0, &a, &b);
	if (s < one + 0.08 || b == a || b - a > 12 || g->lo < a || g->lo > b)
		return;
	/* The line is where it starts, unless only a scrap of it stands there ("@Override", "throw new X("). */
	while (a < b && 3 * text_line(x->n, a)->letters < window_letters(x->n, a, b))
		a++;
	g->lo = a;
	g->hi = b;
	if (s > g->like)
		g->like = s * g->weight;
}

void step_in_file(struct pair *x, uint32_t lo, uint32_t hi, struct step *out)
{
	uint32_t n = hi - lo + 1;
	struct hit *hits = xcalloc(n, sizeof(*hits));
	for (uint32_t k = 0; k < n; k++)
		vote_line(x, lo + k, &hits[k]);
	struct place_group g = group_best(x->o, lo, hits, n);
	*out = (struct step){ .how = STEP_LOST };
	survivors_around(x, lo, hi, out);
	if (g.like > 0) {
		if (lo == hi)
			line_split(x, lo, &g);
		else
			ends_in_file(x, lo, hi, hits, &g);
		block_close(x->o, lo, hi, x->n, &g);
		out->how = STEP_STAY;
		out->moved = g.moved;
		out->lo = g.lo;
		out->hi = g.hi < g.lo ? g.lo : g.hi;
		out->conf = range_conf(x->o, lo, hi, &g);
	}
	free(hits);
}

/* Other files */

static bool is_file(unsigned mode) { return (mode & 0170000) == 0100000; }

/* Lines that a changed file gained. */
static uint32_t *lines_gained(struct pairs *p, const struct lineage_change *c, struct text *n, uint32_t *len)
{
	uint32_t *v = NULL;
	size_t alloc = 0;
	*len = 0;
	struct pair *x = is_file(c->old_mode) ? pairs_get(p, &c->old_id, &c->new_id, NULL) : NULL;
	struct gap whole = { 0, 0, 0, n->n };
	const struct gap *g = x ? x->gaps.items : &whole;
	for (size_t k = 0; k < (x ? x->gaps.len : 1); k++)
		for (uint32_t j = g[k].c; j < g[k].d && j < n->n; j++) {
			v = array_grow(v, *len, &alloc, sizeof(*v));
			v[(*len)++] = j;
		}
	return v;
}

static size_t shared_prefix(const char *a, const char *b)
{
	size_t n = 0;
	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

static const char *base_name(const char *path)
{
	const char *s = strrchr(path, '/');
	return s ? s + 1 : path;
}

static int closeness(const char *path, const char *other)
{
	const char *x = strrchr(base_name(path), '.'), *y = strrchr(base_name(other), '.');
	int c = (int)shared_prefix(path, other);
	if (!strcmp(base_name(path), base_name(other)))
		c += 1000;
	else
		c += (int)shared_prefix(base_name(path), base_name(other));
	return c + (x && y && !strcmp(x, y) ? 100 : 0);
}

struct near { size_t at; int close; };

static int cmp_near(const void *a, const void *b)
{
	const struct near *x = a, *y = b;
	return x->close != y->close ? (x->close > y->close ? -1 : 1) : x->at < y->at ? -1 : x->at > y->at;
}

/* Changed files, the nearest names first. */
static struct near *files_near(const struct elsewhere *e, const char *path, bool added_only, size_t *len)
{
	struct near *v = xcalloc(e->n + 1, sizeof(*v));
	*len = 0;
	for (size_t k = 0; k < e->n; k++) {
		const struct lineage_change *c = &e->changes[k];
		if (!is_file(c->new_mode) || !strcmp(c->path, path) || (added_only && !oid_is_zero(&c->old_id)))
			continue;
		v[(*len)++] = (struct near){ k, closeness(path, c->path) };
	}
	qsort(v, *len, sizeof(*v), cmp_near);
	return v;
}

static double block_share(struct text *o, const struct block *b, uint32_t lo, uint32_t hi)
{
	double got = 0, all = 0;
	for (uint32_t i = lo; i <= hi; i++) {
		double w = line_weight(o, i);
		all += w;
		if (i >= b->a && i < b->b && b->hits[i - b->a].kind)
			got += w * (double)b->hits[i - b->a].like;
	}
	return all > 0 ? got / all : 0;
}

static void block_land(struct text *o, struct text *n, const struct block *b, uint32_t lo, uint32_t hi, struct step *out)
{
	struct hit *hits = xcalloc(hi - lo + 1, sizeof(*hits));
	for (uint32_t i = lo; i <= hi; i++)
		if (i >= b->a && i < b->b)
			hits[i - lo] = b->hits[i - b->a];
	struct place_group g = group_best(o, lo, hits, hi - lo + 1);
	block_close(o, lo, hi, n, &g);
	out->lo = g.lo;
	out->hi = g.hi;
	free(hits);
}

/*
 * How much of a block is its own: lines that the other file had before, or that stand in several of the files looked
 * at, are copies of those as well (licences, imports, the frame of a test) and prove nothing.
 */
static double block_own(struct pairs *p, struct text *o, const struct block *b, const struct lineage_change *c,
    struct text *const *seen, size_t n_seen)
{
	struct text *before = is_file(c->old_mode) ? pairs_text(p, &c->old_id, NULL) : NULL;
	double own = 0, all = 0;
	for (uint32_t i = b->a; i < b->b; i++) {
		if (b->hits[i - b->a].kind != HIT_SAME || text_trivial(o, i))
			continue;
		uint64_t norm = text_norm(o, i);
		unsigned files = 0;
		for (size_t k = 0; k < n_seen && files < 3; k++)
			files += text_count(seen[k], norm) > 0;
		all++;
		own += (before && text_count(before, norm)) || files >= 3 ? 0.2 : 1;
	}
	return all > 0 ? own / all : 0;
}

enum { SEEN_MOST = 24 };

void step_elsewhere(struct pairs *p, struct text *o, uint32_t a, uint32_t b, uint32_t lo, uint32_t hi,
    const struct elsewhere *e, const char *path, struct step *out)
{
	size_t len, bytes = 0;
	double best = 0, second = 0;
	struct near *near = files_near(e, path, false, &len);
	uint32_t n_old = 0, *old = xcalloc((size_t)(b - a) + 1, sizeof(*old));
	for (uint32_t i = a; i < b; i++)
		old[n_old++] = i;
	struct text *seen[SEEN_MOST];
	size_t n_seen = 0;
	*out = (struct step){ .how = STEP_LOST, .before = NO_LINE, .after = NO_LINE };
	for (size_t k = 0; k < len && n_seen < SEEN_MOST; k++)
		if ((seen[n_seen] = pairs_text(p, &e->changes[near[k].at].new_id, NULL)))
			n_seen++;
	for (size_t k = 0; k < len && k < FILES_MOST && bytes < BYTES_MOST; k++) {
		const struct lineage_change *c = &e->changes[near[k].at];
		struct text *n = pairs_text(p, &c->new_id, NULL);
		uint32_t n_new;
		if (!n)
			continue;
		bytes += n->size;
		uint32_t *gained = lines_gained(p, c, n, &n_new);
		struct blocks found = { 0 };
		blocks_find(o, old, n_old, n, gained, n_new, 1.2, &found);
		for (size_t x = 0; x < found.len; x++) {
			struct block *bl = &found.items[x];
			double share = block_share(o, bl, lo, hi);
			double weight = share >= 0.4 && bl->equal >= 2 ? bl->weight * block_own(p, o, bl, c, seen, n_seen) : 0;
			double score = weight >= 1.2 ? share * weight : 0;
			if (score <= best) {
				second = score > second ? score : second;
				continue;
			}
			second = best > bl->runner ? best : bl->runner;
			best = score;
			*out = (struct step){ .how = STEP_AWAY, .moved = true, .path = c->path, .blob = c->new_id,
				.conf = share * (weight >= 2.5 ? 0.95 : weight >= 1.6 ? 0.85 : 0.7), .before = NO_LINE,
				.after = NO_LINE };
			block_land(o, n, bl, lo, hi, out);
		}
		blocks_release(&found);
		free(gained);
	}
	if (best > 0 && second >= 0.7 * best)
		out->conf *= 0.6;
	free(old);
	free(near);
}

/* Renames */

const struct lineage_change *step_renamed(struct pairs *p, const struct oid *old_id, const char *path,
    const struct elsewhere *e, double *like)
{
	const struct lineage_change *best = NULL;
	size_t len, bytes = 0;
	*like = 0;
	struct near *near = files_near(e, path, true, &len);
	for (size_t k = 0; k < len && !best; k++)
		if (oid_equal(&e->changes[near[k].at].new_id, old_id)) {
			best = &e->changes[near[k].at];
			*like = 1;
		}
	struct text *o = best ? NULL : pairs_text(p, old_id, NULL);
	for (size_t k = 0; o && k < len && k < FILES_MOST && bytes < BYTES_MOST; k++) {
		const struct lineage_change *c = &e->changes[near[k].at];
		struct text *n = pairs_text(p, &c->new_id, NULL);
		if (!n)
			continue;
		bytes += n->size;
		double s = text_overlap(o, n) + (near[k].close >= 1000 ? 0.05 : 0);
		if (s > *like + 1e-9) {
			*like = s;
			best = c;
		}
	}
	free(near);
	return *like >= 0.4 ? best : NULL;
}
