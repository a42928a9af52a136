/* SPDX-License-Identifier: MIT */
/*
 * From a kept text to ops: one table of verbs, the same for a command that was just typed and for a draft that waited
 * a week. What a verb was told besides its text travels in `extra`, so that nothing is lost between the two.
 */
#include "config.h"
#include <string.h>
#include "killick/cmd/act.h"

struct sending {
	struct compose *p;
	struct batch batch;
	struct subject s;
	char entity[SHA256_HEX];  /* what the report is about; "": what the first op made */
	const char *done;
	enum thread_kind kind;
};

struct verb {
	const char *name;
	int (*make)(struct cmd *c, struct sending *s, struct err *e);
	const char *done;
	enum thread_kind kind;
};

static void put_extra(json_t *payload, const struct compose *p, const char *key)
{
	json_t *v = p->extra ? json_object_get(p->extra, key) : NULL;

	if (v)
		json_object_set(payload, key, v);
}

static int make_open(struct cmd *c, struct sending *s, struct err *e)
{
	json_t *j = act_op(&s->batch, OP_OPEN, NULL), *anchor;
	struct anchor read;

	if (!s->p->anchor)
		return err_set(e, ERR_BAD_DATA, "the draft has lost its anchor");
	json_put_str(j, "kind", thread_kind_name(s->kind));
	if (s->p->title)
		json_put_str(j, "title", s->p->title);
	json_put_str(j, "body", s->p->body);
	put_extra(j, s->p, "asked");
	anchor = anchor_to_op(s->p->anchor);
	json_object_set_new(j, "anchor", anchor);
	/* What readers would not take must not be written: they would show the thread without its place, for good. */
	return anchor_from_op(c->arena, anchor, &read, e);
}

static int find_target(struct cmd *c, struct sending *s, struct err *e)
{
	if (act_subject(c, s->p->target, &s->s, e))
		return -1;
	memcpy(s->entity, s->s.entity, sizeof(s->entity));
	s->p->audience = s->s.audience;
	return 0;
}

static int make_reply(struct cmd *c, struct sending *s, struct err *e)
{
	char op[SHA256_HEX];
	json_t *j;

	if (find_target(c, s, e) || (s->s.post && act_post_op(c, &s->s, NULL, op, e)))
		return -1;
	j = act_op(&s->batch, OP_POST, s->entity);
	json_put_str(j, "body", s->p->body);
	if (s->s.post)
		json_put_str(j, "reply_to", op);
	return 0;
}

static int make_edit(struct cmd *c, struct sending *s, struct err *e)
{
	char op[SHA256_HEX];
	json_t *j;

	if (find_target(c, s, e) || act_post_op(c, &s->s, NULL, op, e))
		return -1;
	j = act_op(&s->batch, OP_EDIT, s->entity);
	json_put_str(j, "post", op);
	json_put_str(j, "body", s->p->body);
	return 0;
}

static int make_resolve(struct cmd *c, struct sending *s, struct err *e)
{
	json_t *j;

	if (find_target(c, s, e))
		return -1;
	j = act_op(&s->batch, OP_RESOLVE, s->entity);
	if (s->p->body)
		json_put_str(j, "body", s->p->body);
	put_extra(j, s->p, "commit");
	return 0;
}

static int make_task(struct cmd *c, struct sending *s, struct err *e)
{
	json_t *j = act_op(&s->batch, OP_TASK, NULL);

	(void)c;
	(void)e;
	json_put_str(j, "title", s->p->title);
	json_put_str(j, "body", s->p->body ? s->p->body : "");
	put_extra(j, s->p, "labels");
	return 0;
}

static int make_task_edit(struct cmd *c, struct sending *s, struct err *e)
{
	struct task t;
	int64_t source;
	json_t *j;

	if (index_task(c->work->index, &c->work->scope, s->p->target, c->arena, &t, e) ||
	    index_task_entity(c->work->index, t.row, s->entity, &source, e))
		return -1;
	s->p->audience = source == c->work->private_ ? AUDIENCE_PRIVATE : AUDIENCE_EVERYONE;
	j = act_op(&s->batch, OP_TASK, s->entity);
	if (s->p->title)
		json_put_str(j, "title", s->p->title);
	if (s->p->body)
		json_put_str(j, "body", s->p->body);
	return 0;
}

static const struct verb verbs[] = {
	{ "ask", make_open, "asked on", KIND_QUESTION },
	{ "remark", make_open, "remarked on", KIND_REMARK },
	{ "decide", make_open, "decided on", KIND_DECISION },
	{ "note", make_open, "noted on", KIND_NOTE },
	{ "comment", make_open, "commented on", KIND_NOTE },
	{ "reply", make_reply, "has your reply on", KIND_NOTE },
	{ "edit", make_edit, "has your edit on", KIND_NOTE },
	{ "resolve", make_resolve, "resolved on", KIND_NOTE },
	{ "task", make_task, "created", KIND_NOTE },
	{ "task-edit", make_task_edit, "edited", KIND_NOTE },
};

/* A new task's id is known once it is written: whom it is given to is an op of its own. */
static void assign_new(struct cmd *c, const struct sending *s)
{
	json_t *who = s->p->extra ? json_get_obj(s->p->extra, "assign") : NULL;
	struct batch b = BATCH_INIT;
	struct err e = ERR_INIT;
	json_t *list;

	if (!who || strcmp(s->p->verb, "task"))
		return;
	list = json_array();
	json_array_append(list, who);
	json_object_set_new(act_op(&b, OP_ASSIGN, s->batch.ids[0]), "add", list);
	if (act_write(c, s->p->audience, &b, "assign", &e))
		out_note(c, "the task was made, but not assigned: %s", e.msg);
	batch_release(&b);
}

/* A readable subject for the log's commit: git log in the store is somebody's way in. */
static const char *subject(struct cmd *c, const struct compose *p)
{
	const char *text = p->title ? p->title : p->body ? p->body : "";
	size_t n = strcspn(text, "\n");

	if (n > 60) {
		for (n = 60; n && (text[n] & 0xc0) == 0x80; n--)
			; /* a character is not cut in two */
	}
	return arena_printf(c->arena, "%s: %.*s", p->verb, (int)n, text);
}

static bool is_task_verb(const struct compose *p)
{
	return !strcmp(p->verb, "task") || !strcmp(p->verb, "task-edit");
}

int compose_send(struct cmd *c, struct compose *p, struct err *e)
{
	struct sending s = { .p = p, .batch = BATCH_INIT };
	const struct verb *v = NULL;
	int rc;

	if (p->to)
		return compose_send_to(c, p, e);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!strcmp(verbs[i].name, p->verb))
			v = &verbs[i];
	}
	if (!v)
		return err_set(e, ERR_BAD_DATA, "draft %s wants '%s', which this killick does not know", p->draft, p->verb);
	s.kind = v->kind;
	rc = v->make(c, &s, e);
	if (!rc)
		rc = act_write(c, p->audience, &s.batch, subject(c, p), e);
	if (rc) {
		compose_failed(c, p, e);
	} else {
		compose_done(c, p);
		assign_new(c, &s);
		if (is_task_verb(p))
			act_report_task(c, s.entity[0] ? s.entity : s.batch.ids[0], p->audience, v->done);
		else
			act_report(c, s.entity[0] ? s.entity : s.batch.ids[0], p->audience, v->done);
	}
	batch_release(&s.batch);
	return rc;
}
