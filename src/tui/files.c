/* SPDX-License-Identifier: MIT */
/* The list of the repository's files, by a child. Names come NUL-separated, so that any name is one. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "files.h"

static void name_end(struct files *f, struct job *j)
{
	if (j->line.len)
		*array_add(&f->names) = arena_memdup(&f->arena, j->line.ptr, j->line.len);
	buf_reset(&j->line);
}

/* Whoever scores or shows the names has something to do again. */
static void wake(struct tui *t, struct files *f)
{
	struct screen *s = tui_screen(t);

	f->version++;
	t->dirty = true;
	if (s && s->main->ops->idle)
		s->main->busy = true;
}

static void got_names(struct tui *t, struct job *j, const char *p, size_t n)
{
	struct files *f = j->ctx;

	while (n > 0) {
		const char *end = memchr(p, '\0', n);
		size_t len = end ? (size_t)(end - p) : n;

		buf_add(&j->line, p, len);
		if (!end)
			break;
		name_end(f, j);
		p += len + 1;
		n -= len + 1;
	}
	wake(t, f);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void all_named(struct tui *t, struct job *j, int status)
{
	struct files *f = j->ctx;
	size_t n = 0;

	if (status)
		tui_say(t, MSG_ERROR, "git ls-files failed (status %d): the list of files is not complete", status);
	if (f->names.len)
		qsort(f->names.items, f->names.len, sizeof(*f->names.items), by_name);
	/* A path in conflict is listed once a side. */
	for (size_t i = 0; i < f->names.len; i++)
		if (n == 0 || strcmp(f->names.items[n - 1], f->names.items[i]))
			f->names.items[n++] = f->names.items[i];
	f->names.len = n;
	f->complete = true;
	wake(t, f);
}

static void list_them(struct tui *t, struct files *f)
{
	static const struct job_ops ops = { .data = got_names, .done = all_named };
	const char *top = repo_top(t->work->repo);
	const char *const tree[] = { "git", "-C", top, "ls-files", "-z", "--cached", "--others", "--exclude-standard", NULL };
	const char *const bare[] = { "git", "-C", repo_gitdir(t->work->repo), "ls-tree", "-r", "-z", "--name-only", "HEAD", NULL };
	struct err e = ERR_INIT;

	f->complete = false;
	if (!job_start(t, "files", top ? tree : bare, NULL, 0, &ops, f, &e)) {
		tui_say(t, MSG_ERROR, "%s", e.msg);
		f->complete = true;
	}
}

struct files *files_get(struct tui *t, bool again)
{
	bool fresh = !t->files;

	if (fresh)
		t->files = xcalloc(1, sizeof(*t->files));
	if (fresh || (again && t->files->complete)) {
		arena_clear(&t->files->arena);
		t->files->names.len = 0;
		t->files->version++;
		list_them(t, t->files);
	}
	return t->files;
}

void files_release(struct tui *t)
{
	if (!t->files)
		return;
	arena_release(&t->files->arena);
	array_release(&t->files->names);
	free(t->files);
	t->files = NULL;
}
