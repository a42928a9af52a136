/* SPDX-License-Identifier: MIT */
/* Documents of anybody's: sections lie inside the text, in order, nested, each found again by its path. */
#include "config.h"
#include <string.h>
#include "fuzz.h"
#include "killick/anchor/section.h"

static const char *const names[] = { "a.md", "a.adoc", "a.rst", "a.org", "a.tex", "a.txt" };

static void check(const struct section *s, size_t n, uint32_t lines)
{
	for (size_t i = 0; i < n; i++) {
		FUZZ_CHECK(s[i].line >= 1 && s[i].line <= s[i].end && s[i].end <= lines);
		FUZZ_CHECK(!i || s[i].line > s[i - 1].line);
		/* A section ends before the next of its level, or holds it whole. */
		FUZZ_CHECK(i + 1 == n || s[i].end < s[i + 1].line || s[i].end >= s[i + 1].end);
		FUZZ_CHECK(strlen(s[i].title) < 1 << 20 && section_find(s, n, s[i].path));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint32_t lines = n && p[n - 1] != '\n';

	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		struct arena a = ARENA_INIT;
		struct section *s;
		size_t len = sections_parse(&a, names[k], (const char *)p, n, &s);

		check(s, len, lines);
		section_find(s, len, "a/b");
		arena_release(&a);
	}
	return 0;
}
