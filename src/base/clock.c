/* SPDX-License-Identifier: MIT */
/*
 * The clock, and times as text. Calendar sums are done here on day numbers (the proleptic Gregorian calendar, years
 * 0 to 9999), because mktime and friends depend on the time zone and accept 31 February; only time_relative asks the time
 * zone, since the date a reader expects is that of the wall calendar.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "killick/base/buf.h"
#include "killick/base/clock.h"

static const int64_t SECOND = 1000, MINUTE = 60000, HOUR = 3600000, DAY = 86400000;

static int64_t clock_read(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts))
		BUG("no clock %d", (int)id);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

int64_t clock_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* The frozen time; false: there is none. The one thing kept is when a running test clock was first read. */
static bool clock_frozen(int64_t *t)
{
	static int64_t started;
	const char *s = getenv("KILLICK_CLOCK");
	char text[64];
	size_t n = s ? strlen(s) : 0;
	bool runs = n > 0 && s[n - 1] == '+';

	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, s, n + 1);
	text[n - runs] = '\0';
	if (!time_parse(text, t))
		return false;
	if (runs) {
		started = started ? started : clock_mono();
		*t += clock_mono() - started;
	}
	return true;
}

int64_t clock_now(void)
{
	int64_t t;

	return clock_frozen(&t) ? t : clock_read(CLOCK_REALTIME);
}

/* Days since 1970-01-01 of a date, and back. The year is counted from March, so that the leap day comes last. */
static int64_t days_of(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void date_of(int64_t days, int *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* printf took a tenth of what a list in JSON costs. */
static void put_num(char *out, int n, int64_t v)
{
	while (n--) {
		out[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

char *time_rfc3339(char out[TIME_RFC3339_SIZE], int64_t t)
{
	const int64_t first = days_of(1, 1, 1) * DAY, last = days_of(10000, 1, 1) * DAY - 1;
	int64_t days, ms;
	int y, m, d;

	t = clamp(t, first, last);
	days = t / DAY - (t % DAY < 0);
	ms = t - days * DAY;
	date_of(days, &y, &m, &d);
	memcpy(out, "0000-00-00T00:00:00Z", sizeof("0000-00-00T00:00:00Z"));
	put_num(out, 4, y);
	put_num(out + 5, 2, m);
	put_num(out + 8, 2, d);
	put_num(out + 11, 2, ms / HOUR);
	put_num(out + 14, 2, ms / MINUTE % 60);
	put_num(out + 17, 2, ms / SECOND % 60);
	return out;
}

/* Exactly n digits at *s, lo to hi. */
static bool take_num(const char **s, int n, int lo, int hi, int *out)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if ((*s)[i] < '0' || (*s)[i] > '9')
			return false;
		v = v * 10 + (*s)[i] - '0';
	}
	if (v < lo || v > hi)
		return false;
	*s += n;
	*out = v;
	return true;
}

static bool take_ch(const char **s, char c)
{
	if (**s != c)
		return false;
	++*s;
	return true;
}

static bool take_date(const char **s, int64_t *t)
{
	static const char month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int y, m, d;

	if (!take_num(s, 4, 0, 9999, &y) || !take_ch(s, '-') || !take_num(s, 2, 1, 12, &m) || !take_ch(s, '-') ||
	    !take_num(s, 2, 1, month_days[m - 1], &d))
		return false;
	if (m == 2 && d == 29 && (y % 4 || (y % 100 == 0 && y % 400)))
		return false;
	*t = days_of(y, m, d) * DAY;
	return true;
}

/* Fractions of any length; what is below a millisecond is dropped. */
static bool take_fraction(const char **s, int64_t *t)
{
	int64_t unit = 100;

	if (!take_ch(s, '.') && !take_ch(s, ','))
		return true;
	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; ++*s, unit /= 10)
		*t += (**s - '0') * unit;
	return true;
}

/* hh:mm, hh:mm:ss (60 is a leap second: the next one), fractions. */
static bool take_time(const char **s, int64_t *t)
{
	int h, m, sec = 0;

	if (!take_num(s, 2, 0, 23, &h) || !take_ch(s, ':') || !take_num(s, 2, 0, 59, &m))
		return false;
	if (take_ch(s, ':') && !take_num(s, 2, 0, 60, &sec))
		return false;
	*t += h * HOUR + m * MINUTE + sec * SECOND;
	return take_fraction(s, t);
}

/* Z, UTC, GMT, ±hh, ±hhmm, ±hh:mm; nothing at all is UTC (Gerrit's times have none). */
static bool take_zone(const char **s, int64_t *t)
{
	int h, m = 0, sign;

	take_ch(s, ' ');
	if (!**s || take_ch(s, 'Z') || take_ch(s, 'z'))
		return true;
	if (str_starts(*s, "UTC") || str_starts(*s, "GMT")) {
		*s += 3;
		return true;
	}
	sign = **s == '-' ? -1 : 1;
	if (!take_ch(s, '+') && !take_ch(s, '-'))
		return false;
	if (!take_num(s, 2, 0, 23, &h))
		return false;
	if ((take_ch(s, ':') || **s) && !take_num(s, 2, 0, 59, &m))
		return false;
	*t -= sign * (h * HOUR + m * MINUTE);
	return true;
}

bool time_parse(const char *s, int64_t *out)
{
	int64_t t;

	if (!take_date(&s, &t))
		return false;
	if (*s && (take_ch(&s, 'T') || take_ch(&s, 't') || take_ch(&s, ' '))) {
		if (!take_time(&s, &t) || !take_zone(&s, &t))
			return false;
	}
	if (*s)
		return false;
	*out = t;
	return true;
}

static void local_date(char *out, size_t size, int64_t t)
{
	char text[TIME_RFC3339_SIZE];
	time_t sec;
	struct tm tm;

	time_rfc3339(text, t); /* clamps, and is the answer where the time zone has none */
	time_parse(text, &t);
	sec = (time_t)(t / 1000 - (t % 1000 < 0));
	if (!localtime_r(&sec, &tm) || tm.tm_year + 1900 < 1 || tm.tm_year + 1900 > 9999)
		snprintf(out, size, "%.10s", text);
	else
		snprintf(out, size, "%04u-%02u-%02u", (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
			 (unsigned)tm.tm_mday % 100);
}

char *time_relative(char out[TIME_RELATIVE_SIZE], int64_t t, int64_t now)
{
	const bool ahead = t > now;
	const char *in = ahead ? "in " : "";
	uint64_t d = ahead ? (uint64_t)t - (uint64_t)now : (uint64_t)now - (uint64_t)t;

	if (t == 0)
		out[0] = '\0';
	else if (d < (uint64_t)MINUTE)
		snprintf(out, TIME_RELATIVE_SIZE, "now");
	else if (d < (uint64_t)HOUR)
		snprintf(out, TIME_RELATIVE_SIZE, "%s%d min", in, (int)(d / (uint64_t)MINUTE));
	else if (d < (uint64_t)DAY)
		snprintf(out, TIME_RELATIVE_SIZE, "%s%d h", in, (int)(d / (uint64_t)HOUR));
	else if (d < 31 * (uint64_t)DAY)
		snprintf(out, TIME_RELATIVE_SIZE, "%s%d d", in, (int)(d / (uint64_t)DAY));
	else
		local_date(out, TIME_RELATIVE_SIZE, t);
	return out;
}

bool duration_parse(const char *s, int64_t *ms)
{
	static const struct { const char *name; int64_t ms; } units[] = {
		{ "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }, { "w", 7 * INT64_C(86400000) },
		{ "mo", 30 * INT64_C(86400000) }, { "y", 365 * INT64_C(86400000) },
	};
	size_t digits = strspn(s, "0123456789");
	char num[24];
	uint64_t n;

	if (digits == 0 || digits >= sizeof(num))
		return false;
	memcpy(num, s, digits);
	num[digits] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(s + digits, units[i].name))
			continue;
		if (!str_to_u64(num, (uint64_t)(INT64_MAX / units[i].ms), &n))
			return false;
		*ms = (int64_t)n * units[i].ms;
		return true;
	}
	return false;
}
