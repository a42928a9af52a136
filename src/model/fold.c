/* SPDX-License-Identifier: MIT */
/*
 * The fold. Everything that two replicas could do differently is decided here once, from the ops alone:
 *
 * 1. Sort by stamp (then id, for forks that slipped through), drop duplicates, and take the entity from the first op
 *    that opens one. The opener's values are the lowest of all, whatever its clock says.
 * 2. Collect the posts, then the redactions, since a redaction holds also for what sorts after it, and since accepting
 *    a redacted answer means nothing.
 * 3. Apply the rest in order, a row a type. A later op simply overwrites: that is last-writer-wins.
 * 4. Sets (labels, people, links, reactions) are registers, one an element: their changes are gathered as events,
 *    sorted by element and order, and the last one of each element tells whether it is in.
 *
 * Posts are found by binary search over their ids; nothing here is quadratic.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/base/hash.h"
#include "killick/model/fold.h"

struct slot {
	const struct op *op;     /* the op that wrote it */
	const struct op *edit;   /* the last edit that counts, or NULL */
	const char *body;        /* of the one or the other; NULL only for an opener without */
	size_t order;
	bool redacted;
};

/* One change of one element of a set. */
struct event {
	size_t post;             /* reactions only */
	const char *key, *who;
	size_t order;
	bool on;
	struct person person;
};
struct events { struct event *items; size_t len, alloc; };

struct folding {
	struct arena *a;
	struct fold *out;
	const struct op *opener;
	const struct op **ops;   /* after the opener, in order */
	size_t n;
	struct slot *posts;      /* in order; [0] is the opener's */
	size_t n_posts;
	struct slot **by_id;
	size_t order;            /* of the op being applied; the opener's is 0 */
	const char *title;
	struct slot *accepted;
	const struct op *last;   /* that people see */
	struct events labels, people, links, reactions;
};

/* ---- order ---- */

/* The order of op_stamp without making stamps: lower-case hex sorts as the bytes do. The id parts forks. */
static int compare_ops(const void *a, const void *b)
{
	const struct op *x = *(struct op *const *)a, *y = *(struct op *const *)b;
	int c;

	if (x->lamport != y->lamport)
		return x->lamport < y->lamport ? -1 : 1;
	if ((c = strcmp(x->writer, y->writer)))
		return c;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return strcmp(x->id, y->id);
}

static bool opens(const struct op *op)
{
	return !op->entity[0] && (op->type == OP_OPEN || op->type == OP_TASK);
}

/* The opener, and the ops of its entity in f->ops without duplicates. */
static bool gather(struct folding *f, struct op **ops, size_t n)
{
	for (size_t i = 0; i < n && !f->opener; i++)
		if (opens(ops[i]))
			f->opener = ops[i];
	if (!f->opener)
		return false;
	f->ops = arena_alloc(f->a, n * sizeof(*f->ops));
	for (size_t i = 0; i < n; i++) {
		bool again = f->n && !strcmp(f->ops[f->n - 1]->id, ops[i]->id);

		if (!again && !strcmp(ops[i]->entity, f->opener->id))
			f->ops[f->n++] = ops[i];
	}
	return true;
}

/* ---- posts ---- */

static const char *body_of(const struct op *op)
{
	return json_get_str(op->payload, "body");
}

/* The body that makes this op a post, or NULL. */
static const char *post_body(const struct op *op)
{
	return op->type == OP_POST || op->type == OP_RESOLVE ? body_of(op) : NULL;
}

static int compare_slot_ids(const void *a, const void *b)
{
	const struct slot *const *x = a, *const *y = b;

	return strcmp((*x)->op->id, (*y)->op->id);
}

static int compare_id(const void *id, const void *slot)
{
	const struct slot *const *s = slot;

	return strcmp(id, (*s)->op->id);
}

static void add_slot(struct folding *f, const struct op *op, size_t order, const char *body)
{
	f->posts[f->n_posts] = (struct slot){ .op = op, .order = order, .body = body };
	f->by_id[f->n_posts] = &f->posts[f->n_posts];
	f->n_posts++;
}

static void gather_posts(struct folding *f)
{
	f->posts = arena_alloc(f->a, (f->n + 1) * sizeof(*f->posts));
	f->by_id = arena_alloc(f->a, (f->n + 1) * sizeof(*f->by_id));
	add_slot(f, f->opener, 0, body_of(f->opener));
	for (size_t i = 0; i < f->n; i++) {
		const char *body = post_body(f->ops[i]);

		if (body)
			add_slot(f, f->ops[i], i + 1, body);
	}
	qsort(f->by_id, f->n_posts, sizeof(*f->by_id), compare_slot_ids);
}

/* The post that the op's payload names, or NULL. */
static struct slot *post_of(const struct folding *f, const struct op *op)
{
	const char *id = json_get_str(op->payload, "post");
	struct slot **s = id ? bsearch(id, f->by_id, f->n_posts, sizeof(*f->by_id), compare_id) : NULL;

	return s ? *s : NULL;
}

static struct slot *own_post_of(const struct folding *f, const struct op *op)
{
	struct slot *s = post_of(f, op);

	return s && person_same_email(&s->op->author, &op->author) ? s : NULL;
}

static void gather_redactions(struct folding *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct slot *s = f->ops[i]->type == OP_REDACT ? own_post_of(f, f->ops[i]) : NULL;

		if (s)
			s->redacted = true;
	}
}

/* ---- one row a type: does it apply, so that people see it? ---- */

static bool apply_post(struct folding *f, const struct op *op)
{
	(void)f;
	return post_body(op) != NULL;
}

static bool apply_edit(struct folding *f, const struct op *op)
{
	struct slot *s = own_post_of(f, op);
	const char *body = body_of(op);

	if (!s || s->redacted || s->order > f->order || !body)
		return false;
	s->edit = op;
	s->body = body;
	return true;
}

static bool apply_redact(struct folding *f, const struct op *op)
{
	return own_post_of(f, op) != NULL;
}

static void set_state(struct folding *f, const struct op *op, enum thread_state ts, enum task_state ks)
{
	f->out->t.state = ts;
	f->out->k.state = ks;
	f->out->closer = op->author;
	f->out->resolved_by = NULL;
}

/* A commit's full id in the payload, or NULL. */
static const char *commit_of(const struct op *op, const char *key)
{
	const char *s = json_get_str(op->payload, key);

	return s && strlen(s) == GIT_OID_HEX - 1 && str_is_hex(s, GIT_OID_HEX - 1) ? s : NULL;
}

static bool apply_resolve(struct folding *f, const struct op *op)
{
	set_state(f, op, STATE_RESOLVED, TASK_CLOSED);
	f->out->resolved_by = commit_of(op, "commit");
	return true;
}

static bool apply_reopen(struct folding *f, const struct op *op)
{
	set_state(f, op, STATE_OPEN, TASK_OPEN);
	return true;
}

static bool apply_accept(struct folding *f, const struct op *op)
{
	struct slot *s = post_of(f, op);

	if (f->out->task || (s ? s->redacted : !json_is_null(json_object_get(op->payload, "post"))))
		return false;
	f->accepted = s;
	if (s)
		set_state(f, op, STATE_ANSWERED, TASK_OPEN);
	else if (f->out->t.state == STATE_ANSWERED)
		set_state(f, op, STATE_OPEN, TASK_OPEN);
	return true;
}

static bool apply_kind(struct folding *f, const struct op *op)
{
	return !f->out->task && thread_kind_parse(json_get_str(op->payload, "kind"), &f->out->t.kind);
}

/* A title of null or of nothing but blanks gives the thread back the one of its text. */
static bool apply_title(struct folding *f, const struct op *op)
{
	const json_t *v = json_object_get(op->payload, "title");
	struct buf b = BUF_INIT;

	if (!json_is_string(v) && !json_is_null(v))
		return false;
	title_one_line(&b, json_is_string(v) ? json_string_value(v) : "");
	f->title = b.len ? arena_memdup(f->a, b.ptr, b.len) : NULL;
	buf_release(&b);
	return true;
}

static bool apply_move(struct folding *f, const struct op *op)
{
	struct anchor an;
	struct err e = ERR_INIT;

	if (f->out->task || anchor_from_op(f->a, json_get_obj(op->payload, "anchor"), &an, &e))
		return false;
	f->out->t.anchor = an;
	return true;
}

static bool apply_task(struct folding *f, const struct op *op)
{
	const char *state = json_get_str(op->payload, "state");
	enum task_state ts;
	bool seen = false;

	if (!f->out->task)
		return false;
	if (task_state_parse(state, &ts)) {
		set_state(f, op, ts == TASK_OPEN ? STATE_OPEN : STATE_RESOLVED, ts);
		seen = true;
	}
	if (json_object_get(op->payload, "title"))
		seen |= apply_title(f, op);
	if (body_of(op) && !f->posts[0].redacted) {
		f->posts[0].edit = op;
		f->posts[0].body = body_of(op);
		seen = true;
	}
	return seen;
}

/* ---- sets ---- */

/* Could be shown in a line, and is something. */
static bool is_element(const char *s)
{
	if (!s || !*s)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static void lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s += 'a' - 'A';
}

/* What makes two entries for a person one: the mail address, else the login, else the name. NULL for nobody. */
static const char *person_key(struct arena *a, const struct person *p)
{
	char *key = is_element(p->email) ? arena_printf(a, "<%s", p->email) :
	    is_element(p->login) ? arena_printf(a, "@%s", p->login) :
	    is_element(p->name) ? arena_printf(a, "n%s", p->name) : NULL;

	if (key)
		lower(key);
	return key;
}

/* Events are added in fold order, so their number is their order. */
static void add_event(struct events *to, struct event ev)
{
	ev.order = to->len;
	if (!ev.who)
		ev.who = "";
	*array_add(to) = ev;
}

static bool add_labels(struct folding *f, const json_t *list, bool on)
{
	bool any = false;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));

		if (is_element(s)) {
			add_event(&f->labels, (struct event){ .key = s, .on = on });
			any = true;
		}
	}
	return any;
}

static bool add_people(struct folding *f, const json_t *list, bool on)
{
	bool any = false;

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct event ev = { .on = on };

		person_from_json(f->a, json_array_get(list, i), &ev.person);
		ev.key = person_key(f->a, &ev.person);
		if (ev.key) {
			add_event(&f->people, ev);
			any = true;
		}
	}
	return any;
}

/* In one op the removals come first. */
static bool apply_label(struct folding *f, const struct op *op)
{
	bool removed = add_labels(f, json_get_arr(op->payload, "remove"), false);

	return add_labels(f, json_get_arr(op->payload, "add"), true) || removed;
}

static bool apply_assign(struct folding *f, const struct op *op)
{
	bool removed = add_people(f, json_get_arr(op->payload, "remove"), false);

	return add_people(f, json_get_arr(op->payload, "add"), true) || removed;
}

static bool apply_link(struct folding *f, const struct op *op)
{
	const json_t *on = json_object_get(op->payload, "on");
	struct event ev = { .key = json_get_str(op->payload, "to"), .on = json_is_true(on) };

	if (!is_element(ev.key) || !json_is_boolean(on))
		return false;
	add_event(&f->links, ev);
	return true;
}

static bool apply_react(struct folding *f, const struct op *op)
{
	const json_t *on = json_object_get(op->payload, "on");
	struct slot *s = post_of(f, op);
	struct event ev = { .key = json_get_str(op->payload, "emoji"), .on = json_is_true(on), .person = op->author };

	ev.who = person_key(f->a, &op->author);
	if (!s || !ev.who || !is_element(ev.key) || strlen(ev.key) > REACTION_MAX || !json_is_boolean(on))
		return false;
	ev.post = (size_t)(s - f->posts);
	add_event(&f->reactions, ev);
	return false;
}

static int compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	int c;

	if (x->post != y->post)
		return x->post < y->post ? -1 : 1;
	if ((c = strcmp(x->key, y->key)) || (c = strcmp(x->who, y->who)))
		return c;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool same_element(const struct event *x, const struct event *y)
{
	return x->post == y->post && !strcmp(x->key, y->key) && !strcmp(x->who, y->who);
}

/* Leaves the elements that are in, sorted. */
static void reduce(struct events *ev)
{
	size_t n = 0;

	if (ev->len)
		qsort(ev->items, ev->len, sizeof(*ev->items), compare_events);
	for (size_t i = 0; i < ev->len; i++)
		if ((i + 1 == ev->len || !same_element(&ev->items[i], &ev->items[i + 1])) && ev->items[i].on)
			ev->items[n++] = ev->items[i];
	ev->len = n;
}

static const char **strings_of(struct folding *f, struct events *ev)
{
	const char **out;

	reduce(ev);
	out = arena_alloc(f->a, ev->len * sizeof(*out));
	for (size_t i = 0; i < ev->len; i++)
		out[i] = arena_strdup(f->a, ev->items[i].key);
	return out;
}

static struct person *people_of(struct folding *f)
{
	struct person *out;

	reduce(&f->people);
	out = arena_alloc(f->a, f->people.len * sizeof(*out));
	for (size_t i = 0; i < f->people.len; i++)
		out[i] = f->people.items[i].person;
	return out;
}

/* ---- what comes out ---- */

/* prefix and the op's id: "k3f9c…". Without printf, which took a quarter of the whole fold. */
static const char *id_of(struct arena *a, const char *prefix, const struct op *op)
{
	size_t n = strlen(prefix);
	char *out = arena_alloc(a, n + SHA256_HEX);

	memcpy(out, prefix, n);
	memcpy(out + n, op->id, SHA256_HEX);
	return out;
}

/* A text with LF line ends. */
static const char *text(struct arena *a, const char *s)
{
	char *copy = arena_strdup(a, s ? s : ""), *to = strchr(copy, '\r');

	if (!to)
		return copy;
	for (const char *p = to; *p; p++) {
		if (*p != '\r')
			*to++ = *p;
		else if (p[1] != '\n')
			*to++ = '\n';
	}
	*to = '\0';
	return copy;
}

/* The reactions of post i, which are the events from *at on; *at moves behind them. */
static void put_reactions(struct folding *f, size_t i, struct post *p, size_t *at)
{
	const struct event *ev = f->reactions.len ? &f->reactions.items[*at] : NULL;
	struct person *by;
	size_t n = 0;

	while (*at + n < f->reactions.len && ev[n].post == i)
		n++;
	*at += n;
	if (p->state == POST_RETRACTED || !n)
		return;
	by = arena_alloc(f->a, n * sizeof(*by));
	p->reactions = arena_alloc(f->a, n * sizeof(*p->reactions));
	for (size_t k = 0; k < n; k++) {
		person_copy(f->a, &ev[k].person, &by[k]);
		if (!k || strcmp(ev[k - 1].key, ev[k].key))
			p->reactions[p->n_reactions++] = (struct reaction){
				.emoji = arena_strdup(f->a, ev[k].key), .by = &by[k],
			};
		p->reactions[p->n_reactions - 1].n++;
	}
}

static void put_post(struct folding *f, const struct slot *s, struct post *p)
{
	*p = (struct post){
		.id = id_of(f->a, "p", s->op), .time = s->op->time,
		.state = s->redacted ? POST_RETRACTED : POST_SENT, .accepted = s == f->accepted,
	};
	person_copy(f->a, &s->op->author, &p->author);
	if (s->redacted)
		return;
	p->body = text(f->a, s->body);
	if (s->edit)
		p->edited = s->edit->time > p->time ? s->edit->time : p->time;
}

static void put_posts(struct folding *f)
{
	struct thread *t = &f->out->t;
	size_t at = 0;

	reduce(&f->reactions);
	t->n_posts = (unsigned)f->n_posts;
	t->posts = arena_alloc(f->a, f->n_posts * sizeof(*t->posts));
	t->last_author = t->author;
	for (size_t i = 0; i < f->n_posts; i++) {
		put_post(f, &f->posts[i], &t->posts[i]);
		put_reactions(f, i, &t->posts[i], &at);
		if (!f->posts[i].redacted)
			t->last_author = t->posts[i].author;
	}
}

static const char *title_of(struct folding *f)
{
	const char *body = f->out->t.posts[0].body, *title;
	struct buf b = BUF_INIT;

	if (f->title)
		return f->title;
	if (!body)
		return "(retracted)";
	title_from_body(&b, body);
	title = arena_memdup(f->a, b.ptr, b.len);
	buf_release(&b);
	return title;
}

static void put_task(struct folding *f)
{
	const struct thread *t = &f->out->t;
	struct task *k = &f->out->k;

	k->id = id_of(f->a, "T-", f->opener);
	k->source = t->source;
	k->title = t->title;
	k->body = t->posts[0].body;
	k->author = t->author;
	k->assignees = t->asked;
	k->n_assignees = t->n_asked;
	k->labels = t->labels;
	k->n_labels = t->n_labels;
	k->created = t->created;
	k->updated = t->updated;
}

static void finish(struct folding *f)
{
	struct fold *out = f->out;
	struct thread *t = &out->t;
	struct person closer = out->closer;

	t->id = id_of(f->a, "k", f->opener);
	t->source = "native";
	t->created = t->updated = f->opener->time;
	if (f->last && f->last->time > t->created)
		t->updated = f->last->time;
	person_copy(f->a, &f->opener->author, &t->author);
	person_copy(f->a, &closer, &out->closer);
	out->resolved_by = arena_strdup(f->a, out->resolved_by);
	put_posts(f);
	t->title = title_of(f);
	t->labels = strings_of(f, &f->labels);
	t->n_labels = f->labels.len;
	t->links = strings_of(f, &f->links);
	t->n_links = f->links.len;
	t->asked = people_of(f);
	t->n_asked = f->people.len;
	if (out->task)
		put_task(f);
}

static bool (*const appliers[])(struct folding *f, const struct op *op) = {
	[OP_POST] = apply_post, [OP_EDIT] = apply_edit, [OP_REDACT] = apply_redact, [OP_RESOLVE] = apply_resolve,
	[OP_REOPEN] = apply_reopen, [OP_ACCEPT] = apply_accept, [OP_KIND] = apply_kind, [OP_TITLE] = apply_title,
	[OP_LABEL] = apply_label, [OP_ASSIGN] = apply_assign, [OP_REACT] = apply_react, [OP_MOVE] = apply_move,
	[OP_LINK] = apply_link, [OP_TASK] = apply_task, [OP_SIGN] = NULL,
};

/* The opener: what it lacks or has wrong gets the plainest value, so that its words are never lost. */
static void open_entity(struct folding *f)
{
	const json_t *p = f->opener->payload;
	struct fold *out = f->out;
	struct err e = ERR_INIT;

	out->task = f->opener->type == OP_TASK;
	out->t.kind = KIND_NOTE;
	thread_kind_parse(json_get_str(p, "kind"), &out->t.kind);
	if (out->task || anchor_from_op(f->a, json_get_obj(p, "anchor"), &out->t.anchor, &e))
		out->t.anchor = (struct anchor){ .type = ANCHOR_PROJECT };
	apply_title(f, f->opener);
	add_labels(f, json_get_arr(p, "labels"), true);
	add_people(f, json_get_arr(p, "asked"), true);
}

static void apply_all(struct folding *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct op *op = f->ops[i];
		bool known = (size_t)op->type < ARRAY_SIZE(appliers) && appliers[op->type];

		f->order = i + 1;
		if (known && appliers[op->type](f, op))
			f->last = op;
	}
}

bool fold_entity(struct arena *a, struct op **ops, size_t n, struct fold *out)
{
	struct folding f = { .a = a, .out = out };

	*out = (struct fold){ 0 };
	if (n)
		qsort(ops, n, sizeof(*ops), compare_ops);
	if (!gather(&f, ops, n))
		return false;
	gather_posts(&f);
	gather_redactions(&f);
	open_entity(&f);
	apply_all(&f);
	finish(&f);
	array_release(&f.labels);
	array_release(&f.people);
	array_release(&f.links);
	array_release(&f.reactions);
	return true;
}
