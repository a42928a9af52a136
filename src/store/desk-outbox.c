/* SPDX-License-Identifier: MIT */
/*
 * The outbox's rows. A row is written once, with all that is frozen, and saved whenever its state moves; `version` makes
 * sure that whoever saves has seen what he changes, since a sender and somebody who recalls a post may meet.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "desk-private.h"
#include "killick/base/clock.h"
#include "killick/store/outrow.h"

static const char *const state_names[OUT_STATES] = {
	[OUT_QUEUED] = "queued", [OUT_SENDING] = "sending", [OUT_UNKNOWN] = "unknown", [OUT_HELD] = "held",
	[OUT_REFUSED] = "refused", [OUT_ASKS] = "asks", [OUT_DONE] = "done",
};

const char *out_state_name(enum out_state s)
{
	if (s == OUT_DROPPED)
		return "dropped";
	if ((size_t)s >= ARRAY_SIZE(state_names))
		BUG("no name for a state of the outbox: %d", (int)s);
	return state_names[s];
}

static const char *none(const char *s)
{
	return s ? s : "";
}

/* seq 0: at the end. */
static int insert(struct desk *d, struct out_row *r, int64_t seq, struct err *e)
{
	sqlite3_stmt *st = db_prep(&d->db, "INSERT INTO outbox(seq, id, version, source, source_kind, source_key, repo, state, op,"
		" thread, what, patch, created, not_before, seen, seen_n, was_open, forced, attempts, looks, sent_at, retry_at, mark, key,"
		" url, problem, pushed) VALUES(nullif(?1, 0), ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,"
		" ?20, ?21, ?22, ?23, ?24, ?25, ?26)");

	db_bind(st, "itttttittttiiiiiiiiiittttt", seq, r->id, r->source, r->source_kind, r->source_key, none(r->repo),
		(int64_t)r->state, r->op, none(r->thread), none(r->what), r->patch, r->created, r->not_before, r->seen, r->seen_n,
		(int64_t)r->was_open, (int64_t)r->forced, (int64_t)r->attempts, (int64_t)r->looks, r->sent_at, r->retry_at, r->mark,
		r->key, r->url, r->problem, r->pushed);
	if (db_step(&d->db, st, e))
		return -1;
	r->seq = seq ? seq : sqlite3_last_insert_rowid(d->db.sql);
	r->version = 1;
	return 0;
}

int desk_out_add(struct desk *d, struct out_row *r, const char *const *drafts, size_t n, struct err *e)
{
	int rc;

	if (desk_begin(d, e))
		return -1;
	rc = insert(d, r, 0, e);
	for (size_t i = 0; !rc && i < n; i++)
		rc = db_exec(&d->db, e, "DELETE FROM draft WHERE id=?1", "t", drafts[i]);
	return desk_finish(d, rc, e);
}

/* Takes the row out, if it is the one that was read. */
static int take_out(struct desk *d, const struct out_row *r, struct err *e)
{
	if (db_exec(&d->db, e, "DELETE FROM outbox WHERE id=?1 AND version=?2", "ti", r->id, r->version))
		return -1;
	return db_changes(&d->db) ? 0 : err_set(e, ERR_CONFLICT, "the outbox went on meanwhile: look again");
}

int desk_out_replace(struct desk *d, const struct out_row *old, struct out_row *r, struct err *e)
{
	int rc;

	if (desk_begin(d, e))
		return -1;
	rc = take_out(d, old, e);
	if (!rc)
		rc = insert(d, r, old->seq, e);
	return desk_finish(d, rc, e);
}

static int update(struct desk *d, struct out_row *r, struct err *e)
{
	if (db_exec(&d->db, e, "UPDATE outbox SET version=version+1, state=?3, not_before=?4, seen=?5, seen_n=?6, forced=?7,"
	    " attempts=?8, looks=?9, sent_at=?10, retry_at=?11, mark=?12, key=?13, url=?14, problem=?15, pushed=?16 WHERE id=?1 AND version=?2",
	    "tiiiiiiiiiittttt", r->id, r->version, (int64_t)r->state, r->not_before, r->seen, r->seen_n, (int64_t)r->forced,
	    (int64_t)r->attempts, (int64_t)r->looks, r->sent_at, r->retry_at, r->mark, r->key, r->url, r->problem, r->pushed))
		return -1;
	if (!db_changes(&d->db))
		return err_set(e, ERR_CONFLICT, "the outbox went on meanwhile: look again");
	r->version++;
	return 0;
}

int desk_out_save(struct desk *d, struct out_row *r, struct err *e)
{
	int rc;

	if (desk_begin(d, e))
		return -1;
	rc = r->state == OUT_DROPPED ? take_out(d, r, e) : update(d, r, e);
	return desk_finish(d, rc, e);
}

int desk_out_to_drafts(struct desk *d, struct out_row *r, struct arena *a, struct draft *drafts, size_t n, struct err *e)
{
	int64_t now = clock_now();
	int rc = 0;

	if (desk_begin(d, e))
		return -1;
	for (size_t i = 0; !rc && i < n; i++) {
		drafts[i].id = desk_new_draft_id(d, a, e);
		rc = drafts[i].id ? desk_write_draft(d, &drafts[i], now, e) : -1;
	}
	if (!rc)
		rc = take_out(d, r, e);
	return desk_finish(d, rc, e);
}

#define COLS "seq, id, version, source, source_kind, source_key, repo, state, op, thread, what, patch, created, not_before," \
	" seen, seen_n, was_open, forced, attempts, looks, sent_at, retry_at, mark, key, url, problem, pushed"

static void read_row(struct arena *a, sqlite3_stmt *st, struct out_row *out)
{
	struct row r = { st, a, 0 };

	out->seq = row_int(&r);
	out->id = row_text(&r);
	out->version = row_int(&r);
	out->source = row_text(&r);
	out->source_kind = row_text(&r);
	out->source_key = row_text(&r);
	out->repo = row_text(&r);
	out->state = (enum out_state)row_int(&r);
	out->op = row_text(&r);
	out->thread = row_text(&r);
	out->what = row_text(&r);
	out->patch = row_text(&r);
	out->created = row_int(&r);
	out->not_before = row_int(&r);
	out->seen = row_int(&r);
	out->seen_n = row_int(&r);
	out->was_open = row_int(&r) != 0;
	out->forced = row_int(&r) != 0;
	out->attempts = (int)row_int(&r);
	out->looks = (int)row_int(&r);
	out->sent_at = row_int(&r);
	out->retry_at = row_int(&r);
	out->mark = row_text(&r);
	out->key = row_text(&r);
	out->url = row_text(&r);
	out->problem = row_text(&r);
	out->pushed = row_text(&r);
}

int desk_outs(struct desk *d, const char *repo, const char *kind, const char *key, struct arena *a, struct out_list *out,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&d->db, "SELECT " COLS " FROM outbox WHERE (?1 IS NULL OR repo=?1) AND (?2 IS NULL OR"
		" (source_kind=?2 AND source_key=?3)) ORDER BY seq");
	struct out_list list = ARRAY_INIT;
	int rc;

	db_bind(st, "ttt", repo, kind, key);
	while ((rc = db_step(&d->db, st, e)) == 1)
		read_row(a, st, array_add(&list));
	out->len = out->alloc = list.len;
	out->items = list.len ? (struct out_row *)arena_memdup(a, list.items, list.len * sizeof(*list.items)) : NULL;
	array_release(&list);
	return rc < 0 ? desk_fail(d, e) : 0;
}

int desk_out(struct desk *d, const char *id_prefix, struct arena *a, struct out_row *out, struct err *e)
{
	sqlite3_stmt *st = db_prep(&d->db, "SELECT " COLS " FROM outbox WHERE substr(id, 1, length(?1))=?1 LIMIT 2");
	struct out_row found[2] = { { .id = NULL }, { .id = NULL } };
	int n = 0, rc = 0;

	db_bind(st, "t", id_prefix);
	while (*id_prefix && n < 2 && (rc = db_step(&d->db, st, e)) == 1)
		read_row(a, st, &found[n++]);
	db_reset(st);
	if (rc < 0)
		return desk_fail(d, e);
	if (n == 0)
		return err_set(e, ERR_NOT_FOUND, "nothing in the outbox is called '%s'", id_prefix);
	if (n > 1)
		return err_set(e, ERR_AMBIGUOUS, "'%s' fits several: %.8s and %.8s", id_prefix, found[0].id, found[1].id);
	*out = found[0];
	return 0;
}
