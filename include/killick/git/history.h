/* SPDX-License-Identifier: MIT */
/* Commits in order, what they changed, and diffs to show. */
#ifndef KILLICK_GIT_HISTORY_H
#define KILLICK_GIT_HISTORY_H

#include "killick/git/repo.h"

/* A walk, newest first, that yields at once: commits come as they are asked for, never the whole history first. */
struct history;
/*
 * revs: as for git log: "main", "main..x", "a...b", "^x", "x^!", --all, --branches, --tags, --remotes (the last three with
 * =GLOB, "--remotes=origin"), --not, --first-parent; none (or NULL) is HEAD. "^", ".." and --not make it look ahead as far
 * as git does. path: only commits that touch that file or folder, with merges simplified as git log -- PATH does; or NULL.
 * An unborn HEAD is an empty history.
 */
int history_open(struct repo *r, const char *const *revs, const char *path, struct history **out, struct err *e);
/* 1 with the next commit, 0 at the end, -1. At a shallow border the walk ends; history_cut says so. */
int history_next(struct history *h, struct oid *out, struct err *e);
bool history_cut(const struct history *h);
void history_close(struct history *h);

struct change {
	char status;               /* A D M R T */
	const char *old_path, *new_path;
	struct oid old_id, new_id; /* blobs, zero if none */
	unsigned old_mode, new_mode;
};
enum changes_flags { CHANGES_RENAMES = 1 << 0 };
/*
 * Changes from commit `from` (NULL: the empty tree) to commit `to` (NULL: the work tree), in git's order. Strings in the
 * arena. A mode change alone is M, a change of kind (file, link, submodule) T. Renames are found as git -M50% does; over
 * 1,000 added times removed files only exact ones are looked for, and never by downloading. To the work tree: tracked files
 * only, submodules left out, and new_id is zero where the file was not hashed (repo_worktree_file tells it).
 */
int repo_changes(struct repo *r, const struct oid *from, const struct oid *to, unsigned flags, struct arena *a,
    struct change **out, size_t *n, struct err *e);
/* Changes staged in the index against HEAD. */
int repo_staged(struct repo *r, struct arena *a, struct change **out, size_t *n, struct err *e);

/* A hunk without context: old lines [old_start, old_start + old_lines), new likewise; a start counts from 1, and with
 * no lines it is the line before. As git diff -U0 prints them. */
struct hunk { uint32_t old_start, old_lines, new_start, new_lines; };
int repo_hunks(const void *old, size_t old_len, const void *new_, size_t new_len, struct arena *a, struct hunk **out,
    size_t *n, struct err *e);

/* The unified diff of a commit against its first parent, as git show prints it, cut at max bytes (*cut then). */
int repo_show(struct repo *r, const struct oid *commit, size_t max, struct buf *out, bool *cut, struct err *e);
/* Is ancestor reachable from commit (itself too), or from one of n? Bounded by generation (commit-graph) and date. */
bool repo_reaches(struct repo *r, const struct oid *commit, const struct oid *ancestor);
bool repo_reaches_any(struct repo *r, const struct oid *commits, size_t n, const struct oid *ancestor);
/* The best common ancestors; none: *n is 0. */
int repo_merge_bases(struct repo *r, const struct oid *a, const struct oid *b, struct arena *arena, struct oid **out,
    size_t *n, struct err *e);
/* New commits of a push or a merge: in `to`, not in `from` (zero: not in any ref that does not name `to` itself). Newest
 * first, at most max. What a push is about to send: history_open with { TO, "--not", "--remotes=NAME" }. */
int repo_new_commits(struct repo *r, const struct oid *from, const struct oid *to, size_t max, struct arena *a,
    struct oid **out, size_t *n, struct err *e);

#endif
