/* SPDX-License-Identifier: MIT */
/*
 * One step of a range of lines from a version to the next: it stays, goes to another file, or is lost.
 * A range is a rope of strands: its lines, each on its own way. Where the range is now is the hull of the strands that
 * are left. Lines that were put in between or beside never become part of it.
 */
#ifndef KILLICK_SRC_ANCHOR_STEP_H
#define KILLICK_SRC_ANCHOR_STEP_H

#include "pairs.h"

enum strand_flags {
	STRAND_NAMED = 1 << 0,  /* the line had a name in it: not blank, no brace alone */
	STRAND_FIRST = 1 << 1,  /* comes from the first (last) named line of the range */
	STRAND_LAST = 1 << 2,
	STRAND_BLANK = 1 << 3,
};
struct strand { uint32_t line; float conf; uint8_t flags; };
struct rope {
	struct strand *items;   /* by line */
	size_t len, alloc;
	uint32_t lines;         /* how many the range had at first */
	double weight;          /* and what they weighed */
	float sure_first, sure_last; /* how sure its ends are by their shape, whatever became of the lines there */
	bool blank_first, blank_last; /* it began (ended) with a blank line: else such lines are no end of it */
};
void rope_init(struct rope *r, struct text *t, uint32_t lo, uint32_t hi);
void rope_release(struct rope *r);
void rope_copy(struct rope *to, const struct rope *from);
/* Sorts by line; strands that met become one, with the flags of both and the surer confidence. */
void rope_order(struct rope *r);
/* First and last line; the rope is not empty. Blank lines at an end do not count where the range had none there. */
uint32_t rope_lo(const struct rope *r);
uint32_t rope_hi(const struct rope *r);
/* How sure the hull is to be the range. */
double rope_conf(const struct rope *r);

enum step_how { STEP_LOST, STEP_STAY, STEP_AWAY };
struct step {
	enum step_how how;
	bool moved;             /* to another block of the file, or to another file */
	struct rope rope;       /* owned; not for STEP_LOST */
	const char *path;       /* STEP_AWAY */
	uint32_t before, after; /* STEP_LOST: the nearest surviving lines of the new version around the gap, NO_LINE */
};
void step_release(struct step *s);

/* The ends in trusted runs and the new range of a sane size: no more to look at. */
bool step_pass(const struct pair *x, const struct rope *r, struct step *out);
/* Inside the file. */
void step_in_file(struct pair *x, const struct rope *r, struct step *out);

/* Files that changed beside, for code that went to another: made once for two trees, used by many ranges. */
struct elsewhere {
	const struct lineage_change *changes;
	size_t n;
	unsigned serial;        /* another one for other changes */
};
/* What was found in the other files, for ranges that were lost with the same lines around them. */
struct aways;
struct aways *aways_new(void);
void aways_free(struct aways *w);
/*
 * Looks for a range of the old text (blob old_id), lost with the lines around it [a, b), among what the other files
 * gained. The search is made once for all ranges of the same lines.
 */
void step_elsewhere(struct pairs *p, struct aways *w, struct text *o, const struct oid *old_id, uint32_t a, uint32_t b,
    const struct rope *r, const struct elsewhere *e, const char *path, struct step *out);
/* The file that a vanished one became: NULL if none. like: how much of it, 0 to 1. */
const struct lineage_change *step_renamed(struct pairs *p, const struct oid *old_id, const char *path,
    const struct elsewhere *e, double *like);

#endif
