/* SPDX-License-Identifier: MIT */
/*
 * libgit2's start, options and errors.
 *
 * Options, set once a process: the extensions that only concern git itself are declared as known (without that
 * libgit2 1.5 refuses such repositories), everything we write is fsynced, the owner check stays on, and packs are mapped
 * in small windows, for a program that lives all day. Its object cache is off: walks remember what they need, and once it
 * is full it only costs (walking curl's 39,490 commits along a path: 2.1 s and 102 MB with it, 1.7 s and 73 MB without).
 */
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include "git.h"

#define WINDOW_SIZE (8u << 20)
#define WINDOW_TOTAL (64u << 20)
#define FRUGAL_SIZE (1u << 20)
#define FRUGAL_TOTAL (8u << 20)

/*
 * libgit2 built with mbedTLS (Debian's is) reads and decodes the host's 140 certificates as it starts: 7 of its 8 ms,
 * measured, in every hook and command. This program's definition goes before the library's, so that none are read. Were
 * libgit2 ever asked to speak TLS, it would trust nobody.
 */
int mbedtls_x509_crt_parse_file(void *chain, const char *path);
int mbedtls_x509_crt_parse_file(void *chain, const char *path)
{
	(void)chain;
	(void)path;
	return 0;
}

#if defined(__SANITIZE_ADDRESS__)
/* libgit2 1.5 forgets PCRE2's match data wherever nothing matched, as it looks for extensions in a version 1 repository. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2-8\n";
}
#endif

/* git's variables that move the configuration files: libgit2 does not know them. See also repo_lib. */
static void lib_config_paths(void)
{
	if (git_bool(getenv("GIT_CONFIG_NOSYSTEM"), false) || getenv("GIT_CONFIG_SYSTEM"))
		libgit2_opts()(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_SYSTEM, "");
	if (getenv("GIT_CONFIG_GLOBAL")) {
		libgit2_opts()(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_XDG, "");
		libgit2_opts()(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_GLOBAL, "");
	}
}

int lib_start(struct err *e)
{
	static const char *extensions[] = { "preciousobjects", "partialclone", "worktreeconfig", "relativeworktrees" };
	int n;

	if (libgit2_open(e))
		return -1;
	n = git_libgit2_init();
	if (n < 0)
		return err_git(e, n, "libgit2 does not start");
	if (n > 1)
		return 0;
	libgit2_opts()(GIT_OPT_SET_EXTENSIONS, extensions, ARRAY_SIZE(extensions));
	libgit2_opts()(GIT_OPT_SET_OWNER_VALIDATION, 1);
	libgit2_opts()(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	libgit2_opts()(GIT_OPT_SET_MWINDOW_SIZE, (size_t)WINDOW_SIZE);
	libgit2_opts()(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)WINDOW_TOTAL);
	libgit2_opts()(GIT_OPT_ENABLE_CACHING, 0);
	lib_config_paths();
	return 0;
}

void lib_frugal(void)
{
	libgit2_opts()(GIT_OPT_SET_MWINDOW_SIZE, (size_t)FRUGAL_SIZE);
	libgit2_opts()(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)FRUGAL_TOTAL);
}

void lib_stop(void)
{
	git_libgit2_shutdown();
}

int lib_open(const char *gitdir, bool trusted, git_repository **out, struct err *e)
{
	int rc;

	if (trusted)
		libgit2_opts()(GIT_OPT_SET_OWNER_VALIDATION, 0);
	rc = git_repository_open_ext(out, gitdir, GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_NO_DOTGIT, NULL);
	if (trusted)
		libgit2_opts()(GIT_OPT_SET_OWNER_VALIDATION, 1);
	if (rc < 0)
		return err_git(e, rc, "cannot open the repository '%s'", gitdir);
	return 0;
}

static const struct { int rc; enum err_code code; } rc_codes[] = {
	{ GIT_ENOTFOUND, ERR_NOT_FOUND },
	{ GIT_EAMBIGUOUS, ERR_AMBIGUOUS },
	{ GIT_EEXISTS, ERR_CONFLICT },
	{ GIT_EMODIFIED, ERR_CONFLICT },
	{ GIT_ENONFASTFORWARD, ERR_CONFLICT },
	{ GIT_ECONFLICT, ERR_CONFLICT },
	{ GIT_ELOCKED, ERR_BUSY },
	{ GIT_EINVALIDSPEC, ERR_USAGE },
	{ GIT_EMISMATCH, ERR_BAD_DATA },
	{ GIT_EUSER, ERR_CANCELLED },
};

static const struct { int klass; enum err_code code; } class_codes[] = {
	{ GIT_ERROR_OS, ERR_IO },
	{ GIT_ERROR_FILESYSTEM, ERR_IO },
	{ GIT_ERROR_ZLIB, ERR_BAD_DATA },
	{ GIT_ERROR_OBJECT, ERR_BAD_DATA },
	{ GIT_ERROR_ODB, ERR_BAD_DATA },
	{ GIT_ERROR_TREE, ERR_BAD_DATA },
	{ GIT_ERROR_INDEX, ERR_BAD_DATA },
	{ GIT_ERROR_CONFIG, ERR_BAD_DATA },
};

static enum err_code code_of(int rc, const git_error *g)
{
	for (size_t i = 0; i < ARRAY_SIZE(rc_codes); i++)
		if (rc_codes[i].rc == rc)
			return rc_codes[i].code;
	for (size_t i = 0; g && i < ARRAY_SIZE(class_codes); i++)
		if (class_codes[i].klass == g->klass)
			return class_codes[i].code;
	return ERR_FAILED;
}

int err_git(struct err *e, int rc, const char *fmt, ...)
{
	const git_error *g = git_error_last();
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	if (g && g->message && *g->message)
		buf_addf(&b, ": %s", g->message);
	err_set(e, code_of(rc, g), "%s", b.ptr);
	buf_release(&b);
	git_error_clear();
	return -1;
}
