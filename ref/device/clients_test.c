#include "device/clients.h"

#include <stdio.h>
#include <string.h>

#include "device/rig_test.h"

struct listing {
	char text[200];
	size_t count;
};

static void
list(void *ctx, const char *address, unsigned connections)
{
	struct listing *listing = ctx;
	size_t used = strlen(listing->text);

	listing->count++;
	(void)snprintf(listing->text + used, sizeof(listing->text) - used,
	    "%s=%u ", address, connections);
}

static void
lists(const struct clients *clients, const char *want)
{
	struct listing listing = {.count = 0};

	clients_each(clients, list, &listing);
	assert_string_equal(listing.text, want);
	assert_int_equal(clients_count(clients), listing.count);
}

static struct client *
enter(struct clients *clients, const char *address)
{
	struct client *client = NULL;

	assert_ok(client_enter(clients, bytes_of_text(address), &client));
	return client;
}

/* req: KS-22-044 KS-22-045 */
static void
test_connections_are_counted_by_address(void **state)
{
	struct clients *clients = NULL;
	struct client *first;
	struct client *second;

	(void)state;
	assert_ok(clients_new(&clients));
	clients_limit(clients, 2);
	lists(clients, "");
	first = enter(clients, "10.0.0.5");
	second = enter(clients, "::1");
	assert_ptr_equal(enter(clients, "10.0.0.5"), first);
	assert_ptr_equal(enter(clients, "10.0.0.5"), first);
	lists(clients, "10.0.0.5=3 ::1=1 ");
	client_leave(clients, second);
	lists(clients, "10.0.0.5=3 ");
	client_leave(clients, first);
	lists(clients, "10.0.0.5=2 ");
	second = enter(clients, "10.0.0.55");
	client_leave(clients, first);
	client_leave(clients, first);
	lists(clients, "10.0.0.55=1 ");
	client_leave(clients, second);
	lists(clients, "");
	clients_free(clients);
}

/* More than there are buckets; they leave in another order than they came. */
static void
test_many_addresses_are_kept_apart(void **state)
{
	enum { MANY = 5000, STEP = 7 };
	static struct client *client[MANY];
	struct clients *clients = NULL;
	char address[20];
	unsigned k;
	unsigned n = 0;

	(void)state;
	assert_ok(clients_new(&clients));
	clients_limit(clients, MANY);
	for (k = 0; k < MANY; k++) {
		(void)snprintf(address, sizeof(address), "10.%u.%u.%u",
		    k / 65536, k / 256 % 256, k % 256);
		client[k] = enter(clients, address);
	}
	assert_int_equal(clients_count(clients), MANY);
	for (k = 0; k < MANY; k++) {
		client_leave(clients, client[n]);
		n = (n + STEP) % MANY;
		assert_int_equal(clients_count(clients), MANY - 1 - k);
	}
	lists(clients, "");
	clients_free(clients);
}

static void
refuses(struct clients *clients, const char *address)
{
	struct client *client = NULL;

	assert_false(clients_have_room(clients, bytes_of_text(address)));
	assert_err(
	    client_enter(clients, bytes_of_text(address), &client), ERR_LIMIT);
	assert_null(client);
}

/* req: KS-25-010 */
static void
test_there_is_no_place_at_first(void **state)
{
	struct clients *clients = NULL;

	(void)state;
	assert_ok(clients_new(&clients));
	assert_int_equal(clients_most(clients), 0);
	refuses(clients, "10.0.0.5");
	lists(clients, "");
	clients_free(clients);
}

/* req: KS-25-008 KS-25-009 */
static void
test_a_place_is_an_address_and_not_a_connection(void **state)
{
	struct clients *clients = NULL;
	struct client *a;
	struct client *b;

	(void)state;
	assert_ok(clients_new(&clients));
	clients_limit(clients, 2);
	a = enter(clients, "10.0.0.1");
	b = enter(clients, "10.0.0.2");
	refuses(clients, "10.0.0.3");
	refuses(clients, "10.0.0.11");
	/* who is there may open more, and is in until the last has ended */
	assert_true(clients_have_room(clients, bytes_of_text("10.0.0.1")));
	assert_ptr_equal(enter(clients, "10.0.0.1"), a);
	client_leave(clients, a);
	refuses(clients, "10.0.0.3");
	lists(clients, "10.0.0.1=1 10.0.0.2=1 ");
	client_leave(clients, a);
	a = enter(clients, "10.0.0.3");
	refuses(clients, "10.0.0.1");
	client_leave(clients, a);
	client_leave(clients, b);
	clients_free(clients);
}

/* req: KS-25-016 */
static void
test_other_numbers_are_for_those_who_come_then(void **state)
{
	struct clients *clients = NULL;
	struct client *client[3];

	(void)state;
	assert_ok(clients_new(&clients));
	clients_limit(clients, 2);
	client[0] = enter(clients, "10.0.0.1");
	client[1] = enter(clients, "10.0.0.2");
	refuses(clients, "10.0.0.3");
	clients_limit(clients, 3);
	client[2] = enter(clients, "10.0.0.3");
	refuses(clients, "10.0.0.4");
	/* nobody is put out */
	clients_limit(clients, 1);
	lists(clients, "10.0.0.1=1 10.0.0.2=1 10.0.0.3=1 ");
	assert_ptr_equal(enter(clients, "10.0.0.2"), client[1]);
	client_leave(clients, client[1]);
	client_leave(clients, client[1]);
	refuses(clients, "10.0.0.2");
	client_leave(clients, client[0]);
	refuses(clients, "10.0.0.1");
	client_leave(clients, client[2]);
	client[0] = enter(clients, "10.0.0.1");
	refuses(clients, "10.0.0.2");
	client_leave(clients, client[0]);
	clients_free(clients);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_connections_are_counted_by_address),
	    cmocka_unit_test(test_many_addresses_are_kept_apart),
	    cmocka_unit_test(test_there_is_no_place_at_first),
	    cmocka_unit_test(test_a_place_is_an_address_and_not_a_connection),
	    cmocka_unit_test(test_other_numbers_are_for_those_who_come_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
