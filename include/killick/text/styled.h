/* SPDX-License-Identifier: MIT */
/*
 * Styled lines: what the text engine draws and what a pipe gets without the styles. Markdown (md4c, GitHub flavour)
 * and plain text become lines of spans, wrapped to a width; code is not wrapped.
 */
#ifndef KILLICK_TEXT_STYLED_H
#define KILLICK_TEXT_STYLED_H

#include "killick/base/buf.h"

enum style {
	STYLE_NORMAL, STYLE_DIM, STYLE_ACCENT, STYLE_STRONG, STYLE_EMPH, STYLE_CODE, STYLE_QUOTE, STYLE_HEADING, STYLE_LINK,
	STYLE_ADD, STYLE_DEL, STYLE_HUNK, STYLE_ERROR, STYLE_WARN, STYLE_OK, STYLE_UNREAD, STYLE_MATCH, STYLE_RULE,
	STYLE_AUTHOR, STYLE_ID, STYLE_DATE, STYLE_LINENO, STYLE_MARGIN, STYLE_STATUS, STYLE_CURSOR,
	STYLE_ADD_WORD, STYLE_DEL_WORD, /* the changed words of a changed line */
	STYLE_COUNT,
};

struct span { const char *text; size_t len; enum style style; };
struct styled_line {
	struct span *spans; size_t n;
	bool nowrap;     /* code: scrolls sideways */
	bool quote;      /* part of a quotation: may be folded */
	void *tag;       /* the owner's: what this line belongs to */
};
struct styled { ARRAY(struct styled_line) lines; struct arena arena; };
#define STYLED_INIT { ARRAY_INIT, ARENA_INIT }

void styled_release(struct styled *s);
/* A new empty line at the end; then spans are added to the last line. Texts are copied and must be clean. */
struct styled_line *styled_newline(struct styled *s);
void styled_add(struct styled *s, enum style st, const char *text);
void styled_addn(struct styled *s, enum style st, const char *p, size_t n);
void styled_addf(struct styled *s, enum style st, const char *fmt, ...) PRINTF_LIKE(3, 4);

/*
 * Markdown to lines of at most `width` cells, each begun with `indent` blanks (which count). Dirty input is cleaned. Over
 * 256 KiB only the first 256 KiB are set as Markdown, the rest as plain text, and so is a text built to explode: nothing is
 * left out (but link definitions, which show where they are used). Raw HTML is shown as text. Two exceptions to the width: code (nowrap), and a wide character where there is one
 * cell. A link's address follows its text where they differ.
 */
void styled_markdown(struct styled *s, const char *md, size_t n, int width, int indent);
/* Plain text, wrapped at blanks (a longer word is broken between clusters). Dirty input is cleaned. */
void styled_wrap(struct styled *s, enum style st, const char *text, size_t n, int width, int indent);
/* Just the text of the lines, one LF each. */
void styled_plain(struct buf *b, const struct styled *s);

/* Terminal bytes for a command's colour output: the only escape sequences outside curses. "" for STYLE_NORMAL. */
const char *style_sgr(enum style st);
/* Ends what style_sgr began. */
const char *style_sgr_end(void);

#endif
