/* SPDX-License-Identifier: MIT */
/*
 * Draws text: styled lines, one to a row. Prose is wrapped by whoever set it; code is not, and scrolls sideways below
 * its line numbers and margin, which stand still. A mark at the edge says that a line goes on.
 */
#include "config.h"
#include <string.h>
#include "killick/text/width.h"
#include "ui.h"

int text_margin(const struct view *v, int width)
{
	return v->ops->flags & VIEW_PROSE && width >= 60 ? 2 : 1;
}

void text_wrap(struct styled *s, enum style st, const char *text, int width, int indent)
{
	styled_wrap(s, st, text, strlen(text), width, indent);
}

void text_hang(struct styled *s, enum style st, const char *head, const char *text, int width, int indent)
{
	size_t from = s->lines.len, cut = 0;
	struct styled_line *l;
	struct span *spans;
	int w = text_width(head) + 3 > indent ? text_width(head) + 3 : indent;

	styled_wrap(s, STYLE_NORMAL, *text ? text : "-", *text ? strlen(text) : 1, width, w);
	l = &s->lines.items[from];
	while (l->n && cut < l->spans[0].len && l->spans[0].text[cut] == ' ')
		cut++;
	spans = arena_alloc(&s->arena, sizeof(*spans) * (l->n + 2));
	spans[0] = (struct span){ "  ", 2, STYLE_NORMAL };
	spans[1] = (struct span){ arena_printf(&s->arena, "%s%*s", head, w - 2 - text_width(head), ""), 0, st };
	spans[1].len = strlen(spans[1].text);
	memcpy(spans + 2, l->spans, sizeof(*spans) * l->n);
	if (l->n) {
		spans[2].text += cut;
		spans[2].len -= cut;
	}
	l->spans = spans;
	l->n += 2;
	/* A wide head pushes only its own line. */
	for (size_t i = from + 1; w > indent && i < s->lines.len; i++)
		if (s->lines.items[i].n && s->lines.items[i].spans[0].len >= (size_t)(w - indent)) {
			s->lines.items[i].spans[0].text += w - indent;
			s->lines.items[i].spans[0].len -= (size_t)(w - indent);
		}
}

static bool fixed(const struct span *s)
{
	return s->style == STYLE_LINENO || s->style == STYLE_MARGIN;
}

/* Draws spans of a line from the cell `skip` on; *over: there is more than fits. */
static void draw_spans(struct view *v, const struct styled_line *l, int y, int x, int end, bool *over)
{
	struct canvas *c = term_canvas(v->t->term);
	int skip = l->nowrap ? v->left : 0;
	bool head = true;

	for (size_t i = 0; i < l->n && !*over; i++) {
		const struct span *s = &l->spans[i];
		const char *p = s->text;
		size_t n = s->len;
		int used = 0;

		head = head && fixed(s);
		if (!head && skip > 0) {
			size_t cut = text_fit(p, n, skip, &used);

			skip -= cut == n ? used : skip;
			p += cut;
			n -= cut;
		}
		if (n == 0)
			continue;
		used = canvas_putn(c, y, x, end - x, s->style, p, n);
		x += used;
		/* What does not fit fills the row but for a cell at most. */
		*over = x >= end - 1 && text_width_n(p, n > 4096 ? 4096 : n) > used;
	}
}

static int fixed_width(const struct styled_line *l)
{
	int w = 0;

	for (size_t i = 0; i < l->n && fixed(&l->spans[i]); i++)
		w += text_width_n(l->spans[i].text, l->spans[i].len);
	return w;
}

static void draw_line(struct view *v, const struct styled_line *l, struct rect area, int y)
{
	struct canvas *c = term_canvas(v->t->term);
	bool over = false;

	draw_spans(v, l, y, area.x + text_margin(v, area.w), area.x + area.w, &over);
	if (over && l->nowrap)
		canvas_put(c, y, area.x + area.w - 1, 1, STYLE_RULE, glyph(v->t, "›", ">"));
	if (v->left > 0 && l->nowrap && l->n > 0)
		canvas_put(c, y, area.x + text_margin(v, area.w) - 1 + fixed_width(l), 1, STYLE_RULE, glyph(v->t, "‹", "<"));
}

static void draw_cursor(struct view *v, struct rect area, int y, bool focus)
{
	struct canvas *c = term_canvas(v->t->term);
	bool code = v->ops->flags & VIEW_CODE;

	if (focus || code)
		canvas_put(c, y, area.x, 1, STYLE_CURSOR, glyph(v->t, "▸", ">"));
	canvas_flag(c, y, area.x, area.w, focus && code ? CELL_CURSOR : CELL_AWAY);
}

void textview_draw(struct view *v, struct rect area, bool focus)
{
	size_t n = view_count(v);

	v->limit = (size_t)(v->left + area.w + 8) * 16;
	for (int y = 0; y < area.h && v->top + (size_t)y < n; y++) {
		size_t row = v->top + (size_t)y;
		struct styled one = STYLED_INIT;

		if (v->ops->line)
			v->ops->line(v, row, &one);
		if (v->ops->line ? one.lines.len > 0 : row < v->text.lines.len)
			draw_line(v, v->ops->line ? &one.lines.items[0] : &v->text.lines.items[row], area, area.y + y);
		styled_release(&one);
		if (v->ops->flags_of)
			canvas_flag(term_canvas(v->t->term), area.y + y, area.x, area.w, v->ops->flags_of(v, row));
		if (row == v->cursor)
			draw_cursor(v, area, area.y + y, focus);
	}
	v->limit = 0;
}

static void add_spans(struct buf *out, const struct styled_line *l)
{
	for (size_t i = 0; i < l->n; i++)
		buf_add(out, l->spans[i].text, l->spans[i].len);
}

void textview_row_text(struct view *v, size_t row, struct buf *out)
{
	struct styled one = STYLED_INIT;

	if (!v->ops->line) {
		if (row < v->text.lines.len)
			add_spans(out, &v->text.lines.items[row]);
		return;
	}
	v->ops->line(v, row, &one);
	if (one.lines.len)
		add_spans(out, &one.lines.items[0]);
	styled_release(&one);
}
