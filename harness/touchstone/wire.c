#include "wire.h"

#include "mem.h"
#include "message.h"
#include "schema.h"
#include "show.h"
#include "tls.h"
#include "touchstone_tags.h"
#include "ttlv.h"

#include <string.h>

struct doors {
	const struct target *target;
	struct door *door[TARGET_MAX_IDENTITIES];
	struct door *nae[TARGET_MAX_USERS + 1]; /* the last: of nobody */
};

struct wire {
	struct arena *a;
	struct doors *doors;
	struct link *link[TARGET_MAX_IDENTITIES];
	struct exchange *record;
	size_t count, room;
	unsigned flags;
	bool is_mute;
};

/* Over TLS a user is somebody with a certificate, too. */
static enum err
nae_doors_new(struct doors *d, struct fault *f)
{
	const struct target *t = d->target;
	enum err rc = OK;

	for (unsigned i = 0; t->nae_port != 0 && i <= t->user_count; i++) {
		unsigned k = i < t->user_count ? i : TARGET_MAX_USERS;
		const char *name =
		    i < t->user_count ? t->users[i].identity : NULL;

		TRY(door_new_nae(t,
		    target_identity(t, name == NULL ? t->nae_identity : name),
		    &d->nae[k], f));
	}
out:
	return rc;
}

struct door *
doors_nae(const struct doors *d, const struct user *u)
{
	return d->nae[u == NULL ? TARGET_MAX_USERS : u - d->target->users];
}

enum err
doors_new(const struct target *t, struct doors **out, struct fault *f)
{
	struct doors *d = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(d));
	d->target = t;
	for (unsigned i = 0; i < t->identity_count; i++)
		TRY(door_new(t, &t->identities[i], &d->door[i], f));
	TRY(nae_doors_new(d, f));
	*out = d;
	d = NULL;
out:
	doors_free(d);
	return rc;
}

void
doors_free(struct doors *d)
{
	if (d == NULL)
		return;
	for (unsigned i = 0; i < TARGET_MAX_IDENTITIES; i++)
		door_free(d->door[i]);
	for (unsigned i = 0; i <= TARGET_MAX_USERS; i++)
		door_free(d->nae[i]);
	mem_free(d);
}

struct wire *
wire_new(struct arena *a, struct doors *d, unsigned flags)
{
	struct wire *w = ARENA_NEW(a, struct wire);

	w->a = a;
	w->doors = d;
	w->flags = flags;
	return w;
}

void
wire_close(struct wire *w)
{
	for (unsigned i = 0; i < TARGET_MAX_IDENTITIES; i++) {
		link_close(w->link[i]);
		w->link[i] = NULL;
	}
}

void
wire_mute(struct wire *w)
{
	w->is_mute = true;
}

const struct exchange *
wire_record(const struct wire *w, size_t *count)
{
	*count = w->count;
	return w->record;
}

struct exchange *
wire_put(struct wire *w, unsigned n, const char *client, size_t *i)
{
	struct exchange *x;

	if (w->count == w->room) {
		struct exchange *bigger;

		w->room = w->room == 0 ? 8 : w->room * 2;
		bigger = ARENA_ARRAY(w->a, w->room, struct exchange);
		if (w->count > 0)
			memcpy(bigger, w->record, w->count * sizeof *bigger);
		w->record = bigger;
	}
	*i = w->count;
	x = &w->record[w->count++];
	x->n = n;
	x->client = client;
	return x;
}

struct exchange *
wire_at(struct wire *w, size_t i)
{
	return &w->record[i];
}

static struct exchange *
new_record(struct wire *w, unsigned n, unsigned client)
{
	size_t i;

	if (w->is_mute)
		return NULL;
	return wire_put(w, n, w->doors->target->identities[client].name, &i);
}

/* Both forms of a message, as far as it can be read. */
static void
put_record(
    struct wire *w, struct bytes octets, const char **hex, const char **xml)
{
	struct arena *a = arena_new();
	struct buf text = {0};
	struct finding f;
	struct node *root;

	(void)!ttlv_decode(a, octets, &root, &f);
	show_hex(octets, root, w->flags, &text);
	*hex = arena_strdup(w->a, buf_peek_text(&text));
	buf_clear(&text);
	if (root != NULL) {
		show_xml(root, 0, w->flags, &text);
		*xml = arena_strdup(w->a, buf_peek_text(&text));
	}
	buf_clear(&text);
	arena_free(a);
}

static enum err
connect_client(struct wire *w, unsigned client, struct fault *why)
{
	enum err rc = OK;

	if (w->link[client] != NULL)
		return OK;
	TRY(link_open(w->doors->door[client], &w->link[client], why));
out:
	return rc;
}

enum err
wire_ask_octets(struct wire *w, unsigned n, unsigned client,
    struct bytes request, size_t record_octets, struct bytes *response,
    struct fault *why)
{
	struct exchange *x = new_record(w, n, client);
	struct buf in = {0};
	enum err rc = OK;

	*response = BYTES_NONE;
	if (x != NULL)
		put_record(w, request, &x->sent_hex, &x->sent_xml);
	TRY(connect_client(w, client, why));
	TRY(link_send(w->link[client], request, record_octets, why));
	rc = link_receive(w->link[client], &in, why);
	*response = (struct bytes){arena_copy(w->a, buf_peek(&in)), in.octets};
	if (x != NULL)
		put_record(w, *response, &x->received_hex, &x->received_xml);
out:
	if (rc != OK) {
		link_close(w->link[client]);
		w->link[client] = NULL;
	}
	buf_clear(&in);
	return rc;
}

enum err
wire_throw(struct wire *w, unsigned n, unsigned client, struct bytes octets,
    struct fault *why)
{
	struct exchange *x = new_record(w, n, client);
	enum err rc = OK;

	if (x != NULL)
		put_record(w, octets, &x->sent_hex, &x->sent_xml);
	TRY(connect_client(w, client, why));
	TRY(link_send(w->link[client], octets, 0, why));
out:
	link_close(w->link[client]);
	w->link[client] = NULL;
	return rc;
}

/* The identity's own user name, where the request names none. */
static void
add_credential(struct wire *w, unsigned client, struct node *request)
{
	const struct identity *id = &w->doors->target->identities[client];

	if (id->username == NULL ||
	    node_find(request->first, TAG_AUTHENTICATION) != NULL)
		return;
	message_authenticate(w->a, request, id->username, id->password);
}

enum err
wire_ask(struct wire *w, unsigned n, unsigned client, struct node *request,
    struct node **response, struct finding *f, struct fault *why)
{
	struct bytes answer;
	struct buf out = {0};
	enum err rc = OK;

	*response = NULL;
	add_credential(w, client, request);
	ttlv_encode(request, &out);
	TRY(wire_ask_octets(w, n, client, buf_peek(&out), 0, &answer, why));
	TRY(ttlv_decode(w->a, answer, response, f));
out:
	buf_clear(&out);
	return rc;
}

bool
wire_is_alive(struct wire *w, unsigned version, struct fault *why)
{
	struct wire *fresh = wire_new(w->a, w->doors, w->flags);
	struct node *request = message_new(w->a, version), *response;
	struct node *payload = message_item(w->a, request, OPERATION_QUERY);
	struct finding f;
	enum err rc;

	put_enum(
	    w->a, payload, TAG_QUERY_FUNCTION, QUERY_FUNCTION_QUERY_OPERATIONS);
	wire_mute(fresh);
	rc = wire_ask(fresh, 0, 0, request, &response, &f, why);
	wire_close(fresh);
	return rc == OK && response->tag == TAG_RESPONSE_MESSAGE;
}
