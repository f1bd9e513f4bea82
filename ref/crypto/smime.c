#include "crypto/smime.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "crypto/ossl.h"

enum {
	DIGEST_OCTETS = 32,
	BOUNDARY_OCTETS = 16, /* of the digest that name the boundary */
	PIECE_OCTETS = 16 * 1024,
	BASE64_IN = 48, /* of a line, and as it is written */
	BASE64_OUT = 64,
	HEAD_MAX_OCTETS = 2048,
	DER_MAX_OCTETS = 128 * 1024,
	DATE_OCTETS = 40,
};

/* ---------------------------------------------------------------------------
 * The mail's words. Those who verify have to write them again, octet by octet:
 * none is changed without docs/signed-logs.md.
 */

/* "Sat, 21 Nov 2026 23:26:01 +0000"; clang-format off for their columns */
/* clang-format off */
#define MAIL_HEAD \
	"MIME-Version: 1.0\r\n" \
	"Date: %s\r\n" \
	"From: Log Signer <logsigner@appliance.invalid>\r\n" \
	"Subject: Signed log\r\n"

#define MULTIPART_HEAD \
	"Content-Type: multipart/signed; micalg=sha-256;\r\n" \
	"\tprotocol=\"application/pkcs7-signature\";\r\n" \
	"\tboundary=\"%s\"\r\n" \
	"\r\n" \
	"This is an S/MIME signed message\r\n" \
	"\r\n" \
	"--%s\r\n"

#define MULTIPART_SIGNATURE \
	"\r\n" \
	"--%s\r\n" \
	"Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n" \
	"Content-Transfer-Encoding: base64\r\n" \
	"Content-Disposition: attachment; filename=\"smime.p7s\"\r\n" \
	"\r\n"

#define MULTIPART_END \
	"\r\n" \
	"--%s--\r\n"

#define OPAQUE_HEAD \
	"Content-Type: application/pkcs7-mime; smime-type=signed-data;\r\n" \
	"\tname=\"smime.p7m\"\r\n" \
	"Content-Transfer-Encoding: base64\r\n" \
	"Content-Disposition: attachment; filename=\"smime.p7m\"\r\n" \
	"\r\n"

/* of what is signed: the first part, in either form */
static const char entity_head[] =
	"Content-Type: text/plain; charset=utf-8\r\n"
	"Content-Transfer-Encoding: 8bit\r\n"
	"\r\n";
/* clang-format on */

struct signing {
	const struct smime_order *order;
	X509 *certificate;
	EVP_PKEY *key;
	EVP_MD_CTX *digest;
	uint8_t hash[DIGEST_OCTETS]; /* of the entity */
	uint64_t entity_octets;
	char boundary[2 + 2 * BOUNDARY_OCTETS + 1];
	struct buf signer; /* SignerInfo */
	struct buf head;   /* words of the mail */
	struct buf der;
	/* base64 that has no whole line yet */
	uint8_t carried[BASE64_IN];
	size_t carried_octets;
	uint8_t in[PIECE_OCTETS];
	uint8_t out[2 * PIECE_OCTETS];
};

typedef enum err sink_fn(struct signing *s, struct bytes octets);

/* ---------------------------------------------------------------------------
 * The entity
 */

/* Each LF as CR LF. */
static enum err
widen(struct signing *s, size_t octets, struct bytes *wide)
{
	size_t from, to = 0;

	for (from = 0; from < octets; from++) {
		uint8_t c = s->in[from];

		if (c == '\r')
			return ERR_VALUE;
		if (c == '\n')
			s->out[to++] = '\r';
		s->out[to++] = c;
	}
	*wide = (struct bytes){s->out, to};
	return OK;
}

static enum err
digest_add(struct signing *s, struct bytes octets)
{
	if (EVP_DigestUpdate(s->digest, octets.at, octets.octets) != 1)
		return ossl_err("EVP_DigestUpdate", ERR_CRYPTO);
	return OK;
}

static enum err
text_walk(struct signing *s, sink_fn *sink)
{
	const struct smime_order *order = s->order;
	struct bytes wide;
	uint64_t place = 0;
	uint8_t last = '\n';
	enum err rc = OK;

	while (place < order->octets) {
		uint64_t left = order->octets - place;
		size_t room = left < PIECE_OCTETS ? (size_t)left : PIECE_OCTETS;
		size_t octets = 0;

		TRY(order->read(order->read_ctx, place, s->in, room, &octets));
		assert(octets <= room);
		if (octets == 0)
			TRY(ERR_TRUNCATED);
		TRY(widen(s, octets, &wide));
		TRY(digest_add(s, wide));
		TRY(sink(s, wide));
		last = s->in[octets - 1];
		place += octets;
	}
	if (last != '\n')
		TRY(ERR_VALUE);
out:
	return rc;
}

/* All of it goes to `sink`, and its digest to `hash`. */
static enum err
entity_walk(struct signing *s, sink_fn *sink, uint8_t hash[DIGEST_OCTETS])
{
	struct bytes head = bytes_of_text(entity_head);
	enum err rc = OK;

	if (EVP_DigestInit_ex2(s->digest, EVP_sha256(), NULL) != 1)
		TRY(ossl_err("EVP_DigestInit_ex2", ERR_CRYPTO));
	TRY(digest_add(s, head));
	TRY(sink(s, head));
	TRY(text_walk(s, sink));
	if (EVP_DigestFinal_ex(s->digest, hash, NULL) != 1)
		TRY(ossl_err("EVP_DigestFinal_ex", ERR_CRYPTO));
out:
	return rc;
}

static enum err
count(struct signing *s, struct bytes octets)
{
	s->entity_octets += octets.octets;
	return OK;
}

/* The first reading: how long it is, and its digest. */
static enum err
entity_measure(struct signing *s)
{
	static const char digits[] = "0123456789abcdef";
	char *at = s->boundary;
	size_t k;
	enum err rc = OK;

	TRY(entity_walk(s, count, s->hash));
	/* no text has its own digest in it: it cannot end its part */
	*at++ = '=';
	*at++ = '_';
	for (k = 0; k < BOUNDARY_OCTETS; k++) {
		*at++ = digits[s->hash[k] >> 4];
		*at++ = digits[s->hash[k] & 15];
	}
	*at = '\0';
out:
	return rc;
}

/* The second: each piece where it goes, if it is still what was measured. */
static enum err
entity_write(struct signing *s, sink_fn *sink)
{
	uint8_t hash[DIGEST_OCTETS];
	enum err rc = OK;

	TRY(entity_walk(s, sink, hash));
	if (memcmp(hash, s->hash, sizeof(hash)) != 0)
		TRY(ERR_TRUNCATED);
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * The signature
 */

/* req: KS-20-114 KS-20-115 KS-20-116 ESKM-219
 * spec: rfc-2315 9.2  attributes in the order of their encoding, which DER
 * asks of a SET, and OpenSSL leaves to who puts them */
static enum err
attributes_put(struct signing *s, PKCS7_SIGNER_INFO *info)
{
	ASN1_TIME *at = ASN1_TIME_adj(NULL, (time_t)s->order->at_s, 0, 0);
	enum err rc = OK;

	if (at == NULL || PKCS7_add_attrib_content_type(info, NULL) != 1)
		TRY(ossl_err("PKCS7_add_attrib_content_type", ERR_CRYPTO));
	if (PKCS7_add0_attrib_signing_time(info, at) != 1)
		TRY(ossl_err("PKCS7_add0_attrib_signing_time", ERR_CRYPTO));
	at = NULL; /* the attribute's now */
	if (PKCS7_add1_attrib_digest(info, s->hash, sizeof(s->hash)) != 1)
		TRY(ossl_err("PKCS7_add1_attrib_digest", ERR_CRYPTO));
out:
	ASN1_TIME_free(at);
	return rc;
}

static enum err
signer_make(struct signing *s)
{
	PKCS7_SIGNER_INFO *info = PKCS7_SIGNER_INFO_new();
	unsigned char *der = NULL;
	int octets;
	enum err rc = OK;

	if (info == NULL || PKCS7_SIGNER_INFO_set(info, s->certificate, s->key,
				EVP_sha256()) != 1)
		TRY(ossl_err("PKCS7_SIGNER_INFO_set", ERR_CRYPTO));
	TRY(attributes_put(s, info));
	if (PKCS7_SIGNER_INFO_sign(info) != 1)
		TRY(ossl_err("PKCS7_SIGNER_INFO_sign", ERR_CRYPTO));
	octets = i2d_PKCS7_SIGNER_INFO(info, &der);
	if (octets < 0)
		TRY(ossl_err("i2d_PKCS7_SIGNER_INFO", ERR_CRYPTO));
	TRY(buf_put(&s->signer, (struct bytes){der, (size_t)octets}));
out:
	OPENSSL_free(der);
	PKCS7_SIGNER_INFO_free(info);
	return rc;
}

/* ---- SignedData around it, whose content is never in memory ---- */

static const uint8_t oid_signed_data[] = {
    0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2};
static const uint8_t oid_data[] = {
    0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1};
/* version 1, and the set of digest algorithms: SHA-256 */
static const uint8_t version_and_digests[] = {0x02, 1, 1, 0x31, 15, 0x30, 13,
    0x06, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 0x05, 0};

enum {
	TAG_SEQUENCE = 0x30,
	TAG_SET = 0x31,
	TAG_OCTET_STRING = 0x04,
	TAG_CONTEXT = 0xa0,
};

static unsigned
length_octets(uint64_t content)
{
	unsigned octets = 0;

	for (; content != 0; content >>= 8)
		octets++;
	return octets;
}

/* Of a value with that content: its header too. */
static uint64_t
value_octets(uint64_t content)
{
	return 2 + (content < 0x80 ? 0 : length_octets(content)) + content;
}

static enum err
header_put(struct buf *b, unsigned tag, uint64_t content)
{
	uint8_t at[2 + sizeof(content)] = {(uint8_t)tag, (uint8_t)content};
	unsigned count = content < 0x80 ? 0 : length_octets(content);
	unsigned k;

	if (count != 0)
		at[1] = (uint8_t)(0x80 | count);
	for (k = 0; k < count; k++)
		at[2 + k] = (uint8_t)(content >> 8 * (count - 1 - k));
	return buf_put(b, (struct bytes){at, 2 + count});
}

/*
 * What stands before the content, and behind it; without any content both are
 * one piece.
 *
 * spec: rfc-2315 7 9.1
 */
static enum err
signed_data_front(struct signing *s, bool has_content)
{
	struct bytes certificate = s->order->certificate;
	uint64_t content = value_octets(s->entity_octets);
	uint64_t info =
	    sizeof(oid_data) + (has_content ? value_octets(content) : 0);
	uint64_t data = sizeof(version_and_digests) + value_octets(info) +
			value_octets(certificate.octets) +
			value_octets(s->signer.octets);
	uint64_t all =
	    sizeof(oid_signed_data) + value_octets(value_octets(data));
	struct buf *b = &s->der;
	enum err rc = OK;

	TRY(header_put(b, TAG_SEQUENCE, all));
	TRY(buf_put(
	    b, (struct bytes){oid_signed_data, sizeof(oid_signed_data)}));
	TRY(header_put(b, TAG_CONTEXT, value_octets(data)));
	TRY(header_put(b, TAG_SEQUENCE, data));
	TRY(buf_put(b,
	    (struct bytes){version_and_digests, sizeof(version_and_digests)}));
	TRY(header_put(b, TAG_SEQUENCE, info));
	TRY(buf_put(b, (struct bytes){oid_data, sizeof(oid_data)}));
	if (has_content) {
		TRY(header_put(b, TAG_CONTEXT, content));
		TRY(header_put(b, TAG_OCTET_STRING, s->entity_octets));
	}
out:
	return rc;
}

/* req: KS-20-070 */
static enum err
signed_data_back(struct signing *s)
{
	struct bytes certificate = s->order->certificate;
	enum err rc = OK;

	TRY(header_put(&s->der, TAG_CONTEXT, certificate.octets));
	TRY(buf_put(&s->der, certificate));
	TRY(header_put(&s->der, TAG_SET, s->signer.octets));
	TRY(buf_put(&s->der, buf_peek(&s->signer)));
out:
	return rc;
}

/* ---------------------------------------------------------------------------
 * The mail
 */

static enum err
out_put(struct signing *s, struct bytes octets)
{
	return s->order->write(s->order->write_ctx, octets);
}

/* Lines of 64, as far as they are whole; `end`: the rest as well. */
static enum err
base64_line(struct signing *s)
{
	char line[BASE64_OUT + 2 + 1];
	int octets;

	octets = EVP_EncodeBlock(
	    (unsigned char *)line, s->carried, (int)s->carried_octets);
	memcpy(line + octets, "\r\n", 3);
	s->carried_octets = 0;
	return out_put(s, bytes_of_text(line));
}

static enum err
base64_put(struct signing *s, struct bytes octets)
{
	struct bytes head;
	enum err rc = OK;

	while (octets.octets != 0) {
		size_t room = BASE64_IN - s->carried_octets;

		TRY(bytes_split(&octets,
		    octets.octets < room ? octets.octets : room, &head));
		memcpy(s->carried + s->carried_octets, head.at, head.octets);
		s->carried_octets += head.octets;
		if (s->carried_octets == BASE64_IN)
			TRY(base64_line(s));
	}
out:
	return rc;
}

static enum err
base64_end(struct signing *s)
{
	return s->carried_octets != 0 ? base64_line(s) : OK;
}

/* spec: rfc-1847 2.1, rfc-8551 3.5.3  req: KS-20-067 KS-20-068 KS-20-069 */
static enum err
multipart_write(struct signing *s)
{
	enum err rc = OK;

	TRY(buf_printf(&s->head, MULTIPART_HEAD, s->boundary, s->boundary));
	TRY(out_put(s, buf_peek(&s->head)));
	TRY(entity_write(s, out_put));
	buf_reset(&s->head);
	TRY(buf_printf(&s->head, MULTIPART_SIGNATURE, s->boundary));
	TRY(out_put(s, buf_peek(&s->head)));
	TRY(signed_data_front(s, false));
	TRY(signed_data_back(s));
	TRY(base64_put(s, buf_peek(&s->der)));
	TRY(base64_end(s));
	buf_reset(&s->head);
	TRY(buf_printf(&s->head, MULTIPART_END, s->boundary));
	TRY(out_put(s, buf_peek(&s->head)));
out:
	return rc;
}

/* spec: rfc-8551 3.5.2  req: KS-20-072 KS-20-074 KS-20-075 */
static enum err
opaque_write(struct signing *s)
{
	enum err rc = OK;

	TRY(buf_put_text(&s->head, OPAQUE_HEAD));
	TRY(out_put(s, buf_peek(&s->head)));
	TRY(signed_data_front(s, true));
	TRY(base64_put(s, buf_peek(&s->der)));
	TRY(entity_write(s, base64_put));
	buf_reset(&s->der);
	TRY(signed_data_back(s));
	TRY(base64_put(s, buf_peek(&s->der)));
	TRY(base64_end(s));
out:
	return rc;
}

/* The same words wherever it runs. req: KS-20-109 */
static enum err
date_put(struct signing *s)
{
	static const char *const days[] = {
	    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t at = (time_t)s->order->at_s;
	char date[DATE_OCTETS];
	struct tm tm;

	if (gmtime_r(&at, &tm) == NULL || tm.tm_year + 1900 > 9999 ||
	    tm.tm_year + 1900 < 1950)
		return ERR_FIELD;
	(void)snprintf(date, sizeof(date), "%s, %d %s %d %02d:%02d:%02d +0000",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
	return buf_printf(&s->head, MAIL_HEAD, date);
}

static enum err
keys_read(struct signing *s)
{
	const struct smime_order *order = s->order;
	const unsigned char *at = order->certificate.at;
	enum err rc = OK;

	s->certificate = d2i_X509(NULL, &at, (long)order->certificate.octets);
	if (s->certificate == NULL ||
	    at != order->certificate.at + order->certificate.octets)
		TRY(ossl_err("d2i_X509", ERR_FIELD));
	at = order->key.at;
	s->key = d2i_AutoPrivateKey(NULL, &at, (long)order->key.octets);
	if (s->key == NULL ||
	    X509_check_private_key(s->certificate, s->key) != 1)
		TRY(ossl_err("X509_check_private_key", ERR_FIELD));
out:
	return rc;
}

enum err
smime_sign(const struct smime_order *order)
{
	struct signing *s = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(s));
	s->order = order;
	buf_init(&s->head, HEAD_MAX_OCTETS);
	buf_init(&s->der, DER_MAX_OCTETS);
	buf_init(&s->signer, DER_MAX_OCTETS);
	TRY(keys_read(s));
	TRY(date_put(s));
	s->digest = EVP_MD_CTX_new();
	if (s->digest == NULL)
		TRY(ossl_err("EVP_MD_CTX_new", ERR_NOMEM));
	TRY(entity_measure(s));
	TRY(signer_make(s));
	TRY(order->form == SMIME_OPAQUE ? opaque_write(s) : multipart_write(s));
out:
	if (s != NULL) {
		EVP_MD_CTX_free(s->digest);
		EVP_PKEY_free(s->key);
		X509_free(s->certificate);
		buf_clear(&s->head);
		buf_clear(&s->der);
		buf_clear(&s->signer);
	}
	mem_free(s);
	return rc;
}
