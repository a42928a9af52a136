/* SPDX-License-Identifier: MIT */
/* help and version. The list of commands is made from the table. */
#include "config.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "families.h"
#include "killick/base/proc.h"
#include "killick/cmd/out.h"
#include "killick/text/width.h"

static void family_lines(struct buf *b, const struct cmd_entry *rows)
{
	for (; rows->name; rows++) {
		if (rows->flags & CMD_HIDDEN)
			continue;
		buf_addf(b, "  %-9s ", rows->name);
		text_pad(b, rows->args ? rows->args : "", 18, ALIGN_LEFT, false);
		buf_addf(b, " %s\n", rows->summary);
	}
}

static void overview(struct cmd *c)
{
	struct buf b = BUF_INIT;
	const char *title = "";

	buf_addstr(&b, "usage: killick [-C DIR] [COMMAND [OPTION…] [WORD…]]\n"
	    "Discussion anchored to the work. Without a command: the screens.\n");
	for (const struct cmd_family *f = cmd_families; f->title; f++) {
		if (strcmp(f->title, title))
			buf_addf(&b, "\n%s\n", f->title);
		title = f->title;
		family_lines(&b, f->rows);
	}
	buf_addstr(&b, "\n'killick COMMAND -h' explains one, 'man killick' all of it.\n");
	out_raw(c, b.ptr, b.len);
	buf_release(&b);
}

static json_t *row_json(const struct cmd_entry *r, const char *parent)
{
	struct opt_set sets[CMD_OPT_SETS];
	size_t n = cmd_opt_sets(r, NULL, sets);
	json_t *j = json_object(), *opts = json_array();

	for (size_t i = 0; i < n; i++) {
		for (const struct opt *o = sets[i].opts; o->name; o++) {
			json_t *one = json_object();
			json_put_str(one, "name", o->name);
			json_put_str(one, "short", o->ch ? (const char[]){ o->ch, '\0' } : NULL);
			json_put_str(one, "arg", o->arg);
			json_put_str(one, "help", o->help);
			json_object_set_new(one, "shared", json_boolean(sets[i].opts != r->opts));
			json_array_append_new(opts, one);
		}
	}
	json_put_str(j, "name", r->name);
	json_put_str(j, "parent", parent);
	json_put_str(j, "args", r->args);
	json_put_str(j, "summary", r->summary);
	json_object_set_new(j, "options", opts);
	return j;
}

/* The table as JSON: for tests that compare it with the manual, and for editors. */
static void table(struct cmd *c)
{
	out_list_begin(c, "commands");
	for (const struct cmd_entry *r = cmd_next(NULL); r; r = cmd_next(r)) {
		if (r->flags & CMD_HIDDEN)
			continue;
		if (!r->sub || r->run)
			out_item(c, row_json(r, NULL));
		for (const struct cmd_entry *s = r->sub; s && s->name; s++) {
			if (!(s->flags & CMD_HIDDEN))
				out_item(c, row_json(s, r->name));
		}
	}
	out_list_end(c);
}

static int unknown(const char *name, struct err *e)
{
	const char *near = cmd_suggest(name, NULL);

	return near ? err_set(e, ERR_NOT_FOUND, "no command '%s'; did you mean '%s'?", name, near) :
	    err_set(e, ERR_NOT_FOUND, "no command '%s' ('killick help' lists them)", name);
}

/* The page of a family's manual, where there is a terminal, a man and the page. */
static bool open_manual(struct cmd *c, const struct cmd_entry *row)
{
	const char *argv[] = { "man", NULL, NULL };
	struct proc p = { .argv = argv, .flags = PROC_TTY };
	struct err ignored = ERR_INIT;

	for (const struct cmd_family *f = cmd_families; f->title; f++) {
		for (const struct cmd_entry *r = f->rows; r->name; r++) {
			if (r == row)
				argv[1] = f->page;
		}
	}
	return argv[1] && c->io->tty && c->io->page && !c->common.no_pager && !proc_run(&p, &ignored) && !p.status;
}

static int run_help(struct cmd *c, struct err *e)
{
	const struct cmd_entry *r;
	struct buf b = BUF_INIT;

	if (out_json(c)) {
		table(c);
		return 0;
	}
	if (!c->argc) {
		overview(c);
		return 0;
	}
	r = cmd_find(c->argv[0], NULL);
	if (!r)
		return unknown(c->argv[0], e);
	if (c->argc > 1 && !(r = cmd_find(c->argv[0], c->argv[1])))
		return err_set(e, ERR_NOT_FOUND, "no command '%s %s' (killick %s -h)", c->argv[0], c->argv[1], c->argv[0]);
	if (open_manual(c, cmd_find(c->argv[0], NULL)))
		return 0;
	cmd_usage(&b, r, c->argc > 1 ? c->argv[0] : NULL);
	out_raw(c, b.ptr, b.len);
	buf_release(&b);
	return 0;
}

struct version_values { bool libraries; };
static const struct opt version_opts[] = {
	{ 'l', "libraries", OPT_FLAG, offsetof(struct version_values, libraries), NULL, "also of what it is built with",
		NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static int run_version(struct cmd *c, struct err *e)
{
	static const char *const libs[][2] = { { "libgit2", BUILT_LIBGIT2 }, { "sqlite3", BUILT_SQLITE },
		{ "jansson", BUILT_JANSSON }, { "ncursesw", BUILT_NCURSES }, { "md4c", BUILT_MD4C },
		{ "utf8proc", BUILT_UTF8PROC }, { "libmd", BUILT_LIBMD }, { "libcurl (killick-remote)", BUILT_CURL } };
	struct version_values *v = c->values;
	json_t *doc = json_object(), *list = json_object();

	(void)e;
	out_text(c, STYLE_NORMAL, PACKAGE_STRING);
	out_line(c);
	for (size_t i = 0; i < ARRAY_SIZE(libs); i++) {
		json_put_str(list, libs[i][0], libs[i][1]);
		if (v->libraries) {
			out_textf(c, STYLE_NORMAL, "%s %s", libs[i][0], libs[i][1]);
			out_line(c);
		}
	}
	json_put_str(doc, "version", PACKAGE_VERSION);
	json_object_set_new(doc, "libraries", list);
	out_doc(c, "killick", doc);
	return 0;
}

const struct cmd_entry help_commands[] = {
	{ .name = "help", .args = "[COMMAND]", .summary = "list the commands, or explain one", .max_args = 2,
		.flags = CMD_JSON | CMD_PAGE, .run = run_help, .complete = "command" },
	{ .name = "version", .summary = "print the version", .opts = version_opts, .values = sizeof(struct version_values),
		.flags = CMD_JSON, .run = run_version },
	{ .name = NULL },
};
