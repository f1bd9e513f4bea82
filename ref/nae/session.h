/*
 * Who a connection is, and what it may ask for.
 *
 *	connect -> [VersionRequest] -> [AuthRequest] -> anything else
 *
 * A request may bring a user's name and password for itself alone.
 *
 * Source: protocol note section 2.2; guide chapter 3
 */
#ifndef NAE_SESSION_H
#define NAE_SESSION_H

#include "nae/request.h"

struct session {
	struct appliance *appliance;
	const struct key_door *door;
	struct key_user user; /* a global session at first */
	/* what may still come before anything else */
	enum { STAGE_NEW, STAGE_VERSION, STAGE_AUTH, STAGE_WORK } stage;
	bool has_password; /* the user's, and it was right */
};

/*
 * door  borrowed
 *
 * ERR_NOT_FOUND  the user whom the certificate names is gone
 */
enum err session_open(struct session *s, struct appliance *appliance,
    const struct key_door *door) MUST_CHECK;
void session_clear(struct session *s); /* harmless on a zeroed one */

/*
 * Its turn in the session, and who asks.
 *
 * logs_in  by credentials of its own: session_login comes next
 */
enum err session_admit(struct nae_request *rq, bool *logs_in) MUST_CHECK;

/* Log in as the request says, and then next: rq->own_user asks. */
enum err session_login(struct nae_request *rq, nae_step_fn *next) MUST_CHECK;

/* Who asks is known: may they ask for this here? */
enum err session_permits(struct nae_request *rq) MUST_CHECK;

#endif
