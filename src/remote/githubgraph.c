/* SPDX-License-Identifier: MIT */
/*
 * GraphQL: what REST does not have, the state of review threads, and reviews of many changes at once. A change is a field
 * with an alias of its own in one question, so that 25 changes are one request; several are under way together. A change with
 * more threads or reviews than fit is asked for again alone. A server that does not know fullDatabaseId is asked with the older
 * field under its name. Where there is no GraphQL, reviews come by REST and threads have no state.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fields.h"
#include "github.h"

enum { BATCH = 25 };

#define PAGE "pageInfo{hasNextPage endCursor}"
#define REVIEWS PAGE " nodes{id fullDatabaseId state body url submittedAt updatedAt author{login __typename}}"
#define THREADS PAGE " nodes{id isResolved resolvedBy{login} viewerCanResolve viewerCanUnresolve viewerCanReply " \
	"comments(first:1){totalCount nodes{fullDatabaseId}}}"

/* ---- asking ---- */

static json_t *question(const char *query, json_t *variables)
{
	json_t *body = json_object();

	json_put_str(body, "query", query);
	json_object_set_new(body, "variables", variables);
	return body;
}

static const struct { const char *type; enum err_code code; } error_types[] = {
	{ "FORBIDDEN", ERR_AUTH }, { "INSUFFICIENT_SCOPES", ERR_AUTH }, { "NOT_FOUND", ERR_NOT_FOUND },
	{ "RATE_LIMITED", ERR_RATE_LIMITED }, { "SERVICE_UNAVAILABLE", ERR_OFFLINE },
};

static enum err_code error_code(const json_t *error)
{
	const char *type = json_get_str(error, "type");

	for (size_t i = 0; type && i < ARRAY_SIZE(error_types); i++)
		if (!strcmp(error_types[i].type, type))
			return error_types[i].code;
	return ERR_REFUSED;
}

/* An answer of status 200 fails by its "errors". One change that is not there any more does not fail the others. */
static int check(const struct http_answer *a, const json_t **data, struct err *e)
{
	const json_t *errors = json_get_arr(a->json, "errors"), *first = NULL;

	*data = json_get_obj(a->json, "data");
	for (size_t i = 0; !first && i < json_array_size(errors); i++)
		if (!*data || error_code(json_array_get(errors, i)) != ERR_NOT_FOUND)
			first = json_array_get(errors, i);
	if (!first && *data)
		return 0;
	return err_set(e, first ? error_code(first) : ERR_BAD_DATA, "GitHub: %s", first && json_get_str(first, "message") ?
		       json_get_str(first, "message") : "an answer without data");
}

int gh_query(struct gh *g, const char *query, json_t *variables, struct http_answer *out, const json_t **data, struct err *e)
{
	json_t *body = question(query, variables);
	int rc = http_query(g->h, g->graphql, body, out, e);

	json_decref(body);
	return rc ? -1 : check(out, data, e);
}

int gh_mutate(struct gh *g, const char *query, json_t *variables, struct http_answer *out, const json_t **data, bool *sent,
    struct err *e)
{
	json_t *body = question(query, variables), *errors;
	int rc = http_write(g->h, "POST", g->graphql, body, out, sent, e);

	json_decref(body);
	if (rc)
		return -1;
	errors = json_get_arr(out->json, "errors");
	if (json_array_size(errors)) {   /* it says itself that it did not do it */
		*sent = false;
		return err_set(e, error_code(json_array_get(errors, 0)), "GitHub: %s",
			       json_get_str(json_array_get(errors, 0), "message") ?
			       json_get_str(json_array_get(errors, 0), "message") : "an error without words");
	}
	return check(out, data, e);
}

/* ---- what is in an answer ---- */

/* In REST's words, so that one reader serves both. */
static json_t *review_rest(const json_t *node)
{
	static const char *const names[][2] = { { "fullDatabaseId", "id" }, { "state", "state" }, { "body", "body" },
		{ "url", "html_url" }, { "submittedAt", "submitted_at" }, { "updatedAt", "updated_at" } };
	json_t *j = json_object(), *v;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if ((v = json_object_get(node, names[i][0])))
			json_object_set(j, names[i][1], v);
	if ((v = json_get_obj(node, "author")))
		json_object_set(j, "user", v);
	return j;
}

struct talk {
	struct gh *g;
	const char *const *tasks;
	size_t n;
	int64_t *counts;
	bool lists;
	const struct gh_talk *asked;
	ARRAY(const char *) keys;    /* of the reviews of one change */
};

static int emit_review(struct talk *t, const char *task, const json_t *rest, struct err *e)
{
	struct record rec;
	bool says = gh_review(t->g, rest, task, &rec);

	if (rec.note.key)
		*array_add(&t->keys) = rec.note.key;
	return says ? remote_emit(t->g->r, &rec, e) : 0;
}

static int emit_reviews(struct talk *t, const char *task, const json_t *conn, struct err *e)
{
	const json_t *nodes = json_get_arr(conn, "nodes");
	int rc = 0;

	for (size_t i = 0; !rc && i < json_array_size(nodes); i++) {
		json_t *rest = review_rest(json_array_get(nodes, i));
		rc = emit_review(t, task, rest, e);
		json_decref(rest);
	}
	return rc;
}

static int emit_thread(struct talk *t, const char *task, const json_t *node, struct err *e)
{
	struct arena *a = remote_arena(t->g->r);
	const json_t *first = json_array_get(json_get_arr(json_get_obj(node, "comments"), "nodes"), 0);
	const char *by = json_get_str(json_get_obj(node, "resolvedBy"), "login");
	struct record rec = { .type = RECORD_THREAD, .thread = {
		.key = field_key(a, first, "fullDatabaseId"), .task = task, .handle = field_key(a, node, "id"),
		.resolved = json_get_bool(node, "isResolved"), .by.login = arena_strdup(a, by),
		.can_resolve = json_get_bool(node, "viewerCanResolve") || json_get_bool(node, "viewerCanUnresolve"),
		.can_reply = json_get_bool(node, "viewerCanReply"),
	} };

	return rec.thread.key ? remote_emit(t->g->r, &rec, e) : 0;
}

static int emit_threads(struct talk *t, const char *task, const json_t *conn, int64_t *count, struct err *e)
{
	const json_t *nodes = json_get_arr(conn, "nodes");

	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *node = json_array_get(nodes, i);
		if (*count >= 0)
			*count += json_get_int(json_get_obj(node, "comments"), "totalCount", 0);
		if (emit_thread(t, task, node, e))
			return -1;
	}
	return 0;
}

static int emit_review_list(struct talk *t, const char *task, struct err *e)
{
	static const char *const kinds[] = { "review" };
	struct record rec = { .type = RECORD_LIST, .list = { .task = task, .kinds = kinds, .n_kinds = 1,
		.keys = t->keys.items, .n_keys = t->keys.len } };

	return t->lists ? remote_emit(t->g->r, &rec, e) : 0;
}

static bool has_more(const json_t *conn)
{
	return json_get_bool(json_get_obj(conn, "pageInfo"), "hasNextPage");
}

/* ---- one change alone, page by page ---- */

static int more_of(struct talk *t, size_t i, const char *field, const char *nodes, json_t *first, struct err *e)
{
	const char *task = t->tasks[i], *query = arena_printf(remote_keep(t->g->r), "query($o:String!,$r:String!,$n:Int!,$c:String){"
		"repository(owner:$o,name:$r){pullRequest(number:$n){x:%s(first:50,after:$c){%s}}}}", field, nodes);
	const char *cursor = json_get_str(json_get_obj(first, "pageInfo"), "endCursor");
	json_int_t number = (json_int_t)strtoll(task, NULL, 10);
	bool more = has_more(first);
	int rc = 0;

	cursor = arena_strdup(remote_keep(t->g->r), cursor);
	while (more && cursor && !rc) {
		struct http_answer a;
		const json_t *data, *conn;

		rc = gh_query(t->g, query, json_pack("{s:s,s:s,s:I,s:s}", "o", t->g->owner, "r", t->g->name, "n", number, "c", cursor),
			      &a, &data, e);
		conn = rc ? NULL : json_get_obj(json_get_obj(json_get_obj(data, "repository"), "pullRequest"), "x");
		if (!rc)
			rc = *field == 'r' && field[6] == 's' ? emit_reviews(t, task, conn, e) :
				emit_threads(t, task, conn, &t->counts[i], e);
		more = has_more(conn);
		cursor = arena_strdup(remote_keep(t->g->r), json_get_str(json_get_obj(conn, "pageInfo"), "endCursor"));
		http_answer_release(&a);
	}
	return rc;
}

/* One change of an answer: what it has, and the rest of it where it has more. */
static int one_change(struct talk *t, size_t i, const json_t *pr, struct err *e)
{
	json_t *reviews = json_get_obj(pr, "reviews"), *threads = json_get_obj(pr, "reviewThreads");

	t->counts[i] = pr ? 0 : -1;
	t->keys.len = 0;
	if (!pr)
		return 0;
	if (emit_reviews(t, t->tasks[i], reviews, e) || more_of(t, i, "reviews", REVIEWS, reviews, e) ||
	    emit_review_list(t, t->tasks[i], e))
		return -1;
	return emit_threads(t, t->tasks[i], threads, &t->counts[i], e) ||
		more_of(t, i, "reviewThreads", THREADS, threads, e) ? -1 : 0;
}

/* ---- many, in batches ---- */

/* Servers of before 2024 have the number under another name only. */
static json_t *old_question(const char *query, json_t *vars)
{
	static const char name[] = "fullDatabaseId";
	struct buf q = BUF_INIT;
	const char *at;
	json_t *body;

	for (; (at = strstr(query, name)); query = at + sizeof(name) - 1) {
		buf_add(&q, query, (size_t)(at - query));
		buf_addstr(&q, "fullDatabaseId:databaseId");
	}
	buf_addstr(&q, query);
	body = question(q.ptr, vars);
	buf_release(&q);
	return body;
}

static json_t *batch_question(const struct talk *t, size_t from, bool old_ids)
{
	struct buf q = BUF_INIT;
	json_t *body, *vars = json_pack("{s:s,s:s}", "o", t->g->owner, "r", t->g->name);

	buf_addstr(&q, "query($o:String!,$r:String!){repository(owner:$o,name:$r){");
	for (size_t i = from; i < t->n && i < from + BATCH; i++)
		buf_addf(&q, "p%s:pullRequest(number:%s){...F}", t->tasks[i], t->tasks[i]);
	buf_addstr(&q, "}} fragment F on PullRequest{reviews(first:50){" REVIEWS "} reviewThreads(first:50){" THREADS "}}");
	body = old_ids ? old_question(q.ptr, vars) : question(q.ptr, vars);
	buf_release(&q);
	return body;
}

static int told(struct talk *t, size_t n, struct err *e)
{
	return t->asked->done ? t->asked->done(t->asked->ctx, n < t->n ? n : t->n, e) : 0;
}

static int on_batch(void *ctx, size_t b, struct http_answer *a, const struct err *failed, struct err *e)
{
	struct talk *t = ctx;
	const json_t *data, *repo;

	if (failed)
		return err_set(e, failed->code, "%s", failed->msg);
	if (check(a, &data, e))
		return -1;
	repo = json_get_obj(data, "repository");
	for (size_t i = b * BATCH; i < t->n && i < (b + 1) * BATCH; i++) {
		char alias[32];
		snprintf(alias, sizeof(alias), "p%.20s", t->tasks[i]);
		if (one_change(t, i, json_get_obj(repo, alias), e))
			return -1;
	}
	return told(t, (b + 1) * BATCH, e);
}

static int batches(struct talk *t, bool old_ids, struct err *e)
{
	size_t n = (t->n + BATCH - 1) / BATCH;
	const char **paths = xcalloc(n, sizeof(*paths));
	json_t **bodies = xcalloc(n, sizeof(*bodies));
	int rc;

	for (size_t i = 0; i < n; i++) {
		paths[i] = t->g->graphql;
		bodies[i] = batch_question(t, i * BATCH, old_ids);
	}
	rc = http_each(t->g->h, paths, (const json_t *const *)bodies, n, on_batch, t, e);
	for (size_t i = 0; i < n; i++)
		json_decref(bodies[i]);
	free(bodies);
	free(paths);
	return rc;
}

/* ---- without GraphQL ---- */

static int rest_page(struct talk *t, const char *task, const json_t *list, struct err *e)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (emit_review(t, task, json_array_get(list, i), e))
			return -1;
	return 0;
}

/* Reviews of one change; who has more than a hundred is asked for the rest. */
static int on_rest(void *ctx, size_t i, struct http_answer *a, const struct err *failed, struct err *e)
{
	struct talk *t = ctx;
	struct http_answer more = { .total = -1 };
	const char *next = a->next;
	int rc;

	if (failed && failed->code != ERR_NOT_FOUND)
		return err_set(e, failed->code, "%s", failed->msg);
	t->keys.len = 0;
	rc = rest_page(t, t->tasks[i], a->json, e);
	for (size_t n = 0; !rc && next && n < 1000; n++) {
		next = arena_strdup(remote_keep(t->g->r), next);
		http_answer_release(&more);
		rc = http_get(t->g->h, &more, e, "%s", next) || rest_page(t, t->tasks[i], more.json, e) ? -1 : 0;
		next = more.next;
	}
	http_answer_release(&more);
	if (!rc && !failed)
		rc = emit_review_list(t, t->tasks[i], e);
	return rc ? -1 : (i + 1) % BATCH && i + 1 < t->n ? 0 : told(t, i + 1, e);
}

static int rest_reviews(struct talk *t, struct err *e)
{
	const char **paths = xcalloc(t->n, sizeof(*paths));
	int rc;

	for (size_t i = 0; i < t->n; i++) {
		t->counts[i] = -1;
		paths[i] = arena_printf(remote_keep(t->g->r), "%s/pulls/%s/reviews?per_page=100", t->g->repo, t->tasks[i]);
	}
	rc = http_each(t->g->h, paths, NULL, t->n, on_rest, t, e);
	free(paths);
	return rc;
}

/* No GraphQL here: an answer of 404, or a field that this server does not know. */
static bool is_missing(const struct err *e)
{
	return e->code == ERR_NOT_FOUND || (e->code == ERR_REFUSED && strstr(e->msg, "doesn't exist on type"));
}

int gh_talk(struct gh *g, const struct gh_talk *asked, struct err *e)
{
	struct talk t = { .g = g, .tasks = asked->tasks, .n = asked->n, .counts = asked->counts, .lists = asked->lists, .asked = asked };
	struct err no = ERR_INIT;
	int rc = 0;

	for (size_t i = 0; i < t.n; i++)
		t.counts[i] = -1;
	if (t.n && gh_may_graphql(g)) {
		rc = batches(&t, false, &no);
		if (rc && is_missing(&no) && strstr(no.msg, "fullDatabaseId"))
			rc = batches(&t, true, &no);
		if (rc && is_missing(&no))
			rc = rest_reviews(&t, &no);
		if (rc)
			err_set(e, no.code, "%s", no.msg);
	}
	array_release(&t.keys);
	return rc;
}

/* ---- a thread's handle ---- */

int gh_thread_handle(struct gh *g, const char *task, const char *thread, const char **handle, struct err *e)
{
	static const char query[] = "query($o:String!,$r:String!,$n:Int!,$c:String){repository(owner:$o,name:$r){"
		"pullRequest(number:$n){reviewThreads(first:100,after:$c){" PAGE
		" nodes{id comments(first:1){nodes{fullDatabaseId}}}}}}}";
	struct arena *keep = remote_keep(g->r);
	json_int_t number = (json_int_t)strtoll(task, NULL, 10);
	const char *cursor = NULL;

	*handle = NULL;
	do {
		struct http_answer a;
		const json_t *data, *conn, *nodes;

		if (gh_query(g, query, json_pack("{s:s,s:s,s:I,s:s?}", "o", g->owner, "r", g->name, "n", number, "c", cursor), &a, &data,
			     e)) {
			http_answer_release(&a);
			return -1;
		}
		conn = json_get_obj(json_get_obj(json_get_obj(data, "repository"), "pullRequest"), "reviewThreads");
		nodes = json_get_arr(conn, "nodes");
		for (size_t i = 0; !*handle && i < json_array_size(nodes); i++) {
			const json_t *node = json_array_get(nodes, i);
			const json_t *first = json_array_get(json_get_arr(json_get_obj(node, "comments"), "nodes"), 0);
			const char *key = field_key(keep, first, "fullDatabaseId");
			if (key && !strcmp(key, thread))
				*handle = field_key(keep, node, "id");
		}
		cursor = has_more(conn) ? arena_strdup(keep, json_get_str(json_get_obj(conn, "pageInfo"), "endCursor")) : NULL;
		http_answer_release(&a);
	} while (!*handle && cursor);
	return *handle ? 0 : err_set(e, ERR_NOT_FOUND, "GitHub has no such thread on change %s any more", task);
}
