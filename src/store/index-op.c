/* SPDX-License-Identifier: MIT */
/*
 * Ops in, and out again. An op is kept as its bytes and marks its entity, which is folded from all its ops (index-fold.c).
 * Those whose opening op is not here yet wait in `op`.
 *
 * Anything derived is allowed to be wrong about a hostile op (two entities that share 64 bits), never to lose one.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "index-fold.h"

enum { MANY = 1000 };        /* ops in one write that are worth more memory */

static int put_rewrite(struct index *ix, int64_t source, const struct op *op, struct err *e)
{
	const char *from = json_get_str(op->payload, "from"), *to = json_get_str(op->payload, "to");

	if (!from || !to || !str_is_hex(from, GIT_OID_HEX - 1) || !str_is_hex(to, GIT_OID_HEX - 1) || !strcmp(from, to))
		return 0;
	return db_exec(&ix->db, e, "INSERT INTO rewrite(new, old, source) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING", "tti",
		       to, from, source);
}

/* ---- ids met in a write ---- */

static struct id128 id128_of(const char *hex)
{
	uint8_t raw[SHA256_SIZE];
	struct id128 id;

	hex_decode(raw, sizeof(raw), hex);
	memcpy(&id, raw, sizeof(id));
	id.lo |= !id.hi && !id.lo; /* zero is a free slot */
	return id;
}

static struct id128 *idset_slot(struct id128 *slots, size_t size, struct id128 id)
{
	size_t i = (size_t)(id.hi ^ id.lo) & (size - 1);

	while ((slots[i].hi || slots[i].lo) && (slots[i].hi != id.hi || slots[i].lo != id.lo))
		i = (i + 1) & (size - 1);
	return &slots[i];
}

static void idset_grow(struct idset *s)
{
	size_t size = s->size ? s->size * 2 : 256;
	struct id128 *slots = xcalloc(size, sizeof(*slots));

	for (size_t i = 0; i < s->size; i++)
		if (s->slots[i].hi || s->slots[i].lo)
			*idset_slot(slots, size, s->slots[i]) = s->slots[i];
	free(s->slots);
	s->slots = slots;
	s->size = size;
}

bool idset_add(struct idset *s, int64_t source, const char *hex)
{
	struct id128 id = id128_of(hex), *slot;

	if (s->source != source)
		idset_clear(s);
	s->source = source;
	if (s->len * 2 >= s->size)
		idset_grow(s);
	slot = idset_slot(s->slots, s->size, id);
	if (slot->hi || slot->lo)
		return false;
	*slot = id;
	s->len++;
	return true;
}

void idset_clear(struct idset *s)
{
	free(s->slots);
	*s = (struct idset){ 0 };
}

/* ---- ops ---- */

/* Does the source have ops from before this write? Asked once; if not, an op whose id was not met cannot be known. */
static int find_ops_new(struct index *ix, int64_t source, struct err *e)
{
	int64_t any;

	if (ix->ops.source == source)
		return 0;
	if (db_get_int(&ix->db, e, &any, "SELECT 1 FROM op WHERE source=?1 LIMIT 1", "i", source) < 0)
		return -1;
	ix->ops_new = !any;
	return 0;
}

/* 1: known, 0: new. Sharing the number is not enough: the bytes decide. */
static int op_known(struct index *ix, int64_t source, const struct op *op, const char *bytes, size_t n, struct err *e)
{
	sqlite3_stmt *st;
	bool same = false;
	int rc;

	if (find_ops_new(ix, source, e))
		return -1;
	if (idset_add(&ix->ops, source, op->id) && ix->ops_new)
		return 0;
	if (bulk_index_ops(ix, e))
		return -1;
	st = db_prep(&ix->db, "SELECT bytes FROM op WHERE hid=?1 AND source=?2");
	db_bind(st, "ii", hid_of(op->id), source);
	while (!same && (rc = db_step(&ix->db, st, e)) == 1)
		same = (size_t)sqlite3_column_bytes(st, 0) == n && !memcmp(sqlite3_column_blob(st, 0), bytes, n);
	db_reset(st);
	return same ? 1 : rc;
}

static int mark_dirty(struct index *ix, int64_t source, const char *entity, struct err *e)
{
	/* Marks of the first filling stay in memory, and are of one source. */
	if (ix->bulk && ix->marked.len && ix->marked.source != source && bulk_end(ix, e))
		return -1;
	if (!idset_add(&ix->marked, source, entity))
		return 0;
	if (ix->bulk) {
		hex_decode(array_add(&ix->marks)->id, SHA256_SIZE, entity);
		return 0;
	}
	return db_exec(&ix->db, e, "INSERT INTO dirty(source, entity) VALUES(?1, ?2) ON CONFLICT DO NOTHING", "it", source,
		       entity);
}

int index_put_op(struct index *ix, int64_t source, const struct op *op, const char *bytes, size_t n, struct err *e)
{
	const char *entity = op->entity[0] ? op->entity : op->id;
	uint8_t stamp[OP_STAMP_SIZE], hash[SHA256_SIZE];
	int known;

	known = op_known(ix, source, op, bytes, n, e);
	if (known)
		return known < 0 ? -1 : 0;
	if (ix->puts++ == MANY)
		db_room(&ix->db, DB_ROOM_MUCH);
	op_stamp(op, stamp);
	hex_decode(hash, sizeof(hash), op->id);
	if (db_exec(&ix->db, e, "INSERT INTO op(id, source, hid, ent, hash, stamp, bytes) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	    "iiiibbb", ++ix->seq, source, hid_of(op->id), hid_of(entity), hash, sizeof(hash), stamp, sizeof(stamp), bytes, n))
		return -1;
	if (op->type == OP_REWRITE)
		return put_rewrite(ix, source, op, e);
	if (!op->entity[0] && op->type != OP_OPEN && op->type != OP_TASK)
		return 0;
	return mark_dirty(ix, source, entity, e);
}

int index_quarantine(struct index *ix, int64_t source, const char *writer, const char *bytes, size_t n,
    const char *why, struct err *e)
{
	return db_exec(&ix->db, e, "INSERT INTO quarantine(source, hid, writer, why, bytes) VALUES(?1, ?2, ?3, ?4, ?5)"
		       " ON CONFLICT DO NOTHING", "iittb", source, (int64_t)hash64(bytes, n), writer, why, bytes, n);
}

/* ---- of one entity ---- */

static int cmp_id(const void *a, const void *b)
{
	return strcmp(((const struct stored *)a)->op.id, ((const struct stored *)b)->op.id);
}

/* The ops of the entity, decoded. What shares only the first half of its id is left out. */
static int load_ops(struct folding *w)
{
	struct db *d = &w->ix->db;
	sqlite3_stmt *st = db_prep(d, "SELECT id, hash, bytes FROM op WHERE source=?1 AND ent=?2");
	ARRAY(struct stored) list = ARRAY_INIT;
	struct err e = ERR_INIT;
	char id[SHA256_HEX];
	int rc;

	db_bind(st, "ii", w->source, hid_of(w->entity));
	while ((rc = db_step(d, st, w->e)) == 1) {
		struct stored *s = array_add(&list);
		s->row = col_int(st, 0);
		id[0] = '\0';
		if (sqlite3_column_bytes(st, 1) == SHA256_SIZE)
			hex_encode(id, sqlite3_column_blob(st, 1), SHA256_SIZE);
		if (op_decode_kept(sqlite3_column_blob(st, 2), (size_t)sqlite3_column_bytes(st, 2), id, &s->op, &e))
			list.len--;
		else if (strcmp(s->op.entity[0] ? s->op.entity : s->op.id, w->entity))
			op_release(&list.items[--list.len].op);
	}
	if (list.len > 1)
		qsort(list.items, list.len, sizeof(*list.items), cmp_id);
	w->ops = list.items;
	w->n = list.len;
	return rc;
}

const struct stored *ops_find(const struct folding *w, const char *id)
{
	struct stored key;

	if (strlen(id) != SHA256_HEX - 1)
		return NULL;
	memcpy(key.op.id, id, SHA256_HEX);
	return w->n ? bsearch(&key, w->ops, w->n, sizeof(*w->ops), cmp_id) : NULL;
}

int ops_fold(struct folding *w, bool *made)
{
	struct op **order;

	*made = false;
	if (load_ops(w))
		return -1;
	order = arena_alloc(&w->ix->scratch, (w->n + 1) * sizeof(*order));
	for (size_t i = 0; i < w->n; i++)
		order[i] = &w->ops[i].op;
	*made = fold_entity(&w->ix->scratch, order, w->n, &w->f);
	return 0;
}

void ops_release(struct folding *w)
{
	for (size_t i = 0; i < w->n; i++)
		op_release(&w->ops[i].op);
	free(w->ops);
}

/* ---- one op ---- */

int index_forget_op(struct index *ix, int64_t source, const char *id, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT id, bytes FROM op WHERE hid=?1 AND source=?2");
	struct err unused = ERR_INIT;
	int rc, found = 0;
	struct op op;

	db_bind(st, "ii", hid_of(id), source);
	while (!found && (rc = db_step(&ix->db, st, e)) == 1) {
		int64_t row = col_int(st, 0);
		if (op_decode(sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1), &op, &unused))
			continue;
		if (!strcmp(op.id, id))
			found = mark_dirty(ix, source, op.entity[0] ? op.entity : op.id, e) ||
				db_exec(&ix->db, e, "DELETE FROM op WHERE id=?1", "i", row) ? -1 : 1;
		op_release(&op);
	}
	db_reset(st);
	return found < 0 || rc < 0 ? -1 : 0;
}

int index_op(struct index *ix, int64_t source, const char *id, struct buf *out, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT bytes FROM op WHERE hid=?1 AND source=?2");
	uint8_t sum[SHA256_SIZE];
	char hex[SHA256_HEX] = "";
	int rc;

	db_bind(st, "ii", hid_of(id), source);
	while ((rc = db_step(&ix->db, st, e)) == 1) {
		hash_sha256(sum, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0));
		hex_encode(hex, sum, sizeof(sum));
		if (strcmp(hex, id))
			continue;
		buf_add(out, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0));
		db_reset(st);
		return 0;
	}
	return rc < 0 ? -1 : err_set(e, ERR_NOT_FOUND, "no op '%.12s'", id);
}

/* ---- everything out ---- */

static int each_row(struct index *ix, const int64_t *rows, size_t n, int (*fn)(void *, const char *bytes, size_t n),
    void *ctx, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT bytes FROM op WHERE id=?1");
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++) {
		db_reset(st);
		db_bind(st, "i", rows[i]);
		rc = db_step(&ix->db, st, e);
		if (rc == 1)
			rc = fn(ctx, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0));
	}
	db_reset(st);
	return rc;
}

/* Row numbers are sorted, not bytes: those of a large store do not fit a sorter. */
int index_each_op(struct index *ix, int64_t source, int (*fn)(void *, const char *bytes, size_t n), void *ctx,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT id FROM op WHERE source=?1 ORDER BY stamp, hid");
	ARRAY(int64_t) rows = ARRAY_INIT;
	int rc;

	db_bind(st, "i", source);
	while ((rc = db_step(&ix->db, st, e)) == 1)
		*array_add(&rows) = col_int(st, 0);
	if (!rc)
		rc = each_row(ix, rows.items, rows.len, fn, ctx, e);
	array_release(&rows);
	return rc;
}

int index_each_quarantined(struct index *ix, int64_t source, int (*fn)(void *, const char *writer, const char *why,
    const char *bytes, size_t n), void *ctx, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT writer, why, bytes FROM quarantine WHERE source=?1 ORDER BY id");
	int rc;

	db_bind(st, "i", source);
	while ((rc = db_step(&ix->db, st, e)) == 1) {
		rc = fn(ctx, (const char *)sqlite3_column_text(st, 0), (const char *)sqlite3_column_text(st, 1),
			sqlite3_column_blob(st, 2), (size_t)sqlite3_column_bytes(st, 2));
		if (rc)
			break;
	}
	db_reset(st);
	return rc;
}

struct exporting {
	struct index *ix;
	int64_t source;
	int (*line)(void *ctx, const char *p, size_t n);
	void *ctx;
	struct buf b;
	struct err *e;
};

static int export_json(struct exporting *x, json_t *j)
{
	buf_reset(&x->b);
	json_write(&x->b, j);
	json_decref(j);
	return x->line(x->ctx, x->b.ptr, x->b.len);
}

/* A line holds the stored bytes as one JSON string: what comes out of it is hashed to the same id. */
static int export_op(void *ctx, const char *bytes, size_t n)
{
	struct exporting *x = ctx;
	json_t *j = json_object();

	json_put_strn(j, "op", bytes, n);
	return export_json(x, j);
}

/* Only what the ops say: nothing of this index's abbreviations, places and read marks. */
static int export_entity(struct exporting *x, const char *entity)
{
	struct folding w = { .ix = x->ix, .source = x->source, .entity = entity, .e = x->e };
	bool made;
	int rc = ops_fold(&w, &made);

	if (!rc && made) {
		json_t *j = json_object();

		json_object_set_new(j, w.f.task ? "task" : "thread", w.f.task ? task_json(&w.f.k) : thread_json(&w.f.t));
		rc = export_json(x, j);
	}
	ops_release(&w);
	return rc;
}

/* Entities in the order of their opening ops. */
static int export_entities(struct exporting *x)
{
	sqlite3_stmt *st = db_prep(&x->ix->db, "SELECT e.entity FROM (SELECT entity, hid FROM thread WHERE source=?1 UNION ALL"
		" SELECT entity, hid FROM task WHERE source=?1) e JOIN op o ON o.hid=e.hid AND o.source=?1 ORDER BY o.stamp,"
		" e.entity");
	char entity[SHA256_HEX];
	int rc;

	db_bind(st, "i", x->source);
	while ((rc = db_step(&x->ix->db, st, x->e)) == 1) {
		memcpy(entity, sqlite3_column_text(st, 0), SHA256_HEX);
		arena_clear(&x->ix->scratch);
		rc = export_entity(x, entity);
		if (rc)
			break;
	}
	db_reset(st);
	return rc;
}

int index_export(struct index *ix, int64_t source, int (*line)(void *ctx, const char *p, size_t n), void *ctx,
    struct err *e)
{
	struct exporting x = { .ix = ix, .source = source, .line = line, .ctx = ctx, .b = BUF_INIT, .e = e };
	json_t *head = json_object();
	int rc;

	json_put_int(head, "format", 1);
	json_put_str(head, "export", "killick");
	if (index_read_begin(ix, e)) {
		json_decref(head);
		return -1;
	}
	rc = export_json(&x, head);
	if (!rc)
		rc = index_each_op(ix, source, export_op, &x, e);
	if (!rc)
		rc = export_entities(&x);
	index_read_end(ix);
	buf_release(&x.b);
	return rc;
}
