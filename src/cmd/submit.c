/* SPDX-License-Identifier: MIT */
/*
 * submit: all that the user has drafted on the lines of a change, and his replies in its threads, as one review with a verdict:
 * one op in the outbox, so that it is there as a whole or not at all. The drafts go in the same transaction; recalling it makes
 * them anew. What is no part of a review there (a comment, lines that are not in the diff) stays a draft, and that is said.
 */
#include "config.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "families.h"
#include "sendto.h"

enum { NOTES_MAX = 1000 };   /* of an op (wire.c) */

struct note { const struct draft *d; struct making *m; json_t *extra; };
struct left { const char *draft, *why; };
struct review {
	struct making m;
	const char *verdict;
	ARRAY(struct note) notes;
	ARRAY(struct left) left;
};

static void review_release(struct review *r)
{
	for (size_t i = 0; i < r->notes.len; i++) {
		json_decref(r->notes.items[i].m->patch);
		json_decref(r->notes.items[i].extra);
	}
	array_release(&r->notes);
	array_release(&r->left);
}

/* ---- gathering ---- */

static bool is_talk(const char *verb)
{
	static const char *const verbs[] = { "ask", "remark", "decide", "note", "comment", "reply" };

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i], verb))
			return true;
	return false;
}

static void leave(struct review *r, const struct draft *d, const char *why)
{
	*array_add(&r->left) = (struct left){ d->id, why };
}

/* Why it is no part of a review, or NULL. */
static const char *no_part(const struct review *r, const struct making *n)
{
	const struct wire_op *op = &n->op;

	if (op->verb != WIRE_CODE_NOTE && op->verb != WIRE_REPLY)
		return op->verb == WIRE_COMMENT && n->p->anchor && n->p->anchor->path ? "its lines are not in the change's diff" :
			"a review holds remarks on lines and replies to them";
	if (op->private_)
		return "it is private";
	return r->notes.len == NOTES_MAX ? "a review holds at most 1000 notes" : NULL;
}

/* Takes the draft in, if it is of this change. */
static void take(struct review *r, const struct draft *d)
{
	struct cmd *c = r->m.c;
	struct resumed *was = ARENA_NEW(c->arena, struct resumed);
	struct making *n = ARENA_NEW(c->arena, struct making);
	struct err ignored = ERR_INIT;
	const char *why;

	if (draft_resume(c, d, was, &ignored)) {
		json_decref(was->p.extra);
		return;
	}
	*n = (struct making){ .c = c, .p = &was->p, .op = { .id = act_new_id(c) } };
	if (!making_op(n, &ignored) || !n->t.k.key || strcmp(n->t.k.key, r->m.t.k.key)) {
		json_decref(n->patch);
		json_decref(was->p.extra);
		return;
	}
	why = no_part(r, n);
	if (!why) {
		*array_add(&r->notes) = (struct note){ d, n, was->p.extra };
		return;
	}
	leave(r, d, why);
	json_decref(n->patch);
	json_decref(was->p.extra);
}

static int by_time(const void *a, const void *b)
{
	const struct draft *x = a, *y = b;

	return x->created != y->created ? x->created < y->created ? -1 : 1 : strcmp(x->id, y->id);
}

/* In the order in which they were begun. */
static int gather(struct review *r, struct err *e)
{
	struct cmd *c = r->m.c;
	struct draft_list l = ARRAY_INIT;

	if (work_desk(c->work, e) || desk_drafts(c->work->desk, repo_commondir(c->work->repo), c->arena, &l, e))
		return -1;
	if (l.len)
		qsort(l.items, l.len, sizeof(*l.items), by_time);
	for (size_t i = 0; i < l.len; i++) {
		const struct draft *d = &l.items[i];

		if (is_talk(d->verb) && d->to && !strcmp(d->to, r->m.t.s->d.name) && d->body && *d->body)
			take(r, d);
	}
	return 0;
}

static bool is_own(const struct review *r)
{
	const char *me = r->m.t.s->d.me.login, *author = r->m.t.k.author.login;

	return me && author && !strcasecmp(me, author);
}

static int check(const struct review *r, bool words, struct err *e)
{
	const char *name = r->m.t.k.name;

	if (strcmp(r->verdict, "comment") && is_own(r))
		return err_set(e, ERR_REFUSED, "%s is yours: its author can only --comment", name);
	if (words || r->notes.len || !strcmp(r->verdict, "approve"))
		return 0;
	return err_set(e, ERR_USAGE, "there is nothing to submit on %s: say it with -m, or remark on its lines with --draft first", name);
}

/* The change, and what there is to say of it. */
static int review_begin(struct cmd *c, struct compose *p, struct review *r, struct err *e)
{
	*r = (struct review){ .m = { .c = c, .p = p, .op = { .id = act_new_id(c) } } };
	r->verdict = p->extra ? json_get_str(p->extra, "verdict") : NULL;
	if (!r->verdict)
		return err_set(e, ERR_BAD_DATA, "the draft has lost its verdict");
	if (making_task(&r->m, e))
		return -1;
	if (!*r->m.t.task)
		return err_set(e, ERR_BAD_DATA, "the draft has lost its change");
	if (act_can(c, r->m.t.s, CAP_REVIEW, e))
		return -1;
	if (!r->m.t.k.change)
		return err_set(e, ERR_USAGE, "%s is a task and no change: there is nothing in it to review", r->m.t.k.name);
	return gather(r, e);
}

/* ---- saying ---- */

static const char *anchor_words(const struct making *n)
{
	struct buf b = BUF_INIT;
	const char *out;

	if (n->op.verb == WIRE_REPLY)
		return n->s.t.abbrev;
	anchor_format(&b, &n->anchor, 0);
	out = arena_strdup(n->c->arena, b.ptr);
	buf_release(&b);
	return out;
}

static json_t *notes_json(const struct review *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->notes.len; i++) {
		const struct note *n = &r->notes.items[i];
		json_t *j = json_object();

		json_put_str(j, "draft", n->d->id);
		json_put_str(j, "verb", n->m->op.verb == WIRE_REPLY ? "reply" : "remark");
		json_put_str(j, "on", anchor_words(n->m));
		json_put_str(j, "body", n->m->op.body);
		json_array_append_new(list, j);
	}
	return list;
}

static json_t *left_json(const struct review *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->left.len; i++) {
		json_t *j = json_object();

		json_put_str(j, "draft", r->left.items[i].draft);
		json_put_str(j, "why", r->left.items[i].why);
		json_array_append_new(list, j);
	}
	return list;
}

static const char *counted(struct cmd *c, size_t n, const char *one, const char *many)
{
	return arena_printf(c->arena, "%zu %s", n, n == 1 ? one : many);
}

/* "approval with 2 remarks and 1 reply" */
static const char *words_of(const struct review *r)
{
	struct cmd *c = r->m.c;
	size_t replies = 0;
	const char *what = !strcmp(r->verdict, "approve") ? "approval" :
		!strcmp(r->verdict, "comment") ? "review" : "request for changes", *remarks;

	for (size_t i = 0; i < r->notes.len; i++)
		replies += r->notes.items[i].m->op.verb == WIRE_REPLY;
	remarks = r->notes.len > replies ? counted(c, r->notes.len - replies, "remark", "remarks") : "";
	if (!r->notes.len)
		return what;
	return arena_printf(c->arena, "%s with %s%s%s", what, remarks, *remarks && replies ? " and " : "",
	    replies ? counted(c, replies, "reply", "replies") : "");
}

static void say_left(const struct review *r)
{
	for (size_t i = 0; i < r->left.len; i++)
		out_note(r->m.c, "%s stays a draft: %s ('killick drafts send %s')", r->left.items[i].draft, r->left.items[i].why,
		    r->left.items[i].draft);
}

static void report(const struct review *r, const struct out_row *row)
{
	struct cmd *c = r->m.c;
	struct buf who = BUF_INIT;
	json_t *j = json_object();

	act_audience_there(c, r->m.t.s, r->m.t.k.name, false, &who);
	out_text(c, STYLE_ID, r->m.t.k.name);
	out_textf(c, STYLE_NORMAL, " gets your %s; %s ('killick outbox recall %.8s')", words_of(r), who.ptr, row->id);
	out_line(c);
	say_left(r);
	json_put_str(j, "id", row->id);
	json_put_str(j, "source", row->source);
	json_put_str(j, "task", r->m.t.k.name);
	json_put_str(j, "verdict", r->verdict);
	json_put_str(j, "state", out_state_name(row->state));
	json_put_time(j, "due", row->not_before);
	json_put_str(j, "body", r->m.op.body);
	json_object_set_new(j, "notes", notes_json(r));
	json_object_set_new(j, "left", left_json(r));
	out_doc(c, "review", j);
	buf_release(&who);
}

/* ---- sending ---- */

static void make_op(struct review *r)
{
	struct making *m = &r->m;
	struct wire_op *notes = arena_alloc(m->c->arena, (r->notes.len + 1) * sizeof(*notes));

	for (size_t i = 0; i < r->notes.len; i++)
		notes[i] = r->notes.items[i].m->op;
	m->op.verb = WIRE_REVIEW;
	m->op.task = m->t.task;
	m->op.head = m->t.k.head;
	m->op.base = m->t.k.base;
	m->op.verdict = r->verdict;
	m->op.body = m->p->body ? m->p->body : "";
	m->op.notes = notes;
	m->op.n_notes = r->notes.len;
	making_set_entity(m);
	making_see_talk(m);
	m->patch = making_note(m, NOTE_REVIEW, NULL);
}

static int queue(struct review *r, struct out_row *row, struct err *e)
{
	struct making *m = &r->m;
	struct arena *a = m->c->arena;
	const char **drafts = arena_alloc(a, (r->notes.len + 1) * sizeof(*drafts));
	struct out_part *parts = arena_alloc(a, (r->notes.len + 1) * sizeof(*parts));
	struct out_post p = { .s = m->t.s, .op = m->op, .task = m->t.task, .thread = "", .seen = m->has_seen ? &m->seen : NULL,
		.was_open = m->t.k.state == TASK_OPEN, .patch = m->patch, .drafts = drafts, .parts = parts, .n_parts = r->notes.len };

	for (size_t i = 0; i < r->notes.len; i++) {
		const struct making *n = r->notes.items[i].m;

		drafts[p.n_drafts++] = r->notes.items[i].d->id;
		parts[i] = (struct out_part){ n->op.id, n->t.thread, n->has_seen ? &n->seen : NULL, n->patch };
	}
	if (m->p->draft)
		drafts[p.n_drafts++] = m->p->draft;
	p.what = arena_printf(a, "review %s  %s", m->t.k.name, words_of(r));
	return outbox_queue(m->c->work, &p, row, e);
}

int submit_send(struct cmd *c, struct compose *p, struct err *e)
{
	struct review r;
	struct out_row row;
	int rc = review_begin(c, p, &r, e);

	if (!rc)
		rc = check(&r, p->body && *p->body, e);
	if (!rc) {
		make_op(&r);
		rc = queue(&r, &row, e);
	}
	if (rc) {
		rc = compose_failed(c, p, e);
	} else {
		p->draft = NULL; /* it went in the same transaction */
		report(&r, &row);
		outbox_kick(c->work);
	}
	json_decref(r.m.patch);
	review_release(&r);
	return rc;
}

/* ---- the command ---- */

struct submit_values { bool approve, request, comment; };
static const struct opt submit_opts[] = {
	{ 0, "approve", OPT_FLAG, offsetof(struct submit_values, approve), NULL, "the change may go in", NULL },
	{ 0, "request-changes", OPT_FLAG, offsetof(struct submit_values, request), NULL, "it may not, as it is", NULL },
	{ 0, "comment", OPT_FLAG, offsetof(struct submit_values, comment), NULL, "no verdict", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static const char *verdict_of(const struct submit_values *v, struct err *e)
{
	if (v->approve + v->request + v->comment != 1) {
		err_set(e, ERR_USAGE, "one verdict is wanted: --approve, --request-changes or --comment");
		return NULL;
	}
	return v->approve ? "approve" : v->request ? "request-changes" : "comment";
}

/* The tracker that the change is at. */
static int find_change(struct cmd *c, struct task *k, struct there *t, struct err *e)
{
	if (index_task(c->work->index, &c->work->scope, c->argv[0], c->arena, k, e) || act_task_there(c, k, t, e))
		return -1;
	return t->s ? 0 : err_set(e, ERR_USAGE, "%s is no change of a tracker: there is nowhere to submit a review to", k->id);
}

static int say_or_send(struct cmd *c, struct compose *p, struct review *r, struct err *e)
{
	if (compose(c, p, e))
		return -1;
	if (p->stop && c->posting.dry_run)
		say_left(r);
	return p->stop ? 0 : submit_send(c, p, e);
}

static int run_submit(struct cmd *c, struct err *e)
{
	struct compose p = { .verb = "submit", .fixed_audience = true, .flags = COMPOSE_OPTIONAL };
	bool words = c->posting.message || c->posting.file;
	const char *verdict = verdict_of(c->values, e);
	struct review r;
	struct there t;
	struct task k;
	int rc;

	if (!verdict || find_change(c, &k, &t, e))
		return -1;
	if (c->posting.draft && !words)
		return err_set(e, ERR_USAGE, "--draft keeps the review's words: give them with -m or -F");
	p.target = p.where = k.id;
	p.to = t.s;
	p.extra = json_pack("{s:s,s:s}", "on", k.id, "verdict", verdict);
	rc = review_begin(c, &p, &r, e);
	if (!rc)
		rc = check(&r, words, e);
	if (!rc) {
		p.what = arena_printf(c->arena, "Review of %s, %s: %s", k.id, k.title, words_of(&r));
		p.with = notes_json(&r);
		rc = say_or_send(c, &p, &r, e);
	}
	json_decref(p.with);
	json_decref(p.extra);
	review_release(&r);
	return rc;
}

const struct cmd_entry submit_commands[] = {
	{ .name = "submit", .args = "CHANGE", .summary = "send your drafts on a change as one review, with a verdict", .opts = submit_opts,
		.values = sizeof(struct submit_values), .min_args = 1, .max_args = 1,
		.needs = NEED_REPO | NEED_INDEX | NEED_WRITE, .flags = CMD_JSON | CMD_TEXT, .run = run_submit, .complete = "change" },
	{ .name = NULL },
};
