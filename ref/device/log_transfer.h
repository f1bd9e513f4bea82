/*
 * Log files that leave the appliance by themselves.
 *
 * A file of a log with a Transfer Destination is sent when it is closed, that
 * is, when the log is rotated, and not before. Its name there is
 *
 *	WORD.log.NUMBER.STAMP.HOST	audit.log.1.2002-04-04_160146.demo
 *
 * with its place in the archive at that moment (1 is the newest), the time of
 * the rotation that made the file, and the appliance's host name.
 *
 * What could not be sent waits, across restarts, and is tried again every two
 * hours by elapsed time, and whenever the log rotates: the oldest first, one
 * after the other. A failure is a line of the system log. Where the host or its
 * login is the trouble, the files behind it are left to the next time.
 *
 * Files stay in the archive as the settings say, sent or not. One that has to
 * leave it and still waits goes out of the archive, and is removed as soon as
 * it has been sent; of those LOG_TRANSFER_OUT_MOST are kept of each log. Where
 * the destination is "None" by then, nothing waits any more.
 *
 * Where Sign Log is on, what is sent is the signed form.
 *
 * A destination has a host and a user: settings that would leave it without one
 * of them are refused (settings_judge).
 *
 *	"log.transfer"  key: WORD of the log
 *	                seen: the last rotation that has been seen
 *	                wait: a rotation whose file waits; in their order
 *
 * A rotation that a power cut kept from being noted here is seen at the next
 * start, as one behind `seen`.
 *
 * req: KS-20-018 KS-20-026 KS-20-035 KS-20-036 KS-20-037 KS-20-038 KS-20-039
 */
#ifndef DEVICE_LOG_TRANSFER_H
#define DEVICE_LOG_TRANSFER_H

#include "base/bytes.h"

struct appliance;
struct log_transfers; /* the appliance's */

enum {
	LOG_TRANSFER_AGAIN_MS = 2 * 3600 * 1000, /* req: KS-20-036 */
	LOG_TRANSFER_OUT_MOST = 256,
};

/* Behind logs and transfers. ERR_NOMEM, ERR_STORE */
enum err log_transfers_new(
    struct appliance *appliance, struct log_transfers **out) MUST_CHECK;
void log_transfers_free(struct log_transfers *transfers); /* accepts NULL */

/* Files that wait, those under way included: for the laboratory. */
unsigned log_transfers_waiting(const struct log_transfers *transfers);

#endif
