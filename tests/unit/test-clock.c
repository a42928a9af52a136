/* SPDX-License-Identifier: MIT */
/* Times: written, read in every form that APIs use, relative; durations; the frozen clock. */
#include "unit.h"
#include <time.h>
#include <unistd.h>
#include "killick/base/clock.h"

#define MS(sec) (INT64_C(sec) * 1000)

static void rfc3339(void **state UNUSED)
{
	static const struct { int64_t t; const char *text; } t[] = {
		{ 0, "1970-01-01T00:00:00Z" }, { 999, "1970-01-01T00:00:00Z" }, { -1, "1969-12-31T23:59:59Z" },
		{ -1000, "1969-12-31T23:59:59Z" }, { MS(1795356123), "2026-11-22T14:02:03Z" },
		{ MS(951782400), "2000-02-29T00:00:00Z" }, { MS(-2203891200), "1900-03-01T00:00:00Z" },
		{ MS(253402300799), "9999-12-31T23:59:59Z" }, { MS(253402300800), "9999-12-31T23:59:59Z" },
		{ MS(-62135596800), "0001-01-01T00:00:00Z" }, { MS(-62135596801), "0001-01-01T00:00:00Z" },
		{ INT64_MAX, "9999-12-31T23:59:59Z" }, { INT64_MIN, "0001-01-01T00:00:00Z" },
	};
	char out[TIME_RFC3339_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_string_equal(time_rfc3339(out, t[i].t), t[i].text);
}

static void parsed(void **state UNUSED)
{
	static const struct { const char *text; int64_t t; } t[] = {
		{ "2026-11-22T14:02:03Z", MS(1795356123) }, { "2026-11-22t14:02:03z", MS(1795356123) },
		{ "2026-11-22 14:02:03Z", MS(1795356123) }, { "2026-11-22T16:02:03+02:00", MS(1795356123) },
		{ "2026-11-22T16:02:03.000+0200", MS(1795356123) }, { "2026-11-22T09:32:03-04:30", MS(1795356123) },
		{ "2026-11-22T16:02:03+02", MS(1795356123) }, { "2026-11-22T14:02:03-00:00", MS(1795356123) },
		{ "2026-11-22 16:02:03 +0200", MS(1795356123) }, { "2026-11-22 14:02:03 UTC", MS(1795356123) },
		{ "2026-11-22 14:02:03.000000000", MS(1795356123) }, { "2026-11-22T14:02:03", MS(1795356123) },
		{ "2026-11-22T14:02Z", MS(1795356120) }, { "2026-11-22", MS(1795305600) },
		{ "2026-11-22T14:02:03.5Z", MS(1795356123) + 500 }, { "2026-11-22T14:02:03,123456789Z", MS(1795356123) + 123 },
		{ "2026-11-22T14:02:03.9999Z", MS(1795356123) + 999 },
		{ "2016-12-31T23:59:60Z", MS(1483228800) }, { "1969-12-31T23:59:59.250Z", -750 },
		{ "2000-02-29T00:00:00Z", MS(951782400) }, { "0000-01-01T00:00:00Z", MS(-62167219200) },
		{ "9999-12-31T23:59:59Z", MS(253402300799) }, { "1970-01-01T00:00:00Z", 0 },
	};
	int64_t out;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		out = 1;
		if (!time_parse(t[i].text, &out) || out != t[i].t)
			fail_msg("%s: %lld", t[i].text, (long long)out);
	}
}

static void refused(void **state UNUSED)
{
	static const char *const t[] = {
		"", "now", "2026", "2026-11", "2026-13-01", "2026-00-01", "2026-11-31", "2026-02-29", "1900-02-29", "2026-11-00",
		"2026-11-22T", "2026-11-22T24:00:00Z", "2026-11-22T14:60:00Z", "2026-11-22T14:02:61Z", "2026-11-22T14",
		"2026-11-22T14:02:03.Z", "2026-11-22T14:02:03Zx", "2026-11-22T14:02:03+", "2026-11-22T14:02:03+2",
		"2026-11-22T14:02:03+24:00", "2026-11-22T14:02:03+02:", "2026-11-22T14:02:03+02:60", "2026-11-22T14:02:03 PST",
		"-026-11-22", "12026-11-22T14:02:03Z", "2026-1-2", "20261122T140203Z", " 2026-11-22", "2026-11-22 ",
		"2026-11-22T14:02:03+0200x", "99999999999999999999", "2026-11-22T-1:02:03Z",
	};
	int64_t out = 42;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		if (time_parse(t[i], &out))
			fail_msg("'%s' was taken for a time", t[i]);
	assert_int_equal(out, 42);
}

static void what_is_written_can_be_read(void **state UNUSED)
{
	char out[TIME_RFC3339_SIZE];
	uint64_t seed = 3;
	int64_t back;

	for (int i = 0; i < 20000; i++) {
		int64_t t = (int64_t)(random_next(&seed) % UINT64_C(315537897600)) - INT64_C(62135596800);
		assert_true(time_parse(time_rfc3339(out, t * 1000), &back));
		assert_true(back == t * 1000);
	}
}

static void relative(void **state UNUSED)
{
	static const int64_t now = MS(1795356123), min = 60000, h = 3600000, d = 86400000;
	static const struct { int64_t ago; const char *text; } t[] = {
		{ 0, "now" }, { 59999, "now" }, { -59999, "now" }, { min, "1 min" }, { 60 * min - 1, "59 min" }, { h, "1 h" },
		{ 24 * h - 1, "23 h" }, { d, "1 d" }, { 31 * d - 1, "30 d" }, { 31 * d, "2026-10-22" }, { -5 * min, "in 5 min" },
		{ -2 * d, "in 2 d" }, { -40 * d, "2027-01-01" }, { 400 * 365 * d, "1627-02-27" },
	};
	char out[TIME_RELATIVE_SIZE];

	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_string_equal(time_relative(out, now - t[i].ago, now), t[i].text);
		assert_true(strlen(out) <= 12);
	}
	assert_string_equal(time_relative(out, 0, now), "");
	assert_string_equal(time_relative(out, INT64_MAX, INT64_MIN), "9999-12-31");
	assert_string_equal(time_relative(out, INT64_MIN, INT64_MAX), "0001-01-01");
	/* The date is the wall calendar's. */
	setenv("TZ", "XXX-14", 1);
	tzset();
	assert_string_equal(time_relative(out, MS(1700000000), now), "2023-11-15");
	setenv("TZ", "UTC", 1);
	tzset();
	assert_string_equal(time_relative(out, MS(1700000000), now), "2023-11-14");
}

static void durations(void **state UNUSED)
{
	static const struct { const char *text; int64_t ms; } good[] = {
		{ "90s", 90000 }, { "5m", 300000 }, { "2h", 7200000 }, { "3d", 259200000 }, { "2w", INT64_C(1209600000) },
		{ "6mo", INT64_C(15552000000) }, { "1y", INT64_C(31536000000) }, { "0s", 0 }, { "007d", 604800000 },
		{ "292471208y", INT64_C(292471208) * 365 * 86400000 },
	};
	static const char *const bad[] = { "", "5", "m", "-5m", "+5m", "5 m", "5m ", "1h30m", "1.5h", "5M", "5x", "5months",
					   "292471209y", "18446744073709551615s", "99999999999999999999999999999999s" };
	int64_t ms = 7;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(duration_parse(good[i].text, &ms));
		assert_true(ms == good[i].ms);
	}
	ms = 7;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (duration_parse(bad[i], &ms))
			fail_msg("'%s' was taken for a duration", bad[i]);
	assert_int_equal(ms, 7);
}

static void the_clock(void **state UNUSED)
{
	int64_t mono = clock_mono(), a;

	setenv("KILLICK_CLOCK", "2026-11-22T14:02:03Z", 1);
	assert_true(clock_now() == MS(1795356123));
	usleep(2000);
	assert_true(clock_now() == MS(1795356123));
	setenv("KILLICK_CLOCK", "2026-11-22T14:02:03Z+", 1);
	a = clock_now();
	assert_true(a >= MS(1795356123) && a < MS(1795356123) + 60000);
	usleep(20000);
	assert_true(clock_now() >= a + 15);
	setenv("KILLICK_CLOCK", "gibberish", 1);
	assert_true(llabs(clock_now() - (int64_t)time(NULL) * 1000) < 5000);
	unsetenv("KILLICK_CLOCK");
	assert_true(llabs(clock_now() - (int64_t)time(NULL) * 1000) < 5000);
	assert_true(clock_mono() >= mono + 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc3339),
		cmocka_unit_test(parsed),
		cmocka_unit_test(refused),
		cmocka_unit_test(what_is_written_can_be_read),
		cmocka_unit_test(relative),
		cmocka_unit_test(durations),
		cmocka_unit_test(the_clock),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
