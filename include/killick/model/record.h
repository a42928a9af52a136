/* SPDX-License-Identifier: MIT */
/*
 * Records: what a tracker says of its tasks, changes and their talk, as values and as JSON Lines. An adapter (src/remote)
 * makes them in the process killick-remote; killick keeps each as the bytes that came, in the index, and folds all that
 * belong to a thread or task to what people see (record_fold), as it does with the native log's ops. A record is the
 * whole newest state of one object: the same one again, or an older one after a newer one, changes nothing.
 *
 * Keys are the source's own, as text, whatever they are there (64-bit numbers, node ids): never shown, never parsed. One
 * key names one task, one note of the whole source (an adapter whose server counts kinds of notes apart puts a letter
 * before them: "r12"), one thread of its task.
 *
 * JSON, one object a line, nulls left out, times RFC 3339 in UTC:
 *
 * {"record":"task","key","name","change","state","status","title","body","author":P,"assignees":[P],"labels":[S],
 *  "milestone","created","updated","url","notes":N,"head","base","head_ref","base_ref","draft","locked","private","lossy"}
 * {"record":"note","key","task","thread","reply_to","kind","author":P,"created","updated","body","wire","url","anchor":A,
 *  "hint":A,"verdict","private","pending","can_edit","can_delete","lossy","reactions":[[E,N,mine]]}
 *  reactions null, and mine null: not told this time; what was known before stays
 * {"record":"thread","key","task","handle","resolved","by":P,"can_resolve","can_reply"}
 * {"record":"gone","of":"task|note|thread","key","task","why":"deleted|hidden|moved"}
 * {"record":"list","task","kinds":[…],"keys":[…]}   every note of these kinds that the task has: others are gone
 *
 * P is person_json, A anchor_to_op (hunk context in "quote" where the tracker gives it). task: the key of the task or
 * change, NULL for a note on a commit. thread: NULL for the task's conversation, else the thread's key.
 */
#ifndef KILLICK_MODEL_RECORD_H
#define KILLICK_MODEL_RECORD_H

#include "killick/base/hash.h"
#include "killick/model/fold.h"

enum record_type { RECORD_TASK, RECORD_NOTE, RECORD_THREAD, RECORD_GONE, RECORD_LIST };
enum note_kind {
	NOTE_COMMENT,   /* of the conversation */
	NOTE_REVIEW,    /* the summary of a review, with its verdict */
	NOTE_CODE,      /* on lines or a file of a change */
	NOTE_COMMIT,    /* on a commit, or its lines */
	NOTE_EVENT,     /* made by the tracker: closed by, renamed; never replied to, never unread */
};

struct record_task {
	const char *key;         /* "412": what the API calls it */
	const char *name;        /* "GH-412": what people type; the adapter's prefix and the number, or the tracker's key */
	bool change, draft, locked, private_, lossy;
	enum task_state state;
	const char *status, *title, *body, *milestone, *url;
	const char *head, *base, *head_ref, *base_ref;   /* changes: commit ids and branches */
	struct person author;
	const struct person *assignees; size_t n_assignees;
	const char *const *labels; size_t n_labels;
	int64_t created, updated;
	int64_t n_notes;         /* how many the tracker counts, -1: it does not say */
};
struct record_note {
	const char *key, *task, *thread, *reply_to;
	enum note_kind kind;
	struct person author;
	int64_t created, updated;
	const char *body;        /* Markdown */
	const char *wire;        /* the body as the server holds it, where body was decoded from something else */
	const char *url;
	const struct anchor *anchor;   /* as written: the identity (original commit and line); NULL for the conversation */
	const struct anchor *hint;     /* where the tracker shows it now; NULL where it says it is outdated */
	const char *verdict;     /* "approve" "request-changes" "comment" "dismissed", or NULL */
	bool private_, pending;  /* seen by some only; the user's own draft over there, seen by nobody else */
	bool can_edit, can_delete, lossy;
	const struct reaction *reactions; size_t n_reactions;
	bool reactions_unknown;  /* they were not asked for: those that are known stay */
	enum post_state unsent;  /* not of the JSON. POST_SENT: the tracker has it; else the user's own, from the outbox */
};
struct record_thread {
	const char *key, *task;
	const char *handle;      /* what resolving needs, where it is not the key (GitHub's node id) */
	int resolved;            /* 1, 0, -1: threads have no such state here */
	struct person by;
	bool can_resolve, can_reply;
};
struct record_gone { enum record_type of; const char *key, *task, *why; };
struct record_list { const char *task; const char *const *kinds; size_t n_kinds; const char *const *keys; size_t n_keys; };

struct record {
	enum record_type type;
	union {
		struct record_task task;
		struct record_note note;
		struct record_thread thread;
		struct record_gone gone;
		struct record_list list;
	};
};

const char *note_kind_name(enum note_kind k);   /* "comment" "review" "code" "commit" "event" */
bool note_kind_parse(const char *s, enum note_kind *out);

/* A new reference. */
json_t *record_json(const struct record *r);
/* Checks types, keys (1 to 255 bytes, no control characters), times, sizes (a body: 1 MiB) and anchors. ERR_BAD_DATA.
 * Strings live in the arena. */
int record_parse(struct arena *a, const char *line, size_t n, struct record *out, struct err *e);

/*
 * The id of what a record is about: SHA-256 over "killick-record", the source's identity (kind and key, as in struct
 * source_row), type and keys, parted by NUL, so that everybody who reads the same source has the same ids. A task's
 * conversation is the thread with key "" of that task. For posts: type NOTE, task NULL, key.
 */
void record_entity(const char *source_kind, const char *source_key, enum record_type type, const char *task,
    const char *key, char out[SHA256_HEX]);

/*
 * A change of the user's own that is not sent yet, laid over a record when it is folded:
 *	{"of":"task","key",…}		"state","title","body","add_labels":[S],"drop_labels":[S],"add_people":[P],"drop_people":[P]
 *	{"of":"thread","key","task",…}	"resolved":bool
 *	{"of":"note","note":RECORD}	a new one, whose key is RECORD_UNSENT and the op's id
 *	{"of":"note","key","body"}	another text for one that is there
 * "of" must fit r; what is not in the patch stays.
 */
#define RECORD_UNSENT "outbox:"
void record_patch_task(struct arena *a, struct record_task *t, const json_t *patch);
void record_patch_thread(struct record_thread *t, const json_t *patch);
void record_patch_note(struct arena *a, struct record_note *n, const json_t *patch, enum post_state state);

/*
 * All records of one task (its own, for a task), or of one thread (its task, its thread record if any, its notes, the
 * user's unsent ones among them), in any order, to what index-fold writes; ids are full, as fold_entity's. false: nothing
 * to show (no task; a thread without posts, unless it is a conversation and empty is wanted).
 *
 * A conversation is a note on the task with the task's title and state (closed and merged: resolved), put to its
 * assignees; the description is the task's own and not a post. A code thread is a remark, put to the change's author, open
 * or resolved as the tracker says, answered never, and over when its change is; it has its anchor from its first note. On
 * a commit it is a note. Posts are ordered by (created, key). Events are not posts, nor are reviews that say nothing.
 * Both are linked to their task. The mark that an op left in a body is not shown.
 */
struct record_source { const char *kind, *key, *name; };
bool record_fold_thread(struct arena *a, const struct record_source *s, const struct record_task *task,
    const struct record_thread *thread, const struct record_note *notes, size_t n, bool empty, struct fold *out);
bool record_fold_task(struct arena *a, const struct record_source *s, const struct record_task *task, struct fold *out);

/* The id in a body's last line "<!-- killick:32 hex digits -->", if there is one; *len is where the text before it ends. */
bool record_mark(const char *body, char id[33], size_t *len);
/* The number a task's name ends with ("GH-412", "#412", "!58"), 0: none. */
uint32_t record_number(const char *name);

#endif
