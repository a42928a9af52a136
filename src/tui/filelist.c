/* SPDX-License-Identifier: MIT */
/* The repository's files with how many threads stand in each: where "ask about a line" begins. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "files.h"
#include "killick/text/sanitize.h"
#include "killick/text/width.h"
#include "rows.h"
#include "views.h"

struct filelist {
	struct view v;
	struct path_count *counts;
	size_t n_counts;
	char *words;             /* only names that contain it */
	ARRAY(uint32_t) shown;   /* of files->names, in order */
	unsigned version;        /* of the names that shown was made from */
	size_t seen;             /* names looked at */
};

static int filelist_open(struct view *v, int argc, const char *const *argv, struct err *e)
{
	struct filelist *f = (struct filelist *)v;

	(void)e;
	f->words = xstrdup(argc ? argv[0] : "");
	files_get(v->t, false);
	return 0;
}

static void filelist_close(struct view *v)
{
	struct filelist *f = (struct filelist *)v;

	free(f->words);
	array_release(&f->shown);
}

static int filelist_load(struct view *v, struct err *e)
{
	struct filelist *f = (struct filelist *)v;
	struct work *w = v->t->work;

	f->n_counts = 0;
	return index_path_counts(w->index, &w->scope, &v->arena, &f->counts, &f->n_counts, e);
}

/* Takes in what was listed since. */
static void refresh(struct filelist *f)
{
	struct files *files = files_get(f->v.t, false);

	if (f->version != files->version) {
		if (files->complete || f->seen > files->names.len) {
			f->shown.len = 0;
			f->seen = 0;
		}
		f->version = files->version;
	}
	for (; f->seen < files->names.len; f->seen++)
		if (!*f->words || strcasestr(files->names.items[f->seen], f->words))
			*array_add(&f->shown) = (uint32_t)f->seen;
}

static size_t filelist_count(struct view *v)
{
	struct filelist *f = (struct filelist *)v;

	refresh(f);
	return f->shown.len;
}

/* They come in no order, and get theirs at the end. */
static bool filelist_growing(struct view *v)
{
	return !files_get(v->t, false)->complete;
}

static bool filelist_coming(struct view *v, size_t row UNUSED)
{
	return filelist_growing(v);
}

static const char *name_at(struct view *v, size_t row)
{
	struct filelist *f = (struct filelist *)v;
	struct files *files = files_get(v->t, false);

	return row < f->shown.len && f->shown.items[row] < files->names.len ? files->names.items[f->shown.items[row]] : NULL;
}

static int by_path(const void *key, const void *row)
{
	return strcmp(key, ((const struct path_count *)row)->path);
}

static void filelist_cells(struct view *v, size_t row, struct cellv *out)
{
	struct filelist *f = (struct filelist *)v;
	const char *name = name_at(v, row);
	const struct path_count *n;

	if (!name)
		return;
	n = f->n_counts ? bsearch(name, f->counts, f->n_counts, sizeof(*f->counts), by_path) : NULL;
	out[0] = (struct cellv){ text_clean(&v->t->frame, name, 0), STYLE_NORMAL };
	out[1] = (struct cellv){ n && n->open ? arena_printf(&v->t->frame, "%u open", n->open) : "", STYLE_ACCENT };
	out[2] = (struct cellv){ n && n->closed ? arena_printf(&v->t->frame, "%s%u", glyph(v->t, "✓", "+"), n->closed) : "", STYLE_DIM };
}

static const char *filelist_identity(struct view *v, size_t row)
{
	return name_at(v, row);
}

static void filelist_target(struct view *v, size_t row, struct target *t)
{
	struct anchor an = { .type = ANCHOR_FILE, .path = name_at(v, row) };
	struct buf b = BUF_INIT;

	if (!an.path)
		return;
	anchor_format(&b, &an, 0);
	t->path = an.path;
	t->line = 1;
	t->anchor = arena_strdup(&v->t->frame, b.ptr);
	t->quote = an.path;
	buf_release(&b);
}

static void words_changed(struct tui *t, const char *text)
{
	struct view *v = tui_view(t);
	struct filelist *f = (struct filelist *)v;

	free(f->words);
	f->words = xstrdup(text);
	f->shown.len = 0;
	f->seen = 0;
	v->cursor = v->top = 0;
	t->dirty = true;
}

static void words_dropped(struct tui *t)
{
	words_changed(t, "");
}

static bool filelist_act(struct view *v, enum act a, const char *arg)
{
	static const struct prompt_ops ops = { .changed = words_changed, .done = words_changed, .cancelled = words_dropped };
	struct filelist *f = (struct filelist *)v;

	if (a == ACT_FILTER) {
		if (arg)
			words_changed(v->t, arg);
		else
			prompt_open(v->t, &ops, "/", f->words);
		return true;
	}
	if (a == ACT_CANCEL && *f->words) {
		words_changed(v->t, "");
		return true;
	}
	return false;
}

static void filelist_title(struct view *v, struct buf *left, struct buf *right)
{
	struct filelist *f = (struct filelist *)v;
	const struct files *files = files_get(v->t, false);
	const char *dot = glyph(v->t, "·", "-");

	buf_addf(left, "%s %s files %s %zu%s", repo_name(v->t->work->repo), dot, dot, f->shown.len, files->complete ? "" : "+");
	buf_addstr(right, f->words);
}

static void filelist_empty(struct view *v, struct styled *out)
{
	struct filelist *f = (struct filelist *)v;

	if (!files_get(v->t, false)->complete)
		say_empty(out, v->area.w, "Listing the files\xe2\x80\xa6", "q goes back.");
	else if (*f->words)
		say_empty(out, v->area.w, "No file's name contains this.", "Esc shows all files, q goes back.");
	else
		say_empty(out, v->area.w, "There are no files here yet.", "A commit or a file in the work tree makes one; q goes back.");
}

static const struct column columns[] = {
	{ .name = "name", .min = 12, .flex = true, .align = COL_HEAD, .gap = 2 },
	{ .name = "open", .max = 10, .align = COL_RIGHT, .gap = 2 },
	{ .name = "settled", .max = 7, .from = 40, .align = COL_RIGHT, .gap = 1 },
	{ .name = NULL },
};

const struct view_ops files_view = {
	.name = "files", .args = "[PART-OF-NAME]", .help = "the repository's files and the threads in them", .kind = VIEW_LIST,
	.size = sizeof(struct filelist), .columns = columns,
	.hints = "open=open\nfilter=filter\nask-here=ask about the file\njump=jump\nback=back\nkeys=keys",
	.open = filelist_open, .close = filelist_close, .load = filelist_load, .count = filelist_count,
	.growing = filelist_growing, .coming = filelist_coming, .cells = filelist_cells,
	.identity = filelist_identity, .target = filelist_target, .act = filelist_act, .title = filelist_title,
	.empty = filelist_empty,
};
