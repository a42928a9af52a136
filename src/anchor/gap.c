/* SPDX-License-Identifier: MIT */
/*
 * What became of the lines of one gap. Evidence in the order of its strength: blocks of equal lines that went elsewhere, a
 * line that is spelled by several now, the best alignment in order, single pairs that cross it, a line
 * alone between two that stayed, and at last a name that both versions define once. A new line is given away once.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "gap.h"

enum { NEAR_LINES = 10, NAMES_MOST = 400 };

static uint32_t *lines_listed(const struct pair *x, bool olds, uint32_t *len)
{
	uint32_t *v = NULL;
	size_t alloc = 0;
	*len = 0;
	for (size_t k = 0; k < x->gaps.len; k++) {
		const struct gap *g = &x->gaps.items[k];
		for (uint32_t i = olds ? g->a : g->c; i < (olds ? g->b : g->d); i++) {
			v = array_grow(v, *len, &alloc, sizeof(*v));
			v[(*len)++] = i;
		}
	}
	return v;
}

static void pair_blocks(struct pair *x)
{
	uint32_t n_old, n_new, *old, *new_;
	if (x->blocks_done)
		return;
	x->blocks_done = true;
	old = lines_listed(x, true, &n_old);
	new_ = lines_listed(x, false, &n_new);
	blocks_find(x->o, old, n_old, x->n, new_, n_new, 0.4, &x->blocks);
	free(old);
	free(new_);
}

static bool inside(const struct gap *g, const struct block *b) { return b->c >= g->c && b->d <= g->d; }

/* Beside the gap, across a line or two that stayed. */
static bool nearby(const struct gap *g, const struct block *b)
{
	return b->c + NEAR_LINES >= g->c && b->d <= g->d + NEAR_LINES;
}

/* How sure a block is to be the same lines: 0 when it is not to be used before other evidence. */
static float block_sure(const struct block *b, const struct gap *g)
{
	if (b->runner >= 0.7 * b->weight)
		return 0;
	if (inside(g, b))
		return b->weight >= 0.45 ? 0.98f : 0;
	if (nearby(g, b))
		return b->weight >= 0.55 ? 0.93f : 0;
	if (b->equal >= 2 && b->weight >= 1.6)
		return b->weight >= 3 ? 0.95f : 0.9f;
	return 0;
}

/* The same for blocks that only win when alignment finds nothing good. */
static float block_maybe(const struct block *b)
{
	if (b->runner >= 0.7 * b->weight)
		return 0;
	return b->equal >= 2 && b->weight >= 1.1 ? 0.8f : b->equal == 1 && b->weight >= 1 ? 0.75f : 0;
}

/* One long line that both files have once, as it was: a signature whose body got another one. */
static bool telling(struct text *o, const struct block *b)
{
	return b->equal == 1 && b->weight >= 1 && b->b - b->a == 1 && text_line(o, b->a)->letters >= 24;
}

static void block_use(const struct block *b, const struct gap *g, float sure, struct hit *hits, bool *skip_o, bool *skip_n)
{
	for (uint32_t i = b->a < g->a ? g->a : b->a; i < b->b && i < g->b; i++) {
		struct hit h = b->hits[i - b->a];
		if (!h.kind || skip_o[i - g->a])
			continue;
		h.like *= sure;
		h.moved = !inside(g, b);
		hits[i - g->a] = h;
		skip_o[i - g->a] = true;
	}
	for (uint32_t j = b->c < g->c ? g->c : b->c; j < b->d && j < g->d; j++)
		skip_n[j - g->c] = true;
}

/*
 * What is left between two lines that stayed: rows old ones against cols new ones. One against one is the same line
 * unless the two have nothing in common, for nothing else is there to be it; equal numbers are likely pairs in order.
 */
struct rest { uint32_t from, to, c, d, rows, cols; };

static bool stays(const struct hit *h) { return h->kind == HIT_SAME && !h->moved; }

static struct rest rest_around(const struct gap *g, const struct hit *out, const bool *skip_n, uint32_t i)
{
	struct rest r = { i, i + 1, g->c, g->d, 0, 0 };
	while (r.from > 0 && !stays(&out[r.from - 1]))
		r.from--;
	while (r.to < g->b - g->a && !stays(&out[r.to]))
		r.to++;
	if (r.from > 0)
		r.c = out[r.from - 1].last + 1;
	if (r.to < g->b - g->a)
		r.d = out[r.to].line;
	for (uint32_t k = r.from; k < r.to; k++)
		r.rows += out[k].kind == HIT_NONE || out[k].kind == HIT_EDIT;
	for (uint32_t j = r.c; j < r.d; j++)
		r.cols += !skip_n[j - g->c];
	return r;
}

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static char last_char(const struct text *t, uint32_t i)
{
	const char *p = text_at(t, i), *end = p + t->lines[i].len;
	while (end > p && is_blank(end[-1]))
		end--;
	return end > p ? end[-1] : 0;
}

static bool blank(struct text *t, uint32_t i) { return text_line(t, i)->flags & LINE_BLANK; }

enum { REST_MOST = 8 };

static void rest_solve(struct pair *x, const struct gap *g, const struct rest *r, const bool *skip_n, struct hit *out)
{
	uint32_t j = r->c;
	for (uint32_t i = r->from; i < r->to; i++) {
		struct hit *h = &out[i];
		if (h->kind == HIT_SAME || (h->kind == HIT_EDIT && h->moved))
			continue;
		while (j < r->d && skip_n[j - g->c])
			j++;
		if (j >= r->d)
			return;
		if (h->kind == HIT_NONE && !blank(x->o, g->a + i) && !blank(x->n, j) && (r->rows == 1 || r->rows == r->cols))
			*h = (struct hit){ j, j, (float)line_likeness(x->o, g->a + i, x->n, j), HIT_EDIT, false };
		if (h->kind == HIT_EDIT && h->line == j)
			h->like = r->rows == 1 ? 0.35f + 0.65f * h->like : 0.2f + 0.8f * h->like;
		j++;
	}
}

/* Edits are as sure as their shape: alone between lines that stayed, in pairs, or one of many. */
static void gap_shapes(struct pair *x, const struct gap *g, const bool *skip_n, struct hit *out)
{
	for (uint32_t i = 0; i < g->b - g->a; i++) {
		if (stays(&out[i]))
			continue;
		struct rest r = rest_around(g, out, skip_n, i);
		if (r.rows == r.cols && r.rows && r.rows <= REST_MOST)
			rest_solve(x, g, &r, skip_n, out);
		i = r.to - 1;
	}
}

/* Is the new line of a gap, and whose? */
static bool replaced_line(const struct pair *x, uint32_t j)
{
	for (size_t k = 0; k < x->gaps.len && x->gaps.items[k].c <= j; k++)
		if (j < x->gaps.items[k].d)
			return true;
	return false;
}

/* The only new line of the gap that defines it, while the only old one is i. */
static bool defined_in_gap(struct pair *x, const struct gap *g, uint32_t name, uint32_t i, uint32_t *line)
{
	unsigned news = 0;
	if (g->b - g->a > NAMES_MOST || g->d - g->c > NAMES_MOST)
		return false;
	for (uint32_t k = g->a; k < g->b; k++)
		if (k != i && text_name(x->o, k) == name)
			return false;
	for (uint32_t j = g->c; j < g->d && news < 2; j++)
		if (text_name(x->n, j) == name) {
			news++;
			*line = j;
		}
	return news == 1;
}

/* "int n = f();" became "int n;" and, further down, "n = f();" which is more like it: it is the declaration. */
static bool declared_apart(struct pair *x, const struct gap *g, const struct hit *out, const struct hit *h, uint32_t j)
{
	if (h->moved || h->kind != HIT_EDIT || j >= h->line || last_char(x->n, j) != ';' || text_name(x->n, h->line))
		return false;
	for (uint32_t k = 0; k < g->b - g->a; k++)
		if (out[k].kind && out[k].line <= j && j <= out[k].last)
			return false;
	return true;
}

/* Lines that nothing was found for, or little: a name that both versions define once is the same, however it is written. */
static void gap_names(struct pair *x, const struct gap *g, struct hit *out)
{
	for (uint32_t i = g->a; i < g->b; i++) {
		struct hit *h = &out[i - g->a];
		uint32_t own, j, name = h->kind != HIT_SAME && h->like < 0.9f ? text_name(x->o, i) : 0;
		if (!name)
			continue;
		bool file = text_defines(x->o, name, &own) && own == i && text_defines(x->n, name, &j) && replaced_line(x, j);
		if (!file && !defined_in_gap(x, g, name, i, &j))
			continue;
		float like = (float)((file ? 0.55 : 0.45) + 0.4 * line_likeness(x->o, i, x->n, j));
		if ((h->like < 0.6f && like > h->like) || declared_apart(x, g, out, h, j))
			*h = (struct hit){ j, j, like, HIT_EDIT, j < g->c || j >= g->d };
	}
}

/* Is line i of w what lines [j, *last] of p are together, white space aside? */
static bool spelled(const struct text *w, uint32_t i, const struct text *p, uint32_t j, uint32_t end, uint32_t *last)
{
	const char *a = text_at(w, i), *until = a + w->lines[i].len;
	for (a = line_first(w, i); j < end; j++) {
		const char *b = text_at(p, j), *stop = b + p->lines[j].len;
		for (; b < stop; b++) {
			if (is_blank(*b))
				continue;
			if (a == until || *a++ != *b)
				return false;
			while (a < until && is_blank(*a))
				a++;
		}
		*last = j;
		if (a == until)
			return true;
	}
	return false;
}

static uint32_t letters_of(struct text *t, uint32_t a, uint32_t b)
{
	uint32_t n = 0;
	for (; a <= b; a++)
		n += text_line(t, a)->letters;
	return n;
}

uint32_t pieces_start(struct text *t, uint32_t a, uint32_t b)
{
	while (a < b && 3 * text_line(t, a)->letters < letters_of(t, a, b) && last_char(t, a) != ',')
		a++;
	return a;
}

enum { SPELL_CELLS = 400000 };

/* Lines that were cut in pieces. */
static void gap_spelled(struct pair *x, const struct gap *g, struct hit *out, bool *skip_o, bool *skip_n)
{
	uint32_t last;
	if ((uint64_t)(g->b - g->a) * (g->d - g->c) > SPELL_CELLS)
		return;
	for (uint32_t i = g->a; i < g->b; i++)
		for (uint32_t j = g->c; j < g->d && !skip_o[i - g->a] && !text_trivial(x->o, i); j++) {
			if (skip_n[j - g->c] || !spelled(x->o, i, x->n, j, g->d, &last) || last == j)
				continue;
			out[i - g->a] = (struct hit){ pieces_start(x->n, j, last), last, 0.97f, HIT_EDIT, false };
			skip_o[i - g->a] = true;
			memset(skip_n + (j - g->c), true, last + 1 - j);
		}
}

void gap_solve(struct pair *x, const struct gap *g, struct hit *out)
{
	uint32_t rows = g->b - g->a, cols = g->d - g->c;
	struct hit *lined = xcalloc((size_t)rows + 1, sizeof(*lined)), *sure = xcalloc((size_t)rows + 1, sizeof(*sure));
	bool *skip_o = xcalloc((size_t)rows + 1, 1), *skip_n = xcalloc((size_t)cols + 1, 1);
	pair_blocks(x);
	gap_spelled(x, g, sure, skip_o, skip_n);
	for (size_t k = 0; k < x->blocks.len; k++) {
		float s = block_sure(&x->blocks.items[k], g);
		if (s > 0)
			block_use(&x->blocks.items[k], g, s, sure, skip_o, skip_n);
	}
	align(x->o, x->n, *g, skip_o, skip_n, 0.4, lined);
	align_crossing(x->o, x->n, *g, skip_o, skip_n, 0.55, lined);
	for (uint32_t i = 0; i < rows; i++)
		out[i] = sure[i].kind ? sure[i] : lined[i];
	gap_shapes(x, g, skip_n, out);
	for (size_t k = 0; k < x->blocks.len; k++) {
		const struct block *b = &x->blocks.items[k];
		float s = block_sure(b, g) > 0 ? 0 : block_maybe(b), least = telling(x->o, b) ? 0.97f : 0.8f;
		for (uint32_t i = b->a < g->a ? g->a : b->a; s > 0 && i < b->b && i < g->b; i++) {
			struct hit h = b->hits[i - b->a];
			h.like *= s;
			if (h.kind && out[i - g->a].like < least)
				out[i - g->a] = h;
		}
	}
	gap_names(x, g, out);
	free(lined);
	free(sure);
	free(skip_o);
	free(skip_n);
}

