/*
 * Directories of vectors, as tests.
 *
 *   *.xml   a case, see case.h
 *   *.ttlv  octets and what to say of them, see octets.h
 *   *.nae   a conversation in NAE-XML, see nae_case.h
 */
#ifndef TOUCHSTONE_CORPUS_H
#define TOUCHSTONE_CORPUS_H

#include "err.h"
#include "test.h"

/*
 * Add the tests of a directory and of those below it, by name.
 *
 * ERR_OPEN    no such directory; `f` says which
 * ERR_SYNTAX  two tests of the same id
 */
enum err corpus_read(struct arena *a, const char *dir, struct tests *list,
    struct fault *f) MUST_CHECK;

#endif
