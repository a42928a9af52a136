/* SPDX-License-Identifier: MIT */
/*
 * A thread: what it is about and where that is now, then its posts. It is a screen of its own or stands beside the code.
 * Where the code is gone, or on demand (v), the code is shown as it was written. A line's tag says whose post it is.
 * What is shown for a second counts as read.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/text/sanitize.h"
#include "killick/text/width.h"
#include "rows.h"
#include "views.h"

#define PROSE 76
#define QUOTE_LINES 3
#define SEEN_MS 1000

/* What a line belongs to. */
struct part {
	const struct post *post;
	const struct draft *draft;
	enum { PART_NONE, PART_FOLD, PART_GUESS, PART_WRITTEN } kind;
};
struct thread_view {
	struct view v;
	char *id;
	struct thread th;
	struct draft_list drafts;
	bool loaded, written, unfolded, read;
	int64_t since;           /* it was first painted; 0: not yet */
	unsigned n_known;        /* posts when it was loaded last; 0: not yet */
	ARRAY(size_t) starts;    /* of the posts that are set: the row of each */
	bool said;               /* a post of mine came since: it is to be seen */
};

static struct thread_view *self(struct view *v)
{
	return (struct thread_view *)v;
}

static int thread_open(struct view *v, int argc, const char *const *argv, struct err *e)
{
	struct thread th;

	if (argc < 1)
		return err_set(e, ERR_USAGE, "thread ID (Tab completes it)");
	if (index_thread_line(v->t->work->index, &v->t->work->scope, argv[0], &v->arena, &th, e) < 0)
		return -1;
	self(v)->id = xstrdup(th.id);
	return 0;
}

static void mark_read(struct thread_view *tv)
{
	struct tui *t = tv->v.t;
	struct err e = ERR_INIT;

	if (tv->read || !tv->loaded || !tv->th.n_unread)
		return;
	tv->read = true;
	if (work_mark_read(t->work, &tv->th, &e) < 0) {
		trace("tui", "cannot mark as read: %s", e.msg);
		return;
	}
	/* The lists below change; this text keeps its marks while it is read. */
	t->generation = index_generation(t->work->index);
	tui_stale(t);
	tv->v.stale = false;
}

/* Shown for a second. */
static bool was_seen(const struct thread_view *tv)
{
	return tv->since && clock_mono() - tv->since >= SEEN_MS;
}

static void thread_close(struct view *v)
{
	if (was_seen(self(v)))
		mark_read(self(v));
	free(self(v)->id);
	array_release(&self(v)->starts);
}

static void thread_tick(struct view *v)
{
	if (was_seen(self(v)))
		mark_read(self(v));
}

const char *thread_view_id(const struct view *v)
{
	return ((const struct thread_view *)v)->id;
}

void thread_view_show(struct view *v, const char *id)
{
	char *copy = xstrdup(id);

	if (was_seen(self(v)))
		mark_read(self(v));
	free(self(v)->id);
	self(v)->id = copy;
	self(v)->read = self(v)->written = self(v)->unfolded = false;
	self(v)->since = 0;
	self(v)->n_known = 0;
	self(v)->starts.len = 0;
	v->cursor = v->top = 0;
	view_load(v);
}

static void load_drafts(struct thread_view *tv)
{
	struct work *w = tv->v.t->work;
	struct err e = ERR_INIT;

	tv->drafts = (struct draft_list){ 0 };
	if (work_desk(w, &e) < 0 || desk_drafts(w->desk, repo_commondir(w->repo), &tv->v.arena, &tv->drafts, &e) < 0)
		tv->drafts.len = 0;
}

static int thread_load(struct view *v, struct err *e)
{
	struct thread_view *tv = self(v);
	struct work *w = v->t->work;

	tv->loaded = false;
	if (index_thread_read(w->index, &w->scope, tv->id, &v->arena, &tv->th, e) < 0) {
		/* It was taken back: there is nothing to stand here for. */
		v->over = e->code == ERR_NOT_FOUND && tv->n_known;
		return -1;
	}
	if (work_places_dirty(w, &v->arena, &tv->th, 1, e) < 0)
		return -1;
	load_drafts(tv);
	tv->loaded = true;
	tv->said = tv->n_known && tv->th.n_posts > tv->n_known && tv->th.posts && tv->th.posts[tv->th.n_posts - 1].mine;
	tv->n_known = tv->th.n_posts;
	return 0;
}

/* ---- setting the text */

static struct part *part_new(struct thread_view *tv, const struct part *p)
{
	struct part *copy = ARENA_NEW(&tv->v.text.arena, struct part);

	*copy = *p;
	return copy;
}

/* Every line from `from` on belongs to p. */
static void tag_from(struct thread_view *tv, size_t from, const struct part *p)
{
	struct part *tag = part_new(tv, p);

	for (size_t i = from; i < tv->v.text.lines.len; i++)
		tv->v.text.lines.items[i].tag = tag;
}

static const char *clean(struct thread_view *tv, const char *s)
{
	return text_clean(&tv->v.arena, s, 0);
}

static const char *age(struct thread_view *tv, int64_t when)
{
	char text[TIME_RELATIVE_SIZE];

	return arena_strdup(&tv->v.arena, time_relative(text, when, clock_now()));
}

/* Adds text at the right end of the last line, or as a line of its own where there is no room. */
static void add_right(struct thread_view *tv, int used, int width, enum style st, const char *text)
{
	struct styled *s = &tv->v.text;
	int w = text_width(text);

	if (used + 2 + w <= width) {
		styled_addf(s, STYLE_NORMAL, "%*s", width - used - w, "");
		styled_add(s, st, text);
		return;
	}
	text_wrap(s, st, text, width, 2);
}

static const char *audience_words(struct thread_view *tv)
{
	if (tv->th.audience == AUDIENCE_PRIVATE)
		return "private, only here";
	return "everyone";
}

static int line_width(const struct styled_line *l)
{
	int w = 0;

	for (size_t i = 0; i < l->n; i++)
		w += text_width_n(l->spans[i].text, l->spans[i].len);
	return w;
}

/* The kind's glyph in the indent of the title's first line; its other lines hang below. */
static void set_title(struct thread_view *tv, int width)
{
	struct styled *s = &tv->v.text;
	const char *kind = tv->v.t->plain ? thread_kind_name(tv->th.kind) : thread_kind_glyph(tv->th.kind, tv->v.t->ascii);
	size_t from = s->lines.len;
	struct styled_line *l;
	struct span *spans;

	text_wrap(s, STYLE_STRONG, *tv->th.title ? tv->th.title : "-", width, 2);
	l = &s->lines.items[from];
	spans = arena_alloc(&s->arena, sizeof(*spans) * (l->n + 2));
	spans[0] = (struct span){ kind, strlen(kind), thread_glyph_style(&tv->th) };
	spans[1] = (struct span){ " ", 1, STYLE_NORMAL };
	memcpy(spans + 2, l->spans, sizeof(*spans) * l->n);
	for (size_t i = 2, cut = 2; cut && i < l->n + 2; i++)
		for (; cut && spans[i].len && *spans[i].text == ' '; cut--, spans[i].len--)
			spans[i].text++;
	l->spans = spans;
	l->n += 2;
}

static void set_head(struct thread_view *tv, int width)
{
	const struct thread *th = &tv->th;
	const char *dot = glyph(tv->v.t, "·", "-"), *right;
	struct styled *s = &tv->v.text;
	size_t from = s->lines.len;

	right = arena_printf(&tv->v.arena, "%s %s %s %s %s%s%s", clean(tv, th->abbrev), dot,
		th->audience == AUDIENCE_PRIVATE ? "desk" : clean(tv, th->source), dot, audience_words(tv),
		th->state == STATE_OPEN ? "" : arena_printf(&tv->v.arena, " %s ", dot),
		th->state == STATE_OPEN ? "" : thread_state_name(th->state));
	set_title(tv, width);
	if (s->lines.len > from + 1)
		text_wrap(s, STYLE_DIM, right, width, 2);
	else
		add_right(tv, line_width(&s->lines.items[from]), width, STYLE_DIM, right);
}

static void range_words(struct buf *b, struct tui *t, uint32_t line, uint32_t end)
{
	buf_addf(b, "%u", line);
	if (end > line)
		buf_addf(b, "%s%u", glyph(t, "–", "-"), end);
}

static void add_written_on(struct thread_view *tv, struct buf *b)
{
	const struct anchor *an = &tv->th.anchor;
	const struct place *p = &tv->th.place;

	buf_addstr(b, "written on ");
	if (!p->path || strcmp(p->path, an->path))
		buf_addf(b, "%s:", clean(tv, an->path));
	if (an->line)
		range_words(b, tv->v.t, an->line, an->end);
	if (an->commit)
		buf_addf(b, " @ %.7s", an->commit);
}

static bool place_is_new(const struct thread *th)
{
	const struct place *p = &th->place;

	return p->line != th->anchor.line || (p->path && th->anchor.path && strcmp(p->path, th->anchor.path));
}

static void place_words(struct thread_view *tv, struct buf *b)
{
	const struct thread *th = &tv->th;
	const struct place *p = &th->place;

	if (p->path && th->anchor.path && strcmp(p->path, th->anchor.path))
		buf_addf(b, "%s ", clean(tv, p->path));
	if (p->line) {
		buf_addstr(b, p->end > p->line ? "lines " : "line ");
		range_words(b, tv->v.t, p->line, p->end);
	} else {
		buf_addstr(b, "the whole file");
	}
	if (p->state == PLACE_MOVED)
		buf_addstr(b, ", moved");
	if (p->state == PLACE_EDITED)
		buf_addstr(b, ", edited since");
	if (p->state != PLACE_EXACT)
		buf_addf(b, " (%.2f)", p->confidence);
	if (place_is_new(th) || p->state == PLACE_EDITED) {
		buf_addstr(b, "; ");
		add_written_on(tv, b);
	}
}

static const char *subject_of(struct thread_view *tv, const char *commit, struct commit_info *info)
{
	struct err e = ERR_INIT;
	struct oid id;

	if (!oid_parse(commit, &id) || repo_commit(tv->v.t->work->repo, &id, &tv->v.arena, info, &e) < 0)
		return NULL;
	return text_clean(&tv->v.arena, info->subject, TEXT_PROSE);
}

static void gone_words(struct thread_view *tv, struct buf *b)
{
	const struct place *p = &tv->th.place;
	struct commit_info info;
	const char *subject = p->commit ? subject_of(tv, p->commit, &info) : NULL;

	if (subject)
		buf_addf(b, "gone since %.7s \"%s\" (%s, %s)", p->commit, subject, age(tv, info.time),
			text_clean(&tv->v.arena, who(tv->v.t, &info.author), TEXT_PROSE));
	else if (p->commit)
		buf_addf(b, "gone since %.7s", p->commit);
	else
		buf_addstr(b, "gone from the work tree");
	if (p->near_before && p->near_after)
		buf_addf(b, "; it stood between what are now lines %u and %u", p->near_before, p->near_after);
	if (p->why)
		buf_addf(b, " (%s)", p->why);
}

static void set_guess(struct thread_view *tv, int width)
{
	const struct place *p = &tv->th.place;
	struct buf b = BUF_INIT;
	size_t from = tv->v.text.lines.len;

	if (p->path && p->line)
		buf_addf(&b, "best guess %.2f: %s:%u     Enter look  M move it there  R resolve", p->confidence, clean(tv, p->path), p->line);
	else
		buf_addstr(&b, "nothing like it is there now     M move it to where it belongs  R resolve");
	text_wrap(&tv->v.text, STYLE_WARN, b.ptr, width, 2);
	tag_from(tv, from, &(struct part){ .kind = PART_GUESS });
	buf_release(&b);
}

/* The code as it was: up to four lines around, the lines themselves marked. */
static void code_lines(struct thread_view *tv, const char *text, uint32_t line, bool marked)
{
	struct buf dirty = BUF_INIT, flat = BUF_INIT;

	while (text && *text) {
		size_t n = strcspn(text, "\n");

		buf_reset(&dirty);
		buf_reset(&flat);
		text_sanitize(&dirty, text, n, TEXT_TABS);
		text_expand_tabs(&flat, dirty.ptr, dirty.len, 0, tv->v.t->tab);
		styled_newline(&tv->v.text)->nowrap = true;
		styled_addf(&tv->v.text, STYLE_LINENO, "  %s %5u  ", marked ? glyph(tv->v.t, "▸", ">") : " ", line++);
		styled_addn(&tv->v.text, marked ? STYLE_CODE : STYLE_DIM, flat.ptr, flat.len);
		text += n + (text[n] == '\n');
	}
	buf_release(&dirty);
	buf_release(&flat);
}

static uint32_t count_lines(const char *text)
{
	uint32_t n = 0;

	for (const char *p = text; p && *p; p++)
		n += *p == '\n' || !p[1];
	return n;
}

static void set_written(struct thread_view *tv, int width)
{
	const struct anchor *an = &tv->th.anchor;
	size_t from;
	struct buf b = BUF_INIT;
	uint32_t before = count_lines(an->before), line = an->line ? an->line : 1;

	if (!an->quote) {
		if (tv->written)
			text_wrap(&tv->v.text, STYLE_DIM, "no code was kept with this thread", width, 2);
		return;
	}
	buf_addf(&b, "as written on %s", an->path ? clean(tv, an->path) : "");
	if (an->line)
		buf_addf(&b, an->end > an->line ? ":%u-%u" : ":%u", an->line, an->end);
	if (an->commit)
		buf_addf(&b, " @ %.7s", an->commit);
	buf_addch(&b, ':');
	from = tv->v.text.lines.len;
	text_wrap(&tv->v.text, STYLE_DIM, b.ptr, width, 2);
	code_lines(tv, an->before, line > before ? line - before : 1, false);
	code_lines(tv, an->quote, line, true);
	code_lines(tv, an->after, (an->end > line ? an->end : line) + 1, false);
	tag_from(tv, from, &(struct part){ .kind = PART_WRITTEN });
	buf_release(&b);
}

static void set_anchor_words(struct thread_view *tv, int width)
{
	const struct thread *th = &tv->th;
	struct buf b = BUF_INIT;
	struct commit_info info;
	const char *subject;

	anchor_format(&b, &th->anchor, 0);
	if (th->anchor.type == ANCHOR_COMMIT && th->anchor.commit && (subject = subject_of(tv, th->anchor.commit, &info)) != NULL)
		buf_addf(&b, " \"%s\" (%s, %s)", subject, age(tv, info.time),
			text_clean(&tv->v.arena, who(tv->v.t, &info.author), TEXT_PROSE));
	if (th->anchor.type == ANCHOR_PROJECT)
		buf_addf(&b, " the project");
	if (th->place.why)
		buf_addf(&b, " (%s)", th->place.why);
	else if (th->place.state == PLACE_UNKNOWN && th->anchor.path && th->anchor.commit)
		buf_addf(&b, " @ %.7s (where it is now is being looked for)", th->anchor.commit);
	text_wrap(&tv->v.text, STYLE_DIM, clean(tv, b.ptr), width, 2);
	buf_release(&b);
}

static void set_place(struct thread_view *tv, int width)
{
	const struct thread *th = &tv->th;
	struct buf b = BUF_INIT;
	bool code = th->anchor.path != NULL;

	if (!code || th->place.state == PLACE_UNKNOWN) {
		set_anchor_words(tv, width);
		if (tv->written)
			set_written(tv, width);
		return;
	}
	if (th->place.state == PLACE_GONE)
		gone_words(tv, &b);
	else
		place_words(tv, &b);
	text_wrap(&tv->v.text, th->place.state == PLACE_GONE ? STYLE_WARN : STYLE_DIM, b.ptr, width, 2);
	buf_release(&b);
	if (th->place.state == PLACE_GONE || tv->written)
		set_written(tv, width);
	if (th->place.state == PLACE_GONE)
		set_guess(tv, width);
}

static void add_list(struct thread_view *tv, struct buf *b, const char *name, const char *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s%s", i ? ", " : arena_printf(&tv->v.arena, "%s%s ", b->len ? "  " : "", name), clean(tv, items[i]));
}

static void set_facts(struct thread_view *tv, int width)
{
	const struct thread *th = &tv->th;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < th->n_asked; i++)
		buf_addf(&b, "%s%s", i ? ", " : "asked ", clean(tv, who(tv->v.t, &th->asked[i])));
	add_list(tv, &b, "labels", th->labels, th->n_labels);
	add_list(tv, &b, "links", th->links, th->n_links);
	if (b.len)
		text_wrap(&tv->v.text, STYLE_DIM, b.ptr, width, 2);
	buf_release(&b);
}

/* Long quotations shrink to their first lines. */
static void fold_quotes(struct thread_view *tv, size_t from, int indent)
{
	struct styled *s = &tv->v.text;
	size_t to = from, run = 0, rest;

	for (size_t i = from; i < s->lines.len; i++) {
		struct styled_line line = s->lines.items[i];

		run = line.quote ? run + 1 : 0;
		if (run <= QUOTE_LINES) {
			s->lines.items[to++] = line;
			continue;
		}
		if (run == QUOTE_LINES + 1) {
			for (rest = 0; i + rest < s->lines.len && s->lines.items[i + rest].quote;)
				rest++;
			struct span *sp = ARENA_NEW(&s->arena, struct span);
			const char *text = arena_printf(&s->arena, "%*s%s %zu more quoted lines: z unfolds", indent, "",
				glyph(tv->v.t, "…", "..."), rest);

			*sp = (struct span){ text, strlen(text), STYLE_DIM };
			line.spans = sp;
			line.n = 1;
			line.tag = part_new(tv, &(struct part){ .kind = PART_FOLD });
			s->lines.items[to++] = line;
		}
	}
	s->lines.len = to;
}

/* The first line of the first post is the title, which stands above already. */
static const char *without_title(const struct thread_view *tv, const char *body)
{
	size_t n = strlen(tv->th.title);

	if (!n || strncmp(body, tv->th.title, n) || (body[n] && body[n] != '\n'))
		return body;
	return body + n + strspn(body + n, "\n");
}

static void set_body(struct thread_view *tv, const char *body, int width, int indent)
{
	size_t from = tv->v.text.lines.len;
	int w = width > PROSE + indent ? PROSE + indent : width;

	styled_markdown(&tv->v.text, body, strlen(body), w, indent);
	if (!tv->unfolded)
		fold_quotes(tv, from, indent);
}

static void set_reactions(struct thread_view *tv, const struct post *p, int indent)
{
	if (!p->n_reactions)
		return;
	styled_newline(&tv->v.text);
	styled_addf(&tv->v.text, STYLE_DIM, "%*s", indent, "");
	for (size_t i = 0; i < p->n_reactions; i++)
		styled_addf(&tv->v.text, p->reactions[i].mine ? STYLE_ACCENT : STYLE_DIM, "%s %u  ",
			text_clean(&tv->v.arena, p->reactions[i].emoji, TEXT_PROSE), p->reactions[i].n);
}

static void set_post_head(struct thread_view *tv, const struct post *p, int width, int indent)
{
	struct styled *s = &tv->v.text;
	struct tui *t = tv->v.t;
	const char *dot = glyph(t, "·", "-");
	struct buf b = BUF_INIT;

	styled_newline(s);
	styled_addf(s, STYLE_NORMAL, "%*s", indent, "");
	buf_addf(&b, "%s", p->mine ? "me" : text_clean(&tv->v.arena, who(t, &p->author), TEXT_PROSE));
	styled_add(s, STYLE_STRONG, b.ptr);
	styled_addf(s, STYLE_DATE, " %s %s", dot, age(tv, p->time));
	buf_addf(&b, " %s %s", dot, age(tv, p->time));
	if (p->edited && p->body) {
		styled_addf(s, STYLE_DIM, " %s edited %s", dot, age(tv, p->edited));
		buf_addf(&b, " %s edited %s", dot, age(tv, p->edited));
	}
	if (p->state != POST_SENT && p->state != POST_RETRACTED) {
		styled_addf(s, STYLE_WARN, " %s %s", dot, post_state_name(p->state));
		buf_addf(&b, " %s %s", dot, post_state_name(p->state));
	}
	if (p->accepted) {
		styled_addf(s, STYLE_OK, " %s %s accepted", dot, glyph(t, "✓", "+"));
		buf_addf(&b, " %s %s accepted", dot, glyph(t, "✓", "+"));
	}
	if (p->unread)
		add_right(tv, indent + text_width(b.ptr), width > PROSE + 2 ? PROSE + 2 : width, STYLE_UNREAD, glyph(t, "●", "*"));
	buf_release(&b);
}

/* The blank below a post is still the post. */
static void add_blank(struct thread_view *tv)
{
	struct styled *s = &tv->v.text;
	void *tag = s->lines.len ? s->lines.items[s->lines.len - 1].tag : NULL;

	styled_newline(s)->tag = tag;
}

static void set_post(struct thread_view *tv, const struct post *p, bool first, int width)
{
	size_t from = tv->v.text.lines.len + 1;
	int indent = first || width < 50 ? 2 : 4;

	*array_add(&tv->starts) = from;
	add_blank(tv);
	set_post_head(tv, p, width, indent);
	if (p->body) {
		set_body(tv, first ? without_title(tv, p->body) : p->body, width, indent);
	} else {
		styled_newline(&tv->v.text);
		styled_addf(&tv->v.text, STYLE_DIM, "%*staken back by its author", indent, "");
	}
	set_reactions(tv, p, indent);
	tag_from(tv, from, &(struct part){ .post = p });
}

static bool draft_is_here(const struct thread_view *tv, const struct draft *d)
{
	if (!d->target)
		return false;
	if (!strcmp(d->target, tv->th.id) || !strcmp(d->target, tv->th.abbrev))
		return true;
	/* A draft may have it shorter, but never so short that another post could be meant. */
	for (unsigned i = 0; i < tv->th.n_posts && tv->th.posts; i++)
		if (d->target[0] == 'p' && str_starts(tv->th.posts[i].id, d->target))
			return true;
	return false;
}

static void set_draft(struct thread_view *tv, const struct draft *d, int width)
{
	struct styled *s = &tv->v.text;
	size_t from = s->lines.len + 1;
	int indent = width < 50 ? 2 : 4;

	add_blank(tv);
	styled_newline(s);
	styled_addf(s, STYLE_NORMAL, "%*s", indent, "");
	styled_add(s, STYLE_STRONG, "me");
	styled_addf(s, STYLE_DATE, " %s %s", glyph(tv->v.t, "·", "-"), age(tv, d->updated));
	styled_addf(s, STYLE_WARN, " %s draft %s, not sent%s", glyph(tv->v.t, "·", "-"), clean(tv, d->verb),
		width < 70 ? "" : ": E edits, ! sends, X drops it");
	if (d->problem)
		text_wrap(s, STYLE_WARN, clean(tv, d->problem), width, indent);
	if (d->body)
		set_body(tv, d->body, width, indent);
	tag_from(tv, from, &(struct part){ .draft = d });
}

/* All of it, if it fits. */
static void go_to_last_post(struct thread_view *tv)
{
	struct view *v = &tv->v;
	size_t n = v->text.lines.len, h = v->area.h > 0 ? (size_t)v->area.h : 20;

	tv->said = false;
	for (size_t row = n; row-- > 0;) {
		const struct part *p = view_tag(v, row);

		if (p && p->post == &tv->th.posts[tv->th.n_posts - 1])
			v->cursor = row;
	}
	v->top = n > h ? n - h : 0;
}

/* One post more; behind the last one, the drafts. */
static bool thread_more(struct view *v)
{
	struct thread_view *tv = self(v);
	size_t n = tv->loaded && tv->th.posts ? tv->th.n_posts : 0, i = tv->starts.len;
	int width = v->width < 12 ? 12 : v->width;

	if (i < n) {
		set_post(tv, &tv->th.posts[i], i == 0, width);
		return true;
	}
	for (i = 0; tv->loaded && i < tv->drafts.len; i++)
		if (draft_is_here(tv, &tv->drafts.items[i]))
			set_draft(tv, &tv->drafts.items[i], width);
	if (tv->loaded)
		add_blank(tv);
	if (tv->said)
		go_to_last_post(tv);
	return false;
}

/* Which post a row belongs to, counted from 1; 0: it is above them. */
static size_t post_of(const struct thread_view *tv, size_t row)
{
	size_t lo = 0, hi = tv->starts.len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (tv->starts.items[mid] <= row)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Whatever was written meanwhile, and however wide the lines are now: what was read is read on. */
static void thread_layout(struct view *v, int width)
{
	struct thread_view *tv = self(v);
	size_t post = post_of(tv, v->cursor), inside = post ? v->cursor - tv->starts.items[post - 1] : 0, above = v->cursor - v->top;

	tv->starts.len = 0;
	tv->since = tv->since ? tv->since : clock_mono();
	if (!tv->loaded)
		return;
	if (width < 12)
		width = 12;
	set_head(tv, width);
	set_place(tv, width);
	set_facts(tv, width);
	while (v->unfinished && (tv->said || (post && tv->starts.len <= post)))
		v->unfinished = thread_more(v);
	if (post && post <= tv->starts.len && !tv->said) {
		size_t end = post < tv->starts.len ? tv->starts.items[post] : v->text.lines.len, start = tv->starts.items[post - 1];

		v->cursor = start + inside < end ? start + inside : end - 1;
		v->top = v->cursor > above ? v->cursor - above : 0;
	}
}

/* ---- target, acts, bands */

static void thread_target_at(struct view *v, size_t row, struct target *t)
{
	struct thread_view *tv = self(v);
	const struct part *p = view_tag(v, row);

	if (!tv->loaded)
		return;
	thread_target(v->t, &tv->th, t);
	if (p && p->draft) {
		t->draft = p->draft->id;
		t->post_draft = true;
		t->quote = p->draft->body;
	}
	if (p && p->post) {
		t->post = p->post->id;
		t->post_mine = p->post->mine;
		t->quote = p->post->body;
	}
	if (p && p->kind == PART_GUESS) {
		t->path = tv->th.place.path;
		t->line = tv->th.place.line;
	}
}

static void open_code(struct thread_view *tv, const char *path, uint32_t line, const char *rev)
{
	struct tui *t = tv->v.t;
	const char *argv[] = { path, arena_printf(&t->acting, "%u", line ? line : 1), rev, NULL };
	struct err e = ERR_INIT;

	if (tui_open(t, &file_view, rev ? 3 : 2, argv, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
}

static bool open_here(struct thread_view *tv, const struct part *p)
{
	const struct thread *th = &tv->th;
	const struct place *pl = &th->place;

	if (p && p->kind == PART_FOLD)
		return false;
	if (p && p->kind == PART_WRITTEN && th->anchor.path)
		open_code(tv, th->anchor.path, th->anchor.line, th->anchor.commit);
	else if (pl->path && (pl->state != PLACE_UNKNOWN) && (pl->state != PLACE_GONE || pl->line))
		open_code(tv, pl->path, pl->line, NULL);
	else if (th->anchor.type == ANCHOR_COMMIT && th->anchor.commit)
		tui_run_line(tv->v.t, "commit %commit");
	else if ((th->anchor.type == ANCHOR_TASK || th->anchor.type == ANCHOR_CHANGE) && th->anchor.task)
		tui_run_line(tv->v.t, "task %task");
	else if (th->anchor.path)
		open_code(tv, th->anchor.path, th->anchor.line, th->anchor.commit);
	else
		tui_say(tv->v.t, MSG_INFO, "this thread is about the project as a whole");
	return true;
}

static bool thread_act(struct view *v, enum act a, const char *arg)
{
	struct thread_view *tv = self(v);
	const struct part *p = view_tag(v, v->cursor);

	(void)arg;
	if (!tv->loaded)
		return false;
	if (a == ACT_WRITTEN) {
		tv->written = !tv->written;
		view_load(v);
		return true;
	}
	if (a == ACT_FOLD || (a == ACT_OPEN && p && p->kind == PART_FOLD)) {
		tv->unfolded = !tv->unfolded;
		view_load(v);
		return true;
	}
	if (a == ACT_OPEN && tui_view(v->t) == v)
		return open_here(tv, p);
	return false;
}

static void thread_title(struct view *v, struct buf *left, struct buf *right)
{
	struct thread_view *tv = self(v);

	buf_addf(left, "%s %s ", repo_name(v->t->work->repo), glyph(v->t, "·", "-"));
	if (tv->loaded) {
		const char *where = thread_anchor(&v->t->frame, &tv->th);

		text_sanitize(left, where, strlen(where), 0);
		if (v->to_end || v->find.waits)
			buf_addf(right, "%s%s  ", v->to_end ? "to the end" : "looking", glyph(v->t, "…", "..."));
		buf_addf(right, "%u post%s", tv->th.n_posts, tv->th.n_posts == 1 ? "" : "s");
	}
}

const struct view_ops thread_view = {
	.name = "thread", .args = "ID", .help = "a thread: where its code is now, and its posts", .complete = "thread",
	.kind = VIEW_TEXT, .flags = VIEW_PROSE, .size = sizeof(struct thread_view),
	.hints = "reply-here=reply\nreply-line=one line\ntoggle-resolved=resolve\naccept-post=accept answer\nedit-code=edit code\n"
		"next-thread=next thread\nkeys=keys\npane=code\nwritten=as written\nback=back",
	.open = thread_open, .close = thread_close, .load = thread_load, .layout = thread_layout, .layout_more = thread_more, .target = thread_target_at,
	.act = thread_act, .title = thread_title, .tick = thread_tick,
};
