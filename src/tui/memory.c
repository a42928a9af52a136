/* SPDX-License-Identifier: MIT */
/*
 * A small program all day long. Lists are windows over what the index has, so what grows is what libgit2 keeps for later:
 * packs mapped, and up to 24 MB of objects of each pack that others are deltas on. Nothing in libgit2 bounds the latter;
 * so the process looks at its own size between slices of work and lets all of that go when it has become large.
 */
#include "config.h"
#include <stdlib.h>
#include <unistd.h>
#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif
#include "killick/base/file.h"
#include "ui.h"

/* Of this the libraries' own pages are 10 MB, the index's cache 4 and the screens 3. */
#define ROOM ((size_t)26 << 20)
/* What is large for another reason does not make every slice begin anew. */
#define GROWTH ((size_t)6 << 20)

/* 0 where the system does not tell. */
static size_t resident(void)
{
	long page = sysconf(_SC_PAGESIZE);
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	char *end;
	size_t pages = 0;

	if (file_read("/proc/self/statm", 4096, &text, &e) == 0) {
		strtoul(text.ptr, &end, 10);
		pages = strtoul(end, NULL, 10);
	}
	buf_release(&text);
	return pages * (page > 0 ? (size_t)page : 0);
}

void memory_check(struct tui *t)
{
	size_t now = resident();

	if (now < ROOM || now < t->resident + GROWTH)
		return;
	repo_trim(t->work->repo);
#ifdef HAVE_MALLOC_TRIM
	malloc_trim(0);
#endif
	t->resident = resident();
	trace("tui", "%zu kB resident, %zu kB after trimming", now >> 10, t->resident >> 10);
}
