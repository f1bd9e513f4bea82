/*
 * OpenSSL's set-up, shared by everything that uses it: this folder and
 * net/tls.c.
 *
 * The library's default context is used throughout, without the machine's
 * openssl.cnf, so that a server behaves alike wherever it runs. Its heap blocks
 * are wiped when they are freed: key schedules, records and private numbers
 * pass through them.
 */
#ifndef CRYPTO_OSSL_H
#define CRYPTO_OSSL_H

#include "base/err.h"

/*
 * Before anything else touches OpenSSL, and before the first thread. Again is
 * harmless.
 *
 * ERR_SYSTEM  it would not take our heap, or its default provider is missing
 */
enum err ossl_init(void) MUST_CHECK;

/*
 * Empty this thread's error queue into the log and hand back `rc`, for TRY:
 *
 *	if (EVP_DigestFinal_ex(ctx, out, &octets) != 1)
 *		TRY(ossl_err("EVP_DigestFinal_ex", ERR_CRYPTO));
 *
 * ERR_NOMEM  instead of rc, where the queue says that memory was refused
 */
enum err ossl_err(const char *call, enum err rc) MUST_CHECK;

/* Empty the queue where a failure was an expected answer. */
void ossl_forget(void);

#endif
