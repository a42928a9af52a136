/* SPDX-License-Identifier: MIT */
/*
 * The option parser: tables of rows over structs of values.
 *
 * As getopt_long with permutation, plus what it lacks: tables from several owners at once (shared, posting, the
 * command's own), typed destinations, a message that names the nearest option. A word such as "-1" or "-" is an
 * argument, since no option is a digit. Option names are not abbreviated: scripts would break with the next option.
 * Usage lines and help are made from the same rows.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/cmd/cmd.h"

struct parse {
	const struct opt_set *sets;
	size_t n;
	struct arena *a;
	int argc, i;
	const char *const *argv;
};

static const struct opt *opt_find(const struct parse *p, int ch, const char *name, size_t len, void **base)
{
	for (size_t i = 0; i < p->n; i++) {
		for (const struct opt *o = p->sets[i].opts; o && o->name; o++) {
			if (ch ? o->ch == ch : !strncmp(o->name, name, len) && !o->name[len]) {
				*base = p->sets[i].base;
				return o;
			}
		}
	}
	return NULL;
}

static int opt_unknown(const struct parse *p, const char *name, struct err *e)
{
	ARRAY(const char *) words = ARRAY_INIT;
	const char *near = NULL;
	size_t len = strlen(name);

	for (size_t i = 0; i < p->n; i++) {
		for (const struct opt *o = p->sets[i].opts; o && o->name; o++) {
			if (len > 1 && !strncmp(o->name, name, len))
				near = o->name;
			*array_add(&words) = o->name;
		}
	}
	*array_add(&words) = NULL;
	if (!near)
		near = str_nearest(name, words.items);
	err_set(e, ERR_USAGE, near ? "unknown option --%s; did you mean --%s?" : "unknown option --%s (-h lists them)",
	    name, near);
	array_release(&words);
	return -1;
}

/* "2w" ago, or a date: absolute milliseconds. */
static bool opt_time(const char *v, int64_t *out)
{
	int64_t span;

	if (duration_parse(v, &span)) {
		*out = clock_now() - span;
		return true;
	}
	return time_parse(v, out);
}

static int opt_set_str(const struct parse *p, const struct opt *o, const char **dest, const char *v, struct err *e)
{
	struct buf b = BUF_INIT;
	bool known = !o->choices;

	*dest = arena_strdup(p->a, v);
	for (const char *const *c = o->choices; c && *c; c++) {
		known = known || !strcmp(*c, v);
		buf_addf(&b, "%s%s", b.len ? ", " : "", *c);
	}
	if (!known)
		err_set(e, ERR_USAGE, "--%s takes %s, not '%s'", o->name, b.ptr, v);
	buf_release(&b);
	return known ? 0 : -1;
}

static int opt_store(const struct parse *p, const struct opt *o, void *base, const char *v, struct err *e)
{
	char *dest = (char *)base + o->offset;
	uint64_t u;

	switch (o->type) {
	case OPT_FLAG:
		*(bool *)(void *)dest = true;
		return 0;
	case OPT_STR:
		return opt_set_str(p, o, (const char **)(void *)dest, v, e);
	case OPT_LIST: {
		struct strlist *l = (struct strlist *)(void *)dest;
		*array_add(l) = arena_strdup(p->a, v);
		return 0;
	}
	case OPT_INT:
		if (!str_to_u64(v, INT32_MAX, &u))
			return err_set(e, ERR_USAGE, "--%s takes a number, not '%s'", o->name, v);
		*(int64_t *)(void *)dest = (int64_t)u;
		return 0;
	case OPT_TIME:
		if (!opt_time(v, (int64_t *)(void *)dest))
			return err_set(e, ERR_USAGE, "--%s takes a date such as 2026-11-01 or an age such as 2w, not '%s'",
			    o->name, v);
		return 0;
	}
	BUG("option type %d", (int)o->type);
}

static const char *opt_value(struct parse *p)
{
	return p->i + 1 < p->argc ? p->argv[++p->i] : NULL;
}

static int parse_long(struct parse *p, const char *word, struct err *e)
{
	const char *eq = strchr(word, '='), *v = eq ? eq + 1 : NULL;
	size_t len = eq ? (size_t)(eq - word) : strlen(word);
	void *base;
	const struct opt *o = opt_find(p, 0, word, len, &base);

	if (!o)
		return opt_unknown(p, arena_memdup(p->a, word, len), e);
	if (o->type == OPT_FLAG && v)
		return err_set(e, ERR_USAGE, "--%s takes no value", o->name);
	if (o->type != OPT_FLAG && !v && !(v = opt_value(p)))
		return err_set(e, ERR_USAGE, "--%s needs a value: --%s=%s", o->name, o->name, o->arg);
	return opt_store(p, o, base, v, e);
}

static int parse_short(struct parse *p, const char *word, struct err *e)
{
	for (const char *s = word; *s; s++) {
		void *base;
		const char *v = NULL;
		const struct opt *o = opt_find(p, (unsigned char)*s, NULL, 0, &base);

		if (!o)
			return err_set(e, ERR_USAGE, "unknown option -%c in '-%s' (-h lists them; what begins with '-' goes behind --)",
			    *s, word);
		if (o->type == OPT_FLAG) {
			if (opt_store(p, o, base, NULL, e))
				return -1;
			continue;
		}
		v = s[1] ? s + 1 : opt_value(p);
		if (!v)
			return err_set(e, ERR_USAGE, "-%c needs a value: -%c %s", o->ch, o->ch, o->arg);
		return opt_store(p, o, base, v, e);
	}
	return 0;
}

int opts_parse(const struct opt_set *sets, size_t n_sets, struct arena *a, int argc, const char *const *argv,
    struct opt_rest *rest, struct err *e)
{
	struct parse p = { .sets = sets, .n = n_sets, .a = a, .argc = argc, .argv = argv };

	*rest = (struct opt_rest){ .argv = arena_alloc(a, sizeof(char *) * ((size_t)argc + 1)), .dashes = -1 };
	for (; p.i < argc; p.i++) {
		const char *w = argv[p.i];

		if (rest->dashes >= 0 || w[0] != '-' || !w[1] || (w[1] >= '0' && w[1] <= '9')) {
			rest->argv[rest->argc++] = w;
		} else if (!strcmp(w, "--")) {
			rest->dashes = rest->argc;
		} else if (w[1] == '-' ? parse_long(&p, w + 2, e) : parse_short(&p, w + 1, e)) {
			return -1;
		}
	}
	return 0;
}

static const char *const colors[] = { "auto", "always", "never", NULL };
static const struct opt common_opts[] = {
	{ 'C', "directory", OPT_STR, offsetof(struct cmd_common, dir), "DIR", "work in DIR", NULL },
	{ 0, "color", OPT_STR, offsetof(struct cmd_common, color), "WHEN", "colour: auto, always, never", colors },
	{ 0, "no-pager", OPT_FLAG, offsetof(struct cmd_common, no_pager), NULL, "do not page long text", NULL },
	{ 'h', "help", OPT_FLAG, offsetof(struct cmd_common, help), NULL, "show this help", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};
static const struct opt json_opts[] = {
	{ 0, "json", OPT_FLAG, offsetof(struct cmd_common, json), NULL, "print one JSON document", NULL },
	{ 0, "jsonl", OPT_FLAG, offsetof(struct cmd_common, jsonl), NULL, "print one JSON object a line", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};
static const struct opt text_opts[] = {
	{ 'm', "message", OPT_STR, offsetof(struct cmd_posting, message), "TEXT", "the text, in Markdown", NULL },
	{ 'F', "file", OPT_STR, offsetof(struct cmd_posting, file), "FILE", "the text from FILE; - is standard input", NULL },
	{ 0, "draft", OPT_FLAG, offsetof(struct cmd_posting, draft), NULL, "keep it as a draft, send nothing", NULL },
	{ 0, "dry-run", OPT_FLAG, offsetof(struct cmd_posting, dry_run), NULL, "say what would happen and who would see it",
		NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};
static const struct opt target_opts[] = {
	{ 0, "private", OPT_FLAG, offsetof(struct cmd_posting, private_), NULL, "only for you: never leaves this machine",
		NULL },
	{ 0, "to", OPT_STR, offsetof(struct cmd_posting, to), "SOURCE", "where it goes: native or private", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

size_t cmd_opt_sets(const struct cmd_entry *e, struct cmd *c, struct opt_set sets[CMD_OPT_SETS])
{
	size_t n = 0;
	void *common = c ? &c->common : NULL, *posting = c ? &c->posting : NULL;

	if (e->opts)
		sets[n++] = (struct opt_set){ e->opts, c ? c->values : NULL };
	if (e->flags & (CMD_POSTS | CMD_TEXT))
		sets[n++] = (struct opt_set){ text_opts, posting };
	if (e->flags & CMD_POSTS)
		sets[n++] = (struct opt_set){ target_opts, posting };
	if (e->flags & CMD_JSON)
		sets[n++] = (struct opt_set){ json_opts, common };
	sets[n++] = (struct opt_set){ common_opts, common };
	return n;
}

static void usage_opt(struct buf *b, const struct opt *o)
{
	size_t at = b->len;

	buf_addstr(b, "  ");
	if (o->ch)
		buf_addf(b, "-%c, ", o->ch);
	else
		buf_addstr(b, "    ");
	buf_addf(b, "--%s%s%s", o->name, o->arg ? "=" : "", o->arg ? o->arg : "");
	if (b->len - at < 27)
		buf_addchn(b, ' ', 27 - (b->len - at));
	buf_addf(b, " %s\n", o->help);
}

/* Padded to cells: an ellipsis is three bytes in one. */
static void usage_cell(struct buf *b, const char *s, size_t cells)
{
	size_t n = 0;

	buf_addstr(b, s);
	for (const char *p = s; *p; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	if (n < cells)
		buf_addchn(b, ' ', cells - n);
	buf_addch(b, ' ');
}

static void usage_rows(struct buf *b, const struct cmd_entry *rows)
{
	buf_addstr(b, "\nCommands:\n");
	for (; rows->name; rows++) {
		if (rows->flags & CMD_HIDDEN)
			continue;
		buf_addstr(b, "  ");
		usage_cell(b, rows->name, 10);
		usage_cell(b, rows->args ? rows->args : "", 24);
		buf_addf(b, "%s\n", rows->summary);
	}
}

/* What a stranger needs to know of the words that a command takes. */
static const struct { const char *word, *of, *help; } word_help[] = {
	{ "ANCHOR", NULL, "ANCHOR is a place as you would type it: src/x.c:12, src/x.c:12-20, src/x.c, docs/guide.md#install, HEAD~2,\n"
		"T-3f9c2a, . (the project), or a link to a line on the web; killick-anchors(7)." },
	{ "QUERY", NULL, "QUERY narrows the list: is:open kind:question on:src/net by:ana waiting:me updated:<2w \"two words\", with or,\n"
		"not and brackets; killick-query(7)." },
	{ "ID", "task", "ID is a task's (T-3f9c2a); its beginning is enough." },
	{ "ID", "thread", "ID is a thread's (k3f9c2) or a post's (p81d2f0); its beginning is enough." },
	{ "POST", NULL, "POST is a post's id (p81d2f0), or a thread's for its first post; its beginning is enough." },
	{ "EMOJI", NULL, "EMOJI is one, or a word for it: +1 -1 laugh hooray confused heart rocket eyes." },
};

static void usage_words(struct buf *b, const struct cmd_entry *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(word_help) && e->args; i++) {
		bool fits = !word_help[i].of || (e->complete && str_starts(e->complete, word_help[i].of));
		if (fits && strstr(e->args, word_help[i].word))
			buf_addf(b, "\n%s\n", word_help[i].help);
	}
}

void cmd_usage(struct buf *b, const struct cmd_entry *e, const char *parent)
{
	struct opt_set sets[CMD_OPT_SETS];
	size_t n = cmd_opt_sets(e, NULL, sets);

	buf_addf(b, "usage: killick %s%s%s%s%s%s\n", parent ? parent : "", parent ? " " : "", e->name,
	    e->sub ? e->run ? "" : " COMMAND" : " [OPTION…]", e->args && *e->args ? " " : "", e->args ? e->args : "");
	buf_addf(b, "%s\n", e->summary);
	if (e->help)
		buf_addf(b, "\n%s\n", e->help);
	if (e->sub) {
		usage_rows(b, e->sub);
		return;
	}
	usage_words(b, e);
	buf_addch(b, '\n');
	for (size_t i = 0; i < n; i++) {
		for (const struct opt *o = sets[i].opts; o->name; o++)
			usage_opt(b, o);
	}
}
