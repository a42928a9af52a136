/* SPDX-License-Identifier: MIT */
/*
 * What the commands on a task do where the task is a tracker's: each is one op in the outbox, and shows at once by the patch
 * that is laid over the task meanwhile.
 */
#include "config.h"
#include <string.h>
#include "task.h"

/* A change at its tracker: op is filled, patch is stolen. */
static int queue(struct cmd *c, struct task_ref *r, struct wire_op *op, json_t *patch, const char *words, const char *done,
    struct err *e)
{
	struct out_row row;

	op->id = act_new_id(c);
	op->task = r->there.task;
	json_put_str(patch, "of", "task");
	json_put_str(patch, "key", op->task);
	if (act_queue(c, &r->there, NULL, op, patch, arena_printf(c->arena, "%s %s", words, r->t.id), NULL, &row, e))
		return -1;
	act_report_queued(c, &r->there, NULL, &row, done);
	return 0;
}

int task_set_state(struct cmd *c, struct task_ref *r, enum task_state to, const char *as, const char *done, struct err *e)
{
	struct wire_op op = { .verb = to == TASK_OPEN ? WIRE_REOPEN : WIRE_CLOSE, .value = as };
	json_t *patch;

	if (act_can(c, r->there.s, CAP_STATE, e))
		return -1;
	if (r->t.state == TASK_MERGED)
		return err_set(e, ERR_CONFLICT, "%s is merged: that is the end of it", r->t.id);
	patch = json_object();
	json_put_str(patch, "state", task_state_name(to));
	return queue(c, r, &op, patch, to == TASK_OPEN ? "reopen" : "close", done, e);
}

static json_t *named(const char *const *w, size_t n, bool people)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, people ? json_pack("{s:s}", "login", w[i]) : json_str_or_null(w[i]));
	return list;
}

const char *task_login(struct cmd *c, const struct source *s, const char *word, struct err *e)
{
	struct person who;
	const char *login;

	person_parse(c->arena, word, &who);
	login = !strcmp(word, "me") ? s->d.me.login : who.login ? who.login : !strpbrk(word, " <>@") ? word : NULL;
	if (!login)
		err_set(e, ERR_USAGE, "'%s': what %s calls the person is wanted, a login", word, s->d.name);
	return login;
}

int task_set_words(struct cmd *c, struct task_ref *r, bool people, bool remove, const char *done, struct err *e)
{
	struct wire_op op = { .verb = people ? WIRE_ASSIGN : WIRE_LABEL };
	const char **w = arena_alloc(c->arena, sizeof(*w) * (size_t)c->argc);
	json_t *patch;
	size_t n = 0;

	if (act_can(c, r->there.s, people ? CAP_ASSIGN : CAP_LABELS, e))
		return -1;
	for (int i = 1; i < c->argc; i++) {
		w[n] = people ? task_login(c, r->there.s, c->argv[i], e) : c->argv[i];
		if (!w[n++])
			return -1;
	}
	op.add = remove ? NULL : w;
	op.n_add = remove ? 0 : n;
	op.drop = remove ? w : NULL;
	op.n_drop = remove ? n : 0;
	patch = json_object();
	json_object_set_new(patch, people ? remove ? "drop_people" : "add_people" : remove ? "drop_labels" : "add_labels",
	    named(w, n, people));
	return queue(c, r, &op, patch, people ? remove ? "unassign" : "assign" : remove ? "unlabel" : "label", done, e);
}

int task_take(struct cmd *c, struct task_ref *r, struct err *e)
{
	struct wire_op op = { .verb = WIRE_ASSIGN };
	const char *me = r->there.s->d.me.login;
	json_t *patch, *list;

	if (!me)
		return err_set(e, ERR_AUTH, "%s does not know who you are: 'killick source test %s'", r->there.s->d.name,
		    r->there.s->d.name);
	if (act_can(c, r->there.s, CAP_ASSIGN, e))
		return -1;
	op.add = &me;
	op.n_add = 1;
	patch = json_object();
	list = json_array();
	json_array_append_new(list, person_json(&r->there.s->d.me));
	json_object_set_new(patch, "add_people", list);
	return queue(c, r, &op, patch, "take", "taken", e);
}

int task_set_milestone(struct cmd *c, struct task_ref *r, const char *name, struct err *e)
{
	struct wire_op op = { .verb = WIRE_MILESTONE, .value = name };
	json_t *patch;

	if (act_can(c, r->there.s, CAP_MILESTONES, e))
		return -1;
	patch = json_object();
	json_put_str(patch, "milestone", name ? name : "");
	return queue(c, r, &op, patch, name ? arena_printf(c->arena, "milestone %s of", name) : "no milestone for",
	    name ? arena_printf(c->arena, "goes into %s", name) : "leaves its milestone", e);
}
