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
/* Around a run, by the engine. Colour is decided here: a terminal that wants it, NO_COLOR, TERM=dumb, --color. */
void out_open(struct cmd *c);
void out_close(struct cmd *c);
/* Is the result wanted as JSON? Then only out_list, out_item, out_doc and out_raw print anything. */
bool out_json(const struct cmd *c);
/* As if --json had been given (at --format=json); before anything was printed. */
void out_set_json(struct cmd *c);
void out_list_begin(struct cmd *c, const char *name);
void out_item(struct cmd *c, json_t *item);     /* steals the reference */
void out_list_end(struct cmd *c);
/* An item of a list of threads, or its line. */
void out_thread(struct cmd *c, const struct thread *t);
void out_doc(struct cmd *c, const char *name, json_t *doc);   /* steals */
/* Text mode: adds a span; text is cleaned as code (or prose, or a line of code whose TABs stay). NULL is "". */
void out_text(struct cmd *c, enum style st, const char *text);
void out_prose(struct cmd *c, enum style st, const char *text);
void out_code(struct cmd *c, enum style st, const char *p, size_t n);
void out_textf(struct cmd *c, enum style st, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Cut or padded to cells; only on a terminal is anything cut. */
void out_cell(struct cmd *c, enum style st, const char *text, int cells);
void out_line(struct cmd *c);                   /* ends the line */
void out_styled(struct cmd *c, const struct styled *s);
/* Bytes that are data already (export, completion scripts): written as they are. */
void out_raw(struct cmd *c, const char *p, size_t n);
/* Writes what is there now: before waiting for input. */
void out_flush(struct cmd *c);
/* Can anybody still read it? false after the pipe was closed or the disk was full: long walks stop then. */
bool out_alive(const struct cmd *c);
/* A sentence on standard error, cleaned, with "killick: " before it. */
void out_note(struct cmd *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What is going on: a line on the terminal that the next takes the place of, as does everything else that is said. Text from
 * outside is cleaned and cut to the width; NULL ends it. false: there is no terminal for it. */
bool out_status(struct cmd *c, const char *text);
void out_error(struct cmd *c, const struct err *e);
/* Flushes before the work is closed; then the errno of what could not be written, 0 for none (leaving a pager is none). */
void out_settle(struct cmd *c);
int out_finish(struct cmd *c);
/* Cells of prose: the terminal's width, at most 76. */
int out_prose_width(const struct cmd *c);

/* Shared lines (render.c): one thread a line (glyph, id, anchor, title, author, age), a task a line, a whole thread. */
void out_thread_line(struct cmd *c, const struct thread *t);
void out_task_line(struct cmd *c, const struct task *t);
void out_thread_full(struct cmd *c, const struct thread *t);
/* A search's snippet with its hits between \1 and \2. */
void out_match(struct cmd *c, const char *snippet);
/* Threads as a list "threads", or lines; an empty one says `none` on standard error. */
void out_threads(struct cmd *c, const struct thread *t, size_t n, const char *none);

#endif
