/* SPDX-License-Identifier: MIT */
/*
 * The names of the repository's files, for the file list, for jumping and for completion: a child (git ls-files, or
 * ls-tree in a bare repository) lists them while the screens go on.
 */
#ifndef KILLICK_TUI_FILES_H
#define KILLICK_TUI_FILES_H

#include "ui.h"

struct files {
	struct arena arena;
	ARRAY(const char *) names;       /* from the top, as bytes of the file system */
	bool complete;
	unsigned version;                /* another one: names were added or all is new */
};
/* Starts listing if that was not done; again: once more. */
struct files *files_get(struct tui *t, bool again);
void files_release(struct tui *t);

#endif
