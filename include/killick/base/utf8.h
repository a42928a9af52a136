/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 one code point at a time, strict as RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
 * What is wrong is taken in "maximal subparts" (Unicode 15, 3.9, table 3-8), so that every program that follows the
 * standard puts the same number of U+FFFD in its place.
 */
#ifndef KILLICK_BASE_UTF8_H
#define KILLICK_BASE_UTF8_H

#include <stdbool.h>
#include "killick/base/buf.h"

#define UTF8_BAD (-1)
#define UTF8_REPLACEMENT "\xef\xbf\xbd"
/* Bytes of the code point at p (0 only when n is 0); *cp is the code point, or UTF8_BAD and the bytes to skip. */
size_t utf8_next(const char *p, size_t n, int32_t *cp);
bool utf8_valid(const char *p, size_t n);
/* Adds the code point's bytes; what is no scalar value becomes U+FFFD. */
void buf_add_utf8(struct buf *b, int32_t cp);

#endif
