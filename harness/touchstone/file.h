/*
 * Whole files into memory.
 */
#ifndef TOUCHSTONE_FILE_H
#define TOUCHSTONE_FILE_H

#include "buf.h"
#include "err.h"

/*
 * Append the file's octets; "-" is standard input.
 *
 * ERR_OPEN, ERR_READ  `f` has the name and the system's words
 * ERR_SIZE            more than max_octets
 */
enum err file_read(const char *path, size_t max_octets, struct buf *out,
    struct fault *f) MUST_CHECK;

#endif
