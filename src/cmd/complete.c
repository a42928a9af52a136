/* SPDX-License-Identifier: MIT */
/*
 * __complete: what may stand where the cursor is, one a line, a tab and a description behind it. The shells' scripts in
 * contrib/completion only ask and quote, so a new option, command or thread is completed without touching them.
 * Words come as typed so far, the last one being completed. Nothing here is ever an error: no answer is an answer.
 */
#include "config.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "families.h"
#include "killick/base/proc.h"
#include "killick/cmd/act.h"
#include "killick/store/settings.h"
#include "killick/text/sanitize.h"

#define MANY 400

struct completion {
	struct cmd *c;
	const char *cur;
	const char *prefix;     /* printed before every value: "--to=" */
};

static void offer(struct completion *x, const char *value, const char *description)
{
	struct buf b = BUF_INIT;

	if (strncmp(value, x->cur, strlen(x->cur)) != 0 || !text_is_clean(value, strlen(value), 0))
		return;
	buf_addf(&b, "%s%s", x->prefix, value);
	if (description && *description) {
		buf_addch(&b, '\t');
		text_sanitize(&b, description, strlen(description), TEXT_PROSE);
	}
	buf_addch(&b, '\n');
	out_raw(x->c, b.ptr, b.len);
	buf_release(&b);
}

static struct work *have_work(struct completion *x)
{
	struct err ignored = ERR_INIT;

	if (!x->c->work && work_open(NULL, &x->c->work, &ignored))
		x->c->work = NULL;
	return x->c->work;
}

static struct index *have_index(struct completion *x)
{
	struct work *w = have_work(x);
	struct err ignored = ERR_INIT;

	return w && !work_index(w, &ignored) && !work_refresh(w, 0, &ignored) ? w->index : NULL;
}

static void offer_rows(struct completion *x, const struct cmd_entry *rows)
{
	for (const struct cmd_entry *r = rows ? rows : cmd_next(NULL); r && r->name; r = rows ? r + 1 : cmd_next(r)) {
		if (!(r->flags & CMD_HIDDEN))
			offer(x, r->name, r->summary);
	}
}

static void offer_threads(struct completion *x)
{
	struct index *ix = have_index(x);
	struct thread_find f = { .sort = SORT_UPDATED, .limit = MANY };
	struct thread_list l = { NULL, 0, 0, false };
	struct err ignored = ERR_INIT;

	if (!ix || index_threads(ix, &x->c->work->scope, &f, x->c->arena, &l, &ignored))
		return;
	for (size_t i = 0; i < l.len; i++)
		offer(x, l.items[i].abbrev, l.items[i].title);
}

static void offer_tasks_of(struct completion *x, const struct query *q)
{
	struct index *ix = have_index(x);
	struct task_list l = { NULL, 0, 0, false };
	struct err ignored = ERR_INIT;

	if (!ix || index_tasks(ix, &x->c->work->scope, q, MANY, 0, x->c->arena, &l, &ignored))
		return;
	for (size_t i = 0; i < l.len; i++)
		offer(x, l.items[i].id, l.items[i].title);
}

static void offer_tasks(struct completion *x)
{
	offer_tasks_of(x, NULL);
}

static void offer_changes(struct completion *x)
{
	offer_tasks_of(x, &(struct query){ .op = Q_TERM, .key = QK_IS, .cmp = QC_EQ, .value = "change" });
}

static void offer_drafts(struct completion *x)
{
	struct work *w = have_work(x);
	struct draft_list l = { NULL, 0, 0 };
	struct err ignored = ERR_INIT;

	if (!w || work_desk(w, &ignored) || desk_drafts(w->desk, repo_commondir(w->repo), x->c->arena, &l, &ignored))
		return;
	for (size_t i = 0; i < l.len; i++)
		offer(x, l.items[i].id, l.items[i].target);
}

static void offer_settings(struct completion *x)
{
	for (const struct setting *s = settings; s->name; s++)
		offer(x, s->name, s->help);
}

static void offer_remotes(struct completion *x)
{
	struct work *w = have_work(x);
	struct remote_info *list;
	size_t n = w ? repo_remotes(w->repo, x->c->arena, &list) : 0;

	for (size_t i = 0; i < n; i++)
		offer(x, list[i].name, list[i].url);
}

static void offer_revs(struct completion *x)
{
	static const char *const argv[] = { "git", "for-each-ref", "--format=%(refname:short)", "--count=2000", "refs/heads",
		"refs/tags", "refs/remotes", NULL };
	struct buf out = BUF_INIT;
	struct proc p = { .argv = argv, .out = &out, .flags = PROC_STDERR_NULL | PROC_KEEP_GIT_ENV };
	struct err ignored = ERR_INIT;

	offer(x, "HEAD", "");
	if (!proc_run_ok(&p, &ignored)) {
		for (char *s = out.ptr; *s;) {
			size_t n = strcspn(s, "\n");
			offer(x, arena_memdup(x->c->arena, s, n), "");
			s += n + (s[n] == '\n');
		}
	}
	buf_release(&out);
}

/* Files of the folder that the word names so far; folders end with '/'. */
static void offer_paths(struct completion *x)
{
	const char *slash = strrchr(x->cur, '/');
	const char *folder = slash ? arena_memdup(x->c->arena, x->cur, (size_t)(slash - x->cur) + 1) : "";
	DIR *d = opendir(*folder ? folder : ".");
	struct dirent *ent;
	struct stat st;

	while (d && (ent = readdir(d))) {
		const char *path = arena_printf(x->c->arena, "%s%s", folder, ent->d_name);

		if (!strcmp(ent->d_name, ".") || !strcmp(ent->d_name, "..") || !strcmp(ent->d_name, ".git"))
			continue;
		if (!stat(path, &st) && S_ISDIR(st.st_mode))
			path = arena_printf(x->c->arena, "%s/", path);
		offer(x, path, "");
	}
	if (d)
		closedir(d);
}

static void offer_anchors(struct completion *x)
{
	offer(x, ".", "the project");
	offer_paths(x);
	if (*x->cur)
		offer_tasks(x);
}

static void offer_query(struct completion *x)
{
	const char *const *words = query_words(x->cur), *colon = strrchr(x->cur, ':');

	if (colon) { /* the values come bare */
		x->prefix = arena_memdup(x->c->arena, x->cur, (size_t)(colon - x->cur) + 1);
		x->cur = colon + 1;
	}
	for (size_t i = 0; words && words[i]; i++)
		offer(x, words[i], "");
}

static void offer_emoji(struct completion *x)
{
	static const char *const words[] = { "+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		offer(x, words[i], "");
}

static void offer_trackers(struct completion *x)
{
	struct err ignored = ERR_INIT;
	struct sources *all = have_work(x) ? act_sources(x->c, &ignored) : NULL;

	for (size_t i = 0; all && i < all->len; i++)
		offer(x, all->items[i].d.name, all->items[i].d.project);
}

static void offer_sources(struct completion *x)
{
	offer(x, "native", "in the repository's own store");
	offer(x, "private", "only for you");
	offer_trackers(x);
}

static void offer_exchange(struct completion *x)
{
	offer_trackers(x);
	offer_remotes(x);
}

static void offer_outbox(struct completion *x)
{
	struct work *w = have_work(x);
	struct out_list l = { NULL, 0, 0 };
	struct err ignored = ERR_INIT;

	if (!w || work_desk(w, &ignored) || desk_outs(w->desk, repo_commondir(w->repo), NULL, NULL, x->c->arena, &l, &ignored))
		return;
	for (size_t i = 0; i < l.len; i++)
		if (l.items[i].state != OUT_DONE)
			offer(x, arena_printf(x->c->arena, "%.8s", l.items[i].id), l.items[i].what);
}

static void offer_commands(struct completion *x)
{
	offer_rows(x, NULL);
}

static const struct { const char *kind; void (*offer)(struct completion *x); } kinds[] = {
	{ "anchor", offer_anchors }, { "thread", offer_threads }, { "task", offer_tasks }, { "draft", offer_drafts },
	{ "change", offer_changes },
	{ "setting", offer_settings }, { "remote", offer_remotes }, { "rev", offer_revs }, { "query", offer_query },
	{ "emoji", offer_emoji }, { "source", offer_sources }, { "command", offer_commands }, { "file", offer_paths },
	{ "tracker", offer_trackers }, { "exchange", offer_exchange }, { "outbox", offer_outbox },
};

static void offer_kind(struct completion *x, const char *kind, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strlen(kinds[i].kind) == len && !memcmp(kinds[i].kind, kind, len))
			kinds[i].offer(x);
	}
}

/* The n-th kind of "thread anchor"; the last one goes on for ever. */
static void offer_positional(struct completion *x, const struct cmd_entry *r, int n)
{
	const char *kind = r->complete ? r->complete : "";
	size_t len = strcspn(kind, " ");

	for (; n > 0 && kind[len]; n--) {
		kind += len + 1;
		len = strcspn(kind, " ");
	}
	offer_kind(x, kind, len);
}

/* What an option's value is called says what it can be. */
static void offer_value(struct completion *x, const struct opt *o)
{
	static const char *const args[][2] = { { "FILE", "file" }, { "DIR", "file" }, { "REV", "rev" }, { "SOURCE", "source" },
		{ "TASK", "task" } };

	for (const char *const *w = o->choices; w && *w; w++)
		offer(x, *w, "");
	for (size_t i = 0; o->arg && i < ARRAY_SIZE(args); i++) {
		if (!strcmp(o->arg, args[i][0]))
			offer_kind(x, args[i][1], strlen(args[i][1]));
	}
}

static const struct opt *find_opt(const struct cmd_entry *r, const char *word)
{
	struct opt_set sets[CMD_OPT_SETS];
	size_t n = cmd_opt_sets(r, NULL, sets), len = strcspn(word, "=");

	for (size_t i = 0; i < n; i++) {
		for (const struct opt *o = sets[i].opts; o->name; o++) {
			bool is_long = word[0] == '-' && word[1] == '-' && strlen(o->name) == len - 2 &&
			    !memcmp(o->name, word + 2, len - 2);
			if (is_long || (word[0] == '-' && word[1] == o->ch && o->ch && !word[2]))
				return o;
		}
	}
	return NULL;
}

static void offer_options(struct completion *x, const struct cmd_entry *r)
{
	struct opt_set sets[CMD_OPT_SETS];
	size_t n = cmd_opt_sets(r, NULL, sets);

	for (size_t i = 0; i < n; i++) {
		for (const struct opt *o = sets[i].opts; o->name; o++)
			offer(x, arena_printf(x->c->arena, "--%s%s", o->name, o->arg ? "=" : ""), o->help);
	}
}

static void complete_in_row(struct completion *x, const struct cmd_entry *r, int argc, const char *const *argv)
{
	const struct opt *last = argc > 1 ? find_opt(r, argv[argc - 2]) : NULL, *o;
	const char *eq;
	bool dashes = false;
	int n = 0;

	for (int i = 0; i + 1 < argc; i++) {
		o = find_opt(r, argv[i]);
		dashes = dashes || !strcmp(argv[i], "--");
		if (o && o->type != OPT_FLAG && !strchr(argv[i], '='))
			i++;
		else if (argv[i][0] != '-')
			n++;
	}
	if (last && last->type != OPT_FLAG && !strchr(argv[argc - 2], '=')) {
		offer_value(x, last);
	} else if (!dashes && x->cur[0] == '-' && (eq = strchr(x->cur, '=')) && (o = find_opt(r, x->cur))) {
		x->prefix = arena_memdup(x->c->arena, x->cur, (size_t)(eq - x->cur) + 1);
		x->cur = eq + 1;
		offer_value(x, o);
	} else if (!dashes && x->cur[0] == '-') {
		offer_options(x, r);
	} else {
		offer_positional(x, r, n);
	}
}

static void complete_words(struct completion *x, int argc, const char *const *argv)
{
	const struct cmd_entry *r;

	while (argc > 2 && !strcmp(argv[0], "-C"))
		argc -= 2, argv += 2;
	if (argc == 2 && !strcmp(argv[0], "-C")) {
		offer_paths(x);
		return;
	}
	if (argc < 2) {
		offer_rows(x, NULL);
		return;
	}
	r = cmd_find(argv[0], NULL);
	if (r && r->sub && argc == 2 && x->cur[0] != '-') {
		offer_rows(x, r->sub);
		return;
	}
	if (r && r->sub && argc > 2 && cmd_find(argv[0], argv[1])) {
		r = cmd_find(argv[0], argv[1]);
		argc--, argv++;
	}
	if (r)
		complete_in_row(x, r, argc - 1, argv + 1);
}

static int run_complete(struct cmd *c, struct err *e)
{
	struct completion x = { .c = c, .cur = c->argc ? c->argv[c->argc - 1] : "", .prefix = "" };
	bool own = !c->work;

	(void)e;
	complete_words(&x, c->argc, c->argv);
	out_settle(c);
	if (own && c->work) {
		work_close(c->work);
		c->work = NULL;
	}
	return 0;
}

const struct cmd_entry complete_commands[] = {
	{ .name = "__complete", .args = "WORD…", .summary = "what may stand here, for shells", .max_args = -1,
		.flags = CMD_HIDDEN | CMD_RAW, .run = run_complete },
	{ .name = NULL },
};
