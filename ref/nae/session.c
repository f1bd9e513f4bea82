#include "nae/session.h"

#include <string.h>

#include "device/software.h"

enum err
session_open(
    struct session *s, struct appliance *appliance, const struct key_door *door)
{
	s->appliance = appliance;
	s->door = door;
	key_user_global(&s->user);
	/* a password that is needed is needed beside the certificate */
	if (door->user.octets == 0 || door->needs_password)
		return OK;
	return key_user_take(appliance, door->user, &s->user);
}

void
session_clear(struct session *s)
{
	if (s->appliance != NULL)
		key_user_clear(&s->user);
}

/* ---- versions ---- */

static enum err
part_read(struct bytes *text, unsigned *out)
{
	size_t digits = 0;

	*out = 0;
	while (text->octets != 0 && text->at[0] >= '0' && text->at[0] <= '9') {
		*out = *out * 10 + (unsigned)(text->at[0] - '0');
		text->at++;
		text->octets--;
		if (++digits > 4)
			return ERR_VALUE;
	}
	return digits != 0 ? OK : ERR_VALUE;
}

/*
 * 2.0 to 2.10, 3.0 and 3.1; both parts are numbers, so 2.10 comes after 2.9.
 *
 * spec: nae-xml 2.2
 */
static bool
version_is_ours(struct bytes text)
{
	unsigned major;
	unsigned minor;

	if (part_read(&text, &major) != OK || text.octets == 0 ||
	    text.at[0] != '.')
		return false;
	text.at++;
	text.octets--;
	if (part_read(&text, &minor) != OK || text.octets != 0)
		return false;
	return (major == 2 && minor <= 10) || (major == 3 && minor <= 1);
}

/* The first of the client's that is ours. spec: nae-xml 1.1 2.6 */
enum err
nae_version(struct nae_request *rq)
{
	const struct element *list = element_find(rq->root, EL_VERSION_LIST);

	if (element_find(list, EL_VERSION) == NULL)
		return nae_refuse_element(rq, NAE_MISSING, EL_VERSION);
	ELEMENT_EACH (list, child) {
		if (child->what == EL_VERSION && version_is_ours(child->text))
			return element_put(&rq->body, EL_VERSION, child->text);
	}
	return nae_refuse(rq, NAE_NO_VERSION);
}

/* ---- who asks ---- */

static void
logged_in(struct user_login *login, enum user_verdict verdict)
{
	struct nae_request *rq = login->ctx;
	enum err rc = OK;

	switch (verdict) {
	case USER_OK:
		rq->own_user = login->user;
		rq->user = &rq->own_user;
		break;
	case USER_REFUSED:
		rc = nae_refuse(rq, NAE_AUTH_FAILED);
		break;
	case USER_FAILED:
		rc = login->rc;
		break;
	}
	nae_go_on(rq, rc);
}

/*
 * With two factors the certificate and the password are the same user's.
 *
 * req: KS-03-039 KS-03-040 KS-03-041 ESKM-099
 */
enum err
session_login(struct nae_request *rq, nae_step_fn *next)
{
	struct bytes user = element_text(rq->root, EL_USER);
	enum err rc = OK;

	if (rq->door->user.octets != 0 && !bytes_equal(rq->door->user, user))
		return nae_refuse(rq, NAE_CERTIFICATE_USER);
	rq->login = (struct user_login){
	    .name = user,
	    .password = element_text(rq->root, EL_PASSWD),
	    .done = logged_in,
	    .ctx = rq,
	};
	TRY(user_login_begin(rq->config->appliance, &rq->login));
	TRY(nae_pause(rq, next));
out:
	return rc;
}

/* The session is this user's from here on. */
static enum err
authenticated(struct nae_request *rq)
{
	struct session *s = rq->session;

	key_user_clear(&s->user);
	s->user = rq->own_user;
	key_user_global(&rq->own_user);
	rq->user = &s->user;
	s->has_password = true;
	return OK;
}

/* req: KS-03-033 KS-03-040 KS-03-041 KS-28-022 ESKM-092 ESKM-167 ESKM-169 */
enum err
nae_auth(struct nae_request *rq)
{
	return session_login(rq, authenticated);
}

/* spec: nae-xml 2.2 */
static enum err
check_sequence(struct nae_request *rq)
{
	struct session *s = rq->session;
	bool is_version = rq->row != NULL && rq->row->run == nae_version;
	bool is_auth = rq->row != NULL && rq->row->run == nae_auth;

	if ((is_version && s->stage > STAGE_NEW) ||
	    (is_auth && s->stage > STAGE_VERSION))
		return nae_refuse(rq, NAE_SEQUENCE);
	s->stage = is_version ? STAGE_VERSION
		   : is_auth  ? STAGE_AUTH
			      : STAGE_WORK;
	return OK;
}

/* What a request that brings no version of its own speaks is negotiated. */
static enum err
check_version(struct nae_request *rq)
{
	const struct element *e = element_find(rq->root, EL_MESSAGE_VERSION);

	if (e == NULL || rq->row == NULL || rq->row->run == nae_version ||
	    version_is_ours(e->text))
		return OK;
	return nae_refuse(rq, NAE_NO_VERSION);
}

/* User and Passwd, or neither. */
static enum err
check_credentials(struct nae_request *rq, bool *logs_in)
{
	const struct element *user = element_find(rq->root, EL_USER);
	const struct element *password = element_find(rq->root, EL_PASSWD);

	*logs_in = user != NULL && password != NULL;
	if (user == NULL && password != NULL)
		return nae_refuse_element(rq, NAE_MISSING, EL_USER);
	if (user != NULL && password == NULL)
		return nae_refuse_element(rq, NAE_MISSING, EL_PASSWD);
	return OK;
}

/* What has become of the user since the last request. req: ESKM-145 */
static enum err
refresh(struct nae_request *rq)
{
	enum err rc = key_user_refresh(rq->config->appliance, rq->user);

	return rc == ERR_NOT_FOUND ? nae_refuse(rq, NAE_AUTH_FAILED) : rc;
}

/* req: KS-03-020 KS-03-033 KS-03-150 ESKM-092 */
enum err
session_admit(struct nae_request *rq, bool *logs_in)
{
	const struct nae_row *row = rq->row;
	enum err rc = OK;

	*logs_in = false;
	TRY(check_sequence(rq));
	TRY(check_version(rq));
	if (row != NULL && row->session == SESSION_NONE)
		return OK;
	if (row != NULL && row->session == SESSION_ANY)
		TRY(check_credentials(rq, logs_in));
	if (*logs_in)
		return OK;
	if (rq->door->needs_password && !rq->session->has_password)
		TRY(nae_refuse(rq, NAE_AUTH_REQUIRED));
	TRY(refresh(rq));
out:
	return rc;
}

/*
 * req: KS-03-145 KS-03-146 KS-03-147 KS-03-148 KS-31-025 KS-38-092 KS-38-095
 * req: ESKM-067 ESKM-068
 */
enum err
session_permits(struct nae_request *rq)
{
	const struct nae_row *row = rq->row;

	if (row->session >= SESSION_USER && key_user_is_global(rq->user))
		return nae_refuse(rq, NAE_GLOBAL_SESSION);
	if (row->session == SESSION_ADMIN && !rq->user->administers)
		return nae_refuse(rq, NAE_PERMISSIONS);
	if ((row->gate == GATE_CONFIG && !rq->door->allows_config) ||
	    (row->gate == GATE_EXPORT && !rq->door->allows_export))
		return nae_refuse(rq, NAE_DISABLED);
	return OK;
}

/* ---- the device ---- */

/* req: KS-01-004 */
enum err
nae_device_info(struct nae_request *rq)
{
	char version[PACKAGE_VERSION_OCTETS + 1];
	struct buf *out = &rq->body;
	enum err rc = OK;

	TRY(element_put_text(out, EL_MODEL_NUMBER, rq->config->model));
	TRY(element_put_text(out, EL_BOX_ID, rq->config->box_id));
	software_version(rq->config->appliance, version);
	TRY(element_put_text(out, EL_SOFTWARE_VERSION, version));
out:
	return rc;
}
