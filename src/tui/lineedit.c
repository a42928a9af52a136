/* SPDX-License-Identifier: MIT */
/* One line being typed; the keys are a table of functions. */
#include "config.h"
#include <string.h>
#include "killick/base/utf8.h"
#include "killick/text/width.h"
#include "lineedit.h"

void lineedit_init(struct lineedit *l, const char *text)
{
	memset(l, 0, sizeof(*l));
	buf_init(&l->text);
	buf_init(&l->killed);
	lineedit_set(l, text);
}

void lineedit_release(struct lineedit *l)
{
	buf_release(&l->text);
	buf_release(&l->killed);
}

void lineedit_set(struct lineedit *l, const char *text)
{
	buf_reset(&l->text);
	l->cursor = 0;
	lineedit_insert(l, text, strlen(text));
}

static void splice(struct lineedit *l, size_t start, size_t end, const char *p, size_t n)
{
	struct buf b = BUF_INIT;

	buf_add(&b, l->text.ptr, start);
	buf_add(&b, p, n);
	l->cursor = b.len;
	buf_add(&b, l->text.ptr + end, l->text.len - end);
	buf_release(&l->text);
	l->text = b;
}

void lineedit_insert(struct lineedit *l, const char *p, size_t n)
{
	struct buf clean = BUF_INIT;

	for (size_t i = 0, len; i < n; i += len) {
		int32_t cp;

		len = utf8_next(p + i, n - i, &cp);
		if (cp == '\n' || cp == '\r' || cp == '\t')
			buf_addch(&clean, ' ');
		else if (cp >= 32 && cp != 127 && !(cp >= 0x80 && cp < 0xa0))
			buf_add_utf8(&clean, cp);
	}
	splice(l, l->cursor, l->cursor, clean.ptr, clean.len);
	buf_release(&clean);
}

void lineedit_replace(struct lineedit *l, size_t start, const char *text)
{
	splice(l, start, l->cursor, text, strlen(text));
}

static size_t prev(const struct lineedit *l, size_t at)
{
	size_t p = 0, n;
	int cells;

	while (p < at) {
		n = text_cluster(l->text.ptr + p, l->text.len - p, &cells);
		if (n == 0 || p + n >= at)
			return p;
		p += n;
	}
	return p;
}

static size_t next(const struct lineedit *l, size_t at)
{
	int cells;

	return at < l->text.len ? at + text_cluster(l->text.ptr + at, l->text.len - at, &cells) : at;
}

static size_t word_left(const struct lineedit *l)
{
	size_t p = l->cursor;

	while (p > 0 && l->text.ptr[p - 1] == ' ')
		p--;
	while (p > 0 && l->text.ptr[p - 1] != ' ')
		p--;
	return p;
}

static size_t word_right(const struct lineedit *l)
{
	size_t p = l->cursor;

	while (p < l->text.len && l->text.ptr[p] == ' ')
		p++;
	while (p < l->text.len && l->text.ptr[p] != ' ')
		p++;
	return p;
}

static void kill_range(struct lineedit *l, size_t from, size_t to)
{
	if (from == to)
		return;
	buf_reset(&l->killed);
	buf_add(&l->killed, l->text.ptr + from, to - from);
	splice(l, from, to, "", 0);
}

static void go_start(struct lineedit *l) { l->cursor = 0; }
static void go_end(struct lineedit *l) { l->cursor = l->text.len; }
static void go_left(struct lineedit *l) { l->cursor = prev(l, l->cursor); }
static void go_right(struct lineedit *l) { l->cursor = next(l, l->cursor); }
static void go_word_left(struct lineedit *l) { l->cursor = word_left(l); }
static void go_word_right(struct lineedit *l) { l->cursor = word_right(l); }
static void del_left(struct lineedit *l) { splice(l, prev(l, l->cursor), l->cursor, "", 0); }
static void del_right(struct lineedit *l) { splice(l, l->cursor, next(l, l->cursor), "", 0); }
static void kill_end(struct lineedit *l) { kill_range(l, l->cursor, l->text.len); }
static void kill_start(struct lineedit *l) { kill_range(l, 0, l->cursor); }
static void kill_word(struct lineedit *l) { kill_range(l, word_left(l), l->cursor); }
static void kill_word_right(struct lineedit *l) { kill_range(l, l->cursor, word_right(l)); }
static void yank(struct lineedit *l) { splice(l, l->cursor, l->cursor, l->killed.ptr, l->killed.len); }

static const struct { uint32_t key; void (*fn)(struct lineedit *l); } keys[] = {
	{ KEY_CTRL('A'), go_start }, { K_HOME, go_start }, { KEY_CTRL('E'), go_end }, { K_END, go_end },
	{ KEY_CTRL('B'), go_left }, { K_LEFT, go_left }, { KEY_CTRL('F'), go_right }, { K_RIGHT, go_right },
	{ KEY_ALT | 'b', go_word_left }, { KEY_ALT | 'f', go_word_right }, { K_BACKSPACE, del_left }, { K_DEL, del_right },
	{ KEY_CTRL('D'), del_right }, { KEY_CTRL('K'), kill_end }, { KEY_CTRL('U'), kill_start },
	{ KEY_CTRL('W'), kill_word }, { KEY_ALT | K_BACKSPACE, kill_word }, { KEY_ALT | 'd', kill_word_right },
	{ KEY_CTRL('Y'), yank },
};

bool lineedit_key(struct lineedit *l, uint32_t code, bool *changed)
{
	size_t len = l->text.len;
	struct buf b = BUF_INIT;

	*changed = false;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].key == code) {
			keys[i].fn(l);
			*changed = l->text.len != len;
			return true;
		}
	if (!key_is_text(code))
		return false;
	buf_add_utf8(&b, (int32_t)code);
	lineedit_insert(l, b.ptr, b.len);
	buf_release(&b);
	*changed = true;
	return true;
}
