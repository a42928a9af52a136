/* SPDX-License-Identifier: MIT */
/*
 * Markdown to styled lines. md4c calls back block by block; what it says is kept as a stack of levels (quotes, lists,
 * items) that put something before each line, and one flow of inline text that is broken into lines when its block ends.
 *
 * What is set looks like Markdown where that is what is readable without colours: "> " before quotations, "- " and "1. "
 * before items, "[x] " before tasks, "~~" around what was struck out; code is set in by four blanks. A link's address
 * follows its text unless they are the same, so that no text can pretend to lead elsewhere.
 *
 * A line break inside a paragraph stays, as trackers show it, but where the line was plainly filled by an editor (the next
 * word would have gone past 60 cells) it is a blank, so that such text is set anew to the width at hand.
 *
 * Hostile input: levels leave a quarter of the width for the text; the work and the text that md4c makes out of the input are
 * budgeted (a table's empty cells and a reference's address can be repeated for ever), and past the budget the whole text
 * is set as plain text, which leaves nothing out. What makes md4c itself slow is looked for beforehand.
 */
#include "config.h"
#include <md4c.h>
#include <stdlib.h>
#include <string.h>
#include "killick/base/utf8.h"
#include "killick/text/sanitize.h"
#include "killick/text/width.h"
#include "entities.h"
#include "flow.h"

enum {
	MARKDOWN_MAX = 256 * 1024, /* trust.md 21 */
	FILLED = 60,
	CODE_INDENT = 4,
	TAB = 8,
	BRACKET_LINES = 200 * 1000 * 1000,
};

/* Something that stands before lines: a quote's "> ", an item's marker on its first line and blanks on the others. */
struct level {
	bool quote, item, tight, used;
	unsigned number; /* of an ordered list's next item; the list is the level below */
	char delim;      /* '.' or ')' of an ordered list, 0: bullets */
	char mark[24];
	int cells;
};

/* An open span; for links and images also where their text begins in the flow. */
struct open_span {
	MD_SPANTYPE type;
	enum style style;
	size_t start;
	const char *url, *title;
};

struct cell { unsigned row, col; struct flow flow; };

struct table {
	ARRAY(struct cell) cells;
	MD_ALIGN *align;
	unsigned cols, row, col;
};

struct md {
	struct styled *s;
	struct arena scratch;
	int width, indent, before; /* before: cells of the levels that are shown */
	size_t shown, quotes;
	ARRAY(struct level) levels;
	ARRAY(struct open_span) spans;
	struct flow flow;
	struct table table;
	struct buf code, tmp;
	enum style base;
	bool gap;          /* a block ended: an empty line before the next */
	bool in_code, is_diff;
	size_t calls_left, bytes_left;
	bool failed;       /* the budget is spent; md4c 0.4.8 does not always stop when a callback says so */
};

/* ---- lines and what stands before them ---- */

static struct level *top_level(struct md *m)
{
	return m->levels.len ? &m->levels.items[m->levels.len - 1] : NULL;
}

static void level_push(struct md *m, struct level l)
{
	int space = m->width - m->indent, text = space < 8 ? 2 : (space + 3) / 4;

	*array_add(&m->levels) = l;
	m->quotes += l.quote;
	if (m->shown + 1 == m->levels.len && m->before + l.cells <= space - text) {
		m->before += l.cells;
		m->shown++;
	}
}

static void level_pop(struct md *m)
{
	const struct level *l = top_level(m);

	if (!l)
		return;
	m->quotes -= l->quote;
	if (m->shown == m->levels.len) {
		m->before -= l->cells;
		m->shown--;
	}
	m->levels.len--;
}

/* What stands before a line, with as few spans as there are changes of style: a hostile text has many levels and lines. */
struct before { struct md *m; struct buf text; enum style style; };

static void before_put(struct before *b)
{
	styled_addn(b->m->s, b->style, b->text.ptr, b->text.len);
	buf_reset(&b->text);
}

static void before_level(struct before *b, struct level *l)
{
	bool marker = l->item && !l->used;

	if ((l->quote || marker) && b->style != (l->quote ? STYLE_QUOTE : STYLE_NORMAL)) {
		before_put(b);
		b->style = l->quote ? STYLE_QUOTE : STYLE_NORMAL;
	}
	if (l->quote || marker)
		buf_addstr(&b->text, l->quote ? "> " : l->mark);
	else
		buf_addchn(&b->text, ' ', (size_t)l->cells);
	l->used = true;
}

static void begin_with(struct md *m, size_t levels)
{
	struct before b = { .m = m, .style = STYLE_NORMAL };

	buf_init(&b.text);
	styled_newline(m->s)->quote = m->quotes > 0;
	buf_addchn(&b.text, ' ', (size_t)m->indent);
	before_put(&b);
	for (size_t i = 0; i < levels; i++)
		before_level(&b, &m->levels.items[i]);
	before_put(&b);
	buf_release(&b.text);
}

static void begin_line(void *ctx)
{
	struct md *m = ctx;

	begin_with(m, m->shown);
}

/* An empty line: nothing but the marks of the quotations it stands in. */
static void empty_line(struct md *m)
{
	size_t last = m->shown;

	while (last > 0 && !m->levels.items[last - 1].quote)
		last--;
	if (last) {
		begin_with(m, last - 1);
		styled_add(m->s, STYLE_QUOTE, ">");
	} else {
		styled_newline(m->s)->quote = m->quotes > 0;
	}
}

static int room(const struct md *m)
{
	int w = m->width - m->indent - m->before;

	return w < 1 ? 1 : w;
}

/* Before a block: the empty line that is due, unless a tight list is around. */
static void begin_block(struct md *m)
{
	const struct level *l = top_level(m);

	if (m->gap && !(l && l->tight))
		empty_line(m);
	m->gap = false;
}

/* Where the line before a break was filled by an editor the break is a blank: see above. */
static void settle_breaks(struct buf *b)
{
	size_t start = 0;

	for (size_t i = 0; i < b->len; i++) {
		size_t word;
		if (b->ptr[i] == '\n')
			start = i + 1;
		if (b->ptr[i] != '\r')
			continue;
		word = strcspn(b->ptr + i + 1, " \n\r");
		if (text_width_n(b->ptr + start, i - start) + 1 + text_width_n(b->ptr + i + 1, word) > FILLED)
			b->ptr[i] = ' ';
		else
			b->ptr[i] = '\n';
		start = i + 1;
	}
}

static void flush(struct md *m)
{
	m->spans.len = 0; /* md4c 0.4.8 leaves spans open where an address runs into emphasis */
	if (!m->flow.text.len)
		return;
	begin_block(m);
	settle_breaks(&m->flow.text);
	flow_clean(&m->flow);
	flow_wrap(m->s, &m->flow, room(m), begin_line, m);
	flow_reset(&m->flow);
	m->gap = true;
}

/* ---- inline text ---- */

static enum style style_now(const struct md *m)
{
	if (m->spans.len)
		return m->spans.items[m->spans.len - 1].style;
	if (m->base != STYLE_NORMAL)
		return m->base;
	return m->quotes ? STYLE_QUOTE : STYLE_NORMAL;
}

static int spend(struct md *m, size_t n)
{
	m->failed = m->failed || n > m->bytes_left;
	m->bytes_left -= m->failed ? 0 : n;
	return m->failed;
}

/* At the head of each callback: is there anything left to spend? */
static bool call(struct md *m)
{
	m->failed = m->failed || m->calls_left == 0;
	m->calls_left -= !m->failed;
	return !m->failed;
}

static int add_text(struct md *m, enum style st, const char *p, size_t n)
{
	flow_add(&m->flow, st, p, n);
	return spend(m, n);
}

static int entity_cmp(const void *key, const void *row)
{
	return strcmp(key, ((const struct entity *)row)->name);
}

/* "&amp;" "&#38;" "&#x26;" to a code point; -1: not one that is known. */
static int32_t entity_value(const char *p, size_t n)
{
	const struct entity *e;
	char name[16];

	if (n < 3 || n - 2 >= sizeof(name))
		return -1;
	memcpy(name, p + 1, n - 2);
	name[n - 2] = '\0';
	if (name[0] == '#') {
		bool hex = name[1] == 'x' || name[1] == 'X';
		return (int32_t)strtol(name + 1 + hex, NULL, hex ? 16 : 10);
	}
	e = bsearch(name, entities, ARRAY_SIZE(entities), sizeof(*entities), entity_cmp);
	return e ? e->cp : -1;
}

static void decode_entity(struct buf *b, const char *p, size_t n)
{
	int32_t cp = entity_value(p, n);

	if (cp < 0)
		buf_add(b, p, n);
	else
		buf_add_utf8(b, cp ? cp : UTF8_BAD);
}

/* A link's address or a code block's language, decoded and clean, in the scratch arena. */
static const char *attribute(struct md *m, const MD_ATTRIBUTE *a)
{
	struct buf clean = BUF_INIT;
	const char *text;

	buf_reset(&m->tmp);
	for (unsigned i = 0; a->text && a->substr_offsets[i] < a->size; i++) {
		size_t at = a->substr_offsets[i], n = a->substr_offsets[i + 1] - at;
		if (a->substr_types[i] == MD_TEXT_ENTITY)
			decode_entity(&m->tmp, a->text + at, n);
		else
			buf_add(&m->tmp, a->text + at, n);
	}
	text_sanitize(&clean, m->tmp.ptr, m->tmp.len, 0);
	text = arena_memdup(&m->scratch, clean.ptr, clean.len);
	buf_release(&clean);
	return text;
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *p, MD_SIZE n, void *ctx)
{
	struct md *m = ctx;
	unsigned flags = TEXT_PROSE;

	if (!call(m))
		return 1;
	if (m->in_code) {
		buf_add(&m->code, p, n);
		return spend(m, n);
	}
	if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR)
		return add_text(m, style_now(m), type == MD_TEXT_BR ? "\n" : "\r", 1);
	buf_reset(&m->tmp);
	if (type == MD_TEXT_ENTITY) {
		struct buf raw = BUF_INIT;
		decode_entity(&raw, p, n);
		text_sanitize(&m->tmp, raw.ptr, raw.len, 0);
		buf_release(&raw);
	} else {
		flags = type == MD_TEXT_CODE ? 0 : flags;
		text_sanitize(&m->tmp, p, n, flags);
	}
	return add_text(m, style_now(m), m->tmp.ptr, m->tmp.len);
}

static const enum style span_styles[] = {
	[MD_SPAN_EM] = STYLE_EMPH, [MD_SPAN_STRONG] = STYLE_STRONG, [MD_SPAN_A] = STYLE_LINK, [MD_SPAN_IMG] = STYLE_LINK,
	[MD_SPAN_CODE] = STYLE_CODE, [MD_SPAN_DEL] = STYLE_DIM,
};

static int begin_link(struct md *m, struct open_span *l, const MD_ATTRIBUTE *url, const MD_ATTRIBUTE *title)
{
	if (spend(m, url->size) || spend(m, title->size))
		return 1;
	l->url = attribute(m, url);
	l->title = attribute(m, title);
	if (l->type == MD_SPAN_IMG)
		add_text(m, l->style, "[image: ", 8);
	l->start = m->flow.text.len;
	return 0;
}

/* The text says already where it leads: the address itself, without the scheme that was added to a bare one. */
static bool says_address(const char *text, const char *url)
{
	static const char *const added[] = { "", "mailto:", "http://" };

	for (size_t i = 0; i < ARRAY_SIZE(added); i++)
		if (str_starts(url, added[i]) && !strcmp(url + strlen(added[i]), text))
			return true;
	return false;
}

static int end_link(struct md *m, const struct open_span *l)
{
	bool image = l->type == MD_SPAN_IMG, text = m->flow.text.len > l->start || image;
	const char *quote = *l->title ? "\"" : "";

	if (!image && !*l->title && says_address(m->flow.text.ptr + l->start, l->url))
		return 0;
	if (image)
		add_text(m, l->style, "]", 1);
	buf_reset(&m->tmp);
	buf_addf(&m->tmp, "%s(%s%s%s%s%s)", text ? " " : "", l->url, *l->title ? " " : "", quote, l->title, quote);
	return add_text(m, STYLE_DIM, m->tmp.ptr, m->tmp.len);
}

static int on_span(MD_SPANTYPE type, void *detail, void *ctx)
{
	struct md *m = ctx;
	struct open_span *o;

	if (!call(m))
		return 1;
	o = array_add(&m->spans);
	*o = (struct open_span){ .type = type, .url = "", .title = "" };
	o->style = (size_t)type < ARRAY_SIZE(span_styles) ? span_styles[type] : STYLE_NORMAL;
	if (type == MD_SPAN_DEL)
		return add_text(m, STYLE_DIM, "~~", 2);
	if (type == MD_SPAN_A)
		return begin_link(m, o, &((MD_SPAN_A_DETAIL *)detail)->href, &((MD_SPAN_A_DETAIL *)detail)->title);
	if (type == MD_SPAN_IMG)
		return begin_link(m, o, &((MD_SPAN_IMG_DETAIL *)detail)->src, &((MD_SPAN_IMG_DETAIL *)detail)->title);
	return 0;
}

/* Closes the innermost span of this type and what was left open in it; one that was never opened is nothing. */
static int on_span_end(MD_SPANTYPE type, void *detail UNUSED, void *ctx)
{
	struct md *m = ctx;
	size_t i = m->spans.len;
	struct open_span o;

	if (!call(m))
		return 1;
	while (i > 0 && m->spans.items[i - 1].type != type)
		i--;
	if (!i)
		return 0;
	o = m->spans.items[i - 1];
	m->spans.len = i - 1;
	if (type == MD_SPAN_DEL)
		return add_text(m, STYLE_DIM, "~~", 2);
	return type == MD_SPAN_A || type == MD_SPAN_IMG ? end_link(m, &o) : 0;
}

/* ---- code ---- */

static enum style code_style(const struct md *m, char first)
{
	if (m->is_diff && (first == '+' || first == '-'))
		return first == '+' ? STYLE_ADD : STYLE_DEL;
	return STYLE_CODE;
}

static int begin_code(struct md *m, const MD_BLOCK_CODE_DETAIL *d)
{
	const char *lang = attribute(m, &d->lang);

	begin_block(m);
	m->in_code = true;
	m->is_diff = !strcmp(lang, "diff") || !strcmp(lang, "patch");
	buf_reset(&m->code);
	/* The one language that says what the block is for (GitHub, GitLab, Gitea): a change that the author proposes. */
	if (str_starts(lang, "suggestion")) {
		flow_add(&m->flow, STYLE_DIM, "suggested change:", 17);
		flow_wrap(m->s, &m->flow, room(m), begin_line, m);
		flow_reset(&m->flow);
	}
	return 0;
}

static void end_code(struct md *m)
{
	struct buf clean = BUF_INIT;

	text_sanitize(&clean, m->code.ptr, m->code.len, TEXT_LINES | TEXT_TABS);
	for (size_t i = 0; i < clean.len;) {
		size_t len = strcspn(clean.ptr + i, "\n");
		buf_reset(&m->tmp);
		text_expand_tabs(&m->tmp, clean.ptr + i, len, 0, TAB);
		if (len) {
			begin_line(m);
			styled_addf(m->s, STYLE_NORMAL, "%*s", CODE_INDENT, "");
			styled_addn(m->s, code_style(m, m->tmp.ptr[0]), m->tmp.ptr, m->tmp.len);
		} else {
			empty_line(m);
		}
		m->s->lines.items[m->s->lines.len - 1].nowrap = true;
		i += len + 1;
	}
	buf_release(&clean);
	m->in_code = false;
	m->gap = true;
}

/* ---- tables ---- */

static int begin_table(struct md *m, const MD_BLOCK_TABLE_DETAIL *d)
{
	begin_block(m);
	m->table = (struct table){ .cols = d->col_count };
	m->table.align = arena_alloc(&m->scratch, d->col_count * sizeof(*m->table.align));
	return 0;
}

static int end_cell(struct md *m, const MD_BLOCK_TD_DETAIL *d)
{
	struct table *t = &m->table;

	if (t->row == 0 && t->col < t->cols)
		t->align[t->col] = d->align;
	if (m->flow.text.len) {
		struct cell *c = array_add(&t->cells);
		settle_breaks(&m->flow.text);
		flow_clean(&m->flow);
		*c = (struct cell){ .row = t->row, .col = t->col, .flow = m->flow };
		m->flow = (struct flow)FLOW_INIT;
	}
	t->col++;
	return 0;
}

/* The width of each column, or NULL if they do not fit beside each other. */
static int *table_columns(struct md *m)
{
	const struct table *t = &m->table;
	int64_t sum = 2 * ((int64_t)t->cols - 1);
	int *w;

	if (sum > room(m))
		return NULL;
	w = arena_alloc(&m->scratch, t->cols * sizeof(*w));
	for (size_t i = 0; i < t->cells.len; i++) {
		const struct cell *c = &t->cells.items[i];
		int cells = text_width(c->flow.text.ptr);
		if (c->col < t->cols && cells > w[c->col])
			w[c->col] = cells;
	}
	for (unsigned i = 0; i < t->cols; i++)
		sum += w[i] += w[i] == 0; /* an empty column is seen by its rule */
	return sum > room(m) ? NULL : w;
}

static void put_cell(struct md *m, const struct cell *c, int width, MD_ALIGN align, int gap, bool last)
{
	int spare = width - text_width(c->flow.text.ptr);
	int left = align == MD_ALIGN_RIGHT ? spare : align == MD_ALIGN_CENTER ? spare / 2 : 0;

	styled_addf(m->s, STYLE_NORMAL, "%*s", gap + left, "");
	flow_put(m->s, &c->flow, 0, c->flow.text.len);
	if (!last)
		styled_addf(m->s, STYLE_NORMAL, "%*s", spare - left, "");
}

static void put_rule(struct md *m, const int *w)
{
	begin_line(m);
	for (unsigned i = 0; i < m->table.cols; i++) {
		struct buf b = BUF_INIT;
		buf_addchn(&b, '-', (size_t)w[i]);
		styled_addf(m->s, STYLE_RULE, "%s%s", i ? "  " : "", b.ptr);
		buf_release(&b);
	}
}

/* Side by side. Cells come in order, and empty ones do not come. */
static void put_aligned(struct md *m, const int *w)
{
	const struct table *t = &m->table;

	for (size_t i = 0; i < t->cells.len;) {
		unsigned row = t->cells.items[i].row;
		begin_line(m);
		for (unsigned col = 0; i < t->cells.len && t->cells.items[i].row == row; col++) {
			const struct cell *c = &t->cells.items[i];
			if (c->col > col) {
				styled_addf(m->s, STYLE_NORMAL, "%*s", w[col] + (col ? 2 : 0), "");
				continue;
			}
			i++;
			put_cell(m, c, w[col], t->align[col], col ? 2 : 0, i == t->cells.len || t->cells.items[i].row != row);
		}
		if (row == 0)
			put_rule(m, w);
	}
}

/* Too wide: each row is an item, each cell "header: cell". */
static void put_as_list(struct md *m)
{
	const struct table *t = &m->table;
	const struct cell **head = arena_alloc(&m->scratch, (t->cols + 1) * sizeof(*head));
	unsigned row = 0;

	for (size_t i = 0; i < t->cells.len; i++) {
		const struct cell *c = &t->cells.items[i];
		struct flow f = FLOW_INIT;
		if (c->row == 0) {
			head[c->col < t->cols ? c->col : t->cols] = c;
			continue;
		}
		if (c->row != row && row)
			level_pop(m);
		if (c->row != row)
			level_push(m, (struct level){ .item = true, .mark = "- ", .cells = 2 });
		row = c->row;
		if (c->col < t->cols && head[c->col]) {
			flow_add(&f, STYLE_STRONG, head[c->col]->flow.text.ptr, head[c->col]->flow.text.len);
			flow_add(&f, STYLE_STRONG, ": ", 2);
		}
		for (size_t r = 0, at = 0; r < c->flow.runs.len; at = c->flow.runs.items[r++].end)
			flow_add(&f, c->flow.runs.items[r].style, c->flow.text.ptr + at, c->flow.runs.items[r].end - at);
		flow_wrap(m->s, &f, room(m), begin_line, m);
		flow_release(&f);
	}
	if (row)
		level_pop(m);
}

/* A table of nothing but a header has no rows to list. */
static bool has_rows(const struct table *t)
{
	return t->cells.len && t->cells.items[t->cells.len - 1].row > 0;
}

static void put_header(struct md *m)
{
	const struct table *t = &m->table;

	for (size_t i = 0; i < t->cells.len; i++)
		flow_wrap(m->s, &t->cells.items[i].flow, room(m), begin_line, m);
}

static void table_release(struct table *t)
{
	for (size_t i = 0; i < t->cells.len; i++)
		flow_release(&t->cells.items[i].flow);
	array_release(&t->cells);
	*t = (struct table){ .cols = 0 };
}

static void end_table(struct md *m)
{
	const int *w = table_columns(m);

	if (w)
		put_aligned(m, w);
	else if (has_rows(&m->table))
		put_as_list(m);
	else
		put_header(m);
	table_release(&m->table);
	m->gap = true;
}

/* ---- blocks ---- */

static int begin_item(struct md *m, const MD_BLOCK_LI_DETAIL *d)
{
	struct level *list = top_level(m), item = { .item = true, .tight = list && list->tight };
	struct buf mark = BUF_INIT;

	begin_block(m);
	if (list && list->delim)
		buf_addf(&mark, "%u%c ", list->number++, list->delim);
	else
		buf_addstr(&mark, "- ");
	if (d->is_task)
		buf_addf(&mark, "[%c] ", d->task_mark == ' ' ? ' ' : 'x');
	memcpy(item.mark, mark.ptr, mark.len + 1);
	item.cells = (int)mark.len;
	level_push(m, item);
	buf_release(&mark);
	return 0;
}

static void end_item(struct md *m)
{
	flush(m);
	if (!top_level(m)->used && m->shown == m->levels.len)
		begin_line(m);
	level_pop(m);
	m->gap = true;
}

static int begin_list(struct md *m, bool tight, unsigned start, char delim)
{
	begin_block(m);
	level_push(m, (struct level){ .tight = tight, .number = start, .delim = delim });
	return 0;
}

static void put_line_across(struct md *m)
{
	struct buf b = BUF_INIT;

	begin_block(m);
	begin_line(m);
	buf_addchn(&b, '-', (size_t)room(m));
	styled_add(m->s, STYLE_RULE, b.ptr);
	buf_release(&b);
	m->gap = true;
}

static int on_block(MD_BLOCKTYPE type, void *detail, void *ctx)
{
	struct md *m = ctx;

	if (!call(m))
		return 1;
	if (type != MD_BLOCK_TD && type != MD_BLOCK_TH)
		flush(m);
	switch (type) {
	case MD_BLOCK_QUOTE:
		begin_block(m);
		level_push(m, (struct level){ .quote = true, .cells = 2 });
		return 0;
	case MD_BLOCK_UL:
		return begin_list(m, ((MD_BLOCK_UL_DETAIL *)detail)->is_tight, 0, 0);
	case MD_BLOCK_OL:
		return begin_list(m, ((MD_BLOCK_OL_DETAIL *)detail)->is_tight, ((MD_BLOCK_OL_DETAIL *)detail)->start,
				  ((MD_BLOCK_OL_DETAIL *)detail)->mark_delimiter);
	case MD_BLOCK_LI:
		return begin_item(m, detail);
	case MD_BLOCK_HR:
		put_line_across(m);
		return 0;
	case MD_BLOCK_H:
		m->base = STYLE_HEADING;
		return 0;
	case MD_BLOCK_CODE:
		return begin_code(m, detail);
	case MD_BLOCK_TABLE:
		return begin_table(m, detail);
	case MD_BLOCK_TR:
		m->table.col = 0;
		return 0;
	case MD_BLOCK_TH:
		m->base = STYLE_STRONG;
		return 0;
	default:
		return 0;
	}
}

static int on_block_end(MD_BLOCKTYPE type, void *detail, void *ctx)
{
	struct md *m = ctx;

	if (!call(m))
		return 1;
	switch (type) {
	case MD_BLOCK_TD:
	case MD_BLOCK_TH:
		m->base = STYLE_NORMAL;
		return end_cell(m, detail);
	case MD_BLOCK_TR:
		m->table.row++;
		return 0;
	case MD_BLOCK_TABLE:
		end_table(m);
		return 0;
	case MD_BLOCK_CODE:
		end_code(m);
		return 0;
	case MD_BLOCK_LI:
		end_item(m);
		return 0;
	default:
		break;
	}
	flush(m);
	m->base = STYLE_NORMAL;
	if (type == MD_BLOCK_QUOTE || type == MD_BLOCK_UL || type == MD_BLOCK_OL) {
		level_pop(m);
		m->gap = true;
	}
	return 0;
}

static void md_release(struct md *m)
{
	table_release(&m->table);
	flow_release(&m->flow);
	array_release(&m->levels);
	array_release(&m->spans);
	buf_release(&m->code);
	buf_release(&m->tmp);
	arena_release(&m->scratch);
}

/* The last line end at or before the limit, so that the cut falls between lines where there are any. */
static size_t markdown_part(const char *p, size_t n)
{
	size_t cut = MARKDOWN_MAX;

	if (n <= MARKDOWN_MAX)
		return n;
	while (cut > 0 && p[cut - 1] != '\n')
		cut--;
	for (cut = cut ? cut : MARKDOWN_MAX; ((unsigned char)p[cut] & 0xc0) == 0x80;)
		cut--;
	return cut;
}

/*
 * md4c 0.4.8 looks for the line of each bracket from the paragraph's first line on: lines times brackets, 3 s for 256 KiB
 * of "[]" on lines of their own. Honest text stays far below the limit, which is under 0.1 s.
 */
static bool too_many_brackets(const char *p, size_t n)
{
	uint64_t lines = 0, brackets = 0, sum = 0;

	for (size_t i = 0; i < n; i++) {
		brackets += p[i] == ']';
		lines += p[i] == '\n';
		if (p[i] == '\n' && i > 0 && p[i - 1] == '\n') {
			sum += lines * brackets;
			lines = brackets = 0;
		}
	}
	return sum + lines * brackets > BRACKET_LINES;
}

void styled_markdown(struct styled *s, const char *md, size_t n, int width, int indent)
{
	const MD_PARSER parser = {
		.flags = MD_DIALECT_GITHUB | MD_FLAG_NOHTML, .enter_block = on_block, .leave_block = on_block_end,
		.enter_span = on_span, .leave_span = on_span_end, .text = on_text,
	};
	struct md m = { .s = s, .width = width, .indent = indent > 0 ? indent : 0 };
	size_t first = s->lines.len, part;
	struct buf clean = BUF_INIT;

	buf_init(&m.flow.text);
	buf_init(&m.code);
	buf_init(&m.tmp);
	text_sanitize(&clean, md, n, TEXT_PROSE | TEXT_LINES | TEXT_TABS);
	part = markdown_part(clean.ptr, clean.len);
	m.calls_left = 16 * part + 1000;
	m.bytes_left = 8 * part + 65536;
	if (too_many_brackets(clean.ptr, part) || md_parse(clean.ptr, (MD_SIZE)part, &parser, &m) || m.failed) {
		s->lines.len = first;
		styled_wrap(s, STYLE_NORMAL, clean.ptr, part, width, indent);
	}
	if (part < clean.len)
		styled_wrap(s, STYLE_NORMAL, clean.ptr + part, clean.len - part, width, indent);
	md_release(&m);
	buf_release(&clean);
}
