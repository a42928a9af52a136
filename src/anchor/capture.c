/* SPDX-License-Identifier: MIT */
/*
 * What is kept with an anchor when it is made: the id of the content its lines count in, the lines as written and up to
 * four lines around them. The id finds the code again after a rebase; the kept lines do when even the commit is gone.
 */
#include "config.h"
#include <string.h>
#include "killick/anchor/place.h"
#include "killick/anchor/section.h"
#include "killick/base/utf8.h"
#include "lines.h"

enum { QUOTE_MOST = 64 << 10, CONTEXT_LINES = 4, CONTEXT_MOST = 8 << 10, CONTENT_MOST = 256 << 20 };

/* false: it did not fit whole. A byte that is no UTF-8 takes three. */
static bool add_lossy(struct buf *out, const char *p, size_t n, size_t most)
{
	while (n) {
		int32_t cp;
		size_t len = utf8_next(p, n, &cp), need = cp == UTF8_BAD ? strlen(UTF8_REPLACEMENT) : len;
		if (out->len + need > most)
			return false;
		buf_add(out, cp == UTF8_BAD ? UTF8_REPLACEMENT : p, need);
		p += len;
		n -= len;
	}
	return true;
}

/* Lines [a, b) with LF ends, as UTF-8, of at most max bytes in all; a line that does not fit is cut and is the last. */
static const char *lines_kept(const struct text *t, uint32_t a, uint32_t b, size_t max, struct arena *arena)
{
	struct buf out = BUF_INIT;
	for (bool whole = true; a < b && whole && out.len + 1 < max; a++) {
		whole = add_lossy(&out, text_at(t, a), t->lines[a].len, max - 1);
		buf_addch(&out, '\n');
	}
	const char *kept = arena_memdup(arena, out.ptr, out.len);
	buf_release(&out);
	return kept;
}

static void quote_fill(struct anchor *an, const struct text *t, uint32_t lo, uint32_t hi, struct arena *a)
{
	uint32_t before = lo > CONTEXT_LINES ? lo - CONTEXT_LINES : 0;
	uint32_t after = hi + 1 + CONTEXT_LINES < t->n ? hi + 1 + CONTEXT_LINES : t->n;
	an->quote = lines_kept(t, lo, hi + 1, QUOTE_MOST, a);
	an->before = lines_kept(t, before, lo, CONTEXT_MOST, a);
	an->after = lines_kept(t, hi + 1, after, CONTEXT_MOST, a);
}

static int capture_lines(struct anchor *an, const struct text *t, struct arena *a, struct err *e)
{
	if (!an->line)
		return err_set(e, ERR_USAGE, "lines count from 1");
	if (!an->end)
		an->end = an->line;
	if (an->end < an->line)
		return err_set(e, ERR_USAGE, "the range ends (%u) before it starts (%u)", an->end, an->line);
	if (an->end > t->n)
		return err_set(e, ERR_USAGE, "%s has %u line%s, there is no line %u", an->path, t->n, t->n == 1 ? "" : "s",
		    an->end);
	quote_fill(an, t, an->line - 1, an->end - 1, a);
	return 0;
}

/* The section that is spelled most like it, or NULL. */
static const char *section_near(const struct section *all, size_t n, const char *path)
{
	ARRAY(const char *) names = ARRAY_INIT;
	const char *best;

	for (size_t i = 0; i < n; i++)
		*array_add(&names) = all[i].path;
	*array_add(&names) = NULL;
	best = str_nearest(path, names.items);
	array_release(&names);
	return best;
}

static int capture_section(struct anchor *an, const struct text *t, struct arena *a, struct err *e)
{
	struct section *all;
	size_t n = sections_parse(a, an->path, t->ptr, t->size, &all);
	const char *path = an->section ? an->section : "", *near;
	const struct section *s = section_find(all, n, path);
	if (!n)
		return err_set(e, ERR_NOT_FOUND, "%s has no sections: those of Markdown, AsciiDoc, reStructuredText, Org and LaTeX are "
		    "known, by the file's name", an->path);
	if (!s && (near = section_near(all, n, path)))
		return err_set(e, ERR_NOT_FOUND, "%s has no section '%s'; did you mean '%s'?", an->path, path, near);
	if (!s)
		return err_set(e, ERR_NOT_FOUND, "%s has no section '%s'", an->path, path);
	an->section = s->path;
	quote_fill(an, t, s->line - 1, s->end - 1, a);
	return 0;
}

static int capture_content(struct anchor *an, struct buf *content, struct arena *a, struct err *e)
{
	struct text *t = text_new(content);
	int rc = t->binary ? err_set(e, ERR_USAGE, "%s is binary: a thread can be on the file, not on its lines", an->path) :
	    an->type == ANCHOR_LINES ? capture_lines(an, t, a, e) : capture_section(an, t, a, e);
	text_free(t);
	return rc;
}

/* The commit in whose tree the lines count: on the old side of a diff the first parent. */
static int side_commit(struct repo *r, const struct anchor *an, const struct oid *commit, struct arena *a,
    struct oid *out, struct err *e)
{
	struct commit_info info;
	*out = *commit;
	if (an->side != SIDE_OLD)
		return 0;
	if (repo_commit(r, commit, a, &info, e) < 0)
		return -1;
	if (!info.n_parents)
		return err_set(e, ERR_USAGE, "%s is the first commit: it has no old side", an->commit);
	*out = info.parents[0];
	return 0;
}

static int capture_commit(struct repo *r, struct anchor *an, const struct oid *commit, struct arena *a, struct buf *b,
    struct oid *blob, unsigned *mode, struct err *e)
{
	struct oid at;
	if (side_commit(r, an, commit, a, &at, e) < 0 || repo_tree_path(r, &at, an->path, blob, mode, e) < 0)
		return -1;
	if (an->type == ANCHOR_FILE)
		return 0;
	if ((*mode & 0170000) == 0160000)
		return err_set(e, ERR_USAGE, "%s is a submodule: a thread can be on it, not on its lines", an->path);
	if ((*mode & 0170000) == 0040000)
		return err_set(e, ERR_USAGE, "%s is a folder: a thread can be on it, not on its lines", an->path);
	return repo_blob(r, blob, CONTENT_MOST, b, e);
}

static int capture_worktree(struct repo *r, struct anchor *an, const struct oid *head, struct buf *b, struct oid *blob,
    unsigned *mode, struct err *e)
{
	struct err miss = ERR_INIT;
	*mode = 0100644;
	if (repo_worktree_file(r, an->path, CONTENT_MOST, an->type == ANCHOR_FILE ? NULL : b, blob, e) == 0)
		return 0;
	/* A folder or submodule is no file, but a thread can be on it. */
	if (an->type != ANCHOR_FILE || oid_is_zero(head) || repo_tree_path(r, head, an->path, blob, mode, &miss) < 0 ||
	    (*mode & 0170000) == 0100000)
		return -1;
	err_clear(e);
	return 0;
}

int anchor_capture(struct repo *r, struct anchor *an, struct arena *a, struct err *e)
{
	struct oid commit = OID_ZERO, blob = OID_ZERO;
	struct buf b = BUF_INIT;
	char hex[GIT_OID_HEX];
	unsigned mode = 0;
	bool in_file = an->type == ANCHOR_FILE || an->type == ANCHOR_LINES || an->type == ANCHOR_SECTION;
	bool dirty = !an->commit && in_file && !repo_is_bare(r);
	if (!in_file && an->type != ANCHOR_COMMIT)
		return 0;
	if (an->commit && repo_resolve(r, an->commit, &commit, e) < 0)
		return -1;
	if (!an->commit && !repo_head(r, &commit, NULL) && !dirty)
		return err_set(e, ERR_NOT_FOUND, "there is no commit yet");
	if (!oid_is_zero(&commit))
		an->commit = arena_strdup(a, oid_hex(hex, &commit));
	if (!in_file)
		return 0;
	int rc = dirty ? capture_worktree(r, an, &commit, &b, &blob, &mode, e) :
	    capture_commit(r, an, &commit, a, &b, &blob, &mode, e);
	if (rc == 0 && (mode & 0170000) != 0040000 && (mode & 0170000) != 0160000)
		an->blob = arena_strdup(a, oid_hex(hex, &blob));
	if (rc == 0 && an->type != ANCHOR_FILE)
		rc = capture_content(an, &b, a, e);
	buf_release(&b);
	return rc;
}
