/*
 * Partitions: making one one's own, and what is known of it.
 */
#include "lunacm/tool.h"

#include <p11-kit/pkcs11.h>

/* ---- partition init ---- */

enum { LABEL, DOMAIN, DEFAULT_DOMAIN }; /* its syntax in lunacm.def */

/* req: KSC-090, KSC-091, KSC-092 */
static enum err
confirm(struct tool *tool, struct result *result)
{
	struct buf line;
	enum err rc = OK;

	buf_init(&line, FACE_LINE_OCTETS);
	face_say("You are about to initialize the partition.\n"
		 "All contents of the partition will be destroyed.\n"
		 "Are you sure you wish to continue?\n");
	rc = face_ask(&tool->face,
	    "Type 'proceed' to continue, or 'quit' to quit now ->", &line);
	if (rc == ERR_LENGTH)
		buf_reset(&line);
	else
		TRY(rc);
	rc = OK;
	if (!bytes_equal_text(buf_peek(&line), "proceed"))
		*result = result_canceled();
out:
	buf_clear(&line);
	return rc;
}

/* What was given with the command, or else is asked for. */
static enum err
ask_domain(struct tool *tool, const struct phrase *phrase, struct secret **out,
    struct result *result)
{
	/* req: KSC-095 */
	*out = NULL;
	if (phrase->value[DOMAIN].at != NULL)
		return secret_copy(phrase->value[DOMAIN], out);
	if (phrase->value[DEFAULT_DOMAIN].at != NULL)
		return secret_copy(bytes_of_text(CARD_DEFAULT_DOMAIN), out);
	/* req: KSC-094, KSC-096 */
	face_say("Neither option -domain nor -defaultdomain was specified. "
		 "One is required.\n");
	return tool_ask_twice(tool,
	    "Enter the domain name: ", "Re-enter the domain name: ", out,
	    result);
}

/* req: KSC-098  password twice, warning and confirmation, domain twice */
enum err
tool_partition_init(
    struct tool *tool, const struct phrase *phrase, struct result *out)
{
	struct cardlink_arg args[3];
	struct secret *password = NULL;
	struct secret *domain = NULL;
	struct reply reply;
	enum err rc = OK;

	if (phrase->value[DOMAIN].at != NULL &&
	    phrase->value[DEFAULT_DOMAIN].at != NULL) {
		*out = result_arguments(
		    "-domain and -defaultdomain exclude each other");
		goto out;
	}
	/* req: KSC-087 */
	TRY(tool_ask_twice(tool, "Enter password for Partition SO: ",
	    "Re-enter password for Partition SO: ", &password, out));
	if (password == NULL)
		goto out;
	TRY(confirm(tool, out));
	if (out->code != CKR_OK)
		goto out;
	TRY(ask_domain(tool, phrase, &domain, out));
	if (domain == NULL)
		goto out;
	args[0] = (struct cardlink_arg){"label", phrase->value[LABEL]};
	args[1] = (struct cardlink_arg){"password", secret_peek(password)};
	args[2] = (struct cardlink_arg){"domain", secret_peek(domain)};
	TRY(tool_ask(tool, "partition-init", args, 3, &reply, out));
	face_say("\n");
out:
	secret_free(domain);
	secret_free(password);
	return rc;
}

/* ---- partition showinfo ---- */

/*
 * The lines of its first block, in order. Of what a service does not tell
 * there is only a text, and that is no failure.
 *
 * req: KSC-138, KSC-139, KSC-141, KSC-142, KSC-157, KSC-160
 */
static const struct {
	const char *name;
	const char *field;
	const char *text;
} first_block[] = {
    {"Partition Label", "label", NULL},
    {"Partition Manufacturer", "manufacturer", NULL},
    {"Partition Model", "model", NULL},
    {"Partition Serial Number", "serial", NULL},
    {"Partition Status", NULL, "L3 Device, Error querying state"},
    {"HSM Part Number", NULL, "Not Available"},
};

static void
say(const char *name, struct bytes value)
{
	face_say("    %s ->%s%.*s\n", name, value.octets != 0 ? " " : "",
	    (int)value.octets, value.octets != 0 ? (const char *)value.at : "");
}

static struct bytes
field_of(const struct reply *reply, const char *name)
{
	struct bytes value = BYTES_NONE;

	(void)reply_find(reply, name, &value);
	return value;
}

/* req: KSC-143, KSC-144, KSC-145  as C_GetTokenInfo has them, in that order */
static void
show_token_flags(const struct reply *reply)
{
	static const struct {
		const char *name;
		const char *field; /* that has to be "yes"; NULL: always set */
	} flags[] = {
	    {"CKF_RNG", NULL},
	    {"CKF_LOGIN_REQUIRED", NULL},
	    {"CKF_USER_PIN_INITIALIZED", "user-initialized"},
	    {"CKF_RESTORE_KEY_NOT_NEEDED", NULL},
	    {"CKF_TOKEN_INITIALIZED", "initialized"},
	};
	size_t k;

	face_say("    Token Flags ->\n");
	for (k = 0; k < sizeof(flags) / sizeof(flags[0]); k++) {
		if (flags[k].field == NULL ||
		    bytes_equal_text(field_of(reply, flags[k].field), "yes"))
			face_say("        %s\n", flags[k].name);
	}
}

/* req: KSC-146, KSC-147 */
static void
show_login(const struct reply *reply)
{
	struct bytes name;
	const struct luna_role *role = NULL;

	if (reply_find(reply, "login", &name))
		role = luna_role_find(name);
	face_say("    Session State -> %s\n",
	    role != NULL ? role->state : "CKS_RW_PUBLIC_SESSION");
	face_say("    Role Status -> %s logged in\n",
	    role != NULL ? role->whole : "none");
}

/* req: KSC-150, KSC-151, KSC-152, KSC-153, KSC-154 */
static void
show_storage(const struct reply *reply)
{
	enum { OVERHEAD_OCTETS = 9664 };
	uint64_t total;
	uint64_t used;
	uint64_t objects;

	face_say("    Partition Storage:\n");
	if (reply_number(reply, "total", &total) == OK &&
	    reply_number(reply, "used", &used) == OK &&
	    reply_number(reply, "objects", &objects) == OK && used <= total)
		face_say("        Total Storage Space: %llu\n"
			 "        Used Storage Space: %llu\n"
			 "        Free Storage Space: %llu\n"
			 "        Object Count: %llu\n",
		    (unsigned long long)total, (unsigned long long)used,
		    (unsigned long long)(total - used),
		    (unsigned long long)objects);
	else
		face_say("        Error querying storage\n");
	face_say("        Overhead: %u\n\n", OVERHEAD_OCTETS);
}

static void
show_info(const struct reply *reply)
{
	size_t k;

	face_say("\n");
	for (k = 0; k < sizeof(first_block) / sizeof(first_block[0]); k++)
		say(first_block[k].name,
		    first_block[k].field != NULL
			? field_of(reply, first_block[k].field)
			: bytes_of_text(first_block[k].text));
	show_token_flags(reply);
	say("RPV Initialized", bytes_of_text("Not Available"));
	say("Slot Id", field_of(reply, "slot"));
	show_login(reply);
	/* req: KSC-148  the domain's: there since the partition has one */
	face_say("    Token Flags ->\n");
	if (bytes_equal_text(field_of(reply, "initialized"), "yes"))
		face_say("        TOKEN_KCV_CREATED\n");
	/* req: KSC-149 */
	face_say("    Partition UUID: %.*s\n\n",
	    (int)field_of(reply, "uuid").octets,
	    (const char *)field_of(reply, "uuid").at);
	show_storage(reply);
	/* req: KSC-156 */
	if (!bytes_equal_text(field_of(reply, "fips"), "yes"))
		face_say("    *** The partition is NOT in FIPS 140-2 approved "
			 "operation mode. ***\n\n");
}

enum err
tool_partition_showinfo(
    struct tool *tool, const struct phrase *phrase, struct result *out)
{
	struct reply reply;
	enum err rc = OK;

	(void)phrase;
	TRY(tool_ask(tool, "partition-info", NULL, 0, &reply, out));
	if (out->code == CKR_OK)
		show_info(&reply);
out:
	return rc;
}
