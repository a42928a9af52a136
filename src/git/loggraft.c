/* SPDX-License-Identifier: MIT */
/*
 * The same ops in other commits. An import cuts a log's ops into commits of its own, so a store that got them that way
 * and one that fetched them hold the same log under different heads. Commits only carry: an op is its bytes.
 * All lines are compared, without believing what one says of its place: a log that was made to look like ours from some
 * number on, and is rubbish before, must not take its place.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "nlog.h"

enum { PIECE_BYTES = 1 << 20 };

bool chain_id_at(struct nlog *l, const struct oid *head, uint64_t seq, char id[SHA256_HEX])
{
	struct oid at = *head;
	struct err ignored = ERR_INIT;
	bool found = false;

	while (!found && !oid_is_zero(&at)) {
		struct entry en;
		struct op op;
		const char *p, *line;
		size_t n;

		if (entry_read(l, &at, &en, &ignored))
			return false;
		for (p = en.text; !found && entry_line(&p, en.text + en.len, &line, &n);) {
			if (op_decode(line, n, &op, &ignored))
				continue;
			found = op.seq == seq;
			if (found)
				memcpy(id, op.id, SHA256_HEX);
			op_release(&op);
		}
		at = en.has_parent ? en.parent : OID_ZERO;
		entry_release(&en);
	}
	return found;
}

/* The lines of a log by their hashes, oldest first. */
struct sum { uint8_t b[SHA256_SIZE]; };
struct sums { struct sum *items; size_t len, alloc; };

int log_each_line(struct nlog *l, const struct oid *head,
    int (*fn)(void *ctx, const char *line, size_t n, struct err *e), void *ctx, struct err *e)
{
	struct oid_list todo = { NULL, 0, 0 };
	const struct oid none = OID_ZERO;
	bool met;
	int rc = chain_walk(l, head, &none, &todo, &met, e);

	while (!rc && todo.len) {
		const char *p, *line;
		struct entry en;
		size_t n;
		rc = entry_read(l, &todo.items[--todo.len], &en, e);
		if (rc)
			break;
		p = en.text;
		while (!rc && entry_line(&p, en.text + en.len, &line, &n))
			rc = fn(ctx, line, n, e);
		entry_release(&en);
	}
	array_release(&todo);
	return rc;
}

static int add_sum(void *ctx, const char *line, size_t n, struct err *e)
{
	struct sums *to = ctx;

	(void)e;
	hash_sha256(array_add(to)->b, line, n);
	return 0;
}

struct graft {
	struct nlog *l;
	struct tail t;       /* grows */
	size_t skip;         /* lines that theirs has */
	struct buf piece;
	struct op first;     /* of the piece */
};

static int graft_put(struct graft *g, struct err *e)
{
	int rc = g->piece.len ? chain_put(g->l, &g->t, &g->first, "import", &g->piece, e) : 0;

	buf_reset(&g->piece);
	op_release(&g->first);
	return rc;
}

static int graft_line(void *ctx, const char *line, size_t n, struct err *e)
{
	struct graft *g = ctx;

	if (g->skip) {
		g->skip--;
		return 0;
	}
	/* A line that is no op counts in the chain all the same; it has no author for the commit. */
	if (!g->piece.len && op_decode(line, n, &g->first, NULL))
		g->first = (struct op){ .doc = NULL };
	buf_add(&g->piece, line, n);
	buf_addch(&g->piece, '\n');
	return g->piece.len > PIECE_BYTES ? graft_put(g, e) : 0;
}

int log_graft(struct nlog *l, const struct oid *theirs, const struct oid *ours, struct oid *out, struct err *e)
{
	struct graft g = { .l = l, .t = { .head = *theirs }, .piece = BUF_INIT };
	struct sums a = { NULL, 0, 0 }, b = { NULL, 0, 0 };
	size_t both;
	int rc = log_each_line(l, theirs, add_sum, &a, e);

	rc = rc ? rc : log_each_line(l, ours, add_sum, &b, e);
	both = a.len < b.len ? a.len : b.len;
	if (rc || !both || memcmp(a.items, b.items, both * sizeof(*a.items)) != 0)
		goto out;
	g.skip = both;
	if (b.len > both)
		rc = log_each_line(l, ours, graft_line, &g, e);
	rc = rc || graft_put(&g, e) ? -1 : 1;
	*out = g.t.head;
out:
	op_release(&g.first);
	buf_release(&g.piece);
	array_release(&a);
	array_release(&b);
	return rc;
}
