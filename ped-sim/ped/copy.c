/*
 * PED Key mode: an iKey is opened with its PIN (Login), and its share put onto
 * others, each with a PIN of its own (Duplicate).
 *
 * That the PIN was right is not to be seen: a wrong one makes duplicates that
 * the HSM will count as wrong iKeys.
 *
 * req: KS-01-088 KS-05-136
 */
#include <string.h>

#include "ped/device.h"

static void
forget_pin(struct ped *ped)
{
	secret_free(ped->copying.pin);
	ped->copying.pin = NULL;
}

void
ped_copy_forget(struct ped *ped)
{
	forget_pin(ped);
	secret_free(ped->copying.share);
	ped->copying.share = NULL;
}

/* req: KS-05-140 */
enum err
ped_do_ped_key(struct ped *ped)
{
	forget_pin(ped);
	ped_go(ped, AT_PED_KEY);
	return OK;
}

enum err
ped_do_ped_key_left(struct ped *ped)
{
	ped_copy_forget(ped);
	return ped_do_admin(ped);
}

/* ---- login ---- */

static enum err
log_in(struct ped *ped, struct bytes pin)
{
	enum err rc = OK;

	ped_copy_forget(ped);
	TRY(ikey_open(&ped->copying.original, pin, &ped->copying.share));
	ped_log(ped, "PED Key login: %s",
	    ikey_colour_name(ped->copying.original.colour));
	ped_note(ped, TEXT_LOGGED_IN, AT_PED_KEY);
out:
	return rc;
}

/* req: KS-05-141 */
enum err
ped_do_login(struct ped *ped)
{
	enum err rc = usb_read(&ped->slot, &ped->copying.original);

	ped_copy_forget(ped);
	if (rc == ERR_NOT_FOUND)
		ped_go(ped, AT_LOGIN);
	else if (rc != OK)
		ped_note(ped, TEXT_UNREADABLE, AT_PED_KEY);
	else if (ped->copying.original.colour == IKEY_BLANK)
		ped_note(ped, TEXT_BLANK, AT_PED_KEY);
	else if (ped->copying.original.has_pin)
		ped_go(ped, AT_LOGIN_PIN);
	else
		return log_in(ped, BYTES_NONE);
	return OK;
}

enum err
ped_do_login_pin(struct ped *ped)
{
	return log_in(ped, ped_entry(ped));
}

/* ---- duplicate ---- */

/* req: KS-05-142 */
enum err
ped_do_duplicate(struct ped *ped)
{
	forget_pin(ped);
	if (ped->copying.share == NULL)
		ped_note(ped, TEXT_LOGIN_FIRST, AT_PED_KEY);
	else
		ped_go(ped, AT_TARGET);
	return OK;
}

static bool
is_same_ikey(const struct ikey *a, const struct ikey *b)
{
	return memcmp(a->serial, b->serial, sizeof(a->serial)) == 0;
}

/* req: KS-05-148 */
enum err
ped_do_target(struct ped *ped)
{
	struct copying *c = &ped->copying;
	enum err rc = usb_read(&ped->slot, &c->target);

	if (rc == ERR_NOT_FOUND)
		ped_go(ped, AT_TARGET);
	else if (rc != OK)
		ped_note(ped, TEXT_UNREADABLE, AT_TARGET);
	else if (is_same_ikey(&c->target, &c->original))
		ped_note(ped, TEXT_ORIGINAL, AT_TARGET);
	else
		ped_go(ped,
		    c->target.colour == IKEY_BLANK ? AT_NEW_PIN : AT_OVERWRITE);
	return OK;
}

/* req: KS-05-147 */
enum err
ped_do_overwrite(struct ped *ped)
{
	ped_go(ped, AT_NEW_PIN);
	return OK;
}

enum err
ped_do_new_pin(struct ped *ped)
{
	enum err rc = OK;

	forget_pin(ped);
	if (!ikey_pin_is_valid(ped_entry(ped))) {
		ped_note(ped, TEXT_PIN_LENGTH, AT_NEW_PIN);
		goto out;
	}
	TRY(secret_copy(ped_entry(ped), &ped->copying.pin));
	ped_go(ped, AT_CONFIRM_PIN);
out:
	return rc;
}

static enum err
write_copy(struct ped *ped)
{
	struct copying *c = &ped->copying;
	struct ikey copy = c->target;
	enum err rc = OK;

	TRY(ikey_imprint(ped->config->env,
	    &(struct ikey_imprint){
		.colour = c->original.colour,
		.m = c->original.m,
		.n = c->original.n,
		.index = c->original.index,
		.keyset = c->original.keyset,
		.share = secret_peek(c->share),
		.pin = secret_peek(c->pin),
	    },
	    &copy));
	/* onto the iKey that the person was asked about, and no other */
	if (usb_write(&ped->slot, &copy) != OK) {
		ped_note(ped, TEXT_UNWRITABLE, AT_TARGET);
		goto out;
	}
	ped_log(ped, "PED Key duplicated: %s", ikey_colour_name(copy.colour));
	ped_go(ped, AT_REMOVE);
out:
	return rc;
}

enum err
ped_do_confirm_pin(struct ped *ped)
{
	enum err rc = OK;

	if (!secret_equal_bytes(
		ped_entry(ped), secret_peek(ped->copying.pin))) {
		ped_note(ped, TEXT_PIN_DIFFERS, AT_NEW_PIN);
		goto out;
	}
	TRY(write_copy(ped));
out:
	forget_pin(ped);
	return rc;
}

/* req: KS-05-149 */
enum err
ped_do_removed(struct ped *ped)
{
	ped_go(ped, usb_is_empty(&ped->slot) ? AT_ANOTHER : AT_REMOVE);
	return OK;
}
