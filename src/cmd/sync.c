/* SPDX-License-Identifier: MIT */
/* sync: exchange with remotes; export: everything as JSON Lines. import is in import.c. */
#include "config.h"
#include <stddef.h>
#include <string.h>
#include "families.h"
#include "killick/cmd/act.h"
#include "killick/store/settings.h"

struct sync_values { bool porcelain, quiet; };
static const struct opt sync_opts[] = {
	{ 0, "porcelain", OPT_FLAG, offsetof(struct sync_values, porcelain), NULL, "lines for programs", NULL },
	{ 'q', "quiet", OPT_FLAG, offsetof(struct sync_values, quiet), NULL, "say nothing unless something is wrong", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static void progress(void *ctx, const char *line)
{
	struct cmd *c = ctx;
	struct sync_values *v = c->values;

	if (!v->quiet && !v->porcelain && !out_json(c))
		out_note(c, "%s", line);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void report(struct cmd *c, const char *remote, const struct exchange *x, const struct err *fault)
{
	struct sync_values *v = c->values;
	json_t *j = json_object();

	json_put_str(j, "remote", remote);
	json_put_int(j, "fetched", (int64_t)x->ops_fetched);
	json_put_int(j, "pushed", (int64_t)x->ops_pushed);
	json_put_int(j, "forks", x->forks);
	json_put_int(j, "rewound", x->rewound);
	json_put_int(j, "foreign", x->foreign);
	json_put_str(j, "note", x->note[0] ? x->note : NULL);
	json_put_str(j, "problem", fault ? fault->msg : NULL);
	if (out_json(c)) {
		out_item(c, json_incref(j));
	} else if (v->porcelain) {
		out_textf(c, STYLE_NORMAL, "%s %s fetched %llu pushed %llu forks %u rewound %u foreign %u", fault ? "failed" : "ok",
		    remote, (unsigned long long)x->ops_fetched, (unsigned long long)x->ops_pushed, x->forks, x->rewound,
		    x->foreign);
		out_line(c);
	} else if (!fault && !v->quiet) {
		out_textf(c, STYLE_NORMAL, "%s: %llu op%s fetched, %llu sent", remote, (unsigned long long)x->ops_fetched,
		    plural(x->ops_fetched), (unsigned long long)x->ops_pushed);
		out_line(c);
	}
	if (x->note[0] && !out_json(c))
		out_note(c, "%s: %s", remote, x->note);
	json_decref(j);
}

static const char *default_remote(struct cmd *c)
{
	const char *set = setting_get(c->work->repo, c->arena, "remote");
	struct remote_info *list;

	if (*set)
		return set;
	return repo_remotes(c->work->repo, c->arena, &list) ? list[0].name : NULL;
}

/* One remote; a fault is reported and remembered, so that the next remote is tried all the same. */
static int sync_one(struct cmd *c, const char *remote, struct err *first)
{
	struct exchange x = { 0 };
	struct err fault = ERR_INIT;
	int rc = work_sync(c->work, remote, progress, c, &x, &fault);

	report(c, remote, &x, rc ? &fault : NULL);
	if (!rc)
		return 0;
	err_prefix(&fault, "%s", remote);
	if (first->code == ERR_NONE) {
		*first = fault;
	} else {
		out_error(c, &fault);
	}
	return -1;
}

static int run_sync(struct cmd *c, struct err *e)
{
	const char *remote = c->argc ? c->argv[0] : default_remote(c);
	struct err first = ERR_INIT;
	int rc = 0;

	if (!remote)
		return err_set(e, ERR_NOT_FOUND, "there is no remote to exchange with: 'git remote add origin URL' makes one");
	out_list_begin(c, "sync");
	for (int i = 0; i < (c->argc ? c->argc : 1); i++) {
		if (sync_one(c, c->argc ? c->argv[i] : remote, &first))
			rc = -1;
	}
	out_list_end(c);
	if (rc)
		*e = first;
	return rc;
}

static int export_line(void *ctx, const char *p, size_t n)
{
	struct cmd *c = ctx;

	out_raw(c, p, n);
	if (!n || p[n - 1] != '\n')
		out_raw(c, "\n", 1);
	return !out_alive(c);
}

struct export_values { bool private_; };
static const struct opt export_opts[] = {
	{ 0, "private", OPT_FLAG, offsetof(struct export_values, private_), NULL,
		"the private threads and the drafts instead, which nobody else has", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

static void export_draft(struct cmd *c, const struct draft *d)
{
	json_t *j = json_object(), *line = json_object();
	struct buf b = BUF_INIT;

	json_put_str(j, "id", d->id);
	json_put_str(j, "verb", d->verb);
	json_put_str(j, "target", d->target);
	json_put_str(j, "anchor", d->anchor);
	json_put_str(j, "audience", d->audience);
	json_put_str(j, "to", d->to);
	json_put_str(j, "title", d->title);
	json_put_str(j, "body", d->body);
	json_put_time(j, "created", d->created);
	json_put_time(j, "updated", d->updated);
	json_put_str(j, "problem", d->problem);
	json_put_str(j, "extra", d->extra);
	json_object_set_new(line, "draft", j);
	json_write(&b, line);
	export_line(c, b.ptr, b.len);
	json_decref(line);
	buf_release(&b);
}

/* Nothing was ever kept here: then there is no desk to open, let alone to make. */
static int export_drafts(struct cmd *c, struct err *e)
{
	char stamp[DESK_STAMP_SIZE];
	struct draft_list l = { NULL, 0, 0 };

	desk_stamp(NULL, stamp);
	if (!stamp[0])
		return 0;
	if (work_desk(c->work, e) || compose_recover(c, e) ||
	    desk_drafts(c->work->desk, repo_commondir(c->work->repo), c->arena, &l, e))
		return -1;
	for (size_t i = l.len; i > 0; i--)
		export_draft(c, &l.items[i - 1]);
	return 0;
}

static int run_export(struct cmd *c, struct err *e)
{
	struct export_values *v = c->values;
	int rc = index_export(c->work->index, v->private_ ? c->work->private_ : c->work->native, export_line, c, e);

	if (rc < 0 || !v->private_ || !out_alive(c))
		return rc < 0 ? rc : 0;
	return export_drafts(c, e);
}

const struct cmd_entry sync_commands[] = {
	{ .name = "sync", .args = "[REMOTE…]", .summary = "fetch others' threads and send yours", .opts = sync_opts,
		.values = sizeof(struct sync_values), .max_args = -1,
		.needs = NEED_REPO | NEED_STORE | NEED_WRITE | NEED_INDEX, .flags = CMD_JSON, .run = run_sync,
		.complete = "remote" },
	{ .name = "export", .summary = "everything as JSON Lines, the same on every clone", .opts = export_opts,
		.values = sizeof(struct export_values), .needs = NEED_REPO | NEED_INDEX, .run = run_export },
	{ .name = NULL },
};
