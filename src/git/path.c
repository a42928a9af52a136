/* SPDX-License-Identifier: MIT */
/* The user's paths, and the resolver that anchors are read with. */
#include "config.h"
#include <stdlib.h>
#include <sys/stat.h>
#include "killick/git/permalink.h"
#include "git.h"

#define NEAR_PATHS_MAX 20000

/* Takes "." and ".." and empty parts out of base + path, into out; false: it goes above the top. */
static bool normalise(struct buf *out, const char *base, const char *path)
{
	const char *const both[] = { base, path };

	buf_reset(out);
	for (size_t i = 0; i < 2; i++) {
		for (const char *p = both[i]; *p; p += *p == '/') {
			size_t n = strcspn(p, "/");

			if (n == 2 && !memcmp(p, "..", 2)) {
				const char *slash = strrchr(out->ptr, '/');

				if (!out->len)
					return false;
				buf_setlen(out, slash ? (size_t)(slash - out->ptr) : 0);
			} else if (n && !(n == 1 && *p == '.')) {
				if (out->len)
					buf_addch(out, '/');
				buf_add(out, p, n);
			}
			p += n;
		}
	}
	return true;
}

/* An absolute path's part below the top; links on the way to the top are seen through. */
static bool below_top(const struct repo *r, const char *path, struct buf *out)
{
	struct buf lexical = BUF_INIT, whole = BUF_INIT;
	const char *rest = NULL;
	bool ok = false;

	if (!r->top || !normalise(&lexical, "", path))
		goto out;
	buf_addf(&whole, "/%s", lexical.ptr);
	rest = path_below(r->top, whole.ptr);
	for (size_t i = 1; !rest && i <= whole.len; i++) {
		char *real, keep = whole.ptr[i];

		if (keep && keep != '/')
			continue;
		whole.ptr[i] = 0;
		real = realpath(whole.ptr, NULL);
		whole.ptr[i] = keep;
		if (real && !strcmp(real, r->top))
			rest = whole.ptr + i + (keep == '/');
		free(real);
	}
	ok = rest != NULL;
	if (ok) {
		buf_reset(out);
		buf_addstr(out, rest);
	}
out:
	buf_release(&lexical);
	buf_release(&whole);
	return ok;
}

static bool locate(const struct repo *r, const char *base, const char *path, struct arena *a, const char **out)
{
	struct buf b = BUF_INIT;
	bool ok = *path == '/' ? below_top(r, path, &b) : normalise(&b, base, path);

	if (ok)
		*out = arena_memdup(a, b.ptr, b.len);
	buf_release(&b);
	return ok;
}

int repo_path(struct repo *r, const char *user_path, struct arena *a, const char **out, struct err *e)
{
	if (!*user_path)
		return err_set(e, ERR_USAGE, "the path is empty");
	if (locate(r, r->prefix, user_path, a, out))
		return 0;
	return err_set(e, ERR_USAGE, "'%.600s' is outside of the repository at '%s'", user_path, r->top ? r->top : r->gitdir);
}

static bool path_at(struct repo *r, const char *path, const char *rev, const struct oid *commit)
{
	struct err e = ERR_INIT;
	struct oid at, blob;

	if (!rev && worktree_has(r, path))
		return true;
	if (commit)
		at = *commit;
	else if (!repo_head(r, &at, NULL))
		return false;
	return repo_tree_path(r, &at, path, &blob, NULL, &e) == 0;
}

/* From the user's folder, else from the top: that is how killick prints paths. */
static bool is_path(void *ctx, const char *path, const char *rev, struct arena *a, const char **top)
{
	struct repo *r = ctx;
	struct err e = ERR_INIT;
	struct oid commit;

	if (!*path || (rev && repo_resolve(r, rev, &commit, &e)))
		return false;
	if (locate(r, r->prefix, path, a, top) && path_at(r, *top, rev, rev ? &commit : NULL))
		return true;
	return *path != '/' && *r->prefix && locate(r, "", path, a, top) && path_at(r, *top, rev, rev ? &commit : NULL);
}

static bool is_commit(void *ctx, const char *rev)
{
	struct err e = ERR_INIT;
	struct oid o;

	return repo_resolve(ctx, rev, &o, &e) == 0;
}

static bool permalink(void *ctx, const char *url, struct arena *a, struct anchor *out)
{
	return permalink_anchor(ctx, url, a, out);
}

bool path_is_sound(const char *path)
{
	for (const char *p = path;; p++) {
		size_t n = strcspn(p, "/");

		if (!n || (n == 1 && *p == '.') || (n == 2 && !memcmp(p, "..", 2)) || (n == 4 && !strncasecmp(p, ".git", 4)))
			return false;
		p += n;
		if (!*p)
			return true;
	}
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The same name in another folder of HEAD, else the path that is spelled most like it. */
static const char *nearest(void *ctx, const char *path, struct arena *a)
{
	struct repo *r = ctx;
	struct names names = { NULL, 0, 0 };
	const char *whole, *best = NULL;
	struct err e = ERR_INIT;
	struct commit_links l;
	struct oid head;

	if (!locate(r, r->prefix, path, a, &whole) || !repo_head(r, &head, NULL) || repo_links(r, &head, &l, &e))
		return NULL;
	tree_list(r, &l.tree, "", NEAR_PATHS_MAX, a, &names);
	for (size_t i = 0; i < names.len && !best; i++)
		if (!strcmp(last_part(names.items[i]), last_part(whole)))
			best = names.items[i];
	*array_add(&names) = NULL;
	if (!best)
		best = str_nearest(whole, names.items);
	array_release(&names);
	return best;
}

struct anchor_resolver repo_anchor_resolver(struct repo *r)
{
	return (struct anchor_resolver){ .ctx = r, .is_path = is_path, .is_commit = is_commit, .permalink = permalink,
		.nearest = nearest };
}

static struct query *on_term(struct arena *a, const char *value)
{
	struct query *q = ARENA_NEW(a, struct query);

	*q = (struct query){ .op = Q_TERM, .key = QK_ON, .value = value };
	return q;
}

/* What was typed stays beside a commit: a path that is nowhere now, but in threads, can have a revision's name. */
static void on_as_typed(struct repo *r, struct arena *a, struct query *q)
{
	struct anchor_resolver res = { .ctx = r, .is_path = is_path, .is_commit = is_commit, .permalink = permalink };
	struct err e = ERR_INIT;
	struct buf text = BUF_INIT;
	char hex[GIT_OID_HEX];
	struct anchor an;
	struct oid id;

	if (strpbrk(q->value, "*?") || anchor_parse(a, q->value, &res, &an, &e))
		return;
	if (an.type == ANCHOR_COMMIT && repo_resolve(r, an.commit, &id, &e) == 0) {
		*q = (struct query){ .op = Q_OR, .left = on_term(a, q->value), .right = on_term(a, arena_strdup(a, oid_hex(hex, &id))) };
	} else if (an.type == ANCHOR_FILE) {
		q->value = an.path;
	} else if (an.type != ANCHOR_COMMIT && an.type != ANCHOR_PROJECT) {
		anchor_format(&text, &an, 0);
		q->value = arena_strdup(a, text.ptr);
		buf_release(&text);
	}
}

void repo_query_anchors(struct repo *r, struct arena *a, struct query *q)
{
	if (q->op == Q_TERM && q->key == QK_ON) {
		on_as_typed(r, a, q);
		return;
	}
	if (q->left)
		repo_query_anchors(r, a, q->left);
	if (q->right)
		repo_query_anchors(r, a, q->right);
}
