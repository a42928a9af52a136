/* SPDX-License-Identifier: MIT */
/* Inside src/git: URLs taken apart. */
#ifndef KILLICK_SRC_GIT_URL_H
#define KILLICK_SRC_GIT_URL_H

#include "git.h"
#include "killick/git/permalink.h"

#define URL_MAX 8192

/* scheme and host in lower case; the path as written, with its '/'; query and fragment NULL if none. port 0: the usual. */
struct url { const char *scheme, *host, *path, *query, *fragment; uint16_t port; };
bool url_parse(struct arena *a, const char *text, struct url *out);
/* "%2F" to '/'; NULL for an encoded NUL. What is no encoding stays. */
char *url_decode(struct arena *a, const char *p, size_t n);
/* A path for a URL: everything but letters, digits and "/-._~" as "%XX". */
void url_encode(struct buf *b, const char *path);

#endif
