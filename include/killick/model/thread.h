/* SPDX-License-Identifier: MIT */
/* Threads and their posts, places, tasks: the values that the store fills and the faces show. All in arenas. */
#ifndef KILLICK_MODEL_THREAD_H
#define KILLICK_MODEL_THREAD_H

#include "killick/base/clock.h"
#include "killick/model/anchor.h"
#include "killick/model/person.h"

enum thread_kind { KIND_QUESTION, KIND_REMARK, KIND_DECISION, KIND_NOTE };
enum thread_state { STATE_OPEN, STATE_ANSWERED, STATE_RESOLVED };
enum audience { AUDIENCE_EVERYONE, AUDIENCE_PRIVATE };
enum post_state { POST_SENT, POST_DRAFT, POST_QUEUED, POST_HELD, POST_FAILED, POST_RETRACTED };
enum place_state {
	PLACE_UNKNOWN,  /* not looked for yet, or cannot be known here (shallow history): shown as written */
	PLACE_EXACT,    /* same text, perhaps on other lines of the same file */
	PLACE_MOVED,    /* same text, elsewhere: another file, or another block of this one */
	PLACE_EDITED,   /* the text itself was changed since */
	PLACE_GONE,     /* not there; commit is the last that had it, path and lines its best guess or 0 */
};

struct place {
	enum place_state state;
	bool pending;            /* UNKNOWN because it was not looked for yet */
	const char *path;
	uint32_t line, end;
	uint32_t col, col_end;   /* of a selection in one line that is still there, bytes from 1; else 0 */
	double confidence;       /* 0 to 1 */
	const char *commit;      /* gone: the commit that removed it, or NULL; else the commit looked at (NULL: work tree) */
	/* gone: where it stood in the last version that had it, and the nearest survivors around the gap (0: none) */
	const char *last_commit, *last_path;
	uint32_t last_line, last_end, near_before, near_after;
	const char *why;         /* static words for the user, or NULL: "the history before … is not here (shallow clone)" */
};

#define REACTION_MAX 64     /* bytes of an emoji, or of a tracker's word for one */
struct reaction {
	const char *emoji;
	unsigned n;
	bool mine;
	bool mine_unknown;       /* of a record: whether it is mine as well is not told there */
	struct person *by;       /* the n who reacted, or NULL where only the number is known */
};

struct post {
	const char *id;          /* canonical: "p" and 12 or more hex digits */
	struct person author;
	int64_t time, edited;    /* edited: 0 never */
	const char *body;        /* Markdown, UTF-8, LF; NULL once redacted */
	enum post_state state;
	bool unread, accepted, mine;
	bool restricted;         /* the tracker shows it to some only */
	struct reaction *reactions;
	size_t n_reactions;
};

struct thread {
	int64_t row;             /* index row, for the store */
	const char *id;          /* canonical: "k" and 12 or more hex digits, unique in the index */
	const char *abbrev;      /* shortest unique, at least "k" and 6 digits */
	const char *source;      /* "native", "github", … */
	enum thread_kind kind;
	enum thread_state state;
	const char *title;       /* one line: the title, else the first line of the first post */
	enum audience audience;
	struct person author;
	struct anchor anchor;    /* as written, immutable (after a move: the new one) */
	struct place place;      /* where it is now; state UNKNOWN for kinds without a place in a file */
	int64_t created, updated;
	unsigned n_posts;        /* all posts, retracted ones too, as they keep their place; the length of posts if not NULL */
	unsigned n_unread;
	struct person last_author;
	const char *url;
	struct person *asked; size_t n_asked;      /* whom it was put to */
	const char **labels; size_t n_labels;
	const char **links; size_t n_links;        /* tasks, commits, documents, as anchor text */
	struct post *posts;      /* NULL unless asked for */
	const char *match;       /* search: a snippet with \1 … \2 around hits, or NULL */
};

enum task_state { TASK_OPEN, TASK_CLOSED, TASK_MERGED };
struct task {
	int64_t row;
	const char *id;          /* what users type: "GH-412", native: "T-3f9c2a" */
	const char *source;
	bool change;             /* carries commits */
	enum task_state state;
	const char *status;      /* the tracker's own word, or NULL */
	const char *milestone;   /* or NULL */
	const char *title, *body;
	struct person author;
	struct person *assignees; size_t n_assignees;
	const char **labels; size_t n_labels;
	int64_t created, updated;
	unsigned n_threads, n_open;
	const char *url;
};

/* Names as in JSON, queries and options: "question" "open" "everyone" "sent" "exact" "open|closed|merged". */
const char *thread_kind_name(enum thread_kind k);
bool thread_kind_parse(const char *s, enum thread_kind *out);
const char *thread_state_name(enum thread_state s);
bool thread_state_parse(const char *s, enum thread_state *out);
const char *audience_name(enum audience a);
const char *post_state_name(enum post_state s);
const char *place_state_name(enum place_state s);
const char *task_state_name(enum task_state s);
bool task_state_parse(const char *s, enum task_state *out);
/* "?" "!" "#" "·" and their ASCII twins ("-" for the note). */
const char *thread_kind_glyph(enum thread_kind k, bool ascii);

/*
 * A title for a text without one: its first line that says something (not a fence, rule, HTML comment or blank; a
 * quotation only if there is nothing else), Markdown's marks taken off, blanks and control characters squeezed to one
 * blank, at most TITLE_MAX bytes, cut between grapheme clusters with "…". "(no text)" where there is none.
 */
#define TITLE_MAX 200
void title_from_body(struct buf *b, const char *body);
/* s on one line: blanks and control characters squeezed to one blank, trimmed. Not cut. */
void title_one_line(struct buf *b, const char *s);

/* The documents of product.md as text, and as new references. */
void thread_add_json(struct buf *b, const struct thread *t);
json_t *thread_json(const struct thread *t);
json_t *place_json(const struct place *p);
/* The members of a place, for a document that has others too. */
void place_add_members(struct buf *b, const struct place *p);
json_t *task_json(const struct task *t);

#endif
