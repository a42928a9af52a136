/* SPDX-License-Identifier: MIT */
/*
 * What the commands that write have in common where the thread or task is a tracker's: finding what it is called there,
 * queueing instead of writing, and saying before and after who will see it.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/cmd/act.h"
#include "killick/store/settings.h"

struct sources *act_sources(struct cmd *c, struct err *e)
{
	struct sources all;

	if (c->sources)
		return c->sources;
	if (work_sources(c->work, &all, e))
		return NULL;
	c->sources = xcalloc(1, sizeof(*c->sources));
	*c->sources = all;
	return c->sources;
}

void act_release_sources(struct cmd *c)
{
	if (c->sources)
		sources_release(c->sources);
	free(c->sources);
	c->sources = NULL;
}

int act_there(struct cmd *c, int64_t source, const char *task, const char *thread, struct there *out, struct err *e)
{
	struct sources *all = act_sources(c, e);
	struct source_row row;
	struct record rec;

	*out = (struct there){ .task = task, .thread = thread };
	if (!all)
		return -1;
	out->s = sources_of_row(all, source);
	if (!out->s)
		return err_set(e, ERR_NOT_FOUND, "this is of the tracker '%s', which is not connected here any more ('killick source')",
		    index_source_get(c->work->index, source, c->arena, &row) ? row.name : "?");
	if (*task && index_record(c->work->index, source, RECORD_TASK, NULL, task, c->arena, &rec, e))
		return -1;
	if (*task)
		out->k = rec.task;
	return 0;
}

int act_task_there(struct cmd *c, const struct task *t, struct there *out, struct err *e)
{
	char entity[SHA256_HEX];
	const char *key;
	int64_t source;

	*out = (struct there){ .task = "", .thread = "" };
	if (index_task_entity(c->work->index, t->row, entity, &source, e))
		return -1;
	if (source == c->work->native || source == c->work->private_ || !index_task_key(c->work->index, t->row, c->arena, &key))
		return 0;
	return act_there(c, source, key, "", out, e);
}

int act_native_only(const struct subject *s, const char *lack, struct err *e)
{
	if (!s->there.s)
		return 0;
	return err_set(e, ERR_REFUSED, "%s is at %s, and trackers have no %s", s->t.abbrev, s->there.s->d.name, lack);
}

bool act_moderates(const struct source *s, const struct record *rec)
{
	return s->d.caps & CAP_MODERATE && rec->type == RECORD_NOTE && rec->note.kind != NOTE_REVIEW && rec->note.kind != NOTE_EVENT;
}

int act_can(struct cmd *c, const struct source *s, enum caps cap, struct err *e)
{
	const char *why;

	return source_can(s, cap, c->arena, &why) ? 0 : err_set(e, ERR_REFUSED, "%s", why);
}

/* Is the post of the note that an op makes? */
static bool is_post_of(struct cmd *c, const struct out_row *r, const char *op_id, const char *post)
{
	char entity[SHA256_HEX];

	record_entity(r->source_kind, r->source_key, RECORD_NOTE, NULL, arena_printf(c->arena, RECORD_UNSENT "%s", op_id), entity);
	return !strncmp(post + 1, entity, strlen(post + 1));
}

static bool is_part_of(struct cmd *c, const struct out_row *r, const char *post)
{
	struct err ignored = ERR_INIT;
	struct wire_op op = { .n_notes = 0 };
	json_t *j = strstr(r->op, "\"notes\"") ? json_read(r->op, strlen(r->op), "an op", &ignored) : NULL;
	bool is = false;

	if (j && !wire_op_parse(c->arena, j, &op, &ignored))
		for (size_t i = 0; i < op.n_notes && !is; i++)
			is = is_post_of(c, r, op.notes[i].id, post);
	json_decref(j);
	return is;
}

enum unsent_as act_unsent(struct cmd *c, const struct post *p, struct out_row *out)
{
	struct out_list l = ARRAY_INIT;
	struct err ignored = ERR_INIT;

	if (p->state != POST_QUEUED && p->state != POST_HELD && p->state != POST_FAILED)
		return UNSENT_NOT;
	if (work_desk(c->work, &ignored) || desk_outs(c->work->desk, NULL, NULL, NULL, c->arena, &l, &ignored))
		return UNSENT_NOT;
	for (size_t i = 0; i < l.len; i++) {
		*out = l.items[i];
		if (is_post_of(c, out, out->id, p->id))
			return UNSENT_ITSELF;
		if (is_part_of(c, out, p->id))
			return UNSENT_IN_REVIEW;
	}
	return UNSENT_NOT;
}

int act_last_unsent(struct cmd *c, struct out_row *out, struct err *e)
{
	struct out_list l = ARRAY_INIT;

	if (work_desk(c->work, e) ||
	    desk_outs(c->work->desk, repo_commondir(c->work->repo), NULL, NULL, c->arena, &l, e))
		return -1;
	for (size_t i = l.len; i > 0; i--)
		if (l.items[i - 1].state != OUT_DONE) {
			*out = l.items[i - 1];
			return 1;
		}
	return 0;
}

/* ---- queueing ---- */

const char *act_new_id(struct cmd *c)
{
	uint8_t rnd[16];
	char hex[33];

	random_bytes(rnd, sizeof(rnd));
	hex_encode(hex, rnd, sizeof(rnd));
	return arena_strdup(c->arena, hex);
}

int act_queue(struct cmd *c, struct there *t, const struct thread *seen, const struct wire_op *op, json_t *patch,
    const char *what, const char *draft, struct out_row *row, struct err *e)
{
	struct out_post p = { .s = t->s, .op = *op, .task = t->task, .thread = t->thread, .seen = seen,
		.was_open = t->k.key && t->k.state == TASK_OPEN, .what = what, .patch = patch, .drafts = &draft,
		.n_drafts = draft != NULL };
	int rc = outbox_queue(c->work, &p, row, e);

	json_decref(patch);
	if (!rc)
		outbox_kick(c->work);
	return rc;
}

/* ---- words ---- */

static void add_delay(struct cmd *c, struct buf *b)
{
	int64_t ms = setting_int(c->work->repo, "post.delay");

	if (ms >= 1000)
		buf_addf(b, "; sent in %lld s unless recalled", (long long)(ms / 1000));
	else
		buf_addstr(b, "; sent at once");
}

void act_audience_there(struct cmd *c, const struct source *s, const char *where, bool private_, struct buf *b)
{
	buf_addstr(b, s->d.name);
	if (s->d.project && *s->d.project)
		buf_addf(b, " %s", s->d.project);
	if (where)
		buf_addf(b, " %s", where);
	buf_addstr(b, private_ ? ", private; only who may see private notes there" : "; ");
	if (!private_)
		source_audience(s, b);
	add_delay(c, b);
}

static void report_thread(struct cmd *c, const struct thread *t, const char *done, const char *who)
{
	out_text(c, STYLE_ID, t->abbrev);
	out_textf(c, STYLE_NORMAL, " %s %s; %s", done, act_anchor_text(c, t), who);
	out_line(c);
	out_doc(c, "thread", thread_json(t));
}

static json_t *row_json(const struct out_row *row)
{
	json_t *j = json_object();

	json_put_str(j, "id", row->id);
	json_put_str(j, "source", row->source);
	json_put_str(j, "state", out_state_name(row->state));
	json_put_str(j, "what", row->what);
	json_put_time(j, "due", row->not_before);
	return j;
}

static void report_task(struct cmd *c, const struct there *t, const struct out_row *row, const char *done, const char *who)
{
	struct err ignored = ERR_INIT;
	struct task k;

	out_text(c, STYLE_ID, t->k.key ? t->k.name : "new task");
	out_textf(c, STYLE_NORMAL, " %s; %s", done, who);
	out_line(c);
	if (t->k.key && !index_task(c->work->index, &c->work->scope, t->k.name, c->arena, &k, &ignored))
		out_doc(c, "task", task_json(&k));
	else
		out_doc(c, "outbox", row_json(row));
}

void act_report_queued(struct cmd *c, const struct there *t, const char *entity, const struct out_row *row, const char *done)
{
	const char *id = arena_printf(c->arena, "%.8s", row->id);
	struct buf who = BUF_INIT;
	struct thread th;

	act_audience_there(c, t->s, t->k.key ? t->k.name : NULL, t->private_, &who);
	buf_addf(&who, " ('killick outbox recall %s')", id);
	if (entity && act_thread(c, entity, &th))
		report_thread(c, &th, done, who.ptr);
	else
		report_task(c, t, row, done, who.ptr);
	buf_release(&who);
}
