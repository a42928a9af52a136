/* SPDX-License-Identifier: MIT */
/*
 * Writing to Redmine. It says 204 to a write whatever became of it: what a user may not do, and what the workflow forbids, is
 * left out without a word, and the answer names nothing. So every write is read back, and only what is there has landed. A
 * note has no mark either (none would stay hidden): it is ours when its author and its text are, and it is newer than the
 * newest note at the first attempt, which is the mark.
 *
 * A private note that Redmine takes for a public one would be a word too many: the right to make it private is asked for just
 * before, and a note that came out public all the same is made private at once, or else taken back. Where not even that can
 * be done, it is told with what landed (wire.h).
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "redmine.h"

struct push {
	struct redmine m;
	struct remote *r;
	const struct wire_op *op;
	struct wire_outcome *out;
	json_t *issue;             /* owned: as it was read last */
	bool find;                 /* looking, not writing */
};

static struct arena *keep(struct push *p)
{
	return remote_keep(p->r);
}

static int landed(struct push *p, const char *key, const char *url)
{
	*p->out = (struct wire_outcome){ .is = WIRE_LANDED, .key = key, .url = url };
	return 0;
}

/* Returns 0: the outcome is told. */
static int refuse(struct push *p, const char *why)
{
	*p->out = (struct wire_outcome){ .is = WIRE_REFUSED, .code = ERR_REFUSED, .message = why };
	return 0;
}

static int issue_read(struct push *p, struct err *e)
{
	json_decref(p->issue);
	p->issue = NULL;
	return redmine_get_issue(&p->m, p->op->task, &p->issue, e);
}

static int ready(struct push *p, struct err *e)
{
	return redmine_know_me(&p->m, NULL, e) || redmine_know_statuses(&p->m, e) ? -1 : 0;
}

/* One write; takes the reference to body. 0: the server took it. 1: p->out says why not. */
static int write_one(struct push *p, const char *method, const char *path, json_t *body, struct http_answer *a)
{
	struct err failed = ERR_INIT;
	bool sent;
	int rc = http_write(p->m.h, method, path, body, a, &sent, &failed);

	json_decref(body);
	if (!rc)
		return 0;
	remote_outcome(p->r, sent, &failed, p->out);
	/* The key is good, as was asked just before: it is the role that does not do, and waiting does not help. */
	if (p->out->is == WIRE_UNSENT && failed.code == ERR_AUTH)
		p->out->is = WIRE_REFUSED;
	return 1;
}

/* What was written, read back; 1: it could not be, which leaves open what became of it. */
static int read_back(struct push *p)
{
	struct err failed = ERR_INIT;

	if (!issue_read(p, &failed))
		return 0;
	remote_outcome(p->r, true, &failed, p->out);
	return 1;
}

static json_t *wrapped(const char *name, json_t *fields)
{
	json_t *j = json_object();

	json_object_set_new(j, name, fields);
	return j;
}

static int put_issue(struct push *p, json_t *fields)
{
	struct http_answer a;
	int rc = write_one(p, "PUT", arena_printf(keep(p), "issues/%s.json", p->op->task), wrapped("issue", fields), &a);

	if (!rc)
		http_answer_release(&a);
	return rc ? 1 : read_back(p);
}

static bool same_text(struct push *p, const char *wire, const char *markdown)
{
	return body_same(wire, redmine_encode(&p->m, markdown));
}

static int emit_now(struct push *p)
{
	return p->find ? 0 : redmine_emit_issue(&p->m, p->issue, NULL);
}

/* ---- notes ---- */

static int64_t marked(const struct wire_op *op)
{
	uint64_t n;

	return op->mark && str_to_u64(op->mark, INT64_MAX, &n) ? (int64_t)n : 0;
}

static const json_t *own_note(struct push *p)
{
	const json_t *list = json_get_arr(p->issue, "journals");

	for (size_t i = json_array_size(list); i-- > 0;) {
		const json_t *j = json_array_get(list, i);
		if (json_get_int(j, "id", 0) > marked(p->op) && redmine_is_me(&p->m, json_get_obj(j, "user")) && field_str(j, "notes") &&
		    same_text(p, json_get_str(j, "notes"), p->op->body))
			return j;
	}
	return NULL;
}

static bool is_id(struct arena *a, const json_t *j, const char *key)
{
	const char *id = field_key(a, j, "id");

	return id && !strcmp(id, key);
}

static const json_t *note_by_key(struct push *p, const char *key)
{
	const json_t *list = json_get_arr(p->issue, "journals");

	for (size_t i = 0; key && i < json_array_size(list); i++)
		if (is_id(keep(p), json_array_get(list, i), key))
			return json_array_get(list, i);
	return NULL;
}

static int note_landed(struct push *p, const json_t *note)
{
	const char *key = field_key(keep(p), note, "id");

	emit_now(p);
	return landed(p, key, arena_printf(keep(p), "%sissues/%s#change-%s", p->m.web, p->op->task, key));
}

/* 0: we may, by one of these rights; 1: not, the outcome is told. */
static int private_allowed(struct push *p, const char *right, const char *other, const char *refusal, struct err *e)
{
	struct redmine_rights x = { 0 };
	bool may;

	if (redmine_rights(&p->m, &x, e))
		return -1;
	may = (x.known || x.admin) && (redmine_may(&x, right) || (other && redmine_may(&x, other)));
	array_release(&x.names);
	if (may)
		return 0;
	refuse(p, refusal);
	return 1;
}

/* Changes a note that is there; true: it was read again. */
static bool note_change(struct push *p, const char *key, const char *name, json_t *value)
{
	json_t *fields = json_object();
	struct http_answer a;

	json_object_set_new(fields, name, value);
	if (!write_one(p, "PUT", arena_printf(keep(p), "journals/%s.json", key), wrapped("journal", fields), &a))
		http_answer_release(&a);
	return !read_back(p);
}

/* Everybody sees what only some should: the right went between asking and writing. */
static int hide(struct push *p, const json_t *note)
{
	const char *key = field_key(keep(p), note, "id"), *url = arena_printf(keep(p), "%sissues/%s#change-%s", p->m.web, p->op->task, key);

	if (note_change(p, key, "private_notes", json_true())) {
		note = note_by_key(p, key);
		if (note && json_get_bool(note, "private_notes"))
			return note_landed(p, note);
	}
	if (note_change(p, key, "notes", json_string(""))) {
		note = note_by_key(p, key);
		if (!note || !field_str(note, "notes"))
			return refuse(p, "Redmine took it as public, for a moment: it is taken back. Your role may not make notes private "
				      "here any more");
		emit_now(p);
	}
	landed(p, key, url);
	p->out->message = arena_printf(keep(p), "EVERYBODY SEES the private note %s: Redmine took it as public, and does not let it be "
				       "hidden or taken back", url);
	return 0;
}

static int do_comment(struct push *p, struct err *e)
{
	json_t *fields;
	const json_t *note;
	int rc = p->op->private_ ? private_allowed(p, "set_notes_private", NULL,
						    "your role may not make notes private here; nothing was sent", e) : 0;

	if (rc)
		return rc < 0 ? -1 : 0;
	fields = json_object();
	json_put_str(fields, "notes", redmine_encode(&p->m, p->op->body));
	if (p->op->private_)
		json_object_set_new(fields, "private_notes", json_true());
	if (put_issue(p, fields))
		return 0;
	note = own_note(p);
	if (!note)
		return refuse(p, "Redmine said yes and wrote nothing: your role may not add notes to this issue");
	return p->op->private_ && !json_get_bool(note, "private_notes") ? hide(p, note) : note_landed(p, note);
}

static int note_write(struct push *p, const char *text, struct err *e)
{
	json_t *fields = json_object();
	struct http_answer a;

	if (!p->op->note || strspn(p->op->note, "0123456789") != strlen(p->op->note)) {
		json_decref(fields);
		return err_set(e, ERR_BAD_DATA, "'%s' is no note", p->op->note ? p->op->note : "");
	}
	json_put_str(fields, "notes", text);
	if (write_one(p, "PUT", arena_printf(keep(p), "journals/%s.json", p->op->note), wrapped("journal", fields), &a))
		return 1;
	http_answer_release(&a);
	return read_back(p);
}

static int do_edit_note(struct push *p, struct err *e)
{
	int rc = note_write(p, redmine_encode(&p->m, p->op->body), e);
	const json_t *note;

	if (rc)
		return rc < 0 ? -1 : 0;
	note = note_by_key(p, p->op->note);
	if (note && same_text(p, json_get_str(note, "notes"), p->op->body))
		return note_landed(p, note);
	return refuse(p, note ? "Redmine said yes and changed nothing: you may not edit this note" : "this note is not there any more");
}

/* A note without a text is no note: Redmine drops it, or (from 7.0 on) keeps its empty shell. */
static int do_delete_note(struct push *p, struct err *e)
{
	int rc = note_write(p, "", e);
	const json_t *note;

	if (rc)
		return rc < 0 ? -1 : (p->out->code == ERR_NOT_FOUND ? landed(p, p->op->note, NULL) : 0);
	note = note_by_key(p, p->op->note);
	if (note && field_str(note, "notes"))
		return refuse(p, "Redmine said yes and changed nothing: you may not delete this note");
	emit_now(p);
	return landed(p, p->op->note, NULL);
}

/* ---- states ---- */

static bool is_word(const char *a, const char *b)
{
	return a && b && !strcasecmp(a, b);
}

/* What the workflow allows from here; before 5.0 it does not say, and all are tried. */
static const json_t *allowed(struct push *p)
{
	const json_t *list = json_get_arr(p->issue, "allowed_statuses");

	return list ? list : p->m.statuses;
}

static const json_t *pick_status(struct push *p, bool close)
{
	static const char *const usual[] = { "Closed", "New" };
	const json_t *list = allowed(p), *first = NULL;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *s = json_array_get(list, i);
		const char *name = field_str(s, "name");
		if (p->op->value ? is_word(name, p->op->value) : redmine_is_closed(&p->m, s) == close && is_word(name, usual[close ? 0 : 1]))
			return s;
		if (!first && redmine_is_closed(&p->m, s) == close)
			first = s;
	}
	return p->op->value ? NULL : first;
}

static const char *status_names(struct push *p)
{
	const json_t *list = allowed(p);
	struct buf b = BUF_INIT;
	const char *out;

	for (size_t i = 0; i < json_array_size(list); i++)
		buf_addf(&b, "%s%s", i ? ", " : "", field_str(json_array_get(list, i), "name"));
	out = arena_memdup(keep(p), b.ptr, b.len);
	buf_release(&b);
	return out;
}

static bool has_status(struct push *p, bool close)
{
	const json_t *s = json_get_obj(p->issue, "status");

	return p->op->value ? is_word(field_str(s, "name"), p->op->value) : redmine_is_closed(&p->m, s) == close;
}

static int do_state(struct push *p, struct err *e)
{
	bool close = p->op->verb == WIRE_CLOSE;
	const json_t *to;
	json_t *fields;

	if (issue_read(p, e))
		return -1;
	if (has_status(p, close))
		return emit_now(p), landed(p, p->op->task, NULL);
	to = pick_status(p, close);
	if (!to)
		return refuse(p, arena_printf(keep(p), "the workflow does not allow that from here; it allows: %s", status_names(p)));
	fields = json_object();
	json_put_int(fields, "status_id", json_get_int(to, "id", 0));
	if (put_issue(p, fields))
		return 0;
	emit_now(p);
	if (has_status(p, close))
		return landed(p, p->op->task, NULL);
	return refuse(p, arena_printf(keep(p), "Redmine said yes and left it '%s': your role may not do that here",
		      field_str(json_get_obj(p->issue, "status"), "name")));
}

/* ---- other fields ---- */

static bool task_is(struct push *p)
{
	const struct wire_op *op = p->op;

	return (!op->title || field_is(p->issue, "subject", op->title)) &&
		(!op->body || same_text(p, json_get_str(p->issue, "description"), op->body));
}

static int changed(struct push *p, bool yes)
{
	emit_now(p);
	return yes ? landed(p, p->op->task, NULL) : refuse(p, "Redmine said yes and changed nothing: your role may not change this issue");
}

static int do_edit_task(struct push *p, struct err *e)
{
	json_t *fields = json_object();

	(void)e;
	if (p->op->title)
		json_put_str(fields, "subject", p->op->title);
	if (p->op->body)
		json_put_str(fields, "description", redmine_encode(&p->m, p->op->body));
	return put_issue(p, fields) ? 0 : changed(p, task_is(p));
}

/* Who "name" is: ourselves, or a member. 0: nobody. */
static int person_id(struct push *p, const char *name, int64_t *id, struct err *e)
{
	*id = 0;
	if (is_word(name, "me") || is_word(name, p->m.me.login) || is_word(name, p->m.me.name)) {
		*id = p->m.me_id;
		return 0;
	}
	for (int64_t offset = 0, total = 1; !*id && offset < total; offset += 100) {
		struct http_answer a;
		const json_t *list;
		if (http_get(p->m.h, &a, e, "projects/%s/memberships.json?limit=100&offset=%lld", p->m.project, (long long)offset))
			return -1;
		list = json_get_arr(a.json, "memberships");
		total = json_get_int(a.json, "total_count", 0);
		for (size_t i = 0; i < json_array_size(list); i++) {
			const json_t *one = json_array_get(list, i), *who = json_get_obj(one, "user");
			who = who ? who : json_get_obj(one, "group");
			if (is_word(field_str(who, "name"), name))
				*id = json_get_int(who, "id", 0);
		}
		http_answer_release(&a);
	}
	return 0;
}

static bool is_assigned(struct push *p)
{
	const struct wire_op *op = p->op;
	const json_t *who = json_get_obj(p->issue, "assigned_to");
	const char *name = field_str(who, "name");

	if (op->n_add)
		return is_word(name, op->add[0]) || (redmine_is_me(&p->m, who) && (is_word("me", op->add[0]) ||
			is_word(p->m.me.login, op->add[0])));
	for (size_t i = 0; i < op->n_drop; i++)
		if (is_word(name, op->drop[i]) || (redmine_is_me(&p->m, who) && is_word(p->m.me.login, op->drop[i])))
			return false;
	return true;
}

static int do_assign(struct push *p, struct err *e)
{
	const struct wire_op *op = p->op;
	json_t *fields;
	int64_t id = 0;

	if (op->n_add > 1)
		return refuse(p, "Redmine assigns an issue to one person");
	if (op->n_add && person_id(p, op->add[0], &id, e))
		return -1;
	if (op->n_add && !id)
		return refuse(p, arena_printf(keep(p), "there is no member '%s' in this project", op->add[0]));
	if (!op->n_add && issue_read(p, e))
		return -1;
	if (!op->n_add && is_assigned(p))
		return landed(p, op->task, NULL);
	fields = json_object();
	if (id)
		json_put_int(fields, "assigned_to_id", id);
	else
		json_put_str(fields, "assigned_to_id", "");
	return put_issue(p, fields) ? 0 : changed(p, is_assigned(p));
}

static bool has_version(struct push *p)
{
	const char *name = field_str(json_get_obj(p->issue, "fixed_version"), "name");

	return p->op->value ? is_word(name, p->op->value) : !name;
}

static int do_milestone(struct push *p, struct err *e)
{
	json_t *fields = json_object();
	struct http_answer a;
	const json_t *list;
	int64_t id = 0;

	if (p->op->value) {
		if (http_get(p->m.h, &a, e, "projects/%s/versions.json", p->m.project)) {
			json_decref(fields);
			return -1;
		}
		list = json_get_arr(a.json, "versions");
		for (size_t i = 0; i < json_array_size(list); i++)
			if (is_word(field_str(json_array_get(list, i), "name"), p->op->value))
				id = json_get_int(json_array_get(list, i), "id", 0);
		http_answer_release(&a);
		if (!id) {
			json_decref(fields);
			return refuse(p, arena_printf(keep(p), "there is no version '%s' in this project", p->op->value));
		}
		json_put_int(fields, "fixed_version_id", id);
	} else {
		json_put_str(fields, "fixed_version_id", "");
	}
	return put_issue(p, fields) ? 0 : changed(p, has_version(p));
}

/* ---- a new issue ---- */

/* A label of a new issue is its tracker, priority or category. 1: it is none of these, the outcome is told. */
static int add_label(struct push *p, const char *name, json_t *fields, struct err *e)
{
	static const struct { const char *path, *list, *field; } places[] = {
		{ "projects/%s.json?include=trackers,issue_categories", "trackers", "tracker_id" },
		{ "enumerations/issue_priorities.json", "issue_priorities", "priority_id" },
		{ "projects/%s/issue_categories.json", "issue_categories", "category_id" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct http_answer a;
		const json_t *list;
		int64_t id = 0;
		if (http_get(p->m.h, &a, e, places[i].path, p->m.project))
			return -1;
		list = json_get_arr(json_get_obj(a.json, "project"), places[i].list);
		list = list ? list : json_get_arr(a.json, places[i].list);
		for (size_t k = 0; k < json_array_size(list); k++)
			if (is_word(field_str(json_array_get(list, k), "name"), name))
				id = json_get_int(json_array_get(list, k), "id", 0);
		http_answer_release(&a);
		if (id) {
			json_put_int(fields, places[i].field, id);
			return 0;
		}
	}
	refuse(p, arena_printf(keep(p), "'%s' is no tracker, priority or category of this project", name));
	return 1;
}

static int new_fields(struct push *p, json_t *fields, struct err *e)
{
	const struct wire_op *op = p->op;
	int64_t id = 0;
	int rc = 0;

	json_put_str(fields, "project_id", remote_source(p->r)->project);
	json_put_str(fields, "subject", op->title);
	json_put_str(fields, "description", redmine_encode(&p->m, op->body));
	if (op->private_)
		json_object_set_new(fields, "is_private", json_true());
	for (size_t i = 0; !rc && i < op->n_add; i++)
		rc = add_label(p, op->add[i], fields, e);
	if (rc || !op->value || !*op->value)
		return rc;
	if (person_id(p, op->value, &id, e))
		return -1;
	if (id)
		return json_put_int(fields, "assigned_to_id", id), 0;
	refuse(p, arena_printf(keep(p), "there is no member '%s' in this project", op->value));
	return 1;
}

/* One that should be private, and is not, is made so; an issue cannot be taken back. */
static int task_landed(struct push *p, const char *key)
{
	const char *url = arena_printf(keep(p), "%sissues/%s", p->m.web, key);
	json_t *fields = json_object();
	struct wire_op op = *p->op, *asked = &op;
	const struct wire_op *was = p->op;
	bool open = p->op->private_ && !json_get_bool(p->issue, "is_private");

	asked->task = key;
	p->op = asked;
	json_object_set_new(fields, "is_private", json_true());
	if (open)
		open = put_issue(p, json_incref(fields)) || !json_get_bool(p->issue, "is_private");
	json_decref(fields);
	p->op = was;
	if (p->issue)
		emit_now(p);
	landed(p, key, url);
	if (open)
		p->out->message = arena_printf(keep(p), "EVERYBODY SEES the private issue %s: Redmine took it as public, and does not let it "
					       "be hidden", url);
	return 0;
}

static int do_new_task(struct push *p, struct err *e)
{
	json_t *fields = json_object();
	struct http_answer a;
	struct err no = ERR_INIT;
	const char *key;
	int rc = p->op->private_ ? private_allowed(p, "set_issues_private", "set_own_issues_private",
						    "your role may not make issues private here; nothing was sent", e) : 0;

	rc = rc ? rc : new_fields(p, fields, e);
	if (rc) {
		json_decref(fields);
		return rc < 0 ? -1 : 0;
	}
	if (write_one(p, "POST", "issues.json", wrapped("issue", fields), &a))
		return 0;
	key = field_key(keep(p), json_get_obj(a.json, "issue"), "id");
	http_answer_release(&a);
	if (key && !redmine_get_issue(&p->m, key, &p->issue, &no))
		return task_landed(p, key);
	return landed(p, key, key ? arena_printf(keep(p), "%sissues/%s", p->m.web, key) : NULL);
}

static int (*const pushes[WIRE_VERBS])(struct push *p, struct err *e) = {
	[WIRE_COMMENT] = do_comment, [WIRE_EDIT_NOTE] = do_edit_note, [WIRE_DELETE_NOTE] = do_delete_note, [WIRE_NEW_TASK] = do_new_task,
	[WIRE_EDIT_TASK] = do_edit_task, [WIRE_CLOSE] = do_state, [WIRE_REOPEN] = do_state, [WIRE_ASSIGN] = do_assign,
	[WIRE_MILESTONE] = do_milestone,
};

static void push_release(struct push *p)
{
	json_decref(p->issue);
	redmine_release(&p->m);
}

int redmine_push(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e)
{
	struct push p = { .r = r, .op = op, .out = out };
	int rc = -1;

	if (redmine_init(&p.m, r, e))
		return -1;
	if (!pushes[op->verb])
		return err_set(e, ERR_REFUSED, "Redmine has no way to do this");
	if (!op->task && op->verb != WIRE_NEW_TASK)
		return err_set(e, ERR_BAD_DATA, "the op names no issue");
	if (!ready(&p, e))
		rc = p.m.me_id ? pushes[op->verb](&p, e) : err_set(e, ERR_AUTH, "a key is needed to write");
	push_release(&p);
	return rc;
}

/* ---- finding ---- */

static int newest_issue(struct push *p, int64_t *id, struct err *e)
{
	struct http_answer a;

	if (http_get(p->m.h, &a, e, "issues.json?project_id=%s&status_id=*&sort=id:desc&limit=1", p->m.project))
		return -1;
	*id = json_get_int(json_array_get(json_get_arr(a.json, "issues"), 0), "id", 0);
	http_answer_release(&a);
	return 0;
}

static int64_t newest_note(const json_t *issue)
{
	const json_t *list = json_get_arr(issue, "journals");
	int64_t max = 0;

	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_get_int(json_array_get(list, i), "id", 0) > max)
			max = json_get_int(json_array_get(list, i), "id", 0);
	return max;
}

int redmine_mark(struct remote *r, const struct wire_op *op, const char **mark, struct err *e)
{
	struct push p = { .r = r, .op = op };
	int64_t n = 0;
	int rc = -1;

	if (redmine_init(&p.m, r, e))
		return -1;
	if (op->verb == WIRE_NEW_TASK ? newest_issue(&p, &n, e) : issue_read(&p, e))
		goto out;
	if (op->verb != WIRE_NEW_TASK)
		n = newest_note(p.issue);
	*mark = arena_printf(remote_keep(r), "%lld", (long long)n);
	rc = 0;
out:
	push_release(&p);
	return rc;
}

static int find_task(struct push *p, struct err *e)
{
	const char *key = NULL;
	bool more = true;

	for (int64_t offset = 0; !key && more; offset += 100) {
		struct http_answer a;
		const json_t *list;
		if (http_get(p->m.h, &a, e, "issues.json?project_id=%s&status_id=*&sort=id:desc&limit=100&offset=%lld", p->m.project,
		    (long long)offset))
			return -1;
		list = json_get_arr(a.json, "issues");
		more = json_array_size(list) == 100;
		for (size_t i = 0; !key && i < json_array_size(list); i++) {
			const json_t *j = json_array_get(list, i);
			more = more && json_get_int(j, "id", 0) > marked(p->op);
			if (json_get_int(j, "id", 0) > marked(p->op) && redmine_is_me(&p->m, json_get_obj(j, "author")) &&
			    p->op->title && field_is(j, "subject", p->op->title) && same_text(p, json_get_str(j, "description"), p->op->body))
				key = field_key(keep(p), j, "id");
		}
		http_answer_release(&a);
	}
	return key ? landed(p, key, NULL) : 0;
}

static bool is_done(struct push *p, const char **key)
{
	const json_t *note;

	*key = p->op->task;
	switch (p->op->verb) {
	case WIRE_COMMENT:
		note = own_note(p);
		*key = note ? field_key(keep(p), note, "id") : NULL;
		return note != NULL;
	case WIRE_EDIT_NOTE:
	case WIRE_DELETE_NOTE:
		*key = p->op->note;
		note = note_by_key(p, p->op->note);
		if (p->op->verb == WIRE_DELETE_NOTE)
			return !note || !field_str(note, "notes");
		return note && same_text(p, json_get_str(note, "notes"), p->op->body);
	case WIRE_CLOSE:
	case WIRE_REOPEN:
		return has_status(p, p->op->verb == WIRE_CLOSE);
	case WIRE_ASSIGN:
		return is_assigned(p);
	case WIRE_MILESTONE:
		return has_version(p);
	case WIRE_EDIT_TASK:
		return task_is(p);
	default:
		return false;
	}
}

int redmine_find(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e)
{
	struct push p = { .r = r, .op = op, .out = out, .find = true };
	const char *key;
	int rc = -1;

	*out = (struct wire_outcome){ .is = WIRE_ABSENT };
	if (redmine_init(&p.m, r, e) || ready(&p, e))
		goto out;
	if (op->verb == WIRE_NEW_TASK) {
		rc = find_task(&p, e);
		goto out;
	}
	if (issue_read(&p, e))
		goto out;
	if (!is_done(&p, &key))
		rc = 0;
	else if (op->verb == WIRE_COMMENT && op->private_ && !json_get_bool(own_note(&p), "private_notes"))
		rc = hide(&p, own_note(&p));
	else
		rc = landed(&p, key, NULL);
out:
	push_release(&p);
	return rc;
}
