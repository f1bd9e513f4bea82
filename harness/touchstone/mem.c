#include "mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef TORTURE
#include <sanitizer/lsan_interface.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_ulong countdown;
static atomic_bool armed_from_env;
static atomic_bool hit;

void
mem_torture(unsigned long nth)
{
	atomic_store(&armed_from_env, true);
	atomic_store(&hit, false);
	atomic_store(&countdown, nth);
}

bool
mem_torture_hit(void)
{
	return atomic_load(&hit);
}

/*
 * A test that fails for want of memory aborts (harness/torture.sh asks cmocka
 * for it), with all that it holds still in its hands: what nobody holds now
 * has been lost by our own code.
 */
static void
look_for_leaks(int signal_number)
{
	(void)signal_number;
	__lsan_do_leak_check();
	_exit(0);
}

static bool
must_fail(void)
{
	unsigned long left;
	const char *nth;

	if (!atomic_exchange(&armed_from_env, true)) {
		nth = getenv("TORTURE_NTH");
		if (nth != NULL)
			atomic_store(&countdown, strtoul(nth, NULL, 10));
	}
	left = atomic_load(&countdown);
	while (left != 0) {
		if (!atomic_compare_exchange_weak(&countdown, &left, left - 1))
			continue;
		if (left != 1)
			return false;
		atomic_store(&hit, true);
		fputs("torture: refused\n", stderr);
		(void)signal(SIGABRT, look_for_leaks);
		return true;
	}
	return false;
}
#else
#define must_fail() 0
#endif

void *
mem_zalloc(size_t count, size_t octets)
{
	if (must_fail())
		return NULL;
	/* calloc(0) may answer NULL, which means failure here */
	return calloc(count != 0 ? count : 1, octets != 0 ? octets : 1);
}

void *
mem_grow(void *p, size_t *room, size_t count, size_t octets)
{
	size_t want = *room + *room / 2 + 8;
	void *grown;

	if (count <= *room)
		return p;
	if (want < count)
		want = count;
	grown = must_fail() ? NULL : reallocarray(p, want, octets);
	if (grown == NULL)
		return p;
	*room = want;
	return grown;
}

char *
mem_strdup(const char *s)
{
	size_t octets = strlen(s) + 1;
	char *copy = mem_zalloc(1, octets);

	if (copy != NULL)
		memcpy(copy, s, octets);
	return copy;
}

void
mem_free(void *p)
{
	free(p);
}
