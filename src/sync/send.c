/* SPDX-License-Identifier: MIT */
/*
 * The outbox's executor: takes one row after the other through the steps of outstep.c, and says to killick-remote what the
 * state asks for. Each change of state is committed to the desk before the next line is written to the child, so that
 * a process that dies anywhere leaves a row that tells how far it may have got.
 *
 * KILLICK_DIE_AT=N ends the process at its Nth step, that is before or after a commit, a line written or an answer read:
 * tests/remote/kill.t tries every N (isync's countStep).
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "apply.h"
#include "child.h"
#include "killick/anchor/place.h"
#include "killick/base/clock.h"
#include "killick/store/settings.h"
#include "outbox.h"

struct sender {
	struct work *w;
	struct source *s;
	struct sent *out;
	struct arena arena;      /* of one row */
	struct child c;
	struct page page;        /* records that came with answers */
	int idle;
	uint64_t step, die_at;
	bool stop;               /* the source cannot be reached: the rest waits */
	struct out_row *r;
	struct wire_op op;
	struct out_policy policy;
};

/* What a process in the background needs for the few posts that it may be sending just now. */
enum { SEND_WAIT_MS = 10000 };

static void step(struct sender *x, const char *where)
{
	if (!x->die_at)
		return;
	trace("sync", "step %llu: %s", (unsigned long long)x->step + 1, where);
	if (++x->step == x->die_at)
		_exit(100);
}

/* ---- rows ---- */

static int save(struct sender *x, struct err *e)
{
	int rc;

	step(x, "before a commit");
	rc = desk_out_save(x->w->desk, x->r, e);
	step(x, "after a commit");
	return rc;
}

static int happen(struct sender *x, enum out_event ev, const struct wire_outcome *o, struct err *e)
{
	trace("sync", "%.8s %s: event %d", x->r->id, out_state_name(x->r->state), (int)ev);
	if (!out_step(x->r, ev, o, clock_now(), &x->policy))
		return 0;
	return save(x, e);
}

static int hold(struct sender *x, const char *why, struct err *e)
{
	return happen(x, EV_CHANGED, &(struct wire_outcome){ .is = WIRE_REFUSED, .message = why }, e);
}

/* ---- talk ---- */

static int talk(struct sender *x, struct err *e)
{
	if (x->c.pid > 0)
		return 0;
	return child_start(&x->c, request_new("send", &x->s->d), e);
}

static json_t *request1(const char *key, json_t *value)
{
	json_t *j = json_object();

	json_object_set_new(j, key, value);
	return j;
}

/*
 * Says something and reads up to the answer with this key, a new reference; records on the way are kept for the index.
 * NULL: it failed; *retry_at of a limit. After a failure the child is gone.
 */
static json_t *ask(struct sender *x, json_t *what, const char *key, int64_t *retry_at, struct err *e)
{
	json_t *j, *found = NULL;

	*retry_at = 0;
	step(x, "before a line");
	if (talk(x, e) || child_say(&x->c, json_incref(what), e))
		goto out;
	step(x, "after a line");
	while (!found && (j = child_answer(&x->c, x->idle, e))) {
		if (answer_error(j, e, retry_at)) {
			json_decref(j);
			break;
		}
		found = json_object_get(j, key) ? json_incref(j) : NULL;
		if (json_get_str(j, "record")) {
			struct buf b = BUF_INIT;
			json_write(&b, j);
			page_add(&x->page, b.ptr, b.len);
			buf_release(&b);
		}
		json_decref(j);
	}
	step(x, "after an answer");
out:
	json_decref(what);
	if (!found)
		child_end(&x->c);
	return found;
}

static int apply(struct sender *x, struct err *e)
{
	if (!x->page.n)
		return 0;
	x->page.began = clock_now();
	return page_apply(x->w, x->s, &x->page, NULL, true, e);
}

/* ---- is it still right to send it? ---- */

static bool is_talk(enum wire_verb v)
{
	return v == WIRE_COMMENT || v == WIRE_REPLY || v == WIRE_RESOLVE || v == WIRE_REVIEW;
}

static bool wants_open_task(enum wire_verb v)
{
	return v == WIRE_COMMENT || v == WIRE_REPLY || v == WIRE_CODE_NOTE || v == WIRE_REVIEW;
}

static bool wants_look(enum wire_verb v)
{
	return is_talk(v) || wants_open_task(v) || v == WIRE_EDIT_NOTE;
}

/* Somebody else's words in a thread that the user had not seen. */
static const char *newer_reply(struct sender *x, const char *entity, int64_t seen, int64_t seen_n)
{
	struct err unused = ERR_INIT;
	struct thread t;
	const struct post *new = NULL;
	int64_t others = 0;
	char when[TIME_RELATIVE_SIZE];

	if (index_thread(x->w->index, &x->w->scope, arena_printf(&x->arena, "k%s", entity), &x->arena, &t, NULL, &unused))
		return NULL;
	for (unsigned i = 0; i < t.n_posts; i++) {
		const struct post *p = &t.posts[i];

		if (p->mine || p->state != POST_SENT)
			continue;
		others++;
		if (p->time > seen)
			new = p;
	}
	if (!new && others > seen_n)
		for (unsigned i = 0; i < t.n_posts; i++)
			if (!t.posts[i].mine && t.posts[i].state == POST_SENT)
				new = &t.posts[i];
	if (!new || (others <= seen_n && new->time <= seen))
		return NULL;
	time_relative(when, new->time, clock_now());
	return arena_printf(&x->arena, "%s answered %s%s: read it first", person_label(&new->author), when,
			    strcmp(when, "now") && !strchr(when, '-') && !str_starts(when, "in ") ? " ago" : "");
}

/* The change went on: are the lines still in it? Unknown where its new head is not here. */
static const char *lost_lines(struct sender *x, const struct wire_op *op, const struct record_task *k)
{
	struct place place;
	struct place_query q = { .anchor = op->anchor, .out = &place };
	struct err unused = ERR_INIT;
	struct placer *p;
	struct oid head;
	bool gone;

	if (op->verb != WIRE_CODE_NOTE || !op->anchor || !op->head || !k->head || !strcmp(k->head, op->head) ||
	    op->anchor->side == SIDE_OLD || !oid_parse(k->head, &head) || !repo_has_object(x->w->repo, &head))
		return NULL;
	p = placer_new(x->w->repo, NULL);
	gone = !place_batch(p, &head, &q, 1, &x->arena, &unused) && place.state == PLACE_GONE;
	placer_free(p);
	return gone ? arena_printf(&x->arena, "%s went on, and the lines are gone", k->name) : NULL;
}

/* A verdict is about what was read; and what holds for one note holds for each of a review. */
static const char *review_changed(struct sender *x, const struct record_task *k)
{
	struct err unused = ERR_INIT;
	json_t *j = x->r->patch ? json_read(x->r->patch, strlen(x->r->patch), "a patch", &unused) : NULL;
	const json_t *parts = json_get_arr(j, "parts");
	const char *why = NULL;

	for (size_t i = 0; !why && i < json_array_size(parts); i++) {
		const json_t *p = json_array_get(parts, i);
		const char *entity = json_get_str(p, "entity");

		why = entity ? newer_reply(x, entity, json_get_int(p, "seen", 0), json_get_int(p, "seen_n", 0)) : NULL;
	}
	json_decref(j);
	for (size_t i = 0; !why && i < x->op.n_notes; i++)
		why = lost_lines(x, &x->op.notes[i], k);
	if (!why && x->op.head && k->head && strcmp(x->op.head, k->head))
		why = arena_printf(&x->arena, "%s has new commits that you had not seen: its head is %.7s, you reviewed %.7s", k->name,
				   k->head, x->op.head);
	return why;
}

/* Why it is not sent, or NULL. */
static const char *changed(struct sender *x)
{
	struct err unused = ERR_INIT;
	struct record rec;
	const char *why;

	if (x->op.task && index_record(x->w->index, x->s->row, RECORD_TASK, NULL, x->op.task, &x->arena, &rec, &unused))
		return "its task is not there any more, or you may not see it";
	if (x->op.task && wants_open_task(x->op.verb) && x->r->was_open && rec.task.state != TASK_OPEN)
		return arena_printf(&x->arena, "%s was %s meanwhile", rec.task.name, task_state_name(rec.task.state));
	if (is_talk(x->op.verb) && (why = newer_reply(x, x->r->thread, x->r->seen, x->r->seen_n)))
		return why;
	if (x->op.task && x->op.verb == WIRE_REVIEW)
		return review_changed(x, &rec.task);
	return x->op.task ? lost_lines(x, &x->op, &rec.task) : NULL;
}

/* ---- one row ---- */

/* The source's own trouble: what was asked for waits, and so does everything else of it. */
static int put_off(struct sender *x, const struct err *fault, int64_t retry_at, struct err *e)
{
	struct wire_outcome o = { .is = WIRE_UNSENT, .code = fault->code, .message = fault->msg, .retry_at = retry_at };

	x->stop = true;
	x->out->fault = *fault;
	x->out->retry_at = retry_at;
	return happen(x, EV_UNSENT, &o, e);
}

static bool is_about_the_row(const struct err *fault)
{
	return fault->code == ERR_NOT_FOUND || fault->code == ERR_AUTH || fault->code == ERR_REFUSED || fault->code == ERR_CONFLICT;
}

static int hold_fault(struct sender *x, const struct err *fault, struct err *e)
{
	if (fault->code == ERR_AUTH)
		source_doubt(x->w, x->s);
	return hold(x, arena_printf(&x->arena, "%s", fault->msg), e);
}

/* 1: go on; 0: it is held or waits. */
static int look_first(struct sender *x, struct err *e)
{
	struct err fault = ERR_INIT;
	int64_t retry_at;
	const char *why;
	json_t *j;

	if (x->r->forced || !x->op.task || !wants_look(x->op.verb))
		return 1;
	j = ask(x, request1("look", json_string(x->op.task)), "done", &retry_at, &fault);
	json_decref(j);
	if (!j && is_about_the_row(&fault))
		return hold_fault(x, &fault, e);
	if (!j)
		return put_off(x, &fault, retry_at, e);
	if (apply(x, e))
		return -1;
	why = changed(x);
	return why ? hold(x, why, e) : 1;
}

static json_t *op_json(struct sender *x)
{
	struct wire_op op = x->op;

	op.mark = x->r->mark;
	return wire_op_json(&op);
}

/* The newest thing there before the first attempt: whatever lands stands behind it. */
static int mark_first(struct sender *x, struct err *e)
{
	struct err fault = ERR_INIT;
	int64_t retry_at;
	json_t *j;

	if (x->r->mark)
		return 1;
	j = ask(x, request1("mark", op_json(x)), "mark", &retry_at, &fault);
	if (!j && is_about_the_row(&fault))
		return hold_fault(x, &fault, e);
	if (!j)
		return put_off(x, &fault, retry_at, e);
	x->r->mark = arena_strdup(&x->w->arena, json_get_str(j, "mark") ? json_get_str(j, "mark") : "");
	json_decref(j);
	return happen(x, EV_MARKED, NULL, e) ? -1 : 1;
}

static int outcome(struct sender *x, const json_t *j, struct wire_outcome *o, struct err *e)
{
	return wire_outcome_parse(&x->arena, json_get_obj(j, "outcome"), o, e);
}

/* What landed otherwise than it was meant is told as loudly as a failure. */
static void tell(struct sender *x, const struct wire_outcome *o)
{
	if (o->is == WIRE_LANDED && o->message && *o->message)
		err_set(&x->out->fault, ERR_REFUSED, "%s", o->message);
}

static int push(struct sender *x, struct err *e)
{
	static const enum out_event events[] = {
		[WIRE_LANDED] = EV_LANDED, [WIRE_REFUSED] = EV_REFUSED, [WIRE_UNKNOWN] = EV_UNKNOWN, [WIRE_ABSENT] = EV_UNKNOWN,
		[WIRE_UNSENT] = EV_UNSENT,
	};
	struct wire_outcome o = { .is = WIRE_UNKNOWN };
	struct err fault = ERR_INIT;
	int64_t retry_at;
	json_t *j;

	if (happen(x, EV_DUE, NULL, e))
		return -1;
	j = ask(x, request1("push", op_json(x)), "outcome", &retry_at, &fault);
	/* Whatever is not a clear answer may have landed. */
	if (!j || outcome(x, j, &o, &fault))
		o = (struct wire_outcome){ .is = WIRE_UNKNOWN, .message = arena_strdup(&x->arena, fault.msg) };
	json_decref(j);
	if (o.is == WIRE_UNSENT && o.code == ERR_AUTH)
		o.is = WIRE_REFUSED;
	if (o.is == WIRE_UNSENT) {
		x->stop = true;
		err_set(&x->out->fault, o.code ? o.code : ERR_OFFLINE, "%s", o.message ? o.message : "not sent");
		x->out->retry_at = o.retry_at;
	}
	if (happen(x, events[o.is], &o, e))
		return -1;
	if (o.is == WIRE_REFUSED && o.code == ERR_AUTH)
		source_doubt(x->w, x->s);
	tell(x, &o);
	return apply(x, e);
}

static int send_row(struct sender *x, struct err *e)
{
	int go = look_first(x, e);

	if (go == 1)
		go = mark_first(x, e);
	return go == 1 ? push(x, e) : go;
}

/* Did it land? */
static int find_row(struct sender *x, struct err *e)
{
	struct wire_outcome o = { .is = WIRE_ABSENT };
	struct err fault = ERR_INIT;
	int64_t retry_at;
	json_t *j = ask(x, request1("find", op_json(x)), "outcome", &retry_at, &fault);
	int rc;

	if (!j || outcome(x, j, &o, &fault)) {
		json_decref(j);
		return put_off(x, &fault, retry_at, e);
	}
	json_decref(j);
	rc = happen(x, o.is == WIRE_LANDED ? EV_FOUND : o.is == WIRE_ABSENT ? EV_ABSENT : EV_UNKNOWN, &o, e);
	tell(x, &o);
	return rc ? -1 : apply(x, e);
}

static int take_op(struct sender *x, struct err *e)
{
	json_t *j = json_read(x->r->op, strlen(x->r->op), "what is in the outbox", e);
	int rc = j ? wire_op_parse(&x->arena, j, &x->op, e) : -1;

	json_decref(j);
	x->policy = outbox_policy(x->w, x->r->op);
	return rc;
}

/* One thing to do for the row. A row that cannot be read is held, with the reason. */
static int do_row(struct sender *x, struct out_row *r, struct err *e)
{
	struct err bad = ERR_INIT;

	arena_clear(&x->arena);
	x->r = r;
	if (take_op(x, &bad))
		return hold(x, bad.msg, e);
	if (r->state == OUT_SENDING)
		return happen(x, EV_CRASHED, NULL, e);
	return r->state == OUT_UNKNOWN ? find_row(x, e) : send_row(x, e);
}

/* ---- all rows ---- */

/* The next row that something can be done about now; `only`: this one whether due or not. */
static struct out_row *pick(struct out_list *l, const char *only, const char *just_done, int64_t now)
{
	for (size_t i = 0; i < l->len; i++) {
		struct out_row *r = &l->items[i];
		int64_t at = out_is_first(l, i) ? out_next(r) : 0;
		bool wanted = only && !strcmp(only, r->id);

		if (!at || (only && !wanted))
			continue;
		if (at <= now || (wanted && r->state == OUT_QUEUED && (!just_done || strcmp(just_done, r->id))))
			return r;
	}
	return NULL;
}

static int run(struct sender *x, const char *only, struct err *e)
{
	const char *last = NULL;

	while (!x->stop) {
		struct arena a = ARENA_INIT;
		struct out_list l = ARRAY_INIT;
		struct out_row *r = NULL;
		int rc = desk_outs(x->w->desk, NULL, x->s->d.kind, x->s->key, &a, &l, e);

		if (!rc)
			r = pick(&l, only, last, clock_now());
		if (r) {
			last = arena_strdup(&x->w->arena, r->id);
			rc = do_row(x, r, e);
			if (!rc && r->state == OUT_DONE)
				x->out->done++;
		}
		arena_release(&a);
		/* Somebody changed the row while it was looked at: it is read again. */
		if (rc && e->code == ERR_CONFLICT) {
			err_clear(e);
			rc = 0;
		}
		if (rc || !r)
			return rc;
	}
	return 0;
}

static void count(struct sender *x)
{
	struct arena a = ARENA_INIT;
	struct out_list l = ARRAY_INIT;
	struct err e = ERR_INIT;

	if (!desk_outs(x->w->desk, NULL, x->s->d.kind, x->s->key, &a, &l, &e))
		for (size_t i = 0; i < l.len; i++) {
			enum out_state s = l.items[i].state;

			x->out->waiting += s == OUT_QUEUED || s == OUT_SENDING || s == OUT_UNKNOWN;
			x->out->held += s == OUT_HELD;
			x->out->refused += s == OUT_REFUSED;
			x->out->asks += s == OUT_ASKS;
		}
	arena_release(&a);
}

static bool has_work(struct sender *x, const char *only)
{
	struct arena a = ARENA_INIT;
	struct out_list l = ARRAY_INIT;
	struct err e = ERR_INIT;
	bool yes = !desk_outs(x->w->desk, NULL, x->s->d.kind, x->s->key, &a, &l, &e) && pick(&l, only, NULL, clock_now());

	arena_release(&a);
	return yes;
}

void outbox_send(struct work *w, struct source *s, const char *id, struct sent *out)
{
	struct sender x = { .w = w, .s = s, .out = out, .c = CHILD_INIT, .page = { .lines = BUF_INIT },
		.idle = (int)setting_int(w->repo, "sync.timeout") };
	const char *die = getenv("KILLICK_DIE_AT");
	struct lock lock = LOCK_INIT;
	struct err e = ERR_INIT;

	*out = (struct sent){ 0 };
	if (die)
		str_to_u64(die, UINT32_MAX, &x.die_at);
	if (work_desk(w, &e) || work_index(w, &e)) {
		out->fault = e;
		return;
	}
	outbox_awaits_push(w);
	outbox_settle(w); /* what a process that died had done */
	if (!has_work(&x, id)) {
		count(&x);
		return;
	}
	if (s->unusable)
		err_set(&out->fault, ERR_AUTH, "%s", s->unusable);
	else if (!source_lock(&lock, s, "send", SEND_WAIT_MS, &out->fault) && run(&x, id, &e))
		out->fault = e;
	child_end(&x.c);
	buf_release(&x.page.lines);
	lock_release(&lock);
	arena_release(&x.arena);
	outbox_settle(w);
	count(&x);
}
