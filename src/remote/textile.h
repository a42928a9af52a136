/* SPDX-License-Identifier: MIT */
/*
 * Textile, as Redmine reads it, and Markdown: line by line, then inside lines. What one of the two cannot say is passed on as
 * text, and *lossy is set: then what was written is shown, or sent, a little less well dressed, never less of it. Both take LF.
 * What the other would take for markup though its writer did not is defused (a backslash; <notextile>).
 */
#ifndef KILLICK_SRC_REMOTE_TEXTILE_H
#define KILLICK_SRC_REMOTE_TEXTILE_H

#include "killick/base/buf.h"

void textile_to_markdown(struct buf *out, const char *in, bool *lossy);
void markdown_to_textile(struct buf *out, const char *in, bool *lossy);

#endif
