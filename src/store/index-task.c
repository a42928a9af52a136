/* SPDX-License-Identifier: MIT */
/*
 * Tasks. A native one is shown as "T-" and the first six digits of its entity, more where another shares them, and is known
 * by any longer run of them, since an anchor may have been written when fewer or more were needed.
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "index-load.h"

/* Names that anchors may have for k. */
#define NAMES "(k.name, ltrim(k.name, '!#'), 'T-'||substr(k.entity,1,6), 'T-'||substr(k.entity,1,7), 'T-'||substr(k.entity,1,8)," \
	" 'T-'||substr(k.entity,1,9), 'T-'||substr(k.entity,1,10), 'T-'||substr(k.entity,1,11), 'T-'||substr(k.entity,1,12)," \
	" 'T-'||k.entity)"
/* Another clone of the same repository on this machine has the same threads: they are not counted twice. */
#define COUNT(what) "(SELECT " what " FROM (SELECT x.id, x.state, x.source FROM thread x WHERE x.task IN " NAMES " UNION SELECT" \
	" y.id, y.state, y.source FROM link l CROSS JOIN thread y ON y.id=l.thread WHERE l.name IN " NAMES ") z WHERE z.source IN" \
	" (SELECT r.source FROM repo_source q CROSS JOIN repo_source r ON r.repo=q.repo WHERE q.source=k.source))"

#define TASK_SELECT "SELECT j.key, k.id, k.hid, (SELECT max(hid) FROM task WHERE hid<k.hid), (SELECT min(hid) FROM task WHERE" \
	" hid>k.hid), k.name, CASE WHEN s.kind IN ('native', 'private') THEN s.kind ELSE s.name END, k.change, k.state, k.status," \
	" k.milestone, k.title, k.body, k.url, k.assignees, k.labels, k.created, k.updated, a.name, a.email, a.login, " COUNT("count(*)") ", " COUNT("total(z.state=0)") \
	" FROM json_each(?1) j CROSS JOIN task k ON k.id=j.value CROSS JOIN source s ON s.id=k.source CROSS JOIN person a ON" \
	" a.id=k.author"

static const char *not_empty(const char *s)
{
	return s && *s ? s : NULL;
}

static void read_task(struct row *r, struct task *t)
{
	const char *native, *name;

	t->row = row_int(r);
	row_id(r, "T-", SHORT_ID, &native, NULL);
	name = row_text(r);
	t->id = name ? name : native;
	t->source = row_text(r);
	t->change = row_int(r) != 0;
	t->state = (enum task_state)row_int(r);
	t->status = row_text(r);
	t->milestone = row_text(r);
	t->title = row_text(r);
	t->body = row_text(r);
	t->url = row_text(r);
	people_unpack(r->a, row_text(r), &t->assignees, &t->n_assignees);
	logins_shown(t->assignees, t->n_assignees);
	words_unpack(r->a, row_text(r), &t->labels, &t->n_labels);
	t->created = row_int(r);
	t->updated = row_int(r);
	t->author.name = not_empty(row_text(r));
	t->author.email = not_empty(row_text(r));
	t->author.login = login_shown(not_empty(row_text(r)));
	t->n_threads = (unsigned)row_int(r);
	t->n_open = (unsigned)row_int(r);
}

static int load_tasks(struct index *ix, const int64_t *rows, size_t n, struct arena *a, struct task_list *out,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, TASK_SELECT);
	struct buf b = BUF_INIT;
	int rc;

	buf_addch(&b, '[');
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%lld", i ? "," : "", (long long)rows[i]);
	buf_addch(&b, ']');
	out->items = n ? arena_alloc(a, n * sizeof(*out->items)) : NULL;
	out->alloc = out->len = n;
	db_bind(st, "t", b.ptr);
	while ((rc = db_step(&ix->db, st, e)) == 1) {
		size_t key = (size_t)col_int(st, 0);
		if (key < n)
			read_task(&(struct row){ st, a, 1 }, &out->items[key]);
	}
	buf_release(&b);
	return rc;
}

/* What was deleted meanwhile leaves no gap. */
static void close_ranks(struct task_list *l)
{
	size_t n = l->len;

	l->len = 0;
	for (size_t i = 0; i < n; i++)
		if (l->items[i].row)
			l->items[l->len++] = l->items[i];
}

static void tasks_sql(struct clause *c, const int64_t *sources, size_t n, bool scoped, const struct task_walk *behind,
    struct buf *sql)
{
	bool merged = scoped && n <= BRANCHES_MAX;

	for (size_t i = 0; i < (merged ? n : 1); i++) {
		buf_addf(sql, "%sSELECT k.id AS id, k.updated AS u FROM task k WHERE ", i ? " UNION ALL " : "");
		if (merged)
			buf_addf(sql, "k.source=?%d AND ", clause_int(c, sources[i]));
		else if (scoped)
			buf_addf(sql, "k.source IN (SELECT source FROM repo_source WHERE repo=?%d) AND ", clause_int(c, c->s->repo));
		buf_addf(sql, "%s", c->sql.ptr);
		if (behind && behind->rows.len)
			buf_addf(sql, " AND (k.updated, k.id)<(?%d, ?%d)", clause_int(c, behind->updated),
				clause_int(c, behind->rows.items[behind->rows.len - 1]));
	}
	if (scoped && n == 0)
		buf_addstr(sql, "SELECT 0 AS id, 0 AS u WHERE 0");
	buf_addstr(sql, " ORDER BY u DESC, id DESC");
}

/* The statement that finds them, in *st. */
static int prepare(struct clause *c, const struct query *q, size_t limit, size_t skip, const struct task_walk *behind,
    sqlite3_stmt **st, struct err *e)
{
	int64_t *sources = NULL;
	size_t n_sources = c->s->repo ? index_sources(c->ix, c->s->repo, c->a, &sources) : 0;
	struct buf sql = BUF_INIT;

	if (clause_query(c, q, e))
		return -1;
	tasks_sql(c, sources, n_sources, c->s->repo != 0, behind, &sql);
	buf_addf(&sql, " LIMIT ?%d OFFSET ?%d", clause_int(c, limit ? (int64_t)limit : -1), clause_int(c, (int64_t)skip));
	*st = db_prep_once(&c->ix->db, sql.ptr);
	clause_bind(c, *st);
	buf_release(&sql);
	return 0;
}

static int task_rows(struct clause *c, const struct query *q, size_t limit, size_t skip, int64_t **rows, size_t *n,
    struct err *e)
{
	ARRAY(int64_t) list = ARRAY_INIT;
	sqlite3_stmt *st;
	int rc = prepare(c, q, limit ? limit + 1 : 0, skip, NULL, &st, e);

	if (!rc) {
		while ((rc = db_step(&c->ix->db, st, e)) == 1)
			*array_add(&list) = col_int(st, 0);
		sqlite3_finalize(st);
	}
	*rows = list.items;
	*n = list.len;
	return rc;
}

int index_task_walk(struct index *ix, const struct scope *s, const struct query *q, struct task_walk *w, size_t n,
    struct err *e)
{
	struct arena a = ARENA_INIT;
	size_t before = w->rows.len;
	sqlite3_stmt *st;
	struct clause c;
	int rc;

	if (w->complete || n == 0)
		return 0;
	if (index_read_begin(ix, e))
		return -1;
	clause_init(&c, ix, s, true, &a);
	rc = prepare(&c, q, n, 0, w, &st, e);
	if (!rc) {
		while ((rc = db_step(&ix->db, st, e)) == 1) {
			*array_add(&w->rows) = col_int(st, 0);
			w->updated = col_int(st, 1);
		}
		sqlite3_finalize(st);
	}
	w->complete = !rc && w->rows.len < before + n;
	clause_release(&c);
	index_read_end(ix);
	arena_release(&a);
	return rc;
}

int index_tasks_of(struct index *ix, const int64_t *rows, size_t n, struct arena *a, struct task_list *out, struct err *e)
{
	int rc;

	*out = (struct task_list){ 0 };
	if (index_read_begin(ix, e))
		return -1;
	rc = load_tasks(ix, rows, n, a, out, e);
	index_read_end(ix);
	return rc;
}

int index_tasks(struct index *ix, const struct scope *s, const struct query *q, size_t limit, size_t skip,
    struct arena *a, struct task_list *out, struct err *e)
{
	struct clause c;
	int64_t *rows = NULL;
	size_t n = 0;
	int rc;

	*out = (struct task_list){ 0 };
	if (index_read_begin(ix, e))
		return -1;
	clause_init(&c, ix, s, true, a);
	rc = task_rows(&c, q, limit, skip, &rows, &n, e);
	out->more = limit && n > limit;
	if (!rc)
		rc = load_tasks(ix, rows, out->more ? limit : n, a, out, e);
	close_ranks(out);
	free(rows);
	clause_release(&c);
	index_read_end(ix);
	return rc;
}

enum { CANDIDATES = 6 };

/* "!58" and "#412": the number of a change or of any task of a tracker. */
static uint32_t number_of(const char *id)
{
	uint64_t n;

	return (*id == '!' || *id == '#') && str_to_u64(id + 1, UINT32_MAX, &n) ? (uint32_t)n : 0;
}

static int by_number(struct index *ix, int64_t repo, const char *id, int64_t *out, size_t *n, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT id FROM task WHERE num=?1 AND change>=?2 AND (?3=0 OR source IN (SELECT source"
		" FROM repo_source WHERE repo=?3)) LIMIT 6");
	int rc;

	*n = 0;
	db_bind(st, "iii", (int64_t)number_of(id), (int64_t)(*id == '!'), repo);
	while ((rc = db_step(&ix->db, st, e)) == 1 && *n < CANDIDATES)
		out[(*n)++] = col_int(st, 0);
	db_reset(st);
	return rc < 0 ? -1 : 0;
}

/* By name; else a native one by its digits. repo 0: everywhere. */
static int candidates(struct index *ix, int64_t repo, const char *name, int64_t *out, size_t *n, struct err *e)
{
	static const char by_name[] = "SELECT id, entity FROM task WHERE name=?1 AND (?2=0 OR source IN (SELECT"
		" source FROM repo_source WHERE repo=?2)) LIMIT 6";
	static const char by_digits[] = "SELECT id, entity FROM task WHERE name IS NULL AND hid BETWEEN ?1 AND ?3 AND (?2=0 OR source"
		" IN (SELECT source FROM repo_source WHERE repo=?2)) ORDER BY hid LIMIT 6";
	bool native = (name[0] == 'T' || name[0] == 't') && name[1] == '-' && name[2] && str_is_hex(name + 2, strlen(name + 2));
	char entity[SHA256_HEX + 1] = "";
	sqlite3_stmt *st = db_prep(&ix->db, native ? by_digits : by_name);
	int64_t lo, hi;
	int rc;

	*n = 0;
	if (native) {
		hid_range(name + 2, strlen(name + 2), &lo, &hi);
		db_bind(st, "iii", lo, repo, hi);
	} else {
		db_bind(st, "ti", name, repo);
	}
	while ((rc = db_step(&ix->db, st, e)) == 1 && *n < CANDIDATES) {
		const char *ent = (const char *)sqlite3_column_text(st, 1);
		if (*entity && !strcmp(entity, ent))
			continue;
		snprintf(entity, sizeof(entity), "%s", ent);
		out[(*n)++] = col_int(st, 0);
	}
	db_reset(st);
	return rc < 0 ? -1 : 0;
}

static int ambiguous(struct index *ix, const char *id, const int64_t *rows, size_t n, struct arena *a, struct err *e)
{
	struct task_list list;
	struct buf b = BUF_INIT;

	if (load_tasks(ix, rows, n, a, &list, e))
		return -1;
	close_ranks(&list);
	for (size_t i = 0; i < list.len; i++)
		buf_addf(&b, "%s%s (%.40s)", i ? ", " : "", list.items[i].id, list.items[i].title);
	err_set(e, ERR_AMBIGUOUS, "'%s' fits several: %s", id, b.ptr);
	buf_release(&b);
	return -1;
}

static int find_task(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct task *out,
    struct err *e)
{
	const char *name = id + strspn(id, "!#");
	int64_t rows[CANDIDATES];
	struct task_list list;
	size_t n;

	for (int everywhere = !(s && s->repo); everywhere <= 1; everywhere++) {
		if (candidates(ix, everywhere ? 0 : s->repo, name, rows, &n, e) ||
		    (!n && name > id && candidates(ix, everywhere ? 0 : s->repo, id, rows, &n, e)) ||
		    (!n && number_of(id) && by_number(ix, everywhere ? 0 : s->repo, id, rows, &n, e)))
			return -1;
		if (n > 1)
			return ambiguous(ix, id, rows, n, a, e);
		if (n == 0)
			continue;
		if (load_tasks(ix, rows, 1, a, &list, e))
			return -1;
		if (!list.items[0].row)
			continue;
		*out = list.items[0];
		return 0;
	}
	return err_set(e, ERR_NOT_FOUND, "no task '%s'", id);
}

int index_task(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct task *out,
    struct err *e)
{
	int rc;

	if (index_read_begin(ix, e))
		return -1;
	rc = find_task(ix, s, id, a, out, e);
	index_read_end(ix);
	return rc;
}
