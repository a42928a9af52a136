/* SPDX-License-Identifier: MIT */
/*
 * The index as a file: opening, what to do with a file that is not ours, the write lock, the journal, sources.
 *
 * All writing and every checkpoint happens while index.lock is held, since SQLite 3.40.1 may corrupt a database when two
 * connections reset the write-ahead log at once (trust.md 0.1). Readers take no lock and never write. A checkpoint follows
 * a commit that left the log over WAL_PAGES: a reader that starts first must read the log through once, so that it is
 * kept short; and it waits for nobody. While a first pull loads much (index_load), it may grow to 8 MB: each write touches
 * the same pages again, and each checkpoint waits for the disk.
 *
 * The file may vanish while we hold it open (somebody empties his cache folder). Then everything still works on the
 * unlinked file and nobody else sees it: index_stale tells, and index_recover opens anew.
 */
#include "config.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "killick/base/clock.h"
#include "index-private.h"

enum {
	WAL_PAGES = 64,           /* of write-ahead log left alone */
	LOAD_PAGES = 2048,        /* the same between the writes of a load */
	LOAD_ROOM = 16384,        /* db_room of one */
	MAKE_WAIT = 5000,         /* ms to wait for another process that makes the file */
	BUSY_WAIT = 2000,         /* ms for what SQLite itself locks for moments */
};

enum fitness { FIT_OK, FIT_EMPTY, FIT_OLD, FIT_NEWER, FIT_FOREIGN, FIT_DAMAGED };
static const char *const fitness_words[] = {
	[FIT_OK] = "fits", [FIT_EMPTY] = "is empty", [FIT_OLD] = "is of an older version",
	[FIT_NEWER] = "is of a newer version", [FIT_FOREIGN] = "is somebody else's", [FIT_DAMAGED] = "is damaged",
};

/* -1: cannot be told (no access). */
static int fitness(struct db *d, enum fitness *out, struct err *e)
{
	int64_t app, version, tables = 0;

	if (db_get_int(d, e, &app, "PRAGMA application_id", "") < 0 ||
	    db_get_int(d, e, &version, "PRAGMA user_version", "") < 0 ||
	    (!app && db_get_int(d, e, &tables, "SELECT count(*) FROM sqlite_master", "") < 0)) {
		*out = FIT_DAMAGED;
		return d->broken ? 0 : -1;
	}
	if (app == INDEX_APPLICATION)
		*out = version == INDEX_VERSION ? FIT_OK : version > INDEX_VERSION ? FIT_NEWER : FIT_OLD;
	else
		*out = app || version || tables ? FIT_FOREIGN : FIT_EMPTY;
	return 0;
}

static void unlink_with(const char *path, const char *suffix)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s%s", path, suffix);
	unlink(b.ptr);
	buf_release(&b);
}

/* Only the newest damaged file is kept: it is for a bug report, and may be large. */
static void drop_older_asides(const char *path, const char *keep)
{
	const char *name = strrchr(path, '/');
	struct buf dir = BUF_INIT, prefix = BUF_INIT, full = BUF_INIT;
	struct dirent *ent;
	DIR *d;

	buf_add(&dir, path, (size_t)(name - path));
	buf_addf(&prefix, "%s.broken-", name + 1);
	d = opendir(dir.ptr);
	while (d && (ent = readdir(d))) {
		buf_reset(&full);
		buf_addf(&full, "%s/%s", dir.ptr, ent->d_name);
		if (str_starts(ent->d_name, prefix.ptr) && !str_starts(full.ptr, keep))
			unlink(full.ptr);
	}
	if (d)
		closedir(d);
	buf_release(&dir);
	buf_release(&prefix);
	buf_release(&full);
}

/* Under the lock. The log goes along, the shared memory file is nobody's truth. */
static int move_aside(const char *path, const char *why, struct err *e)
{
	char when[TIME_RFC3339_SIZE];
	struct buf to = BUF_INIT, from_wal = BUF_INIT, to_wal = BUF_INIT;
	int rc = 0;

	buf_addf(&to, "%s.%s-%s", path, why, time_rfc3339(when, clock_now()));
	buf_addf(&from_wal, "%s-wal", path);
	buf_addf(&to_wal, "%s-wal", to.ptr);
	if (rename(path, to.ptr) && errno != ENOENT)
		rc = err_errno(e, "cannot move '%s' aside", path);
	else if (rename(from_wal.ptr, to_wal.ptr) && errno != ENOENT)
		rc = err_errno(e, "cannot move '%s' aside", from_wal.ptr);
	if (!rc) {
		unlink_with(path, "-shm");
		unlink_with(path, "-journal");
		trace("index", "%s: moved aside to %s", path, to.ptr);
		drop_older_asides(path, to.ptr);
	}
	buf_release(&to);
	buf_release(&from_wal);
	buf_release(&to_wal);
	return rc;
}

void index_unlink(const char *path)
{
	unlink(path);
	for (const char *const *s = (const char *const[]){ "-wal", "-shm", "-journal", NULL }; *s; s++)
		unlink_with(path, *s);
}

/* Instead of SQLite's own, which would checkpoint without our lock. */
static int on_wal(void *ctx, sqlite3 *sql UNUSED, const char *name UNUSED, int pages)
{
	struct index *ix = ctx;

	ix->wal_pages = pages;
	return SQLITE_OK;
}

int index_pragmas(struct index *ix, struct err *e)
{
	sqlite3_busy_timeout(ix->db.sql, BUSY_WAIT);
	sqlite3_wal_hook(ix->db.sql, on_wal, ix);
	ix->wal_pages = 0;
	db_room(&ix->db, DB_ROOM_READ);
	return db_script(&ix->db, "PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY", e);
}

/* WAL wants shared memory between all users of the file: on a network file system a rollback journal instead. */
int index_set_journal(struct index *ix, struct err *e)
{
	const char *forced = getenv("KILLICK_INDEX_JOURNAL"); /* for tests: "delete" */
	bool wal = ix->path && !(forced && !strcmp(forced, "delete")) && !db_on_network(ix->path);

	return db_script(&ix->db, wal ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=DELETE", e);
}

static bool is_wal(struct index *ix)
{
	struct err e = ERR_INIT;
	sqlite3_stmt *st = db_prep(&ix->db, "PRAGMA journal_mode");
	bool wal = db_step(&ix->db, st, &e) == 1 && !sqlite3_stricmp((const char *)sqlite3_column_text(st, 0), "wal");

	db_reset(st);
	return wal;
}

static int make_schema(struct index *ix, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	if (index_set_journal(ix, e))
		return -1;
	buf_addf(&b, "BEGIN IMMEDIATE;%s%s%sPRAGMA application_id=%d;PRAGMA user_version=%d;COMMIT;", index_schema,
		 index_schema_ops, index_schema_finding, INDEX_APPLICATION, INDEX_VERSION);
	rc = db_script(&ix->db, b.ptr, e);
	buf_release(&b);
	return rc;
}

/* Under the lock: whatever is there makes way for an empty index. */
static int make_anew(struct index *ix, struct err *e)
{
	enum fitness fit;

	if (fitness(&ix->db, &fit, e))
		return -1;
	if (fit == FIT_OK) /* somebody was faster */
		return 0;
	if (fit != FIT_EMPTY) {
		trace("index", "%s %s", ix->path, fitness_words[fit]);
		db_close(&ix->db);
		if (fit == FIT_OLD)
			index_unlink(ix->path);
		else if (move_aside(ix->path, fit == FIT_FOREIGN ? "foreign" : "broken", e))
			return -1;
		if (db_open(&ix->db, "index", ix->path, e) || index_pragmas(ix, e))
			return -1;
	}
	return make_schema(ix, e);
}

static int open_again(struct index *ix, struct err *e)
{
	db_close(&ix->db);
	return db_open(&ix->db, "index", ix->path, e) || index_pragmas(ix, e) ? -1 : 0;
}

int index_open_file(struct index *ix, struct err *e)
{
	struct lock lock = LOCK_INIT;
	enum fitness fit;
	int rc;

	if (db_open(&ix->db, "index", ix->path, e))
		return -1;
	/* What is no database at all says so here already; fitness finds the same. */
	if (index_pragmas(ix, e) && !ix->db.broken)
		return -1;
	if (!ix->path)
		return make_schema(ix, e);
	if (fitness(&ix->db, &fit, e))
		return -1;
	if (fit != FIT_OK) {
		if (lock_take(&lock, ix->lock_path, MAKE_WAIT, e))
			return -1;
		/* Another one was put in its place meanwhile, whose log has the same name: this one must not be written. */
		rc = index_stale(ix) && !ix->db.broken ? open_again(ix, e) : 0;
		rc = rc ? rc : make_anew(ix, e);
		lock_release(&lock);
		if (rc)
			return -1;
	}
	ix->wal = is_wal(ix);
	return 0;
}

static int index_paths(struct index *ix, struct err *e)
{
	struct buf dir = BUF_INIT;
	int rc = xdg_path(XDG_CACHE, NULL, &dir, e);

	if (!rc)
		rc = dir_make_private(dir.ptr, e);
	if (!rc) {
		(void)!chmod(dir.ptr, 0700);
		ix->path = xasprintf("%s/index.db", dir.ptr);
		ix->lock_path = xasprintf("%s/index.lock", dir.ptr);
	}
	buf_release(&dir);
	return rc;
}

static int open_any(bool memory, struct index **out, struct err *e)
{
	struct index *ix = xcalloc(1, sizeof(*ix));

	ix->lock = (struct lock)LOCK_INIT;
	if ((!memory && index_paths(ix, e)) || index_open_file(ix, e)) {
		index_close(ix);
		return -1;
	}
	*out = ix;
	return 0;
}

int index_open(struct index **out, struct err *e)
{
	return open_any(false, out, e);
}

int index_open_memory(struct index **out, struct err *e)
{
	return open_any(true, out, e);
}

void index_close(struct index *ix)
{
	if (!ix)
		return;
	if (ix->writing)
		index_rollback(ix);
	index_drop_pending(ix);
	array_release(&ix->deltas);
	array_release(&ix->record_marks);
	array_release(&ix->fresh);
	db_close(&ix->db);
	lock_release(&ix->lock);
	arena_release(&ix->scratch);
	arena_release(&ix->txn);
	free(ix->path);
	free(ix->lock_path);
	free(ix);
}

const char *index_path(const struct index *ix)
{
	return ix->path ? ix->path : ":memory:";
}

bool index_in_memory(const struct index *ix)
{
	return !ix->path;
}

bool index_stale(struct index *ix)
{
	int moved = 0;

	if (ix->db.broken)
		return true;
	return ix->path && sqlite3_file_control(ix->db.sql, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved;
}

/* A damaged file makes way, but only if it is still the one we have open. */
static int discard(struct index *ix, const char *why, struct err *e)
{
	struct lock lock = LOCK_INIT;
	int moved = 0, rc = 0;

	if (!ix->path)
		return 0;
	if (lock_take(&lock, ix->lock_path, MAKE_WAIT, e))
		return -1;
	sqlite3_file_control(ix->db.sql, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	if (!moved)
		rc = move_aside(ix->path, why, e);
	lock_release(&lock);
	return rc;
}

static int reopen(struct index *ix, struct err *e)
{
	if (ix->writing)
		index_rollback(ix);
	index_drop_pending(ix);
	ix->reading = 0;
	ix->generation++;
	ix->data_version = 0;
	db_close(&ix->db);
	if (ix->path) {
		free(ix->path);
		free(ix->lock_path);
		ix->path = ix->lock_path = NULL;
		if (index_paths(ix, e))
			return -1;
	}
	return index_open_file(ix, e);
}

int index_recover(struct index *ix, struct err *e)
{
	if (ix->db.broken && ix->db.sql && discard(ix, "broken", e))
		return -1;
	return reopen(ix, e);
}

int index_reset(struct index *ix, struct err *e)
{
	if (ix->writing)
		index_rollback(ix);
	if (discard(ix, "broken", e))
		return -1;
	return reopen(ix, e);
}

uint64_t index_generation(struct index *ix)
{
	struct err e = ERR_INIT;
	int64_t v;

	/* data_version stands still for what this connection writes: that is counted by index_commit. */
	if (index_stale(ix))
		ix->generation++;
	else if (db_get_int(&ix->db, &e, &v, "PRAGMA data_version", "") == 1 && v != ix->data_version) {
		ix->data_version = v;
		ix->generation++;
	}
	return ix->generation;
}

int index_read_begin(struct index *ix, struct err *e)
{
	if (ix->reading == 0 && !ix->writing && db_exec(&ix->db, e, "BEGIN", ""))
		return -1;
	ix->reading++;
	return 0;
}

void index_read_end(struct index *ix)
{
	struct err e = ERR_INIT;

	if (ix->reading == 0)
		BUG("the index: a snapshot ends that did not begin");
	if (--ix->reading == 0 && !ix->writing && db_exec(&ix->db, &e, "COMMIT", ""))
		trace("index", "%s", e.msg);
}

/* What is known of one write alone. */
static void write_ends(struct index *ix)
{
	ix->writing = false;
	ix->identities_of = 0;
	ix->puts = 0;
	ix->placed_in = ix->placed = 0;
	array_release(&ix->marks);
	ix->record_marks.len = 0;
	index_drop_fresh(ix);
	index_forget_people(ix);
	idset_clear(&ix->ops);
	idset_clear(&ix->marked);
	arena_clear(&ix->txn);
	db_room(&ix->db, ix->loading ? LOAD_ROOM : DB_ROOM);
}

void index_load(struct index *ix, bool on)
{
	ix->loading = on;
}

/* Whoever waits for the lock looks for it every few ms, the longer apart the longer he waits (lock_take): between the writes of
 * a load it stays free for as long as that. */
static void let_others_in(struct index *ix)
{
	int64_t gap = 2 + ix->held / 16, rest = ix->released + (gap < 21 ? gap : 21) - clock_mono();

	if (ix->loading && rest > 0)
		nanosleep(&(struct timespec){ .tv_nsec = rest * 1000000 }, NULL);
}

static int begin(struct index *ix, bool much, int wait_ms, struct err *e)
{
	if (ix->writing || ix->reading)
		BUG("the index: a write begins inside another or a snapshot");
	let_others_in(ix);
	if (ix->path && lock_take(&ix->lock, ix->lock_path, wait_ms, e))
		return -1;
	if (index_stale(ix)) {
		lock_release(&ix->lock);
		ix->db.broken = true;
		return err_set(e, ERR_BAD_DATA, "the index %s was taken away or damaged: it is built anew", index_path(ix));
	}
	if (ix->db.room < DB_ROOM)
		db_room(&ix->db, DB_ROOM);
	if ((much && bulk_fits(ix) && bulk_open(ix, e)) || db_exec(&ix->db, e, "BEGIN IMMEDIATE", "") ||
	    (ix->aside && bulk_begin(ix, e)) ||
	    db_get_int(&ix->db, e, &ix->seq, "SELECT value FROM counter WHERE name='seq'", "") < 0) {
		index_rollback(ix);
		return -1;
	}
	ix->writing = true;
	if (ix->loading)
		db_room(&ix->db, LOAD_ROOM);
	return 0;
}

int index_begin(struct index *ix, int wait_ms, struct err *e)
{
	return begin(ix, false, wait_ms, e);
}

int index_begin_much(struct index *ix, int wait_ms, struct err *e)
{
	return begin(ix, true, wait_ms, e);
}

void index_rollback(struct index *ix)
{
	struct err e = ERR_INIT;

	/* Some failures (disk full) have rolled back already. */
	if (ix->db.sql && !sqlite3_get_autocommit(ix->db.sql) && db_exec(&ix->db, &e, "ROLLBACK", ""))
		trace("index", "%s", e.msg);
	ix->deltas.len = 0;
	write_ends(ix);
	lock_release(&ix->lock);
	if (ix->aside)
		bulk_drop(ix);
}

/* While much is loaded the log stays as long as it is and is written from its start again: to cut it off makes the file
 * system find room for it anew. */
static void checkpoint(struct index *ix)
{
	int rc, frames = 0, done = 0;

	if (ix->wal_pages <= (ix->loading ? LOAD_PAGES : WAL_PAGES))
		return;
	sqlite3_busy_timeout(ix->db.sql, 0);
	rc = sqlite3_wal_checkpoint_v2(ix->db.sql, NULL, ix->loading ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE,
				       &frames, &done);
	sqlite3_busy_timeout(ix->db.sql, BUSY_WAIT);
	trace("index", "checkpoint: %d of %d pages, result %d", done, frames, rc);
}

int index_commit(struct index *ix, struct err *e)
{
	if (!ix->writing)
		BUG("the index: a commit without a write");
	if (bulk_end(ix, e) || index_flush_deltas(ix, e) || index_flush_record_marks(ix, e) || index_flush_pending(ix, e) ||
	    index_flush_placed(ix, e) ||
	    db_exec(&ix->db, e, "INSERT INTO counter(name, value) VALUES('seq', ?1)"
	    " ON CONFLICT(name) DO UPDATE SET value=excluded.value WHERE value<>excluded.value", "i", ix->seq) ||
	    db_exec(&ix->db, e, "COMMIT", "")) {
		index_rollback(ix);
		return -1;
	}
	write_ends(ix);
	ix->generation++;
	if (ix->aside && bulk_land(ix, e)) {
		lock_release(&ix->lock);
		bulk_drop(ix);
		return -1;
	}
	if (ix->wal)
		checkpoint(ix);
	ix->released = clock_mono();
	ix->held = ix->lock.since ? ix->released - ix->lock.since : 0;
	lock_release(&ix->lock);
	return 0;
}

int64_t index_repo(struct index *ix, const char *repo_key, bool make)
{
	struct err e = ERR_INIT;
	int64_t id;

	if (make && ix->writing)
		db_exec(&ix->db, &e, "INSERT INTO repo(key) VALUES(?1) ON CONFLICT DO NOTHING", "t", repo_key);
	db_get_int(&ix->db, &e, &id, "SELECT id FROM repo WHERE key=?1", "t", repo_key);
	return id;
}

int64_t index_source(struct index *ix, int64_t repo, const char *kind, const char *key, const char *name, bool make)
{
	struct err e = ERR_INIT;
	int64_t id;

	if (make && ix->writing)
		db_exec(&ix->db, &e, "INSERT INTO source(kind, key, name) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING", "ttt",
			kind, key, name ? name : kind);
	if (db_get_int(&ix->db, &e, &id, "SELECT id FROM source WHERE kind=?1 AND key=?2", "tt", kind, key) != 1)
		return 0;
	if (make && ix->writing)
		db_exec(&ix->db, &e, "INSERT INTO repo_source(repo, source) VALUES(?1, ?2) ON CONFLICT DO NOTHING", "ii", repo,
			id);
	return id;
}

bool index_source_get(struct index *ix, int64_t source, struct arena *a, struct source_row *out)
{
	struct err e = ERR_INIT;
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT id, kind, name, key, stamp, heads, lamport, synced, since, problem FROM source"
		" WHERE id=?1");
	struct row r = { st, a, 0 };

	db_bind(st, "i", source);
	if (db_step(&ix->db, st, &e) != 1)
		return false;
	out->id = row_int(&r);
	out->kind = row_text(&r);
	out->name = row_text(&r);
	out->key = row_text(&r);
	out->stamp = row_text(&r);
	out->heads = row_text(&r);
	out->lamport = (uint64_t)row_int(&r);
	out->synced = row_int(&r);
	out->since = row_int(&r);
	out->problem = row_text(&r);
	db_reset(st);
	return true;
}

int index_source_set(struct index *ix, const struct source_row *s, struct err *e)
{
	ix->identities_of = 0;
	return db_exec(&ix->db, e, "UPDATE source SET stamp=?2, heads=?3, lamport=?4, synced=?5, problem=?6, since=?7 WHERE id=?1",
		       "ittiiti", s->id, s->stamp, s->heads, (int64_t)s->lamport, s->synced, s->problem, s->since);
}

size_t index_source_rows(struct index *ix, int64_t repo, struct arena *a, struct source_row **out)
{
	int64_t *ids;
	size_t n = repo > 0 ? index_sources(ix, repo, a, &ids) : 0, len = 0;

	*out = arena_alloc(a, (n + 1) * sizeof(**out));
	for (size_t i = 0; i < n; i++)
		len += index_source_get(ix, ids[i], a, &(*out)[len]);
	return len;
}

int index_source_name(struct index *ix, int64_t source, const char *name, struct err *e)
{
	return db_exec(&ix->db, e, "UPDATE source SET name=?2 WHERE id=?1 AND name<>?2", "it", source, name);
}

int index_source_drop(struct index *ix, int64_t source, struct err *e)
{
	return index_forget(ix, source, e) || db_exec(&ix->db, e, "DELETE FROM repo_source WHERE source=?1", "i", source) ||
	       db_exec(&ix->db, e, "DELETE FROM source WHERE id=?1", "i", source) ? -1 : 0;
}

int index_source_leave(struct index *ix, int64_t repo, int64_t source, struct err *e)
{
	int64_t others;

	if (db_exec(&ix->db, e, "DELETE FROM repo_source WHERE source=?1 AND repo=?2", "ii", source, repo) ||
	    db_get_int(&ix->db, e, &others, "SELECT count(*) FROM repo_source WHERE source=?1", "i", source) < 0)
		return -1;
	return others ? 0 : index_source_drop(ix, source, e);
}

size_t index_sources(struct index *ix, int64_t repo, struct arena *a, int64_t **out)
{
	struct err e = ERR_INIT;
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT source FROM repo_source WHERE repo=?1");
	ARRAY(int64_t) list = ARRAY_INIT;
	size_t n;

	if (!repo)
		st = db_prep(&ix->db, "SELECT id FROM source");
	else
		db_bind(st, "i", repo);
	while (db_step(&ix->db, st, &e) == 1)
		*array_add(&list) = col_int(st, 0);
	n = list.len;
	*out = n ? (int64_t *)arena_memdup(a, list.items, n * sizeof(*list.items)) : NULL;
	array_release(&list);
	return n;
}

int index_check(struct index *ix, struct buf *report, struct err *e)
{
	sqlite3_stmt *st = db_prep_once(&ix->db, "PRAGMA quick_check(20)");
	struct err se = ERR_INIT;
	int rc;

	while ((rc = db_step(&ix->db, st, &se)) == 1) {
		const char *line = (const char *)sqlite3_column_text(st, 0);
		if (line && strcmp(line, "ok"))
			buf_addf(report, "%s: %s\n", index_path(ix), line);
	}
	sqlite3_finalize(st);
	if (rc < 0 && se.code != ERR_BAD_DATA)
		return err_set(e, se.code, "%s", se.msg);
	/* Checking the full-text part is an INSERT to SQLite. */
	if (rc == 0 && report->len == 0 && !index_begin(ix, 1000, &se)) {
		rc = db_exec(&ix->db, &se, "INSERT INTO fts(fts, rank) VALUES('integrity-check', 0)", "");
		index_rollback(ix);
	}
	if (rc < 0 && se.code == ERR_BAD_DATA)
		buf_addf(report, "%s\n", se.msg);
	return 0;
}
