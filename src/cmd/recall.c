/* SPDX-License-Identifier: MIT */
/*
 * recall: takes back what was done last on this device, whatever it was, as long as nobody else can have it. The words
 * go back to the drafts before the op goes, so that neither a crash nor a change of mind loses them. What was sent is
 * not touched: hiding it is another thing and has another name (retract).
 */
#include "config.h"
#include <string.h>
#include "families.h"
#include "killick/cmd/act.h"

struct recalled {
	struct op op;
	enum audience audience;
	struct thread t;          /* id NULL: it was not about a thread */
	struct draft draft;       /* verb NULL: there were no words */
	struct buf anchor, extra;
};

static const char *payload(const struct op *op, const char *key)
{
	return json_string_value(json_object_get(op->payload, key));
}

static void keep_json(struct buf *b, const struct op *op, const char *const *keys, const char **out)
{
	json_t *kept = json_object(), *v;

	for (; *keys; keys++)
		if ((v = json_object_get(op->payload, *keys)) != NULL)
			json_object_set(kept, *keys, v);
	if (json_object_size(kept)) {
		json_write(b, kept);
		*out = b->ptr;
	}
	json_decref(kept);
}

static const char *verb_of_kind(const char *kind)
{
	static const char *const verbs[][2] = { { "question", "ask" }, { "remark", "remark" }, { "decision", "decide" } };

	for (size_t i = 0; kind && i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i][0], kind))
			return verbs[i][1];
	return "note";
}

/* A new thread becomes the draft of its own command. */
static void draft_of_open(struct cmd *c, struct recalled *r)
{
	static const char *const keys[] = { "asked", NULL };
	json_t *j = json_object_get(r->op.payload, "anchor");
	struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct anchor an;

	r->draft.verb = verb_of_kind(payload(&r->op, "kind"));
	if (j && anchor_from_op(c->arena, j, &an, &ignored) == 0) {
		json_write(&r->anchor, j);
		r->draft.anchor = r->anchor.ptr;
		anchor_format(&text, &an, 0);
		r->draft.target = arena_strdup(c->arena, text.ptr);
	}
	keep_json(&r->extra, &r->op, keys, &r->draft.extra);
	buf_release(&text);
}

static void draft_of_task(struct recalled *r)
{
	static const char *const keys[] = { "labels", NULL };

	r->draft.verb = "task";
	keep_json(&r->extra, &r->op, keys, &r->draft.extra);
}

static const char *post_id(struct cmd *c, const char *op)
{
	return arena_printf(c->arena, "p%.12s", op);
}

/* The command that would say it again; without words there is nothing to say again. */
static void make_draft(struct cmd *c, struct recalled *r)
{
	static const char *const keys[] = { "commit", NULL };
	const char *body = payload(&r->op, "body"), *reply_to = payload(&r->op, "reply_to"), *post = payload(&r->op, "post");

	r->draft = (struct draft){ .repo = repo_commondir(c->work->repo), .audience = audience_name(r->audience),
		.to = r->audience == AUDIENCE_PRIVATE ? "private" : "native", .title = payload(&r->op, "title"), .body = body };
	if (r->op.type == OP_OPEN) {
		draft_of_open(c, r);
	} else if (r->op.type == OP_TASK && !r->op.entity[0]) {
		draft_of_task(r);
	} else if (body && r->t.id && r->op.type == OP_POST) {
		r->draft.verb = "reply";
		r->draft.target = reply_to ? post_id(c, reply_to) : r->t.id;
	} else if (body && r->op.type == OP_EDIT && post) {
		r->draft.verb = "edit";
		r->draft.target = post_id(c, post);
	} else if (body && *body && r->t.id && r->op.type == OP_RESOLVE) {
		r->draft.verb = "resolve";
		r->draft.target = r->t.id;
		keep_json(&r->extra, &r->op, keys, &r->draft.extra);
	}
}

static const char *words(const struct op *op)
{
	static const char *const all[] = {
		[OP_POST] = "your reply", [OP_EDIT] = "your change of a post", [OP_REDACT] = "the retraction",
		[OP_RESOLVE] = "the resolution", [OP_REOPEN] = "the reopening", [OP_ACCEPT] = "the accepted answer",
		[OP_KIND] = "the change of kind", [OP_TITLE] = "the change of title", [OP_LABEL] = "the labels",
		[OP_ASSIGN] = "the assignment", [OP_REACT] = "your reaction", [OP_MOVE] = "the move", [OP_LINK] = "the link",
		[OP_TASK] = "what you did to a task",
	};

	if (op->type == OP_OPEN)
		return payload(op, "kind") ? payload(op, "kind") : "thread";
	if (op->type == OP_TASK && !op->entity[0])
		return "the new task";
	return op->type < ARRAY_SIZE(all) && all[op->type] ? all[op->type] : "what you did last";
}

static void report(struct cmd *c, const struct recalled *r)
{
	json_t *j = json_object();

	json_put_str(j, "type", op_type_name(r->op.type));
	json_put_str(j, "thread", r->t.id);
	json_put_str(j, "draft", r->draft.verb ? r->draft.id : NULL);
	out_textf(c, STYLE_NORMAL, "taken back: %s%s", r->op.type == OP_OPEN ? "your " : "", words(&r->op));
	if (r->t.id)
		out_textf(c, STYLE_NORMAL, " on %s (%s)", act_anchor_text(c, &r->t), r->t.abbrev);
	out_textf(c, STYLE_NORMAL, "; nobody else had it%s", r->draft.verb ? arena_printf(c->arena, ", its words are draft %s",
		r->draft.id) : "");
	out_line(c);
	out_doc(c, "recalled", j);
}

static int take_back(struct cmd *c, struct recalled *r, struct err *e)
{
	struct err ignored = ERR_INIT;

	make_draft(c, r);
	if (r->draft.verb && (work_desk(c->work, e) || desk_draft_put(c->work->desk, c->arena, &r->draft, e)))
		return err_prefix(e, "nothing was taken back, as its words could not be kept");
	if (!work_recall(c->work, r->op.id, e))
		return 0;
	if (r->draft.verb)
		desk_draft_drop(c->work->desk, r->draft.id, &ignored);
	return -1;
}

static int recall_unsent(struct cmd *c, struct out_row *row, struct err *e)
{
	const char *draft;
	json_t *j;

	if (outbox_recall(c->work, row, &draft, e))
		return -1;
	j = json_object();
	json_put_str(j, "id", row->id);
	json_put_str(j, "draft", draft);
	out_textf(c, STYLE_NORMAL, "recalled: %s%s%s", row->what, draft ? "; its words are draft " : "", draft ? draft : "");
	out_line(c);
	out_doc(c, "recalled", j);
	return 1;
}

/* What waits for a tracker and was queued last. 0: there is none, or r->op was written after it. 1: recalled. */
static int unsent_last(struct cmd *c, struct recalled *r, struct err *e)
{
	struct err none = ERR_INIT;
	struct out_row last;
	int found = act_last_unsent(c, &last, e), rc;

	if (found < 0)
		return -1;
	rc = work_last(c->work, &r->op, &r->audience, &none);
	if (!found && rc)
		*e = none;
	if (!found || (!rc && r->op.time > last.created))
		return rc;
	if (!rc)
		op_release(&r->op);
	return recall_unsent(c, &last, e);
}

static int run_recall(struct cmd *c, struct err *e)
{
	struct recalled r = { .anchor = BUF_INIT, .extra = BUF_INIT };
	int rc;

	rc = unsent_last(c, &r, e);
	if (rc)
		return rc < 0 ? -1 : 0;
	if (!act_thread(c, r.op.entity[0] ? r.op.entity : r.op.id, &r.t))
		r.t.id = NULL;
	rc = take_back(c, &r, e);
	if (!rc)
		report(c, &r);
	buf_release(&r.anchor);
	buf_release(&r.extra);
	op_release(&r.op);
	return rc;
}

const struct cmd_entry recall_commands[] = {
	{ .name = "recall", .args = "", .summary = "take back what you did last, while nobody else has it",
		.needs = NEED_REPO | NEED_INDEX | NEED_WRITE, .flags = CMD_JSON, .run = run_recall },
	{ .name = NULL },
};
