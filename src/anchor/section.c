/* SPDX-License-Identifier: MIT */
/*
 * Headings of documents. Each format is a function that finds headings line by line and knows what to skip (fenced
 * code, comments, verbatim blocks); levels, ends and paths are the same for all. A document's title (its first heading,
 * alone at the top level) is not part of the other paths: renaming a document must not rename its sections.
 * Sources: CommonMark 0.31 (ATX and setext headings, fences), Asciidoctor's section titles and block delimiters,
 * docutils' section titles, Org's headline syntax, LaTeX's sectioning commands.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "killick/anchor/section.h"
#include "killick/model/anchor.h"

struct span { const char *p; size_t n; };

struct doc {
	struct arena *arena;
	struct span *lines;
	size_t n;
	ARRAY(struct section) out;
};

static bool blank(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t')
			return false;
	return true;
}

static struct span trimmed(struct span s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t'))
		s.p++, s.n--;
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static bool starts(struct span s, const char *prefix)
{
	size_t n = strlen(prefix);
	return s.n >= n && !memcmp(s.p, prefix, n);
}

static bool equals(struct span s, const char *word) { return s.n == strlen(word) && starts(s, word); }

static size_t count_of(struct span s, char c)
{
	size_t n = 0;
	while (n < s.n && s.p[n] == c)
		n++;
	return n;
}

/* How often c, if the line (blanks behind it aside) is nothing else; else 0. */
static size_t rule_of(struct span s, char c)
{
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return count_of(s, c) == s.n ? s.n : 0;
}

static void heading(struct doc *d, size_t line, unsigned level, struct span title)
{
	title = trimmed(title);
	struct section *s = array_add(&d->out);
	s->title = arena_memdup(d->arena, title.p, title.n);
	s->level = level;
	s->line = (uint32_t)line + 1;
}

/* Markdown */

static struct span unindented(struct span s, size_t *by)
{
	*by = count_of(s, ' ');
	return (struct span){ s.p + *by, s.n - *by };
}

static bool markdown_atx(struct doc *d, size_t i, struct span s)
{
	size_t level = count_of(s, '#');
	if (!level || level > 6 || (level < s.n && s.p[level] != ' ' && s.p[level] != '\t'))
		return false;
	struct span t = trimmed((struct span){ s.p + level, s.n - level });
	size_t end = t.n;
	while (end && t.p[end - 1] == '#')
		end--;
	if (end < t.n && (!end || t.p[end - 1] == ' ' || t.p[end - 1] == '\t'))
		t.n = end;
	heading(d, i, (unsigned)level, t);
	return true;
}

/* A line that cannot be a paragraph's, so an underline below it is none: list, quote, table, HTML, rule. */
static bool markdown_no_paragraph(struct span s)
{
	return !s.n || strchr(">|<", *s.p) || (strchr("-*+", *s.p) && (s.n < 2 || s.p[1] == ' ' || s.p[1] == *s.p));
}

static size_t front_matter(struct doc *d)
{
	if (!d->n || !equals(trimmed(d->lines[0]), "---"))
		return 0;
	for (size_t i = 1; i < d->n && i < 400; i++)
		if (equals(trimmed(d->lines[i]), "---") || equals(trimmed(d->lines[i]), "..."))
			return i + 1;
	return 0;
}

static void parse_markdown(struct doc *d)
{
	char fence = 0;
	size_t fence_n = 0;
	bool para = false, comment = false;
	for (size_t i = front_matter(d), in; i < d->n; i++) {
		struct span s = unindented(d->lines[i], &in);
		size_t ticks = s.n && (*s.p == '`' || *s.p == '~') ? count_of(s, *s.p) : 0;
		if (fence) {
			if (in < 4 && ticks >= fence_n && *s.p == fence && rule_of(s, fence))
				fence = 0;
			continue;
		}
		if (comment || starts(s, "<!--")) {
			comment = !memmem(s.p, s.n, "-->", 3);
			para = false;
			continue;
		}
		if (in < 4 && ticks >= 3) {
			fence = *s.p;
			fence_n = ticks;
			para = false;
			continue;
		}
		if (in < 4 && markdown_atx(d, i, s)) {
			para = false;
			continue;
		}
		size_t under = in < 4 ? rule_of(s, '=') : 0, dash = in < 4 ? rule_of(s, '-') : 0;
		if (para && (under || dash)) {
			heading(d, i - 1, under ? 1 : 2, d->lines[i - 1]);
			para = false;
			continue;
		}
		para = !blank(s) && (para || in < 4) && !markdown_no_paragraph(s);
	}
}

/* AsciiDoc */

static bool asciidoc_fence(struct span s)
{
	static const char marks[] = "-.*/+_=";
	const char *c = s.n ? strchr(marks, *s.p) : NULL;
	if (s.n && c && *c && rule_of(s, *c) >= 4)
		return true;
	return equals(trimmed(s), "```") || starts(s, "|===") || (starts(s, "```") && s.n < 20);
}

static bool asciidoc_one_line(struct doc *d, size_t i, struct span s)
{
	char c = s.n ? *s.p : 0;
	size_t level = c == '=' || c == '#' ? count_of(s, c) : 0;
	if (!level || level > 6 || level >= s.n || (s.p[level] != ' ' && s.p[level] != '\t'))
		return false;
	struct span t = trimmed((struct span){ s.p + level, s.n - level });
	if (t.n > level + 1 && t.p[t.n - level - 1] == ' ' && rule_of((struct span){ t.p + t.n - level, level }, c))
		t.n -= level + 1;
	heading(d, i, (unsigned)level, t);
	return true;
}

static size_t cells(struct span s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

/* What may stand right above a title: block attributes and anchors, attribute entries, comments, directives. */
static bool asciidoc_above(struct span s)
{
	static const char *const directives[] = { "ifdef::", "ifndef::", "ifeval::", "endif::", "include::" };

	for (size_t i = 0; i < ARRAY_SIZE(directives); i++)
		if (starts(s, directives[i]))
			return true;
	return blank(s) || *s.p == '[' || starts(s, "//") || (*s.p == ':' && s.n > 2 && memchr(s.p + 1, ':', s.n - 1));
}

/* A title over a line of = - ~ ^ + about as long. */
static bool asciidoc_two_line(struct doc *d, size_t i)
{
	static const char marks[] = "=-~^+";
	struct span t = d->lines[i], u = i + 1 < d->n ? d->lines[i + 1] : (struct span){ "", 0 };
	const char *c = u.n ? memchr(marks, *u.p, 5) : NULL;
	size_t n = c ? rule_of(u, *c) : 0, w = cells(trimmed(t));
	if (n < 2 || w < 2 || n > w + 2 || n + 2 < w || blank(t) || strchr(".[|/:*+-=", *t.p))
		return false;
	if (i && !asciidoc_above(d->lines[i - 1]))
		return false;
	heading(d, i, (unsigned)(c - marks) + 1, t);
	return true;
}

static void parse_asciidoc(struct doc *d)
{
	struct span fence = { NULL, 0 };
	for (size_t i = 0; i < d->n; i++) {
		struct span s = d->lines[i];
		if (fence.n) {
			if (trimmed(s).n == fence.n && !memcmp(trimmed(s).p, fence.p, fence.n))
				fence.n = 0;
			continue;
		}
		if (asciidoc_one_line(d, i, s))
			continue;
		if (asciidoc_two_line(d, i)) {
			i++;
			continue;
		}
		/* Example, sidebar and quote blocks hold text but no sections either. */
		if (asciidoc_fence(s))
			fence = starts(s, "```") ? (struct span){ "```", 3 } : trimmed(s);
	}
}

/* reStructuredText: the order in which kinds of underline appear is their level. */

static const char rst_marks[] = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

static char rst_rule(struct span s)
{
	return s.n && memchr(rst_marks, *s.p, sizeof(rst_marks) - 1) && rule_of(s, *s.p) ? *s.p : 0;
}

static unsigned rst_level(char kinds[64][2], unsigned *n, char mark, bool over)
{
	for (unsigned k = 0; k < *n; k++)
		if (kinds[k][0] == mark && kinds[k][1] == over)
			return k + 1;
	if (*n < 64) {
		kinds[*n][0] = mark;
		kinds[*n][1] = (char)over;
		++*n;
	}
	return *n;
}

static void parse_rst(struct doc *d)
{
	char kinds[64][2];
	unsigned n_kinds = 0;
	for (size_t i = 0; i + 1 < d->n; i++) {
		struct span s = d->lines[i], next = d->lines[i + 1];
		char mark = rst_rule(s);
		if (mark && i + 2 < d->n && !blank(next) && rst_rule(d->lines[i + 2]) == mark &&
		    rule_of(s, mark) >= cells(trimmed(next)) && rule_of(d->lines[i + 2], mark) >= cells(trimmed(next)) &&
		    (i == 0 || blank(d->lines[i - 1]))) {
			heading(d, i + 1, rst_level(kinds, &n_kinds, mark, true), next);
			i += 2;
			continue;
		}
		char under = rst_rule(next);
		bool plain = !blank(s) && *s.p != ' ' && *s.p != '\t' && !(mark && rule_of(s, mark) > 3);
		if (plain && under && (rule_of(next, under) >= cells(trimmed(s)) || rule_of(next, under) >= 4) &&
		    (i == 0 || blank(d->lines[i - 1]) || starts(d->lines[i - 1], ".. "))) {
			heading(d, i, rst_level(kinds, &n_kinds, under, false), s);
			i++;
		}
	}
}

/* Org */

static struct span org_title(struct span t)
{
	t = trimmed(t);
	static const char *const todo[] = { "TODO ", "DONE ", "NEXT ", "WAITING ", "CANCELLED ", "COMMENT " };
	for (size_t i = 0; i < ARRAY_SIZE(todo); i++)
		if (starts(t, todo[i]))
			t = trimmed((struct span){ t.p + strlen(todo[i]), t.n - strlen(todo[i]) });
	if (t.n >= 4 && starts(t, "[#") && t.p[3] == ']')
		t = trimmed((struct span){ t.p + 4, t.n - 4 });
	if (t.n > 2 && t.p[t.n - 1] == ':') {
		size_t k = t.n - 1;
		while (k && t.p[k - 1] != ' ' && t.p[k - 1] != '\t')
			k--;
		if (t.p[k] == ':' && k)
			t.n = k;
	}
	return trimmed(t);
}

static void parse_org(struct doc *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct span s = d->lines[i];
		size_t level = count_of(s, '*');
		if (level && level < s.n && s.p[level] == ' ')
			heading(d, i, (unsigned)level, org_title((struct span){ s.p + level, s.n - level }));
	}
}

/* LaTeX */

static const struct { const char *name; unsigned level; } latex_kinds[] = {
	{ "part", 1 }, { "chapter", 2 }, { "section", 3 }, { "subsection", 4 }, { "subsubsection", 5 }, { "paragraph", 6 },
	{ "subparagraph", 7 },
};

/* Text of a title without its commands: "\emph{a}~b" is "a b". */
static struct span latex_plain(struct doc *d, struct span t)
{
	char *out = arena_alloc(d->arena, t.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == '\\') {
			size_t k = i + 1;
			while (k < t.n && ((t.p[k] | 32) >= 'a' && (t.p[k] | 32) <= 'z'))
				k++;
			if (k == i + 1 && k < t.n)
				out[n++] = t.p[k++];
			i = k - 1;
		} else if (t.p[i] != '{' && t.p[i] != '}') {
			out[n++] = t.p[i] == '~' ? ' ' : t.p[i];
		}
	}
	return (struct span){ out, n };
}

static bool latex_heading(struct doc *d, size_t i, struct span s, size_t at)
{
	for (size_t k = 0; k < ARRAY_SIZE(latex_kinds); k++) {
		size_t len = strlen(latex_kinds[k].name), p = at + 1 + len;
		if (p >= s.n || memcmp(s.p + at + 1, latex_kinds[k].name, len))
			continue;
		p += s.p[p] == '*';
		if (p < s.n && s.p[p] == '[') {
			const char *close = memchr(s.p + p, ']', s.n - p);
			p = close ? (size_t)(close - s.p) + 1 : s.n;
		}
		if (p >= s.n || s.p[p] != '{')
			continue;
		size_t depth = 0, end = p;
		for (; end < s.n; end++) {
			depth += s.p[end] == '{' && s.p[end - 1] != '\\';
			depth -= s.p[end] == '}' && s.p[end - 1] != '\\' && depth;
			if (!depth)
				break;
		}
		heading(d, i, latex_kinds[k].level, latex_plain(d, (struct span){ s.p + p + 1, end - p - 1 }));
		return true;
	}
	return false;
}

static void parse_latex(struct doc *d)
{
	static const char *const raw[] = { "verbatim", "lstlisting", "minted", "comment" };
	const char *skip = NULL;
	for (size_t i = 0; i < d->n; i++) {
		struct span s = d->lines[i];
		if (skip) {
			const char *at = memmem(s.p, s.n, "\\end{", 5);
			if (at && (size_t)(s.p + s.n - at) > 5 + strlen(skip) && !memcmp(at + 5, skip, strlen(skip)))
				skip = NULL;
			continue;
		}
		for (size_t k = 0; k < s.n; k++) {
			if (s.p[k] == '%')
				break;
			if (s.p[k] != '\\')
				continue;
			if (latex_heading(d, i, s, k))
				break;
			for (size_t v = 0; v < ARRAY_SIZE(raw); v++)
				if (s.n - k > 7 + strlen(raw[v]) && !memcmp(s.p + k, "\\begin{", 7) &&
				    !memcmp(s.p + k + 7, raw[v], strlen(raw[v])))
					skip = raw[v];
			k++;
		}
	}
}

/* What is the same for all */

static const struct { const char *ext; void (*parse)(struct doc *); } formats[] = {
	{ ".md", parse_markdown }, { ".markdown", parse_markdown }, { ".mkd", parse_markdown }, { ".mdx", parse_markdown },
	{ ".adoc", parse_asciidoc }, { ".asciidoc", parse_asciidoc }, { ".asc", parse_asciidoc },
	{ ".rst", parse_rst }, { ".rest", parse_rst }, { ".org", parse_org }, { ".tex", parse_latex },
	{ ".latex", parse_latex },
};

static void lines_cut(struct doc *d, const char *text, size_t n)
{
	size_t alloc = 0;
	for (const char *p = text, *end = text + n; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);
		if (len && p[len - 1] == '\r')
			len--;
		d->lines = array_grow(d->lines, d->n, &alloc, sizeof(*d->lines));
		d->lines[d->n++] = (struct span){ p, len };
		p = nl ? nl + 1 : end;
	}
}

static void ends_find(struct doc *d)
{
	size_t *open = xcalloc(d->out.len + 1, sizeof(*open)), n = 0;
	for (size_t i = 0; i <= d->out.len; i++) {
		unsigned level = i < d->out.len ? d->out.items[i].level : 0;
		while (n && d->out.items[open[n - 1]].level >= level)
			d->out.items[open[--n]].end = i < d->out.len ? d->out.items[i].line - 1 : (uint32_t)d->n;
		open[n++] = i;
	}
	free(open);
}

static bool has_title(const struct doc *d)
{
	for (size_t i = 1; i < d->out.len; i++)
		if (d->out.items[i].level <= d->out.items[0].level)
			return false;
	return d->out.len > 1;
}

struct named { const char *path; size_t i; unsigned again; };

static int cmp_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int c = strcmp(x->path, y->path);
	return c ? c : x->i < y->i ? -1 : x->i > y->i;
}

/* Sections of one path that came before: numbered over the whole document. */
static void repeats_number(struct doc *d, struct named *v)
{
	qsort(v, d->out.len, sizeof(*v), cmp_named);
	for (size_t k = 1; k < d->out.len; k++) {
		if (strcmp(v[k].path, v[k - 1].path))
			continue;
		v[k].again = v[k - 1].again + 1;
		d->out.items[v[k].i].path = arena_printf(d->arena, "%s-%u", v[k].path, v[k].again);
	}
}

static void paths_make(struct doc *d)
{
	size_t *open = xcalloc(d->out.len + 1, sizeof(*open)), n = 0, title = has_title(d) ? 0 : SIZE_MAX;
	struct named *v = xcalloc(d->out.len + 1, sizeof(*v));
	struct buf slug = BUF_INIT;
	for (size_t i = 0; i < d->out.len; i++) {
		struct section *s = &d->out.items[i];
		while (n && d->out.items[open[n - 1]].level >= s->level)
			n--;
		buf_reset(&slug);
		if (n && open[n - 1] != title) {
			buf_addstr(&slug, v[open[n - 1]].path);
			buf_addch(&slug, '/');
		}
		anchor_slug(&slug, s->title, strlen(s->title));
		s->path = v[i].path = arena_memdup(d->arena, slug.ptr, slug.len);
		v[i].i = i;
		open[n++] = i;
	}
	repeats_number(d, v);
	buf_release(&slug);
	free(v);
	free(open);
}

size_t sections_parse(struct arena *a, const char *path, const char *text, size_t n, struct section **out)
{
	struct doc d = { .arena = a, .out = ARRAY_INIT };
	void (*parse)(struct doc *) = NULL;
	const char *dot = strrchr(path, '.');
	for (size_t i = 0; dot && i < ARRAY_SIZE(formats); i++)
		if (!strcasecmp(dot, formats[i].ext))
			parse = formats[i].parse;
	*out = NULL;
	if (!parse)
		return 0;
	lines_cut(&d, text, n);
	parse(&d);
	if (d.out.len) {
		ends_find(&d);
		paths_make(&d);
		*out = arena_alloc(a, d.out.len * sizeof(**out));
		memcpy(*out, d.out.items, d.out.len * sizeof(**out));
	}
	size_t len = d.out.len;
	array_release(&d.out);
	free(d.lines);
	return len;
}

/* "guide/install" names "install" of a document whose title is "Guide". */
static const char *without_title(const struct section *s, size_t n, const char *name)
{
	size_t len = n ? strlen(s[0].path) : 0;
	return len && !strncmp(name, s[0].path, len) && name[len] == '/' ? name + len + 1 : name;
}

const struct section *section_find(const struct section *s, size_t n, const char *name)
{
	const char *names[] = { name, without_title(s, n, name) };
	for (size_t k = 0; k < ARRAY_SIZE(names); k++)
		for (size_t i = 0; i < n; i++)
			if (!strcmp(s[i].path, names[k]))
				return &s[i];
	const struct section *found = NULL;
	size_t len = strlen(name);
	for (size_t i = 0; i < n; i++) {
		size_t have = strlen(s[i].path);
		if (!len || have <= len || s[i].path[have - len - 1] != '/' || strcmp(s[i].path + have - len, name))
			continue;
		if (found)
			return NULL;
		found = &s[i];
	}
	return found;
}
