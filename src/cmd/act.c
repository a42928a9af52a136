/* SPDX-License-Identifier: MIT */
/*
 * What the commands that write have in common. A write happens with the terminal's signals held back: it lasts
 * milliseconds, and a Ctrl-C in the middle would leave git's lock file behind for the next one to trip over.
 */
#include "config.h"
#include <signal.h>
#include <string.h>
#include "killick/cmd/act.h"

static bool is_task(void *ctx, const char *name)
{
	struct cmd *c = ctx;
	struct err ignored = ERR_INIT;
	struct task t;

	return c->work->index && !index_task(c->work->index, &c->work->scope, name, c->arena, &t, &ignored);
}

/* The repository's resolver answers with its own context; the one question it cannot answer is asked here. */
struct resolver {
	struct cmd *c;
	struct anchor_resolver repo;
};

static bool r_path(void *ctx, const char *path, const char *rev, struct arena *a, const char **top)
{
	struct resolver *r = ctx;

	return r->repo.is_path(r->repo.ctx, path, rev, a, top);
}

static bool r_commit(void *ctx, const char *rev)
{
	struct resolver *r = ctx;

	return r->repo.is_commit(r->repo.ctx, rev);
}

static bool r_task(void *ctx, const char *name)
{
	struct resolver *r = ctx;

	return is_task(r->c, name);
}

static bool r_permalink(void *ctx, const char *url, struct arena *a, struct anchor *out)
{
	struct resolver *r = ctx;

	return r->repo.permalink && r->repo.permalink(r->repo.ctx, url, a, out);
}

static const char *r_nearest(void *ctx, const char *path, struct arena *a)
{
	struct resolver *r = ctx;

	return r->repo.nearest ? r->repo.nearest(r->repo.ctx, path, a) : NULL;
}

const char *act_task_name(struct cmd *c, const struct task *t)
{
	struct err ignored = ERR_INIT;
	char entity[SHA256_HEX];
	int64_t source;

	if (index_task_entity(c->work->index, t->row, entity, &source, &ignored) || !str_starts(t->id, "T-") ||
	    strncmp(t->id + 2, entity, strlen(t->id) - 2) != 0)
		return t->id;
	return arena_printf(c->arena, "T-%." TASK_DIGITS "s", entity);
}

int act_anchor(struct cmd *c, const char *text, struct anchor *out, struct err *e)
{
	struct task t;
	struct err ignored = ERR_INIT;
	struct resolver r = { c, repo_anchor_resolver(c->work->repo) };
	struct anchor_resolver res = { .ctx = &r, .is_path = r_path, .is_commit = r_commit, .is_task = r_task,
		.permalink = r_permalink, .nearest = r_nearest };
	char hex[GIT_OID_HEX];
	struct oid id;

	if (anchor_parse(c->arena, text, &res, out, e))
		return -1;
	if (out->type == ANCHOR_TASK && c->work->index &&
	    !index_task(c->work->index, &c->work->scope, out->task, c->arena, &t, &ignored))
		out->task = act_task_name(c, &t);
	if (!out->commit)
		return 0;
	if (repo_resolve(c->work->repo, out->commit, &id, e))
		return -1;
	out->commit = arena_strdup(c->arena, oid_hex(hex, &id));
	return 0;
}

int act_subject(struct cmd *c, const char *id, struct subject *out, struct err *e)
{
	struct err ignored = ERR_INIT;
	const char *task, *thread;
	int64_t source;

	*out = (struct subject){ .post = NULL };
	if (index_thread(c->work->index, &c->work->scope, id, c->arena, &out->t, &out->post, e))
		return -1;
	if (index_entity(c->work->index, out->t.row, out->entity, &source, e))
		return -1;
	out->audience = source == c->work->private_ ? AUDIENCE_PRIVATE : AUDIENCE_EVERYONE;
	/* Where it is now is for the reader; a work tree that cannot be read keeps nobody from answering. */
	work_places_dirty(c->work, c->arena, &out->t, 1, &ignored);
	if (source == c->work->private_ || source == c->work->native ||
	    !index_thread_keys(c->work->index, out->t.row, c->arena, &task, &thread))
		return 0;
	return act_there(c, source, task, thread, &out->there, e);
}

int act_post_op(struct cmd *c, const struct subject *s, const struct post *post, char op[SHA256_HEX], struct err *e)
{
	const struct post *p = post ? post : s->post ? s->post : s->t.n_posts ? &s->t.posts[0] : NULL;

	if (!p)
		return err_set(e, ERR_NOT_FOUND, "thread %s has no post", s->t.abbrev);
	return index_post_op(c->work->index, s->t.row, p->id, op, e);
}

int act_me(struct cmd *c, struct person *out, struct err *e)
{
	return repo_identity(c->work->repo, c->arena, out, e);
}

json_t *act_op(struct batch *b, enum op_type type, const char *entity)
{
	struct op *op = &b->ops[b->n];

	if (b->n == ACT_MAX)
		BUG("more than %d ops in one act", ACT_MAX);
	*op = (struct op){ .version = 1, .type = type, .type_name = op_type_name(type), .payload = json_object() };
	if (entity)
		memcpy(op->entity, entity, strnlen(entity, SHA256_HEX - 1));
	b->n++;
	return op->payload;
}

void batch_release(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		json_decref(b->ops[i].payload);
	b->n = 0;
}

static void hold_signals(sigset_t *old)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, old);
}

int act_write(struct cmd *c, enum audience aud, struct batch *b, const char *subject, struct err *e)
{
	struct person me;

	if (act_me(c, &me, e))
		return -1;
	for (size_t i = 0; i < b->n; i++) {
		if (!b->ops[i].author.email && !b->ops[i].author.name)
			b->ops[i].author = me;
		if (!b->ops[i].time)
			b->ops[i].time = clock_now();
	}
	return act_write_ops(c, aud, b->ops, b->n, subject, b->ids, e);
}

int act_write_ops(struct cmd *c, enum audience aud, struct op *ops, size_t n, const char *subject,
    char (*ids)[SHA256_HEX], struct err *e)
{
	sigset_t old;
	int rc;

	hold_signals(&old);
	rc = aud == AUDIENCE_EVERYONE ? work_log(c->work, true, e) : work_desk(c->work, e);
	if (!rc)
		rc = work_write(c->work, aud, ops, n, subject, ids, e);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return rc;
}

bool act_thread(struct cmd *c, const char *entity, struct thread *out)
{
	struct err ignored = ERR_INIT;
	char id[SHA256_HEX + 1] = "k";

	memcpy(id + 1, entity, strlen(entity) + 1);
	if (!c->work->index || index_thread(c->work->index, &c->work->scope, id, c->arena, out, NULL, &ignored))
		return false;
	work_places_dirty(c->work, c->arena, out, 1, &ignored);
	return true;
}

const char *act_anchor_text(struct cmd *c, const struct thread *t)
{
	struct anchor now = t->anchor;
	struct buf b = BUF_INIT;
	const char *text;

	if (t->place.path && t->place.state != PLACE_UNKNOWN && t->place.state != PLACE_GONE) {
		now.path = t->place.path;
		now.line = t->place.line ? t->place.line : now.line;
		now.end = t->place.end ? t->place.end : now.end;
	}
	if (now.type == ANCHOR_SECTION)
		now.line = now.end = 0;
	anchor_format(&b, &now, 0);
	text = arena_strdup(c->arena, b.ptr);
	buf_release(&b);
	return text;
}

void act_report(struct cmd *c, const char *entity, enum audience aud, const char *done)
{
	struct buf who = BUF_INIT;
	struct thread t;

	if (!act_thread(c, entity, &t)) {
		/* Written, but the index could not follow (a full or read-only cache): say the id all the same. */
		json_t *j = json_object();

		json_put_str(j, "id", arena_printf(c->arena, "k%.12s", entity));
		out_textf(c, STYLE_ID, "k%.12s", entity);
		out_textf(c, STYLE_NORMAL, " %s", done);
		out_line(c);
		out_doc(c, "thread", j);
		return;
	}
	compose_audience(c, aud, &who);
	out_text(c, STYLE_ID, t.abbrev);
	out_textf(c, STYLE_NORMAL, " %s %s; %s", done, t.anchor.type == ANCHOR_PROJECT ? "the project" : act_anchor_text(c, &t),
	    who.ptr);
	out_line(c);
	out_doc(c, "thread", thread_json(&t));
	buf_release(&who);
}

void act_report_task(struct cmd *c, const char *entity, enum audience aud, const char *done)
{
	struct buf who = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct task t;
	const char *id = arena_printf(c->arena, "T-%s", entity);
	json_t *j = json_object();

	if (index_task(c->work->index, &c->work->scope, id, c->arena, &t, &ignored))
		t = (struct task){ .id = arena_printf(c->arena, "T-%.12s", entity), .title = "" };
	compose_audience(c, aud, &who);
	out_text(c, STYLE_ID, t.id);
	out_textf(c, STYLE_NORMAL, " %s: %s; %s", done, t.title, who.ptr);
	out_line(c);
	json_put_str(j, "id", t.id);
	out_doc(c, "task", t.row ? task_json(&t) : json_incref(j));
	json_decref(j);
	buf_release(&who);
}

static void dry_run_with(struct cmd *c, json_t *notes, json_t *j)
{
	for (size_t i = 0; i < json_array_size(notes); i++) {
		const json_t *n = json_array_get(notes, i);
		const char *body = json_get_str(n, "body");

		out_textf(c, STYLE_NORMAL, "with: %s %s %s  ", json_get_str(n, "draft"), json_get_str(n, "verb"), json_get_str(n, "on"));
		out_prose(c, STYLE_NORMAL, arena_memdup(c->arena, body, strcspn(body, "\n")));
		out_line(c);
	}
	json_object_set(j, "notes", notes);
}

void act_dry_run(struct cmd *c, const struct compose *p, enum audience aud)
{
	struct buf who = BUF_INIT;
	json_t *j = json_object();

	compose_goes(c, p, &who);
	json_put_str(j, "verb", p->verb);
	json_put_str(j, "what", p->what);
	json_put_str(j, "target", p->target);
	json_put_str(j, "audience", audience_name(aud));
	json_put_str(j, "source", p->to ? p->to->d.name : aud == AUDIENCE_PRIVATE ? "private" : "native");
	json_put_str(j, "who", who.ptr);
	json_put_str(j, "body", p->body);
	if (p->anchor)
		json_object_set_new(j, "anchor", anchor_json(p->anchor));
	out_textf(c, STYLE_NORMAL, "would post: %s", p->what);
	out_line(c);
	out_textf(c, STYLE_NORMAL, "goes to: %s", who.ptr);
	out_line(c);
	if (p->body) {
		out_textf(c, STYLE_NORMAL, "text: %zu bytes", strlen(p->body));
		out_line(c);
	}
	if (p->with)
		dry_run_with(c, p->with, j);
	out_text(c, STYLE_NORMAL, "nothing was written");
	out_line(c);
	out_doc(c, "dry_run", j);
	buf_release(&who);
}
