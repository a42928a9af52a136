/* SPDX-License-Identifier: MIT */
/* What must hold for styled lines, whoever made them. */
#ifndef KILLICK_TESTS_FUZZ_LINES_H
#define KILLICK_TESTS_FUZZ_LINES_H

#include <string.h>
#include "fuzz.h"
#include "killick/text/sanitize.h"
#include "killick/text/styled.h"
#include "killick/text/width.h"

/* Clean as whole lines; no line that may be wrapped is wider than width, or 2 where a wide character needs it. */
static inline void check_lines(const struct styled *s, int width)
{
	struct buf line = BUF_INIT;

	for (size_t i = 0; i < s->lines.len; i++) {
		const struct styled_line *l = &s->lines.items[i];
		buf_reset(&line);
		for (size_t k = 0; k < l->n; k++) {
			FUZZ_CHECK((unsigned)l->spans[k].style < STYLE_COUNT);
			FUZZ_CHECK(l->spans[k].len > 0 && strlen(l->spans[k].text) == l->spans[k].len);
			buf_add(&line, l->spans[k].text, l->spans[k].len);
		}
		FUZZ_CHECK(text_is_clean(line.ptr, line.len, TEXT_PROSE));
		FUZZ_CHECK(l->nowrap || text_width(line.ptr) <= (width < 2 ? 2 : width));
	}
	buf_release(&line);
}

#endif
