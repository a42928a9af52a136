/* SPDX-License-Identifier: MIT */
/*
 * Objects straight out of packs, for reading many versions of the same files. libgit2 unpacks the base of a delta anew
 * for most objects; here what was unpacked is kept a while. Only a shortcut: whatever is not plain (a loose object, another
 * object store, a damaged pack, a huge object, no zlib at build time) is answered false, and libgit2 is asked.
 */
#ifndef KILLICK_SRC_GIT_PACKS_H
#define KILLICK_SRC_GIT_PACKS_H

#include "killick/base/buf.h"

struct packs;
/* The packs of an object folder (".git/objects") as they are now. Never NULL. */
struct packs *packs_open(const char *objects);
void packs_close(struct packs *p);
/* It is one of n that are used at the same time: each keeps an nth of what one alone would. */
void packs_share(struct packs *p, unsigned n);

enum pack_type { PACK_COMMIT = 1, PACK_TREE, PACK_BLOB, PACK_TAG };   /* as in the file */
/* The content of object id (20 bytes) of that type and of at most max bytes is added to out; false: not to be had here. */
bool packs_read(struct packs *p, const uint8_t *id, enum pack_type type, size_t max, struct buf *out);

#endif
