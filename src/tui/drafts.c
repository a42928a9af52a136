/* SPDX-License-Identifier: MIT */
/*
 * Drafts and outbox: what was written and is not sent, what waits for a tracker and why, and the threads whose latest
 * words of mine nobody else has yet. The native store sends whole logs, so the last part is a number and the posts behind
 * it, newest first.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/sync/outbox.h"
#include "killick/text/sanitize.h"
#include "rows.h"
#include "views.h"

struct unsent { const struct thread *th; const struct post *post; };
struct drafts {
	struct view v;
	struct draft_list drafts;
	struct out_list out;
	struct thread_list threads;
	size_t carried;              /* threads whose places are the work tree's */
	ARRAY(struct unsent) unsent;
};

static struct drafts *self(struct view *v)
{
	return (struct drafts *)v;
}

static void drafts_close(struct view *v)
{
	array_release(&self(v)->unsent);
}

static int newest_first(const void *a, const void *b)
{
	const struct unsent *x = a, *y = b;

	return x->post->time > y->post->time ? -1 : x->post->time < y->post->time;
}

/* The last posts of mine, as many as there are ops that no remote has. */
static int load_unsent(struct drafts *d, struct err *e)
{
	struct work *w = d->v.t->work;
	struct thread_find find = { .sort = SORT_UPDATED, .limit = 100, .posts = true };
	uint64_t n;

	d->unsent.len = 0;
	if (!d->v.t->set_up || work_log(w, false, e) < 0 || (n = nlog_unpushed(w->log)) == 0)
		return 0;
	if (query_parse(&d->v.arena, "source:native (by:me or with:me)", clock_now(), (struct query **)&find.query, e) < 0 ||
	    index_threads(w->index, &w->scope, &find, &d->v.arena, &d->threads, e) < 0)
		return -1;
	for (size_t i = 0; i < d->threads.len; i++)
		for (unsigned k = 0; k < d->threads.items[i].n_posts && d->threads.items[i].posts; k++)
			if (d->threads.items[i].posts[k].mine && d->threads.items[i].posts[k].body)
				*array_add(&d->unsent) = (struct unsent){ &d->threads.items[i], &d->threads.items[i].posts[k] };
	if (d->unsent.len)
		qsort(d->unsent.items, d->unsent.len, sizeof(*d->unsent.items), newest_first);
	if (d->unsent.len > n)
		d->unsent.len = n;
	return 0;
}

/* What has arrived and only waits to be seen is no matter of the user's. */
static void drop_done(struct out_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->len; i++)
		if (l->items[i].state != OUT_DONE)
			l->items[n++] = l->items[i];
	l->len = n;
}

static int drafts_load(struct view *v, struct err *e)
{
	struct drafts *d = self(v);
	struct work *w = v->t->work;

	d->drafts = (struct draft_list){ 0 };
	d->out = (struct out_list){ 0 };
	d->threads = (struct thread_list){ 0 };
	d->unsent.len = d->carried = 0;
	if (work_desk(w, e) < 0 || desk_drafts(w->desk, repo_commondir(w->repo), &v->arena, &d->drafts, e) < 0 ||
	    desk_outs(w->desk, repo_commondir(w->repo), NULL, NULL, &v->arena, &d->out, e) < 0)
		return -1;
	drop_done(&d->out);
	return load_unsent(d, e);
}

static bool drafts_idle(struct view *v, int64_t until)
{
	struct drafts *d = self(v);

	(void)until;
	v->t->dirty = true;
	return places_carry(v->t, &v->arena, d->threads.items, d->threads.len, &d->carried);
}

static size_t heading_rows(size_t n)
{
	return n ? n + 1 : 0;
}

static size_t drafts_count(struct view *v)
{
	return heading_rows(self(v)->drafts.len) + heading_rows(self(v)->out.len) + heading_rows(self(v)->unsent.len);
}

static size_t out_start(struct view *v)
{
	return heading_rows(self(v)->drafts.len);
}

static size_t unsent_start(struct view *v)
{
	return out_start(v) + heading_rows(self(v)->out.len);
}

static bool drafts_heading(struct view *v, size_t row)
{
	return row == 0 || row == out_start(v) || row == unsent_start(v);
}

static const struct draft *draft_at(struct view *v, size_t row)
{
	return row > 0 && row <= self(v)->drafts.len ? &self(v)->drafts.items[row - 1] : NULL;
}

static const struct unsent *unsent_at(struct view *v, size_t row)
{
	size_t first = unsent_start(v);

	return row > first && row - first <= self(v)->unsent.len ? &self(v)->unsent.items[row - first - 1] : NULL;
}

static const struct out_row *out_at(struct view *v, size_t row)
{
	size_t first = out_start(v);

	return row > first && row - first <= self(v)->out.len ? &self(v)->out.items[row - first - 1] : NULL;
}

static const char *first_line(struct tui *t, const char *body)
{
	size_t n = body ? strcspn(body, "\n") : 0;

	return n ? arena_memdup(&t->frame, body, n) : "(no text yet)";
}

static void draft_cells(struct view *v, const struct draft *d, struct cellv *out)
{
	struct tui *t = v->t;

	out[0] = (struct cellv){ "draft", STYLE_WARN };
	out[1] = (struct cellv){ d->verb, STYLE_NORMAL };
	out[2] = (struct cellv){ d->target ? d->target : "", STYLE_DIM };
	out[3] = (struct cellv){ first_line(t, d->body), STYLE_NORMAL };
	out[4] = (struct cellv){ d->problem ? d->problem : d->audience ? d->audience : "", d->problem ? STYLE_ERROR : STYLE_DIM };
	out[5] = (struct cellv){ tui_now_relative(t, d->updated), STYLE_DATE };
}

static void unsent_cells(struct view *v, const struct unsent *u, struct cellv *out)
{
	struct tui *t = v->t;
	bool first = u->th->posts == u->post;

	out[0] = (struct cellv){ "here", STYLE_DIM };
	out[1] = (struct cellv){ first ? thread_kind_name(u->th->kind) : "reply", STYLE_NORMAL };
	out[2] = (struct cellv){ thread_anchor(&t->frame, u->th), STYLE_DIM };
	out[3] = (struct cellv){ first_line(t, u->post->body), STYLE_NORMAL };
	out[4] = (struct cellv){ "everyone, when synced", STYLE_DIM };
	out[5] = (struct cellv){ tui_now_relative(t, u->post->time), STYLE_DATE };
}

/* "reply k3f9c2 !58  Three is what ops allows": the words that outbox_queue was given. */
static void out_cells(struct view *v, const struct out_row *r, struct cellv *out)
{
	static const enum style styles[OUT_STATES] = {
		[OUT_QUEUED] = STYLE_DIM, [OUT_SENDING] = STYLE_ACCENT, [OUT_UNKNOWN] = STYLE_WARN, [OUT_HELD] = STYLE_WARN,
		[OUT_REFUSED] = STYLE_ERROR, [OUT_ASKS] = STYLE_ERROR,
	};
	struct tui *t = v->t;
	const char *gap = strstr(r->what, "  "), *blank = strchr(r->what, ' ');
	int64_t left = r->not_before - clock_now();
	bool waits = r->state == OUT_QUEUED && !r->problem && left > 0;
	size_t verb = blank && gap && blank <= gap ? (size_t)(blank - r->what) : strcspn(r->what, " ");
	size_t target = (gap && gap > r->what + verb ? (size_t)(gap - r->what) : strlen(r->what)) - verb;

	out[0] = (struct cellv){ waits && left < 100000 ? arena_printf(&t->frame, "%lld s", (long long)((left + 999) / 1000)) :
		r->state == OUT_QUEUED && r->problem ? "again" : out_state_name(r->state), styles[r->state] };
	out[1] = (struct cellv){ arena_memdup(&t->frame, r->what, verb), STYLE_NORMAL };
	out[2] = (struct cellv){ arena_printf(&t->frame, "%.*s %s", (int)target, r->what + verb, r->source), STYLE_DIM };
	out[2].text += strspn(out[2].text, " ");
	out[3] = (struct cellv){ gap ? gap + 2 : "", STYLE_NORMAL };
	out[4] = (struct cellv){ r->problem ? r->problem : "", styles[r->state] };
	out[5] = (struct cellv){ tui_now_relative(t, r->created), STYLE_DATE };
	if (r->problem && v->area.w < 90) /* where there is no column for it */
		out[3] = (struct cellv){ r->problem, styles[r->state] };
}

static void drafts_cells(struct view *v, size_t row, struct cellv *out)
{
	const struct draft *d = draft_at(v, row);
	const struct unsent *u = unsent_at(v, row);
	const struct out_row *r = out_at(v, row);

	if (d)
		draft_cells(v, d, out);
	else if (r)
		out_cells(v, r, out);
	else if (u)
		unsent_cells(v, u, out);
	else if (row == 0 && self(v)->drafts.len) {
		out[0].text = "drafts: not sent, only you see them";
		out[1].text = arena_printf(&v->t->frame, "%zu", self(v)->drafts.len);
	} else if (self(v)->out.len && row == out_start(v)) {
		out[0].text = "on its way to a tracker: u recall, e edit, ! send anyway, x drop";
		out[1].text = arena_printf(&v->t->frame, "%zu", self(v)->out.len);
	} else {
		out[0].text = v->t->world.has_remote ? "written, not fetched by anybody yet: s sends them" :
			"written; this repository has no remote to send them to";
		out[1].text = arena_printf(&v->t->frame, "%zu", self(v)->unsent.len);
	}
}

static const char *drafts_identity(struct view *v, size_t row)
{
	const struct draft *d = draft_at(v, row);
	const struct unsent *u = unsent_at(v, row);

	const struct out_row *r = out_at(v, row);

	return d ? d->id : r ? r->id : u ? u->post->id : NULL;
}

static void drafts_target(struct view *v, size_t row, struct target *t)
{
	const struct draft *d = draft_at(v, row);
	const struct unsent *u = unsent_at(v, row);
	const struct out_row *r = out_at(v, row);

	if (d) {
		t->draft = d->id;
		t->post_draft = true;
		t->quote = d->body;
	}
	if (r) {
		t->unsent = r->id;
		t->thread = *r->thread ? arena_printf(&v->t->frame, "k%s", r->thread) : NULL;
	}
	if (u) {
		thread_target(v->t, u->th, t);
		t->post = u->post->id;
		t->post_mine = true;
		t->quote = u->post->body;
	}
}

static bool drafts_act(struct view *v, enum act a, const char *arg)
{
	(void)arg;
	if (a != ACT_OPEN || !draft_at(v, v->cursor))
		return false;
	tui_run_line(v->t, "drafts edit %draft");
	return true;
}

static void drafts_title(struct view *v, struct buf *left, struct buf *right)
{
	struct drafts *d = self(v);

	buf_addf(left, "%s %s drafts%s", repo_name(v->t->work->repo), glyph(v->t, "·", "-"), v->area.w < 60 ? "" : " and outbox");
	if (d->drafts.len + d->unsent.len + d->out.len)
		buf_addf(right, "%zu draft%s, %zu to send", d->drafts.len, d->drafts.len == 1 ? "" : "s",
			 d->unsent.len + d->out.len);
}

/* Seconds count down. */
static void drafts_tick(struct view *v)
{
	if (self(v)->out.len)
		v->t->dirty = true;
}

static void drafts_empty(struct view *v, struct styled *out)
{
	say_empty(out, v->area.w, "No drafts, and all you wrote was sent.",
		"What you write and do not send is kept here; q goes back.");
}

static const struct column columns[] = {
	{ .name = "state", .min = 5, .max = 6, .gap = 2 },
	{ .name = "verb", .max = 9, .from = 50, .gap = 2 },
	{ .name = "target", .min = 6, .max = 28, .align = COL_HEAD, .gap = 2 },
	{ .name = "text", .min = 12, .flex = true, .gap = 2 },
	{ .name = "audience", .max = 24, .from = 90, .gap = 2 },
	{ .name = "age", .min = 3, .max = 10, .align = COL_RIGHT, .gap = 1 },
	{ .name = NULL },
};

const struct view_ops drafts_view = {
	.name = "drafts", .args = "", .help = "drafts, and what nobody else has yet", .kind = VIEW_LIST,
	.size = sizeof(struct drafts), .columns = columns,
	.hints = "open=open\nedit-post=edit\nsend-unsent=send\nretract-post=drop\nundo=recall\nsync-now=sync\nback=back\n"
		"keys=keys",
	.close = drafts_close, .load = drafts_load, .idle = drafts_idle, .count = drafts_count, .heading = drafts_heading, .cells = drafts_cells,
	.identity = drafts_identity, .target = drafts_target, .act = drafts_act, .title = drafts_title, .empty = drafts_empty,
	.tick = drafts_tick,
};
