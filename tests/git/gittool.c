/* SPDX-License-Identifier: MIT */
/*
 * The rooms of src/git as commands, so that shell scripts can compare them with git itself. Errors go to standard error
 * as "CODE: message", exit 1.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "killick/base/clock.h"
#include "killick/git/history.h"
#include "killick/git/permalink.h"

struct tool {
	struct repo *r;
	struct arena a;
	struct err e;
	int argc;
	char **argv;
};

static const char *arg(struct tool *t, int i)
{
	return i < t->argc ? t->argv[i] : NULL;
}

static void put_oid(const struct oid *o, const char *end)
{
	char hex[GIT_OID_HEX];

	printf("%s%s", oid_hex(hex, o), end);
}

static int rev(struct tool *t, const char *s, struct oid *out)
{
	return repo_resolve(t->r, s ? s : "HEAD", out, &t->e);
}

static int do_find(struct tool *t)
{
	printf("top=%s\ngitdir=%s\ncommon=%s\nprefix=%s\nbare=%d\nshallow=%d\npartial=%d\nname=%s\n",
	    repo_top(t->r) ? repo_top(t->r) : "", repo_gitdir(t->r), repo_commondir(t->r), repo_prefix(t->r),
	    repo_is_bare(t->r), repo_is_shallow(t->r), repo_is_partial(t->r), repo_name(t->r));
	return 0;
}

static int do_head(struct tool *t)
{
	struct buf branch = BUF_INIT;
	struct oid o;

	if (repo_head(t->r, &o, &branch))
		put_oid(&o, " ");
	else
		printf("unborn ");
	puts(branch.ptr);
	buf_release(&branch);
	return 0;
}

static int do_resolve(struct tool *t)
{
	struct oid o;

	if (rev(t, arg(t, 0), &o))
		return -1;
	put_oid(&o, "\n");
	return 0;
}

static int do_log(struct tool *t)
{
	const char *const *revs = (const char *const *)t->argv + 1;
	struct history *h;
	struct oid o;
	unsigned n = 0;
	int rc;

	/* As the screens do, which let go of packs on the way. */
	repo_frugal(t->r);
	if (history_open(t->r, t->argc > 1 ? revs : NULL, *arg(t, 0) ? arg(t, 0) : NULL, &h, &t->e))
		return -1;
	while ((rc = history_next(h, &o, &t->e)) > 0) {
		put_oid(&o, "\n");
		if (++n % 16 == 0)
			repo_trim(t->r);
	}
	if (history_cut(h))
		puts("cut");
	history_close(h);
	return rc;
}

static int do_file(struct tool *t)
{
	struct buf b = BUF_INIT;
	struct oid id;
	const char *max = arg(t, 1);
	int rc = repo_worktree_file(t->r, arg(t, 0), max ? strtoul(max, NULL, 10) : 0, &b, &id, &t->e);

	if (!rc) {
		put_oid(&id, "\n");
		fwrite(b.ptr, 1, b.len, stdout);
	}
	buf_release(&b);
	return rc;
}

static int do_blob(struct tool *t)
{
	struct buf b = BUF_INIT;
	struct oid id;
	int rc = -1;

	if (oid_parse(arg(t, 0), &id))
		rc = repo_blob(t->r, &id, 0, &b, &t->e);
	fwrite(b.ptr, 1, b.len, stdout);
	buf_release(&b);
	return rc;
}

static int do_treepath(struct tool *t)
{
	struct oid c, o;
	unsigned mode;

	if (rev(t, arg(t, 0), &c) || repo_tree_path(t->r, &c, arg(t, 1), &o, &mode, &t->e))
		return -1;
	printf("%06o ", mode);
	put_oid(&o, "\n");
	return 0;
}

static void put_changes(const struct change *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf(":%06o %06o ", c[i].old_mode, c[i].new_mode);
		put_oid(&c[i].old_id, " ");
		put_oid(&c[i].new_id, " ");
		if (c[i].status == 'R')
			printf("R\t%s\t%s\n", c[i].old_path, c[i].new_path);
		else
			printf("%c\t%s\n", c[i].status, c[i].new_path);
	}
}

/* changes FROM|- TO|- [-M] */
static int do_changes(struct tool *t)
{
	struct oid from, to;
	struct change *c;
	size_t n;
	bool has_from = strcmp(arg(t, 0), "-") != 0, has_to = strcmp(arg(t, 1), "-") != 0;

	if ((has_from && rev(t, arg(t, 0), &from)) || (has_to && rev(t, arg(t, 1), &to)))
		return -1;
	if (repo_changes(t->r, has_from ? &from : NULL, has_to ? &to : NULL, arg(t, 2) ? CHANGES_RENAMES : 0, &t->a, &c, &n,
	    &t->e))
		return -1;
	put_changes(c, n);
	return 0;
}

static int do_staged(struct tool *t)
{
	struct change *c;
	size_t n;

	if (repo_staged(t->r, &t->a, &c, &n, &t->e))
		return -1;
	put_changes(c, n);
	return 0;
}

/* As the lines "@@ -a,b +c,d @@" of git diff -U0. */
static void put_side(char mark, uint32_t start, uint32_t lines)
{
	printf("%c%u", mark, (unsigned)start);
	if (lines != 1)
		printf(",%u", (unsigned)lines);
}

/* hunks OID OID */
static int do_hunks(struct tool *t)
{
	struct buf b[2] = { BUF_INIT, BUF_INIT };
	struct hunk *h;
	struct oid id;
	size_t n = 0;
	int rc = 0;

	for (int i = 0; i < 2 && !rc; i++)
		rc = oid_parse(arg(t, i), &id) ? repo_blob(t->r, &id, 0, &b[i], &t->e) : -1;
	if (!rc)
		rc = repo_hunks(b[0].ptr, b[0].len, b[1].ptr, b[1].len, &t->a, &h, &n, &t->e);
	for (size_t i = 0; !rc && i < n; i++) {
		printf("@@ ");
		put_side('-', h[i].old_start, h[i].old_lines);
		printf(" ");
		put_side('+', h[i].new_start, h[i].new_lines);
		puts(" @@");
	}
	buf_release(&b[0]);
	buf_release(&b[1]);
	return rc;
}

static int do_show(struct tool *t)
{
	struct buf b = BUF_INIT;
	struct oid o;
	bool cut;
	int rc = -1;

	if (rev(t, arg(t, 0), &o) == 0)
		rc = repo_show(t->r, &o, arg(t, 1) ? strtoul(arg(t, 1), NULL, 10) : 0, &b, &cut, &t->e);
	if (!rc) {
		fwrite(b.ptr, 1, b.len, stdout);
		if (cut)
			puts("(cut)");
	}
	buf_release(&b);
	return rc;
}

static int do_reaches(struct tool *t)
{
	struct oid a, b;

	if (rev(t, arg(t, 0), &a) || rev(t, arg(t, 1), &b))
		return -1;
	puts(repo_reaches(t->r, &a, &b) ? "yes" : "no");
	return 0;
}

static int do_bases(struct tool *t)
{
	struct oid a, b, *bases;
	size_t n;

	if (rev(t, arg(t, 0), &a) || rev(t, arg(t, 1), &b) || repo_merge_bases(t->r, &a, &b, &t->a, &bases, &n, &t->e))
		return -1;
	for (size_t i = 0; i < n; i++)
		put_oid(&bases[i], "\n");
	return 0;
}

/* new FROM|- TO MAX */
static int do_new(struct tool *t)
{
	struct oid from = OID_ZERO, to, *out;
	size_t n;

	if ((strcmp(arg(t, 0), "-") != 0 && rev(t, arg(t, 0), &from)) || rev(t, arg(t, 1), &to) ||
	    repo_new_commits(t->r, &from, &to, strtoul(arg(t, 2), NULL, 10), &t->a, &out, &n, &t->e))
		return -1;
	for (size_t i = 0; i < n; i++)
		put_oid(&out[i], "\n");
	return 0;
}

static int do_trailers(struct tool *t)
{
	struct buf b = BUF_INIT;
	struct trailer *tr;
	char chunk[4096];
	size_t n;

	while ((n = fread(chunk, 1, sizeof(chunk), stdin)))
		buf_add(&b, chunk, n);
	n = message_trailers(&t->a, b.ptr, &tr);
	for (size_t i = 0; i < n; i++)
		printf("%s: %s\n", tr[i].key, tr[i].value);
	buf_release(&b);
	return 0;
}

static const char *or_dash(const char *s)
{
	return s ? s : "-";
}

static int do_commit(struct tool *t)
{
	struct commit_info c;
	struct oid o;

	if (rev(t, arg(t, 0), &o) || repo_commit(t->r, &o, &t->a, &c, &t->e))
		return -1;
	put_oid(&c.id, "\n");
	printf("%s <%s> %lld\n", or_dash(c.author.name), or_dash(c.author.email), (long long)(c.time / 1000));
	printf("%s <%s> %lld\n", or_dash(c.committer.name), or_dash(c.committer.email), (long long)(c.commit_time / 1000));
	for (size_t i = 0; i < c.n_parents; i++)
		put_oid(&c.parents[i], i + 1 < c.n_parents ? " " : "");
	printf("\n%s\n%s\n", c.subject, or_dash(c.body));
	return 0;
}

static int config_get(struct tool *t, enum config_scope s)
{
	const char *v;

	if (!repo_config(t->r, s, arg(t, 0), &t->a, &v))
		return err_set(&t->e, ERR_NOT_FOUND, "not set");
	puts(v);
	return 0;
}

static int do_config(struct tool *t)
{
	return config_get(t, CONFIG_ANY);
}

static int do_config_user(struct tool *t)
{
	return config_get(t, CONFIG_USER);
}

static int put_entry(void *ctx UNUSED, const char *key, const char *value, const char *origin UNUSED)
{
	printf("%s=%s\n", key, value);
	return 0;
}

static int do_config_list(struct tool *t)
{
	return repo_config_each(t->r, "", put_entry, NULL, &t->e);
}

/* config-set local|global KEY [VALUE] */
static int do_config_set(struct tool *t)
{
	return repo_config_set(t->r, !strcmp(arg(t, 0), "global"), arg(t, 1), arg(t, 2), &t->e);
}

static int do_remotes(struct tool *t)
{
	struct remote_info *list;
	size_t n = repo_remotes(t->r, &t->a, &list);

	for (size_t i = 0; i < n; i++)
		printf("%s %s\n", list[i].name, list[i].url);
	return 0;
}

static int do_identity(struct tool *t)
{
	struct person p;

	if (repo_identity(t->r, &t->a, &p, &t->e))
		return -1;
	printf("%s <%s>\n", p.name, p.email);
	return 0;
}

static int do_path(struct tool *t)
{
	const char *p;

	if (repo_path(t->r, arg(t, 0), &t->a, &p, &t->e))
		return -1;
	puts(p);
	return 0;
}

static int do_anchor(struct tool *t)
{
	struct anchor_resolver res = repo_anchor_resolver(t->r);
	struct buf b = BUF_INIT;
	struct anchor an;

	if (anchor_parse(&t->a, arg(t, 0), &res, &an, &t->e))
		return -1;
	anchor_format(&b, &an, ANCHOR_FULL_OID | ANCHOR_WITH_COMMIT);
	printf("%s %s\n", anchor_type_name(an.type), b.ptr);
	buf_release(&b);
	return 0;
}

/* link COMMIT [PATH [LINE [END]]] */
static int do_link(struct tool *t)
{
	struct anchor an = { .type = arg(t, 2) ? ANCHOR_LINES : arg(t, 1) ? ANCHOR_FILE : ANCHOR_COMMIT, .path = arg(t, 1) };
	struct buf b = BUF_INIT;
	char hex[GIT_OID_HEX];
	struct oid o;

	if (rev(t, arg(t, 0), &o))
		return -1;
	an.commit = oid_hex(hex, &o);
	an.line = arg(t, 2) ? (uint32_t)strtoul(arg(t, 2), NULL, 10) : 0;
	an.end = arg(t, 3) ? (uint32_t)strtoul(arg(t, 3), NULL, 10) : an.line;
	puts(permalink_make(t->r, &an, &b) ? b.ptr : "none");
	buf_release(&b);
	return 0;
}

static const struct { const char *name; int args; int (*run)(struct tool *t); } commands[] = {
	{ "find", 0, do_find }, { "head", 0, do_head }, { "resolve", 1, do_resolve }, { "log", 1, do_log },
	{ "file", 1, do_file }, { "blob", 1, do_blob }, { "treepath", 2, do_treepath }, { "changes", 2, do_changes },
	{ "staged", 0, do_staged }, { "hunks", 2, do_hunks }, { "show", 1, do_show }, { "reaches", 2, do_reaches },
	{ "bases", 2, do_bases }, { "new", 3, do_new }, { "trailers", 0, do_trailers }, { "commit", 1, do_commit },
	{ "config", 1, do_config }, { "config-user", 1, do_config_user }, { "config-list", 0, do_config_list },
	{ "config-set", 2, do_config_set }, { "remotes", 0, do_remotes }, { "identity", 0, do_identity },
	{ "path", 1, do_path }, { "anchor", 1, do_anchor }, { "link", 1, do_link },
};

static int run(struct tool *t, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name) && t->argc >= commands[i].args)
			return commands[i].run(t);
	return err_set(&t->e, ERR_USAGE, "no such command, or too few arguments: %s", name);
}

int main(int argc, char **argv)
{
	struct tool t = { .a = ARENA_INIT, .e = ERR_INIT, .argc = argc - 2, .argv = argv + 2 };
	bool bare_words = argc > 1 && (!strcmp(argv[1], "trailers") || !strcmp(argv[1], "config-user") ||
	    !strcmp(argv[1], "identity") || !strncmp(argv[1], "config", 6));
	int rc;

	if (argc < 2)
		return 2;
	rc = repo_find(NULL, &t.r, &t.e);
	if (rc && bare_words) {
		err_clear(&t.e);
		rc = 0;
	}
	rc = rc || run(&t, argv[1]);
	if (rc)
		fprintf(stderr, "%d: %s\n", t.e.code, t.e.msg);
	repo_close(t.r);
	arena_release(&t.a);
	return rc != 0;
}
