#include "kmip/certificate.h"

#include "crypto/x509.h"
#include "device/birth.h"
#include "kmip/attributes.h"

static enum err
learn_x509(struct request *rq, struct object *o, struct bytes der)
{
	struct x509_facts facts;
	enum err rc = OK;

	rc = x509_read(rq->arena, der, &facts);
	if (rc == ERR_FIELD)
		fault_set(&rq->fault, "not an X.509 certificate");
	TRY(rc);
	if (facts.signature_algorithm != 0)
		TRY(attributes_learn(rq, o, TAG_DIGITAL_SIGNATURE_ALGORITHM,
		    facts.signature_algorithm));
	if (facts.key_algorithm != 0)
		TRY(attributes_learn(
		    rq, o, TAG_CRYPTOGRAPHIC_ALGORITHM, facts.key_algorithm));
	if (facts.key_bits != 0)
		TRY(attributes_learn(
		    rq, o, TAG_CRYPTOGRAPHIC_LENGTH, facts.key_bits));
	TRY(birth_add_certificate(o, &facts));
out:
	return rc;
}

enum err
certificate_learn(
    struct request *rq, struct object *o, const struct item *value)
{
	int64_t type = item_number(value, TAG_CERTIFICATE_TYPE, 0);
	struct bytes octets = item_octets(value, TAG_CERTIFICATE_VALUE);
	enum err rc = OK;

	TRY(attributes_learn(rq, o, TAG_CERTIFICATE_TYPE, type));
	TRY(attributes_learn(
	    rq, o, TAG_CERTIFICATE_LENGTH, (int64_t)octets.octets));
	if (type == CERTIFICATE_TYPE_X_509)
		TRY(learn_x509(rq, o, octets));
out:
	return rc;
}
