/* SPDX-License-Identifier: MIT */
/* The terminal interface: a stack of screens over the index. Its own rooms' headers are in src/tui. */
#ifndef KILLICK_TUI_TUI_H
#define KILLICK_TUI_TUI_H

#include "killick/cmd/cmd.h"

/*
 * Opens the screens on the work tree and returns an exit status when the user leaves. start: a ":" command to open
 * with ("thread k3f9c2", "file src/x.c"), or NULL for the inbox. Restores the terminal on every way out, signals
 * included. Without a usable terminal (TERM unset or dumb, no tty): ERR_USAGE in words.
 */
int tui_main(struct work *w, const char *start, struct err *e);

/* The row "tui": the same with options (--plain for screen readers, --script for tests). */
extern const struct cmd_entry tui_commands[];

#endif
