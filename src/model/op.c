/* SPDX-License-Identifier: MIT */
/*
 * One line of the native log. Writing goes through jansson in the documented key order; reading never writes again: the
 * id is the hash of the bytes that were stored, so two programs that would print the same JSON differently still agree
 * on every id (what broke Secure Scuttlebutt's second implementations, trust.md 3.1).
 *
 * Reading is strict about the envelope, because everything later trusts it: ids are compared as text and hence must be
 * lower-case hex, clocks must fit 63 bits, exactly the openers have no entity. It is blind to what it does not know:
 * other keys, other types and later versions are kept with their bytes and take no part in the fold.
 */
#include "config.h"
#include <inttypes.h>
#include <string.h>
#include "killick/base/clock.h"
#include "killick/model/op.h"

enum needs_entity { ENTITY_ANY, ENTITY_NONE, ENTITY_SOME };

static const struct op_row {
	const char *name;
	enum needs_entity entity;
} op_rows[] = {
	[OP_UNKNOWN] = { "unknown", ENTITY_ANY },
	[OP_OPEN] = { "open", ENTITY_NONE },
	[OP_POST] = { "post", ENTITY_SOME },
	[OP_EDIT] = { "edit", ENTITY_SOME },
	[OP_REDACT] = { "redact", ENTITY_SOME },
	[OP_RESOLVE] = { "resolve", ENTITY_SOME },
	[OP_REOPEN] = { "reopen", ENTITY_SOME },
	[OP_ACCEPT] = { "accept", ENTITY_SOME },
	[OP_KIND] = { "kind", ENTITY_SOME },
	[OP_TITLE] = { "title", ENTITY_SOME },
	[OP_LABEL] = { "label", ENTITY_SOME },
	[OP_ASSIGN] = { "assign", ENTITY_SOME },
	[OP_REACT] = { "react", ENTITY_SOME },
	[OP_MOVE] = { "move", ENTITY_SOME },
	[OP_LINK] = { "link", ENTITY_SOME },
	[OP_TASK] = { "task", ENTITY_ANY },
	[OP_REWRITE] = { "rewrite", ENTITY_NONE },
	[OP_SIGN] = { "sign", ENTITY_NONE },
};

const char *op_type_name(enum op_type t)
{
	if ((size_t)t >= ARRAY_SIZE(op_rows))
		BUG("no such op type: %d", (int)t);
	return op_rows[t].name;
}

enum op_type op_type_find(const char *name)
{
	for (size_t i = OP_UNKNOWN + 1; i < ARRAY_SIZE(op_rows); i++)
		if (!strcmp(op_rows[i].name, name))
			return (enum op_type)i;
	return OP_UNKNOWN;
}

bool op_type_fits(enum op_type t, bool has_entity)
{
	return op_rows[t].entity == ENTITY_ANY || (op_rows[t].entity == ENTITY_SOME) == has_entity;
}

/* The id of the stored bytes. */
static void set_id(struct op *op, const void *p, size_t n)
{
	uint8_t sum[SHA256_SIZE];

	hash_sha256(sum, p, n);
	hex_encode(op->id, sum, sizeof(sum));
}

void op_encode(struct op *op, struct buf *b)
{
	char when[TIME_RFC3339_SIZE];
	json_t *j = json_object(), *author = json_object();
	size_t start = b->len;

	if (op->seq > INT64_MAX || op->lamport > INT64_MAX)
		BUG("op out of range: seq %" PRIu64 ", lamport %" PRIu64, op->seq, op->lamport);
	json_put_str(author, "name", op->author.name);
	json_put_str(author, "email", op->author.email);
	json_put_int(j, "v", op->version);
	json_put_str(j, "repo", op->repo);
	json_put_str(j, "writer", op->writer);
	json_put_int(j, "seq", (int64_t)op->seq);
	json_put_str(j, "prev", op->prev[0] ? op->prev : NULL);
	json_put_int(j, "lamport", (int64_t)op->lamport);
	json_put_str(j, "entity", op->entity[0] ? op->entity : NULL);
	json_put_str(j, "type", op->type == OP_UNKNOWN ? op->type_name : op_type_name(op->type));
	json_object_set_new(j, "author", author);
	json_put_str(j, "time", time_rfc3339(when, op->time));
	if (op->payload)
		json_object_set(j, "payload", op->payload);
	else
		json_object_set_new(j, "payload", json_object());
	json_write(b, j);
	json_decref(j);
	set_id(op, b->ptr + start, b->len - start);
}

static bool is_id(const char *s, size_t digits)
{
	return s && strlen(s) == digits && strspn(s, "0123456789abcdef") == digits;
}

/* The string at key, or NULL with the error set. */
static const char *need_str(const json_t *j, const char *key, struct err *e)
{
	const char *s = json_get_str(j, key);

	if (!s)
		err_set(e, ERR_BAD_DATA, "op: \"%s\" is no string", key);
	return s;
}

static int get_writer_id(const json_t *j, const char *key, char out[OP_WRITER_HEX], struct err *e)
{
	const char *s = need_str(j, key, e);

	if (!s)
		return -1;
	if (!is_id(s, OP_WRITER_HEX - 1))
		return err_set(e, ERR_BAD_DATA, "op: \"%s\" is not 32 lower-case hex digits", key);
	memcpy(out, s, OP_WRITER_HEX);
	return 0;
}

/* A hash or null, which gives "". */
static int get_hash(const json_t *j, const char *key, char out[SHA256_HEX], struct err *e)
{
	const json_t *v = json_object_get(j, key);
	const char *s = json_get_str(j, key);

	out[0] = '\0';
	if (json_is_null(v))
		return 0;
	if (!is_id(s, SHA256_HEX - 1))
		return err_set(e, ERR_BAD_DATA, "op: \"%s\" is neither null nor 64 lower-case hex digits", key);
	memcpy(out, s, SHA256_HEX);
	return 0;
}

static int get_count(const json_t *j, const char *key, uint64_t *out, struct err *e)
{
	const json_t *v = json_object_get(j, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return err_set(e, ERR_BAD_DATA, "op: \"%s\" is no whole number from 0", key);
	*out = (uint64_t)json_integer_value(v);
	return 0;
}

static bool str_or_null(const json_t *j, const char *key)
{
	const json_t *v = json_object_get(j, key);

	return json_is_string(v) || json_is_null(v);
}

static int get_author(const json_t *j, struct person *out, struct err *e)
{
	const json_t *p = json_get_obj(j, "author");

	if (!p || !str_or_null(p, "name") || !str_or_null(p, "email"))
		return err_set(e, ERR_BAD_DATA, "op: \"author\" is no object with \"name\" and \"email\"");
	*out = (struct person){ .name = json_get_str(p, "name"), .email = json_get_str(p, "email") };
	return 0;
}

static int get_type(const json_t *j, struct op *op, struct err *e)
{
	op->type_name = need_str(j, "type", e);
	if (!op->type_name)
		return -1;
	/* A later version may mean something else by the same word. */
	op->type = op->version == 1 ? op_type_find(op->type_name) : OP_UNKNOWN;
	if (!op_type_fits(op->type, op->entity[0] != '\0'))
		return err_set(e, ERR_BAD_DATA, "op: \"%s\" has %s entity", op->type_name, op->entity[0] ? "an" : "no");
	return 0;
}

static int get_version(const json_t *j, int *out, struct err *e)
{
	uint64_t v = 0;

	if (get_count(j, "v", &v, e))
		return -1;
	if (v < 1 || v > INT32_MAX)
		return err_set(e, ERR_BAD_DATA, "op: no such version");
	*out = (int)v;
	return 0;
}

static int get_all(const json_t *j, struct op *op, struct err *e)
{
	const char *when;

	if (get_version(j, &op->version, e) || get_writer_id(j, "repo", op->repo, e) ||
	    get_writer_id(j, "writer", op->writer, e) || get_count(j, "seq", &op->seq, e) ||
	    get_hash(j, "prev", op->prev, e) || get_count(j, "lamport", &op->lamport, e) ||
	    get_hash(j, "entity", op->entity, e) || get_type(j, op, e) || get_author(j, &op->author, e))
		return -1;
	if ((op->seq == 0) != (op->prev[0] == '\0'))
		return err_set(e, ERR_BAD_DATA, "op: \"prev\" must be null in a writer's first op and only there");
	when = need_str(j, "time", e);
	if (!when)
		return -1;
	if (!time_parse(when, &op->time))
		return err_set(e, ERR_BAD_DATA, "op: \"time\" is no RFC 3339 time");
	op->payload = json_get_obj(j, "payload");
	if (!op->payload)
		return err_set(e, ERR_BAD_DATA, "op: \"payload\" is no object");
	return 0;
}

int op_decode(const char *p, size_t n, struct op *op, struct err *e)
{
	*op = (struct op){ 0 };
	if (n > OP_MAX_BYTES)
		return err_set(e, ERR_BAD_DATA, "op: %zu bytes, the limit is %u", n, OP_MAX_BYTES);
	if (memchr(p, '\n', n) || memchr(p, '\r', n))
		return err_set(e, ERR_BAD_DATA, "op: more than one line");
	op->doc = json_read(p, n, "op", e);
	if (!op->doc)
		return -1;
	if (!json_is_object(op->doc)) {
		op_release(op);
		return err_set(e, ERR_BAD_DATA, "op: no JSON object");
	}
	if (get_all(op->doc, op, e)) {
		op_release(op);
		return -1;
	}
	set_id(op, p, n);
	return 0;
}

void op_release(struct op *op)
{
	if (!op)
		return;
	json_decref(op->doc);
	*op = (struct op){ 0 };
}

static void put_be64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
}

void op_stamp(const struct op *op, uint8_t out[OP_STAMP_SIZE])
{
	put_be64(out, op->lamport);
	if (!hex_decode(out + 8, 16, op->writer))
		BUG("op with a writer that is no id: '%s'", op->writer);
	put_be64(out + 24, op->seq);
}
