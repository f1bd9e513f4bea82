/*
 * Octets of open files, all that are asked for or an error: a call that a
 * signal interrupts or that moves a part of them goes on. errno tells a person
 * why it did not.
 *
 * ERR_DISK_FULL  there is no room for them: some may be there
 * ERR_SYSTEM
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/bytes.h"

/* Where the descriptor stands, and it moves on. */
enum err file_write(int fd, struct bytes octets) MUST_CHECK;

/* There, wherever the descriptor stands. */
enum err file_write_at(int fd, struct bytes octets, uint64_t place) MUST_CHECK;

/* ERR_TRUNCATED  the file ends before */
enum err
file_read_at(int fd, uint8_t *at, size_t octets, uint64_t place) MUST_CHECK;

#endif
