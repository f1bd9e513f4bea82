/*
 * What makes a server an appliance, in one place: whoever has this pointer can
 * ask for a change (device/change.h), read settings and log people in.
 *
 * All of it belongs to the loop's thread.
 */
#ifndef DEVICE_APPLIANCE_H
#define DEVICE_APPLIANCE_H

#include "base/loop.h"
#include "device/admin.h"
#include "device/change.h"
#include "device/clock.h"
#include "device/credential.h"
#include "device/login.h"
#include "device/root.h"
#include "device/service.h"
#include "device/settings.h"
#include "store/store.h"

struct cert_shop;
struct clients;
struct hardware;
struct licences;
struct logs;
struct log_signer;
struct key_servers;
struct package_trust;
struct policies;
struct rates;
struct log_transfers;
struct syslogs;
struct restores;
struct software_install;
struct transfers;
struct statistics;
struct backups;
struct backup_runs;
struct users;
struct trap_watch;

struct appliance {
	/* borrowed */
	struct env *env;
	struct loop *loop;
	struct store *store;
	struct root *root;           /* NULL: no HSM, in tests */
	struct keystore *keystore;   /* without a root: that of a test */
	struct loop_pool *passwords; /* one thread: cracklib wants no more */
	unsigned password_iterations;
	const char *dictionary; /* cracklib's; NULL: where it has it */
	const char *vault;      /* the file with the key of crypto/vault.h */
	/* as statistics_new has them; NULL: the machine's own, and all */
	const char *proc;
	const char *ethernet;
	const struct package_trust *trust; /* NULL: nothing can be installed */
	const char *logs_dir;     /* device/logs.h; NULL: none, in tests */
	const char *backup_dir;   /* device/backup.h; NULL: none, in tests */
	const char *software_dir; /* device/software.h; NULL: none, in tests */
	/* its own */
	struct settings *settings;
	struct clock *clock;
	struct logs *logs; /* device/logs.h */
	struct services *services;
	struct login_memory *logins;
	struct users *users; /* device/user.h */
	struct credentials *credentials;
	struct cert_shop *certs;         /* device/cert_work.h */
	struct log_signer *log_signer;   /* device/log_sign.h */
	struct loop_pool *key_pool;      /* device/key_job.h; the loop has it */
	struct loop_pool *software_pool; /* device/software.h; likewise */
	struct software_install *installing; /* the one that is under way */
	struct policies *policies;           /* device/policy.h */
	struct rates *rates;                 /* device/rate.h */
	struct key_servers *key_servers;     /* device/key_server.h */
	struct statistics *statistics;       /* device/statistics.h */
	struct clients *clients;             /* device/clients.h */
	struct licences *licences;           /* device/licence.h */
	struct hardware *hardware;       /* device/hardware.h; NULL in tests */
	struct transfers *transfers;     /* device/transfer.h */
	struct syslogs *syslogs;         /* device/syslog.h */
	struct backups *backups;         /* device/backup.h */
	struct backup_runs *backup_runs; /* device/backup_schedule.h */
	struct log_transfers *log_transfers; /* device/log_transfer.h */
	struct restores *restores;           /* device/restore.h */
	struct trap_watch *trap_watches;
	struct clock_watch steps;     /* of the clock, for the system log */
	struct store_waiter settling; /* the open group, in device/change.c */
	bool settles;
	enum leave leaving; /* what changes ask for (device/change.h) */
	struct loop_task leaver;
	/* It was asked for, and is durable: main does it, later. NULL: nobody
	 * does, in tests. */
	void (*leave)(void *ctx, enum leave leave);
	void *leave_ctx;
};

/*
 * Takes up what the store has. `appliance` is the caller's memory, zeroed but
 * for its borrowed part; root may follow later. On failure it is closed.
 *
 * ERR_STORE  what is there cannot be read; the log says what
 */
enum err appliance_open(struct appliance *appliance) MUST_CHECK;

/* The store is still open, and committed after this. Whoever waits for a change
 * has left it (change_leave). Harmless when closed. */
void appliance_close(struct appliance *appliance);

/* The root's; NULL: there is none. */
struct keystore *appliance_keystore(const struct appliance *appliance);

/*
 * Has first-time initialization been done? It makes the first administrator,
 * and the last one cannot be deleted. A store that cannot be read counts as
 * one that has: nobody is let in anew.
 */
bool appliance_is_initialized(struct appliance *appliance);

/*
 * Is there something without which nobody's request can be worked off: disk or
 * HSM? NULL: it is available; else what there is, for the log.
 */
const char *appliance_outage(const struct appliance *appliance);

/* "Multiple password failures during login" and its like: a security warning
 * for whoever listens (SNMP, later). */
enum trap {
	TRAP_PASSWORD_FAILURES, /* req: KS-15-020 KS-15-022 KS-02-014 */
	TRAP_FACTORY_RESET,
	TRAP_LOG, /* a log cannot be written */
	TRAP_POWER_SUPPLY,
	TRAP_FAN,
	TRAP_LICENCE, /* req: KS-14-142 */
};
struct trap_watch {
	void (*raised)(void *ctx, enum trap trap, const char *text);
	void *ctx;
	struct trap_watch *next; /* the appliance's */
};
void
appliance_trap(struct appliance *appliance, enum trap trap, const char *text);
void
appliance_watch_traps(struct appliance *appliance, struct trap_watch *watch);

#endif
