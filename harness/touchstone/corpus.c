#include "corpus.h"

#include "case.h"
#include "mem.h"
#include "nae_play.h"
#include "octets.h"
#include "play.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool
ends_with(const char *text, const char *end)
{
	size_t a = strlen(text), b = strlen(end);

	return a > b && strcmp(text + a - b, end) == 0;
}

static int
visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static enum err
add_file(struct arena *a, const char *root, const char *path,
    struct tests *list, struct fault *f)
{
	struct test *t;

	if (ends_with(path, ".xml"))
		t = play_test(a, case_read(a, root, path));
	else if (ends_with(path, ".ttlv"))
		t = octets_test(a, octets_read(a, root, path));
	else if (ends_with(path, ".nae"))
		t = nae_play_test(a, nae_case_read(a, root, path));
	else
		return OK;
	if (tests_find(list, t->id) != NULL)
		return fault_say(f, ERR_SYNTAX, "%s/%s: another test is %s",
		    root, path, t->id);
	tests_add(list, t);
	return OK;
}

static enum err
add_directory(struct arena *a, const char *root, const char *below,
    struct tests *list, struct fault *f)
{
	const char *path =
	    *below == 0 ? root : arena_printf(a, "%s/%s", root, below);
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, visible, alphasort);
	enum err rc = OK;

	if (count < 0)
		return fault_say(f, ERR_OPEN, "%s: %s", path, strerror(errno));
	for (int i = 0; i < count && rc == OK; i++) {
		const char *name = arena_printf(a, "%s%s%s", below,
		    *below == 0 ? "" : "/", entries[i]->d_name);

		if (entries[i]->d_type == DT_DIR)
			rc = add_directory(a, root, name, list, f);
		else
			rc = add_file(a, root, name, list, f);
	}
	for (int i = 0; i < count; i++)
		mem_free(entries[i]);
	mem_free(entries);
	return rc;
}

enum err
corpus_read(
    struct arena *a, const char *dir, struct tests *list, struct fault *f)
{
	size_t octets = strlen(dir);

	while (octets > 1 && dir[octets - 1] == '/')
		octets--;
	return add_directory(
	    a, arena_printf(a, "%.*s", (int)octets, dir), "", list, f);
}
