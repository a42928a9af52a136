/* SPDX-License-Identifier: MIT */
/*
 * GitHub's JSON to records. What identifies a code note is where it was written (original_commit_id, original_line): GitHub
 * moves the other fields with each push, so those are the hint. The code it was written on is the end of diff_hunk. Facts:
 * rest-apis.md 2.2.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "fields.h"
#include "github.h"
#include "killick/base/hash.h"

const char *gh_tail(struct arena *a, const char *url)
{
	const char *slash = url ? strrchr(url, '/') : NULL;

	return slash && slash[1] && strspn(slash + 1, "0123456789") == strlen(slash + 1) ? arena_strdup(a, slash + 1) : NULL;
}

static const char *text(struct arena *a, const json_t *j, const char *field)
{
	return arena_strdup(a, json_get_str(j, field));
}

/* REST: {"login"}; GraphQL: {"login","__typename"}, where a bot's name lacks its ending. An account that is gone: "ghost". */
static void person(struct arena *a, const json_t *j, struct person *out)
{
	const char *login = json_get_str(j, "login"), *kind = json_get_str(j, "__typename");

	*out = (struct person){ .login = login ? arena_strdup(a, login) : "ghost" };
	if (login && kind && !strcmp(kind, "Bot") && !str_ends(login, "[bot]"))
		out->login = arena_printf(a, "%s[bot]", login);
}

bool gh_is_mine(const struct gh *g, const json_t *j)
{
	const char *login = json_get_str(json_get_obj(j, "user"), "login");

	return g->me && login && !strcasecmp(g->me, login);
}

bool gh_is_pull(const json_t *issue)
{
	return json_get_obj(issue, "pull_request") || json_get_obj(issue, "head");
}

/* ---- reactions ---- */

static const char *const reactions[] = { "+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes" };

const char *gh_reaction(const char *value)
{
	const char *word = reaction_word(value);

	for (size_t i = 0; i < ARRAY_SIZE(reactions); i++)
		if (!strcmp(reactions[i], word))
			return reactions[i];
	return NULL;
}

static void take_reactions(struct arena *a, const json_t *j, struct record_note *n)
{
	const json_t *sums = json_get_obj(j, "reactions");
	struct reaction *list;

	if (json_get_int(sums, "total_count", 0) <= 0)
		return;
	n->reactions = list = arena_alloc(a, ARRAY_SIZE(reactions) * sizeof(*list));
	for (size_t i = 0; i < ARRAY_SIZE(reactions); i++) {
		int64_t count = json_get_int(sums, reactions[i], 0);
		if (count > 0)
			list[n->n_reactions++] = (struct reaction){ .emoji = reaction_emoji(reactions[i]), .n = (unsigned)count,
				.mine_unknown = true };
	}
}

/* ---- tasks ---- */

static void take_labels(struct arena *a, const json_t *j, struct record_task *t)
{
	const json_t *list = json_get_arr(j, "labels");
	const char **names = arena_alloc(a, (json_array_size(list) + 1) * sizeof(*names));

	t->labels = names;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		const char *name = json_is_string(v) ? json_string_value(v) : json_get_str(v, "name");
		if (name)
			names[t->n_labels++] = arena_strdup(a, name);
	}
}

static void take_assignees(struct arena *a, const json_t *j, struct record_task *t)
{
	const json_t *list = json_get_arr(j, "assignees");
	struct person *people = arena_alloc(a, (json_array_size(list) + 1) * sizeof(*people));

	t->assignees = people;
	for (size_t i = 0; i < json_array_size(list); i++)
		person(a, json_array_get(list, i), &people[t->n_assignees++]);
}

static void take_change(struct arena *a, const json_t *j, struct record_task *t)
{
	const json_t *head = json_get_obj(j, "head"), *base = json_get_obj(j, "base");

	t->change = true;
	t->draft = json_get_bool(j, "draft");
	t->head = text(a, head, "sha");
	t->base = text(a, base, "sha");
	t->head_ref = text(a, head, "ref");
	t->base_ref = text(a, base, "ref");
	if (field_time(j, "merged_at") || field_time(json_get_obj(j, "pull_request"), "merged_at"))
		t->state = TASK_MERGED;
}

bool gh_task(const struct gh *g, const json_t *j, struct record *out)
{
	struct arena *a = remote_arena(g->r);
	const char *prefix = remote_source(g->r)->prefix, *state = json_get_str(j, "state");
	struct record_task *t = &out->task;

	*out = (struct record){ .type = RECORD_TASK };
	t->key = field_key(a, j, "number");
	if (!t->key || !state)
		return false;
	t->name = arena_printf(a, "%s-%s", prefix ? prefix : g->r->ad->prefix, t->key);
	t->state = strcmp(state, "closed") ? TASK_OPEN : TASK_CLOSED;
	t->status = text(a, j, "state_reason");
	t->title = text(a, j, "title");
	t->body = field_text(a, j, "body");
	t->milestone = text(a, json_get_obj(j, "milestone"), "title");
	t->url = text(a, j, "html_url");
	t->locked = json_get_bool(j, "locked");
	t->created = field_time(j, "created_at");
	t->updated = field_time(j, "updated_at");
	t->n_notes = json_get_int(j, "comments", -1);
	person(a, json_get_obj(j, "user"), &t->author);
	take_labels(a, j, t);
	take_assignees(a, j, t);
	if (gh_is_pull(j))
		take_change(a, j, t);
	return true;
}

/* ---- notes ---- */

static bool take_note(const struct gh *g, const json_t *j, enum gh_kind kind, struct record *out)
{
	struct arena *a = remote_arena(g->r);
	struct record_note *n = &out->note;
	const char *id = field_key(a, j, "id");

	*out = (struct record){ .type = RECORD_NOTE };
	if (!id)
		return false;
	n->key = arena_printf(a, "%c%s", kind, id);
	n->body = field_text(a, j, "body");
	n->url = text(a, j, "html_url");
	n->created = field_time(j, "created_at");
	n->updated = field_time(j, "updated_at");
	n->can_edit = n->can_delete = gh_is_mine(g, j);
	person(a, json_get_obj(j, "user"), &n->author);
	take_reactions(a, j, n);
	return true;
}

bool gh_comment(const struct gh *g, const json_t *j, struct record *out)
{
	if (!take_note(g, j, GH_COMMENT, out))
		return false;
	out->note.kind = NOTE_COMMENT;
	out->note.task = gh_tail(remote_arena(g->r), json_get_str(j, "issue_url"));
	return out->note.task != NULL;
}

static uint32_t line_of(const json_t *j, const char *field)
{
	int64_t n = json_get_int(j, field, 0);

	return n > 0 && n <= UINT32_MAX ? (uint32_t)n : 0;
}

static enum anchor_side side_of(const json_t *j)
{
	return field_is(j, "side", "LEFT") ? SIDE_OLD : SIDE_NEW;
}

static const struct anchor *code_anchor(struct arena *a, const json_t *j, bool original)
{
	uint32_t end = line_of(j, original ? "original_line" : "line");
	uint32_t line = line_of(j, original ? "original_start_line" : "start_line");
	bool file = field_is(j, "subject_type", "file");
	struct anchor *an = ARENA_NEW(a, struct anchor);

	*an = (struct anchor){
		.type = file ? ANCHOR_FILE : ANCHOR_LINES, .path = text(a, j, "path"), .side = side_of(j),
		.commit = text(a, j, original ? "original_commit_id" : "commit_id"),
	};
	if (!an->path || (!file && !end))
		return NULL;
	if (file)
		return an;
	an->end = end;
	an->line = line && line <= end ? line : end;
	if (original)
		anchor_quote_hunk(a, an, json_get_str(j, "diff_hunk"));
	return an;
}

bool gh_code(const struct gh *g, const json_t *j, struct record *out)
{
	struct arena *a = remote_arena(g->r);
	struct record_note *n = &out->note;
	const char *top;

	if (!take_note(g, j, GH_CODE, out))
		return false;
	top = field_key(a, j, "in_reply_to_id");
	n->kind = NOTE_CODE;
	n->task = gh_tail(a, json_get_str(j, "pull_request_url"));
	n->thread = top ? top : field_key(a, j, "id");
	n->reply_to = top ? arena_printf(a, "%c%s", GH_CODE, top) : NULL;
	n->anchor = code_anchor(a, j, true);
	n->hint = code_anchor(a, j, false);
	return n->task != NULL;
}

static const char *const verdicts[][2] = {
	{ "APPROVED", "approve" }, { "CHANGES_REQUESTED", "request-changes" }, { "COMMENTED", "comment" },
	{ "DISMISSED", "dismissed" },
};

/* As REST or GraphQL gives it (githubgraph.c puts both into REST's names). What says nothing is none. */
bool gh_review(const struct gh *g, const json_t *j, const char *task, struct record *out)
{
	const char *state = json_get_str(j, "state");
	struct record_note *n = &out->note;

	if (!state || !take_note(g, j, GH_REVIEW, out))
		return false;
	n->kind = NOTE_REVIEW;
	n->task = task;
	n->pending = !strcmp(state, "PENDING");
	n->can_delete = n->pending;
	n->created = field_time(j, "submitted_at");
	n->updated = n->updated ? n->updated : n->created;
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		if (!strcmp(verdicts[i][0], state))
			n->verdict = verdicts[i][1];
	return *n->body || n->pending || (n->verdict && strcmp(n->verdict, "comment"));
}

/* ---- notes on commits ---- */

bool patch_line(const char *patch, int64_t position, uint32_t *line, enum anchor_side *side)
{
	unsigned long was = 0, is = 0;
	int64_t at = -1;   /* the first hunk's header is position 0 */

	for (const char *p = patch; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		at++;
		if (*p == '@') {
			const char *plus = strstr(p, " +");
			was = strtoul(p + strspn(p, "@ -"), NULL, 10);
			is = plus ? strtoul(plus + 2, NULL, 10) : 0;
			continue;
		}
		if (at == position) {
			*side = *p == '-' ? SIDE_OLD : SIDE_NEW;
			*line = (uint32_t)(*p == '-' ? was : is);
			return *line > 0;
		}
		was += *p == '-' || *p == ' ';
		is += *p == '+' || *p == ' ';
	}
	return false;
}

int64_t patch_position(const char *patch, uint32_t line, enum anchor_side side)
{
	uint32_t at_line;
	enum anchor_side at_side;
	int64_t lines = 0;

	for (const char *p = patch; *p; p++)
		lines += *p == '\n';
	for (int64_t at = 1; at <= lines; at++)
		if (patch_line(patch, at, &at_line, &at_side) && at_line == line && at_side == side)
			return at;
	return 0;
}

/* Notes at one place of a commit are one thread; a path can be longer than a key may be. */
static const char *commit_thread(struct arena *a, const char *commit, const char *path, int64_t position)
{
	char sum[GIT_OID_HEX];

	if (!path)
		return commit;
	hash_sha1(sum, path, strlen(path));
	return arena_printf(a, "%s:%lld:%.12s", commit, (long long)position, sum);
}

bool gh_commit_note(const struct gh *g, const json_t *j, struct record *out)
{
	struct arena *a = remote_arena(g->r);
	struct anchor *an = ARENA_NEW(a, struct anchor);
	struct record_note *n = &out->note;

	if (!take_note(g, j, GH_COMMIT, out))
		return false;
	*an = (struct anchor){ .type = ANCHOR_COMMIT, .commit = text(a, j, "commit_id") };
	if (!an->commit)
		return false;
	an->path = text(a, j, "path");
	if (an->path)
		an->type = ANCHOR_FILE;
	an->line = an->end = an->path ? line_of(j, "line") : 0;
	if (an->line)
		an->type = ANCHOR_LINES;
	n->kind = NOTE_COMMIT;
	n->anchor = an;
	n->thread = commit_thread(a, an->commit, an->path, json_get_int(j, "position", an->line));
	return true;
}
