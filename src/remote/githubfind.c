/* SPDX-License-Identifier: MIT */
/*
 * Did it land? The mark taken before the first attempt is the server's time; what came at most a minute earlier is looked
 * through, by list and never by search (an index lags), own posts only: for the op's hidden mark, else for its text at its
 * place. What can be done twice without harm is looked for by its effect. Facts: trust.md 1.8, rest-apis.md 1.5.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "fields.h"
#include "github.h"

static const int64_t SLACK = 60000;

struct search {
	struct gh g;
	const struct wire_op *op;
	struct wire_outcome *out;
	int64_t from;                /* nothing older counts */
	enum gh_kind kind;
	bool found;
};

/* ---- the mark ---- */

/* The user's pending review of a change: its id (NULL: none) and body. */
struct pending { const struct gh *g; const char *id, *body; };

static int on_reviews(void *ctx, struct http_answer *a, struct err *e UNUSED)
{
	struct pending *p = ctx;
	struct arena *k = remote_keep(p->g->r);

	for (size_t i = 0; i < json_array_size(a->json); i++) {
		const json_t *j = json_array_get(a->json, i);
		if (!field_is(j, "state", "PENDING"))
			continue;
		p->id = field_key(k, j, "id");
		p->body = arena_strdup(k, json_get_str(j, "body") ? json_get_str(j, "body") : "");
	}
	return 0;
}

int gh_pending_review(struct gh *g, const struct wire_op *op, const char **id, struct err *e)
{
	const char *path = arena_printf(remote_keep(g->r), "%s/pulls/%s/reviews?per_page=100", g->repo, op->task);
	struct pending p = { .g = g };
	char mark[33];
	size_t len;

	if (http_pages(g->h, path, 0, on_reviews, &p, e))
		return -1;
	*id = p.id;
	if (!p.id || (record_mark(p.body, mark, &len) && !strcmp(mark, op->id)))
		return 0;
	return err_set(e, ERR_CONFLICT, "you have a review under way on GitHub for change %s: send or discard it there first", op->task);
}

int gh_mark(struct remote *r, const struct wire_op *op, const char **mark, struct err *e)
{
	char t[TIME_RFC3339_SIZE];
	const char *pending;
	struct http_answer a;
	struct gh g;

	if (gh_init(&g, r, e))
		return -1;
	if (op->task ? http_get(g.h, &a, e, "%s/issues/%s", g.repo, op->task) : http_get(g.h, &a, e, "%s", g.repo))
		return -1;
	*mark = arena_strdup(remote_keep(r), time_rfc3339(t, a.date ? a.date : clock_now()));
	http_answer_release(&a);
	return op->verb == WIRE_REVIEW ? gh_pending_review(&g, op, &pending, e) : 0;
}

static int64_t mark_time(const struct wire_op *op)
{
	int64_t t = 0;

	return op->mark && time_parse(op->mark, &t) ? t - SLACK : 0;
}

/* ---- what was posted ---- */

static void found(struct search *s, const json_t *j)
{
	struct arena *keep = remote_keep(s->g.r);
	const char *id = field_key(keep, j, s->op->verb == WIRE_NEW_TASK ? "number" : "id");

	s->found = true;
	*s->out = (struct wire_outcome){
		.is = WIRE_LANDED, .key = s->op->verb == WIRE_NEW_TASK ? id : arena_printf(keep, "%c%s", s->kind, id ? id : ""),
		.url = arena_strdup(keep, json_get_str(j, "html_url")),
	};
}

/* Another line, another note: a body like "typo" may stand in many places. */
static bool same_place(const struct search *s, const json_t *j)
{
	const struct anchor *an = s->op->anchor;
	const char *path = json_get_str(j, "path"), *thread = s->op->thread;
	int64_t line = json_get_int(j, "original_line", json_get_int(j, "line", 0));

	if (an && an->path && (!path || strcmp(path, an->path) || (line && an->line && line != (an->end ? an->end : an->line))))
		return false;
	if (s->op->verb == WIRE_REPLY) {
		const char *top = field_key(remote_keep(s->g.r), j, "in_reply_to_id");
		return top && thread && !strcmp(top, thread);
	}
	return s->op->verb != WIRE_CODE_NOTE || !json_get_int(j, "in_reply_to_id", 0);
}

static bool is_ours(const struct search *s, const json_t *j)
{
	const char *body = json_get_str(j, "body");
	int64_t t = field_time(j, s->kind == GH_REVIEW ? "submitted_at" : "created_at");

	if (!gh_is_mine(&s->g, j) || (t && t < s->from) || field_is(j, "state", "PENDING"))
		return false;
	if (s->op->verb == WIRE_NEW_TASK && !field_is(j, "title", s->op->title))
		return false;
	return remote_body_is(body ? body : "", s->op) && same_place(s, j);
}

static int on_page(void *ctx, struct http_answer *a, struct err *e)
{
	struct search *s = ctx;

	if (!json_is_array(a->json))
		return err_set(e, ERR_BAD_DATA, "GitHub: what should be a list is none");
	for (size_t i = 0; !s->found && i < json_array_size(a->json); i++)
		if (is_ours(s, json_array_get(a->json, i)))
			found(s, json_array_get(a->json, i));
	return s->found;
}

/* %R the repository, %T the task, %C the anchor's commit, %S the time, %M me. */
static const struct { enum wire_verb verb; enum gh_kind kind; const char *path; } posts[] = {
	{ WIRE_COMMENT, GH_COMMENT, "%R/issues/%T/comments?per_page=100&since=%S" },
	{ WIRE_REPLY, GH_CODE, "%R/pulls/%T/comments?per_page=100&sort=created&direction=desc&since=%S" },
	{ WIRE_CODE_NOTE, GH_CODE, "%R/pulls/%T/comments?per_page=100&sort=created&direction=desc&since=%S" },
	{ WIRE_COMMIT_NOTE, GH_COMMIT, "%R/commits/%C/comments?per_page=100" },
	{ WIRE_REVIEW, GH_REVIEW, "%R/pulls/%T/reviews?per_page=100" },
	{ WIRE_NEW_TASK, GH_COMMENT, "%R/issues?state=all&sort=created&direction=desc&per_page=100&creator=%M&since=%S" },
};

static const char *post_path(struct search *s, const char *pattern)
{
	const struct wire_op *op = s->op;
	char t[TIME_RFC3339_SIZE];
	struct buf b = BUF_INIT;
	const char *path;

	time_rfc3339(t, s->from > 0 ? s->from : 1000);
	for (; *pattern; pattern++) {
		const char *v = NULL;
		if (*pattern == '%')
			v = pattern[1] == 'T' ? op->task : pattern[1] == 'C' ? (op->anchor ? op->anchor->commit : NULL) :
				pattern[1] == 'S' ? t : s->g.me;
		if (*pattern != '%')
			buf_addch(&b, *pattern);
		else if (*++pattern == 'R')
			buf_addstr(&b, s->g.repo);
		else
			http_escape(&b, v ? v : "");
	}
	path = arena_strdup(remote_keep(s->g.r), b.ptr);
	buf_release(&b);
	return path;
}

static int find_post(struct search *s, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(posts); i++) {
		struct err no = ERR_INIT;

		if (posts[i].verb != s->op->verb)
			continue;
		s->kind = posts[i].kind;
		if (!http_pages(s->g.h, post_path(s, posts[i].path), 0, on_page, s, &no) || no.code == ERR_NOT_FOUND)
			return 0;
		return err_set(e, no.code, "%s", no.msg);
	}
	return 0;
}

/* ---- what was changed ---- */

/* The object as it is now; *there is false where it is gone. */
static int present(struct search *s, const char *path, struct http_answer *a, bool *there, struct err *e)
{
	struct err no = ERR_INIT;

	*there = !http_get(s->g.h, a, &no, "%s", path);
	if (*there || no.code == ERR_NOT_FOUND)
		return 0;
	return err_set(e, no.code, "%s", no.msg);
}

static bool set_is(const struct wire_op *op, const json_t *list, const char *field)
{
	for (size_t i = 0; i < op->n_add; i++)
		if (!gh_has_name(list, field, op->add[i]))
			return false;
	for (size_t i = 0; i < op->n_drop; i++)
		if (gh_has_name(list, field, op->drop[i]))
			return false;
	return true;
}

static bool text_is(const json_t *j, const char *field, const char *want)
{
	return !want || body_same(json_get_str(j, field), want);
}

static bool task_is(const struct wire_op *op, const json_t *j)
{
	const char *milestone = json_get_str(json_get_obj(j, "milestone"), "title");

	if (op->verb == WIRE_CLOSE || op->verb == WIRE_REOPEN)
		return field_is(j, "state", op->verb == WIRE_CLOSE ? "closed" : "open");
	if (op->verb == WIRE_LABEL)
		return set_is(op, json_get_arr(j, "labels"), "name");
	if (op->verb == WIRE_ASSIGN)
		return set_is(op, json_get_arr(j, "assignees"), "login");
	if (op->verb == WIRE_MILESTONE)
		return op->value ? milestone && !strcasecmp(milestone, op->value) : !milestone;
	return text_is(j, "title", op->title) && text_is(j, "body", op->body);
}

static int find_task(struct search *s, struct err *e)
{
	struct http_answer a;
	bool there;

	if (present(s, arena_printf(remote_keep(s->g.r), "%s/issues/%s", s->g.repo, s->op->task), &a, &there, e))
		return -1;
	s->found = there && task_is(s->op, a.json);
	http_answer_release(&a);
	return 0;
}

static int find_note(struct search *s, struct err *e)
{
	const char *path = gh_note_path(&s->g, s->op, e);
	struct http_answer a;
	bool there;

	if (!path || present(s, path, &a, &there, e))
		return -1;
	s->found = s->op->verb == WIRE_DELETE_NOTE ? !there : there && text_is(a.json, "body", s->op->body);
	http_answer_release(&a);
	return 0;
}

static int find_resolved(struct search *s, struct err *e)
{
	static const char query[] = "query($t:ID!){node(id:$t){__typename ... on PullRequestReviewThread{id isResolved}}}";
	const char *handle = s->op->handle;
	struct http_answer a;
	const json_t *data;
	int rc;

	if (!handle && gh_thread_handle(&s->g, s->op->task, s->op->thread, &handle, e))
		return -1;
	rc = gh_query(&s->g, query, json_pack("{s:s}", "t", handle), &a, &data, e);
	if (!rc)
		s->found = json_get_bool(json_get_obj(data, "node"), "isResolved") == (s->op->verb == WIRE_RESOLVE);
	http_answer_release(&a);
	return rc;
}

static int on_reaction(void *ctx, struct http_answer *a, struct err *e UNUSED)
{
	struct search *s = ctx;

	for (size_t i = 0; !s->found && i < json_array_size(a->json); i++)
		s->found = gh_is_mine(&s->g, json_array_get(a->json, i));
	return s->found;
}

static int find_reaction(struct search *s, struct err *e)
{
	const char *path = gh_note_path(&s->g, s->op, e), *content = gh_reaction(s->op->value);
	struct arena *a = remote_keep(s->g.r);
	int rc;

	if (!path || !content)
		return path ? 0 : -1;
	path = arena_printf(a, "%s/reactions?per_page=100&content=%s", path, http_escaped(a, content));
	rc = http_pages(s->g.h, path, 0, on_reaction, s, e);
	if (s->op->verb == WIRE_UNREACT)
		s->found = !s->found;
	return rc;
}

static int (*const finds[WIRE_VERBS])(struct search *s, struct err *e) = {
	[WIRE_COMMENT] = find_post, [WIRE_REPLY] = find_post, [WIRE_CODE_NOTE] = find_post, [WIRE_COMMIT_NOTE] = find_post,
	[WIRE_REVIEW] = find_post, [WIRE_NEW_TASK] = find_post, [WIRE_EDIT_NOTE] = find_note, [WIRE_DELETE_NOTE] = find_note,
	[WIRE_RESOLVE] = find_resolved, [WIRE_REOPEN_THREAD] = find_resolved, [WIRE_REACT] = find_reaction,
	[WIRE_UNREACT] = find_reaction, [WIRE_EDIT_TASK] = find_task, [WIRE_CLOSE] = find_task, [WIRE_REOPEN] = find_task,
	[WIRE_LABEL] = find_task, [WIRE_ASSIGN] = find_task, [WIRE_MILESTONE] = find_task,
};

int gh_find(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e)
{
	struct search s = { .op = op, .out = out, .from = mark_time(op) };

	*out = (struct wire_outcome){ .is = WIRE_ABSENT };
	if (gh_init(&s.g, r, e) || gh_me(&s.g, e) || finds[op->verb](&s, e))
		return -1;
	if (s.found && out->is != WIRE_LANDED)
		*out = (struct wire_outcome){ .is = WIRE_LANDED };
	return 0;
}
