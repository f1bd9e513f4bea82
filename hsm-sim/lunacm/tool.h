/*
 * lunacm: the client tool of partitions with passwords.
 *
 * A session of a person (or a script) with the card. The one login that it may
 * have belongs to its connection, so it ends with the tool. A command that
 * fails leaves the tool at its prompt.
 */
#ifndef LUNACM_TOOL_H
#define LUNACM_TOOL_H

#include "lunacm/cardlink.h"
#include "lunacm/face.h"
#include "lunacm/phrase.h"
#include "lunacm/result.h"

struct tool {
	struct face face;
	struct cardlink link;
	unsigned slot; /* the current one; 0: there is none */
	bool over;
};

/* path: of the card's administration socket; borrowed */
void tool_init(struct tool *tool, const char *path);
void tool_clear(struct tool *tool);

/*
 * Greet, list the slots, and carry out commands until `exit` or the end of
 * what is typed.
 *
 * ERR_CLOSED  the card was not there at the start
 * ERR_NOMEM
 */
enum err tool_run(struct tool *tool) MUST_CHECK;

/*
 * ---- for the families of commands ----
 *
 * An enum err is about the tool itself: ERR_CLOSED where there is no more to
 * read from the person, ERR_NOMEM. What a command comes to is its result.
 */

/* A question about the current slot, whose number goes first. */
enum err tool_ask(struct tool *tool, const char *command,
    const struct cardlink_arg *args, size_t arg_count, struct reply *reply,
    struct result *result) MUST_CHECK;
/* The same without the slot's number: of the whole card, or the login. */
enum err tool_ask_card(struct tool *tool, const char *command,
    const struct cardlink_arg *args, size_t arg_count, struct reply *reply,
    struct result *result) MUST_CHECK;

/*
 * A secret, typed twice. Where the entries differ *out is NULL, and the result
 * says so.
 */
enum err tool_ask_twice(struct tool *tool, const char *prompt,
    const char *again, struct secret **out, struct result *result) MUST_CHECK;

/* One secret; too long a one is a result too. */
enum err tool_ask_secret(struct tool *tool, const char *prompt,
    struct secret **out, struct result *result) MUST_CHECK;

/* Print the slots; sets the current one where there is none yet. */
enum err tool_slots_show(struct tool *tool, struct result *result) MUST_CHECK;

#endif
