/* SPDX-License-Identifier: MIT */
/*
 * Time: the only clock in the program. Times are milliseconds since 1970-01-01 UTC, 0 for none.
 * KILLICK_CLOCK=<RFC 3339> freezes clock_now for tests (KILLICK_CLOCK=<RFC 3339>+ lets it run on from there).
 */
#ifndef KILLICK_BASE_CLOCK_H
#define KILLICK_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include "killick/base/mem.h"

int64_t clock_now(void);
/* Monotonic milliseconds, for durations. */
int64_t clock_mono(void);
/* Monotonic microseconds, for measuring. */
int64_t clock_mono_us(void);

/* "2026-11-22T14:02:03Z" (RFC 3339, UTC, whole seconds) into 21 bytes; years outside 1..9999 are clamped. */
#define TIME_RFC3339_SIZE 24
char *time_rfc3339(char out[TIME_RFC3339_SIZE], int64_t t);
/* RFC 3339 and ISO 8601 as APIs write them (any offset, fractions, space for T); false if it is not one. */
bool time_parse(const char *s, int64_t *out);
/* "now", "5 min", "2 h", "3 d" within a month of now, else "2026-03-14"; at most 12 cells. */
#define TIME_RELATIVE_SIZE 24
char *time_relative(char out[TIME_RELATIVE_SIZE], int64_t t, int64_t now);
/* "90s" "5m" "2h" "3d" "2w" "6mo" "1y" to milliseconds; false if it is not one. */
bool duration_parse(const char *s, int64_t *ms);

#endif
