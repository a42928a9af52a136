/* SPDX-License-Identifier: MIT */
/*
 * Sources as configured and as known. What a server said of itself (probe) is kept in the index with the source's row:
 * asked once a day, lost with the index and asked again.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "apply.h"
#include "child.h"
#include "killick/base/clock.h"
#include "killick/store/settings.h"
#include "killick/sync/source.h"

enum { NAME_MAX_BYTES = 32 };

/* Known by heart: who is trusted without being asked about. */
static const char *const known_hosts[] = { "https://api.github.com" };

/* ---- settings ---- */

int source_check_name(const char *name, struct err *e)
{
	static const char *const taken[] = { "native", "private", "everyone" };
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (!strcmp(name, taken[i]))
			return err_set(e, ERR_USAGE, "'%s' means something else: take another name", name);
	if (n == 0 || n > NAME_MAX_BYTES || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != n || *name == '-')
		return err_set(e, ERR_USAGE, "'%s' is no name for a source: a few of a-z, 0-9, - and _", name);
	return 0;
}

bool source_origin(const char *api, struct buf *out)
{
	const char *host = strstr(api, "://");
	size_t n;

	if (!host)
		return false;
	host += 3;
	n = strcspn(host, "/?#");
	if (n == 0 && strncmp(api, "file://", 7))
		return false;
	if (memchr(host, '@', n))
		return false;
	for (const char *p = api; p < host + n; p++)
		buf_addch(out, *p >= 'A' && *p <= 'Z' ? *p + ('a' - 'A') : *p);
	return true;
}

bool source_trusted(struct work *w, const char *api)
{
	struct buf origin = BUF_INIT, key = BUF_INIT;
	const char *v = NULL;
	bool yes = false;

	if (source_origin(api, &origin)) {
		for (size_t i = 0; i < ARRAY_SIZE(known_hosts); i++)
			yes = yes || !strcmp(known_hosts[i], origin.ptr);
		buf_addf(&key, "killick.host.%s.trusted", origin.ptr);
		yes = yes || (repo_config(w->repo, CONFIG_USER, key.ptr, &w->arena, &v) && v && !strcmp(v, "true"));
	}
	buf_release(&origin);
	buf_release(&key);
	return yes;
}

struct reading { struct work *w; struct sources *out; };

static struct source *source_named(struct sources *all, struct work *w, const char *name, size_t n)
{
	struct source *s;

	for (size_t i = 0; i < all->len; i++)
		if (strlen(all->items[i].d.name) == n && !strncmp(all->items[i].d.name, name, n))
			return &all->items[i];
	s = array_add(all);
	s->d.name = arena_memdup(&w->arena, name, n);
	s->options = json_object();
	s->cursor = "";
	return s;
}

/* "killick.source.NAME.kind" and its like. */
static int read_setting(void *ctx, const char *key, const char *value, const char *origin UNUSED)
{
	struct reading *r = ctx;
	const char *name = key + strlen("killick.source."), *dot = strrchr(name, '.');
	struct source *s;
	const char **at;
	uint64_t number;

	if (!dot || dot == name || !value)
		return 0;
	s = source_named(r->out, r->w, name, (size_t)(dot - name));
	dot++;
	at = !strcmp(dot, "kind") ? &s->d.kind : !strcmp(dot, "api") ? &s->d.api : !strcmp(dot, "web") ? &s->d.web :
	     !strcmp(dot, "project") ? &s->d.project : !strcmp(dot, "prefix") ? &s->d.prefix : NULL;
	if (at)
		*at = arena_strdup(&r->w->arena, value);
	else if (!strcmp(value, "true") || !strcmp(value, "false"))
		json_object_set_new(s->options, dot, json_boolean(!strcmp(value, "true")));
	else if (str_to_u64(value, INT32_MAX, &number))
		json_put_int(s->options, dot, (int64_t)number);
	else
		json_put_str(s->options, dot, value);
	return 0;
}

/* ---- identity ---- */

static const char *after_scheme(const char *url)
{
	const char *p = url ? strstr(url, "://") : NULL;

	return p ? p + 3 : url ? url : "";
}

/* What everybody who reads this source calls it: where it is on the web, without scheme and case. */
static const char *make_key(struct arena *a, const struct source_desc *d)
{
	const char *base = after_scheme(d->web ? d->web : d->api);
	char *key = arena_printf(a, "%s%s%s%s", *base == '/' ? "localhost" : "", base, *base && base[strlen(base) - 1] == '/' ? "" : "/",
				 d->project ? d->project : "");
	size_t n = strlen(key);

	while (n && key[n - 1] == '/')
		key[--n] = '\0';
	for (char *p = key; *p && strcmp(d->kind, "dir"); p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	return key;
}

static const char *host_of_key(struct arena *a, const char *key)
{
	size_t n = strcspn(key, "/");

	return arena_memdup(a, key, n ? n : strlen(key));
}

static const char *why_unusable(struct work *w, const struct source *s)
{
	struct buf b = BUF_INIT;
	const char *words = NULL;

	if (!s->d.kind)
		words = arena_printf(&w->arena, "killick.source.%s.kind is not set", s->d.name);
	else if (!s->d.api)
		words = arena_printf(&w->arena, "killick.source.%s.api is not set", s->d.name);
	else if (!source_trusted(w, s->d.api))
		words = arena_printf(&w->arena, "this repository's configuration names %s, which you have not approved: git config"
				     " --global killick.host.%s.trusted true", s->d.api,
				     source_origin(s->d.api, &b) ? b.ptr : s->d.api);
	buf_release(&b);
	return words;
}

/* ---- what is known ---- */

/* The row's "heads": {"probed":TIME,"full":TIME,"probe":{…}}. */
static void take_probe(struct work *w, struct source *s, const json_t *probe)
{
	struct arena *a = &w->arena;

	s->d.caps = caps_parse(json_get_arr(probe, "caps"));
	person_from_json(a, json_get_obj(probe, "me"), &s->d.me);
	s->title = arena_strdup(a, json_get_str(probe, "title"));
	s->version = arena_strdup(a, json_get_str(probe, "version"));
	s->missing = arena_strdup(a, json_get_str(probe, "missing"));
	if (s->missing && json_get_str(probe, "rights_page"))
		s->missing = arena_printf(a, "%s; rights are given at %s", s->missing, json_get_str(probe, "rights_page"));
	s->quirk = arena_strdup(a, json_get_str(probe, "quirk"));
	s->public_ = json_get_bool(probe, "public");
	s->caps_why = json_get_obj(probe, "caps_why");
}

static void take_state(struct work *w, struct source *s, const char *heads)
{
	struct err bad = ERR_INIT;
	json_t *j = heads ? json_read(heads, strlen(heads), "a source's state", &bad) : NULL;

	json_decref(s->probe);
	s->caps_why = NULL;
	s->probed = json_get_int(j, "probed", 0);
	s->full = json_get_int(j, "full", 0);
	s->probe = json_incref(json_get_obj(j, "probe"));
	if (s->probe)
		take_probe(w, s, s->probe);
	json_decref(j);
}

const char *source_state(struct work *w, const struct source *s)
{
	json_t *j = json_object();

	json_put_int(j, "probed", s->probed);
	json_put_int(j, "full", s->full);
	if (s->probe)
		json_object_set(j, "probe", s->probe);
	return json_line(&w->arena, j);
}

void source_reload(struct work *w, struct source *s)
{
	struct source_row row;

	s->row = index_source(w->index, w->scope.repo, s->d.kind, s->key, NULL, false);
	if (!s->row || !index_source_get(w->index, s->row, &w->arena, &row))
		return;
	s->cursor = row.stamp ? row.stamp : "";
	s->synced = row.synced;
	s->problem = row.problem;
	take_state(w, s, row.heads);
}

int work_sources(struct work *w, struct sources *out, struct err *e)
{
	struct reading r = { w, out };

	*out = (struct sources)ARRAY_INIT;
	if (work_index(w, e) || repo_config_each(w->repo, "killick.source.", read_setting, &r, e)) {
		sources_release(out);
		return -1;
	}
	for (size_t i = 0; i < out->len; i++) {
		struct source *s = &out->items[i];

		s->d.options = s->options;
		s->unusable = why_unusable(w, s);
		if (!s->d.kind || !s->d.api)
			continue;
		s->key = make_key(&w->arena, &s->d);
		s->host = host_of_key(&w->arena, s->key);
		source_reload(w, s);
	}
	return 0;
}

static int see_one(void *ctx, const char *key, const char *value UNUSED, const char *origin UNUSED)
{
	if (str_ends(key, ".kind"))
		*(bool *)ctx = true;
	return 0;
}

bool work_has_sources(struct work *w)
{
	struct err unused = ERR_INIT;
	bool any = false;

	repo_config_each(w->repo, "killick.source.", see_one, &any, &unused);
	return any;
}

void sources_release(struct sources *all)
{
	for (size_t i = 0; i < all->len; i++) {
		json_decref(all->items[i].options);
		json_decref(all->items[i].probe);
	}
	array_release(all);
}

struct source *sources_find(const struct sources *all, const char *name, struct err *e)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < all->len; i++)
		if (!strcmp(all->items[i].d.name, name))
			return &all->items[i];
	for (size_t i = 0; i < all->len; i++)
		buf_addf(&b, ", %s", all->items[i].d.name);
	err_set(e, ERR_NOT_FOUND, "no source '%s'; there are: native, private%s", name, b.ptr);
	buf_release(&b);
	return NULL;
}

struct source *sources_of_row(const struct sources *all, int64_t row)
{
	for (size_t i = 0; row && i < all->len; i++)
		if (all->items[i].row == row)
			return &all->items[i];
	return NULL;
}

static const char *cap_words(enum caps cap)
{
	static const char *const words[] = {
		"reading tasks", "reading changes", "new tasks", "comments", "editing what was said", "deleting what was said",
		"remarks on lines", "replies in threads", "resolving threads", "remarks on several lines", "remarks on files",
		"reviews", "notes on commits", "reactions", "labels", "assigning", "milestones", "private notes", "hidden marks",
		"ids in answers", "closing and reopening",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if ((unsigned)cap == 1u << i)
			return words[i];
	return "this";
}

static const char *cap_name(enum caps cap)
{
	for (size_t i = 0; caps_names[i]; i++)
		if ((unsigned)cap == 1u << i)
			return caps_names[i];
	return "";
}

bool source_can(const struct source *s, enum caps cap, struct arena *a, const char **why)
{
	const char *said = s->caps_why ? json_get_str(s->caps_why, cap_name(cap)) : NULL;

	if (!s->probed || s->d.caps & (unsigned)cap)
		return true;
	if (said)
		*why = arena_printf(a, "%s: %s", s->d.name, said);
	else
		*why = arena_printf(a, "%s does not take %s", s->d.name, cap_words(cap));
	return false;
}

void source_audience(const struct source *s, struct buf *b)
{
	const char *what = s->d.project && *s->d.project ? s->d.project : s->title ? s->title : s->d.name;

	if (!s->probed)
		buf_addf(b, "everyone who can see %s", what);
	else
		buf_addf(b, "everyone who can see %s (%s)", what, s->public_ ? "public" : "not public");
}

int source_remember(struct work *w, struct source *s, const json_t *probe, struct err *e)
{
	struct source_row row;

	json_decref(s->probe);
	s->probe = probe ? json_incref((json_t *)(uintptr_t)probe) : NULL;
	s->probed = clock_now();
	if (s->probe)
		take_probe(w, s, s->probe);
	if (index_begin(w->index, 5000, e))
		return -1;
	if (source_take_row(w, s, &row, e))
		goto bad;
	row.heads = source_state(w, s);
	if (index_source_set(w->index, &row, e))
		goto bad;
	return index_commit(w->index, e);
bad:
	index_rollback(w->index);
	return -1;
}

/* ---- asking ---- */

/* The first answer that has this key, after which the child is done. */
static json_t *ask(json_t *request, const char *key, int idle, struct err *e)
{
	struct child c;
	json_t *j, *found = NULL;

	if (child_start(&c, request, e))
		return NULL;
	while (!found && (j = child_answer(&c, idle, e))) {
		if (answer_error(j, e, NULL)) {
			json_decref(j);
			break;
		}
		found = json_incref(json_object_get(j, key));
		if (!found && json_object_get(j, "done")) {
			err_set(e, ERR_BAD_DATA, "killick-remote did not answer what it was asked");
			json_decref(j);
			break;
		}
		json_decref(j);
	}
	child_end(&c);
	return found;
}

static int idle_of(struct work *w)
{
	return (int)setting_int(w->repo, "sync.timeout");
}

int source_sniff(struct work *w, const char *address, struct source_desc *out, struct arena *a, struct err *e)
{
	struct source_desc d = { .web = address };
	json_t *request = request_new("sniff", &d), *j = ask(request, "source", idle_of(w), e);
	int rc = j ? source_desc_parse(a, j, out, e) : -1;

	if (!rc)
		out->options = NULL; /* it would go with j */
	json_decref(j);
	return rc;
}

int source_probe(struct work *w, const struct source_desc *d, bool prompt, json_t **out, struct err *e)
{
	json_t *request = request_new("probe", d);

	if (prompt)
		json_object_set_new(request, "prompt", json_true());
	/* Whoever is asked for a password may think. */
	*out = ask(request, "probe", prompt ? 0 : idle_of(w), e);
	return *out ? 0 : -1;
}
