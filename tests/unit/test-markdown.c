/* SPDX-License-Identifier: MIT */
/* Markdown: what each construct looks like, that hostile text is fast, clean and complete. */
#include "styled-check.h"
#include <time.h>

static const struct { const char *name, *in; int width; const char *out; } examples[] = {
	{ "nothing", "", 40, "" },
	{ "blank", " \n\n", 40, "" },
	{ "paragraphs", "one\n\ntwo\n", 40, "one\n\ntwo\n" },
	{ "short lines stay", "one\ntwo", 40, "one\ntwo\n" },
	{ "filled lines flow", "A line that an editor has filled up to its margin at seventy-two,\nso that it goes on.", 200,
	  "A line that an editor has filled up to its margin at seventy-two, so that it goes on.\n" },
	{ "hard break", "one  \ntwo\\\nthree", 40, "one\ntwo\nthree\n" },
	{ "inline", "**b** *i* `c *d*` ~~s~~", 40, "{s:b} {e:i} {c:c *d*} {d:~~s~~}\n" },
	{ "nested inline", "***x*** **a `b` c**", 40, "{s:x} {s:a }{c:b}{s: c}\n" },
	{ "heading", "# One *two*\ntext\n\nThree\n---", 40, "{h:One }{e:two}\n\ntext\n\n{h:Three}\n" },
	{ "escapes", "\\*a\\* 1\\. \\#", 40, "*a* 1. #\n" },
	{ "entities", "&lt;a&gt; &amp; &copy; &#65;&#x42; &nope; &", 40, "<a> & © AB &nope; &\n" },
	{ "entities that bite", "&#27;[31m &#x9b; &#8238; &#0; &#1114112; &#10;x", 60,
	  "^[[31m \\x{9b} <U+202E> \xef\xbf\xbd \xef\xbf\xbd ^Jx\n" },
	{ "raw HTML", "<b>x</b> <script>\n\n<div>\n*y*\n</div>\n\n<!-- k -->", 40,
	  "<b>x</b> <script>\n\n<div>\n{e:y}\n</div>\n\n<!-- k -->\n" },
	{ "bullets", "- one\n* two\n", 40, "- one\n\n- two\n" },
	{ "tight list", "intro\n- one\n- two\n\nafter", 40, "intro\n\n- one\n- two\n\nafter\n" },
	{ "loose list", "- one\n\n- two\n", 40, "- one\n\n- two\n" },
	{ "hanging indent", "- one two three four\n", 11, "- one two\n  three\n  four\n" },
	{ "nested list", "- a\n  - b\n    1. c\n    2. d\n  - e\n- f\n", 40,
	  "- a\n  - b\n    1. c\n    2. d\n  - e\n- f\n" },
	{ "list in list item", "- - a\n", 40, "- - a\n" },
	{ "ordered from 9", "9. a\n10. b c\n", 8, "9. a\n10. b c\n" },
	{ "ordered with bracket", "1) a\n2) b\n", 40, "1) a\n2) b\n" },
	{ "paragraph in item", "1. a\n\n   b\n", 40, "1. a\n\n   b\n" },
	{ "empty item", "-\n- a\n", 40, "- \n- a\n" },
	{ "tasks", "- [ ] a\n- [x] b\n- [X] c d\n", 8, "- [ ] a\n- [x] b\n- [x] c\n      d\n" },
	{ "quote", "> a b c\n> d\n", 5, "{q:> }{q:a b}|\n{q:> }{q:c}|\n{q:> }{q:d}|\n" },
	{ "quote, two paragraphs", "> a\n>\n> b\n\nc", 40, "{q:> }{q:a}|\n{q:>}|\n{q:> }{q:b}|\n\nc\n" },
	{ "quote in quote", "> a\n>> b\n", 40, "{q:> }{q:a}|\n{q:>}|\n{q:> > }{q:b}|\n" },
	{ "list in quote", "> - a\n> - b\n", 40, "{q:> }- {q:a}|\n{q:> }- {q:b}|\n" },
	{ "quote in item", "- > a\n", 40, "- {q:> }{q:a}|\n" },
	{ "fence", "```c\nint x;\n\n    return;\n```\n", 5, "    {c:int x;}$\n$\n    {c:    return;}$\n" },
	{ "indented code", "    a *b*\n    c\n", 40, "    {c:a *b*}$\n    {c:c}$\n" },
	{ "code in item", "1. a\n\n   ```\n   b\n   ```\n", 40, "1. a\n\n       {c:b}$\n" },
	{ "diff", "```diff\n-a\n+b\n c\n```", 40, "    {D:-a}$\n    {A:+b}$\n    {c: c}$\n" },
	{ "suggestion", "```suggestion\nx\n```", 40, "{d:suggested change:}\n    {c:x}$\n" },
	{ "code hides nothing", "`a\xe2\x80\x8d" "b` `❤️`", 40, "{c:a<U+200D>b} {c:❤<U+FE0F>}\n" },
	{ "rule", "a\n\n***\n\nb", 5, "a\n\n{r:-----}\n\nb\n" },
	{ "link", "[text](http://x.example/y)", 60, "{l:text}{d: (http://x.example/y)}\n" },
	{ "link that says where", "<http://x.example> https://y.example www.z.example me@x.example", 80,
	  "{l:http://x.example} {l:https://y.example} {l:www.z.example} {l:me@x.example}\n" },
	{ "link that lies", "[https://good.example](https://evil.example)", 80,
	  "{l:https://good.example}{d: (https://evil.example)}\n" },
	{ "link with title", "[a](b \"c &amp; d\")", 40, "{l:a}{d: (b \"c & d\")}\n" },
	{ "link with a trap", "[a](http://x/\xe2\x80\xaey&#27;)", 60, "{l:a}{d: (http://x/<U+202E>y^[)}\n" },
	{ "link by reference", "[a][r]\n\n[r]: /u", 40, "{l:a}{d: (/u)}\n" },
	{ "empty link", "[](u)", 40, "{d:(u)}\n" },
	{ "image", "![alt *x*](i.png)", 40, "{l:[image: alt }{e:x}{l:]}{d: (i.png)}\n" },
	{ "image in link", "[![b](i)](u)", 40, "{l:[image: b]}{d: (i) (u)}\n" },
	{ "table", "|a|b|c|\n|---|:-:|--:|\n|1|2|3|\n|long one|x|1000|\n", 40,
	  "{s:a}         {s:b}     {s:c}\n{r:--------}{r:  -}{r:  ----}\n1         2     3\nlong one  x  1000\n" },
	{ "table, empty cells", "|a|b|\n|---|---|\n| |2|\n|1||\n", 40, "{s:a}  {s:b}\n{r:-}{r:  -}\n   2\n1\n" },
	{ "wide table", "|name|what it is|\n|---|---|\n|alpha|the first of the letters|\n|beta||\n", 20,
	  "- {s:name: }alpha\n  {s:what it is: }the\n  first of the\n  letters\n- {s:name: }beta\n" },
	{ "wide characters in a table", "|漢|b|\n|---|---|\n|a|c|\n", 40, "{s:漢}  {s:b}\n{r:--}{r:  -}\na   c\n" },
	{ "table in quote", "> |a|b|\n> |---|---|\n> |1|2|\n", 40, "{q:> }{s:a}  {s:b}|\n{q:> }{r:-}{r:  -}|\n{q:> }{q:1}  {q:2}|\n" },
	{ "header alone", "|a|b|\n|---|---|\n", 40, "{s:a}  {s:b}\n{r:-}{r:  -}\n" },
	{ "accent behind a mark", "*\xcc\x81*", 40, "{e:<U+0301>}\n" },
	{ "CRLF", "a\r\n\r\n- b\r\n", 40, "a\n\n- b\n" },
	{ "NUL", "a\\0b", 40, "a\\0b\n" },
	{ "no final newline in a fence", "```\na", 40, "    {c:a}$\n" },
};

static void constructs(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		struct styled s = STYLED_INIT;
		struct buf b = BUF_INIT;
		styled_markdown(&s, examples[i].in, strlen(examples[i].in), examples[i].width, 0);
		styled_show(&b, &s);
		if (strcmp(b.ptr, examples[i].out))
			fail_msg("%s: got\n%swanted\n%s", examples[i].name, b.ptr, examples[i].out);
		styled_check(&s, examples[i].width, examples[i].name);
		buf_release(&b);
		styled_release(&s);
	}
}

static void indented_and_added(void **state UNUSED)
{
	static const char text[] = "one two\n\n> q\n\n    code";
	struct styled s = STYLED_INIT;
	struct buf b = BUF_INIT;

	styled_add(&s, STYLE_NORMAL, "before");
	styled_markdown(&s, text, sizeof(text) - 1, 9, 4);
	styled_plain(&b, &s);
	assert_buf(&b, "before\n    one\n    two\n\n    > q\n\n        code\n");
	buf_release(&b);
	styled_release(&s);
}

/* Levels beyond three quarters of the width are not drawn, but what they hold is. */
static void deep_nesting(void **state UNUSED)
{
	struct buf in = BUF_INIT, out = BUF_INIT;
	struct styled s = STYLED_INIT;

	buf_addchn(&in, '>', 5000);
	buf_addstr(&in, "some words");
	styled_markdown(&s, in.ptr, in.len, 20, 0);
	styled_check(&s, 20, "deep");
	styled_plain(&out, &s);
	assert_buf(&out, "> > > > > > > some\n> > > > > > > words\n");
	buf_release(&in);
	buf_release(&out);
	styled_release(&s);
}

static void every_width(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		for (int width = -1; width < 12; width++) {
			struct styled s = STYLED_INIT;
			styled_markdown(&s, examples[i].in, strlen(examples[i].in), width, 0);
			styled_check(&s, width, examples[i].name);
			styled_release(&s);
		}
}

static size_t count(const struct styled *s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s->lines.len; i++)
		for (size_t k = 0; k < s->lines.items[i].n; k++)
			for (size_t j = 0; j < s->lines.items[i].spans[k].len; j++)
				n += s->lines.items[i].spans[k].text[j] == c;
	return n;
}

static void large_text_is_whole(void **state UNUSED)
{
	struct buf in = BUF_INIT;
	struct styled s = STYLED_INIT;

	while (in.len < 1000000)
		buf_addstr(&in, "**Q** words [in](a) paragraph\n\n");
	styled_markdown(&s, in.ptr, in.len, 76, 0);
	assert_int_equal(count(&s, 'Q'), in.len / 31);
	styled_check(&s, 76, "large");
	styled_release(&s);
	buf_reset(&in);
	for (int i = 0; i < 300000; i++)
		buf_addstr(&in, "漢"); /* one line, cut somewhere */
	styled_markdown(&s, in.ptr, in.len, 76, 0);
	styled_check(&s, 76, "one line");
	assert_int_equal(count(&s, '\xbd'), 0); /* no U+FFFD from a torn character */
	styled_release(&s);
	buf_release(&in);
}

/* Patterns that made other parsers, or md4c, take minutes or gigabytes; head, then body up to the size. */
static const struct { const char *name, *head, *body; } bombs[] = {
	{ "quotes", "", ">" }, { "quotes then lazy lines", ">>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>a\n", "b\n" },
	{ "lists", "", "- " }, { "ordered lists", "", "1. " }, { "mixed containers", "", "> - 1. " }, { "items", "", "1. a\n" },
	{ "emphasis", "", "*a " }, { "emphasis mixed", "", "*_" }, { "emphasis two", "", "a**b_c*" }, { "strong", "", "**a" },
	{ "brackets", "", "[" }, { "open links", "", "[](" }, { "open links two", "", "[a](" }, { "images", "", "![[" },
	{ "brackets on lines", "", "[]\n" }, { "brackets in quotes", "", "> []\n" }, { "links on lines", "", "[a](b)\n" },
	{ "references", "", "[r]: u\n" }, { "links", "", "[a](b) " }, { "titles", "", "[a](b \"" },
	{ "backticks", "", "`a `` " }, { "entities", "", "&amp;" }, { "ampersands", "", "&" }, { "tags", "", "<" },
	{ "comments", "", "<!--" }, { "CDATA", "", "<![CDATA[" }, { "declarations", "", "<!a " }, { "instructions", "", "<?" },
	{ "table rows", "a|b|c|d|e|f|g|h\n---|---|---|---|---|---|---|---\n", "x\n" }, { "table", "a|b\n---|---\n", "|x|y|\n" },
	{ "addresses", "", "http://a " }, { "www", "", "www." }, { "mail", "", "a@b." }, { "rules", "", "***\n" },
	{ "fences", "", "```\n" }, { "tildes", "", "~" }, { "struck", "", "~a~ " }, { "line feeds", "", "\n" }, { "blanks", "", " " },
	{ "tabs", "", "\t" }, { "tabbed", "", "\ta\n" }, { "backslashes", "", "\\" }, { "escapes", "", "\033[31m" },
	{ "accents", "a", "\xcc\x81" }, { "family", "", "👩\xe2\x80\x8d" }, { "flags", "", "🇩" }, { "jamo", "", "\xe1\x84\x80" },
	{ "bad bytes", "", "\x80" }, { "ideographs", "", "漢" }, { "one word", "", "x" }, { "setext", "", "a\n=\n" },
};

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* What honest text of the same size takes here, with these sanitizers. */
static double honest(void)
{
	struct styled s = STYLED_INIT;
	struct buf in = BUF_INIT;
	double start;

	while (in.len < 256 * 1024)
		buf_addstr(&in, "Some words with a [link](http://x.example) and *more* of them, as people write.\n\n");
	start = seconds();
	styled_markdown(&s, in.ptr, in.len, 76, 0);
	start = seconds() - start;
	styled_release(&s);
	buf_release(&in);
	return start;
}

static void set_bomb(const char *name, const struct buf *in, int width, double limit)
{
	struct styled s = STYLED_INIT;
	double start = seconds();

	styled_markdown(&s, in->ptr, in->len, width, 0);
	if (seconds() - start > limit)
		fail_msg("%s took %.1f s", name, seconds() - start);
	if (s.arena.total > 64u << 20)
		fail_msg("%s took %zu bytes", name, s.arena.total);
	styled_release(&s);
}

static void bombs_are_fast(void **state UNUSED)
{
	double limit = 1 + 50 * honest(); /* they take up to 0.2 s; without their guards 3 s to minutes */
	struct buf in = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(bombs); i++) {
		buf_reset(&in);
		buf_addstr(&in, bombs[i].head);
		while (in.len < 256 * 1024)
			buf_addstr(&in, bombs[i].body);
		set_bomb(bombs[i].name, &in, 76, limit);
		set_bomb(bombs[i].name, &in, 5, limit);
	}
	buf_release(&in);
}

static void repeat(struct buf *b, const char *s, size_t n)
{
	while (n-- > 0)
		buf_addstr(b, s);
}

/* Small input, large output: a long address used again and again, and rows whose empty cells are filled up. */
static void what_grows_is_set_as_plain_text(void **state UNUSED)
{
	double limit = 1 + 50 * honest();
	struct buf in = BUF_INIT;
	struct styled s = STYLED_INIT;

	buf_addstr(&in, "[a]: ");
	repeat(&in, "x", 100000);
	buf_addstr(&in, "\n\n");
	repeat(&in, "[a]Q", 40000);
	set_bomb("address", &in, 76, limit);
	styled_markdown(&s, in.ptr, in.len, 76, 0);
	assert_int_equal(count(&s, 'Q'), 40000);
	styled_release(&s);
	buf_reset(&in);
	repeat(&in, "a|", 20000);
	buf_addch(&in, '\n');
	repeat(&in, "---|", 20000);
	buf_addch(&in, '\n');
	repeat(&in, "Q\n", 80000);
	set_bomb("table", &in, 76, limit);
	styled_markdown(&s, in.ptr, in.len, 76, 0);
	assert_int_equal(count(&s, 'Q'), 80000);
	styled_release(&s);
	buf_release(&in);
}

static void random_markdown_is_clean(void **state UNUSED)
{
	static const char *const bits[] = { "*", "**", "_", "`", "~~", "[", "](", ")", "![", "<", ">", "\n", "\n\n", "- ", "1. ", "> ", "|", "|---|---|\n",
					    "    ", "```", "# ", "&#27;", "&#x301;", "\xcc\x81", "\xe2\x80\x8d", "👩", "\033[", "\xff", "\t", "\\", " ",
					    "word", "http://a.b", "漢", "❤️", "\xe2\x80\xae", "[x] ", "\r\n", "---\n", "a@b.c" };
	uint64_t seed = 77;

	for (int i = 0; i < 20000; i++) {
		struct buf in = BUF_INIT;
		struct styled s = STYLED_INIT;
		int width = (int)(random_next(&seed) % 40);
		for (uint64_t k = random_next(&seed) % 40; k > 0; k--)
			buf_addstr(&in, bits[random_next(&seed) % ARRAY_SIZE(bits)]);
		styled_markdown(&s, in.ptr, in.len, width, 0);
		styled_check(&s, width, in.ptr);
		styled_release(&s);
		buf_release(&in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constructs),
		cmocka_unit_test(indented_and_added),
		cmocka_unit_test(deep_nesting),
		cmocka_unit_test(every_width),
		cmocka_unit_test(large_text_is_whole),
		cmocka_unit_test(bombs_are_fast),
		cmocka_unit_test(what_grows_is_set_as_plain_text),
		cmocka_unit_test(random_markdown_is_clean),
	};

	return cmocka_run_group_tests_name("markdown", tests, NULL, NULL);
}
