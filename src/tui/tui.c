/* SPDX-License-Identifier: MIT */
/*
 * The main loop. It waits on the keyboard, the signals and the children at once, and never on anything else: keys are
 * answered first and painted at once, then children are read, then one slice of idle work is done if no key waits.
 *
 * The first paint shows what is in the index. Bringing the index up to the store, and places up to HEAD, can take long
 * after a big fetch: a child does it (tui_catch_up), and the screens load again when the index's generation moves, as they
 * do when any other process has written.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "files.h"
#include "killick/base/file.h"
#include "killick/base/proc.h"
#include "killick/store/settings.h"
#include "killick/sync/source.h"
#include "killick/text/sanitize.h"
#include "killick/tui/tui.h"
#include "ui.h"

#define TICK_MS 1000
#define AHEAD_MS 1000

const char *setting_text(struct tui *t, const char *name)
{
	/* "view12" can be typed. */
	return setting_find(name) ? setting_get(t->work->repo, &t->acting, name) : "";
}

const char *glyph(const struct tui *t, const char *utf8, const char *ascii)
{
	return t->ascii ? ascii : utf8;
}

const char *tui_now_relative(struct tui *t, int64_t time)
{
	char text[TIME_RELATIVE_SIZE];

	return time ? arena_strdup(&t->frame, time_relative(text, time, clock_now())) : "";
}

const char *self_path(struct tui *t)
{
	struct buf path = BUF_INIT;

	if (!t->self)
		t->self = proc_self(&path) ? buf_detach(&path) : xstrdup("killick");
	return t->self;
}

/* ---- the key table */

static void key_fault(void *ctx, unsigned line, const char *msg)
{
	tui_say(ctx, MSG_ERROR, "keys file, line %u: %s", line, msg);
}

/* A file of the user's in killick's folder of settings; false where there is none. */
static bool own_file(struct tui *t, const char *name, struct buf *text)
{
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	bool found = xdg_path(XDG_CONFIG, name, &path, &e) == 0 && path_exists(path.ptr);

	if (found && file_read(path.ptr, 1 << 20, text, &e) < 0) {
		tui_say(t, MSG_ERROR, "%s", e.msg);
		found = false;
	}
	buf_release(&path);
	return found;
}

static void load_keys(struct tui *t)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; view_table[i]; i++)
		*array_add(&t->keys.places) = view_table[i]->name;
	keymap_text(&t->keys, keymap_defaults, key_fault, t);
	if (own_file(t, "keys", &text))
		keymap_text(&t->keys, text.ptr, key_fault, t);
	buf_release(&text);
}

static void load_colours(struct tui *t)
{
	struct buf text = BUF_INIT;
	unsigned n = 0;

	if (own_file(t, "colours", &text))
		for (char *line = text.ptr, *next; line; line = next) {
			struct err e = ERR_INIT;

			next = strchr(line, '\n');
			if (next)
				*next++ = '\0';
			n++;
			if (term_colour(t->term, line, &e) < 0)
				tui_say(t, MSG_ERROR, "colours file, line %u: %s", n, e.msg);
		}
	buf_release(&text);
}

/* ---- standard error, which must not write over the screen */

static void catch_stderr(struct tui *t)
{
	int fds[2];

	t->errpipe = t->saved_stderr = -1;
	if (!isatty(STDERR_FILENO) || pipe(fds) < 0)
		return;
	t->saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	for (int i = 0; i < 2; i++) {
		fcntl(fds[i], F_SETFD, FD_CLOEXEC);
		fcntl(fds[i], F_SETFL, O_NONBLOCK);
	}
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	t->errpipe = fds[0];
}

/* While a sync runs, what is said is its progress; its last word stays if it fails. */
void tui_read_stderr(struct tui *t)
{
	char chunk[4096];
	ssize_t n;

	if (t->errpipe < 0)
		return;
	while ((n = read(t->errpipe, chunk, sizeof(chunk) - 1)) > 0) {
		chunk[n] = '\0';
		if (job_find(t, "sync") || job_find(t, "connect"))
			tui_progress(t, chunk);
		else
			tui_say(t, MSG_INFO, "%s", chunk);
	}
}

static void give_stderr_back(struct tui *t)
{
	if (t->saved_stderr >= 0) {
		tui_read_stderr(t);
		dup2(t->saved_stderr, STDERR_FILENO);
		close(t->saved_stderr);
	}
	if (t->errpipe >= 0)
		close(t->errpipe);
	t->errpipe = t->saved_stderr = -1;
}

/* ---- what others write */

void tui_refresh(struct tui *t)
{
	repo_refresh(t->work->repo);
	t->epoch++;
	t->tab = (int)setting_int(t->work->repo, "tabWidth");
	if (t->files)
		files_get(t, true);
	tui_stale(t);
}

/* What the child has brought up is found in the index; this process only looks its rows up again. */
static void take_in(struct tui *t)
{
	struct err e = ERR_INIT;

	if (work_refresh(t->work, 0, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
	t->generation = t->work->index ? index_generation(t->work->index) : 0;
	tui_stale(t);
}

static void done_catching_up(struct tui *t, struct job *j, int status)
{
	(void)j;
	if (status)
		trace("tui", "catching up ended with %d", status);
	take_in(t);
}

/* Any command that needs places brings index and places up; this one says next to nothing. */
static void catch_up(struct tui *t)
{
	static const struct job_ops ops = { .done = done_catching_up };
	const char *top = repo_top(t->work->repo);
	const char *const argv[] = { self_path(t), "-C", top ? top : repo_gitdir(t->work->repo), "at", ".", "--json", NULL };
	struct err e = ERR_INIT;

	if (!job_start(t, "catch-up", argv, NULL, 0, &ops, NULL, &e))
		trace("tui", "cannot catch up: %s", e.msg);
}

/* An index that lives in this process alone (no place to keep one) can only be brought up here. */
static void catch_up_here(struct tui *t)
{
	struct err e = ERR_INIT;
	bool done;

	if (work_places_some(t->work, 0, SLICE_MS, &done, &e) < 0)
		trace("tui", "%s", e.msg);
	take_in(t);
}

/* Marks of what places and folds depend on: the log's refs and HEAD. Neither needs more than a few stats. An index that
 * another process threw away is built anew by the child too. */
static void look_for_ops(struct tui *t)
{
	char stamp[NLOG_STAMP_SIZE] = "";
	struct oid head = OID_ZERO;
	struct buf path = BUF_INIT;
	bool moved;

	if (!t->store && nlog_exists(t->work->repo, &path))
		t->store = xstrdup(path.ptr);
	buf_release(&path);
	if (job_find(t, "catch-up"))
		return;
	repo_head(t->work->repo, &head, NULL);
	moved = !oid_equal(&head, &t->head);
	t->head = head;
	if (moved)
		tui_refresh(t);
	if (!t->store)
		return;
	nlog_stamp(t->store, stamp);
	if (!strcmp(stamp, t->stamp) && !moved && !index_stale(t->work->index))
		return;
	memcpy(t->stamp, stamp, sizeof(stamp));
	t->set_up = true;
	if (index_in_memory(t->work->index))
		catch_up_here(t);
	else
		catch_up(t);
}

static void tick_views(struct tui *t)
{
	struct screen *s = tui_screen(t);
	struct view *both[] = { s ? s->main : NULL, s ? s->side : NULL };

	for (size_t i = 0; i < ARRAY_SIZE(both); i++)
		if (both[i] && both[i]->ops->tick && both[i]->area.h > 0)
			both[i]->ops->tick(both[i]);
}

static void look_for_writers(struct tui *t)
{
	if (clock_mono() - t->ticked < TICK_MS && t->ticked)
		return;
	t->ticked = clock_mono();
	tick_views(t);
	tui_pull(t);
	look_for_ops(t);
	if (t->work->index && index_generation(t->work->index) != t->generation)
		take_in(t);
}

/* ---- keys */

void tui_key(struct tui *t, const struct key *k)
{
	struct view *v = tui_view(t);
	const char *command;

	/* Who clicks has seen what the keys before it have done. */
	if (k->code == K_MOUSE && t->dirty)
		tui_paint(t);
	t->dirty = true;
	if (k->code == K_PASTE_BEGIN || k->code == K_PASTE_END) {
		t->pasting = k->code == K_PASTE_BEGIN;
		return;
	}
	if (t->pasting) {
		prompt_paste(t, k->code);
		return;
	}
	if (k->code == K_RESIZE) {
		tui_paint(t);
		return;
	}
	t->messages.fresh = false;
	if (t->prompt) {
		prompt_key(t, k);
		return;
	}
	if (k->code == K_MOUSE) {
		tui_click(t, k);
		return;
	}
	command = keymap_get(&t->keys, v->ops->name, k->code);
	if (command) {
		tui_run_line(t, command);
	} else {
		struct buf name = BUF_INIT;

		key_format(&name, k->code);
		tui_say(t, MSG_INFO, "%s does nothing here; ? shows the keys", name.ptr);
		buf_release(&name);
	}
}

/* ---- keys that are typed ahead mean what they would mean one by one */

static bool leave_if_over(struct tui *t)
{
	struct screen *s = tui_screen(t);

	if (t->prompt || !s || !(s->main->over || (s->side && s->side->over)))
		return false;
	tui_back(t);
	return true;
}

static bool is_behind(const struct view *v)
{
	return v && v->stale;
}

/* What was never painted knows no rows for a key to go to, and what an act has changed stands there as it was before. */
static void bring_up(struct tui *t)
{
	while (!t->done && !t->prompt) {
		struct screen *s = tui_screen(t);

		if (is_behind(s->main) || is_behind(s->side) || tui_view(t)->area.h <= 0)
			tui_paint(t);
		if (!leave_if_over(t))
			return;
	}
}

/* These need no rows, and who is in a hurry gets away. */
static bool waits_for_nothing(struct tui *t, uint32_t code)
{
	static const char *const commands[] = { "back", "quit", "cancel", "redraw", "suspend", "command", "filter", "jump", "keys" };
	const char *command;

	if (code == K_MOUSE || code == K_RESIZE || code == K_PASTE_BEGIN || code == K_PASTE_END || t->pasting)
		return true;
	if (t->prompt)
		return !prompt_acts(t, code);
	command = keymap_get(&t->keys, tui_view(t)->ops->name, code);
	for (size_t i = 0; command && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(command, commands[i]))
			return true;
	return !command;
}

static void look_at_pending(struct tui *t)
{
	const struct view *v = tui_view(t);

	if (!view_pending(tui_view(t)))
		t->pending = NULL;
	else if (t->pending != v) {
		t->pending = v;
		t->pending_since = clock_mono();
	}
}

/* The rows it is for are on their way: it waits for them, but for so long only, however many keys there are. */
static bool is_too_early(struct tui *t, uint32_t code)
{
	if (waits_for_nothing(t, code))
		return false;
	prompt_settle(t);
	look_at_pending(t);
	return t->pending && clock_mono() - t->pending_since < AHEAD_MS;
}

static bool next_key(struct tui *t, struct key *k)
{
	if (t->held.code) {
		*k = t->held;
		t->held.code = 0;
		return true;
	}
	return term_key(t->term, k);
}

/* A run of keys (a held arrow) is taken whole, but a paint is never far away. True: there may be more. */
static bool take_keys(struct tui *t)
{
	int64_t start = clock_mono();
	struct key k;

	while (!t->done && next_key(t, &k)) {
		bring_up(t);
		if (!t->done && is_too_early(t, k.code)) {
			t->held = k;
			return false;
		}
		if (!t->done)
			tui_key(t, &k);
		if (clock_mono() - start > 8)
			return true;
	}
	return false;
}

static bool idle(struct tui *t)
{
	struct screen *s = tui_screen(t);
	int64_t until = clock_mono() + SLICE_MS;
	bool more = false;

	if (!s)
		return false;
	prompt_settle(t);
	if (leave_if_over(t))
		return true;
	if (t->world_stale) {
		world_update(t);
		return true;
	}
	s = tui_screen(t);
	more = view_idle(tui_view(t), until);
	if (s->side && !more)
		more = view_idle(s->side_focus ? s->main : s->side, until);
	return more;
}

bool tui_key_waits(struct tui *t)
{
	struct pollfd fd = { .fd = term_key_fd(t->term), .events = POLLIN };

	if (t->held.code)
		return false;
	if (term_fed(t->term))
		return true;
	return fd.fd >= 0 && poll(&fd, 1, 0) > 0;
}

bool tui_time_over(struct tui *t, int64_t until)
{
	return clock_mono() >= until || tui_key_waits(t);
}

bool tui_turn(struct tui *t)
{
	bool keys = take_keys(t), more = true;

	if (t->done)
		return false;
	if (t->dirty)
		tui_paint(t);
	jobs_poll(t);
	tui_read_stderr(t);
	look_for_writers(t);
	if (!tui_key_waits(t)) {
		more = idle(t);
		memory_check(t);
	}
	if (t->pending)
		look_at_pending(t);
	return keys || more || t->dirty || (t->held.code && !t->pending);
}

/* ---- waiting */

#define MAX_FDS 16
void tui_wait(struct tui *t, int ms)
{
	struct pollfd fds[MAX_FDS];
	nfds_t n = 0;

	if (t->held.code && ms > 20)
		ms = 20;
	if (term_key_fd(t->term) >= 0 && !t->held.code)
		fds[n++] = (struct pollfd){ .fd = term_key_fd(t->term), .events = POLLIN };
	if (term_signal_fd(t->term) >= 0)
		fds[n++] = (struct pollfd){ .fd = term_signal_fd(t->term), .events = POLLIN };
	if (t->errpipe >= 0)
		fds[n++] = (struct pollfd){ .fd = t->errpipe, .events = POLLIN };
	for (struct job *j = t->jobs; j && n < MAX_FDS; j = j->next) {
		if (!j->eof)
			fds[n++] = (struct pollfd){ .fd = j->fd, .events = POLLIN };
		else if (ms > 20)
			ms = 20;
	}
	if (poll(fds, n, ms) < 0 && errno != EINTR)
		t->done = true;
	if (n && fds[0].fd == term_key_fd(t->term) && fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		t->done = true;
}

void tui_loop(struct tui *t)
{
	bool more = true;

	while (!t->done) {
		int signo;

		if (!more)
			tui_wait(t, t->jobs ? 100 : TICK_MS);
		signo = term_signalled(t->term);
		if (signo) {
			t->status = 128 + signo;
			t->done = true;
			break;
		}
		more = tui_turn(t);
	}
}

void tui_settle(struct tui *t, int64_t ms)
{
	int64_t until = clock_mono() + ms;

	while (!t->done && clock_mono() < until) {
		bool more = tui_turn(t);

		if (!more && !t->jobs && !t->held.code)
			break;
		if (!more)
			tui_wait(t, 10);
	}
	if (!t->done && t->dirty)
		tui_paint(t);
}

/* ---- beginning and end */

int tui_init(struct tui *t, struct work *w, const struct term_config *c, bool plain, struct err *e)
{
	t->work = w;
	t->plain = plain;
	t->errpipe = t->saved_stderr = -1;
	t->patience = c->headless ? -1 : PATIENCE_MS;
	buf_init(&t->dump);
	if (work_index(w, e) < 0 || term_open(&t->term, c, e) < 0)
		return -1;
	repo_frugal(w->repo);
	t->ascii = term_ascii(t->term);
	t->set_up = work_is_set_up(w) || work_has_sources(w);
	t->world_stale = true;
	if (!c->headless)
		catch_stderr(t);
	t->tab = (int)setting_int(w->repo, "tabWidth");
	t->generation = index_generation(w->index);
	repo_head(w->repo, &t->head, NULL);
	/* The first paint comes first; where there is none to see, what waits for things to settle waits for this too. */
	t->ticked = c->headless ? 0 : clock_mono() - TICK_MS + 50;
	load_keys(t);
	load_colours(t);
	return 0;
}

void tui_release(struct tui *t)
{
	prompt_close(t);
	while (t->screens.len) {
		struct screen *s = &t->screens.items[--t->screens.len];

		view_free(s->side);
		view_free(s->main);
	}
	array_release(&t->screens);
	jobs_release(t);
	files_release(t);
	term_close(t->term);
	give_stderr_back(t);
	messages_release(&t->messages);
	world_release(&t->world);
	keymap_release(&t->keys);
	arena_release(&t->frame);
	arena_release(&t->acting);
	buf_release(&t->dump);
	free(t->store);
	free(t->last_line);
	free(t->self);
}
