/*
 * hsmctl: what befalls a card, for tests.
 *
 *	hsmctl DIR WORDS...
 *
 *	hsmctl DIR status
 *	hsmctl DIR tamper cover
 *	hsmctl DIR battery remove
 *	hsmctl DIR fault add op=C_WrapKey nth=3 rv=CKR_DEVICE_ERROR
 *
 * The words go to the card of the appliance in DIR, over the control socket
 * that it has in the laboratory only; docs/card.md lists them. Its answer is
 * printed.
 *
 * Exit status: 0 it says ok, 1 it says error, or there is no such card, 2
 * wrong usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Relative to DIR, since socket paths are short. */
#define SOCKET "lab/card.sock"
#define CARD   "card"

enum {
	LINE_OCTETS = 256, /* as base/lab.h takes them */
	ANSWER_OCTETS = 4096,
	ANSWER_MS = 20000, /* a card that takes longer hangs */
};

static void __attribute__((noreturn, format(printf, 2, 3)))
die(int status, const char *format, ...)
{
	va_list args;

	fputs("hsmctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

/* The card locks its directory for as long as it lives. */
static bool
card_runs(void)
{
	int fd = open(CARD, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool runs;

	if (fd < 0)
		return false;
	runs = flock(fd, LOCK_SH | LOCK_NB) != 0;
	close(fd);
	return runs;
}

static int
reach(const char *dir)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = SOCKET};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (chdir(dir) != 0)
		die(1, "%s: %s", dir, strerror(errno));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	if (card_runs())
		die(1,
		    "%s: its card is not in the laboratory: it was started "
		    "without --lab",
		    dir);
	die(1, "%s: no card runs there", dir);
}

static void
say(int fd, char **words, int count)
{
	char line[LINE_OCTETS];
	size_t octets = 0;
	int k;

	for (k = 0; k < count; k++) {
		octets += (size_t)snprintf(line + octets, sizeof(line) - octets,
		    "%s%c", words[k], k + 1 < count ? ' ' : '\n');
		if (octets >= sizeof(line))
			die(2, "too many words");
	}
	if (memchr(line, '\n', octets) != line + octets - 1)
		die(2, "a line feed is no word");
	if (send(fd, line, octets, MSG_NOSIGNAL) != (ssize_t)octets)
		die(1, "the card does not listen");
}

/* Without its line feed; "" when the card went away instead. */
static void
hear(int fd, char answer[ANSWER_OCTETS])
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	size_t octets = 0;
	ssize_t got;

	do {
		if (poll(&ready, 1, ANSWER_MS) != 1)
			die(1, "no answer in %d s", ANSWER_MS / 1000);
		got = recv(fd, answer + octets, ANSWER_OCTETS - octets - 1, 0);
		octets += got > 0 ? (size_t)got : 0;
	} while (got > 0 && octets + 1 < ANSWER_OCTETS &&
		 answer[octets - 1] != '\n');
	answer[octets] = '\0';
	answer[strcspn(answer, "\n")] = '\0';
}

int
main(int argc, char **argv)
{
	char answer[ANSWER_OCTETS];
	int fd;

	if (argc < 3)
		die(2, "usage: hsmctl DIR status | tamper ... | battery ... | "
		       "ped ... | fault ... | power ...");
	fd = reach(argv[1]);
	say(fd, argv + 2, argc - 2);
	hear(fd, answer);
	if (answer[0] == '\0') {
		/* which is what was wanted, for one */
		if (strcmp(argv[2], "power") == 0)
			return 0;
		die(1, "the card went away");
	}
	puts(answer);
	return strncmp(answer, "ok", 2) == 0 ? 0 : 1;
}
