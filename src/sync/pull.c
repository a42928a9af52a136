/* SPDX-License-Identifier: MIT */
/*
 * Pulling several sources at once: a child each, one loop that waits on all of them and does all the writing. A source that
 * was not asked for a day what it can do is asked first, one that refused us something or is read in full, too. What a child said before it failed is kept, without the cursor:
 * records may come any number of times.
 */
#include "config.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "apply.h"
#include "child.h"
#include "killick/base/clock.h"
#include "killick/store/settings.h"

#define PROBE_AGE INT64_C(86400000)      /* 1 day */
#define FULL_AGE (7 * PROBE_AGE)         /* between looks for what vanished silently */
/* Pages come by the dozen a second: one write takes those of a quarter of a second, or half a megabyte, with the last one's
 * cursor. Each write costs a flush of the full text index besides. */
enum { PAGE_BYTES = 4 << 20, WRITE_BYTES = 512 << 10, WRITE_MS = 250 };
/* Somebody else who pulls the same is waited for, so long, and then it is asked what came since: a sync that ends well has
 * all that was there when it was typed. */
enum { OTHER_WAIT_MS = 10000, OTHER_LOOK_MS = 100 };

/* One source at work. */
struct puller {
	struct pull *p;
	struct child c;
	struct page page;
	struct lock lock;
	int64_t until;           /* clock_mono; another pulls this source; 0: nobody does */
	bool began;
	json_t *probe;
	char *cursor;            /* of the last page that came and is not written; NULL: none */
	int64_t written;         /* clock_mono */
	bool changed;
};
struct pulling {
	struct work *w;
	struct puller *items;
	size_t n;
	int busy;                /* of them not over */
	int idle;
	void (*tell)(void *ctx, const struct pull *p);
	void *ctx;
	struct err *e;
};

static void tell(struct pulling *pl, struct puller *u)
{
	if (pl->tell)
		pl->tell(pl->ctx, u->p);
	u->changed = false;
}

/* Records behind the last whole page may be among those written: it is no harm when they come again. */
static int write_pages(struct pulling *pl, struct puller *u, bool fold, struct err *e)
{
	int rc = u->page.n || u->cursor ? page_apply(pl->w, u->p->s, &u->page, u->cursor, fold, e) : 0;

	if (rc)
		return -1;
	free(u->cursor);
	u->cursor = NULL;
	u->written = clock_mono();
	u->p->records = u->page.records;
	u->changed = true;
	return 0;
}

static void finish(struct pulling *pl, struct puller *u, const struct err *fault)
{
	struct err unused = ERR_INIT;

	if (u->p->state == PULL_DONE || u->p->state == PULL_FAILED)
		return;
	child_end(&u->c);
	if (fault)
		u->p->fault = *fault;
	u->p->state = fault ? PULL_FAILED : PULL_DONE;
	u->until = 0;
	if (!u->began) {
		tell(pl, u);
		return;
	}
	if (fault && write_pages(pl, u, true, &unused))
		trace("sync", "%s", unused.msg);
	u->p->records = u->page.records;
	u->p->bad = u->page.bad;
	index_load(pl->w->index, --pl->busy > 0);
	if (source_note(pl->w, u->p->s, u->p->full, fault ? arena_strdup(&pl->w->arena, fault->msg) : NULL, &unused))
		trace("sync", "%s", unused.msg);
	if (fault && (fault->code == ERR_AUTH || fault->code == ERR_NOT_FOUND))
		source_doubt(pl->w, u->p->s);
	lock_release(&u->lock);
	buf_release(&u->page.lines);
	json_decref(u->probe);
	u->probe = NULL;
	free(u->cursor);
	u->cursor = NULL;
	tell(pl, u);
}

static void start(struct pulling *pl, struct puller *u)
{
	struct pull *p = u->p;
	struct err fault = ERR_INIT;
	bool probes = !p->s->probed || (p->full && *p->s->cursor) || clock_now() - p->s->probed > PROBE_AGE || p->s->probed > clock_now();
	json_t *request;

	if (p->state == PULL_PROBES)
		probes = false;
	request = request_new(probes ? "probe" : "pull", &p->s->d);
	if (!probes) {
		json_put_str(request, "cursor", p->s->cursor);
		json_object_set_new(request, "full", json_boolean(p->full && *p->s->cursor));
	}
	p->state = probes ? PULL_PROBES : PULL_RUNS;
	if (child_start(&u->c, request, &fault))
		finish(pl, u, &fault);
	else
		tell(pl, u);
}

static void begin(struct pulling *pl, struct puller *u)
{
	struct pull *p = u->p;
	struct err fault = ERR_INIT;
	int64_t now = clock_mono();

	p->total = -1;
	if (p->s->unusable) {
		err_set(&fault, ERR_AUTH, "%s", p->s->unusable);
		finish(pl, u, &fault);
		return;
	}
	if (source_lock(&u->lock, p->s, "pull", 0, &fault)) {
		if (!u->until)
			u->until = now + OTHER_WAIT_MS;
		if (fault.code != ERR_BUSY || now >= u->until)
			finish(pl, u, &fault);
		return;
	}
	if (u->until)
		source_reload(pl->w, p->s);
	u->until = 0;
	u->began = true;
	u->page.began = clock_now();
	index_load(pl->w->index, ++pl->busy > 0);
	/* A first pull is a full one. */
	if (!*p->s->cursor || clock_now() - p->s->full > FULL_AGE)
		p->full = true;
	start(pl, u);
}

/* ---- what they say ---- */

static bool is_record(const char *line)
{
	return !strncmp(line, "{\"record\":", 10);
}

static int take_page(struct pulling *pl, struct puller *u, const char *cursor)
{
	free(u->cursor);
	u->cursor = xstrdup(cursor);
	u->p->pages++;
	if (u->page.lines.len < WRITE_BYTES && clock_mono() - u->written < WRITE_MS)
		return 0;
	return write_pages(pl, u, false, pl->e);
}

static void take_progress(struct pulling *pl, struct puller *u, const json_t *j)
{
	u->p->what = arena_strdup(&pl->w->arena, json_get_str(j, "what"));
	u->p->done = json_get_int(j, "done", 0);
	u->p->total = json_get_int(j, "total", -1);
	u->changed = true;
}

static int take_done(struct pulling *pl, struct puller *u)
{
	struct err fault = ERR_INIT;

	if (u->p->state != PULL_PROBES) {
		if (write_pages(pl, u, false, pl->e))
			return -1;
		finish(pl, u, NULL);
		return 0;
	}
	child_end(&u->c);
	if (!u->probe) {
		err_set(&fault, ERR_BAD_DATA, "killick-remote did not say what the server can do");
		finish(pl, u, &fault);
		return 0;
	}
	if (source_remember(pl->w, u->p->s, u->probe, pl->e))
		return -1;
	start(pl, u);
	return 0;
}

static int take_object(struct pulling *pl, struct puller *u, const json_t *j)
{
	struct err fault = ERR_INIT;

	if (answer_error(j, &fault, &u->p->retry_at)) {
		finish(pl, u, &fault);
	} else if (json_get_str(j, "page")) {
		return take_page(pl, u, json_get_str(j, "page"));
	} else if (json_get_obj(j, "progress")) {
		take_progress(pl, u, json_get_obj(j, "progress"));
	} else if (json_get_obj(j, "probe")) {
		json_decref(u->probe);
		u->probe = json_incref(json_get_obj(j, "probe"));
	} else if (json_get_bool(j, "done")) {
		return take_done(pl, u);
	}
	return 0;
}

static int take_line(struct pulling *pl, struct puller *u, const char *line, size_t n)
{
	struct err fault = ERR_INIT;
	json_t *j;
	int rc;

	if (is_record(line) && u->p->state == PULL_RUNS) {
		page_add(&u->page, line, n);
		return u->page.lines.len > PAGE_BYTES ? write_pages(pl, u, false, pl->e) : 0;
	}
	j = json_read(line, n, "what killick-remote said", &fault);
	if (!j) {
		finish(pl, u, &fault);
		return 0;
	}
	rc = take_object(pl, u, j);
	json_decref(j);
	return rc;
}

static bool is_over(const struct puller *u)
{
	return u->p->state == PULL_DONE || u->p->state == PULL_FAILED;
}

static int serve(struct pulling *pl, struct puller *u)
{
	struct err fault = ERR_INIT;
	size_t n;
	char *line;
	pid_t pid = u->c.pid;
	int status;

	if (child_read(&u->c, &fault)) {
		finish(pl, u, &fault);
		return 0;
	}
	while (!is_over(u) && u->c.pid == pid && (line = child_line(&u->c, &n)))
		if (take_line(pl, u, line, n))
			return -1;
	if (!is_over(u) && u->c.pid == pid && u->c.eof) {
		status = child_end(&u->c);
		if (status > 128)
			err_set(&fault, ERR_FAILED, "killick-remote was ended by signal %d", status - 128);
		else
			err_set(&fault, ERR_FAILED, "killick-remote ended with status %d before it was done", status);
		finish(pl, u, &fault);
	}
	return 0;
}

/* What came is written while nothing comes. */
static int use_the_pause(struct pulling *pl, struct puller *u)
{
	return u->cursor && clock_mono() - u->written >= WRITE_MS ? write_pages(pl, u, false, pl->e) : 0;
}

static void check_silence(struct pulling *pl, struct puller *u)
{
	struct err fault = ERR_INIT;

	if (!pl->idle || clock_mono() - u->c.heard < pl->idle)
		return;
	err_set(&fault, ERR_OFFLINE, "nothing was heard for %d s (killick.sync.timeout)", pl->idle / 1000);
	finish(pl, u, &fault);
}

static int run(struct pulling *pl)
{
	struct pollfd *fds = xcalloc(pl->n + 1, sizeof(*fds));
	size_t alive = 1;
	int rc = 0;

	while (alive && !rc) {
		int ms = 1000;

		alive = 0;
		for (size_t i = 0; i < pl->n; i++) {
			if (pl->items[i].until)
				begin(pl, &pl->items[i]);
			if (pl->items[i].cursor && ms > WRITE_MS)
				ms = WRITE_MS;
			if (pl->items[i].until)
				ms = OTHER_LOOK_MS;
			fds[i] = (struct pollfd){ .fd = is_over(&pl->items[i]) ? -1 : pl->items[i].c.from, .events = POLLIN };
			alive += fds[i].fd >= 0 || pl->items[i].until;
		}
		if (!alive)
			break;
		if (poll(fds, pl->n, ms) < 0 && errno != EINTR)
			rc = err_errno(pl->e, "cannot wait for killick-remote");
		for (size_t i = 0; !rc && i < pl->n; i++) {
			if (fds[i].fd < 0)
				continue;
			if (fds[i].revents)
				rc = serve(pl, &pl->items[i]);
			else
				check_silence(pl, &pl->items[i]);
			if (!rc && !is_over(&pl->items[i]))
				rc = use_the_pause(pl, &pl->items[i]);
			if (!rc && pl->items[i].changed)
				tell(pl, &pl->items[i]);
		}
	}
	free(fds);
	return rc;
}

int sources_pull(struct work *w, struct pull *p, size_t n, void (*fn)(void *ctx, const struct pull *p), void *ctx,
    struct err *e)
{
	struct pulling pl = { .w = w, .n = n, .tell = fn, .ctx = ctx, .e = e, .idle = (int)setting_int(w->repo, "sync.timeout") };
	int rc = work_index(w, e);

	pl.items = xcalloc(n + 1, sizeof(*pl.items));
	for (size_t i = 0; i < n; i++) {
		pl.items[i] = (struct puller){ .p = &p[i], .c = CHILD_INIT, .lock = LOCK_INIT, .page = { .lines = BUF_INIT } };
		if (!rc)
			begin(&pl, &pl.items[i]);
	}
	if (!rc)
		rc = run(&pl);
	for (size_t i = 0; rc && i < n; i++)
		finish(&pl, &pl.items[i], e);
	free(pl.items);
	return rc;
}
