/* SPDX-License-Identifier: MIT */
/*
 * The acts: a table of functions. Most only name a killick command and what the cursor is on; tui_command runs it in this
 * process over the same index, and the screens load again.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "acts.h"
#include "files.h"
#include "killick/git/permalink.h"
#include "views.h"

static void target(struct tui *t, struct target *at)
{
	tui_target(t, at);
}

/* Runs words; a NULL among them means that the cursor is on nothing of the kind: says so. */
static void command(struct tui *t, const char *missing, const char *const *words)
{
	const char *argv[8];
	int n = 0;

	for (; words[n] && n < 7; n++)
		argv[n] = arena_strdup(&t->acting, words[n]);
	argv[n] = NULL;
	if (missing)
		tui_say(t, MSG_INFO, "%s", missing);
	else
		tui_command(t, n, argv, NULL);
}
#define COMMAND(t, ok, missing, ...) command((t), (ok) ? NULL : (missing), (const char *const[]){ __VA_ARGS__, NULL })

#define NO_THREAD "no thread under the cursor: ] goes to the next"
#define NO_POST "no post under the cursor"
#define UNDO_FRESH (10 * 60 * (int64_t)1000)

/* ---- moving */

static void do_down(struct tui *t, const char *arg UNUSED) { view_move(tui_view(t), 1); }
static void do_up(struct tui *t, const char *arg UNUSED) { view_move(tui_view(t), -1); }
static void do_page_down(struct tui *t, const char *arg UNUSED) { view_page(tui_view(t), 2); }
static void do_page_up(struct tui *t, const char *arg UNUSED) { view_page(tui_view(t), -2); }
static void do_half_down(struct tui *t, const char *arg UNUSED) { view_page(tui_view(t), 1); }
static void do_half_up(struct tui *t, const char *arg UNUSED) { view_page(tui_view(t), -1); }
static void do_first(struct tui *t, const char *arg UNUSED) { view_goto(tui_view(t), 0); }
static void do_connect(struct tui *t, const char *arg UNUSED)
{
	tui_connect(t);
}

static void do_last(struct tui *t, const char *arg UNUSED)
{
	view_last(tui_view(t));
}

static void sideways(struct tui *t, int by)
{
	struct view *v = tui_view(t);

	v->left = by == 0 || v->left + by < 0 ? 0 : v->left + by;
}
static void do_left(struct tui *t, const char *arg UNUSED) { sideways(t, -8); }
static void do_right(struct tui *t, const char *arg UNUSED) { sideways(t, 8); }
static void do_line_start(struct tui *t, const char *arg UNUSED) { sideways(t, 0); }

static void do_goto(struct tui *t, const char *arg)
{
	uint64_t n;

	if (!arg || !str_to_u64(arg, SIZE_MAX / 2, &n) || n == 0)
		tui_say(t, MSG_ERROR, "goto takes a number: the row, counted from 1");
	else
		view_goto_known(tui_view(t), n - 1);
}

static void next_thread(struct tui *t, int dir)
{
	struct screen *s = tui_screen(t), *below = t->screens.len > 1 ? s - 1 : NULL;
	struct target at;
	size_t before;

	/* A thread that was opened from a list: the next one of that list takes its place. */
	if (below && below->main->ops->kind == VIEW_LIST && (s->side_first || s->main->ops == &thread_view)) {
		before = below->main->cursor;
		view_move(below->main, dir);
		view_target(below->main, &at);
		if (below->main->cursor == before || !at.thread) {
			tui_say(t, MSG_INFO, dir > 0 ? "this was the last thread of the list" : "this was the first thread of the list");
			return;
		}
		tui_back(t);
		act_open_thread(t, at.thread);
		return;
	}
	view_move(tui_view(t), dir);
}
static void do_next_thread(struct tui *t, const char *arg UNUSED) { next_thread(t, 1); }
static void do_prev_thread(struct tui *t, const char *arg UNUSED) { next_thread(t, -1); }
static void do_find_next(struct tui *t, const char *arg UNUSED) { view_find_again(tui_view(t), 1); }
static void do_find_prev(struct tui *t, const char *arg UNUSED) { view_find_again(tui_view(t), -1); }

/* ---- screens */

static void open_named(struct tui *t, const struct view_ops *ops, const char *word)
{
	const char *const argv[] = { word, NULL };
	struct err e = ERR_INIT;

	if (tui_open(t, ops, word ? 1 : 0, argv, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
}

static void open_file(struct tui *t, const struct target *at)
{
	const char *argv[] = { at->path, arena_printf(&t->acting, "%u", at->line ? at->line : 1), at->commit, NULL };
	struct err e = ERR_INIT;

	if (tui_open(t, &file_view, at->commit ? 3 : 2, argv, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
}

static void do_open(struct tui *t, const char *arg UNUSED)
{
	struct target at;

	target(t, &at);
	/* What was opened keeps the cursor when others' words change the order of the list. */
	tui_view(t)->touched = true;
	if (at.thread)
		act_open_thread(t, arena_strdup(&t->acting, at.thread));
	else if (at.task)
		open_named(t, &task_view, at.task);
	else if (at.commit && !at.path)
		open_named(t, &commit_view, at.commit);
	else if (at.path)
		open_file(t, &at);
	else
		tui_say(t, MSG_INFO, "there is nothing to open here");
}

static void do_back(struct tui *t, const char *arg UNUSED) { tui_back(t); }

static void do_pane(struct tui *t, const char *arg UNUSED)
{
	struct screen *s = tui_screen(t);

	if (s->side)
		s->side_focus = !s->side_focus;
	else
		tui_say(t, MSG_INFO, "there is one pane: Enter on a line with a thread opens another");
}

static void do_view(struct tui *t, const char *arg)
{
	const char *name = arena_printf(&t->acting, "view%s", arg ? arg : "1"), *query = setting_text(t, name);
	size_t n = strcspn(query, " ");

	if (!*query) {
		tui_say(t, MSG_INFO, "no saved view %s yet; \":config %s 'is:open on:src'\" saves one", name + 4, name);
		return;
	}
	/* "tasks is:open" names its screen; a bare query lists threads. */
	if (!view_ops_find(arena_memdup(&t->acting, query, n))) {
		open_named(t, &threads_view, query);
		return;
	}
	open_named(t, view_ops_find(arena_memdup(&t->acting, query, n)), query[n] ? query + n + 1 : NULL);
}

static void do_help(struct tui *t, const char *arg)
{
	if (arg || tui_view(t)->ops != &help_view)
		open_named(t, &help_view, arg ? arg : tui_view(t)->ops->name);
}

static void do_reload(struct tui *t, const char *arg UNUSED)
{
	t->stamp[0] = '\0';
	t->ticked = 0;
	tui_refresh(t);
}

static void do_redraw(struct tui *t, const char *arg UNUSED) { term_redraw(t->term); }
static void do_suspend(struct tui *t, const char *arg UNUSED) { term_suspend(t->term); }
static void do_quit(struct tui *t, const char *arg UNUSED) { t->done = true; }

static void do_cancel(struct tui *t, const char *arg UNUSED)
{
	struct view *v = tui_view(t);
	struct job *sync = job_find(t, "sync");
	struct err e = ERR_INIT;

	v->to_end = false;
	v->to_row = 0;
	if (v->find.text) {
		free(v->find.text);
		v->find = (struct find){ 0 };
		if (!*v->filter)
			return;
	}
	if (*v->filter) {
		view_set_filter(v, "", &e);
	} else if (sync || t->sync_waits) {
		if (sync)
			job_kill(sync);
		t->sync_waits = false;
		free(t->world.progress);
		t->world.progress = NULL;
		tui_say(t, MSG_INFO, "the sync was stopped; what was not sent is sent by the next one");
	} else {
		tui_say(t, MSG_INFO, "q goes back, Q leaves killick");
	}
}

/* ---- prompts */

static size_t complete_command(struct tui *t, const char *text, size_t cursor, struct arena *a, struct strlist *out)
{
	size_t start;

	tui_complete(t, text, cursor, a, out, &start);
	return start;
}

static size_t complete_query(struct tui *t, const char *text, size_t cursor, struct arena *a, struct strlist *out)
{
	size_t at = cursor;
	const char *const *words;

	(void)t;
	while (at > 0 && !strchr(" (-", text[at - 1]))
		at--;
	words = query_words(arena_memdup(a, text + at, cursor - at));
	for (size_t i = 0; words && words[i]; i++)
		if (!strncmp(words[i], text + at, cursor - at))
			*array_add(out) = arena_strdup(a, words[i]);
	return at;
}

static void command_done(struct tui *t, const char *text)
{
	tui_run_line(t, text);
}

static const struct prompt_ops command_prompt = {
	.history = "command", .complete = complete_command, .done = command_done,
};

void act_prompt_command(struct tui *t, const char *start)
{
	prompt_open(t, &command_prompt, ":", start);
}

static void do_command(struct tui *t, const char *arg)
{
	act_prompt_command(t, arg ? arg : "");
}

/* "is:open kind" is on its way to "is:open kind:…": the last word waits until it is plain what it is. */
static const char *settled_part(struct tui *t, const char *text)
{
	const char *last = strrchr(text, ' ');
	const char *const *words;

	last = last ? last + 1 : text;
	if (!*last || strchr(last, ':'))
		return text;
	words = query_words(last);
	for (size_t i = 0; words[i]; i++)
		if (str_starts(words[i], last) && str_ends(words[i], ":")) {
			arena_clear(&t->acting);
			return arena_memdup(&t->acting, text, (size_t)(last - text));
		}
	return text;
}

static void filter_changed(struct tui *t, const char *text)
{
	struct err e = ERR_INIT;

	if (view_set_filter(tui_view(t), settled_part(t, text), &e) < 0)
		prompt_note(t, true, "%s", e.msg);
	else
		prompt_note(t, false, "%s", "");
}

static void filter_done(struct tui *t, const char *text)
{
	struct view *v = tui_view(t);
	struct err e = ERR_INIT;

	if (view_set_filter(v, text, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
	free(v->filter_before);
	v->filter_before = NULL;
}

static void filter_cancelled(struct tui *t)
{
	struct view *v = tui_view(t);
	struct err e = ERR_INIT;

	if (v->filter_before)
		view_set_filter(v, v->filter_before, &e);
	free(v->filter_before);
	v->filter_before = NULL;
}

static const struct prompt_ops filter_prompt = {
	.history = "filter", .changed = filter_changed, .complete = complete_query, .done = filter_done,
	.cancelled = filter_cancelled,
};

static void search_done(struct tui *t, const char *text)
{
	if (*text)
		view_find(tui_view(t), text, 1);
}

static const struct prompt_ops search_prompt = { .history = "search", .done = search_done };

static void do_filter(struct tui *t, const char *arg)
{
	struct view *v = tui_view(t);

	if (!(v->ops->flags & VIEW_QUERY)) {
		if (arg)
			search_done(t, arg);
		else
			prompt_open(t, &search_prompt, "/", "");
		return;
	}
	if (arg) {
		filter_done(t, arg);
		return;
	}
	free(v->filter_before);
	v->filter_before = xstrdup(v->filter);
	prompt_open(t, &filter_prompt, "/", v->filter);
}

static void do_jump(struct tui *t, const char *arg UNUSED)
{
	jump_open(t);
}

/* ---- threads */

static void do_reply(struct tui *t, const char *arg UNUSED)
{
	struct target at;

	target(t, &at);
	COMMAND(t, at.thread, NO_THREAD, "reply", at.thread ? at.thread : "");
}

static void do_resolve(struct tui *t, const char *arg UNUSED)
{
	struct target at;

	target(t, &at);
	COMMAND(t, at.thread, NO_THREAD, at.state == STATE_RESOLVED ? "reopen" : "resolve", at.thread ? at.thread : "");
}

static void do_accept(struct tui *t, const char *arg UNUSED)
{
	struct target at;

	target(t, &at);
	COMMAND(t, at.thread, NO_THREAD, "accept", at.post ? at.post : at.thread ? at.thread : "");
}

static void do_ask(struct tui *t, const char *arg UNUSED)
{
	struct target at;

	target(t, &at);
	if (!at.anchor && tui_view(t)->ops->kind == VIEW_LIST) {
		open_named(t, &files_view, NULL);
		tui_say(t, MSG_INFO, "pick a file, then a line, then a asks about it");
		return;
	}
	COMMAND(t, at.anchor, "there is nothing here to ask about", "ask", at.anchor ? at.anchor : "");
}

static void line_sent(struct tui *t, const char *verb, const char *to, const char *text)
{
	const char *const argv[] = { verb, to, "-m", text, NULL };

	if (!*text)
		tui_say(t, MSG_INFO, "nothing was written, nothing was sent");
	else if (tui_command(t, 4, argv, NULL) != 0)
		tui_say(t, MSG_ERROR, "your words are kept: %s", text);
}

static void reply_typed(struct tui *t, const char *text)
{
	struct target at;

	arena_clear(&t->acting);
	target(t, &at);
	if (at.thread)
		line_sent(t, "reply", arena_strdup(&t->acting, at.thread), text);
}

static void ask_typed(struct tui *t, const char *text)
{
	struct target at;

	arena_clear(&t->acting);
	target(t, &at);
	if (at.anchor)
		line_sent(t, "ask", arena_strdup(&t->acting, at.anchor), text);
}

static const struct prompt_ops reply_prompt = { .history = "reply", .done = reply_typed };
static const struct prompt_ops ask_prompt = { .history = "ask", .done = ask_typed };

/* Who will see it stands before the text, so that nobody is surprised. */
static void do_reply_line(struct tui *t, const char *arg UNUSED)
{
	struct target at;
	struct thread th;
	struct err e = ERR_INIT;

	target(t, &at);
	if (!at.thread || index_thread(t->work->index, &t->work->scope, at.thread, &t->acting, &th, NULL, &e) < 0)
		tui_say(t, MSG_INFO, NO_THREAD);
	else
		prompt_open(t, &reply_prompt, arena_printf(&t->acting, "reply to %s (%s): ", th.abbrev,
			th.audience == AUDIENCE_PRIVATE ? "private" : "everyone"), "");
}

static void do_ask_line(struct tui *t, const char *arg UNUSED)
{
	struct target at;

	target(t, &at);
	if (!at.anchor)
		tui_say(t, MSG_INFO, "there is nothing here to ask about");
	else
		prompt_open(t, &ask_prompt, arena_printf(&t->acting, "ask on %s (everyone): ", at.anchor), "");
}

static void do_note(struct tui *t, const char *arg UNUSED)
{
	static const struct menu_item items[] = {
		{ 'r', "remark", "remark %anchor" }, { 'd', "decision", "decide %anchor" }, { 'n', "note", "note %anchor" },
		{ 'p', "private note", "note --private %anchor" }, { 'q', "question", "ask %anchor" },
		{ 'x', "private question", "ask --private %anchor" }, { 0, NULL, NULL },
	};
	struct target at;

	target(t, &at);
	if (!at.anchor)
		tui_say(t, MSG_INFO, "there is nothing here to write about");
	else
		prompt_menu(t, arena_printf(&t->acting, "on %s:", at.anchor), items);
}

static void do_change_post(struct tui *t, const char *arg UNUSED)
{
	struct target at;

	target(t, &at);
	if (at.draft)
		COMMAND(t, true, NULL, "drafts", "edit", at.draft);
	else if (at.unsent)
		COMMAND(t, true, NULL, "outbox", "edit", at.unsent);
	else
		COMMAND(t, at.post && at.post_mine, at.post ? "only its author can change this post" : NO_POST, "edit",
			at.post ? at.post : "");
}

static void do_retract(struct tui *t, const char *arg)
{
	static const struct menu_item posts[] = {
		{ 'y', "take it back for good", "retract-post now" }, { 'n', "keep it", "redraw" }, { 0, NULL, NULL },
	};
	static const struct menu_item drafts[] = {
		{ 'y', "drop it for good", "retract-post now" }, { 'n', "keep it", "redraw" }, { 0, NULL, NULL },
	};
	struct target at;

	target(t, &at);
	if (at.unsent && arg && !strcmp(arg, "now")) {
		COMMAND(t, true, NULL, "outbox", "discard", at.unsent);
		return;
	}
	if (at.unsent) {
		prompt_menu(t, "what waits in the outbox:", drafts);
		return;
	}
	if (!at.draft && (!at.post || !at.post_mine)) {
		tui_say(t, MSG_INFO, at.post ? "only its author can take this post back" : NO_POST);
		return;
	}
	if (!arg || strcmp(arg, "now"))
		prompt_menu(t, at.draft ? "this draft:" : "your post:", at.draft ? drafts : posts);
	else if (at.draft)
		COMMAND(t, true, NULL, "drafts", "drop", at.draft);
	else
		COMMAND(t, true, NULL, "retract", at.post);
}

static void do_send(struct tui *t, const char *arg UNUSED)
{
	struct target at;

	target(t, &at);
	if (at.unsent)
		COMMAND(t, true, NULL, "outbox", "release", at.unsent);
	else
		COMMAND(t, at.draft != NULL, "there is no draft here, and nothing that is held: D lists both", "drafts", "send",
			at.draft ? at.draft : "");
}

static void do_react(struct tui *t, const char *arg UNUSED)
{
	static const struct menu_item items[] = {
		{ '+', "+1", "react %post +1" }, { '-', "-1", "react %post -1" }, { 'h', "heart", "react %post heart" },
		{ 'e', "eyes", "react %post eyes" }, { 'r', "rocket", "react %post rocket" },
		{ 't', "hooray", "react %post hooray" }, { 'l', "laugh", "react %post laugh" },
		{ 'c', "confused", "react %post confused" }, { 0, NULL, NULL },
	};
	struct target at;

	target(t, &at);
	if (at.post)
		prompt_menu(t, "react:", items);
	else
		tui_say(t, MSG_INFO, NO_POST);
}

static void move_typed(struct tui *t, const char *text)
{
	struct target at;

	arena_clear(&t->acting);
	target(t, &at);
	if (at.thread && *text)
		COMMAND(t, true, NULL, "move", at.thread, text);
}

static size_t complete_path(struct tui *t, const char *text, size_t cursor, struct arena *a, struct strlist *out)
{
	acts_offer_paths(t, out, a, arena_memdup(a, text, cursor));
	return 0;
}

static const struct prompt_ops move_prompt = { .history = "anchor", .done = move_typed, .complete = complete_path };

static void do_move(struct tui *t, const char *arg UNUSED)
{
	struct target at;
	struct thread th;
	struct err e = ERR_INIT;
	const char *guess = "";

	target(t, &at);
	if (!at.thread || index_thread(t->work->index, &t->work->scope, at.thread, &t->acting, &th, NULL, &e) < 0 ||
	    work_places_dirty(t->work, &t->acting, &th, 1, &e) < 0) {
		tui_say(t, MSG_INFO, NO_THREAD);
		return;
	}
	if (th.place.path && th.place.line)
		guess = th.place.end > th.place.line ? arena_printf(&t->acting, "%s:%u-%u", th.place.path, th.place.line, th.place.end) :
			arena_printf(&t->acting, "%s:%u", th.place.path, th.place.line);
	prompt_open(t, &move_prompt, arena_printf(&t->acting, "move %s to: ", th.abbrev), guess);
}

static void do_read(struct tui *t, const char *arg UNUSED)
{
	struct target at;
	struct thread th;
	struct err e = ERR_INIT;

	target(t, &at);
	if (!at.thread) {
		tui_say(t, MSG_INFO, NO_THREAD);
		return;
	}
	if (index_thread(t->work->index, &t->work->scope, at.thread, &t->acting, &th, NULL, &e) < 0 ||
	    work_mark_read(t->work, &th, &e) < 0) {
		tui_say(t, MSG_ERROR, "%s", e.msg);
		return;
	}
	t->generation = index_generation(t->work->index);
	tui_stale(t);
	if (tui_view(t)->ops->kind == VIEW_LIST)
		view_move(tui_view(t), 1);
}

/* What was just done goes without a question; what is older may have been forgotten. */
static void do_undo(struct tui *t, const char *arg)
{
	static const struct menu_item items[] = {
		{ 'y', "take it back", "undo now" }, { 'n', "leave it", "redraw" }, { 0, NULL, NULL },
	};
	struct err e = ERR_INIT;
	enum audience aud;
	struct target at;
	struct op op;
	bool fresh;

	target(t, &at);
	if (at.unsent) {
		COMMAND(t, true, NULL, "outbox", "recall", at.unsent);
		return;
	}
	if (t->world.queued + t->world.held) {
		COMMAND(t, true, NULL, "recall");
		return;
	}
	if (work_last(t->work, &op, &aud, &e) < 0) {
		tui_say(t, MSG_INFO, "there is nothing of yours to take back");
		return;
	}
	fresh = clock_now() - op.time < UNDO_FRESH;
	if (fresh || (arg && !strcmp(arg, "now")))
		COMMAND(t, true, NULL, "recall");
	else
		prompt_menu(t, arena_printf(&t->acting, "what you wrote last here (%s, %s):", op_type_name(op.type),
			tui_now_relative(t, op.time)), items);
	op_release(&op);
}

static void do_repeat(struct tui *t, const char *arg UNUSED)
{
	char *line;

	if (!t->last_line) {
		tui_say(t, MSG_INFO, "nothing was done yet that could be repeated");
		return;
	}
	line = xstrdup(t->last_line);
	tui_run_line(t, line);
	free(line);
}

static void do_written(struct tui *t, const char *arg UNUSED)
{
	tui_say(t, MSG_INFO, "there is no thread here whose code could be shown as written");
}

static void do_nothing(struct tui *t, const char *arg UNUSED)
{
	tui_say(t, MSG_INFO, "this has no meaning here; ? shows the keys");
}

/* ---- code */

static void do_edit_code(struct tui *t, const char *arg UNUSED)
{
	const char *top = repo_top(t->work->repo), *path;
	struct target at;
	struct err e = ERR_INIT;

	target(t, &at);
	if (!at.path || !top) {
		tui_say(t, MSG_INFO, !top ? "a bare repository has no files to edit" : "there is no code under the cursor");
		return;
	}
	path = arena_printf(&t->acting, "%s/%s", top, at.path);
	if (tui_editor(t, path, at.line, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
	tui_refresh(t);
}

/* What stands in the work tree has a page as HEAD has it: with its lines where the file is the same, else without. */
static void at_head(struct tui *t, struct anchor *an)
{
	struct repo *r = t->work->repo;
	struct oid head, blob, here;
	char hex[GIT_OID_HEX];
	struct err e = ERR_INIT;
	unsigned mode;

	if (!an->path || an->commit || !repo_head(r, &head, NULL) || repo_tree_path(r, &head, an->path, &blob, &mode, &e) < 0)
		return;
	an->commit = arena_strdup(&t->acting, oid_hex(hex, &head));
	if (an->type == ANCHOR_LINES && (repo_worktree_file(r, an->path, 0, NULL, &here, &e) < 0 || !oid_equal(&here, &blob))) {
		an->type = ANCHOR_FILE;
		an->line = an->end = 0;
	}
}

/* The page of what the cursor is on; in the acting arena, or NULL. */
static const char *link_of(struct tui *t, const struct target *at)
{
	struct anchor_resolver r = repo_anchor_resolver(t->work->repo);
	struct anchor an;
	struct buf url = BUF_INIT;
	struct err e = ERR_INIT;
	const char *out = NULL;

	if (at->url)
		return at->url;
	if (!at->anchor || anchor_parse(&t->acting, at->anchor, &r, &an, &e) < 0)
		return NULL;
	at_head(t, &an);
	if (permalink_make(t->work->repo, &an, &url))
		out = arena_strdup(&t->acting, url.ptr);
	buf_release(&url);
	return out;
}

static void do_browse(struct tui *t, const char *arg UNUSED)
{
	struct target at;

	target(t, &at);
	tui_browse(t, link_of(t, &at));
}

static void do_yank(struct tui *t, const char *arg)
{
	static const struct menu_item items[] = {
		{ 'l', "link", "yank link" }, { 'q', "quotation", "yank quotation" }, { 'i', "id", "yank id" },
		{ 'a', "anchor", "yank anchor" }, { 0, NULL, NULL },
	};
	struct target at;

	target(t, &at);
	if (!arg) {
		prompt_menu(t, "copy:", items);
		return;
	}
	switch (arg[0]) {
	case 'l': tui_clip(t, "link", link_of(t, &at)); break;
	case 'q': tui_clip(t, "quotation", at.quote); break;
	case 'a': tui_clip(t, "anchor", at.anchor); break;
	default: tui_clip(t, "id", at.thread ? at.thread : at.task ? at.task : at.commit ? at.commit : at.draft);
	}
}

static void do_sync(struct tui *t, const char *arg UNUSED) { tui_sync(t); }

static void do_tour(struct tui *t, const char *arg UNUSED)
{
	struct err e = ERR_INIT;

	if (tour_run(t, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
}

void act_bind(struct tui *t, const char *line)
{
	struct err e = ERR_INIT;

	if (keymap_line(&t->keys, line, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
	else
		tui_say(t, MSG_INFO, "done, for this session; the keys file keeps it (killick-keys(5))");
}

/* ---- helpers of others */

void acts_offer_paths(struct tui *t, struct strlist *out, struct arena *a, const char *prefix)
{
	const struct files *f = files_get(t, false);
	size_t n = strlen(prefix);

	/* Folder by folder, as a shell does it. */
	for (size_t i = 0; i < f->names.len && out->len < 500; i++) {
		const char *name = f->names.items[i], *slash, *word;

		if (strncmp(name, prefix, n))
			continue;
		slash = strchr(name + n, '/');
		word = slash ? arena_memdup(a, name, (size_t)(slash - name) + 1) : name;
		if (out->len == 0 || strcmp(out->items[out->len - 1], word))
			*array_add(out) = arena_strdup(a, word);
	}
}

static bool has_code(const struct thread *th)
{
	return (th->anchor.type == ANCHOR_FILE || th->anchor.type == ANCHOR_LINES || th->anchor.type == ANCHOR_SECTION) &&
		th->place.state != PLACE_GONE && th->place.state != PLACE_UNKNOWN && th->place.path;
}

static struct view *code_of(struct tui *t, const struct thread *th)
{
	struct err e = ERR_INIT;
	const char *argv[3] = { th->place.path, NULL, NULL };

	if (has_code(th)) {
		argv[1] = arena_printf(&t->acting, "%u", th->place.line ? th->place.line : 1);
		return view_new(t, &file_view, 2, argv, &e);
	}
	if (th->anchor.type == ANCHOR_COMMIT && th->anchor.commit) {
		argv[0] = th->anchor.commit;
		return view_new(t, &commit_view, 1, argv, &e);
	}
	return NULL;
}

void act_open_thread(struct tui *t, const char *id)
{
	struct screen *s = tui_screen(t);
	const char *const argv[] = { id, NULL };
	struct err e = ERR_INIT;
	struct thread th;
	struct view *side, *code;

	if (index_thread(t->work->index, &t->work->scope, id, &t->acting, &th, NULL, &e) < 0 ||
	    work_places_dirty(t->work, &t->acting, &th, 1, &e) < 0 || !(side = view_new(t, &thread_view, 1, argv, &e))) {
		tui_say(t, MSG_ERROR, "%s", e.msg);
		return;
	}
	/* On code already: the thread opens beside it. */
	if (s && (s->main->ops == &file_view || s->main->ops == &commit_view) && !s->side_first) {
		tui_set_side(t, side, true);
		return;
	}
	code = code_of(t, &th);
	if (code)
		tui_push(t, code, side, true);
	else
		tui_push(t, side, NULL, false);
}

/* ---- the table */

static act_fn *const functions[ACT_COUNT] = {
	[ACT_DOWN] = do_down, [ACT_UP] = do_up, [ACT_PAGE_DOWN] = do_page_down, [ACT_PAGE_UP] = do_page_up,
	[ACT_HALF_DOWN] = do_half_down, [ACT_HALF_UP] = do_half_up, [ACT_FIRST] = do_first, [ACT_LAST] = do_last,
	[ACT_LEFT] = do_left, [ACT_RIGHT] = do_right, [ACT_LINE_START] = do_line_start, [ACT_GOTO] = do_goto,
	[ACT_NEXT_THREAD] = do_next_thread, [ACT_PREV_THREAD] = do_prev_thread, [ACT_FIND_NEXT] = do_find_next,
	[ACT_FIND_PREV] = do_find_prev, [ACT_OPEN] = do_open, [ACT_BACK] = do_back, [ACT_PANE] = do_pane,
	[ACT_FILTER] = do_filter, [ACT_COMMAND] = do_command, [ACT_JUMP] = do_jump, [ACT_VIEW] = do_view,
	[ACT_CONNECT] = do_connect, [ACT_HELP] = do_help, [ACT_RELOAD] = do_reload, [ACT_REDRAW] = do_redraw, [ACT_SUSPEND] = do_suspend,
	[ACT_CANCEL] = do_cancel, [ACT_QUIT] = do_quit, [ACT_REPLY] = do_reply, [ACT_REPLY_LINE] = do_reply_line,
	[ACT_RESOLVE] = do_resolve, [ACT_ACCEPT] = do_accept, [ACT_ASK] = do_ask, [ACT_ASK_LINE] = do_ask_line,
	[ACT_NOTE] = do_note, [ACT_CHANGE_POST] = do_change_post, [ACT_RETRACT] = do_retract, [ACT_REACT] = do_react,
	[ACT_SEND] = do_send,
	[ACT_MOVE] = do_move, [ACT_READ] = do_read, [ACT_UNDO] = do_undo, [ACT_REPEAT] = do_repeat,
	[ACT_WRITTEN] = do_written, [ACT_FOLD] = do_nothing, [ACT_MARK] = do_nothing, [ACT_EDIT_CODE] = do_edit_code,
	[ACT_BROWSE] = do_browse, [ACT_YANK] = do_yank, [ACT_SYNC] = do_sync, [ACT_TOUR] = do_tour,
};

act_fn *act_function(enum act a)
{
	return functions[a];
}

bool act_is_shared(enum act a)
{
	return a == ACT_WRITTEN || a == ACT_FOLD || a == ACT_MARK || a == ACT_NEXT_THREAD || a == ACT_PREV_THREAD;
}
