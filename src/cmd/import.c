/* SPDX-License-Identifier: MIT */
/*
 * import: killick's own export back into a store. The ops keep their bytes, so they keep their ids, authors and order,
 * and importing what is there already changes nothing. All writers' logs are checked before the first one is written.
 * An export of private threads goes to the desk, never to the store: its ops are known by a writer of zeros.
 * Other programs' discussions come in through importers.c.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "families.h"
#include "import.h"
#include "killick/base/file.h"
#include "killick/cmd/act.h"

#define LOCK_WAIT 5000
#define EXPORT_MAX ((size_t)2 << 30)

struct import_values { const char *from; bool dry_run; };
static const char *const froms[] = { "killick", "git-appraise", "git-bug", NULL };
static const struct opt import_opts[] = {
	{ 0, "from", OPT_STR, offsetof(struct import_values, from), "PROGRAM", "killick (default), git-appraise or git-bug", froms },
	{ 0, "dry-run", OPT_FLAG, offsetof(struct import_values, dry_run), NULL, "check it, write nothing", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

/* An op line of the export, and what it is sorted by. */
struct line { struct nlog_line raw; char writer[OP_WRITER_HEX], repo[OP_WRITER_HEX]; uint64_t seq; };
struct import {
	struct cmd *c;
	struct buf text;
	struct arena arena;
	ARRAY(struct line) lines;
	uint64_t added;
	unsigned writers;
	ARRAY(struct draft) drafts;
	uint64_t drafts_added;
	size_t private_;   /* lines of private threads */
};

static int read_all(struct cmd *c, const char *name, struct buf *b, struct err *e)
{
	char piece[65536];
	ssize_t n;
	int fd, rc;

	b->max = EXPORT_MAX;
	if (name && strcmp(name, "-") != 0) {
		if ((fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
			return err_errno(e, "cannot read '%s'", name);
		rc = file_read_fd(fd, name, EXPORT_MAX, b, e);
		close(fd);
		return rc;
	}
	if (!c->io->in)
		return err_set(e, ERR_USAGE, "there is no standard input here: name a file");
	while ((n = c->io->in(c->io->ctx, piece, sizeof(piece))) > 0 && !b->over)
		buf_add(b, piece, (size_t)n);
	if (n < 0)
		return err_errno(e, "cannot read standard input");
	return b->over ? err_set(e, ERR_BAD_DATA, "more than 2 GiB") : 0;
}

static int take_op(struct import *im, const char *bytes, uint64_t number, struct err *e)
{
	struct line *l;
	struct op op;
	size_t n = strlen(bytes);

	if (op_decode(bytes, n, &op, e))
		return err_prefix(e, "line %llu", (unsigned long long)number);
	l = array_add(&im->lines);
	l->raw = (struct nlog_line){ arena_memdup(&im->arena, bytes, n), n };
	l->seq = op.seq;
	memcpy(l->writer, op.writer, sizeof(l->writer));
	memcpy(l->repo, op.repo, sizeof(l->repo));
	op_release(&op);
	im->private_ += strspn(l->writer, "0") == OP_WRITER_HEX - 1;
	if (im->private_ && im->private_ != im->lines.len)
		return err_set(e, ERR_BAD_DATA, "line %llu: private threads and others are never in one export",
		    (unsigned long long)number);
	return 0;
}

static const char *keep(struct import *im, const json_t *j, const char *key)
{
	return arena_strdup(&im->arena, json_get_str(j, key));
}

static int take_draft(struct import *im, const json_t *j, uint64_t number, struct err *e)
{
	const char *id = json_get_str(j, "id"), *created = json_get_str(j, "created");
	struct draft *d;

	if (!id || id[0] != 'd' || strlen(id) != 9 || !str_is_hex(id + 1, 8) || !json_get_str(j, "verb") ||
	    !json_get_str(j, "body"))
		return err_set(e, ERR_BAD_DATA, "line %llu: a draft without its id, verb or body", (unsigned long long)number);
	d = array_add(&im->drafts);
	*d = (struct draft){ .id = keep(im, j, "id"), .repo = repo_commondir(im->c->work->repo), .verb = keep(im, j, "verb"),
		.target = keep(im, j, "target"), .anchor = keep(im, j, "anchor"), .audience = keep(im, j, "audience"),
		.to = keep(im, j, "to"), .title = keep(im, j, "title"), .body = keep(im, j, "body"),
		.problem = keep(im, j, "problem"), .extra = keep(im, j, "extra") };
	if (created && !time_parse(created, &d->created))
		d->created = 0;
	return 0;
}

static int take_line(struct import *im, const char *p, size_t n, uint64_t number, struct err *e)
{
	json_t *j = json_read(p, n, "the export", e);
	const char *op = j ? json_get_str(j, "op") : NULL;
	int rc = 0;

	if (!j)
		return err_prefix(e, "line %llu", (unsigned long long)number);
	if (number == 1 && (!json_get_str(j, "export") || strcmp(json_get_str(j, "export"), "killick")))
		rc = err_set(e, ERR_BAD_DATA, "this is no export of killick's: its first line says so");
	else if (number == 1 && json_get_int(j, "format", 0) != 1)
		rc = err_set(e, ERR_BAD_DATA, "this export is of a format that this killick does not know");
	else if (op)
		rc = take_op(im, op, number, e);
	else if (json_get_obj(j, "draft"))
		rc = take_draft(im, json_get_obj(j, "draft"), number, e);
	json_decref(j);
	return rc;
}

static int by_writer(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int d = strcmp(x->writer, y->writer);

	return d ? d : (x->seq > y->seq) - (x->seq < y->seq);
}

static int parse(struct import *im, struct err *e)
{
	const char *p = im->text.ptr, *end = p + im->text.len;
	uint64_t number = 0;

	if (!im->text.len)
		return err_set(e, ERR_BAD_DATA, "the export is empty");
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = nl ? (size_t)(nl - p) : (size_t)(end - p);

		if (n && take_line(im, p, n, ++number, e))
			return -1;
		p += n + (nl != NULL);
	}
	if (im->lines.len)
		qsort(im->lines.items, im->lines.len, sizeof(*im->lines.items), by_writer);
	return 0;
}

static int adopt_writer(struct import *im, size_t from, size_t to, bool check, struct err *e)
{
	struct nlog_line *raw = xreallocarray(NULL, to - from, sizeof(*raw));
	uint64_t added = 0;
	int rc;

	for (size_t i = from; i < to; i++)
		raw[i - from] = im->lines.items[i].raw;
	rc = nlog_adopt(im->c->work->log, im->lines.items[from].writer, raw, to - from, check, LOCK_WAIT, &added, e);
	im->added += added;
	im->writers += added > 0;
	free(raw);
	return rc;
}

static int each_writer(struct import *im, bool check, struct err *e)
{
	int rc = 0;

	im->added = im->writers = 0;
	for (size_t i = 0, k; i < im->lines.len && !rc; i = k) {
		for (k = i; k < im->lines.len && !strcmp(im->lines.items[k].writer, im->lines.items[i].writer); k++)
			;
		rc = adopt_writer(im, i, k, check, e);
	}
	return rc;
}

/* A store that has nothing yet reads every repository id that the export was written under. */
static int join_all(struct import *im, struct err *e)
{
	struct nlog *l = im->c->work->log;
	struct nlog_heads heads = NLOG_HEADS_INIT;
	int rc = nlog_writers(l, &heads, e);
	size_t n = heads.len;

	nlog_heads_release(&heads);
	for (size_t i = 0; i < im->lines.len && !rc && !n; i++) {
		if (!nlog_accepts(l, im->lines.items[i].repo))
			rc = nlog_join(l, im->lines.items[i].repo, e);
	}
	return rc;
}

/* Private ops to the desk, in one transaction. */
static int adopt_private(struct import *im, bool check, struct err *e)
{
	struct desk_line *raw = xreallocarray(NULL, im->lines.len + 1, sizeof(*raw));
	int rc;

	for (size_t i = 0; i < im->lines.len; i++)
		raw[i] = (struct desk_line){ im->lines.items[i].raw.bytes, im->lines.items[i].raw.n };
	rc = desk_op_adopt(im->c->work->desk, repo_commondir(im->c->work->repo), raw, im->lines.len, check, &im->added, e);
	im->writers = im->added > 0;
	free(raw);
	return rc;
}

/* A draft that is here, perhaps changed since, stays as it is. */
static int adopt_drafts(struct import *im, bool check, struct err *e)
{
	int rc = 0;

	im->drafts_added = 0;
	for (size_t i = 0; i < im->drafts.len && !rc; i++) {
		struct draft *d = &im->drafts.items[i], here;
		struct err none = ERR_INIT;
		if (!desk_draft(im->c->work->desk, d->id, &im->arena, &here, &none))
			continue;
		rc = none.code != ERR_NOT_FOUND ? err_set(e, none.code, "%s", none.msg) :
		    check ? 0 : desk_draft_put(im->c->work->desk, &im->arena, d, e);
		im->drafts_added += !rc;
	}
	return rc;
}

static int adopt_all(struct import *im, bool check, struct err *e)
{
	int rc = im->private_ ? adopt_private(im, check, e) : each_writer(im, check, e);

	return rc || !im->drafts.len ? rc : adopt_drafts(im, check, e);
}

static int open_stores(struct import *im, struct err *e)
{
	if ((im->private_ || im->drafts.len) && work_desk(im->c->work, e))
		return -1;
	return im->private_ || !im->lines.len ? 0 : work_log(im->c->work, true, e) || join_all(im, e) ? -1 : 0;
}

static void report(struct cmd *c, const char *what, uint64_t ops, unsigned writers, uint64_t drafts, bool dry)
{
	json_t *j = json_object();

	json_put_int(j, "drafts", (int64_t)drafts);
	json_put_int(j, "ops", (int64_t)ops);
	json_put_int(j, "writers", writers);
	json_object_set_new(j, "dry_run", json_boolean(dry));
	if (!ops && !drafts)
		out_text(c, STYLE_NORMAL, "nothing new: all of it was here before");
	else
		out_text(c, STYLE_NORMAL, dry ? "would take in " : "took in ");
	if (ops)
		out_textf(c, STYLE_NORMAL, "%llu %s", (unsigned long long)ops, what);
	if (drafts)
		out_textf(c, STYLE_NORMAL, "%s%llu draft%s", ops ? " and " : "", (unsigned long long)drafts, drafts == 1 ? "" : "s");
	out_line(c);
	out_doc(c, "import", j);
}

static int import_own(struct cmd *c, struct err *e)
{
	struct import_values *v = c->values;
	struct import im = { .c = c, .text = BUF_INIT, .arena = ARENA_INIT, .lines = ARRAY_INIT };
	int rc = read_all(c, c->argc ? c->argv[0] : "-", &im.text, e);

	rc = rc || parse(&im, e) || open_stores(&im, e) || adopt_all(&im, true, e) ? -1 : 0;
	if (!rc && !v->dry_run)
		rc = adopt_all(&im, false, e);
	if (!rc && !v->dry_run)
		rc = work_refresh(c->work, LOCK_WAIT, e);
	if (!rc)
		report(c, im.private_ ? im.added == 1 ? "private op" : "private ops" : im.added == 1 ? "op" : "ops", im.added,
		    im.writers, im.drafts_added, v->dry_run);
	array_release(&im.drafts);
	array_release(&im.lines);
	arena_release(&im.arena);
	buf_release(&im.text);
	return rc;
}

static int run_import(struct cmd *c, struct err *e)
{
	struct import_values *v = c->values;
	bool bugs = v->from && !strcmp(v->from, "git-bug");
	struct import_count n = { 0, false };
	int rc;

	if (!v->from || !strcmp(v->from, "killick"))
		return import_own(c, e);
	if (c->argc)
		return err_set(e, ERR_USAGE, "%s's discussions are read from this repository's refs, not from a file", v->from);
	rc = bugs ? import_gitbug(c, v->dry_run, &n, e) : import_appraise(c, v->dry_run, &n, e);
	if (n.done)
		report(c, bugs ? n.added == 1 ? "change of git-bug's" : "changes of git-bug's" : n.added == 1 ? "post" : "posts",
		    n.added, n.added > 0, 0, v->dry_run);
	return rc;
}

const struct cmd_entry import_commands[] = {
	{ .name = "import", .args = "[FILE]", .summary = "take in an export, or another program's discussions",
		.opts = import_opts, .values = sizeof(struct import_values), .max_args = 1,
		.needs = NEED_REPO | NEED_INDEX | NEED_WRITE, .flags = CMD_JSON, .run = run_import, .complete = "file" },
	{ .name = NULL },
};
