/* SPDX-License-Identifier: MIT */
/*
 * A query to SQL. Each term is a condition on thread t (or task k); what needs another table is a subquery, so that terms
 * combine freely. Values from the query are bound, never pasted; full-text words are quoted, since FTS5's MATCH is a
 * language of its own (trust.md 20). Names of people are looked up first: a list of small numbers then.
 *
 * Conditions may be NULL in SQL's sense (a thread without a commit); NOT takes that as false.
 */
#include "config.h"
#include <string.h>
#include "index-private.h"

void clause_init(struct clause *c, struct index *ix, const struct scope *s, bool task, struct arena *a)
{
	static const struct scope everywhere;
	struct err e = ERR_INIT;
	int64_t known = 0;

	*c = (struct clause){ .ix = ix, .s = s ? s : &everywhere, .task = task, .a = a, .sql = BUF_INIT, .match = BUF_INIT };
	c->who = index_scope_who(ix, s);
	if (c->who)
		db_get_int(&ix->db, &e, &known, "SELECT 1 FROM identity WHERE who=?1", "i", c->who);
	c->boxed = known != 0;
}

void clause_release(struct clause *c)
{
	buf_release(&c->sql);
	buf_release(&c->match);
	array_release(&c->values);
}

void clause_again(struct clause *c, bool probe)
{
	buf_reset(&c->sql);
	buf_reset(&c->match);
	c->values.len = 0;
	c->probe = probe;
}

int clause_int(struct clause *c, int64_t v)
{
	struct clause_value *x = array_add(&c->values);

	*x = (struct clause_value){ .type = 'i', .i = v };
	return (int)c->values.len;
}

int clause_text(struct clause *c, const char *s)
{
	struct clause_value *x = array_add(&c->values);

	*x = (struct clause_value){ .type = 't', .s = s };
	return (int)c->values.len;
}

void clause_bind(const struct clause *c, sqlite3_stmt *st)
{
	int max = st ? sqlite3_bind_parameter_count(st) : 0;

	for (int i = 0; i < max && i < (int)c->values.len; i++) {
		const struct clause_value *v = &c->values.items[i];
		if (v->type == 'i')
			sqlite3_bind_int64(st, i + 1, v->i);
		else
			sqlite3_bind_text(st, i + 1, v->s, -1, SQLITE_STATIC);
	}
}

void clause_sources(struct clause *c, struct buf *b)
{
	if (c->s->repo)
		buf_addf(b, "(SELECT source FROM repo_source WHERE repo=?%d)", clause_int(c, c->s->repo));
	else
		buf_addstr(b, "(SELECT id FROM source)");
}

/* ---- people ---- */

/* "(?3,?4)": the people a name may mean, or "(NULL)" for nobody. */
static void add_people(struct clause *c, const char *name, struct buf *out)
{
	sqlite3_stmt *st = db_prep(&c->ix->db, "SELECT DISTINCT who FROM person WHERE email=?1 COLLATE NOCASE OR login=?1"
		" COLLATE NOCASE OR name=?1 COLLATE NOCASE OR email LIKE ?2 ESCAPE '\\' OR (' '||name||' ') LIKE ?3 ESCAPE '\\'"
		" OR login LIKE ?4 ESCAPE '\\' LIMIT 100");
	struct buf plain = BUF_INIT, local = BUF_INIT, word = BUF_INIT, login = BUF_INIT;
	struct err e = ERR_INIT;
	size_t n = 0;

	buf_addch(out, '(');
	if (!strcmp(name, "me")) {
		buf_addf(out, "?%d)", clause_int(c, c->who));
		return;
	}
	for (const char *p = name + (*name == '@'); *p; p++)
		buf_addf(&plain, "%s%c", strchr("%_\\", *p) ? "\\" : "", *p);
	buf_addf(&local, "%s@%%", plain.ptr);
	buf_addf(&word, "%% %s %%", plain.ptr);
	buf_addf(&login, "%%/%s", plain.ptr);
	db_bind(st, "tttt", name + (*name == '@'), local.ptr, word.ptr, login.ptr);
	while (db_step(&c->ix->db, st, &e) == 1)
		buf_addf(out, "%s?%d", n++ ? "," : "", clause_int(c, col_int(st, 0)));
	db_reset(st);
	buf_addstr(out, n ? ")" : "NULL)");
	buf_release(&plain);
	buf_release(&local);
	buf_release(&word);
	buf_release(&login);
}

static void by_sql(struct clause *c, const char *name)
{
	buf_addf(&c->sql, "%s.author_who IN ", c->task ? "k" : "t");
	add_people(c, name, &c->sql);
}

static void with_sql(struct clause *c, const char *name)
{
	if (c->task) {
		by_sql(c, name);
		buf_addstr(&c->sql, " OR k.id IN (SELECT task FROM assignee WHERE who IN ");
	} else {
		buf_addstr(&c->sql, "t.id IN (SELECT thread FROM part WHERE who IN ");
	}
	add_people(c, name, &c->sql);
	buf_addch(&c->sql, ')');
}

static void assignee_sql(struct clause *c, const char *name)
{
	buf_addstr(&c->sql, c->task ? "k.id IN (SELECT task FROM assignee WHERE who IN " :
				      "t.id IN (SELECT thread FROM part WHERE roles&1 AND who IN ");
	add_people(c, name, &c->sql);
	buf_addch(&c->sql, ')');
}

/* The rule of index.h for anybody, by his part in the thread; who uses this index has it worked out in `box`. */
static void waits_sql(struct clause *c, const char *name, bool others)
{
	struct buf who = BUF_INIT;

	add_people(c, name, &who);
	buf_addf(&c->sql, "t.state=0 AND t.audience=0 AND (t.kind IN (0,1) OR t.n_asked>0 OR t.n_people>1) AND t.last_who %s %s",
		 others ? "IN" : "NOT IN", who.ptr);
	if (!others)
		buf_addf(&c->sql, " AND EXISTS (SELECT 1 FROM part x WHERE x.thread=t.id AND x.who IN %s AND"
			 " (x.roles&3 OR (t.n_asked=0 AND x.roles&12)))", who.ptr);
	buf_release(&who);
}

static void box_sql(struct clause *c, const char *what)
{
	buf_addf(&c->sql, "EXISTS (SELECT 1 FROM box x WHERE x.thread=t.id AND x.who=?%d AND x.%s)", clause_int(c, c->who),
		 what);
}

static void waiting_sql(struct clause *c, const char *name)
{
	bool others = !strcmp(name, "others"), me = others || !strcmp(name, "me");

	if (c->task || (me && !c->who))
		buf_addstr(&c->sql, "0");
	else if (me && c->boxed)
		box_sql(c, others ? "waits=2" : "waits=1");
	else
		waits_sql(c, others ? "me" : name, others);
}

/* ---- is, kind, place ---- */

static void unread_sql(struct clause *c)
{
	if (c->task || !c->boxed)
		buf_addstr(&c->sql, "0");
	else
		box_sql(c, "unread>0");
}

static void place_state_sql(struct clause *c, enum place_state state)
{
	if (c->task)
		buf_addstr(&c->sql, "0");
	else if (state == PLACE_UNKNOWN)
		buf_addf(&c->sql, "t.path IS NOT NULL AND NOT EXISTS (SELECT 1 FROM place x WHERE x.thread=t.id AND x.view=?%d AND"
			 " x.state<>0)", clause_int(c, c->s->view));
	else
		buf_addf(&c->sql, "t.id IN (SELECT thread FROM place WHERE view=?%d AND state=%d)", clause_int(c, c->s->view),
			 (int)state);
}

static void mine_sql(struct clause *c)
{
	int who = clause_int(c, c->who);

	if (c->task)
		buf_addf(&c->sql, "k.author_who=?%d OR k.id IN (SELECT task FROM assignee WHERE who=?%d)", who, who);
	else
		buf_addf(&c->sql, "t.author_who=?%d", who);
}

static int is_sql(struct clause *c, const struct query *q, struct err *e)
{
	static const struct { const char *word, *thread, *task; } fixed[] = {
		{ "open", "t.state=0", "k.state=0" }, { "answered", "t.state=1", "0" },
		{ "resolved", "t.state=2", "k.state<>0" }, { "closed", "t.state=2", "k.state=1" },
		{ "merged", "0", "k.state=2" }, { "private", "t.audience=1", "0" }, { "draft", "0", "0" },
		{ "task", "0", "k.change=0" }, { "change", "0", "k.change=1" }, { "thread", "1", "0" },
	};
	static const struct { const char *word; enum place_state state; } places[] = {
		{ "gone", PLACE_GONE }, { "moved", PLACE_MOVED }, { "edited", PLACE_EDITED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (strcmp(fixed[i].word, q->value))
			continue;
		buf_addstr(&c->sql, c->task ? fixed[i].task : fixed[i].thread);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (strcmp(places[i].word, q->value))
			continue;
		place_state_sql(c, places[i].state);
		return 0;
	}
	if (!strcmp(q->value, "unread"))
		unread_sql(c);
	else if (!strcmp(q->value, "mine"))
		mine_sql(c);
	else
		return err_set(e, ERR_USAGE, "is:%s is unknown", q->value);
	return 0;
}

static int kind_sql(struct clause *c, const struct query *q, struct err *e)
{
	enum thread_kind kind;

	if (!thread_kind_parse(q->value, &kind))
		return err_set(e, ERR_USAGE, "kind:%s is unknown", q->value);
	if (c->task)
		buf_addstr(&c->sql, "0");
	else
		buf_addf(&c->sql, "t.kind=%d", (int)kind);
	return 0;
}

static int place_sql(struct clause *c, const struct query *q, struct err *e)
{
	for (enum place_state s = PLACE_UNKNOWN; s <= PLACE_GONE; s++) {
		if (strcmp(place_state_name(s), q->value))
			continue;
		place_state_sql(c, s);
		return 0;
	}
	return err_set(e, ERR_USAGE, "place:%s is unknown", q->value);
}

/* ---- on ---- */

/*
 * Threads listed under a path that fits: cond_at says it of place x, each of cond_path of thread y, whose place is not known
 * yet; there are none of those where the view is whole.
 */
static void on_paths_sql(struct clause *c, const char *cond_at, const char *const *cond_path)
{
	int view = clause_int(c, c->s->view);
	struct buf sources = BUF_INIT;

	clause_sources(c, &sources);
	buf_addf(&c->sql, "t.id IN (WITH c(id) AS (SELECT x.thread FROM place x WHERE x.view=?%d AND %s", view, cond_at);
	for (; *cond_path && !index_view_is_whole(c->ix, c->s); cond_path++)
		buf_addf(&c->sql, " UNION ALL SELECT y.id FROM thread y WHERE y.source IN %s AND %s AND NOT EXISTS (SELECT 1 FROM place z"
			 " WHERE z.thread=y.id AND z.view=?%d)", sources.ptr, *cond_path, view);
	buf_addstr(&c->sql, ") SELECT id FROM c UNION ALL SELECT q.of FROM c CROSS JOIN thread q ON q.id=c.id WHERE q.of IS NOT NULL)");
	buf_release(&sources);
}

static void on_glob(struct clause *c, const char *glob)
{
	struct buf pattern = BUF_INIT, at = BUF_INIT, path = BUF_INIT;
	int n;

	for (const char *p = glob; *p; p++)
		buf_addstr(&pattern, *p == '[' ? "[[]" : (char[]){ *p, '\0' });
	n = clause_text(c, arena_strdup(c->a, pattern.ptr));
	buf_addf(&at, "x.at GLOB ?%d", n);
	buf_addf(&path, "y.path GLOB ?%d", n);
	on_paths_sql(c, at.ptr, (const char *const[]){ path.ptr, NULL });
	buf_release(&pattern);
	buf_release(&at);
	buf_release(&path);
}

/* The path itself, and what is below it. */
static void on_path(struct clause *c, const char *value)
{
	struct buf at = BUF_INIT, path = BUF_INIT, below = BUF_INIT;
	size_t len = strlen(value);
	int is, from, to;

	while (len > 1 && value[len - 1] == '/')
		len--;
	value = arena_memdup(c->a, value, len);
	is = clause_text(c, value);
	from = clause_text(c, arena_printf(c->a, "%s/", value));
	to = clause_text(c, arena_printf(c->a, "%s0", value)); /* '0' is the byte after '/' */
	buf_addf(&at, "(x.at=?%d OR (x.at>?%d AND x.at<?%d))", is, from, to);
	buf_addf(&path, "y.path=?%d", is);
	buf_addf(&below, "y.path>?%d AND y.path<?%d", from, to);
	on_paths_sql(c, at.ptr, (const char *const[]){ path.ptr, below.ptr, NULL });
	buf_release(&at);
	buf_release(&path);
	buf_release(&below);
}

/* Lines that overlap, where they are now. */
static void on_lines(struct clause *c, const struct anchor *an)
{
	struct buf at = BUF_INIT, path = BUF_INIT;
	int is = clause_text(c, an->path), from = clause_int(c, an->line), to = clause_int(c, an->end ? an->end : an->line);

	buf_addf(&at, "x.at=?%d AND x.at_line<=?%d AND max(x.at_end, x.at_line)>=?%d AND x.at_line>0", is, to, from);
	buf_addf(&path, "y.path=?%d AND y.line<=?%d AND max(y.end, y.line)>=?%d AND y.line>0", is, to, from);
	on_paths_sql(c, at.ptr, (const char *const[]){ path.ptr, NULL });
	buf_release(&at);
	buf_release(&path);
}

static void task_names_sql(struct clause *c, const char *column, const char *name);
static void task_sql(struct clause *c, const char *value);

/* Written at a commit, or at what became it by an amend or a rebase; hex: its id or the beginning of it. */
static void written_sql(struct clause *c, const char *hex)
{
	int from = clause_text(c, hex), to = clause_text(c, arena_printf(c->a, "%sg", hex));

	buf_addf(&c->sql, "((t.sha>=?%d AND t.sha<?%d) OR t.sha IN (WITH RECURSIVE"
		 " r(sha) AS (SELECT new FROM rewrite WHERE new>=?%d AND new<?%d UNION SELECT w.old FROM r JOIN rewrite w ON"
		 " w.new=r.sha) SELECT sha FROM r))", from, to, from, to);
}

static void on_anchor(struct clause *c, const struct anchor *an)
{
	switch (an->type) {
	case ANCHOR_PROJECT:
		buf_addf(&c->sql, "t.type=%d", (int)ANCHOR_PROJECT);
		break;
	case ANCHOR_TASK:
		task_names_sql(c, "t.task", an->task);
		break;
	case ANCHOR_CHANGE:
		task_sql(c, an->task);
		break;
	case ANCHOR_COMMIT:
		written_sql(c, an->commit);
		break;
	case ANCHOR_LINES:
		on_lines(c, an);
		break;
	case ANCHOR_SECTION:
		buf_addf(&c->sql, "(t.section=?%d OR t.section GLOB ?%d) AND ", clause_text(c, an->section),
			 clause_text(c, arena_printf(c->a, "%s/*", an->section)));
		on_path(c, an->path);
		break;
	case ANCHOR_FILE:
		on_path(c, an->path);
		break;
	}
}

static int on_sql(struct clause *c, const struct query *q, struct err *e)
{
	const char *v = q->value;
	struct anchor an;
	struct err unused = ERR_INIT;

	(void)e;
	if (c->task) {
		buf_addstr(&c->sql, "0");
	} else if (strpbrk(v, "*?")) {
		on_glob(c, v);
	} else {
		/* Names win: whatever is listed under this very path counts, also when it reads as something else. */
		on_path(c, v);
		if (!anchor_parse(c->a, v, NULL, &an, &unused) && (an.type != ANCHOR_FILE || strcmp(an.path, v))) {
			buf_addstr(&c->sql, " OR (");
			on_anchor(c, &an);
			buf_addch(&c->sql, ')');
		}
	}
	return 0;
}

/* ---- names and ids ---- */

static void source_sql(struct clause *c, const char *name)
{
	int n = clause_text(c, name);

	buf_addf(&c->sql, "%s.source IN (SELECT id FROM source WHERE kind=?%d COLLATE NOCASE OR name=?%d COLLATE NOCASE)",
		 c->task ? "k" : "t", n, n);
}

/* "58" of "!58" or "#58": what the sources of the scope call it. */
static void numbered_sql(struct clause *c, const char *column, const char *name)
{
	struct buf sources = BUF_INIT;
	uint64_t n;

	if (!str_to_u64(name, UINT32_MAX, &n) || !n)
		return;
	clause_sources(c, &sources);
	buf_addf(&c->sql, " OR %s IN (SELECT ltrim(name, '!#') FROM task WHERE num=?%d AND source IN %s)", column,
		 clause_int(c, (int64_t)n), sources.ptr);
	buf_release(&sources);
}

/* A native task's name may be written with fewer or more digits than it is shown with: "T-" and at least six. */
static void task_names_sql(struct clause *c, const char *column, const char *name)
{
	size_t len = strlen(name);
	bool native = str_starts(name, "T-") && len >= 8 && str_is_hex(name + 2, len - 2);

	buf_addf(&c->sql, "%s=?%d", column, clause_text(c, name));
	if (!native) {
		numbered_sql(c, column, name);
		return;
	}
	buf_addf(&c->sql, " OR (%s>?%d AND %s<?%d)", column, clause_text(c, name), column,
		 clause_text(c, arena_printf(c->a, "%sg", name)));
	for (size_t n = 8; n < len; n++)
		buf_addf(&c->sql, " OR %s=?%d", column, clause_text(c, arena_memdup(c->a, name, n)));
}

static void task_sql(struct clause *c, const char *value)
{
	const char *name = value + strspn(value, "!#");
	uint64_t number;
	int64_t lo, hi;

	if (!c->task) {
		buf_addstr(&c->sql, "t.id IN (SELECT x.id FROM thread x WHERE x.of IS NULL AND (");
		task_names_sql(c, "x.task", name);
		buf_addstr(&c->sql, ") UNION ALL SELECT y.thread FROM link y WHERE ");
		task_names_sql(c, "y.name", name);
		buf_addstr(&c->sql, ")");
	} else if (str_starts(name, "T-") && name[2] && str_is_hex(name + 2, strlen(name + 2))) {
		hid_range(name + 2, strlen(name + 2), &lo, &hi);
		buf_addf(&c->sql, "k.name IS NULL AND k.hid BETWEEN ?%d AND ?%d", clause_int(c, lo), clause_int(c, hi));
	} else {
		buf_addf(&c->sql, "k.name IN (?%d, ?%d, ?%d)", clause_text(c, name), clause_text(c, arena_printf(c->a, "!%s", name)),
			 clause_text(c, arena_printf(c->a, "#%s", name)));
		if (str_to_u64(name, UINT32_MAX, &number))
			buf_addf(&c->sql, " OR k.num=?%d", clause_int(c, (int64_t)number));
	}
}

static void label_sql(struct clause *c, const char *name)
{
	buf_addf(&c->sql, c->task ? "k.id IN (SELECT task FROM label WHERE name=?%d AND thread=0)" :
				    "t.id IN (SELECT thread FROM label WHERE name=?%d AND task=0)", clause_text(c, name));
}

/* Of a thread it is its task's. */
static void milestone_sql(struct clause *c, const char *name)
{
	buf_addf(&c->sql, c->task ? "k.milestone=?%d" : "t.task IN (SELECT ltrim(x.name, '!#') FROM task x WHERE x.milestone=?%d)",
		 clause_text(c, name));
}

static const char *lower_hex(struct arena *a, const char *s)
{
	char *out = arena_strdup(a, s);

	for (char *p = out; *p; p++)
		if (*p >= 'A' && *p <= 'F')
			*p = (char)(*p + ('a' - 'A'));
	return str_is_hex(out, strlen(out)) && *out ? out : NULL;
}

static int commit_sql(struct clause *c, const struct query *q, struct err *e)
{
	const char *hex = lower_hex(c->a, q->value);
	int from, to;

	if (!hex || strlen(hex) < 4 || strlen(hex) >= GIT_OID_HEX)
		return err_set(e, ERR_USAGE, "commit:%s is no commit id: 4 to 40 hex digits are wanted", q->value);
	if (c->task) {
		buf_addstr(&c->sql, "0");
		return 0;
	}
	from = clause_text(c, hex);
	to = clause_text(c, arena_printf(c->a, "%sg", hex));
	buf_addf(&c->sql, "(t.resolved_by>=?%d AND t.resolved_by<?%d) OR ", from, to);
	written_sql(c, hex);
	return 0;
}

static int id_sql(struct clause *c, const struct query *q, struct err *e)
{
	const char *v = q->value, *hex;
	bool post = *v == 'p' || *v == 'P', task = str_starts(v, "T-");
	int64_t lo, hi;

	hex = lower_hex(c->a, task ? v + 2 : v + (post || *v == 'k' || *v == 'K'));
	if (!hex || strlen(hex) >= SHA256_HEX)
		return err_set(e, ERR_USAGE, "id:%s is no id: a letter and hex digits are wanted, as k3f9c2", v);
	hid_range(hex, strlen(hex), &lo, &hi);
	if (c->task)
		buf_addf(&c->sql, "k.hid BETWEEN ?%d AND ?%d", clause_int(c, lo), clause_int(c, hi));
	else if (post)
		buf_addf(&c->sql, "t.id IN (SELECT thread FROM post WHERE hid BETWEEN ?%d AND ?%d)", clause_int(c, lo),
			 clause_int(c, hi));
	else
		buf_addf(&c->sql, "t.hid BETWEEN ?%d AND ?%d", clause_int(c, lo), clause_int(c, hi));
	return 0;
}

static void time_sql(struct clause *c, const struct query *q, const char *column)
{
	static const char *const ops[] = { [QC_LT] = "<", [QC_LE] = "<=", [QC_GT] = ">", [QC_GE] = ">=" };
	const char *t = c->task ? "k" : "t";
	int from = clause_int(c, q->time);

	if (q->cmp == QC_EQ)
		buf_addf(&c->sql, "%s.%s>=?%d AND %s.%s<?%d", t, column, from, t, column, clause_int(c, q->time_end));
	else
		buf_addf(&c->sql, "%s.%s%s?%d", t, column, ops[q->cmp], from);
}

/* ---- words ---- */

enum { NEWEST = 1000 };

/* Is there anything that the tokenizer keeps? */
static bool has_token(const char *s)
{
	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;
		if (ch >= 0x80 || (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z'))
			return true;
	}
	return false;
}

/* "word"* for word*, else the words as one quoted phrase. */
static const char *fts_phrase(struct arena *a, const struct query *q)
{
	size_t len = strlen(q->value);
	bool prefix = !q->phrase && len > 1 && q->value[len - 1] == '*';
	struct buf b = BUF_INIT;
	const char *out;

	buf_addch(&b, '"');
	for (size_t i = 0; i < len - prefix; i++) {
		if (q->value[i] == '"')
			buf_addch(&b, '"');
		buf_addch(&b, q->value[i]);
	}
	buf_addstr(&b, prefix ? "\"*" : "\"");
	out = arena_strdup(a, b.ptr);
	buf_release(&b);
	return out;
}

/*
 * Of a few threads, whether one has the phrase: most of those that do have it among its newest matches. To ask of one post
 * alone takes as long as to list a hundred of these.
 */
static void probe_sql(struct clause *c, const char *phrase)
{
	int n = clause_text(c, phrase);

	buf_addf(&c->sql, "t.id IN (SELECT o.thread FROM (SELECT rowid AS i FROM fts WHERE fts MATCH ?%d ORDER BY rowid DESC LIMIT %d) x"
		 " CROSS JOIN post o ON o.id=x.i) OR EXISTS (SELECT 1 FROM post o CROSS JOIN fts ON fts.rowid=o.id WHERE o.thread=t.id AND"
		 " fts MATCH ?%d)", n, NEWEST, n);
}

static void text_sql(struct clause *c, const struct query *q)
{
	const char *of = c->task ? "task" : "thread";
	const char *phrase;

	if (!has_token(q->value)) {
		int n = clause_text(c, q->value);
		buf_addf(&c->sql, "%s.id IN (SELECT o.%s FROM post o WHERE instr(o.body, ?%d)>0 OR instr(o.title, ?%d)>0)",
			 c->task ? "k" : "t", of, n, n);
		return;
	}
	phrase = fts_phrase(c->a, q);
	if (c->probe)
		probe_sql(c, phrase);
	else
		buf_addf(&c->sql, "%s.id IN (SELECT o.%s FROM fts CROSS JOIN post o ON o.id=fts.rowid WHERE fts MATCH ?%d)",
			 c->task ? "k" : "t", of, clause_text(c, phrase));
	if (!c->negated)
		buf_addf(&c->match, "%s%s", c->match.len ? " OR " : "", phrase);
}

/* ---- the tree ---- */

static int term_sql(struct clause *c, const struct query *q, struct err *e)
{
	static int (*const checked[])(struct clause *, const struct query *, struct err *) = {
		[QK_IS] = is_sql, [QK_KIND] = kind_sql, [QK_ON] = on_sql, [QK_COMMIT] = commit_sql, [QK_ID] = id_sql,
		[QK_PLACE] = place_sql,
	};
	static void (*const plain[])(struct clause *, const char *) = {
		[QK_BY] = by_sql, [QK_AUTHOR] = by_sql, [QK_WITH] = with_sql, [QK_WAITING] = waiting_sql,
		[QK_SOURCE] = source_sql, [QK_TASK] = task_sql, [QK_LABEL] = label_sql, [QK_ASSIGNEE] = assignee_sql,
		[QK_MILESTONE] = milestone_sql,
	};
	size_t k = (size_t)q->key;

	if (q->key == QK_CREATED || q->key == QK_UPDATED) {
		time_sql(c, q, q->key == QK_CREATED ? "created" : "updated");
		return 0;
	}
	if (k < ARRAY_SIZE(checked) && checked[k])
		return checked[k](c, q, e);
	if (k >= ARRAY_SIZE(plain) || !plain[k])
		BUG("a query key without SQL: %d", (int)q->key);
	plain[k](c, q->value);
	return 0;
}

static int tree_sql(struct clause *c, const struct query *q, struct err *e)
{
	buf_addch(&c->sql, '(');
	switch (q->op) {
	case Q_ALL:
		buf_addch(&c->sql, '1');
		break;
	case Q_TERM:
		if (term_sql(c, q, e))
			return -1;
		break;
	case Q_TEXT:
		text_sql(c, q);
		break;
	case Q_NOT:
		c->negated = !c->negated;
		buf_addstr(&c->sql, "NOT coalesce(");
		if (tree_sql(c, q->left, e))
			return -1;
		buf_addstr(&c->sql, ",0)");
		c->negated = !c->negated;
		break;
	case Q_AND:
	case Q_OR:
		if (tree_sql(c, q->left, e))
			return -1;
		buf_addstr(&c->sql, q->op == Q_AND ? " AND " : " OR ");
		if (tree_sql(c, q->right, e))
			return -1;
		break;
	}
	buf_addch(&c->sql, ')');
	return 0;
}

int clause_query(struct clause *c, const struct query *q, struct err *e)
{
	static const struct query all = { .op = Q_ALL };

	return tree_sql(c, q ? q : &all, e);
}
