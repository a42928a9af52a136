/* SPDX-License-Identifier: MIT */
/*
 * outbox: what was sent by the user and is not confirmed by its tracker: every state visible, every state steerable. A row
 * is named by the beginning of its id, or by the post that shows it in a thread.
 */
#include "config.h"
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include "families.h"
#include "killick/base/file.h"
#include "killick/cmd/act.h"
#include "killick/store/settings.h"

enum { HORIZON_MS = 3600000, NAP_MS = 500, PUSH_MS = 120000, PUSH_NAP_MS = 2000 };

static const char *short_id(struct cmd *c, const struct out_row *r)
{
	return arena_printf(c->arena, "%.8s", r->id);
}

/* The op's words and verb, for showing. */
static bool op_of(struct cmd *c, const struct out_row *r, struct wire_op *op)
{
	struct err ignored = ERR_INIT;
	json_t *j = json_read(r->op, strlen(r->op), "an op", &ignored);
	bool ok = j && !wire_op_parse(c->arena, j, op, &ignored);

	json_decref(j);
	return ok;
}

/* Where a review's note goes. */
static const char *note_place(struct cmd *c, const struct wire_op *n)
{
	struct buf b = BUF_INIT;
	const char *text = "a reply";

	if (n->anchor) {
		anchor_format(&b, n->anchor, 0);
		text = arena_strdup(c->arena, b.ptr);
	}
	buf_release(&b);
	return text;
}

static json_t *notes_json(struct cmd *c, const struct wire_op *op)
{
	json_t *list = json_array();

	for (size_t i = 0; i < op->n_notes; i++) {
		json_t *j = json_object();

		json_put_str(j, "verb", wire_verb_name(op->notes[i].verb));
		json_put_str(j, "on", op->notes[i].anchor ? note_place(c, &op->notes[i]) : NULL);
		json_put_str(j, "body", op->notes[i].body);
		json_array_append_new(list, j);
	}
	return list;
}

static json_t *row_json(struct cmd *c, const struct out_row *r)
{
	struct wire_op op = { .verb = WIRE_VERBS };
	bool has = op_of(c, r, &op);
	json_t *j = json_object();

	json_put_str(j, "id", r->id);
	json_put_str(j, "source", r->source);
	json_put_str(j, "state", out_state_name(r->state));
	json_put_str(j, "verb", has ? wire_verb_name(op.verb) : NULL);
	json_put_str(j, "what", r->what);
	json_put_str(j, "task", has ? op.task : NULL);
	json_put_str(j, "thread", *r->thread ? arena_printf(c->arena, "k%.12s", r->thread) : NULL);
	json_put_str(j, "title", has ? op.title : NULL);
	json_put_str(j, "body", has ? op.body : NULL);
	if (has && op.verb == WIRE_REVIEW) {
		json_put_str(j, "verdict", op.verdict);
		json_object_set_new(j, "notes", notes_json(c, &op));
	}
	json_object_set_new(j, "private", json_boolean(has && op.private_));
	json_put_time(j, "created", r->created);
	json_put_time(j, "due", out_next(r) > 1 ? out_next(r) : r->state == OUT_QUEUED ? r->created : 0);
	json_put_int(j, "attempts", r->attempts);
	json_put_str(j, "problem", r->problem);
	json_put_str(j, "url", r->url);
	return j;
}

/* "10 s", "14:31", "waits": when something happens by itself. */
static const char *state_words(struct cmd *c, const struct out_row *r, int64_t now)
{
	int64_t left = out_next(r) - now;

	if (r->state == OUT_QUEUED && !r->problem && left > 0 && left < 120000)
		return arena_printf(c->arena, "%lld s", (long long)((left + 999) / 1000));
	if (r->state == OUT_QUEUED && r->pushed)
		return "waits";
	if (r->state == OUT_QUEUED)
		return r->problem ? "again" : "queued";
	return out_state_name(r->state);
}

static void row_line(struct cmd *c, const struct out_row *r)
{
	static const enum style styles[OUT_STATES] = {
		[OUT_HELD] = STYLE_WARN, [OUT_REFUSED] = STYLE_ERROR, [OUT_ASKS] = STYLE_ERROR, [OUT_UNKNOWN] = STYLE_WARN,
	};
	int64_t now = clock_now(), at = out_next(r);
	char when[TIME_RFC3339_SIZE];

	out_textf(c, STYLE_ID, "%s  ", short_id(c, r));
	out_cell(c, styles[r->state], state_words(c, r, now), 8);
	out_textf(c, STYLE_NORMAL, "  %s  ", r->source);
	out_prose(c, STYLE_NORMAL, r->what);
	if (r->problem)
		out_textf(c, styles[r->state] ? styles[r->state] : STYLE_DIM, "  (%s)", r->problem);
	if (r->problem && r->state == OUT_QUEUED && at > now)
		out_textf(c, STYLE_DIM, "  again at %s", time_rfc3339(when, at));
	out_line(c);
}

static int run_list(struct cmd *c, struct err *e)
{
	struct out_list l = ARRAY_INIT;
	size_t shown = 0;

	if (work_desk(c->work, e) ||
	    desk_outs(c->work->desk, repo_commondir(c->work->repo), NULL, NULL, c->arena, &l, e))
		return -1;
	out_list_begin(c, "outbox");
	for (size_t i = 0; i < l.len; i++) {
		if (l.items[i].state == OUT_DONE)
			continue;
		shown++;
		if (out_json(c))
			out_item(c, row_json(c, &l.items[i]));
		else
			row_line(c, &l.items[i]);
	}
	out_list_end(c);
	if (!shown && !out_json(c))
		out_note(c, "the outbox is empty: all you wrote has reached its tracker");
	return 0;
}

/* By id, or by the post that stands for it ("p…"). */
static int find_row(struct cmd *c, const char *word, struct out_row *out, struct err *e)
{
	struct err as_row = ERR_INIT;
	const struct post *post;
	struct thread t;

	if (work_desk(c->work, e))
		return -1;
	if (!desk_out(c->work->desk, word, c->arena, out, &as_row)) {
		if (strcmp(out->repo, repo_commondir(c->work->repo)))
			return err_set(e, ERR_NOT_FOUND, "%.8s belongs to another repository: %s", out->id, out->repo);
		return 0;
	}
	if (*word == 'p' && c->work->index && !index_thread(c->work->index, &c->work->scope, word, c->arena, &t, &post, e) && post &&
	    act_unsent(c, post, out))
		return 0;
	*e = as_row;
	return -1;
}

static void report(struct cmd *c, const struct out_row *r, const char *done)
{
	out_textf(c, STYLE_ID, "%s", short_id(c, r));
	out_textf(c, STYLE_NORMAL, " %s: %s", done, r->what);
	out_line(c);
	out_doc(c, "outbox", row_json(c, r));
}

static void show_body(struct cmd *c, const char *body)
{
	struct styled s = STYLED_INIT;

	styled_markdown(&s, body, strlen(body), out_prose_width(c), 2);
	out_styled(c, &s);
	styled_release(&s);
}

static int run_show(struct cmd *c, struct err *e)
{
	struct wire_op op = { .n_notes = 0 };
	struct out_row r;

	if (find_row(c, c->argv[0], &r, e))
		return -1;
	if (out_json(c)) {
		out_doc(c, "outbox", row_json(c, &r));
		return 0;
	}
	row_line(c, &r);
	if (op_of(c, &r, &op) && op.body && *op.body) {
		out_line(c);
		show_body(c, op.body);
	}
	for (size_t i = 0; i < op.n_notes; i++) {
		out_line(c);
		out_textf(c, STYLE_DIM, "  %s", note_place(c, &op.notes[i]));
		out_line(c);
		show_body(c, op.notes[i].body);
	}
	return 0;
}

static int each(struct cmd *c, enum out_event ev, const char *done, struct err *e)
{
	struct out_row r;

	for (int i = 0; i < c->argc; i++) {
		if (find_row(c, c->argv[i], &r, e) || outbox_act(c->work, &r, ev, e))
			return -1;
		report(c, &r, done);
	}
	if (ev != EV_HOLD && ev != EV_DISCARD)
		outbox_kick(c->work);
	return 0;
}

static int run_retry(struct cmd *c, struct err *e) { return each(c, EV_RETRY, "is tried again", e); }
static int run_hold(struct cmd *c, struct err *e) { return each(c, EV_HOLD, "is held until you release it", e); }
static int run_release(struct cmd *c, struct err *e) { return each(c, EV_RELEASE, "goes out now", e); }

static int run_discard(struct cmd *c, struct err *e)
{
	struct out_row r;

	for (int i = 0; i < c->argc; i++) {
		if (find_row(c, c->argv[i], &r, e))
			return -1;
		if (r.state == OUT_UNKNOWN || r.state == OUT_ASKS)
			out_note(c, "%s may be there all the same: its answer was lost", short_id(c, &r));
		if (outbox_act(c->work, &r, EV_DISCARD, e))
			return -1;
		report(c, &r, "was thrown away");
	}
	return 0;
}

/* The last one written, without a word. */
static int last_row(struct cmd *c, struct out_row *out, struct err *e)
{
	int found = act_last_unsent(c, out, e);

	return found ? found < 0 ? -1 : 0 : err_set(e, ERR_NOT_FOUND, "the outbox is empty: there is nothing to recall");
}

static int run_recall(struct cmd *c, struct err *e)
{
	struct out_row r;
	const char *draft;
	json_t *j;

	if ((c->argc ? find_row(c, c->argv[0], &r, e) : last_row(c, &r, e)) || outbox_recall(c->work, &r, &draft, e))
		return -1;
	out_textf(c, STYLE_ID, "%s", short_id(c, &r));
	out_textf(c, STYLE_NORMAL, " recalled: %s%s%s", r.what, draft ? "; its words are draft " : "", draft ? draft : "");
	out_line(c);
	j = row_json(c, &r);
	json_put_str(j, "state", "recalled");
	json_put_str(j, "draft", draft);
	out_doc(c, "outbox", j);
	return 0;
}

static int run_edit(struct cmd *c, struct err *e)
{
	struct compose p = { .verb = "edit", .fixed_audience = true, .flags = COMPOSE_EDITOR };
	struct sources *all = act_sources(c, e);
	struct out_row r, now;
	struct wire_op op;

	if (!all || find_row(c, c->argv[0], &r, e))
		return -1;
	if (!op_of(c, &r, &op) || !op.body)
		return err_set(e, ERR_CONFLICT, "%s has no words to change", short_id(c, &r));
	p.to = sources_find(all, r.source, e);
	if (!p.to)
		return -1;
	p.target = r.id;
	p.start = op.body;
	p.where = op.task;
	p.what = arena_printf(c->arena, "What waits in the outbox: %s", r.what);
	if (compose(c, &p, e))
		return -1;
	if (p.stop)
		return 0;
	if (outbox_rewrite(c->work, &r, p.body, NULL, &now, e))
		return compose_failed(c, &p, e);
	compose_done(c, &p);
	outbox_kick(c->work);
	report(c, &now, "has its new text");
	return 0;
}

/* ---- sending ---- */

static void add_sent(struct sent *all, const struct sent *one)
{
	all->done += one->done;
	all->waiting += one->waiting;
	all->held += one->held;
	all->refused += one->refused;
	all->asks += one->asks;
	if (one->fault.code && !all->fault.code)
		all->fault = one->fault;
}

static int send_all(struct cmd *c, const char *id, struct sent *out, struct err *e)
{
	struct sources all;

	*out = (struct sent){ 0 };
	if (work_sources(c->work, &all, e))
		return -1;
	for (size_t i = 0; i < all.len; i++) {
		struct sent one = { 0 };

		if (all.items[i].key)
			outbox_send(c->work, &all.items[i], id, &one);
		add_sent(out, &one);
	}
	sources_release(&all);
	return 0;
}

static int run_send(struct cmd *c, struct err *e)
{
	struct out_row r = { .id = NULL };
	struct sent sent = { 0 }, one;
	json_t *j;

	for (int i = 0; i < (c->argc ? c->argc : 1); i++) {
		if (c->argc && (find_row(c, c->argv[i], &r, e) || (r.state != OUT_QUEUED && outbox_act(c->work, &r, EV_RETRY, e))))
			return -1;
		if (send_all(c, r.id, &one, e))
			return -1;
		one.done += sent.done;
		if (sent.fault.code)
			one.fault = sent.fault;
		sent = one; /* what is left is what the last look found */
	}
	j = json_object();
	json_put_int(j, "sent", sent.done);
	json_put_int(j, "waiting", sent.waiting);
	json_put_int(j, "held", sent.held);
	json_put_int(j, "refused", sent.refused);
	json_put_int(j, "asks", sent.asks);
	out_textf(c, STYLE_NORMAL, "%u sent, %u waiting, %u held, %u refused", sent.done, sent.waiting, sent.held,
	    sent.refused + sent.asks);
	out_line(c);
	out_doc(c, "sent", j);
	if (sent.fault.code) {
		*e = sent.fault;
		return -1;
	}
	if (sent.held || sent.refused || sent.asks)
		c->status = EXIT_CONFLICT;
	return 0;
}

/*
 * What a queued post starts in the background: waits for what is due within the hour, sends it, ends. One at a time a
 * repository; whoever is second leaves it to the first, which looks again before it goes.
 */
static int run_deliver(struct cmd *c, struct err *e)
{
	const char *dir = repo_commondir(c->work->repo);
	struct lock lock = LOCK_INIT;
	struct buf path = BUF_INIT;
	int64_t next, until = clock_mono() + PUSH_MS;
	bool waits;
	int rc = 0;

	if (xdg_path(XDG_DATA, arena_printf(c->arena, "deliver-%016llx.lock", (unsigned long long)hash64(dir, strlen(dir))), &path, e))
		return -1;
	while (!rc) {
		struct sent sent;

		waits = c->argc && clock_mono() < until && outbox_awaits_push(c->work);
		next = outbox_next(c->work);
		if (!next && waits) {
			poll(NULL, 0, PUSH_NAP_MS);
			continue;
		}
		if (!next || next > clock_now() + HORIZON_MS)
			break;

		if (lock.fd < 0 && lock_take(&lock, path.ptr, 0, &(struct err)ERR_INIT))
			break;
		if (next > clock_now()) {
			poll(NULL, 0, next - clock_now() > NAP_MS ? NAP_MS : (int)(next - clock_now()) + 1);
			continue;
		}
		rc = send_all(c, NULL, &sent, e);
		if (sent.fault.code == ERR_BUSY)
			poll(NULL, 0, NAP_MS);
	}
	lock_release(&lock);
	buf_release(&path);
	return rc;
}

#define READS (NEED_REPO | NEED_INDEX)
#define ACTS (NEED_REPO | NEED_INDEX | NEED_WRITE)
#define ON_ROWS(verb, words, text) { .name = #verb, .args = words, .summary = text, .min_args = 1, .max_args = -1, \
	.needs = ACTS, .flags = CMD_JSON, .run = run_##verb, .complete = "outbox" }
static const struct cmd_entry outbox_rows[] = {
	{ .name = "list", .summary = "what waits, with its state and why", .needs = READS, .flags = CMD_JSON | CMD_PAGE,
		.run = run_list },
	{ .name = "show", .args = "ID", .summary = "one of them with its text", .min_args = 1, .max_args = 1, .needs = READS,
		.flags = CMD_JSON | CMD_PAGE, .run = run_show, .complete = "outbox" },
	{ .name = "recall", .args = "[ID]", .summary = "take one back, the last without an id: its words become a draft",
		.max_args = 1, .needs = ACTS, .flags = CMD_JSON, .run = run_recall, .complete = "outbox" },
	{ .name = "edit", .args = "ID", .summary = "change the text of one; it waits anew", .min_args = 1, .max_args = 1,
		.needs = ACTS, .flags = CMD_JSON | CMD_TEXT, .run = run_edit, .complete = "outbox" },
	ON_ROWS(retry, "ID…", "try again now: send what was refused, look for what is unknown"),
	ON_ROWS(hold, "ID…", "keep one back until it is released"),
	ON_ROWS(release, "ID…", "send one now, whatever has happened meanwhile"),
	ON_ROWS(discard, "ID…", "throw one away, with its words"),
	{ .name = "send", .args = "[ID…]", .summary = "send what is due; those named at once", .max_args = -1, .needs = ACTS,
		.flags = CMD_JSON, .run = run_send, .complete = "outbox" },
	{ .name = "deliver", .args = "[pushed]", .summary = "wait for what is due soon and send it", .max_args = 1,
		.needs = ACTS, .flags = CMD_HIDDEN, .run = run_deliver },
	{ .name = NULL },
};
const struct cmd_entry outbox_commands[] = {
	{ .name = "outbox", .args = "[COMMAND]", .summary = "what is on its way to a tracker: list, recall, edit, retry, hold, …",
		.needs = READS, .flags = CMD_JSON | CMD_PAGE, .run = run_list, .sub = outbox_rows },
	{ .name = NULL },
};
