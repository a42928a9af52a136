/* SPDX-License-Identifier: MIT */
/* The key table and its parser; see keymap.h for the text's form and keys.c for the built-in text. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "keymap.h"

void keymap_release(struct keymap *m)
{
	arena_release(&m->arena);
	array_release(&m->rows);
	array_release(&m->places);
}

/* Cuts the next word off *p, NULL at the end. */
static char *word(char **p)
{
	char *start = *p + strspn(*p, " \t"), *end = start + strcspn(start, " \t");

	if (!*start)
		return NULL;
	*p = *end ? end + 1 : end;
	*end = '\0';
	return start;
}

static bool place_known(const struct keymap *m, const char *where)
{
	for (size_t i = 0; i < m->places.len; i++)
		if (!strcmp(m->places.items[i], where))
			return true;
	return !strcmp(where, "any");
}

static int place_check(const struct keymap *m, const char *where, struct err *e)
{
	const char *near;

	if (place_known(m, where))
		return 0;
	*array_add(&((struct keymap *)m)->places) = NULL;
	near = str_nearest(where, m->places.items);
	((struct keymap *)m)->places.len--;
	if (near)
		return err_set(e, ERR_USAGE, "no screen is called '%s'; did you mean '%s'?", where, near);
	return err_set(e, ERR_USAGE, "no screen is called '%s' ('any' is every screen; see killick-keys(5))", where);
}

static void add(struct keymap *m, const char *where, uint32_t key, const char *command)
{
	struct binding *row = NULL;

	for (size_t i = 0; i < m->rows.len && !row; i++)
		if (m->rows.items[i].key == key && !strcmp(m->rows.items[i].where, where))
			row = &m->rows.items[i];
	if (!row) {
		row = array_add(&m->rows);
		row->where = arena_strdup(&m->arena, where);
		row->key = key;
	}
	row->command = arena_strdup(&m->arena, command);
}

static int bind_words(struct keymap *m, bool on, char *rest, struct err *e)
{
	char *where = word(&rest), *key = where ? word(&rest) : NULL;
	uint32_t code;

	if (!key)
		return err_set(e, ERR_USAGE, on ? "bind WHERE KEY COMMAND: something is missing" : "unbind WHERE KEY: something is missing");
	if (place_check(m, where, e) < 0)
		return -1;
	if (!key_parse(key, &code))
		return err_set(e, ERR_USAGE, "no key is called '%s' (like: x, Enter, Ctrl-P, Alt-r, F1, PgDn)", key);
	rest += strspn(rest, " \t:");
	if (on && !*rest)
		return err_set(e, ERR_USAGE, "bind %s %s: a command is missing", where, key);
	add(m, where, code, on ? rest : NULL);
	return 0;
}

int keymap_line(struct keymap *m, const char *line, struct err *e)
{
	struct buf b = BUF_INIT;
	char *p, *verb;
	int rc;

	buf_addstr(&b, line);
	buf_trim(&b);
	p = b.ptr;
	verb = word(&p);
	if (verb && (!strcmp(verb, "bind") || !strcmp(verb, "unbind")))
		rc = bind_words(m, verb[0] == 'b', p, e);
	else
		rc = err_set(e, ERR_USAGE, "a line begins with 'bind' or 'unbind', not '%s'", verb ? verb : "");
	buf_release(&b);
	return rc;
}

void keymap_text(struct keymap *m, const char *text, void (*fault)(void *ctx, unsigned line, const char *msg), void *ctx)
{
	struct buf b = BUF_INIT;

	for (unsigned n = 1; *text; n++) {
		size_t len = strcspn(text, "\n");
		struct err e = ERR_INIT;

		buf_reset(&b);
		buf_add(&b, text, len);
		buf_trim(&b);
		if (b.len && b.ptr[0] != '#' && keymap_line(m, b.ptr, &e) < 0 && fault)
			fault(ctx, n, e.msg);
		text += len + (text[len] == '\n');
	}
	buf_release(&b);
}

static const struct binding *find(const struct keymap *m, const char *where, uint32_t key)
{
	for (size_t i = 0; i < m->rows.len; i++)
		if (m->rows.items[i].key == key && !strcmp(m->rows.items[i].where, where))
			return &m->rows.items[i];
	return NULL;
}

const char *keymap_get(const struct keymap *m, const char *where, uint32_t key)
{
	const struct binding *row = find(m, where, key);

	if (!row)
		row = find(m, "any", key);
	return row ? row->command : NULL;
}

static bool in_force(const struct keymap *m, const char *where, const struct binding *row)
{
	if (!row->command)
		return false;
	if (!strcmp(row->where, where))
		return true;
	return !strcmp(row->where, "any") && !find(m, where, row->key);
}

bool keymap_each(const struct keymap *m, const char *where, size_t *i, const struct binding **out)
{
	while (*i < m->rows.len) {
		*out = &m->rows.items[(*i)++];
		if (in_force(m, where, *out))
			return true;
	}
	return false;
}

uint32_t keymap_key(const struct keymap *m, const char *where, const char *command)
{
	const struct binding *row;
	uint32_t any = 0;

	for (size_t i = 0; keymap_each(m, where, &i, &row);) {
		if (strcmp(row->command, command))
			continue;
		if (!strcmp(row->where, where))
			return row->key;
		any = any ? any : row->key;
	}
	return any;
}
