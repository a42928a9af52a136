/* SPDX-License-Identifier: MIT */
/*
 * Reading refs of the "files" format without libgit2 (gitrepository-layout(5)): loose files first, then packed-refs, which
 * git keeps sorted, so one look-up in a million refs is a few page faults.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "killick/base/file.h"
#include "git.h"

#define REF_FILE_MAX 65536
#define REF_DEPTH 5

/* Refs of one worktree lie in its own git directory, all others in the common one (gitrepository-layout(5)). */
static bool per_worktree(const char *name)
{
	return !str_starts(name, "refs/") || str_starts(name, "refs/bisect/") || str_starts(name, "refs/worktree/") ||
	    str_starts(name, "refs/rewritten/");
}

/* A name that cannot leave the folder it is looked up in. */
static bool name_is_safe(const char *name)
{
	const char *p = name;

	if (!*name || *name == '/' || *name == '-' || str_ends(name, "/") || strlen(name) > 4096)
		return false;
	for (; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (!strncmp(p, "..", 2) || !strncmp(p, "./", 2) || *p == '/')
			return false;
	}
	return true;
}

/* The line of `name` in a sorted packed-refs file, by halves. Lines are "<40 hex> <name>\n", "^<hex>\n", "# …\n". */
static const char *packed_find_sorted(const char *p, size_t n, const char *name)
{
	size_t lo = 0, hi = n, len = strlen(name);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2, at = mid, end;
		int cmp;

		while (at > lo && (p[at - 1] != '\n' || p[at] == '^'))
			at--;
		end = at;
		while (end < n && p[end] != '\n')
			end++;
		if (end - at < GIT_OID_HEX || p[at] == '#' || p[at] == '^') {   /* the header, or a peeled id at lo */
			lo = end + 1;
			continue;
		}
		cmp = memcmp(name, p + at + GIT_OID_HEX, len < end - at - GIT_OID_HEX ? len : end - at - GIT_OID_HEX);
		if (!cmp)
			cmp = len < end - at - GIT_OID_HEX ? -1 : len > end - at - GIT_OID_HEX;
		if (!cmp)
			return p + at;
		if (cmp < 0)
			hi = at;
		else
			lo = end + 1;
	}
	return NULL;
}

static const char *packed_find_linear(const char *p, size_t n, const char *name)
{
	size_t len = strlen(name);
	const char *end = p + n, *eol;

	for (; p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			eol = end;
		if ((size_t)(eol - p) == GIT_OID_HEX + len && !memcmp(p + GIT_OID_HEX, name, len))
			return p;
	}
	return NULL;
}

static bool packed_is_sorted(const char *p, size_t n)
{
	const char *eol = memchr(p, '\n', n);
	struct buf line = BUF_INIT;
	bool sorted;

	if (!eol || *p != '#')
		return false;
	buf_add(&line, p, (size_t)(eol - p));
	buf_addch(&line, ' ');
	sorted = strstr(line.ptr, " sorted ") != NULL;
	buf_release(&line);
	return sorted;
}

static bool packed_lookup(const struct repo *r, const char *name, struct oid *out)
{
	struct buf path = BUF_INIT;
	char hex[GIT_OID_HEX];
	const char *p, *hit;
	struct stat st;
	bool ok = false;
	size_t n;
	int fd;

	path_join(&path, r->commondir, "packed-refs");
	fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
	buf_release(&path);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > GIT_OID_HEX) {
		n = (size_t)st.st_size;
		p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p != MAP_FAILED) {
			hit = packed_is_sorted(p, n) ? packed_find_sorted(p, n, name) : packed_find_linear(p, n, name);
			if (hit) {
				memcpy(hex, hit, GIT_OID_HEX - 1);
				hex[GIT_OID_HEX - 1] = 0;
				ok = oid_parse(hex, out);
			}
			munmap((void *)(uintptr_t)p, n);
		}
	}
	close(fd);
	return ok;
}

/* The content of a loose ref without the newline; an old-style link gives "ref: …". */
static bool loose_read(const struct repo *r, const char *name, struct buf *text)
{
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	char link[1024];
	ssize_t n;
	bool ok;

	path_join(&path, per_worktree(name) ? r->gitdir : r->commondir, name);
	buf_reset(text);
	n = readlink(path.ptr, link, sizeof(link));
	if (n > 5 && (size_t)n < sizeof(link) && !strncmp(link, "refs/", 5)) {
		buf_addstr(text, "ref: ");
		buf_add(text, link, (size_t)n);
		ok = true;
	} else {
		ok = file_read(path.ptr, REF_FILE_MAX, text, &e) == 0;
		buf_rtrim(text);
	}
	buf_release(&path);
	return ok;
}

/* Follows a symbolic ref to the name of the last one; *out is its id. false: that one does not exist (yet). */
static bool ref_follow(struct repo *r, struct buf *name, struct oid *out)
{
	struct buf text = BUF_INIT;
	bool ok = false;

	for (int depth = 0; depth < REF_DEPTH && name_is_safe(name->ptr); depth++) {
		const char *p = text.ptr;

		if (!loose_read(r, name->ptr, &text)) {
			ok = packed_lookup(r, name->ptr, out);
			break;
		}
		p = text.ptr;
		if (!str_starts(p, "ref:")) {
			if (text.len > GIT_OID_HEX - 1)   /* FETCH_HEAD and the like: more follows the id */
				buf_setlen(&text, GIT_OID_HEX - 1);
			ok = oid_parse(text.ptr, out);
			break;
		}
		p += 4 + strspn(p + 4, " \t");
		buf_reset(name);
		buf_addstr(name, p);
	}
	buf_release(&text);
	return ok;
}

bool ref_read(struct repo *r, const char *name, struct oid *out)
{
	struct buf b = BUF_INIT;
	bool ok;

	buf_addstr(&b, name);
	ok = ref_follow(r, &b, out);
	buf_release(&b);
	return ok;
}

bool repo_head(struct repo *r, struct oid *out, struct buf *branch)
{
	struct buf name = BUF_INIT;
	bool ok;

	buf_addstr(&name, "HEAD");
	ok = ref_follow(r, &name, out);
	if (branch) {
		buf_reset(branch);
		if (str_starts(name.ptr, "refs/heads/"))
			buf_addstr(branch, name.ptr + 11);
		else if (str_starts(name.ptr, "refs/"))
			buf_addstr(branch, name.ptr);
	}
	buf_release(&name);
	return ok;
}
