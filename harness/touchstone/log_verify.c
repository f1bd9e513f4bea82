#include "log_verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BASE64_OCTETS = 48, SHOWN_OCTETS = 60, DATE_OCTETS = 40 };

/* --- words ----------------------------------------------------------------
 * of docs/signed-logs.md
 */

static const char mail_head[] =
    "MIME-Version: 1.0\r\n"
    "Date: %s\r\n"
    "From: Log Signer <logsigner@appliance.invalid>\r\n"
    "Subject: Signed log\r\n";
static const char multipart_type[] = "Content-Type: multipart/signed;";
static const char multipart_head[] =
    "Content-Type: multipart/signed; micalg=sha-256;\r\n"
    "\tprotocol=\"application/pkcs7-signature\";\r\n"
    "\tboundary=\"%s\"\r\n"
    "\r\n"
    "This is an S/MIME signed message\r\n"
    "\r\n"
    "--%s\r\n";
static const char multipart_signature[] =
    "\r\n"
    "--%s\r\n"
    "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n"
    "\r\n";
static const char multipart_end[] = "\r\n--%s--\r\n";
static const char boundary_line[] = "\r\n--=_";
static const char opaque_head[] =
    "Content-Type: application/pkcs7-mime; smime-type=signed-data;\r\n"
    "\tname=\"smime.p7m\"\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n"
    "\r\n";
static const char entity_head[] = "Content-Type: text/plain; charset=utf-8\r\n"
				  "Content-Transfer-Encoding: 8bit\r\n"
				  "\r\n";

/* --- DER ------------------------------------------------------------------ */

enum {
	DER_INTEGER = 0x02,
	DER_OCTETS = 0x04,
	DER_OID = 0x06,
	DER_UTC_TIME = 0x17,
	DER_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT = 0xa0,
};

static const uint8_t oid_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1};
static const uint8_t oid_signed_data[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2};
static const uint8_t oid_content_type[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3};
static const uint8_t oid_digest[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4};
static const uint8_t oid_time[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 5};
/* AlgorithmIdentifiers, without their headers */
static const uint8_t sha256[] = {
    0x06, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 0x05, 0};
static const uint8_t rsa[] = {
    0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 0x05, 0};
static const uint8_t version_1[] = {DER_INTEGER, 1, 1};

#define OCTETS_OF(array) ((struct bytes){(array), sizeof(array)})

/* Takes a value off the front of *in. false: there is none of that tag. */
static bool
der_take(struct bytes *in, unsigned tag, struct bytes *content)
{
	size_t header = 2, octets, count;

	if (in->octets < 2 || in->at[0] != tag)
		return false;
	octets = in->at[1];
	if (octets >= 0x80) {
		count = octets - 0x80;
		if (count < 1 || count > 4 || in->octets - 2 < count)
			return false;
		octets = (size_t)bytes_number(in->at + 2, count);
		header += count;
	}
	if (in->octets - header < octets)
		return false;
	*content = (struct bytes){in->at + header, octets};
	in->at += header + octets;
	in->octets -= header + octets;
	return true;
}

static void
der_put(struct buf *out, unsigned tag, struct bytes content)
{
	uint8_t head[2 + 8] = {(uint8_t)tag, (uint8_t)content.octets};
	size_t count = 0;

	if (content.octets >= 0x80) {
		count = 1;
		while (count < 8 && content.octets >> 8 * count != 0)
			count++;
		head[1] = (uint8_t)(0x80 | count);
		bytes_put_number(head + 2, count, content.octets);
	}
	buf_put(out, (struct bytes){head, 2 + count});
	buf_put(out, content);
}

/* The same of what is in a buf, which is empty then. */
static void
der_wrap(struct buf *out, unsigned tag, struct buf *content)
{
	der_put(out, tag, buf_peek(content));
	buf_clear(content);
}

/* --- writing -------------------------------------------------------------- */

void
log_entity(struct bytes text, struct buf *out)
{
	buf_text(out, entity_head);
	while (text.octets > 0) {
		const uint8_t *end = memchr(text.at, '\n', text.octets);
		size_t octets =
		    end != NULL ? (size_t)(end - text.at) : text.octets;

		buf_put(out, (struct bytes){text.at, octets});
		if (end != NULL) {
			buf_text(out, "\r\n");
			octets++;
		}
		text.at += octets;
		text.octets -= octets;
	}
}

static void
put_attribute(
    struct buf *out, struct bytes oid, unsigned tag, struct bytes value)
{
	struct buf set = {0}, both = {0};

	der_put(&set, tag, value);
	der_put(&both, DER_OID, oid);
	der_wrap(&both, DER_SET, &set);
	der_wrap(out, DER_SEQUENCE, &both);
}

/* Two digits of the year until 2049, four from then on. */
static void
put_attributes(const struct log_parts *parts, struct buf *out)
{
	bool is_old = strncmp(parts->at, "2050", 4) < 0;

	put_attribute(
	    out, OCTETS_OF(oid_content_type), DER_OID, OCTETS_OF(oid_data));
	put_attribute(out, OCTETS_OF(oid_time),
	    is_old ? DER_UTC_TIME : DER_TIME,
	    bytes_of_text(parts->at + (is_old ? 2 : 0)));
	put_attribute(
	    out, OCTETS_OF(oid_digest), DER_OCTETS, OCTETS_OF(parts->digest));
}

void
log_signed_octets(const struct log_parts *parts, struct buf *out)
{
	struct buf all = {0};

	put_attributes(parts, &all);
	der_wrap(out, DER_SET, &all);
}

static void
put_signer(
    const struct log_parts *parts, const struct x509 *by, struct buf *out)
{
	struct buf all = {0}, part = {0};

	buf_put(&all, OCTETS_OF(version_1));
	buf_put(&part, buf_peek(&by->issuer));
	buf_put(&part, buf_peek(&by->serial));
	der_wrap(&all, DER_SEQUENCE, &part);
	der_put(&all, DER_SEQUENCE, OCTETS_OF(sha256));
	put_attributes(parts, &part);
	der_wrap(&all, DER_CONTEXT, &part);
	der_put(&all, DER_SEQUENCE, OCTETS_OF(rsa));
	der_put(&all, DER_OCTETS, parts->signature);
	der_wrap(out, DER_SEQUENCE, &all);
}

static void
put_content(const struct log_parts *parts, struct buf *out)
{
	struct buf all = {0}, entity = {0}, value = {0};

	der_put(&all, DER_OID, OCTETS_OF(oid_data));
	if (parts->form == LOG_OPAQUE) {
		log_entity(parts->text, &entity);
		der_wrap(&value, DER_OCTETS, &entity);
		der_wrap(&all, DER_CONTEXT, &value);
	}
	der_wrap(out, DER_SEQUENCE, &all);
}

static void
put_signed_data(
    const struct log_parts *parts, const struct x509 *by, struct buf *out)
{
	struct buf all = {0}, part = {0};

	buf_put(&all, OCTETS_OF(version_1));
	der_put(&part, DER_SEQUENCE, OCTETS_OF(sha256));
	der_wrap(&all, DER_SET, &part);
	put_content(parts, &all);
	der_put(&all, DER_CONTEXT, buf_peek(&by->certificate));
	put_signer(parts, by, &part);
	der_wrap(&all, DER_SET, &part);
	der_wrap(&part, DER_SEQUENCE, &all);
	der_put(&all, DER_OID, OCTETS_OF(oid_signed_data));
	der_wrap(&all, DER_CONTEXT, &part);
	der_wrap(out, DER_SEQUENCE, &all);
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void
put_base64(struct bytes in, struct buf *out)
{
	for (size_t i = 0; i < in.octets; i += 3) {
		size_t left = in.octets - i;
		uint32_t v = (uint32_t)in.at[i] << 16;
		char four[5] = "====";

		v |= left > 1 ? (uint32_t)in.at[i + 1] << 8 : 0;
		v |= left > 2 ? in.at[i + 2] : 0;
		for (size_t k = 0; k < (left < 3 ? left + 1 : 4); k++)
			four[k] = base64_digits[v >> (18 - 6 * k) & 63];
		buf_text(out, four);
		if ((i + 3) % BASE64_OCTETS == 0 || left <= 3)
			buf_text(out, "\r\n");
	}
}

/* As mails have it. false: there is no such time. */
static bool
mail_date(const char *at, char out[DATE_OCTETS])
{
	static const char *const days[] = {
	    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm tm = {0};
	time_t t;

	if (sscanf(at, "%4d%2d%2d%2d%2d%2d", &tm.tm_year, &tm.tm_mon,
		&tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	t = timegm(&tm);
	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < 0 || tm.tm_year > 8099)
		return false;
	snprintf(out, DATE_OCTETS, "%s, %d %s %d %02d:%02d:%02d +0000",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
	return true;
}

void
log_write(const struct log_parts *parts, const struct x509 *by, struct buf *out)
{
	char date[DATE_OCTETS] = "", boundary[] = "=_0123456789abcdef"
						  "0123456789abcdef";
	struct buf der = {0};

	for (size_t i = 0; i < 16; i++)
		snprintf(boundary + 2 + 2 * i, 3, "%02x", parts->digest[i]);
	(void)mail_date(parts->at, date);
	buf_printf(out, mail_head, date);
	put_signed_data(parts, by, &der);
	if (parts->form == LOG_MULTIPART) {
		buf_printf(out, multipart_head, boundary, boundary);
		log_entity(parts->text, out);
		buf_printf(out, multipart_signature, boundary);
		put_base64(buf_peek(&der), out);
		buf_printf(out, multipart_end, boundary);
	} else {
		buf_text(out, opaque_head);
		put_base64(buf_peek(&der), out);
	}
	buf_clear(&der);
}

/* --- reading -------------------------------------------------------------- */

struct reading {
	struct log_report *report;
	struct log_parts parts;
	struct bytes shown; /* multipart: the first part as it stands */
	struct buf der;
	struct bytes certificate; /* the one in it */
};

/* Where `what` stands first behind `from`; in.octets: nowhere. */
static size_t
find(struct bytes in, size_t from, const char *what)
{
	const uint8_t *at =
	    from < in.octets
		? memmem(in.at + from, in.octets - from, what, strlen(what))
		: NULL;

	return at != NULL ? (size_t)(at - in.at) : in.octets;
}

/* The last before `end`. */
static size_t
find_last(struct bytes in, size_t end, const char *what)
{
	size_t octets = strlen(what);

	for (size_t i = end; i >= octets; i--)
		if (memcmp(in.at + i - octets, what, octets) == 0)
			return i - octets;
	return in.octets;
}

/* All of it, ends of lines left out. false: it is none. */
static bool
take_base64(struct bytes in, struct buf *out)
{
	uint32_t v = 0;
	size_t digits = 0, padding = 0;

	for (size_t i = 0; i < in.octets; i++) {
		const char *digit = NULL;

		if (in.at[i] == '\r' || in.at[i] == '\n')
			continue;
		if (in.at[i] == '=')
			padding++;
		else if (in.at[i] != '\0' && padding == 0)
			digit = strchr(base64_digits, in.at[i]);
		if ((digit == NULL && in.at[i] != '=') || padding > 2)
			return false;
		v = v << 6 |
		    (digit != NULL ? (uint32_t)(digit - base64_digits) : 0);
		if (++digits % 4 == 0) {
			uint8_t three[] = {
			    (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

			buf_put(out, (struct bytes){three, 3 - padding});
		}
	}
	return digits % 4 == 0;
}

/* The value of an attribute that is there once. */
static bool
take_attribute(
    struct bytes *in, struct bytes oid, unsigned tag, struct bytes *value)
{
	struct bytes both, name, set;

	return der_take(in, DER_SEQUENCE, &both) &&
	       der_take(&both, DER_OID, &name) && bytes_equal(name, oid) &&
	       der_take(&both, DER_SET, &set) && der_take(&set, tag, value) &&
	       both.octets == 0 && set.octets == 0;
}

static bool
take_time(struct bytes *in, struct log_parts *parts)
{
	char date[DATE_OCTETS];
	struct bytes value, before = *in;
	bool is_old =
	    take_attribute(in, OCTETS_OF(oid_time), DER_UTC_TIME, &value);

	if (!is_old) {
		*in = before;
		if (!take_attribute(in, OCTETS_OF(oid_time), DER_TIME, &value))
			return false;
	}
	if (value.octets != strlen("20261121232601Z") - (is_old ? 2 : 0))
		return false;
	snprintf(parts->at, sizeof parts->at, "%s%.*s",
	    !is_old              ? ""
	    : value.at[0] >= '5' ? "19"
				 : "20",
	    (int)value.octets, (const char *)value.at);
	for (size_t i = 0; i < 14; i++)
		if (parts->at[i] < '0' || parts->at[i] > '9')
			return false;
	return parts->at[14] == 'Z' && mail_date(parts->at, date);
}

static bool
take_signer(struct bytes in, struct log_parts *parts)
{
	struct bytes signer, attributes, value;

	if (!der_take(&in, DER_SEQUENCE, &signer) ||
	    !der_take(&signer, DER_INTEGER, &value) ||
	    !der_take(&signer, DER_SEQUENCE, &value) ||
	    !der_take(&signer, DER_SEQUENCE, &value) ||
	    !der_take(&signer, DER_CONTEXT, &attributes) ||
	    !der_take(&signer, DER_SEQUENCE, &value) ||
	    !der_take(&signer, DER_OCTETS, &parts->signature))
		return false;
	if (!take_attribute(
		&attributes, OCTETS_OF(oid_content_type), DER_OID, &value) ||
	    !take_time(&attributes, parts) ||
	    !take_attribute(
		&attributes, OCTETS_OF(oid_digest), DER_OCTETS, &value) ||
	    value.octets != sizeof parts->digest)
		return false;
	memcpy(parts->digest, value.at, value.octets);
	return true;
}

static bool
take_signed_data(struct reading *r)
{
	struct bytes in = buf_peek(&r->der), all, part, content, value;

	if (!der_take(&in, DER_SEQUENCE, &all) ||
	    !der_take(&all, DER_OID, &value) ||
	    !der_take(&all, DER_CONTEXT, &part) ||
	    !der_take(&part, DER_SEQUENCE, &all) ||
	    !der_take(&all, DER_INTEGER, &value) ||
	    !der_take(&all, DER_SET, &value) ||
	    !der_take(&all, DER_SEQUENCE, &content) ||
	    !der_take(&all, DER_CONTEXT, &r->certificate) ||
	    !der_take(&all, DER_SET, &part) || !take_signer(part, &r->parts))
		return false;
	if (r->parts.form == LOG_MULTIPART)
		return true;
	return der_take(&content, DER_OID, &value) &&
	       der_take(&content, DER_CONTEXT, &value) &&
	       der_take(&value, DER_OCTETS, &r->shown);
}

/* The log out of the first part: what its head and its ends of lines are. */
static bool
take_text(struct reading *r)
{
	struct buf *text = &r->report->text;
	size_t head = strlen(entity_head);
	struct bytes in = r->shown;

	if (in.octets < head || memcmp(in.at, entity_head, head) != 0)
		return false;
	for (size_t i = head; i < in.octets; i++)
		if (in.at[i] != '\r' || i + 1 == in.octets ||
		    in.at[i + 1] != '\n')
			buf_put(text, (struct bytes){in.at + i, 1});
	r->parts.text = buf_peek(text);
	return true;
}

static void
why(struct reading *r, const char *text)
{
	buf_text(&r->report->why, text);
	buf_text(&r->report->why, "\n");
}

/* false: it cannot be told apart any more; `why` says where. */
static bool
take_apart(struct reading *r, struct bytes file)
{
	size_t type = find(file, 0, multipart_type);
	size_t end = file.octets, body = find(file, 0, "\r\n\r\n"), sign;

	r->parts.form = type < body ? LOG_MULTIPART : LOG_OPAQUE;
	r->report->form = r->parts.form;
	body += strlen("\r\n\r\n");
	if (r->parts.form == LOG_MULTIPART) {
		size_t from = find(file, 0, entity_head);

		end = find_last(file, file.octets, boundary_line);
		sign = end < file.octets ? find_last(file, end, boundary_line)
					 : file.octets;
		if (from > sign || sign == file.octets) {
			why(r, "its parts cannot be found");
			return false;
		}
		r->shown = (struct bytes){file.at + from, sign - from};
		body = find(file, sign, "\r\n\r\n") + strlen("\r\n\r\n");
	}
	if (body > end ||
	    !take_base64((struct bytes){file.at + body, end - body}, &r->der)) {
		why(r, "the signature is no base64");
		return false;
	}
	if (!take_signed_data(r)) {
		why(r, "the signature cannot be read");
		return false;
	}
	if (!take_text(r)) {
		why(r, "the first part does not begin as a log's does");
		return false;
	}
	return true;
}

/* --- judging -------------------------------------------------------------- */

/* A line for a person: what is not printing ASCII as \xHH. */
static void
put_line(struct buf *out, struct bytes line)
{
	buf_text(out, "\"");
	for (size_t i = 0; i < line.octets && i < SHOWN_OCTETS; i++)
		if (line.at[i] < 0x20 || line.at[i] >= 0x7f)
			buf_printf(out, "\\x%02x", line.at[i]);
		else
			buf_printf(out, "%c", line.at[i]);
	buf_text(out, line.octets > SHOWN_OCTETS ? "\"..." : "\"");
}

static struct bytes
line_at(struct bytes in, size_t from)
{
	const uint8_t *end = from < in.octets
				 ? memchr(in.at + from, '\n', in.octets - from)
				 : NULL;

	if (from >= in.octets)
		return BYTES_NONE;
	return (struct bytes){in.at + from,
	    end != NULL ? (size_t)(end - in.at) - from : in.octets - from};
}

/* The first line in which two differ. false: in none. */
static bool
tell_difference(
    struct buf *out, const char *of, struct bytes want, struct bytes got)
{
	size_t line = 1, from = 0, i = 0;

	while (i < want.octets && i < got.octets && want.at[i] == got.at[i])
		if (want.at[i++] == '\n') {
			line++;
			from = i;
		}
	if (i == want.octets && i == got.octets)
		return false;
	buf_printf(out, "line %zu %s: expected ", line, of);
	put_line(out, line_at(want, from));
	buf_text(out, ", got ");
	put_line(out, line_at(got, from));
	buf_text(out, "\n");
	return true;
}

/* Without the log only what can be no line of any is known to be changed. */
static bool
tell_impossible(struct reading *r)
{
	struct bytes in = r->parts.text;
	size_t line = 1, bad = in.octets;

	(void)bytes_is_utf8(in, &bad);
	for (size_t i = 0; i < in.octets; i++) {
		if (in.at[i] == '\n')
			line++;
		if ((in.at[i] < 0x20 && in.at[i] != '\n') || i == bad) {
			buf_printf(&r->report->why,
			    "line %zu of the log has an octet that no log "
			    "has: \\x%02x\n",
			    line, in.at[i]);
			return true;
		}
	}
	return false;
}

static void
tell_text(struct reading *r, const struct bytes *log)
{
	why(r, "the text was changed: its digest is not the signed one");
	if (log != NULL &&
	    tell_difference(&r->report->why, "of the log", *log, r->parts.text))
		return;
	if (!tell_impossible(r))
		why(r, log != NULL
			   ? "the log that was given has the same change"
			   : "which line, only the log itself can tell: --log");
}

static bool
is_signed(const struct reading *r, const struct x509 *by, const uint8_t *digest)
{
	struct log_parts parts = r->parts;
	struct buf octets = {0};
	bool good;

	memcpy(parts.digest, digest, sizeof parts.digest);
	log_signed_octets(&parts, &octets);
	good = x509_has_signed(by, buf_peek(&octets), parts.signature);
	buf_clear(&octets);
	return good;
}

static bool
is_by_another(struct reading *r, const struct x509 *by)
{
	struct buf *out = &r->report->why;

	if (bytes_equal(r->certificate, buf_peek(&by->certificate)))
		return false;
	why(r, "the certificate in it is not the one that was given");
	buf_text(out, "in it: ");
	x509_thumbprints(r->certificate, out);
	buf_text(out, "\ngiven: ");
	x509_thumbprints(buf_peek(&by->certificate), out);
	buf_text(out, "\n");
	return true;
}

static void
judge(struct reading *r, struct bytes file, const struct x509 *by,
    const struct bytes *log)
{
	struct buf entity = {0}, again = {0};
	uint8_t digest[X509_SHA256_OCTETS];
	bool same_text, same_file;

	log_entity(r->parts.text, &entity);
	x509_sha256(buf_peek(&entity), digest);
	same_text = memcmp(digest, r->parts.digest, sizeof digest) == 0;
	log_write(&r->parts, by, &again);
	same_file = bytes_equal(buf_peek(&again), file);
	if (!is_signed(r, by, r->parts.digest)) {
		if (!same_text && is_signed(r, by, digest))
			why(r, "the digest in the signature was changed");
		else
			why(r, "the signature is not this certificate's: its "
			       "value, time or digest was changed");
	} else if (!same_text) {
		tell_text(r, log);
	}
	if (!same_file)
		(void)tell_difference(
		    &r->report->why, "of the file", buf_peek(&again), file);
	if (r->report->why.octets == 0 && log != NULL)
		(void)tell_difference(&r->report->why,
		    "of the log that was given", *log, r->parts.text);
	buf_clear(&entity);
	buf_clear(&again);
}

void
log_verify(struct bytes file, const struct x509 *by, const struct bytes *log,
    struct log_report *out)
{
	struct reading r = {.report = out};

	if (take_apart(&r, file) && !is_by_another(&r, by))
		judge(&r, file, by, log);
	memcpy(out->at, r.parts.at, sizeof out->at);
	out->genuine = out->why.octets == 0;
	buf_clear(&r.der);
}

void
log_report_clear(struct log_report *report)
{
	buf_clear(&report->text);
	buf_clear(&report->why);
}
