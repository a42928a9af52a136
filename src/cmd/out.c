/* SPDX-License-Identifier: MIT */
/*
 * One printer for text and JSON. Spans are cleaned on their way into one buffer, so no command can leak an escape
 * sequence: the only ones in the result are style_sgr's. The buffer goes out in large pieces; on a terminal a paged
 * command's first screenful is held back, and the pager is started only when there is more than fits.
 *
 * A write that fails is remembered, not reported in the middle: the engine asks for it at the end. Output that nobody
 * reads any more (a closed pipe) stops the walk through out_alive.
 */
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "killick/cmd/out.h"
#include "killick/text/sanitize.h"
#include "killick/text/width.h"

#define OUT_PIECE (64u << 10)

struct out {
	struct buf buf, tmp;
	bool json, jsonl, colour;
	bool hold;        /* a paged command on a terminal, not yet more than a screenful */
	bool paged;
	bool list;        /* inside a JSON list */
	bool status;      /* a line of out_status is shown */
	size_t items, lines;
	int fault;        /* errno of the first write that failed */
};

static bool env_set(const char *name)
{
	const char *v = getenv(name);

	return v && *v;
}

static bool wants_colour(const struct cmd *c)
{
	const char *when = c->common.color ? c->common.color : "auto";

	if (!strcmp(when, "auto"))
		return c->io->colour && !env_set("NO_COLOR");
	return !strcmp(when, "always");
}

void out_open(struct cmd *c)
{
	struct out *o = xcalloc(1, sizeof(*o));

	buf_init(&o->buf);
	buf_init(&o->tmp);
	o->jsonl = c->common.jsonl;
	o->json = c->common.json || c->common.jsonl;
	o->colour = !o->json && wants_colour(c);
	o->hold = c->entry && (c->entry->flags & CMD_PAGE) && c->io->tty && c->io->page && !c->common.no_pager && !o->json;
	c->o = o;
}

void out_close(struct cmd *c)
{
	buf_release(&c->o->buf);
	buf_release(&c->o->tmp);
	free(c->o);
	c->o = NULL;
}

bool out_json(const struct cmd *c)
{
	return c->o->json;
}

void out_set_json(struct cmd *c)
{
	c->o->json = true;
	c->o->hold = c->o->colour = false;
}

bool out_alive(const struct cmd *c)
{
	return !c->o->fault;
}

void out_flush(struct cmd *c)
{
	struct out *o = c->o;

	if (o->buf.len && c->io->tty)
		out_status(c, NULL);
	if (o->buf.len && !o->fault && c->io->out(c->io->ctx, o->buf.ptr, o->buf.len))
		o->fault = errno ? errno : EIO;
	buf_reset(&o->buf);
}

/* After something was added: decides about the pager, writes when there is enough. */
static void out_push(struct cmd *c)
{
	struct out *o = c->o;

	if (o->hold) {
		if (o->lines + 1 < (size_t)c->io->height && o->buf.len < OUT_PIECE)
			return;
		o->hold = false;
		o->paged = true;
		out_status(c, NULL);
		c->io->page(c->io->ctx, c->work ? c->work->repo : NULL);
	}
	if (o->buf.len >= OUT_PIECE || (o->paged && c->io->tty))
		out_flush(c);
}

void out_settle(struct cmd *c)
{
	if (c->o->list)
		out_list_end(c);
	out_flush(c);
}

int out_finish(struct cmd *c)
{
	out_settle(c);
	return c->o->paged && c->o->fault == EPIPE ? 0 : c->o->fault;
}

int out_prose_width(const struct cmd *c)
{
	return c->io->width < 20 ? 20 : c->io->width > 76 ? 76 : c->io->width;
}

/* JSON */

static void json_out(struct cmd *c, const json_t *j)
{
	json_write(&c->o->buf, j);
	out_push(c);
}

void out_list_begin(struct cmd *c, const char *name)
{
	struct out *o = c->o;

	o->list = o->json;
	o->items = 0;
	if (o->json && !o->jsonl)
		buf_addf(&o->buf, "{\"format\":1,\"%s\":[", name);
}

/* What is behind the start was written as a document of its own. */
static void end_item(struct cmd *c, size_t start)
{
	struct buf *b = &c->o->buf;

	if (c->o->jsonl) {
		b->ptr[start] = ',';
		buf_addch(b, '\n');
	}
	out_push(c);
}

static size_t begin_item(struct cmd *c)
{
	struct out *o = c->o;

	if (o->jsonl)
		buf_addstr(&o->buf, "{\"format\":1");
	else if (o->items++)
		buf_addch(&o->buf, ',');
	return o->buf.len;
}

void out_thread(struct cmd *c, const struct thread *t)
{
	size_t start;

	if (!c->o->json) {
		out_thread_line(c, t);
		return;
	}
	start = begin_item(c);
	thread_add_json(&c->o->buf, t);
	end_item(c, start);
}

static void jsonl_line(struct cmd *c, json_t *item)
{
	json_t *line = json_object();

	json_put_int(line, "format", 1);
	json_object_update(line, item);
	json_out(c, line);
	buf_addch(&c->o->buf, '\n');
	json_decref(line);
}

void out_item(struct cmd *c, json_t *item)
{
	struct out *o = c->o;

	if (o->json && o->jsonl) {
		jsonl_line(c, item);
	} else if (o->json) {
		if (o->items++)
			buf_addch(&o->buf, ',');
		json_out(c, item);
	}
	json_decref(item);
}

void out_list_end(struct cmd *c)
{
	struct out *o = c->o;

	if (o->json && !o->jsonl) {
		buf_addch(&o->buf, ']');
		if (c->places.asked) {
			json_add_bool(&o->buf, "complete", !c->places.missing);
			json_add_int(&o->buf, "unplaced", (int64_t)c->places.missing);
		}
		buf_addstr(&o->buf, "}\n");
	}
	o->list = false;
	out_push(c);
}

void out_doc(struct cmd *c, const char *name, json_t *doc)
{
	struct out *o = c->o;
	json_t *top;

	if (o->json && o->jsonl) {
		jsonl_line(c, doc);
	} else if (o->json) {
		top = json_object();
		json_put_int(top, "format", 1);
		json_object_set(top, name, doc);
		json_out(c, top);
		buf_addch(&o->buf, '\n');
		json_decref(top);
	}
	json_decref(doc);
}

/* Text */

/* On a terminal that knows no UTF-8 its bytes would be other characters, some of them controls (trust.md 1). */
static void narrow(struct buf *b, size_t from)
{
	size_t to = from;

	for (size_t i = from; i < b->len; i++) {
		unsigned char ch = (unsigned char)b->ptr[i];
		if (ch < 0x80)
			b->ptr[to++] = (char)ch;
		else if (ch >= 0xc0)
			b->ptr[to++] = '?';
	}
	buf_setlen(b, to);
}

static void span(struct cmd *c, enum style st, const char *p, size_t n, unsigned flags)
{
	struct out *o = c->o;
	const char *sgr = o->colour ? style_sgr(st) : "";
	size_t start;

	if (o->json || !n)
		return;
	buf_addstr(&o->buf, sgr);
	start = o->buf.len;
	text_sanitize(&o->buf, p, n, flags);
	if (c->io->narrow)
		narrow(&o->buf, start);
	if (*sgr)
		buf_addstr(&o->buf, style_sgr_end());
}

void out_text(struct cmd *c, enum style st, const char *text)
{
	span(c, st, text ? text : "", text ? strlen(text) : 0, 0);
}

void out_prose(struct cmd *c, enum style st, const char *text)
{
	span(c, st, text ? text : "", text ? strlen(text) : 0, TEXT_PROSE);
}

void out_code(struct cmd *c, enum style st, const char *p, size_t n)
{
	span(c, st, p, n, TEXT_TABS);
}

void out_textf(struct cmd *c, enum style st, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	span(c, st, b.ptr, b.len, 0);
	buf_release(&b);
}

void out_cell(struct cmd *c, enum style st, const char *text, int cells)
{
	struct out *o = c->o;
	struct buf clean = BUF_INIT;
	int width;

	if (o->json)
		return;
	text_sanitize(&clean, text ? text : "", text ? strlen(text) : 0, TEXT_PROSE);
	width = text_width_n(clean.ptr, clean.len);
	buf_reset(&o->tmp);
	if (c->io->tty || width <= cells)
		text_pad(&o->tmp, clean.ptr, cells, ALIGN_LEFT, c->io->ascii);
	else
		buf_addbuf(&o->tmp, &clean);
	span(c, st, o->tmp.ptr, o->tmp.len, TEXT_PROSE);
	buf_release(&clean);
}

/* Blanks at a line's end say nothing and trip comparisons. */
static void cut_blanks(struct buf *b)
{
	while (b->len && b->ptr[b->len - 1] == ' ')
		buf_setlen(b, b->len - 1);
}

void out_line(struct cmd *c)
{
	struct out *o = c->o;

	if (o->json)
		return;
	cut_blanks(&o->buf);
	buf_addch(&o->buf, '\n');
	o->lines++;
	out_push(c);
}

void out_styled(struct cmd *c, const struct styled *s)
{
	for (size_t i = 0; i < s->lines.len; i++) {
		const struct styled_line *l = &s->lines.items[i];

		for (size_t k = 0; k < l->n; k++)
			span(c, l->spans[k].style, l->spans[k].text, l->spans[k].len, TEXT_PROSE | TEXT_TABS);
		out_line(c);
	}
}

void out_raw(struct cmd *c, const char *p, size_t n)
{
	for (const char *q = p, *end = p + n; n && (q = memchr(q, '\n', (size_t)(end - q))); q++)
		c->o->lines++;
	buf_add(&c->o->buf, p, n);
	out_push(c);
}

/* Words beside the result. */

bool out_status(struct cmd *c, const char *text)
{
	struct buf clean = BUF_INIT, b = BUF_INIT;

	if (!c->io->status || c->o->paged)
		return false;
	if (text) {
		text_sanitize(&clean, text, strlen(text), TEXT_PROSE);
		text_pad(&b, clean.ptr, c->io->width > 2 ? c->io->width - 1 : 1, ALIGN_LEFT, c->io->ascii);
		buf_rtrim(&b);
		if (c->io->narrow)
			narrow(&b, 0);
	}
	if (text || c->o->status)
		c->io->status(c->io->ctx, text ? b.ptr : NULL);
	c->o->status = text != NULL;
	buf_release(&clean);
	buf_release(&b);
	return true;
}

/* Lines after the first are set in, so that no text from outside can pass for a message of killick's. */
static void say(struct cmd *c, const char *text)
{
	struct buf clean = BUF_INIT, b = BUF_INIT;

	out_status(c, NULL);
	text_sanitize(&clean, text, strlen(text), TEXT_LINES | TEXT_PROSE);
	buf_rtrim(&clean);
	if (c->io->narrow)
		narrow(&clean, 0);
	buf_addstr(&b, "killick: ");
	for (size_t i = 0; i < clean.len; i++) {
		buf_addch(&b, clean.ptr[i]);
		if (clean.ptr[i] == '\n')
			buf_addstr(&b, "  ");
	}
	buf_addch(&b, '\n');
	c->io->err(c->io->ctx, b.ptr, b.len);
	buf_release(&clean);
	buf_release(&b);
}

void out_note(struct cmd *c, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	if (c->io->tty && !c->o->hold && !c->o->paged)
		out_flush(c); /* so that both streams keep their order on the screen */
	say(c, b.ptr);
	buf_release(&b);
}

void out_error(struct cmd *c, const struct err *e)
{
	say(c, e->msg[0] ? e->msg : "failed");
}
