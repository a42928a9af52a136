/* SPDX-License-Identifier: MIT */
/*
 * Refs of the store, in git's "files" format: loose files over packed-refs, a ".lock" beside for writing.
 *
 * Done here and not by libgit2, because a zero-length ref (what power loss leaves, trust.md 0.4) makes libgit2 and git
 * fail on every ref, and because reading two hundred refs must not cost starting libgit2. Writing is git's own
 * protocol: lock file, compare, write, fsync, rename, fsync of the folder. Whoever writes below refs/killick/log/ holds
 * store.lock, so a lock file found there is a dead process's. The other folders are written by git too; their stale
 * locks are told by age.
 *
 * Reading takes loose files first and packed-refs after: git writes packed-refs before it removes a loose file, so a
 * ref is seen in one of the two at least.
 */
#include "config.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "nlog.h"

enum { PACKED_MAX = 256 << 20, REF_FILE_MAX = 4096, STALE_LOCK_S = 10, DEPTH_MAX = 4 };

void logref_name(char out[REF_NAME_MAX], const char *folder, const char *mid, const char *leaf)
{
	if (snprintf(out, REF_NAME_MAX, "%s%s%s/%s", folder, mid ? "/" : "", mid ? mid : "", leaf) >= REF_NAME_MAX)
		BUG("a ref name of over %d bytes", REF_NAME_MAX);
}

/* ---- reading ---- */

struct ref_array { struct logref *items; size_t len, alloc; };

/* "<40 hex>\n" and nothing else: a torn or empty file is broken, and so is a symbolic ref, which we never write. */
static bool ref_parse(const struct buf *b, struct oid *out)
{
	char hex[GIT_OID_HEX];

	if (b->len != GIT_OID_HEX || b->ptr[GIT_OID_HEX - 1] != '\n')
		return false;
	memcpy(hex, b->ptr, GIT_OID_HEX - 1);
	hex[GIT_OID_HEX - 1] = '\0';
	return oid_parse(hex, out) && !oid_is_zero(out);
}

/* 1: there is such a file, 0: not, -1. */
static int ref_file(const struct nlog *l, const char *name, struct oid *out, bool *broken, struct err *e)
{
	struct buf path = BUF_INIT, b = BUF_INIT;
	struct err why = ERR_INIT;
	int rc = 1;

	*broken = false;
	*out = OID_ZERO;
	if (file_read(store_file(l, &path, name), REF_FILE_MAX, &b, &why)) {
		if (why.code == ERR_NOT_FOUND)
			rc = 0;
		else if (why.code == ERR_BAD_DATA)
			*broken = true;
		else
			rc = err_set(e, why.code, "%s", why.msg);
	} else {
		*broken = !ref_parse(&b, out);
	}
	buf_release(&path);
	buf_release(&b);
	return rc;
}

static int refs_loose(const struct nlog *l, const char *below, int depth, struct arena *a, struct ref_array *refs,
    struct err *e)
{
	struct buf path = BUF_INIT;
	DIR *d = opendir(store_file(l, &path, below));
	struct dirent *de;
	int rc = 0;

	if (!d) {
		rc = errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(e, "cannot read '%s'", path.ptr);
		buf_release(&path);
		return rc;
	}
	while (rc >= 0 && (de = readdir(d))) {
		const char *name = arena_printf(a, "%s/%s", below, de->d_name);
		struct logref r = { .name = name, .loose = true };
		if (de->d_name[0] == '.' || str_ends(name, ".lock"))
			continue;
		if (de->d_type == DT_DIR) {
			rc = depth > 0 ? refs_loose(l, name, depth - 1, a, refs, e) : 0;
			continue;
		}
		rc = ref_file(l, name, &r.oid, &r.broken, e);
		if (rc > 0)
			*array_add(refs) = r;
	}
	closedir(d);
	buf_release(&path);
	return rc < 0 ? -1 : 0;
}

static void refs_packed_line(const char *line, size_t n, const char *below, struct arena *a, struct ref_array *refs)
{
	size_t len = strlen(below);
	char hex[GIT_OID_HEX];
	struct logref r = { 0 };

	if (n < GIT_OID_HEX + len + 1 || line[GIT_OID_HEX - 1] != ' ' || memcmp(line + GIT_OID_HEX, below, len) != 0 ||
	    line[GIT_OID_HEX + len] != '/')
		return;
	memcpy(hex, line, GIT_OID_HEX - 1);
	hex[GIT_OID_HEX - 1] = '\0';
	if (!oid_parse(hex, &r.oid))
		return;
	r.name = arena_memdup(a, line + GIT_OID_HEX, n - GIT_OID_HEX);
	*array_add(refs) = r;
}

static int refs_packed(const struct nlog *l, const char *below, struct arena *a, struct ref_array *refs, struct err *e)
{
	struct buf path = BUF_INIT, b = BUF_INIT;
	struct err why = ERR_INIT;
	int rc = file_read(store_file(l, &path, "packed-refs"), PACKED_MAX, &b, &why);

	for (const char *p = b.ptr; !rc && p < b.ptr + b.len;) {
		const char *nl = memchr(p, '\n', (size_t)(b.ptr + b.len - p));
		size_t n = nl ? (size_t)(nl - p) : (size_t)(b.ptr + b.len - p);
		refs_packed_line(p, n, below, a, refs);
		p += n + 1;
	}
	buf_release(&path);
	buf_release(&b);
	if (rc && why.code != ERR_NOT_FOUND)
		return err_set(e, why.code, "%s", why.msg);
	return 0;
}

/* By name, loose first. */
static int ref_cmp(const void *pa, const void *pb)
{
	const struct logref *a = pa, *b = pb;
	int c = strcmp(a->name, b->name);

	return c ? c : (int)b->loose - (int)a->loose;
}

int logref_list(const struct nlog *l, const char *below, struct arena *a, struct logref **out, size_t *n, struct err *e)
{
	struct ref_array refs = ARRAY_INIT;
	size_t kept = 0;
	int rc = refs_loose(l, below, DEPTH_MAX, a, &refs, e);

	rc = rc ? rc : refs_packed(l, below, a, &refs, e);
	if (refs.len)
		qsort(refs.items, refs.len, sizeof(*refs.items), ref_cmp);
	for (size_t i = 0; i < refs.len; i++) {
		struct logref *last = kept ? &refs.items[kept - 1] : NULL;
		if (!last || strcmp(last->name, refs.items[i].name) != 0)
			refs.items[kept++] = refs.items[i];
		else if (last->broken)
			last->oid = refs.items[i].oid;
	}
	*n = kept;
	*out = arena_alloc(a, (kept + 1) * sizeof(**out));
	if (kept)
		memcpy(*out, refs.items, kept * sizeof(**out));
	array_release(&refs);
	return rc;
}

/* The packed value of one ref: false if there is none. */
static bool ref_packed(const struct nlog *l, const char *name, struct oid *out)
{
	struct arena a = ARENA_INIT;
	struct ref_array refs = ARRAY_INIT;
	char folder[REF_NAME_MAX];
	bool found = false;

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(name, '/') - name), name);
	refs_packed(l, folder, &a, &refs, NULL);
	for (size_t i = 0; i < refs.len; i++)
		if (!strcmp(refs.items[i].name, name)) {
			*out = refs.items[i].oid;
			found = true;
		}
	array_release(&refs);
	arena_release(&a);
	return found;
}

int logref_read(const struct nlog *l, const char *name, struct oid *out, struct err *e)
{
	bool broken;
	int rc = ref_file(l, name, out, &broken, e);

	if (rc < 0)
		return -1;
	if (broken)
		return err_set(e, ERR_BAD_DATA, "the ref '%s' in '%s' is damaged: run 'killick doctor'", name, l->path);
	return rc > 0 || ref_packed(l, name, out);
}

/* ---- writing ---- */

/* The file system's own clock: time(2) may differ from it, and tests freeze ours. */
static int64_t file_now(const struct nlog *l)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int64_t now = 0;
	int fd = open(store_side(l, &path, "store.lock"), O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && !futimens(fd, NULL) && !fstat(fd, &st))
		now = (int64_t)st.st_mtim.tv_sec;
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	return now;
}

static bool lock_is_stale(const struct nlog *l, const char *name, const char *lock)
{
	struct stat st;

	if (str_starts(name, LOG_REFS "/"))
		return true;
	return !stat(lock, &st) && file_now(l) - (int64_t)st.st_mtim.tv_sec > STALE_LOCK_S;
}

/* git removes empty folders of packed refs, so the parents may vanish between making and opening. */
static int lock_open(const struct nlog *l, const char *name, const char *lock, struct err *e)
{
	for (int tries = 0; tries < 20; tries++) {
		int fd = open(lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		struct buf folder = BUF_INIT;
		if (fd >= 0)
			return fd;
		if (errno == ENOENT) {
			buf_add(&folder, lock, (size_t)(strrchr(lock, '/') - lock));
			if (dir_make_private(folder.ptr, e))
				tries = 20;
			buf_release(&folder);
			if (tries == 20)
				return -1;
		} else if (errno == EEXIST && lock_is_stale(l, name, lock)) {
			unlink(lock);
		} else if (errno == EEXIST) {
			nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000000 }, NULL);
		} else {
			return err_errno(e, "cannot write '%s'", lock);
		}
	}
	return err_set(e, ERR_BUSY, "'%s' is locked: try again", lock);
}

static int sync_parent(const char *path)
{
	struct buf folder = BUF_INIT;
	int fd, rc = 0;

	buf_add(&folder, path, (size_t)(strrchr(path, '/') - path));
	fd = open(folder.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fsync(fd) && errno != EINVAL && errno != ENOTSUP))
		rc = -1;
	if (fd >= 0)
		close(fd);
	buf_release(&folder);
	return rc;
}

static int ref_check(const struct nlog *l, const char *name, const struct oid *old, struct err *e)
{
	struct oid now;
	int found;

	if (!old)
		return 0;
	found = logref_read(l, name, &now, e);
	if (found < 0)
		return -1;
	if (found ? !oid_equal(&now, old) : !oid_is_zero(old))
		return err_set(e, ERR_CONFLICT, "the ref '%s' in '%s' was changed by another process", name, l->path);
	return 0;
}

/* Fills the open lock file and puts it in the ref's place. */
static int lock_commit(int fd, const char *lock, const char *path, const struct oid *new_, bool sync, struct err *e)
{
	char text[GIT_OID_HEX + 1];

	oid_hex(text, new_);
	text[GIT_OID_HEX - 1] = '\n';
	if (write_full(fd, text, GIT_OID_HEX) || fsync(fd) || rename(lock, path) || (sync && sync_parent(path)))
		return err_errno(e, "cannot write '%s'", path);
	return 0;
}

int logref_write(const struct nlog *l, const char *name, const struct oid *old, const struct oid *new_, struct err *e)
{
	struct buf path = BUF_INIT, lock = BUF_INIT;
	int rc = -1, fd;

	store_file(l, &path, name);
	buf_addf(&lock, "%s.lock", path.ptr);
	fd = lock_open(l, name, lock.ptr, e);
	if (fd < 0)
		goto out;
	rc = ref_check(l, name, old, e);
	rc = rc ? rc : lock_commit(fd, lock.ptr, path.ptr, new_, !l->many, e);
	close(fd);
	if (rc)
		unlink(lock.ptr);
out:
	buf_release(&path);
	buf_release(&lock);
	return rc;
}

void logref_many(struct nlog *l, bool on)
{
	struct buf path = BUF_INIT;

	l->many = on;
	if (!on)
		sync_parent(store_file(l, &path, LOG_REFS "/x"));
	buf_release(&path);
}

/* A packed ref must be taken out of packed-refs, which is git's work. */
int logref_delete(struct nlog *l, const char *name, const struct oid *old, struct err *e)
{
	char hex[GIT_OID_HEX];
	const char *args[] = { "update-ref", "--no-deref", "-d", name, old ? oid_hex(hex, old) : NULL, NULL };
	struct buf path = BUF_INIT;
	struct git_run g = GIT_RUN_INIT;
	struct oid packed;
	int rc = 0;

	store_file(l, &path, name);
	if (ref_packed(l, name, &packed)) {
		rc = store_git(l, l->repo, args, &g, e);
		if (!rc && g.status)
			rc = err_set(e, ERR_IO, "cannot remove '%s': %.200s", path.ptr, g.err.ptr);
	} else if (!ref_check(l, name, old, e)) {
		if ((unlink(path.ptr) && errno != ENOENT) || sync_parent(path.ptr))
			rc = err_errno(e, "cannot remove '%s'", path.ptr);
	} else {
		rc = -1;
	}
	git_run_release(&g);
	buf_release(&path);
	return rc;
}

/* ---- mending ---- */

static const char own_damaged[] = "this device's log was damaged, so the device writes under a new id from now on";

static const struct nlog_head *head_of(const struct nlog_heads *h, const char *writer)
{
	for (size_t i = 0; h && i < h->len; i++)
		if (!strcmp(h->items[i].writer, writer))
			return &h->items[i];
	return NULL;
}

static bool commit_here(struct nlog *l, const struct oid *o)
{
	git_oid g = oid_to_git(o);
	git_odb *odb;

	return !oid_is_zero(o) && !store_odb(l, &odb, NULL) && git_odb_exists(odb, &g);
}

/* What the log is known to have been: the longer of the packed ref and what the caller read. */
static struct oid best_known(struct nlog *l, const struct logref *r, const struct nlog_head *known)
{
	if (known && commit_here(l, &known->commit) &&
	    (!commit_here(l, &r->oid) || chain_has(l, &known->commit, &r->oid, NULL) > 0))
		return known->commit;
	return commit_here(l, &r->oid) ? r->oid : OID_ZERO;
}

static int mend_ref(struct nlog *l, const struct logref *r, const struct nlog_heads *known, struct buf *report,
    struct err *e)
{
	const char *leaf = strrchr(r->name, '/') + 1;
	bool is_log = str_starts(r->name, LOG_REFS "/");
	struct oid best = is_log ? best_known(l, r, head_of(known, leaf)) : OID_ZERO;
	struct buf path = BUF_INIT;
	char writer[OP_WRITER_HEX];
	int rc;

	rc = unlink(store_file(l, &path, r->name)) ? err_errno(e, "cannot remove '%s'", path.ptr) : 0;
	buf_release(&path);
	if (!rc && !oid_is_zero(&best))
		rc = logref_write(l, r->name, NULL, &best, e);
	if (rc)
		return rc;
	if (report)
		buf_addf(report, "%s was damaged: %s\n", r->name,
			 !oid_is_zero(&best) ? "set back to the last state known" :
			 is_log ? "removed; the next fetch brings it back" : "removed");
	/* What was appended after the known state may be on a remote: going on from it would fork the log. */
	if (is_log && !strcmp(leaf, l->id.writer)) {
		random_writer(writer);
		if (report)
			buf_addf(report, "it was this device's log: the device writes under a new id from now on\n");
		return store_set_writer(l, writer, own_damaged, e);
	}
	return 0;
}

/* Lock files of dead processes, below a folder of the store ("" for its top). */
static void mend_locks(struct nlog *l, const char *below, int depth, int64_t now, struct buf *report)
{
	struct buf path = BUF_INIT;
	DIR *d = opendir(store_file(l, &path, below));
	struct dirent *de;

	while (d && (de = readdir(d))) {
		char name[REF_NAME_MAX];
		struct stat st;
		if (de->d_name[0] == '.' ||
		    snprintf(name, sizeof(name), "%s%s%s", below, *below ? "/" : "", de->d_name) >= (int)sizeof(name))
			continue;
		if (de->d_type == DT_DIR && depth > 0)
			mend_locks(l, name, depth - 1, now, report);
		if (!str_ends(name, ".lock") || lstat(store_file(l, &path, name), &st) || !S_ISREG(st.st_mode) ||
		    (!str_starts(name, LOG_REFS "/") && now - (int64_t)st.st_mtim.tv_sec <= STALE_LOCK_S))
			continue;
		if (!unlink(path.ptr) && report)
			buf_addf(report, "%s was left behind by a process that died: removed\n", name);
	}
	if (d)
		closedir(d);
	buf_release(&path);
}

int scrub_locked(struct nlog *l, const struct nlog_heads *known, struct buf *report, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct logref *refs;
	size_t n;
	int rc = logref_list(l, "refs", &a, &refs, &n, e);

	for (size_t i = 0; !rc && i < n; i++)
		if (refs[i].broken)
			rc = mend_ref(l, &refs[i], known, report, e);
	if (!rc) {
		int64_t now = file_now(l);
		mend_locks(l, "refs", DEPTH_MAX, now, report);
		mend_locks(l, "", 0, now, report);
	}
	arena_release(&a);
	return rc;
}

/* A log that the caller had read and that is not there any more. An own log of one op was perhaps just recalled. */
static int mend_lost(struct nlog *l, const struct nlog_head *h, struct buf *report, struct err *e)
{
	char name[REF_NAME_MAX], writer[OP_WRITER_HEX];
	bool own = !strcmp(h->writer, l->id.writer);
	struct oid now;
	int found;

	logref_name(name, LOG_REFS, NULL, h->writer);
	found = logref_read(l, name, &now, e);
	if (found || (own && h->count <= 1) || !commit_here(l, &h->commit))
		return found < 0 ? -1 : 0;
	if (logref_write(l, name, &OID_ZERO, &h->commit, e))
		return -1;
	if (report)
		buf_addf(report, "%s was gone: set back to the last state known\n", name);
	if (!own)
		return 0;
	random_writer(writer);
	return store_set_writer(l, writer, own_damaged, e);
}

int nlog_scrub(struct nlog *l, const struct nlog_heads *known, struct buf *report, struct err *e)
{
	struct lock lk = LOCK_INIT;
	int rc;

	if (store_lock(l, &lk, STORE_WAIT_MS, e))
		return -1;
	rc = scrub_locked(l, known, report, e);
	for (size_t i = 0; known && !rc && i < known->len; i++)
		rc = mend_lost(l, &known->items[i], report, e);
	lock_release(&lk);
	return rc;
}

/* ---- the stamp ---- */

static void stamp_add(struct buf *b, const char *path)
{
	struct stat st;

	if (!stat(path, &st))
		buf_addf(b, "%llx %llx %lld.%ld %lld.%ld\n", (unsigned long long)st.st_ino, (unsigned long long)st.st_size,
			 (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
			 st.st_ctim.tv_nsec);
	else
		buf_addstr(b, "-\n");
}

static int name_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * Every loose ref by itself, since two updates within one tick of the kernel's clock give the folder the same time,
 * while a ref renamed into place has another inode than the one before. The config says which repository ids count.
 */
void nlog_stamp(const char *path, char out[NLOG_STAMP_SIZE])
{
	ARRAY(char *) names = ARRAY_INIT;
	struct buf folder = BUF_INIT, file = BUF_INIT, b = BUF_INIT;
	uint8_t sum[SHA256_SIZE];
	struct dirent *de;
	DIR *d;

	out[0] = '\0';
	if (!path_exists(path))
		return;
	buf_addf(&folder, "%s/%s", path, LOG_REFS);
	/* git removes the folder when it has packed all that was in it. */
	d = opendir(folder.ptr);
	while (d && (de = readdir(d)))
		if (is_writer_id(de->d_name))
			*array_add(&names) = xstrdup(de->d_name);
	if (d)
		closedir(d);
	if (names.len)
		qsort(names.items, names.len, sizeof(*names.items), name_cmp);
	buf_addf(&file, "%s/packed-refs", path);
	stamp_add(&b, file.ptr);
	buf_reset(&file);
	buf_addf(&file, "%s/config", path);
	stamp_add(&b, file.ptr);
	for (size_t i = 0; i < names.len; i++) {
		buf_addf(&b, "%s ", names.items[i]);
		buf_reset(&file);
		buf_addf(&file, "%s/%s", folder.ptr, names.items[i]);
		stamp_add(&b, file.ptr);
	}
	hash_sha256(sum, b.ptr, b.len);
	hex_encode(out, sum, sizeof(sum));
	for (size_t i = 0; i < names.len; i++)
		free(names.items[i]);
	array_release(&names);
	buf_release(&folder);
	buf_release(&file);
	buf_release(&b);
}

uint64_t nlog_packed(const char *path)
{
	struct buf folder = BUF_INIT, file = BUF_INIT;
	struct dirent *de;
	struct stat st;
	uint64_t n = 0;
	DIR *d;

	buf_addf(&folder, "%s/objects/pack", path);
	d = opendir(folder.ptr);
	while (d && (de = readdir(d))) {
		buf_reset(&file);
		buf_addf(&file, "%s/%s", folder.ptr, de->d_name);
		if (str_ends(de->d_name, ".pack") && !stat(file.ptr, &st))
			n += (uint64_t)st.st_size;
	}
	if (d)
		closedir(d);
	buf_release(&folder);
	buf_release(&file);
	return n;
}
