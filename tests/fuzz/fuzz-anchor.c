/* SPDX-License-Identifier: MIT */
/*
 * Anchors: no crash, and what parses is printed in a form that parses to the same, with and without a repository (one
 * in which exists whatever has an even hash, so that every text meets every answer). A text that is a JSON object is
 * read as an op's anchor, and what is sound must survive being written.
 */
#include "config.h"
#include <string.h>
#include "fuzz.h"
#include "killick/base/hash.h"
#include "killick/model/anchor.h"

static bool exists(const char *what, const char *s)
{
	return (hash64(s, strlen(s)) ^ hash64(what, 1)) % 2 == 0;
}

/* Sound paths only, as a repository has them; they are their own place from the top. */
static bool is_path(void *ctx, const char *path, const char *rev, struct arena *a, const char **top)
{
	struct anchor an = { .type = ANCHOR_FILE, .path = path }, got;
	struct err e = ERR_INIT;
	json_t *j = anchor_to_op(&an);
	bool sound = !anchor_from_op(a, j, &got, &e) && !strcmp(got.path, path);

	(void)ctx;
	(void)rev;
	json_decref(j);
	*top = arena_strdup(a, path);
	return sound && exists("p", path);
}

static bool is_commit(void *ctx, const char *rev)
{
	(void)ctx;
	return exists("c", rev);
}

static bool is_task(void *ctx, const char *name)
{
	(void)ctx;
	return exists("t", name);
}

static void check_text(struct arena *a, const char *text, const struct anchor_resolver *r)
{
	const unsigned flags = ANCHOR_WITH_COMMIT | ANCHOR_FULL_OID;
	struct anchor an, back;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;

	if (anchor_parse(a, text, r, &an, &e)) {
		FUZZ_CHECK((e.code == ERR_USAGE || e.code == ERR_NOT_FOUND) && e.msg[0]);
		return;
	}
	anchor_format_in(&b, &an, flags, r);
	/* A revision without its path beside it need not be long enough or well-formed for anything. */
	if (anchor_parse(a, b.ptr, r, &back, &e) || !anchor_same(&an, &back))
		BUG("'%s' is printed as '%s': %s", text, b.ptr, e.msg);
	buf_release(&b);
}

static void check_op(struct arena *a, const char *text, size_t n)
{
	struct err e = ERR_INIT;
	json_t *j = json_read(text, n, "anchor", &e), *again;
	struct anchor an, back;
	struct buf b = BUF_INIT;

	if (j && !anchor_from_op(a, j, &an, &e)) {
		again = anchor_to_op(&an);
		FUZZ_CHECK(!anchor_from_op(a, again, &back, &e) && anchor_same(&an, &back));
		anchor_format(&b, &an, ANCHOR_WITH_COMMIT);
		json_decref(again);
		json_decref(anchor_json(&an));
		check_text(a, b.ptr, NULL);
	}
	json_decref(j);
	buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct anchor_resolver r = { .is_path = is_path, .is_commit = is_commit, .is_task = is_task };
	struct arena a = ARENA_INIT;
	struct buf once = BUF_INIT, twice = BUF_INIT;
	const char *text = arena_memdup(&a, p, n);

	check_text(&a, text, NULL);
	check_text(&a, text, &r);
	if (*text == '{')
		check_op(&a, text, n);
	anchor_slug(&once, text, n);
	anchor_slug(&twice, once.ptr, once.len);
	FUZZ_CHECK(!strcmp(once.ptr, twice.ptr));
	buf_release(&once);
	buf_release(&twice);
	arena_release(&a);
	return 0;
}
