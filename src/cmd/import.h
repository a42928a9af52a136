/* SPDX-License-Identifier: MIT */
/* Importers of other programs' discussions. */
#ifndef KILLICK_SRC_CMD_IMPORT_H
#define KILLICK_SRC_CMD_IMPORT_H

#include "killick/cmd/cmd.h"

/* done: everything that could be read is in, although the call may have failed for the rest. */
struct import_count { uint64_t added; bool done; };
/* git-appraise: refs/notes/devtools/discuss. */
int import_appraise(struct cmd *c, bool dry_run, struct import_count *n, struct err *e);
/* git-bug: refs/bugs and refs/identities. ERR_NOT_FOUND: none here. ERR_BAD_DATA: bugs that cannot be read were left out. */
int import_gitbug(struct cmd *c, bool dry_run, struct import_count *n, struct err *e);

#endif
