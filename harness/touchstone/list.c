#include "command.h"
#include "corpus.h"
#include "options.h"
#include "order.h"
#include "rule.h"

#include <stdio.h>

int
command_list(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct options opt;
	struct tests list;
	struct fault f = {""};
	int code = EXIT_CONFORMS;
	enum err rc;

	tests_init(&list);
	rc = options_read(a, argc, argv, &opt, &f);
	if (rc == OK && opt.vectors.count == 0)
		rc = fault_say(&f, ERR_USAGE, "--vectors DIR is needed");
	for (size_t i = 0; rc == OK && i < opt.vectors.count; i++)
		rc = corpus_read(a, opt.vectors.at[i], &list, &f);
	if (rc == OK) {
		order_select(a, &list, &opt.only);
		for (const struct test *t = list.first; t != NULL; t = t->next)
			printf("%s\t%s\t%s\t%s\n", t->id, t->version, t->level,
			    t->title);
	}
	if (rc != OK)
		code = command_refuse("list", "%s", f.text);
	else if (list.count == 0)
		code = command_refuse("list", "no test was selected");
	arena_free(a);
	return code;
}

int
command_rules(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return command_refuse("rules", "takes nothing");
	for (int r = 0; r < RULE_COUNT; r++)
		printf("%s\t%s\t%s\n", rule_name((enum rule)r),
		    rule_what((enum rule)r), rule_source((enum rule)r));
	return EXIT_CONFORMS;
}
