/* SPDX-License-Identifier: MIT */
/*
 * History with its threads. Commits are walked as they are scrolled to; the walk goes on to the end in idle slices, which
 * counts them. What a row shows is read a page at a time. The graph's lanes are kept at every page's start, so that a
 * page can be drawn without all before it once the idle work has been there.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "graph.h"
#include "killick/git/history.h"
#include "killick/text/sanitize.h"
#include "rows.h"
#include "views.h"

#define ROWS 64
#define PAGES 6

struct logrow { struct commit_info info; const char *threads, *graph; };
struct logpage { size_t start, n; unsigned used; bool drawn, counted; struct arena arena; struct logrow rows[ROWS]; };
struct log {
	struct view v;
	char **revs;                 /* NULL-terminated, or NULL */
	char *path, *name;
	struct history *history;
	ARRAY(struct oid) ids;
	bool complete, cut;
	unsigned epoch;
	struct logpage pages[PAGES];
	unsigned stamp;
	ARRAY(struct graph) lanes;   /* at the start of page i */
	bool to_end;                 /* the last commit was asked for, and it is not known yet */
	int hunt;                    /* 1 or -1: commits with threads are looked for that way, from hunted on */
	size_t hunted;
};

/* ---- walking */

static int start_walk(struct log *l, struct err *e)
{
	history_close(l->history);
	l->history = NULL;
	l->ids.len = 0;
	l->complete = l->cut = false;
	for (size_t i = 0; i < l->lanes.len; i++)
		graph_release(&l->lanes.items[i]);
	l->lanes.len = 0;
	*array_add(&l->lanes) = (struct graph){ ARRAY_INIT };
	return history_open(l->v.t->work->repo, (const char *const *)l->revs, l->path, &l->history, e);
}

static void walk(struct log *l, size_t to, int64_t until)
{
	struct err e = ERR_INIT;
	struct oid id;
	int rc;

	while (!l->complete && l->ids.len <= to) {
		rc = history_next(l->history, &id, &e);
		if (rc > 0)
			*array_add(&l->ids) = id;
		if (rc < 0)
			tui_say(l->v.t, MSG_ERROR, "%s", e.msg);
		if (rc <= 0) {
			l->complete = true;
			l->cut = rc == 0 && history_cut(l->history);
			history_close(l->history);
			l->history = NULL;
		}
		if (l->ids.len % 16 == 0 && clock_mono() >= until)
			break;
	}
}

static const struct oid *parents_of(struct log *l, const struct oid *id, size_t *n)
{
	struct commit_links links;
	struct err e = ERR_INIT;

	*n = 0;
	if (repo_links(l->v.t->work->repo, id, &links, &e) < 0)
		return NULL;
	*n = links.n_parents;
	return links.parents;
}

/* Lanes through page `page`; with text, its rows' marks as well. */
static void draw_lanes(struct log *l, size_t page, struct logpage *text)
{
	struct graph g = { ARRAY_INIT };
	struct buf b = BUF_INIT;

	graph_copy(&g, &l->lanes.items[page]);
	for (size_t i = page * ROWS; i < (page + 1) * ROWS && i < l->ids.len; i++) {
		size_t n;
		const struct oid *parents = parents_of(l, &l->ids.items[i], &n);

		buf_reset(&b);
		graph_row(&g, &l->ids.items[i], parents, n, l->v.t->ascii, &b);
		if (text)
			text->rows[i - page * ROWS].graph = arena_strdup(&text->arena, b.ptr);
	}
	buf_release(&b);
	if (l->lanes.len == page + 1 && l->ids.len >= (page + 1) * ROWS)
		*array_add(&l->lanes) = g;
	else
		graph_release(&g);
}

static bool lanes_behind(const struct log *l)
{
	return !l->path && l->lanes.len * ROWS <= l->ids.len;
}

/* ---- pages */

static const char *counts(struct log *l, struct logpage *p, const struct commit_count *n)
{
	struct buf b = BUF_INIT;
	const char *s;

	for (int k = 0; k < 4; k++)
		if (n->open[k])
			buf_addf(&b, "%s%s%u", b.len ? " " : "", thread_kind_glyph((enum thread_kind)k, l->v.t->ascii), n->open[k]);
	if (n->settled)
		buf_addf(&b, "%s%s%u", b.len ? " " : "", glyph(l->v.t, "✓", "+"), n->settled);
	s = arena_strdup(&p->arena, b.ptr);
	buf_release(&b);
	return s;
}

static void fill_page(struct log *l, struct logpage *p)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < p->n; i++) {
		const struct oid *id = &l->ids.items[p->start + i];

		if (repo_commit(l->v.t->work->repo, id, &p->arena, &p->rows[i].info, &e) < 0)
			p->rows[i].info = (struct commit_info){ .id = *id, .subject = "(this commit cannot be read)" };
	}
	p->counted = false;
	l->v.busy = true;
}

/* The numbers follow when no key waits. */
static void count_page(struct log *l, struct logpage *p)
{
	struct work *w = l->v.t->work;
	struct commit_count n[ROWS] = { { { 0 }, 0 } };
	struct err e = ERR_INIT;

	p->counted = true;
	if (index_commit_counts(w->index, &w->scope, &l->ids.items[p->start], p->n, n, &e) < 0)
		trace("tui", "threads on commits: %s", e.msg);
	for (size_t i = 0; i < p->n; i++)
		p->rows[i].threads = counts(l, p, &n[i]);
	l->v.t->dirty = true;
}

static bool count_pages(struct log *l)
{
	for (size_t i = 0; i < PAGES; i++)
		if (l->pages[i].used && !l->pages[i].counted) {
			count_page(l, &l->pages[i]);
			return true;
		}
	return false;
}

static struct logpage *page_of(struct log *l, size_t row)
{
	struct logpage *p = &l->pages[0];
	size_t start = row / ROWS * ROWS, n;

	walk(l, row, clock_mono() + 1000);
	if (row >= l->ids.len)
		return NULL;
	n = l->ids.len - start < ROWS ? l->ids.len - start : ROWS;
	for (size_t i = 0; i < PAGES; i++) {
		if (l->pages[i].used && l->pages[i].start == start && l->pages[i].n == n) {
			p = &l->pages[i];
			break;
		}
		if (l->pages[i].used < p->used)
			p = &l->pages[i];
	}
	if (!p->used || p->start != start || p->n != n) {
		arena_clear(&p->arena);
		memset(p->rows, 0, sizeof(p->rows));
		p->start = start;
		p->n = n;
		p->drawn = false;
		fill_page(l, p);
	}
	if (!p->drawn && !l->path && start / ROWS < l->lanes.len) {
		draw_lanes(l, start / ROWS, p);
		p->drawn = true;
	}
	p->used = ++l->stamp;
	return p;
}

static const struct logrow *row_at(struct log *l, size_t row)
{
	struct logpage *p = page_of(l, row);

	return p && row - p->start < p->n ? &p->rows[row - p->start] : NULL;
}

/* ---- idle work */

static void hunt_over(struct log *l, const char *why)
{
	l->hunt = 0;
	l->v.t->dirty = true;
	if (why)
		tui_say(l->v.t, MSG_INFO, "%s", why);
}

/* Looks on for a commit with threads. */
static void hunt(struct log *l, int64_t until)
{
	do {
		size_t row = l->hunted + (size_t)(long)l->hunt;
		const struct logrow *r = row == SIZE_MAX ? NULL : row_at(l, row);

		while (count_pages(l))
			;
		if (!r) {
			hunt_over(l, "no more commits with threads");
			return;
		}
		l->hunted = row;
		if (r->threads && *r->threads) {
			view_show(&l->v, row);
			hunt_over(l, NULL);
			return;
		}
	} while (!tui_time_over(l->v.t, until));
}

static bool log_idle(struct view *v, int64_t until)
{
	struct log *l = (struct log *)v;
	bool complete = l->complete;

	if (count_pages(l))
		return true;
	if (l->hunt) {
		hunt(l, until);
		return true;
	}
	while (!l->complete && !tui_time_over(v->t, until))
		walk(l, l->ids.len + 256, until);
	if (l->to_end) {
		v->t->dirty = true;
		if (l->complete && l->ids.len)
			view_goto(v, l->ids.len - 1);
	}
	while (l->complete && lanes_behind(l) && !tui_time_over(v->t, until))
		draw_lanes(l, l->lanes.len - 1, NULL);
	if (l->complete != complete)
		v->t->dirty = true;
	if (l->complete && !lanes_behind(l)) {
		for (size_t i = 0; i < PAGES; i++)
			if (l->pages[i].used && !l->pages[i].drawn && !l->path)
				v->t->dirty = true;
		return false;
	}
	return true;
}

/* ---- the view */

static int log_open(struct view *v, int argc, const char *const *argv, struct err *e)
{
	struct log *l = (struct log *)v;
	struct buf name = BUF_INIT;
	struct oid unused;
	int n = 0;

	l->revs = xcalloc((size_t)argc + 1, sizeof(*l->revs));
	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--") && i + 1 < argc) {
			l->path = xstrdup(argv[i + 1]);
			break;
		}
		l->revs[n++] = xstrdup(argv[i]);
		buf_addf(&name, "%s%s", name.len ? " " : "", argv[i]);
	}
	if (!name.len)
		repo_head(v->t->work->repo, &unused, &name);
	l->epoch = v->t->epoch;
	l->name = buf_detach(&name);
	return start_walk(l, e);
}

static void log_close(struct view *v)
{
	struct log *l = (struct log *)v;

	history_close(l->history);
	array_release(&l->ids);
	for (size_t i = 0; i < l->lanes.len; i++)
		graph_release(&l->lanes.items[i]);
	array_release(&l->lanes);
	for (size_t i = 0; i < PAGES; i++)
		arena_release(&l->pages[i].arena);
	for (size_t i = 0; l->revs && l->revs[i]; i++)
		free(l->revs[i]);
	free(l->revs);
	free(l->path);
	free(l->name);
}

static int log_load(struct view *v, struct err *e)
{
	struct log *l = (struct log *)v;

	for (size_t i = 0; i < PAGES; i++)
		l->pages[i].used = 0;
	/* HEAD moved, or everything was asked for again: other refs may have moved as well. */
	if (l->epoch != v->t->epoch && start_walk(l, e) < 0)
		return -1;
	l->epoch = v->t->epoch;
	walk(l, v->cursor + 200, clock_mono() + 400);
	return 0;
}

static size_t log_count(struct view *v)
{
	struct log *l = (struct log *)v;

	if (!l->complete && l->ids.len < v->cursor + 200)
		walk(l, v->cursor + 200, clock_mono() + SLICE_MS);
	return l->ids.len;
}

static void log_cells(struct view *v, size_t row, struct cellv *out)
{
	struct log *l = (struct log *)v;
	const struct logrow *r = row_at(l, row);
	struct tui *t = v->t;
	char hex[GIT_OID_HEX];

	if (!r)
		return;
	out[0] = (struct cellv){ arena_printf(&t->frame, "%.7s", oid_hex(hex, &r->info.id)), STYLE_ID };
	out[1] = (struct cellv){ tui_now_relative(t, r->info.time), STYLE_DATE };
	out[2] = (struct cellv){ r->info.author.name || r->info.author.email ? arena_strdup(&t->frame, who(t, &r->info.author)) : "",
		STYLE_AUTHOR };
	out[3] = (struct cellv){ r->graph ? arena_strdup(&t->frame, r->graph) : "", STYLE_DIM };
	out[4] = (struct cellv){ arena_strdup(&t->frame, r->info.subject ? r->info.subject : ""), STYLE_NORMAL };
	out[5] = (struct cellv){ r->threads ? arena_strdup(&t->frame, r->threads) : "", STYLE_ACCENT };
}

static const char *log_identity(struct view *v, size_t row)
{
	struct log *l = (struct log *)v;
	char hex[GIT_OID_HEX];

	return row < l->ids.len ? arena_strdup(&v->t->frame, oid_hex(hex, &l->ids.items[row])) : NULL;
}

static void log_target(struct view *v, size_t row, struct target *t)
{
	struct log *l = (struct log *)v;
	const struct logrow *r = row_at(l, row);
	char hex[GIT_OID_HEX];

	if (!r)
		return;
	t->commit = arena_strdup(&v->t->frame, oid_hex(hex, &r->info.id));
	t->anchor = arena_printf(&v->t->frame, "commit:%s", t->commit);
	t->quote = r->info.subject;
}

/* Goes on in the idle work where it takes longer than a key may wait. */
static void start_hunt(struct log *l, int dir)
{
	struct tui *t = l->v.t;

	l->hunt = dir;
	l->hunted = l->v.cursor;
	hunt(l, t->patience < 0 ? INT64_MAX : clock_mono() + t->patience);
	l->v.busy = t->dirty = true;
}

static bool start_for_the_end(struct log *l)
{
	walk(l, SIZE_MAX - 1, l->v.t->patience < 0 ? INT64_MAX : clock_mono() + l->v.t->patience);
	l->to_end = !l->complete;
	l->v.busy = l->v.busy || l->to_end;
	return l->to_end;
}

/* Who moves wants nothing else any more. */
static void log_moved(struct view *v)
{
	struct log *l = (struct log *)v;

	l->to_end = false;
	l->hunt = 0;
}

static bool log_growing(struct view *v)
{
	return !((struct log *)v)->complete;
}

static bool log_seeking(struct view *v)
{
	return ((struct log *)v)->to_end || ((struct log *)v)->hunt;
}

static bool log_act(struct view *v, enum act a, const char *arg)
{
	struct log *l = (struct log *)v;

	(void)arg;
	if (a == ACT_NEXT_THREAD || a == ACT_PREV_THREAD) {
		start_hunt(l, a == ACT_NEXT_THREAD ? 1 : -1);
		return true;
	}
	if (a == ACT_CANCEL && (l->hunt || l->to_end)) {
		log_moved(v);
		return true;
	}
	return a == ACT_LAST && start_for_the_end(l);
}

/* 42118 as "42,118". */
static void add_thousands(struct buf *b, size_t n)
{
	if (n >= 1000) {
		add_thousands(b, n / 1000);
		buf_addf(b, ",%03zu", n % 1000);
	} else {
		buf_addf(b, "%zu", n);
	}
}

static void log_title(struct view *v, struct buf *left, struct buf *right)
{
	struct log *l = (struct log *)v;
	const char *dot = glyph(v->t, "·", "-");

	buf_addf(left, "%s %s log", repo_name(v->t->work->repo), dot);
	if (*l->name) {
		buf_addf(left, " %s ", dot);
		text_sanitize(left, l->name, strlen(l->name), 0);
	}
	if (l->path) {
		buf_addf(left, " %s ", dot);
		text_sanitize(left, l->path, strlen(l->path), 0);
	}
	if (l->to_end || l->hunt)
		buf_addf(right, "%s%s  ", l->hunt ? "looking for threads" : "to the end", glyph(v->t, "…", "..."));
	add_thousands(right, l->ids.len);
	buf_addf(right, "%s commit%s%s", l->complete ? "" : "+", l->ids.len == 1 ? "" : "s", l->cut ? " (shallow clone)" : "");
}

static void log_empty(struct view *v, struct styled *out)
{
	say_empty(out, v->area.w, "There are no commits here yet.", "The first commit fills this; I shows the inbox, q goes back.");
}

static const struct column columns[] = {
	{ .name = "commit", .min = 7, .max = 7, .gap = 2 },
	{ .name = "age", .min = 4, .max = 10, .from = 50, .align = COL_RIGHT, .gap = 2 },
	{ .name = "author", .max = 16, .from = 70, .gap = 2 },
	{ .name = "graph", .min = 1, .max = GRAPH_SHOWN + 1, .from = 50, .gap = 2 },
	{ .name = "subject", .min = 12, .flex = true, .gap = 2 },
	{ .name = "threads", .max = 14, .align = COL_RIGHT, .gap = 1 },
	{ .name = NULL },
};

const struct view_ops log_view = {
	.name = "log", .args = "[REVISION…] [-- PATH]", .help = "history with its threads", .kind = VIEW_LIST,
	.size = sizeof(struct log), .columns = columns,
	.hints = "open=open\nask-here=ask\nnext-thread=next with threads\nfilter=find\nkeys=keys\nback=back",
	.open = log_open, .close = log_close, .load = log_load, .idle = log_idle, .count = log_count, .cells = log_cells,
	.growing = log_growing, .seeking = log_seeking,
	.identity = log_identity, .target = log_target, .act = log_act, .moved = log_moved, .title = log_title, .empty = log_empty,
};
