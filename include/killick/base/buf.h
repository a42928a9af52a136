/* SPDX-License-Identifier: MIT */
/*
 * struct buf: a growable byte string, always NUL-terminated, never NULL. For data from a network or a file set
 * max: past it buf_add drops the bytes and sets `over`, so that a flood ends in an error and not in memory.
 */
#ifndef KILLICK_BASE_BUF_H
#define KILLICK_BASE_BUF_H

#include <stdbool.h>
#include "killick/base/mem.h"

struct buf {
	char *ptr;
	size_t len, alloc;
	size_t max;  /* 0: no limit */
	bool over;   /* something was dropped because of max */
};
extern char buf_empty[];
#define BUF_INIT { buf_empty, 0, 0, 0, false }

void buf_init(struct buf *b);
/* Frees the memory; the string is empty again, and max stays. */
void buf_release(struct buf *b);
/* Empties the string, keeps the memory. */
void buf_reset(struct buf *b);
/* p must not point into b (buf_addbuf(b, b) is fine). What fits below max is added, the rest dropped. */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_addch(struct buf *b, int c);
void buf_addchn(struct buf *b, int c, size_t n);
void buf_addstr(struct buf *b, const char *s);
void buf_addbuf(struct buf *b, const struct buf *other);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap);
/* As a word that no shell takes apart: 'it'\''s'. */
void buf_add_shell_word(struct buf *b, const char *s);
/* A number in groups of seven bits, the low ones first, the top bit set in all but the last byte. num_take reads one
 * from *p on and moves *p behind it; false: there is no whole one before end, or it is over 32 bits. */
void buf_addnum(struct buf *b, uint32_t v);
bool num_take(const char **p, const char *end, uint32_t *v);
/* Cuts to n bytes; n must not exceed len. */
void buf_setlen(struct buf *b, size_t n);
/* Cuts white space at the end (or at both ends). */
void buf_rtrim(struct buf *b);
void buf_trim(struct buf *b);
/* The string, now the caller's to free(); the buf is empty again. */
char *buf_detach(struct buf *b);

/* Small string helpers that every floor needs. */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* Decimal to unsigned: the whole string, no sign, at most max; false otherwise. */
bool str_to_u64(const char *s, uint64_t max, uint64_t *out);
/* Lower-case hex of n bytes into out (2n + 1 bytes), and back (false unless exactly 2n hex digits). */
void hex_encode(char *out, const void *bytes, size_t n);
bool hex_decode(void *out, size_t n, const char *hex);
bool str_is_hex(const char *s, size_t len);
/* Distance with adjacent transpositions, for "did you mean"; cost is O(a*b), words only. */
unsigned str_distance(const char *a, const char *b);
/* The nearest of the NULL-terminated words to `word`, or NULL if none is near enough to suggest. */
const char *str_nearest(const char *word, const char *const *words);

#endif
