/* SPDX-License-Identifier: MIT */
/*
 * Hooks around moving commits: what waits on the code that just came in (post-merge, post-checkout), what is still open
 * on what is about to leave (pre-push), and a server's commits that speak (post-receive).
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "hooks.h"
#include "killick/sync/outbox.h"
#include "killick/store/settings.h"

#define PUSH_COMMITS_MAX 10000
#define LIST_MAX 20            /* lines printed; the rest is counted */
#define PUSH_TIMEOUT_MS 15000

static int say_waiting(struct hook_run *h, const struct oid *from, const struct oid *to, struct err *e)
{
	struct thread_list found = { 0 };
	struct change *changes;
	size_t n;
	int rc;

	if (oid_equal(from, to) || oid_is_zero(from))
		return 0;
	rc = repo_changes(h->work->repo, from, to, 0, h->a, &changes, &n, e) ||
	    threads_on_changes(h, to, changes, n, &found, e) ? -1 : 0;
	if (rc == 0 && found.len == 1)
		out_note(h->c, "an open thread is on what changed: %s", hook_thread_line(h, &found.items[0]));
	else if (rc == 0 && found.len)
		out_note(h->c, "%zu open threads are on what changed; \"killick threads is:open\" lists them", found.len);
	array_release(&found);
	return rc;
}

int hook_post_merge(struct hook_run *h, struct err *e)
{
	struct oid head, before;

	if (!repo_head(h->work->repo, &head, NULL) || repo_resolve(h->work->repo, "ORIG_HEAD", &before, e))
		return err_clear(e), 0;
	return say_waiting(h, &before, &head, e);
}

int hook_post_checkout(struct hook_run *h, struct err *e)
{
	struct oid from, to;

	/* previous HEAD, new HEAD, 1 for a branch (githooks(5)); a clone or a new worktree has no previous one. */
	if (h->argc < 3 || strcmp(h->argv[2], "1") || !oid_parse(h->argv[0], &from) || !oid_parse(h->argv[1], &to))
		return 0;
	return say_waiting(h, &from, &to, e);
}

/* "<local ref> <local id> <remote ref> <remote id>" or "<old> <new> <ref>": the field'th word of the line as an id. */
static bool line_oid(const char *line, int field, struct oid *out)
{
	char hex[GIT_OID_HEX];
	size_t n;

	while (field-- > 0) {
		line += strcspn(line, " \n");
		if (*line != ' ')
			return false;
		line++;
	}
	n = strcspn(line, " \n");
	if (n != 40)
		return false;
	memcpy(hex, line, 40);
	hex[40] = '\0';
	return oid_parse(hex, out);
}

static int each_line(struct hook_run *h, int (*fn)(struct hook_run *h, const char *line, void *ctx, struct err *e),
    void *ctx, struct err *e)
{
	for (const char *p = h->in.ptr; *p;) {
		const char *nl = strchr(p, '\n');

		if (fn(h, p, ctx, e))
			return -1;
		p = nl ? nl + 1 : p + strlen(p);
	}
	return 0;
}

static void list_add(struct thread_list *l, const struct thread *t)
{
	for (size_t i = 0; i < l->len; i++) {
		if (l->items[i].row == t->row)
			return;
	}
	l->items = array_grow(l->items, l->len, &l->alloc, sizeof(*l->items));
	l->items[l->len++] = *t;
}

static bool is_work_left(const struct thread *t)
{
	return t->state == STATE_OPEN && (t->kind == KIND_QUESTION || t->kind == KIND_REMARK);
}

/* Open threads on the commits of one pushed ref and on the lines they change. */
static int leaving(struct hook_run *h, const char *line, void *ctx, struct err *e)
{
	struct thread_list *out = ctx, on = { 0 }, touched = { 0 };
	struct oid local, remote, *commits;
	struct change *changes = NULL;
	struct commit_info oldest;
	size_t n, n_changes = 0;

	if (!line_oid(line, 1, &local) || !line_oid(line, 3, &remote) || oid_is_zero(&local))
		return 0;
	if (!oid_is_zero(&remote) && !repo_has_object(h->work->repo, &remote))
		remote = OID_ZERO;
	if (repo_new_commits(h->work->repo, &remote, &local, PUSH_COMMITS_MAX, h->a, &commits, &n, e))
		return -1;
	if (!n)
		return 0;
	if (index_threads_on_commits(h->work->index, &h->work->scope, commits, n, h->a, &on, e) ||
	    repo_commit(h->work->repo, &commits[n - 1], h->a, &oldest, e))
		return -1;
	if (oldest.n_parents && repo_changes(h->work->repo, &oldest.parents[0], &local, 0, h->a, &changes, &n_changes, e))
		return -1;
	if (threads_on_changes(h, &local, changes, n_changes, &touched, e)) {
		array_release(&touched);
		return -1;
	}
	for (size_t i = 0; i < on.len; i++) {
		if (is_work_left(&on.items[i]))
			list_add(out, &on.items[i]);
	}
	for (size_t i = 0; i < touched.len; i++) {
		if (is_work_left(&touched.items[i]))
			list_add(out, &touched.items[i]);
	}
	array_release(&touched);
	return 0;
}

static int list_leaving(struct hook_run *h, const char *mode, struct err *e)
{
	struct thread_list open = { 0 };
	int rc = -1;

	if (each_line(h, leaving, &open, e))
		goto out;
	rc = 0;
	if (!open.len)
		goto out;
	out_note(h->c, "%zu open on what is about to leave:", open.len);
	for (size_t i = 0; i < open.len && i < LIST_MAX; i++)
		out_note(h->c, "  %s", hook_thread_line(h, &open.items[i]));
	if (open.len > LIST_MAX)
		out_note(h->c, "  and %zu more", open.len - LIST_MAX);
	if (!strcmp(mode, "block")) {
		out_note(h->c, "the push was refused (killick.prePush is block): answer or resolve them, or \"git push --no-verify\"");
		rc = 1;
	}
out:
	array_release(&open);
	return rc;
}

/* The store's new ops go first and apart; whatever happens to them, the user's push goes on. */
static void send_along(struct hook_run *h, const char *remote)
{
	struct exchange x = { 0 };
	struct err e = ERR_INIT;

	if (!nlog_exists(h->work->repo, NULL))
		return;
	if (work_log(h->work, false, &e) || nlog_push(h->work->log, h->work->repo, remote, PUSH_TIMEOUT_MS, 0, &x, &e))
		out_note(h->c, "the threads were not sent, your push goes on: %s", e.msg);
	else if (x.ops_pushed)
		out_note(h->c, "%llu new thread entries sent to %s", (unsigned long long)x.ops_pushed, remote);
}

int hook_pre_push(struct hook_run *h, struct err *e)
{
	const char *mode = setting_get(h->work->repo, h->a, "prePush");
	int rc = 0;

	if (strcmp(mode, "off"))
		rc = list_leaving(h, mode, e);
	if (rc <= 0 && h->argc > 0 && setting_bool(h->work->repo, "push"))
		send_along(h, h->argv[0]);
	if (rc <= 0)
		outbox_kick_pushed(h->work);
	return rc;
}

/* A server opens what pushed commits say, in the name of their authors. */
static int received(struct hook_run *h, const char *line, void *ctx, struct err *e)
{
	struct oid old, new_id, *commits;
	int *written = ctx;
	size_t n;

	if (!line_oid(line, 0, &old) || !line_oid(line, 1, &new_id) || oid_is_zero(&new_id))
		return 0;
	if (strncmp(line + 82, "refs/heads/", 11))
		return 0;
	if (repo_new_commits(h->work->repo, &old, &new_id, PUSH_COMMITS_MAX, h->a, &commits, &n, e))
		return -1;
	while (n--) {
		struct commit_info ci;
		int rc;

		if (repo_commit(h->work->repo, &commits[n], h->a, &ci, e))
			return -1;
		rc = talk_carry_out(h, &commits[n], &ci.author, e);
		if (rc < 0)
			return -1;
		*written += rc;
	}
	return 0;
}

int hook_post_receive(struct hook_run *h, struct err *e)
{
	const char *self = repo_gitdir(h->work->repo);
	struct exchange x = { 0 };
	int written = 0;

	/* What the authors' own hooks opened may have come with this push: it lies in this repository's own refs. */
	if (work_log(h->work, true, e) || nlog_fetch(h->work->log, h->work->repo, self, 0, 0, &x, e) ||
	    work_refresh(h->work, 1000, e) || each_line(h, received, &written, e))
		return -1;
	return written ? nlog_push(h->work->log, h->work->repo, self, 0, 0, &x, e) : 0;
}
