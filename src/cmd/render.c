/* SPDX-License-Identifier: MIT */
/*
 * Threads and tasks as lines for people: the same columns in every list, the whole thread as `show` prints it.
 * State never hangs on colour alone: each has its glyph or word. In a pipe nothing is cut and columns are only padded.
 */
#include "config.h"
#include <string.h>
#include "killick/cmd/act.h"
#include "killick/text/width.h"

static const char *dot(const struct cmd *c)
{
	return c->io->ascii ? " - " : " · ";
}

/* "src/net/http.c:120": the place now where it is known, else as written. */
static const char *where(struct cmd *c, const struct thread *t)
{
	return t->anchor.type == ANCHOR_PROJECT ? "the project" : act_anchor_text(c, t);
}

/* What a reader must know beside the title: state, privacy, what became of the place. */
static void add_flags(struct buf *b, const struct thread *t)
{
	static const char *const words[] = { [PLACE_MOVED] = "moved", [PLACE_EDITED] = "edited since", [PLACE_GONE] = "gone" };
	const char *place = t->place.state < ARRAY_SIZE(words) ? words[t->place.state] : NULL;

	if (t->state != STATE_OPEN)
		buf_addf(b, "%s, ", thread_state_name(t->state));
	if (t->audience == AUDIENCE_PRIVATE)
		buf_addstr(b, "private, ");
	if (place)
		buf_addf(b, "%s, ", place);
	if (b->len)
		buf_setlen(b, b->len - 2);
}

void out_thread_line(struct cmd *c, const struct thread *t)
{
	bool tty = c->io->tty, settled = t->state != STATE_OPEN;
	int width = tty ? c->io->width : 0, id = 8, place = width >= 100 ? 34 : 26, who = 20;
	int title = width - 4 - id - place - who;
	char age[TIME_RELATIVE_SIZE];
	struct buf flags = BUF_INIT;

	add_flags(&flags, t);
	time_relative(age, t->updated, clock_now());
	out_text(c, STYLE_UNREAD, t->n_unread ? (c->io->ascii ? "*" : "●") : " ");
	out_textf(c, settled ? STYLE_DIM : STYLE_ACCENT, "%s ", thread_kind_glyph(t->kind, c->io->ascii));
	out_cell(c, STYLE_ID, t->abbrev, id);
	out_cell(c, STYLE_NORMAL, where(c, t), place - 2);
	out_text(c, STYLE_NORMAL, "  ");
	if (tty)
		out_cell(c, settled ? STYLE_DIM : STYLE_NORMAL, t->title, title < 20 ? 20 : title);
	else
		out_prose(c, STYLE_NORMAL, t->title);
	out_text(c, STYLE_NORMAL, "  ");
	if (flags.len)
		out_textf(c, STYLE_DIM, "%s  ", flags.ptr);
	out_text(c, STYLE_AUTHOR, person_label(&t->last_author));
	out_textf(c, STYLE_DATE, "  %s", age);
	out_line(c);
	if (t->match && *t->match) {
		out_text(c, STYLE_NORMAL, "          ");
		out_match(c, t->match);
		out_line(c);
	}
	buf_release(&flags);
}

/* A search's snippet: hits stand between \1 and \2. */
void out_match(struct cmd *c, const char *snippet)
{
	while (*snippet) {
		size_t n = strcspn(snippet, "\1\2\n");
		if (n)
			out_prose(c, STYLE_DIM, arena_memdup(c->arena, snippet, n));
		snippet += n;
		if (*snippet == '\1') {
			size_t hit = strcspn(snippet + 1, "\2");
			out_prose(c, STYLE_MATCH, arena_memdup(c->arena, snippet + 1, hit));
			snippet += 1 + hit;
		}
		if (*snippet) {
			if (*snippet == '\n')
				out_text(c, STYLE_NORMAL, " ");
			snippet++;
		}
	}
}

void out_threads(struct cmd *c, const struct thread *t, size_t n, const char *none)
{
	out_list_begin(c, "threads");
	for (size_t i = 0; i < n && out_alive(c); i++)
		out_thread(c, &t[i]);
	out_list_end(c);
	if (!n && none && !out_json(c))
		out_note(c, "%s", none);
}

void out_task_line(struct cmd *c, const struct task *t)
{
	char age[TIME_RELATIVE_SIZE];

	time_relative(age, t->updated, clock_now());
	out_cell(c, STYLE_ID, t->id, 11);
	out_cell(c, t->state == TASK_OPEN ? STYLE_ACCENT : STYLE_DIM, task_state_name(t->state), 7);
	out_prose(c, t->state == TASK_OPEN ? STYLE_NORMAL : STYLE_DIM, t->title);
	for (size_t i = 0; i < t->n_labels; i++)
		out_textf(c, STYLE_DIM, " [%s]", t->labels[i]);
	for (size_t i = 0; i < t->n_assignees; i++)
		out_textf(c, STYLE_AUTHOR, " @%s", person_label(&t->assignees[i]));
	if (t->n_threads)
		out_textf(c, STYLE_DIM, "  %u open of %u threads", t->n_open, t->n_threads);
	out_textf(c, STYLE_DATE, "  %s", age);
	out_line(c);
}

/* ---- a whole thread ---- */

static void head_lines(struct cmd *c, const struct thread *t)
{
	out_textf(c, t->state == STATE_OPEN ? STYLE_ACCENT : STYLE_DIM, "%s ", thread_kind_glyph(t->kind, c->io->ascii));
	out_prose(c, STYLE_STRONG, t->title);
	out_line(c);
	out_text(c, STYLE_ID, t->abbrev);
	out_textf(c, STYLE_DIM, "%s%s, %s%s%s, %s", dot(c), thread_kind_name(t->kind), thread_state_name(t->state), dot(c),
	    t->source, t->audience == AUDIENCE_PRIVATE ? "private, only here" : "everyone");
	for (size_t i = 0; i < t->n_asked; i++)
		out_textf(c, STYLE_DIM, "%s%s", i ? ", " : (c->io->ascii ? " - to " : " · to "), person_label(&t->asked[i]));
	for (size_t i = 0; i < t->n_labels; i++)
		out_textf(c, STYLE_DIM, " [%s]", t->labels[i]);
	out_line(c);
}

static void as_written(struct cmd *c, const struct thread *t)
{
	struct buf b = BUF_INIT;

	anchor_format(&b, &t->anchor, t->anchor.commit ? ANCHOR_WITH_COMMIT : 0);
	out_text(c, STYLE_NORMAL, b.ptr);
	buf_release(&b);
}

static void gone_words(struct cmd *c, const struct place *p)
{
	out_text(c, STYLE_WARN, "gone");
	if (p->commit)
		out_textf(c, STYLE_NORMAL, " since %.7s", p->commit);
	if (p->last_path && p->last_line)
		out_textf(c, STYLE_NORMAL, "; last on %s:%u at %.7s", p->last_path, p->last_line,
		    p->last_commit ? p->last_commit : "?");
	if (p->path && p->line)
		out_textf(c, STYLE_NORMAL, "; best guess %.2f: %s:%u", p->confidence, p->path, p->line);
}

static void place_line(struct cmd *c, const struct thread *t)
{
	const struct place *p = &t->place;

	as_written(c, t);
	if (t->anchor.type < ANCHOR_FILE || p->state == PLACE_UNKNOWN) {
		if (p->why)
			out_textf(c, STYLE_WARN, "  (place unknown: %s)", p->why);
	} else if (p->state == PLACE_GONE) {
		out_text(c, STYLE_DIM, "  now ");
		gone_words(c, p);
	} else {
		out_textf(c, STYLE_DIM, "  now %s, %s", act_anchor_text(c, t), place_state_name(p->state));
		if (p->confidence < 1)
			out_textf(c, STYLE_DIM, " (%.2f)", p->confidence);
	}
	out_line(c);
}

static void code_lines(struct cmd *c, const char *text, uint32_t first, enum style st, const char *mark)
{
	for (uint32_t n = first; text && *text; n++) {
		size_t len = strcspn(text, "\n");

		out_textf(c, STYLE_LINENO, "  %s%5u  ", mark, n);
		out_code(c, st, text, len);
		out_line(c);
		text += len + (text[len] == '\n');
	}
}

static uint32_t count(const char *text)
{
	uint32_t n = 0;

	for (; text && *text; text += strcspn(text, "\n"), text += *text == '\n')
		n++;
	return n;
}

static void code_as_written(struct cmd *c, const struct anchor *an)
{
	uint32_t before = count(an->before);

	if (!an->quote || an->type != ANCHOR_LINES || an->line <= before)
		return;
	out_line(c);
	code_lines(c, an->before, an->line - before, STYLE_DIM, " ");
	code_lines(c, an->quote, an->line, STYLE_NORMAL, c->io->ascii ? ">" : "▸");
	code_lines(c, an->after, an->end + 1, STYLE_DIM, " ");
}

/* Where the words were changed since, the lines as they are now follow those as written. */
static void code_now(struct cmd *c, const struct thread *t)
{
	const struct place *p = &t->place;
	struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;
	const char *s, *nl;
	uint32_t n = 1;

	if (p->state != PLACE_EDITED || !p->path || !p->line || !t->anchor.quote ||
	    repo_worktree_file(c->work->repo, p->path, 0, &text, NULL, &ignored)) {
		buf_release(&text);
		return;
	}
	for (s = text.ptr; s < text.ptr + text.len && n <= p->end; n++) {
		nl = memchr(s, '\n', (size_t)(text.ptr + text.len - s));
		size_t len = nl ? (size_t)(nl - s) : (size_t)(text.ptr + text.len - s);

		if (n == p->line) {
			out_text(c, STYLE_DIM, "  now:");
			out_line(c);
		}
		if (n >= p->line) {
			out_textf(c, STYLE_LINENO, "  %s%5u  ", c->io->ascii ? ">" : "▸", n);
			out_code(c, STYLE_NORMAL, s, len && s[len - 1] == '\r' ? len - 1 : len);
			out_line(c);
		}
		s += len + 1;
	}
	buf_release(&text);
}

static void reaction_line(struct cmd *c, const struct post *p)
{
	if (!p->n_reactions)
		return;
	out_text(c, STYLE_NORMAL, "  ");
	for (size_t i = 0; i < p->n_reactions; i++) {
		out_prose(c, STYLE_NORMAL, p->reactions[i].emoji);
		out_textf(c, p->reactions[i].mine ? STYLE_ACCENT : STYLE_DIM, " %u  ", p->reactions[i].n);
	}
	out_line(c);
}

static void post_lines(struct cmd *c, const struct post *p)
{
	struct styled s = STYLED_INIT;
	char when[TIME_RELATIVE_SIZE];

	out_line(c);
	out_text(c, STYLE_AUTHOR, person_label(&p->author));
	out_textf(c, STYLE_DATE, "%s%s", dot(c), time_relative(when, p->time, clock_now()));
	out_textf(c, STYLE_DIM, "%s%.13s", dot(c), p->id);
	if (p->accepted)
		out_textf(c, STYLE_OK, "%saccepted", dot(c));
	if (p->edited)
		out_textf(c, STYLE_DIM, "%sedited", dot(c));
	if (p->restricted)
		out_textf(c, STYLE_WARN, "%sseen by some only", dot(c));
	if (p->state != POST_SENT && p->state != POST_RETRACTED)
		out_textf(c, p->state == POST_QUEUED ? STYLE_DIM : STYLE_WARN, "%s%s", dot(c), post_state_name(p->state));
	if (p->unread)
		out_textf(c, STYLE_UNREAD, " %s", c->io->ascii ? "*" : "●");
	out_line(c);
	if (p->body)
		styled_markdown(&s, p->body, strlen(p->body), out_prose_width(c), 2);
	else
		styled_wrap(&s, STYLE_DIM, "(retracted)", 11, out_prose_width(c), 2);
	out_styled(c, &s);
	styled_release(&s);
	reaction_line(c, p);
}

void out_thread_full(struct cmd *c, const struct thread *t)
{
	head_lines(c, t);
	place_line(c, t);
	for (size_t i = 0; i < t->n_links; i++) {
		out_textf(c, STYLE_LINK, "%s%s", i ? ", " : "linked: ", t->links[i]);
		if (i + 1 == t->n_links)
			out_line(c);
	}
	code_as_written(c, &t->anchor);
	code_now(c, t);
	for (unsigned i = 0; t->posts && i < t->n_posts; i++)
		post_lines(c, &t->posts[i]);
}
