/* SPDX-License-Identifier: MIT */
/*
 * Objects: a commit's links, what stands at a path, blobs.
 *
 * Walking history asks for little of each commit and tree, millions of times: links come from the commit-graph or from
 * the head of the raw commit, entries from a scan of the raw tree, and the last some thousand links are kept. libgit2
 * would parse both whole into objects.
 */
#include "config.h"
#include <stdlib.h>
#include "killick/base/file.h"
#include "git.h"

#define COMMIT_SLOTS 4096   /* a power of two */
#define SHALLOW_MAX (64u << 20)

struct commit_slot {
	bool used;
	struct oid id;
	struct commit_links links;
	struct oids parents;
};

struct commit_cache {
	struct commit_slot slots[COMMIT_SLOTS];
};

void commit_cache_free(struct commit_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < COMMIT_SLOTS; i++)
		array_release(&c->slots[i].parents);
	free(c);
}

/* --- the shallow border: commits whose parents are not here on purpose --- */

static int oid_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct oid));
}

static struct oids *shallow_load(struct repo *r)
{
	struct oids *s = xcalloc(1, sizeof(*s));
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct err e = ERR_INIT;
	struct oid o;

	path_join(&path, r->commondir, "shallow");
	if (path_exists(path.ptr) && file_read(path.ptr, SHALLOW_MAX, &text, &e) == 0)
		for (const char *p = text.ptr; *p; p += strcspn(p, "\n"), p += *p == '\n')
			if (oid_scan(p, &o))
				*array_add(s) = o;
	if (s->len)
		qsort(s->items, s->len, sizeof(struct oid), oid_cmp);
	buf_release(&path);
	buf_release(&text);
	return s;
}

bool commit_is_border(struct repo *r, const struct oid *o)
{
	if (!r->shallow)
		r->shallow = shallow_load(r);
	return r->shallow->len && bsearch(o, r->shallow->items, r->shallow->len, sizeof(*o), oid_cmp);
}

/* --- reading --- */

static int missing(struct repo *r, const struct oid *o, const char *what, struct err *e)
{
	char hex[GIT_OID_HEX];

	oid_hex(hex, o);
	git_error_clear();
	if (r->partial && strcmp(what, "commit") != 0)
		return err_set(e, ERR_NOT_FOUND, "%s %.10s is not in this partial clone; 'git cat-file -t %s' downloads it", what,
		    hex, hex);
	return err_set(e, ERR_NOT_FOUND, "%s %.10s is not in this repository%s", what, hex,
	    repo_is_shallow(r) ? " (a shallow clone; 'git fetch --unshallow' gets all of its history)" : "");
}

static int damaged(int rc, const struct oid *o, const char *what, struct err *e)
{
	char hex[GIT_OID_HEX];

	err_git(e, rc, "%s %.10s is damaged ('git fsck' tells more)", what, oid_hex(hex, o));
	if (e->code == ERR_FAILED || e->code == ERR_NOT_FOUND)
		e->code = ERR_BAD_DATA;
	return -1;
}

int odb_read(git_odb_object **out, git_odb *odb, const git_oid *id)
{
	int rc;

	libgit2_opts()(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	rc = git_odb_read(out, odb, id);
	libgit2_opts()(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
	return rc;
}

int read_object(struct repo *r, const struct oid *o, git_object_t type, const char *what, git_odb_object **out,
    struct err *e)
{
	git_oid g = oid_to_git(o);
	char hex[GIT_OID_HEX];
	git_odb *odb;
	int rc;

	if (repo_odb(r, &odb, e))
		return -1;
	rc = odb_read(out, odb, &g);
	/* a missing delta base is "not found" too: tell it from an object that is not here at all */
	if (rc == GIT_ENOTFOUND && !git_odb_exists(odb, &g))
		return missing(r, o, what, e);
	if (rc < 0)
		return damaged(rc, o, what, e);
	if (git_odb_object_type(*out) == type)
		return 0;
	err_set(e, ERR_BAD_DATA, "%.10s is a %s, not a %s", oid_hex(hex, o), git_object_type2string(
	    git_odb_object_type(*out)), what);
	git_odb_object_free(*out);
	return -1;
}

bool repo_has_object(struct repo *r, const struct oid *o)
{
	git_oid g = oid_to_git(o);
	struct err e = ERR_INIT;
	git_odb *odb;

	return repo_odb(r, &odb, &e) == 0 && git_odb_exists(odb, &g);
}

/* --- commits --- */

int64_t line_time(const char *p, const char *end)
{
	int64_t t = 0;

	while (end > p && end[-1] != '>')
		end--;
	for (; *end == ' '; end++)
		;
	for (; *end >= '0' && *end <= '9' && t < INT64_MAX / 100000; end++)
		t = t * 10 + (*end - '0');
	return t * 1000;
}

/* The head of a raw commit: tree, parents, author, committer. Raw objects of libgit2 end with a NUL. */
static bool parse_links(const char *p, struct commit_links *out, struct oids *parents)
{
	const char *eol;

	parents->len = 0;
	if (strncmp(p, "tree ", 5) != 0 || !oid_scan(p + 5, &out->tree) || p[45] != '\n')
		return false;
	for (p += 46; !strncmp(p, "parent ", 7); p += 48) {
		struct oid *o = array_add(parents);

		if (!oid_scan(p + 7, o) || p[47] != '\n')
			return false;
	}
	for (; *p && *p != '\n'; p = *eol ? eol + 1 : eol) {
		eol = strchr(p, '\n');
		if (!eol)
			eol = p + strlen(p);
		if (!strncmp(p, "committer ", 10)) {
			out->time = line_time(p, eol);
			break;
		}
	}
	return true;
}

static int read_links(struct repo *r, struct commit_slot *s, struct err *e)
{
	git_odb_object *obj;
	char hex[GIT_OID_HEX];
	bool ok;

	if (graph_lookup(r, &s->id, &s->links, &s->parents))
		return 0;
	s->links = (struct commit_links){ .n_parents = 0 };
	if (read_object(r, &s->id, GIT_OBJECT_COMMIT, "commit", &obj, e))
		return -1;
	ok = parse_links(git_odb_object_data(obj), &s->links, &s->parents);
	git_odb_object_free(obj);
	if (!ok)
		return err_set(e, ERR_BAD_DATA, "commit %.10s is malformed ('git fsck' tells more)", oid_hex(hex, &s->id));
	if (commit_is_border(r, &s->id)) {
		s->links.cut = s->parents.len > 0;
		s->parents.len = 0;
	}
	return 0;
}

static struct commit_slot *commit_slot(struct repo *r, const struct oid *id)
{
	uint32_t h;

	if (!r->commits)
		r->commits = xcalloc(1, sizeof(*r->commits));
	memcpy(&h, id->id, sizeof(h));
	return &r->commits->slots[h & (COMMIT_SLOTS - 1)];
}

int repo_links(struct repo *r, const struct oid *commit, struct commit_links *out, struct err *e)
{
	struct commit_slot *s = commit_slot(r, commit);

	if (!s->used || !oid_equal(&s->id, commit)) {
		s->id = *commit;
		s->used = false;
		if (read_links(r, s, e))
			return -1;
		s->used = true;
	}
	*out = s->links;
	out->parents = s->parents.items;
	out->n_parents = s->parents.len;
	return 0;
}

/* --- trees --- */

void tree_iter_init(struct tree_iter *it, git_odb_object *tree)
{
	it->p = git_odb_object_data(tree);
	it->end = it->p + git_odb_object_size(tree);
}

/* An entry is "mode name\0" and the 20 bytes of its id. */
bool tree_next(struct tree_iter *it, struct tree_item *out)
{
	const char *p = it->p, *end = it->end, *nul;

	if (p >= end)
		return false;
	for (out->mode = 0; p < end && *p >= '0' && *p <= '7'; p++)
		out->mode = out->mode * 8 + (unsigned)(*p - '0');
	if (p >= end || *p != ' ')
		return false;
	p++;
	nul = memchr(p, 0, (size_t)(end - p));
	if (!nul || end - nul < 21)
		return false;
	out->name = p;
	out->len = (size_t)(nul - p);
	memcpy(out->id.id, nul + 1, 20);
	it->p = nul + 21;
	return true;
}

int tree_entry(struct repo *r, const struct oid *tree, const char *name, size_t len, struct oid *out, unsigned *mode,
    struct err *e)
{
	git_odb_object *obj;
	struct tree_iter it;
	struct tree_item item;
	int found = 0;

	if (read_object(r, tree, GIT_OBJECT_TREE, "tree", &obj, e))
		return -1;
	tree_iter_init(&it, obj);
	while (!found && tree_next(&it, &item))
		found = item.len == len && !memcmp(item.name, name, len);
	git_odb_object_free(obj);
	if (found) {
		*out = item.id;
		*mode = item.mode;
	}
	return found;
}

void tree_list(struct repo *r, const struct oid *tree, const char *prefix, size_t max, struct arena *a,
    struct names *names)
{
	struct err e = ERR_INIT;
	git_odb_object *obj;
	struct tree_iter it;
	struct tree_item item;
	const char *path;

	if (strlen(prefix) > 4096 || read_object(r, tree, GIT_OBJECT_TREE, "tree", &obj, &e))
		return;
	tree_iter_init(&it, obj);
	while (names->len < max && tree_next(&it, &item)) {
		path = arena_printf(a, "%s%.*s", prefix, (int)item.len, item.name);
		if (item.mode == 0040000)
			tree_list(r, &item.id, arena_printf(a, "%s/", path), max, a, names);
		else
			*array_add(names) = path;
	}
	git_odb_object_free(obj);
}

int tree_path(struct repo *r, const struct oid *tree, const char *path, struct oid *out, unsigned *mode, struct err *e)
{
	const char *p = path;
	int rc;

	*out = *tree;
	*mode = 0040000;
	while (*p) {
		size_t n = strcspn(p, "/");
		struct oid in = *out;

		if (*mode != 0040000)
			return 0;
		rc = tree_entry(r, &in, p, n, out, mode, e);
		if (rc <= 0)
			return rc;
		p += n;
		if (*p == '/' && !*++p)
			return 0;   /* "dir/" is no name from the top */
	}
	return 1;
}

int repo_tree_path(struct repo *r, const struct oid *commit, const char *path, struct oid *out, unsigned *mode,
    struct err *e)
{
	struct commit_links l;
	char hex[GIT_OID_HEX];
	unsigned m;
	int rc;

	if (repo_links(r, commit, &l, e))
		return -1;
	rc = tree_path(r, &l.tree, path, out, &m, e);
	if (rc < 0)
		return -1;
	if (!rc)
		return err_set(e, ERR_NOT_FOUND, "commit %.10s has no '%s'", oid_hex(hex, commit), path);
	if (mode)
		*mode = m;
	return 0;
}

/* --- blobs --- */

int repo_blob(struct repo *r, const struct oid *blob, size_t max, struct buf *out, struct err *e)
{
	git_odb_object *obj;
	uint64_t size;

	if (max && repo_blob_size(r, blob, &size) && size > max)
		return err_set(e, ERR_BAD_DATA, "the file is too big: %llu bytes; at most %zu are read", (unsigned long long)size,
		    max);
	if (read_object(r, blob, GIT_OBJECT_BLOB, "blob", &obj, e))
		return -1;
	buf_add(out, git_odb_object_data(obj), git_odb_object_size(obj));
	git_odb_object_free(obj);
	return 0;
}

bool repo_blob_size(struct repo *r, const struct oid *blob, uint64_t *size)
{
	git_oid g = oid_to_git(blob);
	struct err e = ERR_INIT;
	git_object_t type;
	git_odb *odb;
	size_t n;

	if (repo_odb(r, &odb, &e) || git_odb_read_header(&n, &type, odb, &g) < 0 || type != GIT_OBJECT_BLOB)
		return false;
	*size = n;
	return true;
}

bool buf_is_binary(const struct buf *b)
{
	return b->len && memchr(b->ptr, 0, b->len < 8000 ? b->len : 8000);
}
