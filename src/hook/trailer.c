/* SPDX-License-Identifier: MIT */
/*
 * Commit messages that speak to killick. Git's own rules decide where trailers are: the last paragraph, every line of it a
 * "Token: value", a continuation that begins with a blank, or a "(cherry picked from …)"; never the subject. Git's
 * tokens have no brackets, so "Question(src/a.c:3): …" is read here and not by git interpret-trailers.
 *
 * Once a commit: a trailer is known by its author, the author's time and its words. Amend, rebase and cherry-pick keep
 * all three, so the key, kept in the op's payload, finds what was opened before under another commit id, also on
 * another machine once its log has come here.
 */
#include "config.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "hooks.h"
#include "killick/base/clock.h"
#include "killick/cmd/act.h"
#include "killick/text/mention.h"

static const struct talk_key {
	const char *name;
	enum trailer_act act;
	enum thread_kind kind;
} talk_keys[] = {
	{ "Question", TRAILER_OPEN, KIND_QUESTION },
	{ "Remark", TRAILER_OPEN, KIND_REMARK },
	{ "Decision", TRAILER_OPEN, KIND_DECISION },
	{ "Note", TRAILER_OPEN, KIND_NOTE },
	{ "Resolves-thread", TRAILER_RESOLVE, KIND_NOTE },
	{ "Answers-thread", TRAILER_ANSWER, KIND_NOTE },
};

struct line { const char *p; size_t n; };
typedef ARRAY(struct line) lines_t;
typedef ARRAY(struct talk_trailer) trailers_t;

static bool is_blank(const struct line *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (!isspace((unsigned char)l->p[i]))
			return false;
	}
	return true;
}

static bool is_scissors(const struct line *l, char comment_char)
{
	return comment_char && l->n > 10 && l->p[0] == comment_char && memmem(l->p, l->n, "------ >8 ------", 16);
}

/* The message's lines without comments, ended by scissors and by trailing blank lines. */
static void message_lines(const char *m, char comment_char, lines_t *out)
{
	while (*m) {
		const char *nl = strchr(m, '\n');
		struct line l = { m, nl ? (size_t)(nl - m) : strlen(m) };

		if (is_scissors(&l, comment_char))
			break;
		if (l.n && l.p[l.n - 1] == '\r')
			l.n--;
		if (!(comment_char && l.n && l.p[0] == comment_char))
			*array_add(out) = l;
		m = nl ? nl + 1 : m + strlen(m);
	}
	while (out->len && is_blank(&out->items[out->len - 1]))
		out->len--;
}

/* "Token: " or "Token(place): ": the colon's offset, the bracket's when there is one; 0 for any other line. */
static size_t trailer_colon(const struct line *l, size_t *bracket)
{
	size_t i = 0;

	*bracket = 0;
	while (i < l->n && (isalnum((unsigned char)l->p[i]) || l->p[i] == '-'))
		i++;
	if (i == 0)
		return 0;
	if (i < l->n && l->p[i] == '(') {
		const char *close = memmem(l->p + i, l->n - i, "):", 2);

		if (!close)
			return 0;
		*bracket = i;
		return (size_t)(close - l->p) + 1;
	}
	while (i < l->n && (l->p[i] == ' ' || l->p[i] == '\t'))
		i++;
	return i < l->n && l->p[i] == ':' ? i : 0;
}

static bool is_trailer_line(const struct line *l, bool first)
{
	size_t bracket;

	if (l->n && (l->p[0] == ' ' || l->p[0] == '\t'))
		return !first;
	return trailer_colon(l, &bracket) > 0 || str_starts(l->p, "(cherry picked from commit ");
}

/* Where the trailer paragraph begins; lines->len when there is none. */
static size_t trailer_block(const lines_t *lines)
{
	size_t start = lines->len;

	while (start > 0 && !is_blank(&lines->items[start - 1]))
		start--;
	if (start == 0)
		return lines->len;
	for (size_t i = start; i < lines->len; i++) {
		if (!is_trailer_line(&lines->items[i], i == start))
			return lines->len;
	}
	return start;
}

static const struct talk_key *talk_key_find(const struct line *l, size_t n)
{
	while (n && (l->p[n - 1] == ' ' || l->p[n - 1] == '\t'))
		n--;
	for (size_t i = 0; i < ARRAY_SIZE(talk_keys); i++) {
		if (strlen(talk_keys[i].name) == n && !strncasecmp(talk_keys[i].name, l->p, n))
			return &talk_keys[i];
	}
	return NULL;
}

/* The value with its continuation lines, each on a line of its own, blanks at both ends cut. */
static const char *trailer_value(struct arena *a, const lines_t *lines, size_t *at, size_t colon)
{
	struct buf b = BUF_INIT;
	const char *value;

	buf_add(&b, lines->items[*at].p + colon + 1, lines->items[*at].n - colon - 1);
	while (*at + 1 < lines->len && lines->items[*at + 1].n && isspace((unsigned char)lines->items[*at + 1].p[0])) {
		const struct line *l = &lines->items[++*at];
		size_t skip = 0;

		while (skip < l->n && isspace((unsigned char)l->p[skip]))
			skip++;
		buf_addch(&b, '\n');
		buf_add(&b, l->p + skip, l->n - skip);
	}
	buf_trim(&b);
	value = arena_strdup(a, b.ptr);
	buf_release(&b);
	return value;
}

static void add_ids(struct arena *a, trailers_t *out, enum trailer_act act, const char *value)
{
	while (*value) {
		size_t n = strcspn(value, ", \t\n");

		if (n) {
			struct talk_trailer *t = array_add(out);

			t->act = act;
			t->text = arena_memdup(a, value, n);
		}
		value += n + (value[n] != '\0');
	}
}

static void add_trailer(struct arena *a, trailers_t *out, const lines_t *lines, size_t *at)
{
	const struct line *l = &lines->items[*at];
	size_t bracket, colon = trailer_colon(l, &bracket);
	const struct talk_key *key = colon ? talk_key_find(l, bracket ? bracket : colon) : NULL;
	struct talk_trailer *t;
	const char *value;

	if (!key)
		return;
	value = trailer_value(a, lines, at, colon);
	if (key->act != TRAILER_OPEN) {
		add_ids(a, out, key->act, value);
		return;
	}
	if (!*value)
		return;
	t = array_add(out);
	t->act = key->act;
	t->kind = key->kind;
	t->text = value;
	t->anchor = bracket ? arena_memdup(a, l->p + bracket + 1, colon - bracket - 2) : NULL;
}

size_t talk_trailers(struct arena *a, const char *message, char comment_char, struct talk_trailer **out)
{
	lines_t lines = ARRAY_INIT;
	trailers_t found = ARRAY_INIT;
	size_t n;

	message_lines(message, comment_char, &lines);
	for (size_t i = trailer_block(&lines); i < lines.len; i++)
		add_trailer(a, &found, &lines, &i);
	n = found.len;
	*out = n ? (struct talk_trailer *)arena_memdup(a, found.items, n * sizeof(*found.items)) : NULL;
	array_release(&found);
	array_release(&lines);
	return n;
}

const char *talk_without_trailers(struct arena *a, const struct commit_info *ci)
{
	lines_t lines = ARRAY_INIT;
	struct buf b = BUF_INIT;
	const char *text;
	size_t end;

	message_lines(ci->body ? ci->body : "", 0, &lines);
	/* The body alone may be one paragraph of trailers: an empty line in front stands for the subject's. */
	end = lines.len;
	if (lines.len) {
		size_t start = lines.len;

		while (start > 0 && !is_blank(&lines.items[start - 1]))
			start--;
		end = start;
		for (size_t i = start; i < lines.len; i++) {
			if (!is_trailer_line(&lines.items[i], i == start))
				end = lines.len;
		}
	}
	for (size_t i = 0; i < end; i++) {
		buf_add(&b, lines.items[i].p, lines.items[i].n);
		buf_addch(&b, '\n');
	}
	buf_trim(&b);
	text = arena_strdup(a, b.ptr);
	buf_release(&b);
	array_release(&lines);
	return text;
}

/* What a trailer is known by through amend, rebase and cherry-pick. */
static void trailer_key(const struct commit_info *ci, const struct talk_trailer *t, char out[SHA256_HEX])
{
	struct buf b = BUF_INIT;
	uint8_t sum[SHA256_SIZE];

	buf_addf(&b, "%s\n%lld\n%d %d\n%s\n%s\n", ci->author.email ? ci->author.email : "", (long long)ci->time, t->act,
	    t->act == TRAILER_OPEN ? (int)t->kind : 0, t->anchor ? t->anchor : "", t->text);
	hash_sha256(sum, b.ptr, b.len);
	hex_encode(out, sum, sizeof(sum));
	buf_release(&b);
}

static void commit_anchor(const struct oid *commit, struct arena *a, struct anchor *an)
{
	char hex[GIT_OID_HEX];

	*an = (struct anchor){ .type = ANCHOR_COMMIT, .commit = arena_strdup(a, oid_hex(hex, commit)) };
}

/* The trailer's own anchor in this commit; words that do not fit fall back to the commit, with a note. */
static void trailer_anchor(struct hook_run *h, const struct oid *commit, const struct talk_trailer *t, struct anchor *an)
{
	struct anchor_resolver r = repo_anchor_resolver(h->work->repo);
	struct err e = ERR_INIT;
	char hex[GIT_OID_HEX];

	commit_anchor(commit, h->a, an);
	if (!t->anchor)
		return;
	oid_hex(hex, commit);
	if (anchor_parse(h->a, arena_printf(h->a, "%s@%s", t->anchor, hex), &r, an, &e) ||
	    anchor_capture(h->work->repo, an, h->a, &e)) {
		out_note(h->c, "%s: %s; the thread is on the commit instead", t->anchor, e.msg);
		commit_anchor(commit, h->a, an);
	}
}

static int open_op(struct hook_run *h, const struct commit_info *ci, const struct talk_trailer *t, const char *key,
    struct op *op)
{
	struct anchor an;
	json_t *p = json_object();

	trailer_anchor(h, &ci->id, t, &an);
	json_put_str(p, "kind", thread_kind_name(t->kind));
	json_put_str(p, "body", t->text);
	json_object_set_new(p, "anchor", anchor_to_op(&an));
	json_put_str(p, "trailer", key);
	op->type = OP_OPEN;
	op->payload = p;
	return 0;
}

static const char *answer_body(struct hook_run *h, const struct commit_info *ci, const char *verb)
{
	char hex[GIT_OID_HEX];
	const char *body = talk_without_trailers(h->a, ci);

	oid_hex(hex, &ci->id);
	return arena_printf(h->a, "%s by %.7s \"%s\"%s%s", verb, hex, ci->subject, *body ? "\n\n" : "", body);
}

/* At a tracker "@param", written for the history, would call somebody of that name. */
static const char *answer_there(struct hook_run *h, const struct commit_info *ci, bool resolve)
{
	struct buf b = BUF_INIT;
	const char *text;

	mentions_defuse(&b, answer_body(h, ci, resolve ? "Resolved" : "Answered"));
	text = arena_strdup(h->a, b.ptr);
	buf_release(&b);
	return text;
}

/* A tracker's thread: what is said goes there once the commit is pushed. 1: done; 0: it is none; -1: said why not. */
static int act_there_of(struct hook_run *h, const struct commit_info *ci, const struct talk_trailer *t, const char *key)
{
	bool resolve = t->act == TRAILER_RESOLVE;
	const char *known, *name = arena_printf(h->a, "trailer %s", key);
	char id[33], hex[GIT_OID_HEX];
	struct err e = ERR_INIT;
	struct subject s;

	if (t->act == TRAILER_OPEN || !work_has_sources(h->work) || act_subject(h->c, t->text, &s, &e) || !s.there.s)
		return 0;
	oid_hex(hex, &ci->id);
	snprintf(id, sizeof(id), "%.32s", key);
	/* Said before, of this commit or of one it was made from: what still waits for that one waits for this one now. */
	if (!work_desk(h->work, &e) && desk_value(h->work->desk, name, h->a, &known)) {
		if (strcmp(known, hex) && act_commit_follows(h->c, id, answer_there(h, ci, resolve), hex, &e))
			out_note(h->c, "%s", e.msg);
		return 1;
	}
	if (act_commit_says(h->c, &s, id, answer_there(h, ci, resolve), resolve, hex, &e) ||
	    desk_value_put(h->work->desk, name, hex, &e)) {
		out_note(h->c, "%s: %s", t->text, e.msg);
		return -1;
	}
	out_note(h->c, "%s %s at %s once this commit is pushed", t->text, resolve ? "is resolved" : "is answered", s.there.s->d.name);
	return 1;
}

/* A hook's command has no work of its own: the commands' functions find ours in it meanwhile. */
static int act_at_tracker(struct hook_run *h, const struct commit_info *ci, const struct talk_trailer *t, const char *key)
{
	struct work *was = h->c->work;
	int rc;

	h->c->work = h->work;
	rc = act_there_of(h, ci, t, key);
	h->c->work = was;
	return rc;
}

/* Resolve or answer a thread; an id that does not fit is a note. */
static int answer_op(struct hook_run *h, const struct commit_info *ci, const struct talk_trailer *t, const char *key,
    struct op *op)
{
	bool resolve = t->act == TRAILER_RESOLVE;
	struct err e = ERR_INIT;
	struct thread th;
	char hex[GIT_OID_HEX];
	int64_t source;
	json_t *p;

	if (index_thread(h->work->index, &h->work->scope, t->text, h->a, &th, NULL, &e) ||
	    index_entity(h->work->index, th.row, op->entity, &source, &e)) {
		out_note(h->c, "%s: %s", resolve ? "Resolves-thread" : "Answers-thread", e.msg);
		return -1;
	}
	p = json_object();
	json_put_str(p, "body", answer_body(h, ci, resolve ? "Resolved" : "Answered"));
	if (resolve)
		json_put_str(p, "commit", oid_hex(hex, &ci->id));
	json_put_str(p, "trailer", key);
	op->type = resolve ? OP_RESOLVE : OP_POST;
	op->payload = p;
	return 0;
}

static void say_done(struct hook_run *h, const struct talk_trailer *t, const struct op *op, const char *id)
{
	const char *on = json_get_str(json_object_get(op->payload, "anchor"), "type");

	if (t->act == TRAILER_OPEN)
		out_note(h->c, "k%.6s opened: %s %s", id, thread_kind_name(t->kind), t->anchor && on && strcmp(on, "commit") ? t->anchor : "on this commit");
	else
		out_note(h->c, "%s %s", t->text, t->act == TRAILER_RESOLVE ? "resolved by this commit" : "answered by this commit");
}

int talk_carry_out(struct hook_run *h, const struct oid *commit, const struct person *as, struct err *e)
{
	struct commit_info ci;
	struct talk_trailer *t;
	struct op *ops;
	char (*ids)[SHA256_HEX];
	const struct talk_trailer **done;
	size_t n, n_ops = 0;
	char hex[GIT_OID_HEX];
	int rc;

	if (repo_commit(h->work->repo, commit, h->a, &ci, e))
		return -1;
	n = talk_trailers(h->a, arena_printf(h->a, "%s\n\n%s", ci.subject, ci.body ? ci.body : ""), 0, &t);
	if (!n)
		return 0;
	ops = arena_alloc(h->a, n * sizeof(*ops));
	ids = arena_alloc(h->a, n * sizeof(*ids));
	done = arena_alloc(h->a, n * sizeof(*done));
	for (size_t i = 0; i < n; i++) {
		char key[SHA256_HEX];
		struct op *op = &ops[n_ops];

		trailer_key(&ci, &t[i], key);
		if (index_trailer_seen(h->work->index, h->work->scope.repo, oid_hex(hex, commit), key))
			continue;
		if (act_at_tracker(h, &ci, &t[i], key))
			continue;
		if ((t[i].act == TRAILER_OPEN ? open_op : answer_op)(h, &ci, &t[i], key, op))
			continue;
		op->author = *as;
		op->time = clock_now();
		done[n_ops++] = &t[i];
	}
	if (!n_ops)
		return 0;
	rc = work_write(h->work, AUDIENCE_EVERYONE, ops, n_ops, ci.subject, ids, e);
	for (size_t i = 0; i < n_ops; i++) {
		if (rc == 0)
			say_done(h, done[i], &ops[i], ids[i]);
		json_decref(ops[i].payload);
	}
	return rc ? -1 : (int)n_ops;
}
