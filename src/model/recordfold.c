/* SPDX-License-Identifier: MIT */
/*
 * Records to threads and tasks: the same values that the native log's ops fold to, so that everything above sees one kind
 * of thread. A tracker has already decided what is true; all that is left is which of its objects are posts, in which
 * order, and what of the user's own is not there yet.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/model/record.h"

/* ---- the user's own, unsent ---- */

static const char *patch_text(struct arena *a, const json_t *patch, const char *key, const char *now)
{
	const char *s = json_get_str(patch, key);

	return s ? arena_strdup(a, s) : now;
}

static bool in_list(const json_t *list, const char *word)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(json_string_value(json_array_get(list, i)) ? json_string_value(json_array_get(list, i)) : "", word))
			return true;
	return false;
}

static void patch_labels(struct arena *a, struct record_task *t, const json_t *add, const json_t *drop)
{
	const char **w = arena_alloc(a, (t->n_labels + json_array_size(add) + 1) * sizeof(*w));
	size_t n = 0;

	for (size_t i = 0; i < t->n_labels; i++)
		if (!in_list(drop, t->labels[i]) && !in_list(add, t->labels[i]))
			w[n++] = t->labels[i];
	for (size_t i = 0; i < json_array_size(add); i++)
		if (json_is_string(json_array_get(add, i)))
			w[n++] = arena_strdup(a, json_string_value(json_array_get(add, i)));
	t->labels = w;
	t->n_labels = n;
}

static bool person_in(struct arena *a, const json_t *list, const struct person *p)
{
	struct person one;

	for (size_t i = 0; i < json_array_size(list); i++) {
		person_from_json(a, json_array_get(list, i), &one);
		if (person_same(&one, p))
			return true;
	}
	return false;
}

static void patch_people(struct arena *a, struct record_task *t, const json_t *add, const json_t *drop)
{
	struct person *p = arena_alloc(a, (t->n_assignees + json_array_size(add) + 1) * sizeof(*p));
	size_t n = 0;

	for (size_t i = 0; i < t->n_assignees; i++)
		if (!person_in(a, drop, &t->assignees[i]) && !person_in(a, add, &t->assignees[i]))
			p[n++] = t->assignees[i];
	for (size_t i = 0; i < json_array_size(add); i++)
		person_from_json(a, json_array_get(add, i), &p[n++]);
	t->assignees = p;
	t->n_assignees = n;
}

void record_patch_task(struct arena *a, struct record_task *t, const json_t *patch)
{
	task_state_parse(json_get_str(patch, "state"), &t->state);
	t->title = patch_text(a, patch, "title", t->title);
	t->body = patch_text(a, patch, "body", t->body);
	t->milestone = patch_text(a, patch, "milestone", t->milestone);
	if (t->milestone && !*t->milestone)
		t->milestone = NULL;
	patch_labels(a, t, json_get_arr(patch, "add_labels"), json_get_arr(patch, "drop_labels"));
	patch_people(a, t, json_get_arr(patch, "add_people"), json_get_arr(patch, "drop_people"));
}

void record_patch_thread(struct record_thread *t, const json_t *patch)
{
	const json_t *v = json_object_get(patch, "resolved");

	if (json_is_boolean(v))
		t->resolved = json_is_true(v);
}

void record_patch_note(struct arena *a, struct record_note *n, const json_t *patch, enum post_state state)
{
	n->body = patch_text(a, patch, "body", n->body);
	n->unsent = state;
}

/* ---- posts ---- */

/* Numbers as numbers, so that 9 comes before 10. */
static int compare_keys(const char *x, const char *y)
{
	bool numbers = strspn(x, "0123456789") == strlen(x) && strspn(y, "0123456789") == strlen(y);

	if (numbers && strlen(x) != strlen(y))
		return strlen(x) < strlen(y) ? -1 : 1;
	return strcmp(x, y);
}

static bool is_new(const struct record_note *n)
{
	return str_starts(n->key, RECORD_UNSENT);
}

static int compare_notes(const void *a, const void *b)
{
	const struct record_note *x = *(const struct record_note *const *)a, *y = *(const struct record_note *const *)b;

	/* What is not sent comes behind what was said meanwhile: that is where it will stand. */
	if (is_new(x) != is_new(y))
		return is_new(x) ? 1 : -1;
	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return compare_keys(x->key, y->key);
}

static const char *verdict_words(const struct record_note *n)
{
	static const char *const words[][2] = {
		{ "approve", "*approved this change*" }, { "request-changes", "*requested changes*" },
		{ "dismissed", "*this review was dismissed*" },
	};

	for (size_t i = 0; n->verdict && i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i][0], n->verdict))
			return words[i][1];
	return NULL;
}

/* The text with LF line ends and without killick's own mark. */
static const char *clean_body(struct arena *a, const char *body)
{
	char *s = arena_strdup(a, body ? body : ""), *to = s, id[33];
	size_t len;

	for (const char *p = s; *p; p++) {
		if (*p != '\r')
			*to++ = *p;
		else if (p[1] != '\n')
			*to++ = '\n';
	}
	*to = '\0';
	if (record_mark(s, id, &len))
		s[len] = '\0';
	return s;
}

static const char *post_text(struct arena *a, const struct record_note *n)
{
	const char *body = clean_body(a, n->body), *verdict = verdict_words(n);

	if (!verdict)
		return body;
	return *body ? arena_printf(a, "%s\n\n%s", verdict, body) : verdict;
}

static bool is_post(const struct record_note *n)
{
	if (n->kind == NOTE_EVENT)
		return false;
	return n->kind != NOTE_REVIEW || verdict_words(n) || (n->body && n->body[strspn(n->body, " \t\r\n")]);
}

static void put_post(struct arena *a, const struct record_source *s, const struct record_note *n, struct post *p)
{
	char hex[SHA256_HEX];

	record_entity(s->kind, s->key, RECORD_NOTE, NULL, n->key, hex);
	*p = (struct post){
		.id = arena_printf(a, "p%s", hex), .time = n->created, .body = post_text(a, n), .n_reactions = n->n_reactions,
		.edited = n->updated > n->created ? n->updated : 0,
		.state = n->unsent != POST_SENT ? n->unsent : n->pending ? POST_DRAFT : POST_SENT,
		.restricted = n->private_,
	};
	person_copy(a, &n->author, &p->author);
	p->reactions = arena_alloc(a, (n->n_reactions + 1) * sizeof(*p->reactions));
	for (size_t i = 0; i < n->n_reactions; i++) {
		p->reactions[i] = n->reactions[i];
		p->reactions[i].emoji = arena_strdup(a, n->reactions[i].emoji);
	}
}

static size_t put_posts(struct arena *a, const struct record_source *s, const struct record_note *notes, size_t n,
    const struct record_note **first, struct thread *t)
{
	const struct record_note **order = arena_alloc(a, (n + 1) * sizeof(*order));
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		if (is_post(&notes[i]))
			order[len++] = &notes[i];
	qsort(order, len, sizeof(*order), compare_notes);
	t->posts = arena_alloc(a, (len + 1) * sizeof(*t->posts));
	t->n_posts = (unsigned)len;
	for (size_t i = 0; i < len; i++) {
		put_post(a, s, order[i], &t->posts[i]);
		t->last_author = t->posts[i].author;
		if (t->posts[i].time > t->updated)
			t->updated = t->posts[i].time;
	}
	*first = len ? order[0] : NULL;
	return len;
}

/* ---- threads ---- */

static const char *one_line(struct arena *a, const char *text, const char *body)
{
	struct buf b = BUF_INIT;
	const char *out;

	if (text)
		title_one_line(&b, text);
	if (!b.len)
		title_from_body(&b, body ? body : "");
	out = arena_memdup(a, b.ptr, b.len);
	buf_release(&b);
	return out;
}

static void copy_labels(struct arena *a, const struct record_task *k, const char ***out, size_t *n)
{
	const char **w = arena_alloc(a, (k->n_labels + 1) * sizeof(*w));

	for (size_t i = 0; i < k->n_labels; i++)
		w[i] = arena_strdup(a, k->labels[i]);
	*out = w;
	*n = k->n_labels;
}

static void copy_people(struct arena *a, const struct record_task *k, struct person **out, size_t *n)
{
	struct person *p = arena_alloc(a, (k->n_assignees + 1) * sizeof(*p));

	for (size_t i = 0; i < k->n_assignees; i++)
		person_copy(a, &k->assignees[i], &p[i]);
	*out = p;
	*n = k->n_assignees;
}

/* What an anchor calls the task: without the sigil of a change. */
static const char *anchor_name(struct arena *a, const struct record_task *k)
{
	return arena_strdup(a, k->name + strspn(k->name, "!#"));
}

static void fill_conversation(struct arena *a, const struct record_task *k, struct thread *t)
{
	t->kind = KIND_NOTE;
	t->state = k->state == TASK_OPEN ? STATE_OPEN : STATE_RESOLVED;
	t->title = one_line(a, k->title, k->body);
	t->url = arena_strdup(a, k->url);
	t->anchor = (struct anchor){ .type = k->change ? ANCHOR_CHANGE : ANCHOR_TASK, .task = anchor_name(a, k) };
	t->created = k->created;
	person_copy(a, &k->author, &t->author);
	copy_labels(a, k, &t->labels, &t->n_labels);
	copy_people(a, k, &t->asked, &t->n_asked);
}

static void copy_anchor(struct arena *a, const struct anchor *from, struct anchor *to)
{
	*to = *from;
	to->path = arena_strdup(a, from->path);
	to->commit = arena_strdup(a, from->commit);
	to->blob = arena_strdup(a, from->blob);
	to->section = arena_strdup(a, from->section);
	to->task = arena_strdup(a, from->task);
	to->quote = arena_strdup(a, from->quote);
	to->before = arena_strdup(a, from->before);
	to->after = arena_strdup(a, from->after);
}

/* The anchor is the first note's; where that has none, the first that there is (a deleted opener). */
static void fill_anchor(struct arena *a, const struct record_task *k, const struct record_note *first,
    const struct record_note *notes, size_t n, struct thread *t)
{
	const struct anchor *an = first->anchor;

	for (size_t i = 0; !an && i < n; i++)
		an = notes[i].anchor;
	if (an)
		copy_anchor(a, an, &t->anchor);
	else if (k)
		t->anchor = (struct anchor){ .type = k->change ? ANCHOR_CHANGE : ANCHOR_TASK, .task = anchor_name(a, k) };
	else
		t->anchor = (struct anchor){ .type = ANCHOR_PROJECT };
}

static void fill_code(struct arena *a, const struct record_task *k, const struct record_thread *rt,
    const struct record_note *first, struct thread *t)
{
	bool over = k && k->state != TASK_OPEN;

	t->kind = k ? KIND_REMARK : KIND_NOTE;
	t->state = over || (rt && rt->resolved == 1) ? STATE_RESOLVED : STATE_OPEN;
	t->title = one_line(a, NULL, t->posts[0].body);
	t->url = arena_strdup(a, first->url);
	t->created = first->created;
	t->author = t->posts[0].author;
	if (!k)
		return;
	t->links = arena_alloc(a, sizeof(*t->links));
	t->links[0] = arena_strdup(a, k->name);
	t->n_links = 1;
	if (!is_post(first) || person_same(&k->author, &t->author))
		return;
	t->asked = arena_alloc(a, sizeof(*t->asked));
	person_copy(a, &k->author, t->asked);
	t->n_asked = person_label(t->asked)[0] != '?';
}

bool record_fold_thread(struct arena *a, const struct record_source *s, const struct record_task *task,
    const struct record_thread *thread, const struct record_note *notes, size_t n, bool empty, struct fold *out)
{
	const struct record_note *first;
	const char *key = thread ? thread->key : n ? notes[0].thread : NULL;
	struct thread *t = &out->t;
	char hex[SHA256_HEX];

	*out = (struct fold){ .task = false };
	if ((!put_posts(a, s, notes, n, &first, t) && (key || !empty)) || (!key && !task))
		return false;
	record_entity(s->kind, s->key, RECORD_THREAD, task ? task->key : first->task, key ? key : "", hex);
	t->id = arena_printf(a, "k%s", hex);
	t->source = s->name;
	if (key) {
		fill_code(a, task, thread, first, t);
		fill_anchor(a, task, first, notes, n, t);
		if (thread && thread->resolved == 1)
			person_copy(a, &thread->by, &out->closer);
	} else {
		fill_conversation(a, task, t);
		if (!t->n_posts)
			t->last_author = t->author;
	}
	if (t->updated < t->created)
		t->updated = t->created;
	return true;
}

bool record_fold_task(struct arena *a, const struct record_source *s, const struct record_task *r, struct fold *out)
{
	struct task *k = &out->k;
	char hex[SHA256_HEX];

	*out = (struct fold){ .task = true };
	if (!r)
		return false;
	record_entity(s->kind, s->key, RECORD_TASK, NULL, r->key, hex);
	*k = (struct task){
		.id = arena_printf(a, "T-%s", hex), .source = s->name, .change = r->change, .state = r->state,
		.status = arena_strdup(a, r->status ? r->status : r->draft ? "draft" : NULL), .title = one_line(a, r->title, r->body),
		.milestone = arena_strdup(a, r->milestone),
		.body = clean_body(a, r->body), .created = r->created, .url = arena_strdup(a, r->url),
		.updated = r->updated > r->created ? r->updated : r->created,
	};
	person_copy(a, &r->author, &k->author);
	copy_labels(a, r, &k->labels, &k->n_labels);
	copy_people(a, r, &k->assignees, &k->n_assignees);
	out->name = arena_strdup(a, r->name);
	out->t = (struct thread){ .title = k->title, .labels = k->labels, .n_labels = k->n_labels, .created = k->created,
		.updated = k->updated, .author = k->author };
	return true;
}
