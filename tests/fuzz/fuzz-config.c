/* SPDX-License-Identifier: MIT */
/* A repository's configuration before anything in it is trusted: no crash, and keys of the form "section.name". */
#include "config.h"
#include <string.h>
#include "fuzz.h"
#include "../../src/git/git.h"

static int entry(void *ctx, const char *key, const char *value, const char *origin)
{
	(void)ctx;
	FUZZ_CHECK(strchr(key, '.') && key[strlen(key) - 1] != '.' && !strcmp(origin, "f"));
	wild_match(key, value, true);
	git_bool(value, false);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;

	if (config_parse((const char *)p, n, "f", &a, entry, NULL, &e))
		FUZZ_CHECK(e.code == ERR_BAD_DATA && e.msg[0]);
	arena_release(&a);
	return 0;
}
