/* SPDX-License-Identifier: MIT */
/* drafts: what was written and not sent. Before anything is listed, texts that a killed editor left are taken in. */
#include "config.h"
#include <stddef.h>
#include <string.h>
#include "families.h"
#include "sendto.h"

static json_t *draft_json(const struct draft *d, bool body)
{
	json_t *j = json_object();

	json_put_str(j, "id", d->id);
	json_put_str(j, "verb", d->verb);
	json_put_str(j, "target", d->target);
	json_put_str(j, "audience", d->audience);
	json_put_str(j, "title", d->title);
	json_put_time(j, "created", d->created);
	json_put_time(j, "updated", d->updated);
	json_put_str(j, "problem", d->problem);
	if (body)
		json_put_str(j, "body", d->body);
	return j;
}

const char *draft_words(const char *verb)
{
	static const char *const words[][2] = { { "comment", "task comment" }, { "task", "task new" },
		{ "task-edit", "task edit" } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(verb, words[i][0]))
			return words[i][1];
	}
	return verb;
}

static void draft_line(struct cmd *c, const struct draft *d)
{
	const char *text = d->title ? d->title : d->body ? d->body : "";
	char age[TIME_RELATIVE_SIZE];

	out_textf(c, STYLE_ID, "%s  ", d->id);
	out_textf(c, STYLE_NORMAL, "%s %s  ", draft_words(d->verb), d->target ? d->target : "");
	out_prose(c, STYLE_NORMAL, arena_memdup(c->arena, text, strcspn(text, "\n")));
	if (d->audience && !strcmp(d->audience, "private"))
		out_text(c, STYLE_DIM, "  private");
	out_textf(c, STYLE_DATE, "  %s", time_relative(age, d->updated, clock_now()));
	if (d->problem)
		out_textf(c, STYLE_ERROR, "  (%s)", d->problem);
	out_line(c);
}

static int open_desk(struct cmd *c, struct err *e)
{
	return work_desk(c->work, e) || compose_recover(c, e) ? -1 : 0;
}

static int run_list(struct cmd *c, struct err *e)
{
	struct draft_list l = { NULL, 0, 0 };

	if (open_desk(c, e) || desk_drafts(c->work->desk, repo_commondir(c->work->repo), c->arena, &l, e))
		return -1;
	out_list_begin(c, "drafts");
	for (size_t i = 0; i < l.len; i++) {
		if (out_json(c))
			out_item(c, draft_json(&l.items[i], true));
		else
			draft_line(c, &l.items[i]);
	}
	out_list_end(c);
	if (!l.len && !out_json(c))
		out_note(c, "no drafts: everything you wrote was sent");
	return 0;
}

/* Drafts of another repository are seen by nobody here. */
static int find_draft(struct cmd *c, struct draft *d, struct err *e)
{
	if (open_desk(c, e) || desk_draft(c->work->desk, c->argv[0], c->arena, d, e))
		return -1;
	if (d->repo && strcmp(d->repo, repo_commondir(c->work->repo)))
		return err_set(e, ERR_NOT_FOUND, "draft %s belongs to another repository: %s", d->id, d->repo);
	return 0;
}

int draft_resume(struct cmd *c, const struct draft *d, struct resumed *r, struct err *e)
{
	json_t *j;
	int rc = 0;

	*r = (struct resumed){ .p = { .verb = d->verb, .target = d->target, .title = d->title, .body = d->body,
		.draft = d->id, .start = d->body } };
	r->p.audience = d->audience && !strcmp(d->audience, "private") ? AUDIENCE_PRIVATE : AUDIENCE_EVERYONE;
	r->p.fixed_audience = !d->anchor && strcmp(d->verb, "task") != 0;
	r->p.what = arena_printf(c->arena, "%s %s", draft_words(d->verb), d->target ? d->target : "");
	if (d->anchor) {
		if (!(j = json_read(d->anchor, strlen(d->anchor), "the draft's anchor", e)))
			return -1;
		rc = anchor_from_op(c->arena, j, &r->an, e);
		json_decref(j);
		r->p.anchor = &r->an;
	}
	if (!rc && d->to && strcmp(d->to, "native") && strcmp(d->to, "private")) {
		struct sources *all = act_sources(c, e);

		r->p.to = all ? sources_find(all, d->to, e) : NULL;
		rc = r->p.to ? 0 : -1;
	}
	if (!rc && d->extra && !(r->p.extra = json_read(d->extra, strlen(d->extra), "the draft's options", e)))
		rc = -1;
	return rc;
}

static int run_show(struct cmd *c, struct err *e)
{
	struct draft d;

	if (find_draft(c, &d, e))
		return -1;
	if (out_json(c)) {
		out_doc(c, "draft", draft_json(&d, true));
		return 0;
	}
	draft_line(c, &d);
	out_line(c);
	if (d.body) {
		struct styled s = STYLED_INIT;
		styled_markdown(&s, d.body, strlen(d.body), out_prose_width(c), 2);
		out_styled(c, &s);
		styled_release(&s);
	}
	return 0;
}

struct send_values { bool dry_run; };
static const struct opt send_opts[] = {
	{ 0, "dry-run", OPT_FLAG, offsetof(struct send_values, dry_run), NULL, "say what would happen and who would see it",
		NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static int run_send(struct cmd *c, struct err *e)
{
	struct send_values *v = c->values;
	struct draft d;
	struct resumed r;
	int rc;

	if (find_draft(c, &d, e))
		return -1;
	if ((!d.body || !*d.body) && strcmp(d.verb, "task") != 0)
		return err_set(e, ERR_USAGE, "draft %s is empty: 'killick drafts edit %s' or 'killick drafts drop %s'", d.id,
		    d.id, d.id);
	if (d.body && strlen(d.body) > 1u << 20)
		return err_set(e, ERR_BAD_DATA, "draft %s has %zu bytes, a post holds at most 1 MiB: 'killick drafts edit %s'",
		    d.id, strlen(d.body), d.id);
	rc = draft_resume(c, &d, &r, e);
	if (!rc && v->dry_run)
		act_dry_run(c, &r.p, r.p.audience);
	else if (!rc)
		rc = compose_send(c, &r.p, e);
	json_decref(r.p.extra);
	return rc;
}

static int run_edit(struct cmd *c, struct err *e)
{
	struct draft d;
	struct resumed r;
	int rc;

	if (find_draft(c, &d, e))
		return -1;
	rc = draft_resume(c, &d, &r, e);
	r.p.flags = COMPOSE_EDITOR;
	c->posting.draft = true;
	if (!rc)
		rc = compose(c, &r.p, e);
	json_decref(r.p.extra);
	return rc;
}

static int run_drop(struct cmd *c, struct err *e)
{
	struct draft d;

	for (int i = 0; i < c->argc; i++) {
		struct cmd one = *c;
		one.argv = c->argv + i;
		one.argc = 1;
		if (find_draft(&one, &d, e) || desk_draft_drop(c->work->desk, d.id, e))
			return -1;
		out_textf(c, STYLE_NORMAL, "%s dropped", d.id);
		out_line(c);
		out_doc(c, "draft", draft_json(&d, true));
	}
	return 0;
}

#define ACTS (NEED_REPO | NEED_INDEX | NEED_WRITE)
static const struct cmd_entry draft_rows[] = {
	{ .name = "list", .summary = "list the drafts of this repository", .needs = NEED_REPO,
		.flags = CMD_JSON | CMD_PAGE, .run = run_list },
	{ .name = "show", .args = "ID", .summary = "show a draft", .min_args = 1, .max_args = 1, .needs = NEED_REPO,
		.flags = CMD_JSON | CMD_PAGE, .run = run_show, .complete = "draft" },
	{ .name = "send", .args = "ID", .summary = "send a draft", .min_args = 1, .max_args = 1, .needs = ACTS,
		.opts = send_opts, .values = sizeof(struct send_values), .flags = CMD_JSON, .run = run_send,
		.complete = "draft" },
	{ .name = "edit", .args = "ID", .summary = "change a draft; -m or -F, else the editor", .min_args = 1, .max_args = 1,
		.needs = ACTS, .flags = CMD_JSON | CMD_TEXT, .run = run_edit, .complete = "draft" },
	{ .name = "drop", .args = "ID…", .summary = "throw drafts away", .min_args = 1, .max_args = -1, .needs = NEED_REPO,
		.flags = CMD_JSON, .run = run_drop, .complete = "draft" },
	{ .name = NULL },
};
const struct cmd_entry draft_commands[] = {
	{ .name = "drafts", .args = "[COMMAND]", .summary = "what you wrote and did not send: list, show, send, edit, drop",
		.needs = NEED_REPO, .flags = CMD_JSON | CMD_PAGE, .run = run_list, .sub = draft_rows },
	{ .name = NULL },
};
