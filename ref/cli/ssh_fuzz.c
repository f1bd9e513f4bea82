/*
 * The SSH door's thread, from both sides of the key exchange. The first octet
 * of an input says which:
 *
 *	r   the rest is all that the peer sends, instead of SSH
 *	else a client of libssh's logs in, and does what each line of the rest
 *	    says: its first octet is what, the others are what with
 *
 *	u   a user's name; p  a password for it; k  one by keyboard-interactive
 *	n   no password at all
 *	t   a terminal, as wide as the octets behind it say; w  another width
 *	e   run these commands; s  a shell; f  a subsystem
 *	i   type this, and LF; o  type this
 *	d   nothing more is typed
 */
#include "cli/ssh_peer_test.h"

enum { INPUT_OCTETS = 8192, TEXT_OCTETS = 4096 };

struct client {
	struct bytes does;
	ssh_session session;
	ssh_channel channel;
	char user[TEXT_OCTETS + 1];
	bool in; /* who is, is not answered any more */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
say_all(unsigned port, struct bytes octets)
{
	int fd = client_connect(port);
	char heard[4096];

	while (octets.octets != 0) {
		ssize_t sent = send(fd, octets.at, octets.octets, MSG_NOSIGNAL);

		if (sent <= 0)
			break;
		octets.at += sent;
		octets.octets -= (size_t)sent;
	}
	(void)shutdown(fd, SHUT_WR);
	while (read(fd, heard, sizeof(heard)) > 0)
		;
	close(fd);
}

static int
keyboard_interactive(struct client *client, const char *password)
{
	unsigned rounds = 0;
	int got = ssh_userauth_kbdint(client->session, client->user, NULL);

	while (got == SSH_AUTH_INFO && rounds++ < 4) {
		if (ssh_userauth_kbdint_getnprompts(client->session) > 0 &&
		    ssh_userauth_kbdint_setanswer(
			client->session, 0, password) < 0)
			break;
		got = ssh_userauth_kbdint(client->session, client->user, NULL);
	}
	return got;
}

/* NULL: none is to be had. */
static ssh_channel
channel(struct client *client)
{
	if (client->channel == NULL) {
		client->channel = ssh_channel_new(client->session);
		if (client->channel != NULL &&
		    ssh_channel_open_session(client->channel) != SSH_OK) {
			ssh_channel_free(client->channel);
			client->channel = NULL;
		}
	}
	return client->channel;
}

static void
enter(struct client *client, char what, const char *with)
{
	int got;

	if (what == 'u')
		(void)strcpy(client->user, with);
	if (what == 'u' || client->in)
		return;
	if (what == 'p')
		got = client_log_in(client->session, client->user, with);
	else if (what == 'k')
		got = keyboard_interactive(client, with);
	else
		got = client_log_in(client->session, client->user, NULL);
	client->in = got == SSH_AUTH_SUCCESS;
}

static void
use(struct client *client, char what, const char *with)
{
	ssh_channel to = channel(client);
	int wide = (uint8_t)with[0] * 256 + (with[0] != '\0' ? with[1] : 0);

	if (to == NULL)
		return;
	switch (what) {
	case 't':
		(void)ssh_channel_request_pty_size(to, "vt100", wide, 24);
		break;
	case 'w':
		(void)ssh_channel_change_pty_size(to, wide, 24);
		break;
	case 'e':
		(void)ssh_channel_request_exec(to, with);
		break;
	case 's':
		(void)ssh_channel_request_shell(to);
		break;
	case 'f':
		(void)ssh_channel_request_subsystem(to, with);
		break;
	case 'i':
	case 'o':
		(void)ssh_channel_write(to, with, (uint32_t)strlen(with));
		if (what == 'i')
			(void)ssh_channel_write(to, "\n", 1);
		break;
	case 'd':
		(void)ssh_channel_send_eof(to);
		break;
	default:
		break;
	}
}

static void
one_line(struct client *client, struct bytes line)
{
	static char with[TEXT_OCTETS + 1];
	size_t octets;

	if (line.octets == 0)
		return;
	octets = line.octets - 1 < TEXT_OCTETS ? line.octets - 1 : TEXT_OCTETS;
	memcpy(with, line.at + 1, octets);
	with[octets] = '\0';
	if (strchr("upkn", line.at[0]) != NULL)
		enter(client, (char)line.at[0], with);
	else
		use(client, (char)line.at[0], with);
}

static void
visit(unsigned port, void *ctx)
{
	struct client *client = ctx;
	struct bytes *in = &client->does;
	char heard[4096];

	if (in->octets != 0 && in->at[0] == 'r') {
		say_all(port, (struct bytes){in->at + 1, in->octets - 1});
		return;
	}
	client->session = client_open(port);
	if (client->session == NULL)
		abort();
	while (in->octets != 0 && ssh_is_connected(client->session)) {
		const uint8_t *end = memchr(in->at, '\n', in->octets);
		struct bytes line = *in;

		if (end != NULL)
			line.octets = (size_t)(end - in->at);
		one_line(client, line);
		in->at += line.octets + (end != NULL);
		in->octets -= line.octets + (end != NULL);
	}
	if (client->channel != NULL) {
		(void)ssh_channel_send_eof(client->channel);
		/* all that it says, or until it has nothing to say */
		while (ssh_channel_read_timeout(
			   client->channel, heard, sizeof(heard), 0, 50) > 0)
			;
		ssh_channel_free(client->channel);
	}
	client_close(client->session);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	static struct client client;
	static struct host host;

	if (octets > INPUT_OCTETS)
		return 0;
	memset(&client, 0, sizeof(client));
	client.does = (struct bytes){data, octets};
	(void)strcpy(client.user, "bob");
	if (host_serve(&host, visit, &client) != OK)
		abort();
	/* nobody comes in by any other way */
	if (host.asked[PEER_LINE] != 0 && host.asked[PEER_LOGIN] == 0)
		abort();
	return 0;
}
