/* SPDX-License-Identifier: MIT */
/*
 * Names behind an @: what a tracker makes of them in a text that it gets is a mail to a stranger, where the text was written
 * for something else (a commit's message: "@param", "@Override"). The user's own words are never touched.
 */
#ifndef KILLICK_TEXT_MENTION_H
#define KILLICK_TEXT_MENTION_H

#include "killick/base/buf.h"

/*
 * Adds Markdown in which nobody is called: "@name" becomes code, "`@name`", which GitHub, Gitea and Redmine (5.0, Mentionable)
 * and our own inbox take for none. What is code already stays as it is, and an address in the middle of a word.
 */
void mentions_defuse(struct buf *out, const char *markdown);

#endif
