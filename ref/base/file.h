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

/* A new one on the disk that has this folder, to be read and written; no name
 * leads to it, and it goes with its last descriptor. *fd: -1 on failure
 * ERR_NOMEM */
enum err file_nameless(const char *folder, int *fd) MUST_CHECK;

/* Where the descriptor stands, and it moves on. */
enum err file_write(int fd, struct bytes octets) MUST_CHECK;

/* There, wherever the descriptor stands. */
enum err file_write_at(int fd, struct bytes octets, uint64_t place) MUST_CHECK;

/* ERR_TRUNCATED  the file ends before */
enum err
file_read_at(int fd, uint8_t *at, size_t octets, uint64_t place) MUST_CHECK;

#endif
