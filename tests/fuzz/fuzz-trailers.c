/* SPDX-License-Identifier: MIT */
/* Commit messages: no crash, keys that are keys, values of one line. */
#include "config.h"
#include <string.h>
#include "fuzz.h"
#include "killick/git/repo.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = ARENA_INIT;
	struct trailer *t;
	size_t count = message_trailers(&a, arena_memdup(&a, p, n), &t);

	for (size_t i = 0; i < count; i++)
		FUZZ_CHECK(*t[i].key && !strchr(t[i].key, '\n') && !strchr(t[i].value, '\n'));
	arena_release(&a);
	return 0;
}
