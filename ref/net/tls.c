#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "crypto/ossl.h"

struct tls {
	SSL_CTX *ctx;
};

struct tls_conn {
	SSL *ssl;
	bool is_bad; /* the peer broke the protocol */
	char why[200];
};

enum {
	SESSION_S = 3600, /* may be resumed; OpenSSL's own clock counts it */
	SESSIONS = 8192,  /* the least recently used goes first */
	NAME_MAX_OCTETS = 64 * 1024,
};

/* What OpenSSL has to say about a file or list of ours. */
static enum err
config_error(const char *what, const char *name)
{
	char why[160];

	ERR_error_string_n(ERR_peek_error(), why, sizeof(why));
	log_line("net", LOG_ERROR, "%s %s: %s", what, name, why);
	ERR_clear_error();
	return ERR_CONFIG;
}

/*
 * Which certificates go before a client, for good: left to itself OpenSSL looks
 * for those above the server's own in each handshake, and verifies a signature
 * that never changes. The root is not sent; who trusts it has it. A chain that
 * the file itself brought stays as it is.
 *
 * spec: rfc-5246 7.4.2, rfc-8446 4.4.2
 */
static void
settle_chain(SSL_CTX *ctx)
{
	STACK_OF(X509) *chain = NULL;

	(void)SSL_CTX_get0_chain_certs(ctx, &chain);
	if (sk_X509_num(chain) > 0)
		return;
	if (SSL_CTX_build_cert_chain(
		ctx, SSL_BUILD_CHAIN_FLAG_NO_ROOT |
			 SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR |
			 SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR) != 0)
		(void)SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	ERR_clear_error();
}

static enum err
load_files(SSL_CTX *ctx, const struct tls_config *config)
{
	STACK_OF(X509_NAME) * names;

	if (SSL_CTX_use_certificate_chain_file(ctx, config->certificate) != 1)
		return config_error("certificate", config->certificate);
	if (SSL_CTX_use_PrivateKey_file(ctx, config->key, SSL_FILETYPE_PEM) !=
	    1)
		return config_error("key", config->key);
	if (SSL_CTX_load_verify_file(ctx, config->trust) != 1)
		return config_error("trust", config->trust);
	/* tell clients with several certificates which one we take */
	names = SSL_load_client_CA_file(config->trust);
	if (names == NULL)
		return config_error("trust", config->trust);
	SSL_CTX_set_client_CA_list(ctx, names);
	settle_chain(ctx);
	return OK;
}

static enum err
read_certificate(struct bytes der, const char *what, X509 **out)
{
	const unsigned char *at = der.at;

	*out = d2i_X509(NULL, &at, (long)der.octets);
	return *out != NULL ? OK : config_error(what, "from the store");
}

static enum err
load_chain(SSL_CTX *ctx, const struct tls_material *m)
{
	X509 *crt = NULL;
	size_t k;
	enum err rc = OK;

	for (k = 0; k < m->chain_count; k++) {
		TRY(read_certificate(m->chain[k], "certificate", &crt));
		if (k == 0 && SSL_CTX_use_certificate(ctx, crt) != 1)
			TRY(config_error("certificate", "from the store"));
		if (k != 0 && SSL_CTX_add1_chain_cert(ctx, crt) != 1)
			TRY(ERR_NOMEM);
		X509_free(crt);
		crt = NULL;
	}
	/* what is above it is known: OpenSSL does not look for more */
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
out:
	X509_free(crt);
	return rc;
}

static enum err
load_key(SSL_CTX *ctx, struct bytes der)
{
	const unsigned char *at = der.at;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)der.octets);
	enum err rc = OK;

	if (key == NULL || SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		rc = config_error("key", "from the store");
	EVP_PKEY_free(key);
	return rc;
}

/*
 * Each of them is trusted for itself, as a root would be: a certificate of an
 * intermediate CA is verified by that CA alone. (guide, chapter 3)
 */
static enum err
load_trust(SSL_CTX *ctx, const struct tls_material *m)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	X509 *crt = NULL;
	size_t k;
	enum err rc = OK;

	(void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	for (k = 0; k < m->trust_count; k++) {
		TRY(read_certificate(m->trust[k], "trust", &crt));
		if (X509_STORE_add_cert(store, crt) != 1 ||
		    SSL_CTX_add_client_CA(ctx, crt) != 1)
			TRY(ERR_NOMEM);
		X509_free(crt);
		crt = NULL;
	}
out:
	X509_free(crt);
	return rc;
}

static enum err
load_material(SSL_CTX *ctx, const struct tls_material *m)
{
	enum err rc = OK;

	TRY(load_chain(ctx, m));
	TRY(load_key(ctx, m->key));
	TRY(load_trust(ctx, m));
out:
	return rc;
}

static enum err
load_lists(SSL_CTX *ctx, const struct tls_config *config)
{
	if (SSL_CTX_set_cipher_list(ctx, config->ciphers) != 1)
		return config_error("ciphers", config->ciphers);
	if (SSL_CTX_set_ciphersuites(ctx, config->suites) != 1)
		return config_error("suites", config->suites);
	return OK;
}

/*
 * SSL_MODE_RELEASE_BUFFERS would cost two allocations per request: tls_rest()
 * gives the buffers of connections back that have been idle for a while.
 */
static void
set_ways(SSL_CTX *ctx, bool anonymous)
{
	static const unsigned char context[] = "touchstone";

	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		     SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE |
		     /* a record's plaintext is wiped when it has been read */
		     SSL_OP_CLEANSE_PLAINTEXT |
		     /* messages have lengths: nothing can be cut off unseen */
		     SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* req: KS-03-091 KS-03-092 VLT-028 KS-03-036 ESKM-096 */
	SSL_CTX_set_verify(ctx,
	    anonymous ? SSL_VERIFY_NONE
		      : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
	    NULL);
	/* one read() for a record, not two */
	SSL_CTX_set_read_ahead(ctx, 1);
	/* without a context, sessions with client certificates do not resume */
	(void)SSL_CTX_set_session_id_context(ctx, context, sizeof(context) - 1);
	SSL_CTX_set_timeout(ctx, SESSION_S);
	/*
	 * Sessions are kept here, not in tickets: to make a ticket and to read
	 * one, OpenSSL parses the client's certificate anew, which is 14 % of
	 * a whole handshake. They are also used only once, by TLS 1.3.
	 */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
	SSL_CTX_sess_set_cache_size(ctx, SESSIONS);
	(void)SSL_CTX_set_num_tickets(ctx, 1);
}

enum err
tls_new(const struct tls_config *config, struct tls **out)
{
	struct tls *tls = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(ossl_init());
	TRY(MEM_NEW(tls));
	tls->ctx = SSL_CTX_new(TLS_server_method());
	if (tls->ctx == NULL)
		TRY(ERR_NOMEM);
	set_ways(tls->ctx, config->anonymous);
	TRY(load_lists(tls->ctx, config));
	if (config->material != NULL)
		TRY(load_material(tls->ctx, config->material));
	else
		TRY(load_files(tls->ctx, config));
	*out = tls;
	tls = NULL;
out:
	tls_free(tls);
	return rc;
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->ctx);
	mem_free(tls);
}

enum err
tls_conn_new(struct tls *tls, int fd, struct tls_conn **out)
{
	struct tls_conn *t = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(t));
	t->ssl = SSL_new(tls->ctx);
	if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1)
		TRY(ERR_NOMEM);
	SSL_set_accept_state(t->ssl);
	*out = t;
	t = NULL;
out:
	if (rc != OK)
		ERR_clear_error();
	tls_conn_free(t);
	return rc;
}

void
tls_conn_free(struct tls_conn *t)
{
	if (t == NULL)
		return;
	/*
	 * A connection that was just cut off does not spoil its session, as
	 * OpenSSL thinks; only a fatal alert does.
	 * spec: rfc-5246 7.2.1
	 */
	if (t->ssl != NULL && !t->is_bad)
		SSL_set_shutdown(
		    t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(t->ssl);
	mem_free(t);
}

/* Why SSL_... said no; its error queue is empty afterwards. */
static enum err
failure(struct tls_conn *t, int result, enum tls_wait *wait)
{
	int system = errno;
	int verdict = SSL_get_error(t->ssl, result);
	long verify = SSL_get_verify_result(t->ssl);
	unsigned long code;
	enum err rc = ERR_MESSAGE;

	*wait = TLS_WAIT_NONE;
	switch (verdict) {
	case SSL_ERROR_WANT_READ:
		*wait = TLS_WAIT_READ;
		return OK;
	case SSL_ERROR_WANT_WRITE:
		*wait = TLS_WAIT_WRITE;
		return OK;
	case SSL_ERROR_ZERO_RETURN:
		return ERR_CLOSED;
	default:
		break;
	}
	code = ERR_peek_last_error();
	if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
	    ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
		rc = ERR_AUTHENTICATION;
	if (verdict == SSL_ERROR_SYSCALL) {
		rc = ERR_SYSTEM;
		(void)snprintf(t->why, sizeof(t->why), "%s",
		    system != 0 ? strerror(system) : "cut off");
	} else if (!SSL_is_init_finished(t->ssl) && verify != X509_V_OK) {
		rc = ERR_AUTHENTICATION;
		(void)snprintf(t->why, sizeof(t->why), "client certificate: %s",
		    X509_verify_cert_error_string(verify));
	} else {
		const char *reason = ERR_reason_error_string(code);

		t->is_bad = true;

		(void)snprintf(t->why, sizeof(t->why), "%s",
		    reason != NULL ? reason : "unknown");
	}
	ERR_clear_error();
	return rc;
}

/* SSL_get_error() reads the thread's queue, which others may have filled. */
static void
forget_old_errors(void)
{
	errno = 0;
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

enum err
tls_accept(struct tls_conn *t, enum tls_wait *wait)
{
	int result;
	enum err rc = OK;

	*wait = TLS_WAIT_NONE;
	forget_old_errors();
	result = SSL_accept(t->ssl);
	if (result != 1)
		rc = failure(t, result, wait);
	/* the peer left before it was anybody */
	if (rc == ERR_CLOSED) {
		(void)snprintf(t->why, sizeof(t->why), "cut off");
		rc = ERR_SYSTEM;
	}
	return rc;
}

enum err
tls_read(struct tls_conn *t, uint8_t *at, size_t room_octets, size_t *got,
    enum tls_wait *wait)
{
	*wait = TLS_WAIT_NONE;
	forget_old_errors();
	if (SSL_read_ex(t->ssl, at, room_octets, got) == 1)
		return OK;
	*got = 0;
	return failure(t, 0, wait);
}

enum err
tls_write(struct tls_conn *t, struct bytes in, size_t *put, enum tls_wait *wait)
{
	*wait = TLS_WAIT_NONE;
	forget_old_errors();
	if (SSL_write_ex(t->ssl, in.at, in.octets, put) == 1)
		return OK;
	*put = 0;
	return failure(t, 0, wait);
}

bool
tls_pending(const struct tls_conn *t)
{
	return SSL_has_pending(t->ssl) == 1;
}

void
tls_goodbye(struct tls_conn *t)
{
	if (SSL_is_init_finished(t->ssl))
		(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
}

void
tls_rest(struct tls_conn *t)
{
	(void)SSL_free_buffers(t->ssl);
}

/* A copy of a memory BIO's text as a string. */
static enum err
bio_text(BIO *bio, char **out)
{
	char *text;
	long octets = BIO_get_mem_data(bio, &text);
	enum err rc = OK;

	*out = mem_zalloc(1, (size_t)octets + 1);
	if (*out == NULL)
		TRY(ERR_NOMEM);
	memcpy(*out, text, (size_t)octets);
out:
	return rc;
}

static enum err
subject_text(const X509_NAME *subject, char **out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	enum err rc = OK;

	if (bio == NULL)
		TRY(ERR_NOMEM);
	if (X509_NAME_print_ex(bio, subject, 0,
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) < 0)
		TRY(ERR_NOMEM);
	TRY(bio_text(bio, out));
out:
	BIO_free(bio);
	return rc;
}

/* The only value of a field; one with a NUL in it is nobody's. */
static enum err
only_value(const X509_NAME *subject, int nid, struct buf *out)
{
	int at = X509_NAME_get_index_by_NID(subject, nid, -1);
	unsigned char *text = NULL;
	int octets;
	enum err rc = OK;

	if (at < 0)
		TRY(ERR_NOT_FOUND);
	if (X509_NAME_get_index_by_NID(subject, nid, at) >= 0)
		TRY(ERR_AUTHENTICATION);
	octets = ASN1_STRING_to_UTF8(
	    &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (octets <= 0 || memchr(text, '\0', (size_t)octets) != NULL)
		TRY(ERR_AUTHENTICATION);
	TRY(buf_put(out, (struct bytes){text, (size_t)octets}));
out:
	OPENSSL_free(text);
	ERR_clear_error();
	return rc;
}

static enum err
common_name(const X509_NAME *subject, char **out)
{
	struct buf name;
	enum err rc = OK;

	buf_init(&name, NAME_MAX_OCTETS);
	rc = only_value(subject, NID_commonName, &name);
	if (rc == OK)
		rc = mem_printf(out, "%.*s", (int)name.octets, name.at);
	else if (rc == ERR_NOT_FOUND || rc == ERR_AUTHENTICATION)
		rc = OK;
	buf_clear(&name);
	return rc;
}

enum err
tls_peer(const struct tls_conn *t, char **name, char **subject)
{
	const X509 *certificate = SSL_get0_peer_certificate(t->ssl);
	const X509_NAME *who;
	enum err rc = OK;

	*name = NULL;
	*subject = NULL;
	if (certificate == NULL)
		return OK;
	who = X509_get_subject_name(certificate);
	TRY(subject_text(who, subject));
	TRY(common_name(who, name));
out:
	if (rc != OK) {
		mem_free(*subject);
		*subject = NULL;
		ERR_clear_error();
	}
	return rc;
}

/* spec: rfc-4519 2.39 2.3 2.32 2.20; rfc-2985 5.2.1 */
enum err
tls_peer_field(const struct tls_conn *t, enum tls_field field, struct buf *out)
{
	static const int nids[] = {
	    [TLS_UID] = NID_userId,
	    [TLS_CN] = NID_commonName,
	    [TLS_SURNAME] = NID_surname,
	    [TLS_EMAIL] = NID_pkcs9_emailAddress,
	    [TLS_OU] = NID_organizationalUnitName,
	};
	const X509 *certificate = SSL_get0_peer_certificate(t->ssl);

	if (certificate == NULL)
		return ERR_NOT_FOUND;
	return only_value(X509_get_subject_name(certificate), nids[field], out);
}

bool
tls_peer_has_address(const struct tls_conn *t, const char *address)
{
	X509 *certificate = SSL_get0_peer_certificate(t->ssl);
	bool has = certificate != NULL &&
		   X509_check_ip_asc(certificate, address, 0) == 1;

	ERR_clear_error();
	return has;
}

bool
tls_resumed(const struct tls_conn *t)
{
	return SSL_session_reused(t->ssl) == 1;
}

const char *
tls_version(const struct tls_conn *t)
{
	return SSL_get_version(t->ssl);
}

const char *
tls_why(const struct tls_conn *t)
{
	return t->why;
}
