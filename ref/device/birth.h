/*
 * What a new object has beside what it was given: the same, whether KMIP, a
 * request of NAE-XML or an administrator has it made.
 *
 * Source: KMIP 1.4 section 3, KMIP 2.1 section 4
 */
#ifndef DEVICE_BIRTH_H
#define DEVICE_BIRTH_H

#include "model/object.h"

/*
 * Where they are not there yet, and objects of its type have them: Short
 * Unique Identifier, Lease Time, Fresh, Sensitive and its kin, Protection
 * Storage Mask. A Template gets none.
 *
 * lease_s    0: no Lease Time
 * generated  its value was made here: Original Creation Date, Random Number
 *            Generator
 */
enum err birth_complete(struct object *o, uint32_t lease_s, int64_t now_s,
    bool generated) MUST_CHECK;

/*
 * The fields of RNG Parameters: the generator behind env_random is OpenSSL's,
 * as crypto/random.c sets it up (SP 800-90A, CTR_DRBG with AES-256).
 */
enum err birth_add_rng(struct arena *a, struct item *rng) MUST_CHECK;

/* Digest, of its value's octets in that format (0: none). */
enum err birth_add_digest(
    struct object *o, struct bytes octets, uint32_t format) MUST_CHECK;

/* spec: kmip-1.4 3.35 */
enum err birth_add_link(
    struct object *from, uint32_t link_type, struct bytes to) MUST_CHECK;

/* What a certificate says: Subject, Issuer and Identifier, and their fields. */
struct x509_facts;
enum err birth_add_certificate(
    struct object *o, const struct x509_facts *facts) MUST_CHECK;

#endif
