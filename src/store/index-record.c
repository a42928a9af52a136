/* SPDX-License-Identifier: MIT */
/*
 * A tracker's records in, rows out: the other way into the fold of index-fold.c.
 *
 * A record is kept as its bytes under (source, type, key) and marks what it belongs to: its task, its thread, or, where a
 * task was new or is called otherwise now, all threads of it. Folding reads what there is of a task or thread, lays the
 * user's unsent changes over it and writes the same rows as for native ones. What is gone stays in the table, marked:
 * what is only hidden from us now (404 says no more) goes on being shown.
 *
 * Logins mean something on their host only: in the rows they are "host/login", which reading takes off again. Whoever
 * claims a mail address of ours without our login on that host is not us.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "index-fold.h"
#include "killick/base/clock.h"
#include "killick/model/record.h"

enum { WHAT_TASK = 0, WHAT_THREAD = 1 };
enum gone { HERE, GONE_DELETED, GONE_HIDDEN };
#define SPLIT "\x1f" /* no key has it */

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

static int mark(struct index *ix, int64_t source, const char *task, const char *thread, int what, struct err *e)
{
	return db_exec(&ix->db, e, "INSERT INTO record_dirty(source, task, thread, what) VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO"
		       " NOTHING", "itti", source, task, thread, (int64_t)what);
}

static int mark_threads_of(struct index *ix, int64_t source, const char *task, struct err *e)
{
	return db_exec(&ix->db, e, "INSERT INTO record_dirty(source, task, thread, what) SELECT DISTINCT source, task, thread, 1"
		       " FROM record WHERE source=?1 AND task=?2 AND type<>0 ON CONFLICT DO NOTHING", "it", source, task);
}

static int mark_record(struct index *ix, int64_t source, enum record_type type, const struct keys *k, struct err *e)
{
	if (type != RECORD_TASK)
		return mark(ix, source, k->task, k->thread, WHAT_THREAD, e);
	return mark(ix, source, k->task, "", WHAT_TASK, e) || mark(ix, source, k->task, "", WHAT_THREAD, e) ||
		mark_threads_of(ix, source, k->task, e) ? -1 : 0;
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

struct old { bool found, same; int64_t id, updated, gone; const char *task, *thread; };

static int find_old(struct index *ix, int64_t source, enum record_type type, const char *key, const struct record_put *p,
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
		o->same = p && col_int(st, 5) && (size_t)sqlite3_column_bytes(st, 6) == p->n &&
			!memcmp(sqlite3_column_blob(st, 6), p->bytes, p->n);
		db_reset(st);
	}
	return rc < 0 ? -1 : 0;
}

static int write_record(struct index *ix, int64_t source, enum record_type type, const struct keys *k, int kind,
    int64_t updated, const struct record_put *p, struct err *e)
{
	struct arena *a = &ix->scratch;
	const char *links = links_json(a, p);
	struct old o;

	if (find_old(ix, source, type, k->key, p, links, a, &o, e))
		return -1;
	if (o.found && o.gone == HERE && (o.same || o.updated > updated))
		return 0;
	/* A note that went to another thread or task leaves the one it was in. */
	if (o.found && (strcmp(o.task, k->task) || strcmp(o.thread, k->thread)) &&
	    mark(ix, source, o.task, o.thread, WHAT_THREAD, e))
		return -1;
	if (db_exec(&ix->db, e, "INSERT INTO record(source, type, key, task, thread, kind, updated, put, gone, links, bytes)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10) ON CONFLICT(source, type, key) DO UPDATE SET task=excluded.task,"
	    " thread=excluded.thread, kind=excluded.kind, updated=excluded.updated, put=excluded.put, gone=0,"
	    " links=excluded.links, bytes=excluded.bytes", "iitttiiitb", source, (int64_t)type, k->key, k->task, k->thread,
	    (int64_t)kind, updated, clock_now(), links, p->bytes, p->n))
		return -1;
	return mark_record(ix, source, type, k, e);
}

static int put_task(struct index *ix, int64_t source, const struct record_put *p, struct err *e)
{
	const struct record_task *t = &p->r->task;
	struct keys k = keys_of(&ix->scratch, RECORD_TASK, NULL, t->key, NULL);

	return write_record(ix, source, RECORD_TASK, &k, t->change, t->updated, p, e);
}

static int put_note(struct index *ix, int64_t source, const struct record_put *p, struct err *e)
{
	const struct record_note *n = &p->r->note;
	struct keys k = keys_of(&ix->scratch, RECORD_NOTE, n->task, n->key, n->thread);

	return write_record(ix, source, RECORD_NOTE, &k, (int)n->kind, n->updated, p, e);
}

static int put_thread(struct index *ix, int64_t source, const struct record_put *p, struct err *e)
{
	const struct record_thread *t = &p->r->thread;
	struct keys k = keys_of(&ix->scratch, RECORD_THREAD, t->task, t->key, NULL);

	return write_record(ix, source, RECORD_THREAD, &k, 0, 0, p, e);
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

static int mark_unsent(struct index *ix, const struct unsent *u, struct err *e)
{
	return mark(ix, u->source, u->task, u->thread, (int)u->what, e);
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
	return db_exec(&ix->db, e, "INSERT OR REPLACE INTO unsent(id, source, task, thread, what, state, patch, n) VALUES(?1, ?2,"
		       " ?3, ?4, ?5, ?6, ?7, ?8)", "tittiiti", u.id, u.source, u.task, u.thread, u.what, u.state, u.patch, u.n) ||
		mark_unsent(ix, &u, e) ? -1 : 0;
}

int index_put_unsent(struct index *ix, const struct unsent_row *rows, size_t n, struct err *e)
{
	struct unsents old = ARRAY_INIT;
	struct arena a = ARENA_INIT;
	int rc = load_unsents(ix, &a, &old, e);

	for (size_t i = 0; !rc && i < n; i++)
		rc = put_unsent(ix, &rows[i], (int64_t)i, &old, e);
	for (size_t i = 0; !rc && i < old.len; i++)
		if (!old.items[i].kept)
			rc = db_exec(&ix->db, e, "DELETE FROM unsent WHERE id=?1 AND source=?2 AND task=?3 AND thread=?4", "titt",
				     old.items[i].id, old.items[i].source, old.items[i].task, old.items[i].thread) ||
				mark_unsent(ix, &old.items[i], e) ? -1 : 0;
	array_release(&old);
	arena_release(&a);
	return rc;
}

/* ---- folding ---- */

struct linked { const char *key, *links; };  /* what quotes places: a note's key, "" for the task's text */

struct rfold {
	struct index *ix;
	int64_t source;
	const char *task, *thread;
	struct record_source src;
	const char *host;
	struct record_task k;
	bool has_task;
	struct record_thread th;
	bool has_thread;
	ARRAY(struct record_note) notes;
	ARRAY(struct post_record) records;
	ARRAY(struct linked) links;
	struct err *e;
};

static struct arena *scratch(struct rfold *r)
{
	return &r->ix->scratch;
}

/* The same for all that is folded of it. */
static int load_source(struct rfold *r, struct arena *a)
{
	struct source_row row;
	size_t n;

	if (!index_source_get(r->ix, r->source, a, &row))
		return err_set(r->e, ERR_BAD_DATA, "the index has lost a source");
	n = strcspn(row.key, "/");
	r->src = (struct record_source){ row.kind, row.key, row.name };
	r->host = arena_memdup(a, row.key, n ? n : strlen(row.key));
	return box_identities(r->ix, r->source, r->e);
}

static int load_task(struct rfold *r)
{
	sqlite3_stmt *st = db_prep(&r->ix->db, "SELECT bytes, links FROM record WHERE source=?1 AND type=0 AND key=?2 AND gone<>1");
	struct err bad = ERR_INIT;
	struct record rec;
	int rc;

	db_bind(st, "it", r->source, r->task);
	rc = db_step(&r->ix->db, st, r->e);
	if (rc != 1)
		return rc;
	if (!record_parse(scratch(r), sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), &rec, &bad)) {
		r->k = rec.task;
		r->has_task = true;
		if (sqlite3_column_type(st, 1) != SQLITE_NULL)
			*array_add(&r->links) = (struct linked){ "", col_text(scratch(r), st, 1) };
	}
	db_reset(st);
	return 0;
}

static void add_note(struct rfold *r, const struct record_note *n, int64_t row, const char *links)
{
	char hex[SHA256_HEX];

	*array_add(&r->notes) = *n;
	record_entity(r->src.kind, r->src.key, RECORD_NOTE, NULL, n->key, hex);
	*array_add(&r->records) = (struct post_record){ hid_of(hex), row };
	if (links)
		*array_add(&r->links) = (struct linked){ n->key, links };
}

static int load_thread(struct rfold *r)
{
	sqlite3_stmt *st = db_prep(&r->ix->db, "SELECT id, type, links, bytes FROM record WHERE source=?1 AND task=?2 AND thread=?3"
		" AND type IN (1, 2) AND gone<>1");
	struct err bad = ERR_INIT;
	struct record rec;
	int rc;

	_Static_assert(RECORD_THREAD == 2 && GONE_DELETED == 1, "the statements say so");
	db_bind(st, "itt", r->source, r->task, r->thread);
	while ((rc = db_step(&r->ix->db, st, r->e)) == 1) {
		if (record_parse(scratch(r), sqlite3_column_blob(st, 3), (size_t)sqlite3_column_bytes(st, 3), &rec, &bad))
			continue;
		if (rec.type == RECORD_THREAD) {
			r->th = rec.thread;
			r->has_thread = true;
		} else {
			add_note(r, &rec.note, col_int(st, 0), col_text(scratch(r), st, 2));
		}
	}
	return rc;
}

/* ---- what is not sent ---- */

static struct record_note *note_of(struct rfold *r, const char *key)
{
	for (size_t i = 0; key && i < r->notes.len; i++)
		if (!strcmp(r->notes.items[i].key, key))
			return &r->notes.items[i];
	return NULL;
}

/* Did it arrive, whatever the outbox knows? */
static bool has_arrived(struct rfold *r, const char *op, const json_t *patch)
{
	char id[33];
	size_t len;

	if (note_of(r, json_get_str(patch, "landed")))
		return true;
	for (size_t i = 0; i < r->notes.len; i++)
		if (r->notes.items[i].body && record_mark(r->notes.items[i].body, id, &len) && !strcmp(id, op))
			return true;
	return false;
}

static void lay_new_note(struct rfold *r, const char *op, const json_t *patch, enum post_state state)
{
	struct buf b = BUF_INIT;
	struct err bad = ERR_INIT;
	struct record rec;

	if (has_arrived(r, op, patch))
		return;
	json_write(&b, json_object_get(patch, "note"));
	if (!record_parse(scratch(r), b.ptr, b.len, &rec, &bad) && rec.type == RECORD_NOTE) {
		rec.note.unsent = state;
		add_note(r, &rec.note, 0, NULL);
	}
	buf_release(&b);
}

static void lay_over(struct rfold *r, const char *op, const json_t *patch, enum post_state state)
{
	const char *of = none(json_get_str(patch, "of"));
	struct record_note *n = note_of(r, json_get_str(patch, "key"));
	bool counts = state == POST_QUEUED || state == POST_SENT;

	if (!strcmp(of, "task") && r->has_task && counts)
		record_patch_task(scratch(r), &r->k, patch);
	else if (!strcmp(of, "thread") && r->has_thread && counts)
		record_patch_thread(&r->th, patch);
	else if (!strcmp(of, "note") && json_object_get(patch, "note"))
		lay_new_note(r, op, patch, state);
	else if (!strcmp(of, "note") && n)
		record_patch_note(scratch(r), n, patch, state);
}

static int lay_unsent(struct rfold *r, int what)
{
	sqlite3_stmt *st = db_prep(&r->ix->db, "SELECT id, state, patch FROM unsent WHERE source=?1 AND task=?2 AND thread=?3 AND"
		" what=?4 ORDER BY n");
	struct err bad = ERR_INIT;
	json_t *patch;
	int rc;

	db_bind(st, "itti", r->source, r->task, what == WHAT_TASK ? "" : r->thread, (int64_t)what);
	while ((rc = db_step(&r->ix->db, st, r->e)) == 1) {
		patch = json_read((const char *)sqlite3_column_text(st, 2), (size_t)sqlite3_column_bytes(st, 2), "a patch", &bad);
		if (!patch)
			continue;
		lay_over(r, (const char *)sqlite3_column_text(st, 0), patch, (enum post_state)col_int(st, 1));
		json_decref(patch);
	}
	return rc;
}

/* ---- people ---- */

static bool is_mine(struct rfold *r, const char *email, const char *who)
{
	bool same = false, known = false;

	for (size_t i = 0; i < r->ix->n_identities; i++) {
		const char *const *me = r->ix->identities[i].me;
		size_t prefix = strlen(r->host) + 7;

		for (same = known = false; me && *me; me++) {
			same = same || !strcasecmp(*me, email);
			if (!strncmp(*me, "login:", 6) && !strncmp(*me + 6, r->host, prefix - 7) && (*me)[prefix - 1] == '/') {
				known = true;
				if (who && !strcasecmp(*me + 6, who))
					return true;
			}
		}
		if (same)
			return !known || !who;
	}
	return true; /* nobody's of ours: as it says */
}

static void localise(struct rfold *r, struct person *p)
{
	if (p->login && *p->login)
		p->login = arena_printf(scratch(r), "%s/%s", r->host, p->login);
	if (p->email && *p->email && !is_mine(r, p->email, p->login))
		p->email = NULL;
}

static void localise_all(struct rfold *r, struct fold *f)
{
	for (unsigned i = 0; i < f->t.n_posts && f->t.posts; i++)
		localise(r, &f->t.posts[i].author);
	for (size_t i = 0; i < f->t.n_asked; i++)
		localise(r, &f->t.asked[i]);
	for (size_t i = 0; i < f->k.n_assignees; i++)
		localise(r, &f->k.assignees[i]);
	localise(r, &f->t.author);
	localise(r, &f->t.last_author);
	localise(r, &f->k.author);
	localise(r, &f->closer);
}

/* ---- places quoted by permalinks ---- */

/* What a post says beside the address it quotes. */
static const char *title_beside_links(struct arena *a, const char *body, const char *otherwise)
{
	struct buf text = BUF_INIT, title = BUF_INIT;
	const char *out;

	for (const char *p = body ? body : ""; *p;) {
		size_t n = strcspn(p, "\n"), lead = strspn(p, " \t<>(");

		if (strncmp(p + lead, "https://", 8) || memchr(p + lead, ' ', n > lead ? n - lead : 0)) {
			buf_add(&text, p, n);
			buf_addch(&text, '\n');
		}
		p += n + (p[n] == '\n');
	}
	buf_trim(&text);
	if (text.len)
		title_from_body(&title, text.ptr);
	out = title.len ? arena_strdup(a, title.ptr) : otherwise;
	buf_release(&text);
	buf_release(&title);
	return out;
}

static void fill_quote(struct rfold *r, const struct folding *of, const char *key, const struct anchor *an,
    struct folding *w)
{
	const struct record_note *n = note_of(r, key);
	struct thread *t = &w->f.t;

	*t = (struct thread){ .kind = of->f.t.kind, .state = of->f.t.state, .anchor = *an, .n_posts = 0 };
	if (n) {
		t->title = title_beside_links(scratch(r), n->body, of->f.t.title);
		t->author = n->author;
		t->created = n->created;
		t->url = n->url;
	} else {
		t->title = of->f.t.title;
		t->author = r->k.author;
		t->created = r->k.created;
		t->url = r->k.url;
	}
	localise(r, &t->author);
	t->last_author = t->author;
	t->updated = t->created;
}

struct kept { int64_t *items; size_t len, alloc; };  /* rows of quotes that there are now */

static int write_quote(struct rfold *r, const struct folding *of, const char *key, size_t i, const struct anchor *an,
    struct kept *kept)
{
	struct folding w = { .ix = r->ix, .source = r->source, .task = of->task, .thread = of->thread, .of = of->thread_row,
		.e = r->e };
	char entity[SHA256_HEX];

	record_entity(r->src.kind, r->src.key, RECORD_THREAD, r->task,
		      arena_printf(scratch(r), "%s" SPLIT "quotes" SPLIT "%s" SPLIT "%zu", r->thread, key, i), entity);
	w.entity = entity;
	fill_quote(r, of, key, an, &w);
	if (fold_write(&w))
		return -1;
	*array_add(kept) = w.thread_row;
	return 0;
}

static int write_quotes_of(struct rfold *r, const struct folding *of, const struct linked *l, struct kept *kept)
{
	struct err bad = ERR_INIT;
	json_t *list = json_read(l->links, strlen(l->links), "links", &bad);
	struct anchor an;
	int rc = 0;

	for (size_t i = 0; !rc && i < json_array_size(list); i++)
		if (!anchor_from_op(scratch(r), json_array_get(list, i), &an, &bad))
			rc = write_quote(r, of, l->key, i, &an, kept);
	json_decref(list);
	return rc;
}

static bool was_kept(const struct kept *kept, int64_t row)
{
	for (size_t i = 0; i < kept->len; i++)
		if (kept->items[i] == row)
			return true;
	return false;
}

/* Those that no post quotes any more. */
static int drop_other_quotes(struct rfold *r, int64_t thread, const struct kept *kept)
{
	struct db *d = &r->ix->db;
	sqlite3_stmt *st = db_prep(d, "SELECT id FROM thread WHERE of=?1");
	ARRAY(int64_t) old = ARRAY_INIT;
	int rc;

	db_bind(st, "i", thread);
	while ((rc = db_step(d, st, r->e)) == 1)
		if (!was_kept(kept, col_int(st, 0)))
			*array_add(&old) = col_int(st, 0);
	for (size_t i = 0; !rc && i < old.len; i++)
		rc = db_exec(d, r->e, "DELETE FROM place WHERE thread=?1", "i", old.items[i]) ||
			db_exec(d, r->e, "DELETE FROM thread WHERE id=?1", "i", old.items[i]) ? -1 : 0;
	array_release(&old);
	return rc;
}

static int write_quotes(struct rfold *r, const struct folding *of)
{
	struct kept kept = ARRAY_INIT;
	int rc = 0;

	for (size_t i = 0; !rc && i < r->links.len; i++)
		if (*r->links.items[i].key || !*r->thread)
			rc = write_quotes_of(r, of, &r->links.items[i], &kept);
	if (!rc && !of->is_new)
		rc = drop_other_quotes(r, of->thread_row, &kept);
	array_release(&kept);
	return rc;
}

/* ---- rows ---- */

static int write_fold(struct rfold *r, struct folding *w, bool something)
{
	int rc;

	if (!something)
		return fold_drop(w);
	if (r->records.len > 1)
		qsort(r->records.items, r->records.len, sizeof(*r->records.items), post_record_cmp);
	w->records = r->records.items;
	w->n_records = r->records.len;
	localise_all(r, &w->f);
	rc = fold_write(w);
	return rc || w->f.task ? rc : write_quotes(r, w);
}

static int fold_task(struct rfold *r)
{
	struct folding w = { .ix = r->ix, .source = r->source, .task = r->task, .thread = "", .e = r->e };
	char entity[SHA256_HEX];

	record_entity(r->src.kind, r->src.key, RECORD_TASK, NULL, r->task, entity);
	w.entity = entity;
	if (load_task(r) || lay_unsent(r, WHAT_TASK))
		return -1;
	return write_fold(r, &w, record_fold_task(scratch(r), &r->src, r->has_task ? &r->k : NULL, &w.f));
}

static int fold_thread(struct rfold *r)
{
	struct folding w = { .ix = r->ix, .source = r->source, .task = r->task, .thread = r->thread, .e = r->e };
	char entity[SHA256_HEX];
	bool quoted;

	record_entity(r->src.kind, r->src.key, RECORD_THREAD, r->task, r->thread, entity);
	w.entity = entity;
	if ((*r->task && load_task(r)) || lay_unsent(r, WHAT_TASK) || load_thread(r) || lay_unsent(r, WHAT_THREAD))
		return -1;
	/* A thread of a task that is gone is gone with it. */
	if (*r->task && !r->has_task)
		return write_fold(r, &w, false);
	quoted = !*r->thread && r->links.len && !*r->links.items[0].key;
	return write_fold(r, &w, record_fold_thread(scratch(r), &r->src, r->has_task ? &r->k : NULL, r->has_thread ? &r->th : NULL,
	    r->notes.items, r->notes.len, quoted, &w.f));
}

/* of: ix, source and what load_source knows. */
static int fold_one(const struct rfold *of, const char *task, const char *thread, int what)
{
	struct rfold r = *of;
	int rc;

	r.task = task;
	r.thread = thread;
	rc = what == WHAT_TASK ? fold_task(&r) : fold_thread(&r);
	array_release(&r.notes);
	array_release(&r.records);
	array_release(&r.links);
	return rc;
}

int index_fold_records(struct index *ix, int64_t source, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT task, thread, what FROM record_dirty WHERE source=?1 ORDER BY what, task, thread");
	struct arena a = ARENA_INIT, kept = ARENA_INIT;
	struct rfold of = { .ix = ix, .source = source, .e = e };
	int rc, n = 0;

	db_bind(st, "i", source);
	while ((rc = db_step(&ix->db, st, e)) == 1) {
		arena_clear(&a);
		arena_clear(&ix->scratch);
		if ((n++ == 0 && load_source(&of, &kept)) ||
		    fold_one(&of, col_text(&a, st, 0), col_text(&a, st, 1), (int)col_int(st, 2))) {
			rc = -1;
			break;
		}
	}
	db_reset(st);
	arena_release(&a);
	arena_release(&kept);
	if (!rc && n)
		rc = db_exec(&ix->db, e, "DELETE FROM record_dirty WHERE source=?1", "i", source);
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
