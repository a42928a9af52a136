/* SPDX-License-Identifier: MIT */
/*
 * What killick and killick-remote say to each other: JSON Lines over a pair of pipes, version 1. killick starts
 * "killick-remote" (remote_program) with no arguments, writes the request, reads until the end, and keeps its end of the
 * child's standard input open as long as it wants an answer: its end of file stops the child. Tokens never pass here:
 * killick-remote finds the credential itself.
 *
 * Request, first line:
 *	{"wire":1,"do":"pull|look|probe|sniff|send","source":S,"cursor":"…","full":false,"task":"412","prompt":false}
 *	S: {"name","kind","api","web","project","caps":[…],"options":{…},"me":P}
 *	sniff: S needs only "web": any address of the project, a git remote's URL too; the answer is the whole S, without a
 *	request where the host is known by its looks. prompt: git credential may ask on the terminal.
 * Answers of pull, look, probe and sniff:
 *	{"record":…}                     model/record.h
 *	{"page":"cursor"}                commit what came since the last page, together with this cursor
 *	{"progress":{"what":"issues","done":200,"total":10000}}   also while only waiting, so that silence means trouble:
 *	                                 "the server" (an answer), "the server's limit" (total: seconds to go)
 *	{"probe":{"version","caps":[…],"caps_why":{CAP:WHY},"me":P,"title","public","missing","quirk","credential","tried":[…]}}
 *	{"source":S}
 *	{"error":{"code":"offline","message":"…","retry_at":"…"}}   then the end; codes are err_code_name's
 *	{"done":true}                    last line of what went well
 * send is a conversation, one op at a time; killick has committed `sending` to the desk before it writes "push":
 *	> {"mark":OP}  < {"mark":"…"}      > {"push":OP}  < records, then {"outcome":O}      > {"find":OP}  < {"outcome":O}
 *	> {"look":"412"} < records, then {"done":true}
 *	O: {"is":"landed|refused|unknown|absent|unsent","key","url","message","retry_at","code"}
 * A child that ends, an "error", or a line that cannot be read, after "push" was written means unknown.
 *
 * OP: {"id","verb","task","thread","handle","note","reply_to","anchor":A,"head","base","title","body","mark",
 *	"add":[…],"drop":[…],"value","verdict","notes":[OP…],"private"}
 */
#ifndef KILLICK_REMOTE_WIRE_H
#define KILLICK_REMOTE_WIRE_H

#include "killick/git/permalink.h"
#include "killick/model/record.h"

/* A configured source: settings killick.source.NAME.*; nothing secret. */
struct source_desc {
	const char *name;        /* the user's word, "github" */
	const char *kind;        /* the adapter's name */
	const char *api, *web;   /* bases, ending in '/' */
	const char *project;     /* "acme/widget"; Redmine: the identifier */
	const char *prefix;      /* of task names, NULL: the adapter's */
	unsigned caps;           /* as last probed, 0: not yet */
	struct person me;
	const json_t *options;   /* what else the adapter takes ("markup": "textile"), or NULL; borrowed */
};

enum wire_verb {
	WIRE_COMMENT,       /* on a task or change: task, body */
	WIRE_REPLY,         /* in a code thread: task, thread, reply_to, body */
	WIRE_CODE_NOTE,     /* on lines or a file of a change: task, anchor (commit: the head), body */
	WIRE_COMMIT_NOTE,   /* anchor, body */
	WIRE_EDIT_NOTE,     /* note, task, thread, body */
	WIRE_DELETE_NOTE,   /* note, task, thread */
	WIRE_RESOLVE, WIRE_REOPEN_THREAD,   /* task, thread, handle */
	WIRE_REACT, WIRE_UNREACT,           /* note (NULL: the task itself), task, value: the emoji */
	WIRE_NEW_TASK,      /* title, body, add: labels, value: assignee */
	WIRE_EDIT_TASK,     /* task, title and body where not NULL */
	WIRE_CLOSE, WIRE_REOPEN,            /* task, value: the reason or status, or NULL */
	WIRE_LABEL, WIRE_ASSIGN,            /* task, add, drop */
	WIRE_MILESTONE,     /* task, value, NULL: none */
	WIRE_REVIEW,        /* task, head, verdict, body, notes: CODE_NOTE and REPLY ops */
	WIRE_VERBS,
};
struct wire_op {
	const char *id;          /* 32 hex digits, random: also the hidden mark */
	enum wire_verb verb;
	const char *task, *thread, *handle, *note, *reply_to;
	const struct anchor *anchor;
	const char *head, *base; /* of the change, as it was when the user wrote */
	const char *title, *body, *value, *verdict;
	const char *mark;        /* what adapter.mark said before the first attempt */
	const char *const *add; size_t n_add;
	const char *const *drop; size_t n_drop;
	const struct wire_op *notes; size_t n_notes;
	bool private_;
};
const char *wire_verb_name(enum wire_verb v);     /* "comment" "reply" … */
bool wire_verb_parse(const char *s, enum wire_verb *out);
/* Is doing it twice the same as doing it once? Then unknown may be sent again after a look at the present state. */
bool wire_verb_idempotent(enum wire_verb v);

struct wire_outcome {
	enum { WIRE_LANDED, WIRE_REFUSED, WIRE_UNKNOWN, WIRE_ABSENT, WIRE_UNSENT } is;
	const char *key, *url;   /* landed: of the new object, key NULL where the answer has none */
	const char *message;     /* refused, unknown, unsent: plain words; landed: it did, but otherwise than it was meant */
	enum err_code code;
	int64_t retry_at;        /* unsent by a limit: when to try again; 0 */
};

/* Where killick-remote is: $KILLICK_REMOTE (tests), else in libexec. */
const char *remote_program(void);

/* New references; parsing checks everything, strings in the arena, ERR_BAD_DATA. */
json_t *source_desc_json(const struct source_desc *s);
int source_desc_parse(struct arena *a, const json_t *j, struct source_desc *out, struct err *e);
json_t *wire_op_json(const struct wire_op *op);
int wire_op_parse(struct arena *a, const json_t *j, struct wire_op *out, struct err *e);
json_t *wire_outcome_json(const struct wire_outcome *o);
int wire_outcome_parse(struct arena *a, const json_t *j, struct wire_outcome *out, struct err *e);

#endif
