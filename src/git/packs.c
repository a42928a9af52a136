/* SPDX-License-Identifier: MIT */
/*
 * Packs and their indexes (gitformat-pack(5), version 2 of both) are mapped whole and checked at every step: nothing is
 * believed that would lead outside the map, and zlib's checksum of each piece is verified. An object is the end of a
 * chain of deltas; the chain is walked down to what is kept or whole, then up again. All that is made on the way is kept,
 * by its place in the pack, up to a limit; then what was not used since the last time goes.
 */
#include "config.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#include "packs.h"

#ifdef HAVE_ZLIB

enum { KEPT_SLOTS = 4096, KEPT_BYTES = 48 << 20, CHAIN_MOST = 5000, PACKS_MOST = 200 };
enum { OFS_DELTA = 6, REF_DELTA = 7 };
enum { IDX_HEAD = 8 + 4 * 256, IDX_TAIL = 40, PACK_HEAD = 12, PACK_TAIL = 20 };

struct map { const uint8_t *p; size_t n; };
struct pack { char *path; struct map idx, data; uint32_t count; bool opened, bad; struct pack *next; };

/* What stands at a place of a pack, unpacked. */
struct kept { const struct pack *pack; uint64_t at; uint8_t *p; size_t n; enum pack_type type; unsigned used; struct kept *next; };
struct step { uint64_t at, body; size_t n; };

struct packs {
	struct pack *first;
	struct kept *kept[KEPT_SLOTS];
	size_t bytes, since, most;
	unsigned turn;
	z_stream z;
	bool z_open;
	ARRAY(struct step) chain;
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool map_file(const char *path, struct map *m)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 && (uint64_t)st.st_size < SIZE_MAX / 2;
	void *p = good ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	if (fd >= 0)
		close(fd);
	if (p == MAP_FAILED)
		return false;
	*m = (struct map){ p, (size_t)st.st_size };
	return true;
}

static bool idx_open(struct pack *k)
{
	if (!map_file(k->path, &k->idx) || k->idx.n < IDX_HEAD + IDX_TAIL || memcmp(k->idx.p, "\377tOc\0\0\0\2", 8))
		return false;
	k->count = be32(k->idx.p + IDX_HEAD - 4);
	return k->count <= (k->idx.n - IDX_HEAD - IDX_TAIL) / 28;
}

/* The pack beside the index, when something of it is wanted. */
static bool data_open(struct pack *k)
{
	if (k->opened)
		return !k->bad;
	size_t n = strlen(k->path);
	char *path = xmalloc(n + 2);
	memcpy(path, k->path, n - 3);
	memcpy(path + n - 3, "pack", 5);
	k->opened = true;
	k->bad = !map_file(path, &k->data) || k->data.n < PACK_HEAD + PACK_TAIL || memcmp(k->data.p, "PACK\0\0\0\2", 8) ||
	    be32(k->data.p + 8) != k->count;
	free(path);
	return !k->bad;
}

static void pack_close(struct pack *k)
{
	if (k->idx.p)
		munmap((void *)(uintptr_t)k->idx.p, k->idx.n);
	if (k->data.p)
		munmap((void *)(uintptr_t)k->data.p, k->data.n);
	free(k->path);
	free(k);
}

static void pack_add(struct packs *p, const char *dir, const char *name)
{
	struct buf path = BUF_INIT;
	struct pack *k = xcalloc(1, sizeof(*k));
	buf_addf(&path, "%s/%s", dir, name);
	k->path = buf_detach(&path);
	if (!idx_open(k)) {
		pack_close(k);
		return;
	}
	k->next = p->first;
	p->first = k;
}

struct packs *packs_open(const char *objects)
{
	struct packs *p = xcalloc(1, sizeof(*p));
	struct buf dir = BUF_INIT;
	unsigned n = 0;
	buf_addf(&dir, "%s/pack", objects);
	DIR *d = opendir(dir.ptr);
	for (struct dirent *e; d && n < PACKS_MOST && (e = readdir(d));)
		if (str_starts(e->d_name, "pack-") && str_ends(e->d_name, ".idx")) {
			pack_add(p, dir.ptr, e->d_name);
			n++;
		}
	if (d)
		closedir(d);
	buf_release(&dir);
	p->most = KEPT_BYTES;
	p->z_open = inflateInit(&p->z) == Z_OK;
	return p;
}

void packs_share(struct packs *p, unsigned n) { p->most = KEPT_BYTES / (n ? n : 1); }

/* Kept objects */

static size_t kept_slot(uint64_t at) { return (size_t)(at * UINT64_C(0x9e3779b97f4a7c15) >> 40) % KEPT_SLOTS; }

static struct kept *kept_find(struct packs *p, const struct pack *k, uint64_t at)
{
	for (struct kept *x = p->kept[kept_slot(at)]; x; x = x->next)
		if (x->at == at && x->pack == k) {
			x->used = p->turn;
			return x;
		}
	return NULL;
}

/* Takes the bytes. */
static struct kept *kept_put(struct packs *p, const struct pack *k, uint64_t at, enum pack_type type, uint8_t *bytes, size_t n)
{
	struct kept *x = xmalloc(sizeof(*x)), **slot = &p->kept[kept_slot(at)];
	*x = (struct kept){ k, at, bytes, n, type, p->turn, *slot };
	p->bytes += n + sizeof(*x);
	p->since += n + sizeof(*x);
	if (p->since > p->most / 4) {
		p->since = 0;
		p->turn++;
	}
	return *slot = x;
}

/* Goes: what was not used in the last `turns` quarters of the limit that were put. */
static void kept_drop(struct packs *p, unsigned turns)
{
	for (size_t i = 0; i < KEPT_SLOTS; i++)
		for (struct kept **slot = &p->kept[i]; *slot;) {
			struct kept *x = *slot;
			if (turns && p->turn - x->used < turns) {
				slot = &x->next;
				continue;
			}
			*slot = x->next;
			p->bytes -= x->n + sizeof(*x);
			free(x->p);
			free(x);
		}
}

/* Nobody holds one here. */
static void kept_trim(struct packs *p)
{
	if (p->bytes <= p->most)
		return;
	for (unsigned turns = 4; turns-- > 0 && p->bytes > p->most - p->most / 4;)
		kept_drop(p, turns);
}

void packs_close(struct packs *p)
{
	if (!p)
		return;
	kept_drop(p, 0);
	for (struct pack *k = p->first, *next; k; k = next) {
		next = k->next;
		pack_close(k);
	}
	if (p->z_open)
		inflateEnd(&p->z);
	array_release(&p->chain);
	free(p);
}

/* Reading */

static bool offset_at(const struct pack *k, uint32_t i, uint64_t *at)
{
	size_t names = IDX_HEAD, offsets = names + (size_t)k->count * 24, large = offsets + (size_t)k->count * 4;
	uint32_t v = be32(k->idx.p + offsets + (size_t)i * 4);
	*at = v;
	if (v & 0x80000000u) {
		size_t pos = large + (size_t)(v & 0x7fffffffu) * 8;
		if (pos + 8 > k->idx.n - IDX_TAIL)
			return false;
		*at = (uint64_t)be32(k->idx.p + pos) << 32 | be32(k->idx.p + pos + 4);
	}
	return true;
}

static bool offset_of(const struct pack *k, const uint8_t *id, uint64_t *at)
{
	const uint8_t *fan = k->idx.p + 8, *names = k->idx.p + IDX_HEAD;
	uint32_t lo = id[0] ? be32(fan + 4 * (size_t)(id[0] - 1)) : 0, hi = be32(fan + 4 * (size_t)id[0]);
	if (lo > hi || hi > k->count)
		return false;
	while (lo < hi) {
		uint32_t m = lo + (hi - lo) / 2;
		int c = memcmp(names + (size_t)m * 20, id, 20);
		if (!c)
			return offset_at(k, m, at);
		if (c < 0)
			lo = m + 1;
		else
			hi = m;
	}
	return false;
}

/* Seven bits a byte, the low ones first. */
static bool size_take(const uint8_t **p, const uint8_t *end, unsigned shift, uint64_t *v)
{
	for (; *p < end && shift < 57; shift += 7) {
		uint8_t c = *(*p)++;
		*v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return true;
	}
	return false;
}

struct entry { unsigned type; uint64_t n, body, base; };

static bool base_take(const struct pack *k, uint64_t at, const uint8_t **p, const uint8_t *end, struct entry *e)
{
	if (e->type == REF_DELTA) {
		if (end - *p < 20 || !offset_of(k, *p, &e->base))
			return false;
		*p += 20;
		return true;
	}
	uint64_t back = 0;
	for (uint8_t c = 0x80, first = 1; c & 0x80; first = 0) {
		if (*p == end || back > UINT64_MAX >> 8)
			return false;
		c = *(*p)++;
		back = (first ? 0 : (back + 1) << 7) | (c & 0x7f);
	}
	e->base = at - back;
	return back && back < at;
}

static bool entry_at(const struct pack *k, uint64_t at, struct entry *e)
{
	const uint8_t *end = k->data.p + k->data.n - PACK_TAIL, *p;
	if (at < PACK_HEAD || at >= k->data.n - PACK_TAIL)
		return false;
	p = k->data.p + at;
	e->type = *p >> 4 & 7;
	e->n = *p & 15;
	if ((*p++ & 0x80) && !size_take(&p, end, 4, &e->n))
		return false;
	if ((e->type == OFS_DELTA || e->type == REF_DELTA) && !base_take(k, at, &p, end, e))
		return false;
	e->body = (uint64_t)(p - k->data.p);
	return p < end && (e->type == OFS_DELTA || e->type == REF_DELTA || (e->type >= PACK_COMMIT && e->type <= PACK_TAG));
}

/* n bytes, no more and no less. */
static uint8_t *unpack(struct packs *p, const struct pack *k, uint64_t body, size_t n)
{
	size_t left = k->data.n - PACK_TAIL - (size_t)body;
	uint8_t *out = xmalloc(n + 1);
	if (!p->z_open || inflateReset(&p->z) != Z_OK)
		goto bad;
	p->z.next_in = (Bytef *)(uintptr_t)(k->data.p + body);
	p->z.avail_in = left < UINT32_MAX / 2 ? (uInt)left : UINT32_MAX / 2;
	p->z.next_out = out;
	p->z.avail_out = (uInt)n + 1;
	if (inflate(&p->z, Z_FINISH) == Z_STREAM_END && p->z.total_out == n)
		return out;
bad:
	free(out);
	return NULL;
}

static uint32_t bytes_take(const uint8_t **d, unsigned which, unsigned n)
{
	uint32_t v = 0;
	for (unsigned i = 0; i < n; i++)
		if (which & 1u << i)
			v |= (uint32_t)*(*d)++ << (8 * i);
	return v;
}

static bool delta_run(const uint8_t *d, const uint8_t *end, const uint8_t *base, size_t base_n, uint8_t *out, size_t n)
{
	while (d < end) {
		unsigned op = *d++;
		if (!op)
			return false;
		if (op & 0x80) {
			if (end - d < 7 && end - d < __builtin_popcount(op & 0x7f))
				return false;
			uint32_t at = bytes_take(&d, op & 15, 4), len = bytes_take(&d, op >> 4 & 7, 3);
			len = len ? len : 0x10000;
			if (at > base_n || len > base_n - at || len > n)
				return false;
			memcpy(out, base + at, len);
			out += len;
			n -= len;
		} else {
			if ((size_t)(end - d) < op || op > n)
				return false;
			memcpy(out, d, op);
			d += op;
			out += op;
			n -= op;
		}
	}
	return !n;
}

/* base with the delta applied: its bytes, how many in *n. */
static uint8_t *delta_apply(const uint8_t *delta, size_t delta_n, const uint8_t *base, size_t base_n, size_t max, size_t *n)
{
	const uint8_t *d = delta, *end = delta + delta_n;
	uint64_t from = 0, to = 0;
	if (!size_take(&d, end, 0, &from) || !size_take(&d, end, 0, &to) || from != base_n || to > max)
		return NULL;
	uint8_t *out = xmalloc((size_t)to + 1);
	if (!delta_run(d, end, base, base_n, out, (size_t)to)) {
		free(out);
		return NULL;
	}
	*n = (size_t)to;
	return out;
}

/* Walks down from `at`: the deltas on the way in p->chain, what they start from as the result. */
static const struct kept *chain_down(struct packs *p, const struct pack *k, uint64_t at, size_t max)
{
	p->chain.len = 0;
	for (;;) {
		struct entry e = { 0 };
		const struct kept *x = kept_find(p, k, at);
		if (x)
			return x;
		if (!entry_at(k, at, &e) || e.n > max || e.n > UINT32_MAX / 2 || p->chain.len >= CHAIN_MOST)
			return NULL;
		if (e.type != OFS_DELTA && e.type != REF_DELTA) {
			uint8_t *bytes = unpack(p, k, e.body, (size_t)e.n);
			return bytes ? kept_put(p, k, at, (enum pack_type)e.type, bytes, (size_t)e.n) : NULL;
		}
		*array_add(&p->chain) = (struct step){ at, e.body, (size_t)e.n };
		at = e.base;
	}
}

static const struct kept *object_at(struct packs *p, const struct pack *k, uint64_t at, size_t max)
{
	const struct kept *x = chain_down(p, k, at, max);
	for (size_t i = p->chain.len; x && i-- > 0;) {
		size_t n = 0;
		struct step s = p->chain.items[i];
		uint8_t *delta = unpack(p, k, s.body, s.n);
		uint8_t *bytes = delta ? delta_apply(delta, s.n, x->p, x->n, max, &n) : NULL;
		free(delta);
		x = bytes && p->bytes < 4u * KEPT_BYTES ? kept_put(p, k, s.at, x->type, bytes, n) : (free(bytes), NULL);
	}
	return x;
}

bool packs_read(struct packs *p, const uint8_t *id, enum pack_type type, size_t max, struct buf *out)
{
	uint64_t at;
	kept_trim(p);
	for (struct pack **from = &p->first, *k; (k = *from); from = &k->next) {
		if (!offset_of(k, id, &at))
			continue;
		const struct kept *x = data_open(k) ? object_at(p, k, at, max) : NULL;
		if (!x || x->type != type)
			return false;
		buf_add(out, x->p, x->n);
		/* The next one is most likely here too. */
		*from = k->next;
		k->next = p->first;
		p->first = k;
		return true;
	}
	return false;
}

#else

struct packs { char none; };

struct packs *packs_open(const char *objects)
{
	(void)objects;
	return xcalloc(1, sizeof(struct packs));
}

void packs_close(struct packs *p) { free(p); }

void packs_share(struct packs *p, unsigned n) { (void)p, (void)n; }

bool packs_read(struct packs *p, const uint8_t *id, enum pack_type type, size_t max, struct buf *out)
{
	(void)p, (void)id, (void)type, (void)max, (void)out;
	return false;
}

#endif
