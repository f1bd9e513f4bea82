/*
 * A target file: where a server is, who we are to it, and what it claims.
 *
 *   [target]
 *   name = my key server
 *   host = 127.0.0.1
 *   port = 5696
 *   [identity A]
 *   certificate = client.pem
 *   ...
 *   [nae]
 *   port = 9000
 *   [user A]
 *   user = alice
 *   ...
 *   [claims]
 *   versions = 1.2 1.4
 *   [rules]
 *   time-stamp = off
 *
 * `include = FILE` before the first section, or at the end of an included one,
 * takes in another file; what comes later wins, and [identity A] may go on in
 * several places. A target has a KMIP server, an NAE-XML one, or both.
 *
 * `key = value` lines under sections; `#` begins a comment; a line that begins
 * with a blank goes on with the value before it. target.def has the keys,
 * rule.def the rules. Paths are relative to the file. A line that is
 * understood by neither is an error: a claim with a typing mistake would
 * quietly select no test.
 */
#ifndef TOUCHSTONE_TARGET_H
#define TOUCHSTONE_TARGET_H

#include "err.h"
#include "rule.h"
#include "text.h"

#define TARGET_MAX_OCTETS     ((size_t)1 << 20)
#define TARGET_MAX_IDENTITIES 8
#define TARGET_MAX_USERS      8
#define TARGET_MAX_INCLUDES   4

struct identity {
	const char *name; /* "A" */
	const char *certificate, *key, *ca;
	const char *username, *password; /* NULL: none */
};

/* Somebody that an NAE-XML server knows. */
struct user {
	const char *name; /* "A" */
	const char *user, *password;
	const char *identity; /* whose certificate over TLS; NULL: [nae]'s */
};

struct target {
	const char *path, *sha256;
	const char *name, *host, *adapter, *tls_version;
	const char *clock; /* NULL: ours */
	int64_t port;
	int64_t connect_timeout_ms, answer_timeout_ms;
	int64_t poll_timeout_ms, poll_every_ms, now_tolerance_s;
	bool laboratory, name_prefix, test_identifiers;
	struct identity identities[TARGET_MAX_IDENTITIES];
	unsigned identity_count;
	struct words versions, operations, objects, families, features;
	struct rules rules;

	/* its NAE-XML server; nae_port 0: none */
	const char *nae_host, *nae_identity;
	int64_t nae_port;
	bool nae_tls;
	const char *nae_certificate, *nae_ca;
	struct user users[TARGET_MAX_USERS];
	unsigned user_count;
	struct words nae_versions, nae_requests, nae_algorithms;
};

/*
 * a    owns what the target points to
 *
 * ERR_OPEN, ERR_READ, ERR_SIZE  the file
 * ERR_SYNTAX  a line that is not understood; `f` has its number
 * ERR_MISSING host, a port, an identity or a claim is not there
 * ERR_RANGE   a number outside what its key takes
 */
enum err target_read(struct arena *a, const char *path, struct target *out,
    struct fault *f) MUST_CHECK;

/* The same for text that is already there; `path` is for words and paths. */
enum err target_parse(struct arena *a, const char *path, struct bytes text,
    struct target *out, struct fault *f) MUST_CHECK;

/* NULL: the file has no such identity; no such user. */
const struct identity *
target_identity(const struct target *t, const char *name);
const struct user *target_user(const struct target *t, const char *name);

bool target_claims_version(const struct target *t, unsigned version);

/* false, too, for an operation that no version the target claims has. */
bool target_claims_operation(const struct target *t, uint32_t operation);
bool target_claims_object(const struct target *t, uint32_t object_type);
bool target_claims_family(const struct target *t, const char *family);
bool target_claims_feature(const struct target *t, const char *feature);

#endif
