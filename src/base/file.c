/* SPDX-License-Identifier: MIT */
/*
 * Files. An atomic write works below an opened folder (openat, renameat), so that a name may be as long as the file
 * system allows and the folder cannot be swapped on the way; the temporary's name is short and random. A path that is a
 * symbolic link is replaced, not followed: a link in a hostile repository must not lead a write out of it.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "killick/base/clock.h"
#include "killick/base/file.h"
#include "killick/base/hash.h"

int write_full(int fd, const void *p, size_t n)
{
	const char *q = p;

	while (n > 0) {
		ssize_t got = write(fd, q, n);
		if (got < 0 && errno == EAGAIN) {
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };
			poll(&pfd, 1, -1);
			continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		q += got;
		n -= (size_t)got;
	}
	return 0;
}

bool path_exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

/* read(2) through EINTR, and through a descriptor that somebody left non-blocking. */
static ssize_t read_some(int fd, void *p, size_t n)
{
	for (;;) {
		ssize_t got = read(fd, p, n);
		if (got >= 0 || (errno != EINTR && errno != EAGAIN))
			return got;
		if (errno == EAGAIN) {
			struct pollfd pfd = { .fd = fd, .events = POLLIN };
			poll(&pfd, 1, -1);
		}
	}
}

int file_read_fd(int fd, const char *name, size_t max, struct buf *b, struct err *e)
{
	size_t start = b->len;
	char chunk[65536];
	ssize_t got;

	while ((got = read_some(fd, chunk, sizeof(chunk))) > 0) {
		if (max && b->len - start + (size_t)got > max) {
			buf_setlen(b, start);
			return err_set(e, ERR_BAD_DATA, "'%s' is larger than %zu bytes", name, max);
		}
		buf_add(b, chunk, (size_t)got);
	}
	if (got < 0) {
		buf_setlen(b, start);
		return err_errno(e, "cannot read '%s'", name);
	}
	return 0;
}

int file_read(const char *path, size_t max, struct buf *b, struct err *e)
{
	/* O_NONBLOCK: opening a FIFO must not wait for its other end. */
	int rc = -1, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return err_errno(e, "cannot open '%s'", path);
	if (fstat(fd, &st))
		err_errno(e, "cannot open '%s'", path);
	else if (!S_ISREG(st.st_mode))
		err_set(e, ERR_BAD_DATA, "'%s' is %s, not a file", path, S_ISDIR(st.st_mode) ? "a folder" : "special");
	else
		rc = file_read_fd(fd, path, max, b, e);
	close(fd);
	return rc;
}

/* The folder part and the name of a path; the name points into path. */
static const char *split_path(const char *path, struct buf *dir)
{
	const char *slash = strrchr(path, '/');

	if (!slash) {
		buf_addstr(dir, ".");
		return path;
	}
	buf_add(dir, path, slash == path ? 1 : (size_t)(slash - path));
	return slash + 1;
}

/* Folders that cannot be synced (some network file systems) are no reason to fail: there is nothing better to do. */
static int sync_dir(int fd)
{
	return fsync(fd) && errno != EINVAL && errno != ENOTSUP && errno != EROFS ? -1 : 0;
}

static int write_at(int dir, const char *tmp, const char *name, const void *p, size_t n, unsigned mode, bool sync)
{
	int no, fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);

	if (fd < 0)
		return -1;
	if (write_full(fd, p, n) || (sync && fsync(fd))) {
		no = errno;
		close(fd);
		goto fail;
	}
	if (close(fd) || renameat(dir, tmp, dir, name)) {
		no = errno;
		goto fail;
	}
	return sync ? sync_dir(dir) : 0;
fail:
	unlinkat(dir, tmp, 0);
	errno = no;
	return -1;
}

static int write_whole(const char *path, const void *p, size_t n, unsigned mode, bool sync, struct err *e)
{
	struct buf folder = BUF_INIT;
	const char *name = split_path(path, &folder);
	char hex[17], tmp[40];
	uint8_t rnd[8];
	int rc = -1, dir;

	random_bytes(rnd, sizeof(rnd));
	hex_encode(hex, rnd, sizeof(rnd));
	snprintf(tmp, sizeof(tmp), ".killick-%s.tmp", hex);
	dir = open(folder.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!*name)
		err_set(e, ERR_FAILED, "cannot write '%s': it is no file name", path);
	else if (dir < 0 || write_at(dir, tmp, name, p, n, mode, sync))
		err_errno(e, "cannot write '%s'", path);
	else
		rc = 0;
	if (dir >= 0)
		close(dir);
	buf_release(&folder);
	return rc;
}

int file_write(const char *path, const void *p, size_t n, unsigned mode, struct err *e)
{
	return write_whole(path, p, n, mode, true, e);
}

int file_write_lax(const char *path, const void *p, size_t n, unsigned mode, struct err *e)
{
	return write_whole(path, p, n, mode, false, e);
}

static int dir_check(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st))
		return err_errno(e, "cannot use folder '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_IO, "'%s' is not a folder", path);
	if (st.st_uid != geteuid())
		return err_set(e, ERR_IO, "folder '%s' belongs to another user", path);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, ERR_IO, "others may write to folder '%s': chmod go-w '%s'", path, path);
	return 0;
}

int dir_make_private(const char *path, struct err *e)
{
	char *p = xstrdup(path);
	int rc = -1;

	if (!*p) {
		err_set(e, ERR_FAILED, "a folder's name is empty");
		goto out;
	}
	for (char *s = p + 1;; s++) {
		char c = *s;
		if (c && c != '/')
			continue;
		*s = '\0';
		/* EEXIST is the usual case; on a read-only or foreign parent that is there, mkdir says something else. */
		if (mkdir(p, 0700) && errno != EEXIST) {
			int no = errno;
			if (!path_exists(p)) {
				errno = no;
				err_errno(e, "cannot make folder '%s'", p);
				goto out;
			}
		}
		*s = c;
		if (!c)
			break;
	}
	rc = dir_check(path, e);
out:
	free(p);
	return rc;
}

/* Somebody may have removed the file (a cache that was deleted) between our open and our lock: then it locks nothing. */
static bool lock_is_live(int fd, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* 1: taken, 0: somebody has it, -1 with errno. */
static int lock_try(struct lock *l, const char *path)
{
	int no;

	do {
		l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
		if (l->fd < 0)
			return -1;
		if (flock(l->fd, LOCK_EX | LOCK_NB)) {
			no = errno;
			lock_release(l);
			errno = no;
			return no == EWOULDBLOCK || no == EINTR ? 0 : -1;
		}
		if (lock_is_live(l->fd, path))
			return 1;
		lock_release(l);
	} while (true);
}

int lock_take(struct lock *l, const char *path, int wait_ms, struct err *e)
{
	const int64_t began = clock_mono(), end = began + wait_ms;
	int64_t nap;

	for (;;) {
		int got = lock_try(l, path);
		int64_t left = end - clock_mono();
		if (got > 0) {
			l->since = clock_mono();
			trace("lock", "%s: waited %lld ms", path, (long long)(l->since - began));
			return 0;
		}
		if (got < 0)
			return err_errno(e, "cannot lock '%s'", path);
		if (left <= 0)
			return err_set(e, ERR_BUSY, "'%s' is locked by another killick: try again", path);
		/* Locks are held for a fsync or two: who naps as long as that is overtaken by whoever comes. */
		nap = 1 + (wait_ms - left) / 16;
		nap = nap < 20 ? nap : 20;
		nap = nap < left ? nap : left;
		nanosleep(&(struct timespec){ .tv_nsec = nap * 1000000 }, NULL);
	}
}

void lock_release(struct lock *l)
{
	if (l->fd >= 0) {
		close(l->fd);
		if (l->since)
			trace("lock", "held %lld ms", (long long)(clock_mono() - l->since));
	}
	l->fd = -1;
	l->since = 0;
}

static const struct { const char *var, *below_home; } xdg_dirs[] = {
	[XDG_CACHE] = { "XDG_CACHE_HOME", ".cache" },
	[XDG_DATA] = { "XDG_DATA_HOME", ".local/share" },
	[XDG_CONFIG] = { "XDG_CONFIG_HOME", ".config" },
};

int xdg_path(enum xdg_dir which, const char *name, struct buf *out, struct err *e)
{
	const char *base = getenv(xdg_dirs[which].var), *home = getenv("HOME");
	const struct passwd *pw;

	if (base && *base == '/') {
		buf_addstr(out, base);
	} else {
		if (!home || *home != '/') {
			pw = getpwuid(geteuid());
			home = pw ? pw->pw_dir : NULL;
		}
		if (!home || *home != '/')
			return err_set(e, ERR_NOT_FOUND, "no home folder: set HOME or %s", xdg_dirs[which].var);
		buf_addf(out, "%s%s%s", home, str_ends(home, "/") ? "" : "/", xdg_dirs[which].below_home);
	}
	buf_addf(out, "%skillick", str_ends(out->ptr, "/") ? "" : "/");
	if (name && *name)
		buf_addf(out, "/%s", name);
	return 0;
}
