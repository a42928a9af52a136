/* SPDX-License-Identifier: MIT */
/*
 * The native log: refs/killick/log/<writer> in $GIT_COMMON_DIR/killick/store.git, a private bare repository. One linear
 * chain of commits a writer over the empty tree, the ops as JSON lines in the message after a readable subject and a
 * blank line (killick-format(5), trust.md 3.3). Only ever extended; never fetched with '+' or depth.
 *
 * The writer is this device's random id, kept in the store's own config with a machine and path mark: a copied or
 * restored store is noticed and gets a new writer id. One flock a store serialises appends; fsync is on.
 * The repository id is derived from the root commit (so that clones agree) or random in a repository without commits.
 */
#ifndef KILLICK_GIT_NATIVELOG_H
#define KILLICK_GIT_NATIVELOG_H

#include "killick/git/repo.h"
#include "killick/model/op.h"

struct nlog;
/* create false: ERR_NOT_FOUND when the repository is not set up ("killick init"). Read-only stores open for reading. */
int nlog_open(struct repo *r, bool create, struct nlog **out, struct err *e);
void nlog_close(struct nlog *l);
/* Is there a store? Without libgit2; path of store.git into b if not NULL. */
bool nlog_exists(struct repo *r, struct buf *path);
const char *nlog_path(const struct nlog *l);
const char *nlog_repo_id(const struct nlog *l);
const char *nlog_writer(const struct nlog *l);

/*
 * A cheap mark of the store's state from stat(2) of its refs alone, no libgit2: equal marks mean no new ops.
 * path is store.git's. Empty when there is no store.
 */
#define NLOG_STAMP_SIZE 128
void nlog_stamp(const char *path, char out[NLOG_STAMP_SIZE]);

/*
 * Appends n ops as one commit. The caller sets type, entity, author, time, payload; the log sets the rest, with
 * lamport > max(own last, floor), and writes exact bytes to raw[i] if raw is not NULL. Durable when it returns 0.
 * subject: one readable line. ERR_IO (full, read-only), ERR_BUSY after wait_ms.
 */
int nlog_append(struct nlog *l, struct op *ops, size_t n, const char *subject, uint64_t floor, int wait_ms,
    struct buf *raw, struct err *e);
/* Takes back the op `id` if it is the last of this device's log and was never pushed: 0; else ERR_CONFLICT. */
int nlog_recall(struct nlog *l, const char *id, int wait_ms, struct err *e);

/*
 * Reading. heads: where each writer's log was read up to; ops after it are given to fn in order (oldest first a
 * writer). fn gets the stored bytes; a non-zero return stops. New heads are stored in *heads (heap; free with
 * nlog_heads_release). A head that is not a descendant of the one given is reported to `rewound`, then read from 0.
 */
struct nlog_head { char writer[OP_WRITER_HEX]; struct oid commit; };
struct nlog_heads { struct nlog_head *items; size_t len, alloc; };
void nlog_heads_release(struct nlog_heads *h);
/* Text form for keeping: "writer oid\n" sorted; parse is its inverse. */
void nlog_heads_format(const struct nlog_heads *h, struct buf *b);
bool nlog_heads_parse(const char *text, struct nlog_heads *h);
struct nlog_reader {
	void *ctx;
	int (*op)(void *ctx, const char *writer, const char *bytes, size_t n);
	void (*rewound)(void *ctx, const char *writer);
	/* A line that is no valid op, or breaks the chain (sequence, prev, repository, clock jump, fork): kept out and said. */
	void (*quarantine)(void *ctx, const char *writer, const char *bytes, size_t n, const char *why);
	uint64_t lamport;   /* greatest known clock, for the jump check; raised while reading */
};
int nlog_read(struct nlog *l, struct nlog_heads *heads, struct nlog_reader *rd, struct err *e);
/* Repairs what power loss does to refs (zero-length files) from packed-refs and known heads; says what it did. */
int nlog_scrub(struct nlog *l, const struct nlog_heads *known, struct buf *report, struct err *e);

/*
 * Exchange with a remote of the user's repository (name or URL), by git as a child in the store: its ssh, proxies and
 * helpers, our environment (trust.md 7). Never together with the user's refs. timeout_ms 0: none.
 * ERR_OFFLINE, ERR_AUTH, ERR_REFUSED (the host takes no custom refs: the message names the settings that help),
 * ERR_CONFLICT (a log was rewound on either side: nothing was overwritten).
 */
struct exchange { unsigned logs_fetched, logs_pushed; uint64_t ops_fetched, ops_pushed; };
int nlog_fetch(struct nlog *l, struct repo *r, const char *remote, int timeout_ms, struct exchange *x, struct err *e);
int nlog_push(struct nlog *l, struct repo *r, const char *remote, int timeout_ms, struct exchange *x, struct err *e);
/* Own ops that no remote is known to have. */
uint64_t nlog_unpushed(struct nlog *l);
/* "git gc --auto" in the store. */
int nlog_gc(struct nlog *l, struct err *e);
/* Joins logs written under another repository id (a clone that was set up before the first commit). */
int nlog_join(struct nlog *l, const char *other_repo_id, struct err *e);

#endif
