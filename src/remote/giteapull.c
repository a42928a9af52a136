/* SPDX-License-Identifier: MIT */
/*
 * Reading from Gitea. Two streams: tasks since T, in the fixed order newest made first, each page with the code talk of its
 * changes (reviews, and the notes of each: there is no list of them all); then plain notes of all tasks since T. New objects
 * only push others to later pages, which is read twice; what is deleted meanwhile pulls them forward: when a list got shorter
 * while it was read, it is read once more.
 *
 * Cursor: {"since":T,"start":T,"stream":0|1,"page":N,"per":N}; "since" alone when a pull went to its end. T is the server's
 * clock at the first request, less OVERLAP.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/base/clock.h"
#include "gitea.h"

enum { PER_PAGE = 50, PAGES_MAX = 20000, REVIEW_PAGES_MAX = 500, OVERLAP_MS = 120000, DAY_MS = 86400000, REACTIONS_MAX = 200, GAPS_MAX = 5000 };

/* ---- the talk of a change ---- */

void gitea_talk_release(struct gitea_talk *t)
{
	json_decref(t->pull);
	for (size_t i = 0; i < t->reviews.len; i++)
		json_decref(t->reviews.items[i]);
	for (size_t i = 0; i < t->notes.len; i++)
		json_decref(t->notes.items[i].json);
	array_release(&t->reviews);
	array_release(&t->notes);
	*t = (struct gitea_talk){ 0 };
}

static const char *thread_key(struct arena *a, const char *path, enum anchor_side side, int64_t line)
{
	const char *text = arena_printf(a, "%s:%c%lld", path, side == SIDE_OLD ? '-' : '+', (long long)line);
	uint8_t sum[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];

	hash_sha256(sum, text, strlen(text));
	hex_encode(hex, sum, sizeof(sum));
	return arena_printf(a, "L%.24s", hex);
}

static int note_order(const void *pa, const void *pb)
{
	const struct gitea_note *a = pa, *b = pb;
	int by = strcmp(a->thread, b->thread);

	return by ? by : (a->id > b->id) - (a->id < b->id);
}

/* What a batch of GETs is for. */
struct wanted { size_t talk, review; };
struct batch {
	struct gitea *g;
	struct gitea_talk *talks;
	ARRAY(const char *) paths;
	ARRAY(struct wanted) wanted;
};

static void batch_ask(struct batch *b, size_t talk, size_t review, const char *path)
{
	*array_add(&b->paths) = path;
	*array_add(&b->wanted) = (struct wanted){ talk, review };
}

static int batch_run(struct batch *b, http_each_fn *fn, struct err *e)
{
	int rc = b->paths.len ? http_each(b->g->h, b->paths.items, NULL, b->paths.len, fn, b, e) : 0;

	b->paths.len = b->wanted.len = 0;
	return rc;
}

static void batch_release(struct batch *b)
{
	array_release(&b->paths);
	array_release(&b->wanted);
}

/* A change that went away between two requests is no failure of the pull. */
static int batch_failed(struct gitea_talk *t, const struct err *failed, struct err *e)
{
	t->whole = false;
	return failed->code == ERR_NOT_FOUND ? 0 : err_set(e, failed->code, "%s", failed->msg);
}

static int take_pull(void *ctx, size_t i, struct http_answer *a, const struct err *failed, struct err *e)
{
	struct batch *b = ctx;
	struct gitea_talk *t = &b->talks[b->wanted.items[i].talk];

	if (failed)
		return batch_failed(t, failed, e);
	t->pull = json_incref(a->owned);
	return 0;
}

static void add_reviews(struct gitea *g, struct gitea_talk *t, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *j = json_array_get(list, i);
		const char *state = json_get_str(j, "state");
		if (!state || !strcmp(state, "REQUEST_REVIEW") || json_get_int(j, "id", 0) <= 0 ||
		    (!strcmp(state, "PENDING") && !gitea_is_me(g, json_get_obj(j, "user"))))
			continue;
		*array_add(&t->reviews) = json_incref(j);
	}
}

static int rest_of_reviews(struct gitea *g, struct gitea_talk *t, int64_t total, size_t got, struct err *e)
{
	for (int64_t page = 2; got > 0 && (int64_t)got < total; page++) {
		struct http_answer a;
		size_t n;
		if (page > REVIEW_PAGES_MAX)
			return err_set(e, ERR_BAD_DATA, "the reviews of change %lld do not end (more than %d pages)",
				       (long long)t->number, REVIEW_PAGES_MAX);
		if (http_get(g->h, &a, e, "%s/pulls/%lld/reviews?page=%lld&limit=%d", g->repo, (long long)t->number,
			     (long long)page, PER_PAGE))
			return -1;
		n = json_array_size(a.json);
		add_reviews(g, t, a.json);
		http_answer_release(&a);
		if (!n)
			break;
		got += n;
	}
	return 0;
}

static int take_reviews(void *ctx, size_t i, struct http_answer *a, const struct err *failed, struct err *e)
{
	struct batch *b = ctx;
	struct gitea_talk *t = &b->talks[b->wanted.items[i].talk];

	if (failed)
		return batch_failed(t, failed, e);
	add_reviews(b->g, t, a->json);
	return rest_of_reviews(b->g, t, a->total, json_array_size(a->json), e);
}

/* Positions are lines of the file, in spite of their names; 0 is the other side's. */
static bool note_read(struct gitea *g, json_t *j, size_t review, struct gitea_note *n)
{
	int64_t new_line = json_get_int(j, "position", 0), old_line = json_get_int(j, "original_position", 0);
	const char *path = json_get_str(j, "path");
	bool old = new_line <= 0 && old_line > 0;

	*n = (struct gitea_note){ .review = review, .id = json_get_int(j, "id", 0), .path = path ? path : "",
		.side = old ? SIDE_OLD : SIDE_NEW, .line = old ? old_line : new_line };
	if (n->id <= 0)
		return false;
	n->json = json_incref(j);
	n->thread = thread_key(remote_keep(g->r), n->path, n->side, n->line);
	return true;
}

static int take_notes(void *ctx, size_t i, struct http_answer *a, const struct err *failed, struct err *e)
{
	struct batch *b = ctx;
	const struct wanted *w = &b->wanted.items[i];
	struct gitea_talk *t = &b->talks[w->talk];
	struct gitea_note n;

	if (failed)
		return batch_failed(t, failed, e);
	for (size_t k = 0; k < json_array_size(a->json); k++)
		if (note_read(b->g, json_array_get(a->json, k), w->review, &n))
			*array_add(&t->notes) = n;
	return 0;
}

static void ask_notes(struct batch *b, size_t talk, struct arena *k)
{
	const struct gitea_talk *t = &b->talks[talk];

	for (size_t i = 0; i < t->reviews.len; i++)
		if (json_get_int(t->reviews.items[i], "comments_count", 1) > 0)
			batch_ask(b, talk, i, arena_printf(k, "%s/pulls/%lld/reviews/%lld/comments", b->g->repo, (long long)t->number,
				  (long long)json_get_int(t->reviews.items[i], "id", 0)));
}

int gitea_talks_load(struct gitea *g, struct gitea_talk *talks, size_t n, struct err *e)
{
	struct batch b = { .g = g, .talks = talks, .paths = ARRAY_INIT, .wanted = ARRAY_INIT };
	struct arena *k = remote_keep(g->r);
	int rc = -1;

	for (size_t i = 0; i < n; i++) {
		talks[i].whole = true;
		batch_ask(&b, i, 0, arena_printf(k, "%s/pulls/%lld", g->repo, (long long)talks[i].number));
	}
	if (batch_run(&b, take_pull, e))
		goto out;
	for (size_t i = 0; i < n; i++)
		batch_ask(&b, i, 0, arena_printf(k, "%s/pulls/%lld/reviews?page=1&limit=%d", g->repo, (long long)talks[i].number, PER_PAGE));
	if (batch_run(&b, take_reviews, e))
		goto out;
	for (size_t i = 0; i < n; i++)
		ask_notes(&b, i, k);
	if (batch_run(&b, take_notes, e))
		goto out;
	for (size_t i = 0; i < n; i++)
		if (talks[i].notes.len)
			qsort(talks[i].notes.items, talks[i].notes.len, sizeof(*talks[i].notes.items), note_order);
	rc = 0;
out:
	batch_release(&b);
	return rc;
}

const struct gitea_note *gitea_talk_root(const struct gitea_talk *t, const char *thread, const char *note)
{
	uint64_t id = 0;

	if (note && str_to_u64(note, INT64_MAX, &id))
		for (size_t i = 0; i < t->notes.len; i++)
			if (t->notes.items[i].id == (int64_t)id)
				thread = t->notes.items[i].thread;
	for (size_t i = 0; thread && i < t->notes.len; i++)
		if (!strcmp(t->notes.items[i].thread, thread))
			return &t->notes.items[i];
	return NULL;
}

/* ---- reactions: one request a note, so only where notes are few ---- */

struct reacting { struct gitea *g; struct reaction **out; size_t *n; };

static void reaction_count(struct gitea *g, const json_t *j, struct reaction *list, size_t *n)
{
	const char *word = field_str(j, "content"), *emoji = word ? reaction_emoji(word) : NULL;
	bool mine = gitea_is_me(g, json_get_obj(j, "user"));
	size_t i = 0;

	if (!emoji || strlen(emoji) > REACTION_MAX)
		return;
	while (i < *n && strcmp(list[i].emoji, emoji))
		i++;
	if (i == *n)
		list[(*n)++] = (struct reaction){ .emoji = arena_strdup(remote_keep(g->r), emoji) };
	list[i].n++;
	list[i].mine = list[i].mine || mine;
}

static int take_reactions(void *ctx, size_t i, struct http_answer *a, const struct err *failed, struct err *e)
{
	struct reacting *x = ctx;
	size_t max = failed ? 0 : json_array_size(a->json);

	if (failed && failed->code != ERR_NOT_FOUND && failed->code != ERR_REFUSED && failed->code != ERR_AUTH)
		return err_set(e, failed->code, "%s", failed->msg);
	x->out[i] = arena_alloc(remote_keep(x->g->r), (max + 1) * sizeof(**x->out));
	for (size_t k = 0; k < max; k++)
		reaction_count(x->g, json_array_get(a->json, k), x->out[i], &x->n[i]);
	return 0;
}

/* For each id its reactions; not known where they are too many to ask for. */
static int reactions_load(struct gitea *g, const int64_t *ids, size_t n, struct reaction ***out, size_t **counts, bool *known,
    struct err *e)
{
	struct arena *k = remote_keep(g->r);
	const char **paths = arena_alloc(k, (n + 1) * sizeof(*paths));
	struct reacting x = { g, arena_alloc(k, (n + 1) * sizeof(*x.out)), arena_alloc(k, (n + 1) * sizeof(*x.n)) };

	*out = x.out;
	*counts = x.n;
	*known = (int64_t)n <= g->reactions;
	if (!n || !*known)
		return 0;
	g->reactions -= (int)n;
	for (size_t i = 0; i < n; i++)
		paths[i] = arena_printf(k, "%s/issues/comments/%lld/reactions", g->repo, (long long)ids[i]);
	return http_each(g->h, paths, NULL, n, take_reactions, &x, e);
}

/* ---- records ---- */

static const char *str_num(struct arena *a, int64_t n)
{
	return arena_printf(a, "%lld", (long long)n);
}

static void task_people(struct arena *a, const json_t *j, struct record_task *t)
{
	const json_t *list = json_get_arr(j, "assignees"), *one = json_get_obj(j, "assignee");
	size_t n = json_array_size(list);
	struct person *p = arena_alloc(a, (n + 1) * sizeof(*p));

	for (size_t i = 0; i < n; i++)
		p[i] = gitea_person(json_array_get(list, i));
	if (!n && one)
		p[n++] = gitea_person(one);
	t->assignees = p;
	t->n_assignees = n;
}

static void task_labels(struct arena *a, const json_t *j, struct record_task *t)
{
	const json_t *list = json_get_arr(j, "labels");
	const char **w = arena_alloc(a, (json_array_size(list) + 1) * sizeof(*w));

	t->labels = w;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (field_str(json_array_get(list, i), "name"))
			w[t->n_labels++] = field_str(json_array_get(list, i), "name");
}

static void task_change(const json_t *issue, const json_t *pull, struct record_task *t)
{
	const json_t *meta = json_get_obj(issue, "pull_request");

	t->change = meta != NULL;
	t->draft = json_get_bool(meta, "draft") || json_get_bool(pull, "draft");
	if (json_get_bool(meta, "merged"))
		t->state = TASK_MERGED;
	t->head = field_str(json_get_obj(pull, "head"), "sha");
	t->base = field_str(pull, "merge_base");
	if (!t->base)
		t->base = field_str(json_get_obj(pull, "base"), "sha");
	t->head_ref = field_str(json_get_obj(pull, "head"), "ref");
	t->base_ref = field_str(json_get_obj(pull, "base"), "ref");
}

int gitea_emit_task(struct gitea *g, const json_t *issue, const json_t *pull, struct err *e)
{
	struct arena *a = remote_arena(g->r);
	int64_t number = json_get_int(issue, "number", 0);
	struct record rec = { .type = RECORD_TASK };
	struct record_task *t = &rec.task;

	if (number <= 0)
		return err_set(e, ERR_BAD_DATA, "a task has no number");
	*t = (struct record_task){
		.key = str_num(a, number), .name = arena_printf(a, "%s-%lld", g->prefix, (long long)number),
		.state = field_is(issue, "state", "closed") ? TASK_CLOSED : TASK_OPEN, .locked = json_get_bool(issue, "is_locked"),
		.title = field_str(issue, "title"), .body = field_text(a, issue, "body"), .author = gitea_person(json_get_obj(issue, "user")),
		.milestone = field_str(json_get_obj(issue, "milestone"), "title"), .created = field_time(issue, "created_at"),
		.updated = field_time(issue, "updated_at"), .n_notes = json_get_int(issue, "comments", -1),
	};
	task_people(a, issue, t);
	task_labels(a, issue, t);
	task_change(issue, pull, t);
	t->url = arena_printf(a, "%s/%s/%lld", g->web, t->change ? "pulls" : "issues", (long long)number);
	return remote_emit(g->r, &rec, e);
}

static int64_t comment_task(const json_t *j, bool *change)
{
	int64_t n = url_number(field_str(j, "issue_url"));

	*change = n == 0;
	return n ? n : url_number(field_str(j, "pull_request_url"));
}

int gitea_emit_comments(struct gitea *g, const json_t *list, struct err *e)
{
	size_t n = json_array_size(list), *counts;
	int64_t *ids = arena_alloc(remote_arena(g->r), (n + 1) * sizeof(*ids));
	struct reaction **reactions;
	bool known;

	for (size_t i = 0; i < n; i++)
		ids[i] = json_get_int(json_array_get(list, i), "id", 0);
	if (reactions_load(g, ids, n, &reactions, &counts, &known, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct arena *a = remote_arena(g->r);
		const json_t *j = json_array_get(list, i), *user = json_get_obj(j, "user");
		bool change, mine = gitea_is_me(g, user);
		int64_t task = comment_task(j, &change);
		struct record rec = { .type = RECORD_NOTE, .note = {
			.key = str_num(a, ids[i]), .task = str_num(a, task), .kind = NOTE_COMMENT, .author = gitea_person(user),
			.created = field_time(j, "created_at"), .updated = field_time(j, "updated_at"), .body = field_text(a, j, "body"),
			.url = arena_printf(a, "%s/%s/%lld#issuecomment-%lld", g->web, change ? "pulls" : "issues", (long long)task,
					    (long long)ids[i]),
			.can_edit = mine, .can_delete = mine, .reactions = reactions[i], .n_reactions = counts[i],
			.reactions_unknown = !known,
		} };
		if (ids[i] > 0 && task > 0 && remote_emit(g->r, &rec, e))
			return -1;
	}
	return 0;
}

int64_t gitea_review_row(const json_t *review)
{
	const char *url = json_get_str(review, "html_url"), *hash = url ? strstr(url, "#issuecomment-") : NULL;
	uint64_t n = 0;

	return hash && str_to_u64(hash + strlen("#issuecomment-"), INT64_MAX, &n) ? (int64_t)n : 0;
}

int gitea_emit_review(struct gitea *g, const char *task, const json_t *review, const json_t *now, const struct reaction *reactions,
    size_t n_reactions, bool known, struct err *e)
{
	static const struct { const char *state, *verdict; } verdicts[] = {
		{ "APPROVED", "approve" }, { "REQUEST_CHANGES", "request-changes" }, { "COMMENT", "comment" }, { "PENDING", NULL },
	};
	struct arena *a = remote_arena(g->r);
	const json_t *user = json_get_obj(review, "user");
	const char *state = json_get_str(review, "state"), *web = strrchr(field_text(a, review, "html_url"), '#');
	struct record rec = { .type = RECORD_NOTE, .note = {
		.key = arena_printf(a, "v%lld", (long long)json_get_int(review, "id", 0)), .task = task,
		.kind = NOTE_REVIEW, .author = gitea_person(user), .created = field_time(review, "submitted_at"),
		.updated = field_time(now ? now : review, "updated_at"), .body = field_text(a, now ? now : review, "body"),
		.pending = state && !strcmp(state, "PENDING"), .can_edit = gitea_is_me(g, user) && web,
		.url = arena_printf(a, "%s/pulls/%s%s", g->web, task, web ? web : ""),
		.reactions = reactions, .n_reactions = n_reactions, .reactions_unknown = !known,
	} };

	for (size_t k = 0; state && k < ARRAY_SIZE(verdicts); k++)
		if (!strcmp(verdicts[k].state, state))
			rec.note.verdict = verdicts[k].verdict;
	if (json_get_bool(review, "dismissed"))
		rec.note.verdict = "dismissed";
	return remote_emit(g->r, &rec, e);
}

/* Those with a text have reactions, as rows among the comments. */
static int emit_reviews(struct gitea *g, const struct gitea_talk *t, struct err *e)
{
	struct arena *k = remote_keep(g->r);
	int64_t *ids = arena_alloc(k, (t->reviews.len + 1) * sizeof(*ids));
	struct reaction **reactions;
	size_t *counts, n = 0;
	bool known;

	for (size_t i = 0; i < t->reviews.len; i++)
		if (field_str(t->reviews.items[i], "body") && gitea_review_row(t->reviews.items[i]))
			ids[n++] = gitea_review_row(t->reviews.items[i]);
	if (reactions_load(g, ids, n, &reactions, &counts, &known, e))
		return -1;
	n = 0;
	for (size_t i = 0; i < t->reviews.len; i++) {
		const json_t *j = t->reviews.items[i];
		bool has = field_str(j, "body") && gitea_review_row(j);
		if (gitea_emit_review(g, str_num(remote_arena(g->r), t->number), j, NULL, has ? reactions[n] : NULL, has ? counts[n] : 0,
				      known, e))
			return -1;
		n += has;
	}
	return 0;
}

/* The commit whose lines are counted is the change's head when the review was made. commit_id of a note is another: the last
 * that touched the line, where it may have stood elsewhere (Gitea's CreateCodeComment asks blame). */
static const char *note_commit(const struct gitea_talk *t, const struct gitea_note *n)
{
	const char *c = field_str(t->reviews.items[n->review], "commit_id");

	if (!c)
		c = field_str(json_get_obj(t->pull, "head"), "sha");
	return c ? c : field_str(n->json, "commit_id");
}

static int emit_note(struct gitea *g, const struct gitea_talk *t, const struct gitea_note *n, const struct gitea_note *root,
    const struct reaction *reactions, size_t n_reactions, bool known, struct err *e)
{
	struct arena *a = remote_arena(g->r);
	const json_t *user = json_get_obj(n->json, "user");
	bool mine = gitea_is_me(g, user);
	struct anchor an = { .type = n->line > 0 && n->line <= INT32_MAX ? ANCHOR_LINES : ANCHOR_FILE, .side = n->side,
		.path = n->path, .line = (uint32_t)n->line, .end = (uint32_t)n->line, .commit = note_commit(t, n) };
	struct record rec = { .type = RECORD_NOTE, .note = {
		.key = str_num(a, n->id), .task = str_num(a, t->number), .thread = n->thread,
		.reply_to = n == root ? NULL : str_num(a, root->id), .kind = NOTE_CODE, .author = gitea_person(user),
		.created = field_time(n->json, "created_at"), .updated = field_time(n->json, "updated_at"),
		.body = field_text(a, n->json, "body"), .anchor = &an, .pending = field_is(t->reviews.items[n->review], "state", "PENDING"),
		.url = arena_printf(a, "%s/pulls/%lld#issuecomment-%lld", g->web, (long long)t->number, (long long)n->id),
		.can_edit = mine, .can_delete = mine, .reactions = reactions, .n_reactions = n_reactions, .reactions_unknown = !known,
	} };

	if (an.type == ANCHOR_FILE)
		an.line = an.end = 0;
	anchor_quote_hunk(a, &an, text_lf(a, json_get_str(n->json, "diff_hunk") ? json_get_str(n->json, "diff_hunk") : ""));
	return remote_emit(g->r, &rec, e);
}

static int emit_thread(struct gitea *g, const struct gitea_talk *t, const struct gitea_note *root, struct err *e)
{
	struct arena *a = remote_arena(g->r);
	const json_t *by = json_get_obj(root->json, "resolver");
	struct record rec = { .type = RECORD_THREAD, .thread = {
		.key = root->thread, .task = str_num(a, t->number), .handle = str_num(a, root->id), .resolved = by != NULL,
		.by = gitea_person(by), .can_resolve = g->caps & CAP_RESOLVE, .can_reply = g->caps & CAP_REPLY,
	} };

	return remote_emit(g->r, &rec, e);
}

/* Every review and code note that there is, so that what was deleted goes. */
static int emit_talk_list(struct gitea *g, const struct gitea_talk *t, struct err *e)
{
	static const char *const kinds[] = { "review", "code" };
	struct arena *a = remote_arena(g->r);
	const char **keys = arena_alloc(a, (t->reviews.len + t->notes.len + 1) * sizeof(*keys));
	struct record rec = { .type = RECORD_LIST, .list = { .task = str_num(a, t->number), .kinds = kinds, .n_kinds = 2, .keys = keys } };

	for (size_t i = 0; i < t->reviews.len; i++)
		keys[rec.list.n_keys++] = arena_printf(a, "v%lld", (long long)json_get_int(t->reviews.items[i], "id", 0));
	for (size_t i = 0; i < t->notes.len; i++)
		keys[rec.list.n_keys++] = str_num(a, t->notes.items[i].id);
	return remote_emit(g->r, &rec, e);
}

static int emit_talk(struct gitea *g, const struct gitea_talk *t, struct err *e)
{
	int64_t *ids = arena_alloc(remote_arena(g->r), (t->notes.len + 1) * sizeof(*ids));
	const struct gitea_note *root = NULL;
	struct reaction **reactions;
	size_t *counts;
	bool known;

	for (size_t i = 0; i < t->notes.len; i++)
		ids[i] = t->notes.items[i].id;
	if (emit_reviews(g, t, e) || reactions_load(g, ids, t->notes.len, &reactions, &counts, &known, e))
		return -1;
	for (size_t i = 0; i < t->notes.len; i++) {
		const struct gitea_note *n = &t->notes.items[i];
		if (!root || strcmp(root->thread, n->thread)) {
			root = n;
			if (emit_thread(g, t, root, e))
				return -1;
		}
		if (emit_note(g, t, n, root, reactions[i], counts[i], known, e))
			return -1;
	}
	return t->whole ? emit_talk_list(g, t, e) : 0;
}

/* ---- the streams ---- */

struct seen { int64_t task, note; };
struct walk {
	struct gitea *g;
	int64_t since, start, page, per;
	int stream;
	bool full;
	int64_t total, least, done;    /* of this stream */
	ARRAY(int64_t) tasks;          /* of a full pull: all of them, and every plain note */
	ARRAY(struct seen) notes;
};

static const char *cursor_make(struct walk *w, bool end)
{
	struct arena *a = remote_arena(w->g->r);
	json_t *j = json_object();
	struct buf b = BUF_INIT;
	const char *out;

	json_put_int(j, "since", end ? w->start - OVERLAP_MS : w->since);
	if (!end) {
		json_put_int(j, "start", w->start);
		json_put_int(j, "stream", w->stream);
		json_put_int(j, "page", w->page);
		json_put_int(j, "per", w->per);
	}
	json_write(&b, j);
	json_decref(j);
	out = arena_memdup(a, b.ptr, b.len);
	buf_release(&b);
	return out;
}

static int cursor_read(struct walk *w, const char *cursor, struct err *e)
{
	json_t *j;

	w->page = 1;
	w->per = PER_PAGE;
	if (!*cursor || w->full)
		return 0;
	j = json_read(cursor, strlen(cursor), "the cursor", e);
	if (!j)
		return -1;
	w->since = json_get_int(j, "since", 0);
	w->start = json_get_int(j, "start", 0);
	w->stream = json_get_int(j, "stream", 0) == 1;
	w->page = json_get_int(j, "page", 1);
	w->per = json_get_int(j, "per", PER_PAGE);
	w->page = w->page > 2 ? w->page - 1 : 1;     /* what was deleted since pulled others forward */
	w->per = w->per > 0 && w->per <= PER_PAGE ? w->per : PER_PAGE;
	json_decref(j);
	return 0;
}

static int issues_page(struct walk *w, const json_t *list, struct err *e)
{
	size_t n = json_array_size(list), changes = 0, at = 0;
	struct gitea_talk *talks = xcalloc(n + 1, sizeof(*talks));
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		if (json_get_obj(json_array_get(list, i), "pull_request"))
			talks[changes++].number = json_get_int(json_array_get(list, i), "number", 0);
	if (changes)
		rc = gitea_talks_load(w->g, talks, changes, e);
	for (size_t i = 0; !rc && i < n; i++) {
		const json_t *j = json_array_get(list, i);
		struct gitea_talk *t = json_get_obj(j, "pull_request") ? &talks[at++] : NULL;
		if (w->full)
			*array_add(&w->tasks) = json_get_int(j, "number", 0);
		rc = gitea_emit_task(w->g, j, t ? t->pull : NULL, e) || (t && emit_talk(w->g, t, e)) ? -1 : 0;
	}
	for (size_t i = 0; i < changes; i++)
		gitea_talk_release(&talks[i]);
	free(talks);
	return rc;
}

static int notes_page(struct walk *w, const json_t *list, struct err *e)
{
	bool change;

	for (size_t i = 0; w->full && i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		*array_add(&w->notes) = (struct seen){ comment_task(j, &change), json_get_int(j, "id", 0) };
	}
	return gitea_emit_comments(w->g, list, e);
}

static const struct { const char *what, *path; int (*take)(struct walk *w, const json_t *list, struct err *e); } streams[] = {
	{ "tasks", "issues?state=all&", issues_page }, { "notes", "issues/comments?", notes_page },
};

static const char *page_path(struct walk *w, int64_t page)
{
	struct arena *k = remote_keep(w->g->r);
	char t[TIME_RFC3339_SIZE];

	return arena_printf(k, "%s/%s%s%s%spage=%lld&limit=%lld", w->g->repo, streams[w->stream].path, w->since > 0 ? "since=" : "",
			    w->since > 0 ? time_rfc3339(t, w->since) : "", w->since > 0 ? "&" : "", (long long)page, (long long)w->per);
}

static int walk_page(struct walk *w, const struct http_answer *a, struct err *e)
{
	if (!json_is_array(a->json))
		return err_set(e, ERR_BAD_DATA, "the list of %s is no list", streams[w->stream].what);
	if (!w->start || (a->date && w->start > a->date + DAY_MS))   /* its clock was wrong when it began */
		w->start = a->date ? a->date : clock_now() - OVERLAP_MS;
	if (a->total >= 0 && (w->least < 0 || a->total < w->least))
		w->least = a->total;
	w->done += (int64_t)json_array_size(a->json);
	if (streams[w->stream].take(w, a->json, e))
		return -1;
	w->page++;
	remote_progress(w->g->r, streams[w->stream].what, w->done, w->total);
	return remote_page(w->g->r, cursor_make(w, false), e);
}

static int walk_take(void *ctx, size_t i UNUSED, struct http_answer *a, const struct err *failed, struct err *e)
{
	if (failed)
		return err_set(e, failed->code, "%s", failed->msg);
	return walk_page(ctx, a, e) ? -1 : json_array_size(a->json) == 0;   /* fewer than were told */
}

/* The pages behind the first, side by side; where the server does not say how many, one by one until one is empty. */
static int walk_rest(struct walk *w, size_t got, struct err *e)
{
	struct arena *k = remote_keep(w->g->r);
	int64_t last = w->total < 0 ? 0 : (w->total + w->per - 1) / w->per, n = last - w->page + 1;
	const char **paths;

	while (w->total < 0 && got > 0) {
		struct http_answer a;
		int rc;
		if (w->page > PAGES_MAX)
			return err_set(e, ERR_BAD_DATA, "the list of %s does not end (more than %d pages)", streams[w->stream].what, PAGES_MAX);
		if (http_get(w->g->h, &a, e, "%s", page_path(w, w->page)))
			return -1;
		got = json_array_size(a.json);
		rc = walk_page(w, &a, e);
		http_answer_release(&a);
		if (rc)
			return -1;
	}
	if (n <= 0)
		return 0;
	paths = arena_alloc(k, (size_t)n * sizeof(*paths));
	for (int64_t i = 0; i < n; i++)
		paths[i] = page_path(w, w->page + i);
	return http_each(w->g->h, paths, NULL, (size_t)n, walk_take, w, e);
}

static int walk_round(struct walk *w, struct err *e)
{
	struct http_answer a;
	bool first = w->page == 1;
	size_t got;
	int rc;

	w->least = w->total = -1;
	w->done = (w->page - 1) * w->per;
	if (http_get(w->g->h, &a, e, "%s", page_path(w, w->page)))
		return -1;
	if (w->since > (a.date ? a.date : clock_now()) + DAY_MS) {
		/* By a clock that was wrong for a while: there would never be anything new again. */
		http_answer_release(&a);
		w->since = w->start = 0;
		w->page = 1;
		return walk_round(w, e);
	}
	got = json_array_size(a.json);
	w->total = a.total / w->per < PAGES_MAX ? a.total : -1;   /* who counts more than can be is not believed */
	if (first && got > 0 && (int64_t)got < w->per && (int64_t)got < w->total)
		w->per = (int64_t)got;         /* the server's own limit */
	rc = walk_page(w, &a, e);
	http_answer_release(&a);
	return rc || walk_rest(w, got, e) ? -1 : 0;
}

static int walk_stream(struct walk *w, struct err *e)
{
	if (walk_round(w, e))
		return -1;
	if (w->least >= w->total)
		return 0;
	w->page = 1;
	if (w->stream == 0)
		w->tasks.len = 0;
	else
		w->notes.len = 0;
	return walk_round(w, e);
}

/* ---- a full pull: what is not there any more ---- */

static int emit_gone(struct gitea *g, const char *task, struct err *e)
{
	struct record rec = { .type = RECORD_GONE, .gone = { .of = RECORD_TASK, .key = task, .why = "deleted" } };

	return remote_emit(g->r, &rec, e);
}

static int number_order(const void *pa, const void *pb)
{
	const int64_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

struct gaps { struct gitea *g; const char **keys; };

/* What is hidden from us is not gone; a server that wants rest, or is away, gets no thousand questions more. */
static int take_gap(void *ctx, size_t i, struct http_answer *a UNUSED, const struct err *failed, struct err *e)
{
	struct gaps *x = ctx;

	if (failed && failed->code == ERR_NOT_FOUND)
		return emit_gone(x->g, x->keys[i], e);
	if (failed && failed->code != ERR_AUTH && failed->code != ERR_REFUSED && failed->code != ERR_BAD_DATA)
		return err_set(e, failed->code, "%s", failed->msg);
	return 0;
}

/* Tasks are numbered one by one: a number that no list has is asked for, and gone if it is not there. */
static int emit_gaps(struct walk *w, struct err *e)
{
	struct arena *k = remote_keep(w->g->r);
	ARRAY(const char *) keys = ARRAY_INIT, paths = ARRAY_INIT;
	struct gaps x = { .g = w->g };
	int64_t want = 1;
	int rc = 0;

	if (w->tasks.len)
		qsort(w->tasks.items, w->tasks.len, sizeof(*w->tasks.items), number_order);
	for (size_t i = 0; i < w->tasks.len; i++) {
		int64_t there = w->tasks.items[i];

		for (; want < there && keys.len < GAPS_MAX; want++) {
			*array_add(&keys) = str_num(k, want);
			*array_add(&paths) = arena_printf(k, "%s/issues/%lld", w->g->repo, (long long)want);
		}
		want = there < INT64_MAX ? there + 1 : there;
	}
	x.keys = keys.items;
	if (paths.len)
		rc = http_each(w->g->h, paths.items, NULL, paths.len, take_gap, &x, e);
	array_release(&keys);
	array_release(&paths);
	return rc;
}

static int seen_order(const void *pa, const void *pb)
{
	const struct seen *a = pa, *b = pb;

	return (a->task > b->task) - (a->task < b->task);
}

static int emit_list(struct walk *w, int64_t task, const struct seen *s, size_t n, struct err *e)
{
	static const char *const kinds[] = { "comment" };
	struct arena *a = remote_arena(w->g->r);
	const char **keys = arena_alloc(a, (n + 1) * sizeof(*keys));
	struct record rec = { .type = RECORD_LIST, .list = { .task = str_num(a, task), .kinds = kinds, .n_kinds = 1, .keys = keys } };

	for (; rec.list.n_keys < n; rec.list.n_keys++)
		keys[rec.list.n_keys] = str_num(a, s[rec.list.n_keys].note);
	return remote_emit(w->g->r, &rec, e);
}

static int emit_lists(struct walk *w, struct err *e)
{
	const struct seen *s = w->notes.items;
	size_t n = w->notes.len, from, to;

	if (n)
		qsort(w->notes.items, n, sizeof(*w->notes.items), seen_order);
	for (size_t i = 0; i < w->tasks.len; i++) {
		size_t lo = 0, hi = n;
		while (lo < hi) {
			size_t mid = (lo + hi) / 2;
			if (s[mid].task < w->tasks.items[i])
				lo = mid + 1;
			else
				hi = mid;
		}
		for (from = to = lo; to < n && s[to].task == w->tasks.items[i];)
			to++;
		if (emit_list(w, w->tasks.items[i], s + from, to - from, e))
			return -1;
	}
	return 0;
}

int gitea_pull(struct remote *r, const char *cursor, bool full, struct err *e)
{
	struct gitea g;
	struct walk w = { .g = &g, .full = full, .tasks = ARRAY_INIT, .notes = ARRAY_INIT };
	int rc = -1;

	if (gitea_init(&g, r, e) || cursor_read(&w, cursor, e))
		goto out;
	g.reactions = w.since > 0 ? REACTIONS_MAX : 0;
	if (w.stream == 0) {
		if (walk_stream(&w, e))
			goto out;
		w.stream = 1;
		w.page = 1;
		w.per = PER_PAGE;
	}
	if (walk_stream(&w, e) || (full && (emit_lists(&w, e) || emit_gaps(&w, e))))
		goto out;
	rc = remote_page(r, cursor_make(&w, true), e);
out:
	array_release(&w.tasks);
	array_release(&w.notes);
	return rc;
}

/* ---- one task ---- */

static int look_comments(struct gitea *g, int64_t number, struct err *e)
{
	struct walk w = { .g = g, .notes = ARRAY_INIT };
	struct http_answer a;
	int rc;

	if (http_get(g->h, &a, e, "%s/issues/%lld/comments", g->repo, (long long)number))
		return -1;
	for (size_t i = 0; i < json_array_size(a.json); i++)
		*array_add(&w.notes) = (struct seen){ number, json_get_int(json_array_get(a.json, i), "id", 0) };
	rc = gitea_emit_comments(g, a.json, e) || emit_list(&w, number, w.notes.items, w.notes.len, e) ? -1 : 0;
	array_release(&w.notes);
	http_answer_release(&a);
	return rc;
}

/* A task that is not there, in a project that is: it was deleted. */
static int look_gone(struct gitea *g, const char *task, struct err *e)
{
	struct http_answer a;
	struct err no = ERR_INIT;

	if (e->code != ERR_NOT_FOUND || http_get(g->h, &a, &no, "%s", g->repo))
		return -1;
	http_answer_release(&a);
	err_clear(e);
	return emit_gone(g, task, e);
}

int gitea_look(struct remote *r, const char *task, struct err *e)
{
	struct gitea g;
	struct gitea_talk t = { 0 };
	struct http_answer a;
	bool change;
	int rc = -1;

	if (gitea_init(&g, r, e) || !gitea_digits(task, e))
		return -1;
	if (http_get(g.h, &a, e, "%s/issues/%s", g.repo, task))
		return look_gone(&g, task, e);
	g.reactions = REACTIONS_MAX;
	change = json_get_obj(a.json, "pull_request") != NULL;
	t.number = json_get_int(a.json, "number", 0);
	if (change && gitea_talks_load(&g, &t, 1, e))
		goto out;
	rc = gitea_emit_task(&g, a.json, t.pull, e) || look_comments(&g, t.number, e) || (change && emit_talk(&g, &t, e)) ? -1 : 0;
out:
	gitea_talk_release(&t);
	http_answer_release(&a);
	return rc;
}
