/* SPDX-License-Identifier: MIT */
/* The keys of a screen, made from the key table as it is now, its own bindings first; then how the rest is reached. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/text/sanitize.h"
#include "killick/text/width.h"
#include "views.h"

struct help { struct view v; const struct view_ops *of; };

static int help_open(struct view *v, int argc, const char *const *argv, struct err *e)
{
	struct help *h = (struct help *)v;

	h->of = view_ops_find(argc ? argv[0] : "inbox");
	if (!h->of)
		return err_set(e, ERR_NOT_FOUND, "no screen is called '%s'", argv[0]);
	return 0;
}

/* What a bound line does, in words. */
static const char *meaning(struct view *v, const char *command, const char **group)
{
	size_t n = strcspn(command, " ");
	const char *name = arena_memdup(&v->text.arena, command, n);
	enum act a = act_find(name);
	const struct view_ops *ops = view_ops_find(name);
	const struct cmd_entry *e = cmd_find(name, NULL);

	if (a != ACT_NONE) {
		*group = act_row(a)->group;
		return command[n] ? arena_printf(&v->text.arena, "%s:%s", act_row(a)->help, command + n) : act_row(a)->help;
	}
	*group = ops && !command[n] ? "Screens" : "Commands";
	if (e && command[n]) {
		size_t m = strcspn(command + n + 1, " ");
		const struct cmd_entry *sub = cmd_find(name, arena_memdup(&v->text.arena, command + n + 1, m));

		if (sub)
			return sub->summary;
	}
	if (ops && !command[n])
		return ops->help;
	return e && !command[n] ? e->summary : arena_printf(&v->text.arena, ":%s", command);
}

/* All keys of a command in one row: "j Down". */
static bool told_before(struct help *h, size_t upto, const struct binding *b)
{
	const struct binding *other;

	for (size_t i = 0; keymap_each(&h->v.t->keys, h->of->name, &i, &other) && i < upto;)
		if (!strcmp(other->command, b->command) && !strcmp(other->where, b->where))
			return true;
	return false;
}

static void add_keys(struct help *h, const struct binding *b, struct buf *out)
{
	const struct binding *other;

	for (size_t i = 0; keymap_each(&h->v.t->keys, h->of->name, &i, &other);)
		if (!strcmp(other->command, b->command) && !strcmp(other->where, b->where)) {
			if (out->len)
				buf_addch(out, ' ');
			key_format(out, other->key);
		}
}

static void add_row(struct help *h, const struct binding *b, const char *words, int width)
{
	struct buf keys = BUF_INIT;

	add_keys(h, b, &keys);
	text_hang(&h->v.text, STYLE_ACCENT, keys.ptr, words, width, width < 60 ? 10 : 20);
	buf_release(&keys);
}

static void add_heading(struct view *v, const char *text)
{
	if (v->text.lines.len)
		styled_newline(&v->text);
	styled_newline(&v->text);
	styled_add(&v->text, STYLE_HEADING, text);
}

static bool is_view(const char *command, int n)
{
	return str_starts(command, "view ") && command[5] == (char)('0' + n) && !command[6];
}

static void add_group(struct help *h, const char *group, bool own, int width)
{
	const struct binding *b;
	bool begun = false;

	for (size_t i = 0; keymap_each(&h->v.t->keys, h->of->name, &i, &b);) {
		const char *in, *words = meaning(&h->v, b->command, &in);
		bool mine = strcmp(b->where, "any") != 0;

		if (mine != own || (!own && strcmp(in, group)) || told_before(h, i, b))
			continue;
		/* Nine rows that say the same are one. */
		if (is_view(b->command, 1))
			words = "saved views, 1 to 9 (settings view1 to view9)";
		else if (str_starts(b->command, "view ") && !is_view(b->command, 1))
			continue;
		if (!begun)
			add_heading(&h->v, own ? arena_printf(&h->v.text.arena, "On this screen (%s)", h->of->name) : group);
		begun = true;
		add_row(h, b, words, width);
	}
}

static void help_layout(struct view *v, int width)
{
	static const char *const groups[] = { "Moving", "Threads", "Code", "Work", "Screens", "Commands" };
	static const char *const more[] = {
		("\":\" takes every command: acts and screens by their names, and all of killick's (\":help\" lists those). In a line "
		 "%thread, %post, %anchor, %path, %line, %commit and %task are what the cursor is on."),
		"~/.config/killick/keys rebinds any key: \"bind thread K reply-line\"; \":bind\" tries it. killick-keys(5) has the table.",
		"The mouse: a click chooses, a double click opens, the wheel scrolls; Shift lets the terminal mark text.",
	};
	struct help *h = (struct help *)v;

	add_heading(v, arena_printf(&v->text.arena, "%s: %s", h->of->name, h->of->help));
	add_group(h, "", true, width);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		add_group(h, groups[i], false, width);
	add_heading(v, "More");
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		styled_wrap(&v->text, STYLE_NORMAL, more[i], strlen(more[i]), width > 80 ? 80 : width, 2);
	styled_newline(&v->text);
}

static void help_title(struct view *v, struct buf *left, struct buf *right)
{
	buf_addf(left, "keys %s %s", glyph(v->t, "·", "-"), ((struct help *)v)->of->name);
	buf_addstr(right, "/ finds, q goes back");
}

const struct view_ops help_view = {
	.name = "keys", .args = "[SCREEN]", .help = "the keys of a screen", .kind = VIEW_TEXT, .flags = VIEW_PROSE,
	.size = sizeof(struct help), .hints = "back=back\nfilter=find\nfind-next=next match\npage-down=page down\ncommand=command",
	.open = help_open, .layout = help_layout, .title = help_title,
};

/* ---- messages */

static void messages_layout(struct view *v, int width)
{
	const struct messages *m = &v->t->messages;
	char when[TIME_RFC3339_SIZE], age[TIME_RELATIVE_SIZE];

	for (size_t i = m->list.len; i-- > 0;) {
		styled_newline(&v->text);
		styled_addf(&v->text, STYLE_DATE, "%s (%s)", time_relative(age, m->list.items[i].time, clock_now()),
			time_rfc3339(when, m->list.items[i].time));
		if (m->list.items[i].kind == MSG_ERROR)
			styled_add(&v->text, STYLE_ERROR, "  error");
		text_wrap(&v->text, STYLE_NORMAL, m->list.items[i].text, width, 2);
	}
}

static void messages_title(struct view *v, struct buf *left, struct buf *right)
{
	buf_addf(left, "messages %s %zu", glyph(v->t, "·", "-"), v->t->messages.list.len);
	buf_addstr(right, "the latest first");
}

static void messages_empty(struct view *v, struct styled *out)
{
	styled_newline(out);
	text_wrap(out, STYLE_NORMAL, "Nothing was said yet; q goes back.", v->area.w - 2, 0);
}

const struct view_ops messages_view = {
	.name = "messages", .args = "", .help = "all that was said at the bottom", .kind = VIEW_TEXT, .flags = VIEW_PROSE,
	.size = sizeof(struct view), .hints = "back=back\nfilter=find\nkeys=keys",
	.layout = messages_layout, .title = messages_title, .empty = messages_empty,
};
