/*
 * Lines of the logs, sent on to syslog servers as they are written: which go
 * where, and what is made of them.
 *
 * For each log that has it enabled, to one or two servers, over UDP or TCP. A
 * message is
 *
 *	<PRI>Mmm dd hh:mm:ss HOST LogName: LINE
 *
 * as RFC 3164 has it, with the facility of the log's settings and the severity
 * "informational"; over TCP a line feed ends it (RFC 6587, 3.4.2), as syslog-ng
 * and rsyslog take it. LogName is the log's title without blanks, and LINE what
 * the log has, however long. It is neither signed nor encrypted, whatever the
 * log's other settings.
 *
 * Nothing here waits; what a server does not take is kept for it, and what
 * cannot be kept is counted and lost (device/syslog_server.h).
 *
 * Settings are followed as soon as they are durable. Lines of the audit log
 * that a session of the command line leaves go where the settings sent them
 * when it began.
 *
 * req: KS-20-046 KS-20-047 KS-20-050 KS-20-051 KS-20-052 KS-20-053 KS-20-054
 * req: ESKM-213 ESKM-214
 */
#ifndef DEVICE_SYSLOG_H
#define DEVICE_SYSLOG_H

#include "base/bytes.h"

struct appliance;
struct syslogs; /* the appliance's */

/* Behind settings, clock and logs. ERR_NOMEM, ERR_SYSTEM */
enum err
syslogs_new(struct appliance *appliance, struct syslogs **out) MUST_CHECK;
/* What is queued is lost. Accepts NULL. */
void syslogs_free(struct syslogs *syslogs);

/*
 * A session of the command line begins and ends: the number is for its
 * principal. 0: there is no syslog.
 *
 * req: KS-20-056 KS-20-057
 */
uint64_t syslog_session_begin(struct appliance *appliance);
void syslog_session_end(struct appliance *appliance, uint64_t session);

/*
 * A line of the audit log, which goes out when the open group is durable.
 * device/audit.c calls it; lines of the other logs are watched (device/logs.h).
 *
 * session  of whose making it is; 0: of none, as the settings are now
 */
void
syslog_audit(struct appliance *appliance, uint64_t session, struct bytes line);

#endif
