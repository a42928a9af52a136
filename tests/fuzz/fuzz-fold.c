/* SPDX-License-Identifier: MIT */
/*
 * Payloads into the fold. Each line of the input is an op: a letter for its type, one for its clock, one for its author,
 * then the payload as JSON (or what is meant to be). A post named "#a" is the op of line a. Whatever comes, the fold
 * must say the same about the ops backwards and twice over.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"
#include "killick/model/fold.h"

enum { OPS = 26 };

struct set {
	struct op *ops[2 * OPS];
	size_t n;
};

static json_t *payload_of(const struct set *s, const char *p, size_t n)
{
	struct err e = ERR_INIT;
	json_t *j = json_read(p, n, "payload", &e);
	const char *post;

	if (!json_is_object(j)) {
		json_decref(j);
		return json_object();
	}
	post = json_get_str(j, "post");
	if (post && post[0] == '#' && post[1] >= 'a' && (size_t)(post[1] - 'a') < s->n)
		json_put_str(j, "post", s->ops[post[1] - 'a']->id);
	return j;
}

static void add_op(struct set *s, const char *p, size_t n)
{
	static const uint64_t clocks[] = { 0, 1, 2, 3, 5, 8, 13, 1u << 31, INT64_MAX };
	static const char *const mails[] = { "ana@x", "bo@x", "ANA@X", NULL, "" };
	struct op op = { .version = 1, .type = (enum op_type)((unsigned char)p[0] % (OP_SIGN + 1)), .type_name = "later" };
	struct op *out = xcalloc(1, sizeof(*out));
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	op.lamport = clocks[(unsigned char)p[1] % ARRAY_SIZE(clocks)];
	op.author = (struct person){ .name = "A", .email = mails[(unsigned char)p[2] % ARRAY_SIZE(mails)] };
	op.time = ((unsigned char)p[1] - 64) * INT64_C(100000000000);
	op.seq = s->n;
	memset(op.repo, '7', OP_WRITER_HEX - 1);
	memset(op.writer, '0' + (unsigned char)p[2] % 3, OP_WRITER_HEX - 1);
	if (op.seq)
		memset(op.prev, 'a', SHA256_HEX - 1);
	if (s->n)
		memcpy(op.entity, s->ops[0]->id, SHA256_HEX);
	else if (op.type != OP_TASK)
		op.type = OP_OPEN;
	if (s->n && (op.type == OP_OPEN || op.type == OP_REWRITE || op.type == OP_SIGN))
		op.type = OP_POST;
	op.payload = payload_of(s, p + 3, n - 3);
	op_encode(&op, &b);
	json_decref(op.payload);
	FUZZ_CHECK(!op_decode(b.ptr, b.len, out, &e));
	s->ops[s->n++] = out;
	buf_release(&b);
}

static void put_posts(json_t *j, const struct thread *t)
{
	for (unsigned i = 0; i < t->n_posts; i++) {
		const struct post *p = &t->posts[i];

		json_array_append_new(j, json_pack("[I, b, I]", (json_int_t)p->edited, p->accepted, (json_int_t)p->n_reactions));
		for (size_t k = 0; k < p->n_reactions; k++)
			json_array_append_new(j, json_pack("[s, I]", p->reactions[k].emoji, (json_int_t)p->reactions[k].n));
	}
}

static void dump(struct buf *b, struct op **ops, size_t n)
{
	struct arena a = ARENA_INIT;
	struct fold f;
	json_t *j = json_array();

	FUZZ_CHECK(fold_entity(&a, ops, n, &f));
	json_array_append_new(j, thread_json(&f.t));
	json_array_append_new(j, task_json(&f.k));
	json_array_append_new(j, anchor_to_op(&f.t.anchor));
	json_array_append_new(j, person_json(&f.closer));
	json_array_append_new(j, json_pack("[I, I]", (json_int_t)f.t.created, (json_int_t)f.t.updated));
	put_posts(j, &f.t);
	for (size_t i = 0; i < f.t.n_labels; i++)
		json_array_append_new(j, json_str_or_null(f.t.labels[i]));
	for (size_t i = 0; i < f.t.n_links; i++)
		json_array_append_new(j, json_str_or_null(f.t.links[i]));
	for (size_t i = 0; i < f.t.n_asked; i++)
		json_array_append_new(j, person_json(&f.t.asked[i]));
	json_write(b, j);
	json_decref(j);
	arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data, *end = p + n, *nl;
	struct set s = { .n = 0 };
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct op *back[2 * OPS];

	for (; p < end && s.n < OPS; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		nl = nl ? nl : end;
		if (nl - p >= 3)
			add_op(&s, p, (size_t)(nl - p));
	}
	if (s.n) {
		for (size_t i = 0; i < 2 * s.n; i++)
			back[i] = s.ops[s.n - 1 - i / 2];
		dump(&twice, back, 2 * s.n);
		dump(&once, back, 2 * s.n);
		FUZZ_CHECK(!strcmp(once.ptr, twice.ptr));
		memcpy(back, s.ops, s.n * sizeof(*back));
		buf_reset(&once);
		dump(&once, back, s.n);
		FUZZ_CHECK(!strcmp(once.ptr, twice.ptr));
	}
	for (size_t i = 0; i < s.n; i++) {
		op_release(s.ops[i]);
		free(s.ops[i]);
	}
	buf_release(&once);
	buf_release(&twice);
	return 0;
}
