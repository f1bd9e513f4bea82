/*
 * The SSH door: the command line over the network, a service of the device.
 *
 * The loop accepts connections, judges passwords, runs sessions (cli.h) and
 * keeps time; each connection is a thread's (ssh.h), and nothing of what a
 * peer does there holds the loop up.
 *
 *	accepted --> knocks: SSH_GRACE_MS to log in and begin a session
 *	logged in    its session ends by itself when nobody types (cli.h)
 *	ended        SSH_LINGER_MS to take what was said last, then cut
 *
 * Stopping the service closes the port and ends all connections. The port
 * moves when SSH Admin Server IP or Port does, and connections stay. While the
 * service runs, a place that cannot be had is refused; where it is lost between
 * that and the move, the old one stays, and the log has a line.
 *
 * What is said goes out at the end of its turn, as at the console (console.h).
 *
 * The SSH key is made when the service is first started.
 *
 * req: KS-02-006 KS-19-028 KS-19-030 KS-24-004 KS-AA-027
 */
#ifndef CLI_SSH_DOOR_H
#define CLI_SSH_DOOR_H

#include "device/appliance.h"

struct ssh_door;

enum {
	SSH_CONNECTIONS_MAX = 256, /* more are closed at once */
	SSH_SESSIONS_MAX = 16,     /* more are not let in */
	SSH_GRACE_MS = 120 * 1000,
	SSH_LINGER_MS = 10 * 1000,
	SSH_ASKS_PER_TURN = 8, /* of all connections */
};

/*
 * Offers SERVICE_SSH, which is stopped.
 *
 * listen  "127.0.0.1:0", "[::1]:2222": stands for an address of "All", and
 *         for the port that the setting has at first; 0 takes any once, and
 *         that one from then on. "": nothing does
 *
 * ERR_CONFIG  `listen` cannot be read
 */
enum err ssh_door_new(struct appliance *appliance, const char *listen,
    struct ssh_door **out) MUST_CHECK;

/* Closes everything now; the loop has had its last turn. Accepts NULL. */
void ssh_door_free(struct ssh_door *door);

/* Where it listens; 0: it does not. */
unsigned ssh_door_port(const struct ssh_door *door);

/* Connections that are open now. */
unsigned ssh_door_connections(const struct ssh_door *door);

#endif
