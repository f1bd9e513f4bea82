#include "rpc/client.h"

#include "rpc/fake_test.h"
#include "rpc/item.h"

static struct fake_daemon daemon_;

static int
set_up(void **state)
{
	(void)state;
	memset(&daemon_, 0, sizeof(daemon_));
	fake_start(&daemon_);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	fake_stop(&daemon_);
	fake_remove(&daemon_);
	return 0;
}

/* ---- calls, through the client or straight to the token ---- */

/* One application, in one of two ways. */
struct user {
	struct rpc_client *client; /* NULL: straight */
	struct token_app *app;
};

/* What a call gave. */
struct result {
	CK_RV rv;
	CK_ULONG number; /* a length, a handle, a state */
	CK_BYTE octets[8];
};

struct step {
	enum call_id call;
	CK_ULONG session, key;
	CK_ULONG iv_octets, tag_bits; /* of an Init */
	CK_BYTE data[4];
	CK_ULONG octets; /* of data */
	CK_ULONG room;   /* 0: no pointer */
};

static struct result
straight(struct token_app *app, const struct step *s, CK_MECHANISM *m)
{
	struct result r = {.number = s->room};
	CK_BYTE *in = (CK_BYTE *)(uintptr_t)s->data;
	CK_BYTE *out = s->room != 0 ? r.octets : NULL;
	CK_SESSION_INFO info = {.state = 0};

	switch ((int)s->call) {
	case CALL_C_OpenSession:
		r.rv = fake_C_OpenSession(app, 1, 6, NULL, NULL, &r.number);
		break;
	case CALL_C_CloseSession:
		r.rv = fake_C_CloseSession(app, s->session);
		break;
	case CALL_C_CloseAllSessions:
		r.rv = fake_C_CloseAllSessions(app, 1);
		break;
	case CALL_C_GetSessionInfo:
		r.rv = fake_C_GetSessionInfo(app, s->session, &info);
		r.number = info.state;
		break;
	case CALL_C_Login:
		r.rv = fake_C_Login(app, s->session, 1, in, s->octets);
		break;
	case CALL_C_Logout:
		r.rv = fake_C_Logout(app, s->session);
		break;
	case CALL_C_DestroyObject:
		r.rv = fake_C_DestroyObject(app, s->session, s->key);
		break;
	case CALL_C_CreateObject:
		r.rv = fake_C_CreateObject(app, s->session, NULL, 0, &r.number);
		break;
	case CALL_C_FindObjectsInit:
		r.rv = fake_C_FindObjectsInit(app, s->session, NULL, 0);
		break;
	case CALL_C_FindObjectsFinal:
		r.rv = fake_C_FindObjectsFinal(app, s->session);
		break;
	case CALL_C_EncryptInit:
		r.rv = fake_C_EncryptInit(app, s->session, m, s->key);
		break;
	case CALL_C_DecryptInit:
		r.rv = fake_C_DecryptInit(app, s->session, m, s->key);
		break;
	case CALL_C_Encrypt:
		r.rv = fake_C_Encrypt(
		    app, s->session, in, s->octets, out, &r.number);
		break;
	case CALL_C_Decrypt:
		r.rv = fake_C_Decrypt(
		    app, s->session, in, s->octets, out, &r.number);
		break;
	case CALL_C_DecryptUpdate:
		r.rv = fake_C_DecryptUpdate(
		    app, s->session, in, s->octets, out, &r.number);
		break;
	case CALL_C_DecryptFinal:
		r.rv = fake_C_DecryptFinal(app, s->session, out, &r.number);
		break;
	default:
		abort();
	}
	return r;
}

static struct result
through(struct rpc_client *client, const struct step *s, CK_MECHANISM *m)
{
	struct result r = {.number = s->room};
	CK_SESSION_INFO info = {.state = 0};
	union call_args args;
	CK_ULONG *comes = &r.number;
	size_t k;

	memset(&args, 0, sizeof(args));
	for (k = 0; calls[s->call].kinds[k] != CALL_END; k++) {
		struct call_arg *a = &args.arg[k];

		switch ((int)calls[s->call].kinds[k]) {
		case CALL_SESSION:
			a->number = s->session;
			break;
		case CALL_NUMBER:
			a->number = k == 0 ? 1 : s->key;
			break;
		case CALL_MECHANISM:
			a->at = m;
			break;
		case CALL_OCTETS:
			a->at = (void *)(uintptr_t)s->data;
			a->number = s->octets;
			break;
		case CALL_OCTETS_OUT:
			a->at = s->room != 0 ? r.octets : NULL;
			a->count = comes;
			break;
		case CALL_NUMBER_OUT:
			a->at = comes;
			break;
		case CALL_SESSION_INFO:
			a->at = &info;
			break;
		default:
			break;
		}
	}
	r.rv = rpc_client_call(client, s->call, &args);
	if (s->call == CALL_C_GetSessionInfo)
		r.number = info.state;
	return r;
}

static struct result
run(const struct user *u, const struct step *s)
{
	CK_BYTE iv[16] = {1, 2, 3};
	CK_GCM_PARAMS gcm = {
	    iv, s->iv_octets, 8 * s->iv_octets, NULL, 0, s->tag_bits};
	CK_MECHANISM m = {CKM_AES_GCM, &gcm, sizeof(gcm)};

	return u->client == NULL ? straight(u->app, s, &m)
				 : through(u->client, s, &m);
}

#define INIT(s, key)                                           \
	{                                                      \
		CALL_C_DecryptInit, s, key, 12, 128, {0}, 0, 0 \
	}
#define DECRYPT(s)                                             \
	{                                                      \
		CALL_C_Decrypt, s, 0, 0, 0, {1, 2, 3, 4}, 4, 8 \
	}
#define SIMPLE(call, s)                            \
	{                                          \
		CALL_##call, s, 0, 0, 0, {0}, 0, 0 \
	}
#define LOGIN                                          \
	{                                              \
		CALL_C_Login, 1, 0, 0, 0, "1234", 4, 0 \
	}

/* ---- holding back ---- */

/* How far an Init is proven, what comes next, and whether it is held. */
static void
an_init_is_held_where_it_is_proven(void **state)
{
	static const struct {
		const char *name;
		struct step between;
		struct step init;
		bool held;
	} rows[] = {
	    {"the same", SIMPLE(C_GetSessionInfo, 1), INIT(1, 2), true},
	    {"another key", SIMPLE(C_GetSessionInfo, 1), INIT(1, 1), false},
	    {"another session", SIMPLE(C_GetSessionInfo, 1), INIT(2, 2), false},
	    {"another function", SIMPLE(C_GetSessionInfo, 1),
		{CALL_C_EncryptInit, 1, 2, 12, 128, {0}, 0, 0}, false},
	    {"another length of the IV", SIMPLE(C_GetSessionInfo, 1),
		{CALL_C_DecryptInit, 1, 2, 11, 128, {0}, 0, 0}, false},
	    {"another length of the tag", SIMPLE(C_GetSessionInfo, 1),
		{CALL_C_DecryptInit, 1, 2, 12, 120, {0}, 0, 0}, false},
	    {"after a new key", SIMPLE(C_CreateObject, 1), INIT(1, 2), true},
	    {"after a search", SIMPLE(C_FindObjectsInit, 1), INIT(1, 2), false},
	    {"after another session's search", SIMPLE(C_FindObjectsInit, 2),
		INIT(1, 2), true},
	    {"after a key was destroyed, in another session",
		{CALL_C_DestroyObject, 2, 3, 0, 0, {0}, 0, 0}, INIT(1, 2),
		false},
	    {"after a logout", SIMPLE(C_Logout, 2), INIT(1, 2), false},
	    {"after a login that is none",
		{CALL_C_Login, 2, 0, 0, 0, "9", 1, 0}, INIT(1, 2), false},
	    {"after a session was closed", SIMPLE(C_CloseSession, 2),
		INIT(1, 2), false},
	    {"after a call out of place", DECRYPT(1), INIT(1, 2), false},
	};
	static const struct step first[] = {SIMPLE(C_OpenSession, 0),
	    SIMPLE(C_OpenSession, 0), LOGIN, INIT(1, 2), DECRYPT(1)};
	size_t k, j;

	(void)state;
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		struct user u = {fake_client(&daemon_), NULL};
		unsigned inits;

		print_message("%s\n", rows[k].name);
		for (j = 0; j < sizeof(first) / sizeof(first[0]); j++)
			assert_int_equal(run(&u, &first[j]).rv, CKR_OK);
		(void)run(&u, &rows[k].between);
		inits = daemon_.token.inits;
		(void)run(&u, &rows[k].init);
		assert_int_equal(
		    daemon_.token.inits, inits + (rows[k].held ? 0 : 1));
		rpc_client_free(u.client);
		fake_await_apps(&daemon_, 0);
		memset(daemon_.token.gone, 0, sizeof(daemon_.token.gone));
	}
}

/* Neither is an Init that was used for more, or less, than one call. */
static void
only_a_one_shot_that_ends_well_proves(void **state)
{
	static const struct {
		const char *name;
		struct step work[2];
		bool held;
	} rows[] = {
	    {"one call", {DECRYPT(1)}, true},
	    {"the length, and then the call",
		{{CALL_C_Decrypt, 1, 0, 0, 0, {1}, 1, 0}, DECRYPT(1)}, false},
	    {"too small a room, and then the call",
		{{CALL_C_Decrypt, 1, 0, 0, 0, {1, 2}, 2, 1}, DECRYPT(1)},
		false},
	    {"in parts",
		{{CALL_C_DecryptUpdate, 1, 0, 0, 0, {1, 2}, 2, 8},
		    {CALL_C_DecryptFinal, 1, 0, 0, 0, {0}, 0, 8}},
		false},
	    {"data that is refused",
		{{CALL_C_Decrypt, 1, 0, 0, 0, {0xff}, 1, 8}}, false},
	};
	static const struct step open = SIMPLE(C_OpenSession, 0),
				 init = INIT(1, 1);
	size_t k, j;

	(void)state;
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		struct user u = {fake_client(&daemon_), NULL};
		unsigned inits;

		print_message("%s\n", rows[k].name);
		assert_int_equal(run(&u, &open).rv, CKR_OK);
		assert_int_equal(run(&u, &init).rv, CKR_OK);
		for (j = 0; j < 2; j++) {
			if (rows[k].work[j].session != 0)
				(void)run(&u, &rows[k].work[j]);
		}
		inits = daemon_.token.inits;
		assert_int_equal(run(&u, &init).rv, CKR_OK);
		assert_int_equal(
		    daemon_.token.inits, inits + (rows[k].held ? 0 : 1));
		rpc_client_free(u.client);
		fake_await_apps(&daemon_, 0);
	}
}

/* What somebody else did meanwhile is told by the call that does the work. */
static void
an_init_that_fails_after_all_says_why(void **state)
{
	static const struct step open = SIMPLE(C_OpenSession, 0),
				 init = INIT(1, 1), decrypt = DECRYPT(1),
				 update = {CALL_C_DecryptUpdate, 1, 0, 0, 0,
				     {1, 2}, 2, 8},
				 login = LOGIN;
	static const struct step *const next[] = {&decrypt, &update};
	size_t k;

	(void)state;
	for (k = 0; k < 4; k++) {
		struct user u = {fake_client(&daemon_), NULL};

		assert_int_equal(run(&u, &open).rv, CKR_OK);
		assert_int_equal(run(&u, &init).rv, CKR_OK);
		assert_int_equal(run(&u, &decrypt).rv, CKR_OK);
		daemon_.token.gone[1] = true;
		assert_int_equal(run(&u, &init).rv, CKR_OK);
		if (k >= 2) /* a call that lets it go first */
			assert_int_equal(run(&u, &login).rv, CKR_OK);
		assert_int_equal(
		    run(&u, next[k % 2]).rv, CKR_KEY_HANDLE_INVALID);
		assert_int_equal(
		    run(&u, next[k % 2]).rv, CKR_OPERATION_NOT_INITIALIZED);
		/* and now it is asked at once */
		assert_int_equal(run(&u, &init).rv, CKR_KEY_HANDLE_INVALID);
		daemon_.token.gone[1] = false;
		rpc_client_free(u.client);
		fake_await_apps(&daemon_, 0);
	}
}

/*
 * Any calls in any order: through the client, with whatever it holds back, the
 * answers are those of the same calls straight to a token.
 */
static void
answers_are_the_same_as_without(void **state)
{
	static const struct step choice[] = {
	    /* often, so that something is proven */
	    INIT(1, 1),
	    DECRYPT(1),
	    INIT(1, 1),
	    DECRYPT(1),
	    INIT(1, 2),
	    DECRYPT(1),
	    INIT(2, 1),
	    DECRYPT(2),
	    INIT(2, 2),
	    DECRYPT(2),
	    INIT(1, 1),
	    DECRYPT(1),
	    {CALL_C_EncryptInit, 1, 1, 12, 128, {0}, 0, 0},
	    {CALL_C_Encrypt, 1, 0, 0, 0, {1, 2}, 2, 8},
	    {CALL_C_EncryptInit, 1, 1, 12, 128, {0}, 0, 0},
	    {CALL_C_Encrypt, 1, 0, 0, 0, {1, 2}, 2, 8},
	    /* less often what is wrong, or something else */
	    {CALL_C_DecryptInit, 1, 1, 11, 128, {0}, 0, 0},
	    {CALL_C_DecryptInit, 1, 1, 12, 96, {0}, 0, 0},
	    {CALL_C_Decrypt, 1, 0, 0, 0, {0xff}, 1, 8},
	    {CALL_C_Decrypt, 1, 0, 0, 0, {1, 2, 3, 4}, 4, 2},
	    {CALL_C_Decrypt, 1, 0, 0, 0, {1, 2, 3, 4}, 4, 0},
	    {CALL_C_DecryptUpdate, 1, 0, 0, 0, {1, 2}, 2, 8},
	    {CALL_C_DecryptFinal, 1, 0, 0, 0, {0}, 0, 8},
	    SIMPLE(C_GetSessionInfo, 1),
	    SIMPLE(C_GetSessionInfo, 2),
	    SIMPLE(C_FindObjectsInit, 1),
	    SIMPLE(C_FindObjectsFinal, 1),
	    LOGIN,
	    LOGIN,
	    SIMPLE(C_Logout, 1),
	    {CALL_C_DestroyObject, 2, 1, 0, 0, {0}, 0, 0},
	    {CALL_C_DestroyObject, 1, 2, 0, 0, {0}, 0, 0},
	    SIMPLE(C_CreateObject, 1),
	    SIMPLE(C_CreateObject, 1),
	    SIMPLE(C_CreateObject, 2),
	    SIMPLE(C_CloseSession, 2),
	    SIMPLE(C_OpenSession, 0),
	    SIMPLE(C_OpenSession, 0),
	};
	enum {
		CHOICES = sizeof(choice) / sizeof(choice[0]),
		PAIRED = 16, /* of them: an Init, and its call behind it */
		STEPS = 20000,
	};
	struct token token = {.apps = 0};
	struct user with = {NULL, NULL}, without = {NULL, NULL};
	uint64_t random = 7;
	unsigned held = 0, k;
	size_t last = CHOICES;

	(void)state;
	(void)pthread_mutex_init(&token.lock, NULL);
	(void)pthread_cond_init(&token.moved, NULL);
	with.client = fake_client(&daemon_);
	assert_int_equal(fake_app_new(&token, &without.app), OK);
	for (k = 0; k < STEPS; k++) {
		const struct step *s;
		struct result a, b;
		unsigned inits = daemon_.token.inits;

		/* Knuth's MMIX, of which the upper half is the better one;
		 * as in real life, pairs are likely and come again */
		random = random * 6364136223846793005U + 1442695040888963407U;
		if (last < PAIRED && (random >> 60) != 0)
			last ^= 1;
		else
			last = (random >> 33) % CHOICES;
		s = &choice[last];
		a = run(&with, s);
		b = run(&without, s);
		if (calls[s->call].effect == CALL_INIT &&
		    daemon_.token.inits == inits)
			held++;
		if (a.rv != b.rv || a.number != b.number ||
		    memcmp(a.octets, b.octets, sizeof(a.octets)) != 0) {
			print_error("step %u, %s: 0x%lx %lu, not 0x%lx %lu\n",
			    k, calls[s->call].name, a.rv, a.number, b.rv,
			    b.number);
			fail();
		}
	}
	/* it was put to the test, and everything got to the token */
	assert_true(held > STEPS / 100);
	print_message("%u of them held back\n", held);
	assert_in_range(token.inits - daemon_.token.inits, 0, 2);
	rpc_client_free(with.client);
	fake_app_free(without.app);
}

/* ---- connections ---- */

static CK_RV
simple(struct rpc_client *c, enum call_id call, CK_ULONG first)
{
	CK_ULONG handle = 0;
	union call_args args;

	memset(&args, 0, sizeof(args));
	args.arg[0].number = first;
	if (call == CALL_C_OpenSession)
		args.arg[3].at = &handle;
	return rpc_client_call(c, call, &args);
}

struct seeding {
	struct rpc_client *client;
	pthread_t thread;
	CK_RV rv;
};

static void *
seed(void *arg)
{
	struct seeding *s = arg;

	s->rv = simple(s->client, CALL_C_SeedRandom, 1);
	fake_give_up(&daemon_);
	return NULL;
}

/* While some calls hang the others go on, all for one application. */
static void
calls_do_not_wait_for_each_other(void **state)
{
	enum { HANGING = 5 };
	struct seeding seedings[HANGING];
	struct rpc_client *c = fake_client(&daemon_);
	size_t k;

	(void)state;
	fake_hang(&daemon_, true);
	for (k = 0; k < HANGING; k++) {
		seedings[k].client = c;
		assert_int_equal(pthread_create(&seedings[k].thread, NULL, seed,
				     &seedings[k]),
		    0);
	}
	fake_await_hanging(&daemon_, HANGING);
	assert_int_equal(simple(c, CALL_C_OpenSession, 1), CKR_OK);
	assert_int_equal(simple(c, CALL_C_CloseSession, 1), CKR_OK);
	fake_hang(&daemon_, false);
	for (k = 0; k < HANGING; k++) {
		(void)pthread_join(seedings[k].thread, NULL);
		assert_int_equal(seedings[k].rv, CKR_OK);
	}
	assert_int_equal(daemon_.token.apps_ever, 1);
	rpc_client_free(c);
	fake_await_apps(&daemon_, 0);
}

static void
applications_do_not_see_each_other(void **state)
{
	static const struct step open = SIMPLE(C_OpenSession, 0), login = LOGIN,
				 info = SIMPLE(C_GetSessionInfo, 1);
	struct user a = {fake_client(&daemon_), NULL};
	struct user b = {fake_client(&daemon_), NULL};

	(void)state;
	assert_int_equal(run(&a, &open).rv, CKR_OK);
	assert_int_equal(run(&b, &open).rv, CKR_OK);
	assert_int_equal(run(&a, &login).rv, CKR_OK);
	assert_int_equal(run(&a, &info).number, CKS_RW_USER_FUNCTIONS);
	assert_int_equal(run(&b, &info).number, CKS_RW_PUBLIC_SESSION);
	rpc_client_free(a.client);
	fake_await_apps(&daemon_, 1);
	assert_int_equal(run(&b, &info).number, CKS_RW_PUBLIC_SESSION);
	rpc_client_free(b.client);
}

static void
a_card_that_has_gone_is_gone(void **state)
{
	struct rpc_client *c = fake_client(&daemon_), *again;
	struct rpc_client_config config = {.path = daemon_.path};

	(void)state;
	/* to say so is not to be so */
	assert_int_equal(
	    simple(c, CALL_C_GetFunctionStatus, 1), CKR_DEVICE_REMOVED);
	assert_int_equal(simple(c, CALL_C_OpenSession, 1), CKR_OK);
	fake_stop(&daemon_);
	assert_int_equal(simple(c, CALL_C_CloseSession, 1), CKR_DEVICE_REMOVED);
	assert_int_equal(rpc_client_new(&config, &again), CKR_DEVICE_REMOVED);
	assert_null(again);
	fake_start(&daemon_);
	/* the old one stays dead, its handles with it */
	assert_int_equal(simple(c, CALL_C_CloseSession, 1), CKR_DEVICE_REMOVED);
	again = fake_client(&daemon_);
	assert_int_equal(
	    simple(again, CALL_C_CloseSession, 1), CKR_SESSION_HANDLE_INVALID);
	rpc_client_free(c);
	rpc_client_free(again);
}

static void
a_card_that_hangs_is_given_up(void **state)
{
	struct rpc_client_config config = {
	    .path = daemon_.path, .timeout_ms = 50};
	struct rpc_client *c;

	(void)state;
	assert_int_equal(rpc_client_new(&config, &c), CKR_OK);
	assert_int_equal(simple(c, CALL_C_OpenSession, 1), CKR_OK);
	fake_hang(&daemon_, true);
	assert_int_equal(simple(c, CALL_C_SeedRandom, 1), CKR_DEVICE_ERROR);
	assert_int_equal(simple(c, CALL_C_CloseSession, 1), CKR_DEVICE_ERROR);
	fake_hang(&daemon_, false);
	rpc_client_free(c);
}

/* Limits of a frame, and paths that are none. */
static void
what_cannot_go_is_refused_here(void **state)
{
	static CK_BYTE octets[1];
	struct rpc_client *c = fake_client(&daemon_), *none;
	CK_MECHANISM strange = {0x80001234, octets, 1};
	union call_args args;
	struct rpc_client_config config = {.path = daemon_.path};
	char path[200];

	(void)state;
	memset(&args, 0, sizeof(args));
	args.C_GenerateRandom.random =
	    (struct call_arg){octets, RPC_FRAME_OCTETS_MAX, NULL};
	assert_int_equal(
	    rpc_client_call(c, CALL_C_GenerateRandom, &args), CKR_HOST_MEMORY);
	memset(&args, 0, sizeof(args));
	args.C_DigestInit.mechanism.at = &strange;
	assert_int_equal(rpc_client_call(c, CALL_C_DigestInit, &args),
	    CKR_MECHANISM_PARAM_INVALID);
	/* nothing was sent, so nothing is broken */
	assert_int_equal(simple(c, CALL_C_OpenSession, 1), CKR_OK);
	rpc_client_free(c);

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	config.path = path;
	assert_int_equal(rpc_client_new(&config, &none), CKR_ARGUMENTS_BAD);
	path[20] = '\0';
	assert_int_equal(rpc_client_new(&config, &none), CKR_DEVICE_REMOVED);
}

/* ---- a card that says what it is told to ---- */

enum { FRAMES_MAX = 8 };

struct script {
	const char *hello;   /* its answer; NULL: as it should be */
	const char *answers; /* to every frame; NULL: as it should be */
	int listener;
	uint8_t frames[FRAMES_MAX][256]; /* that came, lengths included */
	size_t frame_count;
};

static bool
take_octets(int fd, uint8_t *at, size_t octets)
{
	return recv(fd, at, octets, MSG_WAITALL) == (ssize_t)octets;
}

static void
give_octets(int fd, const char *text)
{
	struct hex h = hex(text);

	(void)!send(fd, h.at, h.octets, MSG_NOSIGNAL);
}

/* One connection, until it ends. */
static void *
play(void *arg)
{
	struct script *s = arg;
	int fd = accept(s->listener, NULL, NULL);
	uint8_t octets[32];

	if (!take_octets(fd, octets, sizeof(octets)))
		abort();
	give_octets(fd, s->hello != NULL ? s->hello
					 : "4853494d2d503131 0001 0000 "
					   "00000000 #1 #2");
	while (s->frame_count < FRAMES_MAX) {
		uint8_t *frame = s->frames[s->frame_count];

		if (!take_octets(fd, frame, 4) ||
		    !take_octets(fd, frame + 4, bytes_u32(frame)))
			break;
		s->frame_count++;
		if (s->answers != NULL)
			give_octets(fd, s->answers);
		else if (frame[4] == 2) /* C_DecryptInit and C_Decrypt */
			give_octets(fd, "0000001d #0 #0 #4 01 01020304");
		else if (frame[6] == 34)
			give_octets(fd, "00000015 #0 #4 01 01020304");
		else
			give_octets(fd, "00000008 #0");
	}
	close(fd);
	return NULL;
}

/* In place of the daemon. */
static void
script_start(struct script *s, pthread_t *thread, char path[96])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(path, 96, "%s/script.sock", daemon_.dir);
	strcpy(address.sun_path, path);
	s->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	s->frame_count = 0;
	assert_int_equal(
	    bind(s->listener, (void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(s->listener, 1), 0);
	assert_int_equal(pthread_create(thread, NULL, play, s), 0);
}

static void
script_stop(struct script *s, pthread_t thread, const char *path)
{
	(void)pthread_join(thread, NULL);
	close(s->listener);
	(void)unlink(path);
}

/* What is proven goes in one frame with its call. */
static void
a_proven_init_costs_no_round_trip(void **state)
{
	static const struct step init = INIT(1, 1), decrypt = DECRYPT(1);
	/* how many calls, and the first one's number */
	static const uint8_t want[][2] = {
	    {1, 33}, {1, 34}, {2, 33}, {2, 33}, {2, 33}};
	struct script script = {.hello = NULL};
	struct rpc_client_config config;
	struct user u = {NULL, NULL};
	pthread_t thread;
	char path[96];
	size_t k;

	(void)state;
	script_start(&script, &thread, path);
	config = (struct rpc_client_config){.path = path};
	assert_int_equal(rpc_client_new(&config, &u.client), CKR_OK);
	for (k = 0; k < 4; k++) {
		assert_int_equal(run(&u, &init).rv, CKR_OK);
		assert_int_equal(run(&u, &decrypt).rv, CKR_OK);
	}
	rpc_client_free(u.client);
	script_stop(&script, thread, path);
	assert_int_equal(script.frame_count, 5);
	for (k = 0; k < 5; k++) {
		assert_int_equal(script.frames[k][4], want[k][0]);
		assert_int_equal(script.frames[k][6], want[k][1]);
	}
}

#define MAGIC "4853494d2d503131 "

static void
a_card_that_talks_nonsense_is_given_up(void **state)
{
	static const struct {
		const char *name;
		const char *hello;   /* NULL: as it should be */
		const char *answers; /* likewise */
		CK_RV at_first;
		CK_RV later;
	} rows[] = {
	    {"nothing wrong", NULL, NULL, CKR_OK, CKR_OK},
	    {"another version", MAGIC "0002 0001 00000000 #0 #0", NULL,
		CKR_GENERAL_ERROR, 0},
	    {"a name it does not know", MAGIC "0001 0002 00000000 #0 #0", NULL,
		CKR_DEVICE_REMOVED, 0},
	    {"no room", MAGIC "0001 0003 00000000 #0 #0", NULL,
		CKR_DEVICE_MEMORY, 0},
	    {"no hello", "0001020304050607 0001 0000 00000000 #0 #0", NULL,
		CKR_DEVICE_ERROR, 0},
	    {"an empty answer", NULL, "00000000", CKR_OK, CKR_DEVICE_ERROR},
	    {"half a return value", NULL, "00000004 00000000", CKR_OK,
		CKR_DEVICE_ERROR},
	    {"more than the answer", NULL, "00000009 #0 00", CKR_OK,
		CKR_DEVICE_ERROR},
	    {"more than a frame", NULL, "01000001", CKR_OK, CKR_DEVICE_ERROR},
	};
	struct rpc_client_config config;
	struct rpc_client *c;
	pthread_t thread;
	char path[96];
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		struct script script = {
		    .hello = rows[k].hello, .answers = rows[k].answers};

		print_message("%s\n", rows[k].name);
		script_start(&script, &thread, path);
		config = (struct rpc_client_config){.path = path};
		assert_int_equal(rpc_client_new(&config, &c), rows[k].at_first);
		if (c != NULL) {
			assert_int_equal(
			    simple(c, CALL_C_CloseSession, 1), rows[k].later);
			assert_int_equal(
			    simple(c, CALL_C_CloseSession, 1), rows[k].later);
		}
		rpc_client_free(c);
		script_stop(&script, thread, path);
		/* once given up, nothing more is asked of it */
		assert_int_equal(script.frame_count, c == NULL ? 0
						     : rows[k].later == CKR_OK
							 ? 2
							 : 1);
	}
}

/* ---- locks of the application ---- */

static unsigned mutexes, locks;

static CK_RV
create(void **mutex)
{
	*mutex = &mutexes;
	mutexes++;
	return CKR_OK;
}

static CK_RV
destroy(void *mutex)
{
	(void)mutex;
	mutexes--;
	return CKR_OK;
}

static CK_RV
take(void *mutex)
{
	(void)mutex;
	locks++;
	return CKR_OK;
}

static CK_RV
release(void *mutex)
{
	(void)mutex;
	locks--;
	return CKR_OK;
}

static CK_RV
refuse(void **mutex)
{
	(void)mutex;
	return CKR_HOST_MEMORY;
}

static void
an_applications_own_locks_are_used(void **state)
{
	CK_C_INITIALIZE_ARGS own = {create, destroy, take, release, 0, NULL};
	struct rpc_client_config config = {.path = daemon_.path, .locks = &own};
	struct rpc_client *c;

	(void)state;
	assert_int_equal(rpc_client_new(&config, &c), CKR_OK);
	assert_int_equal(mutexes, 1);
	rpc_client_lock(c);
	assert_int_equal(locks, 1);
	rpc_client_unlock(c);
	assert_int_equal(simple(c, CALL_C_OpenSession, 1), CKR_OK);
	assert_int_equal(locks, 0);
	rpc_client_free(c);
	assert_int_equal(mutexes, 0);
	own.CreateMutex = refuse;
	assert_int_equal(rpc_client_new(&config, &c), CKR_CANT_LOCK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_init_is_held_where_it_is_proven),
	    TEST(only_a_one_shot_that_ends_well_proves),
	    TEST(an_init_that_fails_after_all_says_why),
	    TEST(answers_are_the_same_as_without),
	    TEST(calls_do_not_wait_for_each_other),
	    TEST(applications_do_not_see_each_other),
	    TEST(a_card_that_has_gone_is_gone),
	    TEST(a_card_that_hangs_is_given_up),
	    TEST(a_proven_init_costs_no_round_trip),
	    TEST(a_card_that_talks_nonsense_is_given_up),
	    TEST(what_cannot_go_is_refused_here),
	    TEST(an_applications_own_locks_are_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
