/* SPDX-License-Identifier: MIT */
/*
 * The shell's side of the engine: standard files, signals, editor and pager.
 *
 * A closed descriptor 0, 1 or 2 is filled with /dev/null opened the wrong way round before anything else is opened, so
 * that no database ever becomes "standard output", and using it still fails (as gnulib's stdopen does). SIGPIPE is
 * ignored: a closed pipe is an error of write(2) that ends in status 141 without a word, after what was begun is done.
 * SIGINT and SIGTERM keep their default action; what must not be cut in two (write.c) blocks them for that moment.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "killick/base/file.h"
#include "killick/base/proc.h"
#include "killick/cmd/out.h"
#include "killick/store/settings.h"

struct shell {
	pid_t pager;     /* 0: none */
	struct arena arena;
};

static void fill_standard_files(void)
{
	static const int wrong[] = { O_WRONLY, O_RDONLY, O_RDWR };

	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF && open("/dev/null", wrong[fd]) != fd)
			_exit(EXIT_FAILED);
	}
}

static int shell_out(void *ctx, const char *p, size_t n)
{
	(void)ctx;
	return write_full(STDOUT_FILENO, p, n);
}

static void shell_err(void *ctx, const char *p, size_t n)
{
	(void)ctx;
	if (write_full(STDERR_FILENO, p, n))
		return; /* nobody left to tell */
}

/* The texts are killick's own and ASCII; a narrow terminal must not wrap them. */
static void shell_status(void *ctx, const char *line)
{
	struct buf b = BUF_INIT;

	(void)ctx;
	buf_addf(&b, "\r%s\033[K%s", line ? line : "", line ? "" : "\r");
	shell_err(NULL, b.ptr, b.len);
	buf_release(&b);
}

static ssize_t shell_in(void *ctx, char *p, size_t n)
{
	ssize_t r;

	(void)ctx;
	do
		r = read(STDIN_FILENO, p, n);
	while (r < 0 && errno == EINTR);
	return r;
}

/* A file is always ready; so is a pipe whose writer has gone. */
static bool shell_in_ready(void *ctx)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	(void)ctx;
	return poll(&p, 1, 0) > 0;
}

static const char *env_or(const char *name, const char *def)
{
	const char *v = getenv(name);

	return v && *v ? v : def;
}

static bool term_is_dumb(void)
{
	return !strcmp(env_or("TERM", "dumb"), "dumb");
}

/* killick.editor, then as git finds it: GIT_EDITOR, the user's own core.editor, VISUAL unless the terminal is dumb, EDITOR,
 * editor. */
static const char *editor_name(struct arena *a)
{
	const char *v = setting_get(NULL, a, "editor");

	if (*v || (v = env_or("GIT_EDITOR", NULL)) || repo_config(NULL, CONFIG_USER, "core.editor", a, &v))
		return v;
	if (!term_is_dumb() && (v = env_or("VISUAL", NULL)))
		return v;
	if ((v = env_or("EDITOR", NULL)))
		return v;
	return term_is_dumb() ? NULL : "editor";
}

/* "+12" is understood by these; others get the path alone. */
static bool editor_takes_line(const char *program)
{
	static const char *const known[] = { "vi", "vim", "nvim", "view", "nano", "pico", "emacs", "emacsclient", "micro",
		"kak", "joe", "jed", "mg", "ne", "editor", "vim.basic", "vim.tiny", "vim.nox", NULL };
	const char *base = strrchr(program, '/');

	base = base ? base + 1 : program;
	for (size_t i = 0; known[i]; i++) {
		if (!strcmp(known[i], base))
			return true;
	}
	return false;
}

static int run_editor(struct arena *a, const char *path, unsigned line, struct err *e)
{
	const char *name = editor_name(a), **words, **argv;
	struct proc p = { .flags = PROC_TTY | PROC_KEEP_GIT_ENV };
	size_t n = 0;

	if (!name)
		return err_set(e, ERR_USAGE, "the terminal is dumb and EDITOR is not set: give the text with -m TEXT or -F FILE");
	if (!proc_split(a, name, &words) || !words[0])
		return err_set(e, ERR_USAGE, "cannot make sense of the editor '%s': see its quotes", name);
	while (words[n])
		n++;
	argv = arena_alloc(a, sizeof(*argv) * (n + 3));
	memcpy(argv, words, sizeof(*argv) * n);
	if (line > 1 && editor_takes_line(words[0]))
		argv[n++] = arena_printf(a, "+%u", line);
	argv[n] = path;
	p.argv = argv;
	if (proc_run(&p, e))
		return err_prefix(e, "the editor '%s'", name);
	if (p.status > 128)
		return err_set(e, ERR_CANCELLED, "the editor '%s' was killed by signal %d", name, p.status - 128);
	return p.status ? err_set(e, ERR_CANCELLED, "the editor '%s' gave up (status %d)", name, p.status) : 0;
}

int cmd_editor(const char *path, unsigned line, struct err *e)
{
	struct arena a = ARENA_INIT;
	int rc = run_editor(&a, path, line, e);

	arena_release(&a);
	return rc;
}

static int shell_edit(void *ctx, const char *path, unsigned line, struct err *e)
{
	(void)ctx;
	return cmd_editor(path, line, e);
}

/* The pager reads what we write from now on; without one the text just goes to the terminal. */
static void shell_page(void *ctx, struct repo *r)
{
	struct shell *sh = ctx;
	const char *cmd = setting_get(r, &sh->arena, "pager"), **argv;
	static const char *const env[] = { "LESS=FRX", "LV=-c", NULL };
	static const char *const env_less[] = { "LV=-c", NULL };
	struct proc p = { .env = getenv("LESS") ? env_less : env, .flags = PROC_TTY };
	struct err ignored = ERR_INIT;
	int fd;

	if (!cmd || !*cmd)
		cmd = env_or("GIT_PAGER", env_or("PAGER", "less"));
	if (!strcmp(cmd, "cat") || !proc_split(&sh->arena, cmd, &argv) || !argv[0])
		return;
	p.argv = argv;
	if (proc_start_reader(&p, &sh->pager, &fd, &ignored)) {
		sh->pager = 0;
		return;
	}
	dup2(fd, STDOUT_FILENO);
	close(fd);
}

/* The text has ended: the pager stays until the user leaves it. Ctrl-C belongs to the pager meanwhile. */
static void pager_wait(struct shell *sh)
{
	int status;

	if (!sh->pager)
		return;
	signal(SIGINT, SIG_IGN);
	close(STDOUT_FILENO);
	while (waitpid(sh->pager, &status, 0) < 0 && errno == EINTR)
		;
}

/* The charset a locale names: "UTF-8"; NULL where it names none ("C"), which says nothing about the terminal. */
static const char *locale_charset(void)
{
	const char *dot = strchr(env_or("LC_ALL", env_or("LC_CTYPE", env_or("LANG", ""))), '.');

	return dot ? dot + 1 : NULL;
}

static bool is_utf8(const char *charset)
{
	return charset && (!strncasecmp(charset, "utf-8", 5) || !strncasecmp(charset, "utf8", 4));
}

static int env_cells(const char *name)
{
	uint64_t n;
	const char *v = getenv(name);

	return v && str_to_u64(v, 10000, &n) && n > 0 ? (int)n : 0;
}

static void io_sizes(struct cmd_io *io)
{
	struct winsize ws = { 0 };

	if (io->tty)
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
	io->width = env_cells("COLUMNS");
	io->height = env_cells("LINES");
	if (!io->width)
		io->width = ws.ws_col ? ws.ws_col : 80;
	if (!io->height)
		io->height = ws.ws_row ? ws.ws_row : 24;
}

static void io_open(struct cmd_io *io, struct shell *sh)
{
	*io = (struct cmd_io){ .ctx = sh, .out = shell_out, .err = shell_err, .in = shell_in, .in_ready = shell_in_ready,
		.page = shell_page };
	io->tty = isatty(STDOUT_FILENO);
	io->colour = io->tty && !term_is_dumb();
	io->ascii = !is_utf8(locale_charset());
	io->narrow = io->tty && locale_charset() && io->ascii;
	if (isatty(STDIN_FILENO))
		io->edit = shell_edit;
	if (isatty(STDERR_FILENO) && !term_is_dumb())
		io->status = shell_status;
	io_sizes(io);
}

struct global { bool help, version; };

/* What stands before the command: -C DIR, --version, --help. Returns how many words that was, -1 on error. */
static int global_options(int argc, const char *const *argv, struct global *g, struct err *e)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-C") && i + 1 < argc) {
			if (argv[++i][0] && chdir(argv[i]))
				return err_errno(e, "cannot work in '%s'", argv[i]);
		} else if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
			g->help = true;
		} else if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "-V")) {
			g->version = true;
		} else if (!strcmp(argv[i], "-C")) {
			return err_set(e, ERR_USAGE, "-C needs a folder");
		} else {
			return err_set(e, ERR_USAGE, "unknown option '%s' before the command (killick help)", argv[i]);
		}
	}
	return i;
}

static int open_face(struct cmd_io *io, cmd_face *face)
{
	static const char *const help[] = { "help", NULL };
	struct cmd c = { .io = io };
	struct work *w = NULL;
	struct err e = ERR_INIT;
	int status;

	if (!face)
		return cmd_run(io, NULL, 1, help);
	out_open(&c);
	status = work_open(NULL, &w, &e) ? -1 : face(w, NULL, &e);
	if (status < 0) {
		out_error(&c, &e);
		status = exit_status_of(e.code);
	}
	out_close(&c);
	if (w)
		work_close(w);
	return status;
}

static int run_words(struct cmd_io *io, int argc, const char *const *argv, cmd_face *face)
{
	static const char *const version[] = { "version", NULL }, *const help[] = { "help", NULL };
	struct cmd c = { .io = io };
	struct global g = { false, false };
	struct err e = ERR_INIT;
	int at = global_options(argc, argv, &g, &e);

	if (at < 0) {
		out_open(&c);
		out_error(&c, &e);
		out_close(&c);
		return exit_status_of(e.code);
	}
	if (g.version)
		return cmd_run(io, NULL, 1, version);
	if (g.help)
		return cmd_run(io, NULL, 1, help);
	return at < argc ? cmd_run(io, NULL, argc - at, argv + at) : open_face(io, face);
}

int cmd_main(int argc, char **argv, cmd_face *face)
{
	struct shell sh = { 0, ARENA_INIT };
	struct cmd_io io;
	int status;

	fill_standard_files();
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* inherited as ignored, it would have the kernel throw our children's statuses away */
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error to report, as a full disk is */
	io_open(&io, &sh);
	status = run_words(&io, argc, (const char *const *)argv, face);
	pager_wait(&sh);
	/* A disk that is full or a server that is gone may show only now (close(2), NFS and quotas). */
	if (!sh.pager && close(STDOUT_FILENO) && errno != EBADF && status == EXIT_DONE) {
		shell_err(NULL, "killick: the result could not be written\n", 41);
		status = EXIT_FAILED;
	}
	arena_release(&sh.arena);
	return status;
}
