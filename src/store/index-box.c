/* SPDX-License-Identifier: MIT */
/*
 * The boxes of those who use this index: what each thread means to them. See index-people.c for who they are. Every row of
 * `box` goes through box_put, which keeps the counts of each section with it; the counts are written once a commit.
 */
#include "config.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "index-private.h"
#include "index-box.h"

static void add_delta(struct index *ix, int64_t who, int64_t source, enum waits waits, int64_t n)
{
	struct box_delta *d;

	for (size_t i = 0; i < ix->deltas.len; i++) {
		d = &ix->deltas.items[i];
		if (d->who == who && d->source == source && d->waits == (int)waits) {
			d->n += n;
			return;
		}
	}
	d = array_add(&ix->deltas);
	*d = (struct box_delta){ .who = who, .source = source, .waits = (int)waits, .n = n };
}

int index_flush_deltas(struct index *ix, struct err *e)
{
	for (size_t i = 0; i < ix->deltas.len; i++) {
		const struct box_delta *d = &ix->deltas.items[i];
		if (d->n && db_exec(&ix->db, e, "INSERT INTO box_count(who, source, waits, n) VALUES(?1, ?2, ?3, ?4)"
		    " ON CONFLICT(who, source, waits) DO UPDATE SET n=n+excluded.n", "iiii", d->who, d->source,
		    (int64_t)d->waits, d->n))
			return -1;
	}
	ix->deltas.len = 0;
	return 0;
}

/* What a row of box says now; false: there is none. */
static int box_get(struct index *ix, int64_t thread, int64_t who, enum waits *waits, int64_t *unread, int64_t *updated,
    struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT waits, unread, updated FROM box WHERE thread=?1 AND who=?2");
	int rc;

	db_bind(st, "ii", thread, who);
	rc = db_step(&ix->db, st, e);
	if (rc == 1) {
		*waits = (enum waits)col_int(st, 0);
		*unread = col_int(st, 1);
		*updated = col_int(st, 2);
		db_reset(st);
	}
	return rc;
}

static int box_put(struct index *ix, const struct boxed *t, int64_t who, enum waits waits, int64_t unread, struct err *e)
{
	enum waits old = WAITS_NONE;
	int64_t old_unread = 0, updated = 0;
	bool want = waits != WAITS_NONE || unread > 0;
	int had = t->is_new ? 0 : box_get(ix, t->thread, who, &old, &old_unread, &updated, e);

	if (had < 0)
		return -1;
	if (had && want && old == waits && old_unread == unread && updated == t->updated)
		return 0;
	if (had)
		add_delta(ix, who, t->source, old, -1);
	if (!want)
		return had ? db_exec(&ix->db, e, "DELETE FROM box WHERE thread=?1 AND who=?2", "ii", t->thread, who) : 0;
	add_delta(ix, who, t->source, waits, 1);
	return db_exec(&ix->db, e, "INSERT INTO box(thread, who, source, updated, waits, unread) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
		       " ON CONFLICT(thread, who) DO UPDATE SET updated=excluded.updated, waits=excluded.waits,"
		       " unread=excluded.unread", "iiiiii", t->thread, who, t->source, t->updated, (int64_t)waits, unread);
}

static int64_t posts_before(const struct boxed *t, int64_t who, int64_t since)
{
	int64_t n = 0;

	for (int64_t i = 0; i < t->n_posts; i++)
		n += t->by[i].who != who && t->posts[i].time <= since;
	return n;
}

/* What others wrote before the source was first pulled counts as read. */
static int read_before(struct index *ix, const struct boxed *t, int64_t who, int64_t *n, struct err *e)
{
	int64_t since = ix->identities_since;

	*n = 0;
	if (ix->identities_of != t->source &&
	    db_get_int(&ix->db, e, &since, "SELECT since FROM source WHERE id=?1", "i", t->source) < 0)
		return -1;
	if (since && t->posts)
		*n = posts_before(t, who, since);
	else if (since)
		return db_get_int(&ix->db, e, n, "SELECT count(*) FROM post WHERE thread=?1 AND who<>?2 AND time<=?3", "iii",
			t->thread, who, since) < 0 ? -1 : 0;
	return 0;
}

/* ---- mentions ---- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || (unsigned char)c >= 0x80;
}

/* "@ana" of somebody who is ana at a tracker, or has the mail address ana@example.org. */
static bool is_called(const struct identity *id, const char *word, size_t n)
{
	for (const char *const *m = id->me; m && *m; m++) {
		bool login = str_starts(*m, "login:");
		const char *name = login ? login_shown(*m + 6) : *m;
		size_t len = login ? strlen(name) : strcspn(name, "@");

		if (len == n && !strncasecmp(name, word, n))
			return true;
	}
	return id->name && strlen(id->name) == n && !strncasecmp(id->name, word, n);
}

/* Not in a quotation, in the code of a line (`@ana`), nor within an address. */
static bool mentions(const struct identity *id, const char *body)
{
	const char *line = body;

	for (const char *p = body; p && (p = strchr(p, '@')); p++) {
		size_t n = 0;

		for (const char *nl; (nl = strchr(line, '\n')) && nl < p;)
			line = nl + 1;
		if (line[strspn(line, " ")] == '>' || (p > body && (is_word(p[-1]) || strchr("`/@", p[-1]))))
			continue;
		while (is_word(p[1 + n]))
			n++;
		while (n && strchr(".-", p[n]))
			n--;
		if (n && is_called(id, p + 1, n))
			return true;
	}
	return false;
}

/* In the posts behind my last one, which may have answered those before. */
static bool posts_mention(const struct boxed *t, const struct identity *id)
{
	for (size_t i = (size_t)t->n_posts; i-- > 0 && !identity_is(id, &t->posts[i].author);)
		if (t->posts[i].body && mentions(id, t->posts[i].body))
			return true;
	return false;
}

static int is_mentioned(struct index *ix, const struct boxed *t, const struct identity *id, struct err *e)
{
	sqlite3_stmt *st;
	int rc, found = 0;

	if (t->posts)
		return posts_mention(t, id);
	st = db_prep(&ix->db, "SELECT body FROM post WHERE thread=?1 AND n>(SELECT coalesce(max(n), -1) FROM post WHERE thread=?1 AND"
		" who=?2) AND instr(body, '@')");
	db_bind(st, "ii", t->thread, id->who);
	while (!found && (rc = db_step(&ix->db, st, e)) == 1)
		found = mentions(id, (const char *)sqlite3_column_text(st, 0));
	if (!found)
		return rc;
	db_reset(st);
	return 1;
}

/* Who is mentioned is asked, until he writes. */
static int add_mention(struct index *ix, const struct boxed *t, const struct identity *id, struct wait_facts *f, unsigned *roles,
    struct err *e)
{
	int rc;

	if (f->state != STATE_OPEN || f->audience == AUDIENCE_PRIVATE || f->last == id->who || index_waits(f, id->who, *roles) !=
	    WAITS_NONE)
		return 0;
	rc = is_mentioned(ix, t, id, e);
	if (rc == 1) {
		*roles |= ROLE_ASKED;
		f->n_asked++;
	}
	return rc < 0 ? -1 : 0;
}

/* What he has to do with the thread: zeros where it is nothing. */
static int part_of(struct index *ix, const struct boxed *t, int64_t who, struct part_row *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	*out = (struct part_row){ 0 };
	for (size_t i = 0; i < t->n_parts; i++)
		if (t->parts[i].who == who)
			*out = t->parts[i];
	if (t->posts)
		return 0;
	st = db_prep(&ix->db, "SELECT roles, n FROM part WHERE thread=?1 AND who=?2");
	db_bind(st, "ii", t->thread, who);
	rc = db_step(&ix->db, st, e);
	if (rc == 1) {
		out->roles = (unsigned)col_int(st, 0);
		out->n = col_int(st, 1);
		db_reset(st);
	}
	return rc < 0 ? -1 : 0;
}

int box_update(struct index *ix, const struct boxed *t, const struct identity *id, struct err *e)
{
	struct wait_facts facts = t->facts;
	struct part_row part;
	unsigned roles;
	int64_t mine, read = 0, before = 0;

	if (part_of(ix, t, id->who, &part, e))
		return -1;
	roles = part.roles;
	mine = part.n;
	for (size_t i = 0; i < t->n_asked; i++)
		if (identity_is(id, &t->asked[i]))
			roles |= ROLE_ASKED;
	if (add_mention(ix, t, id, &facts, &roles, e))
		return -1;
	if (t->n_posts > mine && db_get_int(&ix->db, e, &read, "SELECT n FROM readmark WHERE entity=?1 AND who=?2", "tt",
	    t->entity, id->me[0]) < 0)
		return -1;
	if (t->n_posts - mine > read && read_before(ix, t, id->who, &before, e))
		return -1;
	read = before > read ? before : read;
	read = t->n_posts - mine > read ? t->n_posts - mine - read : 0;
	return box_put(ix, t, id->who, index_waits(&facts, id->who, roles), read, e);
}

int box_drop(struct index *ix, int64_t thread, int64_t source, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT who, waits FROM box WHERE thread=?1");
	int rc;

	db_bind(st, "i", thread);
	while ((rc = db_step(&ix->db, st, e)) == 1)
		add_delta(ix, col_int(st, 0), source, (enum waits)col_int(st, 1), -1);
	return rc ? rc : db_exec(&ix->db, e, "DELETE FROM box WHERE thread=?1", "i", thread);
}

static void read_identity(struct arena *a, sqlite3_stmt *st, struct identity *out)
{
	const char **me, **list;
	size_t n;

	out->who = col_int(st, 0);
	out->name = col_text(a, st, 1);
	words_unpack(a, col_text(a, st, 2), &me, &n);
	list = arena_alloc(a, (n + 1) * sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[i] = me[i];
	out->me = list;
}

/* In memory for the whole write: every fold asks. */
int box_identities(struct index *ix, int64_t source, struct err *e)
{
	sqlite3_stmt *st;
	size_t n = 0, alloc = 0;
	struct identity *list = NULL;
	int rc;

	if (ix->identities_of == source)
		return 0;
	if (db_get_int(&ix->db, e, &ix->identities_since, "SELECT since FROM source WHERE id=?1", "i", source) < 0)
		return -1;
	st = db_prep(&ix->db, "SELECT i.who, i.name, i.me FROM repo_source s JOIN identity i ON i.repo=s.repo"
		" WHERE s.source=?1 GROUP BY i.who");
	db_bind(st, "i", source);
	while ((rc = db_step(&ix->db, st, e)) == 1) {
		list = array_grow(list, n, &alloc, sizeof(*list));
		read_identity(&ix->txn, st, &list[n++]);
	}
	ix->identities = n ? (struct identity *)arena_memdup(&ix->txn, list, n * sizeof(*list)) : NULL;
	ix->n_identities = n;
	ix->identities_of = source;
	free(list);
	return rc;
}

#define BOXED_COLS "t.id, t.source, t.entity, t.updated, t.n_posts, t.kind, t.state, t.audience, t.n_asked," \
	" t.n_people, t.last_who, t.asked"

static void read_boxed(struct arena *a, sqlite3_stmt *st, struct boxed *t)
{
	struct row r = { st, a, 0 };

	*t = (struct boxed){ 0 };
	t->thread = row_int(&r);
	t->source = row_int(&r);
	t->entity = row_text(&r);
	t->updated = row_int(&r);
	t->n_posts = row_int(&r);
	t->facts.kind = (enum thread_kind)row_int(&r);
	t->facts.state = (enum thread_state)row_int(&r);
	t->facts.audience = (enum audience)row_int(&r);
	t->facts.n_asked = (unsigned)row_int(&r);
	t->facts.n_people = (unsigned)row_int(&r);
	t->facts.last = row_int(&r);
	people_unpack(a, row_text(&r), &t->asked, &t->n_asked);
}

/* Every thread of a source again, for one identity. */
static int rebox(struct index *ix, int64_t source, const struct identity *id, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT " BOXED_COLS " FROM thread t WHERE t.source=?1 AND t.of IS NULL");
	struct arena a = ARENA_INIT;
	struct boxed t;
	int rc;

	db_bind(st, "i", source);
	while ((rc = db_step(&ix->db, st, e)) == 1) {
		arena_clear(&a);
		read_boxed(&a, st, &t);
		if (box_update(ix, &t, id, e)) {
			rc = -1;
			break;
		}
	}
	db_reset(st);
	arena_release(&a);
	return rc;
}

static int box_thread(struct index *ix, int64_t thread, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT " BOXED_COLS " FROM thread t WHERE t.id=?1");
	struct arena a = ARENA_INIT;
	struct boxed t;
	int rc;

	db_bind(st, "i", thread);
	rc = db_step(&ix->db, st, e);
	if (rc == 1) {
		read_boxed(&a, st, &t);
		db_reset(st);
		rc = box_identities(ix, t.source, e);
		for (size_t i = 0; !rc && i < ix->n_identities; i++)
			rc = box_update(ix, &t, &ix->identities[i], e);
	}
	arena_release(&a);
	return rc;
}

/* A clone of the same repository on this machine has the same threads: what was read there is read here. */
int index_read_put(struct index *ix, const char *entity, const char *who, int64_t upto, int64_t n, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_exec(&ix->db, e, "INSERT INTO readmark(entity, who, upto, n) VALUES(?1, ?2, ?3, ?4)"
	    " ON CONFLICT(entity, who) DO UPDATE SET upto=max(upto, excluded.upto), n=max(n, excluded.n)", "ttii", entity, who,
	    upto, n))
		return -1;
	st = db_prep(&ix->db, "SELECT id FROM thread WHERE hid=?1 AND entity=?2");
	db_bind(st, "it", hid_of(entity), entity);
	while ((rc = db_step(&ix->db, st, e)) == 1)
		if (box_thread(ix, col_int(st, 0), e)) {
			rc = -1;
			break;
		}
	db_reset(st);
	return rc;
}

int index_read_state(struct index *ix, const struct scope *s, int64_t thread, int64_t *upto, int64_t *others,
    int64_t *unread, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT (SELECT max(time) FROM post WHERE thread=t.id), t.n_posts-coalesce(p.n, 0),"
		" coalesce(b.unread, 0) FROM thread t LEFT JOIN part p ON p.thread=t.id AND p.who=?2 LEFT JOIN box b ON b.thread=t.id"
		" AND b.who=?2 WHERE t.id=?1");
	int rc;

	db_bind(st, "ii", thread, index_scope_who(ix, s));
	rc = db_step(&ix->db, st, e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "it is not in the index any more");
	if (rc < 0)
		return -1;
	*upto = col_int(st, 0);
	*others = col_int(st, 1);
	*unread = col_int(st, 2);
	db_reset(st);
	return 0;
}

int index_owner_put(struct index *ix, int64_t thread, const struct person *p, struct err *e)
{
	int64_t who;

	arena_clear(&ix->scratch);
	if (!index_person(ix, p, &who, e))
		return -1;
	if (db_exec(&ix->db, e, "UPDATE thread SET owner=?2 WHERE id=?1", "ii", thread, who) ||
	    db_exec(&ix->db, e, "INSERT INTO part(thread, who, roles, n) VALUES(?1, ?2, ?3, 0)"
	    " ON CONFLICT(thread, who) DO UPDATE SET roles=roles|excluded.roles", "iii", thread, who, (int64_t)ROLE_OWNER))
		return -1;
	return box_thread(ix, thread, e);
}

/* Threads and tasks where he is somebody are folded anew: who is who has changed. */
static int touch_parts(struct index *ix, int64_t who, struct err *e)
{
	return db_exec(&ix->db, e, "INSERT INTO dirty(source, entity) SELECT t.source, t.entity FROM part p JOIN thread t ON"
	       " t.id=p.thread WHERE p.who=?1 AND t.r_task IS NULL ON CONFLICT DO NOTHING", "i", who) ||
	       db_exec(&ix->db, e, "INSERT INTO record_dirty(source, task, thread, what) SELECT t.source, t.r_task, t.r_thread, 1"
	       " FROM part p JOIN thread t ON t.id=p.thread WHERE p.who=?1 AND t.r_task IS NOT NULL AND t.of IS NULL ON CONFLICT"
	       " DO NOTHING", "i", who) ? -1 : 0;
}

/* Tasks of those who are somebody else now, in one walk over all. */
#define TASKS_OF(who) "(k.author_who " who " OR k.id IN (SELECT task FROM assignee WHERE who " who "))"
#define TOUCH_TASKS(who) { \
	"INSERT INTO dirty(source, entity) SELECT source, entity FROM task k WHERE key IS NULL AND " TASKS_OF(who) \
	    " ON CONFLICT DO NOTHING", \
	"INSERT INTO record_dirty(source, task, thread, what) SELECT source, key, '', 0 FROM task k WHERE key IS NOT NULL AND " \
	    TASKS_OF(who) " ON CONFLICT DO NOTHING" }

static int touch_tasks(struct index *ix, const char *const sql[2], struct err *e)
{
	return db_exec(&ix->db, e, sql[0], "") || db_exec(&ix->db, e, sql[1], "") ? -1 : 0;
}

static int touch_united(struct index *ix, struct err *e)
{
	static const char *const sql[2] = TOUCH_TASKS("NOT IN (SELECT who FROM person)");
	bool any = ix->united;

	ix->united = false;
	return any ? touch_tasks(ix, sql, e) : 0;
}

/* All addresses of the one are the other's. An identity that is nobody's own any more is registered anew when it is used. */
static int unite(struct index *ix, int64_t who, int64_t other, struct err *e)
{
	index_forget_people(ix);
	ix->identities_of = 0;
	if (db_exec(&ix->db, e, "UPDATE who SET alias=?1 WHERE id=?2 OR alias=?2", "ii", who, other) ||
	    db_exec(&ix->db, e, "DELETE FROM identity WHERE who=?1", "i", other) ||
	    db_exec(&ix->db, e, "UPDATE person SET who=?1 WHERE who=?2", "ii", who, other))
		return -1;
	if (!db_changes(&ix->db)) /* most addresses of a .mailmap are nobody's here */
		return 0;
	ix->united = true;
	return touch_parts(ix, other, e);
}

static int join_address(struct index *ix, int64_t who, const char *address, struct err *e);

/* Whoever goes by a login that is somebody's is he, under whatever mail address his tracker shows him. */
static int join_login(struct index *ix, int64_t who, const char *login, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT email, login FROM person WHERE login=?1 COLLATE NOCASE AND email<>''");
	ARRAY(const char *) keys = ARRAY_INIT;
	int rc;

	db_bind(st, "t", login);
	while ((rc = db_step(&ix->db, st, e)) == 1)
		*array_add(&keys) = who_key(&ix->txn, &(struct person){ .email = (char *)(uintptr_t)sqlite3_column_text(st, 0),
			.login = (char *)(uintptr_t)sqlite3_column_text(st, 1) });
	for (size_t i = 0; !rc && i < keys.len; i++)
		rc = join_address(ix, who, keys.items[i], e);
	array_release(&keys);
	return rc;
}

/*
 * One more address of somebody: whatever was written under it is his from now on. That it was joined is kept with the
 * first one, too, as an alias of itself: index_person asks.
 */
static int join_address(struct index *ix, int64_t who, const char *address, struct err *e)
{
	int64_t root = index_who(ix, address, true), own;

	if (!root || db_get_int(&ix->db, e, &own, "SELECT id FROM who WHERE key=?1", "t", address) != 1)
		return db_fail(&ix->db, e);
	if (db_exec(&ix->db, e, "UPDATE who SET alias=?2 WHERE id=?1 AND alias IS NOT ?2", "ii", own, who))
		return -1;
	if (db_changes(&ix->db) == 0)
		return 0;
	index_forget_people(ix);
	if (root != who && unite(ix, who, root, e))
		return -1;
	return str_starts(address, "login:") ? join_login(ix, who, address + 6, e) : 0;
}

static bool is_identity(struct index *ix, int64_t who)
{
	struct err unused = ERR_INIT;
	int64_t one = 0;

	db_get_int(&ix->db, &unused, &one, "SELECT 1 FROM identity WHERE who=?1 LIMIT 1", "i", who);
	return one;
}

int index_same_person(struct index *ix, const char *key, const char *other, struct err *e)
{
	int64_t who = index_who(ix, key, true), his = index_who(ix, other, true);

	if (!who || !his)
		return db_fail(&ix->db, e);
	if (is_identity(ix, his) && !is_identity(ix, who))
		who = his;
	return join_address(ix, who, key, e) || join_address(ix, who, other, e) ? -1 : 0;
}

/* Back to what each goes by himself. */
static int own_person(struct index *ix, int64_t person, const struct person *p, struct err *e)
{
	const char *key = who_key(&ix->scratch, p);

	return db_exec(&ix->db, e, "INSERT INTO who(key) VALUES(?1) ON CONFLICT DO NOTHING", "t", key) ||
	       db_exec(&ix->db, e, "UPDATE person SET who=(SELECT id FROM who WHERE key=?1) WHERE id=?2", "ti", key, person) ? -1 : 0;
}

int index_part_people(struct index *ix, struct err *e)
{
	static const char *const tasks[2] = TOUCH_TASKS("IN (SELECT alias FROM who)");
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT id, email, login, name FROM person WHERE who IN (SELECT alias FROM who)");
	struct alone { int64_t id; struct person p; };
	ARRAY(struct alone) all = ARRAY_INIT;
	ARRAY(int64_t) roots = ARRAY_INIT;
	int rc;

	index_forget_people(ix);
	ix->identities_of = 0;
	while ((rc = db_step(&ix->db, st, e)) == 1)
		*array_add(&all) = (struct alone){ col_int(st, 0), { .email = col_text(&ix->txn, st, 1),
			.login = col_text(&ix->txn, st, 2), .name = col_text(&ix->txn, st, 3) } };
	st = rc ? NULL : db_prep(&ix->db, "SELECT DISTINCT alias FROM who WHERE alias IN (SELECT who FROM person)");
	while (st && (rc = db_step(&ix->db, st, e)) == 1)
		*array_add(&roots) = col_int(st, 0);
	for (size_t i = 0; !rc && i < roots.len; i++)
		rc = touch_parts(ix, roots.items[i], e);
	rc = rc ? rc : touch_tasks(ix, tasks, e);
	for (size_t i = 0; !rc && i < all.len; i++)
		rc = own_person(ix, all.items[i].id, &all.items[i].p, e);
	array_release(&roots);
	array_release(&all);
	return rc || db_exec(&ix->db, e, "UPDATE who SET alias=NULL WHERE alias IS NOT NULL", "") ||
	       db_exec(&ix->db, e, "DELETE FROM identity", "") ||
	       db_exec(&ix->db, e, "DELETE FROM counter WHERE name LIKE 'people %'", "") ? -1 : 0;
}

int64_t index_people_signature(struct index *ix, int64_t repo)
{
	struct err unused = ERR_INIT;
	int64_t v;

	db_get_int(&ix->db, &unused, &v, "SELECT value FROM counter WHERE name='people '||?1", "i", repo);
	return v;
}

int index_people_sign(struct index *ix, int64_t repo, int64_t signature, struct err *e)
{
	return db_exec(&ix->db, e, "INSERT OR REPLACE INTO counter(name, value) VALUES('people '||?1, ?2)", "ii", repo, signature) ||
	       touch_united(ix, e) ? -1 : 0;
}

int index_identity(struct index *ix, int64_t repo, const char *name, const char *const *me, struct err *e)
{
	int64_t *sources;
	struct identity id = { .name = name, .me = me };
	const char *packed;
	size_t n = 0;

	if (!me || !me[0])
		return 0;
	while (me[n])
		n++;
	id.who = index_who(ix, me[0], true);
	if (!id.who)
		return db_fail(&ix->db, e);
	for (size_t i = 0; i < n; i++)
		if (join_address(ix, id.who, me[i], e))
			return -1;
	if (touch_united(ix, e))
		return -1;
	packed = words_pack(&ix->txn, me, n);
	if (db_exec(&ix->db, e, "INSERT INTO identity(repo, who, name, me) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(who, repo)"
	    " DO UPDATE SET name=excluded.name, me=excluded.me WHERE me<>excluded.me OR name IS NOT excluded.name", "iitt", repo,
	    id.who, name, packed))
		return -1;
	if (db_changes(&ix->db) == 0)
		return 0;
	ix->identities_of = 0;
	n = index_sources(ix, repo, &ix->txn, &sources);
	for (size_t i = 0; i < n; i++)
		if (rebox(ix, sources[i], &id, e))
			return -1;
	return 0;
}

bool index_identity_known(struct index *ix, int64_t repo, const char *name, const char *const *me)
{
	struct err e = ERR_INIT;
	struct arena a = ARENA_INIT;
	size_t n = 0;
	int64_t one = 0;

	while (me && me[n])
		n++;
	if (n)
		db_get_int(&ix->db, &e, &one, "SELECT 1 FROM who w CROSS JOIN identity i ON i.who=coalesce(w.alias, w.id) WHERE i.repo=?1 AND w.key=?2"
			   " AND i.me=?3 AND i.name IS ?4", "ittt", repo, me[0], words_pack(&a, me, n), name);
	arena_release(&a);
	return one || n == 0;
}
