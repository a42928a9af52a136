/* SPDX-License-Identifier: MIT */
/*
 * The editor's file. It lies in the desk's private folder, is created exclusively, and is read back as if somebody else
 * had written it: no link followed, a plain file of ours with one name, of bounded size (trust.md 10).
 *
 * Its head says in comment lines where the text goes and who will see it, its foot quotes what is answered. Both end
 * at a marker line; should the user have deleted a marker, lines that stand there as we wrote them are cut all the same.
 * A '#' line anywhere else is a Markdown heading and stays. Lines from outside are made harmless to editors that obey
 * modelines.
 */
#include "config.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "composefile.h"
#include "killick/base/file.h"
#include "killick/cmd/act.h"
#include "killick/text/sanitize.h"

#define HEAD_MARK "# ------ your text goes below this line; nothing above it is sent ------"
#define FOOT_MARK "# ------ from here on it is only for reading; nothing below is sent ------"
#define AUDIENCE_MARK "# audience:"
#define FILE_MAX (20u << 20)
#define QUOTE_LINES 60

static bool is_line(const char *line, size_t len, const char *what)
{
	return strlen(what) == len && !memcmp(line, what, len);
}

/* Is this line, whole, one of the text's? */
static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *s = text; s && *s;) {
		size_t n = strcspn(s, "\n");

		if (n == len && !memcmp(s, line, len))
			return true;
		s += n + (s[n] == '\n');
	}
	return false;
}

static size_t line_len(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	return nl ? (size_t)(nl - p) : (size_t)(end - p);
}

static const char *find_line(const char *p, const char *end, const char *what)
{
	while (p < end) {
		size_t n = line_len(p, end);

		if (is_line(p, n, what))
			return p;
		p += n + 1;
	}
	return NULL;
}

static int read_audience(const char *line, size_t len, enum audience *out, struct err *e)
{
	struct buf word = BUF_INIT;
	int rc = 0;

	buf_add(&word, line + strlen(AUDIENCE_MARK), len - strlen(AUDIENCE_MARK));
	buf_trim(&word);
	if (!strcmp(word.ptr, "private"))
		*out = AUDIENCE_PRIVATE;
	else if (!strcmp(word.ptr, "everyone") || !strcmp(word.ptr, "native"))
		*out = AUDIENCE_EVERYONE;
	else
		rc = err_set(e, ERR_USAGE, "nobody is called '%s': the audience is everyone or private", word.ptr);
	buf_release(&word);
	return rc;
}

/* The line that opens the body: behind the marker, or behind what stands there of the head. */
static const char *after_head(const struct compose_text *t, const char *p, const char *end)
{
	const char *mark = find_line(p, end, HEAD_MARK);
	size_t n;

	if (mark) {
		mark += line_len(mark, end);
		return mark < end ? mark + 1 : end;
	}
	while (p < end) {
		n = line_len(p, end);
		if (!n || !(has_line(t->head, p, n) || str_starts(p, AUDIENCE_MARK)))
			break;
		p += n + 1;
	}
	return p < end ? p : end;
}

static const char *before_foot(const struct compose_text *t, const char *p, const char *end)
{
	const char *mark = find_line(p, end, FOOT_MARK), *last;

	if (mark)
		return mark;
	while (end > p) {
		last = memrchr(p, '\n', (size_t)(end - 1 - p));
		last = last ? last + 1 : p;
		if (line_len(last, end) && !has_line(t->foot, last, line_len(last, end)))
			break;
		end = last;
	}
	return end;
}

int compose_strip(struct arena *a, const struct compose_text *t, const char *text, size_t len, enum audience *audience,
    const char **body, struct err *e)
{
	struct buf unix_lines = BUF_INIT, clean = BUF_INIT;
	const char *p, *end, *start;
	bool lossy;
	int rc = 0;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3, len -= 3;
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
			buf_addch(&unix_lines, text[i]);
	}
	p = unix_lines.ptr;
	end = p + unix_lines.len;
	start = after_head(t, p, end);
	while (p < start && !rc) {
		size_t n = line_len(p, end);
		if (n > strlen(AUDIENCE_MARK) && str_starts(p, AUDIENCE_MARK))
			rc = read_audience(p, n, audience, e);
		p += n + 1;
	}
	compose_normalise(&clean, start, (size_t)(before_foot(t, start, end) - start), &lossy);
	*body = arena_strdup(a, clean.ptr);
	buf_release(&unix_lines);
	buf_release(&clean);
	return rc;
}

/* "vim: …", "vi:set", "vim>702:", "ex:", "-*- mode -*-", "Local Variables:": a blank breaks the token. */
static bool ends_modeline_word(const struct buf *b)
{
	size_t n = b->len, word;

	while (n && b->ptr[n - 1] >= '0' && b->ptr[n - 1] <= '9')
		n--;
	if (n && strchr("<=>", b->ptr[n - 1]))
		n--;
	for (word = n; word && ((b->ptr[word - 1] | 32) >= 'a' && (b->ptr[word - 1] | 32) <= 'z'); word--)
		;
	n -= word;
	return (n == 2 && (!memcmp(b->ptr + word, "vi", 2) || !memcmp(b->ptr + word, "ex", 2))) ||
	    (n == 3 && (!memcmp(b->ptr + word, "vim", 3) || !memcmp(b->ptr + word, "Vim", 3)));
}

static void add_defused(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == ':' && (ends_modeline_word(b) || (b->len >= 9 && !strncasecmp(b->ptr + b->len - 9, "variables", 9))))
			buf_addch(b, ' ');
		if (i && p[i] == '*' && p[i - 1] == '-' && i + 1 < n && p[i + 1] == '-')
			buf_addch(b, ' ');
		buf_addch(b, p[i]);
	}
}

/* Comment lines "# …" of a text from anywhere. */
static void add_comment(struct buf *b, const char *prefix, const char *text, size_t max_lines)
{
	struct buf clean = BUF_INIT;
	const char *p, *end;
	size_t lines = 0;

	text_sanitize(&clean, text, strlen(text), TEXT_PROSE | TEXT_LINES | TEXT_TABS);
	end = clean.ptr + clean.len;
	for (p = clean.ptr; p < end && lines < max_lines; lines++) {
		size_t n = line_len(p, end);
		buf_addf(b, "# %s", prefix);
		add_defused(b, p, n);
		buf_addch(b, '\n');
		p += n + 1;
	}
	if (p < end)
		buf_addf(b, "# %s[…]\n", prefix);
	buf_release(&clean);
}

static void make_head(struct cmd *c, const struct compose *p, struct buf *b)
{
	struct buf who = BUF_INIT;

	compose_goes(c, p, &who);
	add_comment(b, "", p->what, 4);
	add_comment(b, "Goes to: ", who.ptr, 1);
	buf_addstr(b, "# An empty text sends nothing. The text is Markdown.\n");
	if (!p->fixed_audience && !p->to) {
		buf_addstr(b, "# Who may see it is for you to say in the next line: everyone or private.\n");
		buf_addf(b, AUDIENCE_MARK " %s\n", audience_name(p->audience));
	}
	buf_addstr(b, HEAD_MARK "\n");
	buf_release(&who);
}

static void make_foot(const struct compose *p, struct buf *b)
{
	const struct post *last = p->thread && p->thread->n_posts ? &p->thread->posts[p->thread->n_posts - 1] : NULL;

	if (!(last && last->body) && !(p->anchor && p->anchor->quote))
		return;
	buf_addstr(b, FOOT_MARK "\n");
	if (last && last->body) {
		add_comment(b, "", person_label(&last->author), 1);
		add_comment(b, "> ", last->body, QUOTE_LINES);
	} else {
		add_comment(b, "| ", p->anchor->quote, QUOTE_LINES);
	}
}

static int edit_dir(struct cmd *c, struct buf *b, struct err *e)
{
	const char *desk, *slash;

	if (work_desk(c->work, e))
		return -1;
	desk = desk_path(c->work->desk);
	slash = strrchr(desk, '/');
	buf_add(b, desk, slash ? (size_t)(slash - desk) : 0);
	buf_addstr(b, "/edit");
	return dir_make_private(b->ptr, e);
}

static int edit_path(struct cmd *c, const char *draft, const char *suffix, struct buf *b, struct err *e)
{
	if (edit_dir(c, b, e))
		return -1;
	buf_addf(b, "/%s%s", draft, suffix);
	return 0;
}

static int write_new(const char *path, const struct buf *b, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), rc = 0;

	if (fd < 0)
		return err_errno(e, "cannot make the editor's file '%s'", path);
	if (write_full(fd, b->ptr, b->len) || fsync(fd))
		rc = err_errno(e, "cannot write the editor's file '%s'", path);
	if (close(fd) && !rc)
		rc = err_errno(e, "cannot write the editor's file '%s'", path);
	if (rc)
		unlink(path);
	return rc;
}

static int read_back(const char *path, struct buf *b, struct err *e)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY), rc;
	struct stat st;

	if (fd < 0)
		return err_errno(e, "cannot read '%s' after the editor", path);
	if (fstat(fd, &st))
		rc = err_errno(e, "cannot read '%s' after the editor", path);
	else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
		rc = err_set(e, ERR_BAD_DATA, "'%s' is no plain file of yours any more: it is not read", path);
	else
		rc = file_read_fd(fd, path, FILE_MAX, b, e);
	close(fd);
	return rc;
}

static unsigned count_lines(const struct buf *b)
{
	unsigned n = 1;

	for (size_t i = 0; i < b->len; i++)
		n += b->ptr[i] == '\n';
	return n;
}

int composefile_edit(struct cmd *c, struct compose *p, const char *start, const char **body, struct err *e)
{
	struct buf path = BUF_INIT, lockpath = BUF_INIT, head = BUF_INIT, foot = BUF_INIT, all = BUF_INIT, back = BUF_INIT;
	struct lock lock = LOCK_INIT;
	struct compose_text t;
	struct err fault = ERR_INIT;
	int rc = -1;

	*body = NULL;
	if (edit_path(c, p->draft, ".md", &path, e) || edit_path(c, p->draft, ".lock", &lockpath, e))
		goto out;
	if (lock_take(&lock, lockpath.ptr, 0, e)) {
		err_prefix(e, "draft %s is open in another editor", p->draft);
		goto out;
	}
	make_head(c, p, &head);
	make_foot(p, &foot);
	t = (struct compose_text){ head.ptr, foot.ptr };
	buf_addf(&all, "%s%s\n%s%s", head.ptr, start, foot.len ? "\n" : "", foot.ptr);
	if (write_new(path.ptr, &all, e))
		goto out;
	rc = c->io->edit(c->io->ctx, path.ptr, count_lines(&head), e);
	if (read_back(path.ptr, &back, &fault) || compose_strip(c->arena, &t, back.ptr, back.len, &p->audience, body, &fault)) {
		if (!rc)
			*e = fault;
		rc = -1;
	}
out:
	lock_release(&lock);
	if (lockpath.len)
		unlink(lockpath.ptr);
	buf_release(&path);
	buf_release(&lockpath);
	buf_release(&head);
	buf_release(&foot);
	buf_release(&all);
	buf_release(&back);
	return rc;
}

bool composefile_there(struct cmd *c, const struct compose *p)
{
	struct buf path = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct stat st;
	bool there = !edit_path(c, p->draft, ".md", &path, &ignored) && !lstat(path.ptr, &st);

	buf_release(&path);
	return there;
}

void composefile_drop(struct cmd *c, const struct compose *p)
{
	struct buf path = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (!edit_path(c, p->draft, ".md", &path, &ignored))
		unlink(path.ptr);
	buf_release(&path);
}

/* One file of the editor's folder: into its draft, unless somebody is editing it or it says nothing new. */
static int recover_one(struct cmd *c, const char *id, const char *path, struct err *e)
{
	static const struct compose_text none = { "", "" };
	struct buf back = BUF_INIT;
	enum audience aud = AUDIENCE_EVERYONE;
	struct err ignored = ERR_INIT;
	struct draft d;
	const char *body;
	int rc = 0;

	if (read_back(path, &back, &ignored) || desk_draft(c->work->desk, id, c->arena, &d, &ignored))
		goto out;
	if (d.audience && !strcmp(d.audience, "private"))
		aud = AUDIENCE_PRIVATE;
	if (compose_strip(c->arena, &none, back.ptr, back.len, &aud, &body, &ignored))
		goto out;
	if (*body && (!d.body || strcmp(body, d.body))) {
		d.body = body;
		d.audience = audience_name(aud);
		d.to = aud == AUDIENCE_PRIVATE ? "private" : "native";
		d.problem = "killick was stopped while the editor was open";
		rc = desk_draft_put(c->work->desk, c->arena, &d, e);
	}
	if (!rc)
		unlink(path);
out:
	buf_release(&back);
	return rc;
}

int compose_recover(struct cmd *c, struct err *e)
{
	struct buf dir = BUF_INIT;
	struct dirent *ent;
	DIR *d = NULL;
	int rc = edit_dir(c, &dir, e);

	if (!rc && !(d = opendir(dir.ptr)))
		rc = err_errno(e, "cannot read '%s'", dir.ptr);
	while (!rc && (ent = readdir(d))) {
		struct lock lock = LOCK_INIT;
		struct err busy = ERR_INIT;
		const char *id, *path, *lockpath;

		if (!str_ends(ent->d_name, ".md") || ent->d_name[0] != 'd')
			continue;
		id = arena_memdup(c->arena, ent->d_name, strlen(ent->d_name) - 3);
		path = arena_printf(c->arena, "%s/%s", dir.ptr, ent->d_name);
		lockpath = arena_printf(c->arena, "%s/%s.lock", dir.ptr, id);
		if (lock_take(&lock, lockpath, 0, &busy))
			continue;
		rc = recover_one(c, id, path, e);
		unlink(lockpath);
		lock_release(&lock);
	}
	if (d)
		closedir(d);
	buf_release(&dir);
	return rc;
}
