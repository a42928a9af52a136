/* SPDX-License-Identifier: MIT */
/*
 * The index's tables. Everything here is derived: raise INDEX_VERSION with any change, nothing is ever migrated.
 *
 * A thread's row carries all that a line of a list shows; `part` says who has to do with it, `box` what it means to those
 * who use this index (waiting, unread), so that the inbox is a range of one index however many threads there are.
 * A thread row with `of` is no thread of its own but a place that a post of another thread quotes by its permalink: it is
 * placed as any thread and shown wherever files are, and nowhere else. `place.at` is the path a thread is listed under, with its lines: where it is, or where it was last seen. hid is the first 64 bits of an id: ids are looked up, abbreviated and
 * compared in eight bytes instead of thirty-two.
 *
 * What only makes finding faster stands apart, so that an index that is filled for the first time gets it last.
 */
#include "config.h"
#include "index-private.h"

const char index_schema[] =
"CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
"INSERT INTO counter(name, value) VALUES('long_ids', 0);"
"CREATE TABLE repo(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);"
"CREATE TABLE source(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, stamp TEXT,"
"	heads TEXT, lamport INTEGER NOT NULL DEFAULT 0, synced INTEGER NOT NULL DEFAULT 0, since INTEGER NOT NULL DEFAULT 0,"
"	problem TEXT, UNIQUE(kind, key));"
"CREATE TABLE repo_source(repo INTEGER, source INTEGER, PRIMARY KEY(repo, source)) WITHOUT ROWID;"

/* Whoever shares a mail address (or a login) is one person; alias joins the addresses of one who uses this index. */
"CREATE TABLE who(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, alias INTEGER);"
"CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, login TEXT NOT NULL,"
"	who INTEGER NOT NULL, UNIQUE(email, name, login));"
"CREATE TABLE identity(repo INTEGER, who INTEGER, name TEXT, me TEXT NOT NULL, PRIMARY KEY(who, repo)) WITHOUT ROWID;"

"CREATE TABLE op(id INTEGER PRIMARY KEY, source INTEGER NOT NULL, hid INTEGER NOT NULL, ent INTEGER NOT NULL,"
"	hash BLOB NOT NULL, stamp BLOB NOT NULL, bytes BLOB NOT NULL);"
"CREATE TABLE dirty(id INTEGER PRIMARY KEY, source INTEGER NOT NULL, entity TEXT NOT NULL, UNIQUE(source, entity));"
"CREATE TABLE quarantine(id INTEGER PRIMARY KEY, source INTEGER NOT NULL, hid INTEGER NOT NULL, writer TEXT NOT NULL,"
"	why TEXT NOT NULL, bytes BLOB NOT NULL, UNIQUE(source, hid));"

/* A tracker's objects (index-record.c). key: of a thread its task's too; thread '': the task's conversation. */
"CREATE TABLE record(id INTEGER PRIMARY KEY, source INTEGER NOT NULL, type INTEGER NOT NULL, key TEXT NOT NULL,"
"	task TEXT NOT NULL, thread TEXT NOT NULL, kind INTEGER NOT NULL, updated INTEGER NOT NULL, put INTEGER NOT NULL,"
"	gone INTEGER NOT NULL, links TEXT, bytes BLOB NOT NULL, UNIQUE(source, type, key));"
"CREATE TABLE record_dirty(source INTEGER, task TEXT, thread TEXT, what INTEGER, PRIMARY KEY(source, task, thread, what))"
"	WITHOUT ROWID;"
"CREATE TABLE unsent(id TEXT PRIMARY KEY, source INTEGER NOT NULL, task TEXT NOT NULL, thread TEXT NOT NULL,"
"	what INTEGER NOT NULL, state INTEGER NOT NULL, patch TEXT NOT NULL, n INTEGER NOT NULL) WITHOUT ROWID;"

"CREATE TABLE thread(id INTEGER PRIMARY KEY, source INTEGER NOT NULL, hid INTEGER NOT NULL, entity TEXT NOT NULL,"
"	rev INTEGER NOT NULL, kind INTEGER NOT NULL, state INTEGER NOT NULL, audience INTEGER NOT NULL,"
"	created INTEGER NOT NULL, updated INTEGER NOT NULL, n_posts INTEGER NOT NULL,"
"	n_asked INTEGER NOT NULL, n_people INTEGER NOT NULL, author INTEGER NOT NULL, author_who INTEGER NOT NULL,"
"	last INTEGER NOT NULL, last_who INTEGER NOT NULL, owner INTEGER, type INTEGER NOT NULL, side INTEGER NOT NULL,"
"	line INTEGER NOT NULL, end INTEGER NOT NULL, col INTEGER NOT NULL, col_end INTEGER NOT NULL, path TEXT, sha TEXT,"
"	blob TEXT, section TEXT, task TEXT, title TEXT NOT NULL, url TEXT, asked TEXT, labels TEXT, links TEXT,"
"	resolved_by TEXT, anchor_sig INTEGER NOT NULL, quote TEXT, before TEXT, after TEXT,"
"	r_task TEXT, r_thread TEXT, of INTEGER);"

"CREATE TABLE post(id INTEGER PRIMARY KEY, thread INTEGER, task INTEGER, n INTEGER NOT NULL, hid INTEGER NOT NULL,"
"	op INTEGER NOT NULL, person INTEGER NOT NULL, who INTEGER NOT NULL, time INTEGER NOT NULL,"
"	edited INTEGER NOT NULL, state INTEGER NOT NULL, accepted INTEGER NOT NULL, restricted INTEGER NOT NULL DEFAULT 0,"
"	sig INTEGER NOT NULL, reactions TEXT,"
"	title TEXT, path TEXT, body TEXT);"
"CREATE VIRTUAL TABLE fts USING fts5(title, path, body, content='post', content_rowid='id',"
"	tokenize='unicode61 remove_diacritics 2');"
"INSERT INTO fts(fts, rank) VALUES('rank', 'bm25(4.0, 2.0, 1.0)');"

"CREATE TABLE part(thread INTEGER, who INTEGER, roles INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(thread, who))"
"	WITHOUT ROWID;"
"CREATE TABLE box(thread INTEGER, who INTEGER, source INTEGER NOT NULL, updated INTEGER NOT NULL,"
"	waits INTEGER NOT NULL, unread INTEGER NOT NULL, PRIMARY KEY(thread, who)) WITHOUT ROWID;"
"CREATE TABLE box_count(who INTEGER, source INTEGER, waits INTEGER, n INTEGER NOT NULL, PRIMARY KEY(who, source, waits))"
"	WITHOUT ROWID;"
"CREATE TABLE readmark(entity TEXT, who TEXT, upto INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(entity, who))"
"	WITHOUT ROWID;"

"CREATE TABLE label(thread INTEGER, task INTEGER, name TEXT COLLATE NOCASE, PRIMARY KEY(thread, task, name))"
"	WITHOUT ROWID;"
"CREATE TABLE link(thread INTEGER, name TEXT, PRIMARY KEY(thread, name)) WITHOUT ROWID;"
"CREATE TABLE trailer(key TEXT, thread INTEGER, PRIMARY KEY(key, thread)) WITHOUT ROWID;"
"CREATE TABLE rewrite(new TEXT, old TEXT, source INTEGER, PRIMARY KEY(new, old, source)) WITHOUT ROWID;"

"CREATE TABLE task(id INTEGER PRIMARY KEY, source INTEGER NOT NULL, hid INTEGER NOT NULL, entity TEXT NOT NULL,"
"	name TEXT COLLATE NOCASE, rev INTEGER NOT NULL, change INTEGER NOT NULL, state INTEGER NOT NULL, created INTEGER NOT NULL,"
"	updated INTEGER NOT NULL, author INTEGER NOT NULL, author_who INTEGER NOT NULL, status TEXT, title TEXT NOT NULL,"
"	url TEXT, assignees TEXT, labels TEXT, milestone TEXT COLLATE NOCASE, body TEXT, key TEXT, num INTEGER);"
"CREATE TABLE assignee(task INTEGER, who INTEGER, PRIMARY KEY(task, who)) WITHOUT ROWID;"

/* unplaced: how many threads had no place when the repository's last change was unplaced_at. */
"CREATE TABLE view(id INTEGER PRIMARY KEY, repo INTEGER NOT NULL, key TEXT NOT NULL, head TEXT NOT NULL,"
"	ops INTEGER NOT NULL, owners INTEGER NOT NULL DEFAULT 0, unplaced INTEGER NOT NULL DEFAULT 0,"
"	unplaced_at INTEGER NOT NULL DEFAULT -1, UNIQUE(repo, key));"
/* In the order of files, so that those of a file are read in one go. */
"CREATE TABLE place(thread INTEGER, view INTEGER, state INTEGER NOT NULL, open INTEGER NOT NULL, at TEXT NOT NULL,"
"	at_line INTEGER NOT NULL, at_end INTEGER NOT NULL, line INTEGER NOT NULL, end INTEGER NOT NULL, path TEXT, confidence REAL NOT NULL, sha TEXT, last_sha TEXT,"
"	last_path TEXT, last_line INTEGER, last_end INTEGER, near_before INTEGER, near_after INTEGER, why TEXT,"
"	PRIMARY KEY(view, at, at_line, thread), UNIQUE(thread, view)) WITHOUT ROWID;"
"CREATE TABLE fileid(view INTEGER, path TEXT, size INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL,"
"	ino INTEGER NOT NULL, mode INTEGER NOT NULL, id TEXT NOT NULL, PRIMARY KEY(view, path)) WITHOUT ROWID;"
/* Rows are never changed and the oldest go first. */
"CREATE TABLE map(id INTEGER PRIMARY KEY, space TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
"	UNIQUE(space, key));";

/* For folding ops. */
const char index_schema_ops[] =
"CREATE INDEX op_hid ON op(hid, source);"
"CREATE INDEX op_ent ON op(source, ent);";

const char index_schema_finding[] =
"CREATE INDEX repo_of_source ON repo_source(source, repo);"
"CREATE INDEX person_who ON person(who);"
"CREATE INDEX record_thread ON record(source, task, thread, type);"
"CREATE INDEX unsent_thread ON unsent(source, task, thread, what, n);"
"CREATE INDEX thread_hid ON thread(hid);"
"CREATE INDEX thread_updated ON thread(source, updated, id);"
"CREATE INDEX thread_open ON thread(source, updated, id) WHERE state=0;"
"CREATE INDEX thread_path ON thread(source, path, line, state) WHERE path IS NOT NULL;"
"CREATE INDEX thread_sha ON thread(sha, source, kind, state) WHERE sha IS NOT NULL;"
"CREATE INDEX thread_task ON thread(task) WHERE task IS NOT NULL;"
"CREATE INDEX thread_of ON thread(of) WHERE of IS NOT NULL;"
"CREATE INDEX thread_rev ON thread(source, rev);"
"CREATE INDEX thread_ownerless ON thread(source) WHERE sha IS NOT NULL AND type=3 AND owner=0;"
"CREATE INDEX thread_author ON thread(author_who, updated);"
"CREATE INDEX post_thread ON post(thread, n) WHERE thread IS NOT NULL;"
"CREATE INDEX post_task ON post(task) WHERE task IS NOT NULL;"
"CREATE INDEX post_hid ON post(hid);"
"CREATE INDEX part_who ON part(who, thread, roles);"
"CREATE INDEX box_waits ON box(who, source, waits, updated, thread);"
"CREATE INDEX label_name ON label(name, thread, task);"
"CREATE INDEX link_name ON link(name);"
"CREATE INDEX trailer_thread ON trailer(thread);"
"CREATE INDEX rewrite_old ON rewrite(old, source, new);"
"CREATE INDEX task_hid ON task(hid);"
"CREATE INDEX task_name ON task(name) WHERE name IS NOT NULL;"
"CREATE INDEX task_milestone ON task(milestone) WHERE milestone IS NOT NULL;"
"CREATE INDEX task_num ON task(num) WHERE num IS NOT NULL;"
"CREATE INDEX task_updated ON task(source, updated, id);"
"CREATE INDEX task_open ON task(source, updated, id) WHERE state=0;"
"CREATE INDEX task_all ON task(updated, id);"
"CREATE INDEX assignee_who ON assignee(who, task);"
"CREATE INDEX place_at ON place(view, at, at_line, thread, open);"
"CREATE INDEX place_state ON place(view, state, thread);";
