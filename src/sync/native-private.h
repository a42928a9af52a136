/* SPDX-License-Identifier: MIT */
/* What the files of native-*.c share. */
#ifndef KILLICK_SRC_SYNC_NATIVE_PRIVATE_H
#define KILLICK_SRC_SYNC_NATIVE_PRIVATE_H

#include "killick/git/nativelog.h"
#include "killick/sync/native.h"

/* Milliseconds for a lock: of the log; of the index, once what matters has been written. */
enum { LOG_WAIT = 5000, AFTER_WRITE_WAIT = 200 };

/* Kept for whoever asks in this run, and traced; "%s" in fmt is what. */
void work_say_problem(struct work *w, const char *fmt, const char *what);

/* Which rows of the index are ours: w->scope, w->native, w->private_; 0 for those not made yet. */
void work_find_rows(struct work *w);

#endif
