/* SPDX-License-Identifier: MIT */
/*
 * The same ops in other commits. An import cuts a log's ops into commits of its own, so a store that got them that way
 * and one that fetched them hold the same log under different heads. Commits only carry: an op is its bytes, and the
 * chain of hashes through them says that two logs are the same up to an op as soon as that op is the same in both.
 */
#include "config.h"
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

struct graft {
	struct nlog *l;
	struct tail t;       /* grows */
	struct buf piece;
	struct op first;
};

static int graft_put(struct graft *g, struct err *e)
{
	int rc = g->piece.len ? chain_put(g->l, &g->t, &g->first, "import", &g->piece, e) : 0;

	buf_reset(&g->piece);
	op_release(&g->first);
	return rc;
}

/* 1: taken or not needed, 0: no line that continues the chain. */
static int graft_line(struct graft *g, const char *line, size_t n, struct err *e)
{
	struct err ignored = ERR_INIT;
	struct op op;

	if (op_decode(line, n, &op, &ignored))
		return 0;
	if (op.seq <= g->t.seq || op.seq != g->t.seq + 1 || strcmp(op.prev, g->t.id)) {
		bool old = op.seq <= g->t.seq;
		op_release(&op);
		return old;
	}
	g->t.seq = op.seq;
	g->t.lamport = op.lamport;
	memcpy(g->t.id, op.id, sizeof(g->t.id));
	buf_add(&g->piece, line, n);
	buf_addch(&g->piece, '\n');
	if (g->first.doc)
		op_release(&op);
	else
		g->first = op;
	return g->piece.len > PIECE_BYTES && graft_put(g, e) ? -1 : 1;
}

/* What ours holds beyond the tail, oldest first. */
static int graft_rest(struct graft *g, const struct oid *ours, struct err *e)
{
	struct oid_list commits = { NULL, 0, 0 };
	const struct oid none = OID_ZERO;
	bool met;
	int rc = chain_walk(g->l, ours, &none, &commits, &met, e) ? -1 : 1;

	for (size_t i = commits.len; i > 0 && rc == 1; i--) {
		struct entry en;
		const char *p, *line;
		size_t n;

		if (entry_read(g->l, &commits.items[i - 1], &en, e)) {
			rc = -1;
			break;
		}
		for (p = en.text; rc == 1 && entry_line(&p, en.text + en.len, &line, &n);)
			rc = graft_line(g, line, n, e);
		entry_release(&en);
	}
	array_release(&commits);
	return rc == 1 && graft_put(g, e) ? -1 : rc;
}

int log_graft(struct nlog *l, const struct oid *theirs, const struct oid *ours, struct oid *out, struct err *e)
{
	struct graft g = { .l = l, .piece = BUF_INIT };
	struct err ignored = ERR_INIT;
	char id[SHA256_HEX];
	struct tail mine;
	bool longer, same;
	int rc;

	if (tail_read(l, theirs, &g.t, &ignored) || tail_read(l, ours, &mine, &ignored))
		return 0;
	longer = mine.seq > g.t.seq;
	same = longer ? chain_id_at(l, ours, g.t.seq, id) && !strcmp(id, g.t.id) :
	    chain_id_at(l, theirs, mine.seq, id) && !strcmp(id, mine.id);
	if (!same)
		return 0;
	*out = *theirs;
	if (!longer)
		return 1;
	rc = graft_rest(&g, ours, e);
	*out = g.t.head;
	op_release(&g.first);
	buf_release(&g.piece);
	return rc;
}
