/* SPDX-License-Identifier: MIT */
/* What the files of the anchor room share and nobody else needs. */
#ifndef KILLICK_SRC_MODEL_ANCHORTEXT_H
#define KILLICK_SRC_MODEL_ANCHORTEXT_H

#include "killick/model/anchor.h"

#define ANCHOR_LINE_MAX 0x7fffffff  /* git's own limit for line numbers is an int or long */

/* The path in double quotes with git's C escapes: control bytes, quote, backslash, what is not UTF-8, and what a
 * screen would not show as itself (format characters, blanks but U+0020). */
void anchor_quote_path(struct buf *b, const char *path);
/* s begins with the opening quote; *end is behind the closing one. NULL: unbalanced, an unknown escape, or a NUL. */
const char *anchor_unquote_path(struct arena *a, const char *s, const char **end);

/* Relative, without empty, ".", ".." and ".git" parts. */
bool anchor_path_is_sound(const char *path);
/* Of a task or section: something, without control characters, not over 1024 bytes. */
bool anchor_name_is_sound(const char *s);
/* A section as typed to its slugs: '/' stays, and so does what this Unicode does not know. */
void anchor_section_slug(struct buf *b, const char *section, size_t n);

#endif
