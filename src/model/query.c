/* SPDX-License-Identifier: MIT */
/*
 * The query language: recursive descent over the text, no token list. A raw word ends at a blank or at a bracket that
 * it did not open, so that "on:f(1).c" and "(a or b)" both read as meant. What looks like a key and is none is an error
 * and no text, since a mistyped "knid:" would otherwise quietly find nothing; texts with a colon go into quotes.
 *
 * Writing quotes a value only where the parser, asked, would not read it back the same.
 *
 * Nesting and the number of terms are limited: whoever walks the tree may recurse, and SQLite has its own limit of
 * 1,000 levels in an expression.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "killick/base/clock.h"
#include "killick/model/query.h"

enum { DEPTH_LIMIT = 64, TERM_LIMIT = 200, DAY = 86400000 };

static const char *const is_values[] = {
	"open", "answered", "resolved", "closed", "merged", "unread", "private", "draft", "mine", "task", "change",
	"thread", "gone", "moved", "edited", NULL,
};
static const char *const kind_values[] = { "question", "remark", "decision", "note", NULL };
static const char *const place_values[] = { "exact", "moved", "edited", "gone", "unknown", NULL };
static const char *const person_hints[] = { "me", NULL };
static const char *const waiting_hints[] = { "me", "others", NULL };
static const char *const time_hints[] = { "<1d", "<1w", "<1mo", "today", "yesterday", NULL };
static const char *const no_hints[] = { NULL };

enum value_type { ANY_VALUE, LISTED, TIME };

static const struct key_row {
	const char *name;
	enum value_type type;
	const char *const *words;   /* all values of LISTED, else hints for completion */
} key_rows[] = {
	[QK_IS] = { "is", LISTED, is_values },
	[QK_KIND] = { "kind", LISTED, kind_values },
	[QK_ON] = { "on", ANY_VALUE, no_hints },
	[QK_BY] = { "by", ANY_VALUE, person_hints },
	[QK_WITH] = { "with", ANY_VALUE, person_hints },
	[QK_WAITING] = { "waiting", ANY_VALUE, waiting_hints },
	[QK_SOURCE] = { "source", ANY_VALUE, no_hints },
	[QK_TASK] = { "task", ANY_VALUE, no_hints },
	[QK_LABEL] = { "label", ANY_VALUE, no_hints },
	[QK_ASSIGNEE] = { "assignee", ANY_VALUE, person_hints },
	[QK_AUTHOR] = { "author", ANY_VALUE, person_hints },
	[QK_CREATED] = { "created", TIME, time_hints },
	[QK_UPDATED] = { "updated", TIME, time_hints },
	[QK_COMMIT] = { "commit", ANY_VALUE, no_hints },
	[QK_ID] = { "id", ANY_VALUE, no_hints },
	[QK_PLACE] = { "place", LISTED, place_values },
	[QK_MILESTONE] = { "milestone", ANY_VALUE, no_hints },
};

/* The keys as completion offers them, and for "did you mean"; in the order of the table. */
static const char *const first_words[] = {
	"is:", "kind:", "on:", "by:", "with:", "waiting:", "source:", "task:", "label:", "assignee:", "author:",
	"created:", "updated:", "commit:", "id:", "place:", "milestone:", "or", "not", NULL,
};

struct scan {
	struct arena *a;
	const char *text, *p;
	int64_t now;
	struct err *e;
	int depth, terms;
};

/* ---- reading words ---- */

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool ends_word(char c)
{
	return !c || is_blank(c) || c == ')';
}

static void skip_blanks(struct scan *s)
{
	while (is_blank(*s->p))
		s->p++;
}

/* Characters before p, from 1. */
static int column(const struct scan *s, const char *p)
{
	int n = 1;

	for (const char *c = s->text; c < p; c++)
		n += ((unsigned char)*c & 0xc0) != 0x80;
	return n;
}

static int fail(struct scan *s, const char *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int fail(struct scan *s, const char *at, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	err_set(s->e, ERR_USAGE, "query, column %d: %s", column(s, at), b.ptr);
	buf_release(&b);
	return -1;
}

/* The end of a raw word at p; *open is the number of brackets it leaves open. */
static const char *raw_end(const char *p, int *open)
{
	for (*open = 0; *p && !is_blank(*p); p++) {
		if (*p == ')' && !*open)
			break;
		*open += (*p == '(') - (*p == ')');
	}
	return p;
}

/* The text in quotes at s->p, with \" and \\ for themselves; NULL with the error set. */
static const char *read_quoted(struct scan *s)
{
	const char *start = s->p++, *out;
	struct buf b = BUF_INIT;

	while (*s->p && *s->p != '"') {
		if (*s->p == '\\' && (s->p[1] == '"' || s->p[1] == '\\'))
			s->p++;
		buf_addch(&b, *s->p++);
	}
	out = arena_memdup(s->a, b.ptr, b.len);
	buf_release(&b);
	if (*s->p != '"')
		return fail(s, start, "the quotes are not closed"), NULL;
	s->p++;
	if (!ends_word(*s->p))
		return fail(s, s->p, "a blank must follow the closing quote"), NULL;
	if (!*out)
		return fail(s, start, "there is nothing between the quotes"), NULL;
	return out;
}

static bool at_word(const struct scan *s, const char *lower, const char *upper)
{
	size_t n = strlen(lower);

	return (!strncmp(s->p, lower, n) || !strncmp(s->p, upper, n)) && (ends_word(s->p[n]) || s->p[n] == '(');
}

static char *lowered(struct arena *a, const char *p, size_t n)
{
	char *out = arena_memdup(a, p, n);

	for (char *c = out; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	return out;
}

/* ---- values ---- */

static bool is_listed(const char *const *words, const char *word)
{
	for (; *words; words++)
		if (!strcmp(*words, word))
			return true;
	return false;
}

static const char *list_words(struct arena *a, const char *const *words)
{
	struct buf b = BUF_INIT;
	const char *out;

	for (size_t i = 0; words[i]; i++)
		buf_addf(&b, "%s%s", i ? ", " : "", words[i]);
	out = arena_memdup(a, b.ptr, b.len);
	buf_release(&b);
	return out;
}

static int check_listed(struct scan *s, const struct key_row *row, const char *at, struct query *q)
{
	const char *word = lowered(s->a, q->value, strlen(q->value)), *near;

	q->value = word;
	if (is_listed(row->words, word))
		return 0;
	near = str_nearest(word, row->words);
	if (near)
		return fail(s, at, "'%s:' knows no '%.60s', did you mean '%s'?", row->name, word, near);
	return fail(s, at, "'%s:' knows no '%.60s', but %s", row->name, word, list_words(s->a, row->words));
}

/* The start of the calendar day `utc` (midnight as if it were UTC) where the user lives, days later. */
static int64_t local_midnight(int64_t utc, int days)
{
	time_t sec = (time_t)(utc / 1000) + (time_t)days * (DAY / 1000);
	time_t local = -1;
	struct tm tm;

	if (gmtime_r(&sec, &tm)) {
		tm.tm_isdst = -1;
		local = mktime(&tm);
	}
	return (local == -1 ? (int64_t)sec : (int64_t)local) * 1000;
}

/* From the first day to the end of the last, both "2026-11-01". */
static bool span_of_days(const char *first, const char *last, int64_t *from, int64_t *to)
{
	if (!time_parse(first, from) || !time_parse(last, to))
		return false;
	*from = local_midnight(*from, 0);
	*to = local_midnight(*to, 1);
	return true;
}

static bool span_of_today(struct scan *s, int days, int64_t *from, int64_t *to)
{
	time_t sec = (time_t)(s->now / 1000);
	const char *date;
	struct tm tm;

	if (!localtime_r(&sec, &tm))
		return false;
	date = arena_printf(s->a, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	if (!time_parse(date, from))
		return false;
	*to = local_midnight(*from, days + 1);
	*from = local_midnight(*from, days);
	return true;
}

/* The span that a time covers: "2026", "2026-11", "2026-11-01", a whole RFC 3339 time, "today", "yesterday". */
static bool read_span(struct scan *s, const char *v, int64_t *from, int64_t *to)
{
	size_t n = strlen(v);

	if (!strcmp(v, "today") || !strcmp(v, "yesterday"))
		return span_of_today(s, *v == 't' ? 0 : -1, from, to);
	if (n == 4)
		return span_of_days(arena_printf(s->a, "%s-01-01", v), arena_printf(s->a, "%s-12-31", v), from, to);
	if (n == 7) {
		const char *first = arena_printf(s->a, "%s-01", v);

		for (int last = 31; last >= 28; last--)
			if (span_of_days(first, arena_printf(s->a, "%s-%d", v, last), from, to))
				return true;
		return false;
	}
	if (n == 10)
		return span_of_days(v, v, from, to);
	if (!time_parse(v, from))
		return false;
	*to = *from + 1000;
	return true;
}

static const struct cmp_row {
	const char *sign;
	enum query_cmp cmp;
	enum query_cmp aged;   /* "<2w" is an age: the time itself is greater */
	bool past_end;         /* of a span */
	enum query_cmp spanned;
} cmp_rows[] = {
	{ "<=", QC_LE, QC_GE, true, QC_LT },
	{ ">=", QC_GE, QC_LE, false, QC_GE },
	{ "<", QC_LT, QC_GT, false, QC_LT },
	{ ">", QC_GT, QC_LT, true, QC_GE },
	{ "", QC_EQ, QC_GE, false, QC_EQ },
};

/* Turns the sign and the time as written into a comparison with an absolute time. */
static int read_time(struct scan *s, const struct key_row *row, const char *at, struct query *q)
{
	const struct cmp_row *c = cmp_rows;
	int64_t age, from, to;
	const char *v;

	while (!str_starts(q->value, c->sign))
		c++;
	v = lowered(s->a, q->value + strlen(c->sign), strlen(q->value + strlen(c->sign)));
	if (duration_parse(v, &age)) {
		q->cmp = c->aged;
		q->time = age > s->now ? 0 : s->now - age;
		return 0;
	}
	if (!read_span(s, q->value + strlen(c->sign), &from, &to))
		return fail(s, at, "'%s:' needs an age (<2w: younger, >3mo: older; s m h d w mo y) or a date "
		    "(2026-11-01, >=2026-11, <2026, today, yesterday), not '%.60s'", row->name, q->value);
	q->cmp = c->spanned;
	q->time = c->past_end ? to : from;
	q->time_end = c->cmp == QC_EQ ? to : 0;
	return 0;
}

/* ---- the grammar ---- */

static struct query *node(struct scan *s, enum query_op op, struct query *left, struct query *right)
{
	struct query *q = ARENA_NEW(s->a, struct query);

	*q = (struct query){ .op = op, .left = left, .right = right };
	return q;
}

/* The letters before a ':' at s->p that begins a value; 0: no key here. */
static size_t key_length(const struct scan *s)
{
	size_t n = strspn(s->p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	if (!n || s->p[n] != ':' || s->p[n + 1] == ':' || str_starts(s->p + n + 1, "//"))
		return 0;
	return n;
}

static const struct key_row *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_rows); i++)
		if (!strcmp(key_rows[i].name, name))
			return &key_rows[i];
	return NULL;
}

static struct query *unknown_key(struct scan *s, const char *at, const char *name)
{
	const char *near = str_nearest(arena_printf(s->a, "%s:", name), first_words);

	if (near && str_ends(near, ":"))
		fail(s, at, "there is no key '%.60s:', did you mean '%s'? A text with a colon goes into quotes", name,
		    near);
	else
		fail(s, at, "there is no key '%.60s:'. A text with a colon goes into quotes", name);
	return NULL;
}

static const char *read_value(struct scan *s, const struct key_row *row)
{
	const char *start = s->p;
	int open;

	if (*s->p == '"')
		return read_quoted(s);
	s->p = raw_end(s->p, &open);
	if (s->p > start)
		return arena_memdup(s->a, start, (size_t)(s->p - start));
	if (row->words[0])
		fail(s, start, "'%s:' needs a value: %s", row->name, list_words(s->a, row->words));
	else
		fail(s, start, "'%s:' needs a value", row->name);
	return NULL;
}

static struct query *parse_term(struct scan *s, size_t key_len)
{
	const char *start = s->p, *name = lowered(s->a, s->p, key_len), *at;
	const struct key_row *row = find_key(name);
	struct query *q = node(s, Q_TERM, NULL, NULL);

	if (!row)
		return unknown_key(s, start, name);
	at = s->p += key_len + 1;
	q->key = (enum query_key)(row - key_rows);
	q->value = read_value(s, row);
	if (!q->value || (row->type == LISTED && check_listed(s, row, at, q)) ||
	    (row->type == TIME && read_time(s, row, at, q)))
		return NULL;
	return q;
}

static struct query *parse_text(struct scan *s)
{
	struct query *q = node(s, Q_TEXT, NULL, NULL);
	const char *start = s->p;

	int open;

	if (*s->p == '"') {
		q->phrase = true;
		q->value = read_quoted(s);
	} else {
		/* "main(" can only be written back in quotes, so it is the same as if it had them. */
		s->p = raw_end(s->p, &open);
		q->phrase = open > 0;
		q->value = arena_memdup(s->a, start, (size_t)(s->p - start));
	}
	return q->value ? q : NULL;
}

static struct query *parse_or(struct scan *s);

static struct query *parse_group(struct scan *s)
{
	const char *start = s->p++;
	struct query *q;

	skip_blanks(s);
	if (*s->p == ')')
		return fail(s, start, "there is nothing in the brackets"), NULL;
	q = parse_or(s);
	if (q && *s->p != ')')
		return fail(s, start, "this bracket is not closed"), NULL;
	s->p += q != NULL;
	return q;
}

/* Is there an "or", "and" or "not" where a term must stand? */
static bool at_operator(const struct scan *s)
{
	return at_word(s, "or", "OR") || at_word(s, "and", "AND");
}

static struct query *parse_one(struct scan *s)
{
	size_t key = key_length(s);

	if (ends_word(*s->p) || at_operator(s))
		return fail(s, s->p, "a word or key:value is missing here"), NULL;
	if (*s->p == '(')
		return parse_group(s);
	if (++s->terms > TERM_LIMIT)
		return fail(s, s->p, "too many terms (over %d)", TERM_LIMIT), NULL;
	return key ? parse_term(s, key) : parse_text(s);
}

static struct query *parse_not(struct scan *s)
{
	struct query *q;
	bool word = at_word(s, "not", "NOT");

	if (++s->depth > DEPTH_LIMIT)
		return fail(s, s->p, "nested too deep (over %d)", DEPTH_LIMIT), NULL;
	if (word || *s->p == '-') {
		s->p += word ? 3 : 1;
		if (word)
			skip_blanks(s);
		q = parse_not(s);
		q = q ? node(s, Q_NOT, q, NULL) : NULL;
	} else {
		q = parse_one(s);
	}
	s->depth--;
	return q;
}

static struct query *parse_and(struct scan *s)
{
	struct query *q = parse_not(s);

	for (;;) {
		struct query *right;

		skip_blanks(s);
		if (!q || !*s->p || *s->p == ')' || at_word(s, "or", "OR"))
			return q;
		if (at_word(s, "and", "AND")) {
			s->p += 3;
			skip_blanks(s);
		}
		right = parse_not(s);
		q = right ? node(s, Q_AND, q, right) : NULL;
	}
}

static struct query *parse_or(struct scan *s)
{
	struct query *q;

	skip_blanks(s);
	q = parse_and(s);
	while (q && at_word(s, "or", "OR")) {
		struct query *right;

		s->p += 2;
		skip_blanks(s);
		right = parse_and(s);
		q = right ? node(s, Q_OR, q, right) : NULL;
	}
	return q;
}

int query_parse(struct arena *a, const char *text, int64_t now, struct query **out, struct err *e)
{
	struct scan s = { .a = a, .text = text, .p = text, .now = now, .e = e };
	struct query *q;

	skip_blanks(&s);
	q = *s.p ? parse_or(&s) : node(&s, Q_ALL, NULL, NULL);
	if (!q)
		return -1;
	if (*s.p)
		return fail(&s, s.p, "this bracket was never opened");
	*out = q;
	return 0;
}

/* ---- writing ---- */

static void add_quoted(struct buf *b, const char *s)
{
	buf_addch(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_addch(b, '\\');
		buf_addch(b, *s);
	}
	buf_addch(b, '"');
}

static void add_leaf(struct buf *b, const struct query *q, bool quoted)
{
	if (q->op == Q_TERM)
		buf_addf(b, "%s:", key_rows[q->key].name);
	if (quoted)
		add_quoted(b, q->value);
	else
		buf_addstr(b, q->value);
}

/* Does the text read as this one term or word and nothing else, in brackets too? */
static bool reads_back(const char *text, const struct query *want)
{
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	struct query *got;
	bool same = !query_parse(&a, arena_printf(&a, "(%s)", text), 0, &got, &e) && got->op == want->op &&
	    !strcmp(got->value, want->value) && (want->op == Q_TERM ? got->key == want->key : !got->phrase);

	arena_release(&a);
	return same;
}

static void format_leaf(struct buf *b, const struct query *q)
{
	size_t start = b->len;

	add_leaf(b, q, q->phrase);
	if (q->phrase || reads_back(b->ptr + start, q))
		return;
	buf_setlen(b, start);
	add_leaf(b, q, true);
}

/* How tightly an operator binds: what binds less than its place demands gets brackets. */
enum { BIND_OR, BIND_AND, BIND_NOT };

static void format(struct buf *b, const struct query *q, int place);

static void format_pair(struct buf *b, const struct query *q, int bind, const char *between, int place)
{
	if (place > bind)
		buf_addch(b, '(');
	format(b, q->left, bind);
	buf_addstr(b, between);
	format(b, q->right, bind + 1);
	if (place > bind)
		buf_addch(b, ')');
}

static void format(struct buf *b, const struct query *q, int place)
{
	switch (q->op) {
	case Q_ALL:
		break;
	case Q_OR:
		format_pair(b, q, BIND_OR, " or ", place);
		break;
	case Q_AND:
		if (q->left->op == Q_ALL)
			format(b, q->right, place);
		else if (q->right->op == Q_ALL)
			format(b, q->left, place);
		else
			format_pair(b, q, BIND_AND, " ", place);
		break;
	case Q_NOT:
		buf_addch(b, '-');
		format(b, q->left, BIND_NOT);
		break;
	default:
		format_leaf(b, q);
	}
}

void query_format(struct buf *b, const struct query *q)
{
	format(b, q, BIND_OR);
}

/* ---- completion ---- */

const char *const *query_words(const char *prefix)
{
	size_t n;

	while (*prefix == '-' || *prefix == '(')
		prefix++;
	n = strcspn(prefix, ":");
	if (!prefix[n])
		return first_words;
	for (size_t i = 0; i < ARRAY_SIZE(key_rows); i++)
		if (strlen(key_rows[i].name) == n && !strncmp(key_rows[i].name, prefix, n))
			return key_rows[i].words;
	return no_hints;
}
