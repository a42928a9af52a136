/* SPDX-License-Identifier: MIT */
/*
 * Inside src/git only: what the files of the native log share.
 *
 *	nativelog.c  the handle, the store's making, its identity (writer, repository id)
 *	logref.c     refs of the store: read, compare-and-swap with fsync, scrub, stamp
 *	logwrite.c   append and recall; the commit's form
 *	logadopt.c   a log from an export
 *	loggraft.c   the same ops in other commits
 *	logread.c    heads, the chain check, reading
 *	logsign.c    SSH signatures
 *	transport.c  git as a child, the remote's address, what its failures mean
 *	exchange.c   fetch and push
 *
 * Locks: store.lock is held by whoever changes refs/killick/log/ or the identity, for milliseconds; exchange.lock by
 * whoever fetches, pushes or collects garbage, for as long as a network takes. store.lock is always the inner one.
 */
#ifndef KILLICK_SRC_GIT_NLOG_H
#define KILLICK_SRC_GIT_NLOG_H

#include "git.h"
#include "killick/base/file.h"
#include "killick/git/nativelog.h"

#define LOG_REFS "refs/killick/log"         /* the logs */
#define REMOTE_REFS "refs/killick/remote"   /* <remote>/<writer>: what a remote was last seen to have */
#define PUSHED_REFS "refs/killick/pushed"   /* <remote>/<writer>: the own head a push was begun with */
#define FORK_REFS "refs/killick/fork"       /* <writer>/<commit>: own ops that were moved to a new writer */
#define REF_NAME_MAX 160
#define STORE_WAIT_MS 5000

/* Who we are in this store, as its config says. */
struct identity {
	char repo[OP_WRITER_HEX], writer[OP_WRITER_HEX];
	ARRAY(struct { char id[OP_WRITER_HEX]; }) joined;
	struct buf others;     /* lines of the config that are not ours, kept */
	struct buf devices;    /* "\twriter = …\n" lines of other marks, kept */
	bool known_device;     /* some writer line was there */
	bool newer;            /* a format after ours */
	char odd[128];         /* a line that killick never writes there: no git is run over such a store */
};

struct nlog {
	struct repo *repo;
	char *dir, *path;      /* …/killick and …/killick/store.git */
	struct identity id;
	char mark[SHA256_HEX]; /* of this machine, place and folder */
	const char *new_writer;
	void (*renamed)(void *ctx, const char *was, const char *now);
	void *renamed_ctx;
	git_odb *odb;
	bool lib_started;
	bool many;             /* logs' refs are being written in a row: their folder is synced at the end */
	bool sizes_known;      /* no log here holds an oversized commit: that was checked when it was fetched */
};

/* ---- nativelog.c ---- */
/* Takes store.lock, reads the identity again and settles the writer id. */
int store_lock(struct nlog *l, struct lock *lk, int wait_ms, struct err *e);
/* Reads the identity again: another process may have joined a repository id. Needs no lock. */
int store_reload(struct nlog *l, struct err *e);
/* Under the lock: this device's log goes on under another id. */
int store_set_writer(struct nlog *l, const char *writer, const char *why, struct err *e);
int store_set_repo_id(struct nlog *l, const char *id, struct err *e);
int store_odb(struct nlog *l, git_odb **out, struct err *e);
/* A path below store.git or (store_side) below killick/, in b. */
const char *store_file(const struct nlog *l, struct buf *b, const char *name);
const char *store_side(const struct nlog *l, struct buf *b, const char *name);
void random_writer(char out[OP_WRITER_HEX]);
bool is_writer_id(const char *s);

/* ---- logref.c ---- */
struct logref { const char *name; struct oid oid; bool broken, loose; }; /* broken: the file holds no object id */
/* Every ref below a folder ("refs/killick/log"), sorted by name, loose over packed; a broken one with its packed value,
 * if any. A folder that is not there is empty. */
int logref_list(const struct nlog *l, const char *below, struct arena *a, struct logref **out, size_t *n, struct err *e);
/* 1 found, 0 not there, -1 broken or unreadable. */
int logref_read(const struct nlog *l, const char *name, struct oid *out, struct err *e);
/* Sets the ref durably if it is still at *old (zero: not there; NULL: wherever it is), else ERR_CONFLICT. */
int logref_write(const struct nlog *l, const char *name, const struct oid *old, const struct oid *new_, struct err *e);
/* Between on and off, for refs below LOG_REFS. */
void logref_many(struct nlog *l, bool on);
int logref_delete(struct nlog *l, const char *name, const struct oid *old, struct err *e);
/* "refs/killick/log/<writer>" and the like. */
void logref_name(char out[REF_NAME_MAX], const char *folder, const char *mid, const char *leaf);
/* Under store.lock: mends what is broken, see nlog_scrub. */
int scrub_locked(struct nlog *l, const struct nlog_heads *known, struct buf *report, struct err *e);

/* ---- logwrite.c ---- */
/* The end of a log. */
struct tail { struct oid head; uint64_t seq, lamport; char id[SHA256_HEX], repo[OP_WRITER_HEX]; bool any, sign; };
/* Of the commit; ERR_BAD_DATA if its last line is no op that we can read. */
int tail_read(struct nlog *l, const struct oid *head, struct tail *out, struct err *e);
/* The log's present tail; any is false when there is no such log. */
int tail_of(struct nlog *l, const char *writer, struct tail *out, struct err *e);
/* Under the lock: n ops behind t (of writer), as commits; t moves on. The ref is the caller's. keep_clock: the ops'
 * own lamport values are taken. */
int chain_extend(struct nlog *l, const char *writer, struct tail *t, struct op *ops, size_t n, const char *subject,
    uint64_t floor, bool keep_clock, struct buf *raw, struct err *e);
/* Under the lock: lines (each ended by a newline) as one commit behind t; first is the op of the first of them. */
int chain_put(struct nlog *l, struct tail *t, const struct op *first, const char *subject, const struct buf *lines,
    struct err *e);
int append_locked(struct nlog *l, struct op *ops, size_t n, const char *subject, uint64_t floor, struct buf *raw,
    struct err *e);

/* ---- logread.c ---- */
/* One commit of a log as stored; points into obj, which the caller frees. */
struct entry { git_odb_object *obj; struct oid parent; bool has_parent; const char *text; size_t len; };
int entry_read(struct nlog *l, const struct oid *id, struct entry *out, struct err *e);
void entry_release(struct entry *en);
/*
 * While many commits are read, libgit2 neither keeps them (each is read once, and a face that lives all day should not
 * hold them) nor hashes them again (git does not either; the ops are chained by a better hash, which is checked): 0.7 s
 * instead of 1.2 s for 100,000.
 */
int bulk_read_begin(struct nlog *l, struct err *e);
void bulk_read_end(void);
/* The next op line of an entry, without newline; false at the end. */
bool entry_line(const char **p, const char *end, const char **line, size_t *n);
/* Is `sought` in the chain that ends at `from`? 1, 0, -1. */
int chain_has(struct nlog *l, const struct oid *from, const struct oid *sought, struct err *e);
struct oid_list { struct oid *items; size_t len, alloc; };
/* The commits from `from` down to but without `until` (zero: to the root), newest first. *met: until was found. */
int chain_walk(struct nlog *l, const struct oid *from, const struct oid *until, struct oid_list *out, bool *met,
    struct err *e);

/* ---- loggraft.c ---- */
/* The id of the op with this sequence number in the chain that ends at head; false if it cannot be found. */
bool chain_id_at(struct nlog *l, const struct oid *head, uint64_t seq, char id[SHA256_HEX]);
/* Calls fn with every line of the chain, oldest first. */
int log_each_line(struct nlog *l, const struct oid *head,
    int (*fn)(void *ctx, const char *line, size_t n, struct err *e), void *ctx, struct err *e);
/*
 * Two heads of one writer's log that part as commits: do they hold the same ops as far as both go? Then 1, and *out is a
 * head behind theirs that holds all of ours too (theirs itself when it does already). 0: they really part. Writes
 * objects, no ref.
 */
int log_graft(struct nlog *l, const struct oid *theirs, const struct oid *ours, struct oid *out, struct err *e);

/* ---- logsign.c ---- */
/* Appends a sign op if the user signs and there is something new to sign. A key that cannot be used is no error: the
 * words go to note. Takes store.lock itself. */
int sign_log(struct nlog *l, struct buf *note, struct err *e);

/* ---- transport.c ---- */
/* A remote, resolved. */
struct target {
	const char *label;      /* for messages: the name, or the address without a password */
	const char *url;
	const char *name;       /* of the remote, NULL for a bare address */
	const char *ns;         /* where the logs are there: "refs/killick/log" unless killick.namespace says otherwise */
	char hash[17];          /* of the address: names its refs here */
	struct arena arena;
};
int target_init(struct target *t, struct repo *r, const char *remote, bool push, struct err *e);
void target_release(struct target *t);
/* git in the store with args (NULL-terminated). Not started: -1. Else *status, and what it said. */
struct git_run {
	struct buf out, err;
	int status;
	bool network;           /* it talks to url: the user's log-in settings and prompts, a limit on what it writes */
	const char *url, *remote; /* the address, rewritten already or not to be; the remote's name or NULL */
	int timeout_ms, idle_ms; /* as in struct proc */
	const char *in;
	size_t in_len;
};
#define GIT_RUN_INIT { .out = BUF_INIT, .err = BUF_INIT }
void git_run_release(struct git_run *g);
int store_git(struct nlog *l, struct repo *r, const char *const *args, struct git_run *g, struct err *e);
/* What a failed fetch or push means, from what git said. Returns -1. */
int transport_fail(const struct target *t, struct repo *r, const struct git_run *g, const char *doing, struct err *e);
/* The line of git's words that says most, cut to fit. */
void transport_words(const char *said, char *out, size_t size);

#endif
