/* SPDX-License-Identifier: MIT */
/* The native log's record: its exact bytes, its id, and what reading refuses. */
#include "config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "killick/base/clock.h"
#include "killick/model/op.h"

#define REPO "00112233445566778899aabbccddeeff"
#define WRITER "ffeeddccbbaa99887766554433221100"
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct op sample(enum op_type type)
{
	struct op op = {
		.version = 1, .repo = REPO, .writer = WRITER, .type = type,
		.author = { .name = "Ana", .email = "ana@example.org" }, .time = INT64_C(1795356123000),
	};
	return op;
}

/* What stands in logs must never change; the id was taken with sha256sum. */
static void test_exact_bytes(void **state)
{
	static const char want[] =
	    "{\"v\":1,\"repo\":\"" REPO "\",\"writer\":\"" WRITER "\",\"seq\":0,\"prev\":null,\"lamport\":7,\"entity\":null,"
	    "\"type\":\"open\",\"author\":{\"name\":\"Zo\\u00EB\",\"email\":\"zoe@example.org\"},"
	    "\"time\":\"2026-11-22T14:02:03Z\",\"payload\":{\"kind\":\"question\",\"body\":\"a\\u007f\\u009B\\nb\"}}";
	struct op op = sample(OP_OPEN);
	struct buf b = BUF_INIT;

	(void)state;
	op.lamport = 7;
	op.author = (struct person){ .name = "Zo\xc3\xab", .email = "zoe@example.org" };
	op.payload = json_object();
	json_put_str(op.payload, "kind", "question");
	json_put_str(op.payload, "body", "a\x7f\xc2\x9b\nb");
	buf_addstr(&b, "before:");
	op_encode(&op, &b);
	assert_memory_equal(b.ptr, "before:", 7);
	assert_string_equal(b.ptr + 7, want);
	assert_string_equal(op.id, "ca8be902abd1cfa46282e075a393d1f09a8d3815569156ef479ad59ae0999f9c");
	json_decref(op.payload);
	buf_release(&b);
}

static void check_same(const struct op *x, const struct op *y)
{
	assert_int_equal(x->version, y->version);
	assert_string_equal(x->repo, y->repo);
	assert_string_equal(x->writer, y->writer);
	assert_int_equal(x->seq, y->seq);
	assert_int_equal(x->lamport, y->lamport);
	assert_string_equal(x->prev, y->prev);
	assert_string_equal(x->entity, y->entity);
	assert_string_equal(x->id, y->id);
	assert_int_equal(x->type, y->type);
	assert_string_equal(x->author.name, y->author.name);
	assert_string_equal(x->author.email, y->author.email);
	assert_int_equal(x->time, y->time);
	assert_true(json_equal(x->payload, y->payload));
}

static void test_every_type_comes_back(void **state)
{
	(void)state;
	for (int t = OP_OPEN; t <= OP_SIGN; t++) {
		struct op op = sample((enum op_type)t), got;
		struct err e = ERR_INIT;
		struct buf b = BUF_INIT;

		op.seq = op.lamport = INT64_MAX;
		memcpy(op.prev, HASH, sizeof(op.prev));
		if (t != OP_OPEN && t != OP_REWRITE && t != OP_SIGN)
			memcpy(op.entity, HASH, sizeof(op.entity));
		op.payload = json_pack("{s:s, s:n, s:[i]}", "x", "\xe2\x98\x83 \x1b[31m", "y", "z", 1);
		op_encode(&op, &b);
		for (size_t i = 0; i < b.len; i++)
			assert_true(b.ptr[i] >= ' ' && b.ptr[i] < 0x7f);
		assert_int_equal(op_decode(b.ptr, b.len, &got, &e), 0);
		check_same(&op, &got);
		assert_string_equal(got.type_name, op_type_name((enum op_type)t));
		op_release(&got);
		json_decref(op.payload);
		buf_release(&b);
	}
}

static void test_no_payload_is_an_empty_one(void **state)
{
	struct op op = sample(OP_REOPEN), got;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;

	(void)state;
	memcpy(op.entity, HASH, sizeof(op.entity));
	op_encode(&op, &b);
	assert_non_null(strstr(b.ptr, "\"payload\":{}}"));
	assert_int_equal(op_decode(b.ptr, b.len, &got, &e), 0);
	assert_int_equal(json_object_size(got.payload), 0);
	op_release(&got);
	op_release(&got);
	op_release(NULL);
	buf_release(&b);
}

#define HEAD "{\"v\":1,\"repo\":\"" REPO "\",\"writer\":\"" WRITER "\","
#define TAIL "\"author\":{\"name\":\"A\",\"email\":\"a@x\"},\"time\":\"2026-01-02T03:04:05Z\",\"payload\":{}}"
#define FIRST "\"seq\":0,\"prev\":null,\"lamport\":1,"
#define POST "\"entity\":\"" HASH "\",\"type\":\"post\","

/* A valid op with one thing wrong each; the first row shows that the frame itself is right. */
static const struct { const char *name, *bytes; bool fine; } lines[] = {
	{ "the frame", HEAD FIRST POST TAIL, true },
	{ "other keys are allowed", "{\"x\":[1],\"v\":1," "\"repo\":\"" REPO "\",\"writer\":\"" WRITER "\"," FIRST POST TAIL, true },
	{ "any spacing and order", " {\"payload\": {}, \"time\":\"2026-01-02T03:04:05+01:00\" ,\"type\":\"post\","
	    "\"author\":{\"email\":null,\"name\":null},\"entity\":\"" HASH "\",\"lamport\":1,\"prev\":null,\"seq\":0,"
	    "\"writer\":\"" WRITER "\",\"repo\":\"" REPO "\",\"v\":1}", true },
	{ "an unknown type", HEAD FIRST "\"entity\":null,\"type\":\"frobnicate\"," TAIL, true },
	{ "a later version", "{\"v\":2,\"repo\":\"" REPO "\",\"writer\":\"" WRITER "\"," FIRST "\"entity\":null,\"type\":\"post\","
	    TAIL, true },
	{ "seq and lamport of 2^63-1", HEAD "\"seq\":9223372036854775807,\"prev\":\"" HASH "\",\"lamport\":9223372036854775807,"
	    POST TAIL, true },
	{ "lamport of 2^63", HEAD "\"seq\":0,\"prev\":null,\"lamport\":9223372036854775808," POST TAIL, false },
	{ "lamport below 0", HEAD "\"seq\":0,\"prev\":null,\"lamport\":-1," POST TAIL, false },
	{ "lamport as a real", HEAD "\"seq\":0,\"prev\":null,\"lamport\":1.0," POST TAIL, false },
	{ "lamport as text", HEAD "\"seq\":0,\"prev\":null,\"lamport\":\"1\"," POST TAIL, false },
	{ "no lamport", HEAD "\"seq\":0,\"prev\":null," POST TAIL, false },
	{ "seq 1 without prev", HEAD "\"seq\":1,\"prev\":null,\"lamport\":1," POST TAIL, false },
	{ "seq 0 with prev", HEAD "\"seq\":0,\"prev\":\"" HASH "\",\"lamport\":1," POST TAIL, false },
	{ "no prev", HEAD "\"seq\":0,\"lamport\":1," POST TAIL, false },
	{ "short prev", HEAD "\"seq\":1,\"prev\":\"0123\",\"lamport\":1," POST TAIL, false },
	{ "version 0", "{\"v\":0,\"repo\":\"" REPO "\",\"writer\":\"" WRITER "\"," FIRST POST TAIL, false },
	{ "version 2^40", "{\"v\":1099511627776,\"repo\":\"" REPO "\",\"writer\":\"" WRITER "\"," FIRST POST TAIL, false },
	{ "upper-case repo", "{\"v\":1,\"repo\":\"00112233445566778899AABBCCDDEEFF\",\"writer\":\"" WRITER "\"," FIRST POST TAIL,
	    false },
	{ "long writer", "{\"v\":1,\"repo\":\"" REPO "\",\"writer\":\"" WRITER "0\"," FIRST POST TAIL, false },
	{ "writer with a path", "{\"v\":1,\"repo\":\"" REPO "\",\"writer\":\"../../../../../../../../etc/x\"," FIRST POST TAIL,
	    false },
	{ "a post without entity", HEAD FIRST "\"entity\":null,\"type\":\"post\"," TAIL, false },
	{ "an open with entity", HEAD FIRST "\"entity\":\"" HASH "\",\"type\":\"open\"," TAIL, false },
	{ "entity missing", HEAD FIRST "\"type\":\"open\"," TAIL, false },
	{ "entity upper-case", HEAD FIRST "\"entity\":\"0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF\","
	    "\"type\":\"post\"," TAIL, false },
	{ "type no string", HEAD FIRST "\"entity\":null,\"type\":7," TAIL, false },
	{ "author a string", HEAD FIRST POST "\"author\":\"A <a@x>\",\"time\":\"2026-01-02T03:04:05Z\",\"payload\":{}}", false },
	{ "author without email", HEAD FIRST POST "\"author\":{\"name\":\"A\"},\"time\":\"2026-01-02T03:04:05Z\",\"payload\":{}}",
	    false },
	{ "no time", HEAD FIRST POST "\"author\":{\"name\":\"A\",\"email\":\"a@x\"},\"payload\":{}}", false },
	{ "31 February", HEAD FIRST POST "\"author\":{\"name\":\"A\",\"email\":\"a@x\"},\"time\":\"2026-02-31T03:04:05Z\","
	    "\"payload\":{}}", false },
	{ "payload a list", HEAD FIRST POST "\"author\":{\"name\":\"A\",\"email\":\"a@x\"},\"time\":\"2026-01-02T03:04:05Z\","
	    "\"payload\":[]}", false },
	{ "a key twice", HEAD "\"v\":1," FIRST POST TAIL, false },
	{ "something behind", HEAD FIRST POST TAIL " x", false },
	{ "two lines", HEAD FIRST POST "\n" TAIL, false },
	{ "a carriage return", HEAD FIRST POST TAIL "\r", false },
	{ "bytes that are not UTF-8", HEAD FIRST POST "\"author\":{\"name\":\"\xff\",\"email\":\"a@x\"},"
	    "\"time\":\"2026-01-02T03:04:05Z\",\"payload\":{}}", false },
	{ "an escaped NUL", HEAD FIRST POST "\"author\":{\"name\":\"\\u0000\",\"email\":\"a@x\"},"
	    "\"time\":\"2026-01-02T03:04:05Z\",\"payload\":{}}", false },
	{ "no object", "[]", false },
	{ "nothing", "", false },
	{ "half of it", HEAD FIRST, false },
};

static void test_reading_is_strict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct err e = ERR_INIT;
		struct op op;
		int got = op_decode(lines[i].bytes, strlen(lines[i].bytes), &op, &e);

		if ((got == 0) != lines[i].fine)
			fail_msg("%s: %s", lines[i].name, got ? e.msg : "taken");
		if (got)
			assert_int_equal(e.code, ERR_BAD_DATA);
		else
			op_release(&op);
	}
}

static void test_later_versions_and_types_are_unknown(void **state)
{
	struct err e = ERR_INIT;
	struct op op;

	(void)state;
	assert_int_equal(op_decode(lines[3].bytes, strlen(lines[3].bytes), &op, &e), 0);
	assert_int_equal(op.type, OP_UNKNOWN);
	assert_string_equal(op.type_name, "frobnicate");
	op_release(&op);
	assert_int_equal(op_decode(lines[4].bytes, strlen(lines[4].bytes), &op, &e), 0);
	assert_int_equal(op.type, OP_UNKNOWN);
	assert_int_equal(op.version, 2);
	op_release(&op);
}

/* The id is that of the bytes, not of what they mean. */
static void test_id_is_of_the_stored_bytes(void **state)
{
	static const char spaced[] = HEAD " " FIRST POST TAIL;
	struct err e = ERR_INIT;
	struct op one, two;
	uint8_t sum[SHA256_SIZE];
	char hex[SHA256_HEX];

	(void)state;
	assert_int_equal(op_decode(lines[0].bytes, strlen(lines[0].bytes), &one, &e), 0);
	assert_int_equal(op_decode(spaced, strlen(spaced), &two, &e), 0);
	assert_string_not_equal(one.id, two.id);
	hash_sha256(sum, spaced, strlen(spaced));
	hex_encode(hex, sum, sizeof(sum));
	assert_string_equal(two.id, hex);
	op_release(&one);
	op_release(&two);
}

static void test_size_is_limited(void **state)
{
	struct op op = sample(OP_POST), got;
	struct buf b = BUF_INIT, body = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	memcpy(op.entity, HASH, sizeof(op.entity));
	buf_addchn(&body, 'x', OP_MAX_BYTES - 600);
	op.payload = json_object();
	json_put_str(op.payload, "body", body.ptr);
	op_encode(&op, &b);
	assert_true(b.len <= OP_MAX_BYTES);
	assert_int_equal(op_decode(b.ptr, b.len, &got, &e), 0);
	op_release(&got);
	buf_addchn(&b, ' ', OP_MAX_BYTES + 1 - b.len);
	assert_int_equal(op_decode(b.ptr, b.len, &got, &e), -1);
	assert_int_equal(e.code, ERR_BAD_DATA);
	json_decref(op.payload);
	buf_release(&body);
	buf_release(&b);
}

static void test_time_is_clamped_and_whole(void **state)
{
	static const int64_t times[][2] = {
		{ 1999, 1000 }, { -1, -1000 }, { 0, 0 }, { INT64_MAX, INT64_C(253402300799000) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		struct op op = sample(OP_POST), got;
		struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		memcpy(op.entity, HASH, sizeof(op.entity));
		op.time = times[i][0];
		op_encode(&op, &b);
		assert_int_equal(op_decode(b.ptr, b.len, &got, &e), 0);
		assert_int_equal(got.time, times[i][1]);
		op_release(&got);
		buf_release(&b);
	}
}

static int by_fields(const struct op *x, const struct op *y)
{
	int c;

	if (x->lamport != y->lamport)
		return x->lamport < y->lamport ? -1 : 1;
	if ((c = strcmp(x->writer, y->writer)))
		return c;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void test_stamp_sorts_by_lamport_writer_seq(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 255, 256, UINT32_MAX, INT64_C(1) << 62, INT64_MAX };
	static const char *const writers[] = { "00000000000000000000000000000000", "00000000000000000000000000000001", WRITER };
	struct op ops[ARRAY_SIZE(numbers) * ARRAY_SIZE(numbers) * ARRAY_SIZE(writers)];
	size_t n = 0;

	(void)state;
	for (size_t l = 0; l < ARRAY_SIZE(numbers); l++)
		for (size_t w = 0; w < ARRAY_SIZE(writers); w++)
			for (size_t s = 0; s < ARRAY_SIZE(numbers); s++) {
				ops[n] = sample(OP_POST);
				ops[n].lamport = numbers[l];
				ops[n].seq = numbers[s];
				memcpy(ops[n].writer, writers[w], OP_WRITER_HEX);
				n++;
			}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			uint8_t a[OP_STAMP_SIZE], b[OP_STAMP_SIZE];
			int want = by_fields(&ops[i], &ops[k]), got;

			op_stamp(&ops[i], a);
			op_stamp(&ops[k], b);
			got = memcmp(a, b, sizeof(a));
			assert_int_equal((got > 0) - (got < 0), (want > 0) - (want < 0));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_bytes),
		cmocka_unit_test(test_every_type_comes_back),
		cmocka_unit_test(test_no_payload_is_an_empty_one),
		cmocka_unit_test(test_reading_is_strict),
		cmocka_unit_test(test_later_versions_and_types_are_unknown),
		cmocka_unit_test(test_id_is_of_the_stored_bytes),
		cmocka_unit_test(test_size_is_limited),
		cmocka_unit_test(test_time_is_clamped_and_whole),
		cmocka_unit_test(test_stamp_sorts_by_lamport_writer_seq),
	};

	return cmocka_run_group_tests_name("op", tests, NULL, NULL);
}
