/*
 * The audit log as one of the five: its current file are lines of the store,
 * from the first behind those that the last rotation took.
 *
 * The record "audit" of the kind "log" says where it begins, and which archive
 * was made last: with it a part (device/log_folder.h) becomes an archive, and
 * without it the part is nothing.
 *
 * Errors, beside those named: the store's.
 *
 * req: KS-20-017 KS-20-019
 */
#ifndef DEVICE_LOG_AUDIT_H
#define DEVICE_LOG_AUDIT_H

#include "device/logs.h"
#include "store/record.h"

#define AUDIT_LOG "audit"

/* The number of its first line, whether that is there already or not. */
enum err log_audit_begin(struct store *st, uint64_t *begin) MUST_CHECK;

/* A line has been added, in the open group. */
void log_audit_added(struct appliance *appliance);

/* ---- for logs.c and log_read.c ---- */

enum err log_audit_open(struct logs *logs) MUST_CHECK;
void log_audit_close(struct logs *logs);

/*
 * Lines that are durable now go into an archive, some of them in each turn.
 * One that is under way is enough.
 *
 * ERR_SYSTEM ...  the folder: nothing has happened
 */
enum err log_audit_rotate(struct logs *logs) MUST_CHECK;

/* A reader has come, or gone: as long as there is one, no line is removed. */
void log_audit_reads(struct logs *logs, bool comes);

#endif
