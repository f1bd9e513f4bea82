#include "rpc/client.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "rpc/hold.h"
#include "rpc/wire.h"

enum {
	READ_OCTETS = 4096,       /* at least, at a time */
	KEEP_OCTETS = 256 * 1024, /* a buffer that grew past this is let go */
};

struct connection {
	int fd;
	bool owed; /* an answer, or what can be understood as one */
	uint8_t name[WIRE_NAME_OCTETS];
	struct buf out, in;
	struct connection *next_idle;
	struct connection *next; /* of all */
};

struct rpc_client {
	struct sockaddr_un address;
	unsigned timeout_ms;
	CK_C_INITIALIZE_ARGS locks; /* CreateMutex is NULL: the system's */
	void *mutex;
	pthread_mutex_t system_mutex;
	uint8_t name[WIRE_NAME_OCTETS]; /* zeros: not told yet */
	_Atomic CK_RV broken;           /* CKR_OK: not */

	/* under the lock */
	struct connection *idle; /* the last one used is the next to be */
	struct connection *all;
	struct hold *hold;
};

/* An error of our own as PKCS#11 has it. */
static CK_RV
rv_of(enum err rc)
{
	if (rc == OK)
		return CKR_OK;
	if (rc == ERR_CLOSED)
		return CKR_DEVICE_REMOVED;
	if (rc == ERR_CHOICE)
		return CKR_MECHANISM_PARAM_INVALID;
	if (rc == ERR_NOMEM || rc == ERR_LIMIT || rc == ERR_COUNT ||
	    rc == ERR_DEPTH)
		return CKR_HOST_MEMORY;
	return CKR_DEVICE_ERROR;
}

/* ---- locks ---- */

static CK_RV
lock_new(struct rpc_client *c)
{
	(void)pthread_mutex_init(&c->system_mutex, NULL);
	if (c->locks.CreateMutex == NULL)
		return CKR_OK;
	return c->locks.CreateMutex(&c->mutex) == CKR_OK ? CKR_OK
							 : CKR_CANT_LOCK;
}

static void
lock_free(struct rpc_client *c)
{
	(void)pthread_mutex_destroy(&c->system_mutex);
	if (c->mutex != NULL)
		(void)c->locks.DestroyMutex(c->mutex);
}

/* Neither of them fails for one who holds to the rules. */
void
rpc_client_lock(struct rpc_client *c)
{
	if (c->mutex != NULL)
		(void)c->locks.LockMutex(c->mutex);
	else
		(void)pthread_mutex_lock(&c->system_mutex);
}

void
rpc_client_unlock(struct rpc_client *c)
{
	if (c->mutex != NULL)
		(void)c->locks.UnlockMutex(c->mutex);
	else
		(void)pthread_mutex_unlock(&c->system_mutex);
}

/* ---- the socket ---- */

static enum err
send_all(int fd, struct bytes out)
{
	while (out.octets != 0) {
		ssize_t n = send(fd, out.at, out.octets, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? ERR_TIMEOUT : ERR_CLOSED;
		out.at += n;
		out.octets -= (size_t)n;
	}
	return OK;
}

/* Some octets, at most `octets` of them. */
static enum err
receive(int fd, uint8_t *at, size_t octets, size_t *got)
{
	ssize_t n;

	do
		n = recv(fd, at, octets, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return ERR_TIMEOUT;
	if (n <= 0)
		return ERR_CLOSED;
	*got = (size_t)n;
	return OK;
}

/* The answer to a frame that was sent. */
static enum err
receive_frame(struct connection *conn, struct bytes *body)
{
	uint8_t *tail;
	size_t want, n;
	enum err rc = OK;

	for (;;) {
		rc = wire_frame_peek(buf_peek(&conn->in), body);
		if (rc != ERR_TRUNCATED)
			return rc;
		want = READ_OCTETS;
		if (conn->in.octets >= WIRE_LENGTH_OCTETS)
			want = WIRE_LENGTH_OCTETS + bytes_u32(conn->in.at) -
			       conn->in.octets;
		TRY(buf_reserve(&conn->in, want, &tail));
		TRY(receive(conn->fd, tail,
		    conn->in.room_octets - conn->in.octets, &n));
		buf_added(&conn->in, n);
	}
out:
	return rc;
}

static enum err
hello(struct rpc_client *c, int fd, struct wire_hello *h)
{
	uint8_t octets[WIRE_HELLO_OCTETS];
	size_t have = 0, n;
	enum err rc = OK;

	*h = (struct wire_hello){.version = WIRE_VERSION};
	memcpy(h->name, c->name, sizeof(h->name));
	wire_hello_write(h, octets);
	TRY(send_all(fd, (struct bytes){octets, sizeof(octets)}));
	while (have < sizeof(octets)) {
		TRY(receive(fd, octets + have, sizeof(octets) - have, &n));
		have += n;
	}
	TRY(wire_hello_read(octets, h));
out:
	return rc;
}

static CK_RV
welcome(const struct wire_hello *h)
{
	switch (h->status) {
	case WIRE_HELLO_WELCOME:
		return CKR_OK;
	case WIRE_HELLO_VERSION:
		return CKR_GENERAL_ERROR;
	case WIRE_HELLO_UNKNOWN:
		return CKR_DEVICE_REMOVED;
	case WIRE_HELLO_FULL:
		return CKR_DEVICE_MEMORY;
	case WIRE_HELLO_END:
		break;
	}
	return CKR_DEVICE_ERROR;
}

/* ---- connections ---- */

static void
connection_free(struct connection *conn)
{
	if (conn == NULL)
		return;
	if (conn->fd >= 0)
		close(conn->fd);
	buf_clear(&conn->out);
	buf_clear(&conn->in);
	mem_free(conn);
}

/* The first one makes the application known, the others join it. */
static CK_RV
connection_new(struct rpc_client *c, struct connection **out)
{
	struct timeval patience = {.tv_sec = c->timeout_ms / 1000,
	    .tv_usec = c->timeout_ms % 1000 * 1000};
	struct connection *conn = NULL;
	struct wire_hello h;
	CK_RV rv = CKR_OK;
	int status;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(conn));
	buf_init(&conn->out, WIRE_LENGTH_OCTETS + RPC_FRAME_OCTETS_MAX);
	buf_init(&conn->in, WIRE_LENGTH_OCTETS + RPC_FRAME_OCTETS_MAX);
	conn->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (conn->fd < 0)
		TRY(ERR_NOMEM);
	/* zero is no limit; a limit that cannot be set is none */
	(void)setsockopt(
	    conn->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(
	    conn->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	do
		status = connect(conn->fd, (const struct sockaddr *)&c->address,
		    sizeof(c->address));
	while (status != 0 && errno == EINTR);
	if (status != 0)
		TRY(errno == EAGAIN ? ERR_TIMEOUT : ERR_CLOSED);
	TRY(hello(c, conn->fd, &h));
	rv = welcome(&h);
	if (rv == CKR_OK) {
		memcpy(conn->name, h.name, sizeof(conn->name));
		*out = conn;
		conn = NULL; /* now the caller's */
	}
out:
	connection_free(conn);
	return rc != OK ? rv_of(rc) : rv;
}

static CK_RV
take(struct rpc_client *c, struct connection **out)
{
	struct connection *conn;
	CK_RV rv;

	rpc_client_lock(c);
	conn = c->idle;
	if (conn != NULL)
		c->idle = conn->next_idle;
	rpc_client_unlock(c);
	*out = conn;
	if (conn != NULL)
		return CKR_OK;
	rv = connection_new(c, out);
	if (rv != CKR_OK)
		return rv;
	rpc_client_lock(c);
	(*out)->next = c->all;
	c->all = *out;
	rpc_client_unlock(c);
	return CKR_OK;
}

static void
forget(struct buf *b)
{
	if (b->room_octets > KEEP_OCTETS)
		buf_clear(b);
	else
		buf_reset(b);
}

static void
give_back(struct rpc_client *c, struct connection *conn)
{
	forget(&conn->out);
	forget(&conn->in);
	rpc_client_lock(c);
	conn->next_idle = c->idle;
	c->idle = conn;
	rpc_client_unlock(c);
}

/* ---- calls ---- */

/* A frame of that many calls, and what comes back. */
static enum err
exchange(struct connection *conn, uint8_t count, struct bytes *answers)
{
	enum err rc = OK;

	conn->owed = true;
	conn->out.at[WIRE_LENGTH_OCTETS] = count;
	wire_frame_end(&conn->out);
	TRY(send_all(conn->fd, buf_peek(&conn->out)));
	TRY(receive_frame(conn, answers));
out:
	return rc;
}

/* An empty frame, but for the count of its calls. */
static enum err
begin(struct connection *conn)
{
	enum err rc = OK;

	buf_reset(&conn->in);
	TRY(wire_frame_begin(&conn->out));
	TRY(item_put_octet(&conn->out, 0));
out:
	return rc;
}

/*
 * What other sessions hold back goes first, each alone. Under the lock, which
 * keeps their next calls from overtaking.
 */
static enum err
send_held(struct rpc_client *c, struct connection *conn)
{
	CK_SESSION_HANDLE session;
	struct bytes answers;
	bool taken;
	CK_RV rv;
	enum err rc = OK;

	for (;;) {
		TRY(begin(conn));
		TRY(hold_take(c->hold, &conn->out, &session, &taken));
		if (!taken)
			break;
		TRY(exchange(conn, 1, &answers));
		TRY(item_take_number(&answers, &rv));
		conn->owed = false;
		hold_gone(c->hold, session, rv);
	}
out:
	return rc;
}

/* Fill the frame; *count of calls, none when the call is held back. */
static enum err
prepare(struct rpc_client *c, struct connection *conn, enum call_id call,
    const union call_args *args, uint8_t *count)
{
	enum hold_step step;
	bool before = false;
	enum err rc = OK;

	*count = 0;
	TRY(begin(conn));
	if (calls[call].effect != CALL_QUIET) {
		rpc_client_lock(c);
		if (calls[call].effect == CALL_WIDE)
			rc = send_held(c, conn);
		if (rc == OK)
			rc = hold_before(
			    c->hold, call, args, &conn->out, &before, &step);
		rpc_client_unlock(c);
		TRY(rc);
		if (step == HOLD_KEEP)
			goto out;
	}
	TRY(wire_call_write(call, args, &conn->out));
	*count = before ? 2 : 1;
out:
	return rc;
}

/* What came back: first what was held, if anything was. */
static enum err
finish(struct rpc_client *c, struct connection *conn, struct bytes answers,
    bool before, enum call_id call, const union call_args *args, CK_RV *rv)
{
	CK_RV held = CKR_OK;
	enum err rc = OK;

	if (before)
		TRY(item_take_number(&answers, &held));
	TRY(wire_answer_read(&answers, call, args, rv));
	if (answers.octets != 0)
		TRY(ERR_TRAILING);
	conn->owed = false;
	if (calls[call].effect == CALL_QUIET)
		goto out;
	rpc_client_lock(c);
	if (before)
		hold_gone(c->hold, args->arg[0].number, held);
	*rv = hold_after(c->hold, call, args, *rv);
	rpc_client_unlock(c);
out:
	return rc;
}

CK_RV
rpc_client_call(
    struct rpc_client *c, enum call_id call, const union call_args *args)
{
	struct connection *conn = NULL;
	struct bytes answers;
	uint8_t count;
	CK_RV rv;
	enum err rc = OK;

	rv = atomic_load(&c->broken);
	if (rv != CKR_OK)
		return rv;
	rv = take(c, &conn);
	if (rv == CKR_DEVICE_REMOVED)
		atomic_store(&c->broken, rv);
	if (rv != CKR_OK)
		return rv;
	TRY(prepare(c, conn, call, args, &count));
	if (count != 0) {
		TRY(exchange(conn, count, &answers));
		TRY(finish(c, conn, answers, count == 2, call, args, &rv));
	}
out:
	if (rc != OK)
		rv = rv_of(rc);
	if (conn->owed) {
		/* half of an exchange cannot be made good */
		rv = rc == ERR_CLOSED ? CKR_DEVICE_REMOVED : CKR_DEVICE_ERROR;
		atomic_store(&c->broken, rv);
	}
	give_back(c, conn);
	return rv;
}

/* ---- beginning and end ---- */

CK_RV
rpc_client_new(const struct rpc_client_config *config, struct rpc_client **out)
{
	struct connection *conn;
	struct rpc_client *c;
	CK_RV rv;

	*out = NULL;
	if (MEM_NEW(c) != OK)
		return CKR_HOST_MEMORY;
	c->address.sun_family = AF_UNIX;
	c->timeout_ms = config->timeout_ms;
	if (config->locks != NULL)
		c->locks = *config->locks;
	rv = lock_new(c);
	if (rv == CKR_OK && strlen(config->path) >= sizeof(c->address.sun_path))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK) {
		strcpy(c->address.sun_path, config->path);
		rv = rv_of(hold_new(&c->hold));
	}
	if (rv == CKR_OK)
		rv = take(c, &conn);
	if (rv == CKR_OK) {
		memcpy(c->name, conn->name, sizeof(c->name));
		give_back(c, conn);
		*out = c;
		return CKR_OK;
	}
	rpc_client_free(c);
	return rv;
}

void
rpc_client_free(struct rpc_client *c)
{
	if (c == NULL)
		return;
	while (c->all != NULL) {
		struct connection *conn = c->all;

		c->all = conn->next;
		connection_free(conn);
	}
	hold_free(c->hold);
	lock_free(c);
	mem_free(c);
}

void
rpc_client_abandon(struct rpc_client *c)
{
	rpc_client_unlock(c);
	rpc_client_free(c);
}
