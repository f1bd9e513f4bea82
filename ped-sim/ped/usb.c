#include "ped/usb.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"

void
usb_init(struct usb *s)
{
	*s = (struct usb){.fd = -1};
}

void
usb_clear(struct usb *s)
{
	usb_remove(s);
}

enum err
usb_insert(struct usb *s, const char *path)
{
	char *copy = NULL;
	int fd = -1;
	enum err rc = OK;

	if (s->fd >= 0)
		TRY(ERR_EXISTS);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		TRY(errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		TRY(ERR_DENIED);
	copy = mem_strdup(path);
	if (copy == NULL)
		TRY(ERR_NOMEM);
	s->fd = fd;
	s->path = copy;
	fd = -1;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

void
usb_remove(struct usb *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	mem_free(s->path);
	s->path = NULL;
}

bool
usb_is_empty(const struct usb *s)
{
	return s->fd < 0 || s->is_broken;
}

bool
usb_test(struct usb *s)
{
	uint8_t first;

	if (s->is_broken)
		return false;
	return s->fd < 0 || pread(s->fd, &first, 1, 0) == 1;
}

enum err
usb_read_octets(struct usb *s, struct buf *out)
{
	uint8_t octets[IKEY_OCTETS + 1];
	ssize_t got;

	if (usb_is_empty(s))
		return ERR_NOT_FOUND;
	got = pread(s->fd, octets, sizeof(octets), 0);
	if (got < 0)
		return ERR_SYSTEM;
	return buf_put(out, (struct bytes){octets, (size_t)got});
}

enum err
usb_read(struct usb *s, struct ikey *out)
{
	struct buf octets;
	enum err rc = OK;

	buf_init(&octets, IKEY_OCTETS + 1);
	TRY(usb_read_octets(s, &octets));
	TRY(ikey_read(buf_peek(&octets), out));
out:
	buf_clear(&octets);
	return rc;
}

enum err
usb_write(struct usb *s, const struct ikey *key)
{
	uint8_t octets[IKEY_OCTETS];
	struct ikey there;
	enum err rc = OK;

	TRY(usb_read(s, &there));
	if (memcmp(there.serial, key->serial, sizeof(there.serial)) != 0)
		TRY(ERR_DENIED);
	TRY(ikey_write(key, octets));
	if (pwrite(s->fd, octets, sizeof(octets), 0) !=
		(ssize_t)sizeof(octets) ||
	    fsync(s->fd) != 0)
		TRY(ERR_SYSTEM);
out:
	return rc;
}
