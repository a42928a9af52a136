/* SPDX-License-Identifier: MIT */
/*
 * The first filling of an index. A log of 100,000 ops that is read into an empty index wrote every page three times (to
 * the write-ahead log, again after it had to make room, and to the file) and put every row of every table into three trees
 * at random. So an index that holds nothing is filled in a file beside it ("index.db.new", without a write-ahead log),
 * which takes its place with the commit; and the indexes over ops are made when all ops are there, those over what they
 * are folded to, and full text, when the first fold is over. From then on the same write goes on as any other.
 *
 * Nobody else misses anything: he who has the empty file open sees that it is gone (index_stale) and opens this one.
 */
#include "config.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "index-private.h"

static char *aside_path(const struct index *ix)
{
	return xasprintf("%s.new", ix->path);
}

bool bulk_fits(struct index *ix)
{
	struct err unused = ERR_INIT;
	int64_t any;

	return ix->path && db_get_int(&ix->db, &unused, &any, "SELECT 1 FROM repo LIMIT 1", "") == 0;
}

int bulk_open(struct index *ix, struct err *e)
{
	char *path = aside_path(ix);
	int rc;

	index_unlink(path);
	db_close(&ix->db);
	ix->aside = true;
	rc = db_open(&ix->db, "index", path, e) || index_pragmas(ix, e) ||
		db_script(&ix->db, "PRAGMA journal_mode=MEMORY", e) ? -1 : 0;
	free(path);
	return rc;
}

int bulk_begin(struct index *ix, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	buf_addf(&b, "%sPRAGMA application_id=%d;PRAGMA user_version=%d;", index_schema, INDEX_APPLICATION, INDEX_VERSION);
	rc = db_script(&ix->db, b.ptr, e);
	buf_release(&b);
	ix->bulk = !rc;
	db_room(&ix->db, DB_ROOM_MUCH);
	return rc;
}

int bulk_index_ops(struct index *ix, struct err *e)
{
	if (!ix->bulk || ix->bulk_ops)
		return 0;
	ix->bulk_ops = true;
	return db_script(&ix->db, index_schema_ops, e);
}

/* What was marked and not folded stands in `dirty` from now on. */
static int keep_marks(struct index *ix, struct err *e)
{
	char hex[SHA256_HEX];
	int rc = 0;

	for (size_t i = 0; !rc && i < ix->marks.len; i++) {
		hex_encode(hex, ix->marks.items[i].id, SHA256_SIZE);
		rc = db_exec(&ix->db, e, "INSERT INTO dirty(source, entity) VALUES(?1, ?2) ON CONFLICT DO NOTHING", "it",
			     ix->marked.source, hex);
	}
	array_release(&ix->marks);
	return rc;
}

/* As index-fold.c notes it for a thread that comes alone. */
static int note_long_ids(struct index *ix, struct err *e)
{
	return db_exec(&ix->db, e, "UPDATE counter SET value=1 WHERE name='long_ids' AND EXISTS (SELECT 1 FROM thread GROUP BY hid>>?1"
		       " HAVING count(*)>1)", "i", (int64_t)(64 - 4 * FULL_ID));
}

int bulk_end(struct index *ix, struct err *e)
{
	if (!ix->bulk)
		return 0;
	if (bulk_index_ops(ix, e))
		return -1;
	ix->bulk = ix->bulk_ops = false;
	return keep_marks(ix, e) || db_script(&ix->db, index_schema_finding, e) || note_long_ids(ix, e) ||
	       db_exec(&ix->db, e, "INSERT INTO fts(fts) VALUES('rebuild')", "") ? -1 : 0;
}

/* The names of the log and of the shared memory are those of whatever file has the name: they go before it comes. */
static int take_place(struct index *ix, const char *path, struct err *e)
{
	index_unlink(ix->path);
	if (rename(path, ix->path))
		return err_errno(e, "cannot rename '%s' to '%s'", path, ix->path);
	trace("index", "%s: filled aside", ix->path);
	return 0;
}

int bulk_land(struct index *ix, struct err *e)
{
	char *path = aside_path(ix);
	int rc = index_set_journal(ix, e);

	db_close(&ix->db);
	ix->aside = false;
	if (!rc)
		rc = take_place(ix, path, e);
	index_unlink(path);
	free(path);
	ix->data_version = 0;
	return rc || index_open_file(ix, e) ? -1 : 0;
}

void bulk_drop(struct index *ix)
{
	struct err e = ERR_INIT;
	char *path = aside_path(ix);

	ix->aside = ix->bulk = ix->bulk_ops = false;
	array_release(&ix->marks);
	db_close(&ix->db);
	index_unlink(path);
	free(path);
	if (!index_open_file(ix, &e))
		return;
	/* Nothing can be opened where it was: what is left of this run works without a file. */
	trace("index", "%s", e.msg);
	free(ix->path);
	ix->path = NULL;
	db_close(&ix->db);
	if (index_open_file(ix, &e))
		BUG("no index in memory: %s", e.msg);
}
