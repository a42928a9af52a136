/* SPDX-License-Identifier: MIT */
/*
 * Rows out: what the ops of an entity make is written, in the order in which the entities were marked, since their ops stand
 * together then. Rows of posts, people and words are compared first, so that the next reply to a thread of thousands writes
 * one row.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "index-fold.h"
#include "killick/model/record.h"

enum { WATCH_STEP = 256 };       /* entities between two words to who watches */

/* ---- posts ---- */

struct post_row { int64_t hid, id, n, sig; };

static int cmp_post_row(const void *a, const void *b)
{
	const struct post_row *x = a, *y = b;

	return x->hid < y->hid ? -1 : x->hid > y->hid;
}

/* [[emoji, how many, [people]], …] */
static const char *reactions_pack(struct arena *a, const struct post *p)
{
	json_t *all;

	if (p->n_reactions == 0)
		return NULL;
	all = json_array();
	for (size_t i = 0; i < p->n_reactions; i++) {
		const struct reaction *r = &p->reactions[i];
		json_t *one = json_array(), *by = json_array();
		for (size_t k = 0; r->by && k < r->n; k++)
			json_array_append_new(by, person_json(&r->by[k]));
		json_array_append_new(one, json_str_or_null(r->emoji));
		json_array_append_new(one, json_integer(r->n));
		json_array_append_new(one, by);
		if (r->mine)
			json_array_append_new(one, json_true());
		json_array_append_new(all, one);
	}
	return json_line(a, all);
}

static uint64_t mix_text(uint64_t h, const char *s)
{
	const char *text = s ? s : "\1";

	return (h ^ hash64(text, strlen(text))) * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static uint64_t mix_int(uint64_t h, int64_t v)
{
	return (h ^ hash64(&v, sizeof(v))) * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

struct post_values {
	int64_t n, hid, op, person, who, sig;
	const struct post *p;
	const char *reactions, *title, *path;
};

/* Full text: the old words must be given back as they were put in. */
static int fts_forget(struct index *ix, int64_t id, struct err *e)
{
	struct db *d = &ix->db;

	return ix->bulk ? 0 : db_exec(d, e, "INSERT INTO fts(fts, rowid, title, path, body) SELECT 'delete', id, title, path, body FROM post"
		       " WHERE id=?1", "i", id);
}

static int fts_add(struct index *ix, int64_t id, const char *title, const char *path, const char *body, struct err *e)
{
	struct db *d = &ix->db;

	return ix->bulk ? 0 : db_exec(d, e, "INSERT INTO fts(rowid, title, path, body) VALUES(?1, ?2, ?3, ?4)", "ittt", id, title, path,
		       body);
}

static int post_write(struct folding *w, const struct post_values *v, int64_t row)
{
	struct db *d = &w->ix->db;
	sqlite3_stmt *st;

	if (row && fts_forget(w->ix, row, w->e))
		return -1;
	if (row)
		st = db_prep(d, "UPDATE post SET (n, hid, op, person, who, time, edited, state, accepted, sig, reactions, title,"
			     " path, body, restricted)=(?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) WHERE id=?1");
	else
		st = db_prep(d, "INSERT INTO post(thread, n, hid, op, person, who, time, edited, state, accepted, sig, reactions,"
			     " title, path, body, restricted) VALUES(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
			     " ?17)");
	db_bind(st, "iiiiiiiiiiiitttti", row, w->thread_row, v->n, v->hid, v->op, v->person, v->who, v->p->time, v->p->edited,
		(int64_t)v->p->state, (int64_t)v->p->accepted, v->sig, v->reactions, v->title, v->path, v->p->body,
		(int64_t)v->p->restricted);
	if (db_step(d, st, w->e))
		return -1;
	return fts_add(w->ix, row ? row : sqlite3_last_insert_rowid(d->sql), v->title, v->path, v->p->body, w->e);
}

int post_record_cmp(const void *a, const void *b)
{
	const struct post_record *x = a, *y = b;

	return x->hid < y->hid ? -1 : x->hid > y->hid;
}

/* The row of what a post was made from. */
static int64_t origin_of(const struct folding *w, const char *hex)
{
	struct post_record key = { .hid = hid_of(hex) };
	const struct post_record *r = w->n_records ? bsearch(&key, w->records, w->n_records, sizeof(key), post_record_cmp) : NULL;
	const struct stored *op = r || w->task ? NULL : ops_find(w, hex);

	return r ? r->row : op ? op->row : 0;
}

static void post_values(struct folding *w, size_t i, struct post_values *v)
{
	const struct thread *t = &w->f.t;
	const struct post *p = &t->posts[i];
	const struct anchor *an = &t->anchor;
	uint64_t h;

	*v = (struct post_values){ .n = (int64_t)i, .p = p, .op = origin_of(w, p->id + 1), .hid = hid_of(p->id + 1) };
	v->person = w->by[i].person;
	v->who = w->by[i].who;
	v->reactions = reactions_pack(&w->ix->scratch, p);
	if (i == 0) {
		v->title = t->title;
		v->path = arena_printf(&w->ix->scratch, "%s %s %s", an->path ? an->path : "", an->section ? an->section : "",
				       an->task ? an->task : "");
	}
	h = mix_text(mix_text(mix_text(mix_text(0, p->body), v->reactions), v->title), v->path);
	h = mix_int(mix_int(h, v->person), v->who); /* who is written anew when a login turns out to be somebody's */
	h = mix_int(mix_int(mix_int(mix_int(h, p->time), p->edited), (int64_t)p->state), p->accepted);
	v->sig = (int64_t)mix_int(h, p->restricted ? v->op + 1 : v->op);
}

static int post_update(struct folding *w, const struct post_values *v, const struct post_row *old)
{
	if (!old || old->sig != v->sig)
		return post_write(w, v, old ? old->id : 0);
	if (old->n == v->n)
		return 0;
	return db_exec(&w->ix->db, w->e, "UPDATE post SET n=?2 WHERE id=?1", "ii", old->id, v->n);
}

static int load_post_rows(struct folding *w, struct post_row **out, size_t *n)
{
	struct db *d = &w->ix->db;
	sqlite3_stmt *st;
	ARRAY(struct post_row) list = ARRAY_INIT;
	int rc = 0;

	*out = NULL;
	*n = 0;
	if (w->is_new)
		return 0;
	st = db_prep(d, "SELECT hid, id, n, sig FROM post WHERE thread=?1");
	db_bind(st, "i", w->thread_row);
	while ((rc = db_step(d, st, w->e)) == 1) {
		struct post_row *r = array_add(&list);
		*r = (struct post_row){ col_int(st, 0), col_int(st, 1), col_int(st, 2), col_int(st, 3) };
	}
	if (list.len > 1)
		qsort(list.items, list.len, sizeof(*list.items), cmp_post_row);
	*out = list.items;
	*n = list.len;
	return rc;
}

static int post_delete(struct index *ix, int64_t id, struct err *e)
{
	struct db *d = &ix->db;

	return fts_forget(ix, id, e) || db_exec(d, e, "DELETE FROM post WHERE id=?1", "i", id) ? -1 : 0;
}

static int write_posts(struct folding *w)
{
	struct post_row *rows, *old;
	struct post_values v;
	size_t n;
	int rc = load_post_rows(w, &rows, &n);

	for (size_t i = 0; !rc && i < w->f.t.n_posts; i++) {
		post_values(w, i, &v);
		old = n ? bsearch(&(struct post_row){ .hid = v.hid }, rows, n, sizeof(*rows), cmp_post_row) : NULL;
		rc = post_update(w, &v, old);
		if (old)
			old->id = -old->id; /* still there */
	}
	for (size_t i = 0; !rc && i < n; i++)
		if (rows[i].id > 0)
			rc = post_delete(w->ix, rows[i].id, w->e);
	free(rows);
	return rc;
}

/* ---- people ---- */

struct parts { struct part_row *items; size_t len, alloc; };

static void part_add(struct parts *p, int64_t who, unsigned roles, int64_t n)
{
	struct part_row *r;

	for (size_t i = 0; i < p->len; i++) {
		if (p->items[i].who != who)
			continue;
		p->items[i].roles |= roles;
		p->items[i].n += n;
		return;
	}
	r = array_add(p);
	*r = (struct part_row){ .who = who, .n = n, .roles = roles };
}

static int collect_parts(struct folding *w, struct parts *p)
{
	const struct thread *t = &w->f.t;
	int64_t who;

	part_add(p, w->author_who, ROLE_AUTHOR, 0);
	w->by = arena_alloc(&w->ix->scratch, (t->n_posts + 1) * sizeof(*w->by));
	for (size_t i = 0; i < t->n_posts; i++) {
		w->by[i].person = index_person(w->ix, &t->posts[i].author, &w->by[i].who, w->e);
		if (!w->by[i].person)
			return -1;
		part_add(p, w->by[i].who, ROLE_POSTED, 1);
	}
	w->boxed.facts.n_people = (unsigned)p->len;
	for (size_t i = 0; i < t->n_asked; i++) {
		if (!index_person(w->ix, &t->asked[i], &who, w->e))
			return -1;
		part_add(p, who, ROLE_ASKED, 0);
	}
	if (w->owner)
		part_add(p, w->owner, ROLE_OWNER, 0);
	return 0;
}

static int write_parts(struct folding *w, struct parts *p)
{
	struct db *d = &w->ix->db;
	sqlite3_stmt *st;
	int rc = 0;

	if (!w->is_new) {
		st = db_prep(d, "SELECT who, roles, n FROM part WHERE thread=?1");
		db_bind(st, "i", w->thread_row);
		while ((rc = db_step(d, st, w->e)) == 1) {
			bool same = false;
			for (size_t i = 0; i < p->len; i++) {
				struct part_row *r = &p->items[i];
				if (r->who == col_int(st, 0))
					same = r->old = r->roles == (unsigned)col_int(st, 1) && r->n == col_int(st, 2);
			}
			if (!same && db_exec(d, w->e, "DELETE FROM part WHERE thread=?1 AND who=?2", "ii", w->thread_row, col_int(st, 0)))
				rc = -1;
			if (rc < 0)
				break;
		}
		db_reset(st);
	}
	for (size_t i = 0; !rc && i < p->len; i++) {
		const struct part_row *r = &p->items[i];
		if (!r->old)
			rc = db_exec(d, w->e, "INSERT INTO part(thread, who, roles, n) VALUES(?1, ?2, ?3, ?4)", "iiii", w->thread_row,
				     r->who, (int64_t)r->roles, r->n);
	}
	return rc;
}

/* ---- the thread's own row ---- */

static int64_t anchor_sig(const struct anchor *an)
{
	uint64_t h = mix_text(mix_text(mix_text(mix_text(0, an->path), an->commit), an->blob), an->section);

	h = mix_text(mix_text(h, an->task), an->quote);
	h = mix_int(mix_int(mix_int(mix_int(h, (int64_t)an->type), (int64_t)an->side), an->line), an->end);
	return (int64_t)h;
}

/* Finds the row, and what of it outlives a fold. */
static int find_thread(struct folding *w, int64_t *state, int64_t *sig)
{
	struct db *d = &w->ix->db;
	sqlite3_stmt *st = db_prep(d, "SELECT id, state, anchor_sig, owner FROM thread WHERE hid=?1 AND source=?2 AND entity=?3");
	int rc;

	if (w->ix->bulk) /* each is folded once */
		return 0;
	db_bind(st, "iit", hid_of(w->entity), w->source, w->entity);
	rc = db_step(d, st, w->e);
	if (rc == 1) {
		w->thread_row = col_int(st, 0);
		*state = col_int(st, 1);
		*sig = col_int(st, 2);
		w->owner = col_int(st, 3);
		db_reset(st);
	}
	return rc;
}

static void fill_boxed(struct folding *w)
{
	const struct thread *t = &w->f.t;
	struct boxed *b = &w->boxed;

	b->source = w->source;
	b->updated = t->updated;
	b->n_posts = t->n_posts;
	b->entity = w->entity;
	b->is_new = w->is_new;
	b->posts = t->posts;
	b->asked = t->asked;
	b->n_asked = t->n_asked;
	b->facts.kind = t->kind;
	b->facts.state = t->state;
	b->facts.audience = t->audience;
	b->facts.n_asked = (unsigned)t->n_asked;
	b->facts.last = w->last_who;
}

#define THREAD_VALUES \
	"source, hid, entity, rev, kind, state, audience, created, updated, n_posts, n_asked, n_people, author," \
	" author_who, last, last_who, owner, type, side, line, end, col, col_end, path, sha, blob, section, task, title, url," \
	" asked, labels, links, resolved_by, anchor_sig, quote, before, after, r_task, r_thread, of"
#define THREAD_PARAMS \
	"?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25," \
	" ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, nullif(?42, 0)"

/* Two threads whose full ids would be the same: from now on neighbours are asked. */
static int note_long_id(struct folding *w)
{
	struct db *d = &w->ix->db;
	int64_t lo, hi, other;
	int rc;

	if (w->ix->bulk) /* asked once, at its end */
		return 0;
	hid_range(w->entity, FULL_ID, &lo, &hi);
	rc = db_get_int(d, w->e, &other, "SELECT 1 FROM thread WHERE hid BETWEEN ?1 AND ?2 AND id<>?3 LIMIT 1", "iii", lo, hi,
			w->thread_row);
	return rc == 1 ? db_exec(d, w->e, "UPDATE counter SET value=1 WHERE name='long_ids'", "") : rc;
}

static int write_row(struct folding *w, int64_t sig)
{
	struct db *d = &w->ix->db;
	struct arena *a = &w->ix->scratch;
	const struct thread *t = &w->f.t;
	const struct anchor *an = &t->anchor;
	const struct wait_facts *f = &w->boxed.facts;
	sqlite3_stmt *st = w->is_new ?
		db_prep(d, "INSERT INTO thread(" THREAD_VALUES ") VALUES(" THREAD_PARAMS ")") :
		db_prep(d, "UPDATE thread SET (" THREAD_VALUES ")=(" THREAD_PARAMS ") WHERE id=?1");

	db_bind(st, "iiitiiiiiiiiiiiiiiiiiiiitttttttttttittttti", w->thread_row, w->source, hid_of(w->entity), w->entity,
		++w->ix->seq, (int64_t)t->kind, (int64_t)t->state, (int64_t)t->audience, t->created,
		t->updated, (int64_t)t->n_posts, (int64_t)t->n_asked, (int64_t)f->n_people, w->author, w->author_who, w->last,
		w->last_who, w->owner, (int64_t)an->type, (int64_t)an->side, (int64_t)an->line, (int64_t)an->end,
		(int64_t)an->col, (int64_t)an->col_end, an->path, an->commit, an->blob, an->section, an->task, t->title, t->url,
		people_pack(a, t->asked, t->n_asked), words_pack(a, t->labels, t->n_labels), words_pack(a, t->links, t->n_links),
		w->f.resolved_by, sig, an->quote, an->before, an->after, w->task, w->thread, w->of);
	if (db_step(d, st, w->e))
		return -1;
	if (w->is_new)
		w->thread_row = sqlite3_last_insert_rowid(d->sql);
	w->boxed.thread = w->thread_row;
	return w->is_new ? note_long_id(w) : 0;
}

static int write_words(struct folding *w)
{
	struct db *d = &w->ix->db;
	const struct thread *t = &w->f.t;

	if (!w->is_new && (db_exec(d, w->e, "DELETE FROM label WHERE thread=?1", "i", w->thread_row) ||
	    db_exec(d, w->e, "DELETE FROM link WHERE thread=?1", "i", w->thread_row)))
		return -1;
	for (size_t i = 0; i < t->n_labels; i++)
		if (db_exec(d, w->e, "INSERT INTO label(thread, task, name) VALUES(?1, 0, ?2) ON CONFLICT DO NOTHING", "it",
		    w->thread_row, t->labels[i]))
			return -1;
	for (size_t i = 0; i < t->n_links; i++)
		if (db_exec(d, w->e, "INSERT INTO link(thread, name) VALUES(?1, ?2) ON CONFLICT DO NOTHING", "it", w->thread_row,
		    t->links[i] + strspn(t->links[i], "!#")))
			return -1;
	return 0;
}

/* Which trailers of commit messages the ops came from: killick's own marks, whatever they say (hook/trailer.c). */
static int write_trailers(struct folding *w)
{
	struct db *d = &w->ix->db;

	if (!w->is_new && db_exec(d, w->e, "DELETE FROM trailer WHERE thread=?1", "i", w->thread_row))
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		const char *key = json_get_str(w->ops[i].op.payload, "trailer");
		if (key && db_exec(d, w->e, "INSERT INTO trailer(key, thread) VALUES(?1, ?2) ON CONFLICT DO NOTHING", "ti", key,
		    w->thread_row))
			return -1;
	}
	return 0;
}

static int write_boxes(struct folding *w, const struct parts *p)
{
	w->boxed.parts = p->items;
	w->boxed.n_parts = p->len;
	w->boxed.by = w->by;
	if (box_identities(w->ix, w->source, w->e))
		return -1;
	for (size_t i = 0; i < w->ix->n_identities; i++)
		if (box_update(w->ix, &w->boxed, &w->ix->identities[i], w->e))
			return -1;
	return 0;
}

/* A moved anchor is looked for anew; a thread that was resolved or reopened counts elsewhere. */
static int touch_places(struct folding *w, int64_t old_state, int64_t old_sig, int64_t sig)
{
	struct db *d = &w->ix->db;

	if (w->is_new)
		return 0;
	if (old_sig != sig)
		return db_exec(d, w->e, "DELETE FROM place WHERE thread=?1", "i", w->thread_row);
	if (old_state == (int64_t)w->f.t.state)
		return 0;
	return db_exec(d, w->e, "UPDATE place SET open=?2 WHERE thread=?1", "ii", w->thread_row,
		       (int64_t)(w->f.t.state == STATE_OPEN));
}

static int write_thread(struct folding *w)
{
	struct parts parts = ARRAY_INIT;
	int64_t state = 0, old_sig = 0, sig = anchor_sig(&w->f.t.anchor);
	int rc = find_thread(w, &state, &old_sig);

	w->is_new = rc == 0;
	if (rc < 0)
		return -1;
	w->author = index_person(w->ix, &w->f.t.author, &w->author_who, w->e);
	w->last = index_person(w->ix, &w->f.t.last_author, &w->last_who, w->e);
	if (!w->author || !w->last)
		return -1;
	fill_boxed(w);
	if (w->of)
		return write_row(w, sig) || touch_places(w, state, old_sig, sig) ? -1 : 0;
	rc = collect_parts(w, &parts) || write_row(w, sig) || write_posts(w) || write_parts(w, &parts) ||
	     write_words(w) || write_trailers(w) || write_boxes(w, &parts) || touch_places(w, state, old_sig, sig) ? -1 : 0;
	array_release(&parts);
	return rc;
}

static int drop_thread(struct index *ix, int64_t thread, int64_t source, struct err *e)
{
	static const char *const rows[] = {
		"DELETE FROM post WHERE thread=?1", "DELETE FROM part WHERE thread=?1", "DELETE FROM label WHERE thread=?1",
		"DELETE FROM link WHERE thread=?1", "DELETE FROM trailer WHERE thread=?1", "DELETE FROM place WHERE thread=?1",
		"DELETE FROM place WHERE thread IN (SELECT id FROM thread WHERE of=?1)", "DELETE FROM thread WHERE of=?1",
		"DELETE FROM thread WHERE id=?1", "UPDATE view SET unplaced_at=-1 WHERE unplaced_at>=0 AND ?1",
	};

	if (db_exec(&ix->db, e, "INSERT INTO fts(fts, rowid, title, path, body) SELECT 'delete', id, title, path, body FROM post"
	    " WHERE thread=?1", "i", thread) || box_drop(ix, thread, source, e))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (db_exec(&ix->db, e, rows[i], "i", thread))
			return -1;
	return 0;
}

/* ---- tasks ---- */

static int find_task(struct folding *w, int64_t *id)
{
	*id = 0;
	return w->ix->bulk ? 0 : db_get_int(&w->ix->db, w->e, id, "SELECT id FROM task WHERE hid=?1 AND source=?2 AND entity=?3", "iit",
			  hid_of(w->entity), w->source, w->entity);
}

static int drop_task(struct index *ix, int64_t task, struct err *e)
{
	static const char *const rows[] = {
		"INSERT INTO fts(fts, rowid, title, path, body) SELECT 'delete', id, title, path, body FROM post WHERE task=?1",
		"DELETE FROM post WHERE task=?1", "DELETE FROM label WHERE thread=0 AND task=?1",
		"DELETE FROM assignee WHERE task=?1", "DELETE FROM task WHERE id=?1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (db_exec(&ix->db, e, rows[i], "i", task))
			return -1;
	return 0;
}

/* Its words, for searching, stand with the posts. */
static int write_task_words(struct folding *w, int64_t task)
{
	struct db *d = &w->ix->db;
	const struct task *k = &w->f.k;
	int64_t who;

	for (size_t i = 0; i < k->n_labels; i++)
		if (db_exec(d, w->e, "INSERT INTO label(thread, task, name) VALUES(0, ?1, ?2) ON CONFLICT DO NOTHING", "it", task,
		    k->labels[i]))
			return -1;
	for (size_t i = 0; i < k->n_assignees; i++)
		if (!index_person(w->ix, &k->assignees[i], &who, w->e) ||
		    db_exec(d, w->e, "INSERT INTO assignee(task, who) VALUES(?1, ?2) ON CONFLICT DO NOTHING", "ii", task, who))
			return -1;
	if (db_exec(d, w->e, "INSERT INTO post(task, n, hid, op, person, who, time, edited, state, accepted, sig, title, body)"
	    " VALUES(?1, 0, ?2, 0, ?3, ?4, ?5, 0, 0, 0, 0, ?6, ?7)", "iiiiitt", task, hid_of(w->entity), w->author,
	    w->author_who, k->created, k->title, k->body))
		return -1;
	return fts_add(w->ix, sqlite3_last_insert_rowid(d->sql), k->title, NULL, k->body, w->e);
}

/* Tasks are few and short: written anew, under the same row. */
static int write_task(struct folding *w)
{
	struct db *d = &w->ix->db;
	struct arena *a = &w->ix->scratch;
	const struct task *k = &w->f.k;
	int64_t id;
	sqlite3_stmt *st;

	if (find_task(w, &id) < 0 || (id && drop_task(w->ix, id, w->e)))
		return -1;
	w->author = index_person(w->ix, &k->author, &w->author_who, w->e);
	if (!w->author)
		return -1;
	st = db_prep(d, "INSERT INTO task(id, source, hid, entity, rev, change, state, created, updated, author, author_who,"
		     " status, title, url, assignees, labels, body, name, key, num, milestone) VALUES(nullif(?1, 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
		     " ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, nullif(?20, 0), ?21)");
	db_bind(st, "iiitiiiiiiittttttttit", id, w->source, hid_of(w->entity), w->entity, ++w->ix->seq, (int64_t)k->change,
		(int64_t)k->state, k->created, k->updated, w->author, w->author_who, k->status, k->title ? k->title : "", k->url,
		people_pack(a, k->assignees, k->n_assignees), words_pack(a, k->labels, k->n_labels), k->body, w->f.name,
		w->task, w->f.name ? (int64_t)record_number(w->f.name) : (int64_t)0, k->milestone);
	if (db_step(d, st, w->e))
		return -1;
	return write_task_words(w, id ? id : sqlite3_last_insert_rowid(d->sql));
}

/* ---- folding ---- */

int fold_write(struct folding *w)
{
	return w->f.task ? write_task(w) : write_thread(w);
}

int fold_drop(struct folding *w)
{
	int64_t thread, task, unused;

	if (find_thread(w, &unused, &unused) < 0 || find_task(w, &task) < 0)
		return -1;
	thread = w->thread_row;
	if (thread && drop_thread(w->ix, thread, w->source, w->e))
		return -1;
	return task ? drop_task(w->ix, task, w->e) : 0;
}

/* What is kept at the desk is nobody else's: the ops do not say so, the source does. */
static enum audience source_audience(struct index *ix, int64_t source)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT kind='private' FROM source WHERE id=?1");
	struct err ignored = ERR_INIT;
	enum audience aud = AUDIENCE_EVERYONE;

	db_bind(st, "i", source);
	if (db_step(&ix->db, st, &ignored) == 1 && col_int(st, 0))
		aud = AUDIENCE_PRIVATE;
	db_reset(st);
	return aud;
}

static int fold_one(struct index *ix, int64_t source, enum audience audience, const char *entity, struct err *e)
{
	struct folding w = { .ix = ix, .source = source, .entity = entity, .e = e };
	bool made;
	int rc = ops_fold(&w, &made);

	w.f.t.audience = audience;
	if (!rc)
		rc = made ? fold_write(&w) : fold_drop(&w);
	ops_release(&w);
	return rc;
}

void index_watch(struct index *ix, void (*fn)(void *ctx, uint64_t done), void *ctx)
{
	ix->watch = fn;
	ix->watch_ctx = ctx;
}

struct foldings { struct index *ix; int64_t source; enum audience audience; uint64_t done; struct err *e; };

static int fold_next(struct foldings *f, const char *entity)
{
	struct index *ix = f->ix;

	if (ix->watch && ++f->done % WATCH_STEP == 0)
		ix->watch(ix->watch_ctx, f->done);
	arena_clear(&ix->scratch);
	return fold_one(ix, f->source, f->audience, entity, f->e);
}

static int fold_bulk(struct foldings *f)
{
	struct index *ix = f->ix;
	char entity[SHA256_HEX];

	if (!ix->bulk || !ix->marks.len)
		return 0;
	if (ix->marked.source != f->source)
		return bulk_end(ix, f->e);
	if (bulk_index_ops(ix, f->e))
		return -1;
	for (size_t i = 0; i < ix->marks.len; i++) {
		hex_encode(entity, ix->marks.items[i].id, SHA256_SIZE);
		if (fold_next(f, entity))
			return -1;
	}
	ix->marks.len = 0;
	return bulk_end(ix, f->e);
}

static int fold_dirty(struct foldings *f)
{
	struct db *d = &f->ix->db;
	sqlite3_stmt *st = db_prep(d, "SELECT entity FROM dirty WHERE source=?1 ORDER BY id");
	char entity[SHA256_HEX];
	int rc;

	db_bind(st, "i", f->source);
	while ((rc = db_step(d, st, f->e)) == 1) {
		const char *text = (const char *)sqlite3_column_text(st, 0);
		if (!text || strlen(text) != SHA256_HEX - 1)
			continue;
		memcpy(entity, text, SHA256_HEX);
		if (fold_next(f, entity)) {
			rc = -1;
			break;
		}
	}
	db_reset(st);
	return rc;
}

int index_fold(struct index *ix, int64_t source, struct err *e)
{
	struct foldings f = { .ix = ix, .source = source, .audience = source_audience(ix, source), .e = e };

	if (fold_bulk(&f) || fold_dirty(&f))
		return -1;
	idset_clear(&ix->marked);
	if (db_exec(&ix->db, e, "DELETE FROM dirty WHERE source=?1", "i", source))
		return -1;
	return index_fold_records(ix, source, e);
}

int index_forget(struct index *ix, int64_t source, struct err *e)
{
	static const char *const rows[] = {
		("INSERT INTO fts(fts, rowid, title, path, body) SELECT 'delete', p.id, p.title, p.path, p.body FROM post p WHERE"
		 " p.thread IN (SELECT id FROM thread WHERE source=?1) OR p.task IN (SELECT id FROM task WHERE source=?1)"),
		"DELETE FROM post WHERE thread IN (SELECT id FROM thread WHERE source=?1)",
		"DELETE FROM post WHERE task IN (SELECT id FROM task WHERE source=?1)",
		"DELETE FROM part WHERE thread IN (SELECT id FROM thread WHERE source=?1)",
		"DELETE FROM label WHERE thread IN (SELECT id FROM thread WHERE source=?1)",
		"DELETE FROM label WHERE thread=0 AND task IN (SELECT id FROM task WHERE source=?1)",
		"DELETE FROM link WHERE thread IN (SELECT id FROM thread WHERE source=?1)",
		"DELETE FROM trailer WHERE thread IN (SELECT id FROM thread WHERE source=?1)",
		"DELETE FROM place WHERE thread IN (SELECT id FROM thread WHERE source=?1)",
		"DELETE FROM assignee WHERE task IN (SELECT id FROM task WHERE source=?1)",
		"DELETE FROM box WHERE thread IN (SELECT id FROM thread WHERE source=?1)",
		"DELETE FROM box_count WHERE source=?1", "DELETE FROM rewrite WHERE source=?1",
		"DELETE FROM thread WHERE source=?1", "DELETE FROM task WHERE source=?1", "DELETE FROM dirty WHERE source=?1",
		"DELETE FROM quarantine WHERE source=?1", "DELETE FROM op WHERE source=?1",
		"DELETE FROM record WHERE source=?1", "DELETE FROM record_dirty WHERE source=?1",
		"DELETE FROM unsent WHERE source=?1",
		"UPDATE source SET stamp=NULL, heads=NULL, lamport=0 WHERE id=?1",
	};

	if (bulk_end(ix, e))
		return -1;
	idset_clear(&ix->ops);
	idset_clear(&ix->marked);
	index_drop_record_marks(ix, source);
	index_drop_fresh(ix);
	if (index_flush_deltas(ix, e))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (db_exec(&ix->db, e, rows[i], "i", source))
			return -1;
	return 0;
}

int64_t index_entity_row(struct index *ix, int64_t source, const char *entity)
{
	struct err e = ERR_INIT;
	int64_t id;

	db_get_int(&ix->db, &e, &id, "SELECT id FROM thread WHERE hid=?1 AND source=?2 AND entity=?3", "iit", hid_of(entity),
		   source, entity);
	return id;
}
