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
 * then the longest existing path before the last ':', '#' or '@' suffix. Only the four prefixes win over names, where
 * what they name exists. "./NAME" and "path:NAME" are always a path.
 * A path is relative to the repository's top once parsed, '/'-separated, without "." and "..". In text an anchor's
 * path that would read as something else (or has a newline, a quote, a control byte, a blank at an end, a '-' in front,
 * a character that a terminal would not show) is printed as path:"…" with C escapes as git quotes names, and parsed
 * back; a commit, task or change likewise with its prefix. '"…"' alone, as git prints names, is read too, and so is
 * "#L120-L131" behind a path, as forges write lines. A section is made of slugs when it is read.
 * Without a permalink, URL-like texts ("x://…") are no anchors.
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
	/* Is there such a path, relative to the caller's folder, else to the repository's top (that is how killick prints
	 * them)? Absolute and "../" paths too, while inside. rev NULL: in the work tree (or HEAD). The path from the top goes
	 * to *top, in the arena: clean, without ".", ".." and "//"; "" is the top itself. */
	bool (*is_path)(void *ctx, const char *path, const char *rev, struct arena *a, const char **top);
	/* Is this a revision naming a commit? */
	bool (*is_commit)(void *ctx, const char *rev);
	/* Is this a task ("GH-412") or change ("!58", with its sigil) of a configured source? */
	bool (*is_task)(void *ctx, const char *name);
	/* A permalink to this repository: fills the anchor. false: not one. */
	bool (*permalink)(void *ctx, const char *url, struct arena *a, struct anchor *out);
	/* For "did you mean": the path most like one that is not there, or NULL. */
	const char *(*nearest)(void *ctx, const char *path, struct arena *a);
};

/*
 * Parses text; strings of *out live in the arena. Fails with ERR_USAGE (malformed: line 0, end before start, …) or
 * ERR_NOT_FOUND (no such path, revision or task: the message says what was tried and suggests).
 * Purely syntactic without a resolver (NULL): as if every path, revision and task existed; the earliest suffix counts.
 * *out is untouched on failure. A revision is kept as typed in out->commit; the caller resolves it.
 */
int anchor_parse(struct arena *a, const char *text, const struct anchor_resolver *r, struct anchor *out, struct err *e);
/* The text form. Commits are shortened to 7 digits unless full. with_commit: add "@commit" where there is one. */
enum anchor_format_flags { ANCHOR_FULL_OID = 1 << 0, ANCHOR_WITH_COMMIT = 1 << 1 };
void anchor_format(struct buf *b, const struct anchor *an, unsigned flags);
/* The same for this repository: the long form also where an existing name would win over the short one (a file "a:12"
 * beside "a"). For text that somebody will type back; costs a lookup or two. */
void anchor_format_in(struct buf *b, const struct anchor *an, unsigned flags, const struct anchor_resolver *r);
const char *anchor_type_name(enum anchor_type t);
bool anchor_type_parse(const char *name, enum anchor_type *out);
/* Same identity: every field but the kept text. */
bool anchor_same(const struct anchor *a, const struct anchor *b);

/* The JSON of product.md: {"type","text","path","line","end","side","commit","section","task"}, as text
 * and as a new reference. */
void anchor_add_json(struct buf *b, const struct anchor *an);
json_t *anchor_json(const struct anchor *an);
/* The native log's form: "type","path","path_c" (a path that is not UTF-8, quoted as git does; then "path" is its lossy
 * reading),"line","end","side","col","col_end","commit","blob","section","task","quote","before","after"; nulls left
 * out. */
json_t *anchor_to_op(const struct anchor *an);
/* Checks that the type has what it needs, ranges, ids (40 lower-case hex digits), texts (64 KiB each) and the path
 * (relative, no empty, ".", ".." or ".git" part): ERR_BAD_DATA. What does not belong to the type is dropped. */
int anchor_from_op(struct arena *a, const json_t *j, struct anchor *out, struct err *e);

/* A heading's slug, as GitHub makes it: letters, marks, digits and '_' lower-cased (Unicode), blanks (U+0020) to '-',
 * '-' kept, all else dropped. The heading comes without Markdown's marks. May add nothing. */
void anchor_slug(struct buf *b, const char *heading, size_t n);

#endif
