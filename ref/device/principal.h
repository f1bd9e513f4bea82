/*
 * Who asks, and through which door.
 */
#ifndef DEVICE_PRINCIPAL_H
#define DEVICE_PRINCIPAL_H

#include "base/bytes.h"

enum {
	ADMIN_NAME_OCTETS = 30, /* req: KS-15-043 */
	PEER_OCTETS = 46,       /* an address as text, with its end */
};

enum door {
	DOOR_NONE,   /* the appliance itself: a schedule, first-time set-up */
	DOOR_SERIAL, /* the serial console */
	DOOR_SSH,
	DOOR_WEB,
};

/* Are failures at this door counted with those of the other remote ones?
 * req: KS-15-010 KS-15-011 */
static inline bool
door_is_remote(enum door door)
{
	return door == DOOR_SSH || door == DOOR_WEB;
}

/* An administrator who has logged in, or, with DOOR_NONE, nobody: "". */
struct principal {
	char name[ADMIN_NAME_OCTETS + 1];
	char peer[PEER_OCTETS]; /* "" at the serial console */
	enum door door;
	uint64_t syslog_session; /* device/syslog.h; 0: of none */
};

#endif
