/* SPDX-License-Identifier: MIT */
/* One step of a range of lines from a version to the next: it stays, goes to another file, or is lost. */
#ifndef KILLICK_SRC_ANCHOR_STEP_H
#define KILLICK_SRC_ANCHOR_STEP_H

#include "pairs.h"

enum step_how { STEP_LOST, STEP_STAY, STEP_AWAY };
struct step {
	enum step_how how;
	bool moved;            /* to another block of the file, or to another file */
	uint32_t lo, hi;       /* lines from 0, inclusive */
	double conf;
	const char *path;      /* STEP_AWAY */
	struct oid blob;
	uint32_t before, after; /* STEP_LOST: the nearest surviving lines of the new version around the gap, NO_LINE */
};

/* Both ends in trusted runs and the new range of a sane size: no more to look at. edited: lines inside changed. */
bool step_pass(const struct pair *x, uint32_t lo, uint32_t hi, uint32_t *new_lo, uint32_t *new_hi, double *changed);
/* Inside the file. STEP_LOST when less than floor is left. */
void step_in_file(struct pair *x, uint32_t lo, uint32_t hi, struct step *out);

/* Files that changed beside, for code that went to another: made once for two trees, used by many ranges. */
struct elsewhere {
	const struct lineage_change *changes;
	size_t n;
};
/* Looks for lines lo..hi of the old text, lost with the lines around them [a, b), among what the other files gained. */
void step_elsewhere(struct pairs *p, struct text *o, uint32_t a, uint32_t b, uint32_t lo, uint32_t hi,
    const struct elsewhere *e, const char *path, struct step *out);
/* The file that a vanished one became: NULL if none. */
const struct lineage_change *step_renamed(struct pairs *p, const struct oid *old_id, const char *path,
    const struct elsewhere *e, double *like);

#endif
