/* SPDX-License-Identifier: MIT */
/*
 * Objects straight out of packs: every version of a few files, packed by git with long chains of deltas (by distance and
 * by name), reads as what its id says; a pack that is damaged does no harm.
 */
#include "unit.h"
#include <sys/stat.h>
#include "killick/base/file.h"
#include "killick/base/hash.h"
#include "killick/base/proc.h"
#include "../../src/git/git.h"
#include "../../src/git/packs.h"

enum { VERSIONS = 120 };

struct world { char *dir; struct buf ids; };

static void git(const char *dir, struct buf *in, struct buf *out, const char *a, const char *b, const char *c)
{
	const char *argv[] = { "git", "-c", "repack.useDeltaBaseOffset=true", a, b, c, NULL };
	static const char *const env[] = { "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_DIR", NULL };
	struct proc p = { .argv = argv, .dir = dir, .env = env, .in = in ? in->ptr : NULL, .in_len = in ? in->len : 0,
		.out = out, .timeout_ms = 60000 };
	struct err e = ERR_INIT;
	if (proc_run_ok(&p, &e))
		fail_msg("git %s: %s", a, e.msg);
}

/* One file that grows and changes in the middle, one of bytes that no delta helps, an empty one. */
static void versions_add(struct buf *in, unsigned i, uint64_t *seed)
{
	struct buf text = BUF_INIT, noise = BUF_INIT;
	for (unsigned k = 0; k < 400 + i; k++)
		buf_addf(&text, "line %u of the file, which was %u in version %u\n", k, k * 7, k % 17 == i % 17 ? i : k % 5);
	for (unsigned k = 0; k < 500; k++)
		buf_addch(&noise, (int)(random_next(seed) >> 40 & 0xff));
	buf_addf(in, "commit refs/heads/main\ncommitter A <a@b.c> %u +0000\ndata 2\nx\n", 1600000000 + i);
	buf_addf(in, "M 644 inline a.txt\ndata %zu\n", text.len);
	buf_addbuf(in, &text);
	buf_addf(in, "\nM 644 inline d/noise\ndata %zu\n", noise.len);
	buf_addbuf(in, &noise);
	buf_addstr(in, "\nM 644 inline d/empty\ndata 0\n\n");
	buf_release(&text);
	buf_release(&noise);
}

static void world_make(struct world *w)
{
	struct buf in = BUF_INIT;
	uint64_t seed = 42;
	w->dir = scratch_make();
	buf_init(&w->ids);
	git(w->dir, NULL, NULL, "init", "-q", "--bare");
	for (unsigned i = 0; i < VERSIONS; i++)
		versions_add(&in, i, &seed);
	git(w->dir, &in, NULL, "fast-import", "--quiet", NULL);
	git(w->dir, NULL, NULL, "repack", "-adfq", "--depth=50");
	git(w->dir, NULL, &w->ids, "cat-file", "--batch-check", "--batch-all-objects");
	buf_release(&in);
}

static void world_end(struct world *w)
{
	buf_release(&w->ids);
	scratch_remove(w->dir);
}

static struct packs *packs_of(const struct world *w)
{
	char *objects = xasprintf("%s/objects", w->dir);
	struct packs *p = packs_open(objects);
	free(objects);
	return p;
}

/* Reads every object; how many could be had. Of a sound pack they are what their ids say. */
static unsigned all_read(const struct world *w, bool sound, unsigned *blobs)
{
	struct packs *p = packs_of(w);
	unsigned good = 0;
	*blobs = 0;
	for (const char *l = w->ids.ptr, *nl; (nl = strchr(l, '\n')); l = nl + 1) {
		struct oid id;
		struct buf b = BUF_INIT;
		char hex[GIT_OID_HEX];
		bool tree = !strncmp(l + 41, "tree", 4);
		if (!oid_scan(l, &id) || (!tree && strncmp(l + 41, "blob", 4)))
			continue;
		buf_addstr(&b, "");
		if (packs_read(p, id.id, tree ? PACK_TREE : PACK_BLOB, 1 << 24, &b)) {
			good++;
			if (!tree && sound) {
				hash_git_blob(hex, b.ptr, b.len);
				assert_memory_equal(hex, l, 40);
			}
			struct buf none = BUF_INIT;
			assert_false(packs_read(p, id.id, tree ? PACK_BLOB : PACK_TREE, 1 << 24, &none));
			buf_release(&none);
		}
		++*blobs;
		buf_release(&b);
	}
	packs_close(p);
	return good;
}

static void packs_whole(void **state UNUSED)
{
	struct world w;
	unsigned all;
	world_make(&w);
#ifdef HAVE_ZLIB
	unsigned good = all_read(&w, true, &all);
	assert_int_equal(good, all);
	assert_true(all > 2 * VERSIONS);
#endif
	/* Bases named by id. */
	git(w.dir, NULL, NULL, "config", "repack.useDeltaBaseOffset", "false");
	git(w.dir, NULL, NULL, "repack", "-adfq", "--window=20");
#ifdef HAVE_ZLIB
	assert_int_equal(all_read(&w, true, &all), all);
#endif
	world_end(&w);
}

static void packs_limits(void **state UNUSED)
{
	struct world w;
	struct oid id, other = { { 1, 2, 3 } };
	struct buf b = BUF_INIT;
	world_make(&w);
	git(w.dir, NULL, &b, "rev-parse", "main:a.txt", NULL);
	assert_true(oid_scan(b.ptr, &id));
	buf_reset(&b);
	struct packs *p = packs_of(&w);
	assert_false(packs_read(p, id.id, PACK_BLOB, 100, &b));
	assert_false(packs_read(p, other.id, PACK_BLOB, 1 << 24, &b));
	assert_int_equal(b.len, 0);
	packs_close(p);
	p = packs_open("/nowhere/at/all");
	assert_false(packs_read(p, id.id, PACK_BLOB, 1 << 24, &b));
	packs_close(p);
	buf_release(&b);
	world_end(&w);
}

static char *pack_file(const struct world *w, const char *ext)
{
	struct buf b = BUF_INIT;
	char *folder = xasprintf("%s/objects/pack", w->dir), *path = NULL;
	const char *argv[] = { "ls", folder, NULL };
	struct proc p = { .argv = argv, .out = &b };
	struct err e = ERR_INIT;
	assert_int_equal(proc_run_ok(&p, &e), 0);
	for (char *l = b.ptr, *nl; !path && (nl = strchr(l, '\n')); l = nl + 1) {
		*nl = '\0';
		if (str_ends(l, ext))
			path = xasprintf("%s/%s", folder, l);
	}
	buf_release(&b);
	free(folder);
	assert_non_null(path);
	return path;
}

/* Bytes of the file turned over, here and there, and its end cut off: nothing is read or written outside (sanitizers say). */
static void packs_damage(const char *ext)
{
	struct world w;
	struct buf was = BUF_INIT;
	struct err e = ERR_INIT;
	uint64_t seed = 7;
	unsigned all;
	world_make(&w);
	char *path = pack_file(&w, ext);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(file_read(path, 0, &was, &e), 0);
	for (unsigned round = 0; round < 25; round++) {
		struct buf now = BUF_INIT;
		buf_addbuf(&now, &was);
		for (unsigned k = 0; k < 1 + round / 2; k++)
			now.ptr[random_next(&seed) % now.len] ^= (char)(1 + random_next(&seed) % 255);
		if (round % 5 == 4)
			buf_setlen(&now, random_next(&seed) % now.len);
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(now.ptr, 1, now.len, f), now.len);
		assert_int_equal(fclose(f), 0);
		assert_true(all_read(&w, false, &all) <= all);
		buf_release(&now);
	}
	free(path);
	buf_release(&was);
	world_end(&w);
}

static void packs_damaged(void **state UNUSED) { packs_damage(".pack"); }

static void index_damaged(void **state UNUSED)
{
	struct world w;
	struct buf was = BUF_INIT, b = BUF_INIT;
	struct err e = ERR_INIT;
	uint64_t seed = 9;
	world_make(&w);
	char *path = pack_file(&w, ".idx");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(file_read(path, 0, &was, &e), 0);
	for (unsigned round = 0; round < 25; round++) {
		size_t len = round % 5 == 4 ? random_next(&seed) % was.len : was.len;
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		for (size_t i = 0; i < len; i++)
			fputc(i % 61 == round ? (int)(random_next(&seed) & 0xff) : was.ptr[i], f);
		assert_int_equal(fclose(f), 0);
		struct packs *p = packs_of(&w);
		for (const char *l = w.ids.ptr, *nl; (nl = strchr(l, '\n')); l = nl + 1) {
			struct oid id;
			buf_reset(&b);
			if (oid_scan(l, &id))
				packs_read(p, id.id, PACK_BLOB, 1 << 24, &b);
		}
		packs_close(p);
	}
	free(path);
	buf_release(&was);
	buf_release(&b);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packs_whole), cmocka_unit_test(packs_limits), cmocka_unit_test(packs_damaged),
		cmocka_unit_test(index_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
