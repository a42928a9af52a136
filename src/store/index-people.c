/* SPDX-License-Identifier: MIT */
/*
 * Ids as numbers; people; who waits for whom.
 *
 * Whoever shares a mail address is one person (`who`), whatever names he wrote under; a second address of somebody who
 * uses this index is made an alias of his first. For each such user every thread that waits for him, waits for others
 * because of him, or has posts he did not read has a row in `box`, kept by the fold: the inbox is then a range of an
 * index. What is unread is counted: posts by others, less those that were there when he last read. Times are not used,
 * because a post that was written offline arrives with an old one.
 */
#include "config.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "index-private.h"

#define FLIP (UINT64_C(1) << 63)

static unsigned digit_of(char c)
{
	return c >= 'a' ? (unsigned)(c - 'a') + 10 : (unsigned)(c - '0');
}

static uint64_t first64(const char *hex, size_t digits)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 16; i++)
		v = v << 4 | (i < digits ? digit_of(hex[i]) : 0);
	return v;
}

int64_t hid_of(const char *hex)
{
	return (int64_t)(first64(hex, 16) ^ FLIP);
}

void hid_range(const char *hex, size_t digits, int64_t *lo, int64_t *hi)
{
	uint64_t v = first64(hex, digits), rest = digits < 16 ? UINT64_MAX >> 4 * digits : 0;

	*lo = (int64_t)(v ^ FLIP);
	*hi = (int64_t)((v | rest) ^ FLIP);
}

static unsigned common_digits(int64_t a, int64_t b)
{
	uint64_t x = (uint64_t)a ^ (uint64_t)b;

	return x ? (unsigned)__builtin_clzll(x) / 4 : 16;
}

unsigned hid_digits(int64_t hid, const int64_t *before, const int64_t *after, unsigned min)
{
	unsigned n = min;

	for (const int64_t *const *o = (const int64_t *const[]){ before, after }, *const *end = o + 2; o < end; o++) {
		unsigned need = *o ? common_digits(hid, **o) + 1 : 0;
		n = need > n ? need : n;
	}
	return n;
}

void hid_hex(char out[17], int64_t hid)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t v = (uint64_t)hid ^ FLIP;

	for (int i = 0; i < 16; i++)
		out[i] = digits[v >> (60 - 4 * i) & 15];
	out[16] = '\0';
}

static void lower_ascii(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s + ('a' - 'A'));
}

/* GitHub's and its like's address for who hides his own: "1234+ana@users.noreply.github.com" (rest-apis.md 2.1). */
static const char *noreply_login(struct arena *a, const char *email)
{
	static const char at_host[] = "@users.noreply.";
	const char *at = email ? strstr(email, at_host) : NULL, *plus = email ? strchr(email, '+') : NULL;
	const char *from = plus && at && plus < at ? plus + 1 : email;

	return at && at > from ? arena_printf(a, "login:%s/%.*s", at + sizeof(at_host) - 1, (int)(at - from), from) : NULL;
}

const char *who_key(struct arena *a, const struct person *p)
{
	const char *there = noreply_login(a, p->email);
	char *key = there ? arena_strdup(a, there) : p->email && *p->email ? arena_strdup(a, p->email) :
		    p->login && *p->login ? arena_printf(a, "login:%s", p->login) :
					    arena_printf(a, "name:%s", p->name ? p->name : "");

	lower_ascii(key);
	return key;
}

int64_t index_who(struct index *ix, const char *key, bool make)
{
	struct err e = ERR_INIT;
	int64_t id;

	if (db_get_int(&ix->db, &e, &id, "SELECT coalesce(alias, id) FROM who WHERE key=?1", "t", key) == 1 || !make)
		return id;
	if (db_exec(&ix->db, &e, "INSERT INTO who(key) VALUES(?1)", "t", key))
		return 0;
	return sqlite3_last_insert_rowid(ix->db.sql);
}

void index_forget_people(struct index *ix)
{
	memset(ix->people, 0, sizeof(ix->people));
}

/* A login that was joined with something else says who its owner is, under whatever mail address his tracker shows him. */
static int64_t joined_login(struct index *ix, const char *login)
{
	struct err unused = ERR_INIT;
	int64_t who = 0;

	if (*login)
		db_get_int(&ix->db, &unused, &who, "SELECT alias FROM who WHERE key=lower('login:'||?1) AND alias IS NOT NULL", "t", login);
	return who;
}

/* By mail address, by login; once a person is known by both, by either. */
static int64_t who_is(struct index *ix, const struct person *p, const char *login)
{
	struct err e = ERR_INIT;
	const char *key = who_key(&ix->scratch, p);
	int64_t own = index_who(ix, key, true), joined = own && *login ? joined_login(ix, login) : 0;

	if (!joined || joined == own)
		return own;
	/* An address that others have used before is left to them. */
	return db_exec(&ix->db, &e, "UPDATE who SET alias=?2 WHERE id=?1 AND alias IS NULL AND NOT EXISTS (SELECT 1 FROM person"
		       " WHERE who=?1)", "ii", own, joined) ? 0 : joined;
}

static int64_t make_person(struct index *ix, const char *name, const char *email, const char *login,
    const struct person *p, int64_t *who, struct err *e)
{
	sqlite3_stmt *st = db_prep(&ix->db, "SELECT id, who FROM person WHERE email=?1 AND name=?2 AND login=?3");
	int64_t id;
	int rc;

	db_bind(st, "ttt", email, name, login);
	rc = db_step(&ix->db, st, e);
	if (rc < 0)
		return 0;
	if (rc == 1) {
		id = col_int(st, 0);
		*who = col_int(st, 1);
		db_reset(st);
		return id;
	}
	*who = who_is(ix, p, login);
	if (!*who || db_exec(&ix->db, e, "INSERT INTO person(email, name, login, who) VALUES(?1, ?2, ?3, ?4)", "ttti", email,
	    name, login, *who))
		return *who ? 0 : (db_fail(&ix->db, e), 0);
	return sqlite3_last_insert_rowid(ix->db.sql);
}

/* A few people write most posts: those of this write are at hand. */
int64_t index_person(struct index *ix, const struct person *p, int64_t *who, struct err *e)
{
	const char *name = p->name ? p->name : "", *email = p->email ? p->email : "", *login = p->login ? p->login : "";
	struct known_person *k = &ix->people[hash64(*email ? email : login, strlen(*email ? email : login)) %
					     ARRAY_SIZE(ix->people)];
	int64_t unused;

	who = who ? who : &unused;
	if (!k->id || strcmp(k->email, email) || strcmp(k->name, name) || strcmp(k->login, login)) {
		k->id = make_person(ix, name, email, login, p, &k->who, e);
		k->name = arena_strdup(&ix->txn, name);
		k->email = arena_strdup(&ix->txn, email);
		k->login = arena_strdup(&ix->txn, login);
	}
	*who = k->who;
	return k->id;
}

static bool same_word(const char *a, size_t n, const char *b)
{
	return strlen(b) == n && !strncasecmp(a, b, n);
}

static bool has_word(const char *text, const char *word)
{
	while (text && *text) {
		size_t n = strcspn(text, " \t");
		if (n && same_word(text, n, word))
			return true;
		text += n + (text[n] != '\0');
	}
	return false;
}

bool identity_is(const struct identity *id, const struct person *p)
{
	const char *word = p->login && *p->login ? p->login : p->name;

	for (const char *const *m = id->me; m && *m; m++) {
		if (str_starts(*m, "login:")) {
			if (p->login && !strcasecmp(*m + 6, p->login))
				return true;
			continue;
		}
		if (p->email && *p->email ? !strcasecmp(*m, p->email) : word && same_word(*m, strcspn(*m, "@"), word))
			return true;
	}
	/* "--ask ana": a word of my name, when nothing better was said. */
	return !(p->email && *p->email) && word && id->name && (!strcasecmp(id->name, word) || has_word(id->name, word));
}

enum waits index_waits(const struct wait_facts *f, int64_t who, unsigned roles)
{
	bool asks = f->kind == KIND_QUESTION || f->kind == KIND_REMARK || f->n_asked > 0 || f->n_people > 1;

	if (f->state != STATE_OPEN || f->audience == AUDIENCE_PRIVATE || !asks)
		return WAITS_NONE;
	if (f->last == who)
		return WAITS_FOR_OTHERS;
	if (roles & (ROLE_ASKED | ROLE_AUTHOR) || (f->n_asked == 0 && roles & (ROLE_POSTED | ROLE_OWNER)))
		return WAITS_FOR_ME;
	return WAITS_NONE;
}

char *people_pack(struct arena *a, const struct person *p, size_t n)
{
	struct buf b = BUF_INIT;
	char *out;

	if (n == 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		buf_addch(&b, i ? ',' : '[');
		person_add_json(&b, &p[i]);
	}
	buf_addch(&b, ']');
	out = arena_memdup(a, b.ptr, b.len);
	buf_release(&b);
	return out;
}

char *words_pack(struct arena *a, const char *const *w, size_t n)
{
	struct buf b = BUF_INIT;
	char *out;

	if (n == 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		buf_addch(&b, i ? ',' : '[');
		json_add(&b, w[i]);
	}
	buf_addch(&b, ']');
	out = arena_memdup(a, b.ptr, b.len);
	buf_release(&b);
	return out;
}

void people_unpack(struct arena *a, const char *json, struct person **out, size_t *n)
{
	struct err e = ERR_INIT;
	json_t *arr = json && *json ? json_read(json, strlen(json), "people", &e) : NULL;

	*n = arr ? json_array_size(arr) : 0;
	*out = *n ? arena_alloc(a, *n * sizeof(**out)) : NULL;
	for (size_t i = 0; i < *n; i++)
		person_from_json(a, json_array_get(arr, i), &(*out)[i]);
	json_decref(arr);
}

const char *login_shown(const char *login)
{
	const char *slash = login ? strrchr(login, '/') : NULL;

	return slash && slash[1] ? slash + 1 : login;
}

void words_unpack(struct arena *a, const char *json, const char ***out, size_t *n)
{
	struct err e = ERR_INIT;
	json_t *arr = json && *json ? json_read(json, strlen(json), "words", &e) : NULL;

	*n = arr ? json_array_size(arr) : 0;
	*out = *n ? arena_alloc(a, *n * sizeof(**out)) : NULL;
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = arena_strdup(a, json_string_value(json_array_get(arr, i)));
	json_decref(arr);
}

void logins_shown(struct person *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i].login = login_shown(p[i].login);
}

int64_t index_scope_who(struct index *ix, const struct scope *s)
{
	return s && s->me && s->me[0] ? index_who(ix, s->me[0], false) : 0;
}
