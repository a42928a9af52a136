/* SPDX-License-Identifier: MIT */
/*
 * A folder that plays a tracker (src/remote/dir.c), with whatever in its files: it is read, looked at, probed, written to and
 * searched. The input: what is asked, of which op, then tasks/1.json and, behind a byte 1, source.json.
 *
 * What must hold: no crash; a failure has a code and words of one line; every line that goes to killick is one that it takes;
 * what a pull has told is not told again from its cursor; what was made is found.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fuzz.h"
#include "killick/base/file.h"
#include "remote/remote.h"

enum { PULL, FULL, LOOK, PROBE, MARK, FIND, PUSH, WHATS };

static const char *const ops[] = {
	"{\"id\":\"00000000000000000000000000000001\",\"verb\":\"comment\",\"task\":\"1\",\"body\":\"x\"}",
	"{\"id\":\"00000000000000000000000000000002\",\"verb\":\"reply\",\"task\":\"1\",\"thread\":\"t1\",\"reply_to\":\"3\",\"body\":\"x\"}",
	"{\"id\":\"00000000000000000000000000000003\",\"verb\":\"edit-note\",\"task\":\"1\",\"note\":\"2\",\"body\":\"y\"}",
	"{\"id\":\"00000000000000000000000000000004\",\"verb\":\"delete-note\",\"task\":\"1\",\"note\":\"2\"}",
	"{\"id\":\"00000000000000000000000000000005\",\"verb\":\"close\",\"task\":\"1\"}",
	"{\"id\":\"00000000000000000000000000000006\",\"verb\":\"label\",\"task\":\"1\",\"add\":[\"a\"],\"drop\":[\"b\"]}",
	"{\"id\":\"00000000000000000000000000000007\",\"verb\":\"assign\",\"task\":\"1\",\"add\":[\"ana\"]}",
	"{\"id\":\"00000000000000000000000000000008\",\"verb\":\"resolve\",\"task\":\"1\",\"thread\":\"t1\"}",
	"{\"id\":\"00000000000000000000000000000009\",\"verb\":\"react\",\"task\":\"1\",\"note\":\"2\",\"value\":\"+1\"}",
	"{\"id\":\"0000000000000000000000000000000a\",\"verb\":\"new-task\",\"title\":\"t\",\"body\":\"x\"}",
};

static char folder[] = "/tmp/killick-fuzz-dir.XXXXXX";
static int out_fd = -1, real_out = -1;

static void clear(void)
{
	static const char *const names[] = { "tasks/1.json", "tasks/2.json", "source.json", "lock" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[sizeof(folder) + 32];
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
}

static void leave(void)
{
	char path[sizeof(folder) + 8];

	clear();
	snprintf(path, sizeof(path), "%s/tasks", folder);
	rmdir(path);
	rmdir(folder);
}

static void start(void)
{
	char path[sizeof(folder) + 8];

	FUZZ_CHECK(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/tasks", folder);
	FUZZ_CHECK(!mkdir(path, 0700));
	atexit(leave);
	out_fd = memfd_create("out", MFD_CLOEXEC);
	real_out = dup(STDOUT_FILENO);
	FUZZ_CHECK(out_fd >= 0 && real_out >= 0);
}

static void put(const char *name, const uint8_t *p, size_t n)
{
	char path[sizeof(folder) + 32];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	FUZZ_CHECK(f && fwrite(p, 1, n, f) == n && !fclose(f));
}

static void open_remote(struct remote *r)
{
	*r = (struct remote){ .ad = &adapter_dir, .in = BUF_INIT, .out = BUF_INIT, .tried = BUF_INIT };
	r->src = (struct source_desc){ .name = "f", .kind = "dir", .project = "p", .caps = ~0u,
		.api = arena_printf(&r->life, "file://%s/", folder) };
	FUZZ_CHECK(!ftruncate(out_fd, 0) && !lseek(out_fd, 0, SEEK_SET));
	dup2(out_fd, STDOUT_FILENO);
}

/* Every line is one that killick takes. *cursor: the last page's, in the arena. How many tell of something? */
static size_t check_lines(struct remote *r, const char **cursor, struct arena *keep)
{
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	struct record rec;
	char chunk[65536];
	size_t records = 0;
	ssize_t n;

	FUZZ_CHECK(!lseek(out_fd, 0, SEEK_SET));
	while ((n = read(out_fd, chunk, sizeof(chunk))) > 0)
		buf_add(&text, chunk, (size_t)n);
	buf_addbuf(&text, &r->out);
	for (char *p = text.ptr, *end; (end = strchr(p, '\n')); p = end + 1) {
		json_t *j = json_read(p, (size_t)(end - p), "a line", &e);
		if (!j || (json_object_get(j, "record") && record_parse(keep, p, (size_t)(end - p), &rec, &e)))
			BUG("%s: %.*s", e.msg, (int)(end - p), p);
		records += json_object_get(j, "record") != NULL;
		if (json_get_str(j, "page"))
			*cursor = arena_strdup(keep, json_get_str(j, "page"));
		json_decref(j);
	}
	buf_release(&text);
	return records;
}

static size_t close_remote(struct remote *r, const char **cursor, struct arena *keep)
{
	size_t records;

	dup2(real_out, STDOUT_FILENO);
	records = check_lines(r, cursor, keep);
	arena_release(&r->arena);
	arena_release(&r->keep);
	arena_release(&r->life);
	buf_release(&r->out);
	buf_release(&r->in);
	buf_release(&r->tried);
	return records;
}

static void check_failure(int rc, const struct err *e)
{
	if (!rc)
		return;
	FUZZ_CHECK(e->code && e->msg[0]);
	for (const char *p = e->msg; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			BUG("no line of words: %s", e->msg);
}

static void try_pull(bool full, struct arena *keep)
{
	const char *cursor = NULL;
	struct err e = ERR_INIT;
	struct remote r;
	int rc;

	open_remote(&r);
	rc = r.ad->pull(&r, "", full, &e);
	check_failure(rc, &e);
	close_remote(&r, &cursor, keep);
	if (rc || !cursor)
		return;
	open_remote(&r);
	if (r.ad->pull(&r, cursor, false, &e))
		BUG("from its own cursor %s: %s", cursor, e.msg);
	FUZZ_CHECK(!close_remote(&r, &cursor, keep));
}

static void check_outcome(const struct wire_outcome *o, struct arena *keep)
{
	json_t *j = wire_outcome_json(o);
	struct wire_outcome back;
	struct err e = ERR_INIT;

	if (wire_outcome_parse(keep, j, &back, &e))
		BUG("%s", e.msg);
	json_decref(j);
	FUZZ_CHECK(o->is == WIRE_LANDED || o->is == WIRE_ABSENT || (o->message && *o->message));
}

static void try_op(unsigned what, const char *text, struct arena *keep)
{
	struct wire_outcome o = { .is = WIRE_UNKNOWN }, found = { .is = WIRE_UNKNOWN };
	struct err e = ERR_INIT;
	json_t *j = json_read(text, strlen(text), "an op", &e);
	struct wire_op op;
	const char *mark = NULL;
	struct remote r;
	int rc;

	if (!j || wire_op_parse(keep, j, &op, &e))
		BUG("%s", e.msg);
	open_remote(&r);
	rc = what == MARK ? r.ad->mark(&r, &op, &mark, &e) : what == FIND ? r.ad->find(&r, &op, &o, &e) : r.ad->push(&r, &op, &o, &e);
	check_failure(rc, &e);
	if (!rc && what != MARK)
		check_outcome(&o, keep);
	if (!rc && what == PUSH && o.is == WIRE_LANDED && !wire_verb_idempotent(op.verb)) {
		if (r.ad->find(&r, &op, &found, &e) || found.is != WIRE_LANDED)
			BUG("%s landed and is not found: %s", wire_verb_name(op.verb), e.msg);
	}
	close_remote(&r, &mark, keep);
	json_decref(j);
}

static void try_read(unsigned what, struct arena *keep)
{
	struct remote_probe probe = { .version = NULL };
	const char *cursor = NULL;
	struct err e = ERR_INIT;
	struct remote r;

	open_remote(&r);
	check_failure(what == LOOK ? r.ad->look(&r, "1", &e) : r.ad->probe(&r, &probe, &e), &e);
	close_remote(&r, &cursor, keep);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena keep = ARENA_INIT;
	const uint8_t *other;
	unsigned what;

	if (out_fd < 0)
		start();
	if (n < 2)
		return 0;
	clear();
	what = p[0] % WHATS;
	other = memchr(p + 2, 1, n - 2);
	put("tasks/1.json", p + 2, other ? (size_t)(other - p) - 2 : n - 2);
	if (other)
		put("source.json", other + 1, (size_t)(p + n - other) - 1);
	if (what <= FULL)
		try_pull(what == FULL, &keep);
	else if (what <= PROBE)
		try_read(what, &keep);
	else
		try_op(what, ops[p[1] % ARRAY_SIZE(ops)], &keep);
	arena_release(&keep);
	return 0;
}
