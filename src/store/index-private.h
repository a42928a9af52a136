/* SPDX-License-Identifier: MIT */
/* What the files of the index share; nobody else includes this. */
#ifndef KILLICK_STORE_INDEX_PRIVATE_H
#define KILLICK_STORE_INDEX_PRIVATE_H

#include "db.h"
#include "killick/base/file.h"
#include "killick/store/index.h"

#define INDEX_APPLICATION 0x6b6c696b /* "klik" */
#define INDEX_VERSION 15             /* raise with every change of index-schema.c */
/* The tables; the indexes over them, those of ops and all others. */
extern const char index_schema[], index_schema_ops[], index_schema_finding[];

/* A person in a thread. */
enum role { ROLE_ASKED = 1, ROLE_AUTHOR = 2, ROLE_POSTED = 4, ROLE_OWNER = 8 };
enum waits { WAITS_NONE, WAITS_FOR_ME, WAITS_FOR_OTHERS };

/* Somebody who uses this index: his threads get a row in `box`. */
struct identity {
	int64_t who;
	const char *name;
	const char *const *me;  /* mail addresses, lower case */
};

struct pending_map { char *space; void *key, *value; size_t key_len, value_len; };
struct pending_file { int64_t view; char *path; int64_t size, mtime, ctime, ino, mode; char id[GIT_OID_HEX]; };
struct known_person { const char *name, *email, *login; int64_t id, who; };
/* Ids of one source met in this write, by their first 128 bits. */
struct idset { int64_t source; struct id128 { uint64_t hi, lo; } *slots; size_t len, size; };
struct box_delta { int64_t who, source; int waits; int64_t n; };
struct bulk_mark { uint8_t id[SHA256_SIZE]; };
/* A task or thread whose records changed; keys in txn. */
struct record_mark { int64_t source; const char *task, *thread; int what; };
/* A note or thread that came in this write and is still in memory (record_put.kept). */
struct fresh_record { int64_t id; const char *task, *thread, *links; const struct record *r; };

struct index {
	struct db db;
	char *path, *lock_path;        /* NULL: in memory */
	struct lock lock;
	bool writing, wal, loading;
	int wal_pages;                 /* in the log after the last commit */
	int64_t held, released;        /* the lock in the write before: how long, until when (clock_mono) */
	unsigned reading;              /* depth of read snapshots */
	uint64_t generation;
	int64_t data_version;
	int64_t seq;                   /* in a write: the last change number given out */
	int64_t puts;                  /* in a write: ops so far */
	struct idset ops, marked;      /* in a write: ops put, entities marked dirty */
	bool ops_new;                  /* the source of ops had none before this write */
	bool aside, bulk, bulk_ops;    /* in a write: index-bulk.c */
	ARRAY(struct bulk_mark) marks;      /* in a bulk: entities to fold */
	ARRAY(struct record_mark) record_marks;   /* in a write: not folded yet */
	ARRAY(struct fresh_record) fresh;   /* what of their records is new; all that is, unless fresh_broken */
	int64_t fresh_source;
	bool fresh_broken;
	struct arena scratch;          /* of one fold */
	struct arena txn;              /* of one write: the identities, the people */
	struct known_person people[64];
	bool united;             /* two became one: tasks are to be folded anew */
	int64_t identities_of;         /* source they were read for, 0: not yet */
	int64_t identities_since;      /* and its source_row.since */
	struct identity *identities;
	size_t n_identities;
	ARRAY(struct box_delta) deltas;
	ARRAY(struct pending_map) maps;
	ARRAY(struct pending_file) files;
	bool map_held;          /* a placer reads its maps in one snapshot */
	size_t pending_bytes;
	int64_t placed_in, placed;     /* in a write: so many threads got their first place in this view */
	void (*watch)(void *ctx, uint64_t done);
	void *watch_ctx;
	bool (*alias)(void *ctx, char letter, const char *digits, struct arena *a, const char **now);
	void *alias_ctx;
	bool (*stop)(void *ctx);
	void *stop_ctx;
};

/* A snapshot over several statements. */
int index_read_begin(struct index *ix, struct err *e);
void index_read_end(struct index *ix);

/* Ids. hid: the first 64 bits of an id as a signed number that sorts as the digits do. */
int64_t hid_of(const char *hex);
/* The numbers that begin with these hex digits (1 to 64; past 16 they only narrow by comparing the whole id). */
void hid_range(const char *hex, size_t digits, int64_t *lo, int64_t *hi);
/* Digits needed to tell hid from both neighbours, at least min. Twelve make a full id; the counter "long_ids" is 0 while that
 * is enough for all threads. An index without it asks. */
enum { FULL_ID = 12 };
unsigned hid_digits(int64_t hid, const int64_t *before, const int64_t *after, unsigned min);
void hid_hex(char out[17], int64_t hid);

/* A tracker's login is kept as "host/login", since it means something there alone; this is what people see. */
const char *login_shown(const char *login);
void logins_shown(struct person *p, size_t n);
/* People. who_key: what two spellings of one person share. */
const char *who_key(struct arena *a, const struct person *p);
int64_t index_who(struct index *ix, const char *key, bool make);
/* The row of a person in `person`, made as needed; *who is whom it stands for. */
int64_t index_person(struct index *ix, const struct person *p, int64_t *who, struct err *e);
void index_forget_people(struct index *ix);
/* The identity of a scope: 0 when there is none or it was never registered. */
int64_t index_scope_who(struct index *ix, const struct scope *s);
/* The sources of a repository, or all (0); *out in the arena. */
size_t index_sources(struct index *ix, int64_t repo, struct arena *a, int64_t **out);
/* SQLite takes 500 terms in a UNION; with more sources than this (three branches each) a list is sorted instead. */
enum { BRANCHES_MAX = 150 };

/* true: it was not in the set of this source yet. Another source empties the set. */
bool idset_add(struct idset *s, int64_t source, const char *hex);
void idset_clear(struct idset *s);
/* The first filling of an index (index-bulk.c). index_ops: ops are about to be looked up; end: other things too. */
bool bulk_fits(struct index *ix);
int bulk_open(struct index *ix, struct err *e);     /* under the lock, before BEGIN */
int bulk_begin(struct index *ix, struct err *e);
int bulk_index_ops(struct index *ix, struct err *e);
int bulk_end(struct index *ix, struct err *e);
int bulk_land(struct index *ix, struct err *e);     /* after COMMIT, still under the lock */
void bulk_drop(struct index *ix);                   /* instead; not under the lock */

/* Of the file (index.c). */
int index_open_file(struct index *ix, struct err *e);
int index_pragmas(struct index *ix, struct err *e);
int index_set_journal(struct index *ix, struct err *e);
void index_unlink(const char *path);                /* with all that SQLite keeps beside it */

/* Has every thread of the scope its place in the view? Then one that is not listed under a path is not there. */
bool index_view_is_whole(struct index *ix, const struct scope *s);

/* Called by index_commit before COMMIT. */
int index_flush_pending(struct index *ix, struct err *e);
int index_flush_placed(struct index *ix, struct err *e);
int index_flush_deltas(struct index *ix, struct err *e);
int index_flush_record_marks(struct index *ix, struct err *e);
void index_drop_record_marks(struct index *ix, int64_t source);
void index_drop_fresh(struct index *ix);
void index_drop_pending(struct index *ix);

/* The waiting rule (index.h). */
struct wait_facts {
	enum thread_kind kind;
	enum thread_state state;
	enum audience audience;
	unsigned n_asked, n_people;
	int64_t last;      /* who posted last */
};
enum waits index_waits(const struct wait_facts *f, int64_t who, unsigned roles);
/* Does an address list name this identity? */
bool identity_is(const struct identity *id, const struct person *p);

/* People, labels and links as JSON in a row, read back. */
char *people_pack(struct arena *a, const struct person *p, size_t n);
void people_unpack(struct arena *a, const char *json, struct person **out, size_t *n);
char *words_pack(struct arena *a, const char *const *w, size_t n);
void words_unpack(struct arena *a, const char *json, const char ***out, size_t *n);

/*
 * A query compiled to SQL (index-query.c): a condition over thread t (or task k), place p, box b. Values are numbered
 * parameters, bound by clause_bind to every statement that the text was put into.
 */
struct clause_value { char type; int64_t i; const char *s; };
struct clause {
	struct index *ix;
	const struct scope *s;
	int64_t who;
	bool task;
	struct arena *a;
	struct buf sql;
	ARRAY(struct clause_value) values;
	bool boxed;              /* who has boxes */
	bool negated;            /* inside NOT */
	bool probe;              /* words are looked up a thread at a time: there are few threads and many matches */
	struct buf match;        /* FTS5 expression of all words that must or may be there, for rank and snippet */
};
void clause_init(struct clause *c, struct index *ix, const struct scope *s, bool task, struct arena *a);
void clause_release(struct clause *c);
/* Compiled anew from here, nothing of before left. */
void clause_again(struct clause *c, bool probe);
int clause_query(struct clause *c, const struct query *q, struct err *e);
/* The sources of the scope, as a subquery in brackets. */
void clause_sources(struct clause *c, struct buf *b);
/* Adds a value, returns its number. */
int clause_int(struct clause *c, int64_t v);
int clause_text(struct clause *c, const char *s);
void clause_bind(const struct clause *c, sqlite3_stmt *st);

#endif
