#include "rpc/serve.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "rpc/wire.h"

enum {
	READ_OCTETS = 4096,       /* at least, at a time */
	KEEP_OCTETS = 256 * 1024, /* a buffer that grew past this is let go */
	/* what a frame's calls may take: their rooms, and then some */
	ARENA_OCTETS = 2 * RPC_FRAME_OCTETS_MAX,
};

struct app {
	uint8_t name[WIRE_NAME_OCTETS];
	struct token_app *token_app;
	unsigned connections;
	struct app *next;
};

struct rpc_server {
	struct rpc_server_config config;
	pthread_mutex_t lock; /* of what follows */
	struct app *apps;
	unsigned app_count;
};

struct connection {
	struct rpc_server *server;
	int fd;
	struct app *app;
	struct buf in;
	struct buf out;
	struct arena *arena; /* a frame's */
};

/* ---- rows to calls ---- */

/* clang-format off */
#define GIVE(kind, n)           GIVE_##kind(n)
#define GIVE_SESSION(n)         , a->n.number
#define GIVE_NUMBER(n)          , a->n.number
#define GIVE_BOOL(n)            , (CK_BBOOL)a->n.number
#define GIVE_OCTETS(n)          , a->n.at, a->n.number
#define GIVE_OCTETS_OUT(n)      , a->n.at, a->n.count
#define GIVE_FILL(n)            , a->n.at, a->n.number
#define GIVE_LABEL(n)           , a->n.at
#define GIVE_NUMBER_OUT(n)      , a->n.at
#define GIVE_NUMBERS_OUT(n)     , a->n.at, a->n.count
#define GIVE_FOUND_OUT(n)       , a->n.at, a->n.number, a->n.count
#define GIVE_MECHANISM(n)       , a->n.at
#define GIVE_TEMPLATE(n)        , a->n.at, a->n.number
#define GIVE_TEMPLATE_OUT(n)    , a->n.at, a->n.number
#define GIVE_SLOT_INFO(n)       , a->n.at
#define GIVE_TOKEN_INFO(n)      , a->n.at
#define GIVE_SESSION_INFO(n)    , a->n.at
#define GIVE_MECHANISM_INFO(n)  , a->n.at
#define GIVE_CALLBACK(n)        , NULL, NULL
#define GIVE_RESERVED(n)        , a->n.at

#define CALL(number, name, effect, ...)                                      \
	static CK_RV run_##name(const struct token_calls *token,             \
	    struct token_app *app, union call_args *args)                    \
	{                                                                    \
		const struct call_args_##name *a = &args->name;              \
                                                                             \
		return token->name(app CALL_EACH(GIVE, __VA_ARGS__));        \
	}
#include "token/call.def"
#undef CALL

static CK_RV (*const runs[CALL_COUNT])(const struct token_calls *token,
    struct token_app *app, union call_args *args) = {
#define CALL(number, name, effect, ...) run_##name,
#include "token/call.def"
#undef CALL
};
/* clang-format on */

/* ---- applications ---- */

enum err
rpc_server_new(const struct rpc_server_config *config, struct rpc_server **out)
{
	struct rpc_server *server = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(server));
	server->config = *config;
	(void)pthread_mutex_init(&server->lock, NULL);
	*out = server;
out:
	return rc;
}

void
rpc_server_free(struct rpc_server *server)
{
	if (server == NULL)
		return;
	(void)pthread_mutex_destroy(&server->lock);
	mem_free(server);
}

/* One more; the token has it, and it has a name. Under the lock. */
static enum err
app_new(struct rpc_server *server, struct app **out)
{
	const struct rpc_server_config *config = &server->config;
	struct app *app = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(app));
	TRY(env_random(config->env, app->name, sizeof(app->name)));
	TRY(config->app_new(config->token, &app->token_app));
	app->next = server->apps;
	server->apps = app;
	server->app_count++;
	*out = app;
	app = NULL; /* now the server's */
out:
	mem_free(app);
	return rc;
}

static struct app *
app_find(struct rpc_server *server, const uint8_t name[WIRE_NAME_OCTETS])
{
	struct bytes want = {name, WIRE_NAME_OCTETS};
	struct app *app = server->apps;

	while (app != NULL &&
	       !secret_equal_bytes(
		   (struct bytes){app->name, WIRE_NAME_OCTETS}, want))
		app = app->next;
	return app;
}

/* The application of a hello; *hello becomes what the card says. */
static struct app *
app_join(struct rpc_server *server, struct wire_hello *hello)
{
	static const uint8_t no_name[WIRE_NAME_OCTETS];
	struct app *app = NULL;

	hello->status = WIRE_HELLO_WELCOME;
	if (hello->version != WIRE_VERSION) {
		hello->version = WIRE_VERSION;
		hello->status = WIRE_HELLO_VERSION;
		return NULL;
	}
	(void)pthread_mutex_lock(&server->lock);
	if (memcmp(hello->name, no_name, sizeof(no_name)) != 0) {
		app = app_find(server, hello->name);
		if (app == NULL)
			hello->status = WIRE_HELLO_UNKNOWN;
	} else if (server->app_count == RPC_APPS_MAX ||
		   app_new(server, &app) != OK) {
		hello->status = WIRE_HELLO_FULL;
	}
	if (app != NULL && app->connections == RPC_CONNECTIONS_MAX) {
		app = NULL;
		hello->status = WIRE_HELLO_FULL;
	}
	if (app != NULL) {
		app->connections++;
		memcpy(hello->name, app->name, sizeof(hello->name));
	}
	(void)pthread_mutex_unlock(&server->lock);
	return app;
}

/* The last one out ends it. */
static void
app_leave(struct rpc_server *server, struct app *app)
{
	struct app **at;
	bool last;

	if (app == NULL)
		return;
	(void)pthread_mutex_lock(&server->lock);
	last = --app->connections == 0;
	if (last) {
		for (at = &server->apps; *at != app;)
			at = &(*at)->next;
		*at = app->next;
		server->app_count--;
	}
	(void)pthread_mutex_unlock(&server->lock);
	if (!last)
		return;
	server->config.app_free(app->token_app);
	secret_wipe(app->name, sizeof(app->name));
	mem_free(app);
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
			return ERR_CLOSED;
		out.at += n;
		out.octets -= (size_t)n;
	}
	return OK;
}

/* What has come, once something has: at least `want` octets fit behind it. */
static enum err
receive_some(struct connection *c, size_t want)
{
	uint8_t *tail;
	size_t got;
	enum err rc = OK;

	TRY(buf_reserve(&c->in, want, &tail));
	TRY(wait_receive(c->server->config.waits, c->fd, tail,
	    c->in.room_octets - c->in.octets, &got));
	buf_added(&c->in, got);
out:
	return rc;
}

static enum err
receive_hello(struct connection *c, struct wire_hello *hello)
{
	enum err rc = OK;

	while (c->in.octets < WIRE_HELLO_OCTETS)
		TRY(receive_some(c, WIRE_HELLO_OCTETS - c->in.octets));
	TRY(wire_hello_read(c->in.at, hello));
	buf_drop(&c->in, WIRE_HELLO_OCTETS);
out:
	return rc;
}

/* How much of the first frame has not come yet; its length first. */
static size_t
frame_rest(const struct buf *in)
{
	size_t octets = in->octets < WIRE_LENGTH_OCTETS
			    ? 0
			    : bytes_u32(in->at) + WIRE_LENGTH_OCTETS;

	return octets > in->octets ? octets - in->octets : READ_OCTETS;
}

static enum err
receive_frame(struct connection *c, struct bytes *body)
{
	enum err rc = OK;

	for (;;) {
		rc = wire_frame_peek(buf_peek(&c->in), body);
		if (rc != ERR_TRUNCATED)
			return rc;
		TRY(receive_some(c, frame_rest(&c->in)));
	}
out:
	return rc;
}

/* ---- calls ---- */

/* An answer that cannot be given becomes one that can. */
static enum err
put_answer(struct connection *c, enum call_id call, const union call_args *args,
    CK_RV rv)
{
	size_t start = c->out.octets;
	enum err rc;

	rc = wire_answer_write(call, args, rv, &c->out);
	if (rc == OK)
		return OK;
	log_line("rpc", LOG_WARN, "%s: its answer is lost: %s",
	    calls[call].name, err_text(rc));
	secret_wipe(c->out.at + start, c->out.octets - start);
	c->out.octets = start;
	return wire_answer_write(call, args,
	    rc == ERR_LENGTH ? CKR_GENERAL_ERROR : CKR_HOST_MEMORY, &c->out);
}

static enum err
answer_call(struct connection *c, struct bytes *in)
{
	union call_args args;
	enum call_id call;
	CK_RV rv;
	enum err rc = OK;

	rc = wire_call_read(c->arena, in, &call, &args);
	if (rc == ERR_NOMEM && call != CALL_COUNT) {
		rc = OK;
		rv = CKR_HOST_MEMORY;
	} else {
		TRY(rc);
		rv = runs[call](
		    c->server->config.calls, c->app->token_app, &args);
	}
	TRY(put_answer(c, call, &args, rv));
out:
	return rc;
}

static enum err
answer_frame(struct connection *c, struct bytes body)
{
	uint8_t count, k;
	enum err rc = OK;

	TRY(wire_frame_begin(&c->out));
	TRY(item_take_octet(&body, &count));
	if (count == 0 || count > WIRE_CALLS_MAX)
		TRY(ERR_COUNT);
	for (k = 0; k < count; k++)
		TRY(answer_call(c, &body));
	if (body.octets != 0)
		TRY(ERR_TRAILING);
	wire_frame_end(&c->out);
	TRY(send_all(c->fd, buf_peek(&c->out)));
out:
	return rc;
}

/* Nothing of a frame stays behind, and no buffer stays large. */
static void
forget(struct buf *b, size_t octets)
{
	if (b->room_octets > KEEP_OCTETS && octets == b->octets)
		buf_clear(b);
	else
		buf_drop(b, octets);
}

static enum err
serve_frame(struct connection *c)
{
	struct bytes body;
	enum err rc = OK;

	TRY(receive_frame(c, &body));
	rc = answer_frame(c, body);
	arena_reset(c->arena);
	forget(&c->out, c->out.octets);
	forget(&c->in, WIRE_LENGTH_OCTETS + body.octets);
out:
	return rc;
}

void
rpc_serve(struct rpc_server *server, int fd)
{
	struct connection c = {.server = server, .fd = fd};
	uint8_t answer[WIRE_HELLO_OCTETS];
	struct wire_hello hello;
	enum err rc = OK;

	/* a request that has come, or is being answered, keeps time waiting */
	wait_errand_begin(server->config.waits);
	buf_init(&c.in, WIRE_LENGTH_OCTETS + RPC_FRAME_OCTETS_MAX);
	buf_init(&c.out, WIRE_LENGTH_OCTETS + RPC_FRAME_OCTETS_MAX);
	TRY(arena_new(ARENA_OCTETS, &c.arena));
	TRY(receive_hello(&c, &hello));
	c.app = app_join(server, &hello);
	wire_hello_write(&hello, answer);
	TRY(send_all(fd, (struct bytes){answer, sizeof(answer)}));
	while (c.app != NULL && rc == OK)
		rc = serve_frame(&c);
out:
	if (rc != OK && rc != ERR_CLOSED)
		log_line("rpc", LOG_WARN, "a connection is given up: %s",
		    err_text(rc));
	app_leave(server, c.app);
	buf_clear(&c.in);
	buf_clear(&c.out);
	arena_free(c.arena);
	wait_errand_end(server->config.waits);
}
