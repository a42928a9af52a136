/* SPDX-License-Identifier: MIT */
/*
 * What the rooms of the screens share. One struct tui owns the terminal, the key table, the stack of screens, the
 * prompt, the messages and the children; a screen is a view with perhaps a second one beside it.
 *
 * A view is a table of functions (struct view_ops) that supplies rows. The engine does the rest: view.c moves the cursor,
 * scrolls and searches; list.c draws rows of columns, textview.c draws styled lines; screen.c lays views and bands
 * out; act.c's table says what keys can do, and dispatch.c does it. Rows are numbered from 0 and one line high.
 */
#ifndef KILLICK_TUI_UI_H
#define KILLICK_TUI_UI_H

#include "act.h"
#include "keymap.h"
#include "killick/cmd/cmd.h"
#include "term.h"

struct tui;
struct view;
struct prompt;
struct job;
struct files;

/* A slice of idle work: short enough that a key never waits for it. */
#define SLICE_MS 6
#define PATIENCE_MS 5
#define PAGE_ROWS 128

/* What the cursor is on. Strings live until the view loads again; NULL and 0 where there is none. */
struct target {
	const char *thread;      /* id */
	const char *post;
	bool post_mine, post_draft;
	const char *task;
	const char *commit;      /* 40 hex digits */
	const char *path;
	uint32_t line, end;
	const char *anchor;      /* text form of what "ask" would attach to */
	const char *draft;
	const char *unsent;      /* id of a row of the outbox */
	const char *url;
	const char *quote;       /* text for copying */
	enum thread_state state;
};

/* ---- views */

struct column {
	const char *name;
	int min, max;            /* cells */
	int from;                /* not shown on screens narrower than this */
	bool flex;               /* takes what is left (one a list) */
	enum text_align_ui { COL_LEFT, COL_RIGHT, COL_HEAD /* cut at its head: the end of a path says more */ } align;
	int gap;                 /* blanks after it */
};
struct cellv { const char *text; enum style style; };
#define MAX_COLUMNS 12

enum view_kind { VIEW_LIST, VIEW_TEXT };
enum view_flags {
	VIEW_QUERY = 1 << 0,     /* "/" filters by the query language (else it searches) */
	VIEW_CODE = 1 << 1,      /* the cursor is a line of code: painted over its whole row */
	VIEW_PROSE = 1 << 2,     /* nothing but reading: keys scroll, the cursor follows */
};
struct view_ops {
	const char *name;        /* as in the keys file and at ":" */
	const char *args;        /* "[QUERY]", NULL: takes none; for help and completion */
	const char *help;        /* one line: what is seen here */
	const char *complete;    /* kind of the arguments, as in struct cmd_entry */
	enum view_kind kind;
	unsigned flags;
	size_t size;             /* of the view's own struct, which begins with struct view */
	const char *hints;       /* commands in the order of likeliness, separated by '\n'; "command=label" */
	const struct column *columns;   /* LIST; ends with name NULL */

	int (*open)(struct view *v, int argc, const char *const *argv, struct err *e);
	void (*close)(struct view *v);
	/* Reads everything again: at the start, when something was written, when the filter changed. */
	int (*load)(struct view *v, struct err *e);
	/* TEXT: sets v->text for a width. Called at the first paint and when the width has changed. */
	void (*layout)(struct view *v, int width);
	/* TEXT that can be long: layout() sets its beginning, this a piece more behind it; false: that was the last. */
	bool (*layout_more)(struct view *v);
	/* Work that nobody waits for, until the time (clock_mono) at most; true: there is more. */
	bool (*idle)(struct view *v, int64_t until);
	/* What a key could ask of a view may still be on its way: rows behind the last one; this row's words; what was asked for
	 * (its end, a line far down). Keys that were typed ahead wait for it a while. NULL: never. */
	bool (*growing)(struct view *v);
	bool (*coming)(struct view *v, size_t row);
	bool (*seeking)(struct view *v);
	/* LIST, and TEXT with lines of its own; otherwise v->text has them. */
	size_t (*count)(struct view *v);
	bool (*heading)(struct view *v, size_t row);            /* the cursor does not stop here */
	void (*cells)(struct view *v, size_t row, struct cellv *out);
	void (*line)(struct view *v, size_t row, struct styled *out);   /* adds one line */
	/* Who a row is, so that the cursor stays with it over a load; NULL: it has no name. In the frame's arena. */
	const char *(*identity)(struct view *v, size_t row);
	/* The row of an identity if it is near `hint`; SIZE_MAX: not there. NULL: the engine asks identity() around it. */
	size_t (*find_identity)(struct view *v, const char *id, size_t hint);
	void (*target)(struct view *v, size_t row, struct target *t);
	/* true: done here. arg: the words behind the act; NULL: none. */
	bool (*act)(struct view *v, enum act a, const char *arg);
	void (*title)(struct view *v, struct buf *left, struct buf *right);
	/* Why there is nothing, and which key helps. */
	void (*empty)(struct view *v, struct styled *out);
	void (*moved)(struct view *v);                          /* the cursor stands elsewhere */
	void (*tick)(struct view *v);                           /* once a second while it is on the screen */
	unsigned (*flags_of)(struct view *v, size_t row);       /* TEXT: cell flags of a row (a marked range) */
};
struct find {
	char *text;              /* NULL: nothing was searched */
	bool fold;               /* without regard to case */
	bool on;                 /* under way */
	int dir;                 /* 1 or -1 */
	size_t at, seen;         /* next row to look at, rows looked at */
	int waits;               /* 1 or -1: begins that way when the text is set to its end */
};
struct view {
	const struct view_ops *ops;
	struct tui *t;
	struct arena arena;      /* of what is loaded; load() clears it */
	struct rect area;        /* where it was drawn last */
	size_t cursor, top;
	size_t mark;             /* where a range began; SIZE_MAX: none is marked */
	int left;                /* cells scrolled sideways */
	size_t limit;            /* while drawing: bytes of a line of code that can matter; else 0, all */
	struct styled text;
	int width;               /* that text was set for; 0: set it again */
	bool unfinished;         /* the text goes on behind what is set of it */
	bool to_end;             /* its end was asked for before it was set */
	size_t to_row;           /* asked for before it was known, + 1; 0: none */
	int widths[MAX_COLUMNS]; /* of the columns; grown by content, never while reading */
	bool ready;              /* open() is done */
	bool touched;            /* the cursor was moved: until then it stays at the top */
	bool busy;               /* idle() has more to do */
	bool stale;              /* load() before the next paint */
	bool over;               /* this screen has had its time: back when nothing is under way */
	char *filter;            /* QUERY: its text, "" for none */
	char *filter_before;     /* while another one is typed */
	struct arena query_arena;
	struct query *query;
	struct find find;
	char *problem;           /* why load() failed: shown instead of rows */
};
extern const struct view_ops *const view_table[];   /* ends with NULL */

const struct view_ops *view_ops_find(const char *name);
/* NULL with *e filled. */
struct view *view_new(struct tui *t, const struct view_ops *ops, int argc, const char *const *argv, struct err *e);
void view_free(struct view *v);
void view_load(struct view *v);
size_t view_count(struct view *v);
bool view_heading(struct view *v, size_t row);
void view_target(struct view *v, struct target *t);
/* Moves the cursor by rows that can be chosen; scrolls as little as needed. */
void view_move(struct view *v, long rows);
void view_page(struct view *v, int halves);
void view_goto(struct view *v, size_t row);
/* A row that is not known yet is gone to when it is. */
void view_goto_known(struct view *v, size_t row);
void view_last(struct view *v);
/* Sets a long text to its end. */
void view_whole(struct view *v);
/* The row at the middle, if it is not on the screen yet. */
void view_show(struct view *v, size_t row);
void view_scroll(struct view *v, long rows);
void view_fix(struct view *v);
/* Brings it up to date and sets its text for a width; how many rows it has then. */
size_t view_fit(struct view *v, int w);
void view_draw(struct view *v, struct rect area, bool focus);
/* A row as text, for searching, dumps, plain mode and copying. */
void view_row_text(struct view *v, size_t row, struct buf *out);
bool view_idle(struct view *v, int64_t until);
/* What the last key asked for, or what the next one would act on, is not there yet. */
bool view_pending(struct view *v);
int view_set_filter(struct view *v, const char *text, struct err *e);
void view_find(struct view *v, const char *text, int dir);
void view_find_again(struct view *v, int dir);
/* Tag of the text line a row is, for TEXT views set by layout(). */
void *view_tag(struct view *v, size_t row);

/* Cells left of the text: the cursor's mark, and for prose a blank. */
int text_margin(const struct view *v, int width);
void text_wrap(struct styled *s, enum style st, const char *text, int width, int indent);
/* A paragraph whose first line has something before it, in its indent: "  ?   the keys of this screen". */
void text_hang(struct styled *s, enum style st, const char *head, const char *text, int width, int indent);
/* The two drawing engines. */
void list_draw(struct view *v, struct rect area, bool focus);
void list_row_text(struct view *v, size_t row, struct buf *out);
void textview_draw(struct view *v, struct rect area, bool focus);
void textview_row_text(struct view *v, size_t row, struct buf *out);

/* ---- screens */

struct screen {
	struct view *main, *side;
	bool side_focus;
	bool side_first;         /* the second view came with the screen: "back" leaves both */
};
struct view *tui_view(struct tui *t);             /* the one with the focus */
struct screen *tui_screen(struct tui *t);
/* A screen on top of the stack. */
int tui_open(struct tui *t, const struct view_ops *ops, int argc, const char *const *argv, struct err *e);
void tui_push(struct tui *t, struct view *main, struct view *side, bool side_focus);
void tui_back(struct tui *t);
/* The view beside the present one; NULL takes it away. */
void tui_set_side(struct tui *t, struct view *side, bool focus);
void tui_paint(struct tui *t);
void tui_target(struct tui *t, struct target *out);
void tui_stale(struct tui *t);                    /* everything loads again */
/* What was read of the repository is forgotten too (settings, history): somebody else may have changed it. */
void tui_refresh(struct tui *t);
void tui_click(struct tui *t, const struct key *k);

/* ---- messages: nothing that was said is lost, nothing hides what is read */

enum message_kind { MSG_INFO, MSG_ERROR };
struct message { enum message_kind kind; int64_t time; char *text; };
struct messages {
	ARRAY(struct message) list;
	bool fresh;              /* the last one stands above the bottom line until the next key */
	int64_t shown;
};
void tui_say(struct tui *t, enum message_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
void messages_release(struct messages *m);

/* ---- prompts */

struct prompt_ops {
	const char *history;     /* kind in the desk, or NULL */
	void (*changed)(struct tui *t, const char *text);  /* when no key waits; may set a note (prompt_note) */
	/* The words that could stand at the cursor; returns where the word begins. */
	size_t (*complete)(struct tui *t, const char *text, size_t cursor, struct arena *a, struct strlist *out);
	void (*done)(struct tui *t, const char *text);
	void (*cancelled)(struct tui *t);
	bool (*key)(struct tui *t, uint32_t code);         /* first refusal; may be NULL */
};
struct menu_item { uint32_t key; const char *label, *command; };
void prompt_open(struct tui *t, const struct prompt_ops *ops, const char *label, const char *start);
/* One key of a few: items end with key 0 and must outlive the prompt. */
void prompt_menu(struct tui *t, const char *label, const struct menu_item *items);
void prompt_close(struct tui *t);
void prompt_key(struct tui *t, const struct key *k);
void prompt_paste(struct tui *t, uint32_t code);
void prompt_note(struct tui *t, bool error, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Tells changed() what was typed since. */
void prompt_settle(struct tui *t);
/* A key that acts on what is below the prompt, rather than on its line. */
bool prompt_acts(const struct tui *t, uint32_t code);
/* Somebody is being answered: what is below stays as it was when he began, whoever else writes. */
bool prompt_holds_still(const struct tui *t);
int prompt_height(struct tui *t);
void prompt_draw(struct tui *t, struct rect area);
void prompt_plain(struct tui *t, struct buf *out);

/* ---- running things */

/* A ":" line: an act, a screen or a command; %thread and the like are filled in from the target. */
void tui_run_line(struct tui *t, const char *line);
void tui_act(struct tui *t, enum act a, const char *arg);
/* A killick command with its output caught; said as messages unless out is given. Returns the exit status. */
int tui_command(struct tui *t, int argc, const char *const *argv, struct buf *out);
/* A program on the terminal (editor, pager): the screen makes room and comes back. */
int tui_foreground(struct tui *t, const char *const *argv, const char *dir, int *status, struct err *e);
int tui_editor(struct tui *t, const char *path, unsigned line, struct err *e);
void tui_clip(struct tui *t, const char *what, const char *text);
void tui_browse(struct tui *t, const char *url);
void tui_complete(struct tui *t, const char *text, size_t cursor, struct arena *a, struct strlist *out, size_t *start);

/* Children: lines of output arrive with no one waiting. */
struct job_ops {
	void (*data)(struct tui *t, struct job *j, const char *p, size_t n);
	void (*done)(struct tui *t, struct job *j, int status);
};
struct job {
	const struct job_ops *ops;
	const char *name;        /* static */
	pid_t pid;
	int fd;
	bool ended, eof, dropped;
	int status;
	void *ctx;
	struct buf line;
	struct job *next;
};
/* flags: of proc.h. PROC_STDERR_INHERIT: its complaints become messages here. */
struct job *job_start(struct tui *t, const char *name, const char *const *argv, const char *const *env,
    unsigned flags, const struct job_ops *ops, void *ctx, struct err *e);
struct job *job_find(struct tui *t, const char *name);
void job_kill(struct job *j);
void jobs_poll(struct tui *t);
/* What children with PROC_STDERR_INHERIT have said by now. */
void tui_read_stderr(struct tui *t);
void jobs_release(struct tui *t);
/* killick itself, by its path. */
const char *self_path(struct tui *t);
void tui_sync(struct tui *t);
/* The tracker that a remote's address speaks of, if none is connected: "github" and the remote's name; false: none. */
bool tui_tracker(struct tui *t, struct arena *a, const char **kind, const char **remote);
/* Connects it, in the background. */
void tui_connect(struct tui *t);
/* The trackers, in the background, when it is time; says nothing. */
void tui_pull(struct tui *t);
/* The last line of a text is how far the sync is. */
void tui_progress(struct tui *t, const char *text);

/* ---- the state of the world, at the right end of the bottom line */

struct world {
	bool known;
	uint64_t unpushed, drafts, queued, held;   /* queued, held: of the outbox */
	char *sources;           /* the trackers: "github 14:02  redmine ✗", or NULL */
	bool has_remote;
	const char *remote;      /* heap */
	int64_t synced;
	char *problem, *progress;
};
void world_update(struct tui *t);
void world_format(struct tui *t, struct buf *out, enum style *st);
void world_release(struct world *w);

/* ---- memory */

/* Between slices of work: what libgit2 keeps is let go when this process has become large. */
void memory_check(struct tui *t);

/* ---- the whole */

struct tui {
	struct work *work;
	struct terminal *term;
	struct keymap keys;
	ARRAY(struct screen) screens;
	struct prompt *prompt;
	struct messages messages;
	struct job *jobs;
	struct world world;
	struct files *files;     /* names of the repository's files, for jumping and completion */
	struct arena frame;      /* of one paint */
	struct arena acting;     /* of one act */
	bool ascii, plain, done, pasting;
	bool set_up;
	int status, tab;
	int patience;            /* ms that a key may wait for a list; -1: as long as it takes (scripts) */
	int64_t ticked;          /* last look at what others have written */
	int64_t pulled;          /* when the trackers were last asked, clock_mono; 0 never */
	uint64_t generation;
	unsigned epoch;          /* of the repository: counts tui_refresh */
	char stamp[NLOG_STAMP_SIZE];
	struct oid head;
	char *store;             /* path of store.git for the stamp */
	bool world_stale, dirty;
	bool sync_waits;         /* for the pull that is under way */
	char *last_line;         /* for "repeat" */
	char *self;
	int errpipe, saved_stderr;
	size_t resident;         /* bytes, after they were last brought down */
	struct key held;         /* was typed ahead of what it is for; code 0: none */
	int64_t pending_since;   /* something is on its way in this view */
	const struct view *pending;
	struct buf dump;         /* what a script asked to see */
};

int tui_init(struct tui *t, struct work *w, const struct term_config *c, bool plain, struct err *e);
void tui_release(struct tui *t);
void tui_key(struct tui *t, const struct key *k);
/* Has something been typed that was not read yet? */
bool tui_key_waits(struct tui *t);
/* Idle work stops: its slice is over, or a key waits. */
bool tui_time_over(struct tui *t, int64_t until);
/* Everything that is due: keys, signals, children, other writers; then at most one slice of idle work. true: more idle
 * work waits. */
bool tui_turn(struct tui *t);
void tui_loop(struct tui *t);
/* Repeats turns until nothing is under way (jobs, idle work) or ms are over; for scripts. */
void tui_settle(struct tui *t, int64_t ms);
/* Waits for anything to happen, at most so long. */
void tui_wait(struct tui *t, int ms);
const char *tui_now_relative(struct tui *t, int64_t time);   /* in the frame's arena */
const char *setting_text(struct tui *t, const char *name);   /* in the acting arena */
/* Glyph and its ASCII twin. */
const char *glyph(const struct tui *t, const char *utf8, const char *ascii);

int script_run(struct tui *t, const char *path, struct err *e);
int plain_loop(struct tui *t, struct err *e);
int tour_run(struct tui *t, struct err *e);

#endif
