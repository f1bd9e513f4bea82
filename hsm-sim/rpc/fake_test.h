/*
 * For the tests of this folder: a token that is small enough to be looked
 * through, and a daemon in the test's own process that serves it.
 *
 * A session has one operation at a time, as SoftHSM has it. Keys 1 to 3 exist
 * until somebody destroys them; 1 is there for everybody, the others for who
 * is logged in. Encryption turns every octet round.
 */
#ifndef RPC_FAKE_TEST_H
#define RPC_FAKE_TEST_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "rpc/client.h"
#include "rpc/hex_test.h"
#include "rpc/serve.h"

enum { FAKE_SESSIONS = 4, FAKE_KEYS = 3, FAKE_IV_OCTETS = 12 };

enum fake_op { FAKE_NONE, FAKE_ENCRYPT, FAKE_DECRYPT, FAKE_FIND };

/* What all applications share. */
struct token {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool gone[FAKE_KEYS + 1];
	bool hangs;                 /* C_SeedRandom does, until told */
	unsigned hanging, given_up; /* who asked, and has an answer */
	unsigned apps, apps_ever;
	unsigned inits; /* that were asked for */
};

struct token_app {
	struct token *token;
	bool logged_in;
	struct {
		bool is_open;
		enum fake_op op;
		bool parts; /* an update has been */
	} sessions[FAKE_SESSIONS + 1];
};

static inline enum err
fake_app_new(struct token *token, struct token_app **out)
{
	enum err rc = OK;

	TRY(MEM_NEW(*out));
	(*out)->token = token;
	(void)pthread_mutex_lock(&token->lock);
	token->apps++;
	token->apps_ever++;
	(void)pthread_mutex_unlock(&token->lock);
out:
	return rc;
}

static inline void
fake_app_free(struct token_app *app)
{
	(void)pthread_mutex_lock(&app->token->lock);
	app->token->apps--;
	(void)pthread_cond_broadcast(&app->token->moved);
	(void)pthread_mutex_unlock(&app->token->lock);
	mem_free(app);
}

static inline bool
fake_is_open(const struct token_app *app, CK_ULONG session)
{
	return session >= 1 && session <= FAKE_SESSIONS &&
	       app->sessions[session].is_open;
}

static inline bool
fake_is_key(const struct token_app *app, CK_ULONG key)
{
	return key >= 1 && key <= FAKE_KEYS && !app->token->gone[key] &&
	       (key == 1 || app->logged_in);
}

static inline CK_RV
fake_C_OpenSession(struct token_app *app, CK_ULONG slot, CK_ULONG flags,
    void *context, CK_NOTIFY notify, CK_ULONG *session)
{
	CK_ULONG k;

	(void)slot;
	(void)flags;
	(void)context;
	(void)notify;
	for (k = 1; k <= FAKE_SESSIONS; k++) {
		if (app->sessions[k].is_open)
			continue;
		memset(&app->sessions[k], 0, sizeof(app->sessions[k]));
		app->sessions[k].is_open = true;
		*session = k;
		return CKR_OK;
	}
	return CKR_SESSION_COUNT;
}

static inline CK_RV
fake_C_CloseSession(struct token_app *app, CK_ULONG session)
{
	if (!fake_is_open(app, session))
		return CKR_SESSION_HANDLE_INVALID;
	app->sessions[session].is_open = false;
	return CKR_OK;
}

static inline CK_RV
fake_C_CloseAllSessions(struct token_app *app, CK_ULONG slot)
{
	CK_ULONG k;

	(void)slot;
	for (k = 1; k <= FAKE_SESSIONS; k++)
		app->sessions[k].is_open = false;
	return CKR_OK;
}

static inline CK_RV
fake_C_GetSessionInfo(
    struct token_app *app, CK_ULONG session, CK_SESSION_INFO *info)
{
	if (!fake_is_open(app, session))
		return CKR_SESSION_HANDLE_INVALID;
	info->slotID = session;
	info->state =
	    app->logged_in ? CKS_RW_USER_FUNCTIONS : CKS_RW_PUBLIC_SESSION;
	return CKR_OK;
}

static inline CK_RV
fake_C_Login(struct token_app *app, CK_ULONG session, CK_ULONG user,
    CK_BYTE *pin, CK_ULONG pin_octets)
{
	(void)user;
	if (!fake_is_open(app, session))
		return CKR_SESSION_HANDLE_INVALID;
	if (app->logged_in)
		return CKR_USER_ALREADY_LOGGED_IN;
	if (pin_octets != 4 || memcmp(pin, "1234", 4) != 0)
		return CKR_PIN_INCORRECT;
	app->logged_in = true;
	return CKR_OK;
}

static inline CK_RV
fake_C_Logout(struct token_app *app, CK_ULONG session)
{
	CK_ULONG k;

	if (!fake_is_open(app, session))
		return CKR_SESSION_HANDLE_INVALID;
	if (!app->logged_in)
		return CKR_USER_NOT_LOGGED_IN;
	app->logged_in = false;
	for (k = 1; k <= FAKE_SESSIONS; k++)
		app->sessions[k].op = FAKE_NONE;
	return CKR_OK;
}

static inline CK_RV
fake_C_DestroyObject(struct token_app *app, CK_ULONG session, CK_ULONG key)
{
	if (!fake_is_open(app, session))
		return CKR_SESSION_HANDLE_INVALID;
	if (!fake_is_key(app, key))
		return CKR_OBJECT_HANDLE_INVALID;
	app->token->gone[key] = true;
	return CKR_OK;
}

/* A made-up key is made again. */
static inline CK_RV
fake_C_CreateObject(struct token_app *app, CK_ULONG session,
    CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ULONG *object)
{
	CK_ULONG k;

	(void)attributes;
	(void)count;
	if (!fake_is_open(app, session))
		return CKR_SESSION_HANDLE_INVALID;
	for (k = 1; k <= FAKE_KEYS; k++) {
		if (!app->token->gone[k])
			continue;
		app->token->gone[k] = false;
		*object = k;
		return CKR_OK;
	}
	return CKR_DEVICE_MEMORY;
}

static inline CK_RV
fake_C_FindObjectsInit(struct token_app *app, CK_ULONG session,
    CK_ATTRIBUTE *attributes, CK_ULONG count)
{
	(void)attributes;
	(void)count;
	if (!fake_is_open(app, session))
		return CKR_SESSION_HANDLE_INVALID;
	if (app->sessions[session].op != FAKE_NONE)
		return CKR_OPERATION_ACTIVE;
	app->sessions[session].op = FAKE_FIND;
	return CKR_OK;
}

static inline CK_RV
fake_C_FindObjectsFinal(struct token_app *app, CK_ULONG session)
{
	if (!fake_is_open(app, session))
		return CKR_SESSION_HANDLE_INVALID;
	if (app->sessions[session].op != FAKE_FIND)
		return CKR_OPERATION_NOT_INITIALIZED;
	app->sessions[session].op = FAKE_NONE;
	return CKR_OK;
}

static inline CK_RV
fake_init(struct token_app *app, CK_ULONG session, const CK_MECHANISM *m,
    CK_ULONG key, enum fake_op op)
{
	const CK_GCM_PARAMS *gcm;

	app->token->inits++;
	if (!fake_is_open(app, session))
		return CKR_SESSION_HANDLE_INVALID;
	if (m == NULL)
		return CKR_ARGUMENTS_BAD;
	if (app->sessions[session].op != FAKE_NONE)
		return CKR_OPERATION_ACTIVE;
	if (m->mechanism != CKM_AES_GCM)
		return CKR_MECHANISM_INVALID;
	gcm = m->pParameter;
	if (m->ulParameterLen != sizeof(*gcm) || gcm == NULL ||
	    gcm->ulIvLen != FAKE_IV_OCTETS || gcm->ulTagBits != 128)
		return CKR_MECHANISM_PARAM_INVALID;
	if (!fake_is_key(app, key))
		return CKR_KEY_HANDLE_INVALID;
	app->sessions[session].op = op;
	app->sessions[session].parts = false;
	return CKR_OK;
}

/* Data that begins with 0xff is refused, and that ends it. */
static inline CK_RV
fake_crypt(struct token_app *app, CK_ULONG session, enum fake_op op,
    const CK_BYTE *in, CK_ULONG octets, CK_BYTE *out, CK_ULONG *out_octets)
{
	CK_ULONG k;

	if (!fake_is_open(app, session))
		return CKR_SESSION_HANDLE_INVALID;
	if (app->sessions[session].op != op)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (in == NULL || out_octets == NULL || octets == 0) {
		app->sessions[session].op = FAKE_NONE;
		return CKR_ARGUMENTS_BAD;
	}
	if (out == NULL || *out_octets < octets) {
		*out_octets = octets;
		return out == NULL ? CKR_OK : CKR_BUFFER_TOO_SMALL;
	}
	if (in[0] == 0xff) {
		app->sessions[session].op = FAKE_NONE;
		return CKR_ENCRYPTED_DATA_INVALID;
	}
	for (k = 0; k < octets; k++)
		out[k] = (CK_BYTE)~in[k];
	*out_octets = octets;
	return CKR_OK;
}

static inline CK_RV
fake_one_shot(struct token_app *app, CK_ULONG session, enum fake_op op,
    const CK_BYTE *in, CK_ULONG octets, CK_BYTE *out, CK_ULONG *out_octets)
{
	CK_RV rv;

	if (fake_is_open(app, session) && app->sessions[session].op == op &&
	    app->sessions[session].parts) {
		app->sessions[session].op = FAKE_NONE;
		return CKR_OPERATION_ACTIVE;
	}
	rv = fake_crypt(app, session, op, in, octets, out, out_octets);
	if (rv == CKR_OK && out != NULL)
		app->sessions[session].op = FAKE_NONE;
	return rv;
}

static inline CK_RV
fake_C_EncryptInit(
    struct token_app *app, CK_ULONG session, CK_MECHANISM *m, CK_ULONG key)
{
	return fake_init(app, session, m, key, FAKE_ENCRYPT);
}

static inline CK_RV
fake_C_DecryptInit(
    struct token_app *app, CK_ULONG session, CK_MECHANISM *m, CK_ULONG key)
{
	return fake_init(app, session, m, key, FAKE_DECRYPT);
}

static inline CK_RV
fake_C_Encrypt(struct token_app *app, CK_ULONG session, CK_BYTE *in,
    CK_ULONG octets, CK_BYTE *out, CK_ULONG *out_octets)
{
	return fake_one_shot(
	    app, session, FAKE_ENCRYPT, in, octets, out, out_octets);
}

static inline CK_RV
fake_C_Decrypt(struct token_app *app, CK_ULONG session, CK_BYTE *in,
    CK_ULONG octets, CK_BYTE *out, CK_ULONG *out_octets)
{
	return fake_one_shot(
	    app, session, FAKE_DECRYPT, in, octets, out, out_octets);
}

static inline CK_RV
fake_C_DecryptUpdate(struct token_app *app, CK_ULONG session, CK_BYTE *in,
    CK_ULONG octets, CK_BYTE *out, CK_ULONG *out_octets)
{
	CK_RV rv =
	    fake_crypt(app, session, FAKE_DECRYPT, in, octets, out, out_octets);

	if (rv == CKR_OK && out != NULL)
		app->sessions[session].parts = true;
	return rv;
}

static inline CK_RV
fake_C_DecryptFinal(
    struct token_app *app, CK_ULONG session, CK_BYTE *out, CK_ULONG *out_octets)
{
	if (!fake_is_open(app, session))
		return CKR_SESSION_HANDLE_INVALID;
	if (app->sessions[session].op != FAKE_DECRYPT)
		return CKR_OPERATION_NOT_INITIALIZED;
	*out_octets = 0;
	if (out != NULL)
		app->sessions[session].op = FAKE_NONE;
	return CKR_OK;
}

static inline CK_RV
fake_C_GenerateRandom(
    struct token_app *app, CK_ULONG session, CK_BYTE *out, CK_ULONG octets)
{
	if (!fake_is_open(app, session))
		return CKR_SESSION_HANDLE_INVALID;
	memset(out, 0x52, octets);
	return CKR_OK;
}

/* Where the token hangs, until it is told not to. */
static inline CK_RV
fake_C_SeedRandom(
    struct token_app *app, CK_ULONG session, CK_BYTE *seed, CK_ULONG octets)
{
	struct token *token = app->token;

	(void)session;
	(void)seed;
	(void)octets;
	(void)pthread_mutex_lock(&token->lock);
	token->hanging++;
	(void)pthread_cond_broadcast(&token->moved);
	while (token->hangs)
		(void)pthread_cond_wait(&token->moved, &token->lock);
	token->hanging--;
	(void)pthread_mutex_unlock(&token->lock);
	return CKR_OK;
}

/* What a card without power says. */
static inline CK_RV
fake_C_GetFunctionStatus(struct token_app *app, CK_ULONG session)
{
	(void)app;
	(void)session;
	return CKR_DEVICE_REMOVED;
}

static const struct token_calls fake_calls = {
    .C_OpenSession = fake_C_OpenSession,
    .C_CloseSession = fake_C_CloseSession,
    .C_CloseAllSessions = fake_C_CloseAllSessions,
    .C_GetSessionInfo = fake_C_GetSessionInfo,
    .C_Login = fake_C_Login,
    .C_Logout = fake_C_Logout,
    .C_DestroyObject = fake_C_DestroyObject,
    .C_CreateObject = fake_C_CreateObject,
    .C_FindObjectsInit = fake_C_FindObjectsInit,
    .C_FindObjectsFinal = fake_C_FindObjectsFinal,
    .C_EncryptInit = fake_C_EncryptInit,
    .C_DecryptInit = fake_C_DecryptInit,
    .C_Encrypt = fake_C_Encrypt,
    .C_Decrypt = fake_C_Decrypt,
    .C_DecryptUpdate = fake_C_DecryptUpdate,
    .C_DecryptFinal = fake_C_DecryptFinal,
    .C_GenerateRandom = fake_C_GenerateRandom,
    .C_SeedRandom = fake_C_SeedRandom,
    .C_GetFunctionStatus = fake_C_GetFunctionStatus,
};

/* ---- the daemon ---- */

enum { FAKE_THREADS_MAX = RPC_APPS_MAX + 8 };

struct fake_daemon;

struct fake_peer {
	struct fake_daemon *daemon;
	int fd;
	pthread_t thread;
};

struct fake_daemon {
	struct token token;
	struct env *env;
	struct wait_room *waits;
	struct rpc_server *server;
	char dir[64];
	char path[80];
	int fd;
	pthread_t listener;
	struct fake_peer peers[FAKE_THREADS_MAX];
	unsigned peer_count;
};

static inline void *
fake_serve(void *arg)
{
	struct fake_peer *peer = arg;

	rpc_serve(peer->daemon->server, peer->fd);
	(void)shutdown(peer->fd, SHUT_RDWR);
	return NULL;
}

static inline void *
fake_listen(void *arg)
{
	struct fake_daemon *d = arg;

	while (wait_readable(d->waits, d->fd, INT64_MAX) == OK) {
		struct fake_peer *peer = &d->peers[d->peer_count++];

		peer->daemon = d;
		peer->fd = accept(d->fd, NULL, NULL);
		if (d->peer_count == FAKE_THREADS_MAX || peer->fd < 0 ||
		    pthread_create(&peer->thread, NULL, fake_serve, peer) != 0)
			abort();
	}
	return NULL;
}

/* At the path of `d`, which is made where there is none yet. */
static inline void
fake_start(struct fake_daemon *d)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct rpc_server_config config;

	if (d->path[0] == '\0') {
		(void)snprintf(d->dir, sizeof(d->dir), "/tmp/rpc.XXXXXX");
		assert_non_null(mkdtemp(d->dir));
		(void)snprintf(d->path, sizeof(d->path), "%s/p11.sock", d->dir);
	}
	d->peer_count = 0;
	(void)pthread_mutex_init(&d->token.lock, NULL);
	(void)pthread_cond_init(&d->token.moved, NULL);
	assert_int_equal(env_new(&d->env), OK);
	assert_int_equal(wait_room_new(d->env, &d->waits), OK);
	config = (struct rpc_server_config){&d->token, &fake_calls,
	    fake_app_new, fake_app_free, d->env, d->waits};
	assert_int_equal(rpc_server_new(&config, &d->server), OK);
	(void)unlink(d->path);
	strcpy(address.sun_path, d->path);
	d->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(d->fd, (void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(d->fd, FAKE_THREADS_MAX), 0);
	assert_int_equal(pthread_create(&d->listener, NULL, fake_listen, d), 0);
}

/* Every connection ends, as when the daemon is killed. */
static inline void
fake_stop(struct fake_daemon *d)
{
	unsigned k;

	wait_room_close(d->waits);
	(void)pthread_join(d->listener, NULL);
	for (k = 0; k < d->peer_count; k++) {
		(void)pthread_join(d->peers[k].thread, NULL);
		close(d->peers[k].fd);
	}
	close(d->fd);
	assert_int_equal(d->token.apps, 0);
	rpc_server_free(d->server);
	wait_room_free(d->waits);
	env_free(d->env);
}

static inline void
fake_remove(struct fake_daemon *d)
{
	(void)unlink(d->path);
	(void)rmdir(d->dir);
	d->path[0] = '\0';
}

static inline struct rpc_client *
fake_client(const struct fake_daemon *d)
{
	struct rpc_client_config config = {.path = d->path};
	struct rpc_client *c;

	assert_int_equal(rpc_client_new(&config, &c), CKR_OK);
	return c;
}

/* Until no more than so many applications are left. */
static inline void
fake_await_apps(struct fake_daemon *d, unsigned apps)
{
	(void)pthread_mutex_lock(&d->token.lock);
	while (d->token.apps > apps)
		(void)pthread_cond_wait(&d->token.moved, &d->token.lock);
	(void)pthread_mutex_unlock(&d->token.lock);
}

/* Until so many hang; those that gave up are missing from them. */
static inline void
fake_await_hanging(struct fake_daemon *d, unsigned hanging)
{
	unsigned now;

	(void)pthread_mutex_lock(&d->token.lock);
	while (d->token.hanging + d->token.given_up < hanging)
		(void)pthread_cond_wait(&d->token.moved, &d->token.lock);
	now = d->token.hanging;
	(void)pthread_mutex_unlock(&d->token.lock);
	assert_int_equal(now, hanging);
}

static inline void
fake_give_up(struct fake_daemon *d)
{
	(void)pthread_mutex_lock(&d->token.lock);
	d->token.given_up++;
	(void)pthread_cond_broadcast(&d->token.moved);
	(void)pthread_mutex_unlock(&d->token.lock);
}

static inline void
fake_hang(struct fake_daemon *d, bool hangs)
{
	(void)pthread_mutex_lock(&d->token.lock);
	d->token.hangs = hangs;
	(void)pthread_cond_broadcast(&d->token.moved);
	(void)pthread_mutex_unlock(&d->token.lock);
}

#endif
