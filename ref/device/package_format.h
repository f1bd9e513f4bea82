/*
 * Private to package.c and its tests: the layout that docs/package-format.md
 * describes.
 */
#ifndef DEVICE_PACKAGE_FORMAT_H
#define DEVICE_PACKAGE_FORMAT_H

#define PACKAGE_MAGIC   "TSPACKGE"
#define PACKAGE_PRODUCT "touchstone-ref"

enum {
	PACKAGE_VERSION = 1,
	/* of the header */
	PACKAGE_AT_VERSION = 8,
	PACKAGE_AT_OLDEST_READER = 9,
	PACKAGE_AT_CIPHER = 10,
	PACKAGE_AT_SIGNATURE = 11,
	PACKAGE_AT_SIGNATURE_OCTETS = 12,
	PACKAGE_AT_OCTETS = 16,
	PACKAGE_AT_SALT = 24,
	PACKAGE_AT_FINGERPRINT = 56,
	PACKAGE_HEAD_OCTETS = 88,
	/* of its fields */
	PACKAGE_SALT_OCTETS = 32,
	PACKAGE_FINGERPRINT_OCTETS = 32,
	PACKAGE_SIGNATURE_MOST_OCTETS = 512,
	/* of the plain text */
	PACKAGE_COUNT_OCTETS = 4,
	PACKAGE_CHUNK_OCTETS = 65536,
	PACKAGE_NUMBER_DIGITS = 6, /* of a part of a version */
};

enum package_cipher { PACKAGE_CLEAR, PACKAGE_AES_256_GCM };
enum package_signature { PACKAGE_UNSIGNED, PACKAGE_RSA_SHA_256 };

#endif
