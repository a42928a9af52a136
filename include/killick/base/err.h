/* SPDX-License-Identifier: MIT */
/*
 * Errors: a code that somebody acts on and a message in plain words, owned by the caller, untouched on success.
 * A function that can fail returns 0, or -1 with *e filled; err_set returns -1 so that failing is one line.
 * The message is set once, where the fault is seen: what happened, where, what to do. err_prefix adds context once,
 * at the command or remote boundary. Messages may hold text from outside: they are made safe where they are shown.
 *
 * Trace: KILLICK_TRACE=git,index,... (or all) writes lines to standard error, KILLICK_TRACE_FILE to a file. Everything in
 * them but printable ASCII is escaped.
 */
#ifndef KILLICK_BASE_ERR_H
#define KILLICK_BASE_ERR_H

#include <stdbool.h>
#include "killick/base/mem.h"

enum err_code {
	ERR_NONE = 0,
	ERR_FAILED,       /* anything nobody acts on */
	ERR_USAGE,        /* the command line */
	ERR_NOT_FOUND,
	ERR_AMBIGUOUS,    /* an abbreviated id or name that fits several */
	ERR_CONFLICT,     /* somebody else changed it, or it is held */
	ERR_AUTH,
	ERR_OFFLINE,
	ERR_RATE_LIMITED,
	ERR_REFUSED,      /* a remote said no */
	ERR_BAD_DATA,
	ERR_IO,           /* disk full, read-only, permission */
	ERR_BUSY,         /* a lock was not to be had in time */
	ERR_CANCELLED,
};

struct err {
	enum err_code code;
	char msg[1024];
};
#define ERR_INIT { ERR_NONE, "" }

/* e may be NULL in all of these. Arguments may be e->msg itself; what is too long is cut at a whole character. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/*
 * ": strerror(errno)" is appended; code is ERR_IO for ENOSPC, EROFS, EACCES, EPERM, EDQUOT, EIO and EFBIG, ERR_NOT_FOUND
 * for ENOENT, else ERR_FAILED. errno stays.
 */
int err_errno(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "prefix: " before the message; the code stays. Returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void err_clear(struct err *e);
/* "not-found" "rate-limited" "offline" …: as one process says it to another; none is "ok". */
const char *err_code_name(enum err_code code);
/* false, and ERR_FAILED, for a word that is none. */
bool err_code_parse(const char *s, enum err_code *out);

bool trace_on(const char *area);
void trace(const char *area, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "where: msg" on standard error, printable ASCII, without the heap: only for the last words before abort(). */
void stderr_line(const char *where, const char *msg);

#endif
