/* SPDX-License-Identifier: MIT */
/*
 * Records to rows: the other way into the fold of index-fold.c. Folding reads what there is of a task or thread, lays the
 * user's unsent changes over it and writes the same rows as for native ones. It goes on task by task, so that a task is
 * read once for itself and all of its threads.
 *
 * Logins mean something on their host only: in the rows they are "host/login", which reading takes off again. Whoever
 * claims a mail address of ours without our login on that host is not us.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "index-record.h"

struct linked { const char *key, *links; };  /* what quotes places: a note's key, "" for the task's text */

/* The task read last. */
struct known_task { struct arena a; const char *key; struct record_task k; bool has; const char *links; };

/* What is in memory, sorted, and where in it the fold is; first: the first row that is. */
struct fresh_left { const struct fresh_record *at, *end; int64_t first; };

struct rfold {
	struct index *ix;
	int64_t source;
	const char *task, *thread;
	struct record_source src;
	const char *host;
	bool has_unsent;             /* anything of this source */
	struct known_task *known;
	struct fresh_left *fresh;
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
static int load_source(struct rfold *r)
{
	struct arena *a = &r->ix->txn;
	struct source_row row;
	int64_t any;
	size_t n;

	if (!index_source_get(r->ix, r->source, a, &row))
		return err_set(r->e, ERR_BAD_DATA, "the index has lost a source");
	n = strcspn(row.key, "/");
	r->src = (struct record_source){ row.kind, row.key, row.name };
	r->host = arena_memdup(a, row.key, n ? n : strlen(row.key));
	if (db_get_int(&r->ix->db, r->e, &any, "SELECT 1 FROM unsent WHERE source=?1 LIMIT 1", "i", r->source) < 0)
		return -1;
	r->has_unsent = any;
	return box_identities(r->ix, r->source, r->e);
}

static int read_task(struct rfold *r, struct known_task *t)
{
	sqlite3_stmt *st = db_prep(&r->ix->db, "SELECT bytes, links FROM record WHERE source=?1 AND type=0 AND key=?2 AND gone<>1");
	struct err bad = ERR_INIT;
	struct record rec;
	int rc;

	arena_clear(&t->a);
	t->key = NULL;
	db_bind(st, "it", r->source, r->task);
	rc = db_step(&r->ix->db, st, r->e);
	if (rc < 0)
		return -1;
	t->has = rc == 1 && !record_parse(&t->a, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0), &rec, &bad);
	if (t->has) {
		t->k = rec.task;
		t->links = col_text(&t->a, st, 1);
	}
	db_reset(st);
	t->key = arena_strdup(&t->a, r->task);
	return 0;
}

static int load_task(struct rfold *r)
{
	struct known_task *t = r->known;

	if ((!t->key || strcmp(t->key, r->task)) && read_task(r, t))
		return -1;
	r->has_task = t->has;
	if (!t->has)
		return 0;
	r->k = t->k;
	if (t->links)
		*array_add(&r->links) = (struct linked){ "", t->links };
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

static void add_record(struct rfold *r, const struct record *rec, int64_t row, const char *links)
{
	if (rec->type == RECORD_THREAD) {
		r->th = rec->thread;
		r->has_thread = true;
	} else {
		add_note(r, &rec->note, row, links);
	}
}

static int fresh_cmp(const struct fresh_record *f, const char *task, const char *thread)
{
	int c = strcmp(f->task, task);

	return c ? c : strcmp(f->thread, thread);
}

/* Those of this thread: both are in the order of their keys. */
static void add_fresh(struct rfold *r)
{
	const struct fresh_record *f = r->fresh->at, *end = r->fresh->end;

	while (f < end && fresh_cmp(f, r->task, r->thread) < 0)
		f++;
	r->fresh->at = f;
	for (; f < end && !fresh_cmp(f, r->task, r->thread); f++)
		add_record(r, f->r, f->id, f->links);
}

static int load_thread(struct rfold *r)
{
	sqlite3_stmt *st = db_prep(&r->ix->db, "SELECT id, type, links, bytes FROM record WHERE source=?1 AND task=?2 AND thread=?3"
		" AND type IN (1, 2) AND gone<>1 AND id<?4");
	struct err bad = ERR_INIT;
	struct record rec;
	int rc;

	_Static_assert(RECORD_THREAD == 2 && GONE_DELETED == 1, "the statements say so");
	db_bind(st, "itti", r->source, r->task, r->thread, r->fresh->first);
	while ((rc = db_step(&r->ix->db, st, r->e)) == 1)
		if (!record_parse(scratch(r), sqlite3_column_blob(st, 3), (size_t)sqlite3_column_bytes(st, 3), &rec, &bad))
			add_record(r, &rec, col_int(st, 0), col_text(scratch(r), st, 2));
	add_fresh(r);
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
	const char *of = json_get_str(patch, "of") ? json_get_str(patch, "of") : "";
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

	if (!r->has_unsent)
		return 0;
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
static int fold_one(const struct rfold *of, const struct record_mark *m)
{
	struct rfold r = *of;
	int rc;

	arena_clear(scratch(&r));
	r.task = m->task;
	r.thread = m->thread;
	rc = m->what == WHAT_TASK ? fold_task(&r) : fold_thread(&r);
	array_release(&r.notes);
	array_release(&r.records);
	array_release(&r.links);
	return rc;
}

/* ---- what is marked ---- */

/* Left by a write before this one. */
static int load_marks(struct index *ix, int64_t source, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT task, thread, what FROM record_dirty WHERE source=?1");
	size_t n = 0;
	int rc;

	db_bind(st, "i", source);
	for (; (rc = db_step(&ix->db, st, e)) == 1; n++)
		*array_add(&ix->record_marks) = (struct record_mark){ .source = source, .task = col_text(&ix->txn, st, 0),
			.thread = col_text(&ix->txn, st, 1), .what = (int)col_int(st, 2) };
	if (!rc && n)
		rc = db_exec(&ix->db, e, "DELETE FROM record_dirty WHERE source=?1", "i", source);
	return rc;
}

/* By source, then task by task: itself, its conversation, its other threads. */
static int mark_cmp(const void *pa, const void *pb)
{
	const struct record_mark *a = pa, *b = pb;
	int c = (a->source > b->source) - (a->source < b->source);

	c = c ? c : strcmp(a->task, b->task);
	c = c ? c : strcmp(a->thread, b->thread);
	return c ? c : a->what - b->what;
}

static int fresh_order(const void *pa, const void *pb)
{
	const struct fresh_record *a = pa, *b = pb;
	int c = fresh_cmp(a, b->task, b->thread);

	return c ? c : (a->id > b->id) - (a->id < b->id);
}

static void take_fresh(struct index *ix, int64_t source, struct fresh_left *f)
{
	*f = (struct fresh_left){ .first = INT64_MAX };
	if (!ix->fresh.len || ix->fresh_broken || ix->fresh_source != source)
		return;
	f->first = ix->fresh.items[0].id;
	qsort(ix->fresh.items, ix->fresh.len, sizeof(*ix->fresh.items), fresh_order);
	f->at = ix->fresh.items;
	f->end = f->at + ix->fresh.len;
}

static int fold_marks(struct rfold *of)
{
	struct index *ix = of->ix;
	const struct record_mark *m = ix->record_marks.items;
	size_t n = ix->record_marks.len, left = 0;

	qsort(ix->record_marks.items, n, sizeof(*m), mark_cmp);
	for (size_t i = 0; i < n; i++) {
		if (i && !mark_cmp(&m[i], &m[i - 1]))
			continue;
		if (m[i].source == of->source && fold_one(of, &m[i]))
			return -1;
		if (m[i].source != of->source)
			ix->record_marks.items[left++] = m[i];
	}
	ix->record_marks.len = left;
	return 0;
}

int index_fold_records(struct index *ix, int64_t source, struct err *e)
{
	struct known_task known = { .a = ARENA_INIT };
	struct fresh_left fresh;
	struct rfold of = { .ix = ix, .source = source, .known = &known, .fresh = &fresh, .e = e };
	int rc = load_marks(ix, source, e);

	take_fresh(ix, source, &fresh);
	if (!rc && ix->record_marks.len)
		rc = load_source(&of) || fold_marks(&of) ? -1 : 0;
	arena_release(&known.a);
	index_drop_fresh(ix);
	return rc;
}
