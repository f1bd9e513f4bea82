/*
 * Another program, run beside the loop: what it prints, and how it ended.
 *
 * It gets nothing of ours but its arguments and the environment: no
 * descriptor, no secret memory. All of it belongs to the loop's thread.
 */
#ifndef DEVICE_PROGRAM_H
#define DEVICE_PROGRAM_H

#include "base/buf.h"
#include "base/loop.h"

struct program;

enum { PROGRAM_PRINTS_OCTETS = 16384 };

/*
 * passed  it ended with status 0
 * prints  standard output and error, borrowed; cut after PROGRAM_PRINTS_OCTETS
 */
typedef void program_done_fn(void *ctx, bool passed, struct bytes prints);

/*
 * Start it. `done` is called from the loop when it has ended, once; then the
 * struct program is gone.
 *
 * argv  the program's path, its arguments, NULL
 *
 * ERR_SYSTEM  it cannot be started; the log says why
 */
enum err program_run(struct loop *loop, const char *const *argv,
    program_done_fn *done, void *ctx, struct program **out) MUST_CHECK;

/* Nobody waits for it any longer: it goes on, unheard. Accepts NULL. */
void program_leave(struct program *program);

#endif
