/* SPDX-License-Identifier: MIT */
/*
 * Text to anchors. Two questions are kept apart: what a text could say (pure syntax: where a suffix begins, whether it
 * is well-formed) and what exists (the resolver's answers). With a resolver, names win: the whole text as a path, then
 * every place where a well-formed suffix could begin, the longest path first. Without one every path exists, so that
 * question is useless, and the suffix that begins earliest is taken: "a:12" is line 12 of "a". The four prefixes win even
 * over names, or there would be anchors without a text; a file called "commit:x" is found when x is no commit.
 *
 * A suffix that is wrong (line 0, a range backwards) behind a path that exists is an error and no reason to go on
 * looking: the user meant that path.
 */
#include "config.h"
#include <string.h>
#include "anchortext.h"

#define TEXT_LIMIT 8192
#define ACCEPTED "an anchor is PATH, PATH:LINE, PATH:LINE-END, PATH#SECTION, each with @REV behind it where wanted, " \
	"a revision, a task, !CHANGE or . for the project"

struct parse {
	struct arena *a;
	const struct anchor_resolver *r;
	struct anchor *out;
	struct err *e;
};

/* What stands behind the path. */
struct suffix {
	enum { SUFFIX_NONE, SUFFIX_OK, SUFFIX_WRONG } is;
	struct anchor an;   /* type, line, end, side, section, commit */
};

/* ---- what exists ---- */

/* The path from the top without a resolver: "./", "//" and "x/.." taken out. NULL: leaves the top. */
static const char *lexical_path(struct arena *a, const char *path)
{
	struct buf b = BUF_INIT;
	const char *out = NULL;

	if (*path == '/')
		return NULL;
	for (size_t n; *path; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			char *slash = strrchr(b.ptr, '/');

			if (!b.len)
				goto done;
			buf_setlen(&b, slash ? (size_t)(slash - b.ptr) : 0);
		} else if (n && !(n == 1 && path[0] == '.')) {
			if (b.len)
				buf_addch(&b, '/');
			buf_add(&b, path, n);
		}
	}
	out = arena_memdup(a, b.ptr, b.len);
done:
	buf_release(&b);
	return out;
}

static bool is_path(struct parse *ps, const char *path, const char *rev, const char **top)
{
	if (!*path)
		return false;
	if (!ps->r) {
		*top = lexical_path(ps->a, path);
		return *top != NULL;
	}
	return ps->r->is_path && ps->r->is_path(ps->r->ctx, path, rev, ps->a, top);
}

static bool is_hex_oid(const char *s)
{
	size_t n = strlen(s);

	return n >= 7 && n <= 40 && strspn(s, "0123456789abcdefABCDEF") == n;
}

static bool is_commit(struct parse *ps, const char *rev)
{
	if (!*rev || *rev == '-')
		return false;
	if (!ps->r)
		return true;
	return ps->r->is_commit && ps->r->is_commit(ps->r->ctx, rev);
}

static bool is_task(struct parse *ps, const char *name)
{
	return !ps->r || (ps->r->is_task && ps->r->is_task(ps->r->ctx, name));
}

/* ---- what a text could say ---- */

/* Could it name a commit, as gitrevisions(7) goes? In braces anything can stand. */
static bool like_revision(const char *s)
{
	int depth = 0;

	if (!*s || *s == '-' || *s == '{' || strstr(s, ".."))
		return false;
	for (; *s; s++) {
		if (*s == '{')
			depth++;
		else if (*s == '}' && --depth < 0)
			return false;
		else if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
		else if (!depth && strchr(" :?*[\\\"", *s))
			return false;
	}
	return !depth;
}

/* Without a resolver: does it look like nothing but a commit? "HEAD", "FETCH_HEAD", "3f2a9c1", "main~2", "v1^{tree}". */
static bool like_commit(const char *s)
{
	size_t base = strcspn(s, "~^");
	size_t n = strlen(s);

	if (!strcmp(s, "@") || is_hex_oid(s))
		return true;
	if (!like_revision(s))
		return false;
	if (n >= 4 && !strcmp(s + n - 4, "HEAD") && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == n)
		return true;
	return (s[base] && base) || strstr(s, "@{");
}

/* "GH-412", "PROJ_A-7", "T-3f9c2a", "#412". */
static bool like_task(const char *s)
{
	size_t word = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	const char *number;

	if (*s == '#')
		return s[1] && !s[1 + strspn(s + 1, "0123456789")];
	if (!word || s[word] != '-' || (*s >= '0' && *s <= '9'))
		return false;
	number = s + word + 1;
	if (word == 1 && *s == 'T' && strlen(number) >= 4)
		return !number[strspn(number, "0123456789abcdef")];
	return *number && !number[strspn(number, "0123456789")];
}

static bool like_change(const char *s)
{
	return *s == '!' && s[1] && !s[1 + strspn(s + 1, "0123456789")];
}

static bool like_url(const char *s)
{
	size_t scheme = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

	return scheme && !strncmp(s + scheme, "://", 3);
}

/* Reads digits at *p; 0: none, or too many for a line. */
static uint32_t read_line(const char **p, const char *digits_end)
{
	uint64_t v = 0;

	for (; *p < digits_end; (*p)++)
		v = v > ANCHOR_LINE_MAX ? v : v * 10 + (uint64_t)(**p - '0');
	return v > ANCHOR_LINE_MAX ? 0 : (uint32_t)v;
}

/* "@REV" or nothing, up to the end. */
static int read_rev(struct parse *ps, const char *p, struct suffix *s)
{
	if (!*p)
		return 0;
	if (*p != '@' || !like_revision(p + 1))
		return -1;
	s->an.commit = arena_strdup(ps->a, p + 1);
	return 0;
}

static size_t digits(const char *p)
{
	return strspn(p, "0123456789");
}

/* "120", "120-131", with "~" and "@REV" behind; p is behind the ':' (or at the first digit of "#L120"). */
static void read_range(struct parse *ps, const char *p, const char *to, struct suffix *s)
{
	size_t n = digits(p), to_len = strlen(to);
	uint32_t line, end;

	s->is = SUFFIX_WRONG;
	s->an.type = ANCHOR_LINES;
	line = end = read_line(&p, p + n);
	if (*p == '-' && !strncmp(p + 1, to, to_len)) {
		p += 1 + to_len;
		if (!(n = digits(p)))
			return;
		end = read_line(&p, p + n);
	}
	if (*p == '~') {
		s->an.side = SIDE_OLD;
		p++;
	}
	if (read_rev(ps, p, s) || !line || end < line)
		return;
	s->an.line = line;
	s->an.end = end;
	s->is = SUFFIX_OK;
}

static void read_section(struct parse *ps, const char *p, struct suffix *s)
{
	size_t n = strcspn(p, "@");
	struct buf slug = BUF_INIT;

	/* Without a resolver nobody says that the path is there, so the section must look like one. */
	if (!ps->r && strcspn(p, ":#\"\\@") < n)
		return;
	anchor_section_slug(&slug, p, n);
	if (slug.len && !read_rev(ps, p + n, s)) {
		s->is = SUFFIX_OK;
		s->an.type = ANCHOR_SECTION;
		s->an.section = arena_memdup(ps->a, slug.ptr, slug.len);
	}
	buf_release(&slug);
}

/* The text from p on, which begins with ':', '#' or '@', or is empty. */
static struct suffix read_suffix(struct parse *ps, const char *p)
{
	struct suffix s = { .is = SUFFIX_NONE, .an = { .type = ANCHOR_FILE } };

	if (*p == ':' && (digits(p + 1) || !p[1]))
		read_range(ps, p + 1, "", &s);
	else if (*p == '#' && p[1] == 'L' && digits(p + 2))
		read_range(ps, p + 2, p[2 + digits(p + 2)] == '-' && p[3 + digits(p + 2)] == 'L' ? "L" : "", &s);
	else if (*p == '#')
		read_section(ps, p + 1, &s);
	else if (!read_rev(ps, p, &s))
		s.is = SUFFIX_OK;
	return s;
}

/* ---- errors ---- */

static int wrong_range(struct parse *ps, const char *path, const char *suffix)
{
	const char *p = suffix + 1 + (suffix[1] == 'L');
	size_t n = digits(p);
	unsigned long long line = strtoull(p, NULL, 10), end = line;
	const char *behind = p + n;

	if (!n)
		return err_set(ps->e, ERR_USAGE, "a line number is missing behind '%.300s%c'", path, *suffix);
	if (*behind == '-') {
		behind += 1 + (behind[1] == 'L');
		if (!digits(behind))
			return err_set(ps->e, ERR_USAGE, "the end of the range is missing: '%.300s'", suffix);
		end = strtoull(behind, NULL, 10);
		behind += digits(behind);
	}
	if (*behind == ':')
		return err_set(ps->e, ERR_USAGE, "'%.300s': a column is no part of an anchor, write %.300s:%llu", suffix,
		    path, line);
	if (*behind && *behind != '~' && *behind != '@')
		return err_set(ps->e, ERR_USAGE, "'%.300s' is no line or range of lines", suffix);
	if (line > ANCHOR_LINE_MAX || end > ANCHOR_LINE_MAX)
		return err_set(ps->e, ERR_USAGE, "'%.300s': no file has so many lines", suffix);
	if (!line)
		return err_set(ps->e, ERR_USAGE, "there is no line 0: lines count from 1");
	if (end < line)
		return err_set(ps->e, ERR_USAGE, "lines %llu-%llu run backwards, write %.300s:%llu-%llu", line, end, path,
		    end, line);
	return err_set(ps->e, ERR_USAGE, "'%.300s' is no line or range with a revision behind it", suffix);
}

/* what: "file", or "file or revision". */
static int no_path(struct parse *ps, const char *what, const char *path, const char *rev)
{
	const char *near = ps->r && ps->r->nearest ? ps->r->nearest(ps->r->ctx, path, ps->a) : NULL;
	const char *hint = strchr(path, '\\') ? " (paths are written with '/')" : "";

	if (!ps->r)
		return err_set(ps->e, ERR_USAGE, "'%.300s' is not inside the repository", path);
	if (near)
		return err_set(ps->e, ERR_NOT_FOUND, "no %s '%.300s'%s%.100s; did you mean '%.300s'?", what, path,
		    rev ? " in " : "", rev ? rev : "", near);
	return err_set(ps->e, ERR_NOT_FOUND, "no %s '%.300s'%s%.100s%s", what, path, rev ? " in " : "", rev ? rev : "",
	    hint);
}

/* ---- putting it together ---- */

/* Fills *out from a path that exists and its suffix. */
static int take(struct parse *ps, const char *path, const char *top, const char *suffix, const struct suffix *s)
{
	if (s->is == SUFFIX_WRONG)
		return wrong_range(ps, path, suffix);
	*ps->out = s->an;
	if (top[0] && strcmp(top, ".")) {
		ps->out->path = top;
		return 0;
	}
	if (s->an.type != ANCHOR_FILE)
		return err_set(ps->e, ERR_USAGE, "'%.300s' is the whole project: it has no lines or sections", path);
	ps->out->type = ANCHOR_PROJECT;
	ps->out->commit = NULL;
	return 0;
}

/* Looks at one place where a suffix could begin: 1 taken, 0 no, -1 error. */
static int try_split(struct parse *ps, const char *text, size_t at)
{
	struct suffix s = read_suffix(ps, text + at);
	const char *path, *top;

	if (s.is == SUFFIX_NONE || (s.an.commit && !is_commit(ps, s.an.commit)))
		return 0;
	path = arena_memdup(ps->a, text, at);
	if (!is_path(ps, path, s.an.commit, &top))
		return 0;
	return take(ps, path, top, text + at, &s) ? -1 : 1;
}

/* With a resolver the longest path first, without one the shortest. */
static int try_splits(struct parse *ps, const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 1; i < n; i++) {
		size_t at = ps->r ? n - i : i;
		int got = strchr(":#@", text[at]) ? try_split(ps, text, at) : 0;

		if (got)
			return got;
	}
	return 0;
}

static int try_whole(struct parse *ps, const char *text)
{
	struct suffix none = { .is = SUFFIX_OK, .an = { .type = ANCHOR_FILE } };
	const char *top;

	if (!is_path(ps, text, NULL, &top))
		return 0;
	return take(ps, text, top, "", &none) ? -1 : 1;
}

/* The earliest place where a suffix of any kind could begin; the length of text if none. */
static size_t likely_split(struct parse *ps, const char *text, struct suffix *s)
{
	size_t n = strlen(text);

	for (size_t at = 1; at < n; at++) {
		if (!strchr(":#@", text[at]))
			continue;
		*s = read_suffix(ps, text + at);
		if (s->is != SUFFIX_NONE)
			return at;
	}
	*s = (struct suffix){ .is = SUFFIX_NONE };
	return n;
}

/* Nothing fits: which part of it is to blame? A path must have been meant if must_be_path. */
static int no_anchor(struct parse *ps, const char *text, bool must_be_path)
{
	struct suffix s;
	size_t at = likely_split(ps, text, &s);
	const char *path = arena_memdup(ps->a, text, at), *top;

	if (s.an.commit && !is_commit(ps, s.an.commit) && is_path(ps, path, NULL, &top))
		return err_set(ps->e, ERR_NOT_FOUND, "no revision '%.300s'", s.an.commit);
	if (must_be_path || text[at])
		return no_path(ps, "file", path, s.an.commit && is_commit(ps, s.an.commit) ? s.an.commit : NULL);
	if (path[strcspn(path, "/.\\")])
		return no_path(ps, "file or revision", path, NULL);
	return err_set(ps->e, ERR_NOT_FOUND, "'%.300s' is no file, revision or task here; " ACCEPTED, text);
}

/* Surely a path: "path:NAME", "./NAME". */
static int parse_path(struct parse *ps, const char *text)
{
	int got = ps->r ? try_whole(ps, text) : 0;

	if (!*text)
		return err_set(ps->e, ERR_USAGE, "a path is missing");
	if (!got)
		got = try_splits(ps, text);
	if (!got && !ps->r)
		got = try_whole(ps, text);
	return got ? (got < 0 ? -1 : 0) : no_anchor(ps, text, true);
}

/* "\"name\":12": text begins with the quote. */
static int parse_quoted(struct parse *ps, const char *text)
{
	const char *end, *top, *path = anchor_unquote_path(ps->a, text, &end);
	struct suffix s;

	if (!path)
		return err_set(ps->e, ERR_USAGE, "%.300s: a quoted path needs a quote at its end, and \\ before a letter or "
		    "three digits as git writes them", text);
	s = read_suffix(ps, end);
	if (s.is == SUFFIX_NONE)
		return err_set(ps->e, ERR_USAGE, "'%.300s' cannot stand behind a path; " ACCEPTED, end);
	if (s.an.commit && !is_commit(ps, s.an.commit))
		return err_set(ps->e, ERR_NOT_FOUND, "no revision '%.300s'", s.an.commit);
	if (!is_path(ps, path, s.an.commit, &top))
		return no_path(ps, "file", path, s.an.commit);
	return take(ps, path, top, end, &s);
}

static int parse_any_path(struct parse *ps, const char *text)
{
	return *text == '"' ? parse_quoted(ps, text) : parse_path(ps, text);
}

static int parse_commit(struct parse *ps, const char *rev)
{
	if (!*rev)
		return err_set(ps->e, ERR_USAGE, "a revision is missing");
	if (!is_commit(ps, rev))
		return err_set(ps->e, ERR_NOT_FOUND, "no revision '%.300s'", rev);
	*ps->out = (struct anchor){ .type = ANCHOR_COMMIT, .commit = arena_strdup(ps->a, rev) };
	return 0;
}

static int parse_task(struct parse *ps, const char *name)
{
	if (!anchor_name_is_sound(name))
		return err_set(ps->e, ERR_USAGE, "'%.300s' cannot be the name of a task", name);
	if (!is_task(ps, name))
		return err_set(ps->e, ERR_NOT_FOUND, "no task '%.300s' in any source here", name);
	*ps->out = (struct anchor){ .type = ANCHOR_TASK, .task = arena_strdup(ps->a, name) };
	return 0;
}

static int parse_change(struct parse *ps, const char *name)
{
	const char *with = arena_printf(ps->a, "!%s", name + (*name == '!'));

	if (!anchor_name_is_sound(with + 1))
		return err_set(ps->e, ERR_USAGE, "'%.300s' cannot be the name of a change", name);
	if (!is_task(ps, with))
		return err_set(ps->e, ERR_NOT_FOUND, "no change '%.300s' in any source here", name);
	*ps->out = (struct anchor){ .type = ANCHOR_CHANGE, .task = with + 1 };
	return 0;
}

static int parse_url(struct parse *ps, const char *url)
{
	if (ps->r && ps->r->permalink && ps->r->permalink(ps->r->ctx, url, ps->a, ps->out))
		return 0;
	return err_set(ps->e, ERR_NOT_FOUND, "'%.600s' is no permalink to a file, commit or task of a remote here", url);
}

static const struct prefix {
	const char *text;
	int (*parse)(struct parse *ps, const char *rest);
} prefixes[] = {
	{ "path:", parse_any_path },
	{ "commit:", parse_commit },
	{ "task:", parse_task },
	{ "change:", parse_change },
};

/* Forms that say themselves what they are: 1 it was one (*status is the result), 0 no. */
static int parse_prefixed(struct parse *ps, const char *text, int *status)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t n = strlen(prefixes[i].text);

		if (!strncmp(text, prefixes[i].text, n)) {
			*status = prefixes[i].parse(ps, text + n);
			return 1;
		}
	}
	return 0;
}

/* Forms that can be nothing else unless they are a name: likewise. */
static int parse_marked(struct parse *ps, const char *text, int *status)
{
	if (*text == '"')
		*status = parse_quoted(ps, text);
	else if (!strncmp(text, "./", 2) || !strncmp(text, "../", 3) || !strcmp(text, "..") || *text == '/')
		*status = parse_path(ps, text);
	else if (like_url(text))
		*status = parse_url(ps, text);
	else if (like_change(text))
		*status = parse_change(ps, text);
	else
		return 0;
	return 1;
}

/* Without a resolver. */
static int parse_by_syntax(struct parse *ps, const char *text)
{
	int got;

	if (like_task(text))
		return parse_task(ps, text);
	got = try_splits(ps, text);
	if (got)
		return got < 0 ? -1 : 0;
	if (like_commit(text))
		return parse_commit(ps, text);
	return try_whole(ps, text) > 0 ? 0 : no_path(ps, "file", text, NULL);
}

static int parse_by_what_exists(struct parse *ps, const char *text)
{
	int got;

	/* A branch named after its task is common: the task is meant, "commit:NAME" is the branch. */
	if (like_task(text) && is_task(ps, text))
		return parse_task(ps, text);
	got = try_splits(ps, text);
	if (got)
		return got < 0 ? -1 : 0;
	if (is_commit(ps, text))
		return parse_commit(ps, text);
	if (is_task(ps, text) || like_task(text))
		return parse_task(ps, text);
	return no_anchor(ps, text, false);
}

static int parse_text(struct parse *ps, const char *text)
{
	int status = 0, whole;

	if (!strcmp(text, ".")) {
		ps->out->type = ANCHOR_PROJECT;
		return 0;
	}
	if (parse_prefixed(ps, text, &status))
		return status && ps->r && (try_whole(ps, text) > 0 || try_splits(ps, text) > 0) ? 0 : status;
	if (ps->r && (whole = try_whole(ps, text)))
		return whole < 0 ? -1 : 0;
	if (parse_marked(ps, text, &status))
		return status;
	return ps->r ? parse_by_what_exists(ps, text) : parse_by_syntax(ps, text);
}

int anchor_parse(struct arena *a, const char *text, const struct anchor_resolver *r, struct anchor *out, struct err *e)
{
	struct anchor got = { 0 };
	struct err why = ERR_INIT;
	struct parse ps = { .a = a, .r = r, .out = &got, .e = &why };

	if (!*text)
		return err_set(e, ERR_USAGE, "the anchor is empty; " ACCEPTED);
	if (strlen(text) > TEXT_LIMIT)
		return err_set(e, ERR_USAGE, "'%.60s…' is too long for an anchor", text);
	if (parse_text(&ps, text)) {
		*e = why;
		return -1;
	}
	*out = got;
	return 0;
}
