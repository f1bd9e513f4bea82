#include "crypto/x509.h"

#include "crypto/hex_test.h"

/*
 * Made with OpenSSL's command line: req -new -x509 -utf8 -sha256, key
 * prime256v1, serial number 0xab12, subject C=DE, ST=Bayern, L=Bad
 * M\xc3\xbcnster, O=Example, OU=First, OU=Second, CN=certificate.example,
 * emailAddress=a@example.org, subjectAltName DNS:a.example, IP:192.0.2.1.
 */
static const char certificate[] =
    "308202793082021ea003020102020300ab12300a06082a8648ce3d0403023081"
    "a4310b3009060355040613024445310f300d06035504080c0642617965726e31"
    "15301306035504070c0c426164204dc3bc6e737465723110300e060355040a0c"
    "074578616d706c65310e300c060355040b0c054669727374310f300d06035504"
    "0b0c065365636f6e64311c301a06035504030c1363657274696669636174652e"
    "6578616d706c65311c301a06092a864886f70d010901160d61406578616d706c"
    "652e6f7267301e170d3236313132313131303332305a170d3236313230313131"
    "303332305a3081a4310b3009060355040613024445310f300d06035504080c06"
    "42617965726e3115301306035504070c0c426164204dc3bc6e73746572311030"
    "0e060355040a0c074578616d706c65310e300c060355040b0c05466972737431"
    "0f300d060355040b0c065365636f6e64311c301a06035504030c136365727469"
    "6669636174652e6578616d706c65311c301a06092a864886f70d010901160d61"
    "406578616d706c652e6f72673059301306072a8648ce3d020106082a8648ce3d"
    "0301070342000401603738b9bbb441e39b88be8079476e912a0b477a0326e441"
    "1269adc0ce5882d0c25c25fcca7c3315d04b3de1ef5d2db8cc4281ea88be4c01"
    "b55b16dc88f0e2a33d303b301a0603551d11041330118209612e6578616d706c"
    "658704c0000201301d0603551d0e0416041484cacfcee315797d42455a036850"
    "36625bcad00d300a06082a8648ce3d0403020349003046022100e1e167b4c241"
    "47a51bd96ebb4fa36b340138b8bb65ef6e5753f18e7c95b9439d022100ce3711"
    "ab516a03afac7fdff82d9526c90b7a3e892c841b072a5c68af19654c80";

static int
set_up(void **state)
{
	struct arena *a;

	assert_int_equal(arena_new(1 << 20, &a), OK);
	*state = a;
	return 0;
}

static int
tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

static void
a_certificate_is_read(void **state)
{
	struct arena *a = *state;
	struct x509_facts facts;
	struct x509_entity *subject = &facts.subject;

	assert_int_equal(x509_read(a, hex_read(a, certificate), &facts), OK);
	assert_true(bytes_equal_text(subject->text,
	    "emailAddress=a@example.org,CN=certificate.example,OU=Second,"
	    "OU=First,O=Example,L=Bad M\xc3\xbcnster,ST=Bayern,C=DE"));
	assert_true(bytes_equal(subject->der, facts.issuer.der));
	assert_int_equal(subject->der.at[0], 0x30);
	assert_true(bytes_equal_text(
	    subject->field[X509_CN][0], "certificate.example"));
	assert_true(
	    bytes_equal_text(subject->field[X509_L][0], "Bad M\xc3\xbcnster"));
	assert_int_equal(subject->field_count[X509_OU], 2);
	assert_true(bytes_equal_text(subject->field[X509_OU][0], "First"));
	assert_true(bytes_equal_text(subject->field[X509_OU][1], "Second"));
	assert_int_equal(subject->field_count[X509_TITLE], 0);
	assert_int_equal(subject->alt_count, 2);
	assert_true(bytes_equal_text(subject->alt_text[0], "DNS:a.example"));
	assert_int_equal(facts.issuer.alt_count, 0);
	assert_string_equal(hex_text(a, facts.serial_der), "020300ab12");
	assert_true(bytes_equal_text(facts.serial_text, "AB12"));
	assert_int_equal(facts.signature_algorithm,
	    DIGITAL_SIGNATURE_ALGORITHM_ECDSA_WITH_SHA256);
	assert_int_equal(facts.key_algorithm, CRYPTOGRAPHIC_ALGORITHM_ECDSA);
	assert_int_equal(facts.key_bits, 256);
	assert_int_equal(facts.not_after_s - facts.not_before_s, 10 * 86400);
}

/* Cut anywhere, or with anything behind it, it is none. */
static void
what_is_not_one_certificate_is_refused(void **state)
{
	struct arena *a = *state;
	struct bytes whole = hex_read(a, certificate);
	struct x509_facts facts;
	uint8_t *longer;
	size_t octets;

	for (octets = 0; octets < whole.octets; octets++)
		assert_int_equal(
		    x509_read(a, (struct bytes){whole.at, octets}, &facts),
		    ERR_FIELD);
	assert_int_equal(ARENA_ARRAY(a, longer, whole.octets + 1), OK);
	memcpy(longer, whole.at, whole.octets);
	assert_int_equal(
	    x509_read(a, (struct bytes){longer, whole.octets + 1}, &facts),
	    ERR_FIELD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_certificate_is_read, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		what_is_not_one_certificate_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
