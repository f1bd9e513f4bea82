/*
 * Files to and from other hosts: SCP, SFTP and FTP. How a file gets there is
 * device/transfer_work.h's.
 *
 *	transfer_new -> place, transfer_add ... -> transfer_begin
 *	-> done(OK or not, why) -> transfer_drop, whenever
 *
 * Work is done by threads of a pool of their own, which wait for peers; the
 * loop never does. Whoever asks gives descriptors: a file of the disk, or one
 * that has no name. It is read or written from its beginning, whatever its
 * position.
 *
 * What is sent has a name of its own, NAME.part, until it is complete; then it
 * takes the place of what may be there.
 *
 * SCP is what scp(1) has been doing since OpenSSH 9.0: the files go by the SFTP
 * protocol, and by the old SCP protocol where the host has no SFTP. The old one
 * knows no renaming, so that a file of that name may be the beginning of one,
 * and does not tell libcurl that a file could not be written to its end.
 *
 * People log in with a password (SSH: also where it is asked for with
 * keyboard-interactive). User keys are not used: libssh2 of Debian 12 signs
 * with RSA keys as ssh-rsa only, which today's servers refuse.
 *
 * SSH servers are known by their keys: device/known_host.h.
 *
 * Times in here are the machine's, not those of struct env: a peer does not
 * live in the laboratory.
 *
 * req: KS-20-033 KS-20-094
 */
#ifndef DEVICE_TRANSFER_H
#define DEVICE_TRANSFER_H

#include "base/secret.h"
#include "device/change.h"

struct transfers; /* the appliance's */

enum transfer_protocol { TRANSFER_SCP, TRANSFER_SFTP, TRANSFER_FTP };

enum transfer_direction { TRANSFER_SEND, TRANSFER_FETCH };

enum {
	TRANSFER_HOST_OCTETS = 255,
	TRANSFER_DIRECTORY_OCTETS = 1024,
	TRANSFER_USER_OCTETS = 255,
	TRANSFER_PASSWORD_OCTETS = 256,
	TRANSFER_NAME_OCTETS = 255,
	TRANSFER_FILES_MOST = 1024, /* of one transfer */
	TRANSFER_CONNECT_MS = 30 * 1000,
	TRANSFER_STALL_MS = 60 * 1000,
};

struct transfer_place {
	enum transfer_protocol protocol;
	/* name or address; an IPv6 address with or without brackets */
	char host[TRANSFER_HOST_OCTETS + 1];
	unsigned port; /* 0: the protocol's own */
	/* From '/': of the host's. Otherwise, or empty: of the user's home. */
	char directory[TRANSFER_DIRECTORY_OCTETS + 1];
	char user[TRANSFER_USER_OCTETS + 1];
	struct secret *password; /* the transfer's from here on; NULL: none */
};

struct transfer_file {
	char name[TRANSFER_NAME_OCTETS + 1]; /* in the directory */
	int fd;                              /* the transfer's */
	uint64_t octets;                     /* of it: sent or fetched */
	bool arrived;                        /* ... and complete */
};

struct transfer {
	/* ---- set by who asks ---- */
	enum transfer_direction direction;
	struct transfer_place place;
	uint64_t most_octets; /* FETCH: of one file; 0: any */
	unsigned connect_ms;  /* until logged in; 0: TRANSFER_CONNECT_MS */
	unsigned stall_ms;    /* without an octet; 0: TRANSFER_STALL_MS */
	/* from the loop, later, once */
	void (*done)(struct transfer *transfer, enum err rc);
	void *ctx;
	/* ---- what came of it ---- */
	struct transfer_file *files; /* in the order of transfer_add */
	size_t file_count;
	/* Not OK: for people, without a secret: "demo.example: the login was
	 * refused (user backup)". */
	char why[CHANGE_WHY_OCTETS];
	/* ---- its own ---- */
	struct transfers *of;
	struct transfer_work *work;
};

/* ERR_NOMEM */
enum err
transfer_new(struct appliance *appliance, struct transfer **out) MUST_CHECK;

/*
 * One more file, before transfer_begin. The caller may close its descriptor at
 * once.
 *
 * ERR_FIELD  the name is empty, too long, "." or "..", or has a '/' or a
 *            control character: why
 * ERR_COUNT  TRANSFER_FILES_MOST
 * ERR_NOMEM, ERR_SYSTEM
 */
enum err
transfer_add(struct transfer *transfer, const char *name, int fd) MUST_CHECK;

/*
 * Files go one after the other, over one connection; the first that fails ends
 * it, and those before it have `arrived`.
 *
 * done's rc:
 *
 * ERR_FIELD      the place cannot be: no host, a control character
 * ERR_NOT_FOUND  no such host, directory or file
 * ERR_DENIED     not logged in, not allowed, or another host key than before
 * ERR_DISK_FULL  no space there; FETCH: or here
 * ERR_LIMIT      FETCH: more than most_octets
 * ERR_TIMEOUT    not connected, or nothing moved, for so long
 * ERR_CLOSED     the peer refused or broke the connection
 * ERR_SYSTEM     what else, the local file among it: why has the words
 * ERR_NOMEM
 */
void transfer_begin(struct transfer *transfer);

/* At any time: no done, and what is under way is cancelled. Accepts NULL. */
void transfer_drop(struct transfer *transfer);

/* ERR_NOMEM, ERR_SYSTEM */
enum err
transfers_new(struct appliance *appliance, struct transfers **out) MUST_CHECK;
/* Before loop_end_jobs, so that it has nothing to wait for: all is cancelled,
 * and no done is called from here on. */
void transfers_stop(struct transfers *transfers);
void transfers_free(struct transfers *transfers); /* accepts NULL */

/* For tests: in place of the network, `other` has what is begun from now on. It
 * calls done, later. */
void transfers_stand_in(
    struct transfers *transfers, void (*other)(struct transfer *transfer));

/* Those under way, for the laboratory. */
unsigned transfers_running(const struct transfers *transfers);

#endif
