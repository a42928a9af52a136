/* SPDX-License-Identifier: MIT */
/* What every unit test includes, and a few things that several need: a scratch folder, a seeded random, repeated text. */
#ifndef KILLICK_TESTS_UNIT_H
#define KILLICK_TESTS_UNIT_H

#include "config.h"
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "killick/base/buf.h"
#include "killick/base/err.h"

/* xorshift64*: the same numbers everywhere, so that a failure can be repeated. */
UNUSED static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(2685821657736338717);
}

/* A new folder under $TMPDIR; scratch_remove takes it away with what is in it. */
UNUSED static char *scratch_make(void)
{
	const char *tmp = getenv("TMPDIR");
	char *path = xasprintf("%s/killick-unit.XXXXXX", tmp && *tmp ? tmp : "/tmp");

	assert_non_null(mkdtemp(path));
	return path;
}

UNUSED static int scratch_unlink(const char *path, const struct stat *st UNUSED, int kind UNUSED, struct FTW *f UNUSED)
{
	return remove(path);
}

UNUSED static void scratch_remove(char *path)
{
	assert_int_equal(nftw(path, scratch_unlink, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(path);
}

#define assert_buf(b, text) assert_string_equal((b)->ptr, text)

#endif
