/* SPDX-License-Identifier: MIT */
/*
 * tasks and task: native tasks, those that live in the store. A task is one entity of ops; what is said about it are
 * threads on it. `task comment` goes on in the task's own conversation: the oldest note on it that is not resolved.
 */
#include "config.h"
#include <stddef.h>
#include <string.h>
#include "families.h"
#include "task.h"

struct tasks_values { int64_t limit; };
static const struct opt tasks_opts[] = {
	{ 'n', "limit", OPT_INT, offsetof(struct tasks_values, limit), "N", "at most N tasks", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static int run_tasks(struct cmd *c, struct err *e)
{
	struct tasks_values *v = c->values;
	struct task_list l = { NULL, 0, 0, false };
	struct query *q;

	if (list_query(c, &q, e) ||
	    index_tasks(c->work->index, &c->work->scope, q, (size_t)v->limit, 0, c->arena, &l, e))
		return -1;
	out_list_begin(c, "tasks");
	for (size_t i = 0; i < l.len && out_alive(c); i++) {
		if (out_json(c))
			out_item(c, task_json(&l.items[i]));
		else
			out_task_line(c, &l.items[i]);
	}
	out_list_end(c);
	if (!l.len && !out_json(c))
		out_note(c, c->argc ? "no task matches" : "no tasks yet: 'killick task new TITLE' makes one");
	return 0;
}

/* writes: what the task is at its tracker is wanted too. */
static int find_task(struct cmd *c, const char *id, bool writes, struct task_ref *r, struct err *e)
{
	int64_t source;

	if (index_task(c->work->index, &c->work->scope, id, c->arena, &r->t, e) ||
	    index_task_entity(c->work->index, r->t.row, r->entity, &source, e))
		return -1;
	r->audience = source == c->work->private_ ? AUDIENCE_PRIVATE : AUDIENCE_EVERYONE;
	return writes ? act_task_there(c, &r->t, &r->there, e) : 0;
}

/* Every thread on a task, the oldest first, with posts. */
static int threads_on(struct cmd *c, const struct task *t, struct thread_list *out, struct err *e)
{
	struct query q = { .op = Q_TERM, .key = QK_TASK, .cmp = QC_EQ, .value = t->id };
	struct thread_find f = { .query = &q, .sort = SORT_CREATED, .posts = true };

	return index_threads(c->work->index, &c->work->scope, &f, c->arena, out, e) ||
	       work_places_of(c->work, c->arena, out->items, out->len, e) ? -1 : 0;
}

static void task_text(struct cmd *c, const struct task *t, const struct thread_list *threads)
{
	struct styled s = STYLED_INIT;
	char when[TIME_RELATIVE_SIZE];

	out_textf(c, STYLE_ID, "%s  ", t->id);
	out_prose(c, STYLE_STRONG, t->title);
	out_line(c);
	out_textf(c, STYLE_DIM, "%s%s%s%s, %s, by %s, %s", task_state_name(t->state), t->status ? " (" : "", t->status ? t->status : "",
	    t->status ? ")" : "", t->source, person_label(&t->author), time_relative(when, t->created, clock_now()));
	for (size_t i = 0; i < t->n_labels; i++)
		out_textf(c, STYLE_NORMAL, " [%s]", t->labels[i]);
	for (size_t i = 0; i < t->n_assignees; i++)
		out_textf(c, STYLE_AUTHOR, " @%s", person_label(&t->assignees[i]));
	if (t->milestone)
		out_textf(c, STYLE_NORMAL, "  milestone %s", t->milestone);
	out_line(c);
	if (t->body && *t->body) {
		out_line(c);
		styled_markdown(&s, t->body, strlen(t->body), out_prose_width(c), 2);
		out_styled(c, &s);
		styled_release(&s);
	}
	for (size_t i = threads->len; i > 0; i--) {
		out_line(c);
		out_thread_full(c, &threads->items[i - 1]);
	}
}

static int run_show(struct cmd *c, struct err *e)
{
	struct thread_list l = { NULL, 0, 0, false };
	struct task_ref r;
	json_t *j, *list;

	if (find_task(c, c->argv[0], false, &r, e) || threads_on(c, &r.t, &l, e))
		return -1;
	if (!out_json(c)) {
		task_text(c, &r.t, &l);
		return 0;
	}
	j = task_json(&r.t);
	list = json_array();
	for (size_t i = l.len; i > 0; i--)
		json_array_append_new(list, thread_json(&l.items[i - 1]));
	json_put_str(j, "body", r.t.body);
	json_put_str(j, "status", r.t.status);
	json_object_set_new(j, "threads", list);
	out_doc(c, "task", j);
	return 0;
}

struct new_values { struct strlist labels; const char *title, *assign; };
static const struct opt new_opts[] = {
	{ 'a', "assign", OPT_STR, offsetof(struct new_values, assign), "PERSON", "whose it is; me, or at a tracker a login", NULL },
	{ 'l', "label", OPT_LIST, offsetof(struct new_values, labels), "LABEL", "a label; may be repeated", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};
static const struct opt edit_opts[] = {
	{ 't', "title", OPT_STR, offsetof(struct new_values, title), "TEXT", "the new title", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static int check_title(const char *title, struct err *e)
{
	if (!title || !*title)
		return err_set(e, ERR_USAGE, "a task needs a title");
	if (strchr(title, '\n') || strlen(title) > 1000)
		return err_set(e, ERR_USAGE, "a title is one line of at most 1000 bytes");
	return 0;
}

static json_t *labels_json(const struct strlist *labels)
{
	json_t *list = json_array();

	for (size_t i = 0; i < labels->len; i++)
		json_array_append_new(list, json_str_or_null(labels->items[i]));
	return list;
}

/* Whom a new task is given to, as its tracker or the log calls him. */
static int assignee_json(struct cmd *c, const char *word, struct source *s, json_t **out, struct err *e)
{
	struct person who;

	if (s) {
		const char *login = task_login(c, s, word, e);

		*out = login ? json_string(login) : NULL;
		return login ? 0 : -1;
	}
	if (!strcmp(word, "me") ? act_me(c, &who, e) : (person_parse(c->arena, word, &who), 0))
		return -1;
	*out = person_json(&who);
	return 0;
}

/* NULL: nothing but the words. */
static int new_extra(struct cmd *c, const struct new_values *v, struct source *s, json_t **out, struct err *e)
{
	json_t *who = NULL;

	if (v->assign && assignee_json(c, v->assign, s, &who, e))
		return -1;
	if (!who && !v->labels.len)
		return 0;
	*out = json_object();
	if (v->labels.len)
		json_object_set_new(*out, "labels", labels_json(&v->labels));
	if (who)
		json_object_set_new(*out, "assign", who);
	return 0;
}

/* Without a title of its own the text's first line is the title. */
static int take_title(struct compose *p, struct arena *a, struct err *e)
{
	size_t n;

	if (p->title)
		return check_title(p->title, e);
	n = strcspn(p->body, "\n");
	p->title = arena_memdup(a, p->body, n);
	p->body += n + strspn(p->body + n, "\n");
	return check_title(p->title, e);
}

static int run_new(struct cmd *c, struct err *e)
{
	struct new_values *v = c->values;
	struct compose p = { .verb = "task", .what = "New task", .target = ".", .title = c->argc ? c->argv[0] : NULL };
	int rc;

	if (compose_to(c, &p.audience, &p.to, e) || (p.title && check_title(p.title, e)))
		return -1;
	if (p.title) {
		p.what = arena_printf(c->arena, "New task: %s", p.title);
		p.flags = COMPOSE_OPTIONAL;
	}
	if (new_extra(c, v, p.to, &p.extra, e))
		return -1;
	rc = compose(c, &p, e);
	if (!rc && !p.stop)
		rc = take_title(&p, c->arena, e) ? compose_failed(c, &p, e) : compose_send(c, &p, e);
	json_decref(p.extra);
	return rc;
}

static int run_edit(struct cmd *c, struct err *e)
{
	struct new_values *v = c->values;
	struct compose p = { .verb = "task-edit", .target = c->argv[0], .title = v->title, .fixed_audience = true };
	struct task_ref r;

	if (find_task(c, c->argv[0], true, &r, e) || (v->title && check_title(v->title, e)))
		return -1;
	p.audience = r.audience;
	p.to = r.there.s;
	p.where = r.t.id;
	p.target = r.t.id;
	p.start = r.t.body ? r.t.body : "";
	p.what = arena_printf(c->arena, "Text of %s, %s", r.t.id, r.t.title);
	if (v->title)
		p.flags = COMPOSE_OPTIONAL;
	if (compose(c, &p, e))
		return -1;
	return p.stop ? 0 : compose_send(c, &p, e);
}

/* The task's conversation: the oldest note on it that still goes on. */
static const struct thread *conversation(const struct thread_list *l, const struct source *not_at)
{
	for (size_t i = l->len; i > 0; i--) {
		const struct thread *t = &l->items[i - 1];
		if (not_at && !strcmp(t->source, not_at->d.name))
			continue;
		if (t->kind == KIND_NOTE && t->state != STATE_RESOLVED)
			return t;
	}
	return NULL;
}

/* What was said about it at its tracker, if anything was. */
static const struct thread *talk_there(const struct thread_list *l)
{
	for (size_t i = l->len; i > 0; i--) {
		const struct thread *t = &l->items[i - 1];
		if (t->anchor.type == ANCHOR_TASK || t->anchor.type == ANCHOR_CHANGE)
			return t;
	}
	return NULL;
}

static int run_comment(struct cmd *c, struct err *e)
{
	struct thread_list l = { NULL, 0, 0, false };
	struct anchor an = { .type = ANCHOR_TASK };
	struct compose p = { .verb = "comment", .anchor = &an };
	struct task_ref r;
	const struct thread *talk;

	if (find_task(c, c->argv[0], true, &r, e) || compose_to(c, &p.audience, &p.to, e) || threads_on(c, &r.t, &l, e))
		return -1;
	if (p.to && p.to != r.there.s)
		return err_set(e, ERR_USAGE, "%s is not at %s", r.t.id, p.to->d.name);
	if (r.audience == AUDIENCE_PRIVATE)
		p.audience = AUDIENCE_PRIVATE;
	if (r.there.s && !c->posting.to && !c->posting.private_)
		p.to = r.there.s;
	talk = p.to ? talk_there(&l) : conversation(&l, r.there.s);
	an.task = act_task_name(c, &r.t);
	p.target = r.t.id;
	p.what = arena_printf(c->arena, "Comment on %s, %s", r.t.id, r.t.title);
	if (p.to) {
		an.type = r.t.change ? ANCHOR_CHANGE : ANCHOR_TASK;
		an.task = r.t.id + strspn(r.t.id, "!");
		p.thread = talk;
		p.where = r.t.id;
	} else if (talk && talk->audience == p.audience) {
		p.verb = "reply";
		p.target = talk->id;
		p.thread = talk;
		p.anchor = NULL;
		p.fixed_audience = true;
	}
	if (compose(c, &p, e))
		return -1;
	return p.stop ? 0 : compose_send(c, &p, e);
}

static int one_op(struct cmd *c, const struct task_ref *r, struct batch *b, const char *done, struct err *e)
{
	int rc = act_write(c, r->audience, b, arena_printf(c->arena, "%s %s", c->entry->name, r->t.id), e);

	if (!rc)
		act_report_task(c, r->entity, r->audience, done);
	batch_release(b);
	return rc;
}

struct close_values { const char *as; };
static const struct opt close_opts[] = {
	{ 0, "as", OPT_STR, offsetof(struct close_values, as), "WORD",
		"how it ends, as its tracker calls it: not_planned, duplicate; Redmine: the status", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static int set_state(struct cmd *c, enum task_state to, const char *as, const char *done, struct err *e)
{
	struct batch b = BATCH_INIT;
	struct task_ref r;

	if (find_task(c, c->argv[0], true, &r, e))
		return -1;
	if (r.t.state == to)
		return err_set(e, ERR_CONFLICT, "%s is %s already", r.t.id, task_state_name(to));
	if (r.there.s)
		return task_set_state(c, &r, to, as, done, e);
	if (as)
		return err_set(e, ERR_USAGE, "%s is no task of a tracker: it is closed, no more", r.t.id);
	json_put_str(act_op(&b, OP_TASK, r.entity), "state", task_state_name(to));
	return one_op(c, &r, &b, done, e);
}

static int run_close(struct cmd *c, struct err *e)
{
	const struct close_values *v = c->values;

	return set_state(c, TASK_CLOSED, v->as, "closed", e);
}

static int run_reopen(struct cmd *c, struct err *e)
{
	return set_state(c, TASK_OPEN, NULL, "reopened", e);
}

struct remove_values { bool remove; };
static const struct opt remove_opts[] = {
	{ 'r', "remove", OPT_FLAG, offsetof(struct remove_values, remove), NULL, "take away instead of adding", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

/* "add" or "remove": the words behind the id. */
static json_t *word_list(struct cmd *c, bool people)
{
	json_t *list = json_array();

	for (int i = 1; i < c->argc; i++) {
		struct person who;
		if (people)
			person_parse(c->arena, c->argv[i], &who);
		json_array_append_new(list, people ? person_json(&who) : json_str_or_null(c->argv[i]));
	}
	return list;
}

static int run_words(struct cmd *c, enum op_type type, const char *done, struct err *e)
{
	struct remove_values *v = c->values;
	struct batch b = BATCH_INIT;
	struct task_ref r;

	for (int i = 1; i < c->argc; i++) {
		if (!c->argv[i][0] || strlen(c->argv[i]) > 200 || strchr(c->argv[i], '\n'))
			return err_set(e, ERR_USAGE, "'%s': a word of one line, at most 200 bytes, is wanted", c->argv[i]);
	}
	if (find_task(c, c->argv[0], true, &r, e))
		return -1;
	if (r.there.s)
		return task_set_words(c, &r, type == OP_ASSIGN, v->remove, done, e);
	json_object_set_new(act_op(&b, type, r.entity), v->remove ? "remove" : "add", word_list(c, type == OP_ASSIGN));
	return one_op(c, &r, &b, done, e);
}

static int run_assign(struct cmd *c, struct err *e)
{
	struct remove_values *v = c->values;

	return run_words(c, OP_ASSIGN, v->remove ? "unassigned" : "assigned", e);
}

static int run_label(struct cmd *c, struct err *e)
{
	struct remove_values *v = c->values;

	return run_words(c, OP_LABEL, v->remove ? "lost a label" : "labelled", e);
}

static int run_take(struct cmd *c, struct err *e)
{
	struct batch b = BATCH_INIT;
	struct person me;
	struct task_ref r;
	json_t *list;

	if (find_task(c, c->argv[0], true, &r, e))
		return -1;
	if (r.there.s)
		return task_take(c, &r, e);
	if (act_me(c, &me, e))
		return -1;
	list = json_array();
	json_array_append_new(list, person_json(&me));
	json_object_set_new(act_op(&b, OP_ASSIGN, r.entity), "add", list);
	return one_op(c, &r, &b, "taken", e);
}

struct milestone_values { bool remove; };
static const struct opt milestone_opts[] = {
	{ 'r', "remove", OPT_FLAG, offsetof(struct milestone_values, remove), NULL, "take it out of its milestone", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static int run_milestone(struct cmd *c, struct err *e)
{
	const struct milestone_values *v = c->values;
	const char *name = c->argc > 1 ? c->argv[1] : NULL;
	struct task_ref r;

	if (v->remove ? name != NULL : !name || !*name)
		return err_set(e, ERR_USAGE, "either a milestone is wanted, or --remove");
	if (find_task(c, c->argv[0], true, &r, e))
		return -1;
	if (!r.there.s)
		return err_set(e, ERR_REFUSED, "%s is no task of a tracker, and native ones have no milestones: a label does", r.t.id);
	return task_set_milestone(c, &r, name, e);
}

#define READS (NEED_REPO | NEED_INDEX | NEED_PLACES)
#define ACTS (NEED_REPO | NEED_INDEX | NEED_WRITE)
#define ON_TASK(verb, words, n, text, ...) { .name = #verb, .args = words, .summary = text, .min_args = n, \
	.needs = ACTS, .run = run_##verb, .complete = "task", __VA_ARGS__ }
static const struct cmd_entry task_rows[] = {
	{ .name = "show", .args = "ID", .summary = "a task with what was said about it", .min_args = 1, .max_args = 1,
		.needs = READS, .flags = CMD_JSON | CMD_PAGE, .run = run_show, .complete = "task" },
	{ .name = "new", .args = "[TITLE]", .summary = "make a task", .opts = new_opts, .values = sizeof(struct new_values),
		.max_args = 1, .needs = ACTS, .flags = CMD_JSON | CMD_POSTS, .run = run_new },
	ON_TASK(edit, "ID", 1, "change a task's title or text", .max_args = 1, .opts = edit_opts,
		.values = sizeof(struct new_values), .flags = CMD_JSON | CMD_TEXT),
	ON_TASK(comment, "ID", 1, "say something about a task", .max_args = 1, .flags = CMD_JSON | CMD_POSTS),
	ON_TASK(close, "ID", 1, "close a task", .max_args = 1, .opts = close_opts, .values = sizeof(struct close_values),
		.flags = CMD_JSON),
	ON_TASK(reopen, "ID", 1, "open it again", .max_args = 1, .flags = CMD_JSON),
	ON_TASK(assign, "ID PERSON…", 2, "give a task to somebody", .max_args = -1, .opts = remove_opts,
		.values = sizeof(struct remove_values), .flags = CMD_JSON),
	ON_TASK(label, "ID LABEL…", 2, "label a task", .max_args = -1, .opts = remove_opts,
		.values = sizeof(struct remove_values), .flags = CMD_JSON),
	ON_TASK(milestone, "ID [NAME]", 1, "put a task into a milestone of its tracker, or take it out", .max_args = 2,
		.opts = milestone_opts, .values = sizeof(struct milestone_values), .flags = CMD_JSON),
	ON_TASK(take, "ID", 1, "give a task to yourself", .max_args = 1, .flags = CMD_JSON),
	{ .name = NULL },
};
const struct cmd_entry task_commands[] = {
	{ .name = "tasks", .args = "[QUERY]", .summary = "list tasks", .opts = tasks_opts,
		.values = sizeof(struct tasks_values), .max_args = -1, .needs = NEED_REPO | NEED_INDEX,
		.flags = CMD_JSON | CMD_PAGE, .run = run_tasks, .complete = "query" },
	{ .name = "task", .summary = "work on one task: show, new, edit, comment, close, reopen, assign, label, milestone, take",
		.sub = task_rows },
	{ .name = NULL },
};
