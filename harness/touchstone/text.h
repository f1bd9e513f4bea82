/*
 * Small texts: globs and lists of words.
 */
#ifndef TOUCHSTONE_TEXT_H
#define TOUCHSTONE_TEXT_H

#include "arena.h"

/* A NULL-terminated list; NULL itself is the empty one. */
struct words {
	const char **at;
	size_t count;
};

void words_add(struct arena *a, struct words *w, const char *word);
bool words_have(const struct words *w, const char *word);

/* Adds what stands between blanks and commas. */
void words_split(struct arena *a, struct words *w, const char *text);

/* As the shell does, but that * and ? pass a slash too. */
bool text_matches(const char *glob, const char *text);

/* The text without white space around it, in the arena. */
char *text_trim(struct arena *a, const char *text);

#endif
