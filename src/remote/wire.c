/* SPDX-License-Identifier: MIT */
/*
 * What passes between killick and killick-remote, as JSON. Both programs link this file, so what one writes the other
 * reads; a field stands in one table, once. Parsing is strict in types and in what a verb needs, because a queued op is
 * frozen in the desk for weeks and may meet a newer killick-remote; keys that are not known are passed over.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/remote/adapter.h"

enum { TEXT_MAX = 1 << 20, KEY_MAX = 255, LIST_MAX = 1000 };

struct field { const char *key; size_t at; };
#define FIELD(type, name) { #name, offsetof(struct type, name) }

static const char **field_of(const void *base, const struct field *f)
{
	return (const char **)((char *)(uintptr_t)base + f->at);
}

static void texts_put(json_t *j, const void *base, const struct field *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (*field_of(base, &f[i]))
			json_put_str(j, f[i].key, *field_of(base, &f[i]));
}

static int text_get(struct arena *a, const json_t *v, const char *key, const char **out, struct err *e)
{
	if (!v || json_is_null(v))
		return 0;
	if (!json_is_string(v))
		return err_set(e, ERR_BAD_DATA, "'%s' is not a string", key);
	if (json_string_length(v) > TEXT_MAX)
		return err_set(e, ERR_BAD_DATA, "'%s' is longer than 1 MiB", key);
	*out = arena_strdup(a, json_string_value(v));
	return 0;
}

static int texts_get(struct arena *a, const json_t *j, void *base, const struct field *f, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (text_get(a, json_object_get(j, f[i].key), f[i].key, field_of(base, &f[i]), e))
			return -1;
	return 0;
}

static json_t *list_json(const char *const *v, size_t n)
{
	json_t *j = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(j, json_str_or_null(v[i]));
	return j;
}

static int list_get(struct arena *a, const json_t *j, const char *key, const char *const **out, size_t *n, struct err *e)
{
	const json_t *v = json_object_get(j, key);
	const char **list;

	*out = NULL;
	*n = 0;
	if (!v || json_is_null(v))
		return 0;
	if (!json_is_array(v) || json_array_size(v) > LIST_MAX)
		return err_set(e, ERR_BAD_DATA, "'%s' is not a list of at most %d", key, LIST_MAX);
	*n = json_array_size(v);
	*out = list = arena_alloc(a, (*n + 1) * sizeof(*list));
	for (size_t i = 0; i < *n; i++) {
		if (text_get(a, json_array_get(v, i), key, &list[i], e))
			return -1;
		if (!list[i])
			return err_set(e, ERR_BAD_DATA, "'%s' has a null in it", key);
	}
	return 0;
}

/* ---- sources ---- */

static const struct field source_fields[] = {
	FIELD(source_desc, name), FIELD(source_desc, kind), FIELD(source_desc, api), FIELD(source_desc, web),
	FIELD(source_desc, project), FIELD(source_desc, prefix),
};

json_t *source_desc_json(const struct source_desc *s)
{
	json_t *j = json_object();

	texts_put(j, s, source_fields, ARRAY_SIZE(source_fields));
	json_object_set_new(j, "caps", caps_json(s->caps));
	if (s->options)
		json_object_set(j, "options", (json_t *)(uintptr_t)s->options);
	if (s->me.login || s->me.name || s->me.email)
		json_object_set_new(j, "me", person_json(&s->me));
	return j;
}

static bool is_base(const char *url)
{
	return !url || (*url && str_ends(url, "/"));
}

int source_desc_parse(struct arena *a, const json_t *j, struct source_desc *out, struct err *e)
{
	*out = (struct source_desc){ .name = NULL };
	if (!json_is_object(j))
		return err_set(e, ERR_BAD_DATA, "a source is not an object");
	if (texts_get(a, j, out, source_fields, ARRAY_SIZE(source_fields), e))
		return err_prefix(e, "a source");
	if (!is_base(out->api))
		return err_set(e, ERR_BAD_DATA, "a source's base '%s' does not end in '/'", out->api);
	out->caps = caps_parse(json_get_arr(j, "caps"));
	out->options = json_get_obj(j, "options");
	person_from_json(a, json_get_obj(j, "me"), &out->me);
	return 0;
}

/* ---- verbs and what each cannot do without ---- */

enum need { NEED_TASK = 1, NEED_BODY = 2, NEED_THREAD = 4, NEED_NOTE = 8, NEED_ANCHOR = 16, NEED_VALUE = 32,
	NEED_TITLE = 64, IDEMPOTENT = 128 };

static const struct verb { const char *name; unsigned flags; } verbs[] = {
	[WIRE_COMMENT] = { "comment", NEED_TASK | NEED_BODY },
	[WIRE_REPLY] = { "reply", NEED_TASK | NEED_THREAD | NEED_BODY },
	[WIRE_CODE_NOTE] = { "code-note", NEED_TASK | NEED_ANCHOR | NEED_BODY },
	[WIRE_COMMIT_NOTE] = { "commit-note", NEED_ANCHOR | NEED_BODY },
	[WIRE_EDIT_NOTE] = { "edit-note", NEED_NOTE | NEED_BODY | IDEMPOTENT },
	[WIRE_DELETE_NOTE] = { "delete-note", NEED_NOTE | IDEMPOTENT },
	[WIRE_RESOLVE] = { "resolve", NEED_TASK | NEED_THREAD | IDEMPOTENT },
	[WIRE_REOPEN_THREAD] = { "reopen-thread", NEED_TASK | NEED_THREAD | IDEMPOTENT },
	[WIRE_REACT] = { "react", NEED_VALUE | IDEMPOTENT },
	[WIRE_UNREACT] = { "unreact", NEED_VALUE | IDEMPOTENT },
	[WIRE_NEW_TASK] = { "new-task", NEED_TITLE },
	[WIRE_EDIT_TASK] = { "edit-task", NEED_TASK | IDEMPOTENT },
	[WIRE_CLOSE] = { "close", NEED_TASK | IDEMPOTENT },
	[WIRE_REOPEN] = { "reopen", NEED_TASK | IDEMPOTENT },
	[WIRE_LABEL] = { "label", NEED_TASK | IDEMPOTENT },
	[WIRE_ASSIGN] = { "assign", NEED_TASK | IDEMPOTENT },
	[WIRE_MILESTONE] = { "milestone", NEED_TASK | IDEMPOTENT },
	[WIRE_REVIEW] = { "review", NEED_TASK },
};

const char *wire_verb_name(enum wire_verb v)
{
	return (size_t)v < ARRAY_SIZE(verbs) ? verbs[v].name : "?";
}

bool wire_verb_parse(const char *s, enum wire_verb *out)
{
	for (size_t i = 0; s && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, s) != 0)
			continue;
		*out = (enum wire_verb)i;
		return true;
	}
	return false;
}

bool wire_verb_idempotent(enum wire_verb v)
{
	return (size_t)v < ARRAY_SIZE(verbs) && verbs[v].flags & IDEMPOTENT;
}

/* ---- ops ---- */

static const struct field op_fields[] = {
	FIELD(wire_op, id), FIELD(wire_op, task), FIELD(wire_op, thread), FIELD(wire_op, handle), FIELD(wire_op, note),
	FIELD(wire_op, reply_to), FIELD(wire_op, head), FIELD(wire_op, base), FIELD(wire_op, title), FIELD(wire_op, body),
	FIELD(wire_op, value), FIELD(wire_op, verdict), FIELD(wire_op, mark),
};

json_t *wire_op_json(const struct wire_op *op)
{
	json_t *j = json_object(), *notes;

	json_put_str(j, "verb", wire_verb_name(op->verb));
	texts_put(j, op, op_fields, ARRAY_SIZE(op_fields));
	if (op->anchor)
		json_object_set_new(j, "anchor", anchor_to_op(op->anchor));
	if (op->n_add)
		json_object_set_new(j, "add", list_json(op->add, op->n_add));
	if (op->n_drop)
		json_object_set_new(j, "drop", list_json(op->drop, op->n_drop));
	if (op->private_)
		json_object_set_new(j, "private", json_true());
	if (!op->n_notes)
		return j;
	json_object_set_new(j, "notes", notes = json_array());
	for (size_t i = 0; i < op->n_notes; i++)
		json_array_append_new(notes, wire_op_json(&op->notes[i]));
	return j;
}

static int op_needs(const struct wire_op *op, struct err *e)
{
	const struct { enum need need; const char *what; bool has; } needs[] = {
		{ NEED_TASK, "task", op->task && *op->task }, { NEED_BODY, "body", op->body && *op->body },
		{ NEED_THREAD, "thread", op->thread && *op->thread }, { NEED_NOTE, "note", op->note && *op->note },
		{ NEED_ANCHOR, "anchor", op->anchor != NULL }, { NEED_VALUE, "value", op->value && *op->value },
		{ NEED_TITLE, "title", op->title && *op->title },
	};

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
		if (verbs[op->verb].flags & needs[i].need && !needs[i].has)
			return err_set(e, ERR_BAD_DATA, "an op '%s' has no '%s'", verbs[op->verb].name, needs[i].what);
	return 0;
}

static int op_anchor(struct arena *a, const json_t *j, struct wire_op *out, struct err *e)
{
	const json_t *v = json_object_get(j, "anchor");
	struct anchor *an;

	if (!v || json_is_null(v))
		return 0;
	an = ARENA_NEW(a, struct anchor);
	out->anchor = an;
	return anchor_from_op(a, v, an, e);
}

static int op_keys(const struct wire_op *op, struct err *e)
{
	const char *const keys[] = { op->task, op->thread, op->handle, op->note, op->reply_to };

	if (!op->id || strlen(op->id) != 32 || !str_is_hex(op->id, 32))
		return err_set(e, ERR_BAD_DATA, "an op's id is not 32 hex digits");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i] && strlen(keys[i]) > KEY_MAX)
			return err_set(e, ERR_BAD_DATA, "a key in an op is longer than %d bytes", KEY_MAX);
	return 0;
}

static int op_parse(struct arena *a, const json_t *j, bool inner, struct wire_op *out, struct err *e);

static int op_notes(struct arena *a, const json_t *j, bool inner, struct wire_op *out, struct err *e)
{
	const json_t *list = json_object_get(j, "notes");
	struct wire_op *notes;

	if (!list || json_is_null(list))
		return 0;
	if (inner || !json_is_array(list) || json_array_size(list) > LIST_MAX)
		return err_set(e, ERR_BAD_DATA, "the notes of an op are not a list of at most %d", LIST_MAX);
	out->n_notes = json_array_size(list);
	out->notes = notes = arena_alloc(a, (out->n_notes + 1) * sizeof(*notes));
	for (size_t i = 0; i < out->n_notes; i++) {
		if (op_parse(a, json_array_get(list, i), true, &notes[i], e))
			return -1;
		if (notes[i].verb != WIRE_CODE_NOTE && notes[i].verb != WIRE_REPLY)
			return err_set(e, ERR_BAD_DATA, "a review holds an op '%s'", wire_verb_name(notes[i].verb));
	}
	return 0;
}

static int op_parse(struct arena *a, const json_t *j, bool inner, struct wire_op *out, struct err *e)
{
	*out = (struct wire_op){ .id = NULL };
	if (!json_is_object(j) || !wire_verb_parse(json_get_str(j, "verb"), &out->verb))
		return err_set(e, ERR_BAD_DATA, "an op has no verb that is known here");
	if (texts_get(a, j, out, op_fields, ARRAY_SIZE(op_fields), e) || op_keys(out, e) || op_anchor(a, j, out, e))
		return -1;
	if (list_get(a, j, "add", &out->add, &out->n_add, e) || list_get(a, j, "drop", &out->drop, &out->n_drop, e))
		return -1;
	out->private_ = json_get_bool(j, "private");
	return op_notes(a, j, inner, out, e) || op_needs(out, e) ? -1 : 0;
}

int wire_op_parse(struct arena *a, const json_t *j, struct wire_op *out, struct err *e)
{
	return op_parse(a, j, false, out, e);
}

/* ---- outcomes ---- */

static const char *const outcomes[] = {
	[WIRE_LANDED] = "landed", [WIRE_REFUSED] = "refused", [WIRE_UNKNOWN] = "unknown", [WIRE_ABSENT] = "absent",
	[WIRE_UNSENT] = "unsent",
};
static const struct field outcome_fields[] = {
	FIELD(wire_outcome, key), FIELD(wire_outcome, url), FIELD(wire_outcome, message),
};

static const char *outcome_name(int is)
{
	return is >= 0 && (size_t)is < ARRAY_SIZE(outcomes) ? outcomes[is] : "?";
}

json_t *wire_outcome_json(const struct wire_outcome *o)
{
	json_t *j = json_object();

	json_put_str(j, "is", outcome_name((int)o->is));
	texts_put(j, o, outcome_fields, ARRAY_SIZE(outcome_fields));
	if (o->code)
		json_put_str(j, "code", err_code_name(o->code));
	if (o->retry_at)
		json_put_time(j, "retry_at", o->retry_at);
	return j;
}

int wire_outcome_parse(struct arena *a, const json_t *j, struct wire_outcome *out, struct err *e)
{
	const char *is = json_get_str(j, "is"), *retry = json_get_str(j, "retry_at"), *code = json_get_str(j, "code");
	size_t i = 0;

	*out = (struct wire_outcome){ .key = NULL };
	while (i < ARRAY_SIZE(outcomes) && (!is || strcmp(outcomes[i], is)))
		i++;
	if (i == ARRAY_SIZE(outcomes))
		return err_set(e, ERR_BAD_DATA, "an outcome is not one that is known here");
	out->is = i;
	if (code)
		err_code_parse(code, &out->code);
	if (retry && !time_parse(retry, &out->retry_at))
		return err_set(e, ERR_BAD_DATA, "an outcome's time '%s' is not a time", retry);
	return texts_get(a, j, out, outcome_fields, ARRAY_SIZE(outcome_fields), e);
}

const char *remote_program(void)
{
	const char *path = getenv("KILLICK_REMOTE");

	return path && *path ? path : KILLICK_LIBEXECDIR "/killick-remote";
}
