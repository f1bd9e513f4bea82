/*
 * SSH servers that this device has logged in to, and their keys.
 *
 * The key of a host and port is kept as it is first seen, and its fingerprint
 * goes to the system log; one that differs later is refused by who asks here
 * (device/transfer.h), until the host is forgotten. Kept as records of the kind
 * "ssh.host", key "HOST:PORT", with the fields type, fingerprint.
 */
#ifndef DEVICE_KNOWN_HOST_H
#define DEVICE_KNOWN_HOST_H

#include "base/bytes.h"
#include "device/transfer.h"

enum {
	KNOWN_HOST_NAME_OCTETS = TRANSFER_HOST_OCTETS + 16, /* and the port */
	KNOWN_HOST_TYPE_OCTETS = 64,
	KNOWN_HOST_FINGERPRINT_OCTETS = 64, /* "SHA256:" and 43 digits */
};

struct known_host {
	struct bytes name;        /* "demo.example:22" */
	struct bytes type;        /* "ssh-ed25519" */
	struct bytes fingerprint; /* "SHA256:..." */
};

/* "" where there is none of that name. ERR_NOMEM, ERR_CORRUPT, ERR_SYSTEM */
enum err known_host_find(struct store *st, const char *name,
    char fingerprint[KNOWN_HOST_FINGERPRINT_OCTETS]) MUST_CHECK;

/* It is the key of that host from now on, unless it has one. */
enum err known_host_keep(struct appliance *appliance, const char *name,
    const char *type, const char *fingerprint) MUST_CHECK;

/* In the order of their names; it must not write. */
typedef enum err known_host_fn(void *ctx, const struct known_host *host);
enum err
known_host_each(struct store *st, known_host_fn *each, void *ctx) MUST_CHECK;

/* In the apply of a change. ERR_NOT_FOUND */
enum err known_host_forget(struct store *st, const char *name) MUST_CHECK;

#endif
