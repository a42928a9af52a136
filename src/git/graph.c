/* SPDX-License-Identifier: MIT */
/*
 * git's commit-graph file, where the repository has one (gitformat-commit-graph(5)): tree, parents, date and generation
 * of a commit for the price of a look-up, without inflating it. Written by git gc and git maintenance.
 *
 * Not used in shallow repositories, as git does not: the file does not know the border. A file that does not hold
 * together is ignored; every commit can be read from its object as well.
 */
#include "config.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "killick/base/file.h"
#include "git.h"

#define CHAIN_MAX 4096
#define NO_PARENT 0x70000000u
#define MORE_PARENTS 0x80000000u
#define CDAT_SIZE 36u

struct layer {
	const uint8_t *map;
	size_t size;
	uint32_t n;         /* commits in it */
	uint32_t base;      /* commits in the layers below */
	const uint8_t *fanout, *oids, *data, *edges;
	size_t edges_len;
};

struct commit_graph {
	ARRAY(struct layer) layers;   /* lowest first */
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static bool layer_chunks(struct layer *l)
{
	unsigned count = l->map[6];
	size_t oids_len = 0, data_len = 0, fanout_len = 0;

	if (l->size < 8 + (count + 1u) * 12u + 20)
		return false;
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *row = l->map + 8 + i * 12u;
		uint64_t at = be64(row + 4), end = be64(row + 16);

		if (at > end || end > l->size)
			return false;
		if (!memcmp(row, "OIDF", 4)) {
			l->fanout = l->map + at;
			fanout_len = end - at;
		} else if (!memcmp(row, "OIDL", 4)) {
			l->oids = l->map + at;
			oids_len = end - at;
		} else if (!memcmp(row, "CDAT", 4)) {
			l->data = l->map + at;
			data_len = end - at;
		} else if (!memcmp(row, "EDGE", 4)) {
			l->edges = l->map + at;
			l->edges_len = (end - at) / 4;
		}
	}
	if (fanout_len != 1024 || !l->oids || !l->data)
		return false;
	l->n = be32(l->fanout + 1020);
	for (unsigned i = 1; i < 256; i++)
		if (be32(l->fanout + i * 4) < be32(l->fanout + i * 4 - 4))
			return false;
	return oids_len == (size_t)l->n * 20 && data_len == (size_t)l->n * CDAT_SIZE;
}

static bool layer_open(struct layer *l, const char *path)
{
	struct stat st;
	void *p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 1024) {
		close(fd);
		return false;
	}
	l->size = (size_t)st.st_size;
	p = mmap(NULL, l->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return false;
	l->map = p;
	/* version 1, hash 1 (SHA-1) */
	if (memcmp(l->map, "CGPH\1\1", 6) == 0 && layer_chunks(l))
		return true;
	munmap(p, l->size);
	return false;
}

static bool graph_add(struct commit_graph *g, const char *path)
{
	struct layer l = { .map = NULL };

	if (!layer_open(&l, path))
		return false;
	if (g->layers.len) {
		const struct layer *below = &g->layers.items[g->layers.len - 1];

		l.base = below->base + below->n;
	}
	*array_add(&g->layers) = l;
	return true;
}

/* commit-graphs/commit-graph-chain: a hash a line, lowest layer first. All or none. */
static bool graph_add_chain(struct commit_graph *g, const char *dir)
{
	struct buf path = BUF_INIT, chain = BUF_INIT;
	struct err e = ERR_INIT;
	bool ok;

	path_join(&path, dir, "commit-graphs/commit-graph-chain");
	ok = file_read(path.ptr, CHAIN_MAX * GIT_OID_HEX, &chain, &e) == 0;
	for (char *p = chain.ptr; ok && strlen(p) >= GIT_OID_HEX - 1; p += GIT_OID_HEX) {
		ok = str_is_hex(p, GIT_OID_HEX - 1) && (p[GIT_OID_HEX - 1] == '\n' || !p[GIT_OID_HEX - 1]);
		if (ok) {
			buf_reset(&path);
			buf_addf(&path, "%s/commit-graphs/graph-%.40s.graph", dir, p);
			ok = graph_add(g, path.ptr);
		}
		if (!p[GIT_OID_HEX - 1])
			break;
	}
	buf_release(&path);
	buf_release(&chain);
	return ok && g->layers.len;
}

void graph_free(struct commit_graph *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->layers.len; i++)
		munmap((void *)(uintptr_t)g->layers.items[i].map, g->layers.items[i].size);
	array_release(&g->layers);
	free(g);
}

static struct commit_graph *graph_open(struct repo *r)
{
	struct commit_graph *g = xcalloc(1, sizeof(*g));
	struct buf dir = BUF_INIT, path = BUF_INIT;
	struct arena a = ARENA_INIT;
	const char *v;
	bool ok = false;

	if (repo_is_shallow(r) || (repo_config(r, CONFIG_ANY, "core.commitGraph", &a, &v) && !git_bool(v, true)))
		goto out;
	path_join(&dir, r->commondir, "objects/info");
	path_join(&path, dir.ptr, "commit-graph");
	ok = graph_add(g, path.ptr) || graph_add_chain(g, dir.ptr);
out:
	buf_release(&dir);
	buf_release(&path);
	arena_release(&a);
	if (!ok) {
		graph_free(g);
		return NULL;
	}
	return g;
}

static bool layer_find(const struct layer *l, const struct oid *o, uint32_t *at)
{
	uint32_t lo = o->id[0] ? be32(l->fanout + 4u * o->id[0] - 4) : 0, hi = be32(l->fanout + 4u * o->id[0]);

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int cmp = memcmp(o->id, l->oids + (size_t)mid * 20, 20);

		if (!cmp) {
			*at = mid;
			return true;
		}
		if (cmp < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return false;
}

/* The id at a position counted over all layers. */
static bool graph_oid(const struct commit_graph *g, uint32_t pos, struct oid *out)
{
	for (size_t i = g->layers.len; i-- > 0;) {
		const struct layer *l = &g->layers.items[i];

		if (pos >= l->base) {
			if (pos - l->base >= l->n)
				return false;
			memcpy(out->id, l->oids + (size_t)(pos - l->base) * 20, 20);
			return true;
		}
	}
	return false;
}

static bool add_parent(const struct commit_graph *g, uint32_t pos, struct oids *parents)
{
	struct oid o;

	if (!graph_oid(g, pos, &o))
		return false;
	*array_add(parents) = o;
	return true;
}

static bool read_parents(const struct commit_graph *g, const struct layer *l, const uint8_t *row,
    struct oids *parents)
{
	uint32_t first = be32(row + 20), second = be32(row + 24), edge;

	parents->len = 0;
	if (first == NO_PARENT)
		return true;
	if (!add_parent(g, first, parents))
		return false;
	if (second == NO_PARENT)
		return true;
	if (!(second & MORE_PARENTS))
		return add_parent(g, second, parents);
	for (size_t i = second & ~MORE_PARENTS; i < l->edges_len; i++) {
		edge = be32(l->edges + i * 4);
		if (!add_parent(g, edge & ~MORE_PARENTS, parents))
			return false;
		if (edge & MORE_PARENTS)
			return true;
	}
	return false;
}

bool graph_lookup(struct repo *r, const struct oid *o, struct commit_links *out, struct oids *parents)
{
	const struct layer *l = NULL;
	const uint8_t *row;
	uint32_t at = 0;

	if (!r->graph_tried) {
		r->graph_tried = true;
		r->graph = graph_open(r);
	}
	if (!r->graph)
		return false;
	for (size_t i = r->graph->layers.len; i-- > 0 && !l;)
		if (layer_find(&r->graph->layers.items[i], o, &at))
			l = &r->graph->layers.items[i];
	if (!l)
		return false;
	row = l->data + (size_t)at * CDAT_SIZE;
	memcpy(out->tree.id, row, 20);
	out->generation = be32(row + 28) >> 2;
	out->time = (int64_t)((uint64_t)(be32(row + 28) & 3) << 32 | be32(row + 32)) * 1000;
	return read_parents(r->graph, l, row, parents);
}
