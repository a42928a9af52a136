/* SPDX-License-Identifier: MIT */
/* The native log's lines: no crash; op_scan says what op_decode says; what is taken can be written and read again with
 * every field the same. */
#include "config.h"
#include <string.h>
#include "fuzz.h"
#include "killick/model/op.h"

static bool same_str(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void check_envelope(const struct op *x, const struct op *y)
{
	uint8_t sx[OP_STAMP_SIZE], sy[OP_STAMP_SIZE];

	op_stamp(x, sx);
	op_stamp(y, sy);
	FUZZ_CHECK(!memcmp(sx, sy, sizeof(sx)));
	FUZZ_CHECK(x->version == y->version && x->type == y->type);
	FUZZ_CHECK(!strcmp(x->repo, y->repo) && !strcmp(x->prev, y->prev) && !strcmp(x->entity, y->entity));
	FUZZ_CHECK(!strcmp(x->id, y->id));
}

static void check_same(const struct op *x, const struct op *y)
{
	check_envelope(x, y);
	FUZZ_CHECK(!strcmp(x->type_name, y->type_name));
	FUZZ_CHECK(same_str(x->author.name, y->author.name) && same_str(x->author.email, y->author.email));
}

/* Times lose their fractions and reals their last digits in the first writing, and nothing after that. */
static void check_again(struct op *op)
{
	struct op again;
	struct err e = ERR_INIT;
	struct buf once = BUF_INIT, twice = BUF_INIT;

	op_encode(op, &once);
	FUZZ_CHECK(!op_decode(once.ptr, once.len, &again, &e));
	check_same(op, &again);
	op_encode(&again, &twice);
	FUZZ_CHECK(once.len == twice.len && !memcmp(once.ptr, twice.ptr, once.len));
	op_release(&again);
	buf_release(&once);
	buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct err e = ERR_INIT;
	struct op op, scanned;
	int got = op_decode((const char *)p, n, &op, &e);

	FUZZ_CHECK(op_scan((const char *)p, n, &scanned, &e) == got);
	if (got) {
		FUZZ_CHECK(e.code == ERR_BAD_DATA && e.msg[0] && !op.doc && !scanned.doc);
		return 0;
	}
	check_envelope(&op, &scanned);
	check_again(&op);
	op_release(&scanned);
	op_release(&op);
	return 0;
}
