/* SPDX-License-Identifier: MIT */
/*
 * A bucket is a run of entries: 16 bytes of key (two hashes of everything the anchor says), then the answer. Strings
 * that the anchor has itself (its path, its commit) are not repeated. A later entry of the same key counts.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "answers.h"

enum { BUCKETS = 64, METHOD = 6 };  /* METHOD: raise when answers may come out differently */
static const char space[] = "answers";

static const char *const words[] = {
	[WHY_MISSING] = "the file's content is not here (partial clone): killick place --fetch downloads it",
	[WHY_BINARY] = "the file is binary",
	[WHY_HUGE] = "the file is too big",
	[WHY_NO_COMMIT] = "the commit is not here and no text was kept",
	[WHY_NO_PATH] = "the commit has no such file",
	[WHY_LINE] = "the file has fewer lines",
	[WHY_SUBMODULE] = "it is a submodule",
	[WHY_SHALLOW] = "the history between is not here (shallow clone)",
	[WHY_STUCK] = "the history between cannot be read here",
	[WHY_SECTION] = "the file has no such section there",
	[WHY_FOLDER] = "it is a folder",
	[WHY_WEAK] = "not sure enough: the place is a guess",
	[WHY_SELECTION] = "the selected text was changed; its line is still here",
	[WHY_NO_TARGET] = "there is no commit yet",
	[WHY_DAMAGED] = "an object of the repository is damaged: git fsck names it",
};

const char *why_words(enum why w) { return words[w]; }

struct key { uint64_t a, b; };
struct entry { struct key key; uint32_t at, len; };
struct bucket {
	bool loaded, dirty, sorted;
	struct buf bytes;       /* as stored, new entries behind */
	struct { struct entry *items; size_t len, alloc; } index;  /* by key */
};

struct answers {
	const struct map_cache *cache;
	struct oid target;
	uint16_t threshold;     /* thousandths: states depend on it */
	struct bucket buckets[BUCKETS];
	struct buf scratch;
};

struct answers *answers_open(const struct map_cache *cache, const struct oid *target, double threshold)
{
	struct answers *s = xcalloc(1, sizeof(*s));
	s->cache = cache;
	s->target = *target;
	s->threshold = (uint16_t)(threshold * 1000 + 0.5);
	buf_init(&s->scratch);
	for (size_t i = 0; i < BUCKETS; i++)
		buf_init(&s->buckets[i].bytes);
	return s;
}

enum { KEY_SIZE = 24 };

static void bucket_key(const struct answers *s, size_t i, uint8_t key[KEY_SIZE])
{
	key[0] = METHOD;
	key[1] = (uint8_t)i;
	memcpy(key + 2, &s->threshold, 2);
	memcpy(key + 4, s->target.id, 20);
}

void answers_flush(struct answers *s)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct bucket *b = &s->buckets[i];
		uint8_t key[KEY_SIZE];
		bucket_key(s, i, key);
		if (b->dirty)
			s->cache->put(s->cache->ctx, space, key, sizeof(key), b->bytes.ptr, b->bytes.len);
		b->dirty = false;
	}
}

bool answers_about(const struct answers *s, const struct oid *target, double threshold)
{
	return oid_equal(&s->target, target) && s->threshold == (uint16_t)(threshold * 1000 + 0.5);
}

void answers_close(struct answers *s)
{
	if (!s)
		return;
	answers_flush(s);
	for (size_t i = 0; i < BUCKETS; i++) {
		buf_release(&s->buckets[i].bytes);
		free(s->buckets[i].index.items);
	}
	buf_release(&s->scratch);
	free(s);
}

/* Keys */

static void put_str(struct buf *b, const char *s)
{
	buf_addstr(b, s ? s : "\1");
	buf_addch(b, 0);
}

static struct key anchor_key(struct answers *s, const struct anchor *an)
{
	struct buf *b = &s->scratch;
	const uint32_t n[] = { an->type, an->side, an->line, an->end, an->col, an->col_end };
	buf_reset(b);
	buf_add(b, n, sizeof(n));
	put_str(b, an->path);
	put_str(b, an->commit);
	put_str(b, an->blob);
	put_str(b, an->section);
	put_str(b, an->before);
	put_str(b, an->quote);
	put_str(b, an->after);
	uint64_t h[2];
	hash128(b->ptr, b->len, h);
	return (struct key){ h[0], h[1] };
}

static struct bucket *bucket_of(struct answers *s, const struct anchor *an)
{
	return &s->buckets[an->path ? hash64(an->path, strlen(an->path)) % BUCKETS : 0];
}

/* Entries: key, length of the rest, then state, why, confidence, numbers and strings. */

static void put_text(struct buf *b, const char *s, const char *same)
{
	if (!s)
		buf_addnum(b, 0);
	else if (same && !strcmp(s, same))
		buf_addnum(b, 1);
	else {
		buf_addnum(b, (uint32_t)strlen(s) + 2);
		buf_addstr(b, s);
	}
}

/* a NULL: only checks. */
static bool get_text(const char **p, const char *end, const char *same, struct arena *a, const char **out)
{
	uint32_t n;
	*out = NULL;
	if (!num_take(p, end, &n))
		return false;
	if (n == 1)
		*out = same;
	if (n < 2)
		return true;
	if (n - 2 > (size_t)(end - *p) || memchr(*p, 0, n - 2))
		return false;
	if (a)
		*out = arena_memdup(a, *p, n - 2);
	*p += n - 2;
	return true;
}

static void place_encode(struct buf *b, const struct anchor *an, const struct place *p)
{
	const uint32_t n[] = { p->line, p->end, p->col, p->col_end, p->last_line, p->last_end, p->near_before, p->near_after };
	uint32_t why = 0;
	for (uint32_t w = 1; p->why && w < ARRAY_SIZE(words); w++)
		why = words[w] == p->why ? w : why;
	buf_addch(b, (int)p->state);
	buf_addch(b, (int)why);
	buf_add(b, &p->confidence, sizeof(p->confidence));
	for (size_t i = 0; i < ARRAY_SIZE(n); i++)
		buf_addnum(b, n[i]);
	put_text(b, p->path, an->path);
	put_text(b, p->last_path, an->path);
	put_text(b, p->commit, an->commit);
	put_text(b, p->last_commit, an->commit);
}

static bool place_decode(const char *p, const char *end, const struct anchor *an, struct arena *a, struct place *out)
{
	uint32_t *const n[] = { &out->line, &out->end, &out->col, &out->col_end, &out->last_line, &out->last_end, &out->near_before, &out->near_after };
	*out = (struct place){ 0 };
	if (end - p < 2 + (ptrdiff_t)sizeof(out->confidence) || (unsigned char)p[0] > PLACE_GONE ||
	    (unsigned char)p[1] >= ARRAY_SIZE(words))
		return false;
	out->state = (enum place_state)p[0];
	out->why = words[(unsigned char)p[1]];
	memcpy(&out->confidence, p + 2, sizeof(out->confidence));
	p += 2 + sizeof(out->confidence);
	for (size_t i = 0; i < ARRAY_SIZE(n); i++)
		if (!num_take(&p, end, n[i]))
			return false;
	return out->confidence >= 0 && out->confidence <= 1 && get_text(&p, end, an->path, a, &out->path) &&
	    get_text(&p, end, an->path, a, &out->last_path) && get_text(&p, end, an->commit, a, &out->commit) &&
	    get_text(&p, end, an->commit, a, &out->last_commit) && p == end;
}

/* The next entry: its key, and where its answer begins and ends. */
static bool entry_next(const char **p, const char *end, struct key *key, const char **from, const char **to)
{
	uint32_t n;
	if (end - *p < 16)
		return false;
	memcpy(&key->a, *p, 8);
	memcpy(&key->b, *p + 8, 8);
	*p += 16;
	if (!num_take(p, end, &n) || n > (size_t)(end - *p))
		return false;
	*from = *p;
	*to = *p += n;
	return true;
}

bool bucket_check(const char *p, size_t n)
{
	const char *end = p + n, *from, *to;
	struct anchor an = { .path = "", .commit = "" };
	struct place place;
	struct key key;
	while (p < end)
		if (!entry_next(&p, end, &key, &from, &to) || !place_decode(from, to, &an, NULL, &place))
			return false;
	return true;
}

static int cmp_entry(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->key.a != y->key.a)
		return x->key.a < y->key.a ? -1 : 1;
	return x->key.b != y->key.b ? (x->key.b < y->key.b ? -1 : 1) : x->at > y->at ? -1 : x->at < y->at;
}

static void bucket_sort(struct bucket *b)
{
	if (b->index.len)
		qsort(b->index.items, b->index.len, sizeof(*b->index.items), cmp_entry);
	b->sorted = true;
}

static void bucket_load(struct answers *s, struct bucket *b)
{
	uint8_t key[KEY_SIZE];
	if (b->loaded)
		return;
	b->loaded = true;
	bucket_key(s, (size_t)(b - s->buckets), key);
	if (!s->cache->get(s->cache->ctx, space, key, sizeof(key), &b->bytes))
		return;
	const char *p = b->bytes.ptr, *end = p + b->bytes.len, *from, *to;
	for (struct key k; entry_next(&p, end, &k, &from, &to);)
		*array_add(&b->index) = (struct entry){ k, (uint32_t)(from - b->bytes.ptr), (uint32_t)(to - from) };
	if (p != end)
		buf_reset(&b->bytes);  /* damaged: begin anew */
	if (p != end)
		b->index.len = 0;
	bucket_sort(b);
}

bool answers_get(struct answers *s, const struct anchor *an, struct arena *a, struct place *out)
{
	struct bucket *b = bucket_of(s, an);
	bucket_load(s, b);
	if (!b->sorted)
		bucket_sort(b);
	struct entry want = { .key = anchor_key(s, an), .at = UINT32_MAX };
	size_t lo = 0, hi = b->index.len;
	while (lo < hi) {
		size_t m = lo + (hi - lo) / 2;
		if (cmp_entry(&b->index.items[m], &want) < 0)
			lo = m + 1;
		else
			hi = m;
	}
	if (lo == b->index.len || b->index.items[lo].key.a != want.key.a || b->index.items[lo].key.b != want.key.b)
		return false;
	const char *p = b->bytes.ptr + b->index.items[lo].at;
	return place_decode(p, p + b->index.items[lo].len, an, a, out);
}

void answers_put(struct answers *s, const struct anchor *an, const struct place *p)
{
	struct bucket *b = bucket_of(s, an);
	bucket_load(s, b);
	struct key k = anchor_key(s, an);
	buf_reset(&s->scratch);
	place_encode(&s->scratch, an, p);
	buf_add(&b->bytes, &k.a, 8);
	buf_add(&b->bytes, &k.b, 8);
	buf_addnum(&b->bytes, (uint32_t)s->scratch.len);
	*array_add(&b->index) = (struct entry){ k, (uint32_t)b->bytes.len, (uint32_t)s->scratch.len };
	buf_addbuf(&b->bytes, &s->scratch);
	b->dirty = true;
	b->sorted = false;
}
