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

/* The shortest form people use: name, else login, else the mail address's local part, else "?". Never NULL. */
const char *person_label(const struct person *p);
/* Same mail address (case-folded) or, where one lacks it, same login. */
bool person_same(const struct person *a, const struct person *b);
/* {"name","email","login"}; a new reference. */
json_t *person_json(const struct person *p);
void person_from_json(struct arena *a, const json_t *j, struct person *out);
/* "Ana <ana@x>", "ana@x" or "ana". */
void person_parse(struct arena *a, const char *text, struct person *out);

#endif
