/*
 * What every program that stays has in common: how it shields itself, where
 * its time is from, how it says that it is ready and how it ends.
 *
 * name     the module in the log: the program's own
 */
#ifndef BASE_DAEMON_H
#define BASE_DAEMON_H

#include "base/env.h"
#include "base/loop.h"

/*
 * Before the first file and the first thread: no core files, no peeking by
 * processes of the same user, files for the owner only, as many descriptors as
 * there may be. Who hangs up is an error of write(2), not a signal.
 *
 * peek  processes of the same user may look into memory: for a laboratory that
 *       does so on purpose
 */
void daemon_shield(bool peek);

/*
 * The directory that the program works in, made for its owner where it is not
 * there.
 *
 * ERR_SYSTEM  it cannot be made; the log says why
 */
enum err daemon_dir(const char *name, const char *path) MUST_CHECK;

/*
 * The laboratory's time from the clock file at `clock`; NULL: real time.
 *
 * ERR_SYSTEM, ERR_CONFIG  as env_new_lab(); the log says why
 */
enum err
daemon_env(const char *name, const char *clock, struct env **out) MUST_CHECK;

/*
 * "starting" on standard output, and in the log: whoever started the program
 * waits for good reason, however long ago that was.
 *
 * name    the program's, for the log
 * detail  what it does, and how far it is
 */
void daemon_starting(const char *name, const char *detail);

/*
 * "ready" on standard output: whoever started the program may use it.
 *
 * detail  what follows on the line, " port=5696", or ""
 */
void daemon_ready(const char *detail);

/*
 * For lab_config.power_off of a program that keeps nothing that could be lost:
 * it is gone, whichever way and at once.
 */
void daemon_power_off(void *ctx, bool tear, uint64_t seed, unsigned nth);

/* ---- the end ---- */

struct daemon_end;

/* Real time: the laboratory's may stand still for good. */
enum { DAEMON_END_S = 10 };

struct daemon_end_config {
	/*
	 * The end is wanted: take nothing new, bring to its end what is under
	 * way. Called once. NULL: nothing needs to be, the loop is stopped.
	 */
	loop_fn *begin;
	/* Asked at the end of each turn from then on: is all of it over? */
	bool (*over)(void *ctx);
	void *ctx;    /* of the two above; the loop is stopped */
	bool hang_up; /* the end of its terminal is a wish as well: SIGHUP */
};

/*
 * SIGTERM and SIGINT end the program in order: begin() is called, and the loop
 * stopped when it is over(). A second one, or DAEMON_END_S later, stops it at
 * once. They are blocked here, so call this before the first thread: then no
 * other one gets them.
 *
 * config      copied
 * ERR_NOMEM
 * ERR_SYSTEM  no descriptor is left
 */
enum err daemon_end_new(struct loop *loop,
    const struct daemon_end_config *config, struct daemon_end **out) MUST_CHECK;
void daemon_end_free(struct daemon_end *end); /* accepts NULL */

/* From within: as the first signal. */
void daemon_end_begin(struct daemon_end *end);

/*
 * The same program anew, in this process, with these arguments (NULL behind the
 * last); what it held is gone. Or another one, the file at `path`. They return
 * if that cannot be; the log says why.
 */
void daemon_again(char *const *argv);
void daemon_become(const char *path, char *const *argv);

/* Has the end begun? */
bool daemon_is_ending(const struct daemon_end *end);

#endif
