#include "cli/ssh_door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/ssh.h"
#include "cli/ssh_key.h"

enum {
	BACKLOG = 128,
	ASKS_OCTETS = SSH_CONNECTIONS_MAX * 2 * PEER_LOGIN_OCTETS,
	ADDRESS_OCTETS = 64,
};

/* Where to listen. */
struct place {
	char address[ADDRESS_OCTETS]; /* "": all */
	unsigned port;
};

/* One connection. */
struct guest {
	struct ssh_door *door;
	struct guest *next, *prev;
	struct ssh_peer *peer;
	char address[PEER_OCTETS];
	struct loop_timer *timer;
	struct login login;
	bool logging_in;
	bool welcome; /* who and must are known */
	struct principal who;
	enum admin_must must;
	struct cli *cli;
	struct message *held; /* what was said in this turn */
	struct message **held_end;
	size_t held_octets;
	struct loop_task leave; /* its session has ended */
};

struct ssh_door {
	struct appliance *appliance;
	struct place instead; /* of All, and of the port that is set at first */
	bool has_instead;
	struct place place;  /* where it listens */
	struct place wanted; /* where it was to, when that was last looked at */
	int fd;
	struct loop_fd *watch;
	struct queue *asks;
	struct loop_fd *asks_watch;
	struct secret *key;
	struct change key_change;
	bool making_key;
	bool stopping;
	struct loop_task close; /* of all connections */
	struct loop_task flush; /* what they are told */
	struct settings_watch settings;
	struct guest guests; /* a ring around one that is none */
	unsigned guest_count;
};

/* ---------------------------------------------------------------------------
 * Connections
 */

/* The first of what is held: the caller's. NULL: nothing is. */
static struct message *
held_take(struct guest *guest)
{
	struct message *message = guest->held;

	if (message == NULL)
		return NULL;
	guest->held = message->next;
	if (guest->held == NULL)
		guest->held_end = &guest->held;
	guest->held_octets -= message->octets;
	return message;
}

static void
guest_free(struct guest *guest)
{
	struct ssh_door *door = guest->door;

	if (guest->logging_in)
		login_leave(&guest->login);
	loop_task_cancel(&guest->leave);
	cli_free(guest->cli);
	while (guest->held != NULL)
		message_free(held_take(guest));
	if (guest->peer != NULL) {
		ssh_peer_cut(guest->peer);
		ssh_peer_free(guest->peer);
	}
	loop_timer_free(guest->timer);
	if (guest->next != NULL) {
		guest->next->prev = guest->prev;
		guest->prev->next = guest->next;
		door->guest_count--;
	}
	mem_free(guest);
}

/* It has had its time. */
static void
time_is_over(void *ctx)
{
	struct guest *guest = ctx;

	ssh_peer_cut(guest->peer);
}

static void
set_time(struct guest *guest, int64_t left_ms)
{
	loop_timer_set(
	    guest->timer, loop_now_ms(guest->door->appliance->loop) + left_ms);
}

static void
guest_flush(struct guest *guest)
{
	struct message *message;

	while ((message = held_take(guest)) != NULL) {
		if (ssh_peer_say(guest->peer, (enum cli_mark)message->kind,
			message_text(message)) != OK)
			ssh_peer_cut(guest->peer);
		message_free(message);
	}
}

/* At the turn's end, behind the commit: see ssh_door.h. */
static void
flush_all(void *ctx)
{
	struct ssh_door *door = ctx;
	struct guest *guest;

	for (guest = door->guests.next; guest != &door->guests;
	     guest = guest->next)
		guest_flush(guest);
}

/* Its session has ended; not while that is saying something. */
static void
leave(void *ctx)
{
	struct guest *guest = ctx;

	cli_free(guest->cli);
	guest->cli = NULL;
	guest_flush(guest);
	ssh_peer_end(guest->peer);
	set_time(guest, SSH_LINGER_MS);
}

static void
say(void *ctx, enum cli_mark mark, struct bytes text)
{
	struct guest *guest = ctx;
	struct message *message;

	if (guest->held_octets > PEER_UNREAD_OCTETS ||
	    message_new(NULL, (int)mark, text, &message) != OK) {
		ssh_peer_cut(guest->peer);
	} else {
		*guest->held_end = message;
		guest->held_end = &message->next;
		guest->held_octets += message->octets;
	}
	if (mark == CLI_BYE)
		loop_later(guest->door->appliance->loop, &guest->leave);
}

/* The service stops: nobody is left in the middle of anything. */
static void
guest_end(struct guest *guest)
{
	static const char words[] = "SSH Administration is stopped.";

	if (guest->cli == NULL) {
		ssh_peer_cut(guest->peer);
		return;
	}
	say(guest, CLI_SAY, bytes_of_text(words));
	say(guest, CLI_BYE, BYTES_NONE);
}

/* ---- passwords ---- */

static unsigned
sessions(const struct ssh_door *door)
{
	const struct guest *guest;
	unsigned count = 0;

	for (guest = door->guests.next; guest != &door->guests;
	     guest = guest->next)
		count += guest->welcome;
	return count;
}

static void
answer(struct guest *guest, bool welcome, const char *text)
{
	if (ssh_peer_answer(guest->peer, welcome, text) != OK)
		ssh_peer_cut(guest->peer);
}

/*
 * What is told to whom: see login.h.
 *
 * req: KS-15-018 KS-15-100
 */
static void
judged(struct login *login, enum login_verdict verdict)
{
	struct guest *guest = login->ctx;

	guest->logging_in = false;
	switch (verdict) {
	case LOGIN_OK:
		if (sessions(guest->door) == SSH_SESSIONS_MAX) {
			answer(guest, false, "Too many SSH sessions.");
			break;
		}
		guest->welcome = true;
		guest->who = login->principal;
		guest->must = login->must;
		answer(guest, true, "");
		break;
	case LOGIN_WRONG:
		answer(guest, false, "");
		break;
	case LOGIN_LOCKED:
		answer(guest, false, "Permission Denied");
		break;
	case LOGIN_DOOR:
		answer(guest, false,
		    "Access denied: \"Admin Access via SSH\" access control "
		    "is required.");
		break;
	case LOGIN_FAILED:
		log_line(
		    "cli", LOG_ERROR, "ssh: a login: %s", err_text(login->rc));
		answer(guest, false, "");
		break;
	}
}

static void
log_in(struct guest *guest, struct bytes text)
{
	const uint8_t *end = memchr(text.at, '\0', text.octets);
	struct login *login = &guest->login;
	size_t octets;

	if (guest->welcome || guest->logging_in || end == NULL) {
		ssh_peer_cut(guest->peer);
		return;
	}
	octets = (size_t)(end - text.at);
	*login = (struct login){
	    .door = DOOR_SSH,
	    .peer = guest->address,
	    .name = {text.at, octets},
	    .password = {end + 1, text.octets - octets - 1},
	    .done = judged,
	    .ctx = guest,
	};
	guest->logging_in = login_begin(guest->door->appliance, login) == OK;
	if (!guest->logging_in)
		answer(guest, false, "");
}

/* ---- sessions ---- */

static bool
has_room(void *ctx)
{
	const struct guest *guest = ctx;

	return guest->held_octets < PEER_ROOM_OCTETS &&
	       ssh_peer_has_room(guest->peer);
}

static void
begin_session(struct guest *guest)
{
	const struct cli_entry entry = {
	    .door = DOOR_SSH,
	    .peer = guest->address,
	    .room = has_room,
	    .who = &guest->who,
	    .must = guest->must,
	};

	loop_timer_stop(guest->timer);
	if (!guest->welcome || guest->cli != NULL ||
	    cli_new(guest->door->appliance, &entry, say, guest, &guest->cli) !=
		OK)
		ssh_peer_cut(guest->peer);
}

/* What is typed while nothing is waited for is the thread's to keep; what was
 * on its way when the session ended is lost. */
static void
type(struct guest *guest, enum peer_question question, struct bytes text)
{
	struct cli *cli = guest->cli;

	if (cli == NULL || !cli_waits(cli))
		return;
	if (question == PEER_LINE)
		cli_input(cli, text);
	else if (question == PEER_BREAK)
		cli_break(cli);
	else if (cli_waits_for_command(cli))
		cli_complete(cli, text);
}

static void
hear(struct guest *guest, enum peer_question question, struct bytes text)
{
	switch (question) {
	case PEER_LOGIN:
		log_in(guest, text);
		break;
	case PEER_SESSION:
		begin_session(guest);
		break;
	case PEER_LINE:
	case PEER_COMPLETE:
	case PEER_BREAK:
		type(guest, question, text);
		break;
	case PEER_ROOM:
		if (guest->cli != NULL)
			cli_has_room(guest->cli);
		break;
	case PEER_OVER:
		leave(guest);
		break;
	case PEER_GONE:
		guest_free(guest);
		break;
	}
}

/* All are gone. */
static void
is_stopped(struct ssh_door *door)
{
	if (!door->stopping || door->making_key || door->guest_count != 0)
		return;
	door->stopping = false;
	secret_free(door->key);
	door->key = NULL;
	service_stopped(door->appliance->services, SERVICE_SSH);
}

/* Some in each turn: many who knock do not hold up the others. */
static void
somebody_asks(void *ctx, unsigned ready)
{
	struct ssh_door *door = ctx;
	struct message *message;
	unsigned k;

	(void)ready;
	for (k = 0; k < SSH_ASKS_PER_TURN; k++) {
		message = queue_take(door->asks);
		if (message == NULL)
			break;
		hear(message->from, (enum peer_question)message->kind,
		    message_text(message));
		message_free(message);
	}
	is_stopped(door);
}

/* ---------------------------------------------------------------------------
 * The port
 */

static void
address_text(const struct sockaddr_storage *at, char out[PEER_OCTETS])
{
	struct sockaddr_in v4 = {0};
	struct sockaddr_in6 v6 = {0};

	if (at->ss_family == AF_INET6) {
		memcpy(&v6, at, sizeof(v6));
		if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
			(void)inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, out,
			    PEER_OCTETS);
		else
			(void)inet_ntop(
			    AF_INET6, &v6.sin6_addr, out, PEER_OCTETS);
		return;
	}
	memcpy(&v4, at, sizeof(v4));
	(void)inet_ntop(AF_INET, &v4.sin_addr, out, PEER_OCTETS);
}

static void
guest_new(struct ssh_door *door, int fd, const struct sockaddr_storage *at)
{
	struct ssh_peer_config config = {
	    .fd = fd, .key = secret_peek(door->key), .asks = door->asks};
	struct guest *guest = NULL;
	const int on = 1;
	enum err rc = OK;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	TRY(MEM_NEW(guest));
	guest->door = door;
	guest->held_end = &guest->held;
	guest->leave = (struct loop_task){.fn = leave, .ctx = guest};
	address_text(at, guest->address);
	TRY(loop_timer_new(
	    door->appliance->loop, time_is_over, guest, &guest->timer));
	config.from = guest;
	fd = -1; /* taken */
	TRY(ssh_peer_new(&config, &guest->peer));
	set_time(guest, SSH_GRACE_MS);
	guest->next = &door->guests;
	guest->prev = door->guests.prev;
	guest->prev->next = guest;
	door->guests.prev = guest;
	door->guest_count++;
	guest = NULL;
out:
	if (rc != OK)
		log_line(
		    "cli", LOG_WARN, "ssh: a connection: %s", err_text(rc));
	if (fd >= 0)
		close(fd);
	if (guest != NULL)
		guest_free(guest);
}

static void
somebody_knocks(void *ctx, unsigned ready)
{
	struct ssh_door *door = ctx;
	struct sockaddr_storage at = {0};
	socklen_t octets = sizeof(at);
	int fd =
	    accept4(door->fd, (struct sockaddr *)&at, &octets, SOCK_CLOEXEC);

	(void)ready;
	if (fd < 0)
		return;
	if (door->guest_count == SSH_CONNECTIONS_MAX) {
		log_line("cli", LOG_WARN, "ssh: more than %d connections",
		    SSH_CONNECTIONS_MAX);
		close(fd);
		return;
	}
	guest_new(door, fd, &at);
}

static void
close_port(struct ssh_door *door)
{
	loop_fd_free(door->watch);
	door->watch = NULL;
	if (door->fd >= 0)
		close(door->fd);
	door->fd = -1;
}

/* ERR_SYSTEM: errno says why. */
static enum err
listen_at(const void *at, socklen_t octets, int family, int *fd)
{
	const int on = 1, off = 0;
	enum err rc = OK;

	*fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return ERR_SYSTEM;
	(void)setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		(void)setsockopt(
		    *fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(*fd, at, octets) != 0 || listen(*fd, BACKLOG) != 0) {
		int why = errno;

		close(*fd);
		*fd = -1;
		errno = why;
		rc = ERR_SYSTEM;
	}
	return rc;
}

static enum err
listen_v4(const struct place *place, int *fd)
{
	struct sockaddr_in v4 = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)place->port)};

	errno = EINVAL;
	if (*place->address != '\0' &&
	    inet_pton(AF_INET, place->address, &v4.sin_addr) != 1)
		return ERR_SYSTEM;
	return listen_at(&v4, sizeof(v4), AF_INET, fd);
}

/* All of both kinds is one socket, where the machine has the newer kind. */
static enum err
listen_v6(const struct place *place, int *fd)
{
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)place->port)};

	errno = EINVAL;
	if (*place->address != '\0' &&
	    inet_pton(AF_INET6, place->address, &v6.sin6_addr) != 1)
		return ERR_SYSTEM;
	return listen_at(&v6, sizeof(v6), AF_INET6, fd);
}

static unsigned
bound_port(int fd)
{
	struct sockaddr_storage at = {0};
	struct sockaddr_in6 v6; /* the port is where v4's is */
	socklen_t octets = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &octets) != 0)
		return 0;
	memcpy(&v6, &at, sizeof(v6));
	return ntohs(v6.sin6_port);
}

static enum err
listen_there(const struct place *place, int *fd)
{
	bool is_v4 =
	    strchr(place->address, ':') == NULL && *place->address != '\0';
	enum err rc = is_v4 ? ERR_SYSTEM : listen_v6(place, fd);

	if (rc != OK && (is_v4 || *place->address == '\0'))
		rc = listen_v4(place, fd);
	return rc;
}

static enum err
open_port(struct ssh_door *door, const struct place *place)
{
	enum err rc = listen_there(place, &door->fd);

	if (rc != OK) {
		log_line("cli", LOG_ERROR, "ssh: %s port %u: %s",
		    *place->address != '\0' ? place->address : "All",
		    place->port, strerror(errno));
		return rc;
	}
	TRY(loop_fd_new(door->appliance->loop, door->fd, LOOP_READ,
	    somebody_knocks, door, &door->watch));
	door->place = *place;
	door->place.port = bound_port(door->fd);
	log_line("cli", LOG_INFO, "ssh: listens at %s port %u",
	    *place->address != '\0' ? place->address : "All", door->place.port);
out:
	if (rc != OK)
		close_port(door);
	return rc;
}

static bool
is_same_place(const struct place *a, const struct place *b)
{
	return a->port == b->port && strcmp(a->address, b->address) == 0;
}

/* As the settings have it, and what stands for them. req: KS-19-028 */
static void
wanted_place(struct ssh_door *door, struct place *out)
{
	const struct settings *settings = door->appliance->settings;
	const char *address = setting_text(settings, SETTING_SSH_ADDRESS);
	int64_t port = setting_number(settings, SETTING_SSH_PORT);

	*out = (struct place){.port = (unsigned)port};
	if (strcmp(address, "All") != 0)
		(void)snprintf(
		    out->address, sizeof(out->address), "%s", address);
	if (!door->has_instead)
		return;
	if (*out->address == '\0')
		(void)memcpy(
		    out->address, door->instead.address, sizeof(out->address));
	if (port == strtoll(setting_row(SETTING_SSH_PORT)->initial, NULL, 10))
		out->port = door->instead.port;
}

static enum err
open_wanted(struct ssh_door *door)
{
	struct place place;
	enum err rc = OK;

	wanted_place(door, &place);
	door->wanted = place;
	TRY(open_port(door, &place));
	if (place.port == 0)
		door->instead.port = door->wanted.port = door->place.port;
out:
	return rc;
}

/* A socket for all addresses keeps others from the same port: the old one goes
 * first, and comes back where the new one cannot be had. */
static void
move(struct ssh_door *door)
{
	struct place old = door->place;
	struct place place;

	wanted_place(door, &place);
	door->wanted = place;
	if (door->fd < 0 || is_same_place(&place, &old))
		return;
	close_port(door);
	if (open_wanted(door) != OK)
		(void)!open_port(door, &old);
}

static enum err
try_place(const struct place *place, enum setting which,
    const struct settings *settings, char why[SETTING_WHY_OCTETS])
{
	int fd;
	enum err rc = listen_there(place, &fd);

	if (rc == OK)
		close(fd);
	else
		(void)snprintf(why, SETTING_WHY_OCTETS, "%s: %s: %s",
		    setting_row(which)->name, setting_shown(settings, which),
		    strerror(errno));
	return rc == OK ? OK : ERR_FIELD;
}

/*
 * Can it be had? The port that it has now can not, by anybody else. Where it
 * is not to move, nothing is asked: what became of it is not the fault of who
 * sets something else.
 */
static enum err
settings_judge_place(
    void *ctx, struct settings *settings, char why[SETTING_WHY_OCTETS])
{
	struct ssh_door *door = ctx;
	struct place place, address;
	enum err rc = OK;

	wanted_place(door, &place);
	if (door->fd < 0 || is_same_place(&place, &door->wanted))
		return OK;
	address = place;
	address.port = 0;
	TRY(try_place(&address, SETTING_SSH_ADDRESS, settings, why));
	if (place.port != door->place.port)
		TRY(try_place(&place, SETTING_SSH_PORT, settings, why));
out:
	return rc;
}

/* Where both have changed, the first call moves, and the second has nothing to
 * do. req: KS-AA-027 */
static void
settings_follow(void *ctx, enum setting which)
{
	if (which == SETTING_SSH_ADDRESS || which == SETTING_SSH_PORT)
		move(ctx);
}

/* ---------------------------------------------------------------------------
 * The service
 */

static enum err
open_door(struct ssh_door *door)
{
	enum err rc = OK;

	TRY(ssh_key_read(door->appliance, &door->key));
	TRY(open_wanted(door));
	service_started(door->appliance->services, SERVICE_SSH);
out:
	if (rc != OK) {
		secret_free(door->key);
		door->key = NULL;
	}
	return rc;
}

static enum err
make_key(struct change *change)
{
	(void)snprintf(
	    change->event, sizeof(change->event), "SSH key: created");
	return ssh_key_renew(change->appliance);
}

static void
key_is_made(struct change *change, enum err rc)
{
	struct ssh_door *door = change->ctx;

	door->making_key = false;
	if (door->stopping) {
		is_stopped(door);
		return;
	}
	if (rc == OK)
		rc = open_door(door);
	if (rc == OK)
		return;
	log_line("cli", LOG_ERROR, "ssh: %s", err_text(rc));
	service_stopped(door->appliance->services, SERVICE_SSH);
}

/* req: ESKM-163 */
static enum err
start(void *ctx)
{
	struct ssh_door *door = ctx;
	enum err rc = open_door(door);

	if (rc != ERR_NOT_FOUND)
		return rc;
	door->making_key = true;
	door->key_change = (struct change){
	    .act = ACT_REMOTE_ADMIN,
	    .apply = make_key,
	    .done = key_is_made,
	    .ctx = door,
	};
	change_run(door->appliance, &door->key_change);
	return OK;
}

static void
close_all(void *ctx)
{
	struct ssh_door *door = ctx;
	struct guest *guest;

	for (guest = door->guests.next; guest != &door->guests;
	     guest = guest->next)
		guest_end(guest);
	is_stopped(door);
}

/* Who asked for it may be one of the guests, and is told first. */
static void
stop(void *ctx)
{
	struct ssh_door *door = ctx;

	close_port(door);
	door->stopping = true;
	loop_later(door->appliance->loop, &door->close);
}

/* ---------------------------------------------------------------------------
 * Life
 */

static enum err
read_instead(struct ssh_door *door, const char *listen)
{
	const char *colon = strrchr(listen, ':');
	const char *address = listen;
	size_t octets;
	char *end;
	unsigned long port;

	if (*listen == '\0')
		return OK;
	if (colon == NULL)
		return ERR_CONFIG;
	octets = (size_t)(colon - listen);
	if (*address == '[' && octets >= 2 && address[octets - 1] == ']') {
		address++;
		octets -= 2;
	}
	port = strtoul(colon + 1, &end, 10);
	if (octets >= ADDRESS_OCTETS || *end != '\0' || colon[1] == '\0' ||
	    port > UINT16_MAX)
		return ERR_CONFIG;
	memcpy(door->instead.address, address, octets);
	door->instead.port = (unsigned)port;
	door->has_instead = true;
	return OK;
}

enum err
ssh_door_new(
    struct appliance *appliance, const char *listen, struct ssh_door **out)
{
	struct service_functions functions = {.start = start, .stop = stop};
	struct ssh_door *door = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(door));
	door->appliance = appliance;
	door->fd = -1;
	door->guests.next = door->guests.prev = &door->guests;
	door->close = (struct loop_task){.fn = close_all, .ctx = door};
	door->flush = (struct loop_task){.fn = flush_all, .ctx = door};
	loop_each_turn(appliance->loop, &door->flush);
	TRY(read_instead(door, listen));
	TRY(queue_new(ASKS_OCTETS, &door->asks));
	TRY(loop_fd_new(appliance->loop, queue_fd(door->asks), LOOP_READ,
	    somebody_asks, door, &door->asks_watch));
	door->settings = (struct settings_watch){
	    .judge = settings_judge_place,
	    .follow = settings_follow,
	    .ctx = door,
	};
	settings_watch(appliance->settings, &door->settings);
	functions.ctx = door;
	service_offer(appliance->services, SERVICE_SSH, &functions);
	*out = door;
	door = NULL;
out:
	ssh_door_free(door);
	return rc;
}

void
ssh_door_free(struct ssh_door *door)
{
	struct guest *guest;

	if (door == NULL)
		return;
	change_leave(&door->key_change);
	loop_task_cancel(&door->close);
	loop_task_cancel(&door->flush);
	close_port(door);
	/* all are cut before the first is waited for */
	for (guest = door->guests.next; guest != &door->guests;
	     guest = guest->next)
		ssh_peer_cut(guest->peer);
	while (door->guests.next != &door->guests)
		guest_free(door->guests.next);
	loop_fd_free(door->asks_watch);
	queue_free(door->asks);
	secret_free(door->key);
	mem_free(door);
}

unsigned
ssh_door_port(const struct ssh_door *door)
{
	return door->fd >= 0 ? door->place.port : 0;
}

unsigned
ssh_door_connections(const struct ssh_door *door)
{
	return door->guest_count;
}
