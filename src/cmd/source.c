/* SPDX-License-Identifier: MIT */
/*
 * source: connect trackers. Where a token would go is the one thing that must not be guessed wrong: what is added is shown
 * with its host before anything is written, and the host is noted as trusted in the user's own configuration, never in the
 * repository's.
 */
#include "config.h"
#include <stddef.h>
#include <string.h>
#include "families.h"
#include "killick/cmd/act.h"
#include "killick/sync/outbox.h"
#include "killick/sync/source.h"

struct add_values { const char *name, *kind, *api, *web, *project, *prefix; bool no_test; };
static const struct opt add_opts[] = {
	{ 'n', "name", OPT_STR, offsetof(struct add_values, name), "NAME", "what to call it; else after its kind", NULL },
	{ 0, "kind", OPT_STR, offsetof(struct add_values, kind), "KIND", "github, gitea, redmine, …: else asked of the server",
		NULL },
	{ 0, "api", OPT_STR, offsetof(struct add_values, api), "URL", "the base of its API, where that is not guessed", NULL },
	{ 0, "web", OPT_STR, offsetof(struct add_values, web), "URL", "the base of its web pages", NULL },
	{ 0, "project", OPT_STR, offsetof(struct add_values, project), "NAME", "the project there: acme/widget", NULL },
	{ 0, "prefix", OPT_STR, offsetof(struct add_values, prefix), "TEXT", "what its tasks' names begin with: GH", NULL },
	{ 0, "no-test", OPT_FLAG, offsetof(struct add_values, no_test), NULL, "write it down without asking the server", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

/* ---- showing ---- */

static json_t *strings(const json_t *list)
{
	return list ? json_incref((json_t *)(uintptr_t)list) : json_array();
}

static json_t *source_json(const struct source *s, const json_t *probe)
{
	json_t *j = json_object();

	probe = probe ? probe : s->probe;
	json_put_str(j, "name", s->d.name);
	json_put_str(j, "kind", s->d.kind);
	json_put_str(j, "api", s->d.api);
	json_put_str(j, "web", s->d.web);
	json_put_str(j, "project", s->d.project);
	json_object_set_new(j, "me", s->d.me.login ? person_json(&s->d.me) : json_null());
	json_put_str(j, "title", s->title);
	json_put_str(j, "version", s->version);
	json_object_set_new(j, "public", s->probed ? json_boolean(s->public_) : json_null());
	json_object_set_new(j, "caps", strings(json_get_arr(probe, "caps")));
	json_put_str(j, "missing", s->missing);
	json_put_time(j, "synced", s->synced);
	json_put_str(j, "problem", s->unusable ? s->unusable : s->problem);
	return j;
}

static void source_line(struct cmd *c, const struct source *s)
{
	char when[TIME_RELATIVE_SIZE];

	out_textf(c, STYLE_ID, "%s  ", s->d.name);
	out_textf(c, STYLE_NORMAL, "%s %s", s->d.kind ? s->d.kind : "?", s->d.project ? s->d.project : s->d.api ? s->d.api : "");
	if (s->d.me.login)
		out_textf(c, STYLE_AUTHOR, "  as %s", s->d.me.login);
	if (s->synced)
		out_textf(c, STYLE_DATE, "  %s", time_relative(when, s->synced, clock_now()));
	else
		out_text(c, STYLE_DIM, "  never synced");
	if (s->unusable || s->problem)
		out_textf(c, STYLE_ERROR, "  %s", s->unusable ? s->unusable : s->problem);
	out_line(c);
}

static int run_list(struct cmd *c, struct err *e)
{
	struct sources all;

	if (work_sources(c->work, &all, e))
		return -1;
	out_list_begin(c, "sources");
	for (size_t i = 0; i < all.len; i++) {
		if (out_json(c))
			out_item(c, source_json(&all.items[i], NULL));
		else
			source_line(c, &all.items[i]);
	}
	out_list_end(c);
	if (!all.len && !out_json(c))
		out_note(c, "no tracker is connected: 'killick source add' looks at this repository's remotes, 'killick source add "
		    "URL' takes a project's address");
	sources_release(&all);
	return 0;
}

/* What cannot be done, a line for each reason. */
static void tell_caps(struct cmd *c, json_t *caps)
{
	for (void *it = json_object_iter(caps); it; it = json_object_iter_next(caps, it)) {
		const char *why = json_string_value(json_object_iter_value(it));
		struct buf names = BUF_INIT;
		bool first = true;

		for (void *o = json_object_iter(caps); o; o = json_object_iter_next(caps, o)) {
			const char *other = json_string_value(json_object_iter_value(o));
			if (strcmp(why ? why : "", other ? other : ""))
				continue;
			first = first && (names.len || o == it);
			buf_addf(&names, "%s%s", names.len ? ", " : "", json_object_iter_key(o));
		}
		if (first) {
			out_textf(c, STYLE_DIM, "  not here: %s%s%s%s", names.ptr, why ? " (" : "", why ? why : "", why ? ")" : "");
			out_line(c);
		}
		buf_release(&names);
	}
}

/* What the server said of itself, in sentences. */
static void tell_probe(struct cmd *c, const struct source *s, const json_t *probe)
{
	const char *credential = json_get_str(probe, "credential");

	out_textf(c, STYLE_ID, "%s", s->d.name);
	out_textf(c, STYLE_NORMAL, ": %s%s%s at %s", s->d.kind, s->version ? " " : "", s->version ? s->version : "", s->d.api);
	out_line(c);
	out_textf(c, STYLE_NORMAL, "  project %s%s%s, %s", s->d.project ? s->d.project : "(all)", s->title ? ": " : "",
	    s->title ? s->title : "", s->public_ ? "public" : "not public");
	out_line(c);
	if (s->d.me.login)
		out_textf(c, STYLE_NORMAL, "  you are %s%s%s", s->d.me.login, credential ? ", token from " : "",
		    credential ? credential : "");
	else
		out_textf(c, STYLE_WARN, "  nobody: without a token it can be read at most%s%s; 'man killick-source' says where one goes",
		    credential ? "; tried " : "", credential ? credential : "");
	out_line(c);
	if (s->missing) {
		out_textf(c, STYLE_WARN, "  the token lacks: %s", s->missing);
		out_line(c);
	}
	if (s->quirk) {
		out_textf(c, STYLE_DIM, "  %s", s->quirk);
		out_line(c);
	}
	tell_caps(c, (json_t *)(uintptr_t)s->caps_why);
}

/* ---- adding ---- */

static const char *remote_url_of(struct cmd *c, const char *name)
{
	struct remote_info *r;
	size_t n = repo_remotes(c->work->repo, c->arena, &r);

	for (size_t i = 0; i < n; i++)
		if (!name || !strcmp(r[i].name, name))
			return r[i].url;
	return NULL;
}

static const char *with_slash(struct cmd *c, const char *url)
{
	return !url || !*url || url[strlen(url) - 1] == '/' ? url : arena_printf(c->arena, "%s/", url);
}

/* What was said wins over what was found out. */
static int find_out(struct cmd *c, const struct add_values *v, struct source_desc *d, struct err *e)
{
	const char *address = c->argc ? c->argv[0] : NULL, *url = remote_url_of(c, address);

	if (!(v->kind && v->api)) {
		address = url ? url : address ? address : v->web ? v->web : v->api;
		if (!address)
			return err_set(e, ERR_USAGE, "which tracker? This repository has no remote to guess from: killick source add URL");
		if (source_sniff(c->work, address, d, c->arena, e))
			return err_prefix(e, "%s", address);
	}
	d->kind = v->kind ? v->kind : d->kind;
	d->api = with_slash(c, v->api ? v->api : d->api);
	d->web = with_slash(c, v->web ? v->web : d->web);
	d->project = v->project ? v->project : d->project;
	d->prefix = v->prefix ? v->prefix : d->prefix;
	if (!d->kind || !d->api)
		return err_set(e, ERR_USAGE, "%s is not enough: give --kind and --api", c->argc ? c->argv[0] : "this");
	return 0;
}

static bool is_taken(const struct sources *all, const char *name)
{
	for (size_t i = 0; i < all->len; i++)
		if (!strcmp(all->items[i].d.name, name))
			return true;
	return false;
}

/* Its threads would be here twice. */
static int check_new(const struct sources *all, const struct source_desc *d, struct err *e)
{
	for (size_t i = 0; i < all->len; i++) {
		const struct source_desc *have = &all->items[i].d;

		if (have->api && !strcmp(have->api, d->api) && !strcmp(have->project ? have->project : "", d->project ? d->project : ""))
			return err_set(e, ERR_CONFLICT, "%s is here already, as source '%s': 'killick source set %s …' changes it, 'killick "
			    "source test %s' tries it", d->project ? d->project : d->api, have->name, have->name, have->name);
	}
	return 0;
}

static int pick_name(struct cmd *c, const struct add_values *v, const struct sources *all, struct source_desc *d, struct err *e)
{
	const char *name = v->name ? v->name : d->kind;

	if (source_check_name(name, e))
		return -1;
	if (v->name && is_taken(all, name))
		return err_set(e, ERR_CONFLICT, "there is a source '%s': 'killick source set %s …' changes it", name, name);
	for (unsigned i = 2; is_taken(all, name); i++)
		name = arena_printf(c->arena, "%s-%u", d->kind, i);
	d->name = name;
	return 0;
}

static int trust(struct cmd *c, const struct source_desc *d, struct err *e)
{
	struct buf origin = BUF_INIT;
	int rc = 0;

	if (!source_origin(d->api, &origin))
		rc = err_set(e, ERR_USAGE, "'%s' is no address: https://HOST/… is wanted", d->api);
	else if (!source_trusted(c->work, d->api))
		rc = repo_config_set(c->work->repo, true, arena_printf(c->arena, "killick.host.%s.trusted", origin.ptr), "true", e);
	buf_release(&origin);
	return rc;
}

static int write_settings(struct cmd *c, const struct source_desc *d, struct err *e)
{
	const struct { const char *key, *value; } rows[] = {
		{ "kind", d->kind }, { "api", d->api }, { "web", d->web }, { "project", d->project }, { "prefix", d->prefix },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].value && repo_config_set(c->work->repo, false, arena_printf(c->arena, "killick.source.%s.%s", d->name,
		    rows[i].key), rows[i].value, e))
			return -1;
	return 0;
}

static int remember(struct cmd *c, const char *name, const json_t *probe, struct err *e)
{
	struct sources all;
	struct source *s;
	int rc = -1;

	if (work_sources(c->work, &all, e))
		return -1;
	s = sources_find(&all, name, e);
	if (s && (!probe || !source_remember(c->work, s, probe, e))) {
		rc = 0;
		if (probe)
			tell_probe(c, s, probe);
		out_doc(c, "source", source_json(s, probe));
	}
	sources_release(&all);
	return rc;
}

static int run_add(struct cmd *c, struct err *e)
{
	struct add_values *v = c->values;
	struct source_desc d = { .name = NULL };
	struct sources all;
	json_t *probe = NULL;
	int rc;

	if (work_sources(c->work, &all, e))
		return -1;
	rc = find_out(c, v, &d, e) || check_new(&all, &d, e) || pick_name(c, v, &all, &d, e);
	sources_release(&all);
	if (rc)
		return -1;
	if (!v->no_test && source_probe(c->work, &d, c->io->tty, &probe, e))
		return err_prefix(e, "not added (--no-test adds it all the same): %s", d.api);
	rc = trust(c, &d, e) || write_settings(c, &d, e) || remember(c, d.name, probe, e) ? -1 : 0;
	json_decref(probe);
	if (rc)
		return -1;
	out_textf(c, STYLE_NORMAL, "added; 'killick sync %s' pulls it", d.name);
	out_line(c);
	return 0;
}

/* ---- changing ---- */

struct unsetting { struct cmd *c; const char *prefix; ARRAY(const char *) keys; };

static int see_key(void *ctx, const char *key, const char *value UNUSED, const char *origin UNUSED)
{
	struct unsetting *u = ctx;

	for (size_t i = 0; i < u->keys.len; i++)
		if (!strcmp(u->keys.items[i], key))
			return 0;
	*array_add(&u->keys) = arena_strdup(u->c->arena, key);
	return 0;
}

static int unset_all(struct cmd *c, const char *name, struct err *e)
{
	struct unsetting u = { c, arena_printf(c->arena, "killick.source.%s.", name), ARRAY_INIT };
	int rc = repo_config_each(c->work->repo, u.prefix, see_key, &u, e);

	for (size_t i = 0; !rc && i < u.keys.len; i++)
		rc = repo_config_set(c->work->repo, false, u.keys.items[i], NULL, e);
	array_release(&u.keys);
	return rc;
}

static int forget(struct cmd *c, const struct source *s, struct err *e)
{
	if (!s->row)
		return 0;
	if (index_begin(c->work->index, 5000, e))
		return -1;
	if (index_source_leave(c->work->index, c->work->scope.repo, s->row, e)) {
		index_rollback(c->work->index);
		return -1;
	}
	return index_commit(c->work->index, e);
}

/* Of these a source's identity is made: with another it is another source, and what was read and is to be sent is the old one's. */
static bool names_it(const char *key)
{
	static const char *const names[] = { "kind", "api", "project" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcasecmp(names[i], key))
			return true;
	return false;
}

/* Of this repository, or (NULL) of all. */
static int none_waits(struct cmd *c, const struct source *s, const char *repo, struct err *e)
{
	struct out_list l = ARRAY_INIT;
	size_t n = 0;

	if (work_desk(c->work, e) || desk_outs(c->work->desk, repo, s->d.kind, s->key, c->arena, &l, e))
		return -1;
	for (size_t i = 0; i < l.len; i++)
		n += l.items[i].state != OUT_DONE;
	if (n)
		return err_set(e, ERR_CONFLICT, "%zu post%s still to go to %s as it is now: 'killick outbox' shows %s", n,
			       n == 1 ? " is" : "s are", s->d.name, n == 1 ? "it" : "them");
	return 0;
}

static int leave_old(struct cmd *c, const struct source *s, const char *key, struct err *e)
{
	if (!names_it(key))
		return 0;
	return none_waits(c, s, NULL, e) ? -1 : forget(c, s, e);
}

static int run_set(struct cmd *c, struct err *e)
{
	static const char *const dangerous[] = { "api", "web", NULL };
	const char *key = c->argc > 1 ? c->argv[1] : "", *value = c->argc > 2 ? c->argv[2] : NULL;
	struct sources all;
	struct source *s;
	int rc = -1;

	if (work_sources(c->work, &all, e))
		return -1;
	s = sources_find(&all, c->argv[0], e);
	if (!s)
		goto out;
	if (!*key || strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != strlen(key)) {
		err_set(e, ERR_USAGE, "'%s' is no name of a setting", key);
		goto out;
	}
	for (const char *const *d = dangerous; value && *d; d++)
		if (!strcasecmp(key, *d))
			value = with_slash(c, value);
	if (value && !strcasecmp(key, "api") && trust(c, &(struct source_desc){ .api = value }, e))
		goto out;
	rc = leave_old(c, s, key, e);
	if (!rc)
		rc = repo_config_set(c->work->repo, false, arena_printf(c->arena, "killick.source.%s.%s", s->d.name, key), value, e);
	if (!rc)
		rc = remember(c, s->d.name, NULL, e);
out:
	sources_release(&all);
	return rc;
}

static int run_remove(struct cmd *c, struct err *e)
{
	struct sources all;
	struct source *s;
	int rc = -1;

	if (work_sources(c->work, &all, e))
		return -1;
	s = sources_find(&all, c->argv[0], e);
	/* Without their source they would wait for ever. */
	if (s && s->key && none_waits(c, s, repo_commondir(c->work->repo), e))
		s = NULL;
	if (s && !unset_all(c, s->d.name, e) && !forget(c, s, e)) {
		out_textf(c, STYLE_NORMAL, "%s is not connected any more; nothing was changed there", s->d.name);
		out_line(c);
		out_doc(c, "source", source_json(s, NULL));
		rc = 0;
	}
	sources_release(&all);
	return rc;
}

static int test_one(struct cmd *c, struct source *s, struct err *e)
{
	json_t *probe = NULL;

	if (s->unusable)
		return err_set(e, ERR_AUTH, "%s: %s", s->d.name, s->unusable);
	if (source_probe(c->work, &s->d, c->io->tty, &probe, e))
		return err_prefix(e, "%s", s->d.name);
	if (source_remember(c->work, s, probe, e)) {
		json_decref(probe);
		return -1;
	}
	if (out_json(c))
		out_item(c, source_json(s, probe));
	else
		tell_probe(c, s, probe);
	json_decref(probe);
	return 0;
}

static int run_test(struct cmd *c, struct err *e)
{
	struct err first = ERR_INIT, fault = ERR_INIT;
	struct sources all;
	struct source *s;
	int rc = 0;

	if (work_sources(c->work, &all, e))
		return -1;
	for (int i = 0; i < c->argc && !rc; i++)
		rc = sources_find(&all, c->argv[i], e) ? 0 : -1;
	if (rc)
		goto out;
	out_list_begin(c, "sources");
	for (size_t i = 0; i < (c->argc ? (size_t)c->argc : all.len); i++) {
		s = c->argc ? sources_find(&all, c->argv[i], e) : &all.items[i];
		err_clear(&fault);
		if (!test_one(c, s, &fault))
			continue;
		rc = -1;
		if (first.code == ERR_NONE)
			first = fault;
		else
			out_error(c, &fault);
	}
	out_list_end(c);
	if (rc)
		*e = first;
out:
	sources_release(&all);
	return rc;
}

#define READS (NEED_REPO | NEED_INDEX)
#define ACTS (NEED_REPO | NEED_INDEX | NEED_WRITE)
static const struct cmd_entry source_rows[] = {
	{ .name = "add", .args = "[URL | REMOTE]", .summary = "connect a tracker; without words the one behind a remote",
		.opts = add_opts, .values = sizeof(struct add_values), .max_args = 1, .needs = ACTS, .flags = CMD_JSON,
		.run = run_add, .complete = "remote" },
	{ .name = "list", .summary = "the trackers of this repository", .needs = READS, .flags = CMD_JSON | CMD_PAGE,
		.run = run_list },
	{ .name = "set", .args = "NAME SETTING [VALUE]", .summary = "change a setting of one; without a value, unset it",
		.min_args = 2, .max_args = 3, .needs = ACTS, .flags = CMD_JSON, .run = run_set, .complete = "tracker" },
	{ .name = "remove", .args = "NAME", .summary = "disconnect one; nothing is changed there", .min_args = 1, .max_args = 1,
		.needs = ACTS, .flags = CMD_JSON, .run = run_remove, .complete = "tracker" },
	{ .name = "test", .args = "[NAME…]", .summary = "ask the servers who you are there and what they can do",
		.max_args = -1, .needs = ACTS, .flags = CMD_JSON, .run = run_test, .complete = "tracker" },
	{ .name = NULL },
};
const struct cmd_entry source_commands[] = {
	{ .name = "source", .args = "[COMMAND]", .summary = "connect trackers: add, list, set, remove, test", .needs = READS,
		.flags = CMD_JSON | CMD_PAGE, .run = run_list, .sub = source_rows },
	{ .name = NULL },
};
