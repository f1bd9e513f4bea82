/*
 * For fuzzers of a program's socket: somebody who connects, says all he has to
 * say, hears what is answered, and leaves.
 */
#ifndef BASE_VISIT_TEST_H
#define BASE_VISIT_TEST_H

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/bytes.h"
#include "base/rig_test.h"

enum { VISIT_TURNS = 8 };

/* Sockets fail for reasons that do not come again: say which it was. */
#define visit_must(so) visit_check((so), #so, __LINE__)

static inline void
visit_check(bool so, const char *what, int line)
{
	if (so)
		return;
	fprintf(stderr, "line %d: %s: %s\n", line, what, strerror(errno));
	abort();
}

/* The rig's loop serves the socket. What is not read of `says` is lost. */
static inline void
visit(struct rig *rig, const char *path, struct bytes says)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char heard[4096];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unsigned k;

	visit_must(strlen(path) < sizeof(at.sun_path));
	memcpy(at.sun_path, path, strlen(path));
	visit_must(connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	visit_must(says.octets == 0 ||
		   send(fd, says.at, says.octets, MSG_NOSIGNAL) > 0);
	for (k = 0; k < VISIT_TURNS; k++) {
		visit_must(rig_turns(rig, 1) == OK);
		while (recv(fd, heard, sizeof(heard), 0) > 0)
			;
	}
	close(fd);
	visit_must(rig_turns(rig, 2) == OK);
}

#endif
