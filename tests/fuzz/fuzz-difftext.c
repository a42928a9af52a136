/* SPDX-License-Identifier: MIT */
/* Diffs for display: a clean line for each line of the patch, whatever it is. */
#include "config.h"
#include <string.h>
#include "lines.h"
#include "killick/text/difftext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data;
	struct styled s = STYLED_INIT;
	size_t lines = 0;

	difftext_style(&s, p, n, 8);
	check_lines(&s, 0);
	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n' || i + 1 == n;
	FUZZ_CHECK(s.lines.len == lines);
	styled_release(&s);
	return 0;
}
