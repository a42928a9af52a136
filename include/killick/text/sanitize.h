/* SPDX-License-Identifier: MIT */
/*
 * The one function that every text from outside passes on its way out: screen, pipe, log, error, prompt, hook output.
 * C0 (but LF and TAB where allowed), DEL and C1 become visible ("^[", "\x{9b}"), bytes that are not UTF-8 become
 * U+FFFD, bidi controls and invisible characters become "<U+202E>" (trust.md 1 and 2). In prose ZWJ, ZWNJ and variation
 * selectors inside a grapheme cluster stay.
 */
#ifndef KILLICK_TEXT_SANITIZE_H
#define KILLICK_TEXT_SANITIZE_H

#include "killick/base/buf.h"

enum text_flags {
	TEXT_PROSE = 1 << 0,    /* joiners and variation selectors may stay; without it: code, paths, names, URLs */
	TEXT_LINES = 1 << 1,    /* LF stays (a CR before it goes); without it LF becomes "^J" */
	TEXT_TABS = 1 << 2,     /* TAB stays; without it a blank */
};
/* Adds the clean form of n bytes to b: always valid UTF-8. Idempotent. */
void text_sanitize(struct buf *b, const char *p, size_t n, unsigned flags);
/* The same for a string, in the arena; returns s itself when it is clean. */
const char *text_clean(struct arena *a, const char *s, unsigned flags);
/* Already clean? */
bool text_is_clean(const char *p, size_t n, unsigned flags);
/* Valid UTF-8 with U+FFFD for what is not, nothing else changed: for storing. */
void text_to_utf8(struct buf *b, const char *p, size_t n);

#endif
