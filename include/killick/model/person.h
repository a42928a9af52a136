/* SPDX-License-Identifier: MIT */
/* A person as a source or git knows them. Any field may be NULL. */
#ifndef KILLICK_MODEL_PERSON_H
#define KILLICK_MODEL_PERSON_H

#include <stdbool.h>
#include "killick/base/json.h"
#include "killick/base/mem.h"

struct person {
	const char *name, *email, *login;
};

/* The form people use: name, else login, else the mail address, else "?". Never NULL; borrowed from p. */
const char *person_label(const struct person *p);
/* Same mail address (ASCII letters folded) or, where one lacks it, same login (likewise). Nobody is nobody's same. */
bool person_same(const struct person *a, const struct person *b);
/* Both have a mail address and it is the same: what the fold asks, since a login proves nothing across sources. */
bool person_same_email(const struct person *a, const struct person *b);
/* {"name","email","login"} as text, and as a new reference. */
void person_add_json(struct buf *b, const struct person *p);
json_t *person_json(const struct person *p);
void person_from_json(struct arena *a, const json_t *j, struct person *out);
void person_copy(struct arena *a, const struct person *p, struct person *out);
/* "Ana <ana@x>", "ana@x", "@ana" or "ana" (a login); several words without a mail address are a name. */
void person_parse(struct arena *a, const char *text, struct person *out);

#endif
