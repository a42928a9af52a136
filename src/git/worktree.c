/* SPDX-License-Identifier: MIT */
/*
 * A file of the work tree as git would store it.
 *
 * The path is opened part by part from the top, never through a symbolic link, a ".git" or a submodule, so that nothing
 * outside of the work tree is read whatever the repository holds (trust.md, rule 9); pipes and devices are never opened.
 * Most files are stored as they are: only where attributes or settings and the content itself call for it is libgit2
 * asked to convert line ends and $Id$. Programs that the repository names as filters are not run. What they would
 * store is known without them where the index vouches for the file, and for Git LFS, whose pointer is a hash.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "killick/base/file.h"
#include "git.h"

#define LINK_MAX_SIZE 65536
#define ATTRIBUTES_MAX (4u << 20)

/* --- the way there --- */

/* The folder that path's last part is in, its name at *last; -1 with errno. */
static int open_parent(const struct repo *r, const char *path, const char **last)
{
	int fd, in;
	struct stat st;

	if (!r->top || !path_is_sound(path)) {
		errno = ENOENT;
		return -1;
	}
	fd = open(r->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (; fd >= 0 && strchr(path, '/'); path = strchr(path, '/') + 1) {
		char *name = xstrndup(path, strcspn(path, "/"));

		in = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		free(name);
		close(fd);
		if (in < 0) {
			errno = errno == ENOTDIR || errno == ELOOP ? ENOENT : errno;
			return -1;
		}
		fd = in;
		if (fstatat(fd, ".git", &st, AT_SYMLINK_NOFOLLOW) == 0) {   /* a submodule: another repository's file */
			close(fd);
			errno = EXDEV;
			return -1;
		}
	}
	*last = path;
	return fd;
}

bool worktree_has(struct repo *r, const char *path)
{
	const char *last;
	struct stat st;
	bool yes;
	int fd;

	if (!*path)
		return r->top != NULL;
	fd = open_parent(r, path, &last);
	if (fd < 0)
		return false;
	yes = fstatat(fd, last, &st, AT_SYMLINK_NOFOLLOW) == 0;
	close(fd);
	return yes;
}

static int not_there(const struct repo *r, const char *path, struct err *e)
{
	if (!r->top)
		return err_set(e, ERR_NOT_FOUND, "a bare repository has no work tree, so no '%.600s' in it", path);
	if (errno == EXDEV)
		return err_set(e, ERR_NOT_FOUND, "'%.600s' is in a submodule, a repository of its own", path);
	if (errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "there is no '%.600s' in the work tree", path);
	return err_errno(e, "cannot read '%.600s'", path);
}

static int read_link(int dir, const char *last, const char *path, struct buf *out, struct err *e)
{
	char *target = xmalloc(LINK_MAX_SIZE);
	ssize_t n = readlinkat(dir, last, target, LINK_MAX_SIZE);

	if (n >= 0)
		buf_add(out, target, (size_t)n);
	else
		err_errno(e, "cannot read the link '%.600s'", path);
	free(target);
	return n < 0 ? -1 : 0;
}

static int read_regular(int dir, const char *last, const char *path, size_t max, struct stat *st, struct buf *out,
    struct err *e)
{
	/* not blocking: should it have become a pipe since */
	int fd = openat(dir, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_errno(e, "cannot read '%.600s'", path);
	rc = file_read_fd(fd, path, max, out, e);
	if (!rc && fstat(fd, st) < 0)
		rc = err_errno(e, "cannot read '%.600s'", path);
	close(fd);
	return rc;
}

/* The bytes as they lie there; *st says whether it was a link. */
static int read_raw(const struct repo *r, const char *path, size_t max, struct buf *out, struct stat *st, struct err *e)
{
	const char *last;
	int dir = open_parent(r, path, &last), rc;

	if (dir < 0)
		return not_there(r, path, e);
	if (fstatat(dir, last, st, AT_SYMLINK_NOFOLLOW) < 0)
		rc = not_there(r, path, e);
	else if (S_ISLNK(st->st_mode))
		rc = read_link(dir, last, path, out, e);
	else if (S_ISREG(st->st_mode))
		rc = read_regular(dir, last, path, max, st, out, e);
	else if (S_ISDIR(st->st_mode))
		rc = err_set(e, ERR_NOT_FOUND, "'%.600s' is a folder", path);
	else
		rc = err_set(e, ERR_BAD_DATA, "'%.600s' is a pipe, socket or device, not a file", path);
	close(dir);
	return rc;
}

/* --- what git would make of it --- */

static void add_attributes(struct buf *all, const char *dir, const char *name)
{
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;

	path_join(&path, dir, name);
	if (path_exists(path.ptr))
		file_read(path.ptr, ATTRIBUTES_MAX, all, &e);
	buf_release(&path);
}

/* The text of every attributes file that can say something about path, to see whether closer reading is needed. */
static void collect_attributes(struct repo *r, const char *path, struct buf *all)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *set;
	struct buf dir = BUF_INIT;
	struct arena a = ARENA_INIT;

	add_attributes(all, "/etc", "gitattributes");
	if (repo_config(r, CONFIG_ANY, "core.attributesFile", &a, &set)) {
		if (config_path(&dir, set))
			add_attributes(all, "/", dir.ptr);
	} else if (xdg && *xdg) {
		add_attributes(all, xdg, "git/attributes");
	} else if (config_path(&dir, "~/.config/git/attributes")) {
		add_attributes(all, "/", dir.ptr);
	}
	add_attributes(all, r->commondir, "info/attributes");
	buf_reset(&dir);
	buf_addstr(&dir, r->top);
	add_attributes(all, dir.ptr, ".gitattributes");
	for (const char *p = path, *slash; (slash = strchr(p, '/')); p = slash + 1) {
		buf_addch(&dir, '/');
		buf_add(&dir, p, (size_t)(slash - p));
		add_attributes(all, dir.ptr, ".gitattributes");
	}
	buf_release(&dir);
	arena_release(&a);
}

struct wanted { bool line_ends, ident, drivers; };

static struct wanted filters_wanted(struct repo *r, const char *path, const struct buf *raw)
{
	struct buf all = BUF_INIT;
	struct arena a = ARENA_INIT;
	struct wanted w = { .drivers = false };
	const char *crlf;
	bool convert;

	collect_attributes(r, path, &all);
	convert = repo_config(r, CONFIG_ANY, "core.autocrlf", &a, &crlf) && (!strcmp(crlf, "input") || git_bool(crlf, false));
	w.drivers = strstr(all.ptr, "filter") || strstr(all.ptr, "working-tree-encoding");
	w.line_ends = raw->len && memchr(raw->ptr, '\r', raw->len) && (convert || all.len);
	w.ident = strstr(all.ptr, "ident") && raw->len && memmem(raw->ptr, raw->len, "$Id", 3);
	buf_release(&all);
	arena_release(&a);
	return w;
}

/* git's own conversions, by libgit2: it has no others and runs no programs. */
static int convert_builtin(git_repository *lib, const char *path, struct buf *data, struct err *e)
{
	git_filter_options o = GIT_FILTER_OPTIONS_INIT;
	git_buf out = GIT_BUF_INIT;
	git_filter_list *fl = NULL;
	int rc;

	o.flags = GIT_FILTER_ALLOW_UNSAFE;
	rc = git_filter_list_load_ext(&fl, lib, NULL, path, GIT_FILTER_TO_ODB, &o);
	if (rc == 0 && fl)
		rc = git_filter_list_apply_to_buffer(&out, fl, data->ptr, data->len);
	if (rc == 0 && fl) {
		buf_reset(data);
		buf_add(data, out.ptr, out.size);
	}
	git_buf_dispose(&out);
	git_filter_list_free(fl);
	return rc < 0 ? err_git(e, rc, "cannot convert '%.600s' as its attributes say", path) : 0;
}

static const char *attribute(git_repository *lib, const char *path, const char *name)
{
	const char *v = NULL;

	if (git_attr_get(&v, lib, 0, path, name) < 0 || git_attr_value(v) != GIT_ATTR_VALUE_STRING)
		return NULL;
	return v;
}

/* The index knows this very file by its stat data, so its blob is what git would store. */
static bool index_vouches(struct repo *r, git_repository *lib, const char *path, const struct stat *st, struct oid *id)
{
	git_index *index = NULL;
	const git_index_entry *en;
	struct stat ist;
	bool ok = false;

	if (repo_index(r, lib, &index) < 0)
		goto out;
	en = git_index_get_bypath(index, path, 0);
	ok = en && en->file_size == (uint32_t)st->st_size && en->ino == (uint32_t)st->st_ino &&
	    en->mtime.seconds == (int32_t)st->st_mtim.tv_sec &&
	    (!en->mtime.nanoseconds || en->mtime.nanoseconds == (uint32_t)st->st_mtim.tv_nsec) &&
	    /* written in the same instant as the index: racy, as git calls it */
	    stat(git_index_path(index), &ist) == 0 && (ist.st_mtim.tv_sec > st->st_mtim.tv_sec ||
	    (ist.st_mtim.tv_sec == st->st_mtim.tv_sec && ist.st_mtim.tv_nsec > st->st_mtim.tv_nsec));
	if (ok)
		*id = oid_from_git(&en->id);
out:
	git_index_free(index);
	git_error_clear();
	return ok;
}

/* https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: what its clean filter stores. A pointer stays one. */
static void lfs_pointer(struct buf *data)
{
	static const char version[] = "version https://git-lfs.github.com/spec/v1\n";
	uint8_t sum[SHA256_SIZE];
	char hex[SHA256_HEX];
	size_t n = data->len;

	if (!n || (n < 1024 && str_starts(data->ptr, "version https://git-lfs.github.com/spec/")))
		return;
	hash_sha256(sum, data->ptr, n);
	hex_encode(hex, sum, sizeof(sum));
	buf_reset(data);
	buf_addf(data, "%soid sha256:%s\nsize %zu\n", version, hex, n);
}

static bool driver_is_set(struct repo *r, const char *name)
{
	static const char *const kinds[] = { "clean", "process" };
	struct arena a = ARENA_INIT;
	const char *v;
	bool set = false;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		set |= repo_config(r, CONFIG_ANY, arena_printf(&a, "filter.%s.%s", name, kinds[i]), &a, &v);
	arena_release(&a);
	return set;
}

/* Filter programs and encodings. 1: data is already what the index holds. */
static int convert_drivers(struct repo *r, git_repository *lib, const char *path, const struct stat *st, size_t max,
    struct buf *data, struct err *e)
{
	const char *driver = attribute(lib, path, "filter"), *encoding;
	struct buf text = BUF_INIT;
	struct oid id;

	if (driver && driver_is_set(r, driver)) {
		if (index_vouches(r, lib, path, st, &id) && repo_blob(r, &id, max, &text, e) == 0) {
			buf_reset(data);
			buf_addbuf(data, &text);
			buf_release(&text);
			return 1;
		}
		if (!strcmp(driver, "lfs"))
			lfs_pointer(data);
	}
	encoding = attribute(lib, path, "working-tree-encoding");
	if (encoding && strcasecmp(encoding, "UTF-8") && recode(!strcasecmp(encoding, "UTF-16LE-BOM") ? "UTF-16" : encoding,
	    data->ptr, data->len, &text)) {
		buf_reset(data);
		buf_addbuf(data, &text);
	}
	buf_release(&text);
	return 0;
}

static int convert(struct repo *r, const char *path, const struct stat *st, size_t max, struct buf *data, struct err *e)
{
	struct wanted w = filters_wanted(r, path, data);
	git_repository *lib;
	int rc;

	if (!w.drivers && !w.line_ends && !w.ident)
		return 0;
	if (repo_lib(r, &lib, e))
		return -1;
	rc = w.drivers ? convert_drivers(r, lib, path, st, max, data, e) : 0;
	if (rc == 0 && (w.line_ends || w.ident))
		rc = convert_builtin(lib, path, data, e);
	return rc < 0 ? -1 : 0;
}

int repo_worktree_file(struct repo *r, const char *path, size_t max, struct buf *out, struct oid *id, struct err *e)
{
	struct buf data = BUF_INIT;
	char hex[GIT_OID_HEX];
	struct stat st;
	int rc = read_raw(r, path, max, &data, &st, e);

	if (!rc && S_ISREG(st.st_mode))
		rc = convert(r, path, &st, max, &data, e);
	if (!rc && id) {
		hash_git_blob(hex, data.ptr, data.len);
		oid_parse(hex, id);
	}
	if (!rc && out)
		buf_addbuf(out, &data);
	buf_release(&data);
	return rc;
}
