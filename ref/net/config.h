/*
 * The file that starts a server: DIR/touchstone.conf, lines of `key = value`.
 *
 * Blank lines and lines that begin with # say nothing. A key stands once; what
 * is not there has its default. Nothing is guessed: an unknown key, a repeated
 * one, a value out of its range or a line that is no such thing refuses the
 * whole file, and the fault names line, key and rule.
 */
#ifndef NET_CONFIG_H
#define NET_CONFIG_H

#include <stdio.h>

#include "base/bytes.h"

/* Strings are owned. A CHOICE is the position of its value. */
struct config {
#define TEXT(key, value, help)                char *key;
#define PATH(key, value, help)                char *key;
#define NUMBER(key, value, least, most, help) int64_t key;
#define CHOICE(key, value, choices, help)     unsigned key;
#include "net/config.def"
#undef TEXT
#undef PATH
#undef NUMBER
#undef CHOICE
};

enum { CONFIG_MAX_OCTETS = 65536, CONFIG_FAULT_OCTETS = 200 };

/* What is wrong, for a person: "line 3: idle_timeout_s: 0 is not in 1..86400"
 */
struct config_fault {
	char text[CONFIG_FAULT_OCTETS];
};

/*
 * text  the file's content
 * dir   what relative paths are relative to
 *
 * ERR_CONFIG  see the fault; *out needs no clearing
 * ERR_NOMEM
 */
enum err config_parse(struct bytes text, const char *dir, struct config *out,
    struct config_fault *fault) MUST_CHECK;

/* The same from DIR/touchstone.conf; without the file, all defaults. */
enum err config_load(
    const char *dir, struct config *out, struct config_fault *fault) MUST_CHECK;

/* Harmless on a zeroed one. */
void config_clear(struct config *c);

/* Each key with its default, its rule and its help. */
void config_help(FILE *to);

#endif
