#include "base/env.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"

/* More than is asked for at a time; a request takes less than a tenth. */
enum { DRAWN_OCTETS = 1024 };

struct env {
	const struct env_clock_file *lab; /* NULL: the machine's clocks */
	/* read by workers too */
	int64_t wall_offset_ms;
	int64_t ahead_ms;
	env_random_fn *random;
	void *random_ctx;
	bool random_broken;
	/* public octets, the last drawn_left of them not handed out yet */
	size_t drawn_left;
	uint8_t drawn[DRAWN_OCTETS];
};

_Static_assert(sizeof(struct env_clock_file) == 64, "a format, not a detail");

static int64_t
clock_ms(clockid_t id)
{
	struct timespec ts;

	/* cannot fail for the clocks named here */
	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static enum err
system_random(void *ctx, uint8_t *out, size_t octets)
{
	(void)ctx;
	while (octets != 0) {
		ssize_t got = getrandom(out, octets, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_ENTROPY;
		out += got;
		octets -= (size_t)got;
	}
	return OK;
}

enum err
env_new(struct env **out)
{
	struct env *env = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(env));
	env->wall_offset_ms =
	    clock_ms(CLOCK_REALTIME) - clock_ms(CLOCK_BOOTTIME);
	env->random = system_random;
	*out = env;
out:
	return rc;
}

static enum err
clock_map(const char *path, const struct env_clock_file **out)
{
	const struct env_clock_file *file = MAP_FAILED;
	struct stat st;
	enum err rc = OK;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0)
		TRY(ERR_SYSTEM);
	if (st.st_size != (off_t)sizeof(*file))
		TRY(ERR_CONFIG);
	file = mmap(NULL, sizeof(*file), PROT_READ, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		TRY(ERR_SYSTEM);
	if (memcmp(file->magic, "TSCLOCK1", sizeof(file->magic)) != 0) {
		munmap((void *)(uintptr_t)file, sizeof(*file));
		TRY(ERR_CONFIG);
	}
	*out = file;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

enum err
env_new_lab(const char *path, struct env **out)
{
	struct env *env = NULL;
	enum err rc = OK;

	*out = NULL;
	TRY(env_new(&env));
	TRY(clock_map(path, &env->lab));
	env->wall_offset_ms = 0;
	*out = env;
	env = NULL;
out:
	env_free(env);
	return rc;
}

void
env_free(struct env *env)
{
	if (env == NULL)
		return;
	secret_wipe(env->drawn, sizeof(env->drawn));
	if (env->lab != NULL)
		munmap((void *)(uintptr_t)env->lab, sizeof(*env->lab));
	mem_free(env);
}

int64_t
env_elapsed_ms(const struct env *env)
{
	if (env->lab != NULL)
		return __atomic_load_n(&env->lab->elapsed_ms, __ATOMIC_ACQUIRE);
	return clock_ms(CLOCK_BOOTTIME) + env_ahead_ms(env);
}

int64_t
env_wall_ms(const struct env *env)
{
	int64_t file_offset_ms = 0;

	if (env->lab != NULL)
		file_offset_ms = __atomic_load_n(
		    &env->lab->wall_offset_ms, __ATOMIC_ACQUIRE);
	return env_elapsed_ms(env) + file_offset_ms + env_wall_offset_ms(env);
}

int64_t
env_wall_s(const struct env *env)
{
	return env_wall_ms(env) / 1000;
}

int64_t
env_hsm_ms(const struct env *env)
{
	if (env->lab != NULL)
		return __atomic_load_n(&env->lab->hsm_ms, __ATOMIC_ACQUIRE);
	return clock_ms(CLOCK_REALTIME);
}

void
env_set_wall_s(struct env *env, int64_t wall_s)
{
	env_set_wall_offset_ms(
	    env, env_wall_offset_ms(env) + wall_s * 1000 - env_wall_ms(env));
}

int64_t
env_wall_offset_ms(const struct env *env)
{
	return __atomic_load_n(&env->wall_offset_ms, __ATOMIC_RELAXED);
}

void
env_set_wall_offset_ms(struct env *env, int64_t offset_ms)
{
	__atomic_store_n(&env->wall_offset_ms, offset_ms, __ATOMIC_RELAXED);
}

int64_t
env_ahead_ms(const struct env *env)
{
	return __atomic_load_n(&env->ahead_ms, __ATOMIC_RELAXED);
}

void
env_set_ahead_ms(struct env *env, int64_t ahead_ms)
{
	int64_t more_ms = ahead_ms - env_ahead_ms(env);

	if (env->lab != NULL || more_ms <= 0)
		return;
	__atomic_store_n(&env->ahead_ms, ahead_ms, __ATOMIC_RELAXED);
	env_set_wall_offset_ms(env, env_wall_offset_ms(env) - more_ms);
}

void
env_boot(const struct env *env, char out[ENV_BOOT_OCTETS])
{
	ssize_t got = -1;
	int fd;

	out[0] = '\0';
	if (env->lab != NULL)
		return;
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	got = read(fd, out, ENV_BOOT_OCTETS - 1);
	close(fd);
	out[got > 0 ? got : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

enum err
env_random(struct env *env, uint8_t *out, size_t octets)
{
	enum err rc = ERR_ENTROPY;

	if (!env->random_broken)
		rc = env->random(env->random_ctx, out, octets);
	if (rc != OK)
		secret_wipe(out, octets);
	return rc;
}

static enum err
draw(struct env *env)
{
	enum err rc = OK;

	env->drawn_left = 0;
	TRY(env_random(env, env->drawn, sizeof(env->drawn)));
	env->drawn_left = sizeof(env->drawn);
out:
	return rc;
}

enum err
env_random_public(struct env *env, uint8_t *out, size_t octets)
{
	uint8_t *from;
	enum err rc = OK;

	if (env->random_broken || octets > sizeof(env->drawn))
		return env_random(env, out, octets);
	if (env->drawn_left < octets)
		TRY(draw(env));
	from = env->drawn + sizeof(env->drawn) - env->drawn_left;
	memcpy(out, from, octets);
	secret_wipe(from, octets);
	env->drawn_left -= octets;
out:
	if (rc != OK)
		secret_wipe(out, octets);
	return rc;
}

void
env_set_random(struct env *env, env_random_fn *fn, void *ctx)
{
	secret_wipe(env->drawn, sizeof(env->drawn));
	env->drawn_left = 0;
	env->random = fn;
	env->random_ctx = ctx;
}

void
env_break_random(struct env *env, bool broken)
{
	env->random_broken = broken;
}

bool
env_is_lab(const struct env *env)
{
	return env->lab != NULL;
}
