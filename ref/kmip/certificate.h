/*
 * What a certificate says of itself, as attributes.
 *
 * Source: KMIP 1.4 sections 3.8 to 3.16, KMIP 2.1 section 4.6
 */
#ifndef KMIP_CERTIFICATE_H
#define KMIP_CERTIFICATE_H

#include "kmip/request.h"

/*
 * Set Certificate Type, Length, Subject, Issuer and their fields, Digital
 * Signature Algorithm, and the public key's algorithm and length.
 *
 * ERR_FIELD  an attribute that the client gave contradicts the certificate, or
 *            it is no certificate of that type
 */
enum err certificate_learn(
    struct request *rq, struct object *o, const struct item *value) MUST_CHECK;

#endif
