/* SPDX-License-Identifier: MIT */
/*
 * Appending: read the log's end, encode the ops behind it, store them as commits over the empty tree, move the ref. The
 * objects are on disk before the ref is (libgit2 fsyncs them, logref_write the ref), so a log never points at what a crash
 * may take away; a process that dies in between leaves objects nobody refers to, which git gc removes.
 *
 * The ops stand in the commit message, not in blobs, so that partial clones have them (trust.md 3.3). Every op is
 * decoded again before anything is written: what readers would keep out is never stored.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "nlog.h"

/* A batch is cut into commits of at most about this size, so that no reader needs much memory for one. */
enum { COMMIT_BYTES = 1 << 20, SUBJECT_MAX = 200, NAME_MAX_BYTES = 200 };


/* ---- the end of a log ---- */

static bool last_line(const struct entry *en, const char **line, size_t *n)
{
	const char *p = en->text, *end = en->text + en->len, *at;
	bool any = false;
	size_t len;

	while (entry_line(&p, end, &at, &len)) {
		*line = at;
		*n = len;
		any = true;
	}
	return any;
}

int tail_read(struct nlog *l, const struct oid *head, struct tail *out, struct err *e)
{
	char hex[GIT_OID_HEX];
	struct entry en;
	struct op op;
	const char *line = NULL;
	size_t n = 0;
	int rc = 0;

	*out = (struct tail){ .head = *head };
	if (entry_read(l, head, &en, e))
		return -1;
	if (!last_line(&en, &line, &n)) {
		rc = err_set(e, ERR_BAD_DATA, "the commit %s of the log holds no op", oid_hex(hex, head));
	} else if (op_decode(line, n, &op, e)) {
		rc = err_prefix(e, "commit %s of the log", oid_hex(hex, head));
	} else {
		out->any = true;
		out->seq = op.seq;
		out->lamport = op.lamport;
		out->sign = op.type == OP_SIGN;
		memcpy(out->id, op.id, sizeof(out->id));
		memcpy(out->repo, op.repo, sizeof(out->repo));
		op_release(&op);
	}
	entry_release(&en);
	return rc;
}

int tail_of(struct nlog *l, const char *writer, struct tail *out, struct err *e)
{
	char name[REF_NAME_MAX];
	struct oid head;
	int found;

	*out = (struct tail){ .any = false };
	logref_name(name, LOG_REFS, NULL, writer);
	found = logref_read(l, name, &head, e);
	if (found <= 0)
		return found;
	return tail_read(l, &head, out, e);
}

/* ---- the commit ---- */

/* A name or address as git takes it: no angle brackets, no control bytes, no crud at the ends. */
static void add_ident_part(struct buf *b, const char *s)
{
	size_t start = b->len;

	for (; s && *s && b->len - start < NAME_MAX_BYTES; s++)
		if ((unsigned char)*s > ' ' && *s != 0x7f && !strchr("<>", *s))
			buf_addch(b, *s);
		else if (*s == ' ' && b->len > start)
			buf_addch(b, ' ');
	while (b->len > start && strchr(" .,:;\"'\\", b->ptr[b->len - 1]))
		buf_setlen(b, b->len - 1);
	if (b->len == start)
		buf_addch(b, '?');
}

static void add_ident(struct buf *b, const char *role, const struct op *op)
{
	int64_t seconds = op->time > 0 ? op->time / 1000 : 0;

	buf_addf(b, "%s ", role);
	add_ident_part(b, op->author.name);
	buf_addstr(b, " <");
	add_ident_part(b, op->author.email);
	buf_addf(b, "> %lld +0000\n", (long long)seconds);
}

static void add_subject(struct buf *b, const char *subject)
{
	size_t start = b->len;

	for (; *subject && b->len - start < SUBJECT_MAX; subject++)
		buf_addch(b, (unsigned char)*subject < ' ' || *subject == 0x7f ? ' ' : *subject);
	/* Not in the middle of a character. */
	while (*subject && ((unsigned char)*subject & 0xc0) == 0x80 && b->len > start) {
		bool lead = ((unsigned char)b->ptr[b->len - 1] & 0xc0) == 0xc0;
		buf_setlen(b, b->len - 1);
		if (lead)
			break;
	}
	buf_rtrim(b);
	if (b->len == start)
		buf_addstr(b, "killick");
}

static int odb_put(struct nlog *l, git_object_t type, const struct buf *b, struct oid *out, struct err *e)
{
	git_odb *odb;
	git_oid id;
	int rc;

	if (store_odb(l, &odb, e))
		return -1;
	rc = git_odb_write(&id, odb, b->ptr, b->len, type);
	if (rc < 0)
		return err_git(e, rc, "cannot write to '%s'", l->path);
	*out = oid_from_git(&id);
	return 0;
}

int chain_put(struct nlog *l, struct tail *t, const struct op *first, const char *subject, const struct buf *lines,
    struct err *e)
{
	const struct buf nothing = BUF_INIT;
	struct buf b = BUF_INIT;
	struct oid tree;
	char hex[GIT_OID_HEX];
	int rc = 0;

	/* The tree is in no pack of an empty store; once a commit refers to it, it stays. */
	if (oid_is_zero(&t->head))
		rc = odb_put(l, GIT_OBJECT_TREE, &nothing, &tree, e);
	buf_addf(&b, "tree " EMPTY_TREE "\n");
	if (!oid_is_zero(&t->head))
		buf_addf(&b, "parent %s\n", oid_hex(hex, &t->head));
	add_ident(&b, "author", first);
	add_ident(&b, "committer", first);
	buf_addch(&b, '\n');
	add_subject(&b, subject);
	buf_addstr(&b, "\n\n");
	buf_addbuf(&b, lines);
	rc = rc ? rc : odb_put(l, GIT_OBJECT_COMMIT, &b, &t->head, e);
	buf_release(&b);
	return rc;
}

/* ---- the chain ---- */

/* Would readers take it? */
static int check_encoded(const char *p, size_t n, struct err *e)
{
	struct op op;

	if (op_decode(p, n, &op, e))
		return err_prefix(e, "not written");
	op_release(&op);
	return 0;
}

static int encode_next(struct nlog *l, const char *writer, struct tail *t, struct op *op, uint64_t floor,
    bool keep_clock, struct buf *lines, struct err *e)
{
	uint64_t least = t->any && t->lamport > floor ? t->lamport : floor;
	size_t start = lines->len;

	if (least >= INT64_MAX - 1)
		return err_set(e, ERR_BAD_DATA, "the log's clock has run out");
	op->version = 1;
	memcpy(op->repo, l->id.repo, sizeof(op->repo));
	memcpy(op->writer, writer, sizeof(op->writer));
	op->seq = t->any ? t->seq + 1 : 0;
	if (!keep_clock)
		op->lamport = least + 1;
	memcpy(op->prev, t->id, sizeof(op->prev));
	op_encode(op, lines);
	if (check_encoded(lines->ptr + start, lines->len - start, e))
		return -1;
	buf_addch(lines, '\n');
	t->any = true;
	t->seq = op->seq;
	t->lamport = op->lamport;
	memcpy(t->id, op->id, sizeof(t->id));
	return 0;
}

int chain_extend(struct nlog *l, const char *writer, struct tail *t, struct op *ops, size_t n, const char *subject,
    uint64_t floor, bool keep_clock, struct buf *raw, struct err *e)
{
	struct buf lines = BUF_INIT;
	size_t first = 0;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		size_t start = lines.len;
		rc = encode_next(l, writer, t, &ops[i], floor, keep_clock, &lines, e);
		if (!rc && raw)
			buf_add(&raw[i], lines.ptr + start, lines.len - start - 1);
		if (!rc && (i + 1 == n || lines.len > COMMIT_BYTES)) {
			rc = chain_put(l, t, &ops[first], subject, &lines, e);
			buf_reset(&lines);
			first = i + 1;
		}
	}
	buf_release(&lines);
	return rc;
}

/* A log that had been sent somewhere and is not there any more must not begin again from 0. */
static bool was_pushed(struct nlog *l, const char *writer)
{
	struct arena a = ARENA_INIT;
	struct logref *refs;
	size_t n = 0;
	bool found = false;

	for (int i = 0; i < 2 && !found; i++) {
		if (logref_list(l, i ? REMOTE_REFS : PUSHED_REFS, &a, &refs, &n, NULL))
			continue;
		for (size_t k = 0; k < n && !found; k++)
			found = str_ends(refs[k].name, writer);
	}
	arena_release(&a);
	return found;
}

/* The own log's end. When it cannot be gone on from, the device takes a new id: going back would fork the log. */
static int own_tail(struct nlog *l, struct tail *t, struct err *e)
{
	struct err why = ERR_INIT;
	char writer[OP_WRITER_HEX];
	int rc = tail_of(l, l->id.writer, t, &why);

	if (!rc && (t->any || !was_pushed(l, l->id.writer)))
		return 0;
	if (rc && why.code != ERR_BAD_DATA && why.code != ERR_NOT_FOUND)
		return err_set(e, why.code, "%s", why.msg);
	trace("log", "own log cannot be extended: %s", rc ? why.msg : "it is gone");
	*t = (struct tail){ .any = false };
	random_writer(writer);
	return store_set_writer(l, writer, "this device's log was damaged, so the device writes under a new id from now on",
				e);
}

int append_locked(struct nlog *l, struct op *ops, size_t n, const char *subject, uint64_t floor, struct buf *raw,
    struct err *e)
{
	char name[REF_NAME_MAX];
	struct oid old;
	struct tail t;

	if (own_tail(l, &t, e))
		return -1;
	old = t.head;
	logref_name(name, LOG_REFS, NULL, l->id.writer);
	if (chain_extend(l, l->id.writer, &t, ops, n, subject, floor, false, raw, e))
		return -1;
	return logref_write(l, name, &old, &t.head, e);
}

int nlog_append(struct nlog *l, struct op *ops, size_t n, const char *subject, uint64_t floor, int wait_ms,
    struct buf *raw, struct err *e)
{
	struct lock lk = LOCK_INIT;
	int rc;

	if (!n)
		return 0;
	if (store_lock(l, &lk, wait_ms, e))
		return -1;
	rc = append_locked(l, ops, n, subject, floor, raw, e);
	lock_release(&lk);
	return rc;
}

/* ---- taking back ---- */

/* Has a push of this op ever been begun, or does a remote have it? By the op, since commits can be cut anew. */
static bool op_left(struct nlog *l, const char *id, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct logref *refs;
	struct tail t;
	size_t n = 0;
	bool left = false;

	for (int i = 0; i < 2 && !left; i++) {
		if (logref_list(l, i ? REMOTE_REFS : PUSHED_REFS, &a, &refs, &n, e)) {
			left = true;
			break;
		}
		for (size_t k = 0; k < n && !left; k++)
			left = str_ends(refs[k].name, l->id.writer) &&
			       (refs[k].broken || tail_read(l, &refs[k].oid, &t, e) || !strcmp(t.id, id));
	}
	arena_release(&a);
	return left;
}

static int recall_locked(struct nlog *l, const char *id, struct err *e)
{
	const char *line = NULL, *p;
	char name[REF_NAME_MAX];
	struct err why = ERR_INIT;
	struct entry en;
	struct tail t;
	size_t n;
	int rc = -1;

	if (tail_of(l, l->id.writer, &t, e))
		return -1;
	if (!t.any || strcmp(t.id, id) != 0)
		return err_set(e, ERR_CONFLICT, "only what this device said last can be taken back");
	if (entry_read(l, &t.head, &en, e))
		return -1;
	p = en.text;
	logref_name(name, LOG_REFS, NULL, l->id.writer);
	if (entry_line(&p, en.text + en.len, &line, &n) && entry_line(&p, en.text + en.len, &line, &n))
		err_set(e, ERR_CONFLICT, "it was written together with other things and cannot be taken back alone");
	else if (op_left(l, id, &why))
		err_set(e, ERR_CONFLICT, "it is already on its way to others: retract it instead");
	else
		rc = en.has_parent ? logref_write(l, name, &t.head, &en.parent, e) : logref_delete(l, name, &t.head, e);
	entry_release(&en);
	return rc;
}

int nlog_last(struct nlog *l, char id[SHA256_HEX], struct err *e)
{
	struct tail t;

	if (tail_of(l, l->id.writer, &t, e))
		return -1;
	if (!t.any)
		return err_set(e, ERR_NOT_FOUND, "nothing was written on this device yet");
	memcpy(id, t.id, sizeof(t.id));
	return 0;
}

int nlog_recall(struct nlog *l, const char *id, int wait_ms, struct err *e)
{
	struct lock lk = LOCK_INIT;
	int rc;

	if (store_lock(l, &lk, wait_ms, e))
		return -1;
	rc = recall_locked(l, id, e);
	lock_release(&lk);
	return rc;
}
