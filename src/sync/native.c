/* SPDX-License-Identifier: MIT */
/*
 * Store, desk and index brought together.
 *
 * What is true stands in the log and on the desk; the index follows. A source of the index remembers a stamp of what it was
 * read from: equal stamps mean that there is nothing to do, which costs a few stats and no libgit2, and is the usual case.
 * Else one write takes in what is new, in whatever process notices first. Stamps are taken before reading, so that what
 * is written meanwhile is noticed the next time.
 *
 * A write goes to the log or the desk, durably, and only then to the index, by the same reading as everybody else's.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "killick/base/clock.h"
#include "killick/base/proc.h"
#include "killick/base/file.h"
#include "killick/git/nativelog.h"
#include "killick/store/settings.h"
#include "killick/sync/native.h"
#include "killick/sync/outbox.h"
#include "people.h"

enum { LOG_WAIT = 5000, AFTER_WRITE_WAIT = 200, SYNC_WAIT = 5000, REWOUND = 7, TELL_STEP = 1024, MUCH = 1 << 20 };

/* ---- opening ---- */

int work_open(const char *dir, struct work **out, struct err *e)
{
	struct work *w = xcalloc(1, sizeof(*w));

	if (repo_find(dir, &w->repo, e)) {
		free(w);
		return -1;
	}
	*out = w;
	return 0;
}

void work_close(struct work *w)
{
	if (!w)
		return;
	if (w->index)
		index_keep(w->index);
	index_close(w->index);
	desk_close(w->desk);
	nlog_close(w->log);
	repo_close(w->repo);
	arena_release(&w->arena);
	free(w);
}

bool work_is_set_up(struct work *w)
{
	return nlog_exists(w->repo, NULL);
}

int work_desk(struct work *w, struct err *e)
{
	return w->desk ? 0 : desk_open(&w->desk, e);
}

int work_log(struct work *w, bool create, struct err *e)
{
	return w->log ? 0 : nlog_open(w->repo, create, &w->log, e);
}

static void say_problem(struct work *w, const char *fmt, const char *what)
{
	w->problem = arena_printf(&w->arena, fmt, what);
	trace("work", "%s", w->problem);
}

struct addresses { const char **items; size_t len, alloc; };

static void add_address(struct work *w, struct addresses *to, const char *p, size_t len)
{
	char *s = arena_memdup(&w->arena, p, len);

	for (char *c = s; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	for (size_t i = 0; i < to->len; i++)
		if (!strcmp(to->items[i], s))
			return;
	*array_add(to) = s;
}

/* What a tracker calls me, as the index knows people of it: "login:host/name". */
static void add_login(struct work *w, struct addresses *to, const struct source_row *s)
{
	struct err unused = ERR_INIT;
	json_t *j = s->heads && *s->heads == '{' ? json_read(s->heads, strlen(s->heads), "a source's state", &unused) : NULL;
	const char *login = json_get_str(json_get_obj(json_get_obj(j, "probe"), "me"), "login"), *key;

	if (login) {
		key = arena_printf(&w->arena, "login:%.*s/%s", (int)strcspn(s->key, "/"), s->key, login);
		add_address(w, to, key, strlen(key));
	}
	json_decref(j);
}

/* The addresses under which I write: git's, then those of killick.me, then my names at trackers. */
void work_find_me(struct work *w)
{
	struct err e = ERR_INIT;
	struct addresses list = ARRAY_INIT;
	const char **kept, *more;
	struct source_row *rows;
	size_t n;

	if (repo_identity(w->repo, &w->arena, &w->me, &e))
		w->me = (struct person){ 0 };
	if (w->me.email && *w->me.email)
		add_address(w, &list, w->me.email, strlen(w->me.email));
	more = setting_get(w->repo, &w->arena, "me");
	while (*more) {
		size_t len = strcspn(more, " ,;\t");
		if (len)
			add_address(w, &list, more, len);
		more += len + (more[len] != '\0');
	}
	n = index_source_rows(w->index, w->scope.repo, &w->arena, &rows);
	for (size_t i = 0; i < n; i++)
		add_login(w, &list, &rows[i]);
	kept = arena_alloc(&w->arena, (list.len + 1) * sizeof(*kept));
	for (size_t i = 0; i < list.len; i++)
		kept[i] = list.items[i];
	w->scope.me = list.len ? (const char *const *)kept : NULL;
	array_release(&list);
}

/* Which rows of the index are ours; 0 for those not made yet. */
static void find_rows(struct work *w)
{
	const char *key = repo_commondir(w->repo);
	struct buf store = BUF_INIT;
	struct view_row view;

	w->scope.repo = index_repo(w->index, key, false);
	w->native = w->private_ = w->scope.view = 0;
	nlog_exists(w->repo, &store);
	if (w->scope.repo) {
		w->native = index_source(w->index, w->scope.repo, "native", store.ptr, NULL, false);
		w->private_ = index_source(w->index, w->scope.repo, "private", key, NULL, false);
		if (index_view(w->index, w->scope.repo, repo_gitdir(w->repo), false, &view))
			w->scope.view = view.id;
	} else {
		w->scope.repo = -1; /* nobody's: not the 0 that means everything */
	}
	buf_release(&store);
}

static bool ask_desk(void *ctx, char letter, const char *digits, struct arena *a, const char **now)
{
	struct work *w = ctx;
	struct err unused = ERR_INIT;

	return !work_desk(w, &unused) && desk_alias(w->desk, letter, digits, a, now);
}

int work_index(struct work *w, struct err *e)
{
	struct err why = ERR_INIT;

	if (w->index)
		return 0;
	if (index_open(&w->index, &why)) {
		if (index_open_memory(&w->index, e))
			return -1;
		say_problem(w, "the index is built in memory for this run: %s", why.msg);
	}
	index_ask_alias(w->index, ask_desk, w);
	find_rows(w);
	work_find_me(w);
	return 0;
}

void work_tell(struct work *w, const char *what, uint64_t done, uint64_t total)
{
	if (w->progress)
		w->progress(w->progress_ctx, what, done, total);
}

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
	say_problem(w, "the index is built in memory for this run: %s", why.msg);
	return index_open_memory(&w->index, e);
}

/* One try. 1: the index must be built anew first. */
static int refresh_once(struct work *w, int wait_ms, struct err *e)
{
	struct outlook o = { .store = BUF_INIT };
	int rc = 0;

	find_rows(w);
	look_out(w, &o);
	open_desk(w, &o);
	if (o.log_new || o.desk_new || o.me_new) {
		rc = take_all(w, &o, wait_ms, e);
		find_rows(w);
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
		say_problem(w, "%s", "another killick is writing the index: this is how things were before");
	else if (rc)
		say_problem(w, "the index is behind: %s", why.msg);
	return 0;
}

int work_rebuild(struct work *w, struct err *e)
{
	if (work_index(w, e))
		return -1;
	if (index_stale(w->index) && recover(w, e))
		return -1;
	find_rows(w);
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

/* ---- exchange ---- */

static bool has_remote(const struct remote_info *r, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(r[i].name, name))
			return true;
	return false;
}

static const char *upstream_remote(struct work *w)
{
	struct buf branch = BUF_INIT, key = BUF_INIT;
	struct oid head;
	const char *name = NULL;

	repo_head(w->repo, &head, &branch);
	buf_addf(&key, "branch.%s.remote", branch.ptr);
	if (branch.len == 0 || !repo_config(w->repo, CONFIG_ANY, key.ptr, &w->arena, &name))
		name = NULL;
	buf_release(&branch);
	buf_release(&key);
	return name;
}

static const char *choose_remote(struct work *w, struct err *e)
{
	const char *set = setting_get(w->repo, &w->arena, "remote"), *up;
	struct remote_info *r;
	size_t n;

	if (*set)
		return set;
	n = repo_remotes(w->repo, &w->arena, &r);
	up = upstream_remote(w);
	if (up && has_remote(r, n, up))
		return up;
	if (has_remote(r, n, "origin"))
		return "origin";
	if (n == 1)
		return r[0].name;
	if (n)
		err_set(e, ERR_USAGE, "which remote? Name one, or: git config killick.remote NAME");
	else
		err_set(e, ERR_NOT_FOUND, "this repository has no remote to exchange with: git remote add NAME URL");
	return NULL;
}

struct teller { void (*fn)(void *ctx, const char *line); void *ctx; };

static void tell(const struct teller *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void tell(const struct teller *t, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	if (t->fn)
		t->fn(t->ctx, b.ptr);
	buf_release(&b);
}

/* When the last exchange was, and what went wrong; if the index is busy, that is no matter. */
static void note_exchange(struct work *w, const char *problem)
{
	const int64_t now = clock_now();
	struct source_row src;
	struct err e = ERR_INIT;

	if (!problem)
		nlog_exchanged_put(w->log, now);
	if (w->native <= 0 || index_begin(w->index, AFTER_WRITE_WAIT, &e))
		return;
	if (!index_source_get(w->index, w->native, &w->arena, &src)) {
		index_rollback(w->index);
		return;
	}
	src.problem = problem;
	src.synced = problem ? src.synced : now;
	if (index_source_set(w->index, &src, &e))
		index_rollback(w->index);
	else
		index_commit(w->index, &e);
}

int work_sync(struct work *w, const char *remote, void (*progress)(void *ctx, const char *line), void *ctx,
    struct exchange *x, struct err *e)
{
	struct err fetched = ERR_INIT, pushed = ERR_INIT, unused = ERR_INIT;
	const struct teller to = { progress, ctx };
	int idle = (int)setting_int(w->repo, "sync.timeout");
	const char *name;
	int rc;

	*x = (struct exchange){ 0 };
	if (work_index(w, e) || work_log(w, true, e))
		return -1;
	name = remote ? remote : choose_remote(w, e);
	if (!name)
		return -1;
	tell(&to, "%s: fetching", name);
	rc = nlog_fetch(w->log, w->repo, name, 0, idle, x, &fetched);
	if (!rc || fetched.code == ERR_CONFLICT) {
		tell(&to, "%s: %llu new, sending", name, (unsigned long long)x->ops_fetched);
		if (nlog_push(w->log, w->repo, name, 0, idle, x, &pushed))
			rc = -1;
		else
			tell(&to, "%s: %llu sent", name, (unsigned long long)x->ops_pushed);
	}
	work_refresh(w, SYNC_WAIT, &unused);
	if (rc)
		*e = pushed.code ? pushed : fetched;
	note_exchange(w, rc ? e->msg : NULL);
	/* What was written here since the last time has just been sent: else there is nothing new to be packed. */
	if (!rc && (x->logs_fetched || x->logs_pushed) && nlog_gc(w->log, &unused))
		trace("work", "%s", unused.msg);
	return rc;
}

/* ---- on its own ---- */

void work_start(struct work *w, const char *const *words)
{
	struct buf self = BUF_INIT;
	const char *dir = repo_top(w->repo) ? repo_top(w->repo) : repo_gitdir(w->repo);
	const char *argv[8] = { NULL, "-C", dir };
	struct proc p = { .argv = argv, .dir = "/", .flags = PROC_NEW_SESSION | PROC_STDERR_NULL };
	struct err e = ERR_INIT;
	pid_t pid;

	for (size_t i = 0; words[i] && i < ARRAY_SIZE(argv) - 4; i++)
		argv[i + 3] = words[i];
	if (!proc_self(&self))
		return;
	argv[0] = self.ptr;
	if (proc_start(&p, &pid, NULL, &e))
		trace("work", "no process for %s: %s", words[0], e.msg);
	buf_release(&self);
}
