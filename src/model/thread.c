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

static void put_line(json_t *j, const char *key, uint32_t line)
{
	json_object_set_new(j, key, line ? json_integer(line) : json_null());
}

/* Where it was last seen, and what is left of the lines around it. */
static json_t *last_json(const struct place *p)
{
	json_t *j = json_object();

	json_put_str(j, "commit", p->last_commit);
	json_put_str(j, "path", p->last_path);
	put_line(j, "line", p->last_line);
	put_line(j, "end", p->last_end);
	put_line(j, "before", p->near_before);
	put_line(j, "after", p->near_after);
	return j;
}

json_t *place_json(const struct place *p)
{
	json_t *j = json_object();

	json_put_str(j, "state", place_state_name(p->state));
	json_put_str(j, "path", p->path);
	put_line(j, "line", p->line);
	put_line(j, "end", p->end);
	json_object_set_new(j, "confidence", p->state == PLACE_UNKNOWN ? json_null() : json_real(p->confidence));
	json_put_str(j, "commit", p->commit);
	json_object_set_new(j, "last", p->state == PLACE_GONE && p->last_path ? last_json(p) : json_null());
	json_put_str(j, "why", p->why);
	return j;
}

json_t *post_json(const struct post *p)
{
	json_t *j = json_object();

	json_put_str(j, "id", p->id);
	json_object_set_new(j, "author", person_json(&p->author));
	json_put_time(j, "time", p->time);
	json_put_str(j, "body", p->body);
	json_put_str(j, "state", post_state_name(p->state));
	json_put_time(j, "edited", p->edited);
	json_object_set_new(j, "accepted", json_boolean(p->accepted));
	return j;
}

static json_t *people_json(const struct person *p, size_t n)
{
	json_t *arr = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(arr, person_json(&p[i]));
	return arr;
}

static json_t *words_json(const char *const *w, size_t n)
{
	json_t *arr = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(arr, json_str_or_null(w[i]));
	return arr;
}

static json_t *posts_json(const struct thread *t)
{
	json_t *arr;

	if (!t->posts)
		return json_null();
	arr = json_array();
	for (size_t i = 0; i < t->n_posts; i++)
		json_array_append_new(arr, post_json(&t->posts[i]));
	return arr;
}

json_t *thread_json(const struct thread *t)
{
	json_t *j = json_object();

	json_put_str(j, "id", t->id);
	json_put_str(j, "source", t->source);
	json_put_str(j, "kind", thread_kind_name(t->kind));
	json_put_str(j, "state", thread_state_name(t->state));
	json_put_str(j, "title", t->title);
	json_put_str(j, "audience", audience_name(t->audience));
	json_object_set_new(j, "anchor", anchor_json(&t->anchor));
	json_object_set_new(j, "place", place_json(&t->place));
	json_object_set_new(j, "posts", posts_json(t));
	json_put_str(j, "url", t->url);
	json_object_set_new(j, "author", person_json(&t->author));
	json_object_set_new(j, "asked", people_json(t->asked, t->n_asked));
	json_object_set_new(j, "labels", words_json(t->labels, t->n_labels));
	json_object_set_new(j, "links", words_json(t->links, t->n_links));
	json_put_time(j, "created", t->created);
	json_put_time(j, "updated", t->updated);
	return j;
}

json_t *task_json(const struct task *t)
{
	json_t *j = json_object();

	json_put_str(j, "id", t->id);
	json_put_str(j, "source", t->source);
	json_put_str(j, "kind", t->change ? "change" : "task");
	json_put_str(j, "state", task_state_name(t->state));
	json_put_str(j, "title", t->title);
	json_object_set_new(j, "author", person_json(&t->author));
	json_object_set_new(j, "assignees", people_json(t->assignees, t->n_assignees));
	json_object_set_new(j, "labels", words_json(t->labels, t->n_labels));
	json_put_time(j, "created", t->created);
	json_put_time(j, "updated", t->updated);
	json_put_str(j, "url", t->url);
	json_put_int(j, "threads", t->n_threads);
	return j;
}
