/* SPDX-License-Identifier: MIT */
/*
 * One printer for text and JSON. A command hands over documents; in text mode it prints lines through out_text and
 * styles, which are cleaned here (sanitize.h), so that no command can leak an escape sequence.
 *
 *	out_list(c, "threads")  { "format":1, "threads":[ … ] }  or one object a line with --jsonl
 *	out_doc(c, "thread", json)  { "format":1, "thread":{ … } }
 */
#ifndef KILLICK_CMD_OUT_H
#define KILLICK_CMD_OUT_H

#include "killick/cmd/cmd.h"

struct out;
/* Is the result wanted as JSON? Then only out_list, out_item, out_doc print anything. */
bool out_json(const struct cmd *c);
void out_list_begin(struct cmd *c, const char *name);
void out_item(struct cmd *c, json_t *item);     /* steals the reference */
void out_list_end(struct cmd *c);
void out_doc(struct cmd *c, const char *name, json_t *doc);   /* steals */
/* Text mode: adds a span; text is cleaned as code (or prose). Colour only on a terminal that wants it. */
void out_text(struct cmd *c, enum style st, const char *text);
void out_prose(struct cmd *c, enum style st, const char *text);
void out_textf(struct cmd *c, enum style st, const char *fmt, ...) PRINTF_LIKE(3, 4);
void out_line(struct cmd *c);                   /* ends the line */
void out_styled(struct cmd *c, const struct styled *s);
/* Bytes that are data already (export, completion scripts): written as they are. */
void out_raw(struct cmd *c, const char *p, size_t n);
/* A sentence on standard error, cleaned, with "killick: " before it unless it starts a continuation. */
void out_note(struct cmd *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Flushes; -1 when standard output could not be written (closed pipe, full disk). */
int out_finish(struct cmd *c, struct err *e);

/* Shared lines: one thread a line (glyph, id, anchor, title, author, age), a task a line, a whole thread. */
void out_thread_line(struct cmd *c, const struct thread *t);
void out_task_line(struct cmd *c, const struct task *t);
void out_thread_full(struct cmd *c, const struct thread *t);

#endif
