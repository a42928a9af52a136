/* SPDX-License-Identifier: MIT */
/*
 * Jansson with its doors shut: writing, and typed reading; parsing is jsonread.c's. DEL is escaped too, which
 * JSON_ENSURE_ASCII does not do. Reals are written with 15 digits, so that 0.93 reads back as 0.93 and looks it.
 *
 * Documents that come by the hundred are written as text without a tree: to build one, to dump it by callbacks of a few
 * bytes and to free it was two thirds of what `killick at FILE --json` cost. The text is what jansson makes of the same
 * tree, byte for byte; tests/unit/test-json.c compares.
 */
#include "config.h"
#include <string.h>
#include "killick/base/clock.h"
#include "killick/base/json.h"
#include "killick/base/utf8.h"

static int json_sink(const char *p, size_t n, void *to)
{
	struct buf *b = to;

	while (n > 0) {
		const char *del = memchr(p, 0x7f, n);
		size_t len = del ? (size_t)(del - p) : n;
		buf_add(b, p, len);
		if (del)
			buf_addstr(b, "\\u007f");
		len += del != NULL;
		p += len;
		n -= len;
	}
	return 0;
}

static void add_int(struct buf *b, int64_t v)
{
	char digits[24];
	size_t i = sizeof(digits);
	uint64_t left = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do
		digits[--i] = (char)('0' + left % 10);
	while (left /= 10);
	if (v < 0)
		digits[--i] = '-';
	buf_add(b, digits + i, sizeof(digits) - i);
}

/* Jansson sets up a table for whatever it writes. */
void json_write(struct buf *b, const json_t *j)
{
	if (json_is_integer(j))
		add_int(b, json_integer_value(j));
	else if (json_dump_callback(j, json_sink, b, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)))
		BUG("a JSON value that cannot be written");
}

char *json_line(struct arena *a, json_t *stolen)
{
	struct buf b = BUF_INIT;
	char *s;

	json_write(&b, stolen);
	json_decref(stolen);
	s = arena_memdup(a, b.ptr, b.len);
	buf_release(&b);
	return s;
}

/* ---- text without a tree ---- */

static void add_unit(struct buf *b, unsigned u)
{
	static const char hex[] = "0123456789ABCDEF";
	const char s[] = { '\\', 'u', hex[u >> 12 & 15], hex[u >> 8 & 15], hex[u >> 4 & 15], hex[u & 15] };

	buf_add(b, s, sizeof(s));
}

static void add_escaped(struct buf *b, int32_t cp)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = cp > 0 && cp < 0x7f ? strchr(from, cp) : NULL;

	if (at)
		buf_add(b, (const char[]){ '\\', to[at - from] }, 2);
	else if (cp == 0x7f)
		buf_addstr(b, "\\u007f");
	else if (cp < 0x10000)
		add_unit(b, cp > 0 ? (unsigned)cp : 0xfffd);
	else {
		add_unit(b, 0xd800u | ((unsigned)cp - 0x10000) >> 10);
		add_unit(b, 0xdc00u | ((unsigned)cp & 0x3ff));
	}
}

/* Is one of eight bytes below c, or c? Bytes from 0x80 up are not told rightly: they are looked for apart. */
#define EACH(c) (UINT64_C(0x0101010101010101) * (c))
#define HAS_LESS(v, c) (((v) - EACH(c)) & ~(v) & EACH(0x80))
#define HAS(v, c) HAS_LESS((v) ^ EACH(c), 1)

static size_t plain(const char *p, size_t n)
{
	size_t i = 0;
	uint64_t v;

	for (; n - i >= sizeof(v); i += sizeof(v)) {
		memcpy(&v, p + i, sizeof(v));
		if ((v & EACH(0x80)) | HAS_LESS(v, ' ') | HAS(v, 0x7f) | HAS(v, '"') | HAS(v, '\\'))
			break;
	}
	while (i < n && p[i] >= ' ' && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

static void add_pieces(struct buf *b, const char *s, size_t n, size_t len)
{
	int32_t cp;

	buf_add(b, "\"", 1);
	for (; n; s += len, n -= len, len = plain(s, n)) {
		buf_add(b, s, len);
		if (!len) {
			len = utf8_next(s, n, &cp);
			add_escaped(b, cp);
		}
	}
	buf_add(b, "\"", 1);
}

/* Most keys and values are short and plain: those are put together first, since adding to a buffer costs more than copying. */
enum { SHORT = 256 };

void json_add(struct buf *b, const char *s)
{
	size_t n = s ? strlen(s) : 0, len = plain(s, n);
	char text[SHORT];

	if (!s) {
		buf_add(b, "null", 4);
	} else if (len < n || n > SHORT - 2) {
		add_pieces(b, s, n, len);
	} else {
		text[0] = text[n + 1] = '"';
		memcpy(text + 1, s, n);
		buf_add(b, text, n + 2);
	}
}

void json_add_key(struct buf *b, const char *key)
{
	bool first = b->len && b->ptr[b->len - 1] == '{';
	size_t n = strlen(key);
	char text[SHORT], *p = text;

	if (n > SHORT - 4)
		BUG("a key of %zu bytes", n);
	if (!first)
		*p++ = ',';
	*p++ = '"';
	memcpy(p, key, n);
	memcpy(p + n, "\":", 2);
	buf_add(b, text, (size_t)(p - text) + n + 2);
}

void json_add_str(struct buf *b, const char *key, const char *s)
{
	json_add_key(b, key);
	json_add(b, s);
}

void json_add_int(struct buf *b, const char *key, int64_t v)
{
	json_add_key(b, key);
	add_int(b, v);
}

void json_add_bool(struct buf *b, const char *key, bool v)
{
	json_add_key(b, key);
	buf_addstr(b, v ? "true" : "false");
}

/* Few places behind the point: then n / 10000 is the nearest number to those digits, and they are what "%.15g" gives. */
static bool add_short_real(struct buf *b, double v)
{
	enum { SCALE = 10000 };
	unsigned n = v >= 0 && v < 1000 ? (unsigned)(v * SCALE + 0.5) : 0, rest = n % SCALE;

	if (!n || (double)n / SCALE != v)
		return false;
	add_int(b, n / SCALE);
	buf_addch(b, '.');
	for (unsigned digit = SCALE / 10; digit; digit /= 10, rest %= digit * 10) {
		buf_addch(b, (int)('0' + rest / digit));
		if (!(rest % digit))
			break;
	}
	return true;
}

void json_add_real(struct buf *b, const char *key, double v)
{
	json_t *j;

	json_add_key(b, key);
	if (add_short_real(b, v))
		return;
	j = json_real(v);
	if (j)
		json_write(b, j);
	else
		buf_addstr(b, "null");
	json_decref(j);
}

void json_add_time(struct buf *b, const char *key, int64_t t)
{
	char text[TIME_RFC3339_SIZE];

	json_add_str(b, key, t ? time_rfc3339(text, t) : NULL);
}

json_t *json_tree(struct buf *b)
{
	struct err e = ERR_INIT;
	json_t *j = json_read(b->ptr, b->len, "a document", &e);

	if (!j)
		BUG("%s", e.msg);
	buf_release(b);
	return j;
}

/* ---- typed reading, trees ---- */

const char *json_get_str(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}

int64_t json_get_int(const json_t *obj, const char *key, int64_t def)
{
	const json_t *v = json_object_get(obj, key);

	return json_is_integer(v) ? json_integer_value(v) : def;
}

bool json_get_bool(const json_t *obj, const char *key)
{
	return json_is_true(json_object_get(obj, key));
}

json_t *json_get_arr(const json_t *obj, const char *key)
{
	json_t *v = json_object_get(obj, key);

	return json_is_array(v) ? v : NULL;
}

json_t *json_get_obj(const json_t *obj, const char *key)
{
	json_t *v = json_object_get(obj, key);

	return json_is_object(v) ? v : NULL;
}

/* NUL is made U+FFFD as well: what is written must pass json_read again. */
static json_t *json_text(const char *s, size_t n)
{
	struct buf b = BUF_INIT;
	json_t *j;
	int32_t cp;

	if (utf8_valid(s, n) && !memchr(s, '\0', n))
		return json_stringn_nocheck(s, n);
	for (size_t i = 0; i < n;) {
		i += utf8_next(s + i, n - i, &cp);
		buf_add_utf8(&b, cp ? cp : UTF8_BAD);
	}
	j = json_stringn_nocheck(b.ptr, b.len);
	buf_release(&b);
	return j;
}

static void json_put(json_t *obj, const char *key, json_t *v)
{
	if (!v || json_object_set_new(obj, key, v))
		BUG("cannot set '%s' in a JSON object", key);
}

json_t *json_str_or_null(const char *s)
{
	return s ? json_text(s, strlen(s)) : json_null();
}

void json_put_str(json_t *obj, const char *key, const char *s)
{
	json_put(obj, key, json_str_or_null(s));
}

void json_put_strn(json_t *obj, const char *key, const char *s, size_t n)
{
	json_put(obj, key, s ? json_text(s, n) : json_null());
}

void json_put_int(json_t *obj, const char *key, int64_t v)
{
	json_put(obj, key, json_integer(v));
}

void json_put_time(json_t *obj, const char *key, int64_t t)
{
	char text[TIME_RFC3339_SIZE];

	json_put(obj, key, t ? json_string(time_rfc3339(text, t)) : json_null());
}
