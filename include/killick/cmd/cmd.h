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

enum exit_status {
	EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOT_FOUND = 3, EXIT_CONFLICT = 4, EXIT_AUTH = 5,
	EXIT_BAD_DATA = 6, EXIT_TRY_LATER = 75,
};
int exit_status_of(enum err_code code);

/* Where a command's words go and come from. The shell's is made of the three standard files; the TUI's of buffers. */
struct cmd_io {
	void *ctx;
	int (*out)(void *ctx, const char *p, size_t n);     /* results; -1: closed or full */
	void (*err)(void *ctx, const char *p, size_t n);    /* everything else */
	int (*in)(void *ctx, struct buf *b, struct err *e); /* all of standard input; NULL: none */
	/* Opens the user's editor on path, waits. NULL: there is no terminal, so -m or -F is demanded. */
	int (*edit)(void *ctx, const char *path, unsigned line, struct err *e);
	bool tty, colour, ascii;                            /* of standard output */
	int width;                                          /* cells, 80 when unknown */
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
	NEED_STORE = 1 << 1,    /* set up: made on the fly by commands that write (NEED_WRITE), an error otherwise not: empty */
	NEED_INDEX = 1 << 2,    /* opened and refreshed */
	NEED_PLACES = 1 << 3,   /* places brought up to HEAD */
	NEED_WRITE = 1 << 4,
	NEED_REPO_MAYBE = 1 << 5,
};
enum cmd_flags {
	CMD_JSON = 1 << 0,      /* takes --json and --jsonl */
	CMD_POSTS = 1 << 1,     /* takes -m -F --draft --private --to --dry-run */
	CMD_HIDDEN = 1 << 2,
	CMD_RAW = 1 << 3,       /* parses its own words (hook run) */
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
extern const struct cmd_entry commands[];   /* src/killick.c's table; ends with name NULL */

/* Options that every command or every posting command takes. */
struct cmd_common { bool json, jsonl, help; const char *dir; };
struct cmd_posting {
	const char *message, *file, *to;
	bool draft, private_, dry_run;
	struct strlist ask;
};

struct cmd {
	const struct cmd_entry *entry;
	struct cmd_io *io;
	struct work *work;      /* as needed by the row, else NULL; shared by a long-lived face */
	struct arena *arena;    /* of this run */
	void *values;           /* the row's struct */
	struct cmd_common common;
	struct cmd_posting posting;
	int argc;
	const char *const *argv; /* after the options; argv[argc] is NULL */
	struct out *o;
	int status;             /* a status to end with although all went well (doctor: 1 when something is wrong) */
};

/*
 * Runs words[0] … as a command. work NULL: opened and closed here. dir: as -C. Returns the exit status; everything was
 * said through io. cmd_main is the shell's: standard files, signals, -C, aliases, unknown words.
 */
int cmd_run(struct cmd_io *io, struct work *work, int argc, const char *const *argv);
int cmd_main(int argc, char **argv);
const struct cmd_entry *cmd_find(const char *name, const char *sub);
/* Usage and help text of a row, from its options. */
void cmd_usage(struct buf *b, const struct cmd_entry *e);

#endif
