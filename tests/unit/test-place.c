/* SPDX-License-Identifier: MIT */
/*
 * Where anchors are now, over small histories made by git: every way in which code moves, both directions in time, the
 * work tree, commits that are unreachable or gone, and what must get a clear answer instead of a place.
 */
#include "unit.h"
#include <sys/stat.h>
#include <unistd.h>
#include "killick/anchor/place.h"
#include "killick/base/file.h"
#include "killick/base/proc.h"

struct world {
	char *dir;
	struct repo *repo;
	struct arena arena;
	unsigned commits;
};

/* Runs git in the world's folder; its standard output, trimmed. */
static const char *git(struct world *w, const char *const *args)
{
	static const char *const env[] = { "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=Ana",
		"GIT_AUTHOR_EMAIL=ana@example.org", "GIT_COMMITTER_NAME=Ana", "GIT_COMMITTER_EMAIL=ana@example.org",
		"GIT_EDITOR=true", NULL, NULL, NULL };
	const char *argv[24] = { "git" }, *all[ARRAY_SIZE(env)];
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;

	for (size_t i = 0; args[i]; i++)
		argv[i + 1] = args[i];
	memcpy(all, env, sizeof(env));
	all[7] = arena_printf(&w->arena, "GIT_AUTHOR_DATE=@%u +0000", 1500000000 + w->commits * 100);
	all[8] = arena_printf(&w->arena, "GIT_COMMITTER_DATE=@%u +0000", 1500000000 + w->commits * 100);
	struct proc p = { .argv = argv, .dir = w->dir, .env = all, .out = &out };
	if (proc_run_ok(&p, &e))
		fail_msg("git %s: %s", args[0], e.msg);
	buf_trim(&out);
	const char *s = arena_memdup(&w->arena, out.ptr, out.len);
	buf_release(&out);
	return s;
}
#define GIT(w, ...) git((w), (const char *const []){ __VA_ARGS__, NULL })

static void put(struct world *w, const char *path, const char *text)
{
	struct err e = ERR_INIT;
	char *full = xasprintf("%s/%s", w->dir, path);

	for (char *s = full + strlen(w->dir) + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		mkdir(full, 0700);
		*s = '/';
	}
	if (file_write(full, text, strlen(text), 0644, &e))
		fail_msg("%s: %s", full, e.msg);
	free(full);
}

static const char *commit(struct world *w)
{
	w->commits++;
	GIT(w, "add", "-A");
	GIT(w, "commit", "-q", "--allow-empty", "-m", "step");
	return GIT(w, "rev-parse", "HEAD");
}

static struct world *world_make(void)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->dir = scratch_make();
	arena_init(&w->arena);
	GIT(w, "init", "-q", "-b", "main");
	GIT(w, "config", "gc.auto", "0");
	return w;
}

/* A new look: what git did meanwhile is seen. */
static struct repo *world_repo(struct world *w)
{
	struct err e = ERR_INIT;

	repo_close(w->repo);
	w->repo = NULL;
	if (repo_find(w->dir, &w->repo, &e))
		fail_msg("%s", e.msg);
	return w->repo;
}

static void world_free(struct world *w)
{
	repo_close(w->repo);
	scratch_remove(w->dir);
	arena_release(&w->arena);
	free(w);
}

/* at: a commit, or NULL for the work tree. */
static struct anchor lines_at(struct world *w, const char *at, const char *path, uint32_t line, uint32_t end)
{
	struct anchor an = { .type = ANCHOR_LINES, .path = path, .line = line, .end = end, .commit = at };
	struct err e = ERR_INIT;

	if (anchor_capture(world_repo(w), &an, &w->arena, &e))
		fail_msg("%s:%u: %s", path, line, e.msg);
	return an;
}

static struct place place(struct world *w, const struct anchor *an, const char *to)
{
	struct placer *p = placer_new(world_repo(w), NULL);
	struct place out = { 0 };
	struct place_query q = { an, &out };
	struct err e = ERR_INIT;
	struct oid id;

	if (to)
		assert_true(oid_parse(to, &id));
	if (place_batch(p, to ? &id : NULL, &q, 1, &w->arena, &e))
		fail_msg("%s", e.msg);
	placer_free(p);
	return out;
}

/* "exact a.c:3-4", "gone", "gone a.c:3-4" with a guess, "unknown: why". */
static const char *said(struct world *w, const struct place *p)
{
	if (p->state == PLACE_UNKNOWN)
		return arena_printf(&w->arena, "unknown: %s", p->why ? p->why : "");
	if (!p->path)
		return place_state_name(p->state);
	return arena_printf(&w->arena, "%s %s:%u-%u", place_state_name(p->state), p->path, p->line, p->end);
}

static void is_placed(struct world *w, const struct anchor *an, const char *to, const char *wanted)
{
	struct place p = place(w, an, to);

	assert_string_equal(said(w, &p), wanted);
	if (p.state != PLACE_UNKNOWN && p.state != PLACE_GONE)
		assert_true(p.confidence >= 0.5 && p.confidence <= 1);
}

/* Twelve lines of a function, each with a name of its own. */
#define FN(x) \
	"static int " x "_run(struct " x " *self)\n{\n\tint left = " x "_count(self);\n" \
	"\tif (left < 0)\n\t\treturn " x "_fail(self, left);\n\twhile (left--) {\n\t\tstruct item *it = " x "_next(self);\n" \
	"\t\titem_visit(it, " x "_flags);\n\t\t" x "_release(it);\n\t}\n\treturn " x "_finish(self);\n}\n\n"
#define HEAD "#include <stdio.h>\n#include \"thing.h\"\n\n"

static void shifted(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 6, 8);
	is_placed(w, &an, a, "exact a.c:6-8");
	put(w, "a.c", HEAD "int added;\nint more;\n" FN("alpha") FN("beta"));
	const char *b = commit(w);
	is_placed(w, &an, b, "exact a.c:8-10");
	struct anchor later = lines_at(w, b, "a.c", 8, 10);
	is_placed(w, &later, a, "exact a.c:6-8");
	put(w, "a.c", HEAD FN("beta"));
	const char *c = commit(w);
	struct place p = place(w, &an, c);
	assert_int_equal(p.state, PLACE_GONE);
	assert_string_equal(p.commit, c);
	assert_string_equal(p.last_commit, b);
	assert_int_equal(p.last_line, 8);
	assert_int_equal(p.near_before, 2);
	world_free(w);
}

static void edited(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 6, 6), all = lines_at(w, a, "a.c", 4, 15);
	put(w, "a.c", HEAD "static int alpha_run(struct alpha *self)\n{\n\tint rest = alpha_count(self, true);\n"
	    "\tif (rest < 0)\n\t\treturn alpha_fail(self, rest);\n\twhile (rest--) {\n\t\tstruct item *it = alpha_next(self);\n"
	    "\t\titem_visit(it, alpha_flags);\n\t\talpha_release(it);\n\t}\n\treturn alpha_finish(self);\n}\n\n");
	const char *b = commit(w);
	is_placed(w, &an, b, "edited a.c:6-6");
	is_placed(w, &all, b, "edited a.c:4-15");
	struct anchor back = lines_at(w, b, "a.c", 6, 6);
	is_placed(w, &back, a, "edited a.c:6-6");
	world_free(w);
}

static void reindented(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 7, 8);
	put(w, "a.c", HEAD "static int alpha_run(struct alpha *self)\n{\n    int left = alpha_count(self);\n    if (ready) {\n"
	    "        if (left < 0)\n            return alpha_fail(self, left);\n    }\n    while (left--) {\n}\n}\n");
	is_placed(w, &an, commit(w), "edited a.c:8-9");
	world_free(w);
}

static void crlf(void **state UNUSED)
{
	struct world *w = world_make();
	struct buf b = BUF_INIT;

	put(w, "a.c", HEAD FN("alpha"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 6, 8);
	for (const char *s = HEAD "int one;\n" FN("alpha"); *s; s++)
		buf_addstr(&b, *s == '\n' ? "\r\n" : (const char []){ *s, '\0' });
	put(w, "a.c", b.ptr);
	is_placed(w, &an, commit(w), "exact a.c:7-9");
	buf_release(&b);
	world_free(w);
}

static void split_and_joined(void **state UNUSED)
{
	struct world *w = world_make();
	static const char one[] = "\treturn build_the_message(connection, header, body_of(request), trailer_of(request));\n";
	static const char two[] = "\treturn build_the_message(connection, header,\n\t    body_of(request), trailer_of(request));\n";

	put(w, "a.c", arena_printf(&w->arena, "%sint f(void)\n{\n%s}\n", HEAD, one));
	const char *a = commit(w);
	put(w, "a.c", arena_printf(&w->arena, "%sint f(void)\n{\n%s}\n", HEAD, two));
	const char *b = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 6, 6), both = lines_at(w, b, "a.c", 6, 7);
	is_placed(w, &an, b, "edited a.c:6-7");
	is_placed(w, &both, a, "edited a.c:6-6");
	world_free(w);
}

/* A line in pieces begins at the first, unless that only leads to the rest. */
static void pieces(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.java", HEAD "class Thing {\n\t\tsend(link, build_the_message(connection, header, body_of(request)));\n"
	    "\t@Override public boolean equals(Object other_thing) {\n}\n");
	const char *a = commit(w);
	struct anchor call = lines_at(w, a, "a.java", 5, 5), head = lines_at(w, a, "a.java", 6, 6);
	put(w, "a.java", HEAD "class Thing {\n\t\tsend(link,\n\t\t    build_the_message(connection, header, body_of(request)));\n"
	    "\t@Override\n\tpublic boolean equals(Object other_thing) {\n}\n");
	const char *b = commit(w);
	is_placed(w, &call, b, "edited a.java:5-6");
	is_placed(w, &head, b, "edited a.java:8-8");
	world_free(w);
}

/* What a comment says before a colon is no name that it defines. */
static void comments_define_nothing(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.py", "# lint: disable=no-member\nimport one_thing\nimport two_things\n\n\ndef run(left):\n    return left\n\n\n"
	    "class Later:\n    pass\n");
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.py", 1, 1);
	put(w, "a.py", "import one_thing\nimport two_things\n\n\ndef run(left):\n    return left\n\n\n# lint: disable=too-few-methods\n"
	    "class Later:\n    pass\n");
	struct place p = place(w, &an, commit(w));
	assert_int_equal(p.state, PLACE_GONE);
	world_free(w);
}

static void moved_in_file(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta") FN("gamma"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 4, 15), one = lines_at(w, a, "a.c", 14, 14);
	put(w, "a.c", HEAD FN("beta") FN("gamma") FN("alpha"));
	const char *b = commit(w);
	is_placed(w, &an, b, "moved a.c:30-41");
	is_placed(w, &one, b, "moved a.c:40-40");
	world_free(w);
}

/* Several new lines have something of an old one: which of them goes on with it. */
static void pieces_and_rivals(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.java", HEAD "class Thing {\n\tStream open(List<Header> headers,\n\t    boolean into) throws StreamException {\n"
	    "\t\treturn open(0, headers, into);\n\t}\n\tint begin(Buffer buffer, int offset) {\n"
	    "\t\tif (major == 3 || buffer.getShort(offset + 1) == PROTOCOL_VERSION) {\n\t\t\treturn 1;\n\t\t}\n"
	    "\t\tBufferedReader first = toBufferedReader(input1);\n\t\treturn first.read();\n\t}\n}\n");
	const char *a = commit(w);
	struct anchor cut = lines_at(w, a, "a.java", 6, 6), used = lines_at(w, a, "a.java", 10, 10), set = lines_at(w, a, "a.java", 13, 13);
	put(w, "a.java", HEAD "class Thing {\n\tStream open(List<Header> headers,\n\t    boolean into)\n\t    throws StreamException {\n"
	    "\t\treturn open(0, headers, into);\n\t}\n\tStream pair(List<Header> headers,\n"
	    "\t    boolean into) throws StreamException {\n\t\treturn open(1, headers, into);\n\t}\n\tint begin(Buffer buffer, int offset) {\n"
	    "\t\tint version = buffer.getShort(offset + 1);\n\t\tif (major == 3 || version == PROTOCOL_VERSION) {\n\t\t\treturn 1;\n\t\t}\n"
	    "\t\tBufferedReader first;\n\t\tif (input1 instanceof BufferedReader)\n\t\t\tfirst = (BufferedReader) input1;\n"
	    "\t\treturn first.read();\n\t}\n}\n");
	const char *b = commit(w);
	is_placed(w, &cut, b, "edited a.java:6-7");
	is_placed(w, &used, b, "edited a.java:16-16");
	is_placed(w, &set, b, "edited a.java:19-19");
	world_free(w);
}

/* Two files got the same lines and nothing tells which: a guess is offered, no more. */
static void moved_to_either(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	put(w, "b.c", HEAD FN("gamma"));
	put(w, "c.c", HEAD FN("gamma"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 4, 15);
	put(w, "a.c", HEAD FN("beta"));
	put(w, "b.c", HEAD FN("gamma") FN("alpha"));
	put(w, "c.c", HEAD FN("gamma") FN("alpha"));
	is_placed(w, &an, commit(w), "gone b.c:17-28");
	world_free(w);
}

static void moved_to_file(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	put(w, "b.c", HEAD FN("delta"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 4, 15);
	put(w, "a.c", HEAD FN("beta"));
	put(w, "b.c", HEAD FN("delta") FN("alpha"));
	const char *b = commit(w);
	is_placed(w, &an, b, "moved b.c:17-28");
	put(w, "b.c", HEAD "int x;\n" FN("delta") FN("alpha"));
	is_placed(w, &an, commit(w), "moved b.c:18-29");
	world_free(w);
}

static void renamed(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 6, 8);
	struct anchor file = { .type = ANCHOR_FILE, .path = "a.c", .commit = a };
	GIT(w, "mv", "a.c", "b.c");
	const char *b = commit(w);
	is_placed(w, &an, b, "moved b.c:6-8");
	struct place p = place(w, &file, b);
	assert_string_equal(said(w, &p), "moved b.c:0-0");
	GIT(w, "mv", "b.c", "c.c");
	put(w, "c.c", HEAD "int changed_too;\n" FN("alpha") FN("beta"));
	const char *c = commit(w);
	is_placed(w, &an, c, "moved c.c:7-9");
	struct anchor back = lines_at(w, c, "c.c", 7, 9);
	is_placed(w, &back, a, "moved a.c:6-8");
	world_free(w);
}

static void copied(void **state UNUSED)
{
	struct world *w = world_make();

	/* A copy in front of the original: the thread stays with the original. */
	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 6, 8);
	put(w, "a.c", HEAD FN("alpha") FN("beta") FN("alpha"));
	put(w, "b.c", HEAD FN("alpha") FN("beta"));
	const char *b = commit(w);
	is_placed(w, &an, b, "exact a.c:6-8");
	put(w, "a.c", HEAD FN("beta") FN("alpha"));
	struct place p = place(w, &an, commit(w));
	/* The original went and a copy stays: never silently there. */
	if (p.state != PLACE_GONE)
		assert_true(p.state == PLACE_MOVED);
	world_free(w);
}

/* A copy was made above, then the original moved to another file with what was around it: the ends show the copy alone. */
static void original_left(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta") FN("gamma") FN("omega"));
	put(w, "b.c", HEAD FN("delta"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 19, 21);
	put(w, "a.c", HEAD FN("beta") FN("alpha") FN("beta") FN("gamma") FN("omega"));
	commit(w);
	put(w, "a.c", HEAD FN("beta") FN("omega"));
	put(w, "b.c", HEAD FN("delta") FN("alpha") FN("beta") FN("gamma"));
	struct place p = place(w, &an, commit(w));
	assert_string_equal(said(w, &p), "moved b.c:32-34");
	world_free(w);
}

static void reverted(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 6, 14);
	put(w, "a.c", HEAD FN("beta"));
	const char *b = commit(w);
	assert_int_equal(place(w, &an, b).state, PLACE_GONE);
	put(w, "a.c", HEAD "int other;\n" FN("alpha") FN("beta"));
	is_placed(w, &an, commit(w), "exact a.c:7-15");
	/* The function came back without the brace that the anchor was on: there is no line to say. */
	struct anchor brace = lines_at(w, a, "a.c", 5, 5);
	put(w, "a.c", HEAD "static int alpha_run(struct alpha *self)\n\tint left = alpha_count(self);\n"
	    "\tif (left < 0)\n\t\treturn alpha_fail(self, left);\n\twhile (left--) {\n" FN("beta"));
	struct place p = place(w, &brace, commit(w));
	assert_true(p.state == PLACE_GONE || (p.line >= 1 && p.line <= 21));
	world_free(w);
}

static void deleted_and_back(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	put(w, "keep", "x\n");
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 6, 8);
	GIT(w, "rm", "-q", "a.c");
	const char *b = commit(w);
	struct place p = place(w, &an, b);
	assert_int_equal(p.state, PLACE_GONE);
	assert_string_equal(p.commit, b);
	assert_string_equal(p.last_path, "a.c");
	put(w, "a.c", HEAD "int other;\n" FN("beta") FN("alpha"));
	p = place(w, &an, commit(w));
	assert_string_equal(p.path, "a.c");
	assert_int_equal(p.line, 20);
	world_free(w);
}

static void merged(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	put(w, "b.c", HEAD FN("delta"));
	const char *base = commit(w);
	GIT(w, "checkout", "-q", "-b", "side");
	put(w, "a.c", HEAD FN("alpha") "int side_line;\n" FN("beta"));
	const char *side = commit(w);
	put(w, "a.c", HEAD FN("alpha") "int side_line_edited;\n" FN("beta"));
	const char *side2 = commit(w);
	GIT(w, "checkout", "-q", "main");
	put(w, "b.c", HEAD "int main_line;\n" FN("delta"));
	const char *main1 = commit(w);
	w->commits++;
	GIT(w, "merge", "-q", "--no-ff", "--no-edit", "side");
	const char *m = GIT(w, "rev-parse", "HEAD");
	struct anchor from_base = lines_at(w, base, "a.c", 19, 21), on_side = lines_at(w, side, "a.c", 17, 17);
	struct anchor on_main = lines_at(w, main1, "b.c", 4, 4), tip = lines_at(w, m, "a.c", 17, 17);
	is_placed(w, &from_base, m, "exact a.c:20-22");
	is_placed(w, &on_side, m, "edited a.c:17-17");
	is_placed(w, &on_main, m, "exact b.c:4-4");
	is_placed(w, &tip, side2, "exact a.c:17-17");
	is_placed(w, &tip, side, "edited a.c:17-17");
	assert_int_equal(place(w, &tip, base).state, PLACE_GONE);
	world_free(w);
}

static void criss_cross(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	put(w, "b.c", HEAD FN("delta"));
	const char *base = commit(w);
	GIT(w, "checkout", "-q", "-b", "side");
	put(w, "b.c", HEAD "int s;\n" FN("delta"));
	const char *s1 = commit(w);
	GIT(w, "checkout", "-q", "main");
	put(w, "a.c", HEAD "int m;\n" FN("alpha") FN("beta"));
	const char *m1 = commit(w);
	w->commits++;
	GIT(w, "merge", "-q", "--no-edit", s1);
	GIT(w, "checkout", "-q", "side");
	w->commits++;
	GIT(w, "merge", "-q", "--no-edit", m1);
	put(w, "a.c", HEAD "int m;\nint n;\n" FN("alpha") FN("beta"));
	commit(w);
	GIT(w, "checkout", "-q", "main");
	w->commits++;
	GIT(w, "merge", "-q", "--no-edit", "side");
	const char *m = GIT(w, "rev-parse", "HEAD");
	struct anchor an = lines_at(w, base, "a.c", 6, 8), side = lines_at(w, s1, "b.c", 4, 4);
	is_placed(w, &an, m, "exact a.c:8-10");
	is_placed(w, &side, m, "exact b.c:4-4");
	world_free(w);
}

static void rebased(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	commit(w);
	GIT(w, "checkout", "-q", "-b", "work");
	put(w, "a.c", HEAD FN("alpha") "int my_new_line_here;\n" FN("beta"));
	const char *old = commit(w);
	struct anchor an = lines_at(w, old, "a.c", 17, 17);
	GIT(w, "checkout", "-q", "main");
	put(w, "a.c", HEAD "int upstream_line;\n" FN("alpha") FN("beta"));
	commit(w);
	GIT(w, "checkout", "-q", "work");
	GIT(w, "rebase", "-q", "main");
	const char *b = GIT(w, "rev-parse", "HEAD");
	is_placed(w, &an, b, "exact a.c:18-18");
	put(w, "a.c", HEAD "int upstream_line;\n" FN("alpha") "int my_new_line_there;\n" FN("beta"));
	is_placed(w, &an, commit(w), "edited a.c:18-18");
	world_free(w);
}

static void amended_and_squashed(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha"));
	const char *base = commit(w);
	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 19, 21);
	put(w, "a.c", HEAD "int amended;\n" FN("alpha") FN("beta"));
	GIT(w, "commit", "-qa", "--amend", "-m", "amended");
	is_placed(w, &an, GIT(w, "rev-parse", "HEAD"), "exact a.c:20-22");
	put(w, "a.c", HEAD "int amended;\nint again;\n" FN("alpha") FN("gamma") FN("beta"));
	commit(w);
	GIT(w, "reset", "-q", "--soft", base);
	const char *s = commit(w);
	is_placed(w, &an, s, "exact a.c:34-36");
	world_free(w);
}

static void cherry_picked(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	const char *base = commit(w);
	GIT(w, "checkout", "-q", "-b", "stable");
	GIT(w, "checkout", "-q", "main");
	put(w, "a.c", HEAD FN("alpha") "int picked_line_one;\n" FN("beta"));
	const char *a = commit(w);
	GIT(w, "checkout", "-q", "stable");
	put(w, "a.c", HEAD "int only_stable;\n" FN("alpha") FN("beta"));
	commit(w);
	w->commits++;
	GIT(w, "cherry-pick", a);
	struct anchor an = lines_at(w, a, "a.c", 17, 17), old = lines_at(w, base, "a.c", 19, 21);
	is_placed(w, &an, GIT(w, "rev-parse", "HEAD"), "exact a.c:18-18");
	is_placed(w, &old, GIT(w, "rev-parse", "HEAD"), "exact a.c:21-23");
	world_free(w);
}

static void work_tree(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	put(w, "b.c", HEAD FN("delta"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 19, 21);
	is_placed(w, &an, NULL, "exact a.c:19-21");
	put(w, "a.c", HEAD "int dirty;\n" FN("alpha") FN("beta"));
	is_placed(w, &an, NULL, "exact a.c:20-22");
	/* Made on uncommitted lines, then committed, then changed. */
	struct anchor dirty = lines_at(w, NULL, "a.c", 4, 4);
	assert_string_equal(dirty.commit, a);
	is_placed(w, &dirty, NULL, "exact a.c:4-4");
	put(w, "a.c", HEAD FN("alpha") "int dirty;\n" FN("beta"));
	assert_true(place(w, &dirty, NULL).state != PLACE_UNKNOWN);
	put(w, "a.c", HEAD "int dirty;\n" FN("alpha") FN("beta"));
	const char *b = commit(w);
	is_placed(w, &dirty, b, "exact a.c:4-4");
	put(w, "a.c", HEAD FN("beta"));
	put(w, "b.c", HEAD FN("delta") FN("alpha"));
	struct anchor fn = lines_at(w, b, "a.c", 5, 16);
	is_placed(w, &fn, NULL, "moved b.c:17-28");
	GIT(w, "rm", "-qf", "a.c");
	struct place p = place(w, &an, NULL);
	assert_int_equal(p.state, PLACE_GONE);
	world_free(w);
}

static void no_commit_yet(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha"));
	struct anchor an = lines_at(w, NULL, "a.c", 6, 8);
	assert_null(an.commit);
	is_placed(w, &an, NULL, "exact a.c:6-8");
	put(w, "a.c", HEAD "int x;\n" FN("alpha"));
	is_placed(w, &an, NULL, "exact a.c:7-9");
	world_free(w);
}

/* Removes everything that no branch has, and the marks of it. */
static void forget(struct world *w)
{
	GIT(w, "reflog", "expire", "--expire=now", "--all");
	GIT(w, "gc", "-q", "--prune=now");
}

static void commit_gone(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	const char *base = commit(w);
	put(w, "a.c", HEAD FN("alpha") "int my_own_new_line;\nint my_other_line;\n" FN("beta"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 17, 18), bare = { .type = ANCHOR_LINES, .path = "a.c", .line = 17, .end = 18,
		.commit = a };
	GIT(w, "reset", "-q", "--hard", base);
	put(w, "a.c", HEAD "int upstream_line;\n" FN("alpha") "int my_own_new_line;\nint my_other_line;\n" FN("beta"));
	const char *b = commit(w);
	/* Still in the object store, then not. */
	is_placed(w, &an, b, "exact a.c:18-19");
	forget(w);
	is_placed(w, &an, b, "exact a.c:18-19");
	is_placed(w, &bare, b, "unknown: the commit is not here and no text was kept");
	put(w, "a.c", HEAD "int upstream_line;\n" FN("alpha") "int my_own_new_line(int);\nint my_other_line;\n" FN("beta"));
	const char *c = commit(w);
	is_placed(w, &an, c, "edited a.c:18-19");
	GIT(w, "mv", "a.c", "d.c");
	is_placed(w, &an, commit(w), "edited d.c:18-19");
	put(w, "d.c", HEAD FN("beta"));
	assert_int_equal(place(w, &an, commit(w)).state, PLACE_GONE);
	world_free(w);
}

static void shallow(void **state UNUSED)
{
	struct world *w = world_make(), *s = xcalloc(1, sizeof(*s));

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 6, 8), said_only = { .type = ANCHOR_LINES, .path = "a.c", .line = 6, .end = 8,
		.commit = a };
	put(w, "a.c", HEAD "int one;\n" FN("alpha") FN("beta"));
	commit(w);
	put(w, "a.c", HEAD "int one;\nint two;\n" FN("alpha") FN("beta"));
	const char *c = commit(w);
	s->dir = xasprintf("%s/shallow", w->dir);
	arena_init(&s->arena);
	GIT(w, "clone", "-q", "--depth=1", arena_printf(&w->arena, "file://%s", w->dir), "shallow");
	is_placed(s, &an, c, "exact a.c:8-10");
	is_placed(s, &said_only, c, "unknown: the commit is not here and no text was kept");
	repo_close(s->repo);
	free(s->dir);
	arena_release(&s->arena);
	free(s);
	world_free(w);
}

static void sections(void **state UNUSED)
{
	struct world *w = world_make();
	struct anchor an = { .type = ANCHOR_SECTION, .path = "g.md", .section = "install/debian" };
	struct err e = ERR_INIT;

	put(w, "g.md", "# Guide\n\nhello\n\n## Install\n\nsome words here\n\n### Debian\n\nrun apt now\n\n## Use\n\nlike so\n");
	an.commit = commit(w);
	assert_int_equal(anchor_capture(world_repo(w), &an, &w->arena, &e), 0);
	assert_string_equal(an.section, "install/debian");
	put(w, "g.md", "# Guide\n\nhello\n\n## Use\n\nlike so\n\n## Install\n\nsome words here\n\n### Debian\n\nrun apt now\n");
	struct place p = place(w, &an, commit(w));
	assert_int_equal(p.line, 13);
	assert_int_equal(p.end, 15);
	put(w, "g.md", "# Guide\n\nhello\n\n## Use\n\nlike so\n\n## Install\n\nsome words here\n\n### Debian and Ubuntu\n\nrun apt now\n");
	p = place(w, &an, commit(w));
	assert_int_equal(p.state, PLACE_EDITED);
	assert_int_equal(p.line, 13);
	put(w, "g.md", "# Guide\n\nhello\n\n## Use\n\nlike so\n");
	p = place(w, &an, commit(w));
	assert_int_equal(p.state, PLACE_GONE);
	an.section = "nothing";
	assert_int_equal(anchor_capture(world_repo(w), &an, &w->arena, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	world_free(w);
}

/* In each of the five formats: a heading is renamed, then its section moves behind another. */
static void sections_of_formats(void **state UNUSED)
{
#define WORDS "some words of this section here\n"
#define MORE "other things are said in that one\n"
	static const struct { const char *path, *name, *was, *renamed, *moved; uint32_t renamed_at, moved_at; } f[] = {
		{ "a.md", "set-up", "# Top\n\n## Set up\n\n" WORDS "\n## Use\n\n" MORE,
			"# Top\n\n## Setting up\n\n" WORDS "\n## Use\n\n" MORE, "# Top\n\n## Use\n\n" MORE "\n## Setting up\n\n" WORDS, 3, 7 },
		{ "a.adoc", "set-up", "= Top\n\n== Set up\n\n" WORDS "\n== Use\n\n" MORE,
			"= Top\n\n== Setting up\n\n" WORDS "\n== Use\n\n" MORE, "= Top\n\n== Use\n\n" MORE "\n== Setting up\n\n" WORDS, 3, 7 },
		{ "a.org", "set-up", "* Top\n\n** Set up\n\n" WORDS "\n** Use\n\n" MORE,
			"* Top\n\n** Setting up\n\n" WORDS "\n** Use\n\n" MORE, "* Top\n\n** Use\n\n" MORE "\n** Setting up\n\n" WORDS, 3, 7 },
		{ "a.rst", "set-up", "Top\n===\n\nSet up\n------\n\n" WORDS "\nUse\n---\n\n" MORE,
			"Top\n===\n\nSetting up\n----------\n\n" WORDS "\nUse\n---\n\n" MORE,
			"Top\n===\n\nUse\n---\n\n" MORE "\nSetting up\n----------\n\n" WORDS, 4, 9 },
		{ "a.tex", "set-up", "\\section{Top}\n\n\\subsection{Set up}\n\n" WORDS "\n\\subsection{Use}\n\n" MORE,
			"\\section{Top}\n\n\\subsection{Setting up}\n\n" WORDS "\n\\subsection{Use}\n\n" MORE,
			"\\section{Top}\n\n\\subsection{Use}\n\n" MORE "\n\\subsection{Setting up}\n\n" WORDS, 3, 7 },
	};
	struct world *w = world_make();

	for (size_t i = 0; i < ARRAY_SIZE(f); i++) {
		struct anchor an = { .type = ANCHOR_SECTION, .path = f[i].path, .section = f[i].name };
		struct err e = ERR_INIT;
		put(w, f[i].path, f[i].was);
		an.commit = commit(w);
		if (anchor_capture(world_repo(w), &an, &w->arena, &e))
			fail_msg("%s: %s", f[i].path, e.msg);
		put(w, f[i].path, f[i].renamed);
		struct place p = place(w, &an, commit(w));
		assert_int_equal(p.state, PLACE_EDITED);
		assert_int_equal(p.line, f[i].renamed_at);
		put(w, f[i].path, f[i].moved);
		p = place(w, &an, commit(w));
		assert_true(p.state == PLACE_EDITED || p.state == PLACE_MOVED);
		assert_int_equal(p.line, f[i].moved_at);
	}
	world_free(w);
#undef WORDS
#undef MORE
}

/* A remark behind a statement: rewritten a little, it is followed; taken out, it is gone, and the line is offered. */
static void columns_gone(void **state UNUSED)
{
	struct world *w = world_make();
	static const char head[] = "def run(self):\n    first = self.begin(1)\n", tail[] = "    return first + other\n";
	char *text = xasprintf("%s    other = self.first(first)  # lint: disable=broad-name\n%s", head, tail);

	put(w, "a.py", text);
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.py", 3, 3);
	an.col = 32;
	an.col_end = 57;
	free(text);
	text = xasprintf("%s    other = self.first(first, 2)  # lint: disable=narrow-name\n%s", head, tail);
	put(w, "a.py", text);
	struct place p = place(w, &an, commit(w));
	assert_int_equal(p.state, PLACE_EDITED);
	assert_int_equal(p.line, 3);
	assert_int_equal(p.col, 35);
	assert_int_equal(p.col_end, 61);
	free(text);
	text = xasprintf("%s    other = self.first(first)\n%s", head, tail);
	put(w, "a.py", text);
	p = place(w, &an, commit(w));
	assert_int_equal(p.state, PLACE_GONE);
	assert_int_equal(p.line, 3);
	assert_int_equal(p.last_line, 3);
	free(text);
	/* Its line was wrapped: it went with the end. */
	text = xasprintf("%s    other = self.first(\n        first, 2\n    )  # lint: disable=broad-name\n%s", head, tail);
	put(w, "a.py", text);
	p = place(w, &an, commit(w));
	assert_int_equal(p.line, 5);
	assert_int_equal(p.col, 8);
	free(text);
	world_free(w);
}

static void columns(void **state UNUSED)
{
	struct world *w = world_make();

	put(w, "a.c", HEAD FN("alpha"));
	const char *a = commit(w);
	struct anchor an = lines_at(w, a, "a.c", 6, 6);
	an.col = 13;
	an.col_end = 23;  /* "alpha_count" */
	put(w, "a.c", HEAD "static int alpha_run(struct alpha *self)\n{\n\tlong all = 1, left = alpha_count(self, 7);\n");
	struct place p = place(w, &an, commit(w));
	assert_int_equal(p.line, 6);
	assert_int_equal(p.col, 23);
	assert_int_equal(p.col_end, 33);
	/* Renamed: what stands there now. */
	put(w, "a.c", HEAD "static int alpha_run(struct alpha *self)\n{\n\tlong all = 1, left = beta_sum(self, 7);\n");
	p = place(w, &an, commit(w));
	assert_int_equal(p.state, PLACE_EDITED);
	assert_int_equal(p.col, 23);
	assert_int_equal(p.col_end, 30);
	/* Rewritten: the line, as a guess. */
	put(w, "a.c", HEAD "static int alpha_run(struct alpha *self)\n{\n\tint left = beta * sum - 3 + (self, 7);\n");
	p = place(w, &an, commit(w));
	assert_int_equal(p.state, PLACE_GONE);
	assert_int_equal(p.line, 6);
	assert_int_equal(p.col, 0);
	world_free(w);
}

static void bad_input(void **state UNUSED)
{
	struct world *w = world_make();
	struct err e = ERR_INIT;
	struct oid nothing = { { 1, 2, 3 } };
	struct anchor an = { .type = ANCHOR_LINES, .path = "a.c", .line = 99, .end = 99 }, bin = { .type = ANCHOR_LINES,
		.path = "b.bin", .line = 1, .end = 1 };

	put(w, "a.c", HEAD FN("alpha"));
	put(w, "dir/x", "x\n");
	assert_int_equal(symlink("a.c", arena_printf(&w->arena, "%s/link", w->dir)), 0);
	struct buf b = BUF_INIT;
	buf_add(&b, "x\0y\n", 4);
	assert_int_equal(file_write(arena_printf(&w->arena, "%s/b.bin", w->dir), b.ptr, b.len, 0644, &e), 0);
	buf_release(&b);
	const char *a = commit(w);
	GIT(w, "update-index", "--add", "--cacheinfo", arena_printf(&w->arena, "160000,%s,sub", a));
	w->commits++;
	GIT(w, "commit", "-qm", "submodule");
	a = GIT(w, "rev-parse", "HEAD");
	an.commit = bin.commit = a;
	is_placed(w, &an, a, "unknown: the file has fewer lines");
	is_placed(w, &bin, a, "unknown: the file is binary");
	an.line = an.end = 0;
	is_placed(w, &an, a, "unknown: the file has fewer lines");
	an.line = 3;
	an.end = 2;
	is_placed(w, &an, a, "unknown: the file has fewer lines");
	an.line = an.end = 1;
	an.path = "nope.c";
	is_placed(w, &an, a, "unknown: the commit has no such file");
	an.path = "dir";
	is_placed(w, &an, a, "unknown: it is a folder");
	an.path = "sub";
	is_placed(w, &an, a, "unknown: it is a submodule");
	an.path = "";
	assert_int_equal(place(w, &an, a).state, PLACE_UNKNOWN);
	an.path = "a.c/x";
	assert_int_equal(place(w, &an, a).state, PLACE_UNKNOWN);
	an.path = "link";
	is_placed(w, &an, a, "exact link:1-1");
	an.path = "a.c";
	an.commit = "0123456789012345678901234567890123456789";
	is_placed(w, &an, a, "unknown: the commit is not here and no text was kept");
	struct placer *p = placer_new(world_repo(w), NULL);
	struct place out;
	struct place_query q = { &an, &out };
	assert_int_equal(place_batch(p, &nothing, &q, 1, &w->arena, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(place_batch(p, NULL, NULL, 0, &w->arena, &e), 0);
	placer_free(p);
	an = (struct anchor){ .type = ANCHOR_LINES, .path = "a.c", .line = 99, .end = 99, .commit = a };
	assert_int_equal(anchor_capture(world_repo(w), &an, &w->arena, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	bin.commit = a;
	assert_int_equal(anchor_capture(w->repo, &bin, &w->arena, &e), -1);
	bin.type = ANCHOR_FILE;
	assert_int_equal(anchor_capture(w->repo, &bin, &w->arena, &e), 0);
	world_free(w);
}

static void rename_storm(void **state UNUSED)
{
	struct world *w = world_make();
	char name[64];

	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "old/d%d/f%d.c", i % 20, i);
		put(w, name, arena_printf(&w->arena, "%sint unique_%d_a;\nint unique_%d_b;\n" FN("alpha"), HEAD, i, i));
	}
	const char *a = commit(w);
	GIT(w, "mv", "old", "new");
	put(w, "new/d7/f7.c", HEAD "int unique_7_a;\nint changed;\n" FN("alpha"));
	const char *b = commit(w);
	struct anchor an = lines_at(w, a, "old/d19/f1999.c", 5, 5), near = lines_at(w, a, "old/d7/f7.c", 4, 4);
	is_placed(w, &an, b, "moved new/d19/f1999.c:5-5");
	is_placed(w, &near, b, "moved new/d7/f7.c:4-4");
	world_free(w);
}

/* Many anchors in one batch give what each gives alone, in any order, with a cache and without. */
static void batches(void **state UNUSED)
{
	struct world *w = world_make();
	struct anchor an[40];
	struct place alone[40], many[40];
	struct place_query q[40];
	struct err e = ERR_INIT;
	struct oid to;

	put(w, "a.c", HEAD FN("alpha") FN("beta"));
	put(w, "b.c", HEAD FN("delta"));
	const char *a = commit(w);
	put(w, "a.c", HEAD FN("beta") "int mid_line;\n");
	put(w, "b.c", HEAD FN("delta") FN("alpha"));
	commit(w);
	GIT(w, "mv", "b.c", "c.c");
	const char *b = commit(w);
	for (uint32_t i = 0; i < 40; i++) {
		an[i] = lines_at(w, a, i % 3 ? "a.c" : "b.c", 1 + i % 13, 1 + i % 13 + (i % 4 == 0));
		alone[i] = place(w, &an[i], b);
		q[39 - i] = (struct place_query){ &an[i], &many[i] };
	}
	assert_true(oid_parse(b, &to));
	struct placer *p = placer_new(world_repo(w), NULL);
	assert_int_equal(place_batch(p, &to, q, 40, &w->arena, &e), 0);
	for (uint32_t i = 0; i < 40; i++) {
		assert_string_equal(said(w, &many[i]), said(w, &alone[i]));
		assert_true(many[i].confidence == alone[i].confidence);
	}
	placer_free(p);
	world_free(w);
}

/* A cache that several threads may only use one at a time: an overlap is a fault of the caller. */
struct memory { struct { char *space; void *key, *p; size_t key_len, n; } items[8000]; size_t len; int inside; };

static bool memory_get(void *ctx, const char *space, const void *key, size_t key_len, struct buf *out)
{
	struct memory *m = ctx;
	bool found = false;

	assert_int_equal(m->inside++, 0);
	for (size_t i = 0; i < m->len && !found; i++)
		if (m->items[i].key_len == key_len && !memcmp(m->items[i].key, key, key_len) && !strcmp(m->items[i].space, space)) {
			buf_add(out, m->items[i].p, m->items[i].n);
			found = true;
		}
	m->inside--;
	return found;
}

static void memory_put(void *ctx, const char *space, const void *key, size_t key_len, const void *p, size_t n)
{
	struct memory *m = ctx;
	size_t i = m->len;

	assert_int_equal(m->inside++, 0);
	assert_true(i < ARRAY_SIZE(m->items));
	m->items[i].space = xstrdup(space);
	m->items[i].key = memcpy(xmalloc(key_len + 1), key, key_len);
	m->items[i].p = memcpy(xmalloc(n + 1), p, n);
	m->items[i].key_len = key_len;
	m->items[i].n = n;
	m->len++;
	m->inside--;
}

static void memory_free(struct memory *m)
{
	for (size_t i = 0; i < m->len; i++) {
		free(m->items[i].space);
		free(m->items[i].key);
		free(m->items[i].p);
	}
	free(m);
}

enum { CREW_FILES = 160, CREW_ANCHORS = CREW_FILES * 4 };

static const char *crew_path(struct world *w, const char *top, unsigned i)
{
	return arena_printf(&w->arena, "%s%u/f%u.c", top, i % 5, i);
}

static void crew_put(struct world *w, const char *top, unsigned i, const char *head, const char *tail)
{
	put(w, crew_path(w, top, i), arena_printf(&w->arena, "%s%sint own_%u_a;\nint own_%u_b;\n" FN("alpha") "%s", HEAD, head, i, i, tail));
}

/* Of all files: some grow, some are edited, renamed, removed, lose code to another. */
static void crew_history(struct world *w, const char **from, const char **to)
{
	for (unsigned i = 0; i < CREW_FILES; i++)
		crew_put(w, "d", i, "", i % 3 ? "" : FN("beta"));
	*from = commit(w);
	for (unsigned i = 0; i < CREW_FILES; i++)
		crew_put(w, "d", i, i % 2 ? "int grown;\n" : "", i % 3 && i % 6 != 2 ? "" : FN("beta"));
	commit(w);
	for (unsigned i = 0; i < 30; i++)
		GIT(w, "mv", crew_path(w, "d", i), crew_path(w, "d", 1000 + i));
	for (unsigned i = 30; i < 40; i++)
		GIT(w, "rm", "-q", crew_path(w, "d", i));
	for (unsigned i = 40; i < 70; i++)
		crew_put(w, "d", i, "int edited_here_now;\n", "");
	*to = commit(w);
}

static void crew_places(struct world *w, struct anchor *an, const char *to, unsigned workers, struct memory *m, struct place *out)
{
	struct map_cache cache = { m, memory_get, memory_put };
	struct placer *p = placer_new(world_repo(w), m ? &cache : NULL);
	struct place_query q[CREW_ANCHORS];
	struct err e = ERR_INIT;
	struct oid id;

	for (size_t i = 0; i < CREW_ANCHORS; i++)
		q[i] = (struct place_query){ &an[i], &out[i] };
	if (to)
		assert_true(oid_parse(to, &id));
	placer_workers(p, workers);
	assert_int_equal(place_batch(p, to ? &id : NULL, q, CREW_ANCHORS, &w->arena, &e), 0);
	placer_free(p);
}

static void same_places(struct world *w, const struct place *x, const struct place *y)
{
	for (size_t i = 0; i < CREW_ANCHORS; i++) {
		assert_string_equal(said(w, &x[i]), said(w, &y[i]));
		assert_true(x[i].confidence == y[i].confidence && x[i].last_line == y[i].last_line &&
			    x[i].near_before == y[i].near_before && x[i].near_after == y[i].near_after);
		assert_true(!x[i].commit == !y[i].commit && (!x[i].commit || !strcmp(x[i].commit, y[i].commit)));
	}
}

/* Threads that share a batch give what one alone gives: of a commit, of the work tree, with a cache and from it. */
static void workers(void **state UNUSED)
{
	struct world *w = world_make();
	struct anchor an[CREW_ANCHORS];
	struct place one[CREW_ANCHORS], many[CREW_ANCHORS];
	struct memory *m = xcalloc(1, sizeof(*m));
	const char *from, *to;

	crew_history(w, &from, &to);
	for (unsigned i = 0; i < CREW_ANCHORS; i++)
		an[i] = (struct anchor){ .type = ANCHOR_LINES, .path = crew_path(w, "d", i % CREW_FILES), .line = 1 + i * 7 % 12,
			.end = 1 + i * 7 % 12 + (i % 4 == 0), .commit = from };
	crew_places(w, an, to, 1, NULL, one);
	crew_places(w, an, to, 4, NULL, many);
	same_places(w, one, many);
	crew_places(w, an, to, 4, m, many);
	same_places(w, one, many);
	crew_places(w, an, to, 4, m, many);
	same_places(w, one, many);
	for (unsigned i = 60; i < 90; i++)
		crew_put(w, "d", i, "int dirty_line;\n", FN("gamma"));
	crew_places(w, an, NULL, 1, NULL, one);
	crew_places(w, an, NULL, 4, NULL, many);
	same_places(w, one, many);
	memory_free(m);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shifted), cmocka_unit_test(edited), cmocka_unit_test(reindented), cmocka_unit_test(crlf),
		cmocka_unit_test(split_and_joined), cmocka_unit_test(pieces), cmocka_unit_test(comments_define_nothing),
		cmocka_unit_test(pieces_and_rivals), cmocka_unit_test(moved_to_either),
		cmocka_unit_test(moved_in_file), cmocka_unit_test(moved_to_file),
		cmocka_unit_test(renamed), cmocka_unit_test(copied), cmocka_unit_test(original_left), cmocka_unit_test(reverted), cmocka_unit_test(deleted_and_back),
		cmocka_unit_test(merged), cmocka_unit_test(criss_cross), cmocka_unit_test(rebased),
		cmocka_unit_test(amended_and_squashed), cmocka_unit_test(cherry_picked), cmocka_unit_test(work_tree),
		cmocka_unit_test(no_commit_yet), cmocka_unit_test(commit_gone), cmocka_unit_test(shallow), cmocka_unit_test(sections),
		cmocka_unit_test(sections_of_formats),
		cmocka_unit_test(columns), cmocka_unit_test(columns_gone), cmocka_unit_test(bad_input), cmocka_unit_test(rename_storm), cmocka_unit_test(batches), cmocka_unit_test(workers),
	};

	return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
