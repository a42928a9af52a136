/* SPDX-License-Identifier: MIT */
/*
 * The settings table. A value is text until somebody asks for it, and is checked both when it is set and when it is read:
 * a configuration file may hold anything, and a mistyped value must not stop a command. doctor tells of those.
 */
#include "config.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "killick/base/clock.h"
#include "killick/store/settings.h"

static const char *const commit_msg[] = { "off", "warn", "refuse", NULL };
static const char *const pre_push[] = { "off", "warn", "block", NULL };
static const char *const forges[] = { "auto", "github", "gitlab", "gitea", "gitiles", "cgit", NULL };
static const char *const themes[] = { "auto", "dark", "light", "plain", NULL };
static const char *const autos[] = { "auto", "true", "false", NULL };

#define VIEW(n) { .name = "view" #n, .type = SETTING_TEXT, .def = "", \
	.help = "A saved query, opened with the key " #n "; \"tasks QUERY\" and \"inbox QUERY\" name another screen than threads." }

const struct setting settings[] = {
	{ .name = "ascii", .type = SETTING_CHOICE, .def = "auto", .choices = autos,
	  .help = "Whether signs are drawn with ASCII alone; auto: where the locale is not UTF-8." },
	{ .name = "browser", .type = SETTING_TEXT, .def = "", .flags = SETTING_USER,
	  .help = "The command that opens web addresses, given as its last word; unset: $BROWSER, else xdg-open." },
	{ .name = "clipboard", .type = SETTING_TEXT, .def = "", .flags = SETTING_USER,
	  .help = "How y copies: osc52 asks the terminal, anything else is a command that reads the text (xclip, wl-copy);"
		  " unset: the text is shown to be marked." },
	{ .name = "commitMsg", .type = SETTING_CHOICE, .def = "warn", .choices = commit_msg,
	  .help = "What the commit-msg hook does about a thread id in a trailer that is unknown or ambiguous." },
	{ .name = "editor", .type = SETTING_TEXT, .def = "", .flags = SETTING_USER,
	  .help = "The editor for longer texts; unset: $VISUAL, $EDITOR, else git's." },
	{ .name = "emoji", .type = SETTING_BOOL, .def = "true",
	  .help = "Whether emoji made of several characters are drawn; false: only their first one, for terminals that"
		  " disagree about their width." },
	{ .name = "forge", .type = SETTING_CHOICE, .def = "auto", .choices = forges,
	  .help = "What serves the remotes' web pages, for permalinks; auto: guessed from the host's name." },
	{ .name = "me", .type = SETTING_TEXT, .def = "", .flags = SETTING_USER,
	  .help = "More mail addresses of yours, separated by blanks or commas: what was written under them is yours too." },
	{ .name = "mouse", .type = SETTING_BOOL, .def = "true", .help = "Whether the screens take the mouse." },
	{ .name = "namespace", .type = SETTING_TEXT, .def = "refs/killick/log",
	  .help = "Where on a remote the logs stand; a host that takes no refs of its own kind wants refs/heads/killick." },
	{ .name = "pager", .type = SETTING_TEXT, .def = "", .flags = SETTING_USER,
	  .help = "The pager for long results on a terminal; unset: git's. \"cat\" for none." },
	{ .name = "place.background", .type = SETTING_BOOL, .def = "true",
	  .help = "Whether a command that left threads without a place starts a process that looks for them." },
	{ .name = "place.threshold", .type = SETTING_REAL, .def = "0.5", .min = 0, .max = 1,
	  .help = "How sure (0 to 1) a place must be; below it a thread is shown as gone with its best guess." },
	{ .name = "plain", .type = SETTING_BOOL, .def = "false",
	  .help = "Whether the screens are told line by line, for screen readers, instead of painted." },
	{ .name = "post.background", .type = SETTING_BOOL, .def = "true",
	  .help = "Whether a command that queued a post for a tracker starts a process that sends it when its delay is over;"
		  " false: the next sync sends it." },
	{ .name = "post.delay", .type = SETTING_DURATION, .def = "10s", .min = 0, .max = 3600000,
	  .help = "How long a post to a tracker waits in the outbox, where it can be recalled. The native store writes at once." },
	{ .name = "post.settle", .type = SETTING_DURATION, .def = "30s", .min = 0, .max = 3600000,
	  .help = "How long a post without an answer may still arrive: it is looked for twice, so far apart, before it is sent"
		  " again." },
	{ .name = "prePush", .type = SETTING_CHOICE, .def = "warn", .choices = pre_push,
	  .help = "What the pre-push hook does about threads still open on what is about to leave." },
	{ .name = "push", .type = SETTING_BOOL, .def = "false",
	  .help = "Whether a git push sends new posts of the native store to the same remote." },
	{ .name = "remote", .type = SETTING_TEXT, .def = "",
	  .help = "The remote that sync exchanges with; unset: the upstream's, else origin, else the only one." },
	{ .name = "sign", .type = SETTING_BOOL, .def = "true",
	  .help = "Whether the log is signed before it is sent, where gpg.format is ssh and user.signingKey is set." },
	{ .name = "sync.interval", .type = SETTING_DURATION, .def = "5m", .min = 0, .max = 86400000,
	  .help = "How often \"sync --watch\" and the screens ask the trackers what is new; 0: the screens never do." },
	{ .name = "sync.timeout", .type = SETTING_DURATION, .def = "60s", .min = 0, .max = 86400000,
	  .help = "How long a sync waits without any sign of life from the other side; 0: for ever." },
	{ .name = "tabWidth", .type = SETTING_INT, .def = "8", .min = 1, .max = 32, .help = "Columns to a TAB in code." },
	{ .name = "theme", .type = SETTING_CHOICE, .def = "auto", .choices = themes,
	  .help = "The colours; auto: as many as the terminal has, none with NO_COLOR." },
	{ .name = "trustRepositoryConfig", .type = SETTING_BOOL, .def = "false", .flags = SETTING_USER,
	  .help = "Whether programs named in a repository's own configuration (credential helpers, ssh commands) are run." },
	VIEW(1), VIEW(2), VIEW(3), VIEW(4), VIEW(5), VIEW(6), VIEW(7), VIEW(8), VIEW(9),
	{ .name = NULL },
};

static const char *const type_names[] = {
	[SETTING_BOOL] = "boolean", [SETTING_INT] = "number", [SETTING_DURATION] = "duration", [SETTING_REAL] = "real",
	[SETTING_TEXT] = "text", [SETTING_CHOICE] = "choice",
};

const char *setting_type_name(enum setting_type t)
{
	return type_names[t];
}

const struct setting *setting_find(const char *name)
{
	if (!strncasecmp(name, "killick.", 8))
		name += 8;
	for (const struct setting *s = settings; s->name; s++)
		if (!strcasecmp(s->name, name))
			return s;
	return NULL;
}

/* git-config(1), "Values": boolean. */
static bool read_bool(const char *v, bool *out)
{
	static const char *const words[][4] = { { "false", "no", "off", "0" }, { "true", "yes", "on", "1" } };

	for (size_t i = 0; i < 8; i++) {
		if (strcasecmp(v, words[i / 4][i % 4]))
			continue;
		*out = i / 4 == 1;
		return true;
	}
	return false;
}

static bool read_real(const char *v, double *out)
{
	char *end;

	/* strtod would take "0x1p3", "inf" and, in some locales, a comma. */
	if (!*v || strspn(v, "0123456789.") != strlen(v))
		return false;
	*out = strtod(v, &end);
	return !*end && isfinite(*out);
}

static bool read_number(const struct setting *s, const char *v, double *out)
{
	uint64_t n;
	int64_t ms;

	if (s->type == SETTING_REAL)
		return read_real(v, out);
	if (s->type == SETTING_DURATION) {
		if (!strcmp(v, "0"))
			ms = 0;
		else if (!duration_parse(v, &ms))
			return false;
		*out = (double)ms;
		return true;
	}
	if (!str_to_u64(v, INT32_MAX, &n))
		return false;
	*out = (double)n;
	return true;
}

static const char *choice_of(const struct setting *s, const char *v)
{
	for (const char *const *c = s->choices; *c; c++)
		if (!strcasecmp(*c, v))
			return *c;
	return NULL;
}

static int bad_choice(const struct setting *s, const char *value, struct err *e)
{
	const char *near = str_nearest(value, s->choices);
	struct buf b = BUF_INIT;

	for (const char *const *c = s->choices; *c; c++)
		buf_addf(&b, "%s%s", c == s->choices ? "" : c[1] ? ", " : " or ", *c);
	err_set(e, ERR_USAGE, "killick.%s is %s, not '%s'%s%s%s", s->name, b.ptr, value, near ? ": did you mean " : "",
		near ? near : "", near ? "?" : "");
	buf_release(&b);
	return -1;
}

static int bad_number(const struct setting *s, const char *value, struct err *e)
{
	if (s->type == SETTING_DURATION)
		return err_set(e, ERR_USAGE, "killick.%s is a time such as 10s, 5m or 2h, at most %g s, not '%s'", s->name,
			       s->max / 1000, value);
	return err_set(e, ERR_USAGE, "killick.%s is a number from %g to %g, not '%s'", s->name, s->min, s->max, value);
}

int setting_check(const struct setting *s, const char *value, struct err *e)
{
	double n;
	bool yes;

	switch (s->type) {
	case SETTING_BOOL:
		return read_bool(value, &yes) ? 0 : err_set(e, ERR_USAGE, "killick.%s is true or false, not '%s'", s->name, value);
	case SETTING_INT:
	case SETTING_DURATION:
	case SETTING_REAL:
		return read_number(s, value, &n) && n >= s->min && n <= s->max ? 0 : bad_number(s, value, e);
	case SETTING_CHOICE:
		return choice_of(s, value) ? 0 : bad_choice(s, value, e);
	case SETTING_TEXT:
		return strpbrk(value, "\r\n") ? err_set(e, ERR_USAGE, "killick.%s is one line", s->name) : 0;
	}
	return 0;
}

static const struct setting *need(const char *name)
{
	const struct setting *s = setting_find(name);

	if (!s)
		BUG("no such setting: %s", name);
	return s;
}

const char *setting_get(struct repo *r, struct arena *a, const char *name)
{
	const struct setting *s = need(name);
	struct err unused = ERR_INIT;
	const char *v;

	if (!repo_config(r, s->flags & SETTING_USER ? CONFIG_USER : CONFIG_ANY, arena_printf(a, "killick.%s", s->name), a, &v) ||
	    setting_check(s, v, &unused))
		return s->def;
	return s->type == SETTING_CHOICE ? choice_of(s, v) : v;
}

bool setting_bool(struct repo *r, const char *name)
{
	struct arena a = ARENA_INIT;
	bool yes = false;

	if (need(name)->type != SETTING_BOOL)
		BUG("killick.%s is no boolean", name);
	read_bool(setting_get(r, &a, name), &yes);
	arena_release(&a);
	return yes;
}

double setting_real(struct repo *r, const char *name)
{
	struct arena a = ARENA_INIT;
	double n = 0;

	read_number(need(name), setting_get(r, &a, name), &n);
	arena_release(&a);
	return n;
}

int64_t setting_int(struct repo *r, const char *name)
{
	return (int64_t)setting_real(r, name);
}

int setting_set(struct repo *r, bool global, const char *name, const char *value, struct err *e)
{
	const struct setting *s = setting_find(name);
	struct buf key = BUF_INIT;
	int rc;

	if (!s)
		return err_set(e, ERR_USAGE, "no such setting: killick.%s", name);
	if (s->flags & SETTING_USER && !global)
		return err_set(e, ERR_USAGE, "killick.%s is read from your own configuration only: set it with --global", s->name);
	if (setting_check(s, value, e))
		return -1;
	buf_addf(&key, "killick.%s", s->name);
	rc = repo_config_set(r, global, key.ptr, value, e);
	buf_release(&key);
	return rc;
}
