#include "token/app.h"

#include <string.h>

#include "base/mem.h"

/* ---- the token ---- */

enum err
token_new(struct card *card, struct env *env, bool luna, struct token **out)
{
	struct token *token;
	unsigned slot;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(token));
	token->card = card;
	token->env = env;
	token->luna = luna;
	token->fips = card_fips(card);
	token->slots = card_slots(card);
	pthread_mutex_init(&token->lock, NULL);
	TRY(MEM_ARRAY(token->partitions, token->slots + 1));
	for (slot = 1; slot <= token->slots; slot++)
		TRY(partition_init(&token->partitions[slot], card, slot));
	*out = token;
	token = NULL; /* now the caller's */
out:
	token_free(token);
	return rc;
}

void
token_free(struct token *token)
{
	unsigned slot;

	if (token == NULL)
		return;
	for (slot = 1; token->partitions != NULL && slot <= token->slots;
	     slot++)
		partition_clear(&token->partitions[slot]);
	pthread_mutex_destroy(&token->lock);
	mem_free(token->partitions);
	mem_free(token);
}

enum card_rv
token_storage(struct token *token, unsigned slot, struct token_storage *out)
{
	struct partition *part;

	memset(out, 0, sizeof(*out));
	if (slot < 1 || slot > token->slots)
		return CARD_ARGUMENT;
	part = &token->partitions[slot];
	card_backing_begin(token->card, slot);
	if (partition_sync(part)) {
		partition_storage(part, out);
	} else {
		out->known = true; /* there is nothing */
		out->total_octets = part->capacity_octets;
	}
	card_backing_end(token->card, slot);
	return CARD_OK;
}

/* ---- applications ---- */

static enum err
random_fill(struct token_app *app)
{
	enum err rc = env_random(
	    app->token->env, (uint8_t *)app->random, sizeof(app->random));

	app->random_left = rc == OK ? APP_RANDOM : 0;
	return rc;
}

enum err
token_app_new(struct token *token, struct token_app **out)
{
	struct token_app *app;
	unsigned slot;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(app));
	app->token = token;
	pthread_mutex_init(&app->login_lock, NULL);
	pthread_mutex_init(&app->lock, NULL);
	TRY(MEM_ARRAY(app->slots, token->slots + 1));
	for (slot = 1; slot <= token->slots; slot++)
		app->slots[slot].seen_epoch = card_epoch(token->card, slot);
	TRY(random_fill(app));
	pthread_mutex_lock(&token->lock);
	app->next = token->apps;
	app->at = &token->apps;
	if (app->next != NULL)
		app->next->at = &app->next;
	token->apps = app;
	pthread_mutex_unlock(&token->lock);
	*out = app;
	app = NULL; /* now the caller's */
out:
	token_app_free(app);
	return rc;
}

void
token_app_free(struct token_app *app)
{
	struct token *token;
	unsigned slot;

	if (app == NULL)
		return;
	token = app->token;
	if (app->at != NULL) {
		pthread_mutex_lock(&token->lock);
		*app->at = app->next;
		if (app->next != NULL)
			app->next->at = app->at;
		pthread_mutex_unlock(&token->lock);
		session_close_all(app, 0, CK_INVALID_HANDLE);
	}
	for (slot = 1; app->slots != NULL && slot <= token->slots; slot++)
		index_clear(&app->slots[slot].objects);
	mem_free(app->by_value);
	mem_free(app->by_object);
	mem_free(app->slots);
	pthread_mutex_destroy(&app->lock);
	pthread_mutex_destroy(&app->login_lock);
	mem_free(app);
}

/* ---- handles ---- */

/*
 * The lower half is a count, so that no handle is ever used again; the upper
 * half is random, so that what one application has is not what another can
 * guess.
 */
CK_RV
app_handle_new(struct token_app *app, CK_ULONG *value)
{
	uint32_t random;

	if (app->handles_made == UINT32_MAX)
		return CKR_HOST_MEMORY;
	if (app->random_left == 0 && random_fill(app) != OK)
		return token_rv(app->token, CARD_RNG);
	random = app->random[--app->random_left];
	*value = (CK_ULONG)(random >> 1) << 32 | ++app->handles_made;
	return CKR_OK;
}

static size_t
value_chain(const struct token_app *app, CK_OBJECT_HANDLE value)
{
	return value & (app->handle_chains - 1);
}

static size_t
object_chain(const struct token_app *app, const struct object *object)
{
	uint64_t h = (uint64_t)(uintptr_t)object * 0x9e3779b97f4a7c15;

	return (size_t)(h >> 32) & (app->handle_chains - 1);
}

static void
handle_link(struct token_app *app, struct handle *handle)
{
	struct handle **value = &app->by_value[value_chain(app, handle->value)];
	struct handle **object =
	    &app->by_object[object_chain(app, handle->object)];

	handle->by_value = *value;
	*value = handle;
	handle->by_object = *object;
	*object = handle;
}

/* Twice the chains. ERR_NOMEM: as before. */
static enum err
handles_grow(struct token_app *app)
{
	const size_t chains = app->handle_chains;
	struct handle **by_value = NULL, **by_object = NULL, **was;
	const size_t more = chains == 0 ? APP_CHAINS : chains * 2;
	size_t i;
	enum err rc = OK;

	TRY(MEM_ARRAY(by_value, more));
	TRY(MEM_ARRAY(by_object, more));
	was = app->by_value;
	app->by_value = by_value;
	by_value = was;
	was = app->by_object;
	app->by_object = by_object;
	by_object = was;
	app->handle_chains = more;
	for (i = 0; i < chains; i++) {
		struct handle *handle = by_value[i], *next;

		for (; handle != NULL; handle = next) {
			next = handle->by_value;
			handle_link(app, handle);
		}
	}
out:
	mem_free(by_value);
	mem_free(by_object);
	return rc;
}

static struct handle *
handle_of(const struct token_app *app, const struct object *object)
{
	struct handle *handle = NULL;

	if (app->handle_chains > 0)
		handle = app->by_object[object_chain(app, object)];
	while (handle != NULL && handle->object != object)
		handle = handle->by_object;
	return handle;
}

CK_RV
app_handle(
    struct token_app *app, struct object *object, CK_OBJECT_HANDLE *value)
{
	struct handle *handle;
	CK_RV rv = CKR_OK;

	pthread_mutex_lock(&app->lock);
	handle = handle_of(app, object);
	if (handle == NULL) {
		if (app->handle_count >= app->handle_chains &&
		    handles_grow(app) != OK && app->handle_chains == 0)
			rv = CKR_HOST_MEMORY;
		else if ((handle = mem_zalloc(1, sizeof(*handle))) == NULL)
			rv = CKR_HOST_MEMORY;
		else if ((rv = app_handle_new(app, &handle->value)) != CKR_OK)
			mem_free(handle);
		else {
			handle->object = object_ref(object);
			handle_link(app, handle);
			app->handle_count++;
		}
	}
	if (rv == CKR_OK)
		*value = handle->value;
	pthread_mutex_unlock(&app->lock);
	return rv;
}

/* With the lock. */
static void
handle_free(struct token_app *app, struct handle *handle)
{
	struct handle **at = &app->by_value[value_chain(app, handle->value)];

	while (*at != handle)
		at = &(*at)->by_value;
	*at = handle->by_value;
	at = &app->by_object[object_chain(app, handle->object)];
	while (*at != handle)
		at = &(*at)->by_object;
	*at = handle->by_object;
	app->handle_count--;
	object_unref(handle->object);
	mem_free(handle);
}

void
app_handle_drop(struct token_app *app, struct object *object)
{
	struct handle *handle;

	pthread_mutex_lock(&app->lock);
	handle = handle_of(app, object);
	if (handle != NULL)
		handle_free(app, handle);
	pthread_mutex_unlock(&app->lock);
}

/* With the lock. All of a slot, or those of its private objects. */
static void
handles_drop(struct token_app *app, unsigned slot, bool all)
{
	size_t i;

	for (i = 0; i < app->handle_chains; i++) {
		struct handle *handle = app->by_value[i], *next;

		for (; handle != NULL; handle = next) {
			next = handle->by_value;
			if (handle->object->slot == slot &&
			    (all || handle->object->is_private))
				handle_free(app, handle);
		}
	}
}

bool
turn_sees_private(const struct turn *turn)
{
	return !turn->login.expired && (turn->login.role == CARD_USER ||
					   turn->login.role == CARD_LIMITED);
}

struct object *
turn_object(struct turn *turn, CK_OBJECT_HANDLE value)
{
	struct token_app *app = turn->app;
	struct handle *handle = NULL;
	struct object *object = NULL;

	pthread_mutex_lock(&app->lock);
	if (app->handle_chains > 0)
		handle = app->by_value[value_chain(app, value)];
	while (handle != NULL && handle->value != value)
		handle = handle->by_value;
	if (handle != NULL && handle->object->slot == turn->session->slot) {
		if (handle->object->backing == CK_INVALID_HANDLE)
			handle_free(app, handle); /* destroyed by others */
		else if (!handle->object->is_private || turn_sees_private(turn))
			object = object_ref(handle->object);
	}
	pthread_mutex_unlock(&app->lock);
	return object;
}

/* ---- sessions ---- */

static struct session **
session_at(struct token_app *app, CK_SESSION_HANDLE handle)
{
	struct session **at = &app->sessions[handle % APP_CHAINS];

	while (*at != NULL && (*at)->handle != handle)
		at = &(*at)->next;
	return at;
}

static void
found_drop(struct session *session)
{
	while (session->found_count > 0)
		object_unref(session->found[--session->found_count]);
	mem_free(session->found);
	session->found = NULL;
	session->found_at = 0;
}

/*
 * Two at a time, those that a dual function does together.
 *
 * spec: pkcs11-2.40 5.12
 */
bool
op_allowed(const struct session *session, enum op_kind kind)
{
	static const unsigned beside[OP_KINDS] = {
	    [OP_ENCRYPT] = 1 << OP_DIGEST | 1 << OP_SIGN,
	    [OP_DECRYPT] = 1 << OP_DIGEST | 1 << OP_VERIFY,
	    [OP_DIGEST] = 1 << OP_ENCRYPT | 1 << OP_DECRYPT,
	    [OP_SIGN] = 1 << OP_ENCRYPT,
	    [OP_VERIFY] = 1 << OP_DECRYPT,
	};
	enum op_kind other;
	unsigned active = 0;

	for (other = 0; other < OP_KINDS; other++)
		if (session->ops[other].phase != OP_IDLE)
			active |= 1U << other;
	return (active & ~beside[kind]) == 0 && (active & (active - 1)) == 0;
}

void
op_end(struct session *session, enum op_kind kind, bool clean)
{
	struct op *op = &session->ops[kind];
	const struct token *token = session->app->token;
	struct partition *part = &token->partitions[session->slot];

	if (kind == OP_FIND)
		found_drop(session);
	/* A session that the card has closed is not ours any more. */
	if (session->epoch == card_epoch(token->card, session->slot)) {
		if (op->backing != CK_INVALID_HANDLE)
			partition_give(part, op->backing, clean);
		if (op->plain != CK_INVALID_HANDLE)
			partition_give(part, op->plain, clean);
	}
	object_unref(op->key);
	mem_free(op->pad_label);
	memset(op, 0, sizeof(*op));
}

void
session_end_all(struct session *session)
{
	enum op_kind kind;

	for (kind = 0; kind < OP_KINDS; kind++)
		if (session->ops[kind].phase != OP_IDLE)
			op_end(session, kind, false);
}

/* Give up a use of it; the last one frees it. */
static void
session_unref(struct session *session)
{
	struct token_app *app = session->app;
	bool last;

	pthread_mutex_lock(&app->lock);
	last = --session->refs == 0;
	pthread_mutex_unlock(&app->lock);
	if (!last)
		return;
	session_end_all(session);
	pthread_mutex_destroy(&session->lock);
	mem_free(session);
}

/*
 * With the lock: out of the application's index, and of reach. In SoftHSM it
 * is destroyed, or will be with its session.
 */
static void
session_object_drop(
    struct token_app *app, struct app_slot *slot, struct object *object)
{
	struct handle *handle = handle_of(app, object);

	index_remove(&slot->objects, object);
	object->backing = CK_INVALID_HANDLE;
	if (handle != NULL)
		handle_free(app, handle);
	object_unref(object);
}

static void
session_objects_drop(
    struct token_app *app, struct app_slot *slot, CK_SESSION_HANDLE owner)
{
	struct object *object = index_first(&slot->objects, BY_ALL, BYTES_NONE);
	struct object *next;

	for (; object != NULL; object = next) {
		next = index_next(object, BY_ALL);
		if (owner == CK_INVALID_HANDLE || object->owner == owner)
			session_object_drop(app, slot, object);
	}
}

/* Take those of a slot out of the table; the table's use of them is now the
 * caller's. NULL: none is left. */
static struct session *
sessions_take(struct token_app *app, unsigned slot, CK_SESSION_HANDLE only)
{
	struct session *taken = NULL;
	size_t i;

	pthread_mutex_lock(&app->lock);
	for (i = 0; i < APP_CHAINS; i++) {
		struct session **at = &app->sessions[i], *session;

		while ((session = *at) != NULL) {
			if ((slot != 0 && session->slot != slot) ||
			    (only != CK_INVALID_HANDLE &&
				session->handle != only)) {
				at = &session->next;
				continue;
			}
			*at = session->next;
			session->next = taken;
			taken = session;
			app->session_count--;
		}
	}
	pthread_mutex_unlock(&app->lock);
	return taken;
}

/*
 * What ends with this session, after its last turn. Whoever closes the last
 * session of a slot is logged out.
 */
static void
session_ended(struct session *session)
{
	struct token_app *app = session->app;
	struct app_slot *slot = &app->slots[session->slot];
	struct card_login login = {.role = CARD_NOBODY};

	pthread_mutex_lock(&app->lock);
	session_objects_drop(app, slot, session->handle);
	if ((session->flags & CKF_RW_SESSION) == 0)
		slot->read_only--;
	if (--slot->sessions == 0) {
		login = slot->login;
		memset(&slot->login, 0, sizeof(slot->login));
		slot->logins_over++;
		handles_drop(app, session->slot, true);
	}
	pthread_mutex_unlock(&app->lock);
	if (login.role != CARD_NOBODY)
		card_logout(app->token->card, &login);
}

void
session_close_all(struct token_app *app, unsigned slot, CK_SESSION_HANDLE only)
{
	struct session *session = sessions_take(app, slot, only), *next;
	struct token *token = app->token;

	for (; session != NULL; session = next) {
		next = session->next;
		pthread_mutex_lock(&session->lock);
		session->closed = true;
		card_backing_begin(token->card, session->slot);
		session_end_all(session);
		if (session->backing != CK_INVALID_HANDLE &&
		    session->epoch == card_epoch(token->card, session->slot))
			card_backing(token->card)
			    ->C_CloseSession(session->backing);
		card_backing_end(token->card, session->slot);
		session_ended(session);
		pthread_mutex_unlock(&session->lock);
		session_unref(session);
	}
}

CK_RV
session_backing(struct turn *turn, CK_SESSION_HANDLE *backing)
{
	struct session *session = turn->session;
	CK_RV rv = CKR_OK;

	if (session->backing == CK_INVALID_HANDLE)
		rv = partition_take(turn->part, &session->backing);
	*backing = session->backing;
	return rv;
}

void
app_login_over(struct token_app *app, unsigned slot_number)
{
	struct app_slot *slot = &app->slots[slot_number];
	struct partition *part = &app->token->partitions[slot_number];
	struct object *object, *next;
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
	CK_OBJECT_HANDLE backing;

	(void)partition_take(part, &session);
	pthread_mutex_lock(&app->lock);
	slot->logins_over++;
	object = index_first(&slot->objects, BY_ALL, BYTES_NONE);
	for (; object != NULL; object = next) {
		next = index_next(object, BY_ALL);
		if (!object->is_private)
			continue;
		backing = object->backing;
		session_object_drop(app, slot, object);
		if (session != CK_INVALID_HANDLE)
			part->softhsm->C_DestroyObject(session, backing);
	}
	handles_drop(app, slot_number, false);
	pthread_mutex_unlock(&app->lock);
	if (session != CK_INVALID_HANDLE)
		partition_give(part, session, true);
}

/* ---- calls ---- */

CK_RV
token_rv(const struct token *token, enum card_rv rv)
{
	return card_rv_code(rv, token->luna);
}

bool
token_fault(struct token_app *app, const char *name, CK_RV *rv)
{
	/* "token_C_Encrypt" is C_Encrypt to those who lay faults. */
	return card_fault(app->token->card, strchr(name, '_') + 1, rv);
}

struct app_slot *
turn_slot(const struct turn *turn)
{
	return &turn->app->slots[turn->session->slot];
}

void
app_slot_removed(struct token_app *app, unsigned slot)
{
	struct session *session, *next;

	pthread_mutex_lock(&app->lock);
	memset(&app->slots[slot].login, 0, sizeof(app->slots[slot].login));
	pthread_mutex_unlock(&app->lock);
	session = sessions_take(app, slot, CK_INVALID_HANDLE);
	for (; session != NULL; session = next) {
		next = session->next;
		session_ended(session);
		session_unref(session);
	}
}

/* Has the card ended the login, or has another session? */
static void
login_check(struct turn *turn)
{
	struct token_app *app = turn->app;
	struct session *session = turn->session;
	struct app_slot *slot = turn_slot(turn);
	bool over = false;

	pthread_mutex_lock(&app->lock);
	if (slot->login.role != CARD_NOBODY) {
		enum card_rv rv =
		    card_login_check(turn->token->card, &slot->login);

		/* Another application may have changed the password. */
		slot->login.expired = rv == CARD_PIN_EXPIRED;
		if (rv == CARD_NOT_LOGGED_IN) {
			memset(&slot->login, 0, sizeof(slot->login));
			over = true;
		}
	}
	turn->login = slot->login;
	pthread_mutex_unlock(&app->lock);
	if (over)
		app_login_over(app, session->slot);
	pthread_mutex_lock(&app->lock);
	over = session->logins_over != slot->logins_over;
	session->logins_over = slot->logins_over;
	pthread_mutex_unlock(&app->lock);
	if (over)
		session_end_all(session);
}

CK_RV
turn_begin(struct turn *turn, struct token_app *app, const char *name,
    CK_SESSION_HANDLE handle, unsigned flags)
{
	struct session *session;
	struct token *token = app->token;
	CK_RV rv = CKR_OK;

	memset(turn, 0, sizeof(*turn));
	if (token_fault(app, name, &rv))
		return rv;
	pthread_mutex_lock(&app->lock);
	session = *session_at(app, handle);
	if (session != NULL)
		session->refs++;
	pthread_mutex_unlock(&app->lock);
	if (session == NULL)
		return CKR_SESSION_HANDLE_INVALID;
	turn->app = app;
	turn->token = token;
	turn->session = session;
	turn->part = &token->partitions[session->slot];
	turn->softhsm = turn->part->softhsm;
	turn->flags = flags;
	pthread_mutex_lock(&session->lock);
	card_backing_begin(token->card, session->slot);
	if (session->closed)
		rv = CKR_SESSION_HANDLE_INVALID;
	else if (session->epoch != card_epoch(token->card, session->slot) ||
		 !partition_sync(turn->part))
		rv = token_rv(token, CARD_POWER);
	if (rv == CKR_OK)
		login_check(turn);
	else if (!session->closed)
		app_slot_removed(app, session->slot);
	/* req: KSC-127 */
	if (rv == CKR_OK && (flags & TURN_USE) != 0 && turn->login.expired)
		rv = token_rv(token, CARD_PIN_EXPIRED);
	if (rv != CKR_OK) {
		turn->flags |= TURN_BACKING;
		return turn_end(turn, rv);
	}
	if ((flags & TURN_BACKING) == 0)
		card_backing_end(token->card, session->slot);
	return CKR_OK;
}

CK_RV
turn_end(struct turn *turn, CK_RV rv)
{
	struct session *session = turn->session;

	if ((turn->flags & TURN_BACKING) != 0)
		card_backing_end(turn->token->card, session->slot);
	pthread_mutex_unlock(&session->lock);
	session_unref(session);
	return rv;
}

const struct token_calls token_calls = {
#define CALL(number, name, effect, ...) .name = token_##name,
#include "token/call.def"
#undef CALL
};
