/* SPDX-License-Identifier: MIT */
/*
 * The tour: a scratch repository in a temporary folder, with a home of its own, made by running git and killick as two
 * people would; then killick itself in it, and the folder removed. Nothing of the user's is read or written, and it shows
 * nothing that the commands do not really do.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "killick/base/file.h"
#include "killick/base/proc.h"
#include "ui.h"

struct tour { struct tui *t; struct arena a; const char *dir; const char *env[16]; const char *ids[8]; size_t n_ids; };

static const char http_c[] =
	"/* A small client: one request at a time, over connections that are kept. */\n"
	"#include \"http.h\"\n\nstatic int http_try(struct http *h)\n{\n\tint fd = pool_take(h->pool, h->host);\n\n"
	"\tif (fd < 0)\n\t\treturn -1;\n\tif (http_send(h, fd) < 0 || http_read(h, fd) < 0) {\n\t\tclose(fd);\n\t\treturn -1;\n\t}\n"
	"\tpool_give(h->pool, fd);\n\treturn 0;\n}\n\n"
	"static int retry_budget(struct http *h)\n{\n\tint left = 3;\n\n\twhile (left--) {\n\t\tif (http_try(h) == 0)\n"
	"\t\t\treturn 0;\n\t\thttp_wait(h);\n\t}\n\treturn -1;\n}\n";
static const char pool_c[] =
	"#include \"pool.h\"\n\nint pool_take(struct pool *p, const char *host)\n{\n\tint fd = socket(AF_INET, SOCK_STREAM, 0);\n\n"
	"\tif (connect(fd, p->addr, p->len) < 0)\n\t\treturn -1;\n\treturn fd;\n}\n\n"
	"void pool_give(struct pool *p, int fd)\n{\n\tp->idle[p->n++] = fd;\n}\n";
static const char guide_md[] =
	"# Widget\n\n## Install\n\nCopy the binary somewhere on your PATH.\n\n### Debian\n\n    apt install widget\n\n"
	"## Limits\n\nThe gateway gives up after four tries.\n";

static int run(struct tour *to, const char *dir, const char *clock, const char *const *argv, struct buf *out, struct err *e)
{
	const char *env[20];
	size_t n = 0;
	struct proc p = { .argv = argv, .dir = dir, .env = env, .out = out, .timeout_ms = 30000 };

	for (; to->env[n]; n++)
		env[n] = to->env[n];
	env[n++] = arena_printf(&to->a, "KILLICK_CLOCK=%s+", clock);
	env[n++] = arena_printf(&to->a, "GIT_AUTHOR_DATE=%s", clock);
	env[n++] = arena_printf(&to->a, "GIT_COMMITTER_DATE=%s", clock);
	env[n] = NULL;
	return proc_run_ok(&p, e);
}

static const char *ago(struct tour *to, int64_t minutes)
{
	char text[TIME_RFC3339_SIZE];

	return arena_strdup(&to->a, time_rfc3339(text, clock_now() - minutes * 60000));
}

/* Who works in a clone of his own; "" and a folder stand for themselves. */
static const char *clone_of(struct tour *to, const char *who)
{
	const char *clone = arena_printf(&to->a, "%s/%s/widget", to->dir, who);

	return path_exists(clone) && *who ? clone : arena_printf(&to->a, "%s/%s", to->dir, who);
}

#define GIT(to, who, when, ...) run((to), clone_of((to), (who)), ago((to), (when)), \
	(const char *const[]){ "git", __VA_ARGS__, NULL }, NULL, e)
#define KILLICK(to, who, when, out, ...) run((to), clone_of((to), (who)), ago((to), (when)), \
	(const char *const[]){ self_path((to)->t), __VA_ARGS__, NULL }, (out), e)

static int put(struct tour *to, const char *path, const char *text, struct err *e)
{
	return file_write(arena_printf(&to->a, "%s/%s", to->dir, path), text, strlen(text), 0644, e);
}

static int make_folders(struct tour *to, struct err *e)
{
	static const char *const names[] = { "home", "ana", "bo", "ana/widget", "ana/widget/src", "ana/widget/src/net",
		"ana/widget/docs" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mkdir(arena_printf(&to->a, "%s/%s", to->dir, names[i]), 0700) < 0)
			return err_errno(e, "%s/%s", to->dir, names[i]);
	return 0;
}

static int name_clone(struct tour *to, const char *who, const char *name, struct err *e)
{
	return GIT(to, who, 0, "config", "user.name", name) < 0 ||
		GIT(to, who, 0, "config", "user.email", arena_printf(&to->a, "%s@example.org", who)) < 0 ? -1 : 0;
}

static int make_repositories(struct tour *to, struct err *e)
{
	const char *origin = arena_printf(&to->a, "%s/acme/widget.git", to->dir);

	if (make_folders(to, e) < 0 || GIT(to, "", 9000, "init", "-q", "--bare", "-b", "main", origin) < 0 ||
	    GIT(to, "ana", 9000, "init", "-q", "-b", "main") < 0 || name_clone(to, "ana", "Ana", e) < 0 ||
	    GIT(to, "ana", 9000, "remote", "add", "origin", origin) < 0)
		return -1;
	if (put(to, "ana/widget/src/net/http.c", http_c, e) < 0 || put(to, "ana/widget/src/net/pool.c", pool_c, e) < 0 ||
	    put(to, "ana/widget/docs/guide.md", guide_md, e) < 0 || GIT(to, "ana", 9000, "add", ".") < 0 ||
	    GIT(to, "ana", 9000, "commit", "-qm", "net: a client that retries") < 0 ||
	    GIT(to, "ana", 9000, "push", "-q", "-u", "origin", "main") < 0)
		return -1;
	return GIT(to, "bo", 4000, "clone", "-q", origin, "widget") < 0 ? -1 : name_clone(to, "bo", "Bo", e);
}

/* Opens a thread and keeps its id. */
static int talk(struct tour *to, const char *who, int64_t when, const char *verb, const char *anchor, const char *text,
    struct err *e)
{
	struct buf out = BUF_INIT;
	int rc = KILLICK(to, who, when, &out, verb, anchor, "-m", text);

	if (rc == 0 && to->n_ids < ARRAY_SIZE(to->ids))
		to->ids[to->n_ids++] = arena_memdup(&to->a, out.ptr, strcspn(out.ptr, " \n"));
	buf_release(&out);
	return rc;
}

static int ana_writes(struct tour *to, struct err *e)
{
	if (talk(to, "ana", 3200, "ask", "src/net/http.c:20-22", "Why three retries, not five?\n\nThe gateway gives up after four, so "
		"five would never be seen. Is three measured?", e) < 0 ||
	    talk(to, "ana", 3000, "decide", "docs/guide.md#limits", "Limits stand in the guide\n\nWhoever changes a limit changes "
		"this section with it.", e) < 0 ||
	    talk(to, "ana", 2000, "ask", "src/net/pool.c:15", "Who closes what was given back?", e) < 0)
		return -1;
	return KILLICK(to, "ana", 1990, NULL, "task", "new", "Say what happens offline", "-m",
		"The guide says nothing about a lost connection.") < 0 || KILLICK(to, "ana", 1980, NULL, "sync") < 0 ? -1 : 0;
}

static int bo_writes(struct tour *to, struct err *e)
{
	if (KILLICK(to, "bo", 1900, NULL, "sync") < 0 ||
	    KILLICK(to, "bo", 300, NULL, "reply", to->ids[0], "-m", "Three is what ops allows, see the *Limits* section. Measured it is "
		"not: I can run it against the test gateway tomorrow.") < 0 ||
	    talk(to, "bo", 120, "remark", "src/net/pool.c:7-8", "This leaks when connect() fails\n\n`fd` is open here and nobody else "
		"knows it:\n\n```c\nif (connect(fd, p->addr, p->len) < 0) {\n\tclose(fd);\n\treturn -1;\n}\n```", e) < 0 ||
	    talk(to, "bo", 90, "ask", "HEAD", "Which release shall this land in?", e) < 0)
		return -1;
	return KILLICK(to, "bo", 60, NULL, "sync");
}

/* What is asked about moves on, so that the places have something to show. */
static int code_moves(struct tour *to, struct err *e)
{
	struct buf b = BUF_INIT;
	int rc;

	buf_addstr(&b, "/* Copyright Acme. */\n\n");
	buf_addstr(&b, http_c);
	rc = put(to, "ana/widget/src/net/http.c", b.ptr, e);
	buf_release(&b);
	if (rc < 0 || GIT(to, "ana", 50, "commit", "-qam", "net: say whose it is") < 0 || KILLICK(to, "ana", 40, NULL, "sync") < 0)
		return -1;
	return KILLICK(to, "ana", 30, NULL, "note", "--private", "src/net/pool.c:3", "-m", "Read pool_take again before the release. "
		"(Private: it never leaves this machine.)");
}

static void set_env(struct tour *to)
{
	static const char *const unset[] = { "KILLICK_TRACE", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE" };
	size_t n = 0;

	to->env[n++] = arena_printf(&to->a, "HOME=%s/home", to->dir);
	to->env[n++] = arena_printf(&to->a, "XDG_CACHE_HOME=%s/home/cache", to->dir);
	to->env[n++] = arena_printf(&to->a, "XDG_DATA_HOME=%s/home/data", to->dir);
	to->env[n++] = arena_printf(&to->a, "XDG_CONFIG_HOME=%s/home/config", to->dir);
	to->env[n++] = "GIT_CONFIG_NOSYSTEM=1";
	to->env[n++] = "KILLICK_TOUR=1";
	for (size_t i = 0; i < ARRAY_SIZE(unset); i++)
		to->env[n++] = unset[i];
	to->env[n] = NULL;
}

static int make_tour(struct tour *to, struct err *e)
{
	if (mkdir(arena_printf(&to->a, "%s/acme", to->dir), 0700) < 0)
		return err_errno(e, "%s/acme", to->dir);
	return make_repositories(to, e) < 0 || ana_writes(to, e) < 0 || bo_writes(to, e) < 0 ? -1 : code_moves(to, e);
}

static int take_tour(struct tour *to, struct err *e)
{
	const char *const argv[] = { self_path(to->t), NULL };
	struct proc p = { .argv = argv, .dir = clone_of(to, "ana"), .env = to->env, .flags = PROC_TTY };
	int rc;

	term_leave(to->t->term);
	rc = proc_run(&p, e);
	term_return(to->t->term);
	return rc;
}

static void remove_tour(struct tour *to)
{
	const char *const argv[] = { "rm", "-rf", "--", to->dir, NULL };
	struct proc p = { .argv = argv, .flags = PROC_NEW_SESSION };
	struct err e = ERR_INIT;

	if (proc_run_ok(&p, &e) < 0)
		tui_say(to->t, MSG_ERROR, "%s could not be removed: %s", to->dir, e.msg);
}

int tour_run(struct tui *t, struct err *e)
{
	struct tour to = { .t = t };
	const char *tmp = getenv("TMPDIR");
	char *dir = arena_printf(&to.a, "%s/killick-tour.XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
	int rc;

	if (getenv("KILLICK_TOUR")) {
		arena_release(&to.a);
		tui_say(t, MSG_INFO, "this is the tour; Q ends it");
		return 0;
	}
	if (!mkdtemp(dir)) {
		arena_release(&to.a);
		return err_errno(e, "a temporary folder for the tour");
	}
	to.dir = dir;
	tui_say(t, MSG_INFO, "making the tour's repository in %s (a second or two)", dir);
	tui_paint(t);
	t->messages.fresh = false;
	set_env(&to);
	rc = make_tour(&to, e);
	if (rc == 0)
		rc = take_tour(&to, e);
	remove_tour(&to);
	arena_release(&to.a);
	t->dirty = true;
	return rc < 0 ? err_prefix(e, "the tour") : 0;
}
