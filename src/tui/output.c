/* SPDX-License-Identifier: MIT */
/* A command's output as a screen: ":at src/a.c", ":doctor", a link to copy by hand. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/text/sanitize.h"
#include "killick/text/width.h"
#include "output.h"

struct output { struct view v; char *title, *body; size_t n; };

static int output_init(struct view *v, int argc, const char *const *argv, struct err *e)
{
	struct output *o = (struct output *)v;

	if (argc < 2)
		return err_set(e, ERR_USAGE, "this screen shows what a command printed; run one with \":\"");
	o->title = xstrdup(argv[0]);
	o->n = strlen(argv[1]);
	o->body = xstrndup(argv[1], o->n);
	return 0;
}

static void output_close(struct view *v)
{
	struct output *o = (struct output *)v;

	free(o->title);
	free(o->body);
}

/* A line alone has no columns, but may be a link to mark: it is shown whole, over as many rows as it takes. */
static void add_line(struct styled *out, const char *p, size_t n, int width)
{
	do {
		int used;
		size_t fits = width > 0 ? text_fit(p, n, width, &used) : n;

		fits = fits ? fits : n;
		styled_newline(out)->nowrap = true;
		styled_addn(out, STYLE_NORMAL, p, fits);
		p += fits;
		n -= fits;
	} while (n);
}

/* Lines stay as they were printed: columns must not be broken by wrapping. */
static void output_layout(struct view *v, int width)
{
	struct output *o = (struct output *)v;
	struct buf clean = BUF_INIT, line = BUF_INIT;
	const char *p;
	bool alone;

	text_sanitize(&clean, o->body, o->n, TEXT_LINES | TEXT_TABS | TEXT_PROSE);
	buf_rtrim(&clean);
	alone = !strchr(clean.ptr, '\n');
	for (p = clean.ptr; *p;) {
		size_t n = strcspn(p, "\n");

		buf_reset(&line);
		text_expand_tabs(&line, p, n, 0, 8);
		add_line(&v->text, line.ptr, line.len, alone ? width : 0);
		p += n + (p[n] == '\n');
	}
	buf_release(&clean);
	buf_release(&line);
}

static void output_title(struct view *v, struct buf *left, struct buf *right)
{
	buf_addf(left, "%s %s %s", repo_name(v->t->work->repo), glyph(v->t, "·", "-"), ((struct output *)v)->title);
	buf_addf(right, "%zu line%s", v->text.lines.len, v->text.lines.len == 1 ? "" : "s");
}

static void output_target(struct view *v, size_t row, struct target *t)
{
	(void)row;
	t->quote = ((struct output *)v)->body;
}

const struct view_ops output_view = {
	.name = "output", .help = "what a command printed", .kind = VIEW_TEXT, .size = sizeof(struct output),
	.hints = "back=back\nfilter=find\nfind-next=next match\nkeys=keys",
	.open = output_init, .close = output_close, .layout = output_layout, .title = output_title, .target = output_target,
};

void output_open(struct tui *t, const char *title, const char *text, size_t n)
{
	char *copy = xstrndup(text, n);
	const char *const argv[] = { title, copy, NULL };
	struct err e = ERR_INIT;

	if (tui_open(t, &output_view, 2, argv, &e) < 0)
		tui_say(t, MSG_ERROR, "%s", e.msg);
	free(copy);
}
