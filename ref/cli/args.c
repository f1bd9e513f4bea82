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
	char text[ENTRY_WHY_OCTETS];
	struct buf words;
	enum err rc = OK;

	buf_init(&words, ENTRY_WHY_OCTETS);
	rc = entry_read(rule, typed, kept, number);
	if (rc == ERR_FIELD) {
		TRY(entry_describe(rule, &words));
		TRY(buf_put(&words, (struct bytes){(const uint8_t *)"", 1}));
		entry_refuse(
		    name, typed, (const char *)buf_peek(&words).at, text);
		cli_refuse(cli, "%s", text);
		buf_clear(&words);
		return false;
	}
out:
	buf_clear(&words);
	if (rc != OK)
		cli_fail(cli, "%s", err_text(rc));
	return rc == OK;
}
