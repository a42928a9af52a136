/* SPDX-License-Identifier: MIT */
/*
 * The chain. Versions of a path along the route are compared pairwise, but not each with the next: two versions far
 * apart whose diff leaves a range in trusted runs need no look between them, so the stretch is parted only for the
 * ranges that the far diff touches. A line edited five times in 20,000 versions costs some hundred diffs, and the work
 * is shared by all ranges of the file. Only neighbouring versions are aligned line by line.
 * Where the path vanishes, the changes of that one step are searched for the file it became; a range that its file lost
 * is looked for among what the other files of the step gained. Then it goes on from there.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/git/history.h"
#include "follow.h"

enum { NEAR_VERSIONS = 32, CHANGES_MOST = 100000, CHANGES_KEPT = 64, WORKTREE_SLOTS = 1024 };
static const double conf_carry = 0.3;   /* below it a place is a guess and not followed */
static const double conf_detour = 0.55; /* below it the other sides of a merge are walked */
static const double conf_content = 0.8; /* below it other files are searched too */

struct kept_changes { struct oid old_tree, new_tree; struct lineage_changes c; struct arena arena; unsigned serial; };

struct follow {
	struct repo *repo;
	struct lineage *l;
	struct chains *chains;
	struct pairs *pairs;
	struct arena arena;
	struct kept_changes kept[CHANGES_KEPT];
	unsigned turn;
	struct aways *aways;
	unsigned depth;         /* of detours */
	struct worktree_file *worktree[WORKTREE_SLOTS];
	/* The work tree's differences from head, by path, where they were looked for. */
	const struct lineage_commit *scanned;
	struct change *changes;
	size_t n_changes;
};
struct worktree_file { const char *path; struct oid id; unsigned mode; bool found; struct worktree_file *next; };

struct follow *follow_new(struct repo *r, struct lineage *l, struct chains *c, struct pairs *p)
{
	struct follow *f = xcalloc(1, sizeof(*f));
	f->repo = r;
	f->l = l;
	f->chains = c;
	f->pairs = p;
	f->aways = aways_new();
	arena_init(&f->arena);
	for (size_t i = 0; i < CHANGES_KEPT; i++)
		arena_init(&f->kept[i].arena);
	return f;
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < CHANGES_KEPT; i++) {
		lineage_changes_release(&f->kept[i].c);
		arena_release(&f->kept[i].arena);
	}
	aways_free(f->aways);
	arena_release(&f->arena);
	free(f);
}

/* The newest commit of the route, below the work tree; NULL where there is none yet. */
static const struct lineage_commit *last_commit(const struct route *r)
{
	size_t commits = r->len - (r->worktree != NULL);
	return commits ? route_at(r, commits - 1) : NULL;
}

/* Entries and changes, of commits and of the work tree */

static const char *change_path(const struct change *c) { return c->new_path ? c->new_path : c->old_path; }

static int cmp_change(const void *a, const void *b) { return strcmp(change_path(a), change_path(b)); }

void follow_scan(struct follow *f, const struct lineage_commit *head)
{
	struct err e = ERR_INIT;
	if (f->scanned)
		return;
	lineage_lock(f->l);
	int rc = repo_changes(f->repo, &head->id, NULL, 0, &f->arena, &f->changes, &f->n_changes, &e);
	lineage_unlock(f->l);
	if (rc < 0)
		return;
	f->scanned = head;
	if (f->n_changes)
		qsort(f->changes, f->n_changes, sizeof(*f->changes), cmp_change);
}

void follow_scan_of(struct follow *f, const struct follow *other)
{
	f->scanned = other->scanned;
	f->changes = other->changes;
	f->n_changes = other->n_changes;
}

static bool scanned_clean(const struct follow *f, const char *path)
{
	size_t lo = 0, hi = f->n_changes;
	while (lo < hi) {
		size_t m = lo + (hi - lo) / 2;
		if (strcmp(change_path(&f->changes[m]), path) < 0)
			lo = m + 1;
		else
			hi = m;
	}
	return f->scanned && (lo == f->n_changes || strcmp(change_path(&f->changes[lo]), path));
}

static bool worktree_content(struct follow *f, struct worktree_file *w, struct buf *b)
{
	struct err e = ERR_INIT;
	lineage_lock(f->l);
	int rc = repo_worktree_file(f->repo, w->path, 0, b, &w->id, &e);
	lineage_unlock(f->l);
	return rc == 0;
}

static void worktree_read(struct follow *f, struct worktree_file *w)
{
	struct buf b = BUF_INIT;
	if (scanned_clean(f, w->path)) {
		w->found = lineage_entry(f->l, &f->scanned->tree, w->path, &w->id, &w->mode);
	} else if (worktree_content(f, w, &b)) {
		w->found = true;
		w->mode = 0100644;
		pairs_put(f->pairs, &w->id, &b);
	}
	buf_release(&b);
}

static struct worktree_file *worktree_file(struct follow *f, const char *path)
{
	struct worktree_file **slot = &f->worktree[hash64(path, strlen(path)) % WORKTREE_SLOTS];
	for (struct worktree_file *w = *slot; w; w = w->next)
		if (!strcmp(w->path, path))
			return w;
	struct worktree_file *w = ARENA_NEW(&f->arena, struct worktree_file);
	*w = (struct worktree_file){ .path = arena_strdup(&f->arena, path), .next = *slot };
	worktree_read(f, w);
	return *slot = w;
}

bool follow_entry(struct follow *f, const struct route *r, size_t pos, const char *path, struct oid *id, unsigned *mode)
{
	const struct lineage_commit *c = route_at(r, pos);
	if (c)
		return lineage_entry(f->l, &c->tree, path, id, mode);
	const struct worktree_file *w = worktree_file(f, path);
	*id = w->id;
	*mode = w->mode;
	return w->found;
}

static struct elsewhere worktree_changes(struct follow *f, struct kept_changes *k, const struct lineage_commit *head)
{
	if (head)
		follow_scan(f, head);
	for (size_t i = 0; i < f->n_changes; i++) {
		const struct change *c = &f->changes[i];
		const struct worktree_file *w = worktree_file(f, change_path(c));
		*array_add(&k->c) = (struct lineage_change){ .path = change_path(c), .old_id = c->old_id, .new_id = w->id,
			.old_mode = c->old_mode, .new_mode = w->found ? w->mode : 0 };
	}
	return (struct elsewhere){ k->c.items, k->c.len, k->serial };
}

/* All files that differ between two trees; to NULL: the work tree over head. */
static struct elsewhere changes_between(struct follow *f, const struct oid *old_tree, const struct lineage_commit *to,
    const struct lineage_commit *head)
{
	struct oid new_tree = to ? to->tree : OID_ZERO;
	for (size_t i = 0; i < CHANGES_KEPT; i++)
		if (f->kept[i].arena.total && oid_equal(&f->kept[i].old_tree, old_tree) &&
		    oid_equal(&f->kept[i].new_tree, &new_tree))
			return (struct elsewhere){ f->kept[i].c.items, f->kept[i].c.len, f->kept[i].serial };
	struct kept_changes *k = &f->kept[f->turn++ % CHANGES_KEPT];
	k->serial = f->turn;
	lineage_changes_release(&k->c);
	arena_release(&k->arena);
	arena_init(&k->arena);
	arena_alloc(&k->arena, 1);
	k->old_tree = *old_tree;
	k->new_tree = new_tree;
	if (!to)
		return worktree_changes(f, k, head);
	lineage_diff(f->l, oid_is_zero(old_tree) ? NULL : old_tree, &to->tree, NULL, 0, CHANGES_MOST, &k->arena, &k->c);
	return (struct elsewhere){ k->c.items, k->c.len, k->serial };
}

/* Steps */

void spot_begin(struct spot *s, const char *path, size_t pos, struct text *t, uint32_t lo, uint32_t hi)
{
	*s = (struct spot){ .path = path, .pos = pos, .least = 1 };
	rope_init(&s->rope, t, lo, hi);
}

void spot_release(struct spot *s) { rope_release(&s->rope); }

/* Moves the step's rope into the spot. */
static void spot_move(struct follow *f, struct spot *s, struct step *st, const char *path)
{
	double before = rope_conf(&s->rope), now = rope_conf(&st->rope), step = before > 0 ? now / before : 0;
	s->least = step < s->least ? step : s->least;
	rope_release(&s->rope);
	s->rope = st->rope;
	st->rope = (struct rope){ 0 };
	if (strcmp(path, s->path))
		s->path = arena_strdup(&f->arena, path);
}

static void spot_lose(struct follow *f, struct spot *s, size_t pos, struct step *st, const char *path)
{
	s->flags |= SPOT_LOST;
	s->lost_pos = pos;
	s->last_path = s->path;
	s->last_lo = rope_lo(&s->rope);
	s->last_hi = rope_hi(&s->rope);
	s->before = st->before;
	s->after = st->after;
	s->guess = st->how != STEP_LOST;
	if (s->guess)
		spot_move(f, s, st, path);
}

static void step_trace(const struct spot *s, size_t pos, const struct step *st)
{
	static const char *const how[] = { "lost", "stays", "away" };
	bool has = st->how != STEP_LOST;
	trace("anchor", "%s:%u-%u step %zu: %s %s:%u-%u conf %.2f%s", s->path, rope_lo(&s->rope) + 1, rope_hi(&s->rope) + 1,
	    pos, how[st->how], st->path ? st->path : "", has ? rope_lo(&st->rope) + 1 : 0, has ? rope_hi(&st->rope) + 1 : 0,
	    has ? rope_conf(&st->rope) : 0, st->moved ? " moved" : "");
}

/* The spot goes where the step says; path is the file's name after it. Takes the step's rope. */
static void spot_take(struct follow *f, struct spot *s, size_t pos, struct step *st, const char *path)
{
	if (trace_on("anchor"))
		step_trace(s, pos, st);
	if (st->how == STEP_AWAY)
		path = st->path;
	if (st->how == STEP_LOST || rope_conf(&st->rope) < conf_carry * rope_conf(&s->rope)) {
		spot_lose(f, s, pos, st, path);
	} else {
		if (st->moved)
			s->flags |= SPOT_MOVED;
		s->pos = pos;
		spot_move(f, s, st, path);
	}
	step_release(st);
}

static void step_weaken(struct step *st, double by)
{
	for (size_t k = 0; k < st->rope.len; k++)
		st->rope.items[k].conf *= (float)by;
}

/* The whole stretch of lost lines around a range: what was moved together. */
static void lost_around(const struct pair *x, uint32_t lo, uint32_t hi, uint32_t *a, uint32_t *b)
{
	const struct gap *g;
	uint32_t j;
	*a = gaps_map(&x->gaps, lo, &j, &g) ? lo : g->a;
	*b = gaps_map(&x->gaps, hi, &j, &g) ? hi + 1 : g->b;
}

/* A range from one version of a file to the next, with the other files of the step where needed. */
static void step_full(struct follow *f, struct pair *x, const struct spot *s, const struct oid *old_tree,
    const struct lineage_commit *to, const struct lineage_commit *head, const char *path, struct step *out)
{
	step_in_file(x, &s->rope, out);
	if (out->how == STEP_STAY && rope_conf(&out->rope) >= conf_content * rope_conf(&s->rope))
		return;
	struct step away;
	struct elsewhere e = changes_between(f, old_tree, to, head);
	uint32_t a, b;
	lost_around(x, rope_lo(&s->rope), rope_hi(&s->rope), &a, &b);
	step_elsewhere(f->pairs, f->aways, x->o, &x->old_id, a, b, &s->rope, &e, path, &away);
	if (away.how == STEP_AWAY && (out->how == STEP_LOST || rope_conf(&away.rope) > rope_conf(&out->rope))) {
		away.before = out->before;
		away.after = out->after;
		step_release(out);
		*out = away;
		out->path = arena_strdup(&f->arena, away.path);
	} else {
		step_release(&away);
	}
}

/*
 * Merges. A step along the chosen parent shows all that the other sides brought as one change. Where it loses a range
 * or leaves it unsure, the commits of another side are walked one by one instead.
 */
enum { DETOURS_MOST = 3, PARENTS_MOST = 8 };

static void spot_copy(struct spot *to, const struct spot *from)
{
	*to = *from;
	rope_copy(&to->rope, &from->rope);
}

/* Takes c, which stands at commit `from`, to commit `base` by one diff; false when the file is not there or loses it. */
static bool hop(struct follow *f, const struct lineage_commit *from, const struct lineage_commit *base, struct spot *c)
{
	struct oid a, b;
	unsigned mode;
	struct step st;
	if (from == base)
		return true;
	if (!lineage_entry(f->l, &from->tree, c->path, &a, &mode) || !lineage_entry(f->l, &base->tree, c->path, &b, &mode))
		return false;
	if (oid_equal(&a, &b))
		return true;
	struct pair *x = pairs_get(f->pairs, &a, &b, NULL);
	if (!x || (!step_pass(x, &c->rope, &st) && (!pair_texts(f->pairs, x) || rope_hi(&c->rope) >= x->old_n)))
		return false;
	if (st.how != STEP_STAY || !st.rope.len)
		step_in_file(x, &c->rope, &st);
	bool stays = st.how == STEP_STAY && rope_conf(&st.rope) >= conf_content * rope_conf(&c->rope);
	if (stays)
		spot_move(f, c, &st, c->path);
	step_release(&st);
	return stays;
}

/* Did the side change the file more than once, or rename it? Else its one change is the direct step again. */
static bool side_differs(struct follow *f, const struct route *r, const char *path)
{
	struct versions v = { 0 };
	route_versions(f->chains, r, path, 0, &v);
	bool differs = v.len > 2 || (v.len && oid_is_zero(&v.items[v.len - 1].id));
	versions_release(&v);
	return differs;
}

static bool detour_forward(struct follow *f, const struct lineage_commit *from, const struct lineage_commit *merge,
    const struct oid *via, struct spot *c)
{
	struct oid base;
	struct route r;
	if (!lineage_base(f->l, &from->id, via, &base) || oid_equal(&base, via) ||
	    !hop(f, from, lineage_commit(f->l, &base), c) ||
	    !route_through(f->chains, &merge->id, via, &base, true, &r) || !side_differs(f, &r, c->path))
		return false;
	c->pos = 0;
	follow_spots(f, &r, c, 1);
	return c->flags & SPOT_DONE;
}

static bool detour_back(struct follow *f, const struct route *whole, const struct lineage_commit *merge,
    const struct oid *via, struct spot *c)
{
	struct route r;
	const struct lineage_commit *end = route_at(whole, whole->len - 1);
	if (!end || !route_through(f->chains, &merge->id, via, &end->id, false, &r))
		return false;
	c->pos = 0;
	follow_spots(f, &r, c, 1);
	return c->flags & SPOT_DONE;
}

/*
 * Tries the other parents of the merge between positions pos - 1 and pos for a range that the direct step st treats
 * badly. True: *s was taken along the best of them, forwards to pos, backwards to the end.
 */
static bool detour(struct follow *f, const struct route *r, struct spot *s, size_t pos, const struct step *st)
{
	const struct lineage_commit *from = route_at(r, pos - 1), *to = route_at(r, pos), *merge = r->forward ? to : from;
	double direct = st->how == STEP_LOST ? 0 : rope_conf(&st->rope), was = rope_conf(&s->rope);
	if (!from || !to || merge->n_parents < 2 || direct >= conf_detour * was || f->depth >= DETOURS_MOST)
		return false;
	bool found = false;
	struct spot best = { 0 };
	const struct oid *chosen = r->forward ? &from->id : &to->id;
	f->depth++;
	for (uint32_t k = 0; k < merge->n_parents && k < PARENTS_MOST; k++) {
		struct spot c;
		if (oid_equal(&merge->parents[k], chosen))
			continue;
		spot_copy(&c, s);
		bool good = r->forward ? detour_forward(f, from, merge, &merge->parents[k], &c) :
		    detour_back(f, r, merge, &merge->parents[k], &c);
		good = good && rope_conf(&c.rope) > direct && (!found || rope_conf(&c.rope) > rope_conf(&best.rope));
		if (good) {
			spot_release(&best);
			best = c;
			found = true;
		} else {
			spot_release(&c);
		}
	}
	f->depth--;
	if (found) {
		spot_release(s);
		best.pos = r->forward ? pos : r->len - 1;
		best.flags &= ~(unsigned)SPOT_DONE;
		*s = best;
		trace("anchor", "%s:%u detour at step %zu", s->path, rope_lo(&s->rope) + 1, pos);
	}
	return found;
}

struct stretch { struct follow *f; const struct route *r; const struct version *v; };


/* Applies steps that were worked out; detours read other files, so nobody holds texts here. */
static void steps_take(struct follow *f, const struct route *r, struct spot **s, struct step *st, size_t n, size_t pos,
    const char *path)
{
	for (size_t k = 0; k < n; k++) {
		if (s[k]->flags & SPOT_STUCK)
			continue;
		if (detour(f, r, s[k], pos, &st[k]))
			step_release(&st[k]);
		else
			spot_take(f, s[k], pos, &st[k], path);
	}
	free(st);
}

static void neighbours(struct stretch *t, size_t i, struct spot **s, size_t n)
{
	size_t pos = t->v[i + 1].pos;
	enum text_fault why;
	struct pair *x = pairs_get(t->f->pairs, &t->v[i].id, &t->v[i + 1].id, &why);
	const struct lineage_commit *from = route_at(t->r, t->v[i].end - 1), *to = route_at(t->r, pos);
	struct step *st = xcalloc(n + 1, sizeof(*st));
	for (size_t k = 0; k < n; k++) {
		if (!x || !pair_texts(t->f->pairs, x) || rope_hi(&s[k]->rope) >= x->old_n)
			s[k]->flags |= SPOT_STUCK;
		else
			step_full(t->f, x, s[k], &from->tree, to, last_commit(t->r), s[k]->path, &st[k]);
	}
	steps_take(t->f, t->r, s, st, n, pos, s[0]->path);
}

/* Is the spot still in this file, at version j of the stretch? */
static bool still_at(const struct spot *s, const char *path, size_t pos)
{
	return !(s->flags & (SPOT_LOST | SPOT_STUCK)) && s->pos == pos && !strcmp(s->path, path);
}

static size_t keep_at(struct spot **s, size_t n, const char *path, size_t pos)
{
	size_t kept = 0;
	for (size_t k = 0; k < n; k++)
		if (still_at(s[k], path, pos)) {
			struct spot *x = s[k];
			s[k] = s[kept];
			s[kept++] = x;
		}
	return kept;
}

/*
 * Where the stretch between versions i and j is parted: at the least id. That is near the middle often enough, and the
 * same whatever the ends are: stretches that begin at other commits or end at a newer tip share their comparisons.
 */
static size_t parting(const struct version *v, size_t i, size_t j)
{
	size_t least = i + 1;
	for (size_t m = i + 2; m < j; m++)
		if (memcmp(v[m].id.id, v[least].id.id, sizeof(v[m].id.id)) < 0)
			least = m;
	return least;
}

/* Takes spots from version i to version j. Those that leave the file or are lost stay where they are then. */
static void advance(struct stretch *t, size_t i, size_t j, struct spot **s, size_t n)
{
	if (!n || i == j)
		return;
	pairs_trim(t->f->pairs);
	const char *path = s[0]->path;
	enum text_fault why;
	struct pair *x = pairs_get(t->f->pairs, &t->v[i].id, &t->v[j].id, &why);
	size_t left = 0;
	for (size_t k = 0; k < n; k++) {
		struct step st;
		bool look = j > i + 1 && j - i <= NEAR_VERSIONS && x && pair_island(x, rope_lo(&s[k]->rope));
		if (x && !look && step_pass(x, &s[k]->rope, &st)) {
			spot_take(t->f, s[k], t->v[j].pos, &st, path);
			continue;
		}
		struct spot *y = s[k];
		s[k] = s[left];
		s[left++] = y;
	}
	if (!left)
		return;
	if (j == i + 1) {
		neighbours(t, i, s, left);
		return;
	}
	size_t m = parting(t->v, i, j);
	advance(t, i, m, s, left);
	left = keep_at(s, left, path, t->v[m].pos);
	advance(t, m, j, s, left);
}

/* An edited line in a file that may not be the same at all. */
static double rename_conf(double like) { return like >= 0.6 ? 1 : 0.7 + 0.5 * like; }

static bool vanish_step(struct follow *f, const struct route *r, const struct spot *s, const struct oid *was, size_t from_pos,
    size_t pos, struct pair *x, const struct lineage_change *c, double like, struct step *st)
{
	const struct lineage_commit *from = route_at(r, from_pos), *to = route_at(r, pos);
	struct text *o;
	uint32_t hi = rope_hi(&s->rope);
	*st = (struct step){ .how = STEP_STAY };
	if (c && oid_equal(was, &c->new_id)) {
		rope_copy(&st->rope, &s->rope);
	} else if (x && step_pass(x, &s->rope, st)) {
		step_weaken(st, like >= 0.6 ? 1 : 0.95);
	} else if (x && pair_texts(f->pairs, x) && hi < x->old_n) {
		step_full(f, x, s, &from->tree, to, last_commit(r), c->path, st);
		if (st->how == STEP_STAY)
			step_weaken(st, rename_conf(like));
	} else if ((o = pairs_text(f->pairs, was, NULL)) && hi < o->n) {
		struct elsewhere e = changes_between(f, &from->tree, to, last_commit(r));
		step_elsewhere(f->pairs, f->aways, o, was, 0, o->n, &s->rope, &e, s->path, st);
		if (st->how == STEP_AWAY)
			st->path = arena_strdup(&f->arena, st->path);
	} else {
		return false;
	}
	return true;
}

/* The path is not there any more at pos: the file was renamed, its parts went elsewhere, or it is gone. */
static void vanish(struct follow *f, const struct route *r, const struct version *last, size_t pos, struct spot **s, size_t n)
{
	const struct lineage_commit *from = route_at(r, last->end - 1), *to = route_at(r, pos);
	struct elsewhere e = changes_between(f, &from->tree, to, last_commit(r));
	double like;
	const struct lineage_change *c = step_renamed(f->pairs, &last->id, s[0]->path, &e, &like);
	struct pair *x = c ? pairs_get(f->pairs, &last->id, &c->new_id, NULL) : NULL;
	const char *path = c ? arena_strdup(&f->arena, c->path) : s[0]->path;
	struct step *st = xcalloc(n + 1, sizeof(*st));
	for (size_t k = 0; k < n; k++)
		if (!vanish_step(f, r, s[k], &last->id, last->end - 1, pos, x, c, like, &st[k]))
			s[k]->flags |= SPOT_STUCK;
	steps_take(f, r, s, st, n, pos, path);
}

static bool is_file(unsigned mode) { return (mode & 0170000) == 0100000 || (mode & 0170000) == 0120000; }

static void to_worktree(struct follow *f, const struct route *r, const struct version *last, struct spot **s, size_t n)
{
	struct version w = { .pos = r->len - 1, .end = r->len };
	if (!follow_entry(f, r, r->len - 1, s[0]->path, &w.id, &w.mode)) {
		vanish(f, r, last, r->len - 1, s, n);
		return;
	}
	struct version v[2] = { *last, w };
	struct stretch t = { f, r, v };
	if (!oid_equal(&w.id, &last->id)) {
		advance(&t, 0, 1, s, n);
		return;
	}
	for (size_t k = 0; k < n; k++)
		s[k]->pos = r->len - 1;
}

/* Spots of one path at one position, as far as the path goes. */
static void follow_path(struct follow *f, const struct route *r, struct spot **s, size_t n)
{
	struct versions v = { 0 };
	const char *path = s[0]->path;
	route_versions(f->chains, r, path, s[0]->pos, &v);
	size_t m = v.len;
	bool vanished = m && (oid_is_zero(&v.items[m - 1].id) || !is_file(v.items[m - 1].mode));
	m -= vanished;
	if (!m) {
		for (size_t k = 0; k < n; k++)
			s[k]->flags |= SPOT_STUCK;
		goto out;
	}
	struct stretch t = { f, r, v.items };
	advance(&t, 0, m - 1, s, n);
	n = keep_at(s, n, path, v.items[m - 1].pos);
	if (!n)
		goto out;
	pairs_trim(f->pairs);
	if (vanished) {
		vanish(f, r, &v.items[m - 1], v.items[m].pos, s, n);
	} else if (r->worktree) {
		to_worktree(f, r, &v.items[m - 1], s, n);
	} else {
		for (size_t k = 0; k < n; k++)
			s[k]->pos = r->len - 1;
	}
out:
	versions_release(&v);
}

static bool resting(const struct spot *s, const struct route *r)
{
	return (s->flags & (SPOT_LOST | SPOT_STUCK)) || s->pos + 1 >= r->len;
}

void follow_spots(struct follow *f, const struct route *r, struct spot *s, size_t n)
{
	struct spot **same = xcalloc(n + 1, sizeof(*same));
	for (;;) {
		struct spot *first = NULL;
		size_t len = 0;
		for (size_t i = 0; i < n; i++)
			if (!resting(&s[i], r) && (!first || s[i].pos < first->pos))
				first = &s[i];
		if (!first)
			break;
		for (size_t i = 0; i < n; i++)
			if (!resting(&s[i], r) && s[i].pos == first->pos && !strcmp(s[i].path, first->path))
				same[len++] = &s[i];
		follow_path(f, r, same, len);
	}
	free(same);
	for (size_t i = 0; i < n; i++)
		if (!(s[i].flags & (SPOT_LOST | SPOT_STUCK)))
			s[i].flags |= SPOT_DONE;
}

/* Equal lines far apart are the same by chance when they are not rare. */
static double run_conf(const struct pair *x, const struct rope *r, bool known)
{
	for (size_t k = 0; k < r->len; k++) {
		const struct gap *g;
		uint32_t j;
		if ((r->items[k].flags & (STRAND_FIRST | STRAND_LAST)) && gaps_map(&x->gaps, r->items[k].line, &j, &g) &&
		    !pair_trusted(x, r->items[k].line))
			return known ? 0.8 : 0.6;
	}
	return 1;
}

/* The step of a jump: x is the pair of the file's ends, NULL where there is no file. */
static void jump_step(struct follow *f, struct pair *x, double like, const struct oid *old_blob, const struct oid *old_tree,
    const struct lineage_commit *to, const struct lineage_commit *head, const char *path, struct spot *s, struct step *st)
{
	static const struct oid nothing = OID_ZERO;
	const struct oid *from = old_tree ? old_tree : &nothing;
	struct text *o;
	*st = (struct step){ .how = STEP_LOST, .before = NO_LINE, .after = NO_LINE };
	if (x && step_pass(x, &s->rope, st)) {
		step_weaken(st, 0.98);
	} else if (x && pair_texts(f->pairs, x) && rope_hi(&s->rope) < x->old_n) {
		double run = run_conf(x, &s->rope, old_tree);
		step_full(f, x, s, from, to, head, path, st);
		if (st->how == STEP_STAY)
			step_weaken(st, rename_conf(like) * run);
	} else if (!x && (o = pairs_text(f->pairs, old_blob, NULL)) && rope_hi(&s->rope) < o->n) {
		struct elsewhere e = changes_between(f, from, to, head);
		step_elsewhere(f->pairs, f->aways, o, old_blob, 0, o->n, &s->rope, &e, path, st);
		if (st->how == STEP_AWAY)
			st->path = arena_strdup(&f->arena, st->path);
	}
}

void follow_jump(struct follow *f, const struct route *r, const struct oid *old_blob, const struct oid *old_tree,
    struct spot *s)
{
	struct oid id;
	unsigned mode = 0;
	const struct lineage_commit *to = route_at(r, s->pos);
	const char *path = s->path;
	double like = 1;
	struct step st;
	bool found = follow_entry(f, r, s->pos, path, &id, &mode) && is_file(mode);
	if (!found && old_tree) {
		struct elsewhere e = changes_between(f, old_tree, to, last_commit(r));
		const struct lineage_change *c = step_renamed(f->pairs, old_blob, path, &e, &like);
		if (c) {
			id = c->new_id;
			path = arena_strdup(&f->arena, c->path);
			found = true;
		}
	}
	struct pair *x = found ? pairs_get(f->pairs, old_blob, &id, NULL) : NULL;
	jump_step(f, x, like, old_blob, old_tree, to, last_commit(r), path, s, &st);
	spot_take(f, s, s->pos, &st, path);
}

/* All the rope's lines with a name, in one piece. */
static bool in_one_piece(const struct rope *was, const struct rope *now)
{
	size_t named = 0, kept = 0;
	for (size_t k = 0; k < was->len; k++)
		named += was->items[k].flags & STRAND_NAMED;
	for (size_t k = 0; k < now->len; k++)
		kept += now->items[k].flags & STRAND_NAMED;
	return named == kept && rope_hi(now) - rope_lo(now) == rope_hi(was) - rope_lo(was);
}

enum { EXACT_MOST = 200 };

bool follow_exact(struct follow *f, const struct route *r, const struct oid *old_blob, struct spot *s)
{
	struct versions v = { 0 };
	bool found = false;
	route_versions_all(f->chains, r, s->path, &v);
	for (size_t i = v.len, tried = 0; i-- > 0 && tried < EXACT_MOST && !found;) {
		struct step st = { 0 };
		pairs_trim(f->pairs);
		struct pair *x = is_file(v.items[i].mode) ? pairs_get(f->pairs, old_blob, &v.items[i].id, NULL) : NULL;
		tried += x != NULL;
		found = x && step_pass(x, &s->rope, &st) && in_one_piece(&s->rope, &st.rope);
		if (found)
			spot_take(f, s, v.items[i].pos, &st, s->path);
		step_release(&st);
	}
	versions_release(&v);
	return found;
}

enum { RELAND_CONTEXT = 6, RELAND_LINES = 3 };

/* The block that has all lines of the range as they were, at least three, and nowhere else like that. */
static const struct block *reland_block(struct text *o, uint32_t lo, uint32_t hi, const struct blocks *found)
{
	for (size_t k = 0; k < found->len; k++) {
		const struct block *b = &found->items[k];
		bool all = b->equal >= RELAND_LINES && b->weight >= 2.2 && b->runner < 0.5 * b->weight && b->a <= lo && b->b > hi;
		for (uint32_t i = lo; all && i <= hi; i++)
			all = text_trivial(o, i) || b->hits[i - b->a].kind == HIT_SAME;
		if (all)
			return b;
	}
	return NULL;
}

static bool reland_take(struct spot *s, struct text *o, const struct block *b)
{
	struct rope r;
	size_t kept = 0;
	rope_init(&r, o, s->last_lo, s->last_hi);
	for (size_t k = 0; k < r.len; k++) {
		const struct hit *h = &b->hits[r.items[k].line - b->a];
		if (h->kind)
			r.items[kept++] = (struct strand){ h->line, 0.8f, r.items[k].flags };
	}
	r.len = kept;
	rope_order(&r);
	if (!r.len) {
		rope_release(&r);
		return false;
	}
	rope_release(&s->rope);
	s->rope = r;
	s->path = s->last_path;
	s->flags = SPOT_DONE;
	s->least = 0.8;
	return true;
}

static uint32_t *lines_between(uint32_t a, uint32_t b)
{
	uint32_t *v = xmalloc(((size_t)(b - a) + 1) * sizeof(*v));
	for (uint32_t i = a; i < b; i++)
		v[i - a] = i;
	return v;
}

static bool has_trim(const struct text *t, uint64_t trim)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->lines[i].trim == trim)
			return true;
	return false;
}

/* Are all lines of the range that have a name in the text? */
static bool has_lines(const struct text *t, struct text *o, uint32_t lo, uint32_t hi)
{
	for (uint32_t i = lo; i <= hi; i++)
		if (!text_trivial(o, i) && !has_trim(t, o->lines[i].trim))
			return false;
	return true;
}

/* Was a copy of the range in the file when it was lost? What stands there now may come from that. */
static bool copy_stayed(struct follow *f, const struct route *r, const struct spot *s, struct text *o)
{
	struct oid id;
	unsigned mode;
	struct text *t = follow_entry(f, r, s->lost_pos, s->last_path, &id, &mode) && is_file(mode) ?
	    pairs_text(f->pairs, &id, NULL) : NULL;
	for (uint32_t i = s->last_lo; t && i <= s->last_hi; i++)
		if (!text_trivial(o, i) && text_count(t, text_line(o, i)))
			return true;
	return false;
}

bool follow_reland(struct follow *f, const struct route *r, struct spot *s)
{
	struct oid old_id, new_id;
	unsigned mode;
	if (s->lost_pos <= s->entered || !s->last_path || !follow_entry(f, r, s->lost_pos - 1, s->last_path, &old_id, &mode) ||
	    !follow_entry(f, r, r->len - 1, s->last_path, &new_id, &mode) || !is_file(mode))
		return false;
	struct text *o = pairs_text(f->pairs, &old_id, NULL), *n = pairs_text(f->pairs, &new_id, NULL);
	if (!o || !n || s->last_hi >= o->n || s->last_hi - s->last_lo > 5000)
		return false;
	if (!has_lines(n, o, s->last_lo, s->last_hi) || copy_stayed(f, r, s, o))
		return false;
	uint32_t a = s->last_lo > RELAND_CONTEXT ? s->last_lo - RELAND_CONTEXT : 0;
	uint32_t b = s->last_hi + 1 + RELAND_CONTEXT < o->n ? s->last_hi + 1 + RELAND_CONTEXT : o->n;
	uint32_t *old = lines_between(a, b), *new_ = lines_between(0, n->n);
	struct blocks found = { 0 };
	blocks_find(o, old, b - a, n, new_, n->n, 1.5, &found);
	const struct block *bl = reland_block(o, s->last_lo, s->last_hi, &found);
	bool back = bl && reland_take(s, o, bl);
	blocks_release(&found);
	free(old);
	free(new_);
	return back;
}

enum { ALIKE_MOST = 48 };

bool follow_alike(struct follow *f, const struct route *r, const char *path, const struct oid *blob, size_t *pos)
{
	struct versions v = { 0 };
	struct text *o = pairs_text(f->pairs, blob, NULL);
	double best = 0;
	route_versions_all(f->chains, r, path, &v);
	for (size_t i = 0; i < v.len; i++)
		if (oid_equal(&v.items[i].id, blob)) {
			*pos = v.items[i].pos;
			versions_release(&v);
			return true;
		}
	/* Many versions are looked at evenly; neighbours are much alike. The base itself lacks what was new. */
	size_t step = v.len / ALIKE_MOST + 1;
	for (size_t i = 0; o && i < v.len; i += step) {
		struct text *n = is_file(v.items[i].mode) && v.items[i].end > 1 ? pairs_text(f->pairs, &v.items[i].id, NULL) : NULL;
		double s = n ? text_overlap(o, n) : 0;
		if (s > best + 1e-9) {
			best = s;
			*pos = v.items[i].pos ? v.items[i].pos : 1;
		}
	}
	versions_release(&v);
	return best > 0;
}

bool follow_file(struct follow *f, const struct route *r, const char **path, size_t *pos)
{
	for (*pos = 0;;) {
		struct versions v = { 0 };
		struct oid id;
		unsigned mode;
		route_versions(f->chains, r, *path, *pos, &v);
		size_t m = v.len;
		struct version last = m > 1 ? v.items[m - 2] : (struct version){ 0 }, end = m ? v.items[m - 1] : (struct version){ 0 };
		versions_release(&v);
		if (m && !oid_is_zero(&end.id)) {
			if (!r->worktree || follow_entry(f, r, r->len - 1, *path, &id, &mode))
				return true;
			last = end;
			end.pos = r->len - 1;
		} else if (m < 2) {
			return false;
		}
		double like;
		struct elsewhere e = changes_between(f, &route_at(r, last.end - 1)->tree, route_at(r, end.pos), last_commit(r));
		const struct lineage_change *c = step_renamed(f->pairs, &last.id, *path, &e, &like);
		*pos = end.pos;
		if (!c)
			return false;
		*path = arena_strdup(&f->arena, c->path);
		if (*pos + 1 >= r->len)
			return true;
	}
}
