/*
 * Laboratory control: what anybody says there is answered or hung up on, and
 * the next visitor is served.
 */
#include "base/lab.h"
#include "base/visit_test.h"

static struct rig rig;
static char path[] = "/dev/shm/lab.XXXXXX/lab.sock";
static unsigned value_set;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static enum err
set_fault(void *ctx, unsigned value)
{
	(void)ctx;
	visit_must(value < 3);
	value_set = value;
	return OK;
}

/* It stays on: the fuzzer has to. */
static void
power_off(void *ctx, bool tear, uint64_t seed, unsigned nth)
{
	(void)ctx;
	(void)seed;
	visit_must(tear || nth == 0);
}

static enum err
say_status(void *ctx, struct buf *out)
{
	(void)ctx;
	return buf_printf(out, " fault=%u", value_set);
}

static void
set_up(void)
{
	char *end = strrchr(path, '/');

	*end = '\0';
	visit_must(mkdtemp(path) != NULL);
	*end = '/';
	visit_must(rig_init(&rig) == OK);
	unlink(rig.clock_path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	static const struct lab_fault faults[] = {
	    {.name = "disk", .values = "well|slow|full", .set = set_fault}};
	static const struct lab_config config = {
	    .path = path,
	    .faults = faults,
	    .fault_count = 1,
	    .power_off = power_off,
	    .status = say_status,
	};
	struct lab *lab = NULL;

	if (rig.loop == NULL)
		set_up();
	value_set = 0;
	visit_must(lab_new(rig.loop, rig.env, &config, &lab) == OK);
	visit(&rig, path, (struct bytes){data, octets});
	visit(&rig, path, bytes_of_text("status\n"));
	lab_free(lab);
	return 0;
}
