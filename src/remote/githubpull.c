/* SPDX-License-Identifier: MIT */
/*
 * Reading GitHub. Whole lists are githubfirst.c's. After the first pull, three streams are polled by the
 * time of change (issues with changes among them, comments, code notes), and the last page of notes on commits: four requests
 * under way together, answered 304 when nothing is new. A stream is walked by time, never by page number, whose ground moves
 * (rest-apis.md 1.4). Where a stream goes on: at its newest item, but not later than OVERLAP before the server's clock, since lists
 * lag; so its address stays the same while nothing is new, and its ETag is worth something.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "fields.h"
#include "githubpull.h"

static const int64_t MINUTE = 60000;

/* ---- the cursor ---- */

static const char *const time_names[] = { "issues", "comments", "code" };

static const char *cursor_text(struct pull *p)
{
	json_t *j = json_object(), *since = json_object(), *newest = json_object();
	struct buf b = BUF_INIT;
	const char *text;

	json_put_int(j, "v", 1);
	if (p->c.stage) {
		json_put_int(j, "stage", p->c.stage);
		json_put_int(j, "page", p->c.page);
		json_put_time(j, "start", p->c.start);
	}
	for (size_t i = 0; i < COMMITS; i++) {
		json_put_time(since, time_names[i], p->c.since[i]);
		json_put_time(newest, time_names[i], p->c.newest[i]);
	}
	json_object_set_new(j, "since", since);
	json_object_set_new(j, "newest", newest);
	json_put_int(j, "commits", p->c.commits);
	json_put_int(j, "top", p->c.top);
	json_write(&b, j);
	text = arena_strdup(remote_arena(p->g.r), b.ptr);
	json_decref(j);
	buf_release(&b);
	return text;
}

static int cursor_parse(const char *text, struct cursor *c, struct err *e)
{
	json_t *j;

	*c = (struct cursor){ .stage = FIRST_ISSUES, .page = 1 };
	if (!*text)
		return 0;
	j = json_read(text, strlen(text), "the cursor", e);
	if (!j)
		return -1;
	if (json_get_int(j, "v", 0) == 1) {   /* of another version: everything anew */
		c->stage = json_get_int(j, "stage", 0);
		c->page = json_get_int(j, "page", 1);
		c->start = field_time(j, "start");
		c->commits = json_get_int(j, "commits", 1);
		c->top = json_get_int(j, "top", 0);
		for (size_t i = 0; i < COMMITS; i++) {
			c->since[i] = field_time(json_get_obj(j, "since"), time_names[i]);
			c->newest[i] = field_time(json_get_obj(j, "newest"), time_names[i]);
		}
	}
	json_decref(j);
	if (c->stage < 0 || c->stage >= FIRST_END || c->page < 1)
		*c = (struct cursor){ .stage = FIRST_ISSUES, .page = 1 };
	return 0;
}

int pull_end_page(struct pull *p, struct err *e)
{
	return remote_page(p->g.r, p->full ? p->old : cursor_text(p), e);
}

/* ---- one item ---- */

void pull_count_task(struct pull *p, const json_t *j)
{
	const char *key = field_key(remote_keep(p->g.r), j, "number");
	uint64_t number;

	if (!key || !str_to_u64(key, INT64_MAX, &number))
		return;
	if ((int64_t)number > p->c.top)
		p->c.top = (int64_t)number;
	if (p->full)
		*array_add(&p->tasks) = (struct counted){ key, number, json_get_int(j, "comments", -1), -1, p->stage_pages };
}

static void count_note(struct pull *p, const struct record *rec, enum gh_kind kind)
{
	uint64_t task = 0;

	if (!p->full || (rec->note.task && !str_to_u64(rec->note.task, INT64_MAX, &task)))
		return;
	*array_add(&p->notes) = (struct have){ task, arena_strdup(remote_keep(p->g.r), rec->note.key), kind };
}

int pull_emit_task(struct pull *p, const json_t *j, struct err *e)
{
	struct record rec;

	return gh_task(&p->g, j, &rec) ? remote_emit(p->g.r, &rec, e) : 0;
}

int pull_emit_note(struct pull *p, const json_t *j, gh_record_fn *read, enum gh_kind kind, struct err *e)
{
	struct record rec;

	if (!read(&p->g, j, &rec))
		return 0;
	count_note(p, &rec, kind);
	return remote_emit(p->g.r, &rec, e);
}

/* A note on a commit's diff has a position in the diff: the commit's files say which line that is. */
static void commit_files(struct pull *p, const char *sha)
{
	struct http_answer a;

	if (p->sha && !strcmp(p->sha, sha))
		return;
	json_decref(p->files);
	p->files = NULL;
	p->sha = arena_strdup(remote_keep(p->g.r), sha);
	if (strlen(sha) != 40 || !str_is_hex(sha, 40) || http_get(p->g.h, &a, NULL, "%s/commits/%s", p->g.repo, sha))
		return;
	p->files = json_incref(json_get_arr(a.json, "files"));
	http_answer_release(&a);
}

static void place_commit_note(struct pull *p, const json_t *j, struct record *rec)
{
	int64_t position = json_get_int(j, "position", 0);
	struct anchor *an = ARENA_NEW(remote_arena(p->g.r), struct anchor);

	if (!rec->note.anchor->path || rec->note.anchor->line || position < 1)
		return;
	*an = *rec->note.anchor;
	commit_files(p, an->commit);
	for (size_t i = 0; i < json_array_size(p->files); i++) {
		const json_t *f = json_array_get(p->files, i);
		const char *path = json_get_str(f, "filename"), *patch = json_get_str(f, "patch");
		if (!path || !patch || strcmp(path, an->path) || !patch_line(patch, position, &an->line, &an->side))
			continue;
		an->end = an->line;
		an->type = ANCHOR_LINES;
		rec->note.anchor = an;
	}
}

int pull_emit_commit_note(struct pull *p, const json_t *j, struct err *e)
{
	struct record rec;

	if (!gh_commit_note(&p->g, j, &rec))
		return 0;
	place_commit_note(p, j, &rec);
	count_note(p, &rec, GH_COMMIT);
	return remote_emit(p->g.r, &rec, e);
}

int pull_emit_gone(struct pull *p, const char *task, const char *why, struct err *e)
{
	struct record rec = { .type = RECORD_GONE, .gone = { .of = RECORD_TASK, .key = task, .why = why } };

	return remote_emit(p->g.r, &rec, e);
}

/* ---- changes ---- */

static bool was_talked(const struct pull *p, const char *task)
{
	for (size_t i = 0; i < p->talked.len; i++)
		if (!strcmp(p->talked.items[i], task))
			return true;
	return false;
}

static struct counted *counted_find(struct pull *p, const char *task)
{
	for (size_t i = 0; i < p->tasks.len; i++)
		if (!strcmp(p->tasks.items[i].key, task))
			return &p->tasks.items[i];
	return NULL;
}

void pull_count_code(struct pull *p, const char *const *tasks, const int64_t *counts, size_t n)
{
	for (size_t i = 0; p->full && i < n; i++) {
		struct counted *c = counted_find(p, tasks[i]);
		if (c)
			c->code = counts[i];
	}
}

/* Reviews and threads of these changes, read in this run. */
static int talk(struct pull *p, const char *const *tasks, size_t n, struct err *e)
{
	int64_t *counts = xcalloc(n + 1, sizeof(*counts));
	int rc = gh_talk(&p->g, &(struct gh_talk){ .tasks = tasks, .n = n, .counts = counts, .lists = p->full }, e);

	pull_count_code(p, tasks, counts, n);
	for (size_t i = 0; !rc && i < n; i++)
		*array_add(&p->talked) = tasks[i];
	free(counts);
	return rc;
}

/* ---- what changed since ---- */

/* Changes among the changed issues: whole, then their talk. */
struct changed { struct pull *p; ARRAY(const char *) keys, paths; };

static void changed_add(struct changed *c, const char *key)
{
	struct arena *keep = remote_keep(c->p->g.r);

	for (size_t i = 0; i < c->keys.len; i++)
		if (!strcmp(c->keys.items[i], key))
			return;
	*array_add(&c->keys) = arena_strdup(keep, key);
	*array_add(&c->paths) = arena_printf(keep, "%s/pulls/%s", c->p->g.repo, key);
}

static int on_change(void *ctx, size_t i UNUSED, struct http_answer *a, const struct err *failed, struct err *e)
{
	struct changed *c = ctx;

	if (failed)
		return failed->code == ERR_NOT_FOUND ? 0 : err_set(e, failed->code, "%s", failed->msg);
	return pull_emit_task(c->p, a->json, e);
}

static int changed_read(struct changed *c, bool whole, struct err *e)
{
	if (whole && http_each(c->p->g.h, c->paths.items, NULL, c->paths.len, on_change, c, e))
		return -1;
	return talk(c->p, c->keys.items, c->keys.len, e);
}

static void changed_release(struct changed *c)
{
	array_release(&c->keys);
	array_release(&c->paths);
}

static int issues_items(struct pull *p, const json_t *list, struct err *e)
{
	struct changed c = { .p = p };
	int rc = 0;

	for (size_t i = 0; !rc && i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		const char *key = field_key(remote_arena(p->g.r), j, "number");
		pull_count_task(p, j);
		if (!gh_is_pull(j))
			rc = pull_emit_task(p, j, e);
		else if (key)
			changed_add(&c, key);
	}
	if (!rc && c.keys.len)
		rc = changed_read(&c, true, e);
	changed_release(&c);
	return rc;
}

static int comments_items(struct pull *p, const json_t *list, struct err *e)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (pull_emit_note(p, json_array_get(list, i), gh_comment, GH_COMMENT, e))
			return -1;
	return 0;
}

/* A new thread needs its handle: where its change was not among the changed issues, it is asked for. */
static int code_items(struct pull *p, const json_t *list, struct err *e)
{
	struct changed c = { .p = p };
	int rc = 0;

	for (size_t i = 0; !rc && i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		const char *task = gh_tail(remote_arena(p->g.r), json_get_str(j, "pull_request_url"));
		rc = pull_emit_note(p, j, gh_code, GH_CODE, e);
		if (task && !was_talked(p, task))
			changed_add(&c, task);
	}
	if (!rc && c.keys.len)
		rc = changed_read(&c, false, e);
	changed_release(&c);
	return rc;
}

static const struct {
	const char *what, *path;
	int (*items)(struct pull *p, const json_t *list, struct err *e);
} streams[] = {
	[ISSUES] = { "issues", "issues?state=all&sort=updated&direction=asc&per_page=100", issues_items },
	[COMMENTS] = { "comments", "issues/comments?sort=updated&direction=asc&per_page=100", comments_items },
	[CODE] = { "code notes", "pulls/comments?sort=updated&direction=asc&per_page=100", code_items },
};

static const char *stream_path(struct pull *p, enum stream s, int64_t since, int64_t page)
{
	char t[TIME_RFC3339_SIZE];
	struct arena *keep = remote_keep(p->g.r);

	return arena_printf(keep, page > 1 ? "%s/%s&since=%s&page=%lld" : "%s/%s&since=%s", p->g.repo, streams[s].path,
			    http_escaped(keep, time_rfc3339(t, since > 0 ? since : 0)), (long long)page);
}

static int64_t last_updated(const json_t *list)
{
	size_t n = json_array_size(list);

	return n ? field_time(json_array_get(list, n - 1), "updated_at") : 0;
}

static int stream_items(struct pull *p, enum stream s, const struct http_answer *a, struct err *e)
{
	int64_t newest = last_updated(a->json);

	if (!json_is_array(a->json))
		return err_set(e, ERR_BAD_DATA, "GitHub: the %s are not a list", streams[s].what);
	if (streams[s].items(p, a->json, e))
		return -1;
	if (newest > p->c.newest[s])
		p->c.newest[s] = newest;
	p->done += (int64_t)json_array_size(a->json);
	remote_progress(p->g.r, streams[s].what, p->done, -1);
	return 0;
}

/* Goes on behind a full page: at the time of its last item, or, where a whole page is of one second, at the next page. */
static int stream_walk(struct pull *p, enum stream s, int64_t last, struct err *e)
{
	int64_t since = p->c.since[s], page = 1;
	bool more = true;
	int rc = 0;

	for (size_t n = 0; more && !rc; n++) {
		struct http_answer a;

		page = last > since ? 1 : page + 1;
		since = last > since ? last : since;
		p->c.since[s] = since;
		if (n > 20000)
			return err_set(e, ERR_BAD_DATA, "GitHub: the %s do not end", streams[s].what);
		if (pull_end_page(p, e) || http_get(p->g.h, &a, e, "%s", stream_path(p, s, since, page)))
			return -1;
		rc = stream_items(p, s, &a, e);
		more = a.next != NULL;
		last = last_updated(a.json);
		http_answer_release(&a);
	}
	return rc;
}

static int stream_read(struct pull *p, enum stream s, const struct http_answer *a, struct err *e)
{
	int64_t date = a->date ? a->date : clock_now(), next;

	if (!a->fresh && !a->next)
		return 0;
	if (stream_items(p, s, a, e) || (a->next && stream_walk(p, s, last_updated(a->json), e)))
		return -1;
	date -= OVERLAP + date % MINUTE;   /* whole minutes: polls of one minute have one address, and its ETag */
	next = p->c.newest[s] < date ? p->c.newest[s] : date;
	if (next > p->c.since[s])
		p->c.since[s] = next;
	return pull_end_page(p, e);
}

/* A cursor that lies in the future, by a clock that was wrong for a while, would never find anything again. */
static int stream_anew(struct pull *p, enum stream s, struct err *e)
{
	struct http_answer a;
	int rc;

	p->c.since[s] = p->c.newest[s] = 0;
	if (http_get(p->g.h, &a, e, "%s", stream_path(p, s, 0, 1)))
		return -1;
	rc = stream_read(p, s, &a, e);
	http_answer_release(&a);
	return rc;
}

static int commits_read(struct pull *p, const struct http_answer *first, struct err *e)
{
	struct http_answer a = *first;
	bool more = true;
	int rc = 0;

	if (!first->fresh && !first->next)
		return 0;
	while (!rc) {
		for (size_t i = 0; !rc && i < json_array_size(a.json); i++)
			rc = pull_emit_commit_note(p, json_array_get(a.json, i), e);
		more = a.next != NULL;
		if (a.owned != first->owned)
			http_answer_release(&a);
		if (rc || !more)
			break;
		p->c.commits++;
		if (pull_end_page(p, e) || http_get(p->g.h, &a, e, "%s/comments?per_page=100&page=%lld", p->g.repo, (long long)p->c.commits))
			return -1;
	}
	return rc ? -1 : pull_end_page(p, e);
}

/* Issues are turned off: changes come by their own list, newest change first, as far as what is known. */
static int on_changes_page(void *ctx, struct http_answer *a, struct err *e)
{
	struct pull *p = ctx;
	struct changed c = { .p = p };
	bool older = false;
	int rc = 0;

	for (size_t i = 0; !rc && !older && i < json_array_size(a->json); i++) {
		const json_t *j = json_array_get(a->json, i);
		const char *key = field_key(remote_arena(p->g.r), j, "number");
		int64_t t = field_time(j, "updated_at");
		older = t < p->c.since[ISSUES];
		if (older || !key)
			continue;
		rc = pull_emit_task(p, j, e);
		changed_add(&c, key);
		p->c.newest[ISSUES] = t > p->c.newest[ISSUES] ? t : p->c.newest[ISSUES];
	}
	if (!rc)
		rc = changed_read(&c, false, e);
	changed_release(&c);
	return rc ? rc : older;
}

static int changes_only(struct pull *p, struct err *e)
{
	const char *path = arena_printf(remote_keep(p->g.r), "%s/pulls?state=all&sort=updated&direction=desc&per_page=100", p->g.repo);

	if (http_pages(p->g.h, path, 0, on_changes_page, p, e))
		return -1;
	if (p->c.newest[ISSUES] - OVERLAP > p->c.since[ISSUES])
		p->c.since[ISSUES] = p->c.newest[ISSUES] - OVERLAP;
	return pull_end_page(p, e);
}

static int on_stream(void *ctx, size_t i, struct http_answer *a, const struct err *failed, struct err *e)
{
	struct pull *p = ctx;

	p->done = 0;
	if (failed && failed->code == ERR_NOT_FOUND && i == ISSUES)
		return changes_only(p, e);
	if (failed && i == COMMITS && (failed->code == ERR_NOT_FOUND || failed->code == ERR_AUTH))
		return 0;
	if (failed)
		return err_set(e, failed->code, "%s", failed->msg);
	if (i < COMMITS && p->c.since[i] > (a->date ? a->date : clock_now()) + DAY)
		return stream_anew(p, (enum stream)i, e);
	return i == COMMITS ? commits_read(p, a, e) : stream_read(p, (enum stream)i, a, e);
}

static int pull_changes(struct pull *p, struct err *e)
{
	const char *paths[STREAMS];

	for (enum stream s = ISSUES; s < COMMITS; s++)
		paths[s] = stream_path(p, s, p->c.since[s], 1);
	p->c.commits = p->c.commits > 0 ? p->c.commits : 1;
	paths[COMMITS] = arena_printf(remote_keep(p->g.r), "%s/comments?per_page=100&page=%lld", p->g.repo, (long long)p->c.commits);
	return http_each(p->g.h, paths, NULL, STREAMS, on_stream, p, e);
}

static void pull_release(struct pull *p)
{
	array_release(&p->tasks);
	array_release(&p->notes);
	array_release(&p->talked);
	array_release(&p->changes);
	json_decref(p->files);
}

int gh_pull(struct remote *r, const char *cursor, bool full, struct err *e)
{
	struct pull p = { .old = cursor, .full = full && *cursor };
	int rc;

	if (gh_init(&p.g, r, e) || gh_me(&p.g, e) || cursor_parse(cursor, &p.c, e))
		return -1;
	if (p.full)
		p.c = (struct cursor){ .stage = FIRST_ISSUES, .page = 1, .top = p.c.top };
	rc = p.c.stage ? pull_first(&p, e) : pull_changes(&p, e);
	pull_release(&p);
	return rc;
}

/* ---- one task ---- */

static int look_gone(struct pull *p, const char *task, const char *why, struct err *e)
{
	return pull_emit_gone(p, arena_strdup(remote_arena(p->g.r), task), why, e);
}

struct look { struct pull *p; gh_record_fn *read; enum gh_kind kind; };

static int on_look_page(void *ctx, struct http_answer *a, struct err *e)
{
	struct look *l = ctx;

	for (size_t i = 0; i < json_array_size(a->json); i++)
		if (pull_emit_note(l->p, json_array_get(a->json, i), l->read, l->kind, e))
			return -1;
	return 0;
}

static int look_notes(struct pull *p, const char *task, bool change, struct err *e)
{
	struct arena *keep = remote_keep(p->g.r);
	struct look comments = { p, gh_comment, GH_COMMENT }, code = { p, gh_code, GH_CODE };

	if (http_pages_all(p->g.h, arena_printf(keep, "%s/issues/%s/comments?per_page=100", p->g.repo, task), 0, on_look_page,
			   &comments, e))
		return -1;
	return change ? http_pages_all(p->g.h, arena_printf(keep, "%s/pulls/%s/comments?per_page=100", p->g.repo, task), 0,
				       on_look_page, &code, e) : 0;
}

static int look_change(struct pull *p, const char *task, struct err *e)
{
	struct http_answer a;
	int rc;

	if (http_get(p->g.h, &a, e, "%s/pulls/%s", p->g.repo, task))
		return -1;
	rc = pull_emit_task(p, a.json, e);
	http_answer_release(&a);
	return rc ? -1 : talk(p, &task, 1, e);
}

/* The issue's own address after redirects names another place: it was moved to another repository. */
static bool is_moved(const struct http_answer *a, const char *task)
{
	const char *end = a->url + strcspn(a->url, "?#");
	size_t n = strlen(task);

	return (size_t)(end - a->url) < n || strncmp(end - n, task, n) != 0;
}

int gh_look(struct remote *r, const char *task, struct err *e)
{
	struct pull p = { .full = true, .old = "" };
	struct err no = ERR_INIT;
	struct http_answer a;
	uint64_t number;
	bool change;
	int rc = -1;

	if (!str_to_u64(task, INT64_MAX, &number))
		return err_set(e, ERR_NOT_FOUND, "there is no task '%s' on GitHub", task);
	if (gh_init(&p.g, r, e) || gh_me(&p.g, e))
		return -1;
	if (http_get(p.g.h, &a, &no, "%s/issues/%s", p.g.repo, task)) {
		if (no.code == ERR_NOT_FOUND)
			return look_gone(&p, task, strstr(no.msg, "(410") ? "deleted" : "hidden", e);
		return err_set(e, no.code, "%s", no.msg);
	}
	change = gh_is_pull(a.json);
	if (is_moved(&a, task)) {
		rc = look_gone(&p, task, "moved", e);
		goto out;
	}
	pull_count_task(&p, a.json);
	if (change ? look_change(&p, task, e) : pull_emit_task(&p, a.json, e))
		goto out;
	if (!look_notes(&p, task, change, e))
		rc = pull_list_notes(&p, e);
out:
	http_answer_release(&a);
	pull_release(&p);
	return rc;
}
