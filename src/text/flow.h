/* SPDX-License-Identifier: MIT */
/*
 * Between Markdown and lines: a run of inline text with styles, to be broken into lines of a width. Private to the text
 * floor. In the text, LF is a line break that must stay.
 */
#ifndef KILLICK_TEXT_FLOW_H
#define KILLICK_TEXT_FLOW_H

#include "killick/text/styled.h"

/* The text from the end of the run before it (or 0) up to `end`. */
struct flow_run { size_t end; enum style style; };
struct flow {
	struct buf text;
	ARRAY(struct flow_run) runs;
};
#define FLOW_INIT { BUF_INIT, ARRAY_INIT }

void flow_release(struct flow *f);
void flow_reset(struct flow *f);
void flow_add(struct flow *f, enum style st, const char *p, size_t n);
/* Makes the text clean prose as a whole: taking Markdown's marks out may have put a stray accent behind nothing. */
void flow_clean(struct flow *f);
/* Adds text[from, to) with its styles to the last line of s. */
void flow_put(struct styled *s, const struct flow *f, size_t from, size_t to);
/* Breaks the text into lines; begin(ctx) starts each of them in s, with what stands before the text. */
void flow_wrap(struct styled *s, const struct flow *f, int width, void (*begin)(void *ctx), void *ctx);

#endif
