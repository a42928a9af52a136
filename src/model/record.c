/* SPDX-License-Identifier: MIT */
/*
 * Records to JSON Lines and back. The plain members of each record stand in a table of fields, so that what is written and
 * what is read cannot part; the few with a shape of their own (people, anchors, reactions) are done by hand below.
 *
 * Reading is strict about what everything else leans on (types, keys, times, anchors, sizes) and blind to what it does
 * not know: an adapter of a later version may say more.
 */
#include "config.h"
#include <stddef.h>
#include <string.h>
#include "killick/base/clock.h"
#include "killick/model/record.h"

enum { KEY_MAX = 255, BODY_MAX = 1 << 20, TEXT_MAX = 4096, LIST_MAX = 100000 };

enum field_type { F_KEY, F_KEY_OR_NONE, F_TEXT, F_BODY, F_BOOL, F_TIME, F_COUNT, F_PERSON };
struct field { const char *name; enum field_type type; size_t at; };

#define FIELD(rec, member, t) { #member, t, offsetof(struct rec, member) }
static const struct field task_fields[] = {
	FIELD(record_task, key, F_KEY), FIELD(record_task, name, F_KEY), FIELD(record_task, change, F_BOOL),
	FIELD(record_task, status, F_TEXT), FIELD(record_task, title, F_TEXT), FIELD(record_task, body, F_BODY),
	FIELD(record_task, author, F_PERSON), FIELD(record_task, milestone, F_TEXT), FIELD(record_task, created, F_TIME),
	FIELD(record_task, updated, F_TIME), FIELD(record_task, url, F_TEXT),
	{ "notes", F_COUNT, offsetof(struct record_task, n_notes) }, FIELD(record_task, head, F_TEXT),
	FIELD(record_task, base, F_TEXT), FIELD(record_task, head_ref, F_TEXT), FIELD(record_task, base_ref, F_TEXT),
	FIELD(record_task, draft, F_BOOL), FIELD(record_task, locked, F_BOOL),
	{ "private", F_BOOL, offsetof(struct record_task, private_) }, FIELD(record_task, lossy, F_BOOL), { NULL },
};
static const struct field note_fields[] = {
	FIELD(record_note, key, F_KEY), FIELD(record_note, task, F_KEY_OR_NONE), FIELD(record_note, thread, F_KEY_OR_NONE),
	FIELD(record_note, reply_to, F_KEY_OR_NONE), FIELD(record_note, author, F_PERSON),
	FIELD(record_note, created, F_TIME), FIELD(record_note, updated, F_TIME), FIELD(record_note, body, F_BODY),
	FIELD(record_note, wire, F_BODY), FIELD(record_note, url, F_TEXT), FIELD(record_note, verdict, F_TEXT),
	{ "private", F_BOOL, offsetof(struct record_note, private_) }, FIELD(record_note, pending, F_BOOL),
	FIELD(record_note, can_edit, F_BOOL), FIELD(record_note, can_delete, F_BOOL), FIELD(record_note, lossy, F_BOOL),
	{ NULL },
};
static const struct field thread_fields[] = {
	FIELD(record_thread, key, F_KEY), FIELD(record_thread, task, F_KEY_OR_NONE), FIELD(record_thread, handle, F_TEXT),
	FIELD(record_thread, by, F_PERSON), FIELD(record_thread, can_resolve, F_BOOL),
	FIELD(record_thread, can_reply, F_BOOL), { NULL },
};
static const struct field gone_fields[] = {
	FIELD(record_gone, key, F_KEY), FIELD(record_gone, task, F_KEY_OR_NONE), FIELD(record_gone, why, F_TEXT), { NULL },
};
static const struct field list_fields[] = { FIELD(record_list, task, F_KEY_OR_NONE), { NULL } };

static const char *const type_names[] = {
	[RECORD_TASK] = "task", [RECORD_NOTE] = "note", [RECORD_THREAD] = "thread", [RECORD_GONE] = "gone",
	[RECORD_LIST] = "list",
};
static const char *const kind_names[] = {
	[NOTE_COMMENT] = "comment", [NOTE_REVIEW] = "review", [NOTE_CODE] = "code", [NOTE_COMMIT] = "commit",
	[NOTE_EVENT] = "event",
};

const char *note_kind_name(enum note_kind k)
{
	if ((size_t)k >= ARRAY_SIZE(kind_names))
		BUG("no name for a note of kind %d", (int)k);
	return kind_names[k];
}

bool note_kind_parse(const char *s, enum note_kind *out)
{
	for (size_t i = 0; s && i < ARRAY_SIZE(kind_names); i++) {
		if (strcmp(kind_names[i], s))
			continue;
		*out = (enum note_kind)i;
		return true;
	}
	return false;
}

static bool type_parse(const char *s, enum record_type *out)
{
	for (size_t i = 0; s && i < ARRAY_SIZE(type_names); i++) {
		if (strcmp(type_names[i], s))
			continue;
		*out = (enum record_type)i;
		return true;
	}
	return false;
}

/* ---- out ---- */

static void put_some(json_t *j, const char *key, const char *s)
{
	if (s)
		json_put_str(j, key, s);
}

static bool is_nobody(const struct person *p)
{
	return !p->name && !p->email && !p->login;
}

static json_t *person_out(const struct person *p)
{
	json_t *j = json_object();

	put_some(j, "name", p->name);
	put_some(j, "email", p->email);
	put_some(j, "login", p->login);
	return j;
}

static void put_field(json_t *j, const struct field *f, const void *rec)
{
	const void *at = (const char *)rec + f->at;
	int64_t n;

	switch (f->type) {
	case F_KEY:
	case F_KEY_OR_NONE:
	case F_TEXT:
	case F_BODY:
		put_some(j, f->name, *(const char *const *)at);
		break;
	case F_BOOL:
		if (*(const bool *)at)
			json_object_set_new(j, f->name, json_true());
		break;
	case F_TIME:
		n = *(const int64_t *)at;
		if (n)
			json_put_time(j, f->name, n);
		break;
	case F_COUNT:
		n = *(const int64_t *)at;
		if (n >= 0)
			json_put_int(j, f->name, n);
		break;
	case F_PERSON:
		if (!is_nobody(at))
			json_object_set_new(j, f->name, person_out(at));
		break;
	}
}

static void put_fields(json_t *j, const struct field *f, const void *rec)
{
	for (; f->name; f++)
		put_field(j, f, rec);
}

static void put_words(json_t *j, const char *key, const char *const *w, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_str_or_null(w[i]));
	json_object_set_new(j, key, list);
}

static void put_task(json_t *j, const struct record_task *t)
{
	json_t *people = json_array();

	put_fields(j, task_fields, t);
	json_put_str(j, "state", task_state_name(t->state));
	for (size_t i = 0; i < t->n_assignees; i++)
		json_array_append_new(people, person_out(&t->assignees[i]));
	if (t->n_assignees)
		json_object_set(j, "assignees", people);
	json_decref(people);
	if (t->n_labels)
		put_words(j, "labels", t->labels, t->n_labels);
}

static void put_note(json_t *j, const struct record_note *n)
{
	json_t *list;

	put_fields(j, note_fields, n);
	json_put_str(j, "kind", note_kind_name(n->kind));
	if (n->anchor)
		json_object_set_new(j, "anchor", anchor_to_op(n->anchor));
	if (n->hint)
		json_object_set_new(j, "hint", anchor_to_op(n->hint));
	if (n->reactions_unknown)
		json_object_set_new(j, "reactions", json_null());
	if (!n->n_reactions || n->reactions_unknown)
		return;
	list = json_array();
	for (size_t i = 0; i < n->n_reactions; i++) {
		const struct reaction *r = &n->reactions[i];
		json_t *one = json_array();

		json_array_append_new(one, json_str_or_null(r->emoji));
		json_array_append_new(one, json_integer(r->n));
		json_array_append_new(one, r->mine_unknown ? json_null() : json_boolean(r->mine));
		json_array_append_new(list, one);
	}
	json_object_set_new(j, "reactions", list);
}

json_t *record_json(const struct record *r)
{
	json_t *j = json_object();

	json_put_str(j, "record", type_names[r->type]);
	switch (r->type) {
	case RECORD_TASK:
		put_task(j, &r->task);
		break;
	case RECORD_NOTE:
		put_note(j, &r->note);
		break;
	case RECORD_THREAD:
		put_fields(j, thread_fields, &r->thread);
		if (r->thread.resolved >= 0)
			json_object_set_new(j, "resolved", json_boolean(r->thread.resolved));
		break;
	case RECORD_GONE:
		json_put_str(j, "of", type_names[r->gone.of]);
		put_fields(j, gone_fields, &r->gone);
		break;
	case RECORD_LIST:
		put_fields(j, list_fields, &r->list);
		put_words(j, "kinds", r->list.kinds, r->list.n_kinds);
		put_words(j, "keys", r->list.keys, r->list.n_keys);
		break;
	}
	return j;
}

/* ---- in ---- */

static bool is_key(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > KEY_MAX)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static int wrong(struct err *e, const char *name, const char *what)
{
	return err_set(e, ERR_BAD_DATA, "a record's \"%s\" is %s", name, what);
}

static int read_text(struct arena *a, const json_t *v, const struct field *f, const char **out, struct err *e)
{
	bool key = f->type == F_KEY || f->type == F_KEY_OR_NONE;
	size_t max = f->type == F_BODY ? BODY_MAX : TEXT_MAX;
	const char *s = json_string_value(v);

	if (!s)
		return wrong(e, f->name, "not a text");
	if (key && !is_key(s))
		return wrong(e, f->name, "no key: 1 to 255 bytes without control characters");
	if (strlen(s) > max)
		return wrong(e, f->name, f->type == F_BODY ? "longer than 1 MiB" : "longer than 4096 bytes");
	*out = arena_strdup(a, s);
	return 0;
}

static int read_person(struct arena *a, const json_t *v, const char *name, struct person *out, struct err *e)
{
	if (!json_is_object(v))
		return wrong(e, name, "not a person");
	person_from_json(a, v, out);
	for (const char *const *s = (const char *const[]){ out->name, out->email, out->login }, *const *end = s + 3; s < end; s++)
		if (*s && strlen(*s) > TEXT_MAX)
			return wrong(e, name, "longer than 4096 bytes");
	return 0;
}

static int read_field(struct arena *a, const json_t *v, const struct field *f, void *rec, struct err *e)
{
	void *at = (char *)rec + f->at;

	switch (f->type) {
	case F_KEY:
	case F_KEY_OR_NONE:
	case F_TEXT:
	case F_BODY:
		return read_text(a, v, f, at, e);
	case F_BOOL:
		if (!json_is_boolean(v))
			return wrong(e, f->name, "neither true nor false");
		*(bool *)at = json_is_true(v);
		return 0;
	case F_TIME:
		if (!json_is_string(v) || !time_parse(json_string_value(v), at))
			return wrong(e, f->name, "no time");
		return 0;
	case F_COUNT:
		if (!json_is_integer(v))
			return wrong(e, f->name, "no number");
		*(int64_t *)at = json_integer_value(v);
		return 0;
	case F_PERSON:
		return read_person(a, v, f->name, at, e);
	}
	return 0;
}

static int read_fields(struct arena *a, const json_t *j, const struct field *f, void *rec, struct err *e)
{
	for (; f->name; f++) {
		const json_t *v = json_object_get(j, f->name);

		if ((!v || json_is_null(v)) && f->type == F_KEY)
			return wrong(e, f->name, "missing");
		if (v && !json_is_null(v) && read_field(a, v, f, rec, e))
			return -1;
	}
	return 0;
}

/* An array that may be missing; *n is its length. */
static int read_list(const json_t *j, const char *name, const json_t **list, size_t *n, struct err *e)
{
	*list = json_object_get(j, name);
	*n = 0;
	if (!*list || json_is_null(*list))
		return 0;
	*n = json_array_size(*list);
	return json_is_array(*list) && *n <= LIST_MAX ? 0 : wrong(e, name, "no list");
}

static int read_words(struct arena *a, const json_t *j, const char *name, const char *const **out, size_t *n, struct err *e)
{
	const json_t *list;
	const char **w;

	if (read_list(j, name, &list, n, e))
		return -1;
	w = arena_alloc(a, (*n + 1) * sizeof(*w));
	for (size_t i = 0; i < *n; i++) {
		const char *s = json_string_value(json_array_get(list, i));

		if (!s || !is_key(s))
			return wrong(e, name, "no list of words");
		w[i] = arena_strdup(a, s);
	}
	*out = w;
	return 0;
}

static int read_people(struct arena *a, const json_t *j, const char *name, const struct person **out, size_t *n,
    struct err *e)
{
	const json_t *list;
	struct person *p;

	if (read_list(j, name, &list, n, e))
		return -1;
	p = arena_alloc(a, (*n + 1) * sizeof(*p));
	for (size_t i = 0; i < *n; i++)
		if (read_person(a, json_array_get(list, i), name, &p[i], e))
			return -1;
	*out = p;
	return 0;
}

static int read_task(struct arena *a, const json_t *j, struct record *r, struct err *e)
{
	struct record_task *t = &r->task;

	if (read_people(a, j, "assignees", &t->assignees, &t->n_assignees, e) ||
	    read_words(a, j, "labels", &t->labels, &t->n_labels, e))
		return -1;
	if (!task_state_parse(json_get_str(j, "state"), &t->state))
		return wrong(e, "state", "none of open, closed, merged");
	return t->title ? 0 : wrong(e, "title", "missing");
}

static int read_anchor(struct arena *a, const json_t *j, const char *name, const struct anchor **out, struct err *e)
{
	const json_t *v = json_object_get(j, name);
	struct anchor *an;

	if (!v || json_is_null(v))
		return 0;
	an = ARENA_NEW(a, struct anchor);
	if (anchor_from_op(a, v, an, e))
		return err_prefix(e, "a record's \"%s\"", name);
	*out = an;
	return 0;
}

static int read_reactions(struct arena *a, const json_t *j, struct record_note *n, struct err *e)
{
	struct reaction *r;
	const json_t *list;

	if (read_list(j, "reactions", &list, &n->n_reactions, e))
		return -1;
	n->reactions_unknown = json_is_null(list);
	r = arena_alloc(a, (n->n_reactions + 1) * sizeof(*r));
	for (size_t i = 0; i < n->n_reactions; i++) {
		const json_t *one = json_array_get(list, i), *count = json_array_get(one, 1);
		const char *emoji = json_string_value(json_array_get(one, 0));

		if (!emoji || !is_key(emoji) || strlen(emoji) > REACTION_MAX || !json_is_integer(count) ||
		    json_integer_value(count) < 0)
			return wrong(e, "reactions", "no list of [emoji, number, mine]");
		r[i] = (struct reaction){ .emoji = arena_strdup(a, emoji), .mine = json_is_true(json_array_get(one, 2)),
			.mine_unknown = json_is_null(json_array_get(one, 2)),
			.n = json_integer_value(count) > 1000000 ? 1000000u : (unsigned)json_integer_value(count) };
	}
	n->reactions = r;
	return 0;
}

static int read_note(struct arena *a, const json_t *j, struct record *r, struct err *e)
{
	struct record_note *n = &r->note;

	if (read_anchor(a, j, "anchor", &n->anchor, e) ||
	    read_anchor(a, j, "hint", &n->hint, e) || read_reactions(a, j, n, e))
		return -1;
	if (!note_kind_parse(json_get_str(j, "kind"), &n->kind))
		return wrong(e, "kind", "none of comment, review, code, commit, event");
	if (!n->task && !n->thread)
		return wrong(e, "thread", "missing, where there is no task");
	return 0;
}

static int read_thread(struct arena *a UNUSED, const json_t *j, struct record *r, struct err *e)
{
	const json_t *v = json_object_get(j, "resolved");

	if (v && !json_is_null(v) && !json_is_boolean(v))
		return wrong(e, "resolved", "neither true nor false");
	r->thread.resolved = json_is_boolean(v) ? json_is_true(v) : -1;
	return 0;
}

static int read_gone(struct arena *a UNUSED, const json_t *j, struct record *r, struct err *e)
{
	struct record_gone *g = &r->gone;

	if (!type_parse(json_get_str(j, "of"), &g->of) || g->of > RECORD_THREAD)
		return wrong(e, "of", "none of task, note, thread");
	if (!g->why || (strcmp(g->why, "deleted") && strcmp(g->why, "hidden") && strcmp(g->why, "moved")))
		return wrong(e, "why", "none of deleted, hidden, moved");
	return 0;
}

static int read_keys(struct arena *a, const json_t *j, struct record *r, struct err *e)
{
	struct record_list *l = &r->list;

	return read_words(a, j, "kinds", &l->kinds, &l->n_kinds, e) ||
		read_words(a, j, "keys", &l->keys, &l->n_keys, e) ? -1 : 0;
}

/* The plain members, and who reads the others. */
static const struct {
	const struct field *fields;
	int (*rest)(struct arena *a, const json_t *j, struct record *r, struct err *e);
} readers[] = {
	[RECORD_TASK] = { task_fields, read_task }, [RECORD_NOTE] = { note_fields, read_note },
	[RECORD_THREAD] = { thread_fields, read_thread }, [RECORD_GONE] = { gone_fields, read_gone },
	[RECORD_LIST] = { list_fields, read_keys },
};

static void record_init(struct record *r, enum record_type type)
{
	*r = (struct record){ .type = type };
	if (type == RECORD_TASK)
		r->task.n_notes = -1;
}

static int read_record(struct arena *a, const json_t *j, struct record *r, struct err *e)
{
	enum record_type type;

	if (!type_parse(json_get_str(j, "record"), &type))
		return wrong(e, "record", "none of task, note, thread, gone, list");
	record_init(r, type);
	return read_fields(a, j, readers[type].fields, &r->task, e) || readers[type].rest(a, j, r, e) ? -1 : 0;
}

/* ---- in, quickly ---- */

/*
 * What killick writes itself is read without a tree of it: a pull does so twice with every record. Plain members go where they
 * belong, the few others into a small object for those who read them above. At the first doubt it is left to them all.
 */
struct quick {
	struct arena *a;
	struct record *r;
	const struct field *fields;  /* NULL: the type has not come, which is first */
	uint32_t seen, given;        /* by field; seen ones may have been null */
	size_t next;                 /* they come in this order, mostly */
	json_t *rest;
};

static const struct field *quick_find(struct quick *q, const char *key, size_t len)
{
	size_t i = q->next;

	for (int round = 0; round < 2; round++, i = 0)
		for (; q->fields[i].name; i++)
			if (!strncmp(q->fields[i].name, key, len) && !q->fields[i].name[len]) {
				q->next = i + 1;
				return &q->fields[i];
			}
	return NULL;
}

struct quick_person { struct arena *a; struct person *p; };

static bool quick_name(void *ctx, const char *key, size_t len, const struct json_value *v)
{
	const struct quick_person *q = ctx;
	const struct { const char *name; const char **to; } names[] = {
		{ "name", &q->p->name }, { "email", &q->p->email }, { "login", &q->p->login },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i].name) != len || memcmp(names[i].name, key, len))
			continue;
		if (*names[i].to || v->type != 's' || v->n > TEXT_MAX)
			return false;
		*names[i].to = arena_memdup(q->a, v->s, v->n);
		return true;
	}
	return false;
}

static bool quick_text(struct arena *a, const struct field *f, const struct json_value *v, const char **out)
{
	bool key = f->type == F_KEY || f->type == F_KEY_OR_NONE;

	if (v->type != 's' || v->n > (f->type == F_BODY ? (size_t)BODY_MAX : (size_t)TEXT_MAX))
		return false;
	*out = arena_memdup(a, v->s, v->n);
	return !key || is_key(*out);
}

static bool quick_time(const struct json_value *v, int64_t *out)
{
	char text[64];

	if (v->type != 's' || v->n >= sizeof(text))
		return false;
	memcpy(text, v->s, v->n);
	text[v->n] = '\0';
	return time_parse(text, out);
}

static bool quick_field(struct quick *q, const struct field *f, const struct json_value *v)
{
	void *at = (char *)&q->r->task + f->at;
	struct quick_person who = { q->a, at };

	switch (f->type) {
	case F_KEY:
	case F_KEY_OR_NONE:
	case F_TEXT:
	case F_BODY:
		return quick_text(q->a, f, v, at);
	case F_BOOL:
		*(bool *)at = v->i;
		return v->type == 'b';
	case F_TIME:
		return quick_time(v, at);
	case F_COUNT:
		*(int64_t *)at = v->i;
		return v->type == 'i';
	case F_PERSON:
		return v->type == '{' && json_each(v->s, v->n, quick_name, &who);
	}
	return false;
}

static bool quick_type(struct quick *q, const char *key, size_t len, const struct json_value *v)
{
	enum record_type type;

	if (len != 6 || memcmp(key, "record", 6) || v->type != 's' || !type_parse(arena_memdup(q->a, v->s, v->n), &type))
		return false;
	record_init(q->r, type);
	q->fields = readers[type].fields;
	return true;
}

static bool quick_rest(struct quick *q, const char *key, size_t len, const struct json_value *v)
{
	size_t before = json_object_size(q->rest);
	json_t *j = json_value_tree(v);

	return j && !json_object_setn_new_nocheck(q->rest, key, len, j) && json_object_size(q->rest) > before;
}

static bool quick_take(void *ctx, const char *key, size_t len, const struct json_value *v)
{
	struct quick *q = ctx;
	const struct field *f;
	uint32_t bit;

	if (!q->fields)
		return quick_type(q, key, len, v);
	if (len == 6 && !memcmp(key, "record", 6))
		return false;
	f = quick_find(q, key, len);
	if (!f)
		return quick_rest(q, key, len, v);
	bit = UINT32_C(1) << (f - q->fields);
	if (q->seen & bit)
		return false;
	q->seen |= bit;
	if (v->type == 'n')
		return true;
	q->given |= bit;
	return quick_field(q, f, v);
}

static bool quick_has_keys(const struct quick *q)
{
	for (size_t i = 0; q->fields[i].name; i++)
		if (q->fields[i].type == F_KEY && !(q->given >> i & 1))
			return false;
	return true;
}

static bool record_parse_quickly(struct arena *a, const char *line, size_t n, struct record *out)
{
	struct quick q = { .a = a, .r = out, .rest = json_object() };
	struct err doubt = ERR_INIT;
	bool fine;

	_Static_assert(ARRAY_SIZE(task_fields) <= 32 && ARRAY_SIZE(note_fields) <= 32, "a bit for each field");
	fine = json_each(line, n, quick_take, &q) && q.fields && quick_has_keys(&q) &&
		!readers[out->type].rest(a, q.rest, out, &doubt);
	json_decref(q.rest);
	return fine;
}

int record_parse(struct arena *a, const char *line, size_t n, struct record *out, struct err *e)
{
	struct record r = { .type = RECORD_TASK };
	json_t *j;
	int rc;

	if (record_parse_quickly(a, line, n, &r)) {
		*out = r;
		return 0;
	}
	j = json_read(line, n, "a record", e);
	if (!j)
		return -1;
	rc = read_record(a, j, &r, e);
	json_decref(j);
	if (!rc)
		*out = r;
	return rc;
}

/* ---- ids ---- */

void record_entity(const char *source_kind, const char *source_key, enum record_type type, const char *task,
    const char *key, char out[SHA256_HEX])
{
	const char *const parts[] = { "killick-record", source_kind, source_key, type_names[type], task ? task : "", key };
	uint8_t sum[SHA256_SIZE];
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		buf_add(&b, parts[i], strlen(parts[i]) + (i + 1 < ARRAY_SIZE(parts)));
	hash_sha256(sum, b.ptr, b.len);
	hex_encode(out, sum, sizeof(sum));
	buf_release(&b);
}

uint32_t record_number(const char *name)
{
	size_t n = strlen(name), at = n;
	uint64_t v;

	while (at && name[at - 1] >= '0' && name[at - 1] <= '9')
		at--;
	return at < n && str_to_u64(name + at, UINT32_MAX, &v) ? (uint32_t)v : 0;
}

bool record_mark(const char *body, char id[33], size_t *len)
{
	static const char open[] = "<!-- killick:", close[] = " -->";
	size_t n = strlen(body), mark = sizeof(open) - 1 + 32 + sizeof(close) - 1;
	const char *at;

	while (n && strchr(" \t\r\n", body[n - 1]))
		n--;
	if (n < mark)
		return false;
	at = body + n - mark;
	if (strncmp(at, open, sizeof(open) - 1) || !str_is_hex(at + sizeof(open) - 1, 32) ||
	    strncmp(at + sizeof(open) - 1 + 32, close, sizeof(close) - 1) || (at > body && at[-1] != '\n'))
		return false;
	memcpy(id, at + sizeof(open) - 1, 32);
	id[32] = '\0';
	n -= mark;
	while (n && strchr(" \t\r\n", body[n - 1]))
		n--;
	*len = n;
	return true;
}
