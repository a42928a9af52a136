/* SPDX-License-Identifier: MIT */
/*
 * One step. Each strand says where it went (a run of equal lines, an aligned or moved line). Strands gather in places: in
 * order in this part of the file, or as a block elsewhere. The heaviest place wins, lines with a name in them counting,
 * and takes in others that are near. Then the ends: a lost end is looked for in the lines that took its place, and a
 * range that was a block ends at the bracket that closes it now.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "gap.h"
#include "step.h"

/* Of bigger ranges lines inside may go without a closer look, where they went nowhere. */
enum { SMALL_RANGE = 40 };
enum { FILES_MOST = 400, OLD_FILES_MOST = 16, BYTES_MOST = 32 << 20, CLUSTER_GAP = 24, GROUPS_MOST = 12 };

void step_release(struct step *s) { rope_release(&s->rope); }

/* A hull of more than this is no range any more but two. */
static uint32_t hull_most(const struct rope *r)
{
	uint32_t now = rope_hi(r) - rope_lo(r) + 1;
	return 3 * (now > r->lines ? now : r->lines) + 5;
}

static struct rope rope_like(const struct rope *r)
{
	return (struct rope){ .lines = r->lines, .weight = r->weight, .sure_first = r->sure_first, .sure_last = r->sure_last,
		.blank_first = r->blank_first, .blank_last = r->blank_last };
}

/* Lines were put in right below, across blanks perhaps: they may belong to it. */
static bool grows_below(const struct pair *x, const struct rope *r)
{
	uint32_t j, hi = rope_hi(r);
	const struct gap *g;
	for (uint32_t i = hi + 1; r->lines > 1 && i < x->old_n && i <= hi + 3; i++)
		if (!gaps_map(&x->gaps, i, &j, &g))
			return g->d > g->c;
	return false;
}

bool step_pass(const struct pair *x, const struct rope *r, struct step *out)
{
	*out = (struct step){ .how = STEP_STAY, .rope = rope_like(r) };
	if (!pair_trusted(x, rope_lo(r)) || !pair_trusted(x, rope_hi(r)))
		return false;
	for (size_t k = 0; k < r->len; k++) {
		struct strand s = r->items[k];
		bool end = k == 0 || k + 1 == r->len || (s.flags & (STRAND_FIRST | STRAND_LAST));
		const struct gap *g;
		if ((s.flags & (STRAND_FIRST | STRAND_LAST)) && !pair_trusted(x, s.line))
			break;
		if (gaps_map(&x->gaps, s.line, &s.line, &g))
			*array_add(&out->rope) = s;
		else if (end || ((s.flags & STRAND_NAMED) && (r->len <= SMALL_RANGE || !pair_clean(x, (size_t)(g - x->gaps.items)))))
			break;
		if (k + 1 == r->len && rope_hi(&out->rope) - rope_lo(&out->rope) < hull_most(r) && !grows_below(x, r))
			return true;
	}
	step_release(out);
	return false;
}

static void vote_line(struct pair *x, uint32_t i, struct hit *out)
{
	const struct gap *g;
	uint32_t j;
	if (gaps_map(&x->gaps, i, &j, &g))
		*out = (struct hit){ j, j, 1, HIT_SAME, false };
	else
		*out = pair_hits(x, (size_t)(g - x->gaps.items))[i - g->a];
}

/* A place voted for: lines that stayed in order, or those of one block elsewhere. */
struct place_group { bool moved; uint32_t lo, hi; double weight; };

static bool group_fits(const struct place_group *g, const struct hit *h)
{
	if (g->moved != h->moved)
		return false;
	return !h->moved || (h->line + CLUSTER_GAP > g->lo && h->line < g->hi + CLUSTER_GAP);
}

static void group_widen(struct place_group *g, uint32_t lo, uint32_t hi)
{
	g->lo = lo < g->lo ? lo : g->lo;
	g->hi = hi > g->hi ? hi : g->hi;
}

/* Which group each strand is in, GROUPS_MOST for none; returns the number of groups. */
static unsigned groups_make(const struct rope *r, const struct hit *hits, struct place_group *g, uint8_t *in)
{
	unsigned len = 0;
	for (size_t k = 0; k < r->len; k++) {
		unsigned at = 0;
		in[k] = GROUPS_MOST;
		while (hits[k].kind && at < len && !group_fits(&g[at], &hits[k]))
			at++;
		if (!hits[k].kind || at == GROUPS_MOST)
			continue;
		if (at == len)
			g[len++] = (struct place_group){ hits[k].moved, hits[k].line, hits[k].last, 0 };
		group_widen(&g[at], hits[k].line, hits[k].last);
		g[at].weight += (r->items[k].flags & STRAND_NAMED ? 1 : 0.1) * (double)(hits[k].like * r->items[k].conf);
		in[k] = (uint8_t)at;
	}
	return len;
}

/* The heaviest group takes in the others while the whole stays of the size of a range; *from becomes its members. */
static unsigned groups_join(const struct rope *r, struct place_group *g, unsigned len, uint8_t *in)
{
	unsigned best = 0;
	for (unsigned k = 1; k < len; k++)
		if (g[k].weight > g[best].weight + 1e-9)
			best = k;
	for (unsigned k = 0; k < len; k++) {
		struct place_group both = g[best];
		group_widen(&both, g[k].lo, g[k].hi);
		if (k == best || both.hi - both.lo >= 2 * r->lines + 5)
			continue;
		g[best] = both;
		for (size_t i = 0; i < r->len; i++)
			in[i] = in[i] == k ? (uint8_t)best : in[i];
	}
	return best;
}

enum { PART_LINES = 3 };

/*
 * A part of a range whose first and last line stay, in order, was moved out of it, to a function of its own above or below:
 * it is marked as in no group. One line that crossed an end did not leave.
 */
static void part_leaves(const struct rope *r, const struct hit *hits, uint8_t *in)
{
	const struct hit *first = NULL, *last = NULL;
	size_t out = 0;
	for (size_t k = 0; k < r->len; k++) {
		if ((r->items[k].flags & STRAND_FIRST) && hits[k].kind && !hits[k].moved)
			first = &hits[k];
		if ((r->items[k].flags & STRAND_LAST) && hits[k].kind && !hits[k].moved)
			last = &hits[k];
	}
	if (!first || !last || first->line > last->last)
		return;
#define OUTSIDE(h) ((h)->kind && (h)->moved && ((h)->last < first->line || (h)->line > last->last))
	for (size_t k = 0; k < r->len; k++)
		out += (r->items[k].flags & STRAND_NAMED) && OUTSIDE(&hits[k]);
	for (size_t k = 0; out >= PART_LINES && k < r->len; k++)
		if (OUTSIDE(&hits[k]))
			in[k] = GROUPS_MOST;
#undef OUTSIDE
}

/*
 * Blanks and braces have no identity: those that are not where the named lines beside them went are the same by chance,
 * and belong to something else now.
 */
static void trivial_strays(const struct rope *r, struct hit *hits)
{
	const struct hit *near = NULL;
	for (size_t k = 0; k < r->len; k++) {
		if (r->items[k].flags & STRAND_NAMED)
			near = hits[k].kind ? &hits[k] : near;
		else if (near && hits[k].kind && hits[k].line < near->line)
			hits[k].kind = HIT_NONE;
	}
	near = NULL;
	for (size_t k = r->len; k-- > 0;) {
		if (r->items[k].flags & STRAND_NAMED)
			near = hits[k].kind ? &hits[k] : near;
		else if (near && hits[k].kind && hits[k].last > near->last)
			hits[k].kind = HIT_NONE;
	}
}

/* Strands where the winning place has them. false: nothing with a name in it is left of a range that had names. */
static bool rope_land(const struct rope *r, struct hit *hits, struct rope *to, bool *moved)
{
	struct place_group g[GROUPS_MOST];
	uint8_t *in = xmalloc(r->len + 1);
	bool named = false, want = false;
	trivial_strays(r, hits);
	unsigned len = groups_make(r, hits, g, in), best = len ? groups_join(r, g, len, in) : GROUPS_MOST;
	*to = rope_like(r);
	part_leaves(r, hits, in);
	for (size_t k = 0; k < r->len; k++) {
		want |= r->items[k].flags & STRAND_NAMED;
		if (!len || in[k] != best)
			continue;
		for (uint32_t j = hits[k].line; j <= hits[k].last; j++) {
			struct strand s = { j, r->items[k].conf * hits[k].like, r->items[k].flags & (STRAND_NAMED | STRAND_BLANK) };
			s.flags |= j == hits[k].line ? r->items[k].flags & STRAND_FIRST : 0;
			s.flags |= j == hits[k].last ? r->items[k].flags & STRAND_LAST : 0;
			*array_add(to) = s;
		}
		named |= r->items[k].flags & STRAND_NAMED;
	}
	*moved = len && g[best].moved;
	free(in);
	rope_order(to);
	if (to->len && (named || !want))
		return true;
	rope_release(to);
	return false;
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
static uint32_t block_end(struct text *t, uint32_t lo, uint64_t norm)
{
	for (uint32_t i = lo + 1; i < t->n && i - lo < 10000; i++) {
		const struct line *l = text_line(t, i);
		if (l->flags & LINE_BLANK)
			continue;
		if (l->indent < text_line(t, lo)->indent)
			return NO_LINE;
		if (l->indent == text_line(t, lo)->indent && (l->flags & LINE_CLOSE))
			return text_norm(t, i) == norm ? i : NO_LINE;
	}
	return NO_LINE;
}

static void block_close(struct text *o, const struct rope *was, struct text *n, struct rope *r)
{
	uint32_t lo = rope_lo(r), hi = rope_hi(r);
	if (!is_block(o, rope_lo(was), rope_hi(was)) || is_block(n, lo, hi))
		return;
	uint32_t at = block_end(n, lo, text_norm(o, rope_hi(was)));
	if (at == NO_LINE || at - lo >= hull_most(was))
		return;
	/* Braces behind it were the next block's; a line with a name behind it says that this is no block any more. */
	size_t len = r->len;
	while (len && r->items[len - 1].line > at && !(r->items[len - 1].flags & STRAND_NAMED))
		len--;
	if (!len || r->items[len - 1].line > at)
		return;
	r->len = len;
	if (r->items[len - 1].line != at)
		*array_add(r) = (struct strand){ .line = at, .conf = 0.9f };
}

/* Blocks by indentation: a heading and all the deeper lines below it, none of them left out. */
static uint32_t indent_end(struct text *t, uint32_t lo)
{
	uint32_t end = lo, most = lo + 10000 < t->n ? lo + 10000 : t->n;
	for (uint32_t i = lo + 1; i < most; i++) {
		const struct line *l = text_line(t, i);
		if (l->flags & LINE_BLANK)
			continue;
		/* A wrapped heading may be closed at its own depth: ") -> int:". */
		if (l->indent <= text_line(t, lo)->indent && !(l->indent == text_line(t, lo)->indent && *line_first(t, i) == ')'))
			break;
		end = i;
	}
	return end;
}

static bool is_indent_block(struct text *t, uint32_t lo, uint32_t hi)
{
	return hi > lo && !(text_line(t, lo)->flags & LINE_BLANK) && indent_end(t, lo) == hi;
}

/* A range that was such a block is the block that its heading has now: what was added at its end belongs to it. */
static void block_indent(struct text *o, const struct rope *was, struct text *n, struct rope *r)
{
	uint32_t lo = rope_lo(r), hi = rope_hi(r);
	if (!is_indent_block(o, rope_lo(was), rope_hi(was)) || !(r->items[0].flags & STRAND_FIRST))
		return;
	uint32_t end = indent_end(n, lo);
	if (end == lo || end == hi || end - lo >= hull_most(was))
		return;
	size_t len = r->len;
	while (len > 1 && r->items[len - 1].line > end)
		len--;
	r->len = len;
	if (r->items[len - 1].line != end)
		*array_add(r) = (struct strand){ .line = end, .conf = 0.9f };
	r->items[r->len - 1].flags |= STRAND_LAST;
}

/* How many brackets the line leaves open; those in quotes do not count. */
static int brackets(struct text *t, uint32_t i)
{
	const char *p = text_at(t, i), *end = p + t->lines[i].len;
	int open = 0;
	char quote = 0;
	for (; p < end; p++) {
		if (quote && *p == '\\')
			p++;
		else if (quote)
			quote = *p == quote ? 0 : quote;
		else if (*p == '"' || (*p == '\'' && memchr(p + 1, '\'', (size_t)(end - p - 1))))
			quote = *p;
		else if (*p == '(' || *p == '[' || *p == '{')
			open++;
		else if (*p == ')' || *p == ']' || *p == '}')
			open--;
	}
	return open;
}

enum { CLOSE_MOST = 6, BRACKETS_MOST = 2000 };

/* A range that closed what it opened is wrapped now: the lines that only close it belong to it. */
static void brackets_close(struct text *o, const struct rope *was, struct text *n, struct rope *r)
{
	int before = 0, open = 0;
	uint32_t hi = rope_hi(r), at = hi + 1;
	if (rope_hi(was) - rope_lo(was) > BRACKETS_MOST || hi - rope_lo(r) > BRACKETS_MOST)
		return;
	for (uint32_t i = rope_lo(was); i <= rope_hi(was); i++)
		before += brackets(o, i);
	for (uint32_t i = rope_lo(r); i <= hi; i++)
		open += brackets(n, i);
	if (before || open <= 0)
		return;
	while (open > 0 && at < n->n && at - hi <= CLOSE_MOST && (text_line(n, at)->flags & LINE_CLOSE))
		open += brackets(n, at++);
	if (open || at == hi + 1)
		return;
	*array_add(r) = (struct strand){ .line = at - 1, .conf = 0.95f };
}

static const float sure_block = 0.9f, sure_shape = 0.85f;

static bool same_shape(struct text *o, const struct rope *was, struct text *n, const struct rope *r)
{
	uint32_t lo = rope_lo(was), hi = rope_hi(was);
	if (is_block(o, lo, hi))
		return is_block(n, rope_lo(r), rope_hi(r));
	return is_indent_block(o, lo, hi) && is_indent_block(n, rope_lo(r), rope_hi(r));
}

static void range_close(struct text *o, const struct rope *was, struct text *n, struct rope *r)
{
	if (was->lines == 1)
		return;
	block_close(o, was, n, r);
	brackets_close(o, was, n, r);
	block_indent(o, was, n, r);
	/* A block of which much is left ends where it closes, rewritten as its last lines may be. */
	if (r->sure_last < sure_block && same_shape(o, was, n, r))
		r->sure_last = sure_block;
}

/* An end of the range was replaced by as many lines, and the range goes on behind them: they are its end. */
static bool replaced_evenly(const struct pair *x, const struct rope *was, const struct hit *hits, size_t k)
{
	uint32_t i = was->items[k].line, j;
	const struct gap *g;
	if (gaps_map(&x->gaps, i, &j, &g) || !hits[k].kind || hits[k].moved || g->b - g->a != g->d - g->c ||
	    hits[k].line - g->c != i - g->a)
		return false;
	return was->items[k].flags & STRAND_FIRST ? g->b <= rope_hi(was) : g->a > rope_lo(was);
}

static void ends_sure(const struct pair *x, const struct rope *was, const struct hit *hits, struct rope *r)
{
	for (size_t k = 0; k < was->len; k++) {
		if (!(was->items[k].flags & (STRAND_FIRST | STRAND_LAST)) || !replaced_evenly(x, was, hits, k))
			continue;
		float *sure = was->items[k].flags & STRAND_FIRST ? &r->sure_first : &r->sure_last;
		*sure = *sure < sure_shape ? sure_shape : *sure;
	}
}

static const struct gap *gap_of(const struct pair *x, uint32_t i)
{
	const struct gap *g = NULL;
	uint32_t j;
	gaps_map(&x->gaps, i, &j, &g);
	return g;
}

static void rope_add(struct rope *r, uint32_t a, uint32_t b, double conf, uint8_t flag)
{
	for (uint32_t j = a; j <= b; j++)
		*array_add(r) = (struct strand){ j, (float)conf, (uint8_t)(STRAND_NAMED |
			((flag == STRAND_FIRST ? j == a : j == b) ? flag : 0)) };
	rope_order(r);
}

static bool window_fits(double like, uint32_t lost, uint32_t size)
{
	return like >= 0.4 && size <= 2 * lost + 2;
}

/* Strands before the first one that is left, lost in the gap right before it: rewritten, perhaps. */
static void head_find(struct pair *x, const struct rope *was, const struct hit *hits, struct rope *r)
{
	size_t n = 0;
	uint32_t a, b;
	while (n < was->len && !hits[n].kind)
		n++;
	const struct gap *g = n && n < was->len ? gap_of(x, was->items[n - 1].line) : NULL;
	uint32_t until = g && rope_lo(r) < g->d ? rope_lo(r) : g ? g->d : 0;
	if (!g || hits[n].line != rope_lo(r) || rope_lo(r) > g->d || until <= g->c)
		return;
	double s = window_find(x->o, rope_lo(was), was->items[n - 1].line + 1, x->n, g->c, until, WINDOW_TAIL, &a, &b);
	if (window_fits(s, was->items[n - 1].line + 1 - rope_lo(was), b + 1 - a))
		rope_add(r, a, b, s, STRAND_FIRST);
}

static void tail_find(struct pair *x, const struct rope *was, const struct hit *hits, struct rope *r)
{
	size_t n = was->len;
	uint32_t a, b;
	while (n && !hits[n - 1].kind)
		n--;
	const struct gap *g = n && n < was->len ? gap_of(x, was->items[n].line) : NULL;
	uint32_t from = g && rope_hi(r) + 1 > g->c ? rope_hi(r) + 1 : g ? g->c : 0;
	if (!g || hits[n - 1].last != rope_hi(r) || rope_hi(r) + 1 < g->c || from >= g->d)
		return;
	double s = window_find(x->o, was->items[n].line, rope_hi(was) + 1, x->n, from, g->d, WINDOW_HEAD, &a, &b);
	if (window_fits(s, rope_hi(was) + 1 - was->items[n].line, b + 1 - a))
		rope_add(r, a, b, s, STRAND_LAST);
}

/* Is the new line what another old line than i of the gap became? */
static bool claimed(const struct gap *g, const struct hit *hits, uint32_t i, uint32_t j)
{
	for (uint32_t k = g->a; k < g->b; k++)
		if (k != i && hits[k - g->a].kind && hits[k - g->a].line <= j && j <= hits[k - g->a].last)
			return true;
	return false;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

static bool ends_statement(const struct text *t, uint32_t i)
{
	const char *p = text_at(t, i), *end = p + t->lines[i].len;
	while (end > p && (unsigned char)end[-1] <= ' ')
		end--;
	return end > p && end[-1] == ';';
}

/* Do the old and the new line begin with the same word? */
static bool begins_alike(const struct pair *x, uint32_t i, uint32_t j)
{
	const char *a = line_first(x->o, i), *b = line_first(x->n, j);
	const char *a_end = text_at(x->o, i) + x->o->lines[i].len, *b_end = text_at(x->n, j) + x->n->lines[j].len;
	for (; a < a_end && b < b_end && *a == *b && is_word(*a); a++, b++)
		;
	return (a == a_end || !is_word(*a)) && (b == b_end || !is_word(*b));
}

/* A line that was cut in several: the window that is clearly more like it than the line it was aligned with. */
static void line_split(struct pair *x, uint32_t i, struct hit *h)
{
	const struct gap *in = gap_of(x, i);
	uint32_t a, b;
	if (!in || in->d - in->c < 2 || in->d - in->c > 60 || h->kind != HIT_EDIT || h->moved || h->like > 0.93f)
		return;
	double one = window_likeness(x->o, i, i + 1, x->n, h->line, h->line + 1);
	double s = window_find(x->o, i, i + 1, x->n, in->c, in->d, 0, &a, &b);
	if (s < one + 0.08 || b == a || b - a > 12 || h->line < a || h->line > b)
		return;
	const struct hit *hits = pair_hits(x, (size_t)(in - x->gaps.items));
	while (a < h->line && (claimed(in, hits, i, a) || (begins_alike(x, i, h->line) && !begins_alike(x, i, a))))
		a++;
	while (b > h->last && (claimed(in, hits, i, b) || ends_statement(x->n, h->last)))
		b--;
	h->line = pieces_start(x->n, a, b);
	h->last = b;
	h->like = s > (double)h->like ? (float)s : h->like;
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

void step_in_file(struct pair *x, const struct rope *r, struct step *out)
{
	struct hit *hits = xcalloc(r->len, sizeof(*hits));
	*out = (struct step){ .how = STEP_LOST };
	survivors_around(x, rope_lo(r), rope_hi(r), out);
	for (size_t k = 0; k < r->len; k++) {
		vote_line(x, r->items[k].line, &hits[k]);
		if (r->len == 1 || (r->items[k].flags & (STRAND_FIRST | STRAND_LAST)))
			line_split(x, r->items[k].line, &hits[k]);
	}
	if (rope_land(r, hits, &out->rope, &out->moved)) {
		out->how = STEP_STAY;
		if (r->len > 1 && !out->moved) {
			head_find(x, r, hits, &out->rope);
			tail_find(x, r, hits, &out->rope);
			ends_sure(x, r, hits, &out->rope);
		}
		range_close(x->o, r, x->n, &out->rope);
	}
	free(hits);
}

/* Other files */

static bool is_file(unsigned mode) { return (mode & 0170000) == 0100000; }

/* One line in another file proves nothing. */
enum { SEEN_MOST = 24, BLOCK_LINES = 2 };

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
		const struct line *l = text_line(o, i);
		unsigned files = 0;
		for (size_t k = 0; k < n_seen && files < 3; k++)
			files += text_count(seen[k], l) > 0;
		all++;
		own += (before && text_count(before, l)) || files >= 3 ? 0.2 : 1;
	}
	return all > 0 ? own / all : 0;
}


/* Texts of the nearest changed files: what stands in several of them is nobody's. */
static size_t texts_seen(struct pairs *p, const struct elsewhere *e, const struct near *near, size_t len,
    struct text **seen)
{
	size_t n = 0;
	for (size_t k = 0; k < len && k < FILES_MOST && n < SEEN_MOST; k++)
		if ((seen[n] = pairs_text(p, &e->changes[near[k].at].new_id, NULL)))
			n++;
	return n;
}

static float block_conf(double weight, const struct block *b, double own)
{
	float c = weight >= 2.5 ? 0.95f : weight >= 1.6 ? 0.85f : 0.7f;
	return b->runner * own >= 0.7 * weight ? 0.6f * c : c;
}

/* Where the strands are in one other file, by its blocks that count; their weight together, 0 for nothing. */
static double hits_elsewhere(const struct rope *r, const struct blocks *found, const double *own, struct hit *hits)
{
	double score = 0;
	for (size_t x = 0; x < found->len; x++) {
		const struct block *b = &found->items[x];
		double weight = b->weight * own[x], got = 0;
		if (weight < 1.2 || b->equal < BLOCK_LINES)
			continue;
		for (size_t k = 0; k < r->len; k++) {
			uint32_t i = r->items[k].line;
			if (i < b->a || i >= b->b || !b->hits[i - b->a].kind || hits[k].kind)
				continue;
			hits[k] = b->hits[i - b->a];
			got += (r->items[k].flags & STRAND_NAMED ? 1 : 0.1) * (double)hits[k].like;
			hits[k].like *= block_conf(weight, b, own[x]);
		}
		score += got * weight;
	}
	return score;
}

static double rope_share(const struct rope *r, const struct hit *hits)
{
	double got = 0, all = 0;
	for (size_t k = 0; k < r->len; k++) {
		double w = r->items[k].flags & STRAND_NAMED ? 1 : 0.1;
		all += w;
		got += hits[k].kind ? w : 0;
	}
	return all > 0 ? got / all : 0;
}

/* A line that is looked for, how often, and in which file it was seen last. */
struct sought { uint64_t trim; uint32_t many, file; };

struct search {
	struct pairs *p;
	struct text *o;
	const uint32_t *old;
	uint32_t n_old, file;   /* the files are counted from 1 */
	struct sought *sought;  /* open addressing by trim; many 0: free */
	uint32_t mask;
	const struct elsewhere *e;
	const struct near *near;
	size_t n_near, n_seen;
	bool saw;
	struct text *seen[SEEN_MOST];
};

static struct sought *sought_slot(const struct search *s, uint64_t trim)
{
	uint32_t k = (uint32_t)(trim ^ trim >> 32) & s->mask;
	while (s->sought[k].many && s->sought[k].trim != trim)
		k = (k + 1) & s->mask;
	return &s->sought[k];
}

static void sought_make(struct search *s)
{
	uint32_t size = 16;
	while (size / 2 < s->n_old)
		size *= 2;
	s->mask = size - 1;
	s->sought = xcalloc(size, sizeof(*s->sought));
	for (uint32_t k = 0; k < s->n_old; k++) {
		if (text_trivial(s->o, s->old[k]))
			continue;
		struct sought *x = sought_slot(s, text_line(s->o, s->old[k])->trim);
		x->trim = text_line(s->o, s->old[k])->trim;
		x->many++;
	}
}

/* Does the file have two of the lines that are looked for? Most have none, and need no diff. */
static bool file_hopeful(struct search *s, const struct text *n)
{
	uint32_t found = 0;
	s->file++;
	for (uint32_t i = 0; i < n->n && found < BLOCK_LINES; i++) {
		struct sought *x = sought_slot(s, n->lines[i].trim);
		if (x->many && x->file != s->file) {
			x->file = s->file;
			found += x->many;
		}
	}
	return found >= BLOCK_LINES;
}

/* What one other file gained of the lines that are looked for: blocks, and how much of each is its own. */
struct away_file { const struct lineage_change *change; struct blocks blocks; double *own; };

enum { AWAYS = 16 };
struct away {
	struct oid old_id;
	const char *path;
	uint32_t a, b;
	unsigned serial;
	bool used;
	struct { struct away_file *items; size_t len, alloc; } files;
};
struct aways { struct away kept[AWAYS]; unsigned turn; };

struct aways *aways_new(void) { return xcalloc(1, sizeof(struct aways)); }

static void away_clear(struct away *w)
{
	for (size_t k = 0; k < w->files.len; k++) {
		blocks_release(&w->files.items[k].blocks);
		free(w->files.items[k].own);
	}
	free(w->files.items);
	free((char *)w->path);
	*w = (struct away){ 0 };
}

void aways_free(struct aways *w)
{
	for (size_t i = 0; w && i < AWAYS; i++)
		away_clear(&w->kept[i]);
	free(w);
}

static void file_search(struct search *s, const struct lineage_change *c, struct text *n, struct away *w)
{
	uint32_t n_new;
	struct blocks found = { 0 };
	uint32_t *gained = lines_gained(s->p, c, n, &n_new);
	blocks_find(s->o, s->old, s->n_old, n, gained, n_new, 1.2, &found);
	free(gained);
	if (!found.len)
		return;
	if (!s->saw) {
		s->saw = true;
		s->n_seen = texts_seen(s->p, s->e, s->near, s->n_near, s->seen);
	}
	double *own = xcalloc(found.len, sizeof(*own));
	for (size_t x = 0; x < found.len; x++)
		own[x] = block_own(s->p, s->o, &found.items[x], c, s->seen, s->n_seen);
	*array_add(&w->files) = (struct away_file){ c, found, own };
}

static void files_search(struct pairs *p, struct text *o, const struct elsewhere *e, struct away *w)
{
	size_t len, bytes = 0;
	struct near *near = files_near(e, w->path, false, &len);
	uint32_t *old = xcalloc((size_t)(w->b - w->a) + 1, sizeof(*old));
	for (uint32_t i = w->a; i < w->b; i++)
		old[i - w->a] = i;
	struct search s = { .p = p, .o = o, .old = old, .n_old = w->b - w->a, .e = e, .near = near, .n_near = len };
	sought_make(&s);
	for (size_t k = 0, old_files = 0; k < len && k < FILES_MOST && bytes < BYTES_MOST; k++) {
		const struct lineage_change *c = &e->changes[near[k].at];
		/* Code goes to new files and to near ones; a step that touches hundreds of old files is a sweep. */
		if (!oid_is_zero(&c->old_id) && ++old_files > OLD_FILES_MOST)
			continue;
		struct text *n = pairs_text(p, &c->new_id, NULL);
		if (!n)
			continue;
		bytes += n->size;
		if (file_hopeful(&s, n))
			file_search(&s, c, n, w);
	}
	free(s.sought);
	free(old);
	free(near);
}

static struct away *away_get(struct pairs *p, struct aways *all, struct text *o, const struct oid *old_id, uint32_t a,
    uint32_t b, const struct elsewhere *e, const char *path)
{
	for (size_t i = 0; i < AWAYS; i++) {
		struct away *w = &all->kept[i];
		if (w->used && w->a == a && w->b == b && w->serial == e->serial && oid_equal(&w->old_id, old_id) &&
		    !strcmp(w->path, path))
			return w;
	}
	struct away *w = &all->kept[all->turn++ % AWAYS];
	away_clear(w);
	*w = (struct away){ .old_id = *old_id, .path = xstrdup(path), .a = a, .b = b, .serial = e->serial, .used = true };
	files_search(p, o, e, w);
	return w;
}

void step_elsewhere(struct pairs *p, struct aways *all, struct text *o, const struct oid *old_id, uint32_t a, uint32_t b,
    const struct rope *r, const struct elsewhere *e, const char *path, struct step *out)
{
	size_t named = 0;
	double best = 0, second = 0;
	*out = (struct step){ .how = STEP_LOST, .before = NO_LINE, .after = NO_LINE };
	for (uint32_t i = a; i < b && named < BLOCK_LINES; i++)
		named += !text_trivial(o, i);
	if (named < BLOCK_LINES)
		return;
	const struct away *w = away_get(p, all, o, old_id, a, b, e, path);
	struct hit *hits = xcalloc(r->len, sizeof(*hits)), *won = xcalloc(r->len, sizeof(*won));
	const struct lineage_change *where = NULL;
	for (size_t k = 0; k < w->files.len; k++) {
		memset(hits, 0, r->len * sizeof(*hits));
		double score = hits_elsewhere(r, &w->files.items[k].blocks, w->files.items[k].own, hits);
		score = rope_share(r, hits) >= 0.4 ? score : 0;
		second = score > best ? best : score > second ? score : second;
		if (score <= best)
			continue;
		best = score;
		where = w->files.items[k].change;
		memcpy(won, hits, r->len * sizeof(*won));
	}
	for (size_t k = 0; second >= 0.7 * best && k < r->len; k++)
		won[k].like *= 0.5f;
	if (where && rope_land(r, won, &out->rope, &out->moved)) {
		out->how = STEP_AWAY;
		out->moved = true;
		out->path = where->path;
		struct text *n = pairs_text(p, &where->new_id, NULL);
		if (n)
			range_close(o, r, n, &out->rope);
	}
	free(hits);
	free(won);
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
