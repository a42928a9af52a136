/* SPDX-License-Identifier: MIT */
/*
 * Redmine, 4 to 7. Facts: rest-apis.md section 6, and 5.0 from Debian, driven by tests/remote/redmine.py. What shapes this
 * adapter:
 *
 * - The list of issues has no notes: each issue that changed is asked for, several at a time.
 * - A key that is wrong reads public projects as nobody, without a word: whose it is, is asked first.
 * - Its clock is in no header: the cursor is the newest time of an issue that was read, and which issues were read in the two
 *   minutes before it. The list is walked by time, never by page, so that nothing slips through when issues move in it.
 * - Edited and deleted notes, and commits that name an issue, leave its time alone: a full pull finds them.
 * - Bodies are Textile or Markdown by a setting of the whole server that the API does not tell: option "markup" of the source.
 *
 * Cursor: {"t":T,"seen":{"ID":T,…}}.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "killick/base/clock.h"
#include "redmine.h"
#include "textile.h"

enum { PER_PAGE = 100, PAGES_MAX = 20000, OVERLAP_MS = 120000, DAY_MS = 86400000 };

int redmine_init(struct redmine *m, struct remote *r, struct err *e)
{
	const struct source_desc *s = remote_source(r);
	const char *markup = json_get_str(s->options, "markup"), *web = s->web ? s->web : s->api;

	*m = (struct redmine){ .r = r, .h = remote_http(r), .me = s->me, .prefix = s->prefix ? s->prefix : r->ad->prefix };
	if (!s->project || !*s->project)
		return err_set(e, ERR_USAGE, "this source names no project: its identifier, as in …/projects/IDENTIFIER");
	if (markup && strcmp(markup, "textile") && strcmp(markup, "markdown") && strcmp(markup, "common_mark"))
		return err_set(e, ERR_USAGE, "markup is '%s', neither textile nor markdown", markup);
	m->textile = markup && !strcmp(markup, "textile");
	m->project = http_escaped(remote_keep(r), s->project);
	m->web = arena_printf(remote_keep(r), "%s%s", web, str_ends(web, "/") ? "" : "/");
	return 0;
}

void redmine_release(struct redmine *m)
{
	json_decref(m->statuses);
	m->statuses = NULL;
}

/* ---- what is asked before ---- */

int redmine_know_me(struct redmine *m, json_t **memberships, struct err *e)
{
	struct arena *k = remote_keep(m->r);
	const char *first, *last;
	struct http_answer a;
	const json_t *u;

	if (!m->r->cred.secret || (m->me_id && !memberships))
		return 0;
	if (http_get(m->h, &a, e, "users/current.json%s", memberships ? "?include=memberships" : ""))
		return -1;
	u = json_get_obj(a.json, "user");
	first = json_get_str(u, "firstname");
	last = json_get_str(u, "lastname");
	m->me_id = json_get_int(u, "id", 0);
	m->admin = json_get_bool(u, "admin");
	m->me = (struct person){ .login = arena_strdup(k, field_str(u, "login")), .email = arena_strdup(k, field_str(u, "mail")),
		.name = arena_printf(k, "%s%s%s", first ? first : "", first && *first && last && *last ? " " : "", last ? last : "") };
	if (memberships && m->me_id)
		*memberships = json_incref(json_get_arr(u, "memberships"));
	http_answer_release(&a);
	return m->me_id ? 0 : err_set(e, ERR_BAD_DATA, "the server does not say whose key this is");
}

int redmine_know_statuses(struct redmine *m, struct err *e)
{
	struct http_answer a;

	if (m->statuses)
		return 0;
	if (http_get(m->h, &a, e, "issue_statuses.json"))
		return -1;
	m->statuses = json_incref(json_get_arr(a.json, "issue_statuses"));
	http_answer_release(&a);
	return m->statuses ? 0 : err_set(e, ERR_BAD_DATA, "the list of states of issues is no list");
}

static const json_t *by_id(const json_t *list, int64_t id)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_get_int(json_array_get(list, i), "id", -1) == id)
			return json_array_get(list, i);
	return NULL;
}

/* Since 5.0 the status says it itself. */
bool redmine_is_closed(const struct redmine *m, const json_t *status)
{
	const json_t *v = json_object_get(status, "is_closed");

	if (!v)
		v = json_object_get(by_id(m->statuses, json_get_int(status, "id", 0)), "is_closed");
	return json_is_true(v);
}

bool redmine_is_me(const struct redmine *m, const json_t *user)
{
	return m->me_id && json_get_int(user, "id", 0) == m->me_id;
}

static int add_rights(struct redmine *m, int64_t role, struct redmine_rights *out, struct err *e)
{
	struct http_answer a;
	const json_t *list;

	if (http_get(m->h, &a, e, "roles/%lld.json", (long long)role))
		return -1;
	list = json_get_arr(json_get_obj(a.json, "role"), "permissions");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_string_value(json_array_get(list, i)))
			*array_add(&out->names) = arena_strdup(remote_keep(m->r), json_string_value(json_array_get(list, i)));
	out->known = out->known || list;
	http_answer_release(&a);
	return 0;
}

static int project_get(struct redmine *m, struct http_answer *a, const json_t **project, struct err *e)
{
	if (http_get(m->h, a, e, "projects/%s.json?include=trackers,enabled_modules", m->project)) {
		if (e->code != ERR_NOT_FOUND && e->code != ERR_AUTH && e->code != ERR_REFUSED)
			return -1;
		return err_set(e, e->code == ERR_NOT_FOUND ? ERR_NOT_FOUND : ERR_AUTH, "there is no project '%s' at %s, or you may not see it",
			       remote_source(m->r)->project, m->web);
	}
	*project = json_get_obj(a->json, "project");
	if (*project)
		return 0;
	http_answer_release(a);
	return err_set(e, ERR_BAD_DATA, "%s does not answer as a Redmine does", m->web);
}

int redmine_rights(struct redmine *m, struct redmine_rights *out, struct err *e)
{
	json_t *memberships = NULL;
	const json_t *project;
	struct http_answer a;
	int64_t id;
	int rc = 0;

	*out = (struct redmine_rights){ 0 };
	if (redmine_know_me(m, &memberships, e))
		return -1;
	if (project_get(m, &a, &project, e)) {
		json_decref(memberships);
		return -1;
	}
	id = json_get_int(project, "id", 0);
	http_answer_release(&a);
	for (size_t i = 0; !rc && i < json_array_size(memberships); i++) {
		const json_t *one = json_array_get(memberships, i), *roles = json_get_arr(one, "roles");
		if (json_get_int(json_get_obj(one, "project"), "id", -1) != id)
			continue;
		for (size_t k = 0; !rc && k < json_array_size(roles); k++)
			rc = add_rights(m, json_get_int(json_array_get(roles, k), "id", 0), out, e);
	}
	out->admin = m->admin;
	json_decref(memberships);
	return rc;
}

bool redmine_may(const struct redmine_rights *x, const char *right)
{
	if (x->admin || !x->known)
		return true;
	for (size_t i = 0; i < x->names.len; i++)
		if (!strcmp(x->names.items[i], right))
			return true;
	return false;
}

/* ---- bodies ---- */

const char *redmine_encode(struct redmine *m, const char *markdown)
{
	struct buf b = BUF_INIT;
	const char *out;
	bool lossy = false;

	if (!m->textile)
		return arena_strdup(remote_keep(m->r), markdown ? markdown : "");
	markdown_to_textile(&b, markdown ? markdown : "", &lossy);
	out = arena_memdup(remote_keep(m->r), b.ptr, b.len);
	buf_release(&b);
	return out;
}

static const char *decode(struct redmine *m, const char *wire, bool *lossy)
{
	struct buf b = BUF_INIT;
	const char *text = text_lf(remote_arena(m->r), wire ? wire : ""), *out;

	if (!m->textile)
		return text;
	textile_to_markdown(&b, text, lossy);
	out = arena_memdup(remote_arena(m->r), b.ptr, b.len);
	buf_release(&b);
	return out;
}

/* ---- records ---- */

static struct person person_of(struct redmine *m, const json_t *user)
{
	return redmine_is_me(m, user) ? m->me : (struct person){ .name = field_str(user, "name") };
}

static void task_labels(struct redmine *m, const json_t *j, struct record_task *t)
{
	static const char *const fields[] = { "tracker", "priority", "category" };
	const char **w = arena_alloc(remote_arena(m->r), (ARRAY_SIZE(fields) + 1) * sizeof(*w));

	t->labels = w;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (field_str(json_get_obj(j, fields[i]), "name"))
			w[t->n_labels++] = field_str(json_get_obj(j, fields[i]), "name");
}

static int64_t count_notes(const json_t *journals)
{
	int64_t n = 0;

	for (size_t i = 0; i < json_array_size(journals); i++)
		n += field_str(json_array_get(journals, i), "notes") != NULL;
	return n;
}

static int emit_task(struct redmine *m, const json_t *j, const char *key, struct err *e)
{
	struct arena *a = remote_arena(m->r);
	const json_t *status = json_get_obj(j, "status"), *who = json_get_obj(j, "assigned_to");
	struct person *assignee = ARENA_NEW(a, struct person);
	struct record rec = { .type = RECORD_TASK };
	struct record_task *t = &rec.task;

	*t = (struct record_task){
		.key = key, .name = arena_printf(a, "%s-%s", m->prefix, key), .state = redmine_is_closed(m, status) ? TASK_CLOSED : TASK_OPEN,
		.status = field_str(status, "name"), .title = field_str(j, "subject"), .author = person_of(m, json_get_obj(j, "author")),
		.milestone = field_str(json_get_obj(j, "fixed_version"), "name"), .created = field_time(j, "created_on"),
		.updated = field_time(j, "updated_on"), .n_notes = count_notes(json_get_arr(j, "journals")),
		.private_ = json_get_bool(j, "is_private"), .url = arena_printf(a, "%sissues/%s", m->web, key),
	};
	t->body = decode(m, json_get_str(j, "description"), &t->lossy);
	if (who) {
		*assignee = person_of(m, who);
		t->assignees = assignee;
		t->n_assignees = 1;
	}
	task_labels(m, j, t);
	return remote_emit(m->r, &rec, e);
}

static int emit_note(struct redmine *m, const json_t *j, const char *task, const char *key, struct err *e)
{
	struct arena *a = remote_arena(m->r);
	bool mine = redmine_is_me(m, json_get_obj(j, "user"));
	const char *wire = json_get_str(j, "notes");
	struct record rec = { .type = RECORD_NOTE };
	struct record_note *n = &rec.note;

	*n = (struct record_note){
		.key = key, .task = task, .kind = NOTE_COMMENT, .author = person_of(m, json_get_obj(j, "user")),
		.created = field_time(j, "created_on"), .updated = field_time(j, "updated_on"), .private_ = json_get_bool(j, "private_notes"),
		.url = arena_printf(a, "%sissues/%s#change-%s", m->web, task, key), .wire = m->textile ? wire : NULL,
		.can_edit = mine && remote_caps(m->r) & CAP_EDIT_NOTE, .can_delete = mine && remote_caps(m->r) & CAP_DELETE_NOTE,
	};
	n->body = decode(m, wire, &n->lossy);
	if (!n->updated)
		n->updated = n->created;
	return remote_emit(m->r, &rec, e);
}

/* "status: New -> Closed", as far as ids have names here. */
static void add_detail(struct redmine *m, struct buf *b, const json_t *d)
{
	static const char *const sides[] = { "old_value", "new_value" };
	const char *name = json_get_str(d, "name"), *property = json_get_str(d, "property");
	size_t len = name ? strlen(name) : 0;
	bool status = name && !strcmp(name, "status_id");
	uint64_t id;

	buf_addstr(b, b->len ? "\n" : "");
	if (property && strcmp(property, "attr"))
		buf_addf(b, "%s ", property);
	buf_add(b, name ? name : "", len > 3 && str_ends(name, "_id") ? len - 3 : len);
	for (size_t i = 0; i < 2; i++) {
		const char *v = field_str(d, sides[i]), *known = NULL;
		if (v && status && str_to_u64(v, INT64_MAX, &id))
			known = field_str(by_id(m->statuses, (int64_t)id), "name");
		buf_addf(b, "%s%.200s", i ? " → " : ": ", known ? known : v ? v : "–");
	}
}

static int emit_event(struct redmine *m, const json_t *j, const char *task, const char *key, struct err *e)
{
	struct arena *a = remote_arena(m->r);
	const json_t *details = json_get_arr(j, "details");
	struct buf b = BUF_INIT;
	struct record rec = { .type = RECORD_NOTE, .note = {
		.key = key, .task = task, .kind = NOTE_EVENT, .author = person_of(m, json_get_obj(j, "user")),
		.created = field_time(j, "created_on"), .updated = field_time(j, "created_on"), .private_ = json_get_bool(j, "private_notes"),
	} };

	for (size_t i = 0; i < json_array_size(details); i++)
		add_detail(m, &b, json_array_get(details, i));
	rec.note.body = arena_memdup(a, b.ptr, b.len);
	buf_release(&b);
	return remote_emit(m->r, &rec, e);
}

/* A commit that names the issue. */
static int emit_changeset(struct redmine *m, const json_t *j, const char *task, const char *key, struct err *e)
{
	struct anchor an = { .type = ANCHOR_COMMIT, .commit = field_str(j, "revision") };
	struct record rec = { .type = RECORD_NOTE, .note = {
		.key = key, .task = task, .kind = NOTE_EVENT, .author = person_of(m, json_get_obj(j, "user")),
		.created = field_time(j, "committed_on"), .updated = field_time(j, "committed_on"),
		.body = field_text(remote_arena(m->r), j, "comments"), .anchor = &an,
	} };

	return remote_emit(m->r, &rec, e);
}

struct keys { struct redmine *m; const char *task; ARRAY(const char *) all; };

static int emit_journals(struct keys *k, const json_t *list, struct err *e)
{
	struct arena *a = remote_arena(k->m->r);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		const char *key = field_key(a, j, "id"), *event = key ? arena_printf(a, "e%s", key) : NULL;
		if (key && field_str(j, "notes")) {
			*array_add(&k->all) = key;
			if (emit_note(k->m, j, k->task, key, e))
				return -1;
		}
		if (key && json_array_size(json_get_arr(j, "details"))) {
			*array_add(&k->all) = event;
			if (emit_event(k->m, j, k->task, event, e))
				return -1;
		}
	}
	return 0;
}

static int emit_changesets(struct keys *k, const json_t *list, struct err *e)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		const char *rev = field_key(remote_arena(k->m->r), j, "revision");
		const char *key = rev ? arena_printf(remote_arena(k->m->r), "c%.200s", rev) : NULL;
		if (!key)
			continue;
		*array_add(&k->all) = key;
		if (emit_changeset(k->m, j, k->task, key, e))
			return -1;
	}
	return 0;
}

static int emit_keys(struct keys *k, struct err *e)
{
	static const char *const kinds[] = { "comment", "event" };
	struct record rec = { .type = RECORD_LIST, .list = { .task = k->task, .kinds = kinds, .n_kinds = 2, .keys = k->all.items,
		.n_keys = k->all.len } };

	return remote_emit(k->m->r, &rec, e);
}

/* The issue as one answer has it, whole: notes that are not in it are gone. */
int redmine_emit_issue(struct redmine *m, const json_t *issue, struct err *e)
{
	struct keys k = { .m = m, .task = field_key(remote_arena(m->r), issue, "id"), .all = ARRAY_INIT };
	int rc;

	if (!k.task)
		return err_set(e, ERR_BAD_DATA, "an issue has no number");
	rc = emit_task(m, issue, k.task, e) || emit_journals(&k, json_get_arr(issue, "journals"), e) ||
		emit_changesets(&k, json_get_arr(issue, "changesets"), e) || emit_keys(&k, e) ? -1 : 0;
	array_release(&k.all);
	return rc;
}

int redmine_get_issue(struct redmine *m, const char *id, json_t **issue, struct err *e)
{
	struct http_answer a;

	if (!id || !*id || strspn(id, "0123456789") != strlen(id))
		return err_set(e, ERR_BAD_DATA, "'%s' is no number of an issue", id ? id : "");
	if (http_get(m->h, &a, e, "issues/%s.json?include=journals,changesets,allowed_statuses", id))
		return -1;
	*issue = json_incref(json_get_obj(a.json, "issue"));
	http_answer_release(&a);
	return *issue ? 0 : err_set(e, ERR_BAD_DATA, "the answer to issue %s is none", id);
}

/* ---- the stream ---- */

struct pull {
	struct redmine m;
	int64_t t;               /* what was read reaches to here */
	json_t *seen;            /* number -> its time */
	int64_t done, total;
};

static int cursor_read(struct pull *p, const char *cursor, bool full, struct err *e)
{
	json_t *j;

	p->seen = json_object();
	if (!*cursor || full)
		return 0;
	j = json_read(cursor, strlen(cursor), "the cursor", e);
	if (!j)
		return -1;
	p->t = field_time(j, "t");
	if (json_get_obj(j, "seen"))
		json_object_update(p->seen, json_get_obj(j, "seen"));
	json_decref(j);
	return 0;
}

/* Which issues were read is kept for as long as they come again. */
static void forget_old(struct pull *p)
{
	const char *key;
	json_t *v;
	void *next;

	json_object_foreach_safe(p->seen, next, key, v) {
		int64_t t;
		if (!json_string_value(v) || !time_parse(json_string_value(v), &t) || t < p->t - OVERLAP_MS)
			json_object_del(p->seen, key);
	}
}

static const char *cursor_make(struct pull *p)
{
	char t[TIME_RFC3339_SIZE];
	json_t *j = json_object();
	struct buf b = BUF_INIT;
	const char *out;

	forget_old(p);
	json_put_str(j, "t", time_rfc3339(t, p->t));
	json_object_set(j, "seen", p->seen);
	json_write(&b, j);
	json_decref(j);
	out = arena_memdup(remote_arena(p->m.r), b.ptr, b.len);
	buf_release(&b);
	return out;
}

static int take_issue(void *ctx, size_t i UNUSED, struct http_answer *a, const struct err *failed, struct err *e)
{
	struct pull *p = ctx;
	const json_t *issue = failed ? NULL : json_get_obj(a->json, "issue");
	const char *key;

	/* What went away, or out of sight, between the list and here is no failure of the pull. */
	if (failed && (failed->code == ERR_NOT_FOUND || failed->code == ERR_AUTH || failed->code == ERR_REFUSED))
		return 0;
	if (failed)
		return err_set(e, failed->code, "%s", failed->msg);
	key = field_key(remote_arena(p->m.r), issue, "id");
	if (!key)
		return err_set(e, ERR_BAD_DATA, "an answer to an issue is none");
	if (redmine_emit_issue(&p->m, issue, e))
		return -1;
	remote_progress(p->m.r, "issues", ++p->done, p->total);
	return 0;
}

/* Those of a page that are new or have moved. */
static int read_issues(struct pull *p, const json_t *list, struct err *e)
{
	struct arena *k = remote_keep(p->m.r);
	ARRAY(const char *) paths = ARRAY_INIT;
	int rc = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		const char *key = field_key(k, j, "id"), *t = json_get_str(j, "updated_on");
		const char *old = key ? json_get_str(p->seen, key) : NULL;
		if (!key || !t || (old && !strcmp(old, t)))
			continue;
		json_put_str(p->seen, key, t);
		*array_add(&paths) = arena_printf(k, "issues/%s.json?include=journals,changesets", key);
	}
	if (paths.len)
		rc = http_each(p->m.h, paths.items, NULL, paths.len, take_issue, p, e);
	array_release(&paths);
	return rc;
}

static int list_page(struct pull *p, int64_t since, int64_t offset, struct http_answer *a, struct err *e)
{
	char t[TIME_RFC3339_SIZE];

	if (http_get(p->m.h, a, e, "issues.json?project_id=%s&subproject_id=!*&status_id=*%s%s&sort=updated_on:asc,id:asc&limit=%d&offset=%lld",
	    p->m.project, since > 0 ? "&updated_on=%3E%3D" : "", since > 0 ? time_rfc3339(t, since) : "", PER_PAGE, (long long)offset))
		return e->code == ERR_NOT_FOUND ? err_set(e, ERR_NOT_FOUND, "there is no project '%s' at %s, or you may not see it",
			remote_source(p->m.r)->project, p->m.web) : -1;
	if (json_get_arr(a->json, "issues"))
		return 0;
	http_answer_release(a);
	return err_set(e, ERR_BAD_DATA, "the list of issues is none");
}

/* The page's last time is where the next begins; only a page all of one second is turned by its number. */
static int walk(struct pull *p, struct err *e)
{
	int64_t since = p->t > OVERLAP_MS ? p->t - OVERLAP_MS : 0, offset = 0, pages = 0;

	for (bool more = true; more;) {
		struct http_answer a;
		const json_t *list;
		int64_t last, limit;
		int rc;
		if (++pages > PAGES_MAX)
			return err_set(e, ERR_BAD_DATA, "the list of issues does not end (more than %d pages)", PAGES_MAX);
		if (list_page(p, since, offset, &a, e))
			return -1;
		list = json_get_arr(a.json, "issues");
		limit = json_get_int(a.json, "limit", PER_PAGE);
		more = limit > 0 && (int64_t)json_array_size(list) >= limit;
		last = field_time(json_array_get(list, json_array_size(list) - 1), "updated_on");
		if (!offset && p->total < 0)
			p->total = json_get_int(a.json, "total_count", -1);
		rc = read_issues(p, list, e);
		offset = last > since ? 0 : offset + (int64_t)json_array_size(list);
		since = last > since ? last : since;
		if (last > p->t && last < clock_now() + DAY_MS)   /* a time to come would hide everything until then */
			p->t = last;
		http_answer_release(&a);
		if (rc || remote_page(p->m.r, cursor_make(p), e))
			return -1;
	}
	return 0;
}

static int redmine_pull(struct remote *r, const char *cursor, bool full, struct err *e)
{
	struct pull p = { .total = -1 };
	int rc = -1;

	if (redmine_init(&p.m, r, e) || cursor_read(&p, cursor, full, e) || redmine_know_me(&p.m, NULL, e) ||
	    redmine_know_statuses(&p.m, e))
		goto out;
	rc = walk(&p, e);
out:
	json_decref(p.seen);
	redmine_release(&p.m);
	return rc;
}

/* An issue that is not there, or not for us, in a project that is. */
static int look_gone(struct redmine *m, const char *task, struct err *e)
{
	struct record rec = { .type = RECORD_GONE, .gone = { .of = RECORD_TASK, .key = task,
		.why = e->code == ERR_NOT_FOUND ? "deleted" : "hidden" } };
	struct err no = ERR_INIT;
	const json_t *project;
	struct http_answer a;

	if ((e->code != ERR_NOT_FOUND && e->code != ERR_AUTH) || project_get(m, &a, &project, &no))
		return -1;
	http_answer_release(&a);
	err_clear(e);
	return remote_emit(m->r, &rec, e);
}

static int redmine_look(struct remote *r, const char *task, struct err *e)
{
	struct redmine m;
	json_t *issue = NULL;
	int rc = -1;

	if (!redmine_init(&m, r, e) && !redmine_know_me(&m, NULL, e) && !redmine_know_statuses(&m, e))
		rc = redmine_get_issue(&m, task, &issue, e) ? look_gone(&m, task, e) : redmine_emit_issue(&m, issue, e);
	json_decref(issue);
	redmine_release(&m);
	return rc;
}

/* ---- which server, which project ---- */

/* "redmine/projects/demo/issues": what stands before "projects/", and the identifier behind it. */
static bool project_of(struct arena *a, const char *path, const char **base, const char **project)
{
	const char *p = path;

	while (p && !str_starts(p, "projects/")) {
		p = strchr(p, '/');
		p = p ? p + 1 : NULL;
	}
	if (!p || !p[9])
		return false;
	*base = arena_memdup(a, path, (size_t)(p - path));
	*project = arena_memdup(a, p + 9, strcspn(p + 9, "/?#"));
	return **project != '\0';
}

static bool fill(struct arena *a, const struct remote_url *url, const char *base, const char *project, struct source_desc *out)
{
	out->web = url->port ? arena_printf(a, "%s://%s:%u/%s", url->scheme, url->host, url->port, base) :
		arena_printf(a, "%s://%s/%s", url->scheme, url->host, base);
	out->api = out->web;
	out->project = project;
	return true;
}

static bool redmine_claim(struct arena *a, const struct remote_url *url, struct source_desc *out)
{
	const char *base, *project;
	bool host = str_starts(url->host, "redmine.") || !strcmp(url->host, "www.redmine.org") || !strcmp(url->host, "bugs.ruby-lang.org");

	if (!host || strcmp(url->scheme, "https") || !project_of(a, url->project, &base, &project))
		return false;
	return fill(a, url, base, project, out);
}

static int redmine_sniff(struct remote *r, struct source_desc *out, struct err *e)
{
	struct arena *k = remote_keep(r);
	const char *base, *project;
	struct remote_url url;
	struct http_answer a;
	bool ours;

	if (!remote_url_parse(k, remote_source(r)->web, &url) || strncmp(url.scheme, "http", 4) ||
	    !project_of(k, url.project, &base, &project))
		return err_set(e, ERR_NOT_FOUND, "no project of a Redmine");
	if (http_get(remote_http(r), &a, e, "%sissues.json?limit=1", base)) {
		/* One that shows nothing to nobody says so; with /projects/ in the address that is enough. */
		if (e->code != ERR_AUTH)
			return -1;
		err_clear(e);
		return fill(k, &url, base, project, out), 0;
	}
	ours = json_get_arr(a.json, "issues") && json_object_get(a.json, "total_count");
	http_answer_release(&a);
	if (!ours)
		return err_set(e, ERR_NOT_FOUND, "no Redmine");
	return fill(k, &url, base, project, out), 0;
}

/* ---- what it can do ---- */

static const struct { unsigned caps; const char *right, *other, *why; } needs[] = {
	{ CAP_NEW_TASK, "add_issues", NULL, "your role may not add issues here" },
	{ CAP_COMMENT, "add_issue_notes", "edit_issues", "your role may not add notes here" },
	{ CAP_EDIT_NOTE | CAP_DELETE_NOTE, "edit_own_issue_notes", "edit_issue_notes", "your role may not edit notes here" },
	{ CAP_STATE | CAP_ASSIGN | CAP_MILESTONES, "edit_issues", "edit_own_issues", "your role may not change issues here" },
	{ CAP_MODERATE, "edit_issue_notes", NULL, "your role may not change notes of others here" },
	{ CAP_PRIVATE_NOTES, "set_notes_private", NULL, "your role may not make notes private here" },
};
static const struct cap_why never[] = {
	{ CAP_CHANGES, "Redmine has no changes under review" }, { CAP_CODE_NOTES, "Redmine has no notes on code" },
	{ CAP_REPLY, "Redmine has no threads" }, { CAP_RESOLVE, "Redmine has no threads" }, { CAP_RANGES, "Redmine has no notes on code" },
	{ CAP_FILE_NOTES, "Redmine has no notes on code" }, { CAP_REVIEW, "Redmine has no reviews" },
	{ CAP_COMMIT_NOTES, "Redmine takes no notes on commits from outside" },
	{ CAP_REACTIONS, "Redmine's reactions can be read, not given, from outside" }, { CAP_LABELS, "Redmine has no labels" },
	{ CAP_HIDDEN_MARK, "Redmine shows every part of a note" }, { CAP_ID_IN_ANSWER, "Redmine does not say what it made" },
};

static void without(struct remote_probe *out, struct cap_why *why, unsigned caps, const char *words)
{
	for (unsigned bit = 1; bit && bit <= caps; bit <<= 1)
		if (caps & bit)
			why[out->n_why++] = (struct cap_why){ (enum caps)bit, words };
	out->caps &= ~caps;
}

static void probe_caps(struct redmine *m, const struct redmine_rights *x, bool issues, struct remote_probe *out)
{
	struct cap_why *why = arena_alloc(remote_keep(m->r), 64 * sizeof(*why));
	unsigned all = CAP_TASKS | CAP_NEW_TASK | CAP_COMMENT | CAP_EDIT_NOTE | CAP_DELETE_NOTE | CAP_STATE | CAP_ASSIGN | CAP_MILESTONES |
		CAP_PRIVATE_NOTES | CAP_MODERATE;

	out->caps = all;
	out->why = why;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		why[out->n_why++] = never[i];
	if (!issues)
		without(out, why, all & ~(unsigned)CAP_TASKS, "the project has no issues");
	if (!m->me_id)
		without(out, why, out->caps & ~(unsigned)CAP_TASKS, "a key is needed to write");
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
		if (!redmine_may(x, needs[i].right) && (!needs[i].other || !redmine_may(x, needs[i].other)))
			without(out, why, out->caps & needs[i].caps, needs[i].why);
	if (m->me_id && !x->known && !x->admin)
		without(out, why, out->caps & CAP_PRIVATE_NOTES, "whether you may make notes private is known to members only");
}

static bool has_module(const json_t *project, const char *name)
{
	const json_t *list = json_get_arr(project, "enabled_modules");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (field_is(json_array_get(list, i), "name", name))
			return true;
	return !list;
}

static int redmine_probe(struct remote *r, struct remote_probe *out, struct err *e)
{
	struct redmine m;
	struct redmine_rights rights = { 0 };
	struct http_answer a;
	const json_t *project;
	bool issues;
	int rc = -1;

	if (redmine_init(&m, r, e) || redmine_rights(&m, &rights, e) || project_get(&m, &a, &project, e))
		goto out;
	out->title = arena_strdup(remote_keep(r), field_str(project, "name"));
	out->public_ = json_get_bool(project, "is_public");
	issues = has_module(project, "issue_tracking");
	http_answer_release(&a);
	out->me_login = m.me.login;
	out->me_name = m.me.name;
	out->me_email = m.me.email;
	if (!m.me_id)
		out->me_login = out->me_name = out->me_email = NULL;
	probe_caps(&m, &rights, issues, out);
	out->quirk = json_get_str(r->src.options, "markup") ?
		"edited and deleted notes, and commits that name an issue, are seen by a full sync" :
		"set its option markup to textile or markdown: Redmine does not say which it is, and bodies are passed on as they are";
	rc = 0;
out:
	array_release(&rights.names);
	redmine_release(&m);
	return rc;
}

/* ---- credentials ---- */

static void add_base64(struct buf *b, const unsigned char *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)p[i] << 16 | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
		buf_addch(b, digits[v >> 18]);
		buf_addch(b, digits[v >> 12 & 63]);
		buf_addch(b, i + 1 < n ? digits[v >> 6 & 63] : '=');
		buf_addch(b, i + 2 < n ? digits[v & 63] : '=');
	}
}

/* A key is 40 hex digits; what else git or netrc gives with a user's name is a password. */
static void redmine_authorize(const struct source_desc *s, const struct cred *c, struct buf *header)
{
	struct buf both = BUF_INIT;

	(void)s;
	if (str_is_hex(c->secret, 40) || !c->user || !*c->user) {
		buf_addf(header, "X-Redmine-API-Key: %s", c->secret);
		return;
	}
	buf_addf(&both, "%s:%s", c->user, c->secret);
	buf_addstr(header, "Authorization: Basic ");
	add_base64(header, (const unsigned char *)both.ptr, both.len);
	explicit_bzero(both.ptr, both.len);
	buf_release(&both);
}

const struct adapter adapter_redmine = {
	.name = "redmine", .title = "Redmine", .prefix = "RM", .authorize = redmine_authorize, .claim = redmine_claim,
	.sniff = redmine_sniff, .probe = redmine_probe, .pull = redmine_pull, .look = redmine_look, .mark = redmine_mark,
	.push = redmine_push, .find = redmine_find,
};
