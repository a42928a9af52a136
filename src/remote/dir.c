/* SPDX-License-Identifier: MIT */
/*
 * "dir": a tracker made of files, for tests and for whoever wants to see the whole contract without a network. The source's
 * api is the folder:
 *
 *	source.json        {"me":P,"title","public","version","caps":[…]}, all optional; caps absent: all but "moderate"
 *	tasks/KEY.json     {"rev":N,"task":RECORD,"notes":[RECORD…],"threads":[RECORD…],"gone":[RECORD…]}, records as in
 *	                   model/record.h; without "task" it is the talk on commits; "gone":true: the task is gone
 *	faults             JSON Lines, each used up when it fits (faults.c has what they can do)
 *
 * rev counts changes over the whole folder: whoever edits a file by hand gives it a higher one than any other has. The
 * cursor is the highest rev that was read. Several processes may work on one folder: a lock orders their changes.
 */
#include "config.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "killick/base/file.h"
#include "dir.h"

enum { PAGE_TASKS = 50, FILE_MAX_BYTES = 32 << 20 };
static const char commits[] = "commits";   /* the task file of notes on commits */

const char *dir_path(struct remote *r, const char *name)
{
	const char *base = r->src.api;

	return arena_printf(&r->keep, "%s%s", str_starts(base, "file://") ? base + 7 : base, name);
}

static json_t *file_json(const char *path, struct err *e)
{
	struct buf b = BUF_INIT;
	json_t *j = NULL;

	if (!file_read(path, FILE_MAX_BYTES, &b, e))
		j = json_read(b.ptr, b.len, path, e);
	buf_release(&b);
	return j;
}

/* ---- the folder in memory ---- */

struct doc { char *key; int64_t rev; json_t *json; };
struct dir { ARRAY(struct doc) docs; };

static void dir_release(struct dir *d)
{
	for (size_t i = 0; i < d->docs.len; i++) {
		free(d->docs.items[i].key);
		json_decref(d->docs.items[i].json);
	}
	array_release(&d->docs);
}

static int doc_by_rev(const void *pa, const void *pb)
{
	const struct doc *a = pa, *b = pb;

	return a->rev != b->rev ? (a->rev > b->rev) - (a->rev < b->rev) : strcmp(a->key, b->key);
}

static int dir_add(struct remote *r, struct dir *d, const char *name, struct err *e)
{
	size_t n = strlen(name);
	json_t *j;

	if (n < 6 || *name == '.' || strcmp(name + n - 5, ".json") != 0)
		return 0;
	j = file_json(dir_path(r, arena_printf(&r->keep, "tasks/%s", name)), e);
	if (!j)
		return -1;
	*array_add(&d->docs) = (struct doc){ xstrndup(name, n - 5), json_get_int(j, "rev", 1), j };
	return 0;
}

static int dir_load(struct remote *r, struct dir *d, struct err *e)
{
	DIR *folder = opendir(dir_path(r, "tasks"));
	const struct dirent *f;
	int rc = 0;

	*d = (struct dir){ ARRAY_INIT };
	if (!folder)
		return err_set(e, ERR_OFFLINE, "there is no folder '%s': %s", dir_path(r, "tasks"), strerror(errno));
	while (!rc && (f = readdir(folder)))
		rc = dir_add(r, d, f->d_name, e);
	closedir(folder);
	if (d->docs.len)
		qsort(d->docs.items, d->docs.len, sizeof(*d->docs.items), doc_by_rev);
	return rc;
}

static struct doc *dir_doc(struct dir *d, const char *key)
{
	for (size_t i = 0; i < d->docs.len; i++)
		if (!strcmp(d->docs.items[i].key, key ? key : commits))
			return &d->docs.items[i];
	return NULL;
}

/* A note that is hidden for a while (a list that lags): not there yet. */
static bool is_hidden(const json_t *rec)
{
	int64_t until = json_get_int(rec, "hidden_until", 0);

	return until > clock_now();
}

/* ---- reading ---- */

static int emit_json(struct remote *r, const json_t *j, struct err *e)
{
	struct buf line = BUF_INIT;
	struct record rec;
	int rc;

	json_write(&line, j);
	rc = record_parse(&r->arena, line.ptr, line.len, &rec, e) || remote_emit(r, &rec, e) ? -1 : 0;
	buf_release(&line);
	return rc;
}

static int emit_list(struct remote *r, const json_t *list, struct err *e)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		if (!is_hidden(j) && emit_json(r, j, e))
			return -1;
	}
	return 0;
}

/* What a reconcile adds: every note that the task has, by kind. */
static int emit_keys(struct remote *r, const struct doc *doc, struct err *e)
{
	static const char *const kinds[] = { "comment", "review", "code", "commit", "event" };
	const json_t *notes = json_get_arr(doc->json, "notes");
	const char **keys = arena_alloc(&r->arena, (json_array_size(notes) + 1) * sizeof(*keys));
	struct record rec = { .type = RECORD_LIST, .list = { .task = doc->key, .kinds = kinds, .n_kinds = ARRAY_SIZE(kinds) } };

	for (size_t i = 0; i < json_array_size(notes); i++)
		if (!is_hidden(json_array_get(notes, i)))
			keys[rec.list.n_keys++] = json_get_str(json_array_get(notes, i), "key");
	rec.list.keys = keys;
	return remote_emit(r, &rec, e);
}

static int emit_doc(struct remote *r, const struct doc *doc, bool full, struct err *e)
{
	struct record gone = { .type = RECORD_GONE, .gone = { .of = RECORD_TASK, .key = doc->key, .why = "deleted" } };
	const json_t *task = json_get_obj(doc->json, "task");

	if (json_is_true(json_object_get(doc->json, "gone")))
		return remote_emit(r, &gone, e);
	if (task && emit_json(r, task, e))
		return -1;
	if (emit_list(r, json_get_arr(doc->json, "threads"), e) || emit_list(r, json_get_arr(doc->json, "notes"), e) ||
	    emit_list(r, json_get_arr(doc->json, "gone"), e))
		return -1;
	return full && task ? emit_keys(r, doc, e) : 0;
}

/* A document with something hidden in it holds the cursor back, as a list that lags would be read again. */
static bool doc_lags(const struct doc *doc)
{
	const json_t *notes = json_get_arr(doc->json, "notes");

	for (size_t i = 0; i < json_array_size(notes); i++)
		if (is_hidden(json_array_get(notes, i)))
			return true;
	return false;
}

static int dir_page(struct remote *r, int64_t rev, size_t page, struct err *e)
{
	if (dir_fault(r, &(struct fault_at){ .on = "pull", .page = (int64_t)page }, e))
		return -1;
	return remote_page(r, arena_printf(&r->arena, "%lld", (long long)rev), e);
}

static int pull_docs(struct remote *r, struct dir *d, int64_t rev, bool full, struct err *e)
{
	int64_t from = full ? -1 : rev;
	size_t n = 0;
	bool lags = false;

	for (size_t i = 0; i < d->docs.len; i++) {
		const struct doc *doc = &d->docs.items[i];
		if (doc->rev <= from)
			continue;
		if (emit_doc(r, doc, full, e))
			return -1;
		lags = lags || doc_lags(doc);
		rev = !lags && doc->rev > rev ? doc->rev : rev;
		remote_progress(r, "tasks", (int64_t)i + 1, (int64_t)d->docs.len);
		if (++n % PAGE_TASKS == 0 && dir_page(r, rev, n / PAGE_TASKS, e))
			return -1;
	}
	return dir_page(r, rev, n / PAGE_TASKS + 1, e);
}

static int dir_pull(struct remote *r, const char *cursor, bool full, struct err *e)
{
	struct dir d = { ARRAY_INIT };
	uint64_t rev = 0;
	int rc;

	if (*cursor && !str_to_u64(cursor, INT64_MAX, &rev))
		return err_set(e, ERR_BAD_DATA, "the cursor '%s' is not a number", cursor);
	if (dir_fault(r, &(struct fault_at){ .on = "pull" }, e))
		return -1;
	rc = dir_load(r, &d, e) || pull_docs(r, &d, (int64_t)rev, full, e) ? -1 : 0;
	dir_release(&d);
	return rc;
}

static int dir_look(struct remote *r, const char *task, struct err *e)
{
	struct dir d = { ARRAY_INIT };
	const struct doc *doc;
	int rc = -1;

	if (dir_fault(r, &(struct fault_at){ .on = "look" }, e) || dir_load(r, &d, e))
		goto out;
	doc = dir_doc(&d, task);
	rc = doc ? emit_doc(r, doc, true, e) : err_set(e, ERR_NOT_FOUND, "there is no task %s", task);
out:
	dir_release(&d);
	return rc;
}

static int dir_probe(struct remote *r, struct remote_probe *out, struct err *e)
{
	const char *path = dir_path(r, "source.json");
	json_t *j = NULL;
	struct person me;

	if (dir_fault(r, &(struct fault_at){ .on = "probe" }, e))
		return -1;
	if (!path_exists(dir_path(r, "tasks")))
		return err_set(e, ERR_NOT_FOUND, "'%s' has no folder 'tasks'", r->src.api);
	if (path_exists(path) && !(j = file_json(path, e)))
		return -1;
	person_from_json(&r->keep, json_get_obj(j, "me"), &me);
	*out = (struct remote_probe){
		.version = arena_strdup(&r->keep, json_get_str(j, "version")),
		.caps = json_get_arr(j, "caps") ? caps_parse(json_get_arr(j, "caps")) : ~(unsigned)CAP_MODERATE,
		.me_login = me.login, .me_name = me.name, .me_email = me.email,
		.title = arena_strdup(&r->keep, json_get_str(j, "title")),
		.public_ = json_get_bool(j, "public"),
	};
	json_decref(j);
	return 0;
}

static bool dir_claim(struct arena *a UNUSED, const struct remote_url *url UNUSED, struct source_desc *out UNUSED)
{
	return false;
}

static int dir_sniff(struct remote *r UNUSED, struct source_desc *out UNUSED, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "a folder is not on a network");
}

/* ---- writing ---- */

static int64_t highest_key(const json_t *list, int64_t max)
{
	uint64_t n;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *key = json_get_str(json_array_get(list, i), "key");
		if (key && str_to_u64(key, INT64_MAX / 2, &n) && (int64_t)n > max)
			max = (int64_t)n;
	}
	return max;
}

static int64_t next_key(const struct dir *d)
{
	int64_t max = 1000;

	for (size_t i = 0; i < d->docs.len; i++)
		max = highest_key(json_get_arr(d->docs.items[i].json, "notes"), max);
	return max + 1;
}

static int64_t next_task(const struct dir *d)
{
	int64_t max = 0;
	uint64_t n;

	for (size_t i = 0; i < d->docs.len; i++)
		if (str_to_u64(d->docs.items[i].key, INT64_MAX / 2, &n) && (int64_t)n > max)
			max = (int64_t)n;
	return max + 1;
}

static int64_t next_rev(const struct dir *d)
{
	return d->docs.len ? d->docs.items[d->docs.len - 1].rev + 1 : 1;
}

static int doc_save(struct remote *r, const struct doc *doc, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	json_write(&b, doc->json);
	buf_addch(&b, '\n');
	rc = file_write(dir_path(r, arena_printf(&r->keep, "tasks/%s.json", doc->key)), b.ptr, b.len, 0600, e);
	buf_release(&b);
	return rc;
}

static struct doc *doc_new(struct dir *d, const char *key)
{
	struct doc *doc = array_add(&d->docs);

	*doc = (struct doc){ .key = xstrdup(key), .json = json_object() };
	return doc;
}

/* One write at work. */
struct change {
	struct remote *r;
	const struct wire_op *op;
	struct dir *dir;
	struct doc *doc;
	json_t *made;          /* the new note or task, borrowed from doc */
	const char *key;
	struct err *e;
};

static json_t *doc_list(const struct doc *doc, const char *name)
{
	json_t *list = json_get_arr(doc->json, name);

	if (!list) {
		list = json_array();
		json_object_set_new(doc->json, name, list);
	}
	return list;
}

static json_t *doc_find(const struct doc *doc, const char *list, const char *key)
{
	json_t *all = json_get_arr(doc->json, list);

	for (size_t i = 0; key && i < json_array_size(all); i++) {
		const char *k = json_get_str(json_array_get(all, i), "key");
		if (k && !strcmp(k, key))
			return json_array_get(all, i);
	}
	return NULL;
}

static int no_such(struct change *c, const char *what, const char *key)
{
	return err_set(c->e, ERR_NOT_FOUND, "there is no %s %s", what, key ? key : "");
}

static json_t *me_json(struct remote *r)
{
	static const struct person nobody = { .login = "me" };
	json_t *j = file_json(dir_path(r, "source.json"), NULL), *me;

	me = json_get_obj(j, "me");
	me = me ? json_incref(me) : person_json(r->src.me.login ? &r->src.me : &nobody);
	json_decref(j);
	return me;
}

static json_t *note_make(struct change *c, const char *kind, const struct wire_op *op)
{
	json_t *note = json_object();
	struct buf body = BUF_INIT;

	c->key = arena_printf(&c->r->keep, "%lld", (long long)next_key(c->dir));
	remote_body(c->r, op, &body);
	json_put_str(note, "record", "note");
	json_put_str(note, "key", c->key);
	if (op->task)
		json_put_str(note, "task", op->task);
	json_put_str(note, "kind", kind);
	json_object_set_new(note, "author", me_json(c->r));
	json_put_time(note, "created", clock_now());
	json_put_time(note, "updated", clock_now());
	json_put_str(note, "body", body.ptr);
	json_object_set_new(note, "can_edit", json_true());
	json_object_set_new(note, "can_delete", json_true());
	if (op->private_)
		json_object_set_new(note, "private", json_true());
	json_array_append_new(doc_list(c->doc, "notes"), note);
	buf_release(&body);
	return c->made = note;
}

static int do_comment(struct change *c)
{
	note_make(c, "comment", c->op);
	return 0;
}

static int add_reply(struct change *c, const struct wire_op *op)
{
	json_t *note;

	if (!doc_find(c->doc, "threads", op->thread))
		return no_such(c, "thread", op->thread);
	note = note_make(c, "code", op);
	json_put_str(note, "thread", op->thread);
	if (op->reply_to)
		json_put_str(note, "reply_to", op->reply_to);
	return 0;
}

static int add_code(struct change *c, const struct wire_op *op)
{
	json_t *note = note_make(c, "code", op), *thread = json_object();

	json_put_str(note, "thread", c->key);
	if (op->anchor)
		json_object_set_new(note, "anchor", anchor_to_op(op->anchor));
	json_put_str(thread, "record", "thread");
	json_put_str(thread, "key", c->key);
	json_put_str(thread, "task", op->task);
	json_object_set_new(thread, "resolved", json_false());
	json_object_set_new(thread, "can_resolve", json_true());
	json_object_set_new(thread, "can_reply", json_true());
	json_array_append_new(doc_list(c->doc, "threads"), thread);
	return 0;
}

static int do_reply(struct change *c)
{
	return add_reply(c, c->op);
}

static int do_code(struct change *c)
{
	return add_code(c, c->op);
}

static int do_commit_note(struct change *c)
{
	json_t *note = note_make(c, "commit", c->op);

	json_put_str(note, "thread", c->key);
	json_object_set_new(note, "anchor", anchor_to_op(c->op->anchor));
	return 0;
}

static int do_edit_note(struct change *c)
{
	json_t *note = doc_find(c->doc, "notes", c->op->note);

	if (!note)
		return no_such(c, "note", c->op->note);
	json_put_str(note, "body", c->op->body);
	json_put_time(note, "updated", clock_now());
	c->made = note;
	return 0;
}

static int do_delete_note(struct change *c)
{
	json_t *list = doc_list(c->doc, "notes"), *note = doc_find(c->doc, "notes", c->op->note), *gone;

	if (!note)
		return no_such(c, "note", c->op->note);
	for (size_t i = json_array_size(list); i-- > 0;)
		if (json_array_get(list, i) == note)
			json_array_remove(list, i);
	gone = json_object();
	json_put_str(gone, "record", "gone");
	json_put_str(gone, "of", "note");
	json_put_str(gone, "key", c->op->note);
	if (c->op->task)
		json_put_str(gone, "task", c->op->task);
	json_put_str(gone, "why", "deleted");
	json_array_append_new(doc_list(c->doc, "gone"), gone);
	c->made = gone;
	return 0;
}

static int do_resolve(struct change *c)
{
	bool on = c->op->verb == WIRE_RESOLVE;
	json_t *thread = doc_find(c->doc, "threads", c->op->thread);

	if (!thread)
		return no_such(c, "thread", c->op->thread);
	json_object_set_new(thread, "resolved", json_boolean(on));
	if (on)
		json_object_set_new(thread, "by", me_json(c->r));
	else
		json_object_del(thread, "by");
	c->made = thread;
	return 0;
}

/* [[emoji, count, mine]…] with this one's `mine` set to on. */
static void reaction_set(json_t *note, const char *emoji, bool on)
{
	json_t *list = json_get_arr(note, "reactions");

	if (!list)
		json_object_set_new(note, "reactions", list = json_array());
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i);
		const char *what = json_string_value(json_array_get(one, 0));
		json_int_t n = json_integer_value(json_array_get(one, 1));
		bool mine = json_is_true(json_array_get(one, 2));

		if (!what || strcmp(what, emoji) != 0)
			continue;
		n += on - mine;
		json_array_set_new(one, 1, json_integer(n));
		json_array_set_new(one, 2, json_boolean(on));
		if (n <= 0)
			json_array_remove(list, i);
		return;
	}
	if (on)
		json_array_append_new(list, json_pack("[s,i,b]", emoji, 1, 1));
}

static int do_react(struct change *c)
{
	json_t *note = doc_find(c->doc, "notes", c->op->note);

	if (!note && c->op->note)
		return no_such(c, "note", c->op->note);
	if (!note)
		return err_set(c->e, ERR_REFUSED, "tasks take no reactions here");
	reaction_set(note, c->op->value, c->op->verb == WIRE_REACT);
	c->made = note;
	return 0;
}

static int do_new_task(struct change *c)
{
	json_t *task = json_object(), *labels = json_array();

	for (size_t i = 0; i < c->op->n_add; i++)
		json_array_append_new(labels, json_str_or_null(c->op->add[i]));
	json_put_str(task, "record", "task");
	json_put_str(task, "key", c->doc->key);
	json_object_set_new(task, "name", json_sprintf("DIR-%s", c->doc->key));
	json_put_str(task, "state", "open");
	json_put_str(task, "title", c->op->title);
	json_put_str(task, "body", c->op->body ? c->op->body : "");
	json_object_set_new(task, "author", me_json(c->r));
	json_object_set_new(task, "labels", labels);
	if (c->op->value)
		json_object_set_new(task, "assignees", json_pack("[{s:s}]", "login", c->op->value));
	if (c->op->private_)
		json_object_set_new(task, "private", json_true());
	json_put_time(task, "created", clock_now());
	json_put_str(task, "op", c->op->id);   /* a title has no place for a mark */
	json_object_set_new(c->doc->json, "task", task);
	c->key = c->doc->key;
	c->made = task;
	return 0;
}

static int do_task(struct change *c)
{
	static const char *const states[WIRE_VERBS] = { [WIRE_CLOSE] = "closed", [WIRE_REOPEN] = "open" };
	json_t *task = json_get_obj(c->doc->json, "task");
	const struct wire_op *op = c->op;

	if (!task)
		return no_such(c, "task", op->task);
	if (op->verb == WIRE_EDIT_TASK && op->title)
		json_put_str(task, "title", op->title);
	if (op->verb == WIRE_EDIT_TASK && op->body)
		json_put_str(task, "body", op->body);
	if (op->verb == WIRE_MILESTONE)
		json_put_str(task, "milestone", op->value);
	if (states[op->verb])
		json_put_str(task, "state", states[op->verb]);
	if (op->verb == WIRE_CLOSE && op->value)
		json_put_str(task, "status", op->value);
	c->made = task;
	return 0;
}

/* Which of the list's elements is this text: itself, or a person with this login; -1 if none. */
static ptrdiff_t list_index(const json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		const char *s = json_is_string(v) ? json_string_value(v) : json_get_str(v, "login");
		if (s && !strcmp(s, text))
			return (ptrdiff_t)i;
	}
	return -1;
}

static int do_set(struct change *c)
{
	bool people = c->op->verb == WIRE_ASSIGN;
	const char *field = people ? "assignees" : "labels";
	json_t *task = json_get_obj(c->doc->json, "task"), *list = json_get_arr(task, field);

	if (!task)
		return no_such(c, "task", c->op->task);
	if (!list)
		json_object_set_new(task, field, list = json_array());
	for (size_t i = 0; i < c->op->n_drop; i++)
		while (list_index(list, c->op->drop[i]) >= 0)
			json_array_remove(list, (size_t)list_index(list, c->op->drop[i]));
	for (size_t i = 0; i < c->op->n_add; i++) {
		const struct person p = { .login = c->op->add[i] };
		if (list_index(list, p.login) < 0)
			json_array_append_new(list, people ? person_json(&p) : json_str_or_null(p.login));
	}
	c->made = task;
	return 0;
}

static int do_review(struct change *c)
{
	const char *key;

	json_put_str(note_make(c, "review", c->op), "verdict", c->op->verdict ? c->op->verdict : "comment");
	key = c->key;
	for (size_t i = 0; i < c->op->n_notes; i++) {
		struct wire_op inner = c->op->notes[i];
		inner.task = c->op->task;
		if (inner.verb == WIRE_REPLY ? add_reply(c, &inner) : add_code(c, &inner))
			return -1;
	}
	c->key = key;
	c->made = NULL;
	return 0;
}

static int (*const changes[WIRE_VERBS])(struct change *c) = {
	[WIRE_COMMENT] = do_comment, [WIRE_REPLY] = do_reply, [WIRE_CODE_NOTE] = do_code, [WIRE_COMMIT_NOTE] = do_commit_note,
	[WIRE_EDIT_NOTE] = do_edit_note, [WIRE_DELETE_NOTE] = do_delete_note, [WIRE_RESOLVE] = do_resolve,
	[WIRE_REOPEN_THREAD] = do_resolve, [WIRE_REACT] = do_react, [WIRE_UNREACT] = do_react, [WIRE_NEW_TASK] = do_new_task,
	[WIRE_EDIT_TASK] = do_task, [WIRE_CLOSE] = do_task, [WIRE_REOPEN] = do_task, [WIRE_LABEL] = do_set,
	[WIRE_ASSIGN] = do_set, [WIRE_MILESTONE] = do_task, [WIRE_REVIEW] = do_review,
};

/* The file that the op changes; made for a new task, and for the first note on a commit. */
static int change_doc(struct change *c)
{
	const char *key = c->op->verb == WIRE_NEW_TASK ? arena_printf(&c->r->keep, "%lld", (long long)next_task(c->dir)) :
		c->op->task ? c->op->task : commits;

	c->doc = dir_doc(c->dir, key);
	if (c->doc && json_is_true(json_object_get(c->doc->json, "gone")))
		c->doc = NULL;
	else if (!c->doc && (c->op->verb == WIRE_NEW_TASK || c->op->verb == WIRE_COMMIT_NOTE))
		c->doc = doc_new(c->dir, key);
	return c->doc ? 0 : no_such(c, "task", key);
}

static int change_go(struct change *c, int64_t hide_ms)
{
	int64_t rev = next_rev(c->dir);

	if (change_doc(c) || changes[c->op->verb](c))
		return -1;
	if (hide_ms && c->made)
		json_put_int(c->made, "hidden_until", clock_now() + hide_ms);
	c->doc->rev = rev;
	json_put_int(c->doc->json, "rev", rev);
	return doc_save(c->r, c->doc, c->e);
}

/* Reads, changes and saves under the lock; the answer's records are emitted. */
static int push_commit(struct remote *r, const struct wire_op *op, int64_t hide_ms, struct wire_outcome *out, struct err *e)
{
	struct lock lock = LOCK_INIT;
	struct dir d = { ARRAY_INIT };
	struct change c = { .r = r, .op = op, .dir = &d, .e = e };
	int rc = -1;

	if (lock_take(&lock, dir_path(r, "lock"), 10000, e) || dir_load(r, &d, e) || change_go(&c, hide_ms))
		goto out;
	*out = (struct wire_outcome){ .is = WIRE_LANDED, .key = arena_strdup(&r->keep, c.key) };
	rc = !hide_ms && c.made ? emit_json(r, c.made, e) : 0;
out:
	dir_release(&d);
	lock_release(&lock);
	return rc;
}

static int dir_push(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e)
{
	struct fault_at at = { .on = "push", .verb = wire_verb_name(op->verb) };
	struct err failed = ERR_INIT;

	if (dir_fault(r, &at, &failed))
		return remote_outcome(r, at.unknown, &failed, out);
	if (push_commit(r, op, at.hide_ms, out, &failed))
		return remote_outcome(r, false, &failed, out);
	at.after = true;
	if (dir_fault(r, &at, &failed))
		return remote_outcome(r, true, &failed, out);
	(void)e;
	return 0;
}

static int dir_mark(struct remote *r, const struct wire_op *op, const char **mark, struct err *e)
{
	struct dir d = { ARRAY_INIT };
	int rc = -1;

	if (dir_fault(r, &(struct fault_at){ .on = "mark", .verb = wire_verb_name(op->verb) }, e) || dir_load(r, &d, e))
		goto out;
	if (op->verb == WIRE_NEW_TASK)
		*mark = arena_printf(&r->keep, "%lld", (long long)next_task(&d) - 1);
	else
		*mark = arena_printf(&r->keep, "%lld", (long long)next_key(&d) - 1);
	rc = 0;
out:
	dir_release(&d);
	return rc;
}

static bool is_mine(const json_t *rec, const json_t *me)
{
	const char *login = json_get_str(json_get_obj(rec, "author"), "login"), *my = json_get_str(me, "login");

	return login && my && !strcmp(login, my);
}

static bool is_behind(const json_t *rec, const char *mark)
{
	uint64_t key = 0, seen = 0;

	return str_to_u64(mark ? mark : "0", UINT64_MAX, &seen) && str_to_u64(json_get_str(rec, "key"), UINT64_MAX, &key) &&
		key > seen;
}

static bool same_anchor(const json_t *rec, const struct anchor *an)
{
	const json_t *j = json_get_obj(rec, "anchor");
	const char *path = json_get_str(j, "path");

	return !an || !j || (json_get_int(j, "line", 0) == an->line && path && an->path && !strcmp(path, an->path));
}

/* The key of the op's own note or task behind the mark, or NULL. */
static const char *find_in(const struct doc *doc, const struct wire_op *op, const json_t *me)
{
	const json_t *notes = json_get_arr(doc->json, "notes"), *task = json_get_obj(doc->json, "task");
	const char *id = json_get_str(task, "op");

	if (op->verb == WIRE_NEW_TASK)
		return id && !strcmp(id, op->id) && !is_hidden(task) ? doc->key : NULL;
	for (size_t i = 0; i < json_array_size(notes); i++) {
		const json_t *note = json_array_get(notes, i);
		const char *body = json_get_str(note, "body");
		if (body && !is_hidden(note) && is_mine(note, me) && is_behind(note, op->mark) && remote_body_is(body, op) &&
		    same_anchor(note, op->anchor))
			return json_get_str(note, "key");
	}
	return NULL;
}

static int dir_find(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e)
{
	struct dir d = { ARRAY_INIT };
	const char *key = NULL;
	json_t *me = me_json(r);
	int rc = -1;

	if (dir_fault(r, &(struct fault_at){ .on = "find", .verb = wire_verb_name(op->verb) }, e) || dir_load(r, &d, e))
		goto out;
	for (size_t i = 0; !key && i < d.docs.len; i++)
		if (op->verb == WIRE_NEW_TASK || !strcmp(d.docs.items[i].key, op->task ? op->task : commits))
			key = find_in(&d.docs.items[i], op, me);
	*out = (struct wire_outcome){ .is = key ? WIRE_LANDED : WIRE_ABSENT, .key = arena_strdup(&r->keep, key) };
	rc = 0;
out:
	json_decref(me);
	dir_release(&d);
	return rc;
}

const struct adapter adapter_dir = {
	.name = "dir", .title = "a folder", .prefix = "DIR", .local = true, .claim = dir_claim, .sniff = dir_sniff,
	.probe = dir_probe, .pull = dir_pull, .look = dir_look, .mark = dir_mark, .push = dir_push, .find = dir_find,
};
