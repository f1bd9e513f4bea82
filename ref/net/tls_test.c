#include "net/tls.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "crypto/ossl.h"

/* A key and its certificate; files for those that the server reads. */
struct id {
	EVP_PKEY *key;
	X509 *crt;
};

static struct {
	struct id ca;
	struct id other_ca;
	struct id server;
	struct id alice;
	struct id stranger; /* of the other CA */
	struct id expired;
	struct id nameless;
	struct id two_names;
	struct id full;      /* of every field, and with addresses */
	struct id middle_ca; /* of the CA */
	struct id branch;    /* a server, of the one in the middle */
	char crt_path[256];
	char key_path[256];
	char ca_path[256];
	char branch_path[256]; /* its certificate */
	char branch_key_path[256];
	char chain_path[256]; /* ... and that of the one in the middle */
	char cas_path[256];   /* both CAs */
} pki;

static void
add_extension(X509 *crt, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, crt, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(crt, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

/* names: "CN=alice" and the like, one after the other, up to NULL. */
static void
issue_as(struct id *id, const struct id *ca, long from_s,
    const char *constraints, const char *const *names)
{
	static long serial;
	X509_NAME *name;

	id->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	id->crt = X509_new();
	assert_non_null(id->key);
	assert_non_null(id->crt);
	X509_set_version(id->crt, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(id->crt), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(id->crt), from_s);
	X509_gmtime_adj(X509_getm_notAfter(id->crt), from_s + 86400);
	X509_set_pubkey(id->crt, id->key);
	name = X509_get_subject_name(id->crt);
	for (; *names != NULL; names++) {
		const char *eq = strchr(*names, '=');
		char field[16] = {0};

		memcpy(field, *names, (size_t)(eq - *names));
		assert_int_equal(
		    X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
			(const unsigned char *)eq + 1, -1, -1, 0),
		    1);
	}
	X509_set_issuer_name(
	    id->crt, X509_get_subject_name(ca != NULL ? ca->crt : id->crt));
	add_extension(id->crt, ca != NULL ? ca->crt : id->crt,
	    NID_basic_constraints, constraints);
	if (id == &pki.full)
		add_extension(id->crt, ca->crt, NID_subject_alt_name,
		    "DNS:127.0.0.3,IP:127.0.0.2,IP:::1");
	assert_true(X509_sign(id->crt, ca != NULL ? ca->key : id->key,
			EVP_sha256()) > 0);
}

static void
issue(struct id *id, const struct id *ca, long from_s, const char *const *names)
{
	issue_as(id, ca, from_s,
	    ca != NULL ? "critical,CA:FALSE" : "critical,CA:TRUE", names);
}

static void
path_in_tmp(char *out, size_t room, const char *name)
{
	const char *dir = getenv("TMPDIR");

	(void)snprintf(out, room, "%s/tls_test.%d.%s",
	    dir != NULL ? dir : "/tmp", (int)getpid(), name);
}

static void
put_pem(const char *path, const char *mode, const struct id *id, bool key)
{
	FILE *f = fopen(path, mode);

	assert_non_null(f);
	if (key)
		assert_int_equal(
		    PEM_write_PrivateKey(f, id->key, NULL, NULL, 0, NULL, NULL),
		    1);
	else
		assert_int_equal(PEM_write_X509(f, id->crt), 1);
	assert_int_equal(fclose(f), 0);
}

static void
write_pem(const char *path, const struct id *id, bool key)
{
	put_pem(path, "w", id, key);
}

#define NAMES(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static int
make_pki(void **state)
{
	(void)state;
	if (ossl_init() != OK)
		return -1;
	issue(&pki.ca, NULL, -3600, NAMES("CN=test CA"));
	issue(&pki.other_ca, NULL, -3600, NAMES("CN=other CA"));
	issue(&pki.server, &pki.ca, -3600, NAMES("CN=localhost"));
	issue(&pki.alice, &pki.ca, -3600,
	    NAMES("O=Tests, Ltd", "CN=al\xc3\xaf"
				  "ce"));
	issue(&pki.stranger, &pki.other_ca, -3600, NAMES("CN=alice"));
	issue(&pki.expired, &pki.ca, -2 * 86400, NAMES("CN=alice"));
	issue(&pki.nameless, &pki.ca, -3600, NAMES("O=Tests"));
	issue(&pki.two_names, &pki.ca, -3600, NAMES("CN=alice", "CN=bob"));
	issue(&pki.full, &pki.ca, -3600,
	    NAMES("UID=u7", "CN=full", "SN=Lidell",
		"emailAddress=User1@company.com", "OU=Keys",
		"serialNumber=99"));
	path_in_tmp(pki.crt_path, sizeof(pki.crt_path), "crt");
	path_in_tmp(pki.key_path, sizeof(pki.key_path), "key");
	path_in_tmp(pki.ca_path, sizeof(pki.ca_path), "ca");
	write_pem(pki.crt_path, &pki.server, false);
	write_pem(pki.key_path, &pki.server, true);
	write_pem(pki.ca_path, &pki.ca, false);

	issue_as(&pki.middle_ca, &pki.ca, -3600, "critical,CA:TRUE",
	    NAMES("CN=middle CA"));
	issue(&pki.branch, &pki.middle_ca, -3600, NAMES("CN=localhost"));
	path_in_tmp(pki.branch_path, sizeof(pki.branch_path), "branch");
	path_in_tmp(
	    pki.branch_key_path, sizeof(pki.branch_key_path), "branch-key");
	path_in_tmp(pki.chain_path, sizeof(pki.chain_path), "chain");
	path_in_tmp(pki.cas_path, sizeof(pki.cas_path), "cas");
	write_pem(pki.branch_path, &pki.branch, false);
	write_pem(pki.branch_key_path, &pki.branch, true);
	write_pem(pki.chain_path, &pki.branch, false);
	put_pem(pki.chain_path, "a", &pki.middle_ca, false);
	write_pem(pki.cas_path, &pki.ca, false);
	put_pem(pki.cas_path, "a", &pki.middle_ca, false);
	return 0;
}

static int
drop_pki(void **state)
{
	struct id *id;

	(void)state;
	for (id = &pki.ca; id <= &pki.branch; id++) {
		EVP_PKEY_free(id->key);
		X509_free(id->crt);
	}
	unlink(pki.crt_path);
	unlink(pki.key_path);
	unlink(pki.ca_path);
	unlink(pki.branch_path);
	unlink(pki.branch_key_path);
	unlink(pki.chain_path);
	unlink(pki.cas_path);
	return 0;
}

/* A server and a client, hand in hand. */
struct pair {
	struct tls *tls;
	struct tls_conn *server;
	SSL_CTX *ctx;
	SSL *client;
	SSL_SESSION *session; /* the last one that was offered */
	int fd[2];
};

static struct tls_config
config(void)
{
	return (struct tls_config){
	    .certificate = pki.crt_path,
	    .key = pki.key_path,
	    .trust = pki.ca_path,
	    .ciphers = "ECDHE+AESGCM",
	    .suites = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
	};
}

static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct pair *p = SSL_get_app_data(ssl);

	SSL_SESSION_free(p->session);
	p->session = session;
	return 1;
}

static int
set_up(void **state)
{
	const struct tls_config good = config();
	struct pair *p = calloc(1, sizeof(*p));

	*state = p;
	if (p == NULL)
		return -1;
	p->fd[0] = p->fd[1] = -1;
	p->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(p->ctx, 0); /* it may offer old versions */
	SSL_CTX_set_session_cache_mode(p->ctx, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(p->ctx, keep_session);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(p->ctx), pki.ca.crt);
	SSL_CTX_set_verify(p->ctx, SSL_VERIFY_PEER, NULL);
	return tls_new(&good, &p->tls) != OK;
}

static void
hang_up(struct pair *p)
{
	tls_conn_free(p->server);
	p->server = NULL;
	/* else OpenSSL takes the session for a bad one */
	if (p->client != NULL)
		SSL_set_shutdown(p->client, SSL_SENT_SHUTDOWN);
	SSL_free(p->client);
	p->client = NULL;
	if (p->fd[0] >= 0)
		close(p->fd[0]);
	if (p->fd[1] >= 0)
		close(p->fd[1]);
	p->fd[0] = p->fd[1] = -1;
}

static int
tear_down(void **state)
{
	struct pair *p = *state;

	hang_up(p);
	SSL_SESSION_free(p->session);
	SSL_CTX_free(p->ctx);
	tls_free(p->tls);
	free(p);
	return 0;
}

/* Both ends in turn until the server knows; what it says. */
static enum err
shake(struct pair *p, const struct id *who, int version)
{
	enum tls_wait wait = TLS_WAIT_READ;
	enum err rc = OK;
	int turn;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p->fd) != 0)
		return ERR_SYSTEM;
	TRY(tls_conn_new(p->tls, p->fd[0], &p->server));
	p->client = SSL_new(p->ctx);
	SSL_set_app_data(p->client, p);
	SSL_set_fd(p->client, p->fd[1]);
	SSL_set_min_proto_version(p->client, version);
	SSL_set_max_proto_version(p->client, version);
	if (who != NULL) {
		SSL_use_certificate(p->client, who->crt);
		SSL_use_PrivateKey(p->client, who->key);
	}
	if (p->session != NULL)
		SSL_set_session(p->client, p->session);
	for (turn = 0; turn < 10 && wait != TLS_WAIT_NONE; turn++) {
		(void)SSL_connect(p->client);
		TRY(tls_accept(p->server, &wait));
	}
	(void)SSL_connect(p->client);
	if (wait != TLS_WAIT_NONE)
		rc = ERR_TIMEOUT;
out:
	return rc;
}

static struct bytes
text(const char *s)
{
	return bytes_of_text(s);
}

/* Say something each way; the client's read also takes the sessions. */
static void
talk(struct pair *p)
{
	uint8_t heard[16] = {0};
	enum tls_wait wait;
	size_t octets = 0;

	assert_int_equal(SSL_write(p->client, "ping", 4), 4);
	assert_int_equal(
	    tls_read(p->server, heard, sizeof(heard), &octets, &wait), OK);
	assert_int_equal(octets, 4);
	assert_memory_equal(heard, "ping", 4);
	assert_int_equal(
	    tls_write(p->server, text("pong"), &octets, &wait), OK);
	assert_int_equal(octets, 4);
	assert_int_equal(SSL_read(p->client, heard, sizeof(heard)), 4);
	assert_memory_equal(heard, "pong", 4);
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void
test_a_known_client_is_let_in(void **state)
{
	struct pair *p = *state;
	char *name = NULL;
	char *subject = NULL;
	size_t k;

	for (k = 0; k < 2; k++) {
		assert_int_equal(shake(p, &pki.alice, versions[k]), OK);
		assert_false(tls_resumed(p->server));
		assert_string_equal(
		    tls_version(p->server), k == 0 ? "TLSv1.2" : "TLSv1.3");
		assert_int_equal(tls_peer(p->server, &name, &subject), OK);
		assert_string_equal(name, "al\xc3\xaf"
					  "ce");
		assert_string_equal(subject, "CN=al\xc3\xaf"
					     "ce,O=Tests\\, Ltd");
		mem_free(name);
		mem_free(subject);
		talk(p);
		hang_up(p);
	}
}

/* What a server shows beside its own certificate: never the root. */
static void
test_the_root_is_not_sent_and_what_is_below_it_is(void **state)
{
	static const struct {
		const char *certificate;
		const char *trust;
		bool middle; /* is the one in the middle sent? */
	} cases[] = {
	    {pki.crt_path, pki.ca_path, false},
	    {pki.branch_path, pki.cas_path, true},
	    {pki.chain_path, pki.ca_path, true},
	    /* neither file has it: the server's own alone */
	    {pki.branch_path, pki.ca_path, false},
	};
	struct pair *p = *state;
	struct tls_config c = config();
	STACK_OF(X509) * chain;
	size_t k;

	for (k = 0; k < 4; k++) {
		c.certificate = cases[k].certificate;
		c.trust = cases[k].trust;
		c.key = k == 0 ? pki.key_path : pki.branch_key_path;
		hang_up(p);
		tls_free(p->tls);
		assert_int_equal(tls_new(&c, &p->tls), OK);
		SSL_CTX_set_verify(p->ctx, SSL_VERIFY_NONE, NULL);
		assert_int_equal(shake(p, &pki.alice, versions[k % 2]), OK);
		chain = SSL_get_peer_cert_chain(p->client);
		assert_int_equal(sk_X509_num(chain), cases[k].middle ? 2 : 1);
		if (cases[k].middle)
			assert_int_equal(X509_cmp(sk_X509_value(chain, 1),
					     pki.middle_ca.crt),
			    0);
	}
}

static void
test_others_are_not_let_in(void **state)
{
	static const struct {
		const struct id *who;
		enum err want;
		const char *why;
	} cases[] = {
	    {NULL, ERR_AUTHENTICATION, "did not return a certificate"},
	    {&pki.stranger, ERR_AUTHENTICATION, "unable to get local issuer"},
	    {&pki.other_ca, ERR_AUTHENTICATION, "self-signed"},
	    {&pki.expired, ERR_AUTHENTICATION, "expired"},
	};
	struct pair *p = *state;
	size_t i;
	size_t k;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (k = 0; k < 2; k++) {
			assert_int_equal(
			    shake(p, cases[i].who, versions[k]), cases[i].want);
			if (strstr(tls_why(p->server), cases[i].why) == NULL)
				fail_msg("expected: %s\n got: %s", cases[i].why,
				    tls_why(p->server));
			hang_up(p);
		}
	}
}

static void
test_who_has_no_single_name_is_nobody_in_particular(void **state)
{
	static const struct {
		const struct id *who;
		const char *subject;
	} cases[] = {
	    {&pki.nameless, "O=Tests"},
	    {&pki.two_names, "CN=bob,CN=alice"},
	};
	struct pair *p = *state;
	char *name;
	char *subject;
	size_t k;

	for (k = 0; k < 2; k++) {
		assert_int_equal(shake(p, cases[k].who, TLS1_3_VERSION), OK);
		assert_int_equal(tls_peer(p->server, &name, &subject), OK);
		assert_null(name);
		assert_string_equal(subject, cases[k].subject);
		mem_free(subject);
		hang_up(p);
	}
}

/* req: KS-03-164 KS-03-165 KS-03-166 KS-03-167 KS-03-168 ESKM-101 */
static void
test_fields_of_the_subject(void **state)
{
	static const struct {
		enum tls_field field;
		const char *of_full; /* NULL: there is none */
		const char *of_alice;
	} cases[] = {
	    {TLS_UID, "u7", NULL},
	    {TLS_CN, "full",
		"al\xc3\xaf"
		"ce"},
	    {TLS_SURNAME, "Lidell", NULL},
	    {TLS_EMAIL, "User1@company.com", NULL},
	    {TLS_OU, "Keys", NULL},
	};
	struct pair *p = *state;
	struct buf out;
	size_t who, k;

	buf_init(&out, 1000);
	for (who = 0; who < 2; who++) {
		assert_int_equal(
		    shake(p, who == 0 ? &pki.full : &pki.alice, versions[who]),
		    OK);
		for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
			const char *want =
			    who == 0 ? cases[k].of_full : cases[k].of_alice;

			buf_reset(&out);
			assert_int_equal(
			    tls_peer_field(p->server, cases[k].field, &out),
			    want != NULL ? OK : ERR_NOT_FOUND);
			assert_true(bytes_equal_text(
			    buf_peek(&out), want != NULL ? want : ""));
		}
		hang_up(p);
	}
	assert_int_equal(shake(p, &pki.two_names, TLS1_3_VERSION), OK);
	buf_reset(&out);
	assert_int_equal(
	    tls_peer_field(p->server, TLS_CN, &out), ERR_AUTHENTICATION);
	assert_int_equal(out.octets, 0);
	buf_clear(&out);
}

/* req: KS-03-043 KS-03-044 */
static void
test_addresses_of_a_certificate(void **state)
{
	static const struct {
		const char *address;
		bool has;
	} cases[] = {
	    {"127.0.0.2", true},
	    {"127.0.0.1", false},
	    {"::1", true},
	    {"0:0:0:0:0:0:0:1", true},
	    {"::2", false},
	    {"127.0.0.20", false},
	    {"full", false}, /* a name is no address */
	    {"", false},
	};
	struct pair *p = *state;
	size_t k;

	assert_int_equal(shake(p, &pki.full, TLS1_3_VERSION), OK);
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
		assert_int_equal(
		    tls_peer_has_address(p->server, cases[k].address),
		    cases[k].has);
	hang_up(p);
	assert_int_equal(shake(p, &pki.alice, TLS1_3_VERSION), OK);
	assert_false(tls_peer_has_address(p->server, "127.0.0.2"));
}

/* req: ESKM-096 KS-03-036 */
static void
test_clients_need_not_be_asked(void **state)
{
	struct pair *p = *state;
	struct tls_config c = config();
	struct buf out;
	char *name;
	char *subject;
	size_t k;

	buf_init(&out, 1000);
	c.anonymous = true;
	tls_free(p->tls);
	assert_int_equal(tls_new(&c, &p->tls), OK);
	for (k = 0; k < 4; k++) {
		/* whoever shows one is asked for none */
		assert_int_equal(
		    shake(p, k < 2 ? NULL : &pki.stranger, versions[k % 2]),
		    OK);
		assert_int_equal(tls_peer(p->server, &name, &subject), OK);
		assert_null(name);
		assert_null(subject);
		assert_int_equal(
		    tls_peer_field(p->server, TLS_CN, &out), ERR_NOT_FOUND);
		assert_false(tls_peer_has_address(p->server, "127.0.0.1"));
		talk(p);
		hang_up(p);
	}
}

static struct bytes
der_of(const struct id *id, bool key)
{
	unsigned char *at = NULL;
	int octets =
	    key ? i2d_PrivateKey(id->key, &at) : i2d_X509(id->crt, &at);

	assert_true(octets > 0);
	return (struct bytes){at, (size_t)octets};
}

static void
der_free(struct bytes der)
{
	OPENSSL_free((void *)(uintptr_t)der.at);
}

/* req: KS-03-158 KS-03-160 */
static void
test_material_from_memory(void **state)
{
	struct bytes chain[2] = {
	    der_of(&pki.branch, false), der_of(&pki.middle_ca, false)};
	struct bytes trust[2] = {
	    der_of(&pki.other_ca, false), der_of(&pki.middle_ca, false)};
	struct tls_material m = {.chain = chain,
	    .chain_count = 2,
	    .key = der_of(&pki.branch, true),
	    .trust = trust};
	const struct {
		const struct id *who;
		size_t trusted; /* so many of the two */
		enum err want;
	} cases[] = {
	    {&pki.stranger, 0, ERR_AUTHENTICATION}, /* nobody is let in */
	    {&pki.stranger, 1, OK},
	    {&pki.alice, 1, ERR_AUTHENTICATION},
	    /* of one in the middle, whose root is nowhere */
	    {&pki.branch, 1, ERR_AUTHENTICATION},
	    {&pki.branch, 2, OK},
	    {&pki.alice, 2, ERR_AUTHENTICATION},
	};
	struct pair *p = *state;
	struct tls_config c = config();
	size_t k;

	c.certificate = c.key = c.trust = NULL;
	c.material = &m;
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		m.trust_count = cases[k].trusted;
		tls_free(p->tls);
		assert_int_equal(tls_new(&c, &p->tls), OK);
		assert_int_equal(
		    shake(p, cases[k].who, versions[k % 2]), cases[k].want);
		if (cases[k].want == OK) {
			assert_int_equal(
			    sk_X509_num(SSL_get_peer_cert_chain(p->client)), 2);
			talk(p);
		}
		hang_up(p);
	}
	/* a key of another certificate; octets that are none */
	der_free(m.key);
	m.key = der_of(&pki.server, true);
	tls_free(p->tls);
	assert_int_equal(tls_new(&c, &p->tls), ERR_CONFIG);
	der_free(m.key);
	m.key = text("no key");
	assert_int_equal(tls_new(&c, &p->tls), ERR_CONFIG);
	assert_null(p->tls);
	for (k = 0; k < 2; k++) {
		der_free(chain[k]);
		der_free(trust[k]);
	}
}

static void
test_old_versions_are_refused(void **state)
{
	static const int old[] = {TLS1_VERSION, TLS1_1_VERSION};
	struct pair *p = *state;
	size_t k;

	for (k = 0; k < 2; k++) {
		assert_int_equal(shake(p, &pki.alice, old[k]), ERR_MESSAGE);
		assert_string_equal(tls_why(p->server), "unsupported protocol");
		hang_up(p);
	}
}

static void
test_a_session_resumes_with_its_name(void **state)
{
	struct pair *p = *state;
	char *name = NULL;
	char *subject = NULL;
	size_t k;

	for (k = 0; k < 2; k++) {
		SSL_SESSION_free(p->session);
		p->session = NULL;
		assert_int_equal(shake(p, &pki.alice, versions[k]), OK);
		talk(p);
		hang_up(p);
		assert_non_null(p->session);
		assert_int_equal(shake(p, &pki.alice, versions[k]), OK);
		assert_true(tls_resumed(p->server));
		assert_int_equal(tls_peer(p->server, &name, &subject), OK);
		assert_string_equal(name, "al\xc3\xaf"
					  "ce");
		mem_free(name);
		mem_free(subject);
		talk(p);
		hang_up(p);
	}
}

/* A session of another server, or of this one before it was started again. */
static void
test_a_foreign_session_does_not_resume(void **state)
{
	const struct tls_config good = config();
	struct pair *p = *state;

	assert_int_equal(shake(p, &pki.alice, TLS1_3_VERSION), OK);
	talk(p);
	hang_up(p);
	assert_non_null(p->session);
	tls_free(p->tls);
	p->tls = NULL;
	assert_int_equal(tls_new(&good, &p->tls), OK);
	assert_int_equal(shake(p, &pki.alice, TLS1_3_VERSION), OK);
	assert_false(tls_resumed(p->server));
}

static void
test_reading_tells_waiting_from_the_end(void **state)
{
	struct pair *p = *state;
	uint8_t heard[16];
	enum tls_wait wait;
	size_t got = 1;

	assert_int_equal(shake(p, &pki.alice, TLS1_3_VERSION), OK);
	assert_int_equal(
	    tls_read(p->server, heard, sizeof(heard), &got, &wait), OK);
	assert_int_equal(got, 0);
	assert_int_equal(wait, TLS_WAIT_READ);
	assert_int_equal(SSL_write(p->client, "a", 1), 1);
	assert_int_equal(SSL_write(p->client, "b", 1), 1);
	SSL_shutdown(p->client);
	assert_int_equal(
	    tls_read(p->server, heard, sizeof(heard), &got, &wait), OK);
	assert_int_equal(got, 1);
	/* the second record came with the same read */
	assert_true(tls_pending(p->server));
	assert_int_equal(
	    tls_read(p->server, heard, sizeof(heard), &got, &wait), OK);
	assert_int_equal(got, 1);
	assert_int_equal(
	    tls_read(p->server, heard, sizeof(heard), &got, &wait), ERR_CLOSED);
	/* what is left to say can still be said */
	assert_int_equal(tls_write(p->server, text("bye"), &got, &wait), OK);
	assert_int_equal(SSL_read(p->client, heard, sizeof(heard)), 3);
}

static void
test_an_end_without_goodbye_is_an_end(void **state)
{
	struct pair *p = *state;
	uint8_t heard[16];
	enum tls_wait wait;
	size_t got;

	assert_int_equal(shake(p, &pki.alice, TLS1_2_VERSION), OK);
	shutdown(p->fd[1], SHUT_WR);
	assert_int_equal(
	    tls_read(p->server, heard, sizeof(heard), &got, &wait), ERR_CLOSED);
}

static void
test_a_changed_record_breaks_the_connection(void **state)
{
	static const uint8_t junk[] = {0x17, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7,
	    8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
	struct pair *p = *state;
	uint8_t heard[16];
	enum tls_wait wait;
	size_t got;

	assert_int_equal(shake(p, &pki.alice, TLS1_3_VERSION), OK);
	assert_int_equal(
	    send(p->fd[1], junk, sizeof(junk), MSG_NOSIGNAL), sizeof(junk));
	assert_int_equal(tls_read(p->server, heard, sizeof(heard), &got, &wait),
	    ERR_MESSAGE);
	assert_true(*tls_why(p->server) != '\0');
}

static void
test_a_client_cannot_renegotiate(void **state)
{
	struct pair *p = *state;
	uint8_t heard[16];
	enum tls_wait wait;
	size_t got;

	assert_int_equal(shake(p, &pki.alice, TLS1_2_VERSION), OK);
	assert_int_equal(SSL_renegotiate(p->client), 1);
	(void)SSL_do_handshake(p->client);
	assert_int_equal(
	    tls_read(p->server, heard, sizeof(heard), &got, &wait), OK);
	assert_int_equal(got, 0);
	assert_int_equal(SSL_do_handshake(p->client), -1);
	assert_int_equal(SSL_get_error(p->client, -1), SSL_ERROR_SSL);
}

static void
test_a_rested_connection_goes_on(void **state)
{
	struct pair *p = *state;

	assert_int_equal(shake(p, &pki.alice, TLS1_3_VERSION), OK);
	talk(p);
	tls_rest(p->server);
	talk(p);
}

static void
test_files_that_are_not_usable_are_named(void **state)
{
	struct tls_config bad[6];
	struct tls *tls = NULL;
	size_t k;

	(void)state;
	for (k = 0; k < 6; k++)
		bad[k] = config();
	bad[0].certificate = "/nowhere/crt";
	bad[1].key = "/nowhere/key";
	bad[2].trust = "/nowhere/ca";
	bad[3].key = pki.ca_path; /* no key in it */
	bad[4].ciphers = "NO-SUCH-CIPHER";
	bad[5].suites = "TLS_NO_SUCH_SUITE";
	for (k = 0; k < 6; k++) {
		assert_int_equal(tls_new(&bad[k], &tls), ERR_CONFIG);
		assert_null(tls);
	}
}

int
main(void)
{
#define PAIR_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    PAIR_TEST(test_a_known_client_is_let_in),
	    PAIR_TEST(test_the_root_is_not_sent_and_what_is_below_it_is),
	    PAIR_TEST(test_others_are_not_let_in),
	    PAIR_TEST(test_who_has_no_single_name_is_nobody_in_particular),
	    PAIR_TEST(test_fields_of_the_subject),
	    PAIR_TEST(test_addresses_of_a_certificate),
	    PAIR_TEST(test_clients_need_not_be_asked),
	    PAIR_TEST(test_material_from_memory),
	    PAIR_TEST(test_old_versions_are_refused),
	    PAIR_TEST(test_a_session_resumes_with_its_name),
	    PAIR_TEST(test_a_foreign_session_does_not_resume),
	    PAIR_TEST(test_reading_tells_waiting_from_the_end),
	    PAIR_TEST(test_an_end_without_goodbye_is_an_end),
	    PAIR_TEST(test_a_changed_record_breaks_the_connection),
	    PAIR_TEST(test_a_client_cannot_renegotiate),
	    PAIR_TEST(test_a_rested_connection_goes_on),
	    PAIR_TEST(test_files_that_are_not_usable_are_named),
	};
#undef PAIR_TEST

	return cmocka_run_group_tests(tests, make_pki, drop_pki);
}
