/* SPDX-License-Identifier: MIT */
/*
 * A killick-remote at work: lines to it, lines from it. What it says is judged here only as far as it is JSON; a child that
 * floods, falls silent or says what is none is ended.
 */
#ifndef KILLICK_SYNC_CHILD_H
#define KILLICK_SYNC_CHILD_H

#include <sys/types.h>
#include "killick/remote/wire.h"

struct child {
	pid_t pid;
	int to, from;
	struct buf in;          /* what came and was not taken */
	size_t taken;
	bool eof;
	int64_t heard;          /* clock_mono of the last byte */
};
#define CHILD_INIT { .pid = -1, .to = -1, .from = -1, .in = BUF_INIT }

/* request: without "wire"; stolen. */
int child_start(struct child *c, json_t *request, struct err *e);
/* A line of the conversation; j is stolen. ERR_OFFLINE: it is gone. */
int child_say(struct child *c, json_t *j, struct err *e);
/* Reads what is there without waiting. */
int child_read(struct child *c, struct err *e);
/* The next whole line, valid until child_read or child_line again; NULL: none yet. */
char *child_line(struct child *c, size_t *n);
/* Waits for the next line as an object, a new reference; silence longer than idle_ms (0: for ever) ends it. ERR_OFFLINE: it
 * ended; ERR_BAD_DATA: what came is no object. */
json_t *child_answer(struct child *c, int idle_ms, struct err *e);
/* Stops it, reaps it; its exit status, 128 + signal. */
int child_end(struct child *c);

/* The "error" of an answer, with its code; false: it is none. */
bool answer_error(const json_t *j, struct err *e, int64_t *retry_at);
/* The request about a source. */
json_t *request_new(const char *what, const struct source_desc *d);

#endif
