/*
 * Files that are there whole or not at all, and the steps at which the power
 * can fail while they are made.
 */
#ifndef CARD_FILE_H
#define CARD_FILE_H

#include "base/buf.h"

/*
 * Steps of state-changing calls. Each place at which a loss of power leaves
 * something else behind than the place before passes one step; the laboratory
 * says at which of them this process dies. Zeroed: at none.
 */
struct steps {
	unsigned left;   /* until death; 0: never */
	unsigned passed; /* so far */
};

void steps_pass(struct steps *steps);

/*
 * Write a file of the directory, replacing what was there: a draft, synced,
 * renamed, and the directory synced. Six steps.
 *
 * ERR_SYSTEM  the log says why; what was there is there still, unless it was
 *             the last sync that failed
 */
enum err file_put(int dir_fd, const char *name, struct bytes content,
    struct steps *steps) MUST_CHECK;

/*
 * ERR_NOT_FOUND  there is no such file
 * ERR_LIMIT      larger than out may become
 * ERR_SYSTEM, ERR_NOMEM
 */
enum err file_get(int dir_fd, const char *name, struct buf *out) MUST_CHECK;

/* What is in a folder, and the folder itself. ERR_SYSTEM */
enum err file_sync_folder(int dir_fd) MUST_CHECK;

/* A folder of files, and all of them. A step each. ERR_SYSTEM */
enum err file_remove_folder(
    int dir_fd, const char *name, struct steps *steps) MUST_CHECK;

#endif
