/* SPDX-License-Identifier: MIT */
/* What killick-remote says, and is told: records, ops, outcomes, sources. No crash; what is taken is written so that it reads
 * and writes the same again. */
#include "config.h"
#include <string.h>
#include "fuzz.h"
#include "killick/remote/wire.h"

static const char *record_text(struct arena *a, const char *p, size_t n)
{
	struct err e = ERR_INIT;
	struct record r;

	if (!record_parse(a, p, n, &r, &e))
		return json_line(a, record_json(&r));
	FUZZ_CHECK(e.code == ERR_BAD_DATA && e.msg[0]);
	return NULL;
}

static const char *op_text(struct arena *a, const json_t *j)
{
	struct err e = ERR_INIT;
	struct wire_op op;

	return wire_op_parse(a, j, &op, &e) ? NULL : json_line(a, wire_op_json(&op));
}

static const char *outcome_text(struct arena *a, const json_t *j)
{
	struct err e = ERR_INIT;
	struct wire_outcome o;

	return wire_outcome_parse(a, j, &o, &e) ? NULL : json_line(a, wire_outcome_json(&o));
}

static const char *source_text(struct arena *a, const json_t *j)
{
	struct err e = ERR_INIT;
	struct source_desc s;

	return source_desc_parse(a, j, &s, &e) ? NULL : json_line(a, source_desc_json(&s));
}

static const char *(*const texts[])(struct arena *a, const json_t *j) = { op_text, outcome_text, source_text };

static void check_same(const char *once, const char *twice)
{
	FUZZ_CHECK(twice && !strcmp(once, twice));
}

/* A real sends the quick reader of records away: the other one reads the same. */
static void check_slow(struct arena *a, const char *p, size_t n, const char *quick)
{
	static const char real[] = ",\"~real\":1.5}";
	struct buf b = BUF_INIT;
	const char *slow;

	if (!n || p[n - 1] != '}' || memmem(p, n, "~", 1))
		return;
	buf_add(&b, p, n - 1);
	buf_add(&b, real, sizeof(real) - 1);
	slow = record_text(a, b.ptr, b.len);
	FUZZ_CHECK(quick ? slow && !strcmp(quick, slow) : !slow);
	buf_release(&b);
}

static void check_records(struct arena *a, const char *p, size_t n)
{
	const char *once = record_text(a, p, n);

	check_slow(a, p, n, once);
	if (once)
		check_same(once, record_text(a, once, strlen(once)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	json_t *j = json_read((const char *)data, n, "input", &e), *again;

	check_records(&a, (const char *)data, n);
	for (size_t i = 0; j && i < ARRAY_SIZE(texts); i++) {
		const char *once = texts[i](&a, j);

		again = once ? json_read(once, strlen(once), "output", &e) : NULL;
		FUZZ_CHECK(!once || again);
		if (once)
			check_same(once, texts[i](&a, again));
		json_decref(again);
	}
	json_decref(j);
	arena_release(&a);
	return 0;
}
