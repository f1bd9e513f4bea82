/*
 * Slots and tokens.
 *
 * Source: PKCS#11 2.40 base, section 5.5
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "token/app.h"

#define MANUFACTURER "Touchstone (simulated hardware)"

/* Fields are filled with blanks, and have no NUL. */
static void
blank_fill(CK_BYTE *field, size_t octets, const char *text)
{
	size_t length = strlen(text);

	memset(field, ' ', octets);
	memcpy(field, text, length < octets ? length : octets);
}

/* "6.2.1" is version 6.21. */
static CK_VERSION
version_of(const char *text)
{
	CK_VERSION version = {0, 0};
	unsigned major = 0, minor = 0, patch = 0;

	if (sscanf(text, "%3u.%1u.%1u", &major, &minor, &patch) >= 1) {
		version.major = (CK_BYTE)major;
		version.minor = (CK_BYTE)(minor * 10 + patch);
	}
	return version;
}

/* req: KSC-044 */
static CK_RV
slot_find(struct token_app *app, CK_SLOT_ID slot, struct card_slot *out)
{
	if (slot < 1 || slot > app->token->slots ||
	    card_slot(app->token->card, (unsigned)slot, out) != CARD_OK)
		return CKR_SLOT_ID_INVALID;
	return CKR_OK;
}

/* A list that the caller may have room for. */
static CK_RV
list_out(const CK_ULONG *from, CK_ULONG found, CK_ULONG *list, CK_ULONG *count)
{
	CK_ULONG room = *count, i;

	*count = found;
	if (list == NULL)
		return CKR_OK;
	if (room < found)
		return CKR_BUFFER_TOO_SMALL;
	for (i = 0; i < found; i++)
		list[i] = from[i];
	return CKR_OK;
}

CK_RV
token_C_GetSlotList(
    struct token_app *app, CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count)
{
	CK_SLOT_ID found[CARD_SLOTS_MAX];
	struct card_slot slot;
	CK_ULONG n = 0;
	unsigned number;
	CK_RV rv;

	if (token_fault(app, __func__, &rv))
		return rv;
	if (count == NULL)
		return CKR_ARGUMENTS_BAD;
	for (number = 1; number <= app->token->slots; number++)
		if (card_slot(app->token->card, number, &slot) == CARD_OK &&
		    (slot.present || present == CK_FALSE))
			found[n++] = number;
	return list_out(found, n, list, count);
}

CK_RV
token_C_GetSlotInfo(struct token_app *app, CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	struct card_slot here;
	char description[64];
	CK_RV rv;

	if (token_fault(app, __func__, &rv))
		return rv;
	if (info == NULL)
		return CKR_ARGUMENTS_BAD;
	rv = slot_find(app, slot, &here);
	if (rv != CKR_OK)
		return rv;
	memset(info, 0, sizeof(*info));
	(void)snprintf(
	    description, sizeof(description), "%s slot %lu", here.model, slot);
	blank_fill(
	    info->slotDescription, sizeof(info->slotDescription), description);
	blank_fill(
	    info->manufacturerID, sizeof(info->manufacturerID), MANUFACTURER);
	info->flags = CKF_HW_SLOT | (here.present ? CKF_TOKEN_PRESENT : 0);
	info->firmwareVersion = version_of(here.firmware);
	return CKR_OK;
}

static CK_FLAGS
token_flags(const struct card_slot *slot, bool expired)
{
	CK_FLAGS flags = CKF_RNG | CKF_LOGIN_REQUIRED | CKF_CLOCK_ON_TOKEN |
			 CKF_DUAL_CRYPTO_OPERATIONS |
			 CKF_RESTORE_KEY_NOT_NEEDED;

	flags |= slot->initialized ? CKF_TOKEN_INITIALIZED : 0;
	flags |= slot->ped ? CKF_PROTECTED_AUTHENTICATION_PATH : 0;
	flags |= slot->has_user ? CKF_USER_PIN_INITIALIZED : 0;
	flags |= slot->user_low ? CKF_USER_PIN_COUNT_LOW : 0;
	flags |= slot->user_final ? CKF_USER_PIN_FINAL_TRY : 0;
	flags |= slot->user_locked ? CKF_USER_PIN_LOCKED : 0;
	flags |= slot->so_low ? CKF_SO_PIN_COUNT_LOW : 0;
	flags |= slot->so_final ? CKF_SO_PIN_FINAL_TRY : 0;
	flags |= slot->so_locked ? CKF_SO_PIN_LOCKED : 0;
	flags |= expired ? CKF_USER_PIN_TO_BE_CHANGED : 0;
	return flags;
}

static void
token_time(const struct env *env, CK_BYTE *out, size_t octets)
{
	time_t now = (time_t)env_wall_s(env);
	struct tm tm;
	char text[24] = "";

	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(text, sizeof(text), "%Y%m%d%H%M%S00", &tm);
	blank_fill(out, octets, text);
}

CK_RV
token_C_GetTokenInfo(
    struct token_app *app, CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	struct token_storage storage;
	struct app_slot *mine;
	struct card_slot here;
	CK_ULONG room = CK_UNAVAILABLE_INFORMATION;
	bool expired;
	CK_RV rv;

	if (token_fault(app, __func__, &rv))
		return rv;
	if (info == NULL)
		return CKR_ARGUMENTS_BAD;
	rv = slot_find(app, slot, &here);
	if (rv != CKR_OK)
		return rv;
	if (!here.present)
		return CKR_TOKEN_NOT_PRESENT;
	memset(info, 0, sizeof(*info));
	mine = &app->slots[slot];
	pthread_mutex_lock(&app->lock);
	info->ulSessionCount = mine->sessions;
	info->ulRwSessionCount = mine->sessions - mine->read_only;
	expired = mine->login.expired;
	pthread_mutex_unlock(&app->lock);
	info->ulMaxSessionCount = TOKEN_SESSIONS_MAX;
	info->ulMaxRwSessionCount = TOKEN_SESSIONS_MAX;
	/* req: KSC-045 */
	blank_fill(info->label, sizeof(info->label), here.label);
	blank_fill(info->manufacturerID, sizeof(info->manufacturerID),
	    here.manufacturer);
	blank_fill(info->model, sizeof(info->model), here.model);
	blank_fill(info->serialNumber, sizeof(info->serialNumber), here.serial);
	info->flags = token_flags(&here, expired);
	info->ulMinPinLen = here.ped ? 0 : CARD_PASSWORD_LEAST_OCTETS;
	info->ulMaxPinLen =
	    here.ped ? CARD_CHALLENGE_OCTETS : CARD_PASSWORD_MOST_OCTETS;
	if (token_storage(app->token, (unsigned)slot, &storage) == CARD_OK &&
	    storage.known)
		room = storage.total_octets - storage.used_octets;
	info->ulTotalPublicMemory = here.capacity_octets;
	info->ulTotalPrivateMemory = here.capacity_octets;
	info->ulFreePublicMemory = room;
	info->ulFreePrivateMemory = room;
	info->firmwareVersion = version_of(here.firmware);
	token_time(app->token->env, info->utcTime, sizeof(info->utcTime));
	return CKR_OK;
}

/*
 * An event is that the card had no power, or has another partition now: once
 * for each slot and application. Waiting for one is not offered; the card does
 * not come and go as a smart card does.
 */
CK_RV
token_C_WaitForSlotEvent(
    struct token_app *app, CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
	unsigned number;
	CK_RV rv;

	if (token_fault(app, __func__, &rv))
		return rv;
	if (slot == NULL || reserved != NULL)
		return CKR_ARGUMENTS_BAD;
	if ((flags & CKF_DONT_BLOCK) == 0)
		return CKR_FUNCTION_NOT_SUPPORTED;
	rv = CKR_NO_EVENT;
	pthread_mutex_lock(&app->lock);
	for (number = 1; number <= app->token->slots && rv != CKR_OK;
	     number++) {
		uint64_t epoch = card_epoch(app->token->card, number);

		if (app->slots[number].seen_epoch == epoch)
			continue;
		app->slots[number].seen_epoch = epoch;
		*slot = number;
		rv = CKR_OK;
	}
	pthread_mutex_unlock(&app->lock);
	return rv;
}

CK_RV
token_C_GetMechanismList(struct token_app *app, CK_SLOT_ID slot,
    CK_MECHANISM_TYPE *list, CK_ULONG *count)
{
	CK_MECHANISM_TYPE types[128];
	struct card_slot here;
	CK_ULONG n = 0;
	size_t i;
	CK_RV rv;

	if (token_fault(app, __func__, &rv))
		return rv;
	if (count == NULL)
		return CKR_ARGUMENTS_BAD;
	rv = slot_find(app, slot, &here);
	if (rv == CKR_OK && !here.present)
		rv = CKR_TOKEN_NOT_PRESENT;
	if (rv != CKR_OK)
		return rv;
	for (i = 0; i < mechanisms_count && n < 128; i++)
		if (mechanism_offered(&mechanisms[i], app->token->fips))
			types[n++] = mechanisms[i].type;
	return list_out(types, n, list, count);
}

CK_RV
token_C_GetMechanismInfo(struct token_app *app, CK_SLOT_ID slot,
    CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
	const struct mechanism *row = mechanism_find(type);
	struct card_slot here;
	CK_RV rv;

	if (token_fault(app, __func__, &rv))
		return rv;
	if (info == NULL)
		return CKR_ARGUMENTS_BAD;
	rv = slot_find(app, slot, &here);
	if (rv == CKR_OK && !here.present)
		rv = CKR_TOKEN_NOT_PRESENT;
	if (rv != CKR_OK)
		return rv;
	if (row == NULL || !mechanism_offered(row, app->token->fips))
		return CKR_MECHANISM_INVALID;
	info->ulMinKeySize = row->min;
	info->ulMaxKeySize = row->max;
	info->flags = row->flags | CKF_HW; /* in the card, all of them */
	return CKR_OK;
}

/* Has any application a session with it? */
static bool
slot_in_use(struct token *token, unsigned slot)
{
	const uint64_t epoch = card_epoch(token->card, slot);
	struct token_app *app;
	bool used = false;

	pthread_mutex_lock(&token->lock);
	for (app = token->apps; app != NULL; app = app->next) {
		pthread_mutex_lock(&app->lock);
		used |= app->slots[slot].sessions > 0 &&
			app->slots[slot].epoch == epoch;
		pthread_mutex_unlock(&app->lock);
	}
	pthread_mutex_unlock(&token->lock);
	return used;
}

/* Who makes a partition anew has to know its Security Officer's password. */
static enum card_rv
init_token(struct token *token, unsigned slot, const struct card_slot *here,
    struct bytes pin, const char *label)
{
	struct card_login so = {.role = CARD_NOBODY};
	enum card_rv rv = CARD_OK;

	/* The built-in card's is made at the console, with iKeys. */
	if (here->ped)
		return CARD_POLICY;
	if (here->initialized) {
		rv = card_login(token->card, slot, CARD_SO, pin, &so);
		if (rv != CARD_OK)
			return rv;
		card_logout(token->card, &so);
	}
	return card_partition_init(
	    token->card, slot, label, pin, bytes_of_text(CARD_DEFAULT_DOMAIN));
}

CK_RV
token_C_InitToken(struct token_app *app, CK_SLOT_ID slot, CK_BYTE *pin,
    CK_ULONG pin_len, CK_BYTE *label)
{
	char text[CARD_LABEL_OCTETS + 1];
	size_t length = CARD_LABEL_OCTETS;
	struct card_slot here;
	CK_RV rv;

	if (token_fault(app, __func__, &rv))
		return rv;
	rv = slot_find(app, slot, &here);
	if (rv != CKR_OK)
		return rv;
	if (!here.present)
		return CKR_TOKEN_NOT_PRESENT;
	if (label == NULL || (pin == NULL && (pin_len > 0 || !here.ped)))
		return CKR_ARGUMENTS_BAD;
	if (slot_in_use(app->token, (unsigned)slot))
		return CKR_SESSION_EXISTS;
	while (length > 0 && label[length - 1] == ' ')
		length--;
	memcpy(text, label, length);
	text[length] = '\0';
	return token_rv(
	    app->token, init_token(app->token, (unsigned)slot, &here,
			    (struct bytes){pin, pin_len}, text));
}
