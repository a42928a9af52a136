/* SPDX-License-Identifier: MIT */
/*
 * The store: made once, beside the user's repository, and who this device is in it.
 *
 * Making: everything is built in a folder beside, under store.lock, and renamed into place, so that a store is whole or
 * not there, whoever starts at the same time and wherever a process dies.
 *
 * Identity: the [killick] section of the store's config holds the repository id and, for every place this store was
 * written from, a writer id with a mark of machine, path, inode and birth time. A copy or a restored backup has no line that
 * fits its mark and gets a new writer id, because two devices must never go on with one log; a container and its host
 * that share a store each keep their own. Lines are read and written here, not by libgit2, because the file must be
 * replaced atomically with fsync, and because a store that holds any other setting (a hostile archive: core.sshCommand)
 * must be recognised before git is run over it.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "killick/base/proc.h"
#include "nlog.h"

enum { CONFIG_MAX = 1 << 20, OPEN_WAIT_MS = 1000 };

static const char new_writer_copied[] =
	"this store was copied, moved or restored, so this device writes its log under a new id from now on";

bool is_writer_id(const char *s)
{
	return strspn(s, "0123456789abcdef") == OP_WRITER_HEX - 1 && s[OP_WRITER_HEX - 1] == '\0';
}

void random_writer(char out[OP_WRITER_HEX])
{
	uint8_t raw[16];

	random_bytes(raw, sizeof(raw));
	hex_encode(out, raw, sizeof(raw));
}

const char *store_file(const struct nlog *l, struct buf *b, const char *name)
{
	buf_reset(b);
	buf_addf(b, "%s/%s", l->path, name);
	return b->ptr;
}

const char *store_side(const struct nlog *l, struct buf *b, const char *name)
{
	buf_reset(b);
	buf_addf(b, "%s/%s", l->dir, name);
	return b->ptr;
}

/* ---- the mark ---- */

/* Inode and birth time tell a moved folder from a restored one; where a file system has no birth time it is 0. */
static void mark_of(const char *path, const char *folder, char out[SHA256_HEX])
{
	struct buf b = BUF_INIT;
	uint8_t sum[SHA256_SIZE];
	struct statx sx = { 0 };

	if (file_read("/etc/machine-id", 4096, &b, NULL))
		buf_reset(&b);
	buf_rtrim(&b);
	if (statx(AT_FDCWD, folder, 0, STATX_INO | STATX_BTIME, &sx))
		sx = (struct statx){ 0 };
	buf_addf(&b, "\n%s\n%llu %lld.%09u\n", path, (unsigned long long)sx.stx_ino, (long long)sx.stx_btime.tv_sec,
		 sx.stx_btime.tv_nsec);
	hash_sha256(sum, b.ptr, b.len);
	hex_encode(out, sum, sizeof(sum));
	buf_release(&b);
}

/* ---- the identity ---- */

static void identity_init(struct identity *id)
{
	memset(id, 0, sizeof(*id));
	buf_init(&id->others);
	buf_init(&id->devices);
}

static void identity_release(struct identity *id)
{
	array_release(&id->joined);
	buf_release(&id->others);
	buf_release(&id->devices);
	identity_init(id);
}

enum section { SECTION_NONE, SECTION_CORE, SECTION_OURS, SECTION_OTHER };

/* What git itself and older stores put under [core]: none of these names a program, a path or an address. */
static bool core_key_known(const char *key)
{
	static const char *const known[] = {
		"repositoryformatversion", "filemode", "bare", "logallrefupdates", "ignorecase", "precomposeunicode", "symlinks",
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(key, known[i]))
			return true;
	return false;
}

/* "writer = <id> <mark>": ours if the mark fits, else kept for the place it was written from. */
static bool identity_device(struct identity *id, const char *value, const char *mark)
{
	char writer[OP_WRITER_HEX] = "";

	if (strlen(value) != OP_WRITER_HEX - 1 + 1 + SHA256_HEX - 1 || value[OP_WRITER_HEX - 1] != ' ')
		return false;
	memcpy(writer, value, OP_WRITER_HEX - 1);
	if (!is_writer_id(writer))
		return false;
	id->known_device = true;
	if (!strcmp(value + OP_WRITER_HEX, mark))
		memcpy(id->writer, writer, sizeof(writer));
	else
		buf_addf(&id->devices, "\twriter = %s\n", value);
	return true;
}

static bool identity_key(struct identity *id, const char *key, const char *value, const char *mark)
{
	if (!strcmp(key, "format")) {
		id->newer = strcmp(value, "1") != 0;
		return true;
	}
	if (!strcmp(key, "writer"))
		return identity_device(id, value, mark);
	if (!is_writer_id(value))
		return false;
	if (!strcmp(key, "repository"))
		memcpy(id->repo, value, OP_WRITER_HEX);
	else if (!strcmp(key, "joined"))
		memcpy(array_add(&id->joined)->id, value, OP_WRITER_HEX);
	else
		return false;
	return true;
}

/* One line, trimmed, cut at "=": false when it is none that killick writes. */
static bool identity_line(struct identity *id, char *line, enum section *sec, const char *mark)
{
	char *eq = strchr(line, '='), *key_end = eq;

	if (*line == '\0' || *line == '#' || *line == ';')
		return true;
	if (*line == '[') {
		*sec = !strcmp(line, "[core]") ? SECTION_CORE : !strcmp(line, "[killick]") ? SECTION_OURS : SECTION_OTHER;
		return *sec != SECTION_OTHER;
	}
	if (!eq || line[strlen(line) - 1] == '\\' || *sec == SECTION_NONE || *sec == SECTION_OTHER)
		return false;
	while (key_end > line && (key_end[-1] == ' ' || key_end[-1] == '\t'))
		key_end--;
	*key_end = '\0';
	eq++;
	eq += strspn(eq, " \t");
	return *sec == SECTION_CORE ? core_key_known(line) : identity_key(id, line, eq, mark);
}

static void identity_parse(struct identity *id, const char *text, const char *mark)
{
	enum section sec = SECTION_NONE;
	struct buf line = BUF_INIT;

	while (*text) {
		size_t n = strcspn(text, "\n"), indent = strspn(text, " \t");
		bool known;
		buf_reset(&line);
		buf_add(&line, text, n);
		buf_trim(&line);
		known = identity_line(id, line.ptr, &sec, mark);
		if (!known && !id->odd[0])
			snprintf(id->odd, sizeof(id->odd), "%.*s", (int)(n - indent < 100 ? n - indent : 100),
				 text + indent);
		if (sec != SECTION_OURS)
			buf_addf(&id->others, "%.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
	buf_release(&line);
}

int store_reload(struct nlog *l, struct err *e)
{
	struct buf b = BUF_INIT, path = BUF_INIT;
	int rc = file_read(store_file(l, &path, "config"), CONFIG_MAX, &b, e);

	if (!rc) {
		identity_release(&l->id);
		identity_parse(&l->id, b.ptr, l->mark);
		if (strlen(b.ptr) != b.len)
			snprintf(l->id.odd, sizeof(l->id.odd), "a NUL byte");
		if (l->id.newer)
			rc = err_set(e, ERR_BAD_DATA, "'%s' was made by a newer killick than this one", l->path);
	}
	buf_release(&b);
	buf_release(&path);
	return rc;
}

static void identity_render(const struct nlog *l, struct buf *b)
{
	const struct identity *id = &l->id;

	buf_addbuf(b, &id->others);
	if (!b->len)
		buf_addstr(b, "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n");
	buf_addf(b, "[killick]\n\tformat = 1\n\trepository = %s\n", id->repo);
	for (size_t i = 0; i < id->joined.len; i++)
		buf_addf(b, "\tjoined = %s\n", id->joined.items[i].id);
	buf_addbuf(b, &id->devices);
	buf_addf(b, "\twriter = %s %s\n", id->writer, l->mark);
}

static int identity_save(const struct nlog *l, const char *path, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	identity_render(l, &b);
	rc = file_write(path, b.ptr, b.len, 0600, e);
	buf_release(&b);
	return rc;
}

static int identity_store(const struct nlog *l, struct err *e)
{
	struct buf path = BUF_INIT;
	int rc = identity_save(l, store_file(l, &path, "config"), e);

	buf_release(&path);
	return rc;
}

/* ---- the repository id ---- */

/* The root commit reached by first parents, or false: none, or not all of the history is here. */
static bool root_commit(struct repo *r, char root[GIT_OID_HEX])
{
	char dir[4096 + 16];
	const char *argv[] = { "git", dir, "rev-list", "--max-parents=0", "--first-parent", "HEAD", "--", NULL };
	/* No grafts, no replacements, nothing fetched for a partial clone: every clone must find the same. */
	const char *env[] = { "GIT_GRAFT_FILE=/dev/null", "GIT_NO_REPLACE_OBJECTS=1", "GIT_ALLOW_PROTOCOL=none", "LC_ALL=C",
			      "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", NULL };
	struct buf out = { buf_empty, .max = 4096 };
	struct proc p = { .argv = argv, .env = env, .out = &out, .flags = PROC_STDERR_NULL };
	struct oid head, parsed;
	bool ok = false;

	if (repo_is_shallow(r) || !repo_head(r, &head, NULL))
		return false;
	if (snprintf(dir, sizeof(dir), "--git-dir=%s", repo_gitdir(r)) < (int)sizeof(dir) && !proc_run(&p, NULL) &&
	    p.status == 0 && out.len >= GIT_OID_HEX - 1) {
		memcpy(root, out.ptr, GIT_OID_HEX - 1);
		root[GIT_OID_HEX - 1] = '\0';
		ok = oid_parse(root, &parsed);
	}
	buf_release(&out);
	return ok;
}

static void derive_repo_id(struct repo *r, char out[OP_WRITER_HEX])
{
	char root[GIT_OID_HEX], text[64];
	uint8_t sum[SHA256_SIZE];

	if (!root_commit(r, root)) {
		random_writer(out);
		return;
	}
	snprintf(text, sizeof(text), "killick repository\n%s", root);
	hash_sha256(sum, text, strlen(text));
	hex_encode(out, sum, 16);
}

/* ---- making ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int sync_folder(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || (fsync(fd) && errno != EINVAL && errno != ENOTSUP) ? -1 : 0;

	if (rc)
		err_errno(e, "cannot write folder '%s'", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int make_folders(const char *top, struct err *e)
{
	static const char *const folders[] = {
		"", "/objects", "/objects/info", "/objects/pack", "/info", "/refs", "/refs/killick", "/refs/killick/log",
	};
	struct buf b = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_SIZE(folders); i++) {
		buf_reset(&b);
		buf_addf(&b, "%s%s", top, folders[i]);
		if (mkdir(b.ptr, 0700))
			rc = err_errno(e, "cannot make folder '%s'", b.ptr);
	}
	for (size_t i = ARRAY_SIZE(folders); !rc && i-- > 0;) {
		buf_reset(&b);
		buf_addf(&b, "%s%s", top, folders[i]);
		rc = sync_folder(b.ptr, e);
	}
	buf_release(&b);
	return rc;
}

static int make_files(struct nlog *l, const char *top, struct err *e)
{
	static const char head[] = "ref: refs/heads/none\n";
	static const char words[] =
		"killick's store of this repository: discussion anchored to the work, see killick-format(5)\n";
	struct buf b = BUF_INIT;
	int rc;

	buf_addf(&b, "%s/HEAD", top);
	rc = file_write(b.ptr, head, sizeof(head) - 1, 0600, e);
	buf_reset(&b);
	buf_addf(&b, "%s/description", top);
	rc = rc ? rc : file_write(b.ptr, words, sizeof(words) - 1, 0600, e);
	buf_reset(&b);
	buf_addf(&b, "%s/config", top);
	rc = rc ? rc : identity_save(l, b.ptr, e);
	buf_release(&b);
	return rc;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int store_make_locked(struct nlog *l, struct err *e)
{
	struct buf top = BUF_INIT;
	int rc = -1;

	if (is_folder(l->path))
		return 0;
	store_side(l, &top, "store.new");
	/* What a process that died left behind: ours, since the lock is. */
	if (nftw(top.ptr, remove_one, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT) {
		err_errno(e, "cannot remove '%s'", top.ptr);
		goto out;
	}
	identity_release(&l->id);
	derive_repo_id(l->repo, l->id.repo);
	random_writer(l->id.writer);
	if (make_folders(top.ptr, e))
		goto out;
	mark_of(l->path, top.ptr, l->mark);
	if (make_files(l, top.ptr, e))
		goto out;
	if (rename(top.ptr, l->path)) {
		err_errno(e, "cannot make '%s'", l->path);
		goto out;
	}
	rc = sync_folder(l->dir, e);
out:
	buf_release(&top);
	return rc;
}

static int store_make(struct nlog *l, struct err *e)
{
	struct buf path = BUF_INIT;
	struct lock lk = LOCK_INIT;
	int rc = -1;

	if (!dir_make_private(l->dir, e) && !lock_take(&lk, store_side(l, &path, "store.lock"), STORE_WAIT_MS, e))
		rc = store_make_locked(l, e);
	lock_release(&lk);
	buf_release(&path);
	return rc;
}

/* ---- the handle ---- */

/* Under the lock: this place has a writer id, else it gets one. */
static int store_settle(struct nlog *l, struct err *e)
{
	bool copied;

	mark_of(l->path, l->path, l->mark);
	if (store_reload(l, e))
		return -1;
	if (l->id.writer[0] && l->id.repo[0])
		return 0;
	copied = !l->id.writer[0] && l->id.known_device;
	if (!l->id.repo[0])
		derive_repo_id(l->repo, l->id.repo);
	if (!l->id.writer[0])
		random_writer(l->id.writer);
	if (identity_store(l, e))
		return -1;
	if (copied)
		l->new_writer = new_writer_copied;
	trace("log", "writer %s in %s%s", l->id.writer, l->path, copied ? " (the store was copied or restored)" : "");
	return 0;
}

int store_lock(struct nlog *l, struct lock *lk, int wait_ms, struct err *e)
{
	struct buf path = BUF_INIT;
	int rc = lock_take(lk, store_side(l, &path, "store.lock"), wait_ms, e);

	buf_release(&path);
	if (!rc && store_settle(l, e)) {
		lock_release(lk);
		rc = -1;
	}
	return rc;
}

int store_set_writer(struct nlog *l, const char *writer, const char *why, struct err *e)
{
	memcpy(l->id.writer, writer, OP_WRITER_HEX);
	l->new_writer = why;
	trace("log", "new writer %s: %s", writer, why);
	return identity_store(l, e);
}

int store_set_repo_id(struct nlog *l, const char *id, struct err *e)
{
	memcpy(l->id.repo, id, OP_WRITER_HEX);
	return identity_store(l, e);
}

int store_odb(struct nlog *l, git_odb **out, struct err *e)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	if (!l->odb) {
		if (!l->lib_started && lib_start(e))
			return -1;
		l->lib_started = true;
		rc = git_odb_open(&l->odb, store_file(l, &path, "objects"));
		if (rc < 0)
			rc = err_git(e, rc, "cannot open '%s'", path.ptr);
		buf_release(&path);
	}
	*out = l->odb;
	return rc;
}

bool nlog_exists(struct repo *r, struct buf *path)
{
	struct buf b = BUF_INIT;
	bool found;

	buf_addf(&b, "%s/killick/store.git", repo_commondir(r));
	found = is_folder(b.ptr);
	if (path)
		buf_addbuf(path, &b);
	buf_release(&b);
	return found;
}

int nlog_open(struct repo *r, bool create, struct nlog **out, struct err *e)
{
	struct nlog *l = xcalloc(1, sizeof(*l));
	struct lock lk = LOCK_INIT;

	l->repo = r;
	l->dir = xasprintf("%s/killick", repo_commondir(r));
	l->path = xasprintf("%s/store.git", l->dir);
	identity_init(&l->id);
	if (!is_folder(l->path)) {
		if (!create) {
			err_set(e, ERR_NOT_FOUND, "killick is not set up in this repository: run 'killick init'");
			goto fail;
		}
		if (store_make(l, e))
			goto fail;
	}
	mark_of(l->path, l->path, l->mark);
	if (store_reload(l, e))
		goto fail;
	/* A store that cannot be written is still good for reading. */
	if ((!l->id.writer[0] || !l->id.repo[0]) && !store_lock(l, &lk, OPEN_WAIT_MS, NULL))
		lock_release(&lk);
	*out = l;
	return 0;
fail:
	nlog_close(l);
	return -1;
}

void nlog_close(struct nlog *l)
{
	if (!l)
		return;
	git_odb_free(l->odb);
	if (l->lib_started)
		lib_stop();
	identity_release(&l->id);
	free(l->dir);
	free(l->path);
	free(l);
}

const char *nlog_path(const struct nlog *l)
{
	return l->path;
}

const char *nlog_repo_id(const struct nlog *l)
{
	return l->id.repo;
}

const char *nlog_writer(const struct nlog *l)
{
	return l->id.writer;
}

void nlog_ask_renamed(struct nlog *l, void (*fn)(void *ctx, const char *was, const char *now), void *ctx)
{
	l->renamed = fn;
	l->renamed_ctx = ctx;
}

const char *nlog_new_writer(const struct nlog *l)
{
	return l->new_writer;
}

bool nlog_accepts(const struct nlog *l, const char *repo_id)
{
	if (!strcmp(repo_id, l->id.repo))
		return true;
	for (size_t i = 0; i < l->id.joined.len; i++)
		if (!strcmp(repo_id, l->id.joined.items[i].id))
			return true;
	return false;
}

int nlog_join(struct nlog *l, const char *other_repo_id, struct err *e)
{
	struct lock lk = LOCK_INIT;
	int rc = 0;

	if (!is_writer_id(other_repo_id))
		return err_set(e, ERR_USAGE, "'%s' is no repository id: 32 digits, 0-9 and a-f, are", other_repo_id);
	if (store_lock(l, &lk, STORE_WAIT_MS, e))
		return -1;
	if (!nlog_accepts(l, other_repo_id)) {
		memcpy(array_add(&l->id.joined)->id, other_repo_id, OP_WRITER_HEX);
		rc = identity_store(l, e);
	}
	lock_release(&lk);
	return rc;
}
