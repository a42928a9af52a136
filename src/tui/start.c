/* SPDX-License-Identifier: MIT */
/*
 * The first screen of a repository without threads: what can be done next, each with the key that does it. What is
 * offered is what there is: no remote, no sync; hooks that stand are not offered again.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/hook/hook.h"
#include "killick/sync/source.h"
#include "killick/text/sanitize.h"
#include "killick/text/width.h"
#include "views.h"

struct offer { const char *command, *label; };
struct start { struct view v; struct offer offers[12]; size_t n; bool no_name; };

static void offer(struct start *s, const char *command, const char *label)
{
	s->offers[s->n++] = (struct offer){ command, label };
}

static const char *sync_words(struct start *s, struct arena *a)
{
	struct remote_info *remotes;
	size_t n = repo_remotes(s->v.t->work->repo, a, &remotes);

	if (n == 0)
		return NULL;
	return arena_printf(a, "sync with \"%s\": fetch what others wrote, send what you write; nothing is sent before you do",
		remotes[0].name);
}

static const char *task_words(struct tui *t, struct arena *a)
{
	const char *kind, *remote;

	if (tui_tracker(t, a, &kind, &remote))
		return arena_printf(a, "see your tasks: connect %s (found in remote \"%s\")", kind, text_clean(a, remote, 0));
	return "see the tasks of this repository; \":task new\" makes one";
}

bool start_is_over(struct tui *t)
{
	struct thread_find one = { .limit = 1 };
	struct arena a = ARENA_INIT;
	struct thread_list list;
	struct err e = ERR_INIT;
	bool over;

	/* The index may still know those of a store that was taken away. */
	over = (work_is_set_up(t->work) || work_has_sources(t->work)) &&
		index_threads(t->work->index, &t->work->scope, &one, &a, &list, &e) == 0 && list.len > 0;
	arena_release(&a);
	return over;
}

static int start_load(struct view *v, struct err *e)
{
	struct start *s = (struct start *)v;
	struct work *w = v->t->work;
	struct err ignored = ERR_INIT;
	struct person me;
	const char *words = sync_words(s, &v->arena);

	(void)e;
	v->over = start_is_over(v->t);
	s->n = 0;
	s->no_name = repo_identity(w->repo, &v->arena, &me, &ignored) < 0;
	if (!repo_is_bare(w->repo))
		offer(s, "files", "ask about a line: opens the file list; Enter opens a file, a asks about its line");
	offer(s, "connect", task_words(v->t, &v->arena));
	offer(s, "log", "look at the history: a on a commit asks about it, Enter shows its diff");
	if (words)
		offer(s, "sync-now", words);
	if (!hook_installed(w->repo))
		offer(s, "hook install", "install the git hooks: commits can open and resolve threads");
	offer(s, "tour", "take the tour: a scratch repository with two people's threads, nothing of yours is touched");
	return 0;
}

static void add_offer(struct start *s, const struct offer *o, int width)
{
	struct styled *t = &s->v.text;
	uint32_t code = keymap_key(&s->v.t->keys, "start", o->command);
	struct buf key = BUF_INIT;
	size_t from = t->lines.len;

	if (code)
		key_format(&key, code);
	text_hang(t, STYLE_ACCENT, key.ptr, o->label, width > 90 ? 90 : width, width < 50 ? 5 : 6);
	for (size_t i = from; i < t->lines.len; i++)
		t->lines.items[i].tag = (void *)o;
	buf_release(&key);
}

static void start_layout(struct view *v, int width)
{
	static const char no_name[] = "git does not know your name yet, and what you write is signed with it: "
		"git config --global user.name \"Your Name\", and user.email.";
	struct start *s = (struct start *)v;
	bool roomy = v->area.h >= 16;

	styled_newline(&v->text);
	for (size_t i = 0; i < s->n; i++) {
		if (i && roomy)
			styled_newline(&v->text);
		add_offer(s, &s->offers[i], width);
	}
	if (s->no_name) {
		styled_newline(&v->text);
		text_wrap(&v->text, STYLE_WARN, no_name, width > 90 ? 90 : width, 2);
	}
}

/* Only a choice can be chosen. */
static bool start_heading(struct view *v, size_t row)
{
	return !view_tag(v, row) || (row > 0 && view_tag(v, row - 1) == view_tag(v, row));
}

static bool start_act(struct view *v, enum act a, const char *arg)
{
	const struct offer *o = view_tag(v, v->cursor);

	(void)arg;
	if (a != ACT_OPEN || !o)
		return false;
	tui_run_line(v->t, o->command);
	return true;
}

static void start_title(struct view *v, struct buf *left, struct buf *right)
{
	(void)right;
	buf_addf(left, "%s %s no threads yet", repo_name(v->t->work->repo), glyph(v->t, "·", "-"));
}

const struct view_ops start_view = {
	.name = "start", .args = "", .help = "what can be done in a repository without threads", .kind = VIEW_TEXT,
	.flags = VIEW_CODE, .size = sizeof(struct start), .hints = "open=choose\nkeys=keys\ncommand=command\nback=leave",
	.load = start_load, .layout = start_layout, .heading = start_heading, .act = start_act, .title = start_title,
};
