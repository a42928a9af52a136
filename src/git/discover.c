/* SPDX-License-Identifier: MIT */
/*
 * Finding the repository by git's own rules (git's setup.c, gitrepository-layout(5)), without libgit2.
 *
 * GIT_DIR decides where it is set. Else every folder from the working one upwards is looked at for ".git" (a folder, or
 * a file "gitdir: …" of a worktree or submodule) and for being a bare repository itself, until a ceiling, a file-system
 * border or the root. What was found must belong to the user, or be named by safe.directory in the user's own
 * configuration, before a byte of its configuration is believed (CVE-2022-24765).
 */
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "killick/base/file.h"
#include "git.h"

#define GITFILE_MAX 65536

struct found {
	struct buf top;     /* empty: none */
	struct buf gitdir;
	struct buf gitfile; /* the ".git" file that led there, or empty */
	bool is_explicit;   /* GIT_DIR said so: no owner check, as git */
	bool bare;          /* met a repository without ".git" */
};

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void path_join(struct buf *out, const char *dir, const char *name)
{
	buf_reset(out);
	if (*name != '/') {
		buf_addstr(out, dir);
		if (out->len && out->ptr[out->len - 1] != '/')
			buf_addch(out, '/');
	}
	buf_addstr(out, name);
}

/* realpath into a buf; false with errno. */
static bool real_path(struct buf *out, const char *path)
{
	char *real = realpath(path, NULL);

	if (!real)
		return false;
	buf_reset(out);
	buf_addstr(out, real);
	free(real);
	return true;
}

/* A ref's name or an id, as HEAD must hold: "ref: refs/…" or hex digits; an old link into refs/ will do. */
static bool head_is_valid(const char *gitdir)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct err e = ERR_INIT;
	char link[8] = "";
	bool ok = false;
	const char *p;

	path_join(&path, gitdir, "HEAD");
	if (readlink(path.ptr, link, sizeof(link) - 1) >= 5) {
		ok = str_starts(link, "refs/");
		goto out;
	}
	if (file_read(path.ptr, GITFILE_MAX, &text, &e))
		goto out;
	p = text.ptr;
	if (str_starts(p, "ref:")) {
		for (p += 4; *p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'; p++)
			;
		ok = str_starts(p, "refs/");
	} else {
		ok = text.len >= GIT_OID_HEX - 1 && strspn(p, "0123456789abcdef") >= GIT_OID_HEX - 1;
	}
out:
	buf_release(&path);
	buf_release(&text);
	return ok;
}

/* Where refs and objects lie: GIT_COMMON_DIR, the file "commondir", or the git directory itself. */
static bool common_dir(struct buf *out, const char *gitdir, const char *cwd)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct err e = ERR_INIT;
	const char *env = getenv("GIT_COMMON_DIR");
	bool ok;

	if (env && *env) {
		path_join(&path, cwd, env);
	} else {
		path_join(&path, gitdir, "commondir");
		if (file_read(path.ptr, GITFILE_MAX, &text, &e) == 0) {
			buf_rtrim(&text);
			path_join(&path, gitdir, text.ptr);
		} else {
			path_join(&path, gitdir, ".");
		}
	}
	ok = real_path(out, path.ptr);
	buf_release(&path);
	buf_release(&text);
	return ok;
}

static bool is_git_dir(const char *dir, const char *cwd)
{
	struct buf common = BUF_INIT, path = BUF_INIT;
	bool ok = false;

	if (!head_is_valid(dir) || !common_dir(&common, dir, cwd))
		goto out;
	path_join(&path, common.ptr, "refs");
	if (!is_dir(path.ptr))
		goto out;
	path_join(&path, common.ptr, "objects");
	ok = is_dir(path.ptr) || getenv("GIT_OBJECT_DIRECTORY");
out:
	buf_release(&common);
	buf_release(&path);
	return ok;
}

/* The path in a ".git" file, relative ones from its own folder. 1 found, 0 no such file, -1 malformed. */
static int gitfile_read(const char *path, struct buf *out, struct err *e)
{
	struct buf text = BUF_INIT, dir = BUF_INIT;
	struct stat st;
	const char *to;
	int rc = -1;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (file_read(path, GITFILE_MAX, &text, e))
		goto out;
	while (text.len && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
		buf_setlen(&text, text.len - 1);
	if (!str_starts(text.ptr, "gitdir: ") || text.len <= 8 || strlen(text.ptr) != text.len) {
		err_set(e, ERR_BAD_DATA, "'%s' does not say where its repository is (a line \"gitdir: FOLDER\")", path);
		goto out;
	}
	to = text.ptr + 8;
	buf_add(&dir, path, (size_t)(strrchr(path, '/') - path) + 1);
	path_join(out, dir.ptr, to);
	rc = 1;
out:
	buf_release(&text);
	buf_release(&dir);
	return rc;
}

/* Bytes of dir that must not be gone below: the longest ceiling that is an ancestor, or 0. */
static size_t ceiling_length(const char *dir)
{
	const char *env = getenv("GIT_CEILING_DIRECTORIES");
	struct buf one = BUF_INIT, real = BUF_INIT;
	size_t best = 0, n;
	bool resolve = true;

	for (const char *p = env; p && *p; p += *p == ':') {
		n = strcspn(p, ":");
		buf_reset(&one);
		buf_add(&one, p, n);
		p += n;
		if (!n)
			resolve = false;   /* an empty entry: the rest are taken as they are (git(1)) */
		if (one.ptr[0] != '/')
			continue;
		if (resolve && real_path(&real, one.ptr)) {
			buf_reset(&one);
			buf_addbuf(&one, &real);
		}
		while (one.len > 1 && one.ptr[one.len - 1] == '/')
			buf_setlen(&one, one.len - 1);
		n = one.len == 1 ? 0 : one.len;
		if (strncmp(dir, one.ptr, n) == 0 && dir[n] == '/' && dir[n + 1] && n + 1 > best)
			best = n + 1;
	}
	buf_release(&one);
	buf_release(&real);
	return best;
}

/* Looks at one folder: 1 found, 0 not here, -1. */
static int look_at(const char *dir, const char *cwd, struct found *f, struct err *e)
{
	struct buf dot = BUF_INIT;
	int rc;

	path_join(&dot, dir, ".git");
	rc = gitfile_read(dot.ptr, &f->gitdir, e);
	if (rc > 0 && !is_git_dir(f->gitdir.ptr, cwd)) {
		rc = err_set(e, ERR_NOT_FOUND, "'%s' names '%s', which is not a git repository (a worktree or submodule "
		    "that was moved? 'git worktree repair' may help)", dot.ptr, f->gitdir.ptr);
	} else if (rc > 0) {
		buf_addbuf(&f->gitfile, &dot);
		buf_addstr(&f->top, dir);
	} else if (rc == 0 && is_git_dir(dot.ptr, cwd)) {
		buf_addbuf(&f->gitdir, &dot);
		buf_addstr(&f->top, dir);
		rc = 1;
	} else if (rc == 0 && is_git_dir(dir, cwd)) {
		buf_addstr(&f->gitdir, dir);
		f->bare = true;
		rc = 1;
	}
	buf_release(&dot);
	return rc;
}

static int not_found(const char *cwd, const char *stop, struct err *e)
{
	if (stop)
		return err_set(e, ERR_NOT_FOUND, "'%s' is not in a git repository (looked up to the file-system border at "
		    "'%s'; GIT_DISCOVERY_ACROSS_FILESYSTEM=1 looks further)", cwd, stop);
	return err_set(e, ERR_NOT_FOUND, "'%s' is not in a git repository; go into one, name one with -C, or make one with "
	    "'git init'", cwd);
}

static int walk_up(const char *cwd, struct found *f, struct err *e)
{
	const char *across = getenv("GIT_DISCOVERY_ACROSS_FILESYSTEM");
	struct buf dir = BUF_INIT;
	size_t ceiling = ceiling_length(cwd);
	struct stat st;
	dev_t dev;
	int rc;

	buf_addstr(&dir, cwd);
	dev = stat(cwd, &st) == 0 ? st.st_dev : 0;
	while ((rc = look_at(dir.ptr, cwd, f, e)) == 0) {
		char *slash = strrchr(dir.ptr, '/');
		size_t n = (size_t)(slash - dir.ptr);

		if (dir.len <= 1 || n + 1 <= ceiling) {
			rc = not_found(cwd, NULL, e);
			break;
		}
		buf_setlen(&dir, n ? n : 1);
		if (!git_bool(across, false) && stat(dir.ptr, &st) == 0 && st.st_dev != dev) {
			rc = not_found(cwd, dir.ptr, e);
			break;
		}
	}
	buf_release(&dir);
	return rc < 0 ? -1 : 0;
}

static int from_environment(const char *env, const char *cwd, struct found *f, struct err *e)
{
	struct buf path = BUF_INIT;
	int rc;

	path_join(&path, cwd, env);
	rc = gitfile_read(path.ptr, &f->gitdir, e);
	if (rc == 0)
		buf_addbuf(&f->gitdir, &path);
	if (rc >= 0 && !is_git_dir(f->gitdir.ptr, cwd))
		rc = err_set(e, ERR_NOT_FOUND, "'%s' is not a git repository (GIT_DIR says so)", env);
	f->is_explicit = true;
	buf_release(&path);
	return rc < 0 ? -1 : 0;
}

/* git's is_path_owned_by_current_uid: root through sudo is also the user who called it. */
static bool owned_by_us(const char *path)
{
	const char *sudo = getenv("SUDO_UID");
	uid_t euid = geteuid();
	struct stat st;
	uint64_t uid;

	if (lstat(path, &st) < 0)
		return false;
	if (st.st_uid == euid)
		return true;
	return euid == 0 && sudo && str_to_u64(sudo, (uid_t)-1, &uid) && st.st_uid == (uid_t)uid;
}

/* safe.directory, as git-config(1) says: the last empty value forgets the ones before it. */
struct safe_check { const char *path; bool safe; };

static int safe_each(void *ctx, const char *key, const char *value, const char *origin)
{
	struct safe_check *s = ctx;
	struct buf want = BUF_INIT, real = BUF_INIT;
	size_t n;

	(void)origin;
	if (strcmp(key, "safe.directory") != 0)
		return 0;
	if (!*value) {
		s->safe = false;
	} else if (!strcmp(value, "*")) {
		s->safe = true;
	} else if (config_path(&want, value)) {
		n = want.len;
		if (n >= 2 && !strcmp(want.ptr + n - 2, "/*"))
			s->safe |= strncmp(s->path, want.ptr, n - 1) == 0;
		else
			s->safe |= !strcmp(s->path, want.ptr) || (real_path(&real, want.ptr) && !strcmp(s->path, real.ptr));
	}
	buf_release(&want);
	buf_release(&real);
	return 0;
}

static int check_owner(const struct found *f, const char *path, struct err *e)
{
	struct safe_check s = { .path = path };
	struct buf quoted = BUF_INIT;
	struct stat st;
	const char *of = NULL;

	if (f->gitfile.len && !owned_by_us(f->gitfile.ptr))
		of = f->gitfile.ptr;
	else if (f->top.len && !owned_by_us(f->top.ptr))
		of = f->top.ptr;
	else if (!owned_by_us(f->gitdir.ptr))
		of = f->gitdir.ptr;
	if (!of)
		return 0;
	config_user_each("safe.", safe_each, &s);
	if (s.safe)
		return 0;
	buf_add_shell_word(&quoted, path);
	err_set(e, ERR_FAILED, "'%s' belongs to somebody else (user id %ld), so its configuration is not trusted; if you "
	    "trust it: git config --global --add safe.directory %s", of, lstat(of, &st) == 0 ? (long)st.st_uid : -1L,
	    quoted.ptr);
	buf_release(&quoted);
	return -1;
}

static int bare_each(void *ctx, const char *key, const char *value, const char *origin)
{
	(void)origin;
	if (!strcmp(key, "safe.barerepository"))
		*(bool *)ctx = !strcmp(value, "explicit");
	return 0;
}

static int check_bare(const struct found *f, struct err *e)
{
	bool refused = false;

	if (f->bare)
		config_user_each("safe.", bare_each, &refused);
	if (refused)
		return err_set(e, ERR_FAILED, "'%s' is a bare repository and safe.bareRepository is \"explicit\"; name it with "
		    "GIT_DIR", f->gitdir.ptr);
	return 0;
}

/* What the repository's own configuration says about its shape. */
struct shape {
	int bare;              /* -1 not said */
	const char *worktree;  /* core.worktree or NULL */
	uint64_t version;
	bool partial, worktree_config;
	const char *format, *ref_storage, *unknown;
};

static const char *const known_extensions[] = {
	"noop", "preciousobjects", "partialclone", "worktreeconfig", "relativeworktrees", NULL,
};

static bool word_in(const char *const *words, const char *w)
{
	for (; *words; words++)
		if (!strcmp(*words, w))
			return true;
	return false;
}

static void shape_extension(struct shape *s, const char *name, const char *value)
{
	if (!strcmp(name, "partialclone"))
		s->partial = true;
	else if (!strcmp(name, "worktreeconfig"))
		s->worktree_config = git_bool(value, true);
	else if (!strcmp(name, "objectformat") || !strcmp(name, "compatobjectformat"))
		s->format = strcmp(value, "sha1") ? value : s->format;
	else if (!strcmp(name, "refstorage"))
		s->ref_storage = strcmp(value, "files") ? value : s->ref_storage;
	else if (!word_in(known_extensions, name))
		s->unknown = name;
}

static int shape_each(void *ctx, const char *key, const char *value, const char *origin)
{
	struct shape *s = ctx;

	(void)origin;
	if (!strcmp(key, "core.bare"))
		s->bare = git_bool(value, true);
	else if (!strcmp(key, "core.worktree"))
		s->worktree = value;
	else if (!strcmp(key, "core.repositoryformatversion"))
		s->version = str_to_u64(value, UINT32_MAX, &s->version) ? s->version : UINT32_MAX;
	else if (str_starts(key, "extensions."))
		shape_extension(s, key + 11, value);
	else if (str_starts(key, "remote.") && str_ends(key, ".promisor"))
		s->partial |= git_bool(value, true);
	return 0;
}

static int shape_check(const struct shape *s, const char *gitdir, struct err *e)
{
	if (s->version > 1)
		return err_set(e, ERR_BAD_DATA, "'%s' has repository format version %llu; versions 0 and 1 are known", gitdir,
		    (unsigned long long)s->version);
	if (s->version == 0)
		return 0;
	if (s->format)
		return err_set(e, ERR_BAD_DATA, "'%s' names its objects by %s; this killick reads SHA-1 repositories only "
		    "(libgit2 1.5 knows no other)", gitdir, s->format);
	if (s->ref_storage)
		return err_set(e, ERR_BAD_DATA, "'%s' keeps its refs as %s; this killick reads the \"files\" format only ('git "
		    "refs migrate --ref-format=files' converts it)", gitdir, s->ref_storage);
	if (s->unknown)
		return err_set(e, ERR_BAD_DATA, "'%s' uses the extension '%s', which this killick does not know", gitdir,
		    s->unknown);
	return 0;
}

static int shape_read(struct repo *r, struct arena *a, struct shape *s, struct err *e)
{
	struct buf path = BUF_INIT;
	int rc;

	path_join(&path, r->commondir, "config");
	rc = config_file_each(path.ptr, a, shape_each, s, e);
	if (!rc && s->worktree_config) {
		path_join(&path, r->gitdir, "config.worktree");
		rc = config_file_each(path.ptr, a, shape_each, s, e);
	}
	if (!rc)
		rc = shape_check(s, r->gitdir, e);
	r->partial = s->partial;
	r->worktree_config = s->worktree_config;
	buf_release(&path);
	return rc;
}

/* The work tree: GIT_WORK_TREE, core.worktree, none where bare, else what the walk met or (GIT_DIR alone) here. */
static int work_tree(struct repo *r, const struct found *f, const struct shape *s, struct err *e)
{
	const char *env = getenv("GIT_WORK_TREE");
	struct buf path = BUF_INIT, real = BUF_INIT;
	int rc = 0;

	if (f->is_explicit && env && *env)
		path_join(&path, r->cwd, env);
	else if (s->worktree && !(f->bare && s->bare == 1))
		path_join(&path, r->gitdir, s->worktree);
	else if (s->bare == 1 || f->bare)
		goto out;
	else if (f->is_explicit && !git_bool(getenv("GIT_IMPLICIT_WORK_TREE"), true))
		goto out;
	else
		buf_addstr(&path, f->is_explicit ? r->cwd : f->top.ptr);
	if (!real_path(&real, path.ptr)) {
		rc = err_errno(e, "cannot find the work tree '%s'", path.ptr);
		goto out;
	}
	/* A hook of a plain push stands in the git directory with only GIT_DIR set: that is no work tree. */
	if (f->is_explicit && !(env && *env) && !s->worktree && path_below(r->gitdir, real.ptr))
		goto out;
	r->top = buf_detach(&real);
out:
	buf_release(&path);
	buf_release(&real);
	return rc;
}

const char *path_below(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	if (!strcmp(dir, "/"))
		return path + 1;
	if (strncmp(path, dir, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	return path[n] ? path + n + 1 : path + n;
}

static void set_prefix(struct repo *r)
{
	const char *below = r->top ? path_below(r->top, r->cwd) : NULL;

	r->prefix = below && *below ? xasprintf("%s/", below) : xstrdup("");
}

static void set_index_file(struct repo *r)
{
	const char *env = getenv("GIT_INDEX_FILE");
	struct buf path = BUF_INIT;

	if (!env || !*env)
		return;
	/* git goes to the top first and then takes it from there */
	path_join(&path, r->top ? r->top : r->cwd, env);
	r->index_file = buf_detach(&path);
}

static int find_in(const char *dir, struct repo *r, struct found *f, struct err *e)
{
	const char *env = getenv("GIT_DIR");
	struct arena a = ARENA_INIT;
	struct shape s = { .bare = -1 };
	struct buf real = BUF_INIT;
	int rc = -1;

	errno = ENOTDIR;
	if (!real_path(&real, dir ? dir : ".") || !is_dir(real.ptr)) {
		err_errno(e, "cannot enter '%s'", dir ? dir : ".");
		goto out;
	}
	r->cwd = buf_detach(&real);
	if (env && *env ? from_environment(env, r->cwd, f, e) : walk_up(r->cwd, f, e))
		goto out;
	if (!real_path(&real, f->gitdir.ptr)) {
		err_errno(e, "cannot find '%s'", f->gitdir.ptr);
		goto out;
	}
	r->gitdir = buf_detach(&real);
	if (!common_dir(&real, r->gitdir, r->cwd)) {
		err_errno(e, "cannot find what '%s/commondir' names", r->gitdir);
		goto out;
	}
	r->commondir = buf_detach(&real);
	if (!f->is_explicit && (check_owner(f, f->top.len ? f->top.ptr : r->gitdir, e) || check_bare(f, e)))
		goto out;
	if (shape_read(r, &a, &s, e) || work_tree(r, f, &s, e))
		goto out;
	set_prefix(r);
	set_index_file(r);
	rc = 0;
out:
	buf_release(&real);
	arena_release(&a);
	return rc;
}

int repo_find(const char *dir, struct repo **out, struct err *e)
{
	struct repo *r = xcalloc(1, sizeof(*r));
	struct found f = { .top = BUF_INIT, .gitdir = BUF_INIT, .gitfile = BUF_INIT };
	int rc = find_in(dir, r, &f, e);

	buf_release(&f.top);
	buf_release(&f.gitdir);
	buf_release(&f.gitfile);
	if (rc) {
		repo_close(r);
		return -1;
	}
	trace("git", "repository %s, work tree %s", r->gitdir, r->top ? r->top : "none");
	*out = r;
	return 0;
}
