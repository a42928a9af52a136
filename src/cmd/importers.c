/* SPDX-License-Identifier: MIT */
/*
 * git-appraise in. Its comments are JSON lines in git notes on the first commit of a review
 * (github.com/google/git-appraise, schema/comment.json): timestamp (seconds, as text), author (a mail address), parent
 * (the SHA-1 of the parent's line), location {commit, path, range {startLine}}, description, resolved. Reviews are flat
 * files of notes that several people append to, so a line may stand there twice.
 *
 * Each comment becomes an op that carries "import": "git-appraise:<sha1>", which is how a second import finds that it is
 * there. A comment without a parent opens a remark; one with a parent answers in that thread.
 */
#include "config.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "import.h"
#include "killick/anchor/place.h"
#include "killick/base/hash.h"
#include "killick/base/proc.h"
#include "killick/cmd/act.h"

#define NOTES_REF "refs/notes/devtools/discuss"
#define MARK "git-appraise:"

struct comment {
	const char *hash, *parent, *author, *body, *commit, *path;
	int64_t time;
	uint32_t line;
	bool resolved, done;
	const char *entity;   /* of its thread, once known; 64 hex digits */
};

struct appraise {
	struct cmd *c;
	ARRAY(struct comment) all;
	ARRAY(struct comment) known;  /* hash and entity alone: imported before */
	uint64_t added;
	bool dry_run;
};

static int git(struct cmd *c, const char *const *args, const char *in, struct buf *out, struct err *e)
{
	const char *argv[12] = { "git", "--git-dir", repo_commondir(c->work->repo) };
	struct proc p = { .argv = argv, .out = out, .in = in, .in_len = in ? strlen(in) : 0 };
	size_t n = 3;

	for (; *args && n < ARRAY_SIZE(argv) - 1; args++)
		argv[n++] = *args;
	return proc_run_ok(&p, e);
}

static void read_comment(struct appraise *x, const char *p, size_t n, const char *noted)
{
	struct err ignored = ERR_INIT;
	struct arena *a = x->c->arena;
	json_t *j = json_read(p, n, "a note", &ignored), *where, *range;
	const char *stamp = j ? json_get_str(j, "timestamp") : NULL;
	char hash[GIT_OID_HEX];
	struct comment *cm;
	uint64_t seconds = 0;

	if (!j || !json_get_str(j, "description") || !json_get_str(j, "author")) {
		json_decref(j);
		return; /* other kinds of notes live under the same ref */
	}
	hash_sha1(hash, p, n);
	where = json_get_obj(j, "location");
	range = where ? json_get_obj(where, "range") : NULL;
	cm = array_add(&x->all);
	cm->hash = arena_strdup(a, hash);
	cm->parent = arena_strdup(a, json_get_str(j, "parent"));
	cm->author = arena_strdup(a, json_get_str(j, "author"));
	cm->body = arena_strdup(a, json_get_str(j, "description"));
	cm->commit = where ? arena_strdup(a, json_get_str(where, "commit")) : NULL;
	if (!cm->commit || strlen(cm->commit) != 40 || !str_is_hex(cm->commit, 40))
		cm->commit = arena_strdup(a, noted);
	cm->path = where ? arena_strdup(a, json_get_str(where, "path")) : NULL;
	cm->line = range ? (uint32_t)json_get_int(range, "startLine", 0) : 0;
	cm->resolved = json_get_bool(j, "resolved");
	if (stamp && str_to_u64(stamp, UINT32_MAX * UINT64_C(16), &seconds))
		cm->time = (int64_t)seconds * 1000;
	json_decref(j);
}

static int read_notes(struct appraise *x, struct err *e)
{
	static const char *const list[] = { "notes", "--ref=" NOTES_REF, "list", NULL };
	struct buf notes = BUF_INIT, text = BUF_INIT;
	int rc = git(x->c, list, NULL, &notes, e);

	for (char *s = notes.ptr; !rc && *s;) {
		char note[GIT_OID_HEX], on[GIT_OID_HEX];
		const char *const show[] = { "cat-file", "blob", note, NULL };
		size_t n = strcspn(s, "\n");

		if (n == 81) {
			memcpy(note, s, 40);
			memcpy(on, s + 41, 40);
			note[40] = on[40] = '\0';
			buf_reset(&text);
			rc = git(x->c, show, NULL, &text, e);
			for (const char *p = text.ptr; !rc && *p;) {
				size_t len = strcspn(p, "\n");
				if (len)
					read_comment(x, p, len, on);
				p += len + (p[len] == '\n');
			}
		}
		s += n + (s[n] == '\n');
	}
	buf_release(&notes);
	buf_release(&text);
	return rc;
}

static int see_op(void *ctx, const char *bytes, size_t n)
{
	struct appraise *x = ctx;
	struct err ignored = ERR_INIT;
	struct op op;
	const char *mark;

	if (op_decode(bytes, n, &op, &ignored))
		return 0;
	mark = json_get_str(op.payload, "import");
	if (mark && str_starts(mark, MARK)) {
		struct comment *k = array_add(&x->known);
		k->hash = arena_strdup(x->c->arena, mark + strlen(MARK));
		k->entity = arena_strdup(x->c->arena, op.entity[0] ? op.entity : op.id);
	}
	op_release(&op);
	return 0;
}

static const struct comment *find(const struct comment *list, size_t n, const char *hash)
{
	for (size_t i = 0; hash && i < n; i++) {
		if (!strcmp(list[i].hash, hash))
			return &list[i];
	}
	return NULL;
}

/* The place as well as it can still be told: lines, else the file, else the commit. */
static void anchor_of(struct appraise *x, const struct comment *cm, struct anchor *an)
{
	struct err ignored = ERR_INIT;

	*an = (struct anchor){ .type = ANCHOR_LINES, .path = cm->path, .line = cm->line, .end = cm->line, .commit = cm->commit };
	if (cm->path && cm->line && !anchor_capture(x->c->work->repo, an, x->c->arena, &ignored))
		return;
	*an = (struct anchor){ .type = ANCHOR_FILE, .path = cm->path, .commit = cm->commit };
	if (cm->path && !anchor_capture(x->c->work->repo, an, x->c->arena, &ignored))
		return;
	*an = (struct anchor){ .type = ANCHOR_COMMIT, .commit = cm->commit };
}

static int put(struct appraise *x, struct comment *cm, const char *entity, struct err *e)
{
	struct batch b = BATCH_INIT;
	struct anchor an;
	json_t *j = act_op(&b, entity ? OP_POST : OP_OPEN, entity);
	int rc;

	json_put_str(j, "body", cm->body);
	if (!entity) {
		anchor_of(x, cm, &an);
		json_put_str(j, "kind", thread_kind_name(KIND_REMARK));
		json_object_set_new(j, "anchor", anchor_to_op(&an));
	}
	json_put_str(j, "import", arena_printf(x->c->arena, MARK "%s", cm->hash));
	person_parse(x->c->arena, cm->author, &b.ops[0].author);
	b.ops[0].time = cm->time ? cm->time : clock_now();
	rc = act_write(x->c, AUDIENCE_EVERYONE, &b, "import from git-appraise", e);
	cm->entity = entity ? entity : arena_strdup(x->c->arena, b.ids[0]);
	batch_release(&b);
	if (!rc && cm->resolved) {
		struct batch done = BATCH_INIT;
		act_op(&done, OP_RESOLVE, cm->entity);
		rc = act_write(x->c, AUDIENCE_EVERYONE, &done, "import from git-appraise", e);
		batch_release(&done);
	}
	return rc;
}

static int by_time(const void *a, const void *b)
{
	const struct comment *x = a, *y = b;

	return x->time != y->time ? (x->time < y->time ? -1 : 1) : strcmp(x->hash, y->hash);
}

/* One comment, if its turn has come: its parent must be there. An orphan opens a thread of its own in the last round. */
static int take(struct appraise *x, struct comment *cm, bool last, bool *moved, struct err *e)
{
	const struct comment *old = find(x->known.items, x->known.len, cm->hash);
	const struct comment *up = find(x->known.items, x->known.len, cm->parent);
	struct comment *k;

	if (cm->done || (cm->parent && !up && !last))
		return 0;
	cm->done = true;
	*moved = true;
	if (old)
		return 0;
	x->added++;
	if (!x->dry_run && put(x, cm, up ? up->entity : NULL, e))
		return -1;
	k = array_add(&x->known);
	k->hash = cm->hash;
	k->entity = cm->entity;
	return 0;
}

int import_appraise(struct cmd *c, bool dry_run, struct import_count *n, struct err *e)
{
	struct appraise x = { .c = c, .all = ARRAY_INIT, .known = ARRAY_INIT, .dry_run = dry_run };
	bool moved = true, last = false;
	int rc = read_notes(&x, e);

	if (!rc && c->work->native && index_each_op(c->work->index, c->work->native, see_op, &x, e) < 0)
		rc = -1;
	if (!rc && x.all.len)
		qsort(x.all.items, x.all.len, sizeof(*x.all.items), by_time);
	while (!rc && (moved || !last)) {
		last = !moved;
		moved = false;
		for (size_t i = 0; i < x.all.len && !rc; i++)
			rc = take(&x, &x.all.items[i], last, &moved, e);
	}
	n->added = x.added;
	n->done = !rc;
	array_release(&x.all);
	array_release(&x.known);
	return rc;
}
