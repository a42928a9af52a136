/* SPDX-License-Identifier: MIT */
/*
 * Records into the index. On the way they are completed with what only this repository knows: the kept text of anchors
 * whose commit is here, and the places that a text quotes by permalinks.
 *
 * A page and the cursor behind it are one write. Folding may lag behind by some pages (marks for it are in the index too),
 * since a conversation that comes a comment a page would be folded anew each time.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "apply.h"
#include "killick/anchor/place.h"
#include "killick/base/clock.h"
#include "killick/git/permalink.h"

enum { INDEX_WAIT = 10000, LINKS_MAX = 16, FOLD_RECORDS = 1000, FOLD_MS = 500 };

void page_add(struct page *p, const char *line, size_t n)
{
	buf_add(&p->lines, line, n);
	buf_addch(&p->lines, '\n');
	p->n++;
}

/* ---- what this repository knows ---- */

struct links { struct work *w; struct arena *a; struct anchor items[LINKS_MAX]; size_t n; };

static void take_link(void *ctx, const char *url, size_t len)
{
	struct links *l = ctx;
	struct err unused = ERR_INIT;
	struct anchor an = { .type = ANCHOR_PROJECT };

	if (l->n == LINKS_MAX || len > 2000 || !permalink_anchor(l->w->repo, arena_memdup(l->a, url, len), l->a, &an))
		return;
	if (an.type != ANCHOR_FILE && an.type != ANCHOR_LINES)
		return;
	if (anchor_capture(l->w->repo, &an, l->a, &unused))
		trace("sync", "a permalink's code is not here: %s", unused.msg);
	l->items[l->n++] = an;
}

static void find_links(struct links *l, const char *body)
{
	if (body && strstr(body, "://"))
		permalink_scan(body, take_link, l);
}

/* The code as written, where the commit is here and the tracker did not say it. */
static const struct anchor *complete(struct work *w, struct arena *a, const struct anchor *an)
{
	struct err unused = ERR_INIT;
	struct anchor *own;
	struct oid id;

	if (!an || !an->path || an->blob || !an->commit || !oid_parse(an->commit, &id) || !repo_has_object(w->repo, &id))
		return an;
	own = ARENA_NEW(a, struct anchor);
	*own = *an;
	if (anchor_capture(w->repo, own, a, &unused))
		return an;
	return own;
}

static int put_line(struct work *w, struct source *s, const struct page *p, const char *line, size_t n, struct arena *a,
    struct err *e)
{
	struct links l = { .w = w, .a = a };
	struct record r;
	struct record_put put = { .r = &r, .bytes = line, .n = n, .began = p->began, .kept = true };
	const struct anchor *whole;

	if (record_parse(a, line, n, &r, e))
		return 1;
	if (r.type == RECORD_TASK)
		find_links(&l, r.task.body);
	if (r.type == RECORD_NOTE)
		find_links(&l, r.note.body);
	whole = r.type == RECORD_NOTE ? complete(w, a, r.note.anchor) : NULL;
	if (whole && whole != r.note.anchor) {
		r.note.anchor = whole;
		put.bytes = json_line(a, record_json(&r));
		put.n = strlen(put.bytes);
		if (record_parse(a, put.bytes, put.n, &r, e))   /* as it will be read */
			return 1;
	}
	put.links = l.items;
	put.n_links = l.n;
	return index_put_record(w->index, s->row, &put, e);
}

/* The records stay in the arena. */
static int put_lines(struct work *w, struct source *s, struct page *p, struct arena *a, struct err *e)
{
	struct err bad = ERR_INIT;
	int rc = 0;

	for (const char *line = p->lines.ptr; rc >= 0 && *line;) {
		size_t n = strcspn(line, "\n");

		rc = put_line(w, s, p, line, n, a, &bad);
		if (rc > 0) {
			trace("sync", "%s: a record that cannot be read: %s", s->d.name, bad.msg);
			p->bad++;
		} else if (rc < 0) {
			*e = bad;
		} else {
			p->records++;
			p->unfolded++;
		}
		line += n + 1;
	}
	return rc < 0 ? -1 : 0;
}

/* ---- writes ---- */

/* The name of a value on the desk, which outlives the index: when the source was first pulled. */
static const char *since_key(struct work *w, const struct source *s)
{
	return arena_printf(&w->arena, "source-since %s %s", s->d.kind, s->key);
}

static int64_t first_time(struct work *w, const struct source *s)
{
	struct err unused = ERR_INIT;
	const char *v = NULL;
	int64_t t = 0;

	if (work_desk(w, &unused))
		return clock_now();
	if (desk_value(w->desk, since_key(w, s), &w->arena, &v) && v && time_parse(v, &t))
		return t;
	return clock_now();
}

static void keep_first_time(struct work *w, const struct source *s, int64_t t)
{
	struct err unused = ERR_INIT;
	char text[TIME_RFC3339_SIZE];
	const char *v = NULL;

	if (w->desk && !desk_value(w->desk, since_key(w, s), &w->arena, &v) &&
	    desk_value_put(w->desk, since_key(w, s), time_rfc3339(text, t), &unused))
		trace("sync", "%s", unused.msg);
}

int source_take_row(struct work *w, struct source *s, struct source_row *row, struct err *e)
{
	w->scope.repo = index_repo(w->index, repo_commondir(w->repo), true);
	s->row = index_source(w->index, w->scope.repo, s->d.kind, s->key, s->d.name, true);
	if (!s->row || !index_source_get(w->index, s->row, &w->arena, row))
		return err_set(e, ERR_BAD_DATA, "the index takes no rows");
	return index_source_name(w->index, s->row, s->d.name, e);
}

static int apply(struct work *w, struct source *s, struct page *p, const char *cursor, int64_t since, bool fold,
    struct arena *a, struct err *e)
{
	struct source_row row;

	if (source_take_row(w, s, &row, e))
		return -1;
	if (!row.since) {
		row.since = since;
		if (index_source_set(w->index, &row, e))
			return -1;
	}
	if (put_lines(w, s, p, a, e))
		return -1;
	if (fold || p->unfolded >= FOLD_RECORDS || (p->unfolded && clock_mono() - p->folded > FOLD_MS)) {
		if (index_fold(w->index, s->row, e))
			return -1;
		p->unfolded = 0;
		p->folded = clock_mono();
	}
	if (!cursor)
		return 0;
	row.stamp = cursor;
	return index_source_set(w->index, &row, e);
}

int page_apply(struct work *w, struct source *s, struct page *p, const char *cursor, bool fold, struct err *e)
{
	struct source_row known;
	bool first = !s->row || !index_source_get(w->index, s->row, &w->arena, &known) || !known.since;
	int64_t since = first ? first_time(w, s) : 0;
	struct arena a = ARENA_INIT;
	int rc;

	if (index_begin(w->index, INDEX_WAIT, e))
		return -1;
	rc = apply(w, s, p, cursor, since, fold, &a, e);
	if (rc)
		index_rollback(w->index);
	else
		rc = index_commit(w->index, e);
	arena_release(&a);
	if (rc)
		return -1;
	if (first)
		keep_first_time(w, s, since);
	buf_reset(&p->lines);
	p->n = 0;
	if (cursor)
		s->cursor = arena_strdup(&w->arena, cursor);
	return 0;
}

int source_note(struct work *w, struct source *s, bool full, const char *problem, struct err *e)
{
	struct source_row row;

	if (index_begin(w->index, INDEX_WAIT, e))
		return -1;
	if (source_take_row(w, s, &row, e))
		goto bad;
	if (!problem) {
		s->synced = row.synced = clock_now();
		s->full = full ? s->synced : s->full;
	}
	s->problem = row.problem = problem;
	row.heads = source_state(w, s);
	if (index_fold(w->index, s->row, e) || index_source_set(w->index, &row, e))
		goto bad;
	return index_commit(w->index, e);
bad:
	index_rollback(w->index);
	return -1;
}

void source_doubt(struct work *w, struct source *s)
{
	struct err e = ERR_INIT;
	struct source_row row;

	if (s->probed <= 1)
		return;
	s->probed = 1; /* long ago; 0 would be never */
	if (index_begin(w->index, INDEX_WAIT, &e))
		goto bad;
	if (source_take_row(w, s, &row, &e))
		goto undo;
	row.heads = source_state(w, s);
	if (index_source_set(w->index, &row, &e))
		goto undo;
	if (!index_commit(w->index, &e))
		return;
	goto bad;
undo:
	index_rollback(w->index);
bad:
	trace("sync", "%s", e.msg);
}

int source_lock(struct lock *l, const struct source *s, const char *what, int wait_ms, struct err *e)
{
	uint8_t sum[SHA256_SIZE];
	char hex[SHA256_HEX];
	struct buf dir = BUF_INIT, id = BUF_INIT;
	int rc = xdg_path(XDG_DATA, NULL, &dir, e);

	buf_addf(&id, "%s %s", s->d.kind, s->key);
	hash_sha256(sum, id.ptr, id.len);
	hex_encode(hex, sum, sizeof(sum));
	if (!rc)
		rc = dir_make_private(dir.ptr, e);
	buf_addf(&dir, "/%s-%.16s.lock", what, hex);
	if (!rc)
		rc = lock_take(l, dir.ptr, wait_ms, e);
	if (rc && e->code == ERR_BUSY)
		err_set(e, ERR_BUSY, "another killick is at it: try again in a moment");
	buf_release(&dir);
	buf_release(&id);
	return rc;
}
