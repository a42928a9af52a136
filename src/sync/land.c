/* SPDX-License-Identifier: MIT */
/*
 * What landed is true here at once. A pull brings what changed since the last one, but not everything that can be done changes
 * a time there: GitHub lists neither a deleted comment, nor one with a new reaction, nor a thread that was resolved. So the op
 * is carried out on the records as they are kept, as the server did: the next pull that has anything newer wins. Doing it twice
 * is doing it once.
 */
#include "config.h"
#include <string.h>
#include "apply.h"
#include "killick/base/clock.h"
#include "outbox.h"

struct landing {
	struct work *w;
	const struct source *s;
	const struct wire_op *op;
	const json_t *patch;
	struct arena *a;
	struct record rec;
};

static bool load(struct landing *l, enum record_type type, const char *task, const char *key)
{
	struct err unused = ERR_INIT;

	return key && !index_record(l->w->index, l->s->row, type, task, key, l->a, &l->rec, &unused);
}

static bool land_delete(struct landing *l)
{
	if (!load(l, RECORD_NOTE, NULL, l->op->note))
		return false;
	l->rec = (struct record){ .type = RECORD_GONE, .gone = { .of = RECORD_NOTE, .key = l->op->note, .task = l->op->task,
		.why = "deleted" } };
	return true;
}

static bool land_edit(struct landing *l)
{
	if (!load(l, RECORD_NOTE, NULL, l->op->note) || !l->op->body)
		return false;
	l->rec.note.body = l->op->body;
	l->rec.note.wire = NULL;
	return true;
}

static bool land_resolve(struct landing *l)
{
	if (!load(l, RECORD_THREAD, l->op->task, l->op->thread))
		return false;
	l->rec.thread.resolved = l->op->verb == WIRE_RESOLVE;
	l->rec.thread.by = l->rec.thread.resolved ? l->s->d.me : (struct person){ 0 };
	return true;
}

static bool land_reaction(struct landing *l)
{
	struct record_note *n = &l->rec.note;
	struct reaction *list, *r = NULL;
	bool on = l->op->verb == WIRE_REACT;

	if (!load(l, RECORD_NOTE, NULL, l->op->note) || !l->op->value)
		return false;
	list = arena_alloc(l->a, (n->n_reactions + 1) * sizeof(*list));
	for (size_t i = 0; i < n->n_reactions; i++) {
		list[i] = n->reactions[i];
		r = strcmp(list[i].emoji, l->op->value) ? r : &list[i];
	}
	if (!r && on) {
		r = &list[n->n_reactions++];
		*r = (struct reaction){ .emoji = l->op->value };
	}
	if (!r || (r->mine == on && !r->mine_unknown))
		return false;
	r->mine = on;
	r->mine_unknown = false;
	r->n += on ? 1 : r->n > 0 ? -1U : 0;
	n->reactions = list;
	/* Others' may not be known; this one is. */
	n->reactions_unknown = false;
	return true;
}

static bool land_task(struct landing *l)
{
	if (!l->patch || !load(l, RECORD_TASK, NULL, l->op->task))
		return false;
	record_patch_task(l->a, &l->rec.task, l->patch);
	return true;
}

/* New notes are not among them: they come with their key, and show from the outbox until then. */
static bool (*const lands[WIRE_VERBS])(struct landing *l) = {
	[WIRE_DELETE_NOTE] = land_delete, [WIRE_EDIT_NOTE] = land_edit, [WIRE_RESOLVE] = land_resolve,
	[WIRE_REOPEN_THREAD] = land_resolve, [WIRE_REACT] = land_reaction, [WIRE_UNREACT] = land_reaction,
	[WIRE_EDIT_TASK] = land_task, [WIRE_CLOSE] = land_task, [WIRE_REOPEN] = land_task, [WIRE_LABEL] = land_task,
	[WIRE_ASSIGN] = land_task,
};

static int put(struct landing *l, struct source *s, struct err *e)
{
	const char *line = json_line(l->a, record_json(&l->rec));
	struct page p = { .lines = BUF_INIT, .began = clock_now() };
	int rc;

	page_add(&p, line, strlen(line));
	rc = page_apply(l->w, s, &p, NULL, true, e);
	buf_release(&p.lines);
	return rc;
}

void outbox_land(struct work *w, struct source *s, const struct out_row *r, struct arena *a)
{
	struct err e = ERR_INIT;
	json_t *op = json_read(r->op, strlen(r->op), "what is in the outbox", &e);
	json_t *patch = r->patch ? json_read(r->patch, strlen(r->patch), "a patch", &e) : NULL;
	struct wire_op parsed;
	struct landing l = { .w = w, .s = s, .op = &parsed, .patch = json_get_obj(patch, "patch"), .a = a };

	if (op && !wire_op_parse(a, op, &parsed, &e) && lands[parsed.verb] && lands[parsed.verb](&l) && put(&l, s, &e))
		trace("sync", "%s", e.msg);
	json_decref(op);
	json_decref(patch);
}
