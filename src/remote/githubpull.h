/* SPDX-License-Identifier: MIT */
/* What githubpull.c (what changed, one task) and githubfirst.c (whole lists) share. */
#ifndef KILLICK_SRC_REMOTE_GITHUBPULL_H
#define KILLICK_SRC_REMOTE_GITHUBPULL_H

#include "github.h"

enum stage { FIRST_ISSUES = 1, FIRST_CHANGES, FIRST_TALK, FIRST_COMMENTS, FIRST_CODE, FIRST_COMMITS, FIRST_END };
enum stream { ISSUES, COMMENTS, CODE, COMMITS, STREAMS };
#define DAY INT64_C(86400000)
#define OVERLAP INT64_C(120000)   /* ms that lists may lag behind the server's clock */

struct cursor {
	int64_t stage, page, start;  /* of a first pull; stage 0: it is over. start: the server's time when it began */
	int64_t since[COMMITS], newest[COMMITS];
	int64_t commits;             /* the last page of notes on commits */
	int64_t top;                 /* the highest number of a task */
};

/* What a reconcile counts. */
struct counted { const char *key; uint64_t number; int64_t comments, code; size_t page; };
struct have { uint64_t task; const char *key; enum gh_kind kind; };

struct pull {
	struct gh g;
	struct cursor c;
	bool full;                   /* a reconcile: pages carry the old cursor, so that a cut one is as if it never was */
	const char *old;
	ARRAY(struct counted) tasks;
	ARRAY(struct have) notes;
	ARRAY(const char *) talked;  /* changes whose talk was read in this run */
	ARRAY(const char *) changes; /* of a first pull, in the order of creation; all of them if they are whole */
	bool changes_whole;
	size_t stage_pages;
	int64_t done;
	const char *sha; json_t *files;   /* of the commit read last */
};

/* What came is complete as far as the cursor says. */
int pull_end_page(struct pull *p, struct err *e);
void pull_count_task(struct pull *p, const json_t *j);
/* Code notes of tasks; -1: not known. */
void pull_count_code(struct pull *p, const char *const *tasks, const int64_t *counts, size_t n);
int pull_emit_task(struct pull *p, const json_t *j, struct err *e);
int pull_emit_note(struct pull *p, const json_t *j, gh_record_fn *read, enum gh_kind kind, struct err *e);
int pull_emit_commit_note(struct pull *p, const json_t *j, struct err *e);
int pull_emit_gone(struct pull *p, const char *task, const char *why, struct err *e);

/* githubfirst.c */
int pull_first(struct pull *p, struct err *e);
/* Says which notes there are of the tasks that were counted, where all were found. */
int pull_list_notes(struct pull *p, struct err *e);

#endif
