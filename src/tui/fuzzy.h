/* SPDX-License-Identifier: MIT */
/*
 * How well a few typed letters fit a text, as in "sbc" for "src/base/clock.c": all of them in order, better at the start
 * of words, better in one run, better in the last part of a path, better in a short text. Blanks separate words that may
 * stand in any order.
 */
#ifndef KILLICK_TUI_FUZZY_H
#define KILLICK_TUI_FUZZY_H

/* Greater is better; negative: does not fit. No letters fit everything with 0. Case counts only if capitals are typed. */
int fuzzy_score(const char *typed, const char *text);

#endif
