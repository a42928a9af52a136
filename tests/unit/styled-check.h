/* SPDX-License-Identifier: MIT */
/* Styled lines as one string for comparing, and what must hold for all of them. */
#ifndef KILLICK_TESTS_STYLED_CHECK_H
#define KILLICK_TESTS_STYLED_CHECK_H

#include "unit.h"
#include "killick/text/sanitize.h"
#include "killick/text/styled.h"
#include "killick/text/width.h"

/* Each span that has a style as {letter:text}; nowrap lines end with "$", quoted ones with "|". */
UNUSED static void styled_show(struct buf *b, const struct styled *s)
{
	static const char letters[STYLE_COUNT] = {
		[STYLE_DIM] = 'd', [STYLE_STRONG] = 's', [STYLE_EMPH] = 'e', [STYLE_CODE] = 'c', [STYLE_QUOTE] = 'q',
		[STYLE_HEADING] = 'h', [STYLE_LINK] = 'l', [STYLE_ADD] = 'A', [STYLE_DEL] = 'D', [STYLE_HUNK] = 'H',
		[STYLE_RULE] = 'r', [STYLE_ADD_WORD] = 'W', [STYLE_DEL_WORD] = 'V',
	};

	for (size_t i = 0; i < s->lines.len; i++) {
		const struct styled_line *l = &s->lines.items[i];
		for (size_t k = 0; k < l->n; k++) {
			const struct span *sp = &l->spans[k];
			if (sp->style == STYLE_NORMAL)
				buf_add(b, sp->text, sp->len);
			else
				buf_addf(b, "{%c:%s}", letters[sp->style], sp->text);
		}
		buf_addstr(b, l->nowrap ? "$" : "");
		buf_addstr(b, l->quote ? "|\n" : "\n");
	}
}

/* Every span is clean by itself and in its line, and no line that may be wrapped is too wide. */
UNUSED static void styled_check(const struct styled *s, int width, const char *name)
{
	struct buf line = BUF_INIT;

	for (size_t i = 0; i < s->lines.len; i++) {
		const struct styled_line *l = &s->lines.items[i];
		buf_reset(&line);
		for (size_t k = 0; k < l->n; k++) {
			assert_int_equal(strlen(l->spans[k].text), l->spans[k].len);
			buf_add(&line, l->spans[k].text, l->spans[k].len);
		}
		if (!text_is_clean(line.ptr, line.len, TEXT_PROSE))
			fail_msg("%s: line %zu is not clean: '%s'", name, i, line.ptr);
		if (!l->nowrap && text_width(line.ptr) > (width < 2 ? 2 : width))
			fail_msg("%s: line %zu is %d cells wide, not %d: '%s'", name, i, text_width(line.ptr), width, line.ptr);
	}
	buf_release(&line);
}

#endif
