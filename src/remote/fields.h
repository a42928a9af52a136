/* SPDX-License-Identifier: MIT */
/*
 * What adapters read out of answers, and write into them: keys, times, texts, the code that a hunk shows, the words that
 * forges have for emoji. And the last look at a record before it goes out: what a server makes too long or writes into a path
 * must cost that field, not the page.
 */
#ifndef KILLICK_SRC_REMOTE_FIELDS_H
#define KILLICK_SRC_REMOTE_FIELDS_H

#include "killick/remote/adapter.h"

/* A number or a string as a key's text; NULL: neither, or empty. */
const char *field_key(struct arena *a, const json_t *obj, const char *name);
/* Not empty, else NULL; lives as long as the object. */
const char *field_str(const json_t *obj, const char *name);
/* Is the field this text? */
bool field_is(const json_t *obj, const char *name, const char *value);
/* A text with LF for CRLF and CR; "" where there is none. */
const char *field_text(struct arena *a, const json_t *obj, const char *name);
const char *text_lf(struct arena *a, const char *s);
/* Milliseconds, 0: none (also the year 1, as Go writes none). */
int64_t field_time(const json_t *obj, const char *name);
/* A field of an object in the object; NULL where one is missing. */
json_t *field_in(const json_t *obj, const char *name, const char *inner);
/* The number at the end of an address, 0: none. */
int64_t url_number(const char *url);

/* "+1" for a thumb up, and back; what is in no table stays what it is. */
const char *reaction_word(const char *emoji);
const char *reaction_emoji(const char *word);

/* What the project is called in requests: as it was connected, or as the option "renamed" says, so that what is known of it here
 * stays known. NULL: not at all. */
const char *remote_project(const struct remote *r);
/* What to do where it is called otherwise by now (reading is led there, but nothing is written after a redirect); NULL. */
const char *remote_renamed(struct remote *r, const char *full_name);

/* The lines that a note is on (its last ones), and those before, out of the hunk that ends with them. */
void anchor_quote_hunk(struct arena *a, struct anchor *an, const char *hunk);

/* Copies *rec to *out with what is too long cut (lossy), wrong anchors, labels and addresses left out. false: nothing can be
 * made of it (no key). */
bool record_tidy(struct arena *a, const struct record *rec, struct record *out);

#endif
