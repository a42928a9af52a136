/* SPDX-License-Identifier: MIT */
/*
 * log: history with its threads. Commits stream as the walk yields them; the threads of a few dozen at a time are asked
 * for in one statement, so the first line comes at once and the last of fifty thousand costs what the first did.
 */
#include "config.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "families.h"
#include "killick/cmd/act.h"
#include "killick/git/history.h"

#define PIECE_MAX 256

struct log_values { int64_t limit; bool threads, all; };
static const struct opt log_opts[] = {
	{ 'n', "limit", OPT_INT, offsetof(struct log_values, limit), "N", "at most N commits", NULL },
	{ 't', "threads", OPT_FLAG, offsetof(struct log_values, threads), NULL, "list the threads, not only their number",
		NULL },
	{ 0, "all", OPT_FLAG, offsetof(struct log_values, all), NULL, "from every branch and tag", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

/* A piece of the history with the threads on it. */
struct piece {
	struct arena arena;
	struct oid ids[PIECE_MAX];
	size_t n;
	struct thread_list threads;
};

static int load_piece(struct cmd *c, struct history *h, struct piece *p, size_t want, struct err *e)
{
	struct log_values *v = c->values;
	int more = 1;

	p->n = 0;
	while (p->n < want && (more = history_next(h, &p->ids[p->n], e)) > 0)
		p->n++;
	if (more < 0)
		return -1;
	arena_clear(&p->arena);
	p->threads = (struct thread_list){ NULL, 0, 0, false };
	if (p->n && index_threads_on_commits(c->work->index, &c->work->scope, p->ids, p->n, &p->arena, &p->threads, e))
		return -1;
	if ((v->threads || out_json(c)) && work_places_of(c->work, &p->arena, p->threads.items, p->threads.len, e))
		return -1;
	return more;
}

static bool is_on(const struct thread *t, const char *hex)
{
	/* place.commit is what the commit became after an amend or rebase. */
	const char *on = t->place.commit ? t->place.commit : t->anchor.commit;

	return on && !strcmp(on, hex);
}

static void count_text(struct cmd *c, const struct piece *p, const char *hex)
{
	unsigned open[KIND_NOTE + 1] = { 0 }, settled = 0;

	for (size_t i = 0; i < p->threads.len; i++) {
		const struct thread *t = &p->threads.items[i];
		if (!is_on(t, hex))
			continue;
		if (t->state == STATE_RESOLVED)
			settled++;
		else
			open[t->kind]++;
	}
	for (int k = 0; k <= KIND_NOTE; k++) {
		if (open[k])
			out_textf(c, STYLE_ACCENT, "  %s%u", thread_kind_glyph((enum thread_kind)k, c->io->ascii), open[k]);
	}
	if (settled)
		out_textf(c, STYLE_DIM, "  %s%u", c->io->ascii ? "done " : "✓", settled);
}

static void commit_text(struct cmd *c, const struct piece *p, const struct commit_info *info, const char *hex)
{
	struct log_values *v = c->values;
	char age[TIME_RELATIVE_SIZE];

	out_textf(c, STYLE_ID, "%.7s  ", hex);
	out_cell(c, STYLE_DATE, time_relative(age, info->time, clock_now()), 10);
	out_text(c, STYLE_NORMAL, "  ");
	out_cell(c, STYLE_AUTHOR, person_label(&info->author), 12);
	out_text(c, STYLE_NORMAL, "  ");
	out_prose(c, STYLE_NORMAL, info->subject);
	count_text(c, p, hex);
	out_line(c);
	for (size_t i = 0; v->threads && i < p->threads.len; i++) {
		if (is_on(&p->threads.items[i], hex)) {
			out_text(c, STYLE_NORMAL, "    ");
			out_thread_line(c, &p->threads.items[i]);
		}
	}
}

static void commit_json(struct cmd *c, const struct piece *p, const struct commit_info *info, const char *hex)
{
	json_t *j = json_object(), *list = json_array();

	for (size_t i = 0; i < p->threads.len; i++) {
		if (is_on(&p->threads.items[i], hex))
			json_array_append_new(list, thread_json(&p->threads.items[i]));
	}
	json_put_str(j, "commit", hex);
	json_object_set_new(j, "author", person_json(&info->author));
	json_put_time(j, "time", info->time);
	json_put_str(j, "subject", info->subject);
	json_object_set_new(j, "threads", list);
	out_item(c, j);
}

static int print_piece(struct cmd *c, struct piece *p, struct err *e)
{
	char hex[GIT_OID_HEX];

	for (size_t i = 0; i < p->n && out_alive(c); i++) {
		struct commit_info info;

		if (repo_commit(c->work->repo, &p->ids[i], &p->arena, &info, e))
			return -1;
		oid_hex(hex, &p->ids[i]);
		if (out_json(c))
			commit_json(c, p, &info, hex);
		else
			commit_text(c, p, &info, hex);
	}
	return 0;
}

static int walk(struct cmd *c, struct history *h, struct err *e)
{
	struct log_values *v = c->values;
	struct piece *p = xcalloc(1, sizeof(*p));
	size_t left = v->limit ? (size_t)v->limit : SIZE_MAX, want = 32, shown = 0;
	struct oid head;
	int more = 1;

	while (more > 0 && left && out_alive(c)) {
		more = load_piece(c, h, p, want < left ? want : left, e);
		if (more < 0 || print_piece(c, p, e)) {
			more = -1;
			break;
		}
		left -= p->n;
		shown += p->n;
		want = PIECE_MAX;
	}
	if (!more && !shown && !out_json(c))
		out_note(c, repo_head(c->work->repo, &head, NULL) ? "no commit matches" : "there are no commits yet");
	arena_release(&p->arena);
	free(p);
	return more < 0 ? -1 : 0;
}

/* "-3" is "-n 3", as git's users type it. Takes such words out and leaves the others in their order. */
static void take_limits(struct cmd *c)
{
	struct log_values *v = c->values;
	const char **left = arena_alloc(c->arena, sizeof(*left) * ((size_t)c->argc + 1));
	int n_revs = c->dashes >= 0 ? c->dashes : c->argc, n = 0;
	uint64_t limit;

	for (int i = 0; i < c->argc; i++) {
		if (i < n_revs && c->argv[i][0] == '-' && str_to_u64(c->argv[i] + 1, INT32_MAX, &limit))
			v->limit = (int64_t)limit;
		else
			left[n++] = c->argv[i];
	}
	left[n] = NULL;
	c->dashes -= c->dashes >= 0 ? c->argc - n : 0;
	c->argc = n;
	c->argv = left;
}

/* Revisions, then at most one path: behind "--", or the last word when it is no revision but something is there. */
static int read_words(struct cmd *c, const char ***revs, const char **path, struct err *e)
{
	struct log_values *v = c->values;
	int n_revs = c->dashes >= 0 ? c->dashes : c->argc, n = 0;
	const char **list = arena_alloc(c->arena, sizeof(*list) * ((size_t)c->argc + 2));
	struct err ignored = ERR_INIT;
	struct oid id;

	*path = NULL;
	if (c->argc - n_revs > 1)
		return err_set(e, ERR_USAGE, "log takes one path behind --");
	if (c->argc > n_revs && repo_path(c->work->repo, c->argv[n_revs], c->arena, path, e))
		return -1;
	if (c->dashes < 0 && n_revs && !strstr(c->argv[n_revs - 1], "..") && c->argv[n_revs - 1][0] != '^' &&
	    repo_resolve(c->work->repo, c->argv[n_revs - 1], &id, &ignored)) {
		struct anchor an;
		if (act_anchor(c, c->argv[n_revs - 1], &an, e))
			return -1;
		if (an.type != ANCHOR_FILE || an.commit)
			return err_set(e, ERR_NOT_FOUND, "'%s' is no revision and no path", c->argv[n_revs - 1]);
		*path = an.path;
		n_revs--;
	}
	if (v->all)
		list[n++] = "--all";
	for (int i = 0; i < n_revs; i++)
		list[n++] = c->argv[i];
	*revs = list;
	return 0;
}

static int run_log(struct cmd *c, struct err *e)
{
	struct history *h = NULL;
	const char **revs, *path;
	int rc;

	take_limits(c);
	if (read_words(c, &revs, &path, e) || history_open(c->work->repo, revs[0] ? revs : NULL, path, &h, e))
		return -1;
	out_list_begin(c, "commits");
	rc = walk(c, h, e);
	if (!rc) {
		out_list_end(c);
		if (history_cut(h) && !out_json(c))
			out_note(c, "the history before is not here: this clone is shallow");
	}
	history_close(h);
	return rc;
}

const struct cmd_entry log_commands[] = {
	{ .name = "log", .args = "[REV…] [-- PATH]", .summary = "history with its threads", .opts = log_opts,
		.values = sizeof(struct log_values), .max_args = -1, .needs = NEED_REPO | NEED_INDEX | NEED_PLACES,
		.flags = CMD_JSON | CMD_PAGE, .run = run_log, .complete = "rev" },
	{ .name = NULL },
};
