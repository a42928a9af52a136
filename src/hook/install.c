/* SPDX-License-Identifier: MIT */
/*
 * Installing hooks: a fixed three-line script a hook, which runs "killick hook run NAME". What stood there before stays
 * beside it as NAME.before-killick, still runs (first, and its refusal counts), and is put back by remove, byte for byte:
 * it is only ever linked and renamed, never copied. At no moment is a hook missing: the old file gets its second name
 * before the new script is renamed over the first. A script that somebody edited is never overwritten.
 * The script does without killick when it is gone, so that removing the program never breaks a commit.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hooks.h"
#include "killick/base/file.h"
#include "killick/base/proc.h"

#define MADE_BY "# Made by \"killick hook install\"; \"killick hook remove\" undoes it.\n"
#define SCRIPT_MAX 65536

enum hook_found { FOUND_NOTHING, FOUND_OURS, FOUND_EDITED, FOUND_OTHER };

struct hook_file {
	const struct hook_row *row;
	struct buf path, before;
};

static void hook_file_init(struct hook_file *f, const char *dir, const struct hook_row *row)
{
	f->row = row;
	buf_init(&f->path);
	buf_init(&f->before);
	buf_addf(&f->path, "%s/%s", dir, row->name);
	buf_addf(&f->before, "%s%s", f->path.ptr, HOOK_BEFORE_SUFFIX);
}

static void hook_file_release(struct hook_file *f)
{
	buf_release(&f->path);
	buf_release(&f->before);
}

void hook_dir(struct repo *r, struct arena *a, struct buf *out, bool *shared)
{
	const char *set = NULL;

	*shared = false;
	if (!repo_config(r, CONFIG_ANY, "core.hookspath", a, &set) || !*set) {
		buf_addf(out, "%s/hooks", repo_commondir(r));
		return;
	}
	if (set[0] == '~' && set[1] == '/' && getenv("HOME"))
		buf_addf(out, "%s%s", getenv("HOME"), set + 1);
	else if (set[0] == '/')
		buf_addstr(out, set);
	else /* githooks(5): relative to where hooks run, the top of the work tree */
		buf_addf(out, "%s/%s", repo_top(r) ? repo_top(r) : repo_gitdir(r), set);
	*shared = !(repo_top(r) && str_starts(out->ptr, repo_top(r))) && !str_starts(out->ptr, repo_commondir(r));
}

bool hook_installed(struct repo *r)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	bool shared, found;

	hook_dir(r, &a, &path, &shared);
	buf_addstr(&path, "/post-commit");
	found = file_read(path.ptr, SCRIPT_MAX, &text, &e) == 0 && strstr(text.ptr, "hook run post-commit");
	buf_release(&path);
	buf_release(&text);
	arena_release(&a);
	return found;
}

static void script_tail(struct buf *b, const char *name)
{
	buf_addf(b, "; [ -x \"$k\" ] && exec \"$k\" hook run %s \"$@\"; b=\"$0%s\"; [ ! -x \"$b\" ] || exec \"$b\" \"$@\"\n",
	    name, HOOK_BEFORE_SUFFIX);
}

static int script_text(const char *name, struct buf *b, struct err *e)
{
	struct buf self = BUF_INIT;

	if (!proc_self(&self))
		return err_errno(e, "cannot tell where the killick program is (/proc/self/exe)");
	buf_addstr(b, "#!/bin/sh\n" MADE_BY "k=");
	buf_add_shell_word(b, self.ptr);
	script_tail(b, name);
	buf_release(&self);
	return 0;
}

/* Ours whatever path it names: the program may have moved since. */
static bool script_is_ours(const struct buf *text, const char *name)
{
	struct buf tail = BUF_INIT;
	bool ours;

	script_tail(&tail, name);
	ours = str_starts(text->ptr, "#!/bin/sh\n" MADE_BY "k='") && str_ends(text->ptr, tail.ptr) &&
	    strchr(strchr(strchr(text->ptr, '\n') + 1, '\n') + 1, '\n') == text->ptr + text->len - 1;
	buf_release(&tail);
	return ours;
}

static enum hook_found hook_look(const struct hook_file *f)
{
	struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct stat st;
	enum hook_found found = FOUND_OTHER;

	if (lstat(f->path.ptr, &st))
		return FOUND_NOTHING;
	if (S_ISREG(st.st_mode) && file_read(f->path.ptr, SCRIPT_MAX, &text, &ignored) == 0) {
		if (script_is_ours(&text, f->row->name))
			found = FOUND_OURS;
		else if (strstr(text.ptr, MADE_BY))
			found = FOUND_EDITED;
	}
	buf_release(&text);
	return found;
}

static int keep_before(const struct hook_file *f, struct err *e)
{
	if (path_exists(f->before.ptr))
		return err_set(e, ERR_CONFLICT,
		    "both %s and %s exist, and the first is not killick's: merge them by hand into one of the two",
		    f->path.ptr, f->before.ptr);
	if (linkat(AT_FDCWD, f->path.ptr, AT_FDCWD, f->before.ptr, 0) == 0 || rename(f->path.ptr, f->before.ptr) == 0)
		return 0;
	return err_errno(e, "cannot keep the present hook as %s", f->before.ptr);
}

static int install_one(struct cmd *c, const struct hook_file *f, struct err *e)
{
	struct buf text = BUF_INIT;
	enum hook_found found = hook_look(f);
	int rc = -1;

	if (found == FOUND_EDITED)
		return err_set(e, ERR_CONFLICT, "%s was made by killick and changed since: remove the change or the file first",
		    f->path.ptr);
	if (found == FOUND_OTHER && keep_before(f, e))
		return -1;
	if (script_text(f->row->name, &text, e) || file_write(f->path.ptr, text.ptr, text.len, 0755, e))
		goto out;
	if (chmod(f->path.ptr, 0755)) {
		err_errno(e, "cannot make %s executable", f->path.ptr);
		goto out;
	}
	out_text(c, STYLE_STRONG, f->row->name);
	out_textf(c, STYLE_NORMAL, " installed: %s%s", f->row->does,
	    path_exists(f->before.ptr) ? " (after the hook that was there, which still runs)" : "");
	out_line(c);
	rc = 0;
out:
	buf_release(&text);
	return rc;
}

static int remove_one(struct cmd *c, const struct hook_file *f, struct err *e)
{
	switch (hook_look(f)) {
	case FOUND_NOTHING:
		return 0;
	case FOUND_OTHER:
		return 0;
	case FOUND_EDITED:
		return err_set(e, ERR_CONFLICT, "%s was changed since killick made it: it is left alone, remove it by hand",
		    f->path.ptr);
	case FOUND_OURS:
		break;
	}
	if (path_exists(f->before.ptr) ? rename(f->before.ptr, f->path.ptr) : unlink(f->path.ptr))
		return err_errno(e, "cannot remove %s", f->path.ptr);
	out_text(c, STYLE_STRONG, f->row->name);
	out_textf(c, STYLE_NORMAL, "  removed%s", path_exists(f->path.ptr) ? "; the hook that was there is back" : "");
	out_line(c);
	return 0;
}

/* The rows that the words name; none: all that fit this kind of repository. */
static int each_hook(struct cmd *c, int (*fn)(struct cmd *, const struct hook_file *, struct err *), bool all,
    struct err *e)
{
	struct buf dir = BUF_INIT;
	bool shared, bare = repo_is_bare(c->work->repo);
	const struct hook_row *row;
	int rc = 0;

	for (int i = 0; i < c->argc; i++) {
		if (!hook_find(c->argv[i]))
			return err_set(e, ERR_USAGE, "killick has no hook '%s': see \"killick hook status\"", c->argv[i]);
	}
	hook_dir(c->work->repo, c->arena, &dir, &shared);
	for (row = hook_rows; row->name && rc == 0; row++) {
		struct hook_file f;
		bool wanted = c->argc == 0 && (all || row->bare == bare);

		for (int i = 0; i < c->argc; i++)
			wanted = wanted || !strcmp(c->argv[i], row->name);
		if (!wanted)
			continue;
		hook_file_init(&f, dir.ptr, row);
		rc = fn(c, &f, e);
		hook_file_release(&f);
	}
	buf_release(&dir);
	return rc;
}

/* Hooks do nothing where killick is not set up: whoever installs them here wants them to work here. */
static int set_up(struct cmd *c, struct err *e)
{
	bool was = work_is_set_up(c->work);

	if (work_log(c->work, true, e))
		return -1;
	if (!was) {
		out_textf(c, STYLE_NORMAL, "%s is set up", repo_name(c->work->repo));
		out_line(c);
	}
	return 0;
}

int hook_install(struct cmd *c, struct err *e)
{
	const struct hook_install_opts *o = c->values;
	struct buf dir = BUF_INIT;
	bool shared;
	int rc = -1;

	hook_dir(c->work->repo, c->arena, &dir, &shared);
	if (shared && !o->shared) {
		err_set(e, ERR_CONFLICT, "core.hooksPath is %s, which other repositories use too: \"killick hook install --shared\" "
		    "puts the hooks there all the same (they do nothing where killick is not set up)", dir.ptr);
		goto out;
	}
	if (mkdir(dir.ptr, 0777) && errno != EEXIST) {
		err_errno(e, "cannot make the hooks folder %s", dir.ptr);
		goto out;
	}
	rc = each_hook(c, install_one, false, e) || set_up(c, e) ? -1 : 0;
out:
	buf_release(&dir);
	return rc;
}

int hook_remove(struct cmd *c, struct err *e)
{
	return each_hook(c, remove_one, true, e);
}

static int status_one(struct cmd *c, const struct hook_file *f, struct err *e)
{
	static const char *const words[] = {
		[FOUND_NOTHING] = "not installed", [FOUND_OURS] = "installed",
		[FOUND_EDITED] = "installed, changed since", [FOUND_OTHER] = "another hook is there",
	};
	enum hook_found found = hook_look(f);
	bool chained = path_exists(f->before.ptr);

	(void)e;
	if (out_json(c)) {
		json_t *j = json_object();

		json_put_str(j, "name", f->row->name);
		json_object_set_new(j, "installed", json_boolean(found == FOUND_OURS || found == FOUND_EDITED));
		json_object_set_new(j, "chained", json_boolean(chained));
		json_put_str(j, "state", words[found]);
		json_put_str(j, "path", f->path.ptr);
		json_put_str(j, "does", f->row->does);
		out_item(c, j);
		return 0;
	}
	out_textf(c, STYLE_STRONG, "%-20s", f->row->name);
	out_textf(c, found == FOUND_OURS ? STYLE_OK : STYLE_DIM, "%s%s", words[found],
	    chained && found == FOUND_OURS ? ", with the one that was there" : "");
	out_textf(c, STYLE_DIM, "  %s", f->row->does);
	out_line(c);
	return 0;
}

int hook_status(struct cmd *c, struct err *e)
{
	int rc;

	if (out_json(c))
		out_list_begin(c, "hooks");
	rc = each_hook(c, status_one, true, e);
	if (out_json(c))
		out_list_end(c);
	return rc;
}
