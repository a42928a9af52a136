/* SPDX-License-Identifier: MIT */
/*
 * Git hooks: install and remove the three-line scripts, and the logic of each. A hook never fails the user's git
 * operation unless a setting says so, never uses a network except pre-push with killick.push, and stays within 200 ms.
 */
#ifndef KILLICK_HOOK_HOOK_H
#define KILLICK_HOOK_HOOK_H

#include "killick/cmd/cmd.h"

/* The row "hook" with its words: install, remove, status, run. */
extern const struct cmd_entry hook_commands[];

/* Do the scripts stand where git looks for them (core.hooksPath)? */
bool hook_installed(struct repo *r);

#endif
