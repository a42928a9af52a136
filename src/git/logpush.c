/* SPDX-License-Identifier: MIT */
/*
 * Push: every log that the remote is not known to have, whoever wrote it (any holder may bring a lost log back), never
 * forced, one refspec a log, so that one that is refused does not keep the others back. Logs of repository ids that are
 * not accepted here stay here.
 */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchange.h"

/* Hosts failed on pushes of many refs at once (trust.md 3.2). */
enum { PUSH_REFS_MAX = 100 };

/* One log to send. */
struct parcel {
	char writer[OP_WRITER_HEX];
	struct oid head, had;   /* had: what the remote was known to have, zero for nothing */
	bool own;
};
struct parcels { struct parcel *items; size_t len, alloc; };

/* Does this log belong to the remote, and has it not all of it? */
static int wants_push(struct ex *x, const struct nlog_head *h, const struct oid *had, bool *yes, struct err *e)
{
	enum relation rel = AHEAD;
	struct tail t;

	*yes = false;
	if (had && oid_equal(had, &h->commit))
		return 0;
	if (tail_read(x->l, &h->commit, &t, NULL) || !nlog_accepts(x->l, t.repo))
		return 0;
	if (had && relate(x->l, &h->commit, had, &rel, e))
		return -1;
	*yes = rel == AHEAD;
	return 0;
}

static int gather(struct ex *x, struct parcels *out, struct err *e)
{
	struct nlog_heads heads = NLOG_HEADS_INIT;
	int rc = nlog_writers(x->l, &heads, e);

	for (size_t i = 0; i < heads.len && !rc; i++) {
		const struct oid *had = logs_find(&x->seen, heads.items[i].writer);
		struct parcel *p;
		bool yes;
		rc = wants_push(x, &heads.items[i], had, &yes, e);
		if (rc || !yes)
			continue;
		p = array_add(out);
		memcpy(p->writer, heads.items[i].writer, sizeof(p->writer));
		p->head = heads.items[i].commit;
		p->had = had ? *had : OID_ZERO;
		p->own = !strcmp(p->writer, x->l->id.writer);
	}
	nlog_heads_release(&heads);
	return rc;
}

/* From here on the own head cannot be recalled: written before anything leaves. */
static int mark_pushed(struct ex *x, struct parcels *todo, struct err *e)
{
	struct lock lk = LOCK_INIT;
	char name[REF_NAME_MAX];
	int found, rc = 0;

	for (size_t i = 0; i < todo->len && !rc; i++) {
		struct parcel *p = &todo->items[i];
		if (!p->own)
			continue;
		if (store_lock(x->l, &lk, STORE_WAIT_MS, e))
			return -1;
		logref_name(name, LOG_REFS, NULL, p->writer);
		found = logref_read(x->l, name, &p->head, e);
		logref_name(name, PUSHED_REFS, x->t.hash, p->writer);
		if (found < 0)
			rc = -1;
		else if (found)
			rc = logref_write(x->l, name, NULL, &p->head, e);
		else
			*p = todo->items[--todo->len];  /* recalled, and it was all there was */
		lock_release(&lk);
		break;
	}
	return rc;
}

struct verdicts { size_t refused, raced; char reason[300]; };

static struct parcel *parcel_of(struct parcel *ps, size_t n, const char *writer, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (len == OP_WRITER_HEX - 1 && !memcmp(ps[i].writer, writer, len))
			return &ps[i];
	return NULL;
}

static int parcel_landed(struct ex *x, const struct parcel *p, bool news, struct err *e)
{
	char name[REF_NAME_MAX];

	if (news) {
		x->x->logs_pushed++;
		x->x->ops_pushed += ops_between(x->l, &p->had, &p->head);
	}
	logref_name(name, REMOTE_REFS, x->t.hash, p->writer);
	return logref_write(x->l, name, NULL, &p->head, e);
}

/* "[rejected] (fetch first)": somebody sent more of that log meanwhile. "(non-fast-forward)": it parts from ours. */
static void parcel_refused(struct ex *x, const struct parcel *p, const char *summary, size_t n, struct verdicts *v)
{
	char text[300];

	snprintf(text, sizeof(text), "%.*s", (int)n, summary);
	if (strstr(text, "fetch first") && !p->own)
		return;
	if (strstr(text, "fetch first") || strstr(text, "non-fast-forward")) {
		ex_tell_fork(x, p->writer, true);
	} else if (strstr(text, "failed to update ref") || strstr(text, "cannot lock ref") || strstr(text, "stale info")) {
		v->raced++;
	} else if (!v->refused++) {
		snprintf(v->reason, sizeof(v->reason), "%s", text);
	}
}

/* Lines of --porcelain: flag, tab, from ":" to, tab, summary. */
static int read_verdicts(struct ex *x, const char *said, struct parcel *ps, size_t n, struct verdicts *v, size_t *seen,
    struct err *e)
{
	int rc = 0;

	while (*said && !rc) {
		size_t len = strcspn(said, "\n");
		const char *end = said + len, *tab = memchr(said, '\t', len);
		const char *tab2 = tab ? memchr(tab + 1, '\t', (size_t)(end - tab - 1)) : NULL;
		const char *slash = tab2 ? memrchr(tab, '/', (size_t)(tab2 - tab)) : NULL;
		struct parcel *p = slash ? parcel_of(ps, n, slash + 1, (size_t)(tab2 - slash - 1)) : NULL;
		if (p) {
			++*seen;
			if (*said == '!')
				parcel_refused(x, p, tab2 + 1, (size_t)(end - tab2 - 1), v);
			else
				rc = parcel_landed(x, p, *said != '=', e);
		}
		said = end + (*end != '\0');
	}
	return rc;
}

static int push_some(struct ex *x, struct parcel *ps, size_t n, struct verdicts *v, struct err *e)
{
	const char **args = arena_alloc(&x->arena, (n + 10) * sizeof(*args)), *pack = ex_pack_program(x, "receivepack", "receive-pack");
	struct git_run g = GIT_RUN_INIT;
	char hex[GIT_OID_HEX];
	size_t k = 0, seen = 0;
	int rc;

	args[k++] = "push";
	args[k++] = "--porcelain";
	args[k++] = "--progress";
	args[k++] = "--no-verify";
	args[k++] = "--no-signed";
	args[k++] = "--no-follow-tags";
	if (pack)
		args[k++] = pack;
	args[k++] = "--";
	args[k++] = x->t.url;
	for (size_t i = 0; i < n; i++)
		args[k++] = arena_printf(&x->arena, "%s:%s/%s", oid_hex(hex, &ps[i].head), x->t.ns, ps[i].writer);
	args[k] = NULL;
	rc = ex_git(x, args, &g, e);
	if (!rc)
		rc = read_verdicts(x, g.out.ptr, ps, n, v, &seen, e);
	if (!rc && g.status && !seen)
		rc = transport_fail(&x->t, x->r, &g, "cannot push to", e);
	if (!rc && v->refused && g.err.len) {
		char said[200];
		transport_words(g.err.ptr, said, sizeof(said));
		if (*said && !strstr(v->reason, said))
			snprintf(v->reason + strlen(v->reason), sizeof(v->reason) - strlen(v->reason), "; %s", said);
	}
	git_run_release(&g);
	return rc;
}

static int push_result(struct ex *x, const struct verdicts *v, struct err *e)
{
	if (v->refused && !x->x->logs_pushed && !strcmp(x->t.ns, LOG_REFS))
		return err_set(e, ERR_REFUSED,
			       "'%s' does not take %s/*: %s. A host that takes branches only can be given 'git config "
			       "killick.namespace refs/heads/killick' (its CI may start on them), or another remote can be "
			       "used", x->t.label, x->t.ns, v->reason);
	if (v->refused)
		return err_set(e, ERR_REFUSED, "'%s' refused %zu logs in %s: %s", x->t.label, v->refused, x->t.ns, v->reason);
	if (x->told)
		return err_set(e, ERR_CONFLICT, "%s", x->note.ptr);
	if (v->raced)
		return err_set(e, ERR_BUSY, "'%s' was being written to by somebody else: try again", x->t.label);
	return 0;
}

int nlog_push(struct nlog *l, struct repo *r, const char *remote, int timeout_ms, int idle_ms, struct exchange *out,
    struct err *e)
{
	struct parcels todo = ARRAY_INIT;
	struct verdicts v = { 0 };
	struct ex x;
	int rc = ex_init(&x, l, r, remote, true, timeout_ms, idle_ms, out, e);

	rc = rc ? rc : sign_log(l, &x.note, e);
	rc = rc ? rc : gather(&x, &todo, e);
	rc = rc ? rc : mark_pushed(&x, &todo, e);
	for (size_t i = 0; i < todo.len && !rc; i += PUSH_REFS_MAX)
		rc = push_some(&x, &todo.items[i], todo.len - i < PUSH_REFS_MAX ? todo.len - i : PUSH_REFS_MAX, &v, e);
	rc = rc ? rc : push_result(&x, &v, e);
	array_release(&todo);
	ex_release(&x);
	return rc;
}
