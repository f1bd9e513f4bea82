#include "lunacm/cardlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/percent.h"
#include "base/secret.h"
#include "card/admin.h"

void
cardlink_init(struct cardlink *link, const char *path)
{
	link->path = path;
	link->fd = -1;
}

void
cardlink_close(struct cardlink *link)
{
	if (link->fd >= 0)
		(void)close(link->fd);
	link->fd = -1;
}

static enum err
open_link(struct cardlink *link)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	if (link->fd >= 0)
		return OK;
	if (strlen(link->path) >= sizeof(at.sun_path))
		return ERR_CLOSED;
	memcpy(at.sun_path, link->path, strlen(link->path));
	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->fd < 0)
		return ERR_CLOSED;
	if (connect(link->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		return ERR_CLOSED;
	return OK;
}

static enum err
send_all(int fd, struct bytes octets)
{
	while (octets.octets != 0) {
		ssize_t sent = send(fd, octets.at, octets.octets, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return ERR_CLOSED;
		octets.at += sent;
		octets.octets -= (size_t)sent;
	}
	return OK;
}

/*
 * A line that is not a `say`, out of `in`, which may begin with the line that
 * was read before.
 */
static enum err
hear(struct cardlink *link, struct buf *in, struct reply *out)
{
	enum err rc = OK;

	do {
		const uint8_t *end;

		while ((end = in->octets != 0 ? memchr(in->at, '\n', in->octets)
					      : NULL) == NULL) {
			uint8_t *tail;
			ssize_t got;

			TRY(buf_reserve(in, 512, &tail));
			got = recv(link->fd, tail, 512, 0);
			if (got < 0 && errno == EINTR)
				continue;
			if (got <= 0)
				TRY(ERR_CLOSED);
			buf_added(in, (size_t)got);
		}
		TRY(reply_read(
		    (struct bytes){in->at, (size_t)(end - in->at)}, out));
		buf_drop(in, (size_t)(end - in->at) + 1);
	} while (out->kind == REPLY_SAY);
out:
	return rc;
}

enum err
cardlink_ask(struct cardlink *link, const char *command,
    const struct cardlink_arg *args, size_t arg_count, struct reply *out)
{
	struct buf line;
	struct buf in;
	size_t k;
	enum err rc = OK;

	buf_init(&line, ADMIN_LINE_OCTETS);
	buf_init(&in, REPLY_OCTETS + 512);
	TRY(buf_put_text(&line, command));
	for (k = 0; k < arg_count; k++) {
		TRY(buf_printf(&line, " %s=", args[k].name));
		TRY(percent_put(&line, args[k].value));
	}
	TRY(buf_put_text(&line, "\n"));
	rc = open_link(link);
	if (rc == OK)
		rc = send_all(link->fd, buf_peek(&line));
	if (rc == OK)
		rc = hear(link, &in, out);
	if (rc == ERR_LIMIT)
		rc = ERR_LENGTH; /* an answer without an end */
	if (rc != OK)
		cardlink_close(link);
out:
	buf_clear(&line);
	buf_clear(&in);
	return rc;
}
