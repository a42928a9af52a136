/* SPDX-License-Identifier: MIT */
/*
 * A writer's log taken from an export. The bytes are what was stored elsewhere, so everything is checked as a reader
 * would: the chain of sequence numbers and hashes must run from the log here on without a gap. Commits are cut anew;
 * what identifies an op is its bytes, not the commit it came in.
 */
#include "config.h"
#include <string.h>
#include "nlog.h"

enum { PIECE_BYTES = 1 << 20 };

struct adopting {
	struct nlog *l;
	const char *writer;
	struct tail t;          /* of the log here, then of what was put behind it */
	struct oid old;
	struct buf piece;
	struct op first;        /* of the piece; doc NULL: the piece is empty */
	bool check;
	uint64_t added;
};

static int put_piece(struct adopting *x, struct err *e)
{
	int rc = 0;

	if (!x->piece.len)
		return 0;
	if (!x->check)
		rc = chain_put(x->l, &x->t, &x->first, "import", &x->piece, e);
	buf_reset(&x->piece);
	op_release(&x->first);
	x->first = (struct op){ .doc = NULL };
	return rc;
}

static int parts(const struct adopting *x, uint64_t seq, struct err *e)
{
	return err_set(e, ERR_CONFLICT, "the log of writer %.8s parts from the one here at its line %llu", x->writer,
	    (unsigned long long)seq + 1);
}

/* One line behind the tail. The op is taken over when it opens a piece. */
static int take_next(struct adopting *x, struct op *op, const struct nlog_line *line, struct err *e)
{
	uint64_t next = x->t.any ? x->t.seq + 1 : 0;

	if (op->seq != next)
		return err_set(e, ERR_CONFLICT, "the log of writer %.8s lacks line %llu", x->writer, (unsigned long long)next + 1);
	if (strcmp(op->prev, x->t.any ? x->t.id : ""))
		return parts(x, op->seq, e);
	x->t.any = true;
	x->t.seq = op->seq;
	x->t.lamport = op->lamport;
	memcpy(x->t.id, op->id, sizeof(x->t.id));
	x->added++;
	buf_add(&x->piece, line->bytes, line->n);
	buf_addch(&x->piece, '\n');
	if (!x->first.doc) {
		x->first = *op;
		op->doc = NULL;
	}
	return x->piece.len > PIECE_BYTES ? put_piece(x, e) : 0;
}

static int take_line(struct adopting *x, const struct nlog_line *line, bool last, struct err *e)
{
	char id[SHA256_HEX];
	struct op op;
	int rc = 0;

	if (op_decode(line->bytes, line->n, &op, e))
		return -1;
	if (strcmp(op.writer, x->writer))
		rc = err_set(e, ERR_BAD_DATA, "a line of writer %.8s among those of %.8s", op.writer, x->writer);
	else if (!nlog_accepts(x->l, op.repo))
		rc = err_set(e, ERR_CONFLICT, "it was written under repository id %s: 'killick init --join %s' accepts it", op.repo,
		    op.repo);
	else if (!x->t.any || op.seq > x->t.seq)
		rc = take_next(x, &op, line, e);
	else if ((last || op.seq == x->t.seq) && (!chain_id_at(x->l, &x->t.head, op.seq, id) || strcmp(id, op.id)))
		rc = parts(x, op.seq, e);
	if (op.doc)
		op_release(&op);
	return rc;
}

/* An empty store has no repository id that anybody counts on yet. */
static int adopt_repo(struct nlog *l, const struct nlog_line *line, struct err *e)
{
	struct nlog_heads heads = NLOG_HEADS_INIT;
	struct op op;
	size_t n;
	int rc = nlog_writers(l, &heads, e);

	n = heads.len;
	nlog_heads_release(&heads);
	if (rc || n)
		return rc;
	if (op_decode(line->bytes, line->n, &op, e))
		return -1;
	if (!nlog_accepts(l, op.repo))
		rc = store_set_repo_id(l, op.repo, e);
	op_release(&op);
	return rc;
}

static int adopt_locked(struct adopting *x, const struct nlog_line *lines, size_t n, struct err *e)
{
	char name[REF_NAME_MAX];
	struct tail before;
	int rc = adopt_repo(x->l, &lines[0], e);

	if (rc || tail_of(x->l, x->writer, &x->t, e))
		return -1;
	before = x->t;
	x->old = x->t.head;
	for (size_t i = 0; i < n && !rc; i++)
		rc = take_line(x, &lines[i], i + 1 == n, e);
	if (!rc)
		rc = put_piece(x, e);
	logref_name(name, LOG_REFS, NULL, x->writer);
	if (!rc && x->added && !x->check)
		rc = logref_write(x->l, name, &before.head, &x->t.head, e);
	return rc;
}

int nlog_adopt(struct nlog *l, const char *writer, const struct nlog_line *lines, size_t n, bool check, int wait_ms,
    uint64_t *added, struct err *e)
{
	struct adopting x = { .l = l, .writer = writer, .piece = BUF_INIT, .check = check };
	struct lock lk = LOCK_INIT;
	int rc;

	*added = 0;
	if (!n)
		return 0;
	if (!is_writer_id(writer))
		return err_set(e, ERR_BAD_DATA, "'%s' is no writer's id", writer);
	if (store_lock(l, &lk, wait_ms, e))
		return -1;
	rc = adopt_locked(&x, lines, n, e);
	*added = rc ? 0 : x.added;
	op_release(&x.first);
	buf_release(&x.piece);
	lock_release(&lk);
	return rc;
}
