/*
 * Files that hold a secret: for their owner only, whole or not there, on the
 * disk before they count.
 */
#ifndef CRYPTO_KEYFILE_H
#define CRYPTO_KEYFILE_H

#include "base/secret.h"

enum { KEYFILE_PATH_OCTETS = 1024 };

/* ERR_SYSTEM  it cannot be written; the log says why */
enum err keyfile_put(const char *path, struct bytes content) MUST_CHECK;

/*
 * All of it.
 *
 * ERR_CONFIG  absent, others may read it, empty, or longer than max_octets
 */
enum err keyfile_read(
    const char *path, size_t max_octets, struct secret **out) MUST_CHECK;

#endif
