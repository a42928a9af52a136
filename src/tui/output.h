/* SPDX-License-Identifier: MIT */
/* The screen of a command's output, and of anything else that is just text. */
#ifndef KILLICK_TUI_OUTPUT_H
#define KILLICK_TUI_OUTPUT_H

#include "ui.h"

extern const struct view_ops output_view;
void output_open(struct tui *t, const char *title, const char *text, size_t n);

#endif
