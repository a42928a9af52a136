/* SPDX-License-Identifier: MIT */
/*
 * The desk. One table a kind of thing, one transaction a call.
 *
 * Writers take desk.lock before they begin: SQLite's own waiting polls with growing pauses and is unfair, and a command
 * that cannot write its draft loses words. Nothing here is ever dropped: migrations[] is the history of the schema, a
 * desk at version N runs the steps from N on in one transaction, and a desk above the last step is refused.
 * tests/store/desk-v*.sql are desks of every version that was ever released; the test carries each one forward.
 *
 * The outbox is in desk-outbox.c.
 */
#include "config.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "killick/base/clock.h"
#include "desk-private.h"

#define DESK_APPLICATION 0x6b6c646b /* "kldk" */
enum { HISTORY_MAX = 500, CHANGE_COUNTER_AT = 24 /* fileformat2.html 1.3.9 */ };

static const char *const migrations[] = {
	/* 1 */
	"CREATE TABLE draft(id TEXT PRIMARY KEY, repo TEXT NOT NULL, verb TEXT NOT NULL, target TEXT, anchor TEXT,"
	"	audience TEXT, source TEXT, title TEXT, body TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,"
	"	problem TEXT, extra TEXT);"
	"CREATE TABLE op(n INTEGER PRIMARY KEY AUTOINCREMENT, repo TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL,"
	"	lamport INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE(repo, id));"
	"CREATE TABLE op_state(repo TEXT PRIMARY KEY, seq INTEGER NOT NULL, prev TEXT NOT NULL, lamport INTEGER NOT NULL,"
	"	epoch INTEGER NOT NULL);"
	"CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, op_id TEXT NOT NULL UNIQUE, repo TEXT NOT NULL,"
	"	source TEXT NOT NULL, thread TEXT, verb TEXT NOT NULL, target TEXT NOT NULL, payload TEXT NOT NULL,"
	"	body_hash TEXT, state TEXT NOT NULL, attempt INTEGER NOT NULL, due INTEGER NOT NULL, started INTEGER,"
	"	high_water TEXT, remote_id TEXT, problem TEXT, created INTEGER NOT NULL, updated INTEGER NOT NULL, extra TEXT);"
	"CREATE INDEX outbox_due ON outbox(state, due);"
	"CREATE TABLE readmark(number INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL, who TEXT NOT NULL,"
	"	upto INTEGER NOT NULL, n INTEGER NOT NULL, UNIQUE(entity, who));"
	"CREATE TABLE history(id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, line TEXT NOT NULL,"
	"	UNIQUE(kind, line));"
	"CREATE TABLE value(key TEXT PRIMARY KEY, value TEXT NOT NULL);",
	/* 2: nothing ever wrote to the first outbox */
	"DROP TABLE outbox;"
	"CREATE TABLE outbox(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,"
	"	source TEXT NOT NULL, source_kind TEXT NOT NULL, source_key TEXT NOT NULL, repo TEXT NOT NULL, state INTEGER NOT NULL,"
	"	op TEXT NOT NULL, thread TEXT NOT NULL, what TEXT NOT NULL, patch TEXT, created INTEGER NOT NULL,"
	"	not_before INTEGER NOT NULL, seen INTEGER NOT NULL, seen_n INTEGER NOT NULL, was_open INTEGER NOT NULL,"
	"	forced INTEGER NOT NULL, attempts INTEGER NOT NULL, looks INTEGER NOT NULL, sent_at INTEGER NOT NULL,"
	"	retry_at INTEGER NOT NULL, mark TEXT, key TEXT, url TEXT, problem TEXT, pushed TEXT);",
};

/* ---- opening ---- */

int desk_fail(struct desk *d, struct err *e)
{
	if (d->db.broken)
		return err_set(e, ERR_BAD_DATA, "your desk %s (drafts, private threads) is damaged; nothing was changed in it. Keep a"
			       " copy, then try: sqlite3 '%s' .recover | sqlite3 new.db", d->db.path, d->db.path);
	return -1;
}

static int check(struct desk *d, int rc, struct err *e)
{
	return rc < 0 ? desk_fail(d, e) : rc;
}

int desk_begin(struct desk *d, struct err *e)
{
	if (lock_take(&d->lock, d->lock_path, DESK_WAIT_MS, e))
		return -1;
	if (db_exec(&d->db, e, "BEGIN IMMEDIATE", "")) {
		lock_release(&d->lock);
		return desk_fail(d, e);
	}
	arena_clear(&d->scratch);
	return 0;
}

void desk_rollback(struct desk *d)
{
	struct err e = ERR_INIT;

	if (!sqlite3_get_autocommit(d->db.sql) && db_exec(&d->db, &e, "ROLLBACK", ""))
		trace("desk", "%s", e.msg);
	lock_release(&d->lock);
}

int desk_finish(struct desk *d, int rc, struct err *e)
{
	if (rc >= 0 && db_exec(&d->db, e, "COMMIT", ""))
		rc = -1;
	if (rc < 0) {
		desk_rollback(d);
		return desk_fail(d, e);
	}
	lock_release(&d->lock);
	d->generation++;
	return 0;
}

static int version_of(struct desk *d, int64_t *version, struct err *e)
{
	int64_t app, tables;

	if (db_get_int(&d->db, e, &app, "PRAGMA application_id", "") < 0 ||
	    db_get_int(&d->db, e, version, "PRAGMA user_version", "") < 0)
		return desk_fail(d, e);
	if (app == DESK_APPLICATION && *version > (int64_t)ARRAY_SIZE(migrations))
		return err_set(e, ERR_BAD_DATA, "your desk %s was written by a newer killick (version %lld, this one reads up to %zu):"
			       " use that one, or set XDG_DATA_HOME to another folder", d->db.path, (long long)*version,
			       ARRAY_SIZE(migrations));
	if (app == DESK_APPLICATION)
		return 0;
	if (db_get_int(&d->db, e, &tables, "SELECT count(*) FROM sqlite_master", "") < 0)
		return desk_fail(d, e);
	if (app || *version || tables)
		return err_set(e, ERR_BAD_DATA, "%s is not a desk of killick's: move it away, or set XDG_DATA_HOME to another folder",
			       d->db.path);
	return 0;
}

static int run_migrations(struct desk *d, int64_t from, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc = 0;

	for (size_t i = (size_t)from; !rc && i < ARRAY_SIZE(migrations); i++)
		rc = db_script(&d->db, migrations[i], e);
	buf_addf(&b, "PRAGMA application_id=%d; PRAGMA user_version=%zu", DESK_APPLICATION, ARRAY_SIZE(migrations));
	if (!rc)
		rc = db_script(&d->db, b.ptr, e);
	buf_release(&b);
	return rc;
}

static int migrate(struct desk *d, struct err *e)
{
	int64_t version;
	int rc;

	if (version_of(d, &version, e))
		return -1;
	if (version == (int64_t)ARRAY_SIZE(migrations))
		return 0;
	if (desk_begin(d, e))
		return -1;
	rc = version_of(d, &version, e); /* somebody may have been faster */
	if (!rc && version < (int64_t)ARRAY_SIZE(migrations)) {
		trace("desk", "from version %lld to %zu", (long long)version, ARRAY_SIZE(migrations));
		rc = run_migrations(d, version, e);
	}
	return desk_finish(d, rc, e);
}

static int open_file(struct desk *d, const char *path, struct err *e)
{
	struct stat st;

	if (!stat(path, &st) && st.st_size > 0 && st.st_size < 512)
		return err_set(e, ERR_BAD_DATA, "your desk %s is cut off: put a copy of it back, or move it away", path);
	if (db_open(&d->db, "desk", path, e))
		return desk_fail(d, e);
	sqlite3_busy_timeout(d->db.sql, DESK_WAIT_MS);
	if (db_script(&d->db, "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA; PRAGMA temp_store=MEMORY", e))
		return desk_fail(d, e);
	return migrate(d, e);
}

int desk_open(struct desk **out, struct err *e)
{
	struct desk *d = xcalloc(1, sizeof(*d));
	struct buf dir = BUF_INIT, path = BUF_INIT;
	int rc = xdg_path(XDG_DATA, NULL, &dir, e);

	d->lock = (struct lock)LOCK_INIT;
	if (!rc)
		rc = dir_make_private(dir.ptr, e);
	if (!rc) {
		(void)!chmod(dir.ptr, 0700);
		d->lock_path = xasprintf("%s/desk.lock", dir.ptr);
		buf_addf(&path, "%s/desk.db", dir.ptr);
		rc = open_file(d, path.ptr, e);
	}
	buf_release(&dir);
	buf_release(&path);
	if (rc)
		desk_close(d);
	else
		*out = d;
	return rc;
}

void desk_close(struct desk *d)
{
	if (!d)
		return;
	db_close(&d->db);
	lock_release(&d->lock);
	arena_release(&d->scratch);
	free(d->lock_path);
	free(d);
}

const char *desk_path(const struct desk *d)
{
	return d->db.path;
}

uint64_t desk_generation(struct desk *d)
{
	struct err e = ERR_INIT;
	int64_t v;

	if (db_get_int(&d->db, &e, &v, "PRAGMA data_version", "") == 1 && v != d->data_version) {
		d->data_version = v;
		d->generation++;
	}
	return d->generation;
}

/* SQLite counts commits in the file's header. The open file is asked through SQLite: closing another descriptor of it
 * would drop this process's locks. */
static bool change_counter(struct desk *d, const char *path, uint8_t out[4], struct stat *st)
{
	sqlite3_file *f = NULL;
	bool ok;
	int fd;

	if (stat(path, st))
		return false;
	if (d) {
		ok = sqlite3_file_control(d->db.sql, "main", SQLITE_FCNTL_FILE_POINTER, &f) == SQLITE_OK && f && f->pMethods &&
		     f->pMethods->xRead(f, out, 4, CHANGE_COUNTER_AT) == SQLITE_OK;
		return ok;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ok = fd >= 0 && pread(fd, out, 4, CHANGE_COUNTER_AT) == 4;
	if (fd >= 0)
		close(fd);
	return ok;
}

void desk_stamp(struct desk *d, char out[DESK_STAMP_SIZE])
{
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	struct stat st;
	uint8_t c[4];

	out[0] = '\0';
	if (!xdg_path(XDG_DATA, "desk.db", &path, &e) && change_counter(d, d ? d->db.path : path.ptr, c, &st))
		snprintf(out, DESK_STAMP_SIZE, "%llx-%02x%02x%02x%02x", (unsigned long long)st.st_ino, c[0], c[1], c[2], c[3]);
	buf_release(&path);
}

/* ---- drafts ---- */

const char *desk_new_draft_id(struct desk *d, struct arena *a, struct err *e)
{
	uint8_t rnd[4];
	char hex[9];
	int64_t taken = 1;

	while (taken) {
		random_bytes(rnd, sizeof(rnd));
		hex_encode(hex, rnd, sizeof(rnd));
		if (db_get_int(&d->db, e, &taken, "SELECT 1 FROM draft WHERE id='d'||?1", "t", hex) < 0)
			return NULL;
	}
	return arena_printf(a, "d%s", hex);
}

int desk_write_draft(struct desk *d, const struct draft *dr, int64_t now, struct err *e)
{
	return db_exec(&d->db, e, "INSERT INTO draft(id, repo, verb, target, anchor, audience, source, title, body, created,"
		" updated, problem, extra) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT(id) DO UPDATE SET"
		" repo=excluded.repo, verb=excluded.verb, target=excluded.target, anchor=excluded.anchor,"
		" audience=excluded.audience, source=excluded.source, title=excluded.title, body=excluded.body,"
		" updated=excluded.updated, problem=excluded.problem, extra=excluded.extra", "tttttttttiitt", dr->id, dr->repo ?
		dr->repo : "", dr->verb ? dr->verb : "", dr->target, dr->anchor, dr->audience, dr->to, dr->title, dr->body ?
		dr->body : "", dr->created ? dr->created : now, now, dr->problem, dr->extra);
}

int desk_draft_put(struct desk *d, struct arena *a, struct draft *dr, struct err *e)
{
	struct draft row = *dr;
	int64_t now = clock_now();
	int rc;

	if (desk_begin(d, e))
		return -1;
	if (!row.id)
		row.id = desk_new_draft_id(d, a, e);
	rc = row.id ? desk_write_draft(d, &row, now, e) : -1;
	if (desk_finish(d, rc, e))
		return -1;
	dr->id = row.id;
	dr->created = dr->created ? dr->created : now;
	dr->updated = now;
	return 0;
}

#define DRAFT_COLS "id, repo, verb, target, anchor, audience, source, title, body, created, updated, problem, extra"

static void read_draft(struct arena *a, sqlite3_stmt *st, struct draft *out)
{
	struct row r = { st, a, 0 };

	out->id = row_text(&r);
	out->repo = row_text(&r);
	out->verb = row_text(&r);
	out->target = row_text(&r);
	out->anchor = row_text(&r);
	out->audience = row_text(&r);
	out->to = row_text(&r);
	out->title = row_text(&r);
	out->body = row_text(&r);
	out->created = row_int(&r);
	out->updated = row_int(&r);
	out->problem = row_text(&r);
	out->extra = row_text(&r);
}

int desk_drafts(struct desk *d, const char *repo, struct arena *a, struct draft_list *out, struct err *e)
{
	sqlite3_stmt *st = db_prep(&d->db, "SELECT " DRAFT_COLS " FROM draft WHERE ?1 IS NULL OR repo=?1 ORDER BY updated DESC,"
		" rowid DESC");
	struct draft_list list = ARRAY_INIT;
	int rc;

	db_bind(st, "t", repo);
	while ((rc = db_step(&d->db, st, e)) == 1)
		read_draft(a, st, array_add(&list));
	out->len = out->alloc = list.len;
	out->items = list.len ? (struct draft *)arena_memdup(a, list.items, list.len * sizeof(*list.items)) : NULL;
	array_release(&list);
	return check(d, rc, e);
}

int desk_draft(struct desk *d, const char *id_prefix, struct arena *a, struct draft *out, struct err *e)
{
	struct draft found[2];
	sqlite3_stmt *st;
	int n = 0, rc = 0;

	/* "d" is a hex digit too: "d3f" is the draft d3f… before it is the draft dd3f…. */
	for (int short_form = 0; short_form <= 1 && n == 0 && rc == 0 && *id_prefix; short_form++) {
		st = db_prep(&d->db, "SELECT " DRAFT_COLS " FROM draft WHERE substr(id, 1, length(?1))=?1 LIMIT 2");
		db_bind(st, "t", short_form ? arena_printf(a, "d%s", id_prefix) : id_prefix);
		while (n < 2 && (rc = db_step(&d->db, st, e)) == 1)
			read_draft(a, st, &found[n++]);
		db_reset(st);
		rc = rc == 1 ? 0 : rc;
	}
	if (rc < 0)
		return desk_fail(d, e);
	if (n == 0)
		return err_set(e, ERR_NOT_FOUND, "no draft '%s'", id_prefix);
	if (n > 1)
		return err_set(e, ERR_AMBIGUOUS, "'%s' fits several drafts: %s and %s", id_prefix, found[0].id, found[1].id);
	*out = found[0];
	return 0;
}

int desk_draft_drop(struct desk *d, const char *id, struct err *e)
{
	int rc;

	if (desk_begin(d, e))
		return -1;
	rc = db_exec(&d->db, e, "DELETE FROM draft WHERE id=?1", "t", id);
	if (!rc && db_changes(&d->db) == 0) {
		desk_rollback(d);
		return err_set(e, ERR_NOT_FOUND, "no draft '%s'", id);
	}
	return desk_finish(d, rc, e);
}

/* ---- private ops ---- */

/* Where a repository's private log stands. */
struct tail { uint64_t seq, lamport; char prev[SHA256_HEX]; };

static int read_tail(struct desk *d, const char *repo, struct tail *t, struct err *e)
{
	sqlite3_stmt *st = db_prep(&d->db, "SELECT seq, lamport, prev FROM op_state WHERE repo=?1");
	int rc;

	*t = (struct tail){ 0 };
	db_bind(st, "t", repo);
	rc = db_step(&d->db, st, e);
	if (rc == 1) {
		t->seq = (uint64_t)col_int(st, 0);
		t->lamport = (uint64_t)col_int(st, 1);
		snprintf(t->prev, sizeof(t->prev), "%s", (const char *)sqlite3_column_text(st, 2));
		db_reset(st);
	}
	return rc < 0 ? -1 : 0;
}

/* An id for the private log, so that the same op form fits: it never leaves, and means nothing elsewhere. */
static void private_repo_id(const char *repo, char out[OP_WRITER_HEX])
{
	uint8_t sum[SHA256_SIZE];

	hash_sha256(sum, repo, strlen(repo));
	hex_encode(out, sum, (OP_WRITER_HEX - 1) / 2);
}

static int append_one(struct desk *d, const char *repo, struct op *op, struct tail *t, struct buf *raw, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	op->version = 1;
	private_repo_id(repo, op->repo);
	memset(op->writer, '0', OP_WRITER_HEX - 1);
	op->writer[OP_WRITER_HEX - 1] = '\0';
	op->seq = t->seq++;
	op->lamport = ++t->lamport;
	memcpy(op->prev, t->prev, sizeof(op->prev));
	op_encode(op, &b);
	memcpy(t->prev, op->id, sizeof(t->prev));
	if (b.len > OP_MAX_BYTES)
		rc = err_set(e, ERR_BAD_DATA, "the text is too long: %zu bytes", b.len);
	else
		rc = db_exec(&d->db, e, "INSERT INTO op(repo, id, seq, lamport, bytes) VALUES(?1, ?2, ?3, ?4, ?5)", "ttiib", repo,
			     op->id, (int64_t)op->seq, (int64_t)op->lamport, b.ptr, b.len);
	if (raw)
		buf_addbuf(raw, &b);
	buf_release(&b);
	return rc;
}

static int write_tail(struct desk *d, const char *repo, const struct tail *t, struct err *e)
{
	return db_exec(&d->db, e, "INSERT INTO op_state(repo, seq, prev, lamport, epoch) VALUES(?1, ?2, ?3, ?4, 0) ON"
		       " CONFLICT(repo) DO UPDATE SET seq=excluded.seq, prev=excluded.prev, lamport=excluded.lamport", "titi",
		       repo, (int64_t)t->seq, t->prev, (int64_t)t->lamport);
}

int desk_op_append(struct desk *d, const char *repo, struct op *ops, size_t n, uint64_t floor, struct buf *raw,
    struct err *e)
{
	struct tail t;
	int rc;

	if (desk_begin(d, e))
		return -1;
	rc = read_tail(d, repo, &t, e);
	if (floor > t.lamport && floor < INT64_MAX / 2)
		t.lamport = floor;
	for (size_t i = 0; !rc && i < n; i++)
		rc = append_one(d, repo, &ops[i], &t, raw ? &raw[i] : NULL, e);
	if (!rc)
		rc = write_tail(d, repo, &t, e);
	return desk_finish(d, rc, e);
}

/* Whatever other machine it comes from, it now counts in this repository's private log: the tail moves past it. */
static int adopt_one(struct desk *d, const char *repo, const struct desk_line *l, struct tail *t, uint64_t *added,
    struct err *e)
{
	struct op op;
	int rc;

	if (op_decode(l->bytes, l->n, &op, e))
		return -1;
	if (strspn(op.writer, "0") != OP_WRITER_HEX - 1 || op.lamport >= INT64_MAX / 2 || op.seq >= INT64_MAX / 2) {
		op_release(&op);
		return err_set(e, ERR_BAD_DATA, "one of the lines is no op of a private thread");
	}
	rc = db_exec(&d->db, e, "INSERT INTO op(repo, id, seq, lamport, bytes) VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
		     "ttiib", repo, op.id, (int64_t)op.seq, (int64_t)op.lamport, l->bytes, l->n);
	if (!rc && db_changes(&d->db) > 0) {
		++*added;
		if (op.seq >= t->seq) {
			t->seq = op.seq + 1;
			memcpy(t->prev, op.id, sizeof(t->prev));
		}
		if (op.lamport > t->lamport)
			t->lamport = op.lamport;
	}
	op_release(&op);
	return rc;
}

int desk_op_adopt(struct desk *d, const char *repo, const struct desk_line *lines, size_t n, bool check, uint64_t *added,
    struct err *e)
{
	struct tail t;
	int rc;

	*added = 0;
	if (desk_begin(d, e))
		return -1;
	rc = read_tail(d, repo, &t, e);
	for (size_t i = 0; !rc && i < n; i++)
		rc = adopt_one(d, repo, &lines[i], &t, added, e);
	if (!rc && (check || !*added)) {
		desk_rollback(d);
		return 0;
	}
	rc = rc ? rc : write_tail(d, repo, &t, e);
	return desk_finish(d, rc, e);
}

int desk_op_forget(struct desk *d, const char *repo, const char *id, struct err *e)
{
	int rc;

	if (desk_begin(d, e))
		return -1;
	rc = db_exec(&d->db, e, "DELETE FROM op WHERE repo=?1 AND id=?2", "tt", repo, id);
	if (!rc && db_changes(&d->db) == 0) {
		desk_rollback(d);
		return err_set(e, ERR_NOT_FOUND, "no private post '%.12s'", id);
	}
	if (!rc)
		rc = db_exec(&d->db, e, "UPDATE op_state SET epoch=epoch+1 WHERE repo=?1", "t", repo);
	return desk_finish(d, rc, e);
}

int desk_ops(struct desk *d, const char *repo, uint64_t after, int (*fn)(void *ctx, uint64_t n, const char *bytes,
    size_t len), void *ctx, struct err *e)
{
	sqlite3_stmt *st = db_prep(&d->db, "SELECT n, bytes FROM op WHERE repo=?1 AND n>?2 ORDER BY n");
	int rc;

	db_bind(st, "ti", repo, (int64_t)after);
	while ((rc = db_step(&d->db, st, e)) == 1) {
		rc = fn(ctx, (uint64_t)col_int(st, 0), sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1));
		if (rc)
			break;
	}
	db_reset(st);
	return check(d, rc, e);
}

int desk_op_epoch(struct desk *d, const char *repo, uint64_t *epoch, struct err *e)
{
	int64_t v;
	int rc = db_get_int(&d->db, e, &v, "SELECT epoch FROM op_state WHERE repo=?1", "t", repo);

	*epoch = (uint64_t)v;
	return rc < 0 ? desk_fail(d, e) : 0;
}

/* ---- read marks, history, values ---- */

int desk_read_put(struct desk *d, const char *entity, const char *who, int64_t upto, int64_t n, struct err *e)
{
	int rc;

	if (desk_begin(d, e))
		return -1;
	/* Replaced, not updated: the new row gets a new number. */
	rc = db_exec(&d->db, e, "INSERT OR REPLACE INTO readmark(entity, who, upto, n) SELECT ?1, ?2, max(?3, coalesce(max(upto),"
		     " 0)), max(?4, coalesce(max(n), 0)) FROM readmark WHERE entity=?1 AND who=?2", "ttii", entity, who, upto, n);
	return desk_finish(d, rc, e);
}

int desk_reads(struct desk *d, uint64_t after, int (*fn)(void *ctx, const struct read_mark *m), void *ctx,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&d->db, "SELECT number, entity, who, upto, n FROM readmark WHERE number>?1 ORDER BY number");
	int rc;

	db_bind(st, "i", (int64_t)after);
	while ((rc = db_step(&d->db, st, e)) == 1) {
		struct read_mark m = { (uint64_t)col_int(st, 0), (const char *)sqlite3_column_text(st, 1),
				       (const char *)sqlite3_column_text(st, 2), col_int(st, 3), col_int(st, 4) };
		rc = fn(ctx, &m);
		if (rc)
			break;
	}
	db_reset(st);
	return check(d, rc, e);
}

int desk_history_add(struct desk *d, const char *kind, const char *line, struct err *e)
{
	int rc;

	if (desk_begin(d, e))
		return -1;
	rc = db_exec(&d->db, e, "INSERT OR REPLACE INTO history(kind, line) VALUES(?1, ?2)", "tt", kind, line);
	if (!rc)
		rc = db_exec(&d->db, e, "DELETE FROM history WHERE kind=?1 AND id NOT IN (SELECT id FROM history WHERE kind=?1 ORDER"
			     " BY id DESC LIMIT ?2)", "ti", kind, (int64_t)HISTORY_MAX);
	return desk_finish(d, rc, e);
}

int desk_history(struct desk *d, const char *kind, struct arena *a, const char ***lines, size_t *n, struct err *e)
{
	sqlite3_stmt *st = db_prep(&d->db, "SELECT line FROM history WHERE kind=?1 ORDER BY id");
	ARRAY(const char *) list = ARRAY_INIT;
	int rc;

	db_bind(st, "t", kind);
	while ((rc = db_step(&d->db, st, e)) == 1)
		*array_add(&list) = col_text(a, st, 0);
	*n = list.len;
	*lines = list.len ? (const char **)arena_memdup(a, list.items, list.len * sizeof(*list.items)) : NULL;
	array_release(&list);
	return check(d, rc, e);
}

int desk_value_put(struct desk *d, const char *key, const char *value, struct err *e)
{
	int rc;

	if (desk_begin(d, e))
		return -1;
	if (value)
		rc = db_exec(&d->db, e, "INSERT OR REPLACE INTO value(key, value) VALUES(?1, ?2)", "tt", key, value);
	else
		rc = db_exec(&d->db, e, "DELETE FROM value WHERE key=?1", "t", key);
	return desk_finish(d, rc, e);
}

bool desk_value(struct desk *d, const char *key, struct arena *a, const char **out)
{
	struct err e = ERR_INIT;
	sqlite3_stmt *st = db_prep(&d->db, "SELECT value FROM value WHERE key=?1");
	bool found;

	db_bind(st, "t", key);
	found = db_step(&d->db, st, &e) == 1;
	if (found)
		*out = col_text(a, st, 0);
	db_reset(st);
	return found;
}

/* Aliases are values: "was.k<entity>". */
int desk_alias_put(struct desk *d, char letter, const char *was, const char *now, struct err *e)
{
	struct buf key = BUF_INIT;
	int rc;

	buf_addf(&key, "was.%c%s", letter, was);
	rc = desk_value_put(d, key.ptr, now, e);
	buf_release(&key);
	return rc;
}

bool desk_alias(struct desk *d, char letter, const char *digits, struct arena *a, const char **now)
{
	sqlite3_stmt *st = db_prep(&d->db, "SELECT DISTINCT value FROM value WHERE key>=?1 AND key<?1||'g' LIMIT 2");
	struct err e = ERR_INIT;
	int n = 0;

	db_bind(st, "t", arena_printf(a, "was.%c%s", letter, digits));
	while (db_step(&d->db, st, &e) == 1 && ++n == 1)
		*now = col_text(a, st, 0);
	db_reset(st);
	return n == 1;
}

int desk_check(struct desk *d, struct buf *report, struct err *e)
{
	sqlite3_stmt *st = db_prep_once(&d->db, "PRAGMA integrity_check(20)");
	struct err se = ERR_INIT;
	int rc;

	while ((rc = db_step(&d->db, st, &se)) == 1) {
		const char *line = (const char *)sqlite3_column_text(st, 0);
		if (line && strcmp(line, "ok"))
			buf_addf(report, "%s: %s\n", d->db.path, line);
	}
	sqlite3_finalize(st);
	if (rc < 0 && !d->db.broken)
		return err_set(e, se.code, "%s", se.msg);
	if (rc < 0)
		buf_addf(report, "%s\n", se.msg);
	return 0;
}
