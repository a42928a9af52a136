/* SPDX-License-Identifier: MIT */
/*
 * JSON over jansson (2.14): strict parsing, typed reading, stable writing.
 * Parsing refuses duplicate keys, NUL, invalid UTF-8, depth over 64 and trailing bytes (trust.md 12 to 14).
 * Writing is compact, key order as inserted, ASCII only (JSON_ENSURE_ASCII), so C1 controls and bidi marks never
 * reach a terminal raw.
 */
#ifndef KILLICK_BASE_JSON_H
#define KILLICK_BASE_JSON_H

#include <jansson.h>
#include "killick/base/buf.h"
#include "killick/base/err.h"
#include "killick/base/mem.h"

/* NULL with ERR_BAD_DATA, naming `what` and where. The caller decrefs. */
json_t *json_read(const char *p, size_t n, const char *what, struct err *e);
/*
 * The members of an object one after the other, without a tree, for texts that come by the hundred thousand. Only what is plainly
 * right is read: false where anything is not, or where take says so, and json_read has to tell what it is. type: s, i, b, n
 * (null), { and [, whose text s is; a text lives until take returns. To notice a key that comes twice is take's.
 */
struct json_value { char type; const char *s; size_t n; int64_t i; };
typedef bool json_take_fn(void *ctx, const char *key, size_t len, const struct json_value *v);
bool json_each(const char *p, size_t n, json_take_fn *take, void *ctx);
/* A new reference, NULL where a nested one is not right. */
json_t *json_value_tree(const struct json_value *v);
/* Adds the text to b; no newline. */
void json_write(struct buf *b, const json_t *j);
/* The same text in the arena; the reference is stolen. */
char *json_line(struct arena *a, json_t *stolen);

/*
 * The same text for documents that come by the hundred, written as they go: `buf_addch(b, '{')`, members, `buf_addch(b, '}')`.
 * A key is plain ASCII, its comma is put where it is not the first. Strings as with json_put_str; a real that is no number is
 * null. json_tree reads what was written and releases b.
 */
void json_add(struct buf *b, const char *s);
void json_add_key(struct buf *b, const char *key);
void json_add_str(struct buf *b, const char *key, const char *s);
void json_add_int(struct buf *b, const char *key, int64_t v);
void json_add_bool(struct buf *b, const char *key, bool v);
void json_add_real(struct buf *b, const char *key, double v);
void json_add_time(struct buf *b, const char *key, int64_t t);
json_t *json_tree(struct buf *b);

/* Absent, null or another type gives NULL, def or false; a string lives as long as the object. */
const char *json_get_str(const json_t *obj, const char *key);
int64_t json_get_int(const json_t *obj, const char *key, int64_t def);
bool json_get_bool(const json_t *obj, const char *key);
json_t *json_get_arr(const json_t *obj, const char *key);
json_t *json_get_obj(const json_t *obj, const char *key);
/* NULL becomes null; bytes that are not UTF-8 become U+FFFD. */
void json_put_str(json_t *obj, const char *key, const char *s);
void json_put_strn(json_t *obj, const char *key, const char *s, size_t n);
void json_put_int(json_t *obj, const char *key, int64_t v);
/* 0 becomes null. */
void json_put_time(json_t *obj, const char *key, int64_t t);
json_t *json_str_or_null(const char *s);

#endif
