/* SPDX-License-Identifier: MIT */
/*
 * GitHub: github.com, GHE.com and GitHub Enterprise Server. Addresses, manners and what the credential may do; the other
 * files of its name read and write. Facts: rest-apis.md 2. What a token may write cannot be asked without writing: classic
 * tokens name their scopes in a header, of the others only what they may read is seen, and a write then says what is missing.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "fields.h"
#include "github.h"

enum { PARALLEL = 8, PER_MINUTE = 800, WRITE_GAP_MS = 1000 };

static const unsigned caps_read = CAP_TASKS | CAP_CHANGES | CAP_RANGES | CAP_FILE_NOTES;
static const unsigned caps_write = CAP_NEW_TASK | CAP_COMMENT | CAP_EDIT_NOTE | CAP_DELETE_NOTE | CAP_CODE_NOTES | CAP_REPLY |
	CAP_RANGES | CAP_FILE_NOTES | CAP_REVIEW | CAP_COMMIT_NOTES | CAP_REACTIONS | CAP_HIDDEN_MARK | CAP_ID_IN_ANSWER | CAP_STATE;
static const unsigned caps_triage = CAP_LABELS | CAP_ASSIGN | CAP_MILESTONES;

/* ---- whose address ---- */

static bool is_ghe_com(const char *host)
{
	return str_ends(host, ".ghe.com") && !str_starts(host, "api.") && host[0] != '.';
}

/* "acme/widget" of "acme/widget/issues/412", NULL: not even that. */
static const char *project_of(struct arena *a, const char *path)
{
	const char *slash = strchr(path, '/'), *end;

	if (!slash || slash == path || !slash[1] || slash[1] == '/')
		return NULL;
	end = slash + 1 + strcspn(slash + 1, "/?#");
	if (end - slash > 6 && !strncmp(end - 5, ".wiki", 5))
		end -= 5;   /* its wiki is a repository beside it */
	return arena_memdup(a, path, (size_t)(end - path));
}

static bool gh_claim(struct arena *a, const struct remote_url *url, struct source_desc *out)
{
	const char *host = str_starts(url->host, "www.") ? url->host + 4 : url->host, *project = project_of(a, url->project);
	bool ssh = !strcmp(url->scheme, "ssh");

	if (!strcmp(host, "ssh.github.com"))
		host += 4;
	if (!project || (strcmp(host, "github.com") && !is_ghe_com(host)) || (url->port && !ssh))
		return false;
	out->api = arena_printf(a, "https://api.%s/", host);
	out->web = arena_printf(a, "https://%s/", host);
	out->project = project;
	return true;
}

/* An Enterprise server says its version to anybody. */
static int gh_sniff(struct remote *r, struct source_desc *out, struct err *e)
{
	struct arena *a = remote_keep(r);
	const char *web = remote_source(r)->web, *root = NULL;
	struct http_answer ans;
	struct remote_url url;
	bool ours;

	if (!remote_url_parse(a, web, &url) || !project_of(a, url.project))
		return err_set(e, ERR_NOT_FOUND, "'%s' is not OWNER/NAME", web);
	if (http_get(remote_http(r), &ans, e, "api/v3/meta"))
		return -1;
	ours = json_get_str(ans.json, "installed_version") || http_header(&ans, "x-github-request-id");
	if (ours)
		root = arena_memdup(a, ans.url, (size_t)(strstr(ans.url, "api/v3/") - ans.url));
	http_answer_release(&ans);
	if (!ours)
		return err_set(e, ERR_NOT_FOUND, "this is not GitHub");
	out->api = arena_printf(a, "%sapi/v3/", root);
	out->web = root;
	out->project = project_of(a, url.project);
	return 0;
}

static bool is_github_com(const char *api)
{
	return str_starts(api, "https://api.github.com/") || (str_starts(api, "https://api.") && strstr(api, ".ghe.com/"));
}

static bool key_is(const char *key, size_t n, const char *const *names)
{
	for (; *names; names++)
		if (strlen(*names) == n && !memcmp(*names, key, n))
			return true;
	return false;
}

/* Addresses, but those that say where a note belongs; and the repositories in a change's head and base. */
static bool gh_drop(const char *key, size_t n)
{
	static const char *const kept[] = { "html_url", "issue_url", "pull_request_url", NULL };
	static const char *const others[] = { "url", "_links", "repo", "gravatar_id", "node_id", "user_view_type", "site_admin",
		"author_association", "performed_via_github_app", "requested_teams", "requested_reviewers", NULL };

	if (n > 4 && !memcmp(key + n - 4, "_url", 4))
		return !key_is(key, n, kept);
	return key_is(key, n, others);
}

/* github.com: 900 points a minute, a second between writes (rest-apis.md 2.4). A server of one's own sets no limits. */
static void gh_manners(const struct source_desc *s, struct http_options *o)
{
	o->max_parallel = PARALLEL;
	o->drop = gh_drop;
	if (!is_github_com(s->api))
		return;
	o->per_minute = PER_MINUTE;
	o->write_gap_ms = WRITE_GAP_MS;
}

/* ---- at work ---- */

int gh_init(struct gh *g, struct remote *r, struct err *e)
{
	const struct source_desc *s = remote_source(r);
	struct arena *a = remote_keep(r);
	const char *project = remote_project(r), *slash = project ? strchr(project, '/') : NULL;
	size_t n = strlen(s->api);

	if (!slash || slash == project || !slash[1] || strchr(slash + 1, '/'))
		return err_set(e, ERR_BAD_DATA, "the project '%s' is not OWNER/NAME", project ? project : "");
	*g = (struct gh){ .r = r, .h = remote_http(r), .name = slash + 1, .me = s->me.login };
	g->owner = arena_memdup(a, project, (size_t)(slash - project));
	g->repo = arena_printf(a, "repos/%s/%s", http_escaped(a, g->owner), http_escaped(a, g->name));
	g->graphql = n > 4 && !strcmp(s->api + n - 4, "/v3/") ? arena_printf(a, "%.*sgraphql", (int)(n - 3), s->api) :
		arena_printf(a, "%sgraphql", s->api);
	return 0;
}

int gh_me(struct gh *g, struct err *e)
{
	struct http_answer a;

	if (g->me || !g->r->cred.secret)
		return 0;
	if (http_get(g->h, &a, e, "user"))
		return -1;
	g->me = arena_strdup(remote_keep(g->r), json_get_str(a.json, "login"));
	http_answer_release(&a);
	return 0;
}

bool gh_may_graphql(const struct gh *g)
{
	return g->r->cred.secret != NULL;
}

/* ---- what may be done ---- */

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || strchr(", ", p[-1])) && (!p[n] || strchr(", ", p[n])))
			return true;
	return false;
}

/* A classic token says its scopes; others say nothing. */
static const char *missing_scopes(const struct http_answer *a, bool private_)
{
	const char *scopes = http_header(a, "x-oauth-scopes");

	if (!scopes || has_word(scopes, "repo") || (!private_ && has_word(scopes, "public_repo")))
		return NULL;
	return private_ ? "the scope 'repo'" : "the scope 'public_repo' (or 'repo')";
}

static const char archived[] = "the project is archived: it can only be read";

static int probe_repo(struct gh *g, struct remote_probe *p, struct err *e)
{
	struct arena *a = remote_keep(g->r);
	struct http_answer ans;
	const json_t *may;

	if (http_get(g->h, &ans, e, "%s", g->repo))
		return err_prefix(e, "%s/%s", g->owner, g->name);
	may = json_get_obj(ans.json, "permissions");
	p->title = arena_strdup(a, json_get_str(ans.json, "full_name"));
	if (remote_renamed(g->r, p->title))
		p->quirk = remote_renamed(g->r, p->title);
	p->public_ = !json_get_bool(ans.json, "private");
	p->caps = caps_read;
	if (json_is_false(json_object_get(ans.json, "has_issues")))
		p->caps &= ~(unsigned)CAP_TASKS;
	p->missing = missing_scopes(&ans, !p->public_);
	if (g->me && !p->missing && !json_get_bool(ans.json, "archived"))
		p->caps |= caps_write | (json_get_bool(may, "triage") || json_get_bool(may, "push") ? caps_triage : 0) |
			(json_get_bool(may, "push") ? CAP_MODERATE : 0);
	if (!(p->caps & CAP_TASKS))
		p->caps &= ~(unsigned)CAP_NEW_TASK;
	if (json_get_bool(ans.json, "archived"))
		p->quirk = archived;
	http_answer_release(&ans);
	return 0;
}

static int probe_me(struct gh *g, struct remote_probe *p, struct err *e)
{
	struct arena *a = remote_keep(g->r);
	struct http_answer ans;

	if (!g->r->cred.secret) {
		g->me = NULL;
		p->quirk = "without a token GitHub answers 60 requests an hour: reviews and the state of threads are left out";
		return 0;
	}
	if (http_get(g->h, &ans, e, "user"))
		return -1;
	p->me_login = g->me = arena_strdup(a, json_get_str(ans.json, "login"));
	p->me_name = arena_strdup(a, json_get_str(ans.json, "name"));
	p->me_email = arena_strdup(a, json_get_str(ans.json, "email"));
	http_answer_release(&ans);
	return 0;
}

/* Enterprise only; who does not tell has no version that matters. */
static void probe_version(struct gh *g, struct remote_probe *p)
{
	struct http_answer ans;

	if (is_github_com(remote_source(g->r)->api) || http_get(g->h, &ans, NULL, "meta"))
		return;
	p->version = arena_strdup(remote_keep(g->r), json_get_str(ans.json, "installed_version"));
	http_answer_release(&ans);
}

static bool probe_graphql(struct gh *g)
{
	struct http_answer ans = { .total = -1 };
	const json_t *data;
	bool ok = g->me && !gh_query(g, "{viewer{login}}", json_object(), &ans, &data, NULL);

	http_answer_release(&ans);
	return ok;
}

static void add_why(struct cap_why *why, struct remote_probe *p, unsigned caps, const char *words)
{
	for (unsigned bit = 1; bit && bit <= caps; bit <<= 1)
		if (caps & bit && !(p->caps & bit))
			why[p->n_why++] = (struct cap_why){ bit, words };
}

static int gh_probe(struct remote *r, struct remote_probe *out, struct err *e)
{
	struct cap_why *why = arena_alloc(remote_keep(r), 64 * sizeof(*why));
	struct gh g;

	*out = (struct remote_probe){ .why = why };
	if (gh_init(&g, r, e) || probe_me(&g, out, e) || probe_repo(&g, out, e))
		return -1;
	probe_version(&g, out);
	if (out->caps & CAP_COMMENT && probe_graphql(&g))
		out->caps |= CAP_RESOLVE;
	add_why(why, out, CAP_TASKS, "issues are turned off there");
	if (out->quirk == archived)
		add_why(why, out, caps_write | caps_triage | CAP_RESOLVE | CAP_MODERATE, "the project is archived");
	else if (!g.me)
		add_why(why, out, caps_write | caps_triage | CAP_RESOLVE | CAP_MODERATE, "that needs a token");
	else if (out->missing)
		add_why(why, out, caps_write | caps_triage | CAP_RESOLVE | CAP_MODERATE, "the token may not write");
	add_why(why, out, caps_triage, "that needs the right to triage");
	add_why(why, out, CAP_MODERATE, "that needs the right to write to the repository");
	add_why(why, out, CAP_RESOLVE, "GraphQL is not to be had there");
	add_why(why, out, CAP_PRIVATE_NOTES, "GitHub has no such notes");
	return 0;
}

static const char *gh_rights_page(const struct cred *c)
{
	return c->secret && str_starts(c->secret, "github_pat_") ? "settings/personal-access-tokens" : "settings/tokens";
}

static const char *const headers[] = { "Accept: application/vnd.github+json", "X-GitHub-Api-Version: 2022-11-28", NULL };

const struct adapter adapter_github = {
	.name = "github", .title = "GitHub", .prefix = "GH", .headers = headers, .rights_page = gh_rights_page, .manners = gh_manners,
	.claim = gh_claim, .sniff = gh_sniff, .probe = gh_probe, .pull = gh_pull, .look = gh_look, .mark = gh_mark,
	.push = gh_push, .find = gh_find,
};
