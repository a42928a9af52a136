/* SPDX-License-Identifier: MIT */
/*
 * The state of the world for the right end of the bottom line: drafts, what nobody else has yet, the last exchange, what
 * went wrong. Looked up when nothing else is to be done, never before a paint.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "killick/sync/outbox.h"
#include "ui.h"

void world_release(struct world *w)
{
	free((char *)w->remote);
	free(w->problem);
	free(w->progress);
	free(w->sources);
	memset(w, 0, sizeof(*w));
}

static char *copy(const char *s)
{
	return s && *s ? xstrdup(s) : NULL;
}

static void look_at_remotes(struct tui *t, struct arena *a)
{
	const char *preferred = setting_text(t, "remote");
	struct remote_info *remotes;
	size_t n = repo_remotes(t->work->repo, a, &remotes);

	t->world.has_remote = n > 0;
	t->world.remote = copy(*preferred ? preferred : n ? remotes[0].name : NULL);
}

static void look_at_source(struct tui *t, struct arena *a)
{
	struct source_row row;

	if (!t->work->index || !t->work->native || !index_source_get(t->work->index, t->work->native, a, &row))
		return;
	t->world.synced = row.synced;
	t->world.problem = copy(row.problem);
}

static void look_at_drafts(struct tui *t, struct arena *a)
{
	struct draft_list drafts = { 0 };
	struct err e = ERR_INIT;

	if (work_desk(t->work, &e) == 0 &&
	    desk_drafts(t->work->desk, repo_commondir(t->work->repo), a, &drafts, &e) == 0)
		t->world.drafts = drafts.len;
}

static void add_time(struct buf *out, int64_t when);

/* Each tracker with the time it was last asked, or a cross where that failed. */
static void look_at_trackers(struct tui *t)
{
	struct sources all;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (work_sources(t->work, &all, &e))
		return;
	for (size_t i = 0; i < all.len; i++) {
		const struct source *s = &all.items[i];

		buf_addf(&b, "%s%s ", b.len ? "  " : "", s->d.name);
		if (s->problem || s->unusable)
			buf_addstr(&b, glyph(t, "✗", "x"));
		else if (s->synced)
			add_time(&b, s->synced);
		else
			buf_addstr(&b, "never");
	}
	t->world.sources = copy(b.ptr);
	t->set_up = t->set_up || all.len > 0;
	sources_release(&all);
	buf_release(&b);
}

static void look_at_outbox(struct tui *t, struct arena *a)
{
	struct out_list l = ARRAY_INIT;
	struct err e = ERR_INIT;

	if (work_desk(t->work, &e) || desk_outs(t->work->desk, repo_commondir(t->work->repo), NULL, NULL, a, &l, &e))
		return;
	for (size_t i = 0; i < l.len; i++) {
		enum post_state s = out_post_state(l.items[i].state);

		t->world.queued += s == POST_QUEUED;
		t->world.held += s == POST_HELD || s == POST_FAILED;
	}
}

void world_update(struct tui *t)
{
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	char *progress = t->world.progress;

	t->world.progress = NULL;
	world_release(&t->world);
	t->world.progress = progress;
	t->set_up = work_is_set_up(t->work);
	look_at_remotes(t, &a);
	look_at_source(t, &a);
	look_at_drafts(t, &a);
	look_at_trackers(t);
	look_at_outbox(t, &a);
	if (work_is_set_up(t->work) && work_log(t->work, false, &e) == 0)
		t->world.unpushed = nlog_unpushed(t->work->log);
	t->world.known = t->dirty = true;
	t->world_stale = false;
	arena_release(&a);
}

static void add_time(struct buf *out, int64_t when)
{
	time_t s = (time_t)(when / 1000);
	struct tm tm;
	char text[TIME_RELATIVE_SIZE];
	int64_t now = clock_now();

	if (now - when > 20 * 3600 * (int64_t)1000 || !localtime_r(&s, &tm))
		buf_addstr(out, time_relative(text, when, now));
	else
		buf_addf(out, "%02d:%02d", tm.tm_hour, tm.tm_min);
}

static void separate(struct buf *out)
{
	if (out->len)
		buf_addstr(out, "  ");
}

static void long_form(struct tui *t, const struct world *w, struct buf *out)
{
	if (w->drafts)
		buf_addf(out, "%llu draft%s", (unsigned long long)w->drafts, w->drafts == 1 ? "" : "s");
	if (w->unpushed && w->has_remote) {
		separate(out);
		buf_addf(out, "%s %llu to send", glyph(t, "⇅", "^"), (unsigned long long)w->unpushed);
	}
	if (w->queued) {
		separate(out);
		buf_addf(out, "%s %llu queued", glyph(t, "⇅", "^"), (unsigned long long)w->queued);
	}
	if (w->held) {
		separate(out);
		buf_addf(out, "%llu held", (unsigned long long)w->held);
	}
	separate(out);
	if (w->sources)
		buf_addf(out, "%s%s", w->sources, w->has_remote && (w->problem || w->synced) ? "  " : "");
	if (w->sources && !(w->has_remote && (w->problem || w->synced)))
		return;
	if (!w->has_remote)
		buf_addstr(out, "only here");
	else if (w->problem)
		buf_addf(out, "%s %s", w->remote ? w->remote : "remote", glyph(t, "✗", "x"));
	else if (w->synced) {
		buf_addf(out, "%s ", w->remote ? w->remote : "synced");
		add_time(out, w->synced);
	} else {
		buf_addf(out, "%s never", w->remote ? w->remote : "synced");
	}
}

static void short_form(struct tui *t, const struct world *w, struct buf *out)
{
	if (w->drafts)
		buf_addf(out, "%s%llu", glyph(t, "✎", "d"), (unsigned long long)w->drafts);
	if (w->unpushed && w->has_remote)
		buf_addf(out, "%s%s%llu", out->len ? " " : "", glyph(t, "⇅", "^"), (unsigned long long)w->unpushed);
	if (w->queued)
		buf_addf(out, "%s%s%llu", out->len ? " " : "", glyph(t, "⇅", "^"), (unsigned long long)w->queued);
	if (w->held)
		buf_addf(out, "%s!%llu", out->len ? " " : "", (unsigned long long)w->held);
	if (w->problem)
		buf_addf(out, "%s%s", out->len ? " " : "", glyph(t, "✗", "x"));
}

void world_format(struct tui *t, struct buf *out, enum style *st)
{
	const struct world *w = &t->world;

	*st = STYLE_DIM;
	if (w->progress) {
		buf_addf(out, "%s %s", glyph(t, "⇅", "^"), w->progress);
		*st = STYLE_ACCENT;
		return;
	}
	if (t->work->problem || w->problem || w->held)
		*st = STYLE_WARN;
	if (t->work->problem) {
		buf_addf(out, "%s index behind", glyph(t, "✗", "x"));
		return;
	}
	if (!w->known || !t->set_up)
		return;
	if (term_canvas(t->term)->cols < 72)
		short_form(t, w, out);
	else
		long_form(t, w, out);
}
