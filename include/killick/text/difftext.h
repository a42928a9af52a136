/* SPDX-License-Identifier: MIT */
/* A diff of two texts for display: unified hunks as styled lines, with the changed words of a changed line marked. */
#ifndef KILLICK_TEXT_DIFFTEXT_H
#define KILLICK_TEXT_DIFFTEXT_H

#include "killick/text/styled.h"

/* Lines of a unified diff (as git prints it) to styled lines; each line's tag is left NULL. */
void difftext_style(struct styled *s, const char *patch, size_t n, int tab);

#endif
