/* SPDX-License-Identifier: MIT */
/*
 * Settings: git config variables killick.*, one table of rows with type, default, choices and help; the manual page
 * killick-config(5) is compared with it by a test. Rows marked SETTING_USER name programs, URLs or credentials and are
 * read from the user's own configuration only, never from the repository's (trust.md 7).
 */
#ifndef KILLICK_STORE_SETTINGS_H
#define KILLICK_STORE_SETTINGS_H

#include "killick/git/repo.h"

enum setting_type { SETTING_BOOL, SETTING_INT, SETTING_DURATION, SETTING_REAL, SETTING_TEXT, SETTING_CHOICE };
enum setting_flags { SETTING_USER = 1 << 0 };
struct setting {
	const char *name;            /* "push" for killick.push; a dot makes a subsection: place.threshold */
	enum setting_type type;
	const char *def;             /* never NULL; "" for texts that are not set */
	const char *const *choices;  /* CHOICE: NULL-terminated */
	unsigned flags;
	double min, max;             /* INT (in its unit), DURATION (in milliseconds), REAL */
	const char *help;            /* one sentence or two */
};
/* Sorted by name; ends with a row whose name is NULL. */
extern const struct setting settings[];
/* Case does not matter, as in git; "killick." may stand before it. NULL: unknown. */
const struct setting *setting_find(const char *name);
const char *setting_type_name(enum setting_type t);

/* The value in force (arena), the default when unset or malformed; r may be NULL. Unknown name: BUG. */
const char *setting_get(struct repo *r, struct arena *a, const char *name);
bool setting_bool(struct repo *r, const char *name);
int64_t setting_int(struct repo *r, const char *name);       /* DURATION: milliseconds */
double setting_real(struct repo *r, const char *name);
/* Checks the value against the row: ERR_USAGE with the choices. SETTING_USER rows are only set with global. */
int setting_set(struct repo *r, bool global, const char *name, const char *value, struct err *e);
int setting_check(const struct setting *s, const char *value, struct err *e);

#endif
