#include "card/battery.h"

#include <endian.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "card/seal.h"

enum {
	FILE_OCTETS = 160,
	AT_VERSION = 8,
	AT_OLDEST = 10,
	AT_FLAGS = 12,
	AT_SINCE = 16,
	AT_KEY = 24,
	AT_SEALED = AT_KEY + SEAL_KEY_OCTETS,
	AT_CHECK = AT_SEALED + SEAL_KEY_OCTETS + SEAL_MORE_OCTETS,
	AT_POWER = 152,
	FLAG_HOLDS = 1,
	FLAG_STOPPED = 2,
	VERSION = 1,
	OLDEST_READER = 1,
};

static const char file_name[] = "card.batt";
static const char magic[] = "TSBATT1\n";

struct battery {
	struct env *env;
	int dir_fd;
	struct steps *steps;
	uint8_t image[FILE_OCTETS]; /* as it is in the file */
	uint8_t *mapped;            /* the file; NULL: it could not be mapped */
	int64_t power_ms; /* when there was power last, as the file had it */
};

static int64_t
time_at(const uint8_t *at)
{
	return (int64_t)((uint64_t)bytes_u32(at) << 32 | bytes_u32(at + 4));
}

static void
unmap(struct battery *b)
{
	if (b->mapped != NULL)
		munmap(b->mapped, FILE_OCTETS);
	b->mapped = NULL;
}

static enum err
map(struct battery *b)
{
	int fd = openat(b->dir_fd, file_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	void *at = MAP_FAILED;

	unmap(b);
	if (fd >= 0) {
		at = mmap(NULL, FILE_OCTETS, PROT_READ | PROT_WRITE, MAP_SHARED,
		    fd, 0);
		close(fd);
	}
	if (at == MAP_FAILED) {
		log_line("card", LOG_ERROR, "cannot map %s", file_name);
		return ERR_SYSTEM;
	}
	b->mapped = at;
	return OK;
}

void
battery_beat(struct battery *b)
{
	uint64_t now = htobe64((uint64_t)env_hsm_ms(b->env));

	if (b->mapped != NULL)
		__atomic_store_n((uint64_t *)(void *)(b->mapped + AT_POWER),
		    now, __ATOMIC_RELEASE);
	b->power_ms = env_hsm_ms(b->env);
}

static enum err
save(struct battery *b)
{
	enum err rc = OK;

	TRY(seal_check(
	    (struct bytes){b->image, AT_CHECK}, b->image + AT_CHECK));
	bytes_put_u64(b->image + AT_POWER, (uint64_t)env_hsm_ms(b->env));
	TRY(file_put(b->dir_fd, file_name,
	    (struct bytes){b->image, FILE_OCTETS}, b->steps));
	TRY(map(b));
	battery_beat(b);
out:
	return rc;
}

/* Nothing is held; the key is gone. */
static void
image_blank(struct battery *b)
{
	secret_wipe(b->image, sizeof(b->image));
	memcpy(b->image, magic, sizeof(magic) - 1);
	bytes_put_u16(b->image + AT_VERSION, VERSION);
	bytes_put_u16(b->image + AT_OLDEST, OLDEST_READER);
}

/* false: a dead battery */
static bool
image_read(struct battery *b)
{
	uint8_t check[SEAL_CHECK_OCTETS];
	struct buf file;
	bool good = false;

	buf_init(&file, 2 * FILE_OCTETS);
	if (file_get(b->dir_fd, file_name, &file) == OK &&
	    file.octets == FILE_OCTETS) {
		memcpy(b->image, file.at, FILE_OCTETS);
		good = memcmp(b->image, magic, sizeof(magic) - 1) == 0 &&
		       bytes_u16(b->image + AT_OLDEST) <= VERSION &&
		       seal_check((struct bytes){b->image, AT_CHECK}, check) ==
			   OK &&
		       memcmp(check, b->image + AT_CHECK, sizeof(check)) == 0 &&
		       /* no clock's: with these, ages could not be told */
		       time_at(b->image + AT_SINCE) >= 0 &&
		       time_at(b->image + AT_POWER) >= 0;
	}
	buf_clear(&file);
	return good;
}

enum err
battery_new(
    struct env *env, int dir_fd, struct steps *steps, struct battery **out)
{
	struct battery *b = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(b));
	b->env = env;
	b->dir_fd = dir_fd;
	b->steps = steps;
	if (image_read(b)) {
		b->power_ms = time_at(b->image + AT_POWER);
		TRY(map(b));
	} else {
		image_blank(b);
		TRY(save(b));
	}
	*out = b;
	b = NULL;
out:
	battery_free(b);
	return rc;
}

void
battery_free(struct battery *b)
{
	if (b == NULL)
		return;
	unmap(b);
	secret_wipe(b, sizeof(*b));
	mem_free(b);
}

/* The key of both halves. */
static enum err
whole_key(const struct battery *b, struct bytes card_key, struct secret **key)
{
	struct secret *both = NULL;
	enum err rc = OK;

	*key = NULL;
	TRY(secret_new(SEAL_KEY_OCTETS + card_key.octets, &both));
	memcpy(secret_fill(both), b->image + AT_KEY, SEAL_KEY_OCTETS);
	memcpy(
	    secret_fill(both) + SEAL_KEY_OCTETS, card_key.at, card_key.octets);
	TRY(seal_key(secret_peek(both), b->image + AT_KEY, 0, "battery", key));
out:
	secret_free(both);
	return rc;
}

enum err
battery_hold(struct battery *b, struct bytes card_key,
    const struct secret *partition_key)
{
	struct secret *key = NULL;
	enum err rc = OK;

	image_blank(b);
	TRY(env_random(b->env, b->image + AT_KEY, SEAL_KEY_OCTETS));
	TRY(whole_key(b, card_key, &key));
	TRY(seal_put(
	    b->env, key, secret_peek(partition_key), b->image + AT_SEALED));
	b->image[AT_FLAGS] = FLAG_HOLDS;
	TRY(save(b));
out:
	if (rc != OK)
		image_blank(b);
	secret_free(key);
	return rc;
}

enum err
battery_stop(struct battery *b)
{
	if (b->image[AT_FLAGS] != FLAG_HOLDS)
		return OK;
	b->image[AT_FLAGS] = FLAG_HOLDS | FLAG_STOPPED;
	bytes_put_u64(b->image + AT_SINCE, (uint64_t)env_hsm_ms(b->env));
	return save(b);
}

enum err
battery_drop(struct battery *b)
{
	if (b->image[AT_FLAGS] == 0)
		return OK;
	image_blank(b);
	return save(b);
}

bool
battery_holds(const struct battery *b, bool *stopped, int64_t *age_ms)
{
	*stopped = (b->image[AT_FLAGS] & FLAG_STOPPED) != 0;
	*age_ms = env_hsm_ms(b->env) -
		  (*stopped ? time_at(b->image + AT_SINCE) : b->power_ms);
	return (b->image[AT_FLAGS] & FLAG_HOLDS) != 0;
}

enum err
battery_open(const struct battery *b, struct bytes card_key,
    struct secret **partition_key)
{
	struct secret *key = NULL;
	enum err rc = OK;

	*partition_key = NULL;
	if ((b->image[AT_FLAGS] & FLAG_HOLDS) == 0)
		TRY(ERR_NOT_FOUND);
	TRY(whole_key(b, card_key, &key));
	TRY(seal_open(key,
	    (struct bytes){
		b->image + AT_SEALED, SEAL_KEY_OCTETS + SEAL_MORE_OCTETS},
	    partition_key));
out:
	secret_free(key);
	return rc;
}
