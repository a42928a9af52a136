/* SPDX-License-Identifier: MIT */
/*
 * The adapter contract: what a kind of tracker is to killick. An adapter is one file with one table of functions; paging,
 * caching, limits, retries, redirects, credentials, tracing and the size cap live under it, in http.h, once.
 *
 * Adapters run in killick-remote, a process of their own for one source, which ends with the work it was started for. They
 * may block; nobody waits for them but the child's parent, which is not the screen. They keep no state between runs but
 * the cursor they return, never print, never touch the index or the desk, and know nothing of git but what they are told.
 * All strings they return live in the arena they were given. Failures are graded by what they break:
 *
 *	ERR_OFFLINE, ERR_RATE_LIMITED	try later; nothing was changed by this call (http tells when in remote.retry_at)
 *	ERR_AUTH			the credential is missing, wrong or lacks a permission: the message names which
 *	ERR_NOT_FOUND			there is no such thing here, or we may not see it
 *	ERR_REFUSED, ERR_CONFLICT	the tracker understood and said no; the message has its words
 *	ERR_BAD_DATA			what came was not what the API promises: the message says what and where
 *	others				as anywhere
 *
 * Idempotence: probe, pull, look and find may be called any number of times. push is called at most once for an op unless
 * find said, twice and spaced, that the op is not there.
 */
#ifndef KILLICK_REMOTE_ADAPTER_H
#define KILLICK_REMOTE_ADAPTER_H

#include "killick/model/record.h"
#include "killick/remote/http.h"
#include "killick/remote/wire.h"

struct cred;     /* cred.h */

/* What a server can do: a set per server, probed, not per brand. What is missing is not offered, with the reason in
 * caps_why. Names are those of caps_names. */
enum caps {
	CAP_TASKS = 1 << 0,          /* read tasks */
	CAP_CHANGES = 1 << 1,
	CAP_NEW_TASK = 1 << 2,
	CAP_COMMENT = 1 << 3,
	CAP_EDIT_NOTE = 1 << 4,
	CAP_DELETE_NOTE = 1 << 5,
	CAP_CODE_NOTES = 1 << 6,     /* single notes on lines of a change */
	CAP_REPLY = 1 << 7,          /* in a code thread */
	CAP_RESOLVE = 1 << 8,
	CAP_RANGES = 1 << 9,
	CAP_FILE_NOTES = 1 << 10,
	CAP_REVIEW = 1 << 11,        /* several notes and a verdict at once */
	CAP_COMMIT_NOTES = 1 << 12,
	CAP_REACTIONS = 1 << 13,
	CAP_LABELS = 1 << 14,
	CAP_ASSIGN = 1 << 15,
	CAP_MILESTONES = 1 << 16,
	CAP_PRIVATE_NOTES = 1 << 17,
	CAP_HIDDEN_MARK = 1 << 18,   /* an HTML comment stays invisible: ops can be marked */
	CAP_ID_IN_ANSWER = 1 << 19,  /* a post's answer names its id */
	CAP_STATE = 1 << 20,         /* close and reopen */
	CAP_MODERATE = 1 << 21,      /* change and delete notes of others (not reviews), as maintainers may */
};

struct remote;   /* one source at work: http, arena, the source's description (wire.h), cursor, emit */

struct cap_why { enum caps cap; const char *why; };   /* "resolving needs Gitea 1.26" */

struct remote_probe {
	const char *version;        /* "1.26.2", or NULL */
	unsigned caps;
	const char *me_login, *me_name, *me_email;   /* who the credential is, NULL: nobody */
	const char *title;          /* of the project */
	bool public_;               /* everyone can read it */
	const char *missing;        /* permissions that the credential lacks, in words, or NULL */
	const char *quirk;          /* what a user of this server should know, or NULL */
	const struct cap_why *why; size_t n_why;   /* why a capability is missing, where it is known */
};

struct adapter {
	const char *name;           /* "github": source.kind, the word in settings */
	const char *title;          /* "GitHub" */
	const char *prefix;         /* of task names: "GH" */
	bool local;                 /* speaks no HTTP and takes no credential: remote_http is NULL */
	const char *const *headers; /* sent with every request, NULL-terminated; "Accept: application/json" if NULL */
	/* Adds the line "Authorization: …" for a credential; NULL: "Authorization: Bearer SECRET". */
	void (*authorize)(const struct source_desc *s, const struct cred *c, struct buf *header);
	/* The page, under the source's web, where the user makes such a credential and gives it rights; may be NULL. */
	const char *(*rights_page)(const struct cred *c);
	/* The server's limits, where they are known before it tells: gaps, parallel requests. May be NULL. */
	void (*manners)(const struct source_desc *s, struct http_options *o);
	/*
	 * Is this remote's or web address one of ours? Fills api (base of the API, ending in '/'), web (base of the web, ending
	 * in '/') and project. By host name alone: nothing is asked. false: not known by its looks.
	 */
	bool (*claim)(struct arena *a, const struct remote_url *url, struct source_desc *out);
	/* Unauthenticated GETs at a host of unknown kind. 0: ours, *out filled; ERR_NOT_FOUND: not ours. */
	int (*sniff)(struct remote *r, struct source_desc *out, struct err *e);
	int (*probe)(struct remote *r, struct remote_probe *out, struct err *e);
	/*
	 * Everything that changed since the cursor ("": everything) as records through remote_emit; after each page whose records
	 * are complete remote_page with the cursor that goes on behind it: both are committed together by the reader, so that a
	 * pull can be cut at any page and resumed. full: a reconcile, reading lists of all ids to find what was deleted or
	 * resolved silently. A short or empty answer proves no deletion.
	 */
	int (*pull)(struct remote *r, const char *cursor, bool full, struct err *e);
	/* One task and all its talk, now (before a reply is sent: did somebody answer meanwhile?). */
	int (*look)(struct remote *r, const char *task, struct err *e);
	/* The newest thing at the op's target, to look behind later: any text; taken before the first push. */
	int (*mark)(struct remote *r, const struct wire_op *op, const char **mark, struct err *e);
	/*
	 * Sends it. Fills *out (remote_outcome does it from what http_write says); returns -1 only when nothing can have been
	 * sent (ERR_OFFLINE before a byte left, ERR_RATE_LIMITED, ERR_BAD_DATA for an op that makes no sense here). On LANDED the
	 * new object's records are emitted as well where the answer has them.
	 */
	int (*push)(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e);
	/* Did an op of unknown fate land? LANDED with its key, or ABSENT. Lists, never searches: looks behind the mark, at own
	 * posts only, for the hidden mark, else for the same body at the same anchor. */
	int (*find)(struct remote *r, const struct wire_op *op, struct wire_outcome *out, struct err *e);
};

extern const struct adapter *const adapters[];   /* NULL-terminated, src/remote/adapters.c */
const struct adapter *adapter_find(const char *name);
extern const char *const caps_names[];           /* by bit: "tasks", "changes", …; NULL-terminated */

/* JSON lists of capability names, and back; names that are not known are passed over. */
json_t *caps_json(unsigned caps);
unsigned caps_parse(const json_t *list);

/* What adapters call. */
struct arena *remote_arena(struct remote *r);          /* until the next page */
struct arena *remote_keep(struct remote *r);           /* until the end of the call */
struct http *remote_http(struct remote *r);
const struct source_desc *remote_source(const struct remote *r);
unsigned remote_caps(const struct remote *r);          /* as probed and remembered */
int remote_emit(struct remote *r, const struct record *rec, struct err *e);
int remote_page(struct remote *r, const char *cursor, struct err *e);
void remote_progress(struct remote *r, const char *what, int64_t done, int64_t total /* -1: not known */);
/* The outcome of a write that failed: unknown when it may have been acted on; else refused, or unsent where it may be tried
 * again by itself (offline, limits). Returns 0, as push does. */
int remote_outcome(struct remote *r, bool sent, const struct err *failed, struct wire_outcome *out);

/* The op's body to be sent: with its hidden mark, where the server keeps it invisible and the user did not turn it off. */
void remote_body(struct remote *r, const struct wire_op *op, struct buf *out);
/* Is a body that the server holds this op's: by its mark, else (no mark in it) by its text? */
bool remote_body_is(const char *body, const struct wire_op *op);

/* The mark that record_mark finds: "\n\n<!-- killick:ID -->". */
void op_mark_add(struct buf *body, const char *op_id);
/* What is compared where there is no mark: the text, but for how lines end and blanks at their ends and at the end. NULL: "". */
bool body_same(const char *a, const char *b);

#endif
