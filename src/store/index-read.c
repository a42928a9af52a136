/* SPDX-License-Identifier: MIT */
/* Reading by what something is about: the threads of a file, of commits, the one with an id. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "index-load.h"

/* ---- files and commits ---- */

static int unplaced_too(struct index *ix, const struct scope *s, const char *path, struct arena *a, struct thread_list *out,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT p.thread AS id, p.at_line AS line FROM place p WHERE p.view=?1 AND p.at=?2 UNION"
		" ALL SELECT t.id, t.line FROM thread t WHERE t.source IN (SELECT source FROM repo_source WHERE repo=?3) AND t.path=?2"
		" AND NOT EXISTS (SELECT 1 FROM place x WHERE x.thread=t.id AND x.view=?1) ORDER BY line, id");

	db_bind(st, "iti", s->view, path, s->repo);
	return load_collected(ix, s, st, LOAD_QUOTES, a, out, e);
}

static int everywhere_at(struct index *ix, const struct scope *s, const char *path, struct arena *a, struct thread_list *out,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT t.id FROM thread t WHERE t.source IN (SELECT id FROM source) AND t.path=?1 ORDER BY"
		" t.line, t.id");

	db_bind(st, "t", path);
	return load_collected(ix, s, st, LOAD_QUOTES, a, out, e);
}

int index_threads_at(struct index *ix, const struct scope *s, const char *path, struct arena *a,
    struct thread_list *out, struct err *e)
{
	int rc;

	*out = (struct thread_list){ 0 };
	if (index_read_begin(ix, e))
		return -1;
	if (!s || !s->repo)
		rc = everywhere_at(ix, s, path, a, out, e);
	else
		rc = index_view_is_whole(ix, s) ? load_placed(ix, s, path, a, out, e) : unplaced_too(ix, s, path, a, out, e);
	index_read_end(ix);
	return rc;
}

static char *commits_json(const struct oid *commits, size_t n)
{
	struct buf b = BUF_INIT;
	char hex[GIT_OID_HEX];

	buf_addch(&b, '[');
	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s\"%s\"", i ? "," : "", oid_hex(hex, &commits[i]));
	buf_addch(&b, ']');
	return buf_detach(&b);
}

/*
 * Of the threads on the commits of a list (?1), c.k-th of it, in a repository (?2, 0: any). A commit's older selves come in
 * by a set, not by depth: a hostile ring of rewrites ends.
 */
#define ON_COMMITS(columns) "WITH RECURSIVE c(sha, k) AS (SELECT value, key FROM json_each(?1) UNION SELECT r.old, c.k FROM c" \
	" CROSS JOIN rewrite r ON r.new=c.sha WHERE ?2=0 OR r.source IN (SELECT source FROM repo_source WHERE repo=?2)) SELECT " \
	columns " FROM c CROSS JOIN thread t ON t.sha=c.sha WHERE t.of IS NULL AND (?2=0 OR t.source IN (SELECT source FROM" \
	" repo_source WHERE repo=?2))"

int index_threads_on_commits(struct index *ix, const struct scope *s, const struct oid *commits, size_t n,
    struct arena *a, struct thread_list *out, struct err *e)
{
	sqlite3_stmt *st;
	struct rows rows = ARRAY_INIT, keys = ARRAY_INIT;
	char *list = commits_json(commits, n), hex[GIT_OID_HEX];
	int rc = -1;

	*out = (struct thread_list){ 0 };
	if (index_read_begin(ix, e)) {
		free(list);
		return -1;
	}
	st = db_prep(&ix->db, ON_COMMITS("t.id, c.k") " ORDER BY c.k, t.updated DESC, t.id");
	db_bind(st, "ti", list, s ? s->repo : (int64_t)0);
	rc = rows_collect(ix, st, &rows, &keys, e);
	if (!rc)
		rc = load_threads(ix, s, &rows, LOAD_LINES, a, out, e);
	for (size_t i = 0; !rc && i < out->len; i++)
		out->items[i].place.commit = arena_strdup(a, oid_hex(hex, &commits[keys.items[i]]));
	index_read_end(ix);
	array_release(&rows);
	array_release(&keys);
	free(list);
	return rc;
}

/* Numbers alone: a commit with thousands of threads costs a list of commits no more than their rows' keys. */
int index_commit_counts(struct index *ix, const struct scope *s, const struct oid *commits, size_t n,
    struct commit_count *out, struct err *e)
{
	sqlite3_stmt *st;
	char *list = commits_json(commits, n);
	int rc;

	memset(out, 0, n * sizeof(*out));
	if (index_read_begin(ix, e)) {
		free(list);
		return -1;
	}
	st = db_prep(&ix->db, ON_COMMITS("c.k, t.kind, t.state, count(*)") " GROUP BY 1, 2, 3");
	db_bind(st, "ti", list, s ? s->repo : (int64_t)0);
	while ((rc = db_step(&ix->db, st, e)) == 1) {
		struct commit_count *one = (size_t)col_int(st, 0) < n ? &out[col_int(st, 0)] : NULL;
		unsigned kind = (unsigned)col_int(st, 1);

		if (one && col_int(st, 2) == STATE_OPEN && kind < ARRAY_SIZE(one->open))
			one->open[kind] += (unsigned)col_int(st, 3);
		else if (one)
			one->settled += (unsigned)col_int(st, 3);
	}
	db_reset(st);
	index_read_end(ix);
	free(list);
	return rc < 0 ? -1 : 0;
}

int index_path_counts(struct index *ix, const struct scope *s, struct arena *a, struct path_count **out, size_t *n,
    struct err *e)
{
	struct clause c;
	struct buf sql = BUF_INIT, sources = BUF_INIT;
	ARRAY(struct path_count) list = ARRAY_INIT;
	sqlite3_stmt *st;
	int rc;

	clause_init(&c, ix, s, false, a);
	clause_sources(&c, &sources);
	if (s && s->view)
		buf_addf(&sql, "SELECT at, sum(o), sum(n) FROM (SELECT at, sum(open) AS o, count(*) AS n FROM place WHERE view=?%d GROUP"
			 " BY at UNION ALL SELECT t.path, t.state=0, 1 FROM thread t WHERE t.source IN %s AND t.path IS NOT NULL AND"
			 " t.rev>(SELECT ops FROM view WHERE id=?%d) AND NOT EXISTS (SELECT 1 FROM place x WHERE x.thread=t.id AND"
			 " x.view=?%d)) GROUP BY at", clause_int(&c, s->view), sources.ptr, clause_int(&c, s->view),
			 clause_int(&c, s->view));
	else
		buf_addf(&sql, "SELECT path, sum(state=0), count(*) FROM thread WHERE source IN %s AND path IS NOT NULL GROUP BY path",
			 sources.ptr);
	st = db_prep_once(&ix->db, sql.ptr);
	clause_bind(&c, st);
	while ((rc = db_step(&ix->db, st, e)) == 1) {
		struct path_count *pc = array_add(&list);
		pc->path = col_text(a, st, 0);
		pc->open = (unsigned)col_int(st, 1);
		pc->closed = (unsigned)(col_int(st, 2) - col_int(st, 1));
	}
	sqlite3_finalize(st);
	*n = list.len;
	*out = list.len ? (struct path_count *)arena_memdup(a, list.items, list.len * sizeof(*list.items)) : NULL;
	array_release(&list);
	buf_release(&sql);
	buf_release(&sources);
	clause_release(&c);
	return rc;
}

/* ---- one thread ---- */

/* The digits of an id typed by somebody, lower case; NULL: not an id. Letters may be upper case, the first one left out. */
static const char *id_digits(struct arena *a, const char *id, char *letter)
{
	char *hex;

	*letter = '\0';
	if (strchr("kKpP", *id) && *id) {
		*letter = *id == 'k' || *id == 'K' ? 'k' : 'p';
		id++;
	}
	hex = arena_strdup(a, id);
	for (char *p = hex; *p; p++)
		if (*p >= 'A' && *p <= 'F')
			*p = (char)(*p + ('a' - 'A'));
	return *hex && strlen(hex) < SHA256_HEX && str_is_hex(hex, strlen(hex)) ? hex : NULL;
}

struct candidate { int64_t thread, post; const char *entity; };
enum { CANDIDATES = 10 };

static bool fits(const char *full, const char *digits)
{
	return strlen(digits) <= 16 || (full && str_starts(full, digits));
}

/* Rows whose id begins with the digits; an entity that several clones have counts once. repo 0: everywhere. */
static int candidates(struct index *ix, int64_t repo, bool posts, const char *digits, struct arena *a,
    struct candidate *out, size_t *n, struct err *e)
{
	sqlite3_stmt *st = posts ?
		db_prep(&ix->db, "SELECT t.id, p.id, t.entity||p.hid FROM post p CROSS JOIN thread t ON t.id=p.thread WHERE p.hid"
			" BETWEEN ?1 AND ?2 AND (?3=0 OR t.source IN (SELECT source FROM repo_source WHERE repo=?3)) ORDER BY p.hid LIMIT 100") :
		db_prep(&ix->db, "SELECT t.id, 0, t.entity FROM thread t WHERE t.hid BETWEEN ?1 AND ?2 AND t.of IS NULL AND (?3=0 OR t.source IN (SELECT"
			" source FROM repo_source WHERE repo=?3)) ORDER BY t.hid LIMIT 100");
	int64_t lo, hi;
	int rc;

	*n = 0;
	hid_range(digits, strlen(digits), &lo, &hi);
	db_bind(st, "iii", lo, hi, repo);
	while ((rc = db_step(&ix->db, st, e)) == 1 && *n < CANDIDATES) {
		const char *entity = col_text(a, st, 2);
		bool again = *n > 0 && !strcmp(out[*n - 1].entity, entity);
		if (again || (!posts && !fits(entity, digits)))
			continue;
		out[(*n)++] = (struct candidate){ col_int(st, 0), col_int(st, 1), entity };
	}
	db_reset(st);
	return rc < 0 ? -1 : 0;
}

static int ambiguous(struct index *ix, const struct scope *s, const char *id, const struct candidate *c, size_t n,
    struct arena *a, struct err *e)
{
	struct thread_list list;
	struct rows rows = ARRAY_INIT;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		*array_add(&rows) = c[i].thread;
	if (load_threads(ix, s, &rows, LOAD_LINES, a, &list, e)) {
		array_release(&rows);
		return -1;
	}
	for (size_t i = 0; i < list.len; i++)
		buf_addf(&b, "%s%s (%.40s)", i ? ", " : "", list.items[i].abbrev, list.items[i].title);
	err_set(e, ERR_AMBIGUOUS, "'%s' fits %s%zu: %s", id, n == CANDIDATES ? "more than " : "", n == CANDIDATES ? n - 1 : n,
		b.ptr);
	buf_release(&b);
	array_release(&rows);
	return -1;
}

static int find_digits(struct index *ix, const struct scope *s, const char *id, char letter, const char *digits, struct arena *a,
    struct candidate *out, struct err *e)
{
	struct candidate list[CANDIDATES];
	size_t n = 0;

	/* The scope first, then everywhere; threads before posts where no letter says which. */
	for (int everywhere = !(s && s->repo); everywhere <= 1; everywhere++)
		for (int posts = letter == 'p'; posts <= (letter != 'k'); posts++) {
			if (candidates(ix, everywhere ? 0 : s->repo, posts, digits, a, list, &n, e))
				return -1;
			if (n == 1)
				*out = list[0];
			if (n)
				return n == 1 ? 0 : ambiguous(ix, s, id, list, n, a, e);
		}
	return err_set(e, ERR_NOT_FOUND, "no %s '%s'", letter == 'p' ? "post" : "thread", id);
}

static int resolve(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct candidate *out,
    struct err *e)
{
	char letter;
	const char *digits = id_digits(a, id, &letter), *now;

	if (!digits)
		return err_set(e, ERR_NOT_FOUND, "no thread '%s': an id is a letter and hex digits, as k3f9c2", id);
	if (!find_digits(ix, s, id, letter, digits, a, out, e))
		return 0;
	for (const char *l = "kp"; *l && e->code == ERR_NOT_FOUND && ix->alias; l++)
		if ((!letter || letter == *l) && ix->alias(ix->alias_ctx, *l, digits, a, &now))
			return find_digits(ix, s, id, *l, now, a, out, e);
	return -1;
}

void index_ask_alias(struct index *ix, bool (*fn)(void *ctx, char letter, const char *digits, struct arena *a,
    const char **now), void *ctx)
{
	ix->alias = fn;
	ix->alias_ctx = ctx;
}

/* Where among the thread's posts the one with this row is. */
static int find_post(struct index *ix, int64_t row, const struct thread *t, const struct post **post, struct err *e)
{
	int64_t n;

	if (db_get_int(&ix->db, e, &n, "SELECT n FROM post WHERE id=?1", "i", row) < 0)
		return -1;
	*post = n >= 0 && n < (int64_t)t->n_posts ? &t->posts[n] : NULL;
	return 0;
}

static int find_thread(struct index *ix, const struct scope *s, const char *id, enum load what, struct arena *a,
    struct thread *out, const struct post **post, struct err *e)
{
	struct candidate c = { 0 };
	struct thread_list list = { 0 };
	struct rows rows = ARRAY_INIT;
	int rc;

	if (post)
		*post = NULL;
	if (index_read_begin(ix, e))
		return -1;
	rc = resolve(ix, s, id, a, &c, e);
	if (!rc) {
		*array_add(&rows) = c.thread;
		rc = load_threads(ix, s, &rows, what, a, &list, e);
	}
	if (!rc && list.len != 1)
		rc = err_set(e, ERR_NOT_FOUND, "no thread '%s'", id);
	if (!rc) {
		*out = list.items[0];
		if (post && c.post)
			rc = find_post(ix, c.post, out, post, e);
	}
	index_read_end(ix);
	array_release(&rows);
	return rc;
}

int index_thread(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct thread *out,
    const struct post **post, struct err *e)
{
	return find_thread(ix, s, id, LOAD_POSTS, a, out, post, e);
}

int index_thread_read(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct thread *out,
    struct err *e)
{
	return find_thread(ix, s, id, LOAD_LONG_IDS, a, out, NULL, e);
}

int index_thread_line(struct index *ix, const struct scope *s, const char *id, struct arena *a, struct thread *out,
    struct err *e)
{
	return find_thread(ix, s, id, LOAD_LINES, a, out, NULL, e);
}

static int entity_of(struct index *ix, const char *sql, int64_t row, char entity[SHA256_HEX], int64_t *source,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, sql);
	int rc;

	db_bind(st, "i", row);
	rc = db_step(&ix->db, st, e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "it is not in the index any more");
	if (rc < 0)
		return -1;
	memcpy(entity, sqlite3_column_text(st, 0), SHA256_HEX);
	*source = col_int(st, 1);
	db_reset(st);
	return 0;
}

int index_entity(struct index *ix, int64_t thread, char entity[SHA256_HEX], int64_t *source, struct err *e)
{
	return entity_of(ix, "SELECT entity, source FROM thread WHERE id=?1 AND length(entity)=64", thread, entity, source, e);
}

int index_task_entity(struct index *ix, int64_t task, char entity[SHA256_HEX], int64_t *source, struct err *e)
{
	return entity_of(ix, "SELECT entity, source FROM task WHERE id=?1 AND length(entity)=64", task, entity, source, e);
}

int index_post_op(struct index *ix, int64_t thread, const char *post_id, char op[SHA256_HEX], struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT o.bytes FROM post p CROSS JOIN op o ON o.id=p.op WHERE p.hid BETWEEN ?1 AND ?2"
		" AND p.thread=?3");
	struct arena a = ARENA_INIT;
	uint8_t sum[SHA256_SIZE];
	char letter;
	const char *digits = id_digits(&a, post_id, &letter);
	bool found = false;
	int64_t lo, hi;
	int rc = 0;

	if (digits) {
		hid_range(digits, strlen(digits), &lo, &hi);
		db_bind(st, "iii", lo, hi, thread);
		rc = db_step(&ix->db, st, e);
	}
	if (rc == 1) {
		hash_sha256(sum, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0));
		hex_encode(op, sum, sizeof(sum));
		db_reset(st);
		found = true;
	} else if (rc == 0) {
		rc = err_set(e, ERR_NOT_FOUND, "no post '%s' in this thread", post_id);
	}
	arena_release(&a);
	return found ? 0 : -1;
}

bool index_trailer_seen(struct index *ix, int64_t repo, const char *commit, const char *trailer_hash)
{
	struct err e = ERR_INIT;
	int64_t n;

	(void)commit;
	return db_get_int(&ix->db, &e, &n, "SELECT 1 FROM trailer r CROSS JOIN thread t ON t.id=r.thread WHERE r.key=?1 AND"
			  " t.source IN (SELECT source FROM repo_source WHERE repo=?2) LIMIT 1", "ti", trailer_hash, repo) == 1;
}

uint64_t index_changes(struct index *ix, int64_t repo)
{
	struct err e = ERR_INIT;
	int64_t n;

	db_get_int(&ix->db, &e, &n, "SELECT max((SELECT max(t.rev) FROM thread t WHERE t.source=s.source)) FROM repo_source s"
		   " WHERE s.repo=?1", "i", repo);
	return (uint64_t)n;
}
