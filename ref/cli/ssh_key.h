/*
 * The SSH key: what clients of the command line know the device by. A record
 * of the kind "ssh", sealed (crypto/vault.h).
 *
 * req: KS-19-010 ESKM-163
 */
#ifndef CLI_SSH_KEY_H
#define CLI_SSH_KEY_H

#include "base/secret.h"
#include "device/appliance.h"

/*
 * ERR_NOT_FOUND  none has been made
 * ERR_SEAL ...   it cannot be opened; the log says why
 */
enum err
ssh_key_read(struct appliance *appliance, struct secret **out) MUST_CHECK;

/*
 * In the apply of a change: a new one, in place of what is there. Connections
 * that know the old one have to be closed in its done.
 */
enum err ssh_key_renew(struct appliance *appliance) MUST_CHECK;

#endif
