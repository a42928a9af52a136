/* SPDX-License-Identifier: MIT */
/*
 * git-bug's format, versions 1 to 4 (github.com/git-bug/git-bug: entity/dag/operation_pack.go, entities/bug/operation.go,
 * entities/identity/version.go; 0.7.0: bug/operation_pack.go, identity/bare.go):
 *
 *	refs/bugs/<id>        a chain (4: a graph) of commits; the tree of each has a blob "ops" and empty blobs whose names
 *	                      say more: "version-4", "edit-clock-17", "create-clock-3" in the first one
 *	refs/identities/<id>  a chain of commits with a blob "version": {"name","email","login",…}
 *
 * ops is {"author":{"id"},"ops":[…]}; before version 4 {"version":N,"ops":[…]} where each op has its author, at first as
 * {"name","email"} instead of {"id"}. An op is {"type":N,"timestamp":SECONDS,…}, its id the SHA-256 of its bytes as they
 * stand there. Ops are ordered by (edit clock, SHA-256 of the blob) of their packs and as they stand in them; merges have
 * packs without ops.
 *
 * git itself reads, three processes for all bugs and one more for each thousand commits.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "gitbug.h"
#include "killick/base/hash.h"
#include "killick/base/json.h"
#include "killick/base/proc.h"

#define READ_AT_ONCE 1000
#define NEWEST_FORMAT 4

struct pack { uint64_t clock; char id[SHA256_HEX]; struct gitbug_op *ops; size_t n; };
struct node { char id[GIT_OID_HEX]; const char *parents; struct pack pack; const char *fault; bool read; };
struct who { const char *id; struct person p; };
struct ref { const char *id, *head; };
struct reader {
	struct cmd *c;
	struct arena *a;
	ARRAY(struct node) nodes;     /* sorted by id */
	ARRAY(struct who) people;     /* sorted by id */
	ARRAY(struct ref) bugs;
	ARRAY(struct ref) identities;
};

static int git(struct reader *r, const char *const *args, const struct buf *in, struct buf *out, struct err *e)
{
	const char *argv[12] = { "git", "--no-replace-objects", "--git-dir", repo_commondir(r->c->work->repo) };
	static const char *const env[] = { "GIT_NO_LAZY_FETCH=1", "LC_ALL=C", NULL };
	struct proc p = { .argv = argv, .env = env, .out = out, .in = in ? in->ptr : NULL, .in_len = in ? in->len : 0 };
	size_t n = 4;

	for (; *args && n < ARRAY_SIZE(argv) - 1; args++)
		argv[n++] = *args;
	return proc_run_ok(&p, e);
}

/* ---- what there is ---- */

static int list_refs(struct reader *r, struct err *e)
{
	static const char *const args[] = { "for-each-ref", "--format=%(objectname) %(refname)", "refs/bugs/", "refs/identities/",
		NULL };
	struct buf out = BUF_INIT;
	int rc = git(r, args, NULL, &out, e);

	for (char *line = out.ptr; !rc && *line;) {
		size_t n = strcspn(line, "\n");
		const char *head = arena_memdup(r->a, line, n), *id;
		bool bug = str_starts(head + 41, "refs/bugs/");
		if (n > 41 && (id = strrchr(head, '/'))) {
			struct ref *ref = bug ? array_add(&r->bugs) : array_add(&r->identities);
			*ref = (struct ref){ .id = id + 1, .head = arena_memdup(r->a, head, 40) };
		}
		line += n + (line[n] == '\n');
	}
	buf_release(&out);
	return rc;
}

static int by_node(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->id, ((const struct node *)b)->id);
}

/* Every commit of every bug: "ID PARENT PARENT…" a line. */
static int list_commits(struct reader *r, struct err *e)
{
	static const char *const args[] = { "rev-list", "--parents", "--stdin", NULL };
	struct buf in = BUF_INIT, out = BUF_INIT;
	int rc;

	for (size_t i = 0; i < r->bugs.len; i++)
		buf_addf(&in, "%s\n", r->bugs.items[i].head);
	rc = git(r, args, &in, &out, e);
	for (char *line = out.ptr; !rc && *line;) {
		size_t n = strcspn(line, "\n");
		if (n >= 40) {
			struct node *d = array_add(&r->nodes);
			memcpy(d->id, line, 40);
			d->parents = arena_memdup(r->a, line + 40, n - 40);
		}
		line += n + (line[n] == '\n');
	}
	if (r->nodes.len)
		qsort(r->nodes.items, r->nodes.len, sizeof(*r->nodes.items), by_node);
	buf_release(&in);
	buf_release(&out);
	return rc;
}

/* ---- git cat-file --batch ---- */

/* The next object of an answer: false for one that is not there, with a length of 0. *p moves on. */
static bool next_object(const char **p, const char *end, const char **data, size_t *len)
{
	const char *nl = memchr(*p, '\n', (size_t)(end - *p)), *blank;
	uint64_t n;
	char size[24] = "";

	*data = "";
	*len = 0;
	if (!nl)
		return false;
	blank = memrchr(*p, ' ', (size_t)(nl - *p));
	if (blank && (size_t)(nl - blank) < sizeof(size))
		memcpy(size, blank + 1, (size_t)(nl - blank - 1));
	*p = nl + 1;
	if (!str_to_u64(size, (uint64_t)(end - *p), &n))
		return false;
	*data = *p;
	*len = (size_t)n;
	*p += n + (*p + n < end);
	return true;
}

/* ---- people ---- */

static void person_of(struct reader *r, const json_t *j, const char *id, struct person *out)
{
	const char *name = json_get_str(j, "name"), *login = json_get_str(j, "login"), *email = json_get_str(j, "email");

	*out = (struct person){ .login = arena_strdup(r->a, login) };
	out->name = arena_strdup(r->a, name && *name ? name : login && *login ? login : id && *id ? id : "?");
	/* Who is who goes by the mail address; a bridge's people have none, and no real one may be made up (RFC 2606). */
	out->email = email && *email ? arena_strdup(r->a, email) :
	    arena_printf(r->a, "%.16s@git-bug.invalid", id && *id ? id : "nobody");
}

static int by_who(const void *a, const void *b)
{
	return strcmp(((const struct who *)a)->id, ((const struct who *)b)->id);
}

static int read_people(struct reader *r, struct err *e)
{
	static const char *const args[] = { "cat-file", "--batch", NULL };
	struct buf in = BUF_INIT, out = BUF_INIT;
	const char *p;
	int rc;

	for (size_t i = 0; i < r->identities.len; i++)
		buf_addf(&in, "%s:version\n", r->identities.items[i].head);
	rc = r->identities.len ? git(r, args, &in, &out, e) : 0;
	p = out.ptr;
	for (size_t i = 0; !rc && i < r->identities.len; i++) {
		struct err ignored = ERR_INIT;
		const char *data;
		size_t n;
		json_t *j = next_object(&p, out.ptr + out.len, &data, &n) ? json_read(data, n, "an identity", &ignored) : NULL;
		struct who *w;
		if (!j)
			continue;
		w = array_add(&r->people);
		w->id = r->identities.items[i].id;
		person_of(r, j, w->id, &w->p);
		json_decref(j);
	}
	if (r->people.len)
		qsort(r->people.items, r->people.len, sizeof(*r->people.items), by_who);
	buf_release(&in);
	buf_release(&out);
	return rc;
}

static void author_of(struct reader *r, const json_t *author, struct person *out)
{
	const char *id = author ? json_get_str(author, "id") : NULL;
	struct who key = { .id = id ? id : "" };
	const struct who *w = id && r->people.len ? bsearch(&key, r->people.items, r->people.len, sizeof(key), by_who) : NULL;
	json_t *none = author ? NULL : json_object();

	if (w)
		*out = w->p;
	else
		person_of(r, author ? author : none, id, out);
	json_decref(none);
}

/* ---- one pack ---- */

static const char *skip_blank(const char *p, const char *end)
{
	while (p < end && strchr(" \t\r\n", *p))
		p++;
	return p;
}

/* Past one value of text that is known to be JSON. */
static const char *skip_value(const char *p, const char *end)
{
	bool quoted = false;
	int depth = 0;

	for (; p < end; p++) {
		if (quoted) {
			if (*p == '\\')
				p++;
			else if (*p == '"')
				quoted = false;
		} else if (*p == '"') {
			quoted = true;
		} else if (*p == '{' || *p == '[') {
			depth++;
		} else if (*p == '}' || *p == ']') {
			if (!depth--)
				return p;
		} else if (*p == ',' && !depth) {
			return p;
		}
	}
	return end;
}

/* Where the value of a key of the outermost object begins, or NULL. */
static const char *find_value(const char *p, const char *end, const char *key)
{
	size_t n = strlen(key);

	for (p = skip_blank(p, end) + 1; p < end;) {
		const char *name = skip_blank(p, end), *colon = name + 1;
		while (colon < end && *colon != '"')
			colon += *colon == '\\' ? 2 : 1;
		if (colon >= end)
			return NULL;
		p = skip_blank(skip_blank(colon + 1, end) + 1, end);
		if ((size_t)(colon - name - 1) == n && !memcmp(name + 1, key, n))
			return p;
		p = skip_value(p, end) + 1;
	}
	return NULL;
}

static const char **strings_of(struct reader *r, const json_t *list)
{
	size_t n = json_is_array(list) ? json_array_size(list) : 0, k = 0;
	const char **out = arena_alloc(r->a, (n + 1) * sizeof(*out));

	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(json_array_get(list, i));
		if (s && *s)
			out[k++] = arena_strdup(r->a, s);
	}
	return out;
}

static void read_op(struct reader *r, const json_t *j, const char *raw, size_t n, const json_t *pack_author,
    struct gitbug_op *out)
{
	const json_t *own = json_get_obj(j, "author");
	uint8_t sum[SHA256_SIZE];
	char id[SHA256_HEX];
	int64_t seconds = json_get_int(j, "timestamp", 0);

	hash_sha256(sum, raw, n);
	hex_encode(id, sum, sizeof(sum));
	*out = (struct gitbug_op){ .id = arena_strdup(r->a, id), .type = (int)json_get_int(j, "type", 0) };
	author_of(r, pack_author ? pack_author : own, &out->author);
	out->time = seconds > 0 && seconds < INT64_C(253402300800) ? seconds * 1000 : 0;
	out->title = arena_strdup(r->a, json_get_str(j, "title"));
	out->message = arena_strdup(r->a, json_get_str(j, "message"));
	out->target = arena_strdup(r->a, json_get_str(j, "target"));
	out->closed = json_get_int(j, "status", 1) == 2;
	out->added = strings_of(r, json_get_arr(j, "added"));
	out->removed = strings_of(r, json_get_arr(j, "removed"));
	out->files = strings_of(r, json_get_arr(j, "files"));
}

/* The array's elements in j, and their bytes from p on, side by side. */
static void read_ops(struct reader *r, const json_t *j, const char *p, const char *end, struct pack *out)
{
	const json_t *list = json_get_arr(j, "ops"), *author = json_get_obj(j, "author");
	size_t n = list ? json_array_size(list) : 0;

	out->ops = arena_alloc(r->a, (n + 1) * sizeof(*out->ops));
	for (p++; out->n < n && p < end;) {
		const char *from = skip_blank(p, end), *to;
		p = skip_value(from, end);
		for (to = p; to > from && strchr(" \t\r\n", to[-1]); to--)
			;
		read_op(r, json_array_get(list, out->n), from, (size_t)(to - from), author, &out->ops[out->n]);
		out->n++;
		p++;
	}
}

/* Names in a raw tree: "MODE NAME\0" and 20 bytes each. */
static uint64_t tree_number(const char *tree, size_t n, const char *prefix)
{
	const char *end = tree + n;
	uint64_t v;

	while (tree < end) {
		const char *name = memchr(tree, ' ', (size_t)(end - tree));
		const char *nul = name ? memchr(name, '\0', (size_t)(end - name)) : NULL;
		if (!nul)
			break;
		if (str_starts(name + 1, prefix) && str_to_u64(name + 1 + strlen(prefix), UINT64_MAX, &v))
			return v;
		tree = nul + 21;
	}
	return 0;
}

static void read_pack(struct reader *r, struct node *d, const char *tree, size_t tree_len, const char *ops, size_t n)
{
	uint64_t version = tree_number(tree, tree_len, "version-");
	struct err why = ERR_INIT;
	uint8_t sum[SHA256_SIZE];
	const char *list;
	json_t *j;

	d->read = true;
	if (version > NEWEST_FORMAT) {
		d->fault = arena_printf(r->a, "it has format version %llu, and this killick knows up to %d",
		    (unsigned long long)version, NEWEST_FORMAT);
		return;
	}
	if (!(j = json_read(ops, n, "its operations", &why))) {
		d->fault = arena_strdup(r->a, n ? why.msg : "a commit of it has no operations");
		return;
	}
	hash_sha256(sum, ops, n);
	hex_encode(d->pack.id, sum, sizeof(sum));
	d->pack.clock = tree_number(tree, tree_len, "edit-clock-");
	list = json_is_object(j) ? find_value(ops, ops + n, "ops") : NULL;
	if (list && *list == '[')
		read_ops(r, j, list, ops + n, &d->pack);
	json_decref(j);
}

/* "COMMIT:" is its tree. */
static int read_some(struct reader *r, size_t from, size_t to, struct err *e)
{
	static const char *const args[] = { "cat-file", "--batch", NULL };
	struct buf in = BUF_INIT, out = BUF_INIT;
	const char *p, *end;
	int rc;

	for (size_t i = from; i < to; i++)
		buf_addf(&in, "%s:\n%s:ops\n", r->nodes.items[i].id, r->nodes.items[i].id);
	rc = git(r, args, &in, &out, e);
	p = out.ptr;
	end = p + out.len;
	for (size_t i = from; !rc && i < to; i++) {
		const char *tree, *ops;
		size_t tree_len, n;
		next_object(&p, end, &tree, &tree_len);
		next_object(&p, end, &ops, &n);
		read_pack(r, &r->nodes.items[i], tree, tree_len, ops, n);
	}
	buf_release(&in);
	buf_release(&out);
	return rc;
}

/* ---- one bug ---- */

static int by_clock(const void *a, const void *b)
{
	const struct pack *x = a, *y = b;

	return x->clock != y->clock ? (x->clock < y->clock ? -1 : 1) : strcmp(x->id, y->id);
}

struct walk { ARRAY(struct pack) packs; ARRAY(struct node *) todo; };

static struct node *node_of(struct reader *r, const char *id)
{
	struct node key = { .read = false };

	memcpy(key.id, id, 40);
	return r->nodes.len ? bsearch(&key, r->nodes.items, r->nodes.len, sizeof(key), by_node) : NULL;
}

/* read is taken back as each commit is visited: a graph, and every commit belongs to one bug. */
static const char *gather(struct reader *r, const char *head, struct walk *w)
{
	struct node *d = node_of(r, head);

	if (!d)
		return "its commits are not here";
	*array_add(&w->todo) = d;
	while (w->todo.len) {
		d = w->todo.items[--w->todo.len];
		if (d->fault)
			return d->fault;
		if (!d->read)
			continue;
		d->read = false;
		*array_add(&w->packs) = d->pack;
		for (const char *p = d->parents; *p; p += 41) {
			struct node *up = node_of(r, p + 1);
			if (!up)
				return "part of its history is not here";
			*array_add(&w->todo) = up;
		}
	}
	return NULL;
}

static void read_bug(struct reader *r, const char *id, const char *head, struct gitbug *out)
{
	struct walk w = { ARRAY_INIT, ARRAY_INIT };
	size_t n = 0;

	out->id = id;
	out->fault = gather(r, head, &w);
	if (w.packs.len)
		qsort(w.packs.items, w.packs.len, sizeof(*w.packs.items), by_clock);
	for (size_t i = 0; i < w.packs.len; i++)
		n += w.packs.items[i].n;
	out->ops = arena_alloc(r->a, (n + 1) * sizeof(*out->ops));
	for (size_t i = 0; !out->fault && i < w.packs.len; i++) {
		if (w.packs.items[i].n)
			memcpy(out->ops + out->n, w.packs.items[i].ops, w.packs.items[i].n * sizeof(*out->ops));
		out->n += w.packs.items[i].n;
	}
	if (!out->fault && (!out->n || out->ops[0].type != GITBUG_CREATE))
		out->fault = "it does not begin with its creation";
	array_release(&w.packs);
	array_release(&w.todo);
}

int gitbug_read(struct cmd *c, struct gitbugs *out, struct err *e)
{
	struct reader r = { .c = c, .a = c->arena };
	int rc = list_refs(&r, e);

	if (!rc && !r.bugs.len)
		rc = err_set(e, ERR_NOT_FOUND, "no bugs of git-bug in this repository: 'git bug pull', or 'git fetch origin "
		    "refs/bugs/*:refs/bugs/* refs/identities/*:refs/identities/*', gets them");
	rc = rc || read_people(&r, e) || list_commits(&r, e) ? -1 : 0;
	for (size_t i = 0; !rc && i < r.nodes.len; i += READ_AT_ONCE)
		rc = read_some(&r, i, i + READ_AT_ONCE < r.nodes.len ? i + READ_AT_ONCE : r.nodes.len, e);
	for (size_t i = 0; !rc && i < r.bugs.len; i++)
		read_bug(&r, r.bugs.items[i].id, r.bugs.items[i].head, array_add(out));
	array_release(&r.nodes);
	array_release(&r.people);
	array_release(&r.bugs);
	array_release(&r.identities);
	return rc;
}
