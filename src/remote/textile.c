/* SPDX-License-Identifier: MIT */
#include "config.h"
#include <ctype.h>
#include <string.h>
#include "textile.h"

enum { DEPTH_MAX = 16 };

/* A piece of text, not ended by NUL. */
struct span { const char *p; size_t n; };

struct reader {
	struct buf *out;
	const char *at;          /* the next line */
	bool lossy;
	bool in_para;            /* the line before was text of a paragraph */
};

static bool is_word(int c)
{
	return isalnum((unsigned char)c) || (c & 0x80) || c == '_';
}

static bool is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\0';
}

static struct span line_next(struct reader *r)
{
	struct span s = { r->at, strcspn(r->at, "\n") };

	r->at += s.n + (r->at[s.n] == '\n');
	return s;
}

static struct span line_peek(const struct reader *r)
{
	return (struct span){ r->at, strcspn(r->at, "\n") };
}

static struct span trim(struct span s)
{
	while (s.n && is_space(*s.p))
		s.p++, s.n--;
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

static struct span after(struct span s, size_t n)
{
	return n < s.n ? (struct span){ s.p + n, s.n - n } : (struct span){ s.p + s.n, 0 };
}

static bool begins(struct span s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && !memcmp(s.p, with, n);
}

static const char *find_in(struct span s, const char *what)
{
	size_t n = strlen(what);

	for (size_t i = 0; i + n <= s.n; i++)
		if (!memcmp(s.p + i, what, n))
			return s.p + i;
	return NULL;
}

static size_t run_of(struct span s, char c)
{
	size_t n = 0;

	while (n < s.n && s.p[n] == c)
		n++;
	return n;
}

static bool is_rule(struct span s)
{
	size_t marks = 0;

	s = trim(s);
	if (!s.n || !strchr("-*_", *s.p))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != *s.p && s.p[i] != ' ')
			return false;
		marks += s.p[i] == *s.p;
	}
	return marks >= 3;
}

static void add(struct buf *b, struct span s)
{
	buf_add(b, s.p, s.n);
}

/* ---- Textile to Markdown: inside a line ---- */

/* How long an address is that starts here: up to a blank, less the marks that end a sentence. */
static size_t url_len(struct span s)
{
	size_t n = 0, open = 0;

	while (n < s.n && !is_space(s.p[n]) && s.p[n] != '"' && s.p[n] != '<' && s.p[n] != '>') {
		if (s.p[n] == '(')
			open++;
		else if (s.p[n] == ')' && open-- == 0)
			break;
		n++;
	}
	while (n && strchr(".,;:!?'", s.p[n - 1]))
		n--;
	return n;
}

static bool is_url(struct span s)
{
	return begins(s, "http://") || begins(s, "https://") || begins(s, "mailto:") || begins(s, "ftp://") || begins(s, "/") ||
		begins(s, "#");
}

/* Where the phrase that mark opens at s ends: in front of its closing mark, which no word follows. 0: it is none. */
static size_t phrase_len(struct span s, const char *mark)
{
	size_t m = strlen(mark);

	if (!begins(s, mark) || s.n <= m || is_space(s.p[m]) || s.p[m] == *mark)
		return 0;
	for (size_t i = m + 1; i + m <= s.n; i++)
		if (!memcmp(s.p + i, mark, m) && !is_space(s.p[i - 1]) && (i + m == s.n || (!is_word(s.p[i + m]) && s.p[i + m] != *mark)))
			return i - m;
	return 0;
}

static void code_span(struct buf *b, struct span s)
{
	size_t longest = 0;
	bool pad = s.n && (s.p[0] == '`' || s.p[s.n - 1] == '`');

	for (size_t i = 0; i < s.n; i++) {
		size_t n = run_of(after(s, i), '`');
		longest = n > longest ? n : longest;
		i += n;
	}
	buf_addchn(b, '`', longest + 1);
	buf_addstr(b, pad ? " " : "");
	add(b, s);
	buf_addstr(b, pad ? " " : "");
	buf_addchn(b, '`', longest + 1);
}

static void md_inline(struct buf *b, struct span s, bool *lossy);

static const struct { const char *mark, *md; bool lossy; } phrases[] = {
	{ "**", "**", false }, { "*", "**", false }, { "__", "*", false }, { "_", "*", false }, { "??", "*", true }, { "-", "~~", false },
	{ "+", "", true }, { "^", "", true }, { "~", "", true },
};

static size_t md_phrase(struct buf *b, struct span s, bool *lossy)
{
	for (size_t i = 0; i < ARRAY_SIZE(phrases); i++) {
		size_t m = strlen(phrases[i].mark), n = phrase_len(s, phrases[i].mark);
		if (!n)
			continue;
		*lossy = *lossy || phrases[i].lossy;
		buf_addstr(b, *phrases[i].md ? phrases[i].md : phrases[i].mark);
		md_inline(b, (struct span){ s.p + m, n }, lossy);
		buf_addstr(b, *phrases[i].md ? phrases[i].md : phrases[i].mark);
		return n + 2 * m;
	}
	return 0;
}

/* "text":address and "text(title)":address */
static size_t md_link(struct buf *b, struct span s, bool *lossy)
{
	const char *end = s.n > 1 && *s.p == '"' ? find_in(after(s, 1), "\":") : NULL;
	struct span text, url;
	size_t n;

	if (!end || end == s.p + 1)
		return 0;
	text = (struct span){ s.p + 1, (size_t)(end - s.p - 1) };
	url = after(s, text.n + 3);
	if (memchr(text.p, '"', text.n) || !is_url(url) || !(n = url_len(url)))
		return 0;
	if (text.p[text.n - 1] == ')' && memchr(text.p, '(', text.n) && text.p[0] != '(') {
		while (text.p[text.n - 1] != '(')
			text.n--;
		text.n--;
		*lossy = true;
	}
	buf_addch(b, '[');
	md_inline(b, trim(text), lossy);
	buf_addstr(b, "](");
	add(b, (struct span){ url.p, n });
	buf_addch(b, ')');
	return (size_t)(url.p - s.p) + n;
}

/* !address! and !address(text)! */
static size_t md_image(struct buf *b, struct span s, bool *lossy)
{
	struct span url, alt = { "", 0 };
	const char *close;
	size_t skip = 1;

	while (s.n > skip && strchr("<>=", s.p[skip]))
		skip++, *lossy = true;
	close = s.n > skip ? memchr(s.p + skip, '!', s.n - skip) : NULL;
	if (!close || close == s.p + skip)
		return 0;
	url = (struct span){ s.p + skip, (size_t)(close - s.p) - skip };
	if (url.p[url.n - 1] == ')' && memchr(url.p, '(', url.n)) {
		const char *open = memchr(url.p, '(', url.n);
		alt = (struct span){ open + 1, (size_t)(url.p + url.n - open) - 2 };
		url.n = (size_t)(open - url.p);
	}
	for (size_t i = 0; i < url.n; i++)
		if (is_space(url.p[i]))
			return 0;
	if (!memchr(url.p, '.', url.n))
		return 0;
	buf_addstr(b, "![");
	add(b, alt);
	buf_addstr(b, "](");
	add(b, url);
	buf_addch(b, ')');
	return (size_t)(close - s.p) + 1;
}

static const struct { const char *open, *close; bool code; } tags[] = {
	{ "<code>", "</code>", true }, { "<pre>", "</pre>", true }, { "<notextile>", "</notextile>", false }, { "==", "==", false },
};

static void md_plain(struct buf *b, struct span s, size_t i, bool start);

static size_t md_tag(struct buf *b, struct span s)
{
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		size_t m = strlen(tags[i].open);
		const char *end = begins(s, tags[i].open) ? find_in(after(s, m), tags[i].close) : NULL;
		struct span in;
		if (!end || end == s.p + m)
			continue;
		in = (struct span){ s.p + m, (size_t)(end - s.p) - m };
		if (tags[i].code)
			code_span(b, in);
		for (size_t k = 0; !tags[i].code && k < in.n; k++)
			md_plain(b, in, k, true);
		return in.n + m + strlen(tags[i].close);
	}
	return 0;
}

static size_t md_code(struct buf *b, struct span s)
{
	const char *end = s.n > 2 && !is_space(s.p[1]) ? memchr(s.p + 1, '@', s.n - 1) : NULL;

	if (!end || end == s.p + 1 || (end + 1 < s.p + s.n && is_word(end[1])))
		return 0;
	code_span(b, (struct span){ s.p + 1, (size_t)(end - s.p) - 1 });
	return (size_t)(end - s.p) + 1;
}

/* A character that Markdown, not Textile, might take for markup. start: nothing of a word stands before it. */
static void md_plain(struct buf *b, struct span s, size_t i, bool start)
{
	int c = s.p[i], next = i + 1 < s.n ? s.p[i + 1] : ' ';
	bool special = c == '`' || c == '\\' || (c == '*' && !(is_space(next) && (i == 0 || is_space(s.p[i - 1])))) ||
		(c == '_' && start && is_word(next)) || (c == '<' && (isalpha(next) || strchr("/!?", next))) ||
		(c == ']' && next == '(') || (c == '~' && next == '~');

	if (special)
		buf_addch(b, '\\');
	buf_addch(b, c);
}

static void md_inline(struct buf *b, struct span s, bool *lossy)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		struct span rest = after(s, i);
		bool start = i == 0 || !is_word(s.p[i - 1]);
		n = 0;
		if (start && is_url(rest) && *rest.p != '/' && *rest.p != '#') {
			n = url_len(rest);
			add(b, (struct span){ rest.p, n });
		}
		if (!n && *rest.p == '@' && start)
			n = md_code(b, rest);
		if (!n && (*rest.p == '<' || (*rest.p == '=' && start)))
			n = md_tag(b, rest);
		if (!n && *rest.p == '"')
			n = md_link(b, rest, lossy);
		if (!n && *rest.p == '!' && start)
			n = md_image(b, rest, lossy);
		if (!n && start && strchr("*_-+^~?", *rest.p))
			n = md_phrase(b, rest, lossy);
		if (!n) {
			md_plain(b, s, i, start);
			n = 1;
		}
	}
}

/* ---- Textile to Markdown: lines ---- */

static void fence(struct buf *b, struct span lang, const char *p, size_t n)
{
	size_t longest = 2;

	for (size_t i = 0; i < n; i++) {
		size_t k = run_of((struct span){ p + i, n - i }, '`');
		longest = k > longest ? k : longest;
		i += k;
	}
	buf_addchn(b, '`', longest + 1);
	add(b, lang);
	buf_addch(b, '\n');
	buf_add(b, p, n);
	if (n && p[n - 1] != '\n')
		buf_addch(b, '\n');
	buf_addchn(b, '`', longest + 1);
	buf_addch(b, '\n');
}

/* <pre>, <pre><code class="c">: up to </pre>, or the end. What follows on its line is the next line. */
static bool md_pre(struct reader *r, struct span line)
{
	struct span head = trim(line), lang = { "", 0 };
	const char *p, *end;

	if (!begins(head, "<pre>"))
		return false;
	p = head.p + 5;
	if (begins(after(head, 5), "<code")) {
		const char *gt = memchr(p, '>', (size_t)(head.p + head.n - p)), *cls = find_in(after(head, 5), "class=\"");
		if (gt) {
			if (cls && cls < gt)
				lang = (struct span){ cls + 7, strcspn(cls + 7, "\" >") };
			p = gt + 1;
		}
	}
	end = strstr(p, "</pre>");
	r->at = end ? end + 6 + (end[6] == '\n') : p + strlen(p);
	if (!end)
		end = p + strlen(p);
	if (end - p >= 7 && !memcmp(end - 7, "</code>", 7))
		end -= 7;
	if (p < end && *p == '\n')
		p++;
	fence(r->out, lang, p, (size_t)(end - p));
	return true;
}

/* "h2(class){style}. text": how long the head is with its blank, 0: none. attrs: it says more than we can. */
static size_t block_head(struct span s, const char *name, bool *attrs)
{
	size_t i = strlen(name);

	*attrs = false;
	if (!begins(s, name))
		return 0;
	while (i < s.n && s.p[i] != '.') {
		static const char *const pairs[] = { "()", "{}", "[]" };
		bool known = strchr("<>=", s.p[i]) != NULL;
		for (size_t k = 0; !known && k < ARRAY_SIZE(pairs); k++) {
			const char *close = s.p[i] == pairs[k][0] ? memchr(s.p + i, pairs[k][1], s.n - i) : NULL;
			if (close) {
				i = (size_t)(close - s.p);
				known = true;
			}
		}
		if (!known)
			return 0;
		*attrs = true;
		i++;
	}
	return i + 1 < s.n && s.p[i + 1] == ' ' ? i + 2 : 0;
}

static bool md_heading(struct reader *r, struct span line)
{
	bool attrs;

	for (int level = 1; level <= 6; level++) {
		const char name[] = { 'h', (char)('0' + level), '\0' };
		size_t n = block_head(line, name, &attrs);
		if (!n)
			continue;
		r->lossy = r->lossy || attrs;
		buf_addchn(r->out, '#', (size_t)level);
		buf_addch(r->out, ' ');
		md_inline(r->out, trim(after(line, n)), &r->lossy);
		buf_addch(r->out, '\n');
		return true;
	}
	return false;
}

/* bq. and bc. reach to the next blank line. */
static bool md_block(struct reader *r, struct span line)
{
	bool attrs;
	size_t n = block_head(line, "bc", &attrs);
	const char *from;

	if (n) {
		from = line.p + n;
		while (trim(line_peek(r)).n)
			line_next(r);
		fence(r->out, (struct span){ "", 0 }, from, (size_t)(r->at - from));
		return true;
	}
	n = block_head(line, "bq", &attrs);
	if (!n)
		return false;
	r->lossy = r->lossy || attrs;
	for (line = after(line, n);; line = line_next(r)) {
		buf_addstr(r->out, "> ");
		md_inline(r->out, trim(line), &r->lossy);
		buf_addch(r->out, '\n');
		if (!trim(line_peek(r)).n)
			return true;
	}
}

static bool md_list(struct reader *r, struct span line)
{
	size_t depth = 0, indent = 0;

	while (indent < line.n && line.p[indent] == ' ')
		indent++;
	line = after(line, indent);
	while (depth < line.n && (line.p[depth] == '*' || line.p[depth] == '#'))
		depth++;
	if (!depth || depth > DEPTH_MAX || depth >= line.n || line.p[depth] != ' ')
		return false;
	buf_addchn(r->out, ' ', 3 * (depth - 1));
	buf_addstr(r->out, line.p[depth - 1] == '*' ? "- " : "1. ");
	md_inline(r->out, trim(after(line, depth)), &r->lossy);
	buf_addch(r->out, '\n');
	return true;
}

static bool is_row(struct span line)
{
	line = trim(line);
	return line.n > 2 && line.p[0] == '|' && line.p[line.n - 1] == '|';
}

/* One cell, up to its '|'; *head: it is a heading. Merged and aligned cells lose that. */
static struct span cell_next(struct span *row, bool *head, bool *lossy)
{
	const char *bar = memchr(row->p, '|', row->n);
	struct span c = { row->p, bar ? (size_t)(bar - row->p) : row->n };
	size_t dot = 0;

	*row = after(*row, c.n + 1);
	*head = begins(c, "_.");
	if (*head)
		return trim(after(c, 2));
	while (dot < c.n && strchr("\\/<>=^~_0123456789", c.p[dot]))
		dot++;
	if (dot && dot < c.n && c.p[dot] == '.' && (dot + 1 == c.n || c.p[dot + 1] == ' ')) {
		*lossy = true;
		c = after(c, dot + 1);
	}
	return trim(c);
}

static size_t md_row(struct reader *r, struct span line, bool *head)
{
	struct span row = trim(line);
	size_t n = 0;
	bool h;

	row = (struct span){ row.p + 1, row.n - 2 };
	*head = false;
	buf_addch(r->out, '|');
	do {
		struct span c = cell_next(&row, &h, &r->lossy);
		*head = *head || h;
		buf_addch(r->out, ' ');
		md_inline(r->out, c, &r->lossy);
		buf_addstr(r->out, " |");
		n++;
	} while (row.n);
	buf_addch(r->out, '\n');
	return n;
}

static bool md_table(struct reader *r, struct span line)
{
	struct buf first = BUF_INIT, *out = r->out;
	bool head;
	size_t n;

	if (!is_row(line))
		return false;
	r->out = &first;
	n = md_row(r, line, &head);
	r->out = out;
	for (size_t i = 0; !head && i < n; i++)
		buf_addstr(out, i ? "  |" : "|  |");
	if (!head)
		buf_addch(out, '\n');
	else
		buf_addbuf(out, &first);
	for (size_t i = 0; i < n; i++)
		buf_addstr(out, i ? "---|" : "|---|");
	buf_addch(out, '\n');
	if (!head)
		buf_addbuf(out, &first);
	buf_release(&first);
	while (is_row(line_peek(r)))
		md_row(r, line_next(r), &head);
	return true;
}

/* What looks like a Markdown block at the start of a line but was none. */
static void md_guard(struct buf *b, struct span *s)
{
	size_t digits = 0, n = run_of(*s, '>');

	while (n && n < s->n && s->p[n] == ' ' && (size_t)(n + 1) < s->n && s->p[n + 1] == '>')
		n += 2;
	if (n) {      /* Redmine quotes as mail does, and so does Markdown */
		add(b, (struct span){ s->p, n });
		*s = after(*s, n);
	}
	while (digits < s->n && isdigit((unsigned char)s->p[digits]))
		digits++;
	if (digits && digits + 1 < s->n && s->p[digits] == '.' && s->p[digits + 1] == ' ') {
		add(b, (struct span){ s->p, digits });
		buf_addstr(b, "\\.");
		*s = after(*s, digits + 1);
	} else if (s->n && *s->p == '#' && run_of(*s, '#') <= 6 && is_space(s->p[run_of(*s, '#')])) {
		buf_addch(b, '\\');
	}
}

static void md_text(struct reader *r, struct span line)
{
	bool attrs;
	size_t n = block_head(line, "p", &attrs);

	if (n) {
		r->lossy = r->lossy || attrs;
		line = after(line, n);
	}
	line = trim(line);
	md_guard(r->out, &line);
	md_inline(r->out, line, &r->lossy);
	if (trim(line_peek(r)).n && line.n && !is_row(line_peek(r)) && *r->at)
		buf_addstr(r->out, "  ");     /* a line end is one in Textile */
	buf_addch(r->out, '\n');
}

void textile_to_markdown(struct buf *out, const char *in, bool *lossy)
{
	struct reader r = { .out = out, .at = in };
	size_t start = out->len;

	while (*r.at) {
		struct span line = line_next(&r);
		if (!trim(line).n) {
			buf_addch(out, '\n');
			continue;
		}
		if (is_rule(line) && *trim(line).p == '-') {
			buf_addstr(out, out->len > start && out->ptr[out->len - 1] == '\n' ? "\n---\n" : "---\n");
			continue;
		}
		if (!md_pre(&r, line) && !md_heading(&r, line) && !md_block(&r, line) && !md_list(&r, line) && !md_table(&r, line))
			md_text(&r, line);
	}
	while (out->len > start && out->ptr[out->len - 1] == '\n' && (!*in || in[strlen(in) - 1] != '\n'))
		buf_setlen(out, out->len - 1);
	*lossy = *lossy || r.lossy;
}

/* ---- Markdown to Textile: inside a line ---- */

static void tx_inline(struct buf *b, struct span s, bool *lossy);

static size_t tx_code(struct buf *b, struct span s)
{
	size_t n = run_of(s, '`');
	struct span in = { s.p + n, 0 };

	for (size_t i = n; i < s.n;) {
		size_t k = run_of(after(s, i), '`');
		if (k == n) {
			in.n = i - n;
			if (in.n > 2 && in.p[0] == ' ' && in.p[in.n - 1] == ' ')
				in = (struct span){ in.p + 1, in.n - 2 };
			if (memchr(in.p, '@', in.n) || !in.n || is_space(*in.p) || (i + n < s.n && is_word(s.p[i + n]))) {
				buf_addstr(b, "<code>");
				add(b, in);
				buf_addstr(b, "</code>");
			} else {
				buf_addch(b, '@');
				add(b, in);
				buf_addch(b, '@');
			}
			return i + n;
		}
		i += k ? k : 1;
	}
	return 0;
}

/* [text](address "title") and ![text](address) */
static size_t tx_link(struct buf *b, struct span s, bool *lossy)
{
	bool image = *s.p == '!';
	struct span text = after(s, image ? 2 : 1), url;
	size_t depth = 1, n = 0, open = 0, end;

	if (image && (s.n < 2 || s.p[1] != '['))
		return 0;
	for (; n < text.n && depth; n++)
		depth += (text.p[n] == '[') - (text.p[n] == ']');
	if (depth || n >= text.n || text.p[n] != '(')
		return 0;
	url = after(text, n + 1);
	text.n = n - 1;
	for (end = 0; end < url.n && !(url.p[end] == ')' && open == 0); end++)
		open += (size_t)(url.p[end] == '(') - (size_t)(url.p[end] == ')');
	if (end == url.n)
		return 0;
	n = (size_t)(url.p - s.p) + end + 1;
	url.n = end;
	url = trim(url);
	if (url.n > 2 && *url.p == '<' && url.p[url.n - 1] == '>')
		url = (struct span){ url.p + 1, url.n - 2 };
	for (size_t i = 0; i < url.n; i++)
		if (is_space(url.p[i])) {
			url.n = i;
			*lossy = true;
		}
	if (!url.n || !text.n || (!image && !is_url(url)))
		return 0;
	buf_addch(b, image ? '!' : '"');
	if (image) {
		add(b, url);
		buf_addch(b, '(');
		add(b, text);
		buf_addstr(b, ")!");
		return n;
	}
	tx_inline(b, text, lossy);
	buf_addstr(b, "\":");
	add(b, url);
	return n;
}

static const struct { const char *md, *mark; } strongs[] = { { "**", "*" }, { "__", "*" }, { "~~", "-" }, { "*", "_" }, { "_", "_" } };

static size_t tx_phrase(struct buf *b, struct span s, bool start, bool *lossy)
{
	for (size_t i = 0; i < ARRAY_SIZE(strongs); i++) {
		size_t m = strlen(strongs[i].md), n;
		if (!begins(s, strongs[i].md) || (*s.p == '_' && !start))
			continue;
		n = phrase_len(s, strongs[i].md);
		if (!n)
			continue;
		if (!start)
			*lossy = true;    /* Textile marks whole words */
		buf_addstr(b, strongs[i].mark);
		tx_inline(b, (struct span){ s.p + m, n }, lossy);
		buf_addstr(b, strongs[i].mark);
		return n + 2 * m;
	}
	return 0;
}

/* Text that Textile would dress up: kept from it as a whole. */
static size_t tx_guard(struct buf *b, struct span s)
{
	static const char *const marks[] = { "-", "+", "^", "~", "%", "@", "??", "*", "_" };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		size_t m = strlen(marks[i]), n = phrase_len(s, marks[i]);
		if (!n)
			continue;
		buf_addstr(b, "<notextile>");
		for (size_t k = 0; k < n + 2 * m; k++)
			if (s.p[k] != '\\' || k + 1 == s.n || !ispunct((unsigned char)s.p[k + 1]))
				buf_addch(b, s.p[k]);
		buf_addstr(b, "</notextile>");
		return n + 2 * m;
	}
	return 0;
}

static size_t tx_angle(struct buf *b, struct span s, bool *lossy)
{
	const char *gt = memchr(s.p, '>', s.n), *end;

	if (begins(s, "<!--") && (end = find_in(s, "-->"))) {
		*lossy = true;
		return (size_t)(end - s.p) + 3;
	}
	if (!gt || !is_url(after(s, 1)) || s.p[1] == '/' || s.p[1] == '#')
		return 0;
	add(b, (struct span){ s.p + 1, (size_t)(gt - s.p) - 1 });
	return (size_t)(gt - s.p) + 1;
}

static void tx_inline(struct buf *b, struct span s, bool *lossy)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		struct span rest = after(s, i);
		bool start = i == 0 || !is_word(s.p[i - 1]);
		n = 0;
		if (start && is_url(rest) && *rest.p != '/' && *rest.p != '#') {
			n = url_len(rest);
			add(b, (struct span){ rest.p, n });
		}
		if (!n && *rest.p == '\\' && rest.n > 1 && ispunct((unsigned char)rest.p[1])) {
			n = 1 + tx_guard(b, after(rest, 1));
			if (n == 1) {
				buf_addch(b, rest.p[1]);
				n = 2;
			}
		}
		if (!n && *rest.p == '`')
			n = tx_code(b, rest);
		if (!n && (*rest.p == '[' || *rest.p == '!'))
			n = tx_link(b, rest, lossy);
		if (!n && *rest.p == '<')
			n = tx_angle(b, rest, lossy);
		if (!n && strchr("*_~", *rest.p))
			n = tx_phrase(b, rest, start, lossy);
		if (!n && start && strchr("-+^~%@?", *rest.p))
			n = tx_guard(b, rest);
		if (!n) {
			buf_addch(b, *rest.p);
			n = 1;
		}
	}
}

/* ---- Markdown to Textile: lines ---- */

struct writer { struct reader r; size_t indents[DEPTH_MAX]; char kinds[DEPTH_MAX]; size_t depth; bool list; };

static size_t fence_len(struct span s, char *c)
{
	size_t n;

	s = trim(s);
	*c = s.n ? *s.p : ' ';
	n = *c == '`' || *c == '~' ? run_of(s, *c) : 0;
	return n >= 3 && !(*c == '`' && memchr(s.p + n, '`', s.n - n)) ? n : 0;
}

static void tx_pre(struct writer *w, struct span lang, const char *p, size_t n)
{
	struct buf *b = w->r.out;

	buf_addstr(b, "<pre>");
	if (lang.n) {
		buf_addstr(b, "<code class=\"");
		add(b, lang);
		buf_addstr(b, "\">");
	}
	if (!lang.n)
		buf_addch(b, '\n');
	for (size_t i = 0; i < n; i++) {
		if (begins((struct span){ p + i, n - i }, "</pre>")) {
			buf_addstr(b, "</ pre>");
			i += 5;
			w->r.lossy = true;
		} else {
			buf_addch(b, p[i]);
		}
	}
	buf_addstr(b, lang.n ? "</code></pre>\n" : "</pre>\n");
}

static bool tx_fence(struct writer *w, struct span line)
{
	char c, other;
	size_t n = fence_len(line, &c), m, end;
	struct span lang;
	const char *from = w->r.at;

	if (!n)
		return false;
	lang = trim(after(trim(line), n));
	for (size_t i = 0; i < lang.n; i++)
		if (is_space(lang.p[i]) || lang.p[i] == '"' || lang.p[i] == '{')
			lang.n = i;
	for (end = strlen(from); *w->r.at;) {
		struct span l = line_next(&w->r);
		m = fence_len(l, &other);
		if (m >= n && other == c && m == trim(l).n) {
			end = (size_t)(l.p - from);
			break;
		}
	}
	tx_pre(w, lang, from, end);
	return true;
}

static bool tx_heading(struct writer *w, struct span line)
{
	struct span s = trim(line), next = trim(line_peek(&w->r));
	size_t n = run_of(s, '#');
	bool setext = next.n && s.n && (run_of(next, '=') == next.n || (run_of(next, '-') == next.n && next.n > 1)) && !is_row(s);

	if (n >= 1 && n <= 6 && n < s.n && s.p[n] == ' ') {
		s = trim(after(s, n));
		while (s.n && s.p[s.n - 1] == '#')
			s.n--;
	} else if (setext) {
		n = *next.p == '=' ? 1 : 2;
		line_next(&w->r);
	} else {
		return false;
	}
	buf_addf(w->r.out, "h%zu. ", n);
	tx_inline(w->r.out, trim(s), &w->r.lossy);
	buf_addch(w->r.out, '\n');
	if (trim(line_peek(&w->r)).n)
		buf_addch(w->r.out, '\n');     /* a heading reaches to the blank line */
	return true;
}

static size_t list_mark(struct span s, char *kind)
{
	size_t n = 0;

	if (s.n > 1 && strchr("-*+", *s.p) && s.p[1] == ' ') {
		*kind = '*';
		return 2;
	}
	while (n < s.n && n < 9 && isdigit((unsigned char)s.p[n]))
		n++;
	*kind = '#';
	return n && n + 1 < s.n && (s.p[n] == '.' || s.p[n] == ')') && s.p[n + 1] == ' ' ? n + 2 : 0;
}

static bool tx_list(struct writer *w, struct span line)
{
	size_t indent = 0, mark;
	char kind;

	while (indent < line.n && line.p[indent] == ' ')
		indent++;
	mark = list_mark(after(line, indent), &kind);
	if (!mark || (!w->list && indent >= 4))
		return false;
	if (!w->list)
		w->depth = 0;
	while (w->depth && indent < w->indents[w->depth - 1] && w->depth > 1)
		w->depth--;
	if (!w->depth || (indent >= w->indents[w->depth - 1] + 2 && w->depth < DEPTH_MAX))
		w->indents[w->depth++] = indent;
	w->kinds[w->depth - 1] = kind;
	w->list = true;
	buf_add(w->r.out, w->kinds, w->depth);
	buf_addch(w->r.out, ' ');
	tx_inline(w->r.out, trim(after(line, indent + mark)), &w->r.lossy);
	buf_addch(w->r.out, '\n');
	return true;
}

static bool is_delimiter(struct span s)
{
	s = trim(s);
	if (!memchr(s.p, '-', s.n) || !memchr(s.p, '|', s.n))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("|-: ", s.p[i]))
			return false;
	return true;
}

static void tx_row(struct writer *w, struct span line, bool head)
{
	struct span s = trim(line);

	if (s.n && *s.p == '|')
		s = after(s, 1);
	if (s.n && s.p[s.n - 1] == '|')
		s.n--;
	buf_addch(w->r.out, '|');
	while (s.n) {
		const char *bar = memchr(s.p, '|', s.n);
		struct span c = { s.p, bar ? (size_t)(bar - s.p) : s.n };
		buf_addstr(w->r.out, head ? "_. " : " ");
		tx_inline(w->r.out, trim(c), &w->r.lossy);
		buf_addstr(w->r.out, " |");
		s = after(s, c.n + 1);
	}
	buf_addch(w->r.out, '\n');
}

static bool tx_table(struct writer *w, struct span line)
{
	if (!memchr(line.p, '|', line.n) || !is_delimiter(line_peek(&w->r)))
		return false;
	line_next(&w->r);
	tx_row(w, line, true);
	while (trim(line_peek(&w->r)).n && memchr(w->r.at, '|', line_peek(&w->r).n))
		tx_row(w, line_next(&w->r), false);
	return true;
}

/* Four blanks after a blank line are code. */
static bool tx_indented(struct writer *w, struct span line, bool blank)
{
	struct buf b = BUF_INIT;

	if (!blank || w->list || !begins(line, "    "))
		return false;
	for (;; line = line_next(&w->r)) {
		buf_add(&b, after(line, 4).p, after(line, 4).n);
		buf_addch(&b, '\n');
		if (!begins(line_peek(&w->r), "    ") || !trim(line_peek(&w->r)).n)
			break;
	}
	tx_pre(w, (struct span){ "", 0 }, b.ptr, b.len);
	buf_release(&b);
	return true;
}

/* What Textile would take for a block though it is none. */
static bool is_tx_block(struct span s)
{
	static const char *const names[] = { "h1", "h2", "h3", "h4", "h5", "h6", "bq", "bc", "p", "fn1" };
	bool attrs;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (block_head(s, names[i], &attrs))
			return true;
	return begins(s, "# ") || begins(s, "## ");
}

static void tx_text(struct writer *w, struct span line)
{
	struct span s = trim(line);
	size_t quotes = 0;

	while (quotes < s.n && (s.p[quotes] == '>' || (s.p[quotes] == ' ' && quotes && s.p[quotes - 1] == '>')))
		quotes++;
	add(w->r.out, (struct span){ s.p, quotes });
	s = after(s, quotes);
	if (s.n && s.p[s.n - 1] == '\\')
		s.n--;                        /* a line end that was meant: it is one anyhow */
	if (is_tx_block(s)) {
		buf_addstr(w->r.out, "<notextile></notextile>");
		w->r.lossy = true;
	}
	tx_inline(w->r.out, trim(s), &w->r.lossy);
	buf_addch(w->r.out, '\n');
}

void markdown_to_textile(struct buf *out, const char *in, bool *lossy)
{
	struct writer w = { .r = { .out = out, .at = in } };
	size_t start = out->len;
	bool blank = true;

	while (*w.r.at) {
		struct span line = line_next(&w.r);
		bool was = blank;
		blank = !trim(line).n;
		if (blank) {
			buf_addch(out, '\n');
			continue;
		}
		if (is_rule(line)) {
			buf_addstr(out, "---\n");
			continue;
		}
		if (tx_list(&w, line))
			continue;
		w.list = w.list && !was && *line.p == ' ';
		if (!tx_fence(&w, line) && !tx_heading(&w, line) && !tx_table(&w, line) && !tx_indented(&w, line, was))
			tx_text(&w, line);
	}
	while (out->len > start && out->ptr[out->len - 1] == '\n' && (!*in || in[strlen(in) - 1] != '\n'))
		buf_setlen(out, out->len - 1);
	*lossy = *lossy || w.r.lossy;
}
