/*
 * How certificates are shown.
 */
#ifndef CLI_CERT_H
#define CLI_CERT_H

#include "cli/cli.h"
#include "crypto/pki.h"

/* What is in a certificate or a request, and its PEM. */
enum err
cert_say(struct cli *cli, enum pki_pem kind, struct bytes der) MUST_CHECK;

/* Its PEM alone. */
enum err
cert_say_pem(struct cli *cli, enum pki_pem kind, struct bytes der) MUST_CHECK;

#endif
