/* SPDX-License-Identifier: MIT */
/* struct repo: what it is made of, and libgit2's handle on it, opened on first need. */
#include "config.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "git.h"

const char *repo_top(const struct repo *r)
{
	return r->top;
}

const char *repo_gitdir(const struct repo *r)
{
	return r->gitdir;
}

const char *repo_commondir(const struct repo *r)
{
	return r->commondir;
}

const char *repo_prefix(const struct repo *r)
{
	return r->prefix;
}

bool repo_is_bare(const struct repo *r)
{
	return !r->top;
}

bool repo_is_partial(const struct repo *r)
{
	return r->partial;
}

bool repo_is_shallow(const struct repo *r)
{
	struct buf path = BUF_INIT;
	struct stat st;
	bool yes;

	path_join(&path, r->commondir, "shallow");
	yes = stat(path.ptr, &st) == 0 && st.st_size > 0;
	buf_release(&path);
	return yes;
}

/* Files that the environment names in place of the usual ones (git(1)): libgit2 does not know the variables. */
static void add_env_config(git_repository *lib)
{
	static const struct { const char *env; git_config_level_t level; } files[] = {
		{ "GIT_CONFIG_SYSTEM", GIT_CONFIG_LEVEL_SYSTEM },
		{ "GIT_CONFIG_GLOBAL", GIT_CONFIG_LEVEL_GLOBAL },
	};
	git_config *c = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const char *path = getenv(files[i].env);

		if (!path || access(path, R_OK) < 0 || (!c && git_repository_config(&c, lib) < 0))
			continue;
		git_config_add_file_ondisk(c, path, files[i].level, lib, 1);
	}
	git_config_free(c);
}

/* Quarantined and borrowed objects of hooks (git-receive-pack(1)). */
static void add_env_objects(git_odb *odb)
{
	static const char *const names[] = { "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES" };
	struct buf one = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *p = getenv(names[i]);

		for (; p && *p; p += *p == ':') {
			size_t n = strcspn(p, ":");

			buf_reset(&one);
			buf_add(&one, p, n);
			p += n;
			if (one.len)
				git_odb_add_disk_alternate(odb, one.ptr);
		}
	}
	buf_release(&one);
}

int repo_lib(struct repo *r, git_repository **out, struct err *e)
{
	int rc;

	if (!r->lib) {
		if (!r->lib_started && lib_start(e))
			return -1;
		r->lib_started = true;
		if (r->frugal)
			lib_frugal();
		trace("git", "libgit2 opens %s", r->gitdir);
		if (lib_open(r->gitdir, true, &r->lib, e))
			return -1;
		add_env_config(r->lib);
		if (r->top) {
			const char *top = git_repository_workdir(r->lib);

			/* libgit2 does not know GIT_WORK_TREE; its own paths end in '/' */
			if (!top || strncmp(top, r->top, strlen(r->top)) != 0 || strlen(top) != strlen(r->top) + 1) {
				rc = git_repository_set_workdir(r->lib, r->top, 0);
				if (rc < 0)
					return err_git(e, rc, "cannot use the work tree '%s'", r->top);
			}
		}
	}
	*out = r->lib;
	return 0;
}

int repo_odb(struct repo *r, git_odb **out, struct err *e)
{
	git_repository *lib;
	int rc;

	if (!r->odb) {
		if (repo_lib(r, &lib, e))
			return -1;
		rc = git_repository_odb(&r->odb, lib);
		if (rc < 0)
			return err_git(e, rc, "cannot open the objects of '%s'", r->gitdir);
		add_env_objects(r->odb);
	}
	*out = r->odb;
	return 0;
}

int repo_index(struct repo *r, git_repository *lib, git_index **out)
{
	return r->index_file ? git_index_open(out, r->index_file) : git_repository_index(out, lib);
}

static void forget_shallow(struct repo *r)
{
	if (r->shallow)
		array_release(r->shallow);
	free(r->shallow);
	r->shallow = NULL;
}

void repo_refresh(struct repo *r)
{
	config_free(r->config);
	r->config = NULL;
	free(r->name);
	r->name = NULL;
	forget_shallow(r);
	commit_cache_free(r->commits);
	r->commits = NULL;
	graph_free(r->graph);
	r->graph = NULL;
	r->graph_tried = false;
	if (r->odb)
		git_odb_refresh(r->odb);
	if (r->lib_started)
		git_error_clear();
}

void repo_frugal(struct repo *r)
{
	r->frugal = true;
	if (r->lib_started)
		lib_frugal();
}

/* libgit2 keeps up to 16 MB of a pack's objects for the deltas on them, and nothing but closing the pack empties that. */
void repo_trim(struct repo *r)
{
	if (r->odb)
		git_odb_free(r->odb);
	if (r->lib)
		git_repository_free(r->lib);
	r->odb = NULL;
	r->lib = NULL;
}

void repo_close(struct repo *r)
{
	if (!r)
		return;
	config_free(r->config);
	commit_cache_free(r->commits);
	graph_free(r->graph);
	forget_shallow(r);
	if (r->odb)
		git_odb_free(r->odb);
	if (r->lib)
		git_repository_free(r->lib);
	if (r->lib_started)
		lib_stop();
	free(r->top);
	free(r->gitdir);
	free(r->commondir);
	free(r->prefix);
	free(r->name);
	free(r->cwd);
	free(r->index_file);
	free(r);
}
