/*
 * Packages: software and licences, each one file, signed by the release key and
 * encrypted. docs/package-format.md has them octet by octet.
 *
 * Who the device trusts is in its trust file: the public half of the release
 * key, and the key that packages are encrypted under. Without one nothing can
 * be installed.
 *
 * A package is read from a file descriptor, in bounded memory, whatever the
 * descriptor's position; its octets are not to change meanwhile, and where they
 * do it is found out. One thread at a time; package_open takes as long as
 * reading the file twice: for a worker.
 *
 * req: KS-25-017 KS-25-027 KS-25-028
 */
#ifndef DEVICE_PACKAGE_H
#define DEVICE_PACKAGE_H

#include "base/buf.h"
#include "base/secret.h"

enum {
	PACKAGE_MOST_OCTETS = 256 * 1024 * 1024,
	PACKAGE_TRUST_MAX_OCTETS = 16 * 1024, /* of a trust file */
	PACKAGE_MANIFEST_MAX_OCTETS = 16 * 1024,
	PACKAGE_VERSION_OCTETS = 32,
	PACKAGE_NOTES_OCTETS = 1024,
	PACKAGE_NAME_OCTETS = 64,
	PACKAGE_COMPONENTS_MOST = 64,
	PACKAGE_WHY_OCTETS = 256,
};

/* ---- trust ---- */

struct package_trust;

/*
 * Of the file at that path, which only its owner may read; and of its text.
 *
 * ERR_CONFIG  it is absent, others may read it, or it is no trust file; the log
 *             says why
 * ERR_NOMEM, ERR_CRYPTO
 */
enum err
package_trust_load(const char *path, struct package_trust **out) MUST_CHECK;
enum err
package_trust_read(struct bytes text, struct package_trust **out) MUST_CHECK;
void package_trust_free(struct package_trust *trust); /* accepts NULL */

/* ---- versions ---- */

/* "6.2.0", and "6.2.0p1" for its first patch. req: KS-25-035 */
struct package_version {
	unsigned major, minor, update;
	unsigned patch; /* 0: the base release */
};

/* ERR_VALUE  it is not written so */
enum err
package_version_read(struct bytes text, struct package_version *out) MUST_CHECK;

/* Negative: a is the older one. */
int package_version_compare(
    const struct package_version *a, const struct package_version *b);

/* ---- what is in it ---- */

enum package_type { PACKAGE_SOFTWARE, PACKAGE_LICENCE };

struct package_component {
	char name[PACKAGE_NAME_OCTETS + 1]; /* no path: a-z 0-9 . _ - */
	uint64_t octets;
};

struct package_manifest {
	enum package_type type;
	/* "6.2.0p1"; a licence's may be "" */
	char version[PACKAGE_VERSION_OCTETS + 1];
	char notes[PACKAGE_NOTES_OCTETS + 1]; /* for people; may be "" */
	int64_t made_s;                       /* wall time, UTC */
	uint32_t clients; /* of a licence: how many at one time, 1 or more */
	struct package_component components[PACKAGE_COMPONENTS_MOST];
	size_t component_count;
};

/*
 * The text of a manifest: package_open's, and there for the fuzzer.
 *
 * ERR_VALUE    it is none
 * ERR_FEATURE  of a package for another product
 */
enum err package_manifest_read(
    struct bytes text, struct package_manifest *out) MUST_CHECK;

struct package;

/*
 * Verify the WHOLE of it, signature, encryption and form, before anything in it
 * is believed.
 *
 * trust  borrowed for the call; NULL: none
 * why    on every error but ERR_NOMEM: a sentence for who installs it
 *
 * ERR_CONFIG         the device has no trust
 * ERR_VALUE          this is no package; or a signed one that is malformed
 * ERR_DENIED         not signed, signed by another key, or not encrypted
 * ERR_SEAL           changed or cut, or encrypted under another key
 * ERR_FEATURE        for another product
 * ERR_STORE_VERSION  a later release's, and not readable by this one
 * ERR_LIMIT          more than PACKAGE_MOST_OCTETS
 * ERR_SYSTEM, ERR_CRYPTO, ERR_NOMEM
 */
enum err package_open(int fd, const struct package_trust *trust,
    struct package **out, char why[PACKAGE_WHY_OCTETS]) MUST_CHECK;
void package_close(struct package *package); /* accepts NULL */

/* Borrowed. */
const struct package_manifest *package_manifest(const struct package *package);

/* The number of the component of that name. ERR_NOT_FOUND */
enum err package_find(
    const struct package *package, const char *name, size_t *number) MUST_CHECK;

/*
 * So many octets of its content from `from` on, piece by piece, each valid
 * during the call. The sink's error ends it and is returned.
 *
 * ERR_SEAL  the file has been changed since it was opened
 */
typedef enum err package_sink_fn(void *ctx, struct bytes octets);
enum err package_read(struct package *package, size_t number, uint64_t from,
    uint64_t octets, package_sink_fn *sink, void *ctx) MUST_CHECK;

#endif
