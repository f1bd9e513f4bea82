/*
 * The USB slot: what is in it is the file of an iKey.
 *
 * An iKey is in one slot at a time: the file is locked while it is inserted.
 * It is read and written in place, each time anew.
 */
#ifndef PED_USB_H
#define PED_USB_H

#include "base/buf.h"
#include "ikey/ikey.h"

struct usb {
	int fd; /* -1: empty */
	char *path;
	bool is_broken; /* laboratory: seems empty */
};

void usb_init(struct usb *s);
void usb_clear(struct usb *s); /* takes the iKey out */

/*
 * ERR_EXISTS     there is an iKey in it
 * ERR_NOT_FOUND  no such file
 * ERR_DENIED     it is in another slot, or may not be read and written
 * ERR_NOMEM
 */
enum err usb_insert(struct usb *s, const char *path) MUST_CHECK;
void usb_remove(struct usb *s); /* harmless when it is empty */

bool usb_is_empty(const struct usb *s);

/* The port answers, and so does what is in it. */
bool usb_test(struct usb *s);

/*
 * All that the file has, as far as IKEY_OCTETS + 1 show it: whether that is an
 * iKey, ikey_read says.
 *
 * ERR_NOT_FOUND  nothing there
 * ERR_SYSTEM     it cannot be read
 * ERR_NOMEM, ERR_LIMIT
 */
enum err usb_read_octets(struct usb *s, struct buf *out) MUST_CHECK;

/* ERR_NOT_FOUND as above; else what ikey_read says */
enum err usb_read(struct usb *s, struct ikey *out) MUST_CHECK;

/*
 * Onto the iKey that has the serial number of `key`, durably.
 *
 * ERR_NOT_FOUND  nothing there
 * ERR_DENIED     another iKey is
 * ERR_SYSTEM     it cannot be written
 * ERR_CRYPTO
 */
enum err usb_write(struct usb *s, const struct ikey *key) MUST_CHECK;

#endif
