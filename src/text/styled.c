/* SPDX-License-Identifier: MIT */
/*
 * Styled lines. Spans and texts are arena memory, so a document of any size goes away at once; a line's array of spans
 * doubles whenever its count is a power of two, which needs no capacity to be stored. Neighbours of one style are put
 * together by those who add them (flow.c); nothing here looks at the text.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/text/sanitize.h"
#include "killick/text/styled.h"
#include "killick/text/width.h"
#include "flow.h"

void styled_release(struct styled *s)
{
	if (!s)
		return;
	array_release(&s->lines);
	arena_release(&s->arena);
}

struct styled_line *styled_newline(struct styled *s)
{
	return array_add(&s->lines);
}

void styled_addn(struct styled *s, enum style st, const char *p, size_t n)
{
	struct styled_line *l;

	if (!n)
		return;
	if (!s->lines.len)
		styled_newline(s);
	l = &s->lines.items[s->lines.len - 1];
	if ((l->n & (l->n - 1)) == 0) {
		struct span *more = arena_alloc(&s->arena, (l->n ? l->n * 2 : 1) * sizeof(*more));
		if (l->n)
			memcpy(more, l->spans, l->n * sizeof(*more));
		l->spans = more;
	}
	l->spans[l->n++] = (struct span){ .text = arena_memdup(&s->arena, p, n), .len = n, .style = st };
}

void styled_add(struct styled *s, enum style st, const char *text)
{
	styled_addn(s, st, text, strlen(text));
}

void styled_addf(struct styled *s, enum style st, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	styled_addn(s, st, b.ptr, b.len);
	buf_release(&b);
}

void styled_plain(struct buf *b, const struct styled *s)
{
	for (size_t i = 0; i < s->lines.len; i++) {
		const struct styled_line *l = &s->lines.items[i];
		for (size_t k = 0; k < l->n; k++)
			buf_add(b, l->spans[k].text, l->spans[k].len);
		buf_addch(b, '\n');
	}
}

struct indented { struct styled *s; int indent; };

static void begin_indented(void *ctx)
{
	const struct indented *in = ctx;

	styled_newline(in->s);
	styled_addf(in->s, STYLE_NORMAL, "%*s", in->indent, "");
}

void styled_wrap(struct styled *s, enum style st, const char *text, size_t n, int width, int indent)
{
	struct indented in = { .s = s, .indent = indent > 0 ? indent : 0 };
	struct buf clean = BUF_INIT, line = BUF_INIT;
	struct flow f = FLOW_INIT;

	text_sanitize(&clean, text, n, TEXT_PROSE | TEXT_LINES | TEXT_TABS);
	for (size_t i = 0; i < clean.len;) {
		size_t len = strcspn(clean.ptr + i, "\n");
		buf_reset(&line);
		text_expand_tabs(&line, clean.ptr + i, len, 0, 8);
		buf_addch(&line, '\n');
		flow_reset(&f);
		flow_add(&f, st, line.ptr, line.len);
		flow_wrap(s, &f, width - in.indent, begin_indented, &in);
		i += len + 1;
	}
	flow_release(&f);
	buf_release(&line);
	buf_release(&clean);
}

const char *style_sgr(enum style st)
{
	static const char *const sgr[STYLE_COUNT] = {
		[STYLE_DIM] = "\033[2m", [STYLE_ACCENT] = "\033[1;36m", [STYLE_STRONG] = "\033[1m",
		[STYLE_EMPH] = "\033[3m", [STYLE_CODE] = "\033[36m", [STYLE_QUOTE] = "\033[2m",
		[STYLE_HEADING] = "\033[1;4m", [STYLE_LINK] = "\033[4m", [STYLE_ADD] = "\033[32m",
		[STYLE_DEL] = "\033[31m", [STYLE_HUNK] = "\033[36m", [STYLE_ERROR] = "\033[1;31m",
		[STYLE_WARN] = "\033[33m", [STYLE_OK] = "\033[32m", [STYLE_UNREAD] = "\033[1m",
		[STYLE_MATCH] = "\033[7m", [STYLE_RULE] = "\033[2m", [STYLE_AUTHOR] = "\033[1m",
		[STYLE_ID] = "\033[33m", [STYLE_DATE] = "\033[2m", [STYLE_LINENO] = "\033[2m",
		[STYLE_MARGIN] = "\033[36m", [STYLE_STATUS] = "\033[7m", [STYLE_CURSOR] = "\033[7m",
		[STYLE_ADD_WORD] = "\033[1;7;32m", [STYLE_DEL_WORD] = "\033[1;7;31m",
	};

	return (unsigned)st < STYLE_COUNT && sgr[st] ? sgr[st] : "";
}

const char *style_sgr_end(void)
{
	return "\033[0m";
}
