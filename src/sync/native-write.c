/* SPDX-License-Identifier: MIT */
/*
 * Writing, and taking back what was written: to the log or the desk first, durably. From there on it is said, and whatever
 * happens to the index is a problem to tell, not a failure.
 */
#include "config.h"
#include <string.h>
#include "native-private.h"

/* ---- writing ---- */

static uint64_t known_lamport(struct work *w, int64_t source)
{
	struct arena a = ARENA_INIT;
	struct source_row src;
	uint64_t n = source && index_source_get(w->index, source, &a, &src) ? src.lamport : 0;

	arena_release(&a);
	return n;
}

static bool is_me(const struct work *w, const struct person *who)
{
	for (const char *const *me = w->scope.me; me && *me; me++)
		if (person_same_email(who, &(struct person){ .email = *me }))
			return true;
	return false;
}

/* Whoever replies has read what he replies to (an import is no reply). Costs a write to the desk, so only where something is unread. */
static void read_what_was_answered(struct work *w, const struct op *ops, size_t n, int64_t source)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		int64_t row = ops[i].type == OP_POST && is_me(w, &ops[i].author) ? index_entity_row(w->index, source, ops[i].entity) : 0;
		struct thread t = { .row = row };
		if (row && work_mark_read(w, &t, &e))
			trace("work", "%s", e.msg);
	}
}

int work_write(struct work *w, enum audience aud, struct op *ops, size_t n, const char *subject,
    char (*ids)[SHA256_HEX], struct err *e)
{
	bool private_ = aud == AUDIENCE_PRIVATE;
	struct err unused = ERR_INIT;
	uint64_t floor;
	int rc;

	if (work_index(w, e) || (private_ ? work_desk(w, e) : work_log(w, true, e)))
		return -1;
	if (index_stale(w->index))
		work_refresh(w, AFTER_WRITE_WAIT, &unused);
	floor = known_lamport(w, private_ ? w->private_ : w->native);
	if (private_)
		rc = desk_op_append(w->desk, repo_commondir(w->repo), ops, n, floor, NULL, e);
	else
		rc = nlog_append(w->log, ops, n, subject, floor, LOG_WAIT, NULL, e);
	if (rc)
		return -1;
	for (size_t i = 0; ids && i < n; i++)
		memcpy(ids[i], ops[i].id, SHA256_HEX);
	/* From here on it is said: whatever happens to the index is a problem to tell, not a failure. */
	if (!work_refresh(w, AFTER_WRITE_WAIT, &unused) && !w->problem)
		read_what_was_answered(w, ops, n, private_ ? w->private_ : w->native);
	return 0;
}

int work_mark_read(struct work *w, const struct thread *t, struct err *e)
{
	char entity[SHA256_HEX];
	int64_t source, upto, others, unread;

	if (work_index(w, e) || index_entity(w->index, t->row, entity, &source, e) ||
	    index_read_state(w->index, &w->scope, t->row, &upto, &others, &unread, e))
		return -1;
	if (unread == 0 || !w->scope.me)
		return 0;
	if (work_desk(w, e) || desk_read_put(w->desk, entity, w->scope.me[0], upto, others, e))
		return -1;
	return work_refresh(w, AFTER_WRITE_WAIT, e);
}

/* ---- taking back ---- */

static struct nlog_head *head_of(struct nlog_heads *heads, const char *writer)
{
	for (size_t i = 0; i < heads->len; i++)
		if (!strcmp(heads->items[i].writer, writer))
			return &heads->items[i];
	return NULL;
}

/* The head of a log whose last op is gone again, from what the index knows of the op before it. */
static int step_back(struct work *w, const struct op *op, struct nlog_heads *heads, struct err *e)
{
	struct nlog_head *h = head_of(heads, op->writer), *now;
	struct nlog_heads present = NLOG_HEADS_INIT;
	struct buf bytes = BUF_INIT;
	struct op before;
	int rc = -1;

	if (!h || strcmp(h->last, op->id))
		return err_set(e, ERR_FAILED, "the log went on");
	if (!op->prev[0]) {
		*h = heads->items[--heads->len];
		return 0;
	}
	if (nlog_writers(w->log, &present, e) || index_op(w->index, w->native, op->prev, &bytes, e) ||
	    op_decode(bytes.ptr, bytes.len, &before, e))
		goto out;
	now = head_of(&present, op->writer);
	if (now) {
		h->commit = now->commit;
		h->count = op->seq;
		h->lamport = before.lamport;
		memcpy(h->last, op->prev, sizeof(h->last));
		rc = 0;
	} else {
		err_set(e, ERR_FAILED, "the log is gone");
	}
	op_release(&before);
out:
	nlog_heads_release(&present);
	buf_release(&bytes);
	return rc;
}

static int forget_in_index(struct work *w, const struct op *op, const char *stamp, struct err *e)
{
	struct nlog_heads heads = NLOG_HEADS_INIT;
	struct buf text = BUF_INIT;
	struct source_row src;
	int rc = -1;

	if (!index_source_get(w->index, w->native, &w->arena, &src) || !src.heads || !nlog_heads_parse(src.heads, &heads))
		err_set(e, ERR_FAILED, "the index has no heads");
	else if (!step_back(w, op, &heads, e) && !index_forget_op(w->index, w->native, op->id, e) &&
		 !index_fold(w->index, w->native, e)) {
		nlog_heads_format(&heads, &text);
		src.heads = text.ptr;
		src.stamp = stamp;
		rc = index_source_set(w->index, &src, e);
	}
	buf_release(&text);
	nlog_heads_release(&heads);
	return rc;
}

/* Without this the next reading would find the log rewound and read everything again. */
static int forget_recalled(struct work *w, const struct op *op, struct err *e)
{
	struct buf store = BUF_INIT;
	char stamp[NLOG_STAMP_SIZE];

	nlog_exists(w->repo, &store);
	nlog_stamp(store.ptr, stamp);
	buf_release(&store);
	if (index_begin(w->index, AFTER_WRITE_WAIT, e))
		return -1;
	if (forget_in_index(w, op, stamp, e)) {
		index_rollback(w->index);
		return -1;
	}
	return index_commit(w->index, e);
}

static int recall_shared(struct work *w, const char *op_id, struct err *e)
{
	struct err why = ERR_INIT;
	struct buf bytes = BUF_INIT;
	struct op op;
	int rc = -1;

	if (work_log(w, false, e) || index_op(w->index, w->native, op_id, &bytes, e) ||
	    op_decode(bytes.ptr, bytes.len, &op, e))
		goto out;
	rc = nlog_recall(w->log, op_id, LOG_WAIT, e);
	if (!rc && forget_recalled(w, &op, &why))
		trace("work", "recall: %s", why.msg);
	op_release(&op);
out:
	buf_release(&bytes);
	return rc;
}

int work_recall(struct work *w, const char *op_id, struct err *e)
{
	struct buf bytes = BUF_INIT;
	struct err unused = ERR_INIT;
	bool private_;
	int rc;

	if (work_refresh(w, AFTER_WRITE_WAIT, e))
		return -1;
	private_ = w->private_ > 0 && !index_op(w->index, w->private_, op_id, &bytes, &unused);
	buf_release(&bytes);
	if (private_)
		rc = work_desk(w, e) || desk_op_forget(w->desk, repo_commondir(w->repo), op_id, e) ? -1 : 0;
	else
		rc = recall_shared(w, op_id, e);
	return rc ? rc : work_refresh(w, AFTER_WRITE_WAIT, e);
}

static int last_shared(struct work *w, struct op *out, struct err *e)
{
	struct buf bytes = BUF_INIT;
	char id[SHA256_HEX];
	int rc = -1;

	if (!work_is_set_up(w))
		return err_set(e, ERR_NOT_FOUND, "nothing was written on this device yet");
	if (!work_log(w, false, e) && !nlog_last(w->log, id, e) && !index_op(w->index, w->native, id, &bytes, e))
		rc = op_decode(bytes.ptr, bytes.len, out, e);
	buf_release(&bytes);
	return rc;
}

static int keep_bytes(void *ctx, uint64_t n, const char *bytes, size_t len)
{
	(void)n;
	buf_reset(ctx);
	buf_add(ctx, bytes, len);
	return 0;
}

static int last_private(struct work *w, struct op *out, struct err *e)
{
	struct buf bytes = BUF_INIT;
	int rc = -1;

	if (!work_desk(w, e) && !desk_ops(w->desk, repo_commondir(w->repo), 0, keep_bytes, &bytes, e))
		rc = bytes.len ? op_decode(bytes.ptr, bytes.len, out, e) : err_set(e, ERR_NOT_FOUND, "nothing private");
	buf_release(&bytes);
	return rc;
}

int work_last(struct work *w, struct op *out, enum audience *aud, struct err *e)
{
	struct err none = ERR_INIT;
	struct op own;
	bool has_shared, has_private;

	if (work_refresh(w, AFTER_WRITE_WAIT, e))
		return -1;
	has_shared = !last_shared(w, out, e);
	has_private = !last_private(w, &own, &none);
	if (!has_shared && !has_private)
		return -1;
	*aud = has_private && (!has_shared || own.time >= out->time) ? AUDIENCE_PRIVATE : AUDIENCE_EVERYONE;
	if (has_shared && has_private)
		op_release(*aud == AUDIENCE_PRIVATE ? out : &own);
	if (*aud == AUDIENCE_PRIVATE)
		*out = own;
	err_clear(e);
	return 0;
}
