#include "cli/args.h"

#include <stdio.h>

bool
args_at_most(
    struct cli *cli, const struct bytes *args, size_t arg_count, size_t most)
{
	if (arg_count <= most)
		return true;
	cli_refuse_word(cli, "a word too many", "what is \"%.*s\" for?",
	    (int)args[most].octets, (const char *)args[most].at);
	return false;
}

bool
args_read(struct cli *cli, const char *name, const struct entry_rule *rule,
    struct bytes typed, int64_t *number)
{
	char kept[ENTRY_OCTETS];
	char why[ENTRY_WHY_OCTETS];
	enum err rc = entry_take(name, rule, typed, kept, number, why);

	if (rc == ERR_FIELD)
		cli_refuse(cli, "%s", why);
	else if (rc != OK)
		cli_fail(cli, "%s", err_text(rc));
	return rc == OK;
}
