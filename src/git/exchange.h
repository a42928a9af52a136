/* SPDX-License-Identifier: MIT */
/*
 * Inside src/git only: one exchange with one remote, from target to result.
 *
 *	exchange.c   the state, comparing states of a log, what is known without asking, garbage
 *	logfetch.c   fetch
 *	logrescue.c  this device's own log, when a remote knows it better
 *	logpush.c    push
 */
#ifndef KILLICK_SRC_GIT_EXCHANGE_H
#define KILLICK_SRC_GIT_EXCHANGE_H

#include "nlog.h"

/* The refs of one folder that have writers' names, sorted. */
struct logs { const struct logref *refs; size_t n; };

struct ex {
	struct nlog *l;
	struct repo *r;
	struct exchange *x;
	struct target t;
	struct arena arena;
	struct lock busy;
	struct buf note;
	int64_t deadline;    /* 0: none */
	int idle_ms;
	unsigned told;       /* forks and rewinds that were not known before */
	const char *folder;  /* "refs/killick/remote/<hash>": what this remote was last seen to have */
	struct logs seen, logs;
};

/* Resolves the remote, waits for other exchanges, reads the refs (and mends them first, where they need it). */
int ex_init(struct ex *x, struct nlog *l, struct repo *r, const char *remote, bool push, int timeout_ms,
    int idle_ms, struct exchange *out, struct err *e);
void ex_release(struct ex *x);
/* Reads x->seen and x->logs again. */
int ex_load(struct ex *x, struct err *e);
/* git in the store, talking to the remote; not answering in time is ERR_OFFLINE. */
int ex_git(struct ex *x, const char *const *args, struct git_run *g, struct err *e);
/* One more clause for the user. */
void ex_note(struct ex *x, const char *fmt, ...) PRINTF_LIKE(2, 3);
void ex_tell_fork(struct ex *x, const char *writer, bool is_new);
/* "--upload-pack=…" from the user's own remote.<name>.uploadpack, or NULL. */
const char *ex_pack_program(struct ex *x, const char *key, const char *opt);

/* The ref's writer, or NULL: no name that we would give. */
const char *leaf_writer(const char *ref);
const struct oid *logs_find(const struct logs *v, const char *writer);

/* How a stands to b. */
enum relation { SAME, AHEAD, BEHIND, FORKED };
int relate(struct nlog *l, const struct oid *a, const struct oid *b, enum relation *out, struct err *e);
uint64_t ops_between(struct nlog *l, const struct oid *older, const struct oid *newer);

/* Under store.lock: theirs is AHEAD of this device's log (mine, zero for none) or FORKED from it. */
int own_log_moved(struct ex *x, const struct oid *mine, const struct oid *theirs, enum relation theirs_is, struct err *e);
/* Was a head that parts from the others' moved to a new writer here before (a process died before the last step)? */
bool was_rescued(struct nlog *l, const char *writer, const struct oid *ours);

#endif
