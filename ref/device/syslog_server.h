/*
 * Servers that messages are sent on to, each by one protocol, for all logs that
 * go there. What a message has in it is device/syslog.h's.
 *
 * Nothing here waits: what a server does not take stays in a queue of
 * SYSLOG_QUEUE_OCTETS, and what does not fit in there is counted and lost. A
 * line of the system log says when that begins or the server cannot be reached,
 * and one when it has been served again for SYSLOG_CALM_MS. A connection that
 * fails is tried again after SYSLOG_FIRST_MS, and then twice as long each time,
 * up to SYSLOG_MOST_MS. What a broken connection had taken and not delivered is
 * lost, as UDP's is, and nobody knows how much that was.
 *
 * A name is looked up by a thread, each time that a connection is to be made;
 * of its addresses the next one is tried when one fails.
 */
#ifndef DEVICE_SYSLOG_SERVER_H
#define DEVICE_SYSLOG_SERVER_H

#include "base/bytes.h"
#include "device/logs.h"

struct appliance;
struct syslog_server;
struct syslog_servers; /* all that somebody uses */

enum {
	SYSLOG_QUEUE_OCTETS = 256 * 1024, /* of each server */
	SYSLOG_CONNECT_MS = 10 * 1000,
	SYSLOG_FIRST_MS = 1000,
	SYSLOG_MOST_MS = 60 * 1000,
	SYSLOG_CALM_MS = 10 * 1000,
};

/* ERR_NOMEM, ERR_SYSTEM */
enum err syslog_servers_new(
    struct appliance *appliance, struct syslog_servers **out) MUST_CHECK;
/* When nobody uses one any more. Accepts NULL. */
void syslog_servers_free(struct syslog_servers *servers);

/*
 * The one at that place, which whoever is there already uses as well. It is
 * reached when it has a message.
 *
 * ERR_NOMEM, ERR_SYSTEM
 */
enum err syslog_server_use(struct syslog_servers *servers, const char *host,
    unsigned port, enum logs_protocol protocol,
    struct syslog_server **out) MUST_CHECK;
/* With its last user goes what is queued. Accepts NULL. */
void syslog_server_leave(struct syslog_server *server);

/* In this turn it is queued, in the next it is sent.
 *
 * message  copied; it ends with its only line feed
 */
void syslog_server_put(struct syslog_server *server, struct bytes message);

/* A message that could not even be written: it counts as lost. */
void syslog_server_lose(struct syslog_server *server, const char *reason);

#endif
