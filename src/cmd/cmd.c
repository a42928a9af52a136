/* SPDX-License-Identifier: MIT */
/*
 * The engine: finds the row, reads the options, opens what the row needs, runs it, says what went wrong, and checks
 * that the result was really written. Everything a command touches hangs from struct cmd, so the same row serves the
 * shell, a key of the TUI and a hook.
 *
 * What a row needs is opened here and only here: a command that needs no index does not pay for one. A long-lived face
 * hands in its own work, which is only brought up to date.
 */
#include "config.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "killick/base/clock.h"
#include "killick/cmd/act.h"
#include "killick/cmd/out.h"
#include "killick/store/settings.h"
#include "killick/text/sanitize.h"

#define FIRST_LOOK 700   /* ms before somebody is told that it takes longer */
#define TELL_EVERY 200   /* ms between two words about it */
#define REFRESH_WAIT 150 /* ms for the index's lock: whoever reads waits for no writer longer than this */

int exit_status_of(enum err_code code)
{
	switch (code) {
	case ERR_NONE: return EXIT_DONE;
	case ERR_USAGE: return EXIT_USAGE;
	case ERR_NOT_FOUND:
	case ERR_AMBIGUOUS: return EXIT_NOT_FOUND;
	case ERR_CONFLICT: return EXIT_CONFLICT;
	case ERR_AUTH: return EXIT_AUTH;
	case ERR_BAD_DATA: return EXIT_BAD_DATA;
	case ERR_OFFLINE:
	case ERR_RATE_LIMITED:
	case ERR_BUSY: return EXIT_TRY_LATER;
	case ERR_FAILED:
	case ERR_REFUSED:
	case ERR_IO:
	case ERR_CANCELLED: break;
	}
	return EXIT_FAILED;
}

const struct cmd_entry *cmd_next(const struct cmd_entry *prev)
{
	bool take = !prev;

	for (const struct cmd_family *f = cmd_families; f->title; f++) {
		for (const struct cmd_entry *r = f->rows; r->name; r++) {
			if (take)
				return r;
			take = r == prev;
		}
	}
	return NULL;
}

static const struct cmd_entry *row_find(const struct cmd_entry *rows, const char *name)
{
	if (rows) {
		for (; rows->name; rows++) {
			if (!strcmp(rows->name, name))
				return rows;
		}
		return NULL;
	}
	for (const struct cmd_entry *r = cmd_next(NULL); r; r = cmd_next(r)) {
		if (!strcmp(r->name, name))
			return r;
	}
	return NULL;
}

const struct cmd_entry *cmd_find(const char *name, const char *sub)
{
	const struct cmd_entry *r = row_find(NULL, name);

	if (!r || !sub)
		return r;
	return r->sub ? row_find(r->sub, sub) : NULL;
}

const char *cmd_suggest(const char *name, const struct cmd_entry *rows)
{
	ARRAY(const char *) words = ARRAY_INIT;
	const char *near = NULL, *full = NULL;
	size_t len = strlen(name);

	for (const struct cmd_entry *r = rows ? rows : cmd_next(NULL); r && r->name; r = rows ? r + 1 : cmd_next(r)) {
		if (r->flags & CMD_HIDDEN)
			continue;
		*array_add(&words) = r->name;
		if (!full && len && !strncmp(r->name, name, len))
			full = r->name;
	}
	*array_add(&words) = NULL;
	near = full ? full : str_nearest(name, words.items);
	array_release(&words);
	return near;
}

static int unknown_command(const char *parent, const char *name, const struct cmd_entry *rows, struct err *e)
{
	const char *near = cmd_suggest(name, rows), *p = parent ? parent : "", *blank = parent ? " " : "";

	if (near)
		return err_set(e, ERR_USAGE, "no command '%s%s%s'; did you mean 'killick %s%s%s'?", p, blank, name, p, blank,
		    near);
	return err_set(e, ERR_USAGE, "no command '%s%s%s' ('killick %s%s' lists them)", p, blank, name, parent ? parent : "help",
	    parent ? " -h" : "");
}

static bool word_is_help(const char *w)
{
	return !strcmp(w, "-h") || !strcmp(w, "--help");
}

/* The row for the first word or two; *used is how many. A group without its second word stays the group. */
static int pick_row(struct cmd *c, int argc, const char *const *argv, const char **parent, int *used, struct err *e)
{
	const struct cmd_entry *r = argc ? row_find(NULL, argv[0]) : NULL;

	*used = 1;
	if (!r)
		return unknown_command(NULL, argc ? argv[0] : "", NULL, e);
	c->entry = r;
	if (!r->sub || (argc > 1 && word_is_help(argv[1])))
		return 0;
	if (r->run && (argc < 2 || argv[1][0] == '-'))
		return 0;
	if (argc < 2)
		return err_set(e, ERR_USAGE, "%s needs a second word ('killick %s -h' lists them)", argv[0], argv[0]);
	c->entry = row_find(r->sub, argv[1]);
	if (!c->entry)
		return unknown_command(argv[0], argv[1], r->sub, e);
	*parent = r->name;
	*used = 2;
	return 0;
}

static int check_count(const struct cmd *c, const char *parent, struct err *e)
{
	const struct cmd_entry *r = c->entry;
	const char *p = parent ? parent : "", *blank = parent ? " " : "";

	if (c->argc < r->min_args)
		return err_set(e, ERR_USAGE, "%s%s%s needs %s (killick %s%s%s -h)", p, blank, r->name, r->args ? r->args : "more",
		    p, blank, r->name);
	if (r->max_args >= 0 && c->argc > r->max_args)
		return err_set(e, ERR_USAGE, "%s%s%s: '%s' is one word too many (killick %s%s%s -h)", p, blank, r->name,
		    c->argv[r->max_args], p, blank, r->name);
	return 0;
}

static int read_words(struct cmd *c, int argc, const char *const *argv, const char *parent, struct err *e)
{
	struct opt_set sets[CMD_OPT_SETS];
	struct opt_rest rest;

	c->values = arena_alloc(c->arena, c->entry->values ? c->entry->values : 1);
	c->dashes = -1;
	if (c->entry->flags & CMD_RAW) {
		c->argc = argc;
		c->argv = argv;
		c->common.help = argc > 0 && word_is_help(argv[0]) && !(c->entry->flags & CMD_HIDDEN);
		return 0;
	}
	if (opts_parse(sets, cmd_opt_sets(c->entry, c, sets), c->arena, argc, argv, &rest, e))
		return -1;
	c->argc = rest.argc;
	c->argv = rest.argv;
	c->dashes = rest.dashes;
	return c->common.help ? 0 : check_count(c, parent, e);
}

static void release_values(struct cmd *c)
{
	if (!c->values || !c->entry)
		return;
	for (const struct opt *o = c->entry->opts; o && o->name; o++) {
		if (o->type == OPT_LIST) {
			struct strlist *l = (struct strlist *)(void *)((char *)c->values + o->offset);
			array_release(l);
		}
	}
}

/* "12345678" as "12,345,678". */
static void add_number(struct buf *b, uint64_t n)
{
	if (n >= 1000) {
		add_number(b, n / 1000);
		buf_addf(b, ",%03u", (unsigned)(n % 1000));
	} else {
		buf_addf(b, "%u", (unsigned)n);
	}
}

/* The first look at a big store takes a while: somebody who waits at a terminal is told what goes on. */
static void tell(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	struct cmd *c = ctx;
	int64_t now = clock_mono();
	struct buf b = BUF_INIT;

	if (now - c->progress.start < FIRST_LOOK || now - c->progress.last < TELL_EVERY)
		return;
	c->progress.last = now;
	buf_addf(&b, "%s: ", what);
	add_number(&b, done);
	if (total) {
		buf_addstr(&b, " of ");
		add_number(&b, total);
	}
	out_status(c, b.ptr);
	buf_release(&b);
}

static int places_left(struct cmd *c, bool done, struct err *e)
{
	uint64_t n = 0;

	c->places.asked = true;
	if (!done && work_places_missing(c->work, &n, e))
		return -1;
	c->places.missing = n > c->places.missing ? n : c->places.missing;
	return 0;
}

int cmd_all_places(struct cmd *c, struct err *e)
{
	bool done;

	return work_places_some(c->work, REFRESH_WAIT, 0, &done, e) || places_left(c, done, e) ? -1 : 0;
}

int cmd_file_places(struct cmd *c, const char *path, struct err *e)
{
	bool done;

	return work_places_in(c->work, path, REFRESH_WAIT, &done, e) || places_left(c, done, e) ? -1 : 0;
}

/* A JSON document says it itself. */
static void tell_places(struct cmd *c)
{
	struct buf b = BUF_INIT;

	if (!c->places.missing || (out_json(c) && !c->common.jsonl))
		return;
	add_number(&b, c->places.missing);
	out_note(c, "%s threads were not looked for in this commit yet, one that moved here may be missing: 'killick at .' looks"
		 " for all", b.ptr);
	buf_release(&b);
}

/* Opens what the row needs. *own is set when the work is to be closed again here. */
static int open_needs(struct cmd *c, struct work **own, struct err *e)
{
	unsigned needs = c->entry->needs;
	struct err ignored = ERR_INIT;

	if (c->common.dir && c->work)
		return err_set(e, ERR_USAGE, "-C is for the shell: this killick is at work in %s", repo_gitdir(c->work->repo));
	if (c->common.dir && chdir(c->common.dir))
		return err_errno(e, "cannot work in '%s'", c->common.dir);
	if (!c->work && (needs & NEED_REPO)) {
		if (work_open(NULL, own, e))
			return -1;
	} else if (!c->work && (needs & NEED_REPO_MAYBE)) {
		if (work_open(NULL, own, &ignored))
			*own = NULL;
	}
	if (!c->work)
		c->work = *own;
	if (!c->work)
		return 0;
	if (*own && c->io->status) {
		c->progress.start = clock_mono();
		c->work->progress = tell;
		c->work->progress_ctx = c;
	}
	/* A pipe pays for no configuration. */
	if (*own && c->io->tty && strcmp(setting_get(c->work->repo, c->arena, "ascii"), "auto") != 0)
		c->io->ascii = !strcmp(setting_get(c->work->repo, c->arena, "ascii"), "true");
	if ((needs & NEED_STORE) && work_log(c->work, needs & NEED_WRITE, e))
		return -1;
	if ((needs & NEED_INDEX) && (work_index(c->work, e) || work_refresh(c->work, REFRESH_WAIT, e)))
		return -1;
	return needs & NEED_PLACES ? work_places_few(c->work, REFRESH_WAIT, e) : 0;
}

static int run_row(struct cmd *c, const char *parent, struct err *e)
{
	struct work *own = NULL;
	struct buf b = BUF_INIT;
	int rc;

	if (c->common.help) {
		cmd_usage(&b, c->entry, parent);
		out_raw(c, b.ptr, b.len);
		buf_release(&b);
		return 0;
	}
	rc = open_needs(c, &own, e);
	if (!rc)
		rc = c->entry->run(c, e);
	if (c->work && c->work->problem && (c->entry->needs & NEED_INDEX) && !rc)
		out_note(c, "what is shown may be behind: %s", c->work->problem);
	if (!rc)
		tell_places(c);
	out_settle(c);
	out_status(c, NULL);
	if (own && c->places.missing)
		work_places_kick(own);
	if (own)
		work_close(own);
	return rc;
}

/* The error in words, and the status it stands for. Output that failed says more than the command's own error. */
static int conclude(struct cmd *c, int rc, struct err *e)
{
	int fault = out_finish(c);

	if (fault == EPIPE)
		return 128 + SIGPIPE;
	if (rc)
		out_error(c, e);
	if (fault) {
		out_note(c, "the result could not be written: %s", strerror(fault));
		return EXIT_FAILED;
	}
	return rc ? exit_status_of(e->code) : c->status;
}

int cmd_run(struct cmd_io *io, struct work *work, int argc, const char *const *argv)
{
	struct arena arena = ARENA_INIT;
	struct cmd c = { .io = io, .work = work, .arena = &arena };
	struct err e = ERR_INIT;
	const char *parent = NULL;
	int used, rc, status;

	rc = pick_row(&c, argc, argv, &parent, &used, &e);
	if (!rc && used > argc)
		used = argc;
	if (!rc)
		rc = read_words(&c, argc - used, argv + used, parent, &e);
	out_open(&c);
	if (!rc && c.entry->sub && !c.entry->run)
		c.common.help = true;
	if (!rc)
		rc = run_row(&c, parent, &e);
	status = conclude(&c, rc, &e);
	out_close(&c);
	release_values(&c);
	act_release_sources(&c);
	arena_release(&arena);
	return status;
}
