/* SPDX-License-Identifier: MIT */
/*
 * placer REPO <cases >answers: JSON Lines {"id","from","path","line","end","columns","to"} in, one answer a line out, like
 * "killick place --stdin", for measuring without the commands; "to" null is the work tree. -m times it on standard
 * error, -c keeps maps in memory and answers everything a second time from them.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "killick/anchor/place.h"
#include "killick/base/clock.h"
#include "killick/base/file.h"
#include "killick/base/json.h"

struct ask { const char *id, *to; struct anchor an; struct place place; size_t at; };

struct entry { char *key; size_t key_len; char *value; size_t len; struct entry *next; };
enum { SLOTS = 65536 };
struct memory { struct entry *slots[SLOTS]; size_t bytes; };

static struct entry **slot_find(struct memory *m, const char *space, const void *key, size_t n)
{
	struct entry **e = &m->slots[(hash64(key, n) ^ hash64(space, strlen(space))) % SLOTS];
	while (*e && ((*e)->key_len != n || memcmp((*e)->key, key, n)))
		e = &(*e)->next;
	return e;
}

static bool memory_get(void *ctx, const char *space, const void *key, size_t n, struct buf *out)
{
	struct entry *e = *slot_find(ctx, space, key, n);
	if (e)
		buf_add(out, e->value, e->len);
	return e != NULL;
}

static void memory_put(void *ctx, const char *space, const void *key, size_t n, const void *p, size_t len)
{
	struct memory *m = ctx;
	struct entry **e = slot_find(m, space, key, n);
	if (!*e) {
		*e = xcalloc(1, sizeof(**e));
		(*e)->key = xmalloc(n + 1);
		memcpy((*e)->key, key, n);
		(*e)->key_len = n;
	}
	free((*e)->value);
	(*e)->value = xmalloc(len + 1);
	memcpy((*e)->value, p, len);
	m->bytes += len;
	(*e)->len = len;
}

static int cmp_ask(const void *a, const void *b)
{
	const struct ask *x = a, *y = b;
	int c = strcmp(x->to, y->to);
	return c ? c : x->at < y->at ? -1 : x->at > y->at;
}

static int cmp_at(const void *a, const void *b)
{
	const struct ask *x = a, *y = b;
	return x->at < y->at ? -1 : x->at > y->at;
}

static int ask_batch(struct placer *p, struct ask *v, size_t n, struct arena *a, struct err *e)
{
	struct oid to;
	struct place_query *q = xcalloc(n, sizeof(*q));
	for (size_t i = 0; i < n; i++)
		q[i] = (struct place_query){ &v[i].an, &v[i].place };
	int rc = *v->to && !oid_parse(v->to, &to) ? err_set(e, ERR_USAGE, "bad id '%s'", v->to) :
	    place_batch(p, *v->to ? &to : NULL, q, n, a, e);
	free(q);
	return rc;
}

static void answer_print(const struct ask *x, struct buf *b)
{
	json_t *j = place_json(&x->place);
	json_put_str(j, "id", x->id);
	json_write(b, j);
	buf_addch(b, '\n');
	json_decref(j);
}

static int run(struct placer *p, struct ask *v, size_t n, struct arena *a, bool timed, const char *what, struct err *e)
{
	int64_t start = clock_mono();
	size_t batches = 0;
	for (size_t i = 0, len; i < n; i += len, batches++) {
		for (len = 1; i + len < n && !strcmp(v[i + len].to, v[i].to); len++)
			;
		if (ask_batch(p, v + i, len, a, e) < 0)
			return -1;
	}
	if (timed)
		fprintf(stderr, "%s: %zu anchors, %zu targets, %lld ms\n", what, n, batches,
		    (long long)(clock_mono() - start));
	return 0;
}

static void ask_read(struct arena *a, const json_t *j, struct ask *x)
{
	const char *to = json_get_str(j, "to"), *id = json_get_str(j, "id"), *blob = json_get_str(j, "blob");
	x->id = arena_strdup(a, id ? id : "");
	x->to = arena_strdup(a, to ? to : "");
	x->an = (struct anchor){ .type = ANCHOR_LINES, .path = arena_strdup(a, json_get_str(j, "path")),
		.commit = arena_strdup(a, json_get_str(j, "from")), .blob = blob ? arena_strdup(a, blob) : NULL };
	json_t *lines = json_get_arr(j, "lines");
	x->an.line = (uint32_t)(lines ? json_integer_value(json_array_get(lines, 0)) : json_get_int(j, "line", 0));
	x->an.end = (uint32_t)(lines ? json_integer_value(json_array_get(lines, 1)) : json_get_int(j, "end", 0));
	if (!x->an.end)
		x->an.end = x->an.line;
	json_t *columns = json_get_arr(j, "columns");
	if (columns && x->an.line == x->an.end) {
		x->an.col = (uint32_t)json_integer_value(json_array_get(columns, 0));
		x->an.col_end = (uint32_t)json_integer_value(json_array_get(columns, 1));
	}
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct buf in = BUF_INIT, out = BUF_INIT;
	struct arena a = ARENA_INIT;
	ARRAY(struct ask) asks = ARRAY_INIT;
	bool timed = false, twice = false;
	static struct memory memory;
	struct map_cache cache = { &memory, memory_get, memory_put };
	int i = 1;
	for (; i < argc && argv[i][0] == '-'; i++) {
		timed |= argv[i][1] == 'm';
		twice |= argv[i][1] == 'c';
	}
	struct repo *r = NULL;
	if (i + 1 != argc || repo_find(argv[i], &r, &e) < 0 || file_read_fd(0, "standard input", 0, &in, &e) < 0)
		goto fail;
	for (char *p = in.ptr, *nl; (nl = strchr(p, '\n')); p = nl + 1) {
		json_t *j = json_read(p, (size_t)(nl - p), "case", &e);
		if (!j)
			goto fail;
		struct ask *x = array_add(&asks);
		x->at = asks.len;
		ask_read(&a, j, x);
		json_decref(j);
	}
	if (asks.len)
		qsort(asks.items, asks.len, sizeof(*asks.items), cmp_ask);
	for (int round = 0; round <= twice; round++) {
		struct placer *p = placer_new(r, twice ? &cache : NULL);
		int rc = run(p, asks.items, asks.len, &a, timed, round ? "cached" : "cold", &e);
		placer_free(p);
		if (rc < 0)
			goto fail;
	}
	if (asks.len)
		qsort(asks.items, asks.len, sizeof(*asks.items), cmp_at);
	for (size_t k = 0; k < asks.len; k++)
		answer_print(&asks.items[k], &out);
	fwrite(out.ptr, 1, out.len, stdout);
	buf_release(&in);
	buf_release(&out);
	array_release(&asks);
	arena_release(&a);
	repo_close(r);
	return fflush(stdout) ? 1 : 0;
fail:
	fprintf(stderr, "placer: %s\n", e.msg[0] ? e.msg : "usage: placer [-m] [-c] REPO <cases");
	return 1;
}
