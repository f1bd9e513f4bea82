/*
 * For tests of what asks accounts: accounts without passwords.
 */
#ifndef DEVICE_ACCOUNTS_TEST_H
#define DEVICE_ACCOUNTS_TEST_H

#include "device/rig_test.h"

static inline void
account_put(struct bench *bench, const char *name, bool high, uint32_t controls)
{
	static char none[] = "";
	struct admin admin = {
	    .full_name = none,
	    .description = none,
	    .high = high,
	    .controls = controls,
	    /* nobody's: of this salt and hash no password is known */
	    .password = {"pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw==$"
			 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
	};
	const char *why = "";

	(void)snprintf(admin.name, sizeof(admin.name), "%s", name);
	assert_ok(admin_write(bench->appliance.store, &admin, &why));
}

static inline void
account_delete(struct bench *bench, const char *name)
{
	const char *why = "";

	assert_ok(
	    admin_delete(bench->appliance.store, bytes_of_text(name), &why));
}

static inline bool
account_is_high(struct bench *bench, const char *name)
{
	struct admin admin;
	bool high;

	assert_ok(
	    admin_read(bench->appliance.store, bytes_of_text(name), &admin));
	high = admin.high;
	admin_drop(&admin);
	return high;
}

#endif
