#include "net/key_tls.h"

#include <string.h>

#include "base/mem.h"
#include "crypto/pki.h"
#include "device/appliance.h"
#include "device/ca.h"
#include "device/cert_work.h"
#include "device/fields.h"

/* A chain that is longer is cut: who looks so far knows the rest. */
enum { CHAIN_MOST = 8 };

static const char anonymous_part[] = "anonymous";
static const char key_part[] = "key";
static const char chain_part[] = "chain";
static const char trust_part[] = "trust";

/* ---- gathering ---- */

struct above {
	struct bytes der;
	struct buf *signer; /* empty: not found yet */
};

static enum err
above_look(void *ctx, const struct cert *ca)
{
	struct above *above = ctx;
	enum err rc = OK;

	if (ca->certificate.octets == 0 || above->signer->octets != 0)
		return OK;
	rc = pki_signed_by(above->der, buf_peek(&ca->certificate));
	if (rc == ERR_FIELD)
		return OK;
	TRY(rc);
	TRY(buf_put(above->signer, buf_peek(&ca->certificate)));
out:
	return rc;
}

/*
 * What is sent before a client beside the server's own: the CAs above it that
 * are here, but for the root. spec: rfc-5246 7.4.2, rfc-8446 4.4.2
 */
static enum err
gather_chain(struct store *st, struct bytes leaf, struct buf *parts)
{
	struct buf der, signer;
	struct above above = {.signer = &signer};
	int k;
	enum err rc = OK;

	buf_init(&der, CERT_DER_MAX_OCTETS);
	buf_init(&signer, CERT_DER_MAX_OCTETS);
	TRY(buf_put(&der, leaf));
	for (k = 0; k < CHAIN_MOST; k++) {
		/* a root, the server's own one too, stands for itself */
		rc = pki_signed_by(buf_peek(&der), buf_peek(&der));
		if (rc == OK && k != 0)
			goto out;
		TRY(fields_put(parts, chain_part, buf_peek(&der)));
		if (rc == OK)
			goto out;
		if (rc != ERR_FIELD)
			TRY(rc);
		rc = OK;
		buf_reset(&signer);
		above.der = buf_peek(&der);
		TRY(cert_each(st, CERT_LOCAL_CA, above_look, &above));
		TRY(cert_each(st, CERT_KNOWN_CA, above_look, &above));
		if (signer.octets == 0)
			goto out;
		buf_reset(&der);
		TRY(buf_put(&der, buf_peek(&signer)));
	}
out:
	buf_clear(&der);
	buf_clear(&signer);
	return rc;
}

static enum err
gather_trusted(void *ctx, const struct cert *ca)
{
	if (ca->certificate.octets == 0)
		return OK;
	return fields_put(ctx, trust_part, buf_peek(&ca->certificate));
}

enum err
key_tls_gather(
    struct store *st, const struct key_server *server, struct buf *parts)
{
	struct bytes name =
	    bytes_of_text(server->field[KEY_SERVER_CERTIFICATE].text);
	struct bytes profile =
	    bytes_of_text(server->field[KEY_SERVER_TRUST].text);
	bool anonymous =
	    server->field[KEY_SERVER_CLIENT].number == KEY_CLIENT_NOT_USED;
	struct cert cert = {.most_days = 0};
	enum err rc = OK;

	TRY(fields_put_number(parts, anonymous_part, anonymous));
	TRY(cert_read(st, CERT_DEVICE, name, &cert));
	if (cert.certificate.octets == 0)
		TRY(ERR_NOT_FOUND);
	TRY(fields_put(parts, key_part, buf_peek(&cert.key)));
	TRY(gather_chain(st, buf_peek(&cert.certificate), parts));
	if (!anonymous)
		TRY(ca_profile_members(st, profile, gather_trusted, parts));
out:
	cert_clear(&cert);
	return rc;
}

/* ---- making ---- */

/* Those of a name; *out is the caller's, what it points at is of `parts`. */
static enum err
list(struct bytes parts, const char *name, struct bytes **out, size_t *count)
{
	struct bytes left = parts;
	struct field field;
	size_t most = 0;
	enum err rc = OK;

	*count = 0;
	while (fields_next(&left, &field) == OK)
		most++;
	TRY(MEM_ARRAY(*out, most));
	while (fields_next(&parts, &field) == OK)
		if (bytes_equal_text(field.name, name))
			(*out)[(*count)++] = field.value;
out:
	return rc;
}

enum err
key_tls_make(struct appliance *appliance, const struct key_server *server,
    struct bytes parts, const struct keystore_loan *loan, const char *ciphers,
    const char *suites, struct tls **out)
{
	struct tls_material material = {.chain = NULL};
	const struct tls_config config = {
	    .material = &material,
	    .anonymous =
		server->field[KEY_SERVER_CLIENT].number == KEY_CLIENT_NOT_USED,
	    .ciphers = ciphers,
	    .suites = suites,
	};
	struct secret *key = NULL;
	struct bytes *chain = NULL;
	struct bytes *trust = NULL;
	struct bytes sealed;
	enum err rc = OK;

	*out = NULL;
	TRY(fields_find(parts, key_part, &sealed));
	TRY(list(parts, chain_part, &chain, &material.chain_count));
	TRY(list(parts, trust_part, &trust, &material.trust_count));
	TRY(cert_key_open(appliance, CERT_DEVICE,
	    server->field[KEY_SERVER_CERTIFICATE].text, sealed, loan, &key));
	material.chain = chain;
	material.trust = trust;
	material.key = secret_peek(key);
	TRY(tls_new(&config, out));
out:
	secret_free(key);
	mem_free(chain);
	mem_free(trust);
	return rc;
}
