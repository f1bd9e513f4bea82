/*
 * Is a signed log what was signed? docs/signed-logs.md has its two forms.
 *
 * OpenSSL judges a signature and takes the mail around it as it comes. Here
 * the text, the signed time and digest and the signature's value are taken out
 * of the file, all of it is written again from these and the certificate, and
 * has to be the same file, octet by octet; then the digest has to be the
 * text's, and the signature the certificate's. So each change of any octet is
 * seen.
 */
#ifndef TOUCHSTONE_LOG_VERIFY_H
#define TOUCHSTONE_LOG_VERIFY_H

#include "x509.h"

enum log_form { LOG_MULTIPART, LOG_OPAQUE };

/* What came of it. Zeroed it is empty. */
struct log_report {
	bool genuine;
	enum log_form form;
	char at[sizeof "20261121232601Z"]; /* as it was signed; UTC */
	struct buf text; /* the log: lines that end with LF; as far as it can
			    be read */
	struct buf why;  /* not genuine: what was changed, a line or several */
};

/*
 * file    borrowed
 * log     the log as it was before it was signed, to tell which line was
 *         changed; NULL: nobody has it
 */
void log_verify(struct bytes file, const struct x509 *by,
    const struct bytes *log, struct log_report *out);
void log_report_clear(struct log_report *report);

/* The parts of a signed log, and how it is written from them. */
struct log_parts {
	enum log_form form;
	char at[sizeof "20261121232601Z"];
	uint8_t digest[X509_SHA256_OCTETS];
	struct bytes text;      /* lines that end with LF */
	struct bytes signature; /* its value */
};
void log_write(
    const struct log_parts *parts, const struct x509 *by, struct buf *out);

/* The octets that are signed: time and digest. Appended. */
void log_signed_octets(const struct log_parts *parts, struct buf *out);

/* What the digest is of: the text as the first part of the mail. Appended. */
void log_entity(struct bytes text, struct buf *out);

#endif
