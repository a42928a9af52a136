/* SPDX-License-Identifier: MIT */
/*
 * The native log from a shell, for tests/log: logtool COMMAND [ARG…] in a repository. One command a function, one row
 * a command. Results go to standard output, "error CODE: words" to standard error with status 1.
 */
#include "config.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "killick/base/clock.h"
#include "killick/base/file.h"
#include "killick/git/nativelog.h"

enum { WAIT_MS = 20000 };

static const char *const code_names[] = {
	[ERR_NONE] = "none", [ERR_FAILED] = "failed", [ERR_USAGE] = "usage", [ERR_NOT_FOUND] = "not-found",
	[ERR_AMBIGUOUS] = "ambiguous", [ERR_CONFLICT] = "conflict", [ERR_AUTH] = "auth", [ERR_OFFLINE] = "offline",
	[ERR_RATE_LIMITED] = "rate-limited", [ERR_REFUSED] = "refused", [ERR_BAD_DATA] = "bad-data", [ERR_IO] = "io",
	[ERR_BUSY] = "busy", [ERR_CANCELLED] = "cancelled",
};

struct tool { struct repo *repo; struct nlog *log; int argc; char **argv; };

static const char *arg(const struct tool *t, int i, const char *def)
{
	return i < t->argc ? t->argv[i] : def;
}

static uint64_t number(const struct tool *t, int i, uint64_t def)
{
	uint64_t n;

	return i < t->argc && str_to_u64(t->argv[i], INT64_MAX, &n) ? n : def;
}

/* ---- reading ---- */

struct known { char id[SHA256_HEX], entity[SHA256_HEX]; enum op_type type; };
struct reading {
	bool print;
	const char *stop_at;
	uint64_t ops, bytes;
	ARRAY(struct known) all;
	bool keep;
};

static int on_op(void *ctx, const struct op *op, const char *bytes, size_t n)
{
	struct reading *r = ctx;
	struct known *k;

	if (r->stop_at && !strcmp(op->id, r->stop_at))
		return 7;
	r->ops++;
	r->bytes += n;
	if (r->print)
		printf("op %s %s %" PRIu64 " %" PRIu64 " %s\n", op->id, op->writer, op->seq, op->lamport, op->type_name);
	if (r->keep) {
		k = array_add(&r->all);
		memcpy(k->id, op->id, sizeof(k->id));
		memcpy(k->entity, op->entity[0] ? op->entity : op->id, sizeof(k->entity));
		k->type = op->type;
	}
	(void)bytes;
	return 0;
}

static int on_rewound(void *ctx, const char *writer)
{
	(void)ctx;
	printf("rewound %s\n", writer);
	return 0;
}

static void on_quarantine(void *ctx, const char *writer, const char *bytes, size_t n, const char *why)
{
	(void)ctx, (void)bytes;
	printf("out %s %zu %s\n", writer, n, why);
}

static int heads_load(const char *path, struct nlog_heads *h, uint64_t *lamport)
{
	struct buf b = BUF_INIT;
	const char *nl;
	int rc = 0;

	if (path && !file_read(path, 0, &b, NULL) && (nl = strchr(b.ptr, '\n'))) {
		*lamport = strtoull(b.ptr, NULL, 10);
		rc = nlog_heads_parse(nl + 1, h) ? 0 : -1;
	}
	buf_release(&b);
	return rc;
}

static int heads_save(const char *path, const struct nlog_heads *h, uint64_t lamport, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	buf_addf(&b, "%" PRIu64 "\n", lamport);
	nlog_heads_format(h, &b);
	rc = file_write(path, b.ptr, b.len, 0600, e);
	buf_release(&b);
	return rc;
}

static int read_with(struct tool *t, struct reading *r, const char *heads_file, uint64_t *lamport, struct err *e)
{
	struct nlog_heads heads = NLOG_HEADS_INIT;
	struct nlog_reader rd = { .ctx = r, .op = on_op, .rewound = on_rewound };
	int rc;

	if (r->print)
		rd.quarantine = on_quarantine;
	if (heads_load(heads_file, &heads, &rd.lamport))
		return err_set(e, ERR_BAD_DATA, "heads");
	rc = nlog_read(t->log, &heads, &rd, e);
	if (rc > 0)
		printf("stopped %d\n", rc);
	if (rc >= 0 && heads_file)
		rc = heads_save(heads_file, &heads, rd.lamport, e);
	*lamport = rd.lamport;
	nlog_heads_release(&heads);
	return rc < 0 ? -1 : 0;
}

/* read [HEADS-FILE [STOP-AT-ID]] */
static int cmd_read(struct tool *t, struct err *e)
{
	struct reading r = { .print = true, .stop_at = arg(t, 1, NULL) };
	uint64_t lamport = 0;

	return read_with(t, &r, arg(t, 0, NULL), &lamport, e);
}

static int cmd_count(struct tool *t, struct err *e)
{
	struct reading r = { .print = false };
	uint64_t lamport = 0;
	int rc = read_with(t, &r, arg(t, 0, NULL), &lamport, e);

	printf("%" PRIu64 " %" PRIu64 "\n", r.ops, lamport);
	return rc;
}

/* ---- writing ---- */

static struct op new_op(enum op_type type, const char *entity, json_t *payload)
{
	struct op op = {
		.type = type, .time = clock_now(), .payload = payload,
		.author = { .name = getenv("LOG_NAME") ? getenv("LOG_NAME") : "Ana",
			    .email = getenv("LOG_EMAIL") ? getenv("LOG_EMAIL") : "ana@example.org" },
	};

	if (entity)
		snprintf(op.entity, sizeof(op.entity), "%s", entity);
	return op;
}

static json_t *body(const char *text)
{
	json_t *j = json_object();

	json_put_str(j, "body", text);
	return j;
}

static struct op open_op(const char *kind, const char *text)
{
	json_t *j = body(text), *anchor = json_object();

	json_put_str(anchor, "type", "project");
	json_object_set_new(j, "anchor", anchor);
	json_put_str(j, "kind", kind);
	return new_op(OP_OPEN, NULL, j);
}

static int append_one(struct tool *t, struct op *op, const char *subject, uint64_t floor, struct err *e)
{
	int rc = nlog_append(t->log, op, 1, subject, floor, WAIT_MS, NULL, e);

	json_decref(op->payload);
	if (!rc && printf("%s\n", op->id) < 0)
		rc = -1;
	fflush(stdout);
	return rc;
}

/* append COUNT [TEXT [FLOOR]]: each by itself */
static int cmd_append(struct tool *t, struct err *e)
{
	int rc = 0;

	for (uint64_t i = 0, n = number(t, 0, 1); i < n && !rc; i++) {
		struct op op = open_op("note", arg(t, 1, "hello"));
		rc = append_one(t, &op, arg(t, 1, "hello"), number(t, 2, 0), e);
	}
	return rc;
}

/* batch COUNT [SIZE]: all at once */
static int cmd_batch(struct tool *t, struct err *e)
{
	size_t n = number(t, 0, 1), size = number(t, 1, 20);
	struct op *ops = xcalloc(n, sizeof(*ops));
	struct buf text = BUF_INIT, *raw = xcalloc(n, sizeof(*raw));
	int rc;

	buf_addchn(&text, 'x', size);
	for (size_t i = 0; i < n; i++) {
		ops[i] = open_op("question", text.ptr);
		buf_init(&raw[i]);
	}
	rc = nlog_append(t->log, ops, n, "A batch", 0, WAIT_MS, raw, e);
	for (size_t i = 0; i < n; i++) {
		uint8_t sum[SHA256_SIZE];
		char id[SHA256_HEX];
		hash_sha256(sum, raw[i].ptr, raw[i].len);
		hex_encode(id, sum, sizeof(sum));
		if (!rc && strcmp(id, ops[i].id) != 0)
			rc = err_set(e, ERR_BAD_DATA, "raw bytes of op %zu are not those of its id", i);
		json_decref(ops[i].payload);
		buf_release(&raw[i]);
	}
	free(raw);
	free(ops);
	buf_release(&text);
	return rc;
}

/* A small generator of its own, so that a printed seed repeats a run anywhere. */
static uint32_t rnd(uint64_t *s, uint32_t below)
{
	*s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((*s >> 33) % below);
}

static json_t *post_ref(const struct known *k)
{
	json_t *j = json_object();

	json_put_str(j, "post", k->id);
	return j;
}

static struct op random_op(struct reading *r, uint64_t *seed)
{
	static const char *const kinds[] = { "question", "remark", "decision", "note" };
	static const char *const texts[] = { "why?", "because", ("gr\xc3\xbc\xc3\x9f" "e"), "a\nb\n", "\x1b[31mred", "", "\xf0\x9f\x91\x8d ok" };
	const struct known *k = r->all.len ? &r->all.items[rnd(seed, (uint32_t)r->all.len)] : NULL;
	const char *text = texts[rnd(seed, ARRAY_SIZE(texts))];
	uint32_t what = rnd(seed, 16);
	json_t *j;

	if (!k || k->type == OP_SIGN || k->type == OP_TASK || what < 3)
		return open_op(kinds[rnd(seed, 4)], text);
	switch (what) {
	case 3: case 4: case 5: case 6:
		return new_op(OP_POST, k->entity, body(text));
	case 7: case 8:
		j = post_ref(k);
		json_put_str(j, "body", text);
		return new_op(OP_EDIT, k->entity, j);
	case 9:
		return new_op(OP_REDACT, k->entity, post_ref(k));
	case 10:
		return new_op(OP_RESOLVE, k->entity, rnd(seed, 2) ? body(text) : json_object());
	case 11:
		return new_op(OP_REOPEN, k->entity, json_object());
	case 12:
		return new_op(OP_ACCEPT, k->entity, post_ref(k));
	case 13:
		j = json_object();
		json_put_str(j, "title", text);
		return new_op(OP_TITLE, k->entity, j);
	case 14:
		j = post_ref(k);
		json_put_str(j, "emoji", rnd(seed, 2) ? "\xf0\x9f\x91\x8d" : "\xe2\x9d\xa4");
		json_object_set_new(j, "on", json_boolean(rnd(seed, 3)));
		return new_op(OP_REACT, k->entity, j);
	default:
		j = json_object();
		json_put_str(j, "kind", kinds[rnd(seed, 4)]);
		return new_op(OP_KIND, k->entity, j);
	}
}

/* random SEED COUNT: threads, posts, edits, redactions, … on what is there */
static int cmd_random(struct tool *t, struct err *e)
{
	uint64_t seed = number(t, 0, 1), lamport = 0;
	struct reading r = { .keep = true };
	int rc = read_with(t, &r, NULL, &lamport, e);

	for (uint64_t i = 0, n = number(t, 1, 1); i < n && !rc; i++) {
		struct op op = random_op(&r, &seed);
		rc = append_one(t, &op, op_type_name(op.type), lamport, e);
		if (!rc) {
			struct known *k = array_add(&r.all);
			memcpy(k->id, op.id, sizeof(k->id));
			memcpy(k->entity, op.entity[0] ? op.entity : op.id, sizeof(k->entity));
			k->type = op.type;
		}
	}
	array_release(&r.all);
	return rc;
}

static int cmd_recall(struct tool *t, struct err *e)
{
	return nlog_recall(t->log, arg(t, 0, ""), WAIT_MS, e);
}

/* ---- exchange ---- */

static void print_exchange(const struct exchange *x)
{
	printf("fetched %u %" PRIu64 " pushed %u %" PRIu64 " forks %u rewound %u foreign %u%s%s\n", x->logs_fetched,
	       x->ops_fetched, x->logs_pushed, x->ops_pushed, x->forks, x->rewound, x->foreign, x->adopted ? " adopted" : "",
	       x->new_writer ? " new-writer" : "");
	if (*x->note)
		printf("note %s\n", x->note);
}

static int cmd_fetch(struct tool *t, struct err *e)
{
	struct exchange x = { .logs_fetched = 0 };
	int rc = nlog_fetch(t->log, t->repo, arg(t, 0, "origin"), (int)number(t, 1, 60000), (int)number(t, 2, 0), &x, e);

	print_exchange(&x);
	return rc;
}

static int cmd_push(struct tool *t, struct err *e)
{
	struct exchange x = { .logs_fetched = 0 };
	int rc = nlog_push(t->log, t->repo, arg(t, 0, "origin"), (int)number(t, 1, 60000), (int)number(t, 2, 0), &x, e);

	print_exchange(&x);
	return rc;
}

/* ---- the rest ---- */

static int cmd_info(struct tool *t, struct err *e)
{
	(void)e;
	printf("%s %s\n", nlog_repo_id(t->log), nlog_writer(t->log));
	if (nlog_new_writer(t->log))
		printf("new %s\n", nlog_new_writer(t->log));
	return 0;
}

static int cmd_stamp(struct tool *t, struct err *e)
{
	struct buf path = BUF_INIT;
	char stamp[NLOG_STAMP_SIZE];

	(void)e;
	nlog_exists(t->repo, &path);
	nlog_stamp(path.ptr, stamp);
	printf("%s\n", stamp);
	buf_release(&path);
	return 0;
}

static int cmd_unpushed(struct tool *t, struct err *e)
{
	(void)e;
	printf("%" PRIu64 "\n", nlog_unpushed(t->log));
	return 0;
}

/* scrub [HEADS-FILE] */
static int cmd_scrub(struct tool *t, struct err *e)
{
	struct nlog_heads heads = NLOG_HEADS_INIT;
	struct buf report = BUF_INIT;
	uint64_t lamport = 0;
	int rc = heads_load(arg(t, 0, NULL), &heads, &lamport);

	rc = rc ? rc : nlog_scrub(t->log, heads.len ? &heads : NULL, &report, e);
	printf("%s", report.ptr);
	nlog_heads_release(&heads);
	buf_release(&report);
	return rc;
}

static int cmd_gc(struct tool *t, struct err *e)
{
	return nlog_gc(t->log, e);
}

static int cmd_join(struct tool *t, struct err *e)
{
	return nlog_join(t->log, arg(t, 0, ""), e);
}

static int cmd_verify(struct tool *t, struct err *e)
{
	static const char *const names[] = { "unsigned", "signed", "unknown-key", "bad" };
	struct nlog_signature s;

	if (nlog_verify(t->log, arg(t, 0, nlog_writer(t->log)), &s, e))
		return -1;
	printf("%s %" PRIu64 "/%" PRIu64 " %s %s\n", names[s.trust], s.signed_upto, s.count, *s.principal ? s.principal : "-",
	       *s.key ? s.key : "-");
	if (*s.why)
		printf("why %s\n", s.why);
	return 0;
}

static const struct row {
	const char *name;
	bool create;
	int (*run)(struct tool *t, struct err *e);
} rows[] = {
	{ "init", true, cmd_info },
	{ "info", false, cmd_info },
	{ "append", true, cmd_append },
	{ "batch", true, cmd_batch },
	{ "random", true, cmd_random },
	{ "recall", false, cmd_recall },
	{ "read", false, cmd_read },
	{ "count", false, cmd_count },
	{ "fetch", true, cmd_fetch },
	{ "push", false, cmd_push },
	{ "stamp", false, cmd_stamp },
	{ "unpushed", false, cmd_unpushed },
	{ "scrub", false, cmd_scrub },
	{ "gc", false, cmd_gc },
	{ "join", false, cmd_join },
	{ "verify", false, cmd_verify },
};

static const struct row *row_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct row *row = argc > 1 ? row_find(argv[1]) : NULL;
	struct tool t = { .argc = argc - 2, .argv = argv + 2 };
	struct err e = ERR_INIT;
	int rc = -1;

	if (!row) {
		fputs("usage: logtool COMMAND [ARG…]\n", stderr);
		return 2;
	}
	/* A full disk is an error to report, also where a limit stands in for it. */
	signal(SIGXFSZ, SIG_IGN);
	if (!repo_find(NULL, &t.repo, &e) && !nlog_open(t.repo, row->create, &t.log, &e))
		rc = row->run(&t, &e);
	nlog_close(t.log);
	repo_close(t.repo);
	fflush(stdout);
	if (rc)
		fprintf(stderr, "error %s: %s\n", code_names[e.code], e.msg);
	return rc ? 1 : 0;
}
