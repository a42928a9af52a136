/* SPDX-License-Identifier: MIT */
/*
 * doctor: looks at everything killick stands on, one row of a table each, and names for each fault the command that
 * mends it. It opens things itself, one by one, so that a broken index does not hide a broken desk. Only --mend changes
 * anything.
 */
#include "config.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "families.h"
#include "killick/base/clock.h"
#include "killick/base/file.h"
#include "killick/base/proc.h"
#include "killick/cmd/act.h"
#include "killick/store/settings.h"

enum { FORK_OPS_SHOWN = 10 };

struct doctor_values { bool mend; };
static const struct opt doctor_opts[] = {
	{ 0, "mend", OPT_FLAG, offsetof(struct doctor_values, mend), NULL, "repair what can be repaired without loss", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

enum level { LEVEL_OK, LEVEL_NOTE, LEVEL_PROBLEM };
struct exam {
	struct cmd *c;
	const char *name;
	bool mend;
	unsigned problems, said;
};

static void PRINTF_LIKE(4, 5) find(struct exam *x, enum level level, const char *mend, const char *fmt, ...)
{
	static const char *const words[] = { "ok", "note", "problem" };
	static const enum style styles[] = { STYLE_OK, STYLE_NORMAL, STYLE_ERROR };
	struct buf text = BUF_INIT;
	json_t *j = json_object();
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	x->said++;
	x->problems += level == LEVEL_PROBLEM;
	json_put_str(j, "name", x->name);
	json_put_str(j, "state", words[level]);
	json_put_str(j, "message", text.ptr);
	json_put_str(j, "mend", mend);
	out_cell(x->c, styles[level], words[level], 8);
	out_cell(x->c, STYLE_STRONG, x->name, 11);
	out_text(x->c, STYLE_NORMAL, text.ptr);
	out_line(x->c);
	if (mend) {
		out_textf(x->c, STYLE_DIM, "                   mend: %s", mend);
		out_line(x->c);
	}
	out_item(x->c, j);
	buf_release(&text);
}

/* Reports have a line each; nothing in them is fine. */
static void find_lines(struct exam *x, enum level level, const char *mend, const struct buf *report)
{
	for (const char *p = report->ptr; *p;) {
		size_t n = strcspn(p, "\n");
		if (n)
			find(x, level, mend, "%.*s", (int)n, p);
		p += n + (p[n] == '\n');
	}
}

static void exam_git(struct exam *x)
{
	static const char *const argv[] = { "git", "--version", NULL };
	struct buf out = BUF_INIT;
	struct proc p = { .argv = argv, .out = &out };
	struct err e = ERR_INIT;

	if (proc_run_ok(&p, &e)) {
		find(x, LEVEL_PROBLEM, "apt install git", "%s", e.msg);
	} else {
		buf_rtrim(&out);
		find(x, LEVEL_OK, NULL, "%s; %s", out.ptr, PACKAGE_STRING);
	}
	buf_release(&out);
}

static void exam_repository(struct exam *x)
{
	struct work *w = x->c->work;
	struct err e = ERR_INIT;
	struct oid head;

	if (!w) {
		struct repo *r = NULL;
		if (repo_find(NULL, &r, &e))
			find(x, LEVEL_PROBLEM, e.code == ERR_NOT_FOUND ? "git init" : NULL, "%s", e.msg);
		repo_close(r);
		return;
	}
	if (!repo_head(w->repo, &head, NULL))
		find(x, LEVEL_NOTE, NULL, "no commit yet: threads can go on the project and on files");
	else if (repo_resolve(w->repo, "HEAD", &head, &e))
		find(x, LEVEL_PROBLEM, "git fsck", "%s", e.msg);
	if (repo_is_shallow(w->repo))
		find(x, LEVEL_NOTE, "git fetch --unshallow", "a shallow clone: places before its border cannot be known");
	if (!x->said)
		find(x, LEVEL_OK, NULL, "%s in %s", repo_name(w->repo), repo_gitdir(w->repo));
}

static void exam_identity(struct exam *x)
{
	struct person me;
	struct err e = ERR_INIT;

	if (!x->c->work)
		return;
	if (act_me(x->c, &me, &e))
		find(x, LEVEL_PROBLEM, "git config --global user.email you@example.org", "%s", e.msg);
	else
		find(x, LEVEL_OK, NULL, "you write as %s <%s>", person_label(&me), me.email ? me.email : "");
}

static void exam_store_logs(struct exam *x, struct nlog *l)
{
	struct nlog_heads heads = NLOG_HEADS_INIT;
	struct err e = ERR_INIT;
	uint64_t unpushed = nlog_unpushed(l);
	struct remote_info *remotes;
	size_t n = repo_remotes(x->c->work->repo, x->c->arena, &remotes);

	if (nlog_writers(l, &heads, &e)) {
		find(x, LEVEL_PROBLEM, "killick doctor --mend", "%s", e.msg);
		return;
	}
	if (nlog_new_writer(l))
		find(x, LEVEL_NOTE, NULL, "%s", nlog_new_writer(l));
	find(x, LEVEL_OK, NULL, "%s: %zu writer%s, repository id %s", nlog_path(l), heads.len, heads.len == 1 ? "" : "s",
	    nlog_repo_id(l));
	if (unpushed && n)
		find(x, LEVEL_NOTE, "killick sync", "%llu op%s of yours nobody else has yet", (unsigned long long)unpushed,
		    unpushed == 1 ? "" : "s");
	else if (unpushed)
		find(x, LEVEL_NOTE, "git remote add origin URL", "no remote: nobody else can get what you write");
	nlog_heads_release(&heads);
}

static void exam_store(struct exam *x)
{
	struct work *w = x->c->work;
	struct buf path = BUF_INIT, report = BUF_INIT;
	struct err e = ERR_INIT;

	if (!w)
		return;
	if (!nlog_exists(w->repo, &path)) {
		find(x, LEVEL_NOTE, "killick init", "not set up yet: the first thread does it too");
	} else if (work_log(w, false, &e)) {
		find(x, LEVEL_PROBLEM, "killick doctor --mend", "%s", e.msg);
	} else {
		if (access(path.ptr, W_OK))
			find(x, LEVEL_PROBLEM, arena_printf(x->c->arena, "chmod -R u+rwX %s", path.ptr), "%s cannot be written: %s",
			    path.ptr, strerror(errno));
		if (x->mend && nlog_scrub(w->log, NULL, &report, &e))
			find(x, LEVEL_PROBLEM, NULL, "%s", e.msg);
		find_lines(x, LEVEL_NOTE, NULL, &report);
		exam_store_logs(x, w->log);
	}
	buf_release(&path);
	buf_release(&report);
}

/* "post by Ana, 2026-01-02T03:04:05Z: first words", or "" for what is no op. */
static const char *op_in_words(struct arena *a, const char *bytes, size_t n)
{
	char when[TIME_RFC3339_SIZE];
	struct buf title = BUF_INIT;
	const char *body, *out;
	struct op op;

	if (!n || op_decode(bytes, n, &op, NULL))
		return "";
	if ((body = json_get_str(op.payload, "body")))
		title_from_body(&title, body);
	out = arena_printf(a, "%s by %s, %s%s%s", op.type_name, person_label(&op.author), time_rfc3339(when, op.time),
	    title.len ? ": " : "", title.ptr);
	buf_release(&title);
	op_release(&op);
	return out;
}

/* Lines in a log that break its chain: whoever wrote them can say it again, and joining mends those of another id. */
static int see_quarantined(void *ctx, const char *writer, const char *why, const char *bytes, size_t n)
{
	struct exam *x = ctx;
	struct arena *a = x->c->arena;
	const char *says = op_in_words(a, bytes, n), *join = strstr(why, "killick init --join ");
	const char *mend = "its writer has to say it again";

	if (join)
		mend = arena_printf(a, "%.*s", (int)strcspn(join, "'"), join);
	else if (!n)
		mend = "killick sync, then killick doctor --mend";
	find(x, LEVEL_PROBLEM, mend, "a line of %zu bytes of writer %.8s is kept out: %s%s%s%s", n, writer, why,
	    *says ? " (" : "", says, *says ? ")" : "");
	return 0;
}

/* ---- forks ---- */

struct forks { struct exam *x; uint64_t shown; };

static const char *fork_mend(struct exam *x, const struct nlog_fork *f)
{
	struct work *w = x->c->work;
	struct arena *a = x->c->arena;

	if (f->own)
		return "killick sync";
	if (!f->remote)
		return arena_printf(a, "git --git-dir=%s update-ref -d %s (no remote has this address any more)",
		    nlog_path(w->log), f->ref);
	return arena_printf(a, "have %s run 'killick sync' where that is written: it goes on under a new writer id and "
	    "says everything again. If the copy on '%s' is the wrong one: git push %s --delete %s/%s, then killick sync",
	    person_label(&f->author), f->remote, f->remote, setting_get(w->repo, a, "namespace"), f->writer);
}

static int see_fork(void *ctx, const struct nlog_fork *f)
{
	struct forks *s = ctx;
	struct exam *x = s->x;

	s->shown = 0;
	find(x, f->remote ? LEVEL_PROBLEM : LEVEL_NOTE, fork_mend(x, f), "the log of %s (writer %.8s) on %s%s%s parts from the one here after %llu op%s: "
	    "%llu there kept out, %llu here not there", person_label(&f->author), f->writer, f->remote ? "'" : "",
	    f->remote ? f->remote : "a former remote", f->remote ? "'" : "", (unsigned long long)f->from,
	    f->from == 1 ? "" : "s", (unsigned long long)f->theirs, (unsigned long long)f->ours);
	return 0;
}

/* For people the first few; where the rest is to be read is told. */
static int see_fork_op(void *ctx, const struct nlog_fork *f, const char *line, size_t n)
{
	struct forks *s = ctx;
	struct exam *x = s->x;
	const char *says = op_in_words(x->c->arena, line, n);

	s->shown++;
	if (s->shown <= FORK_OPS_SHOWN || out_json(x->c))
		find(x, LEVEL_NOTE, NULL, "kept out: %s", *says ? says : "a line that cannot be read");
	else if (s->shown == FORK_OPS_SHOWN + 1)
		find(x, LEVEL_NOTE, arena_printf(x->c->arena, "git --git-dir=%s log --format=%%B %s",
		    nlog_path(x->c->work->log), f->ref), "and %llu more", (unsigned long long)(f->theirs - FORK_OPS_SHOWN));
	return 0;
}

static void exam_forks(struct exam *x)
{
	struct work *w = x->c->work;
	struct forks s = { .x = x };
	struct err e = ERR_INIT;

	if (!w || !nlog_exists(w->repo, NULL) || work_log(w, false, &e))
		return;
	if (nlog_each_fork(w->log, w->repo, see_fork, see_fork_op, &s, &e))
		find(x, LEVEL_PROBLEM, NULL, "%s", e.msg);
	if (!x->said)
		find(x, LEVEL_OK, NULL, "no remote has a log that parts from the one here");
}

static void exam_index(struct exam *x)
{
	struct work *w = x->c->work;
	struct buf report = BUF_INIT;
	struct err e = ERR_INIT;

	if (!w)
		return;
	if (work_index(w, &e)) {
		find(x, LEVEL_PROBLEM, NULL, "%s", e.msg);
		return;
	}
	if (index_check(w->index, &report, &e))
		find(x, LEVEL_PROBLEM, "killick doctor --mend", "%s", e.msg);
	find_lines(x, LEVEL_PROBLEM, "killick doctor --mend", &report);
	if (x->mend && ((x->problems && index_reset(w->index, &e)) || work_rebuild(w, &e))) {
		find(x, LEVEL_PROBLEM, NULL, "%s", e.msg);
	} else if (x->mend) {
		x->problems = 0;
		find(x, LEVEL_NOTE, NULL, "built anew from the store and the desk");
	}
	if (work_refresh(w, 2000, &e))
		find(x, LEVEL_PROBLEM, "killick doctor --mend", "%s", e.msg);
	if (w->problem)
		find(x, LEVEL_PROBLEM, NULL, "behind: %s", w->problem);
	if ((w->native && index_each_quarantined(w->index, w->native, see_quarantined, x, &e) < 0) ||
	    (w->private_ && index_each_quarantined(w->index, w->private_, see_quarantined, x, &e) < 0))
		find(x, LEVEL_PROBLEM, NULL, "%s", e.msg);
	if (!x->problems)
		find(x, LEVEL_OK, NULL, "%s", index_path(w->index));
	buf_release(&report);
}

static void exam_desk(struct exam *x)
{
	struct work *w = x->c->work;
	struct buf report = BUF_INIT;
	struct draft_list drafts = { NULL, 0, 0 };
	struct err e = ERR_INIT;

	if (!w)
		return;
	if (work_desk(w, &e)) {
		find(x, LEVEL_PROBLEM, NULL, "%s", e.msg);
		return;
	}
	if (desk_check(w->desk, &report, &e))
		find(x, LEVEL_PROBLEM, NULL, "%s", e.msg);
	find_lines(x, LEVEL_PROBLEM, NULL, &report);
	if (!x->said)
		find(x, LEVEL_OK, NULL, "%s", desk_path(w->desk));
	if (!desk_drafts(w->desk, repo_commondir(w->repo), x->c->arena, &drafts, &e) && drafts.len)
		find(x, LEVEL_NOTE, "killick drafts", "%zu draft%s not sent", drafts.len, drafts.len == 1 ? "" : "s");
	buf_release(&report);
}

/* Files and folders of ours that others may read or write. */
static void exam_permissions(struct exam *x)
{
	static const struct { enum xdg_dir dir; const char *name; } ours[] = { { XDG_CACHE, "" }, { XDG_CACHE, "index.db" },
		{ XDG_DATA, "" }, { XDG_DATA, "desk.db" }, { XDG_DATA, "edit" } };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		struct buf path = BUF_INIT;
		struct err e = ERR_INIT;
		struct stat st;

		if (xdg_path(ours[i].dir, ours[i].name, &path, &e) || lstat(path.ptr, &st)) {
			buf_release(&path);
			continue;
		}
		if ((st.st_mode & 077) && !S_ISLNK(st.st_mode) && x->mend && !chmod(path.ptr, st.st_mode & 0700))
			find(x, LEVEL_NOTE, NULL, "%s is yours alone again", path.ptr);
		else if ((st.st_mode & 077) && !S_ISLNK(st.st_mode))
			find(x, LEVEL_PROBLEM, "killick doctor --mend", "%s is open to others", path.ptr);
		if (st.st_uid != geteuid())
			find(x, LEVEL_PROBLEM, NULL, "%s belongs to somebody else", path.ptr);
		buf_release(&path);
	}
	if (!x->said)
		find(x, LEVEL_OK, NULL, "what killick keeps is yours alone");
}

/* Settings that do nothing: unknown names, values nobody understands, programs named by a repository. */
static int see_setting(void *ctx, const char *key, const char *value, const char *origin)
{
	static const char *const families[] = { "source.", "host.", "person." }; /* of any number, with names of the user's */
	struct exam *x = ctx;
	const char *name = strlen(key) > 8 ? key + 8 : "";
	const struct setting *s = setting_find(name);
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (str_starts(name, families[i]))
			return 0;
	if (!s)
		find(x, LEVEL_PROBLEM, arena_printf(x->c->arena, "git config --unset %s", key), "%s in %s is no setting of "
		    "killick's", key, origin);
	else if (setting_check(s, value ? value : "", &e))
		find(x, LEVEL_PROBLEM, arena_printf(x->c->arena, "killick config %s VALUE", name), "%s in %s: %s", key, origin,
		    e.msg);
	return 0;
}

static void exam_settings(struct exam *x)
{
	struct err e = ERR_INIT;

	if (repo_config_each(x->c->work ? x->c->work->repo : NULL, "killick.", see_setting, x, &e) < 0)
		find(x, LEVEL_PROBLEM, NULL, "%s", e.msg);
	if (!x->said)
		find(x, LEVEL_OK, NULL, "nothing unknown, nothing malformed");
}

static void exam_hooks(struct exam *x)
{
	static const char *const names[] = { "post-commit", "commit-msg", "pre-push", "post-rewrite" };
	struct work *w = x->c->work;
	const char *dir = NULL;
	size_t n = 0;

	if (!w)
		return;
	if (!repo_config(w->repo, CONFIG_ANY, "core.hooksPath", x->c->arena, &dir))
		dir = arena_printf(x->c->arena, "%s/hooks", repo_commondir(w->repo));
	else if (dir[0] != '/' && repo_top(w->repo))
		dir = arena_printf(x->c->arena, "%s/%s", repo_top(w->repo), dir);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct buf b = BUF_INIT;
		struct err e = ERR_INIT;

		if (!file_read(arena_printf(x->c->arena, "%s/%s", dir, names[i]), 1u << 16, &b, &e) &&
		    strstr(b.ptr, "killick"))
			n++;
		buf_release(&b);
	}
	if (!n)
		find(x, LEVEL_NOTE, "killick hook install", "not installed: commits open and resolve no threads");
	else if (n < ARRAY_SIZE(names))
		find(x, LEVEL_PROBLEM, "killick hook install", "%zu of %zu hooks looked at are killick's in %s", n,
		    ARRAY_SIZE(names), dir);
	else
		find(x, LEVEL_OK, NULL, "installed in %s", dir);
}

static const struct { const char *name; void (*run)(struct exam *x); } exams[] = {
	{ "git", exam_git },
	{ "repository", exam_repository },
	{ "identity", exam_identity },
	{ "store", exam_store },
	{ "desk", exam_desk },
	{ "index", exam_index },
	{ "forks", exam_forks },
	{ "files", exam_permissions },
	{ "settings", exam_settings },
	{ "hooks", exam_hooks },
};

static int run_doctor(struct cmd *c, struct err *e)
{
	struct doctor_values *v = c->values;
	unsigned problems = 0;

	(void)e;
	out_list_begin(c, "checks");
	for (size_t i = 0; i < ARRAY_SIZE(exams); i++) {
		struct exam x = { .c = c, .name = exams[i].name, .mend = v->mend };
		exams[i].run(&x);
		problems += x.problems;
	}
	out_list_end(c);
	if (problems)
		c->status = EXIT_FAILED;
	if (!out_json(c)) {
		out_textf(c, problems ? STYLE_ERROR : STYLE_OK, problems ? "%u problem%s" : "all is well", problems,
		    problems == 1 ? "" : "s");
		out_line(c);
	}
	return 0;
}

const struct cmd_entry doctor_commands[] = {
	{ .name = "doctor", .summary = "say what is wrong and how to mend it", .opts = doctor_opts,
		.values = sizeof(struct doctor_values), .needs = NEED_REPO_MAYBE, .flags = CMD_JSON, .run = run_doctor },
	{ .name = NULL },
};
