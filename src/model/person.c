/* SPDX-License-Identifier: MIT */
/*
 * People. Who is who decides whose edit counts in the fold, so the comparison must give the same answer on every
 * machine and in every other implementation: mail addresses fold ASCII letters only, by hand, because Unicode case
 * folding changes with the version of its tables and strcasecmp with the locale.
 */
#include "config.h"
#include <string.h>
#include "killick/base/buf.h"
#include "killick/model/person.h"

static int lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static bool same_folded(const char *a, const char *b)
{
	while (*a && lower((unsigned char)*a) == lower((unsigned char)*b))
		a++, b++;
	return *a == *b;
}

static bool given(const char *s)
{
	return s && *s;
}

const char *person_label(const struct person *p)
{
	return given(p->name) ? p->name : given(p->login) ? p->login : given(p->email) ? p->email : "?";
}

bool person_same_email(const struct person *a, const struct person *b)
{
	return given(a->email) && given(b->email) && same_folded(a->email, b->email);
}

bool person_same(const struct person *a, const struct person *b)
{
	if (given(a->email) && given(b->email))
		return same_folded(a->email, b->email);
	return given(a->login) && given(b->login) && same_folded(a->login, b->login);
}

void person_add_json(struct buf *b, const struct person *p)
{
	buf_addch(b, '{');
	json_add_str(b, "name", p->name);
	json_add_str(b, "email", p->email);
	json_add_str(b, "login", p->login);
	buf_addch(b, '}');
}

json_t *person_json(const struct person *p)
{
	struct buf b = BUF_INIT;

	person_add_json(&b, p);
	return json_tree(&b);
}

void person_from_json(struct arena *a, const json_t *j, struct person *out)
{
	*out = (struct person){
		.name = arena_strdup(a, json_get_str(j, "name")),
		.email = arena_strdup(a, json_get_str(j, "email")),
		.login = arena_strdup(a, json_get_str(j, "login")),
	};
}

void person_copy(struct arena *a, const struct person *p, struct person *out)
{
	*out = (struct person){
		.name = arena_strdup(a, p->name),
		.email = arena_strdup(a, p->email),
		.login = arena_strdup(a, p->login),
	};
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The bytes [from, to) without blanks at the ends; NULL for none. */
static const char *trimmed(struct arena *a, const char *from, const char *to)
{
	while (from < to && is_blank(*from))
		from++;
	while (to > from && is_blank(to[-1]))
		to--;
	return from < to ? arena_memdup(a, from, (size_t)(to - from)) : NULL;
}

void person_parse(struct arena *a, const char *text, struct person *out)
{
	const char *end = text + strlen(text);
	const char *open = strrchr(text, '<');
	const char *close = open ? strchr(open, '>') : NULL;
	const char *word;

	*out = (struct person){ 0 };
	if (close) {
		out->name = trimmed(a, text, open);
		out->email = trimmed(a, open + 1, close);
		return;
	}
	word = trimmed(a, text, end);
	if (!word)
		return;
	if (word[0] == '@')
		out->login = word[1] ? word + 1 : NULL;
	else if (strchr(word, '@') && !strpbrk(word, " \t\n"))
		out->email = word;
	else if (strpbrk(word, " \t\n"))
		out->name = word;
	else
		out->login = word;
}
