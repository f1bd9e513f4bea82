/*
 * For tests: hears what an appliance writes into its logs, whether or not there
 * are files. It is told of each line as those are who send them elsewhere.
 */
#ifndef DEVICE_EAR_TEST_H
#define DEVICE_EAR_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "device/logs.h"

struct ear {
	struct logs_watch watch;
	struct buf heard[LOG_TYPE_COUNT]; /* each line with its end */
	unsigned lines[LOG_TYPE_COUNT];
};

static inline void
ear_hear(void *ctx, enum log_type type, struct bytes line)
{
	struct ear *ear = ctx;

	struct buf *heard = &ear->heard[type];

	assert_int_equal(buf_put(heard, line), OK);
	assert_int_equal(buf_put_text(heard, "\n"), OK);
	ear->lines[type]++;
}

/* The appliance is open, and is closed before the ear is. */
static inline void
ear_open(struct ear *ear, struct appliance *appliance)
{
	unsigned k;

	*ear = (struct ear){.watch = {.added = ear_hear, .ctx = ear}};
	for (k = 0; k < LOG_TYPE_COUNT; k++)
		buf_init(&ear->heard[k], 64 << 20);
	logs_watch(appliance, &ear->watch);
}

static inline void
ear_close(struct ear *ear)
{
	unsigned k;

	for (k = 0; k < LOG_TYPE_COUNT; k++)
		buf_clear(&ear->heard[k]);
}

static inline void
ear_forget(struct ear *ear)
{
	unsigned k;

	for (k = 0; k < LOG_TYPE_COUNT; k++) {
		buf_reset(&ear->heard[k]);
		ear->lines[k] = 0;
	}
}

/* All that it has heard since, as text; valid until it hears more. */
static inline const char *
ear_text(struct ear *ear, enum log_type type)
{
	struct buf *heard = &ear->heard[type];

	assert_int_equal(
	    buf_put(heard, (struct bytes){(const uint8_t *)"", 1}), OK);
	heard->octets--;
	return (const char *)heard->at;
}

#endif
