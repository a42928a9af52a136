/* SPDX-License-Identifier: MIT */
/* Following ranges of lines along a route. */
#ifndef KILLICK_SRC_ANCHOR_FOLLOW_H
#define KILLICK_SRC_ANCHOR_FOLLOW_H

#include "pairs.h"
#include "route.h"
#include "step.h"

enum spot_flags {
	SPOT_DONE = 1 << 0,    /* at the end of the route */
	SPOT_LOST = 1 << 1,
	SPOT_MOVED = 1 << 2,
	SPOT_STUCK = 1 << 3,   /* something is not here: the answer is not to be known */
};

/* One range on its way. spot_begin sets it up; the rest is found. */
struct spot {
	const char *path;      /* in the arena of follow_new */
	size_t pos;            /* where it is on the route */
	struct rope rope;      /* its lines */
	double least;          /* the smallest confidence of a step */
	unsigned flags;
	/* SPOT_LOST: the step that lost it, where it was before, and what of the file is around */
	size_t entered;        /* the position where it came onto the route */
	size_t lost_pos;       /* the first position that lacks it */
	bool guess;            /* path and rope at lost_pos are a guess, too weak to follow */
	const char *last_path;
	uint32_t last_lo, last_hi, before, after;
};
void spot_begin(struct spot *s, const char *path, size_t pos, struct text *t, uint32_t lo, uint32_t hi);
void spot_release(struct spot *s);

struct follow;
struct follow *follow_new(struct repo *r, struct lineage *l, struct chains *c, struct pairs *p);
void follow_free(struct follow *f);

/* Finds out at once which files of the work tree differ from head: for many paths cheaper than one by one. */
void follow_scan(struct follow *f, const struct lineage_commit *head);
/* The same, as another found out, which must outlive this one. */
void follow_scan_of(struct follow *f, const struct follow *other);

/* Follows all spots to the end of the route. */
void follow_spots(struct follow *f, const struct route *r, struct spot *s, size_t n);
/* The position whose version of path is most like a text from elsewhere. false: the path is nowhere on the route. */
bool follow_alike(struct follow *f, const struct route *r, const char *path, const struct oid *blob, size_t *pos);
/*
 * One step between two ends without history: the old text of path against what stands there at the spot's position, the
 * file it was renamed to since old_tree, or (old_tree NULL: nothing is known of it) any file. The spot keeps its position.
 */
void follow_jump(struct follow *f, const struct route *r, const struct oid *old_blob, const struct oid *old_tree,
    struct spot *s);
/* Puts the spot on the newest version of its path on the route that has its lines as they are, in one piece and once. */
bool follow_exact(struct follow *f, const struct route *r, const struct oid *old_blob, struct spot *s);
/* The same text back in the file at the end of the route, after it was lost: true with the spot there. */
bool follow_reland(struct follow *f, const struct route *r, struct spot *s);
/* A whole file: *path becomes its name at the end. false: it is gone at *pos. */
bool follow_file(struct follow *f, const struct route *r, const char **path, size_t *pos);
/* What stands at path at a position of the route (or in the work tree): false if no file does. */
bool follow_entry(struct follow *f, const struct route *r, size_t pos, const char *path, struct oid *id, unsigned *mode);

#endif
