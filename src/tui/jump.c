/* SPDX-License-Identifier: MIT */
/*
 * Jump to anything: files, threads, tasks, commits, screens and commands by a few letters. The candidates are scored in
 * slices while the typing goes on, and the best few hundred are kept in order.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "acts.h"
#include "files.h"
#include "fuzzy.h"
#include "killick/git/history.h"
#include "killick/text/sanitize.h"
#include "rows.h"
#include "views.h"

#define BEST 200
#define COMMITS 400
#define THREADS 1000
#define THREADS_SLICE 100

enum kind { J_SCREEN, J_COMMAND, J_THREAD, J_TASK, J_COMMIT, J_FILE, J_KINDS };
struct candidate { int score; enum kind kind; const char *text, *detail, *open; };
struct jump {
	struct view v;
	char *words;
	ARRAY(struct candidate) fixed;   /* everything but the files */
	struct history *history;
	size_t n_commits;
	struct candidate best[BEST];
	size_t n_best, next_fixed, next_file;
	const struct thread *last;       /* that was read */
	size_t n_threads;
	bool threads_left, tasks_left;
	bool sorted;                     /* the names are in their final order */
};

static struct jump *self(struct view *v)
{
	return (struct jump *)v;
}

static void add(struct jump *j, enum kind kind, const char *text, const char *detail, const char *open)
{
	struct arena *a = &j->v.arena;

	*array_add(&j->fixed) = (struct candidate){ 0, kind, arena_strdup(a, text), arena_strdup(a, detail), arena_strdup(a, open) };
}

static void add_words(struct jump *j)
{
	for (size_t i = 0; view_table[i]; i++)
		if (view_table[i]->args && !strchr("PI", view_table[i]->args[0]))
			add(j, J_SCREEN, view_table[i]->name, view_table[i]->help, view_table[i]->name);
	for (const struct cmd_entry *e = cmd_next(NULL); e; e = cmd_next(e))
		if (!(e->flags & CMD_HIDDEN) && !view_ops_find(e->name))
			add(j, J_COMMAND, e->name, e->summary, e->name);
}

/* A slice of them, so that no key waits for all. */
static void add_threads(struct jump *j)
{
	struct work *w = j->v.t->work;
	struct thread_find find = { .sort = SORT_UPDATED, .limit = THREADS_SLICE, .after = j->last };
	struct thread_list list = { 0 };
	struct err e = ERR_INIT;

	if (index_threads(w->index, &w->scope, &find, &j->v.arena, &list, &e) < 0)
		trace("tui", "jump: %s", e.msg);
	for (size_t i = 0; i < list.len; i++) {
		const struct thread *th = &list.items[i];

		add(j, J_THREAD, arena_printf(&j->v.arena, "%s %s", th->abbrev, th->title), thread_anchor(&j->v.arena, th), th->id);
	}
	j->n_threads += list.len;
	j->last = list.len ? &list.items[list.len - 1] : NULL;
	j->threads_left = list.more && j->n_threads < THREADS;
}

static void add_tasks(struct jump *j)
{
	struct work *w = j->v.t->work;
	struct task_list list = { 0 };
	struct err e = ERR_INIT;

	if (index_tasks(w->index, &w->scope, NULL, THREADS, 0, &j->v.arena, &list, &e) < 0)
		trace("tui", "jump: %s", e.msg);
	for (size_t i = 0; i < list.len; i++)
		add(j, J_TASK, arena_printf(&j->v.arena, "%s %s", list.items[i].id, list.items[i].title),
			task_state_name(list.items[i].state), list.items[i].id);
}

static int jump_init(struct view *v, int argc, const char *const *argv, struct err *e)
{
	struct jump *j = self(v);

	(void)e;
	j->words = xstrdup(argc ? argv[0] : "");
	files_get(v->t, false);
	return 0;
}

static void jump_close(struct view *v)
{
	history_close(self(v)->history);
	array_release(&self(v)->fixed);
	free(self(v)->words);
}

static void begin_again(struct jump *j)
{
	j->n_best = j->next_fixed = j->next_file = 0;
	j->v.busy = true;
	j->v.t->dirty = true;
}

static int jump_load(struct view *v, struct err *e)
{
	struct jump *j = self(v);
	struct err ignored = ERR_INIT;

	(void)e;
	j->fixed.len = j->n_commits = 0;
	history_close(j->history);
	if (history_open(v->t->work->repo, NULL, NULL, &j->history, &ignored) < 0)
		j->history = NULL;
	j->last = NULL;
	j->n_threads = 0;
	j->threads_left = j->tasks_left = true;
	add_words(j);
	begin_again(j);
	return 0;
}

/* ---- scoring */

static void keep(struct jump *j, const struct candidate *c)
{
	size_t i = j->n_best;

	if (j->n_best == BEST && c->score <= j->best[BEST - 1].score)
		return;
	if (j->n_best < BEST)
		j->n_best++;
	else
		i = BEST - 1;
	for (; i > 0 && j->best[i - 1].score < c->score; i--)
		j->best[i] = j->best[i - 1];
	j->best[i] = *c;
}

static void try(struct jump *j, struct candidate c)
{
	c.score = fuzzy_score(j->words, c.text);
	if (c.score >= 0)
		keep(j, &c);
}

static bool walk_commits(struct jump *j, int64_t until)
{
	struct err e = ERR_INIT;
	struct commit_info info;
	char hex[GIT_OID_HEX];
	struct oid id;

	while (j->history && !tui_time_over(j->v.t, until)) {
		if (j->n_commits >= COMMITS || history_next(j->history, &id, &e) <= 0 ||
		    repo_commit(j->v.t->work->repo, &id, &j->v.arena, &info, &e) < 0) {
			history_close(j->history);
			j->history = NULL;
			break;
		}
		j->n_commits++;
		oid_hex(hex, &id);
		add(j, J_COMMIT, arena_printf(&j->v.arena, "%.7s %s", hex, info.subject), person_label(&info.author), hex);
	}
	return j->history != NULL;
}

static bool jump_idle(struct view *v, int64_t until)
{
	struct jump *j = self(v);
	struct files *files = files_get(v->t, false);
	size_t before = j->next_fixed + j->next_file;

	if (files->complete != j->sorted) {
		j->sorted = files->complete;
		begin_again(j);
	}
	while (!tui_time_over(v->t, until) && (j->next_fixed < j->fixed.len || j->next_file < files->names.len))
		for (int i = 0; i < 256; i++)
			if (j->next_fixed < j->fixed.len)
				try(j, j->fixed.items[j->next_fixed++]);
			else if (j->next_file < files->names.len) {
				const char *name = files->names.items[j->next_file++];

				try(j, (struct candidate){ 0, J_FILE, name, "", name });
			}
	if (j->next_fixed + j->next_file != before)
		v->t->dirty = true;
	if (j->threads_left || j->tasks_left) {
		if (j->threads_left) {
			add_threads(j);
		} else {
			add_tasks(j);
			j->tasks_left = false;
		}
		return true;
	}
	return walk_commits(j, until) || j->next_fixed < j->fixed.len || j->next_file < files->names.len;
}

/* The best may be still to come. */
static bool jump_seeks(struct view *v)
{
	return v->busy || !files_get(v->t, false)->complete;
}

/* ---- the view */

static size_t jump_count(struct view *v)
{
	return self(v)->n_best;
}

static void jump_cells(struct view *v, size_t row, struct cellv *out)
{
	static const char *const names[] = { "screen", "command", "thread", "task", "commit", "file" };
	const struct candidate *c = &self(v)->best[row];

	out[0] = (struct cellv){ names[c->kind], STYLE_DIM };
	out[1] = (struct cellv){ text_clean(&v->t->frame, c->text, 0), STYLE_NORMAL };
	out[2] = (struct cellv){ text_clean(&v->t->frame, c->detail, 0), STYLE_DIM };
}

static void jump_to(struct tui *t, const struct candidate *c)
{
	const char *argv[] = { c->open, "1", NULL };
	const struct view_ops *ops = c->kind == J_TASK ? &task_view : c->kind == J_COMMIT ? &commit_view : &file_view;
	struct err e = ERR_INIT;

	if (c->kind == J_THREAD)
		act_open_thread(t, c->open);
	else if (c->kind == J_SCREEN)
		tui_run_line(t, c->open);
	else if (c->kind == J_COMMAND)
		act_prompt_command(t, arena_printf(&t->acting, "%s ", c->open));
	else if (tui_open(t, ops, c->kind == J_FILE ? 2 : 1, argv, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
}

/* The list leaves before what was chosen comes. */
static void choose(struct tui *t)
{
	struct view *v = tui_view(t);
	struct candidate c;

	if (v->ops != &jump_view)
		return;
	if (v->cursor >= self(v)->n_best) {
		tui_back(t);
		return;
	}
	arena_clear(&t->acting);
	c = self(v)->best[v->cursor];
	c.open = arena_strdup(&t->acting, c.open);
	tui_back(t);
	jump_to(t, &c);
}

static bool jump_act(struct view *v, enum act a, const char *arg)
{
	(void)arg;
	if (a != ACT_OPEN)
		return false;
	choose(v->t);
	return true;
}

static void typed(struct tui *t, const char *text)
{
	struct view *v = tui_view(t);

	if (v->ops != &jump_view || !strcmp(self(v)->words, text))
		return;
	free(self(v)->words);
	self(v)->words = xstrdup(text);
	v->cursor = v->top = 0;
	begin_again(self(v));
}

static void entered(struct tui *t, const char *text)
{
	struct view *v = tui_view(t);
	int64_t until = clock_mono() + 300;

	typed(t, text);
	/* In plain mode no idle work comes between the letters and Enter; elsewhere Enter has waited for it. */
	while (t->plain && v->ops == &jump_view && clock_mono() < until && jump_idle(v, until))
		;
	choose(t);
}

static void left(struct tui *t)
{
	if (tui_view(t)->ops == &jump_view)
		tui_back(t);
}

static bool keys(struct tui *t, uint32_t code)
{
	struct view *v = tui_view(t);
	int by = code == K_DOWN || code == KEY_CTRL('N') ? 1 : code == K_UP || code == KEY_CTRL('P') ? -1 : 0;

	if (code == K_PGDN || code == K_PGUP)
		view_page(v, code == K_PGDN ? 2 : -2);
	else if (by)
		view_move(v, by);
	return by || code == K_PGDN || code == K_PGUP;
}

void jump_open(struct tui *t)
{
	static const struct prompt_ops ops = { .changed = typed, .done = entered, .cancelled = left, .key = keys };
	struct err e = ERR_INIT;

	if (tui_view(t)->ops != &jump_view && tui_open(t, &jump_view, 0, NULL, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
	else
		prompt_open(t, &ops, "jump to: ", self(tui_view(t))->words);
}

static void jump_title(struct view *v, struct buf *buf_left, struct buf *right)
{
	buf_addf(buf_left, "%s %s jump to a file, thread, task, commit or command", repo_name(v->t->work->repo), glyph(v->t, "·", "-"));
	(void)right;
}

static void jump_empty(struct view *v, struct styled *out)
{
	if (v->busy)
		say_empty(out, v->area.w, "Looking\xe2\x80\xa6", "Esc goes back.");
	else
		say_empty(out, v->area.w, "Nothing has these letters in this order.", "Backspace takes one away, Esc goes back.");
}

static const struct column columns[] = {
	{ .name = "kind", .min = 6, .max = 7, .from = 40, .gap = 2 },
	{ .name = "text", .min = 12, .flex = true, .gap = 2 },
	{ .name = "detail", .max = 40, .from = 70, .gap = 1 },
	{ .name = NULL },
};

const struct view_ops jump_view = {
	.name = "jump", .help = "jump to anything by a few letters", .kind = VIEW_LIST, .size = sizeof(struct jump),
	.columns = columns, .hints = "open=open\nback=back\njump=type",
	.open = jump_init, .close = jump_close, .load = jump_load, .idle = jump_idle, .seeking = jump_seeks, .count = jump_count, .cells = jump_cells,
	.act = jump_act, .title = jump_title, .empty = jump_empty,
};
