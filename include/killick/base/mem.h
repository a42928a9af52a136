/* SPDX-License-Identifier: MIT */
/*
 * Memory: allocation that cannot fail, arenas, growable arrays, BUG().
 *
 * Out of memory prints one line on standard error and aborts, so no caller checks for NULL. Model objects
 * (threads, posts, anchors, tasks) live in an arena that the caller passes and die with it; the heap is for
 * long-lived handles with one owner.
 */
#ifndef KILLICK_BASE_MEM_H
#define KILLICK_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#else
#define PRINTF_LIKE(f, a)
#define NORETURN
#define UNUSED
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The impossible happened: prints where and what, then aborts. Never for bad input. */
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
void bug_at(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4) NORETURN;

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
/* xrealloc(p, n * size), aborting on overflow. */
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* An arena: many small allocations, one release. Zeroed memory, aligned for any type. */
struct arena {
	struct arena_block *head;
	size_t total; /* bytes handed out since init or clear */
};
#define ARENA_INIT { NULL, 0 }

void arena_init(struct arena *a);
void arena_release(struct arena *a);
/* Forgets everything, keeps one block for the next use. */
void arena_clear(struct arena *a);
/* What `from` holds is held by `a` from now on, and `from` is empty. */
void arena_take(struct arena *a, struct arena *from);
void *arena_alloc(struct arena *a, size_t n);
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
/* NULL in, NULL out. */
char *arena_strdup(struct arena *a, const char *s);
/* A copy of n bytes with a NUL behind it. */
char *arena_memdup(struct arena *a, const void *p, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * A typed growable array:
 *	ARRAY(struct post) posts = ARRAY_INIT;
 *	*array_add(&posts) = p;  posts.items[i], posts.len;  array_release(&posts);
 * array_add yields a pointer to a new zeroed element, valid until the next add.
 */
#define ARRAY(type) struct { type *items; size_t len, alloc; }
#define ARRAY_INIT { NULL, 0, 0 }
#define array_add(a) \
	((a)->items = array_grow((a)->items, (a)->len, &(a)->alloc, sizeof(*(a)->items)), &(a)->items[(a)->len++])
#define array_release(a) (free((a)->items), (a)->items = NULL, (a)->len = (a)->alloc = 0)
void *array_grow(void *items, size_t len, size_t *alloc, size_t size);

#endif
