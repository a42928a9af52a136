/* SPDX-License-Identifier: MIT */
/*
 * Whole lists of GitHub: the first pull, and a reconcile. They are taken in the order of creation, which does not move while it
 * is read, so that pages are fetched side by side and a cut pull goes on at its page.
 *
 * A list proves a deletion only where it is certain to be whole: where as many notes were found as the task counts. A task's
 * number that is missing inside a page is gone; one between two pages may have slipped through and is asked for.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "fields.h"
#include "killick/base/clock.h"
#include "githubpull.h"

/* ---- the first pull, and the reconcile ---- */

static int first_issue(struct pull *p, const json_t *j, struct err *e)
{
	pull_count_task(p, j);
	return gh_is_pull(j) ? 0 : pull_emit_task(p, j, e);
}

static int first_comment(struct pull *p, const json_t *j, struct err *e)
{
	return pull_emit_note(p, j, gh_comment, GH_COMMENT, e);
}

static int first_code(struct pull *p, const json_t *j, struct err *e)
{
	return pull_emit_note(p, j, gh_code, GH_CODE, e);
}

static int first_change(struct pull *p, const json_t *j, struct err *e)
{
	const char *key = field_key(remote_keep(p->g.r), j, "number");

	if (key)
		*array_add(&p->changes) = key;
	return pull_emit_task(p, j, e);
}

static const struct {
	const char *what, *path;
	int (*item)(struct pull *p, const json_t *j, struct err *e);
} stages[FIRST_END] = {
	[FIRST_ISSUES] = { "issues", "issues?state=all&sort=created&direction=asc&per_page=100&page=", first_issue },
	[FIRST_CHANGES] = { "changes", "pulls?state=all&sort=created&direction=asc&per_page=100&page=", first_change },
	[FIRST_TALK] = { "reviews", NULL, NULL },
	[FIRST_COMMENTS] = { "comments", "issues/comments?sort=created&direction=asc&per_page=100&page=", first_comment },
	[FIRST_CODE] = { "code notes", "pulls/comments?sort=created&direction=asc&per_page=100&page=", first_code },
	[FIRST_COMMITS] = { "notes on commits", "comments?per_page=100&page=", pull_emit_commit_note },
};

static int on_first_page(void *ctx, struct http_answer *a, struct err *e)
{
	struct pull *p = ctx;
	size_t n = json_array_size(a->json);

	if (!json_is_array(a->json))
		return err_set(e, ERR_BAD_DATA, "GitHub: the %s are not a list", stages[p->c.stage].what);
	if (!p->c.start || (a->date && p->c.start > a->date + DAY))   /* its clock was wrong when it began */
		p->c.start = a->date ? a->date : clock_now();
	p->stage_pages++;
	for (size_t i = 0; i < n; i++)
		if (stages[p->c.stage].item(p, json_array_get(a->json, i), e))
			return -1;
	p->done += (int64_t)n;
	remote_progress(p->g.r, stages[p->c.stage].what, p->done, a->last_page ? (int64_t)a->last_page * 100 : -1);
	if (p->c.stage == FIRST_COMMITS)
		p->c.commits = p->c.page;
	p->c.page++;
	return pull_end_page(p, e);
}

static const char *stage_path(struct pull *p, int64_t stage, int64_t page)
{
	return arena_printf(remote_keep(p->g.r), "%s/%s%lld", p->g.repo, stages[stage].path, (long long)page);
}

/* Only a list's first page is fetched alone: while this stage is read, the next list's is on its way. */
static void next_list_soon(struct pull *p)
{
	int64_t s = p->c.stage + 1;

	while (s < FIRST_END && !stages[s].path)
		s++;
	if (s < FIRST_END)
		http_pages_soon(p->g.h, stage_path(p, s, 1));
}

static int first_stage(struct pull *p, struct err *e)
{
	const char *path = stage_path(p, p->c.stage, p->c.page);
	struct err no = ERR_INIT;

	p->done = (p->c.page - 1) * 100;
	p->stage_pages = 0;
	p->changes_whole = p->changes_whole || (p->c.stage == FIRST_CHANGES && p->c.page == 1);
	next_list_soon(p);
	if (http_pages_all(p->g.h, path, 0, on_first_page, p, &no)) {
		/* Issues may be turned off, commits not ours to read: where the rest is there, that is no fault. */
		bool may_miss = p->c.stage == FIRST_ISSUES || p->c.stage == FIRST_COMMITS;
		if (!(may_miss && (no.code == ERR_NOT_FOUND || no.code == ERR_AUTH)))
			return err_set(e, no.code, "%s", no.msg);
	}
	p->c.stage++;
	p->c.page = 1;
	return 0;
}

/* A pull that was cut has forgotten which changes there are. */
static int on_numbers(void *ctx, struct http_answer *a, struct err *e UNUSED)
{
	struct pull *p = ctx;

	for (size_t i = 0; i < json_array_size(a->json); i++) {
		const char *key = field_key(remote_keep(p->g.r), json_array_get(a->json, i), "number");
		if (key)
			*array_add(&p->changes) = key;
	}
	return 0;
}

/* The stage's page is the number of changes whose talk is told, and one. */
struct told { struct pull *p; size_t before; };

static int on_told(void *ctx, size_t n, struct err *e)
{
	const struct told *t = ctx;

	t->p->c.page = (int64_t)(t->before + n) + 1;
	remote_progress(t->p->g.r, stages[FIRST_TALK].what, t->p->c.page - 1, (int64_t)t->p->changes.len);
	return pull_end_page(t->p, e);
}

static int talk_stage(struct pull *p, struct err *e)
{
	size_t from = (size_t)p->c.page - 1;
	struct told told = { p, from };
	int64_t *counts;
	int rc;

	if (!p->changes_whole) {
		p->changes.len = 0;
		if (http_pages_all(p->g.h, stage_path(p, FIRST_CHANGES, 1), 0, on_numbers, p, e))
			return -1;
	}
	from = from < p->changes.len ? from : p->changes.len;
	counts = xcalloc(p->changes.len + 1, sizeof(*counts));
	rc = gh_talk(&p->g, &(struct gh_talk){ .tasks = p->changes.items + from, .n = p->changes.len - from, .counts = counts,
		     .lists = p->full, .done = on_told, .ctx = &told }, e);
	if (!rc)
		pull_count_code(p, p->changes.items + from, counts, p->changes.len - from);
	free(counts);
	p->c.stage++;
	p->c.page = 1;
	return rc;
}

/* Where the streams go on: at the server's time when the lists began to be read. */
static void first_over(struct pull *p)
{
	int64_t start = p->c.start ? p->c.start : clock_now();

	p->c.stage = p->c.start = 0;
	p->c.commits = p->c.commits > 0 ? p->c.commits : 1;
	for (size_t i = 0; i < COMMITS; i++) {
		p->c.since[i] = start - OVERLAP;
		p->c.newest[i] = 0;
	}
}

/* ---- what a reconcile finds missing ---- */

static int have_order(const void *pa, const void *pb)
{
	const struct have *a = pa, *b = pb;

	return a->task != b->task ? (a->task > b->task) - (a->task < b->task) : (int)a->kind - (int)b->kind;
}

static int counted_order(const void *pa, const void *pb)
{
	const struct counted *a = pa, *b = pb;

	return (a->number > b->number) - (a->number < b->number);
}

static int emit_list(struct pull *p, const char *task, const char *kind, const struct have *from, size_t n, struct err *e)
{
	const char **keys = arena_alloc(remote_arena(p->g.r), (n + 1) * sizeof(*keys));
	struct record rec = { .type = RECORD_LIST, .list = { .task = task, .kinds = &kind, .n_kinds = 1, .keys = keys, .n_keys = n } };

	for (size_t i = 0; i < n; i++)
		keys[i] = from[i].key;
	return remote_emit(p->g.r, &rec, e);
}

/* The notes of one task, all of one kind together: a list of those kinds whose number is right. */
static int list_task(struct pull *p, const struct counted *t, const struct have *from, size_t n, struct err *e)
{
	size_t comments = 0;

	while (comments < n && from[comments].kind == GH_COMMENT)
		comments++;
	if (t->comments == (int64_t)comments && emit_list(p, t->key, "comment", from, comments, e))
		return -1;
	return t->code == (int64_t)(n - comments) ? emit_list(p, t->key, "code", from + comments, n - comments, e) : 0;
}

int pull_list_notes(struct pull *p, struct err *e)
{
	size_t at = 0, n;

	if (p->notes.len)
		qsort(p->notes.items, p->notes.len, sizeof(*p->notes.items), have_order);
	if (p->tasks.len)
		qsort(p->tasks.items, p->tasks.len, sizeof(*p->tasks.items), counted_order);
	for (size_t i = 0; i < p->tasks.len; i++) {
		const struct counted *t = &p->tasks.items[i];
		while (at < p->notes.len && p->notes.items[at].task < t->number)
			at++;
		for (n = 0; at + n < p->notes.len && p->notes.items[at + n].task == t->number; n++)
			;
		if (list_task(p, t, p->notes.len ? p->notes.items + at : NULL, n, e))
			return -1;
		at += n;
	}
	return 0;
}

struct doubts { struct pull *p; ARRAY(const char *) keys, paths; };

/* Between two pages: asked for, since a deletion meanwhile moves a task over the edge of a page that was read. */
static int on_doubt(void *ctx, size_t i, struct http_answer *a, const struct err *failed, struct err *e)
{
	struct doubts *d = ctx;

	if (failed && failed->code == ERR_NOT_FOUND)
		return pull_emit_gone(d->p, d->keys.items[i], "deleted", e);
	if (failed)
		return err_set(e, failed->code, "%s", failed->msg);
	return gh_is_pull(a->json) ? 0 : pull_emit_task(d->p, a->json, e);
}

static int one_gap(struct doubts *d, uint64_t from, uint64_t to, bool sure, struct err *e)
{
	struct arena *keep = remote_keep(d->p->g.r);

	for (uint64_t n = from; n < to; n++) {
		const char *key = arena_printf(sure ? remote_arena(d->p->g.r) : keep, "%llu", (unsigned long long)n);
		if (sure && pull_emit_gone(d->p, key, "deleted", e))
			return -1;
		if (sure)
			continue;
		*array_add(&d->keys) = key;
		*array_add(&d->paths) = arena_printf(keep, "%s/issues/%s", d->p->g.repo, key);
	}
	return 0;
}

static int gaps(struct pull *p, struct err *e)
{
	struct doubts d = { .p = p };
	uint64_t last = 0, top = (uint64_t)p->c.top;
	size_t page = 1;
	int rc = 0;

	if (top > p->tasks.len * 20 + 100000)   /* numbers that nobody counted up to */
		return 0;
	for (size_t i = 0; !rc && i < p->tasks.len; i++) {
		const struct counted *t = &p->tasks.items[i];
		rc = one_gap(&d, last + 1, t->number, t->page == page, e);
		last = t->number;
		page = t->page;
	}
	if (!rc && p->tasks.len)
		rc = one_gap(&d, last + 1, top + 1, false, e);
	if (!rc)
		rc = http_each(p->g.h, d.paths.items, NULL, d.paths.len, on_doubt, &d, e);
	array_release(&d.keys);
	array_release(&d.paths);
	return rc;
}

static int missing(struct pull *p, struct err *e)
{
	return pull_list_notes(p, e) || gaps(p, e) ? -1 : 0;
}

int pull_first(struct pull *p, struct err *e)
{
	while (p->c.stage < FIRST_END)
		if (p->c.stage == FIRST_TALK ? talk_stage(p, e) : first_stage(p, e))
			return -1;
	if (p->full && missing(p, e))
		return -1;
	first_over(p);
	p->full = false;
	return pull_end_page(p, e);
}
