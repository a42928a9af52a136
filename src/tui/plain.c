/* SPDX-License-Identifier: MIT */
/*
 * Plain mode: the same screens told line by line, for screen readers, braille lines and terminals that cannot place a
 * cursor. Nothing is painted over: what is new is printed below. A line that is typed is a key ("r"), a row's number
 * (which opens it), a ":" line ("search retry", with or without the colon), or nothing for the next rows.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "killick/base/file.h"
#include "killick/base/utf8.h"
#include "killick/text/sanitize.h"
#include "ui.h"

#define PLAIN_ROWS 20

struct plain {
	struct tui *t;
	const struct view *shown;   /* the view told last, by its address and what it showed */
	size_t next;                /* first row not told yet */
	size_t said;                /* messages told */
	bool eof;
};

static void tell(const char *s)
{
	struct buf b = BUF_INIT;

	text_sanitize(&b, s, strlen(s), TEXT_PROSE | TEXT_LINES);
	buf_addch(&b, '\n');
	write_full(STDOUT_FILENO, b.ptr, b.len);
	buf_release(&b);
}

static void tell_title(struct plain *p, struct view *v)
{
	struct buf left = BUF_INIT, right = BUF_INIT;

	if (v->ops->title)
		v->ops->title(v, &left, &right);
	if (right.len)
		buf_addf(&left, ", %s", right.ptr);
	buf_addf(&left, ". %zu row%s.", view_count(v), view_count(v) == 1 ? "" : "s");
	tell(left.ptr);
	p->shown = v;
	p->next = 0;
	buf_release(&left);
	buf_release(&right);
}

static void tell_empty(struct view *v)
{
	struct styled s = STYLED_INIT;
	struct buf b = BUF_INIT;

	if (v->problem)
		buf_addstr(&b, v->problem);
	else if (v->ops->empty)
		v->ops->empty(v, &s);
	styled_plain(&b, &s);
	tell(b.ptr);
	styled_release(&s);
	buf_release(&b);
}

static void tell_row(struct view *v, size_t row)
{
	struct buf b = BUF_INIT;

	if (v->ops->kind == VIEW_LIST && !view_heading(v, row))
		buf_addf(&b, "%zu. ", row + 1);
	view_row_text(v, row, &b);
	buf_rtrim(&b);
	tell(b.ptr);
	buf_release(&b);
}

static void tell_rows(struct plain *p, struct view *v)
{
	size_t n = view_count(v), end = p->next + PLAIN_ROWS < n ? p->next + PLAIN_ROWS : n;

	if (n == 0) {
		tell_empty(v);
		return;
	}
	if (p->next >= n) {
		tell("No more rows.");
		return;
	}
	for (; p->next < end; p->next++)
		tell_row(v, p->next);
	if (p->next < n)
		tell("More: press Enter.");
}

static void tell_news(struct plain *p)
{
	struct messages *m = &p->t->messages;

	for (; p->said < m->list.len; p->said++)
		tell(m->list.items[p->said].text);
}

static bool ask_line(struct plain *p, const char *prompt, struct buf *line)
{
	char *text = NULL;
	size_t alloc = 0;
	ssize_t n;

	write_full(STDOUT_FILENO, prompt, strlen(prompt));
	n = getline(&text, &alloc, stdin);
	if (n < 0)
		p->eof = true;
	else
		buf_add(line, text, (size_t)n);
	buf_rtrim(line);
	free(text);
	return n >= 0;
}

/* A prompt that a key opened takes a line of its own. */
static void answer_prompts(struct plain *p)
{
	while (p->t->prompt && !p->eof) {
		struct buf label = BUF_INIT, line = BUF_INIT;
		struct key enter = { .code = K_ENTER };
		const char *s;

		prompt_plain(p->t, &label);
		buf_addstr(&label, " ");
		ask_line(p, label.ptr, &line);
		for (s = line.ptr; *s && p->t->prompt;) {
			int32_t cp;
			struct key k = { 0 };

			s += utf8_next(s, strlen(s), &cp);
			k.code = cp == UTF8_BAD ? '?' : (uint32_t)cp;
			prompt_key(p->t, &k);
		}
		if (p->t->prompt)
			prompt_key(p->t, &enter);
		tui_settle(p->t, 2000);
		buf_release(&label);
		buf_release(&line);
	}
}

static void take(struct plain *p, const char *line)
{
	struct view *v = tui_view(p->t);
	uint64_t row;
	uint32_t code;

	if (str_to_u64(line, UINT32_MAX, &row) && row > 0) {
		view_goto(v, row - 1);
		tui_act(p->t, ACT_OPEN, NULL);
	} else if (line[0] != ':' && key_parse(line, &code)) {
		struct key k = { .code = code };

		tui_key(p->t, &k);
	} else if (line[0] == ':' || line[0] == '/') {
		tui_run_line(p->t, line[0] == ':' ? line + 1 : line);
	} else {
		tui_run_line(p->t, line);
	}
	tui_settle(p->t, 2000);
	answer_prompts(p);
}

int plain_loop(struct tui *t, struct err *e)
{
	struct plain p = { .t = t };

	(void)e;
	tui_settle(t, 2000);
	while (!t->done && !p.eof) {
		struct view *v = tui_view(t);
		struct buf line = BUF_INIT;
		size_t row = v->cursor;

		tell_news(&p);
		if (v != p.shown) {
			tell_title(&p, v);
			tell_rows(&p, v);
		}
		if (ask_line(&p, "killick> ", &line)) {
			if (line.len == 0)
				tell_rows(&p, v);
			else
				take(&p, line.ptr);
		}
		if (!t->done && tui_view(t) == v && v->cursor != row && v->cursor < view_count(v))
			tell_row(v, v->cursor);
		else if (!t->done && tui_view(t) != v)
			p.shown = NULL;
		buf_release(&line);
	}
	tell_news(&p);
	return 0;
}
