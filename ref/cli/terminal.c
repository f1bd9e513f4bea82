#include "cli/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"
#include "cli/cli.h"

enum { HEARD_OCTETS = 8192 };

struct terminal {
	int fd;
	bool person; /* standard input is a terminal, and nothing else is */
	char *const *lines;
	size_t line_count;
	size_t next_line;
	int status;
	char heard[HEARD_OCTETS];
	size_t octets;
	char typed[COMMAND_LINE_OCTETS + 1]; /* and its line feed */
};

static struct termios before; /* as the terminal was */

static void
restored(int signal_number)
{
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	_exit(128 + signal_number);
}

/* What is typed is not shown. */
static void
hide(void)
{
	struct termios hidden;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return;
	hidden = before;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	(void)signal(SIGINT, restored);
	(void)signal(SIGTERM, restored);
	(void)signal(SIGHUP, restored);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
}

static void
show(void)
{
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	putchar('\n');
}

static bool
send_line(struct terminal *t, const char *line, size_t octets)
{
	while (octets != 0) {
		ssize_t sent = send(t->fd, line, octets, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		line += sent;
		octets -= (size_t)sent;
	}
	return true;
}

/*
 * One line of standard input, its end included, octet for octet: what follows
 * it may be for somebody else. 0: there is none, or the server went away.
 */
static size_t
type(struct terminal *t)
{
	size_t octets = 0;

	while (octets < sizeof(t->typed)) {
		struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
		    {.fd = t->fd, .events = POLLIN}};

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return 0;
		if (fds[1].revents != 0)
			return 0;
		if (fds[0].revents == 0)
			continue;
		if (read(STDIN_FILENO, t->typed + octets, 1) != 1)
			return 0;
		if (t->typed[octets++] == '\n')
			return octets;
	}
	return 0;
}

/* From standard input to the server. */
static bool
pass_on(struct terminal *t, bool secret)
{
	bool hidden = secret && isatty(STDIN_FILENO);
	size_t octets;
	bool sent;

	if (hidden)
		hide();
	octets = type(t);
	if (hidden)
		show();
	sent = octets != 0 && send_line(t, t->typed, octets);
	secret_wipe(t->typed, sizeof(t->typed));
	return sent;
}

/* ---- what the server says: false ends the session ---- */

static bool
prompted(struct terminal *t, const char *text)
{
	const char *line;

	if (t->next_line < t->line_count) {
		line = t->lines[t->next_line++];
		return send_line(t, line, strlen(line)) &&
		       send_line(t, "\n", 1);
	}
	if (t->line_count != 0)
		return false;
	if (t->person) {
		fputs(text, stdout);
		(void)fflush(stdout);
	}
	return pass_on(t, false);
}

static bool
asked(struct terminal *t, const char *text, bool secret)
{
	fputs(text, stdout);
	putchar(isatty(STDIN_FILENO) ? ' ' : '\n');
	(void)fflush(stdout);
	if (pass_on(t, secret))
		return true;
	/* nobody answers: the command is given up */
	t->status = TERMINAL_FAILED;
	return false;
}

static bool
heard(struct terminal *t, const char *line)
{
	switch (line[0]) {
	case CLI_SAY:
		puts(line + 1);
		(void)fflush(stdout);
		return true;
	case CLI_PROMPT:
		return prompted(t, line + 1);
	case CLI_VALUE:
		return asked(t, line + 1, false);
	case CLI_SECRET:
		return asked(t, line + 1, true);
	case CLI_END:
		t->status =
		    strcmp(line + 1, "0") == 0 ? TERMINAL_OK : TERMINAL_FAILED;
		return t->person || t->status == TERMINAL_OK;
	default:
		return false; /* CLI_BYE */
	}
}

/* false: the session has ended. */
static bool
listen_once(struct terminal *t)
{
	ssize_t got =
	    recv(t->fd, t->heard + t->octets, sizeof(t->heard) - t->octets, 0);
	char *end;
	bool on = true;

	if (got < 0 && errno == EINTR)
		return true;
	if (got <= 0) {
		fputs("touchstone-ref: the console broke off\n", stderr);
		t->status = TERMINAL_UNREACHED;
		return false;
	}
	t->octets += (size_t)got;
	while (on && (end = memchr(t->heard, '\n', t->octets)) != NULL) {
		size_t octets = (size_t)(end + 1 - t->heard);

		*end = '\0';
		on = heard(t, t->heard);
		t->octets -= octets;
		memmove(t->heard, end + 1, t->octets);
	}
	return on;
}

static bool
reach(struct terminal *t, const char *dir)
{
	struct sockaddr_un at = {
	    .sun_family = AF_UNIX, .sun_path = "console.sock"};

	t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (t->fd >= 0 && chdir(dir) == 0 &&
	    connect(t->fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return true;
	fprintf(stderr, "touchstone-ref: no console in %s: %s\n", dir,
	    strerror(errno));
	return false;
}

int
terminal_run(const char *dir, char *const *lines, size_t line_count)
{
	struct terminal t = {
	    .fd = -1,
	    .person = line_count == 0 && isatty(STDIN_FILENO),
	    .lines = lines,
	    .line_count = line_count,
	    .status = TERMINAL_UNREACHED,
	};

	if (reach(&t, dir)) {
		t.status = TERMINAL_OK;
		while (listen_once(&t))
			;
	}
	if (t.fd >= 0)
		close(t.fd);
	return t.status;
}
