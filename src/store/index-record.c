/* SPDX-License-Identifier: MIT */
/*
 * A tracker's records in, and out again as they came; index-record-fold.c makes rows of them.
 *
 * A record is kept as its bytes under (source, type, key) and marks what it belongs to: its task, its thread, or, where a
 * task was new or is called otherwise now, all threads of it. Marks stay in memory until the end of the write, by when most
 * are folded: the first pull of a large project puts them by the hundred thousand. What is gone stays in the table,
 * marked: what is only hidden from us now (404 says no more) goes on being shown.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "index-record.h"
#include "killick/base/clock.h"

static const char *none(const char *s)
{
	return s ? s : "";
}

/* ---- in ---- */

struct keys { const char *key, *task, *thread; };

static struct keys keys_of(struct arena *a, enum record_type type, const char *task, const char *key, const char *thread)
{
	if (type == RECORD_TASK)
		return (struct keys){ key, key, "" };
	if (type == RECORD_THREAD)
		return (struct keys){ arena_printf(a, "%s" SPLIT "%s", none(task), key), none(task), key };
	return (struct keys){ key, none(task), none(thread) };
}

static void mark(struct index *ix, int64_t source, const char *task, const char *thread, int what)
{
	const struct record_mark *last = ix->record_marks.len ? &ix->record_marks.items[ix->record_marks.len - 1] : NULL;

	/* A list comes task by task. */
	if (last && last->source == source && last->what == what && !strcmp(last->task, task) && !strcmp(last->thread, thread))
		return;
	*array_add(&ix->record_marks) = (struct record_mark){ .source = source, .task = arena_strdup(&ix->txn, task),
		.thread = arena_strdup(&ix->txn, thread), .what = what };
}

static int mark_threads_of(struct index *ix, int64_t source, const char *task, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT DISTINCT thread FROM record WHERE source=?1 AND task=?2 AND type<>0");
	int rc;

	db_bind(st, "it", source, task);
	while ((rc = db_step(&ix->db, st, e)) == 1)
		mark(ix, source, task, (const char *)sqlite3_column_text(st, 0), WHAT_THREAD);
	return rc;
}

void index_drop_record_marks(struct index *ix, int64_t source)
{
	size_t left = 0;

	for (size_t i = 0; i < ix->record_marks.len; i++)
		if (ix->record_marks.items[i].source != source)
			ix->record_marks.items[left++] = ix->record_marks.items[i];
	ix->record_marks.len = left;
}

int index_flush_record_marks(struct index *ix, struct err *e)
{
	for (size_t i = 0; i < ix->record_marks.len; i++) {
		const struct record_mark *m = &ix->record_marks.items[i];

		if (db_exec(&ix->db, e, "INSERT INTO record_dirty(source, task, thread, what) VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO"
		    " NOTHING", "itti", m->source, m->task, m->thread, (int64_t)m->what))
			return -1;
	}
	ix->record_marks.len = 0;
	return 0;
}

static int mark_record(struct index *ix, int64_t source, enum record_type type, const struct keys *k, struct err *e)
{
	if (type != RECORD_TASK) {
		mark(ix, source, k->task, k->thread, WHAT_THREAD);
		return 0;
	}
	mark(ix, source, k->task, "", WHAT_TASK);
	mark(ix, source, k->task, "", WHAT_THREAD);
	return mark_threads_of(ix, source, k->task, e);
}

static const char *links_json(struct arena *a, const struct record_put *p)
{
	json_t *list;

	if (!p->n_links)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < p->n_links; i++)
		json_array_append_new(list, anchor_to_op(&p->links[i]));
	return json_line(a, list);
}

/* A record's row. */
struct row_of {
	int64_t source;
	enum record_type type;
	struct keys k;
	int kind;
	int64_t updated;
	const char *links;
};

/* ---- reactions that were not told ---- */

static bool tells_all(const struct record_note *n)
{
	for (size_t i = 0; i < n->n_reactions; i++)
		if (n->reactions[i].mine_unknown)
			return false;
	return !n->reactions_unknown;
}

static bool was_mine(const json_t *old, const char *emoji)
{
	for (size_t i = 0; emoji && i < json_array_size(old); i++) {
		const json_t *one = json_array_get(old, i);
		const char *what = json_string_value(json_array_get(one, 0));

		if (what && !strcmp(what, emoji))
			return json_is_true(json_array_get(one, 2));
	}
	return false;
}

/* A note's record with what the one before knew of its reactions: all, or which of them are mine. */
static void take_over(struct arena *a, const char *bytes, size_t n, struct record_put *p)
{
	json_t *now = json_read(p->bytes, p->n, "a record", NULL), *before = json_read(bytes, n, "a record", NULL);
	json_t *old = json_get_arr(before, "reactions"), *list = json_get_arr(now, "reactions");

	if (now && p->r->note.reactions_unknown && old)
		json_object_set(now, "reactions", old);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i);

		if (json_is_null(json_array_get(one, 2)) && was_mine(old, json_string_value(json_array_get(one, 0))))
			json_array_set_new(one, 2, json_true());
	}
	json_decref(before);
	if (!now)
		return;
	p->bytes = json_line(a, now);
	p->n = strlen(p->bytes);
}

struct old { bool found, same; int64_t id, updated, gone; const char *task, *thread; };

/* p: what is to be put in its place, which may learn of it; or NULL. */
static int find_old(struct index *ix, int64_t source, enum record_type type, const char *key, struct record_put *p,
    const char *links, struct arena *a, struct old *o, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT id, updated, gone, task, thread, links IS ?4, bytes FROM record WHERE source=?1"
		" AND type=?2 AND key=?3");
	int rc;

	*o = (struct old){ 0 };
	db_bind(st, "iitt", source, (int64_t)type, key, links);
	rc = db_step(&ix->db, st, e);
	if (rc == 1) {
		*o = (struct old){ .found = true, .id = col_int(st, 0), .updated = col_int(st, 1), .gone = col_int(st, 2),
			.task = col_text(a, st, 3), .thread = col_text(a, st, 4) };
		if (p && type == RECORD_NOTE && !tells_all(&p->r->note))
			take_over(a, sqlite3_column_blob(st, 6), (size_t)sqlite3_column_bytes(st, 6), p);
		o->same = p && col_int(st, 5) && (size_t)sqlite3_column_bytes(st, 6) == p->n &&
			!memcmp(sqlite3_column_blob(st, 6), p->bytes, p->n);
		db_reset(st);
	}
	return rc < 0 ? -1 : 0;
}

void index_drop_fresh(struct index *ix)
{
	ix->fresh.len = 0;
	ix->fresh_broken = false;
}

/* The fold takes it from here. */
static void keep_fresh(struct index *ix, const struct row_of *w, const struct record_put *p)
{
	struct record *r;

	if (w->type == RECORD_TASK)
		return;
	ix->fresh_broken = ix->fresh_broken || !p->kept || (ix->fresh.len && ix->fresh_source != w->source);
	if (ix->fresh_broken)
		return;
	ix->fresh_source = w->source;
	r = ARENA_NEW(&ix->txn, struct record);
	*r = *p->r;
	*array_add(&ix->fresh) = (struct fresh_record){ .id = sqlite3_last_insert_rowid(ix->db.sql),
		.task = arena_strdup(&ix->txn, w->k.task), .thread = arena_strdup(&ix->txn, w->k.thread),
		.links = arena_strdup(&ix->txn, w->links), .r = r };
}

/* A row changes: what is in memory of it is not true any more. */
static void check_fresh(struct index *ix, int64_t id)
{
	ix->fresh_broken = ix->fresh_broken || (ix->fresh.len && id >= ix->fresh.items[0].id);
}

/* What was not here yet, which in a first pull is all: 1, else 0. */
static int insert_record(struct index *ix, const struct row_of *w, const struct record_put *p, struct err *e)
{
	if (db_exec(&ix->db, e, "INSERT INTO record(source, type, key, task, thread, kind, updated, put, gone, links, bytes)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10) ON CONFLICT(source, type, key) DO NOTHING", "iitttiiitb",
	    w->source, (int64_t)w->type, w->k.key, w->k.task, w->k.thread, (int64_t)w->kind, w->updated, clock_now(), w->links,
	    p->bytes, p->n))
		return -1;
	return db_changes(&ix->db) > 0;
}

static int update_record(struct index *ix, const struct row_of *w, const struct record_put *put, struct err *e)
{
	struct record_put mine = *put, *p = &mine;
	struct old o;

	if (find_old(ix, w->source, w->type, w->k.key, p, w->links, &ix->scratch, &o, e))
		return -1;
	if (o.gone == HERE && (o.same || o.updated > w->updated))
		return 0;
	check_fresh(ix, o.id);
	/* A note that went to another thread or task leaves the one it was in. */
	if (strcmp(o.task, w->k.task) || strcmp(o.thread, w->k.thread))
		mark(ix, w->source, o.task, o.thread, WHAT_THREAD);
	if (db_exec(&ix->db, e, "UPDATE record SET (task, thread, kind, updated, put, gone, links, bytes)=(?2, ?3, ?4, ?5, ?6, 0,"
	    " ?7, ?8) WHERE id=?1", "ittiiitb", o.id, w->k.task, w->k.thread, (int64_t)w->kind, w->updated, clock_now(), w->links,
	    p->bytes, p->n))
		return -1;
	return mark_record(ix, w->source, w->type, &w->k, e);
}

static int write_record(struct index *ix, struct row_of *w, const struct record_put *p, struct err *e)
{
	int rc;

	w->links = links_json(&ix->scratch, p);
	rc = insert_record(ix, w, p, e);
	if (rc < 0)
		return -1;
	if (!rc)
		return update_record(ix, w, p, e);
	keep_fresh(ix, w, p);
	return mark_record(ix, w->source, w->type, &w->k, e);
}

static int put_task(struct index *ix, int64_t source, const struct record_put *p, struct err *e)
{
	const struct record_task *t = &p->r->task;
	struct row_of w = { .source = source, .type = RECORD_TASK, .k = keys_of(&ix->scratch, RECORD_TASK, NULL, t->key, NULL),
		.kind = t->change, .updated = t->updated };

	return write_record(ix, &w, p, e);
}

static int put_note(struct index *ix, int64_t source, const struct record_put *p, struct err *e)
{
	const struct record_note *n = &p->r->note;
	struct row_of w = { .source = source, .type = RECORD_NOTE, .kind = (int)n->kind, .updated = n->updated,
		.k = keys_of(&ix->scratch, RECORD_NOTE, n->task, n->key, n->thread) };

	return write_record(ix, &w, p, e);
}

static int put_thread(struct index *ix, int64_t source, const struct record_put *p, struct err *e)
{
	const struct record_thread *t = &p->r->thread;
	struct row_of w = { .source = source, .type = RECORD_THREAD,
		.k = keys_of(&ix->scratch, RECORD_THREAD, t->task, t->key, NULL) };

	return write_record(ix, &w, p, e);
}

static int set_gone(struct index *ix, int64_t source, enum record_type type, const char *key, enum gone gone, struct err *e)
{
	struct arena *a = &ix->scratch;
	struct keys k;
	struct old o;

	if (find_old(ix, source, type, key, NULL, NULL, a, &o, e))
		return -1;
	/* What we know to be deleted is not just hidden. */
	if (!o.found || o.gone == (int64_t)gone || o.gone == GONE_DELETED)
		return 0;
	check_fresh(ix, o.id);
	if (db_exec(&ix->db, e, "UPDATE record SET gone=?2 WHERE id=?1", "ii", o.id, (int64_t)gone))
		return -1;
	k = (struct keys){ key, o.task, o.thread };
	return mark_record(ix, source, type, &k, e);
}

static int put_gone(struct index *ix, int64_t source, const struct record_put *p, struct err *e)
{
	const struct record_gone *g = &p->r->gone;
	struct keys k = keys_of(&ix->scratch, g->of, g->task, g->key, NULL);

	return set_gone(ix, source, g->of, k.key, !strcmp(g->why, "hidden") ? GONE_HIDDEN : GONE_DELETED, e);
}

static int cmp_word(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_listed(const char *word, const char *const *list, size_t n)
{
	return n && bsearch(&word, list, n, sizeof(*list), cmp_word);
}

static bool is_kind(int64_t kind, const struct record_list *l)
{
	enum note_kind k;

	for (size_t i = 0; i < l->n_kinds; i++)
		if (note_kind_parse(l->kinds[i], &k) && (int64_t)k == kind)
			return true;
	return false;
}

/* Notes of these kinds that were here before the list was asked for and are not in it. */
static int missing_notes(struct index *ix, int64_t source, const struct record_put *p, const char *const *keys,
    const char ***out, size_t *n_out, struct err *e)
{
	const struct record_list *l = &p->r->list;
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT key, kind FROM record WHERE source=?1 AND task=?2 AND type=1 AND gone=0 AND"
		" put<=?3");
	ARRAY(const char *) list = ARRAY_INIT;
	int rc;

	_Static_assert(RECORD_NOTE == 1 && RECORD_TASK == 0, "the statements say so");
	db_bind(st, "iti", source, none(l->task), p->began);
	while ((rc = db_step(&ix->db, st, e)) == 1)
		if (is_kind(col_int(st, 1), l) && !is_listed((const char *)sqlite3_column_text(st, 0), keys, l->n_keys))
			*array_add(&list) = col_text(&ix->scratch, st, 0);
	*n_out = list.len;
	*out = list.len ? (const char **)arena_memdup(&ix->scratch, list.items, list.len * sizeof(*list.items)) : NULL;
	array_release(&list);
	return rc;
}

static int put_list(struct index *ix, int64_t source, const struct record_put *p, struct err *e)
{
	const struct record_list *l = &p->r->list;
	const char **keys = arena_alloc(&ix->scratch, (l->n_keys + 1) * sizeof(*keys)), **gone;
	size_t n;

	for (size_t i = 0; i < l->n_keys; i++)
		keys[i] = l->keys[i];
	qsort(keys, l->n_keys, sizeof(*keys), cmp_word);
	if (missing_notes(ix, source, p, keys, &gone, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (set_gone(ix, source, RECORD_NOTE, gone[i], GONE_DELETED, e))
			return -1;
	return 0;
}

int index_put_record(struct index *ix, int64_t source, const struct record_put *p, struct err *e)
{
	static int (*const puts[])(struct index *, int64_t, const struct record_put *, struct err *) = {
		[RECORD_TASK] = put_task, [RECORD_NOTE] = put_note, [RECORD_THREAD] = put_thread, [RECORD_GONE] = put_gone,
		[RECORD_LIST] = put_list,
	};

	arena_clear(&ix->scratch);
	return puts[p->r->type](ix, source, p, e);
}

/* ---- the user's own ---- */

struct unsent { const char *id, *task, *thread, *patch; int64_t source, what, state, n; bool kept; };
struct unsents { struct unsent *items; size_t len, alloc; };

static int load_unsents(struct index *ix, struct arena *a, struct unsents *out, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT id, source, task, thread, what, state, patch, n FROM unsent");
	int rc;

	while ((rc = db_step(&ix->db, st, e)) == 1) {
		struct unsent *u = array_add(out);

		*u = (struct unsent){ .id = col_text(a, st, 0), .source = col_int(st, 1), .task = col_text(a, st, 2),
			.thread = col_text(a, st, 3), .what = col_int(st, 4), .state = col_int(st, 5), .patch = col_text(a, st, 6),
			.n = col_int(st, 7) };
	}
	return rc;
}

static struct unsent *same_unsent(struct unsents *old, const struct unsent *u)
{
	for (size_t i = 0; i < old->len; i++) {
		struct unsent *o = &old->items[i];

		if (!strcmp(o->id, u->id) && o->source == u->source && !strcmp(o->task, u->task) && !strcmp(o->thread, u->thread) &&
		    o->what == u->what)
			return o;
	}
	return NULL;
}

static int put_unsent(struct index *ix, const struct unsent_row *r, int64_t n, struct unsents *old, struct err *e)
{
	struct unsent u = { .id = r->id, .task = none(r->task), .thread = none(r->thread), .patch = r->patch, .n = n,
		.what = r->what == RECORD_TASK ? WHAT_TASK : WHAT_THREAD, .state = (int64_t)r->state }, *o;

	if (db_get_int(&ix->db, e, &u.source, "SELECT id FROM source WHERE kind=?1 AND key=?2", "tt", r->source_kind,
	    r->source_key) < 0)
		return -1;
	if (!u.source)
		return 0;
	o = same_unsent(old, &u);
	if (o)
		o->kept = true;
	if (o && o->state == u.state && o->n == u.n && !strcmp(o->patch, u.patch))
		return 0;
	mark(ix, u.source, u.task, u.thread, (int)u.what);
	return db_exec(&ix->db, e, "INSERT OR REPLACE INTO unsent(id, source, task, thread, what, state, patch, n) VALUES(?1, ?2,"
		       " ?3, ?4, ?5, ?6, ?7, ?8)", "tittiiti", u.id, u.source, u.task, u.thread, u.what, u.state, u.patch, u.n);
}

int index_put_unsent(struct index *ix, const struct unsent_row *rows, size_t n, struct err *e)
{
	struct unsents old = ARRAY_INIT;
	struct arena a = ARENA_INIT;
	int rc = load_unsents(ix, &a, &old, e);

	for (size_t i = 0; !rc && i < n; i++)
		rc = put_unsent(ix, &rows[i], (int64_t)i, &old, e);
	for (size_t i = 0; !rc && i < old.len; i++) {
		const struct unsent *u = &old.items[i];

		if (u->kept)
			continue;
		mark(ix, u->source, u->task, u->thread, (int)u->what);
		rc = db_exec(&ix->db, e, "DELETE FROM unsent WHERE id=?1 AND source=?2 AND task=?3 AND thread=?4", "titt", u->id,
			     u->source, u->task, u->thread);
	}
	array_release(&old);
	arena_release(&a);
	return rc;
}

/* ---- out ---- */

static int read_record(struct index *ix, sqlite3_stmt *st, struct arena *a, struct record *out, struct err *e)
{
	int rc = db_step(&ix->db, st, e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "it is not in the index any more");
	if (rc < 0)
		return -1;
	rc = record_parse(a, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), out, e);
	db_reset(st);
	return rc;
}

int index_record(struct index *ix, int64_t source, enum record_type type, const char *task, const char *key,
    struct arena *a, struct record *out, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT bytes FROM record WHERE source=?1 AND type=?2 AND key=?3 AND gone<>1");
	struct keys k = keys_of(a, type, task, key, NULL);

	db_bind(st, "iit", source, (int64_t)type, k.key);
	return read_record(ix, st, a, out, e);
}

bool index_thread_keys(struct index *ix, int64_t thread, struct arena *a, const char **task, const char **thread_key)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT r_task, r_thread FROM thread WHERE id=?1 AND r_task IS NOT NULL");
	struct err e = ERR_INIT;
	bool found;

	db_bind(st, "i", thread);
	found = db_step(&ix->db, st, &e) == 1;
	if (found) {
		*task = col_text(a, st, 0);
		*thread_key = col_text(a, st, 1);
	}
	db_reset(st);
	return found;
}

bool index_task_key(struct index *ix, int64_t task, struct arena *a, const char **key)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT key FROM task WHERE id=?1 AND key IS NOT NULL");
	struct err e = ERR_INIT;
	bool found;

	db_bind(st, "i", task);
	found = db_step(&ix->db, st, &e) == 1;
	if (found)
		*key = col_text(a, st, 0);
	db_reset(st);
	return found;
}

int index_post_record(struct index *ix, int64_t thread, const char *post_id, struct arena *a, struct record *out,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT r.bytes FROM post p CROSS JOIN thread t ON t.id=p.thread CROSS JOIN record r ON"
		" r.id=p.op WHERE p.hid BETWEEN ?1 AND ?2 AND p.thread=?3 AND t.r_task IS NOT NULL");
	const char *hex = post_id + (*post_id == 'p');
	int64_t lo, hi;

	if (!*hex || !str_is_hex(hex, strlen(hex)))
		return err_set(e, ERR_NOT_FOUND, "no post '%s'", post_id);
	hid_range(hex, strlen(hex), &lo, &hi);
	db_bind(st, "iii", lo, hi, thread);
	return read_record(ix, st, a, out, e);
}

int index_marked_note(struct index *ix, int64_t source, const char *op_id, int64_t since, struct arena *a,
    struct record *out, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT bytes FROM record WHERE source=?1 AND type=1 AND gone=0 AND put>=?2 AND"
		" instr(bytes, ?3)>0 ORDER BY id DESC");
	const char *word = arena_printf(a, "killick:%s", op_id);
	char id[33];
	size_t len;
	int rc;

	db_bind(st, "iit", source, since, word);
	while ((rc = db_step(&ix->db, st, e)) == 1) {
		struct err bad = ERR_INIT;

		if (!record_parse(a, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), out, &bad) && out->note.body &&
		    record_mark(out->note.body, id, &len) && !strcmp(id, op_id)) {
			db_reset(st);
			return 0;
		}
	}
	return rc < 0 ? -1 : err_set(e, ERR_NOT_FOUND, "no note has this mark");
}
