/*
 * A command that leaves a process behind: it returns when that one is at work,
 * or tells why it is not.
 */
#ifndef PEDSERVER_BACKGROUND_H
#define PEDSERVER_BACKGROUND_H

#include "base/bytes.h"

enum { BACKGROUND_WORDS_OCTETS = 256 };

/*
 * Leave serve(ctx, tell) running in a process of its own, and say on standard
 * output what the guide has for it. Before there are threads.
 *
 * who      "Ped Server"
 * why_not  why there will be none; NULL: nothing is known against it
 * tell     for the two below; what serve() returns is its process's status
 *
 * Returns this process's status: 0 when the other is at work.
 */
int background_start(const char *who, const char *why_not,
    int (*serve)(void *ctx, int tell), void *ctx);

/*
 * The new process is at work: what it has to say from now on goes to the end of
 * the file `log`, or nowhere. ERR_SYSTEM: the file cannot be opened.
 */
enum err background_ready(int tell, const char *log) MUST_CHECK;

/* It cannot be. */
void background_failed(int tell, const char *words);

#endif
