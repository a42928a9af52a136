/* SPDX-License-Identifier: MIT */
/*
 * When a remote knows more of this device's own log than the device, the store was restored from a backup, or a copy of
 * it is in use elsewhere. The device then takes a new writer id; ops that only it has are written again under that id, in
 * one step, with the clock values they had, so that nothing is lost and the log of the old id is the remote's. The new id
 * is derived from the old one and the lost head, so that a process that dies in between does not write them twice.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchange.h"

/* The same for the same loss, wherever a process died. */
static void successor(const char *writer, const struct oid *head, char out[OP_WRITER_HEX])
{
	char text[128], hex[GIT_OID_HEX];
	uint8_t sum[SHA256_SIZE];

	snprintf(text, sizeof(text), "killick fork\n%s\n%s\n", writer, oid_hex(hex, head));
	hash_sha256(sum, text, strlen(text));
	hex_encode(out, sum, 16);
}

static int oid_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct oid));
}

/* The commits of mine that theirs does not have, newest first. */
static int only_mine(struct nlog *l, const struct oid *mine, const struct oid *theirs, struct oid_list *out, struct err *e)
{
	struct oid_list have = ARRAY_INIT, all = ARRAY_INIT;
	bool met;
	int rc = chain_walk(l, theirs, &OID_ZERO, &have, &met, e);

	rc = rc ? rc : chain_walk(l, mine, &OID_ZERO, &all, &met, e);
	if (!rc && have.len)
		qsort(have.items, have.len, sizeof(*have.items), oid_cmp);
	for (size_t i = 0; !rc && i < all.len; i++) {
		if (have.len && bsearch(&all.items[i], have.items, have.len, sizeof(*have.items), oid_cmp))
			break;
		*array_add(out) = all.items[i];
	}
	array_release(&have);
	array_release(&all);
	return rc;
}

/* Ids of ops that were written again. */
struct renamed { char from[SHA256_HEX], to[SHA256_HEX]; };
struct renames { struct renamed *items; size_t len, alloc; };

static const char *renamed_to(const struct renames *n, const char *id)
{
	for (size_t i = 0; id && i < n->len; i++)
		if (!strcmp(n->items[i].from, id))
			return n->items[i].to;
	return NULL;
}

/* One op again, as the next of the new writer's chain. Signatures are over the old chain and stay behind. */
static int rewrite_op(struct nlog *l, const char *writer, const char *line, size_t n, struct tail *t, struct renames *names,
    struct err *e)
{
	static const char *const refs[] = { "post", "reply_to" };
	struct renamed *one;
	struct op op;
	json_t *payload;
	const char *to;
	int rc;

	if (op_decode(line, n, &op, NULL))
		return 0;
	if (op.type == OP_SIGN) {
		op_release(&op);
		return 0;
	}
	payload = json_copy(op.payload);
	for (size_t i = 0; i < ARRAY_SIZE(refs); i++)
		if ((to = renamed_to(names, json_get_str(payload, refs[i]))))
			json_put_str(payload, refs[i], to);
	if ((to = renamed_to(names, op.entity)))
		memcpy(op.entity, to, sizeof(op.entity));
	op.payload = payload;
	one = array_add(names);
	memcpy(one->from, op.id, sizeof(one->from));
	rc = chain_extend(l, writer, t, &op, 1, "Written again under a new writer id", 0, true, NULL, e);
	memcpy(one->to, op.id, sizeof(one->to));
	if (!rc && l->renamed)
		l->renamed(l->renamed_ctx, one->from, one->to);
	json_decref(payload);
	op_release(&op);
	return rc;
}

static int rewrite_ops(struct nlog *l, const char *writer, struct oid_list *todo, struct tail *t, struct err *e)
{
	struct renames names = ARRAY_INIT;
	int rc = 0;

	while (!rc && todo->len) {
		const char *p, *line;
		struct entry en;
		size_t n;
		rc = entry_read(l, &todo->items[--todo->len], &en, e);
		if (rc)
			break;
		p = en.text;
		while (!rc && entry_line(&p, en.text + en.len, &line, &n))
			rc = rewrite_op(l, writer, line, n, t, &names, e);
		entry_release(&en);
	}
	array_release(&names);
	return rc;
}

/* Ops that only this device has go to a new writer's log; the old head stays reachable as refs/killick/fork/…. */
static int rescue_ops(struct nlog *l, const struct oid *mine, const struct oid *theirs, const char *writer, struct err *e)
{
	struct oid_list todo = ARRAY_INIT;
	struct tail t = { .any = false };
	char name[REF_NAME_MAX], hex[GIT_OID_HEX];
	struct oid there;
	int found, rc;

	logref_name(name, FORK_REFS, l->id.writer, oid_hex(hex, mine));
	if (logref_write(l, name, NULL, mine, e))
		return -1;
	logref_name(name, LOG_REFS, NULL, writer);
	found = logref_read(l, name, &there, e);
	if (found)
		return found < 0 ? -1 : 0;
	rc = only_mine(l, mine, theirs, &todo, e);
	rc = rc ? rc : rewrite_ops(l, writer, &todo, &t, e);
	if (!rc && t.any)
		rc = logref_write(l, name, &OID_ZERO, &t.head, e);
	array_release(&todo);
	return rc;
}

int own_log_moved(struct ex *x, const struct oid *mine, const struct oid *theirs, enum relation theirs_is, struct err *e)
{
	static const char why[] = "this device's log was restored from a copy or a copy of it is in use elsewhere, so the "
				  "device writes under a new id from now on";
	char name[REF_NAME_MAX], writer[OP_WRITER_HEX];

	logref_name(name, LOG_REFS, NULL, x->l->id.writer);
	random_writer(writer);
	if (theirs_is == FORKED) {
		successor(x->l->id.writer, mine, writer);
		if (rescue_ops(x->l, mine, theirs, writer, e))
			return -1;
	}
	if (store_set_writer(x->l, writer, why, e) || logref_write(x->l, name, mine, theirs, e))
		return -1;
	x->x->new_writer = true;
	x->x->logs_fetched++;
	x->x->ops_fetched += ops_between(x->l, mine, theirs);
	ex_note(x, "%s", why);
	return 0;
}

bool was_rescued(struct nlog *l, const char *writer, const struct oid *ours)
{
	char name[REF_NAME_MAX], next[OP_WRITER_HEX];
	struct oid o;

	successor(writer, ours, next);
	logref_name(name, LOG_REFS, NULL, next);
	return logref_read(l, name, &o, NULL) > 0;
}
