/* SPDX-License-Identifier: MIT */
/*
 * Writing to Gitea, and finding out what became of a write. Two dangers shape it. A new review adopts the user's unsent one:
 * it is looked for before each, and stops the write. And a review is not made in one piece: notes are added one by one, then it
 * is submitted; when that breaks in the middle, a pending review with our notes is left, which find takes away again (if all in
 * it is ours), so that sending once more says nothing twice.
 *
 * A mark is the server's time before the first attempt; what is found must be ours, from then on, with the op's hidden mark or
 * else its text and place.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/base/clock.h"
#include "gitea.h"

struct push {
	struct gitea g;
	struct remote *r;
	const struct wire_op *op;
	struct wire_outcome *out;
	struct http_answer a;      /* of the last write */
	bool done;                 /* a step of several has landed */
	json_t *review;            /* owned: whose text the op is about, or NULL */
};

static struct arena *keep(struct push *p)
{
	return remote_keep(p->r);
}

static int landed(struct push *p, const char *key, const char *url)
{
	*p->out = (struct wire_outcome){ .is = WIRE_LANDED, .key = key, .url = url };
	return 0;
}

static int refuse(struct push *p, const char *why)
{
	*p->out = (struct wire_outcome){ .is = WIRE_REFUSED, .code = ERR_REFUSED, .message = why };
	return 1;
}

/* One write; takes the reference to body. 0: p->a has the answer. 1: it failed, and p->out says how. */
static int write_one(struct push *p, const char *method, const char *path, json_t *body)
{
	struct err failed = ERR_INIT;
	bool sent;
	int rc = http_write(p->g.h, method, path, body, &p->a, &sent, &failed);

	json_decref(body);
	if (!rc) {
		p->done = true;
		return 0;
	}
	remote_outcome(p->r, sent || p->done, &failed, p->out);
	return 1;
}

static json_t *body_of(struct push *p, const struct wire_op *op)
{
	struct buf b = BUF_INIT;
	json_t *j = json_object();

	remote_body(p->r, op, &b);
	json_put_str(j, "body", b.ptr);
	buf_release(&b);
	return j;
}

static const char *answer_key(struct push *p)
{
	return field_key(keep(p), p->a.json, "id");
}

static const char *task_web(struct push *p, const char *kind)
{
	return arena_printf(keep(p), "%s/%s/%s", p->g.web, kind, p->op->task);
}

/* ---- what must be known before ---- */

static int talk_load(struct push *p, const char *task, struct gitea_talk *t, struct err *e)
{
	uint64_t n;

	*t = (struct gitea_talk){ 0 };
	if (!gitea_digits(task, e))
		return -1;
	str_to_u64(task, INT64_MAX, &n);
	t->number = (int64_t)n;
	if (gitea_talks_load(&p->g, t, 1, e))
		return -1;
	return t->pull ? 0 : err_set(e, ERR_NOT_FOUND, "there is no change %s", task);
}

static const json_t *pending_of(const struct gitea_talk *t)
{
	for (size_t i = 0; i < t->reviews.len; i++)
		if (field_is(t->reviews.items[i], "state", "PENDING"))
			return t->reviews.items[i];
	return NULL;
}

/* Gitea would publish what the user keeps back over there. ERR_CONFLICT: there is such a review. */
static int check_pending(struct gitea *g, const char *task, struct err *e)
{
	int64_t seen = 0, total = 1;

	for (int64_t page = 1; seen < total; page++) {
		struct http_answer a;
		bool found = false;
		size_t n;
		if (http_get(g->h, &a, e, "%s/pulls/%s/reviews?page=%lld&limit=50", g->repo, task, (long long)page))
			return -1;
		n = json_array_size(a.json);
		for (size_t i = 0; i < n; i++) {
			const json_t *j = json_array_get(a.json, i);
			found = found || (field_is(j, "state", "PENDING") && gitea_is_me(g, json_get_obj(j, "user")));
		}
		seen += (int64_t)n;
		total = !n ? 0 : a.total < 0 ? seen + 1 : a.total;
		http_answer_release(&a);
		if (found)
			return err_set(e, ERR_CONFLICT, "you have an unsent review on this change at %s/pulls/%s, which would be published along: "
				       "send it or drop it there first", g->web, task);
	}
	return 0;
}

/* 1: there is one, and p->out says so. */
static int stop_for_pending(struct push *p, struct err *e)
{
	struct err why = ERR_INIT;

	if (!check_pending(&p->g, p->op->task, &why))
		return 0;
	if (why.code == ERR_CONFLICT)
		return refuse(p, arena_strdup(keep(p), why.msg));
	*e = why;
	return -1;
}

static int know_me(struct gitea *g, struct err *e)
{
	struct http_answer a;

	if (g->me)
		return 0;
	if (http_get(g->h, &a, e, "user"))
		return -1;
	g->me = arena_strdup(remote_keep(g->r), json_get_str(a.json, "login"));
	http_answer_release(&a);
	return g->me ? 0 : err_set(e, ERR_BAD_DATA, "the server does not say who we are");
}

/* ---- talk ---- */

static int do_comment(struct push *p, struct err *e)
{
	json_t *list;
	const char *key;

	if (!gitea_digits(p->op->task, e))
		return -1;
	if (write_one(p, "POST", arena_printf(keep(p), "%s/issues/%s/comments", p->g.repo, p->op->task), body_of(p, p->op)))
		return 0;
	key = answer_key(p);
	list = json_array();
	json_array_append(list, p->a.owned);
	gitea_emit_comments(&p->g, list, NULL);
	json_decref(list);
	return landed(p, key, key ? arena_printf(keep(p), "%s#issuecomment-%s", task_web(p, "issues"), key) : NULL);
}

static json_t *placed(struct push *p, const struct wire_op *op, const char *path, enum anchor_side side, int64_t line)
{
	json_t *j = body_of(p, op);

	json_put_str(j, "path", path);
	json_put_int(j, "new_position", side == SIDE_NEW ? line : 0);
	json_put_int(j, "old_position", side == SIDE_OLD ? line : 0);
	return j;
}

/* A note of a review as Gitea wants it; replies stand on their thread's line. NULL: e is set. */
static json_t *review_note(struct push *p, const struct wire_op *op, const struct gitea_talk *t, struct err *e)
{
	const struct gitea_note *root;

	if (op->verb == WIRE_REPLY) {
		root = gitea_talk_root(t, op->thread, op->reply_to);
		if (root)
			return placed(p, op, root->path, root->side, root->line);
		err_set(e, ERR_NOT_FOUND, "the thread that was to be answered is not there any more");
	} else if (!op->anchor || op->anchor->type != ANCHOR_LINES || !op->anchor->path) {
		err_set(e, ERR_REFUSED, "Gitea takes notes on lines only");
	} else {
		return placed(p, op, op->anchor->path, op->anchor->side, op->anchor->end ? op->anchor->end : op->anchor->line);
	}
	return NULL;
}

/* The note that a review was made for: its answer names the review only. */
static const char *note_in_review(struct push *p, const char *review, const struct wire_op *op)
{
	struct http_answer a;
	const char *key = NULL;

	if (http_get(p->g.h, &a, NULL, "%s/pulls/%s/reviews/%s/comments", p->g.repo, p->op->task, review))
		return NULL;
	for (size_t i = 0; i < json_array_size(a.json); i++) {
		const json_t *j = json_array_get(a.json, i);
		if (gitea_is_me(&p->g, json_get_obj(j, "user")) && remote_body_is(field_text(keep(p), j, "body"), op))
			key = field_key(keep(p), j, "id");
	}
	http_answer_release(&a);
	return key;
}

static json_t *review_json(const char *event, const char *commit)
{
	json_t *j = json_object();

	json_put_str(j, "event", event);
	if (commit)
		json_put_str(j, "commit_id", commit);
	json_object_set_new(j, "comments", json_array());
	return j;
}

/* A review of one note. */
static int note_by_review(struct push *p, const struct gitea_talk *t, struct err *e)
{
	const struct wire_op *op = p->op;
	json_t *j, *note;
	const char *review, *key;
	int rc = stop_for_pending(p, e);

	if (rc)
		return rc < 0 ? -1 : 0;
	note = review_note(p, op, t, e);
	if (!note)
		return -1;
	j = review_json("COMMENT", op->verb == WIRE_CODE_NOTE ? (op->anchor->commit ? op->anchor->commit : op->head) : op->head);
	json_array_append_new(json_get_arr(j, "comments"), note);
	if (write_one(p, "POST", arena_printf(keep(p), "%s/pulls/%s/reviews", p->g.repo, op->task), j))
		return 0;
	review = answer_key(p);
	key = review ? note_in_review(p, review, op) : NULL;
	return landed(p, key, key ? arena_printf(keep(p), "%s#issuecomment-%s", task_web(p, "pulls"), key) : NULL);
}

static int do_code_note(struct push *p, struct err *e)
{
	return !gitea_digits(p->op->task, e) || know_me(&p->g, e) ? -1 : note_by_review(p, NULL, e);
}

static int version_of(struct push *p, struct gitea_version *v, struct err *e)
{
	struct http_answer a;

	if (http_get(p->g.h, &a, e, "version"))
		return -1;
	*v = gitea_version_parse(json_get_str(a.json, "version"));
	http_answer_release(&a);
	return 0;
}

static int reply_landed(struct push *p)
{
	const char *key = answer_key(p);

	return landed(p, key, key ? arena_printf(keep(p), "%s#issuecomment-%s", task_web(p, "pulls"), key) : NULL);
}

static int reply_to(struct push *p, const struct gitea_talk *t, const struct gitea_note *root, struct err *e)
{
	long long review = (long long)json_get_int(t->reviews.items[root->review], "id", 0);
	struct gitea_version v;

	if (version_of(p, &v, e))
		return -1;
	if (gitea_at_least(&v, 1, 27))
		return write_one(p, "POST", arena_printf(keep(p), "%s/pulls/%s/comments/%lld/replies", p->g.repo, p->op->task,
				 (long long)root->id), body_of(p, p->op)) ? 0 : reply_landed(p);
	if (!v.forgejo)
		return note_by_review(p, t, e);
	if (!write_one(p, "POST", arena_printf(keep(p), "%s/pulls/%s/reviews/%lld/comments", p->g.repo, p->op->task, review),
	    placed(p, p->op, root->path, root->side, root->line)))
		return reply_landed(p);
	/* Forgejo before 8 has no such request. */
	return p->out->is == WIRE_REFUSED && p->out->code == ERR_NOT_FOUND ? note_by_review(p, t, e) : 0;
}

static int do_reply(struct push *p, struct err *e)
{
	const struct gitea_note *root;
	struct gitea_talk t = { 0 };
	int rc = -1;

	if (know_me(&p->g, e) || talk_load(p, p->op->task, &t, e))
		goto out;
	root = gitea_talk_root(&t, p->op->thread, p->op->reply_to);
	rc = root ? reply_to(p, &t, root, e) : err_set(e, ERR_NOT_FOUND, "the thread is not there any more");
out:
	gitea_talk_release(&t);
	return rc;
}

static bool has_replies(const struct wire_op *op)
{
	for (size_t i = 0; i < op->n_notes; i++)
		if (op->notes[i].verb == WIRE_REPLY)
			return true;
	return false;
}

static bool is_blank(const char *s)
{
	return !s || !s[strspn(s, " \t\r\n")];
}

static int review_body(struct push *p, json_t *j, const char *event)
{
	const struct wire_op *op = p->op;
	struct buf b = BUF_INIT;

	if (!is_blank(op->body))
		remote_body(p->r, op, &b);
	json_put_str(j, "body", b.ptr);
	buf_release(&b);
	if (is_blank(op->body) && !strcmp(event, "REQUEST_CHANGES"))
		return refuse(p, "Gitea wants a text with a review that requests changes");
	return is_blank(op->body) && !op->n_notes && strcmp(event, "APPROVED") ? refuse(p, "the review says nothing") : 0;
}

static int review_send(struct push *p, const struct gitea_talk *t, const char *event, struct err *e)
{
	const struct wire_op *op = p->op;
	json_t *j = review_json(event, op->head), *note;
	const char *key;

	if (review_body(p, j, event)) {
		json_decref(j);
		return 0;
	}
	for (size_t i = 0; i < op->n_notes; i++) {
		note = review_note(p, &op->notes[i], t, e);
		if (!note) {
			json_decref(j);
			return -1;
		}
		json_array_append_new(json_get_arr(j, "comments"), note);
	}
	if (write_one(p, "POST", arena_printf(keep(p), "%s/pulls/%s/reviews", p->g.repo, op->task), j))
		return 0;
	key = answer_key(p);
	return landed(p, key ? arena_printf(keep(p), "v%s", key) : NULL, task_web(p, "pulls"));
}

static const char *event_of(const char *verdict)
{
	if (verdict && !strcmp(verdict, "approve"))
		return "APPROVED";
	return verdict && !strcmp(verdict, "request-changes") ? "REQUEST_CHANGES" : "COMMENT";
}

static int do_review(struct push *p, struct err *e)
{
	struct gitea_talk t = { 0 };
	int rc = -1;

	if (!gitea_digits(p->op->task, e) || know_me(&p->g, e) || (has_replies(p->op) && talk_load(p, p->op->task, &t, e)))
		goto out;
	rc = stop_for_pending(p, e);
	rc = rc ? (rc < 0 ? -1 : 0) : review_send(p, &t, event_of(p->op->verdict), e);
out:
	gitea_talk_release(&t);
	return rc;
}

/* ---- notes that are there ---- */

/* The row behind a note's key: a review's text is one too, which only its address names. NULL: e is set. */
static const char *note_row(struct push *p, struct err *e)
{
	const char *key = p->op->note;
	struct http_answer a;
	int64_t n;

	if (!key || *key != 'v')
		return gitea_digits(key, e);
	if (!gitea_digits(key + 1, e) || !gitea_digits(p->op->task, e) ||
	    http_get(p->g.h, &a, e, "%s/pulls/%s/reviews/%s", p->g.repo, p->op->task, key + 1))
		return NULL;
	n = gitea_review_row(a.json);
	json_decref(p->review);
	p->review = json_incref(a.owned);
	http_answer_release(&a);
	if (n > 0)
		return arena_printf(keep(p), "%lld", (long long)n);
	err_set(e, ERR_REFUSED, "the text of this review cannot be changed here");
	return NULL;
}

static int do_edit_note(struct push *p, struct err *e)
{
	const char *row = note_row(p, e);
	json_t *list;

	if (!row)
		return -1;
	if (write_one(p, "PATCH", arena_printf(keep(p), "%s/issues/comments/%s", p->g.repo, row), body_of(p, p->op)))
		return 0;
	if (p->a.status == 204)
		return refuse(p, "this note has no text of its own"), 0;
	if (p->review) {
		gitea_emit_review(&p->g, p->op->task, p->review, p->a.json, NULL, 0, false, NULL);
	} else if (!p->op->thread) {
		list = json_array();
		json_array_append(list, p->a.owned);
		gitea_emit_comments(&p->g, list, NULL);
		json_decref(list);
	}
	return landed(p, p->op->note, NULL);
}

static int do_delete_note(struct push *p, struct err *e)
{
	struct record rec = { .type = RECORD_GONE, .gone = { .of = RECORD_NOTE, .key = p->op->note, .task = p->op->task, .why = "deleted" } };

	if (!gitea_digits(p->op->note, e))
		return -1;
	if (write_one(p, "DELETE", arena_printf(keep(p), "%s/issues/comments/%s", p->g.repo, p->op->note), NULL) &&
	    p->out->code != ERR_NOT_FOUND)
		return 0;
	remote_emit(p->r, &rec, NULL);
	return landed(p, p->op->note, NULL);
}

static int do_resolve(struct push *p, struct err *e)
{
	bool on = p->op->verb == WIRE_RESOLVE;
	const struct source_desc *s = remote_source(p->r);
	struct record rec = { .type = RECORD_THREAD, .thread = { .key = p->op->thread, .task = p->op->task, .handle = p->op->handle,
		.resolved = on, .can_resolve = true, .can_reply = p->g.caps & CAP_REPLY } };

	if (!gitea_digits(p->op->handle, e))
		return -1;
	if (write_one(p, "POST", arena_printf(keep(p), "%s/pulls/comments/%s/%s", p->g.repo, p->op->handle, on ? "resolve" : "unresolve"),
	    NULL))
		return 0;
	if (on)
		rec.thread.by = s->me;
	if (p->op->thread)
		remote_emit(p->r, &rec, NULL);
	return landed(p, NULL, NULL);
}

static const char *reaction_path(struct push *p, struct err *e)
{
	const char *row;

	if (!p->op->note)
		return gitea_digits(p->op->task, e) ? arena_printf(keep(p), "%s/issues/%s/reactions", p->g.repo, p->op->task) : NULL;
	row = note_row(p, e);
	return row ? arena_printf(keep(p), "%s/issues/comments/%s/reactions", p->g.repo, row) : NULL;
}

static int do_react(struct push *p, struct err *e)
{
	const char *path = reaction_path(p, e);
	json_t *j;

	if (!path)
		return -1;
	j = json_object();
	json_put_str(j, "content", reaction_word(p->op->value ? p->op->value : ""));
	return write_one(p, p->op->verb == WIRE_REACT ? "POST" : "DELETE", path, j) ? 0 : landed(p, NULL, NULL);
}

/* ---- tasks ---- */

/* Ids of label names, of the project and its organisation. 1: one is not there, p->out names it. */
static int add_label_ids(struct push *p, const char *path, const char *const *names, size_t n, json_t **ids, struct err *e)
{
	int64_t seen = 0, total = 1;

	for (int64_t page = 1; seen < total; page++) {
		struct http_answer a;
		size_t got;
		if (http_get(p->g.h, &a, e, "%s?page=%lld&limit=50", path, (long long)page))
			return -1;
		got = json_array_size(a.json);
		for (size_t i = 0; i < got; i++)
			for (size_t k = 0; k < n; k++) {
				const json_t *j = json_array_get(a.json, i);
				if (!ids[k] && field_is(j, "name", names[k]))
					ids[k] = json_incref(json_object_get(j, "id"));
			}
		seen += (int64_t)got;
		total = !got ? 0 : a.total < 0 ? seen + 1 : a.total;
		http_answer_release(&a);
	}
	return 0;
}

static int label_ids(struct push *p, const char *const *names, size_t n, json_t **out, struct err *e)
{
	json_t **ids = arena_alloc(keep(p), (n + 1) * sizeof(*ids));
	const char *owner = arena_memdup(keep(p), p->g.repo + strlen("repos/"), strcspn(p->g.repo + strlen("repos/"), "/"));
	const char *missing = NULL;
	struct err org = ERR_INIT;

	*out = NULL;
	if (n && add_label_ids(p, arena_printf(keep(p), "%s/labels", p->g.repo), names, n, ids, e))
		return -1;
	for (size_t k = 0; k < n; k++)
		missing = ids[k] ? missing : names[k];
	if (missing)
		add_label_ids(p, arena_printf(keep(p), "orgs/%s/labels", owner), names, n, ids, &org);
	*out = json_array();
	for (size_t k = 0; k < n; k++) {
		if (ids[k])
			json_array_append_new(*out, ids[k]);
		else
			missing = names[k];
	}
	if (json_array_size(*out) == n)
		return 0;
	json_decref(*out);
	*out = NULL;
	return refuse(p, arena_printf(keep(p), "there is no label '%s' in this project", missing));
}

static int task_landed(struct push *p)
{
	const char *key = field_key(keep(p), p->a.json, "number");

	gitea_emit_task(&p->g, p->a.json, NULL, NULL);
	return landed(p, key, key ? arena_printf(keep(p), "%s/issues/%s", p->g.web, key) : NULL);
}

static int do_new_task(struct push *p, struct err *e)
{
	const struct wire_op *op = p->op;
	json_t *j, *ids;
	int rc = label_ids(p, op->add, op->n_add, &ids, e);

	if (rc)
		return rc < 0 ? -1 : 0;
	j = body_of(p, op);
	json_put_str(j, "title", op->title ? op->title : "");
	json_object_set_new(j, "labels", ids);
	if (op->value && *op->value)
		json_object_set_new(j, "assignees", json_pack("[s]", op->value));
	return write_one(p, "POST", arena_printf(keep(p), "%s/issues", p->g.repo), j) ? 0 : task_landed(p);
}

/* A change's records need its head, which this answer lacks: the next pull has them. */
static int patch_task(struct push *p, json_t *j, struct err *e)
{
	if (!gitea_digits(p->op->task, e)) {
		json_decref(j);
		return -1;
	}
	if (write_one(p, "PATCH", arena_printf(keep(p), "%s/issues/%s", p->g.repo, p->op->task), j))
		return 0;
	if (!json_get_obj(p->a.json, "pull_request"))
		gitea_emit_task(&p->g, p->a.json, NULL, NULL);
	return landed(p, p->op->task, NULL);
}

static int do_edit_task(struct push *p, struct err *e)
{
	json_t *j = p->op->body ? body_of(p, p->op) : json_object();

	if (p->op->title)
		json_put_str(j, "title", p->op->title);
	return patch_task(p, j, e);
}

static int do_state(struct push *p, struct err *e)
{
	json_t *j = json_object();

	json_put_str(j, "state", p->op->verb == WIRE_CLOSE ? "closed" : "open");
	return patch_task(p, j, e);
}

static int do_label(struct push *p, struct err *e)
{
	const struct wire_op *op = p->op;
	json_t *drop = NULL, *add = NULL;
	int rc = -1;

	if (!gitea_digits(op->task, e))
		return -1;
	rc = label_ids(p, op->drop, op->n_drop, &drop, e);
	if (!rc)
		rc = label_ids(p, op->add, op->n_add, &add, e);
	for (size_t i = 0; !rc && i < json_array_size(drop); i++) {
		rc = write_one(p, "DELETE", arena_printf(keep(p), "%s/issues/%s/labels/%lld", p->g.repo, op->task,
			       (long long)json_integer_value(json_array_get(drop, i))), NULL);
		http_answer_release(&p->a);
	}
	if (!rc && op->n_add)
		rc = write_one(p, "POST", arena_printf(keep(p), "%s/issues/%s/labels", p->g.repo, op->task),
			       json_pack("{sO}", "labels", add));
	json_decref(drop);
	json_decref(add);
	return rc < 0 ? -1 : rc > 0 ? 0 : landed(p, op->task, NULL);
}

static bool in_words(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], s))
			return true;
	return false;
}

/* Assignees are set as a whole: the others are read just before. */
static int do_assign(struct push *p, struct err *e)
{
	const struct wire_op *op = p->op;
	json_t *who, *j;
	const json_t *now;
	struct http_answer a;

	if (!gitea_digits(op->task, e) || http_get(p->g.h, &a, e, "%s/issues/%s", p->g.repo, op->task))
		return -1;
	who = json_array();
	now = json_get_arr(a.json, "assignees");
	for (size_t i = 0; i < json_array_size(now); i++) {
		const char *login = field_str(json_array_get(now, i), "login");
		if (login && !in_words(login, op->drop, op->n_drop) && !in_words(login, op->add, op->n_add))
			json_array_append_new(who, json_string(login));
	}
	for (size_t i = 0; i < op->n_add; i++)
		json_array_append_new(who, json_str_or_null(op->add[i]));
	http_answer_release(&a);
	j = json_object();
	json_object_set_new(j, "assignees", who);
	return patch_task(p, j, e);
}

static int do_milestone(struct push *p, struct err *e)
{
	struct http_answer a;
	int64_t id = 0;
	json_t *j;

	if (p->op->value) {
		if (http_get(p->g.h, &a, e, "%s/milestones?state=all&name=%s", p->g.repo, http_escaped(keep(p), p->op->value)))
			return -1;
		for (size_t i = 0; i < json_array_size(a.json); i++)
			if (field_is(json_array_get(a.json, i), "title", p->op->value))
				id = json_get_int(json_array_get(a.json, i), "id", 0);
		http_answer_release(&a);
		if (!id)
			return refuse(p, arena_printf(keep(p), "there is no milestone '%s' in this project", p->op->value)), 0;
	}
	j = json_object();
	json_put_int(j, "milestone", id);
	return patch_task(p, j, e);
}

static int (*const pushes[WIRE_VERBS])(struct push *p, struct err *e) = {
	[WIRE_COMMENT] = do_comment, [WIRE_REPLY] = do_reply, [WIRE_CODE_NOTE] = do_code_note, [WIRE_EDIT_NOTE] = do_edit_note,
	[WIRE_DELETE_NOTE] = do_delete_note, [WIRE_RESOLVE] = do_resolve, [WIRE_REOPEN_THREAD] = do_resolve, [WIRE_REACT] = do_react,
	[WIRE_UNREACT] = do_react, [WIRE_NEW_TASK] = do_new_task, [WIRE_EDIT_TASK] = do_edit_task, [WIRE_CLOSE] = do_state,
	[WIRE_REOPEN] = do_state, [WIRE_LABEL] = do_label, [WIRE_ASSIGN] = do_assign, [WIRE_MILESTONE] = do_milestone,
	[WIRE_REVIEW] = do_review,
};

int gitea_push(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e)
{
	struct push p = { .r = r, .op = op, .out = out };
	int rc;

	if (gitea_init(&p.g, r, e))
		return -1;
	if (!pushes[op->verb])
		return err_set(e, ERR_REFUSED, "Gitea has no way to do this");
	rc = pushes[op->verb](&p, e);
	http_answer_release(&p.a);
	json_decref(p.review);
	return rc;
}

/* ---- finding ---- */

int gitea_mark(struct remote *r, const struct wire_op *op, const char **mark, struct err *e)
{
	struct gitea g;
	struct http_answer a;
	char t[TIME_RFC3339_SIZE];
	bool task = op->task && op->verb != WIRE_NEW_TASK, review = op->verb == WIRE_REVIEW || op->verb == WIRE_CODE_NOTE;

	if (gitea_init(&g, r, e) || (task && !gitea_digits(op->task, e)))
		return -1;
	if (http_get(g.h, &a, e, "%s%s%s", g.repo, task ? "/issues/" : "", task ? op->task : ""))
		return -1;
	*mark = arena_strdup(remote_keep(r), time_rfc3339(t, a.date ? a.date : clock_now()));
	http_answer_release(&a);
	return review && (know_me(&g, e) || check_pending(&g, op->task, e)) ? -1 : 0;
}

/* Ours, not older than the mark. */
static bool is_candidate(struct push *p, const json_t *j, const char *time)
{
	int64_t mark = 0;

	return gitea_is_me(&p->g, json_get_obj(j, "user")) &&
		(!p->op->mark || !time_parse(p->op->mark, &mark) || field_time(j, time) >= mark - mark % 1000);
}

static int find_comment(struct push *p, struct err *e)
{
	int64_t mark = 0;
	struct http_answer a;
	const char *key = NULL;
	char t[TIME_RFC3339_SIZE];

	if (!gitea_digits(p->op->task, e) || know_me(&p->g, e))
		return -1;
	if (p->op->mark)
		time_parse(p->op->mark, &mark);
	if (http_get(p->g.h, &a, e, "%s/issues/%s/comments?since=%s", p->g.repo, p->op->task,
	    time_rfc3339(t, mark > 120000 ? mark - 120000 : 0)))
		return -1;
	for (size_t i = 0; !key && i < json_array_size(a.json); i++) {
		const json_t *j = json_array_get(a.json, i);
		if (is_candidate(p, j, "created_at") && remote_body_is(field_text(keep(p), j, "body"), p->op))
			key = field_key(keep(p), j, "id");
	}
	http_answer_release(&a);
	return key ? landed(p, key, NULL) : 0;
}

/* The op itself or one of its notes. */
static bool is_of_op(struct push *p, const json_t *j)
{
	const char *body = field_text(keep(p), j, "body");

	if (remote_body_is(body, p->op))
		return true;
	for (size_t i = 0; i < p->op->n_notes; i++)
		if (remote_body_is(body, &p->op->notes[i]))
			return true;
	return false;
}

/* A review that broke in the middle left our notes behind, unsent. Only if they are all ours they go. */
static int clear_pending(struct push *p, struct gitea_talk *t, struct err *e)
{
	const json_t *pending = pending_of(t);
	size_t ours = 0, others = 0;
	bool body = pending && !is_blank(json_get_str(pending, "body"));
	struct http_answer a;
	bool sent;
	int rc;

	if (!pending)
		return 0;
	for (size_t i = 0; i < t->notes.len; i++)
		if (t->reviews.items[t->notes.items[i].review] == pending)
			is_of_op(p, t->notes.items[i].json) ? ours++ : others++;
	if (!ours && !(body && remote_body_is(field_text(keep(p), pending, "body"), p->op)))
		return 0;
	if (others || (body && !remote_body_is(field_text(keep(p), pending, "body"), p->op)))
		return err_set(e, ERR_CONFLICT, "your unsent review at %s has notes of your own beside ours: send it or drop it there",
			       task_web(p, "pulls"));
	rc = http_write(p->g.h, "DELETE", arena_printf(keep(p), "%s/pulls/%s/reviews/%s", p->g.repo, p->op->task,
			field_key(keep(p), pending, "id")), NULL, &a, &sent, e);
	http_answer_release(&a);
	return rc;
}

static bool same_place(const struct wire_op *op, const struct gitea_note *n)
{
	const struct anchor *an = op->anchor;

	if (op->verb != WIRE_CODE_NOTE || !an)
		return true;
	return an->path && !strcmp(an->path, n->path) && an->side == n->side && (int64_t)(an->end ? an->end : an->line) == n->line;
}

static int find_code(struct push *p, struct err *e)
{
	struct gitea_talk t = { 0 };
	const char *key = NULL;
	int rc = -1;

	if (know_me(&p->g, e) || talk_load(p, p->op->task, &t, e))
		goto out;
	for (size_t i = 0; !key && i < t.notes.len; i++) {
		const struct gitea_note *n = &t.notes.items[i];
		if (!field_is(t.reviews.items[n->review], "state", "PENDING") && is_candidate(p, n->json, "created_at") &&
		    same_place(p->op, n) && remote_body_is(field_text(keep(p), n->json, "body"), p->op))
			key = field_key(keep(p), n->json, "id");
	}
	rc = key ? landed(p, key, NULL) : clear_pending(p, &t, e);
out:
	gitea_talk_release(&t);
	return rc;
}

/* By its text; one without a text by its notes; one without either by verdict and number of notes. */
static bool review_is(struct push *p, const struct gitea_talk *t, size_t review)
{
	const json_t *j = t->reviews.items[review];
	size_t notes = 0;

	if (!field_is(j, "state", event_of(p->op->verdict)) || !is_candidate(p, j, "submitted_at"))
		return false;
	if (!is_blank(p->op->body))
		return remote_body_is(field_text(keep(p), j, "body"), p->op);
	for (size_t i = 0; i < t->notes.len; i++)
		if (t->notes.items[i].review == review && is_of_op(p, t->notes.items[i].json))
			notes++;
	return is_blank(json_get_str(j, "body")) && notes == p->op->n_notes;
}

static int find_review(struct push *p, struct err *e)
{
	struct gitea_talk t = { 0 };
	const char *key = NULL;
	int rc = -1;

	if (know_me(&p->g, e) || talk_load(p, p->op->task, &t, e))
		goto out;
	for (size_t i = 0; !key && i < t.reviews.len; i++)
		if (review_is(p, &t, i))
			key = arena_printf(keep(p), "v%s", field_key(keep(p), t.reviews.items[i], "id"));
	rc = key ? landed(p, key, NULL) : clear_pending(p, &t, e);
out:
	gitea_talk_release(&t);
	return rc;
}

static int find_task(struct push *p, struct err *e)
{
	struct http_answer a;
	const char *key = NULL;
	size_t got = 1;

	if (know_me(&p->g, e))
		return -1;
	for (int64_t page = 1; !key && got && page < 10; page++) {
		if (http_get(p->g.h, &a, e, "%s/issues?state=all&type=issues&page=%lld&limit=50", p->g.repo, (long long)page))
			return -1;
		got = json_array_size(a.json);
		for (size_t i = 0; !key && i < got; i++) {
			const json_t *j = json_array_get(a.json, i);
			if (is_candidate(p, j, "created_at") && p->op->title && field_is(j, "title", p->op->title) &&
			    remote_body_is(field_text(keep(p), j, "body"), p->op))
				key = field_key(keep(p), j, "number");
		}
		/* newest first: behind one that is older than the mark there is nothing */
		if (got && field_time(json_array_get(a.json, got - 1), "created_at") && p->op->mark) {
			int64_t mark;
			if (time_parse(p->op->mark, &mark) && field_time(json_array_get(a.json, got - 1), "created_at") < mark - 60000)
				got = 0;
		}
		http_answer_release(&a);
	}
	return key ? landed(p, key, NULL) : 0;
}

/* ---- what is as it should be has landed ---- */

static bool same_text(struct push *p, const json_t *j, const char *want)
{
	struct wire_op op = *p->op;

	op.body = want;
	return remote_body_is(field_text(keep(p), j, "body"), &op);
}

static bool has_name(const json_t *list, const char *field, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (field_is(json_array_get(list, i), field, name))
			return true;
	return false;
}

static bool has_all(const json_t *list, const char *field, const struct wire_op *op)
{
	for (size_t i = 0; i < op->n_add; i++)
		if (!has_name(list, field, op->add[i]))
			return false;
	for (size_t i = 0; i < op->n_drop; i++)
		if (has_name(list, field, op->drop[i]))
			return false;
	return true;
}

static bool task_is(struct push *p, const json_t *j)
{
	const struct wire_op *op = p->op;
	const json_t *milestone = json_get_obj(j, "milestone");

	switch (op->verb) {
	case WIRE_CLOSE:
	case WIRE_REOPEN:
		return field_is(j, "state", op->verb == WIRE_CLOSE ? "closed" : "open");
	case WIRE_LABEL:
		return has_all(json_get_arr(j, "labels"), "name", op);
	case WIRE_ASSIGN:
		return has_all(json_get_arr(j, "assignees"), "login", op);
	case WIRE_MILESTONE:
		return op->value ? field_is(milestone, "title", op->value) : !field_str(milestone, "title");
	default:
		return (!op->title || field_is(j, "title", op->title)) && (!op->body || same_text(p, j, op->body));
	}
}

static int find_state(struct push *p, struct err *e)
{
	struct http_answer a;
	bool yes;

	if (!gitea_digits(p->op->task, e) || http_get(p->g.h, &a, e, "%s/issues/%s", p->g.repo, p->op->task))
		return -1;
	yes = task_is(p, a.json);
	http_answer_release(&a);
	return yes ? landed(p, p->op->task, NULL) : 0;
}

/* An edit, a deletion: of a plain note by itself, of one on code by the change's talk. */
static int find_edit(struct push *p, struct err *e)
{
	bool gone = p->op->verb == WIRE_DELETE_NOTE, there = false, same = false;
	const struct gitea_note *n = NULL;
	struct gitea_talk t = { 0 };
	struct err no = ERR_INIT;
	struct http_answer a;
	int rc = -1;

	if (p->op->thread || (p->op->note && *p->op->note == 'v')) {
		if (know_me(&p->g, e) || talk_load(p, p->op->task, &t, e))
			goto out;
		for (size_t i = 0; i < t.notes.len; i++)
			if (p->op->note && !strcmp(field_key(keep(p), t.notes.items[i].json, "id"), p->op->note))
				n = &t.notes.items[i];
		there = n != NULL;
		same = n && same_text(p, n->json, p->op->body ? p->op->body : "");
		for (size_t i = 0; !n && i < t.reviews.len; i++)
			if (p->op->note && !strcmp(arena_printf(keep(p), "v%s", field_key(keep(p), t.reviews.items[i], "id")), p->op->note))
				same = there = same_text(p, t.reviews.items[i], p->op->body ? p->op->body : "");
	} else {
		if (!gitea_digits(p->op->note, e))
			goto out;
		if (!http_get(p->g.h, &a, &no, "%s/issues/comments/%s", p->g.repo, p->op->note)) {
			there = true;
			same = same_text(p, a.json, p->op->body ? p->op->body : "");
			http_answer_release(&a);
		} else if (no.code != ERR_NOT_FOUND) {
			err_set(e, no.code, "%s", no.msg);
			goto out;
		}
	}
	rc = (gone ? !there : same) ? landed(p, p->op->note, NULL) : 0;
out:
	gitea_talk_release(&t);
	return rc;
}

static int find_resolved(struct push *p, struct err *e)
{
	const struct gitea_note *root;
	struct gitea_talk t = { 0 };
	int rc = -1;

	if (know_me(&p->g, e) || talk_load(p, p->op->task, &t, e))
		goto out;
	root = gitea_talk_root(&t, p->op->thread, p->op->handle);
	rc = root && (json_get_obj(root->json, "resolver") != NULL) == (p->op->verb == WIRE_RESOLVE) ? landed(p, NULL, NULL) : 0;
out:
	gitea_talk_release(&t);
	return rc;
}

static int find_reaction(struct push *p, struct err *e)
{
	const char *path, *word = reaction_word(p->op->value ? p->op->value : "");
	struct http_answer a;
	bool there = false;

	if (know_me(&p->g, e) || !(path = reaction_path(p, e)) || http_get(p->g.h, &a, e, "%s", path))
		return -1;
	for (size_t i = 0; i < json_array_size(a.json); i++) {
		const json_t *j = json_array_get(a.json, i);
		there = there || (gitea_is_me(&p->g, json_get_obj(j, "user")) && field_is(j, "content", word));
	}
	http_answer_release(&a);
	return there == (p->op->verb == WIRE_REACT) ? landed(p, NULL, NULL) : 0;
}

static int (*const finds[WIRE_VERBS])(struct push *p, struct err *e) = {
	[WIRE_COMMENT] = find_comment, [WIRE_REPLY] = find_code, [WIRE_CODE_NOTE] = find_code, [WIRE_REVIEW] = find_review,
	[WIRE_NEW_TASK] = find_task, [WIRE_EDIT_NOTE] = find_edit, [WIRE_DELETE_NOTE] = find_edit, [WIRE_RESOLVE] = find_resolved,
	[WIRE_REOPEN_THREAD] = find_resolved, [WIRE_REACT] = find_reaction, [WIRE_UNREACT] = find_reaction,
	[WIRE_EDIT_TASK] = find_state, [WIRE_CLOSE] = find_state, [WIRE_REOPEN] = find_state, [WIRE_LABEL] = find_state,
	[WIRE_ASSIGN] = find_state, [WIRE_MILESTONE] = find_state,
};

int gitea_find(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e)
{
	struct push p = { .r = r, .op = op, .out = out };
	int rc;

	*out = (struct wire_outcome){ .is = WIRE_ABSENT };
	if (gitea_init(&p.g, r, e))
		return -1;
	rc = finds[op->verb] ? finds[op->verb](&p, e) : 0;
	json_decref(p.review);
	return rc;
}
