/* SPDX-License-Identifier: MIT */
/*
 * The desk: $XDG_DATA_HOME/killick/desk.db, the only local thing that cannot be rebuilt: drafts, the outbox, private
 * threads (as ops, never sent), read marks, prompt history. Rollback journal, synchronous=EXTRA: what a call wrote is on the
 * disk when it returns (8 ms measured), and every call is one transaction, all or nothing. Writers wait for one another,
 * at most DESK_WAIT_MS: ERR_BUSY. A full or read-only disk: ERR_IO, nothing changed. Migrated forward, never dropped: a
 * desk from a newer version is refused with words, a damaged one (ERR_BAD_DATA: where it is, what to do) is never
 * overwritten or moved.
 */
#ifndef KILLICK_STORE_DESK_H
#define KILLICK_STORE_DESK_H

#include "killick/base/buf.h"
#include "killick/base/err.h"
#include "killick/model/op.h"

#define DESK_WAIT_MS 5000

struct desk;
int desk_open(struct desk **out, struct err *e);
void desk_close(struct desk *d);
const char *desk_path(const struct desk *d);
/* Counts up when anything was written, by whatever process. */
uint64_t desk_generation(struct desk *d);
/*
 * A mark of the file's state: equal marks mean that nothing was written. Costs one small read when d is NULL (the desk
 * is not open in this process), no SQLite. "" where there is no desk.
 */
#define DESK_STAMP_SIZE 64
void desk_stamp(struct desk *d, char out[DESK_STAMP_SIZE]);

/* A draft: a command that was not carried out. */
struct draft {
	const char *id;         /* "d" and 8 hex digits */
	const char *repo;       /* git common folder */
	const char *verb;       /* "ask" "remark" "decide" "note" "reply" "edit" "comment" "task" */
	const char *target;     /* anchor text, thread, post or task id */
	const char *anchor;     /* JSON of the captured anchor (anchor_to_op), or NULL */
	const char *audience, *to, *title;
	const char *body;
	int64_t created, updated;
	const char *problem;    /* why it could not be sent, or NULL */
	const char *extra;      /* JSON of what else the command was told (whom to ask, labels, a commit), or NULL */
};
struct draft_list { struct draft *items; size_t len, alloc; };
/* id NULL in *dr: a new one, its id goes to dr->id (arena). Sets updated, and created of a new one. */
int desk_draft_put(struct desk *d, struct arena *a, struct draft *dr, struct err *e);
/* Of one repository (NULL: of all), the one changed last first. */
int desk_drafts(struct desk *d, const char *repo, struct arena *a, struct draft_list *out, struct err *e);
/* ERR_NOT_FOUND, ERR_AMBIGUOUS. The "d" may be left out. */
int desk_draft(struct desk *d, const char *id_prefix, struct arena *a, struct draft *out, struct err *e);
int desk_draft_drop(struct desk *d, const char *id, struct err *e);

/*
 * Private threads: ops in the native log's own form. The caller sets type, entity, author, time and payload; the desk the
 * rest: writer all zeros, seq and prev per repository, lamport above its own last and floor. Ids are set; the exact bytes
 * are added to raw[i] if raw is not NULL. repo: the git common folder.
 */
int desk_op_append(struct desk *d, const char *repo, struct op *ops, size_t n, uint64_t floor, struct buf *raw,
    struct err *e);
/*
 * Takes private ops as they were stored elsewhere (an export of them), in one transaction: bytes and ids stay, those that
 * are here already are skipped, later ones get clocks behind them. *added counts the new; check: only counts.
 * ERR_BAD_DATA: a line that is no private op; nothing was taken.
 */
struct desk_line { const char *bytes; size_t n; };
int desk_op_adopt(struct desk *d, const char *repo, const struct desk_line *lines, size_t n, bool check, uint64_t *added,
    struct err *e);
/* Takes an op out for good: nobody else ever had it. ERR_NOT_FOUND. */
int desk_op_forget(struct desk *d, const char *repo, const char *id, struct err *e);
/* Those with a number above `after`, oldest first; a non-zero return stops and is returned. */
int desk_ops(struct desk *d, const char *repo, uint64_t after, int (*fn)(void *ctx, uint64_t n, const char *bytes,
    size_t len), void *ctx, struct err *e);
/* Changes whenever an op was taken out: what was read before must be read again. */
int desk_op_epoch(struct desk *d, const char *repo, uint64_t *epoch, struct err *e);

/* Read marks: n posts of others in the entity were read by `who` (a mail address) at a time when the newest was of `upto`.
 * Neither ever goes back. Numbers count up, for reading on. */
int desk_read_put(struct desk *d, const char *entity, const char *who, int64_t upto, int64_t n, struct err *e);
struct read_mark { uint64_t number; const char *entity, *who; int64_t upto, n; };
int desk_reads(struct desk *d, uint64_t after, int (*fn)(void *ctx, const struct read_mark *m), void *ctx,
    struct err *e);

/* Prompt history (at most 500 lines a kind, oldest first, each once) and small remembered values ("first-start-seen",
 * "last-screen"; NULL forgets). */
int desk_history_add(struct desk *d, const char *kind, const char *line, struct err *e);
int desk_history(struct desk *d, const char *kind, struct arena *a, const char ***lines, size_t *n, struct err *e);
int desk_value_put(struct desk *d, const char *key, const char *value, struct err *e);
bool desk_value(struct desk *d, const char *key, struct arena *a, const char **out);

/*
 * What an id has become: a thread or post of the user's own is called otherwise once its tracker has it, or once it is written
 * again because the store was restored from a copy, and what the user was told must go on working. letter 'k' or 'p', full entities; found by the beginning, if all that fit became the same.
 */
int desk_alias_put(struct desk *d, char letter, const char *was, const char *now, struct err *e);
bool desk_alias(struct desk *d, char letter, const char *digits, struct arena *a, const char **now);

/* PRAGMA integrity_check, for doctor: problems into report, empty when sound. */
int desk_check(struct desk *d, struct buf *report, struct err *e);

#endif
