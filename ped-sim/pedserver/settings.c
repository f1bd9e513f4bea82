#include "pedserver/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { TEXT, NUMBER, YES_NO };

/* clang-format off */
static const struct key {
	const char *name;
	enum kind kind;
	size_t at;
	unsigned most; /* of a number */
	const char *argument, *help; /* of the option of its name */
} keys[SETTINGS] = {
#define AT(member) offsetof(struct settings, member)
	{"hostname",        TEXT,   AT(hostname), 0,
	    "NAME", "of this machine, as it is shown"},
	{"ip",              TEXT,   AT(ip), 0,
	    "ADDRESS", "likewise"},
	{"port",            NUMBER, AT(port), 65535,
	    "N", "for a PedClient (1503)"},
	{"external-server", YES_NO, AT(external_server), 0,
	    "yes|no", "on every interface (yes)"},
	{"admin-port",      NUMBER, AT(admin_port), 65535,
	    "N", "for this command (1502)"},
	{"external-admin",  YES_NO, AT(external_admin), 0,
	    "yes|no", "likewise (no)"},
	{"idle-timeout",    NUMBER, AT(idle_timeout_s), 1000000,
	    "S", "of a connection (1800)"},
	{"usb",             TEXT,   AT(usb), 0,
	    "SOCKET", "where the PED is plugged in (usb.sock)"},
	{"log",             TEXT,   AT(log), 0,
	    "FILE", "of the server in the background"},
#undef AT
};
/* clang-format on */

/* The first address of this machine that others can reach. */
static void
find_ip(char ip[SETTINGS_TEXT_OCTETS])
{
	struct ifaddrs *all = NULL;
	struct ifaddrs *one;

	strcpy(ip, "127.0.0.1");
	if (getifaddrs(&all) != 0)
		return;
	for (one = all; one != NULL; one = one->ifa_next) {
		struct sockaddr_in in;

		if (one->ifa_addr == NULL ||
		    one->ifa_addr->sa_family != AF_INET ||
		    (one->ifa_flags & IFF_LOOPBACK) != 0)
			continue;
		memcpy(&in, one->ifa_addr, sizeof(in));
		(void)inet_ntop(
		    AF_INET, &in.sin_addr, ip, SETTINGS_TEXT_OCTETS);
		break;
	}
	freeifaddrs(all);
}

void
settings_default(struct settings *settings)
{
	/* req: KS-05-064, KS-05-065, KS-05-066, KS-05-067, KS-05-069 */
	*settings = (struct settings){
	    .port = 1503,
	    .external_server = true,
	    .admin_port = 1502,
	    .external_admin = false,
	    .idle_timeout_s = 1800,
	    .usb = "usb.sock",
	};
	if (gethostname(settings->hostname, sizeof(settings->hostname) - 1) !=
	    0)
		strcpy(settings->hostname, "localhost");
	find_ip(settings->ip);
}

static enum err
set_text(char *to, const char *value)
{
	size_t octets = strlen(value);

	if (octets >= SETTINGS_TEXT_OCTETS ||
	    !bytes_is_utf8(bytes_of_text(value)) ||
	    strpbrk(value, "\r\n") != NULL)
		return ERR_VALUE;
	memcpy(to, value, octets + 1);
	return OK;
}

static enum err
set_number(unsigned *to, const char *value, unsigned most)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 ||
	    number < 1 || number > most)
		return ERR_VALUE;
	*to = (unsigned)number;
	return OK;
}

static enum err
set_yes_no(bool *to, const char *value)
{
	*to = strcmp(value, "yes") == 0;
	return *to || strcmp(value, "no") == 0 ? OK : ERR_VALUE;
}

static enum err
set(struct settings *settings, const struct key *key, const char *value)
{
	char *at = (char *)settings + key->at;

	switch (key->kind) {
	case TEXT:
		return set_text(at, value);
	case NUMBER:
		return set_number((void *)at, value, key->most);
	case YES_NO:
		return set_yes_no((void *)at, value);
	}
	return ERR_VALUE;
}

void
settings_options(const char *given[SETTINGS], struct options_row rows[SETTINGS])
{
	for (size_t k = 0; k < SETTINGS; k++)
		rows[k] = (struct options_row){keys[k].name, keys[k].argument,
		    keys[k].help, .text = &given[k]};
}

enum err
settings_take(struct settings *settings, const char *const given[SETTINGS],
    const char **wrong)
{
	enum err rc = OK;

	for (size_t k = 0; k < SETTINGS; k++) {
		*wrong = keys[k].name;
		if (given[k] != NULL)
			TRY(set(settings, &keys[k], given[k]));
	}
out:
	return rc;
}

/* "key = value", without its end. */
static enum err
read_line(struct settings *settings, const char *line)
{
	const char *equals = strchr(line, '=');
	size_t octets = equals != NULL ? (size_t)(equals - line) : 0;
	struct bytes name;

	if (equals == NULL)
		return ERR_VALUE;
	while (octets != 0 && line[octets - 1] == ' ')
		octets--;
	name = (struct bytes){(const uint8_t *)line, octets};
	equals++;
	equals += strspn(equals, " ");
	for (size_t k = 0; k < SETTINGS; k++) {
		if (bytes_equal_text(name, keys[k].name))
			return set(settings, &keys[k], equals);
	}
	return ERR_NOT_FOUND;
}

enum err
settings_read(struct settings *settings, struct bytes text,
    char fault[SETTINGS_FAULT_OCTETS])
{
	char whole[SETTINGS_FILE_OCTETS + 1];
	char *rest = whole;
	char *line;
	unsigned number = 0;
	enum err rc = OK;

	if (text.octets > SETTINGS_FILE_OCTETS ||
	    memchr(text.at, '\0', text.octets) != NULL) {
		(void)snprintf(
		    fault, SETTINGS_FAULT_OCTETS, "this is no configuration");
		return ERR_CONFIG;
	}
	memcpy(whole, text.at, text.octets);
	whole[text.octets] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL) {
		number++;
		if (*line == '\0' || *line == '#')
			continue;
		rc = read_line(settings, line);
		if (rc == OK)
			continue;
		(void)snprintf(fault, SETTINGS_FAULT_OCTETS, "line %u: %s",
		    number, rc == ERR_NOT_FOUND ? "no such key" : err_text(rc));
		return ERR_CONFIG;
	}
	return OK;
}

enum err
settings_write(const struct settings *settings, struct buf *out)
{
	size_t k;
	enum err rc = OK;

	for (k = 0; k < SETTINGS; k++) {
		const void *at = (const char *)settings + keys[k].at;

		TRY(buf_printf(out, "%s = ", keys[k].name));
		switch (keys[k].kind) {
		case TEXT:
			TRY(buf_put_text(out, at));
			break;
		case NUMBER:
			TRY(buf_printf(out, "%u", *(const unsigned *)at));
			break;
		case YES_NO:
			TRY(buf_put_text(
			    out, *(const bool *)at ? "yes" : "no"));
			break;
		}
		TRY(buf_put_text(out, "\n"));
	}
out:
	return rc;
}

enum err
settings_load(struct settings *settings, const char *path,
    char fault[SETTINGS_FAULT_OCTETS])
{
	uint8_t text[SETTINGS_FILE_OCTETS + 1];
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum err rc = OK;

	(void)snprintf(fault, SETTINGS_FAULT_OCTETS, "%s", strerror(errno));
	if (fd < 0)
		return ERR_SYSTEM;
	got = read(fd, text, sizeof(text));
	if (got < 0)
		TRY(ERR_SYSTEM);
	TRY(settings_read(settings, (struct bytes){text, (size_t)got}, fault));
out:
	close(fd);
	return rc;
}

enum err
settings_save(const struct settings *settings, const char *path)
{
	struct buf text;
	int fd = -1;
	enum err rc = OK;

	buf_init(&text, SETTINGS_FILE_OCTETS);
	TRY(settings_write(settings, &text));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text.at, text.octets) != (ssize_t)text.octets)
		TRY(ERR_SYSTEM);
out:
	if (fd >= 0 && close(fd) != 0 && rc == OK)
		rc = ERR_SYSTEM;
	buf_clear(&text);
	return rc;
}
