/*
 * Key servers: ports at which clients ask for keys, each with a protocol, an
 * address and rules of its own about who is let in.
 *
 *	"key.server"  key: the number, three digits
 *	protocol      "nae-xml" or "kmip"
 *	WORD          the fields of key_server.def that are not at their
 *	              default
 *
 * A server is called by a number, which is given once and stays. What is
 * changed takes effect on the next connection; one that is there keeps the
 * struct key_door that it came in through. net/key_port.h opens and closes the
 * ports.
 *
 * req: KS-01-112 KS-03-001 KS-03-002 KS-03-028
 */
#ifndef DEVICE_KEY_SERVER_H
#define DEVICE_KEY_SERVER_H

#include "device/cert.h"
#include "device/entry.h"

enum key_protocol { KEY_NAE, KEY_KMIP, KEY_PROTOCOL_COUNT };

/* How KMIP is served. */
enum key_profile {
	/* The specification's: an owner is whoever the certificate names. */
	KEY_STANDARD,
	/* The appliance's: an owner is one of its users. */
	KEY_KEYSECURE,
};

/*
 * What a connection was let in with. It is made once, and lives as long as the
 * connection's state does: requests under way may point at it.
 */
struct key_door {
	enum key_protocol protocol;
	enum key_profile profile;
	bool uses_ssl;
	/* Keys and policies may be made, deleted, imported and changed.
	 * req: KS-03-145 KS-03-146 KS-03-147 */
	bool allows_config;
	bool allows_export; /* req: KS-03-148 */
	/*
	 * There are no global sessions: whoever has not logged in with a
	 * password is nobody, whatever the certificate names. KMIP does not
	 * use it. req: KS-03-033 KS-03-150
	 */
	bool needs_password;
	/*
	 * Whom the client's certificate names, as the server was told to read
	 * it; none: it names nobody, and the session is global. Where users
	 * are the appliance's (NAE-XML, KEY_KEYSECURE) it was one when the
	 * connection came.
	 *
	 * Without needs_password the session is that user's; a login is not
	 * needed, and must be the same user's with the right password. With it
	 * both are needed. req: KS-03-037 KS-03-038 KS-03-039 KS-03-040
	 */
	struct bytes user;
	/* Where it comes from, as logs say it: activity_origin(). */
	struct bytes origin;
};

/* ---- what is set ---- */

enum key_server_field {
#define FIELD(symbol, ...) symbol,
#include "device/key_server.def"
#undef FIELD
	KEY_SERVER_FIELD_COUNT,
};

enum {
	KEY_SERVERS_MOST = 64, /* numbers are 1 to this */
	KEY_SERVER_WHY_OCTETS = 160,
	KEY_SERVER_TEXT_OCTETS = 64,
};

/* The places of the choices of client-certificate. */
enum key_client { KEY_CLIENT_NOT_USED, KEY_CLIENT_SESSION, KEY_CLIENT_USER };

/* ... and of username-field. */
enum key_user_field {
	KEY_USER_NONE,
	KEY_USER_UID,
	KEY_USER_CN,
	KEY_USER_SN, /* surname */
	KEY_USER_E,
	KEY_USER_E_ND, /* what stands before the @ of E */
	KEY_USER_OU,
};

struct key_server {
	unsigned number;
	enum key_protocol protocol;
	struct key_server_value {
		char text[KEY_SERVER_TEXT_OCTETS + 1]; /* as it is kept */
		int64_t number;                        /* as entry.h has it */
	} field[KEY_SERVER_FIELD_COUNT];
};

/* "NAE-XML", "KMIP" */
const char *key_protocol_name(enum key_protocol protocol);
/* "nae-xml", "kmip": on the command line and in records. */
bool key_protocol_find(struct bytes word, enum key_protocol *out);

struct key_server_row {
	const char *word;
	const char *name;
	bool has[KEY_PROTOCOL_COUNT];
	const char *initial[KEY_PROTOCOL_COUNT];
	struct entry_rule rule;
	const char *clause;
};
const struct key_server_row *key_server_row(enum key_server_field field);

/* By its word, or a beginning that only one of that protocol has. */
bool key_server_field_find(
    enum key_protocol protocol, struct bytes word, enum key_server_field *out);

/* As it is shown: "[All]", "Used for SSL session only". */
const char *
key_server_shown(const struct key_server *server, enum key_server_field field);

/* A new one of that protocol, with its defaults and no number. */
void key_server_init(struct key_server *server, enum key_protocol protocol);

/* What was typed into a field. ERR_FIELD with why */
enum err key_server_set(struct key_server *server, enum key_server_field field,
    struct bytes typed, char why[CHANGE_WHY_OCTETS]) MUST_CHECK;

/*
 * ERR_NOT_FOUND
 * ERR_STORE      the record cannot be read; the log says whose
 */
enum err key_server_read(
    struct store *st, unsigned number, struct key_server *out) MUST_CHECK;

/* In the order of numbers. It must not write. */
typedef enum err key_server_fn(void *ctx, const struct key_server *server);
enum err
key_server_each(struct store *st, key_server_fn *each, void *ctx) MUST_CHECK;

/*
 * In the apply of a change: write a new one, which gets its number (0 before),
 * or one that is there.
 *
 * ERR_FIELD  the fields do not go together, name what is not there, or another
 *            server has the port; why
 */
enum err
key_server_write(struct change *change, struct key_server *server) MUST_CHECK;

/* ERR_FIELD  there is none of that number */
enum err key_server_delete(struct change *change, unsigned number) MUST_CHECK;

/*
 * Does one have this name (of a certificate, of a profile) in that field?
 * *number is 0 where none does.
 */
enum err key_server_with(struct store *st, enum key_server_field field,
    struct bytes name, unsigned *number) MUST_CHECK;

/* ---- what became of it ---- */

/* The servers of an appliance, as their ports are now. */
struct key_servers;
enum err key_servers_new(struct key_servers **out) MUST_CHECK;
void key_servers_free(struct key_servers *servers); /* accepts NULL */

struct key_server_status {
	bool listens;
	unsigned port;                   /* where */
	char why[KEY_SERVER_WHY_OCTETS]; /* it does not; "": stopped */
};

/* By whoever opens the ports; a number without one is stopped. */
void key_server_tell(struct key_servers *servers, unsigned number,
    const struct key_server_status *status);
void key_server_status(const struct key_servers *servers, unsigned number,
    struct key_server_status *out);

/*
 * Something about the appliance is durable that was changed: whoever opens the
 * ports looks what it means to them. One at a time; NULL: nobody does any more.
 */
void key_servers_follow(
    struct key_servers *servers, void (*changed)(void *ctx), void *ctx);
/* device/change.c calls it; accepts NULL. */
void key_servers_settle(struct key_servers *servers);

#endif
