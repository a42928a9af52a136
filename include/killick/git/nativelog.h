/* SPDX-License-Identifier: MIT */
/*
 * The native log: refs/killick/log/<writer> in $GIT_COMMON_DIR/killick/store.git, a private bare repository. One linear
 * chain of commits a writer over the empty tree, the ops as JSON lines in the message after a readable subject and a
 * blank line (killick-format(5), trust.md 3.3). Only ever extended; never fetched with '+' or depth.
 *
 * The writer is this device's random id, kept in the store's own config with a mark of machine, path and inode: a
 * copied or restored store is noticed and gets a new writer id. One flock a store serialises whatever changes a log's
 * ref; fsync is on. The repository id is derived from the root commit (so that clones agree) or random in a repository
 * without commits.
 */
#ifndef KILLICK_GIT_NATIVELOG_H
#define KILLICK_GIT_NATIVELOG_H

#include "killick/git/repo.h"
#include "killick/model/op.h"

struct nlog;
/*
 * create false: ERR_NOT_FOUND when the repository is not set up ("killick init"). Read-only stores open for reading.
 * Starts no libgit2: that happens on the first op read or written. r is kept and must outlive the handle.
 */
int nlog_open(struct repo *r, bool create, struct nlog **out, struct err *e);
void nlog_close(struct nlog *l);
/* Is there a store? Without libgit2; path of store.git into b if not NULL. */
bool nlog_exists(struct repo *r, struct buf *path);
const char *nlog_path(const struct nlog *l);
const char *nlog_repo_id(const struct nlog *l);
const char *nlog_writer(const struct nlog *l);
/* Called for each op that is written again under a new writer id: its id was told to the user, and changes with the bytes. */
void nlog_ask_renamed(struct nlog *l, void (*fn)(void *ctx, const char *was, const char *now), void *ctx);
/* Why this handle took a new writer id ("this store was copied or restored …"), or NULL: worth a line to the user. */
const char *nlog_new_writer(const struct nlog *l);

/*
 * A cheap mark of the store's state from stat(2) of its refs alone, no libgit2: equal marks mean no new ops.
 * path is store.git's. Empty when there is no store. Cost: one stat a loose ref, 0.2 ms for 200 of them.
 */
#define NLOG_STAMP_SIZE 128
void nlog_stamp(const char *path, char out[NLOG_STAMP_SIZE]);
/* Bytes of packed objects: a guess at how much there is to read, from a stat(2) a pack. 0 when there is no store. */
uint64_t nlog_packed(const char *path);

/*
 * Appends n ops, all or none. The caller sets type, entity, author, time, payload; the log sets the rest (version,
 * repo, writer, seq, prev, lamport, id) with lamport > max(own last, floor), and adds the exact bytes to raw[i] if raw
 * is not NULL. Durable when it returns 0. subject: one readable line, for people who look with git.
 * ERR_IO (full, read-only), ERR_BUSY after wait_ms, ERR_BAD_DATA (an op that no reader would take, or over
 * OP_MAX_BYTES; nothing was written).
 */
int nlog_append(struct nlog *l, struct op *ops, size_t n, const char *subject, uint64_t floor, int wait_ms,
    struct buf *raw, struct err *e);
/*
 * Takes back the op `id` if it stands alone in the last commit of this device's log and no push of it was ever begun:
 * 0; else ERR_CONFLICT. The next nlog_read of who had read it reports the writer as rewound.
 */
int nlog_recall(struct nlog *l, const char *id, int wait_ms, struct err *e);
/* The op that this device's log ends with. ERR_NOT_FOUND: it has none. */
int nlog_last(struct nlog *l, char id[SHA256_HEX], struct err *e);

/*
 * Takes the ops of a writer as they were stored elsewhere (an export): lines without newline, in order of seq. Those the
 * log here has are skipped, the rest extend it; no byte changes, so ids stay. *added counts them. A store without any
 * log takes the first line's repository id for its own; another id must be accepted already. check: only says whether
 * it would go. ERR_CONFLICT: it parts from the log here, or leaves a gap, or is of a repository id not accepted.
 */
struct nlog_line { const char *bytes; size_t n; };
int nlog_adopt(struct nlog *l, const char *writer, const struct nlog_line *lines, size_t n, bool check, int wait_ms,
    uint64_t *added, struct err *e);

/*
 * Reading. heads: where each writer's log was read up to; ops after it are given to fn in order (oldest first a
 * writer). New heads are stored in *heads (heap; free with nlog_heads_release). A head that is not a descendant of the
 * one given is reported to `rewound`, before any op is given to `op`, then read from its start.
 *
 * The same set of ops passes on every replica, in whatever order and pieces logs arrive: a log whose clock jumps more
 * than OP_MAX_JUMP past everything known waits (its head is kept) until the others' ops have closed the gap.
 * An op may be given a second time (after a join, after such a wait): the receiver ignores known ids.
 */
struct nlog_head {
	char writer[OP_WRITER_HEX];
	struct oid commit;       /* read up to and with this one */
	uint64_t count;          /* lines in the chain so far: the next op's sequence number */
	uint64_t lamport;        /* of its last valid op */
	char last[SHA256_HEX];   /* id of its last line, "" for none */
	char foreign[OP_WRITER_HEX]; /* the repository id its ops were kept out for, or "" */
	struct oid waiting;      /* the head that was looked at and waits for clocks to reach `need`; zero: none */
	uint64_t need;
};
struct nlog_heads { struct nlog_head *items; size_t len, alloc; };
#define NLOG_HEADS_INIT { NULL, 0, 0 }
void nlog_heads_release(struct nlog_heads *h);
/* Text form for keeping: a line a writer, sorted; parse is its inverse (false: not that, read from the start). */
void nlog_heads_format(const struct nlog_heads *h, struct buf *b);
bool nlog_heads_parse(const char *text, struct nlog_heads *h);
struct nlog_reader {
	void *ctx;
	/* op is the envelope (op_scan: author, time and payload only for rewrite and sign; op_decode gives the rest), valid
	 * during the call only; bytes are the stored ones, without newline. Non-zero stops. */
	int (*op)(void *ctx, const struct op *op, const char *bytes, size_t n);
	/* Non-zero stops (to forget everything and read again with empty heads). */
	int (*rewound)(void *ctx, const char *writer);
	/* A line that is no valid op, or breaks the chain (sequence, prev, repository, clock jump, fork): kept out and said. */
	void (*quarantine)(void *ctx, const char *writer, const char *bytes, size_t n, const char *why);
	uint64_t lamport;   /* greatest known clock, for the jump check; raised while reading */
};
/* 0; -1 with *e; or what a callback returned to stop: heads then stand where everything before was given. */
int nlog_read(struct nlog *l, struct nlog_heads *heads, struct nlog_reader *rd, struct err *e);
/* The writers and their present head commits, the other fields empty. */
int nlog_writers(struct nlog *l, struct nlog_heads *out, struct err *e);
/*
 * Repairs what power loss and kill -9 do to refs (zero-length or torn files, stale locks) from packed-refs and known
 * heads; says what it did, a line each, in report. A damaged log of this device's own means a new writer id.
 */
int nlog_scrub(struct nlog *l, const struct nlog_heads *known, struct buf *report, struct err *e);

/*
 * Exchange with a remote of the user's repository (name, URL or path), by git as a child in the store: its ssh, proxies
 * and helpers, our environment (trust.md 7; transport.c says which settings count). Never together with the user's
 * refs. timeout_ms: of the whole exchange; idle_ms: without a sign of life from the remote (a question to the user is
 * none that counts); 0: none. *x, which the caller has zeroed, is added to: one for a fetch and the push behind it.
 * ERR_OFFLINE, ERR_AUTH, ERR_NOT_FOUND (no such remote), ERR_REFUSED (the host takes no custom refs: the message names
 * the settings that help), ERR_BUSY (another exchange runs), ERR_CONFLICT (a log was rewound or forked on either side:
 * nothing was overwritten, everything else was exchanged, and a push may still follow a fetch: it repairs a remote).
 */
struct exchange {
	unsigned logs_fetched, logs_pushed;
	uint64_t ops_fetched, ops_pushed;
	unsigned forks;      /* logs that part from the copy here: kept out */
	unsigned rewound;    /* logs the remote once had more of */
	unsigned foreign;    /* logs fetched that were written under a repository id not accepted here (nlog_join) */
	bool adopted;        /* this store, still empty, took the fetched logs' repository id */
	bool new_writer;     /* the remote knew this device's log better than the device: restored or copied */
	char note[512];      /* one line for the user about the above, or "" */
};
int nlog_fetch(struct nlog *l, struct repo *r, const char *remote, int timeout_ms, int idle_ms, struct exchange *x,
    struct err *e);
/* Signs the log first where the user's git signs with SSH (gpg.format, user.signingKey; killick.sign says no). */
int nlog_push(struct nlog *l, struct repo *r, const char *remote, int timeout_ms, int idle_ms, struct exchange *x,
    struct err *e);
/*
 * Remotes' copies of logs that part from the one here, as last fetched: kept out of the log. fork is called for each, then
 * op for each line of it that is not here; either may be NULL, non-zero stops and is returned. Writes nothing.
 */
struct nlog_fork {
	char writer[OP_WRITER_HEX];
	bool own;                /* this device's log: the next fetch settles it */
	const char *ref;         /* in the store: where that copy stands */
	const char *remote;      /* name of the remote that has it, or NULL: none of today's */
	uint64_t from;           /* the first ops are the same */
	uint64_t theirs, ours;   /* how many follow there and here */
	struct person author;    /* who writes on that device; may be empty */
};
int nlog_each_fork(struct nlog *l, struct repo *r, int (*fork)(void *ctx, const struct nlog_fork *f),
    int (*op)(void *ctx, const struct nlog_fork *f, const char *line, size_t n), void *ctx, struct err *e);
/* Own ops that no remote is known to have. */
uint64_t nlog_unpushed(struct nlog *l);
/* "git gc --auto" in the store: after an exchange, never in a hot path. */
int nlog_gc(struct nlog *l, struct err *e);
/* When an exchange of this store (its path) last ended well, 0: not known. Kept beside the store, where no rebuilt index forgets it. */
int64_t nlog_exchanged(const char *store);
void nlog_exchanged_put(struct nlog *l, int64_t when);
/* Joins logs written under another repository id (a clone that was set up before the first commit). 32 hex digits. */
int nlog_join(struct nlog *l, const char *other_repo_id, struct err *e);
/* Is this repository id the store's own or a joined one? */
bool nlog_accepts(const struct nlog *l, const char *repo_id);

/*
 * A log's newest signature, checked with ssh-keygen and the user's gpg.ssh.allowedSignersFile. signed_upto: the ops with
 * seq below it are covered by a good signature (0: none), whatever was appended since and whoever could push it.
 */
enum nlog_trust { NLOG_UNSIGNED, NLOG_SIGNED, NLOG_UNKNOWN_KEY /* or no allowed signers file */, NLOG_BAD };
struct nlog_signature {
	enum nlog_trust trust;
	uint64_t signed_upto, count;
	char principal[256];     /* as the allowed signers file names it; "" unless SIGNED */
	char key[128];           /* fingerprint, or "" */
	char why[256];           /* words for BAD and UNKNOWN_KEY */
};
int nlog_verify(struct nlog *l, const char *writer, struct nlog_signature *out, struct err *e);

#endif
