/*
 * Private to the files about backups: where they lie, and who makes one.
 */
#ifndef DEVICE_BACKUP_STORE_H
#define DEVICE_BACKUP_STORE_H

#include "device/backup.h"

struct backup_job;

struct backups {
	struct appliance *appliance;
	/* of DIR/backup; NULL: there is no place for backups */
	char *making; /* .making, and in it */
	char *copy;   /* copy: of the store */
	char *files;  /* files: of the backup */
	char *gone;   /* .gone: of one that is being deleted */
	/* One thread: the copy of the store is of the thread that opened it. */
	struct loop_pool *pool;
	struct keystore *keystore; /* NULL: the root's; tests have their own */
	struct backup_job *jobs;   /* the first is under way, the others wait */
};

/* What is left of one that was under way, if anything. ERR_SYSTEM */
enum err backups_tidy(const struct backups *backups) MUST_CHECK;

/* DIR/backup/BASE, the caller's. */
enum err backups_path(
    const struct backups *backups, const char *base, char **out) MUST_CHECK;

/* Free all that has been begun: no thread is at work any more. */
void backup_jobs_free(struct backup_job *jobs);

#endif
