/* SPDX-License-Identifier: MIT */
/*
 * From a kept text to the outbox, where the text goes to a tracker: send.c's other half. A verb becomes the tracker's own
 * thing where it has one (a comment, a reply, a remark on a line of a change, a note on a commit); where it has no place
 * for an anchor, a comment on the task that was named, beginning with the permalink and the code it is about, which the
 * web shows and every killick recognises.
 */
#include "config.h"
#include <string.h>
#include "killick/anchor/place.h"
#include "killick/cmd/act.h"
#include "killick/git/history.h"
#include "killick/git/permalink.h"
#include "killick/store/settings.h"
#include "sendto.h"

static const char *first_line(struct cmd *c, const char *text)
{
	struct buf b = BUF_INIT;
	const char *out;

	title_from_body(&b, text ? text : "");
	out = arena_strdup(c->arena, b.ptr);
	buf_release(&b);
	return out;
}

/* A note of ours as it will be there. */
json_t *making_note(struct making *m, enum note_kind kind, const char *thread)
{
	struct record r = { .type = RECORD_NOTE, .note = { .kind = kind, .created = clock_now(), .body = m->op.body } };
	struct err ignored = ERR_INIT;
	struct person me;
	json_t *j = json_object();

	r.note.key = arena_printf(m->c->arena, RECORD_UNSENT "%s", m->op.id);
	r.note.task = m->op.task;
	r.note.thread = thread && *thread ? thread : NULL;
	r.note.anchor = m->op.anchor;
	r.note.private_ = m->op.private_;
	r.note.author = m->t.s->d.me;
	if (!r.note.author.login && !act_me(m->c, &me, &ignored))
		r.note.author = me;
	json_put_str(j, "of", "note");
	json_object_set_new(j, "note", record_json(&r));
	return j;
}

static json_t *patch_of(const char *of, const char *key, const char *task)
{
	json_t *j = json_object();

	json_put_str(j, "of", of);
	json_put_str(j, "key", key);
	if (task)
		json_put_str(j, "task", task);
	return j;
}

void making_set_entity(struct making *m)
{
	record_entity(m->t.s->d.kind, m->t.s->key, RECORD_THREAD, m->t.task, m->t.thread, m->entity);
}

/* For some only, where there is such a thing for what is written. */
static int make_private(struct making *m, bool has, const char *what, struct err *e)
{
	if (m->p->audience != AUDIENCE_PRIVATE)
		return 0;
	if (!has)
		return err_set(e, ERR_REFUSED, "%s has no private %s: without --to it stays with you", m->t.s->d.name, what);
	m->op.private_ = m->t.private_ = true;
	return act_can(m->c, m->t.s, CAP_PRIVATE_NOTES, e);
}

/* ---- replies, edits, resolutions ---- */

static int take_subject(struct making *m, struct err *e)
{
	if (act_subject(m->c, m->p->target, &m->s, e))
		return -1;
	if (!m->s.there.s)
		return err_set(e, ERR_BAD_DATA, "%s is not at a tracker", m->p->target);
	m->t = m->s.there;
	m->seen = m->s.t;
	m->has_seen = true;
	if (str_starts(m->t.thread, RECORD_UNSENT))
		return err_set(e, ERR_CONFLICT, "%s is not sent yet: recall it, or wait", m->s.t.abbrev);
	making_set_entity(m);
	return 0;
}

/* The note that is answered: the one named, else the first that is there. */
static const char *note_key(struct making *m)
{
	struct record rec;
	struct err ignored = ERR_INIT;
	const struct thread *t = &m->s.t;

	if (m->s.post && !index_post_record(m->c->work->index, t->row, m->s.post->id, m->c->arena, &rec, &ignored))
		return rec.note.key;
	for (unsigned i = 0; i < t->n_posts; i++)
		if (!index_post_record(m->c->work->index, t->row, t->posts[i].id, m->c->arena, &rec, &ignored))
			return rec.note.key;
	return NULL;
}

static int thread_record(struct making *m, struct record_thread *out)
{
	struct err ignored = ERR_INIT;
	struct record rec;

	*out = (struct record_thread){ .key = m->t.thread, .resolved = -1 };
	if (index_record(m->c->work->index, m->t.s->row, RECORD_THREAD, m->t.task, m->t.thread, m->c->arena, &rec, &ignored))
		return -1;
	*out = rec.thread;
	return 0;
}

static int reply_op(struct making *m, struct err *e)
{
	struct record_thread th;

	m->op.body = m->p->body;
	m->op.task = *m->t.task ? m->t.task : NULL;
	m->done = "has your reply on";
	if (make_private(m, !*m->t.thread, "replies on code", e))
		return -1;
	if (!*m->t.thread) {
		m->op.verb = WIRE_COMMENT;
		m->patch = making_note(m, NOTE_COMMENT, NULL);
		return act_can(m->c, m->t.s, CAP_COMMENT, e);
	}
	if (!*m->t.task) {
		m->op.verb = WIRE_COMMIT_NOTE;
		m->anchor = m->s.t.anchor;
		m->op.anchor = &m->anchor;
		m->patch = making_note(m, NOTE_COMMIT, m->t.thread);
		return act_can(m->c, m->t.s, CAP_COMMIT_NOTES, e);
	}
	m->op.verb = WIRE_REPLY;
	m->op.thread = m->t.thread;
	m->op.reply_to = note_key(m);
	if (!thread_record(m, &th)) {
		m->op.handle = th.handle;
		if (!th.can_reply && m->t.k.locked)
			return err_set(e, ERR_AUTH, "%s is locked", m->t.k.name);
	}
	m->patch = making_note(m, NOTE_CODE, m->t.thread);
	return act_can(m->c, m->t.s, CAP_REPLY, e);
}

static int make_reply(struct making *m, struct err *e)
{
	return take_subject(m, e) || reply_op(m, e) ? -1 : 0;
}

static int make_edit(struct making *m, struct err *e)
{
	const struct post *post;
	struct record rec;

	if (take_subject(m, e) || act_can(m->c, m->t.s, CAP_EDIT_NOTE, e))
		return -1;
	post = m->s.post ? m->s.post : m->s.t.n_posts ? &m->s.t.posts[0] : NULL;
	if (!post || index_post_record(m->c->work->index, m->s.t.row, post->id, m->c->arena, &rec, e))
		return post ? -1 : err_set(e, ERR_NOT_FOUND, "thread %s has no post", m->s.t.abbrev);
	if (!rec.note.can_edit && !act_moderates(m->t.s, &rec))
		return err_set(e, ERR_AUTH, "%s lets nobody change this, or not you", m->t.s->d.name);
	m->op.verb = WIRE_EDIT_NOTE;
	m->op.note = rec.note.key;
	m->op.task = rec.note.task;
	m->op.thread = rec.note.thread;
	m->op.body = m->p->body;
	m->patch = patch_of("note", rec.note.key, NULL);
	json_put_str(m->patch, "body", m->op.body);
	m->done = "has your edit on";
	return 0;
}

/* Words go before the resolution, as a reply of their own. */
static int resolve_words(struct making *m, const struct record_thread *th, struct err *e)
{
	const char *commit = m->p->extra ? json_get_str(m->p->extra, "commit") : NULL;
	struct making reply = *m;
	struct compose words = *m->p;
	struct out_row row;

	if (commit && !m->p->body)
		words.body = arena_printf(m->c->arena, "Resolved by %s.", commit);
	else if (commit)
		words.body = arena_printf(m->c->arena, "%s\n\nResolved by %s.", m->p->body, commit);
	if (!words.body)
		return 0;
	reply.p = &words;
	reply.op = (struct wire_op){ .id = act_new_id(m->c), .handle = th->handle };
	if (reply_op(&reply, e)) {
		json_decref(reply.patch);
		return -1;
	}
	if (act_queue(m->c, &reply.t, &m->seen, &reply.op, reply.patch, arena_printf(m->c->arena, "reply %s %s  %s", m->s.t.abbrev,
	    m->t.k.name ? m->t.k.name : "", first_line(m->c, words.body)), m->p->draft, &row, e))
		return -1;
	m->p->draft = NULL; /* it went with the reply */
	return 0;
}

static int make_resolve(struct making *m, struct err *e)
{
	struct record_thread th;

	if (take_subject(m, e))
		return -1;
	if (!*m->t.thread)
		return err_set(e, ERR_REFUSED, "%s is the conversation of %s: 'killick task close %s' closes that", m->s.t.abbrev,
		    m->t.k.name, m->t.k.name);
	if (thread_record(m, &th) || th.resolved < 0)
		return err_set(e, ERR_REFUSED, "%s has no resolved state for this thread", m->t.s->d.name);
	if (act_can(m->c, m->t.s, CAP_RESOLVE, e))
		return -1;
	if (!th.can_resolve)
		return err_set(e, ERR_AUTH, "%s does not let you resolve %s", m->t.s->d.name, m->s.t.abbrev);
	if (resolve_words(m, &th, e))
		return -1;
	m->op.verb = WIRE_RESOLVE;
	m->op.task = m->t.task;
	m->op.thread = m->t.thread;
	m->op.handle = th.handle;
	m->patch = patch_of("thread", m->t.thread, m->t.task);
	json_object_set_new(m->patch, "resolved", json_true());
	m->done = "resolved on";
	return 0;
}

/* ---- new threads ---- */

/* The open change of the branch that is checked out, if there is just one. */
static bool change_of_branch(struct making *m, struct record_task *out)
{
	struct query is_open = { .op = Q_TERM, .key = QK_IS, .cmp = QC_EQ, .value = "open" };
	struct query is_change = { .op = Q_TERM, .key = QK_IS, .cmp = QC_EQ, .value = "change" };
	struct query both = { .op = Q_AND, .left = &is_open, .right = &is_change };
	struct task_list l = ARRAY_INIT;
	struct err ignored = ERR_INIT;
	struct buf branch = BUF_INIT;
	struct there t;
	struct oid head;
	int n = 0;

	repo_head(m->c->work->repo, &head, &branch);
	if (branch.len && !index_tasks(m->c->work->index, &m->c->work->scope, &both, 1000, 0, m->c->arena, &l, &ignored))
		for (size_t i = 0; i < l.len; i++)
			if (!act_task_there(m->c, &l.items[i], &t, &ignored) && t.s == m->p->to && t.k.head_ref &&
			    !strcmp(t.k.head_ref, branch.ptr)) {
				*out = t.k;
				n++;
			}
	buf_release(&branch);
	return n == 1;
}

/* The task or change it belongs to: as said, as the anchor says, or the branch's. */
int making_task(struct making *m, struct err *e)
{
	const char *on = m->p->extra ? json_get_str(m->p->extra, "on") : NULL;
	const struct anchor *an = m->p->anchor;
	struct record rec;
	struct task k;
	struct there t;

	m->t = (struct there){ .s = m->p->to, .task = "", .thread = "" };
	if (!on && (an->type == ANCHOR_TASK || an->type == ANCHOR_CHANGE))
		on = an->type == ANCHOR_CHANGE ? arena_printf(m->c->arena, "!%s", an->task) : an->task;
	if (on && !index_record(m->c->work->index, m->t.s->row, RECORD_TASK, NULL, on, m->c->arena, &rec, &(struct err)ERR_INIT)) {
		m->t.k = rec.task; /* by its key, as a draft that was recalled has it */
	} else if (on) {
		if (index_task(m->c->work->index, &m->c->work->scope, on, m->c->arena, &k, e) || act_task_there(m->c, &k, &t, e))
			return -1;
		if (t.s != m->p->to)
			return err_set(e, ERR_USAGE, "%s is not at %s", k.id, m->p->to->d.name);
		m->t.k = t.k;
	} else if (!change_of_branch(m, &m->t.k)) {
		return 0;
	}
	m->t.task = m->t.k.key;
	return 0;
}

enum { CONTEXT = 3, BLOB_MAX = 8 << 20 };

/* As forges take remarks: on changed lines and the three around them. */
static bool lines_in_change(struct work *w, const struct change *ch, uint32_t line, uint32_t end)
{
	struct buf old = BUF_INIT, new_ = BUF_INIT;
	struct arena a = ARENA_INIT;
	struct err ignored = ERR_INIT;
	struct hunk *h;
	size_t n;
	bool in = false;

	if ((!oid_is_zero(&ch->old_id) && repo_blob(w->repo, &ch->old_id, BLOB_MAX, &old, &ignored)) ||
	    repo_blob(w->repo, &ch->new_id, BLOB_MAX, &new_, &ignored) ||
	    repo_hunks(old.ptr, old.len, new_.ptr, new_.len, &a, &h, &n, &ignored))
		n = 0;
	for (size_t i = 0; i < n && !in; i++) {
		uint32_t from = h[i].new_start > CONTEXT ? h[i].new_start - CONTEXT : 1;
		in = line >= from && end < h[i].new_start + (h[i].new_lines ? h[i].new_lines : 1) + CONTEXT;
	}
	buf_release(&old);
	buf_release(&new_);
	arena_release(&a);
	return in;
}

/* Are the lines in the change's diff, so that a remark can stand there? They are where the head has them. */
static bool in_diff(struct making *m, const struct record_task *k)
{
	struct work *w = m->c->work;
	struct err ignored = ERR_INIT;
	struct place place;
	struct place_query q = { .anchor = m->p->anchor, .out = &place };
	struct oid head, base, *bases;
	struct change *list;
	struct placer *pl;
	size_t n, n_bases;
	bool placed;

	if (!k->change || !k->head || !oid_parse(k->head, &head) || !repo_has_object(w->repo, &head))
		return false;
	pl = placer_new(w->repo, NULL);
	placed = !place_batch(pl, &head, &q, 1, m->c->arena, &ignored) &&
		(place.state == PLACE_EXACT || place.state == PLACE_MOVED) && place.path;
	placer_free(pl);
	if (!placed || !k->base || !oid_parse(k->base, &base) || !repo_has_object(w->repo, &base))
		return false;
	if (repo_merge_bases(w->repo, &base, &head, m->c->arena, &bases, &n_bases, &ignored) || !n_bases ||
	    repo_changes(w->repo, &bases[0], &head, CHANGES_RENAMES, m->c->arena, &list, &n, &ignored))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!list[i].new_path || strcmp(list[i].new_path, place.path))
			continue;
		if (m->p->anchor->type == ANCHOR_LINES && !lines_in_change(w, &list[i], place.line, place.end ? place.end : place.line))
			return false;
		m->anchor = *m->p->anchor;
		m->anchor.path = place.path;
		m->anchor.line = place.line;
		m->anchor.end = place.end;
		m->anchor.commit = k->head;
		m->anchor.blob = NULL;
		return true;
	}
	return false;
}

static bool is_code(const struct anchor *an)
{
	return an->type == ANCHOR_LINES || an->type == ANCHOR_FILE;
}

static void add_fence(struct buf *b, const char *code, const char *path)
{
	const char *dot = path ? strrchr(path, '.') : NULL;
	size_t ticks = 3, run = 0;

	for (const char *p = code; *p; p++) {
		run = *p == '`' ? run + 1 : 0;
		ticks = run >= ticks ? run + 1 : ticks;
	}
	buf_addchn(b, '`', ticks);
	if (dot && !strchr(dot, '/') && strlen(dot) < 8)
		buf_addstr(b, dot + 1);
	buf_addf(b, "\n%s%s", code, *code && code[strlen(code) - 1] == '\n' ? "" : "\n");
	buf_addchn(b, '`', ticks);
	buf_addstr(b, "\n\n");
}

/* The permalink and the code, then the words. */
static const char *quoting_body(struct making *m)
{
	const struct anchor *an = m->p->anchor;
	struct buf b = BUF_INIT, text = BUF_INIT;
	const char *out;

	anchor_format(&text, an, ANCHOR_WITH_COMMIT);
	if (!permalink_make(m->c->work->repo, an, &b))
		buf_addf(&b, "`%s`", text.ptr);
	buf_addstr(&b, "\n\n");
	if (an->quote && *an->quote && an->type == ANCHOR_LINES)
		add_fence(&b, an->quote, an->path);
	buf_addstr(&b, m->p->body);
	out = arena_strdup(m->c->arena, b.ptr);
	buf_release(&b);
	buf_release(&text);
	return out;
}

void making_see_talk(struct making *m)
{
	struct query q = { .op = Q_TERM, .key = QK_TASK, .cmp = QC_EQ, .value = m->t.k.name };
	struct thread_find f = { .query = &q, .posts = true };
	struct thread_list l = { .items = NULL };
	struct err ignored = ERR_INIT;

	if (index_threads(m->c->work->index, &m->c->work->scope, &f, m->c->arena, &l, &ignored))
		return;
	for (size_t i = 0; i < l.len && !m->has_seen; i++)
		if (l.items[i].anchor.type == ANCHOR_TASK || l.items[i].anchor.type == ANCHOR_CHANGE) {
			m->seen = l.items[i];
			m->has_seen = true;
		}
}

static int comment_op(struct making *m, const char *body, struct err *e)
{
	m->op.verb = WIRE_COMMENT;
	m->op.task = m->t.task;
	m->op.body = body;
	if (make_private(m, true, "comments", e))
		return -1;
	m->patch = making_note(m, NOTE_COMMENT, NULL);
	m->done = "commented on";
	making_set_entity(m);
	making_see_talk(m);
	return act_can(m->c, m->t.s, CAP_COMMENT, e);
}

static int code_op(struct making *m, struct err *e)
{
	if (make_private(m, false, "remarks on code", e))
		return -1;
	m->op.verb = WIRE_CODE_NOTE;
	m->op.task = m->t.task;
	m->op.anchor = &m->anchor;
	m->op.head = m->t.k.head;
	m->op.base = m->t.k.base;
	m->op.body = m->p->body;
	m->t.thread = arena_printf(m->c->arena, RECORD_UNSENT "%s", m->op.id);
	m->patch = making_note(m, NOTE_CODE, m->t.thread);
	m->done = "remarked on";
	making_set_entity(m);
	return act_can(m->c, m->t.s, m->anchor.type == ANCHOR_FILE ? CAP_FILE_NOTES : CAP_CODE_NOTES, e);
}

static int commit_op(struct making *m, struct err *e)
{
	if (make_private(m, false, "notes on commits", e))
		return -1;
	m->op.verb = WIRE_COMMIT_NOTE;
	m->anchor = *m->p->anchor;
	m->op.anchor = &m->anchor;
	m->op.body = m->p->body;
	m->t.thread = arena_printf(m->c->arena, RECORD_UNSENT "%s", m->op.id);
	m->patch = making_note(m, NOTE_COMMIT, m->t.thread);
	m->done = "noted on";
	making_set_entity(m);
	return act_can(m->c, m->t.s, CAP_COMMIT_NOTES, e);
}

static bool can(struct making *m, enum caps cap)
{
	const char *why;

	return source_can(m->t.s, cap, m->c->arena, &why);
}

static int make_open(struct making *m, struct err *e)
{
	const struct anchor *an = m->p->anchor;

	if (!an)
		return err_set(e, ERR_BAD_DATA, "the draft has lost its anchor");
	if (making_task(m, e))
		return -1;
	if (!*m->t.task && an->type == ANCHOR_COMMIT)
		return commit_op(m, e);
	if (!*m->t.task && an->type == ANCHOR_PROJECT)
		return err_set(e, ERR_USAGE, "%s has no place for talk on the project: 'killick task new' makes a task there",
		    m->t.s->d.name);
	if (!*m->t.task)
		return err_set(e, ERR_USAGE, "%s has no place of its own for this: name the task or change it belongs to with --on, or "
		    "keep it here with --to native", m->t.s->d.name);
	if (an->type == ANCHOR_TASK || an->type == ANCHOR_CHANGE)
		return comment_op(m, m->p->body, e);
	if (is_code(an) && can(m, an->type == ANCHOR_FILE ? CAP_FILE_NOTES : CAP_CODE_NOTES) && in_diff(m, &m->t.k))
		return code_op(m, e);
	return comment_op(m, quoting_body(m), e);
}

/* ---- tasks ---- */

static const char *const *words_of(struct making *m, const char *key, size_t *n)
{
	const json_t *list = m->p->extra ? json_get_arr(m->p->extra, key) : NULL;
	const char **w;

	*n = json_array_size(list);
	w = arena_alloc(m->c->arena, (*n + 1) * sizeof(*w));
	for (size_t i = 0; i < *n; i++)
		w[i] = json_string_value(json_array_get(list, i));
	return w;
}

static int make_task(struct making *m, struct err *e)
{
	m->t = (struct there){ .s = m->p->to, .task = arena_printf(m->c->arena, RECORD_UNSENT "%s", m->op.id), .thread = "" };
	if (make_private(m, true, "tasks", e))
		return -1;
	m->op.verb = WIRE_NEW_TASK;
	m->op.title = m->p->title;
	m->op.body = m->p->body ? m->p->body : "";
	m->op.add = words_of(m, "labels", &m->op.n_add);
	m->op.value = m->p->extra ? json_get_str(m->p->extra, "assign") : NULL;
	if (m->op.value && act_can(m->c, m->t.s, CAP_ASSIGN, e))
		return -1;
	m->done = "queued";
	return act_can(m->c, m->t.s, CAP_NEW_TASK, e);
}

static int make_task_edit(struct making *m, struct err *e)
{
	struct task k;

	if (index_task(m->c->work->index, &m->c->work->scope, m->p->target, m->c->arena, &k, e) ||
	    act_task_there(m->c, &k, &m->t, e))
		return -1;
	m->op.verb = WIRE_EDIT_TASK;
	m->op.task = m->t.task;
	m->op.title = m->p->title;
	m->op.body = m->p->body;
	m->patch = patch_of("task", m->t.task, NULL);
	if (m->op.title)
		json_put_str(m->patch, "title", m->op.title);
	if (m->op.body)
		json_put_str(m->patch, "body", m->op.body);
	m->done = "edited";
	return 0;
}

/* ---- what commits say ---- */

/* The id of the resolution beside the reply's: its last digit is another one. */
static const char *second_id(struct cmd *c, const char *id)
{
	char *out = arena_strdup(c->arena, id);

	out[31] = out[31] == '0' ? '1' : '0';
	return out;
}

static int queue_pushed(struct making *m, const char *words, const char *commit, struct err *e)
{
	struct out_post p = { .s = m->t.s, .op = m->op, .task = m->t.task, .thread = m->t.thread, .seen = &m->seen,
		.was_open = m->t.k.key && m->t.k.state == TASK_OPEN, .patch = m->patch, .pushed = commit,
		.what = arena_printf(m->c->arena, "%s %s %s  by %.7s", words, m->s.t.abbrev, m->t.k.name ? m->t.k.name : "", commit) };
	struct out_row row;
	int rc = outbox_queue(m->c->work, &p, &row, e);

	json_decref(m->patch);
	m->patch = NULL;
	return rc;
}

int act_commit_follows(struct cmd *c, const char *id, const char *body, const char *commit, struct err *e)
{
	const char *const ids[] = { id, second_id(c, id) };
	struct err fault = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		if (outbox_follow(c->work, ids[i], i ? NULL : body, commit, &fault) && fault.code != ERR_NOT_FOUND) {
			*e = fault;
			return -1;
		}
	}
	return 0;
}

int act_commit_says(struct cmd *c, const struct subject *s, const char *id, const char *body, bool resolve,
    const char *commit, struct err *e)
{
	struct compose p = { .body = body };
	struct making m = { .c = c, .p = &p, .s = *s, .t = s->there, .seen = s->t, .has_seen = true, .op = { .id = id } };
	struct record_thread th;
	int rc;

	making_set_entity(&m);
	rc = reply_op(&m, e) || queue_pushed(&m, "reply", commit, e) ? -1 : 0;
	if (rc)
		json_decref(m.patch);
	if (rc || !resolve || !*m.t.thread || thread_record(&m, &th) || th.resolved < 0 || !th.can_resolve || !can(&m, CAP_RESOLVE))
		return rc;
	m.op = (struct wire_op){ .verb = WIRE_RESOLVE, .id = second_id(c, id), .task = m.t.task, .thread = m.t.thread,
		.handle = th.handle };
	m.patch = patch_of("thread", m.t.thread, m.t.task);
	json_object_set_new(m.patch, "resolved", json_true());
	return queue_pushed(&m, "resolve", commit, e);
}

/* ---- all of them ---- */

static const struct { const char *name; int (*make)(struct making *m, struct err *e); const char *words; } makes[] = {
	{ "ask", make_open, "question" }, { "remark", make_open, "remark" }, { "decide", make_open, "decision" },
	{ "note", make_open, "note" }, { "comment", make_open, "comment" }, { "reply", make_reply, "reply" },
	{ "edit", make_edit, "edit" }, { "resolve", make_resolve, "resolve" }, { "task", make_task, "new task" },
	{ "task-edit", make_task_edit, "edit task" },
};

static const char *line_for_lists(struct making *m, const char *words)
{
	const char *text = m->p->title ? m->p->title : m->p->body ? first_line(m->c, m->p->body) : "";
	const char *id = m->s.t.abbrev ? m->s.t.abbrev : "";

	return arena_printf(m->c->arena, "%s%s %s%s%s  %s", m->op.private_ ? "private " : "", words, id,
	    *id && m->t.k.name ? " " : "", m->t.k.name ? m->t.k.name : "", text);
}

const char *making_op(struct making *m, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(makes); i++) {
		if (strcmp(makes[i].name, m->p->verb))
			continue;
		if (!makes[i].make(m, e))
			return makes[i].words;
		json_decref(m->patch);
		m->patch = NULL;
		return NULL;
	}
	err_set(e, ERR_BAD_DATA, "draft %s wants '%s', which this killick does not know", m->p->draft, m->p->verb);
	return NULL;
}

int compose_send_to(struct cmd *c, struct compose *p, struct err *e)
{
	struct making m = { .c = c, .p = p, .op = { .id = act_new_id(c) } };
	struct out_row row;
	const char *words;

	if (!strcmp(p->verb, "submit"))
		return submit_send(c, p, e);
	words = making_op(&m, e);
	if (!words)
		return compose_failed(c, p, e);
	if (act_queue(c, &m.t, m.has_seen ? &m.seen : NULL, &m.op, m.patch, line_for_lists(&m, words), p->draft, &row, e))
		return compose_failed(c, p, e);
	p->draft = NULL; /* it went in the same transaction */
	act_report_queued(c, &m.t, m.entity[0] ? m.entity : NULL, &row, m.done);
	return 0;
}
