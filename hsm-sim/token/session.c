/*
 * Sessions and logins of an application.
 *
 * Source: PKCS#11 2.40 base, sections 5.6 and 5.5 (C_InitPIN, C_SetPIN)
 */
#include <string.h>

#include "base/mem.h"
#include "token/app.h"

static CK_RV
session_new(struct token_app *app, unsigned slot, CK_FLAGS flags,
    uint64_t epoch, CK_SESSION_HANDLE *handle)
{
	struct app_slot *here = &app->slots[slot];
	struct session *session = mem_zalloc(1, sizeof(*session));
	CK_RV rv = CKR_OK;

	if (session == NULL)
		return CKR_HOST_MEMORY;
	session->app = app;
	session->slot = slot;
	session->flags = flags;
	session->refs = 1; /* the table's */
	session->epoch = epoch;
	pthread_mutex_init(&session->lock, NULL);
	pthread_mutex_lock(&app->lock);
	if (app->session_count >= TOKEN_SESSIONS_MAX)
		rv = CKR_SESSION_COUNT;
	else if ((flags & CKF_RW_SESSION) == 0 && here->login.role == CARD_SO)
		rv = CKR_SESSION_READ_WRITE_SO_EXISTS;
	else
		rv = app_handle_new(app, &session->handle);
	if (rv == CKR_OK) {
		struct session **chain =
		    &app->sessions[session->handle % APP_CHAINS];

		session->next = *chain;
		*chain = session;
		session->logins_over = here->logins_over;
		*handle = session->handle;
		app->session_count++;
		here->epoch = epoch;
		here->sessions++;
		if ((flags & CKF_RW_SESSION) == 0)
			here->read_only++;
	}
	pthread_mutex_unlock(&app->lock);
	if (rv != CKR_OK) {
		pthread_mutex_destroy(&session->lock);
		mem_free(session);
	}
	return rv;
}

/* Sessions of before the power was lost are told so once. */
static CK_RV
stale_sessions(struct token_app *app, unsigned slot, uint64_t epoch)
{
	bool stale;

	pthread_mutex_lock(&app->lock);
	stale =
	    app->slots[slot].sessions > 0 && app->slots[slot].epoch != epoch;
	pthread_mutex_unlock(&app->lock);
	if (!stale)
		return CKR_OK;
	app_slot_removed(app, slot);
	return token_rv(app->token, CARD_POWER);
}

CK_RV
token_C_OpenSession(struct token_app *app, CK_SLOT_ID slot, CK_FLAGS flags,
    void *application, CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
	struct token *token = app->token;
	unsigned number = (unsigned)slot;
	struct card_slot here;
	uint64_t epoch;
	CK_RV rv;

	/* Nothing here ever surrenders or notifies. */
	(void)application;
	(void)notify;
	if (token_fault(app, __func__, &rv))
		return rv;
	if (session == NULL)
		return CKR_ARGUMENTS_BAD;
	if (slot < 1 || slot > token->slots ||
	    card_slot(token->card, number, &here) != CARD_OK)
		return CKR_SLOT_ID_INVALID;
	if (!here.present)
		return CKR_TOKEN_NOT_PRESENT;
	if (!here.initialized)
		return CKR_TOKEN_NOT_RECOGNIZED;
	if ((flags & CKF_SERIAL_SESSION) == 0)
		return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
	card_backing_begin(token->card, number);
	epoch = card_epoch(token->card, number);
	rv = stale_sessions(app, number, epoch);
	if (rv == CKR_OK && !partition_sync(&token->partitions[number]))
		rv = CKR_TOKEN_NOT_PRESENT; /* it went this moment */
	card_backing_end(token->card, number);
	return rv == CKR_OK ? session_new(app, number, flags, epoch, session)
			    : rv;
}

CK_RV
token_C_CloseSession(struct token_app *app, CK_SESSION_HANDLE session)
{
	struct turn turn;
	CK_RV rv = turn_begin(&turn, app, __func__, session, 0);

	if (rv != CKR_OK)
		return rv;
	(void)turn_end(&turn, CKR_OK);
	session_close_all(app, 0, session);
	return CKR_OK;
}

CK_RV
token_C_CloseAllSessions(struct token_app *app, CK_SLOT_ID slot)
{
	struct card_slot info;
	CK_RV rv;

	if (token_fault(app, __func__, &rv))
		return rv;
	if (slot < 1 || slot > app->token->slots ||
	    card_slot(app->token->card, (unsigned)slot, &info) != CARD_OK)
		return CKR_SLOT_ID_INVALID;
	session_close_all(app, (unsigned)slot, CK_INVALID_HANDLE);
	return info.present ? CKR_OK : CKR_TOKEN_NOT_PRESENT;
}

CK_RV
token_C_GetSessionInfo(
    struct token_app *app, CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
	struct turn turn;
	bool writes;
	CK_RV rv = turn_begin(&turn, app, __func__, session, 0);

	if (rv != CKR_OK)
		return rv;
	if (info == NULL)
		return turn_end(&turn, CKR_ARGUMENTS_BAD);
	writes = (turn.session->flags & CKF_RW_SESSION) != 0;
	memset(info, 0, sizeof(*info));
	info->slotID = turn.session->slot;
	info->flags =
	    turn.session->flags & (CKF_RW_SESSION | CKF_SERIAL_SESSION);
	switch (turn.login.role) {
	case CARD_NOBODY:
		info->state =
		    writes ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
		break;
	case CARD_SO:
		info->state = CKS_RW_SO_FUNCTIONS;
		break;
	case CARD_USER:
	case CARD_LIMITED:
		info->state =
		    writes ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
		break;
	}
	return turn_end(&turn, CKR_OK);
}

/* ---- the roles ---- */

/* Is it the PED where its secrets are set, and not PKCS#11? */
static bool
trusted_path(const struct turn *turn)
{
	struct card_slot slot;

	return card_slot(turn->token->card, turn->session->slot, &slot) ==
		   CARD_OK &&
	       slot.ped;
}

/* A PIN, or the trusted path (no octets). */
static CK_RV
pin_of(const struct turn *turn, const CK_BYTE *pin, CK_ULONG pin_len,
    struct bytes *out)
{
	*out = BYTES_NONE;
	if (pin == NULL && (pin_len > 0 || !trusted_path(turn)))
		return CKR_ARGUMENTS_BAD;
	if (pin != NULL)
		*out = (struct bytes){pin, pin_len};
	return CKR_OK;
}

/* May this role log in to these sessions now? */
static CK_RV
login_allowed(struct turn *turn, enum card_role role)
{
	struct app_slot *slot = turn_slot(turn);
	CK_RV rv = CKR_OK;

	pthread_mutex_lock(&turn->app->lock);
	if (slot->login.role == role)
		rv = CKR_USER_ALREADY_LOGGED_IN;
	else if (slot->login.role != CARD_NOBODY)
		rv = CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
	else if (role == CARD_SO && slot->read_only > 0)
		rv = CKR_SESSION_READ_ONLY_EXISTS;
	pthread_mutex_unlock(&turn->app->lock);
	return rv;
}

static CK_RV
login(struct turn *turn, CK_USER_TYPE type, struct bytes pin)
{
	static const struct {
		CK_USER_TYPE type;
		enum card_role role;
	} roles[] = {
	    {CKU_SO, CARD_SO},
	    {CKU_USER, CARD_USER},
	    {TOKEN_CKU_LIMITED, CARD_LIMITED},
	};
	struct card *card = turn->token->card;
	struct card_login now;
	size_t i = 0;
	enum card_rv card_rv;
	CK_RV rv;

	/* Keys that want it before each use are not made here. */
	if (type == CKU_CONTEXT_SPECIFIC)
		return CKR_OPERATION_NOT_INITIALIZED;
	while (i < 3 && roles[i].type != type)
		i++;
	if (i == 3)
		return CKR_USER_TYPE_INVALID;
	rv = login_allowed(turn, roles[i].role);
	if (rv != CKR_OK)
		return rv;
	memset(&now, 0, sizeof(now));
	/* req: KSC-047, KSC-161 */
	card_rv =
	    card_login(card, turn->session->slot, roles[i].role, pin, &now);
	if (card_rv != CARD_OK)
		return token_rv(turn->token, card_rv);
	/* A read-only session may have been opened meanwhile, and the wait
	 * for somebody at the PED is long. */
	rv = login_allowed(turn, roles[i].role);
	pthread_mutex_lock(&turn->app->lock);
	if (rv == CKR_OK)
		turn_slot(turn)->login = now;
	pthread_mutex_unlock(&turn->app->lock);
	if (rv != CKR_OK)
		card_logout(card, &now);
	return rv;
}

CK_RV
token_C_Login(struct token_app *app, CK_SESSION_HANDLE session,
    CK_USER_TYPE user_type, CK_BYTE *pin, CK_ULONG pin_len)
{
	struct turn turn;
	struct bytes given;
	CK_RV rv;

	pthread_mutex_lock(&app->login_lock);
	rv = turn_begin(&turn, app, __func__, session, 0);
	if (rv == CKR_OK) {
		rv = pin_of(&turn, pin, pin_len, &given);
		if (rv == CKR_OK)
			rv = login(&turn, user_type, given);
		rv = turn_end(&turn, rv);
	}
	pthread_mutex_unlock(&app->login_lock);
	return rv;
}

CK_RV
token_C_Logout(struct token_app *app, CK_SESSION_HANDLE session)
{
	struct turn turn;
	struct card_login was;
	CK_RV rv;

	pthread_mutex_lock(&app->login_lock);
	rv = turn_begin(&turn, app, __func__, session, TURN_BACKING);
	if (rv == CKR_OK) {
		pthread_mutex_lock(&app->lock);
		was = turn_slot(&turn)->login;
		memset(&turn_slot(&turn)->login, 0, sizeof(was));
		pthread_mutex_unlock(&app->lock);
		if (was.role == CARD_NOBODY)
			rv = token_rv(app->token, CARD_NOT_LOGGED_IN);
		else
			app_login_over(app, turn.session->slot);
		rv = turn_end(&turn, rv);
		if (rv == CKR_OK)
			card_logout(app->token->card, &was);
	}
	pthread_mutex_unlock(&app->login_lock);
	return rv;
}

CK_RV
token_C_InitPIN(struct token_app *app, CK_SESSION_HANDLE session, CK_BYTE *pin,
    CK_ULONG pin_len)
{
	struct turn turn;
	struct bytes given;
	CK_RV rv;

	pthread_mutex_lock(&app->login_lock);
	rv = turn_begin(&turn, app, __func__, session, 0);
	if (rv == CKR_OK) {
		rv = pin_of(&turn, pin, pin_len, &given);
		if (rv == CKR_OK && turn.login.role != CARD_SO)
			rv = token_rv(app->token, CARD_NOT_LOGGED_IN);
		if (rv == CKR_OK && trusted_path(&turn))
			rv = token_rv(app->token, CARD_POLICY);
		if (rv == CKR_OK)
			rv = token_rv(
			    app->token, card_role_init(app->token->card,
					    &turn.login, CARD_USER, given));
		rv = turn_end(&turn, rv);
	}
	pthread_mutex_unlock(&app->login_lock);
	return rv;
}

/* Without a login it is the user's that is changed, who proves it here. */
static CK_RV
set_pin(struct turn *turn, struct bytes old_pin, struct bytes new_pin)
{
	struct card *card = turn->token->card;
	struct card_login now = turn->login;
	enum card_rv rv = CARD_OK;

	if ((turn->session->flags & CKF_RW_SESSION) == 0)
		return CKR_SESSION_READ_ONLY;
	if (trusted_path(turn))
		return token_rv(turn->token, CARD_POLICY);
	if (turn->login.role == CARD_NOBODY)
		rv = card_login(
		    card, turn->session->slot, CARD_USER, old_pin, &now);
	if (rv == CARD_OK)
		rv = card_password(card, &now, old_pin, new_pin);
	if (turn->login.role == CARD_NOBODY) {
		if (now.role != CARD_NOBODY)
			card_logout(card, &now);
	} else if (rv == CARD_OK) {
		pthread_mutex_lock(&turn->app->lock);
		turn_slot(turn)->login = now;
		pthread_mutex_unlock(&turn->app->lock);
	}
	return token_rv(turn->token, rv);
}

CK_RV
token_C_SetPIN(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *old_pin, CK_ULONG old_len, CK_BYTE *new_pin, CK_ULONG new_len)
{
	struct turn turn;
	struct bytes was, next;
	CK_RV rv;

	pthread_mutex_lock(&app->login_lock);
	rv = turn_begin(&turn, app, __func__, session, 0);
	if (rv == CKR_OK) {
		rv = pin_of(&turn, old_pin, old_len, &was);
		if (rv == CKR_OK)
			rv = pin_of(&turn, new_pin, new_len, &next);
		if (rv == CKR_OK)
			rv = set_pin(&turn, was, next);
		rv = turn_end(&turn, rv);
	}
	pthread_mutex_unlock(&app->login_lock);
	return rv;
}

/* ---- operation state: it stays in the card ---- */

CK_RV
token_C_GetOperationState(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *state, CK_ULONG *state_len)
{
	struct turn turn;
	enum op_kind kind;
	CK_RV rv = turn_begin(&turn, app, __func__, session, 0);

	(void)state;
	if (rv != CKR_OK)
		return rv;
	if (state_len == NULL)
		return turn_end(&turn, CKR_ARGUMENTS_BAD);
	rv = CKR_OPERATION_NOT_INITIALIZED;
	for (kind = 0; kind < OP_KINDS; kind++)
		if (turn.session->ops[kind].phase != OP_IDLE)
			rv = CKR_STATE_UNSAVEABLE;
	return turn_end(&turn, rv);
}

CK_RV
token_C_SetOperationState(struct token_app *app, CK_SESSION_HANDLE session,
    CK_BYTE *state, CK_ULONG state_len, CK_OBJECT_HANDLE encryption_key,
    CK_OBJECT_HANDLE authentication_key)
{
	struct turn turn;
	CK_RV rv = turn_begin(&turn, app, __func__, session, 0);

	(void)state_len;
	(void)encryption_key;
	(void)authentication_key;
	if (rv != CKR_OK)
		return rv;
	return turn_end(
	    &turn, state == NULL ? CKR_ARGUMENTS_BAD : CKR_SAVED_STATE_INVALID);
}

/* ---- parallel functions, of before 2.0 ---- */

CK_RV
token_C_GetFunctionStatus(struct token_app *app, CK_SESSION_HANDLE session)
{
	struct turn turn;
	CK_RV rv = turn_begin(&turn, app, __func__, session, 0);

	return rv == CKR_OK ? turn_end(&turn, CKR_FUNCTION_NOT_PARALLEL) : rv;
}

CK_RV
token_C_CancelFunction(struct token_app *app, CK_SESSION_HANDLE session)
{
	struct turn turn;
	CK_RV rv = turn_begin(&turn, app, __func__, session, 0);

	return rv == CKR_OK ? turn_end(&turn, CKR_FUNCTION_NOT_PARALLEL) : rv;
}
