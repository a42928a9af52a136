/* SPDX-License-Identifier: MIT */
/* Diffs of content: hunks of two buffers, and a commit as a patch. Both by libgit2's xdiff, which is git's. */
#include "config.h"
#include "killick/git/history.h"
#include "git.h"

#define PATCH_FILE_MAX (16 << 20)   /* bigger files are shown as binary ones */
#define RENAME_LIMIT 400

/* --- hunks --- */

struct hunks { ARRAY(struct hunk) all; };

static int add_hunk(const git_diff_delta *d, const git_diff_hunk *h, void *ctx)
{
	struct hunks *hs = ctx;

	(void)d;
	*array_add(&hs->all) = (struct hunk){ (uint32_t)h->old_start, (uint32_t)h->old_lines, (uint32_t)h->new_start,
		(uint32_t)h->new_lines };
	return 0;
}

int repo_hunks(const void *old, size_t old_len, const void *new_, size_t new_len, struct arena *a, struct hunk **out,
    size_t *n, struct err *e)
{
	git_diff_options o = GIT_DIFF_OPTIONS_INIT;
	struct hunks hs = { ARRAY_INIT };
	int rc;

	*n = 0;
	if (old_len == new_len && (!old_len || !memcmp(old, new_, old_len)))
		return 0;
	if (lib_start(e))
		return -1;
	o.flags = GIT_DIFF_FORCE_TEXT | GIT_DIFF_PATIENCE | GIT_DIFF_INDENT_HEURISTIC;
	o.context_lines = 0;
	o.max_size = -1;
	rc = git_diff_buffers(old, old_len, NULL, new_, new_len, NULL, &o, NULL, NULL, add_hunk, NULL, &hs);
	if (rc < 0)
		rc = err_git(e, rc, "cannot compare two texts");
	lib_stop();
	*n = rc ? 0 : hs.all.len;
	*out = (struct hunk *)(void *)arena_memdup(a, hs.all.items, *n * sizeof(**out));
	array_release(&hs.all);
	return rc;
}

/* --- a commit's patch --- */

struct patch_out { struct buf *out; size_t max; bool cut; };

static int add_line(const git_diff_delta *d, const git_diff_hunk *h, const git_diff_line *line, void *ctx)
{
	struct patch_out *p = ctx;
	bool marked = line->origin == '+' || line->origin == '-' || line->origin == ' ';

	(void)d;
	(void)h;
	if (p->out->len + line->content_len + marked > p->max) {
		p->cut = true;
		return GIT_EUSER;
	}
	if (marked)
		buf_addch(p->out, line->origin);
	buf_add(p->out, line->content, line->content_len);
	return 0;
}

/* A file whose content is not here (a partial clone): its names, and why there is no more. */
static void add_absent(struct patch_out *p, const git_diff_delta *d)
{
	git_error_clear();
	buf_addf(p->out, "diff --git a/%s b/%s\nContents are not in this partial clone.\n", d->old_file.path,
	    d->new_file.path);
}

static int add_file(struct patch_out *p, git_diff *diff, size_t i, struct err *e)
{
	git_patch *patch = NULL;
	int rc = git_patch_from_diff(&patch, diff, i);

	if (rc == GIT_ENOTFOUND) {
		add_absent(p, git_diff_get_delta(diff, i));
		return 0;
	}
	if (rc == 0 && patch)
		rc = git_patch_print(patch, add_line, p);
	git_patch_free(patch);
	if (rc == GIT_EUSER && p->cut)
		return 0;
	return rc < 0 ? err_git(e, rc, "cannot show the changes of '%.300s'", git_diff_get_delta(diff, i)->new_file.path) : 0;
}

static int tree_of(git_repository *lib, const struct oid *id, git_tree **out, struct err *e)
{
	git_oid g = oid_to_git(id);
	int rc = git_tree_lookup(out, lib, &g);

	return rc < 0 ? err_git(e, rc, "cannot read the files of a commit") : 0;
}

static void join_renames(struct repo *r, git_diff *diff)
{
	git_diff_find_options o = GIT_DIFF_FIND_OPTIONS_INIT;

	o.flags = GIT_DIFF_FIND_RENAMES;
	if (r->partial)
		o.flags |= GIT_DIFF_FIND_EXACT_MATCH_ONLY;   /* comparing would stop at a missing blob */
	o.rename_limit = RENAME_LIMIT;
	git_diff_find_similar(diff, &o);
	git_error_clear();
}

int repo_show(struct repo *r, const struct oid *commit, size_t max, struct buf *out, bool *cut, struct err *e)
{
	struct patch_out p = { .out = out, .max = max ? out->len + max : SIZE_MAX };
	git_diff_options o = GIT_DIFF_OPTIONS_INIT;
	git_tree *old = NULL, *new_ = NULL;
	struct commit_links l, pl;
	git_repository *lib;
	git_diff *diff = NULL;
	bool root;
	struct oid parent;
	int rc = -1;

	*cut = false;
	if (repo_lib(r, &lib, e) || repo_links(r, commit, &l, e))
		return -1;
	root = !l.n_parents;
	parent = root ? OID_ZERO : l.parents[0];
	if (tree_of(lib, &l.tree, &new_, e) || (!root && (repo_links(r, &parent, &pl, e) || tree_of(lib, &pl.tree, &old, e))))
		goto out;
	o.flags = GIT_DIFF_INDENT_HEURISTIC;
	o.max_size = PATCH_FILE_MAX;
	rc = git_diff_tree_to_tree(&diff, lib, old, new_, &o);
	if (rc < 0) {
		rc = err_git(e, rc, "cannot compare a commit with its parent");
		goto out;
	}
	join_renames(r, diff);
	for (size_t i = 0; !rc && !p.cut && i < git_diff_num_deltas(diff); i++)
		rc = add_file(&p, diff, i, e);
	*cut = p.cut;
out:
	git_diff_free(diff);
	git_tree_free(old);
	git_tree_free(new_);
	return rc;
}
