/* SPDX-License-Identifier: MIT */
/* Lists of threads: threads [QUERY], search WORDS, inbox. One statement of the index each, streamed in pages. */
#include "config.h"
#include <stddef.h>
#include <string.h>
#include "families.h"
#include "killick/cmd/act.h"

#define PAGE 1000

struct list_values { const char *sort; int64_t limit; bool posts; };
static const char *const sorts[] = { "updated", "created", "place", NULL };
static const struct opt threads_opts[] = {
	{ 's', "sort", OPT_STR, offsetof(struct list_values, sort), "ORDER", "updated (default), created or place", sorts },
	{ 'n', "limit", OPT_INT, offsetof(struct list_values, limit), "N", "at most N threads", NULL },
	{ 0, "posts", OPT_FLAG, offsetof(struct list_values, posts), NULL, "with their posts, in JSON", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};
static const struct opt limit_opts[] = {
	{ 'n', "limit", OPT_INT, offsetof(struct list_values, limit), "N", "at most N threads", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

/* One word is a query as it stands; of several, those with blanks were quoted in the shell and are phrases again. */
int list_query(struct cmd *c, struct query **out, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	for (int i = 0; i < c->argc; i++) {
		const char *w = c->argv[i];
		bool phrase = c->argc > 1 && strpbrk(w, " \t") && !strpbrk(w, "\":()");

		buf_addf(&b, "%s%s%s%s", i ? " " : "", phrase ? "\"" : "", w, phrase ? "\"" : "");
	}
	rc = query_parse(c->arena, b.ptr, clock_now(), out, e);
	buf_release(&b);
	if (!rc && c->work)
		repo_query_anchors(c->work->repo, c->arena, *out);
	return rc;
}

static enum thread_sort sort_of(const char *name)
{
	if (name && !strcmp(name, "created"))
		return SORT_CREATED;
	return name && !strcmp(name, "place") ? SORT_PLACE : SORT_UPDATED;
}

static int show_page(struct cmd *c, struct arena *a, struct thread_list *l, uint64_t *shown, struct err *e)
{
	if (work_places_dirty(c->work, a, l->items, l->len, e))
		return -1;
	for (size_t i = 0; i < l->len; i++)
		out_thread(c, &l->items[i]);
	*shown += l->len;
	return 0;
}

/* An order that is no key is found once. */
static int stream_found(struct cmd *c, struct thread_find *f, size_t limit, uint64_t *shown, struct err *e)
{
	struct thread_list l = { .more = true };
	struct arena page = ARENA_INIT;
	struct index_found *x = NULL;
	int rc;

	f->limit = limit;
	rc = index_find(c->work->index, &c->work->scope, f, &x, e);
	while (!rc && l.more && out_alive(c)) {
		arena_clear(&page);
		rc = index_found_page(x, PAGE, &page, &l, e);
		rc = rc ? rc : show_page(c, &page, &l, shown, e);
	}
	index_found_free(x);
	arena_release(&page);
	return rc;
}

/* Pages of the list in two arenas by turns: memory stays flat however long the list is, and the last thread of a page is
 * still there when the next is asked for. */
static int stream(struct cmd *c, struct thread_find *f, size_t limit, uint64_t *shown, struct err *e)
{
	struct arena pages[2] = { ARENA_INIT, ARENA_INIT };
	bool more = true;
	int rc = 0;

	*shown = 0;
	if (f->sort != SORT_UPDATED && f->sort != SORT_CREATED)
		return stream_found(c, f, limit, shown, e);
	for (int turn = 0; more && !rc && out_alive(c) && (!limit || *shown < limit); turn = !turn) {
		struct thread_list l = { NULL, 0, 0, false };

		f->limit = limit && limit - *shown < PAGE ? (size_t)(limit - *shown) : PAGE;
		arena_clear(&pages[turn]);
		rc = index_threads(c->work->index, &c->work->scope, f, &pages[turn], &l, e);
		rc = rc ? rc : show_page(c, &pages[turn], &l, shown, e);
		more = l.more && l.len;
		f->after = l.len ? &l.items[l.len - 1] : NULL;
	}
	arena_release(&pages[0]);
	arena_release(&pages[1]);
	return rc;
}

/* Does the query, or its order, go by where threads are now? */
static bool asks_places(const struct query *q)
{
	static const char *const states[] = { "gone", "moved", "edited", NULL };

	if (!q)
		return false;
	if (q->op != Q_TERM)
		return asks_places(q->left) || asks_places(q->right);
	if (q->key == QK_IS)
		for (const char *const *s = states; *s; s++)
			if (!strcmp(q->value, *s))
				return true;
	return q->key == QK_ON || q->key == QK_PLACE;
}

static int bring_places(struct cmd *c, const struct query *q, enum thread_sort sort, struct err *e)
{
	return sort == SORT_PLACE || asks_places(q) ? cmd_all_places(c, e) : 0;
}

static void say_empty(struct cmd *c, bool asked)
{
	struct remote_info *remotes;

	if (out_json(c))
		return;
	if (asked)
		out_note(c, "no thread matches");
	else if (!work_is_set_up(c->work) && repo_remotes(c->work->repo, c->arena, &remotes))
		out_note(c, "no threads here yet: 'killick sync' fetches what others wrote, 'killick ask FILE:LINE -m TEXT' opens one");
	else
		out_note(c, "no threads yet: 'killick ask FILE:LINE -m TEXT' opens one");
}

static int list_threads(struct cmd *c, struct thread_find f, bool asked, struct err *e)
{
	struct list_values *v = c->values;
	struct query *q;
	uint64_t n;

	if (list_query(c, &q, e))
		return -1;
	f.query = q;
	if (bring_places(c, q, f.sort, e))
		return -1;
	out_list_begin(c, "threads");
	if (stream(c, &f, (size_t)v->limit, &n, e))
		return -1;
	out_list_end(c);
	if (!n)
		say_empty(c, asked);
	return 0;
}

static int run_threads(struct cmd *c, struct err *e)
{
	const struct list_values *v = c->values;

	return list_threads(c, (struct thread_find){ .sort = sort_of(v->sort), .posts = v->posts }, c->argc > 0, e);
}

static int run_search(struct cmd *c, struct err *e)
{
	return list_threads(c, (struct thread_find){ .sort = SORT_MATCH }, true, e);
}

static const struct { const char *key, *title; } sections[INBOX_SECTIONS] = {
	[INBOX_FOR_ME] = { "for_me", "waiting for me" },
	[INBOX_FOR_OTHERS] = { "for_others", "waiting for others" },
	[INBOX_NEW] = { "new", "new in what I touch" },
};

static json_t *section_json(const struct thread_list *l, uint64_t total)
{
	json_t *s = json_object(), *list = json_array();

	for (size_t i = 0; i < l->len; i++)
		json_array_append_new(list, thread_json(&l->items[i]));
	json_put_int(s, "total", (int64_t)total);
	json_object_set_new(s, "threads", list);
	return s;
}

static void section_text(struct cmd *c, int which, const struct thread_list *l, uint64_t total)
{
	if (!total)
		return;
	out_textf(c, STYLE_HEADING, "%s (%llu)", sections[which].title, (unsigned long long)total);
	out_line(c);
	for (size_t i = 0; i < l->len; i++)
		out_thread_line(c, &l->items[i]);
	if (l->len < total) {
		out_textf(c, STYLE_DIM, "  and %llu more: killick inbox -n %llu", (unsigned long long)(total - l->len),
		    (unsigned long long)total);
		out_line(c);
	}
}

static void section_lines(struct cmd *c, int which, const struct thread_list *l)
{
	for (size_t i = 0; i < l->len; i++) {
		json_t *j = thread_json(&l->items[i]);
		json_put_str(j, "section", sections[which].key);
		out_item(c, j);
	}
}

static int run_inbox(struct cmd *c, struct err *e)
{
	struct list_values *v = c->values;
	size_t limit = v->limit ? (size_t)v->limit : c->io->tty ? 10 : 0;
	struct query *q;
	json_t *doc = json_object();
	uint64_t all = 0;

	if (list_query(c, &q, e) || bring_places(c, q, SORT_UPDATED, e)) {
		json_decref(doc);
		return -1;
	}
	for (int s = 0; s < INBOX_SECTIONS; s++) {
		struct thread_list l = { NULL, 0, 0, false };
		uint64_t total = 0;

		if (index_inbox(c->work->index, &c->work->scope, (enum inbox_section)s, q, limit, 0, c->arena, &l, &total, e) ||
		    work_places_dirty(c->work, c->arena, l.items, l.len, e)) {
			json_decref(doc);
			return -1;
		}
		all += total;
		json_object_set_new(doc, sections[s].key, section_json(&l, total));
		if (c->common.jsonl)
			section_lines(c, s, &l);
		else if (!out_json(c))
			section_text(c, s, &l, total);
	}
	if (c->common.jsonl)
		json_decref(doc);
	else
		out_doc(c, "inbox", doc);
	if (!all && !out_json(c))
		out_note(c, "nothing waits: 'killick threads' lists everything");
	return 0;
}

#define LISTS (NEED_REPO | NEED_INDEX | NEED_PLACES)
const struct cmd_entry list_commands[] = {
	{ .name = "inbox", .args = "[QUERY]", .summary = "what waits for you, what you wait for, what is new",
		.opts = limit_opts, .values = sizeof(struct list_values), .max_args = -1, .needs = LISTS,
		.flags = CMD_JSON | CMD_PAGE, .run = run_inbox, .complete = "query" },
	{ .name = "threads", .args = "[QUERY]", .summary = "list threads", .opts = threads_opts,
		.values = sizeof(struct list_values), .max_args = -1, .needs = LISTS, .flags = CMD_JSON | CMD_PAGE,
		.run = run_threads, .complete = "query" },
	{ .name = "search", .args = "WORDS…", .summary = "search all that was said", .opts = limit_opts,
		.values = sizeof(struct list_values), .min_args = 1, .max_args = -1, .needs = LISTS,
		.flags = CMD_JSON | CMD_PAGE, .run = run_search, .complete = "query" },
	{ .name = NULL },
};
