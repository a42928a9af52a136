/* SPDX-License-Identifier: MIT */
/*
 * Revisions (gitrevisions(7)) to commits. libgit2 knows most of the syntax; for the rest (dates of reflogs, negated
 * searches) and for abbreviations that fit several objects, git itself is asked: a child costs 3 ms, on rare paths only.
 */
#include "config.h"
#include <stdlib.h>
#include "killick/base/proc.h"
#include "git.h"

#define REF_NAMES_MAX 20000
#define CANDIDATES_SHOWN 5

int git_child(struct repo *r, const char *const *args, const void *in, size_t in_len, struct buf *out, struct err *e)
{
	struct arena a = ARENA_INIT;
	const char *env[] = {
		arena_printf(&a, "GIT_DIR=%s", r->gitdir), r->top ? arena_printf(&a, "GIT_WORK_TREE=%s", r->top) : "GIT_WORK_TREE",
		r->index_file ? arena_printf(&a, "GIT_INDEX_FILE=%s", r->index_file) : "GIT_INDEX_FILE",
		/* nothing is fetched behind the user's back: the first is git 2.45's, the second stops older ones */
		"GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", NULL,
	};
	static const char *const always[] = { "git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null" };
	const char **argv, **to;
	size_t n = 0;
	struct proc p = { .env = env, .dir = r->top ? r->top : r->gitdir, .in = in, .in_len = in_len, .out = out,
		.flags = PROC_STDERR_NULL };
	int rc;

	while (args[n])
		n++;
	argv = to = arena_alloc(&a, (ARRAY_SIZE(always) + n + 1) * sizeof(*argv));
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		*to++ = always[i];
	memcpy(to, args, n * sizeof(*args));
	p.argv = argv;
	rc = proc_run(&p, e);
	if (!rc && p.status)
		rc = 1;
	arena_release(&a);
	return rc;
}

/* --- what to say when there is none --- */

/* The part that names something: before '~', '^', ':' and '@{'. */
static size_t name_length(const char *rev)
{
	size_t n = strcspn(rev, "~^:");
	const char *at = strstr(rev, "@{");

	return at && (size_t)(at - rev) < n ? (size_t)(at - rev) : n;
}

static const char *short_name(const char *ref)
{
	static const char *const prefixes[] = { "refs/heads/", "refs/tags/", "refs/remotes/" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_starts(ref, prefixes[i]))
			return ref + strlen(prefixes[i]);
	return NULL;
}

static const char *nearest_ref(git_repository *lib, struct arena *a, const char *name)
{
	ARRAY(const char *) names = ARRAY_INIT;
	git_reference_iterator *it;
	const char *ref, *best;

	if (git_reference_iterator_new(&it, lib) < 0)
		return NULL;
	*array_add(&names) = "HEAD";
	while (names.len < REF_NAMES_MAX && git_reference_next_name(&ref, it) == 0)
		if (short_name(ref))
			*array_add(&names) = arena_strdup(a, short_name(ref));
	git_reference_iterator_free(it);
	*array_add(&names) = NULL;
	best = str_nearest(name, names.items);
	array_release(&names);
	return best;
}

static int unknown(struct repo *r, git_repository *lib, const char *rev, struct err *e)
{
	struct arena a = ARENA_INIT;
	const char *name = arena_memdup(&a, rev, name_length(rev)), *near;
	struct commit_links l;
	struct oid at;

	git_error_clear();
	if (oid_parse(rev, &at) && repo_has_object(r, &at)) {
		if (repo_links(r, &at, &l, e) == 0)
			err_set(e, ERR_BAD_DATA, "'%.200s' cannot be read as a commit", rev);
	} else if (strlen(name) >= 7 && str_is_hex(name, strlen(name))) {
		err_set(e, ERR_NOT_FOUND, "commit '%.200s' is not in this repository%s", rev, repo_is_shallow(r) ?
		    " (a shallow clone; 'git fetch --unshallow' gets all of its history)" : "; 'git fetch' may bring it");
	} else if (!repo_head(r, &at, NULL) && (!strcmp(name, "HEAD") || !strcmp(name, "@"))) {
		err_set(e, ERR_NOT_FOUND, "there is no commit here yet");
	} else if (strlen(name) < strlen(rev) && ref_exists(lib, name)) {
		err_set(e, ERR_NOT_FOUND, "there is no '%.200s': '%.200s' does not go that far%s", rev, name,
		    repo_is_shallow(r) ? " here (a shallow clone)" : "");
	} else {
		near = nearest_ref(lib, &a, name);
		err_set(e, ERR_NOT_FOUND, "no branch, tag or commit '%.200s' here%s%s%s", rev, near ? "; did you mean '" : "",
		    near ? near : "", near ? "'?" : "");
	}
	arena_release(&a);
	return -1;
}

/* --- what git is asked --- */

/* Reflogs, where libgit2 1.5 counts otherwise than git, and searches, of which it lacks the negated ones. */
static bool git_knows_better(const char *rev)
{
	return strstr(rev, "@{") || strstr(rev, "^{/") || str_starts(rev, ":/");
}

static bool ask_git(struct repo *r, const char *rev, struct oid *out)
{
	struct buf text = BUF_INIT, spec = BUF_INIT;
	struct err e = ERR_INIT;
	bool ok;

	buf_addf(&spec, "%s%s", rev, str_starts(rev, ":/") ? "" : "^{commit}");
	ok = git_child(r, (const char *[]){ "rev-parse", "--verify", "--quiet", "--end-of-options", spec.ptr, NULL }, NULL, 0,
	    &text, &e) == 0;
	buf_rtrim(&text);
	ok = ok && oid_parse(text.ptr, out);
	buf_release(&text);
	buf_release(&spec);
	return ok;
}

/* An abbreviated id that fits several objects: a commit where only one of them is one, as git prefers it. */
static int ambiguous(struct repo *r, const char *rev, struct oid *out, struct err *e)
{
	struct buf text = BUF_INIT, list = BUF_INIT, full = BUF_INIT;
	size_t n = name_length(rev), commits = 0, plain = strlen(rev) == n;
	struct commit_links l;
	struct oid o, one;
	struct err skip = ERR_INIT;
	char hex[GIT_OID_HEX];
	int rc;

	buf_addstr(&full, "--disambiguate=");
	buf_add(&full, rev, n);
	git_error_clear();
	rc = git_child(r, (const char *[]){ "rev-parse", full.ptr, NULL }, NULL, 0, &text, &skip);
	for (const char *p = text.ptr; !rc && *p; p += strcspn(p, "\n"), p += *p == '\n') {
		if (!oid_scan(p, &o) || repo_links(r, &o, &l, &skip))
			continue;
		one = o;
		if (++commits <= CANDIDATES_SHOWN)
			buf_addf(&list, "%s%.12s", commits > 1 ? ", " : "", oid_hex(hex, &o));
	}
	if (commits == 1 && plain) {
		*out = one;
		rc = 0;
	} else if (commits == 1) {
		buf_reset(&full);
		buf_addf(&full, "%s%s", oid_hex(hex, &one), rev + n);
		rc = repo_resolve(r, full.ptr, out, e);
	} else {
		rc = err_set(e, ERR_AMBIGUOUS, "'%.200s' fits several %s%s%s%s; give more digits", rev, commits ? "commits: " :
		    "objects", list.ptr, commits > CANDIDATES_SHOWN ? ", …" : "", "");
	}
	buf_release(&text);
	buf_release(&list);
	buf_release(&full);
	return rc;
}

/* --- the common way --- */

bool ref_exists(git_repository *lib, const char *name)
{
	git_reference *ref = NULL;
	bool yes = git_reference_dwim(&ref, lib, name) == 0;

	git_reference_free(ref);
	git_error_clear();
	return yes;
}

static int peel(git_object *obj, const char *rev, struct oid *out, struct err *e)
{
	git_object *commit;
	int rc = git_object_peel(&commit, obj, GIT_OBJECT_COMMIT);

	if (rc < 0) {
		git_error_clear();
		return err_set(e, ERR_NOT_FOUND, "'%.200s' names a %s, not a commit", rev,
		    git_object_type2string(git_object_type(obj)));
	}
	*out = oid_from_git(git_object_id(commit));
	git_object_free(commit);
	return 0;
}

int repo_resolve(struct repo *r, const char *rev, struct oid *out, struct err *e)
{
	struct buf spec = BUF_INIT;
	git_object *obj = NULL;
	git_repository *lib;
	struct commit_links l;
	struct err skip = ERR_INIT;
	int rc;

	if (!*rev || *rev == '-')
		return err_set(e, ERR_NOT_FOUND, "'%.200s' is not a revision", rev);
	if (!strcmp(rev, "HEAD") || !strcmp(rev, "@")) {
		if (repo_head(r, out, NULL))
			return 0;
		return err_set(e, ERR_NOT_FOUND, "there is no commit here yet");
	}
	if (oid_parse(rev, out) && repo_links(r, out, &l, &skip) == 0)
		return 0;
	if (git_knows_better(rev) && ask_git(r, rev, out))
		return 0;
	if (repo_lib(r, &lib, e))
		return -1;
	if (*rev == '@' && rev[1] != '{')
		buf_addf(&spec, "HEAD%s", rev + 1);   /* libgit2 takes "@" alone for a branch's name */
	else
		buf_addstr(&spec, rev);
	rc = git_revparse_single(&obj, lib, spec.ptr);
	if (rc == 0)
		rc = peel(obj, rev, out, e);
	else if (rc == GIT_EAMBIGUOUS)
		rc = ambiguous(r, rev, out, e);
	else
		rc = unknown(r, lib, rev, e);
	git_object_free(obj);
	buf_release(&spec);
	return rc;
}
