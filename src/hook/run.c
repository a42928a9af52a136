/* SPDX-License-Identifier: MIT */
/*
 * "killick hook run NAME": called by git through the installed script. The hook that was there before runs first and its
 * refusal counts; then ours. Whatever goes wrong in ours is one line on standard error and no failure: a hook that
 * stops a commit because a cache is locked would be removed the same day.
 * KILLICK_HOOK in the environment ends recursion: git commands that we start run no hooks of ours.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hooks.h"
#include "killick/sync/source.h"
#include "killick/base/file.h"
#include "killick/base/proc.h"
#include "killick/text/sanitize.h"

#define HOOK_WAIT_MS 100          /* for the index's lock: the rest of the 200 ms is for the work */
#define HOOK_INPUT_MAX (16u << 20)
#define GUARD "KILLICK_HOOK"

const struct hook_row hook_rows[] = {
	{ "prepare-commit-msg", false, false, hook_prepare_commit_msg, "lists the open threads on the staged lines" },
	{ "commit-msg", false, false, hook_commit_msg, "checks the thread ids in the message" },
	{ "post-commit", false, false, hook_post_commit, "opens, answers and resolves threads as the message says" },
	{ "post-rewrite", true, false, hook_post_rewrite, "carries threads along through amend and rebase" },
	{ "post-merge", false, false, hook_post_merge, "tells of open threads on what a merge brought" },
	{ "post-checkout", false, false, hook_post_checkout, "tells of open threads on what a checkout changed" },
	{ "pre-push", true, false, hook_pre_push, "lists what is open on what is about to leave" },
	{ "post-receive", true, true, hook_post_receive, "on a server: opens what pushed commits say" },
	{ NULL, false, false, NULL, NULL },
};

const struct hook_row *hook_find(const char *name)
{
	for (const struct hook_row *r = hook_rows; r->name; r++) {
		if (!strcmp(r->name, name))
			return r;
	}
	return NULL;
}

const char *hook_thread_line(struct hook_run *h, const struct thread *t)
{
	struct anchor now = t->anchor;
	struct buf b = BUF_INIT;
	const char *line;

	if (t->place.path && t->place.state != PLACE_GONE && t->place.state != PLACE_UNKNOWN) {
		now.path = t->place.path;
		now.line = t->place.line;
		now.end = t->place.end;
	}
	buf_addf(&b, "%s %s ", t->abbrev, thread_kind_glyph(t->kind, false));
	anchor_format(&b, &now, 0);
	buf_addf(&b, "  %s", t->title);
	line = text_clean(h->a, arena_strdup(h->a, b.ptr), TEXT_PROSE);
	buf_release(&b);
	return line;
}

static bool overlaps(const struct thread *t, const struct hunk *hunks, size_t n)
{
	uint32_t from = t->place.line, to = t->place.end;

	if (!from || t->anchor.type != ANCHOR_LINES)
		return true;   /* the whole file, or a section */
	for (size_t i = 0; i < n; i++) {
		/* Places are in HEAD: the old side when staging. Added lines touch the line before and after them. */
		uint32_t lo = hunks[i].old_start, hi = lo + (hunks[i].old_lines ? hunks[i].old_lines - 1 : 1);

		if (lo <= to && from <= hi)
			return true;
	}
	return false;
}

/* The hunks of a change as seen from the side whose lines the places count; false: not to be told (binary, huge). */
static bool change_hunks(struct hook_run *h, const struct change *c, bool places_new, struct hunk **out, size_t *n)
{
	struct buf old = BUF_INIT, new_text = BUF_INIT;
	struct err e = ERR_INIT;
	bool done = false;

	*n = 0;
	if (repo_blob(h->work->repo, &c->old_id, 4u << 20, &old, &e) == 0 &&
	    repo_blob(h->work->repo, &c->new_id, 4u << 20, &new_text, &e) == 0 && !buf_is_binary(&old) &&
	    !buf_is_binary(&new_text))
		done = repo_hunks(places_new ? new_text.ptr : old.ptr, places_new ? new_text.len : old.len,
		    places_new ? old.ptr : new_text.ptr, places_new ? old.len : new_text.len, h->a, out, n, &e) == 0;
	buf_release(&old);
	buf_release(&new_text);
	return done;
}

/* Which of a change's two blobs is HEAD's, where places count their lines? */
static bool head_has(struct hook_run *h, const struct oid *head, const char *path, const struct oid *blob)
{
	struct err e = ERR_INIT;
	struct oid at;
	unsigned mode;

	return repo_tree_path(h->work->repo, head, path, &at, &mode, &e) == 0 && oid_equal(&at, blob);
}

/* head NULL: the new side is HEAD's. */
static int threads_on_change(struct hook_run *h, const struct oid *head, const struct change *c, struct thread_list *out,
    struct err *e)
{
	const char *path = c->new_path ? c->new_path : c->old_path;
	struct thread_list on = { 0 };
	struct hunk *hunks = NULL;
	size_t n = 0;
	bool known = false;

	if (index_threads_at(h->work->index, &h->work->scope, path, h->a, &on, e))
		return -1;
	for (size_t i = 0; i < on.len; i++) {
		const struct thread *t = &on.items[i];

		if (t->state != STATE_OPEN)
			continue;
		if (!hunks && t->anchor.type == ANCHOR_LINES && c->status == 'M')
			known = change_hunks(h, c, !head || head_has(h, head, path, &c->new_id), &hunks, &n);
		if (known && !overlaps(t, hunks, n))
			continue;
		out->items = array_grow(out->items, out->len, &out->alloc, sizeof(*out->items));
		out->items[out->len++] = *t;
	}
	return 0;
}

static int path_count_order(const void *a, const void *b)
{
	return strcmp(((const struct path_count *)a)->path, ((const struct path_count *)b)->path);
}

int threads_on_changes(struct hook_run *h, const struct oid *to, const struct change *changes, size_t n, struct thread_list *out,
    struct err *e)
{
	struct path_count *counts;
	size_t n_counts;
	struct oid head;

	if (!n || !repo_head(h->work->repo, &head, NULL))
		return 0;
	/* One statement for all files: most changed files have no thread. */
	if (index_path_counts(h->work->index, &h->work->scope, h->a, &counts, &n_counts, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct path_count key = { .path = changes[i].new_path ? changes[i].new_path : changes[i].old_path };
		const struct path_count *c = bsearch(&key, counts, n_counts, sizeof(*counts), path_count_order);

		if (c && c->open && threads_on_change(h, to && oid_equal(to, &head) ? NULL : &head, &changes[i], out, e))
			return -1;
	}
	return 0;
}

static int read_input(struct cmd_io *io, struct buf *b, struct err *e)
{
	char chunk[4096];
	ssize_t n;

	b->max = HOOK_INPUT_MAX;
	while (io->in && (n = io->in(io->ctx, chunk, sizeof(chunk))) != 0) {
		if (n < 0)
			return err_errno(e, "cannot read what git says to the hook");
		buf_add(b, chunk, (size_t)n);
	}
	return 0;
}

/* The hook that was there before: its streams are ours, its answer is the hook's. */
static int run_before(struct hook_run *h, const struct hook_row *row, int *status, struct err *e)
{
	const char **argv = arena_alloc(h->a, ((size_t)h->argc + 2) * sizeof(*argv));
	struct buf dir = BUF_INIT;
	bool shared;
	struct proc p = {
		.argv = argv, .flags = PROC_KEEP_GIT_ENV | PROC_TTY, .in = row->reads_stdin ? h->in.ptr : NULL,
		.in_len = row->reads_stdin ? h->in.len : 0,
	};
	int rc = 0;

	hook_dir(h->work->repo, h->a, &dir, &shared);
	argv[0] = arena_printf(h->a, "%s/%s%s", dir.ptr, row->name, HOOK_BEFORE_SUFFIX);
	buf_release(&dir);
	*status = 0;
	if (access(argv[0], X_OK))
		return 0;
	for (int i = 0; i < h->argc; i++)
		argv[i + 1] = h->argv[i];
	rc = proc_run(&p, e);
	*status = p.status;
	return rc;
}

static bool worth_running(struct hook_run *h, const struct hook_row *row)
{
	return !getenv(GUARD) && (row->bare ? repo_is_bare(h->work->repo) : work_is_set_up(h->work) || work_has_sources(h->work));
}

static int run_ours(struct hook_run *h, const struct hook_row *row, struct err *e)
{
	/* The index may be locked or behind: hooks work with what is there. */
	if (work_index(h->work, e) || work_refresh(h->work, HOOK_WAIT_MS, e) ||
	    work_places_head(h->work, HOOK_WAIT_MS, e))
		return -1;
	return row->run(h, e);
}

/* Git tells a hook of "commit --author" through GIT_AUTHOR_*: whoever runs the hook is the committer. */
static void committer_is_me(void)
{
	static const char *const pairs[][2] = {
		{ "GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME" }, { "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		const char *v = getenv(pairs[i][1]);

		if (v)
			setenv(pairs[i][0], v, 1);
		else
			unsetenv(pairs[i][0]);
	}
}

static int hook_run(struct cmd *c, struct err *e)
{
	const struct hook_row *row = c->argc ? hook_find(c->argv[0]) : NULL;
	struct hook_run h = { .c = c, .a = c->arena, .argc = c->argc - 1, .argv = c->argv + 1, .in = BUF_INIT };
	struct err why = ERR_INIT;
	int status = 0, rc = 0;

	if (!row)
		return err_set(e, ERR_USAGE, "there is no hook '%s'", c->argc ? c->argv[0] : "");
	if (work_open(NULL, &h.work, &why))
		return 0;
	if (row->reads_stdin && read_input(c->io, &h.in, &why))
		out_note(c, "%s: %s", row->name, why.msg);
	if (run_before(&h, row, &status, &why))
		out_note(c, "%s: the hook that was there before did not run: %s", row->name, why.msg);
	if (status == 0 && worth_running(&h, row)) {
		setenv(GUARD, row->name, 1);
		committer_is_me();
		rc = run_ours(&h, row, &why);
		if (rc < 0)
			out_note(c, "%s: %s (git goes on)", row->name, why.msg);
		if (h.work->problem)
			out_note(c, "%s: %s", row->name, h.work->problem);
		unsetenv(GUARD);
	}
	c->status = status ? status : rc > 0 ? EXIT_FAILED : 0;
	buf_release(&h.in);
	work_close(h.work);
	return 0;
}

static const struct opt install_opts[] = {
	{ .name = "shared", .type = OPT_FLAG, .offset = offsetof(struct hook_install_opts, shared),
	  .help = "install although core.hooksPath is used by other repositories too" },
	{ .name = NULL },
};

static const struct cmd_entry hook_words[] = {
	{ .name = "install", .args = "[NAME…]", .summary = "put killick's hooks beside the ones that are there",
	  .opts = install_opts, .values = sizeof(struct hook_install_opts), .max_args = -1, .needs = NEED_REPO,
	  .run = hook_install, .complete = "hook" },
	{ .name = "remove", .args = "[NAME…]", .summary = "take them out and put back what was there", .max_args = -1,
	  .needs = NEED_REPO, .run = hook_remove, .complete = "hook" },
	{ .name = "status", .summary = "which hooks are installed", .needs = NEED_REPO, .flags = CMD_JSON,
	  .run = hook_status },
	{ .name = "run", .args = "NAME [ARG…]", .summary = "what the installed scripts call", .max_args = -1,
	  .flags = CMD_RAW, .run = hook_run, .complete = "hook" },
	{ .name = NULL },
};

const struct cmd_entry hook_commands[] = {
	{ .name = "hook", .summary = "git hooks that let commits open and resolve threads: install, remove, status, run",
	  .sub = hook_words },
	{ .name = NULL },
};
