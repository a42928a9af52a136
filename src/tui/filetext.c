/* SPDX-License-Identifier: MIT */
/* Lines of a file, found in slices and read by windows. A file that shrinks meanwhile just ends sooner. */
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "filetext.h"
#include "killick/base/clock.h"

#define STEP 256
#define WINDOW (256u << 10)

static void init(struct filetext *f)
{
	memset(f, 0, sizeof(*f));
	buf_init(&f->data);
	buf_init(&f->line);
}

void filetext_release(struct filetext *f)
{
	if (f->line.ptr)
		buf_release(&f->line);
	if (f->data.ptr)
		buf_release(&f->data);
	free(f->window);
	array_release(&f->marks);
	if (f->on_disk)
		close(f->fd);
	init(f);
}

static void begin(struct filetext *f)
{
	init(f);
	*array_add(&f->marks) = 0;
}

void filetext_take(struct filetext *f, struct buf *b)
{
	begin(f);
	f->data = *b;
	f->size = b->len;
	buf_init(b);
	f->complete = f->size == 0;
}

void filetext_take_fd(struct filetext *f, int fd, uint64_t size)
{
	begin(f);
	f->on_disk = true;
	f->fd = fd;
	f->size = size;
	f->complete = size == 0;
}

static void read_window(struct filetext *f, uint64_t at)
{
	ssize_t got;

	if (!f->window)
		f->window = xmalloc(WINDOW);
	do
		got = pread(f->fd, f->window, WINDOW, (off_t)at);
	while (got < 0 && errno == EINTR);
	f->window_at = at;
	f->window_len = got > 0 ? (size_t)got : 0;
	if (got <= 0)
		f->size = at;
}

/* Bytes at `at`: at least one unless the file ends there. */
static const char *bytes(struct filetext *f, uint64_t at, size_t *n)
{
	*n = 0;
	if (at >= f->size)
		return "";
	if (!f->on_disk) {
		*n = f->size - at;
		return f->data.ptr + at;
	}
	if (at < f->window_at || at >= f->window_at + f->window_len)
		read_window(f, at);
	*n = f->window_len - (size_t)(at - f->window_at);
	return f->window + (at - f->window_at);
}

static void one_line_more(struct filetext *f, uint64_t next)
{
	f->lines++;
	if (f->lines % STEP == 0)
		*array_add(&f->marks) = next;
}

/* Looks through one piece. The end of the last line is the end of the file. */
static void scan_piece(struct filetext *f)
{
	size_t n, used = 0;
	const char *p = bytes(f, f->scanned, &n), *end;

	if (n > WINDOW)
		n = WINDOW;
	while (used < n && (end = memchr(p + used, '\n', n - used)) != NULL) {
		used = (size_t)(end - p) + 1;
		one_line_more(f, f->scanned + used);
	}
	f->scanned += n;
	if (f->scanned < f->size && n > 0)
		return;
	f->complete = true;
	if (n > 0 && p[n - 1] != '\n')
		one_line_more(f, f->scanned);
}

bool filetext_scan(struct filetext *f, int64_t until)
{
	while (!f->complete && clock_mono() < until)
		scan_piece(f);
	return !f->complete;
}

bool filetext_reach(struct filetext *f, size_t line, int64_t until)
{
	while (!f->complete && f->lines <= line && clock_mono() < until)
		scan_piece(f);
	return f->lines > line;
}

/* Skips `lines` line ends from `at` on. */
static uint64_t skip_lines(struct filetext *f, uint64_t at, size_t lines)
{
	while (lines > 0) {
		size_t n;
		const char *p = bytes(f, at, &n), *end;

		if (n == 0)
			break;
		end = memchr(p, '\n', n);
		at += end ? (uint64_t)(end - p) + 1 : n;
		lines -= end != NULL;
	}
	return at;
}

static uint64_t rest_of_line(struct filetext *f, uint64_t at)
{
	uint64_t start = at;

	for (;;) {
		size_t n;
		const char *p = bytes(f, at, &n), *end = n ? memchr(p, '\n', n) : NULL;

		if (n == 0)
			return at - start;
		if (end)
			return at + (uint64_t)(end - p) - start;
		at += n;
		/* Counting on through gigabytes of one line is not worth a wait. */
		if (at - start > 1u << 20)
			return at - start;
	}
}

bool filetext_line(struct filetext *f, size_t i, const char **out, size_t *len, uint64_t *cut)
{
	uint64_t at;

	*cut = 0;
	if (i >= f->lines || i / STEP >= f->marks.len)
		return false;
	at = skip_lines(f, f->marks.items[i / STEP], i % STEP);
	buf_reset(&f->line);
	for (;;) {
		size_t n, take;
		const char *p = bytes(f, at, &n), *end = n ? memchr(p, '\n', n) : NULL;

		take = end ? (size_t)(end - p) : n;
		if (f->line.len + take > FILETEXT_LINE)
			take = FILETEXT_LINE - f->line.len;
		buf_add(&f->line, p, take);
		at += take;
		if (n == 0 || (end && take == (size_t)(end - p)))
			break;
		if (f->line.len >= FILETEXT_LINE) {
			*cut = rest_of_line(f, at);
			break;
		}
	}
	if (!*cut && f->line.len && f->line.ptr[f->line.len - 1] == '\r')
		buf_setlen(&f->line, f->line.len - 1);
	*out = f->line.ptr;
	*len = f->line.len;
	return true;
}
