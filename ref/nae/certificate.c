/*
 * Certificates of the device, of keys, and of the CAs that it knows; and such
 * as its local CAs sign.
 *
 * Source: protocol note section 2.9
 */
#include <string.h>

#include "base/mem.h"
#include "crypto/pki.h"
#include "device/cert_work.h"
#include "nae/key_request.h"

enum { CHAIN_MOST = 8 }; /* certificates that are told of a key */

static enum err
put_pem(struct nae_request *rq, enum element_name what, enum pki_pem kind,
    struct bytes der)
{
	struct buf text;
	enum err rc = OK;

	buf_init(&text, PKI_TEXT_MAX_OCTETS * 2);
	TRY(pki_pem_write(kind, der, &text));
	TRY(element_put(&rq->body, what, buf_peek(&text)));
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
	TRY(put_pem(rq, EL_CERTIFICATE_DATA, PKI_CERTIFICATE,
	    buf_peek(&cert->certificate)));
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

/* ---- the certificate of a key ---- */

struct chain {
	struct bytes key; /* the public half, PKCS#1 */
	struct buf last;  /* DER; empty: none was found */
	struct buf next;  /* who has signed it */
	struct buf text;  /* PEM, the key's own first */
};

/* Of this device, for this key. */
static enum err
look_for_leaf(void *ctx, const struct cert *cert)
{
	struct chain *chain = ctx;
	struct bytes der = buf_peek(&cert->certificate);

	if (chain->last.octets != 0 || der.octets == 0 ||
	    pki_same_key(PKI_RSA_PUBLIC, chain->key, PKI_CERTIFICATE, der) !=
		OK)
		return OK;
	return buf_put(&chain->last, der);
}

/* A CA that has signed the last one; not itself. */
static enum err
look_for_issuer(void *ctx, const struct cert *cert)
{
	struct chain *chain = ctx;
	struct bytes der = buf_peek(&cert->certificate);

	if (chain->next.octets != 0 || der.octets == 0 ||
	    bytes_equal(der, buf_peek(&chain->last)) ||
	    pki_signed_by(buf_peek(&chain->last), der) != OK)
		return OK;
	return buf_put(&chain->next, der);
}

static enum err
chain_grow(struct store *st, struct chain *chain)
{
	enum err rc = OK;

	TRY(pki_pem_write(
	    PKI_CERTIFICATE, buf_peek(&chain->last), &chain->text));
	buf_reset(&chain->next);
	TRY(cert_each(st, CERT_LOCAL_CA, look_for_issuer, chain));
	TRY(cert_each(st, CERT_KNOWN_CA, look_for_issuer, chain));
	buf_reset(&chain->last);
	TRY(buf_put(&chain->last, buf_peek(&chain->next)));
out:
	return rc;
}

/* What the key has of its own, all but the last of them put. */
static enum err
chain_of_key(
    struct nae_request *rq, const struct object *key, struct chain *chain)
{
	struct bytes der;
	unsigned n;
	enum err rc = OK;

	for (n = 1; n <= CHAIN_MOST; n++) {
		rc = key_certificate(&rq->call, key, n, &der);
		if (rc == ERR_NOT_FOUND)
			return OK;
		TRY(rc);
		if (n != 1)
			TRY(pki_pem_write(PKI_CERTIFICATE,
			    buf_peek(&chain->last), &chain->text));
		buf_reset(&chain->last);
		TRY(buf_put(&chain->last, der));
	}
out:
	return rc;
}

static enum err
chain_put(struct nae_request *rq, const struct object *key, struct bytes public)
{
	struct store *st = rq->config->appliance->store;
	struct chain chain = {.key = public};
	unsigned k;
	enum err rc = OK;

	buf_init(&chain.last, CERT_DER_MAX_OCTETS);
	buf_init(&chain.next, CERT_DER_MAX_OCTETS);
	buf_init(&chain.text, 2 * CHAIN_MOST * PKI_TEXT_MAX_OCTETS * 2);
	TRY(chain_of_key(rq, key, &chain));
	if (chain.last.octets == 0)
		TRY(cert_each(st, CERT_DEVICE, look_for_leaf, &chain));
	if (chain.last.octets == 0)
		TRY(nae_refuse(rq, NAE_CERT_NOT_FOUND));
	for (k = 0; k < CHAIN_MOST && chain.last.octets != 0; k++)
		TRY(chain_grow(st, &chain));
	TRY(element_put(&rq->body, EL_CERTIFICATE_DATA, buf_peek(&chain.text)));
out:
	buf_clear(&chain.last);
	buf_clear(&chain.next);
	buf_clear(&chain.text);
	return rc;
}

/*
 * The one that it came with, or of the device's certificates the one that is
 * for this key; and who signed.
 */
enum err
nae_key_certificate_export(struct nae_request *rq)
{
	const struct object *key;
	struct key_select select;
	const char *why;
	struct bytes text;
	struct buf der;
	enum err rc = OK;

	buf_init(&der, PKI_TEXT_MAX_OCTETS);
	TRY(key_named(rq, MAY_SELECT_ONE, &select));
	TRY(key_asked(rq, select.name, USE_PUBLIC, &key));
	TRY(key_public_text(&rq->call, key, select.number, &text));
	TRY(pki_pem_read(PKI_RSA_PUBLIC, text, &der, &why));
	TRY(chain_put(rq, key, buf_peek(&der)));
out:
	buf_clear(&der);
	return rc;
}

/* ---- a request for one ---- */

struct csr_job {
	struct secret *key; /* PKCS#1 */
	struct pki_subject subject;
	struct buf der;
	enum err rc;
};

static void
csr_work(void *state)
{
	struct csr_job *job = state;
	const char *why;

	job->rc = pki_request_new(
	    secret_peek(job->key), &job->subject, &job->der, &why);
}

static void
csr_free(void *state)
{
	struct csr_job *job = state;

	secret_free(job->key);
	buf_clear(&job->der);
	mem_free(job);
}

static enum err
subject_asked(struct nae_request *rq, struct pki_subject *out)
{
	static const enum element_name fields[PKI_FIELD_COUNT] = {
	    [PKI_COMMON_NAME] = EL_COMMON_NAME,
	    [PKI_ORGANIZATION] = EL_ORGANIZATION,
	    [PKI_UNIT] = EL_ORGANIZATIONAL_UNIT,
	    [PKI_LOCALITY] = EL_LOCALITY,
	    [PKI_STATE] = EL_STATE,
	    [PKI_COUNTRY] = EL_COUNTRY,
	    [PKI_EMAIL] = EL_EMAIL,
	};
	const struct element *subject = element_find(rq->root, EL_SUBJECT);
	const char *why;
	int k;

	if (element_find(subject, EL_COUNTRY) == NULL)
		return nae_refuse_element(rq, NAE_MISSING, EL_COUNTRY);
	for (k = 0; k < PKI_FIELD_COUNT; k++) {
		const struct element *e = element_find(subject, fields[k]);

		if (e != NULL && pki_subject_set(out, (enum pki_field)k,
				     e->text, &why) != OK)
			return nae_refuse_element(rq, NAE_VALUE, fields[k]);
	}
	return OK;
}

static enum err
csr_made(struct nae_request *rq)
{
	struct csr_job *job = rq->state;
	enum err rc = OK;

	/* a subject of empty fields */
	if (job->rc == ERR_FIELD)
		TRY(nae_refuse_element(rq, NAE_VALUE, EL_SUBJECT));
	TRY(job->rc);
	TRY(put_pem(rq, EL_CSR_DATA, PKI_REQUEST, buf_peek(&job->der)));
out:
	return rc;
}

/* It is signed with the key, which has to be allowed. */
enum err
nae_csr_create(struct nae_request *rq)
{
	struct key_material material;
	struct key_version version;
	const struct object *key;
	struct key_select select;
	struct csr_job *job = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(job));
	buf_init(&job->der, PKI_TEXT_MAX_OCTETS);
	rq->state = job;
	rq->state_free = csr_free;
	TRY(key_named(rq, MAY_SELECT_ONE, &select));
	TRY(subject_asked(rq, &job->subject));
	TRY(key_asked(rq, select.name, USE_SIGN, &key));
	TRY(key_version_asked(rq, key, select.number, USE_SIGN, &version));
	TRY(key_bytes(&rq->call, key, select.number, &material));
	TRY(secret_copy(material.octets, &job->key));
	TRY(nae_later(rq, csr_work, csr_made));
out:
	return rc;
}

/* ---- signing one ---- */

struct sign_job {
	struct nae_request *rq;
	struct cert_work *work;
};

static void
sign_free(void *state)
{
	struct sign_job *job = state;

	cert_work_drop(job->work);
	mem_free(job);
}

/* What is wrong with what was asked for. */
static enum err
sign_refuse(struct nae_request *rq, enum cert_subject wrong)
{
	switch (wrong) {
	case CERT_OF_NAME:
		return nae_refuse(rq, NAE_CA_NOT_FOUND);
	case CERT_OF_DAYS:
		return nae_refuse_element(rq, NAE_VALUE, EL_EXPIRY_DAYS);
	case CERT_OF_REQUEST:
		break;
	}
	return nae_refuse(rq, NAE_CERT_REQUEST);
}

static void
sign_made(struct cert_work *work, enum err rc)
{
	struct sign_job *job = work->ctx;

	if (rc == ERR_FIELD)
		rc = sign_refuse(job->rq, work->about);
	nae_go_on(job->rq, rc);
}

static enum err
sign_keep(struct nae_request *rq)
{
	struct sign_job *job = rq->state;
	struct change change = {.appliance = rq->config->appliance};
	enum err rc = cert_work_write(job->work, &change);

	/* the CA is another one by now */
	if (rc == ERR_FIELD)
		return nae_refuse(rq, NAE_CA_NOT_FOUND);
	if (rc != OK)
		return rc;
	return put_pem(rq, EL_CERTIFICATE_DATA, PKI_CERTIFICATE,
	    buf_peek(&job->work->cert.certificate));
}

static enum err
usage_asked(struct nae_request *rq, enum pki_purpose *out)
{
	static const struct {
		const char *word;
		enum pki_purpose purpose;
	} usages[] = {
	    {"server", PKI_SERVER}, {"client", PKI_CLIENT}, {"ca", PKI_CA}};
	struct bytes usage = element_text(rq->root, EL_USAGE);
	size_t k;

	for (k = 0; k < sizeof(usages) / sizeof(usages[0]); k++) {
		*out = usages[k].purpose;
		if (bytes_equal_text(usage, usages[k].word))
			return OK;
	}
	return nae_refuse_element(rq, NAE_VALUE, EL_USAGE);
}

/*
 * By a local CA. A certificate of a client can say whose it is, so that it
 * takes what creating that user takes.
 */
enum err
nae_certificate_sign(struct nae_request *rq)
{
	struct bytes name = element_text(rq->root, EL_CA_NAME);
	struct sign_job *job = NULL;
	struct cert_work *work;
	uint64_t days;
	enum err rc = OK;

	TRY(MEM_NEW(job));
	job->rq = rq;
	rq->state = job;
	rq->state_free = sign_free;
	TRY(cert_work_new(rq->config->appliance, &job->work));
	work = job->work;
	work->task = CERT_SIGN;
	work->done = sign_made;
	work->ctx = job;
	TRY(usage_asked(rq, &work->purpose));
	TRY(nae_number(rq, EL_EXPIRY_DAYS, 1, CERT_DAYS_MOST, &days));
	work->days = (int64_t)days;
	if (name.octets > CERT_NAME_OCTETS)
		TRY(nae_refuse(rq, NAE_CA_NOT_FOUND));
	memcpy(work->name, name.at, name.octets);
	TRY(buf_put(&work->text, element_text(rq->root, EL_CSR_DATA)));
	cert_work_begin(work);
	TRY(nae_pause(rq, sign_keep));
out:
	return rc;
}
