/*
 * The audit log: who changed what, who was refused what, who came and went.
 *
 * A line is
 *
 *	yyyy-mm-dd hh:mm:ss [name]: event
 *
 * with wall time in the appliance's time zone as it was when the line was
 * written. The name is the administrator's, or "system" for what the appliance
 * does by itself. An event is one line: octets that are no printing UTF-8
 * are escaped as \xHH, and a backslash as \\, so that no value can pretend to
 * be a line; in a name ']' is escaped as well, and an administrator called
 * "system" is written with \x73 for each s. What is longer than
 * STORE_LOG_LINE_MAX_OCTETS is cut and ends with "\...", which no event can
 * say. Secrets are never in it.
 *
 * Its current file is the log "audit" of the store, and rotations take lines
 * out of that (device/logs.h). Nothing clears or rotates it by hand.
 *
 * req: KS-02-039 KS-02-040 KS-02-041 KS-02-042 KS-21-011 KS-21-012 KS-21-013
 * req: KS-20-003 KS-20-004 KS-21-014
 */
#ifndef DEVICE_AUDIT_H
#define DEVICE_AUDIT_H

#include "device/principal.h"
#include "store/record.h"

struct appliance;

/*
 * Write a line in the turn's group. Whoever changes something does not call
 * this: struct change does (device/change.h).
 *
 * The store's errors.
 */
enum err audit_add(struct appliance *appliance, const struct principal *by,
    const char *event) MUST_CHECK;

/*
 * The last `lines` lines since the last rotation, oldest first. As for
 * store_log_each.
 */
typedef enum err audit_fn(void *ctx, struct bytes line);
enum err audit_last(
    struct store *st, size_t lines, audit_fn *each, void *ctx) MUST_CHECK;

#endif
