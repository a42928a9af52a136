/* SPDX-License-Identifier: MIT */
/*
 * Anchors as text: tables of what must read as what, with and without a repository, and properties over random anchors
 * with names chosen to be misread.
 */
#include "config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "killick/base/utf8.h"
#include "killick/model/anchor.h"

#define OID "3f2a9c1d5b7e8f901234567890abcdef12345678"

/* ---- a repository that tells the truth ---- */

struct world {
	const char *paths[64], *revs[16], *tasks[16];   /* NULL-terminated */
};

static bool in(const char *const *list, const char *s)
{
	for (; *list; list++)
		if (!strcmp(*list, s))
			return true;
	return false;
}

/* The top folder is the working folder; "./" is taken off as the shell's completion leaves it. */
static bool world_path(void *ctx, const char *path, const char *rev, struct arena *a, const char **top)
{
	const struct world *w = ctx;

	while (str_starts(path, "./"))
		path += 2;
	*top = arena_strdup(a, path);
	return (!*path || in(w->paths, path)) && (!rev || in(w->revs, rev));
}

static bool world_commit(void *ctx, const char *rev)
{
	return in(((const struct world *)ctx)->revs, rev);
}

static bool world_task(void *ctx, const char *name)
{
	return in(((const struct world *)ctx)->tasks, name);
}

static bool world_permalink(void *ctx, const char *url, struct arena *a, struct anchor *out)
{
	(void)ctx;
	*out = (struct anchor){ .type = ANCHOR_LINES, .path = arena_strdup(a, "src/x.c"), .line = 10, .end = 20, .commit = OID };
	return !strcmp(url, "https://forge/acme/widget/blob/main/src/x.c#L10-L20");
}

static const char *world_nearest(void *ctx, const char *path, struct arena *a)
{
	(void)ctx;
	return !strcmp(path, "src/y.c") ? arena_strdup(a, "src/x.c") : NULL;
}

static struct anchor_resolver resolver(struct world *w)
{
	return (struct anchor_resolver){
		.ctx = w, .is_path = world_path, .is_commit = world_commit, .is_task = world_task,
		.permalink = world_permalink, .nearest = world_nearest,
	};
}

static struct world odd_world(void)
{
	return (struct world){
		.paths = {
			"src/net/http.c", "src/x.c", "docs/guide.md", "a", "a:12", "-x", "x@y", "a#b", "a\nb", "HEAD~2", "GH-412",
			"say \"hi\"", "win\\dows.c", "gr\xc3\xbc\xc3\x9f.c", " lead", "trail ", "commit:x", "path:y", "!58", "https://x",
			"lat\xff.c", "\"q\"", "deadbeef", "src", NULL,
		},
		.revs = { "HEAD", "HEAD~2", "v1.2", "main", "3f2a9c1", OID, "GH-413", "HEAD@{1}", "x#y", "main^{/fix a:1}", NULL },
		.tasks = { "GH-412", "GH-413", "#412", "!58", "!59", "odd name", NULL },
	};
}

/* ---- tables ---- */

struct row {
	const char *text;
	struct anchor want;
	enum err_code code;      /* not 0: fails so, with */
	const char *message;     /* in it */
};

#define FILE_(p) { .type = ANCHOR_FILE, .path = (p) }
#define LINES_(p, from, to) { .type = ANCHOR_LINES, .path = (p), .line = (from), .end = (to) }

static const struct row with_world[] = {
	{ ".", { .type = ANCHOR_PROJECT } },
	{ "./", { .type = ANCHOR_PROJECT } },
	{ "src/net/http.c", FILE_("src/net/http.c") },
	{ "./src/net/http.c", FILE_("src/net/http.c") },
	{ "src", FILE_("src") },
	{ "src/net/http.c@v1.2", { .type = ANCHOR_FILE, .path = "src/net/http.c", .commit = "v1.2" } },
	{ "src/net/http.c:120", LINES_("src/net/http.c", 120, 120) },
	{ "src/net/http.c:0120", LINES_("src/net/http.c", 120, 120) },
	{ "src/net/http.c:120-131", LINES_("src/net/http.c", 120, 131) },
	{ "src/net/http.c:120-131@HEAD~2", { .type = ANCHOR_LINES, .path = "src/net/http.c", .line = 120, .end = 131,
	    .commit = "HEAD~2" } },
	{ "src/net/http.c:7~", { .type = ANCHOR_LINES, .path = "src/net/http.c", .line = 7, .end = 7, .side = SIDE_OLD } },
	{ "src/net/http.c:7-9~@main", { .type = ANCHOR_LINES, .path = "src/net/http.c", .line = 7, .end = 9, .side = SIDE_OLD,
	    .commit = "main" } },
	{ "src/x.c#L7", LINES_("src/x.c", 7, 7) },
	{ "src/x.c#L7-L9", LINES_("src/x.c", 7, 9) },
	{ "src/x.c#L7-9@main", { .type = ANCHOR_LINES, .path = "src/x.c", .line = 7, .end = 9, .commit = "main" } },
	{ "src/x.c@HEAD@{1}", { .type = ANCHOR_FILE, .path = "src/x.c", .commit = "HEAD@{1}" } },
	{ "src/x.c@x#y", { .type = ANCHOR_FILE, .path = "src/x.c", .commit = "x#y" } },
	{ "src/x.c:3@main^{/fix a:1}", { .type = ANCHOR_LINES, .path = "src/x.c", .line = 3, .end = 3,
	    .commit = "main^{/fix a:1}" } },
	{ "docs/guide.md#install/debian", { .type = ANCHOR_SECTION, .path = "docs/guide.md", .section = "install/debian" } },
	{ "docs/guide.md#Install/On Debian!", { .type = ANCHOR_SECTION, .path = "docs/guide.md",
	    .section = "install/on-debian" } },
	{ "docs/guide.md#install@v1.2", { .type = ANCHOR_SECTION, .path = "docs/guide.md", .section = "install",
	    .commit = "v1.2" } },
	/* names win */
	{ "a:12", FILE_("a:12") },
	{ "a:13", LINES_("a", 13, 13) },
	{ "a:12:4", LINES_("a:12", 4, 4) },
	{ "a:12@main", { .type = ANCHOR_FILE, .path = "a:12", .commit = "main" } },
	{ "path:\"a\":12", LINES_("a", 12, 12) },
	{ "a#b", FILE_("a#b") },
	{ "a#c", { .type = ANCHOR_SECTION, .path = "a", .section = "c" } },
	{ "a#b#c", { .type = ANCHOR_SECTION, .path = "a#b", .section = "c" } },
	{ "x@y", FILE_("x@y") },
	{ "x@y@v1.2", { .type = ANCHOR_FILE, .path = "x@y", .commit = "v1.2" } },
	{ "x@y:3-4", LINES_("x@y", 3, 4) },
	{ "-x", FILE_("-x") },
	{ "-x:3", LINES_("-x", 3, 3) },
	{ "a\nb", FILE_("a\nb") },
	{ "a\nb:2", LINES_("a\nb", 2, 2) },
	{ "path:\"a\\nb\":2", LINES_("a\nb", 2, 2) },
	{ "\"a\\nb\"", FILE_("a\nb") },
	{ "\"q\"", FILE_("\"q\"") },
	{ "\"\\\"q\\\"\"", FILE_("\"q\"") },
	{ "say \"hi\":1", LINES_("say \"hi\"", 1, 1) },
	{ "win\\dows.c:1", LINES_("win\\dows.c", 1, 1) },
	{ "gr\xc3\xbc\xc3\x9f.c:1", LINES_("gr\xc3\xbc\xc3\x9f.c", 1, 1) },
	{ "\"gr\\303\\274\\303\\237.c\"", FILE_("gr\xc3\xbc\xc3\x9f.c") },
	{ "lat\xff.c:1", LINES_("lat\xff.c", 1, 1) },
	{ "\"lat\\377.c\":1", LINES_("lat\xff.c", 1, 1) },
	{ " lead", FILE_(" lead") },
	{ "trail ", FILE_("trail ") },
	{ "trail :5", LINES_("trail ", 5, 5) },
	{ "HEAD~2", FILE_("HEAD~2") },
	{ "commit:HEAD~2", { .type = ANCHOR_COMMIT, .commit = "HEAD~2" } },
	{ "GH-412", FILE_("GH-412") },
	{ "task:GH-412", { .type = ANCHOR_TASK, .task = "GH-412" } },
	{ "!58", FILE_("!58") },
	{ "change:58", { .type = ANCHOR_CHANGE, .task = "58" } },
	{ "change:!58", { .type = ANCHOR_CHANGE, .task = "58" } },
	{ "commit:x", FILE_("commit:x") },
	{ "commit:x:2-3", LINES_("commit:x", 2, 3) },
	{ "commit:x@main", { .type = ANCHOR_FILE, .path = "commit:x", .commit = "main" } },
	{ "path:y", FILE_("path:y") },
	{ "path:path:y", FILE_("path:y") },
	{ "path:a:12", FILE_("a:12") },
	{ "./a:13", LINES_("a", 13, 13) },
	{ "./HEAD~2", FILE_("HEAD~2") },
	{ "https://x", FILE_("https://x") },
	{ "deadbeef", FILE_("deadbeef") },
	/* what is no path */
	{ "HEAD", { .type = ANCHOR_COMMIT, .commit = "HEAD" } },
	{ "v1.2", { .type = ANCHOR_COMMIT, .commit = "v1.2" } },
	{ "HEAD@{1}", { .type = ANCHOR_COMMIT, .commit = "HEAD@{1}" } },
	{ "main^{/fix a:1}", { .type = ANCHOR_COMMIT, .commit = "main^{/fix a:1}" } },
	{ "3f2a9c1", { .type = ANCHOR_COMMIT, .commit = "3f2a9c1" } },
	{ "GH-413", { .type = ANCHOR_TASK, .task = "GH-413" } },
	{ "commit:GH-413", { .type = ANCHOR_COMMIT, .commit = "GH-413" } },
	{ "#412", { .type = ANCHOR_TASK, .task = "#412" } },
	{ "odd name", { .type = ANCHOR_TASK, .task = "odd name" } },
	{ "!59", { .type = ANCHOR_CHANGE, .task = "59" } },
	{ "https://forge/acme/widget/blob/main/src/x.c#L10-L20", { .type = ANCHOR_LINES, .path = "src/x.c", .line = 10,
	    .end = 20, .commit = OID } },
	/* mistakes */
	{ "", { 0 }, ERR_USAGE, "PATH:LINE" },
	{ "src/x.c:0", { 0 }, ERR_USAGE, "count from 1" },
	{ "src/x.c:0-5", { 0 }, ERR_USAGE, "count from 1" },
	{ "src/x.c:9-7", { 0 }, ERR_USAGE, "write src/x.c:7-9" },
	{ "src/x.c:9-0", { 0 }, ERR_USAGE, "backwards" },
	{ "src/x.c:120-", { 0 }, ERR_USAGE, "end of the range is missing" },
	{ "src/x.c:", { 0 }, ERR_USAGE, "line number is missing" },
	{ "src/x.c:12:5", { 0 }, ERR_USAGE, "write src/x.c:12" },
	{ "src/x.c:12x", { 0 }, ERR_USAGE, "no line or range" },
	{ "src/x.c:12-x", { 0 }, ERR_USAGE, "end of the range is missing" },
	{ "src/x.c:12~~", { 0 }, ERR_USAGE, "" },
	{ "src/x.c:12@", { 0 }, ERR_USAGE, "" },
	{ "src/x.c:2147483648", { 0 }, ERR_USAGE, "so many lines" },
	{ "src/x.c:99999999999999999999999999", { 0 }, ERR_USAGE, "so many lines" },
	{ "src/x.c:1-99999999999999999999999999", { 0 }, ERR_USAGE, "so many lines" },
	{ "src/x.c#L0", { 0 }, ERR_USAGE, "count from 1" },
	{ "src/x.c#L9-L7", { 0 }, ERR_USAGE, "backwards" },
	{ "src/x.c:-5", { 0 }, ERR_NOT_FOUND, "" },
	{ "./:3", { 0 }, ERR_USAGE, "whole project" },
	{ "src/y.c", { 0 }, ERR_NOT_FOUND, "did you mean 'src/x.c'" },
	{ "src/y.c:12", { 0 }, ERR_NOT_FOUND, "no file 'src/y.c'; did you mean 'src/x.c'" },
	{ "src/z.c@v1.2", { 0 }, ERR_NOT_FOUND, "no file 'src/z.c' in v1.2" },
	{ "src/x.c@nope", { 0 }, ERR_NOT_FOUND, "no revision 'nope'" },
	{ "src/x.c:3@nope", { 0 }, ERR_NOT_FOUND, "no revision 'nope'" },
	{ "docs/guide.md#install@nope", { 0 }, ERR_NOT_FOUND, "no revision 'nope'" },
	{ "docs/guide.md#", { 0 }, ERR_NOT_FOUND, "docs/guide.md#" },
	{ "docs/guide.md#???", { 0 }, ERR_NOT_FOUND, "" },
	{ "src\\x.c", { 0 }, ERR_NOT_FOUND, "written with '/'" },
	{ "nope", { 0 }, ERR_NOT_FOUND, "PATH:LINE" },
	{ "GH-999", { 0 }, ERR_NOT_FOUND, "no task 'GH-999'" },
	{ "!999", { 0 }, ERR_NOT_FOUND, "no change '!999'" },
	{ "commit:nope", { 0 }, ERR_NOT_FOUND, "no revision" },
	{ "commit:", { 0 }, ERR_USAGE, "missing" },
	{ "commit:-x", { 0 }, ERR_NOT_FOUND, "no revision" },
	{ "task:", { 0 }, ERR_USAGE, "cannot be" },
	{ "task:a\nb", { 0 }, ERR_USAGE, "cannot be" },
	{ "change:", { 0 }, ERR_USAGE, "cannot be" },
	{ "path:", { 0 }, ERR_USAGE, "missing" },
	{ "path:nope", { 0 }, ERR_NOT_FOUND, "no file" },
	{ "path:HEAD", { 0 }, ERR_NOT_FOUND, "no file" },
	{ "./HEAD", { 0 }, ERR_NOT_FOUND, "no file" },
	{ "path:\"a", { 0 }, ERR_USAGE, "quote at its end" },
	{ "path:\"a\\q\"", { 0 }, ERR_USAGE, "quote" },
	{ "path:\"a\\000\"", { 0 }, ERR_USAGE, "quote" },
	{ "path:\"a\\8\"", { 0 }, ERR_USAGE, "quote" },
	{ "path:\"a\\", { 0 }, ERR_USAGE, "quote" },
	{ "path:\"a\"x", { 0 }, ERR_USAGE, "cannot stand behind" },
	{ "path:\"a\":0", { 0 }, ERR_USAGE, "count from 1" },
	{ "path:\"\"", { 0 }, ERR_NOT_FOUND, "no file" },
	{ "https://elsewhere/x", { 0 }, ERR_NOT_FOUND, "no permalink" },
};

static const struct row without_world[] = {
	{ ".", { .type = ANCHOR_PROJECT } },
	{ "src/x.c", FILE_("src/x.c") },
	{ "./src//net/../x.c", FILE_("src/x.c") },
	{ "src/x.c:12", LINES_("src/x.c", 12, 12) },
	{ "a:12@main", { .type = ANCHOR_LINES, .path = "a", .line = 12, .end = 12, .commit = "main" } },
	{ "a#b", { .type = ANCHOR_SECTION, .path = "a", .section = "b" } },
	{ "a#b:12", LINES_("a#b", 12, 12) },
	{ "x@y", { .type = ANCHOR_FILE, .path = "x", .commit = "y" } },
	{ "HEAD", { .type = ANCHOR_COMMIT, .commit = "HEAD" } },
	{ "@", { .type = ANCHOR_COMMIT, .commit = "@" } },
	{ "HEAD~2", { .type = ANCHOR_COMMIT, .commit = "HEAD~2" } },
	{ "HEAD@{1}", { .type = ANCHOR_COMMIT, .commit = "HEAD@{1}" } },
	{ "3f2a9c1", { .type = ANCHOR_COMMIT, .commit = "3f2a9c1" } },
	{ "GH-412", { .type = ANCHOR_TASK, .task = "GH-412" } },
	{ "T-3f9c2a", { .type = ANCHOR_TASK, .task = "T-3f9c2a" } },
	{ "#412", { .type = ANCHOR_TASK, .task = "#412" } },
	{ "!58", { .type = ANCHOR_CHANGE, .task = "58" } },
	{ "./GH-412", FILE_("GH-412") },
	{ "GH-412.txt", FILE_("GH-412.txt") },
	{ "v1.2", FILE_("v1.2") },
	{ "../x", { 0 }, ERR_USAGE, "not inside" },
	{ "/etc/passwd", { 0 }, ERR_USAGE, "not inside" },
	{ "a/../../x", { 0 }, ERR_USAGE, "not inside" },
	{ "x:0", { 0 }, ERR_USAGE, "count from 1" },
	{ "https://x/y", { 0 }, ERR_NOT_FOUND, "no permalink" },
};

static void describe(struct buf *b, const struct anchor *an)
{
	buf_addf(b, "%s path=%s %u-%u side=%d commit=%s section=%s task=%s", anchor_type_name(an->type),
	    an->path ? an->path : "-", an->line, an->end, an->side, an->commit ? an->commit : "-",
	    an->section ? an->section : "-", an->task ? an->task : "-");
}

static void check_row(const struct row *row, const struct anchor_resolver *r)
{
	static const struct anchor untouched = { .type = ANCHOR_CHANGE, .task = "untouched" };
	struct arena a = ARENA_INIT;
	struct anchor got = untouched;
	struct err e = ERR_INIT;
	struct buf x = BUF_INIT, y = BUF_INIT;
	int st = anchor_parse(&a, row->text, r, &got, &e);

	if (row->code) {
		if (!st || e.code != row->code || !strstr(e.msg, row->message))
			fail_msg("'%s': status %d, code %d, \"%s\"", row->text, st, e.code, e.msg);
		assert_true(anchor_same(&got, &untouched));
	} else {
		describe(&x, &got);
		describe(&y, &row->want);
		if (st || !anchor_same(&got, &row->want))
			fail_msg("'%s': %s %s, wanted %s", row->text, e.msg, x.ptr, y.ptr);
	}
	buf_release(&x);
	buf_release(&y);
	arena_release(&a);
}

static void test_parse_with_a_repository(void **state)
{
	struct world w = odd_world();
	struct anchor_resolver r = resolver(&w);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(with_world); i++)
		check_row(&with_world[i], &r);
}

static void test_parse_by_syntax_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(without_world); i++)
		check_row(&without_world[i], NULL);
}

/* A resolver without functions says no to everything and must not crash. */
static void test_empty_resolver(void **state)
{
	struct anchor_resolver none = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(with_world); i++) {
		struct arena a = ARENA_INIT;
		struct anchor got;
		struct err e = ERR_INIT;

		assert_int_equal(anchor_parse(&a, with_world[i].text, &none, &got, &e), strcmp(with_world[i].text, ".") ? -1 : 0);
		arena_release(&a);
	}
}

static void test_long_texts(void **state)
{
	static const char *const bits[] = { "@", ":1", "#x", "x", "\"", "\\", "../", ":", "@{", "path:\"\\", "\xff" };
	struct world w = odd_world();
	struct anchor_resolver r = resolver(&w);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		for (size_t size = 8000; size <= 100000; size += 92000) {
			struct arena a = ARENA_INIT;
			struct anchor got;
			struct err e = ERR_INIT;
			struct buf b = BUF_INIT;

			while (b.len < size)
				buf_addstr(&b, bits[i]);
			assert_int_equal(anchor_parse(&a, b.ptr, &r, &got, &e), -1);
			anchor_parse(&a, b.ptr, NULL, &got, &e);
			buf_release(&b);
			arena_release(&a);
		}
	}
}

/* ---- printing ---- */

static const struct { struct anchor an; unsigned flags; const char *text; } printed[] = {
	{ { .type = ANCHOR_PROJECT }, 0, "." },
	{ FILE_("src/x.c"), ANCHOR_WITH_COMMIT, "src/x.c" },
	{ { .type = ANCHOR_FILE, .path = "src/x.c", .commit = OID }, 0, "src/x.c" },
	{ { .type = ANCHOR_FILE, .path = "src/x.c", .commit = OID }, ANCHOR_WITH_COMMIT, "src/x.c@3f2a9c1" },
	{ { .type = ANCHOR_FILE, .path = "src/x.c", .commit = OID }, ANCHOR_WITH_COMMIT | ANCHOR_FULL_OID, "src/x.c@" OID },
	{ LINES_("src/x.c", 120, 120), 0, "src/x.c:120" },
	{ LINES_("src/x.c", 120, 131), 0, "src/x.c:120-131" },
	{ { .type = ANCHOR_LINES, .path = "src/x.c", .line = 3, .end = 4, .side = SIDE_OLD, .commit = "HEAD~2" },
	    ANCHOR_WITH_COMMIT, "src/x.c:3-4~@HEAD~2" },
	{ { .type = ANCHOR_SECTION, .path = "docs/guide.md", .section = "install/debian" }, 0, "docs/guide.md#install/debian" },
	{ { .type = ANCHOR_COMMIT, .commit = OID }, 0, "3f2a9c1" },
	{ { .type = ANCHOR_COMMIT, .commit = OID }, ANCHOR_FULL_OID, OID },
	{ { .type = ANCHOR_COMMIT, .commit = "HEAD~2" }, 0, "HEAD~2" },
	{ { .type = ANCHOR_COMMIT, .commit = "v1.2" }, 0, "commit:v1.2" },
	{ { .type = ANCHOR_TASK, .task = "GH-412" }, 0, "GH-412" },
	{ { .type = ANCHOR_TASK, .task = "T-3f9c2a" }, 0, "T-3f9c2a" },
	{ { .type = ANCHOR_TASK, .task = "#412" }, 0, "#412" },
	{ { .type = ANCHOR_TASK, .task = "odd name" }, 0, "task:odd name" },
	{ { .type = ANCHOR_CHANGE, .task = "58" }, 0, "!58" },
	{ { .type = ANCHOR_CHANGE, .task = "Iabc" }, 0, "change:Iabc" },
	{ FILE_("README"), 0, "README" },
	{ FILE_("gr\xc3\xbc\xc3\x9f.c"), 0, "gr\xc3\xbc\xc3\x9f.c" },
	{ FILE_("with blank.c"), 0, "with blank.c" },
	{ FILE_("a:12"), 0, "path:\"a:12\"" },
	{ LINES_("a:12", 4, 4), 0, "path:\"a:12\":4" },
	{ FILE_("-x"), 0, "path:\"-x\"" },
	{ FILE_("x@y"), 0, "path:\"x@y\"" },
	{ LINES_("x@y", 1, 2), 0, "x@y:1-2" },
	{ FILE_("a#b"), 0, "path:\"a#b\"" },
	{ FILE_("a\nb"), 0, "path:\"a\\nb\"" },
	{ FILE_("HEAD~2"), 0, "path:\"HEAD~2\"" },
	{ FILE_("HEAD"), 0, "path:\"HEAD\"" },
	{ FILE_("deadbeef"), 0, "path:\"deadbeef\"" },
	{ FILE_("GH-412"), 0, "path:\"GH-412\"" },
	{ FILE_("say \"hi\""), 0, "path:\"say \\\"hi\\\"\"" },
	{ FILE_("a\\b"), 0, "path:\"a\\\\b\"" },
	{ FILE_(" a"), 0, "path:\" a\"" },
	{ FILE_("a "), 0, "path:\"a \"" },
	{ FILE_("lat\xff.c"), 0, "path:\"lat\\377.c\"" },
	{ FILE_("\x1b[31m\x7f\xc2\x9b"), 0, "path:\"\\033[31m\\177\\302\\233\"" },
	{ FILE_("a\xe2\x80\xae" "b"), 0, "path:\"a\\342\\200\\256b\"" },
	{ FILE_("a\xc2\xa0" "b"), 0, "path:\"a\\302\\240b\"" },
};

static void test_print(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(printed); i++) {
		struct buf b = BUF_INIT;

		buf_addstr(&b, "x ");
		anchor_format(&b, &printed[i].an, printed[i].flags);
		assert_memory_equal(b.ptr, "x ", 2);
		assert_string_equal(b.ptr + 2, printed[i].text);
		buf_release(&b);
	}
}

/* ---- properties ---- */

static uint64_t seed = 20260102;

static unsigned random_below(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

/* Bits that a parser could stumble over, glued together. */
static const char *const name_bits[] = {
	"a", "b", "x.c", "src/", "dir/", ":", ":12", ":0", ":7-9", "-", "#", "#sec", "#L3", "@", "@main", "@{1}", "~", "~2", "^", "HEAD",
	"3f2a9c1", "GH-412", "!58", "#412", "T-abcd", "path:", "commit:", "task:", "change:", "\"", "\\", "\\n", "\n", "\t", "\r", " ",
	"  ", "\x1b[0m", "\x7f", "\xff", "\xc3", "\xc3\xa9", "\xe2\x80\xae", "\xe2\x80\x8b", "\xf0\x9f\x98\x80", "'", "$(x)", "`x`", "*", "?",
	"[", "{", "}", "https://", "://", "..", "...", "=", "%20", "|", ";", "&", ",", "1", "12",
};

static bool sound_path(const char *path)
{
	struct err e = ERR_INIT;
	struct arena a = ARENA_INIT;
	struct anchor an = { .type = ANCHOR_FILE, .path = path }, got;
	json_t *j = anchor_to_op(&an);
	bool ok = !anchor_from_op(&a, j, &got, &e);

	json_decref(j);
	arena_release(&a);
	return ok;
}

static const char *random_path(struct arena *a)
{
	for (;;) {
		struct buf b = BUF_INIT;
		const char *out = NULL;

		for (unsigned n = 1 + random_below(5); n; n--)
			buf_addstr(&b, name_bits[random_below(ARRAY_SIZE(name_bits))]);
		if (sound_path(b.ptr))
			out = arena_strdup(a, b.ptr);
		buf_release(&b);
		if (out)
			return out;
	}
}

static struct anchor random_anchor(struct arena *a)
{
	static const char *const commits[] = { NULL, OID, "HEAD", "HEAD~2", "main", "v1.2", "x#y", "HEAD@{1}", "3f2a9c1", "a/b" };
	static const char *const sections[] = { "install", "a/b-1", "_x_", "l3", "\xc3\xa9t\xc3\xa9", "1", "a//b", "-" };
	static const char *const tasks[] = { "GH-412", "#412", "T-abcd", "odd name", "58", "!58", "a:12", "HEAD", ".", "\xc3\xa9" };
	static const char *const changes[] = { "58", "GH-58", "I3f2a", "a b", "!" };
	struct anchor an = { .type = (enum anchor_type)random_below(ANCHOR_SECTION + 1) };

	an.commit = commits[random_below(ARRAY_SIZE(commits))];
	if (an.type == ANCHOR_TASK)
		an.task = tasks[random_below(ARRAY_SIZE(tasks))];
	else if (an.type == ANCHOR_CHANGE)
		an.task = changes[random_below(ARRAY_SIZE(changes) - 1)];
	else if (an.type == ANCHOR_COMMIT)
		an.commit = commits[1 + random_below(ARRAY_SIZE(commits) - 1)];
	else if (an.type != ANCHOR_PROJECT)
		an.path = random_path(a);
	if (an.type == ANCHOR_TASK || an.type == ANCHOR_CHANGE || an.type == ANCHOR_PROJECT)
		an.commit = NULL;
	if (an.type == ANCHOR_SECTION)
		an.section = sections[random_below(ARRAY_SIZE(sections))];
	if (an.type == ANCHOR_LINES) {
		an.line = 1 + random_below(random_below(2) ? 20 : 0x7fffffff);
		an.end = an.line + (random_below(2) ? 0 : random_below(0x7fffffff - an.line + 1));
		an.side = random_below(4) ? SIDE_NEW : SIDE_OLD;
	}
	return an;
}

static void check_reads_back(const struct anchor *an, const char *text, const struct anchor_resolver *r, const char *how)
{
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	struct anchor got = { 0 };
	struct buf x = BUF_INIT, y = BUF_INIT;

	if (anchor_parse(&a, text, r, &got, &e) || !anchor_same(&got, an)) {
		describe(&x, an);
		describe(&y, &got);
		fail_msg("%s: '%s' is %s %s, wanted %s", how, text, e.msg, y.ptr, x.ptr);
	}
	buf_release(&x);
	buf_release(&y);
	arena_release(&a);
}

/* A world that has the anchor's things, and names made of the same bits beside them. */
static struct world world_around(const struct anchor *an, struct arena *a, bool neighbours)
{
	struct world w = { 0 };
	size_t paths = 0, revs = 0, tasks = 0;

	if (an->path)
		w.paths[paths++] = an->path;
	if (an->commit)
		w.revs[revs++] = an->commit;
	if (an->task)
		w.tasks[tasks++] = an->type == ANCHOR_CHANGE ? arena_printf(a, "!%s", an->task) : an->task;
	if (!neighbours)
		return w;
	while (paths < 30)
		w.paths[paths++] = random_path(a);
	while (paths < 60 && an->path && strlen(an->path) > 1) {
		w.paths[paths++] = arena_printf(a, "%s%s", an->path, name_bits[random_below(ARRAY_SIZE(name_bits))]);
		w.paths[paths++] = arena_memdup(a, an->path, 1 + random_below((unsigned)strlen(an->path) - 1));
	}
	w.revs[revs++] = "main";
	w.revs[revs++] = "HEAD";
	w.tasks[tasks++] = "GH-412";
	w.tasks[tasks++] = "!58";
	return w;
}

static void test_what_is_printed_reads_back(void **state)
{
	const unsigned flags = ANCHOR_WITH_COMMIT | ANCHOR_FULL_OID;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct arena a = ARENA_INIT;
		struct anchor an = random_anchor(&a);
		struct world alone = world_around(&an, &a, false), crowd = world_around(&an, &a, true);
		struct anchor_resolver r = resolver(&alone), rc = resolver(&crowd);
		struct buf b = BUF_INIT;

		anchor_format(&b, &an, flags);
		for (size_t k = 0; k < b.len; k++)
			if ((unsigned char)b.ptr[k] < 0x20 || b.ptr[k] == 0x7f)
				fail_msg("unprintable in %s", b.ptr);
		assert_true(utf8_valid(b.ptr, b.len));
		check_reads_back(&an, b.ptr, NULL, "by syntax");
		check_reads_back(&an, b.ptr, &r, "alone");
		buf_reset(&b);
		anchor_format_in(&b, &an, flags, &rc);
		check_reads_back(&an, b.ptr, &rc, "in a crowd");
		buf_release(&b);
		arena_release(&a);
	}
}

/* The texts themselves, glued at random: no crash, and what parses prints and parses to the same. */
static void test_random_texts(void **state)
{
	struct world w = odd_world();
	struct anchor_resolver r = resolver(&w);

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct arena a = ARENA_INIT;
		struct buf b = BUF_INIT, again = BUF_INIT;
		struct err e = ERR_INIT;
		struct anchor an;

		for (unsigned n = 1 + random_below(6); n; n--)
			buf_addstr(&b, name_bits[random_below(ARRAY_SIZE(name_bits))]);
		if (!anchor_parse(&a, b.ptr, NULL, &an, &e)) {
			anchor_format(&again, &an, ANCHOR_WITH_COMMIT);
			check_reads_back(&an, again.ptr, NULL, b.ptr);
		}
		buf_reset(&again);
		if (!anchor_parse(&a, b.ptr, &r, &an, &e) && an.type != ANCHOR_PROJECT) {
			anchor_format_in(&again, &an, ANCHOR_WITH_COMMIT, &r);
			check_reads_back(&an, again.ptr, &r, b.ptr);
		}
		buf_release(&again);
		buf_release(&b);
		arena_release(&a);
	}
}

/* ---- JSON ---- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void test_op_form_comes_back(void **state)
{
	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct arena a = ARENA_INIT;
		struct anchor an = random_anchor(&a), got;
		struct err e = ERR_INIT;
		struct buf b = BUF_INIT;
		json_t *j, *read;

		an.commit = an.commit ? OID : NULL;
		an.blob = random_below(2) ? OID : NULL;
		an.quote = random_below(2) ? "int x;\n\tint y;" : NULL;
		an.before = random_below(2) ? "" : NULL;
		an.after = random_below(2) ? "\xe2\x98\x83" : NULL;
		if (an.type == ANCHOR_LINES && random_below(2))
			an.col = 1 + random_below(80), an.col_end = an.col + random_below(80);
		j = anchor_to_op(&an);
		json_write(&b, j);
		assert_null(strstr(b.ptr, "null"));
		read = json_read(b.ptr, b.len, "anchor", &e);
		assert_non_null(read);
		if (anchor_from_op(&a, read, &got, &e))
			fail_msg("%s: %s", b.ptr, e.msg);
		if (!anchor_same(&an, &got) || !same_text(an.quote, got.quote) || !same_text(an.before, got.before) ||
		    !same_text(an.after, got.after))
			fail_msg("%s came back otherwise", b.ptr);
		json_decref(read);
		json_decref(j);
		buf_release(&b);
		arena_release(&a);
	}
}

static const char *const bad_ops[] = {
	"{}", "[]", "{\"type\":\"galaxy\"}", "{\"type\":\"file\"}", "{\"type\":\"file\",\"path\":\"\"}",
	"{\"type\":\"file\",\"path\":\"../x\"}", "{\"type\":\"file\",\"path\":\"a/../x\"}", "{\"type\":\"file\",\"path\":\"a/..\"}",
	"{\"type\":\"file\",\"path\":\"/etc/passwd\"}", "{\"type\":\"file\",\"path\":\"a//b\"}", "{\"type\":\"file\",\"path\":\"a/\"}",
	"{\"type\":\"file\",\"path\":\"./a\"}", "{\"type\":\"file\",\"path\":\".\"}", "{\"type\":\"file\",\"path\":\".git/config\"}",
	"{\"type\":\"file\",\"path\":\"sub/.GIT/hooks/x\"}", "{\"type\":\"file\",\"path\":\"x\",\"path_c\":\"x\"}",
	"{\"type\":\"file\",\"path\":\"x\",\"path_c\":\"\\\"../x\\\"\"}", "{\"type\":\"file\",\"path\":\"x\",\"path_c\":\"\\\"x\\\"y\"}",
	"{\"type\":\"file\",\"path\":\"x\",\"path_c\":\"\\\"x\\\\000\\\"\"}", "{\"type\":\"lines\",\"path\":\"x\"}",
	"{\"type\":\"lines\",\"path\":\"x\",\"line\":0,\"end\":1}", "{\"type\":\"lines\",\"path\":\"x\",\"line\":2,\"end\":1}",
	"{\"type\":\"lines\",\"path\":\"x\",\"line\":-1,\"end\":1}", "{\"type\":\"lines\",\"path\":\"x\",\"line\":\"1\",\"end\":1}",
	"{\"type\":\"lines\",\"path\":\"x\",\"line\":1,\"end\":2147483648}", "{\"type\":\"lines\",\"path\":\"x\",\"line\":1}",
	"{\"type\":\"lines\",\"path\":\"x\",\"line\":1,\"end\":1.5}", "{\"type\":\"lines\",\"path\":\"x\",\"line\":1,\"end\":1,\"side\":\"left\"}",
	"{\"type\":\"lines\",\"path\":\"x\",\"line\":1,\"end\":1,\"col\":5,\"col_end\":4}",
	"{\"type\":\"commit\"}", "{\"type\":\"commit\",\"commit\":\"HEAD\"}", "{\"type\":\"commit\",\"commit\":\"3F2A9C1D5B7E8F901234567890ABCDEF12345678\"}",
	"{\"type\":\"file\",\"path\":\"x\",\"blob\":\"1\"}", "{\"type\":\"section\",\"path\":\"x\"}",
	"{\"type\":\"section\",\"path\":\"x\",\"section\":\"\"}", "{\"type\":\"section\",\"path\":\"x\",\"section\":\"???\"}",
	"{\"type\":\"section\",\"path\":\"x\",\"section\":\"a\\nb\"}", "{\"type\":\"task\"}", "{\"type\":\"task\",\"task\":\"\"}",
	"{\"type\":\"task\",\"task\":\"a\\u001bb\"}", "{\"type\":\"change\"}",
};

static void test_unsound_ops_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_ops); i++) {
		struct arena a = ARENA_INIT;
		struct err e = ERR_INIT;
		struct anchor an;
		json_t *j = json_read(bad_ops[i], strlen(bad_ops[i]), "anchor", &e);

		assert_non_null(j);
		if (!anchor_from_op(&a, j, &an, &e))
			fail_msg("taken: %s", bad_ops[i]);
		assert_int_equal(e.code, ERR_BAD_DATA);
		json_decref(j);
		arena_release(&a);
	}
}

static void test_kept_text_is_limited(void **state)
{
	struct buf b = BUF_INIT;
	struct anchor an = { .type = ANCHOR_FILE, .path = "x" }, got;
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;

	(void)state;
	buf_addchn(&b, 'x', 64 << 10);
	for (int over = 0; over < 2; over++) {
		json_t *j;

		an.quote = b.ptr;
		j = anchor_to_op(&an);
		assert_int_equal(anchor_from_op(&a, j, &got, &e), over ? -1 : 0);
		json_decref(j);
		buf_addch(&b, 'x');
	}
	buf_release(&b);
	arena_release(&a);
}

/* ---- slugs ---- */

/* Most rows are headings whose slug was taken from GitHub's own rendering (fixtures of the npm package github-slugger). */
static const struct { const char *heading, *slug; } slugs[] = {
	{ "alpha", "alpha" },
	{ "bravoCharlieDelta", "bravocharliedelta" },
	{ "__proto__", "__proto__" },
	{ "heading with a - dash", "heading-with-a---dash" },
	{ "heading with an _ underscore", "heading-with-an-_-underscore" },
	{ "heading with a period.txt", "heading-with-a-periodtxt" },
	{ "exchange.bind_headers(exchange, routing [, bindCallback])", "exchangebind_headersexchange-routing--bindcallback" },
	{ " ", "-" },
	{ " a ", "-a-" },
	{ "apostrophe\xe2\x80\x99s should be trimmed", "apostrophes-should-be-trimmed" },
	{ "I \xe2\x99\xa5 unicode", "i--unicode" },
	{ "en\xe2\x80\x93" "dash", "endash" },
	{ "\xf0\x9f\x98\x84-\xf0\x9f\x98\x84 unicode emoji", "--unicode-emoji" },
	{ "\xf0\x9f\x98\x84_\xf0\x9f\x98\x84 unicode emoji", "_-unicode-emoji" },
	{ ":ok_hand: Single", "ok_hand-single" },
	{ "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 non-latin \xe4\xbd\xa0\xe5\xa5\xbd",
	    "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82-non-latin-\xe4\xbd\xa0\xe5\xa5\xbd" },
	{ "a\xe2\x85\xa3 \xe2\x80\xbf", "a\xe2\x85\xb3-\xe2\x80\xbf" },
	{ "a\xcc\x81", "a\xcc\x81" },
	{ "a\xe2\x80\x8d" "b\tc\nd", "abcd" },
	{ "\xe2\x92\xb6", "\xe2\x93\x90" },
	{ "\xc4\xb0", "i\xcc\x87" },
	{ "C++ & Go 1.21", "c--go-121" },
	{ "?!", "" },
	{ "", "" },
	{ "bad\xff\xc3 utf8", "bad-utf8" },
};

static void test_slugs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(slugs); i++) {
		struct buf b = BUF_INIT;

		anchor_slug(&b, slugs[i].heading, strlen(slugs[i].heading));
		assert_string_equal(b.ptr, slugs[i].slug);
		buf_release(&b);
	}
}

/* A slug is its own slug: else a section anchor would change when it is read back. */
static void test_slugs_are_stable(void **state)
{
	struct buf in_ = BUF_INIT, once = BUF_INIT, twice = BUF_INIT;

	(void)state;
	for (int32_t c = 1; c <= 0x10ffff; c++) {
		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		buf_reset(&in_);
		buf_reset(&once);
		buf_reset(&twice);
		buf_add_utf8(&in_, c);
		anchor_slug(&once, in_.ptr, in_.len);
		anchor_slug(&twice, once.ptr, once.len);
		if (strcmp(once.ptr, twice.ptr))
			fail_msg("U+%04X", (unsigned)c);
	}
	buf_release(&in_);
	buf_release(&once);
	buf_release(&twice);
}

/* KILLICK_TEST_SEED=N runs the properties over other anchors. */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_with_a_repository),
		cmocka_unit_test(test_parse_by_syntax_alone),
		cmocka_unit_test(test_empty_resolver),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_what_is_printed_reads_back),
		cmocka_unit_test(test_random_texts),
		cmocka_unit_test(test_op_form_comes_back),
		cmocka_unit_test(test_unsound_ops_are_refused),
		cmocka_unit_test(test_kept_text_is_limited),
		cmocka_unit_test(test_slugs),
		cmocka_unit_test(test_slugs_are_stable),
	};

	if (getenv("KILLICK_TEST_SEED"))
		seed = strtoull(getenv("KILLICK_TEST_SEED"), NULL, 10);
	return cmocka_run_group_tests_name("anchor", tests, NULL, NULL);
}
