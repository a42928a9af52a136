/* SPDX-License-Identifier: MIT */
/* What index-record.c, which keeps records, and index-record-fold.c, which makes rows of them, share. */
#ifndef KILLICK_STORE_INDEX_RECORD_H
#define KILLICK_STORE_INDEX_RECORD_H

#include "index-fold.h"
#include "killick/model/record.h"

/* What is to be folded; what a patch of the user's is of. */
enum { WHAT_TASK = 0, WHAT_THREAD = 1 };
/* record.gone */
enum gone { HERE, GONE_DELETED, GONE_HIDDEN };
#define SPLIT "\x1f" /* no key has it */

#endif
