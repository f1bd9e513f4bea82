#include "text.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

void
words_add(struct arena *a, struct words *w, const char *word)
{
	/* by doubling: the places of the old list stay with the arena */
	if ((w->count & (w->count - 1)) == 0) {
		size_t room = w->count == 0 ? 2 : w->count * 2 + 1;
		const char **bigger = ARENA_ARRAY(a, room, const char *);

		if (w->count > 0)
			memcpy(bigger, w->at, w->count * sizeof *bigger);
		w->at = bigger;
	}
	w->at[w->count++] = word;
}

bool
words_have(const struct words *w, const char *word)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->at[i], word) == 0)
			return true;
	return false;
}

void
words_split(struct arena *a, struct words *w, const char *text)
{
	for (;;) {
		size_t octets;

		text += strspn(text, " \t\r\n,");
		octets = strcspn(text, " \t\r\n,");
		if (octets == 0)
			return;
		words_add(a, w, arena_printf(a, "%.*s", (int)octets, text));
		text += octets;
	}
}

bool
text_matches(const char *glob, const char *text)
{
	return fnmatch(glob, text, 0) == 0;
}

char *
text_trim(struct arena *a, const char *text)
{
	size_t octets;

	while (isspace((unsigned char)*text))
		text++;
	octets = strlen(text);
	while (octets > 0 && isspace((unsigned char)text[octets - 1]))
		octets--;
	return arena_printf(a, "%.*s", (int)octets, text);
}
