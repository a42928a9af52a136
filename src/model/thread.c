/* SPDX-License-Identifier: MIT */
/*
 * The names of kinds and states, and the JSON documents of killick(1). Names are tables indexed by the enum, used by
 * JSON, queries, options and the native log alike, so that there is one spelling of each. The documents are a promise
 * to scripts: keys are never renamed or reordered without raising "format".
 *
 * Also the title that a thread gets when nobody gave it one: the first line of its text that says something, with the
 * Markdown taken off.
 */
#include "config.h"
#include <string.h>
#include "killick/model/thread.h"

static const char *const kind_names[] = {
	[KIND_QUESTION] = "question", [KIND_REMARK] = "remark", [KIND_DECISION] = "decision", [KIND_NOTE] = "note",
};
static const char *const state_names[] = {
	[STATE_OPEN] = "open", [STATE_ANSWERED] = "answered", [STATE_RESOLVED] = "resolved",
};
static const char *const audience_names[] = {
	[AUDIENCE_EVERYONE] = "everyone", [AUDIENCE_PRIVATE] = "private",
};
static const char *const post_state_names[] = {
	[POST_SENT] = "sent", [POST_DRAFT] = "draft", [POST_QUEUED] = "queued", [POST_HELD] = "held",
	[POST_FAILED] = "failed", [POST_RETRACTED] = "retracted",
};
static const char *const place_state_names[] = {
	[PLACE_UNKNOWN] = "unknown", [PLACE_EXACT] = "exact", [PLACE_MOVED] = "moved", [PLACE_EDITED] = "edited",
	[PLACE_GONE] = "gone",
};
static const char *const task_state_names[] = {
	[TASK_OPEN] = "open", [TASK_CLOSED] = "closed", [TASK_MERGED] = "merged",
};

static const char *name_of(const char *const *names, size_t n, unsigned i)
{
	if (i >= n)
		BUG("no name for value %u", i);
	return names[i];
}

/* The index of s in names, or -1. */
static int index_of(const char *const *names, size_t n, const char *s)
{
	for (size_t i = 0; s && i < n; i++)
		if (!strcmp(names[i], s))
			return (int)i;
	return -1;
}

#define NAME(table, i) name_of(table, ARRAY_SIZE(table), (unsigned)(i))
#define INDEX(table, s) index_of(table, ARRAY_SIZE(table), s)

const char *thread_kind_name(enum thread_kind k)
{
	return NAME(kind_names, k);
}

bool thread_kind_parse(const char *s, enum thread_kind *out)
{
	int i = INDEX(kind_names, s);

	if (i >= 0)
		*out = (enum thread_kind)i;
	return i >= 0;
}

const char *thread_state_name(enum thread_state s)
{
	return NAME(state_names, s);
}

bool thread_state_parse(const char *s, enum thread_state *out)
{
	int i = INDEX(state_names, s);

	if (i >= 0)
		*out = (enum thread_state)i;
	return i >= 0;
}

const char *audience_name(enum audience a)
{
	return NAME(audience_names, a);
}

const char *post_state_name(enum post_state s)
{
	return NAME(post_state_names, s);
}

const char *place_state_name(enum place_state s)
{
	return NAME(place_state_names, s);
}

const char *task_state_name(enum task_state s)
{
	return NAME(task_state_names, s);
}

bool task_state_parse(const char *s, enum task_state *out)
{
	int i = INDEX(task_state_names, s);

	if (i >= 0)
		*out = (enum task_state)i;
	return i >= 0;
}

const char *thread_kind_glyph(enum thread_kind k, bool ascii)
{
	static const char *const glyphs[] = {
		[KIND_QUESTION] = "?", [KIND_REMARK] = "!", [KIND_DECISION] = "#", [KIND_NOTE] = "\xc2\xb7",
	};

	return k == KIND_NOTE && ascii ? "-" : NAME(glyphs, k);
}

static void add_line(struct buf *b, const char *key, uint32_t line)
{
	if (line)
		json_add_int(b, key, line);
	else
		json_add_str(b, key, NULL);
}

/* Where it was last seen, and what is left of the lines around it. */
static void add_last(struct buf *b, const struct place *p)
{
	json_add_key(b, "last");
	if (p->state != PLACE_GONE || !p->last_path) {
		json_add(b, NULL);
		return;
	}
	buf_addch(b, '{');
	json_add_str(b, "commit", p->last_commit);
	json_add_str(b, "path", p->last_path);
	add_line(b, "line", p->last_line);
	add_line(b, "end", p->last_end);
	add_line(b, "before", p->near_before);
	add_line(b, "after", p->near_after);
	buf_addch(b, '}');
}

void place_add_members(struct buf *b, const struct place *p)
{
	json_add_str(b, "state", place_state_name(p->state));
	json_add_str(b, "path", p->path);
	add_line(b, "line", p->line);
	add_line(b, "end", p->end);
	if (p->state == PLACE_UNKNOWN)
		json_add_str(b, "confidence", NULL);
	else
		json_add_real(b, "confidence", p->confidence);
	json_add_str(b, "commit", p->commit);
	add_last(b, p);
	json_add_str(b, "why", p->why);
}

static void add_place(struct buf *b, const struct place *p)
{
	buf_addch(b, '{');
	place_add_members(b, p);
	buf_addch(b, '}');
}

static void add_person(struct buf *b, const char *key, const struct person *p)
{
	json_add_key(b, key);
	person_add_json(b, p);
}

static void add_people(struct buf *b, const char *key, const struct person *p, size_t n)
{
	json_add_key(b, key);
	buf_addch(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addch(b, ',');
		person_add_json(b, &p[i]);
	}
	buf_addch(b, ']');
}

/* by: who, null where a tracker tells the number alone. */
static void add_reactions(struct buf *b, const struct post *p)
{
	json_add_key(b, "reactions");
	buf_addch(b, '[');
	for (size_t i = 0; i < p->n_reactions; i++) {
		const struct reaction *r = &p->reactions[i];

		buf_addstr(b, i ? ",{" : "{");
		json_add_str(b, "emoji", r->emoji);
		json_add_int(b, "n", r->n);
		json_add_bool(b, "mine", r->mine);
		if (r->by)
			add_people(b, "by", r->by, r->n);
		else
			json_add_str(b, "by", NULL);
		buf_addch(b, '}');
	}
	buf_addch(b, ']');
}

static void add_post(struct buf *b, const struct post *p)
{
	buf_addch(b, '{');
	json_add_str(b, "id", p->id);
	add_person(b, "author", &p->author);
	json_add_time(b, "time", p->time);
	json_add_str(b, "body", p->body);
	json_add_str(b, "state", post_state_name(p->state));
	json_add_time(b, "edited", p->edited);
	json_add_bool(b, "accepted", p->accepted);
	add_reactions(b, p);
	if (p->restricted)
		json_add_bool(b, "private", true);
	buf_addch(b, '}');
}

static void add_words(struct buf *b, const char *key, const char *const *w, size_t n)
{
	json_add_key(b, key);
	buf_addch(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addch(b, ',');
		json_add(b, w[i]);
	}
	buf_addch(b, ']');
}

static void add_posts(struct buf *b, const struct thread *t)
{
	json_add_key(b, "posts");
	if (!t->posts) {
		json_add(b, NULL);
		return;
	}
	buf_addch(b, '[');
	for (size_t i = 0; i < t->n_posts; i++) {
		if (i)
			buf_addch(b, ',');
		add_post(b, &t->posts[i]);
	}
	buf_addch(b, ']');
}

void thread_add_json(struct buf *b, const struct thread *t)
{
	buf_addch(b, '{');
	json_add_str(b, "id", t->id);
	json_add_str(b, "source", t->source);
	json_add_str(b, "kind", thread_kind_name(t->kind));
	json_add_str(b, "state", thread_state_name(t->state));
	json_add_str(b, "title", t->title);
	json_add_str(b, "audience", audience_name(t->audience));
	json_add_key(b, "anchor");
	anchor_add_json(b, &t->anchor);
	json_add_key(b, "place");
	add_place(b, &t->place);
	add_posts(b, t);
	json_add_str(b, "url", t->url);
	add_person(b, "author", &t->author);
	add_people(b, "asked", t->asked, t->n_asked);
	add_words(b, "labels", t->labels, t->n_labels);
	add_words(b, "links", t->links, t->n_links);
	json_add_time(b, "created", t->created);
	json_add_time(b, "updated", t->updated);
	buf_addch(b, '}');
}

static void add_task(struct buf *b, const struct task *t)
{
	buf_addch(b, '{');
	json_add_str(b, "id", t->id);
	json_add_str(b, "source", t->source);
	json_add_str(b, "kind", t->change ? "change" : "task");
	json_add_str(b, "state", task_state_name(t->state));
	json_add_str(b, "title", t->title);
	add_person(b, "author", &t->author);
	add_people(b, "assignees", t->assignees, t->n_assignees);
	add_words(b, "labels", t->labels, t->n_labels);
	json_add_str(b, "milestone", t->milestone);
	json_add_time(b, "created", t->created);
	json_add_time(b, "updated", t->updated);
	json_add_str(b, "url", t->url);
	json_add_int(b, "threads", t->n_threads);
	buf_addch(b, '}');
}

json_t *thread_json(const struct thread *t)
{
	struct buf b = BUF_INIT;

	thread_add_json(&b, t);
	return json_tree(&b);
}

json_t *place_json(const struct place *p)
{
	struct buf b = BUF_INIT;

	add_place(&b, p);
	return json_tree(&b);
}

json_t *task_json(const struct task *t)
{
	struct buf b = BUF_INIT;

	add_task(&b, t);
	return json_tree(&b);
}
