/* SPDX-License-Identifier: MIT */
/*
 * The query language of tasks, threads, inbox, search, saved views and the TUI's filter:
 *
 *	query  = or ;  or = and { "or" and } ;  and = { not } ;  not = [ "not" | "-" ] ( "(" or ")" | term )
 *	term   = KEY ":" VALUE | WORD | "quoted words"
 *	keys   is: kind: on: by: with: waiting: source: task: label: assignee: author: created: updated: commit: id: place:
 *	is     open answered resolved closed merged unread private draft mine task change thread gone moved edited
 *	times  updated:<2w (younger than), updated:>3mo, updated:2w (at most that old), updated:2026-11-01, updated:2026-11,
 *	       updated:>=2026-11-01, updated:today, updated:yesterday; days are those of the user's time zone
 *	on     a path, a folder (prefix), a glob with * and ?, or an anchor
 *
 * "and" between terms is allowed and means nothing; the three words may be upper-case. Keys and listed values take any
 * case. In quotes \" and \\ stand for themselves. A WORD that looks like KEY: is an error, but "std::move" and URLs are
 * words. A raw word or value ends at a blank or at a closing bracket that it did not open. At most 200 terms, nested at
 * most 64 deep, so that a tree may be walked by recursion.
 */
#ifndef KILLICK_MODEL_QUERY_H
#define KILLICK_MODEL_QUERY_H

#include "killick/base/buf.h"
#include "killick/base/err.h"
#include "killick/base/mem.h"

enum query_op { Q_AND, Q_OR, Q_NOT, Q_TERM, Q_TEXT, Q_ALL };
enum query_key {
	QK_IS, QK_KIND, QK_ON, QK_BY, QK_WITH, QK_WAITING, QK_SOURCE, QK_TASK, QK_LABEL, QK_ASSIGNEE, QK_AUTHOR,
	QK_CREATED, QK_UPDATED, QK_COMMIT, QK_ID, QK_PLACE, QK_MILESTONE,
};
enum query_cmp { QC_EQ, QC_LT, QC_LE, QC_GT, QC_GE };

struct query {
	enum query_op op;
	struct query *left, *right;  /* NOT: left only */
	enum query_key key;
	enum query_cmp cmp;
	const char *value;           /* TERM and TEXT: as written ("<2w"), listed values in lower case */
	/* CREATED and UPDATED: absolute milliseconds. The thread's own time compares by cmp with `time`, EQ is
	 * [time, time_end): "<2w" has become QC_GT now - 2w, "<=2026-11-01" QC_LT the day after. */
	int64_t time, time_end;
	bool phrase;                 /* TEXT in quotes, or with a bracket left open ("main(") */
};

/* An empty text is Q_ALL. Errors (ERR_USAGE) name the column and the nearest known word. now: for relative times. */
int query_parse(struct arena *a, const char *text, int64_t now, struct query **out, struct err *e);
/* A query written back in its normal form: parsed again with the same now it gives the same tree. ALL beside AND
 * vanishes; elsewhere in a tree it cannot be written. */
void query_format(struct buf *b, const struct query *q);
/* NULL-terminated words for completion, static: "is:", …, "or", "not"; after "is:" (or "-is:op") its values, bare. */
const char *const *query_words(const char *prefix);

#endif
