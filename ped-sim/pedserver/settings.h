/*
 * The configuration of a PedServer: a file of lines "key = value".
 *
 * `PedServer -m config -create` makes it with what the guide shows; the file
 * and its keys are ours, the values the guide's.
 */
#ifndef PEDSERVER_SETTINGS_H
#define PEDSERVER_SETTINGS_H

#include "base/buf.h"
#include "base/options.h"

enum {
	SETTINGS = 9, /* keys */
	SETTINGS_TEXT_OCTETS = 256,
	SETTINGS_FILE_OCTETS = 4096,
	SETTINGS_FAULT_OCTETS = 128,
};

struct settings {
	char hostname[SETTINGS_TEXT_OCTETS];
	char ip[SETTINGS_TEXT_OCTETS];
	unsigned port;
	bool external_server; /* on every interface, or on loopback only */
	unsigned admin_port;
	bool external_admin;
	unsigned idle_timeout_s;
	char
	    usb[SETTINGS_TEXT_OCTETS]; /* the socket that a PED is plugged in */
	char log[SETTINGS_TEXT_OCTETS]; /* "": none */
};

/* As the guide shows it, with this machine's name and address. */
void settings_default(struct settings *settings);

/*
 * An option of the command line for each key, whose value goes to `given`:
 * NULL stays where there is none.
 */
void settings_options(
    const char *given[SETTINGS], struct options_row rows[SETTINGS]);

/*
 * Set what was given.
 *
 * wrong  its option, with ERR_VALUE
 */
enum err settings_take(struct settings *settings,
    const char *const given[SETTINGS], const char **wrong) MUST_CHECK;

/*
 * Read a file's text over what is there.
 *
 * fault  what is wrong with it, for a person
 *
 * ERR_CONFIG
 */
enum err settings_read(struct settings *settings, struct bytes text,
    char fault[SETTINGS_FAULT_OCTETS]) MUST_CHECK;

enum err
settings_write(const struct settings *settings, struct buf *out) MUST_CHECK;

/* The file. ERR_SYSTEM: errno says why; ERR_CONFIG */
enum err settings_load(struct settings *settings, const char *path,
    char fault[SETTINGS_FAULT_OCTETS]) MUST_CHECK;
enum err
settings_save(const struct settings *settings, const char *path) MUST_CHECK;

#endif
