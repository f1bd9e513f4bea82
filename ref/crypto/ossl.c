#include "crypto/ossl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

static void *
ossl_new(size_t octets, const char *file, int line)
{
	(void)file;
	(void)line;
	return mem_library_new(octets);
}

static void *
ossl_regrow(void *p, size_t octets, const char *file, int line)
{
	(void)file;
	(void)line;
	if (octets == 0) {
		mem_library_free(p);
		return NULL;
	}
	return mem_library_regrow(p, octets);
}

static void
ossl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	mem_library_free(p);
}

/*
 * Libraries that are loaded with the program use OpenSSL as they are loaded
 * (libssh makes keys ready), and then it is too late: this runs before them.
 */
static bool memory_is_ours;

static void
take_memory(void)
{
	memory_is_ours =
	    CRYPTO_set_mem_functions(ossl_new, ossl_regrow, ossl_free) == 1;
}

__attribute__((section(".preinit_array"),
    used)) static void (*const before_libraries)(void) = take_memory;

/* The second has old digests; a machine without it serves everything else. */
static const char *const provider_names[] = {"default", "legacy"};
enum { PROVIDERS = sizeof(provider_names) / sizeof(provider_names[0]) };
static OSSL_PROVIDER *providers[PROVIDERS];

static void
providers_unload(void)
{
	size_t k;

	for (k = 0; k < PROVIDERS; k++) {
		if (providers[k] != NULL)
			(void)OSSL_PROVIDER_unload(providers[k]);
	}
}

enum err
ossl_init(void)
{
	static bool done;
	size_t k;
	enum err rc = OK;

	if (done)
		return OK;
	if (!memory_is_ours ||
	    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		TRY(ossl_err("OpenSSL's set-up", ERR_SYSTEM));
	for (k = 0; k < PROVIDERS; k++)
		providers[k] = OSSL_PROVIDER_load(NULL, provider_names[k]);
	rc = ossl_err(
	    "OSSL_PROVIDER_load", providers[0] != NULL ? OK : ERR_SYSTEM);
	/* before OpenSSL's own clean-up, which leaks them otherwise */
	if (rc == OK && atexit(providers_unload) != 0)
		rc = ERR_SYSTEM;
	TRY(rc);
	done = true;
out:
	return rc;
}

enum err
ossl_err(const char *call, enum err rc)
{
	enum log_level level =
	    rc == OK || rc == ERR_FIELD ? LOG_DEBUG : LOG_WARN;
	unsigned long code;
	char text[160];

	/* neither the file nor the data of an error is asked for: data may
	 * quote what a peer sent */
	while ((code = ERR_get_error()) != 0) {
		if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
			rc = ERR_NOMEM;
		ERR_error_string_n(code, text, sizeof(text));
		log_line("crypto", level, "%s: %s", call, text);
	}
	return rc;
}

void
ossl_forget(void)
{
	ERR_clear_error();
}
