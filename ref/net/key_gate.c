#include "net/key_gate.h"

#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "device/activity.h"
#include "device/licence.h"
#include "device/line.h"
#include "device/user.h"

enum { USER_MAX_OCTETS = 64 * 1024 };

static enum err
refuse(const struct conn *conn, const char *why)
{
	const struct conn_peer *peer = conn_peer(conn);

	log_line("net", LOG_INFO, "%.*s %.*s is not let in: %s",
	    (int)peer->address.octets, (const char *)peer->address.at,
	    (int)peer->subject.octets, (const char *)peer->subject.at, why);
	return ERR_AUTHENTICATION;
}

/* User1@company.com becomes User1. req: KS-03-169 */
static enum err
cut_domain(struct buf *user)
{
	struct bytes text = buf_peek(user);
	const uint8_t *at = memchr(text.at, '@', text.octets);

	if (at == NULL || at == text.at)
		return ERR_AUTHENTICATION;
	user->octets = (size_t)(at - text.at);
	return OK;
}

/* req: KS-03-155 KS-03-164 KS-03-165 KS-03-166 KS-03-167 KS-03-168 ESKM-101 */
static enum err
read_user(const struct conn *conn, enum key_user_field field, struct buf *out)
{
	static const enum tls_field fields[] = {
	    [KEY_USER_UID] = TLS_UID,
	    [KEY_USER_CN] = TLS_CN,
	    [KEY_USER_SN] = TLS_SURNAME,
	    [KEY_USER_E] = TLS_EMAIL,
	    [KEY_USER_E_ND] = TLS_EMAIL,
	    [KEY_USER_OU] = TLS_OU,
	};
	enum err rc = OK;

	TRY(conn_subject_field(conn, fields[field], out));
	if (field == KEY_USER_E_ND)
		TRY(cut_domain(out));
out:
	/* req: ESKM-098 */
	if (rc == ERR_NOT_FOUND || rc == ERR_AUTHENTICATION)
		rc = refuse(conn, "its certificate has no user name where "
				  "this server looks for one");
	return rc;
}

/* Is it a user of the appliance? */
static enum err
check_user(
    const struct key_gate *gate, const struct conn *conn, struct bytes name)
{
	struct user user = {.serial = 0};
	const char *why;
	enum err rc = ERR_NOT_FOUND;

	if (user_name_is_valid(name, &why))
		rc = user_read(gate->appliance->store, name, &user);
	secret_wipe(&user, sizeof(user));
	if (rc == ERR_NOT_FOUND)
		rc = refuse(conn, "its certificate names no user");
	return rc;
}

static enum err
judge(
    const struct key_gate *gate, const struct conn *conn, struct key_guest *out)
{
	const struct conn_peer *peer = conn_peer(conn);
	struct key_door *door = &out->door;
	enum err rc = OK;

	/* req: KS-21-027 KS-21-053 */
	TRY(activity_origin(peer->source,
	    gate->client != KEY_CLIENT_NOT_USED ? peer->name : BYTES_NONE,
	    &out->origin));
	door->origin = buf_peek(&out->origin);
	/* it came before certificates were asked for */
	if (gate->client != KEY_CLIENT_NOT_USED && peer->subject.octets == 0)
		TRY(refuse(conn, "it has no certificate"));
	/* req: KS-03-042 KS-03-043 KS-03-044 KS-03-170 KS-03-171 ESKM-102 */
	if (gate->needs_source_ip && !conn_names_source(conn))
		TRY(refuse(conn, "its certificate does not have the address "
				 "that it comes from"));
	/* req: KS-03-154 KS-03-163 */
	if (gate->client != KEY_CLIENT_USER)
		return OK;
	TRY(read_user(conn, gate->user_field, &out->user));
	door->user = buf_peek(&out->user);
	if (door->protocol == KEY_NAE || door->profile == KEY_KEYSECURE)
		TRY(check_user(gate, conn, door->user));
out:
	return rc;
}

bool
key_gate_expects(void *ctx, struct bytes source)
{
	const struct key_gate *gate = ctx;
	bool expects = clients_have_room(gate->appliance->clients, source);

	if (!expects)
		licence_refused(gate->appliance, source);
	return expects;
}

enum err
key_gate_enter(
    const struct key_gate *gate, const struct conn *conn, struct key_guest *out)
{
	struct bytes source = conn_peer(conn)->source;
	enum err rc = OK;

	*out = (struct key_guest){
	    .door = gate->door, .clients = gate->appliance->clients};
	buf_init(&out->user, USER_MAX_OCTETS);
	buf_init(&out->origin, LINE_OCTETS);
	TRY(judge(gate, conn, out));
	rc = client_enter(out->clients, source, &out->client);
	if (rc == ERR_LIMIT)
		licence_refused(gate->appliance, source);
out:
	if (rc != OK)
		key_guest_clear(out);
	return rc;
}

void
key_guest_clear(struct key_guest *guest)
{
	buf_clear(&guest->user);
	buf_clear(&guest->origin);
	guest->door.user = BYTES_NONE;
	guest->door.origin = BYTES_NONE;
	if (guest->client != NULL)
		client_leave(guest->clients, guest->client);
	guest->client = NULL;
}
