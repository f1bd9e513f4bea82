/*
 * For the tests of this folder: an appliance in laboratory time, and somebody
 * at its command line.
 */
#ifndef CLI_DESK_TEST_H
#define CLI_DESK_TEST_H

#include "device/rig_test.h"

#include "cli/cli.h"
#include "crypto/ossl.h"
#include "device/logs.h"

/* Few rounds; and passwords that are good enough, but for what a test is
 * about. */
enum { DESK_ITERATIONS = 10, DESK_PATIENCE_S = 60 };
#define DESK_PASSWORD "xk9#qzm7"

struct desk {
	struct bench bench;
	char vault[300];
	char logs_dir[300];
	struct cli *cli;
	bool left; /* the session has ended */
	char said[256 * 1024];
	size_t octets;
};

static inline struct appliance *
desk_appliance(struct desk *desk)
{
	return &desk->bench.appliance;
}

static inline void
desk_make(struct desk *desk)
{
	struct appliance *appliance = desk_appliance(desk);

	(void)alarm(DESK_PATIENCE_S);
	assert_ok(ossl_init());
	memset(desk, 0, sizeof(*desk));
	bench_make(&desk->bench);
	(void)snprintf(
	    desk->vault, sizeof(desk->vault), "%s/vault.key", desk->bench.dir);
	appliance->vault = desk->vault;
	appliance->password_iterations = DESK_ITERATIONS;
	assert_ok(loop_pool_new(
	    desk->bench.rig.loop, "passwords", 1, &appliance->passwords));
	assert_ok(appliance_open(appliance));
}

/* The appliance anew, which keeps logs from here on. */
static inline void
desk_keep_logs(struct desk *desk)
{
	appliance_close(desk_appliance(desk));
	(void)snprintf(
	    desk->logs_dir, sizeof(desk->logs_dir), "%s/logs", desk->bench.dir);
	desk_appliance(desk)->logs_dir = desk->logs_dir;
	assert_ok(appliance_open(desk_appliance(desk)));
}

/* "line 00000", "line 00001" ... in the System Log, each of that length. */
static inline void
desk_fill_log(struct desk *desk, unsigned count, size_t line_octets)
{
	char line[1024];
	unsigned k;

	assert_true(line_octets < sizeof(line));
	memset(line, '.', line_octets);
	for (k = 0; k < count; k++) {
		line[snprintf(line, sizeof(line), "line %05u", k)] = '.';
		logs_add(desk_appliance(desk), LOG_SYSTEM,
		    (struct bytes){(const uint8_t *)line, line_octets});
	}
	bench_turn(&desk->bench);
}

static inline void
desk_stand(struct desk *desk)
{
	cli_free(desk->cli);
	desk->cli = NULL;
}

static inline void
desk_remove(struct desk *desk)
{
	desk_stand(desk);
	loop_end_jobs(desk->bench.rig.loop);
	appliance_close(desk_appliance(desk));
	bench_remove(&desk->bench);
	(void)alarm(0);
}

/* With DESK_PASSWORD; in place of one of that name. */
static inline void
desk_account(struct desk *desk, const char *name, bool high, uint32_t controls)
{
	static char nothing[] = "";
	struct admin admin = {.full_name = nothing,
	    .description = nothing,
	    .high = high,
	    .controls = controls};
	const char *why = "";

	(void)snprintf(admin.name, sizeof(admin.name), "%s", name);
	assert_ok(password_hash(desk->bench.rig.env, DESK_ITERATIONS,
	    bytes_of_text(DESK_PASSWORD), &admin.password));
	admin.password_ms = env_elapsed_ms(desk->bench.rig.env);
	assert_ok(admin_write(desk->bench.appliance.store, &admin, &why));
}

/* ---- somebody sits there ---- */

static inline void
desk_hears(void *ctx, enum cli_mark mark, struct bytes text)
{
	struct desk *desk = ctx;

	assert_true(desk->octets + text.octets + 3 < sizeof(desk->said));
	desk->said[desk->octets++] = (char)mark;
	memcpy(desk->said + desk->octets, text.at, text.octets);
	desk->octets += text.octets;
	desk->said[desk->octets++] = '\n';
	desk->said[desk->octets] = '\0';
	desk->left = desk->left || mark == CLI_BYE;
	if (mark != CLI_SAY && mark != CLI_END)
		loop_stop(desk->bench.rig.loop);
}

/*
 * Until something is waited for; what was said. Only a worker's end wakes the
 * loop: the rest has been put in its way already.
 */
static inline const char *
desk_wait(struct desk *desk)
{
	while (!desk->left && !cli_waits(desk->cli)) {
		if (loop_jobs(desk->bench.rig.loop) != 0)
			assert_ok(loop_run(desk->bench.rig.loop));
		else
			assert_ok(rig_turns(&desk->bench.rig, 1));
	}
	return desk->said;
}

static inline void
desk_forget(struct desk *desk)
{
	desk->octets = 0;
	desk->said[0] = '\0';
}

/* In the middle of whatever the one before did. */
static inline const char *
desk_sit(struct desk *desk, const struct cli_entry *entry)
{
	desk_stand(desk);
	desk_forget(desk);
	desk->left = false;
	assert_ok(
	    cli_new(desk_appliance(desk), entry, desk_hears, desk, &desk->cli));
	return desk_wait(desk);
}

/* Somebody whom the door has logged in. */
static inline const char *
desk_sit_as(struct desk *desk, const char *name)
{
	struct principal who = {.door = DOOR_SSH, .peer = "192.0.2.7"};
	const struct cli_entry entry = {
	    .door = DOOR_SSH, .peer = "192.0.2.7", .who = &who};

	(void)snprintf(who.name, sizeof(who.name), "%s", name);
	return desk_sit(desk, &entry);
}

/* Types a line, and what is said to it. */
static inline const char *
desk_type(struct desk *desk, const char *line)
{
	desk_forget(desk);
	assert_true(!desk->left && cli_waits(desk->cli));
	cli_input(desk->cli, bytes_of_text(line));
	return desk_wait(desk);
}

/* Several, with line feeds between; what is said to the last. */
static inline const char *
desk_types(struct desk *desk, const char *lines)
{
	char line[COMMAND_LINE_OCTETS + 2];
	const char *said = "";

	while (*lines != '\0') {
		size_t octets = strcspn(lines, "\n");

		assert_true(octets < sizeof(line));
		memcpy(line, lines, octets);
		line[octets] = '\0';
		said = desk_type(desk, line);
		lines += octets + (lines[octets] == '\n');
	}
	return said;
}

/* Among what is said to the last of them is this. */
static inline void
desk_says(struct desk *desk, const char *lines, const char *want)
{
	const char *said = desk_types(desk, lines);

	if (strstr(said, want) == NULL)
		fail_msg("%s\nexpected: %s\n     got: %s", lines, want, said);
}

/* ---- the audit log ---- */

static inline enum err
desk_audit_line(void *ctx, struct bytes line)
{
	char *last = ctx;
	size_t octets = line.octets < 2047 ? line.octets : 2047;

	memcpy(last, line.at, octets);
	last[octets] = '\0';
	return OK;
}

/* Its last line, behind the time. */
static inline const char *
desk_audited(struct desk *desk)
{
	static char last[2048];

	last[0] = '\0';
	assert_ok(
	    audit_last(desk->bench.appliance.store, 1, desk_audit_line, last));
	return strlen(last) > 20 ? last + 20 : last;
}

static inline void
desk_advance(struct desk *desk, int64_t ms)
{
	rig_move_to(&desk->bench.rig, env_elapsed_ms(desk->bench.rig.env) + ms);
}

#endif
