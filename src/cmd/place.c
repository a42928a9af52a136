/* SPDX-License-Identifier: MIT */
/* place: where this code is now, or was at a revision. */
#include "config.h"
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include "families.h"
#include "killick/cmd/act.h"
#include "killick/git/permalink.h"
#include "killick/store/settings.h"
#include "place.h"

struct place_values { const char *at; bool from_stdin, fetch, link; };
static const struct opt place_opts[] = {
	{ 0, "at", OPT_STR, offsetof(struct place_values, at), "REV", "where it was at REV, not in the work tree", NULL },
	{ 0, "stdin", OPT_FLAG, offsetof(struct place_values, from_stdin), NULL,
		"read JSON Lines {\"from\",\"path\",\"line\",\"end\",\"to\"}, answer a line each", NULL },
	{ 0, "link", OPT_FLAG, offsetof(struct place_values, link), NULL, "its address on the web, as HEAD (or REV) has it", NULL },
	{ 0, "fetch", OPT_FLAG, offsetof(struct place_values, fetch), NULL,
		"in a partial clone, download the files that are needed", NULL },
	{ 0, NULL, OPT_FLAG, 0, NULL, NULL, NULL },
};

struct placer *place_open(struct cmd *c, bool fetch)
{
	struct err ignored = ERR_INIT;
	struct map_cache *cache = ARENA_NEW(c->arena, struct map_cache); /* borrowed by the placer */
	struct placer *p;

	if (!work_index(c->work, &ignored) && c->work->index)
		*cache = index_map_cache(c->work->index);
	p = placer_new(c->work->repo, cache);
	placer_threshold(p, setting_real(c->work->repo, "place.threshold"));
	placer_allow_fetch(p, fetch);
	return p;
}

int place_one(struct cmd *c, const struct anchor *an, const struct oid *to, struct place *out, struct err *e)
{
	struct placer *p = place_open(c, false);
	struct place_query q = { .anchor = an, .out = out };
	int rc;

	*out = (struct place){ .state = PLACE_UNKNOWN };
	rc = place_batch(p, to, &q, 1, c->arena, e);
	placer_free(p);
	return rc;
}

static bool is_thread_id(const char *word)
{
	size_t n = strlen(word);

	return n > 4 && word[0] == 'k' && strspn(word + 1, "0123456789abcdef") == n - 1;
}

/* A thread's id stands for its anchor, where no file has that name. */
static int anchor_of(struct cmd *c, const char *word, struct anchor *out, struct err *e)
{
	struct err fault = ERR_INIT, ignored = ERR_INIT;
	struct thread t;

	if (!act_anchor(c, word, out, &fault))
		return anchor_capture(c->work->repo, out, c->arena, e);
	if (is_thread_id(word) && !work_index(c->work, &ignored) && !work_refresh(c->work, 0, &ignored) &&
	    !index_thread(c->work->index, &c->work->scope, word, c->arena, &t, NULL, &ignored)) {
		*out = t.anchor;
		return 0;
	}
	*e = fault;
	return -1;
}

/* The address of where it is in the commit that was looked at; NULL: it is gone, or no page has that commit. */
static const char *page_of(struct cmd *c, const struct anchor *an, const struct place *p, const char *commit)
{
	struct anchor there = *an;
	struct buf b = BUF_INIT;
	const char *url = NULL;

	if (an->type != ANCHOR_COMMIT) {
		there.commit = commit;
		there.path = p->path;
		there.line = p->line;
		there.end = p->end;
	}
	if (p->state != PLACE_GONE && p->state != PLACE_UNKNOWN && permalink_make(c->work->repo, &there, &b))
		url = arena_strdup(c->arena, b.ptr);
	buf_release(&b);
	return url;
}

static int answer_link(struct cmd *c, const char *word, const struct place *p, const char *url, struct err *e)
{
	if (url) {
		out_text(c, STYLE_NORMAL, url);
		out_line(c);
		return 0;
	}
	return err_set(e, ERR_NOT_FOUND, "%s has no page on the web: %s", word, p->state == PLACE_GONE ?
	    "it is gone from that commit" : "no remote of a known forge (killick.forge) has that commit; 'git push' may help");
}

static json_t *answer_json(const struct anchor *an, const struct place *p)
{
	json_t *j = json_object();

	json_object_set_new(j, "anchor", anchor_json(an));
	json_object_set_new(j, "place", place_json(p));
	return j;
}

static void answer_text(struct cmd *c, const struct anchor *an, const struct place *p)
{
	struct thread t = { .anchor = *an, .place = *p };
	struct buf b = BUF_INIT;

	anchor_format(&b, an, an->commit ? ANCHOR_WITH_COMMIT : 0);
	out_textf(c, STYLE_NORMAL, "%s  ", b.ptr);
	if (p->state == PLACE_GONE || p->state == PLACE_UNKNOWN)
		out_textf(c, STYLE_WARN, "%s", place_state_name(p->state));
	else
		out_textf(c, STYLE_ACCENT, "%s  %s  %.2f", act_anchor_text(c, &t), place_state_name(p->state), p->confidence);
	if (p->state == PLACE_GONE && p->commit)
		out_textf(c, STYLE_NORMAL, " since %.7s", p->commit);
	if (p->state == PLACE_GONE && p->path && p->line)
		out_textf(c, STYLE_DIM, "  best guess %s:%u  %.2f", p->path, p->line, p->confidence);
	if (p->why)
		out_textf(c, STYLE_DIM, "  %s", p->why);
	out_line(c);
	buf_release(&b);
}

static int place_words(struct cmd *c, const struct oid *to, struct err *e)
{
	const struct place_values *v = c->values;
	char hex[GIT_OID_HEX];
	size_t n = (size_t)c->argc;
	struct anchor *an = arena_alloc(c->arena, sizeof(*an) * n);
	struct place *out = arena_alloc(c->arena, sizeof(*out) * n);
	struct place_query *q = arena_alloc(c->arena, sizeof(*q) * n);
	struct placer *p;
	int rc;

	for (size_t i = 0; i < n; i++) {
		if (anchor_of(c, c->argv[i], &an[i], e))
			return -1;
		q[i] = (struct place_query){ .anchor = &an[i], .out = &out[i] };
	}
	p = place_open(c, v->fetch);
	rc = place_batch(p, to, q, n, c->arena, e);
	placer_free(p);
	if (rc)
		return rc;
	out_list_begin(c, "places");
	for (size_t i = 0; i < n && !rc; i++) {
		const char *url = v->link ? page_of(c, &an[i], &out[i], oid_hex(hex, to)) : NULL;

		if (out_json(c)) {
			json_t *j = answer_json(&an[i], &out[i]);

			if (v->link)
				json_put_str(j, "url", url);
			out_item(c, j);
		} else if (v->link) {
			rc = answer_link(c, c->argv[i], &out[i], url, e);
		} else {
			answer_text(c, &an[i], &out[i]);
		}
	}
	out_list_end(c);
	return rc;
}

static int run_place(struct cmd *c, struct err *e)
{
	struct place_values *v = c->values;
	struct oid to;

	if (v->from_stdin && (c->argc || v->at || v->link))
		return err_set(e, ERR_USAGE, "--stdin takes no anchors, no --at and no --link: each line says its own");
	if (v->from_stdin)
		return place_lines(c, v->fetch, e);
	if (!c->argc)
		return err_set(e, ERR_USAGE, "place needs ANCHOR… or --stdin (killick place -h)");
	if ((v->at || v->link) && repo_resolve(c->work->repo, v->at ? v->at : "HEAD", &to, e))
		return -1;
	return place_words(c, v->at || v->link ? &to : NULL, e);
}

/* What work_places_kick starts. */
static int run_rest(struct cmd *c, struct err *e)
{
	(void)!nice(10);
	work_places_rest(c->work, e);
	return 0;
}

const struct cmd_entry place_commands[] = {
	{ .name = "place", .args = "ANCHOR…", .summary = "where this code is now, and how sure that is",
		.opts = place_opts, .values = sizeof(struct place_values), .max_args = -1, .needs = NEED_REPO,
		.flags = CMD_JSON, .run = run_place, .complete = "anchor" },
	{ .name = "place-rest", .summary = "look for the threads that have no place yet", .needs = NEED_REPO | NEED_INDEX,
		.flags = CMD_HIDDEN, .run = run_rest },
	{ .name = NULL },
};
