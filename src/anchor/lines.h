/* SPDX-License-Identifier: MIT */
/*
 * A file's content as lines: where each starts, its hashes as written, trimmed and without white space, and what kind
 * of line it is. Two lines are equal when their hashes are; a line's end ("\n", "\r\n", none) is no part of it.
 * The first two hashes are made when the lines are split; the rest when somebody asks (most lines are never asked).
 */
#ifndef KILLICK_SRC_ANCHOR_LINES_H
#define KILLICK_SRC_ANCHOR_LINES_H

#include <stdbool.h>
#include "killick/base/buf.h"

enum line_flags {
	LINE_KNOWN = 1 << 0,    /* letters and indent are filled, and the next three */
	LINE_TRIVIAL = 1 << 1,  /* carries no identity: blank, braces, "else", "return 0;" */
	LINE_BLANK = 1 << 2,
	LINE_CLOSE = 1 << 3,    /* only closes a block: "}", "});", "end", "fi", "done", … */
	LINE_REPEATED = 1 << 4, /* set by text_once */
};

struct line {
	uint64_t raw;           /* of the line as written */
	uint64_t trim;          /* without blanks at its ends */
	uint32_t off, len;      /* bytes, without the line's end */
	uint16_t letters;       /* letters and digits, at most 65535; bytes from 0x80 count */
	uint16_t indent;        /* columns, tabs to 8 */
	uint8_t flags;
};

struct words;
struct trim_count { uint64_t trim; uint32_t n; };
struct name;
struct text {
	char *ptr;              /* owned; NUL behind */
	size_t size;
	struct line *lines;
	uint32_t n;
	bool binary;            /* a NUL in the first 8000 bytes, git's rule */
	struct words **words;   /* a line's words, made when asked */
	uint64_t *norms;        /* hashes of lines without white space, made when asked */
	uint32_t *once;         /* table of first lines by raw hash, made when asked */
	uint32_t once_mask;
	struct trim_count *trims; /* table of trim hashes and how often they occur, made when asked */
	uint32_t trims_mask;
	struct name *names;     /* table of names that lines define, made when asked */
	uint32_t names_mask;
	struct arena arena;     /* of words */
};

/* Takes the buffer's bytes (the buffer is empty after it). Callers cap their reading far below 4 GiB. */
struct text *text_new(struct buf *content);
void text_free(struct text *t);
size_t text_weight(const struct text *t);   /* bytes of memory, for caches */

/* The line with letters, indent and flags filled in. */
const struct line *text_line(struct text *t, uint32_t i);
/* The hash of the line without white space. */
uint64_t text_norm(struct text *t, uint32_t i);
/* Its first character that is not blank; the end of the line for a blank one. */
const char *line_first(const struct text *t, uint32_t i);
static inline bool text_trivial(struct text *t, uint32_t i) { return text_line(t, i)->flags & LINE_TRIVIAL; }
static inline const char *text_at(const struct text *t, uint32_t i) { return t->ptr + t->lines[i].off; }

/* Does no other line of the text have the same bytes? */
bool text_once(struct text *t, uint32_t i);
/* Is there a line with these bytes? */
bool text_has(struct text *t, uint64_t raw);
/* How often a line occurs in the text, blanks at its ends aside. */
uint32_t text_count(struct text *t, const struct line *l);

/* The name that a line defines (a function, a field, a variable with its type), as a hash; 0 for none. */
uint32_t text_name(struct text *t, uint32_t i);
/* The only line that defines it; false where there is none or more. */
bool text_defines(struct text *t, uint32_t name, uint32_t *line);

/* The share of lines that two texts have in common, blanks at their ends aside, of the longer one. */
double text_overlap(struct text *a, struct text *b);

/*
 * Likeness of two lines, 0 to 1: half shared words (long words weigh more, marks little), half edit distance of the
 * characters without white space. 1 for equal norm only.
 */
double line_likeness(struct text *a, uint32_t i, struct text *b, uint32_t j);

/* Words and letter pairs of several lines as one sorted multiset, for windows. */
struct bag { uint32_t *items; size_t len, alloc; };
void bag_add(struct bag *b, struct text *t, uint32_t i);
void bag_sort(struct bag *b);
void bag_release(struct bag *b);

#endif
