/*
 * libhsm-sim.so: the card as a PKCS#11 module.
 *
 * Exports C_GetFunctionList and nothing else. What an application calls goes
 * to hsmcardd over a socket (rpc/client.h), which alone knows the answers: no
 * key, PIN of a token or state of the card is ever in this process.
 *
 * Environment, looked at by C_Initialize:
 *
 *	HSM_SIM_SOCKET      the daemon's socket; card/p11.sock
 *	HSM_SIM_TIMEOUT_MS  how long an answer may take before the card counts
 *	                    as hung, 1 to 86400000; without it, for ever
 *
 * A forked child has no card: it gets CKR_CRYPTOKI_NOT_INITIALIZED until it
 * calls C_Initialize itself, and is another application then.
 *
 * Source: PKCS#11 2.40 base specification, section 5.4
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "rpc/client.h"

#define EXPORT __attribute__((visibility("default")))

enum { TIMEOUT_MS_MAX = 86400 * 1000 };

static _Atomic(struct rpc_client *) client; /* NULL: not initialized */
/* Of C_Initialize, C_Finalize and fork, which come from any thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- fork ---- */

static void
fork_begins(void)
{
	struct rpc_client *c;

	(void)pthread_mutex_lock(&lock);
	c = atomic_load(&client);
	if (c != NULL)
		rpc_client_lock(c);
}

static void
fork_ends(void)
{
	struct rpc_client *c = atomic_load(&client);

	if (c != NULL)
		rpc_client_unlock(c);
	(void)pthread_mutex_unlock(&lock);
}

static void
fork_ends_in_child(void)
{
	struct rpc_client *c = atomic_exchange(&client, NULL);

	if (c != NULL)
		rpc_client_abandon(c);
	(void)pthread_mutex_unlock(&lock);
}

/* ---- beginning and end ---- */

static CK_RV
check_arguments(const CK_C_INITIALIZE_ARGS *args)
{
	int functions;

	if (args == NULL)
		return CKR_OK;
	functions = (args->CreateMutex != NULL) + (args->DestroyMutex != NULL) +
		    (args->LockMutex != NULL) + (args->UnlockMutex != NULL);
	if (args->pReserved != NULL || (functions != 0 && functions != 4))
		return CKR_ARGUMENTS_BAD;
	return CKR_OK;
}

/* Absent: no limit. False: not a number, or none that makes sense. */
static bool
timeout_of(const char *text, unsigned *timeout_ms)
{
	char *end;
	unsigned long v;

	*timeout_ms = 0;
	if (text == NULL)
		return true;
	v = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || v == 0 ||
	    v > TIMEOUT_MS_MAX)
		return false;
	*timeout_ms = (unsigned)v;
	return true;
}

static CK_RV
own_C_Initialize(void *init_args)
{
	static bool forks_are_seen;
	const CK_C_INITIALIZE_ARGS *args = init_args;
	const char *path = getenv("HSM_SIM_SOCKET");
	struct rpc_client_config config = {
	    .path = path != NULL ? path : "card/p11.sock"};
	struct rpc_client *c = NULL;
	CK_RV rv;

	rv = check_arguments(args);
	if (rv != CKR_OK)
		return rv;
	if (args != NULL && (args->flags & CKF_OS_LOCKING_OK) == 0 &&
	    args->CreateMutex != NULL)
		config.locks = args;
	if (!timeout_of(getenv("HSM_SIM_TIMEOUT_MS"), &config.timeout_ms))
		return CKR_GENERAL_ERROR;
	(void)pthread_mutex_lock(&lock);
	if (atomic_load(&client) != NULL)
		rv = CKR_CRYPTOKI_ALREADY_INITIALIZED;
	if (rv == CKR_OK && !forks_are_seen &&
	    pthread_atfork(fork_begins, fork_ends, fork_ends_in_child) != 0)
		rv = CKR_HOST_MEMORY;
	if (rv == CKR_OK) {
		forks_are_seen = true;
		rv = rpc_client_new(&config, &c);
	}
	if (rv == CKR_OK)
		atomic_store(&client, c);
	(void)pthread_mutex_unlock(&lock);
	return rv;
}

static CK_RV
own_C_Finalize(void *reserved)
{
	struct rpc_client *c;

	if (reserved != NULL)
		return CKR_ARGUMENTS_BAD;
	(void)pthread_mutex_lock(&lock);
	c = atomic_exchange(&client, NULL);
	rpc_client_free(c);
	(void)pthread_mutex_unlock(&lock);
	return c == NULL ? CKR_CRYPTOKI_NOT_INITIALIZED : CKR_OK;
}

static CK_RV
own_C_GetInfo(CK_INFO *info)
{
	static const CK_INFO own = {
	    .cryptokiVersion = {2, 40},
	    .manufacturerID = "Touchstone simulator            ",
	    .libraryDescription = "Simulated HSM, over a socket    ",
	    .libraryVersion = {1, 0},
	};

	if (atomic_load(&client) == NULL)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (info == NULL)
		return CKR_ARGUMENTS_BAD;
	*info = own;
	return CKR_OK;
}

/* ---- the card's ---- */

/* clang-format off */
#define TAKE(kind, n)          TAKE_##kind(n)
#define TAKE_SESSION(n)        .n = {.number = n},
#define TAKE_NUMBER(n)         .n = {.number = n},
#define TAKE_BOOL(n)           .n = {.number = n},
#define TAKE_OCTETS(n)         .n = {.at = n, .number = n##_octets},
#define TAKE_OCTETS_OUT(n)     .n = {.at = n, .count = n##_octets},
#define TAKE_FILL(n)           .n = {.at = n, .number = n##_octets},
#define TAKE_LABEL(n)          .n = {.at = n},
#define TAKE_NUMBER_OUT(n)     .n = {.at = n},
#define TAKE_NUMBERS_OUT(n)    .n = {.at = n, .count = n##_count},
#define TAKE_FOUND_OUT(n)      .n = {.at = n, .number = n##_max, \
				     .count = n##_count},
#define TAKE_MECHANISM(n)      .n = {.at = n},
#define TAKE_TEMPLATE(n)       .n = {.at = n, .number = n##_count},
#define TAKE_TEMPLATE_OUT(n)   .n = {.at = n, .number = n##_count},
#define TAKE_SLOT_INFO(n)      .n = {.at = n},
#define TAKE_TOKEN_INFO(n)     .n = {.at = n},
#define TAKE_SESSION_INFO(n)   .n = {.at = n},
#define TAKE_MECHANISM_INFO(n) .n = {.at = n},
#define TAKE_CALLBACK(n)       .n = {.at = n##_context, .number = n != NULL},
#define TAKE_RESERVED(n)       .n = {.at = n},

#define CALL(number, name, effect, ...)                                     \
	static CK_RV own_##name(                                            \
	    CALL_LIST(CALL_EACH(CALL_PARAM, __VA_ARGS__)))                  \
	{                                                                   \
		const union call_args args = {                              \
		    .name = {CALL_EACH(TAKE, __VA_ARGS__)}};                \
		struct rpc_client *c = atomic_load(&client);                \
                                                                            \
		if (c == NULL)                                              \
			return CKR_CRYPTOKI_NOT_INITIALIZED;                \
		return rpc_client_call(c, CALL_##name, &args);              \
	}
#include "token/call.def"
#undef CALL

static CK_RV own_C_GetFunctionList(CK_FUNCTION_LIST **list);

static CK_FUNCTION_LIST functions = {
	.version = {2, 40},
	.C_Initialize = own_C_Initialize,
	.C_Finalize = own_C_Finalize,
	.C_GetInfo = own_C_GetInfo,
	.C_GetFunctionList = own_C_GetFunctionList,
#define CALL(number, name, effect, ...) .name = own_##name,
#include "token/call.def"
#undef CALL
};
/* clang-format on */

static CK_RV
own_C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	if (list == NULL)
		return CKR_ARGUMENTS_BAD;
	*list = &functions;
	return CKR_OK;
}

EXPORT CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	return own_C_GetFunctionList(list);
}
