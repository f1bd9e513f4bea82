#include "device/key_server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "crypto/pki.h"
#include "device/appliance.h"
#include "device/ca.h"
#include "device/fields.h"

static const char record_kind[] = "key.server";
static const char protocol_field[] = "protocol";
static const char number_field[] = "Key Server";
static const char none[] = "[None]";

enum { RECORD_OCTETS = 4096, KEY_OCTETS = 4 };

/* ---------------------------------------------------------------------------
 * The rows
 */

static const struct {
	const char *word;
	const char *name;
} protocols[KEY_PROTOCOL_COUNT] = {
    [KEY_NAE] = {"nae-xml", "NAE-XML"},
    [KEY_KMIP] = {"kmip", "KMIP"},
};

#define HAS_BOTH           \
	{                  \
		true, true \
	}
#define HAS_KMIP                  \
	{                         \
		[KEY_KMIP] = true \
	}
#define RULE(...)           \
	{                   \
		__VA_ARGS__ \
	}
static const struct key_server_row rows[KEY_SERVER_FIELD_COUNT] = {
#define FIELD(symbol, word, name, protocols, nae, kmip, rule, clause) \
	[symbol] = {                                                  \
	    word, name, HAS_##protocols, {nae, kmip}, RULE rule, clause},
#include "device/key_server.def"
#undef FIELD
};

const char *
key_protocol_name(enum key_protocol protocol)
{
	return protocols[protocol].name;
}

bool
key_protocol_find(struct bytes word, enum key_protocol *out)
{
	enum key_protocol k;

	for (k = 0; k < KEY_PROTOCOL_COUNT; k++) {
		if (bytes_equal_text(word, protocols[k].word)) {
			*out = k;
			return true;
		}
	}
	return false;
}

const struct key_server_row *
key_server_row(enum key_server_field field)
{
	return &rows[field];
}

bool
key_server_field_find(
    enum key_protocol protocol, struct bytes word, enum key_server_field *out)
{
	unsigned beginnings = 0;
	enum key_server_field k;

	for (k = 0; k < KEY_SERVER_FIELD_COUNT && word.octets != 0; k++) {
		const char *whole = rows[k].word;

		if (!rows[k].has[protocol] || strlen(whole) < word.octets ||
		    memcmp(whole, word.at, word.octets) != 0)
			continue;
		*out = k;
		beginnings++;
		if (strlen(whole) == word.octets)
			return true;
	}
	return beginnings == 1;
}

/* req: ESKM-024 ESKM-090 ESKM-094 */
const char *
key_server_shown(const struct key_server *server, enum key_server_field field)
{
	static const char *const clients[] = {
	    [KEY_CLIENT_NOT_USED] = "Not Used",
	    [KEY_CLIENT_SESSION] = "Used for SSL session only",
	    [KEY_CLIENT_USER] = "Used for SSL session and username",
	};
	const struct key_server_value *value = &server->field[field];

	if (field == KEY_SERVER_CLIENT)
		return clients[value->number];
	if (field == KEY_SERVER_IP && strcmp(value->text, "All") == 0)
		return "[All]";
	return value->text;
}

/* ---------------------------------------------------------------------------
 * One of them
 */

enum err
key_server_set(struct key_server *server, enum key_server_field field,
    struct bytes typed, char why[CHANGE_WHY_OCTETS])
{
	const struct key_server_row *row = &rows[field];
	struct key_server_value *value = &server->field[field];
	char kept[ENTRY_OCTETS];
	int64_t number;
	enum err rc = OK;

	TRY(entry_take(row->name, &row->rule, typed, kept, &number, why));
	assert(strlen(kept) <= KEY_SERVER_TEXT_OCTETS);
	memcpy(value->text, kept, strlen(kept) + 1);
	value->number = number;
out:
	return rc;
}

void
key_server_init(struct key_server *server, enum key_protocol protocol)
{
	char why[CHANGE_WHY_OCTETS];
	enum key_server_field k;

	*server = (struct key_server){.protocol = protocol};
	for (k = 0; k < KEY_SERVER_FIELD_COUNT; k++) {
		enum err rc = OK;

		if (rows[k].has[protocol])
			rc = key_server_set(server, k,
			    bytes_of_text(rows[k].initial[protocol]), why);
		assert(rc == OK); /* the table's own */
		(void)rc;
	}
}

static struct bytes
record_key(unsigned number, char room[KEY_OCTETS])
{
	(void)snprintf(room, KEY_OCTETS, "%03u", number);
	return bytes_of_text(room);
}

static enum err
damaged(struct bytes key)
{
	log_line("device", LOG_ERROR, "key server %.*s cannot be read",
	    (int)key.octets, (const char *)key.at);
	return ERR_STORE;
}

static bool
read_number(struct bytes key, unsigned *out)
{
	char room[KEY_OCTETS] = "";

	if (key.octets != KEY_OCTETS - 1)
		return false;
	memcpy(room, key.at, key.octets);
	*out = (unsigned)strtoul(room, NULL, 10);
	return *out >= 1 && *out <= KEY_SERVERS_MOST;
}

static enum err
decode(struct bytes key, struct bytes value, struct key_server *out)
{
	char why[CHANGE_WHY_OCTETS];
	enum key_protocol protocol;
	struct bytes text;
	enum key_server_field k;
	enum err rc = OK;

	TRY(fields_find(value, protocol_field, &text));
	if (!key_protocol_find(text, &protocol))
		TRY(ERR_VALUE);
	key_server_init(out, protocol);
	if (!read_number(key, &out->number))
		TRY(ERR_VALUE);
	for (k = 0; k < KEY_SERVER_FIELD_COUNT; k++) {
		if (!rows[k].has[protocol])
			continue;
		rc = fields_find(value, rows[k].word, &text);
		if (rc == OK)
			rc = key_server_set(out, k, text, why);
		else if (rc == ERR_NOT_FOUND)
			rc = OK;
		TRY(rc);
	}
out:
	return rc == OK || rc == ERR_NOMEM ? rc : damaged(key);
}

static enum err
encode(const struct key_server *server, struct buf *out)
{
	enum key_server_field k;
	enum err rc = OK;

	TRY(fields_put_text(
	    out, protocol_field, protocols[server->protocol].word));
	for (k = 0; k < KEY_SERVER_FIELD_COUNT; k++) {
		const struct key_server_row *row = &rows[k];

		if (row->has[server->protocol] &&
		    strcmp(server->field[k].text,
			row->initial[server->protocol]) != 0)
			TRY(fields_put_text(
			    out, row->word, server->field[k].text));
	}
out:
	return rc;
}

enum err
key_server_read(struct store *st, unsigned number, struct key_server *out)
{
	char room[KEY_OCTETS];
	struct bytes key;
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	if (number < 1 || number > KEY_SERVERS_MOST)
		TRY(ERR_NOT_FOUND);
	key = record_key(number, room);
	TRY(record_get(st, record_kind, key, &value));
	TRY(decode(key, buf_peek(&value), out));
out:
	buf_clear(&value);
	return rc;
}

struct walk {
	key_server_fn *each;
	void *ctx;
};

static enum err
walk_one(void *ctx, struct bytes key, struct bytes value)
{
	const struct walk *walk = ctx;
	struct key_server server;
	enum err rc = OK;

	TRY(decode(key, value, &server));
	TRY(walk->each(walk->ctx, &server));
out:
	return rc;
}

enum err
key_server_each(struct store *st, key_server_fn *each, void *ctx)
{
	struct walk walk = {each, ctx};

	return record_each(st, record_kind, walk_one, &walk);
}

/* ---------------------------------------------------------------------------
 * Who has what
 */

struct holder {
	enum key_server_field field;
	struct bytes name;
	unsigned number;
};

static enum err
holder_look(void *ctx, const struct key_server *server)
{
	struct holder *holder = ctx;

	if (holder->number == 0 &&
	    bytes_equal_text(holder->name, server->field[holder->field].text))
		holder->number = server->number;
	return OK;
}

enum err
key_server_with(struct store *st, enum key_server_field field,
    struct bytes name, unsigned *number)
{
	struct holder holder = {.field = field, .name = name};
	enum err rc = key_server_each(st, holder_look, &holder);

	*number = holder.number;
	return rc;
}

/* ---------------------------------------------------------------------------
 * Changing them
 */

static enum err
refuse(const struct key_server *server, enum key_server_field field,
    const char *rule, char why[CHANGE_WHY_OCTETS])
{
	entry_refuse(rows[field].name,
	    bytes_of_text(key_server_shown(server, field)), rule, why);
	return ERR_FIELD;
}

static bool
is_none(const struct key_server *server, enum key_server_field field)
{
	return strcmp(server->field[field].text, none) == 0;
}

/* What fields ask of each other. */
static enum err
check_together(const struct key_server *server, char why[CHANGE_WHY_OCTETS])
{
	const struct key_server_value *field = server->field;
	bool ssl = field[KEY_SERVER_SSL].number != 0;
	int64_t client = field[KEY_SERVER_CLIENT].number;

	/* req: KS-03-133 */
	if (!ssl && server->protocol == KEY_KMIP)
		return refuse(server, KEY_SERVER_SSL, "KMIP requires it", why);
	if (ssl && is_none(server, KEY_SERVER_CERTIFICATE))
		return refuse(
		    server, KEY_SERVER_CERTIFICATE, "Use SSL needs one", why);
	/* req: KS-03-152 */
	if (client == KEY_CLIENT_NOT_USED && server->protocol == KEY_KMIP)
		return refuse(
		    server, KEY_SERVER_CLIENT, "KMIP requires it", why);
	if (!ssl && client != KEY_CLIENT_NOT_USED)
		return refuse(server, KEY_SERVER_CLIENT, "needs Use SSL", why);
	/* req: KS-03-157 */
	if (client == KEY_CLIENT_USER && is_none(server, KEY_SERVER_USER))
		return refuse(server, KEY_SERVER_USER,
		    "the field that has the user name is to be chosen", why);
	if (client == KEY_CLIENT_NOT_USED &&
	    field[KEY_SERVER_SOURCE_IP].number != 0)
		return refuse(server, KEY_SERVER_SOURCE_IP,
		    "needs Client Certificate Authentication", why);
	return OK;
}

struct signer {
	struct bytes der;
	bool found;
};

static enum err
signer_look(void *ctx, const struct cert *ca)
{
	struct signer *signer = ctx;
	enum err rc;

	if (ca->certificate.octets == 0 || signer->found)
		return OK;
	rc = pki_signed_by(signer->der, buf_peek(&ca->certificate));
	signer->found = rc == OK;
	return rc == ERR_FIELD ? OK : rc;
}

/* One that is there and valid; KMIP's is of a local CA. */
static enum err
check_certificate(struct change *change, const struct key_server *server)
{
	struct appliance *a = change->appliance;
	const char *name = server->field[KEY_SERVER_CERTIFICATE].text;
	struct cert cert = {.most_days = 0};
	struct signer signer = {.found = false};
	enum cert_state state;
	enum err rc = OK;

	if (is_none(server, KEY_SERVER_CERTIFICATE))
		return OK;
	rc = cert_read(a->store, CERT_DEVICE, bytes_of_text(name), &cert);
	if (rc == ERR_NOT_FOUND)
		rc = refuse(server, KEY_SERVER_CERTIFICATE,
		    "there is no such certificate", change->why);
	TRY(rc);
	TRY(cert_state(&cert, env_wall_s(a->env), &state));
	if (state != CERT_ACTIVE)
		TRY(refuse(server, KEY_SERVER_CERTIFICATE, "is not active",
		    change->why));
	if (server->protocol != KEY_KMIP)
		goto out;
	/* req: KS-03-141 */
	signer.der = buf_peek(&cert.certificate);
	TRY(cert_each(a->store, CERT_LOCAL_CA, signer_look, &signer));
	if (!signer.found)
		TRY(refuse(server, KEY_SERVER_CERTIFICATE,
		    "is not signed by a local CA", change->why));
out:
	cert_clear(&cert);
	return rc;
}

static enum err
member_ignore(void *ctx, const struct cert *ca)
{
	(void)ctx;
	(void)ca;
	return OK;
}

static enum err
check_profile(struct change *change, const struct key_server *server)
{
	enum err rc = ca_profile_members(change->appliance->store,
	    bytes_of_text(server->field[KEY_SERVER_TRUST].text), member_ignore,
	    NULL);

	if (rc == ERR_NOT_FOUND)
		rc = refuse(server, KEY_SERVER_TRUST,
		    "there is no such profile", change->why);
	return rc;
}

/* The others: who has the port, and which numbers are free. */
struct others {
	const struct key_server *server;
	unsigned at_port;
	bool taken[KEY_SERVERS_MOST + 1];
};

static bool
meet(const struct key_server *a, const struct key_server *b)
{
	const char *ip_a = a->field[KEY_SERVER_IP].text;
	const char *ip_b = b->field[KEY_SERVER_IP].text;
	int64_t port = a->field[KEY_SERVER_PORT].number;

	return port != 0 && port == b->field[KEY_SERVER_PORT].number &&
	       (strcmp(ip_a, "All") == 0 || strcmp(ip_b, "All") == 0 ||
		   strcmp(ip_a, ip_b) == 0);
}

static enum err
others_look(void *ctx, const struct key_server *other)
{
	struct others *others = ctx;

	others->taken[other->number] = true;
	if (other->number != others->server->number &&
	    meet(other, others->server))
		others->at_port = other->number;
	return OK;
}

/* req: KS-01-112 */
static enum err
check_others(struct change *change, struct key_server *server)
{
	struct others others = {.server = server};
	char rule[CHANGE_WHY_OCTETS];
	enum err rc = OK;

	TRY(key_server_each(change->appliance->store, others_look, &others));
	if (others.at_port != 0) {
		(void)snprintf(
		    rule, sizeof(rule), "key server %u has it", others.at_port);
		TRY(refuse(server, KEY_SERVER_PORT, rule, change->why));
	}
	if (server->number != 0)
		return OK;
	do {
		server->number++;
	} while (
	    server->number <= KEY_SERVERS_MOST && others.taken[server->number]);
	if (server->number > KEY_SERVERS_MOST) {
		(void)snprintf(change->why, sizeof(change->why),
		    "%s: there are %d of them already", number_field,
		    KEY_SERVERS_MOST);
		server->number = 0;
		rc = ERR_FIELD;
	}
out:
	return rc;
}

/* "Key Server 2 (NAE-XML) changed: Port: 9001, Use SSL: yes" */
static void
tell_event(struct change *change, const struct key_server *before,
    const struct key_server *after, const char *what)
{
	char *event = change->event;
	size_t room = sizeof(change->event);
	const char *mark = ": ";
	enum key_server_field k;
	size_t used;

	used = (size_t)snprintf(event, room, "%s %u (%s) %s", number_field,
	    after->number, protocols[after->protocol].name, what);
	for (k = 0; k < KEY_SERVER_FIELD_COUNT && used < room; k++) {
		if (strcmp(before->field[k].text, after->field[k].text) == 0)
			continue;
		used += (size_t)snprintf(event + used, room - used, "%s%s: %s",
		    mark, rows[k].name, key_server_shown(after, k));
		mark = ", ";
	}
}

static enum err
no_such(unsigned number, char why[CHANGE_WHY_OCTETS])
{
	(void)snprintf(why, CHANGE_WHY_OCTETS,
	    "%s: %u: there is no such key server", number_field, number);
	return ERR_FIELD;
}

enum err
key_server_write(struct change *change, struct key_server *server)
{
	struct store *st = change->appliance->store;
	bool is_new = server->number == 0;
	struct key_server before;
	char room[KEY_OCTETS];
	struct buf value;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	(void)snprintf(change->event, sizeof(change->event), "%s (%s)",
	    number_field, protocols[server->protocol].name);
	key_server_init(&before, server->protocol);
	if (!is_new)
		rc = key_server_read(st, server->number, &before);
	if (rc == ERR_NOT_FOUND)
		rc = no_such(server->number, change->why);
	TRY(rc);
	assert(before.protocol == server->protocol);
	TRY(check_together(server, change->why));
	TRY(check_certificate(change, server));
	TRY(check_profile(change, server));
	TRY(check_others(change, server));
	tell_event(change, &before, server, is_new ? "created" : "changed");
	TRY(encode(server, &value));
	TRY(record_put(st, record_kind, record_key(server->number, room),
	    buf_peek(&value)));
out:
	if (rc != OK && is_new)
		server->number = 0;
	buf_clear(&value);
	return rc;
}

enum err
key_server_delete(struct change *change, unsigned number)
{
	struct store *st = change->appliance->store;
	struct key_server server;
	char room[KEY_OCTETS];
	enum err rc = OK;

	(void)snprintf(change->event, sizeof(change->event), "%s %u deleted",
	    number_field, number);
	rc = key_server_read(st, number, &server);
	if (rc == ERR_NOT_FOUND)
		rc = no_such(number, change->why);
	TRY(rc);
	tell_event(change, &server, &server, "deleted");
	TRY(record_delete(st, record_kind, record_key(number, room)));
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * What became of them
 */

struct key_servers {
	struct key_server_status status[KEY_SERVERS_MOST + 1];
	void (*changed)(void *ctx);
	void *ctx;
};

enum err
key_servers_new(struct key_servers **out)
{
	*out = NULL;
	return MEM_NEW(*out);
}

void
key_servers_free(struct key_servers *servers)
{
	mem_free(servers);
}

void
key_server_tell(struct key_servers *servers, unsigned number,
    const struct key_server_status *status)
{
	assert(number >= 1 && number <= KEY_SERVERS_MOST);
	servers->status[number] = *status;
}

void
key_server_status(const struct key_servers *servers, unsigned number,
    struct key_server_status *out)
{
	assert(number >= 1 && number <= KEY_SERVERS_MOST);
	*out = servers->status[number];
}

void
key_servers_follow(
    struct key_servers *servers, void (*changed)(void *ctx), void *ctx)
{
	servers->changed = changed;
	servers->ctx = ctx;
}

void
key_servers_settle(struct key_servers *servers)
{
	if (servers != NULL && servers->changed != NULL)
		servers->changed(servers->ctx);
}
