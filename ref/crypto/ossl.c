#include "crypto/ossl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <stdbool.h>

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

enum err
ossl_init(void)
{
	static bool done;
	enum err rc = OK;

	if (done)
		return OK;
	if (CRYPTO_set_mem_functions(ossl_new, ossl_regrow, ossl_free) != 1 ||
	    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1 ||
	    OSSL_PROVIDER_load(NULL, "default") == NULL)
		TRY(ossl_err("OpenSSL's set-up", ERR_SYSTEM));
	/* old digests; a machine without them serves everything else */
	if (OSSL_PROVIDER_load(NULL, "legacy") == NULL)
		rc = ossl_err("OSSL_PROVIDER_load(legacy)", OK);
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
