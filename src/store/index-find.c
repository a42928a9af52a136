/* SPDX-License-Identifier: MIT */
/*
 * Finding: the first of the two statements of a list (index-load.c has the other) is made from a driver (the table whose
 * index has the order: thread, or box for the inbox) and the query's condition. Each source of the scope is a branch of a
 * UNION ALL, which SQLite merges row by row, so that a first page costs a page however many threads there are.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "index-load.h"

/* ---- the first statement ---- */

struct plan {
	struct clause c;
	const struct thread_find *f;
	int64_t *sources;
	size_t n_sources;
	bool merged;             /* a branch a source */
	bool box;                /* drive by box */
	unsigned waits;          /* bits of enum waits */
	bool unread;
	bool newest;             /* of matches: those first, since there are too many to be ranked */
	struct buf sql;
};

/* What the whole query demands at its top may be had from the box: its order is the list's. */
static void plan_box(struct plan *p, const struct query *q)
{
	if (!q)
		return;
	if (q->op == Q_AND) {
		plan_box(p, q->left);
		plan_box(p, q->right);
	}
	if (q->op != Q_TERM || !p->c.boxed)
		return;
	if (q->key == QK_WAITING && !strcmp(q->value, "me"))
		p->waits &= 1u << WAITS_FOR_ME;
	else if (q->key == QK_WAITING && !strcmp(q->value, "others"))
		p->waits &= 1u << WAITS_FOR_OTHERS;
	else if (q->key == QK_IS && !strcmp(q->value, "unread"))
		p->unread = true;
	else
		return;
	p->box = true;
}

static void plan_init(struct plan *p, struct index *ix, const struct scope *s, const struct thread_find *f,
    struct arena *a)
{
	*p = (struct plan){ .f = f, .sql = BUF_INIT, .waits = 7 };
	clause_init(&p->c, ix, s, false, a);
	p->n_sources = index_sources(ix, p->c.s->repo, a, &p->sources);
	p->merged = p->n_sources <= BRANCHES_MAX;
	plan_box(p, f->query);
}

static void plan_release(struct plan *p)
{
	clause_release(&p->c);
	buf_release(&p->sql);
}

static void add_source(struct plan *p, const char *column, const int64_t *source)
{
	struct buf all = BUF_INIT;

	if (source) {
		buf_addf(&p->sql, "%s=?%d", column, clause_int(&p->c, *source));
		return;
	}
	clause_sources(&p->c, &all);
	buf_addf(&p->sql, "%s IN %s", column, all.ptr);
	buf_release(&all);
}

static void add_condition(struct plan *p, const char *key)
{
	const struct thread *after = p->f->after;

	if (p->f->query)
		buf_addf(&p->sql, " AND %s", p->c.sql.ptr);
	if (after)
		buf_addf(&p->sql, " AND (%s)%c(?%d,?%d)", key, p->f->oldest ? '>' : '<',
			 clause_int(&p->c, p->f->sort == SORT_CREATED ? after->created : after->updated),
			 clause_int(&p->c, after->row));
}

static void box_branch(struct plan *p, const int64_t *source, unsigned waits)
{
	buf_addf(&p->sql, "SELECT b.thread AS id, b.updated AS k FROM box b%s WHERE b.who=?%d AND b.waits=%u%s AND ",
		 p->f->query ? " CROSS JOIN thread t ON t.id=b.thread" : "", clause_int(&p->c, p->c.who), waits,
		 p->unread ? " AND b.unread>0" : "");
	add_source(p, "b.source", source);
	add_condition(p, "b.updated, b.thread");
}

static void thread_branch(struct plan *p, const int64_t *source, const char *key)
{
	char order[32];

	snprintf(order, sizeof(order), "t.%s, t.id", key);
	buf_addf(&p->sql, "SELECT t.id AS id, t.%s AS k FROM thread t WHERE t.of IS NULL AND ", key);
	add_source(p, "t.source", source);
	add_condition(p, order);
}

static void plan_by_box(struct plan *p)
{
	size_t n = p->merged ? p->n_sources : 1, added = 0;

	for (size_t i = 0; i < n; i++)
		for (unsigned w = WAITS_NONE; w <= WAITS_FOR_OTHERS; w++) {
			if (!(p->waits & 1u << w))
				continue;
			buf_addstr(&p->sql, added++ ? " UNION ALL " : "");
			box_branch(p, p->merged ? &p->sources[i] : NULL, w);
		}
	if (added == 0)
		buf_addstr(&p->sql, "SELECT 0 AS id, 0 AS k WHERE 0");
	buf_addstr(&p->sql, p->f->oldest ? " ORDER BY k, id" : " ORDER BY k DESC, id DESC");
}

static void plan_by_thread(struct plan *p, const char *key)
{
	size_t n = p->merged ? p->n_sources : 1;

	for (size_t i = 0; i < n; i++) {
		buf_addstr(&p->sql, i ? " UNION ALL " : "");
		thread_branch(p, p->merged ? &p->sources[i] : NULL, key);
	}
	if (n == 0)
		buf_addstr(&p->sql, "SELECT 0 AS id, 0 AS k WHERE 0");
	buf_addstr(&p->sql, p->f->oldest ? " ORDER BY k, id" : " ORDER BY k DESC, id DESC");
}

static void plan_where(struct plan *p)
{
	struct buf sources = BUF_INIT;

	clause_sources(&p->c, &sources);
	buf_addf(&p->sql, " WHERE t.of IS NULL AND t.source IN %s", sources.ptr);
	if (p->f->query)
		buf_addf(&p->sql, " AND %s", p->c.sql.ptr);
	buf_release(&sources);
}

static void plan_by_place(struct plan *p)
{
	buf_addf(&p->sql, "SELECT t.id AS id, 0 AS k FROM thread t LEFT JOIN place p ON p.thread=t.id AND p.view=?%d",
		 clause_int(&p->c, p->c.s->view));
	plan_where(p);
	buf_addstr(&p->sql, " ORDER BY coalesce(p.at, t.path) IS NULL, coalesce(p.at, t.path), coalesce(p.at_line, t.line), t.id");
}

/* The best post of each thread decides. Lower is better (fts5.html, bm25). */
static void plan_by_match(struct plan *p)
{
	buf_addf(&p->sql, "SELECT t.id AS id, m.post AS k FROM (SELECT o.thread AS thread, %s FROM (SELECT rowid AS i%s FROM fts WHERE"
		 " fts MATCH ?%d) x CROSS JOIN post o ON o.id=x.i WHERE o.thread IS NOT NULL GROUP BY o.thread) m CROSS JOIN thread t"
		 " ON t.id=m.thread", p->newest ? "max(o.id) AS post" : "o.id AS post, min(x.r) AS r", p->newest ? "" : ", rank AS r",
		 clause_text(&p->c, arena_strdup(p->c.a, p->c.match.ptr)));
	plan_where(p);
	buf_addstr(&p->sql, p->newest ? " ORDER BY m.post DESC" : " ORDER BY m.r, t.updated DESC, t.id");
}

static int plan_sql(struct plan *p, struct err *e)
{
	if (p->f->query && clause_query(&p->c, p->f->query, e))
		return -1;
	if (p->f->sort == SORT_MATCH && p->c.match.len)
		plan_by_match(p);
	else if (p->f->sort == SORT_PLACE)
		plan_by_place(p);
	else if (p->f->sort == SORT_CREATED)
		plan_by_thread(p, "created");
	else if (p->box)
		plan_by_box(p);
	else
		plan_by_thread(p, "updated");
	return 0;
}

static sqlite3_stmt *plan_prepare(struct plan *p, struct err *e)
{
	sqlite3_stmt *st = db_prep_once(&p->c.ix->db, p->sql.ptr);

	if (!st)
		db_fail(&p->c.ix->db, e);
	clause_bind(&p->c, st);
	return st;
}

/* One row more than the limit tells whether there are more. */
static int plan_rows(struct plan *p, struct rows *out, struct rows *beside, bool *more, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (plan_sql(p, e))
		return -1;
	if (p->f->limit || p->f->skip)
		buf_addf(&p->sql, " LIMIT ?%d OFFSET ?%d", clause_int(&p->c, p->f->limit ? (int64_t)p->f->limit + 1 : -1),
			 clause_int(&p->c, (int64_t)p->f->skip));
	st = plan_prepare(p, e);
	if (!st)
		return -1;
	rc = rows_collect(p->c.ix, st, out, beside, e);
	sqlite3_finalize(st);
	*more = p->f->limit && out->len > p->f->limit;
	if (*more)
		out->len = p->f->limit;
	return rc;
}

/* ---- words that stand in very many posts ---- */

/*
 * To rank 400,000 posts takes seconds and says nothing: where more than WIDE match, the newest come first, and only as many
 * are looked at as the page needs. Threads are taken in the order of their newest match from a window of the newest
 * matches, WINDOW_GROWS times as large each time it was not enough, and the whole query is asked of some of them at a time.
 * Where more than WIDE threads are wanted, one statement puts all of them in that order.
 */
enum { WIDE = 2000, WINDOW = 500, WINDOW_GROWS = 8, ASKED = 64 };

struct wide {
	struct plan *p;
	struct rows threads, posts;   /* candidates; the same beginning whatever the window */
	size_t asked;
	bool all;                     /* no match is left out of the window */
	sqlite3_stmt *st;
	int list;                     /* its parameter */
	size_t skipped;
	struct rows *out, *beside;
	struct err *e;
};

static int is_wide(struct plan *p, bool *yes, struct err *e)
{
	int64_t n = 0;
	int rc = db_get_int(&p->c.ix->db, e, &n, "SELECT count(*) FROM (SELECT 1 FROM fts WHERE fts MATCH ?1 LIMIT ?2)", "ti",
			    p->c.match.ptr, (int64_t)WIDE + 1);

	*yes = n > WIDE;
	return rc < 0 ? -1 : 0;
}

static int wide_candidates(struct wide *w, int64_t window)
{
	struct db *d = &w->p->c.ix->db;
	sqlite3_stmt *st = db_prep(d, "SELECT o.thread, max(o.id) AS post, count(*) FROM (SELECT rowid AS i FROM fts WHERE fts MATCH ?1"
		" ORDER BY rowid DESC LIMIT ?2) x CROSS JOIN post o ON o.id=x.i GROUP BY o.thread ORDER BY post DESC");
	int64_t seen = 0;
	int rc;

	w->threads.len = w->posts.len = 0;
	db_bind(st, "ti", w->p->c.match.ptr, window);
	while ((rc = db_step(d, st, w->e)) == 1) {
		seen += col_int(st, 2);
		if (sqlite3_column_type(st, 0) == SQLITE_NULL)
			continue;
		*array_add(&w->threads) = col_int(st, 0);
		*array_add(&w->posts) = col_int(st, 1);
	}
	w->all = seen < window;
	return rc;
}

static int wide_prepare(struct wide *w)
{
	struct plan *p = w->p;

	w->list = clause_text(&p->c, "[]");
	buf_reset(&p->sql);
	buf_addf(&p->sql, "SELECT t.id, j.key FROM json_each(?%d) j CROSS JOIN thread t ON t.id=j.value", w->list);
	plan_where(p);
	buf_addstr(&p->sql, " ORDER BY j.key");
	w->st = plan_prepare(p, w->e);
	return w->st ? 0 : -1;
}

/* The next candidates: those that the query takes go to the page. */
static int wide_ask(struct wide *w)
{
	struct rows some = { &w->threads.items[w->asked], w->threads.len - w->asked, 0 };
	size_t from = w->asked;
	char *list;
	int rc;

	some.len = some.len < ASKED ? some.len : ASKED;
	w->asked += some.len;
	list = rows_json(&some);
	sqlite3_reset(w->st);
	sqlite3_bind_text(w->st, w->list, list, -1, SQLITE_TRANSIENT);
	free(list);
	while ((rc = sqlite3_step(w->st)) == SQLITE_ROW) {
		if (w->skipped++ < w->p->f->skip)
			continue;
		*array_add(w->out) = col_int(w->st, 0);
		*array_add(w->beside) = w->posts.items[from + (size_t)col_int(w->st, 1)];
	}
	sqlite3_reset(w->st);
	return rc == SQLITE_DONE ? 0 : db_fail(&w->p->c.ix->db, w->e);
}

static bool wide_has_page(const struct wide *w)
{
	return w->p->f->limit && w->out->len > w->p->f->limit;
}

static int wide_rows(struct plan *p, struct rows *out, struct rows *beside, bool *more, struct err *e)
{
	struct wide w = { .p = p, .threads = ARRAY_INIT, .posts = ARRAY_INIT, .out = out, .beside = beside, .e = e };
	int rc = wide_prepare(&w);

	for (int64_t n = WINDOW; !rc && !w.all && !wide_has_page(&w); n *= WINDOW_GROWS) {
		rc = wide_candidates(&w, n);
		while (!rc && w.asked < w.threads.len && !wide_has_page(&w))
			rc = wide_ask(&w);
	}
	*more = wide_has_page(&w);
	if (*more)
		out->len = p->f->limit;
	sqlite3_finalize(w.st);
	array_release(&w.threads);
	array_release(&w.posts);
	return rc;
}

/* By match: the clause is compiled for what it is to be asked of. */
static int match_rows(struct plan *p, struct rows *out, struct rows *beside, bool *more, struct err *e)
{
	bool wide = false, few = p->f->limit && p->f->limit + p->f->skip <= WIDE;

	if (p->f->sort != SORT_MATCH || !p->f->query)
		return plan_rows(p, out, beside, more, e);
	if (clause_query(&p->c, p->f->query, e) || (p->c.match.len && is_wide(p, &wide, e)))
		return -1;
	clause_again(&p->c, wide && few);
	p->newest = wide;
	if (!wide || !few)
		return plan_rows(p, out, beside, more, e);
	return clause_query(&p->c, p->f->query, e) || wide_rows(p, out, beside, more, e) ? -1 : 0;
}

/*
 * Snippets from the best post of each thread on the page. The matches between the first and the last are listed and the others
 * passed over, since to look one of them up takes as long as to list a hundred.
 */
static int add_matches(struct plan *p, const struct rows *posts, struct arena *a, struct thread_list *out, struct err *e)
{
	struct index *ix = p->c.ix;
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT o.thread, snippet(fts, -1, char(1), char(2), '\xe2\x80\xa6', 24) FROM fts"
		" CROSS JOIN post o ON o.id=fts.rowid WHERE fts MATCH ?1 AND fts.rowid BETWEEN (SELECT min(value) FROM json_each(?2)) AND (SELECT max(value) FROM json_each(?2))"
		" AND +fts.rowid IN (SELECT value FROM json_each(?2))");
	char *list = rows_json(posts);
	int rc;

	db_bind(st, "tt", p->c.match.ptr, list);
	while ((rc = db_step(&ix->db, st, e)) == 1) {
		for (size_t i = 0; i < out->len; i++)
			if (out->items[i].row == col_int(st, 0))
				out->items[i].match = col_text(a, st, 1);
	}
	free(list);
	return rc;
}

/* beside: of matches the posts that match. */
static int load_found(struct plan *p, const struct rows *rows, const struct rows *beside, struct arena *a,
    struct thread_list *out, struct err *e)
{
	int rc = load_threads(p->c.ix, p->c.s, rows, p->f->posts ? LOAD_POSTS : LOAD_LINES, a, out, e);

	return rc || p->f->sort != SORT_MATCH || !p->c.match.len ? rc : add_matches(p, beside, a, out, e);
}

static int find_threads(struct plan *p, struct thread_list *out, struct err *e)
{
	struct rows rows = ARRAY_INIT, beside = ARRAY_INIT;
	int rc = match_rows(p, &rows, &beside, &out->more, e);

	beside.len = rows.len;
	if (!rc)
		rc = load_found(p, &rows, &beside, p->c.a, out, e);
	array_release(&rows);
	array_release(&beside);
	return rc;
}

/* SQLite's steps between two questions. */
#define STEPS 4000

static int asked_to_stop(void *p)
{
	const struct index *ix = p;

	return ix->stop(ix->stop_ctx);
}

void index_yield(struct index *ix, bool (*stop)(void *ctx), void *ctx)
{
	ix->stop = stop;
	ix->stop_ctx = ctx;
	sqlite3_progress_handler(ix->db.sql, STEPS, stop ? asked_to_stop : NULL, ix);
}

int index_threads(struct index *ix, const struct scope *s, const struct thread_find *f, struct arena *a,
    struct thread_list *out, struct err *e)
{
	struct plan p;
	int rc;

	*out = (struct thread_list){ 0 };
	if (index_read_begin(ix, e))
		return -1;
	plan_init(&p, ix, s, f, a);
	rc = find_threads(&p, out, e);
	plan_release(&p);
	index_read_end(ix);
	return rc;
}

struct index_found {
	struct plan p;
	struct thread_find f;
	struct arena a;
	struct rows rows, beside;
	size_t at;
};

int index_find(struct index *ix, const struct scope *s, const struct thread_find *f, struct index_found **out, struct err *e)
{
	struct index_found *x = xcalloc(1, sizeof(*x));
	bool more;
	int rc = -1;

	x->f = *f;
	plan_init(&x->p, ix, s, &x->f, &x->a);
	if (!index_read_begin(ix, e)) {
		rc = match_rows(&x->p, &x->rows, &x->beside, &more, e);
		index_read_end(ix);
	}
	if (rc)
		index_found_free(x);
	else
		*out = x;
	return rc;
}

int index_found_page(struct index_found *x, size_t n, struct arena *a, struct thread_list *out, struct err *e)
{
	size_t left = x->rows.len - x->at, len = left < n ? left : n;
	struct rows rows = { x->rows.items + x->at, len, 0 }, beside = { x->beside.items + x->at, len, 0 };
	int rc = 0;

	*out = (struct thread_list){ 0 };
	if (!len)
		return 0;
	if (index_read_begin(x->p.c.ix, e))
		return -1;
	rc = load_found(&x->p, &rows, &beside, a, out, e);
	index_read_end(x->p.c.ix);
	x->at += len;
	out->more = x->at < x->rows.len;
	return rc;
}

void index_found_free(struct index_found *x)
{
	if (!x)
		return;
	plan_release(&x->p);
	array_release(&x->rows);
	array_release(&x->beside);
	arena_release(&x->a);
	free(x);
}

static int count_rows(struct plan *p, uint64_t *n, struct err *e)
{
	sqlite3_stmt *st;
	struct buf whole = BUF_INIT;
	char *order;
	int rc;

	if (plan_sql(p, e))
		return -1;
	order = strstr(p->sql.ptr, " ORDER BY k DESC");
	buf_addf(&whole, "SELECT count(*) FROM (%.*s)", order ? (int)(order - p->sql.ptr) : (int)p->sql.len, p->sql.ptr);
	buf_reset(&p->sql);
	buf_addbuf(&p->sql, &whole);
	buf_release(&whole);
	st = plan_prepare(p, e);
	if (!st)
		return -1;
	rc = db_step(&p->c.ix->db, st, e);
	if (rc == 1)
		*n = (uint64_t)col_int(st, 0);
	sqlite3_finalize(st);
	return rc < 0 ? -1 : 0;
}

int index_count_threads(struct index *ix, const struct scope *s, const struct query *q, uint64_t *n, struct err *e)
{
	struct thread_find f = { .query = q };
	struct arena a = ARENA_INIT;
	struct plan p;
	int rc;

	*n = 0;
	if (index_read_begin(ix, e))
		return -1;
	plan_init(&p, ix, s, &f, &a);
	rc = count_rows(&p, n, e);
	plan_release(&p);
	index_read_end(ix);
	arena_release(&a);
	return rc;
}

/* ---- the inbox ---- */

static int kept_count(struct plan *p, unsigned waits, uint64_t *n, struct err *e)
{
	int64_t one;

	for (size_t i = 0; i < p->n_sources; i++) {
		if (db_get_int(&p->c.ix->db, e, &one, "SELECT n FROM box_count WHERE who=?1 AND source=?2 AND waits=?3", "iii",
		    p->c.who, p->sources[i], (int64_t)waits) < 0)
			return -1;
		*n += one > 0 ? (uint64_t)one : 0;
	}
	return 0;
}

int index_inbox_page(struct index *ix, const struct scope *s, enum inbox_section which, const struct thread_find *find,
    struct arena *a, struct thread_list *out, uint64_t *total, struct err *e)
{
	static const enum waits of[] = {
		[INBOX_FOR_ME] = WAITS_FOR_ME, [INBOX_FOR_OTHERS] = WAITS_FOR_OTHERS, [INBOX_NEW] = WAITS_NONE,
	};
	struct thread_find f = *find;
	struct plan p;
	uint64_t n = 0;
	int rc = 0;

	*out = (struct thread_list){ 0 };
	if (total)
		*total = 0;
	f.sort = SORT_UPDATED;
	if (f.query && f.query->op == Q_ALL)
		f.query = NULL;
	if (index_read_begin(ix, e))
		return -1;
	plan_init(&p, ix, s, &f, a);
	p.box = true;
	p.waits = 1u << of[which];
	p.unread = which == INBOX_NEW || p.unread;
	if (!p.c.boxed)
		goto out;
	rc = find_threads(&p, out, e);
	if (rc || !total)
		goto out;
	if (!f.query) {
		rc = kept_count(&p, of[which], &n, e);
	} else {
		plan_release(&p);
		f.after = NULL;
		plan_init(&p, ix, s, &f, a);
		p.box = true;
		p.waits = 1u << of[which];
		p.unread = which == INBOX_NEW || p.unread;
		rc = count_rows(&p, &n, e);
	}
	*total = n;
out:
	plan_release(&p);
	index_read_end(ix);
	return rc;
}

int index_inbox(struct index *ix, const struct scope *s, enum inbox_section which, const struct query *filter,
    size_t limit, size_t skip, struct arena *a, struct thread_list *out, uint64_t *total, struct err *e)
{
	struct thread_find f = { .query = filter, .limit = limit, .skip = skip };

	return index_inbox_page(ix, s, which, &f, a, out, total, e);
}
