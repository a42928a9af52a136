/* SPDX-License-Identifier: MIT */
/*
 * Hooks around making commits. post-commit carries out the message's trailers; inside a rebase or an am it leaves them
 * to post-rewrite, which knows what became of which commit. Only trailers of the user's own commits are carried out:
 * a colleague's cherry-picked or rebased question is not asked again under another name.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "hooks.h"
#include "killick/base/clock.h"
#include "killick/base/file.h"
#include "killick/store/settings.h"

#define MESSAGE_MAX (1u << 20)
#define REBASED_MAX 5000   /* commits of one rebase whose messages are looked at */

static bool in_sequence(struct hook_run *h)
{
	static const char *const signs[] = { "rebase-merge", "rebase-apply" };

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		if (path_exists(arena_printf(h->a, "%s/%s", repo_gitdir(h->work->repo), signs[i])))
			return true;
	}
	return false;
}

static int carry_out_own(struct hook_run *h, const struct oid *commit, const struct person *me, struct err *e)
{
	struct commit_info ci;

	if (repo_commit(h->work->repo, commit, h->a, &ci, e))
		return -1;
	return person_same(&ci.author, me) ? talk_carry_out(h, commit, me, e) : 0;
}

int hook_post_commit(struct hook_run *h, struct err *e)
{
	struct person me;
	struct oid head;

	if (in_sequence(h) || !repo_head(h->work->repo, &head, NULL))
		return 0;
	if (repo_identity(h->work->repo, h->a, &me, e))
		return -1;
	return carry_out_own(h, &head, &me, e) < 0 ? -1 : 0;
}

static char comment_char(struct hook_run *h)
{
	const char *v;

	return repo_config(h->work->repo, CONFIG_ANY, "core.commentchar", h->a, &v) && v[0] && !v[1] ? v[0] : '#';
}

int hook_commit_msg(struct hook_run *h, struct err *e)
{
	const char *mode = setting_get(h->work->repo, h->a, "commitMsg");
	struct buf text = BUF_INIT;
	struct talk_trailer *t;
	size_t n, bad = 0;

	if (h->argc < 1 || !strcmp(mode, "off"))
		return 0;
	if (file_read(h->argv[0], MESSAGE_MAX, &text, e))
		return -1;
	n = talk_trailers(h->a, text.ptr, comment_char(h), &t);
	buf_release(&text);
	for (size_t i = 0; i < n; i++) {
		struct err why = ERR_INIT;
		struct thread th;

		if (t[i].act == TRAILER_OPEN ||
		    index_thread(h->work->index, &h->work->scope, t[i].text, h->a, &th, NULL, &why) == 0)
			continue;
		out_note(h->c, "%s: %s: %s", t[i].act == TRAILER_RESOLVE ? "Resolves-thread" : "Answers-thread", t[i].text,
		    why.msg);
		bad++;
	}
	if (!bad)
		return 0;
	if (strcmp(mode, "refuse")) {
		out_note(h->c, "the commit is made all the same; \"git commit --amend\" mends its message, \"killick threads\" lists ids");
		return 0;
	}
	out_note(h->c, "the commit was refused (killick.commitMsg is refuse); its message is kept in %s", h->argv[0]);
	return 1;
}

/* Comments vanish from the message only when git cleans it up; below scissors everything does. */
enum place_in_message { NOWHERE, BEFORE_SCISSORS, AFTER_SCISSORS };

static enum place_in_message where_comments_vanish(struct hook_run *h, bool scissors)
{
	const char *cleanup = "default";

	repo_config(h->work->repo, CONFIG_ANY, "commit.cleanup", h->a, &cleanup);
	if (!strcmp(cleanup, "verbatim") || !strcmp(cleanup, "whitespace"))
		return NOWHERE;
	if (!strcmp(cleanup, "scissors"))
		return scissors ? AFTER_SCISSORS : NOWHERE;
	return BEFORE_SCISSORS;
}

static void listing(struct hook_run *h, const struct thread_list *l, char cc, struct buf *b)
{
	buf_addf(b, "%c\n%c Open threads on the staged lines:\n", cc, cc);
	for (size_t i = 0; i < l->len; i++)
		buf_addf(b, "%c\t%s\n", cc, hook_thread_line(h, &l->items[i]));
	buf_addf(b, "%c To act on one, end your message with a line such as\n%c\tResolves-thread: %s\n", cc, cc,
	    l->items[0].abbrev);
}

static int write_listing(struct hook_run *h, const struct thread_list *l, struct err *e)
{
	struct buf text = BUF_INIT, out = BUF_INIT;
	char cc = comment_char(h);
	const char *cut;
	enum place_in_message where;
	size_t at;
	int rc = -1;

	if (file_read(h->argv[0], MESSAGE_MAX, &text, e))
		goto out;
	cut = strstr(text.ptr, arena_printf(h->a, "%c ------------------------ >8 ----", cc));
	where = where_comments_vanish(h, cut != NULL);
	if (where == NOWHERE) {
		rc = 0;
		goto out;
	}
	at = cut && where == BEFORE_SCISSORS ? (size_t)(cut - text.ptr) : text.len;
	buf_add(&out, text.ptr, at);
	if (at && text.ptr[at - 1] != '\n')
		buf_addch(&out, '\n');
	listing(h, l, cc, &out);
	buf_add(&out, text.ptr + at, text.len - at);
	rc = file_write(h->argv[0], out.ptr, out.len, 0644, e);
out:
	buf_release(&text);
	buf_release(&out);
	return rc;
}

int hook_prepare_commit_msg(struct hook_run *h, struct err *e)
{
	const char *source = h->argc > 1 ? h->argv[1] : "";
	struct thread_list found = { 0 };
	struct change *changes;
	size_t n;
	int rc;

	/* A message that is given (-m, merge, squash) is not shown in an editor, or is git's own. */
	if (h->argc < 1 || in_sequence(h) || (*source && strcmp(source, "template") && strcmp(source, "commit")))
		return 0;
	rc = repo_staged(h->work->repo, h->a, &changes, &n, e) || threads_on_changes(h, NULL, changes, n, &found, e) ? -1 : 0;
	if (rc == 0 && found.len)
		rc = write_listing(h, &found, e);
	array_release(&found);
	return rc;
}

/* One pair of "old new" that git gave: the anchors of threads on old follow. */
static int add_rewrite(struct hook_run *h, const struct oid *from, const struct oid *to, const struct person *me,
    struct op *op, struct err *e)
{
	struct thread_list on = { 0 };
	char hex[GIT_OID_HEX];

	if (index_threads_on_commits(h->work->index, &h->work->scope, from, 1, h->a, &on, e))
		return -1;
	if (!on.len)
		return 0;
	op->type = OP_REWRITE;
	op->author = *me;
	op->time = clock_now();
	op->payload = json_object();
	json_put_str(op->payload, "from", oid_hex(hex, from));
	json_put_str(op->payload, "to", oid_hex(hex, to));
	return 1;
}

struct pair { struct oid from, to; };
typedef ARRAY(struct pair) pairs_t;

static void read_pairs(const struct buf *in, pairs_t *out)
{
	for (const char *p = in->ptr; *p;) {
		const char *nl = strchr(p, '\n');
		char from[GIT_OID_HEX] = "", to[GIT_OID_HEX] = "";
		struct pair pair;

		if ((nl ? (size_t)(nl - p) : strlen(p)) >= 81 && p[40] == ' ') {
			memcpy(from, p, 40);
			memcpy(to, p + 41, 40);
			if (oid_parse(from, &pair.from) && oid_parse(to, &pair.to) && !oid_equal(&pair.from, &pair.to))
				*array_add(out) = pair;
		}
		p = nl ? nl + 1 : p + strlen(p);
	}
}

static int write_rewrites(struct hook_run *h, const pairs_t *pairs, const struct person *me, struct err *e)
{
	struct op *ops = arena_alloc(h->a, (pairs->len + 1) * sizeof(*ops));
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < pairs->len && rc >= 0; i++) {
		rc = add_rewrite(h, &pairs->items[i].from, &pairs->items[i].to, me, &ops[n], e);
		n += rc > 0;
	}
	if (rc >= 0 && n)
		rc = work_write(h->work, AUDIENCE_EVERYONE, ops, n, "commits rewritten", NULL, e);
	for (size_t i = 0; i < n; i++)
		json_decref(ops[i].payload);
	return rc < 0 ? -1 : 0;
}

/* Trailers that a rebase brought in: reworded messages, commits made at an "edit" or "break". */
static int carry_out_rebased(struct hook_run *h, const struct person *me, struct err *e)
{
	struct oid head, before, *commits;
	size_t n;

	if (!repo_head(h->work->repo, &head, NULL) || repo_resolve(h->work->repo, "ORIG_HEAD", &before, e))
		return err_clear(e), 0;
	if (repo_new_commits(h->work->repo, &before, &head, REBASED_MAX, h->a, &commits, &n, e))
		return -1;
	while (n--) {
		if (carry_out_own(h, &commits[n], me, e) < 0)
			return -1;
	}
	return 0;
}

int hook_post_rewrite(struct hook_run *h, struct err *e)
{
	pairs_t pairs = ARRAY_INIT;
	struct person me;
	int rc = -1;

	if (repo_identity(h->work->repo, h->a, &me, e))
		return -1;
	read_pairs(&h->in, &pairs);
	if (write_rewrites(h, &pairs, &me, e) == 0)
		rc = h->argc > 0 && !strcmp(h->argv[0], "rebase") ? carry_out_rebased(h, &me, e) : 0;
	array_release(&pairs);
	return rc;
}
