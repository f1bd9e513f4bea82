/*
 * The card in the caller's process: for PKCS#11 test suites, and under
 * sanitizers. There is no PED here, and no card but this one may have the
 * directory meanwhile.
 *
 *	HSM_SIM_DIR    the card's directory, which exists
 *	HSM_SIM_MODEL  luna7 (default) or k6
 *	HSM_SIM_SLOTS  partitions of luna7; 1 if it is not set
 *	HSM_SIM_RV     standard (default) or luna: the vendor's return codes
 *
 * Source: PKCS#11 2.40 base, section 5.4
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wait.h"
#include "token/token.h"

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"

/* What belongs to the process; nothing of it is a forked child's. */
static struct {
	pthread_mutex_t lock;
	pid_t pid; /* who initialized it */
	struct env *env;
	struct wait_room *waits;
	struct card *card;
	struct token *token;
	struct token_app *app;
} module = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* NULL: not initialized, or by another process. */
static struct token_app *
module_app(void)
{
	return module.pid == getpid() ? module.app : NULL;
}

static void
module_clear(void)
{
	token_app_free(module.app);
	token_free(module.token);
	card_free(module.card);
	wait_room_free(module.waits);
	env_free(module.env);
	module.app = NULL;
	module.token = NULL;
	module.card = NULL;
	module.waits = NULL;
	module.env = NULL;
	module.pid = 0;
}

/* A variable that is one of two words; the first where it is not set. */
static enum err
choose(const char *name, const char *first, const char *second, bool *is_second)
{
	const char *value = getenv(name);

	*is_second = value != NULL && strcmp(value, second) == 0;
	return value == NULL || *is_second || strcmp(value, first) == 0
		   ? OK
		   : ERR_CONFIG;
}

static enum err
slots_wanted(unsigned *slots)
{
	const char *value = getenv("HSM_SIM_SLOTS");
	char *end = NULL;
	unsigned long n = 1;

	if (value != NULL) {
		n = strtoul(value, &end, 10);
		if (*value == '\0' || *end != '\0' || n < 1 ||
		    n > CARD_SLOTS_MAX)
			return ERR_CONFIG;
	}
	*slots = (unsigned)n;
	return OK;
}

static enum err
module_start(void)
{
	struct card_config config = {
	    .dir = getenv("HSM_SIM_DIR"),
	    .softhsm_module = SOFTHSM,
	    .model = CARD_LUNA7,
	};
	bool k6, luna;
	enum err rc = OK;

	TRY(choose("HSM_SIM_MODEL", "luna7", "k6", &k6));
	TRY(choose("HSM_SIM_RV", "standard", "luna", &luna));
	TRY(slots_wanted(&config.slots));
	if (k6) {
		config.model = CARD_K6;
		config.slots = 1;
	}
	TRY(config.dir != NULL ? OK : ERR_CONFIG);
	TRY(env_new(&module.env));
	TRY(wait_room_new(module.env, &module.waits));
	config.env = module.env;
	config.waits = module.waits;
	TRY(card_new(&config, &module.card) == CARD_OK ? OK : ERR_HSM);
	TRY(token_new(module.card, module.env, luna, &module.token));
	TRY(token_app_new(module.token, &module.app));
	module.pid = getpid();
out:
	if (rc != OK)
		module_clear();
	return rc;
}

/* spec: pkcs11-2.40 5.4  All four functions for mutexes, or none. */
static CK_RV
init_args_check(const CK_C_INITIALIZE_ARGS *args)
{
	bool all, none;

	if (args == NULL)
		return CKR_OK;
	all = args->CreateMutex != NULL && args->DestroyMutex != NULL &&
	      args->LockMutex != NULL && args->UnlockMutex != NULL;
	none = args->CreateMutex == NULL && args->DestroyMutex == NULL &&
	       args->LockMutex == NULL && args->UnlockMutex == NULL;
	if (args->pReserved != NULL || (!all && !none))
		return CKR_ARGUMENTS_BAD;
	/* The system's own are used, and no others. */
	return all && (args->flags & CKF_OS_LOCKING_OK) == 0 ? CKR_CANT_LOCK
							     : CKR_OK;
}

static CK_RV
start_rv(enum err rc)
{
	if (rc == OK)
		return CKR_OK;
	if (rc == ERR_NOMEM)
		return CKR_HOST_MEMORY;
	return rc == ERR_HSM ? CKR_DEVICE_ERROR : CKR_FUNCTION_FAILED;
}

static CK_RV
own_C_Initialize(void *init_args)
{
	CK_RV rv = init_args_check(init_args);

	if (rv != CKR_OK)
		return rv;
	pthread_mutex_lock(&module.lock);
	if (module_app() != NULL) {
		rv = CKR_CRYPTOKI_ALREADY_INITIALIZED;
	} else {
		/* What a parent left belongs to the parent. */
		module.app = NULL;
		module.token = NULL;
		module.card = NULL;
		module.waits = NULL;
		module.env = NULL;
		rv = start_rv(module_start());
	}
	pthread_mutex_unlock(&module.lock);
	return rv;
}

static CK_RV
own_C_Finalize(void *reserved)
{
	CK_RV rv = CKR_OK;

	pthread_mutex_lock(&module.lock);
	if (module_app() == NULL)
		rv = CKR_CRYPTOKI_NOT_INITIALIZED;
	else if (reserved != NULL)
		rv = CKR_ARGUMENTS_BAD;
	else
		module_clear();
	pthread_mutex_unlock(&module.lock);
	return rv;
}

static CK_RV
own_C_GetInfo(CK_INFO *info)
{
	static const char manufacturer[] = "Touchstone";
	static const char description[] = "Simulated Luna HSM, in process";

	if (module_app() == NULL)
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (info == NULL)
		return CKR_ARGUMENTS_BAD;
	memset(info, 0, sizeof(*info));
	info->cryptokiVersion = (CK_VERSION){2, 40};
	memset(info->manufacturerID, ' ', sizeof(info->manufacturerID));
	memcpy(info->manufacturerID, manufacturer, sizeof(manufacturer) - 1);
	memset(info->libraryDescription, ' ', sizeof(info->libraryDescription));
	memcpy(info->libraryDescription, description, sizeof(description) - 1);
	info->libraryVersion = (CK_VERSION){1, 0};
	return CKR_OK;
}

/* clang-format off */
#define CALL(number, name, effect, ...)                                     \
	static CK_RV own_##name(CALL_LIST(CALL_EACH(CALL_PARAM, __VA_ARGS__))) \
	{                                                                   \
		struct token_app *app = module_app();                       \
									    \
		if (app == NULL)                                            \
			return CKR_CRYPTOKI_NOT_INITIALIZED;                \
		return token_##name(app CALL_EACH(CALL_PASS, __VA_ARGS__)); \
	}
#include "token/call.def"
#undef CALL

__attribute__((visibility("default"))) CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	static CK_FUNCTION_LIST functions = {
	    .version = {2, 40},
	    .C_Initialize = own_C_Initialize,
	    .C_Finalize = own_C_Finalize,
	    .C_GetInfo = own_C_GetInfo,
	    .C_GetFunctionList = C_GetFunctionList,
#define CALL(number, name, effect, ...) .name = own_##name,
#include "token/call.def"
#undef CALL
	};

	if (list == NULL)
		return CKR_ARGUMENTS_BAD;
	*list = &functions;
	return CKR_OK;
}
