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
#include "device/clock.h"
#include "device/credential.h"
#include "device/login.h"
#include "device/root.h"
#include "device/service.h"
#include "device/settings.h"
#include "store/store.h"

struct login_memory;
struct credentials;

struct appliance {
	/* borrowed */
	struct env *env;
	struct loop *loop;
	struct store *store;
	struct root *root;           /* NULL: no HSM, in tests */
	struct loop_pool *passwords; /* one thread: cracklib wants no more */
	unsigned password_iterations;
	const char *dictionary; /* cracklib's; NULL: where it has it */
	/* its own */
	struct settings *settings;
	struct clock *clock;
	struct services *services;
	struct login_memory *logins;
	struct credentials *credentials;
	struct store_waiter settling; /* the open group, in device/change.c */
	bool settles;
	/* restart or halt was asked for, and is durable: main does it */
	void (*leave)(void *ctx, bool restart);
	void *leave_ctx;
};

/*
 * Takes up what the store has. `appliance` is the caller's memory, its borrowed
 * part filled in; root may follow later.
 */
enum err appliance_open(struct appliance *appliance) MUST_CHECK;
void appliance_close(struct appliance *appliance);

/* Has first-time initialization been done? */
bool appliance_is_initialized(struct appliance *appliance);

/* "Multiple password failures during login" and its like: a security warning
 * for whoever listens (SNMP, later). */
enum trap {
	TRAP_PASSWORD_FAILURES, /* req: KS-15-020 KS-15-022 KS-02-014 */
	TRAP_FACTORY_RESET,
};
struct trap_watch {
	void (*raised)(void *ctx, enum trap trap, const char *text);
	void *ctx;
	struct trap_watch *next;
};
void
appliance_trap(struct appliance *appliance, enum trap trap, const char *text);
void
appliance_watch_traps(struct appliance *appliance, struct trap_watch *watch);

#endif
