/* SPDX-License-Identifier: MIT */
/*
 * Places kept up with HEAD and, for what is shown, with the work tree.
 *
 * A view remembers the HEAD and the last change of the index it is complete for. From there on only threads in files that
 * differ between the two HEADs, and threads that are new, are placed; so the usual case is a comparison of two ids. What
 * is found is written in portions, so that a long first run can be cut short and another process may write meanwhile.
 * When more threads are touched than fit a portion they lose their places first: they are new ones then.
 *
 * The work tree differs from HEAD in few files. One stat says that a file was not touched since its id was taken; a file
 * with HEAD's id has HEAD's places. Only for others the placer is asked, and its answer is kept under the file's id.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "killick/anchor/place.h"
#include "killick/base/clock.h"
#include "killick/base/file.h"
#include "killick/base/hash.h"
#include "killick/store/settings.h"
#include "killick/sync/native.h"
#include "carry.h"

enum {
	PORTION = 1000,     /* threads placed and written at once */
	SLICE = 32,         /* the same where time is short */
	REST_WAIT = 5000,   /* ms for the index's lock where nobody waits for us */
	CARRIED = 256,      /* threads carried on from one HEAD to the next where time is counted */
	CARRIED_MOST = 20000, /* the same where it is not: a fiftieth of what it costs to place them anew */
};

struct placing {
	struct work *w;
	struct placer *placer;
	struct map_cache cache;
	struct oid head;
	char head_hex[GIT_OID_HEX];
	struct view_row view;
	int wait_ms;
	int64_t end;        /* clock_mono, 0: none */
	size_t most;        /* more new threads than this are left alone; 0: all are placed */
	bool view_only;     /* new threads are left alone */
	const char *from;   /* the places of the threads hold in this commit; NULL: they have none */
	enum carry_way way;
	bool done, owners_new;
	struct arena arena; /* of one portion */
};

/* The placer keeps the address of the cache. */
static struct placer *get_placer(struct work *w, struct map_cache *cache)
{
	struct placer *p;

	*cache = index_map_cache(w->index);
	p = placer_new(w->repo, cache);
	placer_threshold(p, setting_real(w->repo, "place.threshold"));
	return p;
}

static bool out_of_time(const struct placing *p)
{
	return p->end && clock_mono() > p->end;
}

static bool is_short(const struct placing *p)
{
	return p->end || p->most || p->view_only;
}

static size_t portion(const struct placing *p)
{
	return is_short(p) ? SLICE : PORTION;
}

/* ---- HEAD ---- */

static int make_view(struct placing *p, struct err *e)
{
	struct index *ix = p->w->index;

	if (index_view(ix, p->w->scope.repo, repo_gitdir(p->w->repo), false, &p->view))
		return 0;
	if (index_begin(ix, p->wait_ms, e))
		return -1;
	if (!index_view(ix, p->w->scope.repo, repo_gitdir(p->w->repo), true, &p->view)) {
		index_rollback(ix);
		return err_set(e, ERR_BAD_DATA, "the index takes no rows");
	}
	return index_commit(ix, e);
}

static int find_places(struct placing *p, const struct thread *t, struct place *out, size_t n, struct arena *a,
    struct err *e)
{
	struct place_query *q = arena_alloc(&p->arena, (n + 1) * sizeof(*q));

	if (!p->placer)
		p->placer = get_placer(p->w, &p->cache);
	if (p->from)
		return carry_places(p->placer, p->w->repo, p->from, &p->head, p->way == CARRY_BACK, t, n, !is_short(p),
				    out, a, e);
	for (size_t i = 0; i < n; i++)
		q[i] = (struct place_query){ .anchor = &t[i].anchor, .out = &out[i] };
	return place_batch(p->placer, &p->head, q, n, a, e);
}

/* Rows are read as places in the view's HEAD: those of another would be carried on from the wrong commit. */
static bool view_is_elsewhere(struct placing *p)
{
	struct view_row now;

	return !index_view(p->w->index, p->w->scope.repo, repo_gitdir(p->w->repo), false, &now) ||
	       strcmp(now.head, p->head_hex);
}

static int keep_places(struct placing *p, const struct thread *t, const struct place *places, size_t n, bool with_view,
    struct err *e)
{
	struct index *ix = p->w->index;
	int rc = 0;

	if (index_begin(ix, p->wait_ms, e))
		return -1;
	if (!with_view && view_is_elsewhere(p)) {
		index_rollback(ix);
		return 0;
	}
	for (size_t i = 0; !rc && i < n; i++) {
		rc = places[i].pending ? index_unplace(ix, p->view.id, &t[i].row, 1, e) :
					 index_place_put(ix, p->view.id, t[i].row, &places[i], e);
		/* Whoever has time finds it among the new ones. */
		p->view.ops = places[i].pending ? 0 : p->view.ops;
	}
	if (!rc && with_view)
		rc = index_view_set(ix, &p->view, e);
	if (rc) {
		index_rollback(ix);
		return -1;
	}
	return index_commit(ix, e);
}

/* Finds and keeps the places of one portion. with_view: the view's row goes with it. */
static int place_portion(struct placing *p, const struct thread *t, size_t n, bool with_view, struct err *e)
{
	struct place *places = arena_alloc(&p->arena, (n + 1) * sizeof(*places));

	if (n && find_places(p, t, places, n, &p->arena, e))
		return -1;
	return keep_places(p, t, places, n, with_view, e);
}

static const char **changed_paths(struct placing *p, const struct oid *from, size_t *n, struct err *e)
{
	struct change *list;
	const char **paths;
	size_t len;

	if (repo_changes(p->w->repo, from, &p->head, 0, &p->arena, &list, &len, e))
		return NULL;
	paths = arena_alloc(&p->arena, (2 * len + 1) * sizeof(*paths));
	*n = 0;
	for (size_t i = 0; i < len; i++) {
		if (list[i].old_path)
			paths[(*n)++] = list[i].old_path;
		if (list[i].new_path && (!list[i].old_path || strcmp(list[i].old_path, list[i].new_path)))
			paths[(*n)++] = list[i].new_path;
	}
	return paths;
}

/* Threads whose commit was not here before. */
static int add_arrived(struct placing *p, struct thread_list *list, struct err *e)
{
	struct thread_list unknown;
	ARRAY(struct thread) all = ARRAY_INIT;
	struct oid commit;

	if (index_unknown(p->w->index, p->w->scope.repo, p->view.id, &p->arena, &unknown, e))
		return -1;
	for (size_t i = 0; i < list->len; i++)
		*array_add(&all) = list->items[i];
	for (size_t i = 0; i < unknown.len; i++) {
		const char *hex = unknown.items[i].anchor.commit;
		if (hex && oid_parse(hex, &commit) && repo_has_object(p->w->repo, &commit))
			*array_add(&all) = unknown.items[i];
	}
	if (all.len > list->len)
		list->items = (struct thread *)arena_memdup(&p->arena, all.items, all.len * sizeof(*all.items));
	list->len = all.len;
	array_release(&all);
	return 0;
}

/* They are looked for with the new ones, as far as time allows. */
static int unplace(struct placing *p, const int64_t *rows, size_t n, struct err *e)
{
	struct index *ix = p->w->index;

	if (index_begin(ix, p->wait_ms, e))
		return -1;
	memcpy(p->view.head, p->head_hex, sizeof(p->view.head));
	p->view.ops = 0;
	if (index_unplace(ix, p->view.id, rows, n, e) || index_view_set(ix, &p->view, e)) {
		index_rollback(ix);
		return -1;
	}
	return index_commit(ix, e);
}

/*
 * More threads than this lose their places when HEAD moved, and are new ones. To carry them on is one step, to find them
 * anew the whole way: also who asked for few places waits less for the first.
 */
static size_t carried_most(const struct placing *p)
{
	if (p->way == CARRY_NOT)
		return is_short(p) ? 0 : PORTION;
	return p->end || p->view_only ? CARRIED : CARRIED_MOST;
}

/* HEAD moved: what stands in files that differ is looked for again. */
static int follow_head(struct placing *p, struct err *e)
{
	struct index *ix = p->w->index;
	struct thread_list touched = { 0 };
	const char **paths = NULL, *was = arena_strdup(&p->arena, p->view.head);
	struct err why = ERR_INIT;
	struct oid from;
	int64_t *rows;
	size_t n = 0, n_rows;
	int rc;

	if (!strcmp(p->view.head, p->head_hex))
		return 0;
	/* The old HEAD may be gone from the repository. */
	if (p->view.head[0] && oid_parse(p->view.head, &from) && repo_has_object(p->w->repo, &from))
		paths = changed_paths(p, &from, &n, &why);
	if (!paths)
		return unplace(p, NULL, 0, e);
	if (index_touched(ix, p->w->scope.repo, p->view.id, paths, n, &p->arena, &rows, &n_rows, e))
		return -1;
	trace("places", "HEAD moved over %zu paths: %zu threads", n, n_rows);
	p->way = carry_way(p->w->repo, &from, &p->head);
	if (n_rows > carried_most(p))
		return unplace(p, rows, n_rows, e);
	if (index_rows(ix, p->w->scope.repo, p->view.id, rows, n_rows, &p->arena, &touched, e) || add_arrived(p, &touched, e))
		return -1;
	memcpy(p->view.head, p->head_hex, sizeof(p->view.head));
	p->from = p->way ? was : NULL;
	rc = place_portion(p, touched.items, touched.len, true, e);
	p->from = NULL;
	return rc;
}

static int keep_owners(struct placing *p, const struct thread_list *list, const struct commit_info *ci, struct err *e)
{
	struct index *ix = p->w->index;
	int rc = 0;

	if (index_begin(ix, p->wait_ms, e))
		return -1;
	for (size_t i = 0; !rc && i < list->len; i++)
		if (ci[i].author.email)
			rc = index_owner_put(ix, list->items[i].row, &ci[i].author, e);
	if (rc) {
		index_rollback(ix);
		return -1;
	}
	return index_commit(ix, e);
}

/* The authors of commits that threads are on: the threads may wait for them. */
static int find_owners(struct placing *p, struct err *e)
{
	struct thread_list list;
	struct commit_info *ci;
	struct err none = ERR_INIT;
	size_t found = 0;
	struct oid id;

	if (index_ownerless(p->w->index, p->w->scope.repo, &p->arena, &list, e))
		return -1;
	ci = arena_alloc(&p->arena, (list.len + 1) * sizeof(*ci));
	for (size_t i = 0; i < list.len; i++) {
		if (!oid_parse(list.items[i].anchor.commit, &id) || repo_commit(p->w->repo, &id, &p->arena, &ci[i], &none))
			ci[i] = (struct commit_info){ 0 };
		found += ci[i].author.email != NULL;
	}
	return found ? keep_owners(p, &list, ci, e) : 0;
}

/* Portion by portion, while there is time. */
static int place_rows(struct placing *p, const int64_t *rows, size_t n, struct err *e)
{
	struct thread_list list;
	size_t i = 0, len;

	for (; i < n && !out_of_time(p); i += len) {
		len = n - i < portion(p) ? n - i : portion(p);
		work_tell(p->w, "finding where threads are now", i, n);
		arena_clear(&p->arena);
		if (index_rows(p->w->index, p->w->scope.repo, p->view.id, rows + i, len, &p->arena, &list, e) ||
		    place_portion(p, list.items, list.len, false, e))
			return -1;
	}
	p->done = i >= n;
	return 0;
}

static int place_new(struct placing *p, const char *path, struct err *e)
{
	struct arena all = ARENA_INIT;
	int64_t *rows;
	size_t n, limit = !path && p->most ? p->most + 1 : 0;
	int rc = index_unplaced(p->w->index, p->w->scope.repo, p->view.id, path, limit, &all, &rows, &n, e);

	p->done = false;
	if (!rc && (!p->most || n <= p->most))
		rc = place_rows(p, rows, n, e);
	p->done = p->done && (!limit || n < limit);
	arena_release(&all);
	return rc;
}

/* The view at HEAD, and what does not wait for places. */
static int bring_view(struct placing *p, uint64_t changes, struct err *e)
{
	if (make_view(p, e))
		return -1;
	p->w->scope.view = p->view.id;
	if (follow_head(p, e))
		return -1;
	arena_clear(&p->arena);
	if (p->view.owners == changes)
		return 0;
	if (find_owners(p, e))
		return -1;
	p->view.owners = changes;
	p->owners_new = true;
	return 0;
}

static int bring_up(struct placing *p, struct err *e)
{
	uint64_t changes = index_changes(p->w->index, p->w->scope.repo);

	if (bring_view(p, changes, e))
		return -1;
	p->done = p->view.ops == changes;
	if (p->done)
		return 0;
	if (!p->view_only && place_new(p, NULL, e))
		return -1;
	if (p->done)
		p->view.ops = changes;
	arena_clear(&p->arena);
	return p->done || p->owners_new ? place_portion(p, NULL, 0, true, e) : 0;
}

/* 0: there is nothing to place. */
static int placing_begin(struct placing *p, struct work *w, int wait_ms, int budget_ms, struct err *e)
{
	*p = (struct placing){ .w = w, .wait_ms = wait_ms, .end = budget_ms ? clock_mono() + budget_ms : 0, .done = true };
	if (work_index(w, e))
		return -1;
	if (w->scope.repo <= 0 || !repo_head(w->repo, &p->head, NULL))
		return 0;
	oid_hex(p->head_hex, &p->head);
	return 1;
}

static void placing_end(struct placing *p, int rc, const struct err *why)
{
	struct work *w = p->w;

	if (rc && !w->problem)
		w->problem = arena_printf(&w->arena, why->code == ERR_BUSY ? "places may be those of an earlier HEAD: %s" :
					  "places could not be brought up to HEAD: %s", why->msg);
	placer_free(p->placer);
	arena_release(&p->arena);
}

struct bounds { int budget_ms; size_t most; bool view_only; }; /* as in struct placing */

static int bring(struct work *w, int wait_ms, struct bounds to, bool *done, struct err *e)
{
	struct placing p;
	struct err why = ERR_INIT;
	int rc = placing_begin(&p, w, wait_ms, to.budget_ms, e);

	p.most = to.most;
	p.view_only = to.view_only;
	if (rc == 1)
		placing_end(&p, bring_up(&p, &why), &why);
	if (done)
		*done = p.done;
	return rc < 0 ? -1 : 0;
}

int work_places_some(struct work *w, int wait_ms, int budget_ms, bool *done, struct err *e)
{
	return bring(w, wait_ms, (struct bounds){ .budget_ms = budget_ms }, done, e);
}

int work_places(struct work *w, int wait_ms, struct err *e)
{
	return bring(w, wait_ms, (struct bounds){ 0 }, NULL, e);
}

int work_places_head(struct work *w, int wait_ms, struct err *e)
{
	return bring(w, wait_ms, (struct bounds){ .view_only = true }, NULL, e);
}

int work_places_few(struct work *w, int wait_ms, struct err *e)
{
	return bring(w, wait_ms, (struct bounds){ .most = SLICE }, NULL, e);
}

int work_places_in(struct work *w, const char *path, int wait_ms, bool *done, struct err *e)
{
	struct placing p;
	struct err why = ERR_INIT;
	int rc;

	if (bring(w, wait_ms, (struct bounds){ .most = SLICE }, done, e))
		return -1;
	if (*done)
		return 0;
	rc = placing_begin(&p, w, wait_ms, 0, e);
	if (rc == 1)
		placing_end(&p, make_view(&p, &why) || place_new(&p, path, &why) ? -1 : 0, &why);
	return rc < 0 ? -1 : 0;
}

/* ---- the rest, by a process of its own ---- */

int work_places_missing(struct work *w, uint64_t *n, struct err *e)
{
	return index_unplaced_count(w->index, w->scope.repo, w->scope.view, n, e);
}

/* One for a repository: whoever is second leaves it to the first. */
static bool rest_lock(struct work *w, struct lock *l)
{
	const char *dir = repo_gitdir(w->repo);
	struct buf path = BUF_INIT;
	struct err e = ERR_INIT;
	char name[40];
	bool got;

	snprintf(name, sizeof(name), "places-%016llx.lock", (unsigned long long)hash64(dir, strlen(dir)));
	got = !xdg_path(XDG_CACHE, name, &path, &e) && !lock_take(l, path.ptr, 0, &e);
	buf_release(&path);
	return got;
}

void work_places_kick(struct work *w)
{
	struct lock l = LOCK_INIT;

	if (index_in_memory(w->index) || !setting_bool(w->repo, "place.background") || !rest_lock(w, &l))
		return;
	lock_release(&l);
	work_start(w, (const char *[]){ "place-rest", NULL });
}

bool work_places_rest(struct work *w, struct err *e)
{
	struct lock l = LOCK_INIT;
	bool mine = rest_lock(w, &l);

	if (mine)
		work_places(w, REST_WAIT, e);
	lock_release(&l);
	return mine;
}

/* ---- threads of a list ---- */

/* The rows are read again for the kept text, which lists go without. Places that cannot be kept are shown all the same. */
static int place_list(struct placing *p, struct arena *a, struct thread **pending, size_t n, struct err *e)
{
	int64_t *rows = arena_alloc(&p->arena, n * sizeof(*rows));
	struct thread_list list;
	struct place *places;
	struct err why = ERR_INIT;

	for (size_t i = 0; i < n; i++)
		rows[i] = pending[i]->row;
	if (index_rows(p->w->index, p->w->scope.repo, p->view.id, rows, n, a, &list, e))
		return -1;
	places = arena_alloc(a, (list.len + 1) * sizeof(*places));
	if (find_places(p, list.items, places, list.len, a, e))
		return -1;
	if (p->view.id && keep_places(p, list.items, places, list.len, false, &why))
		trace("places", "not kept: %s", why.msg);
	for (size_t i = 0, k = 0; i < n && k < list.len; i++) {
		const char *commit = pending[i]->place.commit; /* a list by commits has set it */
		if (pending[i]->row != list.items[k].row)
			continue;
		pending[i]->place = places[k++];
		if (commit)
			pending[i]->place.commit = commit;
	}
	return 0;
}

int work_places_of(struct work *w, struct arena *a, struct thread *threads, size_t n, struct err *e)
{
	ARRAY(struct thread *) pending = ARRAY_INIT;
	struct placing p;
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		if (threads[i].place.pending && threads[i].anchor.path)
			*array_add(&pending) = &threads[i];
	if (pending.len)
		rc = placing_begin(&p, w, 0, 0, e);
	if (rc == 1) {
		p.view.id = w->scope.view;
		rc = 0;
		for (size_t i = 0; !rc && i < pending.len; i += PORTION) {
			size_t left = pending.len - i;
			work_tell(w, "finding where threads are now", i, pending.len);
			arena_clear(&p.arena);
			rc = place_list(&p, a, pending.items + i, left < PORTION ? left : PORTION, e);
		}
		placer_free(p.placer);
		arena_release(&p.arena);
	}
	array_release(&pending);
	return rc < 0 ? -1 : 0;
}

/* ---- the work tree ---- */

struct treefile {
	const char *path;
	char head_blob[GIT_OID_HEX], id[GIT_OID_HEX]; /* "": not there */
};

/* HEAD's blob for a path, without libgit2 the second time. */
static void head_blob(struct work *w, const char *head, const char *path, char out[GIT_OID_HEX])
{
	struct map_cache cache = index_map_cache(w->index);
	struct buf key = BUF_INIT, value = BUF_INIT;
	struct err e = ERR_INIT;
	struct oid commit, blob;
	unsigned mode;

	buf_addf(&key, "%s %s", head, path);
	out[0] = '\0';
	if (cache.get(cache.ctx, "headblob", key.ptr, key.len, &value)) {
		if (value.len == GIT_OID_HEX - 1)
			memcpy(out, value.ptr, GIT_OID_HEX);
	} else if (oid_parse(head, &commit)) {
		if (!repo_tree_path(w->repo, &commit, path, &blob, &mode, &e))
			oid_hex(out, &blob);
		cache.put(cache.ctx, "headblob", key.ptr, key.len, out, strlen(out));
	}
	buf_release(&key);
	buf_release(&value);
}

static void tree_id(struct work *w, const char *path, char out[GIT_OID_HEX])
{
	struct buf full = BUF_INIT;
	struct err e = ERR_INIT;
	struct stat st;
	struct oid id;

	out[0] = '\0';
	buf_addf(&full, "%s/%s", repo_top(w->repo), path);
	if (!lstat(full.ptr, &st) && !index_file_id(w->index, w->scope.view, path, &st, out) &&
	    !repo_worktree_file(w->repo, path, 0, NULL, &id, &e)) {
		oid_hex(out, &id);
		index_file_id_put(w->index, w->scope.view, path, &st, out);
	}
	buf_release(&full);
}

/* Where to look for a thread in the work tree, or NULL. */
static const char *tree_path(const struct thread *t)
{
	if (!t->anchor.path)
		return NULL;
	if (t->place.state == PLACE_GONE && t->place.last_path)
		return t->place.last_path;
	return t->place.path ? t->place.path : t->anchor.path;
}

static void place_key(struct buf *key, const struct thread *t, const struct treefile *f)
{
	/* The anchor as written decides: a row number may mean another thread in a later index. */
	buf_addf(key, "%s %s %s %u %u %s %s", t->id, f->head_blob, f->id, t->anchor.line, t->anchor.end, t->anchor.blob ?
		 t->anchor.blob : "", f->path);
}

static bool kept_place(struct work *w, const struct thread *t, const struct treefile *f, struct place *out)
{
	struct map_cache cache = index_map_cache(w->index);
	struct buf key = BUF_INIT, value = BUF_INIT;
	unsigned state, line, end;
	double sure;
	bool found;

	place_key(&key, t, f);
	found = cache.get(cache.ctx, "tree", key.ptr, key.len, &value) &&
		sscanf(value.ptr, "%u %u %u %lf", &state, &line, &end, &sure) == 4 && state <= PLACE_EDITED;
	if (found)
		*out = (struct place){ .state = (enum place_state)state, .path = f->path, .line = line, .end = end,
				       .confidence = sure };
	buf_release(&key);
	buf_release(&value);
	return found;
}

/* Only what this file alone decides is kept: a thread that left it may be anywhere in the work tree. */
static void keep_place(struct work *w, const struct thread *t, const struct treefile *f)
{
	struct map_cache cache = index_map_cache(w->index);
	struct buf key = BUF_INIT, value = BUF_INIT;
	const struct place *p = &t->place;

	if (p->path && !strcmp(p->path, f->path) && (p->state == PLACE_EXACT || p->state == PLACE_EDITED) && f->id[0]) {
		place_key(&key, t, f);
		buf_addf(&value, "%u %u %u %.15g", (unsigned)p->state, p->line, p->end, p->confidence);
		cache.put(cache.ctx, "tree", key.ptr, key.len, value.ptr, value.len);
	}
	buf_release(&key);
	buf_release(&value);
}

struct treefiles { struct treefile *items; size_t len, alloc; };

static const struct treefile *look_at_file(struct work *w, const char *head, const char *path, struct arena *a,
    struct treefiles *files)
{
	struct treefile *f;

	/* A list is usually of one file. */
	for (size_t i = files->len; i-- > 0;)
		if (!strcmp(files->items[i].path, path))
			return &files->items[i];
	f = array_add(files);
	f->path = arena_strdup(a, path);
	head_blob(w, head, path, f->head_blob);
	tree_id(w, path, f->id);
	return f;
}

struct dirty { struct thread *t; struct treefile f; };

static int place_dirty(struct work *w, const char *head, struct arena *a, struct dirty *d, size_t n, struct err *e)
{
	struct thread *t = arena_alloc(a, (n + 1) * sizeof(*t));
	struct place *places = arena_alloc(a, (n + 1) * sizeof(*places));
	struct map_cache cache;
	struct placer *p;
	int rc;

	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		t[i] = *d[i].t;
	p = get_placer(w, &cache);
	rc = carry_places(p, w->repo, head, NULL, false, t, n, true, places, a, e);
	placer_free(p);
	for (size_t i = 0; !rc && i < n; i++) {
		d[i].t->place = places[i];
		keep_place(w, d[i].t, &d[i].f);
	}
	return rc;
}

/* HEAD's place is the work tree's where the file is the same; but not one that was never looked for. What is gone with a
 * file that is in neither (one in five of the threads of an old history) stays gone without a walk through that history. */
static bool is_clean(const struct thread *t, const struct treefile *f)
{
	return !strcmp(f->id, f->head_blob) && t->place.state != PLACE_UNKNOWN && (f->id[0] || t->place.state == PLACE_GONE);
}

int work_places_dirty(struct work *w, struct arena *a, struct thread *threads, size_t n, struct err *e)
{
	ARRAY(struct dirty) dirty = ARRAY_INIT;
	struct treefiles files = ARRAY_INIT;
	char hex[GIT_OID_HEX] = "";
	struct oid head;
	int rc;

	if (work_index(w, e) || work_places_of(w, a, threads, n, e))
		return -1;
	if (!repo_top(w->repo))
		return 0;
	if (repo_head(w->repo, &head, NULL))
		oid_hex(hex, &head);
	for (size_t i = 0; i < n; i++) {
		const char *path = tree_path(&threads[i]);
		const struct treefile *f = path ? look_at_file(w, hex, path, a, &files) : NULL;
		if (!f || is_clean(&threads[i], f) || kept_place(w, &threads[i], f, &threads[i].place))
			continue;
		*array_add(&dirty) = (struct dirty){ .t = &threads[i], .f = *f };
	}
	rc = place_dirty(w, hex, a, dirty.items, dirty.len, e);
	array_release(&dirty);
	array_release(&files);
	index_keep(w->index);
	return rc;
}
