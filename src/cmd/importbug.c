/* SPDX-License-Identifier: MIT */
/*
 * git-bug in. A bug becomes a task; its comments a note on that task and the answers to it, as "task comment" makes them;
 * status, title and labels ops of the task. Words keep author and time.
 *
 * Each op carries "import": "git-bug:<id of the operation>", which is how a later import, also by somebody who got these
 * ops, finds what is there and adds only what is new. Ops that need others' ids come in a later round than those: tasks;
 * then what changes them and first comments; then further comments; then edits of comments. git-bug lets anybody edit any
 * comment, killick only its author: the edit is written under the author's name, and who made it is kept beside it.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "gitbug.h"
#include "import.h"
#include "killick/cmd/act.h"

#define MARK "git-bug:"
#define WRITE_AT_ONCE 200

struct known { const char *id, *op, *entity; struct person author; };
/* One op to come: what it is made of. */
struct plan { const struct gitbug_op *from; struct op op; };
struct bugs {
	struct cmd *c;
	struct gitbugs all;
	ARRAY(struct known) known;     /* sorted by id up to `sorted` */
	size_t sorted;
	ARRAY(struct plan) plan;
	uint64_t added;
	bool dry_run;
};

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->id, ((const struct known *)b)->id);
}

static const struct known *find(const struct bugs *b, const char *id)
{
	struct known key = { .id = id };

	return id && b->sorted ? bsearch(&key, b->known.items, b->sorted, sizeof(key), by_id) : NULL;
}

static void sort_known(struct bugs *b)
{
	b->sorted = b->known.len;
	if (b->sorted)
		qsort(b->known.items, b->sorted, sizeof(*b->known.items), by_id);
}

static void add_known(struct bugs *b, const char *id, const struct op *op)
{
	struct known *k = array_add(&b->known);
	struct arena *a = b->c->arena;

	k->id = id;
	k->op = arena_strdup(a, op->id);
	k->entity = op->entity[0] ? arena_strdup(a, op->entity) : k->op;
	person_copy(a, &op->author, &k->author);
}

/* Most ops were not imported: their bytes say so without being decoded. */
static int see_op(void *ctx, const char *bytes, size_t n)
{
	struct bugs *b = ctx;
	struct err ignored = ERR_INIT;
	const char *mark;
	struct op op;

	if (!memmem(bytes, n, "\"" MARK, strlen(MARK) + 1) || op_decode(bytes, n, &op, &ignored))
		return 0;
	mark = json_get_str(op.payload, "import");
	if (mark && str_starts(mark, MARK))
		add_known(b, arena_strdup(b->c->arena, mark + strlen(MARK)), &op);
	op_release(&op);
	return 0;
}

/* ---- ops ---- */

/* The message as killick stores text; attachments stay in git, and where is said. */
static const char *text_of(struct bugs *b, const struct gitbug_op *g)
{
	const char *message = g->message ? g->message : "", *out;
	struct buf text = BUF_INIT;
	bool lossy;

	compose_normalise(&text, message, strlen(message), &lossy);
	for (const char **f = g->files; *f; f++)
		buf_addf(&text, "%sAttached in git-bug: git cat-file blob %s", f != g->files ? "\n" : text.len ? "\n\n" : "", *f);
	out = arena_strdup(b->c->arena, text.ptr);
	buf_release(&text);
	return out;
}

static json_t *plan_op(struct bugs *b, const struct gitbug_op *g, enum op_type type, const char *entity)
{
	struct plan *p = array_add(&b->plan);

	p->from = g;
	p->op = (struct op){ .version = 1, .type = type, .type_name = op_type_name(type), .author = g->author,
		.time = g->time ? g->time : clock_now(), .payload = json_object() };
	if (entity)
		memcpy(p->op.entity, entity, SHA256_HEX - 1);
	return p->op.payload;
}

/* Every op ends with the mark. */
static void plan_done(struct bugs *b)
{
	struct plan *p = &b->plan.items[b->plan.len - 1];

	json_put_str(p->op.payload, "import", arena_printf(b->c->arena, MARK "%s", p->from->id));
}

static void put_list(json_t *payload, const char *key, const char **words)
{
	json_t *list = json_array();

	for (; *words; words++)
		json_array_append_new(list, json_str_or_null(*words));
	json_object_set_new(payload, key, list);
}

static void plan_task(struct bugs *b, const struct gitbug_op *g)
{
	json_t *j = plan_op(b, g, OP_TASK, NULL);

	json_put_str(j, "title", g->title ? g->title : "");
	json_put_str(j, "body", text_of(b, g));
	plan_done(b);
}

static void plan_change(struct bugs *b, const struct gitbug_op *g, const char *entity)
{
	json_t *j = plan_op(b, g, g->type == GITBUG_LABELS ? OP_LABEL : OP_TASK, entity);

	if (g->type == GITBUG_LABELS) {
		put_list(j, "add", g->added);
		put_list(j, "remove", g->removed);
	} else if (g->type == GITBUG_STATUS) {
		json_put_str(j, "state", task_state_name(g->closed ? TASK_CLOSED : TASK_OPEN));
	} else if (g->type == GITBUG_TITLE) {
		json_put_str(j, "title", g->title ? g->title : "");
	} else {
		json_put_str(j, "body", text_of(b, g));
	}
	plan_done(b);
}

static void plan_comment(struct bugs *b, const struct gitbug_op *g, const char *task, const char *thread)
{
	struct anchor an = { .type = ANCHOR_TASK, .task = arena_printf(b->c->arena, "T-%." TASK_DIGITS "s", task) };
	json_t *j = plan_op(b, g, thread ? OP_POST : OP_OPEN, thread);

	if (!thread)
		json_put_str(j, "kind", thread_kind_name(KIND_NOTE));
	json_put_str(j, "body", text_of(b, g));
	if (!thread)
		json_object_set_new(j, "anchor", anchor_to_op(&an));
	plan_done(b);
}

static void plan_edit(struct bugs *b, const struct gitbug_op *g, const struct known *post)
{
	json_t *j = plan_op(b, g, OP_EDIT, post->entity);

	json_put_str(j, "post", post->op);
	json_put_str(j, "body", text_of(b, g));
	if (!person_same_email(&g->author, &post->author))
		json_object_set_new(j, "import_by", person_json(&g->author));
	b->plan.items[b->plan.len - 1].op.author = post->author;
	plan_done(b);
}

/* ---- writing ---- */

static int write_some(struct bugs *b, size_t from, size_t n, struct err *e)
{
	struct op *ops = xcalloc(n, sizeof(*ops));
	char (*ids)[SHA256_HEX] = xcalloc(n, sizeof(*ids));
	int rc;

	for (size_t i = 0; i < n; i++)
		ops[i] = b->plan.items[from + i].op;
	rc = act_write_ops(b->c, AUDIENCE_EVERYONE, ops, n, "import from git-bug", ids, e);
	for (size_t i = 0; !rc && i < n; i++) {
		memcpy(ops[i].id, ids[i], SHA256_HEX);
		add_known(b, b->plan.items[from + i].from->id, &ops[i]);
	}
	free(ops);
	free(ids);
	return rc;
}

/* Writes what is planned. A dry run makes ids up, so that the rounds behind it find what they need. */
static int carry_out(struct bugs *b, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < b->plan.len && !b->dry_run; i += WRITE_AT_ONCE)
		rc = write_some(b, i, b->plan.len - i < WRITE_AT_ONCE ? b->plan.len - i : WRITE_AT_ONCE, e);
	for (size_t i = 0; i < b->plan.len; i++) {
		if (b->dry_run) {
			memcpy(b->plan.items[i].op.id, b->plan.items[i].from->id, SHA256_HEX);
			add_known(b, b->plan.items[i].from->id, &b->plan.items[i].op);
		}
		json_decref(b->plan.items[i].op.payload);
	}
	b->added += rc ? 0 : b->plan.len;
	b->plan.len = 0;
	sort_known(b);
	return rc;
}

/* ---- rounds ---- */

static void round_tasks(struct bugs *b, const struct gitbug *bug)
{
	if (!find(b, bug->ops[0].id))
		plan_task(b, &bug->ops[0]);
}

/* The thread that the bug's comments are in: of any that is there. */
static const char *talk_of(const struct bugs *b, const struct gitbug *bug)
{
	for (size_t i = 0; i < bug->n; i++) {
		const struct known *k = bug->ops[i].type == GITBUG_COMMENT ? find(b, bug->ops[i].id) : NULL;
		if (k)
			return k->entity;
	}
	return NULL;
}

static bool changes_task(const struct gitbug *bug, const struct gitbug_op *g)
{
	return g->type == GITBUG_TITLE || g->type == GITBUG_STATUS || g->type == GITBUG_LABELS ||
	    (g->type == GITBUG_EDIT && g->target && !strcmp(g->target, bug->ops[0].id));
}

static void round_changes(struct bugs *b, const struct gitbug *bug)
{
	const struct known *task = find(b, bug->ops[0].id);
	bool talk = talk_of(b, bug) != NULL;

	for (size_t i = 1; i < bug->n; i++) {
		const struct gitbug_op *g = &bug->ops[i];
		if (find(b, g->id))
			continue;
		if (changes_task(bug, g)) {
			plan_change(b, g, task->entity);
		} else if (g->type == GITBUG_COMMENT && !talk) {
			plan_comment(b, g, task->entity, NULL);
			talk = true;
		}
	}
}

static void round_comments(struct bugs *b, const struct gitbug *bug)
{
	const struct known *task = find(b, bug->ops[0].id);
	const char *talk = talk_of(b, bug);

	for (size_t i = 1; i < bug->n; i++) {
		if (bug->ops[i].type == GITBUG_COMMENT && !find(b, bug->ops[i].id))
			plan_comment(b, &bug->ops[i], task->entity, talk);
	}
}

static void round_edits(struct bugs *b, const struct gitbug *bug)
{
	for (size_t i = 1; i < bug->n; i++) {
		const struct gitbug_op *g = &bug->ops[i];
		const struct known *post = g->type == GITBUG_EDIT && !changes_task(bug, g) ? find(b, g->target) : NULL;
		if (post && !find(b, g->id))
			plan_edit(b, g, post);
	}
}

static int all_rounds(struct bugs *b, struct err *e)
{
	static void (*const rounds[])(struct bugs *b, const struct gitbug *bug) = { round_tasks, round_changes,
		round_comments, round_edits };
	int rc = 0;

	for (size_t k = 0; !rc && k < ARRAY_SIZE(rounds); k++) {
		for (size_t i = 0; i < b->all.len; i++) {
			if (!b->all.items[i].fault)
				rounds[k](b, &b->all.items[i]);
		}
		rc = carry_out(b, e);
	}
	return rc;
}

/* Said at the end, when everything else is in. */
static int faults(struct bugs *b, struct err *e)
{
	size_t bad = 0;

	for (size_t i = 0; i < b->all.len; i++) {
		if (!b->all.items[i].fault)
			continue;
		bad++;
		out_note(b->c, "bug %.7s is left out: %s", b->all.items[i].id, b->all.items[i].fault);
	}
	return bad ? err_set(e, ERR_BAD_DATA, "%zu of %zu bugs could not be read", bad, b->all.len) : 0;
}

int import_gitbug(struct cmd *c, bool dry_run, struct import_count *n, struct err *e)
{
	struct bugs b = { .c = c, .dry_run = dry_run };
	int rc = gitbug_read(c, &b.all, e);

	if (!rc && c->work->native && index_each_op(c->work->index, c->work->native, see_op, &b, e) < 0)
		rc = -1;
	sort_known(&b);
	rc = rc ? rc : all_rounds(&b, e);
	n->added = b.added;
	n->done = !rc;
	rc = rc ? rc : faults(&b, e);
	free(b.all.items);
	array_release(&b.known);
	array_release(&b.plan);
	return rc;
}
