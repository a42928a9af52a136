/* SPDX-License-Identifier: MIT */
/*
 * A file with its threads in the margin: the work tree's, or that of a revision. Lines are read as they are shown
 * (filetext.h), so size does not matter. The threads' places are the index's, carried on to the work tree; they are
 * looked up after the first paint of the code when the file is opened plainly. A thread opens beside or below, and
 * follows the cursor from then on.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "filetext.h"
#include "killick/text/sanitize.h"
#include "killick/text/width.h"
#include "rows.h"
#include "views.h"

#define IN_MEMORY (4u << 20)
#define BLOB_MAX (256u << 20)
#define OPEN_MS 400            /* a line that is asked for at the start is looked for this long */

struct file {
	struct view v;
	char *path, *rev;
	struct filetext text;
	bool binary;
	char *error;
	struct thread_list threads;
	size_t n_gone;
	size_t want;            /* row to go to once it is known; SIZE_MAX: none */
	bool text_loaded;
	struct timespec changed; /* of the work tree's file, as it was read */
};

/* ---- reading */

/* Below the top without following links on the way: a link in a repository must not show another file. */
static int open_below(const char *top, const char *path)
{
	int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	char *copy = xstrdup(path), *p = copy, *slash;

	while (dir >= 0 && (slash = strchr(p, '/')) != NULL) {
		*slash = '\0';
		fd = openat(dir, p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(dir);
		dir = fd;
		p = slash + 1;
	}
	fd = dir >= 0 ? openat(dir, p, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
	if (dir >= 0)
		close(dir);
	free(copy);
	return fd;
}

static bool looks_binary(struct filetext *f)
{
	struct buf head = BUF_INIT;
	char chunk[8000];
	ssize_t n = f->on_disk ? pread(f->fd, chunk, sizeof(chunk), 0) : 0;
	bool binary;

	if (!f->on_disk)
		return buf_is_binary(&f->data);
	if (n > 0)
		buf_add(&head, chunk, (size_t)n);
	binary = buf_is_binary(&head);
	buf_release(&head);
	return binary;
}

static int read_work_tree(struct file *f, struct err *e)
{
	struct repo *r = f->v.t->work->repo;
	struct buf b = BUF_INIT;
	struct stat st;
	int fd;

	if (!repo_top(r))
		return err_set(e, ERR_USAGE, "a bare repository has no work tree; name a revision: file %s HEAD", f->path);
	fd = open_below(repo_top(r), f->path);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > IN_MEMORY) {
		filetext_take_fd(&f->text, fd, (uint64_t)st.st_size);
		return 0;
	}
	if (fd >= 0)
		close(fd);
	if (repo_worktree_file(r, f->path, 0, &b, NULL, e) < 0)
		return -1;
	filetext_take(&f->text, &b);
	return 0;
}

static int read_revision(struct file *f, struct err *e)
{
	struct repo *r = f->v.t->work->repo;
	struct buf b = BUF_INIT;
	struct oid commit, blob;
	unsigned mode;

	if (repo_resolve(r, f->rev, &commit, e) < 0 || repo_tree_path(r, &commit, f->path, &blob, &mode, e) < 0)
		return -1;
	if (mode == 0160000)
		return err_set(e, ERR_USAGE, "%s is a submodule there", f->path);
	if (repo_blob(r, &blob, BLOB_MAX, &b, e) < 0)
		return -1;
	filetext_take(&f->text, &b);
	return 0;
}

static struct timespec changed_at(const struct file *f)
{
	const char *top = repo_top(f->v.t->work->repo);
	char *path = top ? xasprintf("%s/%s", top, f->path) : NULL;
	struct stat st = { .st_size = 0 };

	if (path)
		lstat(path, &st);
	free(path);
	return st.st_mtim;
}

static void read_text(struct file *f)
{
	struct err e = ERR_INIT;

	filetext_release(&f->text);
	free(f->error);
	f->error = NULL;
	f->text_loaded = true;
	f->changed = changed_at(f);
	if ((f->rev ? read_revision(f, &e) : read_work_tree(f, &e)) < 0) {
		f->error = xstrdup(e.msg);
		return;
	}
	f->binary = looks_binary(&f->text);
	filetext_reach(&f->text, f->want == SIZE_MAX ? f->v.cursor + 200 : f->want + 200, clock_mono() + OPEN_MS);
}

/* ---- opening */

static int file_open(struct view *v, int argc, const char *const *argv, struct err *e)
{
	struct file *f = (struct file *)v;
	struct anchor_resolver r = repo_anchor_resolver(v->t->work->repo);
	struct arena a = ARENA_INIT;
	struct anchor an = { .type = ANCHOR_FILE };
	uint64_t line = 0;
	int rc = 0;

	f->want = SIZE_MAX;
	if (argc < 1)
		return err_set(e, ERR_USAGE, "file PATH[:LINE] [REVISION]; F lists the files");
	/* Called from here: path, line, revision. Typed: an anchor. */
	if (argc >= 2 && str_to_u64(argv[1], UINT32_MAX, &line))
		an.path = argv[0];
	else
		rc = anchor_parse(&a, argv[0], &r, &an, e);
	if (rc == 0 && !an.path)
		rc = err_set(e, ERR_USAGE, "'%s' is no file", argv[0]);
	if (rc == 0) {
		f->path = xstrdup(an.path);
		if (argc >= 3 || (argc == 2 && !line))
			f->rev = xstrdup(argv[argc - 1]);
		else if (an.commit)
			f->rev = xstrdup(an.commit);
		line = line ? line : an.line;
		f->want = line ? line - 1 : SIZE_MAX;
		read_text(f);
		if (f->error)
			rc = err_set(e, ERR_NOT_FOUND, "%s", f->error);
	}
	arena_release(&a);
	return rc;
}

static void file_close(struct view *v)
{
	struct file *f = (struct file *)v;

	filetext_release(&f->text);
	free(f->path);
	free(f->rev);
	free(f->error);
}

static bool is_gone(const struct thread *th)
{
	return th->place.state == PLACE_GONE;
}

static int by_line(const void *a, const void *b)
{
	const struct thread *x = a, *y = b;

	if (is_gone(x) != is_gone(y))
		return is_gone(x) ? 1 : -1;
	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	return x->created < y->created ? -1 : x->created > y->created;
}

static void load_threads(struct file *f)
{
	struct work *w = f->v.t->work;
	struct err e = ERR_INIT;

	f->threads = (struct thread_list){ 0 };
	if (index_threads_at(w->index, &w->scope, f->path, &f->v.arena, &f->threads, &e) < 0 ||
	    (!f->rev && work_places_dirty(w, &f->v.arena, f->threads.items, f->threads.len, &e) < 0))
		tui_say(f->v.t, MSG_ERROR, "%s", e.msg);
	f->n_gone = 0;
	for (size_t i = 0; i < f->threads.len; i++) {
		struct place *p = &f->threads.items[i].place;

		if (p->state == PLACE_UNKNOWN && !p->line) {
			p->line = f->threads.items[i].anchor.line;
			p->end = f->threads.items[i].anchor.end;
		}
		f->n_gone += is_gone(&f->threads.items[i]);
	}
	if (f->threads.len)
		qsort(f->threads.items, f->threads.len, sizeof(*f->threads.items), by_line);
}

static int file_load(struct view *v, struct err *e)
{
	struct file *f = (struct file *)v;

	(void)e;
	if (!f->text_loaded || !f->rev)
		read_text(f);
	load_threads(f);
	if (f->error)
		v->problem = xstrdup(f->error);
	return 0;
}

static void go_to_wanted(struct file *f)
{
	size_t row = f->want;

	if (row == SIZE_MAX || (f->text.lines <= row && !f->text.complete))
		return;
	f->want = SIZE_MAX;
	f->v.cursor = row < f->text.lines ? row : f->text.lines ? f->text.lines - 1 : 0;
	f->v.top = f->v.cursor > 5 ? f->v.cursor - 5 : 0;
	f->v.t->dirty = true;
}

static bool file_idle(struct view *v, int64_t until)
{
	struct file *f = (struct file *)v;
	bool complete = f->text.complete, more = filetext_scan(&f->text, until);

	if (complete != f->text.complete || f->want != SIZE_MAX)
		v->t->dirty = true;
	go_to_wanted(f);
	return more;
}

static size_t file_count(struct view *v)
{
	struct file *f = (struct file *)v;

	if (f->want != SIZE_MAX)
		go_to_wanted(f);
	return f->binary || f->error ? 0 : f->text.lines;
}

static bool file_growing(struct view *v)
{
	struct file *f = (struct file *)v;

	return !f->binary && !f->error && !f->text.complete;
}

static bool file_seeking(struct view *v)
{
	return ((struct file *)v)->want != SIZE_MAX && file_growing(v);
}

/* ---- threads on lines */

static uint32_t first_line(const struct thread *th)
{
	return th->place.line ? th->place.line : 1;
}

static uint32_t last_line(const struct thread *th)
{
	return th->place.end > first_line(th) ? th->place.end : first_line(th);
}

/* The one to show for a line: what begins here before what goes on, open before settled. */
static const struct thread *thread_on(const struct file *f, uint32_t line, unsigned *begins)
{
	const struct thread *best = NULL;

	*begins = 0;
	for (size_t i = 0; i < f->threads.len; i++) {
		const struct thread *th = &f->threads.items[i];
		bool starts = first_line(th) == line;

		if (is_gone(th) || line < first_line(th) || line > last_line(th))
			continue;
		*begins += starts;
		if (!best || (starts && (first_line(best) != line || (best->state == STATE_RESOLVED && th->state != STATE_RESOLVED))))
			best = th;
	}
	return best;
}

static void add_margin(struct file *f, uint32_t line, struct styled *out)
{
	unsigned begins;
	const struct thread *th = thread_on(f, line, &begins);
	struct tui *t = f->v.t;
	char count = begins > 9 ? '+' : (char)('0' + begins);
	/* Fixed like the margin, dim like a settled thread. */
	enum style st = th && th->state == STATE_OPEN ? STYLE_MARGIN : STYLE_LINENO;

	if (!th)
		styled_add(out, STYLE_MARGIN, "   ");
	else if (!begins)
		styled_addf(out, st, " %s ", glyph(t, "┃", "|"));
	else
		styled_addf(out, st, " %s%c", thread_kind_glyph(th->kind, t->ascii), begins > 1 ? count : ' ');
}

static int number_width(const struct file *f)
{
	int w = 4;

	for (size_t n = f->text.lines; n > 9999; n /= 10)
		w++;
	return w;
}

static void file_line(struct view *v, size_t row, struct styled *out)
{
	struct file *f = (struct file *)v;
	struct buf clean = BUF_INIT, flat = BUF_INIT;
	const char *p;
	uint64_t cut;
	size_t n;

	styled_newline(out)->nowrap = true;
	styled_addf(out, STYLE_LINENO, "%*zu", number_width(f), row + 1);
	add_margin(f, (uint32_t)row + 1, out);
	if (!filetext_line(&f->text, row, &p, &n, &cut))
		return;
	/* For drawing, what lies far beyond the right edge is not even looked at. */
	if (v->limit && n > v->limit)
		n = v->limit;
	text_sanitize(&clean, p, n, TEXT_TABS);
	text_expand_tabs(&flat, clean.ptr, clean.len, 0, v->t->tab);
	styled_addn(out, STYLE_NORMAL, flat.ptr, flat.len);
	if (cut)
		styled_addf(out, STYLE_WARN, " [cut here: %s%llu more bytes in this line]", cut > 1 << 20 ? "over " : "",
			(unsigned long long)cut);
	buf_release(&clean);
	buf_release(&flat);
}

static void range(const struct file *f, size_t row, size_t *from, size_t *to)
{
	*from = f->v.mark == SIZE_MAX || f->v.mark > row ? row : f->v.mark;
	*to = f->v.mark == SIZE_MAX || f->v.mark < row ? row : f->v.mark;
}

static unsigned file_flags(struct view *v, size_t row)
{
	struct file *f = (struct file *)v;
	size_t from, to;

	if (f->v.mark == SIZE_MAX)
		return 0;
	range(f, v->cursor, &from, &to);
	return row >= from && row <= to ? CELL_RANGE : 0;
}

/* ---- the target */

static const char *lines_text(struct file *f, size_t from, size_t to)
{
	struct buf b = BUF_INIT;
	const char *p, *s;
	uint64_t cut;
	size_t n;

	for (size_t i = from; i <= to && i < from + 500 && filetext_line(&f->text, i, &p, &n, &cut); i++) {
		if (i > from)
			buf_addch(&b, '\n');
		text_sanitize(&b, p, n, TEXT_TABS);
	}
	s = arena_strdup(&f->v.t->frame, b.ptr);
	buf_release(&b);
	return s;
}

static void file_target(struct view *v, size_t row, struct target *t)
{
	struct file *f = (struct file *)v;
	struct anchor an = { .type = f->binary || f->text.lines == 0 ? ANCHOR_FILE : ANCHOR_LINES, .path = f->path, .commit = f->rev };
	unsigned begins;
	const struct thread *th = thread_on(f, (uint32_t)row + 1, &begins);
	struct buf b = BUF_INIT;
	size_t from, to;

	range(f, row, &from, &to);
	an.line = (uint32_t)from + 1;
	an.end = (uint32_t)to + 1;
	anchor_format(&b, &an, f->rev ? ANCHOR_WITH_COMMIT : 0);
	t->anchor = arena_strdup(&v->t->frame, b.ptr);
	buf_release(&b);
	t->path = f->path;
	t->line = an.line;
	t->end = an.end;
	t->quote = lines_text(f, from, to);
	if (th && f->v.mark == SIZE_MAX) {
		t->thread = th->id;
		t->state = th->state;
	}
}

/* ---- acts */

static struct view *pane(struct view *v)
{
	struct screen *s = tui_screen(v->t);

	return s && s->main == v && s->side && s->side->ops == &thread_view ? s->side : NULL;
}

static size_t index_of(const struct file *f, const char *id)
{
	for (size_t i = 0; id && i < f->threads.len; i++)
		if (!strcmp(f->threads.items[i].id, id))
			return i;
	return SIZE_MAX;
}

static void show_thread(struct file *f, size_t i)
{
	const struct thread *th = &f->threads.items[i];
	struct view *side = pane(&f->v);
	const char *const argv[] = { th->id, NULL };
	struct err e = ERR_INIT;

	if (!is_gone(th))
		view_show(&f->v, first_line(th) - 1);
	if (side)
		thread_view_show(side, th->id);
	else if (is_gone(th) && (side = view_new(f->v.t, &thread_view, 1, argv, &e)) != NULL)
		tui_set_side(f->v.t, side, false);
}

/* Threads in the order of their lines, those that lost theirs last. */
static void next_thread(struct file *f, int dir)
{
	struct view *side = pane(&f->v);
	size_t i = side ? index_of(f, thread_view_id(side)) : SIZE_MAX, n = f->threads.len;

	if (n == 0) {
		tui_say(f->v.t, MSG_INFO, "no threads in this file: a asks about a line");
		return;
	}
	if (i != SIZE_MAX) {
		i += (size_t)(long)dir;
	} else if (dir > 0) {
		for (i = 0; i < n && (is_gone(&f->threads.items[i]) || first_line(&f->threads.items[i]) <= f->v.cursor + 1); i++)
			if (is_gone(&f->threads.items[i]))
				break;
	} else {
		for (i = n - 1; i < n && (is_gone(&f->threads.items[i]) || first_line(&f->threads.items[i]) >= f->v.cursor + 1); i--)
			;
	}
	if (i >= n)
		tui_say(f->v.t, MSG_INFO, dir > 0 ? "this was the last thread of the file" : "this was the first thread of the file");
	else
		show_thread(f, i);
}

static bool open_here(struct file *f)
{
	struct target at;

	view_target(&f->v, &at);
	if (at.thread)
		return false;
	tui_say(f->v.t, MSG_INFO, "no thread on this line: a asks about it, ] goes to the next thread");
	return true;
}

static bool file_act(struct view *v, enum act a, const char *arg UNUSED)
{
	struct file *f = (struct file *)v;
	struct screen *s = tui_screen(v->t);

	switch (a) {
	case ACT_OPEN:
		return open_here(f);
	case ACT_NEXT_THREAD:
	case ACT_PREV_THREAD:
		if (s->side_first && s->side_focus)
			return false;
		next_thread(f, a == ACT_NEXT_THREAD ? 1 : -1);
		return true;
	case ACT_MARK:
		f->v.mark = f->v.mark == SIZE_MAX ? v->cursor : SIZE_MAX;
		if (f->v.mark != SIZE_MAX)
			tui_say(v->t, MSG_INFO, "marking from line %zu: move, then a asks about the lines; Esc forgets them", f->v.mark + 1);
		return true;
	case ACT_CANCEL:
		if (f->v.mark == SIZE_MAX)
			return false;
		f->v.mark = SIZE_MAX;
		return true;
	default:
		return false;
	}
}

/* Somebody else's editor wrote the file. */
static void file_tick(struct view *v)
{
	struct file *f = (struct file *)v;
	struct timespec now = changed_at(f);

	if (!f->rev && (now.tv_sec != f->changed.tv_sec || now.tv_nsec != f->changed.tv_nsec))
		v->stale = v->t->dirty = true;
}

/* The pane follows the cursor from thread to thread, and stays where there is none. */
static void file_moved(struct view *v)
{
	struct file *f = (struct file *)v;
	struct view *side = pane(v);
	unsigned begins;
	const struct thread *th = side && !tui_screen(v->t)->side_focus ? thread_on(f, (uint32_t)v->cursor + 1, &begins) : NULL;

	f->want = SIZE_MAX;
	if (th && strcmp(th->id, thread_view_id(side)))
		thread_view_show(side, th->id);
}

static void file_title(struct view *v, struct buf *left, struct buf *right)
{
	struct file *f = (struct file *)v;
	const char *dot = glyph(v->t, "·", "-");
	size_t n = f->threads.len - f->n_gone;

	text_sanitize(left, f->path, strlen(f->path), 0);
	if (f->rev)
		buf_addf(left, " %s %.10s", dot, f->rev);
	else
		buf_addf(left, " %s work tree", dot);
	if (n || f->n_gone)
		buf_addf(left, " %s %zu thread%s", dot, n, n == 1 ? "" : "s");
	if (f->n_gone)
		buf_addf(left, ", %zu gone", f->n_gone);
	if (f->want != SIZE_MAX || v->to_end || v->to_row)
		buf_addf(right, "going on%s  ", glyph(v->t, "…", "..."));
	if (f->text.lines && !f->binary)
		buf_addf(right, "%zu of %zu%s", v->cursor + 1, f->text.lines, f->text.complete ? "" : "+");
}

static void file_empty(struct view *v, struct styled *out)
{
	struct file *f = (struct file *)v;

	if (f->binary)
		say_empty(out, v->area.w, "A binary file: its bytes are not shown.", "a asks about the file as a whole, q goes back.");
	else
		say_empty(out, v->area.w, "An empty file.", "a asks about the file as a whole, e opens it in your editor, q goes back.");
}

const struct view_ops file_view = {
	.name = "file", .args = "PATH[:LINE] [REVISION]", .help = "a file with its threads in the margin", .complete = "file",
	.kind = VIEW_TEXT, .flags = VIEW_CODE, .size = sizeof(struct file),
	.hints = "open=thread\nask-here=ask\nmark=range\nnext-thread=next thread\nedit-code=edit code\nkeys=keys\nfilter=find\nback=back",
	.open = file_open, .close = file_close, .load = file_load, .idle = file_idle, .count = file_count, .line = file_line,
	.target = file_target, .act = file_act, .title = file_title, .empty = file_empty, .moved = file_moved,
	.flags_of = file_flags, .tick = file_tick, .growing = file_growing, .seeking = file_seeking,
};
