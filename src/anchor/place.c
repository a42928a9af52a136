/* SPDX-License-Identifier: MIT */
/*
 * Where anchors are now. What was said is (commit, blob, path, lines) and never changes; the answer is a view.
 *
 * Queries are grouped by what they start from (blob, path, commit), and a group is answered in this order:
 *   the same blob at the path: exact;
 *   one diff of the two ends whose trusted runs hold the range: exact, or edited inside;
 *   the chain of versions between the two commits (follow.c);
 *   without common history one jump between the ends, or from the version on the other side that is most alike;
 *   the kept text where even the commit is gone.
 * Groups know nothing of each other: those of a big batch are shared out to threads, each with handles of its own.
 * The smallest confidence of a step gates: below the threshold an answer is gone with its place as the best guess.
 */
#include "config.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "killick/anchor/place.h"
#include "killick/anchor/section.h"
#include "killick/base/clock.h"
#include "answers.h"
#include "follow.h"
#include "selection.h"

struct placer {
	struct repo *repo;
	const struct map_cache *cache;
	double threshold;
	bool fetch, quick;
	unsigned workers;
	struct lineage *lineage;  /* on first need */
	struct chains *chains;
	struct pairs *pairs;
	struct answers *answers;  /* about the last target */
};

struct placer *placer_new(struct repo *r, const struct map_cache *cache)
{
	struct placer *p = xcalloc(1, sizeof(*p));
	p->repo = r;
	p->cache = cache;
	p->threshold = 0.5;
	return p;
}

static void placer_close(struct placer *p)
{
	answers_close(p->answers);
	p->answers = NULL;
	pairs_free(p->pairs);
	chains_free(p->chains);
	lineage_close(p->lineage);
	p->pairs = NULL;
	p->chains = NULL;
	p->lineage = NULL;
}

void placer_free(struct placer *p)
{
	if (!p)
		return;
	placer_close(p);
	free(p);
}

void placer_threshold(struct placer *p, double t) { p->threshold = t < 0 ? 0 : t > 1 ? 1 : t; }

void placer_allow_fetch(struct placer *p, bool yes)
{
	p->fetch = yes;
	if (p->lineage)
		lineage_allow_fetch(p->lineage, yes);
}

void placer_quick(struct placer *p, bool yes) { p->quick = yes; }

void placer_workers(struct placer *p, unsigned n) { p->workers = n; }

static int placer_open(struct placer *p, struct err *e)
{
	if (p->lineage)
		return 0;
	if (lineage_open(p->repo, &p->lineage, e) < 0)
		return -1;
	lineage_allow_fetch(p->lineage, p->fetch);
	p->chains = chains_new(p->lineage, p->cache);
	p->pairs = pairs_new(p->lineage, p->cache);
	return 0;
}

/* A batch: the target, and who answers. */
struct batch {
	struct placer *p;
	struct follow *follow;
	struct answers *answers;     /* NULL: none are kept */
	const struct lineage_commit *to;
	bool worktree;
	const char *commit;      /* the target's id, NULL for the work tree */
	struct arena *arena;
};

/* What a group of queries starts from. */
struct start {
	const struct lineage_commit *commit;   /* NULL: not here */
	const struct oid *parent_tree;
	struct oid blob;
	unsigned mode;
	uint32_t lines;
	const char *why;         /* cannot be looked up, in words */
	bool kept;               /* blob is made of the kept text: its first line is line - before */
	uint32_t kept_before, kept_lines;
};

static const char *fault_words(enum text_fault f)
{
	return why_words(f == TEXT_BINARY ? WHY_BINARY : f == TEXT_HUGE ? WHY_HUGE : f == TEXT_DAMAGED ? WHY_DAMAGED : WHY_MISSING);
}

/* What was in the way: of damage, of a shallow and of a partial clone the one that is there. */
static const char *trouble_words(const struct batch *b)
{
	enum lineage_fault f = lineage_fault(b->p->lineage);
	return why_words(f == LINEAGE_DAMAGED ? WHY_DAMAGED : repo_is_shallow(b->p->repo) ? WHY_SHALLOW :
	    f == LINEAGE_ABSENT || pairs_missed(b->p->pairs) ? WHY_MISSING : WHY_STUCK);
}

static bool is_type(unsigned mode, unsigned type) { return (mode & 0170000) == type; }

static uint32_t newlines(const struct buf *b)
{
	uint32_t n = 0;
	for (size_t i = 0; i < b->len; i++)
		n += b->ptr[i] == '\n';
	return n;
}

/* The text that was kept, as content under its own id. */
static bool start_from_kept(struct batch *b, const struct anchor *an, struct start *s)
{
	struct buf t = BUF_INIT;
	char hex[GIT_OID_HEX];
	if (!an->quote || !*an->quote)
		return false;
	if (an->before)
		buf_addstr(&t, an->before);
	s->kept_before = newlines(&t);
	buf_addstr(&t, an->quote);
	if (t.ptr[t.len - 1] != '\n')
		buf_addch(&t, '\n');
	s->kept_lines = newlines(&t) - s->kept_before;
	if (an->after)
		buf_addstr(&t, an->after);
	hash_git_blob(hex, t.ptr, t.len);
	oid_parse(hex, &s->blob);
	struct text *text = pairs_put(b->p->pairs, &s->blob, &t);
	s->kept = text != NULL;
	s->lines = text ? text->n : 0;
	s->mode = 0100644;
	buf_release(&t);
	return s->kept;
}

static const struct lineage_commit *start_commit(struct batch *b, const struct anchor *an)
{
	struct oid id;
	if (!an->commit || !oid_parse(an->commit, &id))
		return NULL;
	const struct lineage_commit *c = lineage_commit(b->p->lineage, &id);
	return c && an->side == SIDE_OLD ? lineage_parent(b->p->lineage, c) : c;
}

/* What the anchor's lines count in, by id. false with s->why when it can be nothing that has lines. */
static bool start_locate(struct batch *b, const struct anchor *an, struct start *s)
{
	struct oid there = OID_ZERO;
	*s = (struct start){ .commit = start_commit(b, an), .mode = 0100644 };
	unsigned mode = 0;
	bool have = s->commit && an->path && lineage_entry(b->p->lineage, &s->commit->tree, an->path, &there, &mode);
	if (have && is_type(mode, 0160000))
		return s->why = why_words(WHY_SUBMODULE), false;
	if (have && is_type(mode, 0040000))
		return s->why = why_words(WHY_FOLDER), false;
	if (have)
		s->mode = mode;
	if (!an->blob || !oid_parse(an->blob, &s->blob))
		s->blob = there;
	return true;
}

/* Reads it, or what was kept of it. */
static bool start_read(struct batch *b, const struct anchor *an, struct start *s)
{
	enum text_fault fault = TEXT_FINE;
	struct text *text = oid_is_zero(&s->blob) ? NULL : pairs_text(b->p->pairs, &s->blob, &fault);
	if (text) {
		s->lines = text->n;
		return true;
	}
	if (fault == TEXT_BINARY || fault == TEXT_HUGE)
		return s->why = fault_words(fault), false;
	if (start_from_kept(b, an, s))
		return true;
	if (!s->commit)
		s->why = why_words(WHY_NO_COMMIT);
	else if (fault != TEXT_FINE)
		s->why = fault_words(fault);
	else
		s->why = pairs_missed(b->p->pairs) ? trouble_words(b) : why_words(WHY_NO_PATH);
	return false;
}

static bool start_find(struct batch *b, const struct anchor *an, struct start *s)
{
	return start_locate(b, an, s) && start_read(b, an, s);
}

/* Answers */

static void answer_unknown(struct batch *b, const struct anchor *an, struct place *out, const char *why)
{
	*out = (struct place){ .state = PLACE_UNKNOWN, .path = an->path, .line = an->line, .end = an->end,
		.commit = b->commit, .why = why };
}

static bool same_lines(struct text *a, uint32_t i, uint32_t n, struct text *b, uint32_t j)
{
	if (i + n > a->n || j + n > b->n)
		return false;
	for (uint32_t k = 0; k < n; k++)
		if (a->lines[i + k].raw != b->lines[j + k].raw)
			return false;
	return true;
}

struct group {
	const struct anchor *an;  /* of the first query */
	struct start start;
	struct place_query **q;
	size_t n;
	struct spot *spots;
	bool jumped;              /* there is no way of commits from the start to the target */
	struct oid target;        /* what stands at the path in the target; zero: nothing */
	unsigned target_mode;
};

static void query_range(const struct group *g, const struct anchor *an, uint32_t *lo, uint32_t *hi)
{
	uint32_t end = an->end ? an->end : an->line;
	*lo = g->start.kept ? g->start.kept_before : an->line - 1;
	*hi = *lo + (end - an->line);
	/* A long quotation is kept in part. */
	if (g->start.kept && *hi - *lo >= g->start.kept_lines)
		*hi = *lo + g->start.kept_lines - 1;
}

/* The state follows from the texts: what was asked for and what stands there now. */
static enum place_state state_of(struct batch *b, const struct group *g, const struct spot *s, const struct anchor *an,
    const struct oid *now)
{
	uint32_t lo, hi;
	struct text *t = pairs_text(b->p->pairs, now, NULL), *was = pairs_text(b->p->pairs, &g->start.blob, NULL);
	query_range(g, an, &lo, &hi);
	uint32_t at = rope_lo(&s->rope);
	if (!t || !was || hi - lo != rope_hi(&s->rope) - at || !same_lines(was, lo, hi - lo + 1, t, at))
		return PLACE_EDITED;
	return (s->flags & SPOT_MOVED) || strcmp(s->path, an->path) ? PLACE_MOVED : PLACE_EXACT;
}

/*
 * From how alike the steps were to how often such answers are right, measured by run and gold.py of tests/bench/anchors
 * on lines and ranges of real history and on labels by people. Below 0.5 more are right than it says: the doubt is kept.
 */
static double calibrated(double raw)
{
	static const struct { double raw, right; } t[] = {
		{ 0, 0 }, { 0.3, 0.12 }, { 0.4, 0.27 }, { 0.5, 0.5 }, { 0.54, 0.66 }, { 0.62, 0.75 }, { 0.66, 0.83 }, { 0.7, 0.93 },
		{ 0.8, 0.96 }, { 0.87, 0.98 }, { 0.95, 0.988 }, { 1, 1 },
	};
	size_t k = 1;
	while (k + 1 < ARRAY_SIZE(t) && raw > t[k].raw)
		k++;
	double at = (raw - t[k - 1].raw) / (t[k].raw - t[k - 1].raw);
	return t[k - 1].right + at * (t[k].right - t[k - 1].right);
}

/* Many small edits, each sure, are surer than their product says, and less than the least of them. */
static double spot_conf(const struct spot *s)
{
	return calibrated((rope_conf(&s->rope) + s->least) / 2);
}

/* The place is only a guess that is offered. */
static void answer_weak(struct batch *b, const struct anchor *an, enum why why, struct place *out)
{
	if (out->confidence >= b->p->threshold)
		return;
	out->state = PLACE_GONE;
	out->confidence = 1 - out->confidence;
	out->commit = NULL;
	out->last_commit = an->commit;
	out->last_path = an->path;
	out->last_line = an->line;
	out->last_end = an->end ? an->end : an->line;
	out->why = why_words(why);
}

/*
 * A selection inside one line: what became of it in the lines the line became. Taken out, it is gone, though its line is
 * here; where something else stands in its place, the line is what was meant as often as not: it is offered.
 */
static enum why answer_columns(struct batch *b, const struct group *g, const struct anchor *an, const struct oid *now,
    struct place *out)
{
	struct text *t = pairs_text(b->p->pairs, now, NULL), *was = pairs_text(b->p->pairs, &g->start.blob, NULL);
	uint32_t lo, hi;
	struct selection at;
	query_range(g, an, &lo, &hi);
	if (!an->col || an->col_end < an->col || lo != hi || !t || !was || an->col_end > was->lines[lo].len)
		return WHY_WEAK;
	switch (selection_find(was, lo, an->col, an->col_end, t, out->line - 1, out->end - 1, &at)) {
	case SELECTION_RENAMED:
	case SELECTION_THERE:
		out->line = out->end = at.line + 1;
		out->col = at.col;
		out->col_end = at.col_end;
		return WHY_WEAK;
	case SELECTION_DELETED:
		out->confidence *= 0.1;
		break;
	case SELECTION_UNSURE:
		out->confidence *= 0.5;
		break;
	}
	out->why = why_words(WHY_SELECTION);
	return WHY_SELECTION;
}

static void answer_spot(struct batch *b, const struct group *g, const struct spot *s, const struct anchor *an,
    const struct oid *now, struct place *out)
{
	*out = (struct place){ .state = state_of(b, g, s, an, now), .path = arena_strdup(b->arena, s->path),
		.line = rope_lo(&s->rope) + 1, .end = rope_hi(&s->rope) + 1, .confidence = spot_conf(s),
		.commit = b->commit };
	answer_weak(b, an, answer_columns(b, g, an, now, out), out);
}

static const char *commit_hex(struct batch *b, const struct lineage_commit *c)
{
	char hex[GIT_OID_HEX];
	return c ? arena_strdup(b->arena, oid_hex(hex, &c->id)) : NULL;
}

static bool target_entry(struct batch *b, const char *path, struct oid *id, unsigned *mode)
{
	struct route r = { .len = 1, .worktree = b->worktree ? "" : NULL };
	if (b->worktree)
		return follow_entry(b->follow, &r, 0, path, id, mode);
	return b->to && lineage_entry(b->p->lineage, &b->to->tree, path, id, mode);
}

enum { NEAR_MOST = 2000 };

/* The nearest line with a name in it, from line i on upwards or downwards, that one diff shows to be still there: from 1. */
static uint32_t survivor(struct batch *b, struct pair *x, uint32_t i, bool up)
{
	uint32_t now;
	if (!x || !pair_texts(b->p->pairs, x))
		return 0;
	for (uint32_t k = 0; k < NEAR_MOST && i < x->old_n; k++, i = up ? i - 1 : i + 1)
		if (pair_trusted(x, i) && !text_trivial(x->o, i) && gaps_map(&x->gaps, i, &now, NULL))
			return now + 1;
	return 0;
}

/*
 * The lines around what is gone, as they are numbered now: those around the anchor itself where its file is still there,
 * else those around the gap that it left. One diff for all anchors of a file; to follow each neighbour costs more than
 * to follow the anchors.
 */
static void answer_near(struct batch *b, const struct group *g, const struct route *r, const struct spot *s,
    const struct anchor *an, struct place *out)
{
	struct oid was, now;
	unsigned mode;
	uint32_t lo, hi;
	if (!strcmp(s->last_path, an->path) && !oid_is_zero(&g->target) && is_type(g->target_mode, 0100000)) {
		struct pair *x = pairs_get(b->p->pairs, &g->start.blob, &g->target, NULL);
		query_range(g, an, &lo, &hi);
		out->near_before = survivor(b, x, lo - 1, true);
		out->near_after = survivor(b, x, hi + 1, false);
		return;
	}
	if (s->guess || !target_entry(b, s->last_path, &now, &mode) || !is_type(mode, 0100000) ||
	    !follow_entry(b->follow, r, s->lost_pos, s->last_path, &was, &mode))
		return;
	struct pair *x = pairs_get(b->p->pairs, &was, &now, NULL);
	out->near_before = s->before == NO_LINE ? 0 : survivor(b, x, s->before, true);
	out->near_after = s->after == NO_LINE ? 0 : survivor(b, x, s->after, false);
}

static void answer_lost(struct batch *b, const struct group *g, const struct route *r, const struct spot *s,
    const struct anchor *an, struct place *out)
{
	/* Lost by the jump onto the route: then the anchor itself is the last that is known. */
	bool back = r && !r->forward, stepped = r && s->lost_pos > s->entered && s->last_path;
	const struct lineage_commit *had = stepped ? route_at(r, s->lost_pos - 1) : NULL;
	const struct lineage_commit *took = stepped ? route_at(r, s->lost_pos) : NULL;
	*out = (struct place){ .state = PLACE_GONE, .confidence = 0.9, .last_commit = an->commit, .last_path = an->path,
		.last_line = an->line, .last_end = an->end ? an->end : an->line };
	if (stepped) {
		out->commit = commit_hex(b, back ? had : took);
		out->last_commit = commit_hex(b, had);
		out->last_path = arena_strdup(b->arena, s->last_path);
		out->last_line = s->last_lo + 1;
		out->last_end = s->last_hi + 1;
	}
	if (s->guess) {
		out->path = arena_strdup(b->arena, s->path);
		out->line = rope_lo(&s->rope) + 1;
		out->end = rope_hi(&s->rope) + 1;
		out->confidence = 1 - spot_conf(s);
		out->why = why_words(WHY_WEAK);
	}
	if (stepped)
		answer_near(b, g, r, s, an, out);
}

/* Groups */

static struct pair *ends_pair(struct batch *b, const struct group *g)
{
	if (oid_is_zero(&g->target) || !is_type(g->target_mode, 0100000))
		return NULL;
	return pairs_get(b->p->pairs, &g->start.blob, &g->target, NULL);
}

/* What one diff of the two ends shows, this sure. false: it shows nothing. */
static bool answer_by_ends(struct batch *b, struct group *g, struct pair *x, const struct place_query *q, double sure)
{
	struct spot s;
	struct step st = { 0 };
	uint32_t lo, hi;
	query_range(g, q->anchor, &lo, &hi);
	spot_begin(&s, q->anchor->path, 0, pairs_text(b->p->pairs, &g->start.blob, NULL), lo, hi);
	bool pass = x && step_pass(x, &s.rope, &st);
	if (pass) {
		spot_release(&s);
		s.rope = st.rope;
		answer_spot(b, g, &s, q->anchor, &g->target, q->out);
		q->out->confidence *= sure;
	}
	spot_release(&s);
	return pass;
}

/* Answers what the two ends show beyond doubt; the rest is moved to the front. Returns how many are left. */
static size_t group_by_ends(struct batch *b, struct group *g)
{
	size_t left = 0;
	struct pair *x = ends_pair(b, g);
	for (size_t k = 0; k < g->n; k++) {
		struct place_query *q = g->q[k];
		uint32_t lo, hi;
		query_range(g, q->anchor, &lo, &hi);
		if (x && !pair_island(x, lo) && answer_by_ends(b, g, x, q, 0.99))
			continue;
		g->q[k] = g->q[left];
		g->q[left++] = q;
	}
	return left;
}

/* The file is as it was: nothing to read but how many lines it has. */
static void group_same(struct batch *b, struct group *g)
{
	uint32_t n = 0;
	enum text_fault fault;
	bool known = pairs_lines(b->p->pairs, &g->target, &n, &fault);
	for (size_t k = 0; k < g->n; k++) {
		const struct anchor *an = g->q[k]->anchor;
		uint32_t end = an->end ? an->end : an->line;
		if (fault == TEXT_BINARY || !an->line || end < an->line || (known && end > n))
			answer_unknown(b, an, g->q[k]->out, fault == TEXT_BINARY ? why_words(WHY_BINARY) : why_words(WHY_LINE));
		else
			*g->q[k]->out = (struct place){ .state = PLACE_EXACT, .path = an->path, .line = an->line, .end = end,
				.col = an->col, .col_end = an->col_end, .confidence = 1, .commit = b->commit };
	}
}

/* The file may be one without lines now. */
static const char *stuck_words(struct batch *b, const struct spot *s)
{
	struct oid now;
	unsigned mode;
	enum text_fault fault = TEXT_FINE;
	if (target_entry(b, s->path, &now, &mode) && is_type(mode, 0100000))
		pairs_text(b->p->pairs, &now, &fault);
	return fault == TEXT_BINARY || fault == TEXT_HUGE ? fault_words(fault) : trouble_words(b);
}

/* What is not in sight is not gone where a part of the history, or of the files it may be in, is not here. */
static void group_lost(struct batch *b, const struct group *g, const struct route *r, const struct spot *s,
    const struct anchor *an, struct place *out)
{
	if (pairs_missed(b->p->pairs) || (g->jumped && repo_is_shallow(b->p->repo)))
		answer_unknown(b, an, out, trouble_words(b));
	else
		answer_lost(b, g, r, s, an, out);
}

static void group_answers(struct batch *b, struct group *g, const struct route *r)
{
	for (size_t k = 0; k < g->n; k++) {
		struct spot *s = &g->spots[k];
		const struct anchor *an = g->q[k]->anchor;
		struct place *out = g->q[k]->out;
		struct oid now;
		unsigned mode;
		if (s->flags & SPOT_STUCK)
			answer_unknown(b, an, out, stuck_words(b, s));
		else if ((s->flags & SPOT_LOST) && !s->guess && answer_by_ends(b, g, ends_pair(b, g), g->q[k], 0.9))
			continue;  /* it went, and came back */
		else if ((s->flags & SPOT_LOST) && !(r && follow_reland(b->follow, r, s)))
			group_lost(b, g, r, s, an, out);
		else if (target_entry(b, s->path, &now, &mode))
			answer_spot(b, g, s, an, &now, out);
		else
			answer_unknown(b, an, out, trouble_words(b));
	}
}

static void route_worktree(struct batch *b, struct route *r)
{
	if (!b->worktree)
		return;
	r->worktree = "";
	r->len++;
}

/* The way from an anchor's commit to the target, with the work tree behind it where that is the target. */
static bool route_to(struct batch *b, const struct lineage_commit *from, struct route *r)
{
	if (!from || !b->to || !route_find(b->p->chains, &from->id, &b->to->id, r))
		return false;
	route_worktree(b, r);
	return true;
}

static void spots_begin(struct batch *b, struct group *g)
{
	for (size_t k = 0; k < g->n; k++) {
		uint32_t lo, hi;
		query_range(g, g->q[k]->anchor, &lo, &hi);
		spot_begin(&g->spots[k], g->q[k]->anchor->path, 0, pairs_text(b->p->pairs, &g->start.blob, NULL), lo, hi);
	}
}

/* No common line of commits: one step to the version on the target's side that is most alike, and on from there. */
static bool group_aside(struct batch *b, struct group *g, struct route *r)
{
	size_t pos;
	if (!g->start.commit || !route_from_base(b->p->chains, &g->start.commit->id, &b->to->id, r) ||
	    !follow_alike(b->follow, r, g->an->path, &g->start.blob, &pos))
		return false;
	route_worktree(b, r);
	for (size_t k = 0; k < g->n; k++) {
		g->spots[k].pos = g->spots[k].entered = pos;
		follow_jump(b->follow, r, &g->start.blob, &g->start.commit->tree, &g->spots[k]);
	}
	follow_spots(b->follow, r, g->spots, g->n);
	return true;
}

enum { BACK_MOST = 5000 };

/* Only the kept text: the newest version that has it, or a jump into the target. */
static void group_kept(struct batch *b, struct group *g, struct route *r)
{
	struct spot *s = g->spots;
	bool exact = route_back(b->p->chains, &b->to->id, BACK_MOST, r) && follow_exact(b->follow, r, &g->start.blob, s);
	if (!exact)
		route_back(b->p->chains, &b->to->id, 1, r);
	route_worktree(b, r);
	if (!exact)
		follow_jump(b->follow, r, &g->start.blob, NULL, s);
	s->entered = s->pos;
	follow_spots(b->follow, r, s, 1);
}

/* Nothing between the two ends: one jump into the target. */
static void group_jump(struct batch *b, struct group *g, struct route *r)
{
	g->jumped = true;
	if (b->to)
		route_back(b->p->chains, &b->to->id, 1, r);
	else
		*r = (struct route){ .len = 0 };
	route_worktree(b, r);
	for (size_t k = 0; k < g->n; k++) {
		g->spots[k].pos = g->spots[k].entered = r->len - 1;
		follow_jump(b->follow, r, &g->start.blob, g->start.commit ? &g->start.commit->tree : NULL, &g->spots[k]);
		if (!(g->spots[k].flags & SPOT_LOST))
			g->spots[k].flags |= SPOT_DONE;
	}
}

static void group_follow(struct batch *b, struct group *g)
{
	struct route r = { 0 };
	g->spots = xcalloc(g->n + 1, sizeof(*g->spots));
	spots_begin(b, g);
	if (!g->start.kept && route_to(b, g->start.commit, &r))
		follow_spots(b->follow, &r, g->spots, g->n);
	else if (b->to && g->start.kept)
		group_kept(b, g, &r);
	else if (!b->to || !group_aside(b, g, &r))
		group_jump(b, g, &r);
	group_answers(b, g, &r);
	for (size_t k = 0; k < g->n; k++)
		spot_release(&g->spots[k]);
	free(g->spots);
}

/* Takes out what cannot be right whatever the target is. */
static size_t group_check(struct batch *b, struct group *g)
{
	size_t left = 0;
	for (size_t k = 0; k < g->n; k++) {
		const struct anchor *an = g->q[k]->anchor;
		uint32_t lo, hi, end = an->end ? an->end : an->line;
		bool good = an->line && end >= an->line;
		if (good)
			query_range(g, an, &lo, &hi);
		if (good && hi < g->start.lines) {
			struct place_query *q = g->q[k];
			g->q[k] = g->q[left];
			g->q[left++] = q;
		} else {
			answer_unknown(b, an, g->q[k]->out, why_words(WHY_LINE));
		}
	}
	return left;
}

static void group_leave(struct batch *b, struct group *g)
{
	for (size_t k = 0; k < g->n; k++)
		*g->q[k]->out = (struct place){ .state = PLACE_UNKNOWN, .pending = true, .commit = b->commit };
}

static void group_lines(struct batch *b, struct group *g)
{
	if (!b->to && !b->worktree) {
		for (size_t k = 0; k < g->n; k++)
			answer_unknown(b, g->q[k]->anchor, g->q[k]->out, why_words(WHY_NO_TARGET));
		return;
	}
	bool good = start_locate(b, g->an, &g->start);
	if (!target_entry(b, g->an->path, &g->target, &g->target_mode))
		g->target = OID_ZERO;
	if (good && !oid_is_zero(&g->target) && oid_equal(&g->start.blob, &g->target)) {
		group_same(b, g);
		return;
	}
	if (!good || !start_read(b, g->an, &g->start)) {
		for (size_t k = 0; k < g->n; k++)
			answer_unknown(b, g->q[k]->anchor, g->q[k]->out, g->start.why);
		return;
	}
	/* Anchors that start from their kept text each have their own. */
	if (g->start.kept && g->n > 1) {
		for (size_t k = 0; k < g->n; k++) {
			struct group one = { .an = g->q[k]->anchor, .q = &g->q[k], .n = 1 };
			group_lines(b, &one);
		}
		return;
	}
	pairs_begin(b->p->pairs);  /* what the anchor's own blob lacks, its kept text has */
	g->n = group_check(b, g);
	g->n = group_by_ends(b, g);
	if (b->p->quick)
		group_leave(b, g);
	else if (g->n)
		group_follow(b, g);
}

/* A folder, or a submodule's, is no file of the work tree, but it is there. */
static bool worktree_folder(const struct batch *b, const char *path)
{
	struct buf full = BUF_INIT;
	struct stat st;
	bool yes;

	buf_addf(&full, "%s/%s", b->worktree ? repo_top(b->p->repo) : "", path);
	yes = b->worktree && !lstat(full.ptr, &st) && S_ISDIR(st.st_mode);
	buf_release(&full);
	return yes;
}

/* Files and folders: the path itself, or what it was renamed to. */
static void place_file(struct batch *b, const struct anchor *an, struct place *out)
{
	struct oid id;
	unsigned mode;
	struct route r;
	size_t pos = 0;
	const char *path = an->path;
	const struct lineage_commit *from = start_commit(b, an);
	*out = (struct place){ .state = PLACE_EXACT, .path = an->path, .confidence = 1, .commit = b->commit };
	if (target_entry(b, an->path, &id, &mode) || worktree_folder(b, an->path))
		return;
	if (b->p->quick) {
		*out = (struct place){ .state = PLACE_UNKNOWN, .pending = true, .commit = b->commit };
		return;
	}
	if (an->commit && !from) {
		answer_unknown(b, an, out, why_words(WHY_NO_COMMIT));
		return;
	}
	if (from && !lineage_entry(b->p->lineage, &from->tree, an->path, &id, &mode)) {
		answer_unknown(b, an, out, why_words(WHY_NO_PATH));
		return;
	}
	bool way = route_to(b, from, &r);
	if (way && is_type(mode, 0100000) && follow_file(b->follow, &r, &path, &pos)) {
		*out = (struct place){ .state = PLACE_MOVED, .path = arena_strdup(b->arena, path), .confidence = 0.95,
			.commit = b->commit };
		return;
	}
	*out = (struct place){ .state = PLACE_GONE, .confidence = 0.9, .commit = way && pos ? commit_hex(b, route_at(&r, pos)) : NULL,
		.last_commit = way && pos ? commit_hex(b, route_at(&r, pos - 1)) : an->commit,
		.last_path = arena_strdup(b->arena, path) };
}

/* Sections: their heading is followed as a line; the name decides where the line cannot. */
static struct section *sections_of(struct batch *b, const char *path, const struct oid *blob, size_t *n)
{
	struct section *all = NULL;
	struct text *t = pairs_text(b->p->pairs, blob, NULL);
	*n = t ? sections_parse(b->arena, path, t->ptr, t->size, &all) : 0;
	return all;
}

static const struct section *section_at(const struct section *s, size_t n, uint32_t line)
{
	for (size_t i = 0; i < n; i++)
		if (s[i].line == line)
			return &s[i];
	return NULL;
}

static void answer_section(struct place *out, const struct section *was, const struct section *now, enum place_state st)
{
	out->state = st == PLACE_MOVED ? PLACE_MOVED : strcmp(was->title, now->title) ? PLACE_EDITED : PLACE_EXACT;
	out->line = now->line;
	out->end = now->end;
}

static void place_section(struct batch *b, const struct anchor *an, struct place *out)
{
	struct start s;
	size_t n_old, n_new;
	struct oid now;
	unsigned mode;
	if (!start_find(b, an, &s)) {
		answer_unknown(b, an, out, s.why);
		return;
	}
	struct section *old = sections_of(b, an->path, &s.blob, &n_old);
	const struct section *was = section_find(old, n_old, an->section ? an->section : "");
	if (!was) {
		answer_unknown(b, an, out, why_words(WHY_SECTION));
		return;
	}
	struct anchor head = *an;
	head.type = ANCHOR_LINES;
	head.line = head.end = was->line;
	struct place_query q = { &head, out }, *qp = &q;
	struct group g = { .an = &head, .q = &qp, .n = 1 };
	group_lines(b, &g);
	if (out->pending)
		return;
	bool found = out->state == PLACE_EXACT || out->state == PLACE_MOVED || out->state == PLACE_EDITED;
	if (found && target_entry(b, out->path, &now, &mode)) {
		struct section *new_ = sections_of(b, out->path, &now, &n_new);
		const struct section *at = section_at(new_, n_new, out->line);
		if (at) {
			answer_section(out, was, at, out->state);
			return;
		}
	}
	if (!target_entry(b, an->path, &now, &mode))
		return;
	struct section *new_ = sections_of(b, an->path, &now, &n_new);
	const struct section *named = section_find(new_, n_new, was->path);
	if (named) {
		*out = (struct place){ .path = an->path, .confidence = 0.9, .commit = b->commit };
		answer_section(out, was, named, PLACE_EXACT);
	}
}

static void place_other(struct batch *b, const struct anchor *an, struct place *out)
{
	struct oid id;
	*out = (struct place){ .state = PLACE_UNKNOWN, .commit = b->commit };
	if (an->type != ANCHOR_COMMIT || !an->commit)
		return;
	if (oid_parse(an->commit, &id) && lineage_commit(b->p->lineage, &id))
		*out = (struct place){ .state = PLACE_EXACT, .confidence = 1, .commit = an->commit };
	else
		out->why = "the commit is not here";
}

static int cmp_str(const char *a, const char *b) { return strcmp(a ? a : "", b ? b : ""); }

static int cmp_query(const void *a, const void *b)
{
	const struct place_query *p = *(struct place_query *const *)a, *q = *(struct place_query *const *)b;
	const struct anchor *x = p->anchor, *y = q->anchor;
	int c = cmp_str(x->path, y->path);
	c = c ? c : cmp_str(x->commit, y->commit);
	c = c ? c : cmp_str(x->blob, y->blob);
	c = c ? c : (int)x->side - (int)y->side;
	return c ? c : p < q ? -1 : p > q;
}

static bool same_start(const struct anchor *x, const struct anchor *y)
{
	return !cmp_str(x->path, y->path) && !cmp_str(x->commit, y->commit) && !cmp_str(x->blob, y->blob) &&
	    x->side == y->side;
}

/* Does the work tree have the file as HEAD does? */
static bool as_in_head(struct batch *b, const char *path)
{
	struct oid now, head;
	unsigned mode = 0;
	bool have = target_entry(b, path, &now, &mode), had = lineage_entry(b->p->lineage, &b->to->tree, path, &head, &mode);
	return have == had && (!have || oid_equal(&now, &head));
}

static bool answer_holds(struct batch *b, const struct anchor *an, const struct place *p)
{
	return !b->worktree || ((!an->path || as_in_head(b, an->path)) && (!p->path || as_in_head(b, p->path)));
}

static bool recall(struct batch *b, const struct place_query *q)
{
	struct place kept;
	if (!b->answers || !answers_get(b->answers, q->anchor, b->arena, &kept) || !answer_holds(b, q->anchor, &kept))
		return false;
	*q->out = kept;
	if (kept.state != PLACE_GONE)
		q->out->commit = b->commit;
	return true;
}

static void remember(struct batch *b, const struct place_query *q)
{
	struct place p = *q->out;
	if (!b->answers || p.state == PLACE_UNKNOWN || !answer_holds(b, q->anchor, &p))
		return;
	if (p.state != PLACE_GONE)
		p.commit = NULL;
	answers_put(b->answers, q->anchor, &p);
}

/* Answers that rest on something not being here may change when it comes. */
static void remember_all(struct batch *b, struct place_query **q, size_t n, bool missed)
{
	for (size_t i = 0; i < n && !missed; i++)
		remember(b, q[i]);
}

/* The queries with the same start: a part of them all. */
struct part { struct place_query **q; size_t n; bool missed; };

static void part_run(struct batch *b, struct part *x)
{
	struct group g = { .an = x->q[0]->anchor, .q = x->q, .n = x->n };
	pairs_trim(b->p->pairs);
	pairs_begin(b->p->pairs);
	group_lines(b, &g);
	x->missed = pairs_missed(b->p->pairs);
}

/*
 * Threads. Each has a placer and a batch of its own and takes the next few parts (neighbours, which share folders) until
 * there are none. What they share: the repository, under the lineage's lock; the cache, under the crew's; the texts of
 * the work tree's scan, which nobody changes. The answers are theirs until all have ended.
 */
enum { PARTS_LEAST = 64, PARTS_TAKEN = 8, WORKERS_MOST = 8 };

struct crew {
	struct batch *lead;
	struct part *parts;
	size_t n, next;
	pthread_mutex_t lock, cache_lock;
	struct map_cache cache;   /* the placer's, one at a time */
};

struct worker {
	struct crew *crew;
	struct placer placer;
	struct batch batch;
	struct arena arena;
	pthread_t thread;
	bool runs;
};

static bool crew_get(void *ctx, const char *space, const void *key, size_t key_len, struct buf *out)
{
	struct crew *c = ctx;
	const struct map_cache *real = c->lead->p->cache;
	pthread_mutex_lock(&c->cache_lock);
	bool found = real->get(real->ctx, space, key, key_len, out);
	pthread_mutex_unlock(&c->cache_lock);
	return found;
}

static void crew_put(void *ctx, const char *space, const void *key, size_t key_len, const void *p, size_t n)
{
	struct crew *c = ctx;
	const struct map_cache *real = c->lead->p->cache;
	pthread_mutex_lock(&c->cache_lock);
	real->put(real->ctx, space, key, key_len, p, n);
	pthread_mutex_unlock(&c->cache_lock);
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;
	for (;;) {
		pthread_mutex_lock(&c->lock);
		size_t i = c->next, end = c->n - i < PARTS_TAKEN ? c->n : i + PARTS_TAKEN;
		c->next = end;
		pthread_mutex_unlock(&c->lock);
		if (i == end)
			return NULL;
		for (; i < end; i++)
			part_run(&w->batch, &c->parts[i]);
	}
}

static void worker_start(struct crew *c, struct worker *w, unsigned n)
{
	const struct batch *b = c->lead;
	struct placer *p = &w->placer;
	*w = (struct worker){ .crew = c };
	arena_init(&w->arena);
	*p = (struct placer){ .repo = b->p->repo, .threshold = b->p->threshold, .quick = b->p->quick };
	p->cache = b->p->cache ? &c->cache : NULL;
	p->lineage = lineage_twin(b->p->lineage, n);
	p->chains = chains_new(p->lineage, p->cache);
	p->pairs = pairs_new(p->lineage, p->cache);
	pairs_share(p->pairs, n);
	w->batch = (struct batch){ .p = p, .worktree = b->worktree, .commit = b->commit, .arena = &w->arena };
	w->batch.to = b->to ? lineage_commit(p->lineage, &b->to->id) : NULL;
	w->batch.follow = follow_new(p->repo, p->lineage, p->chains, p->pairs);
	follow_scan_of(w->batch.follow, b->follow);
	w->runs = !pthread_create(&w->thread, NULL, worker_run, w);
}

static void worker_end(struct worker *w, struct arena *a)
{
	if (w->runs)
		pthread_join(w->thread, NULL);
	arena_take(a, &w->arena);
	follow_free(w->batch.follow);
	placer_close(&w->placer);
}

/* Signals are the main thread's. */
static void workers_start(struct crew *c, struct worker *w, unsigned n)
{
	sigset_t all, was;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	for (unsigned i = 0; i < n; i++)
		worker_start(c, &w[i], n);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
}

static void crew_run(struct batch *b, struct part *parts, size_t n_parts, unsigned workers)
{
	struct crew c = { .lead = b, .parts = parts, .n = n_parts };
	struct worker *w = xcalloc(workers, sizeof(*w));
	c.cache = (struct map_cache){ .ctx = &c, .get = crew_get, .put = crew_put };
	if (pthread_mutex_init(&c.lock, NULL) || pthread_mutex_init(&c.cache_lock, NULL))
		BUG("no mutex");
	workers_start(&c, w, workers);
	if (!w[0].runs)
		worker_run(&w[0]);
	for (unsigned i = 0; i < workers; i++)
		worker_end(&w[i], b->arena);
	pthread_mutex_destroy(&c.lock);
	pthread_mutex_destroy(&c.cache_lock);
	free(w);
}

/* Downloading runs programs: that is for one alone. */
static unsigned workers_for(const struct batch *b, size_t parts)
{
	long cpus = b->p->workers ? (long)b->p->workers : sysconf(_SC_NPROCESSORS_ONLN);
	if (b->p->fetch || parts < PARTS_LEAST || cpus < 2)
		return 1;
	return cpus < WORKERS_MOST ? (unsigned)cpus : WORKERS_MOST;
}

static void groups_run(struct batch *b, struct place_query **q, size_t n)
{
	struct part *parts = xcalloc(n + 1, sizeof(*parts));
	size_t n_parts = 0;
	for (size_t i = 0; i < n; i += parts[n_parts++].n) {
		struct part *x = &parts[n_parts];
		*x = (struct part){ .q = q + i, .n = 1 };
		while (i + x->n < n && same_start(q[i]->anchor, q[i + x->n]->anchor))
			x->n++;
	}
	unsigned workers = workers_for(b, n_parts);
	if (workers > 1)
		crew_run(b, parts, n_parts, workers);
	for (size_t i = 0; i < n_parts; i++) {
		if (workers == 1)
			part_run(b, &parts[i]);
		remember_all(b, parts[i].q, parts[i].n, parts[i].missed);
	}
	free(parts);
}

static int batch_target(struct batch *b, const struct oid *to, struct err *e)
{
	struct oid head = OID_ZERO;
	char hex[GIT_OID_HEX];
	b->worktree = !to && !repo_is_bare(b->p->repo);
	if (to)
		head = *to;
	else if (!repo_head(b->p->repo, &head, NULL))
		return 0;
	b->to = lineage_commit(b->p->lineage, &head);
	if (!b->to)
		return err_set(e, ERR_NOT_FOUND, "commit %s is not here", oid_hex(hex, &head));
	if (to)
		b->commit = arena_strdup(b->arena, oid_hex(hex, to));
	return 0;
}

static bool in_file(const struct anchor *an)
{
	return an->path && (an->type == ANCHOR_LINES || an->type == ANCHOR_SECTION || an->type == ANCHOR_FILE);
}

static void place_queries(struct batch *b, struct place_query **q, size_t n)
{
	struct place_query **lines = xcalloc(n + 1, sizeof(*lines));
	size_t n_lines = 0;
	for (size_t i = 0; i < n; i++) {
		if (q[i]->anchor->type == ANCHOR_LINES) {
			lines[n_lines++] = q[i];
			continue;
		}
		pairs_begin(b->p->pairs);
		if (q[i]->anchor->type == ANCHOR_SECTION)
			place_section(b, q[i]->anchor, q[i]->out);
		else
			place_file(b, q[i]->anchor, q[i]->out);
		remember_all(b, &q[i], 1, pairs_missed(b->p->pairs));
	}
	qsort(lines, n_lines, sizeof(*lines), cmp_query);
	groups_run(b, lines, n_lines);
	free(lines);
}

static struct answers *answers_for(struct batch *b)
{
	struct placer *p = b->p;
	if (!b->to || !p->cache)
		return NULL;
	if (p->answers && !answers_about(p->answers, &b->to->id, p->threshold)) {
		answers_close(p->answers);
		p->answers = NULL;
	}
	if (!p->answers)
		p->answers = answers_open(p->cache, &b->to->id, p->threshold);
	return p->answers;
}

static void cache_hold(const struct placer *p, bool on)
{
	if (p->cache && p->cache->hold)
		p->cache->hold(p->cache->ctx, on);
}

enum { SCAN_FROM = 24 };

int place_batch(struct placer *p, const struct oid *to, struct place_query *q, size_t n, struct arena *a, struct err *e)
{
	struct batch b = { .p = p, .arena = a };
	int64_t start = clock_mono();
	if (placer_open(p, e) < 0 || batch_target(&b, to, e) < 0)
		return -1;
	b.follow = follow_new(p->repo, p->lineage, p->chains, p->pairs);
	if (b.worktree && b.to && n >= SCAN_FROM)
		follow_scan(b.follow, b.to);
	b.answers = answers_for(&b);
	cache_hold(p, true);
	struct place_query **todo = xcalloc(n + 1, sizeof(*todo));
	size_t left = 0;
	for (size_t i = 0; i < n; i++) {
		if (!in_file(q[i].anchor))
			place_other(&b, q[i].anchor, q[i].out);
		else if (!recall(&b, &q[i]))
			todo[left++] = &q[i];
	}
	place_queries(&b, todo, left);
	free(todo);
	cache_hold(p, false);
	if (b.answers)
		answers_flush(b.answers);
	follow_free(b.follow);
	pairs_unpin(p->pairs);
	trace("place", "%zu anchors, %zu not in the cache: %lld ms", n, left, (long long)(clock_mono() - start));
	return 0;
}
