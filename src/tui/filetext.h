/* SPDX-License-Identifier: MIT */
/*
 * A file's lines, whatever its size. Small files are held in memory; a big one stays on the disk and is read by windows.
 * Where the lines are is found out in slices, and every 256th line's place is kept, so 100 MB of lines cost some 100 KB.
 * A line over FILETEXT_LINE bytes is cut, which is said where it is shown.
 */
#ifndef KILLICK_TUI_FILETEXT_H
#define KILLICK_TUI_FILETEXT_H

#include <stdbool.h>
#include "killick/base/buf.h"

#define FILETEXT_LINE 65536
struct filetext {
	struct buf data;            /* in memory */
	bool on_disk;
	int fd;
	uint64_t size, scanned;     /* bytes; up to where lines are known */
	ARRAY(uint64_t) marks;      /* of lines 0, 256, 512, … */
	size_t lines;               /* known so far */
	bool complete;
	char *window;               /* of a file on the disk */
	size_t window_len;
	uint64_t window_at;
	struct buf line;            /* the last one given out */
};
/* Zeroed is empty. */
void filetext_release(struct filetext *f);
/* Takes b's memory. */
void filetext_take(struct filetext *f, struct buf *b);
/* Takes the descriptor of a regular file. */
void filetext_take_fd(struct filetext *f, int fd, uint64_t size);
/* Goes on looking for lines until the time; true: there is more. */
bool filetext_scan(struct filetext *f, int64_t until);
/* Looks on until this line is known, or the end, at most until the time. */
bool filetext_reach(struct filetext *f, size_t line, int64_t until);
/* Line i without its line end; valid until the next call. *cut: bytes that were left out, as far as they were counted. */
bool filetext_line(struct filetext *f, size_t i, const char **p, size_t *n, uint64_t *cut);

#endif
