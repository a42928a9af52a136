/* SPDX-License-Identifier: MIT */
/*
 * The repository at work: store, index, desk and places together. Commands, hooks and screens read and write through
 * this; everything is opened on first need and shared, so that a hot command pays only for what it touches.
 *
 * Nothing here fails because the index cannot be had: without a cache folder it is built in memory for this run, behind
 * another process's write the old state is served; `problem` says so in one line. SQLite's handles must not be used
 * across fork(2): a child that does not exec at once must not touch the work.
 */
#ifndef KILLICK_SYNC_NATIVE_H
#define KILLICK_SYNC_NATIVE_H

#include "killick/git/nativelog.h"
#include "killick/store/desk.h"
#include "killick/store/index.h"

struct work {
	struct repo *repo;       /* borrowed by the index scope; owned */
	struct nlog *log;        /* NULL until opened */
	struct index *index;
	struct desk *desk;
	struct scope scope;      /* filled by work_index; view by work_places */
	int64_t native, private_; /* index sources; 0: none yet */
	struct arena arena;      /* as long as the work */
	const char *problem;     /* why the index is behind (read-only, full, locked), or NULL: shown, never fatal */
	struct person me;        /* as git knows the user; name NULL where git does not */
	const char *no_desk;     /* why the desk could not be opened while reading, or NULL */
	/* Who waits is told what takes long, often; NULL: nobody. total 0: not known. */
	void (*progress)(void *ctx, const char *what, uint64_t done, uint64_t total);
	void *progress_ctx;
};
/* Words for progress, if somebody listens. */
void work_tell(struct work *w, const char *what, uint64_t done, uint64_t total);
/* dir NULL: working folder. Finds the repository; opens nothing else. */
int work_open(const char *dir, struct work **out, struct err *e);
void work_close(struct work *w);
int work_index(struct work *w, struct err *e);
int work_desk(struct work *w, struct err *e);
/* Reads anew who I am: git's identity, killick.me, and what the sources call me. */
void work_find_me(struct work *w);
/* create: also sets up the store where there is none (init). */
int work_log(struct work *w, bool create, struct err *e);
bool work_is_set_up(struct work *w);

/*
 * Brings the index up to the store and the desk: nothing but a stat when nothing changed. wait_ms bounds the wait for
 * the index's lock; when it is not to be had the old state is served and w->problem says so. An index that is damaged or
 * was taken away is built anew here.
 */
int work_refresh(struct work *w, int wait_ms, struct err *e);
/*
 * Brings places up to HEAD: only threads in files that changed since, and new ones, are looked for. The first time may be
 * long (a millisecond or so a thread): what is found is kept as it goes, so that it can be cut short: with budget_ms (0:
 * none) it ends after about that time and *done, if not NULL, tells whether everything has its place.
 */
int work_places(struct work *w, int wait_ms, struct err *e);
int work_places_some(struct work *w, int wait_ms, int budget_ms, bool *done, struct err *e);
/* The same for who shows threads by other marks than their places: when many are new they are left (place.pending), for
 * work_places_of to place those that are shown. */
int work_places_few(struct work *w, int wait_ms, struct err *e);
/* Only what HEAD's way from the last HEAD asks for; new threads are left. For hooks. */
int work_places_head(struct work *w, int wait_ms, struct err *e);
/* The threads of a list that have no place yet get one, in place and kept. */
int work_places_of(struct work *w, struct arena *a, struct thread *threads, size_t n, struct err *e);
/* The same for who shows a file: when many are new, those that were written in this file are placed. Not *done: one of the
 * others may have moved here. */
int work_places_in(struct work *w, const char *path, int wait_ms, bool *done, struct err *e);
/* How many threads are not placed yet, and a process of its own that places them, where killick.place.background lets it and
 * none does so already: work_places_rest is what it does, false: another is at it. */
int work_places_missing(struct work *w, uint64_t *n, struct err *e);
void work_places_kick(struct work *w);
bool work_places_rest(struct work *w, struct err *e);
/* HEAD's places (work_places_of) carried on to the work tree, in place, for the threads of one list (cheap for unchanged
 * files). */
int work_places_dirty(struct work *w, struct arena *a, struct thread *threads, size_t n, struct err *e);

/*
 * Writes ops: to the log (everyone) or the desk (private), then to the index. Durable before it returns; the index may
 * lag (w->problem). ids[i], if not NULL, gets op i's id. Whoever replies has read: the thread is marked so.
 */
int work_write(struct work *w, enum audience aud, struct op *ops, size_t n, const char *subject,
    char (*ids)[SHA256_HEX], struct err *e);
/* Takes back the last own op while no remote has it. */
int work_recall(struct work *w, const char *op_id, struct err *e);
/* What was written last on this device, shared or private, by the ops' times; release it. ERR_NOT_FOUND: nothing yet. */
int work_last(struct work *w, struct op *out, enum audience *aud, struct err *e);
int work_mark_read(struct work *w, const struct thread *t, struct err *e);

/* Fetch, then push, with one remote (NULL: killick.remote, else the upstream's, else origin, else the only one).
 * Progress lines: fn, may be NULL. A log that parted is ERR_CONFLICT after everything else was exchanged. */
int work_sync(struct work *w, const char *remote, void (*progress)(void *ctx, const char *line), void *ctx,
    struct exchange *x, struct err *e);
/* Throws the index's share of this repository away and reads all again. */
int work_rebuild(struct work *w, struct err *e);

/* Starts this killick anew with these words (four at most), in this repository and in a session of its own, without any file;
 * nobody waits for it. */
void work_start(struct work *w, const char *const *words);

#endif
