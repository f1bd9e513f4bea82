#include "device/known_host.h"

#include <stdio.h>

#include "device/appliance.h"
#include "device/fields.h"
#include "device/logs.h"
#include "store/record.h"

#define HOST_KIND "ssh.host"

enum { FIELDS_OCTETS = 256 };

enum err
known_host_find(struct store *st, const char *name,
    char fingerprint[KNOWN_HOST_FINGERPRINT_OCTETS])
{
	struct bytes field;
	struct buf value;
	enum err rc = OK;

	*fingerprint = '\0';
	buf_init(&value, FIELDS_OCTETS);
	rc = record_get(st, HOST_KIND, bytes_of_text(name), &value);
	if (rc == ERR_NOT_FOUND) {
		rc = OK;
		goto out;
	}
	TRY(rc);
	TRY(fields_find(buf_peek(&value), "fingerprint", &field));
	(void)snprintf(fingerprint, KNOWN_HOST_FINGERPRINT_OCTETS, "%.*s",
	    (int)field.octets, (const char *)field.at);
out:
	buf_clear(&value);
	return rc;
}

enum err
known_host_keep(struct appliance *appliance, const char *name, const char *type,
    const char *fingerprint)
{
	char known[KNOWN_HOST_FINGERPRINT_OCTETS];
	struct buf value;
	enum err rc = OK;

	buf_init(&value, FIELDS_OCTETS);
	TRY(known_host_find(appliance->store, name, known));
	if (known[0] != '\0')
		goto out;
	TRY(fields_put_text(&value, "type", type));
	TRY(fields_put_text(&value, "fingerprint", fingerprint));
	TRY(record_put(appliance->store, HOST_KIND, bytes_of_text(name),
	    buf_peek(&value)));
	logs_add_system(appliance, "Transfer",
	    "The SSH server %s is known from now on by its key: %s %s", name,
	    type, fingerprint);
out:
	buf_clear(&value);
	return rc;
}

struct walk {
	known_host_fn *each;
	void *ctx;
};

static enum err
show(void *ctx, struct bytes key, struct bytes value)
{
	struct walk *walk = ctx;
	struct known_host host = {.name = key};
	enum err rc = OK;

	TRY(fields_find(value, "type", &host.type));
	TRY(fields_find(value, "fingerprint", &host.fingerprint));
	TRY(walk->each(walk->ctx, &host));
out:
	return rc;
}

enum err
known_host_each(struct store *st, known_host_fn *each, void *ctx)
{
	struct walk walk = {each, ctx};

	return record_each(st, HOST_KIND, show, &walk);
}

enum err
known_host_forget(struct store *st, const char *name)
{
	return record_delete(st, HOST_KIND, bytes_of_text(name));
}
