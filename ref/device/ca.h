/*
 * Around certificate authorities: lists of those that are trusted, and what
 * the local ones have signed.
 *
 * A Trusted CA List profile is a name and the names of CAs, local or known. The
 * one called Default is always there, empty at first. Being known, or made
 * here, is no trust: whoever verifies certificates (the key server, the web
 * console) names a profile, and its CAs are all that is trusted.
 *
 * Serial numbers count up from 1 for all local CAs together, as the guide
 * has them; a local root itself has 0. A CA is one of this device only: who
 * replicates its key has to give each device numbers of its own.
 *
 *	"ca.profile"  key: the name     member: a CA's name, in their order
 *	"ca.issued"   key: CA, a blank, the serial in 16 digits
 *	              certificate: DER
 *	"ca.serial"   key: "last"       last: the serial that was given last
 *
 * What writes is called by the apply of a struct change.
 */
#ifndef DEVICE_CA_H
#define DEVICE_CA_H

#include "device/cert.h"
#include "device/settings.h"

#define CA_PROFILE_DEFAULT "Default"

/* ---- profiles ---- */

/* Names in order, Default among them. It must not write. */
typedef enum err ca_profile_fn(void *ctx, struct bytes name);
enum err
ca_profile_each(struct store *st, ca_profile_fn *each, void *ctx) MUST_CHECK;

/*
 * The CAs of a profile, in the order of their names. It must not write.
 *
 * ERR_NOT_FOUND  there is no such profile
 */
enum err ca_profile_members(struct store *st, struct bytes profile,
    cert_fn *each, void *ctx) MUST_CHECK;

/* ERR_FIELD  the name is none, or taken */
enum err
ca_profile_create(struct change *change, struct bytes profile) MUST_CHECK;

/* ERR_FIELD  there is no such profile or CA; it is in it, or is not */
enum err ca_profile_add(
    struct change *change, struct bytes profile, struct bytes ca) MUST_CHECK;
enum err ca_profile_remove(
    struct change *change, struct bytes profile, struct bytes ca) MUST_CHECK;

/* ERR_FIELD  there is none, it is the Default one, or a setting has it */
enum err
ca_profile_delete(struct change *change, struct bytes profile) MUST_CHECK;

/* A profile that has this CA: its name is appended; nothing is where there is
 * none. */
enum err ca_profile_with(
    struct store *st, struct bytes ca, struct buf *profile) MUST_CHECK;

/* A setting of that kind of text which has this name: its own name; NULL: none
 * has it. */
const char *ca_setting_with(
    const struct settings *settings, enum entry_kind kind, struct bytes name);

/* ---- what was signed ---- */

struct ca_issued {
	uint64_t serial;
	struct bytes certificate;
};
typedef enum err ca_issued_fn(void *ctx, const struct ca_issued *issued);

/* In the order of serials. It must not write. */
enum err ca_issued_each(struct store *st, struct bytes ca, ca_issued_fn *each,
    void *ctx) MUST_CHECK;
enum err ca_issued_add(struct store *st, struct bytes ca, uint64_t serial,
    struct bytes certificate) MUST_CHECK;
enum err ca_issued_delete_all(struct store *st, struct bytes ca) MUST_CHECK;

/* 0: none was given yet. */
enum err ca_serial_last(struct store *st, uint64_t *out) MUST_CHECK;

#endif
