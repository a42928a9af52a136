/* SPDX-License-Identifier: MIT */
/* ask, remark, decide, note: a thread on an anchor. The anchor is captured before the text is asked for, so that what
 * the user was looking at is what the thread keeps, however long the editor stays open. */
#include "config.h"
#include <stddef.h>
#include <string.h>
#include "families.h"
#include "killick/cmd/act.h"

struct open_values { const char *title, *on; struct strlist ask; };

#define ON_OPT { 0, "on", OPT_STR, offsetof(struct open_values, on), "TASK", \
		"with --to: the task or change it belongs to, where the tracker has no place for the anchor", NULL }
static const struct opt open_opts[] = {
	ON_OPT,
	{ 't', "title", OPT_STR, offsetof(struct open_values, title), "TEXT", "a title, instead of the first line", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};
static const struct opt ask_opts[] = {
	ON_OPT,
	{ 0, "ask", OPT_LIST, offsetof(struct open_values, ask), "PERSON", "whom it is put to; may be repeated", NULL },
	{ 't', "title", OPT_STR, offsetof(struct open_values, title), "TEXT", "a title, instead of the first line", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static json_t *asked(struct cmd *c, const struct strlist *people)
{
	json_t *extra, *list;

	if (!people->len)
		return NULL;
	extra = json_object();
	list = json_array();
	for (size_t i = 0; i < people->len; i++) {
		struct person who;
		person_parse(c->arena, people->items[i], &who);
		json_array_append_new(list, person_json(&who));
	}
	json_object_set_new(extra, "asked", list);
	return extra;
}

/* The task's tracker is where it goes, when only the task was named; so it is for what is on a tracker's task itself. */
static int find_tracker(struct cmd *c, const struct open_values *v, const struct anchor *an, struct compose *p, struct err *e)
{
	bool on_task = an->type == ANCHOR_TASK || an->type == ANCHOR_CHANGE;
	const char *name = v->on ? v->on : an->type == ANCHOR_CHANGE ? arena_printf(c->arena, "!%s", an->task) : an->task;
	struct err ignored = ERR_INIT;
	struct there t;
	struct task k;

	if (v->on && (p->audience == AUDIENCE_PRIVATE || (c->posting.to && !p->to)))
		return err_set(e, ERR_USAGE, "--on names a task of a tracker, and this goes to the %s store", c->posting.to ?
		    c->posting.to : "private");
	if ((!v->on && !on_task) || p->to || c->posting.to || c->posting.private_)
		return 0;
	if (index_task(c->work->index, &c->work->scope, name, c->arena, &k, v->on ? e : &ignored))
		return v->on ? -1 : 0;
	if (act_task_there(c, &k, &t, e))
		return -1;
	p->to = t.s;
	return v->on && !t.s ? err_set(e, ERR_USAGE, "%s is no task of a tracker", v->on) : 0;
}

static json_t *with_on(json_t *extra, const char *on)
{
	if (!on)
		return extra;
	extra = extra ? extra : json_object();
	json_put_str(extra, "on", on);
	return extra;
}

static int check_title(const char *title, struct err *e)
{
	if (title && (strchr(title, '\n') || strlen(title) > 1000))
		return err_set(e, ERR_USAGE, "a title is one line of at most 1000 bytes");
	return 0;
}

static int open_thread(struct cmd *c, const char *noun, struct err *e)
{
	struct open_values *v = c->values;
	struct anchor an;
	struct buf text = BUF_INIT;
	struct compose p = { .verb = c->entry->name, .title = v->title, .anchor = &an };
	int rc = 0;

	if (check_title(v->title, e) || compose_to(c, &p.audience, &p.to, e) || act_anchor(c, c->argv[0], &an, e) ||
	    anchor_capture(c->work->repo, &an, c->arena, e) || find_tracker(c, v, &an, &p, e))
		return -1;
	anchor_format(&text, &an, 0);
	p.target = arena_strdup(c->arena, text.ptr);
	p.what = arena_printf(c->arena, "%s on %s", noun, an.type == ANCHOR_PROJECT ? "the project" : p.target);
	p.extra = with_on(asked(c, &v->ask), v->on);
	p.where = v->on;
	buf_release(&text);
	rc = compose(c, &p, e);
	if (!rc && !p.stop)
		rc = compose_send(c, &p, e);
	json_decref(p.extra);
	return rc;
}

static int run_ask(struct cmd *c, struct err *e) { return open_thread(c, "Question", e); }
static int run_remark(struct cmd *c, struct err *e) { return open_thread(c, "Remark", e); }
static int run_decide(struct cmd *c, struct err *e) { return open_thread(c, "Decision", e); }
static int run_note(struct cmd *c, struct err *e) { return open_thread(c, "Note", e); }

#define OPENS(verb, text, options) { .name = #verb, .args = "ANCHOR", .summary = text, .opts = options, \
	.values = sizeof(struct open_values), .min_args = 1, .max_args = 1, .needs = NEED_REPO | NEED_INDEX | NEED_WRITE, \
	.flags = CMD_JSON | CMD_POSTS, .run = run_##verb, .complete = "anchor" }
const struct cmd_entry open_commands[] = {
	OPENS(ask, "open a question on lines, a file, a section, a commit, a task", ask_opts),
	OPENS(remark, "open a review remark", open_opts),
	OPENS(decide, "record a decision", open_opts),
	OPENS(note, "leave a note", open_opts),
	{ .name = NULL },
};
