/* SPDX-License-Identifier: MIT */
/*
 * The prompt at the bottom: a line being typed, or one key of a few. It takes the bottom line and, for completions and
 * notes ("column 4: no key 'od:'"), the line above. What the typing means is the caller's: changed() is told when no key
 * waits, so that a filter over 100,000 threads never slows the typing; done() gets the line.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/text/width.h"
#include "lineedit.h"
#include "ui.h"

struct prompt {
	const struct prompt_ops *ops;
	const struct menu_item *menu;
	char *label, *note;
	bool note_error, unsettled;
	struct lineedit line;
	struct arena arena;            /* of history and completions */
	const char **history;
	size_t n_history, at;          /* at n_history: the line being typed */
	char *typed;
	struct strlist found;          /* what Tab offers; len 0: none */
	size_t start, choice;          /* where the word begins; SIZE_MAX: none chosen yet */
};

static struct prompt *prompt_new(struct tui *t, const char *label)
{
	struct prompt *p = xcalloc(1, sizeof(*p));

	prompt_close(t);
	p->label = xstrdup(label);
	lineedit_init(&p->line, "");
	t->prompt = p;
	t->messages.fresh = false;
	t->dirty = true;
	return p;
}

void prompt_open(struct tui *t, const struct prompt_ops *ops, const char *label, const char *start)
{
	struct prompt *p = prompt_new(t, label);
	struct err e = ERR_INIT;

	p->ops = ops;
	lineedit_set(&p->line, start);
	if (ops->history && work_desk(t->work, &e) == 0)
		desk_history(t->work->desk, ops->history, &p->arena, &p->history, &p->n_history, &e);
	p->at = p->n_history;
	p->unsettled = true;
}

void prompt_menu(struct tui *t, const char *label, const struct menu_item *items)
{
	prompt_new(t, label)->menu = items;
}

static void found_clear(struct prompt *p)
{
	array_release(&p->found);
	p->choice = SIZE_MAX;
}

void prompt_close(struct tui *t)
{
	struct prompt *p = t->prompt;

	if (!p)
		return;
	t->prompt = NULL;
	t->dirty = true;
	found_clear(p);
	lineedit_release(&p->line);
	arena_release(&p->arena);
	free(p->label);
	free(p->note);
	free(p->typed);
	free(p);
}

void prompt_note(struct tui *t, bool error, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	if (!t->prompt)
		return;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	free(t->prompt->note);
	t->prompt->note = b.len ? buf_detach(&b) : NULL;
	t->prompt->note_error = error;
	buf_release(&b);
	t->dirty = true;
}

void prompt_settle(struct tui *t)
{
	struct prompt *p = t->prompt;

	if (!p || !p->unsettled)
		return;
	p->unsettled = false;
	if (p->ops && p->ops->changed)
		p->ops->changed(t, p->line.text.ptr);
}

bool prompt_acts(const struct tui *t, uint32_t code)
{
	static const uint32_t moves[] = { K_UP, K_DOWN, K_PGUP, K_PGDN, KEY_CTRL('P'), KEY_CTRL('N') };
	const struct prompt *p = t->prompt;

	for (size_t i = 0; p->ops && p->ops->key && i < ARRAY_SIZE(moves); i++)
		if (code == moves[i])
			return true;
	return p->menu || code == K_ENTER;
}

/* A filter or a search is of what is there by now. */
bool prompt_holds_still(const struct tui *t)
{
	return t->prompt && !(t->prompt->ops && t->prompt->ops->changed);
}

/* ---- history */

static void history_go(struct tui *t, struct prompt *p, int by)
{
	size_t at = p->at + (size_t)(long)by;

	if (at > p->n_history)
		return;
	if (p->at == p->n_history) {
		free(p->typed);
		p->typed = xstrdup(p->line.text.ptr);
	}
	p->at = at;
	lineedit_set(&p->line, at == p->n_history ? p->typed : p->history[at]);
	p->unsettled = true;
	t->dirty = true;
}

static void history_keep(struct tui *t, const struct prompt_ops *ops, const char *text)
{
	struct err e = ERR_INIT;

	if (ops->history && *text && work_desk(t->work, &e) == 0)
		desk_history_add(t->work->desk, ops->history, text, &e);
}

/* ---- completion */

static size_t common(const struct strlist *l)
{
	size_t n = strlen(l->items[0]);

	for (size_t i = 1; i < l->len; i++) {
		size_t k = 0;

		while (k < n && l->items[0][k] == l->items[i][k])
			k++;
		n = k;
	}
	while (n > 0 && ((unsigned char)l->items[0][n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void complete_with(struct prompt *p, const char *word, bool whole)
{
	struct buf b = BUF_INIT;
	size_t n = strlen(word);

	buf_add(&b, word, n);
	if (whole && n && !strchr(":/=", word[n - 1]))
		buf_addch(&b, ' ');
	lineedit_replace(&p->line, p->start, b.ptr);
	buf_release(&b);
	p->unsettled = true;
}

static void complete_first(struct tui *t, struct prompt *p)
{
	char *prefix;

	p->start = p->ops->complete(t, p->line.text.ptr, p->line.cursor, &p->arena, &p->found);
	if (p->found.len == 0) {
		prompt_note(t, false, "nothing begins like this");
		return;
	}
	prompt_note(t, false, "%s", "");
	if (p->found.len == 1) {
		complete_with(p, p->found.items[0], true);
		found_clear(p);
		return;
	}
	prefix = arena_memdup(&p->arena, p->found.items[0], common(&p->found));
	if (strlen(prefix) > p->line.cursor - p->start)
		complete_with(p, prefix, false);
}

static void complete(struct tui *t, struct prompt *p, int by)
{
	if (!p->ops || !p->ops->complete)
		return;
	if (p->found.len == 0) {
		found_clear(p);
		complete_first(t, p);
		return;
	}
	if (p->choice == SIZE_MAX)
		p->choice = by > 0 ? 0 : p->found.len - 1;
	else
		p->choice = (p->choice + p->found.len + (size_t)(long)by) % p->found.len;
	complete_with(p, p->found.items[p->choice], false);
}

/* ---- keys */

static void menu_key(struct tui *t, const struct prompt *p, uint32_t code)
{
	const struct menu_item *item = p->menu;

	while (item->key && item->key != code)
		item++;
	prompt_close(t);
	if (item->key)
		tui_run_line(t, item->command);
}

static void line_done(struct tui *t, struct prompt *p)
{
	const struct prompt_ops *ops = p->ops;
	char *text = xstrdup(p->line.text.ptr);

	prompt_close(t);
	ops->done(t, text);
	history_keep(t, ops, text);
	free(text);
}

static void line_cancelled(struct tui *t, struct prompt *p)
{
	const struct prompt_ops *ops = p->ops;

	prompt_close(t);
	if (ops->cancelled)
		ops->cancelled(t);
}

static bool is_cancel(const struct prompt *p, uint32_t code)
{
	return code == K_ESC || code == KEY_CTRL('C') || code == KEY_CTRL('G') ||
		(code == K_BACKSPACE && p->line.text.len == 0);
}

void prompt_key(struct tui *t, const struct key *k)
{
	struct prompt *p = t->prompt;
	bool changed;

	t->dirty = true;
	if (k->code == K_MOUSE || k->code == K_RESIZE)
		return;
	if (p->menu) {
		menu_key(t, p, k->code);
		return;
	}
	if (is_cancel(p, k->code))
		line_cancelled(t, p);
	else if (p->ops->key && p->ops->key(t, k->code))
		return;
	else if (k->code == K_ENTER)
		line_done(t, p);
	else if (k->code == K_TAB || k->code == K_BTAB)
		complete(t, p, k->code == K_TAB ? 1 : -1);
	else if (k->code == K_UP || k->code == KEY_CTRL('P'))
		history_go(t, p, -1);
	else if (k->code == K_DOWN || k->code == KEY_CTRL('N'))
		history_go(t, p, 1);
	else if (lineedit_key(&p->line, k->code, &changed) && changed) {
		found_clear(p);
		prompt_note(t, false, "%s", "");
		p->unsettled = true;
	}
}

void prompt_paste(struct tui *t, uint32_t code)
{
	struct prompt *p = t->prompt;
	char c = ' ';
	bool changed;

	if (!p || p->menu)
		return;
	if (code == K_ENTER || code == K_TAB)
		lineedit_insert(&p->line, &c, 1);
	else if (key_is_text(code))
		lineedit_key(&p->line, code, &changed);
	p->unsettled = t->dirty = true;
}

/* ---- drawing */

int prompt_height(struct tui *t)
{
	return t->prompt->note || t->prompt->found.len || t->prompt->menu ? 2 : 1;
}

static void draw_found(struct tui *t, const struct prompt *p, int y, int w)
{
	struct canvas *c = term_canvas(t->term);
	size_t first = 0;
	int x = 1;

	/* The chosen one is always to be seen: begin so that it fits. */
	for (size_t i = 0; p->choice != SIZE_MAX && i <= p->choice; i++) {
		x += text_width(p->found.items[i]) + 2;
		if (x > w - 2) {
			first = i;
			x = 1 + text_width(p->found.items[i]) + 2;
		}
	}
	x = 1;
	for (size_t i = first; i < p->found.len && x < w - 1; i++) {
		enum style st = i == p->choice ? STYLE_ACCENT : STYLE_NORMAL;

		x += canvas_put(c, y, x, w - 1 - x, st, p->found.items[i]) + 2;
	}
	if (x >= w - 1)
		canvas_put(c, y, w - 1, 1, STYLE_DIM, glyph(t, "›", ">"));
}

static void draw_menu(struct tui *t, const struct prompt *p, struct rect area)
{
	struct canvas *c = term_canvas(t->term);
	int y = area.y, x = 1 + canvas_put(c, y, 1, area.w - 2, STYLE_STRONG, p->label) + 2;

	for (const struct menu_item *i = p->menu; i->key; i++) {
		struct buf b = BUF_INIT;

		key_format(&b, i->key);
		if (x + text_width(b.ptr) + 1 + text_width(i->label) > area.w - 1 && y < area.y + area.h - 1) {
			y++;
			x = 1;
		}
		x += canvas_put(c, y, x, area.w - 1 - x, STYLE_ACCENT, b.ptr) + 1;
		x += canvas_put(c, y, x, area.w - 1 - x, STYLE_NORMAL, i->label) + 2;
		buf_release(&b);
	}
}

static void draw_line(struct tui *t, struct prompt *p, int y, int w)
{
	struct canvas *c = term_canvas(t->term);
	int label = canvas_put(c, y, 1, w - 8 > 1 ? w - 8 : 1, STYLE_ACCENT, p->label), x = 1 + label;
	int room = w - x - 1, before = text_width_n(p->line.text.ptr, p->line.cursor), used;
	size_t from = 0;

	if (room < 1)
		room = 1;
	if (before >= room)
		from = text_fit(p->line.text.ptr, p->line.cursor, before - room + 1, &used);
	/* A wide character may have stopped one short. */
	while (from < p->line.cursor && text_width_n(p->line.text.ptr + from, p->line.cursor - from) >= room)
		from += text_cluster(p->line.text.ptr + from, p->line.cursor - from, &used);
	canvas_putn(c, y, x, room, STYLE_NORMAL, p->line.text.ptr + from, p->line.text.len - from);
	c->cursor_y = y;
	c->cursor_x = x + text_width_n(p->line.text.ptr + from, p->line.cursor - from);
}

void prompt_draw(struct tui *t, struct rect area)
{
	struct prompt *p = t->prompt;
	int bottom = area.y + area.h - 1;

	for (int y = area.y; y <= bottom; y++)
		canvas_flag(term_canvas(t->term), y, 0, area.w, CELL_BAND);
	if (p->menu) {
		draw_menu(t, p, area);
	} else {
		if (area.h > 1 && p->found.len)
			draw_found(t, p, area.y, area.w);
		else if (area.h > 1 && p->note)
			canvas_put(term_canvas(t->term), area.y, 1, area.w - 2, p->note_error ? STYLE_ERROR : STYLE_DIM, p->note);
		draw_line(t, p, bottom, area.w);
	}
	for (int y = area.y; y <= bottom; y++)
		canvas_flag(term_canvas(t->term), y, 0, area.w, CELL_BAND);
}

void prompt_plain(struct tui *t, struct buf *out)
{
	const struct prompt *p = t->prompt;

	buf_addstr(out, p->label);
	for (const struct menu_item *i = p->menu; i && i->key; i++) {
		buf_addch(out, ' ');
		key_format(out, i->key);
		buf_addf(out, " %s%s", i->label, i[1].key ? "," : "");
	}
	if (p->note)
		buf_addf(out, " (%s)", p->note);
}
