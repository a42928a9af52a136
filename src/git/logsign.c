/* SPDX-License-Identifier: MIT */
/*
 * Signatures, as the user's git makes and checks them with SSH keys: one a push, since the ops are chained by hash and a
 * signature over the last one covers all before it (15 ms a signature by process: 25 minutes for 100,000 ops).
 *
 * What is signed names the position: repository, writer, id, sequence number and clock of the op before the signature.
 * An old signature that is replayed later, or in another log or repository, hence says nothing about what is there
 * (Radicle's fault of 2026, trust.md 0.10). find-principals only proposes who to check for; the proof is
 * "ssh-keygen -Y verify" with our namespace, at the time the signature was first seen here, never at a time that its
 * writer claims.
 *
 * gpg.format, user.signingKey, gpg.ssh.* count from the user's own configuration only.
 */
#include "config.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "killick/base/clock.h"
#include "killick/base/proc.h"
#include "nlog.h"

#define NAMESPACE "killick@killick"

enum { SIG_MAX = 64 << 10, KEYGEN_TIMEOUT_MS = 60000, TRIED_MAX = 16, SEEN_MAX = 16 << 20 };

static const char begin_sig[] = "-----BEGIN SSH SIGNATURE-----";

/* ---- what is signed ---- */

static void signed_text(struct buf *b, const char *repo, const char *writer, const char *head, uint64_t seq,
    uint64_t lamport)
{
	buf_addf(b, "%s %s %s %llu %llu\n", repo, writer, head, (unsigned long long)seq, (unsigned long long)lamport);
}

static const char *user_setting(struct nlog *l, struct arena *a, const char *key)
{
	const char *v;

	return repo_config(l->repo, CONFIG_USER, key, a, &v) && *v ? v : NULL;
}

static const char *keygen(struct nlog *l, struct arena *a)
{
	const char *set = user_setting(l, a, "gpg.ssh.program");

	return set ? set : "ssh-keygen";
}

/* git's pathname type: "~/" is the home folder. */
static const char *user_path(struct arena *a, const char *path)
{
	const char *home = getenv("HOME");

	return str_starts(path, "~/") && home ? arena_printf(a, "%s%s", home, path + 1) : path;
}

/* ---- temporary files: ssh-keygen takes the signature, and programs in its place take the text, by name ---- */

struct scratch { char *dir; };

static int scratch_init(struct scratch *s, struct nlog *l, struct err *e)
{
	s->dir = xasprintf("%s/sign.XXXXXX", l->dir);
	if (mkdtemp(s->dir))
		return 0;
	/* A store that can only be read is still checked. */
	free(s->dir);
	s->dir = xasprintf("%s/killick-sign.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (mkdtemp(s->dir))
		return 0;
	err_errno(e, "cannot make folder '%s'", s->dir);
	free(s->dir);
	s->dir = NULL;
	return -1;
}

static const char *scratch_file(const struct scratch *s, struct arena *a, const char *name)
{
	return arena_printf(a, "%s/%s", s->dir, name);
}

static void scratch_release(struct scratch *s)
{
	static const char *const names[] = { "text", "text.sig", "key" };
	struct arena a = ARENA_INIT;

	for (size_t i = 0; s->dir && i < ARRAY_SIZE(names); i++)
		unlink(scratch_file(s, &a, names[i]));
	if (s->dir)
		rmdir(s->dir);
	free(s->dir);
	arena_release(&a);
}

static int run_keygen(const char *const *argv, const struct buf *in, struct buf *out, bool ask, struct err *e)
{
	struct buf said = { buf_empty, .max = 65536 };
	struct proc p = {
		.argv = argv, .in = in ? in->ptr : NULL, .in_len = in ? in->len : 0, .out = out, .errout = &said,
		.timeout_ms = ask ? 0 : KEYGEN_TIMEOUT_MS, .flags = ask ? 0 : PROC_NEW_SESSION,
	};
	int rc = proc_run(&p, e);

	if (!rc && p.status) {
		buf_rtrim(&said);
		rc = err_set(e, ERR_FAILED, "%s", said.len ? said.ptr : "ssh-keygen failed");
	}
	buf_release(&said);
	return rc;
}

/* ---- signing ---- */

/* A key file, or a literal public key ("key::ssh-…", "ssh-…"), whose private half an agent has. */
static const char *signing_key(struct nlog *l, struct scratch *s, struct arena *a, bool *agent, struct err *e)
{
	const char *key = user_setting(l, a, "user.signingkey"), *file = scratch_file(s, a, "key");

	*agent = str_starts(key, "key::") || str_starts(key, "ssh-");
	if (!*agent)
		return user_path(a, key);
	key += str_starts(key, "key::") ? 5 : 0;
	key = arena_printf(a, "%s\n", key);
	return file_write(file, key, strlen(key), 0600, e) ? NULL : file;
}

static int make_signature(struct nlog *l, const struct buf *text, struct buf *sig, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct scratch s = { NULL };
	const char *key, *file;
	bool agent, ask = isatty(0) && isatty(2);
	int rc = -1;

	if (scratch_init(&s, l, e))
		goto out;
	key = signing_key(l, &s, &a, &agent, e);
	file = scratch_file(&s, &a, "text");
	if (key && !file_write(file, text->ptr, text->len, 0600, e)) {
		const char *argv[] = { keygen(l, &a), "-Y", "sign", "-n", NAMESPACE, "-f", key, agent ? "-U" : file,
				       agent ? file : NULL, NULL };
		rc = run_keygen(argv, NULL, NULL, ask, e);
	}
	rc = rc ? rc : file_read(scratch_file(&s, &a, "text.sig"), SIG_MAX, sig, e);
	if (!rc && !str_starts(sig->ptr, begin_sig))
		rc = err_set(e, ERR_BAD_DATA, "what the signing program made is no SSH signature");
out:
	scratch_release(&s);
	arena_release(&a);
	return rc;
}

static bool wants_signing(struct nlog *l)
{
	struct arena a = ARENA_INIT;
	const char *format = user_setting(l, &a, "gpg.format"), *v = NULL;
	bool yes = format && !strcmp(format, "ssh") && user_setting(l, &a, "user.signingkey");

	if (repo_config(l->repo, CONFIG_ANY, "killick.sign", &a, &v) &&
	    (!strcmp(v, "false") || !strcmp(v, "no") || !strcmp(v, "off") || !strcmp(v, "0")))
		yes = false;
	arena_release(&a);
	return yes;
}

static json_t *sign_payload(const struct tail *t, const struct buf *sig)
{
	json_t *j = json_object();

	json_put_str(j, "head", t->id);
	json_put_int(j, "seq", (int64_t)t->seq);
	json_put_int(j, "lamport", (int64_t)t->lamport);
	json_put_strn(j, "sig", sig->ptr, sig->len);
	return j;
}

/* The signature is made without the lock (it may ask for a passphrase), so the log may have grown meanwhile: 1. */
static int append_signature(struct nlog *l, const struct tail *t, struct op *op, struct err *e)
{
	struct lock lk = LOCK_INIT;
	struct tail now;
	int rc;

	if (store_lock(l, &lk, STORE_WAIT_MS, e))
		return -1;
	rc = tail_of(l, l->id.writer, &now, e);
	if (!rc && strcmp(now.id, t->id) != 0)
		rc = 1;
	rc = rc ? rc : append_locked(l, op, 1, "Sign the log", 0, NULL, e);
	lock_release(&lk);
	return rc;
}

static int sign_tail(struct nlog *l, const struct tail *t, struct buf *note, struct err *e)
{
	struct buf text = BUF_INIT, sig = BUF_INIT;
	struct arena a = ARENA_INIT;
	struct err why = ERR_INIT;
	struct op op = { .type = OP_SIGN, .time = clock_now() };
	int rc = 0;

	signed_text(&text, l->id.repo, l->id.writer, t->id, t->seq, t->lamport);
	if (make_signature(l, &text, &sig, &why) || repo_identity(l->repo, &a, &op.author, &why)) {
		buf_addf(note, "sent without a signature: %s", why.msg);
	} else {
		op.payload = sign_payload(t, &sig);
		rc = append_signature(l, t, &op, e);
		json_decref(op.payload);
	}
	buf_release(&text);
	buf_release(&sig);
	arena_release(&a);
	return rc;
}

int sign_log(struct nlog *l, struct buf *note, struct err *e)
{
	struct tail t;
	int rc = 1;

	if (!wants_signing(l))
		return 0;
	for (int tries = 0; rc > 0 && tries < 3; tries++) {
		rc = tail_of(l, l->id.writer, &t, e);
		/* When the last op is a signature nothing was added behind one. */
		if (rc || !t.any || t.sign)
			return rc;
		rc = sign_tail(l, &t, note, e);
	}
	return rc < 0 ? -1 : 0;
}

/* ---- checking ---- */

/* When each signature was first seen here: "<op id> <YYYYmmddHHMMSS, local time>" lines, beside the store. A store that
 * cannot be written takes the present time, every time. */
static void first_seen(struct nlog *l, const char *op_id, char out[32])
{
	struct buf path = BUF_INIT, b = BUF_INIT;
	struct lock lk = LOCK_INIT;
	time_t now = (time_t)(clock_now() / 1000);
	const char *line;
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(out, 32, "%Y%m%d%H%M%S", &tm);
	store_side(l, &path, "signatures");
	if (file_read(path.ptr, SEEN_MAX, &b, NULL))
		buf_reset(&b);
	line = strstr(b.ptr, op_id);
	if (line && strcspn(line + SHA256_HEX - 1, "\n") == 15) {
		memcpy(out, line + SHA256_HEX, 14);
		out[14] = '\0';
	} else if (!store_lock(l, &lk, 200, NULL)) {
		buf_reset(&b);
		if (file_read(path.ptr, SEEN_MAX, &b, NULL))
			buf_reset(&b);
		buf_addf(&b, "%s %s\n", op_id, out);
		file_write(path.ptr, b.ptr, b.len, 0600, NULL);
		lock_release(&lk);
	}
	buf_release(&path);
	buf_release(&b);
}

/* "Good "killick@killick" signature for P with ED25519 key SHA256:…" */
static void take_key(const char *said, struct nlog_signature *out)
{
	const char *at = strstr(said, " key ");

	if (at)
		snprintf(out->key, sizeof(out->key), "%.*s", (int)strcspn(at + 5, " \n"), at + 5);
}

static int verify_as(struct nlog *l, struct arena *a, const char *allowed, const char *who, const char *sigfile,
    const char *when, const struct buf *text, struct nlog_signature *out, struct err *e)
{
	const char *at = arena_printf(a, "-Overify-time=%s", when);
	const char *argv[] = { keygen(l, a), "-Y", "verify", "-f", allowed, "-I", who, "-n", NAMESPACE, "-s", sigfile, at,
			       NULL };
	struct buf said = { buf_empty, .max = 65536 };
	int rc = run_keygen(argv, text, &said, false, e);

	if (!rc) {
		snprintf(out->principal, sizeof(out->principal), "%s", who);
		take_key(said.ptr, out);
	}
	buf_release(&said);
	return rc;
}

/* Sound by itself, whoever's key it is. */
static bool signature_is_whole(struct nlog *l, struct arena *a, const char *sigfile, const struct buf *text,
    struct nlog_signature *out)
{
	const char *argv[] = { keygen(l, a), "-Y", "check-novalidate", "-n", NAMESPACE, "-s", sigfile, NULL };
	struct buf said = { buf_empty, .max = 65536 };
	bool ok = !run_keygen(argv, text, &said, false, NULL);

	if (ok)
		take_key(said.ptr, out);
	buf_release(&said);
	return ok;
}

/* NLOG_SIGNED, NLOG_UNKNOWN_KEY or NLOG_BAD for one signature over this text. */
static enum nlog_trust check_signature(struct nlog *l, const char *op_id, const char *sig, const struct buf *text,
    struct nlog_signature *out, struct err *e)
{
	enum nlog_trust trust = NLOG_BAD;
	struct arena a = ARENA_INIT;
	struct scratch s = { NULL };
	struct buf who = { buf_empty, .max = 65536 };
	const char *allowed = user_setting(l, &a, "gpg.ssh.allowedsignersfile"), *file;
	struct err why = ERR_INIT;
	char when[32];
	char *line, *rest;

	if (scratch_init(&s, l, e))
		goto out;
	file = scratch_file(&s, &a, "text.sig");
	if (file_write(file, sig, strlen(sig), 0600, e))
		goto out;
	if (!signature_is_whole(l, &a, file, text, out)) {
		snprintf(out->why, sizeof(out->why), "the signature does not fit what it stands behind");
		goto out;
	}
	trust = NLOG_UNKNOWN_KEY;
	if (!allowed) {
		snprintf(out->why, sizeof(out->why), "gpg.ssh.allowedSignersFile is not set");
		goto out;
	}
	first_seen(l, op_id, when);
	allowed = user_path(&a, allowed);
	const char *argv[] = { keygen(l, &a), "-Y", "find-principals", "-f", allowed, "-s", file,
			       arena_printf(&a, "-Overify-time=%s", when), NULL };
	if (run_keygen(argv, NULL, &who, false, &why))
		snprintf(out->why, sizeof(out->why), "the key is none of those in '%.120s'", allowed);
	rest = who.ptr;
	while (trust != NLOG_SIGNED && (line = strsep(&rest, "\n")))
		if (*line && !verify_as(l, &a, allowed, line, file, when, text, out, &why))
			trust = NLOG_SIGNED;
	if (trust != NLOG_SIGNED && !out->why[0])
		snprintf(out->why, sizeof(out->why), "%.200s", why.msg);
out:
	buf_release(&who);
	scratch_release(&s);
	arena_release(&a);
	return trust;
}

/* A sign op as found in the chain, with the op that really stands where it points. */
struct found { char id[SHA256_HEX], head[SHA256_HEX], repo[OP_WRITER_HEX]; uint64_t seq, lamport; char *sig; };

struct trail {
	ARRAY(struct found) signs;
	struct { char id[SHA256_HEX], repo[OP_WRITER_HEX]; uint64_t seq, lamport; } last; /* the op read before */
	uint64_t count;
	bool any;
};

/* A signature stands right behind what it signs, so what it claims is compared with the op before it. */
static void trail_op(struct trail *t, const struct op *op)
{
	const char *head = json_get_str(op->payload, "head"), *sig = json_get_str(op->payload, "sig");
	struct found *f;

	if (op->type == OP_SIGN) {
		f = array_add(&t->signs);
		memcpy(f->id, op->id, sizeof(f->id));
		f->seq = t->last.seq;
		f->lamport = t->last.lamport;
		memcpy(f->head, t->last.id, sizeof(f->head));
		memcpy(f->repo, t->last.repo, sizeof(f->repo));
		if (t->any && head && sig && !strcmp(head, t->last.id) &&
		    json_get_int(op->payload, "seq", -1) == (int64_t)t->last.seq &&
		    json_get_int(op->payload, "lamport", -1) == (int64_t)t->last.lamport)
			f->sig = xstrdup(sig);
	}
	memcpy(t->last.id, op->id, sizeof(op->id));
	t->last.seq = op->seq;
	t->last.lamport = op->lamport;
	memcpy(t->last.repo, op->repo, sizeof(op->repo));
	t->any = true;
}

/* The chain as it is stored. A line that is no op of this chain ends what can be signed: nothing behind it counts. */
static int trail_read(struct nlog *l, const char *writer, const struct oid *head, struct trail *t, struct err *e)
{
	struct oid_list todo = { NULL, 0, 0 };
	bool met, whole = true;
	int rc = chain_walk(l, head, &OID_ZERO, &todo, &met, e);

	while (!rc && todo.len) {
		struct entry en;
		const char *p, *line;
		size_t n;
		rc = entry_read(l, &todo.items[--todo.len], &en, e);
		if (rc)
			break;
		for (p = en.text; entry_line(&p, en.text + en.len, &line, &n); t->count++) {
			struct op op;
			if (op_decode(line, n, &op, NULL)) {
				whole = false;
				continue;
			}
			whole = whole && op.seq == t->count && !strcmp(op.writer, writer) &&
				!strcmp(op.prev, t->any ? t->last.id : "");
			if (whole)
				trail_op(t, &op);
			op_release(&op);
		}
		entry_release(&en);
	}
	array_release(&todo);
	return rc;
}

/* From the newest signature back to the first that holds; the newest says how the log is called. */
static int trail_check(struct nlog *l, const char *writer, struct trail *t, struct nlog_signature *out, struct err *e)
{
	struct err why = ERR_INIT;

	for (size_t i = t->signs.len, tried = 0; i-- > 0 && tried < TRIED_MAX; tried++) {
		const struct found *f = &t->signs.items[i];
		struct nlog_signature one = { NLOG_BAD, 0, 0, "", "", "" };
		struct buf text = BUF_INIT;
		signed_text(&text, f->repo, writer, f->head, f->seq, f->lamport);
		if (f->sig)
			one.trust = check_signature(l, f->id, f->sig, &text, &one, &why);
		else
			snprintf(one.why, sizeof(one.why), "a signature claims another place in the log than it has");
		buf_release(&text);
		if (why.code)
			return err_set(e, why.code, "%s", why.msg);
		if (one.trust == NLOG_SIGNED)
			one.signed_upto = f->seq + 1;
		one.count = t->count;
		if (!tried)
			*out = one;
		else if (one.trust == NLOG_SIGNED)
			out->signed_upto = one.signed_upto;
		if (one.trust == NLOG_SIGNED)
			break;
	}
	return 0;
}

int nlog_verify(struct nlog *l, const char *writer, struct nlog_signature *out, struct err *e)
{
	struct trail t = { .any = false };
	char name[REF_NAME_MAX];
	struct oid head;
	int rc;

	*out = (struct nlog_signature){ .trust = NLOG_UNSIGNED };
	if (!is_writer_id(writer))
		return err_set(e, ERR_USAGE, "'%s' is no writer id", writer);
	logref_name(name, LOG_REFS, NULL, writer);
	rc = logref_read(l, name, &head, e);
	if (rc <= 0)
		return rc < 0 ? -1 : err_set(e, ERR_NOT_FOUND, "no log of writer %s here", writer);
	rc = trail_read(l, writer, &head, &t, e);
	out->count = t.count;
	rc = rc ? rc : trail_check(l, writer, &t, out, e);
	for (size_t i = 0; i < t.signs.len; i++)
		free(t.signs.items[i].sig);
	array_release(&t.signs);
	return rc;
}
