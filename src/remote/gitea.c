/* SPDX-License-Identifier: MIT */
/*
 * Gitea and Forgejo. Facts: rest-apis.md section 4, checked against their sources. What shapes this adapter:
 *
 * - Abilities come with the version: threads are resolved from Gitea 1.26 on, replied to from 1.27 on; Forgejo has neither but
 *   takes single notes into a review that is there. Elsewhere a reply is a note on the same line, which is what both show as
 *   one thread.
 * - A new review takes the user's unsent one along and publishes it: nothing is sent while there is one.
 * - Edits, deletions and resolutions leave a task's time alone: those of code notes are seen when their change moves, or by a
 *   full pull.
 * - Links name the address that the server believes it has: pages are counted here, addresses of the web made here.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "gitea.h"

enum { CAPS_READ = CAP_TASKS | CAP_CHANGES };
enum { CAPS_TALK = CAP_NEW_TASK | CAP_COMMENT | CAP_EDIT_NOTE | CAP_DELETE_NOTE | CAP_CODE_NOTES | CAP_REPLY | CAP_REVIEW |
	CAP_REACTIONS | CAP_HIDDEN_MARK | CAP_ID_IN_ANSWER | CAP_STATE };
enum { CAPS_WRITER = CAP_LABELS | CAP_ASSIGN | CAP_MILESTONES | CAP_MODERATE };

int gitea_init(struct gitea *g, struct remote *r, struct err *e)
{
	const struct source_desc *s = remote_source(r);
	struct arena *a = remote_keep(r);
	const char *project = remote_project(r), *slash = project ? strchr(project, '/') : NULL, *web = s->web ? s->web : "";

	if (!slash || slash == project || !slash[1] || strchr(slash + 1, '/'))
		return err_set(e, ERR_USAGE, "the project '%s' is not of the form owner/name", project ? project : "");
	*g = (struct gitea){
		.r = r, .h = remote_http(r), .me = s->me.login, .caps = remote_caps(r),
		.prefix = s->prefix ? s->prefix : r->ad->prefix,
		.repo = arena_printf(a, "repos/%s/%s", http_escaped(a, arena_memdup(a, project, (size_t)(slash - project))),
				     http_escaped(a, slash + 1)),
		.web = arena_printf(a, "%s%s%s", web, *web && !str_ends(web, "/") ? "/" : "", project),
	};
	return 0;
}

struct gitea_version gitea_version_parse(const char *s)
{
	struct gitea_version v = { .forgejo = s && (strstr(s, "+gitea-") || strcasestr(s, "forgejo")) };
	char *end;

	if (!s)
		return v;
	v.major = (unsigned)strtoul(s + (*s == 'v'), &end, 10);
	if (*end == '.')
		v.minor = (unsigned)strtoul(end + 1, NULL, 10);
	return v;
}

bool gitea_at_least(const struct gitea_version *v, unsigned major, unsigned minor)
{
	return !v->forgejo && (v->major > major || (v->major == major && v->minor >= minor));
}

struct person gitea_person(const json_t *user)
{
	const char *mail = field_str(user, "email");

	if (mail && strstr(mail, "noreply"))
		mail = NULL;
	return (struct person){ .login = field_str(user, "login"), .name = field_str(user, "full_name"), .email = mail };
}

bool gitea_is_me(const struct gitea *g, const json_t *user)
{
	const char *login = field_str(user, "login");

	return g->me && login && !strcasecmp(g->me, login);
}

const char *gitea_digits(const char *key, struct err *e)
{
	if (key && *key && strspn(key, "0123456789") == strlen(key))
		return key;
	err_set(e, ERR_BAD_DATA, "'%s' is no number", key ? key : "");
	return NULL;
}

/* ---- which server, which project ---- */

/* "git/acme/widget" of "git/acme/widget/pulls/3": what names the project, of the address of one of its pages. */
static const char *project_path(struct arena *a, const char *path)
{
	static const char *const pages[] = { "issues", "pulls", "src", "commit", "commits", "compare", "releases", "wiki", "branches",
		"tags", "raw", "media", "blame", "labels", "milestones", "milestone", "projects", "activity", "actions", "settings" };
	const char *p = strchr(path, '/');

	while (p && (p = strchr(p + 1, '/'))) {
		size_t n = strcspn(p + 1, "/");

		for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
			if (strlen(pages[i]) == n && !strncmp(p + 1, pages[i], n))
				return arena_memdup(a, path, (size_t)(p - path));
	}
	return path;
}

static void owner_name(struct arena *a, const char *path, const char **base, const char **project)
{
	const char *last = strrchr(path, '/'), *p = last;

	while (p > path && p[-1] != '/')
		p--;
	*base = arena_memdup(a, path, (size_t)(p - path));
	*project = arena_strdup(a, p);
}

static bool gitea_claim(struct arena *a, const struct remote_url *url, struct source_desc *out)
{
	static const char *const hosts[] = { "gitea.com", "codeberg.org" };
	bool ours = str_starts(url->host, "gitea.") || str_starts(url->host, "forgejo.");
	const char *project = project_path(a, url->project), *slash = strchr(project, '/');

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		ours = ours || !strcasecmp(url->host, hosts[i]);
	if (!ours || url->port || !slash || strchr(slash + 1, '/') || (strcmp(url->scheme, "https") && strcmp(url->scheme, "ssh")))
		return false;
	out->web = arena_printf(a, "https://%s/", url->host);
	out->api = arena_printf(a, "https://%s/api/v1/", url->host);
	out->project = arena_strdup(a, project);
	return true;
}

/* At the root of the host and, for an installation below it, at what stands before owner/name. */
static int sniff_at(struct remote *r, const char *base, bool *ours, struct err *e)
{
	struct http_answer a;
	int rc = http_get(remote_http(r), &a, e, "%sapi/v1/version", base);

	*ours = !rc && json_get_str(a.json, "version") && json_object_size(a.json) == 1;
	if (!rc)
		http_answer_release(&a);
	return rc;
}

static int gitea_sniff(struct remote *r, struct source_desc *out, struct err *e)
{
	struct arena *k = remote_keep(r);
	const char *base = "", *project = "", *web;
	struct remote_url url;
	bool ours = false;

	if (!remote_url_parse(k, remote_source(r)->web, &url) || !strchr(url.project, '/'))
		return err_set(e, ERR_NOT_FOUND, "no project of a Gitea");
	owner_name(k, project_path(k, url.project), &base, &project);
	if (sniff_at(r, base, &ours, e) && (!*base || (e->code != ERR_NOT_FOUND && e->code != ERR_BAD_DATA)))
		return -1;
	if (!ours && *base) {
		err_clear(e);
		base = "";
		if (sniff_at(r, base, &ours, e))
			return -1;
	}
	if (!ours)
		return err_set(e, ERR_NOT_FOUND, "no Gitea");
	web = !strcmp(url.scheme, "http") || !strcmp(url.scheme, "https") ? url.scheme : "https";
	out->web = url.port && web == url.scheme ? arena_printf(k, "%s://%s:%u/%s", web, url.host, url.port, base) :
		arena_printf(k, "%s://%s/%s", web, url.host, base);
	out->api = arena_printf(k, "%sapi/v1/", out->web);
	out->project = project;
	return 0;
}

/* ---- what it can do ---- */

struct probing { struct gitea g; struct remote_probe *out; struct gitea_version v; ARRAY(struct cap_why) why; };

static void without(struct probing *p, unsigned caps, const char *why)
{
	for (unsigned bit = 1; bit && bit <= caps; bit <<= 1)
		if (caps & bit)
			*array_add(&p->why) = (struct cap_why){ (enum caps)bit, why };
	p->out->caps &= ~caps;
}

static int probe_version(struct probing *p, struct err *e)
{
	struct arena *k = remote_keep(p->g.r);
	struct http_answer a;

	if (http_get(p->g.h, &a, e, "version"))
		return e->code == ERR_NOT_FOUND ? err_set(e, ERR_NOT_FOUND, "there is no Gitea at %s", remote_source(p->g.r)->api) : -1;
	p->out->version = arena_strdup(k, json_get_str(a.json, "version"));
	p->v = gitea_version_parse(p->out->version);
	http_answer_release(&a);
	return p->out->version ? 0 : err_set(e, ERR_BAD_DATA, "%s does not answer as a Gitea does", remote_source(p->g.r)->api);
}

static int probe_me(struct probing *p, struct err *e)
{
	struct arena *k = remote_keep(p->g.r);
	struct http_answer a;
	struct err failed = ERR_INIT;
	struct person me;

	if (http_get(p->g.h, &a, &failed, "user")) {
		if (!p->g.r->cred.secret && (failed.code == ERR_AUTH || failed.code == ERR_REFUSED))
			return 0;
		if (failed.code == ERR_REFUSED || strstr(failed.msg, "(403")) {   /* a token for projects, not for people */
			p->out->missing = "read:user (killick cannot know who you are)";
			return 0;
		}
		return err_set(e, failed.code, "%s", failed.msg);
	}
	me = gitea_person(a.json);
	p->out->me_login = arena_strdup(k, me.login);
	p->out->me_name = arena_strdup(k, me.name);
	p->out->me_email = arena_strdup(k, me.email);
	http_answer_release(&a);
	return 0;
}

static int probe_repo(struct probing *p, struct err *e)
{
	struct http_answer a;
	const json_t *j;

	if (http_get(p->g.h, &a, e, "%s", p->g.repo)) {
		if (e->code != ERR_NOT_FOUND)
			return -1;
		return err_set(e, ERR_NOT_FOUND, "there is no project %s at %s%s", remote_source(p->g.r)->project,
			       remote_source(p->g.r)->web, p->out->me_login ? ", or you may not see it" : ", or only members see it");
	}
	j = a.json;
	p->out->title = arena_strdup(remote_keep(p->g.r), field_str(j, "full_name"));
	p->out->quirk = remote_renamed(p->g.r, p->out->title);
	p->out->public_ = !json_get_bool(j, "private") && !json_get_bool(j, "internal");
	if (json_get_bool(j, "archived"))
		without(p, ~(unsigned)CAPS_READ & p->out->caps, "the project is archived");
	if (json_is_false(json_object_get(j, "has_issues")))
		without(p, CAP_NEW_TASK & p->out->caps, "the project has no issues");
	if (p->out->me_login && !json_is_true(field_in(j, "permissions", "push")))
		without(p, CAPS_WRITER & p->out->caps, "you may read this project, not write to it");
	http_answer_release(&a);
	return 0;
}

static void probe_caps(struct probing *p)
{
	p->out->caps = CAPS_READ | CAPS_TALK | CAPS_WRITER | CAP_RESOLVE;
	without(p, CAP_RANGES | CAP_FILE_NOTES, "Gitea's notes are on single lines");
	without(p, CAP_COMMIT_NOTES, "Gitea has no notes on commits");
	without(p, CAP_PRIVATE_NOTES, "Gitea shows every note to all who see the project");
	if (p->v.forgejo)
		without(p, CAP_RESOLVE, "Forgejo has no way to resolve threads from outside");
	else if (!gitea_at_least(&p->v, 1, 26))
		without(p, CAP_RESOLVE, "resolving threads from outside needs Gitea 1.26");
	if (!p->out->me_login)
		without(p, p->out->caps & ~(unsigned)CAPS_READ, "a token is needed to write");
}

static int gitea_probe(struct remote *r, struct remote_probe *out, struct err *e)
{
	struct probing p = { .out = out, .why = ARRAY_INIT };
	struct cap_why *why;
	int rc = -1;

	if (gitea_init(&p.g, r, e) || probe_version(&p, e) || probe_me(&p, e))
		goto out;
	probe_caps(&p);
	if (probe_repo(&p, e))
		goto out;
	why = arena_alloc(remote_keep(r), (p.why.len + 1) * sizeof(*why));
	for (size_t i = 0; i < p.why.len; i++)
		why[i] = p.why.items[i];
	out->why = why;
	out->n_why = p.why.len;
	if (!out->quirk)
		out->quirk = "edits and deletions of notes on code are seen when their change moves, or by a full sync";
	rc = 0;
out:
	array_release(&p.why);
	return rc;
}

/* Gitea itself has no limits, but the proxies before large ones do. */
static void gitea_manners(const struct source_desc *s, struct http_options *o)
{
	(void)s;
	o->max_parallel = 4;
	o->write_gap_ms = 200;
}

static void gitea_authorize(const struct source_desc *s, const struct cred *c, struct buf *header)
{
	(void)s;
	buf_addf(header, "Authorization: token %s", c->secret);
}

static const char *gitea_rights_page(const struct cred *c)
{
	(void)c;
	return "user/settings/applications";
}

const struct adapter adapter_gitea = {
	.name = "gitea", .title = "Gitea or Forgejo", .prefix = "GT", .authorize = gitea_authorize, .rights_page = gitea_rights_page, .manners = gitea_manners,
	.claim = gitea_claim, .sniff = gitea_sniff, .probe = gitea_probe, .pull = gitea_pull, .look = gitea_look,
	.mark = gitea_mark, .push = gitea_push, .find = gitea_find,
};
