/* SPDX-License-Identifier: MIT */
/*
 * What changed between two trees, and between a tree, the index and the work tree.
 *
 * Two trees are compared here, raw, folder by folder where their ids differ: faster than libgit2's iterators, and a tree
 * is all that is needed, so that partial clones work. The work tree and the index are libgit2's; an index that it cannot
 * read (split or sparse) is put to git itself.
 */
#include "config.h"
#include <stdlib.h>
#include "killick/git/history.h"
#include "git.h"

#define MODE_TREE 0040000u

struct list { ARRAY(struct change) all; struct arena *a; };
struct filter_args { struct names *args; struct arena *a; };


static char status_of(unsigned old_mode, unsigned new_mode)
{
	if (!old_mode)
		return 'A';
	if (!new_mode)
		return 'D';
	return (old_mode & 0170000) == (new_mode & 0170000) ? 'M' : 'T';
}

static void add(struct list *l, const char *path, const struct tree_item *old, const struct tree_item *new_)
{
	struct change *c = array_add(&l->all);

	c->status = status_of(old ? old->mode : 0, new_ ? new_->mode : 0);
	c->old_path = c->new_path = path;
	if (old) {
		c->old_id = old->id;
		c->old_mode = old->mode;
	}
	if (new_) {
		c->new_id = new_->id;
		c->new_mode = new_->mode;
	}
}

/* Folders sort as if their names ended in '/'. */
static int item_cmp(const struct tree_item *a, const struct tree_item *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int c = memcmp(a->name, b->name, n), ca, cb;

	if (c)
		return c;
	ca = n < a->len ? (unsigned char)a->name[n] : a->mode == MODE_TREE ? '/' : 0;
	cb = n < b->len ? (unsigned char)b->name[n] : b->mode == MODE_TREE ? '/' : 0;
	return ca - cb;
}

static int diff_trees(struct repo *r, const struct oid *old, const struct oid *new_, const char *prefix, unsigned depth,
    struct list *l, struct err *e);

/* One name on either side or both (not both of them folders of one id). */
static int diff_item(struct repo *r, const struct tree_item *old, const struct tree_item *new_, const char *prefix,
    unsigned depth, struct list *l, struct err *e)
{
	const struct tree_item *any = old ? old : new_;
	const char *path = arena_printf(l->a, "%s%.*s", prefix, (int)any->len, any->name), *below;
	bool old_tree = old && old->mode == MODE_TREE, new_tree = new_ && new_->mode == MODE_TREE;

	if ((old && !old_tree) || (new_ && !new_tree))
		add(l, path, old_tree ? NULL : old, new_tree ? NULL : new_);
	if (!old_tree && !new_tree)
		return 0;
	below = arena_printf(l->a, "%s/", path);
	return diff_trees(r, old_tree ? &old->id : NULL, new_tree ? &new_->id : NULL, below, depth + 1, l, e);
}

static int diff_raw(struct repo *r, struct tree_iter *old, struct tree_iter *new_, const char *prefix, unsigned depth,
    struct list *l, struct err *e)
{
	struct tree_item a, b;
	bool has_a = tree_next(old, &a), has_b = tree_next(new_, &b);
	int cmp, rc = 0;

	while (!rc && (has_a || has_b)) {
		cmp = !has_a ? 1 : !has_b ? -1 : item_cmp(&a, &b);
		if (cmp || a.mode != b.mode || !oid_equal(&a.id, &b.id))
			rc = diff_item(r, cmp <= 0 ? &a : NULL, cmp >= 0 ? &b : NULL, prefix, depth, l, e);
		has_a = cmp <= 0 ? tree_next(old, &a) : has_a;
		has_b = cmp >= 0 ? tree_next(new_, &b) : has_b;
	}
	return rc;
}

/* A NULL tree is empty. */
static int diff_trees(struct repo *r, const struct oid *old, const struct oid *new_, const char *prefix, unsigned depth,
    struct list *l, struct err *e)
{
	const struct oid *trees[2] = { old, new_ };
	git_odb_object *obj[2] = { NULL, NULL };
	struct tree_iter it[2] = { { NULL, NULL } };
	int rc = -1;

	if (depth > 2048) {
		err_set(e, ERR_BAD_DATA, "folders are nested too deeply at '%.200s…'", prefix);
		goto out;
	}
	for (int i = 0; i < 2; i++) {
		if (!trees[i])
			continue;
		if (read_object(r, trees[i], GIT_OBJECT_TREE, "tree", &obj[i], e))
			goto out;
		tree_iter_init(&it[i], obj[i]);
	}
	rc = diff_raw(r, &it[0], &it[1], prefix, depth, l, e);
out:
	git_odb_object_free(obj[0]);
	git_odb_object_free(obj[1]);
	return rc;
}

/* --- against index and work tree --- */

static const char status_letters[] = {
	[GIT_DELTA_ADDED] = 'A', [GIT_DELTA_DELETED] = 'D', [GIT_DELTA_MODIFIED] = 'M', [GIT_DELTA_TYPECHANGE] = 'T',
	[GIT_DELTA_CONFLICTED] = 'M',
};

static void add_delta(struct list *l, const git_diff_delta *d)
{
	const char *path = arena_strdup(l->a, d->new_file.path ? d->new_file.path : d->old_file.path);
	struct change *c;

	if ((size_t)d->status >= sizeof(status_letters) || !status_letters[d->status])
		return;
	c = array_add(&l->all);
	c->status = status_letters[d->status];
	c->old_path = c->new_path = path;
	c->old_mode = d->old_file.mode;
	c->new_mode = d->new_file.mode;
	c->old_id = oid_from_git(&d->old_file.id);
	if (d->new_file.flags & GIT_DIFF_FLAG_VALID_ID)
		c->new_id = oid_from_git(&d->new_file.id);
}

static void add_deltas(struct list *l, git_diff *diff)
{
	for (size_t i = 0; i < git_diff_num_deltas(diff); i++)
		add_delta(l, git_diff_get_delta(diff, i));
}

static int lookup_tree(struct repo *r, git_repository *lib, const struct oid *commit, git_tree **out, struct err *e)
{
	struct commit_links l;
	git_oid g;
	int rc;

	*out = NULL;
	if (!commit)
		return 0;
	if (repo_links(r, commit, &l, e))
		return -1;
	g = oid_to_git(&l.tree);
	rc = git_tree_lookup(out, lib, &g);
	return rc < 0 ? err_git(e, rc, "cannot read the files of a commit") : 0;
}

/* One record of "git diff-index --raw -z": ":mode mode id id status\0path\0". The place behind it, NULL at the end. */
static const char *parse_raw(struct list *l, const char *p, const char *end)
{
	unsigned old_mode, new_mode;
	struct oid old, new_;
	const char *path;
	struct change *c;
	char *stop;

	if (end - p < 100 || *p != ':')
		return NULL;
	old_mode = (unsigned)strtoul(p + 1, &stop, 8);
	new_mode = (unsigned)strtoul(stop, &stop, 8);
	if (*stop != ' ' || !oid_scan(stop + 1, &old) || !oid_scan(stop + 42, &new_))
		return NULL;
	path = stop + 85;   /* behind both ids, the status letter and its NUL */
	if (path >= end || path[-1])
		return NULL;
	c = array_add(&l->all);
	*c = (struct change){ .status = path[-2] == 'U' ? 'M' : path[-2], .old_id = old, .new_id = new_, .old_mode = old_mode,
		.new_mode = new_mode };
	c->old_path = c->new_path = arena_strdup(l->a, path);
	return path + strlen(path) + 1;
}

/* Options that keep a repository's filter programs from being run: each is set to nothing. */
static int no_filter(void *ctx, const char *key, const char *value, const char *origin)
{
	struct names *args = ((struct filter_args *)ctx)->args;
	struct arena *a = ((struct filter_args *)ctx)->a;

	(void)value;
	(void)origin;
	if (str_ends(key, ".clean") || str_ends(key, ".process") || str_ends(key, ".required")) {
		*array_add(args) = "-c";
		*array_add(args) = arena_printf(a, "%s=%s", key, str_ends(key, ".required") ? "false" : "");
	}
	return 0;
}

/* By git itself, where libgit2 cannot read the index (split, sparse): a commit or tree against index or work tree. */
static int diff_by_git(struct repo *r, const char *base, bool cached, struct list *l, struct err *e)
{
	static const char *const words[] = { "diff-index", "--raw", "-z", "--no-renames", "--no-abbrev" };
	struct names args = { NULL, 0, 0 };
	struct buf text = BUF_INIT;
	struct err skip = ERR_INIT;
	int rc;

	repo_config_each(r, "filter.", no_filter, &(struct filter_args){ &args, l->a }, &skip);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		*array_add(&args) = words[i];
	*array_add(&args) = cached ? "--cached" : "--ignore-submodules=all";
	*array_add(&args) = base;
	*array_add(&args) = "--";
	*array_add(&args) = NULL;
	rc = git_child(r, args.items, NULL, 0, &text, e);
	if (rc > 0)
		rc = err_set(e, ERR_BAD_DATA, "cannot read the index ('git status' tells more)");
	for (const char *p = text.ptr; !rc && p && p < text.ptr + text.len;)
		p = parse_raw(l, p, text.ptr + text.len);
	array_release(&args);
	buf_release(&text);
	return rc;
}

static int diff_worktree(struct repo *r, const struct oid *from, struct list *l, struct err *e)
{
	git_diff_options o = GIT_DIFF_OPTIONS_INIT;
	char hex[GIT_OID_HEX];
	git_repository *lib;
	git_tree *tree = NULL;
	git_diff *diff = NULL;
	int rc;

	if (!r->top)
		return err_set(e, ERR_NOT_FOUND, "a bare repository has no work tree to compare with");
	if (repo_lib(r, &lib, e) || lookup_tree(r, lib, from, &tree, e))
		return -1;
	o.flags = GIT_DIFF_INCLUDE_TYPECHANGE | GIT_DIFF_IGNORE_SUBMODULES | GIT_DIFF_DISABLE_PATHSPEC_MATCH;
	rc = git_diff_tree_to_workdir_with_index(&diff, lib, tree, &o);
	if (rc == 0)
		add_deltas(l, diff);
	else
		rc = diff_by_git(r, from ? oid_hex(hex, from) : EMPTY_TREE, false, l, e);
	git_error_clear();
	git_diff_free(diff);
	git_tree_free(tree);
	return rc;
}

static int staged(struct repo *r, struct list *l, struct err *e)
{
	git_diff_options o = GIT_DIFF_OPTIONS_INIT;
	char hex[GIT_OID_HEX];
	git_repository *lib;
	git_tree *tree = NULL;
	git_index *index = NULL;
	git_diff *diff = NULL;
	struct oid head;
	bool born = repo_head(r, &head, NULL);
	int rc;

	if (repo_lib(r, &lib, e) || lookup_tree(r, lib, born ? &head : NULL, &tree, e))
		return -1;
	o.flags = GIT_DIFF_INCLUDE_TYPECHANGE;
	rc = repo_index(r, lib, &index);
	if (rc == 0)
		rc = git_diff_tree_to_index(&diff, lib, tree, index, &o);
	if (rc == 0)
		add_deltas(l, diff);
	else
		rc = diff_by_git(r, born ? oid_hex(hex, &head) : EMPTY_TREE, true, l, e);
	git_error_clear();
	git_diff_free(diff);
	git_index_free(index);
	git_tree_free(tree);
	return rc;
}

/* --- the public side --- */

struct contents { struct repo *r; };

static bool content(void *ctx, const char *path, const struct oid *id, struct buf *out)
{
	struct contents *c = ctx;
	struct err e = ERR_INIT;
	uint64_t size;

	if (oid_is_zero(id))
		return repo_worktree_file(c->r, path, RENAME_FILE_MAX, out, NULL, &e) == 0;
	return repo_blob_size(c->r, id, &size) && size <= RENAME_FILE_MAX && repo_blob(c->r, id, 0, out, &e) == 0;
}

static void give(struct repo *r, struct list *l, unsigned flags, struct change **out, size_t *n)
{
	*n = l->all.len;
	*out = (struct change *)(void *)arena_memdup(l->a, l->all.items, *n * sizeof(**out));
	if (flags & CHANGES_RENAMES)
		find_renames(r, *out, n, content, &(struct contents){ r });
	array_release(&l->all);
}

int repo_changes(struct repo *r, const struct oid *from, const struct oid *to, unsigned flags, struct arena *a,
    struct change **out, size_t *n, struct err *e)
{
	struct list l = { .a = a };
	struct commit_links old, new_;
	int rc;

	*n = 0;
	if (!to) {
		rc = diff_worktree(r, from, &l, e);
	} else {
		rc = (from && repo_links(r, from, &old, e)) || repo_links(r, to, &new_, e) ? -1 : 0;
		if (!rc && !(from && oid_equal(&old.tree, &new_.tree)))
			rc = diff_trees(r, from ? &old.tree : NULL, &new_.tree, "", 0, &l, e);
	}
	if (rc) {
		array_release(&l.all);
		return -1;
	}
	give(r, &l, flags, out, n);
	return 0;
}

int repo_staged(struct repo *r, struct arena *a, struct change **out, size_t *n, struct err *e)
{
	struct list l = { .a = a };

	*n = 0;
	if (staged(r, &l, e)) {
		array_release(&l.all);
		return -1;
	}
	give(r, &l, 0, out, n);
	return 0;
}
