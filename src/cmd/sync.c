/* SPDX-License-Identifier: MIT */
/* sync: exchange with remotes; export: everything as JSON Lines. import is in import.c. */
#include "config.h"
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include "families.h"
#include "killick/cmd/act.h"
#include "killick/store/settings.h"
#include "killick/sync/outbox.h"
#include "killick/sync/source.h"

enum { REFRESH_WAIT = 500 };
struct sync_values { bool porcelain, quiet, full, watch, no_send; };
static const struct opt sync_opts[] = {
	{ 0, "full", OPT_FLAG, offsetof(struct sync_values, full), NULL,
		"look also for what trackers deleted or changed without a trace", NULL },
	{ 0, "no-send", OPT_FLAG, offsetof(struct sync_values, no_send), NULL, "leave the outbox alone", NULL },
	{ 0, "watch", OPT_FLAG, offsetof(struct sync_values, watch), NULL, "go on until stopped (killick.sync.interval)", NULL },
	{ 0, "porcelain", OPT_FLAG, offsetof(struct sync_values, porcelain), NULL, "lines for programs", NULL },
	{ 'q', "quiet", OPT_FLAG, offsetof(struct sync_values, quiet), NULL, "say nothing unless something is wrong", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static void progress(void *ctx, const char *line)
{
	struct cmd *c = ctx;
	struct sync_values *v = c->values;

	if (!v->quiet && !v->porcelain && !out_json(c))
		out_note(c, "%s", line);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void report(struct cmd *c, const char *remote, const struct exchange *x, const struct err *fault)
{
	struct sync_values *v = c->values;
	json_t *j = json_object();

	json_put_str(j, "remote", remote);
	json_put_int(j, "fetched", (int64_t)x->ops_fetched);
	json_put_int(j, "pushed", (int64_t)x->ops_pushed);
	json_put_int(j, "forks", x->forks);
	json_put_int(j, "rewound", x->rewound);
	json_put_int(j, "foreign", x->foreign);
	json_put_str(j, "note", x->note[0] ? x->note : NULL);
	json_put_str(j, "problem", fault ? fault->msg : NULL);
	if (out_json(c)) {
		out_item(c, json_incref(j));
	} else if (v->porcelain) {
		out_textf(c, STYLE_NORMAL, "%s %s fetched %llu pushed %llu forks %u rewound %u foreign %u", fault ? "failed" : "ok",
		    remote, (unsigned long long)x->ops_fetched, (unsigned long long)x->ops_pushed, x->forks, x->rewound,
		    x->foreign);
		out_line(c);
	} else if (!fault && !v->quiet) {
		out_textf(c, STYLE_NORMAL, "%s: %llu op%s fetched, %llu sent", remote, (unsigned long long)x->ops_fetched,
		    plural(x->ops_fetched), (unsigned long long)x->ops_pushed);
		out_line(c);
	}
	if (x->note[0] && !out_json(c))
		out_note(c, "%s: %s", remote, x->note);
	json_decref(j);
}

static const char *default_remote(struct cmd *c)
{
	const char *set = setting_get(c->work->repo, c->arena, "remote");
	struct remote_info *list;

	if (*set)
		return set;
	return repo_remotes(c->work->repo, c->arena, &list) ? list[0].name : NULL;
}

/* ---- trackers ---- */

/* Several at work: what each does, on one line of a terminal, or a line each for programs. */
struct watching { struct cmd *c; struct pull *p; size_t n; };

static void progress_words(const struct pull *p, struct buf *b)
{
	static const char *const words[] = { [PULL_WAITS] = "…", [PULL_PROBES] = "asking", [PULL_RUNS] = "pulling" };

	buf_addf(b, "%s%s ", b->len ? "  " : "", p->s->d.name);
	if (p->state == PULL_DONE || p->state == PULL_FAILED)
		buf_addstr(b, p->state == PULL_DONE ? "done" : "failed");
	else if (p->what && p->total >= 0)
		buf_addf(b, "%s %lld/%lld", p->what, (long long)p->done, (long long)p->total);
	else if (p->what)
		buf_addf(b, "%s %lld", p->what, (long long)p->done);
	else
		buf_addstr(b, words[p->state]);
}

static void show_progress(void *ctx, const struct pull *one)
{
	struct watching *x = ctx;
	struct sync_values *v = x->c->values;
	struct buf b = BUF_INIT;

	if (v->porcelain && one->what && one->state == PULL_RUNS) {
		out_textf(x->c, STYLE_NORMAL, "pull %s %s %lld %lld", one->s->d.name, one->what, (long long)one->done,
		    (long long)one->total);
		out_line(x->c);
		out_flush(x->c);
	} else if (!v->porcelain && !v->quiet && !out_json(x->c)) {
		for (size_t i = 0; i < x->n; i++)
			progress_words(&x->p[i], &b);
		out_status(x->c, b.len ? b.ptr : NULL);
	}
	buf_release(&b);
}

/* What goes on only when the user says how. */
static void report_stuck(struct cmd *c, const struct sent *sent)
{
	const struct { unsigned n; const char *what; } rows[] = {
		{ sent->held, "held" }, { sent->refused, "refused" }, { sent->asks, "perhaps sent" },
	};
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].n)
			out_textf(c, STYLE_WARN, ", %u %s", rows[i].n, rows[i].what);
		any = any || rows[i].n;
	}
	if (any)
		out_textf(c, STYLE_WARN, " ('killick outbox')");
}

static void report_source(struct cmd *c, const struct pull *p, const struct sent *sent)
{
	struct sync_values *v = c->values;
	const struct err *fault = p->fault.code ? &p->fault : sent->fault.code ? &sent->fault : NULL;
	json_t *j = json_object();

	json_put_str(j, "source", p->s->d.name);
	json_put_int(j, "pulled", (int64_t)p->records);
	json_put_int(j, "bad", (int64_t)p->bad);
	json_put_int(j, "sent", sent->done);
	json_put_int(j, "waiting", sent->waiting);
	json_put_int(j, "held", sent->held);
	json_put_int(j, "refused", sent->refused);
	json_put_int(j, "asks", sent->asks);
	json_put_str(j, "problem", fault ? fault->msg : NULL);
	json_put_time(j, "retry_at", p->retry_at ? p->retry_at : sent->retry_at);
	if (out_json(c)) {
		out_item(c, json_incref(j));
	} else if (v->porcelain) {
		out_textf(c, STYLE_NORMAL, "%s %s pulled %llu bad %llu sent %u waiting %u held %u refused %u asks %u", fault ? "failed" : "ok",
		    p->s->d.name, (unsigned long long)p->records, (unsigned long long)p->bad, sent->done, sent->waiting, sent->held,
		    sent->refused, sent->asks);
		out_line(c);
	} else if (!fault && !v->quiet) {
		out_textf(c, STYLE_NORMAL, "%s: %llu pulled, %u sent", p->s->d.name, (unsigned long long)p->records, sent->done);
		if (sent->waiting)
			out_textf(c, STYLE_NORMAL, ", %u waiting", sent->waiting);
		report_stuck(c, sent);
		out_line(c);
	}
	if (p->bad && !out_json(c))
		out_note(c, "%s: %llu records could not be read (KILLICK_TRACE=sync tells why)", p->s->d.name,
		    (unsigned long long)p->bad);
	json_decref(j);
}

static void keep_fault(struct cmd *c, const char *name, const struct err *fault, struct err *first)
{
	struct err e = *fault;

	err_prefix(&e, "%s", name);
	if (first->code == ERR_NONE)
		*first = e;
	else
		out_error(c, &e);
}

/* Sends what is due, then pulls: what was sent comes back with the rest. */
static int sync_sources(struct cmd *c, struct pull *p, size_t n, struct err *first)
{
	struct sync_values *v = c->values;
	struct watching x = { c, p, n };
	struct sent *sent = arena_alloc(c->arena, (n + 1) * sizeof(*sent));
	struct err e = ERR_INIT;
	int rc = 0;

	for (size_t i = 0; i < n && !v->no_send; i++)
		outbox_send(c->work, p[i].s, NULL, &sent[i]);
	if (sources_pull(c->work, p, n, show_progress, &x, &e)) {
		*first = e;
		return -1;
	}
	outbox_settle(c->work);
	for (size_t i = 0; i < n; i++) {
		report_source(c, &p[i], &sent[i]);
		if (p[i].fault.code || sent[i].fault.code) {
			keep_fault(c, p[i].s->d.name, p[i].fault.code ? &p[i].fault : &sent[i].fault, first);
			rc = -1;
		}
	}
	return rc;
}

/* ---- remotes ---- */

/* One remote; a fault is reported and remembered, so that the next remote is tried all the same. */
static int sync_one(struct cmd *c, const char *remote, struct err *first)
{
	struct exchange x = { 0 };
	struct err fault = ERR_INIT;
	int rc = work_sync(c->work, remote, progress, c, &x, &fault);

	report(c, remote, &x, rc ? &fault : NULL);
	if (!rc)
		return 0;
	keep_fault(c, remote, &fault, first);
	return -1;
}

/* ---- both ---- */

struct plan { struct pull *pulls; size_t n_pulls; const char **remotes; size_t n_remotes; };

static bool is_remote(struct cmd *c, const char *name)
{
	struct remote_info *list;
	size_t n = repo_remotes(c->work->repo, c->arena, &list);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return true;
	return false;
}

static void add_source(struct cmd *c, struct plan *pl, struct source *s)
{
	struct sync_values *v = c->values;

	pl->pulls[pl->n_pulls++] = (struct pull){ .s = s, .full = v->full, .total = -1 };
}

/* The words name sources first, remotes else; without any it is all of the one and the usual one of the other. */
static int make_plan(struct cmd *c, struct sources *all, struct plan *pl, struct err *e)
{
	const char *remote = c->argc ? NULL : default_remote(c);

	pl->pulls = arena_alloc(c->arena, (all->len + (size_t)c->argc + 1) * sizeof(*pl->pulls));
	pl->remotes = arena_alloc(c->arena, ((size_t)c->argc + 1) * sizeof(*pl->remotes));
	for (int i = 0; i < c->argc; i++) {
		struct err unused = ERR_INIT;
		struct source *s = sources_find(all, c->argv[i], &unused);

		if (s)
			add_source(c, pl, s);
		else if (all->len && !is_remote(c, c->argv[i]) && !strpbrk(c->argv[i], "/:"))
			return err_set(e, ERR_NOT_FOUND, "'%s' is neither a source nor a remote ('killick source' lists sources)",
			    c->argv[i]);
		else
			pl->remotes[pl->n_remotes++] = c->argv[i];
	}
	for (size_t i = 0; !c->argc && i < all->len; i++)
		add_source(c, pl, &all->items[i]);
	if (remote && (!all->len || work_is_set_up(c->work)))
		pl->remotes[pl->n_remotes++] = remote;
	if (!pl->n_pulls && !pl->n_remotes)
		return err_set(e, ERR_NOT_FOUND, "there is nothing to exchange with: 'git remote add origin URL' makes a remote, "
		    "'killick source add URL' connects a tracker");
	return 0;
}

static int sync_all(struct cmd *c, struct sources *all, bool *planned, struct err *e)
{
	struct plan pl = { .n_pulls = 0 };
	struct err first = ERR_INIT;
	int rc = 0;

	*planned = !make_plan(c, all, &pl, e);
	if (!*planned)
		return -1;
	out_list_begin(c, "sync");
	if (pl.n_pulls)
		rc = sync_sources(c, pl.pulls, pl.n_pulls, &first);
	for (size_t i = 0; i < pl.n_remotes; i++)
		if (sync_one(c, pl.remotes[i], &first))
			rc = -1;
	out_list_end(c);
	if (rc)
		*e = first;
	return rc;
}

/* planned: what is to be exchanged with is known, and what went wrong is its own. */
static int sync_once(struct cmd *c, bool *planned, struct err *e)
{
	struct sources all;
	int rc;

	*planned = true;
	if (work_sources(c->work, &all, e))
		return -1;
	rc = sync_all(c, &all, planned, e);
	sources_release(&all);
	return rc;
}

/* Until the interval is over, or something waits in the outbox that is due. */
static void rest(struct cmd *c, int64_t began)
{
	for (;;) {
		int64_t every, due, now;

		poll(NULL, 0, 1000);
		repo_refresh(c->work->repo);
		every = setting_int(c->work->repo, "sync.interval");
		due = outbox_next(c->work);
		now = clock_now();
		if (now >= began + every || now < began || (due && due <= now))
			return;
	}
}

/* 1: there is no more to watch, e says why or is clear. */
static int watch_round(struct cmd *c, struct err *e)
{
	struct err fault = ERR_INIT;
	bool planned;

	if (sync_once(c, &planned, &fault)) {
		if (!planned) {
			*e = fault;
			return 1;
		}
		out_error(c, &fault);
	}
	out_flush(c);
	if (!out_alive(c))
		return 1;
	rest(c, clock_now());
	return 0;
}

/* Weeks of it: each round has a memory of its own, and what the round before it had opened is closed. */
static int watch(struct cmd *c, struct err *e)
{
	struct work *outer = c->work;
	struct arena *arena = c->arena;
	int rc = 0;

	while (!rc) {
		struct arena a = ARENA_INIT;
		struct work *w;

		rc = work_open(NULL, &w, e);
		if (rc)
			break;
		w->progress = outer->progress;
		w->progress_ctx = outer->progress_ctx;
		c->work = w;
		c->arena = &a;
		rc = work_index(w, e) || work_refresh(w, REFRESH_WAIT, e) ? -1 : watch_round(c, e);
		c->work = outer;
		c->arena = arena;
		work_close(w);
		arena_release(&a);
	}
	return rc < 0 || e->code != ERR_NONE ? -1 : 0;
}

static int run_sync(struct cmd *c, struct err *e)
{
	struct sync_values *v = c->values;
	bool planned;

	if (v->watch && out_json(c))
		return err_set(e, ERR_USAGE, "--watch does not end: --porcelain has lines for programs, not --json");
	return v->watch ? watch(c, e) : sync_once(c, &planned, e);
}

static int export_line(void *ctx, const char *p, size_t n)
{
	struct cmd *c = ctx;

	out_raw(c, p, n);
	if (!n || p[n - 1] != '\n')
		out_raw(c, "\n", 1);
	return !out_alive(c);
}

struct export_values { bool private_; };
static const struct opt export_opts[] = {
	{ 0, "private", OPT_FLAG, offsetof(struct export_values, private_), NULL,
		"the private threads and the drafts instead, which nobody else has", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static void export_draft(struct cmd *c, const struct draft *d)
{
	json_t *j = json_object(), *line = json_object();
	struct buf b = BUF_INIT;

	json_put_str(j, "id", d->id);
	json_put_str(j, "verb", d->verb);
	json_put_str(j, "target", d->target);
	json_put_str(j, "anchor", d->anchor);
	json_put_str(j, "audience", d->audience);
	json_put_str(j, "to", d->to);
	json_put_str(j, "title", d->title);
	json_put_str(j, "body", d->body);
	json_put_time(j, "created", d->created);
	json_put_time(j, "updated", d->updated);
	json_put_str(j, "problem", d->problem);
	json_put_str(j, "extra", d->extra);
	json_object_set_new(line, "draft", j);
	json_write(&b, line);
	export_line(c, b.ptr, b.len);
	json_decref(line);
	buf_release(&b);
}

/* Nothing was ever kept here: then there is no desk to open, let alone to make. */
static int export_drafts(struct cmd *c, struct err *e)
{
	char stamp[DESK_STAMP_SIZE];
	struct draft_list l = { NULL, 0, 0 };

	desk_stamp(NULL, stamp);
	if (!stamp[0])
		return 0;
	if (work_desk(c->work, e) || compose_recover(c, e) ||
	    desk_drafts(c->work->desk, repo_commondir(c->work->repo), c->arena, &l, e))
		return -1;
	for (size_t i = l.len; i > 0; i--)
		export_draft(c, &l.items[i - 1]);
	return 0;
}

static int run_export(struct cmd *c, struct err *e)
{
	struct export_values *v = c->values;
	int rc = index_export(c->work->index, v->private_ ? c->work->private_ : c->work->native, export_line, c, e);

	if (rc < 0 || !v->private_ || !out_alive(c))
		return rc < 0 ? rc : 0;
	return export_drafts(c, e);
}

const struct cmd_entry sync_commands[] = {
	{ .name = "sync", .args = "[SOURCE | REMOTE…]", .summary = "pull from trackers and remotes, send what is yours", .opts = sync_opts,
		.values = sizeof(struct sync_values), .max_args = -1,
		.needs = NEED_REPO | NEED_WRITE | NEED_INDEX, .flags = CMD_JSON, .run = run_sync,
		.complete = "exchange" },
	{ .name = "export", .summary = "everything as JSON Lines, the same on every clone", .opts = export_opts,
		.values = sizeof(struct export_values), .needs = NEED_REPO | NEED_INDEX, .run = run_export },
	{ .name = NULL },
};
