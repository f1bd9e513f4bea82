#include <stdlib.h>
#include <string.h>

#include "crypto/ossl.h"
#include "crypto/pki.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return ossl_init() == OK ? 0 : -1;
}

/* What is read has text to be shown, in one line of ASCII. */
static void
look(enum pki_pem kind, struct bytes der)
{
	struct pki_facts facts;
	struct arena *a;
	const char *why;
	const char *c;

	if (arena_new(4 << 20, &a) != OK)
		abort();
	if ((kind == PKI_CERTIFICATE || kind == PKI_REQUEST) &&
	    pki_facts(kind, der, a, &facts) == OK) {
		for (c = facts.subject; *c != '\0'; c++)
			if (*c < ' ' || *c > '~')
				abort();
		if (pki_is_ca(der, &why) == ERR_FIELD && why == NULL)
			abort();
		if (pki_same_key(kind, der, kind, der) == OK &&
		    facts.key_bits == 0)
			abort();
		(void)!pki_signed_by(der, der);
	}
	arena_free(a);
}

/* What is read of a text can be written, and read again. */
static void
read_text(enum pki_pem kind, struct bytes text)
{
	struct buf der, again, pem;
	const char *why;

	buf_init(&der, PKI_TEXT_MAX_OCTETS);
	buf_init(&again, PKI_TEXT_MAX_OCTETS);
	buf_init(&pem, 2 * PKI_TEXT_MAX_OCTETS);
	if (pki_pem_read(kind, text, &der, &why) == OK) {
		if (pki_pem_write(kind, buf_peek(&der), &pem) != OK)
			abort();
		if (pem.octets <= PKI_TEXT_MAX_OCTETS && der.octets != 0 &&
		    (pki_pem_read(kind, buf_peek(&pem), &again, &why) != OK ||
			!bytes_equal(buf_peek(&der), buf_peek(&again))))
			abort();
		look(kind, buf_peek(&der));
	} else if (why == NULL) {
		abort();
	}
	buf_clear(&der);
	buf_clear(&again);
	buf_clear(&pem);
}

/* The first octet says what the others are. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data + 1, size - 1};
	struct secret *key = NULL;
	struct buf der;
	const char *why;

	if (size == 0)
		return 0;
	switch (data[0] % 6) {
	case 0:
		look(PKI_CERTIFICATE, in);
		break;
	case 1:
		look(PKI_REQUEST, in);
		break;
	case 2:
		read_text(PKI_CERTIFICATE, in);
		break;
	case 3:
		read_text(PKI_REQUEST, in);
		break;
	case 4:
		read_text(PKI_RSA_PRIVATE, in);
		break;
	default:
		buf_init(&der, PKI_TEXT_MAX_OCTETS);
		if (pki_import(in, bytes_of_text("x"), 2048, &der, &key,
			&why) == ERR_FIELD &&
		    why == NULL)
			abort();
		secret_free(key);
		buf_clear(&der);
	}
	return 0;
}
