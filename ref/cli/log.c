/*
 * The commands about logs.
 */
#include "cli/args.h"

enum { SHOWN_LINES = 20, MOST_LINES = 1000 };

static enum err
say_line(void *ctx, struct bytes line)
{
	cli_say_text(ctx, line);
	return OK;
}

void
log_show_audit(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	static const struct entry_rule rule = {.type = ENTRY_NUMBER,
	    .least = 1,
	    .most = MOST_LINES,
	    .step = 1,
	    .zero = ""};
	int64_t lines = SHOWN_LINES;
	enum err rc;

	if (!args_at_most(cli, args, arg_count, 1) ||
	    (arg_count == 1 &&
		!args_read(cli, "Lines", &rule, args[0], &lines)))
		return;
	rc =
	    audit_last(cli_appliance(cli)->store, (size_t)lines, say_line, cli);
	cli_end(cli, rc);
}
