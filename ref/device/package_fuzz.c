/*
 * Packages and trust files: what anybody may bring. The first octet says which
 * part of the reader gets the rest: a trust file, a manifest as who has the
 * release key could sign it, a version, or a whole file. The signature of a
 * file is never right, so that what lies behind it is reached by the manifest.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/ossl.h"
#include "device/package.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets);

/* Somebody's, whose signatures nobody here can make. */
static const char trusted[] =
    "-----BEGIN RSA PUBLIC KEY-----\n"
    "MIIBCgKCAQEAnpXawzH869hn4r6ww8H+Q3f3R26LPAF26lMvT8H3BzIv1wr7N/do\n"
    "cYcZy8m+q9APFljV4GHRfQxNxw9qIu28pYmOWXxoi9Cf3gRO1EPN4Htm+7bFuX6P\n"
    "6kUEh+lANKnHNRMaLdrNa1nKwEoQ/CdN4wcgtNuh5z26//4kgfDV329p2E+5Iyyt\n"
    "LZD1KDNKKTwr8qll/2lGw2QMFMyEL+YieLecmVgcoNU/coJwElNZ4TvxTwRi8kVR\n"
    "4FF7GtDAYrECnmVZmAJL9yzFxABsn+2sPZy1+rvfJIl0V2xmNf6Mzr3luats+05S\n"
    "XPCBvZ7ufNmy73Q37+jqOSgNndmPGeEXewIDAQAB\n"
    "-----END RSA PUBLIC KEY-----\n"
    "-----BEGIN PACKAGE KEY-----\n"
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    "-----END PACKAGE KEY-----\n";

static const struct package_trust *
trust_once(void)
{
	static struct package_trust *trust;

	if (trust == NULL &&
	    (ossl_init() != OK ||
		package_trust_read(bytes_of_text(trusted), &trust) != OK))
		abort();
	return trust;
}

static void
trust(struct bytes in)
{
	struct package_trust *out;

	(void)trust_once(); /* OpenSSL */
	if (package_trust_read(in, &out) == OK)
		package_trust_free(out);
}

/* What is read is within its bounds, and names no path. */
static void
manifest(struct bytes in)
{
	struct package_manifest m;
	size_t k;

	if (package_manifest_read(in, &m) != OK)
		return;
	if (m.component_count > PACKAGE_COMPONENTS_MOST ||
	    (m.type == PACKAGE_LICENCE && m.clients == 0))
		abort();
	for (k = 0; k < m.component_count; k++)
		if (strchr(m.components[k].name, '/') != NULL ||
		    m.components[k].name[0] == '.' ||
		    m.components[k].octets > PACKAGE_MOST_OCTETS)
			abort();
}

static void
version(struct bytes in)
{
	struct package_version v;

	if (package_version_read(in, &v) == OK &&
	    package_version_compare(&v, &v) != 0)
		abort();
}

static void
file(struct bytes in)
{
	char why[PACKAGE_WHY_OCTETS];
	struct package *package;
	int fd = memfd_create("package", MFD_CLOEXEC);

	if (fd < 0 || write(fd, in.at, in.octets) != (ssize_t)in.octets)
		abort();
	if (package_open(fd, trust_once(), &package, why) == OK)
		abort();
	(void)close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets)
{
	struct bytes in = {at, octets};
	struct bytes which;

	if (bytes_split(&in, 1, &which) != OK)
		return 0;
	switch (which.at[0] % 4) {
	case 0:
		trust(in);
		break;
	case 1:
		manifest(in);
		break;
	case 2:
		version(in);
		break;
	default:
		file(in);
		break;
	}
	return 0;
}
