/*
 * A client and a whole appliance in memory: users, a group, keys with a token
 * behind them. The first octet says who comes through which door, the second in
 * what portions the rest is sent. Whatever is asked, the answers are a stream
 * that can be read, and nothing is under way at the end.
 */
#include "nae/nae.h"

#include <ftw.h>
#include <sys/stat.h>

#include "base/visit_test.h"
#include "crypto/ossl.h"
#include "crypto/random.h"
#include "device/user.h"
#include "nae/element.h"
#include "nae/frame.h"

enum {
	INPUT_OCTETS = 8192,
	INPUTS_EACH = 64, /* to one appliance, whose keys become more */
	DATA_OCTETS = 1 << 20,
	HEARD_OCTETS = 256 << 20,
};

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define TOKEN  "touchstone"

struct desk {
	struct rig rig;
	struct appliance appliance;
	struct loop_task commit;
	char dir[64];
	char vault[80];
	struct loop_pool *workers;
	struct nae *nae;
	struct buf heard;
	bool ready;
	bool finished;
};

/* of one token, for as long as this runs */
static struct env *token_env;
static struct keystore *keystore;
static char *pin_path;
static struct hsm *hsm;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

/* ---- the token, once ---- */

static void
token_make(void)
{
	static char dir[] = "/dev/shm/nae-token.XXXXXX";
	struct hsm_config config = {
	    .module_path = MODULE, .token_label = TOKEN, .kek_label = "kek-1"};

	visit_must(ossl_init() == OK);
	visit_must(mkdtemp(dir) != NULL);
	visit_must(env_new(&token_env) == OK);
	env_set_random(token_env, random_drbg, NULL);
	visit_must(
	    hsm_softhsm_setup(token_env, MODULE, dir, TOKEN, &pin_path) == OK);
	config.pin_path = pin_path;
	visit_must(hsm_new(&config, &hsm) == OK);
	visit_must(
	    keystore_new(token_env, hsm, BYTES_NONE, 1000, &keystore) == OK);
	visit_must(keystore_probe_begin(keystore));
	keystore_probe_work(keystore);
	keystore_probe_done(keystore, OK);
	keystore_stored(keystore);
	visit_must(keystore_check(keystore) == OK);
}

/* ---- the appliance ---- */

static void
end_of_turn(void *ctx)
{
	struct desk *desk = ctx;

	visit_must(store_commit(desk->appliance.store) == OK);
}

static void
user(struct desk *desk, const char *name, bool administers)
{
	struct user u = {.administers = administers};

	(void)snprintf(u.name, sizeof(u.name), "%s", name);
	visit_must(password_hash(desk->rig.env, 1, bytes_of_text("p"),
		       &u.password) == OK);
	visit_must(user_create(&desk->appliance, &u) == OK);
}

static void
make(struct desk *desk)
{
	static const struct store_options options = {.lab = true};
	struct appliance *appliance = &desk->appliance;
	struct nae_config config = {.appliance = appliance,
	    .keystore = keystore,
	    .model = "Model",
	    .box_id = "Box",
	    .data_octets = DATA_OCTETS};
	char why[USER_WHY_OCTETS];

	memset(desk, 0, sizeof(*desk));
	buf_init(&desk->heard, HEARD_OCTETS);
	(void)snprintf(desk->dir, sizeof(desk->dir), "/dev/shm/nae.XXXXXX");
	visit_must(mkdtemp(desk->dir) != NULL);
	visit_must(rig_init(&desk->rig) == OK);
	env_set_random(desk->rig.env, random_drbg, NULL);
	appliance->env = desk->rig.env;
	appliance->loop = desk->rig.loop;
	(void)snprintf(
	    desk->vault, sizeof(desk->vault), "%s/vault.key", desk->dir);
	appliance->vault = desk->vault;
	appliance->password_iterations = 1;
	visit_must(store_open(desk->dir, desk->rig.env, &options,
		       &appliance->store) == OK);
	visit_must(loop_pool_new(desk->rig.loop, "passwords", 1,
		       &appliance->passwords) == OK);
	visit_must(appliance_open(appliance) == OK);
	visit_must(
	    loop_pool_new(desk->rig.loop, "work", 1, &desk->workers) == OK);
	config.workers = desk->workers;
	config.signers = desk->workers;
	config.hsm_pool = desk->workers;
	visit_must(nae_new(&config, &desk->nae) == OK);
	user(desk, "root", true);
	user(desk, "alice", false);
	user(desk, "bob", false);
	visit_must(group_create(appliance, bytes_of_text("g")) == OK);
	visit_must(group_add(appliance, bytes_of_text("g"),
		       bytes_of_text("bob"), why) == OK);
	desk->commit = (struct loop_task){.fn = end_of_turn, .ctx = desk};
	loop_each_turn(desk->rig.loop, &desk->commit);
	visit_must(rig_turns(&desk->rig, 1) == OK);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void
unmake(struct desk *desk)
{
	visit_must(nae_busy(desk->nae) == 0);
	loop_end_jobs(desk->rig.loop);
	nae_free(desk->nae);
	appliance_close(&desk->appliance);
	store_close(desk->appliance.store);
	loop_task_cancel(&desk->commit);
	rig_clear(&desk->rig);
	buf_clear(&desk->heard);
	visit_must(nftw(desk->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

/* ---- the client ---- */

static void
answer(void *ctx, struct buf *octets, bool last)
{
	struct desk *desk = ctx;

	(void)last;
	visit_must(!desk->finished);
	visit_must(buf_put(&desk->heard, buf_peek(octets)) == OK);
	buf_reset(octets);
}

static void
finish(void *ctx)
{
	struct desk *desk = ctx;

	visit_must(!desk->finished);
	desk->finished = true;
}

static void
ready(void *ctx)
{
	struct desk *desk = ctx;

	desk->ready = true;
}

static void
say(struct desk *desk, struct nae_conn *conn, struct bytes in, size_t portion)
{
	while (in.octets != 0 && !desk->finished) {
		struct bytes some;

		visit_must(
		    bytes_split(&in, portion < in.octets ? portion : in.octets,
			&some) == OK);
		nae_feed(conn, &some);
		while (some.octets != 0 || nae_conn_is_busy(conn)) {
			/* work on a worker takes as long as it takes */
			desk->ready = false;
			while (nae_conn_is_busy(conn))
				visit_must(rig_turns(&desk->rig, 1) == OK);
			visit_must(desk->ready);
			nae_feed(conn, &some);
		}
	}
}

/* Answers are headers that can be read, and data. */
static void
read_answers(struct bytes heard)
{
	static const char end[] = "Response";
	const struct element *root;
	enum frame_part part = FRAME_HEADER;
	struct bytes octets;
	struct arena *a;
	struct frame f;

	visit_must(arena_new(HEARD_OCTETS, &a) == OK);
	frame_init(&f, HEARD_OCTETS);
	while (part != FRAME_MORE) {
		visit_must(frame_next(&f, &heard, &part, &octets) == OK);
		if (part != FRAME_HEADER)
			continue;
		visit_must(
		    element_read(a, octets, frame_elements(&f), &root) == OK);
		visit_must(root->name.octets >= sizeof(end) &&
			   memcmp(root->name.at + root->name.octets -
				      (sizeof(end) - 1),
			       end, sizeof(end) - 1) == 0);
		visit_must(element_find(root, EL_SUCCESS) != NULL);
		arena_reset(a);
	}
	visit_must(frame_is_idle(&f));
	frame_clear(&f);
	arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	static const char *const names[] = {"", "alice", "bob", "root"};
	static struct desk desk;
	static unsigned inputs;
	struct nae_way way = {
	    .answer = answer, .finish = finish, .ready = ready, .ctx = &desk};
	struct key_door door = {.protocol = KEY_NAE};
	struct nae_conn *conn;

	if (octets < 2 || octets > INPUT_OCTETS)
		return 0;
	if (keystore == NULL)
		token_make();
	if (inputs++ == 0)
		make(&desk);
	door.allows_config = (data[0] & 1) == 0;
	door.allows_export = (data[0] & 2) == 0;
	door.needs_password = (data[0] & 4) != 0;
	door.user = bytes_of_text(names[data[0] >> 3 & 3]);
	door.origin = bytes_of_text("10.0.0.5 [-]");
	buf_reset(&desk.heard);
	desk.finished = false;
	/* the user may have been deleted by an earlier input */
	if (nae_conn_new(desk.nae, &door, &way, &conn) == OK) {
		say(&desk, conn, (struct bytes){data + 2, octets - 2},
		    1 + (size_t)data[1] * 8);
		nae_conn_free(conn);
		read_answers(buf_peek(&desk.heard));
	}
	if (inputs == INPUTS_EACH) {
		unmake(&desk);
		inputs = 0;
	}
	return 0;
}
