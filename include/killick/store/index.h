/* SPDX-License-Identifier: MIT */
/*
 * The index: $XDG_CACHE_HOME/killick/index.db, one a user, over all repositories and sources. A cache of everything:
 * any version may drop and rebuild it; a broken, foreign or newer file is moved aside and a new one begun.
 *
 * SQLite in WAL mode. Debian 12's SQLite (3.40.1) has the WAL-reset fault, so every write transaction and every
 * checkpoint happens under one flock (index.lock), auto-checkpoint is off, closing does not checkpoint.
 * On a network file system, where WAL must not be used, the journal is a rollback journal.
 * All statements are prepared once a handle; values are bound, never pasted (trust.md 20).
 */
#ifndef KILLICK_STORE_INDEX_H
#define KILLICK_STORE_INDEX_H

#include "killick/anchor/place.h"
#include "killick/model/fold.h"
#include "killick/model/query.h"
#include "killick/model/record.h"

struct index;
int index_open(struct index **out, struct err *e);
/* One that dies with the handle: for who has no place to keep one (read-only, no home). */
int index_open_memory(struct index **out, struct err *e);
void index_close(struct index *ix);
const char *index_path(const struct index *ix);   /* ":memory:" for the latter */
bool index_in_memory(const struct index *ix);
/*
 * Was the file taken away while we have it open, or did a call meet damage (ERR_BAD_DATA)? Then index_recover moves a
 * damaged file aside and opens anew, perhaps empty: every row id known before is void, and all has to be read again
 * (work_refresh does both). Until then index_begin fails with ERR_BAD_DATA.
 */
bool index_stale(struct index *ix);
int index_recover(struct index *ix, struct err *e);
/* Counts up with every committed write of any process (PRAGMA data_version and own writes): a face reloads on change.
 * A handle must not be used in a child after fork(2), nor in the parent by then: close it first. */
uint64_t index_generation(struct index *ix);

/* A write: the lock, then BEGIN IMMEDIATE. ERR_BUSY after wait_ms. One at a time a handle, not nested. */
int index_begin(struct index *ix, int wait_ms, struct err *e);
/* The same for a write of thousands of ops: an index that holds nothing is filled in another file, which takes its place. */
int index_begin_much(struct index *ix, int wait_ms, struct err *e);
int index_commit(struct index *ix, struct err *e);
/* Many writes come one after the other: until the last one has begun, memory is kept between them, and a longer log. */
void index_load(struct index *ix, bool on);
void index_rollback(struct index *ix);

/* A source: (kind, key) is its identity; key is store.git's path for native, the desk's name for private. */
struct source_row {
	int64_t id;
	const char *kind, *name, *key;  /* "native" "private"; shown name; identity */
	const char *stamp;      /* state at the last pull: nlog_stamp, or a cursor */
	const char *heads;      /* native: nlog_heads_format */
	uint64_t lamport;       /* greatest clock seen */
	int64_t synced;         /* time of the last exchange with a remote */
	int64_t since;          /* trackers: what others wrote before this counts as read, 0: nothing does */
	const char *problem;    /* of the last one, or NULL */
};
/* The scope of one repository: which sources belong to it, who I am, and the view whose places are joined in. */
struct scope {
	int64_t repo;           /* index row of the repository, 0: all */
	int64_t view;           /* index row of the work tree's view, 0: places as written */
	const char *const *me;  /* my mail addresses, lower case, NULL-terminated; may be NULL */
	bool plain;             /* for programs: lists come without n_unread, and abbrev is the id */
};
/* Rows are made as needed (inside a write). repo_key: the git common folder. false/0 when absent. */
int64_t index_repo(struct index *ix, const char *repo_key, bool make);
int64_t index_source(struct index *ix, int64_t repo, const char *kind, const char *key, const char *name, bool make);
bool index_source_get(struct index *ix, int64_t source, struct arena *a, struct source_row *out);
int index_source_set(struct index *ix, const struct source_row *row, struct err *e);
/* All of a repository; *out in the arena. */
size_t index_source_rows(struct index *ix, int64_t repo, struct arena *a, struct source_row **out);
/* The name that people see; and the end of it: everything of the source is forgotten. Inside a write. */
int index_source_name(struct index *ix, int64_t source, const char *name, struct err *e);
int index_source_drop(struct index *ix, int64_t source, struct err *e);
/* The repository has it no more; where no other has it either, it is dropped. */
int index_source_leave(struct index *ix, int64_t repo, int64_t source, struct err *e);

/* Ops. put keeps the bytes and marks the entity for folding; a known id is ignored (set union). */
int index_put_op(struct index *ix, int64_t source, const struct op *op, const char *bytes, size_t n, struct err *e);
/*
 * Records of a tracker (model/record.h), inside a write: kept as the bytes that came, and what they belong to is marked for
 * folding. The same record again, or an older one after a newer one, changes nothing. links: the places in this
 * repository that the body quotes by permalinks; each is listed with the files it is in, as the thread of the post.
 * began: when the pull began that a list is of; what was put later is not missing from it. kept: the record stays where it is
 * until the fold, or the end of the write, which need not read it again then.
 */
struct record_put {
	const struct record *r;
	const char *bytes; size_t n;
	const struct anchor *links; size_t n_links;
	int64_t began;
	bool kept;
};
int index_put_record(struct index *ix, int64_t source, const struct record_put *p, struct err *e);
/* The newest state of one. key: as in the record; task only for threads. ERR_NOT_FOUND. */
int index_record(struct index *ix, int64_t source, enum record_type type, const char *task, const char *key,
    struct arena *a, struct record *out, struct err *e);
/* The task and thread that a thread row is, as its source calls them: "" for none. false: a native one. */
bool index_thread_keys(struct index *ix, int64_t thread, struct arena *a, const char **task, const char **thread_key);
/* The key of a task row. false: a native one. */
bool index_task_key(struct index *ix, int64_t task, struct arena *a, const char **key);
/* The note that a post of a thread is made from; ERR_NOT_FOUND also for what is not sent yet. */
int index_post_record(struct index *ix, int64_t thread, const char *post_id, struct arena *a, struct record *out,
    struct err *e);
/* The note whose body ends with the mark of this op (record_mark), of those that came since then. ERR_NOT_FOUND. */
int index_marked_note(struct index *ix, int64_t source, const char *op_id, int64_t since, struct arena *a,
    struct record *out, struct err *e);
/* The user's own that is not sent: patches (model/record.h) in place of all those there were. */
struct unsent_row {
	const char *id, *source_kind, *source_key;
	enum record_type what;       /* TASK, or what belongs to a thread */
	const char *task, *thread;   /* keys, "" for none */
	enum post_state state;
	const char *patch;           /* JSON */
};
int index_put_unsent(struct index *ix, const struct unsent_row *rows, size_t n, struct err *e);
/* Folds every marked entity and rewrites its rows (thread, posts, tasks, search). */
int index_fold(struct index *ix, int64_t source, struct err *e);
/* fn is told now and then how many threads and tasks a fold has behind it; NULL: nobody. */
void index_watch(struct index *ix, void (*fn)(void *ctx, uint64_t done), void *ctx);
/* Forgets everything of a source (a rewound log): then put all ops again. */
int index_forget(struct index *ix, int64_t source, struct err *e);
int index_forget_op(struct index *ix, int64_t source, const char *id, struct err *e);
int index_quarantine(struct index *ix, int64_t source, const char *writer, const char *bytes, size_t n,
    const char *why, struct err *e);
/* Calls fn for every op in fold order, or every quarantined line (export, doctor). */
int index_each_op(struct index *ix, int64_t source, int (*fn)(void *, const char *bytes, size_t n), void *ctx,
    struct err *e);
int index_each_quarantined(struct index *ix, int64_t source, int (*fn)(void *, const char *writer, const char *why,
    const char *bytes, size_t n), void *ctx, struct err *e);

/* The number of the last change to any thread of this repository (0: none yet): counts up, never down. */
uint64_t index_changes(struct index *ix, int64_t repo);

/* The view of a work tree: places of all threads in its HEAD, kept. head "": never computed. */
struct view_row {
	int64_t id;
	char head[GIT_OID_HEX];
	uint64_t ops;           /* index_changes the places are complete for */
	uint64_t owners;        /* and the owners */
};
bool index_view(struct index *ix, int64_t repo, const char *worktree_key, bool make, struct view_row *out);
int index_view_set(struct index *ix, const struct view_row *v, struct err *e);
/* Forgets the places of some threads (rows NULL: of all) in the view: they are unplaced again once ops is 0. */
int index_unplace(struct index *ix, int64_t view, const int64_t *rows, size_t n, struct err *e);
int index_place_put(struct index *ix, int64_t view, int64_t thread, const struct place *p, struct err *e);
/* Rows of threads with a path whose place is not computed in this view (place.pending), in the order of their paths; path,
 * if not NULL: those written there alone; limit, 0: none. Into the arena. */
int index_unplaced(struct index *ix, int64_t repo, int64_t view, const char *path, size_t limit, struct arena *a,
    int64_t **rows, size_t *n, struct err *e);
/* How many there are: kept from one write of places to the next, counted (0.1 ms a thousand) where threads came since. */
int index_unplaced_count(struct index *ix, int64_t repo, int64_t view, uint64_t *n, struct err *e);
/* Rows of threads listed or written under one of the paths, or last seen there. */
int index_touched(struct index *ix, int64_t repo, int64_t view, const char *const *paths, size_t n_paths,
    struct arena *a, int64_t **rows, size_t *n, struct err *e);
/* The threads of these rows, with the kept text of their anchors. */
struct thread_list { struct thread *items; size_t len, alloc; bool more; };
int index_rows(struct index *ix, int64_t repo, int64_t view, const int64_t *rows, size_t n, struct arena *a,
    struct thread_list *out, struct err *e);
/* Threads on a commit whose author is not known yet (index_owner_put), and those whose place in the view is unknown. */
int index_ownerless(struct index *ix, int64_t repo, struct arena *a, struct thread_list *out, struct err *e);
int index_unknown(struct index *ix, int64_t repo, int64_t view, struct arena *a, struct thread_list *out, struct err *e);
/* The author of the commit that a thread is on: the thread may wait for him. */
int index_owner_put(struct index *ix, int64_t thread, const struct person *author, struct err *e);
/* The cached id of a work-tree file, valid while its stat data hold (racy ones are not kept). */
struct stat;
bool index_file_id(struct index *ix, int64_t view, const char *path, const struct stat *st, char out[GIT_OID_HEX]);
void index_file_id_put(struct index *ix, int64_t view, const char *path, const struct stat *st, const char *id);
/* Line maps for the placer; the oldest go when they are more than 64 MiB. Writes of maps and file ids are collected and
 * stored with the next committed write, or by index_keep: if the lock is free, else they are lost, which costs time only. */
struct map_cache index_map_cache(struct index *ix);
void index_keep(struct index *ix);

/* While it is set, a reading that takes long asks stop() about every millisecond and fails with ERR_CANCELLED where that
 * says true: for screens, where a key may wait. NULL: nobody is asked. Not around writing. */
void index_yield(struct index *ix, bool (*stop)(void *ctx), void *ctx);

/* Reading. Strings and rows in the arena. Every list is one indexed statement, paged by key. */
enum thread_sort { SORT_UPDATED, SORT_CREATED, SORT_PLACE /* path, then line */, SORT_MATCH /* search rank */ };
/*
 * Waiting (waiting:me, waiting:others, index_inbox). Only open threads wait, private ones never, and a decision or note
 * that nobody was asked about and nobody answered does not either. Then:
 *	it waits for me	when the last post is not mine, and I was asked, or I opened it (a question that was
 *			answered waits until I accept), or nobody was asked and I took part or it is on a commit of mine,
 *			or I am mentioned behind my last post ("@ana": a login, or a mail address up to its @);
 *	for others	when the last post is mine.
 * waiting:NAME is the first with NAME in my place. A post is unread while it is not mine and not marked as read; an
 * accepted, resolved or read thread gets unread again by the next post of somebody else.
 * "me" is the scope's: only what index_identity registered for the repository has boxes, and reads as unread.
 */
struct thread_find {
	const struct query *query;      /* NULL: all */
	enum thread_sort sort;          /* newest first, but PLACE; MATCH: best first, fills match */
	size_t limit;                   /* 0: all */
	size_t skip;
	bool posts;                     /* fill posts, and the kept text of anchors */
	const struct thread *after;     /* UPDATED and CREATED: go on behind this one; cheaper than skip far down */
	bool oldest;                    /* UPDATED and CREATED: from the other end, oldest first */
};
int index_threads(struct index *ix, const struct scope *s, const struct thread_find *f, struct arena *a,
    struct thread_list *out, struct err *e);
/*
 * The same for whoever shows all of it page by page, in an order that is no key (PLACE, MATCH): it is found once, and the rows
 * are read as they are wanted; those that have gone meanwhile are left out. The scope must outlive it.
 */
struct index_found;
int index_find(struct index *ix, const struct scope *s, const struct thread_find *f, struct index_found **out, struct err *e);
int index_found_page(struct index_found *x, size_t n, struct arena *a, struct thread_list *out, struct err *e);
void index_found_free(struct index_found *x);
int index_count_threads(struct index *ix, const struct scope *s, const struct query *q, uint64_t *n, struct err *e);
/* Threads whose place in the view is in this file, gone ones last seen here too, those not placed yet as written; by
 * line. With the kept text of their anchors, without posts. */
int index_threads_at(struct index *ix, const struct scope *s, const char *path, struct arena *a,
    struct thread_list *out, struct err *e);
/* Threads on a commit (any type of anchor whose commit is one of these), for log and hooks; also those written on what a
 * commit was before it was amended or rebased. place.commit is the one of the given commits that it was found by. */
int index_threads_on_commits(struct index *ix, const struct scope *s, const struct oid *commits, size_t n,
    struct arena *a, struct thread_list *out, struct err *e);
/* How many threads are on each of n commits, into out[n]: for lists of commits. */
struct commit_count { unsigned open[4] /* by kind */, settled; };
int index_commit_counts(struct index *ix, const struct scope *s, const struct oid *commits, size_t n,
    struct commit_count *out, struct err *e);
/* Open and other threads by file, for the file list: path, open, resolved. */
struct path_count { const char *path; unsigned open, closed; };
int index_path_counts(struct index *ix, const struct scope *s, struct arena *a, struct path_count **out, size_t *n,
    struct err *e);

/* By id or unique prefix ("k3f9", "3f9c2"), within the scope first, then everywhere. ERR_NOT_FOUND, ERR_AMBIGUOUS (the
 * message lists the candidates). With posts. A post's id ("p…") gives its thread and *post. */
int index_thread(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct thread *out,
    const struct post **post, struct err *e);
/* The same for screens: the posts' ids have all sixteen digits, which in a thread of thousands halves the time. */
int index_thread_read(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct thread *out,
    struct err *e);
/* The same as a list has it, without posts. */
int index_thread_line(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct thread *out,
    struct err *e);
/* Who knows what an id has become, where nothing is called so any more (desk_alias); asked by index_thread. */
void index_ask_alias(struct index *ix, bool (*fn)(void *ctx, char letter, const char *digits, struct arena *a,
    const char **now), void *ctx);
/* The entity (64 hex digits) and source of a thread or task row; the op id of a post. */
int index_entity(struct index *ix, int64_t thread, char entity[SHA256_HEX], int64_t *source, struct err *e);
/* The row of an entity in a source, 0: none. */
int64_t index_entity_row(struct index *ix, int64_t source, const char *entity);
/* The stored bytes of an op, added to out. ERR_NOT_FOUND. */
int index_op(struct index *ix, int64_t source, const char *id, struct buf *out, struct err *e);
/* The op id (64 hex digits) of a post of this thread, by its canonical id; for ops that name a post. */
int index_post_op(struct index *ix, int64_t thread, const char *post_id, char op[SHA256_HEX], struct err *e);
int index_task_entity(struct index *ix, int64_t task, char entity[SHA256_HEX], int64_t *source, struct err *e);

struct task_list { struct task *items; size_t len, alloc; bool more; };
int index_tasks(struct index *ix, const struct scope *s, const struct query *q, size_t limit, size_t skip,
    struct arena *a, struct task_list *out, struct err *e);
/*
 * The same in the making, for screens: the rows' numbers, the latest first; each call adds up to n behind those it has,
 * until it is complete. One that is given up (index_yield) keeps what it found. The tasks of such numbers: those deleted
 * meanwhile have row 0 and nothing else.
 */
struct task_walk { ARRAY(int64_t) rows; int64_t updated; /* of the last */ bool complete; };
int index_task_walk(struct index *ix, const struct scope *s, const struct query *q, struct task_walk *w, size_t n,
    struct err *e);
int index_tasks_of(struct index *ix, const int64_t *rows, size_t n, struct arena *a, struct task_list *out, struct err *e);
int index_task(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct task *out,
    struct err *e);
/* Was this trailer of a commit's message already turned into an op? The key is what the op's payload has as "trailer";
 * it stays the same through amend and rebase, so that commit does not matter (hook/trailer.c). */
bool index_trailer_seen(struct index *ix, int64_t repo, const char *commit, const char *trailer_hash);

/* The inbox: waiting for me, for others, and new: unread and in neither of the two, newest first each. */
enum inbox_section { INBOX_FOR_ME, INBOX_FOR_OTHERS, INBOX_NEW, INBOX_SECTIONS };
int index_inbox(struct index *ix, const struct scope *s, enum inbox_section which, const struct query *filter,
    size_t limit, size_t skip, struct arena *a, struct thread_list *out, uint64_t *total, struct err *e);
/* The same with all that a search can say; sort is UPDATED whatever it says. */
int index_inbox_page(struct index *ix, const struct scope *s, enum inbox_section which, const struct thread_find *find,
    struct arena *a, struct thread_list *out, uint64_t *total, struct err *e);

/*
 * Who uses this index in this repository: a name and mail addresses, lower case, the first being the one that counts
 * (scope.me). index_identity registers them, inside a write, so that the fold keeps what waits for them and what they did
 * not read; index_identity_known tells whether that is needed.
 */
int index_identity(struct index *ix, int64_t repo, const char *name, const char *const *me, struct err *e);
bool index_identity_known(struct index *ix, int64_t repo, const char *name, const char *const *me);

/*
 * One person under two keys: mail addresses in lower case, or "login:host/name" of a tracker. Inside a write; what was
 * written under the second is the first's from then on (where the second is of one who uses this index: his). Who is joined
 * by a login is joined by the mail addresses that his tracker shows. The signature is the caller's mark of what it has
 * joined (0: none). index_part_people takes all that was ever joined apart, in all repositories: identities and signatures
 * are gone, and whoever comes next joins his own again.
 */
int index_same_person(struct index *ix, const char *key, const char *other, struct err *e);
int index_part_people(struct index *ix, struct err *e);
int64_t index_people_signature(struct index *ix, int64_t repo);
int index_people_sign(struct index *ix, int64_t repo, int64_t signature, struct err *e);

/* Read marks are the desk's; the index keeps a copy so that lists can show "unread" in one statement. who: the first
 * address; n: how many posts of others were there, since a post written offline arrives with an old time. */
int index_read_put(struct index *ix, const char *entity, const char *who, int64_t upto, int64_t n, struct err *e);
/* What a mark that says "all of it" would hold now, and how many posts are unread. */
int index_read_state(struct index *ix, const struct scope *s, int64_t thread, int64_t *upto, int64_t *others,
    int64_t *unread, struct err *e);

/*
 * Everything as JSON Lines in an order that depends on the ops alone: two replicas with the same ops print the same.
 *	{"format":1,"export":"killick"}
 *	{"op":"…"}	every op in fold order; the string is exactly the stored bytes, so that hashing it gives the id
 *	{"thread":{…}}	then what they make, in the order of the opening ops, as killick(1) prints it, with full ids and
 *	{"task":{…}}	without places: for people and other programs, an import reads the ops alone
 * line gets them without newline; non-zero stops and is returned.
 */
int index_export(struct index *ix, int64_t source, int (*line)(void *ctx, const char *p, size_t n), void *ctx,
    struct err *e);
/* PRAGMA quick_check and the schema, for doctor: problems into report, empty when sound. */
int index_check(struct index *ix, struct buf *report, struct err *e);
/* Moves the database aside and starts an empty one. */
int index_reset(struct index *ix, struct err *e);

#endif
