/* SPDX-License-Identifier: MIT */
/*
 * Addresses of forges, both ways. Each forge is a row: which part of the path says what it is, and how its addresses are
 * made. The pure parser knows no repository; whose address it is, and where a branch's name with '/' ends, is decided
 * afterwards against the remotes and refs.
 *
 *	GitHub   /acme/widget/blob/REV/src/x.c#L10-L20     /commit/ID  /issues/412  /pull/58
 *	GitLab   /group/sub/widget/-/blob/REV/src/x.c#L10-20  /-/commit/ID  /-/issues/412  /-/merge_requests/58
 *	Gitea    /acme/widget/src/commit/ID/src/x.c#L10-L20   src/branch/NAME  /commit/ID  /issues/412  /pulls/58
 *	Gitiles  /plugins/gitiles/widget/+/REV/src/x.c#10  (googlesource.com: without the prefix)  /c/widget/+/58
 *	cgit     /cgit/widget/tree/src/x.c?id=ID#n10       /cgit/widget/commit/?id=ID
 */
#include "config.h"
#include <ctype.h>
#include <stdlib.h>
#include "killick/git/history.h"
#include "url.h"

#define LINE_LIMIT 0x7fffffff

/* --- the path, cut at '/' --- */

struct parts {
	const char *path;             /* without the first '/' */
	ARRAY(const char *) at;       /* where each part begins */
};

static void parts_cut(struct parts *ps, const char *path)
{
	const char *slash;

	ps->path = path + (*path == '/');
	*array_add(&ps->at) = ps->path;
	for (const char *p = ps->path; (slash = strchr(p, '/')); p = slash + 1)
		*array_add(&ps->at) = slash + 1;
}

static bool part_is(const struct parts *ps, size_t i, const char *word)
{
	size_t n = strlen(word);

	return i < ps->at.len && !strncmp(ps->at.items[i], word, n) && (!ps->at.items[i][n] || ps->at.items[i][n] == '/');
}

static bool part_in(const struct parts *ps, size_t i, const char *const *words)
{
	for (; *words; words++)
		if (part_is(ps, i, *words))
			return true;
	return false;
}

/* From part i on, "" when there is none. */
static const char *rest(const struct parts *ps, size_t i)
{
	return i < ps->at.len ? ps->at.items[i] : "";
}

/* The project: parts [from, to), without ".git". */
static const char *project(struct arena *a, const struct parts *ps, size_t from, size_t to)
{
	char *p;

	if (from >= to || to > ps->at.len)
		return NULL;
	p = url_decode(a, ps->at.items[from], (size_t)((to < ps->at.len ? ps->at.items[to] - 1 :
	    ps->at.items[to - 1] + strlen(ps->at.items[to - 1])) - ps->at.items[from]));
	if (p && strlen(p) > 4 && str_ends(p, ".git"))
		p[strlen(p) - 4] = 0;
	return p && *p ? p : NULL;
}

/* --- the pieces --- */

static bool is_id(const char *s, size_t n)
{
	if (n < 4 || n > 40)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	return true;
}

static char *lower_case(struct arena *a, const char *s, size_t n)
{
	char *out = arena_memdup(a, s, n);

	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return out;
}

static bool number_at(const char **p, uint32_t *out)
{
	uint64_t v = 0;

	if (!isdigit((unsigned char)**p))
		return false;
	for (; isdigit((unsigned char)**p); (*p)++)
		v = v > LINE_LIMIT ? v : v * 10 + (uint64_t)(**p - '0');
	*out = v > LINE_LIMIT ? 0 : (uint32_t)v;
	return *out != 0;
}

/* "L10", "L10-L20", "L10-20", "L10C3-L20C9", "n10", "10"; anything else means the whole file. */
static void parse_lines(const char *fragment, struct permalink *out)
{
	const char *p = fragment;
	uint32_t line, end, col = 0, col_end = 0;

	if (!p)
		return;
	p += *p == 'L' || *p == 'n';
	if (!number_at(&p, &line) || (*p == 'C' && (p++, !number_at(&p, &col))))
		return;
	end = line;
	if (*p == '-') {
		p++;
		p += *p == 'L';
		if (!number_at(&p, &end) || (*p == 'C' && (p++, !number_at(&p, &col_end))))
			return;
	}
	if (*p)
		return;
	out->line = line < end ? line : end;
	out->end = line < end ? end : line;
	out->col = line <= end ? col : col_end;
	out->col_end = line <= end ? col_end : col;
}

/* A revision and a path of which only the repository knows where one ends, unless it begins with a full id. */
static bool take_rev_and_path(struct arena *a, const char *text, struct permalink *out)
{
	const char *all = url_decode(a, text, strlen(text));
	size_t n = all ? strcspn(all, "/") : 0;

	if (!n || !all[n] || !all[n + 1])
		return false;
	out->kind = 'f';
	out->rev_and_path = all;
	if (n == 40 && is_id(all, n)) {
		out->rev = lower_case(a, all, n);
		out->path = all + n + 1;
	}
	return true;
}

static bool take_commit(struct arena *a, const char *text, struct permalink *out)
{
	size_t n = strcspn(text, "/^.");

	if (!is_id(text, n))
		return false;
	out->kind = 'c';
	out->rev = lower_case(a, text, n);
	return true;
}

static bool take_number(struct arena *a, const char *text, char kind, struct permalink *out)
{
	size_t n = strspn(text, "0123456789");

	if (!n || n > 18 || (text[n] && text[n] != '/'))
		return false;
	out->kind = kind;
	out->rev = arena_memdup(a, text, n);
	return true;
}

/* --- one forge after the other; i is the part that a pattern begins at --- */

struct page {
	struct arena *a;
	const struct url *url;
	struct parts parts;
	struct permalink *out;
};

static const char *const file_words[] = { "blob", "blame", "raw", NULL };

static bool at_gitlab(struct page *pg, size_t i)
{
	const struct parts *ps = &pg->parts;
	const char *after = rest(ps, i + 2);

	if (!part_is(ps, i, "-"))
		return false;
	if (part_in(ps, i + 1, file_words))
		return take_rev_and_path(pg->a, after, pg->out);
	if (part_is(ps, i + 1, "commit"))
		return take_commit(pg->a, after, pg->out);
	if (part_is(ps, i + 1, "issues") || part_is(ps, i + 1, "work_items"))
		return take_number(pg->a, after, 't', pg->out);
	return part_is(ps, i + 1, "merge_requests") && take_number(pg->a, after, 'm', pg->out);
}

static bool at_gitea(struct page *pg, size_t i)
{
	static const char *const words[] = { "src", "raw", "blame", "media", NULL };
	static const char *const kinds[] = { "commit", "branch", "tag", NULL };
	const struct parts *ps = &pg->parts;

	if (part_in(ps, i, words) && part_in(ps, i + 1, kinds))
		return take_rev_and_path(pg->a, rest(ps, i + 2), pg->out);
	return part_is(ps, i, "pulls") && take_number(pg->a, rest(ps, i + 1), 'm', pg->out);
}

static bool at_gitiles(struct page *pg, size_t i)
{
	static const char *const words[] = { "+", "+show", "+blame", "+log", NULL };
	const struct parts *ps = &pg->parts;
	const char *after = rest(ps, i + 1);
	size_t n = strcspn(after, "/");

	if (!part_in(ps, i, words))
		return false;
	if (part_is(ps, 0, "c") && take_number(pg->a, after, 'm', pg->out))
		return true;
	if (strchr(after, '^') || (is_id(after, n) && (!after[n] || !after[n + 1])))
		return take_commit(pg->a, after, pg->out);
	return take_rev_and_path(pg->a, after, pg->out);
}

/* The value of a key in "id=…&h=…", decoded, or NULL. */
static const char *query_value(struct arena *a, const char *query, const char *key)
{
	size_t n = strlen(key), len;

	for (const char *p = query; p && *p; p += *p == '&') {
		len = strcspn(p, "&");
		if (len > n + 1 && !strncmp(p, key, n) && p[n] == '=')
			return url_decode(a, p + n + 1, len - n - 1);
		p += len;
	}
	return NULL;
}

static bool at_cgit(struct page *pg, size_t i)
{
	static const char *const words[] = { "tree", "plain", "blame", NULL };
	const struct parts *ps = &pg->parts;
	const char *id = query_value(pg->a, pg->url->query, "id"), *branch = query_value(pg->a, pg->url->query, "h");
	const char *path, *frag = pg->url->fragment;

	if (!id && !branch && !(frag && frag[0] == 'n' && isdigit((unsigned char)frag[1])))
		return false;
	if (part_is(ps, i, "commit") || part_is(ps, i, "diff") || part_is(ps, i, "patch"))
		return id && take_commit(pg->a, id, pg->out);
	if (!part_in(ps, i, words))
		return false;
	path = url_decode(pg->a, rest(ps, i + 1), strlen(rest(ps, i + 1)));
	if (!path || !*path)
		return false;
	pg->out->kind = 'f';
	pg->out->path = path;
	pg->out->rev = id && is_id(id, strlen(id)) ? lower_case(pg->a, id, strlen(id)) : id ? id : branch ? branch : "HEAD";
	pg->out->rev_and_path = arena_printf(pg->a, "%s/%s", pg->out->rev, path);
	return true;
}

static bool at_github(struct page *pg, size_t i)
{
	const struct parts *ps = &pg->parts;
	const char *after = rest(ps, i + 1);

	if (part_in(ps, i, file_words))
		return take_rev_and_path(pg->a, after, pg->out);
	if (part_is(ps, i, "commit"))
		return take_commit(pg->a, after, pg->out);
	if (part_is(ps, i, "issues"))
		return take_number(pg->a, after, 't', pg->out);
	if (!part_is(ps, i, "pull"))
		return false;
	if (part_is(ps, i + 2, "commits") && take_commit(pg->a, rest(ps, i + 3), pg->out))
		return true;
	return take_number(pg->a, after, 'm', pg->out);
}

/* In the order they are tried at each part: the most telling first. least: parts that a project has at least. */
static const struct shape {
	enum forge forge;
	size_t least;
	bool (*at)(struct page *pg, size_t i);
} shapes[] = {
	{ FORGE_GITLAB, 2, at_gitlab },
	{ FORGE_GITILES, 1, at_gitiles },
	{ FORGE_CGIT, 1, at_cgit },
	{ FORGE_GITEA, 2, at_gitea },
	{ FORGE_GITHUB, 2, at_github },
};

/* Parts before the project that are the web program's own. */
static size_t project_start(const struct parts *ps, enum forge forge)
{
	if (forge == FORGE_CGIT)
		return part_is(ps, 0, "cgit") || part_is(ps, 0, "cgit.cgi");
	if (forge != FORGE_GITILES)
		return 0;
	for (size_t i = 0; i + 1 < ps->at.len; i++)
		if (part_is(ps, i, "plugins") && part_is(ps, i + 1, "gitiles"))
			return i + 2;
	return part_is(ps, 0, "c") || part_is(ps, 0, "a");
}

/* Words in hosts' names by which a forge is guessed, where addresses of two look alike or none is given. */
static const struct { const char *word; enum forge forge; } host_words[] = {
	{ "github", FORGE_GITHUB }, { "gitlab", FORGE_GITLAB }, { "gitea", FORGE_GITEA }, { "forgejo", FORGE_GITEA },
	{ "codeberg", FORGE_GITEA }, { "googlesource", FORGE_GITILES }, { "gerrit", FORGE_GITILES }, { "cgit", FORGE_CGIT },
};

/* The host's labels are compared whole: "gitlab.example.org" is one, "notgitlab.example.org" is not. */
enum forge forge_of_host(const char *host)
{
	static const char *const cgit_hosts[] = {
		"git.kernel.org", "git.savannah.gnu.org", "git.savannah.nongnu.org", "git.zx2c4.com", NULL,
	};

	for (size_t i = 0; cgit_hosts[i]; i++)
		if (!strcmp(host, cgit_hosts[i]))
			return FORGE_CGIT;
	for (const char *p = host; *p; p += *p == '.') {
		size_t n = strcspn(p, ".");

		for (size_t i = 0; i < ARRAY_SIZE(host_words); i++)
			if (n == strlen(host_words[i].word) && !memcmp(p, host_words[i].word, n))
				return host_words[i].forge;
		p += n;
	}
	return FORGE_UNKNOWN;
}

static bool parse_page(struct page *pg)
{
	struct permalink *out = pg->out;
	size_t i, from;

	for (i = 1; i < pg->parts.at.len; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(shapes); k++) {
			if (i < shapes[k].least || !shapes[k].at(pg, i))
				continue;
			out->forge = shapes[k].forge;
			if (out->forge == FORGE_GITHUB && forge_of_host(out->host) == FORGE_GITEA)
				out->forge = FORGE_GITEA;   /* commits and issues look the same on both */
			from = project_start(&pg->parts, out->forge);
			from = from < i ? from : 0;   /* a project that is called cgit */
			out->project = project(pg->a, &pg->parts, from, i);
			parse_lines(out->kind == 'f' ? pg->url->fragment : NULL, out);
			return out->project != NULL;
		}
	}
	return false;
}

/* raw.githubusercontent.com/acme/widget/REV/src/x.c */
static bool parse_raw_host(struct page *pg)
{
	if (strcmp(pg->out->host, "raw.githubusercontent.com") != 0 || pg->parts.at.len < 4 ||
	    !take_rev_and_path(pg->a, rest(&pg->parts, 2), pg->out))
		return false;
	pg->out->host = "github.com";
	pg->out->forge = FORGE_GITHUB;
	pg->out->project = project(pg->a, &pg->parts, 0, 2);
	return pg->out->project != NULL;
}

bool permalink_parse(struct arena *a, const char *url, struct permalink *out)
{
	struct url u;
	struct page pg = { .a = a, .url = &u, .out = out };
	bool ok;

	*out = (struct permalink){ .forge = FORGE_UNKNOWN };
	if (!url_parse(a, url, &u) || (strcmp(u.scheme, "https") != 0 && strcmp(u.scheme, "http") != 0))
		return false;
	out->host = u.host;
	out->port = u.port;
	parts_cut(&pg.parts, u.path);
	ok = parse_raw_host(&pg) || parse_page(&pg);
	array_release(&pg.parts.at);
	return ok;
}

/* --- is it ours --- */

/* The web's name of a host that serves git under another one. */
static const char *web_host(struct arena *a, const char *host)
{
	static const struct { const char *git, *web; } known[] = {
		{ "ssh.github.com", "github.com" }, { "altssh.gitlab.com", "gitlab.com" }, { "www.github.com", "github.com" },
	};
	size_t n = strcspn(host, ".");

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(host, known[i].git))
			return known[i].web;
	/* chromium-review.googlesource.com is chromium.googlesource.com's Gerrit */
	if (str_ends(host, ".googlesource.com") && n > 7 && !memcmp(host + n - 7, "-review", 7))
		return arena_printf(a, "%.*s%s", (int)(n - 7), host, host + n);
	return host;
}

static bool is_web(const struct remote_url *u)
{
	return !strcmp(u->scheme, "https") || !strcmp(u->scheme, "http");
}

static bool same_project(struct repo *r, const struct permalink *p, const struct remote_url *u)
{
	bool folds = p->forge == FORGE_GITHUB || p->forge == FORGE_GITLAB || p->forge == FORGE_GITEA;
	const char *ours = u->project, *theirs = p->project;
	size_t n;
	struct oid id;

	if (p->forge == FORGE_GITILES && str_starts(ours, "a/"))
		ours += 2;   /* Gerrit's prefix for authenticated http */
	if (p->forge == FORGE_CGIT && (str_starts(ours, "cgit/") || str_starts(ours, "git/")))
		ours = strchr(ours, '/') + 1;   /* the pages below one folder of the host, the clones below another */
	if (folds ? !strcasecmp(ours, theirs) : !strcmp(ours, theirs))
		return true;
	n = strlen(theirs) - (strlen(ours) < strlen(theirs) ? strlen(ours) : 0);
	return (p->forge == FORGE_GITLAB || p->forge == FORGE_GITEA) && !is_web(u) && n && n < strlen(theirs) &&
	    theirs[n - 1] == '/' && !strcasecmp(theirs + n, ours) && p->rev && oid_parse(p->rev, &id) &&
	    repo_has_object(r, &id);
}

/* The remote's name, or NULL. */
static const char *our_remote(struct repo *r, struct arena *a, const struct permalink *p)
{
	struct remote_info *list;
	struct remote_url u;
	size_t n = repo_remotes(r, a, &list);

	for (size_t i = 0; i < n; i++)
		if (remote_url_parse(a, list[i].url, &u) && !strcmp(web_host(a, u.host), web_host(a, p->host)) &&
		    (!is_web(&u) || u.port == p->port) && same_project(r, p, &u))
			return list[i].name;
	return NULL;
}

/* --- which commit --- */

/* A branch of that remote, a tag, a branch, as a ref; Gitiles writes refs out. */
static bool ref_commit(struct repo *r, struct arena *a, const char *remote, const char *name, struct oid *out)
{
	const char *const refs[] = {
		arena_printf(a, "refs/remotes/%s/%s", remote, name), arena_printf(a, "refs/tags/%s", name),
		arena_printf(a, "refs/heads/%s", name),
		str_starts(name, "refs/heads/") ? arena_printf(a, "refs/remotes/%s/%s", remote, name + 11) : name,
	};
	struct err e = ERR_INIT;
	struct oid id;

	for (size_t i = 0; i < ARRAY_SIZE(refs); i++)
		if (str_starts(refs[i], "refs/") && ref_read(r, refs[i], &id))
			return repo_resolve(r, refs[i], out, &e) == 0;
	return false;
}

/* One revision to its commit. */
static bool rev_commit(struct repo *r, struct arena *a, const char *remote, const char *rev, struct oid *out)
{
	struct err e = ERR_INIT;

	if (oid_parse(rev, out) || ref_commit(r, a, remote, rev, out))
		return true;
	if (!strcmp(rev, "HEAD"))
		return ref_read(r, arena_printf(a, "refs/remotes/%s/HEAD", remote), out) || repo_head(r, out, NULL);
	return is_id(rev, strlen(rev)) && strlen(rev) >= 7 && repo_resolve(r, rev, out, &e) == 0;
}

/* Where the revision ends: at the first '/' where what stands before it is one. */
static bool decide(struct repo *r, struct arena *a, const char *remote, const struct permalink *p, struct oid *id,
    const char **path)
{
	if (p->rev) {
		*path = p->path;
		return rev_commit(r, a, remote, p->rev, id);
	}
	for (const char *slash = strchr(p->rev_and_path, '/'); slash && slash[1]; slash = strchr(slash + 1, '/')) {
		const char *rev = arena_memdup(a, p->rev_and_path, (size_t)(slash - p->rev_and_path));

		if (rev_commit(r, a, remote, rev, id)) {
			*path = slash + 1;
			return true;
		}
	}
	return false;
}

bool permalink_anchor(struct repo *r, const char *url, struct arena *a, struct anchor *out)
{
	struct permalink p;
	char hex[GIT_OID_HEX];
	const char *remote, *path = NULL;
	struct oid id;

	if (!permalink_parse(a, url, &p) || !(remote = our_remote(r, a, &p)))
		return false;
	if (p.kind == 't' || p.kind == 'm') {
		*out = (struct anchor){ .type = p.kind == 't' ? ANCHOR_TASK : ANCHOR_CHANGE };
		out->task = p.kind == 't' ? arena_printf(a, "#%s", p.rev) : p.rev;
		return true;
	}
	if (!decide(r, a, remote, &p, &id, &path) || (path && !path_is_sound(path)))
		return false;
	*out = (struct anchor){ .type = p.kind == 'c' ? ANCHOR_COMMIT : p.line ? ANCHOR_LINES : ANCHOR_FILE };
	out->commit = arena_strdup(a, oid_hex(hex, &id));
	if (p.kind == 'f') {
		out->path = path;
		out->line = p.line;
		out->end = p.end;
	}
	return true;
}

/* --- making one --- */

/* %s base, then commit, then path; lines by `one` and `range`. */
static const struct forge_row {
	const char *name;
	enum forge forge;
	const char *file, *file_end, *commit, *commit_end, *line, *to;
} forges[] = {
	{ "github", FORGE_GITHUB, "/blob/", "/", "/commit/", "", "#L", "-L" },
	{ "gitlab", FORGE_GITLAB, "/-/blob/", "/", "/-/commit/", "", "#L", "-" },
	{ "gitea", FORGE_GITEA, "/src/commit/", "/", "/commit/", "", "#L", "-L" },
	{ "forgejo", FORGE_GITEA, "/src/commit/", "/", "/commit/", "", "#L", "-L" },
	{ "gitiles", FORGE_GITILES, "/+/", "/", "/+/", "", "#", NULL },
	{ "gerrit", FORGE_GITILES, "/+/", "/", "/+/", "", "#", NULL },
	{ "cgit", FORGE_CGIT, "/tree/", "?id=", "/commit/?id=", "", "#n", NULL },
};

static const struct forge_row *forge_row(struct repo *r, struct arena *a, const char *host)
{
	enum forge guess = forge_of_host(host);
	const char *told;

	if (repo_config(r, CONFIG_ANY, "killick.forge", a, &told))
		for (size_t i = 0; i < ARRAY_SIZE(forges); i++)
			if (!strcasecmp(told, forges[i].name))
				return &forges[i];
	for (size_t i = 0; i < ARRAY_SIZE(forges); i++)
		if (guess != FORGE_UNKNOWN && forges[i].forge == guess)
			return &forges[i];
	return NULL;
}

struct tips { struct oids list; };

static int add_tip(void *ctx, const char *name, const struct oid *commit, struct err *e)
{
	struct tips *t = ctx;

	(void)name;
	(void)e;
	*array_add(&t->list) = *commit;
	return 0;
}

/* Is the commit in one of the remote's branches as we last saw them? */
static bool is_pushed(struct repo *r, struct arena *a, const char *remote, const struct oid *id)
{
	struct tips t = { { NULL, 0, 0 } };
	struct err e = ERR_INIT;
	bool yes;

	yes = refs_each(r, arena_printf(a, "refs/remotes/%s/", remote), NULL, add_tip, &t, &e) == 0 && t.list.len &&
	    repo_reaches_any(r, t.list.items, t.list.len, id);
	array_release(&t.list);
	return yes;
}

/* cgit knows a project by the name of its folder, with ".git" where it has that; Savannah clones from /git. */
static const char *cgit_project(struct arena *a, const struct remote_url *u, const char *url)
{
	const char *project = u->project;
	size_t n = strlen(url);

	while (n && url[n - 1] == '/')
		n--;
	if (n > 4 && !memcmp(url + n - 4, ".git", 4))
		project = arena_printf(a, "%s.git", project);
	if (str_starts(u->host, "git.savannah.") && str_starts(project, "git/"))
		project = arena_printf(a, "cgit/%s", project + 4);
	return project;
}

/* url: the remote's, as it was parsed into u. */
static void write_base(struct buf *out, struct arena *a, const struct remote_url *u, const char *url, const struct forge_row *f)
{
	const char *project = f->forge == FORGE_CGIT ? cgit_project(a, u, url) : u->project;
	bool google = str_ends(u->host, ".googlesource.com");

	buf_addf(out, "%s://%s", !strcmp(u->scheme, "http") ? "http" : "https", web_host(a, u->host));
	if (u->port && is_web(u))
		buf_addf(out, ":%u", (unsigned)u->port);
	if (f->forge == FORGE_GITILES && !google)
		buf_addstr(out, "/plugins/gitiles");
	if (f->forge == FORGE_GITILES && str_starts(project, "a/"))
		project += 2;
	buf_addch(out, '/');
	url_encode(out, project);
}

static void write_page(struct buf *out, const struct forge_row *f, const struct anchor *an)
{
	if (an->type == ANCHOR_COMMIT) {
		buf_addf(out, "%s%s%s", f->commit, an->commit, f->commit_end);
		return;
	}
	buf_addstr(out, f->file);
	if (f->forge == FORGE_CGIT) {
		url_encode(out, an->path);
		buf_addf(out, "%s%s", f->file_end, an->commit);
	} else {
		buf_addf(out, "%s%s", an->commit, f->file_end);
		url_encode(out, an->path);
	}
	if (an->type == ANCHOR_LINES && an->line) {
		buf_addf(out, "%s%u", f->line, (unsigned)an->line);
		if (an->end > an->line && f->to)
			buf_addf(out, "%s%u", f->to, (unsigned)an->end);
	}
}

bool permalink_make(struct repo *r, const struct anchor *an, struct buf *out)
{
	bool file = an->type == ANCHOR_FILE || an->type == ANCHOR_LINES || an->type == ANCHOR_SECTION;
	const struct forge_row *f;
	struct arena a = ARENA_INIT;
	struct remote_info *list;
	struct remote_url u;
	struct oid id;
	bool made = false;
	size_t n;

	if (!an->commit || !oid_parse(an->commit, &id) || (file ? !an->path : an->type != ANCHOR_COMMIT))
		return false;
	n = repo_remotes(r, &a, &list);
	for (size_t i = 0; i < n && !made; i++) {
		if (!remote_url_parse(&a, list[i].url, &u) || !(f = forge_row(r, &a, web_host(&a, u.host))) ||
		    !is_pushed(r, &a, list[i].name, &id))
			continue;
		write_base(out, &a, &u, list[i].url, f);
		write_page(out, f, an);
		made = true;
	}
	arena_release(&a);
	return made;
}

/* --- in a text --- */

/* The length of the address at p: to a blank, quote or bracket, without the marks that end a sentence. */
static size_t address_length(const char *p)
{
	size_t n = 0, open = 0;

	for (; p[n] && (unsigned char)p[n] > ' ' && p[n] != 0x7f && !strchr("<>\"`|\\{}", p[n]); n++) {
		if (p[n] == '(' || p[n] == '[')
			open++;
		else if ((p[n] == ')' || p[n] == ']') && !open--)
			break;
	}
	while (n && strchr(".,;:!?'*_", p[n - 1]))
		n--;
	return n;
}

void permalink_scan(const char *text, void (*fn)(void *ctx, const char *url, size_t len), void *ctx)
{
	struct arena a = ARENA_INIT;
	struct permalink pl;

	for (const char *p = text; (p = strstr(p, "http")); ) {
		size_t n = str_starts(p, "https://") || str_starts(p, "http://") ? address_length(p) : 0;

		if (n && n <= URL_MAX && !(p > text && isalnum((unsigned char)p[-1])) &&
		    permalink_parse(&a, arena_memdup(&a, p, n), &pl))
			fn(ctx, p, n);
		arena_clear(&a);
		p += n ? n : 4;
	}
	arena_release(&a);
}
