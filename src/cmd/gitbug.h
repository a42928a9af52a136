/* SPDX-License-Identifier: MIT */
/* What git-bug keeps in a repository, read: gitbug.c has the format. Strings live in the reader's arena. */
#ifndef KILLICK_SRC_CMD_GITBUG_H
#define KILLICK_SRC_CMD_GITBUG_H

#include "killick/cmd/cmd.h"

enum gitbug_type {
	GITBUG_CREATE = 1, GITBUG_TITLE, GITBUG_COMMENT, GITBUG_STATUS, GITBUG_LABELS, GITBUG_EDIT, GITBUG_NOTHING,
	GITBUG_METADATA,
};
struct gitbug_op {
	const char *id;            /* SHA-256 of its bytes, 64 hex digits */
	int type;
	struct person author;      /* name and mail address always set */
	int64_t time;              /* milliseconds, 0: none */
	const char *title, *message;
	const char *target;        /* EDIT: the id of the op that it edits */
	bool closed;               /* STATUS */
	const char **added, **removed; /* LABELS: end with NULL */
	const char **files;        /* blobs attached, 40 hex digits; ends with NULL */
};
struct gitbug {
	const char *id;            /* the ref's last part */
	const char *fault;         /* why it cannot be read, or NULL */
	struct gitbug_op *ops;     /* in git-bug's order */
	size_t n;
};
struct gitbugs { struct gitbug *items; size_t len, alloc; };

/* Every bug in the user's repository. ERR_NOT_FOUND: there are none. Free out->items. */
int gitbug_read(struct cmd *c, struct gitbugs *out, struct err *e);

#endif
