/*
 * Certificates of the device, and of the CAs that it knows.
 *
 * Source: protocol note section 2.9
 */
#include "crypto/pki.h"
#include "device/cert.h"
#include "nae/request.h"

static enum err
put_certificate(struct nae_request *rq, struct bytes der)
{
	struct buf text;
	enum err rc = OK;

	buf_init(&text, PKI_TEXT_MAX_OCTETS * 2);
	TRY(pki_pem_write(PKI_CERTIFICATE, der, &text));
	TRY(element_put(&rq->body, EL_CERTIFICATE_DATA, buf_peek(&text)));
out:
	buf_clear(&text);
	return rc;
}

/* The certificate that was read, if there is one already. */
static enum err
tell(struct nae_request *rq, enum err found, const struct cert *cert,
    enum element_name name, enum nae_error unknown)
{
	enum err rc = OK;

	if (found == ERR_NOT_FOUND ||
	    (found == OK && cert->certificate.octets == 0))
		return nae_refuse(rq, unknown);
	TRY(found);
	TRY(element_put_text(&rq->body, name, cert->name));
	TRY(put_certificate(rq, buf_peek(&cert->certificate)));
out:
	return rc;
}

enum err
nae_certificate_export(struct nae_request *rq)
{
	struct bytes name = element_text(rq->root, EL_CERTIFICATE_NAME);
	struct cert cert = {0};
	enum err rc;

	rc = cert_read(rq->config->appliance->store, CERT_DEVICE, name, &cert);
	rc = tell(rq, rc, &cert, EL_CERTIFICATE_NAME, NAE_CERT_NOT_FOUND);
	cert_clear(&cert);
	return rc;
}

enum err
nae_ca_export(struct nae_request *rq)
{
	struct bytes name = element_text(rq->root, EL_CA_NAME);
	struct cert cert = {0};
	enum err rc;

	rc = cert_read_ca(rq->config->appliance->store, name, &cert);
	rc = tell(rq, rc, &cert, EL_CA_NAME, NAE_CA_NOT_FOUND);
	cert_clear(&cert);
	return rc;
}
