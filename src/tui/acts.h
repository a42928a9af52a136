/* SPDX-License-Identifier: MIT */
/* What the acts do, where a view has nothing better. */
#ifndef KILLICK_TUI_ACTS_H
#define KILLICK_TUI_ACTS_H

#include "ui.h"

/* arg: the words behind the act, joined by blanks; NULL: none. */
typedef void act_fn(struct tui *t, const char *arg);
act_fn *act_function(enum act a);
/* May the view without the focus do it? */
bool act_is_shared(enum act a);
void act_bind(struct tui *t, const char *line);
void acts_offer_paths(struct tui *t, struct strlist *out, struct arena *a, const char *prefix);
/* Opens a thread where it stands: over its code, else alone. */
void act_open_thread(struct tui *t, const char *id);
/* ":", "/" with a text to begin with. */
void act_prompt_command(struct tui *t, const char *start);

#endif
