/* SPDX-License-Identifier: MIT */
/*
 * What a ":" line means. Its first word is an act (the table below), a screen (view_table) or a killick command; keys are
 * bound to such lines, so a key can do nothing that cannot be typed. In a line, %thread, %post, %task, %commit, %path,
 * %line, %anchor and %draft stand for what the cursor is on, and a command that wants a thread, an anchor or a task and
 * is given none gets that of the cursor.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/base/proc.h"
#include "act.h"
#include "acts.h"
#include "ui.h"

/* ---- placeholders */

static const char *line_text(struct tui *t, const struct target *at)
{
	return at->line ? arena_printf(&t->acting, "%u", at->line) : NULL;
}

static const char *place_text(struct tui *t, const char *name, const struct target *at)
{
	const struct { const char *name, *value; } all[] = {
		{ "thread", at->thread }, { "post", at->post }, { "task", at->task }, { "commit", at->commit },
		{ "path", at->path }, { "anchor", at->anchor }, { "draft", at->draft }, { "line", line_text(t, at) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(all[i].name, name))
			return all[i].value ? arena_strdup(&t->acting, all[i].value) : NULL;
	return name;
}

static bool has_placeholder(const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		if (words[i][0] == '%' && words[i][1])
			return true;
	return false;
}

/* false: the cursor is on nothing of the kind. */
static bool fill_in(struct tui *t, const char **words, const struct target *at)
{
	for (size_t i = 0; words[i]; i++) {
		const char *value;

		if (words[i][0] != '%' || !words[i][1])
			continue;
		value = place_text(t, words[i] + 1, at);
		if (!value) {
			tui_say(t, MSG_INFO, "there is no %s under the cursor", words[i] + 1);
			return false;
		}
		words[i] = value;
	}
	return true;
}

/* ---- commands */

static const char *wanted(const struct cmd_entry *e, const struct target *at)
{
	const char *kind = e->complete ? e->complete : "";

	if (str_starts(kind, "thread"))
		return at->thread;
	if (str_starts(kind, "anchor"))
		return at->anchor;
	if (str_starts(kind, "task"))
		return at->task;
	return str_starts(kind, "draft") ? at->draft : NULL;
}

static bool has_argument(const char *const *words, size_t from)
{
	for (size_t i = from; words[i]; i++)
		if (words[i][0] != '-')
			return true;
	return false;
}

static const struct cmd_entry *entry_of(const char *const *words, size_t *n)
{
	const struct cmd_entry *e = cmd_find(words[0], NULL), *sub;

	*n = 1;
	if (!e || !e->sub || !words[1])
		return e;
	sub = cmd_find(words[0], words[1]);
	if (sub)
		*n = 2;
	return sub ? sub : e;
}

static void run_command(struct tui *t, const char **words, const struct target *at)
{
	size_t n = 0, used;
	const struct cmd_entry *e = entry_of(words, &used);
	const char **argv, *target;

	while (words[n])
		n++;
	if (!e) {
		const char *near = cmd_suggest(words[0], NULL);

		tui_say(t, MSG_ERROR, near ? "no command is called '%s'; did you mean '%s'?" :
			"no command is called '%s' (Tab completes, ? lists the keys)", words[0], near ? near : "");
		return;
	}
	argv = arena_alloc(&t->acting, sizeof(*argv) * (n + 2));
	memcpy(argv, words, sizeof(*argv) * n);
	target = e->min_args > 0 && !has_argument(words, used) ? wanted(e, at) : NULL;
	if (target)
		argv[n++] = arena_strdup(&t->acting, target);
	tui_command(t, (int)n, argv, NULL);
}

static void open_view(struct tui *t, const struct view_ops *ops, const char *const *words)
{
	struct err e = ERR_INIT;
	int n = 0;

	while (words[n])
		n++;
	if (tui_open(t, ops, n - 1, words + 1, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
}

/* A screen of that name that takes such words; "task new" is the command. */
static const struct view_ops *view_for(const char *const *words)
{
	/* One screen has both. */
	const struct view_ops *ops = view_ops_find(strcmp(words[0], "outbox") || words[1] ? words[0] : "drafts");

	if (ops && words[1] && (cmd_find(words[0], words[1]) || words[1][0] == '-'))
		return NULL;
	return ops;
}

static bool is_row_number(const char *word)
{
	uint64_t n;

	return str_to_u64(word, UINT32_MAX, &n);
}

static const char *joined(struct tui *t, const char *const *words)
{
	const char *s = words[0];

	for (size_t i = 1; s && words[i]; i++)
		s = arena_printf(&t->acting, "%s %s", s, words[i]);
	return s;
}

/* What changes something can be done again elsewhere; what only asks ("which reaction?") is not what was done. */
static void remember(struct tui *t, const char *line, enum act a, const char *const *words)
{
	size_t n;
	const struct cmd_entry *e = a == ACT_NONE ? entry_of(words, &n) : NULL;

	if (a != ACT_RESOLVE && a != ACT_ACCEPT && a != ACT_READ && a != ACT_REPLY && a != ACT_REPLY_LINE && a != ACT_ASK &&
	    a != ACT_ASK_LINE && !(e && e->needs & NEED_WRITE))
		return;
	if (t->last_line && !strcmp(t->last_line, line))
		return;
	free(t->last_line);
	t->last_line = xstrdup(line);
}

void tui_run_line(struct tui *t, const char *line)
{
	const struct view_ops *ops;
	struct target at = { .thread = NULL };
	const char **words;
	enum act a;

	arena_clear(&t->acting);
	line = arena_strdup(&t->acting, line);
	if (!proc_split(&t->acting, line, &words)) {
		tui_say(t, MSG_ERROR, "the quotes do not match: %s", line);
		return;
	}
	if (!words[0])
		return;
	a = is_row_number(words[0]) ? ACT_GOTO : act_find(words[0]);
	ops = view_for(words);
	/* Moving about does not ask what the cursor is on, which may take a millisecond. */
	if ((a == ACT_NONE && !ops) || has_placeholder(words))
		tui_target(t, &at);
	if (!fill_in(t, words, &at))
		return;
	if (!ops)
		remember(t, line, a, words);
	if (a == ACT_GOTO && is_row_number(words[0]))
		tui_act(t, a, words[0]);
	else if (a == ACT_BIND || a == ACT_UNBIND)
		act_bind(t, line);
	else if (a != ACT_NONE)
		tui_act(t, a, joined(t, words + 1));
	else if (ops)
		open_view(t, ops, words);
	else
		run_command(t, words, &at);
}

/* ---- acts */

void tui_act(struct tui *t, enum act a, const char *arg)
{
	struct screen *s = tui_screen(t);
	struct view *v = tui_view(t), *other;
	act_fn *fn = act_function(a);

	if (!v)
		return;
	other = v == s->main ? s->side : s->main;
	if (v->ops->act && v->ops->act(v, a, arg))
		return;
	/* The pane beside knows what to do with "accept" or "view as written" as well. */
	if (other && act_is_shared(a) && other->ops->act && other->ops->act(other, a, arg))
		return;
	if (fn)
		fn(t, arg);
}

/* ---- completion at ":" */

static void offer(struct strlist *out, struct arena *a, const char *word, const char *prefix)
{
	for (size_t i = 0; i < out->len; i++)
		if (!strcmp(out->items[i], word))
			return;
	if (str_starts(word, prefix))
		*array_add(out) = arena_strdup(a, word);
}

static void offer_commands(struct strlist *out, struct arena *a, const char *prefix)
{
	for (const struct cmd_entry *e = cmd_next(NULL); e; e = cmd_next(e))
		if (!(e->flags & CMD_HIDDEN))
			offer(out, a, e->name, prefix);
	for (size_t i = 0; view_table[i]; i++)
		if (view_table[i]->args)
			offer(out, a, view_table[i]->name, prefix);
	for (int i = 0; i < ACT_COUNT; i++)
		offer(out, a, act_row((enum act)i)->name, prefix);
}

static void offer_options(struct strlist *out, struct arena *a, const struct cmd_entry *e, const char *prefix)
{
	struct opt_set sets[CMD_OPT_SETS];
	size_t n = cmd_opt_sets(e, NULL, sets);

	for (size_t i = 0; i < n; i++)
		for (const struct opt *o = sets[i].opts; o && o->name; o++)
			offer(out, a, arena_printf(a, "--%s", o->name), prefix);
}

static void offer_threads(struct tui *t, struct strlist *out, struct arena *a, const char *prefix)
{
	struct thread_find find = { .sort = SORT_UPDATED, .limit = 200 };
	struct thread_list list = { 0 };
	struct err e = ERR_INIT;

	if (index_threads(t->work->index, &t->work->scope, &find, a, &list, &e) == 0)
		for (size_t i = 0; i < list.len; i++)
			offer(out, a, list.items[i].abbrev, prefix);
}

static void offer_tasks(struct tui *t, struct strlist *out, struct arena *a, const char *prefix)
{
	struct task_list list = { 0 };
	struct err e = ERR_INIT;

	if (index_tasks(t->work->index, &t->work->scope, NULL, 200, 0, a, &list, &e) == 0)
		for (size_t i = 0; i < list.len; i++)
			offer(out, a, list.items[i].id, prefix);
}

static void offer_query(struct strlist *out, struct arena *a, const char *prefix)
{
	const char *const *words = query_words(prefix);

	for (size_t i = 0; words && words[i]; i++)
		offer(out, a, words[i], prefix);
}

static void offer_kind(struct tui *t, struct strlist *out, struct arena *a, const char *kind, const char *prefix)
{
	if (strstr(kind, "thread"))
		offer_threads(t, out, a, prefix);
	if (strstr(kind, "task"))
		offer_tasks(t, out, a, prefix);
	if (strstr(kind, "query"))
		offer_query(out, a, prefix);
	if (strstr(kind, "anchor") || strstr(kind, "file") || strstr(kind, "path"))
		acts_offer_paths(t, out, a, prefix);
}

static void offer_arguments(struct tui *t, struct strlist *out, struct arena *a, const char *const *words,
    const char *prefix)
{
	size_t n;
	const struct view_ops *ops = view_ops_find(words[0]);
	const struct cmd_entry *e = entry_of(words, &n);

	if (e && e->sub && !words[1])
		for (const struct cmd_entry *s = e->sub; s->name; s++)
			offer(out, a, s->name, prefix);
	else if (e && prefix[0] == '-')
		offer_options(out, a, e, prefix);
	else if (ops && ops->complete)
		offer_kind(t, out, a, ops->complete, prefix);
	else if (e && e->complete)
		offer_kind(t, out, a, e->complete, prefix);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void tui_complete(struct tui *t, const char *text, size_t cursor, struct arena *a, struct strlist *out, size_t *start)
{
	size_t at = cursor;
	const char *prefix, **words;

	while (at > 0 && text[at - 1] != ' ')
		at--;
	*start = at;
	prefix = arena_memdup(a, text + at, cursor - at);
	if (!proc_split(a, arena_memdup(a, text, at), &words))
		return;
	if (!words[0])
		offer_commands(out, a, prefix);
	else
		offer_arguments(t, out, a, words, prefix);
	if (out->len)
		qsort(out->items, out->len, sizeof(*out->items), by_text);
}
