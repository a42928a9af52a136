/* SPDX-License-Identifier: MIT */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "killick/base/clock.h"
#include "killick/base/utf8.h"
#include "fields.h"

enum { BODY_MAX = 1 << 20, TEXT_MAX = 4096, KEY_MAX = 255, LIST_MAX = 100000, COMMIT_MAX = 64, CONTEXT = 4 };

const char *field_key(struct arena *a, const json_t *obj, const char *name)
{
	const json_t *v = json_object_get(obj, name);

	if (json_is_integer(v))
		return arena_printf(a, "%lld", (long long)json_integer_value(v));
	return json_is_string(v) && *json_string_value(v) ? arena_strdup(a, json_string_value(v)) : NULL;
}

const char *field_str(const json_t *obj, const char *name)
{
	const char *s = json_get_str(obj, name);

	return s && *s ? s : NULL;
}

bool field_is(const json_t *obj, const char *name, const char *value)
{
	const char *s = json_get_str(obj, name);

	return s && !strcmp(s, value);
}

const char *text_lf(struct arena *a, const char *s)
{
	struct buf b = BUF_INIT;
	const char *out;

	if (!strchr(s, '\r'))
		return arena_strdup(a, s);
	for (; *s; s++) {
		if (*s != '\r')
			buf_addch(&b, *s);
		else if (s[1] != '\n')
			buf_addch(&b, '\n');
	}
	out = arena_memdup(a, b.ptr, b.len);
	buf_release(&b);
	return out;
}

const char *field_text(struct arena *a, const json_t *obj, const char *name)
{
	const char *s = json_get_str(obj, name);

	return text_lf(a, s ? s : "");
}

int64_t field_time(const json_t *obj, const char *name)
{
	const char *s = json_get_str(obj, name);
	int64_t t;

	return s && !str_starts(s, "0001-") && time_parse(s, &t) && t > 0 ? t : 0;
}

json_t *field_in(const json_t *obj, const char *name, const char *inner)
{
	return json_object_get(json_get_obj(obj, name), inner);
}

int64_t url_number(const char *url)
{
	const char *slash = url ? strrchr(url, '/') : NULL;
	uint64_t n = 0;
	size_t len = slash ? strspn(slash + 1, "0123456789") : 0;
	char digits[20];

	if (!len || len >= sizeof(digits))
		return 0;
	memcpy(digits, slash + 1, len);
	digits[len] = '\0';
	return str_to_u64(digits, INT64_MAX, &n) ? (int64_t)n : 0;
}

static const struct { const char *word, *emoji; } reactions[] = {
	{ "+1", "👍" }, { "-1", "👎" }, { "laugh", "😄" }, { "confused", "😕" }, { "heart", "❤️" }, { "hooray", "🎉" },
	{ "rocket", "🚀" }, { "eyes", "👀" }, { "heart", "❤" }, { "laugh", "😀" }, { "hooray", "tada" },
};

const char *reaction_word(const char *emoji)
{
	for (size_t i = 0; i < ARRAY_SIZE(reactions); i++)
		if (!strcmp(reactions[i].emoji, emoji))
			return reactions[i].word;
	return emoji;
}

const char *reaction_emoji(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(reactions); i++)
		if (!strcmp(reactions[i].word, word))
			return reactions[i].emoji;
	return word;
}

const char *remote_project(const struct remote *r)
{
	const char *renamed = field_str(remote_source(r)->options, "renamed");

	return renamed ? renamed : remote_source(r)->project;
}

const char *remote_renamed(struct remote *r, const char *full_name)
{
	const char *name = remote_source(r)->name, *project = remote_project(r);

	if (!full_name || !project || !strcasecmp(full_name, project))
		return NULL;
	return arena_printf(remote_keep(r), "it is called %s now, and nothing is written to its old name: 'killick source set %s renamed %s'",
			    full_name, name ? name : "NAME", full_name);
}

/* ---- hunks ---- */

/* One side of a hunk: its lines, oldest first. */
struct side { const char **lines; size_t *lens; size_t n; };

static void side_read(struct arena *a, const char *hunk, char other, struct side *s)
{
	size_t max = 1;

	for (const char *p = hunk; *p; p++)
		max += *p == '\n';
	*s = (struct side){ arena_alloc(a, max * sizeof(*s->lines)), arena_alloc(a, max * sizeof(*s->lens)), 0 };
	while (*hunk) {
		size_t n = strcspn(hunk, "\n");
		if (n && *hunk != other && *hunk != '@' && *hunk != '\\') {
			s->lines[s->n] = hunk + 1;
			s->lens[s->n++] = n - 1 - (n > 1 && hunk[n - 1] == '\r');
		}
		hunk += n + (hunk[n] == '\n');
	}
}

static const char *side_text(struct arena *a, const struct side *s, size_t from, size_t to)
{
	struct buf b = BUF_INIT;
	const char *out;

	for (size_t i = from; i < to; i++) {
		buf_add(&b, s->lines[i], s->lens[i]);
		buf_addch(&b, '\n');
	}
	out = b.len ? arena_memdup(a, b.ptr, b.len) : NULL;
	buf_release(&b);
	return out;
}

void anchor_quote_hunk(struct arena *a, struct anchor *an, const char *hunk)
{
	size_t want = an->end >= an->line ? an->end - an->line + 1u : 1, at;
	struct side s;

	if (!hunk || an->type != ANCHOR_LINES || an->quote)
		return;
	side_read(a, hunk, an->side == SIDE_OLD ? '+' : '-', &s);
	if (s.n < want)
		return;
	at = s.n - want;
	an->quote = side_text(a, &s, at, s.n);
	an->before = side_text(a, &s, at > CONTEXT ? at - CONTEXT : 0, at);
}

/* Is it an anchor that a reader takes? */
static bool anchor_is_sound(struct arena *a, const struct anchor *an)
{
	json_t *j = anchor_to_op(an);
	struct anchor back;
	bool ok = !anchor_from_op(a, j, &back, NULL);

	json_decref(j);
	return ok;
}

/* ---- the last look ---- */

/* At most max bytes, cut between characters. */
static const char *cut(struct arena *a, const char *s, size_t max, bool *was)
{
	size_t n = s ? strlen(s) : 0;

	if (n <= max)
		return s;
	for (n = max; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;)
		n--;
	if (was)
		*was = true;
	return arena_memdup(a, s, n);
}

static bool is_key(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return n > 0 && n <= KEY_MAX;
}

static void tidy_person(struct arena *a, struct person *p)
{
	p->name = cut(a, p->name, TEXT_MAX, NULL);
	p->email = cut(a, p->email, TEXT_MAX, NULL);
	p->login = cut(a, p->login, TEXT_MAX, NULL);
}

static const char *tidy_url(const char *url)
{
	return url && strlen(url) <= TEXT_MAX ? url : NULL;
}

static bool is_key_or_none(const char *s)
{
	return !s || is_key(s);
}

static const char *tidy_commit(const char *id)
{
	size_t n = id ? strlen(id) : 0;

	return n && n <= COMMIT_MAX && str_is_hex(id, n) ? id : NULL;
}

/* Those that can stand in a record. */
static void tidy_words(struct arena *a, const char *const **words, size_t *n)
{
	const char **out = arena_alloc(a, (*n + 1) * sizeof(*out));
	size_t kept = 0;

	for (size_t i = 0; i < *n && kept < LIST_MAX; i++)
		if (is_key((*words)[i]))
			out[kept++] = (*words)[i];
	*words = out;
	*n = kept;
}

static bool tidy_task(struct arena *a, struct record_task *t)
{
	struct person *people = arena_alloc(a, (t->n_assignees + 1) * sizeof(*people));

	tidy_words(a, &t->labels, &t->n_labels);
	if (t->n_assignees > LIST_MAX)
		t->n_assignees = LIST_MAX;
	for (size_t i = 0; i < t->n_assignees; i++) {
		people[i] = t->assignees[i];
		tidy_person(a, &people[i]);
	}
	t->assignees = people;
	tidy_person(a, &t->author);
	t->title = cut(a, t->title ? t->title : "", TEXT_MAX, &t->lossy);
	t->body = cut(a, t->body, BODY_MAX, &t->lossy);
	t->status = cut(a, t->status, TEXT_MAX, NULL);
	t->milestone = cut(a, t->milestone, TEXT_MAX, NULL);
	t->head = tidy_commit(t->head);
	t->base = tidy_commit(t->base);
	t->head_ref = cut(a, t->head_ref, TEXT_MAX, NULL);
	t->base_ref = cut(a, t->base_ref, TEXT_MAX, NULL);
	t->url = tidy_url(t->url);
	return is_key(t->key) && is_key(t->name);
}

static void tidy_reactions(struct arena *a, struct record_note *n)
{
	struct reaction *out = arena_alloc(a, (n->n_reactions + 1) * sizeof(*out));
	size_t kept = 0;

	for (size_t i = 0; i < n->n_reactions && kept < LIST_MAX; i++)
		if (is_key(n->reactions[i].emoji) && strlen(n->reactions[i].emoji) <= REACTION_MAX)
			out[kept++] = n->reactions[i];
	n->reactions = out;
	n->n_reactions = kept;
}

static bool tidy_note(struct arena *a, struct record_note *n)
{
	if (n->n_reactions)
		tidy_reactions(a, n);
	tidy_person(a, &n->author);
	n->body = cut(a, n->body, BODY_MAX, &n->lossy);
	if (n->wire && strlen(n->wire) > BODY_MAX)
		n->wire = NULL;
	n->url = tidy_url(n->url);
	if (n->anchor && !anchor_is_sound(a, n->anchor))
		n->anchor = NULL;
	if (n->hint && !anchor_is_sound(a, n->hint))
		n->hint = NULL;
	if (!is_key_or_none(n->reply_to))
		n->reply_to = NULL;
	return is_key(n->key) && (n->task || n->thread) && is_key_or_none(n->task) && is_key_or_none(n->thread);
}

/* A list that is not whole would call the rest gone. */
static bool tidy_list(struct arena *a, struct record_list *l)
{
	if (l->n_keys > LIST_MAX || !is_key_or_none(l->task))
		return false;
	tidy_words(a, &l->keys, &l->n_keys);
	return true;
}

bool record_tidy(struct arena *a, const struct record *rec, struct record *out)
{
	*out = *rec;
	switch (rec->type) {
	case RECORD_TASK:
		return tidy_task(a, &out->task);
	case RECORD_NOTE:
		return tidy_note(a, &out->note);
	case RECORD_THREAD:
		tidy_person(a, &out->thread.by);
		return is_key(out->thread.key) && is_key_or_none(out->thread.task) && is_key_or_none(out->thread.handle);
	case RECORD_GONE:
		return is_key(out->gone.key) && is_key_or_none(out->gone.task);
	case RECORD_LIST:
		return tidy_list(a, &out->list);
	}
	return true;
}
