/* SPDX-License-Identifier: MIT */
/* A commit with its people and its message, as UTF-8 whatever it was written in. Parsed here: raw commits may be odd. */
#include "config.h"
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include "killick/base/utf8.h"
#include "git.h"

static char *utf8_lossy(struct arena *a, const char *p, size_t n)
{
	struct buf b = BUF_INIT;
	char *out;
	int32_t cp;

	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_next(p + i, n - i, &cp);
		buf_add_utf8(&b, cp ? cp : UTF8_BAD);
	}
	out = arena_memdup(a, b.ptr, b.len);
	buf_release(&b);
	return out;
}

bool recode(const char *from, const char *p, size_t n, struct buf *out)
{
	iconv_t cd = iconv_open("UTF-8", from);
	char *in = (char *)(uintptr_t)p, chunk[4096];
	bool ok = true;

	if (cd == (iconv_t)-1)
		return false;
	for (;;) {
		char *to = chunk;
		size_t left = sizeof(chunk), rc = iconv(cd, &in, &n, &to, &left);

		buf_add(out, chunk, (size_t)(to - chunk));
		if (rc != (size_t)-1)
			break;
		if (errno != E2BIG) {
			ok = false;
			break;
		}
	}
	iconv_close(cd);
	return ok;
}

/* Text of a commit in its encoding (NULL: UTF-8). */
static char *text_in(struct arena *a, const char *encoding, const char *p, size_t n)
{
	struct buf b = BUF_INIT;
	char *out;

	if (encoding && recode(encoding, p, n, &b))
		out = utf8_lossy(a, b.ptr, b.len);
	else
		out = utf8_lossy(a, p, n);
	buf_release(&b);
	return out;
}

static char *trimmed(struct arena *a, const char *encoding, const char *p, const char *end)
{
	while (p < end && (unsigned char)*p <= ' ')
		p++;
	while (end > p && (unsigned char)end[-1] <= ' ')
		end--;
	return text_in(a, encoding, p, (size_t)(end - p));
}

/* "Ana Lima <ana@x> 1700000000 +0100" */
static void parse_person(struct arena *a, const char *encoding, const char *p, const char *end, struct person *out,
    int64_t *time)
{
	const char *lt = memchr(p, '<', (size_t)(end - p)), *gt = end;

	*out = (struct person){ .name = NULL };
	while (gt > p && gt[-1] != '>')
		gt--;
	*time = line_time(p, end);
	if (!lt || gt <= lt) {
		out->name = trimmed(a, encoding, p, end);
		return;
	}
	out->name = trimmed(a, encoding, p, lt);
	out->email = trimmed(a, encoding, lt + 1, gt - 1);
	if (!*out->name)
		out->name = NULL;
	if (!*out->email)
		out->email = NULL;
}

/* The first paragraph in one line, the rest without blank lines around it; as git's %s and %b. */
static void split_message(struct arena *a, struct commit_info *c)
{
	const char *p = c->message, *eol, *q;
	struct buf subject = BUF_INIT;
	size_t n;

	p += strspn(p, "\n");
	for (; *p && *p != '\n'; p = *eol ? eol + 1 : eol) {
		eol = p + strcspn(p, "\n");
		for (q = p; q < eol && (*q == ' ' || *q == '\t' || *q == '\r'); q++)
			;
		if (q == eol)
			break;   /* a line of blanks ends the paragraph too */
		if (subject.len)
			buf_addch(&subject, ' ');
		buf_add(&subject, p, (size_t)(eol - p));
		buf_rtrim(&subject);
	}
	c->subject = arena_memdup(a, subject.ptr, subject.len);
	buf_release(&subject);
	for (q = p; *q == ' ' || *q == '\t' || *q == '\r' || *q == '\n'; q++)
		if (*q == '\n')
			p = q + 1;   /* blank lines go, the first line's own indent stays */
	for (n = strlen(p); n && (p[n - 1] == '\n' || p[n - 1] == '\r' || p[n - 1] == ' ' || p[n - 1] == '\t'); n--)
		;
	c->body = n ? arena_memdup(a, p, n) : NULL;
}

/* "name value" at p, one header; the value's end is *eol. */
static const char *header(const char *p, const char *eol, const char *name)
{
	size_t n = strlen(name);

	return (size_t)(eol - p) > n && !memcmp(p, name, n) && p[n] == ' ' ? p + n + 1 : NULL;
}

static const char *find_encoding(struct arena *a, const char *p, const char *end)
{
	const char *eol, *v;

	for (; p < end && *p != '\n'; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			break;
		v = header(p, eol, "encoding");
		if (v)
			return arena_memdup(a, v, (size_t)(eol - v));
	}
	return NULL;
}

static void parse_commit(struct arena *a, const char *p, size_t n, struct commit_info *out)
{
	const char *end = p + n, *eol, *v, *encoding = find_encoding(a, p, end);

	for (; p < end && *p != '\n'; p = eol < end ? eol + 1 : end) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			eol = end;
		if ((v = header(p, eol, "author")))
			parse_person(a, encoding, v, eol, &out->author, &out->time);
		else if ((v = header(p, eol, "committer")))
			parse_person(a, encoding, v, eol, &out->committer, &out->commit_time);
	}
	p += p < end;
	out->message = text_in(a, encoding, p, (size_t)(end - p));
	split_message(a, out);
}

int repo_commit(struct repo *r, const struct oid *id, struct arena *a, struct commit_info *out, struct err *e)
{
	struct commit_links l;
	git_odb_object *obj;

	if (repo_links(r, id, &l, e) || read_object(r, id, GIT_OBJECT_COMMIT, "commit", &obj, e))
		return -1;
	*out = (struct commit_info){ .id = *id, .n_parents = l.n_parents };
	out->parents = (struct oid *)(void *)arena_memdup(a, l.parents, l.n_parents * sizeof(*l.parents));
	parse_commit(a, git_odb_object_data(obj), git_odb_object_size(obj), out);
	git_odb_object_free(obj);
	return 0;
}
