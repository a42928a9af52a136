/* SPDX-License-Identifier: MIT */
/*
 * Anchors: what a thread is attached to. One text form, parsed and printed here and nowhere else:
 *
 *	.                          the project
 *	src/net/http.c             a file            src/net/http.c@3f2a9c1   at a revision
 *	src/net/http.c:120         a line            src/net/http.c:120-131@HEAD~2
 *	src/net/http.c:120-131~    lines of the old side of a diff
 *	docs/guide.md#install/debian   a section, by heading path
 *	HEAD~2  3f2a9c1  v1.2      a commit          commit:HEAD~2 when a file has that name
 *	GH-412  PROJ-77  #412      a task            task:NAME always
 *	!58                        a change          change:NAME always
 *	https://…/blob/<rev>/src/x.c#L10-L20         a permalink of a known forge to this repository
 *
 * Names win over syntax: whatever exists as a path, whole, is that file, however odd ("a:12", "-x", "a#b", "x@y");
 * then the longest existing path before the last ':', '#' or '@' suffix. "./NAME" and "path:NAME" are always a path.
 * A path is relative to the repository's top once parsed, '/'-separated, without "." and "..". In text an anchor's
 * path that would read as something else (or has a newline, a quote, a control byte) is printed as path:"…" with
 * C escapes as git quotes names, and parsed back.
 */
#ifndef KILLICK_MODEL_ANCHOR_H
#define KILLICK_MODEL_ANCHOR_H

#include <stdbool.h>
#include "killick/base/buf.h"
#include "killick/base/err.h"
#include "killick/base/json.h"

enum anchor_type {
	ANCHOR_PROJECT, ANCHOR_TASK, ANCHOR_CHANGE, ANCHOR_COMMIT, ANCHOR_FILE, ANCHOR_LINES, ANCHOR_SECTION,
};
enum anchor_side { SIDE_NEW, SIDE_OLD };

/*
 * The identity is what was said and never changes: type, path, lines, side, section, task, commit, blob and the kept
 * text. Lines count from 1, ends are inclusive, 0 is none. Columns are bytes in the line, from 1, 0 for whole lines.
 */
struct anchor {
	enum anchor_type type;
	enum anchor_side side;
	const char *path;
	uint32_t line, end, col, col_end;
	const char *commit;   /* 40 hex digits once resolved; before that the revision as typed, or NULL */
	const char *blob;     /* id of the file's content the lines count in (also of an uncommitted one), or NULL */
	const char *section;  /* "install/debian": slugs of the heading path joined by '/' */
	const char *task;     /* name of the task or change, without sigil for changes: "58" */
	/* The code as written, LF line ends, lossy UTF-8: the lines (at most 64 KiB), and up to four before and after. */
	const char *quote, *before, *after;
};

/* What parsing needs to know about the repository. Every function may be NULL: then the answer is no. */
struct anchor_resolver {
	void *ctx;
	/* Is there such a path (relative to the caller's folder)? rev NULL: in the work tree (or HEAD). The path from the
	 * repository's top goes to *top, in the arena. */
	bool (*is_path)(void *ctx, const char *path, const char *rev, struct arena *a, const char **top);
	/* Is this a revision naming a commit? */
	bool (*is_commit)(void *ctx, const char *rev);
	/* Is this a task or change of a configured source? */
	bool (*is_task)(void *ctx, const char *name);
	/* A permalink to this repository: fills the anchor. false: not one. */
	bool (*permalink)(void *ctx, const char *url, struct arena *a, struct anchor *out);
};

/*
 * Parses text; strings of *out live in the arena. Fails with ERR_USAGE (malformed: line 0, end before start, …) or
 * ERR_NOT_FOUND (no such path, revision or task: the message says what was tried and suggests).
 * Purely syntactic without a resolver (NULL): as if every path existed.
 */
int anchor_parse(struct arena *a, const char *text, const struct anchor_resolver *r, struct anchor *out, struct err *e);
/* The text form. Commits are shortened to 7 digits unless full. with_commit: add "@commit" where there is one. */
enum anchor_format_flags { ANCHOR_FULL_OID = 1 << 0, ANCHOR_WITH_COMMIT = 1 << 1 };
void anchor_format(struct buf *b, const struct anchor *an, unsigned flags);
const char *anchor_type_name(enum anchor_type t);
bool anchor_type_parse(const char *name, enum anchor_type *out);
bool anchor_same(const struct anchor *a, const struct anchor *b);

/* The JSON of product.md: {"type","text","path","line","end","side","commit","section","task"}; a new reference. */
json_t *anchor_json(const struct anchor *an);
/* The native log's form, with every field ("blob","quote","before","after","col"…); nulls left out. */
json_t *anchor_to_op(const struct anchor *an);
/* Checks ranges, ids and the path (relative, no "..", no NUL): ERR_BAD_DATA. */
int anchor_from_op(struct arena *a, const json_t *j, struct anchor *out, struct err *e);

/* A heading's slug, as forges make it: letters and digits lower-cased (Unicode), blanks to '-', other marks dropped. */
void anchor_slug(struct buf *b, const char *heading, size_t n);

#endif
