/* SPDX-License-Identifier: MIT */
/*
 * Rows read: threads with everything that a line shows, their quotes and posts. A list is two statements in one snapshot,
 * whatever its length: the first yields the numbers of the rows in order, by ranges of indexes (index-find.c); the second,
 * here, reads those rows.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "index-load.h"

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

void row_id(struct row *r, const char *head, unsigned digits, const char **id, const char **abbrev)
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
	*id = arena_printf(r->a, "%s%.*s", head, (int)hid_digits(hid, before, after, digits), hex);
	if (abbrev)
		*abbrev = arena_printf(r->a, "%s%.*s", head, (int)hid_digits(hid, before, after, SHORT_ID), hex);
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
	row_id(r, "k", FULL_ID, &t->id, plain ? NULL : &t->abbrev);
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
		row_id(r, "p", FULL_ID, &p->id, NULL);
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

char *rows_json(const struct rows *r)
{
	struct buf b = BUF_INIT;

	buf_addch(&b, '[');
	for (size_t i = 0; i < r->len; i++)
		buf_addf(&b, "%s%lld", i ? "," : "", (long long)r->items[i]);
	buf_addch(&b, ']');
	return buf_detach(&b);
}

int load_threads(struct index *ix, const struct scope *s, const struct rows *r, enum load what, struct arena *a,
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

int rows_collect(struct index *ix, sqlite3_stmt *st, struct rows *out, struct rows *beside, struct err *e)
{
	int rc;

	while ((rc = db_step(&ix->db, st, e)) == 1) {
		*array_add(out) = col_int(st, 0);
		if (beside)
			*array_add(beside) = col_int(st, 1);
	}
	return rc;
}

int load_collected(struct index *ix, const struct scope *s, sqlite3_stmt *st, enum load what, struct arena *a,
    struct thread_list *out, struct err *e)
{
	struct rows rows = ARRAY_INIT;
	int rc = rows_collect(ix, st, &rows, NULL, e);

	if (!rc)
		rc = load_threads(ix, s, &rows, what, a, out, e);
	array_release(&rows);
	return rc;
}

int load_placed(struct index *ix, const struct scope *s, const char *path, struct arena *a, struct thread_list *out,
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
