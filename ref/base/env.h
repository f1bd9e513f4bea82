/*
 * Time and randomness, so that a test can stand at any second and replay any
 * key.
 *
 * Three clocks:
 *   elapsed  milliseconds that only move forward: ages, lockouts, timeouts
 *   wall     seconds since 1970 UTC: elapsed plus an offset that an
 *            administrator or NTP may change; dates on objects and in logs
 *   hsm      milliseconds by the card's battery, while the appliance is off
 *
 * In laboratory mode all three are read from one mapped file and stand still
 * until harness/appliance moves them.
 */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include "base/bytes.h"

struct env;

/* The machine's own clocks and getrandom(2). */
enum err env_new(struct env **out) MUST_CHECK;

/*
 * Laboratory time from the clock file at `path` (see struct env_clock_file).
 *
 * ERR_SYSTEM  it cannot be mapped
 * ERR_CONFIG  it is not a clock file
 */
enum err env_new_lab(const char *path, struct env **out) MUST_CHECK;
void env_free(struct env *env);

int64_t env_elapsed_ms(const struct env *env);
int64_t env_wall_s(const struct env *env);
int64_t env_wall_ms(const struct env *env);
/* This one has gone on while the machine was off. */
int64_t env_hsm_ms(const struct env *env);

/* Move wall time by setting its offset to elapsed. */
void env_set_wall_s(struct env *env, int64_t wall_s);

/* The offset; in the laboratory what it is beyond the clock file's. At start
 * wall time is the machine's. */
int64_t env_wall_offset_ms(const struct env *env);
void env_set_wall_offset_ms(struct env *env, int64_t offset_ms);

/*
 * Elapsed time across restarts: it is `ahead` of the machine's own count,
 * which begins anew with each of its boots. Whoever keeps it (device/clock.c)
 * sets it before anybody relies on ages; it only goes up, and wall time does
 * not move with it. Laboratory time needs none: no effect.
 */
int64_t env_ahead_ms(const struct env *env);
void env_set_ahead_ms(struct env *env, int64_t ahead_ms);

/* A name for the present boot of the machine; "": laboratory, or none known. */
enum { ENV_BOOT_OCTETS = 40 };
void env_boot(const struct env *env, char out[ENV_BOOT_OCTETS]);

/*
 * ERR_ENTROPY  the source failed, or a fault says so; out is wiped
 */
enum err env_random(struct env *env, uint8_t *out, size_t octets) MUST_CHECK;

/*
 * Random octets that everybody may see, as identifiers and nonces are; never
 * for what has to stay secret. They are drawn in advance, since a source's
 * work is in each call more than in each octet, and wiped here as they are
 * handed out, so that none comes twice. For one thread of a process, which
 * must not fork and go on in both.
 *
 * ERR_ENTROPY  as env_random, at once, whatever has been drawn
 */
enum err
env_random_public(struct env *env, uint8_t *out, size_t octets) MUST_CHECK;

/*
 * Another source of randomness: the approved DRBG, or a test's own. What was
 * drawn from the one before is thrown away.
 */
typedef enum err env_random_fn(void *ctx, uint8_t *out, size_t octets);
void env_set_random(struct env *env, env_random_fn *fn, void *ctx);

/* Laboratory mode only: the source fails until it is mended. */
void env_break_random(struct env *env, bool broken);

/* Is this laboratory time? */
bool env_is_lab(const struct env *env);

/*
 * The clock file: 64 octets, host byte order, written only by
 * harness/appliance and its tool; readers load each field whole.
 */
struct env_clock_file {
	char magic[8];          /* "TSCLOCK1" */
	int64_t elapsed_ms;     /* since the clock was made */
	int64_t wall_offset_ms; /* wall = elapsed + offset */
	int64_t hsm_ms;
	uint64_t generation; /* goes up by one with every change */
	int64_t reserved[3];
};

#endif
