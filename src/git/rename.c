/* SPDX-License-Identifier: MIT */
/*
 * Renames, found as git finds them (diffcore-rename.c, diffcore-delta.c), so that killick and git log -M agree: equal
 * content first, then the share of bytes in lines (or runs of 64 bytes) that two files have in common, at least half of
 * the bigger one; best pairs first. Not by libgit2, whose measure differs and which stops at a missing blob.
 */
#include "config.h"
#include <stdlib.h>
#include "killick/git/history.h"
#include "git.h"

#define SCORE_MAX 60000u
#define SCORE_LEAST 30000u
#define SCORE_SAME_NAME 45000u   /* enough without comparing with all others: git's, half way to equal */
#define PAIRS_MAX 1000000u      /* git's rename limit: 1,000 times 1,000 */
#define HASHBASE 107927u

struct span { uint32_t hash, bytes; };
struct file {
	struct change *c;
	struct span *spans;
	size_t n_spans, size;
	bool read, readable, used;
};
struct pair { uint32_t removed, added, score; bool same_name; };
struct pair_list { struct pair *items; size_t len, alloc; };

/* --- how alike --- */

static int span_cmp(const void *pa, const void *pb)
{
	const struct span *a = pa, *b = pb;

	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* git's hash_chars: a chunk ends with its line or after 64 bytes; CR before LF does not count in text. */
static void file_spans(struct file *f, const struct buf *b)
{
	ARRAY(struct span) s = ARRAY_INIT;
	uint32_t one = 0, two = 0, n = 0;
	bool text = !buf_is_binary(b);
	size_t to = 0;

	for (size_t i = 0; i < b->len; i++) {
		uint32_t c = (unsigned char)b->ptr[i], old = one;

		if (text && c == '\r' && i + 1 < b->len && b->ptr[i + 1] == '\n')
			continue;
		one = (one << 7) ^ (two >> 25);
		two = (two << 7) ^ (old >> 25);
		one += c;
		n++;
		if (n < 64 && c != '\n')
			continue;
		*array_add(&s) = (struct span){ (one + two * 0x61) % HASHBASE, n };
		n = one = two = 0;
	}
	if (n)
		*array_add(&s) = (struct span){ (one + two * 0x61) % HASHBASE, n };
	if (s.len)
		qsort(s.items, s.len, sizeof(*s.items), span_cmp);
	for (size_t i = 0; i < s.len; i++) {
		if (to && s.items[to - 1].hash == s.items[i].hash)
			s.items[to - 1].bytes += s.items[i].bytes;
		else
			s.items[to++] = s.items[i];
	}
	f->spans = s.items;
	f->n_spans = to;
	f->size = b->len;
}

static bool file_read_spans(struct file *f, bool added, content_fn *content, void *ctx)
{
	struct buf b = BUF_INIT;

	if (!f->read) {
		f->read = true;
		f->readable = content(ctx, added ? f->c->new_path : f->c->old_path, added ? &f->c->new_id : &f->c->old_id, &b);
		if (f->readable)
			file_spans(f, &b);
		buf_release(&b);
	}
	return f->readable;
}

static uint32_t score(const struct file *a, const struct file *b)
{
	size_t most = a->size > b->size ? a->size : b->size, least = a->size + b->size - most;
	uint64_t copied = 0;

	if (!most || (uint64_t)most * (SCORE_MAX - SCORE_LEAST) < (uint64_t)(most - least) * SCORE_MAX)
		return 0;
	for (size_t i = 0, j = 0; i < a->n_spans && j < b->n_spans;) {
		if (a->spans[i].hash < b->spans[j].hash) {
			i++;
		} else if (a->spans[i].hash > b->spans[j].hash) {
			j++;
		} else {
			copied += a->spans[i].bytes < b->spans[j].bytes ? a->spans[i].bytes : b->spans[j].bytes;
			i++;
			j++;
		}
	}
	return (uint32_t)(copied * SCORE_MAX / most);
}

/* --- which with which --- */

struct sides {
	struct repo *repo;
	ARRAY(struct file) removed, added;
	content_fn *content;
	void *ctx;
};

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool same_name(const struct file *removed, const struct file *added)
{
	return !strcmp(last_part(removed->c->old_path), last_part(added->c->new_path));
}

static void join(struct file *removed, struct file *added)
{
	struct change *to = added->c, *from = removed->c;

	to->status = 'R';
	to->old_path = from->old_path;
	to->old_id = from->old_id;
	to->old_mode = from->old_mode;
	from->status = 0;   /* dropped from the list at the end */
	removed->used = added->used = true;
}

static int by_old_id(const void *pa, const void *pb)
{
	const struct file *a = *(struct file *const *)pa, *b = *(struct file *const *)pb;
	int c = memcmp(&a->c->old_id, &b->c->old_id, sizeof(a->c->old_id));

	return c ? c : strcmp(a->c->old_path, b->c->old_path);
}

/* The first of those equal to id, in an array sorted by it. */
static size_t lower(struct file *const *v, size_t n, const struct oid *id)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(&v[mid]->c->old_id, id, sizeof(*id)) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Equal content; of several the one of the same name. */
static void join_exact(struct sides *s)
{
	struct file **v = xcalloc(s->removed.len + 1, sizeof(struct file *));
	size_t n = s->removed.len;

	for (size_t i = 0; i < n; i++)
		v[i] = &s->removed.items[i];
	qsort(v, n, sizeof(struct file *), by_old_id);
	for (size_t i = 0; i < s->added.len; i++) {
		struct file *a = &s->added.items[i], *best = NULL;

		if (oid_is_zero(&a->c->new_id))
			continue;
		for (size_t j = lower(v, n, &a->c->new_id); j < n && oid_equal(&v[j]->c->old_id, &a->c->new_id); j++)
			if (!v[j]->used && (!best || (same_name(v[j], a) && !same_name(best, a))))
				best = v[j];
		if (best)
			join(best, a);
	}
	free(v);
}

static int by_name(const void *pa, const void *pb)
{
	const struct file *a = *(struct file *const *)pa, *b = *(struct file *const *)pb;
	int c = strcmp(last_part(a->c->new_path), last_part(b->c->new_path));

	return c ? c : a->c < b->c ? -1 : a->c > b->c;
}

/* Those left of one side, by the last part of their name (old and new path are the same before joining). */
static struct file **sorted_by_name(struct file *files, size_t n, size_t *left)
{
	struct file **v = xcalloc(n + 1, sizeof(struct file *));

	*left = 0;
	for (size_t i = 0; i < n; i++)
		if (!files[i].used)
			v[(*left)++] = &files[i];
	qsort(v, *left, sizeof(struct file *), by_name);
	return v;
}

static bool only_one(struct file *const *v, size_t n, size_t i)
{
	return (i == 0 || !same_name(v[i - 1], v[i])) && (i + 1 >= n || !same_name(v[i], v[i + 1]));
}

/* A name that left one folder and appeared in one other, much alike: most moves, in linear time (git since 2.31). */
static void join_named(struct sides *s)
{
	size_t nr, na;
	struct file **r = sorted_by_name(s->removed.items, s->removed.len, &nr);
	struct file **a = sorted_by_name(s->added.items, s->added.len, &na);
	int cmp;

	for (size_t i = 0, j = 0; i < nr && j < na; i += cmp <= 0, j += cmp >= 0) {
		cmp = strcmp(last_part(r[i]->c->old_path), last_part(a[j]->c->new_path));
		if (cmp || !only_one(r, nr, i) || !only_one(a, na, j) ||
		    (r[i]->c->old_mode & 0170000) != (a[j]->c->new_mode & 0170000))
			continue;
		if (file_read_spans(r[i], false, s->content, s->ctx) && file_read_spans(a[j], true, s->content, s->ctx) &&
		    score(r[i], a[j]) >= SCORE_SAME_NAME)
			join(r[i], a[j]);
	}
	free(r);
	free(a);
}

static int by_score(const void *pa, const void *pb)
{
	const struct pair *a = pa, *b = pb;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	if (a->same_name != b->same_name)
		return a->same_name ? -1 : 1;
	return a->added != b->added ? (a->added < b->added ? -1 : 1) : a->removed < b->removed ? -1 : a->removed > b->removed;
}

static void measure(struct sides *s, uint32_t removed, uint32_t added, struct pair_list *out)
{
	struct file *r = &s->removed.items[removed], *a = &s->added.items[added];
	uint32_t sc;

	if (r->used || a->used || (r->c->old_mode & 0170000) != (a->c->new_mode & 0170000))
		return;
	if (!file_read_spans(r, false, s->content, s->ctx) || !file_read_spans(a, true, s->content, s->ctx))
		return;
	sc = score(r, a);
	if (sc >= SCORE_LEAST)
		*array_add(out) = (struct pair){ removed, added, sc, same_name(r, a) };
}

static void join_alike(struct sides *s)
{
	struct pair_list pairs = { NULL, 0, 0 };

	for (uint32_t i = 0; i < s->added.len; i++)
		for (uint32_t j = 0; j < s->removed.len; j++)
			measure(s, j, i, &pairs);
	if (pairs.len)
		qsort(pairs.items, pairs.len, sizeof(*pairs.items), by_score);
	for (size_t i = 0; i < pairs.len; i++) {
		struct file *r = &s->removed.items[pairs.items[i].removed], *a = &s->added.items[pairs.items[i].added];

		if (!r->used && !a->used)
			join(r, a);
	}
	array_release(&pairs);
}

static bool can_move(unsigned mode)
{
	return (mode & 0170000) == 0100000 || (mode & 0170000) == 0120000;
}

static uint64_t left(const struct sides *s)
{
	uint64_t removed = 0, added = 0;

	for (size_t i = 0; i < s->removed.len; i++)
		removed += !s->removed.items[i].used;
	for (size_t i = 0; i < s->added.len; i++)
		added += !s->added.items[i].used;
	return removed * added;
}

static void sides_release(struct sides *s)
{
	for (size_t i = 0; i < s->removed.len; i++)
		free(s->removed.items[i].spans);
	for (size_t i = 0; i < s->added.len; i++)
		free(s->added.items[i].spans);
	array_release(&s->removed);
	array_release(&s->added);
}

void find_renames(struct repo *r, struct change *c, size_t *n, content_fn *content, void *ctx)
{
	struct sides s = { .repo = r, .content = content, .ctx = ctx };
	size_t keep = 0;

	for (size_t i = 0; i < *n; i++) {
		if (c[i].status == 'D' && can_move(c[i].old_mode))
			array_add(&s.removed)->c = &c[i];
		else if (c[i].status == 'A' && can_move(c[i].new_mode))
			array_add(&s.added)->c = &c[i];
	}
	if (s.removed.len && s.added.len) {
		join_exact(&s);
		join_named(&s);
		if (left(&s) <= PAIRS_MAX)
			join_alike(&s);
	}
	sides_release(&s);
	for (size_t i = 0; i < *n; i++)
		if (c[i].status)
			c[keep++] = c[i];
	*n = keep;
}
