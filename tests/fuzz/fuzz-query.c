/* SPDX-License-Identifier: MIT */
/* Queries: no crash; what parses is written in a form that parses and is written the same again. */
#include "config.h"
#include <string.h>
#include "fuzz.h"
#include "killick/model/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	struct buf once = BUF_INIT, twice = BUF_INIT;
	const char *text = arena_memdup(&a, p, n);
	struct query *q, *again;

	if (!query_parse(&a, text, INT64_C(1767322800000), &q, &e)) {
		query_format(&once, q);
		FUZZ_CHECK(!query_parse(&a, once.ptr, INT64_C(1767322800000), &again, &e));
		query_format(&twice, again);
		FUZZ_CHECK(!strcmp(once.ptr, twice.ptr));
	} else {
		FUZZ_CHECK(e.code == ERR_USAGE && e.msg[0]);
	}
	query_words(text);
	buf_release(&once);
	buf_release(&twice);
	arena_release(&a);
	return 0;
}
