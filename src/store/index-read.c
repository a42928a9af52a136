/* SPDX-License-Identifier: MIT */
/*
 * Reading. A list is two statements in one snapshot, whatever its length: the first yields the numbers of the rows in
 * order, by ranges of indexes; the second reads those rows with everything that a line shows.
 *
 * The first is made from a driver (the table whose index has the order: thread, or box for the inbox) and the query's
 * condition. Each source of the scope is a branch of a UNION ALL, which SQLite merges row by row, so that a first page
 * costs a page however many threads there are.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "index-private.h"

/* ---- rows ---- */

/* Ids are random: a neighbour's is a page of its own, as is what is unread. So both are read only where they are shown, and
 * for ids in full where some need more than twelve digits (FULL_ID). */
#define NEIGHBOUR(end, side) "CASE WHEN ?5 OR coalesce((SELECT value FROM counter WHERE name='long_ids'), 1) THEN (SELECT " \
	end "(hid) FROM thread WHERE hid" side "coalesce(m.hid, t.hid)) END"
#define THREAD_COLUMNS \
	"t.id, coalesce(m.hid, t.hid), " NEIGHBOUR("max", "<") ", " NEIGHBOUR("min", ">") ", CASE WHEN s.kind IN ('native', 'private') THEN s.kind ELSE" \
	" s.name END, t.kind, t.state, t.audience, t.created, t.updated, coalesce(m.n_posts, t.n_posts), t.type, t.side, t.line, t.end," \
	" t.col, t.col_end, t.path, t.sha, t.blob, t.section, t.task, t.title, t.url, t.asked, t.labels, t.links," \
	" a.name, a.email, a.login, l.name, l.email, l.login," \
	" CASE WHEN ?5 THEN coalesce((SELECT b.unread FROM box b WHERE b.thread=coalesce(t.of, t.id) AND b.who=?3), 0) ELSE 0 END," \
	" p.state, p.path, p.line, p.end, p.confidence, CASE WHEN p.state IN (1,2,3) THEN v.head ELSE p.sha END, p.last_sha, p.last_path, p.last_line, p.last_end," \
	" p.near_before, p.near_after, p.why, CASE WHEN ?4 THEN t.quote END, CASE WHEN ?4 THEN t.before END," \
	" CASE WHEN ?4 THEN t.after END"
#define THREAD_JOINS " CROSS JOIN source s ON s.id=t.source LEFT JOIN thread m ON m.id=t.of CROSS JOIN person a ON a.id=t.author" \
	" CROSS JOIN person l ON l.id=t.last"

static const char *text_or_null(struct row *r)
{
	const char *s = row_text(r);

	return s && *s ? s : NULL;
}

static void read_person(struct row *r, struct person *p)
{
	p->name = text_or_null(r);
	p->email = text_or_null(r);
	p->login = login_shown(text_or_null(r));
}

/* The id in full and short: twelve and six digits, more where a neighbour shares them. */
static void read_id(struct row *r, char letter, const char **id, const char **abbrev)
{
	int64_t hid = row_int(r), around[2];
	const int64_t *before = NULL, *after = NULL;
	char hex[17];

	if (sqlite3_column_type(r->st, r->i) != SQLITE_NULL)
		before = &around[0];
	around[0] = row_int(r);
	if (sqlite3_column_type(r->st, r->i) != SQLITE_NULL)
		after = &around[1];
	around[1] = row_int(r);
	hid_hex(hex, hid);
	*id = arena_printf(r->a, "%c%.*s", letter, (int)hid_digits(hid, before, after, FULL_ID), hex);
	if (abbrev)
		*abbrev = arena_printf(r->a, "%c%.*s", letter, (int)hid_digits(hid, before, after, 6), hex);
}

static void read_place(struct row *r, struct place *p)
{
	p->pending = sqlite3_column_type(r->st, r->i) == SQLITE_NULL;
	p->state = (enum place_state)row_int(r);
	p->path = row_text(r);
	p->line = (uint32_t)row_int(r);
	p->end = (uint32_t)row_int(r);
	p->confidence = row_real(r);
	p->commit = row_text(r);
	p->last_commit = row_text(r);
	p->last_path = row_text(r);
	p->last_line = (uint32_t)row_int(r);
	p->last_end = (uint32_t)row_int(r);
	p->near_before = (uint32_t)row_int(r);
	p->near_after = (uint32_t)row_int(r);
	p->why = row_text(r);
}

static void read_anchor(struct row *r, struct anchor *an)
{
	an->type = (enum anchor_type)row_int(r);
	an->side = (enum anchor_side)row_int(r);
	an->line = (uint32_t)row_int(r);
	an->end = (uint32_t)row_int(r);
	an->col = (uint32_t)row_int(r);
	an->col_end = (uint32_t)row_int(r);
	an->path = row_text(r);
	an->commit = row_text(r);
	an->blob = row_text(r);
	an->section = row_text(r);
	an->task = row_text(r);
}

static void read_thread(struct row *r, bool plain, struct thread *t)
{
	t->row = row_int(r);
	read_id(r, 'k', &t->id, plain ? NULL : &t->abbrev);
	t->abbrev = plain ? t->id : t->abbrev;
	t->source = row_text(r);
	t->kind = (enum thread_kind)row_int(r);
	t->state = (enum thread_state)row_int(r);
	t->audience = (enum audience)row_int(r);
	t->created = row_int(r);
	t->updated = row_int(r);
	t->n_posts = (unsigned)row_int(r);
	read_anchor(r, &t->anchor);
	t->title = row_text(r);
	t->url = row_text(r);
	people_unpack(r->a, row_text(r), &t->asked, &t->n_asked);
	logins_shown(t->asked, t->n_asked);
	words_unpack(r->a, row_text(r), &t->labels, &t->n_labels);
	words_unpack(r->a, row_text(r), &t->links, &t->n_links);
	read_person(r, &t->author);
	read_person(r, &t->last_author);
	t->n_unread = (unsigned)row_int(r);
	read_place(r, &t->place);
	t->anchor.quote = row_text(r);
	t->anchor.before = row_text(r);
	t->anchor.after = row_text(r);
}

/* ---- posts ---- */

struct loaded_post { struct post p; int64_t thread, op; bool mine; };
struct loaded_posts { struct loaded_post *items; size_t len, alloc; };

static void read_reactions(struct arena *a, const char *json, const struct scope *s, struct post *p)
{
	struct err e = ERR_INIT;
	json_t *all = json ? json_read(json, strlen(json), "reactions", &e) : NULL;

	p->n_reactions = all ? json_array_size(all) : 0;
	p->reactions = p->n_reactions ? arena_alloc(a, p->n_reactions * sizeof(*p->reactions)) : NULL;
	for (size_t i = 0; i < p->n_reactions; i++) {
		const json_t *one = json_array_get(all, i), *by = json_array_get(one, 2);
		struct reaction *r = &p->reactions[i];
		r->emoji = arena_strdup(a, json_string_value(json_array_get(one, 0)));
		r->n = (unsigned)json_integer_value(json_array_get(one, 1));
		r->mine = json_is_true(json_array_get(one, 3));
		if (r->n == 0 || json_array_size(by) != r->n)
			continue;
		r->by = arena_alloc(a, json_array_size(by) * sizeof(*r->by));
		for (size_t k = 0; k < json_array_size(by); k++) {
			person_from_json(a, json_array_get(by, k), &r->by[k]);
			for (const char *const *m = s ? s->me : NULL; m && *m; m++)
				r->mine = r->mine || person_same_email(&(struct person){ .email = *m }, &r->by[k]);
		}
	}
	json_decref(all);
}

/* All sixteen digits: unique without a look at the neighbours, which in a big index lie on pages of their own. */
static void read_long_id(struct row *r, const char **id)
{
	char hex[17];

	hid_hex(hex, row_int(r));
	*id = arena_printf(r->a, "p%s", hex);
}

static void read_post(struct row *r, const struct scope *s, int64_t who, bool long_ids, struct loaded_post *lp)
{
	struct post *p = &lp->p;

	lp->thread = row_int(r);
	if (long_ids)
		read_long_id(r, &p->id);
	else
		read_id(r, 'p', &p->id, NULL);
	lp->op = row_int(r);
	lp->mine = p->mine = row_int(r) == who && who;
	p->time = row_int(r);
	p->edited = row_int(r);
	p->state = (enum post_state)row_int(r);
	p->accepted = row_int(r) != 0;
	p->restricted = row_int(r) != 0;
	p->body = row_text(r);
	read_person(r, &p->author);
	read_reactions(r->a, row_text(r), s, p);
}

struct mark { int64_t upto; };

static int newest_first(const void *a, const void *b, void *ctx)
{
	const struct loaded_post *x = *(struct loaded_post *const *)a, *y = *(struct loaded_post *const *)b;
	const struct mark *m = ctx;
	int dx = x->p.time > m->upto, dy = y->p.time > m->upto;

	if (dx != dy)
		return dy - dx;
	return x->op > y->op ? -1 : x->op < y->op;
}

/* Which posts are unread: how many is known; those after the mark's time first, then what arrived last. */
static int mark_unread(struct index *ix, const struct scope *s, struct thread *t, struct loaded_post *posts, size_t n,
    struct err *e)
{
	struct loaded_post **others;
	size_t n_others = 0;
	struct mark m = { 0 };
	sqlite3_stmt *st;
	int rc;

	if (!s || !s->me || !s->me[0] || !t->n_unread)
		return 0;
	st = db_prep(&ix->db, "SELECT max(coalesce(m.upto, 0), s.since) FROM thread t CROSS JOIN source s ON s.id=t.source LEFT JOIN"
		     " readmark m ON m.entity=t.entity AND m.who=?2 WHERE t.id=?1");
	db_bind(st, "it", t->row, s->me[0]);
	rc = db_step(&ix->db, st, e);
	if (rc == 1) {
		m.upto = col_int(st, 0);
		db_reset(st);
	}
	others = xcalloc(n + 1, sizeof(*others));
	for (size_t i = 0; i < n; i++)
		if (!posts[i].mine)
			others[n_others++] = &posts[i];
	qsort_r(others, n_others, sizeof(*others), newest_first, &m);
	for (size_t i = 0; i < n_others && i < t->n_unread; i++)
		others[i]->p.unread = true;
	free(others);
	return rc < 0 ? -1 : 0;
}

static int give_posts(struct index *ix, const struct scope *s, struct arena *a, struct thread *t,
    struct loaded_posts *all, size_t *at, struct err *e)
{
	size_t start = *at;

	while (*at < all->len && all->items[*at].thread == t->row)
		++*at;
	if (mark_unread(ix, s, t, all->items + start, *at - start, e))
		return -1;
	t->n_posts = (unsigned)(*at - start);
	t->posts = arena_alloc(a, t->n_posts * sizeof(*t->posts));
	for (size_t i = start; i < *at; i++)
		t->posts[i - start] = all->items[i].p;
	return 0;
}

#define AROUND "(SELECT max(hid) FROM post WHERE hid<p.hid), (SELECT min(hid) FROM post WHERE hid>p.hid), "
#define POSTS(around) "SELECT p.thread, p.hid, " around "p.op, p.who, p.time, p.edited, p.state, p.accepted, p.restricted, p.body," \
	" a.name, a.email, a.login, p.reactions FROM json_each(?1) j CROSS JOIN post p ON p.thread=j.value" \
	" CROSS JOIN person a ON a.id=p.person ORDER BY j.key, p.n"

static int load_posts(struct index *ix, const struct scope *s, struct arena *a, const char *rows, bool long_ids,
    struct thread_list *out, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, long_ids ? POSTS("") : POSTS(AROUND));
	struct loaded_posts all = ARRAY_INIT;
	int64_t who = index_scope_who(ix, s);
	size_t at = 0;
	int rc;

	db_bind(st, "t", rows);
	while ((rc = db_step(&ix->db, st, e)) == 1)
		read_post(&(struct row){ st, a, 0 }, s, who, long_ids, array_add(&all));
	for (size_t i = 0; !rc && i < out->len; i++)
		rc = give_posts(ix, s, a, &out->items[i], &all, &at, e);
	array_release(&all);
	return rc;
}

/* ---- lists ---- */

struct rows { int64_t *items; size_t len, alloc; };

static char *rows_json(const struct rows *r)
{
	struct buf b = BUF_INIT;

	buf_addch(&b, '[');
	for (size_t i = 0; i < r->len; i++)
		buf_addf(&b, "%s%lld", i ? "," : "", (long long)r->items[i]);
	buf_addch(&b, ']');
	return buf_detach(&b);
}

enum load { LOAD_LINES = 0, LOAD_QUOTES = 1, LOAD_POSTS = 3, LOAD_LONG_IDS = 7 };

/* The rows with these numbers, in their order; a number may come twice. */
static int load_threads(struct index *ix, const struct scope *s, const struct rows *r, enum load what, struct arena *a,
    struct thread_list *out, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT j.key, " THREAD_COLUMNS " FROM json_each(?1) j CROSS JOIN thread t ON t.id=j.value"
		THREAD_JOINS " LEFT JOIN place p ON p.thread=t.id AND p.view=?2 LEFT JOIN view v ON v.id=p.view");
	char *list = rows_json(r);
	bool plain = s && s->plain;
	size_t n = 0;
	int rc;

	out->items = r->len ? arena_alloc(a, r->len * sizeof(*out->items)) : NULL;
	out->alloc = r->len;
	db_bind(st, "tiiii", list, s ? s->view : (int64_t)0, index_scope_who(ix, s), (int64_t)(what & LOAD_QUOTES),
		(int64_t)!plain);
	/* By key, since no ORDER BY says that the rows come as they were asked for. */
	while ((rc = db_step(&ix->db, st, e)) == 1) {
		struct row row = { st, a, 1 };
		size_t key = (size_t)col_int(st, 0);
		if (key < r->len)
			read_thread(&row, plain, &out->items[key]);
	}
	for (size_t i = 0; i < r->len; i++)
		if (out->items[i].row)
			out->items[n++] = out->items[i];
	out->len = n;
	if (!rc && what >= LOAD_POSTS)
		rc = load_posts(ix, s, a, list, what == LOAD_LONG_IDS, out, e);
	free(list);
	return rc;
}

/* Runs a statement whose first column is a row; the second, if wanted, goes beside it. */
static int collect(struct index *ix, sqlite3_stmt *st, struct rows *out, struct rows *beside, struct err *e)
{
	int rc;

	while ((rc = db_step(&ix->db, st, e)) == 1) {
		*array_add(out) = col_int(st, 0);
		if (beside)
			*array_add(beside) = col_int(st, 1);
	}
	return rc;
}

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
	rc = collect(p->c.ix, st, out, beside, e);
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

/* ---- files and commits ---- */

static int rows_then_threads(struct index *ix, const struct scope *s, sqlite3_stmt *st, enum load what, struct arena *a,
    struct thread_list *out, struct err *e)
{
	struct rows rows = ARRAY_INIT;
	int rc = collect(ix, st, &rows, NULL, e);

	if (!rc)
		rc = load_threads(ix, s, &rows, what, a, out, e);
	array_release(&rows);
	return rc;
}

/* Where every thread has its place, those of a file are neighbours. */
static int placed_threads(struct index *ix, const struct scope *s, const char *path, struct arena *a, struct thread_list *out,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT " THREAD_COLUMNS " FROM place p CROSS JOIN thread t ON t.id=p.thread" THREAD_JOINS
		" CROSS JOIN view v ON v.id=p.view WHERE p.view=?2 AND p.at=?1 ORDER BY p.at_line, p.thread");
	struct thread_list list = { 0 };
	int rc;

	db_bind(st, "tiiii", path, s->view, index_scope_who(ix, s), (int64_t)1, (int64_t)!s->plain);
	while ((rc = db_step(&ix->db, st, e)) == 1)
		read_thread(&(struct row){ st, a, 0 }, s->plain, array_add(&list));
	out->len = out->alloc = list.len;
	out->items = list.len ? (struct thread *)arena_memdup(a, list.items, list.len * sizeof(*list.items)) : NULL;
	array_release(&list);
	return rc;
}

static int unplaced_too(struct index *ix, const struct scope *s, const char *path, struct arena *a, struct thread_list *out,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT p.thread AS id, p.at_line AS line FROM place p WHERE p.view=?1 AND p.at=?2 UNION"
		" ALL SELECT t.id, t.line FROM thread t WHERE t.source IN (SELECT source FROM repo_source WHERE repo=?3) AND t.path=?2"
		" AND NOT EXISTS (SELECT 1 FROM place x WHERE x.thread=t.id AND x.view=?1) ORDER BY line, id");

	db_bind(st, "iti", s->view, path, s->repo);
	return rows_then_threads(ix, s, st, LOAD_QUOTES, a, out, e);
}

static int everywhere_at(struct index *ix, const struct scope *s, const char *path, struct arena *a, struct thread_list *out,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT t.id FROM thread t WHERE t.source IN (SELECT id FROM source) AND t.path=?1 ORDER BY"
		" t.line, t.id");

	db_bind(st, "t", path);
	return rows_then_threads(ix, s, st, LOAD_QUOTES, a, out, e);
}

int index_threads_at(struct index *ix, const struct scope *s, const char *path, struct arena *a,
    struct thread_list *out, struct err *e)
{
	int rc;

	*out = (struct thread_list){ 0 };
	if (index_read_begin(ix, e))
		return -1;
	if (!s || !s->repo)
		rc = everywhere_at(ix, s, path, a, out, e);
	else
		rc = index_view_is_whole(ix, s) ? placed_threads(ix, s, path, a, out, e) : unplaced_too(ix, s, path, a, out, e);
	index_read_end(ix);
	return rc;
}

static char *commits_json(const struct oid *commits, size_t n)
{
	struct buf b = BUF_INIT;
	char hex[GIT_OID_HEX];

	buf_addch(&b, '[');
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s\"%s\"", i ? "," : "", oid_hex(hex, &commits[i]));
	buf_addch(&b, ']');
	return buf_detach(&b);
}

/*
 * Of the threads on the commits of a list (?1), c.k-th of it, in a repository (?2, 0: any). A commit's older selves come in
 * by a set, not by depth: a hostile ring of rewrites ends.
 */
#define ON_COMMITS(columns) "WITH RECURSIVE c(sha, k) AS (SELECT value, key FROM json_each(?1) UNION SELECT r.old, c.k FROM c" \
	" CROSS JOIN rewrite r ON r.new=c.sha WHERE ?2=0 OR r.source IN (SELECT source FROM repo_source WHERE repo=?2)) SELECT " \
	columns " FROM c CROSS JOIN thread t ON t.sha=c.sha WHERE t.of IS NULL AND (?2=0 OR t.source IN (SELECT source FROM" \
	" repo_source WHERE repo=?2))"

int index_threads_on_commits(struct index *ix, const struct scope *s, const struct oid *commits, size_t n,
    struct arena *a, struct thread_list *out, struct err *e)
{
	sqlite3_stmt *st;
	struct rows rows = ARRAY_INIT, keys = ARRAY_INIT;
	char *list = commits_json(commits, n), hex[GIT_OID_HEX];
	int rc = -1;

	*out = (struct thread_list){ 0 };
	if (index_read_begin(ix, e)) {
		free(list);
		return -1;
	}
	st = db_prep(&ix->db, ON_COMMITS("t.id, c.k") " ORDER BY c.k, t.updated DESC, t.id");
	db_bind(st, "ti", list, s ? s->repo : (int64_t)0);
	rc = collect(ix, st, &rows, &keys, e);
	if (!rc)
		rc = load_threads(ix, s, &rows, LOAD_LINES, a, out, e);
	for (size_t i = 0; !rc && i < out->len; i++)
		out->items[i].place.commit = arena_strdup(a, oid_hex(hex, &commits[keys.items[i]]));
	index_read_end(ix);
	array_release(&rows);
	array_release(&keys);
	free(list);
	return rc;
}

/* Numbers alone: a commit with thousands of threads costs a list of commits no more than their rows' keys. */
int index_commit_counts(struct index *ix, const struct scope *s, const struct oid *commits, size_t n,
    struct commit_count *out, struct err *e)
{
	sqlite3_stmt *st;
	char *list = commits_json(commits, n);
	int rc;

	memset(out, 0, n * sizeof(*out));
	if (index_read_begin(ix, e)) {
		free(list);
		return -1;
	}
	st = db_prep(&ix->db, ON_COMMITS("c.k, t.kind, t.state, count(*)") " GROUP BY 1, 2, 3");
	db_bind(st, "ti", list, s ? s->repo : (int64_t)0);
	while ((rc = db_step(&ix->db, st, e)) == 1) {
		struct commit_count *one = (size_t)col_int(st, 0) < n ? &out[col_int(st, 0)] : NULL;
		unsigned kind = (unsigned)col_int(st, 1);

		if (one && col_int(st, 2) == STATE_OPEN && kind < ARRAY_SIZE(one->open))
			one->open[kind] += (unsigned)col_int(st, 3);
		else if (one)
			one->settled += (unsigned)col_int(st, 3);
	}
	db_reset(st);
	index_read_end(ix);
	free(list);
	return rc < 0 ? -1 : 0;
}

int index_path_counts(struct index *ix, const struct scope *s, struct arena *a, struct path_count **out, size_t *n,
    struct err *e)
{
	struct clause c;
	struct buf sql = BUF_INIT, sources = BUF_INIT;
	ARRAY(struct path_count) list = ARRAY_INIT;
	sqlite3_stmt *st;
	int rc;

	clause_init(&c, ix, s, false, a);
	clause_sources(&c, &sources);
	if (s && s->view)
		buf_addf(&sql, "SELECT at, sum(o), sum(n) FROM (SELECT at, sum(open) AS o, count(*) AS n FROM place WHERE view=?%d GROUP"
			 " BY at UNION ALL SELECT t.path, t.state=0, 1 FROM thread t WHERE t.source IN %s AND t.path IS NOT NULL AND"
			 " t.rev>(SELECT ops FROM view WHERE id=?%d) AND NOT EXISTS (SELECT 1 FROM place x WHERE x.thread=t.id AND"
			 " x.view=?%d)) GROUP BY at", clause_int(&c, s->view), sources.ptr, clause_int(&c, s->view),
			 clause_int(&c, s->view));
	else
		buf_addf(&sql, "SELECT path, sum(state=0), count(*) FROM thread WHERE source IN %s AND path IS NOT NULL GROUP BY path",
			 sources.ptr);
	st = db_prep_once(&ix->db, sql.ptr);
	clause_bind(&c, st);
	while ((rc = db_step(&ix->db, st, e)) == 1) {
		struct path_count *pc = array_add(&list);
		pc->path = col_text(a, st, 0);
		pc->open = (unsigned)col_int(st, 1);
		pc->closed = (unsigned)(col_int(st, 2) - col_int(st, 1));
	}
	sqlite3_finalize(st);
	*n = list.len;
	*out = list.len ? (struct path_count *)arena_memdup(a, list.items, list.len * sizeof(*list.items)) : NULL;
	array_release(&list);
	buf_release(&sql);
	buf_release(&sources);
	clause_release(&c);
	return rc;
}

/* ---- one thread ---- */

/* The digits of an id typed by somebody, lower case; NULL: not an id. Letters may be upper case, the first one left out. */
static const char *id_digits(struct arena *a, const char *id, char *letter)
{
	char *hex;

	*letter = '\0';
	if (strchr("kKpP", *id) && *id) {
		*letter = *id == 'k' || *id == 'K' ? 'k' : 'p';
		id++;
	}
	hex = arena_strdup(a, id);
	for (char *p = hex; *p; p++)
		if (*p >= 'A' && *p <= 'F')
			*p = (char)(*p + ('a' - 'A'));
	return *hex && strlen(hex) < SHA256_HEX && str_is_hex(hex, strlen(hex)) ? hex : NULL;
}

struct candidate { int64_t thread, post; const char *entity; };
enum { CANDIDATES = 10 };

static bool fits(const char *full, const char *digits)
{
	return strlen(digits) <= 16 || (full && str_starts(full, digits));
}

/* Rows whose id begins with the digits; an entity that several clones have counts once. repo 0: everywhere. */
static int candidates(struct index *ix, int64_t repo, bool posts, const char *digits, struct arena *a,
    struct candidate *out, size_t *n, struct err *e)
{
	sqlite3_stmt *st = posts ?
		db_prep(&ix->db, "SELECT t.id, p.id, t.entity||p.hid FROM post p CROSS JOIN thread t ON t.id=p.thread WHERE p.hid"
			" BETWEEN ?1 AND ?2 AND (?3=0 OR t.source IN (SELECT source FROM repo_source WHERE repo=?3)) ORDER BY p.hid LIMIT 100") :
		db_prep(&ix->db, "SELECT t.id, 0, t.entity FROM thread t WHERE t.hid BETWEEN ?1 AND ?2 AND t.of IS NULL AND (?3=0 OR t.source IN (SELECT"
			" source FROM repo_source WHERE repo=?3)) ORDER BY t.hid LIMIT 100");
	int64_t lo, hi;
	int rc;

	*n = 0;
	hid_range(digits, strlen(digits), &lo, &hi);
	db_bind(st, "iii", lo, hi, repo);
	while ((rc = db_step(&ix->db, st, e)) == 1 && *n < CANDIDATES) {
		const char *entity = col_text(a, st, 2);
		bool again = *n > 0 && !strcmp(out[*n - 1].entity, entity);
		if (again || (!posts && !fits(entity, digits)))
			continue;
		out[(*n)++] = (struct candidate){ col_int(st, 0), col_int(st, 1), entity };
	}
	db_reset(st);
	return rc < 0 ? -1 : 0;
}

static int ambiguous(struct index *ix, const struct scope *s, const char *id, const struct candidate *c, size_t n,
    struct arena *a, struct err *e)
{
	struct thread_list list;
	struct rows rows = ARRAY_INIT;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		*array_add(&rows) = c[i].thread;
	if (load_threads(ix, s, &rows, LOAD_LINES, a, &list, e)) {
		array_release(&rows);
		return -1;
	}
	for (size_t i = 0; i < list.len; i++)
		buf_addf(&b, "%s%s (%.40s)", i ? ", " : "", list.items[i].abbrev, list.items[i].title);
	err_set(e, ERR_AMBIGUOUS, "'%s' fits %s%zu: %s", id, n == CANDIDATES ? "more than " : "", n == CANDIDATES ? n - 1 : n,
		b.ptr);
	buf_release(&b);
	array_release(&rows);
	return -1;
}

static int find_digits(struct index *ix, const struct scope *s, const char *id, char letter, const char *digits, struct arena *a,
    struct candidate *out, struct err *e)
{
	struct candidate list[CANDIDATES];
	size_t n = 0;

	/* The scope first, then everywhere; threads before posts where no letter says which. */
	for (int everywhere = !(s && s->repo); everywhere <= 1; everywhere++)
		for (int posts = letter == 'p'; posts <= (letter != 'k'); posts++) {
			if (candidates(ix, everywhere ? 0 : s->repo, posts, digits, a, list, &n, e))
				return -1;
			if (n == 1)
				*out = list[0];
			if (n)
				return n == 1 ? 0 : ambiguous(ix, s, id, list, n, a, e);
		}
	return err_set(e, ERR_NOT_FOUND, "no %s '%s'", letter == 'p' ? "post" : "thread", id);
}

static int resolve(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct candidate *out,
    struct err *e)
{
	char letter;
	const char *digits = id_digits(a, id, &letter), *now;

	if (!digits)
		return err_set(e, ERR_NOT_FOUND, "no thread '%s': an id is a letter and hex digits, as k3f9c2", id);
	if (!find_digits(ix, s, id, letter, digits, a, out, e))
		return 0;
	for (const char *l = "kp"; *l && e->code == ERR_NOT_FOUND && ix->alias; l++)
		if ((!letter || letter == *l) && ix->alias(ix->alias_ctx, *l, digits, a, &now))
			return find_digits(ix, s, id, *l, now, a, out, e);
	return -1;
}

void index_ask_alias(struct index *ix, bool (*fn)(void *ctx, char letter, const char *digits, struct arena *a,
    const char **now), void *ctx)
{
	ix->alias = fn;
	ix->alias_ctx = ctx;
}

/* Where among the thread's posts the one with this row is. */
static int find_post(struct index *ix, int64_t row, const struct thread *t, const struct post **post, struct err *e)
{
	int64_t n;

	if (db_get_int(&ix->db, e, &n, "SELECT n FROM post WHERE id=?1", "i", row) < 0)
		return -1;
	*post = n >= 0 && n < (int64_t)t->n_posts ? &t->posts[n] : NULL;
	return 0;
}

static int find_thread(struct index *ix, const struct scope *s, const char *id, enum load what, struct arena *a,
    struct thread *out, const struct post **post, struct err *e)
{
	struct candidate c = { 0 };
	struct thread_list list = { 0 };
	struct rows rows = ARRAY_INIT;
	int rc;

	if (post)
		*post = NULL;
	if (index_read_begin(ix, e))
		return -1;
	rc = resolve(ix, s, id, a, &c, e);
	if (!rc) {
		*array_add(&rows) = c.thread;
		rc = load_threads(ix, s, &rows, what, a, &list, e);
	}
	if (!rc && list.len != 1)
		rc = err_set(e, ERR_NOT_FOUND, "no thread '%s'", id);
	if (!rc) {
		*out = list.items[0];
		if (post && c.post)
			rc = find_post(ix, c.post, out, post, e);
	}
	index_read_end(ix);
	array_release(&rows);
	return rc;
}

int index_thread(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct thread *out,
    const struct post **post, struct err *e)
{
	return find_thread(ix, s, id, LOAD_POSTS, a, out, post, e);
}

int index_thread_read(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct thread *out,
    struct err *e)
{
	return find_thread(ix, s, id, LOAD_LONG_IDS, a, out, NULL, e);
}

int index_thread_line(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct thread *out,
    struct err *e)
{
	return find_thread(ix, s, id, LOAD_LINES, a, out, NULL, e);
}

static int entity_of(struct index *ix, const char *sql, int64_t row, char entity[SHA256_HEX], int64_t *source,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, sql);
	int rc;

	db_bind(st, "i", row);
	rc = db_step(&ix->db, st, e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "it is not in the index any more");
	if (rc < 0)
		return -1;
	memcpy(entity, sqlite3_column_text(st, 0), SHA256_HEX);
	*source = col_int(st, 1);
	db_reset(st);
	return 0;
}

int index_entity(struct index *ix, int64_t thread, char entity[SHA256_HEX], int64_t *source, struct err *e)
{
	return entity_of(ix, "SELECT entity, source FROM thread WHERE id=?1 AND length(entity)=64", thread, entity, source, e);
}

int index_task_entity(struct index *ix, int64_t task, char entity[SHA256_HEX], int64_t *source, struct err *e)
{
	return entity_of(ix, "SELECT entity, source FROM task WHERE id=?1 AND length(entity)=64", task, entity, source, e);
}

int index_post_op(struct index *ix, int64_t thread, const char *post_id, char op[SHA256_HEX], struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT o.bytes FROM post p CROSS JOIN op o ON o.id=p.op WHERE p.hid BETWEEN ?1 AND ?2"
		" AND p.thread=?3");
	struct arena a = ARENA_INIT;
	uint8_t sum[SHA256_SIZE];
	char letter;
	const char *digits = id_digits(&a, post_id, &letter);
	bool found = false;
	int64_t lo, hi;
	int rc = 0;

	if (digits) {
		hid_range(digits, strlen(digits), &lo, &hi);
		db_bind(st, "iii", lo, hi, thread);
		rc = db_step(&ix->db, st, e);
	}
	if (rc == 1) {
		hash_sha256(sum, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0));
		hex_encode(op, sum, sizeof(sum));
		db_reset(st);
		found = true;
	} else if (rc == 0) {
		rc = err_set(e, ERR_NOT_FOUND, "no post '%s' in this thread", post_id);
	}
	arena_release(&a);
	return found ? 0 : -1;
}

bool index_trailer_seen(struct index *ix, int64_t repo, const char *commit, const char *trailer_hash)
{
	struct err e = ERR_INIT;
	int64_t n;

	(void)commit;
	return db_get_int(&ix->db, &e, &n, "SELECT 1 FROM trailer r CROSS JOIN thread t ON t.id=r.thread WHERE r.key=?1 AND"
			  " t.source IN (SELECT source FROM repo_source WHERE repo=?2) LIMIT 1", "ti", trailer_hash, repo) == 1;
}

uint64_t index_changes(struct index *ix, int64_t repo)
{
	struct err e = ERR_INIT;
	int64_t n;

	db_get_int(&ix->db, &e, &n, "SELECT max((SELECT max(t.rev) FROM thread t WHERE t.source=s.source)) FROM repo_source s"
		   " WHERE s.repo=?1", "i", repo);
	return (uint64_t)n;
}

/* ---- for the placer ---- */

int index_ownerless(struct index *ix, int64_t repo, struct arena *a, struct thread_list *out, struct err *e)
{
	struct scope s = { .repo = repo };
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT id FROM thread WHERE source IN (SELECT source FROM repo_source WHERE repo=?1)"
		" AND sha IS NOT NULL AND type=3 AND owner=0");

	_Static_assert(ANCHOR_COMMIT == 3, "the partial index thread_ownerless says 3");
	*out = (struct thread_list){ 0 };
	db_bind(st, "i", repo);
	return rows_then_threads(ix, &s, st, LOAD_LINES, a, out, e);
}

int index_unknown(struct index *ix, int64_t repo, int64_t view, struct arena *a, struct thread_list *out, struct err *e)
{
	struct scope s = { .repo = repo, .view = view };
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT thread FROM place WHERE view=?1 AND state=0");

	*out = (struct thread_list){ 0 };
	db_bind(st, "i", view);
	return rows_then_threads(ix, &s, st, LOAD_QUOTES, a, out, e);
}

static int cmp_int(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int collect_touched(struct index *ix, int64_t repo, int64_t view, const char *path, struct rows *rows,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT thread FROM place WHERE view=?1 AND at=?2 UNION ALL SELECT t.id FROM thread t"
		" CROSS JOIN place p ON p.thread=t.id AND p.view=?1 WHERE t.source IN (SELECT source FROM repo_source WHERE repo=?3)"
		" AND t.path=?2 AND p.state IN (0, 4)");

	db_bind(st, "iti", view, path, repo);
	return collect(ix, st, rows, NULL, e);
}

static void sort_unique(struct rows *r)
{
	size_t n = 0;

	if (r->len > 1)
		qsort(r->items, r->len, sizeof(*r->items), cmp_int);
	for (size_t i = 0; i < r->len; i++)
		if (i == 0 || r->items[i] != r->items[i - 1])
			r->items[n++] = r->items[i];
	r->len = n;
}

static void give_rows(struct rows *r, struct arena *a, int64_t **rows, size_t *n)
{
	*n = r->len;
	*rows = r->len ? (int64_t *)arena_memdup(a, r->items, r->len * sizeof(*r->items)) : NULL;
	array_release(r);
}

int index_touched(struct index *ix, int64_t repo, int64_t view, const char *const *paths, size_t n_paths,
    struct arena *a, int64_t **rows, size_t *n, struct err *e)
{
	struct rows list = ARRAY_INIT;
	int rc = 0;

	for (size_t i = 0; !rc && i < n_paths; i++)
		rc = collect_touched(ix, repo, view, paths[i], &list, e);
	sort_unique(&list);
	give_rows(&list, a, rows, n);
	return rc;
}

#define UNPLACED_SELECT(rev) \
	"SELECT t.id FROM thread t WHERE t.source IN (SELECT source FROM repo_source WHERE repo=?1) AND NOT EXISTS (SELECT 1" \
	" FROM place x WHERE x.thread=t.id AND x.view=?2) AND " rev ">coalesce((SELECT ops FROM view WHERE id=?2), 0) AND "

int index_unplaced(struct index *ix, int64_t repo, int64_t view, const char *path, size_t limit, struct arena *a,
    int64_t **rows, size_t *n, struct err *e)
{
	struct rows list = ARRAY_INIT;
	sqlite3_stmt *st;
	int rc;

	/* A number of threads at most is wanted at once, all of them by file: work on a file is shared. A file's are found by its
	 * path: by their age all that are new would be looked at. */
	if (path)
		st = db_prep(&ix->db, UNPLACED_SELECT("+t.rev") "t.path=?3 LIMIT ?4");
	else if (limit)
		st = db_prep(&ix->db, UNPLACED_SELECT("t.rev") "t.path IS NOT NULL LIMIT ?4");
	else
		st = db_prep(&ix->db, UNPLACED_SELECT("t.rev") "t.path IS NOT NULL ORDER BY t.path, t.id LIMIT ?4");
	db_bind(st, "iiti", repo, view, path, limit ? (int64_t)limit : (int64_t)-1);
	rc = collect(ix, st, &list, NULL, e);
	give_rows(&list, a, rows, n);
	return rc;
}

int index_rows(struct index *ix, int64_t repo, int64_t view, const int64_t *rows, size_t n, struct arena *a,
    struct thread_list *out, struct err *e)
{
	struct scope s = { .repo = repo, .view = view };
	struct rows list = ARRAY_INIT;
	int rc;

	*out = (struct thread_list){ 0 };
	for (size_t i = 0; i < n; i++)
		*array_add(&list) = rows[i];
	rc = load_threads(ix, &s, &list, LOAD_QUOTES, a, out, e);
	array_release(&list);
	return rc;
}
