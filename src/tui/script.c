/* SPDX-License-Identifier: MIT */
/*
 * Tests drive the screens by a script, a line an instruction, without a terminal:
 *
 *	keys TEXT       keys as "jj<Enter>"; each is taken, painted and settled
 *	ahead TEXT      keys that are all typed before the first is taken
 *	type TEXT       characters as they are
 *	line TEXT       a ":" line
 *	click Y X       also double, up, down (the wheel)
 *	size ROWS COLS  another size
 *	settle [MS]     until nothing is under way
 *	patience MS     how long a key waits for a list, which is read later then (without it: as long as it takes)
 *	dump            the screen, between lines of dashes
 *	rows            every row of the view with the focus (at most 5000)
 *	time N TEXT     takes the keys N times; prints the time from a key to its paint: median, 99th percentile, greatest
 *	monkey SEED N   N random keys, clicks and sizes
 *	say TEXT        prints TEXT
 */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "killick/base/clock.h"
#include "killick/base/file.h"
#include "killick/base/proc.h"
#include "ui.h"
#include "views.h"

#define SETTLE_MS 60000

struct run { struct tui *t; ARRAY(uint32_t) keys; };

static void press(struct tui *t, struct key k)
{
	term_feed(t->term, k);
	tui_settle(t, SETTLE_MS);
}

static void press_code(void *ctx, uint32_t code)
{
	press(ctx, (struct key){ .code = code });
}

static void feed(void *ctx, uint32_t code)
{
	term_feed(((struct tui *)ctx)->term, (struct key){ .code = code });
}

static void collect(void *ctx, uint32_t code)
{
	*array_add(&((struct run *)ctx)->keys) = code;
}

static void dump_screen(struct tui *t)
{
	const struct canvas *c = term_canvas(t->term);
	struct view *v = tui_view(t);

	tui_paint(t);
	buf_addf(&t->dump, "--- %s %dx%d\n", v->ops->name, c->rows, c->cols);
	for (int y = 0; y < c->rows; y++) {
		canvas_row_text(c, y, &t->dump);
		buf_addch(&t->dump, '\n');
	}
	buf_addstr(&t->dump, "---\n");
}

static void dump_rows(struct tui *t)
{
	struct view *v = tui_view(t);
	size_t n;

	view_whole(v);
	n = view_count(v);
	buf_addf(&t->dump, "rows %s %zu\n", v->ops->name, n);
	for (size_t i = 0; i < n && i < 5000; i++) {
		buf_addstr(&t->dump, i == v->cursor ? "> " : "  ");
		view_row_text(v, i, &t->dump);
		buf_addch(&t->dump, '\n');
	}
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* One key, one paint; the idle work it leaves is done outside of the measured time, as it is between two keys. */
static void take_times(struct tui *t, uint64_t n, const char *keys)
{
	struct run r = { t, ARRAY_INIT };
	struct buf bad = BUF_INIT;
	ARRAY(int64_t) us = ARRAY_INIT;

	keys_each(keys, collect, &r, &bad);
	for (uint64_t i = 0; i < n && !t->done; i++)
		for (size_t k = 0; k < r.keys.len; k++) {
			struct key key = { .code = r.keys.items[k] };
			int64_t start = clock_mono_us();

			tui_key(t, &key);
			tui_paint(t);
			*array_add(&us) = clock_mono_us() - start;
			tui_settle(t, 20);
		}
	if (us.len) {
		qsort(us.items, us.len, sizeof(*us.items), by_size);
		buf_addf(&t->dump, "time %s keys %zu median %lld p99 %lld max %lld us\n", tui_view(t)->ops->name, us.len,
			(long long)us.items[us.len / 2], (long long)us.items[us.len * 99 / 100], (long long)us.items[us.len - 1]);
	}
	array_release(&us);
	array_release(&r.keys);
	buf_release(&bad);
}

/* ---- the monkey */

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*state >> 33);
}

static struct key random_key(struct tui *t, uint64_t *s)
{
	static const char chars[] = "jjjkkkgGqnN/:?][rRaAcEX+MmuvzVeoyst.1290hl-IFLSDxT! ii\"'%(é漢";
	static const uint32_t named[] = { K_ENTER, K_ENTER, K_ENTER, K_TAB, K_ESC, K_ESC, K_UP, K_DOWN, K_LEFT, K_RIGHT, K_PGUP,
		K_PGDN, K_HOME, K_END, K_BACKSPACE, K_DEL, KEY_CTRL('P'), KEY_CTRL('C'), KEY_CTRL('L'), KEY_CTRL('D'),
		KEY_CTRL('U'), KEY_ALT | 'r', KEY_ALT | 'a', K_BTAB, K_F1, 0x1f600, 0x5d0 };
	const struct canvas *c = term_canvas(t->term);
	uint32_t r = next_random(s) % 100;

	if (r < 4)
		return (struct key){ .code = K_MOUSE, .y = (int)(next_random(s) % (uint32_t)c->rows),
			.x = (int)(next_random(s) % (uint32_t)c->cols), .mouse = (enum mouse_act)(next_random(s) % 4) };
	if (r < 40)
		return (struct key){ .code = named[next_random(s) % ARRAY_SIZE(named)] };
	r = next_random(s) % (sizeof(chars) - 1);
	return (struct key){ .code = (unsigned char)chars[r] < 0x80 ? (unsigned char)chars[r] : 'j' };
}

static void monkey(struct tui *t, uint64_t seed, uint64_t n)
{
	const char *const none[] = { NULL };
	struct err e = ERR_INIT;
	struct key k;

	for (uint64_t i = 0; i < n; i++) {
		if (next_random(&seed) % 60 == 0)
			term_resize(t->term, 1 + (int)(next_random(&seed) % 60), 1 + (int)(next_random(&seed) % 210));
		k = random_key(t, &seed);
		/* The tour is a whole other killick, and needs a terminal. */
		if (k.code == 'T')
			continue;
		tui_key(t, &k);
		if (!t->done)
			tui_turn(t);
		if (t->done) {
			t->done = false;
			tui_open(t, &inbox_view, 0, none, &e);
		}
	}
	tui_settle(t, SETTLE_MS);
	buf_addf(&t->dump, "monkey done after %llu keys\n", (unsigned long long)n);
}

/* ---- instructions */

static int two_numbers(const char *s, uint64_t *a, uint64_t *b)
{
	struct arena arena = ARENA_INIT;
	const char **words;
	bool ok = proc_split(&arena, s, &words) && words[0] && words[1] && str_to_u64(words[0], UINT32_MAX, a) &&
		str_to_u64(words[1], UINT32_MAX, b);

	arena_release(&arena);
	return ok ? 0 : -1;
}

static int mouse_line(struct tui *t, const char *rest, enum mouse_act act)
{
	uint64_t y, x;

	if (two_numbers(rest, &y, &x) < 0)
		return -1;
	press(t, (struct key){ .code = K_MOUSE, .y = (int)y, .x = (int)x, .mouse = act });
	return 0;
}

static int do_keys(struct tui *t, const char *rest)
{
	struct buf bad = BUF_INIT;
	bool ok = keys_each(rest, press_code, t, &bad);

	buf_release(&bad);
	return ok ? 0 : -1;
}

static int do_ahead(struct tui *t, const char *rest)
{
	struct buf bad = BUF_INIT;
	bool ok = keys_each(rest, feed, t, &bad);

	buf_release(&bad);
	tui_settle(t, SETTLE_MS);
	return ok ? 0 : -1;
}

static int do_type(struct tui *t, const char *rest)
{
	struct buf quoted = BUF_INIT;
	int rc;

	for (; *rest; rest++)
		if (*rest == '<')
			buf_addstr(&quoted, "<lt>");
		else
			buf_addch(&quoted, *rest);
	rc = do_keys(t, quoted.ptr);
	buf_release(&quoted);
	return rc;
}

static int do_line(struct tui *t, const char *rest)
{
	tui_run_line(t, rest);
	tui_settle(t, SETTLE_MS);
	return 0;
}

static int do_size(struct tui *t, const char *rest)
{
	uint64_t rows, cols;

	if (two_numbers(rest, &rows, &cols) < 0 || rows > 1000 || cols > 1000)
		return -1;
	term_resize(t->term, (int)rows, (int)cols);
	press(t, (struct key){ .code = K_RESIZE });
	return 0;
}

static int do_settle(struct tui *t, const char *rest)
{
	uint64_t ms = SETTLE_MS;
	int64_t until;

	if (*rest && !str_to_u64(rest, 600000, &ms))
		return -1;
	/* With a time given, other writers get their chance for all of it. */
	until = clock_mono() + (int64_t)ms;
	do {
		tui_settle(t, (int64_t)ms);
		if (*rest && clock_mono() < until)
			tui_wait(t, 20);
	} while (*rest && clock_mono() < until);
	return 0;
}

static int do_time(struct tui *t, const char *rest)
{
	size_t n = strcspn(rest, " ");
	char *count = xstrndup(rest, n);
	uint64_t times;
	bool ok = str_to_u64(count, 1000000, &times) && rest[n];

	free(count);
	if (ok)
		take_times(t, times, rest + n + 1);
	return ok ? 0 : -1;
}

static int do_monkey(struct tui *t, const char *rest)
{
	uint64_t seed, n;

	if (two_numbers(rest, &seed, &n) < 0)
		return -1;
	monkey(t, seed, n);
	return 0;
}

static int do_dump(struct tui *t, const char *rest) { (void)rest; dump_screen(t); return 0; }
static int do_rows(struct tui *t, const char *rest) { (void)rest; dump_rows(t); return 0; }
static int do_patience(struct tui *t, const char *rest)
{
	uint64_t ms;

	if (!str_to_u64(rest, 10000, &ms))
		return -1;
	t->patience = (int)ms;
	return 0;
}

static int do_say(struct tui *t, const char *rest) { buf_addf(&t->dump, "%s\n", rest); return 0; }
static int do_click(struct tui *t, const char *rest) { return mouse_line(t, rest, MOUSE_CLICK); }
static int do_double(struct tui *t, const char *rest) { return mouse_line(t, rest, MOUSE_DOUBLE); }
static int do_up(struct tui *t, const char *rest) { return mouse_line(t, rest, MOUSE_WHEEL_UP); }
static int do_down(struct tui *t, const char *rest) { return mouse_line(t, rest, MOUSE_WHEEL_DOWN); }

static const struct { const char *name; int (*fn)(struct tui *t, const char *rest); } instructions[] = {
	{ "keys", do_keys }, { "type", do_type }, { "line", do_line }, { "click", do_click }, { "double", do_double },
	{ "up", do_up }, { "down", do_down }, { "size", do_size }, { "settle", do_settle }, { "dump", do_dump },
	{ "rows", do_rows }, { "time", do_time }, { "monkey", do_monkey }, { "say", do_say },
	{ "patience", do_patience }, { "ahead", do_ahead },
};

static int one_line(struct tui *t, char *line, unsigned n, struct err *e)
{
	size_t len = strcspn(line, " ");
	char *rest = line + len + (line[len] == ' ');

	line[len] = '\0';
	if (!*line || *line == '#')
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(instructions); i++)
		if (!strcmp(line, instructions[i].name)) {
			if (instructions[i].fn(t, rest) < 0)
				return err_set(e, ERR_USAGE, "script line %u: %s cannot take '%s'", n, line, rest);
			return 0;
		}
	return err_set(e, ERR_USAGE, "script line %u: no instruction '%s'", n, line);
}

int script_run(struct tui *t, const char *path, struct err *e)
{
	struct buf text = BUF_INIT;
	char *p, *next;
	int rc = file_read(path, 0, &text, e);

	tui_paint(t);
	if (rc == 0)
		tui_settle(t, SETTLE_MS);
	p = text.ptr;
	for (unsigned n = 1; rc == 0 && p && *p && !t->done; n++, p = next) {
		next = p + strcspn(p, "\n");
		if (*next)
			*next++ = '\0';
		rc = one_line(t, p, n, e);
	}
	buf_release(&text);
	return rc;
}
