/* SPDX-License-Identifier: MIT */
/* Markdown and plain wrapping at the width that the first byte says: clean lines, none too wide; wrapping loses nothing. */
#include "config.h"
#include <string.h>
#include "lines.h"

static size_t solid(const char *p, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += p[i] != ' ' && p[i] != '\n' && p[i] != '\t';
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data + (n > 0);
	int width = n ? data[0] % 80 : 0;
	struct styled md = STYLED_INIT, plain = STYLED_INIT;
	struct buf clean = BUF_INIT, out = BUF_INIT;

	n -= n > 0;
	styled_markdown(&md, p, n, width, 0);
	check_lines(&md, width);
	styled_wrap(&plain, STYLE_NORMAL, p, n, width, 0);
	check_lines(&plain, width);
	text_sanitize(&clean, p, n, TEXT_PROSE | TEXT_LINES | TEXT_TABS);
	styled_plain(&out, &plain);
	FUZZ_CHECK(solid(clean.ptr, clean.len) == solid(out.ptr, out.len));
	buf_release(&clean);
	buf_release(&out);
	styled_release(&md);
	styled_release(&plain);
	return 0;
}
