/* SPDX-License-Identifier: MIT */
/*
 * Scoring: letters are matched from the end of the text backwards, so that "http.c" finds the file's name rather than
 * letters of its folders; linear in the text, since a hundred thousand names are tried for every key.
 */
#include "config.h"
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include "fuzzy.h"

static char fold(char c)
{
	return (char)tolower((unsigned char)c);
}

static bool starts_word(const char *text, size_t i)
{
	if (i == 0)
		return true;
	if (!isalnum((unsigned char)text[i - 1]))
		return true;
	return islower((unsigned char)text[i - 1]) && isupper((unsigned char)text[i]);
}

static int word_score(const char *word, size_t n, const char *text, size_t len, bool exact)
{
	const char *slash = strrchr(text, '/');
	size_t base = slash ? (size_t)(slash - text) + 1 : 0, i = len, last = len + 1;
	int score = 0;

	while (n > 0) {
		char c = word[n - 1];

		while (i > 0 && (exact ? text[i - 1] != c : fold(text[i - 1]) != fold(c)))
			i--;
		if (i == 0)
			return -1;
		i--;
		score += 4 + (i + 1 == last ? 12 : 0) + (starts_word(text, i) ? 8 : 0) + (i >= base ? 2 : 0);
		last = i;
		n--;
	}
	return score;
}

int fuzzy_score(const char *typed, const char *text)
{
	size_t len = strlen(text);
	bool exact = false;
	int score = 0;

	for (const char *p = typed; *p; p++)
		exact = exact || isupper((unsigned char)*p);
	while (*typed) {
		size_t n = strcspn(typed, " ");
		int s = n ? word_score(typed, n, text, len, exact) : 0;

		if (s < 0)
			return -1;
		score += s * 4;
		typed += n + (typed[n] == ' ');
	}
	return score ? score - (int)(len > 200 ? 200 : len) / 4 + 60 : 0;
}
