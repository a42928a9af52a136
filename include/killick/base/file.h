/* SPDX-License-Identifier: MIT */
/*
 * Files: whole reads with a cap, atomic writes, private folders, advisory locks, the XDG folders.
 * Everything killick creates is for its user alone: files 0600, folders 0700 (trust.md 17).
 */
#ifndef KILLICK_BASE_FILE_H
#define KILLICK_BASE_FILE_H

#include <stdbool.h>
#include "killick/base/buf.h"
#include "killick/base/err.h"

/* Reads a regular file whole into b (added). Over max bytes (0: none): ERR_BAD_DATA. Not a regular file: ERR_BAD_DATA. */
int file_read(const char *path, size_t max, struct buf *b, struct err *e);
/* The same from an open descriptor of any kind, a pipe too; `name` is for messages. On failure b is as before. */
int file_read_fd(int fd, const char *name, size_t max, struct buf *b, struct err *e);
/*
 * New content appears whole or not at all: temporary file beside it, fsync, rename, fsync of the folder. mode as open(2).
 * A path that is a symbolic link is replaced by the file, not followed.
 */
int file_write(const char *path, const void *p, size_t n, unsigned mode, struct err *e);
/* The same without waiting for the disk: for caches that can tell their own damage. */
int file_write_lax(const char *path, const void *p, size_t n, unsigned mode, struct err *e);
/* Creates path and its missing parents, 0700. If path itself is somebody else's, or group/world-writable: error. */
int dir_make_private(const char *path, struct err *e);
/* All bytes, through EINTR and short writes; -1 with errno. */
int write_full(int fd, const void *p, size_t n);
/* Something is there; a symbolic link that leads nowhere is not. */
bool path_exists(const char *path);

/*
 * An flock(2) on its own file, made if missing. Waits at most wait_ms (0: try once): then ERR_BUSY.
 * A lock is held by the open file: it ends with lock_release or the process. Close-on-exec.
 */
struct lock { int fd; int64_t since; /* for traces: clock_mono when it was taken */ };
#define LOCK_INIT { .fd = -1 }
int lock_take(struct lock *l, const char *path, int wait_ms, struct err *e);
void lock_release(struct lock *l);

/*
 * $XDG_CACHE_HOME/killick, $XDG_DATA_HOME/killick, $XDG_CONFIG_HOME/killick, `name` (may be NULL) below it, added to
 * out; without the variable below $HOME, without HOME below the password file's home folder, without either ERR_NOT_FOUND. Not created here.
 * Relative values of the variables are ignored, as the XDG base directory specification (0.8) demands.
 */
enum xdg_dir { XDG_CACHE, XDG_DATA, XDG_CONFIG };
int xdg_path(enum xdg_dir which, const char *name, struct buf *out, struct err *e);

#endif
