/* SPDX-License-Identifier: MIT */
/*
 * place --stdin: JSON Lines in, a line of JSON out for each, in order. What can be read without waiting is one batch (up
 * to BATCH_BYTES), so that a file of a hundred thousand cases is placed in few large ones, which share their work by file
 * and target, while somebody who writes a line and waits gets his answer. Memory is that of a batch. A line that is no case gets an object with "error", and the
 * command ends with status 6.
 */
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "killick/cmd/act.h"
#include "place.h"

#define READ_SIZE (256u << 10)
#define WRITE_SIZE (64u << 10)
#define BATCH_BYTES (16u << 20)
#define LINE_MAX_BYTES (1u << 20)

struct one {
	struct anchor anchor;
	struct place place;
	struct oid to;
	bool work_tree;        /* no "to" */
	bool placed;
	json_t *id;            /* echoed */
	const char *error;
};

struct stream {
	struct cmd *c;
	struct placer *placer;
	struct arena arena;    /* of a batch */
	ARRAY(struct one) batch;
	bool bad;
	/* The last revision words looked up: cases come in runs of the same two. */
	char rev[2][256];
	struct oid oid[2];
	const char *from;      /* the last case's commit, in the arena */
	struct oid from_id;
};

static int lookup(struct stream *s, int which, const char *rev, struct oid *out, struct err *e)
{
	if (!strcmp(rev, s->rev[which]) && *rev) {
		*out = s->oid[which];
		return 0;
	}
	if (!oid_parse(rev, out) && repo_resolve(s->c->work->repo, rev, out, e))
		return -1;
	if (strlen(rev) < sizeof(s->rev[which])) {
		memcpy(s->rev[which], rev, strlen(rev) + 1);
		s->oid[which] = *out;
	}
	return 0;
}

/* A selection in one line; in several lines it is those lines. */
static int read_columns(const json_t *j, struct anchor *an, struct err *e)
{
	int64_t col = json_get_int(j, "col", 0), end = json_get_int(j, "col_end", col);

	if (col < 0 || end < col || end > UINT32_MAX || (!col && end))
		return err_set(e, ERR_BAD_DATA, "\"col\" and \"col_end\" must be bytes from 1, in order");
	if (an->line == an->end) {
		an->col = (uint32_t)col;
		an->col_end = (uint32_t)end;
	}
	return 0;
}

static int read_range(const json_t *j, struct anchor *an, struct err *e)
{
	int64_t line = json_get_int(j, "line", -1), end = json_get_int(j, "end", line);

	if (!json_object_get(j, "line") || json_is_null(json_object_get(j, "line"))) {
		an->type = ANCHOR_FILE;
		return 0;
	}
	if (line < 1 || end < line || end > UINT32_MAX)
		return err_set(e, ERR_BAD_DATA, "\"line\" and \"end\" must be numbers from 1, in order");
	an->type = ANCHOR_LINES;
	an->line = (uint32_t)line;
	an->end = (uint32_t)end;
	return read_columns(j, an, e);
}

static int read_case(struct stream *s, const json_t *j, struct one *o, struct err *e)
{
	const char *path = json_get_str(j, "path"), *from = json_get_str(j, "from"), *to = json_get_str(j, "to");
	char hex[GIT_OID_HEX];
	struct oid id;

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_DATA, "not an object");
	if (!path || !*path)
		return err_set(e, ERR_BAD_DATA, "no \"path\"");
	if (!from || !*from)
		return err_set(e, ERR_BAD_DATA, "no \"from\": the revision that line is in");
	o->anchor.path = arena_strdup(&s->arena, path);
	o->work_tree = !to;
	if (read_range(j, &o->anchor, e) || lookup(s, 0, from, &id, e) || (to && lookup(s, 1, to, &o->to, e)))
		return -1;
	if (!s->from || !oid_equal(&id, &s->from_id)) {
		s->from = arena_strdup(&s->arena, oid_hex(hex, &id));
		s->from_id = id;
	}
	o->anchor.commit = s->from;
	return 0;
}

static void take_line(struct stream *s, const char *p, size_t n)
{
	struct one *o = array_add(&s->batch);
	struct err e = ERR_INIT;
	json_t *j;

	if (n && p[n - 1] == '\r')
		n--;
	j = n > LINE_MAX_BYTES ? NULL : json_read(p, n, "the line", &e);
	if (j && !json_is_object(j))
		err_set(&e, ERR_BAD_DATA, "not an object");
	o->id = json_incref(json_object_get(j, "id"));
	if (n > LINE_MAX_BYTES)
		o->error = "the line is over 1 MiB";
	else if (!j || !json_is_object(j) || read_case(s, j, o, &e))
		o->error = arena_strdup(&s->arena, e.msg);
	json_decref(j);
}

/* The target is not here: that is the fault of the lines that name it. */
static void group_error(struct stream *s, size_t first, const char *msg)
{
	const struct oid to = s->batch.items[first].to;

	for (size_t i = first; i < s->batch.len; i++) {
		struct one *o = &s->batch.items[i];

		if (!o->error && !o->work_tree && oid_equal(&o->to, &to))
			o->error = msg;
	}
}

/* All cases of the batch with the same target as the first that is not placed. */
static int place_group(struct stream *s, size_t first, struct err *e)
{
	const struct one *lead = &s->batch.items[first];
	ARRAY(struct place_query) q = ARRAY_INIT;
	struct err fault = ERR_INIT;
	int rc;

	for (size_t i = first; i < s->batch.len; i++) {
		struct one *o = &s->batch.items[i];

		if (o->error || o->placed || o->work_tree != lead->work_tree || !oid_equal(&o->to, &lead->to))
			continue;
		*array_add(&q) = (struct place_query){ .anchor = &o->anchor, .out = &o->place };
		if (o != lead)
			o->placed = true;
	}
	rc = place_batch(s->placer, lead->work_tree ? NULL : &lead->to, q.items, q.len, &s->arena, &fault);
	s->batch.items[first].placed = true;
	array_release(&q);
	if (rc && fault.code != ERR_NOT_FOUND) {
		*e = fault;
		return rc;
	}
	if (rc)
		group_error(s, first, arena_strdup(&s->arena, fault.msg));
	return 0;
}

static void answer(struct stream *s, struct buf *b, struct one *o)
{
	buf_addch(b, '{');
	json_add_int(b, "format", 1);
	if (o->id) {
		json_add_key(b, "id");
		json_write(b, o->id);
	}
	if (o->error)
		json_add_str(b, "error", o->error);
	else
		place_add_members(b, &o->place);
	buf_addstr(b, "}\n");
	s->bad |= o->error != NULL;
}

static int finish_batch(struct stream *s, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; i < s->batch.len && !rc; i++) {
		if (!s->batch.items[i].error && !s->batch.items[i].placed)
			rc = place_group(s, i, e);
	}
	for (size_t i = 0; i < s->batch.len; i++) {
		if (!rc)
			answer(s, &b, &s->batch.items[i]);
		json_decref(s->batch.items[i].id);
		if (b.len >= WRITE_SIZE || i + 1 == s->batch.len) {
			out_raw(s->c, b.ptr, b.len);
			buf_reset(&b);
		}
	}
	buf_release(&b);
	s->batch.len = 0;
	arena_clear(&s->arena);
	s->from = NULL;
	out_flush(s->c);
	return rc;
}

/* Takes the whole lines out of the buffer; at the end of input also the last one without a line feed. */
static void take_lines(struct stream *s, struct buf *in, bool end)
{
	size_t at = 0;
	const char *nl;

	while ((nl = memchr(in->ptr + at, '\n', in->len - at))) {
		take_line(s, in->ptr + at, (size_t)(nl - in->ptr) - at);
		at = (size_t)(nl - in->ptr) + 1;
	}
	if (end && at < in->len) {
		take_line(s, in->ptr + at, in->len - at);
		at = in->len;
	}
	if (at) {
		memmove(in->ptr, in->ptr + at, in->len - at);
		buf_setlen(in, in->len - at);
	}
}

/* A line without end is read on, but only its beginning is kept. */
static void keep_short(struct buf *in)
{
	if (in->len > LINE_MAX_BYTES + 1 && !memchr(in->ptr, '\n', in->len))
		buf_setlen(in, LINE_MAX_BYTES + 1);
}

int place_lines(struct cmd *c, bool fetch, struct err *e)
{
	struct stream s = { .c = c, .arena = ARENA_INIT, .batch = ARRAY_INIT };
	struct buf in = BUF_INIT;
	char *piece;
	ssize_t n = 1;
	size_t taken = 0;
	int rc = 0;

	if (!c->io->in)
		return err_set(e, ERR_USAGE, "there is no standard input here");
	piece = xmalloc(READ_SIZE);
	s.placer = place_open(c, fetch);
	while (!rc && n > 0 && out_alive(c)) {
		n = c->io->in(c->io->ctx, piece, READ_SIZE);
		if (n < 0) {
			rc = err_errno(e, "cannot read standard input");
			break;
		}
		buf_add(&in, piece, (size_t)n);
		taken += (size_t)n;
		take_lines(&s, &in, n == 0);
		keep_short(&in);
		if (n > 0 && taken < BATCH_BYTES && c->io->in_ready && c->io->in_ready(c->io->ctx))
			continue;
		taken = 0;
		rc = finish_batch(&s, e);
	}
	if (!rc && s.bad)
		c->status = EXIT_BAD_DATA;
	placer_free(s.placer);
	free(piece);
	array_release(&s.batch);
	arena_release(&s.arena);
	buf_release(&in);
	return rc;
}
