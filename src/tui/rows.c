/* SPDX-License-Identifier: MIT */
/* Pages of threads, and a thread as a row. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "killick/text/sanitize.h"
#include "killick/text/width.h"
#include "rows.h"

/* ---- pages */

/* Rows that a statement may skip while a key waits: some tens of microseconds a hundred. */
#define NEAR 3000
/* Threads carried to the work tree in a slice: in a file that was changed each may cost a millisecond. */
#define CARRY 8

static void page_clear(struct pager_page *p)
{
	p->list = (struct thread_list){ 0 };
	arena_clear(&p->arena);
	p->carried = 0;
	p->used = 0;
}

static struct pager_page *page_at(struct pager *p, size_t start)
{
	for (size_t k = 0; k < PAGER_PAGES; k++)
		if (p->pages[k].used && p->pages[k].start == start)
			return &p->pages[k];
	return NULL;
}

/* The thread before a page, if it is at hand: going on behind it costs nothing however far down it is. */
static const struct thread *thread_before(struct pager *p, size_t start)
{
	struct pager_page *before = start ? page_at(p, start - PAGER_ROWS) : NULL;

	return p->by_time && before && before->list.len == PAGER_ROWS ? &before->list.items[PAGER_ROWS - 1] : NULL;
}

/* ---- time: a key waits a few milliseconds at most */

static bool is_over(void *ctx)
{
	const struct patience *p = ctx;

	return p->until ? clock_mono() >= p->until : tui_key_waits(p->t);
}

int patience_begin(struct tui *t, struct patience *x, bool idle, struct err *e)
{
	*x = (struct patience){ t, idle ? 0 : t->patience < 0 ? INT64_MAX : clock_mono() + t->patience };
	if (!idle && t->patience == 0)
		return err_set(e, ERR_CANCELLED, "not now");
	index_yield(t->work->index, is_over, x);
	return 0;
}

void patience_end(struct patience *x)
{
	index_yield(x->t->work->index, NULL, NULL);
}

static bool from_the_end(const struct pager *p, size_t start)
{
	return p->by_time && p->counted && start > p->total / 2 && start < p->total;
}

static size_t skip_of(const struct pager *p, size_t start)
{
	if (!from_the_end(p, start))
		return start;
	return p->total > start + PAGER_ROWS ? p->total - start - PAGER_ROWS : 0;
}

static void turn_round(struct thread_list *list)
{
	for (size_t i = 0; i < list->len / 2; i++) {
		struct thread t = list->items[i];

		list->items[i] = list->items[list->len - 1 - i];
		list->items[list->len - 1 - i] = t;
	}
}

static int fetch_page(struct pager *p, struct pager_page *page, size_t start, const struct thread *before, bool idle,
    uint64_t *total, struct err *e)
{
	struct thread_find f = { .limit = PAGER_ROWS, .after = before };
	struct patience x;
	int rc;

	if (!f.after) {
		f.oldest = from_the_end(p, start);
		f.skip = skip_of(p, start);
		if (f.oldest && p->total - start < PAGER_ROWS)
			f.limit = p->total - start;
	}
	page_clear(page);
	if (patience_begin(p->view->t, &x, idle, e) < 0)
		return -1;
	rc = p->fetch(p->ctx, &f, &page->arena, &page->list, total, e);
	patience_end(&x);
	if (rc < 0)
		return -1;
	if (f.oldest) {
		turn_round(&page->list);
		page->list.more = start + page->list.len < p->total;
	}
	page->start = start;
	page->used = ++p->stamp;
	return 0;
}

static void learn_total(struct pager *p, const struct pager_page *page, uint64_t total)
{
	size_t end = page->start + page->list.len;

	if (total != UINT64_MAX) {
		p->total = total;
		p->counted = true;
	} else if (!page->list.more && (page->list.len || page->start == 0)) {
		p->total = end;
		p->counted = true;
	} else if (end > p->total) {
		p->total = end;
	}
}

/* NULL: given up, to be read when no key waits; or it cannot be. */
static struct pager_page *read_page(struct pager *p, size_t start, bool idle)
{
	struct pager_page *page = &p->pages[0];
	uint64_t total = UINT64_MAX;
	struct err e = ERR_INIT;

	for (size_t i = 1; i < PAGER_PAGES; i++)
		if (p->pages[i].used < page->used)
			page = &p->pages[i];
	if (fetch_page(p, page, start, thread_before(p, start), idle, &total, &e) < 0) {
		page_clear(page);
		if (e.code == ERR_CANCELLED) {
			p->want = start + 1;
			p->view->busy = true;
		}
		return NULL;
	}
	learn_total(p, page, total);
	return page;
}

static void drop_pages(struct pager *p)
{
	for (size_t i = 0; i < PAGER_PAGES; i++)
		page_clear(&p->pages[i]);
	p->counted = false;
	p->want = 0;
}

/* Where to begin is not known from the pages of before: rows may have come and gone. */
static int load_next(struct pager *p, bool idle, struct err *e)
{
	bool counted = p->counted;
	int rc;

	p->counted = false;
	p->next_total = UINT64_MAX;
	rc = fetch_page(p, &p->next, p->near, NULL, idle, &p->next_total, e);
	/* What was the last page is gone: from the start then, so that something is shown. */
	if (!rc && p->near && p->next.list.len == 0) {
		p->near = 0;
		rc = fetch_page(p, &p->next, 0, NULL, idle, &p->next_total, e);
	}
	p->counted = counted;
	p->load = rc ? LOAD_NONE : LOAD_READY;
	return rc;
}

static void show_next(struct pager *p)
{
	struct pager_page old = p->pages[0];

	drop_pages(p);
	old = p->pages[0];
	p->pages[0] = p->next;
	p->next = old;
	p->load = LOAD_NONE;
	free(p->shown);
	p->shown = xstrdup(p->view->filter);
	learn_total(p, &p->pages[0], p->next_total);
}

/* A load is given up and goes on in the idle work; rows of another query are not left standing. */
static int put_off(struct pager *p)
{
	p->load = LOAD_UNDER_WAY;
	p->view->busy = true;
	p->want = 0;
	if (!p->shown || strcmp(p->shown, p->view->filter)) {
		drop_pages(p);
		p->total = 0;
	}
	return 0;
}

int pager_load(struct pager *p, size_t near, struct err *e)
{
	bool ready = p->load == LOAD_READY && p->near == near / PAGER_ROWS * PAGER_ROWS;

	p->near = near / PAGER_ROWS * PAGER_ROWS;
	if (!ready && load_next(p, false, e) < 0)
		return e->code == ERR_CANCELLED ? put_off(p) : -1;
	show_next(p);
	return 0;
}

bool pager_reading(const struct pager *p)
{
	return p->load != LOAD_NONE && p->total == 0;
}

/* What was read is shown by a load of the view, which keeps the cursor where it is. */
static bool go_on_loading(struct pager *p)
{
	struct err e = ERR_INIT;

	if (load_next(p, true, &e) == 0)
		p->view->stale = p->view->t->dirty = true;
	else if (e.code == ERR_CANCELLED)
		p->load = LOAD_UNDER_WAY;
	else
		tui_say(p->view->t, MSG_ERROR, "%s", e.msg);
	return true;
}

void pager_release(struct pager *p)
{
	for (size_t i = 0; i < PAGER_PAGES; i++)
		arena_release(&p->pages[i].arena);
	arena_release(&p->next.arena);
	free(p->shown);
}

static bool is_far(struct pager *p, size_t start)
{
	return skip_of(p, start) > NEAR && !thread_before(p, start);
}

const struct thread *pager_row(struct pager *p, size_t i)
{
	size_t start = i / PAGER_ROWS * PAGER_ROWS;
	struct pager_page *page = page_at(p, start);

	p->last = i;
	if (!page && (is_far(p, start) || p->want == start + 1 || p->load != LOAD_NONE)) {
		p->want = start + 1;
		p->view->busy = true;
		return NULL;
	}
	if (!page)
		page = read_page(p, start, false);
	if (!page || i - start >= page->list.len)
		return NULL;
	page->used = ++p->stamp;
	return &page->list.items[i - start];
}

bool pager_coming(struct pager *p, size_t i)
{
	return !pager_row(p, i) && (p->load != LOAD_NONE || p->want == i / PAGER_ROWS * PAGER_ROWS + 1);
}

bool pager_growing(const struct pager *p)
{
	return p->load != LOAD_NONE || (p->count && !p->counted);
}

bool places_carry(struct tui *t, struct arena *a, struct thread *items, size_t n, size_t *done)
{
	size_t slice = n - *done < CARRY ? n - *done : CARRY;
	struct err e = ERR_INIT;

	if (slice && work_places_dirty(t->work, a, items + *done, slice, &e) < 0)
		trace("tui", "places in the work tree: %s", e.msg);
	*done += slice;
	return *done < n;
}

/* The page that is looked at first. */
static bool carry_pages(struct pager *p)
{
	struct pager_page *page = page_at(p, p->last / PAGER_ROWS * PAGER_ROWS);

	for (size_t i = 0; (!page || page->carried >= page->list.len) && i < PAGER_PAGES; i++)
		page = p->pages[i].used ? &p->pages[i] : page;
	if (!page || page->carried >= page->list.len)
		return false;
	places_carry(p->view->t, &page->arena, page->list.items, page->list.len, &page->carried);
	return true;
}

static bool read_wanted(struct pager *p)
{
	size_t want = p->want - 1;

	p->want = 0;
	if (!page_at(p, want) && read_page(p, want, true))
		p->view->t->dirty = true;
	return true;
}

bool pager_idle(struct pager *p)
{
	size_t start = p->last / PAGER_ROWS * PAGER_ROWS, next = start + PAGER_ROWS;

	if (p->load == LOAD_READY)
		return true;
	if (p->load == LOAD_UNDER_WAY)
		return go_on_loading(p);
	if (p->want)
		return read_wanted(p);
	if (p->to_end && pager_count(p))
		return true;
	if (next < p->total && page_at(p, start) && !page_at(p, next) && !is_far(p, next)) {
		read_page(p, next, true);
		if (p->want)
			return true;
	}
	return carry_pages(p);
}

static bool count_rows(struct pager *p, bool idle)
{
	struct err e = ERR_INIT;
	struct patience x;
	uint64_t n;
	int rc;

	if (patience_begin(p->view->t, &x, idle, &e) < 0)
		return false;
	rc = p->count(p->ctx, &n, &e);
	patience_end(&x);
	if (rc < 0 && e.code == ERR_CANCELLED)
		return false;
	p->counted = true;
	if (rc == 0)
		p->total = n;
	p->view->t->dirty = true;
	return true;
}

bool pager_count(struct pager *p)
{
	bool to_end = p->to_end;

	if (p->load != LOAD_NONE)
		return false;
	if (!p->counted && p->count && !count_rows(p, true))
		return false;
	p->to_end = false;
	if (to_end && p->total)
		view_goto(p->view, p->total - 1);
	return true;
}

bool pager_to_end(struct pager *p)
{
	p->to_end = !p->counted && p->count && (p->load != LOAD_NONE || !count_rows(p, false));
	p->view->busy = p->view->busy || p->to_end;
	return p->to_end;
}

size_t pager_find(const struct pager *p, const char *id)
{
	for (size_t k = 0; k < PAGER_PAGES; k++)
		for (size_t i = 0; p->pages[k].used && i < p->pages[k].list.len; i++)
			if (!strcmp(p->pages[k].list.items[i].id, id))
				return p->pages[k].start + i;
	return SIZE_MAX;
}

/* ---- people */

bool is_me(const struct tui *t, const struct person *p)
{
	const char *const *me = t->work->scope.me;

	for (size_t i = 0; me && me[i] && p->email; i++)
		if (!strcasecmp(me[i], p->email))
			return true;
	return false;
}

const char *who(const struct tui *t, const struct person *p)
{
	return is_me(t, p) ? "me" : person_label(p);
}

/* ---- a thread as a row */

const struct column thread_columns[] = {
	{ .name = "unread", .min = 1, .max = 1, .gap = 1 },
	{ .name = "kind", .min = 1, .max = 1, .gap = 1 },
	{ .name = "where", .min = 8, .max = 34, .align = COL_HEAD, .gap = 2 },
	{ .name = "title", .min = 24, .flex = true, .gap = 2 },
	{ .name = "note", .max = 20, .from = 76, .align = COL_RIGHT, .gap = 2 },
	{ .name = "who", .max = 14, .from = 56, .gap = 2 },
	{ .name = "age", .min = 3, .max = 10, .align = COL_RIGHT, .gap = 2 },
	{ .name = "source", .max = 12, .from = 96, .gap = 1 },
	{ .name = NULL },
};

const char *thread_anchor(struct arena *a, const struct thread *th)
{
	struct anchor now = th->anchor;
	struct buf b = BUF_INIT;
	const char *s;

	if (th->place.path && th->place.state != PLACE_UNKNOWN && th->place.state != PLACE_GONE) {
		now.path = th->place.path;
		if (th->place.line) {
			now.line = th->place.line;
			now.end = th->place.end;
		}
	}
	if (now.type == ANCHOR_SECTION)
		now.line = now.end = 0;
	anchor_format(&b, &now, 0);
	s = arena_strdup(a, b.ptr);
	buf_release(&b);
	return s;
}

static const char *moved_from(struct tui *t, const struct thread *th)
{
	const struct place *p = &th->place;

	if (!p->path || !th->anchor.path)
		return "moved";
	if (strcmp(p->path, th->anchor.path))
		return arena_printf(&t->frame, "moved from %s", th->anchor.path);
	return th->anchor.line ? arena_printf(&t->frame, "moved from :%u", th->anchor.line) : "moved";
}

static const char *note_of(struct tui *t, const struct thread *th)
{
	if (th->place.state == PLACE_GONE)
		return "gone";
	if (th->state == STATE_RESOLVED)
		return "resolved";
	if (th->state == STATE_ANSWERED)
		return "answered";
	if (th->place.state == PLACE_MOVED)
		return moved_from(t, th);
	if (th->place.state == PLACE_EDITED)
		return "edited since";
	return th->audience == AUDIENCE_PRIVATE ? "private" : "";
}

enum style thread_glyph_style(const struct thread *th)
{
	return th->state == STATE_OPEN ? STYLE_ACCENT : STYLE_DIM;
}

static struct cellv who_cell(struct tui *t, const struct thread *th, bool waits)
{
	if (waits && th->n_asked)
		return (struct cellv){ arena_printf(&t->frame, "%s %s", glyph(t, "→", ">"), who(t, &th->asked[0])), STYLE_AUTHOR };
	return (struct cellv){ arena_strdup(&t->frame, who(t, th->n_posts > 1 ? &th->last_author : &th->author)), STYLE_AUTHOR };
}

/* Copied: a very high screen can turn the page it came from out of memory. The hits of a snippet are marked by the engine,
 * with all that is searched for. */
static const char *title_of(struct tui *t, const struct thread *th)
{
	char *s = arena_strdup(&t->frame, th->match && *th->match ? th->match : th->title), *out = s;

	for (const char *p = s; *p; p++)
		if (*p != '\1' && *p != '\2')
			*out++ = *p;
	*out = '\0';
	return s;
}

void thread_cells(struct tui *t, const struct thread *th, bool waits, struct cellv *out)
{
	enum style st = th->state == STATE_OPEN ? STYLE_NORMAL : STYLE_DIM;

	/* Who listens hears words. */
	out[0] = (struct cellv){ !th->n_unread ? " " : t->plain ? "unread" : glyph(t, "●", "*"), STYLE_UNREAD };
	out[1] = (struct cellv){ t->plain ? thread_kind_name(th->kind) : thread_kind_glyph(th->kind, t->ascii), thread_glyph_style(th) };
	out[2] = (struct cellv){ text_clean(&t->frame, thread_anchor(&t->frame, th), 0), STYLE_DIM };
	out[3] = (struct cellv){ title_of(t, th), th->n_unread && th->state == STATE_OPEN ? STYLE_STRONG : st };
	out[4] = (struct cellv){ note_of(t, th), th->place.state == PLACE_GONE ? STYLE_WARN : STYLE_DIM };
	out[5] = who_cell(t, th, waits);
	out[6] = (struct cellv){ tui_now_relative(t, th->updated), STYLE_DATE };
	out[7] = (struct cellv){ th->audience == AUDIENCE_PRIVATE ? "private" : arena_strdup(&t->frame, th->source), STYLE_DIM };
}

void thread_target(struct tui *t, const struct thread *th, struct target *out)
{
	struct thread now = *th;
	const struct place *p = &now.place;
	struct err e = ERR_INIT;
	bool placed;

	/* Whoever acts on a row may be faster than the idle work that carries it. */
	if (work_places_dirty(t->work, &t->frame, &now, 1, &e) < 0)
		trace("tui", "a place in the work tree: %s", e.msg);
	placed = p->path && p->state != PLACE_UNKNOWN && p->state != PLACE_GONE;
	out->thread = th->id;
	out->state = th->state;
	out->url = th->url;
	out->quote = th->anchor.quote ? th->anchor.quote : th->title;
	out->anchor = thread_anchor(&t->frame, &now);
	out->path = placed ? p->path : NULL;
	out->line = placed ? p->line : 0;
	out->end = placed ? p->end : 0;
	if (th->anchor.type == ANCHOR_COMMIT)
		out->commit = th->anchor.commit;
	if (th->anchor.type == ANCHOR_TASK)
		out->task = th->anchor.task;
}

bool say_searching(const struct pager *p, struct styled *out, int width)
{
	if (!pager_reading(p))
		return false;
	say_empty(out, width, "Searching\xe2\x80\xa6", "Keys are answered meanwhile.");
	return true;
}

bool say_reading(struct tui *t, struct styled *out, int width)
{
	if (!job_find(t, "catch-up"))
		return false;
	say_empty(out, width, "The threads are being read; this fills in a moment.", "After an upgrade, a big fetch or a new clone that takes longer.");
	return true;
}

void say_empty(struct styled *out, int width, const char *first, const char *second)
{
	styled_newline(out);
	text_wrap(out, STYLE_NORMAL, first, width > 10 ? width - 2 : width, 0);
	styled_newline(out);
	text_wrap(out, STYLE_DIM, second, width > 10 ? width - 2 : width, 0);
}
