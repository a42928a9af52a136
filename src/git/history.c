/* SPDX-License-Identifier: MIT */
/*
 * A walk over history as git log makes it: by date, children before the parents they lead to, commits as they are asked
 * for. Only a walk that excludes something must look ahead, as git's does (limit_list in revision.c), and then no further
 * than where nothing but excluded commits is left.
 *
 * With a path, history is simplified as git does by default: a merge that took the path from one parent as it was is
 * followed to that parent alone. Two commits are compared tree by tree along the path, which ends at the first folder
 * that is the same in both; what was found in a tree is kept, as most trees are looked at twice.
 */
#include "config.h"
#include <fnmatch.h>
#include <stdlib.h>
#include "killick/git/history.h"
#include "walk.h"

#define SLOP 5            /* commits looked at after the last excluded one, for clocks that are wrong; git's number */
#define MEMO_SLOTS 1024

enum walk_flags { W_SEEN = 1, W_HIDDEN = 2, W_QUEUED = 4, W_EXPANDED = 8, W_SAME = 16, W_BOTTOM = 32 };

struct memo { bool used; struct oid tree; const char *part; int found; unsigned mode; struct oid id; };

struct history {
	struct walk w;
	char *path;
	bool limited, first_parent, cut;
	size_t interesting;          /* queued and not hidden */
	ARRAY(uint32_t) list;        /* limited: in order; handed out from `next` */
	size_t next;
	uint32_t given;              /* not limited, no path: node + 1 of the last one, whose parents are not queued yet */
	ARRAY(struct oid) parents;   /* scratch: parents of the commit at hand */
	struct memo memo[MEMO_SLOTS];
};

/* --- the path --- */

/* What the part of the path is in this tree, remembered. 1, 0 not there, -1. */
static int entry_at(struct history *h, const struct oid *tree, const char *part, struct oid *id, unsigned *mode,
    struct err *e)
{
	uint32_t key;
	struct memo *m;

	memcpy(&key, tree->id, sizeof(key));
	m = &h->memo[(key ^ (uint32_t)(part - h->path)) & (MEMO_SLOTS - 1)];
	if (!m->used || m->part != part || !oid_equal(&m->tree, tree)) {
		m->used = false;
		m->found = tree_entry(h->w.repo, tree, part, strcspn(part, "/"), &m->id, &m->mode, e);
		if (m->found < 0)
			return -1;
		m->used = true;
		m->tree = *tree;
		m->part = part;
	}
	*id = m->id;
	*mode = m->mode;
	return m->found;
}

/* Is the path the same below two trees (a NULL tree is empty)? 1, 0, -1. */
static int same_below(struct history *h, const struct oid *a, const struct oid *b, const char *part, struct err *e)
{
	const struct oid *tree[2] = { a, b };
	struct oid id[2];
	unsigned mode[2];
	int found[2];

	for (;; part += strcspn(part, "/") + 1) {
		bool last = !strchr(part, '/');

		if (tree[0] && tree[1] && oid_equal(tree[0], tree[1]))
			return 1;
		for (int i = 0; i < 2; i++) {
			found[i] = tree[i] ? entry_at(h, tree[i], part, &id[i], &mode[i], e) : 0;
			if (found[i] < 0)
				return -1;
			if (!last && found[i] && mode[i] != 0040000)
				found[i] = 0;
		}
		if (!found[0] && !found[1])
			return 1;
		if (last)
			return found[0] && found[1] && mode[0] == mode[1] && oid_equal(&id[0], &id[1]);
		for (int i = 0; i < 2; i++)
			tree[i] = found[i] ? &id[i] : NULL;
	}
}

/* --- one commit's parents --- */

/* Counts where it matters: excluded parents that were not named must not make a merge look changed (git's "relevant"). */
static bool relevant(struct history *h, const struct oid *id, struct err *e)
{
	uint32_t at;
	bool fresh;

	if (!h->limited || walk_node(&h->w, id, &at, &fresh, e))
		return true;
	return !(h->w.nodes.items[at].flags & W_HIDDEN) || (h->w.nodes.items[at].flags & W_BOTTOM);
}

/* Decides whether the commit touches the path, and follows the one parent that explains all of it. 1 same, 0, -1. */
static int simplify(struct history *h, const struct oid *tree, struct err *e)
{
	unsigned kept = 0, changed = 0, aside_changed = 0;
	struct commit_links l;

	if (!h->parents.len)
		return same_below(h, tree, NULL, h->path, e);
	for (size_t i = 0; i < h->parents.len; i++) {
		bool counts = relevant(h, &h->parents.items[i], e);
		int same;

		if (repo_links(h->w.repo, &h->parents.items[i], &l, e))
			return -1;
		same = same_below(h, tree, &l.tree, h->path, e);
		if (same < 0)
			return -1;
		if (same && counts) {
			h->parents.items[0] = h->parents.items[i];
			h->parents.len = 1;
			return 1;
		}
		kept += counts;
		changed += !same && counts;
		aside_changed += !same && !counts;
	}
	return kept ? !changed : !aside_changed;
}

/* --- the queue --- */

static int add(struct history *h, const struct oid *id, uint32_t flags, struct err *e)
{
	struct walk_node *n;
	uint32_t at;
	bool fresh;

	if (walk_node(&h->w, id, &at, &fresh, e))
		return -1;
	n = &h->w.nodes.items[at];
	if ((flags & W_HIDDEN) && (n->flags & W_QUEUED) && !(n->flags & W_HIDDEN))
		h->interesting--;
	n->flags |= flags;
	if (n->flags & W_SEEN)
		return 0;
	n->flags |= W_SEEN | W_QUEUED;
	if (!(n->flags & W_HIDDEN))
		h->interesting++;
	walk_push(&h->w, at);
	return 0;
}

static int load_parents(struct history *h, const struct oid *id, bool first_only, struct oid *tree, struct err *e)
{
	struct commit_links l;

	if (repo_links(h->w.repo, id, &l, e))
		return -1;
	h->cut |= l.cut;
	*tree = l.tree;
	h->parents.len = 0;
	for (size_t i = 0; i < l.n_parents && !(first_only && i); i++)
		*array_add(&h->parents) = l.parents[i];
	return 0;
}

/* A hidden commit's parents are hidden, and so is all below those that were expanded before they were. */
static int hide_below(struct history *h, const struct oid *id, struct err *e)
{
	ARRAY(struct oid) todo = ARRAY_INIT;
	struct oid at, tree;
	uint32_t node, flags;
	bool fresh;
	int rc = -1;

	*array_add(&todo) = *id;
	while (todo.len) {
		at = todo.items[--todo.len];
		if (load_parents(h, &at, false, &tree, e))
			goto out;
		for (size_t i = 0; i < h->parents.len; i++) {
			if (walk_node(&h->w, &h->parents.items[i], &node, &fresh, e))
				goto out;
			flags = h->w.nodes.items[node].flags;
			if (add(h, &h->parents.items[i], W_HIDDEN, e))
				goto out;
			if ((flags & W_EXPANDED) && !(flags & W_HIDDEN))
				*array_add(&todo) = h->parents.items[i];
		}
	}
	rc = 0;
out:
	array_release(&todo);
	return rc;
}

/* Queues a commit's parents. *shown: it belongs into the list. */
static int expand(struct history *h, uint32_t at, bool *shown, struct err *e)
{
	struct oid id = h->w.nodes.items[at].id, tree;
	int same = 0;

	h->w.nodes.items[at].flags |= W_EXPANDED;
	*shown = false;
	if (h->w.nodes.items[at].flags & W_HIDDEN)
		return hide_below(h, &id, e);
	if (load_parents(h, &id, h->first_parent, &tree, e))
		return -1;
	if (h->path)
		same = simplify(h, &tree, e);
	if (same < 0)
		return -1;
	for (size_t i = 0; i < h->parents.len; i++)
		if (add(h, &h->parents.items[i], 0, e))
			return -1;
	*shown = !same;
	return 0;
}

static bool pop(struct history *h, uint32_t *at)
{
	struct walk_node *n;

	if (!walk_pop(&h->w, at))
		return false;
	n = &h->w.nodes.items[*at];
	n->flags &= ~(uint32_t)W_QUEUED;
	if (!(n->flags & W_HIDDEN))
		h->interesting--;
	return true;
}

/* A walk with exclusions: everything that is left, in order, before the first is handed out. */
static int limit(struct history *h, struct err *e)
{
	int64_t last = INT64_MAX;
	int slop = SLOP;
	uint32_t at;
	bool shown;

	while (slop > 0 && pop(h, &at)) {
		if (expand(h, at, &shown, e))
			return -1;
		if (h->w.nodes.items[at].flags & W_HIDDEN) {
			if (h->interesting || (h->w.heap.len && last <= h->w.heap.items[0].time))
				slop = SLOP;
			else
				slop = h->w.heap.len ? slop - 1 : 0;
			continue;
		}
		last = h->w.nodes.items[at].time;
		if (shown)
			*array_add(&h->list) = at;
	}
	return 0;
}

/* --- what the revisions say --- */

struct start {
	struct history *h;
	bool negate, any;
};

static int start_at(struct start *s, const struct oid *id, bool hide, struct err *e)
{
	if (hide)
		s->h->limited = true;
	return add(s->h, id, hide ? W_HIDDEN | W_BOTTOM : 0, e);
}

static int start_rev(struct start *s, const char *rev, bool hide, struct err *e)
{
	struct oid id;

	if (repo_resolve(s->h->w.repo, *rev ? rev : "HEAD", &id, e))
		return -1;
	return start_at(s, &id, hide, e);
}

static int start_range(struct start *s, const char *spec, const char *dots, struct err *e)
{
	bool symmetric = dots[2] == '.';
	char *left = xstrndup(spec, (size_t)(dots - spec));
	const char *right = dots + 2 + symmetric;
	struct arena a = ARENA_INIT;
	struct oid from, to, *bases;
	size_t n = 0;
	int rc = -1;

	if (repo_resolve(s->h->w.repo, *left ? left : "HEAD", &from, e) ||
	    repo_resolve(s->h->w.repo, *right ? right : "HEAD", &to, e))
		goto out;
	if (symmetric && repo_merge_bases(s->h->w.repo, &from, &to, &a, &bases, &n, e))
		goto out;
	rc = start_at(s, &from, symmetric == s->negate, e) || start_at(s, &to, s->negate, e) ? -1 : 0;
	for (size_t i = 0; !rc && i < n; i++)
		rc = start_at(s, &bases[i], !s->negate, e);
out:
	free(left);
	arena_release(&a);
	return rc;
}

/* A ref's commit; false: it names something else, or is broken. */
static bool ref_commit(git_reference *ref, struct oid *out)
{
	const char *name = git_reference_name(ref);
	const git_oid *direct = git_reference_target(ref);
	git_object *obj;
	int rc;

	if (direct && (str_starts(name, "refs/heads/") || str_starts(name, "refs/remotes/"))) {
		*out = oid_from_git(direct);
		return true;
	}
	rc = git_reference_peel(&obj, ref, GIT_OBJECT_COMMIT);
	git_error_clear();
	if (rc < 0)
		return false;
	*out = oid_from_git(git_object_id(obj));
	git_object_free(obj);
	return true;
}

int refs_each(struct repo *r, const char *prefix, const char *glob, int (*fn)(void *ctx, const char *name,
    const struct oid *commit, struct err *e), void *ctx, struct err *e)
{
	git_reference_iterator *it = NULL;
	git_reference *ref;
	git_repository *lib;
	struct oid id;
	int rc;

	if (repo_lib(r, &lib, e))
		return -1;
	rc = git_reference_iterator_new(&it, lib);
	if (rc < 0)
		return err_git(e, rc, "cannot list the refs");
	for (rc = 0; !rc && git_reference_next(&ref, it) == 0; git_reference_free(ref)) {
		const char *name = git_reference_name(ref);

		if (str_starts(name, prefix) && (!glob || !fnmatch(glob, name + strlen(prefix), 0)) && ref_commit(ref, &id))
			rc = fn(ctx, name, &id, e);
	}
	git_reference_iterator_free(it);
	git_error_clear();
	return rc;
}

static int start_ref(void *ctx, const char *name, const struct oid *commit, struct err *e)
{
	struct start *s = ctx;
	struct commit_links l;
	struct err skip = ERR_INIT;

	(void)name;
	/* a ref to a commit that is not here is the repository's fault, and not that of the question */
	return repo_links(s->h->w.repo, commit, &l, &skip) ? 0 : start_at(s, commit, s->negate, e);
}

static const struct { const char *option, *prefix; } ref_options[] = {
	{ "--all", "refs/" }, { "--branches", "refs/heads/" }, { "--tags", "refs/tags/" }, { "--remotes", "refs/remotes/" },
};

static int start_option(struct start *s, const char *option, struct err *e)
{
	struct buf glob = BUF_INIT;
	struct oid head;
	int rc;

	if (!strcmp(option, "--not")) {
		s->negate = !s->negate;
		return 0;
	}
	if (!strcmp(option, "--first-parent")) {
		s->h->first_parent = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ref_options); i++) {
		size_t n = strlen(ref_options[i].option);

		if (strncmp(option, ref_options[i].option, n) != 0 || (option[n] && (option[n] != '=' || !i)))
			continue;
		s->any = true;
		if (option[n]) {
			buf_addstr(&glob, option + n + 1);
			if (!strpbrk(glob.ptr, "*?["))
				buf_addstr(&glob, str_ends(glob.ptr, "/") ? "*" : "/*");
		}
		rc = refs_each(s->h->w.repo, ref_options[i].prefix, option[n] ? glob.ptr : NULL, start_ref, s, e);
		if (!rc && !i && repo_head(s->h->w.repo, &head, NULL))
			rc = start_at(s, &head, s->negate, e);
		buf_release(&glob);
		return rc;
	}
	return err_set(e, ERR_USAGE, "'%.200s' is not known here; --all, --branches, --tags, --remotes (each with =GLOB), "
	    "--not and --first-parent are", option);
}

/* "X^!": that one commit, without its parents. */
static int start_single(struct start *s, const char *spec, struct err *e)
{
	char *rev = xstrndup(spec, strlen(spec) - 2);
	struct oid id, tree;
	int rc = repo_resolve(s->h->w.repo, rev, &id, e);

	if (!rc)
		rc = load_parents(s->h, &id, false, &tree, e) || start_at(s, &id, s->negate, e) ? -1 : 0;
	for (size_t i = 0; !rc && i < s->h->parents.len; i++)
		rc = start_at(s, &s->h->parents.items[i], !s->negate, e);
	free(rev);
	return rc;
}

static int start_one(struct start *s, const char *spec, struct err *e)
{
	const char *dots = strstr(spec, "..");

	if (*spec == '-')
		return start_option(s, spec, e);
	s->any = true;
	if (str_ends(spec, "^!"))
		return start_single(s, spec, e);
	if (*spec == '^')
		return start_rev(s, spec + 1, !s->negate, e);
	if (dots && !strchr(spec, '{'))
		return start_range(s, spec, dots, e);
	return start_rev(s, spec, s->negate, e);
}

static int start_all(struct history *h, const char *const *revs, struct err *e)
{
	struct start s = { .h = h };
	struct oid head;

	for (; revs && *revs; revs++)
		if (start_one(&s, *revs, e))
			return -1;
	if (!s.any && repo_head(h->w.repo, &head, NULL))
		return start_at(&s, &head, s.negate, e);
	return 0;
}

/* --- the public side --- */

int history_open(struct repo *r, const char *const *revs, const char *path, struct history **out, struct err *e)
{
	struct history *h = xcalloc(1, sizeof(*h));

	walk_init(&h->w, r);
	if (path && *path) {
		h->path = xstrdup(path);
		for (size_t n = strlen(h->path); n > 1 && h->path[n - 1] == '/'; n--)
			h->path[n - 1] = 0;
	}
	if (start_all(h, revs, e) || (h->limited && limit(h, e))) {
		history_close(h);
		return -1;
	}
	*out = h;
	return 0;
}

/* From the list made before. */
static int next_listed(struct history *h, struct oid *out)
{
	while (h->next < h->list.len) {
		const struct walk_node *n = &h->w.nodes.items[h->list.items[h->next++]];

		if (!(n->flags & W_HIDDEN)) {
			*out = n->id;
			return 1;
		}
	}
	return 0;
}

int history_next(struct history *h, struct oid *out, struct err *e)
{
	uint32_t at = h->given - 1;
	bool shown;

	if (h->limited)
		return next_listed(h, out);
	if (h->given && expand(h, at, &shown, e))
		return -1;
	h->given = 0;
	while (pop(h, &at)) {
		*out = h->w.nodes.items[at].id;
		if (!h->path) {
			h->given = at + 1;
			return 1;
		}
		if (expand(h, at, &shown, e))
			return -1;
		if (shown)
			return 1;
	}
	return 0;
}

bool history_cut(const struct history *h)
{
	return h->cut;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	walk_release(&h->w);
	array_release(&h->list);
	array_release(&h->parents);
	free(h->path);
	free(h);
}

static int starting_elsewhere(void *ctx, const char *name, const struct oid *commit, struct err *e)
{
	struct start *s = ctx;

	if (oid_equal(commit, &s->h->w.nodes.items[0].id))
		return 0;   /* the ref that was just made, or one like it */
	return start_ref(ctx, name, commit, e);
}

int repo_new_commits(struct repo *r, const struct oid *from, const struct oid *to, size_t max, struct arena *a,
    struct oid **out, size_t *n, struct err *e)
{
	struct history *h = xcalloc(1, sizeof(*h));
	struct start s = { .h = h };
	struct oids found = { NULL, 0, 0 };
	struct oid id;
	int rc = -1;

	*n = 0;
	walk_init(&h->w, r);
	if (start_at(&s, to, false, e))
		goto out;
	s.negate = true;
	if (oid_is_zero(from) ? refs_each(r, "refs/", NULL, starting_elsewhere, &s, e) : start_at(&s, from, true, e))
		goto out;
	if (h->limited && limit(h, e))
		goto out;
	for (rc = 0; found.len < max && (rc = history_next(h, &id, e)) == 1;)
		*array_add(&found) = id;
	rc = rc < 0 ? -1 : 0;
	*n = rc ? 0 : found.len;
	*out = (struct oid *)(void *)arena_memdup(a, found.items, *n * sizeof(id));
out:
	array_release(&found);
	history_close(h);
	return rc;
}
