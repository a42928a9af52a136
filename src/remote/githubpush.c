/* SPDX-License-Identifier: MIT */
/*
 * Writing to GitHub: a function a verb, in one table. Most are one request, whose answer is the new object. A review of line
 * notes is one request too; one with replies or notes on files is made as a pending review, which nobody else sees, and sent by
 * a last request: until then nothing has happened. Its body carries the op's mark from the start, so that a pending review left
 * by a crash is known as ours and begun anew, while one that the user has there is never touched: then the review is refused.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "fields.h"
#include "github.h"

/* One op at work. */
struct write {
	struct gh g;
	const struct wire_op *op;
	struct wire_outcome *out;
	struct http_answer a;
	bool sent;                  /* of the last request */
	struct err failed;
};
typedef int write_fn(struct write *w);

static struct arena *keep(struct write *w)
{
	return remote_keep(w->g.r);
}

/* ---- requests ---- */

/* Takes the body's reference. The path is below the repository. */
static int request(struct write *w, const char *method, json_t *body, const char *path)
{
	int rc;

	http_answer_release(&w->a);
	rc = http_write(w->g.h, method, path, body, &w->a, &w->sent, &w->failed);
	json_decref(body);
	return rc;
}

static int post(struct write *w, json_t *body, const char *what)
{
	return request(w, "POST", body, arena_printf(keep(w), "%s/%s", w->g.repo, what));
}

static json_t *body_json(struct write *w, const struct wire_op *op)
{
	json_t *j = json_object();
	struct buf b = BUF_INIT;

	remote_body(w->g.r, op, &b);
	json_put_str(j, "body", b.ptr);
	buf_release(&b);
	return j;
}

/* What landed, from the answer: told at once, without waiting for the next pull. */
static int landed(struct write *w, enum gh_kind kind, gh_record_fn *read)
{
	const char *id = field_key(keep(w), w->a.json, "id");
	struct record rec;

	*w->out = (struct wire_outcome){
		.is = WIRE_LANDED, .key = id ? arena_printf(keep(w), "%c%s", kind, id) : NULL,
		.url = arena_strdup(keep(w), json_get_str(w->a.json, "html_url")),
	};
	return read && read(&w->g, w->a.json, &rec) ? remote_emit(w->g.r, &rec, NULL) : 0;
}

static int done(struct write *w)
{
	*w->out = (struct wire_outcome){ .is = WIRE_LANDED };
	return 0;
}

/* ---- where things stand ---- */

static const struct { enum gh_kind kind; const char *path; } note_paths[] = {
	{ GH_COMMENT, "issues/comments" }, { GH_CODE, "pulls/comments" }, { GH_COMMIT, "comments" },
};

const char *gh_note_path(struct gh *g, const struct wire_op *op, struct err *e)
{
	struct arena *a = remote_keep(g->r);
	uint64_t id;

	if (!op->note)
		return arena_printf(a, "%s/issues/%s", g->repo, op->task);
	if (!op->note[0] || !str_to_u64(op->note + 1, INT64_MAX, &id)) {
		err_set(e, ERR_NOT_FOUND, "there is no note '%s' on GitHub", op->note);
		return NULL;
	}
	if (op->note[0] == GH_REVIEW)
		return arena_printf(a, "%s/pulls/%s/reviews/%s", g->repo, op->task ? op->task : "0", op->note + 1);
	for (size_t i = 0; i < ARRAY_SIZE(note_paths); i++)
		if (op->note[0] == (char)note_paths[i].kind)
			return arena_printf(a, "%s/%s/%s", g->repo, note_paths[i].path, op->note + 1);
	err_set(e, ERR_NOT_FOUND, "there is no note '%s' on GitHub", op->note);
	return NULL;
}

/* Takes the reference of the words to send. NULL where the note is of no kind that has a place. */
static int at_note(struct write *w, const char *method, json_t *body)
{
	const char *path = gh_note_path(&w->g, w->op, &w->failed);

	if (path)
		return request(w, method, body, path);
	json_decref(body);
	w->sent = false;
	return -1;
}

/* ---- talk ---- */

static int do_comment(struct write *w)
{
	if (post(w, body_json(w, w->op), arena_printf(keep(w), "issues/%s/comments", w->op->task)))
		return -1;
	return landed(w, GH_COMMENT, gh_comment);
}

static int do_reply(struct write *w)
{
	const char *path = arena_printf(keep(w), "pulls/%s/comments/%s/replies", w->op->task, w->op->thread);

	return post(w, body_json(w, w->op), path) ? -1 : landed(w, GH_CODE, gh_code);
}

/* Where the note goes, as both a single note and one of a review say it. */
static void put_place(json_t *j, const struct anchor *an)
{
	const char *side = an->side == SIDE_OLD ? "LEFT" : "RIGHT";

	json_put_str(j, "path", an->path);
	if (an->type == ANCHOR_FILE || !an->line)
		return;
	json_put_int(j, "line", an->end ? an->end : an->line);
	json_put_str(j, "side", side);
	if (an->end > an->line) {
		json_put_int(j, "start_line", an->line);
		json_put_str(j, "start_side", side);
	}
}

static bool is_on_file(const struct anchor *an)
{
	return an->type == ANCHOR_FILE || !an->line;
}

static int no_place(struct write *w, const char *what)
{
	w->sent = false;
	return err_set(&w->failed, ERR_REFUSED, "GitHub takes notes on files and lines of a change; %s is neither", what);
}

static int do_code(struct write *w)
{
	const struct anchor *an = w->op->anchor;
	json_t *j;

	if (!an->path)
		return no_place(w, anchor_type_name(an->type));
	j = body_json(w, w->op);
	put_place(j, an);
	json_put_str(j, "commit_id", w->op->head ? w->op->head : an->commit);
	if (is_on_file(an))
		json_put_str(j, "subject_type", "file");
	return post(w, j, arena_printf(keep(w), "pulls/%s/comments", w->op->task)) ? -1 : landed(w, GH_CODE, gh_code);
}

/* The place in a commit's diff that a line has; ERR_REFUSED where it is not in the diff. */
static int commit_position(struct write *w, const struct anchor *an, int64_t *position)
{
	struct http_answer a;
	const json_t *files;

	w->sent = false;
	if (http_get(w->g.h, &a, &w->failed, "%s/commits/%s", w->g.repo, an->commit))
		return -1;
	files = json_get_arr(a.json, "files");
	*position = 0;
	for (size_t i = 0; !*position && i < json_array_size(files); i++) {
		const json_t *f = json_array_get(files, i);
		const char *path = json_get_str(f, "filename"), *patch = json_get_str(f, "patch");
		if (path && patch && !strcmp(path, an->path))
			*position = patch_position(patch, an->end ? an->end : an->line, an->side);
	}
	http_answer_release(&a);
	return *position ? 0 : err_set(&w->failed, ERR_REFUSED, "GitHub takes notes on lines that the commit changed, or near them; "
				       "%s:%u is not", an->path, an->line);
}

static int do_commit_note(struct write *w)
{
	const struct anchor *an = w->op->anchor;
	int64_t position = 0;
	json_t *j;

	if (!an->commit || strlen(an->commit) != 40)
		return no_place(w, "what is on no commit");
	if (an->path && an->line && commit_position(w, an, &position))
		return -1;
	j = body_json(w, w->op);
	if (an->path)
		json_put_str(j, "path", an->path);
	if (position)
		json_put_int(j, "position", position);
	return post(w, j, arena_printf(keep(w), "commits/%s/comments", an->commit)) ? -1 : landed(w, GH_COMMIT, gh_commit_note);
}

static int do_edit_note(struct write *w)
{
	bool review = w->op->note[0] == GH_REVIEW;
	json_t *j = json_object();

	json_put_str(j, "body", w->op->body);
	if (at_note(w, review ? "PUT" : "PATCH", j))
		return -1;
	*w->out = (struct wire_outcome){ .is = WIRE_LANDED, .key = w->op->note, .url = arena_strdup(keep(w),
		json_get_str(w->a.json, "html_url")) };
	return 0;
}

static int do_delete_note(struct write *w)
{
	if (w->op->note[0] == GH_REVIEW) {
		w->sent = false;
		return err_set(&w->failed, ERR_REFUSED, "GitHub does not delete a review that was sent");
	}
	if (at_note(w, "DELETE", NULL) && w->failed.code != ERR_NOT_FOUND)
		return -1;
	return done(w);   /* gone already is as good */
}

/* ---- threads ---- */

static int do_resolve(struct write *w)
{
	const char *handle = w->op->handle, *query = w->op->verb == WIRE_RESOLVE ?
		"mutation($t:ID!){x:resolveReviewThread(input:{threadId:$t}){thread{id isResolved}}}" :
		"mutation($t:ID!){x:unresolveReviewThread(input:{threadId:$t}){thread{id isResolved}}}";
	const json_t *data;

	w->sent = false;
	if (!handle && gh_thread_handle(&w->g, w->op->task, w->op->thread, &handle, &w->failed))
		return -1;
	http_answer_release(&w->a);
	if (gh_mutate(&w->g, query, json_pack("{s:s}", "t", handle), &w->a, &data, &w->sent, &w->failed))
		return -1;
	return done(w);
}

/* ---- reactions ---- */

static const char *reaction_path(struct write *w, const char **content)
{
	const char *path;

	w->sent = false;
	*content = gh_reaction(w->op->value);
	if (!*content || (w->op->note && w->op->note[0] == GH_REVIEW)) {
		err_set(&w->failed, ERR_REFUSED, *content ? "GitHub takes no reactions to a review" :
			"GitHub has no reaction '%s': it has 👍 👎 😄 🎉 😕 ❤️ 🚀 👀", w->op->value);
		return NULL;
	}
	path = gh_note_path(&w->g, w->op, &w->failed);
	return path ? arena_printf(keep(w), "%s/reactions", path) : NULL;
}

static int do_react(struct write *w)
{
	const char *content, *path = reaction_path(w, &content);
	json_t *j;

	if (!path)
		return -1;
	j = json_object();
	json_put_str(j, "content", content);
	return request(w, "POST", j, path) ? -1 : done(w);
}

static int on_reactions(void *ctx, struct http_answer *a, struct err *e UNUSED)
{
	struct write *w = ctx;

	for (size_t i = 0; i < json_array_size(a->json); i++) {
		const json_t *j = json_array_get(a->json, i);
		if (!gh_is_mine(&w->g, j))
			continue;
		w->out->key = field_key(keep(w), j, "id");
		return 1;
	}
	return 0;
}

static int do_unreact(struct write *w)
{
	const char *content, *path = reaction_path(w, &content);
	int rc;

	if (!path)
		return -1;
	w->out->key = NULL;
	rc = http_pages(w->g.h, arena_printf(keep(w), "%s?per_page=100&content=%s", path, http_escaped(keep(w), content)), 0,
			on_reactions, w, &w->failed);
	if (!rc && w->out->key)
		rc = request(w, "DELETE", NULL, arena_printf(keep(w), "%s/%s", path, w->out->key));
	return rc && w->failed.code != ERR_NOT_FOUND ? -1 : done(w);
}

/* ---- tasks ---- */

static json_t *names_json(const char *const *names, size_t n)
{
	json_t *j = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(j, json_str_or_null(names[i]));
	return j;
}

bool gh_has_name(const json_t *list, const char *field, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		const char *s = json_is_string(v) ? json_string_value(v) : json_get_str(v, field);
		if (s && !strcasecmp(s, name))
			return true;
	}
	return false;
}

/* GitHub drops what one may not set without a word. */
static const char *dropped(struct write *w, const char *const *names, size_t n, const char *list, const char *field)
{
	for (size_t i = 0; i < n; i++)
		if (!gh_has_name(json_get_arr(w->a.json, list), field, names[i]))
			return names[i];
	return NULL;
}

static int do_new_task(struct write *w)
{
	json_t *j = body_json(w, w->op);
	const char *lost;
	struct record rec;

	json_put_str(j, "title", w->op->title);
	if (w->op->n_add)
		json_object_set_new(j, "labels", names_json(w->op->add, w->op->n_add));
	if (w->op->value)
		json_object_set_new(j, "assignees", names_json(&w->op->value, 1));
	if (post(w, j, "issues"))
		return -1;
	*w->out = (struct wire_outcome){ .is = WIRE_LANDED, .key = field_key(keep(w), w->a.json, "number"),
		.url = arena_strdup(keep(w), json_get_str(w->a.json, "html_url")) };
	lost = dropped(w, w->op->add, w->op->n_add, "labels", "name");
	if (lost)
		w->out->message = arena_printf(keep(w), "GitHub did not set the label '%s': you may not", lost);
	return gh_task(&w->g, w->a.json, &rec) ? remote_emit(w->g.r, &rec, NULL) : 0;
}

static int patch_task(struct write *w, json_t *j)
{
	return request(w, "PATCH", j, arena_printf(keep(w), "%s/issues/%s", w->g.repo, w->op->task));
}

/* A change's own answer lacks what its list has (head, base): only an issue is told at once. */
static int task_done(struct write *w)
{
	struct record rec;

	done(w);
	w->out->key = w->op->task;
	if (gh_is_pull(w->a.json) || !gh_task(&w->g, w->a.json, &rec))
		return 0;
	return remote_emit(w->g.r, &rec, NULL);
}

static int do_edit_task(struct write *w)
{
	json_t *j = json_object();

	if (w->op->title)
		json_put_str(j, "title", w->op->title);
	if (w->op->body)
		json_put_str(j, "body", w->op->body);
	return patch_task(w, j) ? -1 : task_done(w);
}

/* "not planned" and the like to the interface's word; what it does not know is done as plain closing. */
static const char *close_reason(const char *value)
{
	static const char *const words[][2] = { { "not_planned", "not_planned" }, { "not planned", "not_planned" },
		{ "wontfix", "not_planned" }, { "duplicate", "duplicate" } };

	for (size_t i = 0; value && i < ARRAY_SIZE(words); i++)
		if (!strcasecmp(words[i][0], value))
			return words[i][1];
	return "completed";
}

static int do_state(struct write *w)
{
	bool close = w->op->verb == WIRE_CLOSE;
	json_t *j = json_object();

	json_put_str(j, "state", close ? "closed" : "open");
	json_put_str(j, "state_reason", close ? close_reason(w->op->value) : "reopened");
	return patch_task(w, j) ? -1 : task_done(w);
}

static int do_label(struct write *w)
{
	json_t *j;

	for (size_t i = 0; i < w->op->n_drop; i++) {
		const char *path = arena_printf(keep(w), "%s/issues/%s/labels/%s", w->g.repo, w->op->task,
						http_escaped(keep(w), w->op->drop[i]));
		if (request(w, "DELETE", NULL, path) && !(w->failed.code == ERR_NOT_FOUND && strstr(w->failed.msg, "Label")))
			return -1;
	}
	if (!w->op->n_add)
		return done(w);
	j = json_object();
	json_object_set_new(j, "labels", names_json(w->op->add, w->op->n_add));
	return post(w, j, arena_printf(keep(w), "issues/%s/labels", w->op->task)) ? -1 : done(w);
}

static int set_people(struct write *w, const char *method, const char *const *names, size_t n)
{
	json_t *j = json_object();

	json_object_set_new(j, "assignees", names_json(names, n));
	return request(w, method, j, arena_printf(keep(w), "%s/issues/%s/assignees", w->g.repo, w->op->task));
}

static int do_assign(struct write *w)
{
	const char *lost;

	if (w->op->n_drop && set_people(w, "DELETE", w->op->drop, w->op->n_drop))
		return -1;
	if (!w->op->n_add)
		return done(w);
	if (set_people(w, "POST", w->op->add, w->op->n_add))
		return -1;
	lost = dropped(w, w->op->add, w->op->n_add, "assignees", "login");
	w->sent = false;
	return lost ? err_set(&w->failed, ERR_REFUSED, "GitHub did not assign it to %s, who has no part in the project", lost) :
		task_done(w);
}

struct milestone { const char *title; int64_t number; };

static int on_milestones(void *ctx, struct http_answer *a, struct err *e UNUSED)
{
	struct milestone *m = ctx;

	for (size_t i = 0; i < json_array_size(a->json); i++) {
		const char *title = json_get_str(json_array_get(a->json, i), "title");
		if (title && !strcasecmp(title, m->title))
			m->number = json_get_int(json_array_get(a->json, i), "number", 0);
	}
	return m->number != 0;
}

static int do_milestone(struct write *w)
{
	struct milestone m = { .title = w->op->value };
	const char *path = arena_printf(keep(w), "%s/milestones?state=all&per_page=100", w->g.repo);
	json_t *j;

	w->sent = false;
	if (m.title && http_pages(w->g.h, path, 0, on_milestones, &m, &w->failed))
		return -1;
	if (m.title && !m.number)
		return err_set(&w->failed, ERR_REFUSED, "there is no milestone '%s' on GitHub", m.title);
	j = json_object();
	json_object_set_new(j, "milestone", m.number ? json_integer(m.number) : json_null());
	return patch_task(w, j) ? -1 : task_done(w);
}

/* ---- reviews ---- */

/* No review may be under way there: the user's own is not ours to send; one that we left is taken away. */
static int clear_pending(struct write *w)
{
	const char *id;

	w->sent = false;
	if (gh_pending_review(&w->g, w->op, &id, &w->failed))
		return -1;
	if (!id || !request(w, "DELETE", NULL, arena_printf(keep(w), "%s/pulls/%s/reviews/%s", w->g.repo, w->op->task, id)))
		return 0;
	w->sent = false;
	return -1;
}

static const char *review_event(const struct wire_op *op)
{
	static const char *const events[][2] = { { "approve", "APPROVE" }, { "request-changes", "REQUEST_CHANGES" } };

	for (size_t i = 0; op->verdict && i < ARRAY_SIZE(events); i++)
		if (!strcmp(events[i][0], op->verdict))
			return events[i][1];
	return "COMMENT";
}

static bool fits_one_request(const struct wire_op *op)
{
	for (size_t i = 0; i < op->n_notes; i++)
		if (op->notes[i].verb != WIRE_CODE_NOTE || is_on_file(op->notes[i].anchor))
			return false;
	return true;
}

static int review_landed(struct write *w)
{
	struct record rec;

	landed(w, GH_REVIEW, NULL);
	return gh_review(&w->g, w->a.json, w->op->task, &rec) ? remote_emit(w->g.r, &rec, NULL) : 0;
}

/* A review's own body may be empty where it has notes, but its mark is not. */
static int review_once(struct write *w)
{
	json_t *j = body_json(w, w->op), *notes = json_array();

	if (w->op->head)
		json_put_str(j, "commit_id", w->op->head);
	json_put_str(j, "event", review_event(w->op));
	for (size_t i = 0; i < w->op->n_notes; i++) {
		json_t *note = body_json(w, &w->op->notes[i]);
		put_place(note, w->op->notes[i].anchor);
		json_array_append_new(notes, note);
	}
	json_object_set_new(j, "comments", notes);
	return post(w, j, arena_printf(keep(w), "pulls/%s/reviews", w->op->task)) ? -1 : review_landed(w);
}

static int mutate(struct write *w, const char *query, json_t *input)
{
	const json_t *data;
	bool sent;

	http_answer_release(&w->a);
	return gh_mutate(&w->g, query, json_pack("{s:o}", "i", input), &w->a, &data, &sent, &w->failed);
}

static int pending_reply(struct write *w, const char *review, const struct wire_op *note)
{
	json_t *in = body_json(w, note);
	const char *handle = note->handle;

	if (!handle && gh_thread_handle(&w->g, w->op->task, note->thread, &handle, &w->failed)) {
		json_decref(in);
		return -1;
	}
	json_put_str(in, "pullRequestReviewId", review);
	json_put_str(in, "pullRequestReviewThreadId", handle);
	return mutate(w, "mutation($i:AddPullRequestReviewThreadReplyInput!){addPullRequestReviewThreadReply(input:$i)"
		      "{comment{id}}}", in);
}

static int pending_note(struct write *w, const char *review, const struct wire_op *note)
{
	const struct anchor *an = note->anchor;
	const char *side = an->side == SIDE_OLD ? "LEFT" : "RIGHT";
	json_t *in = body_json(w, note);

	json_put_str(in, "pullRequestReviewId", review);
	json_put_str(in, "path", an->path);
	json_put_str(in, "subjectType", is_on_file(an) ? "FILE" : "LINE");
	if (!is_on_file(an)) {
		json_put_int(in, "line", an->end ? an->end : an->line);
		json_put_str(in, "side", side);
	}
	if (an->end > an->line) {
		json_put_int(in, "startLine", an->line);
		json_put_str(in, "startSide", side);
	}
	return mutate(w, "mutation($i:AddPullRequestReviewThreadInput!){addPullRequestReviewThread(input:$i){thread{id}}}", in);
}

static int review_notes(struct write *w, const char *node)
{
	for (size_t i = 0; i < w->op->n_notes; i++) {
		const struct wire_op *note = &w->op->notes[i];
		if (note->verb == WIRE_REPLY ? pending_reply(w, node, note) : pending_note(w, node, note))
			return -1;
	}
	return 0;
}

/* Begun, filled, sent. Whatever fails before the last step has been seen by nobody: it is taken back, and it was not sent. */
static int review_steps(struct write *w)
{
	json_t *j = body_json(w, w->op);
	const char *id, *node, *path = arena_printf(keep(w), "pulls/%s/reviews", w->op->task);
	struct err why;

	if (w->op->head)
		json_put_str(j, "commit_id", w->op->head);
	if (post(w, j, path)) {
		w->sent = false;   /* a pending one of ours, if it is there, is cleared by the next try */
		return -1;
	}
	id = field_key(keep(w), w->a.json, "id");
	node = field_key(keep(w), w->a.json, "node_id");
	path = arena_printf(keep(w), "%s/%s/%s", w->g.repo, path, id ? id : "0");
	if (id && node && !review_notes(w, node)) {
		j = json_object();
		json_put_str(j, "event", review_event(w->op));
		if (!request(w, "POST", j, arena_printf(keep(w), "%s/events", path)))
			return review_landed(w);
		if (w->sent)
			return -1;
	}
	why = w->failed;
	if (!id || !node)
		err_set(&why, ERR_BAD_DATA, "GitHub does not say which review it began");
	else
		request(w, "DELETE", NULL, path);
	w->failed = why;
	w->sent = false;
	return -1;
}

static int do_review(struct write *w)
{
	for (size_t i = 0; i < w->op->n_notes; i++)
		if (w->op->notes[i].anchor && !w->op->notes[i].anchor->path)
			return no_place(w, anchor_type_name(w->op->notes[i].anchor->type));
	if (clear_pending(w))
		return -1;
	return fits_one_request(w->op) ? review_once(w) : review_steps(w);
}

/* ---- the table ---- */

static write_fn *const writes[WIRE_VERBS] = {
	[WIRE_COMMENT] = do_comment, [WIRE_REPLY] = do_reply, [WIRE_CODE_NOTE] = do_code, [WIRE_COMMIT_NOTE] = do_commit_note,
	[WIRE_EDIT_NOTE] = do_edit_note, [WIRE_DELETE_NOTE] = do_delete_note, [WIRE_RESOLVE] = do_resolve,
	[WIRE_REOPEN_THREAD] = do_resolve, [WIRE_REACT] = do_react, [WIRE_UNREACT] = do_unreact,
	[WIRE_NEW_TASK] = do_new_task, [WIRE_EDIT_TASK] = do_edit_task, [WIRE_CLOSE] = do_state, [WIRE_REOPEN] = do_state,
	[WIRE_LABEL] = do_label, [WIRE_ASSIGN] = do_assign, [WIRE_MILESTONE] = do_milestone, [WIRE_REVIEW] = do_review,
};

static bool is_number(const char *s)
{
	uint64_t n;

	return !s || str_to_u64(s, INT64_MAX, &n);
}

int gh_push(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e)
{
	struct write w = { .op = op, .out = out, .a = { .total = -1 } };
	int rc;

	if (!is_number(op->task) || (op->verb != WIRE_COMMIT_NOTE && !is_number(op->thread)))
		return err_set(e, ERR_BAD_DATA, "there is no task '%s' on GitHub", op->task ? op->task : op->thread);
	if (!r->cred.secret)
		return err_set(e, ERR_AUTH, "writing to GitHub needs a token");
	if (gh_init(&w.g, r, e) || gh_me(&w.g, e))
		return -1;
	rc = writes[op->verb](&w);
	if (rc)
		rc = remote_outcome(r, w.sent, &w.failed, out);
	http_answer_release(&w.a);
	return rc;
}
