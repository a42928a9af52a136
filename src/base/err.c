/* SPDX-License-Identifier: MIT */
/*
 * Errors and the trace. A message is formatted aside first, so that e->msg may itself be an argument, and is cut at a
 * whole UTF-8 character. The trace is read from the environment at every call: there is no state to set up, and
 * without KILLICK_TRACE a call costs one getenv. Text is made printable ASCII here, since this floor stands below the
 * sanitiser and a trace of a hostile file name goes to a terminal all the same.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "killick/base/buf.h"
#include "killick/base/clock.h"
#include "killick/base/err.h"
#include "killick/base/file.h"
#include "killick/base/utf8.h"

/* Takes a torn character off the end of a string that was cut. */
static void cut_whole(char *s)
{
	size_t len = strlen(s), i = len;
	int32_t cp;

	while (i > 0 && len - i < 3 && ((unsigned char)s[i - 1] & 0xc0) == 0x80)
		i--;
	if (i == 0 || (unsigned char)s[i - 1] < 0xc0)
		return;
	utf8_next(s + i - 1, len - i + 1, &cp);
	if (cp == UTF8_BAD)
		s[i - 1] = '\0';
}

static void msg_put(struct err *e, const char *head, const char *tail)
{
	char tmp[sizeof(e->msg)];
	int n = snprintf(tmp, sizeof(tmp), "%s%s", head, tail);

	if (n >= (int)sizeof(tmp))
		cut_whole(tmp);
	memcpy(e->msg, tmp, strlen(tmp) + 1);
}

static const char *const code_names[] = {
	[ERR_NONE] = "ok", [ERR_FAILED] = "failed", [ERR_USAGE] = "usage", [ERR_NOT_FOUND] = "not-found",
	[ERR_AMBIGUOUS] = "ambiguous", [ERR_CONFLICT] = "conflict", [ERR_AUTH] = "auth", [ERR_OFFLINE] = "offline",
	[ERR_RATE_LIMITED] = "rate-limited", [ERR_REFUSED] = "refused", [ERR_BAD_DATA] = "bad-data", [ERR_IO] = "io",
	[ERR_BUSY] = "busy", [ERR_CANCELLED] = "cancelled",
};

const char *err_code_name(enum err_code code)
{
	return (size_t)code < ARRAY_SIZE(code_names) ? code_names[code] : code_names[ERR_FAILED];
}

bool err_code_parse(const char *s, enum err_code *out)
{
	*out = ERR_FAILED;
	for (size_t i = 0; s && i < ARRAY_SIZE(code_names); i++) {
		if (strcmp(code_names[i], s) != 0)
			continue;
		*out = (enum err_code)i;
		return true;
	}
	return false;
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	char tmp[sizeof(e->msg) + 8];
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	vsnprintf(tmp, sizeof(tmp), fmt, ap);
	va_end(ap);
	e->code = code;
	msg_put(e, tmp, "");
	return -1;
}

static const struct { int no; enum err_code code; } errno_codes[] = {
	{ ENOSPC, ERR_IO }, { EROFS, ERR_IO }, { EACCES, ERR_IO }, { EPERM, ERR_IO }, { EDQUOT, ERR_IO },
	{ EIO, ERR_IO }, { EFBIG, ERR_IO }, { ENOENT, ERR_NOT_FOUND },
};

int err_errno(struct err *e, const char *fmt, ...)
{
	int no = errno;
	char tmp[sizeof(e->msg)], why[256];
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	vsnprintf(tmp, sizeof(tmp) - sizeof(why), fmt, ap);
	va_end(ap);
	cut_whole(tmp);
	snprintf(why, sizeof(why), ": %s", strerror(no));
	e->code = ERR_FAILED;
	for (size_t i = 0; i < ARRAY_SIZE(errno_codes); i++)
		if (errno_codes[i].no == no)
			e->code = errno_codes[i].code;
	msg_put(e, tmp, why);
	errno = no;
	return -1;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char tmp[sizeof(e->msg)], old[sizeof(e->msg) + 2];
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	vsnprintf(tmp, sizeof(tmp), fmt, ap);
	va_end(ap);
	snprintf(old, sizeof(old), ": %s", e->msg);
	msg_put(e, tmp, old);
	return -1;
}

void err_clear(struct err *e)
{
	*e = (struct err)ERR_INIT;
}

static void add_printable(struct buf *b, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c < 0x20 || c == 0x7f)
			buf_addf(b, "^%c", c ^ 0x40);
		else if (c >= 0x80)
			buf_addf(b, "\\x%02x", c);
		else
			buf_addch(b, c);
	}
}

void stderr_line(const char *where, const char *msg)
{
	/* No heap: this is also how running out of memory is told. */
	char line[2048];
	size_t n = 0;

	for (const char *part[] = { where, ": ", msg }, **p = part; p < part + ARRAY_SIZE(part); p++)
		for (const char *s = *p; *s && n < sizeof(line) - 1; s++)
			line[n++] = *s >= 0x20 && *s < 0x7f ? *s : '?';
	line[n++] = '\n';
	if (write_full(STDERR_FILENO, line, n) < 0)
		return; /* nowhere left to say it */
}

bool trace_on(const char *area)
{
	const char *list = getenv("KILLICK_TRACE");
	size_t len = strlen(area);

	while (list && *list) {
		size_t n = strcspn(list, ", ");
		if ((n == len && !strncmp(list, area, n)) || (n == 3 && !strncmp(list, "all", 3)))
			return true;
		list += n + (list[n] != '\0');
	}
	return false;
}

void trace(const char *area, const char *fmt, ...)
{
	const char *path = getenv("KILLICK_TRACE_FILE");
	struct buf text = BUF_INIT, line = BUF_INIT;
	int saved = errno, fd = STDERR_FILENO;
	va_list ap;

	if (!trace_on(area))
		return;
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	buf_addf(&line, "%lld.%03d %d %s: ", (long long)clock_mono() / 1000, (int)(clock_mono() % 1000), (int)getpid(), area);
	add_printable(&line, text.ptr);
	buf_addch(&line, '\n');
	if (path && *path)
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd >= 0)
		(void)!write_full(fd, line.ptr, line.len);
	if (fd > STDERR_FILENO)
		close(fd);
	buf_release(&line);
	buf_release(&text);
	errno = saved;
}
