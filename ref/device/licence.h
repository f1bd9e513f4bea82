/*
 * The license: how many client devices (device/clients.h) may be connected to
 * key servers at one time. Until one is installed nobody is let in.
 *
 * It comes in a package (device/package.h), whose signature has been verified
 * by then, and takes the place of the one before, be it larger or smaller. Who
 * is connected stays; the device restarts after it all the same, as after all
 * packages.
 *
 * It is of this device: in no backup, and not for other members of a cluster.
 * A reset to factory settings takes it away with all else that the device was
 * given.
 *
 * Who comes when all places are taken is refused before a word is spoken
 * (key_gate_expects of net/key_gate.h), and that is told in the System Log: a
 * line for each address, LICENCE_TOLD_MOST of them at most, and one trap. These
 * are told once in LICENCE_QUIET_MS of elapsed time, behind which a line says
 * how many connections were refused in it, if they were more than there are
 * lines: whoever knocks all day does not fill the log.
 *
 * req: KS-25-008 KS-25-010 KS-25-016 KS-14-142 KS-20-011
 */
#ifndef DEVICE_LICENCE_H
#define DEVICE_LICENCE_H

#include "device/change.h"
#include "device/package.h"

struct appliance;
struct licences;

enum {
	LICENCE_TOLD_MOST = 64,
	LICENCE_QUIET_MS = 10 * 60 * 1000,
};

struct licence {
	uint32_t clients;                     /* one at least */
	int64_t made_s;                       /* wall time; both */
	int64_t installed_s;                  /* licence_install sets it */
	char notes[PACKAGE_NOTES_OCTETS + 1]; /* of who made it; or "" */
};

/* appliance_open calls it, behind clients, clock and logs.
 * ERR_STORE  it cannot be read */
enum err
licences_new(struct appliance *appliance, struct licences **out) MUST_CHECK;
void licences_free(struct licences *licences); /* accepts NULL */

/*
 * As the store has it.
 *
 * ERR_NOT_FOUND  none has been installed
 * ERR_STORE
 */
enum err licence_read(struct store *st, struct licence *out) MUST_CHECK;

/* What such a package says. */
void licence_of_package(
    const struct package_manifest *manifest, struct licence *out);

/*
 * In a change's apply. It is in force when that is durable.
 *
 * ERR_FIELD  it is for nobody; why says so
 */
enum err licence_install(
    struct change *change, const struct licence *licence) MUST_CHECK;

/* The group is durable: device/change.c calls it. Accepts NULL. */
void licence_settle(struct licences *licences);

/* One from that address is refused: see above. */
void licence_refused(struct appliance *appliance, struct bytes address);

#endif
