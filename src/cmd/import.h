/* SPDX-License-Identifier: MIT */
/* Importers of other programs' discussions. */
#ifndef KILLICK_SRC_CMD_IMPORT_H
#define KILLICK_SRC_CMD_IMPORT_H

#include "killick/cmd/cmd.h"

/* git-appraise: refs/notes/devtools/discuss. *posts: how many were new. */
int import_appraise(struct cmd *c, bool dry_run, uint64_t *posts, struct err *e);

#endif
