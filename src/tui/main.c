/* SPDX-License-Identifier: MIT */
/*
 * From a command line to the screens and back: settings, the first screen, the loop, and what is left to say when the
 * terminal is the user's again. The row "tui" adds what only some need: plain mode, a script of keys for tests.
 */
#include "config.h"
#include <locale.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "acts.h"
#include "killick/cmd/out.h"
#include "killick/store/settings.h"
#include "killick/tui/tui.h"
#include "views.h"

struct values { bool plain, ascii, no_mouse; const char *script, *size, *theme; };

static void configure(struct work *w, const struct values *v, struct term_config *c)
{
	struct arena a = ARENA_INIT;
	const char *theme = v->theme ? v->theme : setting_get(w->repo, &a, "theme");
	uint64_t rows, cols;
	char *x = v->size ? strchr(v->size, 'x') : NULL;

	*c = (struct term_config){ .headless = v->script || v->plain, .rows = 24, .cols = 80, .theme = theme_parse(theme),
		.mouse = !v->no_mouse && setting_bool(w->repo, "mouse"),
		.ascii = v->ascii || v->plain || !strcmp(setting_get(w->repo, &a, "ascii"), "true"),
		.plain_emoji = !setting_bool(w->repo, "emoji") };
	if (x && str_to_u64(x + 1, 1000, &cols) && str_to_u64(arena_memdup(&a, v->size, (size_t)(x - v->size)), 1000, &rows)) {
		c->rows = (int)rows;
		c->cols = (int)cols;
	}
	arena_release(&a);
}

/* Neither in the index nor, of a new clone or an older version's index, still to be read. */
static bool nothing_yet(struct tui *t)
{
	struct nlog_heads heads = { 0 };
	struct err e = ERR_INIT;
	bool empty;

	if (start_is_over(t))
		return false;
	empty = !work_is_set_up(t->work) || work_log(t->work, false, &e) < 0 || nlog_writers(t->work->log, &heads, &e) < 0 ||
		heads.len == 0;
	nlog_heads_release(&heads);
	return empty;
}

static int first_screen(struct tui *t, const char *start, struct err *e)
{
	const char *const none[] = { NULL };

	if (tui_open(t, &inbox_view, 0, none, e) < 0)
		return -1;
	if (start && *start)
		tui_run_line(t, start);
	else if (nothing_yet(t))
		return tui_open(t, &start_view, 0, none, e);
	if (getenv("KILLICK_TOUR"))
		tui_say(t, MSG_INFO, "The tour: you are Ana, in a scratch repository where Bo has answered and asked. Enter opens, r replies, "
			"? shows the keys; Q ends the tour and removes it all.");
	return 0;
}

static int run(struct tui *t, const struct values *v, const char *start, struct err *e)
{
	if (first_screen(t, start, e) < 0)
		return -1;
	if (v->script)
		return script_run(t, v->script, e);
	if (v->plain)
		return plain_loop(t, e);
	tui_loop(t);
	return 0;
}

/* A signal that ended the screens ends the process as it would have without them. */
static int finish(int status)
{
	if (status > 128) {
		signal(status - 128, SIG_DFL);
		raise(status - 128);
	}
	return status;
}

static int open_and_run(struct work *w, const struct values *v, const char *start, struct buf *dump, struct err *e)
{
	struct tui *t = xcalloc(1, sizeof(*t));
	struct term_config c;
	int rc, status;

	setlocale(LC_ALL, "");
	configure(w, v, &c);
	rc = tui_init(t, w, &c, v->plain, e);
	if (rc == 0)
		rc = run(t, v, start, e);
	status = t->status;
	if (dump)
		buf_addbuf(dump, &t->dump);
	tui_release(t);
	free(t);
	return rc < 0 ? -1 : finish(status);
}

int tui_main(struct work *w, const char *start, struct err *e)
{
	struct values v = { .plain = setting_bool(w->repo, "plain") };

	return open_and_run(w, &v, start, NULL, e);
}

static int run_tui(struct cmd *c, struct err *e)
{
	struct values *v = c->values;
	struct buf line = BUF_INIT, dump = BUF_INIT;
	int status;

	for (int i = 0; i < c->argc; i++)
		buf_addf(&line, "%s%s", i ? " " : "", c->argv[i]);
	v->plain = v->plain || setting_bool(c->work->repo, "plain");
	status = open_and_run(c->work, v, line.len ? line.ptr : NULL, &dump, e);
	if (dump.len)
		out_raw(c, dump.ptr, dump.len);
	buf_release(&line);
	buf_release(&dump);
	if (status < 0)
		return -1;
	c->status = status;
	return 0;
}

static const struct opt tui_opts[] = {
	{ 0, "plain", OPT_FLAG, offsetof(struct values, plain), NULL, "line by line, for screen readers and dumb terminals", NULL },
	{ 0, "ascii", OPT_FLAG, offsetof(struct values, ascii), NULL, "nothing but ASCII is drawn by killick itself", NULL },
	{ 0, "no-mouse", OPT_FLAG, offsetof(struct values, no_mouse), NULL, "leave the mouse to the terminal", NULL },
	{ 0, "theme", OPT_STR, offsetof(struct values, theme), "NAME", "auto, dark, light or plain (no colours)", NULL },
	{ 0, "script", OPT_STR, offsetof(struct values, script), "FILE", "for tests: keys from a file, no terminal", NULL },
	{ 0, "size", OPT_STR, offsetof(struct values, size), "ROWSxCOLS", "for tests: the screen's size", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};
const struct cmd_entry tui_commands[] = {
	{ .name = "tui", .args = "[SCREEN…]", .summary = "open the screens: also \"killick\" alone",
		.help = "SCREEN is a \":\" line to begin with: \"thread k3f9c2\", \"file src/x.c:12\", \"log main\", \"search retry\".\n"
		"The keys are in killick-keys(5).",
		.opts = tui_opts, .values = sizeof(struct values), .max_args = -1, .needs = NEED_REPO, .run = run_tui },
	{ .name = NULL },
};
