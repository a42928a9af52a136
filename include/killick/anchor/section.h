/* SPDX-License-Identifier: MIT */
/* Headings of a document: Markdown, AsciiDoc, reStructuredText, Org, LaTeX, by the file's name. */
#ifndef KILLICK_ANCHOR_SECTION_H
#define KILLICK_ANCHOR_SECTION_H

#include "killick/base/buf.h"

struct section {
	const char *title;   /* as written, marks removed */
	const char *path;    /* slugs joined by '/': "install/debian"; a repeated one gets "-1", "-2" as on forges */
	unsigned level;
	uint32_t line, end;  /* of the heading; the last line before the next heading of this level or above */
};
/* 0 for a file of no known kind. */
size_t sections_parse(struct arena *a, const char *path, const char *text, size_t n, struct section **out);
/* By full path, or a unique tail ("debian" for "install/debian"). */
const struct section *section_find(const struct section *s, size_t n, const char *name);

#endif
