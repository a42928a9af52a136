/* SPDX-License-Identifier: MIT */
/* Inside src/git: what every walk over commits is made of. A node a commit met, found by id; a queue by date. */
#ifndef KILLICK_SRC_GIT_WALK_H
#define KILLICK_SRC_GIT_WALK_H

#include "git.h"

struct walk_node {
	struct oid id;
	int64_t time;
	uint32_t generation;
	uint32_t flags;      /* the walk's own */
};
struct walk_item { int64_t time; uint32_t seq, node; };

struct walk {
	struct repo *repo;
	ARRAY(struct walk_node) nodes;
	ARRAY(struct walk_item) heap;
	uint32_t *slots;     /* node + 1; a power of two */
	size_t n_slots;
	uint32_t seq;
};

void walk_init(struct walk *w, struct repo *r);
void walk_release(struct walk *w);
/* The node of a commit, made if it was not met yet (*fresh); its links are read then. -1: NOT_FOUND, … */
int walk_node(struct walk *w, const struct oid *id, uint32_t *out, bool *fresh, struct err *e);
/* The queue: newest first, of the same second the first one queued. */
void walk_push(struct walk *w, uint32_t node);
bool walk_pop(struct walk *w, uint32_t *node);

#endif
