/*
 * The commands about the log signing certificate.
 */
#include <stdio.h>

#include "base/mem.h"
#include "cli/args.h"
#include "cli/cert.h"
#include "crypto/digest.h"
#include "device/log_sign.h"

enum { THUMBPRINT_OCTETS = 3 * DIGEST_MAX_OCTETS };

static enum err
say_thumbprint(
    struct cli *cli, const char *name, uint32_t algorithm, struct bytes der)
{
	uint8_t digest[DIGEST_MAX_OCTETS];
	char text[THUMBPRINT_OCTETS];
	size_t octets, k;
	enum err rc = OK;

	TRY(digest_make(algorithm, der, digest, &octets));
	for (k = 0; k < octets; k++)
		(void)snprintf(text + 3 * k, sizeof(text) - 3 * k, "%02X%s",
		    digest[k], k + 1 < octets ? ":" : "");
	cli_say(cli, "Thumbprint (%s): %s", name, text);
out:
	return rc;
}

/* req: KS-20-064 KS-20-105 KS-20-110 */
void
log_signer_show(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct buf der;
	enum err rc = OK;

	if (!args_at_most(cli, args, arg_count, 0))
		return;
	buf_init(&der, PKI_TEXT_MAX_OCTETS);
	TRY(log_signer_certificate(cli_appliance(cli), &der));
	cli_say(cli, "Certificate Name: %s", LOG_SIGNER_NAME);
	TRY(say_thumbprint(
	    cli, "SHA-1", HASHING_ALGORITHM_SHA_1, buf_peek(&der)));
	TRY(say_thumbprint(
	    cli, "SHA-256", HASHING_ALGORITHM_SHA_256, buf_peek(&der)));
	TRY(cert_say(cli, PKI_CERTIFICATE, buf_peek(&der)));
out:
	buf_clear(&der);
	cli_end(cli, rc);
}

/* The words are the guide's. req: KS-20-106 KS-20-118 ESKM-220 */
void
log_signer_download(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct buf der;
	enum err rc = OK;

	if (!args_at_most(cli, args, arg_count, 0))
		return;
	buf_init(&der, PKI_TEXT_MAX_OCTETS);
	TRY(log_signer_certificate(cli_appliance(cli), &der));
	TRY(cert_say_pem(cli, PKI_CERTIFICATE, buf_peek(&der)));
	cli_audit(cli, "Downloaded Cert %s", LOG_SIGNER_NAME);
out:
	buf_clear(&der);
	cli_end(cli, rc);
}

/* ---- a new one ---- */

struct renewing {
	struct change change;
	struct log_renewal *renewal;
};

static void
renewing_drop(void *state)
{
	struct renewing *r = state;

	log_renewal_drop(r->renewal);
	mem_free(r);
}

static enum err
keep(struct change *change)
{
	const struct renewing *r = cli_state(change->ctx);

	(void)snprintf(change->event, sizeof(change->event),
	    "Cert %s: recreated", LOG_SIGNER_NAME);
	return log_renewal_write(r->renewal, change);
}

static void
made(struct log_renewal *renewal, enum err rc)
{
	struct cli *cli = renewal->ctx;
	struct renewing *r = cli_state(cli);

	if (rc != OK) {
		cli_fail(cli, "%s", err_text(rc));
		return;
	}
	r->change.apply = keep;
	cli_change(cli, &r->change, NULL,
	    "The log signing certificate was recreated; logs that were signed "
	    "before verify with the old one only.");
}

/* req: KS-20-076 KS-20-107 */
void
log_signer_recreate(struct cli *cli, const struct bytes *args, size_t arg_count)
{
	struct renewing *r = NULL;
	enum err rc = OK;

	if (!args_at_most(cli, args, arg_count, 0))
		return;
	r = cli_keep(cli, sizeof(*r), renewing_drop);
	if (r == NULL)
		return;
	TRY(log_renewal_new(cli_appliance(cli), &r->renewal));
	r->renewal->done = made;
	r->renewal->ctx = cli;
	TRY(log_renewal_begin(r->renewal));
out:
	if (rc != OK)
		cli_fail(cli, "%s", err_text(rc));
}
