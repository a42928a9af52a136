/* SPDX-License-Identifier: MIT */
/*
 * SQLite, opened carefully: the file is made by us with mode 0600, because SQLite's own would follow the umask and the
 * -wal, -shm and -journal files copy its mode; DEFENSIVE, an untrusted schema and tight limits, because the file may have
 * been put there by somebody else; no loadable extensions, no ATTACH. A handle must not be used after fork(2), in neither
 * process's child: SQLite's POSIX locks do not survive it (howtocorrupt.html 2.6).
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "db.h"

/* statfs(2) f_type of file systems that another host may write to as well. */
static const unsigned long network_fs[] = {
	0x6969 /* NFS */, 0x517b /* SMB */, 0xff534d42 /* CIFS */, 0xfe534d42 /* SMB2 */, 0x65735546 /* FUSE */,
	0x564c /* NCP */, 0x5346414f /* AFS */, 0x6b414653 /* kAFS */, 0x01021997 /* 9P */, 0x73757245 /* Coda */,
	0x00c36400 /* Ceph */, 0x01161970 /* GFS2 */, 0x7461636f /* OCFS2 */, 0x0bd00bd0 /* Lustre */,
	0x786f4256 /* VirtualBox */, 0x47504653 /* GPFS */,
};

bool db_on_network(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(network_fs); i++)
		if (((unsigned long)fs.f_type & 0xffffffff) == network_fs[i])
			return true;
	return false;
}

/* Never open(2) an existing database by other means than SQLite: closing would drop this process's POSIX locks on it. */
static int make_file(const char *path, struct err *e)
{
	struct stat st;
	int fd;

	if (!stat(path, &st)) {
		if (!S_ISREG(st.st_mode))
			return err_set(e, ERR_IO, "'%s' is not a file", path);
		if (st.st_mode & 077)
			(void)!chmod(path, 0600);
		return 0;
	}
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0)
		return err_errno(e, "cannot make '%s'", path);
	(void)!fchmod(fd, 0600);
	close(fd);
	return 0;
}

static void harden(sqlite3 *sql)
{
	static const struct { int op, on; } config[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 }, { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 }, { SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 }, { SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 }, { SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
	};
	static const struct { int id, max; } limits[] = {
		{ SQLITE_LIMIT_LENGTH, 64 << 20 }, { SQLITE_LIMIT_SQL_LENGTH, 4 << 20 }, { SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 4096 }, { SQLITE_LIMIT_TRIGGER_DEPTH, 0 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(config); i++)
		sqlite3_db_config(sql, config[i].op, config[i].on, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		sqlite3_limit(sql, limits[i].id, limits[i].max);
}

int db_open(struct db *d, const char *what, const char *path, struct err *e)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
		    SQLITE_OPEN_EXRESCODE;

	/* Before the first handle; later they say no. There are no threads, and nobody asks for SQLite's use of memory. */
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	*d = (struct db){ .what = what, .path = path ? xstrdup(path) : NULL };
	if (path && make_file(path, e))
		goto fail;
	if (sqlite3_open_v2(path ? path : ":memory:", &d->sql, flags, NULL) != SQLITE_OK) {
		db_fail(d, e);
		goto fail;
	}
	harden(d->sql);
	return 0;
fail:
	db_close(d);
	return -1;
}

void db_close(struct db *d)
{
	for (size_t i = 0; i < d->len; i++)
		sqlite3_finalize(d->items[i].st);
	free(d->items);
	if (d->sql && sqlite3_close(d->sql) != SQLITE_OK)
		BUG("a statement of the %s was not finalized: %s", d->what, sqlite3_errmsg(d->sql));
	free(d->path);
	*d = (struct db){ .what = d->what };
}

static const struct { int sqlite; enum err_code code; const char *words; } codes[] = {
	{ SQLITE_BUSY, ERR_BUSY, "is in use by another killick" },
	{ SQLITE_LOCKED, ERR_BUSY, "is in use by another killick" },
	{ SQLITE_FULL, ERR_IO, "cannot be written: the disk is full" },
	{ SQLITE_READONLY, ERR_IO, "cannot be written: it is read-only" },
	{ SQLITE_PERM, ERR_IO, "cannot be opened" },
	{ SQLITE_AUTH, ERR_IO, "cannot be opened" },
	{ SQLITE_CANTOPEN, ERR_IO, "cannot be opened" },
	{ SQLITE_IOERR, ERR_IO, "cannot be read or written" },
	{ SQLITE_TOOBIG, ERR_BAD_DATA, "does not take that much text" },
	{ SQLITE_INTERRUPT, ERR_CANCELLED, "was interrupted" },
	{ SQLITE_CORRUPT, ERR_BAD_DATA, "is damaged" },
	{ SQLITE_NOTADB, ERR_BAD_DATA, "is damaged" },
	{ SQLITE_FORMAT, ERR_BAD_DATA, "is damaged" },
	/* Tables that are not as this version left them: somebody else wrote to the file. */
	{ SQLITE_ERROR, ERR_BAD_DATA, "is not as expected" },
	{ SQLITE_SCHEMA, ERR_BAD_DATA, "is not as expected" },
};

int db_fail(struct db *d, struct err *e)
{
	int rc = d->sql ? sqlite3_errcode(d->sql) & 0xff : SQLITE_CANTOPEN;
	int no = d->sql ? sqlite3_system_errno(d->sql) : 0;
	const char *why = no ? strerror(no) : d->sql ? sqlite3_errmsg(d->sql) : "out of memory";

	if (rc == SQLITE_NOMEM)
		BUG("out of memory in SQLite");
	if (rc == SQLITE_MISUSE || rc == SQLITE_RANGE)
		BUG("SQLite was misused: %s", sqlite3_errmsg(d->sql));
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (codes[i].sqlite != rc)
			continue;
		if (codes[i].code == ERR_BAD_DATA && rc != SQLITE_TOOBIG)
			d->broken = true;
		trace(d->what, "%s: error %d: %s", d->path ? d->path : "(memory)", rc, sqlite3_errmsg(d->sql));
		return err_set(e, codes[i].code, "the %s %s%s%s: %s", d->what, d->path ? d->path : "", d->path ? " " : "",
			       codes[i].words, why);
	}
	return err_set(e, ERR_FAILED, "the %s: %s", d->what, why);
}

static sqlite3_stmt *prepare(struct db *d, const char *sql, unsigned flags)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v3(d->sql, sql, -1, flags, &st, NULL) != SQLITE_OK) {
		trace(d->what, "cannot prepare: %s: %s", sqlite3_errmsg(d->sql), sql);
		return NULL;
	}
	trace("sql", "%s: %s", d->what, sql);
	return st;
}

sqlite3_stmt *db_prep(struct db *d, const char *sql)
{
	struct db_cached *c;

	for (size_t i = 0; i < d->len; i++) {
		if (d->items[i].text != sql)
			continue;
		db_reset(d->items[i].st);
		return d->items[i].st;
	}
	sqlite3_stmt *st = prepare(d, sql, SQLITE_PREPARE_PERSISTENT);
	if (!st)
		return NULL;
	c = array_add(d);
	*c = (struct db_cached){ .text = sql, .st = st };
	return st;
}

sqlite3_stmt *db_prep_once(struct db *d, const char *sql)
{
	return prepare(d, sql, 0);
}

void db_reset(sqlite3_stmt *st)
{
	if (!st)
		return;
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

static void bind_all(sqlite3_stmt *st, const char *fmt, va_list ap)
{
	for (int i = 1; *fmt; fmt++, i++) {
		int rc = SQLITE_OK;
		switch (*fmt) {
		case 'i':
			rc = sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
			break;
		case 'd':
			rc = sqlite3_bind_double(st, i, va_arg(ap, double));
			break;
		case 't':
			rc = sqlite3_bind_text(st, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
			break;
		case 'b': {
			const void *p = va_arg(ap, const void *);
			size_t n = va_arg(ap, size_t);
			rc = sqlite3_bind_blob64(st, i, p ? p : "", n, SQLITE_STATIC);
			break;
		}
		case 'n':
			break;
		default:
			BUG("bad format '%c'", *fmt);
		}
		if (rc != SQLITE_OK && rc != SQLITE_TOOBIG && st)
			BUG("cannot bind value %d: %s", i, sqlite3_errstr(rc));
	}
}

void db_bind(sqlite3_stmt *st, const char *fmt, ...)
{
	va_list ap;

	if (!st)
		return;
	va_start(ap, fmt);
	bind_all(st, fmt, ap);
	va_end(ap);
}

int db_step(struct db *d, sqlite3_stmt *st, struct err *e)
{
	int rc;

	if (!st)
		return db_fail(d, e);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		db_fail(d, e);
	db_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

int db_exec(struct db *d, struct err *e, const char *sql, const char *fmt, ...)
{
	sqlite3_stmt *st = db_prep(d, sql);
	va_list ap;
	int rc;

	if (st) {
		va_start(ap, fmt);
		bind_all(st, fmt, ap);
		va_end(ap);
	}
	while ((rc = db_step(d, st, e)) == 1)
		;
	return rc;
}

int db_get_int(struct db *d, struct err *e, int64_t *out, const char *sql, const char *fmt, ...)
{
	sqlite3_stmt *st = db_prep(d, sql);
	va_list ap;
	int rc;

	*out = 0;
	if (st) {
		va_start(ap, fmt);
		bind_all(st, fmt, ap);
		va_end(ap);
	}
	rc = db_step(d, st, e);
	if (rc == 1) {
		*out = sqlite3_column_int64(st, 0);
		db_reset(st);
	}
	return rc;
}

int db_script(struct db *d, const char *sql, struct err *e)
{
	return sqlite3_exec(d->sql, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_fail(d, e);
}

void db_room(struct db *d, int kb)
{
	bool less = kb < d->room;
	char text[64];

	if (!d->sql || d->room == kb)
		return;
	d->room = kb;
	snprintf(text, sizeof(text), "PRAGMA cache_size=-%d", kb);
	if (sqlite3_exec(d->sql, text, NULL, NULL, NULL))
		trace(d->what, "cannot set the cache: %s", sqlite3_errmsg(d->sql));
	if (!less)
		return;
	sqlite3_db_release_memory(d->sql);
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

int64_t db_changes(struct db *d)
{
	return sqlite3_changes64(d->sql);
}

const char *col_text(struct arena *a, sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);
	int n = sqlite3_column_bytes(st, i);

	if (sqlite3_column_type(st, i) == SQLITE_NULL)
		return NULL;
	return arena_memdup(a, p, (size_t)n);
}

int64_t col_int(sqlite3_stmt *st, int i)
{
	return sqlite3_column_int64(st, i);
}

const char *row_text(struct row *r)
{
	return col_text(r->a, r->st, r->i++);
}

int64_t row_int(struct row *r)
{
	return sqlite3_column_int64(r->st, r->i++);
}

double row_real(struct row *r)
{
	return sqlite3_column_double(r->st, r->i++);
}
