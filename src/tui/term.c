/* SPDX-License-Identifier: MIT */
/*
 * The only file that knows curses.
 *
 * curses opens the terminal, reads its keys and knows its capabilities; what is painted is written here, straight from
 * the canvas, because curses counts columns by the C library's wcwidth, which differs from what terminals draw for emoji
 * (trust.md 4: glibc 2.36 gives a skin-toned thumb 4 columns, a family 6, new emoji -1), and because it (6.4) writes to
 * the terminal after every movement of the cursor: a page came in 200 pieces. Here only cells that changed are written,
 * all in one piece. The cursor is addressed anew after every cluster on which the C library and we differ and at the end
 * of what is not ASCII: whatever the terminal makes of a cluster, the next column stands where it belongs.
 *
 * Signals only set flags and write a byte into a pipe that the main loop waits on. A crash, or a second SIGTERM, writes
 * the bytes that give the terminal back, prepared at start, and dies of its signal. This state is the one mutable
 * thing at file scope in the screens: a process has one terminal.
 */
#include "config.h"
#include "killick/base/clock.h"
#include "killick/base/file.h"
#include "killick/base/utf8.h"
#include "killick/text/width.h"
#include "term.h"
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>
/* Last: <term.h> makes macros of ordinary words. */
#define trace trace_by_curses   /* ours is in base/err.h */
#include <curses.h>
#include <term.h>

struct pen { attr_t attrs; int pair; bool known; };
struct terminal {
	struct term_config config;
	SCREEN *screen;
	FILE *in, *out;          /* headless: /dev/null */
	struct canvas canvas, shown;
	bool *sure;              /* rows as shown: no cluster in them on whose width terminals differ */
	bool all;                /* nothing on the screen can be relied on */
	int colours;
	bool utf8, bright;       /* bright: no RGB, palette numbers */
	struct palette palette;
	struct pen pens[STYLE_COUNT][CELL_FLAGS];
	ARRAY(struct key) fed;
	size_t fed_next;
	int64_t click_time;
	int click_y, click_x;
	int barren;              /* times the terminal said "readable" and gave nothing */
};

static struct {
	volatile sig_atomic_t winch, quit, stop, cont, quits;
	volatile sig_atomic_t active;
	int pipe[2];
	struct termios saved;
	char restore[256];
	size_t restore_len;
} sig = { .pipe = { -1, -1 } };

/* ---- signals */

static void give_back(void)
{
	ssize_t n UNUSED;

	if (!sig.active)
		return;
	n = write(STDOUT_FILENO, sig.restore, sig.restore_len);
	tcsetattr(STDIN_FILENO, TCSANOW, &sig.saved);
}

static void on_signal(int signo)
{
	int saved_errno = errno;
	ssize_t n UNUSED;

	switch (signo) {
	case SIGWINCH: sig.winch = 1; break;
	case SIGTSTP: sig.stop = 1; break;
	case SIGCONT: sig.cont = 1; break;
	default:
		sig.quit = signo;
		if (++sig.quits > 2) {
			give_back();
			signal(signo, SIG_DFL);
			raise(signo);
		}
	}
	n = write(sig.pipe[1], "", 1);
	errno = saved_errno;
}

#if !defined(__SANITIZE_ADDRESS__)
static void on_crash(int signo)
{
	give_back();
	signal(signo, SIG_DFL);
	raise(signo);
}
#endif

static void catch(int signo, void (*fn)(int))
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = SA_RESTART };

	sigemptyset(&sa.sa_mask);
	sigaction(signo, &sa, NULL);
}

static void catch_all(void (*fn)(int))
{
	static const int signals[] = { SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		catch(signals[i], fn);
#if !defined(__SANITIZE_ADDRESS__)
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		catch(crashes[i], fn == SIG_DFL ? SIG_DFL : on_crash);
#endif
}

static int make_pipe(struct err *e)
{
	if (sig.pipe[0] >= 0)
		return 0;
	if (pipe(sig.pipe) < 0)
		return err_errno(e, "pipe");
	for (int i = 0; i < 2; i++) {
		fcntl(sig.pipe[i], F_SETFD, FD_CLOEXEC);
		fcntl(sig.pipe[i], F_SETFL, O_NONBLOCK);
	}
	return 0;
}

static void restore_add(const char *s)
{
	size_t n = s && s != (char *)-1 ? strlen(s) : 0;

	if (n && sig.restore_len + n < sizeof(sig.restore)) {
		memcpy(sig.restore + sig.restore_len, s, n);
		sig.restore_len += n;
	}
}

/* What endwin() would send, kept ready for a handler that may call nothing. */
static void prepare_restore(void)
{
	sig.restore_len = 0;
	restore_add("\033[?2004l\033[?1006;1002;1000l");
	restore_add(exit_attribute_mode);
	restore_add(keypad_local);
	restore_add(exit_ca_mode);
	restore_add(cursor_normal);
}

/* ---- opening and closing */

static bool term_usable(struct err *e)
{
	const char *name = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		err_set(e, ERR_USAGE, "the screens need a terminal; \"killick inbox\" prints, \"killick tui --plain\" talks line by line");
	else if (!name || !*name || !strcmp(name, "dumb"))
		err_set(e, ERR_USAGE, "this terminal (TERM=%s) cannot show screens; \"killick tui --plain\" talks line by line, "
			"\"killick inbox\" prints", name && *name ? name : "unset");
	else
		return true;
	return false;
}

static int open_headless(struct terminal *t, struct err *e)
{
	static const char *const tries[] = { NULL, "xterm-256color", "xterm", "ansi", "vt100" };
	char size[16];

	t->in = fopen("/dev/null", "r");
	t->out = fopen("/dev/null", "w");
	if (!t->in || !t->out)
		return err_errno(e, "/dev/null");
	snprintf(size, sizeof(size), "%d", t->config.rows);
	setenv("LINES", size, 1);
	snprintf(size, sizeof(size), "%d", t->config.cols);
	setenv("COLUMNS", size, 1);
	for (size_t i = 0; i < ARRAY_SIZE(tries) && !t->screen; i++) {
		const char *name = tries[i] ? tries[i] : getenv("TERM");

		if (name && strcmp(name, "dumb"))
			t->screen = newterm(name, t->out, t->in);
	}
	return t->screen ? 0 : err_set(e, ERR_FAILED, "curses knows no terminal at all here (ncurses-base missing?)");
}

static int open_real(struct terminal *t, struct err *e)
{
	if (!term_usable(e) || make_pipe(e) < 0)
		return -1;
	tcgetattr(STDIN_FILENO, &sig.saved);
	t->screen = newterm(NULL, stdout, stdin);
	if (!t->screen)
		return err_set(e, ERR_USAGE, "curses does not know this terminal (TERM=%s); try TERM=xterm, or \"killick tui --plain\"",
			getenv("TERM"));
	if (cursor_address)
		return 0;
	endwin();
	delscreen(t->screen);
	return err_set(e, ERR_USAGE, "this terminal (TERM=%s) has no way to place text; try TERM=xterm, or \"killick tui --plain\"",
		getenv("TERM"));
}

static void start_colours(struct terminal *t)
{
	const char *no = getenv("NO_COLOR");

	t->config.theme = theme_resolve(no && *no ? THEME_MONO : t->config.theme);
	palette_init(&t->palette, t->config.theme);
	if (t->config.theme == THEME_MONO || !has_colors())
		return;
	start_color();
	use_default_colors();
	t->colours = COLORS;
	/* Direct colour is usable only where the description says that a number is the colour itself. */
	if (t->colours >= 1 << 24 && tigetflag("RGB") <= 0 && tigetnum("RGB") <= 0)
		t->colours = 256;
}

static void extras(struct terminal *t, bool on)
{
	if (t->config.headless)
		return;
	if (!enter_ca_mode)
		return;
	/* Pasted text comes marked, so that it is not taken for keys. Terminals that know it not ignore it. */
	fputs(on ? "\033[?2004h" : "\033[?2004l", stdout);
	if (t->config.mouse)
		fputs(on ? "\033[?1000h\033[?1006h" : "\033[?1006l\033[?1000l", stdout);
	fflush(stdout);
}

/* What curses knows no key for. Its own mouse loses the second of two clicks that arrive together. */
enum { CODE_PASTE_BEGIN = KEY_MAX - 4, CODE_PASTE_END, CODE_MOUSE, CODE_OLD_MOUSE };
static const struct { const char *bytes; int code; } sequences[] = {
	{ "\033[200~", CODE_PASTE_BEGIN }, { "\033[201~", CODE_PASTE_END }, { "\033[<", CODE_MOUSE }, { "\033[M", CODE_OLD_MOUSE },
};

static void setup(struct terminal *t)
{
	raw();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	typeahead(-1);
	curs_set(0);
	for (size_t i = 0; i < ARRAY_SIZE(sequences); i++)
		define_key(sequences[i].bytes, sequences[i].code);
	start_colours(t);
	extras(t, true);
}

int term_open(struct terminal **out, const struct term_config *c, struct err *e)
{
	struct terminal *t = xcalloc(1, sizeof(*t));

	t->config = *c;
	if ((c->headless ? open_headless(t, e) : open_real(t, e)) < 0) {
		if (t->in)
			fclose(t->in);
		if (t->out)
			fclose(t->out);
		free(t);
		return -1;
	}
	t->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	setup(t);
	if (!c->headless) {
		prepare_restore();
		sig.active = 1;
		catch_all(on_signal);
	}
	term_resize(t, c->headless ? c->rows : LINES, c->headless ? c->cols : COLS);
	*out = t;
	return 0;
}

void term_close(struct terminal *t)
{
	if (!t)
		return;
	extras(t, false);
	endwin();
	sig.active = 0;
	if (!t->config.headless)
		catch_all(SIG_DFL);
	delscreen(t->screen);
	if (t->in)
		fclose(t->in);
	if (t->out)
		fclose(t->out);
	canvas_release(&t->canvas);
	canvas_release(&t->shown);
	array_release(&t->fed);
	free(t->sure);
	free(t);
}

void term_resize(struct terminal *t, int rows, int cols)
{
	if (is_term_resized(rows, cols))
		resizeterm(rows, cols);
	canvas_resize(&t->canvas, rows, cols);
	canvas_resize(&t->shown, rows, cols);
	t->sure = xreallocarray(t->sure, (size_t)t->canvas.rows, sizeof(*t->sure));
	t->all = true;
}

struct canvas *term_canvas(struct terminal *t)
{
	return &t->canvas;
}

bool term_ascii(const struct terminal *t)
{
	return t->config.ascii || !t->utf8;
}

/* ---- drawing */

static attr_t attrs_of(unsigned look)
{
	static const struct { unsigned look; attr_t attr; } map[] = {
		{ LOOK_BOLD, A_BOLD }, { LOOK_DIM, A_DIM }, { LOOK_ITALIC, A_ITALIC }, { LOOK_UNDERLINE, A_UNDERLINE },
		{ LOOK_REVERSE, A_REVERSE },
	};
	attr_t a = A_NORMAL;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (look & map[i].look)
			a |= map[i].attr;
	return a;
}

static const struct pen *pen_of(struct terminal *t, const struct cell *cell)
{
	struct pen *p = &t->pens[cell->style < STYLE_COUNT ? cell->style : 0][cell->flags % CELL_FLAGS];
	struct look l;

	if (p->known)
		return p;
	l = theme_look(&t->palette, t->colours, cell->style, cell->flags % CELL_FLAGS);
	p->attrs = attrs_of(l.attrs);
	if (t->colours && (l.fg != COLOUR_DEFAULT || l.bg != COLOUR_DEFAULT))
		p->pair = alloc_pair(l.fg, l.bg);
	if (p->pair < 0)
		p->pair = 0;
	p->known = true;
	return p;
}

int term_colour(struct terminal *t, const char *line, struct err *e)
{
	memset(t->pens, 0, sizeof(t->pens));
	t->all = true;
	return palette_line(&t->palette, line, e);
}

/* The C library counts the cluster's columns as we do, and so, it is hoped, does the terminal. */
static bool cell_sure(const struct cell *cell)
{
	const char *p = cell->text;
	int32_t cp;

	if ((unsigned char)p[0] < 0x80)
		return !p[1];
	for (int n = 0; *p; n++) {
		p += utf8_next(p, strlen(p), &cp);
		if (cp == UTF8_BAD || wcwidth((wchar_t)cp) != (n ? 0 : cell->width))
			return false;
	}
	return true;
}

static bool row_sure(const struct canvas *c, int y)
{
	for (int x = 0; x < c->cols; x++)
		if (!cell_sure(canvas_at(c, y, x)))
			return false;
	return true;
}

/* What is written here goes to the terminal in one piece. tputs() knows no context. */
static struct buf *out;
static int out_ch(int c)
{
	buf_addch(out, c);
	return c;
}

static void out_address(int y, int x)
{
	tputs(tparm(cursor_address, (long)y, (long)x, 0L, 0L, 0L, 0L, 0L, 0L, 0L), 1, out_ch);
}

static void out_pen(const struct pen *p)
{
	int pair = p->pair;

	vid_puts(p->attrs, 0, &pair, out_ch);
}

static void out_text(const struct terminal *t, const struct cell *cell)
{
	int32_t first;
	size_t n = utf8_next(cell->text, strlen(cell->text), &first);

	if (!cell->text[1])
		buf_addch(out, cell->text[0]);
	else if (t->utf8 && (!t->config.plain_emoji || cell_sure(cell)))
		buf_addstr(out, cell->text);
	else if (t->utf8 && first != UTF8_BAD && wcwidth((wchar_t)first) == cell->width)
		buf_add(out, cell->text, n);
	else
		buf_addstr(out, cell->width == 2 ? "? " : "?");
}

static bool cell_same(const struct terminal *t, int y, int x)
{
	return !memcmp(canvas_at(&t->canvas, y, x), canvas_at(&t->shown, y, x), sizeof(struct cell));
}

/* Cells from x on that stand on the screen already. A few of them are sooner written again than skipped. */
static int cells_same(const struct terminal *t, int y, int x)
{
	int n = 0;

	while (x + n < t->canvas.cols && cell_same(t, y, x + n))
		n++;
	return n > 8 || x + n == t->canvas.cols ? n : 0;
}

static bool pen_is_bare(const struct pen *p)
{
	return p->attrs == A_NORMAL && p->pair == 0;
}

/* Where the blanks begin that the row ends with; they are cleared instead of written. */
static int row_end(struct terminal *t, int y)
{
	int x = t->canvas.cols;

	while (x > 0 && clr_eol) {
		const struct cell *cell = canvas_at(&t->canvas, y, x - 1);

		if (strcmp(cell->text, " ") || !pen_is_bare(pen_of(t, cell)))
			break;
		x--;
	}
	return x;
}

static bool past_the_end(const struct terminal *t, int y, int x)
{
	return x >= t->canvas.cols && y == t->canvas.rows - 1 && auto_right_margin && !eat_newline_glitch;
}

/* A run of cells that changed; the cursor is addressed anew where the terminal may have counted otherwise. */
static int write_cells(struct terminal *t, int y, int x, int end, bool whole)
{
	const struct pen *pen = NULL;
	bool address = true, other = false;

	while (x < end && (whole || !cells_same(t, y, x))) {
		const struct cell *cell = canvas_at(&t->canvas, y, x);
		bool ascii = (unsigned char)cell->text[0] < 0x80, sure = cell_sure(cell);

		if (past_the_end(t, y, x + cell->width))
			return end;
		if (address || (other && (ascii || !sure)))
			out_address(y, x);
		if (pen != pen_of(t, cell))
			out_pen(pen = pen_of(t, cell));
		out_text(t, cell);
		address = !sure;
		other = !ascii;
		x += cell->width ? cell->width : 1;
	}
	return x;
}

/* A row in which the terminal's columns may differ from ours, now or before, is written whole, onto blanks. */
static void write_row(struct terminal *t, int y)
{
	bool sure = row_sure(&t->canvas, y), whole = !sure || !t->sure[y];
	int end = row_end(t, y), x = whole ? 0 : cells_same(t, y, 0);
	struct pen bare = { .attrs = A_NORMAL };

	t->sure[y] = sure;
	if (whole && clr_eol) {
		out_address(y, 0);
		out_pen(&bare);
		tputs(clr_eol, 1, out_ch);
	}
	while (x < end) {
		if (x > 0 && canvas_at(&t->canvas, y, x)->width == 0)
			x--;
		x = write_cells(t, y, x, end, whole);
		x += whole ? 0 : cells_same(t, y, x);
	}
	if (whole || x >= t->canvas.cols)
		return;
	out_address(y, end);
	out_pen(&bare);
	tputs(clr_eol, 1, out_ch);
}

static void show_cursor(const struct terminal *t)
{
	const struct canvas *c = &t->canvas;
	bool on = c->cursor_y >= 0 && c->cursor_x >= 0 && c->cursor_y < c->rows && c->cursor_x < c->cols;

	if (on)
		out_address(c->cursor_y, c->cursor_x);
	curs_set(on);
}

/* curses clears the screen, having come back to it if it was left. What is on it then need not look like our blanks. */
static void start_anew(struct terminal *t)
{
	clearok(stdscr, TRUE);
	refresh();
	memset(t->shown.cells, 0, (size_t)t->shown.rows * t->shown.cols * sizeof(struct cell));
	for (int y = 0; y < t->canvas.rows; y++)
		t->sure[y] = true;
	t->all = false;
}

void term_flush(struct terminal *t)
{
	size_t row = (size_t)t->canvas.cols * sizeof(struct cell);
	struct pen bare = { .attrs = A_NORMAL };
	struct buf b = BUF_INIT;

	if (t->all)
		start_anew(t);
	out = &b;
	for (int y = 0; y < t->canvas.rows; y++)
		if (memcmp(canvas_at(&t->canvas, y, 0), canvas_at(&t->shown, y, 0), row)) {
			write_row(t, y);
			memcpy(canvas_at(&t->shown, y, 0), canvas_at(&t->canvas, y, 0), row);
		}
	if (b.len)
		out_pen(&bare);
	show_cursor(t);
	/* vid_puts() leaves some of what it says in curses' own buffer, which is written when that is full: in the middle of a
	 * sequence, whose other half then stands on the screen as text. It goes out whole, before what is ours. */
	if (b.len) {
		refresh();
		write_full(t->out ? fileno(t->out) : STDOUT_FILENO, b.ptr, b.len);
	}
	buf_release(&b);
}

void term_redraw(struct terminal *t)
{
	t->all = true;
}

/* ---- keys */

static uint32_t named_key(int c)
{
	static const struct { int curses; uint32_t key; } map[] = {
		{ KEY_UP, K_UP }, { KEY_DOWN, K_DOWN }, { KEY_LEFT, K_LEFT }, { KEY_RIGHT, K_RIGHT }, { KEY_HOME, K_HOME },
		{ KEY_END, K_END }, { KEY_PPAGE, K_PGUP }, { KEY_NPAGE, K_PGDN }, { KEY_IC, K_INS }, { KEY_DC, K_DEL },
		{ KEY_BTAB, K_BTAB }, { KEY_BACKSPACE, K_BACKSPACE }, { KEY_ENTER, K_ENTER }, { KEY_SR, K_SHIFT_UP },
		{ KEY_SF, K_SHIFT_DOWN }, { KEY_SLEFT, K_SHIFT_LEFT }, { KEY_SRIGHT, K_SHIFT_RIGHT },
		{ CODE_PASTE_BEGIN, K_PASTE_BEGIN }, { CODE_PASTE_END, K_PASTE_END },
	};

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (map[i].curses == c)
			return map[i].key;
	return c >= KEY_F(1) && c <= KEY_F(12) ? K_F1 + (uint32_t)(c - KEY_F(1)) : 0;
}

static uint32_t typed_key(wint_t c)
{
	return c == '\n' ? K_ENTER : c == '\b' ? K_BACKSPACE : c;
}

#define DOUBLE_MS 400
#define TAIL_MS 50         /* for the rest of a report that was cut in two on its way */

static bool next_char(wint_t *c)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	return get_wch(c) == OK || (poll(&in, 1, TAIL_MS) > 0 && get_wch(c) == OK);
}

/* "0;30;6M": button, column, row; 'm' ends a release. */
static bool read_report(int n[3], bool *pressed)
{
	int i = 0;
	wint_t c;

	n[0] = n[1] = n[2] = 0;
	while (next_char(&c) && i < 3) {
		if (c == 'M' || c == 'm') {
			*pressed = c == 'M';
			return i == 2;
		}
		if (c == ';')
			i++;
		else if (c >= '0' && c <= '9' && n[i] < 100000)
			n[i] = n[i] * 10 + (int)(c - '0');
		else
			return false;
	}
	return false;
}

/* Three characters, each 32 more than it means; releases are button 3. */
static bool read_old_report(int n[3])
{
	wint_t c;

	for (int i = 0; i < 3; i++) {
		if (!next_char(&c) || c < 32)
			return false;
		n[i] = (int)c - 32;
	}
	return true;
}

static bool mouse_key(struct terminal *t, struct key *k, bool modern)
{
	bool pressed = true;
	int64_t now = clock_mono();
	int n[3];

	if (!(modern ? read_report(n, &pressed) : read_old_report(n)) || !pressed || n[0] & 32)
		return false;
	k->code = K_MOUSE;
	k->x = n[1] - 1;
	k->y = n[2] - 1;
	if (n[0] & 64) {
		k->mouse = n[0] & 1 ? MOUSE_WHEEL_DOWN : MOUSE_WHEEL_UP;
		return !(n[0] & 2);
	}
	if (n[0] & 3)
		return false;
	k->mouse = now - t->click_time < DOUBLE_MS && t->click_y == k->y && t->click_x == k->x ? MOUSE_DOUBLE : MOUSE_CLICK;
	t->click_time = k->mouse == MOUSE_DOUBLE ? 0 : now;
	t->click_y = k->y;
	t->click_x = k->x;
	return true;
}

static bool read_key(struct terminal *t, struct key *k)
{
	wint_t c;
	int rc = get_wch(&c);

	if (rc == ERR) {
		t->barren++;
		return false;
	}
	t->barren = 0;
	if (rc == KEY_CODE_YES && (c == CODE_MOUSE || c == CODE_OLD_MOUSE))
		return mouse_key(t, k, c == CODE_MOUSE);
	if (rc == KEY_CODE_YES) {
		k->code = named_key((int)c);
		return k->code != 0;
	}
	if (c != K_ESC) {
		k->code = typed_key(c);
		return true;
	}
	rc = get_wch(&c);
	if (rc == OK)
		k->code = typed_key(c) | KEY_ALT;
	else if (rc == KEY_CODE_YES && named_key((int)c))
		k->code = named_key((int)c) | KEY_ALT;
	else
		k->code = K_ESC;
	return true;
}

static bool fit_to_terminal(struct terminal *t, struct key *k)
{
	struct winsize ws;

	sig.winch = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) < 0 || ws.ws_row == 0 || ws.ws_col == 0)
		return false;
	if (ws.ws_row == t->canvas.rows && ws.ws_col == t->canvas.cols)
		return false;
	term_resize(t, ws.ws_row, ws.ws_col);
	k->code = K_RESIZE;
	return true;
}

bool term_key(struct terminal *t, struct key *k)
{
	memset(k, 0, sizeof(*k));
	if (t->fed_next < t->fed.len) {
		*k = t->fed.items[t->fed_next++];
		return true;
	}
	t->fed.len = t->fed_next = 0;
	if (t->config.headless)
		return false;
	if (sig.winch && fit_to_terminal(t, k))
		return true;
	/* What is no key (a release of the button, an unknown sequence) does not end the run of keys. */
	for (int i = 0; i < 64; i++) {
		int before = t->barren;

		if (read_key(t, k))
			return true;
		if (t->barren != before)
			return false;
	}
	return false;
}

void term_feed(struct terminal *t, struct key k)
{
	*array_add(&t->fed) = k;
}

bool term_fed(const struct terminal *t)
{
	return t->fed_next < t->fed.len;
}

int term_key_fd(const struct terminal *t)
{
	return t->config.headless ? -1 : STDIN_FILENO;
}

int term_signal_fd(const struct terminal *t)
{
	return t->config.headless ? -1 : sig.pipe[0];
}

int term_signalled(struct terminal *t)
{
	char junk[64];

	while (!t->config.headless && read(sig.pipe[0], junk, sizeof(junk)) > 0)
		;
	if (sig.stop) {
		sig.stop = 0;
		term_suspend(t);
	}
	if (sig.cont) {
		sig.cont = 0;
		t->all = true;
	}
	/* The terminal went away without a signal: it is always readable and never gives anything. */
	return t->barren > 1000 ? SIGHUP : (int)sig.quit;
}

/* ---- leaving and coming back */

void term_leave(struct terminal *t)
{
	extras(t, false);
	def_prog_mode();
	endwin();
	if (!t->config.headless)
		fflush(stdout);
}

void term_return(struct terminal *t)
{
	struct key k = { 0 };

	reset_prog_mode();
	flushinp();
	curs_set(0);
	extras(t, true);
	t->all = true;
	sig.quits = 0;
	if (!t->config.headless && fit_to_terminal(t, &k))
		term_feed(t, k);
}

void term_suspend(struct terminal *t)
{
	if (t->config.headless)
		return;
	term_leave(t);
	catch(SIGTSTP, SIG_DFL);
	kill(0, SIGTSTP);
	catch(SIGTSTP, on_signal);
	term_return(t);
}

void term_clipboard(struct terminal *t, const char *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buf b = BUF_INIT;

	buf_addstr(&b, "\033]52;c;");
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)(unsigned char)p[i] << 16 | (i + 1 < n ? (unsigned char)p[i + 1] << 8 : 0) |
			(i + 2 < n ? (unsigned char)p[i + 2] : 0);

		buf_addch(&b, digits[v >> 18]);
		buf_addch(&b, digits[v >> 12 & 63]);
		buf_addch(&b, i + 1 < n ? digits[v >> 6 & 63] : '=');
		buf_addch(&b, i + 2 < n ? digits[v & 63] : '=');
	}
	buf_addstr(&b, "\a");
	if (!t->config.headless)
		write_full(STDOUT_FILENO, b.ptr, b.len);
	buf_release(&b);
}

void term_beep(struct terminal *t)
{
	if (!t->config.headless)
		beep();
}
