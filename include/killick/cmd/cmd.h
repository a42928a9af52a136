/* SPDX-License-Identifier: MIT */
/*
 * The command engine: one table of commands serves the shell, keys, the ":" prompt and hooks. A row names its options
 * and what it needs; the engine parses, opens, runs, maps the error to an exit status and checks that standard output
 * was really written. Commands never print on their own, never exit, never read a terminal except through struct cmd.
 */
#ifndef KILLICK_CMD_CMD_H
#define KILLICK_CMD_CMD_H

#include "killick/sync/native.h"
#include "killick/text/styled.h"
#include <sys/types.h>

enum exit_status {
	EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOT_FOUND = 3, EXIT_CONFLICT = 4, EXIT_AUTH = 5,
	EXIT_BAD_DATA = 6, EXIT_TRY_LATER = 75,
};
int exit_status_of(enum err_code code);

/*
 * Where a command's words go and come from. The shell's is made of the three standard files; the TUI's of buffers.
 * A function that is NULL is not to be had there: the command says so in words, or does without.
 */
struct cmd_io {
	void *ctx;
	int (*out)(void *ctx, const char *p, size_t n);     /* results; -1 with errno: closed or full */
	void (*err)(void *ctx, const char *p, size_t n);    /* everything else */
	/* A line that the next one replaces, for who waits at a terminal; NULL takes it away. NULL: no such line there. */
	void (*status)(void *ctx, const char *line);
	ssize_t (*in)(void *ctx, char *p, size_t n);        /* standard input: bytes, 0 at its end, -1 with errno */
	bool (*in_ready)(void *ctx);                        /* would `in` answer at once? NULL: nobody knows */
	/* Opens the user's editor on path at a line (0: any), waits. NULL: no terminal, so -m or -F is demanded. */
	int (*edit)(void *ctx, const char *path, unsigned line, struct err *e);
	void (*page)(void *ctx, struct repo *r);            /* more than a screenful of text follows: starts the pager */
	bool tty, colour, ascii;                            /* of standard output */
	bool narrow;                                        /* a terminal whose characters are not UTF-8 */
	int width, height;                                  /* cells; 80 and 24 when unknown */
};

enum opt_type { OPT_FLAG, OPT_STR, OPT_LIST, OPT_INT, OPT_TIME };
struct opt {
	char ch;                /* 0: long only */
	const char *name;       /* "message" */
	enum opt_type type;
	size_t offset;          /* into the command's struct of values: bool, const char *, struct strlist, int64_t */
	const char *arg;        /* "TEXT", in usage and help */
	const char *help;
	const char *const *choices; /* STR: NULL-terminated, for checks and completion; may be NULL */
};
struct strlist { const char **items; size_t len, alloc; };

enum cmd_needs {
	NEED_REPO = 1 << 0,     /* a repository */
	NEED_STORE = 1 << 1,    /* set up: made on the fly with NEED_WRITE; without, an unset repository is just empty */
	NEED_INDEX = 1 << 2,    /* opened and refreshed */
	NEED_PLACES = 1 << 3,   /* places brought up to HEAD, but for many new ones: cmd_all_places, work_places_of */
	NEED_WRITE = 1 << 4,
	NEED_REPO_MAYBE = 1 << 5,
};
enum cmd_flags {
	CMD_JSON = 1 << 0,      /* takes --json and --jsonl */
	CMD_POSTS = 1 << 1,     /* takes -m -F --draft --private --to --dry-run */
	CMD_HIDDEN = 1 << 2,
	CMD_RAW = 1 << 3,       /* parses its own words (hook run) */
	CMD_PAGE = 1 << 4,      /* long text goes through the pager */
	CMD_TEXT = 1 << 5,      /* takes -m -F --draft --dry-run: a text that goes where its thread is */
};

struct cmd;
struct cmd_entry {
	const char *name;
	const char *args;       /* "ANCHOR…" */
	const char *summary;    /* one line, no full stop */
	const char *help;       /* some paragraphs for -h, or NULL */
	const struct opt *opts; /* ends with name NULL; NULL: none */
	size_t values;          /* size of the struct the options are read into */
	int min_args, max_args; /* max -1: any */
	unsigned needs, flags;
	int (*run)(struct cmd *c, struct err *e);
	const struct cmd_entry *sub;   /* "task show": rows of the second word; ends with name NULL */
	const char *complete;   /* kind of the arguments for completion: "anchor" "thread" "task" "query" "draft" … */
};
/* The table: families of commands in the order of the manual (src/commands.c); ends with title NULL. */
struct cmd_family {
	const char *title;
	const struct cmd_entry *rows;
	const char *page;       /* of the manual, for "help COMMAND" on a terminal; NULL: none */
};
extern const struct cmd_family cmd_families[];
/* Every row of the first level in turn: NULL begins, NULL ends. */
const struct cmd_entry *cmd_next(const struct cmd_entry *prev);

/* Options that every command or every posting command takes. */
struct cmd_common { bool json, jsonl, help, no_pager; const char *dir, *color; };
struct cmd_posting {
	const char *message, *file, *to;
	bool draft, private_, dry_run;
};

/* What takes long is told after a moment. */
struct cmd_progress { int64_t start, last; };

struct cmd {
	const struct cmd_entry *entry;
	struct cmd_progress progress;
	struct cmd_io *io;
	struct work *work;      /* as needed by the row, else NULL; shared by a long-lived face */
	struct arena *arena;    /* of this run */
	void *values;           /* the row's struct */
	struct cmd_common common;
	struct cmd_posting posting;
	int argc;
	const char *const *argv; /* after the options; argv[argc] is NULL */
	int dashes;              /* index in argv of the first word after "--", or -1 */
	struct out *o;
	struct { bool asked; uint64_t missing; } places; /* the result goes by places; so many threads have none yet */
	struct sources *sources; /* of act_sources; the engine's to release */
	int status;             /* a status to end with although all went well (doctor: 1 when something is wrong) */
};

/*
 * Runs argv[0] … as a command. work NULL: opened and closed here, and -C changes the working folder. Returns the exit
 * status; everything was said through io.
 */
int cmd_run(struct cmd_io *io, struct work *work, int argc, const char *const *argv);
/*
 * The shell's: standard files (also closed ones), signals, private umask, -C and --version before the command, unknown
 * words. face: what opens when no command is given (the TUI, which is on a higher floor), or NULL.
 */
typedef int cmd_face(struct work *w, const char *start, struct err *e);
int cmd_main(int argc, char **argv, cmd_face *face);
/* The user's editor (GIT_EDITOR, core.editor, VISUAL, EDITOR) on path at a line (0: any), on the terminal; waits. */
int cmd_editor(const char *path, unsigned line, struct err *e);
/* sub NULL: the first level. NULL: no such command. Exact names only. */
const struct cmd_entry *cmd_find(const char *name, const char *sub);
/* The nearest name for a mistyped one, an abbreviation's full name first; NULL if none is near. */
const char *cmd_suggest(const char *name, const struct cmd_entry *rows /* NULL: the first level */);
/* Usage and help text of a row, from its options. parent: "task" for its rows, else NULL. */
void cmd_usage(struct buf *b, const struct cmd_entry *e, const char *parent);

/* The parser, usable alone: option tables over their structs of values. */
struct opt_set { const struct opt *opts; void *base; };
struct opt_rest { const char **argv; int argc, dashes; };
/* ERR_USAGE names the nearest option. Words that are no options go to rest (arena), in order. */
int opts_parse(const struct opt_set *sets, size_t n_sets, struct arena *a, int argc, const char *const *argv,
    struct opt_rest *rest, struct err *e);
/* The sets of a row with its shared options, the row's own first; returns how many. c NULL: for listing alone. */
#define CMD_OPT_SETS 5
size_t cmd_opt_sets(const struct cmd_entry *e, struct cmd *c, struct opt_set sets[CMD_OPT_SETS]);

/* For a row with NEED_PLACES: all threads are placed, however many are new; or those that a file shows, and whoever reads is
 * told how many were left (c->places; killick-json's "complete" and "unplaced"): a process of its own goes on with them. */
int cmd_all_places(struct cmd *c, struct err *e);
int cmd_file_places(struct cmd *c, const char *path, struct err *e);

#endif
