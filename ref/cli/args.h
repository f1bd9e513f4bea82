/*
 * What commands do with the words behind their own.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli/cli.h"

/* They return false when the command has ended, refused. */

bool args_at_most(
    struct cli *cli, const struct bytes *args, size_t arg_count, size_t most);

/* By a rule of entry.h; `name` is the field's. */
bool args_read(struct cli *cli, const char *name, const struct entry_rule *rule,
    struct bytes typed, int64_t *number);

#endif
