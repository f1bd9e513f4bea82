/*
 * The PED's face on a terminal, for people: the display in a frame, the keypad
 * as letters, and a line to name an iKey's file on.
 */
#ifndef PEDSIM_FACE_H
#define PEDSIM_FACE_H

#include "ped/ped.h"

struct face;

/*
 * Standard input and output are the terminal from here on.
 *
 * over  called when the person switches it off
 *
 * ERR_SYSTEM  standard input is no terminal
 */
enum err face_new(struct loop *loop, struct ped *ped, loop_fn *over, void *ctx,
    struct face **out) MUST_CHECK;
/* Gives the terminal back as it was; accepts NULL. */
void face_free(struct face *face);

/* Draw it anew. */
void face_shown(struct face *face);

#endif
