/*
 * What a session has open at the HSM card; ref/cli/hsm.c.
 */
#ifndef CLI_HSM_H
#define CLI_HSM_H

#include "cli/cli.h"

struct hsm_session;

/* Gives up what is under way. Accepts NULL. */
void hsm_session_free(struct hsm_session *session);

#endif
