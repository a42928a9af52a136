/* SPDX-License-Identifier: MIT */
/*
 * op_scan and op_decode_kept take and refuse exactly what op_decode does, and set the same fields: compared over mutated
 * lines.
 */
#include "config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "killick/model/op.h"

#define REPO "00112233445566778899aabbccddeeff"
#define WRITER "ffeeddccbbaa99887766554433221100"
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD "{\"v\":1,\"repo\":\"" REPO "\",\"writer\":\"" WRITER "\","
#define FIRST "\"seq\":0,\"prev\":null,\"lamport\":1,"
#define LATER "\"seq\":17,\"prev\":\"" HASH "\",\"lamport\":912345678901234567,"
#define OPEN "\"entity\":null,\"type\":\"open\","
#define POST "\"entity\":\"" HASH "\",\"type\":\"post\","
#define AUTHOR "\"author\":{\"name\":\"A \\u00e9\",\"email\":null},\"time\":\"2026-01-02T03:04:05Z\","

static const char *const seeds[] = {
	HEAD FIRST OPEN AUTHOR "\"payload\":{}}",
	HEAD FIRST OPEN AUTHOR "\"payload\":{\"kind\":\"question\",\"body\":\"a\\nb \\\" \\\\ \\ud83d\\udc4d \\/\\b\\f\\r\\t\","
	"\"anchor\":{\"type\":\"lines\",\"line\":120,\"end\":131},\"asked\":[{\"name\":\"B\",\"email\":\"b@x\"},null,true,false]}}",
	HEAD LATER POST AUTHOR "\"payload\":{\"body\":\"\\u0001\\u001b[31m\",\"x\":[[[[[[]]]]]],\"y\":0,\"z\":[1,22,333]}}",
	HEAD LATER "\"entity\":\"" HASH "\",\"type\":\"react\"," AUTHOR "\"payload\":{\"post\":\"" HASH "\",\"emoji\":\"+\",\"on\":true}}",
	HEAD FIRST "\"entity\":null,\"type\":\"rewrite\"," AUTHOR "\"payload\":{\"from\":\"a\",\"to\":\"b\"}}",
	HEAD FIRST "\"entity\":null,\"type\":\"whatever\"," AUTHOR "\"payload\":{\"a\":1.5e3,\"b\":-7}}",
};

static uint64_t state_;

static uint32_t rnd(uint32_t below)
{
	state_ = state_ * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((state_ >> 33) % below);
}

static void same_values(const struct op *a, const struct op *b)
{
	assert_int_equal(a->version, b->version);
	assert_string_equal(a->repo, b->repo);
	assert_string_equal(a->writer, b->writer);
	assert_int_equal(a->seq, b->seq);
	assert_string_equal(a->prev, b->prev);
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->time, b->time);
	assert_int_equal(a->lamport, b->lamport);
	assert_string_equal(a->entity, b->entity);
	assert_int_equal(a->type, b->type);
	assert_string_equal(a->type_name, b->type_name);
	assert_true(json_equal(a->payload, b->payload));
	assert_string_equal(a->author.name ? a->author.name : "-", b->author.name ? b->author.name : "-");
	assert_string_equal(a->author.email ? a->author.email : "-", b->author.email ? b->author.email : "-");
	assert_true(!a->author.name == !b->author.name && !a->author.email == !b->author.email);
}

static void compare(const char *p, size_t n)
{
	struct op a, b;
	struct err ea = ERR_INIT, eb = ERR_INIT;
	int ra = op_decode(p, n, &a, &ea), rb = op_scan(p, n, &b, &eb);

	if (ra != rb)
		fail_msg("decode %d, scan %d: %.*s", ra, rb, (int)n, p);
	if (ra) {
		assert_int_equal(op_decode_kept(p, n, HASH, &b, &eb), ra);
		return;
	}
	assert_int_equal(a.version, b.version);
	assert_string_equal(a.repo, b.repo);
	assert_string_equal(a.writer, b.writer);
	assert_int_equal(a.seq, b.seq);
	assert_int_equal(a.lamport, b.lamport);
	assert_string_equal(a.prev, b.prev);
	assert_string_equal(a.entity, b.entity);
	assert_string_equal(a.id, b.id);
	assert_int_equal(a.type, b.type);
	assert_string_equal(a.type_name, b.type_name);
	if (a.type == OP_REWRITE || a.type == OP_SIGN || a.type == OP_UNKNOWN)
		assert_true(json_equal(a.payload, b.payload));
	op_release(&b);
	assert_int_equal(op_decode_kept(p, n, a.id, &b, &eb), 0);
	same_values(&a, &b);
	op_release(&a);
	op_release(&b);
}

/* Pieces that mean something to a JSON reader, to put where they do not belong. */
static const char *const pieces[] = {
	"\"", "\\", "{", "}", "[", "]", ",", ":", "null", "true", "0", "00", "-", "1.0", "1e9", "\\u0000", "\\ud83d", "\\udc4d",
	"\\x", " ", "\n", "\r", "\t", "\x7f", "\xc3\xa9", "\xff", "\"v\":1,", "\"body\":1,", "\"\":\"\",", "\"a\":{},\"a\":{},",
	"9223372036854775807", "9223372036854775808", "[[[[[[[[[[", "\"\\u0061\":1,\"a\":2,",
};

static void mutate(char *s, size_t *n, size_t room)
{
	size_t at = rnd((uint32_t)*n + 1), cut = rnd(4) ? 0 : rnd(8);
	const char *piece = pieces[rnd(ARRAY_SIZE(pieces))];
	size_t len = rnd(3) ? strlen(piece) : 0;

	cut = cut > *n - at ? *n - at : cut;
	if (*n - cut + len > room)
		return;
	memmove(s + at + len, s + at + cut, *n - at - cut);
	memcpy(s + at, piece, len);
	*n = *n - cut + len;
	if (!rnd(4) && *n)
		s[rnd((uint32_t)*n)] = (char)rnd(256);
}

static void test_same_as_decode(void **state)
{
	char s[4096];

	(void)state;
	state_ = 20261122;
	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
		compare(seeds[i], strlen(seeds[i]));
		for (int round = 0; round < 20000; round++) {
			size_t n = strlen(seeds[i]);
			memcpy(s, seeds[i], n);
			for (uint32_t k = 0, times = 1 + rnd(3); k < times; k++)
				mutate(s, &n, sizeof(s));
			compare(s, n);
		}
		for (size_t n = 0; n < strlen(seeds[i]); n++)
			compare(seeds[i], n);
	}
}

/* The usual line must not take the slow way: no document is built. */
static void test_usual_lines_are_scanned(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct err e = ERR_INIT;
		struct op op;
		assert_int_equal(op_scan(seeds[i], strlen(seeds[i]), &op, &e), 0);
		assert_null(op.doc);
		op_release(&op);
	}
}

/* An id that is not of these bytes is only found out by hashing them: the usual line is not, any other is. */
static void test_usual_lines_are_not_hashed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
		struct err e = ERR_INIT;
		struct op op;
		assert_int_equal(op_decode_kept(seeds[i], strlen(seeds[i]), HASH, &op, &e), 0);
		assert_int_equal(strcmp(op.id, HASH) == 0, i < 4);
		op_release(&op);
		assert_int_equal(op_decode_kept(seeds[i], strlen(seeds[i]), "", &op, &e), 0);
		assert_int_equal(strlen(op.id), SHA256_HEX - 1);
		op_release(&op);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_decode),
		cmocka_unit_test(test_usual_lines_are_scanned),
		cmocka_unit_test(test_usual_lines_are_not_hashed),
	};

	return cmocka_run_group_tests_name("opscan", tests, NULL, NULL);
}
