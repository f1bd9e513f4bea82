/* For the tests of this folder: cmocka, and what it wants before it. */
#ifndef MODEL_CMOCKA_TEST_H
#define MODEL_CMOCKA_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
