#include "cli/ssh.h"

#include <fcntl.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/screen.h"

enum {
	STACK_OCTETS = 1024 * 1024,
	NAME_OCTETS = 256,
	KEYS_OCTETS = 4096, /* typed ahead; more waits in the channel */
	SHOWN_OCTETS = PEER_UNREAD_OCTETS,
	WRITE_OCTETS = 32 * 1024,
	ANSWER = 0, /* a kind of message that is no mark */
};

struct ssh_peer {
	int fd; /* the thread has another of the same socket */
	pthread_t thread;
	bool runs;
	struct secret *key;
	struct queue *asks;
	void *from;
	struct queue *told;   /* by the loop */
	struct message *gone; /* made beforehand: it must not fail */

	/* ---- the thread's own ---- */
	size_t heard; /* octets, since PEER_ROOM */
	ssh_session session;
	ssh_channel channel;
	struct ssh_server_callbacks_struct server_callbacks;
	struct ssh_channel_callbacks_struct channel_callbacks;
	char name[NAME_OCTETS]; /* who answers keyboard-interactive */
	unsigned tries;
	unsigned requests;
	bool welcome;
	bool terminal;
	unsigned columns;
	struct screen *screen; /* NULL: no session yet */
	bool ended;            /* the peer types no more */
	bool over;             /* nothing is said any more: show it and end */
	bool broken;           /* end at once */
	bool closed;           /* the channel, by the peer */
	struct buf shown;
	uint8_t keys[KEYS_OCTETS];
	size_t key_count;
};

/* ---------------------------------------------------------------------------
 * Host keys
 */

static ssh_key
read_key(struct bytes key)
{
	char text[HOSTKEY_OCTETS + 1];
	ssh_key out = NULL;

	if (key.octets == 0 || key.octets > HOSTKEY_OCTETS)
		return NULL;
	memcpy(text, key.at, key.octets);
	text[key.octets] = '\0';
	if (ssh_pki_import_privkey_base64(text, NULL, NULL, NULL, &out) !=
	    SSH_OK)
		out = NULL;
	secret_wipe(text, sizeof(text));
	return out;
}

bool
ssh_hostkey_is_valid(struct bytes key)
{
	ssh_key read = read_key(key);
	bool is = read != NULL && ssh_key_type(read) == SSH_KEYTYPE_ECDSA_P256;

	ssh_key_free(read);
	return is;
}

enum err
ssh_hostkey_make(struct secret **out)
{
	ssh_key key = NULL;
	char *text = NULL;
	enum err rc = OK;

	*out = NULL;
	if (ssh_pki_generate(SSH_KEYTYPE_ECDSA_P256, 256, &key) != SSH_OK)
		TRY(ERR_ENTROPY);
	if (ssh_pki_export_privkey_base64(key, NULL, NULL, NULL, &text) !=
	    SSH_OK)
		TRY(ERR_NOMEM);
	TRY(secret_copy(bytes_of_text(text), out));
out:
	if (text != NULL) {
		secret_wipe(text, strlen(text));
		ssh_string_free_char(text);
	}
	ssh_key_free(key);
	return rc;
}

/* ---------------------------------------------------------------------------
 * Questions to the loop, by the thread
 */

static void
ask(struct ssh_peer *peer, enum peer_question question, struct bytes text)
{
	if (queue_put(peer->asks, peer->from, (int)question, text) != OK)
		peer->broken = true;
}

/* NULL: there is nobody to answer any more. */
static struct message *
wait_for_answer(struct ssh_peer *peer)
{
	struct pollfd fd = {.fd = queue_fd(peer->told), .events = POLLIN};

	while (poll(&fd, 1, -1) < 0)
		;
	return queue_take(peer->told);
}

/* ---------------------------------------------------------------------------
 * Who is it?
 */

/* What OpenSSH's client prints, whatever becomes of the attempt. */
static void
show_banner(struct ssh_peer *peer, struct bytes text)
{
	char line[256];
	ssh_string banner;

	(void)snprintf(line, sizeof(line), "%.*s\r\n", (int)text.octets,
	    (const char *)text.at);
	banner = ssh_string_from_char(line);
	if (banner == NULL ||
	    ssh_send_issue_banner(peer->session, banner) != SSH_OK)
		peer->broken = true;
	ssh_string_free(banner);
}

/*
 * May this name come in with this password? Each attempt is the loop's to
 * judge, and to count.
 *
 * req: KS-15-017 KS-15-018
 */
static bool
try_password(struct ssh_peer *peer, const char *name, const char *password)
{
	struct message *answer = NULL;
	struct buf login;
	bool welcome = false;
	enum err rc = OK;

	buf_init(&login, PEER_LOGIN_OCTETS);
	if (peer->tries++ == PEER_TRIES_MAX)
		TRY(ERR_LIMIT);
	TRY(buf_put_text(&login, name));
	TRY(buf_put(&login, (struct bytes){(const uint8_t *)"", 1}));
	TRY(buf_put_text(&login, password));
	ask(peer, PEER_LOGIN, buf_peek(&login));
	if (!peer->broken)
		answer = wait_for_answer(peer);
	if (answer == NULL)
		TRY(ERR_CLOSED);
	welcome = answer->at[0] != 0;
	if (answer->octets > 1)
		show_banner(
		    peer, (struct bytes){answer->at + 1, answer->octets - 1});
	peer->welcome = welcome;
out:
	if (rc != OK || (!welcome && peer->tries == PEER_TRIES_MAX))
		peer->broken = true;
	message_free(answer);
	buf_clear(&login);
	return welcome;
}

static int
password_given(
    ssh_session session, const char *name, const char *password, void *ctx)
{
	(void)session;
	return try_password(ctx, name, password) ? SSH_AUTH_SUCCESS
						 : SSH_AUTH_DENIED;
}

/* 0: it has been answered. */
static int
keyboard_interactive(struct ssh_peer *peer, ssh_message message)
{
	static const char *prompts[] = {"Password: "};
	char echo[] = {0};
	const char *password;
	bool welcome;

	if (!ssh_message_auth_kbdint_is_response(message)) {
		(void)snprintf(peer->name, sizeof(peer->name), "%s",
		    ssh_message_auth_user(message));
		return ssh_message_auth_interactive_request(
			   message, "", "", 1, prompts, echo) != SSH_OK;
	}
	if (ssh_userauth_kbdint_getnanswers(peer->session) != 1)
		return 1;
	password = ssh_userauth_kbdint_getanswer(peer->session, 0);
	welcome = password != NULL && try_password(peer, peer->name, password);
	if (!welcome)
		return 1;
	return ssh_message_auth_reply_success(message, 0) != SSH_OK;
}

/* What no other callback takes; 1: refuse it. */
static int
other_message(ssh_session session, ssh_message message, void *ctx)
{
	struct ssh_peer *peer = ctx;

	(void)session;
	if (ssh_message_type(message) == SSH_REQUEST_SERVICE)
		return ssh_message_service_reply_success(message) != SSH_OK;
	if (peer->requests++ == PEER_REQUESTS_MAX)
		peer->broken = true;
	if (ssh_message_type(message) == SSH_REQUEST_AUTH &&
	    ssh_message_subtype(message) == SSH_AUTH_METHOD_INTERACTIVE)
		return keyboard_interactive(peer, message);
	return 1;
}

/* ---------------------------------------------------------------------------
 * The session
 */

static int
pty_wanted(ssh_session session, ssh_channel channel, const char *kind,
    int columns, int rows, int wide, int high, void *ctx)
{
	struct ssh_peer *peer = ctx;

	(void)session;
	(void)channel;
	(void)kind;
	(void)rows;
	(void)wide;
	(void)high;
	if (peer->screen != NULL)
		return -1;
	peer->terminal = true;
	peer->columns = columns > 0 ? (unsigned)columns : 0;
	return 0;
}

static int
pty_changed(ssh_session session, ssh_channel channel, int columns, int rows,
    int wide, int high, void *ctx)
{
	struct ssh_peer *peer = ctx;

	(void)session;
	(void)channel;
	(void)rows;
	(void)wide;
	(void)high;
	peer->columns = columns > 0 ? (unsigned)columns : 0;
	if (peer->screen != NULL)
		screen_width(peer->screen, peer->columns);
	return 0;
}

/* commands: NULL: they are typed */
static int
begin_session(struct ssh_peer *peer, const char *commands)
{
	struct screen_config config = {
	    .terminal = peer->terminal,
	    .columns = peer->columns,
	    .given = commands != NULL,
	};

	if (peer->screen != NULL)
		return 1;
	if (commands != NULL)
		config.commands = bytes_of_text(commands);
	if (screen_new(&config, &peer->screen) != OK)
		return 1;
	ask(peer, PEER_SESSION, BYTES_NONE);
	return 0;
}

static int
shell_wanted(ssh_session session, ssh_channel channel, void *ctx)
{
	(void)session;
	(void)channel;
	return begin_session(ctx, NULL);
}

static int
exec_wanted(
    ssh_session session, ssh_channel channel, const char *command, void *ctx)
{
	(void)session;
	(void)channel;
	return begin_session(ctx, command);
}

static void
input_ended(ssh_session session, ssh_channel channel, void *ctx)
{
	struct ssh_peer *peer = ctx;

	(void)session;
	(void)channel;
	peer->ended = true;
}

static void
channel_closed(ssh_session session, ssh_channel channel, void *ctx)
{
	struct ssh_peer *peer = ctx;

	(void)session;
	(void)channel;
	peer->closed = true;
}

/* One to a connection. */
static ssh_channel
channel_wanted(ssh_session session, void *ctx)
{
	struct ssh_peer *peer = ctx;
	struct ssh_channel_callbacks_struct *calls = &peer->channel_callbacks;

	if (peer->channel != NULL)
		return NULL;
	peer->channel = ssh_channel_new(session);
	if (peer->channel == NULL)
		return NULL;
	calls->userdata = peer;
	calls->channel_pty_request_function = pty_wanted;
	calls->channel_pty_window_change_function = pty_changed;
	calls->channel_shell_request_function = shell_wanted;
	calls->channel_exec_request_function = exec_wanted;
	calls->channel_eof_function = input_ended;
	calls->channel_close_function = channel_closed;
	ssh_callbacks_init(calls);
	if (ssh_set_channel_callbacks(peer->channel, calls) != SSH_OK)
		peer->broken = true;
	return peer->channel;
}

/* ---- between the screen and the channel ---- */

static void
act_on(struct ssh_peer *peer, enum screen_event event)
{
	switch (event) {
	case SCREEN_MORE:
		break;
	case SCREEN_LINE:
		ask(peer, PEER_LINE, screen_line(peer->screen));
		break;
	case SCREEN_COMPLETE:
		ask(peer, PEER_COMPLETE, screen_line(peer->screen));
		break;
	case SCREEN_BREAK:
		ask(peer, PEER_BREAK, BYTES_NONE);
		break;
	case SCREEN_OVER:
		peer->over = true;
		ask(peer, PEER_OVER, BYTES_NONE);
		break;
	}
}

static void
hear(struct ssh_peer *peer, const struct message *message)
{
	enum screen_event event;

	if (message->kind == ANSWER || peer->screen == NULL || peer->over)
		return;
	if (screen_say(peer->screen, (enum cli_mark)message->kind,
		message_text(message), &peer->shown, &event) != OK)
		peer->broken = true;
	else
		act_on(peer, event);
}

static void
hear_all(struct ssh_peer *peer)
{
	/* asked first: what was put before it was closed is heard */
	bool closed = queue_is_closed(peer->told);
	struct message *message;
	bool all = false;

	while (!peer->broken && peer->shown.octets < PEER_ROOM_OCTETS) {
		message = queue_take(peer->told);
		all = message == NULL;
		if (all)
			break;
		peer->heard += message->octets;
		hear(peer, message);
		message_free(message);
	}
	/* whoever finds no room has put so much: this comes behind it */
	if (peer->heard >= PEER_ROOM_OCTETS) {
		peer->heard = 0;
		ask(peer, PEER_ROOM, BYTES_NONE);
	}
	if (all && closed)
		peer->over = true;
}

/* As far as it is waited for: what is not, waits in the channel, whose window
 * closes then. */
static void
read_keys(struct ssh_peer *peer)
{
	enum screen_event event = SCREEN_MORE;

	while (!peer->broken && !peer->over && screen_waits(peer->screen)) {
		struct bytes in;
		int got = 0;

		if (peer->key_count == 0)
			got = ssh_channel_read_nonblocking(
			    peer->channel, peer->keys, sizeof(peer->keys), 0);
		if (got > 0)
			peer->key_count = (size_t)got;
		if (peer->key_count == 0 && !peer->ended)
			break;
		in = (struct bytes){peer->keys, peer->key_count};
		if (screen_type(peer->screen, &in, peer->ended, &peer->shown,
			&event) != OK)
			peer->broken = true;
		memmove(peer->keys, in.at, in.octets);
		peer->key_count = in.octets;
		secret_wipe(
		    peer->keys + in.octets, sizeof(peer->keys) - in.octets);
		act_on(peer, event);
		if (event != SCREEN_MORE)
			break;
	}
}

/* As far as the peer takes it. */
static void
write_shown(struct ssh_peer *peer)
{
	while (!peer->broken && peer->shown.octets != 0) {
		uint32_t room = ssh_channel_window_size(peer->channel);
		int sent;

		if (room > WRITE_OCTETS)
			room = WRITE_OCTETS;
		if (room > peer->shown.octets)
			room = (uint32_t)peer->shown.octets;
		if (room == 0 ||
		    (ssh_get_status(peer->session) & SSH_WRITE_PENDING) != 0)
			break;
		sent = ssh_channel_write(peer->channel, peer->shown.at, room);
		if (sent <= 0)
			peer->broken = true;
		else
			buf_drop(&peer->shown, (size_t)sent);
	}
}

/* ---------------------------------------------------------------------------
 * The thread
 */

/* As libssh words it. */
static enum err
refused(void *by, const char *what)
{
	log_line("cli", LOG_WARN, "ssh: %s: %s", what, ssh_get_error(by));
	return ERR_SYSTEM;
}

static void
set_bind(ssh_bind bind, enum ssh_bind_options_e option, const void *value,
    enum err *rc)
{
	if (ssh_bind_options_set(bind, option, value) != SSH_OK)
		*rc = refused(bind, "options");
}

/*
 * Approved algorithms only; no file of the machine's is read.
 *
 * spec: sp800-131a-r2 5 9 10
 */
static enum err
bind_key(struct ssh_peer *peer, ssh_bind bind)
{
	static const bool no = false;
	ssh_key key = read_key(secret_peek(peer->key));
	enum err rc = OK;

	if (key == NULL)
		TRY(ERR_VALUE);
	set_bind(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no, &rc);
	set_bind(bind, SSH_BIND_OPTIONS_KEY_EXCHANGE,
	    "ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
	    "diffie-hellman-group16-sha512,diffie-hellman-group14-sha256",
	    &rc);
	set_bind(bind, SSH_BIND_OPTIONS_CIPHERS_C_S,
	    "aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,"
	    "aes192-ctr,aes128-ctr",
	    &rc);
	set_bind(bind, SSH_BIND_OPTIONS_CIPHERS_S_C,
	    "aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,"
	    "aes192-ctr,aes128-ctr",
	    &rc);
	set_bind(bind, SSH_BIND_OPTIONS_HMAC_C_S,
	    "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
	    "hmac-sha2-256,hmac-sha2-512",
	    &rc);
	set_bind(bind, SSH_BIND_OPTIONS_HMAC_S_C,
	    "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
	    "hmac-sha2-256,hmac-sha2-512",
	    &rc);
	set_bind(bind, SSH_BIND_OPTIONS_BANNER, "Touchstone", &rc);
	TRY(rc);
	set_bind(bind, SSH_BIND_OPTIONS_IMPORT_KEY, key, &rc);
	TRY(rc);
	key = NULL; /* now bind's */
out:
	ssh_key_free(key);
	return rc;
}

static enum err
shake_hands(struct ssh_peer *peer, ssh_bind bind)
{
	/* the loop's timers say what takes too long, by the device's time */
	static const long timeout_s = 24 * 60 * 60L;
	struct ssh_server_callbacks_struct *calls = &peer->server_callbacks;
	int fd = fcntl(peer->fd, F_DUPFD_CLOEXEC, 0);
	int accepted;
	enum err rc = OK;

	if (fd < 0)
		TRY(ERR_SYSTEM);
	accepted = ssh_bind_accept_fd(bind, peer->session, fd);
	if (ssh_get_fd(peer->session) != fd)
		close(fd);
	if (accepted != SSH_OK)
		TRY(refused(bind, "accept"));
	if (ssh_options_set(peer->session, SSH_OPTIONS_TIMEOUT, &timeout_s) !=
	    SSH_OK)
		TRY(refused(peer->session, "timeout"));
	calls->userdata = peer;
	calls->auth_password_function = password_given;
	calls->channel_open_request_session_function = channel_wanted;
	ssh_callbacks_init(calls);
	if (ssh_set_server_callbacks(peer->session, calls) != SSH_OK)
		TRY(ERR_SYSTEM);
	ssh_set_message_callback(peer->session, other_message, peer);
	ssh_set_auth_methods(peer->session,
	    SSH_AUTH_METHOD_PASSWORD | SSH_AUTH_METHOD_INTERACTIVE);
	if (ssh_handle_key_exchange(peer->session) != SSH_OK)
		TRY(ERR_CLOSED);
	ssh_set_blocking(peer->session, 0);
out:
	return rc;
}

/* It only ends the wait. */
static int
loop_has_spoken(socket_t fd, int ready, void *ctx)
{
	(void)fd;
	(void)ready;
	(void)ctx;
	return 0;
}

/* Not while what it has said before is not taken: then it is the peer who is
 * waited for, and the queue is what bounds that. */
static enum err
listen_to_loop(struct ssh_peer *peer, ssh_event event, bool on, bool *is_on)
{
	int fd = queue_fd(peer->told);
	int done = SSH_OK;

	if (on && !*is_on)
		done =
		    ssh_event_add_fd(event, fd, POLLIN, loop_has_spoken, peer);
	else if (!on && *is_on)
		done = ssh_event_remove_fd(event, fd);
	*is_on = on;
	return done == SSH_OK ? OK : ERR_NOMEM;
}

/* All has been shown: the exit status, and the end of the channel. */
static enum err
finish(struct ssh_peer *peer)
{
	if (ssh_channel_request_send_exit_status(
		peer->channel, screen_status(peer->screen)) != SSH_OK ||
	    ssh_channel_send_eof(peer->channel) != SSH_OK ||
	    ssh_channel_close(peer->channel) != SSH_OK)
		return ERR_CLOSED;
	return OK;
}

static bool
is_alive(struct ssh_peer *peer)
{
	return !peer->broken && !peer->closed &&
	       ssh_is_connected(peer->session);
}

/* Until either side has had enough, or the peer has seen the end. */
static enum err
converse(struct ssh_peer *peer, ssh_event event)
{
	bool listening = false;
	bool finished = false;
	enum err rc = OK;

	while (is_alive(peer)) {
		if (peer->shown.octets == 0)
			hear_all(peer);
		if (peer->screen != NULL)
			read_keys(peer);
		if (peer->channel != NULL)
			write_shown(peer);
		if (peer->over && peer->screen == NULL)
			break;
		if (peer->over && !finished && peer->shown.octets == 0) {
			TRY(finish(peer));
			finished = true;
		}
		if (!is_alive(peer))
			break;
		TRY(listen_to_loop(peer, event,
		    !peer->over && peer->shown.octets == 0, &listening));
		if (ssh_event_dopoll(event, -1) == SSH_ERROR)
			break;
	}
out:
	if (listening)
		(void)ssh_event_remove_fd(event, queue_fd(peer->told));
	return rc;
}

static enum err
serve(struct ssh_peer *peer)
{
	ssh_bind bind = ssh_bind_new();
	ssh_event event = ssh_event_new();
	enum err rc = OK;

	peer->session = ssh_new();
	if (bind == NULL || event == NULL || peer->session == NULL)
		TRY(ERR_NOMEM);
	TRY(bind_key(peer, bind));
	TRY(shake_hands(peer, bind));
	if (ssh_event_add_session(event, peer->session) != SSH_OK)
		TRY(ERR_NOMEM);
	rc = converse(peer, event);
	(void)ssh_event_remove_session(event, peer->session);
out:
	if (peer->session != NULL) {
		ssh_disconnect(peer->session);
		ssh_free(peer->session);
	}
	if (event != NULL)
		ssh_event_free(event);
	ssh_bind_free(bind);
	return rc;
}

static void *
run(void *ctx)
{
	struct ssh_peer *peer = ctx;
	struct message *gone = peer->gone;
	enum err rc = serve(peer);

	if (rc != OK && rc != ERR_CLOSED)
		log_line("cli", LOG_WARN, "ssh: %s", err_text(rc));
	screen_free(peer->screen);
	buf_clear(&peer->shown);
	secret_wipe(peer->keys, sizeof(peer->keys));
	peer->gone = NULL;
	(void)!queue_take_in(peer->asks, gone);
	return NULL;
}

/* ---------------------------------------------------------------------------
 * For the loop
 */

/* Signals are the loop's. */
static enum err
start_thread(struct ssh_peer *peer)
{
	pthread_attr_t attr;
	sigset_t all, before;

	(void)pthread_attr_init(&attr); /* never fails on Linux */
	(void)pthread_attr_setstacksize(&attr, STACK_OCTETS);
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	peer->runs = pthread_create(&peer->thread, &attr, run, peer) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	return peer->runs ? OK : ERR_SYSTEM;
}

enum err
ssh_peer_new(const struct ssh_peer_config *config, struct ssh_peer **out)
{
	struct ssh_peer *peer = NULL;
	enum err rc = OK;

	*out = NULL;
	rc = MEM_NEW(peer);
	if (rc != OK) {
		close(config->fd);
		return rc;
	}
	peer->fd = config->fd;
	peer->asks = config->asks;
	peer->from = config->from;
	buf_init(&peer->shown, SHOWN_OCTETS);
	TRY(secret_copy(config->key, &peer->key));
	TRY(queue_new(PEER_UNREAD_OCTETS, &peer->told));
	TRY(message_new(peer->from, PEER_GONE, BYTES_NONE, &peer->gone));
	TRY(start_thread(peer));
	*out = peer;
	peer = NULL;
out:
	ssh_peer_free(peer);
	return rc;
}

void
ssh_peer_free(struct ssh_peer *peer)
{
	if (peer == NULL)
		return;
	if (peer->runs)
		(void)pthread_join(peer->thread, NULL);
	close(peer->fd);
	message_free(peer->gone);
	queue_free(peer->told);
	secret_free(peer->key);
	mem_free(peer);
}

enum err
ssh_peer_answer(struct ssh_peer *peer, bool welcome, const char *text)
{
	const uint8_t first = welcome;
	struct buf answer;
	enum err rc = OK;

	buf_init(&answer, PEER_LOGIN_OCTETS);
	TRY(buf_put(&answer, (struct bytes){&first, 1}));
	TRY(buf_put_text(&answer, text));
	TRY(queue_put(peer->told, NULL, ANSWER, buf_peek(&answer)));
out:
	buf_clear(&answer);
	return rc;
}

enum err
ssh_peer_say(struct ssh_peer *peer, enum cli_mark mark, struct bytes text)
{
	return queue_put(peer->told, NULL, (int)mark, text);
}

bool
ssh_peer_has_room(struct ssh_peer *peer)
{
	return queue_octets(peer->told) < PEER_ROOM_OCTETS;
}

void
ssh_peer_end(struct ssh_peer *peer)
{
	queue_close(peer->told);
}

void
ssh_peer_cut(struct ssh_peer *peer)
{
	queue_close(peer->told);
	(void)shutdown(peer->fd, SHUT_RDWR);
}
