/* SPDX-License-Identifier: MIT */
/*
 * The terminal. term.c alone knows curses: it carries the canvas to the screen, turns what is typed into keys, and gives
 * the terminal back on every way out, signals and crashes included.
 */
#ifndef KILLICK_TUI_TERM_H
#define KILLICK_TUI_TERM_H

#include "canvas.h"
#include "key.h"
#include "killick/base/err.h"
#include "theme.h"

struct terminal;
struct term_config {
	bool headless;          /* tests: no terminal; keys come from term_feed, the screen goes nowhere */
	int rows, cols;         /* headless */
	enum theme theme;
	bool mouse, ascii;      /* ascii: also without being asked where the locale is not UTF-8 */
	bool plain_emoji;       /* draw clusters that terminals disagree about as their first character */
};
/* ERR_USAGE in words where there is no terminal, or one that cannot be addressed. */
int term_open(struct terminal **out, const struct term_config *c, struct err *e);
void term_close(struct terminal *t);

struct canvas *term_canvas(struct terminal *t);
/* Shows the canvas: only what changed is sent. */
void term_flush(struct terminal *t);
/* The next key, or false. RESIZE comes with the canvas already in its new size. */
bool term_key(struct terminal *t, struct key *k);
/* As if it had been typed. */
void term_feed(struct terminal *t, struct key k);
/* Keys that were fed and not taken yet. */
bool term_fed(const struct terminal *t);
/* To wait on: keys, and signals. -1: none (headless). */
int term_key_fd(const struct terminal *t);
int term_signal_fd(const struct terminal *t);
/* Empties the signal pipe; SIGTERM, SIGHUP or SIGINT that came, or 0. */
int term_signalled(struct terminal *t);
/* A size that is not the terminal's (headless). */
void term_resize(struct terminal *t, int rows, int cols);

/* A line of a colours file (theme.h). */
int term_colour(struct terminal *t, const char *line, struct err *e);
bool term_ascii(const struct terminal *t);
/* Everything anew at the next flush. */
void term_redraw(struct terminal *t);
/* The terminal as it was, for an editor; and ours again. */
void term_leave(struct terminal *t);
void term_return(struct terminal *t);
/* Stops this job until the shell continues it. */
void term_suspend(struct terminal *t);
/* Text to the terminal's clipboard (OSC 52); base64 is made here. */
void term_clipboard(struct terminal *t, const char *p, size_t n);
void term_beep(struct terminal *t);

#endif
