/*
 * Files whose content is to be gone: overwritten, synced, then removed.
 *
 * What a disk keeps beside (journals, spare sectors) is not reached; what must
 * be safe from that is sealed by keys that are zeroized elsewhere.
 */
#ifndef BASE_ERASE_H
#define BASE_ERASE_H

#include "base/err.h"

/*
 * A file, or a directory with all that is in it; links are removed and not
 * followed. What is not there is no error. On an error the rest has been tried.
 *
 * ERR_SYSTEM  something is left; the log says what
 */
enum err erase_path(const char *path) MUST_CHECK;

/* The same, by its name in a directory. ERR_NOMEM: nothing was tried. */
enum err erase_in(const char *dir, const char *name) MUST_CHECK;

/* What was made in or removed from a directory is durable. ERR_SYSTEM */
enum err erase_sync_dir(const char *path) MUST_CHECK;

#endif
