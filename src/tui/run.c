/* SPDX-License-Identifier: MIT */
/*
 * What leaves the screens: killick's own commands with their words caught, programs that take the terminal (editor),
 * programs that do not (browser, clipboard), and the sync in the background.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/base/proc.h"
#include "killick/git/permalink.h"
#include "killick/store/settings.h"
#include "killick/sync/source.h"
#include "killick/text/sanitize.h"
#include "output.h"
#include "ui.h"

struct caught { struct tui *t; struct buf out, err; };

static int caught_out(void *ctx, const char *p, size_t n)
{
	buf_add(&((struct caught *)ctx)->out, p, n);
	return 0;
}

static void caught_err(void *ctx, const char *p, size_t n)
{
	buf_add(&((struct caught *)ctx)->err, p, n);
}

static int edit_caught(void *ctx, const char *path, unsigned line, struct err *e)
{
	return tui_editor(((struct caught *)ctx)->t, path, line, e);
}

/* "killick: " at the start of a line says who speaks, which on these screens is plain. */
static void drop_names(struct buf *b)
{
	struct buf out = BUF_INIT;
	const char *p = b->ptr;

	while (*p) {
		size_t n = strcspn(p, "\n");

		if (str_starts(p, "killick: "))
			buf_add(&out, p + 9, n - 9);
		else
			buf_add(&out, p, n);
		p += n;
		if (*p)
			buf_addch(&out, *p++);
	}
	buf_release(b);
	*b = out;
}

static size_t count_lines(const struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->ptr[i] == '\n';
	return n + (b->len && b->ptr[b->len - 1] != '\n');
}

/* A line or two are said; more is a screen of its own. */
static void tell(struct tui *t, struct caught *c, int status, const char *what, bool quiet)
{
	struct buf said = BUF_INIT;

	drop_names(&c->err);
	if (!quiet && count_lines(&c->out) > 2)
		output_open(t, what, c->out.ptr, c->out.len);
	else if (!quiet)
		buf_addbuf(&said, &c->out);
	buf_addbuf(&said, &c->err);
	if (status && !c->err.len)
		buf_addf(&said, "%s: status %d", what, status);
	else if (!quiet && !c->out.len && !c->err.len)
		buf_addf(&said, "%s: done", what);
	if (said.len)
		tui_say(t, status ? MSG_ERROR : MSG_INFO, "%s", said.ptr);
	buf_release(&said);
}

/* A range that was asked about is done with. */
static void unmark(struct tui *t, const char *verb)
{
	static const char *const verbs[] = { "ask", "remark", "decide", "note" };
	struct screen *s = tui_screen(t);

	for (size_t i = 0; s && i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verb, verbs[i])) {
			s->main->mark = SIZE_MAX;
			if (s->side)
				s->side->mark = SIZE_MAX;
		}
}

int tui_command(struct tui *t, int argc, const char *const *argv, struct buf *out)
{
	struct caught c = { t, BUF_INIT, BUF_INIT };
	const struct canvas *canvas = term_canvas(t->term);
	struct cmd_io io = { .ctx = &c, .out = caught_out, .err = caught_err, .edit = edit_caught, .ascii = t->ascii,
		.width = canvas->cols > 4 ? canvas->cols - 2 : 80, .height = canvas->rows };
	const struct cmd_entry *entry = cmd_find(argv[0], NULL);
	int status;

	if (t->plain)
		io.width = 80;
	status = cmd_run(&io, t->work, argc, argv);
	if (!entry || entry->needs & NEED_WRITE || entry->sub)
		tui_stale(t);
	if (!status)
		unmark(t, argv[0]);
	t->set_up = work_is_set_up(t->work) || work_has_sources(t->work);
	t->generation = t->work->index ? index_generation(t->work->index) : 0;
	if (out)
		buf_addbuf(out, &c.out);
	tell(t, &c, status, argv[0], out != NULL);
	buf_release(&c.out);
	buf_release(&c.err);
	return status;
}

int tui_foreground(struct tui *t, const char *const *argv, const char *dir, int *status, struct err *e)
{
	struct proc p = { .argv = argv, .dir = dir, .flags = PROC_TTY | PROC_KEEP_GIT_ENV };
	int rc;

	term_leave(t->term);
	rc = proc_run(&p, e);
	term_return(t->term);
	*status = p.status;
	tui_refresh(t);
	return rc;
}

int tui_editor(struct tui *t, const char *path, unsigned line, struct err *e)
{
	int rc;

	term_leave(t->term);
	rc = cmd_editor(path, line, e);
	term_return(t->term);
	t->dirty = true;
	return rc;
}

/* ---- copying and browsing */

static void clip_command(struct tui *t, const char *what, const char *command, const char *text)
{
	struct proc p = { .in = text, .in_len = strlen(text), .timeout_ms = 3000, .flags = PROC_STDERR_NULL };
	struct err e = ERR_INIT;
	const char **argv;

	if (!proc_split(&t->acting, command, &argv) || !argv[0]) {
		tui_say(t, MSG_ERROR, "setting killick.clipboard: quotes do not match: %s", command);
		return;
	}
	p.argv = argv;
	if (proc_run_ok(&p, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
	else
		tui_say(t, MSG_INFO, "%s copied: %s", what, text);
}

void tui_clip(struct tui *t, const char *what, const char *text)
{
	const char *how = setting_text(t, "clipboard");

	if (!text || !*text) {
		tui_say(t, MSG_INFO, "there is no %s here to copy", what);
	} else if (!strcmp(how, "osc52")) {
		term_clipboard(t->term, text, strlen(text));
		tui_say(t, MSG_INFO, "%s copied: %s", what, text);
	} else if (*how) {
		clip_command(t, what, how, text);
	} else if (getenv("TMUX")) {
		clip_command(t, what, "tmux load-buffer -", text);
	} else {
		/* No way to the clipboard was allowed: shown whole, nothing but it, to be marked by hand. */
		output_open(t, what, text, strlen(text));
		tui_say(t, MSG_INFO, "mark it to copy; \":config clipboard osc52\" (or xclip, wl-copy) copies at once");
	}
}

static bool url_is_safe(const char *url)
{
	if (!str_starts(url, "https://") && !str_starts(url, "http://"))
		return false;
	for (const unsigned char *p = (const unsigned char *)url; *p; p++)
		if (*p <= ' ' || *p >= 127 || strchr("\"'`<>\\^{|}", *p))
			return false;
	return true;
}

static void browser_done(struct tui *t, struct job *j, int status)
{
	(void)j;
	if (status)
		tui_say(t, MSG_ERROR, "the browser command ended with status %d (setting killick.browser)", status);
}

void tui_browse(struct tui *t, const char *url)
{
	static const struct job_ops ops = { .done = browser_done };
	const char *command = setting_text(t, "browser"), **words, **argv;
	struct err e = ERR_INIT;
	size_t n = 0;

	if (!url || !url_is_safe(url)) {
		tui_say(t, MSG_INFO, url ? "this address is not opened: %s" : "there is no page for this: no remote is a forge we know "
			"(setting killick.forge), or its commit was not pushed", url);
		return;
	}
	if (!proc_split(&t->acting, *command ? command : getenv("BROWSER") && *getenv("BROWSER") ? getenv("BROWSER") : "xdg-open", &words)) {
		tui_say(t, MSG_ERROR, "setting killick.browser: quotes do not match: %s", command);
		return;
	}
	while (words[n])
		n++;
	argv = arena_alloc(&t->acting, sizeof(*argv) * (n + 2));
	memcpy(argv, words, sizeof(*argv) * n);
	argv[n] = url;
	if (!job_start(t, "browser", argv, NULL, 0, &ops, NULL, &e))
		tui_say(t, MSG_ERROR, "%s; the address is %s", e.msg, url);
	else
		tui_say(t, MSG_INFO, "opening %s", url);
}

/* ---- the sync */

void tui_progress(struct tui *t, const char *text)
{
	struct buf b = BUF_INIT;
	const char *last;

	buf_addstr(&b, text);
	buf_trim(&b);
	last = strrchr(b.ptr, '\n');
	last = last ? last + 1 : b.ptr;
	if (str_starts(last, "killick: "))
		last += 9;
	if (*last) {
		free(t->world.progress);
		t->world.progress = xstrdup(last);
		t->dirty = true;
	}
	buf_release(&b);
}

static void sync_data(struct tui *t, struct job *j, const char *p, size_t n)
{
	(void)t;
	buf_add(&j->line, p, n);
}

static void sync_done(struct tui *t, struct job *j, int status)
{
	char *last = t->world.progress;

	buf_trim(&j->line);
	t->world.progress = NULL;
	if (status)
		tui_say(t, MSG_ERROR, "%s", last && strcmp(last, "syncing") ? last : "the sync failed; \":sync\" says why");
	else
		tui_say(t, MSG_INFO, "%s", j->line.len ? j->line.ptr : "synced");
	free(last);
	t->ticked = 0;
	tui_refresh(t);
}

/* ---- connecting a tracker */

bool tui_tracker(struct tui *t, struct arena *a, const char **kind, const char **remote)
{
	struct remote_info *remotes;
	size_t n = work_has_sources(t->work) ? 0 : repo_remotes(t->work->repo, a, &remotes);

	for (size_t i = 0; i < n; i++) {
		struct remote_url u;
		enum forge f = remote_url_parse(a, remotes[i].url, &u) ? forge_of_host(u.host) : FORGE_UNKNOWN;

		if (f != FORGE_GITHUB && f != FORGE_GITEA)
			continue;
		*kind = f == FORGE_GITHUB ? "github" : "gitea";
		*remote = remotes[i].name;
		return true;
	}
	return false;
}

static void connect_done(struct tui *t, struct job *j, int status)
{
	char *last = t->world.progress;

	buf_trim(&j->line);
	t->world.progress = NULL;
	if (status) {
		tui_say(t, MSG_ERROR, "%s", last && !str_starts(last, "connecting ") ? last : "not connected; \":source add\" says why");
	} else {
		tui_say(t, MSG_INFO, "%s", j->line.ptr);
		tui_say(t, MSG_INFO, "connected: its tasks are being read; t shows them");
		t->pulled = 0;
	}
	free(last);
	t->ticked = 0;
	tui_refresh(t);
}

void tui_connect(struct tui *t)
{
	static const struct job_ops ops = { .data = sync_data, .done = connect_done };
	static const char *const env[] = { "GIT_TERMINAL_PROMPT=0", "SSH_ASKPASS_REQUIRE=force", NULL };
	const char *kind, *remote, *dir = repo_top(t->work->repo) ? repo_top(t->work->repo) : repo_gitdir(t->work->repo);
	struct err e = ERR_INIT;

	if (!tui_tracker(t, &t->acting, &kind, &remote)) {
		tui_run_line(t, "tasks");
		return;
	}
	const char *const argv[] = { self_path(t), "-C", dir, "source", "add", remote, NULL };
	if (job_find(t, "connect"))
		return;
	if (!job_start(t, "connect", argv, env, PROC_STDERR_INHERIT, &ops, NULL, &e)) {
		tui_say(t, MSG_ERROR, "%s", e.msg);
		return;
	}
	free(t->world.progress);
	t->world.progress = xasprintf("connecting %s", kind);
	t->dirty = true;
}

static void pull_done(struct tui *t, struct job *j UNUSED, int status)
{
	if (status)
		trace("tui", "pulling ended with %d", status);
	t->world_stale = true;
	t->ticked = 0;
	if (t->sync_waits)
		tui_sync(t);
}

void tui_pull(struct tui *t)
{
	static const struct job_ops ops = { .done = pull_done };
	static const char *const env[] = { "GIT_TERMINAL_PROMPT=0", "SSH_ASKPASS_REQUIRE=force", NULL };
	const char *dir = repo_top(t->work->repo) ? repo_top(t->work->repo) : repo_gitdir(t->work->repo);
	int64_t every = setting_int(t->work->repo, "sync.interval");
	struct err e = ERR_INIT;
	struct sources all;
	const char **argv;
	size_t n = 0;

	if (every <= 0 || (t->pulled && clock_mono() - t->pulled < every) || job_find(t, "sync") || job_find(t, "pull") ||
	    work_sources(t->work, &all, &e))
		return;
	t->pulled = clock_mono();
	argv = arena_alloc(&t->acting, (all.len + 6) * sizeof(*argv));
	argv[n++] = self_path(t);
	argv[n++] = "-C";
	argv[n++] = dir;
	argv[n++] = "sync";
	argv[n++] = "-q";
	for (size_t i = 0; i < all.len; i++)
		if (!all.items[i].unusable)
			argv[n++] = all.items[i].d.name;
	if (n > 5 && !job_start(t, "pull", argv, env, PROC_STDERR_NULL, &ops, NULL, &e))
		trace("tui", "%s", e.msg);
	sources_release(&all);
}

void tui_sync(struct tui *t)
{
	static const struct job_ops ops = { .data = sync_data, .done = sync_done };
	static const char *const env[] = { "GIT_TERMINAL_PROMPT=0", "SSH_ASKPASS_REQUIRE=force", NULL };
	const char *const argv[] = { self_path(t), "-C", repo_top(t->work->repo) ? repo_top(t->work->repo) :
		repo_gitdir(t->work->repo), "sync", NULL };
	struct remote_info *remotes;
	struct err e = ERR_INIT;

	if (job_find(t, "sync") || (t->sync_waits && job_find(t, "pull"))) {
		tui_say(t, MSG_INFO, "a sync is under way: Esc stops it");
		return;
	}
	if (!t->set_up && !repo_remotes(t->work->repo, &t->acting, &remotes)) {
		tui_say(t, MSG_INFO, "nothing to sync with yet: no remote is set (git remote add), and no tracker is connected");
		return;
	}
	/* Two at a time would be in each other's way. */
	t->sync_waits = job_find(t, "pull") != NULL;
	if (!t->sync_waits && !job_start(t, "sync", argv, env, PROC_STDERR_INHERIT, &ops, NULL, &e)) {
		tui_say(t, MSG_ERROR, "%s", e.msg);
		return;
	}
	free(t->world.progress);
	t->world.progress = xstrdup("syncing");
	t->dirty = true;
}
