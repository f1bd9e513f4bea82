#include "card/backing.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "card/rv.h"

enum {
	CONF_MOST_OCTETS = 8192,
	OBJECT_MOST_OCTETS = 65536,
	PATH_OCTETS = 4096,
	PIN_OCTETS = 2 * SEAL_KEY_OCTETS, /* hexadecimal */
	UUID_OCTETS = 36,
	SO_PIN_OCTETS = 32,
};

static const char conf_name[] = "softhsm2.conf";
static const char tokens_name[] = "tokens";

struct backing {
	void *library;
	CK_FUNCTION_LIST *calls;
	bool initialized;
	int tokens_fd;
	struct steps *steps;
};

static enum card_rv
refused(const char *call, CK_RV rv)
{
	log_line(
	    "card", LOG_ERROR, "SoftHSM: %s: 0x%lx", call, (unsigned long)rv);
	return rv == CKR_HOST_MEMORY ? CARD_NO_MEMORY : CARD_STATE;
}

CK_FUNCTION_LIST *
backing_calls(const struct backing *b)
{
	return b->calls;
}

/*
 * Written at every start, since the directory may have been moved or copied.
 * A forked child must not inherit a login: reset_on_fork.
 */
static enum card_rv
conf_put(const char *dir, struct steps *steps)
{
	char *real = realpath(dir, NULL);
	char path[PATH_OCTETS];
	struct buf conf;
	int dir_fd = -1;
	int length;
	enum card_rv rc = CARD_STATE;

	buf_init(&conf, CONF_MOST_OCTETS);
	if (real == NULL)
		goto out;
	length = snprintf(path, sizeof(path), "%s/%s", real, conf_name);
	dir_fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (length >= (int)sizeof(path) || dir_fd < 0)
		goto out;
	TRY(rv_of(buf_printf(&conf,
	    "directories.tokendir = %s/%s\n"
	    "objectstore.backend = file\n"
	    "log.level = ERROR\n"
	    "slots.removable = false\n"
	    "library.reset_on_fork = true\n",
	    real, tokens_name)));
	TRY(rv_of(file_put(dir_fd, conf_name, buf_peek(&conf), steps)));
	rc = setenv("SOFTHSM2_CONF", path, 1) == 0 ? CARD_OK : CARD_NO_MEMORY;
out:
	if (dir_fd >= 0)
		close(dir_fd);
	buf_clear(&conf);
	mem_free(real); /* libc's, which is what mem_free frees */
	return rc;
}

/* The serial number of the token in that folder; false: it is none. */
static bool
serial_of(const char *folder, char serial[STATE_SERIAL_OCTETS + 1])
{
	if (strlen(folder) != UUID_OCTETS)
		return false;
	memcpy(serial, folder + 19, 4);
	memcpy(serial + 4, folder + 24, 12);
	serial[STATE_SERIAL_OCTETS] = '\0';
	return true;
}

static bool
state_names(const struct state *state, const char *serial)
{
	size_t k;

	for (k = 0; k < state->slots; k++) {
		if (strcmp(state->partitions[k].token, serial) == 0)
			return true;
	}
	return false;
}

/*
 * Remove the folder of token `one`, or those of all that `keep` does not name.
 * What readdir sees of a folder that changes is anybody's guess: so one at a
 * time, and from the start again.
 */
static enum err
remove_tokens(struct backing *b, const struct state *keep, const char *one)
{
	char serial[STATE_SERIAL_OCTETS + 1];
	char name[UUID_OCTETS + 1];
	struct dirent *entry;
	bool found;
	enum err rc = OK;

	do {
		int fd = openat(
		    b->tokens_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

		if (dir == NULL)
			return ERR_SYSTEM;
		found = false;
		while (!found && (entry = readdir(dir)) != NULL) {
			if (!serial_of(entry->d_name, serial))
				continue;
			found = one != NULL ? strcmp(serial, one) == 0
					    : !state_names(keep, serial);
			if (found)
				memcpy(name, entry->d_name, sizeof(name));
		}
		closedir(dir);
		if (found)
			TRY(file_remove_folder(b->tokens_fd, name, b->steps));
	} while (found);
out:
	return rc;
}

/* ---- what SoftHSM does not keep safe ---- */

/*
 * SoftHSM writes token.object anew with each login, in place: a loss of power
 * meanwhile leaves it empty, and the token unreadable. What is in it does not
 * change after the token was made, so a copy beside it is good for ever.
 */
static const char object_name[] = "token.object";
static const char kept_name[] = "token.kept";

static enum err
copy(int folder_fd, const char *from, const char *to, struct steps *steps)
{
	struct buf file;
	enum err rc = OK;

	buf_init(&file, OBJECT_MOST_OCTETS);
	TRY(file_get(folder_fd, from, &file));
	TRY(file_put(folder_fd, to, buf_peek(&file), steps));
out:
	buf_clear(&file);
	return rc;
}

static enum err
keep(int folder_fd, struct steps *steps)
{
	return copy(folder_fd, object_name, kept_name, steps);
}

static enum err
mend(int folder_fd, struct steps *steps)
{
	struct stat kept, object;

	if (fstatat(folder_fd, kept_name, &kept, 0) != 0)
		return ERR_NOT_FOUND;
	if (fstatat(folder_fd, object_name, &object, 0) == 0 &&
	    object.st_size >= kept.st_size)
		return OK;
	log_line("card", LOG_WARN, "a token was being written: mended");
	return copy(folder_fd, kept_name, object_name, steps);
}

/* Something to be done in the folder of that token. */
static enum err
in_folder(struct backing *b, const char *serial,
    enum err (*act)(int folder_fd, struct steps *steps))
{
	char other[STATE_SERIAL_OCTETS + 1];
	int fd = openat(b->tokens_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int folder_fd = -1;
	enum err rc = OK;

	if (dir == NULL)
		return ERR_SYSTEM;
	while (folder_fd < 0 && (entry = readdir(dir)) != NULL) {
		if (serial_of(entry->d_name, other) &&
		    strcmp(other, serial) == 0)
			folder_fd = openat(b->tokens_fd, entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	TRY(folder_fd >= 0 ? OK : ERR_NOT_FOUND);
	TRY(act(folder_fd, b->steps));
out:
	if (folder_fd >= 0)
		close(folder_fd);
	closedir(dir);
	return rc;
}

/* What was made is on the disk, whatever SoftHSM thinks of syncing. */
static enum err
sync_folder(int folder_fd, struct steps *steps)
{
	(void)steps;
	return file_sync_folder(folder_fd);
}

static enum err
mend_tokens(struct backing *b, const struct state *state)
{
	enum err rc = OK;
	size_t k;

	for (k = 0; k < state->slots; k++) {
		if (state->partitions[k].token[0] != '\0')
			TRY(in_folder(b, state->partitions[k].token, mend));
	}
out:
	return rc;
}

/* ---- SoftHSM ---- */

static enum card_rv
load(struct backing *b, const char *module)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	CK_C_GetFunctionList get;
	CK_RV rv;
	enum card_rv rc = CARD_OK;

	b->library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
	if (b->library == NULL) {
		log_line("card", LOG_ERROR, "%s", dlerror());
		TRY(CARD_STATE);
	}
	*(void **)(void *)&get = dlsym(b->library, "C_GetFunctionList");
	if (get == NULL || (rv = get(&b->calls)) != CKR_OK) {
		log_line("card", LOG_ERROR, "%s: no PKCS#11 module", module);
		TRY(CARD_STATE);
	}
	rv = b->calls->C_Initialize(&args);
	if (rv != CKR_OK)
		TRY(refused("C_Initialize", rv));
	b->initialized = true;
out:
	return rc;
}

enum card_rv
backing_new(const char *module, const char *dir, const struct state *state,
    struct steps *steps, struct backing **out)
{
	struct backing *b = NULL;
	char path[PATH_OCTETS];
	enum card_rv rc = CARD_OK;

	*out = NULL;
	TRY(rv_of(MEM_NEW(b)));
	b->tokens_fd = -1;
	b->steps = steps;
	(void)snprintf(path, sizeof(path), "%s/%s", dir, tokens_name);
	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		log_line("card", LOG_ERROR, "%s: %s", path, strerror(errno));
		TRY(CARD_STATE);
	}
	b->tokens_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->tokens_fd < 0)
		TRY(CARD_STATE);
	TRY(conf_put(dir, steps));
	TRY(rv_of(remove_tokens(b, state, NULL)));
	TRY(rv_of(mend_tokens(b, state)));
	seal_legacy();
	TRY(load(b, module));
	*out = b;
	b = NULL;
out:
	backing_free(b);
	return rc;
}

void
backing_free(struct backing *b)
{
	if (b == NULL)
		return;
	if (b->initialized)
		(void)b->calls->C_Finalize(NULL);
	if (b->library != NULL)
		dlclose(b->library);
	if (b->tokens_fd >= 0)
		close(b->tokens_fd);
	mem_free(b);
}

/* Which slots there are; the caller frees the array. */
static enum card_rv
slots_of(const struct backing *b, CK_SLOT_ID **slots, CK_ULONG *count)
{
	CK_SLOT_ID *list = NULL;
	CK_RV rv;
	enum card_rv rc = CARD_OK;

	*slots = NULL;
	/* Asked for the number, SoftHSM adds a free slot where it has none. */
	rv = b->calls->C_GetSlotList(CK_FALSE, NULL, count);
	if (rv != CKR_OK)
		TRY(refused("C_GetSlotList", rv));
	TRY(rv_of(MEM_ARRAY(list, *count)));
	rv = b->calls->C_GetSlotList(CK_FALSE, list, count);
	if (rv != CKR_OK)
		TRY(refused("C_GetSlotList", rv));
	*slots = list;
	list = NULL;
out:
	mem_free(list);
	return rc;
}

/* Of that serial number; NULL: the free one. */
static enum card_rv
slot_find(const struct backing *b, const char *serial, CK_SLOT_ID *out)
{
	CK_SLOT_ID *slots = NULL;
	CK_TOKEN_INFO info;
	CK_ULONG count, k;
	enum card_rv rc = CARD_OK;

	TRY(slots_of(b, &slots, &count));
	rc = CARD_STATE;
	for (k = 0; rc != CARD_OK && k < count; k++) {
		/* A token that was removed has a slot still, without answer. */
		if (b->calls->C_GetTokenInfo(slots[k], &info) != CKR_OK)
			continue;
		if (serial != NULL
			? memcmp(info.serialNumber, serial,
			      STATE_SERIAL_OCTETS) == 0
			: (info.flags & CKF_TOKEN_INITIALIZED) == 0) {
			*out = slots[k];
			rc = CARD_OK;
		}
	}
	if (rc != CARD_OK)
		log_line("card", LOG_ERROR, "SoftHSM has no token %s",
		    serial != NULL ? serial : "that is free");
out:
	mem_free(slots);
	return rc;
}

static enum card_rv
guard_open(const struct backing *b, CK_SLOT_ID slot, struct backing_token *out)
{
	CK_RV rv = b->calls->C_OpenSession(
	    slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &out->guard);

	if (rv != CKR_OK)
		return refused("C_OpenSession", rv);
	out->slot = slot;
	out->open = true;
	out->logged_in = false;
	return CARD_OK;
}

enum card_rv
backing_open(struct backing *b, const char *serial, struct backing_token *out)
{
	CK_SLOT_ID slot;
	enum card_rv rc = CARD_OK;

	TRY(slot_find(b, serial, &slot));
	TRY(guard_open(b, slot, out));
out:
	return rc;
}

/* As hexadecimal digits: a PIN is a string. */
static enum err
pin_of(const struct secret *key, struct secret **out)
{
	struct bytes octets = secret_peek(key);
	uint8_t *digits;
	size_t k;
	enum err rc = OK;

	TRY(secret_new(2 * octets.octets, out));
	digits = secret_fill(*out);
	for (k = 0; k < octets.octets; k++) {
		digits[2 * k] = (uint8_t) "0123456789abcdef"[octets.at[k] >> 4];
		digits[2 * k + 1] =
		    (uint8_t) "0123456789abcdef"[octets.at[k] & 15];
	}
out:
	return rc;
}

static CK_UTF8CHAR *
pin_at(struct secret *pin)
{
	return secret_fill(pin);
}

enum card_rv
backing_make(struct backing *b, struct env *env, const struct secret *key,
    char serial[STATE_SERIAL_OCTETS + 1], struct backing_token *out)
{
	struct secret *so_pin = NULL;
	struct secret *pin = NULL;
	struct secret *random = NULL;
	struct backing_token token = {.open = false};
	CK_UTF8CHAR label[32];
	CK_TOKEN_INFO info;
	CK_SLOT_ID slot;
	CK_RV rv;
	enum card_rv rc = CARD_OK;

	memset(label, ' ', sizeof(label));
	/* Of no use to anybody once the token is made. */
	TRY(rv_of(secret_new(SO_PIN_OCTETS / 2, &random)));
	TRY(rv_of(env_random(env, secret_fill(random), SO_PIN_OCTETS / 2)));
	TRY(rv_of(pin_of(random, &so_pin)));
	TRY(rv_of(pin_of(key, &pin)));
	TRY(slot_find(b, NULL, &slot));
	steps_pass(b->steps);
	rv = b->calls->C_InitToken(slot, pin_at(so_pin), SO_PIN_OCTETS, label);
	if (rv != CKR_OK)
		TRY(refused("C_InitToken", rv));
	steps_pass(b->steps);
	rv = b->calls->C_GetTokenInfo(slot, &info);
	if (rv != CKR_OK)
		TRY(refused("C_GetTokenInfo", rv));
	memcpy(serial, info.serialNumber, STATE_SERIAL_OCTETS);
	serial[STATE_SERIAL_OCTETS] = '\0';
	TRY(guard_open(b, slot, &token));
	rv = b->calls->C_Login(
	    token.guard, CKU_SO, pin_at(so_pin), SO_PIN_OCTETS);
	if (rv != CKR_OK)
		TRY(refused("C_Login", rv));
	rv = b->calls->C_InitPIN(token.guard, pin_at(pin), PIN_OCTETS);
	if (rv != CKR_OK)
		TRY(refused("C_InitPIN", rv));
	steps_pass(b->steps);
	rv = b->calls->C_Logout(token.guard);
	if (rv != CKR_OK)
		TRY(refused("C_Logout", rv));
	TRY(rv_of(in_folder(b, serial, keep)));
	TRY(rv_of(in_folder(b, serial, sync_folder)));
	TRY(rv_of(file_sync_folder(b->tokens_fd)));
	steps_pass(b->steps);
	*out = token;
	token.open = false;
out:
	if (token.open)
		(void)b->calls->C_CloseAllSessions(token.slot);
	secret_free(random);
	secret_free(so_pin);
	secret_free(pin);
	return rc;
}

enum card_rv
backing_login(
    struct backing *b, struct backing_token *token, const struct secret *key)
{
	struct secret *pin = NULL;
	CK_RV rv;
	enum card_rv rc = CARD_OK;

	if (token->logged_in)
		return CARD_OK;
	TRY(rv_of(pin_of(key, &pin)));
	rv = b->calls->C_Login(token->guard, CKU_USER, pin_at(pin), PIN_OCTETS);
	if (rv == CKR_PIN_INCORRECT)
		TRY(CARD_PIN_INCORRECT);
	if (rv != CKR_OK)
		TRY(refused("C_Login", rv));
	token->logged_in = true;
out:
	secret_free(pin);
	return rc;
}

void
backing_logout(struct backing *b, struct backing_token *token)
{
	if (token->logged_in)
		(void)b->calls->C_Logout(token->guard);
	token->logged_in = false;
}

enum card_rv
backing_remove(
    struct backing *b, const char *serial, struct backing_token *token)
{
	if (token->open) {
		backing_logout(b, token);
		(void)b->calls->C_CloseAllSessions(token->slot);
		token->open = false;
	}
	return rv_of(remove_tokens(b, NULL, serial));
}
