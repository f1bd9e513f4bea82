#include "crypto/hsm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "crypto/keyfile.h"
#include "crypto/random.h"

enum {
	PATH_OCTETS = KEYFILE_PATH_OCTETS,
	PIN_RANDOM_OCTETS = 16,
	PIN_MOST_OCTETS = 255,
	PIN_FILE_MAX_OCTETS =
	    1024, /* what follows the first line is not read */
};

static enum err
path_join(const char *dir, const char *name, char path[PATH_OCTETS])
{
	int length = snprintf(path, PATH_OCTETS, "%s/%s", dir, name);

	return length > 0 && length < PATH_OCTETS ? OK : ERR_CONFIG;
}

static enum err
system_err(const char *what, const char *path)
{
	log_line("crypto", LOG_ERROR, "%s %s: %s", what, path, strerror(errno));
	return ERR_SYSTEM;
}

enum err
hsm_pin_read(const char *path, struct secret **out)
{
	struct secret *file = NULL;
	struct bytes pin;
	const uint8_t *end;
	enum err rc = OK;

	*out = NULL;
	TRY(keyfile_read(path, PIN_FILE_MAX_OCTETS, &file));
	pin = secret_peek(file);
	end = memchr(pin.at, '\n', pin.octets);
	if (end != NULL)
		pin.octets = (size_t)(end - pin.at);
	if (pin.octets == 0 || pin.octets > PIN_MOST_OCTETS) {
		log_line("crypto", LOG_ERROR,
		    "PIN file %s: a line of 1 to 255 octets is wanted", path);
		TRY(ERR_CONFIG);
	}
	TRY(secret_copy(pin, out));
out:
	secret_free(file);
	return rc;
}

/* The PIN in that file; a new one where there is no file. */
static enum err
pin_make(struct env *env, const char *path, struct secret **out)
{
	struct secret *random = NULL;
	struct secret *line = NULL;
	uint8_t *text;
	size_t k;
	enum err rc = OK;

	if (access(path, F_OK) == 0)
		return hsm_pin_read(path, out);
	TRY(random_secret(env, PIN_RANDOM_OCTETS, &random));
	TRY(secret_new(2 * PIN_RANDOM_OCTETS + 1, &line));
	text = secret_fill(line);
	for (k = 0; k < PIN_RANDOM_OCTETS; k++) {
		uint8_t octet = secret_peek(random).at[k];

		text[2 * k] = (uint8_t) "0123456789abcdef"[octet >> 4];
		text[2 * k + 1] = (uint8_t) "0123456789abcdef"[octet & 15];
	}
	text[2 * PIN_RANDOM_OCTETS] = '\n';
	TRY(keyfile_put(path, secret_peek(line)));
	TRY(hsm_pin_read(path, out));
out:
	secret_free(random);
	secret_free(line);
	return rc;
}

/*
 * Written at every start, since the directory may have been moved or copied.
 * A forked child must not inherit the login: reset_on_fork.
 */
static enum err
conf_put(const char *path, const char *tokens)
{
	struct buf conf;
	enum err rc = OK;

	buf_init(&conf, 4 * PATH_OCTETS);
	TRY(buf_printf(&conf,
	    "directories.tokendir = %s\n"
	    "objectstore.backend = file\n"
	    "log.level = ERROR\n"
	    "slots.removable = false\n"
	    "library.reset_on_fork = true\n",
	    tokens));
	TRY(keyfile_put(path, buf_peek(&conf)));
out:
	buf_clear(&conf);
	return rc;
}

enum err
hsm_softhsm_setup(struct env *env, const char *module_path, const char *dir,
    const char *token_label, char **pin_path)
{
	char *real = realpath(dir, NULL);
	char conf[PATH_OCTETS], tokens[PATH_OCTETS];
	char so_path[PATH_OCTETS], path[PATH_OCTETS];
	struct secret *so_pin = NULL;
	struct secret *pin = NULL;
	enum err rc = OK;

	*pin_path = NULL;
	if (real == NULL)
		TRY(system_err("cannot find", dir));
	TRY(path_join(real, "softhsm2.conf", conf));
	TRY(path_join(real, "tokens", tokens));
	TRY(path_join(real, "so-pin", so_path));
	TRY(path_join(real, "pin", path));
	if (mkdir(tokens, 0700) != 0 && errno != EEXIST)
		TRY(system_err("cannot make", tokens));
	TRY(conf_put(conf, tokens));
	TRY(pin_make(env, so_path, &so_pin));
	TRY(pin_make(env, path, &pin));
	if (setenv("SOFTHSM2_CONF", conf, 1) != 0)
		TRY(ERR_NOMEM);
	TRY(hsm_token_init(module_path, token_label, so_pin, pin));
	*pin_path = mem_strdup(path);
	if (*pin_path == NULL)
		TRY(ERR_NOMEM);
out:
	secret_free(so_pin);
	secret_free(pin);
	mem_free(real); /* libc's, which is what mem_free frees */
	return rc;
}
