/*
 * Slots: the list that the tool begins with, and which one commands are about.
 */
#include "lunacm/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_COLUMN = 20 };

static void
show_line(const char *name, struct bytes value)
{
	if (value.octets == 0)
		face_say("%s ->\n", name);
	else
		face_say("%s ->%*s%.*s\n", name,
		    (int)strlen(name) + 4 > VALUE_COLUMN
			? 1
			: VALUE_COLUMN - (int)strlen(name) - 3,
		    "", (int)value.octets, (const char *)value.at);
}

static void
show_field(const char *name, const struct reply *reply, const char *field)
{
	struct bytes value = BYTES_NONE;

	(void)reply_find(reply, field, &value);
	show_line(name, value);
}

static bool
is(const struct reply *reply, const char *field, const char *text)
{
	struct bytes value;

	return reply_find(reply, field, &value) &&
	       bytes_equal_text(value, text);
}

/*
 * req: KSC-066, KSC-068, KSC-069, KSC-070, KSC-071, KSC-072
 * CV is the firmware of a service, not of a card in a box.
 */
static void
show_slot(const struct reply *reply)
{
	show_field("Slot Id", reply, "slot");
	show_field("Label", reply, "label");
	show_field("Serial Number", reply, "serial");
	show_field("Model", reply, "model");
	show_field("Firmware Version", reply, "firmware");
	if (is(reply, "model", "Cryptovisor7"))
		show_line("CV Firmware Version", bytes_of_text("1.1.0"));
	show_line("Configuration",
	    bytes_of_text(is(reply, "ped", "yes")
			      ? "Luna User Partition With SO (PED) Signing "
				"With Cloning Mode"
			      : "Luna User Partition With SO (PW) Signing "
				"With Cloning Mode"));
	show_line("Slot Description", bytes_of_text("User Token Slot"));
	face_say("\n");
}

/* Is there a slot of that number? Its partition's information, where it is. */
static enum err
look_at(struct tool *tool, unsigned long slot, struct reply *reply,
    struct result *result)
{
	struct cardlink_arg arg = {.name = "slot"};
	char number[24];

	(void)snprintf(number, sizeof(number), "%lu", slot);
	arg.value = bytes_of_text(number);
	return tool_ask_card(tool, "partition-info", &arg, 1, reply, result);
}

static enum err
count_slots(struct tool *tool, uint64_t *slots, struct result *result)
{
	struct reply reply;
	enum err rc = OK;

	*slots = 0;
	TRY(tool_ask_card(tool, "slots", NULL, 0, &reply, result));
	if (result->code == CKR_OK &&
	    reply_number(&reply, "slots", slots) != OK)
		*result = result_of("");
out:
	return rc;
}

enum err
tool_slots_show(struct tool *tool, struct result *result)
{
	struct reply reply;
	uint64_t slots;
	unsigned slot;
	enum err rc = OK;

	TRY(count_slots(tool, &slots, result));
	if (result->code != CKR_OK)
		goto out;
	face_say("Available HSMs:\n\n");
	for (slot = 1; slot <= slots; slot++) {
		TRY(look_at(tool, slot, &reply, result));
		if (result->code != CKR_OK)
			goto out;
		show_slot(&reply);
		if (tool->slot == 0)
			tool->slot = slot;
	}
	/* req: KSC-067 */
	face_say("Current Slot Id: %u\n", tool->slot);
out:
	return rc;
}

enum err
tool_slot_list(
    struct tool *tool, const struct phrase *phrase, struct result *out)
{
	(void)phrase;
	return tool_slots_show(tool, out);
}

/* What PKCS#11 has for one application: a login is about one slot. */
static enum err
change_slot(struct tool *tool, unsigned slot, struct result *result)
{
	struct reply reply;
	enum err rc = OK;

	if (slot == tool->slot)
		return OK;
	TRY(tool_ask_card(tool, "role-logout", NULL, 0, &reply, result));
	/* nobody may have been logged in */
	*result = result_ok();
	tool->slot = slot;
out:
	return rc;
}

/* req: KSC-083  "A slot number that does not exist is refused and the current
 * slot stays." */
enum err
tool_slot_set(
    struct tool *tool, const struct phrase *phrase, struct result *out)
{
	enum { DIGITS_MAX = 9 };
	struct bytes digits = phrase->value[0];
	struct reply reply;
	uint64_t slots;
	char text[DIGITS_MAX + 1] = "";
	unsigned slot;
	enum err rc = OK;

	if (digits.octets <= DIGITS_MAX)
		memcpy(text, digits.at, digits.octets);
	slot = strspn(text, "0123456789") == digits.octets
		   ? (unsigned)strtoul(text, NULL, 10)
		   : 0;
	TRY(count_slots(tool, &slots, out));
	if (out->code == CKR_OK && (slot == 0 || slot > slots))
		*out = result_slot();
	if (out->code != CKR_OK)
		goto out;
	/* req: KSC-085  whether or not it is initialized */
	TRY(change_slot(tool, slot, out));
	TRY(look_at(tool, slot, &reply, out));
	if (out->code != CKR_OK)
		goto out;
	/* req: KSC-082  docs/decisions.md, KSC-084 */
	face_say("Current Slot Id: %u (Luna User Slot 7.0.0 (%s) Signing With "
		 "Cloning Mode)\n",
	    slot, is(&reply, "ped", "yes") ? "PED" : "Password");
out:
	return rc;
}
