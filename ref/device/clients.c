#include "device/clients.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { BUCKETS = 1024 };

struct client {
	struct client *next_alike; /* in its bucket */
	struct client *next;
	struct client *prev;
	unsigned connections;
	size_t octets;
	char address[];
};

struct clients {
	struct client *bucket[BUCKETS];
	struct client *first;
	struct client *last;
	size_t count;
	size_t most;
};

enum err
clients_new(struct clients **out)
{
	*out = NULL;
	return MEM_NEW(*out);
}

void
clients_free(struct clients *clients)
{
	assert(clients == NULL || clients->count == 0);
	mem_free(clients);
}

void
clients_limit(struct clients *clients, size_t most)
{
	clients->most = most;
}

size_t
clients_most(const struct clients *clients)
{
	return clients->most;
}

static size_t
bucket_of(struct bytes address)
{
	uint32_t h = 0x811c9dc5u;
	size_t k;

	for (k = 0; k < address.octets; k++)
		h = (h ^ address.at[k]) * 0x01000193u;
	return h % BUCKETS;
}

static struct bytes
address_of(const struct client *client)
{
	return (struct bytes){(const uint8_t *)client->address, client->octets};
}

/* NULL: none of that address is there. */
static struct client *
find(const struct clients *clients, struct bytes address)
{
	struct client *client = clients->bucket[bucket_of(address)];

	while (client != NULL && !bytes_equal(address_of(client), address))
		client = client->next_alike;
	return client;
}

/* req: KS-25-008 KS-25-009 KS-25-010 */
bool
clients_have_room(const struct clients *clients, struct bytes address)
{
	return clients->count < clients->most || find(clients, address) != NULL;
}

static enum err
add(struct clients *clients, struct bytes address, struct client **out)
{
	struct client **bucket = &clients->bucket[bucket_of(address)];
	struct client *client =
	    mem_zalloc(1, sizeof(*client) + address.octets + 1);

	*out = client;
	if (client == NULL)
		return ERR_NOMEM;
	client->octets = address.octets;
	memcpy(client->address, address.at, address.octets);
	client->next_alike = *bucket;
	*bucket = client;
	client->prev = clients->last;
	if (clients->last != NULL)
		clients->last->next = client;
	else
		clients->first = client;
	clients->last = client;
	clients->count++;
	return OK;
}

enum err
client_enter(struct clients *clients, struct bytes address, struct client **out)
{
	struct client *client = find(clients, address);
	enum err rc = OK;

	*out = NULL;
	if (!clients_have_room(clients, address))
		return ERR_LIMIT;
	if (client == NULL)
		TRY(add(clients, address, &client));
	client->connections++;
	*out = client;
out:
	return rc;
}

static void
drop(struct clients *clients, struct client *client)
{
	struct client **at = &clients->bucket[bucket_of(address_of(client))];

	while (*at != client)
		at = &(*at)->next_alike;
	*at = client->next_alike;
	if (client->prev != NULL)
		client->prev->next = client->next;
	else
		clients->first = client->next;
	if (client->next != NULL)
		client->next->prev = client->prev;
	else
		clients->last = client->prev;
	clients->count--;
	mem_free(client);
}

void
client_leave(struct clients *clients, struct client *client)
{
	if (--client->connections == 0)
		drop(clients, client);
}

size_t
clients_count(const struct clients *clients)
{
	return clients->count;
}

void
clients_each(const struct clients *clients, client_fn *each, void *ctx)
{
	const struct client *client;

	for (client = clients->first; client != NULL; client = client->next)
		each(ctx, client->address, client->connections);
}
