/* SPDX-License-Identifier: MIT */
/* The editor's file: written, edited, read back with suspicion (trust.md 10), cut to what the user wrote. */
#ifndef KILLICK_SRC_CMD_COMPOSEFILE_H
#define KILLICK_SRC_CMD_COMPOSEFILE_H

#include "killick/cmd/compose.h"

/* p->draft names the file. *body (arena) is what was written, also when the editor failed (-1); NULL if the file could
 * not be read back: then it stays where it is. The audience line may change p->audience. */
int composefile_edit(struct cmd *c, struct compose *p, const char *start, const char **body, struct err *e);
bool composefile_there(struct cmd *c, const struct compose *p);
/* The text is safe elsewhere. */
void composefile_drop(struct cmd *c, const struct compose *p);

#endif
