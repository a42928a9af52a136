/* SPDX-License-Identifier: MIT */
/*
 * From words to a kept text. The order is what makes no word get lost: the text is a draft in the desk before anything
 * is sent, and the draft goes only after the ops are durable. With the editor the draft exists before the editor does,
 * and names the editor's file, so that a text whose killick was killed is found again (compose_recover).
 *
 * A desk that cannot be written (full disk, no home) does not stop a text that came with -m: it is sent without a net,
 * and shown again if that fails.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "composefile.h"
#include "killick/base/file.h"
#include "killick/cmd/act.h"
#include "killick/store/settings.h"
#include "killick/text/sanitize.h"

#define POST_MAX (1u << 20)     /* one post; the manual says so */
#define TEXT_MAX (16u << 20)    /* what is read at all, so that an over-long text can be kept */

int compose_to(struct cmd *c, enum audience *out, struct source **source, struct err *e)
{
	const char *to = c->posting.to;
	struct sources *all;

	*source = NULL;
	*out = c->posting.private_ ? AUDIENCE_PRIVATE : AUDIENCE_EVERYONE;
	if (!to)
		return 0;
	if (!strcmp(to, "private"))
		*out = AUDIENCE_PRIVATE;
	else if (strcmp(to, "native")) {
		all = act_sources(c, e);
		*source = all ? sources_find(all, to, e) : NULL;
		/* there it is a note that some may see only */
		return !*source || (c->posting.private_ && act_can(c, *source, CAP_PRIVATE_NOTES, e)) ? -1 : 0;
	} else if (c->posting.private_)
		return err_set(e, ERR_USAGE, "--private and --to %s contradict each other", to);
	return 0;
}

void compose_goes(struct cmd *c, const struct compose *p, struct buf *b)
{
	if (p->to)
		act_audience_there(c, p->to, p->where, p->audience == AUDIENCE_PRIVATE, b);
	else
		compose_audience(c, p->audience, b);
}

void compose_audience(struct cmd *c, enum audience aud, struct buf *b)
{
	struct remote_info *remotes;
	const char *set;

	if (aud == AUDIENCE_PRIVATE) {
		buf_addstr(b, "private; only you: it never leaves this machine");
		return;
	}
	buf_addf(b, "native %s; everyone who can fetch from ", repo_name(c->work->repo));
	set = setting_get(c->work->repo, c->arena, "remote");
	if (*set)
		buf_addstr(b, set);
	else if (repo_remotes(c->work->repo, c->arena, &remotes))
		buf_addstr(b, remotes[0].name);
	else
		buf_addstr(b, "a remote you will sync with (there is none yet)");
}

void compose_normalise(struct buf *out, const char *p, size_t n, bool *lossy)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\r' && i + 1 < n && p[i + 1] == '\n')
			continue;
		if (p[i])
			buf_addch(&b, p[i]);
		else
			buf_addstr(&b, "\xef\xbf\xbd");
	}
	text_to_utf8(out, b.ptr, b.len);
	*lossy = memchr(p, 0, n) || out->len != b.len || memcmp(out->ptr, b.ptr, b.len);
	buf_release(&b);
	buf_rtrim(out);
	for (size_t line; (line = strspn(out->ptr, " \t\n")) && memchr(out->ptr, '\n', line);) {
		size_t cut = (size_t)((char *)memrchr(out->ptr, '\n', line) - out->ptr) + 1;
		memmove(out->ptr, out->ptr + cut, out->len - cut);
		buf_setlen(out, out->len - cut);
	}
}

/* Standard input or a file of any kind (a pipe of <(…) too). */
static int read_text(struct cmd *c, const char *name, struct buf *b, struct err *e)
{
	bool is_stdin = !strcmp(name, "-");
	char piece[65536];
	ssize_t n;
	int fd, rc;

	b->max = TEXT_MAX;
	if (!is_stdin) {
		fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return err_errno(e, "cannot read the text from '%s'", name);
		rc = file_read_fd(fd, name, TEXT_MAX, b, e);
		close(fd);
		return rc;
	}
	if (!c->io->in)
		return err_set(e, ERR_USAGE, "there is no standard input here: give the text with -m TEXT or -F FILE");
	while ((n = c->io->in(c->io->ctx, piece, sizeof(piece))) > 0 && !b->over)
		buf_add(b, piece, (size_t)n);
	if (n < 0)
		return err_errno(e, "cannot read the text from standard input");
	return b->over ? err_set(e, ERR_BAD_DATA, "standard input has more than 16 MiB: a post holds at most 1 MiB") : 0;
}

static int draft_put(struct cmd *c, struct compose *p, const char *body, const char *problem, struct err *e)
{
	struct buf anchor = BUF_INIT, extra = BUF_INIT;
	struct draft d = { .id = p->draft, .repo = repo_commondir(c->work->repo), .verb = p->verb, .target = p->target,
		.audience = audience_name(p->audience), .to = p->to ? p->to->d.name : p->audience == AUDIENCE_PRIVATE ? "private" : "native",
		.title = p->title, .body = body, .problem = problem };
	json_t *j;
	int rc = work_desk(c->work, e);

	if (rc)
		return rc;
	if (p->anchor) {
		j = anchor_to_op(p->anchor);
		json_write(&anchor, j);
		json_decref(j);
		d.anchor = anchor.ptr;
	}
	if (p->extra) {
		json_write(&extra, p->extra);
		d.extra = extra.ptr;
	}
	rc = desk_draft_put(c->work->desk, c->arena, &d, e);
	if (!rc)
		p->draft = d.id;
	buf_release(&anchor);
	buf_release(&extra);
	return rc;
}

/* Keeps the text; when even that fails the user is told, and goes on without a net. */
static int keep(struct cmd *c, struct compose *p, const char *problem, struct err *e)
{
	struct err fault = ERR_INIT;

	if (!draft_put(c, p, p->body, problem, &fault))
		return 0;
	if (c->posting.draft || problem) {
		*e = fault;
		return err_prefix(e, "the text could not be kept as a draft");
	}
	out_note(c, "going on without a draft: %s", fault.msg);
	return 0;
}

/* What a stored op may hold: escapes make some texts six times as long. */
static bool too_long(const char *body)
{
	struct buf b = BUF_INIT;
	size_t raw = strlen(body), stored;
	json_t *j;

	if (raw <= OP_MAX_BYTES / 8)
		return false;
	if (raw > POST_MAX)
		return true;
	j = json_str_or_null(body);
	json_write(&b, j);
	json_decref(j);
	stored = b.len;
	buf_release(&b);
	return stored > OP_MAX_BYTES - (1u << 19);
}

static int refuse_long(struct cmd *c, struct compose *p, struct err *e)
{
	size_t n = strlen(p->body);

	if (keep(c, p, "too long: a post holds at most 1 MiB", e))
		return -1;
	return err_set(e, ERR_BAD_DATA, "the text has %zu bytes, a post holds at most 1 MiB; it is kept as draft %s "
	    "('killick drafts edit %s' shortens it)", n, p->draft, p->draft);
}

static void said_kept(struct cmd *c, const struct compose *p)
{
	json_t *j = json_object();

	json_put_str(j, "id", p->draft);
	json_put_str(j, "verb", p->verb);
	json_put_str(j, "target", p->target);
	out_text(c, STYLE_ID, p->draft);
	out_textf(c, STYLE_NORMAL, " kept as a draft, nothing was sent: killick drafts send %s", p->draft);
	out_line(c);
	out_doc(c, "draft", j);
}

/* The text is there: checks it, keeps it unless the editor's way has done so. */
static int take(struct cmd *c, struct compose *p, bool kept, struct err *e)
{
	if (too_long(p->body))
		return refuse_long(c, p, e);
	if (!kept && keep(c, p, NULL, e))
		return -1;
	if (c->posting.draft) {
		said_kept(c, p);
		p->stop = true;
	}
	return 0;
}

static int from_words(struct cmd *c, struct compose *p, struct err *e)
{
	struct buf raw = BUF_INIT, text = BUF_INIT;
	bool lossy = false;
	int rc = 0;

	if (c->posting.message && c->posting.file)
		return err_set(e, ERR_USAGE, "-m and -F exclude each other: one text");
	if (c->posting.message)
		buf_addstr(&raw, c->posting.message);
	else
		rc = read_text(c, c->posting.file, &raw, e);
	if (!rc) {
		compose_normalise(&text, raw.ptr, raw.len, &lossy);
		p->body = arena_strdup(c->arena, text.ptr);
		if (!text.len)
			rc = err_set(e, ERR_USAGE, "the text is empty: nothing is sent");
		else if (lossy)
			out_note(c, "the text is not UTF-8: bytes that cannot be shown became U+FFFD");
	}
	buf_release(&raw);
	buf_release(&text);
	return rc;
}

/* The draft first, then the editor on a file named after it; the file goes when the draft holds its text. */
static int from_editor(struct cmd *c, struct compose *p, struct err *e)
{
	const char *before = p->start ? p->start : "", *body = NULL;
	struct err fault = ERR_INIT;
	int rc;

	if (draft_put(c, p, before, NULL, e))
		return err_prefix(e, "no place to keep the text, so the editor is not opened");
	rc = composefile_edit(c, p, before, &body, e);
	if (!body && (composefile_there(c, p) || *before))
		return err_prefix(e, "draft %s stays", p->draft);
	if (!body) {
		compose_done(c, p);
		return rc;
	}
	if (!*body || (!strcmp(body, before) && !(p->flags & COMPOSE_EDITOR))) {
		composefile_drop(c, p);
		compose_done(c, p);
		return rc ? rc : err_set(e, ERR_CANCELLED, *body ? "nothing was changed, nothing is sent" :
		    "nothing was written, nothing is sent");
	}
	p->body = body;
	if (draft_put(c, p, body, rc ? e->msg : NULL, &fault)) {
		*e = fault;
		return err_prefix(e, "nothing is sent, the text is in the file of draft %s", p->draft);
	}
	composefile_drop(c, p);
	return rc ? err_prefix(e, "nothing is sent, the text is kept ('killick drafts edit %s', 'killick drafts send %s')",
	    p->draft, p->draft) : 0;
}

int compose(struct cmd *c, struct compose *p, struct err *e)
{
	bool given = c->posting.message || c->posting.file;

	if (!given && c->posting.dry_run) {
		act_dry_run(c, p, p->audience);
		p->stop = true;
		return 0;
	}
	if (!given && (p->flags & COMPOSE_OPTIONAL))
		return 0;
	if (given && from_words(c, p, e))
		return -1;
	if (given && c->posting.dry_run) {
		act_dry_run(c, p, p->audience);
		p->stop = true;
		return 0;
	}
	if (given)
		return take(c, p, false, e);
	if (!c->io->edit)
		return err_set(e, ERR_USAGE, "no text: give it with -m TEXT or -F FILE (- reads standard input); an editor "
		    "needs a terminal");
	if (from_editor(c, p, e))
		return -1;
	return take(c, p, true, e);
}

void compose_done(struct cmd *c, struct compose *p)
{
	struct err e = ERR_INIT;

	if (p->draft && c->work->desk && desk_draft_drop(c->work->desk, p->draft, &e))
		out_note(c, "done, but the draft %s could not be dropped: %s", p->draft, e.msg);
	p->draft = NULL;
}

int compose_failed(struct cmd *c, struct compose *p, struct err *e)
{
	struct err fault = ERR_INIT;

	if (p->draft && !draft_put(c, p, p->body, e->msg, &fault))
		return err_prefix(e, "not sent, kept as draft %s ('killick drafts send %s' tries again)", p->draft, p->draft);
	if (p->draft)
		return err_prefix(e, "not sent, kept as draft %s", p->draft);
	if (p->body && !c->posting.message)
		out_note(c, "the text was:\n%s", p->body);
	return err_prefix(e, "not sent");
}
