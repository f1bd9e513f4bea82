/*
 * A package of software or a license is installed: taken in, verified on a
 * worker, its components written, some octets in each turn, and switched on in
 * one change, which is the license's (device/licence.h) or the version's
 * (device/software.h).
 *
 * req: KS-25-015 KS-25-023
 */
#ifndef DEVICE_SOFTWARE_INSTALL_H
#define DEVICE_SOFTWARE_INSTALL_H

#include "device/change.h"

enum { SOFTWARE_STAGE_OCTETS = 80 };

/*
 * A file without a name, for a package that comes from elsewhere; the caller's.
 *
 * ERR_FEATURE  the device has no place for software
 * ERR_SYSTEM, ERR_DISK_FULL
 */
enum err software_file(struct appliance *appliance, int *fd) MUST_CHECK;

struct software_install;

struct software_install_config {
	struct appliance *appliance;
	int fd; /* of the package; may be closed at once */
	const struct principal *by;
	const struct approvals *approvals;
	/* How far it is, a line for who watches. req: KS-25-025 */
	void (*stage)(void *ctx, const char *text);
	/*
	 * From the loop, later, once. OK: it is durable, and the device is to
	 * be restarted (struct appliance, leave).
	 *
	 * why  otherwise: a sentence for who asked
	 */
	void (*done)(void *ctx, enum err rc, const char *why);
	void *ctx;
};

/*
 * Install a package of either type: verify it on a worker, write the program,
 * some of it in each turn, and switch it on in one change.
 *
 * config  copied; what it points to is borrowed until done
 *
 * Of done, beside those of package_open and change_run:
 *
 * ERR_FIELD      it is not newer than what runs, or has no program
 * ERR_DISK_FULL, ERR_SYSTEM
 *
 * req: KS-15-097 KS-25-014 KS-25-023 KS-25-033
 */
enum err software_install_new(const struct software_install_config *config,
    struct software_install **out) MUST_CHECK;

/* At any time: no done, and what has not been switched on never is. Accepts
 * NULL. */
void software_install_drop(struct software_install *install);

#endif
