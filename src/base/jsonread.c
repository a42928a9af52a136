/* SPDX-License-Identifier: MIT */
/*
 * Reading JSON. A pull reads a hundred megabytes of it, most of that in strings, and jansson's lexer takes each byte through
 * four calls: half of the time of a first pull was spent there. So a small reader of our own makes jansson's values of what is
 * plainly right: objects, arrays, strings, whole numbers of 18 digits, words. Anything else, be it a fault or only rare (reals),
 * makes it give up, and jansson reads the text from the start: it alone says what is wrong and where. The fuzzer compares
 * the two (tests/fuzz/fuzz-json.c). Depth is counted before jansson sees a text: its own limit of 2048 needs more stack for
 * later walks than a small one has (trust.md 12).
 */
#include "config.h"
#include <string.h>
#include "killick/base/json.h"
#include "killick/base/utf8.h"

enum { DEPTH_MAX = 64, DIGITS_MAX = 18 };

/* ---- what is plainly right ---- */

struct reader { const char *p, *end; struct buf text; int depth; };

static json_t *read_value(struct reader *r);

static void skip_blanks(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
		r->p++;
}

static bool take(struct reader *r, char c)
{
	skip_blanks(r);
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static bool take_hex4(struct reader *r, int32_t *out)
{
	*out = 0;
	if (r->end - r->p < 4)
		return false;
	for (int i = 0; i < 4; i++, r->p++) {
		char c = *r->p;
		int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

		if (d < 0)
			return false;
		*out = *out * 16 + d;
	}
	return true;
}

/* Behind \u. Halves of pairs only in pairs; no NUL. */
static bool take_code(struct reader *r)
{
	int32_t cp, low;

	if (!take_hex4(r, &cp) || cp == 0 || (cp >= 0xdc00 && cp <= 0xdfff))
		return false;
	if (cp >= 0xd800 && cp <= 0xdbff) {
		if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
			return false;
		r->p += 2;
		if (!take_hex4(r, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
	}
	buf_add_utf8(&r->text, cp);
	return true;
}

static bool take_escape(struct reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (++r->p == r->end)
		return false;
	if (*r->p == 'u') {
		r->p++;
		return take_code(r);
	}
	at = memchr(from, *r->p, sizeof(from) - 1);
	if (!at)
		return false;
	buf_addch(&r->text, to[at - from]);
	r->p++;
	return true;
}

#define ONES (~UINT64_C(0) / 255)
#define HIGHS (ONES << 7)

/* Is a byte zero? (Anderson, Bit Twiddling Hacks) */
static uint64_t has_zero(uint64_t w)
{
	return (w - ONES) & ~w & HIGHS;
}

/* Up to what ends a run of plain bytes; *high: some are not ASCII. Eight at a time where there are. */
static const char *run_end(const char *p, const char *end, bool *high)
{
	unsigned char all = 0;
	uint64_t w, wide = 0;

	for (; end - p >= 8; p += 8) {
		memcpy(&w, p, sizeof(w));
		if (has_zero(w ^ ONES * '"') | has_zero(w ^ ONES * '\\') | ((w - ONES * 0x20) & ~w & HIGHS))
			break;
		wide |= w;
	}
	for (; p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20; p++)
		all |= (unsigned char)*p;
	*high = *high || all >= 0x80 || wide & HIGHS;
	return p;
}

/* Behind the opening quote, to behind the closing one. The text is in the input, or where it had escapes in r->text. */
static bool read_text(struct reader *r, const char **s, size_t *n)
{
	const char *from = r->p;
	bool high = false;

	r->p = run_end(r->p, r->end, &high);
	*s = from;
	*n = (size_t)(r->p - from);
	if (r->p < r->end && *r->p == '\\') {
		buf_reset(&r->text);
		buf_add(&r->text, from, *n);
		while (r->p < r->end && *r->p == '\\') {
			if (!take_escape(r))
				return false;
			from = r->p;
			r->p = run_end(r->p, r->end, &high);
			buf_add(&r->text, from, (size_t)(r->p - from));
		}
		*s = r->text.ptr;
		*n = r->text.len;
	}
	if (r->p == r->end || *r->p != '"')
		return false;
	r->p++;
	return !high || utf8_valid(*s, *n);
}

static json_t *read_string(struct reader *r)
{
	const char *s;
	size_t n;

	return read_text(r, &s, &n) ? json_stringn_nocheck(s, n) : NULL;
}

static bool take_number(struct reader *r, int64_t *out)
{
	bool minus = *r->p == '-';
	const char *from = r->p += minus;
	int64_t v = 0;
	size_t n;

	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9' && r->p - from < DIGITS_MAX; r->p++)
		v = v * 10 + (*r->p - '0');
	n = (size_t)(r->p - from);
	*out = minus ? -v : v;
	return !(n == 0 || (n > 1 && *from == '0') || (r->p < r->end && (strchr(".eE", *r->p) || (*r->p >= '0' && *r->p <= '9'))));
}

static json_t *read_number(struct reader *r)
{
	int64_t v;

	return take_number(r, &v) ? json_integer(v) : NULL;
}

/* The type as in struct json_value, 0: none. */
static char take_word(struct reader *r, int64_t *v)
{
	static const struct { const char *word; size_t n; char type; } words[] = {
		{ "null", 4, 'n' }, { "true", 4, 'b' }, { "false", 5, 'b' },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if ((size_t)(r->end - r->p) < words[i].n || memcmp(r->p, words[i].word, words[i].n) != 0)
			continue;
		r->p += words[i].n;
		*v = i == 1;
		return words[i].type;
	}
	return 0;
}

static json_t *read_word(struct reader *r)
{
	int64_t v;
	char type = take_word(r, &v);

	return type ? type == 'n' ? json_null() : json_boolean(v) : NULL;
}

static bool read_member(struct reader *r, json_t *obj)
{
	struct buf keep = BUF_INIT;
	const char *key;
	size_t n, before = json_object_size(obj);
	json_t *v;
	bool fine;

	if (!take(r, '"') || !read_text(r, &key, &n))
		return false;
	if (key == r->text.ptr) { /* the value's text goes where the key's is */
		buf_add(&keep, key, n);
		key = keep.ptr;
	}
	v = take(r, ':') ? read_value(r) : NULL;
	/* One key twice replaces, and the object does not grow. */
	fine = v && !json_object_setn_new_nocheck(obj, key, n, v) && json_object_size(obj) > before;
	buf_release(&keep);
	return fine;
}

static bool read_element(struct reader *r, json_t *list)
{
	json_t *v = read_value(r);

	return v && !json_array_append_new(list, v);
}

static json_t *read_nest(struct reader *r, json_t *into, char end, bool (*one)(struct reader *r, json_t *into))
{
	bool fine = r->depth < DEPTH_MAX;

	r->depth++;
	r->p++;
	if (fine && !take(r, end)) {
		while ((fine = one(r, into)) && take(r, ','))
			;
		fine = fine && take(r, end);
	}
	r->depth--;
	if (fine)
		return into;
	json_decref(into);
	return NULL;
}

static json_t *read_value(struct reader *r)
{
	skip_blanks(r);
	if (r->p == r->end)
		return NULL;
	switch (*r->p) {
	case '{':
		return read_nest(r, json_object(), '}', read_member);
	case '[':
		return read_nest(r, json_array(), ']', read_element);
	case '"':
		r->p++;
		return read_string(r);
	case 'n':
	case 't':
	case 'f':
		return read_word(r);
	default:
		return *r->p == '-' || (*r->p >= '0' && *r->p <= '9') ? read_number(r) : NULL;
	}
}

static json_t *read_plain(const char *p, size_t n)
{
	struct reader r = { .p = p, .end = p + n, .text = BUF_INIT };
	json_t *j = NULL;

	skip_blanks(&r);
	if (r.p < r.end && (*r.p == '{' || *r.p == '['))
		j = read_value(&r);
	skip_blanks(&r);
	buf_release(&r.text);
	if (j && r.p < r.end) {
		json_decref(j);
		j = NULL;
	}
	return j;
}

/* ---- members without a tree ---- */

static bool skip_value(struct reader *r);

static bool skip_one(struct reader *r, bool keyed)
{
	const char *s;
	size_t n;

	return (!keyed || (take(r, '"') && read_text(r, &s, &n) && take(r, ':'))) && skip_value(r);
}

static bool skip_nest(struct reader *r, char end)
{
	bool fine = r->depth < DEPTH_MAX;

	r->depth++;
	r->p++;
	if (fine && !take(r, end)) {
		while ((fine = skip_one(r, end == '}')) && take(r, ','))
			;
		fine = fine && take(r, end);
	}
	r->depth--;
	return fine;
}

static bool take_value(struct reader *r, struct json_value *v)
{
	skip_blanks(r);
	if (r->p == r->end)
		return false;
	*v = (struct json_value){ .type = *r->p, .s = r->p };
	switch (*r->p) {
	case '{':
	case '[':
		if (!skip_nest(r, *r->p == '{' ? '}' : ']'))
			return false;
		v->n = (size_t)(r->p - v->s);
		return true;
	case '"':
		r->p++;
		v->type = 's';
		return read_text(r, &v->s, &v->n);
	case 'n':
	case 't':
	case 'f':
		return (v->type = take_word(r, &v->i)) != 0;
	default:
		v->type = 'i';
		return (*r->p == '-' || (*r->p >= '0' && *r->p <= '9')) && take_number(r, &v->i);
	}
}

static bool skip_value(struct reader *r)
{
	struct json_value v;

	return take_value(r, &v);
}

/* A key with escapes would stand where the value's text goes: none that anybody looks for has any. */
static bool each_member(struct reader *r, json_take_fn *fn, void *ctx)
{
	struct json_value v;
	const char *key;
	size_t n;

	return take(r, '"') && read_text(r, &key, &n) && key != r->text.ptr && take(r, ':') && take_value(r, &v) &&
	       fn(ctx, key, n, &v);
}

bool json_each(const char *p, size_t n, json_take_fn *fn, void *ctx)
{
	struct reader r = { .p = p, .end = p + n, .text = BUF_INIT, .depth = 1 };
	bool fine = take(&r, '{');

	if (fine && !take(&r, '}')) {
		while ((fine = each_member(&r, fn, ctx)) && take(&r, ','))
			;
		fine = fine && take(&r, '}');
	}
	skip_blanks(&r);
	buf_release(&r.text);
	return fine && r.p == r.end;
}

json_t *json_value_tree(const struct json_value *v)
{
	switch (v->type) {
	case 's':
		return json_stringn_nocheck(v->s, v->n);
	case 'i':
		return json_integer(v->i);
	case 'b':
		return json_boolean(v->i);
	case 'n':
		return json_null();
	default:
		return read_plain(v->s, v->n);
	}
}

/* ---- what is not ---- */

/* Brackets outside strings; a text that is no JSON may give any number, and is refused by the parser then. */
static int json_depth(const char *p, size_t n)
{
	int depth = 0, deepest = 0;
	bool str = false;

	for (size_t i = 0; i < n; i++) {
		char c = p[i];
		if (str) {
			if (c == '\\')
				i++;
			else
				str = c != '"';
			continue;
		}
		str = c == '"';
		depth += (c == '[' || c == '{') - (c == ']' || c == '}');
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest;
}

json_t *json_read(const char *p, size_t n, const char *what, struct err *e)
{
	json_error_t je;
	json_t *j = read_plain(p, n);

	if (j)
		return j;
	if (json_depth(p, n) > DEPTH_MAX) {
		err_set(e, ERR_BAD_DATA, "%s is nested more than %d levels deep", what, DEPTH_MAX);
		return NULL;
	}
	j = json_loadb(p, n, JSON_REJECT_DUPLICATES, &je);
	for (char *c = je.text; !j && *c; c++)   /* it quotes what it stumbled over */
		*c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
	if (!j)
		err_set(e, ERR_BAD_DATA, "%s is not the JSON expected here, line %d column %d: %s", what, je.line, je.column,
			je.text);
	return j;
}
