/*
 * Roles: who there is, logging in and out, and passwords.
 */
#include "lunacm/tool.h"

/* req: KSC-074, KSC-075, KSC-076 */
enum err
tool_role_list(
    struct tool *tool, const struct phrase *phrase, struct result *out)
{
	const struct luna_role *role;
	struct reply reply;
	size_t k;
	enum err rc = OK;

	(void)phrase;
	TRY(tool_ask(tool, "role-list", NULL, 0, &reply, out));
	if (out->code != CKR_OK)
		goto out;
	face_say("  %-15s%s\n  =====\n", "Roles", "(short)");
	for (k = 0; (role = luna_role_row(k)) != NULL; k++)
		face_say("  %-15s%s\n", role->whole, role->name);
out:
	return rc;
}

/* The role that -name is about; false: the result says that there is none. */
static bool
find_role(const struct phrase *phrase, struct cardlink_arg *arg,
    struct result *result)
{
	const struct luna_role *role = luna_role_find(phrase->value[0]);

	*result = result_ok();
	if (role == NULL) {
		*result = result_of("CARD_ROLE_INVALID");
		return false;
	}
	*arg = (struct cardlink_arg){"role", bytes_of_text(role->name)};
	return true;
}

enum err
tool_role_login(
    struct tool *tool, const struct phrase *phrase, struct result *out)
{
	struct cardlink_arg args[2];
	struct secret *password = NULL;
	struct reply reply;
	enum err rc = OK;

	if (!find_role(phrase, &args[0], out))
		goto out;
	/* req: KSC-102 */
	TRY(tool_ask_secret(tool, "    enter password: ", &password, out));
	if (password == NULL)
		goto out;
	args[1] = (struct cardlink_arg){"password", secret_peek(password)};
	TRY(tool_ask(tool, "role-login", args, 2, &reply, out));
out:
	secret_free(password);
	return rc;
}

enum err
tool_role_logout(
    struct tool *tool, const struct phrase *phrase, struct result *out)
{
	struct reply reply;

	(void)phrase;
	return tool_ask_card(tool, "role-logout", NULL, 0, &reply, out);
}

static enum err
ask_new(struct tool *tool, struct secret **out, struct result *result)
{
	return tool_ask_twice(tool,
	    "    enter new password: ", "    re-enter new password: ", out,
	    result);
}

enum err
tool_role_init(
    struct tool *tool, const struct phrase *phrase, struct result *out)
{
	struct cardlink_arg args[2];
	struct secret *password = NULL;
	struct reply reply;
	enum err rc = OK;

	if (!find_role(phrase, &args[0], out))
		goto out;
	/* req: KSC-105 */
	TRY(ask_new(tool, &password, out));
	if (password == NULL)
		goto out;
	args[1] = (struct cardlink_arg){"password", secret_peek(password)};
	TRY(tool_ask_card(tool, "role-init", args, 2, &reply, out));
out:
	secret_free(password);
	return rc;
}

enum err
tool_role_changepw(
    struct tool *tool, const struct phrase *phrase, struct result *out)
{
	struct cardlink_arg args[3];
	struct secret *old = NULL;
	struct secret *password = NULL;
	struct reply reply;
	enum err rc = OK;

	if (!find_role(phrase, &args[0], out))
		goto out;
	/* req: KSC-129 */
	TRY(tool_ask_secret(tool, "    enter existing password: ", &old, out));
	if (old == NULL)
		goto out;
	TRY(ask_new(tool, &password, out));
	if (password == NULL)
		goto out;
	args[1] = (struct cardlink_arg){"old", secret_peek(old)};
	args[2] = (struct cardlink_arg){"new", secret_peek(password)};
	TRY(tool_ask_card(tool, "role-changepw", args, 3, &reply, out));
out:
	secret_free(password);
	secret_free(old);
	return rc;
}
