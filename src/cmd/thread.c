/* SPDX-License-Identifier: MIT */
/* show, and what is done to a thread: reply, edit, retract, resolve, reopen, accept, react, move. */
#include "config.h"
#include <stddef.h>
#include <string.h>
#include "families.h"
#include "killick/cmd/act.h"
#include "killick/text/sanitize.h"
#include "killick/text/width.h"

struct show_values { bool no_code, keep_unread; };
static const struct opt show_opts[] = {
	{ 0, "no-code", OPT_FLAG, offsetof(struct show_values, no_code), NULL, "leave out the code as written", NULL },
	{ 0, "keep-unread", OPT_FLAG, offsetof(struct show_values, keep_unread), NULL,
		"do not mark as read (only a terminal marks)", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

/* Read means: a person saw it on a screen. Programs that collect threads mark nothing. */
static void mark_read(struct cmd *c, const struct thread *t)
{
	struct show_values *v = c->values;
	struct err e = ERR_INIT;

	if (!c->io->tty || out_json(c) || v->keep_unread || !t->n_unread)
		return;
	if (work_mark_read(c->work, t, &e))
		trace("cmd", "cannot mark %s as read: %s", t->abbrev, e.msg);
}

static int run_show(struct cmd *c, struct err *e)
{
	struct show_values *v = c->values;
	struct thread *list = arena_alloc(c->arena, sizeof(*list) * (size_t)c->argc);

	for (int i = 0; i < c->argc; i++) {
		if (index_thread(c->work->index, &c->work->scope, c->argv[i], c->arena, &list[i], NULL, e))
			return -1;
	}
	if (work_places_dirty(c->work, c->arena, list, (size_t)c->argc, e))
		return -1;
	if (out_json(c) && c->argc == 1) {
		out_doc(c, "thread", thread_json(&list[0]));
		return 0;
	}
	out_list_begin(c, "threads");
	for (int i = 0; i < c->argc; i++) {
		if (out_json(c)) {
			out_thread(c, &list[i]);
			continue;
		}
		if (v->no_code)
			list[i].anchor.quote = NULL;
		if (i)
			out_line(c);
		out_thread_full(c, &list[i]);
		mark_read(c, &list[i]);
	}
	out_list_end(c);
	return 0;
}

/* A reply goes where its thread is; at a tracker it may be for some only: --private --to TRACKER. */
static int check_own_audience(struct cmd *c, const struct subject *s, struct err *e)
{
	const char *to = c->posting.to;
	enum audience aud;
	struct source *there;

	if (s->there.s && to && !strcmp(to, s->there.s->d.name))
		return compose_to(c, &aud, &there, e);
	if (c->posting.private_ || to)
		return err_set(e, ERR_USAGE, "a reply goes where its thread is (%s): for words of your own, 'killick note %s "
		    "--private'", s->there.s ? s->there.s->d.name : s->audience == AUDIENCE_PRIVATE ? "private" : "native",
		    act_anchor_text(c, &s->t));
	return 0;
}

/* Where a text about the subject goes. */
static void goes_there(struct cmd *c, const struct subject *s, struct compose *p)
{
	p->audience = s->audience;
	p->to = s->there.s;
	if (!p->to)
		return;
	if (c->posting.private_)
		p->audience = AUDIENCE_PRIVATE;
	if (!s->there.k.key)
		p->where = act_anchor_text(c, &s->t);
	else
		p->where = *s->there.thread ? arena_printf(c->arena, "%s, review thread", s->there.k.name) : s->there.k.name;
}

static int run_reply(struct cmd *c, struct err *e)
{
	struct subject s;
	struct compose p = { .verb = "reply", .target = c->argv[0], .fixed_audience = true };

	if (act_subject(c, c->argv[0], &s, e) || check_own_audience(c, &s, e))
		return -1;
	p.thread = &s.t;
	goes_there(c, &s, &p);
	p.target = s.post ? s.post->id : s.t.id;
	p.what = arena_printf(c->arena, "Reply to %s on %s (%s)", person_label(s.post ? &s.post->author : &s.t.author),
	    act_anchor_text(c, &s.t), s.t.abbrev);
	if (compose(c, &p, e))
		return -1;
	return p.stop ? 0 : compose_send(c, &p, e);
}

/* A post of one's own, or of others where the tracker lets us: named itself, or by its thread when that begins with it. */
static int own_post(struct cmd *c, struct subject *s, const char *to_do, struct err *e)
{
	struct person me;

	if (act_subject(c, c->argv[0], s, e) || act_me(c, &me, e))
		return -1;
	if (!s->post && s->t.n_posts)
		s->post = &s->t.posts[0];
	if (!s->post)
		return err_set(e, ERR_NOT_FOUND, "thread %s has no post", s->t.abbrev);
	if (s->there.s ? !s->post->mine && !(s->there.s->d.caps & CAP_MODERATE) : !person_same(&me, &s->post->author))
		return err_set(e, ERR_AUTH, "%s wrote this: only %s can %s it", person_label(&s->post->author),
		    person_label(&s->post->author), to_do);
	if (!s->post->body)
		return err_set(e, ERR_CONFLICT, "post %s was retracted", s->post->id);
	return 0;
}

static int in_review(const struct post *p, const struct out_row *r, struct err *e)
{
	return err_set(e, ERR_CONFLICT, "%s goes with a review that is not sent yet: 'killick outbox recall %.8s' makes drafts of it again",
	    p->id, r->id);
}

static int run_edit(struct cmd *c, struct err *e)
{
	struct subject s;
	struct out_row unsent;
	struct compose p = { .verb = "edit", .fixed_audience = true };

	if (own_post(c, &s, "edit", e))
		return -1;
	switch (act_unsent(c, s.post, &unsent)) {
	case UNSENT_ITSELF:
		return err_set(e, ERR_CONFLICT, "%s is not sent yet: 'killick outbox edit %.8s'", s.post->id, unsent.id);
	case UNSENT_IN_REVIEW:
		return in_review(s.post, &unsent, e);
	case UNSENT_NOT:
		break;
	}
	goes_there(c, &s, &p);
	p.target = s.post->id;
	p.start = s.post->body;
	p.what = arena_printf(c->arena, "Edit of %s on %s (%s)", s.post->id, act_anchor_text(c, &s.t), s.t.abbrev);
	if (compose(c, &p, e))
		return -1;
	return p.stop ? 0 : compose_send(c, &p, e);
}

/* One op on a thread, written and reported. */
static int one_op(struct cmd *c, const struct subject *s, struct batch *b, const char *done, struct err *e)
{
	int rc = act_write(c, s->audience, b, arena_printf(c->arena, "%s %s", c->entry->name, s->t.abbrev), e);

	if (!rc)
		act_report(c, s->entity, s->audience, done);
	batch_release(b);
	return rc;
}

static int recall_post(struct cmd *c, struct subject *s, struct out_row *row, struct err *e)
{
	const char *draft;
	json_t *j;

	if (outbox_recall(c->work, row, &draft, e))
		return -1;
	j = json_object();
	json_put_str(j, "id", s->post->id);
	json_put_str(j, "thread", s->t.id);
	json_put_str(j, "draft", draft);
	json_object_set_new(j, "recalled", json_true());
	out_textf(c, STYLE_NORMAL, "%s recalled: nobody has seen it%s%s", s->post->id, draft ? "; its words are draft " : "",
	    draft ? draft : "");
	out_line(c);
	out_doc(c, "retracted", j);
	return 0;
}

/* At a tracker: not sent yet, it is recalled; else it is deleted there. */
static int retract_there(struct cmd *c, struct subject *s, struct err *e)
{
	struct wire_op op = { .verb = WIRE_DELETE_NOTE };
	struct out_row row;
	struct record rec;
	enum unsent_as as;

	as = act_unsent(c, s->post, &row);
	if (as == UNSENT_IN_REVIEW)
		return in_review(s->post, &row, e);
	if (as == UNSENT_ITSELF)
		return recall_post(c, s, &row, e);
	if (act_can(c, s->there.s, CAP_DELETE_NOTE, e) ||
	    index_post_record(c->work->index, s->t.row, s->post->id, c->arena, &rec, e))
		return -1;
	if (!rec.note.can_delete && !act_moderates(s->there.s, &rec))
		return err_set(e, ERR_AUTH, "%s lets nobody delete this, or not you", s->there.s->d.name);
	op.id = act_new_id(c);
	op.note = rec.note.key;
	op.task = rec.note.task;
	op.thread = rec.note.thread;
	if (act_queue(c, &s->there, NULL, &op, NULL, arena_printf(c->arena, "delete %s", s->post->id), NULL, &row, e))
		return -1;
	act_report_queued(c, &s->there, s->entity, &row, s->post->mine ? "will lose your post on" :
	    arena_printf(c->arena, "will lose the post of %s on", person_label(&s->post->author)));
	return 0;
}

/* What nobody else has yet is taken back without a trace; what was sent is hidden in every client. */
static int run_retract(struct cmd *c, struct err *e)
{
	struct subject s;
	struct batch b = BATCH_INIT;
	struct err why = ERR_INIT;
	char op[SHA256_HEX];
	json_t *j;

	if (own_post(c, &s, "retract", e))
		return -1;
	if (s.there.s)
		return retract_there(c, &s, e);
	if (act_post_op(c, &s, s.post, op, e))
		return -1;
	if (!work_recall(c->work, op, &why)) {
		j = json_object();
		json_put_str(j, "id", s.post->id);
		json_put_str(j, "thread", s.t.id);
		json_object_set_new(j, "recalled", json_true());
		out_textf(c, STYLE_NORMAL, "%s taken back: nobody else had it", s.post->id);
		out_line(c);
		out_doc(c, "retracted", j);
		return 0;
	}
	j = act_op(&b, OP_REDACT, s.entity);
	json_put_str(j, "post", op);
	if (s.audience == AUDIENCE_EVERYONE && !out_json(c))
		out_note(c, "hidden in every killick; hosts and clones that had it keep a copy");
	return one_op(c, &s, &b, "has your post hidden on", e);
}

struct resolve_values { const char *commit; };
static const struct opt resolve_opts[] = {
	{ 0, "commit", OPT_STR, offsetof(struct resolve_values, commit), "REV", "the commit that resolved it", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static json_t *resolve_extra(struct cmd *c, const char *rev, struct err *e)
{
	struct oid id;
	char hex[GIT_OID_HEX];
	json_t *extra;

	if (repo_resolve(c->work->repo, rev, &id, e))
		return NULL;
	extra = json_object();
	json_put_str(extra, "commit", oid_hex(hex, &id));
	return extra;
}

static int run_resolve(struct cmd *c, struct err *e)
{
	struct resolve_values *v = c->values;
	struct subject s;
	struct compose p = { .verb = "resolve", .fixed_audience = true, .flags = COMPOSE_OPTIONAL };
	int rc;

	if (act_subject(c, c->argv[0], &s, e))
		return -1;
	if (s.t.state == STATE_RESOLVED && !c->posting.message && !c->posting.file)
		return err_set(e, ERR_CONFLICT, "%s is resolved already", s.t.abbrev);
	if (v->commit && !(p.extra = resolve_extra(c, v->commit, e)))
		return -1;
	goes_there(c, &s, &p);
	p.target = s.t.id;
	p.what = arena_printf(c->arena, "Resolution of %s on %s", s.t.abbrev, act_anchor_text(c, &s.t));
	rc = compose(c, &p, e);
	if (!rc && !p.stop)
		rc = compose_send(c, &p, e);
	json_decref(p.extra);
	return rc;
}

static int reopen_there(struct cmd *c, struct subject *s, struct err *e)
{
	struct wire_op op = { .verb = WIRE_REOPEN_THREAD, .id = act_new_id(c), .task = s->there.task, .thread = s->there.thread };
	struct record rec;
	struct out_row row;
	json_t *patch;

	if (!*op.thread)
		return err_set(e, ERR_REFUSED, "%s is the conversation of %s: 'killick task reopen %s' opens that", s->t.abbrev,
		    s->there.k.name, s->there.k.name);
	if (s->there.k.key && s->there.k.state != TASK_OPEN)
		return err_set(e, ERR_REFUSED, "%s is %s: its threads are over with it", s->there.k.name,
		    task_state_name(s->there.k.state));
	if (act_can(c, s->there.s, CAP_RESOLVE, e) ||
	    index_record(c->work->index, s->there.s->row, RECORD_THREAD, op.task, op.thread, c->arena, &rec, e))
		return -1;
	op.handle = rec.thread.handle;
	patch = json_pack("{s:s,s:s,s:s,s:b}", "of", "thread", "key", op.thread, "task", op.task, "resolved", 0);
	if (act_queue(c, &s->there, NULL, &op, patch, arena_printf(c->arena, "reopen %s %s", s->t.abbrev, s->there.k.name), NULL,
	    &row, e))
		return -1;
	act_report_queued(c, &s->there, s->entity, &row, "reopened on");
	return 0;
}

static int run_reopen(struct cmd *c, struct err *e)
{
	struct subject s;
	struct batch b = BATCH_INIT;

	if (act_subject(c, c->argv[0], &s, e))
		return -1;
	if (s.t.state == STATE_OPEN)
		return err_set(e, ERR_CONFLICT, "%s is open already", s.t.abbrev);
	if (s.there.s)
		return reopen_there(c, &s, e);
	act_op(&b, OP_REOPEN, s.entity);
	return one_op(c, &s, &b, "reopened on", e);
}

struct undo_values { bool undo; };
static const struct opt accept_opts[] = {
	{ 0, "undo", OPT_FLAG, offsetof(struct undo_values, undo), NULL, "no answer is accepted any more", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};
static const struct opt react_opts[] = {
	{ 0, "undo", OPT_FLAG, offsetof(struct undo_values, undo), NULL, "take the reaction back", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

/* The latest post that is not the asker's own. */
static const struct post *latest_answer(const struct thread *t)
{
	for (unsigned i = t->n_posts; i > 1; i--) {
		const struct post *p = &t->posts[i - 1];
		if (p->body && !person_same(&p->author, &t->author))
			return p;
	}
	return NULL;
}

static int run_accept(struct cmd *c, struct err *e)
{
	struct undo_values *v = c->values;
	struct subject s;
	struct batch b = BATCH_INIT;
	const struct post *answer;
	char op[SHA256_HEX];
	json_t *j;

	if (act_subject(c, c->argv[0], &s, e) || act_native_only(&s, "accepted answers", e))
		return -1;
	answer = s.post ? s.post : latest_answer(&s.t);
	if (!v->undo && !answer)
		return err_set(e, ERR_NOT_FOUND, "%s has no answer from anybody but %s; name the post to accept", s.t.abbrev,
		    person_label(&s.t.author));
	if (!v->undo && s.t.n_posts && !strcmp(answer->id, s.t.posts[0].id))
		return err_set(e, ERR_CONFLICT, "this is what was asked: accept a post that answers it");
	if (!v->undo && !answer->body)
		return err_set(e, ERR_CONFLICT, "post %s was retracted", answer->id);
	if (!v->undo && act_post_op(c, &s, answer, op, e))
		return -1;
	j = act_op(&b, OP_ACCEPT, s.entity);
	json_put_str(j, "post", v->undo ? NULL : op);
	return one_op(c, &s, &b, v->undo ? "has no accepted answer now, on" :
	    arena_printf(c->arena, "has the answer of %s accepted on", person_label(&answer->author)), e);
}

static const char *emoji_named(const char *name)
{
	static const char *const names[][2] = { { "+1", "👍" }, { "-1", "👎" }, { "laugh", "😄" }, { "hooray", "🎉" },
		{ "tada", "🎉" }, { "confused", "😕" }, { "heart", "❤️" }, { "rocket", "🚀" }, { "eyes", "👀" },
		{ "thumbsup", "👍" }, { "thumbsdown", "👎" } };
	size_t n = strlen(name);

	if (n > 2 && name[0] == ':' && name[n - 1] == ':') {
		name++;
		n -= 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i][0]) == n && !memcmp(names[i][0], name, n))
			return names[i][1];
	}
	return NULL;
}

/* One character as people see it, and none that is a letter or invisible. */
static int check_emoji(const char *word, const char **out, struct err *e)
{
	int cells = 0;
	size_t n = strlen(word);

	*out = emoji_named(word);
	if (*out)
		return 0;
	*out = word;
	if (!n || n > 64 || (unsigned char)word[0] < 0x80 || !text_is_clean(word, n, TEXT_PROSE) ||
	    text_cluster(word, n, &cells) != n || cells == 0)
		return err_set(e, ERR_USAGE, "'%s' is no reaction: one emoji, or +1 -1 laugh hooray confused heart rocket eyes",
		    word);
	return 0;
}

static int react_there(struct cmd *c, struct subject *s, const char *emoji, bool undo, struct err *e)
{
	const struct post *p = s->post ? s->post : s->t.n_posts ? &s->t.posts[0] : NULL;
	struct wire_op op = { .verb = undo ? WIRE_UNREACT : WIRE_REACT, .id = act_new_id(c), .value = emoji };
	struct out_row row;
	struct record rec;

	if (!p)
		return err_set(e, ERR_NOT_FOUND, "thread %s has no post", s->t.abbrev);
	if (act_can(c, s->there.s, CAP_REACTIONS, e) || index_post_record(c->work->index, s->t.row, p->id, c->arena, &rec, e))
		return -1;
	op.note = rec.note.key;
	op.task = rec.note.task;
	op.thread = rec.note.thread;
	if (act_queue(c, &s->there, NULL, &op, NULL, arena_printf(c->arena, "%s %s %s", undo ? "unreact" : "react", s->t.abbrev,
	    emoji), NULL, &row, e))
		return -1;
	act_report_queued(c, &s->there, s->entity, &row, undo ? "loses your reaction on" : "gets your reaction on");
	return 0;
}

static int run_react(struct cmd *c, struct err *e)
{
	struct undo_values *v = c->values;
	struct subject s;
	struct batch b = BATCH_INIT;
	const char *emoji;
	char op[SHA256_HEX];
	json_t *j;

	if (check_emoji(c->argv[1], &emoji, e) || act_subject(c, c->argv[0], &s, e))
		return -1;
	if (s.there.s)
		return react_there(c, &s, emoji, v->undo, e);
	if (act_post_op(c, &s, NULL, op, e))
		return -1;
	j = act_op(&b, OP_REACT, s.entity);
	json_put_str(j, "post", op);
	json_put_str(j, "emoji", emoji);
	json_object_set_new(j, "on", json_boolean(!v->undo));
	return one_op(c, &s, &b, v->undo ? "lost your reaction on" : "got your reaction on", e);
}

static int run_move(struct cmd *c, struct err *e)
{
	struct subject s;
	struct batch b = BATCH_INIT;
	struct anchor an;
	json_t *j;

	if (act_subject(c, c->argv[0], &s, e) || act_native_only(&s, "way to move a thread", e) ||
	    act_anchor(c, c->argv[1], &an, e) ||
	    anchor_capture(c->work->repo, &an, c->arena, e))
		return -1;
	j = act_op(&b, OP_MOVE, s.entity);
	json_object_set_new(j, "anchor", anchor_to_op(&an));
	return one_op(c, &s, &b, "moved to", e);
}

#define ACTS (NEED_REPO | NEED_INDEX | NEED_WRITE)
const struct cmd_entry thread_commands[] = {
	{ .name = "show", .args = "ID…", .summary = "show threads with their posts and their code", .opts = show_opts,
		.values = sizeof(struct show_values), .min_args = 1, .max_args = -1,
		.needs = NEED_REPO | NEED_INDEX | NEED_PLACES, .flags = CMD_JSON | CMD_PAGE, .run = run_show,
		.complete = "thread" },
	{ .name = "reply", .args = "ID", .summary = "answer a thread, or a post in it", .min_args = 1, .max_args = 1,
		.needs = ACTS, .flags = CMD_JSON | CMD_POSTS, .run = run_reply, .complete = "thread" },
	{ .name = "edit", .args = "POST", .summary = "change the text of a post of yours", .min_args = 1, .max_args = 1,
		.needs = ACTS, .flags = CMD_JSON | CMD_TEXT, .run = run_edit, .complete = "thread" },
	{ .name = "retract", .args = "POST", .summary = "take a post of yours back", .min_args = 1, .max_args = 1,
		.needs = ACTS, .flags = CMD_JSON, .run = run_retract, .complete = "thread" },
	{ .name = "resolve", .args = "ID", .summary = "say that a thread is settled", .opts = resolve_opts,
		.values = sizeof(struct resolve_values), .min_args = 1, .max_args = 1, .needs = ACTS,
		.flags = CMD_JSON | CMD_TEXT, .run = run_resolve, .complete = "thread" },
	{ .name = "reopen", .args = "ID", .summary = "say that a thread is not settled after all", .min_args = 1, .max_args = 1, .needs = ACTS,
		.flags = CMD_JSON, .run = run_reopen, .complete = "thread" },
	{ .name = "accept", .args = "ID", .summary = "accept a post, or a thread's latest answer", .opts = accept_opts,
		.values = sizeof(struct undo_values), .min_args = 1, .max_args = 1, .needs = ACTS, .flags = CMD_JSON,
		.run = run_accept, .complete = "thread" },
	{ .name = "react", .args = "ID EMOJI", .summary = "react to a post", .opts = react_opts,
		.values = sizeof(struct undo_values), .min_args = 2, .max_args = 2, .needs = ACTS, .flags = CMD_JSON,
		.run = run_react, .complete = "thread emoji" },
	{ .name = "move", .args = "ID ANCHOR", .summary = "put a thread where it belongs now", .min_args = 2, .max_args = 2,
		.needs = ACTS, .flags = CMD_JSON, .run = run_move, .complete = "thread anchor" },
	{ .name = NULL },
};
