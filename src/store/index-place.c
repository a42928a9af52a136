/* SPDX-License-Identifier: MIT */
/*
 * Places, one set a work tree; what files have which id; the placer's maps. All of it is a cache within the cache.
 *
 * `at` is the path a thread is listed under: where it is, and for a gone one where it was last seen. Maps and file ids are
 * found while reading, when no write is open: they wait in memory for the next one.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "killick/base/clock.h"
#include "index-load.h"

enum { MAP_MAX = 64 << 20, MAP_KEEP = 48 << 20, RACY_NS = 20000000, PENDING_MAX = 50000, COUNT_AGAIN = 64 };

bool index_view(struct index *ix, int64_t repo, const char *worktree_key, bool make, struct view_row *out)
{
	struct err e = ERR_INIT;
	sqlite3_stmt *st;
	const char *head;
	bool found = false;

	*out = (struct view_row){ 0 };
	if (make && ix->writing)
		db_exec(&ix->db, &e, "INSERT INTO view(repo, key, head, ops) VALUES(?1, ?2, '', 0) ON CONFLICT DO NOTHING", "it",
			repo, worktree_key);
	st = db_prep(&ix->db, "SELECT id, head, ops, owners FROM view WHERE repo=?1 AND key=?2");
	db_bind(st, "it", repo, worktree_key);
	if (db_step(&ix->db, st, &e) == 1) {
		head = (const char *)sqlite3_column_text(st, 1);
		out->id = col_int(st, 0);
		if (head && strlen(head) == GIT_OID_HEX - 1)
			memcpy(out->head, head, GIT_OID_HEX);
		out->ops = (uint64_t)col_int(st, 2);
		out->owners = (uint64_t)col_int(st, 3);
		found = true;
	}
	db_reset(st);
	return found;
}

bool index_view_is_whole(struct index *ix, const struct scope *s)
{
	struct err e = ERR_INIT;
	int64_t ops;

	return s->repo && db_get_int(&ix->db, &e, &ops, "SELECT ops FROM view WHERE id=?1", "i", s->view) == 1 &&
	       (uint64_t)ops >= index_changes(ix, s->repo);
}

int index_view_set(struct index *ix, const struct view_row *v, struct err *e)
{
	return db_exec(&ix->db, e, "UPDATE view SET head=?2, ops=?3, owners=?4 WHERE id=?1", "itii", v->id, v->head,
		       (int64_t)v->ops, (int64_t)v->owners);
}

/* How many threads have no place: counting 100,000 takes 10 ms, so that a command that only tells the number does not. */
static int count_unplaced(struct index *ix, int64_t repo, int64_t view, int64_t *n, struct err *e)
{
	int64_t all, placed;

	if (db_get_int(&ix->db, e, &all, "SELECT count(*) FROM thread WHERE source IN (SELECT source FROM repo_source WHERE repo=?1)"
		       " AND path IS NOT NULL", "i", repo) < 0 ||
	    db_get_int(&ix->db, e, &placed, "SELECT count(*) FROM place WHERE view=?1", "i", view) < 0)
		return -1;
	*n = all > placed ? all - placed : 0;
	return 0;
}

/* The number kept is as old as the view's last change of threads. It is counted anew only by a write that is long anyway. */
int index_flush_placed(struct index *ix, struct err *e)
{
	int64_t repo, n, placed = ix->placed, view = ix->placed_in, changes;

	ix->placed = ix->placed_in = 0;
	if (!placed)
		return 0;
	if (db_get_int(&ix->db, e, &repo, "SELECT repo FROM view WHERE id=?1", "i", view) < 0)
		return -1;
	changes = (int64_t)index_changes(ix, repo);
	if (db_exec(&ix->db, e, "UPDATE view SET unplaced=unplaced-?2 WHERE id=?1 AND unplaced_at=?3", "iii", view, placed, changes))
		return -1;
	if (db_changes(&ix->db) || placed < COUNT_AGAIN)
		return 0;
	return count_unplaced(ix, repo, view, &n, e) ||
	       db_exec(&ix->db, e, "UPDATE view SET unplaced=?2, unplaced_at=?3 WHERE id=?1", "iii", view, n, changes) ? -1 : 0;
}

int index_unplaced_count(struct index *ix, int64_t repo, int64_t view, uint64_t *n, struct err *e)
{
	int64_t counted;
	int rc = db_get_int(&ix->db, e, &counted, "SELECT unplaced FROM view WHERE id=?1 AND unplaced_at=?2", "ii", view,
			    (int64_t)index_changes(ix, repo));

	if (rc < 0 || (!rc && count_unplaced(ix, repo, view, &counted, e)))
		return -1;
	*n = counted > 0 ? (uint64_t)counted : 0;
	return 0;
}

/* This write gives so many threads a place in the view, or takes it. */
static int note_placed(struct index *ix, int64_t view, int64_t n, struct err *e)
{
	if (view != ix->placed_in && index_flush_placed(ix, e))
		return -1;
	ix->placed_in = view;
	ix->placed += n;
	return 0;
}

int index_place_put(struct index *ix, int64_t view, int64_t thread, const struct place *p, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "INSERT INTO place(thread, view, state, open, at, at_line, at_end, line, end, path,"
		" confidence, sha, last_sha, last_path, last_line, last_end, near_before, near_after, why) SELECT ?1, ?2, ?3, t.state=0,"
		" coalesce(?4, t.path, ''), ?17, ?18, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16 FROM thread t WHERE"
		" t.id=?1 ON CONFLICT(thread, view) DO UPDATE SET state=excluded.state, open=excluded.open, at=excluded.at,"
		" at_line=excluded.at_line, at_end=excluded.at_end,"
		" line=excluded.line, end=excluded.end, path=excluded.path, confidence=excluded.confidence, sha=excluded.sha,"
		" last_sha=excluded.last_sha, last_path=excluded.last_path, last_line=excluded.last_line,"
		" last_end=excluded.last_end, near_before=excluded.near_before, near_after=excluded.near_after, why=excluded.why");
	bool gone = p->state == PLACE_GONE && p->last_path;
	const char *at = gone ? p->last_path : p->path;
	int64_t known;

	if (db_get_int(&ix->db, e, &known, "SELECT 1 FROM place WHERE thread=?1 AND view=?2", "ii", thread, view) < 0 ||
	    note_placed(ix, view, !known, e))
		return -1;
	db_bind(st, "iiitiitdtttiiiitii", thread, view, (int64_t)p->state, at, (int64_t)p->line, (int64_t)p->end, p->path,
		p->confidence, p->commit, p->last_commit, p->last_path, (int64_t)p->last_line, (int64_t)p->last_end,
		(int64_t)p->near_before, (int64_t)p->near_after, p->why, (int64_t)(gone ? p->last_line : p->line),
		(int64_t)(gone ? p->last_end : p->end));
	return db_step(&ix->db, st, e);
}

int index_unplace(struct index *ix, int64_t view, const int64_t *rows, size_t n, struct err *e)
{
	if (!rows && (db_exec(&ix->db, e, "DELETE FROM place WHERE view=?1", "i", view) ||
		      note_placed(ix, view, -db_changes(&ix->db), e)))
		return -1;
	for (size_t i = 0; rows && i < n; i++)
		if (db_exec(&ix->db, e, "DELETE FROM place WHERE thread=?1 AND view=?2", "ii", rows[i], view) ||
		    note_placed(ix, view, -db_changes(&ix->db), e))
			return -1;
	return 0;
}

static int64_t ns_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

bool index_file_id(struct index *ix, int64_t view, const char *path, const struct stat *s, char out[GIT_OID_HEX])
{
	struct err e = ERR_INIT;
	sqlite3_stmt *st;
	const char *id;
	bool found = false;

	for (size_t i = ix->files.len; i-- > 0;) {
		const struct pending_file *f = &ix->files.items[i];
		if (f->view != view || strcmp(f->path, path))
			continue;
		if (f->size != s->st_size || f->mtime != ns_of(&s->st_mtim) || f->ctime != ns_of(&s->st_ctim) ||
		    f->ino != (int64_t)s->st_ino || f->mode != (int64_t)s->st_mode)
			return false;
		memcpy(out, f->id, GIT_OID_HEX);
		return true;
	}
	st = db_prep(&ix->db, "SELECT id FROM fileid WHERE view=?1 AND path=?2 AND size=?3 AND mtime=?4 AND ctime=?5 AND ino=?6"
		     " AND mode=?7");
	db_bind(st, "itiiiii", view, path, (int64_t)s->st_size, ns_of(&s->st_mtim), ns_of(&s->st_ctim), (int64_t)s->st_ino,
		(int64_t)s->st_mode);
	if (db_step(&ix->db, st, &e) == 1) {
		id = (const char *)sqlite3_column_text(st, 0);
		found = id && strlen(id) == GIT_OID_HEX - 1;
		if (found)
			memcpy(out, id, GIT_OID_HEX);
	}
	db_reset(st);
	return found;
}

/* A file changed in the last moments may be changed again within the same tick of its clock: git's "racy" entries. */
static bool is_racy(const struct stat *s)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return ns_of(&s->st_mtim) > ns_of(&now) - RACY_NS || ns_of(&s->st_ctim) > ns_of(&now) - RACY_NS;
}

void index_file_id_put(struct index *ix, int64_t view, const char *path, const struct stat *s, const char *id)
{
	struct pending_file *f;

	if (!view || is_racy(s) || ix->files.len >= PENDING_MAX)
		return;
	f = array_add(&ix->files);
	*f = (struct pending_file){
		.view = view, .path = xstrdup(path), .size = s->st_size, .mtime = ns_of(&s->st_mtim),
		.ctime = ns_of(&s->st_ctim), .ino = (int64_t)s->st_ino, .mode = (int64_t)s->st_mode,
	};
	snprintf(f->id, sizeof(f->id), "%s", id);
}

static bool map_get(void *ctx, const char *space, const void *key, size_t key_len, struct buf *out)
{
	struct index *ix = ctx;
	struct err e = ERR_INIT;
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT value FROM map WHERE space=?1 AND key=?2");
	bool found;

	db_bind(st, "tb", space, key, key_len);
	found = db_step(&ix->db, st, &e) == 1;
	if (found)
		buf_add(out, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0));
	db_reset(st);
	return found;
}

static void *copy(const void *p, size_t n)
{
	void *q = xmalloc(n ? n : 1);

	if (n)
		memcpy(q, p, n);
	return q;
}

static void map_put(void *ctx, const char *space, const void *key, size_t key_len, const void *p, size_t n)
{
	struct index *ix = ctx;
	struct pending_map *m;

	if (ix->pending_bytes + n + key_len > MAP_MAX / 2 || ix->maps.len >= PENDING_MAX)
		return;
	ix->pending_bytes += n + key_len;
	m = array_add(&ix->maps);
	*m = (struct pending_map){ xstrdup(space), copy(key, key_len), copy(p, n), key_len, n };
}

/* Without a snapshot of its own each look-up begins and ends one: three locks of the file. In a log it keeps no writer out. */
static void map_hold(void *ctx, bool on)
{
	struct index *ix = ctx;
	struct err e = ERR_INIT;

	if (on)
		ix->map_held = ix->wal && index_read_begin(ix, &e) == 0;
	else if (ix->map_held)
		index_read_end(ix);
}

struct map_cache index_map_cache(struct index *ix)
{
	return (struct map_cache){ .ctx = ix, .get = map_get, .put = map_put, .hold = map_hold };
}

void index_drop_pending(struct index *ix)
{
	for (size_t i = 0; i < ix->maps.len; i++) {
		free(ix->maps.items[i].space);
		free(ix->maps.items[i].key);
		free(ix->maps.items[i].value);
	}
	for (size_t i = 0; i < ix->files.len; i++)
		free(ix->files.items[i].path);
	array_release(&ix->maps);
	array_release(&ix->files);
	ix->pending_bytes = 0;
}

/* The oldest go first: a map that is still wanted is found again, and is then the newest. */
static int evict_maps(struct index *ix, int64_t added, struct err *e)
{
	int64_t total;

	if (db_get_int(&ix->db, e, &total, "SELECT value FROM counter WHERE name='map'", "") < 0)
		return -1;
	total += added;
	for (bool full = total > MAP_MAX; full && total > MAP_KEEP;) {
		int64_t gone;
		if (db_get_int(&ix->db, e, &gone, "SELECT sum(length(key)+length(value)) FROM (SELECT key, value FROM map ORDER BY id"
		    " LIMIT 1000)", "") < 0 ||
		    db_exec(&ix->db, e, "DELETE FROM map WHERE id IN (SELECT id FROM map ORDER BY id LIMIT 1000)", ""))
			return -1;
		total = gone ? total - gone : 0;
	}
	return db_exec(&ix->db, e, "INSERT INTO counter(name, value) VALUES('map', ?1) ON CONFLICT(name) DO UPDATE SET"
		       " value=excluded.value", "i", total);
}

static int map_insert(struct index *ix, const struct pending_map *m, struct err *e)
{
	return db_exec(&ix->db, e, "INSERT INTO map(space, key, value) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING", "tbb", m->space,
	    m->key, m->key_len, m->value, m->value_len);
}

/* The later value of a key counts: answers about a commit grow with the anchors asked for. */
static int map_write(struct index *ix, const struct pending_map *m, int64_t *added, struct err *e)
{
	int64_t was = 0;

	if (map_insert(ix, m, e))
		return -1;
	if (!db_changes(&ix->db)) {
		if (db_get_int(&ix->db, e, &was, "SELECT length(key)+length(value) FROM map WHERE space=?1 AND key=?2 AND value<>?3",
		    "tbb", m->space, m->key, m->key_len, m->value, m->value_len) < 0)
			return -1;
		if (!was)
			return 0;
		if (db_exec(&ix->db, e, "DELETE FROM map WHERE space=?1 AND key=?2", "tb", m->space, m->key, m->key_len) ||
		    map_insert(ix, m, e))
			return -1;
	}
	*added += (int64_t)(m->key_len + m->value_len) - was;
	return 0;
}

int index_flush_pending(struct index *ix, struct err *e)
{
	int64_t added = 0;

	for (size_t i = 0; i < ix->maps.len; i++)
		if (map_write(ix, &ix->maps.items[i], &added, e))
			return -1;
	if (added && evict_maps(ix, added, e))
		return -1;
	for (size_t i = 0; i < ix->files.len; i++) {
		const struct pending_file *f = &ix->files.items[i];
		if (db_exec(&ix->db, e, "INSERT OR REPLACE INTO fileid(view, path, size, mtime, ctime, ino, mode, id)"
		    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", "itiiiiit", f->view, f->path, f->size, f->mtime, f->ctime, f->ino,
		    f->mode, f->id))
			return -1;
	}
	index_drop_pending(ix);
	return 0;
}

void index_keep(struct index *ix)
{
	struct err e = ERR_INIT;

	if ((ix->maps.len == 0 && ix->files.len == 0) || ix->writing || ix->reading)
		return;
	if (index_begin(ix, 0, &e) || index_commit(ix, &e))
		trace("index", "maps and file ids not kept: %s", e.msg);
	index_drop_pending(ix);
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
	return load_collected(ix, &s, st, LOAD_LINES, a, out, e);
}

int index_unknown(struct index *ix, int64_t repo, int64_t view, struct arena *a, struct thread_list *out, struct err *e)
{
	struct scope s = { .repo = repo, .view = view };
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT thread FROM place WHERE view=?1 AND state=0");

	*out = (struct thread_list){ 0 };
	db_bind(st, "i", view);
	return load_collected(ix, &s, st, LOAD_QUOTES, a, out, e);
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
	return rows_collect(ix, st, rows, NULL, e);
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
	rc = rows_collect(ix, st, &list, NULL, e);
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
