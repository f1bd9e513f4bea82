#include "card/admin.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/percent.h"
#include "base/wait.h"

struct session {
	const struct admin_config *config;
	struct card *card;
	int fd;
	struct card_login login;
};

enum { ANY = -1, K6 = CARD_K6, LUNA7 = CARD_LUNA7 };

/*
 * Adds to "ok" what there is to tell, as " KEY=VALUE ...".
 *
 * *rv is what the card says; other errors are the system's.
 */
typedef enum err run_fn(struct session *s, const struct admin_request *r,
    struct buf *out, enum card_rv *rv);

struct admin_command {
	int model;
	const char *name;
	run_fn *run;
	const char *keys;
};

/* ---- roles, as the tools of the 7.x name them ---- */

static const struct {
	const char *name;
	enum card_role role;
} roles[] = {
    {"po", CARD_SO},
    {"co", CARD_USER},
    {"cu", CARD_LIMITED},
};

static bool
find_role(const char *name, unsigned long *out)
{
	size_t k;

	for (k = 0; k < sizeof(roles) / sizeof(roles[0]); k++) {
		*out = roles[k].role;
		if (strcmp(roles[k].name, name) == 0)
			return true;
	}
	return false;
}

static const char *
role_name(enum card_role role)
{
	size_t k = 0;

	while (roles[k].role != role)
		k++;
	return roles[k].name;
}

/* ---- what the commands do ---- */

static enum err
run_slots(struct session *s, const struct admin_request *r, struct buf *out,
    enum card_rv *rv)
{
	(void)r;
	*rv = CARD_OK;
	return buf_printf(out, " slots=%u", card_slots(s->card));
}

static enum err
run_zeroize(struct session *s, const struct admin_request *r, struct buf *out,
    enum card_rv *rv)
{
	(void)r;
	(void)out;
	*rv = card_zeroize(s->card);
	return OK;
}

static enum err
run_partition_init(struct session *s, const struct admin_request *r,
    struct buf *out, enum card_rv *rv)
{
	(void)out;
	*rv = card_partition_init(s->card, (unsigned)r->number[0], r->text[1],
	    bytes_of_text(r->text[2]), bytes_of_text(r->text[3]));
	return OK;
}

static enum err
put_text(struct buf *out, const char *key, const char *value)
{
	enum err rc = OK;

	TRY(buf_printf(out, " %s=", key));
	TRY(percent_put(out, bytes_of_text(value)));
out:
	return rc;
}

static enum err
put_flag(struct buf *out, const char *key, bool on)
{
	return buf_printf(out, " %s=%s", key, on ? "yes" : "no");
}

static enum err
run_partition_info(struct session *s, const struct admin_request *r,
    struct buf *out, enum card_rv *rv)
{
	const struct admin_config *config = s->config;
	unsigned slot = (unsigned)r->number[0];
	struct card_slot info;
	enum err rc = OK;

	*rv = card_slot(s->card, slot, &info);
	if (*rv != CARD_OK)
		return OK;
	TRY(buf_printf(out, " slot=%u", slot));
	TRY(put_text(out, "label", info.label));
	TRY(put_text(out, "serial", info.serial));
	TRY(put_text(out, "uuid", info.uuid));
	TRY(put_text(out, "manufacturer", info.manufacturer));
	TRY(put_text(out, "model", info.model));
	TRY(put_text(out, "firmware", info.firmware));
	TRY(put_flag(out, "initialized", info.initialized));
	TRY(put_flag(out, "ped", info.ped));
	TRY(put_flag(out, "user-initialized", info.has_user));
	TRY(put_flag(out, "fips", card_fips(s->card)));
	if (s->login.role != CARD_NOBODY && s->login.slot == slot &&
	    card_login_check(s->card, &s->login) != CARD_NOT_LOGGED_IN)
		TRY(put_text(out, "login", role_name(s->login.role)));
	if (config->storage != NULL)
		TRY(config->storage(config->ctx, slot, out));
out:
	return rc;
}

static enum err
run_role_list(struct session *s, const struct admin_request *r, struct buf *out,
    enum card_rv *rv)
{
	struct card_slot info;
	enum err rc = OK;

	*rv = card_slot(s->card, (unsigned)r->number[0], &info);
	if (*rv != CARD_OK)
		return OK;
	TRY(put_flag(out, "po", info.initialized));
	TRY(put_flag(out, "co", info.has_user));
	TRY(put_flag(out, "cu", info.has_limited));
	TRY(put_flag(out, "po-locked", info.so_locked));
	TRY(put_flag(out, "co-locked", info.user_locked));
out:
	return rc;
}

/* Is somebody logged in here, still? What ended behind our back is let go. */
static bool
is_logged_in(struct session *s)
{
	if (s->login.role == CARD_NOBODY)
		return false;
	if (card_login_check(s->card, &s->login) != CARD_NOT_LOGGED_IN)
		return true;
	card_logout(s->card, &s->login);
	return false;
}

static enum err
run_role_login(struct session *s, const struct admin_request *r,
    struct buf *out, enum card_rv *rv)
{
	enum card_role role = (enum card_role)r->number[1];

	/* req: KSC-109  one role at a time */
	if (is_logged_in(s)) {
		*rv = s->login.role == role ? CARD_ALREADY_LOGGED_IN
					    : CARD_OTHER_LOGGED_IN;
		return OK;
	}
	*rv = card_login(s->card, (unsigned)r->number[0], role,
	    bytes_of_text(r->text[2]), &s->login);
	if (*rv != CARD_OK)
		return OK;
	return put_flag(out, "expired", s->login.expired);
}

static enum err
run_role_logout(struct session *s, const struct admin_request *r,
    struct buf *out, enum card_rv *rv)
{
	(void)r;
	(void)out;
	*rv = is_logged_in(s) ? CARD_OK : CARD_NOT_LOGGED_IN;
	card_logout(s->card, &s->login);
	return OK;
}

static enum err
run_role_init(struct session *s, const struct admin_request *r, struct buf *out,
    enum card_rv *rv)
{
	(void)out;
	*rv = card_role_init(s->card, &s->login, (enum card_role)r->number[0],
	    bytes_of_text(r->text[1]));
	return OK;
}

static enum err
run_role_changepw(struct session *s, const struct admin_request *r,
    struct buf *out, enum card_rv *rv)
{
	(void)out;
	if (!is_logged_in(s))
		*rv = CARD_NOT_LOGGED_IN;
	else if (s->login.role != (enum card_role)r->number[0])
		*rv = CARD_RIGHTS;
	else
		*rv = card_password(s->card, &s->login,
		    bytes_of_text(r->text[1]), bytes_of_text(r->text[2]));
	return OK;
}

/* ---- the built-in card ---- */

static enum err
run_status(struct session *s, const struct admin_request *r, struct buf *out,
    enum card_rv *rv)
{
	static const char *const peds[] = {[CARD_PED_NONE] = "none",
	    [CARD_PED_LOCAL] = "local",
	    [CARD_PED_REMOTE_ON] = "remote"};
	struct card_status st;
	enum err rc = OK;

	(void)r;
	*rv = CARD_OK;
	card_status(s->card, &st);
	TRY(put_flag(out, "initialized", st.initialized));
	TRY(put_flag(out, "partition", st.has_partition));
	TRY(put_flag(out, "activated", st.activated));
	TRY(put_flag(out, "auto-activation", st.auto_activation));
	TRY(put_flag(out, "tampered", st.tampered));
	TRY(put_flag(out, "zeroized", st.zeroized));
	TRY(put_flag(out, "remote-vector", st.has_rpv));
	TRY(put_text(out, "ped", peds[st.ped]));
	TRY(buf_printf(out, " so-attempts=%u user-attempts=%u",
	    st.so_attempts_left, st.user_attempts_left));
	TRY(put_flag(out, "user-locked", st.user_locked));
	TRY(put_text(out, "label", st.label));
	TRY(put_text(out, "serial", st.serial));
out:
	return rc;
}

static enum err
run_so_login(struct session *s, const struct admin_request *r, struct buf *out,
    enum card_rv *rv)
{
	(void)r;
	(void)out;
	*rv = is_logged_in(s) ? CARD_ALREADY_LOGGED_IN
			      : card_so_login(s->card, &s->login);
	return OK;
}

static enum err
run_remote_disconnect(struct session *s, const struct admin_request *r,
    struct buf *out, enum card_rv *rv)
{
	(void)r;
	(void)out;
	card_remote_disconnect(s->card);
	*rv = CARD_OK;
	return OK;
}

static enum err
run_initialize(struct session *s, const struct admin_request *r,
    struct buf *out, enum card_rv *rv)
{
	(void)out;
	*rv = card_initialize(s->card, r->text[0]);
	return OK;
}

static enum err
run_create_partition(struct session *s, const struct admin_request *r,
    struct buf *out, enum card_rv *rv)
{
	(void)out;
	*rv = card_create_partition(s->card, &s->login, r->text[0]);
	return OK;
}

static enum err
run_activate(struct session *s, const struct admin_request *r, struct buf *out,
    enum card_rv *rv)
{
	(void)r;
	(void)out;
	*rv = card_activate(s->card);
	return OK;
}

static enum err
run_deactivate(struct session *s, const struct admin_request *r,
    struct buf *out, enum card_rv *rv)
{
	(void)r;
	(void)out;
	*rv = card_deactivate(s->card);
	return OK;
}

static enum err
run_reset_password(struct session *s, const struct admin_request *r,
    struct buf *out, enum card_rv *rv)
{
	(void)r;
	(void)out;
	*rv = card_reset_password(s->card, &s->login);
	return OK;
}

static enum err
run_remote_init(struct session *s, const struct admin_request *r,
    struct buf *out, enum card_rv *rv)
{
	(void)r;
	(void)out;
	*rv = card_remote_init(s->card, &s->login);
	return OK;
}

static enum err
run_remote_connect(struct session *s, const struct admin_request *r,
    struct buf *out, enum card_rv *rv)
{
	(void)r;
	(void)out;
	*rv = card_remote_connect(s->card);
	return OK;
}

static enum err
run_policy(struct session *s, const struct admin_request *r, struct buf *out,
    enum card_rv *rv)
{
	(void)out;
	*rv = card_policy_set(
	    s->card, &s->login, (unsigned)r->number[0], (unsigned)r->number[1]);
	return OK;
}

static const struct admin_command commands[] = {
#define ADMIN(model, name, run, keys) {model, name, run, keys},
#include "card/admin.def"
#undef ADMIN
};

const char *
admin_command_name(const struct admin_command *command)
{
	return command->name;
}

const char *
admin_command_keys(const struct admin_command *command)
{
	return command->keys;
}

/* ---- values ---- */

/* In place. No '=' stands for itself, and nothing for NUL. */
static enum err
decode(char *value)
{
	size_t octets = strlen(value);
	enum err rc = OK;

	if (strchr(value, '=') != NULL)
		TRY(ERR_VALUE);
	TRY(percent_decode((uint8_t *)value, &octets));
	value[octets] = '\0';
	if (strlen(value) != octets || !bytes_is_utf8(bytes_of_text(value)))
		TRY(ERR_VALUE);
out:
	return rc;
}

static bool
read_number(const char *text, unsigned long *out)
{
	enum { DIGITS_MOST = 9 };
	size_t digits = strspn(text, "0123456789");

	*out = strtoul(text, NULL, 10);
	return digits >= 1 && digits <= DIGITS_MOST && text[digits] == '\0';
}

/* ---- lines ---- */

/* Where a key stands in a row, and what kind it is: '#', '@' or 0. */
static bool
find_key(const char *keys, const char *key, size_t *at, char *kind)
{
	size_t octets = strlen(key);

	for (*at = 0; *keys != '\0'; ++*at) {
		size_t word = strcspn(keys, " ");
		size_t name = strcspn(keys, " #@");

		*kind = name < word ? keys[name] : '\0';
		if (name == octets && memcmp(keys, key, name) == 0)
			return true;
		keys += word;
		keys += *keys == ' ';
	}
	return false;
}

static enum err
read_arg(char *word, struct admin_request *out)
{
	char *value = strchr(word, '=');
	char kind;
	size_t at;
	enum err rc = OK;

	if (value == NULL)
		TRY(ERR_UNEXPECTED);
	*value++ = '\0';
	if (!find_key(out->command->keys, word, &at, &kind))
		TRY(ERR_UNEXPECTED);
	if (out->text[at] != NULL)
		TRY(ERR_REPEATED);
	TRY(decode(value));
	out->text[at] = value;
	if ((kind == '#' && !read_number(value, &out->number[at])) ||
	    (kind == '@' && !find_role(value, &out->number[at])))
		rc = ERR_VALUE;
out:
	return rc;
}

static size_t
count_keys(const char *keys)
{
	size_t count = *keys != '\0';

	while ((keys = strchr(keys, ' ')) != NULL) {
		keys++;
		count++;
	}
	return count;
}

enum err
admin_read(char *line, struct admin_request *out)
{
	char *word = strsep(&line, " ");
	size_t k;
	enum err rc = OK;

	memset(out, 0, sizeof(*out));
	for (k = 0; k < sizeof(commands) / sizeof(commands[0]); k++) {
		if (strcmp(commands[k].name, word) == 0)
			out->command = &commands[k];
	}
	if (out->command == NULL)
		TRY(ERR_NOT_FOUND);
	while (line != NULL)
		TRY(read_arg(strsep(&line, " "), out));
	for (k = 0; k < count_keys(out->command->keys); k++) {
		if (out->text[k] == NULL)
			rc = ERR_MISSING;
	}
out:
	return rc;
}

/* ---- answers ---- */

static enum err
send_all(int fd, struct bytes octets)
{
	while (octets.octets != 0) {
		ssize_t sent = send(fd, octets.at, octets.octets, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return ERR_CLOSED;
		octets.at += sent;
		octets.octets -= (size_t)sent;
	}
	return OK;
}

static enum err
put_error(
    struct buf *out, enum card_rv rv, const char *command, const char *text)
{
	buf_reset(out);
	return buf_printf(out, "error %s %s%s%s\n", card_rv_name(rv), command,
	    *command != '\0' ? ": " : "", text);
}

static enum err
carry_out(struct session *s, char *line, struct buf *out)
{
	const struct admin_command *command;
	struct admin_request request;
	enum card_rv rv = CARD_OK;
	enum err rc = admin_read(line, &request);

	command = request.command;
	if (rc == ERR_NOT_FOUND)
		return put_error(out, CARD_ARGUMENT, "", "no such command");
	if (rc != OK)
		return put_error(
		    out, CARD_ARGUMENT, command->name, err_text(rc));
	if (command->model != ANY && command->model != (int)s->config->model)
		return put_error(out, CARD_ARGUMENT, command->name,
		    "not with this model of the card");
	TRY(buf_put_text(out, "ok"));
	TRY(command->run(s, &request, out, &rv));
	log_line("card", LOG_INFO, "administration: %s: %s", command->name,
	    card_rv_name(rv));
	if (rv != CARD_OK)
		TRY(put_error(out, rv, "", card_rv_text(rv)));
	else
		TRY(buf_put_text(out, "\n"));
out:
	return rc;
}

/* ---- connections ---- */

/* One line, with NUL in place of LF; nothing may be sent ahead. */
static enum err
hear_line(struct session *s, char line[ADMIN_LINE_OCTETS])
{
	size_t octets = 0;
	enum err rc = OK;

	do {
		ssize_t got;

		if (octets == ADMIN_LINE_OCTETS)
			TRY(ERR_LENGTH);
		TRY(wait_readable(s->config->waits, s->fd, INT64_MAX));
		got = recv(s->fd, line + octets, ADMIN_LINE_OCTETS - octets, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			TRY(ERR_CLOSED);
		octets += (size_t)got;
	} while (memchr(line, '\n', octets) == NULL);
	if (memchr(line, '\n', octets) != line + octets - 1 ||
	    memchr(line, '\0', octets) != NULL)
		TRY(ERR_UNEXPECTED);
	line[octets - 1] = '\0';
out:
	return rc;
}

void
admin_serve(const struct admin_config *config, int fd)
{
	struct session s = {.config = config, .card = config->card, .fd = fd};
	char line[ADMIN_LINE_OCTETS];
	struct buf out;
	enum err rc = OK;

	buf_init(&out, ADMIN_LINE_OCTETS);
	for (;;) {
		TRY(hear_line(&s, line));
		rc = carry_out(&s, line, &out);
		secret_wipe(line, sizeof(line));
		TRY(rc);
		TRY(send_all(fd, buf_peek(&out)));
		buf_reset(&out);
	}
out:
	if (rc != ERR_CLOSED)
		log_line("card", LOG_WARN, "administration: %s", err_text(rc));
	secret_wipe(line, sizeof(line));
	buf_clear(&out);
	/* req: KSC-136 */
	card_logout(s.card, &s.login);
}
