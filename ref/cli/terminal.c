#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"
#include "cli/console.h"
#include "cli/editor.h"

enum {
	HEARD_OCTETS = 16384,
	SECRETS_OCTETS = 4096,
	PART_OCTETS = 4096,
	KEYS_OCTETS = 256,
	SHOWN_OCTETS = 64 * 1024,
};

/* What a line that nobody edits is read for. */
enum want { WANT_NOTHING, WANT_COMMAND, WANT_ANSWER };

struct terminal {
	/* what was asked for */
	const char *user;
	const char *password_file;
	const char *script; /* "-": standard input */
	char *const *lines;
	size_t line_count;
	/* how far it is */
	int fd;
	int in;       /* where lines come from */
	bool tty;     /* it is a terminal */
	bool person;  /* who gives the commands there */
	bool entered; /* there was a prompt */
	bool named;   /* the user was told */
	size_t next_line;
	int status;
	char secrets[SECRETS_OCTETS];
	size_t next_secret;
	/* from the server */
	char heard[HEARD_OCTETS];
	size_t octets;
	/* from who types: too long by one, and its line feed */
	char typed[COMMAND_LINE_OCTETS + 2];
	size_t typed_octets;
	enum want want;
	struct editor *editor;
	struct buf shown;
	uint8_t keys[KEYS_OCTETS]; /* typed ahead */
	size_t key_count;
	bool asking;     /* the editor is */
	bool completing; /* an answer to Tab is waited for */
};

/* ---- the modes of a terminal ---- */

static struct termios before; /* as it was */

static void
restored(int signal_number)
{
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	_exit(128 + signal_number);
}

static void
set_signals(void (*handler)(int signal_number))
{
	(void)signal(SIGTERM, handler);
	(void)signal(SIGHUP, handler);
}

/* Each key comes at once, and none is shown. */
static void
make_raw(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return;
	set_signals(restored);
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG | IEXTEN);
	raw.c_iflag &= ~(tcflag_t)(ICRNL | IXON);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

static void
make_cooked(void)
{
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	set_signals(SIG_DFL);
}

/* ---- to the server ---- */

static bool
send_octets(struct terminal *t, const void *octets, size_t count)
{
	const char *at = octets;

	while (count != 0) {
		ssize_t sent = send(t->fd, at, count, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		at += sent;
		count -= (size_t)sent;
	}
	return true;
}

static bool
send_line(struct terminal *t, const char *line)
{
	return send_octets(t, line, strlen(line)) && send_octets(t, "\n", 1);
}

/* ---- lines that nobody edits ---- */

static bool
want_line(struct terminal *t, enum want want)
{
	t->want = want;
	t->typed_octets = 0;
	return true;
}

/* false: there is none left, and what asked for it is given up. */
static bool
no_line(struct terminal *t)
{
	if (t->want == WANT_ANSWER)
		t->status = t->entered ? TERMINAL_FAILED : TERMINAL_UNREACHED;
	return false;
}

/*
 * No more than the line: what follows it may be for somebody else. Of a file
 * what is too much is given back; of a pipe an octet is taken at a time.
 */
static ssize_t
read_part(int fd, char *at, size_t room)
{
	off_t from = lseek(fd, 0, SEEK_CUR);
	ssize_t got = read(fd, at, from < 0 ? 1 : room);
	const char *end = got > 0 ? memchr(at, '\n', (size_t)got) : NULL;

	if (from < 0 || end == NULL)
		return got;
	got = end + 1 - at;
	return lseek(fd, from + got, SEEK_SET) < 0 ? -1 : got;
}

/* A line that is too long is cut so that it stays too long. */
static void
keep_part(struct terminal *t, const char *part, size_t octets)
{
	size_t room = sizeof(t->typed) - 1 - t->typed_octets;

	if (octets > room)
		octets = room;
	memcpy(t->typed + t->typed_octets, part, octets);
	t->typed_octets += octets;
}

static bool
read_line(struct terminal *t)
{
	char part[PART_OCTETS];
	ssize_t got = read_part(t->in, part, sizeof(part));
	bool ends, sent;

	if (got < 0 && errno == EINTR)
		return true;
	if (got <= 0)
		return no_line(t);
	ends = part[got - 1] == '\n';
	keep_part(t, part, (size_t)got - ends);
	secret_wipe(part, (size_t)got);
	if (!ends)
		return true;
	t->typed[t->typed_octets++] = '\n';
	t->want = WANT_NOTHING;
	sent = send_octets(t, t->typed, t->typed_octets);
	secret_wipe(t->typed, sizeof(t->typed));
	return sent;
}

/* ---- lines that a person edits ---- */

static bool
show(struct terminal *t)
{
	struct bytes b = buf_peek(&t->shown);
	bool written = fwrite(b.at, 1, b.octets, stdout) == b.octets &&
		       fflush(stdout) == 0;

	buf_reset(&t->shown);
	return written;
}

static void
end_asking(struct terminal *t)
{
	t->asking = false;
	make_cooked();
}

/* What was typed, and `last` behind it. */
static bool
send_typed(struct terminal *t, char last)
{
	struct bytes line = editor_line(t->editor);
	bool sent;

	memcpy(t->typed, line.at, line.octets);
	t->typed[line.octets] = last;
	sent =
	    send_octets(t, t->typed, line.octets + (last == CONSOLE_COMPLETE));
	sent = sent && send_octets(t, "\n", 1);
	secret_wipe(t->typed, sizeof(t->typed));
	return sent;
}

/* false: the session has ended. */
static bool
key_event(struct terminal *t, enum editor_event event)
{
	static const char give_up[] = {CONSOLE_BREAK, '\0'};

	switch (event) {
	case EDITOR_MORE:
		return true;
	case EDITOR_LINE:
		end_asking(t);
		return send_typed(t, '\n');
	case EDITOR_COMPLETE:
		t->completing = true;
		return send_typed(t, CONSOLE_COMPLETE);
	case EDITOR_BREAK:
		end_asking(t);
		return send_line(t, give_up);
	case EDITOR_END:
		end_asking(t);
		return false;
	}
	return false;
}

/* What is there of keys. */
static bool
take_keys(struct terminal *t)
{
	struct bytes in = {t->keys, t->key_count};
	enum editor_event event;
	bool on = true;

	while (on && t->asking && !t->completing && in.octets != 0) {
		if (editor_type(t->editor, &in, &t->shown, &event) != OK)
			return false;
		on = show(t) && key_event(t, event);
	}
	memmove(t->keys, in.at, in.octets);
	t->key_count = in.octets;
	return on;
}

static bool
read_keys(struct terminal *t)
{
	ssize_t got = read(STDIN_FILENO, t->keys + t->key_count,
	    sizeof(t->keys) - t->key_count);

	if (got < 0 && errno == EINTR)
		return true;
	if (got <= 0)
		return false;
	t->key_count += (size_t)got;
	return take_keys(t);
}

static bool
edit(struct terminal *t, enum editor_kind kind, const char *text,
    const char *behind)
{
	char prompt[EDITOR_PROMPT_OCTETS];
	struct winsize size;

	(void)snprintf(prompt, sizeof(prompt), "%s%s", text, behind);
	make_raw();
	t->asking = true;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0)
		editor_width(t->editor, size.ws_col);
	return editor_ask(t->editor, kind, prompt, &t->shown) == OK &&
	       show(t) && take_keys(t);
}

/* ---- what the server says: false ends the session ---- */

static bool
prompted(struct terminal *t, const char *text)
{
	t->entered = true;
	if (t->next_line < t->line_count)
		return send_line(t, t->lines[t->next_line++]);
	if (t->line_count != 0)
		return false;
	return t->tty ? edit(t, EDITOR_COMMAND, text, "")
		      : want_line(t, WANT_COMMAND);
}

/* The next line of the password file. false: there is none left. */
static bool
tell_secret(struct terminal *t, bool *sent)
{
	const char *line = t->secrets + t->next_secret;
	size_t octets = strcspn(line, "\n");

	if (*line == '\0')
		return false;
	t->next_secret += octets + (line[octets] == '\n');
	*sent = send_octets(t, line, octets) && send_octets(t, "\n", 1);
	return true;
}

static bool
asked(struct terminal *t, const char *text, bool secret)
{
	bool sent;

	if (!secret && !t->entered && t->user != NULL) {
		if (!t->named) {
			t->named = true;
			return send_line(t, t->user);
		}
		t->status = TERMINAL_UNREACHED; /* it was not let in */
		return false;
	}
	if (secret && tell_secret(t, &sent))
		return sent;
	if (t->tty)
		return edit(
		    t, secret ? EDITOR_SECRET : EDITOR_VALUE, text, " ");
	if (t->script == NULL) {
		puts(text);
		(void)fflush(stdout);
	}
	return want_line(t, WANT_ANSWER);
}

static bool
completed(struct terminal *t, const char *text)
{
	t->completing = false;
	return editor_insert(t->editor, bytes_of_text(text), &t->shown) == OK &&
	       show(t) && take_keys(t);
}

/* A line of output, above the one that is being typed. */
static void
say(struct terminal *t, const char *text)
{
	if (t->asking && editor_hide(t->editor, &t->shown) == OK)
		(void)show(t);
	puts(text);
	(void)fflush(stdout);
}

static bool
heard(struct terminal *t, const char *line)
{
	switch (line[0]) {
	case CLI_SAY:
		say(t, line + 1);
		return true;
	case CLI_PROMPT:
		return prompted(t, line + 1);
	case CLI_VALUE:
		return asked(t, line + 1, false);
	case CLI_SECRET:
		return asked(t, line + 1, true);
	case CLI_COMPLETE:
		return completed(t, line + 1);
	case CLI_END:
		if (strcmp(line + 1, "0") == 0)
			t->status = TERMINAL_OK;
		else
			t->status =
			    t->entered ? TERMINAL_FAILED : TERMINAL_UNREACHED;
		return t->person || t->status == TERMINAL_OK;
	default:
		return false; /* CLI_BYE */
	}
}

static bool
hear(struct terminal *t)
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

/* false: the session has ended. */
static bool
wait_for_either(struct terminal *t)
{
	struct pollfd fds[2] = {
	    {.fd = t->fd, .events = POLLIN}, {.fd = t->in, .events = POLLIN}};
	bool typing = t->asking && !t->completing;
	bool both = typing || t->want != WANT_NOTHING;

	if (poll(fds, both ? 2 : 1, -1) < 0)
		return errno == EINTR;
	if (fds[0].revents != 0)
		return hear(t);
	if (!both || fds[1].revents == 0)
		return true;
	return typing ? read_keys(t) : read_line(t);
}

/* ---- the session ---- */

static bool
read_secrets(struct terminal *t)
{
	int fd = open(t->password_file, O_RDONLY | O_CLOEXEC);
	ssize_t got =
	    fd >= 0 ? read(fd, t->secrets, sizeof(t->secrets) - 1) : -1;

	if (got < 0)
		fprintf(stderr, "touchstone-ref: %s: %s\n", t->password_file,
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	return got >= 0;
}

static bool
open_script(struct terminal *t)
{
	if (strcmp(t->script, "-") == 0)
		return true;
	t->in = open(t->script, O_RDONLY | O_CLOEXEC);
	if (t->in >= 0)
		return true;
	fprintf(stderr, "touchstone-ref: %s: %s\n", t->script, strerror(errno));
	return false;
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

static bool
read_options(struct terminal *t, int argc, char **argv)
{
	static const struct option known[] = {
	    {"user", required_argument, NULL, 'u'},
	    {"password-file", required_argument, NULL, 'p'},
	    {"script", optional_argument, NULL, 's'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	/* options end with the first COMMAND */
	while ((c = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		switch (c) {
		case 'u':
			t->user = optarg;
			break;
		case 'p':
			t->password_file = optarg;
			break;
		case 's':
			t->script = optarg != NULL ? optarg : "-";
			break;
		default:
			return false;
		}
	}
	t->lines = argv + optind;
	t->line_count = (size_t)(argc - optind);
	if (t->script == NULL || t->line_count == 0)
		return true;
	fputs("touchstone-ref: a script, or commands\n", stderr);
	return false;
}

int
terminal_run(int argc, char **argv)
{
	struct terminal t = {
	    .fd = -1,
	    .in = STDIN_FILENO,
	    .status = TERMINAL_UNREACHED,
	};

	if (!read_options(&t, argc, argv))
		return TERMINAL_USAGE;
	t.tty = t.script == NULL && isatty(STDIN_FILENO) != 0;
	t.person = t.tty && t.line_count == 0;
	buf_init(&t.shown, SHOWN_OCTETS);
	if (editor_new(&t.editor) == OK &&
	    (t.password_file == NULL || read_secrets(&t)) &&
	    (t.script == NULL || open_script(&t)) && reach(&t, argv[0])) {
		t.status = TERMINAL_OK;
		while (wait_for_either(&t))
			;
	}
	if (t.asking)
		end_asking(&t);
	if (t.fd >= 0)
		close(t.fd);
	if (t.in != STDIN_FILENO && t.in >= 0)
		close(t.in);
	editor_free(t.editor);
	buf_clear(&t.shown);
	secret_wipe(t.secrets, sizeof(t.secrets));
	secret_wipe(t.keys, sizeof(t.keys));
	return t.status;
}
