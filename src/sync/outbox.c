/* SPDX-License-Identifier: MIT */
/*
 * The outbox but for the sending: what is queued, how it shows meanwhile, what the user does with it.
 *
 * Whoever queues has durably written before anything is said to be done, and the draft that had the text goes in the same
 * transaction: a text is always in exactly one place.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "killick/base/clock.h"
#include "killick/base/proc.h"
#include "killick/git/history.h"
#include "killick/store/settings.h"
#include "outbox.h"

enum { REFRESH_WAIT = 500, KEEP_DONE_MS = 7 * 86400000 };

/* ---- queueing ---- */

static const char *new_id(struct arena *a)
{
	uint8_t rnd[16];
	char hex[33];

	random_bytes(rnd, sizeof(rnd));
	hex_encode(hex, rnd, sizeof(rnd));
	return arena_strdup(a, hex);
}

/* What the user had seen of a thread. */
static void see(const struct thread *t, int64_t *newest, int64_t *others)
{
	*newest = *others = 0;
	for (unsigned i = 0; t && t->posts && i < t->n_posts; i++) {
		if (t->posts[i].state != POST_SENT)
			continue;
		*newest = t->posts[i].time > *newest ? t->posts[i].time : *newest;
		*others += !t->posts[i].mine;
	}
}

static json_t *part_json(const struct out_post *p, const struct out_part *part)
{
	json_t *j = json_object();
	char entity[SHA256_HEX];
	int64_t newest, others;

	record_entity(p->s->d.kind, p->s->key, RECORD_THREAD, p->task, part->thread, entity);
	see(part->seen, &newest, &others);
	json_put_str(j, "id", part->id);
	json_put_str(j, "thread", part->thread);
	json_put_str(j, "entity", entity);
	json_put_int(j, "seen", newest);
	json_put_int(j, "seen_n", others);
	json_object_set(j, "patch", part->patch);
	return j;
}

static const char *patch_text(struct arena *a, const struct out_post *p)
{
	json_t *j, *parts;

	if (!p->patch)
		return NULL;
	j = json_object();
	json_put_str(j, "task", p->task);
	json_put_str(j, "thread", p->thread);
	json_object_set(j, "patch", p->patch);
	if (p->n_parts) {
		parts = json_array();
		for (size_t i = 0; i < p->n_parts; i++)
			json_array_append_new(parts, part_json(p, &p->parts[i]));
		json_object_set_new(j, "parts", parts);
	}
	return json_line(a, j);
}

int outbox_queue(struct work *w, struct out_post *p, struct out_row *out, struct err *e)
{
	struct arena *a = &w->arena;
	struct err unused = ERR_INIT;
	char entity[SHA256_HEX];

	if (!p->op.id)
		p->op.id = new_id(a);
	record_entity(p->s->d.kind, p->s->key, RECORD_THREAD, p->task, p->thread ? p->thread : "", entity);
	*out = (struct out_row){
		.id = p->op.id, .source = p->s->d.name, .source_kind = p->s->d.kind, .source_key = p->s->key,
		.repo = repo_commondir(w->repo), .state = OUT_QUEUED, .op = json_line(a, wire_op_json(&p->op)),
		.thread = arena_strdup(a, entity), .what = p->what, .patch = patch_text(a, p), .created = clock_now(),
		.was_open = p->was_open, .pushed = p->pushed,
	};
	if (p->pushed)
		out->problem = arena_printf(a, "waits until %.7s is pushed", p->pushed);
	out->not_before = out->created + setting_int(w->repo, "post.delay");
	see(p->seen, &out->seen, &out->seen_n);
	if (work_desk(w, e) || desk_out_add(w->desk, out, p->drafts, p->n_drafts, e))
		return -1;
	/* It stands: whatever happens to the index is told, not a failure. */
	work_refresh(w, REFRESH_WAIT, &unused);
	return 0;
}

/* The row's patch with another text. */
static const char *patch_with(struct arena *a, const char *patch, const char *id, const char *body)
{
	struct err unused = ERR_INIT;
	json_t *j = patch ? json_read(patch, strlen(patch), "a patch", &unused) : NULL, *in = json_get_obj(j, "patch");
	json_t *note = json_get_obj(in, "note");

	if (!j)
		return NULL;
	if (note) {
		json_put_str(note, "body", body);
		json_put_str(note, "key", arena_printf(a, RECORD_UNSENT "%s", id));
	} else if (json_object_get(in, "body")) {
		json_put_str(in, "body", body);
	}
	return json_line(a, j);
}

int outbox_rewrite(struct work *w, const struct out_row *old, const char *body, const char *title, struct out_row *out,
    struct err *e)
{
	struct arena *a = &w->arena;
	struct err unused = ERR_INIT;
	json_t *j;

	if (old->state == OUT_SENDING || old->state == OUT_UNKNOWN || old->state == OUT_DONE)
		return err_set(e, ERR_CONFLICT, "it is %s: what may be there already is not changed here", out_state_name(old->state));
	j = json_read(old->op, strlen(old->op), "what is in the outbox", e);
	if (!j)
		return -1;
	*out = *old;
	out->id = new_id(a);
	json_put_str(j, "id", out->id);
	if (body)
		json_put_str(j, "body", body);
	if (title)
		json_put_str(j, "title", title);
	json_object_del(j, "mark");
	out->op = json_line(a, j);
	out->patch = patch_with(a, old->patch, out->id, body);
	out->state = OUT_QUEUED;
	out->not_before = clock_now() + setting_int(w->repo, "post.delay");
	out->attempts = out->looks = 0;
	out->sent_at = out->retry_at = 0;
	out->mark = out->key = out->url = out->problem = NULL;
	/* Who changes his words has seen why they were held. */
	out->forced = old->forced || old->state == OUT_HELD;
	if (work_desk(w, e) || desk_out_replace(w->desk, old, out, e))
		return -1;
	work_refresh(w, REFRESH_WAIT, &unused);
	return 0;
}

int outbox_follow(struct work *w, const char *id, const char *body, const char *commit, struct err *e)
{
	struct arena *a = &w->arena;
	struct out_row old, now;
	json_t *j;

	if (work_desk(w, e) || desk_out(w->desk, id, a, &old, e))
		return -1;
	if (old.state != OUT_QUEUED || !old.pushed || !strcmp(old.pushed, commit))
		return 0;
	now = old;
	now.pushed = arena_strdup(a, commit);
	now.problem = arena_printf(a, "waits until %.7s is pushed", commit);
	if (body) {
		j = json_read(old.op, strlen(old.op), "what is in the outbox", e);
		if (!j)
			return -1;
		json_put_str(j, "body", body);
		now.op = json_line(a, j);
		now.patch = patch_with(a, old.patch, old.id, body);
	}
	return desk_out_replace(w->desk, &old, &now, e);
}

/* ---- commits ---- */

/* Does a branch of a remote, as it was last seen, have it? */
static bool is_pushed(struct work *w, const char *commit)
{
	const char *const revs[] = { commit, "--not", "--remotes", NULL };
	struct history *h;
	struct err unused = ERR_INIT;
	struct oid id, first;
	bool yes;

	if (!oid_parse(commit, &id) || !repo_has_object(w->repo, &id) || history_open(w->repo, revs, NULL, &h, &unused))
		return false;
	yes = history_next(h, &first, &unused) == 0;
	history_close(h);
	return yes;
}

bool outbox_awaits_push(struct work *w)
{
	struct arena a = ARENA_INIT;
	struct out_list l = ARRAY_INIT;
	struct err e = ERR_INIT;
	bool waits = false;

	if (work_desk(w, &e) || desk_outs(w->desk, repo_commondir(w->repo), NULL, NULL, &a, &l, &e))
		l.len = 0;
	for (size_t i = 0; i < l.len; i++) {
		struct out_row *r = &l.items[i];

		if (r->state != OUT_QUEUED || !r->pushed)
			continue;
		if (!is_pushed(w, r->pushed)) {
			waits = true;
			continue;
		}
		r->pushed = r->problem = NULL;
		if (desk_out_save(w->desk, r, &e))
			trace("sync", "%s", e.msg);
	}
	arena_release(&a);
	return waits;
}

struct out_policy outbox_policy(struct work *w, const char *op)
{
	struct out_policy p = { .settle = setting_int(w->repo, "post.settle"), .again = 30000, .again_max = 900000, .attempts = 2 };
	struct err unused = ERR_INIT;
	json_t *j = op ? json_read(op, strlen(op), "an op", &unused) : NULL;
	enum wire_verb v;

	p.idempotent = wire_verb_parse(json_get_str(j, "verb"), &v) && wire_verb_idempotent(v);
	json_decref(j);
	return p;
}

int outbox_act(struct work *w, struct out_row *r, enum out_event ev, struct err *e)
{
	static const char *const words[OUT_EVENTS] = {
		[EV_RELEASE] = "released", [EV_HOLD] = "held", [EV_RETRY] = "tried again", [EV_DISCARD] = "thrown away",
	};
	struct out_policy p = outbox_policy(w, r->op);
	struct err unused = ERR_INIT;
	enum out_state was = r->state;

	if (!out_step(r, ev, NULL, clock_now(), &p))
		return err_set(e, ERR_CONFLICT, "it is %s: it cannot be %s", out_state_name(was), words[ev] ? words[ev] : "changed");
	if (work_desk(w, e) || desk_out_save(w->desk, r, e))
		return -1;
	work_refresh(w, REFRESH_WAIT, &unused);
	return 0;
}

/* The draft's verb and target for an op; NULL: there are no words worth keeping. */
static const char *draft_verb(enum wire_verb v)
{
	static const char *const verbs[WIRE_VERBS] = {
		[WIRE_COMMENT] = "comment", [WIRE_REPLY] = "reply", [WIRE_CODE_NOTE] = "remark", [WIRE_COMMIT_NOTE] = "note",
		[WIRE_EDIT_NOTE] = "edit", [WIRE_NEW_TASK] = "task", [WIRE_EDIT_TASK] = "task-edit", [WIRE_REVIEW] = "submit",
	};

	return verbs[v];
}

static const char *anchor_text(struct arena *a, const struct anchor *an)
{
	json_t *j = an ? anchor_to_op(an) : NULL;

	return j ? json_line(a, j) : NULL;
}

/* What the draft is about, as a command is told it. */
static const char *draft_target(struct work *w, const struct out_row *r, const struct wire_op *op, const char *task)
{
	char entity[SHA256_HEX];
	struct buf b = BUF_INIT;
	const char *text;

	if (op->verb == WIRE_CODE_NOTE || op->verb == WIRE_COMMIT_NOTE) {
		anchor_format(&b, op->anchor, 0);
		text = arena_strdup(&w->arena, b.ptr);
		buf_release(&b);
		return text;
	}
	if (op->verb != WIRE_EDIT_NOTE && op->verb != WIRE_REPLY)
		return task ? task : ".";
	record_entity(r->source_kind, r->source_key, op->verb == WIRE_REPLY ? RECORD_THREAD : RECORD_NOTE,
		      op->verb == WIRE_REPLY ? op->task : NULL, op->verb == WIRE_REPLY ? op->thread : op->note, entity);
	return arena_printf(&w->arena, "%c%s", op->verb == WIRE_REPLY ? 'k' : 'p', entity);
}

static const char *draft_extra(struct arena *a, const struct wire_op *op)
{
	json_t *j;

	if (!op->task)
		return NULL;
	j = json_object();
	json_put_str(j, "on", op->task);
	if (op->verdict)
		json_put_str(j, "verdict", op->verdict);
	return json_line(a, j);
}

static void fill_draft(struct work *w, const struct out_row *r, const struct wire_op *op, struct draft *d)
{
	struct arena *a = &w->arena;
	struct err unused = ERR_INIT;
	struct anchor on_task = { .type = ANCHOR_TASK };
	struct record rec = { .type = RECORD_TASK };
	int64_t row = index_source(w->index, w->scope.repo, r->source_kind, r->source_key, NULL, false);
	bool has = op->task && !index_record(w->index, row, RECORD_TASK, NULL, op->task, a, &rec, &unused);

	if (has) {
		on_task.type = rec.task.change ? ANCHOR_CHANGE : ANCHOR_TASK;
		on_task.task = rec.task.name + strspn(rec.task.name, "!#");
	}
	*d = (struct draft){
		.repo = r->repo, .verb = draft_verb(op->verb), .target = draft_target(w, r, op, has ? rec.task.name : NULL),
		.anchor = anchor_text(a, op->anchor ? op->anchor : has && op->verb == WIRE_COMMENT ? &on_task : NULL),
		.audience = op->private_ ? "private" : "everyone", .to = r->source, .title = op->title, .body = op->body ? op->body : "",
		.problem = "recalled", .extra = draft_extra(a, op),
	};
}

static bool has_words(const struct wire_op *op)
{
	return draft_verb(op->verb) && ((op->body && *op->body) || (op->title && *op->title));
}

/* The op's own words, then each note's; made one after the other, so that they keep their order. */
static size_t recalled(struct work *w, const struct out_row *r, const struct wire_op *op, struct draft *d)
{
	int64_t now = clock_now();
	size_t n = 0;

	if (has_words(op))
		fill_draft(w, r, op, &d[n++]);
	for (size_t i = 0; i < op->n_notes; i++) {
		struct wire_op note = op->notes[i];

		note.task = op->task;
		if (!has_words(&note))
			continue;
		fill_draft(w, r, &note, &d[n]);
		d[n].created = now + (int64_t)n;
		n++;
	}
	return n;
}

int outbox_recall(struct work *w, struct out_row *r, const char **ids, struct err *e)
{
	struct err unused = ERR_INIT;
	struct wire_op op;
	struct draft *d;
	json_t *j;
	size_t n;
	int rc;

	*ids = NULL;
	if (r->state == OUT_SENDING || r->state == OUT_UNKNOWN || r->state == OUT_DONE)
		return err_set(e, ERR_CONFLICT, "it is %s: it may be there already and cannot be recalled", out_state_name(r->state));
	j = json_read(r->op, strlen(r->op), "what is in the outbox", e);
	rc = j ? wire_op_parse(&w->arena, j, &op, e) : -1;
	json_decref(j);
	if (rc || work_desk(w, e) || work_index(w, e))
		return -1;
	d = arena_alloc(&w->arena, (op.n_notes + 1) * sizeof(*d));
	n = recalled(w, r, &op, d);
	r->state = OUT_DROPPED;
	rc = n ? desk_out_to_drafts(w->desk, r, &w->arena, d, n, e) : desk_out_save(w->desk, r, e);
	for (size_t i = 0; !rc && i < n; i++)
		*ids = i ? arena_printf(&w->arena, "%s, %s", *ids, d[i].id) : d[i].id;
	if (!rc)
		work_refresh(w, REFRESH_WAIT, &unused);
	return rc;
}

/* ---- how it shows ---- */

static json_t *patch_json(const struct out_row *r)
{
	struct err unused = ERR_INIT;

	return r->patch ? json_read(r->patch, strlen(r->patch), "a patch", &unused) : NULL;
}

static void show_one(struct arena *a, const struct out_row *r, const char *id, const char *task, const char *thread, json_t *patch,
    struct unsent_row *u)
{
	const char *of = json_get_str(patch, "of");

	*u = (struct unsent_row){
		.id = arena_strdup(a, id), .source_kind = r->source_kind, .source_key = r->source_key,
		.what = of && !strcmp(of, "task") ? RECORD_TASK : RECORD_NOTE, .task = arena_strdup(a, task),
		.thread = arena_strdup(a, thread), .state = out_post_state(r->state), .patch = json_line(a, json_incref(patch)),
	};
}

typedef ARRAY(struct unsent_row) unsent_rows;

static void show_row(struct arena *a, const struct out_row *r, unsent_rows *out)
{
	json_t *j = patch_json(r), *patch = json_get_obj(j, "patch"), *parts = json_get_arr(j, "parts");
	const char *task = json_get_str(j, "task");

	if (patch && r->key)
		json_put_str(patch, "landed", r->key);
	if (patch)
		show_one(a, r, r->id, task, json_get_str(j, "thread"), patch, array_add(out));
	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *p = json_array_get(parts, i);

		if (json_get_str(p, "id") && json_get_obj(p, "patch"))
			show_one(a, r, json_get_str(p, "id"), task, json_get_str(p, "thread"), json_get_obj(p, "patch"), array_add(out));
	}
	json_decref(j);
}

int outbox_show(struct work *w, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct out_list l = ARRAY_INIT;
	unsent_rows rows = ARRAY_INIT;
	int rc = desk_outs(w->desk, NULL, NULL, NULL, &a, &l, e);

	for (size_t i = 0; !rc && i < l.len; i++)
		show_row(&a, &l.items[i], &rows);
	if (!rc)
		rc = index_put_unsent(w->index, rows.items, rows.len, e);
	array_release(&rows);
	arena_release(&a);
	return rc;
}

/* ---- what became of it ---- */

static bool is_my_note(const struct source *s, const struct record_note *n)
{
	return s->d.me.login && n->author.login && !strcasecmp(s->d.me.login, n->author.login);
}

/* Makes a post, whose key is its own: an edit's is that of what is there already, a new task's no note's. */
static bool is_post(const struct out_row *r)
{
	return r->patch && strstr(r->patch, RECORD_UNSENT);
}

/* Is it in the index now, by its key or, where the answer was lost, by our mark in our own post? */
static bool has_come(struct work *w, const struct source *s, const struct out_row *r, struct arena *a, struct record *rec)
{
	struct err unused = ERR_INIT;

	if (!is_post(r))
		return false;
	if (r->key && !index_record(w->index, s->row, RECORD_NOTE, NULL, r->key, a, rec, &unused))
		return true;
	return r->attempts && !index_marked_note(w->index, s->row, r->id, r->created, a, rec, &unused) && is_my_note(s, &rec->note);
}

/* ---- what it is called now ---- */

static void rename_entity(struct work *w, const struct source *s, char letter, const char *task, const char *was, const char *now)
{
	enum record_type type = letter == 'k' ? RECORD_THREAD : RECORD_NOTE;
	char old[SHA256_HEX], new[SHA256_HEX];
	struct err e = ERR_INIT;

	record_entity(s->d.kind, s->key, type, task, was, old);
	record_entity(s->d.kind, s->key, type, task, now, new);
	if (strcmp(old, new) && desk_alias_put(w->desk, letter, old, new, &e))
		trace("sync", "%s", e.msg);
}

/* The ids that the user was told of an op's note go on working, now that its tracker calls it otherwise. */
static void remember_names(struct work *w, const struct source *s, const char *op_id, const char *thread, const struct record_note *n,
    struct arena *a)
{
	const char *was = arena_printf(a, RECORD_UNSENT "%s", op_id);

	rename_entity(w, s, 'p', NULL, was, n->key);
	if (thread && !strcmp(thread, was) && n->thread)
		rename_entity(w, s, 'k', n->task, was, n->thread);
}

/* Each note of a review that has come, by its mark. false: one has not. */
static bool parts_have_come(struct work *w, const struct source *s, const struct out_row *r, struct arena *a)
{
	json_t *j = patch_json(r), *parts = json_get_arr(j, "parts");
	struct err unused = ERR_INIT;
	struct record rec;
	bool all = true;

	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *p = json_array_get(parts, i);
		const char *id = json_get_str(p, "id");

		if (id && !index_marked_note(w->index, s->row, id, r->created, a, &rec, &unused) && is_my_note(s, &rec.note))
			remember_names(w, s, id, json_get_str(p, "thread"), &rec.note, a);
		else
			all = false;
	}
	json_decref(j);
	return all;
}

static void remember_row(struct work *w, const struct source *s, const struct out_row *r, const struct record_note *n, struct arena *a)
{
	json_t *j = patch_json(r);

	remember_names(w, s, r->id, json_get_str(j, "thread"), n, a);
	json_decref(j);
}

/* ---- settling ---- */

static struct source *source_of(struct sources *all, const struct out_row *r)
{
	for (size_t i = 0; i < all->len; i++)
		if (all->items[i].key && !strcmp(all->items[i].d.kind, r->source_kind) && !strcmp(all->items[i].key, r->source_key))
			return all->items[i].row ? &all->items[i] : NULL;
	return NULL;
}

/* What is done goes once it shows as what it is: a post in the index with all that belongs to it, a change after a pull. */
static bool is_over(struct work *w, const struct source *s, const struct out_row *r, bool come, struct arena *a)
{
	bool pulled = r->sent_at && s->synced > r->sent_at;

	if (come)
		return parts_have_come(w, s, r, a) || pulled;
	return r->sent_at && s->synced > r->sent_at + (r->key && is_post(r) ? KEEP_DONE_MS : 0);
}

static void settle_row(struct work *w, struct sources *all, struct out_row *r, struct arena *a)
{
	struct wire_outcome o = { .is = WIRE_LANDED };
	struct out_policy p = { .attempts = 2 };
	struct source *s = source_of(all, r);
	struct err e = ERR_INIT;
	struct record rec;
	bool come;

	if (!s)
		return;
	come = has_come(w, s, r, a, &rec);
	if (come && r->state != OUT_DONE) {
		o.key = rec.note.key;
		if (r->state == OUT_SENDING || !out_step(r, EV_FOUND, &o, clock_now(), &p))
			return;
		if (desk_out_save(w->desk, r, &e)) {
			trace("sync", "%s", e.msg);
			return;
		}
	}
	if (r->state != OUT_DONE)
		return;
	if (!is_over(w, s, r, come, a)) {
		outbox_land(w, s, r, a);
		return;
	}
	if (come)
		remember_row(w, s, r, &rec.note, a);
	r->state = OUT_DROPPED;
	if (desk_out_save(w->desk, r, &e))
		trace("sync", "%s", e.msg);
}

void outbox_settle(struct work *w)
{
	struct arena a = ARENA_INIT;
	struct out_list l = ARRAY_INIT;
	struct sources all;
	struct err e = ERR_INIT;

	if (work_desk(w, &e) || work_sources(w, &all, &e)) {
		trace("sync", "%s", e.msg);
		return;
	}
	if (!desk_outs(w->desk, NULL, NULL, NULL, &a, &l, &e))
		for (size_t i = 0; i < l.len; i++)
			settle_row(w, &all, &l.items[i], &a);
	sources_release(&all);
	arena_release(&a);
	work_refresh(w, REFRESH_WAIT, &e);
}

int64_t outbox_next(struct work *w)
{
	struct arena a = ARENA_INIT;
	struct out_list l = ARRAY_INIT;
	struct err e = ERR_INIT;
	int64_t next = 0;

	if (work_desk(w, &e) || desk_outs(w->desk, repo_commondir(w->repo), NULL, NULL, &a, &l, &e)) {
		trace("sync", "%s", e.msg);
		l.len = 0;
	}
	for (size_t i = 0; i < l.len; i++) {
		int64_t at = out_is_first(&l, i) ? out_next(&l.items[i]) : 0;
		next = at && (!next || at < next) ? at : next;
	}
	arena_release(&a);
	return next;
}

/* Is a thread the row's, or of one of the notes that it is made of? Entities are digests: no words look like one. */
static bool is_in(const struct out_row *r, const char *entity)
{
	return !strcmp(r->thread, entity) || (r->patch && *entity && strstr(r->patch, entity));
}

bool out_is_first(const struct out_list *l, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		const struct out_row *before = &l->items[k];

		/* What waits for a push is an afterword: it keeps nobody waiting. */
		if (before->state == OUT_QUEUED && before->pushed)
			continue;
		if (before->state != OUT_DONE && (is_in(before, l->items[i].thread) || is_in(&l->items[i], before->thread)) &&
		    !strcmp(before->source_key, l->items[i].source_key))
			return false;
	}
	return true;
}

static void start_sender(struct work *w, const char *word)
{
	if (setting_bool(w->repo, "post.background"))
		work_start(w, (const char *[]){ "outbox", "deliver", word, NULL });
}

void outbox_kick(struct work *w)
{
	if (outbox_next(w))
		start_sender(w, NULL);
}

void outbox_kick_pushed(struct work *w)
{
	if (work_has_sources(w) && (outbox_awaits_push(w) || outbox_next(w)))
		start_sender(w, "pushed");
}
