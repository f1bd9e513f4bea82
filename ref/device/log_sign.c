#include "device/log_sign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/pki.h"
#include "crypto/vault.h"
#include "device/appliance.h"
#include "device/fields.h"

enum {
	THREADS = 1,
	DAY_S = 24 * 3600,
	CERTIFICATE_MAX_OCTETS = 16 * 1024,
	KEY_MAX_OCTETS = VAULT_OVERHEAD_OCTETS + VAULT_SECRET_MAX_OCTETS,
	RECORD_OCTETS = CERTIFICATE_MAX_OCTETS + KEY_MAX_OCTETS + 64,
	REQUEST_MAX_OCTETS = 4096,
	WRITE_OCTETS = 64 * 1024, /* the mail comes in lines */
};

struct log_signer {
	struct appliance *appliance;
	struct loop_pool *pool; /* the loop's */
	struct log_renewal *first;
	struct change change;
};

/* ---------------------------------------------------------------------------
 * The record
 */

/* What is said goes to the log, but for there being none. */
static enum err
record_read(
    struct appliance *appliance, struct buf *certificate, struct buf *key)
{
	struct bytes field;
	struct buf value;
	bool is_there = false;
	enum err rc = OK;

	buf_init(&value, RECORD_OCTETS);
	TRY(record_get(appliance->store, LOG_SIGNER_KIND,
	    bytes_of_text(LOG_SIGNER_CURRENT), &value));
	is_there = true;
	TRY(fields_find(buf_peek(&value), "certificate", &field));
	TRY(buf_put(certificate, field));
	TRY(fields_find(buf_peek(&value), "key", &field));
	TRY(buf_put(key, field));
out:
	if (rc == ERR_NOT_FOUND && is_there)
		rc = ERR_STORE;
	if (rc != OK && rc != ERR_NOT_FOUND)
		log_line("device", LOG_ERROR, "the log signing certificate: %s",
		    err_text(rc));
	buf_clear(&value);
	return rc;
}

enum err
log_signer_certificate(struct appliance *appliance, struct buf *der)
{
	struct buf key;
	enum err rc;

	buf_init(&key, KEY_MAX_OCTETS);
	rc = record_read(appliance, der, &key);
	buf_clear(&key);
	return rc;
}

/* ---------------------------------------------------------------------------
 * Signing, on a worker
 */

struct output {
	int fd;
	size_t octets;
	uint8_t at[WRITE_OCTETS];
};

static enum err
output_flush(struct output *out)
{
	struct bytes octets = {out->at, out->octets};

	out->octets = 0;
	return file_write(out->fd, octets);
}

static enum err
output_put(void *ctx, struct bytes octets)
{
	struct output *out = ctx;
	struct bytes head;
	enum err rc = OK;

	while (octets.octets != 0) {
		size_t room = sizeof(out->at) - out->octets;

		TRY(bytes_split(&octets,
		    octets.octets < room ? octets.octets : room, &head));
		memcpy(out->at + out->octets, head.at, head.octets);
		out->octets += head.octets;
		if (out->octets == sizeof(out->at))
			TRY(output_flush(out));
	}
out:
	return rc;
}

static enum err
file_read(void *ctx, uint64_t place, uint8_t *at, size_t room, size_t *octets)
{
	const struct log_sign *sign = ctx;
	ssize_t count;

	do
		count = pread(sign->from, at, room, (off_t)place);
	while (count < 0 && errno == EINTR);
	*octets = count > 0 ? (size_t)count : 0;
	return count < 0 ? ERR_SYSTEM : OK;
}

/* req: KS-20-066 KS-20-104 */
static enum err
sign_file(struct log_sign *sign)
{
	struct smime_order order = {
	    .form = sign->form,
	    .certificate = buf_peek(&sign->certificate),
	    .at_s = sign->at_s,
	    .octets = sign->octets,
	    .read = file_read,
	    .read_ctx = sign,
	    .write = output_put,
	};
	struct secret *key = NULL;
	struct output *out = NULL;
	enum err rc = OK;

	TRY(vault_open(sign->appliance->vault, LOG_SIGNER_SEAL,
	    buf_peek(&sign->key), &key));
	TRY(MEM_NEW(out));
	out->fd = sign->to;
	order.key = secret_peek(key);
	order.write_ctx = out;
	TRY(smime_sign(&order));
	TRY(output_flush(out));
out:
	secret_free(key);
	mem_free(out);
	return rc;
}

static void
sign_work(void *ctx)
{
	struct log_sign *sign = ctx;

	sign->rc = sign_file(sign);
}

static void
sign_free(struct log_sign *sign)
{
	if (sign->from >= 0)
		close(sign->from);
	if (sign->to >= 0)
		close(sign->to);
	buf_clear(&sign->certificate);
	buf_clear(&sign->key);
	mem_free(sign);
}

static void
sign_done(void *ctx, enum err rc)
{
	struct log_sign *sign = ctx;

	sign->works = false;
	if (rc == OK)
		rc = sign->rc;
	if (rc != OK)
		log_line("device", LOG_ERROR, "a log is not signed: %s",
		    err_text(rc));
	if (sign->dropped)
		sign_free(sign);
	else
		sign->done(sign, rc);
}

enum err
log_sign_new(struct appliance *appliance, struct log_sign **out)
{
	struct log_sign *sign = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(sign));
	sign->appliance = appliance;
	sign->from = sign->to = -1;
	buf_init(&sign->certificate, CERTIFICATE_MAX_OCTETS);
	buf_init(&sign->key, KEY_MAX_OCTETS);
	*out = sign;
out:
	return rc;
}

void
log_sign_drop(struct log_sign *sign)
{
	if (sign == NULL)
		return;
	sign->dropped = true;
	if (!sign->works)
		sign_free(sign);
}

enum err
log_sign_begin(struct log_sign *sign)
{
	struct appliance *appliance = sign->appliance;
	enum err rc = OK;

	TRY(record_read(appliance, &sign->certificate, &sign->key));
	sign->at_s = env_wall_s(appliance->env);
	sign->works = true;
	TRY(loop_submit(
	    appliance->log_signer->pool, sign_work, sign_done, sign));
out:
	sign->works = rc == OK;
	return rc;
}

/* ---------------------------------------------------------------------------
 * A new certificate
 */

enum err
log_renewal_new(struct appliance *appliance, struct log_renewal **out)
{
	struct log_renewal *renewal = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(renewal));
	renewal->appliance = appliance;
	buf_init(&renewal->certificate, CERTIFICATE_MAX_OCTETS);
	*out = renewal;
out:
	return rc;
}

static void
renewal_free(struct log_renewal *renewal)
{
	secret_free(renewal->key);
	buf_clear(&renewal->certificate);
	mem_free(renewal);
}

void
log_renewal_drop(struct log_renewal *renewal)
{
	if (renewal == NULL)
		return;
	renewal->dropped = true;
	if (!renewal->works)
		renewal_free(renewal);
}

static enum err
renewal_prepare(struct log_renewal *renewal)
{
	struct env *env = renewal->appliance->env;
	uint8_t random[8];
	size_t k;
	enum err rc = OK;

	renewal->from_s = env_wall_s(env);
	TRY(env_random(env, renewal->seed, sizeof(renewal->seed)));
	/* nobody counts them, and none of one issuer may come twice */
	TRY(env_random(env, random, sizeof(random)));
	random[0] &= 0x7f;
	for (k = 0; k < sizeof(random); k++)
		renewal->serial = renewal->serial << 8 | random[k];
out:
	return rc;
}

static enum err
renewal_make(struct log_renewal *renewal)
{
	struct bytes seed = {renewal->seed, sizeof(renewal->seed)};
	struct pki_subject subject = {.field = {""}};
	struct pki_order order = {
	    .purpose = PKI_MAIL,
	    .serial = renewal->serial,
	    .from_s = renewal->from_s,
	    .until_s = renewal->from_s + (int64_t)LOG_SIGNER_DAYS * DAY_S,
	};
	struct buf request;
	const char *why;
	enum err rc = OK;

	buf_init(&request, REQUEST_MAX_OCTETS);
	TRY(pki_key_new(LOG_SIGNER_BITS, seed, &renewal->key));
	TRY(pki_subject_set(
	    &subject, PKI_COMMON_NAME, bytes_of_text(LOG_SIGNER_NAME), &why));
	TRY(pki_request_new(
	    secret_peek(renewal->key), &subject, &request, &why));
	order.request = buf_peek(&request);
	order.key = secret_peek(renewal->key);
	TRY(pki_issue(&order, &renewal->certificate, &why));
out:
	buf_clear(&request);
	return rc;
}

static void
renewal_work(void *ctx)
{
	struct log_renewal *renewal = ctx;

	renewal->rc = renewal_make(renewal);
}

static void
renewal_done(void *ctx, enum err rc)
{
	struct log_renewal *renewal = ctx;

	renewal->works = false;
	if (renewal->dropped)
		renewal_free(renewal);
	else
		renewal->done(renewal, rc == OK ? renewal->rc : rc);
}

enum err
log_renewal_begin(struct log_renewal *renewal)
{
	enum err rc = OK;

	TRY(renewal_prepare(renewal));
	renewal->works = true;
	TRY(loop_submit(renewal->appliance->log_signer->pool, renewal_work,
	    renewal_done, renewal));
out:
	renewal->works = rc == OK;
	return rc;
}

enum err
log_renewal_write(struct log_renewal *renewal, struct change *change)
{
	struct appliance *appliance = change->appliance;
	struct buf sealed, value;
	enum err rc = OK;

	buf_init(&sealed, KEY_MAX_OCTETS);
	buf_init(&value, RECORD_OCTETS);
	TRY(vault_seal(appliance->env, appliance->vault, LOG_SIGNER_SEAL,
	    secret_peek(renewal->key), &sealed));
	TRY(fields_put(&value, "certificate", buf_peek(&renewal->certificate)));
	TRY(fields_put(&value, "key", buf_peek(&sealed)));
	TRY(record_put(appliance->store, LOG_SIGNER_KIND,
	    bytes_of_text(LOG_SIGNER_CURRENT), buf_peek(&value)));
out:
	buf_clear(&sealed);
	buf_clear(&value);
	return rc;
}

/* ---------------------------------------------------------------------------
 * The first one
 */

enum err
log_signer_new(struct appliance *appliance, struct log_signer **out)
{
	struct log_signer *signer = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(signer));
	signer->appliance = appliance;
	TRY(loop_pool_new(
	    appliance->loop, "log signing", THREADS, &signer->pool));
	*out = signer;
	signer = NULL;
out:
	mem_free(signer);
	return rc;
}

void
log_signer_free(struct log_signer *signer)
{
	if (signer == NULL)
		return;
	change_leave(&signer->change);
	log_renewal_drop(signer->first);
	mem_free(signer);
}

static enum err
first_write(struct change *change)
{
	struct log_signer *signer = change->ctx;

	(void)snprintf(change->event, sizeof(change->event), "Cert %s: created",
	    LOG_SIGNER_NAME);
	return log_renewal_write(signer->first, change);
}

static void
first_done(struct change *change, enum err rc)
{
	struct log_signer *signer = change->ctx;

	log_renewal_drop(signer->first);
	signer->first = NULL;
	if (rc != OK)
		log_line("device", LOG_ERROR,
		    "there is no log signing certificate: %s", err_text(rc));
}

/* req: KS-20-064 KS-20-065 */
void
log_signer_ready(struct appliance *appliance)
{
	struct log_signer *signer = appliance->log_signer;
	struct buf der;
	enum err rc;

	buf_init(&der, CERTIFICATE_MAX_OCTETS);
	rc = log_signer_certificate(appliance, &der);
	buf_clear(&der);
	if (rc != ERR_NOT_FOUND)
		return;
	rc = OK;
	TRY(log_renewal_new(appliance, &signer->first));
	TRY(renewal_prepare(signer->first));
	TRY(renewal_make(signer->first));
	signer->change = (struct change){
	    .act = ACT_LOGGING,
	    .apply = first_write,
	    .done = first_done,
	    .ctx = signer,
	};
	change_run(appliance, &signer->change);
out:
	if (rc != OK)
		log_line("device", LOG_ERROR,
		    "no log signing certificate can be made: %s", err_text(rc));
}
