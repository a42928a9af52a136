/* SPDX-License-Identifier: MIT */
/*
 * Memory that cannot fail. Arenas are chains of blocks that double from 4 KiB to 1 MiB; an allocation larger than a
 * quarter of the next block gets one of its own behind the head, so that it does not throw the head's free space away.
 * Memory is zeroed when it is handed out and not when the block is made, because arena_clear keeps a used block.
 */
#include "config.h"
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "killick/base/err.h"
#include "killick/base/mem.h"

enum { ARENA_FIRST = 4096, ARENA_LARGEST = 1 << 20 };

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	alignas(max_align_t) char data[];
};

void bug_at(const char *file, int line, const char *fmt, ...)
{
	va_list ap;
	char where[256], msg[1024];

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	snprintf(where, sizeof(where), "killick: internal error at %s:%d", file, line);
	stderr_line(where, msg);
	abort();
}

static NORETURN void out_of_memory(size_t n)
{
	char num[32];

	snprintf(num, sizeof(num), "%zu bytes", n);
	stderr_line("killick: out of memory", num);
	abort();
}

void *xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		out_of_memory(n);
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory(size && n > SIZE_MAX / size ? SIZE_MAX : n * size);
	return p;
}

void *xrealloc(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);

	if (!q)
		out_of_memory(n);
	return q;
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		out_of_memory(SIZE_MAX);
	return xrealloc(p, n * size);
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = xmalloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *p = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory(0);
	return p;
}

void arena_init(struct arena *a)
{
	*a = (struct arena)ARENA_INIT;
}

static void blocks_free(struct arena_block *b)
{
	while (b) {
		struct arena_block *next = b->next;
		free(b);
		b = next;
	}
}

void arena_release(struct arena *a)
{
	if (!a)
		return;
	blocks_free(a->head);
	arena_init(a);
}

void arena_clear(struct arena *a)
{
	if (a->head) {
		blocks_free(a->head->next);
		a->head->next = NULL;
		a->head->used = 0;
	}
	a->total = 0;
}

void arena_take(struct arena *a, struct arena *from)
{
	struct arena_block **end = &a->head;

	while (*end)
		end = &(*end)->next;
	*end = from->head;
	a->total += from->total;
	arena_init(from);
}

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b;

	if (size > SIZE_MAX - sizeof(*b))
		out_of_memory(size);
	b = xmalloc(sizeof(*b) + size);
	*b = (struct arena_block){ .size = size };
	return b;
}

/* A block with n bytes free; the head, or one of its own behind the head for what is large. */
static struct arena_block *block_for(struct arena *a, size_t n)
{
	struct arena_block *h = a->head, *b;
	size_t size = !h ? ARENA_FIRST : h->size < ARENA_LARGEST / 2 ? h->size * 2 : ARENA_LARGEST;

	if (h && h->size - h->used >= n)
		return h;
	if (n > size / 4 && h) {
		b = block_new(n);
		b->next = h->next;
		h->next = b;
		return b;
	}
	b = block_new(n > size ? n : size);
	b->next = h;
	return a->head = b;
}

void *arena_alloc(struct arena *a, size_t n)
{
	const size_t align = alignof(max_align_t);
	struct arena_block *b;
	void *p;

	if (n > SIZE_MAX - align)
		out_of_memory(n);
	n = n ? (n + align - 1) / align * align : align;
	b = block_for(a, n);
	p = b->data + b->used;
	b->used += n;
	a->total += n;
	return memset(p, 0, n);
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_memdup(a, s, strlen(s)) : NULL;
}

char *arena_memdup(struct arena *a, const void *p, size_t n)
{
	char *q;

	if (n == SIZE_MAX)
		out_of_memory(n);
	q = arena_alloc(a, n + 1);
	if (n)
		memcpy(q, p, n);
	return q;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		BUG("bad format '%s'", fmt);
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

void *array_grow(void *items, size_t len, size_t *alloc, size_t size)
{
	char *p = items;

	if (len == *alloc) {
		*alloc = *alloc ? *alloc + *alloc / 2 + 1 : 8;
		p = xreallocarray(items, *alloc, size);
	}
	memset(p + len * size, 0, size);
	return p;
}
