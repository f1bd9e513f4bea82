#include "crypto/hsm.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* A loaded module. */
struct module {
	void *library;
	CK_FUNCTION_LIST_PTR fn;
	bool initialized; /* by us, so ours to finalize */
};

struct hsm {
	char *module_path;
	char *token_label;
	char *pin_path; /* NULL: pin is asked */
	char *kek_label;
	enum err (*pin)(void *ctx, struct secret **out);
	void *pin_ctx;

	/* held through each call: calls take turns */
	pthread_mutex_t lock;
	struct module module;
	CK_SESSION_HANDLE session;
	bool connected;
	CK_OBJECT_HANDLE kek;
	bool has_kek; /* looked up and checked since the login */

	atomic_uint calls; /* under way, those that wait included */

	pthread_mutex_t fault_lock;
	pthread_cond_t fault_moved;
	enum hsm_fault fault;
};

/* ---- answers ---- */

static const struct {
	CK_RV rv;
	const char *name;
	enum err rc;
} ckrs[] = {
#define CKR(code, err) {code, #code, err},
#include "crypto/ckr.def"
#undef CKR
};

/* The module's answer as an enum err; what is not CKR_OK goes to the log. */
static enum err
answer(const char *call, CK_RV rv)
{
	enum err rc = ERR_HSM;
	const char *name = "a code of its own";
	size_t k;

	if (rv == CKR_OK)
		return OK;
	for (k = 0; k < sizeof(ckrs) / sizeof(ckrs[0]); k++) {
		if (ckrs[k].rv == rv) {
			rc = ckrs[k].rc;
			name = ckrs[k].name;
		}
	}
	log_line("crypto", LOG_WARN, "hsm: %s: %s (0x%lx)", call, name, rv);
	return rc;
}

/* ---- the module ---- */

static void
module_close(struct module *m)
{
	if (m->initialized)
		(void)answer("C_Finalize", m->fn->C_Finalize(NULL));
	if (m->library != NULL)
		dlclose(m->library);
	*m = (struct module){.library = NULL};
}

static enum err
module_load(struct module *m, const char *path)
{
	CK_C_GetFunctionList list = NULL;
	void *symbol;
	enum err rc = OK;

	if (m->library != NULL)
		return OK;
	m->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (m->library == NULL) {
		log_line("crypto", LOG_ERROR, "hsm: %s", dlerror());
		TRY(ERR_HSM);
	}
	symbol = dlsym(m->library, "C_GetFunctionList");
	if (symbol == NULL) {
		log_line("crypto", LOG_ERROR,
		    "hsm: %s has no C_GetFunctionList", path);
		TRY(ERR_HSM);
	}
	/* ISO C has no cast from an object to a function; POSIX has this */
	memcpy(&list, &symbol, sizeof(list));
	TRY(answer("C_GetFunctionList", list(&m->fn)));
out:
	if (rc != OK)
		module_close(m);
	return rc;
}

static enum err
module_initialize(struct module *m)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	enum err rc = OK;

	if (m->initialized)
		return OK;
	TRY(answer("C_Initialize", m->fn->C_Initialize(&args)));
	m->initialized = true;
out:
	return rc;
}

static void
module_finalize(struct module *m)
{
	if (m->initialized)
		(void)answer("C_Finalize", m->fn->C_Finalize(NULL));
	m->initialized = false;
}

/* Token labels are padded with blanks and have no NUL. */
static void
pad_label(const char *label, CK_UTF8CHAR padded[32])
{
	size_t octets = strnlen(label, 32);

	memset(padded, ' ', 32);
	memcpy(padded, label, octets);
}

/*
 * The slot whose token has that label, or where label is NULL the first one
 * with a blank token. ERR_NOT_FOUND
 */
static enum err
slot_find(
    struct module *m, const char *label, CK_SLOT_ID *out, CK_TOKEN_INFO *info)
{
	CK_SLOT_ID *slots = NULL;
	CK_UTF8CHAR padded[32];
	CK_ULONG count = 0;
	CK_ULONG k;
	enum err rc = OK;

	pad_label(label != NULL ? label : "", padded);
	TRY(answer("C_GetSlotList", m->fn->C_GetSlotList(1, NULL, &count)));
	TRY(MEM_ARRAY(slots, count));
	TRY(answer("C_GetSlotList", m->fn->C_GetSlotList(1, slots, &count)));
	for (k = 0; k < count; k++) {
		bool blank;

		TRY(answer(
		    "C_GetTokenInfo", m->fn->C_GetTokenInfo(slots[k], info)));
		blank = (info->flags & CKF_TOKEN_INITIALIZED) == 0;
		if (label == NULL ? blank
				  : !blank && memcmp(info->label, padded,
						  sizeof(padded)) == 0) {
			*out = slots[k];
			goto out;
		}
	}
	rc = ERR_NOT_FOUND;
out:
	mem_free(slots);
	return rc;
}

/* ---- connection ---- */

enum err
hsm_new(const struct hsm_config *config, struct hsm **out)
{
	struct hsm *hsm = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(hsm));
	(void)pthread_mutex_init(&hsm->lock, NULL);
	(void)pthread_mutex_init(&hsm->fault_lock, NULL);
	(void)pthread_cond_init(&hsm->fault_moved, NULL);
	hsm->module_path = mem_strdup(config->module_path);
	hsm->token_label = mem_strdup(config->token_label);
	hsm->kek_label = mem_strdup(config->kek_label);
	if (hsm->module_path == NULL || hsm->token_label == NULL ||
	    hsm->kek_label == NULL)
		TRY(ERR_NOMEM);
	hsm->pin = config->pin;
	hsm->pin_ctx = config->pin_ctx;
	if (config->pin_path != NULL) {
		hsm->pin_path = mem_strdup(config->pin_path);
		TRY(hsm->pin_path != NULL ? OK : ERR_NOMEM);
	}
	*out = hsm;
	hsm = NULL;
out:
	hsm_free(hsm);
	return rc;
}

void
hsm_free(struct hsm *hsm)
{
	if (hsm == NULL || hsm_busy(hsm))
		return;
	/* finalizing logs out and closes the session */
	module_close(&hsm->module);
	(void)pthread_cond_destroy(&hsm->fault_moved);
	(void)pthread_mutex_destroy(&hsm->fault_lock);
	(void)pthread_mutex_destroy(&hsm->lock);
	mem_free(hsm->module_path);
	mem_free(hsm->token_label);
	mem_free(hsm->pin_path);
	mem_free(hsm->kek_label);
	mem_free(hsm);
}

bool
hsm_busy(const struct hsm *hsm)
{
	return atomic_load(&hsm->calls) != 0;
}

/* Forget the token, so that the next call starts from C_Initialize. */
static void
disconnect(struct hsm *hsm)
{
	hsm->connected = false;
	hsm->has_kek = false;
	module_finalize(&hsm->module);
}

static enum err
connect_token(struct hsm *hsm)
{
	CK_TOKEN_INFO info;
	CK_SLOT_ID slot;
	enum err rc = OK;

	if (hsm->connected)
		return OK;
	TRY(module_load(&hsm->module, hsm->module_path));
	TRY(module_initialize(&hsm->module));
	rc = slot_find(&hsm->module, hsm->token_label, &slot, &info);
	if (rc == ERR_NOT_FOUND) {
		log_line("crypto", LOG_ERROR, "hsm: no token with the label %s",
		    hsm->token_label);
		rc = ERR_HSM;
	}
	TRY(rc);
	TRY(answer("C_OpenSession", hsm->module.fn->C_OpenSession(slot,
					CKF_SERIAL_SESSION | CKF_RW_SESSION,
					NULL, NULL, &hsm->session)));
	hsm->connected = true;
out:
	if (rc != OK)
		disconnect(hsm);
	return rc;
}

/* Each call begins here: its turn, the laboratory's fault, a session. */
static enum err
enter(struct hsm *hsm)
{
	enum err rc = OK;

	atomic_fetch_add(&hsm->calls, 1);
	(void)pthread_mutex_lock(&hsm->lock);
	(void)pthread_mutex_lock(&hsm->fault_lock);
	while (hsm->fault == HSM_FAULT_HANGING)
		(void)pthread_cond_wait(&hsm->fault_moved, &hsm->fault_lock);
	if (hsm->fault == HSM_FAULT_FAILING)
		rc = ERR_HSM;
	(void)pthread_mutex_unlock(&hsm->fault_lock);
	TRY(rc);
	TRY(connect_token(hsm));
out:
	return rc;
}

/* ... and ends here. After ERR_HSM nothing of the session is trusted. */
static enum err
leave(struct hsm *hsm, enum err rc)
{
	if (rc == ERR_HSM && hsm->connected)
		disconnect(hsm);
	if (rc == ERR_HSM_LOGGED_OUT)
		hsm->has_kek = false;
	(void)pthread_mutex_unlock(&hsm->lock);
	atomic_fetch_sub(&hsm->calls, 1);
	return rc;
}

void
hsm_set_fault(struct hsm *hsm, enum hsm_fault fault)
{
	(void)pthread_mutex_lock(&hsm->fault_lock);
	hsm->fault = fault;
	(void)pthread_cond_broadcast(&hsm->fault_moved);
	(void)pthread_mutex_unlock(&hsm->fault_lock);
}

/* Without a login private keys cannot even be seen. */
static enum err
need_login(struct hsm *hsm)
{
	CK_SESSION_INFO info;
	enum err rc = OK;

	TRY(answer("C_GetSessionInfo",
	    hsm->module.fn->C_GetSessionInfo(hsm->session, &info)));
	if (info.state != CKS_RW_USER_FUNCTIONS) {
		hsm->has_kek = false;
		TRY(ERR_HSM_LOGGED_OUT);
	}
out:
	return rc;
}

/* The session's state may be a memory; a look at the key is not. */
static enum err
kek_look(struct hsm *hsm)
{
	CK_BBOOL sensitive;
	CK_ATTRIBUTE attribute = {CKA_SENSITIVE, &sensitive, sizeof(sensitive)};

	return answer(
	    "C_GetAttributeValue", hsm->module.fn->C_GetAttributeValue(
				       hsm->session, hsm->kek, &attribute, 1));
}

enum err
hsm_probe(struct hsm *hsm)
{
	enum err rc = OK;

	TRY(enter(hsm));
	TRY(need_login(hsm));
	if (hsm->has_kek)
		TRY(kek_look(hsm));
out:
	return leave(hsm, rc);
}

/* C_Login's octets are not const, though it only reads them. */
static CK_RV
login(struct module *m, CK_SESSION_HANDLE session, CK_USER_TYPE user,
    const struct secret *pin)
{
	struct bytes octets = secret_peek(pin);

	return m->fn->C_Login(session, user,
	    (CK_UTF8CHAR_PTR)(uintptr_t)octets.at, octets.octets);
}

enum err
hsm_login(struct hsm *hsm)
{
	struct secret *pin = NULL;
	enum err rc = OK;
	CK_RV rv;

	TRY(enter(hsm));
	if (hsm->pin_path != NULL)
		TRY(hsm_pin_read(hsm->pin_path, &pin));
	else
		TRY(hsm->pin(hsm->pin_ctx, &pin));
	rv = login(&hsm->module, hsm->session, CKU_USER, pin);
	if (rv != CKR_USER_ALREADY_LOGGED_IN)
		TRY(answer("C_Login", rv));
out:
	secret_free(pin);
	return leave(hsm, rc);
}

enum err
hsm_logout(struct hsm *hsm)
{
	enum err rc = OK;
	CK_RV rv;

	TRY(enter(hsm));
	hsm->has_kek = false;
	rv = hsm->module.fn->C_Logout(hsm->session);
	if (rv != CKR_USER_NOT_LOGGED_IN)
		TRY(answer("C_Logout", rv));
out:
	return leave(hsm, rc);
}

/* ---- the key-encryption key ---- */

enum { KEK_OCTETS = 32 };

static enum err
kek_find(struct hsm *hsm)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ATTRIBUTE wanted[] = {
	    {CKA_CLASS, &class, sizeof(class)},
	    {CKA_LABEL, hsm->kek_label, strlen(hsm->kek_label)},
	};
	CK_FUNCTION_LIST_PTR fn = hsm->module.fn;
	CK_OBJECT_HANDLE found[2];
	CK_ULONG count = 0;
	enum err rc = OK;

	TRY(answer("C_FindObjectsInit",
	    fn->C_FindObjectsInit(hsm->session, wanted, 2)));
	rc = answer(
	    "C_FindObjects", fn->C_FindObjects(hsm->session, found, 2, &count));
	TRY(answer("C_FindObjectsFinal", fn->C_FindObjectsFinal(hsm->session)));
	TRY(rc);
	if (count > 1) {
		log_line("crypto", LOG_ERROR, "hsm: several keys are named %s",
		    hsm->kek_label);
		TRY(ERR_HSM);
	}
	if (count == 0)
		TRY(ERR_NOT_FOUND);
	hsm->kek = found[0];
out:
	return rc;
}

/* A key that could be read out protects nothing. */
static enum err
kek_check(struct hsm *hsm)
{
	CK_KEY_TYPE type = 0;
	CK_ULONG octets = 0;
	CK_BBOOL sensitive = 0, extractable = 1, never_extractable = 0;
	CK_ATTRIBUTE has[] = {
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_VALUE_LEN, &octets, sizeof(octets)},
	    {CKA_SENSITIVE, &sensitive, sizeof(sensitive)},
	    {CKA_EXTRACTABLE, &extractable, sizeof(extractable)},
	    {CKA_NEVER_EXTRACTABLE, &never_extractable,
		sizeof(never_extractable)},
	};
	enum err rc = OK;

	TRY(answer("C_GetAttributeValue",
	    hsm->module.fn->C_GetAttributeValue(
		hsm->session, hsm->kek, has, sizeof(has) / sizeof(has[0]))));
	if (type != CKK_AES || octets != KEK_OCTETS || !sensitive ||
	    extractable || !never_extractable) {
		log_line("crypto", LOG_ERROR,
		    "hsm: %s is not an AES-256 key that never leaves the token",
		    hsm->kek_label);
		TRY(ERR_HSM);
	}
	hsm->has_kek = true;
out:
	return rc;
}

/* req: KS-05-004 */
static enum err
kek_make(struct hsm *hsm)
{
	CK_MECHANISM mechanism = {.mechanism = CKM_AES_KEY_GEN};
	CK_ULONG octets = KEK_OCTETS;
	CK_BBOOL yes = 1, no = 0;
	CK_ATTRIBUTE template[] = {
	    {CKA_LABEL, hsm->kek_label, strlen(hsm->kek_label)},
	    {CKA_VALUE_LEN, &octets, sizeof(octets)},
	    {CKA_TOKEN, &yes, sizeof(yes)},
	    {CKA_PRIVATE, &yes, sizeof(yes)},
	    {CKA_SENSITIVE, &yes, sizeof(yes)},
	    {CKA_EXTRACTABLE, &no, sizeof(no)},
	    {CKA_MODIFIABLE, &no, sizeof(no)},
	    {CKA_ENCRYPT, &yes, sizeof(yes)},
	    {CKA_DECRYPT, &yes, sizeof(yes)},
	    {CKA_WRAP, &no, sizeof(no)},
	    {CKA_UNWRAP, &no, sizeof(no)},
	    {CKA_SIGN, &no, sizeof(no)},
	    {CKA_VERIFY, &no, sizeof(no)},
	};
	enum err rc = OK;

	TRY(answer("C_GenerateKey",
	    hsm->module.fn->C_GenerateKey(hsm->session, &mechanism, template,
		sizeof(template) / sizeof(template[0]), &hsm->kek)));
	log_line("crypto", LOG_INFO, "hsm: made the key %s", hsm->kek_label);
	/* SoftHSM keeps keys in files and does not wait until they are on the
	 * disk; what is wrapped under this key soon will be */
	sync();
	/* what can be found again is there to stay */
	TRY(kek_find(hsm));
out:
	return rc;
}

enum err
hsm_kek(struct hsm *hsm, bool make)
{
	enum err rc = OK;

	TRY(enter(hsm));
	TRY(need_login(hsm));
	rc = kek_find(hsm);
	if (rc == ERR_NOT_FOUND && make)
		rc = kek_make(hsm);
	TRY(rc);
	TRY(kek_check(hsm));
out:
	return leave(hsm, rc);
}

/*
 * Set up AES-256-GCM under the KEK. The octets are not const for PKCS#11,
 * though it only reads them.
 */
static void
gcm_init(CK_MECHANISM *mechanism, CK_GCM_PARAMS *gcm, struct bytes nonce,
    struct bytes aad)
{
	*gcm = (CK_GCM_PARAMS){
	    .iv_ptr = (CK_BYTE_PTR)(uintptr_t)nonce.at,
	    .iv_len = nonce.octets,
	    .iv_bits = nonce.octets * 8,
	    .aad_ptr = (CK_BYTE_PTR)(uintptr_t)aad.at,
	    .aad_len = aad.octets,
	    .tag_bits = HSM_TAG_OCTETS * 8,
	};
	*mechanism = (CK_MECHANISM){
	    .mechanism = CKM_AES_GCM,
	    .pParameter = gcm,
	    .ulParameterLen = sizeof(*gcm),
	};
}

static enum err
need_kek(struct hsm *hsm)
{
	enum err rc = OK;

	TRY(need_login(hsm));
	if (!hsm->has_kek) {
		TRY(kek_find(hsm));
		TRY(kek_check(hsm));
	}
out:
	return rc;
}

enum err
hsm_wrap(struct hsm *hsm, const struct secret *key, struct bytes aad,
    struct buf *out)
{
	struct bytes plain = secret_peek(key);
	CK_ULONG octets = plain.octets + HSM_TAG_OCTETS;
	CK_FUNCTION_LIST_PTR fn;
	CK_MECHANISM mechanism;
	CK_GCM_PARAMS gcm;
	uint8_t *at;
	enum err rc = OK;

	TRY(enter(hsm));
	TRY(need_kek(hsm));
	fn = hsm->module.fn;
	TRY(buf_reserve(out, HSM_NONCE_OCTETS + octets, &at));
	TRY(answer("C_GenerateRandom",
	    fn->C_GenerateRandom(hsm->session, at, HSM_NONCE_OCTETS)));
	gcm_init(&mechanism, &gcm, (struct bytes){at, HSM_NONCE_OCTETS}, aad);
	TRY(answer("C_EncryptInit",
	    fn->C_EncryptInit(hsm->session, &mechanism, hsm->kek)));
	TRY(answer("C_Encrypt",
	    fn->C_Encrypt(hsm->session, (CK_BYTE_PTR)(uintptr_t)plain.at,
		plain.octets, at + HSM_NONCE_OCTETS, &octets)));
	if (octets != plain.octets + HSM_TAG_OCTETS)
		TRY(ERR_HSM);
	buf_added(out, HSM_NONCE_OCTETS + octets);
out:
	return leave(hsm, rc);
}

enum err
hsm_unwrap(struct hsm *hsm, struct bytes wrapped, struct bytes aad,
    struct secret **out)
{
	struct secret *room = NULL;
	CK_FUNCTION_LIST_PTR fn;
	CK_MECHANISM mechanism;
	CK_GCM_PARAMS gcm;
	struct bytes nonce;
	CK_ULONG octets;
	enum err rc = OK;
	CK_RV rv;

	*out = NULL;
	TRY(enter(hsm));
	/* a key that was found is asked for nothing more: each call is a way to
	 * the card and back, and one that is logged out says so itself */
	if (!hsm->has_kek)
		TRY(need_kek(hsm));
	fn = hsm->module.fn;
	if (wrapped.octets <= HSM_NONCE_OCTETS + HSM_TAG_OCTETS)
		TRY(ERR_SEAL);
	TRY(bytes_split(&wrapped, HSM_NONCE_OCTETS, &nonce));
	/* SoftHSM wants room for the tag too */
	octets = wrapped.octets;
	TRY(secret_new(octets, &room));
	gcm_init(&mechanism, &gcm, nonce, aad);
	TRY(answer("C_DecryptInit",
	    fn->C_DecryptInit(hsm->session, &mechanism, hsm->kek)));
	rv = fn->C_Decrypt(hsm->session, (CK_BYTE_PTR)(uintptr_t)wrapped.at,
	    wrapped.octets, secret_fill(room), &octets);
	rc = answer("C_Decrypt", rv);
	/* this is how SoftHSM 2.6.1 says that the tag is wrong; but a token
	 * that is gone may say the same */
	if (rv == CKR_GENERAL_ERROR && kek_look(hsm) == OK)
		rc = ERR_SEAL;
	TRY(rc);
	if (octets != wrapped.octets - HSM_TAG_OCTETS)
		TRY(ERR_HSM);
	TRY(secret_copy((struct bytes){secret_peek(room).at, octets}, out));
out:
	secret_free(room);
	return leave(hsm, rc);
}

/* ---- a new token ---- */

static enum err
user_pin_init(struct module *m, CK_SLOT_ID slot, const struct secret *so_pin,
    const struct secret *pin)
{
	struct bytes octets = secret_peek(pin);
	CK_SESSION_HANDLE session;
	enum err rc = OK;

	TRY(answer("C_OpenSession",
	    m->fn->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
		NULL, NULL, &session)));
	TRY(answer("C_Login", login(m, session, CKU_SO, so_pin)));
	TRY(answer("C_InitPIN",
	    m->fn->C_InitPIN(session, (CK_UTF8CHAR_PTR)(uintptr_t)octets.at,
		octets.octets)));
out:
	return rc;
}

enum err
hsm_token_init(const char *module_path, const char *token_label,
    const struct secret *so_pin, const struct secret *pin)
{
	struct module m = {.library = NULL};
	struct bytes so = secret_peek(so_pin);
	CK_UTF8CHAR padded[32];
	CK_TOKEN_INFO info;
	CK_SLOT_ID slot;
	enum err rc = OK;

	TRY(module_load(&m, module_path));
	TRY(module_initialize(&m));
	rc = slot_find(&m, token_label, &slot, &info);
	if (rc == ERR_NOT_FOUND) {
		TRY(slot_find(&m, NULL, &slot, &info));
		pad_label(token_label, padded);
		TRY(answer("C_InitToken",
		    m.fn->C_InitToken(slot, (CK_UTF8CHAR_PTR)(uintptr_t)so.at,
			so.octets, padded)));
		TRY(answer(
		    "C_GetTokenInfo", m.fn->C_GetTokenInfo(slot, &info)));
		log_line("crypto", LOG_INFO, "hsm: initialised the token %s",
		    token_label);
	}
	TRY(rc);
	if ((info.flags & CKF_USER_PIN_INITIALIZED) == 0)
		TRY(user_pin_init(&m, slot, so_pin, pin));
out:
	module_close(&m);
	return rc == ERR_NOT_FOUND ? ERR_HSM : rc;
}
