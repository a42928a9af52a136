/* SPDX-License-Identifier: MIT */
/* init: sets a repository up, or finds it set up; says what can be done next. */
#include "config.h"
#include <stddef.h>
#include <string.h>
#include "families.h"
#include "killick/cmd/act.h"

struct init_values { const char *join; };
static const struct opt init_opts[] = {
	{ 0, "join", OPT_STR, offsetof(struct init_values, join), "ID",
		"also read logs written under another repository id (32 hex digits; doctor and sync name it)", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static void next(struct cmd *c, const char *command, const char *what)
{
	out_text(c, STYLE_CODE, "  killick ");
	out_cell(c, STYLE_CODE, command, 32);
	out_textf(c, STYLE_NORMAL, " %s", what);
	out_line(c);
}

static void next_steps(struct cmd *c)
{
	struct remote_info *remotes;
	size_t n = repo_remotes(c->work->repo, c->arena, &remotes);

	out_text(c, STYLE_NORMAL, "Next:");
	out_line(c);
	next(c, "ask FILE:LINE -m 'Why …?'", "open a question on a line");
	next(c, "hook install", "let commits open and resolve threads");
	if (n)
		next(c, "sync", arena_printf(c->arena, "exchange threads through %s", remotes[0].name));
	next(c, "doctor", "see whether all is well");
	next(c, "help", "see what else there is");
}

static int run_init(struct cmd *c, struct err *e)
{
	struct init_values *v = c->values;
	bool was = work_is_set_up(c->work);
	struct person me;
	struct err who = ERR_INIT;
	json_t *j;

	if (v->join && (strlen(v->join) != 32 || !str_is_hex(v->join, 32)))
		return err_set(e, ERR_USAGE, "--join takes a repository id of 32 hex digits ('killick doctor' shows yours)");
	if (work_log(c->work, true, e) || (v->join && nlog_join(c->work->log, v->join, e)))
		return -1;
	j = json_object();
	json_put_str(j, "path", nlog_path(c->work->log));
	json_put_str(j, "repo", nlog_repo_id(c->work->log));
	json_put_str(j, "writer", nlog_writer(c->work->log));
	json_object_set_new(j, "created", json_boolean(!was));
	out_textf(c, STYLE_NORMAL, was ? "%s was set up before: nothing to do." : "%s is set up. Threads live in %s; your own "
	    "branches and refs are not touched.", repo_name(c->work->repo), nlog_path(c->work->log));
	out_line(c);
	if (v->join) {
		out_textf(c, STYLE_NORMAL, "Logs of repository id %s are read too.", v->join);
		out_line(c);
	}
	next_steps(c);
	if (act_me(c, &me, &who))
		out_note(c, "%s", who.msg);
	out_doc(c, "repository", j);
	return 0;
}

const struct cmd_entry setup_commands[] = {
	{ .name = "init", .summary = "set this repository up", .opts = init_opts, .values = sizeof(struct init_values),
		.needs = NEED_REPO, .flags = CMD_JSON, .run = run_init },
	{ .name = NULL },
};
