/* SPDX-License-Identifier: MIT */
/*
 * Places carried on by one step. A place is worked out from the original through the versions of its file; of that way all
 * but the last step is known where the thread's place in the commit before is. So after a commit, and for a file that is
 * being edited, one comparison of two versions serves all threads of a file, however long the history is.
 *
 * What stood unchanged and still does is where the step says. Whatever is not as it was written is compared with the
 * original first (what was edited may be as it was again), then goes on from where it was: an edited line stays an edited
 * one, and the doubts of both ways count. What was gone stays gone unless its own line came back; that, a range that the step
 * changed inside (which of its lines were there from the first, the step does not know), and everything else that is in
 * doubt is worked out anew.
 */
#include "config.h"
#include <string.h>
#include "carry.h"
#include "killick/git/lineage.h"
#include "killick/git/repo.h"

enum { FAR = 20000 };
#define DOUBTFUL 0.7      /* right three times in four: worth another look */

struct carrying {
	struct placer *placer;
	struct repo *repo;
	const char *from;
	const struct oid *to;
	bool back;                  /* to is the older one: what is gone there went somewhere else */
	struct arena *a;
	struct anchor *step;        /* of each thread: where it was, as an anchor of its own */
	struct place *stepped;
	struct anchor *near;        /* three of each thread that was gone: the lines around the gap, the guess */
	struct place *near_now;
	struct place_query *q;
	size_t n_q;
};

static bool is_alive(const struct place *p)
{
	return p->state == PLACE_EXACT || p->state == PLACE_MOVED || p->state == PLACE_EDITED;
}

static void ask(struct carrying *c, const struct anchor *an, struct place *out)
{
	c->q[c->n_q++] = (struct place_query){ .anchor = an, .out = out };
}

static int ask_all(struct carrying *c, struct err *e)
{
	int rc = c->n_q ? place_batch(c->placer, c->to, c->q, c->n_q, c->a, e) : 0;

	c->n_q = 0;
	return rc;
}

static void ask_line(struct carrying *c, struct anchor *an, const char *path, uint32_t line, uint32_t end, struct place *out)
{
	*an = (struct anchor){ .type = ANCHOR_LINES, .path = path, .line = line, .end = end ? end : line, .commit = c->from };
	if (path && line)
		ask(c, an, out);
}

/* Selections in a line and sections go by more than the lines; a list may have been carried on before. */
static bool can_step(const struct thread *t, const char *from)
{
	return t->anchor.type == ANCHOR_LINES && !t->anchor.col && is_alive(&t->place) && t->place.path && t->place.line &&
	       t->place.commit && !strcmp(t->place.commit, from);
}

static int take_steps(struct carrying *c, const struct thread *t, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct place *p = &t[i].place;
		if (can_step(&t[i], c->from))
			ask_line(c, &c->step[i], p->path, p->line, p->end, &c->stepped[i]);
		if (t[i].anchor.type == ANCHOR_LINES && p->state == PLACE_GONE) {
			ask_line(c, &c->near[3 * i], p->last_path, p->near_before, 0, &c->near_now[3 * i]);
			ask_line(c, &c->near[3 * i + 1], p->last_path, p->near_after, 0, &c->near_now[3 * i + 1]);
			ask_line(c, &c->near[3 * i + 2], p->path, p->line, p->end, &c->near_now[3 * i + 2]);
		}
	}
	return ask_all(c, e);
}

/* Unchanged all the way: nothing else can be righter. */
static bool step_serves(const struct thread *t, const struct place *s)
{
	return t->place.state == PLACE_EXACT && s->state == PLACE_EXACT && s->path && !strcmp(s->path, t->anchor.path);
}

static double doubts(double x, double y)
{
	return (x * y + (x < y ? x : y)) / 2;
}

/* false: the step does not tell. */
static bool combine(const struct carrying *c, const struct thread *t, const struct place *s, struct place *out)
{
	const struct place *p = &t->place;

	if (!can_step(t, c->from) || s->state == PLACE_UNKNOWN || (s->state == PLACE_GONE && (s->path || c->back)))
		return false;
	/* Of a range that changed inside, only the lines that were its own from the first tell where it ends. */
	if (s->state == PLACE_EDITED && (p->end > p->line || t->anchor.end > t->anchor.line))
		return false;
	*out = *s;
	if (s->state == PLACE_GONE)
		return true;
	out->confidence = doubts(p->confidence, s->confidence);
	if (p->state == PLACE_EDITED || s->state == PLACE_EDITED)
		out->state = PLACE_EDITED;
	else
		out->state = p->state == PLACE_MOVED || strcmp(s->path, t->anchor.path) ? PLACE_MOVED : s->state;
	return out->confidence >= DOUBTFUL;
}

/* Is the line in the file? -1: there is no such file. */
static int file_has(struct carrying *c, const struct oid *commit, const char *path, const char *line, size_t n)
{
	struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct oid blob;
	unsigned mode;
	int has, rc = commit ? repo_tree_path(c->repo, commit, path, &blob, &mode, &ignored) ||
			  repo_blob(c->repo, &blob, 0, &text, &ignored) :
			  repo_worktree_file(c->repo, path, 0, &text, NULL, &ignored);

	has = rc ? -1 : text.len && memmem(text.ptr, text.len, line, n);
	buf_release(&text);
	return has;
}

/* A line that is gone, and is not in the new version either, or was there all the time. A file that got another name may
 * have it. */
static bool stays_gone(struct carrying *c, const struct thread *t)
{
	const char *line = t->anchor.quote, *path = t->place.last_path;
	struct oid from;
	int was, is;
	size_t n;

	if (t->anchor.type != ANCHOR_LINES || t->place.state != PLACE_GONE || !line || !path || !oid_parse(c->from, &from))
		return false;
	line += strspn(line, " \t");
	n = strcspn(line, "\n");
	while (n && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
		n--;
	if (!n)
		return false;
	was = file_has(c, &from, path, line, n);
	is = file_has(c, c->to, path, line, n);
	return is < 0 ? was < 0 : !is || was > 0;
}

static uint32_t near_line(const struct place *now, const char *path)
{
	return is_alive(now) && now->path && !strcmp(now->path, path) ? now->line : 0;
}

static void keep_gone(const struct carrying *c, const struct thread *t, size_t i, struct place *out)
{
	const struct place *guess = &c->near_now[3 * i + 2];

	*out = t->place;
	out->near_before = near_line(&c->near_now[3 * i], t->place.last_path);
	out->near_after = near_line(&c->near_now[3 * i + 1], t->place.last_path);
	if (!t->place.path)
		return;
	out->path = is_alive(guess) ? guess->path : NULL;
	out->line = is_alive(guess) ? guess->line : 0;
	out->end = is_alive(guess) ? guess->end : 0;
}

static int ask_rest(struct carrying *c, const struct thread *t, size_t n, struct place *out, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (out[i].pending)
			ask(c, &t[i].anchor, &out[i]);
	return ask_all(c, e);
}

int carry_places(struct placer *p, struct repo *r, const char *from, const struct oid *to, bool back, const struct thread *t,
    size_t n, bool whole, struct place *out, struct arena *a, struct err *e)
{
	struct carrying c = { .placer = p, .repo = r, .from = from, .to = to, .back = back, .a = a };
	int rc;

	c.step = arena_alloc(a, (n + 1) * sizeof(*c.step));
	c.stepped = arena_alloc(a, (n + 1) * sizeof(*c.stepped));
	c.near = arena_alloc(a, (3 * n + 1) * sizeof(*c.near));
	c.near_now = arena_alloc(a, (3 * n + 1) * sizeof(*c.near_now));
	c.q = arena_alloc(a, (3 * n + 1) * sizeof(*c.q));
	if (take_steps(&c, t, n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		out[i] = (struct place){ .pending = true };
		if (step_serves(&t[i], &c.stepped[i]))
			out[i] = c.stepped[i];
	}
	placer_quick(p, true);
	rc = ask_rest(&c, t, n, out, e);
	placer_quick(p, false);
	for (size_t i = 0; !rc && i < n; i++) {
		if (!out[i].pending)
			continue;
		if (stays_gone(&c, &t[i]))
			keep_gone(&c, &t[i], i, &out[i]);
		else if (!combine(&c, &t[i], &c.stepped[i], &out[i]))
			out[i] = (struct place){ .pending = true };
	}
	return rc || !whole ? rc : ask_rest(&c, t, n, out, e);
}

/*
 * Both lines are walked at a time, the later commit first, so that it costs what lies between the two, however long their
 * history is. Where the lines meet, neither tip lies behind the other.
 */
static enum carry_way meet(struct lineage *l, const struct oid *from, const struct oid *to)
{
	const struct lineage_commit *a = lineage_commit(l, to), *b = lineage_commit(l, from);

	for (unsigned i = 0; (a || b) && i < FAR; i++) {
		int64_t at = a ? a->time : INT64_MIN, bt = b ? b->time : INT64_MIN;

		if (a && oid_equal(&a->id, from))
			return CARRY_ON;
		if (b && oid_equal(&b->id, to))
			return CARRY_BACK;
		if (a && b && oid_equal(&a->id, &b->id))
			return CARRY_NOT;
		if (a && at >= bt)
			a = lineage_parent(l, a);
		if (b && bt >= at)
			b = lineage_parent(l, b);
	}
	return CARRY_NOT;
}

enum carry_way carry_way(struct repo *r, const struct oid *from, const struct oid *to)
{
	struct lineage *l;
	struct err ignored = ERR_INIT;
	enum carry_way way;

	if (lineage_open(r, &l, &ignored) < 0)
		return CARRY_NOT;
	way = meet(l, from, to);
	lineage_close(l);
	return way;
}
