/* SPDX-License-Identifier: MIT */
/*
 * Reading: from each log's head back to where it was read before, then forward through the lines, checking the chain.
 *
 * What is kept out depends on the set of logs alone, never on the order or the pieces they arrived in, or replicas would
 * not converge: every line counts in its writer's chain, also a bad one (its bytes are hashed like any other's), so that
 * one bad line takes nothing else with it; and a clock is too far ahead only if no other log bridges the gap, so logs
 * that jump are tried again until nothing moves, and wait with their head unread.
 *
 * Commits are read through the object database and cut apart here: git_commit objects would cost a parse and several
 * allocations each. The walk back reads every commit to find its parent and holds it for the way forward, up to a limit.
 */
#include "config.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "nlog.h"

/* One commit may hold this much; the writer cuts at about 1 MiB, but one op alone may have 4. */
enum { ENTRY_MAX = 64 << 20, HOLD_MAX = 8 << 20, COMMIT_CACHE_LIMIT = 4096 /* libgit2's own */ };

/* ---- one commit ---- */

static bool header_line(const char **p, const char *end, const char *key, char hex[GIT_OID_HEX])
{
	size_t len = strlen(key);

	if ((size_t)(end - *p) < len + GIT_OID_HEX || memcmp(*p, key, len) != 0 || (*p)[len + GIT_OID_HEX - 1] != '\n')
		return false;
	memcpy(hex, *p + len, GIT_OID_HEX - 1);
	hex[GIT_OID_HEX - 1] = '\0';
	*p += len + GIT_OID_HEX;
	return true;
}

static const char *after_blank_line(const char *p, const char *end)
{
	const char *at = end - p >= 2 ? memmem(p, (size_t)(end - p), "\n\n", 2) : NULL;

	return at ? at + 2 : end;
}

static bool entry_parse(struct entry *en, const char *p, size_t n)
{
	const char *end = p + n;
	char hex[GIT_OID_HEX];

	if (!header_line(&p, end, "tree ", hex))
		return false;
	en->has_parent = header_line(&p, end, "parent ", hex);
	if (en->has_parent && !oid_parse(hex, &en->parent))
		return false;
	p = after_blank_line(p, end);
	en->text = after_blank_line(p, end);
	en->len = (size_t)(end - en->text);
	return true;
}

int entry_read(struct nlog *l, const struct oid *id, struct entry *out, struct err *e)
{
	git_oid g = oid_to_git(id);
	char hex[GIT_OID_HEX];
	git_object_t type;
	git_odb *odb;
	size_t size;
	int rc;

	*out = (struct entry){ NULL };
	if (store_odb(l, &odb, e))
		return -1;
	if (!l->sizes_known && git_odb_read_header(&size, &type, odb, &g) == 0 && size > ENTRY_MAX)
		return err_set(e, ERR_BAD_DATA, "commit %s of the log holds %zu bytes", oid_hex(hex, id), size);
	rc = git_odb_read(&out->obj, odb, &g);
	if (rc < 0)
		return err_git(e, rc, "the log in '%s' lacks commit %s", l->path, oid_hex(hex, id));
	if (git_odb_object_type(out->obj) == GIT_OBJECT_COMMIT &&
	    entry_parse(out, git_odb_object_data(out->obj), git_odb_object_size(out->obj)))
		return 0;
	entry_release(out);
	return err_set(e, ERR_BAD_DATA, "object %s of the log in '%s' is no commit", oid_hex(hex, id), l->path);
}

void entry_release(struct entry *en)
{
	git_odb_object_free(en->obj);
	en->obj = NULL;
}

static void read_in_bulk(bool on)
{
	libgit2_opts()(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_COMMIT, (size_t)(on ? 0 : COMMIT_CACHE_LIMIT));
	libgit2_opts()(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, !on);
}

int bulk_read_begin(struct nlog *l, struct err *e)
{
	git_odb *odb;

	if (store_odb(l, &odb, e))
		return -1;
	read_in_bulk(true);
	return 0;
}

void bulk_read_end(void)
{
	read_in_bulk(false);
}

bool entry_line(const char **p, const char *end, const char **line, size_t *n)
{
	while (*p < end) {
		const char *nl = memchr(*p, '\n', (size_t)(end - *p));
		*line = *p;
		*n = (size_t)((nl ? nl : end) - *p);
		*p = nl ? nl + 1 : end;
		if (*n)
			return true;
	}
	return false;
}

/* ---- chains ---- */

int chain_walk(struct nlog *l, const struct oid *from, const struct oid *until, struct oid_list *out, bool *met,
    struct err *e)
{
	struct oid at = *from;
	struct entry en;

	*met = false;
	for (;;) {
		if (oid_equal(&at, until)) {
			*met = true;
			return 0;
		}
		if (entry_read(l, &at, &en, e))
			return -1;
		if (out)
			*array_add(out) = at;
		at = en.parent;
		entry_release(&en);
		if (!en.has_parent)
			return 0;
	}
}

int chain_has(struct nlog *l, const struct oid *from, const struct oid *sought, struct err *e)
{
	bool met;

	return chain_walk(l, from, sought, NULL, &met, e) ? -1 : met;
}

/* ---- heads ---- */

void nlog_heads_release(struct nlog_heads *h)
{
	array_release(h);
}

static int head_cmp(const void *a, const void *b)
{
	return strcmp(((const struct nlog_head *)a)->writer, ((const struct nlog_head *)b)->writer);
}

static const char *or_dash(const char *s)
{
	return *s ? s : "-";
}

void nlog_heads_format(const struct nlog_heads *h, struct buf *b)
{
	struct nlog_head *sorted = xcalloc(h->len + 1, sizeof(*sorted));
	char commit[GIT_OID_HEX], waiting[GIT_OID_HEX];

	if (h->len)
		memcpy(sorted, h->items, h->len * sizeof(*sorted));
	qsort(sorted, h->len, sizeof(*sorted), head_cmp);
	for (size_t i = 0; i < h->len; i++) {
		const struct nlog_head *d = &sorted[i];
		buf_addf(b, "%s %s %" PRIu64 " %" PRIu64 " %s %s %s %" PRIu64 "\n", d->writer, oid_hex(commit, &d->commit),
			 d->count, d->lamport, or_dash(d->last), or_dash(d->foreign),
			 oid_is_zero(&d->waiting) ? "-" : oid_hex(waiting, &d->waiting), d->need);
	}
	free(sorted);
}

/* A word of exactly `size` - 1 hex digits, or "-" for "". */
static bool take_hex(const char *w, char *out, size_t size)
{
	if (strlen(w) != size - 1 || strspn(w, "0123456789abcdef") != size - 1) {
		*out = '\0';
		return !strcmp(w, "-");
	}
	memcpy(out, w, size);
	return true;
}

static bool head_parse(char *line, struct nlog_head *d)
{
	char commit[GIT_OID_HEX], waiting[GIT_OID_HEX], *w[8], *save = line;
	size_t n = 0;

	while (n < ARRAY_SIZE(w) && (w[n] = strsep(&save, " ")))
		n++;
	if (n != ARRAY_SIZE(w) || save)
		return false;
	if (!take_hex(w[0], d->writer, sizeof(d->writer)) || !*d->writer || !take_hex(w[1], commit, sizeof(commit)) ||
	    !str_to_u64(w[2], INT64_MAX, &d->count) || !str_to_u64(w[3], INT64_MAX, &d->lamport) ||
	    !take_hex(w[4], d->last, sizeof(d->last)) || !take_hex(w[5], d->foreign, sizeof(d->foreign)) ||
	    !take_hex(w[6], waiting, sizeof(waiting)) || !str_to_u64(w[7], INT64_MAX, &d->need))
		return false;
	return oid_parse(commit, &d->commit) && (!*waiting || oid_parse(waiting, &d->waiting));
}

bool nlog_heads_parse(const char *text, struct nlog_heads *h)
{
	char *copy = xstrdup(text), *save = copy, *line;
	bool ok = true;

	h->len = 0;
	while (ok && (line = strsep(&save, "\n")))
		if (*line) {
			struct nlog_head d = { .count = 0 };
			ok = head_parse(line, &d);
			*array_add(h) = d;
		}
	if (!ok)
		h->len = 0;
	free(copy);
	return ok;
}

int nlog_writers(struct nlog *l, struct nlog_heads *out, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct logref *refs;
	size_t n;
	int rc = logref_list(l, LOG_REFS, &a, &refs, &n, e);

	for (size_t i = 0; !rc && i < n; i++) {
		const char *writer = refs[i].name + sizeof(LOG_REFS);
		struct nlog_head *d;
		/* A damaged file still has its packed value, an older state of the same log. */
		if (!is_writer_id(writer) || oid_is_zero(&refs[i].oid))
			continue;
		d = array_add(out);
		memcpy(d->writer, writer, sizeof(d->writer));
		d->commit = refs[i].oid;
	}
	arena_release(&a);
	return rc;
}

/* ---- reading ---- */

/* A commit to read, as found on the way back, unless it was dropped because too much was held. */
struct step { struct oid id; struct entry en; };
struct steps { struct step *items; size_t len, alloc; };

/* One log that has something to read. */
struct job {
	struct nlog_head *head;
	struct oid target;
	struct steps todo;     /* newest first: read from the end */
	bool walked;           /* todo is filled */
	bool waits, told;
	struct buf line;       /* what it waits with */
};

struct reading {
	struct nlog *l;
	struct nlog_reader *rd;
	ARRAY(struct job) jobs;
};

static void keep_out(struct reading *r, const struct nlog_head *h, const char *bytes, size_t n, const char *why)
{
	if (r->rd->quarantine)
		r->rd->quarantine(r->rd->ctx, h->writer, bytes, n, why);
	trace("log", "kept out of %s at %" PRIu64 ": %s", h->writer, h->count, why);
}

/* What is wrong with the op's place in the chain, or NULL. */
static const char *chain_fault(const struct reading *r, struct nlog_head *h, const struct op *op, char *room, size_t size)
{
	if (strcmp(op->writer, h->writer) != 0) {
		snprintf(room, size, "written as %s in another writer's log", op->writer);
		return room;
	}
	if (!nlog_accepts(r->l, op->repo)) {
		memcpy(h->foreign, op->repo, sizeof(h->foreign));
		snprintf(room, size, "written for another repository: 'killick init --join %s' joins the two", op->repo);
		return room;
	}
	if (op->seq != h->count) {
		snprintf(room, size, "numbered %" PRIu64 ", but it is number %" PRIu64 " of its log", op->seq, h->count);
		return room;
	}
	if (strcmp(op->prev, h->last) != 0)
		return "does not follow the op before it: part of the log was replaced";
	if (h->count && op->lamport <= h->lamport)
		return "its clock does not go forward";
	return NULL;
}

/* One line: taken, kept out, or (j->waits) too early. */
static void read_line(struct reading *r, struct job *j, const char *line, size_t n, int *said)
{
	struct nlog_head *h = j->head;
	struct err why = ERR_INIT;
	const char *fault;
	uint8_t sum[SHA256_SIZE];
	char room[256];
	struct op op;

	if (op_scan(line, n, &op, &why)) {
		keep_out(r, h, line, n, why.msg);
		hash_sha256(sum, line, n);
		hex_encode(h->last, sum, sizeof(sum));
		h->count++;
		return;
	}
	fault = chain_fault(r, h, &op, room, sizeof(room));
	if (fault) {
		keep_out(r, h, line, n, fault);
	} else if (op.lamport > r->rd->lamport && op.lamport - r->rd->lamport > OP_MAX_JUMP) {
		j->waits = true;
		h->need = op.lamport - OP_MAX_JUMP;
		buf_reset(&j->line);
		buf_add(&j->line, line, n);
	} else {
		if (r->rd->op)
			*said = r->rd->op(r->rd->ctx, &op, line, n);
		h->lamport = op.lamport;
		if (op.lamport > r->rd->lamport)
			r->rd->lamport = op.lamport;
	}
	memcpy(h->last, op.id, sizeof(h->last));
	h->count++;
	op_release(&op);
}

/* One commit, whole or, when its clock must wait or the receiver stops, not at all as far as the head goes. */
static int read_commit(struct reading *r, struct job *j, struct step *st, int *said, struct err *e)
{
	struct nlog_head before = *j->head;
	const char *p, *line;
	size_t n;

	if (!st->en.obj && entry_read(r->l, &st->id, &st->en, e))
		return -1;
	p = st->en.text;
	j->waits = false;
	while (!*said && !j->waits && entry_line(&p, st->en.text + st->en.len, &line, &n))
		read_line(r, j, line, n, said);
	if (*said || j->waits) {
		before.need = j->head->need;
		*j->head = before;
	} else {
		j->head->commit = st->id;
		entry_release(&st->en);
	}
	return 0;
}

/* From the target back to but without `until`. What is needed first is found last, so the newest are let go of first. */
static int walk_back(struct reading *r, struct job *j, const struct oid *until, bool *met, struct err *e)
{
	struct oid at = j->target;
	size_t held = 0, drop = 0;

	*met = false;
	do {
		struct step *st;
		if (oid_equal(&at, until)) {
			*met = true;
			return 0;
		}
		st = array_add(&j->todo);
		st->id = at;
		if (entry_read(r->l, &at, &st->en, e))
			return -1;
		at = st->en.parent;
		for (held += st->en.len; held > HOLD_MAX && drop + 1 < j->todo.len; drop++) {
			held -= j->todo.items[drop].en.len;
			entry_release(&j->todo.items[drop].en);
		}
	} while (j->todo.items[j->todo.len - 1].en.has_parent);
	return 0;
}

static void steps_drop(struct steps *s)
{
	for (size_t i = 0; i < s->len; i++)
		entry_release(&s->items[i].en);
	array_release(s);
}

/* A log that cannot be walked (an object is missing) does not keep the others from being read. */
static bool walk_job(struct reading *r, struct job *j, const struct oid *until, bool *met)
{
	struct err why = ERR_INIT;

	if (!j->walked && walk_back(r, j, until, met, &why)) {
		/* A git gc may just have put everything into another pack: once more, with open eyes. */
		steps_drop(&j->todo);
		git_odb_free(r->l->odb);
		r->l->odb = NULL;
	} else {
		j->walked = true;
	}
	if (!j->walked && walk_back(r, j, until, met, &why)) {
		keep_out(r, j->head, "", 0, why.msg);
		steps_drop(&j->todo);
		*met = true;
	}
	j->walked = true;
	return j->todo.len > 0;
}

static int read_job(struct reading *r, struct job *j, int *said, struct err *e)
{
	bool met;

	/* A log that is new here is walked when it is its turn, so that few commits are held at a time. */
	if (!j->walked && !walk_job(r, j, &j->head->commit, &met))
		return 0;
	j->head->waiting = OID_ZERO;
	j->head->need = 0;
	j->waits = j->told = false;
	while (j->todo.len && !*said) {
		if (read_commit(r, j, &j->todo.items[j->todo.len - 1], said, e))
			return -1;
		if (j->waits) {
			j->head->waiting = j->target;
			return 0;
		}
		if (!*said)
			j->todo.len--;
	}
	return 0;
}

/* All logs, again and again while one that waited can go on. */
static int read_jobs(struct reading *r, int *said, struct err *e)
{
	bool moved;

	do {
		moved = false;
		for (size_t i = 0; i < r->jobs.len && !*said; i++) {
			struct job *j = &r->jobs.items[i];
			if ((j->walked && !j->todo.len) || (j->waits && j->head->need > r->rd->lamport))
				continue;
			if (read_job(r, j, said, e))
				return -1;
			moved = true;
		}
	} while (moved && !*said);
	for (size_t i = 0; i < r->jobs.len && !*said; i++)
		if (r->jobs.items[i].waits && !r->jobs.items[i].told)
			keep_out(r, r->jobs.items[i].head, r->jobs.items[i].line.ptr, r->jobs.items[i].line.len,
				 "its clock jumps ahead of everything known: it and what follows waits");
	return 0;
}

static bool was_joined(const struct reading *r, const struct nlog_head *h)
{
	return *h->foreign && nlog_accepts(r->l, h->foreign);
}

static void head_reset(struct nlog_head *h)
{
	struct nlog_head fresh = { .count = 0 };

	memcpy(fresh.writer, h->writer, sizeof(fresh.writer));
	*h = fresh;
}

/* Finds the commits to read. A log that was read before and is not a continuation is told and read anew. */
static int plan_job(struct reading *r, struct nlog_head *h, const struct oid *target)
{
	struct job *j;
	bool met = true;

	if (oid_equal(&h->commit, target) && !was_joined(r, h))
		return 0;
	j = array_add(&r->jobs);
	j->head = h;
	j->target = *target;
	buf_init(&j->line);
	/* Joined meanwhile: all of it again, the receiver knows what it has. */
	if (was_joined(r, h))
		head_reset(h);
	/* Waiting, and told before: it is looked at again only when another log has moved the clock far enough. */
	j->waits = j->told = oid_equal(&h->waiting, target) && h->need > r->rd->lamport;
	if (oid_is_zero(&h->commit) || j->waits)
		return 0;
	walk_job(r, j, &h->commit, &met);
	if (met)
		return 0;
	head_reset(h);
	return r->rd->rewound ? r->rd->rewound(r->rd->ctx, h->writer) : 0;
}

/* The heads with one for every log there is now, sorted; targets in step, zero for a log that is gone. */
static void merge_heads(struct nlog_heads *heads, const struct nlog_heads *now, struct oid_list *targets)
{
	struct nlog_heads all = NLOG_HEADS_INIT;
	size_t i = 0, k = 0;

	if (heads->len)
		qsort(heads->items, heads->len, sizeof(*heads->items), head_cmp);
	while (i < heads->len || k < now->len) {
		int c = i == heads->len ? 1 : k == now->len ? -1 : strcmp(heads->items[i].writer, now->items[k].writer);
		struct nlog_head *d = array_add(&all);
		*d = c <= 0 ? heads->items[i++] : now->items[k];
		if (c > 0)
			d->commit = OID_ZERO;
		*array_add(targets) = c < 0 ? OID_ZERO : now->items[k++].commit;
	}
	nlog_heads_release(heads);
	*heads = all;
}

static void reading_release(struct reading *r)
{
	for (size_t i = 0; i < r->jobs.len; i++) {
		steps_drop(&r->jobs.items[i].todo);
		buf_release(&r->jobs.items[i].line);
	}
	array_release(&r->jobs);
}

int nlog_read(struct nlog *l, struct nlog_heads *heads, struct nlog_reader *rd, struct err *e)
{
	struct reading r = { .l = l, .rd = rd };
	struct nlog_heads now = NLOG_HEADS_INIT;
	struct oid_list targets = { NULL, 0, 0 };
	int said = 0, rc = store_reload(l, e);

	rc = rc ? rc : nlog_writers(l, &now, e);
	if (rc)
		goto out;
	merge_heads(heads, &now, &targets);
	for (size_t i = 0; i < heads->len && !said; i++)
		if (!oid_is_zero(&targets.items[i]))
			said = plan_job(&r, &heads->items[i], &targets.items[i]);
	if (!said && r.jobs.len) {
		rc = bulk_read_begin(l, e);
		if (rc)
			goto out;
		l->sizes_known = true;
		rc = read_jobs(&r, &said, e);
		l->sizes_known = false;
		bulk_read_end();
	}
out:
	reading_release(&r);
	array_release(&targets);
	nlog_heads_release(&now);
	return rc ? rc : said;
}
