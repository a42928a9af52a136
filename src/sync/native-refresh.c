/* SPDX-License-Identifier: MIT */
/*
 * The index follows the log and the desk.
 *
 * A source of the index remembers a stamp of what it was read from: equal stamps mean that there is nothing to do, which
 * costs a few stats and no libgit2, and is the usual case. Else one write takes in what is new, in whatever process notices
 * first. Stamps are taken before reading, so that what is written meanwhile is noticed the next time.
 */
#include "config.h"
#include <stdio.h>
#include <string.h>
#include "killick/sync/outbox.h"
#include "native-private.h"
#include "people.h"

enum { REWOUND = 7, TELL_STEP = 1024, MUCH = 1 << 20 };

/* ---- taking in ---- */

struct taking {
	struct work *w;
	struct source_row src;
	struct err *e;
	uint64_t last;      /* private: number of the last op */
	uint64_t marks;
	size_t n;
};

static int take_op(void *ctx, const struct op *op, const char *bytes, size_t n)
{
	struct taking *t = ctx;

	if (++t->n % TELL_STEP == 0)
		work_tell(t->w, "reading the log", t->n, 0);
	return index_put_op(t->w->index, t->src.id, op, bytes, n, t->e);
}

static void take_folded(void *ctx, uint64_t done)
{
	work_tell(ctx, "putting threads together", done, 0);
}

static int take_rewound(void *ctx, const char *writer)
{
	(void)ctx;
	trace("work", "the log of %s was rewound: all is read again", writer);
	return REWOUND;
}

static void take_quarantine(void *ctx, const char *writer, const char *bytes, size_t n, const char *why)
{
	struct taking *t = ctx;
	struct err e = ERR_INIT;

	if (index_quarantine(t->w->index, t->src.id, writer, bytes, n, why, &e))
		trace("work", "%s", e.msg);
}

static int read_log(struct taking *t, struct nlog_heads *heads)
{
	struct nlog_reader rd = {
		.ctx = t, .op = take_op, .rewound = take_rewound, .quarantine = take_quarantine, .lamport = t->src.lamport,
	};
	int rc = nlog_read(t->w->log, heads, &rd, t->e);

	if (rc == REWOUND) {
		if (index_forget(t->w->index, t->src.id, t->e))
			return -1;
		nlog_heads_release(heads);
		*heads = (struct nlog_heads)NLOG_HEADS_INIT;
		rd.lamport = 0;
		rc = nlog_read(t->w->log, heads, &rd, t->e);
	}
	t->src.lamport = rd.lamport;
	return rc;
}

/* Inside a write: what the log has since the heads that were kept. */
static int take_log(struct work *w, const char *stamp, struct err *e)
{
	struct nlog_heads heads = NLOG_HEADS_INIT;
	struct taking t = { .w = w, .e = e };
	struct buf text = BUF_INIT;
	int rc;

	if (!index_source_get(w->index, w->native, &w->arena, &t.src))
		return err_set(e, ERR_BAD_DATA, "the index has lost a source");
	if (work_log(w, false, e))
		return -1;
	if (t.src.heads && !nlog_heads_parse(t.src.heads, &heads)) {
		nlog_heads_release(&heads);
		heads = (struct nlog_heads)NLOG_HEADS_INIT;
	}
	rc = read_log(&t, &heads);
	index_watch(w->index, take_folded, w);
	if (!rc)
		rc = index_fold(w->index, t.src.id, e);
	index_watch(w->index, NULL, NULL);
	if (!rc) {
		nlog_heads_format(&heads, &text);
		t.src.heads = text.ptr;
		t.src.stamp = stamp;
		rc = index_source_set(w->index, &t.src, e);
	}
	trace("work", "%zu ops from the log", t.n);
	buf_release(&text);
	nlog_heads_release(&heads);
	return rc;
}

static int take_private(void *ctx, uint64_t n, const char *bytes, size_t len)
{
	struct taking *t = ctx;
	struct err bad = ERR_INIT;
	struct op op;
	int rc;

	t->last = n;
	if (op_decode(bytes, len, &op, &bad)) {
		take_quarantine(t, "private", bytes, len, bad.msg);
		return 0;
	}
	rc = take_op(t, &op, bytes, len);
	if (op.lamport > t->src.lamport)
		t->src.lamport = op.lamport;
	op_release(&op);
	return rc;
}

static int take_mark(void *ctx, const struct read_mark *m)
{
	struct taking *t = ctx;

	t->marks = m->number;
	return index_read_put(t->w->index, m->entity, m->who, m->upto, m->n, t->e);
}

/* Inside a write: private ops and read marks. The kept "heads" are epoch, last op and last mark. */
static int take_desk(struct work *w, const char *stamp, struct err *e)
{
	struct taking t = { .w = w, .e = e };
	unsigned long long was = 0, last = 0, marks = 0;
	const char *key = repo_commondir(w->repo);
	uint64_t epoch;
	int rc;

	if (!index_source_get(w->index, w->private_, &w->arena, &t.src))
		return err_set(e, ERR_BAD_DATA, "the index has lost a source");
	if (desk_op_epoch(w->desk, key, &epoch, e))
		return -1;
	if (t.src.heads && sscanf(t.src.heads, "%llu %llu %llu", &was, &last, &marks) == 3) {
		t.last = last;
		t.marks = marks;
	}
	if (was != epoch) {
		if (index_forget(w->index, w->private_, e))
			return -1;
		t.last = 0;
	}
	rc = desk_ops(w->desk, key, t.last, take_private, &t, e);
	if (!rc)
		rc = index_fold(w->index, w->private_, e);
	if (!rc)
		rc = desk_reads(w->desk, t.marks, take_mark, &t, e);
	if (!rc)
		rc = outbox_show(w, e);
	t.src.heads = arena_printf(&w->arena, "%llu %llu %llu", (unsigned long long)epoch, (unsigned long long)t.last,
				   (unsigned long long)t.marks);
	t.src.stamp = stamp;
	return rc ? rc : index_source_set(w->index, &t.src, e);
}

/* ---- refresh ---- */

/* What the store and the desk look like now, and whether the index was read from that. */
struct outlook {
	struct buf store;
	bool has_store;
	char log_stamp[NLOG_STAMP_SIZE], desk_stamp[DESK_STAMP_SIZE];
	bool log_new, desk_new, me_new;
};

static bool differs(struct work *w, int64_t source, const char *stamp)
{
	struct arena a = ARENA_INIT;
	struct source_row src;
	bool same = source && index_source_get(w->index, source, &a, &src) && src.stamp && !strcmp(src.stamp, stamp);

	arena_release(&a);
	return !same;
}

static void look_out(struct work *w, struct outlook *o)
{
	o->has_store = nlog_exists(w->repo, &o->store);
	if (o->has_store)
		nlog_stamp(o->store.ptr, o->log_stamp);
	desk_stamp(w->desk, o->desk_stamp);
	o->log_new = o->has_store && differs(w, w->native, o->log_stamp);
	o->desk_new = o->desk_stamp[0] && differs(w, w->private_, o->desk_stamp);
	o->me_new = w->scope.repo > 0 &&
		(!index_identity_known(w->index, w->scope.repo, w->me.name, w->scope.me) || !people_known(w));
}

/* An index made anew: when the last exchange was is known beside the store. */
static int take_exchanged(struct work *w, const char *store, struct err *e)
{
	struct source_row src;

	if (!index_source_get(w->index, w->native, &w->arena, &src) || src.synced)
		return 0;
	src.synced = nlog_exchanged(store);
	return src.synced ? index_source_set(w->index, &src, e) : 0;
}

static int make_rows(struct work *w, const struct outlook *o, struct err *e)
{
	const char *key = repo_commondir(w->repo);
	bool known = w->native > 0;

	w->scope.repo = index_repo(w->index, key, true);
	if (o->has_store)
		w->native = index_source(w->index, w->scope.repo, "native", o->store.ptr, repo_name(w->repo), true);
	w->private_ = index_source(w->index, w->scope.repo, "private", key, "private", true);
	if (!w->scope.repo || !w->private_ || (o->has_store && !w->native))
		return err_set(e, ERR_BAD_DATA, "the index takes no rows");
	if (o->has_store && !known && take_exchanged(w, o->store.ptr, e))
		return -1;
	return index_identity(w->index, w->scope.repo, w->me.name, w->scope.me, e) || people_take(w, e) ? -1 : 0;
}

/* The desk is opened before the index is locked. One that cannot be read keeps nobody from reading threads. */
static void open_desk(struct work *w, struct outlook *o)
{
	struct err e = ERR_INIT;

	if (!o->desk_new || !work_desk(w, &e))
		return;
	o->desk_new = false;
	w->no_desk = arena_strdup(&w->arena, e.msg);
	trace("work", "%s", e.msg);
}

/* Who is who may have changed in any source. */
static int fold_all(struct work *w, struct err *e)
{
	struct source_row *rows;
	size_t n = index_source_rows(w->index, w->scope.repo, &w->arena, &rows);

	for (size_t i = 0; i < n; i++)
		if (index_fold(w->index, rows[i].id, e))
			return -1;
	return 0;
}

static int take_all(struct work *w, const struct outlook *o, int wait_ms, struct err *e)
{
	bool much = o->log_new && nlog_packed(o->store.ptr) > MUCH;

	if (much ? index_begin_much(w->index, wait_ms, e) : index_begin(w->index, wait_ms, e))
		return -1;
	if (make_rows(w, o, e) || (o->log_new && take_log(w, o->log_stamp, e)) ||
	    (o->desk_new && take_desk(w, o->desk_stamp, e)) || fold_all(w, e)) {
		index_rollback(w->index);
		return -1;
	}
	return index_commit(w->index, e);
}

static int recover(struct work *w, struct err *e)
{
	struct err why = ERR_INIT;

	if (!index_recover(w->index, &why))
		return 0;
	index_close(w->index);
	w->index = NULL;
	work_say_problem(w, "the index is built in memory for this run: %s", why.msg);
	return index_open_memory(&w->index, e);
}

/* One try. 1: the index must be built anew first. */
static int refresh_once(struct work *w, int wait_ms, struct err *e)
{
	struct outlook o = { .store = BUF_INIT };
	int rc = 0;

	work_find_rows(w);
	look_out(w, &o);
	open_desk(w, &o);
	if (o.log_new || o.desk_new || o.me_new) {
		rc = take_all(w, &o, wait_ms, e);
		work_find_rows(w);
	}
	buf_release(&o.store);
	return rc < 0 && index_stale(w->index) ? 1 : rc;
}

int work_refresh(struct work *w, int wait_ms, struct err *e)
{
	struct err why = ERR_INIT;
	int rc;

	if (work_index(w, e))
		return -1;
	if (!index_in_memory(w->index))
		w->problem = NULL;
	rc = index_stale(w->index) ? 1 : refresh_once(w, wait_ms, &why);
	if (rc == 1) {
		if (recover(w, e))
			return -1;
		err_clear(&why);
		rc = refresh_once(w, wait_ms > LOG_WAIT ? wait_ms : LOG_WAIT, &why);
	}
	if (rc && why.code == ERR_BUSY)
		work_say_problem(w, "%s", "another killick is writing the index: this is how things were before");
	else if (rc)
		work_say_problem(w, "the index is behind: %s", why.msg);
	return 0;
}

int work_rebuild(struct work *w, struct err *e)
{
	if (work_index(w, e))
		return -1;
	if (index_stale(w->index) && recover(w, e))
		return -1;
	work_find_rows(w);
	if (index_begin(w->index, LOG_WAIT, e))
		return -1;
	if ((w->native && index_forget(w->index, w->native, e)) || (w->private_ && index_forget(w->index, w->private_, e))) {
		index_rollback(w->index);
		return -1;
	}
	if (index_commit(w->index, e) || work_refresh(w, LOG_WAIT, e))
		return -1;
	return w->problem ? err_set(e, ERR_FAILED, "%s", w->problem) : 0;
}
