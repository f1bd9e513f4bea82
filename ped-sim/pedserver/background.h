/*
 * A command that leaves a process behind: it returns when that one is at work,
 * or tells why it is not.
 */
#ifndef PEDSERVER_BACKGROUND_H
#define PEDSERVER_BACKGROUND_H

#include "base/bytes.h"

enum { BACKGROUND_WORDS_OCTETS = 256 };

/*
 * Split in two, before there are threads.
 *
 * tell   in the new process: for the two below
 * words  in the old one: why it failed; none when it is at work
 *
 * *is_new  which of the two this is
 * ERR_SYSTEM
 */
enum err background_split(
    bool *is_new, int *tell, char words[BACKGROUND_WORDS_OCTETS]) MUST_CHECK;

/*
 * The new process is at work: what it has to say from now on goes to the end of
 * the file `log`, or nowhere. ERR_SYSTEM: the file cannot be opened.
 */
enum err background_ready(int tell, const char *log) MUST_CHECK;

/* It cannot be. */
void background_failed(int tell, const char *words);

#endif
