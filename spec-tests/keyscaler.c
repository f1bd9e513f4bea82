/*
 * keyscaler: what the KeyScaler guide's application does with an HSM, against
 * any PKCS#11 module. Linked with nothing of the project.
 *
 *	keyscaler --module FILE [--slot N] [--partition-name NAME]
 *		--password-file FILE [--role co|cu] [COMMAND ...]
 *
 * It opens the partition as the guide's wizard is told to: by slot number, by
 * partition name, or by both, which then have to be of one partition; and logs
 * in with the first line of the password file. Without a command, each line of
 * standard input is one, until its end: an application that runs on.
 *
 *	setup               make the master key, and the private CA's key pair
 *	tenant NAME         make a key pair for a tenant
 *	list                the objects: class, label
 *	seal IN OUT         encrypt a file with the master key
 *	open IN OUT         decrypt it
 *	ca OUT              the private CA's certificate
 *	certify NAME KEY OUT  a certificate of that name, for the public key in
 *	                    a file (SubjectPublicKeyInfo)
 *	sign LABEL IN OUT   sign a file with a private key, PKCS #1, SHA-256
 *	public LABEL OUT    its public key, as SubjectPublicKeyInfo
 *	known KEY IV IN OUT  encrypt with a key that is brought along (AES-CBC,
 *	                    hexadecimal digits)
 *	guard               try to read the secrets, or to make them readable
 *	rename LABEL LABEL  change an object's label and identifier
 *	destroy LABEL       all objects of that label
 *	flags               of the token: CKF_...
 *	work N              so often: encrypt and decrypt, sign and verify
 *
 * Files have DER, or octets. Each command prints "ok", and what it has to say,
 * or "error", with the function of PKCS#11 and what it returned. Exit status:
 * 0, 1 if a command failed or the partition was not opened, 2 wrong usage.
 *
 * Source: PKCS#11 2.40; RFC 5280
 */
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/pkcs11.h>

#define MASTER    "kms-master"
#define CA        "kms-ca"
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

enum {
	FILE_OCTETS = 65536,
	IV_OCTETS = 12,
	TAG_BITS = 128,
	TAG_OCTETS = TAG_BITS / 8,
	WORDS_MAX = 8,
	LINE_OCTETS = 4096,
	MODULUS_BITS = 2048,
	SLOTS_MAX = 64,
	FOUND_MAX = 256,
	CKU_LIMITED = 0x80000001, /* the vendor's Crypto User */
};

struct octets {
	unsigned char at[FILE_OCTETS];
	size_t count;
};

static CK_FUNCTION_LIST *p11;
static CK_SLOT_ID slot;
static CK_SESSION_HANDLE session;

/* ---- what went wrong ---- */

static const char *
rv_name(CK_RV rv)
{
	static const struct {
		CK_RV rv;
		const char *name;
	} names[] = {
#define NAME(rv) {rv, #rv}
	    NAME(CKR_OK),
	    NAME(CKR_SLOT_ID_INVALID),
	    NAME(CKR_ARGUMENTS_BAD),
	    NAME(CKR_ATTRIBUTE_READ_ONLY),
	    NAME(CKR_ATTRIBUTE_SENSITIVE),
	    NAME(CKR_DATA_LEN_RANGE),
	    NAME(CKR_DEVICE_ERROR),
	    NAME(CKR_DEVICE_MEMORY),
	    NAME(CKR_DEVICE_REMOVED),
	    NAME(CKR_ENCRYPTED_DATA_INVALID),
	    NAME(CKR_KEY_UNEXTRACTABLE),
	    NAME(CKR_MECHANISM_INVALID),
	    NAME(CKR_OBJECT_HANDLE_INVALID),
	    NAME(CKR_KEY_HANDLE_INVALID),
	    NAME(CKR_KEY_NOT_WRAPPABLE),
	    NAME(CKR_PIN_INCORRECT),
	    NAME(CKR_PIN_EXPIRED),
	    NAME(CKR_PIN_LOCKED),
	    NAME(CKR_SESSION_HANDLE_INVALID),
	    NAME(CKR_SESSION_READ_ONLY),
	    NAME(CKR_TOKEN_NOT_PRESENT),
	    NAME(CKR_TOKEN_NOT_RECOGNIZED),
	    NAME(CKR_USER_NOT_LOGGED_IN),
	    NAME(CKR_USER_PIN_NOT_INITIALIZED),
	    NAME(CKR_USER_TYPE_INVALID),
	    NAME(CKR_ACTION_PROHIBITED),
	    NAME(CKR_FUNCTION_FAILED),
#undef NAME
	};
	static char number[32];
	size_t k;

	for (k = 0; k < LENGTH(names); k++) {
		if (names[k].rv == rv)
			return names[k].name;
	}
	(void)snprintf(number, sizeof(number), "0x%lx", rv);
	return number;
}

static bool __attribute__((format(printf, 1, 2)))
failed(const char *format, ...)
{
	va_list args;

	(void)fputs("error ", stdout);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)putchar('\n');
	return false;
}

/* A call, and whether it went well; if not, that is said. */
#define WENT(function, args) went(#function, p11->function args)

static bool
went(const char *function, CK_RV rv)
{
	return rv == CKR_OK || failed("%s: %s", function, rv_name(rv));
}

/* ---- files ---- */

static bool
read_file(const char *name, struct octets *out)
{
	FILE *f = fopen(name, "rb");
	bool whole = false;

	if (f != NULL) {
		out->count = fread(out->at, 1, sizeof(out->at), f);
		whole = ferror(f) == 0 && out->count < sizeof(out->at);
		(void)fclose(f);
	}
	return whole || failed("%s: cannot be read, or is too long", name);
}

static bool
write_file(const char *name, const void *at, size_t count)
{
	FILE *f = fopen(name, "wb");
	bool whole = false;

	if (f != NULL) {
		whole = fwrite(at, 1, count, f) == count;
		whole = fclose(f) == 0 && whole;
	}
	return whole || failed("%s: cannot be written", name);
}

/* ---- the partition ---- */

/* Blank-padded, as PKCS#11 has labels. */
static bool
has_label(const CK_TOKEN_INFO *info, const char *name)
{
	char padded[sizeof(info->label)];
	size_t count = strlen(name);

	if (count > sizeof(padded))
		return false;
	memset(padded, ' ', sizeof(padded));
	memcpy(padded, name, count);
	return memcmp(padded, info->label, sizeof(padded)) == 0;
}

/* The slot whose token has that label: exactly one. */
static bool
find_slot(const char *name)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;
	CK_TOKEN_INFO info;
	unsigned found = 0;
	CK_ULONG k;

	if (!WENT(C_GetSlotList, (CK_TRUE, slots, &count)))
		return false;
	for (k = 0; k < count; k++) {
		if (p11->C_GetTokenInfo(slots[k], &info) != CKR_OK ||
		    !has_label(&info, name))
			continue;
		slot = slots[k];
		found++;
	}
	return found == 1 || failed("%u partitions are called %s", found, name);
}

static bool
choose_slot(const char *number, const char *name)
{
	CK_TOKEN_INFO info;
	char *end;

	if (number == NULL)
		return find_slot(name);
	slot = strtoul(number, &end, 10);
	if (*number == '\0' || *end != '\0')
		return failed("%s is no slot number", number);
	if (!WENT(C_GetTokenInfo, (slot, &info)))
		return false;
	return name == NULL || has_label(&info, name) ||
	       failed(
		   "the partition in slot %s is not called %s", number, name);
}

static bool
log_in(const char *password_file, CK_USER_TYPE user)
{
	static struct octets password;

	if (!read_file(password_file, &password))
		return false;
	password.count = 0;
	while (password.at[password.count] != '\n' &&
	       password.at[password.count] != '\0')
		password.count++;
	return WENT(
	    C_Login, (session, user, password.at, (CK_ULONG)password.count));
}

/* ---- objects ---- */

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
#define YES(type)                       \
	{                               \
		type, &yes, sizeof(yes) \
	}
#define NO(type)                      \
	{                             \
		type, &no, sizeof(no) \
	}

static CK_ATTRIBUTE
text_attribute(CK_ATTRIBUTE_TYPE type, const char *text)
{
	return (CK_ATTRIBUTE){
	    type, (void *)(size_t)text, (CK_ULONG)strlen(text)};
}

/* Those of a class and a label; NULL, any. */
static bool
find(const CK_OBJECT_CLASS *class, const char *label, CK_OBJECT_HANDLE *out,
    CK_ULONG *count)
{
	CK_ATTRIBUTE template[2];
	CK_OBJECT_CLASS wanted = class != NULL ? *class : 0;
	CK_ULONG n = 0;

	if (class != NULL)
		template[n++] =
		    (CK_ATTRIBUTE){CKA_CLASS, &wanted, sizeof(wanted)};
	if (label != NULL)
		template[n++] = text_attribute(CKA_LABEL, label);
	return WENT(C_FindObjectsInit, (session, template, n)) &&
	       WENT(C_FindObjects, (session, out, FOUND_MAX, count)) &&
	       WENT(C_FindObjectsFinal, (session));
}

static bool
find_one(CK_OBJECT_CLASS class, const char *label, CK_OBJECT_HANDLE *out)
{
	CK_OBJECT_HANDLE found[FOUND_MAX];
	CK_ULONG count = 0;

	if (!find(&class, label, found, &count))
		return false;
	*out = found[0];
	return count == 1 || failed("%lu keys are called %s", count, label);
}

static bool
is_new(const char *label)
{
	CK_OBJECT_HANDLE found[FOUND_MAX];
	CK_ULONG count = 0;

	return find(NULL, label, found, &count) &&
	       (count == 0 || failed("%s is there already", label));
}

static bool
make_pair(const char *label)
{
	CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_ULONG bits = MODULUS_BITS;
	CK_BYTE exponent[] = {1, 0, 1};
	CK_ATTRIBUTE public[] = {
	    YES(CKA_TOKEN),
	    YES(CKA_VERIFY),
	    {CKA_MODULUS_BITS, &bits, sizeof(bits)},
	    {CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)},
	    text_attribute(CKA_LABEL, label),
	    text_attribute(CKA_ID, label),
	};
	CK_ATTRIBUTE private[] = {
	    YES(CKA_TOKEN),
	    YES(CKA_PRIVATE),
	    YES(CKA_SENSITIVE),
	    NO(CKA_EXTRACTABLE),
	    YES(CKA_SIGN),
	    text_attribute(CKA_LABEL, label),
	    text_attribute(CKA_ID, label),
	};
	CK_OBJECT_HANDLE made[2];

	return is_new(label) &&
	       WENT(C_GenerateKeyPair,
		   (session, &mechanism, public, LENGTH(public), private,
		       LENGTH(private), &made[0], &made[1]));
}

static bool
make_master(void)
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ULONG octets = 32;
	CK_ATTRIBUTE template[] = {
	    YES(CKA_TOKEN),
	    YES(CKA_PRIVATE),
	    YES(CKA_SENSITIVE),
	    NO(CKA_EXTRACTABLE),
	    YES(CKA_ENCRYPT),
	    YES(CKA_DECRYPT),
	    {CKA_VALUE_LEN, &octets, sizeof(octets)},
	    text_attribute(CKA_LABEL, MASTER),
	};
	CK_OBJECT_HANDLE made;

	return is_new(MASTER) &&
	       WENT(C_GenerateKey,
		   (session, &mechanism, template, LENGTH(template), &made));
}

static bool
run_setup(char **words)
{
	(void)words;
	return make_master() && make_pair(CA);
}

static bool
run_tenant(char **words)
{
	return make_pair(words[1]);
}

static bool
run_list(char **words)
{
	static const struct {
		CK_OBJECT_CLASS class;
		const char *name;
	} classes[] = {
	    {CKO_SECRET_KEY, "secret"},
	    {CKO_PUBLIC_KEY, "public"},
	    {CKO_PRIVATE_KEY, "private"},
	};
	CK_OBJECT_HANDLE found[FOUND_MAX];
	CK_ULONG count = 0;
	CK_ULONG k;
	size_t n;

	(void)words;
	if (!find(NULL, NULL, found, &count))
		return false;
	for (k = 0; k < count; k++) {
		CK_OBJECT_CLASS class = CKO_DATA;
		char label[64];
		CK_ATTRIBUTE got[] = {
		    {CKA_CLASS, &class, sizeof(class)},
		    {CKA_LABEL, label, sizeof(label)},
		};

		if (!WENT(C_GetAttributeValue, (session, found[k], got, 2)))
			return false;
		for (n = 0; n < LENGTH(classes); n++) {
			if (classes[n].class == class)
				printf("%s %.*s\n", classes[n].name,
				    (int)got[1].ulValueLen, label);
		}
	}
	return true;
}

static bool
run_rename(char **words)
{
	CK_OBJECT_HANDLE found[FOUND_MAX];
	CK_ULONG count = 0;
	CK_ULONG k;
	CK_ATTRIBUTE to[] = {
	    text_attribute(CKA_LABEL, words[2]),
	    text_attribute(CKA_ID, words[2]),
	};

	if (!find(NULL, words[1], found, &count))
		return false;
	for (k = 0; k < count; k++) {
		if (!WENT(C_SetAttributeValue, (session, found[k], to, 2)))
			return false;
	}
	return count != 0 || failed("nothing is called %s", words[1]);
}

static bool
run_destroy(char **words)
{
	CK_OBJECT_HANDLE found[FOUND_MAX];
	CK_ULONG count = 0;
	CK_ULONG k;

	if (!find(NULL, words[1], found, &count))
		return false;
	for (k = 0; k < count; k++) {
		if (!WENT(C_DestroyObject, (session, found[k])))
			return false;
	}
	return count != 0 || failed("nothing is called %s", words[1]);
}

/* ---- encryption ---- */

static CK_GCM_PARAMS
gcm(unsigned char *iv)
{
	return (CK_GCM_PARAMS){
	    .pIv = iv,
	    .ulIvLen = IV_OCTETS,
	    .ulIvBits = IV_OCTETS * 8,
	    .ulTagBits = TAG_BITS,
	};
}

/* iv, and what comes of the octets behind it. */
static bool
seal(const struct octets *in, struct octets *out)
{
	CK_GCM_PARAMS params = gcm(out->at);
	CK_MECHANISM mechanism = {CKM_AES_GCM, &params, sizeof(params)};
	CK_ULONG count = sizeof(out->at) - IV_OCTETS;
	CK_OBJECT_HANDLE key;

	if (!find_one(CKO_SECRET_KEY, MASTER, &key) ||
	    !WENT(C_GenerateRandom, (session, out->at, IV_OCTETS)) ||
	    !WENT(C_EncryptInit, (session, &mechanism, key)) ||
	    !WENT(C_Encrypt, (session, (CK_BYTE_PTR)(size_t)in->at, in->count,
				 out->at + IV_OCTETS, &count)))
		return false;
	out->count = IV_OCTETS + count;
	return true;
}

static bool
open_sealed(struct octets *in, struct octets *out)
{
	CK_GCM_PARAMS params = gcm(in->at);
	CK_MECHANISM mechanism = {CKM_AES_GCM, &params, sizeof(params)};
	CK_ULONG count = sizeof(out->at);
	CK_OBJECT_HANDLE key;

	if (in->count < IV_OCTETS + TAG_OCTETS)
		return failed("too short to have been sealed");
	if (!find_one(CKO_SECRET_KEY, MASTER, &key) ||
	    !WENT(C_DecryptInit, (session, &mechanism, key)) ||
	    !WENT(C_Decrypt, (session, in->at + IV_OCTETS,
				 in->count - IV_OCTETS, out->at, &count)))
		return false;
	out->count = count;
	return true;
}

static bool
run_seal(char **words)
{
	static struct octets in, out;

	return read_file(words[1], &in) &&
	       (in.count <= sizeof(out.at) - IV_OCTETS - TAG_OCTETS ||
		   failed("%s: too long", words[1])) &&
	       seal(&in, &out) && write_file(words[2], out.at, out.count);
}

static bool
run_open(char **words)
{
	static struct octets in, out;

	return read_file(words[1], &in) && open_sealed(&in, &out) &&
	       write_file(words[2], out.at, out.count);
}

static bool
read_hex(const char *digits, unsigned char *out, size_t count)
{
	size_t k;
	int taken;

	for (k = 0; k < count; k++) {
		if (sscanf(digits + 2 * k, "%2hhx%n", &out[k], &taken) != 1 ||
		    taken != 2)
			return failed("%s: not so many octets", digits);
	}
	return digits[2 * count] == '\0' ||
	       failed("%s: more octets than that", digits);
}

static bool
run_known(char **words)
{
	static struct octets in, out;
	unsigned char value[32];
	unsigned char iv[16];
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_ATTRIBUTE template[] = {
	    {CKA_CLASS, &class, sizeof(class)},
	    {CKA_KEY_TYPE, &type, sizeof(type)},
	    {CKA_VALUE, value, sizeof(value)},
	    YES(CKA_ENCRYPT),
	};
	CK_MECHANISM mechanism = {CKM_AES_CBC_PAD, iv, sizeof(iv)};
	CK_ULONG count = sizeof(out.at);
	CK_OBJECT_HANDLE key;

	return read_hex(words[1], value, sizeof(value)) &&
	       read_hex(words[2], iv, sizeof(iv)) && read_file(words[3], &in) &&
	       WENT(C_CreateObject,
		   (session, template, LENGTH(template), &key)) &&
	       WENT(C_EncryptInit, (session, &mechanism, key)) &&
	       WENT(C_Encrypt, (session, in.at, in.count, out.at, &count)) &&
	       WENT(C_DestroyObject, (session, key)) &&
	       write_file(words[4], out.at, count);
}

/* ---- signatures ---- */

static bool
sign(const char *label, const unsigned char *at, size_t count,
    unsigned char *out, CK_ULONG *out_count)
{
	CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
	CK_OBJECT_HANDLE key;

	return find_one(CKO_PRIVATE_KEY, label, &key) &&
	       WENT(C_SignInit, (session, &mechanism, key)) &&
	       WENT(C_Sign, (session, (CK_BYTE_PTR)(size_t)at, (CK_ULONG)count,
				out, out_count));
}

static bool
run_sign(char **words)
{
	static struct octets in;
	unsigned char signature[MODULUS_BITS / 8];
	CK_ULONG count = sizeof(signature);

	return read_file(words[2], &in) &&
	       sign(words[1], in.at, in.count, signature, &count) &&
	       write_file(words[3], signature, count);
}

/* ---- DER ---- */

enum {
	DER_INTEGER = 0x02,
	DER_BITS = 0x03,
	DER_OCTETS = 0x04,
	DER_UTF8 = 0x0c,
	DER_UTC = 0x17,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_VERSION = 0xa0,
	DER_EXTENSIONS = 0xa3,
};

/* sha256WithRSAEncryption, rsaEncryption, both with their NULL; commonName;
 * basicConstraints, critical */
static const unsigned char sha256_rsa[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
    0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00};
static const unsigned char rsa[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
    0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
static const unsigned char common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
static const unsigned char constraints[] = {
    0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff};
static const unsigned char is_ca[] = {0x30, 0x03, 0x01, 0x01, 0xff};
static const unsigned char is_no_ca[] = {0x30, 0x00};

/* Certificates here are a few thousand octets; a file has room for them. */
static void
put(struct octets *der, const void *at, size_t count)
{
	if (count > sizeof(der->at) - der->count)
		abort();
	memcpy(der->at + der->count, at, count);
	der->count += count;
}

/* What is there from `from` on becomes the content of an item. */
static void
wrap(struct octets *der, size_t from, unsigned char tag)
{
	size_t count = der->count - from;
	unsigned char head[4] = {tag};
	size_t head_count = 2;

	if (count < 0x80) {
		head[1] = (unsigned char)count;
	} else if (count < 0x100) {
		head[1] = 0x81;
		head[2] = (unsigned char)count;
		head_count = 3;
	} else {
		head[1] = 0x82;
		head[2] = (unsigned char)(count >> 8);
		head[3] = (unsigned char)count;
		head_count = 4;
	}
	if (count > 0xffff || head_count > sizeof(der->at) - der->count)
		abort();
	memmove(der->at + from + head_count, der->at + from, count);
	memcpy(der->at + from, head, head_count);
	der->count += head_count;
}

static void
put_item(struct octets *der, unsigned char tag, const void *at, size_t count)
{
	size_t from = der->count;

	put(der, at, count);
	wrap(der, from, tag);
}

/* Big-endian and not negative. */
static void
put_number(struct octets *der, const unsigned char *at, size_t count)
{
	size_t from = der->count;

	while (count > 1 && *at == 0) {
		at++;
		count--;
	}
	if ((*at & 0x80) != 0)
		put(der, "", 1);
	put(der, at, count);
	wrap(der, from, DER_INTEGER);
}

static void
put_name(struct octets *der, const char *name)
{
	size_t from = der->count;

	put(der, common_name, sizeof(common_name));
	put_item(der, DER_UTF8, name, strlen(name));
	wrap(der, from, DER_SEQUENCE);
	wrap(der, from, DER_SET);
	wrap(der, from, DER_SEQUENCE);
}

/* SubjectPublicKeyInfo of a public key in the partition. */
static bool
put_public(struct octets *der, const char *label)
{
	unsigned char modulus[MODULUS_BITS / 8];
	unsigned char exponent[8];
	CK_ATTRIBUTE got[] = {
	    {CKA_MODULUS, modulus, sizeof(modulus)},
	    {CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)},
	};
	CK_OBJECT_HANDLE key;
	size_t from = der->count;
	size_t bits;

	if (!find_one(CKO_PUBLIC_KEY, label, &key) ||
	    !WENT(C_GetAttributeValue, (session, key, got, 2)))
		return false;
	put(der, rsa, sizeof(rsa));
	bits = der->count;
	put(der, "", 1); /* no unused bits */
	put_number(der, modulus, got[0].ulValueLen);
	put_number(der, exponent, got[1].ulValueLen);
	wrap(der, bits + 1, DER_SEQUENCE);
	wrap(der, bits, DER_BITS);
	wrap(der, from, DER_SEQUENCE);
	return true;
}

static void
put_constraints(struct octets *der, bool ca)
{
	size_t from = der->count;

	put(der, constraints, sizeof(constraints));
	put_item(der, DER_OCTETS, ca ? is_ca : is_no_ca,
	    ca ? sizeof(is_ca) : sizeof(is_no_ca));
	wrap(der, from, DER_SEQUENCE);
	wrap(der, from, DER_SEQUENCE);
	wrap(der, from, DER_EXTENSIONS);
}

/* All of a certificate but the public key and what follows it. */
static bool
begin_certificate(struct octets *der, const char *subject)
{
	static const unsigned char version_3[] = {DER_INTEGER, 1, 2};
	unsigned char serial[16];
	size_t from;

	if (!WENT(C_GenerateRandom, (session, serial, sizeof(serial))))
		return false;
	der->count = 0;
	put_item(der, DER_VERSION, version_3, sizeof(version_3));
	put_number(der, serial, sizeof(serial));
	put(der, sha256_rsa, sizeof(sha256_rsa));
	put_name(der, CA);
	from = der->count;
	put_item(der, DER_UTC, "200101000000Z", 13);
	put_item(der, DER_UTC, "491231235959Z", 13);
	wrap(der, from, DER_SEQUENCE);
	put_name(der, subject);
	return true;
}

static bool
end_certificate(struct octets *der, bool ca)
{
	unsigned char signature[1 + MODULUS_BITS / 8] = {0};
	CK_ULONG count = MODULUS_BITS / 8;

	put_constraints(der, ca);
	wrap(der, 0, DER_SEQUENCE);
	if (!sign(CA, der->at, der->count, signature + 1, &count))
		return false;
	put(der, sha256_rsa, sizeof(sha256_rsa));
	put_item(der, DER_BITS, signature, 1 + count);
	wrap(der, 0, DER_SEQUENCE);
	return true;
}

static bool
run_ca(char **words)
{
	static struct octets der;

	return begin_certificate(&der, CA) && put_public(&der, CA) &&
	       end_certificate(&der, true) &&
	       write_file(words[1], der.at, der.count);
}

static bool
run_certify(char **words)
{
	static struct octets der, key;

	if (!read_file(words[2], &key) || key.count > sizeof(der.at) / 2 ||
	    !begin_certificate(&der, words[1]))
		return false;
	put(&der, key.at, key.count);
	return end_certificate(&der, false) &&
	       write_file(words[3], der.at, der.count);
}

static bool
run_public(char **words)
{
	static struct octets der;

	der.count = 0;
	return put_public(&der, words[1]) &&
	       write_file(words[2], der.at, der.count);
}

/* ---- what must not be ---- */

/* Each attempt, and what came of it: none may be CKR_OK. */
static bool
attempt(const char *what, CK_RV rv)
{
	printf("%s: %s\n", what, rv_name(rv));
	return rv != CKR_OK;
}

static CK_RV
read_attribute(CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type)
{
	unsigned char value[MODULUS_BITS / 8];
	CK_ATTRIBUTE got = {type, value, sizeof(value)};

	return p11->C_GetAttributeValue(session, key, &got, 1);
}

static CK_RV
set_attribute(CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type, CK_BBOOL value)
{
	CK_ATTRIBUTE to = {type, &value, sizeof(value)};

	return p11->C_SetAttributeValue(session, key, &to, 1);
}

/* Under a key of the application's own, whose value it would know. */
static CK_RV
wrap_key(CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE how)
{
	CK_MECHANISM make = {CKM_AES_KEY_GEN, NULL, 0};
	CK_MECHANISM mechanism = {how, NULL, 0};
	CK_ULONG octets = 32;
	CK_ATTRIBUTE template[] = {
	    YES(CKA_WRAP),
	    NO(CKA_SENSITIVE),
	    YES(CKA_EXTRACTABLE),
	    {CKA_VALUE_LEN, &octets, sizeof(octets)},
	};
	unsigned char out[4096];
	CK_ULONG count = sizeof(out);
	CK_OBJECT_HANDLE own;
	CK_RV rv = p11->C_GenerateKey(
	    session, &make, template, LENGTH(template), &own);

	if (rv != CKR_OK)
		return rv;
	rv = p11->C_WrapKey(session, &mechanism, own, key, out, &count);
	(void)p11->C_DestroyObject(session, own);
	return rv;
}

static bool
run_guard(char **words)
{
	CK_OBJECT_HANDLE master, ca;
	bool kept = true;

	(void)words;
	if (!find_one(CKO_SECRET_KEY, MASTER, &master) ||
	    !find_one(CKO_PRIVATE_KEY, CA, &ca))
		return false;
	kept &=
	    attempt("read the master key", read_attribute(master, CKA_VALUE));
	kept &= attempt("read the private exponent",
	    read_attribute(ca, CKA_PRIVATE_EXPONENT));
	kept &= attempt("read a prime", read_attribute(ca, CKA_PRIME_1));
	kept &=
	    attempt("wrap the master key", wrap_key(master, CKM_AES_KEY_WRAP));
	kept &=
	    attempt("wrap the CA's key", wrap_key(ca, CKM_AES_KEY_WRAP_PAD));
	kept &= attempt("make it extractable",
	    set_attribute(master, CKA_EXTRACTABLE, CK_TRUE));
	kept &= attempt("make it less sensitive",
	    set_attribute(master, CKA_SENSITIVE, CK_FALSE));
	kept &= attempt("make the CA's key less sensitive",
	    set_attribute(ca, CKA_SENSITIVE, CK_FALSE));
	return kept || failed("a secret is not kept");
}

/* ---- the token, and load ---- */

static bool
run_flags(char **words)
{
	static const struct {
		CK_FLAGS flag;
		const char *name;
	} flags[] = {
#define FLAG(flag) {flag, #flag}
	    FLAG(CKF_RNG),
	    FLAG(CKF_LOGIN_REQUIRED),
	    FLAG(CKF_USER_PIN_INITIALIZED),
	    FLAG(CKF_RESTORE_KEY_NOT_NEEDED),
	    FLAG(CKF_PROTECTED_AUTHENTICATION_PATH),
	    FLAG(CKF_TOKEN_INITIALIZED),
#undef FLAG
	};
	CK_TOKEN_INFO info;
	size_t k;

	(void)words;
	if (!WENT(C_GetTokenInfo, (slot, &info)))
		return false;
	printf("manufacturer %.7s\n", info.manufacturerID);
	for (k = 0; k < LENGTH(flags); k++) {
		if ((info.flags & flags[k].flag) != 0)
			printf("%s\n", flags[k].name);
	}
	return true;
}

static bool
sign_and_verify(const struct octets *in)
{
	CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
	unsigned char signature[MODULUS_BITS / 8];
	CK_ULONG count = sizeof(signature);
	CK_OBJECT_HANDLE key;

	return sign(CA, in->at, in->count, signature, &count) &&
	       find_one(CKO_PUBLIC_KEY, CA, &key) &&
	       WENT(C_VerifyInit, (session, &mechanism, key)) &&
	       WENT(C_Verify, (session, (CK_BYTE_PTR)(size_t)in->at, in->count,
				  signature, count));
}

static bool
run_work(char **words)
{
	static struct octets in, sealed, out;
	unsigned long left = strtoul(words[1], NULL, 10);

	in.count = 256;
	for (; left != 0; left--) {
		if (!WENT(C_GenerateRandom, (session, in.at, in.count)) ||
		    !seal(&in, &sealed) || !open_sealed(&sealed, &out) ||
		    !sign_and_verify(&in))
			return false;
		if (out.count != in.count ||
		    memcmp(out.at, in.at, in.count) != 0)
			return failed("what was sealed is not what is opened");
	}
	return true;
}

/* ---- commands ---- */

static const struct {
	const char *name;
	int words; /* with its name */
	bool (*run)(char **words);
} commands[] = {
    {"setup", 1, run_setup},
    {"tenant", 2, run_tenant},
    {"list", 1, run_list},
    {"seal", 3, run_seal},
    {"open", 3, run_open},
    {"ca", 2, run_ca},
    {"certify", 4, run_certify},
    {"sign", 4, run_sign},
    {"public", 3, run_public},
    {"known", 5, run_known},
    {"guard", 1, run_guard},
    {"rename", 3, run_rename},
    {"destroy", 2, run_destroy},
    {"flags", 1, run_flags},
    {"work", 2, run_work},
};

static bool
run(int count, char **words)
{
	size_t k;
	bool done = false;

	for (k = 0; k < LENGTH(commands); k++) {
		if (strcmp(commands[k].name, words[0]) == 0 &&
		    commands[k].words == count)
			break;
	}
	if (k == LENGTH(commands))
		failed("%s: no such command", words[0]);
	else
		done = commands[k].run(words);
	if (done)
		puts("ok");
	(void)fflush(stdout);
	return done;
}

static bool
run_lines(void)
{
	char line[LINE_OCTETS];
	bool all = true;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		char *words[WORDS_MAX];
		char *rest = line;
		char *word;
		int count = 0;

		while ((word = strsep(&rest, " \n")) != NULL &&
		       count < WORDS_MAX) {
			if (*word != '\0')
				words[count++] = word;
		}
		if (count != 0)
			all &= run(count, words);
	}
	return all;
}

/* ---- the program ---- */

struct options {
	const char *module, *slot, *name, *password_file;
	CK_USER_TYPE user;
};

static void __attribute__((noreturn)) usage(void)
{
	(void)fputs("usage: keyscaler --module FILE [--slot N] "
		    "[--partition-name NAME]\n"
		    "       --password-file FILE [--role co|cu] "
		    "[COMMAND ...]\n",
	    stderr);
	exit(2);
}

static void
read_options(int argc, char **argv, struct options *out)
{
	static const struct option options[] = {
	    {"module", required_argument, NULL, 'm'},
	    {"slot", required_argument, NULL, 's'},
	    {"partition-name", required_argument, NULL, 'n'},
	    {"password-file", required_argument, NULL, 'p'},
	    {"role", required_argument, NULL, 'r'},
	    {NULL, 0, NULL, 0},
	};
	int got;

	*out = (struct options){.user = CKU_USER};
	while ((got = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (got == 'm')
			out->module = optarg;
		else if (got == 's')
			out->slot = optarg;
		else if (got == 'n')
			out->name = optarg;
		else if (got == 'p')
			out->password_file = optarg;
		else if (got == 'r' && strcmp(optarg, "cu") == 0)
			out->user = CKU_LIMITED;
		else if (got != 'r' || strcmp(optarg, "co") != 0)
			usage();
	}
	if (out->module == NULL || out->password_file == NULL ||
	    (out->slot == NULL && out->name == NULL))
		usage();
}

static bool
load(const char *module)
{
	void *library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
	CK_RV (*get)(CK_FUNCTION_LIST **) = NULL;

	if (library == NULL)
		return failed("%s", dlerror());
	*(void **)&get = dlsym(library, "C_GetFunctionList");
	if (get == NULL)
		return failed("%s is no PKCS#11 module", module);
	return went("C_GetFunctionList", get(&p11)) &&
	       WENT(C_Initialize, (NULL));
}

int
main(int argc, char **argv)
{
	struct options options;
	bool done;

	read_options(argc, argv, &options);
	if (!load(options.module))
		return 1;
	done = choose_slot(options.slot, options.name) &&
	       WENT(C_OpenSession, (slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
				       NULL, NULL, &session)) &&
	       log_in(options.password_file, options.user);
	if (done)
		done = optind < argc ? run(argc - optind, argv + optind)
				     : run_lines();
	(void)p11->C_Finalize(NULL);
	return done ? 0 : 1;
}
