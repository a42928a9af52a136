/* SPDX-License-Identifier: MIT */
/* JSON: what is refused, what typed reading gives, and that writing is stable ASCII that can be read again. */
#include "unit.h"
#include <float.h>
#include <locale.h>
#include <math.h>
#include "killick/base/json.h"

/* NULL: refused; else what json_write makes of it. */
static const struct { const char *name, *text; size_t n; const char *out; } cases[] = {
#define CASE(name, text, out) { name, text, sizeof(text) - 1, out }
	CASE("object", "{\"a\":1,\"b\":[true,false,null]}", "{\"a\":1,\"b\":[true,false,null]}"),
	CASE("blanks around", " \r\n\t[ 1 ] \n", "[1]"),
	CASE("key order", "{\"z\":1,\"a\":2,\"m\":3}", "{\"z\":1,\"a\":2,\"m\":3}"),
	CASE("empty", "", NULL),
	CASE("blank", " ", NULL),
	CASE("top string", "\"a\"", NULL),
	CASE("top number", "1", NULL),
	CASE("trailing bytes", "{} {}", NULL),
	CASE("trailing NUL", "{}\0", NULL),
	CASE("raw NUL in string", "[\"a\0b\"]", NULL),
	CASE("escaped NUL", "[\"a\\u0000b\"]", NULL),
	CASE("NUL in key", "{\"a\\u0000\":1}", NULL),
	CASE("raw control", "[\"a\033b\"]", NULL),
	CASE("escaped control", "[\"a\\u001bb\"]", "[\"a\\u001Bb\"]"),
	CASE("duplicate key", "{\"a\":1,\"a\":2}", NULL),
	CASE("duplicate key, escaped", "{\"a\":1,\"\\u0061\":2}", NULL),
	CASE("invalid UTF-8", "[\"\xff\"]", NULL),
	CASE("overlong", "[\"\xc0\xaf\"]", NULL),
	CASE("raw surrogate", "[\"\xed\xa0\x80\"]", NULL),
	CASE("lone surrogate", "[\"\\ud800\"]", NULL),
	CASE("surrogate pair", "[\"\\ud83d\\udc4d\"]", "[\"\\uD83D\\uDC4D\"]"),
	CASE("BOM", "\xef\xbb\xbf{}", NULL),
	CASE("C1, bidi and DEL", "[\"\xc2\x9b\xe2\x80\xae\x7f\"]", "[\"\\u009B\\u202E\\u007f\"]"),
	CASE("largest integer", "[9223372036854775807,-9223372036854775808]", "[9223372036854775807,-9223372036854775808]"),
	CASE("2^63", "[9223372036854775808]", NULL),
	CASE("2^53+1", "[9007199254740993]", "[9007199254740993]"),
	CASE("1e999", "[1e999]", NULL),
	CASE("reals", "[0.93,1.5,-0.25]", "[0.93,1.5,-0.25]"),
	CASE("leading zero", "[01]", NULL),
	CASE("plus", "[+1]", NULL),
	CASE("NaN", "[NaN]", NULL),
	CASE("trailing comma", "[1,]", NULL),
	CASE("comment", "[1 /*x*/]", NULL),
	CASE("single quotes", "['a']", NULL),
	CASE("unclosed", "{\"a\":[1", NULL),
	CASE("mismatched", "[}", NULL),
};

static void strictness(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;
		struct buf b = BUF_INIT;
		json_t *j = json_read(cases[i].text, cases[i].n, "answer", &e);
		if (!j != !cases[i].out)
			fail_msg("%s: %s", cases[i].name, j ? "was taken" : e.msg);
		if (j) {
			json_write(&b, j);
			assert_buf(&b, cases[i].out);
		} else {
			assert_int_equal(e.code, ERR_BAD_DATA);
			assert_true(str_starts(e.msg, "answer "));
		}
		json_decref(j);
		buf_release(&b);
	}
}

static bool nested(int depth, const char *open, const char *close)
{
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	json_t *j;
	bool ok;

	for (int i = 0; i < depth; i++)
		buf_addstr(&b, open);
	for (int i = 0; i < depth; i++)
		buf_addstr(&b, close);
	j = json_read(b.ptr, b.len, "answer", &e);
	ok = j != NULL;
	json_decref(j);
	buf_release(&b);
	return ok;
}

static void depth(void **state UNUSED)
{
	struct err e = ERR_INIT;
	const char *strings = "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\",\"\\\"[\"]";
	json_t *j;

	assert_true(nested(63, "[", "]"));
	assert_true(nested(64, "[", "]"));
	assert_false(nested(65, "[", "]"));
	assert_true(nested(63, "{\"a\":", "}") == false); /* an object needs a value */
	assert_false(nested(2047, "[", "]"));
	assert_false(nested(2049, "[", "]"));
	assert_false(nested(1000000, "[", "]"));
	j = json_read(strings, strlen(strings), "answer", &e);
	assert_non_null(j); /* brackets in strings are no depth */
	json_decref(j);
}

static void typed_reading(void **state UNUSED)
{
	const char *text = "{\"s\":\"x\",\"i\":7,\"r\":1.0,\"n\":null,\"t\":true,\"f\":false,\"a\":[1],\"o\":{\"k\":1},\"si\":\"12\"}";
	json_t *j = json_read(text, strlen(text), "answer", NULL);

	assert_non_null(j);
	assert_string_equal(json_get_str(j, "s"), "x");
	assert_null(json_get_str(j, "i"));
	assert_null(json_get_str(j, "n"));
	assert_null(json_get_str(j, "none"));
	assert_null(json_get_str(NULL, "s"));
	assert_null(json_get_str(json_get_arr(j, "a"), "s"));
	assert_int_equal(json_get_int(j, "i", 3), 7);
	assert_int_equal(json_get_int(j, "r", 3), 3);
	assert_int_equal(json_get_int(j, "si", 3), 3);
	assert_int_equal(json_get_int(j, "none", -3), -3);
	assert_true(json_get_bool(j, "t"));
	assert_false(json_get_bool(j, "f"));
	assert_false(json_get_bool(j, "i"));
	assert_false(json_get_bool(j, "none"));
	assert_non_null(json_get_arr(j, "a"));
	assert_null(json_get_arr(j, "o"));
	assert_non_null(json_get_obj(j, "o"));
	assert_null(json_get_obj(j, "a"));
	json_decref(j);
}

static void writing(void **state UNUSED)
{
	json_t *j = json_object(), *back;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	json_put_str(j, "none", NULL);
	json_put_str(j, "bad", "a\xff\xe2\x82z");
	json_put_strn(j, "nul", "a\0b", 3);
	json_put_strn(j, "part", "abcdef", 3);
	json_put_strn(j, "null", NULL, 0);
	json_put_int(j, "int", INT64_MIN);
	json_put_time(j, "never", 0);
	json_put_time(j, "time", INT64_C(1795356123000));
	json_put_str(j, "twice", "1");
	json_put_str(j, "twice", "2");
	json_object_set_new(j, "s", json_str_or_null(NULL));
	json_write(&b, j);
	assert_buf(&b, "{\"none\":null,\"bad\":\"a\\uFFFD\\uFFFDz\",\"nul\":\"a\\uFFFDb\",\"part\":\"abc\",\"null\":null,"
		       "\"int\":-9223372036854775808,\"never\":null,\"time\":\"2026-11-22T14:02:03Z\",\"twice\":\"2\",\"s\":null}");
	back = json_read(b.ptr, b.len, "own text", &e);
	assert_non_null(back);
	assert_true(json_equal(j, back));
	json_decref(back);
	json_decref(j);
	buf_release(&b);
}

/* Any bytes, put in and written, must come out as ASCII that reads again. */
static void any_bytes_survive(void **state UNUSED)
{
	uint64_t seed = 11;

	for (int i = 0; i < 3000; i++) {
		char raw[40];
		size_t n = random_next(&seed) % sizeof(raw);
		json_t *j = json_object(), *back;
		struct buf b = BUF_INIT;
		for (size_t k = 0; k < n; k++)
			raw[k] = (char)random_next(&seed);
		json_put_strn(j, "s", raw, n);
		json_write(&b, j);
		for (size_t k = 0; k < b.len; k++)
			assert_true(b.ptr[k] >= 0x20 && b.ptr[k] < 0x7f);
		back = json_read(b.ptr, b.len, "own text", NULL);
		assert_true(json_equal(j, back));
		json_decref(back);
		json_decref(j);
		buf_release(&b);
	}
}

/* What is written as text is what jansson writes of the same tree, DEL apart. */
static void as_jansson_writes(void **state UNUSED)
{
	static const double reals[] = { 0, 1, 0.93, -1.5, 1e-5, 1e300, 1.0 / 3, 12345678901234567.0 };
	uint64_t seed = 12;
	struct buf b = BUF_INIT, want = BUF_INIT;

	for (int i = 0; i < 3000; i++) {
		char raw[600], deep[620] = "";
		size_t n = random_next(&seed) % (i % 2 ? 60 : sizeof(raw) - 1), odd = random_next(&seed) % 4 ? 3 : 1000;
		int64_t v = (int64_t)random_next(&seed) >> random_next(&seed) % 64;
		double r = reals[random_next(&seed) % ARRAY_SIZE(reals)];
		json_t *j = json_object(), *in = json_object(), *tree;
		for (size_t k = 0; k < n; k++)
			raw[k] = (char)(random_next(&seed) % odd ? ' ' + random_next(&seed) % 0x5f : random_next(&seed));
		raw[n] = '\0';
		snprintf(deep, sizeof(deep), "\xf0\x9f\x91\x8d%s\xef\xbf\xbf", raw);
		json_put_str(in, "deep", deep);
		json_object_set_new(in, "real", json_real(r));
		json_put_str(j, "s", raw);
		json_object_set_new(j, "in", in);
		json_put_int(j, "v", v);
		json_put_time(j, "t", v);
		json_object_set_new(j, "yes", json_boolean(v > 0));
		json_put_str(j, "none", NULL);
		buf_reset(&want);
		json_write(&want, j);

		buf_reset(&b);
		buf_addch(&b, '{');
		json_add_str(&b, "s", raw);
		json_add_key(&b, "in");
		buf_addch(&b, '{');
		json_add_str(&b, "deep", deep);
		json_add_real(&b, "real", r);
		buf_addch(&b, '}');
		json_add_int(&b, "v", v);
		json_add_time(&b, "t", v);
		json_add_bool(&b, "yes", v > 0);
		json_add_str(&b, "none", NULL);
		buf_addch(&b, '}');
		assert_buf(&b, want.ptr);
		tree = json_tree(&b);
		assert_int_equal(b.len, 0);
		json_write(&b, tree);
		assert_buf(&b, want.ptr);
		json_decref(tree);
		json_decref(j);
	}
	buf_reset(&b);
	json_add_real(&b, "nan", NAN);
	assert_buf(&b, ",\"nan\":null");
	buf_release(&b);
	buf_release(&want);
}

static void same_number(struct buf *b, struct buf *want, json_t *number)
{
	json_t *list = json_pack("[o]", number);

	buf_reset(want);
	json_write(want, list);   /* within a list jansson writes it */
	buf_reset(b);
	if (json_is_real(number))
		json_add_real(b, "v", json_real_value(number));
	else {
		buf_addstr(b, ",\"v\":");
		json_write(b, number);
	}
	buf_setlen(want, want->len - 1);
	assert_string_equal(b->ptr + 5, want->ptr + 1);
	json_decref(list);
}

/* Numbers that are written without jansson look as it writes them. */
static void numbers(void **state UNUSED)
{
	static const int64_t whole[] = { 0, 1, -1, 10, 99, INT64_MAX, INT64_MIN };
	struct buf b = BUF_INIT, want = BUF_INIT;

	for (int i = 0; i < 20000; i++) {
		same_number(&b, &want, json_real(i / 10000.0));
		same_number(&b, &want, json_real(i * 7 / 100.0));
		same_number(&b, &want, json_real(i / 10000.0 * (i % 2 ? 1 - DBL_EPSILON : 1 + DBL_EPSILON)));
		same_number(&b, &want, json_real(i / 30000.0));
	}
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		same_number(&b, &want, json_integer(whole[i]));
	buf_release(&b);
	buf_release(&want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strictness),
		cmocka_unit_test(depth),
		cmocka_unit_test(typed_reading),
		cmocka_unit_test(writing),
		cmocka_unit_test(any_bytes_survive),
		cmocka_unit_test(as_jansson_writes), cmocka_unit_test(numbers),
	};

	setlocale(LC_ALL, "");
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
