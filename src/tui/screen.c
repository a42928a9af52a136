/* SPDX-License-Identifier: MIT */
/*
 * The stack of screens and what one looks like: a top line that says where I am, a bottom line that says what I can do
 * and, at its right end, how the world stands; between them only content. Two views share a screen by its width: from
 * 110 columns beside each other, below that one over the other, under 60 (or where the rows are few) the one with the
 * focus alone. A message gets lines of its own above the bottom line and takes them from the content's end.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/text/width.h"
#include "views.h"

#define WIDE 110
#define NARROW 60
#define LOW 10
#define LEAST 5

struct layout { struct rect top, main, side, rule, note, bottom; bool beside; };

struct screen *tui_screen(struct tui *t)
{
	return t->screens.len ? &t->screens.items[t->screens.len - 1] : NULL;
}

struct view *tui_view(struct tui *t)
{
	struct screen *s = tui_screen(t);

	return !s ? NULL : s->side && s->side_focus ? s->side : s->main;
}

void tui_push(struct tui *t, struct view *main, struct view *side, bool side_focus)
{
	*array_add(&t->screens) = (struct screen){ main, side, side_focus, side != NULL };
	t->dirty = true;
}

int tui_open(struct tui *t, const struct view_ops *ops, int argc, const char *const *argv, struct err *e)
{
	struct view *v = view_new(t, ops, argc, argv, e);

	if (!v)
		return -1;
	tui_push(t, v, NULL, false);
	return 0;
}

static void screen_free(struct screen *s)
{
	view_free(s->side);
	view_free(s->main);
}

void tui_back(struct tui *t)
{
	struct screen *s = tui_screen(t);

	t->dirty = true;
	if (s->side && !s->side_first) {
		view_free(s->side);
		s->side = NULL;
		s->side_focus = false;
		return;
	}
	screen_free(s);
	if (--t->screens.len == 0)
		t->done = true;
}

void tui_set_side(struct tui *t, struct view *side, bool focus)
{
	struct screen *s = tui_screen(t);

	if (s->side != side)
		view_free(s->side);
	s->side = side;
	s->side_focus = side && focus;
	t->dirty = true;
}

void tui_stale(struct tui *t)
{
	for (size_t i = 0; i < t->screens.len; i++) {
		t->screens.items[i].main->stale = true;
		if (t->screens.items[i].side)
			t->screens.items[i].side->stale = true;
	}
	t->world_stale = t->dirty = true;
}

void tui_target(struct tui *t, struct target *out)
{
	struct screen *s = tui_screen(t);
	struct target main;

	memset(out, 0, sizeof(*out));
	if (!s)
		return;
	view_target(tui_view(t), out);
	if (!s->side)
		return;
	/* The thread of the pane and the place of the code belong together, whichever has the focus. */
	if (!s->side_focus) {
		view_target(s->side, &main);
		if (!out->thread)
			out->thread = main.thread, out->state = main.state;
		if (!out->post)
			out->post = main.post, out->post_mine = main.post_mine, out->post_draft = main.post_draft;
		return;
	}
	view_target(s->main, &main);
	if (!out->path)
		out->path = main.path, out->line = main.line, out->end = main.end;
	if (!out->commit)
		out->commit = main.commit;
	if (!out->anchor)
		out->anchor = main.anchor;
}

/* ---- laying out */

static void wrap_note(struct styled *s, const struct message *m, int cols)
{
	text_wrap(s, m->kind == MSG_ERROR ? STYLE_ERROR : STYLE_NORMAL, m->text, cols > 3 ? cols - 2 : 1, 0);
}

static int note_rows(struct tui *t, int rows, int cols)
{
	const struct messages *m = &t->messages;
	struct styled s = STYLED_INIT;
	int max = rows >= 12 ? 4 : rows >= 5 ? 2 : 1, n;

	if (t->prompt)
		return prompt_height(t) - 1;
	if (!m->fresh || m->list.len == 0 || rows < 3)
		return 0;
	wrap_note(&s, &m->list.items[m->list.len - 1], cols);
	n = (int)s.lines.len;
	styled_release(&s);
	return n > max ? max : n;
}

static void split_content(const struct screen *s, struct rect area, struct layout *l)
{
	size_t rows;
	int w, h;

	l->main = l->side = area;
	if (!s->side || area.w < NARROW || (area.w < WIDE && area.h < LOW)) {
		if (s->side && s->side_focus)
			l->main.h = 0;
		else
			l->side.h = 0;
		return;
	}
	if (area.w >= WIDE) {
		w = area.w * 9 / 20;
		w = w > 82 ? 82 : w;
		l->beside = true;
		l->main.w = area.w - w - 1;
		l->rule = (struct rect){ area.y, area.x + l->main.w, area.h, 1 };
		l->side.x = l->rule.x + 1;
		l->side.w = w;
		return;
	}
	/* What the pane does not need is the code's. */
	h = area.h * 11 / 20;
	rows = view_fit(s->side, area.w);
	if (rows < (size_t)h)
		h = rows > LEAST ? (int)rows : LEAST;
	l->main.h = area.h - h - 1;
	l->rule = (struct rect){ area.y + l->main.h, area.x, 1, area.w };
	l->side.y = l->rule.y + 1;
	l->side.h = h;
}

static void lay_out(struct tui *t, struct layout *l)
{
	const struct canvas *c = term_canvas(t->term);
	struct rect area = { 0, 0, c->rows, c->cols };
	int note;

	memset(l, 0, sizeof(*l));
	if (area.h >= 3) {
		l->top = (struct rect){ 0, 0, 1, c->cols };
		area.y++;
		area.h--;
	}
	if (area.h >= 2 || t->prompt) {
		l->bottom = (struct rect){ c->rows - 1, 0, 1, c->cols };
		area.h--;
	}
	note = note_rows(t, area.h, c->cols);
	if (note > area.h)
		note = area.h;
	area.h -= note;
	l->note = (struct rect){ area.y + area.h, 0, note, c->cols };
	split_content(tui_screen(t), area, l);
}

/* ---- the bands */

static void band_flag(struct tui *t, struct rect r)
{
	for (int y = r.y; y < r.y + r.h; y++)
		canvas_flag(term_canvas(t->term), y, r.x, r.w, CELL_BAND);
}

static void draw_top(struct tui *t, struct rect r, struct view *v)
{
	struct canvas *c = term_canvas(t->term);
	struct buf left = BUF_INIT, right = BUF_INIT;
	int used = 0, lw;

	if (r.h == 0)
		return;
	if (v->ops->title)
		v->ops->title(v, &left, &right);
	if (left.len == 0)
		buf_addf(&left, "%s %s %s", repo_name(t->work->repo), glyph(t, "·", "-"), v->ops->name);
	lw = text_width(left.ptr);
	if (right.len && r.w - lw - 4 >= 8)
		used = canvas_put_right(c, r.y, r.w - 1, r.w - lw - 4, STYLE_DIM, right.ptr) + 2;
	if (lw > r.w - 2 - used) {
		struct buf cut = BUF_INIT;

		text_pad(&cut, left.ptr, r.w - 2 - used > 1 ? r.w - 2 - used : 1, ALIGN_LEFT, t->ascii);
		canvas_put(c, r.y, 1, r.w - 1 - used, STYLE_STRONG, cut.ptr);
		buf_release(&cut);
	} else {
		canvas_put(c, r.y, 1, r.w - 1 - used, STYLE_STRONG, left.ptr);
	}
	band_flag(t, r);
	buf_release(&left);
	buf_release(&right);
}

/* One "command=label" of a view's hints, with the key that is bound to it. */
static int draw_hint(struct tui *t, struct rect r, int x, int end, const char *hint, size_t len, const char *where)
{
	struct canvas *c = term_canvas(t->term);
	struct buf key = BUF_INIT, command = BUF_INIT;
	const char *label = memchr(hint, '=', len);
	uint32_t code;
	int w;

	if (!label)
		BUG("hint without a label: %s", hint);
	buf_add(&command, hint, (size_t)(label - hint));
	code = keymap_key(&t->keys, where, command.ptr);
	label++;
	if (code)
		key_format(&key, code);
	w = text_width(key.ptr) + 1 + (int)(hint + len - label);
	if (code && x + w <= end) {
		x += canvas_put(c, r.y, x, end - x, STYLE_ACCENT, key.ptr) + 1;
		x += canvas_putn(c, r.y, x, end - x, STYLE_DIM, label, (size_t)(hint + len - label)) + 2;
	}
	buf_release(&key);
	buf_release(&command);
	return x;
}

static void draw_bottom(struct tui *t, struct rect r, struct view *v)
{
	struct canvas *c = term_canvas(t->term);
	struct buf world = BUF_INIT;
	enum style st = STYLE_DIM;
	int x = 1, end;

	if (r.h == 0)
		return;
	world_format(t, &world, &st);
	end = r.w - 1 - canvas_put_right(c, r.y, r.w - 1, r.w > 60 ? r.w / 2 : r.w / 3, st, world.ptr) - 1;
	/* "? keys" is always there, behind as many others as fit. */
	for (const char *p = v->ops->hints; p && *p;) {
		size_t n = strcspn(p, "\n");

		if (!str_starts(p, "keys="))
			x = draw_hint(t, r, x, end - 8, p, n, v->ops->name);
		p += n + (p[n] == '\n');
	}
	if (v->ops != &help_view)
		draw_hint(t, r, x, end, "keys=keys", 9, v->ops->name);
	band_flag(t, r);
	buf_release(&world);
}

static void draw_note(struct tui *t, struct rect r)
{
	const struct messages *m = &t->messages;
	struct styled s = STYLED_INIT;
	const struct message *last = m->list.len ? &m->list.items[m->list.len - 1] : NULL;

	if (r.h == 0 || t->prompt || !last)
		return;
	wrap_note(&s, last, r.w);
	for (size_t i = 0; i < s.lines.len && (int)i < r.h; i++) {
		int x = r.x + 1;

		for (size_t j = 0; j < s.lines.items[i].n; j++)
			x += canvas_putn(term_canvas(t->term), r.y + (int)i, x, r.x + r.w - x, s.lines.items[i].spans[j].style,
				s.lines.items[i].spans[j].text, s.lines.items[i].spans[j].len);
	}
	if ((int)s.lines.len > r.h)
		canvas_put_right(term_canvas(t->term), r.y + r.h - 1, r.w, 12, STYLE_DIM, " :messages");
	styled_release(&s);
}

static void draw_rule(struct tui *t, const struct layout *l)
{
	struct canvas *c = term_canvas(t->term);

	for (int y = l->rule.y; y < l->rule.y + l->rule.h; y++)
		for (int x = l->rule.x; x < l->rule.x + l->rule.w; x++)
			canvas_put(c, y, x, 1, STYLE_RULE, l->beside ? glyph(t, "│", "|") : glyph(t, "─", "-"));
}

void tui_paint(struct tui *t)
{
	struct screen *s = tui_screen(t);
	struct layout l;

	t->dirty = false;
	if (!s || !t->term)
		return;
	arena_clear(&t->frame);
	lay_out(t, &l);
	canvas_clear(term_canvas(t->term));
	s->main->area.h = 0;
	if (s->side)
		s->side->area.h = 0;
	if (l.main.h > 0)
		view_draw(s->main, l.main, !s->side || !s->side_focus);
	if (s->side && l.side.h > 0)
		view_draw(s->side, l.side, s->side_focus);
	draw_rule(t, &l);
	draw_top(t, l.top, l.main.h > 0 || !s->side ? s->main : s->side);
	draw_note(t, l.note);
	if (t->prompt)
		prompt_draw(t, (struct rect){ l.note.y, 0, l.note.h + l.bottom.h, l.bottom.w });
	else
		draw_bottom(t, l.bottom, tui_view(t));
	term_flush(t->term);
}

/* ---- the mouse */

static bool inside(const struct rect *r, int y, int x)
{
	return y >= r->y && y < r->y + r->h && x >= r->x && x < r->x + r->w;
}

void tui_click(struct tui *t, const struct key *k)
{
	struct screen *s = tui_screen(t);
	struct view *v = NULL;
	size_t row;

	if (s->side && inside(&s->side->area, k->y, k->x))
		v = s->side;
	else if (inside(&s->main->area, k->y, k->x))
		v = s->main;
	if (!v)
		return;
	if (k->mouse == MOUSE_WHEEL_UP || k->mouse == MOUSE_WHEEL_DOWN) {
		view_scroll(v, k->mouse == MOUSE_WHEEL_UP ? -3 : 3);
		return;
	}
	s->side_focus = v == s->side;
	t->dirty = true;
	row = v->top + (size_t)(k->y - v->area.y);
	if (row >= view_count(v) || view_heading(v, row))
		return;
	view_goto(v, row);
	if (k->mouse == MOUSE_DOUBLE)
		tui_act(t, ACT_OPEN, NULL);
}
