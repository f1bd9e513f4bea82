#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef TORTURE
#include <sanitizer/lsan_interface.h>
#include <signal.h>
#include <stdatomic.h>
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
mem_regrow(void *p, size_t count, size_t octets)
{
	if (must_fail() || count == 0 || octets == 0)
		return NULL;
	return reallocarray(p, count, octets);
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

enum err
mem_printf(char **out, const char *format, ...)
{
	va_list args;
	int octets;

	*out = NULL;
	va_start(args, format);
	octets = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (octets < 0)
		return ERR_SYSTEM;
	*out = mem_zalloc((size_t)octets + 1, 1);
	if (*out == NULL)
		return ERR_NOMEM;
	va_start(args, format);
	(void)vsnprintf(*out, (size_t)octets + 1, format, args);
	va_end(args);
	return OK;
}

void
mem_free(void *p)
{
	free(p);
}

void *
mem_library_new(size_t octets)
{
	return malloc(octets != 0 ? octets : 1);
}

void *
mem_library_regrow(void *p, size_t octets)
{
	size_t room_octets = p != NULL ? malloc_usable_size(p) : 0;
	void *moved;

	if (p != NULL && octets <= room_octets && octets >= room_octets / 2)
		return p;
	moved = mem_library_new(octets);
	if (moved == NULL)
		return NULL;
	if (p != NULL)
		memcpy(moved, p, octets < room_octets ? octets : room_octets);
	mem_library_free(p);
	return moved;
}

void
mem_library_free(void *p)
{
	if (p == NULL)
		return;
	explicit_bzero(p, malloc_usable_size(p));
	free(p);
}
